//! Loop-free alternates in use (RFC 5286 §4): what the RIB hears in the turn in which a neighbour is lost.
//!
//! The network is a triangle with a tail, all costs 10: r1, r2 and r3 are joined to each other, r4 to r2. For r1 the way to r2 and
//! what is behind it has r3 as its alternate.

use crate::harness::{Net, id, net as prefix};
use crate::scene::{forge, router_lsa_of};
use crate::show::{ask, text};
use ospf_proto::api::{EventsReply, FastRerouteReply, Request};
use rib::message::{ClientMessage, RouteChange};
use routing_common::config::SpfTimers;
use routing_common::id::IfIndex;
use routing_common::time::Duration;
use std::collections::BTreeSet;

const SECOND: Duration = Duration::from_secs(1);

/// r1's interfaces to r2 and r3.
const TO_R2: IfIndex = IfIndex(2);
const TO_R3: IfIndex = IfIndex(3);

fn triangle(initial_delay: Duration) -> Net {
    let mut net = Net::new(31);
    for i in 1..=4 {
        let node = net.router(i);
        net.loopback(node, &format!("10.255.0.{i}/32"));
    }
    for (a, b) in [(0, 1), (0, 2), (1, 2), (1, 3)] {
        net.p2p(a, b, &format!("10.{a}.{b}.1/31"), &format!("10.{a}.{b}.0/31"), (10, 10));
    }
    for node in &mut net.nodes {
        let ospf = node.config.ospf.as_mut().unwrap();
        ospf.fast_reroute = true;
        ospf.spf = SpfTimers { initial_delay, short_delay: 2 * SECOND, ..SpfTimers::default() };
    }
    net
}

fn started(initial_delay: Duration) -> Net {
    let mut net = triangle(initial_delay);
    net.start_all();
    net.run(90 * SECOND);
    net.nodes[0].rib_log.clear();
    net
}

/// Interface of r1's route.
fn out(net: &Net, to: &str) -> Option<IfIndex> {
    net.nodes[0].routes.get(&prefix(to)).map(|route| route.next_hops[0].ifindex)
}

/// The alternates r1 told the RIB, in the order in which it did.
fn told_alternates(net: &Net) -> Vec<(String, Option<IfIndex>)> {
    let changes = net.nodes[0].rib_log.iter().filter_map(|message| match message {
        ClientMessage::Alternates { changes, more: false } => Some(changes),
        _ => None,
    });
    changes.flatten().map(|(prefix, hop)| (prefix.to_string(), hop.map(|h| h.ifindex))).collect()
}

/// Prefixes r1 told the RIB about.
fn told(net: &Net) -> BTreeSet<String> {
    let messages = net.nodes[0].rib_log.iter().filter_map(ClientMessage::changes);
    let prefixes = messages.flatten().map(|change| match change {
        RouteChange::Replace(route) => route.prefix.to_string(),
        RouteChange::Withdraw(prefix) => format!("no {prefix}"),
    });
    prefixes.collect()
}

#[test]
fn a_lost_carrier_moves_the_routes_at_once_and_the_calculation_follows() {
    let mut net = started(SECOND);
    let cost = |net: &Net| net.nodes[0].routes[&prefix("10.255.0.4/32")].metric;
    assert_eq!((out(&net, "10.255.0.4/32"), cost(&net)), (Some(TO_R2), 20));
    let runs = net.nodes[0].engine.spf_runs().len();
    net.link_carrier(0, TO_R2, false);
    assert_eq!(net.nodes[0].engine.spf_runs().len(), runs, "it waits for its delay");
    for to in ["10.255.0.2/32", "10.255.0.4/32", "10.1.3.0/31"] {
        assert_eq!(out(&net, to), Some(TO_R3), "{to}");
    }
    // The cable between r2 and r3 was reached through both.
    let touched = ["10.1.2.0/31", "10.1.3.0/31", "10.255.0.2/32", "10.255.0.4/32"];
    assert_eq!(told(&net), touched.map(str::to_owned).into(), "and nothing else");
    assert_eq!(out(&net, "10.1.2.0/31"), Some(TO_R3));
    assert_eq!(cost(&net), 20, "the metric is the old one until it is calculated");
    let switch = net.nodes[0].engine.switches().next_back().unwrap().clone();
    assert_eq!(switch.lost, [("eth2".to_owned(), id(2))]);
    assert_eq!((switch.to_alternate, switch.to_remaining, switch.unprotected), (3, 1, 0));
    assert_eq!(net.nodes[0].engine.alternates(), None, "they were for a topology that is gone");
    net.run(10 * SECOND);
    assert_eq!((out(&net, "10.255.0.4/32"), cost(&net)), (Some(TO_R3), 30));
}

#[test]
fn the_rib_knows_the_alternates_and_hears_what_is_lost_before_what_becomes_of_routes() {
    let mut net = triangle(SECOND);
    net.start_all();
    net.run(90 * SECOND);
    let known: BTreeSet<_> = told_alternates(&net).into_iter().collect();
    let expected = [
        ("10.1.3.0/31", TO_R3),
        ("10.255.0.2/32", TO_R3),
        ("10.255.0.3/32", TO_R2),
        ("10.255.0.4/32", TO_R3),
    ];
    assert_eq!(known, expected.map(|(prefix, out)| (prefix.to_owned(), Some(out))).into());
    net.nodes[0].rib_log.clear();
    net.link_carrier(0, TO_R2, false);
    let [ClientMessage::Lost(lost), ClientMessage::Routes(_)] = net.nodes[0].rib_log.as_slice() else {
        panic!("{:?}", net.nodes[0].rib_log)
    };
    assert_eq!(lost.iter().map(|h| h.ifindex).collect::<Vec<_>>(), [TO_R2]);
    // With one neighbour left there is nowhere else to go.
    net.run(20 * SECOND);
    assert!(told_alternates(&net).iter().all(|(_, hop)| hop.is_none()), "{:?}", told_alternates(&net));
}

#[test]
fn a_small_area_that_may_calculate_at_once_does() {
    let mut net = started(Duration::ZERO);
    let runs = net.nodes[0].engine.spf_runs().len();
    net.link_carrier(0, TO_R2, false);
    assert_eq!(net.nodes[0].engine.spf_runs().len(), runs + 1);
    assert_eq!(net.nodes[0].engine.switches().len(), 0);
    assert_eq!(out(&net, "10.255.0.4/32"), Some(TO_R3));
}

/// Vertices count whether anybody reaches them or not.
#[test]
fn in_a_large_area_the_alternates_go_first_and_the_calculation_has_the_next_turn() {
    let mut net = started(Duration::ZERO);
    for n in 100..220 {
        forge(&mut net, 0, TO_R3.0, "10.0.2.0", 3, &router_lsa_of(n, 0x1000, 1));
    }
    net.run(20 * SECOND);
    net.nodes[0].rib_log.clear();
    let runs = net.nodes[0].engine.spf_runs().len();
    net.link_carrier(0, TO_R2, false);
    assert_eq!(out(&net, "10.255.0.4/32"), Some(TO_R3));
    assert_eq!((net.nodes[0].engine.spf_runs().len(), net.nodes[0].engine.switches().len()), (runs, 1));
    net.run(Duration::ZERO);
    assert_eq!(net.nodes[0].engine.spf_runs().len(), runs + 1, "at the same moment");
}

/// Its Hellos stop, the carrier stays.
#[test]
fn a_neighbour_that_falls_silent_is_left_for_the_alternate() {
    let mut net = started(SECOND);
    net.segments[0].loss_percent = 100;
    net.wait(41 * SECOND, "a switch", |n| n.nodes[0].engine.switches().len() == 1);
    let runs = |net: &Net| net.nodes[0].engine.spf_runs().next_back().unwrap().at;
    assert!(runs(&net) < net.now);
    assert_eq!(out(&net, "10.255.0.4/32"), Some(TO_R3));
}

#[test]
fn alternates_are_found_in_quiet_and_not_with_one_neighbour_or_switched_off() {
    let mut net = started(SECOND);
    // Loopbacks of the others and the cable behind r2; that between r2 and r3 has two next hops.
    assert_eq!(net.nodes[0].engine.alternates().map(|a| a.len()), Some(4));
    // r4 has one neighbour.
    assert_eq!(net.nodes[3].engine.alternates(), None);
    // HOLDDOWN_INTERVAL after the calculation that followed a change they are there again.
    net.reconfigure(1, |c| {
        let interfaces = &mut c.ospf.as_mut().unwrap().interfaces;
        interfaces.values_mut().for_each(|i| i.cost = Some(11));
    });
    net.wait(3 * SECOND, "void", |n| n.nodes[0].engine.alternates().is_none());
    let quiet = net.wait(20 * SECOND, "again", |n| n.nodes[0].engine.alternates().is_some());
    let last = net.nodes[0].engine.spf_runs().next_back().unwrap().at;
    assert_eq!(net.now.since(last), 3 * SECOND);
    assert!(quiet >= 3 * SECOND);
    net.reconfigure(0, |c| c.ospf.as_mut().unwrap().fast_reroute = false);
    assert_eq!(net.nodes[0].engine.alternates(), None);
    net.run(20 * SECOND);
    assert_eq!(net.nodes[0].engine.alternates(), None);
    net.reconfigure(0, |c| c.ospf.as_mut().unwrap().fast_reroute = true);
    net.run(3 * SECOND);
    assert!(net.nodes[0].engine.alternates().is_some());
}

#[test]
fn shows_tell_what_is_protected_and_what_was_switched() {
    let mut net = started(SECOND);
    let rows = |net: &Net| -> FastRerouteReply {
        serde_json::from_value(ask(net, 0, &Request::FastReroute).unwrap()).unwrap()
    };
    let reply = rows(&net);
    assert_eq!(reply.state, "ready");
    let counts = [reply.routes_link_and_node, reply.routes_node, reply.routes_link, reply.routes_equal_cost];
    assert_eq!((reply.routes_total, counts, reply.routes_unprotected), (5, [0, 0, 4, 1], 0));
    let shown = text(&net, 0, &Request::FastReroute);
    let line = shown.lines().find(|line| line.starts_with("10.255.0.4/32")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let wanted = ["10.255.0.4/32", "10.0.1.0,", "eth2", "link", "10.0.2.0,", "eth3", "10.255.0.3"];
    assert_eq!(words, wanted, "{shown}");
    net.link_carrier(0, TO_R2, false);
    let reply = rows(&net);
    assert_eq!((reply.state.as_str(), reply.switches, reply.routes_switched), ("waiting", 1, 3));
    let events: EventsReply = serde_json::from_value(ask(&net, 0, &Request::Events).unwrap()).unwrap();
    let row = &events.reroutes[0];
    assert_eq!(row.lost, ["10.255.0.2 on eth2"]);
    assert_eq!((row.number, row.to_alternate, row.to_remaining, row.unprotected), (1, 3, 1, 0));
    assert!(text(&net, 0, &Request::Events).contains("10.255.0.2 on eth2"));
    // What is left is one neighbour.
    net.run(20 * SECOND);
    assert_eq!(rows(&net).state, "alone");
    net.reconfigure(0, |c| c.ospf.as_mut().unwrap().fast_reroute = false);
    assert_eq!(rows(&net).state, "disabled");
}
