//! The oracle against tables worked out by hand: the paper's ring with everything that may break in it, and
//! small cases of RFC 2328.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use ipnetwork::Ipv4Network;
use routing_sim::filter::Filter;
use routing_sim::generate::paper;
use routing_sim::oracle::{
    Bond, Expected, Hop, Kind, Outlet, State, Table, elections, neighborhoods, tables,
};
use routing_sim::scenario::{
    Authentication, DefaultInformation, ExternalMetric, Port, Router, Scenario, Segment, SegmentKind,
    Settings, StaticRoute,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

fn net(text: &str) -> Ipv4Network {
    text.parse().unwrap()
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

/// A cell of `tests/lab/expect/`: the next router and the cost.
fn cell(scenario: &Scenario, route: Option<&Expected>) -> String {
    let Some(route) = route else { return "none".to_owned() };
    let gateways: BTreeSet<&str> = route.hops.iter().filter_map(|h| name(scenario, h.gateway?)).collect();
    let gateways: Vec<&str> = gateways.into_iter().collect();
    match route.kind {
        Kind::Connected => "connected".to_owned(),
        Kind::Intra => format!("{} {}", gateways.join("+"), route.cost),
        _ => gateways.join("+"),
    }
}

fn name(scenario: &Scenario, address: Ipv4Addr) -> Option<&str> {
    if address == ip("192.168.1.254") {
        return Some("gw");
    }
    let has = |r: &&Router| r.ports.iter().any(|p| p.address.ip() == address);
    scenario.routers.iter().find(has).map(|r| r.name.as_str())
}

/// Segments of the paper's ring by the lab's names of its links.
fn segment(link: &str) -> usize {
    ["lan", "l23", "l34", "l45", "l51", "n1", "n2", "n3", "n4", "n5", "l12"]
        .iter()
        .position(|l| *l == link)
        .unwrap()
}

fn fail(scenario: &Scenario, what: &str, silently: bool) -> State {
    let mut state = State::healthy(scenario);
    let router = |name: &str| scenario.routers.iter().position(|r| r.name == name).unwrap();
    let words: Vec<&str> = what.split(' ').collect();
    match words[..] {
        ["router", dead] => state.router_up[router(dead)] = false,
        ["link", link] if silently => state.segment_passes[segment(link)] = false,
        ["link", link] => {
            for (r, p, _) in scenario.ends(segment(link)) {
                state.port_up[r][p] = false;
            }
        }
        ["leg", link, of] => {
            let (r, p, _) = scenario.ends(segment(link)).find(|(r, ..)| *r == router(of)).unwrap();
            state.port_up[r][p] = false;
        }
        _ => panic!("{what}"),
    }
    state
}

type Rows = BTreeMap<String, BTreeMap<String, String>>;

#[derive(serde::Deserialize)]
struct Book {
    prefixes: BTreeMap<String, Ipv4Network>,
    normal: Rows,
    states: BTreeMap<String, Rows>,
}

fn compare(scenario: &Scenario, book: &Book, what: Option<&str>, silently: bool) {
    let state = what.map_or_else(|| State::healthy(scenario), |what| fail(scenario, what, silently));
    let tables = tables(scenario, &state);
    for (r, router) in scenario.routers.iter().enumerate() {
        let dead = |name: &str| what == Some(&format!("router {name}"));
        for (word, prefix) in &book.prefixes {
            let usual = book.normal[&router.name].get(word);
            let changed = what.and_then(|w| book.states[w].get(&router.name)?.get(word));
            let behind_dead = word.strip_prefix('n').is_some_and(|n| dead(&format!("vr{n}")));
            let wanted = match changed.or(usual) {
                _ if dead(&router.name) || behind_dead => "none",
                Some(cell) => cell,
                None => "connected",
            };
            let got = cell(scenario, tables[r].rib.get(prefix));
            assert_eq!(got, wanted, "{what:?}: {word} on {}", router.name);
        }
    }
}

#[test]
fn the_papers_tables_come_out() {
    let lab = |name: &str| format!("{}/../lab/expect/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    for scenario in [paper::ring5_p(), paper::ring5_c()] {
        let text = std::fs::read_to_string(lab(&scenario.name)).unwrap();
        let book: Book = toml::from_str(&text).unwrap();
        compare(&scenario, &book, None, false);
        assert!(book.states.len() >= 10);
        for what in book.states.keys() {
            compare(&scenario, &book, Some(what), false);
            compare(&scenario, &book, Some(what), true);
        }
    }
}

#[test]
fn the_papers_virtual_router_has_one_holder() {
    let scenario = paper::ring5_p();
    let of = |state: &State| -> Vec<Vec<usize>> {
        elections(&scenario, state).into_iter().map(|e| e.candidates.into_iter().collect()).collect()
    };
    assert_eq!(of(&State::healthy(&scenario)), [[0]]);
    assert_eq!(of(&fail(&scenario, "router vr1", false)), [[1]]);
    assert_eq!(of(&fail(&scenario, "leg lan vr1", false)), [[1]]);
    assert_eq!(of(&fail(&scenario, "link lan", true)), [[0], [1]]);
    assert!(of(&fail(&scenario, "link lan", false)).is_empty());
}

/// Routers with loopbacks 1.1.1.1, 2.2.2.2, … and no ports.
fn routers(count: u8) -> Scenario {
    let router = |n: u8| Router {
        name: format!("r{n}"),
        loopback: Ipv4Addr::new(n, n, n, n),
        starts: 0,
        clock_offset: 0,
        clock_rate: 0,
        default_information: None,
        static_routes: Vec::new(),
        redistribute_static: None,
        redistribute_connected: None,
        filter: Filter::default(),
        plain_routes: false,
        ordinary_restarts: false,
        ports: Vec::new(),
    };
    Scenario {
        name: "by hand".to_owned(),
        seed: 0,
        chaos_ends: 0,
        settle: 0,
        rest: 0,
        settings: Settings::default(),
        routers: (1..=count).map(router).collect(),
        segments: Vec::new(),
        faults: Vec::new(),
    }
}

/// Joins routers (their number, cost) by a segment 10.0.S.0/24, where they have host number `number`.
fn join(scenario: &mut Scenario, kind: SegmentKind, ends: &[(u8, u16)]) -> usize {
    let segment = scenario.segments.len();
    let plain =
        Segment { kind, delay: 0, jitter: 0, mtu: 1500, authentication: Authentication::Null, vrrp: None };
    scenario.segments.push(plain);
    for (number, cost) in ends {
        let address = net(&format!("10.0.{segment}.{number}/24"));
        scenario.routers[usize::from(*number) - 1].ports.push(Port {
            segment,
            address,
            cost: *cost,
            priority: 1,
            passive: false,
            without_ospf: false,
            vrrp_priority: None,
        });
    }
    segment
}

fn cable(scenario: &mut Scenario, a: (u8, u16), b: (u8, u16)) -> usize {
    join(scenario, SegmentKind::PointToPoint, &[a, b])
}

/// OSPF's table of router `number`, nothing being broken.
fn ospf(scenario: &Scenario, number: usize) -> Table {
    tables(scenario, &State::healthy(scenario))[number - 1].ospf.clone()
}

/// Kind, cost, and next hops as `port>gateway`.
fn line(table: &Table, prefix: &str) -> String {
    let Some(route) = table.get(&net(prefix)) else { return "none".to_owned() };
    let hop = |hop: &Hop| {
        let outlet = match hop.outlet {
            Outlet::Loopback => "lo".to_owned(),
            Outlet::Port(p) => p.to_string(),
        };
        hop.gateway.map_or(outlet.clone(), |gateway| format!("{outlet}>{gateway}"))
    };
    let hops: Vec<String> = route.hops.iter().map(hop).collect();
    let type2 = route.type2.map_or(String::new(), |metric| format!(" [{metric}]"));
    format!("{:?} {}{type2} {}", route.kind, route.cost, hops.join(" "))
}

#[test]
fn a_cable_is_a_link_and_a_stub() {
    let mut two = routers(2);
    cable(&mut two, (1, 3), (2, 5));
    let table = ospf(&two, 1);
    assert_eq!(line(&table, "1.1.1.1/32"), "Intra 0 lo");
    assert_eq!(line(&table, "2.2.2.2/32"), "Intra 3 0>10.0.0.2");
    assert_eq!(line(&table, "10.0.0.0/24"), "Intra 3 0");
    // Alone on the cable, or deaf: the subnet is still announced, the other router is gone.
    let mut cut = State::healthy(&two);
    cut.segment_passes[0] = false;
    let table = &tables(&two, &cut)[0].ospf;
    assert_eq!(line(table, "2.2.2.2/32"), "none");
    assert_eq!(line(table, "10.0.0.0/24"), "Intra 3 0");
    cut.port_up[0][0] = false;
    assert_eq!(line(&tables(&two, &cut)[0].ospf, "10.0.0.0/24"), "none");
    assert_eq!(line(&tables(&two, &cut)[1].ospf, "10.0.0.0/24"), "Intra 5 0");
}

#[test]
fn one_pays_to_enter_a_network_and_not_to_leave_it() {
    let mut three = routers(3);
    join(&mut three, SegmentKind::Broadcast, &[(1, 7), (2, 100), (3, 1)]);
    let table = ospf(&three, 1);
    assert_eq!(line(&table, "10.0.0.0/24"), "Intra 7 0");
    assert_eq!(line(&table, "2.2.2.2/32"), "Intra 7 0>10.0.0.2");
    assert_eq!(line(&table, "3.3.3.3/32"), "Intra 7 0>10.0.0.3");
    assert_eq!(line(&ospf(&three, 2), "3.3.3.3/32"), "Intra 100 0>10.0.0.3");
}

#[test]
fn a_network_nearer_through_another_router_is_reached_through_it() {
    let mut three = routers(3);
    join(&mut three, SegmentKind::Broadcast, &[(1, 50), (2, 1), (3, 1)]);
    cable(&mut three, (1, 4), (2, 4));
    let table = ospf(&three, 1);
    assert_eq!(line(&table, "10.0.0.0/24"), "Intra 5 1>10.0.1.2");
    assert_eq!(line(&table, "3.3.3.3/32"), "Intra 5 1>10.0.1.2");
    let rib = &tables(&three, &State::healthy(&three))[0].rib;
    assert_eq!(rib[&net("10.0.0.0/24")].kind, Kind::Connected);
    // At the same cost both ways count, and behind the network its routers are gateways.
    three.routers[0].ports[0].cost = 5;
    let table = ospf(&three, 1);
    assert_eq!(line(&table, "10.0.0.0/24"), "Intra 5 0 1>10.0.1.2");
    assert_eq!(line(&table, "3.3.3.3/32"), "Intra 5 0>10.0.0.3 1>10.0.1.2");
}

#[test]
fn without_a_designated_router_a_lan_is_everybodys_stub() {
    let mut two = routers(2);
    join(&mut two, SegmentKind::Broadcast, &[(1, 7), (2, 9)]);
    for router in &mut two.routers {
        router.ports[0].priority = 0;
    }
    let state = State::healthy(&two);
    assert_eq!(line(&ospf(&two, 1), "2.2.2.2/32"), "none");
    assert_eq!(line(&ospf(&two, 1), "10.0.0.0/24"), "Intra 7 0");
    let neighborhood = neighborhoods(&two, &state)[0][0].clone().unwrap();
    assert_eq!((neighborhood.neighbors.len(), neighborhood.bond), (1, Bond::TwoWay));
    two.routers[1].ports[0].priority = 1;
    let eligible = BTreeSet::from([ip("2.2.2.2")]);
    let neighborhood = neighborhoods(&two, &state)[0][0].clone().unwrap();
    assert_eq!(neighborhood.bond, Bond::Designated { eligible });
    assert_eq!(line(&ospf(&two, 1), "2.2.2.2/32"), "Intra 7 0>10.0.0.2");
}

#[test]
fn a_passive_port_announces_and_does_not_speak() {
    let mut three = routers(3);
    join(&mut three, SegmentKind::Broadcast, &[(1, 7), (2, 9), (3, 2)]);
    three.routers[2].ports[0].passive = true;
    let state = State::healthy(&three);
    assert_eq!(neighborhoods(&three, &state)[2][0], None);
    assert_eq!(neighborhoods(&three, &state)[0][0].as_ref().unwrap().neighbors.len(), 1);
    assert_eq!(line(&ospf(&three, 1), "3.3.3.3/32"), "none");
    assert_eq!(line(&ospf(&three, 3), "10.0.0.0/24"), "Intra 2 0");
    assert_eq!(line(&ospf(&three, 3), "1.1.1.1/32"), "none");
}

#[test]
fn equal_ways_are_all_taken_up_to_the_limit() {
    // Two parallel cables to 2, another way over 3.
    let mut three = routers(3);
    cable(&mut three, (1, 10), (2, 10));
    cable(&mut three, (1, 10), (2, 10));
    cable(&mut three, (1, 4), (3, 4));
    cable(&mut three, (3, 6), (2, 6));
    assert_eq!(line(&ospf(&three, 1), "2.2.2.2/32"), "Intra 10 0>10.0.0.2 1>10.0.1.2 2>10.0.2.3");
    // The subnet between 3 and 2 from both sides: 4 + 6 and 10 + 6.
    assert_eq!(line(&ospf(&three, 1), "10.0.3.0/24"), "Intra 10 2>10.0.2.3");
    three.settings.maximum_paths = Some(2);
    assert_eq!(line(&ospf(&three, 1), "2.2.2.2/32"), "Intra 10 0>10.0.0.2 1>10.0.1.2");
}

/// 1 in the middle, 2 at cost 10 and 3 at cost 20 announce a default.
fn two_exits(second: ExternalMetric, third: ExternalMetric) -> Scenario {
    let mut three = routers(3);
    cable(&mut three, (1, 10), (2, 10));
    cable(&mut three, (1, 20), (3, 20));
    three.routers[1].default_information = Some(DefaultInformation { always: true, external: second });
    three.routers[2].default_information = Some(DefaultInformation { always: true, external: third });
    three
}

#[test]
fn exits_are_compared_by_type_then_metric_then_distance() {
    let type1 = |metric| ExternalMetric { metric, type1: true };
    let type2 = |metric| ExternalMetric { metric, type1: false };
    let at = |a, b| line(&ospf(&two_exits(a, b), 1), "0.0.0.0/0");
    let (near, far) = ("0>10.0.0.2", "1>10.0.1.3");
    assert_eq!(at(type2(10), type2(10)), format!("External2 10 [10] {near}"));
    assert_eq!(at(type2(10), type2(9)), format!("External2 20 [9] {far}"));
    assert_eq!(at(type2(1), type1(5_000)), format!("External1 5020 {far}"));
    assert_eq!(at(type1(15), type1(5)), format!("External1 25 {near} {far}"));
    assert_eq!(at(type1(16), type1(5)), format!("External1 25 {far}"));
    // Equal in all: both. An exit does not take its own announcement, but the other's.
    let mut even = two_exits(type2(10), type2(10));
    even.routers[0].ports[1].cost = 10;
    assert_eq!(line(&ospf(&even, 1), "0.0.0.0/0"), format!("External2 10 [10] {near} {far}"));
    assert_eq!(line(&ospf(&even, 2), "0.0.0.0/0"), "External2 20 [10] 0>10.0.0.1");
}

#[test]
fn a_default_is_announced_while_there_is_one_to_announce() {
    let type2 = ExternalMetric { metric: 10, type1: false };
    let mut scenario = two_exits(type2, type2);
    for router in &mut scenario.routers[1..] {
        router.default_information = Some(DefaultInformation { always: false, external: type2 });
    }
    assert_eq!(line(&ospf(&scenario, 1), "0.0.0.0/0"), "none");
    let lan = join(&mut scenario, SegmentKind::Broadcast, &[(2, 1)]);
    let gateway = Some(ip("10.0.2.254"));
    let default = StaticRoute { prefix: net("0.0.0.0/0"), via: gateway };
    scenario.routers[1].static_routes.push(default.clone());
    scenario.routers[2].static_routes.push(default);
    // Router 3 has the same static route, but no port in that subnet: only 2 announces.
    assert_eq!(line(&ospf(&scenario, 1), "0.0.0.0/0"), "External2 10 [10] 0>10.0.0.2");
    let all = tables(&scenario, &State::healthy(&scenario));
    assert_eq!(line(&all[1].rib, "0.0.0.0/0"), "Static 0 1>10.0.2.254");
    assert_eq!(line(&all[2].rib, "0.0.0.0/0"), "External2 30 [10] 0>10.0.1.1");
    // The gateway's LAN is down.
    let mut state = State::healthy(&scenario);
    state.port_up[1][1] = false;
    assert_eq!(scenario.routers[1].ports[1].segment, lan);
    assert_eq!(line(&tables(&scenario, &state)[0].ospf, "0.0.0.0/0"), "none");
    // A RIB nobody runs knows no static route.
    scenario.settings.without_rib = true;
    assert_eq!(line(&ospf(&scenario, 1), "0.0.0.0/0"), "none");
}

#[test]
fn redistribution_leaves_out_what_ospf_has_and_the_default() {
    let mut two = routers(2);
    cable(&mut two, (1, 10), (2, 10));
    join(&mut two, SegmentKind::Broadcast, &[(2, 1)]);
    let outside = join(&mut two, SegmentKind::Broadcast, &[(2, 1)]);
    let port = two.routers[1].ports.iter_mut().find(|p| p.segment == outside).unwrap();
    port.without_ospf = true;
    two.routers[1].redistribute_connected = Some(ExternalMetric { metric: 20, type1: false });
    two.routers[1].redistribute_static = Some(ExternalMetric { metric: 5, type1: true });
    for (prefix, via) in [("0.0.0.0/0", None), ("198.18.0.0/24", None), ("198.18.1.0/24", Some("10.9.9.9"))] {
        two.routers[1].static_routes.push(StaticRoute { prefix: net(prefix), via: via.map(ip) });
    }
    let table = ospf(&two, 1);
    assert_eq!(line(&table, "10.0.2.0/24"), "External2 10 [20] 0>10.0.0.2");
    assert_eq!(line(&table, "10.0.1.0/24"), "Intra 11 0>10.0.0.2");
    assert_eq!(line(&table, "198.18.0.0/24"), "External1 15 0>10.0.0.2");
    assert_eq!(line(&table, "198.18.1.0/24"), "none");
    assert_eq!(line(&table, "0.0.0.0/0"), "none");
    assert_eq!(table.len(), 6);
}

#[test]
fn equals_and_the_patient_stay_as_they_are() {
    let mut scenario = paper::ring5_p();
    let group = scenario.segments[0].vrrp.as_mut().unwrap();
    group.preempt = false;
    let healthy = State::healthy(&scenario);
    assert_eq!(elections(&scenario, &healthy)[0].candidates.len(), 2);
    scenario.routers[1].ports[0].vrrp_priority = Some(255);
    assert_eq!(elections(&scenario, &healthy)[0].candidates, BTreeSet::from([1]));
    scenario.segments[0].vrrp.as_mut().unwrap().preempt = true;
    scenario.routers[1].ports[0].vrrp_priority = Some(200);
    assert_eq!(elections(&scenario, &healthy)[0].candidates.len(), 2);
}
