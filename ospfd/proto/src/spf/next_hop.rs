//! The next hop calculation (RFC 2328 §16.1.1) and interned sets of next hops.
//!
//! In a large area thousands of vertices share a handful of next hop sets. The tree holds a [`SetId`] per
//! vertex; the union of two sets is computed once and remembered.
//!
//! A [`Hop`] without a gateway means "the vertex itself is on this link". Only vertices of transit networks
//! carry such hops in the tree, and that is how "the parent is a network that directly connects the
//! calculating router" (§16.1.1) is recognised, path by path: a network may be reached at equal cost
//! directly and through another router.
//!
//! What is needed from the interfaces (see [`SpfInterface`]):
//! * Point-to-point: a type 1 link of our router-LSA names the neighbor and, in Link Data, the interface's
//!   address or ifIndex. All interfaces that match both are used: interfaces that share one /32 are told
//!   apart by who answers on them. The gateway is the neighbor's source address, which may lie outside our
//!   subnet.
//! * Broadcast: a type 2 link's Link Data is the interface's address. Gateways are the Link Data of the
//!   destination router's own links to the network, if we hear that router and the address is on the subnet.

use super::topology::{Topology, VertexId};
use super::{SpfInterface, SpfInterfaceKind};
use crate::lsa::RouterLinkKind;
use ipnetwork::Ipv4Network;
use routing_common::id::{IfIndex, RouterId};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Where to send: interface and next router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hop {
    /// Where packets leave.
    pub ifindex: IfIndex,
    /// The next router; `None` when the destination is on the link.
    pub gateway: Option<Ipv4Addr>,
}

/// Number of a set in [`HopSets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetId(u32);

impl SetId {
    /// The empty set.
    pub const EMPTY: Self = Self(0);
}

/// Sets of hops, each stored once.
#[derive(Debug, Clone)]
pub struct HopSets {
    sets: Vec<Box<[Hop]>>,
    ids: BTreeMap<Box<[Hop]>, SetId>,
    unions: BTreeMap<(SetId, SetId), SetId>,
}

impl Default for HopSets {
    fn default() -> Self {
        let empty: Box<[Hop]> = Box::default();
        Self {
            sets: vec![empty.clone()],
            ids: BTreeMap::from([(empty, SetId::EMPTY)]),
            unions: BTreeMap::new(),
        }
    }
}

impl SetId {
    /// Its place in [`HopSets::all`].
    pub(crate) fn number(self) -> usize {
        self.0 as usize
    }
}

impl HopSets {
    /// All sets in the order of their numbers.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[Hop]> {
        self.sets.iter().map(|set| &**set)
    }

    /// The set of these hops, which ascend, if there is one.
    pub(crate) fn find(&self, hops: &[Hop]) -> Option<SetId> {
        self.ids.get(hops).copied()
    }

    /// The hops of a set, ascending.
    pub fn get(&self, id: SetId) -> &[Hop] {
        self.sets.get(id.0 as usize).map_or(&[], |set| set)
    }

    /// The set of these hops.
    pub fn intern(&mut self, mut hops: Vec<Hop>) -> SetId {
        hops.sort_unstable();
        hops.dedup();
        if let Some(id) = self.ids.get(hops.as_slice()) {
            return *id;
        }
        // There are far fewer sets than vertices, and those have u32 numbers.
        let id = SetId(self.sets.len() as u32);
        let hops = hops.into_boxed_slice();
        self.sets.push(hops.clone());
        self.ids.insert(hops, id);
        id
    }

    /// The union of two sets.
    pub fn union(&mut self, a: SetId, b: SetId) -> SetId {
        if a == b || b == SetId::EMPTY {
            return a;
        }
        if a == SetId::EMPTY {
            return b;
        }
        let pair = (a.min(b), a.max(b));
        if let Some(id) = self.unions.get(&pair) {
            return *id;
        }
        let id = self.intern([self.get(a), self.get(b)].concat());
        self.unions.insert(pair, id);
        id
    }
}

/// A usable link of the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootEdge {
    /// The vertex it leads to.
    pub target: u32,
    /// The interface's cost.
    pub cost: u16,
    /// How to use it.
    pub hop: Hop,
}

/// The root's links: those of its router-LSA for which an interface answers.
pub fn root_edges(topology: &Topology<'_>, root: u32, interfaces: &[SpfInterface]) -> Vec<RootEdge> {
    let Some(lsa) = topology.router_lsa(root) else { return Vec::new() };
    let mut edges = Vec::new();
    for link in &lsa.links {
        match link.kind {
            RouterLinkKind::PointToPoint { neighbor, data } => {
                let Some(target) = topology.router(neighbor) else { continue };
                edges.extend(point_to_point_hops(interfaces, neighbor, data).map(|(cost, hop)| RootEdge {
                    target,
                    cost,
                    hop,
                }));
            }
            RouterLinkKind::Transit { designated_router, address } => {
                let Some(target) = topology.network(designated_router) else { continue };
                edges.extend(
                    interfaces
                        .iter()
                        .filter(|i| i.kind == SpfInterfaceKind::Broadcast && i.address == Some(address))
                        .map(|i| RootEdge {
                            target,
                            cost: i.cost,
                            hop: Hop { ifindex: i.ifindex, gateway: None },
                        }),
                );
            }
            RouterLinkKind::Stub { .. } | RouterLinkKind::Virtual { .. } => {}
        }
    }
    edges.retain(|edge| topology.connects(root, edge.target));
    edges
}

fn point_to_point_hops(
    interfaces: &[SpfInterface],
    neighbor: RouterId,
    data: Ipv4Addr,
) -> impl Iterator<Item = (u16, Hop)> {
    interfaces
        .iter()
        .filter(move |i| {
            i.kind == SpfInterfaceKind::PointToPoint
                && i.address.unwrap_or(Ipv4Addr::from_bits(i.ifindex.0)) == data
        })
        .flat_map(move |i| {
            i.neighbors.iter().filter(move |n| n.router_id == neighbor).map(|n| {
                let hop = Hop { ifindex: i.ifindex, gateway: Some(n.address) };
                (i.cost, hop)
            })
        })
}

/// The hops to router vertex `router` for a network vertex `network` that is reached by `via`: hops through
/// other routers are inherited, a direct one becomes the router's addresses on that link.
pub fn through_network(
    topology: &Topology<'_>,
    via: &[Hop],
    network: u32,
    router: u32,
    interfaces: &[SpfInterface],
) -> Vec<Hop> {
    let mut hops = Vec::new();
    for hop in via {
        if hop.gateway.is_some() {
            hops.push(*hop);
            continue;
        }
        let (Some(interface), Some(lsa)) =
            (interfaces.iter().find(|i| i.ifindex == hop.ifindex), topology.router_lsa(router))
        else {
            continue;
        };
        let heard = |id: &VertexId| interface.neighbors.iter().any(|n| *id == VertexId::Router(n.router_id));
        if !topology.ids().get(router as usize).is_some_and(heard) {
            continue;
        }
        hops.extend(lsa.links.iter().filter_map(|link| match link.kind {
            RouterLinkKind::Transit { designated_router, address }
                if topology.network(designated_router) == Some(network)
                    && interface.network.contains(address) =>
            {
                Some(Hop { ifindex: hop.ifindex, gateway: Some(address) })
            }
            _ => None,
        }));
    }
    hops
}

/// The hops to a stub network in our own router-LSA: the interfaces it stands for. Empty if none does.
pub fn to_own_stub(interfaces: &[SpfInterface], prefix: Ipv4Network) -> Vec<Hop> {
    interfaces
        .iter()
        .filter(|i| {
            let own_address = prefix.prefix() == 32 && i.address == Some(prefix.ip());
            own_address || routing_common::prefix::canonical(i.network) == prefix
        })
        .map(|i| Hop { ifindex: i.ifindex, gateway: None })
        .collect()
}
