//! The oracle against trying every path.
//!
//! In networks of up to six routers all paths without a repeated router can be walked. The walk knows segments
//! and ports only: no vertex for a network, no relaxation, no next hops handed on.

use ipnetwork::Ipv4Network;
use routing_common::prefix;
use routing_sim::generate::dice::Dice;
use routing_sim::generate::{Options, scenario};
use routing_sim::oracle::{Bond, Hop, Kind, Outlet, State, Table, neighborhoods, tables};
use routing_sim::scenario::{Port, Scenario, SegmentKind};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// What walking found: the least cost, and the first hops of all walks of that cost.
type Found = BTreeMap<Ipv4Network, (u32, BTreeSet<Hop>)>;

struct Walk<'a> {
    scenario: &'a Scenario,
    state: &'a State,
    visited: Vec<bool>,
    found: Found,
    /// Cost and first hops to the routers.
    routers: BTreeMap<usize, (u32, BTreeSet<Hop>)>,
}

fn note<K: Ord>(found: &mut BTreeMap<K, (u32, BTreeSet<Hop>)>, key: K, cost: u32, hop: Hop) {
    let known = found.entry(key).or_insert((cost, BTreeSet::new()));
    if cost < known.0 {
        *known = (cost, BTreeSet::new());
    }
    if cost == known.0 {
        known.1.insert(hop);
    }
}

impl Walk<'_> {
    fn is_known(&self, r: usize, p: usize, port: &Port) -> bool {
        self.state.router_up[r] && self.state.port_up[r][p] && !port.without_ospf
    }

    /// Addresses by router of those who answer this one over a port.
    fn adjacent(&self, r: usize, p: usize) -> Vec<(usize, Ipv4Addr)> {
        let port = &self.scenario.routers[r].ports[p];
        let segment = &self.scenario.segments[port.segment];
        if port.passive || !self.state.segment_passes[port.segment] {
            return Vec::new();
        }
        let mut somebody_eligible = port.priority > 0;
        let mut others = Vec::new();
        for (o, other) in self.scenario.routers.iter().enumerate() {
            for (q, end) in other.ports.iter().enumerate() {
                if o != r && end.segment == port.segment && self.is_known(o, q, end) && !end.passive {
                    somebody_eligible |= end.priority > 0;
                    others.push((o, end.address.ip()));
                }
            }
        }
        let usable = segment.kind == SegmentKind::PointToPoint || somebody_eligible;
        if usable { others } else { Vec::new() }
    }

    fn walk(&mut self, r: usize, cost: u32, first: Option<Hop>) {
        self.visited[r] = true;
        let own = Hop { outlet: Outlet::Loopback, gateway: None };
        note(&mut self.found, prefix::host(self.scenario.routers[r].loopback), cost, first.unwrap_or(own));
        if let Some(first) = first {
            note(&mut self.routers, r, cost, first);
        }
        for p in 0..self.scenario.routers[r].ports.len() {
            let port = &self.scenario.routers[r].ports[p];
            if !self.is_known(r, p, port) {
                continue;
            }
            let cost = cost + u32::from(port.cost);
            let outlet = Outlet::Port(p);
            let on_link = Hop { outlet, gateway: None };
            note(&mut self.found, prefix::canonical(port.address), cost, first.unwrap_or(on_link));
            for (next, address) in self.adjacent(r, p) {
                if !self.visited[next] {
                    let hop = Hop { outlet, gateway: Some(address) };
                    self.walk(next, cost, Some(first.unwrap_or(hop)));
                }
            }
        }
        self.visited[r] = false;
    }
}

/// Breaks some of it.
fn broken(dice: &mut Dice, scenario: &Scenario) -> State {
    let mut state = State::healthy(scenario);
    let percent = dice.weighted(&[(30, 0), (50, 10), (20, 30)]);
    let ports = state.port_up.iter_mut().flatten();
    for up in state.router_up.iter_mut().chain(ports).chain(&mut state.segment_passes) {
        *up = !dice.chance(percent);
    }
    state
}

fn internal(table: &Table, limit: usize) -> Found {
    let intra = table.iter().filter(|(_, route)| route.kind == Kind::Intra);
    intra.map(|(prefix, r)| (*prefix, (r.cost, r.hops.iter().take(limit).copied().collect()))).collect()
}

#[test]
fn every_internal_route_is_the_best_of_all_walks() {
    let options = Options { routers: 2..=6, profile: None };
    let mut ecmp = 0;
    for seed in 0..4_000 {
        let mut scenario = scenario(seed, &options);
        scenario.settings.maximum_paths = None;
        let state = broken(&mut Dice::new(!seed), &scenario);
        let got = tables(&scenario, &state);
        for root in (0..scenario.routers.len()).filter(|r| state.router_up[*r]) {
            let walk = walk_from(&scenario, &state, root);
            assert_eq!(internal(&got[root].ospf, usize::MAX), walk.found, "{} router {root}", scenario.name);
            ecmp += walk.found.values().filter(|(_, hops)| hops.len() > 1).count();
        }
    }
    assert!(ecmp > 1_000, "only {ecmp} routes with several next hops");
}

fn walk_from<'a>(scenario: &'a Scenario, state: &'a State, root: usize) -> Walk<'a> {
    let visited = vec![false; scenario.routers.len()];
    let (found, routers) = (BTreeMap::new(), BTreeMap::new());
    let mut walk = Walk { scenario, state, visited, found, routers };
    walk.walk(root, 0, None);
    walk
}

/// An exit a router sees for the default: (type 2?, metric that counts first, cost) and its first hops.
type Exit = ((bool, u32, u32), BTreeSet<Hop>);

#[test]
fn every_default_route_leads_to_the_best_exits() {
    let options = Options { routers: 2..=6, profile: None };
    let everything = prefix::default_route();
    let mut seen = 0;
    for seed in 0..4_000 {
        let mut scenario = scenario(seed, &options);
        scenario.settings.maximum_paths = None;
        for router in &mut scenario.routers {
            // What a route map makes of a default is not a matter of walks.
            router.filter = Default::default();
            if let Some(default) = &mut router.default_information {
                default.always = true;
            }
        }
        let state = broken(&mut Dice::new(!seed), &scenario);
        let got = tables(&scenario, &state);
        for root in (0..scenario.routers.len()).filter(|r| state.router_up[*r]) {
            let walk = walk_from(&scenario, &state, root);
            let mut exits: Vec<Exit> = Vec::new();
            for (r, (cost, hops)) in &walk.routers {
                let Some(default) = scenario.routers[*r].default_information else { continue };
                let metric = default.external.metric;
                let rank =
                    if default.external.type1 { (false, 0, cost + metric) } else { (true, metric, *cost) };
                exits.push((rank, hops.clone()));
            }
            let best = exits.iter().map(|(rank, _)| *rank).min();
            let hops: BTreeSet<Hop> =
                exits.iter().filter(|(rank, _)| Some(*rank) == best).flat_map(|(_, h)| h.clone()).collect();
            let route = got[root].ospf.get(&everything);
            let rank = route.map(|r| (r.kind == Kind::External2, r.type2.unwrap_or(0), r.cost));
            assert_eq!(rank, best, "{} router {root}", scenario.name);
            assert_eq!(route.map(|r| r.hops.clone()).unwrap_or_default(), hops, "{} {root}", scenario.name);
            seen += usize::from(best.is_some());
        }
    }
    assert!(seen > 1_000, "only {seen} default routes");
}

#[test]
fn neighbours_are_neighbours_of_each_other() {
    for seed in 0..1_000 {
        let scenario = scenario(seed, &Options::default());
        let state = broken(&mut Dice::new(!seed), &scenario);
        let all = neighborhoods(&scenario, &state);
        for (r, router) in scenario.routers.iter().enumerate() {
            for (p, port) in router.ports.iter().enumerate() {
                let Some(own) = &all[r][p] else { continue };
                for (o, q, _) in scenario.ends(port.segment).filter(|(o, ..)| *o != r) {
                    let other = all[o][q].as_ref();
                    let hears = |n: &BTreeSet<Ipv4Addr>, r: usize| n.contains(&scenario.routers[r].loopback);
                    let mutual = other.is_some_and(|other| hears(&other.neighbors, r));
                    assert_eq!(hears(&own.neighbors, o), mutual, "{}", scenario.name);
                    if let (true, Some(other), Bond::Designated { eligible }) = (mutual, other, &own.bond) {
                        assert_eq!(other.bond, Bond::Designated { eligible: eligible.clone() });
                    }
                }
            }
        }
    }
}
