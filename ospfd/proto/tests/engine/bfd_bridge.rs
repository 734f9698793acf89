//! bfdd fails and the path does not.

use crate::bfd::{far_key, key, says, status, up};
use crate::harness::{Net, ip};
use bfd_proto::message::{BfdMessage, Diagnostic, SessionState, SessionStatus};
use ospf_proto::Input;
use routing_common::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// r1's bfdd has just been killed; r2's has waited for it in vain.
fn without_bfdd() -> Net {
    let mut net = up();
    says(&mut net, 1, far_key(), SessionState::Up, false);
    net.run(3456 * MILLI);
    net.input(0, Input::BfdLost);
    net.run(25 * MILLI);
    says(&mut net, 1, far_key(), SessionState::Down, false);
    net
}

fn hellos(net: &Net) -> u64 {
    let link = net.nodes[0].engine.interfaces().find(|i| i.ip() == Some(ip("10.0.1.1"))).unwrap();
    link.statistics.sent.hello
}

#[test]
fn a_bfdd_that_is_killed_costs_no_adjacency() {
    let mut net = without_bfdd();
    assert!(net.is_full(1, 0));
    assert!(net.nodes[1].notices.iter().any(|n| n.code == "bfd-peer-restarted"));
    net.run(30 * SECOND);
    assert!(net.is_full(0, 1) && net.is_full(1, 0), "also while nobody starts it again");
    assert!(!net.nodes[1].notices.iter().any(|n| n.code == "bfd-down"));
}

#[test]
fn hellos_stand_in_for_it_for_a_second_and_a_half() {
    let mut net = up();
    net.run(3456 * MILLI);
    let before = hellos(&net);
    net.input(0, Input::BfdLost);
    net.run(1500 * MILLI);
    let while_bridging = hellos(&net) - before;
    assert!((145..=155).contains(&while_bridging), "{while_bridging}: one in 10 ms");
    net.run(5 * SECOND);
    assert!(hellos(&net) - before - while_bridging <= 1);
}

#[test]
fn who_falls_silent_on_probation_is_gone() {
    let mut net = without_bfdd();
    net.run(100 * MILLI);
    net.segments[0].loss_percent = 100;
    net.run(150 * MILLI);
    assert!(net.is_full(1, 0));
    net.run(150 * MILLI);
    assert_eq!(net.state(1, 1), None);
}

#[test]
fn a_session_that_begins_anew_says_nothing_and_one_that_ends_for_a_reason_does() {
    let mut net = up();
    let ends = |net: &mut Net, remote_diagnostic: Diagnostic| {
        says(net, 0, key(), SessionState::Up, false);
        let diagnostic = Diagnostic::NEIGHBOR_SIGNALED_SESSION_DOWN;
        let down = status(key(), SessionState::Down);
        let status = SessionStatus { diagnostic, remote_diagnostic, ..down };
        net.input(0, Input::Bfd(BfdMessage::State(status)));
    };
    ends(&mut net, Diagnostic::NONE);
    assert!(net.is_full(0, 1));
    ends(&mut net, Diagnostic::CONTROL_DETECTION_TIME_EXPIRED);
    assert_eq!(net.state(0, 2), None, "it does not hear us");
}
