//! Our own LSAs: everybody gets them, in time and not too often, whoever meddles with them.

use crate::harness::{Net, id};
use crate::scene::{chain, forge, router_lsa_of};
use ospf_proto::Input;
use ospf_proto::lsa::{LsType, Lsa, LsaBody, LsaKey, LsaSpec, NetworkLsa};
use rib::message::{Protocol, Redistributed, RibMessage};
use routing_common::config::{DefaultInformation, MetricType};
use routing_common::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// How many Link State Updates r1 has sent from the `start`th captured packet on.
fn updates_of_r1(net: &Net, start: usize) -> usize {
    net.capture[start..].iter().filter(|(node, packet)| *node == 0 && packet[1] == 4).count()
}

#[test]
fn a_neighbor_that_restarts_while_our_change_waits_still_gets_our_lsa() {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    net.reconfigure(1, |c| {
        let ospf = c.ospf.as_mut().unwrap();
        ospf.interfaces.get_mut(&"eth2".parse().unwrap()).unwrap().cost = Some(17);
    });
    net.run(100 * MILLI);
    // The loss of the link waits for MinLSArrival; before that the link is back and nothing has changed.
    net.kill(0);
    net.start(0);
    net.wait(SECOND, "our LSA", |n| n.router_lsa(0, 2).is_some());
    net.wait(2 * SECOND, "routes", |n| {
        n.route(0, "10.255.0.2/32").is_some() && n.route(1, "10.255.0.1/32").is_some()
    });
    assert!(net.is_full(0, 1));
}

#[test]
fn a_newer_copy_that_says_what_we_would_say_is_outsequenced_all_the_same() {
    let mut net = chain(3);
    net.start_all();
    net.run(20 * SECOND);
    let (sequence, body) = net.router_lsa(0, 1).unwrap();
    let key = LsaKey::router(id(1));
    let spec = LsaSpec { age: 3590, options: 2, key, sequence: sequence + 10 };
    forge(&mut net, 0, 2, "10.0.1.0", 2, &Lsa::build(spec, &LsaBody::Router(body)));
    net.run(SECOND);
    for node in 0..3 {
        assert_eq!(net.router_lsa(node, 1).map(|(s, _)| s), Some(sequence + 11), "r{}", node + 1);
    }
    // It would have aged out by now.
    for _ in 0..300 {
        net.run(100 * MILLI);
        assert!(net.route(2, "10.255.0.1/32").is_some());
    }
}

#[test]
fn a_copy_that_ages_out_while_its_successor_waits_is_replaced_without_a_gap() {
    let mut net = chain(3);
    net.start_all();
    net.run(20 * SECOND);
    let (sequence, body) = net.router_lsa(0, 1).unwrap();
    let key = LsaKey::router(id(1));
    let forged = |age, more| {
        let spec = LsaSpec { age, options: 2, key, sequence: sequence + more };
        Lsa::build(spec, &LsaBody::Router(body.clone()))
    };
    // The first is answered at once, the second waits for MinLSInterval and is at its end meanwhile.
    forge(&mut net, 0, 2, "10.0.1.0", 2, &forged(1, 10));
    net.run(10 * MILLI);
    forge(&mut net, 0, 2, "10.0.1.0", 2, &forged(3599, 20));
    net.run(10 * SECOND);
    for node in 0..3 {
        assert_eq!(net.router_lsa(node, 1).map(|(s, _)| s), Some(sequence + 21), "r{}", node + 1);
    }
    assert!(net.is_synchronized());
    assert!(net.route(2, "10.255.0.1/32").is_some());
}

#[test]
fn a_hundred_forged_copies_a_second_do_not_make_a_hundred_originations() {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    let start = net.capture.len();
    for metric in 0..100 {
        let sequence = net.router_lsa(0, 1).map_or(0, |(s, _)| s);
        forge(&mut net, 0, 2, "10.0.1.0", 2, &router_lsa_of(1, sequence + 1, metric));
        net.run(10 * MILLI);
    }
    let sent = updates_of_r1(&net, start);
    assert!((1..=3).contains(&sent), "{sent}");
    net.run(20 * SECOND);
    assert!(net.is_synchronized());
    assert!(net.route(1, "10.255.0.1/32").is_some(), "ours has won");
}

fn set_default(net: &mut Net, present: bool) {
    let prefix = "0.0.0.0/0".parse().unwrap();
    let message = if present {
        let protocol = Protocol::Static;
        RibMessage::Redistribute(vec![Redistributed {
            protocol,
            prefix,
            metric: 0,
            tag: 0,
            next_hop: None,
            interface: None,
        }])
    } else {
        RibMessage::Unredistribute(vec![(Protocol::Static, prefix)])
    };
    net.input(0, Input::Rib(message));
}

#[test]
fn a_default_that_flaps_is_told_at_a_measured_pace_and_ends_right() {
    let mut net = chain(2);
    net.nodes[0].config.ospf.as_mut().unwrap().default_information = Some(DefaultInformation {
        always: false,
        metric: 10,
        metric_type: MetricType::Type2,
        route_map: None,
    });
    net.start_all();
    net.run(20 * SECOND);
    let start = net.capture.len();
    for _ in 0..100 {
        set_default(&mut net, true);
        net.run(10 * MILLI);
        set_default(&mut net, false);
        net.run(10 * MILLI);
    }
    // Two seconds: up, down, and once more after MinLSArrival.
    let sent = updates_of_r1(&net, start);
    assert!((2..=4).contains(&sent), "{sent}");
    set_default(&mut net, true);
    net.wait(10 * SECOND, "the default at last", |n| n.route(1, "0.0.0.0/0").is_some());
    set_default(&mut net, false);
    net.wait(10 * SECOND, "and gone", |n| n.route(1, "0.0.0.0/0").is_none());
}

#[test]
fn what_was_flushed_a_moment_ago_comes_back_after_min_ls_arrival() {
    let mut net = chain(2);
    net.nodes[0].config.ospf.as_mut().unwrap().default_information = Some(DefaultInformation {
        always: false,
        metric: 10,
        metric_type: MetricType::Type2,
        route_map: None,
    });
    net.start_all();
    set_default(&mut net, true);
    net.run(60 * SECOND);
    assert!(net.route(1, "0.0.0.0/0").is_some());
    // A restart: the LSA of the previous life is flushed before the RIB has told the new one of the route.
    net.kill(0);
    net.start(0);
    net.wait(5 * SECOND, "flushed", |n| n.route(1, "0.0.0.0/0").is_none());
    net.run(100 * MILLI);
    let start = net.capture.len();
    set_default(&mut net, true);
    net.run(500 * MILLI);
    assert_eq!(updates_of_r1(&net, start), 0, "a strict neighbor would drop it and wait for RxmtInterval");
    net.wait(2 * SECOND, "the default", |n| n.route(1, "0.0.0.0/0").is_some());
}

/// Both lives begin with InitialSequenceNumber, so the checksum decides which of two instances is the newer one
/// (§13.1): in one of the two directions it is that of the previous life.
#[test]
fn an_instance_of_a_previous_life_with_our_sequence_number_is_outsequenced() {
    for (first, second) in [(10, 20), (20, 10)] {
        let mut net = chain(2);
        let always = |metric| {
            Some(DefaultInformation { always: true, metric, metric_type: MetricType::Type2, route_map: None })
        };
        net.nodes[0].config.ospf.as_mut().unwrap().default_information = always(first);
        net.start_all();
        net.run(20 * SECOND);
        net.kill(0);
        net.nodes[0].config.ospf.as_mut().unwrap().default_information = always(second);
        net.start(0);
        net.run(60 * SECOND);
        assert!(net.is_full(0, 1));
        let database = ospf_proto::lsdb::DatabaseId::As;
        let default = |node: usize| {
            let mut all = net.nodes[node].engine.lsdb(database).unwrap().iter();
            all.next().map(|(_, entry)| entry.lsa.raw()[2..].to_vec())
        };
        assert!(default(0).is_some());
        assert_eq!(default(0), default(1), "metric {first}, then {second}");
    }
}

/// The update with the end of it says that it came. An acknowledgment half a second later could be taken for one of another
/// copy, which the neighbour has got from elsewhere since then and flooded to us again: nobody would end that one.
#[test]
fn an_lsa_of_a_previous_life_is_flushed_and_not_acknowledged_as_well() {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    let start = net.capture.len();
    let key = LsaKey {
        ls_type: LsType::Network,
        link_state_id: "10.9.9.1".parse().unwrap(),
        advertising_router: id(1),
    };
    let body = NetworkLsa { mask: "255.255.255.0".parse().unwrap(), attached_routers: vec![id(1), id(2)] };
    let spec = LsaSpec { age: 20, options: 2, key, sequence: -0x7fff_ffff };
    forge(&mut net, 0, 2, "10.0.1.0", 2, &Lsa::build(spec, &LsaBody::Network(body)));
    net.run(3 * SECOND);
    let sent = |packet_type: u8, place: usize| {
        let of_r1 =
            net.capture[start..].iter().filter(|(node, packet)| *node == 0 && packet[1] == packet_type);
        let headers = of_r1.flat_map(|(_, packet)| packet[place..].windows(8).map(<[u8]>::to_vec));
        headers.filter(|h| h[..] == [10, 9, 9, 1, 10, 255, 0, 1]).count()
    };
    assert_eq!(sent(4, 28), 1, "its end is flooded");
    assert_eq!(sent(5, 24), 0, "and nothing else is said of it");
}
