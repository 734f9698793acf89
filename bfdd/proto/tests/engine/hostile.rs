//! What a peer, or somebody who is none, may send.

use crate::one::{IF, OWN, One, PEER, address, hello, link, ms, parameters};
use bfd_proto::message::{ClientMessage, Diagnostic, Parameters, SessionKey, SessionState};
use bfd_proto::packet::ControlPacket;
use bfd_proto::{Input, Received, api};
use proptest::prelude::*;
use routing_common::id::IfIndex;
use routing_common::link::LinkEvent;
use routing_common::time::Instant;
use serde_json::json;
use std::net::Ipv4Addr;

/// Counters of what found no session, and of what the only session dropped.
fn discards(one: &One) -> (serde_json::Value, serde_json::Value) {
    let status = one.ask(&api::Request::Status);
    let counters = one.ask(&api::Request::Counters);
    (status["discards"].clone(), counters[0]["discards"].clone())
}

#[test]
fn every_check_has_its_counter() {
    let mut one = One::new();
    one.input(Input::Link(link(IfIndex(3), "eth2", false)));
    one.register(parameters(ms(10), 3));
    let id = one.bring_up();
    let up = hello(SessionState::Up, id);
    let bytes = up.encode();
    let with = |at: usize, value: u8| {
        let mut b = bytes;
        b[at] = value;
        b
    };
    let now = one.now;
    one.hear_bytes(&bytes, 254, IF, false, now);
    one.hear_bytes(&with(0, 0), 255, IF, false, now);
    one.hear_bytes(&with(3, 20), 255, IF, false, now);
    one.hear_bytes(&bytes[..20], 255, IF, false, now);
    one.hear_bytes(&with(2, 0), 255, IF, false, now);
    one.hear_bytes(&with(1, 0xc1), 255, IF, false, now);
    one.hear(&ControlPacket { my_discriminator: 0, ..up });
    one.hear(&ControlPacket { your_discriminator: id ^ 1, ..up });
    one.hear_bytes(&bytes, 255, IF, true, now);
    one.hear(&ControlPacket { your_discriminator: 0, ..up });
    let stranger = Received {
        interface: IF,
        source: Ipv4Addr::new(10, 0, 0, 9),
        destination: OWN,
        ttl: 255,
        multihop: false,
        payload: &hello(SessionState::Down, 0).encode(),
        received: now,
    };
    one.input(Input::Packet(stranger));
    let (lost, own) = discards(&one);
    let expected = json!({"ttl": 1, "version": 1, "length": 1, "truncated": 1, "detect-mult": 1, "multipoint": 1,
        "my-discriminator": 1, "your-discriminator": 2, "state": 1, "no-session": 1});
    assert_eq!((lost, own), (expected, json!({})));
    one.hear_bytes(&bytes, 255, IfIndex(3), false, now);
    let mut authenticated = [&bytes[..], &[0; 4]].concat();
    (authenticated[1], authenticated[3]) = (0xc4, 28);
    one.hear_bytes(&authenticated, 255, IF, false, now);
    assert_eq!(discards(&one).1, json!({"interface": 1, "authentication": 1}));
    assert_eq!(one.status(), "up");
    one.run(ms(30));
    assert_eq!(one.status(), "down", "none of them counts as heard");
}

#[test]
fn over_several_hops_the_smallest_ttl_is_the_sessions() {
    let mut one = One::new();
    let key = SessionKey { peer: PEER, local: Some(OWN), interface: None, multihop: true };
    let parameters = Parameters { minimum_ttl: 250, ..parameters(ms(300), 3) };
    one.say(crate::one::CLIENT, ClientMessage::Register { key, parameters });
    let first = hello(SessionState::Down, 0).encode();
    one.hear_bytes(&first, 249, IF, true, one.now);
    one.hear_bytes(&first, 255, IF, false, one.now);
    assert_eq!(one.status(), "down");
    assert_eq!(discards(&one), (json!({"no-session": 1}), json!({"minimum-ttl": 1})));
    one.hear_bytes(&first, 250, IfIndex(9), true, one.now);
    assert_eq!(one.status(), "init", "whatever the interface");
}

/// A packet of another system, or for another address of ours.
fn astray(one: &mut One, source: Ipv4Addr, destination: Ipv4Addr, packet: ControlPacket) {
    let (payload, received) = (packet.encode(), one.now);
    let (interface, ttl, multihop) = (IF, 255, false);
    let packet = Received { interface, source, destination, ttl, multihop, payload: &payload, received };
    one.input(Input::Packet(packet));
}

#[test]
fn a_changed_source_address_does_not_matter_on_a_point_to_point_link() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    let id = one.peer().id;
    let other = Ipv4Addr::new(10, 9, 9, 9);
    astray(&mut one, other, OWN, hello(SessionState::Down, 0));
    assert_eq!(one.status(), "down");
    one.input(Input::Link(link(IF, "eth1", true)));
    astray(&mut one, other, OWN, hello(SessionState::Down, 0));
    assert_eq!(one.status(), "init", "on a point-to-point link there is nobody else");
    astray(&mut one, other, OWN, hello(SessionState::Init, id));
    assert_eq!((one.status().as_str(), one.peer().peer), ("up", PEER));
}

#[test]
fn on_a_lan_a_session_is_between_two_addresses() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    let id = one.peer().id;
    let (third, virtual_address) = (Ipv4Addr::new(10, 0, 0, 3), Ipv4Addr::new(10, 0, 0, 254));
    astray(&mut one, PEER, virtual_address, hello(SessionState::Down, 0));
    astray(&mut one, third, OWN, hello(SessionState::Init, id));
    assert_eq!(one.status(), "down");
    one.hear(&hello(SessionState::Init, id));
    assert_eq!(one.status(), "up");
    astray(&mut one, PEER, virtual_address, hello(SessionState::Down, id));
    astray(&mut one, third, OWN, hello(SessionState::Down, id));
    assert_eq!(one.status(), "up");
    assert_eq!(discards(&one), (json!({"no-session": 1, "your-discriminator": 3}), json!({})));
}

/// Anything a neighbour on the link can do.
#[derive(Debug, Clone)]
enum Act {
    Packet { state: u8, flags: u8, mult: u8, mine: u32, known: bool, transmit: u32, receive: u32, ttl: bool },
    Bytes(Vec<u8>),
    Wait(u64),
    Change { interval: u64, multiplier: u8, passive: bool },
    Address(bool),
    Leave,
    Return,
}

fn act() -> impl Strategy<Value = Act> {
    let interval = || prop_oneof![Just(0u32), Just(1), Just(10_000), Just(u32::MAX), any::<u32>()];
    let packet = (
        0u8..4,
        any::<u8>(),
        any::<u8>(),
        0u32..3,
        any::<bool>(),
        interval(),
        interval(),
        prop::bool::weighted(0.95),
    );
    prop_oneof![
        8 => packet.prop_map(|(state, flags, mult, mine, known, transmit, receive, ttl)| Act::Packet {
            state, flags, mult, mine, known, transmit, receive, ttl
        }),
        1 => proptest::collection::vec(any::<u8>(), 0..40).prop_map(Act::Bytes),
        3 => (0u64..400).prop_map(Act::Wait),
        1 => (0u64..100, any::<u8>(), any::<bool>())
            .prop_map(|(interval, multiplier, passive)| Act::Change { interval, multiplier, passive }),
        1 => any::<bool>().prop_map(Act::Address),
        1 => Just(Act::Leave),
        1 => Just(Act::Return),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_makes_it_panic_or_talk_too_much(acts in proptest::collection::vec(act(), 0..200)) {
        let mut one = One::new();
        one.register(parameters(ms(10), 3));
        for act in acts {
            match act {
                Act::Packet { state, flags, mult, mine, known, transmit, receive, ttl } => {
                    let ids: Vec<api::Peer> = serde_json::from_value(one.ask(&api::Request::Peers)).unwrap();
                    let yours = if known { ids.first().map_or(0, |p| p.id) } else { 0 };
                    let packet = ControlPacket {
                        diagnostic: Diagnostic(flags & 31),
                        state: SessionState::ALL[usize::from(state)],
                        poll: flags & 1 != 0,
                        final_: flags & 2 != 0,
                        control_plane_independent: flags & 4 != 0,
                        authenticated: false,
                        demand: flags & 8 != 0 && flags & 16 != 0,
                        detect_mult: mult,
                        my_discriminator: mine,
                        your_discriminator: yours,
                        desired_min_tx: transmit,
                        required_min_rx: receive,
                        required_min_echo_rx: 0,
                    };
                    one.hear_bytes(&packet.encode(), if ttl { 255 } else { 1 }, IF, false, one.now);
                }
                Act::Bytes(bytes) => one.hear_bytes(&bytes, 255, IF, false, one.now),
                Act::Wait(n) => one.run(ms(n) / 10),
                Act::Change { interval, multiplier, passive } => {
                    one.register(Parameters { passive, ..parameters(ms(interval), multiplier) });
                }
                Act::Address(there) => {
                    let address = address(IF, "10.0.0.1/24", 0);
                    one.input(Input::Link(if there { LinkEvent::AddressAdded(address) } else { LinkEvent::AddressRemoved(address) }));
                }
                Act::Leave => one.say(crate::one::CLIENT, ClientMessage::Unregister(crate::one::key(OWN, PEER))),
                Act::Return => one.register(parameters(ms(10), 3)),
            }
        }
        // At most one packet and one Final each millisecond, whatever was heard.
        let finals = |f: bool| one.sent.iter().filter(move |(_, p)| p.final_ == f).map(|(at, p)| (*at, p.my_discriminator));
        for f in [false, true] {
            let times: Vec<(Instant, u32)> = finals(f).collect();
            for w in times.windows(2) {
                prop_assert!(w[0].1 != w[1].1 || w[1].0.since(w[0].0) >= ms(1), "{:?}", w);
            }
        }
        prop_assert!(one.sent.iter().all(|(_, p)| !(p.poll && p.final_)), "never both (§6.5)");
        prop_assert!(one.sent.iter().all(|(_, p)| p.state == SessionState::Up || p.desired_min_tx >= 1_000_000));
    }
}
