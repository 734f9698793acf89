//! An area's database as a directed graph of routers and transit networks (RFC 2328 §16.1).
//!
//! Vertices have dense numbers, **networks first**, then routers, each in ascending order of id: with the
//! number as tie-breaker a heap picks "network vertices before router vertices" (§16.1 (3)) by itself.
//! Only edges that exist in both directions (§16.1 (2)(b)) get into the graph. Between two vertices there
//! is one edge, the cheapest: which of several parallel links is meant matters only at the root, and the
//! root's links are taken from its interfaces (see [`super::next_hop`]).
//!
//! The graph borrows the LSAs and lives as long as one calculation. Router-LSAs whose Link State ID is not
//! their Advertising Router (§12.4.1) are no vertices.

use super::LsaSource;
use crate::lsa::{LsType, LsaBody, LsaKey, NetworkLsa, RouterLink, RouterLinkKind, RouterLsa};
use routing_common::id::RouterId;
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

/// The LSA behind a vertex.
#[derive(Debug, Clone, Copy)]
enum VertexLsa<'a> {
    Network(&'a NetworkLsa),
    Router(&'a RouterLsa),
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
#[derive(Debug)]
pub struct Topology<'a> {
    ids: Vec<VertexId>,
    /// The Router IDs among `ids` as numbers: every link is looked up here.
    routers: Vec<u32>,
    lsas: Vec<VertexLsa<'a>>,
    networks: usize,
    edges: Adjacency,
}

impl<'a> Topology<'a> {
    /// Builds the graph of all router- and network-LSAs of an area.
    pub fn new(source: &'a dyn LsaSource) -> Self {
        let routers = routers(source);
        let networks = networks(source, &routers);
        Self::of(routers, networks)
    }

    /// Builds the graph in which a tree with this root is looked for: of everything, or of the root alone when no link
    /// leads away from it. So it is with a router that learns a large database and is Full with nobody yet, for
    /// half of the calculations of its start.
    pub fn around(source: &'a dyn LsaSource, root: RouterId) -> Self {
        if has_way_out(source, root) {
            return Self::new(source);
        }
        let alone = router_lsa(source, root).map(|lsa| (root, lsa));
        Self::of(alone.into_iter().collect(), Vec::new())
    }

    /// `routers` and `networks` in ascending order.
    fn of(
        routers: Vec<(RouterId, &'a RouterLsa)>,
        networks: Vec<(Ipv4Addr, RouterId, &'a NetworkLsa)>,
    ) -> Self {
        let mut topology = Self {
            ids: Vec::with_capacity(networks.len() + routers.len()),
            routers: routers.iter().map(|(id, _)| id.to_bits()).collect(),
            lsas: Vec::with_capacity(networks.len() + routers.len()),
            networks: networks.len(),
            edges: Adjacency::default(),
        };
        for (address, advertising_router, lsa) in networks {
            topology.ids.push(VertexId::Network { address, advertising_router });
            topology.lsas.push(VertexLsa::Network(lsa));
        }
        for (id, lsa) in routers {
            topology.ids.push(VertexId::Router(id));
            topology.lsas.push(VertexLsa::Router(lsa));
        }
        let described = topology.described_edges();
        topology.edges = described.bidirectional();
        topology
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

    /// The router-LSA behind a vertex, if it is a router.
    pub fn router_lsa(&self, vertex: u32) -> Option<&'a RouterLsa> {
        match self.lsas.get(vertex as usize)? {
            VertexLsa::Router(lsa) => Some(lsa),
            VertexLsa::Network(_) => None,
        }
    }

    /// Usable edges from a vertex, by ascending target.
    pub fn edges(&self, vertex: u32) -> &[Edge] {
        self.edges.of(vertex)
    }

    /// Is there a usable edge from `from` to `to`?
    pub fn connects(&self, from: u32, to: u32) -> bool {
        self.edges.contains(from, to)
    }

    /// All links that lead to an existing vertex, in one direction at least.
    fn described_edges(&self) -> Adjacency {
        let mut edges = Adjacency::default();
        let mut own = Vec::new();
        for lsa in &self.lsas {
            own.clear();
            match lsa {
                VertexLsa::Network(lsa) => own.extend(
                    lsa.attached_routers
                        .iter()
                        .filter_map(|id| self.router(*id))
                        .map(|target| Edge { target, metric: 0 }),
                ),
                VertexLsa::Router(lsa) => own.extend(lsa.links.iter().filter_map(|link| {
                    let target = self.target(link.kind)?;
                    Some(Edge { target, metric: link.metric })
                })),
            }
            own.sort_unstable();
            own.dedup_by_key(|edge| edge.target);
            edges.push(&own);
        }
        edges
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

/// Edges of all vertices in one vector, those of a vertex side by side and sorted.
#[derive(Debug, Default)]
struct Adjacency {
    /// Where the edges of vertex n end.
    ends: Vec<usize>,
    edges: Vec<Edge>,
}

impl Adjacency {
    fn push(&mut self, edges: &[Edge]) {
        self.edges.extend_from_slice(edges);
        self.ends.push(self.edges.len());
    }

    fn of(&self, vertex: u32) -> &[Edge] {
        let vertex = vertex as usize;
        let start = if vertex == 0 { 0 } else { self.ends.get(vertex - 1).copied().unwrap_or(0) };
        let end = self.ends.get(vertex).copied().unwrap_or(start);
        &self.edges[start..end]
    }

    fn contains(&self, from: u32, to: u32) -> bool {
        self.of(from).binary_search_by_key(&to, |edge| edge.target).is_ok()
    }

    fn bidirectional(&self) -> Self {
        let mut kept = Self::default();
        let mut own = Vec::new();
        for from in (0..).take(self.ends.len()) {
            own.clear();
            own.extend(self.of(from).iter().filter(|edge| self.contains(edge.target, from)));
            kept.push(&own);
        }
        kept
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

/// Network-LSAs by Link State ID, ascending, one for each.
///
/// Two with the same Link State ID stand in the database while a network's old Designated Router, or the
/// same one under its former Router ID, has not flushed its own. The one whose author says in its
/// router-LSA that it is the Designated Router is the right one; then the larger Router ID.
fn networks<'a>(
    source: &'a dyn LsaSource,
    routers: &[(RouterId, &RouterLsa)],
) -> Vec<(Ipv4Addr, RouterId, &'a NetworkLsa)> {
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
    networks.dedup_by(|later, kept| {
        if later.0 != kept.0 {
            return false;
        }
        if is_designated(later.1, later.0) || !is_designated(kept.1, kept.0) {
            *kept = *later;
        }
        true
    });
    networks
}
