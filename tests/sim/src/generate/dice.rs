//! Chance from a seed, in the forms the generator needs.

use core::ops::RangeInclusive;
use routing_common::rng::Rng;

/// A source of choices; the same seed makes the same ones.
#[derive(Debug, Clone)]
pub struct Dice(Rng);

impl Dice {
    /// Dice of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Rng::new(seed))
    }

    /// A number of the range.
    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        let width = range.end().saturating_sub(*range.start()).saturating_add(1);
        range.start() + self.0.below(width)
    }

    /// A place in a list of this length; 0 for an empty one.
    pub fn place(&mut self, length: usize) -> usize {
        self.0.below(length as u64) as usize
    }

    /// True this many times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.0.below(100) < percent
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.place(of.len())).copied()
    }

    /// One of these by weight; the first if all weights are 0.
    pub fn weighted<T: Copy, const N: usize>(&mut self, of: &[(u64, T); N]) -> T {
        const { assert!(N > 0, "a choice needs something to choose from") };
        let total = of.iter().map(|(weight, _)| weight).sum();
        let mut left = self.0.below(total);
        for (weight, one) in of {
            if left < *weight {
                return *one;
            }
            left -= weight;
        }
        of[0].1
    }

    /// Any order, all alike.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.place(last + 1));
        }
    }

    /// Up to `count` different ones of `0..of`, in any order.
    pub fn some_of(&mut self, count: usize, of: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..of).collect();
        self.shuffle(&mut all);
        all.truncate(count);
        all
    }
}
