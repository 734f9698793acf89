//! The ring of five servers with one LAN, two ways out and a network of virtual machines behind each: which
//! way every packet goes in the normal state and after every single failure.
//!
//! ```text
//!    ====== LAN 192.168.1.0/24 ======
//!       |10                     |10
//!      VR1                     VR2
//!       |15                     |15
//!       |10                     |10
//!      VR5 15 --- 10 VR4 15 --- 15 VR3
//! ```
//!
//! Numbers are costs of the interfaces. VM network i is 10.10.i.0/24 with cost 10.

use crate::harness::{Net, ip, net as prefix, ospf_interface};
use ospf_proto::Input;
use rib::message::{Protocol, Redistributed, RibMessage};
use routing_common::config::{DefaultInformation, MetricType, NetworkType};
use routing_common::time::Duration;
use std::collections::BTreeMap;

const SECOND: Duration = Duration::from_secs(1);

/// Segments by name.
struct Ring {
    net: Net,
    lan: usize,
    links: [(&'static str, usize); 4],
}

fn ring() -> Ring {
    let mut net = Net::new(5);
    for i in 1..=5 {
        let node = net.router(i);
        net.loopback(node, &format!("10.255.0.{i}/32"));
        let mut vms = ospf_interface(NetworkType::Broadcast, 10);
        vms.passive = true;
        net.interface(node, &format!("10.10.{i}.1/24"), vms);
    }
    let lan = ospf_interface(NetworkType::Broadcast, 10);
    let e1 = net.interface(0, "192.168.1.1/24", lan.clone());
    let e2 = net.interface(1, "192.168.1.2/24", lan);
    let lan = net.segment(&[(0, e1), (1, e2)]);
    let mut p2p = |a: usize, b: usize, name: &'static str, costs| {
        let address = |n: usize| format!("172.16.{name}.{}/24", n + 1);
        (name, net.p2p(a, b, &address(a), &address(b), costs))
    };
    let links = [
        p2p(4, 0, "51", (10, 15)),
        p2p(1, 2, "23", (15, 10)),
        p2p(2, 3, "34", (15, 15)),
        p2p(3, 4, "45", (10, 15)),
    ];
    net.settings(|s| {
        s.hello_interval = SECOND;
        s.dead_interval = 4 * SECOND;
    });
    for exit in [0, 1] {
        net.nodes[exit].config.ospf.as_mut().unwrap().default_information = Some(DefaultInformation {
            always: false,
            metric: 10,
            metric_type: MetricType::Type2,
            route_map: None,
        });
    }
    net.start_all();
    for exit in [0, 1] {
        tell_default(&mut net, exit);
    }
    net.run(60 * SECOND);
    Ring { net, lan, links }
}

fn tell_default(net: &mut Net, node: usize) {
    let route = Redistributed {
        protocol: Protocol::Static,
        prefix: prefix("0.0.0.0/0"),
        metric: 0,
        tag: 0,
        next_hop: None,
        interface: None,
    };
    net.input(node, Input::Rib(RibMessage::Redistribute(vec![route])));
}

/// The route of router `at` to VM network `n` as "VR2 30".
fn vm(net: &Net, at: usize, n: usize) -> String {
    match net.route(at - 1, &format!("10.10.{n}.0/24")) {
        Some((gateway, cost)) => format!("VR{} {cost}", gateway.octets()[3]),
        None => "none".to_owned(),
    }
}

fn default_of(net: &Net, at: usize) -> String {
    match net.route(at - 1, "0.0.0.0/0") {
        Some((gateway, _)) => format!("VR{}", gateway.octets()[3]),
        None => "none".to_owned(),
    }
}

/// Checks rows of "VR3: def VR2, N1 VR2 30"; a router's cells that are not named are not checked.
#[track_caller]
fn expect(net: &Net, what: &str, rows: &[&str]) {
    for row in rows {
        let (at, cells) = row.split_once(": ").unwrap();
        let at: usize = at[2..].parse().unwrap();
        for cell in cells.split(", ") {
            let (target, wanted) = cell.split_once(' ').unwrap();
            let got = match target {
                "def" => default_of(net, at),
                n => vm(net, at, n[1..].parse().unwrap()),
            };
            assert_eq!(got, wanted, "{what}: VR{at} to {target}");
        }
    }
}

const NORMAL: [&str; 5] = [
    "VR1: N2 VR2 20, N3 VR2 35, N4 VR5 40, N5 VR5 25",
    "VR2: N1 VR1 20, N3 VR3 25, N4 VR3 40, N5 VR1 35",
    "VR3: def VR2, N1 VR2 30, N2 VR2 20, N4 VR4 25, N5 VR4 35",
    "VR4: def VR5, N1 VR5 30, N2 VR3 35, N3 VR3 25, N5 VR5 20",
    "VR5: def VR1, N1 VR1 20, N2 VR1 30, N3 VR4 40, N4 VR4 25",
];

#[test]
fn every_router_goes_the_planned_way() {
    let ring = ring();
    expect(&ring.net, "normal", &NORMAL);
    assert!(ring.net.is_synchronized());
}

#[test]
fn every_single_router_failure_has_its_table_and_heals() {
    let cases: [(usize, &[&str]); 5] = [
        (
            1,
            &[
                "VR2: N3 VR3 25, N4 VR3 40, N5 VR3 50",
                "VR3: def VR2, N2 VR2 20, N4 VR4 25, N5 VR4 35",
                "VR4: def VR3, N2 VR3 35, N3 VR3 25, N5 VR5 20",
                "VR5: def VR4, N2 VR4 50, N3 VR4 40, N4 VR4 25",
            ],
        ),
        (
            2,
            &[
                "VR1: N3 VR5 55, N4 VR5 40, N5 VR5 25",
                "VR3: def VR4, N1 VR4 45, N4 VR4 25",
                "VR4: def VR5, N1 VR5 30",
                "VR5: def VR1, N1 VR1 20",
            ],
        ),
        (3, &["VR2: N4 VR1 50, N5 VR1 35", "VR4: N2 VR5 40"]),
        (4, &["VR3: N5 VR2 45", "VR5: N3 VR1 45"]),
        (5, &["VR1: N4 VR2 50", "VR4: def VR3, N1 VR3 45"]),
    ];
    for (dead, rows) in cases {
        let mut ring = ring();
        ring.net.kill(dead - 1);
        ring.net.run(30 * SECOND);
        expect(&ring.net, &format!("VR{dead} dead"), rows);
        for at in (1..=5).filter(|at| *at != dead) {
            assert_eq!(vm(&ring.net, at, dead), "none", "VR{at} still knows the dead VR{dead}");
        }
        ring.net.start(dead - 1);
        if dead <= 2 {
            tell_default(&mut ring.net, dead - 1);
        }
        ring.net.run(30 * SECOND);
        expect(&ring.net, &format!("VR{dead} back"), &NORMAL);
        assert!(ring.net.is_synchronized());
    }
}

#[test]
fn every_single_link_failure_is_detoured_within_a_tenth_of_a_second_and_heals() {
    let cases: [(&str, &[&str]); 4] = [
        (
            "23",
            &[
                "VR1: N3 VR5 55",
                "VR2: N3 VR1 65, N4 VR1 50",
                "VR3: def VR4, N1 VR4 45, N2 VR4 55",
                "VR4: N2 VR5 40",
            ],
        ),
        (
            "34",
            &["VR2: N4 VR1 50", "VR3: N4 VR2 60, N5 VR2 45", "VR4: N2 VR5 40, N3 VR5 55", "VR5: N3 VR1 45"],
        ),
        (
            "45",
            &[
                "VR1: N4 VR2 50",
                "VR3: N5 VR2 45",
                "VR4: def VR3, N1 VR3 45, N5 VR3 60",
                "VR5: N3 VR1 45, N4 VR1 60",
            ],
        ),
        (
            "51",
            &[
                "VR1: N3 VR2 35, N4 VR2 50, N5 VR2 60",
                "VR2: N5 VR3 50",
                "VR4: def VR3, N1 VR3 45",
                "VR5: def VR4, N1 VR4 60, N2 VR4 50",
            ],
        ),
    ];
    let mut ring = ring();
    for (name, rows) in cases {
        let segment = ring.links.iter().find(|(n, _)| *n == name).unwrap().1;
        ring.net.carrier(segment, false);
        ring.net.run(SECOND / 10);
        expect(&ring.net, &format!("link {name} down"), rows);
        ring.net.run(30 * SECOND);
        ring.net.carrier(segment, true);
        ring.net.run(SECOND / 10);
        expect(&ring.net, &format!("link {name} back"), &NORMAL);
        ring.net.run(30 * SECOND);
        assert!(ring.net.is_synchronized());
    }
}

#[test]
fn the_lan_leg_of_vr1_cut_with_carrier_loss() {
    let mut ring = ring();
    let (node, ifindex) = ring.net.segments[ring.lan].ends[0];
    ring.net.link_carrier(node, ifindex, false);
    // The static default went with the link.
    let gone = vec![(Protocol::Static, prefix("0.0.0.0/0"))];
    ring.net.input(node, Input::Rib(RibMessage::Unredistribute(gone)));
    ring.net.run(20 * SECOND);
    expect(
        &ring.net,
        "LAN leg of VR1",
        &[
            "VR1: def VR5, N2 VR5 65, N3 VR5 55, N4 VR5 40, N5 VR5 25",
            "VR2: N1 VR3 60, N3 VR3 25, N4 VR3 40, N5 VR3 50",
            "VR3: def VR2, N1 VR4 45, N2 VR2 20, N4 VR4 25, N5 VR4 35",
            "VR4: def VR3, N1 VR5 30, N2 VR3 35, N3 VR3 25, N5 VR5 20",
            "VR5: def VR4, N1 VR1 20, N2 VR4 50, N3 VR4 40, N4 VR4 25",
        ],
    );
    assert_eq!(ring.net.route(2, "192.168.1.0/24"), Some((ip("172.16.23.2"), 20)));
}

/// How long, in milliseconds, the kernel of a returning router may take for its routes.
const KERNEL: usize = 20;

/// Does a packet from one router to VM network `n` arrive? The router `lame` does not pass on what
/// `is_ready` does not say it can.
fn arrives(net: &Net, from: usize, n: usize, lame: usize, is_ready: impl Fn(usize) -> bool) -> bool {
    let mut at = from;
    for _ in 0..5 {
        if at == n {
            return true;
        }
        match net.route(at - 1, &format!("10.10.{n}.0/24")) {
            Some((gateway, _)) if at != lame || is_ready(n) => at = usize::from(gateway.octets()[3]),
            _ => return false,
        }
    }
    false
}

/// What max-metric at the start (RFC 6987) would be for: that a router is not sent what it cannot pass on
/// yet. It has the whole database, and has calculated, when its first adjacency is Full, and only then is
/// it in anybody's tree; the others hear of it one after the other, and calculate.
#[test]
fn a_returning_router_can_pass_on_whatever_it_is_sent() {
    for returning in 1..=5 {
        let Ring { mut net, .. } = ring();
        net.kill(returning - 1);
        net.run(30 * SECOND);
        net.start(returning - 1);
        if returning <= 2 {
            tell_default(&mut net, returning - 1);
        }
        let others = || (1..=5).filter(move |r| *r != returning);
        let mut learned = BTreeMap::new();
        for ms in 0..5_000 {
            net.run(Duration::from_millis(1));
            for n in others().filter(|n| vm(&net, returning, *n) != "none") {
                learned.entry(n).or_insert(ms);
            }
            let is_ready = |n: usize| learned.get(&n).is_some_and(|at| ms >= at + KERNEL);
            for (from, n) in others().flat_map(|from| others().map(move |n| (from, n))) {
                assert!(
                    arrives(&net, from, n, returning, is_ready),
                    "{ms} ms after VR{returning} came back: VR{from} to N{n}"
                );
            }
        }
        expect(&net, "healed", &NORMAL);
    }
}
