//! The table: prefix → candidates and the one selected.
//!
//! A trie, because resolution asks for longest matches. The table stores and finds; it decides nothing.
//! An entry without candidates does not exist.

use crate::route::{Candidate, Origin, Selected};
use ipnetwork::Ipv4Network;
use prefix_trie::PrefixMap;
use routing_common::prefix;
use smallvec::SmallVec;
use std::net::Ipv4Addr;

/// What is known about one prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// In origin order.
    pub candidates: SmallVec<[Candidate; 1]>,
    /// The winner of the latest evaluation.
    pub selected: Option<Selected>,
}

/// What [`Table::offer`] or [`Table::withdraw`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that matters changed.
    Unchanged,
    /// The prefix must be evaluated again.
    Changed,
}

/// All prefixes.
#[derive(Debug, Clone, Default)]
pub struct Table {
    map: PrefixMap<Ipv4Network, Entry>,
}

impl Table {
    /// The entry of exactly this prefix.
    pub fn get(&self, p: Ipv4Network) -> Option<&Entry> {
        self.map.get(&p)
    }

    /// Number of prefixes.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// No prefix at all?
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// All entries in prefix order.
    pub fn iter(&self) -> impl Iterator<Item = (Ipv4Network, &Entry)> {
        self.map.iter().map(|(p, e)| (prefix::canonical(p), e))
    }

    /// The entries inside `p`, `p` itself included.
    pub fn inside(&self, p: Ipv4Network) -> impl Iterator<Item = (Ipv4Network, &Entry)> {
        self.map.children(&p).map(|(p, e)| (prefix::canonical(p), e))
    }

    /// The entries that cover `address`, longest first.
    pub fn covering(&self, address: Ipv4Addr) -> SmallVec<[(Ipv4Network, &Entry); 8]> {
        let mut found: SmallVec<[(Ipv4Network, &Entry); 8]> =
            self.map.cover(&prefix::host(address)).map(|(p, e)| (prefix::canonical(p), e)).collect();
        found.reverse();
        found
    }

    /// Adds `candidate`, or replaces the one of the same origin. An unchanged offer keeps its age and
    /// loses its stale mark.
    pub fn offer(&mut self, p: Ipv4Network, candidate: Candidate) -> Effect {
        let entry = self.map.entry(p).or_default();
        match entry.candidates.iter_mut().find(|c| c.origin == candidate.origin) {
            Some(old) if old.same_offer(&candidate) => {
                old.stale = candidate.stale;
                Effect::Unchanged
            }
            Some(old) => {
                *old = candidate;
                Effect::Changed
            }
            None => {
                let at = entry.candidates.partition_point(|c| c.origin < candidate.origin);
                entry.candidates.insert(at, candidate);
                Effect::Changed
            }
        }
    }

    /// Removes the candidate of this origin.
    pub fn withdraw(&mut self, p: Ipv4Network, origin: Origin) -> Effect {
        let Some(entry) = self.map.get_mut(&p) else { return Effect::Unchanged };
        let before = entry.candidates.len();
        entry.candidates.retain(|c| c.origin != origin);
        if entry.candidates.len() == before { Effect::Unchanged } else { Effect::Changed }
    }

    /// Stores the outcome of an evaluation; an entry nobody offers anything for is dropped.
    pub fn select(&mut self, p: Ipv4Network, selected: Option<Selected>) {
        if let Some(entry) = self.map.get_mut(&p) {
            entry.selected = selected;
            if entry.candidates.is_empty() {
                self.map.remove(&p);
            }
        }
    }

    /// Marks every candidate of `origin` stale.
    pub fn mark_stale(&mut self, origin: Origin) {
        for (_, entry) in self.map.iter_mut() {
            for c in entry.candidates.iter_mut().filter(|c| c.origin == origin) {
                c.stale = true;
            }
        }
    }

    /// The prefixes for which `test` holds of some candidate.
    pub fn prefixes_where(&self, test: impl Fn(&Candidate) -> bool) -> Vec<Ipv4Network> {
        self.iter().filter(|(_, e)| e.candidates.iter().any(&test)).map(|(p, _)| p).collect()
    }
}
