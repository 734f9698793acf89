//! Waiting for an [`Instant`] without tokio's 1–2 ms of rounding: a timerfd on CLOCK_MONOTONIC.

use crate::clock::Clock;
use crate::sys::Descriptor;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use routing_common::time::Instant;
use std::io;
use std::os::fd::AsFd;

/// One timer, re-armed only when the deadline it is asked for changes.
#[derive(Debug)]
pub struct DeadlineTimer {
    timer: TimerFd,
    /// The same open timer under a second number, for the reactor.
    readiness: Descriptor,
    armed: Option<Instant>,
}

impl DeadlineTimer {
    /// A timer; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        let readiness = Descriptor::register(timer.as_fd().try_clone_to_owned()?)?;
        Ok(Self { timer, readiness, armed: None })
    }

    /// Returns once `deadline` has passed, at once if it has already; never for `None`. Cancel safe: a
    /// dropped wait is simply asked for again, with the same or another deadline.
    pub async fn wait(&mut self, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return std::future::pending().await };
        while Clock.now() < deadline {
            self.arm(deadline);
            let Ok(mut guard) = self.readiness.readable().await else {
                // The reactor is shutting down and with it whoever waits.
                return std::future::pending().await;
            };
            let mut expirations = [0; 8];
            if nix::unistd::read(&*self.readiness, &mut expirations) == Err(nix::Error::EAGAIN) {
                guard.clear_ready();
            }
        }
        self.armed = None;
    }

    fn arm(&mut self, deadline: Instant) {
        if self.armed == Some(deadline) {
            return;
        }
        let nanos = deadline.as_nanos().max(1); // 0 would disarm the timer
        let seconds = i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX);
        let rest = i64::try_from(nanos % 1_000_000_000).unwrap_or(0);
        let at = Expiration::OneShot(TimeSpec::new(seconds, rest));
        // proof: the descriptor is a timer and the time is normalised, all that can be refused.
        self.timer.set(at, TimerSetTimeFlags::TFD_TIMER_ABSTIME).expect("an absolute time is settable");
        self.armed = Some(deadline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_wait_ends_after_its_deadline_and_can_be_abandoned() {
        let mut timer = DeadlineTimer::new().unwrap();
        timer.wait(Some(Instant::ZERO)).await;
        let far = Clock.now() + Duration::from_secs(3600);
        assert!(tokio::time::timeout(Duration::from_millis(5), timer.wait(Some(far))).await.is_err());
        for _ in 0..5 {
            let deadline = Clock.now() + Duration::from_millis(3);
            let waited = tokio::time::timeout(Duration::from_secs(10), timer.wait(Some(deadline))).await;
            assert!(waited.is_ok(), "an earlier deadline after an abandoned one is kept");
            assert!(Clock.now() >= deadline);
        }
        assert!(tokio::time::timeout(Duration::from_millis(5), timer.wait(None)).await.is_err());
    }
}
