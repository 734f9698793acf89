//! Intra-area routes: what the tree's vertices stand for (RFC 2328 §16.1 (4)) and the stub networks of its
//! routers (§16.1, second stage).
//!
//! Works from the tree and the present LSAs, so it can be repeated alone when only stub links or the
//! E and B bits changed. A prefix known in several areas belongs to the one with the smaller cost, then to
//! the smaller Area ID.

use super::{NetworkRoute, PathType, RouteNextHop, RouterRoute, RoutingTable, add_hops, from_hops};
use crate::lsa::{LsType, Lsa, LsaBody, LsaKey, RouterLinkKind, RouterLsa};
use crate::spf::next_hop::to_own_stub;
use crate::spf::topology::VertexId;
use crate::spf::{ShortestPathTree, SpfArea, SpfInput};
use ipnetwork::Ipv4Network;
use routing_common::id::{AreaId, RouterId};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Fills an empty table with the intra-area entries of all areas.
pub(super) fn calculate(
    input: &SpfInput<'_>,
    trees: &BTreeMap<AreaId, ShortestPathTree>,
    table: &mut RoutingTable,
) {
    for area in input.areas {
        let Some(tree) = trees.get(&area.area) else { continue };
        let mut routes = AreaRoutes { area, root: input.router_id, networks: BTreeMap::new() };
        routes.add_transit_networks(tree);
        routes.add_routers(tree, table);
        merge(routes.networks, &mut table.networks);
    }
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

struct AreaRoutes<'a> {
    area: &'a SpfArea<'a>,
    root: RouterId,
    networks: BTreeMap<Ipv4Network, NetworkRoute>,
}

impl AreaRoutes<'_> {
    /// §16.1 (4): networks on the tree. Of several vertices with one prefix the nearest counts, then the one
    /// with the larger Link State ID.
    fn add_transit_networks(&mut self, tree: &ShortestPathTree) {
        for reached in tree.reached() {
            let VertexId::Network { address, advertising_router } = reached.vertex else { break };
            let key = LsaKey { ls_type: LsType::Network, link_state_id: address, advertising_router };
            let Some(LsaBody::Network(lsa)) = self.area.lsas.get(&key).map(Lsa::body) else { continue };
            let Some(prefix) = key.prefix(lsa.mask) else { continue };
            // Vertices come by ascending Link State ID, so an equal one is the better one.
            if self.networks.get(&prefix).is_none_or(|other| reached.distance <= other.cost) {
                let hops = from_hops(reached.hops, advertising_router);
                self.networks.insert(prefix, self.route(reached.distance, key, hops.collect()));
            }
        }
    }

    /// Routers on the tree: entries for border routers (§16.1 (4)), stub networks of all.
    fn add_routers(&mut self, tree: &ShortestPathTree, table: &mut RoutingTable) {
        for reached in tree.reached() {
            let VertexId::Router(id) = reached.vertex else { continue };
            let key = LsaKey { ls_type: LsType::Router, link_state_id: id.0, advertising_router: id };
            let Some(lsa) = self.area.lsas.get(&key) else { continue };
            let LsaBody::Router(body) = lsa.body() else { continue };
            if id != self.root && (body.area_border || body.as_boundary) {
                let route = RouterRoute {
                    path_type: PathType::IntraArea,
                    cost: reached.distance,
                    options: lsa.header().options,
                    area_border: body.area_border,
                    as_boundary: body.as_boundary,
                    next_hops: from_hops(reached.hops, id).collect(),
                };
                table.routers.insert((id, self.area.area), route);
            }
            for (prefix, cost) in stubs(body) {
                let distance = reached.distance.saturating_add(cost);
                if id == self.root {
                    let hops = to_own_stub(self.area.interfaces, prefix);
                    self.add_stub(prefix, distance, key, from_hops(&hops, id));
                } else {
                    self.add_stub(prefix, distance, key, from_hops(reached.hops, id));
                }
            }
        }
    }

    /// §16.1, second stage (1) and (2).
    fn add_stub(
        &mut self,
        prefix: Ipv4Network,
        distance: u32,
        origin: LsaKey,
        hops: impl Iterator<Item = RouteNextHop>,
    ) {
        let route = self.route(distance, origin, hops.collect());
        if route.next_hops.is_empty() {
            return;
        }
        match self.networks.entry(prefix) {
            Entry::Vacant(entry) => {
                entry.insert(route);
            }
            Entry::Occupied(mut entry) if distance < entry.get().cost => {
                entry.insert(route);
            }
            Entry::Occupied(mut entry) if distance == entry.get().cost => {
                let known = entry.get_mut();
                add_hops(&mut known.next_hops, route.next_hops);
                // The larger Link State ID; network-LSAs, which stay, have the larger type.
                known.origin = known.origin.max(origin);
            }
            Entry::Occupied(_) => {}
        }
    }

    fn route(&self, cost: u32, origin: LsaKey, mut next_hops: super::NextHops) -> NetworkRoute {
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

/// Stub networks of a router-LSA with their cost; those whose mask has holes are left out.
fn stubs(lsa: &RouterLsa) -> impl Iterator<Item = (Ipv4Network, u32)> {
    lsa.links.iter().filter_map(|link| match link.kind {
        RouterLinkKind::Stub { network, mask } => {
            Some((routing_common::prefix::from_mask(network, mask)?, u32::from(link.metric)))
        }
        _ => None,
    })
}
