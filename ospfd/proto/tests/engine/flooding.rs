//! Flooding, ageing and origination, seen from outside.

use crate::harness::{Net, id, ip, net as prefix, ospf_interface};
use crate::scene::{chain, forge, has_link_to, metric_held, router_lsa_of};
use ospf_proto::Input;
use ospf_proto::constants::{INITIAL_SEQUENCE, MAX_AGE, MAX_SEQUENCE};
use ospf_proto::lsa::{ExternalLsa, LsType, Lsa, LsaBody, LsaKey, LsaSpec};
use ospf_proto::lsdb::DatabaseId;
use rib::message::{Protocol, Redistributed, RibMessage};
use routing_common::config::{DefaultInformation, MetricType, NetworkType, RedistributePolicy};
use routing_common::id::AreaId;
use routing_common::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

#[test]
fn a_chain_of_six_starts_cold_within_a_second() {
    let mut net = chain(6);
    net.start_all();
    let took = net.wait(5 * SECOND, "routes end to end", |n| {
        n.route(0, "10.255.0.6/32").is_some() && n.route(5, "10.255.0.1/32").is_some()
    });
    assert!(took < 300 * MILLI, "{took:?}");
    net.run(10 * SECOND);
    assert!(net.is_synchronized());
    assert_eq!(net.route(0, "10.255.0.6/32"), Some((ip("10.0.1.0"), 50)));
}

#[test]
fn a_fifth_of_all_packets_lost_delays_but_does_not_prevent() {
    let mut net = chain(4);
    net.settings(|s| {
        s.hello_interval = SECOND;
        s.dead_interval = 10 * SECOND;
        s.retransmit_interval = SECOND;
    });
    for segment in &mut net.segments {
        segment.loss_percent = 20;
    }
    net.start_all();
    net.wait(60 * SECOND, "synchronized", |n| {
        n.is_synchronized() && (0..3).all(|i| n.is_full(i, i + 1)) && n.route(0, "10.255.0.4/32").is_some()
    });
}

#[test]
fn lsas_before_min_ls_arrival_are_held_and_the_newest_wins() {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    let send = |net: &mut Net, n: i32| {
        let metric = u16::try_from(n).unwrap();
        forge(net, 0, 2, "10.0.1.0", 2, &router_lsa_of(77, INITIAL_SEQUENCE + n, metric));
    };
    send(&mut net, 1);
    assert_eq!(metric_held(&net, 0, 77), Some(1));
    net.run(100 * MILLI);
    send(&mut net, 2);
    send(&mut net, 4);
    send(&mut net, 3);
    assert_eq!(metric_held(&net, 0, 77), Some(1), "the gate is closed");
    net.run(899 * MILLI);
    assert_eq!(metric_held(&net, 0, 77), Some(1));
    net.run(2 * MILLI);
    assert_eq!(metric_held(&net, 0, 77), Some(4), "processed as the gate opened");
}

/// The gate is open, but the timer was not served yet when an older instance comes.
#[test]
fn a_held_lsa_survives_an_older_one_that_comes_as_the_gate_opens() {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    let send = |net: &mut Net, n: i32| {
        let metric = u16::try_from(n).unwrap();
        forge(net, 0, 2, "10.0.1.0", 2, &router_lsa_of(77, INITIAL_SEQUENCE + n, metric));
    };
    send(&mut net, 1);
    send(&mut net, 4);
    net.run(999 * MILLI);
    net.now += 2 * MILLI;
    send(&mut net, 3);
    assert_eq!(metric_held(&net, 0, 77), Some(3), "nothing speaks against it");
    net.run(998 * MILLI);
    assert_eq!(metric_held(&net, 0, 77), Some(3), "the gate is closed again");
    net.run(3 * MILLI);
    assert_eq!(metric_held(&net, 0, 77), Some(4));
}

#[test]
fn a_flush_of_an_lsa_that_is_held_is_not_lost() {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    let send = |net: &mut Net, n: i32, age: u16| {
        let lsa = router_lsa_of(77, INITIAL_SEQUENCE + n, 1);
        let spec = LsaSpec { age, options: 2, key: lsa.key(), sequence: lsa.header().sequence };
        forge(net, 0, 2, "10.0.1.0", 2, &Lsa::build(spec, lsa.body()));
    };
    send(&mut net, 1, 1);
    net.run(100 * MILLI);
    send(&mut net, 2, 1);
    send(&mut net, 2, MAX_AGE);
    net.run(2 * SECOND);
    assert_eq!(metric_held(&net, 0, 77), None, "flushed when the gate opened");
}

#[test]
fn own_lsas_are_refreshed_and_nothing_ages_out_in_six_hours() {
    let mut net = chain(3);
    net.start_all();
    net.run(20 * SECOND);
    let (first, _) = net.router_lsa(0, 3).unwrap();
    for _ in 0..36 {
        net.run(600 * SECOND);
        assert!(net.is_synchronized());
        for n in 1..=3 {
            assert!(net.router_lsa(0, n).is_some(), "r{n} aged out");
        }
    }
    let (last, _) = net.router_lsa(0, 3).unwrap();
    let refreshes = last - first;
    assert!((12..=13).contains(&refreshes), "{refreshes} refreshes in six hours");
    assert!(net.route(0, "10.255.0.3/32").is_some());
}

#[test]
fn a_dead_router_s_lsas_age_out_and_are_removed_everywhere() {
    let mut net = chain(3);
    net.start_all();
    net.run(20 * SECOND);
    net.kill(2);
    net.run(3500 * SECOND);
    assert!(net.router_lsa(0, 3).is_some());
    net.run(200 * SECOND);
    let count = net.database(0).iter().filter(|l| l.contains("10.255.0.3")).count();
    assert_eq!(count, 0, "{:#?}", net.database(0));
    assert!(net.is_synchronized());
}

#[test]
fn the_sequence_number_wraps_by_flushing_first() {
    let mut net = chain(3);
    net.start_all();
    net.run(20 * SECOND);
    // Somebody claims our LSA has almost the last sequence number; we must go one beyond.
    forge(&mut net, 0, 2, "10.0.1.0", 2, &router_lsa_of(1, MAX_SEQUENCE - 1, 1));
    net.run(10 * SECOND);
    assert_eq!(net.router_lsa(2, 1).map(|(s, _)| s), Some(MAX_SEQUENCE));
    // The next change wraps: flush, wait for the acknowledgments, start again.
    net.reconfigure(0, |c| {
        let ospf = c.ospf.as_mut().unwrap();
        ospf.interfaces.get_mut(&"eth2".parse().unwrap()).unwrap().cost = Some(17);
    });
    // Not at once: a repetition of the flush that is still about must meet no new instance.
    net.run(8 * SECOND);
    assert_eq!(net.router_lsa(2, 1), None);
    net.wait(30 * SECOND, "the first sequence number again", |n| {
        n.router_lsa(2, 1).is_some_and(|(s, _)| s == INITIAL_SEQUENCE)
    });
    net.run(10 * SECOND);
    assert!(net.is_synchronized());
    assert_eq!(net.route(2, "10.255.0.1/32"), Some((ip("10.0.2.1"), 20)));
}

/// The flush of a previous life comes before MinLSArrival has passed, is held, and must not strike the LSA of the next
/// life, which is the same instance, octet for octet: nobody would send it again.
#[test]
fn what_is_held_of_an_adjacency_that_ended_is_void() {
    let mut net = chain(2);
    net.nodes[0].config.ospf.as_mut().unwrap().default_information = Some(DefaultInformation {
        always: true,
        metric: 10,
        metric_type: MetricType::Type2,
        route_map: None,
    });
    net.start_all();
    net.wait(60 * SECOND, "the default", |n| n.route(1, "0.0.0.0/0").is_some());
    net.input(0, Input::Shutdown);
    net.run(20 * MILLI);
    net.kill(0);
    net.start(0);
    net.run(60 * SECOND);
    assert!(net.is_full(0, 1) && net.is_synchronized());
    assert!(net.route(1, "0.0.0.0/0").is_some());
}

#[test]
fn a_stale_copy_of_an_own_lsa_is_outsequenced_before_full() {
    let mut net = chain(3);
    net.start_all();
    net.run(20 * SECOND);
    for cost in 11..=14 {
        net.reconfigure(2, |c| {
            let ospf = c.ospf.as_mut().unwrap();
            ospf.interfaces.get_mut(&"eth2".parse().unwrap()).unwrap().cost = Some(cost);
        });
        net.run(20 * SECOND);
    }
    net.nodes[2].config.ospf.as_mut().unwrap().default_information =
        Some(DefaultInformation { always: true, metric: 5, metric_type: MetricType::Type2, route_map: None });
    let config = Box::new(net.nodes[2].config.clone());
    net.input(2, Input::Reconfigure(config));
    net.run(20 * SECOND);
    assert!(net.route(0, "0.0.0.0/0").is_some());
    let (old, _) = net.router_lsa(1, 3).unwrap();
    assert!(old > INITIAL_SEQUENCE + 4);

    net.kill(2);
    net.run(5 * SECOND);
    net.nodes[2].config.ospf.as_mut().unwrap().default_information = None;
    net.start(2);
    let start = net.now;
    // Never is the adjacency Full at r2 while r2 still believes the old LSA.
    net.wait(5 * SECOND, "out-sequenced", |n| {
        let (sequence, _) = n.router_lsa(1, 3).unwrap();
        assert!(!n.is_full(1, 2) || sequence > old, "Full with the LSA of a previous life");
        sequence > old
    });
    assert!(net.now.since(start) < 100 * MILLI);
    net.wait(5 * SECOND, "routes", |n| n.route(0, "10.255.0.3/32").is_some());
    // The default route of the previous life is flushed, not revived.
    net.wait(5 * SECOND, "flushed", |n| n.route(0, "0.0.0.0/0").is_none());
    net.run(20 * SECOND);
    assert!(net.is_synchronized());
    assert_eq!(net.nodes[0].engine.lsdb(DatabaseId::As).map(|db| db.len()), Some(0));
}

#[test]
fn a_default_route_is_advertised_only_while_the_rib_has_one() {
    let mut net = chain(2);
    net.nodes[0].config.ospf.as_mut().unwrap().default_information = Some(DefaultInformation {
        always: false,
        metric: 10,
        metric_type: MetricType::Type2,
        route_map: None,
    });
    net.start_all();
    net.run(20 * SECOND);
    assert_eq!(net.route(1, "0.0.0.0/0"), None);
    let default = Redistributed {
        protocol: Protocol::Static,
        prefix: prefix("0.0.0.0/0"),
        metric: 0,
        tag: 0,
        next_hop: None,
        interface: None,
    };
    net.input(0, Input::Rib(RibMessage::Redistribute(vec![default])));
    net.run(SECOND);
    assert_eq!(net.route(1, "0.0.0.0/0"), Some((ip("10.0.1.1"), 10)));
    let gone = vec![(Protocol::Static, prefix("0.0.0.0/0"))];
    net.input(0, Input::Rib(RibMessage::Unredistribute(gone)));
    // The flush comes a second after the origination: held for MinLSArrival, then RFC 8405's long delay.
    net.run(4 * SECOND);
    assert_eq!(net.route(1, "0.0.0.0/0"), None);
    net.run(5 * SECOND);
    assert_eq!(net.nodes[1].engine.lsdb(DatabaseId::As).map(|db| db.len()), Some(0), "flushed and removed");
}

#[test]
fn redistributed_prefixes_with_one_address_all_arrive() {
    let mut net = chain(2);
    net.nodes[0].config.ospf.as_mut().unwrap().redistribute_static =
        Some(RedistributePolicy { metric: 20, metric_type: MetricType::Type1, route_map: None });
    net.start_all();
    let routes = ["10.20.0.0/16", "10.20.0.0/24", "10.20.0.0/8"].map(|p| Redistributed {
        protocol: Protocol::Static,
        prefix: routing_common::prefix::canonical(prefix(p)),
        metric: 0,
        tag: 7,
        next_hop: None,
        interface: None,
    });
    net.input(0, Input::Rib(RibMessage::Redistribute(routes.to_vec())));
    net.run(20 * SECOND);
    for p in ["10.20.0.0/16", "10.20.0.0/24", "10.0.0.0/8"] {
        assert_eq!(net.route(1, p), Some((ip("10.0.1.1"), 30)), "{p}");
    }
}

#[test]
fn a_forged_network_lsa_of_our_address_is_flushed() {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    let key = LsaKey { ls_type: LsType::Network, link_state_id: ip("10.0.1.1"), advertising_router: id(66) };
    let body = LsaBody::Network(ospf_proto::lsa::NetworkLsa {
        mask: ip("255.255.255.254"),
        attached_routers: vec![id(66), id(1)],
    });
    let spec = LsaSpec { age: 1, options: 2, key, sequence: INITIAL_SEQUENCE + 5 };
    forge(&mut net, 0, 2, "10.0.1.0", 2, &Lsa::build(spec, &body));
    net.run(10 * SECOND);
    assert_eq!(net.database(0).iter().filter(|l| l.contains("10.255.0.66")).count(), 0);
    assert!(net.is_synchronized());
}

#[test]
fn a_forged_external_lsa_is_flushed_by_its_supposed_originator() {
    let mut net = chain(3);
    net.start_all();
    net.run(20 * SECOND);
    let key =
        LsaKey { ls_type: LsType::AsExternal, link_state_id: ip("10.66.0.0"), advertising_router: id(3) };
    let body = LsaBody::AsExternal(ExternalLsa {
        mask: ip("255.255.0.0"),
        type2: true,
        metric: 1,
        forwarding_address: ip("0.0.0.0"),
        tag: 0,
    });
    let lsa = Lsa::build(LsaSpec { age: 1, options: 2, key, sequence: INITIAL_SEQUENCE }, &body);
    forge(&mut net, 1, 2, "10.0.1.1", 1, &lsa);
    let externals = |net: &Net| -> Vec<usize> {
        net.nodes.iter().filter_map(|n| n.engine.lsdb(DatabaseId::As)).map(|db| db.len()).collect()
    };
    // r2 passes it on to r3, who takes it out again.
    assert_eq!(externals(&net), [0, 1, 0]);
    net.run(10 * SECOND);
    assert_eq!(externals(&net), [0, 0, 0]);
    let lists = net.nodes.iter().flat_map(|n| n.engine.interfaces()).flat_map(|i| i.neighbors.values());
    assert!(lists.into_iter().all(|n| n.link_state_retransmission_list.is_empty()));
}

/// What lies between two routers delivers a flush before the instance it ends.
#[test]
fn an_instance_that_its_own_flush_overtook_is_not_taken() {
    let mut net = chain(3);
    net.start_all();
    net.run(20 * SECOND);
    let plain = router_lsa_of(77, INITIAL_SEQUENCE, 10);
    let spec = |age: u16| LsaSpec { age, options: 2, key: plain.key(), sequence: INITIAL_SEQUENCE };
    let lsa = |age: u16| Lsa::build(spec(age), plain.body());
    forge(&mut net, 1, 2, "10.0.1.1", 1, &lsa(MAX_AGE));
    net.run(100 * MILLI);
    forge(&mut net, 1, 2, "10.0.1.1", 1, &lsa(1));
    net.run(100 * MILLI);
    assert!(net.router_lsa(1, 77).is_none() && net.router_lsa(2, 77).is_none());
    // The same octets again after MinLSArrival are no straggler.
    net.run(SECOND);
    forge(&mut net, 1, 2, "10.0.1.1", 1, &lsa(2));
    net.run(100 * MILLI);
    assert!(net.router_lsa(1, 77).is_some() && net.router_lsa(2, 77).is_some());
}

#[test]
fn a_change_of_cost_needs_no_new_adjacency_and_a_new_area_does() {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    let change = |net: &mut Net, f: &dyn Fn(&mut routing_common::config::OspfInterfaceConfig)| {
        net.reconfigure(0, |c| {
            f(c.ospf.as_mut().unwrap().interfaces.get_mut(&"eth2".parse().unwrap()).unwrap());
        });
    };
    change(&mut net, &|s| s.cost = Some(33));
    assert!(net.is_full(0, 1));
    assert_eq!(net.route(0, "10.255.0.2/32"), Some((ip("10.0.1.0"), 33)), "same turn");
    change(&mut net, &|s| s.area = AreaId(ip("0.0.0.5")));
    assert!(!net.is_full(0, 1));
    net.run(60 * MILLI); // SHORT_SPF_DELAY, as this is the second change in a row.
    assert_eq!(net.route(0, "10.255.0.2/32"), None);
    change(&mut net, &|s| s.area = AreaId::BACKBONE);
    net.wait(15 * SECOND, "Full again", |n| n.is_full(0, 1));
}

#[test]
fn a_virtual_address_changes_nothing() {
    let mut net = chain(2);
    let lan = net.interface(0, "192.168.1.1/24", ospf_interface(NetworkType::Broadcast, 10));
    net.start_all();
    net.run(60 * SECOND);
    let before = net.router_lsa(1, 1).unwrap();
    let mut vip = crate::harness::address_on(lan, prefix("192.168.1.10/24"));
    vip.protocol = routing_common::link::VRRP_ADDRESS_PROTOCOL;
    net.input(0, Input::Link(routing_common::link::LinkEvent::AddressAdded(vip.clone())));
    vip.network = prefix("192.168.99.10/24");
    net.input(0, Input::Link(routing_common::link::LinkEvent::AddressAdded(vip)));
    net.run(20 * SECOND);
    assert_eq!(net.router_lsa(1, 1), Some(before.clone()));
    assert!(has_link_to(&before.1, 2));
}
