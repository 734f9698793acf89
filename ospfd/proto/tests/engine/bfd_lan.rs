//! BFD on a LAN (RFC 5882 §10.1): with whom there is an adjacency, and with nobody else.

use crate::bfd::{profile, says};
use crate::harness::{Net, id, ospf_interface};
use bfd_proto::message::{ClientMessage, SessionKey, SessionState};
use ospf_proto::Input;
use ospf_proto::interface::InterfaceState;
use ospf_proto::neighbor::NeighborState;
use routing_common::config::NetworkType;
use routing_common::id::IfIndex;
use routing_common::time::Duration;
use std::net::Ipv4Addr;

const SECOND: Duration = Duration::from_secs(1);
const LAN: IfIndex = IfIndex(2);

fn address(n: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 1, 0, u8::try_from(n).unwrap() + 1)
}

/// `n` routers on a LAN, of which the first is started first and the second next; those in `without` have no BFD.
fn lan(n: u8, without: &[usize]) -> Net {
    let mut net = Net::new(5);
    let mut ends = Vec::new();
    for node in 0..usize::from(n) {
        net.router(u8::try_from(node).unwrap() + 1);
        net.loopback(node, &format!("10.255.0.{}/32", node + 1));
        let mut settings = ospf_interface(NetworkType::Broadcast, 10);
        settings.bfd = (!without.contains(&node)).then(profile);
        // Who is which is not left to chance.
        settings.priority = 10 - u8::try_from(node).unwrap();
        ends.push((node, net.interface(node, &format!("{}/24", address(node)), settings)));
    }
    net.segment(&ends);
    net.start_all();
    for node in 0..usize::from(n) {
        net.input(node, Input::BfdConnected);
    }
    net.run(200 * SECOND);
    net
}

/// Whom a router watches, and who has not ended his session yet.
fn watched(net: &Net, node: usize) -> Vec<Ipv4Addr> {
    net.nodes[node].engine.bfd_sessions().map(|(key, _)| key.peer).collect()
}

fn role(net: &Net, node: usize) -> InterfaceState {
    net.nodes[node].engine.interfaces().find(|i| i.ifindex == LAN).unwrap().state
}

#[test]
fn whoever_is_neither_designated_nor_backup_watches_those_two() {
    let mut net = lan(4, &[]);
    assert_eq!(
        [0, 1, 2, 3].map(|n| role(&net, n)),
        [InterfaceState::Dr, InterfaceState::Backup, InterfaceState::DrOther, InterfaceState::DrOther]
    );
    assert_eq!(net.state(2, 4), Some(NeighborState::TwoWay));
    assert_eq!(watched(&net, 0), [address(1), address(2), address(3)]);
    assert_eq!(watched(&net, 1), [address(0), address(2), address(3)]);
    assert_eq!(watched(&net, 2), [address(0), address(1)]);
    assert_eq!(watched(&net, 3), [address(0), address(1)]);
    let ended = ClientMessage::Unregister(SessionKey::single_hop(address(3), address(2), LAN));
    assert!(net.nodes[2].bfd_log.contains(&ended));
    // The Designated Router dies, the next in line is Backup, and now everybody needs it.
    net.kill(0);
    net.run(200 * SECOND);
    assert_eq!(role(&net, 2), InterfaceState::Backup);
    assert_eq!(watched(&net, 2), [address(1), address(3)]);
    assert_eq!(watched(&net, 3), [address(1), address(2)]);
}

#[test]
fn a_silent_designated_router_is_gone_in_the_turn_in_which_bfd_says_so() {
    let mut net = lan(3, &[]);
    let key = SessionKey::single_hop(address(0), address(2), LAN);
    says(&mut net, 2, key, SessionState::Up, false);
    assert!(net.route(2, "10.255.0.1/32").is_some());
    net.kill(0);
    says(&mut net, 2, key, SessionState::Down, false);
    assert_eq!(net.state(2, 1), None);
    assert_eq!(net.route(2, "10.255.0.1/32"), None);
}

#[test]
fn a_peer_without_bfd_is_a_neighbor_like_any_other() {
    let mut net = lan(3, &[1]);
    assert!(net.nodes[1].bfd_log.iter().all(|m| !matches!(m, ClientMessage::Register { .. })));
    // Sessions with it are asked for and never come up.
    let key = SessionKey::single_hop(address(1), address(0), LAN);
    assert!(watched(&net, 0).contains(&address(1)));
    says(&mut net, 0, key, SessionState::Down, false);
    net.run(100 * SECOND);
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        assert!(net.is_full(a, b), "{} and {}", id(u8::try_from(a).unwrap() + 1), b + 1);
    }
    assert!(net.is_synchronized());
}
