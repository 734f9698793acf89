//! Interfaces that come, go and change, and the operator's changes: whatever the order, the end is that of a
//! fresh start.

use crate::harness::{Net, address_on, ip, net as prefix, ospf_interface};
use crate::scene::{chain, forge, forge_packet, has_link_to};
use ospf_proto::constants::INITIAL_SEQUENCE;
use ospf_proto::interface::InterfaceState;
use ospf_proto::lsa::{LsType, Lsa, LsaBody, LsaKey, LsaSpec, RouterLsa};
use ospf_proto::lsdb::DatabaseId;
use ospf_proto::neighbor::NeighborState;
use ospf_proto::packet::{DatabaseDescription, OutgoingBody};
use ospf_proto::{Clear, Input};
use rib::message::{Protocol, Redistributed, RibMessage};
use routing_common::config::{MetricType, NetworkType, RedistributePolicy};
use routing_common::id::{AreaId, IfIndex, RouterId};
use routing_common::link::LinkEvent;
use routing_common::time::Duration;
use std::net::Ipv4Addr;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

fn pair() -> Net {
    let mut net = Net::new(23);
    let (a, b) = (net.router(1), net.router(2));
    net.loopback(a, "10.255.0.1/32");
    net.loopback(b, "10.255.0.2/32");
    net.p2p(a, b, "10.0.0.1/31", "10.0.0.0/31", (10, 10));
    net
}

fn state(net: &Net, node: usize, ifindex: u32) -> Option<InterfaceState> {
    net.nodes[node].engine.interfaces().find(|i| i.ifindex == IfIndex(ifindex)).map(|i| i.state)
}

#[test]
fn an_interface_that_disappears_and_returns_with_another_index() {
    let mut net = pair();
    net.start_all();
    net.run(20 * SECOND);
    let (mut link, addresses) = net.nodes[0].links.remove(&IfIndex(2)).unwrap();
    net.segments[0].ends[0] = (0, IfIndex(9));
    for address in &addresses {
        net.input(0, Input::Link(LinkEvent::AddressRemoved(address.clone())));
    }
    assert_eq!(state(&net, 0, 2), Some(InterfaceState::Down), "no address");
    assert_eq!(net.route(0, "10.255.0.2/32"), None, "same turn");
    net.input(0, Input::Link(LinkEvent::LinkRemoved(IfIndex(2))));
    assert_eq!(state(&net, 0, 2), None);
    net.run(5 * SECOND);

    link.ifindex = IfIndex(9);
    let address = address_on(IfIndex(9), addresses[0].network);
    net.nodes[0].links.insert(IfIndex(9), (link.clone(), vec![address.clone()]));
    // The address first: the order must not matter.
    net.input(0, Input::Link(LinkEvent::AddressAdded(address)));
    net.input(0, Input::Link(LinkEvent::LinkChanged(link)));
    net.wait(2 * SECOND, "route again", |n| n.route(0, "10.255.0.2/32").is_some());
}

#[test]
fn an_address_change_restarts_the_interface_and_a_second_subnet_is_a_stub() {
    let mut net = pair();
    net.start_all();
    net.run(20 * SECOND);
    let second = address_on(IfIndex(2), prefix("10.77.0.1/24"));
    net.input(0, Input::Link(LinkEvent::AddressAdded(second.clone())));
    net.run(3 * SECOND);
    assert!(net.is_full(0, 1));
    assert_eq!(net.route(1, "10.77.0.0/24"), Some((ip("10.0.0.1"), 20)));
    net.input(0, Input::Link(LinkEvent::AddressRemoved(second)));
    net.run(5 * SECOND);
    assert_eq!(net.route(1, "10.77.0.0/24"), None);

    let (_, addresses) = net.nodes[0].links.get_mut(&IfIndex(2)).unwrap();
    let old = std::mem::replace(addresses, vec![address_on(IfIndex(2), prefix("10.0.0.3/31"))]);
    net.input(0, Input::Link(LinkEvent::AddressRemoved(old[0].clone())));
    net.input(0, Input::Link(LinkEvent::AddressAdded(address_on(IfIndex(2), prefix("10.0.0.3/31")))));
    // Addresses of a point-to-point link need not share a subnet (RFC 2328 §8.2).
    net.wait(15 * SECOND, "Full", |n| n.is_full(0, 1));
    net.wait(5 * SECOND, "route", |n| n.route(1, "10.255.0.1/32") == Some((ip("10.0.0.3"), 10)));
}

#[test]
fn a_new_router_id_leaves_nothing_of_the_old_one() {
    let mut net = pair();
    net.start_all();
    net.run(20 * SECOND);
    net.reconfigure(0, |c| c.ospf.as_mut().unwrap().router_id = crate::harness::id(9));
    net.wait(15 * SECOND, "Full", |n| n.is_full(0, 1));
    net.run(10 * SECOND);
    assert!(net.is_synchronized());
    assert_eq!(net.database(1).iter().filter(|l| l.ends_with("of 10.255.0.1")).count(), 0);
    assert!(net.router_lsa(1, 1).is_none() && net.router_lsa(1, 9).is_some());
    assert_eq!(net.route(1, "10.255.0.1/32"), Some((ip("10.0.0.1"), 10)));
}

#[test]
fn ospf_is_switched_off_and_on() {
    let mut net = pair();
    net.start_all();
    net.run(20 * SECOND);
    let ospf = net.nodes[0].config.ospf.clone();
    net.reconfigure(0, |c| c.ospf = None);
    assert_eq!(net.nodes[0].engine.interfaces().count(), 0);
    assert!(net.nodes[0].routes.is_empty());
    net.run(3 * SECOND);
    assert_eq!(net.route(1, "10.255.0.1/32"), None, "flushed, not left to die");
    net.reconfigure(0, |c| c.ospf = ospf);
    net.wait(15 * SECOND, "route", |n| n.route(1, "10.255.0.1/32").is_some());
}

#[test]
fn timers_change_in_place() {
    let mut net = pair();
    net.start_all();
    net.run(20 * SECOND);
    for node in [0, 1] {
        net.reconfigure(node, |c| {
            let ospf = c.ospf.as_mut().unwrap();
            let settings = ospf.interfaces.get_mut(&"eth2".parse().unwrap()).unwrap();
            settings.hello_interval = SECOND;
            settings.dead_interval = 4 * SECOND;
        });
    }
    net.run(30 * SECOND);
    let flaps: usize =
        net.nodes.iter().flat_map(|n| &n.notices).filter(|n| n.text.contains("Full to")).count();
    assert_eq!(flaps, 0);
    net.kill(1);
    net.run(5 * SECOND);
    assert_eq!(net.state(0, 2), None, "dead after the new interval");
}

#[test]
fn clear_process_starts_over_and_ends_the_same() {
    let mut net = pair();
    net.start_all();
    net.run(20 * SECOND);
    net.input(0, Input::Clear(Clear::Process));
    assert_eq!(net.route(0, "10.255.0.2/32"), None);
    net.wait(15 * SECOND, "Full", |n| n.is_full(0, 1));
    net.run(15 * SECOND);
    assert!(net.is_synchronized());
    assert_eq!(net.route(0, "10.255.0.2/32"), Some((ip("10.0.0.0"), 10)));
    net.input(0, Input::Clear(Clear::Interface(Some(IfIndex(2)))));
    net.wait(15 * SECOND, "Full", |n| n.is_full(0, 1));
}

#[test]
fn a_lan_with_one_router_is_a_stub_and_a_cost_comes_from_the_speed() {
    let mut net = pair();
    let mut settings = ospf_interface(NetworkType::Broadcast, 1);
    settings.cost = None;
    let lan = net.interface(0, "192.168.1.1/24", settings);
    net.nodes[0].links.get_mut(&lan).unwrap().0.speed_mbps = Some(1000);
    net.start_all();
    net.run(60 * SECOND);
    assert_eq!(state(&net, 0, 3), Some(InterfaceState::Dr));
    assert_eq!(net.route(1, "192.168.1.0/24"), Some((ip("10.0.0.1"), 110)));
}

#[test]
fn a_point_to_point_neighbor_that_is_not_full_is_not_routed_over() {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    // Our LSA was just changed, so the loss of the link will be in it no earlier than MinLSArrival from now.
    net.reconfigure(0, |c| {
        let ospf = c.ospf.as_mut().unwrap();
        ospf.interfaces.get_mut(&"eth2".parse().unwrap()).unwrap().cost = Some(17);
    });
    net.run(100 * MILLI);
    assert!(net.route(0, "10.255.0.2/32").is_some());
    net.kill(1);
    let again = DatabaseDescription {
        interface_mtu: 1500,
        options: 0x42,
        init: true,
        more: true,
        master: true,
        sequence: 1,
        headers: Vec::new(),
    };
    forge_packet(&mut net, 0, 2, "10.0.1.0", 2, &OutgoingBody::DatabaseDescription(&again));
    net.run(300 * MILLI);
    assert_eq!(net.state(0, 2), Some(NeighborState::ExStart));
    assert!(net.router_lsa(0, 1).is_some_and(|(_, lsa)| has_link_to(&lsa, 2)), "our LSA still has the link");
    assert_eq!(net.route(0, "10.255.0.2/32"), None);
}

#[test]
fn a_second_subnet_is_a_stub_and_no_longer_an_external() {
    let mut net = chain(2);
    net.nodes[0].config.ospf.as_mut().unwrap().redistribute_connected =
        Some(RedistributePolicy { metric: 20, metric_type: MetricType::Type2, route_map: None });
    net.start_all();
    let of = prefix("172.16.9.0/24");
    let external = Redistributed {
        protocol: Protocol::Connected,
        prefix: of,
        metric: 0,
        tag: 0,
        next_hop: None,
        interface: None,
    };
    net.input(0, Input::Rib(RibMessage::Redistribute(vec![external])));
    net.run(20 * SECOND);
    let externals = |net: &Net| net.nodes[1].engine.lsdb(DatabaseId::As).map(|db| db.len());
    assert_eq!(externals(&net), Some(1));
    let address = address_on(IfIndex(2), prefix("172.16.9.1/24"));
    net.input(0, Input::Link(LinkEvent::AddressAdded(address)));
    net.run(20 * SECOND);
    assert_eq!(externals(&net), Some(0));
    assert_eq!(net.route(1, "172.16.9.0/24"), Some((ip("10.0.1.1"), 20)));
}

#[test]
fn the_address_of_an_interface_that_is_down_may_be_somebody_else_s() {
    let mut net = chain(2);
    let unused = net.interface(1, "10.255.0.1/32", ospf_interface(NetworkType::Broadcast, 10));
    net.nodes[1].links.get_mut(&unused).unwrap().0.running = false;
    // r1 speaks from its loopback's address, as an unnumbered link does.
    let borrowed = prefix("10.255.0.1/32");
    net.nodes[0].links.get_mut(&IfIndex(2)).unwrap().1 = vec![address_on(IfIndex(2), borrowed)];
    net.nodes[0].config.interfaces.clear();
    net.start_all();
    net.wait(5 * SECOND, "Full", |n| n.is_full(0, 1));
}

/// r1's LSA of its previous life may be replaced after MinLSArrival; what r1 calculates before that reaches nobody,
/// however many LSAs it has, and must not make it wait longer.
#[test]
fn a_large_database_does_not_delay_the_first_routes_of_a_returning_router() {
    let mut net = chain(3);
    net.start_all();
    net.run(20 * SECOND);
    for n in 0..3000 {
        let router = Ipv4Addr::from_bits(0x0b00_0001 + n);
        let key =
            LsaKey { ls_type: LsType::Router, link_state_id: router, advertising_router: RouterId(router) };
        let spec = LsaSpec { age: 1, options: 2, key, sequence: INITIAL_SEQUENCE };
        let lsa = Lsa::build(spec, &LsaBody::Router(RouterLsa::default()));
        forge(&mut net, 1, 3, "10.0.2.0", 3, &lsa);
    }
    net.kill(0);
    net.run(60 * SECOND);
    net.start(0);
    net.wait(5 * SECOND, "Full", |n| n.is_full(0, 1));
    let took = net.wait(5 * SECOND, "a route", |n| n.route(0, "10.255.0.3/32").is_some());
    let database = DatabaseId::Area(AreaId::BACKBONE);
    assert_eq!(net.nodes[0].engine.lsdb(database).map(|db| db.len()), Some(3003));
    assert!(took < 1100 * MILLI, "{took:?}");
}
