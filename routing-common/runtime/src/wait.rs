//! Waiting without a runtime: until a moment, a descriptor or another thread.
//!
//! For threads that must not share a reactor with anybody. The moment is absolute, so what happens between looking at
//! the clock and sleeping costs at most itself and never adds up.

use crate::clock::Clock;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use routing_common::time::Instant;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// Wakes a thread that waits with [`Waker::wait`]. A wake before the wait is not lost.
#[derive(Debug)]
pub struct Waker(EventFd);

impl Waker {
    /// A waker nobody has used yet.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?))
    }

    /// Ends the present or the next wait; never blocks.
    pub fn wake(&self) {
        // Refused only when 2^64 wakes are waiting, and then one more is not missed.
        let _ = self.0.write(1);
    }

    /// Waits until `deadline` (`None`: for ever), a wake, or one of `descriptors` can be read. `ready` then holds for each of
    /// them, in their order, whether it can: if only the deadline has passed, none could at that moment.
    ///
    /// # Errors
    /// When the kernel refuses to wait at all: too many descriptors, no memory.
    pub fn wait<'fd>(
        &'fd self,
        descriptors: impl Iterator<Item = BorrowedFd<'fd>>,
        deadline: Option<Instant>,
        ready: &mut Vec<bool>,
    ) -> io::Result<()> {
        ready.clear();
        let mut all: Vec<PollFd<'_>> = core::iter::once(self.0.as_fd())
            .chain(descriptors)
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        let left = deadline.map(|at| TimeSpec::from_duration(Clock.now().until(at)));
        match ppoll(&mut all, left, None) {
            Ok(0) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => {
                ready.extend(all.iter().skip(1).map(|fd| fd.any().unwrap_or(true)));
                if all.first().and_then(PollFd::any).unwrap_or(false) {
                    let _ = self.0.read();
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_wait_ends_at_its_deadline_not_before_and_a_wake_is_not_lost() {
        let waker = Waker::new().unwrap();
        let at = Clock.now() + Duration::from_millis(3);
        let mut ready = vec![true];
        waker.wait(core::iter::empty(), Some(at), &mut ready).unwrap();
        assert!(Clock.now() >= at && ready.is_empty());
        waker.wake();
        waker.wake();
        waker.wait(core::iter::empty(), None, &mut ready).unwrap();
        let at = Clock.now() + Duration::from_millis(1);
        waker.wait(core::iter::empty(), Some(at), &mut ready).unwrap();
        assert!(Clock.now() >= at, "both wakes are used up");
        let (other, third) = (Waker::new().unwrap(), Waker::new().unwrap());
        other.wake();
        waker.wait([third.0.as_fd(), other.0.as_fd()].into_iter(), None, &mut ready).unwrap();
        assert_eq!(ready, [false, true]);
    }
}
