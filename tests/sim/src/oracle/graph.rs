//! Who can reach whom at what cost: routers and transit networks, joined by what RFC 2328 §12.4.1 would announce.
//!
//! Bellman and Ford: every edge is looked at again and again until no way becomes shorter, then until no set of
//! next hops grows. Slow and without cleverness.

use super::{Hop, Hops, Outlet, State};
use crate::scenario::{Port, PortIndex, RouterIndex, Scenario, SegmentIndex, SegmentKind};
use ipnetwork::Ipv4Network;
use routing_common::prefix;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// A vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    /// A router.
    Router(RouterIndex),
    /// A segment with a Designated Router and at least two routers.
    Network(SegmentIndex),
}

/// A way from one vertex to the next.
#[derive(Debug, Clone, Copy)]
struct Edge {
    from: Node,
    to: Node,
    /// Output cost; 0 from a network (§16.1).
    cost: u32,
    /// The port it uses at its router's end: the sender's, or from a network the receiver's.
    port: PortIndex,
    /// The address of the router it leads to; `None` to a network.
    gateway: Option<Ipv4Addr>,
}

/// A network behind one router.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stub {
    pub(super) router: RouterIndex,
    pub(super) outlet: Outlet,
    pub(super) prefix: Ipv4Network,
    pub(super) cost: u32,
}

/// The area as it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    edges: Vec<Edge>,
    /// Prefixes of the transit networks.
    pub(super) networks: BTreeMap<SegmentIndex, Ipv4Network>,
    /// Stub networks.
    pub(super) stubs: Vec<Stub>,
}

/// Cost and next hops of what can be reached.
pub(super) type Reach = BTreeMap<Node, (u32, Hops)>;

/// One end of a segment.
type End<'a> = (RouterIndex, PortIndex, &'a Port);

/// The ends of a segment that are up and of which OSPF knows, then those of them that speak.
fn ends<'a>(scenario: &'a Scenario, state: &State, segment: SegmentIndex) -> (Vec<End<'a>>, Vec<End<'a>>) {
    let up = scenario.ends(segment).filter(|(r, p, port)| state.is_up(*r, *p) && !port.without_ospf);
    let known: Vec<End<'_>> = up.collect();
    let speaking = known.iter().filter(|(_, _, port)| !port.passive).copied().collect();
    (known, speaking)
}

impl Graph {
    /// The graph of this network.
    pub(super) fn of(scenario: &Scenario, state: &State) -> Self {
        let mut graph = Self::default();
        for (r, router) in scenario.routers.iter().enumerate().filter(|(r, _)| state.router_up[*r]) {
            let prefix = prefix::host(router.loopback);
            graph.stubs.push(Stub { router: r, outlet: Outlet::Loopback, prefix, cost: 0 });
        }
        for (s, segment) in scenario.segments.iter().enumerate() {
            let (known, mut speaking) = ends(scenario, state, s);
            if !state.segment_passes[s] {
                speaking.clear();
            }
            match segment.kind {
                SegmentKind::PointToPoint => graph.add_cable(&known, &speaking),
                SegmentKind::Broadcast => graph.add_broadcast(s, &known, &speaking),
            }
        }
        graph
    }

    /// §12.4.1.1: a link to the neighbour, and a stub link for the subnet with or without one.
    fn add_cable(&mut self, known: &[End<'_>], speaking: &[End<'_>]) {
        if let [(a, a_port, at_a), (b, b_port, at_b)] = *speaking {
            self.add_edge(Node::Router(a), Node::Router(b), u32::from(at_a.cost), a_port, Some(at_b));
            self.add_edge(Node::Router(b), Node::Router(a), u32::from(at_b.cost), b_port, Some(at_a));
        }
        known.iter().for_each(|end| self.add_stub(end));
    }

    /// §12.4.1.2: a link to the network for those who have the Designated Router, a stub link for all others.
    fn add_broadcast(&mut self, segment: SegmentIndex, known: &[End<'_>], speaking: &[End<'_>]) {
        let is_transit = speaking.len() > 1 && speaking.iter().any(|(_, _, port)| port.priority > 0);
        let network = Node::Network(segment);
        for end in known {
            let (r, p, port) = *end;
            let speaks = speaking.iter().any(|(other, ..)| *other == r);
            if is_transit && speaks {
                self.networks.insert(segment, prefix::canonical(port.address));
                self.add_edge(Node::Router(r), network, u32::from(port.cost), p, None);
                self.add_edge(network, Node::Router(r), 0, p, Some(port));
            } else {
                self.add_stub(end);
            }
        }
    }

    fn add_edge(&mut self, from: Node, to: Node, cost: u32, port: PortIndex, receiver: Option<&Port>) {
        self.edges.push(Edge { from, to, cost, port, gateway: receiver.map(|p| p.address.ip()) });
    }

    fn add_stub(&mut self, (router, p, port): &End<'_>) {
        self.stubs.push(Stub {
            router: *router,
            outlet: Outlet::Port(*p),
            prefix: prefix::canonical(port.address),
            cost: u32::from(port.cost),
        });
    }

    /// What `root` reaches, itself not included.
    pub(super) fn reach(&self, root: RouterIndex) -> Reach {
        let root = Node::Router(root);
        let costs = self.costs(root);
        let mut reach: Reach = costs.iter().map(|(node, cost)| (*node, (*cost, Hops::new()))).collect();
        let shortest = |edge: &&Edge| {
            let (from, to) = (costs.get(&edge.from), costs.get(&edge.to));
            edge.to != root && from.zip(to).is_some_and(|(from, to)| from + edge.cost == *to)
        };
        let shortest: Vec<&Edge> = self.edges.iter().filter(shortest).collect();
        let mut grows = true;
        while grows {
            grows = false;
            for edge in &shortest {
                let through = reach.get(&edge.from).map(|(_, hops)| hops.clone()).unwrap_or_default();
                let hops = next_hops(root, edge, &through);
                let Some((_, known)) = reach.get_mut(&edge.to) else { continue };
                let before = known.len();
                known.extend(hops);
                grows |= known.len() != before;
            }
        }
        reach.remove(&root);
        reach
    }

    fn costs(&self, root: Node) -> BTreeMap<Node, u32> {
        let mut costs = BTreeMap::from([(root, 0)]);
        let mut shrinks = true;
        while shrinks {
            shrinks = false;
            for edge in &self.edges {
                let Some(from) = costs.get(&edge.from) else { continue };
                let cost = from + edge.cost;
                if costs.get(&edge.to).is_none_or(|known| cost < *known) {
                    costs.insert(edge.to, cost);
                    shrinks = true;
                }
            }
        }
        costs
    }
}

/// §16.1.1: the next hops over an edge behind `through`. A network of the root's own has no gateway; behind it,
/// the next router is one.
fn next_hops(root: Node, edge: &Edge, through: &Hops) -> Hops {
    if edge.from == root {
        return Hops::from([Hop { outlet: Outlet::Port(edge.port), gateway: edge.gateway }]);
    }
    through.iter().map(|hop| Hop { gateway: hop.gateway.or(edge.gateway), ..*hop }).collect()
}
