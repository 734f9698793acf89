//! Ctrl-C while something runs that goes on until interrupted: it ends that, not the shell.

use anyhow::Result;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::AsFd as _;
use std::time::Duration;

/// While it lives, Ctrl-C is waited for instead of being deadly. Programs that are started meanwhile get it as ever.
pub(crate) struct Interruptible(SignalFd);

fn interrupt() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGINT);
    set
}

impl Interruptible {
    /// From now on.
    pub(crate) fn new() -> Result<Self> {
        let set = interrupt();
        set.thread_block()?;
        Ok(Self(SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?))
    }

    /// Waits; true if the operator had enough.
    pub(crate) fn wait(&self, span: Duration) -> bool {
        let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(span).unwrap_or(PollTimeout::MAX);
        // A failed wait ends the command: better than one that never ends.
        !matches!(poll(&mut fds, timeout), Ok(0))
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        // What is still pending was meant for what ends now.
        while let Ok(Some(_)) = self.0.read_signal() {}
        let _ = interrupt().thread_unblock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_ends_the_wait_and_nothing_else() {
        let interruptible = Interruptible::new().unwrap();
        assert!(!interruptible.wait(Duration::from_millis(1)));
        nix::sys::signal::raise(Signal::SIGINT).unwrap();
        assert!(interruptible.wait(Duration::from_secs(10)));
        drop(interruptible);
        assert!(!SigSet::thread_get_mask().unwrap().contains(Signal::SIGINT));
    }
}
