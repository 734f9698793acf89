//! Our own LSAs: everybody gets them, in time and not too often, whoever meddles with them.

use crate::harness::{Net, id};
use crate::scene::{chain, forge, router_lsa_of};
use ospf_proto::lsa::{LsType, Lsa, LsaBody, LsaKey, LsaSpec};
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
    let key = LsaKey { ls_type: LsType::Router, link_state_id: id(1).0, advertising_router: id(1) };
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
    let key = LsaKey { ls_type: LsType::Router, link_state_id: id(1).0, advertising_router: id(1) };
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
