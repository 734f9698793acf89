//! BFD sessions of neighbours that restart gracefully (RFC 5882 §4.3).

use crate::bfd::{profile, status};
use crate::graceful::{SECOND, triangle};
use crate::harness::{Net, id, ip};
use bfd_proto::message::{BfdMessage, SessionKey, SessionState, SessionStatus};
use ospf_proto::Input;
use ospf_proto::neighbor::NeighborState;
use routing_common::id::IfIndex;
use routing_common::time::Duration;

const MILLI: Duration = Duration::from_millis(1);

/// Router 2's session with router 1.
fn key() -> SessionKey {
    SessionKey::single_hop(ip("10.0.12.0"), ip("10.0.12.1"), IfIndex(2))
}

fn fails(net: &mut Net, remote_independent: bool) {
    let status = SessionStatus { remote_independent, ..status(key(), SessionState::Down) };
    net.input(1, Input::Bfd(BfdMessage::State(status)));
}

/// The triangle with BFD on router 2's side of its link with router 1; the session is Up.
fn watched() -> Net {
    let mut net = triangle();
    net.reconfigure(1, |c| {
        let to_first = "eth2".parse().unwrap();
        c.ospf.as_mut().unwrap().interfaces.get_mut(&to_first).unwrap().bfd = Some(profile());
    });
    net.input(1, Input::BfdConnected);
    net.input(1, Input::Bfd(BfdMessage::State(status(key(), SessionState::Up))));
    net
}

/// Router 1 leaves for a planned restart.
fn leaves(net: &mut Net) {
    net.input(0, Input::PrepareRestart);
    net.wait(3 * SECOND, "the end", |n| n.nodes[0].finished);
    net.crash(0);
}

fn is_helped(net: &Net) -> bool {
    let interfaces = net.nodes[1].engine.interfaces();
    interfaces.filter_map(|i| i.neighbors.get(&id(1))).any(|n| n.helping.is_some())
}

fn is_routed(net: &Net) -> bool {
    net.route(1, "10.255.0.1/32") == Some((ip("10.0.12.0"), 10))
}

#[test]
fn a_failure_that_a_restart_may_explain_says_nothing() {
    let mut net = watched();
    leaves(&mut net);
    assert!(is_helped(&net));
    net.run(100 * MILLI);
    fails(&mut net, false);
    assert!(is_helped(&net) && is_routed(&net));
    assert!(net.nodes[1].notices.iter().any(|n| n.code == "bfd-peer-restarts"));
    net.run(50 * SECOND);
    assert!(is_helped(&net) && is_routed(&net), "RouterDeadInterval is over, the grace period is not");
    net.restart(0, true);
    net.wait(3 * SECOND, "the end of the restart", |n| n.is_full(0, 1) && !is_helped(n));
    assert!(is_routed(&net));
    // From here on a failure is one again.
    net.input(1, Input::Bfd(BfdMessage::State(status(key(), SessionState::Up))));
    fails(&mut net, false);
    assert_eq!(net.state(1, 1), None);
}

#[test]
fn who_does_not_come_back_is_gone_with_the_grace_period() {
    let mut net = watched();
    leaves(&mut net);
    fails(&mut net, false);
    // Two of the 120 seconds may pass before it is gone.
    net.run(116 * SECOND);
    assert!(is_helped(&net) && is_routed(&net));
    net.run(5 * SECOND);
    assert_eq!(net.state(1, 1), None);
    assert!(!is_routed(&net));
}

#[test]
fn a_failure_that_only_the_path_explains_ends_the_help() {
    let mut net = watched();
    leaves(&mut net);
    net.run(100 * MILLI);
    fails(&mut net, true);
    assert_eq!(net.state(1, 1), None);
    assert!(!is_routed(&net), "in the same turn");
}

#[test]
fn what_fails_before_the_grace_lsa_is_a_failure() {
    let mut net = watched();
    net.crash(0);
    assert_eq!(net.state(1, 1), Some(NeighborState::Full));
    fails(&mut net, false);
    assert_eq!(net.state(1, 1), None);
    assert!(!is_routed(&net));
}
