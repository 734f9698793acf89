//! What the RIB is told of the others on a passive network.

use crate::harness::{Net, id, net as network, ospf_interface};
use crate::scene::chain;
use ospf_proto::instance::Input;
use rib::message::{Attachment, ClientMessage};
use routing_common::config::{self, NetworkType, VrrpGroup};
use routing_common::id::{IfIndex, InterfaceName, RouterId};
use routing_common::time::Duration;
use std::collections::BTreeMap;

const SECOND: Duration = Duration::from_secs(1);
const LAN: &str = "192.168.1.0/24";

/// r1, r2 and r3 in a chain, with r1 and r3 on a LAN on which OSPF is passive; the LAN's interfaces.
fn lan() -> (Net, [IfIndex; 2]) {
    let mut net = chain(3);
    let mut passive = ospf_interface(NetworkType::Broadcast, 10);
    passive.passive = true;
    let ends = [(0, "192.168.1.1/24"), (2, "192.168.1.3/24")];
    let ports = ends.map(|(node, address)| net.interface(node, address, passive.clone()));
    net.segment(&[(0, ports[0]), (2, ports[1])]);
    net.nodes[0].config.vrrp_groups = virtual_router(&net.nodes[0].links[&ports[0]].0.name);
    net.start_all();
    net.run(60 * SECOND);
    (net, ports)
}

fn virtual_router(interface: &InterfaceName) -> BTreeMap<String, VrrpGroup> {
    let text = format!(
        "[interfaces.{interface}]\n[vrrp.groups.lan]\ninterface = \"{interface}\"\nvrid = 10\n\
         virtual-addresses = [\"192.168.1.10/24\"]\n"
    );
    config::load("r1.toml", &text).unwrap().config.vrrp_groups
}

/// What node 0 was told last of the LAN: who is there, and who left.
fn told(net: &Net) -> Option<(Vec<RouterId>, Vec<RouterId>)> {
    let last = net.nodes[0].rib_log.iter().rev().find_map(|m| match m {
        ClientMessage::Attached(attachments) => Some(attachments),
        _ => None,
    })?;
    let lan = |a: &&Attachment| a.network == network(LAN);
    last.iter().find(lan).map(|a| (a.routers.clone(), a.left.clone()))
}

#[test]
fn who_withdraws_the_network_has_left_and_who_is_not_reached_is_gone() {
    let (mut net, ports) = lan();
    assert_eq!(told(&net), Some((vec![id(3)], vec![])));
    net.link_carrier(2, ports[1], false);
    net.run(5 * SECOND);
    assert_eq!(told(&net), Some((vec![], vec![id(3)])));
    net.link_carrier(2, ports[1], true);
    net.run(20 * SECOND);
    assert_eq!(told(&net), Some((vec![id(3)], vec![])));
    net.crash(2);
    net.run(60 * SECOND);
    assert_eq!(told(&net), Some((vec![], vec![])));
}

#[test]
fn nothing_is_known_while_we_are_full_with_nobody() {
    let (mut net, _) = lan();
    net.crash(1);
    net.run(60 * SECOND);
    assert_eq!(told(&net), None);
}

#[test]
fn a_network_without_a_virtual_router_is_nobodys_business() {
    let (mut net, _) = lan();
    net.reconfigure(0, |config| config.vrrp_groups.clear());
    assert_eq!(told(&net), None);
}

#[test]
fn a_new_session_is_told_again_and_only_news_after_that() {
    let (mut net, _) = lan();
    net.nodes[0].rib_log.clear();
    net.run(60 * SECOND);
    assert_eq!(told(&net), None, "nothing has changed");
    net.input(0, Input::RibLost);
    net.input(0, Input::RibConnected);
    assert_eq!(told(&net), Some((vec![id(3)], vec![])));
}
