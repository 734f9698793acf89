//! Prefix lists and access lists: sets of prefixes, written as entries that permit or deny.

use super::Action;
use crate::prefix::{self, Ipv4Network};
use core::fmt;
use core::ops::RangeInclusive;

/// The prefixes inside one prefix whose lengths lie in a range: what one entry of a list matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixRange {
    /// What contains them, host bits cleared.
    pub prefix: Ipv4Network,
    /// Their lengths; none is shorter than that of `prefix`.
    pub lengths: RangeInclusive<u8>,
}

impl PrefixRange {
    /// Is this prefix among them?
    pub fn contains(&self, candidate: Ipv4Network) -> bool {
        self.prefix.contains(candidate.ip()) && self.lengths.contains(&candidate.prefix())
    }

    /// Are all of `other` among them?
    pub fn covers(&self, other: &Self) -> bool {
        self.prefix.prefix() <= other.prefix.prefix()
            && self.prefix.contains(other.prefix.ip())
            && self.lengths.start() <= other.lengths.start()
            && other.lengths.end() <= self.lengths.end()
    }
}

/// `ip prefix-list NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixList {
    /// Its name.
    pub name: String,
    /// By sequence.
    pub entries: Vec<PrefixListEntry>,
}

/// One entry of a prefix list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixListEntry {
    /// Its place, from 1.
    pub sequence: u32,
    /// What becomes of a prefix it matches.
    pub action: Action,
    /// The prefix, host bits cleared.
    pub prefix: Ipv4Network,
    /// Shortest length, not shorter than the prefix.
    pub ge: Option<u8>,
    /// Longest length, not shorter than the prefix and `ge`.
    pub le: Option<u8>,
}

impl PrefixListEntry {
    /// What it matches: with neither `ge` nor `le` the prefix alone, with `ge` alone up to host routes, with `le`
    /// alone from the prefix itself on.
    pub fn range(&self) -> PrefixRange {
        let own = self.prefix.prefix();
        let lengths = match (self.ge, self.le) {
            (None, None) => own..=own,
            (ge, le) => ge.unwrap_or(own)..=le.unwrap_or(32),
        };
        PrefixRange { prefix: self.prefix, lengths }
    }

    /// Does it match everything?
    fn is_any(&self) -> bool {
        (self.prefix, self.ge, self.le) == (prefix::default_route(), None, Some(32))
    }
}

/// As in FRR's lines, behind the action.
impl fmt::Display for PrefixListEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str("any");
        }
        write!(f, "{}", self.prefix)?;
        self.ge.map_or(Ok(()), |ge| write!(f, " ge {ge}"))?;
        self.le.map_or(Ok(()), |le| write!(f, " le {le}"))
    }
}

impl PrefixList {
    /// Is this prefix permitted? The first entry that matches decides; without one it is not.
    pub fn permits(&self, prefix: Ipv4Network) -> bool {
        let decides = self.entries.iter().find(|e| e.range().contains(prefix));
        decides.is_some_and(|e| e.action == Action::Permit)
    }
}

/// `access-list NAME`, of FRR's kind with prefixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessList {
    /// Its name.
    pub name: String,
    /// By sequence.
    pub entries: Vec<AccessListEntry>,
}

/// One entry of an access list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessListEntry {
    /// Its place, from 1.
    pub sequence: u32,
    /// What becomes of a prefix it matches.
    pub action: Action,
    /// It matches this prefix and all inside it; 0.0.0.0/0 is `any`.
    pub prefix: Ipv4Network,
    /// It matches this prefix alone.
    pub exact: bool,
}

impl AccessListEntry {
    /// Does it match everything?
    fn is_any(&self) -> bool {
        self.prefix == prefix::default_route() && !self.exact
    }

    /// What it matches.
    pub fn range(&self) -> PrefixRange {
        let own = self.prefix.prefix();
        PrefixRange { prefix: self.prefix, lengths: own..=if self.exact { own } else { 32 } }
    }
}

/// As in FRR's lines, behind the action.
impl fmt::Display for AccessListEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str("any");
        }
        write!(f, "{}{}", self.prefix, if self.exact { " exact-match" } else { "" })
    }
}

impl AccessList {
    /// Is this prefix permitted? The first entry that matches decides; without one it is not.
    pub fn permits(&self, prefix: Ipv4Network) -> bool {
        let decides = self.entries.iter().find(|e| e.range().contains(prefix));
        decides.is_some_and(|e| e.action == Action::Permit)
    }
}
