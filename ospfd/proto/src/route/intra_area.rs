//! Intra-area routes: what the tree's vertices stand for (RFC 2328 §16.1 (4)) and the stub networks of its
//! routers (§16.1, second stage).
//!
//! Works from the tree and the present LSAs, so it can be repeated alone when only stub links or the
//! E and B bits changed. A prefix known in several areas belongs to the one with the smaller cost, then to
//! the smaller Area ID.
//!
//! In a large area this is where the time of a calculation goes. So all paths are put into one list, 16 octets
//! each, which is sorted by prefix and cost, and the table is built in one go from the best of each prefix.

use super::partial::Kept;
use super::{NetworkRoute, NextHops, PathType, RouterRoute, RoutingTable, from_hops};
use crate::lsa::{LsType, Lsa, LsaBody, LsaKey};
use crate::spf::dijkstra::Reached;
use crate::spf::next_hop::to_own_stub;
use crate::spf::scope::stubs;
use crate::spf::topology::{VertexId, router_lsa};
use crate::spf::{ShortestPathTree, SpfArea, SpfInput};
use ipnetwork::Ipv4Network;
use routing_common::id::{AreaId, RouterId};
use std::collections::BTreeMap;

/// Fills an empty table with the intra-area entries of all areas, each with up to `limit` next hops.
pub(super) fn calculate(
    input: &SpfInput<'_>,
    trees: &BTreeMap<AreaId, ShortestPathTree>,
    limit: usize,
    table: &mut RoutingTable,
    kept: &mut Kept,
) {
    let mut owners = Vec::new();
    for area in input.areas {
        let Some(tree) = trees.get(&area.area) else { continue };
        let mut routes = AreaRoutes { area, tree, root: input.router_id, limit, paths: Vec::new() };
        routes.add_transit_networks();
        routes.add_routers(table);
        let best = routes.best();
        owners.extend(routes.owners());
        merge(best, &mut table.networks);
    }
    kept.renew(owners, input.areas.len());
}

/// The route to one network, of which `routers` are those that have it as a stub.
pub(super) fn route_to(
    input: &SpfInput<'_>,
    area: &SpfArea<'_>,
    tree: &ShortestPathTree,
    limit: usize,
    prefix: Ipv4Network,
    routers: impl Iterator<Item = RouterId>,
) -> Option<NetworkRoute> {
    let mut routes = AreaRoutes { area, tree, root: input.router_id, limit, paths: Vec::new() };
    area.lsas.for_each_in(LsType::Network, prefix, &mut |lsa| {
        routes.paths.extend(tree.get_by_id(vertex(lsa.key())).and_then(|reached| {
            let LsaBody::Network(body) = lsa.body() else { return None };
            let is_meant = lsa.key().prefix(body.mask) == Some(prefix);
            is_meant.then_some(Path { prefix, cost: reached.distance, vertex: reached.number })
        }));
    });
    for id in routers {
        let (Some(reached), Some(lsa)) = (tree.router(id), router_lsa(area.lsas, id)) else { continue };
        let same = stubs(lsa).filter(|(p, _)| *p == prefix);
        routes.paths.extend(same.map(|(prefix, cost)| Path::to_stub(prefix, &reached, cost)));
    }
    let mut paths = core::mem::take(&mut routes.paths);
    paths.sort_unstable_by_key(Path::number);
    routes.route(&paths)
}

/// The entry of a border router (§16.1 (4)); `None` for all others.
pub(super) fn router_route(lsa: &Lsa, reached: &Reached<'_>, limit: usize) -> Option<RouterRoute> {
    let LsaBody::Router(body) = lsa.body() else { return None };
    if !(body.area_border || body.as_boundary) {
        return None;
    }
    let mut next_hops: NextHops = from_hops(reached.hops, lsa.key().advertising_router).collect();
    next_hops.truncate(limit);
    Some(RouterRoute {
        path_type: PathType::IntraArea,
        cost: reached.distance,
        options: lsa.header().options,
        area_border: body.area_border,
        as_boundary: body.as_boundary,
        next_hops,
    })
}

fn merge(from: BTreeMap<Ipv4Network, NetworkRoute>, into: &mut BTreeMap<Ipv4Network, NetworkRoute>) {
    if into.is_empty() {
        *into = from;
        return;
    }
    for (prefix, route) in from {
        if into.get(&prefix).is_none_or(|other| route.cost < other.cost) {
            into.insert(prefix, route);
        }
    }
}

/// A path to a network. The order is: paths to the same network side by side, the cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Path {
    prefix: Ipv4Network,
    cost: u32,
    /// Number of the vertex that is the network or has it as a stub. Those of networks are the smaller ones.
    vertex: u32,
}

impl Path {
    /// §16.1, second stage (1).
    fn to_stub(prefix: Ipv4Network, reached: &Reached<'_>, cost: u32) -> Self {
        Self { prefix, cost: reached.distance.saturating_add(cost), vertex: reached.number }
    }

    /// The fields one behind the other: paths are compared as one number.
    fn number(&self) -> u128 {
        u128::from(self.prefix.ip().to_bits()) << 72
            | u128::from(self.prefix.prefix()) << 64
            | u128::from(self.cost) << 32
            | u128::from(self.vertex)
    }
}

struct AreaRoutes<'a> {
    area: &'a SpfArea<'a>,
    tree: &'a ShortestPathTree,
    root: RouterId,
    limit: usize,
    paths: Vec<Path>,
}

impl AreaRoutes<'_> {
    /// §16.1 (4): networks on the tree.
    fn add_transit_networks(&mut self) {
        for reached in self.tree.reached() {
            let VertexId::Network { .. } = reached.vertex else { break };
            let key = origin(reached.vertex);
            let Some(LsaBody::Network(lsa)) = self.area.lsas.get(&key).map(Lsa::body) else { continue };
            let Some(prefix) = key.prefix(lsa.mask) else { continue };
            self.paths.push(Path { prefix, cost: reached.distance, vertex: reached.number });
        }
    }

    /// Routers on the tree: entries for border routers (§16.1 (4)), stub networks of all (§16.1, second stage).
    fn add_routers(&mut self, table: &mut RoutingTable) {
        let (tree, paths) = (self.tree, &mut self.paths);
        // Both ascend with the Router ID.
        let mut routers = tree.reached_routers().peekable();
        self.area.lsas.for_each(LsType::Router, &mut |lsa| {
            let (key, LsaBody::Router(body)) = (lsa.key(), lsa.body()) else { return };
            let id = key.advertising_router;
            if key.link_state_id != id.0 {
                return; // No vertex (§12.4.1).
            }
            while routers.next_if(|(router, _)| *router < id).is_some() {}
            let Some((_, reached)) = routers.next_if(|(router, _)| *router == id) else { return };
            if id != self.root
                && let Some(route) = router_route(lsa, &reached, self.limit)
            {
                table.routers.insert((id, self.area.area), route);
            }
            paths.extend(stubs(body).map(|(prefix, cost)| Path::to_stub(prefix, &reached, cost)));
        });
    }

    /// The routes of the cheapest paths (§16.1 (4), and second stage (1) and (2)).
    fn best(&mut self) -> BTreeMap<Ipv4Network, NetworkRoute> {
        self.paths.sort_unstable_by_key(Path::number);
        let to_one_network = self.paths.chunk_by(|a, b| a.prefix == b.prefix);
        to_one_network.filter_map(|paths| Some((paths.first()?.prefix, self.route(paths)?))).collect()
    }

    /// Whose stub networks the paths lead to.
    fn owners(&self) -> impl Iterator<Item = (Ipv4Network, RouterId)> {
        self.paths.iter().filter_map(|path| match self.tree.get(path.vertex)?.vertex {
            VertexId::Router(id) => Some((path.prefix, id)),
            VertexId::Network { .. } => None,
        })
    }

    /// The route to one network, if one of these paths can be used.
    fn route(&self, paths: &[Path]) -> Option<NetworkRoute> {
        let mut best: Option<NetworkRoute> = None;
        for (at, path) in paths.iter().enumerate() {
            if best.as_ref().is_some_and(|best| path.cost > best.cost) {
                break;
            }
            let Some(reached) = self.tree.get(path.vertex) else { continue };
            // Of several vertices with one prefix and cost, the one with the larger Link State ID counts.
            let is_network = |p: &Path| p.cost == path.cost && self.tree.is_network(p.vertex);
            if self.tree.is_network(path.vertex) && paths.get(at + 1).is_some_and(is_network) {
                continue;
            }
            let origin = origin(reached.vertex);
            let router = origin.advertising_router;
            let next_hops: NextHops = if reached.vertex == VertexId::Router(self.root) {
                from_hops(&to_own_stub(self.area.interfaces, path.prefix), router).collect()
            } else {
                from_hops(reached.hops, router).collect()
            };
            match &mut best {
                _ if next_hops.is_empty() => {}
                Some(known) => {
                    super::add_hops(&mut known.next_hops, next_hops);
                    // The larger Link State ID; network-LSAs have the larger type.
                    known.origin = known.origin.max(origin);
                }
                None => best = Some(self.network_route(path.cost, origin, next_hops)),
            }
        }
        let mut best = best?;
        best.next_hops.truncate(self.limit);
        Some(best)
    }

    fn network_route(&self, cost: u32, origin: LsaKey, mut next_hops: NextHops) -> NetworkRoute {
        next_hops.sort_unstable();
        NetworkRoute {
            path_type: PathType::IntraArea,
            area: Some(self.area.area),
            cost,
            type2_cost: None,
            tag: 0,
            origin,
            next_hops,
        }
    }
}

/// The LSA a vertex stands for.
pub(super) fn origin(vertex: VertexId) -> LsaKey {
    match vertex {
        VertexId::Network { address, advertising_router } => {
            LsaKey { ls_type: LsType::Network, link_state_id: address, advertising_router }
        }
        VertexId::Router(id) => LsaKey::router(id),
    }
}

/// The vertex of a network-LSA.
fn vertex(key: LsaKey) -> VertexId {
    VertexId::Network { address: key.link_state_id, advertising_router: key.advertising_router }
}
