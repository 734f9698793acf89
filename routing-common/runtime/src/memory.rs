//! Memory that a burst of work leaves behind.
//!
//! An allocator keeps what was freed for the next time. After a large database was learnt that is a good part of all, in
//! pages between those in use, and the next time may be next week. The next burst pays with page faults, a few milliseconds for
//! ten thousand routes.

use crate::sys;
use routing_common::time::{Duration, Instant};

/// Gives free memory back to the kernel. It takes about a millisecond for each ten megabytes.
pub fn give_back() {
    sys::give_back_memory();
}

/// So long after the last work memory is given back: not between two parts of the same burst.
const REST: Duration = Duration::from_millis(200);

/// When to give memory back.
#[derive(Debug, Default)]
pub struct Tidiness {
    work: usize,
    due: Option<Instant>,
}

impl Tidiness {
    /// Work was done, of which `enough` in all is worth tidying up after.
    pub fn note(&mut self, now: Instant, work: usize, enough: usize) {
        self.work = self.work.saturating_add(work);
        if work > 0 && self.work >= enough {
            self.due = Some(now + REST);
        }
    }

    /// When [`Tidiness::tidy`] is wanted.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Gives back what is free, if it is time. Says whether it was.
    pub fn tidy(&mut self, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|at| at <= now);
        if is_due {
            *self = Self::default();
            give_back();
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_once_after_enough_work_and_a_rest() {
        let mut tidiness = Tidiness::default();
        let t = Instant::from_secs(1);
        tidiness.note(t, 9, 10);
        assert_eq!(tidiness.due(), None, "not worth it");
        tidiness.note(t, 1, 10);
        assert_eq!(tidiness.due(), Some(t + REST));
        tidiness.note(t + REST / 2, 1, 10);
        assert!(!tidiness.tidy(t + REST), "work goes on");
        assert!(tidiness.tidy(t + REST + REST / 2));
        assert_eq!((tidiness.due(), tidiness.tidy(t + REST * 9)), (None, false));
    }
}
