//! How often the same thing is told: RFC 9568 §7.1 wants events logged "subject to rate-limiting", since who
//! causes them decides how often they come.

use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;

/// The same thing is told at most once in this time.
pub(crate) const NOTICE_INTERVAL: Duration = Duration::from_secs(60);

/// At most so many different things are told in that time.
const MOST: usize = 64;

/// What was told lately, and when.
#[derive(Debug, Clone)]
pub(crate) struct Throttle<K>(BTreeMap<K, Instant>);

impl<K> Default for Throttle<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Throttle<K> {
    /// Is it time to tell `what` (again)? If so, that counts as told.
    pub(crate) fn due(&mut self, now: Instant, what: K) -> bool {
        self.0.retain(|_, told| now.since(*told) < NOTICE_INTERVAL);
        let due = self.0.len() < MOST && !self.0.contains_key(&what);
        if due {
            self.0.insert(what, now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_told_once_a_minute_and_never_too_many() {
        let mut t = Throttle::default();
        let second = Instant::from_secs;
        assert!(t.due(second(0), 1) && t.due(second(1), 2));
        assert!(!t.due(second(59), 1));
        assert!(t.due(second(60), 1));
        assert!(!t.due(second(60), 2));
        assert!(!t.due(second(119), 1) && t.due(second(120), 1));
        let told = (100..1000).filter(|n| t.due(second(121), *n)).count();
        assert_eq!(told, MOST - 1);
    }
}
