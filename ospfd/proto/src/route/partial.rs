//! Calculating some entries of the table and leaving the others as they are.
//!
//! Two things tell which: the [`Scope`] of the changed LSAs, and the tree, compared with the one before. An entry depends on the
//! LSAs that name its destination and on the vertices of their routers; if neither changed, it is what a calculation of everything
//! would give. That law is held by a property test and, after every turn, by the simulator.
//!
//! [`Kept`] finds the routers of a stub network without a look at every LSA. What is not covered is calculated whole: more than one
//! area, summary-LSAs, a change of reach of an AS boundary router while there are external routes, an internal change
//! while an AS-external-LSA has a forwarding address, which may lie in any prefix; and changes so large that it would cost as much.

use super::{NetworkRoute, RouterRoute, RoutingTable, as_external, intra_area, next_hop_limit};
use crate::lsa::{LsType, Lsa, LsaBody, LsaKey};
use crate::spf::scope::{Scope, stubs};
use crate::spf::topology::{VertexId, router_lsa};
use crate::spf::{ShortestPathTree, SpfArea, SpfInput};
use ipnetwork::Ipv4Network;
use routing_common::id::RouterId;
use std::collections::BTreeSet;

/// One entry costs several times what it costs among all. So many vertices may have moved as are this part of all entries; their
/// networks are a few times as many.
const SHARE: usize = 32;
/// In a small area it does not matter which way is taken.
const SMALL: usize = 8;
/// So many destinations are named where that many vertices change: a router-LSA names its router and some networks.
const NAMED: usize = 4;
/// Single changes of a sorted list up to this number are made in place.
const FEW: usize = 32;

/// What one calculation leaves for the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    /// Ascending; all routers that are reached with all their stub networks, and perhaps others.
    stubs: Vec<(Ipv4Network, RouterId)>,
    /// Has an AS-external-LSA that was looked at a forwarding address?
    pub(super) forwards: bool,
    /// There was a calculation, of one area.
    is_usable: bool,
}

/// An entry as it was.
pub(crate) type Before = (Ipv4Network, Option<NetworkRoute>);

/// What a partial calculation starts from.
pub(crate) struct Start<'a> {
    pub(crate) input: &'a SpfInput<'a>,
    pub(crate) scope: &'a Scope,
    pub(crate) tree: &'a ShortestPathTree,
    /// The tree before, if there is a new one.
    pub(crate) old_tree: Option<&'a ShortestPathTree>,
}

/// What has to be calculated.
struct Work {
    stubs: BTreeSet<(Ipv4Network, RouterId)>,
    prefixes: BTreeSet<Ipv4Network>,
    routers: BTreeSet<RouterId>,
}

impl Kept {
    /// After a calculation of everything; the pairs may be in any order.
    pub(super) fn renew(&mut self, mut stubs: Vec<(Ipv4Network, RouterId)>, areas: usize) {
        stubs.sort();
        self.stubs = stubs;
        self.stubs.dedup();
        self.is_usable = areas == 1;
    }

    /// The routers that have a stub network.
    fn routers_with(&self, prefix: Ipv4Network) -> impl Iterator<Item = RouterId> {
        let first = self.stubs.partition_point(|(p, _)| *p < prefix);
        self.stubs.iter().skip(first).take_while(move |(p, _)| *p == prefix).map(|(_, router)| *router)
    }

    /// Makes the list right for these pairs.
    fn correct(&mut self, area: &SpfArea<'_>, pairs: &BTreeSet<(Ipv4Network, RouterId)>) {
        let has = |(prefix, router): &(Ipv4Network, RouterId)| {
            router_lsa(area.lsas, *router).is_some_and(|lsa| stubs(lsa).any(|(p, _)| p == *prefix))
        };
        if pairs.len() <= FEW {
            for pair in pairs {
                match (self.stubs.binary_search(pair), has(pair)) {
                    (Ok(at), false) => drop(self.stubs.remove(at)),
                    (Err(at), true) => self.stubs.insert(at, *pair),
                    _ => {}
                }
            }
            return;
        }
        self.stubs.retain(|pair| !pairs.contains(pair));
        self.stubs.extend(pairs.iter().filter(|pair| has(pair)));
        // Two ascending runs, which a merging sort finds.
        self.stubs.sort();
    }
}

/// So many vertices of a change are calculated one by one.
fn useful_vertices(table: &RoutingTable) -> usize {
    (table.networks.len() / SHARE).max(SMALL)
}

/// A [`Scope`] that names more destinations is of no use for the next calculation of this table.
pub(crate) fn useful_scope(table: &RoutingTable) -> usize {
    NAMED * useful_vertices(table)
}

/// Brings `table` up to date and gives the entries that changed as they were, in ascending order; `None` if everything must be
/// calculated, with the table as it was.
pub(crate) fn calculate(start: &Start<'_>, kept: &mut Kept, table: &mut RoutingTable) -> Option<Vec<Before>> {
    let Start { input, scope, tree, .. } = start;
    let [area] = input.areas else { return None };
    let has_summaries = area.lsas.has(LsType::SummaryNetwork) || area.lsas.has(LsType::SummaryAsbr);
    if scope.is_everything() || !kept.is_usable || has_summaries {
        return None;
    }
    let work = work(start, area, useful_vertices(table))?;
    let is_internal = !work.stubs.is_empty() || start.old_tree.is_some();
    kept.forwards |= scope.forwards();
    if is_internal && kept.forwards {
        return None;
    }
    let limit = next_hop_limit(input);
    let routers = changed_routers(start, area, &work.routers, limit, table);
    if !routers.is_empty() && input.externals.has(LsType::AsExternal) {
        return None;
    }
    for (id, route) in routers {
        match route {
            Some(route) => drop(table.routers.insert((id, area.area), route)),
            None => drop(table.routers.remove(&(id, area.area))),
        }
    }
    kept.correct(area, &work.stubs);
    let mut prefixes = work.prefixes;
    prefixes.extend(work.stubs.iter().map(|(prefix, _)| *prefix));
    let mut before = Vec::new();
    for prefix in prefixes {
        let routers = kept.routers_with(prefix);
        let route = intra_area::route_to(input, area, tree, limit, prefix, routers)
            .or_else(|| as_external::route_to(input, table, limit, prefix));
        if table.networks.get(&prefix) == route.as_ref() {
            continue;
        }
        let old = match route {
            Some(route) => table.networks.insert(prefix, route),
            None => table.networks.remove(&prefix),
        };
        before.push((prefix, old));
    }
    Some(before)
}

/// The scope, and what the vertices that moved stand for; `None` if that is more than `limit` vertices.
fn work(start: &Start<'_>, area: &SpfArea<'_>, limit: usize) -> Option<Work> {
    let Start { scope, tree, old_tree, .. } = start;
    let mut work = Work {
        stubs: scope.stubs().clone(),
        prefixes: scope.prefixes().clone(),
        routers: scope.routers().clone(),
    };
    let moved = old_tree.map(|old| tree.moved_since(old, limit));
    for vertex in moved.unwrap_or_else(|| Some(Vec::new()))? {
        match vertex {
            VertexId::Router(id) => {
                work.routers.insert(id);
                let lsa = router_lsa(area.lsas, id);
                work.stubs.extend(lsa.into_iter().flat_map(stubs).map(|(prefix, _)| (prefix, id)));
            }
            VertexId::Network { .. } => {
                let key = intra_area::origin(vertex);
                if let Some(LsaBody::Network(body)) = area.lsas.get(&key).map(Lsa::body) {
                    work.prefixes.extend(key.prefix(body.mask));
                }
            }
        }
    }
    Some(work)
}

/// Entries of routers that are not what they were.
fn changed_routers(
    start: &Start<'_>,
    area: &SpfArea<'_>,
    routers: &BTreeSet<RouterId>,
    limit: usize,
    table: &RoutingTable,
) -> Vec<(RouterId, Option<RouterRoute>)> {
    let mut changed = Vec::new();
    for id in routers.iter().copied().filter(|id| *id != start.input.router_id) {
        let reached = start.tree.router(id);
        let lsa = area.lsas.get(&LsaKey::router(id));
        let route =
            reached.zip(lsa).and_then(|(reached, lsa)| intra_area::router_route(lsa, &reached, limit));
        if table.routers.get(&(id, area.area)) != route.as_ref() {
            changed.push((id, route));
        }
    }
    changed
}
