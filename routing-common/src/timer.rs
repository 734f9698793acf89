//! A queue of named deadlines.
//!
//! An ordered set, because engines are asked "when exactly next?" after every input and must answer
//! without scanning. Each key has at most one deadline. Ties pop in key order, so a run is
//! reproducible.

use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// Deadlines by key; see the module text.
#[derive(Debug, Clone)]
pub struct TimerQueue<K> {
    deadlines: BTreeMap<K, Instant>,
    order: BTreeSet<(Instant, K)>,
}

impl<K: Ord + Copy> Default for TimerQueue<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + Copy> TimerQueue<K> {
    /// An empty queue.
    pub fn new() -> Self {
        Self { deadlines: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// Sets (or moves) the deadline of `key`.
    pub fn arm(&mut self, key: K, at: Instant) {
        match self.deadlines.insert(key, at) {
            Some(old) if old == at => return,
            Some(old) => _ = self.order.remove(&(old, key)),
            None => {}
        }
        self.order.insert((at, key));
    }

    /// Sets the deadline of `key` unless it already has an earlier one.
    pub fn arm_no_later(&mut self, key: K, at: Instant) {
        if self.deadline(key).is_none_or(|d| at < d) {
            self.arm(key, at);
        }
    }

    /// Forgets the deadline of `key`; says whether there was one.
    pub fn cancel(&mut self, key: K) -> bool {
        match self.deadlines.remove(&key) {
            Some(at) => self.order.remove(&(at, key)),
            None => false,
        }
    }

    /// Forgets every deadline whose key satisfies `f`.
    pub fn cancel_where(&mut self, f: impl Fn(&K) -> bool) {
        self.deadlines.retain(|k, _| !f(k));
        self.order.retain(|(_, k)| !f(k));
    }

    /// The deadline of `key`, if armed.
    pub fn deadline(&self, key: K) -> Option<Instant> {
        self.deadlines.get(&key).copied()
    }

    /// Is `key` armed?
    pub fn is_armed(&self, key: K) -> bool {
        self.deadlines.contains_key(&key)
    }

    /// The earliest deadline.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Removes and returns the earliest key that is due at `now`.
    pub fn pop_expired(&mut self, now: Instant) -> Option<K> {
        let (at, key) = *self.order.first()?;
        if at > now {
            return None;
        }
        self.order.remove(&(at, key));
        self.deadlines.remove(&key);
        Some(key)
    }

    /// All armed keys with their deadlines, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (K, Instant)> + '_ {
        self.deadlines.iter().map(|(k, at)| (*k, *at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pops_in_order_of_time_then_key_and_moves_deadlines() {
        let mut q = TimerQueue::new();
        let t = Instant::from_secs;
        q.arm('b', t(2));
        q.arm('a', t(2));
        q.arm('c', t(1));
        q.arm('c', t(3));
        q.arm_no_later('c', t(9));
        assert_eq!(q.next_deadline(), Some(t(2)));
        assert_eq!(q.pop_expired(t(1)), None);
        assert_eq!(q.pop_expired(t(2)), Some('a'));
        assert_eq!(q.pop_expired(t(2)), Some('b'));
        assert_eq!(q.pop_expired(t(2)), None);
        assert!(q.cancel('c'));
        assert!(!q.cancel('c'));
        assert_eq!(q.next_deadline(), None);
    }
}
