//! Timer negotiation, Poll Sequences and roles, packet by packet.

use crate::one::{One, hello, ms, parameters};
use crate::pair::{FAIR, Pair};
use bfd_proto::message::{Diagnostic, Parameters, SessionState};
use bfd_proto::packet::ControlPacket;
use routing_common::time::Duration;

#[test]
fn a_session_begins_slowly_and_comes_up_by_three_packets() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    let (_, first) = one.sent[0];
    assert_eq!(
        (first.state, first.your_discriminator, first.desired_min_tx),
        (SessionState::Down, 0, 1_000_000)
    );
    assert_eq!((first.required_min_rx, first.required_min_echo_rx, first.detect_mult), (10_000, 0, 3));
    assert_ne!(first.my_discriminator, 0);
    one.run(ms(10_000));
    let gaps: Vec<Duration> = one.sent.windows(2).map(|w| w[1].0.since(w[0].0)).collect();
    assert!(gaps.len() >= 9 && gaps.iter().all(|g| (ms(750)..=ms(1000)).contains(g)), "{gaps:?}");
    one.hear(&hello(SessionState::Down, 0));
    assert_eq!(one.status(), "init");
    one.run(ms(1));
    let (_, second) = *one.sent.last().unwrap();
    assert_eq!((second.state, second.your_discriminator), (SessionState::Init, 77), "said at once");
    one.hear(&hello(SessionState::Up, first.my_discriminator));
    assert_eq!(one.status(), "up");
    one.run(ms(1));
    let (_, third) = *one.sent.last().unwrap();
    assert_eq!((third.state, third.desired_min_tx, third.poll), (SessionState::Up, 10_000, true));
    assert_eq!(one.states(), [SessionState::Down, SessionState::Init, SessionState::Up]);
}

#[test]
fn a_poll_is_answered_at_once_without_a_poll_of_our_own() {
    let mut one = One::new();
    one.register(parameters(ms(300), 3));
    let id = one.bring_up();
    one.run(ms(5));
    one.sent.clear();
    one.hear(&ControlPacket { poll: true, ..hello(SessionState::Up, id) });
    let [(at, answer)] = one.sent[..] else { panic!("{:?}", one.sent) };
    assert_eq!((at, answer.final_, answer.poll), (one.now, true, false), "though our own sequence runs");
    one.hear(&ControlPacket { poll: true, ..hello(SessionState::Up, id) });
    assert_eq!(one.sent.len(), 1, "no second Final within a millisecond");
    one.run(ms(300));
    assert!(one.sent.last().unwrap().1.poll);
    one.hear(&ControlPacket { final_: true, ..hello(SessionState::Up, id) });
    one.hear(&hello(SessionState::Up, id));
    one.run(ms(15));
    assert!(!one.peer().polling);
}

#[test]
fn the_passive_end_waits_to_be_spoken_to_and_two_of_them_wait_for_ever() {
    let passive = Parameters { passive: true, ..parameters(ms(10), 3) };
    let mut one = One::new();
    one.register(passive);
    one.run(ms(20_000));
    assert!(one.sent.is_empty());
    one.bring_up();
    assert!(!one.sent.is_empty());
    one.run(ms(40));
    assert_eq!(one.status(), "down");
    one.sent.clear();
    one.run(ms(20_000));
    assert!(one.sent.is_empty(), "the peer is unknown again");

    let mut pair = Pair::new(3, FAIR);
    pair.register(0, passive);
    pair.register(1, parameters(ms(10), 3));
    pair.settle();
    let mut pair = Pair::new(3, FAIR);
    (0..2).for_each(|side| pair.register(side, passive));
    pair.run(ms(20_000));
    assert_eq!(pair.sent, [0, 0]);
}

#[test]
fn a_peer_in_demand_mode_is_left_alone_except_for_news() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    let id = one.bring_up();
    one.run(ms(20));
    let demand = ControlPacket { demand: true, desired_min_tx: 1_000_000, ..hello(SessionState::Up, id) };
    one.hear(&ControlPacket { final_: true, ..demand });
    one.hear(&demand);
    one.sent.clear();
    one.run(ms(2000));
    assert_eq!((one.sent.len(), one.status().as_str()), (0, "up"));
    one.register(parameters(ms(20), 3));
    one.run(ms(50));
    assert!(one.sent.iter().all(|(_, p)| p.poll) && !one.sent.is_empty(), "a Poll Sequence is sent");
    one.hear(&ControlPacket { final_: true, ..demand });
    one.sent.clear();
    one.run(ms(2000));
    assert_eq!(one.sent.len(), 0);
    one.hear(&ControlPacket { demand: false, ..demand });
    one.run(ms(100));
    assert!(one.sent.len() >= 4);
}

#[test]
fn a_peer_that_wants_nothing_periodic_gets_news_and_finals() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    let id = one.bring_up();
    let deaf = ControlPacket { required_min_rx: 0, desired_min_tx: 1_000_000, ..hello(SessionState::Up, id) };
    one.hear(&deaf);
    one.run(ms(5));
    one.sent.clear();
    one.run(ms(1000));
    assert_eq!(one.sent.len(), 0);
    one.hear(&ControlPacket { poll: true, ..deaf });
    assert_eq!(one.sent.len(), 1);
    one.hear(&ControlPacket { state: SessionState::Down, ..deaf });
    one.run(ms(5));
    assert_eq!(one.sent.last().unwrap().1.state, SessionState::Down);
}

#[test]
fn the_slower_end_decides_in_each_direction() {
    let mut pair = Pair::new(5, FAIR);
    let of = |transmit, receive| Parameters { receive_interval: ms(receive), ..parameters(ms(transmit), 3) };
    pair.register(0, of(10, 40));
    pair.register(1, of(20, 15));
    pair.settle();
    let shown = |side| {
        let p = pair.peer(side);
        (p.transmit_interval_actual.as_u64().unwrap(), p.detection_timeout.as_u64().unwrap())
    };
    assert_eq!((shown(0), shown(1)), ((15, 120), (40, 45)));
}

#[test]
fn a_multiplier_of_one_leaves_room_for_the_packet() {
    let mut pair = Pair::up(9, crate::pair::Weather { delay: Duration::from_micros(100), ..FAIR }, ms(10), 1);
    pair.forget();
    pair.run(ms(20_000));
    assert!(pair.quiet());
}

#[test]
fn the_diagnostic_says_why() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    let id = one.bring_up();
    one.run(ms(31));
    one.run(ms(1));
    let (_, last) = *one.sent.last().unwrap();
    assert_eq!(
        (last.state, last.diagnostic, last.your_discriminator),
        (SessionState::Down, Diagnostic::CONTROL_DETECTION_TIME_EXPIRED, 0)
    );
    one.hear(&hello(SessionState::Init, id));
    assert_eq!((one.status().as_str(), one.peer().diagnostic.as_str()), ("up", "ok"));
    one.hear(&ControlPacket { diagnostic: Diagnostic(1), ..hello(SessionState::Down, id) });
    let p = one.peer();
    assert_eq!(
        (p.status.as_str(), p.diagnostic.as_str(), p.remote_diagnostic.as_str()),
        ("down", "neighbor signaled session down", "control detection time expired")
    );
}
