//! P17: a discarded packet changes its counter and nothing else. Alarms are for packets that count.

use super::*;
use crate::machine::State;
use crate::router::Alarm;
use proptest::prelude::*;

/// Everything the engine is, but its discard counters, their notices included.
fn print(engine: &Instance) -> String {
    let mut copy = engine.clone();
    copy.strays.clear();
    copy.out.clear();
    for router in copy.routers.values_mut() {
        router.discards = Discards::default();
    }
    format!("{copy:?}")
}

fn total(engine: &Instance) -> u64 {
    let counters = engine.routers.values().map(|r| &r.discards).chain(engine.strays.values());
    counters.flat_map(|d| d.iter().map(|(_, n)| n).collect::<Vec<_>>()).sum()
}

/// A node in each state.
fn node(state: State) -> Node {
    let mut node = Node::new("192.0.2.1");
    node.configure(Instant::ZERO, [group(if state == State::Active { 255 } else { 100 })]);
    if state == State::Initialize {
        node.input(at(1), Input::Link(LinkEvent::LinkChanged(base_link(false))));
    }
    assert_eq!(node.state(), state);
    node
}

const STATES: [State; 3] = [State::Initialize, State::Backup, State::Active];

#[test]
fn p17_every_kind_of_discard_in_every_state_changes_only_its_counter() {
    let source = Ipv4Addr::new(192, 0, 2, 9);
    let good = packet::Advertisement {
        version: VrrpVersion::V3,
        vrid: Vrid::new(10).unwrap(),
        priority: 254,
        interval: ms(1000),
        addresses: vec![Ipv4Addr::new(192, 0, 2, 254)],
    };
    let bytes = |adv: &packet::Advertisement| adv.encode(source, VrrpChecksum::Rfc9568);
    let flip = |at: usize, value: u8| {
        let mut b = bytes(&good);
        let old = u16::from_be_bytes([b[at & !1], b[(at & !1) + 1]]);
        b[at] = value;
        let new = u16::from_be_bytes([b[at & !1], b[(at & !1) + 1]]);
        // RFC 1624: HC' = ~(~HC + ~m + m').
        let sum = u32::from(!u16::from_be_bytes([b[6], b[7]])) + u32::from(!old) + u32::from(new);
        let sum = (sum & 0xffff) + (sum >> 16);
        let sum = !(((sum & 0xffff) + (sum >> 16)) as u16);
        b[6..8].copy_from_slice(&sum.to_be_bytes());
        b
    };
    let mut corrupt = bytes(&good);
    corrupt[6] ^= 1;
    let stranger = packet::Advertisement { vrid: Vrid::new(77).unwrap(), ..good.clone() };
    let none = packet::Advertisement { addresses: vec![], ..good.clone() };
    let junk: Vec<(Discard, Vec<u8>)> = vec![
        (Discard::Checksum, corrupt),
        (Discard::Version, flip(0, 0x21)),
        (Discard::Type, flip(0, 0x32)),
        (Discard::Length, bytes(&good)[..11].to_vec()),
        (Discard::Vrid, bytes(&stranger)),
        (Discard::Interval, flip(5, 0)),
        (Discard::AddressCount, bytes(&none)),
        (Discard::Length, vec![]),
    ];
    for state in STATES {
        let mut node = node(state);
        let before = print(&node.engine);
        let mut sent = 0;
        for (reason, payload) in &junk {
            hear_bytes(&mut node, at(100), source, payload);
            sent += 1;
            assert_eq!(total(&node.engine), sent, "{reason:?} in {state}");
            assert_eq!(print(&node.engine), before, "{reason:?} in {state}");
        }
        for (ttl, destination) in [(254, crate::constants::GROUP), (255, Ipv4Addr::new(192, 0, 2, 1))] {
            let payload = bytes(&good);
            let packet = Received { source, destination, ttl, payload: &payload };
            node.input(at(100), Input::Packet { ifindex: BASE, packet });
            assert_eq!(print(&node.engine), before);
        }
        if state != State::Initialize {
            let own = Ipv4Addr::new(192, 0, 2, 1);
            hear_bytes(&mut node, at(100), own, &good.encode(own, VrrpChecksum::Rfc5798));
            assert_eq!(node.router().discards.of(Discard::OwnAddress), 1);
            assert_eq!(print(&node.engine), before);
        }
    }
}

proptest! {
    #[test]
    fn p16_p17_no_bytes_panic_and_junk_changes_nothing(
        payload in prop::collection::vec(any::<u8>(), 0..64), state in 0usize..3, to_us in any::<bool>(),
    ) {
        let mut payload = payload;
        if to_us && payload.len() > 1 {
            payload[0] = 0x31;
            payload[1] = 10;
        }
        let mut node = node(STATES[state]);
        let before = print(&node.engine);
        hear_bytes(&mut node, at(50), Ipv4Addr::new(192, 0, 2, 7), &payload);
        if total(&node.engine) == 1 {
            prop_assert_eq!(print(&node.engine), before);
        }
    }
}

#[test]
fn junk_between_two_advertisements_does_not_move_the_cadence() {
    let mut node = node(State::Active);
    for n in 1..5000u64 {
        hear_bytes(&mut node, at(n), Ipv4Addr::new(192, 0, 2, 9), &[0x31, 10, 200, 9, 0, 100, 1, 1]);
        node.engine.handle_timeout(at(n));
        node.drain(at(n));
    }
    let times: Vec<Instant> = node.adverts().iter().map(|s| s.at).collect();
    assert_eq!(times, [at(0), at(1000), at(2000), at(3000), at(4000)]);
    let notices = |o: &&Output| matches!(o, Output::Notice(n) if n.code == "vrrp-discard");
    assert_eq!(node.done.iter().filter(notices).count(), 1, "and is not logged 5000 times");
}

#[test]
fn a_flood_of_losing_advertisements_is_answered_within_bounds() {
    let mut node = node(State::Active);
    for n in 1..1000u64 {
        hear(&mut node, at(n), "192.0.2.9", &group(1));
    }
    assert!(node.adverts().len() <= 6, "{}", node.adverts().len());
    assert!(node.adverts().len() >= 4);
}

#[test]
fn a_flood_of_priority_zero_is_answered_within_bounds_and_delays_nothing() {
    let mut node = node(State::Active);
    for n in 1..=10_000u64 {
        hear(&mut node, at(n), "192.0.2.9", &group(0));
        node.engine.handle_timeout(at(n));
        node.drain(at(n));
    }
    let times: Vec<Instant> = node.adverts().iter().map(|s| s.at).collect();
    assert!((40..=50).contains(&times.len()), "{}", times.len());
    let longest = times.windows(2).map(|w| w[1].since(w[0])).max().unwrap();
    assert!(longest <= ms(1000), "{longest:?}");
}

#[test]
fn mistakes_that_come_and_go_are_told_once_a_minute() {
    let mut node = node(State::Backup);
    let other = VrrpGroup { virtual_addresses: vec!["192.0.2.253/24".parse().unwrap()], ..group(200) };
    let told = |node: &Node| {
        let alarm = |o: &&Output| matches!(o, Output::Notice(n) if n.code == "vrrp-alarm");
        node.done.iter().filter(alarm).count()
    };
    for n in 0..1000u64 {
        hear(&mut node, at(500 + 2 * n), "192.0.2.9", &other);
        assert!(node.router().alarms.contains_key(&Alarm::AddressMismatch));
        hear(&mut node, at(501 + 2 * n), "192.0.2.9", &group(200));
        assert!(node.router().alarms.is_empty());
    }
    assert_eq!(told(&node), 1);
    hear(&mut node, at(60_500), "192.0.2.9", &other);
    assert_eq!(told(&node), 2);
}

#[test]
fn mistakes_of_others_raise_alarms_and_are_obeyed_all_the_same() {
    let mut node = node(State::Backup);
    let other = VrrpGroup { virtual_addresses: vec!["192.0.2.253/24".parse().unwrap()], ..group(200) };
    hear(&mut node, at(500), "198.51.100.9", &other);
    assert_eq!(node.engine.poll_timeout(), Some(at(500) + Duration::from_nanos(3_609_375_000)));
    let alarms: Vec<Alarm> = node.router().alarms.keys().copied().collect();
    assert_eq!(alarms, [Alarm::AddressMismatch, Alarm::ForeignSubnet]);
    hear(&mut node, at(600), "192.0.2.8", &group(200));
    assert_eq!(node.router().alarms.len(), 2, "another sender's virtue clears nobody");
    hear(&mut node, at(700), "198.51.100.9", &group(200));
    let alarms: Vec<Alarm> = node.router().alarms.keys().copied().collect();
    assert_eq!(alarms, [Alarm::ForeignSubnet]);
    for n in 0..50 {
        hear(&mut node, at(800), &format!("192.0.2.{}", 100 + n), &group(200));
    }
    assert!(node.router().peers.len() <= 8);
}

#[test]
fn the_peers_checksum_form_is_remembered() {
    let mut node = node(State::Backup);
    for form in [VrrpChecksum::Rfc5798, VrrpChecksum::Rfc9568] {
        hear(&mut node, at(500), "192.0.2.9", &VrrpGroup { checksum: form, ..group(200) });
        assert_eq!(node.router().peers[&Ipv4Addr::new(192, 0, 2, 9)].checksum, Some(form));
    }
    let shown = node.engine.query(at(700), &api::Request::Routers { interface: None, vrid: None }).unwrap();
    assert_eq!(shown[0]["peers"][0]["checksum"], "rfc9568");
    assert_eq!(shown[0]["v4"]["status"], "Backup");
    assert_eq!(shown[0]["v4"]["vmac"], "00:00:5e:00:01:0a");
    assert_eq!(shown[0]["v4"]["masterDownInterval"], 3609);
    let text = api::render_text(&api::Request::Routers { interface: None, vrid: None }, &shown).unwrap();
    assert!(text.contains("Status (v4)") && text.contains("rfc9568"), "{text}");
}
