//! An area's database as a directed graph of routers and transit networks (RFC 2328 §16.1).
//!
//! Vertices have dense numbers, **networks first**, then routers, each in ascending order of id: with the
//! number as tie-breaker a heap picks "network vertices before router vertices" (§16.1 (3)) by itself.
//! Only edges that exist in both directions (§16.1 (2)(b)) are usable. Between two vertices there
//! is one edge, the cheapest: which of several parallel links is meant matters only at the root, and the
//! root's links are taken from its interfaces (see [`super::next_hop`]).
//!
//! A [`Graph`] holds what each LSA says of its own links and asks for both directions when it is walked. So a
//! router-LSA with other links changes its own vertex only ([`Graph::renew`]), and a calculation need not read ten thousand LSAs because
//! of one. Router-LSAs whose Link State ID is not their Advertising Router (§12.4.1) are no vertices.

use super::LsaSource;
use crate::lsa::{LsType, LsaBody, LsaKey, NetworkLsa, RouterLink, RouterLinkKind, RouterLsa};
use core::ops::Deref;
use routing_common::id::RouterId;
use smallvec::SmallVec;
use std::net::Ipv4Addr;

/// What a vertex stands for. The order is the order of vertex numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VertexId {
    /// A transit network.
    Network {
        /// Link State ID of its network-LSA: the Designated Router's address.
        address: Ipv4Addr,
        /// The Designated Router.
        advertising_router: RouterId,
    },
    /// A router.
    Router(RouterId),
}

/// A usable edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Number of the vertex it leads to.
    pub target: u32,
    /// Its cost; 0 from a network to a router.
    pub metric: u16,
}

/// The graph; see the module text.
#[derive(Debug, Clone)]
pub struct Graph {
    ids: Vec<VertexId>,
    /// The Router IDs among `ids` as numbers: every link is looked up here.
    routers: Vec<u32>,
    networks: usize,
    /// What each vertex's LSA describes: links to vertices that exist, by ascending target, one for each.
    described: Vec<Edges>,
    /// Can [`Graph::renew`] keep it right?
    is_renewable: bool,
}

/// Most routers have few links.
type Edges = SmallVec<[Edge; 4]>;

/// The graph with the LSAs it was made from.
#[derive(Clone, Copy)]
pub struct Topology<'a> {
    graph: &'a Graph,
    source: &'a dyn LsaSource,
}

impl Graph {
    /// Builds the graph of all router- and network-LSAs of an area.
    pub fn new(source: &dyn LsaSource) -> Self {
        let routers = routers(source);
        let (networks, had_rivals) = networks(source, &routers);
        // Which of several network-LSAs counts depends on what router-LSAs say.
        Self { is_renewable: !had_rivals, ..Self::of(&routers, &networks) }
    }

    /// Builds the graph in which a tree with this root is looked for: of everything, or of the root alone when no link
    /// leads away from it. So it is with a router that learns a large database and is Full with nobody yet, for
    /// half of the calculations of its start.
    pub fn around(source: &dyn LsaSource, root: RouterId) -> Self {
        if has_way_out(source, root) {
            return Self::new(source);
        }
        let alone: Vec<_> = router_lsa(source, root).map(|lsa| (root, lsa)).into_iter().collect();
        Self { is_renewable: false, ..Self::of(&alone, &[]) }
    }

    /// `routers` and `networks` in ascending order.
    fn of(routers: &[(RouterId, &RouterLsa)], networks: &[(Ipv4Addr, RouterId, &NetworkLsa)]) -> Self {
        let network = |(address, router, _): &(Ipv4Addr, RouterId, _)| VertexId::Network {
            address: *address,
            advertising_router: *router,
        };
        let ids = networks.iter().map(network).chain(routers.iter().map(|(id, _)| VertexId::Router(*id)));
        let mut graph = Self {
            ids: ids.collect(),
            routers: routers.iter().map(|(id, _)| id.to_bits()).collect(),
            networks: networks.len(),
            described: Vec::new(),
            is_renewable: true,
        };
        let from_networks = networks.iter().map(|(_, _, lsa)| graph.edges_of_network(lsa));
        let from_routers = routers.iter().map(|(_, lsa)| graph.edges_of_router(lsa));
        graph.described = from_networks.chain(from_routers).collect();
        graph
    }

    /// Reads the LSAs of some routers anew; says whether the graph is now what [`Graph::new`] would give, if no other LSA
    /// changed.
    pub fn renew<'r>(&mut self, source: &dyn LsaSource, routers: impl Iterator<Item = &'r RouterId>) -> bool {
        for id in routers {
            let (Some(vertex), Some(lsa)) = (self.router(*id), router_lsa(source, *id)) else { return false };
            let edges = self.edges_of_router(lsa);
            if let Some(slot) = self.described.get_mut(vertex as usize) {
                *slot = edges;
            }
        }
        self.is_renewable
    }

    /// Number of vertices.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Number of networks, which are the vertices with the smallest numbers.
    pub fn networks(&self) -> usize {
        self.networks
    }

    /// Are there no vertices?
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// All vertices by number.
    pub fn ids(&self) -> &[VertexId] {
        &self.ids
    }

    /// Is this vertex a network?
    pub fn is_network(&self, vertex: u32) -> bool {
        (vertex as usize) < self.networks
    }

    /// The vertex of a router.
    pub fn router(&self, id: RouterId) -> Option<u32> {
        let at = self.routers.binary_search(&id.to_bits()).ok()?;
        u32::try_from(self.networks + at).ok()
    }

    /// The vertex of a transit network, by its Designated Router's address.
    pub fn network(&self, address: Ipv4Addr) -> Option<u32> {
        let networks = self.ids.get(..self.networks)?;
        let first = VertexId::Network { address, advertising_router: RouterId::NONE };
        let at = networks.partition_point(|id| *id < first);
        match networks.get(at)? {
            VertexId::Network { address: found, .. } if *found == address => u32::try_from(at).ok(),
            _ => None,
        }
    }

    /// Usable edges from a vertex, by ascending target: those the other end describes too.
    pub fn edges(&self, from: u32) -> impl Iterator<Item = &Edge> {
        self.described_by(from).iter().filter(move |edge| self.contains(edge.target, from))
    }

    /// Is there a usable edge from `from` to `to`?
    pub fn connects(&self, from: u32, to: u32) -> bool {
        self.contains(from, to) && self.contains(to, from)
    }

    fn described_by(&self, vertex: u32) -> &[Edge] {
        self.described.get(vertex as usize).map_or(&[], |edges| edges)
    }

    fn contains(&self, from: u32, to: u32) -> bool {
        self.described_by(from).binary_search_by_key(&to, |edge| edge.target).is_ok()
    }

    fn edges_of_network(&self, lsa: &NetworkLsa) -> Edges {
        let attached = lsa.attached_routers.iter().filter_map(|id| self.router(*id));
        cheapest(attached.map(|target| Edge { target, metric: 0 }).collect())
    }

    fn edges_of_router(&self, lsa: &RouterLsa) -> Edges {
        let edge = |link: &RouterLink| Some(Edge { target: self.target(link.kind)?, metric: link.metric });
        cheapest(lsa.links.iter().filter_map(edge).collect())
    }

    fn target(&self, kind: RouterLinkKind) -> Option<u32> {
        match kind {
            RouterLinkKind::PointToPoint { neighbor, .. } | RouterLinkKind::Virtual { neighbor, .. } => {
                self.router(neighbor)
            }
            RouterLinkKind::Transit { designated_router, .. } => self.network(designated_router),
            RouterLinkKind::Stub { .. } => None,
        }
    }
}

/// One edge to each target.
fn cheapest(mut edges: Edges) -> Edges {
    edges.sort_unstable();
    edges.dedup_by_key(|edge| edge.target);
    edges
}

impl<'a> Topology<'a> {
    /// `graph` was made from `source`.
    pub fn new(graph: &'a Graph, source: &'a dyn LsaSource) -> Self {
        Self { graph, source }
    }

    /// The router-LSA behind a vertex, if it is a router.
    pub fn router_lsa(&self, vertex: u32) -> Option<&'a RouterLsa> {
        match self.graph.ids.get(vertex as usize)? {
            VertexId::Router(id) => router_lsa(self.source, *id),
            VertexId::Network { .. } => None,
        }
    }
}

impl Deref for Topology<'_> {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        self.graph
    }
}

/// The router-LSA of one router.
pub(crate) fn router_lsa(source: &dyn LsaSource, id: RouterId) -> Option<&RouterLsa> {
    match source.get(&LsaKey::router(id))?.body() {
        LsaBody::Router(body) => Some(body),
        _ => None,
    }
}

/// Does any edge lead away from a router, as far as its neighbours' router-LSAs tell? For a link to a network its
/// own word is taken.
fn has_way_out(source: &dyn LsaSource, root: RouterId) -> bool {
    let neighbor_of = |link: &RouterLink| match link.kind {
        RouterLinkKind::PointToPoint { neighbor, .. } | RouterLinkKind::Virtual { neighbor, .. } => {
            Some(neighbor)
        }
        RouterLinkKind::Transit { .. } | RouterLinkKind::Stub { .. } => None,
    };
    let leads_back = |lsa: &RouterLsa| lsa.links.iter().any(|link| neighbor_of(link) == Some(root));
    let is_usable = |link: &RouterLink| match neighbor_of(link) {
        Some(neighbor) => router_lsa(source, neighbor).is_some_and(leads_back),
        None => matches!(link.kind, RouterLinkKind::Transit { .. }),
    };
    router_lsa(source, root).is_some_and(|lsa| lsa.links.iter().any(is_usable))
}

/// Router-LSAs by Router ID, ascending.
fn routers(source: &dyn LsaSource) -> Vec<(RouterId, &RouterLsa)> {
    let mut routers = Vec::new();
    source.for_each(LsType::Router, &mut |lsa| {
        let key = lsa.key();
        if let LsaBody::Router(body) = lsa.body()
            && key.link_state_id == key.advertising_router.0
        {
            routers.push((key.advertising_router, body));
        }
    });
    routers.sort_unstable_by_key(|(id, _)| *id);
    routers
}

/// Network-LSAs by Link State ID, ascending, one for each, and whether there were several for any.
///
/// Two with the same Link State ID stand in the database while a network's old Designated Router, or the
/// same one under its former Router ID, has not flushed its own. The one whose author says in its
/// router-LSA that it is the Designated Router is the right one; then the larger Router ID.
fn networks<'a>(
    source: &'a dyn LsaSource,
    routers: &[(RouterId, &RouterLsa)],
) -> (Vec<(Ipv4Addr, RouterId, &'a NetworkLsa)>, bool) {
    let is_designated = |id: RouterId, network: Ipv4Addr| {
        let kind = RouterLinkKind::Transit { designated_router: network, address: network };
        routers
            .binary_search_by_key(&id, |(id, _)| *id)
            .is_ok_and(|at| routers[at].1.links.iter().any(|link| link.kind == kind))
    };
    let mut networks: Vec<(Ipv4Addr, RouterId, &NetworkLsa)> = Vec::new();
    source.for_each(LsType::Network, &mut |lsa| {
        if let LsaBody::Network(body) = lsa.body() {
            networks.push((lsa.key().link_state_id, lsa.key().advertising_router, body));
        }
    });
    networks.sort_unstable_by_key(|(address, router, _)| (*address, *router));
    let described = networks.len();
    networks.dedup_by(|later, kept| {
        if later.0 != kept.0 {
            return false;
        }
        if is_designated(later.1, later.0) || !is_designated(kept.1, kept.0) {
            *kept = *later;
        }
        true
    });
    let had_rivals = networks.len() < described;
    (networks, had_rivals)
}
