//! Best path as an ordered list of preferences.
//!
//! Each preference maps a candidate to a number; the smallest wins, ties fall through to the next one.
//! The last one cannot tie, since a prefix has one candidate per origin. Whether a candidate is usable
//! at all is resolution's business: the first *usable* one in this order is selected.

use crate::route::{Candidate, Origin};
use smallvec::SmallVec;

/// A distance that keeps a route out of the kernel.
pub const DISTANCE_UNUSABLE: u8 = 255;

/// One preference: its name for people, and what it compares.
pub type Preference = (&'static str, fn(&Candidate) -> u64);

/// All preferences, most important first.
pub const PREFERENCES: [Preference; 4] = [
    ("administrative distance", |c| u64::from(c.distance)),
    ("protocol", |c| c.origin.protocol() as u64),
    ("metric", |c| u64::from(c.metric)),
    ("origin", |c| match c.origin {
        Origin::Connected(ifindex) => u64::from(ifindex.0),
        Origin::Static(distance) => u64::from(distance),
        Origin::Client(_) => 0,
    }),
];

fn rank(c: &Candidate) -> [u64; PREFERENCES.len()] {
    PREFERENCES.map(|(_, key)| key(c))
}

/// The candidates that may be selected, best first.
pub fn in_order(candidates: &[Candidate]) -> SmallVec<[&Candidate; 4]> {
    let mut usable: SmallVec<[&Candidate; 4]> =
        candidates.iter().filter(|c| c.distance != DISTANCE_UNUSABLE).collect();
    usable.sort_by_key(|c| rank(c));
    usable
}

/// The first preference by which `winner` beats `loser`.
pub fn reason(winner: &Candidate, loser: &Candidate) -> Option<&'static str> {
    PREFERENCES.iter().find(|(_, key)| key(winner) < key(loser)).map(|(name, _)| *name)
}
