//! Thousands of routes that move with one write.

use crate::lab::{Client, INTERFACES, Lab, OSPF, eventually, route};
use crate::started;
use rib::message::{ClientMessage, NextHop, RibMessage, Route, RouteChange};
use routing_common::control::Outcome;
use serde_json::json;
use std::ops::Range;
use std::time::Instant;

const MANY: u32 = 10_000;

fn routes(range: Range<u32>, hops: &[NextHop]) -> Vec<Route> {
    range.map(|i| route(&format!("32.{}.{}.0/24", i / 256, i % 256), hops)).collect()
}

/// Tells a change as ospfd does and waits until the kernel has it; gives the routes and objects written.
fn change(lab: &Lab, client: &mut Client, routes: Vec<Route>, number: u64) -> (u64, u64) {
    let before = written(lab);
    let changes: Vec<RouteChange> = routes.into_iter().map(RouteChange::Replace).collect();
    let (count, start) = (changes.len(), Instant::now());
    ClientMessage::routes(changes, 1000).for_each(|message| client.say(&message));
    client.say(&ClientMessage::FibBarrier(number));
    assert_eq!(client.hear(), RibMessage::FibDone(number));
    println!("{count} routes within {:?}", start.elapsed());
    let after = written(lab);
    (after.0 - before.0, after.1 - before.1)
}

fn written(lab: &Lab) -> (u64, u64) {
    let Outcome::Done(shown) = lab.ask(json!("system")) else { panic!("refused") };
    let count = |what: &str| shown[what].as_u64().unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(count("failures"), 0, "{shown}");
    (count("installs"), count("retargets"))
}

fn lead(lab: &Lab, range: Range<u32>, gateways: &[&str]) -> bool {
    let shown = lab.ip("route show root 32.0.0.0/8");
    let count = shown.split("\n32.").filter(|r| gateways.iter().all(|g| r.contains(g))).count();
    let asked = [range.start, range.end / 2 + range.start / 2, range.end - 1].map(|i| {
        let got = lab.ip(&format!("route get 32.{}.{}.7", i / 256, i % 256));
        gateways.iter().any(|g| got.contains(g))
    });
    assert!(count >= range.len(), "{count} of {} by {gateways:?}", range.len());
    asked == [true; 3]
}

#[test]
fn ten_thousand_routes_of_a_dead_neighbour_move_with_one_write_and_back() {
    let lab = started(&format!("{INTERFACES}{OSPF}"));
    let (a, b) = (lab.hop("10.0.1.2", "eth1"), lab.hop("192.168.1.2", "eth0"));
    let mut client = lab.client();
    client.synchronise(routes(0..MANY, &[a]));
    assert!(lead(&lab, 0..MANY, &["via 10.0.1.2 dev eth1"]));
    for number in 0..2 {
        // All but the three networks of the neighbour itself; only the first time they have to be taken off.
        let rest = if number == 0 { 3 } else { 0 };
        assert_eq!(change(&lab, &mut client, routes(3..MANY, &[b]), number), (rest, 1));
        assert!(lead(&lab, 0..3, &["via 10.0.1.2 dev eth1"]));
        assert!(lead(&lab, 3..MANY, &["via 192.168.1.2 dev eth0"]));
        assert_eq!(change(&lab, &mut client, routes(3..MANY, &[a, b]), number), (0, 1));
        assert!(lead(&lab, 3..MANY, &["via 10.0.1.2 dev eth1", "via 192.168.1.2 dev eth0"]));
        assert_eq!(change(&lab, &mut client, routes(3..MANY, &[a]), number), (0, 1));
        assert!(lead(&lab, 0..MANY, &["via 10.0.1.2 dev eth1"]));
    }
}

/// Two objects stand for the same afterwards. A successor finds them and changes nothing.
#[test]
fn what_moved_outlives_a_killed_ribd() {
    let mut lab = started(&format!("{INTERFACES}{OSPF}"));
    let (a, b) = (lab.hop("10.0.1.2", "eth1"), lab.hop("192.168.1.2", "eth0"));
    let mut client = lab.client();
    client.synchronise([routes(0..500, &[a]), routes(500..1000, &[b])].concat());
    assert_eq!(change(&lab, &mut client, routes(0..500, &[b]), 1), (0, 1));
    assert!(lead(&lab, 0..1000, &["via 192.168.1.2 dev eth0"]));
    let before = lab.ip("route");
    lab.kill();
    lab.start();
    let monitor = lab.monitor();
    let mut client = lab.client();
    client.synchronise(routes(0..1000, &[b]));
    assert_eq!(monitor.finish(), "", "events of a restart");
    assert_eq!(lab.ip("route"), before);
    assert_eq!(change(&lab, &mut client, routes(0..500, &[a]), 2), (0, 1));
    assert!(lead(&lab, 0..500, &["via 10.0.1.2 dev eth1"]));
    assert!(lead(&lab, 500..1000, &["via 192.168.1.2 dev eth0"]));
}

/// `ospfd` says which neighbour is dead, and what it then says of each route is what the kernel has already.
#[test]
fn ten_thousand_routes_go_over_to_their_alternate_on_one_word() {
    let lab = started(&format!("{INTERFACES}{OSPF}"));
    let (a, b) = (lab.hop("10.0.1.2", "eth1"), lab.hop("192.168.1.2", "eth0"));
    let mut client = lab.client();
    client.synchronise(routes(0..MANY, &[a]));
    let known: Vec<_> = routes(0..MANY, &[a]).into_iter().map(|r| (r.prefix, Some(b))).collect();
    ClientMessage::alternates(&known, 1000).for_each(|message| client.say(&message));
    client.say(&ClientMessage::Lost(vec![a]));
    eventually("the first and the last are there", || {
        lab.ip("route get 32.0.0.7").contains("via 192.168.1.2")
            && lab.ip("route get 32.39.15.7").contains("via 192.168.1.2")
    });
    assert_eq!(change(&lab, &mut client, routes(0..MANY, &[b]), 1), (0, 0));
    assert!(lead(&lab, 0..MANY, &["via 192.168.1.2 dev eth0"]));
}
