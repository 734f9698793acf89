//! Memory that a burst of work leaves behind.
//!
//! An allocator keeps what was freed for the next time. After a large database was learnt that is a good part of all, in
//! pages between those in use, and the next time may be next week. The next burst pays with page faults, a few milliseconds for
//! ten thousand routes.

pub use crate::sys::give_back_memory as give_back;
use routing_common::time::{Duration, Instant};

/// When to give memory back.
#[derive(Debug)]
pub struct Tidiness {
    enough: usize,
    rest: Duration,
    work: usize,
    due: Option<Instant>,
}

impl Tidiness {
    /// After `enough` work in all memory is given back, a `rest` after the last of it. Who knows when a burst has ended
    /// needs no rest.
    pub fn after(enough: usize, rest: Duration) -> Self {
        Self { enough, rest, work: 0, due: None }
    }

    /// Work was done.
    pub fn note(&mut self, now: Instant, work: usize) {
        self.work = self.work.saturating_add(work);
        if work > 0 && self.work >= self.enough {
            self.due = Some(now + self.rest);
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
            (self.work, self.due) = (0, None);
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
        let rest = Duration::from_millis(200);
        let mut tidiness = Tidiness::after(10, rest);
        let t = Instant::from_secs(1);
        tidiness.note(t, 9);
        assert_eq!(tidiness.due(), None, "not worth it");
        tidiness.note(t, 1);
        assert_eq!(tidiness.due(), Some(t + rest));
        tidiness.note(t + rest / 2, 1);
        assert!(!tidiness.tidy(t + rest), "work goes on");
        assert!(tidiness.tidy(t + rest + rest / 2));
        assert_eq!((tidiness.due(), tidiness.tidy(t + rest * 9)), (None, false));
    }

    #[test]
    fn who_knows_the_end_of_a_burst_gives_back_at_once() {
        let mut tidiness = Tidiness::after(10, Duration::ZERO);
        let t = Instant::from_secs(1);
        tidiness.note(t, 9);
        assert!(!tidiness.tidy(t), "not worth it");
        tidiness.note(t, 1);
        assert!(tidiness.tidy(t));
        tidiness.note(t, 9);
        assert!(!tidiness.tidy(t), "counted anew");
    }
}
