//! The clocks of this host, read by shells and by nobody else.

use nix::time::{ClockId, clock_gettime};
use routing_common::time::{Duration, Instant};

/// CLOCK_MONOTONIC as the engines' [`Instant`]. The origin is the kernel's own (about boot), so that
/// instants of all daemons on a host compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clock;

impl Clock {
    /// Now; never runs backwards, stands still while the host is suspended.
    pub fn now(self) -> Instant {
        let (seconds, nanos) = read(ClockId::CLOCK_MONOTONIC);
        Instant::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// The wall clock since 1970, which may jump; for kernel stamps, which are made with it.
    pub fn wall_now(self) -> Duration {
        let (seconds, nanos) = read(ClockId::CLOCK_REALTIME);
        Duration::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// Seconds since 1970 by the wall clock, which may jump. 0 before 1970.
    pub fn wall_seconds(self) -> u64 {
        read(ClockId::CLOCK_REALTIME).0
    }
}

/// Seconds and nanoseconds.
fn read(clock: ClockId) -> (u64, u64) {
    // proof: both clocks exist on every Linux and the result is written to our own stack.
    let t = clock_gettime(clock).expect("the clock exists");
    (u64::try_from(t.tv_sec()).unwrap_or(0), u64::try_from(t.tv_nsec()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_advances() {
        let before = Clock.now();
        while Clock.now() == before {}
        assert!(Clock.now() > before);
        assert!(Clock.wall_seconds() > 1_600_000_000);
    }
}
