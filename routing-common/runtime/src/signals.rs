//! What the operator says by signals.

use crate::clock::Clock;
use routing_common::time::{Duration, Instant};
use std::io;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// Terminations so soon after the first are the same wish: a service manager that signals a whole group, and the
/// supervisor that passes its own on, both reach a daemon.
const SAME_WISH: Duration = Duration::from_millis(500);

/// A signal's meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: read the configuration again.
    Reload,
    /// The first SIGTERM or SIGINT: leave in an orderly way.
    Terminate,
    /// A further SIGTERM or SIGINT, half a second or more after the first: leave now.
    TerminateNow,
}

/// The signals a daemon listens to. From its creation on they no longer kill the process.
#[derive(Debug)]
pub struct Signals {
    hang_up: Stream,
    terminate: Stream,
    interrupt: Stream,
    terminating: Option<Instant>,
}

impl Signals {
    /// Takes over SIGHUP, SIGTERM and SIGINT.
    ///
    /// # Errors
    /// When a handler cannot be installed.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminating: None,
        })
    }

    /// The next signal. Cancel safe.
    pub async fn next(&mut self) -> Signal {
        loop {
            let terminate = tokio::select! {
                _ = self.hang_up.recv() => false,
                _ = self.terminate.recv() => true,
                _ = self.interrupt.recv() => true,
            };
            if !terminate {
                return Signal::Reload;
            }
            match self.terminating {
                None => {
                    self.terminating = Some(Clock.now());
                    return Signal::Terminate;
                }
                Some(first) if Clock.now().since(first) >= SAME_WISH => return Signal::TerminateNow,
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::{Signal as Number, raise};

    #[tokio::test]
    async fn a_second_termination_is_urgent_unless_it_is_the_same_wish() {
        let mut signals = Signals::new().unwrap();
        raise(Number::SIGHUP).unwrap();
        assert_eq!(signals.next().await, Signal::Reload);
        raise(Number::SIGTERM).unwrap();
        assert_eq!(signals.next().await, Signal::Terminate);
        raise(Number::SIGTERM).unwrap();
        let again = tokio::time::timeout(Duration::from_millis(100), signals.next()).await;
        assert!(again.is_err(), "{again:?}");
        raise(Number::SIGHUP).unwrap();
        assert_eq!(signals.next().await, Signal::Reload);
        signals.terminating = Some(Clock.now() - SAME_WISH);
        raise(Number::SIGINT).unwrap();
        assert_eq!(signals.next().await, Signal::TerminateNow);
    }
}
