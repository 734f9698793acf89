//! Adjacencies form, and do not form, as RFC 2328 says.

use crate::harness::{Net, id, ospf_interface};
use crate::show::text;
use ospf_proto::Input;
use ospf_proto::api::Request;
use ospf_proto::discard::Discard;
use ospf_proto::interface::InterfaceState;
use ospf_proto::neighbor::NeighborState;
use routing_common::config::{Md5Key, NetworkType, OspfAuthentication, Secret};
use routing_common::id::{AreaId, IfIndex};
use routing_common::link::LinkEvent;
use routing_common::time::Duration;
use std::net::Ipv4Addr;

const SECOND: Duration = Duration::from_secs(1);
const INTERFACES: Request = Request::Interfaces { name: None };

fn pair() -> Net {
    let mut net = Net::new(1);
    let (a, b) = (net.router(1), net.router(2));
    net.loopback(a, "10.255.0.1/32");
    net.loopback(b, "10.255.0.2/32");
    net.p2p(a, b, "10.0.0.1/24", "10.0.0.2/24", (10, 10));
    net
}

fn discards(net: &Net, node: usize, reason: Discard) -> u64 {
    let interfaces = net.nodes[node].engine.interfaces();
    interfaces.filter_map(|i| i.statistics.discards.get(&reason)).map(|d| d.count).sum()
}

#[test]
fn two_routers_with_ten_second_hellos_are_full_and_routed_within_two_seconds() {
    let mut net = pair();
    net.start_all();
    let full = net.wait(2 * SECOND, "Full", |n| n.is_full(0, 1));
    assert!(full < Duration::from_millis(50), "{full:?}");
    net.wait(2 * SECOND, "routes", |n| {
        n.route(0, "10.255.0.2/32").is_some() && n.route(1, "10.255.0.1/32").is_some()
    });
    assert_eq!(net.route(0, "10.255.0.2/32"), Some((Ipv4Addr::new(10, 0, 0, 2), 10)));
    net.run(5 * SECOND);
    assert!(net.is_synchronized(), "{:#?} {:#?}", net.database(0), net.database(1));
}

#[test]
fn a_link_that_loses_carrier_is_left_in_the_same_turn_and_comes_back() {
    let mut net = pair();
    net.start_all();
    net.run(20 * SECOND);
    net.carrier(0, false);
    assert_eq!(net.route(0, "10.255.0.2/32"), None, "same turn");
    assert_eq!(net.state(0, 2), None);
    net.run(5 * SECOND);
    net.carrier(0, true);
    net.wait(2 * SECOND, "routes again", |n| n.route(0, "10.255.0.2/32").is_some());
}

#[test]
fn a_silent_neighbor_is_dead_after_the_dead_interval() {
    let mut net = pair();
    net.start_all();
    net.run(20 * SECOND);
    net.kill(1);
    net.run(30 * SECOND - Duration::from_millis(1));
    assert_eq!(net.state(0, 2), Some(NeighborState::Full));
    net.run(11 * SECOND);
    assert_eq!(net.state(0, 2), None);
    assert_eq!(net.route(0, "10.255.0.2/32"), None);
}

/// The settings of the second router's link differ; nothing may come of it, and the reason is counted.
fn mismatch(reason: Discard, change: impl Fn(&mut Net)) {
    let mut net = pair();
    change(&mut net);
    net.start_all();
    net.run(60 * SECOND);
    assert!(discards(&net, 0, reason) > 0, "{reason:?} not counted");
    assert!(net.nodes[0].notices.iter().any(|n| n.code == "packet-discarded"));
    assert_eq!(net.state(0, 2), None, "{reason:?}");
}

fn second(net: &mut Net) -> &mut routing_common::config::OspfInterfaceConfig {
    let ospf = net.nodes[1].config.ospf.as_mut().unwrap();
    ospf.interfaces.get_mut(&"eth2".parse().unwrap()).unwrap()
}

#[test]
fn mismatches_are_counted_by_name() {
    mismatch(Discard::HelloInterval, |n| second(n).hello_interval = 5 * SECOND);
    mismatch(Discard::DeadInterval, |n| second(n).dead_interval = 50 * SECOND);
    mismatch(Discard::AreaMismatch, |n| second(n).area = AreaId(Ipv4Addr::new(0, 0, 0, 1)));
    mismatch(Discard::AuthenticationType, |n| {
        second(n).authentication = OspfAuthentication::Simple(Secret::new(*b"x"));
    });
    mismatch(Discard::DuplicateRouterId, |n| n.nodes[1].config.ospf.as_mut().unwrap().router_id = id(1));
}

/// Fast Hellos, so many a second.
fn fast(settings: &mut routing_common::config::OspfInterfaceConfig, hellos: u32) {
    (settings.hello_interval, settings.dead_interval) = (SECOND / hellos, SECOND);
}

#[test]
fn fast_hellos_say_0_need_not_be_as_many_and_notice_a_silent_neighbor_within_a_second() {
    let mut net = pair();
    net.settings(|s| fast(s, 20));
    fast(second(&mut net), 3);
    net.start_all();
    net.wait(2 * SECOND, "Full", |n| n.is_full(0, 1));
    net.run(20 * SECOND);
    let hellos = |net: &Net, node: usize| net.nodes[node].sent[&(IfIndex(2), 1)];
    let before = [hellos(&net, 0), hellos(&net, 1)];
    net.run(10 * SECOND);
    // Up to a tenth of an interval early.
    let sent = [hellos(&net, 0) - before[0], hellos(&net, 1) - before[1]];
    assert!((199..=223).contains(&sent[0]) && (29..=34).contains(&sent[1]), "{sent:?}");
    let text = text(&net, 0, &INTERFACES);
    assert!(text.contains("configured, Hello 50ms, Dead 1s, Wait 1s,"), "{text}");
    net.kill(1);
    let noticed = net.wait(SECOND, "the silence to be noticed", |n| n.state(0, 2).is_none());
    assert!(noticed > SECOND / 2, "{noticed:?}");
}

/// RouterDeadInterval is compared, and so is the HelloInterval of whoever has no fast Hellos.
#[test]
fn fast_hellos_want_fast_hellos() {
    for both_dead_intervals_are_a_second in [false, true] {
        let mut net = pair();
        fast(second(&mut net), 4);
        if both_dead_intervals_are_a_second {
            let ospf = net.nodes[0].config.ospf.as_mut().unwrap();
            ospf.interfaces.values_mut().for_each(|i| i.dead_interval = SECOND);
        }
        net.start_all();
        net.run(30 * SECOND);
        assert!(discards(&net, 0, Discard::HelloInterval) > 0);
        let dead = discards(&net, 1, Discard::DeadInterval) > 0;
        assert_eq!(dead, !both_dead_intervals_are_a_second);
        assert!(!net.is_full(0, 1));
    }
}

fn md5(secret: &str) -> OspfAuthentication {
    OspfAuthentication::Md5(vec![Md5Key { id: 7, secret: Secret::new(secret.as_bytes()) }])
}

#[test]
fn md5_needs_the_same_key_and_survives_a_restart() {
    let mut net = pair();
    net.settings(|s| s.authentication = md5("ring"));
    net.start_all();
    net.wait(2 * SECOND, "Full", |n| n.is_full(0, 1));
    net.run(100 * SECOND);
    net.kill(1);
    net.run(2 * SECOND);
    net.start(1);
    net.wait(3 * SECOND, "Full after a restart", |n| n.is_full(0, 1));
    assert_eq!(discards(&net, 0, Discard::AuthenticationSequence), 0);
    mismatch(Discard::AuthenticationFailed, |n| {
        n.settings(|s| s.authentication = md5("ring"));
        second(n).authentication = md5("wrong");
    });
}

#[test]
fn an_mtu_mismatch_is_stuck_before_exchange_and_counted() {
    let mut net = pair();
    net.nodes[0].links.get_mut(&IfIndex(2)).unwrap().0.mtu = 1400;
    net.start_all();
    net.run(60 * SECOND);
    assert!(discards(&net, 0, Discard::MtuMismatch) > 3);
    assert_eq!(net.state(0, 2), Some(NeighborState::ExStart));
    net.reconfigure(0, |c| {
        c.ospf.as_mut().unwrap().interfaces.get_mut(&"eth2".parse().unwrap()).unwrap().mtu_ignore = true;
    });
    net.wait(10 * SECOND, "Full with mtu-ignore", |n| n.is_full(0, 1));
}

/// §10.8: a Database Description tells the MTU of when it is sent, also when it is sent again.
#[test]
fn an_mtu_that_is_put_right_ends_the_mismatch() {
    let mut net = pair();
    net.nodes[0].links.get_mut(&IfIndex(2)).unwrap().0.mtu = 1400;
    net.start_all();
    net.run(60 * SECOND);
    assert_eq!(net.state(0, 2), Some(NeighborState::ExStart));
    let link = &mut net.nodes[1].links.get_mut(&IfIndex(2)).unwrap().0;
    link.mtu = 1400;
    let link = link.clone();
    net.input(1, Input::Link(LinkEvent::LinkChanged(link)));
    net.wait(10 * SECOND, "Full with one MTU", |n| n.is_full(0, 1));
}

fn lan(routers: u8) -> Net {
    let mut net = Net::new(3);
    let mut ends = Vec::new();
    for n in 1..=routers {
        let node = net.router(n);
        net.loopback(node, &format!("10.255.0.{n}/32"));
        let address = format!("192.168.1.{n}/24");
        let ifindex = net.interface(node, &address, ospf_interface(NetworkType::Broadcast, 10));
        ends.push((node, ifindex));
    }
    net.segment(&ends);
    net
}

fn states(net: &Net) -> Vec<(InterfaceState, Option<Ipv4Addr>, Option<Ipv4Addr>)> {
    net.nodes
        .iter()
        .filter(|n| n.alive)
        .filter_map(|n| n.engine.interfaces().nth(1))
        .map(|i| (i.state, i.designated_router, i.backup_designated_router))
        .collect()
}

#[test]
fn four_routers_on_a_lan_agree_on_dr_and_backup_and_survive_the_dr() {
    let mut net = lan(4);
    net.start_all();
    net.run(50 * SECOND);
    let dr = |n: u8| Some(Ipv4Addr::new(192, 168, 1, n));
    use InterfaceState::{Backup, Dr, DrOther};
    assert_eq!(
        states(&net),
        [(DrOther, dr(4), dr(3)), (DrOther, dr(4), dr(3)), (Backup, dr(4), dr(3)), (Dr, dr(4), dr(3)),]
    );
    assert_eq!(net.state(0, 2), Some(NeighborState::TwoWay), "DROthers stay 2-Way");
    assert!(net.is_full(0, 3) && net.is_full(0, 2) && net.is_full(2, 3));
    assert_eq!(net.route(0, "10.255.0.2/32"), Some((Ipv4Addr::new(192, 168, 1, 2), 10)));
    assert!(net.is_synchronized());

    net.kill(3);
    net.run(60 * SECOND);
    let agreed: Vec<_> = states(&net).iter().map(|s| (s.1, s.2)).collect();
    assert_eq!(agreed, [(dr(3), dr(2)); 3]);
    assert_eq!(net.route(0, "10.255.0.4/32"), None);
    assert_eq!(net.route(0, "10.255.0.2/32"), Some((Ipv4Addr::new(192, 168, 1, 2), 10)));
    assert!(net.is_synchronized());

    // The old DR comes back and does not take over.
    net.start(3);
    net.run(60 * SECOND);
    let agreed: Vec<_> = states(&net).iter().map(|s| (s.1, s.2)).collect();
    assert_eq!(agreed, [(dr(3), dr(2)); 4]);
    assert!(net.is_synchronized(), "{:#?}\n{:#?}", net.database(0), net.database(3));
}

/// Lengths of the network-LSAs in a Link State Update; other packets hold none.
fn network_lsa_lengths(packet: &[u8]) -> Vec<u16> {
    let (mut lengths, mut rest) =
        (Vec::new(), packet.get(28..).filter(|_| packet[1] == 4).unwrap_or_default());
    while rest.len() >= 20 {
        let length = u16::from_be_bytes([rest[18], rest[19]]);
        if rest[3] == 2 {
            lengths.push(length);
        }
        rest = &rest[usize::from(length)..];
    }
    lengths
}

/// FRR refuses a packet with a network-LSA that lists no router, and with it all attempts to flush one.
#[test]
fn a_returning_dr_flushes_its_network_lsa_with_one_that_lists_a_router() {
    let mut net = lan(3);
    net.start_all();
    net.run(50 * SECOND);
    net.kill(2);
    net.run(60 * SECOND);
    let own = |net: &Net| {
        let lsas = net.database(0).into_iter();
        lsas.filter(|l| l.contains("192.168.1.3") && !l.ends_with("MaxAge")).count()
    };
    assert_eq!(own(&net), 1, "what a dead DR originated stays");
    let start = net.capture.len();
    net.start(2);
    net.run(20 * SECOND);
    assert_eq!(own(&net), 0, "{:#?}", net.database(0));
    let sent = net.capture[start..].iter().filter(|(node, _)| *node == 2);
    let lengths: Vec<u16> = sent.flat_map(|(_, packet)| network_lsa_lengths(packet)).collect();
    assert!(!lengths.is_empty() && lengths.iter().all(|length| *length >= 28), "{lengths:?}");
    assert!(net.is_synchronized());
}

#[test]
fn a_passive_interface_is_advertised_and_silent() {
    let mut net = pair();
    let vm = net.interface(0, "10.10.1.1/24", ospf_interface(NetworkType::Broadcast, 10));
    net.nodes[0]
        .config
        .ospf
        .as_mut()
        .unwrap()
        .interfaces
        .get_mut(&"eth3".parse().unwrap())
        .unwrap()
        .passive = true;
    net.start_all();
    net.run(60 * SECOND);
    assert_eq!(net.route(1, "10.10.1.0/24"), Some((Ipv4Addr::new(10, 0, 0, 1), 20)));
    assert_eq!(net.nodes[0].sent.keys().filter(|(i, _)| *i == vm).count(), 0);
}

#[test]
fn a_cleared_neighbor_comes_back() {
    let mut net = pair();
    net.start_all();
    net.run(20 * SECOND);
    net.input(0, ospf_proto::Input::Clear(ospf_proto::Clear::Neighbors(None)));
    assert_eq!(net.state(0, 2), None);
    net.wait(SECOND, "Full again", |n| n.is_full(0, 1));
    assert_eq!(net.nodes[0].engine.router_id(), id(1));
}

#[test]
fn a_first_hello_that_is_lost_costs_a_fraction_of_a_second() {
    let mut net = pair();
    net.segments[0].down = true;
    net.start_all();
    net.run(Duration::from_millis(10));
    net.segments[0].down = false;
    net.wait(SECOND / 2, "Full", |n| n.is_full(0, 1));
    net.run(40 * SECOND);
    let hellos = net.nodes[0].sent[&(IfIndex(2), 1)];
    assert!((6..=9).contains(&hellos), "{hellos} Hellos in 40 s");
}
