//! The routers at the other ends of our links, and which of them may carry what is not theirs (RFC 5286 §3.5).

use crate::constants::MAX_LINK_METRIC;
use crate::spf::SpfInterface;
use crate::spf::next_hop::{Hop, RootEdge, root_edges, through_network};
use crate::spf::topology::{Topology, VertexId};
use routing_common::id::RouterId;

/// A router that can be a next hop, over one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Neighbor {
    /// How to send to it; always with a gateway.
    pub hop: Hop,
    /// Who it is.
    pub router_id: RouterId,
    /// Its vertex.
    pub vertex: u32,
    /// The vertex of the network on which we meet, if that has one.
    pub network: Option<u32>,
    /// Our cost of the link.
    pub cost: u16,
    /// Neither direction of the link has MaxLinkMetric (§3.5): a router that asks not to be used is not asked.
    pub may_carry: bool,
}

/// Those the shortest path tree starts with.
pub(super) fn neighbors(topology: &Topology<'_>, root: u32, interfaces: &[SpfInterface]) -> Vec<Neighbor> {
    let mut all = Vec::new();
    for edge in root_edges(topology, root, interfaces) {
        if edge.hop.gateway.is_some() {
            all.extend(neighbor(topology, &edge, edge.hop, edge.target, (root, None)));
            continue;
        }
        for member in topology.edges(edge.target).filter(|member| member.target != root) {
            let hops = through_network(topology, &[edge.hop], edge.target, member.target, interfaces);
            let back = (edge.target, Some(edge.target));
            all.extend(
                hops.into_iter().filter_map(|hop| neighbor(topology, &edge, hop, member.target, back)),
            );
        }
    }
    all.sort_by_key(|n| (n.hop, n.vertex));
    all.dedup_by_key(|n| n.hop);
    all
}

/// `back`: where its own link leads that is the reverse of ours, and the network between us.
fn neighbor(
    topology: &Topology<'_>,
    edge: &RootEdge,
    hop: Hop,
    vertex: u32,
    (back, network): (u32, Option<u32>),
) -> Option<Neighbor> {
    let VertexId::Router(router_id) = *topology.ids().get(vertex as usize)? else { return None };
    let reverse = topology.edges(vertex).find(|other| other.target == back)?.metric;
    let may_carry = edge.cost != MAX_LINK_METRIC && reverse != MAX_LINK_METRIC;
    Some(Neighbor { hop, router_id, vertex, network, cost: edge.cost, may_carry })
}
