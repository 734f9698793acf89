//! A BFD engine fed with anything at any time.
//!
//! Three interfaces, two clients and a file; neighbours that say what they like, with and without knowing our
//! discriminators; addresses that come and go; stalls. After each step the engine's contract is checked: sockets are
//! opened and closed in pairs, packets keep their distance, timers that have run lie in the future.

use crate::script::Script;
use bfd_proto::constants::{LEAST_GAP, MOST_SESSIONS};
use bfd_proto::message::{ClientMessage, Diagnostic, PROTOCOL_VERSION, Parameters, SessionKey, SessionState};
use bfd_proto::packet::ControlPacket;
use bfd_proto::{ClientId, Input, Instance, Output, Received, api};
use routing_common::config::{self, Config};
use routing_common::id::IfIndex;
use routing_common::link::{Address, Link, LinkEvent};
use routing_common::machine::Machine;
use routing_common::time::{Duration, Instant};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Steps after which a script ends.
const STEPS: usize = 600;
/// Timers after which it ends: with intervals of 3 ms a second has hundreds, and one is like the other.
const EVENTS: usize = 2_000;
/// Outputs one step may cause: each session a packet, a socket and news for each client.
const MOST_OUTPUTS: usize = 64 * MOST_SESSIONS;

const FILES: [&str; 3] = [
    "",
    "[interfaces.eth2]\n[bfd.peers.a]\naddress = \"10.0.2.2\"\ninterface = \"eth2\"\n\
     [bfd.peers.b]\naddress = \"10.9.0.1\"\nmultihop = true\n",
    "[interfaces.eth3]\n[bfd.profiles.default]\ntransmit-interval = \"3ms\"\nreceive-interval = \"60s\"\n\
     detect-multiplier = 255\npassive = true\n[bfd.peers.a]\naddress = \"10.0.2.2\"\ninterface = \"eth3\"\n\
     shutdown = true\n",
];

/// The target.
pub fn bfd_engine(data: &[u8]) {
    let mut script = Script::new(data);
    let mut host = Host::new(u64::from(script.u8()));
    for _ in 0..STEPS {
        if script.is_over() || host.events > EVENTS {
            break;
        }
        host.step(&mut script);
        host.check();
    }
    host.shut_down();
}

/// An engine with sessions, to ask.
pub(crate) struct Asked(Instance, Instant);

impl Asked {
    pub(crate) fn new() -> Self {
        let mut host = Host::new(1);
        host.step(&mut Script::new(&[2, 0]));
        host.input(Input::Reconfigure(Box::new(file(1))));
        host.run(Duration::from_secs(3));
        Self(host.engine, host.now)
    }

    pub(crate) fn query(&self, request: &api::Request) -> Result<Value, String> {
        self.0.query(self.1, request)
    }
}

fn file(n: usize) -> Config {
    config::load("fuzz", FILES[n % FILES.len()]).unwrap_or_else(|e| panic!("{e}")).config
}

fn peer(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, n & 3, 2 + (n >> 6))
}

fn link(ifindex: u32) -> LinkEvent {
    LinkEvent::LinkChanged(Link {
        point_to_point: ifindex == 3,
        ..Link::ethernet(IfIndex(ifindex), format!("eth{ifindex}").parse().expect("a name"))
    })
}

fn address(n: u8) -> Address {
    Address {
        peer: (n & 32 != 0).then_some(Ipv4Addr::new(10, 0, 1, 2)),
        secondary: n & 64 != 0,
        protocol: if n & 128 == 0 { 0 } else { 112 },
        ..Address::new(
            IfIndex(1 + u32::from(n % 3)),
            format!("10.0.{}.1/{}", n & 3, if n & 16 == 0 { 24 } else { 32 }).parse().expect("an address"),
        )
    }
}

struct Host {
    engine: Instance,
    now: Instant,
    events: usize,
    opened: BTreeSet<u32>,
    listening: BTreeSet<Option<IfIndex>>,
    /// When a session last sent a Final, and something else.
    sent: BTreeMap<(u32, bool), Instant>,
    finished: bool,
}

impl Host {
    fn new(seed: u64) -> Self {
        let mut host = Self {
            engine: Instance::new(seed),
            now: Instant::from_secs(1),
            events: 0,
            opened: BTreeSet::new(),
            listening: BTreeSet::new(),
            sent: BTreeMap::new(),
            finished: false,
        };
        (1..=3).for_each(|i| host.input(Input::Link(link(i))));
        host.input(Input::Link(LinkEvent::AddressAdded(address(1))));
        for client in [1, 2] {
            host.hello(client);
        }
        host
    }

    fn hello(&mut self, client: u64) {
        self.input(Input::ClientConnected(ClientId(client)));
        let name = if client % 2 == 1 { "one" } else { "two" };
        self.say(client, ClientMessage::Hello { version: PROTOCOL_VERSION, name: name.into() });
    }

    fn say(&mut self, client: u64, message: ClientMessage) {
        self.input(Input::ClientMessage(ClientId(client), message));
    }

    fn input(&mut self, input: Input<'_>) {
        self.engine.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        let mut gone = Vec::new();
        for count in 0.. {
            assert!(count < MOST_OUTPUTS, "no end of outputs");
            let Some(output) = self.engine.poll_output() else { break };
            match output {
                Output::Listen(interface) => assert!(self.listening.insert(interface), "{interface:?} twice"),
                Output::StopListening(interface) => {
                    assert!(self.listening.remove(&interface), "{interface:?}")
                }
                Output::Open { session, interface, .. } => {
                    assert!(self.listening.contains(&interface), "a session without ears");
                    self.opened.insert(session);
                }
                Output::Close(session) => assert!(self.opened.remove(&session), "{session} closed twice"),
                Output::Transmit { session, packet } => self.transmitted(session, &packet),
                Output::Disconnect(client) => gone.push(client),
                Output::ToClient(..) | Output::Notice(_) => {}
                Output::Finished => self.finished = true,
            }
        }
        for client in gone {
            self.input(Input::ClientGone(client));
        }
    }

    fn transmitted(&mut self, session: u32, bytes: &[u8]) {
        assert!(self.opened.contains(&session), "sent without a socket");
        let packet = ControlPacket::decode(bytes).expect("own packet refused");
        assert!(packet.my_discriminator == session && !(packet.poll && packet.final_));
        let before = self.sent.insert((session, packet.final_), self.now);
        assert!(before.is_none_or(|at| self.now.since(at) >= LEAST_GAP), "too fast");
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.u8() % 16 {
            0 => self.run(Duration::from_millis(u64::from(script.u8()))),
            1 => self.run(Duration::from_millis(u64::from(script.u16()))),
            2 => self.register(script),
            3 => {
                let key = key(script);
                self.say(1 + u64::from(script.u8() & 1), ClientMessage::Unregister(key));
            }
            4 => {
                let message = [ClientMessage::BeginSync, ClientMessage::EndSync, ClientMessage::Goodbye];
                let message = message[script.below(3)].clone();
                self.say(u64::from(script.u8() & 7), message);
            }
            5 => self.input(Input::ClientGone(ClientId(u64::from(script.u8() & 7)))),
            6 => self.hello(u64::from(script.u8() & 7)),
            7 => self.input(Input::Link(LinkEvent::AddressAdded(address(script.u8())))),
            8 => self.input(Input::Link(LinkEvent::AddressRemoved(address(script.u8())))),
            9 => {
                let i = 1 + u32::from(script.u8() % 3);
                let event = if script.flag() { link(i) } else { LinkEvent::LinkRemoved(IfIndex(i)) };
                self.input(Input::Link(event));
            }
            10 => self.input(Input::Reconfigure(Box::new(file(script.below(FILES.len()))))),
            11 => self.now += Duration::from_millis(u64::from(script.u8())), // a stall
            12 => {
                let bytes = script.blob();
                self.hear(script.u8(), bytes);
            }
            _ => self.crafted(script),
        }
    }

    fn register(&mut self, script: &mut Script<'_>) {
        let key = key(script);
        let parameters = Parameters {
            transmit_interval: Duration::from_millis(u64::from(script.u8())),
            receive_interval: Duration::from_millis(u64::from(script.u8())),
            detect_multiplier: script.u8(),
            passive: script.flag(),
            minimum_ttl: script.u8(),
        };
        self.say(1 + u64::from(script.u8() & 1), ClientMessage::Register { key, parameters });
    }

    fn crafted(&mut self, script: &mut Script<'_>) {
        let (circumstances, flags) = (script.u8(), script.u8());
        let bit = |n: u8| flags >> n & 1 == 1;
        let ours = self.opened.iter().nth(script.below(self.opened.len())).copied();
        let interval = |script: &mut Script<'_>| match script.u8() {
            255 => u32::MAX,
            n => u32::from(n) * 1000,
        };
        let packet = ControlPacket {
            diagnostic: Diagnostic(script.u8() & 31),
            state: SessionState::ALL[usize::from(flags & 3)],
            poll: bit(2),
            final_: bit(3),
            control_plane_independent: false,
            authenticated: false,
            demand: bit(4) && bit(5),
            detect_mult: script.u8(),
            my_discriminator: u32::from(script.u8()),
            your_discriminator: if bit(6) { 0 } else { ours.unwrap_or(1) },
            desired_min_tx: interval(script),
            required_min_rx: interval(script),
            required_min_echo_rx: 0,
        };
        self.hear(circumstances, &packet.encode());
    }

    fn hear(&mut self, circumstances: u8, payload: &[u8]) {
        let interface = IfIndex(1 + u32::from(circumstances % 3));
        let packet = Received {
            interface,
            source: peer(circumstances),
            destination: Ipv4Addr::new(10, 0, 0, 1),
            ttl: if circumstances & 0x38 == 0x38 { 200 } else { 255 },
            multihop: circumstances & 4 != 0,
            payload,
            received: self.now - Duration::from_millis(u64::from(circumstances >> 5)),
        };
        self.input(Input::Packet(packet));
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.engine.poll_timeout().filter(|at| *at <= end && self.events <= EVENTS) {
            self.events += 1;
            self.now = self.now.max(at);
            self.engine.handle_timeout(self.now);
            self.drain();
            let next = self.engine.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now), "a shell would spin");
        }
        self.now = self.now.max(end);
    }

    fn check(&self) {
        assert!(self.opened.len() <= MOST_SESSIONS && !self.opened.contains(&0));
        for request in
            [api::Request::Status, api::Request::Peers, api::Request::Brief, api::Request::Counters]
        {
            let value = self.engine.query(self.now, &request).expect("an answer");
            assert!(api::render_text(&request, &value).is_ok(), "{request:?}: own reply refused");
        }
    }

    fn shut_down(&mut self) {
        self.events = 0;
        self.input(Input::Shutdown);
        self.run(Duration::from_secs(5));
        assert!(
            self.finished && self.opened.is_empty() && self.listening.is_empty(),
            "something is left behind"
        );
    }
}

fn key(script: &mut Script<'_>) -> SessionKey {
    let how = script.u8();
    SessionKey {
        peer: peer(script.u8()),
        local: (how & 1 != 0).then_some(Ipv4Addr::new(10, 0, 0, 1)),
        interface: (how & 2 != 0).then_some(IfIndex(1 + u32::from(how >> 2 & 3))),
        multihop: how & 16 != 0,
    }
}
