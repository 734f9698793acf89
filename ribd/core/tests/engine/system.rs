//! Addresses, links and kernel settings: what is asked for, and what is left to the operator.

use crate::world::*;
use ipnetwork::Ipv4Network;
use rib::Input;
use rib::system::SystemOp;
use routing_common::id::IfIndex;
use routing_common::link::{Address, Link, LinkEvent, RIBD_ADDRESS_PROTOCOL};

const ETH0_CONFIG: &str = "[interfaces.eth0]\naddresses = [\"192.168.1.1/24\"]\n";

fn admin(up: bool) -> Input {
    let link = Link { admin_up: up, ..link(ETH0, "eth0", up) };
    Input::Link(LinkEvent::LinkChanged(link))
}

fn ours(network: &str) -> Address {
    Address { protocol: RIBD_ADDRESS_PROTOCOL, ..address(ETH0, network) }
}

/// The wishes about addresses and links since the last call, all granted.
fn granted(w: &mut World) -> Vec<SystemOp> {
    let ops: Vec<SystemOp> = core::mem::take(&mut w.system);
    for op in &ops {
        w.input(Input::SystemResult(op.clone(), Ok(())));
    }
    ops.into_iter().filter(|op| !matches!(op, SystemOp::SetSysctl { .. })).collect()
}

fn add(network: &str) -> SystemOp {
    SystemOp::AddAddress(IfIndex(ETH0), net(network))
}

fn remove(network: &str) -> SystemOp {
    SystemOp::RemoveAddress(IfIndex(ETH0), net(network))
}

#[test]
fn an_interface_that_was_up_already_stays_down_when_the_operator_says_so() {
    let mut w = World::new(ETH0_CONFIG);
    assert_eq!(granted(&mut w), []);
    w.input(admin(false));
    assert_eq!(granted(&mut w), [], "ip link set eth0 down is respected");
    w.configure(&format!("{ETH0_CONFIG}[[static-routes]]\nprefix = \"10.8.0.0/16\"\nblackhole = true\n"));
    assert_eq!(granted(&mut w), [], "and survives another configuration");
    // Out of the configuration and back in: a new interface to us.
    w.configure("");
    w.configure(ETH0_CONFIG);
    assert_eq!(granted(&mut w), [SystemOp::BringUp(IfIndex(ETH0))]);
}

#[test]
fn an_interface_that_appears_down_is_brought_up_once() {
    let mut w = World::new(ETH0_CONFIG);
    w.input(Input::Link(LinkEvent::LinkRemoved(IfIndex(ETH0))));
    granted(&mut w);
    w.input(admin(false));
    assert_eq!(granted(&mut w), [add("192.168.1.1/24"), SystemOp::BringUp(IfIndex(ETH0))]);
    w.input(admin(true));
    assert_eq!(granted(&mut w), [SystemOp::ForgetUnresolved(IfIndex(ETH0))]);
    w.input(admin(false));
    assert_eq!(granted(&mut w), []);
}

#[test]
fn an_address_somebody_took_off_is_put_back_and_told() {
    let mut w = World::new(ETH0_CONFIG);
    granted(&mut w);
    w.input(Input::Link(LinkEvent::AddressRemoved(address(ETH0, "192.168.1.1/24"))));
    assert_eq!(granted(&mut w), [add("192.168.1.1/24")]);
    assert!(!w.notices.iter().any(|n| n.code == "foreign-address-change"));
    w.input(Input::Link(LinkEvent::AddressAdded(ours("192.168.1.1/24"))));
    assert!(w.notices.iter().any(|n| n.code == "foreign-address-change"));
}

#[test]
fn an_interface_that_goes_is_no_foreign_change_of_its_addresses() {
    let mut w = World::new(ETH0_CONFIG);
    w.input(Input::Link(LinkEvent::AddressRemoved(address(ETH0, "192.168.1.1/24"))));
    w.input(Input::Link(LinkEvent::LinkRemoved(IfIndex(ETH0))));
    w.input(admin(true));
    w.input(Input::Link(LinkEvent::AddressAdded(ours("192.168.1.1/24"))));
    assert!(!w.notices.iter().any(|n| n.code == "foreign-address-change"));
}

/// The kernel takes a subnet's later addresses along with its first one.
#[test]
fn an_address_is_replaced_by_removing_it_first() {
    let mut w = World::new(ETH0_CONFIG);
    w.input(Input::Link(LinkEvent::AddressAdded(ours("192.168.1.1/24"))));
    granted(&mut w);
    w.configure("[interfaces.eth0]\naddresses = [\"192.168.1.7/24\"]\n");
    assert_eq!(granted(&mut w), [remove("192.168.1.1/24"), add("192.168.1.7/24")]);
}

#[test]
fn an_address_that_vanished_while_events_were_lost_is_put_on_again() {
    let mut w = World::new("[interfaces.eth0]\naddresses = [\"192.168.1.9/24\"]\n");
    assert_eq!(granted(&mut w), [add("192.168.1.9/24")]);
    // It came and went, and nobody told.
    w.input(Input::Link(LinkEvent::SnapshotComplete));
    assert_eq!(granted(&mut w), [add("192.168.1.9/24")]);
}

/// Two interfaces that swapped names while events were lost keep both names.
#[test]
fn names_that_were_swapped_find_their_interfaces() {
    let mut w = World::new("");
    w.input(Input::Link(LinkEvent::LinkChanged(link(ETH0, "eth1", true))));
    w.input(Input::Link(LinkEvent::LinkChanged(link(ETH1, "eth0", true))));
    let index_of = |name: &str| w.rib.links().by_name(&name.parse().unwrap()).map(|l| l.ifindex);
    assert_eq!((index_of("eth1"), index_of("eth0")), (Some(IfIndex(ETH0)), Some(IfIndex(ETH1))));
    let connected: Vec<Ipv4Network> = w.rib.links().connected().into_iter().map(|(p, _)| p).collect();
    assert_eq!(connected.len(), 3);
}

#[test]
fn unanswered_neighbours_are_forgotten_when_a_configured_link_gets_its_carrier_back() {
    let mut w = World::new(ETH0_CONFIG);
    granted(&mut w);
    w.carrier(ETH0, false);
    assert_eq!(granted(&mut w), []);
    w.carrier(ETH0, true);
    assert_eq!(granted(&mut w), [SystemOp::ForgetUnresolved(IfIndex(ETH0))]);
    w.carrier(ETH0, true);
    assert_eq!(granted(&mut w), [], "it was there");
    w.carrier(ETH0 + 1, false);
    w.carrier(ETH0 + 1, true);
    assert_eq!(granted(&mut w), [], "not configured");
}
