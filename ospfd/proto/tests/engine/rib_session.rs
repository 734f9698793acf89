//! The session with the RIB: everything at its start, and its end when as much is known as before.

use crate::harness::{Net, id, ip};
use crate::scene::{chain, forge};
use ospf_proto::instance::Input;
use ospf_proto::lsa::{LsType, Lsa, LsaBody, LsaKey, LsaSpec, RouterLinkKind};
use rib::message::{ClientMessage, Protocol};
use routing_common::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn end_syncs(net: &Net) -> usize {
    net.nodes[0].rib_log.iter().filter(|m| **m == ClientMessage::EndSync).count()
}

#[test]
fn the_rib_session_starts_with_everything_and_ends_its_sync_when_converged() {
    let mut net = chain(2);
    net.start_all();
    let is_end = |m: &ClientMessage| matches!(m, ClientMessage::EndSync);
    assert!(!net.nodes[0].rib_log.iter().any(is_end), "nothing is known yet");
    net.run(5 * SECOND);
    let log = std::mem::take(&mut net.nodes[0].rib_log);
    assert!(matches!(log[0], ClientMessage::Hello { protocol: Some(Protocol::Ospf), .. }));
    assert!(matches!(log[2], ClientMessage::BeginSync));
    assert_eq!(log.iter().filter(|m| is_end(m)).count(), 1);
    let end = log.iter().position(is_end).unwrap();
    let routed = log.iter().position(|m| format!("{m:?}").contains("10.255.0.2")).unwrap();
    assert!(routed < end);

    // ribd comes back: all again, at once.
    net.input(0, Input::RibLost);
    net.nodes[0].routes.clear();
    net.input(0, Input::RibConnected);
    assert!(net.route(0, "10.255.0.2/32").is_some());
    assert!(net.nodes[0].rib_log.last().is_some_and(is_end));
}

/// A neighbour that lost us, as one does that does not help a restart, may be Full again long before it lists us again.
#[test]
fn nothing_is_swept_while_a_full_neighbor_does_not_list_us() {
    let mut net = chain(3);
    net.start_all();
    net.run(20 * SECOND);
    let (sequence, mut body) = net.router_lsa(0, 2).expect("the neighbour's");
    let leads_here = |kind: &RouterLinkKind| matches!(kind, RouterLinkKind::PointToPoint { neighbor, .. } if *neighbor == id(1));
    body.links.retain(|link| !leads_here(&link.kind));
    let key = LsaKey { ls_type: LsType::Router, link_state_id: ip("10.255.0.2"), advertising_router: id(2) };
    let of = |sequence: i32| LsaSpec { age: 1, options: 2, key, sequence };
    forge(&mut net, 0, 2, "10.0.1.0", 2, &Lsa::build(of(sequence + 1), &LsaBody::Router(body)));
    net.run(2 * SECOND);
    assert!(net.is_full(0, 1));
    assert_eq!(net.route(0, "10.255.0.3/32"), None);

    net.nodes[0].rib_log.clear();
    net.input(0, Input::RibLost);
    net.input(0, Input::RibConnected);
    net.run(5 * SECOND);
    assert_eq!(end_syncs(&net), 0, "what lies behind it would go");
    // It stays so: then it is the truth.
    net.wait(40 * SECOND, "EndSync", |net| end_syncs(net) == 1);
}
