//! Clients, the configuration, and who keeps a session alive.

use crate::one::{CLIENT, IF, OWN, One, PEER, address, hello, key, link, ms, parameters};
use bfd_proto::message::{
    BfdMessage, ClientMessage, ORPHAN_HOLD, PROTOCOL_VERSION, SessionKey, SessionState,
};
use bfd_proto::packet::ControlPacket;
use bfd_proto::{ClientId, Input, Output, api};
use routing_common::config;
use routing_common::id::IfIndex;
use routing_common::link::{LinkEvent, VRRP_ADDRESS_PROTOCOL};
use routing_common::time::Duration;
use std::net::Ipv4Addr;

const OTHER: ClientId = ClientId(2);

/// Lets time pass while the peer goes on.
fn alive(one: &mut One, id: u32, span: Duration) {
    let end = one.now + span;
    let step = ms(10).max(span / 2000);
    let packet = ControlPacket {
        desired_min_tx: u32::try_from(step.as_micros()).unwrap(),
        ..hello(SessionState::Up, id)
    };
    while one.now < end {
        one.hear(&packet);
        one.run(step);
    }
}

fn configure(one: &mut One, text: &str) {
    let config = config::load("test", text).unwrap_or_else(|e| panic!("{e}")).config;
    one.input(Input::Reconfigure(Box::new(config)));
}

fn orphaned(one: &One) -> Vec<String> {
    one.peer().orphaned_by
}

#[test]
fn a_session_survives_its_client_and_its_successor_adopts_it() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    let second = SessionKey { peer: Ipv4Addr::new(10, 0, 0, 3), ..key(OWN, PEER) };
    let id = one.bring_up();
    one.say(CLIENT, ClientMessage::Register { key: second, parameters: parameters(ms(10), 3) });
    one.input(Input::ClientGone(CLIENT));
    alive(&mut one, id, ORPHAN_HOLD - ms(1000));
    let peers: Vec<api::Peer> = serde_json::from_value(one.ask(&api::Request::Peers)).unwrap();
    assert_eq!(peers.len(), 2);
    assert!(peers.iter().all(|p| p.orphaned_by == ["ospfd"]));

    one.connect(OTHER, "ospfd");
    one.say(OTHER, ClientMessage::BeginSync);
    one.told.clear();
    one.say(OTHER, ClientMessage::Register { key: key(OWN, PEER), parameters: parameters(ms(10), 3) });
    assert_eq!(one.states(), [SessionState::Up], "told at once");
    one.say(OTHER, ClientMessage::EndSync);
    alive(&mut one, id, ORPHAN_HOLD * 2);
    assert_eq!((one.peer().id, one.status().as_str()), (id, "up"), "and the one not repeated is gone");
    assert!(orphaned(&one).is_empty());
    assert_eq!(one.peer().history.iter().filter(|t| t.to == "up").count(), 1);
}

#[test]
fn orphans_nobody_comes_back_for_end_after_their_time() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    let id = one.bring_up();
    one.input(Input::ClientGone(CLIENT));
    alive(&mut one, id, ORPHAN_HOLD);
    one.run(ms(3000));
    assert!(one.closed());
    let (_, last) = *one.sent.last().unwrap();
    assert_eq!((last.state, last.diagnostic.0), (SessionState::AdminDown, 7));
    let rows = one.ask(&api::Request::Status)["clients"].clone();
    assert_eq!(rows, serde_json::json!([]));
}

#[test]
fn a_client_that_returns_and_never_ends_its_sync_keeps_only_what_it_repeated() {
    let mut one = One::new();
    one.register(parameters(ms(300), 3));
    one.input(Input::ClientGone(CLIENT));
    one.run(ms(1000));
    one.connect(OTHER, "ospfd");
    one.say(OTHER, ClientMessage::BeginSync);
    one.run(ORPHAN_HOLD);
    assert!(one.closed());
}

#[test]
fn goodbye_ends_the_sessions_with_a_farewell_at_the_old_rate() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    let id = one.bring_up();
    alive(&mut one, id, ms(100));
    one.sent.clear();
    let begun = one.now;
    one.say(CLIENT, ClientMessage::Goodbye);
    one.run(ms(3000));
    let states: Vec<_> = one.sent.iter().map(|(_, p)| p.state).collect();
    assert!(
        (3..=5).contains(&states.len()) && states.iter().all(|s| *s == SessionState::AdminDown),
        "{states:?}"
    );
    assert!(one.sent.iter().all(|(at, _)| at.since(begun) <= ms(30)));
    assert!(one.closed());
    assert!(one.others.contains(&Output::StopListening(Some(IF))));
    one.input(Input::ClientGone(CLIENT));
}

#[test]
fn two_clients_share_a_session_and_the_fastest_parameters_win() {
    let mut one = One::new();
    one.register(parameters(ms(300), 5));
    one.connect(OTHER, "other");
    let anywhere = SessionKey { local: None, interface: None, ..key(OWN, PEER) };
    one.say(OTHER, ClientMessage::Register { key: anywhere, parameters: parameters(ms(50), 3) });
    let p = one.peer();
    assert_eq!((p.clients.len(), p.detect_multiplier), (2, 3));
    assert_eq!(p.receive_interval.as_u64(), Some(50));
    one.told.clear();
    let id = one.bring_up();
    let told = one.told.iter().filter_map(|(c, m)| match m {
        BfdMessage::State(s) => Some((*c, s.key, s.state)),
        _ => None,
    });
    let told: Vec<_> = told.filter(|(_, _, s)| *s == SessionState::Up).collect();
    assert_eq!(told, [(CLIENT, key(OWN, PEER), SessionState::Up), (OTHER, anywhere, SessionState::Up)]);
    one.say(OTHER, ClientMessage::Unregister(anywhere));
    assert_eq!((one.peer().id, one.status().as_str()), (id, "up"));
    assert_eq!(one.peer().receive_interval.as_u64(), Some(300));
}

#[test]
fn a_peers_admin_down_is_told_as_such() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    let id = one.bring_up();
    one.hear(&ControlPacket {
        diagnostic: bfd_proto::message::Diagnostic(7),
        ..hello(SessionState::AdminDown, id)
    });
    let (_, BfdMessage::State(last)) = one.told.last().unwrap() else { panic!() };
    assert_eq!((last.state, last.remote_admin_down), (SessionState::Down, true));
    assert_eq!((last.diagnostic.0, last.remote_diagnostic.0), (3, 7));
}

#[test]
fn whether_a_peers_bfd_shares_fate_with_its_control_plane_is_told() {
    for control_plane_independent in [false, true] {
        let mut one = One::new();
        one.register(parameters(ms(10), 3));
        let id = one.bring_up();
        one.hear(&ControlPacket { control_plane_independent, ..hello(SessionState::Up, id) });
        one.run(ms(100));
        let (_, BfdMessage::State(last)) = one.told.last().unwrap() else { panic!() };
        assert_eq!(last.state, SessionState::Down, "nothing was heard any more");
        assert_eq!(last.remote_independent, control_plane_independent);
    }
}

#[test]
fn nonsense_of_clients_costs_them_the_connection_or_the_session() {
    let mut one = One::new();
    let expelled = |one: &One| one.others.iter().filter(|o| matches!(o, Output::Disconnect(_))).count();
    one.input(Input::ClientConnected(OTHER));
    one.say(OTHER, ClientMessage::BeginSync);
    assert_eq!(expelled(&one), 1);
    one.input(Input::ClientConnected(ClientId(3)));
    one.say(ClientId(3), ClientMessage::Hello { version: PROTOCOL_VERSION + 1, name: "x".into() });
    one.input(Input::ClientConnected(ClientId(4)));
    one.say(ClientId(4), ClientMessage::Hello { version: PROTOCOL_VERSION, name: "y".repeat(65) });
    one.say(CLIENT, ClientMessage::Hello { version: PROTOCOL_VERSION, name: "ospfd".into() });
    assert_eq!(expelled(&one), 4);
    one.told.clear();
    let bad = SessionKey { multihop: true, ..key(OWN, PEER) };
    one.say(CLIENT, ClientMessage::Register { key: bad, parameters: parameters(ms(10), 3) });
    let none = SessionKey { peer: Ipv4Addr::UNSPECIFIED, ..key(OWN, PEER) };
    one.say(CLIENT, ClientMessage::Register { key: none, parameters: parameters(ms(10), 3) });
    assert!(one.told.iter().all(|(_, m)| matches!(m, BfdMessage::Refused { .. })) && one.told.len() == 2);
    one.connect(ClientId(5), "ospfd");
    assert_eq!(expelled(&one), 5, "the older connection of the same client");
    one.register(parameters(ms(10), 3));
    assert_eq!(one.ask(&api::Request::Peers), serde_json::json!([]));
}

#[test]
fn sessions_are_bounded() {
    let mut one = One::new();
    for n in 0..300u32 {
        let peer = Ipv4Addr::from_bits(0x0a01_0000 + n);
        let key = SessionKey { peer, ..key(OWN, PEER) };
        one.say(CLIENT, ClientMessage::Register { key, parameters: parameters(ms(10), 3) });
    }
    let refused = one.told.iter().filter(|(_, m)| matches!(m, BfdMessage::Refused { .. })).count();
    assert_eq!(refused, 300 - bfd_proto::constants::MOST_SESSIONS);
    let rows = one.ask(&api::Request::Brief);
    let mut ids: Vec<u64> = rows.as_array().unwrap().iter().map(|r| r["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), bfd_proto::constants::MOST_SESSIONS);
    assert!(!ids.contains(&0));
    one.say(CLIENT, ClientMessage::BeginSync);
    one.say(CLIENT, ClientMessage::EndSync);
    assert_eq!(
        one.ask(&api::Request::Brief),
        serde_json::json!([]),
        "sessions that never came up go at once"
    );
}

#[test]
fn the_files_sessions_follow_the_file_and_the_interfaces() {
    let mut one = One::new();
    let file = "[interfaces.eth1]\n[interfaces.eth2]\n[bfd.profiles.slow]\ntransmit-interval = \"1s\"\n\
                [bfd.peers.a]\naddress = \"10.0.0.2\"\ninterface = \"eth1\"\n\
                [bfd.peers.b]\naddress = \"10.0.1.2\"\ninterface = \"eth2\"\nprofile = \"slow\"\n";
    configure(&mut one, file);
    let peers =
        |one: &One| -> Vec<api::Peer> { serde_json::from_value(one.ask(&api::Request::Peers)).unwrap() };
    let [a, b] = &peers(&one)[..] else { panic!() };
    assert_eq!((a.kind.as_str(), a.profile.as_deref(), a.local), ("configured", Some("default"), Some(OWN)));
    assert_eq!((b.id, b.profile.as_deref(), b.interface.as_deref()), (0, Some("slow"), Some("eth2")));
    one.input(Input::Link(link(IfIndex(3), "eth2", false)));
    one.input(Input::Link(LinkEvent::AddressAdded(address(
        IfIndex(3),
        "10.0.1.9/24",
        VRRP_ADDRESS_PROTOCOL,
    ))));
    one.input(Input::Link(LinkEvent::AddressAdded(address(IfIndex(3), "10.0.1.1/24", 0))));
    let b = peers(&one).into_iter().find(|p| p.peer == Ipv4Addr::new(10, 0, 1, 2)).unwrap();
    assert_eq!((b.local, b.transmit_interval.as_u64()), (Some(Ipv4Addr::new(10, 0, 1, 1)), Some(1000)));
    assert_ne!(b.id, 0);
    configure(&mut one, &file.replace("profile = \"slow\"", "shutdown = true"));
    let after = peers(&one).into_iter().find(|p| p.id == b.id).unwrap();
    assert_eq!((after.status.as_str(), after.transmit_interval.as_u64()), ("shutdown", Some(300)));
    configure(&mut one, file);
    assert_eq!(peers(&one).into_iter().find(|p| p.id == b.id).unwrap().status, "down");
    configure(&mut one, "");
    one.run(ms(3000));
    assert!(peers(&one).is_empty());
}

#[test]
fn a_stop_says_farewell_and_then_is_done() {
    let mut one = One::new();
    one.register(parameters(ms(10), 3));
    let id = one.bring_up();
    alive(&mut one, id, ms(100));
    one.input(Input::Shutdown);
    assert!(!one.others.contains(&Output::Finished));
    one.register(parameters(ms(10), 3));
    one.run(ms(3000));
    assert!(one.others.contains(&Output::Finished));
    assert_eq!(one.sent.last().unwrap().1.state, SessionState::AdminDown);
    let mut idle = One::new();
    idle.input(Input::Shutdown);
    assert!(idle.others.contains(&Output::Finished));
}

#[test]
fn every_answer_reads_as_text() {
    let mut one = One::new();
    one.register(parameters(Duration::from_micros(3300), 3));
    one.bring_up();
    let text = |request: api::Request| {
        let value = one.ask(&request);
        api::render_text(&request, &value).unwrap()
    };
    let peers = text(api::Request::Peers);
    assert!(peers.starts_with(
        "BFD Peers:\n\tpeer 10.0.0.2 local-address 10.0.0.1 vrf default interface eth1\n\t\tID: "
    ));
    for line in [
        "\t\tStatus: up\n",
        "\t\t\tReceive interval: 3.3ms\n",
        "\t\tWanted by: ospfd\n",
        "\t\tPeer Type: dynamic\n",
    ] {
        assert!(peers.contains(line), "{peers}");
    }
    assert!(text(api::Request::Peer { address: PEER }).starts_with("BFD Peer:\n\tpeer 10.0.0.2"));
    assert!(text(api::Request::Brief).starts_with("Session count: 1\n"));
    assert!(text(api::Request::Counters).contains("\t\tControl packet input: 2 packets\n"));
    let status = text(api::Request::Status);
    assert!(
        status.starts_with("Real-time thread:") && status.contains("ospfd: 1 sessions, connected"),
        "{status}"
    );
    let missing = api::Request::Peer { address: OWN };
    assert!(one.engine.query(one.now, &missing).is_err());
}
