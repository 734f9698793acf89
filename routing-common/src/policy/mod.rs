//! Which routes are told on, and changed in what way: prefix lists, access lists and route maps.
//!
//! Pure values and pure judgements, with the semantics of FRR's commands of the same names: entries are asked in the
//! order of their sequence numbers, the first that matches decides, and what none matches is denied. Lists that an
//! entry refers to are part of it, so a name without a list cannot exist here; [`crate::config`] refuses it before.
//!
//! Invariants: entries ascend by sequence, no sequence stands twice, no list or map is without an entry, and prefixes
//! have no bits behind their length.
//!
//! Deviations from FRR, where it does in silence what nobody can have meant: a list without entries, which permits
//! everything there, and a name without a list are refused by the loader. `set metric +N` and `-N` count from the metric
//! the route would have without the map and stay within what can be reached; FRR's ospfd does not start from there.

mod list;
mod route_map;

#[cfg(test)]
mod tests;

pub use list::{AccessList, AccessListEntry, PrefixList, PrefixListEntry, PrefixRange};
pub use route_map::{Attributes, Match, RouteMap, RouteMapEntry, Set, SetMetric, Subject};

use core::fmt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Does an entry let pass what it matches?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It does.
    Permit,
    /// It does not.
    Deny,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Permit => "permit",
            Self::Deny => "deny",
        })
    }
}

/// All lists and maps of a configuration, by name, used or not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// `ip prefix-list`.
    pub prefix_lists: BTreeMap<String, PrefixList>,
    /// `access-list`.
    pub access_lists: BTreeMap<String, AccessList>,
    /// `route-map`.
    pub route_maps: BTreeMap<String, RouteMap>,
}
