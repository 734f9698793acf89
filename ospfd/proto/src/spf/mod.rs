//! The shortest path first calculation (RFC 2328 §16.1) and when to run it (RFC 8405).
//!
//! Reading order: this file (what goes in, [`Calculation`], [`Change`]), [`topology`] (LSAs → dense
//! graph), [`dijkstra`] (graph → [`ShortestPathTree`]), [`next_hop`] (§16.1.1 and interned sets), then
//! [`crate::route`] (tree and LSAs → routing table), [`backoff`] (when).
//!
//! All of it is a pure function of [`SpfInput`]: the same databases and interfaces give the same table,
//! whatever happened before. Nobody but [`Calculation`] keeps anything, and what it keeps (graphs, trees, and who has
//! which stub network) only saves time: a partial run equals a full one, which property tests and the simulator hold. With 10,000
//! routers a [`Change::Topology`] run is little but reading LSAs and making a table that hardly differs; so of graph and table
//! only that is made anew which can have changed ([`scope`], [`topology::Graph::renew`], [`crate::route::partial`]). The tree always is.
//!
//! Deviations from RFC 2328, all of which make a router act on what it knows itself before its own
//! router-LSA (delayed by MinLSInterval) says so:
//! * A link of our own router-LSA is used only while an interface with that neighbor stands in
//!   [`SpfArea::interfaces`], and a directly attached network leads only to routers we hear on it. A
//!   neighbor that just died is left at once.
//! * Our own links count with [`SpfInterface::cost`], not with the metric in our LSA. They differ while we
//!   announce MaxLinkMetric (RFC 6987), when our own choice between two exits should not change.
//!
//! Virtual links (§15, §16.3) are followed between other routers; we never are an end of one. Area ranges
//! (§16.2 (3)) and NSSAs are not implemented.

pub mod backoff;
pub mod dijkstra;
pub mod next_hop;
pub mod scope;
pub mod topology;

use crate::lsa::{LsType, Lsa, LsaBody, LsaKey, RouterLink, RouterLinkKind, RouterLsa};
use crate::route::partial::{self, Kept};
use crate::route::{self, RoutingTable};
pub use dijkstra::ShortestPathTree;
use ipnetwork::Ipv4Network;
use rib::message::RouteChange;
use routing_common::id::{AreaId, IfIndex, RouterId};
pub use scope::Scope;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use topology::Graph;

/// Where the calculation finds LSAs: an area's database, or the AS-external one.
///
/// The implementor leaves out LSAs whose age is MaxAge (RFC 2328 §16).
pub trait LsaSource {
    /// The LSA with this key.
    fn get(&self, key: &LsaKey) -> Option<&Lsa>;

    /// All LSAs of one type, in ascending order of [`LsaKey`] (ties in the calculation are decided by it).
    fn for_each<'a>(&'a self, ls_type: LsType, visit: &mut dyn FnMut(&'a Lsa));

    /// Those of one type whose Link State ID is an address of a network, in the same order.
    fn for_each_in<'a>(&'a self, ls_type: LsType, network: Ipv4Network, visit: &mut dyn FnMut(&'a Lsa));

    /// Is there any of this type?
    fn has(&self, ls_type: LsType) -> bool;
}

/// The keys of LSAs of one type whose Link State ID is an address of a network.
pub(crate) fn keys_in(ls_type: LsType, network: Ipv4Network) -> core::ops::RangeInclusive<LsaKey> {
    let key = |link_state_id, router| LsaKey {
        ls_type,
        link_state_id,
        advertising_router: RouterId(Ipv4Addr::from_bits(router)),
    };
    key(network.network(), 0)..=key(network.broadcast(), u32::MAX)
}

/// A sorted map of LSAs is a source; the caller keeps MaxAge LSAs out of it.
impl LsaSource for BTreeMap<LsaKey, Lsa> {
    fn get(&self, key: &LsaKey) -> Option<&Lsa> {
        BTreeMap::get(self, key)
    }

    fn for_each<'a>(&'a self, ls_type: LsType, visit: &mut dyn FnMut(&'a Lsa)) {
        let first =
            LsaKey { ls_type, link_state_id: Ipv4Addr::UNSPECIFIED, advertising_router: RouterId::NONE };
        self.range(first..).take_while(|(key, _)| key.ls_type == ls_type).for_each(|(_, lsa)| visit(lsa));
    }

    fn for_each_in<'a>(&'a self, ls_type: LsType, network: Ipv4Network, visit: &mut dyn FnMut(&'a Lsa)) {
        self.range(keys_in(ls_type, network)).for_each(|(_, lsa)| visit(lsa));
    }

    fn has(&self, ls_type: LsType) -> bool {
        self.range(keys_in(ls_type, routing_common::prefix::default_route())).next().is_some()
    }
}

/// How an interface takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpfInterfaceKind {
    /// Point-to-point: at most one neighbor.
    PointToPoint,
    /// Broadcast, with or without other routers.
    Broadcast,
    /// Loopback, or any other interface that can have no neighbor.
    Stub,
}

/// An OSPF interface that is up, as far as the calculation needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpfInterface {
    /// Where packets leave.
    pub ifindex: IfIndex,
    /// Its address, which is also the Link Data of its links in our router-LSA; `None` if unnumbered, when
    /// the Link Data is `ifindex`. Several interfaces may share one address.
    pub address: Option<Ipv4Addr>,
    /// Its network (host bits do not matter); `address`/32 or, without an address, 0.0.0.0/32 if it has none.
    pub network: Ipv4Network,
    /// How it takes part.
    pub kind: SpfInterfaceKind,
    /// Its configured output cost, which MaxLinkMetric (RFC 6987) does not touch.
    pub cost: u16,
    /// On a broadcast network all neighbors in state 2-Way or greater: one we are not adjacent with is a
    /// next hop too (RFC 2328 §16.1.1), so "Full only" would lose routes. On a point-to-point link the
    /// neighbor when it is Full; with 2-Way a restarted neighbor would get traffic before it has routes, as
    /// long as our router-LSA of before its restart waits for MinLSInterval.
    pub neighbors: Vec<SpfNeighbor>,
}

/// A neighbor on an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpfNeighbor {
    /// Who it is.
    pub router_id: RouterId,
    /// Source address of its packets: the gateway on point-to-point links. It need not lie in our subnet.
    pub address: Ipv4Addr,
}

/// One attached area.
#[derive(Clone, Copy)]
pub struct SpfArea<'a> {
    /// Which.
    pub area: AreaId,
    /// Its LSAs, types 1 to 4.
    pub lsas: &'a dyn LsaSource,
    /// Our interfaces in it that are up.
    pub interfaces: &'a [SpfInterface],
}

/// Everything a run depends on.
#[derive(Clone, Copy)]
pub struct SpfInput<'a> {
    /// The calculating router.
    pub router_id: RouterId,
    /// Attached areas, in ascending order.
    pub areas: &'a [SpfArea<'a>],
    /// AS-external-LSAs (type 5).
    pub externals: &'a dyn LsaSource,
    /// Largest number of next hops of a route; 0 counts as 1.
    pub maximum_paths: u8,
    /// RFC1583Compatibility (RFC 2328 App. C.1).
    pub rfc1583_compatibility: bool,
}

/// How much of the calculation a change touches. Greater includes smaller, so the pending change is the
/// `max` of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Only AS-external-LSAs: §16.4 is repeated (a whole-table form of §16.6).
    External,
    /// Summary-LSAs: §16.2 and what follows are repeated (§16.5 case 1).
    Summary,
    /// Stub networks or the E and B bits of routers: the trees stand, the second stage of §16.1 and what
    /// follows are repeated.
    IntraPrefix,
    /// Links between routers and networks, interfaces, neighbors, costs: everything.
    Topology,
}

impl Change {
    /// What replacing `old` by `new` touches; `None` if nothing, as with a refresh. An absent LSA is one
    /// that is not in the database or has reached MaxAge.
    pub fn between(old: Option<&Lsa>, new: Option<&Lsa>) -> Option<Self> {
        if let (Some(old), Some(new)) = (old, new) {
            if old.header().options == new.header().options && old.body() == new.body() {
                return None;
            }
            if let (LsaBody::Router(a), LsaBody::Router(b)) = (old.body(), new.body()) {
                return Some(if same_transit_links(a, b) { Self::IntraPrefix } else { Self::Topology });
            }
        }
        match new.or(old)?.body() {
            LsaBody::Router(_) | LsaBody::Network(_) => Some(Self::Topology),
            LsaBody::SummaryNetwork(_) | LsaBody::SummaryAsbr(_) => Some(Self::Summary),
            LsaBody::AsExternal(_) => Some(Self::External),
            LsaBody::Nssa(_) | LsaBody::Opaque(_) => None,
        }
    }
}

fn same_transit_links(a: &RouterLsa, b: &RouterLsa) -> bool {
    let transit = |link: &&RouterLink| !matches!(link.kind, RouterLinkKind::Stub { .. });
    a.links.iter().filter(transit).eq(b.links.iter().filter(transit))
}

/// The calculation and what it keeps between runs.
#[derive(Debug, Clone, Default)]
pub struct Calculation {
    trees: BTreeMap<AreaId, ShortestPathTree>,
    graphs: BTreeMap<AreaId, Graph>,
    kept: Kept,
}

impl Calculation {
    /// Calculates the routing table: intra-area, inter-area and external routes in one run.
    ///
    /// `change` is the greatest [`Change`] since the run that gave `previous`; anything but the LSAs it
    /// names must be as it was then. The first run, and one after any change of [`SpfInput`] outside the
    /// databases, must be [`Change::Topology`].
    pub fn run(&mut self, change: Change, input: &SpfInput<'_>, previous: &RoutingTable) -> RoutingTable {
        if change == Change::Topology {
            self.grow_trees(input, &Scope::everything());
        }
        route::calculate(change, input, &self.trees, previous, &mut self.kept)
    }

    /// Brings `table`, which is what the run before gave, up to date and tells what the RIB has to hear.
    ///
    /// `change` is as in [`Calculation::run`]; `scope` holds all LSAs that changed since the run before, and is
    /// [`Scope::everything`] if anything of [`SpfInput`] outside the databases did. Only the entries of `table` that can have
    /// changed are calculated, if they are few.
    pub fn update(
        &mut self,
        change: Change,
        scope: &Scope,
        input: &SpfInput<'_>,
        table: &mut RoutingTable,
        distance: u8,
    ) -> Vec<RouteChange> {
        let old_trees = (change == Change::Topology).then(|| self.grow_trees(input, scope));
        let area = input.areas.first().map(|area| area.area).unwrap_or(AreaId::BACKBONE);
        let old_tree = old_trees.as_ref().map(|trees| trees.get(&area));
        if let (Some(tree), None | Some(Some(_))) = (self.trees.get(&area), old_tree) {
            let start = partial::Start { input, scope, tree, old_tree: old_tree.flatten() };
            if let Some(before) = partial::calculate(&start, &mut self.kept, table) {
                return route::diff_of(&before, table, distance);
            }
        }
        let new = route::calculate(change, input, &self.trees, table, &mut self.kept);
        let changes = route::diff(table, &new, distance);
        *table = new;
        changes
    }

    /// Makes new trees and gives the old ones.
    fn grow_trees(&mut self, input: &SpfInput<'_>, scope: &Scope) -> BTreeMap<AreaId, ShortestPathTree> {
        // With several areas the scope does not say which one it means.
        let may_renew = !scope.is_everything() && !scope.touches_vertices() && input.areas.len() == 1;
        let mut old = std::mem::take(&mut self.graphs);
        let mut new = BTreeMap::new();
        for area in input.areas {
            let kept = old.remove(&area.area).filter(|_| may_renew);
            let renewed =
                kept.and_then(|mut graph| graph.renew(area.lsas, scope.links().iter()).then_some(graph));
            let graph = renewed.unwrap_or_else(|| Graph::around(area.lsas, input.router_id));
            new.insert(area.area, dijkstra::run_on(&graph, area, input.router_id));
            self.graphs.insert(area.area, graph);
        }
        std::mem::replace(&mut self.trees, new)
    }

    /// The graph of the latest run for `area`.
    pub fn graph(&self, area: AreaId) -> Option<&Graph> {
        self.graphs.get(&area)
    }

    /// The tree of the latest run for `area`.
    pub fn tree(&self, area: AreaId) -> Option<&ShortestPathTree> {
        self.trees.get(&area)
    }
}
