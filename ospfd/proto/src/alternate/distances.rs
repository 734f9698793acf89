//! How far everything is from us, from each neighbour and from each network we share with one.
//!
//! One run of Dijkstra's algorithm for each of them, without next hops. A caller with better things to do does them one by one
//! ([`Distances::advance`]).

use super::neighbors::{self, Neighbor};
use crate::spf::SpfInterface;
use crate::spf::dijkstra::UNREACHED;
use crate::spf::topology::{Graph, Topology};
use core::cmp::Reverse;
use routing_common::id::RouterId;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// From so many neighbours distances are known: those over the cheapest links. On a LAN of a hundred routers one of the others is
/// hardly a better alternate than all of these, and each costs a run over the whole area.
const MOST_NEIGHBORS: usize = 16;

/// Distances from several vertices of one graph.
#[derive(Debug, Clone)]
pub struct Distances {
    /// Our vertex.
    pub(super) root: u32,
    pub(super) neighbors: Vec<Neighbor>,
    known: BTreeMap<u32, Vec<u32>>,
    wanted: Vec<u32>,
}

impl Distances {
    /// What there is to know; `None` if we have no two neighbours, of which one could stand in for the other.
    pub fn begin(topology: &Topology<'_>, router_id: RouterId, interfaces: &[SpfInterface]) -> Option<Self> {
        let root = topology.router(router_id)?;
        let neighbors = neighbors::neighbors(topology, root, interfaces);
        if neighbors.len() < 2 {
            return None;
        }
        let mut cheapest: Vec<&Neighbor> = neighbors.iter().collect();
        cheapest.sort_by_key(|n| (n.cost, n.router_id));
        let (mut wanted, mut networks) = (vec![root], BTreeSet::new());
        for neighbor in cheapest {
            if !wanted.contains(&neighbor.vertex) && wanted.len() <= MOST_NEIGHBORS {
                wanted.push(neighbor.vertex);
                networks.extend(neighbor.network);
            }
        }
        wanted.extend(networks);
        Some(Self { root, neighbors, known: BTreeMap::new(), wanted })
    }

    /// Finds what is still missing as long as it costs no more than a walk over `vertices` vertices, but at least for one; says
    /// whether all is known.
    pub fn advance(&mut self, graph: &Graph, vertices: usize) -> bool {
        let mut left = vertices;
        while let Some(from) = self.wanted.pop() {
            self.known.insert(from, distances(graph, from));
            left = left.saturating_sub(graph.len());
            if left == 0 {
                break;
            }
        }
        self.is_complete()
    }

    /// Is all known?
    pub fn is_complete(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Are distances from this vertex known?
    pub(super) fn is_known(&self, from: u32) -> bool {
        self.known.contains_key(&from)
    }

    /// The shortest way from a vertex to another; `None` if distances from the first are not known, or there is none.
    pub(super) fn between(&self, from: u32, to: u32) -> Option<u32> {
        self.known.get(&from)?.get(to as usize).copied().filter(|d| *d != UNREACHED)
    }
}

/// Distances of all vertices from one.
fn distances(graph: &Graph, from: u32) -> Vec<u32> {
    let mut distances = vec![UNREACHED; graph.len()];
    let mut candidates = BinaryHeap::from([Reverse((0, from))]);
    if let Some(own) = distances.get_mut(from as usize) {
        *own = 0;
    }
    while let Some(Reverse((distance, vertex))) = candidates.pop() {
        if distances.get(vertex as usize).is_none_or(|known| *known < distance) {
            continue;
        }
        for edge in graph.edges(vertex) {
            let through = distance.saturating_add(u32::from(edge.metric));
            if let Some(known) = distances.get_mut(edge.target as usize).filter(|known| through < **known) {
                *known = through;
                candidates.push(Reverse((through, edge.target)));
            }
        }
    }
    distances
}
