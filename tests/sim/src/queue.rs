//! What is still to happen, in order of virtual time.
//!
//! Things that happen at the same moment happen in an order the seed decides, a different one for every seed: no
//! law may depend on it.

use routing_common::rng::Rng;
use routing_common::time::Instant;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// When something happens, and where it is kept meanwhile: what is moved about in the heap is small. The order is
/// that of the fields; serial numbers all differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Instant,
    tie: u64,
    serial: u64,
    place: usize,
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<Entry>>,
    places: Vec<Option<T>>,
    free: Vec<usize>,
    serial: u64,
    rng: Rng,
}

impl<T> Queue<T> {
    /// An empty queue that breaks ties by this seed.
    pub(crate) fn new(seed: u64) -> Self {
        let (heap, places, free) = (BinaryHeap::new(), Vec::new(), Vec::new());
        Self { heap, places, free, serial: 0, rng: Rng::new(seed) }
    }

    /// Something will happen.
    pub(crate) fn push(&mut self, at: Instant, what: T) {
        self.serial += 1;
        let tie = self.rng.next_u64();
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[place] = Some(what);
        self.heap.push(Reverse(Entry { at, tie, serial: self.serial, place }));
    }

    /// The next thing, unless it lies after `end`.
    pub(crate) fn pop(&mut self, end: Instant) -> Option<(Instant, T)> {
        if self.heap.peek()?.0.at > end {
            return None;
        }
        let Reverse(Entry { at, place, .. }) = self.heap.pop()?;
        self.free.push(place);
        Some((at, self.places[place].take()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(seed: u64) -> Vec<u8> {
        let mut queue = Queue::new(seed);
        for n in 0..9 {
            queue.push(Instant::from_secs(u64::from(n / 3)), n);
        }
        core::iter::from_fn(|| queue.pop(Instant::from_secs(9))).map(|(_, n)| n).collect()
    }

    #[test]
    fn time_rules_and_the_seed_breaks_ties() {
        assert_eq!(order(1), order(1));
        assert!((2..20).any(|seed| order(seed) != order(1)));
        let times: Vec<u8> = order(5).iter().map(|n| n / 3).collect();
        assert_eq!(times, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    }
}
