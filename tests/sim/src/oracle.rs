//! What the routes, adjacencies and virtual routers ought to be, from the true topology alone.
//!
//! A deliberately plain computation that shares nothing with the engines: it knows no LSA, no database and no
//! priority queue. [`graph`] relaxes every edge until nothing becomes shorter; [`outside`] says who brings which
//! routes in; this module puts the tables together by RFC 2328 §16; [`company`] says who must be adjacent to
//! whom and which router may hold a virtual address.
//!
//! Taken as facts of the product, not of the RFC:
//! * OSPF's table has entries for the router's own networks and its own loopback address (cost 0).
//! * The RIB prefers connected (0) to static (1) to OSPF (110) and is not offered one's own loopback by OSPF.
//! * A static gateway must lie in the subnet of a port that is up. The generator makes no others.
//! * `redistribute static` leaves the default route out, `redistribute connected` what OSPF itself announces.
//! * A distribute list and then a route map judge what is redistributed, the route map alone judges the default route,
//!   which goes out unchanged if it is announced `always` and denied ([`crate::filter`]).
//! * Of more equal paths than `maximum-paths` the first by interface, then gateway, are kept.
//!
//! A difference of keys or MTU is a fault that is over before a network comes to rest; it is not looked at.

mod company;
mod graph;
mod outside;

use crate::scenario::{ExternalMetric, PortIndex, RouterIndex, Scenario};
pub use company::{Bond, Election, Neighborhood, elections, neighborhoods};
use graph::{Graph, Node, Reach};
use ipnetwork::Ipv4Network;
use outside::Outside;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What `maximum-paths` is when nobody says otherwise.
const MAXIMUM_PATHS: usize = 64;

/// What is true of the hardware at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Routers with power.
    pub router_up: Vec<bool>,
    /// Ports that are administratively up and have carrier, by router.
    pub port_up: Vec<Vec<bool>>,
    /// Segments that are not silently cut.
    pub segment_passes: Vec<bool>,
}

impl State {
    /// Nothing is broken.
    pub fn healthy(scenario: &Scenario) -> Self {
        Self {
            router_up: vec![true; scenario.routers.len()],
            port_up: scenario.routers.iter().map(|r| vec![true; r.ports.len()]).collect(),
            segment_passes: vec![true; scenario.segments.len()],
        }
    }

    /// Can this port send?
    pub fn is_up(&self, router: RouterIndex, port: PortIndex) -> bool {
        self.router_up[router] && self.port_up[router][port]
    }
}

/// Where packets leave a router. The loopback comes before all ports, as its index does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outlet {
    /// The router itself.
    Loopback,
    /// A port by its place.
    Port(PortIndex),
}

/// A next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hop {
    /// Where packets leave.
    pub outlet: Outlet,
    /// To whom; `None` when the destination is on the link.
    pub gateway: Option<Ipv4Addr>,
}

/// Next hops of equal cost.
pub type Hops = BTreeSet<Hop>;

/// Where a route comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A network of the router's own.
    Connected,
    /// From the configuration.
    Static,
    /// From the configuration; drops what matches.
    Blackhole,
    /// OSPF, inside the area.
    Intra,
    /// OSPF, type 1 external.
    External1,
    /// OSPF, type 2 external.
    External2,
}

/// A route as it ought to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Where it comes from.
    pub kind: Kind,
    /// OSPF's cost, for type 1 with the external metric, for type 2 that to the boundary router; otherwise 0.
    pub cost: u32,
    /// The type 2 metric, only for [`Kind::External2`].
    pub type2: Option<u32>,
    /// All its next hops; none for [`Kind::Blackhole`].
    pub hops: Hops,
}

/// Routes by destination.
pub type Table = BTreeMap<Ipv4Network, Expected>;

/// What one router ought to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tables {
    /// OSPF's own routing table.
    pub ospf: Table,
    /// The RIB's selected routes; empty without a RIB.
    pub rib: Table,
}

/// The tables of all routers; those of one without power are empty.
pub fn tables(scenario: &Scenario, state: &State) -> Vec<Tables> {
    let graph = Graph::of(scenario, state);
    let all = 0..scenario.routers.len();
    let outside: Vec<Outside> = all.clone().map(|r| Outside::of(scenario, state, r)).collect();
    all.map(|r| {
        if state.router_up[r] { of_router(scenario, state, &graph, &outside, r) } else { Tables::default() }
    })
    .collect()
}

fn of_router(
    scenario: &Scenario,
    state: &State,
    graph: &Graph,
    outside: &[Outside],
    root: RouterIndex,
) -> Tables {
    let reach = graph.reach(root);
    let mut ospf = internal(graph, &reach, root);
    let internal: BTreeSet<Ipv4Network> = ospf.keys().copied().collect();
    for (boundary, there) in outside.iter().enumerate().filter(|(r, _)| *r != root) {
        let Some((cost, hops)) = reach.get(&Node::Router(boundary)) else { continue };
        for (prefix, external) in &there.announced {
            // §16.4 (6) (a): internal paths are always preferred.
            if internal.contains(prefix) {
                continue;
            }
            let route = if external.type1 {
                let cost = cost.saturating_add(external.metric);
                Expected { kind: Kind::External1, cost, type2: None, hops: hops.clone() }
            } else {
                let (cost, type2) = (*cost, Some(external.metric));
                Expected { kind: Kind::External2, cost, type2, hops: hops.clone() }
            };
            offer(&mut ospf, *prefix, route);
        }
    }
    let most = scenario.settings.maximum_paths.map_or(MAXIMUM_PATHS, usize::from);
    for route in ospf.values_mut() {
        route.hops = route.hops.iter().take(most).copied().collect();
    }
    let rib =
        if scenario.settings.without_rib { Table::new() } else { rib(scenario, state, &ospf, outside, root) };
    Tables { ospf, rib }
}

/// §16.1 (4) and the second stage: transit networks and stubs, at the least cost over all ways.
fn internal(graph: &Graph, reach: &Reach, root: RouterIndex) -> Table {
    let mut table = Table::new();
    let intra = |cost, hops| Expected { kind: Kind::Intra, cost, type2: None, hops };
    for (segment, prefix) in &graph.networks {
        if let Some((cost, hops)) = reach.get(&Node::Network(*segment)) {
            offer(&mut table, *prefix, intra(*cost, hops.clone()));
        }
    }
    for stub in &graph.stubs {
        if stub.router == root {
            let own = Hops::from([Hop { outlet: stub.outlet, gateway: None }]);
            offer(&mut table, stub.prefix, intra(stub.cost, own));
        } else if let Some((cost, hops)) = reach.get(&Node::Router(stub.router)) {
            offer(&mut table, stub.prefix, intra(cost + stub.cost, hops.clone()));
        }
    }
    table
}

/// Keeps the better of two routes, or both ways if they are equally good. What is better is §16.4 (6): type 1
/// before type 2, then the type 2 metric, then the cost; [`Kind`] is in that order, and so are the fields.
fn offer(table: &mut Table, prefix: Ipv4Network, route: Expected) {
    let rank = |r: &Expected| (r.kind, r.type2, r.cost);
    match table.get_mut(&prefix) {
        Some(known) if rank(known) == rank(&route) => known.hops.extend(route.hops),
        Some(known) if rank(known) < rank(&route) => {}
        _ => {
            table.insert(prefix, route);
        }
    }
}

/// Connected before static before OSPF.
fn rib(scenario: &Scenario, state: &State, ospf: &Table, outside: &[Outside], root: RouterIndex) -> Table {
    let gateways = |route: &Expected| route.hops.iter().any(|hop| hop.gateway.is_some());
    let offered = ospf.iter().filter(|(prefix, route)| prefix.prefix() < 32 || gateways(route));
    let mut table: Table = offered.map(|(prefix, route)| (*prefix, route.clone())).collect();
    table.extend(outside[root].statics.iter().map(|(prefix, route)| (*prefix, route.clone())));
    table.extend(outside::connected(scenario, state, root));
    table
}

/// What every router announces as AS-external-LSAs; nothing without power.
pub fn announced(scenario: &Scenario, state: &State) -> Vec<BTreeMap<Ipv4Network, ExternalMetric>> {
    (0..scenario.routers.len()).map(|r| Outside::of(scenario, state, r).announced).collect()
}
