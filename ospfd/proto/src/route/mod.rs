//! The routing table (RFC 2328 §11) and how it is calculated from shortest-path trees and LSAs.
//!
//! [`calculate`] follows §16 step by step: [`intra_area`] (second stage of §16.1), [`inter_area`] (§16.2),
//! [`as_external`] (§16.4, §16.4.1). [`diff`] says what the RIB has to hear.
//!
//! Invariants of a [`RoutingTable`]: prefixes have no host bits; every route has between 1 and
//! `maximum_paths` next hops, sorted, each (interface, gateway) once; intra-area entries never depend on
//! other kinds, inter-area ones only on intra-area ones. The last makes partial runs simple: they keep the
//! entries that cannot have changed and calculate the rest. [`partial`] goes further and calculates single entries.

mod as_external;
mod diff;
mod inter_area;
mod intra_area;
pub(crate) mod partial;

use crate::lsa::LsaKey;
use crate::spf::next_hop::Hop;
use crate::spf::{Change, ShortestPathTree, SpfInput};
pub use diff::diff;
pub(crate) use diff::diff_of;
use ipnetwork::Ipv4Network;
use routing_common::id::{AreaId, IfIndex, RouterId};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Path-type (RFC 2328 §11), best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathType {
    /// Inside an attached area.
    IntraArea,
    /// Through an area border router.
    InterArea,
    /// AS external, metric comparable with ours.
    External1,
    /// AS external, metric larger than anything inside.
    External2,
}

/// One of the equal-cost paths of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteNextHop {
    /// Where packets leave.
    pub ifindex: IfIndex,
    /// The next router; `None` when the destination is on the link.
    pub gateway: Option<Ipv4Addr>,
    /// The router whose LSA led to this path; the smallest if several did.
    pub advertising_router: RouterId,
}

impl RouteNextHop {
    /// Interface and next router: what packets see of it.
    pub fn hop(&self) -> Hop {
        Hop { ifindex: self.ifindex, gateway: self.gateway }
    }
}

/// Next hops in ascending order. Most routes have one; in a large table room for another is most of what it takes.
pub type NextHops = SmallVec<[RouteNextHop; 1]>;

/// An entry for a network (RFC 2328 §11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRoute {
    /// Path-type.
    pub path_type: PathType,
    /// Associated area; `None` for external paths.
    pub area: Option<AreaId>,
    /// Cost inside the AS, plus the external metric for type 1.
    pub cost: u32,
    /// Type 2 cost; only for [`PathType::External2`].
    pub type2_cost: Option<u32>,
    /// External Route Tag; 0 for internal routes.
    pub tag: u32,
    /// The LSA that describes the destination; for equal-cost ones see §16.1 (Link State Origin), else the
    /// smallest key.
    pub origin: LsaKey,
    /// The paths.
    pub next_hops: NextHops,
}

impl NetworkRoute {
    /// The metric that is shown: the type 2 cost if there is one, else the cost.
    pub fn metric(&self) -> u32 {
        self.type2_cost.unwrap_or(self.cost)
    }
}

/// An entry for an area border or AS boundary router (RFC 2328 §11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouterRoute {
    /// [`PathType::IntraArea`] or [`PathType::InterArea`].
    pub path_type: PathType,
    /// Distance.
    pub cost: u32,
    /// Options octet of its router-LSA (Optional Capabilities); 0 for inter-area entries.
    pub options: u8,
    /// Bit B.
    pub area_border: bool,
    /// Bit E.
    pub as_boundary: bool,
    /// The paths.
    pub next_hops: NextHops,
}

/// The routing table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoutingTable {
    /// By destination.
    pub networks: BTreeMap<Ipv4Network, NetworkRoute>,
    /// By router and associated area.
    pub routers: BTreeMap<(RouterId, AreaId), RouterRoute>,
}

impl RoutingTable {
    /// The best match for `address` (RFC 2328 §11.1).
    pub fn lookup(&self, address: Ipv4Addr) -> Option<(Ipv4Network, &NetworkRoute)> {
        (0..=32u8).rev().find_map(|length| {
            let prefix = routing_common::prefix::of(address, length);
            self.networks.get(&prefix).map(|route| (prefix, route))
        })
    }

    /// The entries of one router, by area.
    pub fn router(&self, id: RouterId) -> impl Iterator<Item = (AreaId, &RouterRoute)> {
        let last = AreaId(Ipv4Addr::BROADCAST);
        self.routers.range((id, AreaId::BACKBONE)..=(id, last)).map(|((_, area), route)| (*area, route))
    }
}

/// Calculates the table; `trees` are those of the areas in `input`. What `change` does not touch is taken
/// from `previous`.
///
/// Next hops are limited after every step, not at the end, so that entries kept from `previous` are what the
/// step would give again.
pub(crate) fn calculate(
    change: Change,
    input: &SpfInput<'_>,
    trees: &BTreeMap<AreaId, ShortestPathTree>,
    previous: &RoutingTable,
    kept: &mut partial::Kept,
) -> RoutingTable {
    let limit = next_hop_limit(input);
    let mut table = previous.unaffected_by(change);
    if change >= Change::IntraPrefix {
        intra_area::calculate(input, trees, limit, &mut table, kept);
    }
    if change >= Change::Summary {
        inter_area::calculate(input, &mut table);
        table.limit_next_hops(limit);
    }
    as_external::calculate(input, limit, &mut table, kept);
    table
}

/// Largest number of next hops of a route.
fn next_hop_limit(input: &SpfInput<'_>) -> usize {
    usize::from(input.maximum_paths.max(1))
}

impl RoutingTable {
    /// The entries no change of this kind can touch.
    fn unaffected_by(&self, change: Change) -> Self {
        let last_kept = match change {
            Change::External => PathType::InterArea,
            Change::Summary => PathType::IntraArea,
            Change::IntraPrefix | Change::Topology => return Self::default(),
        };
        let networks = self.networks.iter().filter(|(_, route)| route.path_type <= last_kept);
        let routers = self.routers.iter().filter(|(_, route)| route.path_type <= last_kept);
        Self {
            networks: networks.map(|(prefix, route)| (*prefix, route.clone())).collect(),
            routers: routers.map(|(key, route)| (*key, route.clone())).collect(),
        }
    }

    fn limit_next_hops(&mut self, limit: usize) {
        self.networks.values_mut().for_each(|route| route.next_hops.truncate(limit));
        self.routers.values_mut().for_each(|route| route.next_hops.truncate(limit));
    }
}

/// Hops of the tree as paths advertised by one router.
fn from_hops(hops: &[Hop], advertising_router: RouterId) -> impl Iterator<Item = RouteNextHop> {
    hops.iter().map(move |hop| RouteNextHop {
        ifindex: hop.ifindex,
        gateway: hop.gateway,
        advertising_router,
    })
}

/// Adds equal-cost paths: ascending, one for each interface and gateway, that of the smallest router.
fn add_hops(known: &mut NextHops, new: NextHops) {
    known.extend(new);
    known.sort_unstable();
    known.dedup_by_key(|known| known.hop());
}
