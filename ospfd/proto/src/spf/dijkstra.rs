//! The shortest-path tree of an area (RFC 2328 §16.1, first stage) by Dijkstra's algorithm.
//!
//! Candidates wait in a binary heap ordered by (distance, vertex number); networks have the smaller
//! numbers, so they come first among equals as §16.1 (3) demands, and the order is total: the same graph
//! always gives the same tree. A vertex found again at a smaller distance is pushed again; the stale
//! candidate is dropped when it comes up.

use super::SpfArea;
use super::next_hop::{self, Hop, HopSets, RootEdge, SetId};
use super::topology::{Graph, Topology, VertexId};
use routing_common::id::RouterId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Distance of a vertex that has not been reached.
pub(crate) const UNREACHED: u32 = u32::MAX;

/// Distances and next hops of all vertices of an area; owns no LSA, so it outlives database changes.
#[derive(Debug, Clone)]
pub struct ShortestPathTree {
    vertices: Vec<VertexId>,
    distances: Vec<u32>,
    next_hops: Vec<SetId>,
    sets: HopSets,
    /// How many of the vertices are networks; they come first.
    networks: usize,
    reaches_others: bool,
}

/// A reachable vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached<'a> {
    /// Which.
    pub vertex: VertexId,
    /// Its number in the tree.
    pub number: u32,
    /// Its distance from the root.
    pub distance: u32,
    /// How to get there; empty only for the root.
    pub hops: &'a [Hop],
}

impl ShortestPathTree {
    /// All reachable vertices: networks, then routers, each in ascending order.
    pub fn reached(&self) -> impl Iterator<Item = Reached<'_>> {
        (0..self.vertices.len()).filter_map(|at| self.at(at))
    }

    /// All reachable routers in ascending order.
    pub fn reached_routers(&self) -> impl Iterator<Item = (RouterId, Reached<'_>)> {
        (self.networks..self.vertices.len()).filter_map(|at| {
            let reached = self.at(at)?;
            match reached.vertex {
                VertexId::Router(id) => Some((id, reached)),
                VertexId::Network { .. } => None,
            }
        })
    }

    /// A vertex by its number, if it is reachable.
    pub fn get(&self, number: u32) -> Option<Reached<'_>> {
        self.at(number as usize)
    }

    /// Is the vertex with this number a network?
    pub fn is_network(&self, number: u32) -> bool {
        (number as usize) < self.networks
    }

    /// A router, if it is reachable.
    pub fn router(&self, id: RouterId) -> Option<Reached<'_>> {
        self.at(self.vertices.binary_search(&VertexId::Router(id)).ok()?)
    }

    /// A vertex by what it stands for, if it is reachable.
    pub(crate) fn get_by_id(&self, vertex: VertexId) -> Option<Reached<'_>> {
        self.at(self.vertices.binary_search(&vertex).ok()?)
    }

    /// The vertices whose distance or next hops are not those they have in `old`, or that are in one of both trees only;
    /// `None` if there are more than `limit`.
    pub(crate) fn moved_since(&self, old: &Self, limit: usize) -> Option<Vec<VertexId>> {
        let same_sets: Vec<Option<SetId>> = old.sets.all().map(|set| self.sets.find(set)).collect();
        let (mut at, mut moved) = (0, Vec::new());
        let mut was = 0;
        while moved.len() <= limit {
            match (self.vertices.get(at), old.vertices.get(was)) {
                (None, None) => return Some(moved),
                (Some(new), Some(before)) if new == before => {
                    let set = same_sets.get(old.next_hops[was].number()).copied().flatten();
                    if self.distances[at] != old.distances[was] || set != Some(self.next_hops[at]) {
                        moved.push(*new);
                    }
                    (at, was) = (at + 1, was + 1);
                }
                (Some(new), before) if before.is_none_or(|before| new < before) => {
                    moved.push(*new);
                    at += 1;
                }
                (_, Some(before)) => {
                    moved.push(*before);
                    was += 1;
                }
                (Some(_), None) => at += 1,
            }
        }
        None
    }

    /// Number of vertices in the graph, reachable or not; of no more than one where nothing leads away from the root.
    pub fn vertices(&self) -> usize {
        self.vertices.len()
    }

    /// Is any router but the root reachable?
    pub fn reaches_others(&self) -> bool {
        self.reaches_others
    }

    fn at(&self, at: usize) -> Option<Reached<'_>> {
        let distance = self.distances.get(at).copied().filter(|d| *d != UNREACHED)?;
        let hops = self.sets.get(self.next_hops[at]);
        // A graph has fewer vertices than there are Router IDs.
        Some(Reached { vertex: self.vertices[at], number: at as u32, distance, hops })
    }
}

/// Builds the graph of an area and its tree with root `router_id`. Without our own router-LSA nothing is
/// reachable.
pub fn run(area: &SpfArea<'_>, router_id: RouterId) -> ShortestPathTree {
    run_on(&Graph::around(area.lsas, router_id), area, router_id)
}

/// The tree in a graph of the area.
pub(crate) fn run_on(graph: &Graph, area: &SpfArea<'_>, router_id: RouterId) -> ShortestPathTree {
    let topology = Topology::new(graph, area.lsas);
    let mut search = Search::new(&topology, area);
    if let Some(root) = topology.router(router_id) {
        search.run(root);
    }
    let routers = search.distances.iter().skip(topology.networks());
    let reaches_others = routers.filter(|d| **d != UNREACHED).nth(1).is_some();
    ShortestPathTree {
        reaches_others,
        vertices: topology.ids().to_vec(),
        distances: search.distances,
        next_hops: search.next_hops,
        sets: search.sets,
        networks: topology.networks(),
    }
}

struct Search<'s> {
    topology: &'s Topology<'s>,
    area: &'s SpfArea<'s>,
    distances: Vec<u32>,
    next_hops: Vec<SetId>,
    on_tree: Vec<bool>,
    sets: HopSets,
    candidates: BinaryHeap<Reverse<(u32, u32)>>,
}

impl<'s> Search<'s> {
    fn new(topology: &'s Topology<'s>, area: &'s SpfArea<'s>) -> Self {
        let count = topology.len();
        Self {
            topology,
            area,
            distances: vec![UNREACHED; count],
            next_hops: vec![SetId::EMPTY; count],
            on_tree: vec![false; count],
            sets: HopSets::default(),
            candidates: BinaryHeap::new(),
        }
    }

    fn run(&mut self, root: u32) {
        let topology = self.topology;
        self.distances[root as usize] = 0;
        self.on_tree[root as usize] = true;
        for RootEdge { target, cost, hop } in next_hop::root_edges(topology, root, self.area.interfaces) {
            let set = self.sets.intern(vec![hop]);
            self.offer(target, u32::from(cost), set);
        }
        while let Some(Reverse((distance, vertex))) = self.candidates.pop() {
            if std::mem::replace(&mut self.on_tree[vertex as usize], true) {
                continue;
            }
            for edge in topology.edges(vertex) {
                let through = distance.saturating_add(u32::from(edge.metric));
                if !self.on_tree[edge.target as usize] && through <= self.distances[edge.target as usize] {
                    let set = self.inherit(vertex, edge.target);
                    self.offer(edge.target, through, set);
                }
            }
        }
    }

    /// §16.1 (2)(d): a path of this cost to `vertex`, with these next hops. A path without a next hop is
    /// none.
    fn offer(&mut self, vertex: u32, distance: u32, set: SetId) {
        let at = vertex as usize;
        if self.on_tree[at] || set == SetId::EMPTY || distance == UNREACHED || distance > self.distances[at] {
            return;
        }
        if distance < self.distances[at] {
            self.distances[at] = distance;
            self.next_hops[at] = set;
            self.candidates.push(Reverse((distance, vertex)));
        } else {
            self.next_hops[at] = self.sets.union(self.next_hops[at], set);
        }
    }

    /// §16.1.1 for a parent that is not the root.
    fn inherit(&mut self, parent: u32, child: u32) -> SetId {
        let set = self.next_hops[parent as usize];
        let via = self.sets.get(set);
        if !self.topology.is_network(parent) || via.iter().all(|hop| hop.gateway.is_some()) {
            return set;
        }
        let hops = next_hop::through_network(self.topology, via, parent, child, self.area.interfaces);
        self.sets.intern(hops)
    }
}
