//! When a silence is a failure, to the microsecond.

use crate::one::{IF, One, hello, link_with, ms, parameters};
use bfd_proto::Input;
use bfd_proto::message::SessionState;
use routing_common::machine::Machine;
use routing_common::time::{Duration, Instant};

/// Up, with 3 × 10 ms; returns the discriminator and when the peer was last heard.
fn up(one: &mut One) -> (u32, Instant) {
    one.register(parameters(ms(10), 3));
    let id = one.bring_up();
    (id, one.now)
}

#[test]
fn it_is_the_kernels_stamp_that_counts() {
    let mut one = One::new();
    let (id, _) = up(&mut one);
    let packet = hello(SessionState::Up, id).encode();
    one.run(ms(9));
    let stamp = one.now - ms(4);
    one.hear_bytes(&packet, 255, IF, false, stamp);
    one.run(ms(25));
    assert_eq!(one.status(), "up");
    one.run(ms(1));
    assert_eq!(one.status(), "down");
    let (at, _) =
        one.sent.iter().find(|(_, p)| p.state == SessionState::Down && p.diagnostic.0 == 1).unwrap();
    assert_eq!(*at, stamp + ms(30));
}

#[test]
fn a_stamp_from_the_future_counts_as_now() {
    let mut one = One::new();
    let (id, _) = up(&mut one);
    let packet = hello(SessionState::Up, id).encode();
    one.hear_bytes(&packet, 255, IF, false, one.now + ms(5000));
    one.run(ms(30));
    assert_eq!(one.status(), "down");
}

#[test]
fn a_stall_gives_as_much_time_again_but_no_more_than_a_detection_time() {
    for (stall, more) in [(29, 0), (50, 20), (1000, 29)] {
        let mut one = One::new();
        let (_, heard) = up(&mut one);
        one.run(ms(1));
        // Asleep from here to `stall` after the last packet, beyond the deadline of our own next packet.
        one.now = heard + ms(stall);
        one.engine.handle_timeout(one.now);
        one.run(Duration::ZERO);
        assert_eq!(one.status(), "up", "{stall}");
        assert_eq!(one.peer().stalls_excused, 1, "{stall}");
        one.run(ms(more));
        assert_eq!(one.status(), "up", "{stall}");
        one.run(ms(31));
        assert_eq!(one.status(), "down", "{stall}");
        let status = one.ask(&bfd_proto::api::Request::Status);
        assert_eq!(status["stalls"], 1);
        assert!(status["last-stall-usecs"].as_u64().unwrap() >= (stall - 12) * 1000, "{status}");
    }
}

#[test]
fn being_late_all_the_time_is_no_excuse_for_ever() {
    let mut one = One::new();
    let (_, heard) = up(&mut one);
    while one.status() == "up" {
        one.now = one.engine.poll_timeout().unwrap() + ms(5);
        one.engine.handle_timeout(one.now);
        one.run(Duration::ZERO);
        assert!(one.now.since(heard) < ms(80), "{:?}", one.now.since(heard));
    }
}

#[test]
fn a_thread_that_slept_while_packets_came_has_no_excuse() {
    let mut one = One::new();
    let (id, heard) = up(&mut one);
    one.now = heard + ms(100);
    let packet = hello(SessionState::Up, id).encode();
    // The peer went on until 60 ms ago and then fell silent.
    one.hear_bytes(&packet, 255, IF, false, heard + ms(40));
    one.engine.handle_timeout(one.now);
    one.run(Duration::ZERO);
    assert_eq!(one.status(), "up", "60 of 100 ms without a packet are excused, up to 30");
    one.run(ms(30));
    assert_eq!(one.status(), "down");
}

#[test]
fn nothing_is_detected_before_the_peer_was_heard_and_while_held_down() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    one.run(ms(60_000));
    assert_eq!((one.status().as_str(), one.peer().history.len()), ("down", 0));
    assert_eq!(one.states(), [SessionState::Down]);
    one.input(Input::TransmitFailed(one.peer().id));
    let counters = one.ask(&bfd_proto::api::Request::Counters);
    assert_eq!(counters[0]["tx-fail-packet"], 1);
}

#[test]
fn nothing_is_sent_without_carrier_and_at_once_when_it_is_back() {
    let mut one = One::new();
    up(&mut one);
    let carrier = |running| Input::Link(link_with(IF, "eth1", false, running));
    one.input(carrier(false));
    one.sent.clear();
    one.run(ms(900));
    assert_eq!(one.status(), "down");
    assert_eq!(one.sent, []);
    one.input(carrier(true));
    assert_eq!(one.sent.len(), 1, "the next one would be due within a second only");
}
