//! BFD beside the Hello protocol (RFC 5882 §10.1).

use crate::harness::{Net, id, ip};
use crate::scene::chain;
use bfd_proto::message::{
    BfdMessage, ClientMessage, Diagnostic, Parameters, SessionKey, SessionState, SessionStatus,
};
use ospf_proto::Input;
use ospf_proto::discard::Discard;
use ospf_proto::neighbor::NeighborState;
use routing_common::config::BfdProfile;
use routing_common::id::IfIndex;
use routing_common::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

pub(crate) fn profile() -> BfdProfile {
    BfdProfile {
        name: "default".into(),
        transmit_interval: 10 * MILLI,
        receive_interval: 10 * MILLI,
        detect_multiplier: 3,
        passive: false,
        minimum_ttl: 254,
    }
}

/// r1 - r2 - r3 with BFD on all links of `r1` and `r2`; bfdd is there before the first neighbour.
fn watched_chain() -> Net {
    let mut net = chain(3);
    for node in 0..2 {
        let ospf = net.nodes[node].config.ospf.as_mut().unwrap();
        ospf.interfaces.values_mut().for_each(|i| i.bfd = Some(profile()));
    }
    net.start_all();
    for node in 0..2 {
        net.input(node, Input::BfdConnected);
    }
    net
}

/// r1's session with r2.
pub(crate) fn key() -> SessionKey {
    SessionKey::single_hop(ip("10.0.1.0"), ip("10.0.1.1"), IfIndex(2))
}

/// r2's session with r1.
pub(crate) fn far_key() -> SessionKey {
    SessionKey::single_hop(ip("10.0.1.1"), ip("10.0.1.0"), IfIndex(2))
}

pub(crate) fn says(
    net: &mut Net,
    node: usize,
    key: SessionKey,
    state: SessionState,
    remote_admin_down: bool,
) {
    let status = SessionStatus { remote_admin_down, ..status(key, state) };
    net.input(node, Input::Bfd(BfdMessage::State(status)));
}

/// What bfdd says when nothing was heard in time; the peer's bfdd is as independent as ours.
pub(crate) fn status(key: SessionKey, state: SessionState) -> SessionStatus {
    SessionStatus {
        key,
        state,
        diagnostic: Diagnostic::CONTROL_DETECTION_TIME_EXPIRED,
        remote_diagnostic: Diagnostic::NONE,
        remote_admin_down: false,
        remote_independent: true,
    }
}

fn register() -> ClientMessage {
    ClientMessage::Register { key: key(), parameters: Parameters::from(&profile()) }
}

/// r1 is adjacent to r2, whose path BFD has found sound.
pub(crate) fn up() -> Net {
    let mut net = watched_chain();
    net.run(20 * SECOND);
    assert!(net.is_full(0, 1) && net.nodes[0].bfd_log.contains(&register()));
    says(&mut net, 0, key(), SessionState::Down, false);
    says(&mut net, 0, key(), SessionState::Init, false);
    says(&mut net, 0, key(), SessionState::Up, false);
    net
}

#[test]
fn the_keys_of_these_tests_are_the_link_between_r1_and_r2() {
    let net = watched_chain();
    for (node, key) in [(0, key()), (1, far_key())] {
        let link = net.nodes[node].engine.interfaces().find(|i| i.ip() == key.local).unwrap();
        assert_eq!(Some(link.ifindex), key.interface);
    }
}

#[test]
fn every_neighbor_on_an_interface_with_bfd_is_watched_from_its_first_hello_on() {
    let mut net = watched_chain();
    assert_eq!(net.nodes[0].bfd_log.len(), 2, "Hello and BeginSync");
    net.wait(20 * SECOND, "heard", |n| n.state(0, 2) >= Some(NeighborState::Init));
    assert_eq!(net.nodes[0].bfd_log[2..], [register()]);
    net.run(20 * SECOND);
    assert_eq!(net.nodes[0].bfd_log[3..], [ClientMessage::EndSync], "once all adjacencies are there");
    assert_eq!(net.nodes[1].engine.bfd_sessions().count(), 2);
    assert_eq!(net.nodes[2].engine.bfd_sessions().count(), 0, "r3 has no BFD");
}

#[test]
fn a_failed_path_ends_the_adjacency_and_its_routes_in_the_same_turn() {
    let mut net = up();
    assert!(net.route(0, "10.255.0.3/32").is_some());
    says(&mut net, 0, key(), SessionState::Down, false);
    assert_eq!(net.state(0, 2), None);
    assert_eq!(net.route(0, "10.255.0.3/32"), None);
    assert!(net.nodes[0].notices.iter().any(|n| n.code == "bfd-down" && n.text.contains("10.0.1.0")));
}

#[test]
fn what_never_was_up_or_was_taken_down_on_purpose_says_nothing() {
    let mut net = watched_chain();
    net.run(20 * SECOND);
    says(&mut net, 0, key(), SessionState::Down, false);
    assert!(net.is_full(0, 1));
    says(&mut net, 0, key(), SessionState::Up, false);
    says(&mut net, 0, key(), SessionState::Down, true);
    assert!(net.is_full(0, 1), "the other end's bfdd was stopped");
    says(&mut net, 0, key(), SessionState::Up, false);
    says(&mut net, 0, key(), SessionState::AdminDown, false);
    assert!(net.is_full(0, 1), "ours was");
    let elsewhere = SessionKey { peer: ip("10.9.9.9"), ..key() };
    for state in [SessionState::Up, SessionState::Down] {
        says(&mut net, 0, elsewhere, state, false);
    }
    assert!(net.is_full(0, 1));
}

#[test]
fn a_neighbor_lost_to_bfd_is_not_heard_before_its_session_is_up() {
    let mut net = up();
    says(&mut net, 1, far_key(), SessionState::Up, false);
    says(&mut net, 0, key(), SessionState::Down, false);
    says(&mut net, 1, far_key(), SessionState::Down, false);
    net.run(30 * SECOND);
    assert_eq!((net.state(0, 2), net.state(1, 1)), (None, None), "though Hellos come");
    let link = net.nodes[0].engine.interfaces().find(|i| i.ifindex == IfIndex(2)).unwrap();
    assert!(link.statistics.discards.contains_key(&Discard::HeldByBfd));
    let took = {
        says(&mut net, 0, key(), SessionState::Up, false);
        says(&mut net, 1, far_key(), SessionState::Up, false);
        net.wait(20 * SECOND, "the adjacency", |n| n.is_full(0, 1))
    };
    assert!(took < SECOND, "a Hello left at once: {took:?}");
}

#[test]
fn the_hold_ends_after_the_dead_interval_and_with_bfdd() {
    let mut net = up();
    says(&mut net, 0, key(), SessionState::Down, false);
    net.run(41 * SECOND);
    net.wait(20 * SECOND, "the adjacency", |n| n.is_full(0, 1));
    let mut net = up();
    says(&mut net, 0, key(), SessionState::Down, false);
    net.run(SECOND);
    net.input(0, Input::BfdLost);
    net.wait(20 * SECOND, "the adjacency", |n| n.is_full(0, 1));
}

#[test]
fn the_session_outlives_its_neighbor_for_a_while() {
    let mut net = up();
    says(&mut net, 0, key(), SessionState::Down, false);
    net.segments.iter_mut().for_each(|s| s.loss_percent = 100);
    let unregistered = |n: &Net| n.nodes[0].bfd_log.iter().any(|m| *m == ClientMessage::Unregister(key()));
    net.run(39 * SECOND);
    assert!(!unregistered(&net));
    net.wait(2 * SECOND, "its end", unregistered);
    // With the interface gone there is nothing to watch.
    let mut net = up();
    net.carrier(0, false);
    assert!(unregistered(&net));
}

#[test]
fn the_end_of_bfdd_changes_nothing_and_its_successor_is_told_everything() {
    let mut net = up();
    net.nodes[0].bfd_log.clear();
    net.input(0, Input::BfdLost);
    net.run(SECOND);
    assert!(net.is_full(0, 1) && net.nodes[0].bfd_log.is_empty());
    net.input(0, Input::BfdConnected);
    let log = &net.nodes[0].bfd_log;
    assert!(matches!(log[0], ClientMessage::Hello { .. }), "{log:?}");
    assert_eq!(log[1..], [ClientMessage::BeginSync, register(), ClientMessage::EndSync]);
    // What the old one knew of the session is not the new one's.
    says(&mut net, 0, key(), SessionState::Down, false);
    assert!(net.is_full(0, 1));
}

#[test]
fn an_ospfd_that_restarts_ends_no_session_before_its_adjacencies_are_back() {
    let mut net = up();
    net.kill(0);
    net.nodes[0].bfd_log.clear();
    net.start(0);
    net.input(0, Input::BfdConnected);
    net.wait(60 * SECOND, "EndSync", |n| n.nodes[0].bfd_log.contains(&ClientMessage::EndSync));
    let at = |m: &ClientMessage| net.nodes[0].bfd_log.iter().position(|x| x == m).unwrap();
    assert!(at(&register()) < at(&ClientMessage::EndSync));
    assert!(net.is_full(0, 1));
}

#[test]
fn a_reload_changes_sessions_in_place() {
    let mut net = up();
    net.nodes[0].bfd_log.clear();
    let slower = BfdProfile { transmit_interval: 50 * MILLI, ..profile() };
    let set = |net: &mut Net, bfd: Option<BfdProfile>| {
        net.reconfigure(0, |c| {
            let ospf = c.ospf.as_mut().unwrap();
            ospf.interfaces.values_mut().for_each(|i| i.bfd.clone_from(&bfd));
        });
    };
    set(&mut net, Some(slower.clone()));
    let parameters = Parameters::from(&slower);
    assert_eq!(net.nodes[0].bfd_log, [ClientMessage::Register { key: key(), parameters }]);
    set(&mut net, None);
    assert_eq!(net.nodes[0].bfd_log[1..], [ClientMessage::Unregister(key())]);
    assert!(net.is_full(0, 1));
}

#[test]
fn whoever_leaves_says_so_before_its_last_word() {
    let mut net = up();
    net.input(0, Input::Shutdown);
    net.wait(2 * SECOND, "the end", |n| n.nodes[0].finished);
    assert_eq!(net.nodes[0].bfd_log.last(), Some(&ClientMessage::Goodbye));
    assert_eq!(net.nodes[0].engine.router_id(), id(1));
}
