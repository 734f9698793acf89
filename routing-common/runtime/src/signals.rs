//! What the operator says by signals.

use std::io;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// A signal's meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: read the configuration again.
    Reload,
    /// The first SIGTERM or SIGINT: leave in an orderly way.
    Terminate,
    /// A further SIGTERM or SIGINT: leave now.
    TerminateNow,
}

/// The signals a daemon listens to. From its creation on they no longer kill the process.
#[derive(Debug)]
pub struct Signals {
    hang_up: Stream,
    terminate: Stream,
    interrupt: Stream,
    terminating: bool,
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
            terminating: false,
        })
    }

    /// The next signal. Cancel safe.
    pub async fn next(&mut self) -> Signal {
        let terminate = tokio::select! {
            _ = self.hang_up.recv() => false,
            _ = self.terminate.recv() => true,
            _ = self.interrupt.recv() => true,
        };
        if !terminate {
            return Signal::Reload;
        }
        let again = std::mem::replace(&mut self.terminating, true);
        if again { Signal::TerminateNow } else { Signal::Terminate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::{Signal as Number, raise};

    #[tokio::test]
    async fn a_second_termination_is_urgent() {
        let mut signals = Signals::new().unwrap();
        raise(Number::SIGHUP).unwrap();
        assert_eq!(signals.next().await, Signal::Reload);
        raise(Number::SIGTERM).unwrap();
        assert_eq!(signals.next().await, Signal::Terminate);
        raise(Number::SIGHUP).unwrap();
        assert_eq!(signals.next().await, Signal::Reload);
        raise(Number::SIGINT).unwrap();
        assert_eq!(signals.next().await, Signal::TerminateNow);
    }
}
