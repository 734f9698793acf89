//! Which next hops a route gets, and which route wins.

use crate::world::*;
use ipnetwork::Ipv4Network;
use rib::Input;
use rib::api;
use routing_common::id::IfIndex;
use routing_common::link::{LinkEvent, VRRP_ADDRESS_PROTOCOL};

fn static_route(prefix: &str, rest: &str) -> String {
    format!("[[static-routes]]\nprefix = \"{prefix}\"\n{rest}\n")
}

fn some(hops: &[&str]) -> Option<Vec<String>> {
    Some(hops.iter().map(|h| (*h).to_owned()).collect())
}

fn reason(world: &World, prefix: &str) -> String {
    let prefix: Ipv4Network = net(prefix);
    let request = api::Request::Routes { protocol: None, prefix: Some(prefix), longer: false };
    let value = world.rib.query(world.now, &request).unwrap();
    value[prefix.to_string()][0]["nexthops"][0]["inactiveReason"].as_str().unwrap_or("").to_owned()
}

/// Hazard H1: the master's LAN leg loses carrier while another router still announces the LAN prefix. The
/// static default must not stay valid through that prefix, or the default circles between the routers.
#[test]
fn h1_a_static_default_does_not_resolve_through_ospf_when_its_lan_leg_is_dark() {
    let config = static_route("0.0.0.0/0", "next-hop = \"192.168.1.254\"");
    let mut w = World::new(&config);
    assert_eq!(w.via("0.0.0.0/0"), some(&["192.168.1.254%2"]));
    w.ospf(OSPFD, &[route("192.168.1.0/24", &[hop("10.0.1.2", ETH1)])]);
    w.carrier(ETH0, false);
    assert_eq!(w.via("192.168.1.0/24"), some(&["10.0.1.2%3"]), "the LAN is reached the other way");
    assert_eq!(w.via("0.0.0.0/0"), None, "the static default must go with its leg");
    assert_eq!(
        reason(&w, "0.0.0.0/0"),
        "gateway 192.168.1.254 lives on eth0, which is not running or has no address"
    );
    w.carrier(ETH0, true);
    assert_eq!(w.via("0.0.0.0/0"), some(&["192.168.1.254%2"]));
}

/// The same when the interface is gone altogether: its subnet is still this router's by configuration.
#[test]
fn h1_also_holds_for_an_interface_that_does_not_exist() {
    let mut config = "[interfaces.eth0]\naddresses = [\"192.168.1.1/24\"]\n".to_owned();
    config += &static_route("0.0.0.0/0", "next-hop = \"192.168.1.254\"");
    let mut w = World::new(&config);
    w.ospf(OSPFD, &[route("192.168.1.0/24", &[hop("10.0.1.2", ETH1)])]);
    w.carrier(ETH0, false);
    w.input(Input::Link(LinkEvent::AddressRemoved(address(ETH0, "192.168.1.1/24"))));
    assert_eq!(w.via("192.168.1.0/24"), some(&["10.0.1.2%3"]), "the LAN is reached the other way");
    assert_eq!(w.via("0.0.0.0/0"), None, "the interface has lost its address");
    w.input(Input::Link(LinkEvent::LinkRemoved(IfIndex(ETH0))));
    assert_eq!(w.via("0.0.0.0/0"), None, "the interface is gone");
}

/// Hazard H9, our part: a virtual address makes no connected route, so it cannot be redistributed.
#[test]
fn h9_a_virtual_address_is_no_connected_network() {
    let mut w = World::new("");
    let mut vip = address(ETH1, "192.168.7.10/24");
    vip.protocol = VRRP_ADDRESS_PROTOCOL;
    w.input(Input::Link(LinkEvent::AddressAdded(vip)));
    assert!(w.rib.table().get(net("192.168.7.0/24")).is_none());
    let mut host = address(ETH1, "192.168.1.10/32");
    host.no_prefix_route = true;
    w.input(Input::Link(LinkEvent::AddressAdded(host)));
    assert!(w.rib.table().get(net("192.168.1.10/32")).is_none());
    w.input(Input::Link(LinkEvent::AddressAdded(address(ETH1, "192.168.8.1/24"))));
    assert!(w.rib.table().get(net("192.168.8.0/24")).is_some());
}

#[test]
fn a_gateway_outside_all_subnets_resolves_through_other_routes_but_not_through_a_default() {
    let config = static_route("10.7.0.0/16", "next-hop = \"172.16.0.1\"");
    let mut w = World::new(&config);
    assert_eq!(reason(&w, "10.7.0.0/16"), "no route to gateway 172.16.0.1");
    w.ospf(OSPFD, &[route("0.0.0.0/0", &[hop("10.0.1.2", ETH1)])]);
    assert_eq!(w.via("10.7.0.0/16"), None);
    w.offer(OSPFD, &[route("172.16.0.0/12", &[hop("10.0.1.2", ETH1), hop("10.0.2.2", ETH2)])]);
    assert_eq!(w.via("10.7.0.0/16"), some(&["10.0.1.2%3", "10.0.2.2%4"]));
    w.carrier(ETH1, false);
    assert_eq!(w.via("10.7.0.0/16"), some(&["10.0.2.2%4"]));
    w.withdraw(OSPFD, "172.16.0.0/12");
    assert_eq!(w.via("10.7.0.0/16"), None);
}

#[test]
fn routes_that_resolve_through_each_other_are_inactive() {
    let mut config = static_route("10.7.0.0/16", "next-hop = \"10.8.0.1\"");
    config += &static_route("10.8.0.0/16", "next-hop = \"10.7.0.1\"");
    config += &static_route("10.9.0.0/16", "next-hop = \"10.9.0.1\"");
    let mut w = World::new(&config);
    for prefix in ["10.7.0.0/16", "10.8.0.0/16", "10.9.0.0/16"] {
        assert_eq!(w.via(prefix), None);
        assert!(reason(&w, prefix).starts_with("no route") || reason(&w, prefix).contains("itself"));
    }
    // A shorter way round the loop makes all of them usable.
    w.ospf(OSPFD, &[route("10.0.0.0/8", &[hop("10.0.1.2", ETH1)])]);
    for prefix in ["10.7.0.0/16", "10.8.0.0/16", "10.9.0.0/16"] {
        assert_eq!(w.via(prefix), some(&["10.0.1.2%3"]), "{prefix}");
    }
}

#[test]
fn a_named_interface_binds_a_gateway_and_makes_it_onlink_where_needed() {
    let mut config = static_route("10.7.0.0/16", "next-hop = \"172.16.0.1\"\ninterface = \"eth1\"");
    config += &static_route("10.8.0.0/16", "next-hop = \"10.0.1.9\"\ninterface = \"eth1\"");
    config += &static_route("10.9.0.0/16", "interface = \"eth1\"");
    let mut w = World::new(&config);
    assert_eq!(w.via("10.7.0.0/16"), some(&["172.16.0.1%3 onlink"]));
    assert_eq!(w.via("10.8.0.0/16"), some(&["10.0.1.9%3"]));
    assert_eq!(w.via("10.9.0.0/16"), some(&["-%3"]));
    w.carrier(ETH1, false);
    assert_eq!((w.via("10.7.0.0/16"), w.via("10.8.0.0/16"), w.via("10.9.0.0/16")), (None, None, None));
    assert_eq!(reason(&w, "10.7.0.0/16"), "interface eth1 is not running");
}

#[test]
fn the_smallest_distance_wins_and_a_floating_route_takes_over() {
    let mut config = static_route("10.7.0.0/16", "next-hop = \"10.0.1.2\"");
    config += &static_route("10.7.0.0/16", "next-hop = \"10.0.2.2\"\ndistance = 200");
    config += &static_route("10.6.0.0/16", "next-hop = \"10.0.1.2\"\ndistance = 255");
    let mut w = World::new(&config);
    assert_eq!(w.via("10.6.0.0/16"), None, "distance 255 is never installed");
    assert_eq!(w.via("10.7.0.0/16"), some(&["10.0.1.2%3"]));
    w.ospf(OSPFD, &[route("10.7.0.0/16", &[hop("192.168.1.2", ETH0)])]);
    assert_eq!(w.via("10.7.0.0/16"), some(&["10.0.1.2%3"]), "static 1 beats OSPF 110");
    w.carrier(ETH1, false);
    assert_eq!(w.via("10.7.0.0/16"), some(&["192.168.1.2%2"]), "OSPF 110 beats static 200");
    w.carrier(ETH0, false);
    assert_eq!(w.via("10.7.0.0/16"), some(&["10.0.2.2%4"]));
    w.carrier(ETH1, true);
    assert_eq!(w.via("10.7.0.0/16"), some(&["10.0.1.2%3"]));
}

#[test]
fn a_connected_subnet_beats_every_offer_and_gives_way_when_it_goes() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[route("10.0.1.0/24", &[hop("10.0.2.2", ETH2)])]);
    assert_eq!(w.via("10.0.1.0/24"), None, "the kernel's own connected route serves");
    w.carrier(ETH1, false);
    assert_eq!(w.via("10.0.1.0/24"), some(&["10.0.2.2%4"]));
}

#[test]
fn static_targets_of_one_distance_form_one_multipath_route() {
    let mut config = static_route("10.7.0.0/16", "next-hop = \"10.0.1.2\"");
    config += &static_route("10.7.0.0/16", "next-hop = \"10.0.2.2\"");
    config += &static_route("10.8.0.0/16", "blackhole = true");
    let mut w = World::new(&config);
    assert_eq!(w.via("10.7.0.0/16"), some(&["10.0.1.2%3", "10.0.2.2%4"]));
    assert_eq!(w.via("10.8.0.0/16"), some(&[]));
    w.carrier(ETH2, false);
    assert_eq!(w.via("10.7.0.0/16"), some(&["10.0.1.2%3"]));
}

#[test]
fn an_own_address_is_no_gateway() {
    let w = World::new(&static_route("10.7.0.0/16", "next-hop = \"10.0.1.1\""));
    assert_eq!(reason(&w, "10.7.0.0/16"), "gateway 10.0.1.1 is an address of this router");
}
