//! One engine with one interface, and the packets a test makes up for it.

use bfd_proto::message::{
    BfdMessage, ClientMessage, Diagnostic, PROTOCOL_VERSION, Parameters, SessionKey, SessionState,
};
use bfd_proto::packet::ControlPacket;
use bfd_proto::{ClientId, Input, Instance, Output, Received, api};
use routing_common::id::IfIndex;
use routing_common::link::{Address, Link, LinkEvent};
use routing_common::machine::Machine;
use routing_common::time::{Duration, Instant};
use serde_json::Value;
use std::net::Ipv4Addr;

pub(crate) const IF: IfIndex = IfIndex(2);
pub(crate) const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(crate) const CLIENT: ClientId = ClientId(1);

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(crate) fn parameters(interval: Duration, detect_multiplier: u8) -> Parameters {
    Parameters {
        transmit_interval: interval,
        receive_interval: interval,
        detect_multiplier,
        passive: false,
        minimum_ttl: 254,
    }
}

pub(crate) fn key(own: Ipv4Addr, peer: Ipv4Addr) -> SessionKey {
    SessionKey::single_hop(peer, own, IF)
}

pub(crate) fn link(ifindex: IfIndex, name: &str, point_to_point: bool) -> LinkEvent {
    link_with(ifindex, name, point_to_point, true)
}

pub(crate) fn link_with(ifindex: IfIndex, name: &str, point_to_point: bool, running: bool) -> LinkEvent {
    LinkEvent::LinkChanged(Link { running, point_to_point, ..Link::ethernet(ifindex, name.parse().unwrap()) })
}

pub(crate) fn address(ifindex: IfIndex, network: &str, protocol: u8) -> Address {
    Address { protocol, ..Address::new(ifindex, network.parse().unwrap()) }
}

/// What is sent when the peer has nothing but to say that it is there.
pub(crate) fn hello(state: SessionState, your_discriminator: u32) -> ControlPacket {
    ControlPacket {
        diagnostic: Diagnostic::NONE,
        state,
        poll: false,
        final_: false,
        control_plane_independent: false,
        authenticated: false,
        demand: false,
        detect_mult: 3,
        my_discriminator: 77,
        your_discriminator,
        desired_min_tx: 10_000,
        required_min_rx: 10_000,
        required_min_echo_rx: 0,
    }
}

/// An engine, its clock and what it said.
pub(crate) struct One {
    pub(crate) engine: Instance,
    pub(crate) now: Instant,
    pub(crate) sent: Vec<(Instant, ControlPacket)>,
    pub(crate) told: Vec<(ClientId, BfdMessage)>,
    pub(crate) others: Vec<Output>,
}

impl One {
    /// With an interface and a client that is introduced.
    pub(crate) fn new() -> Self {
        let mut one = Self {
            engine: Instance::new(1),
            now: Instant::from_secs(100),
            sent: Vec::new(),
            told: Vec::new(),
            others: Vec::new(),
        };
        one.input(Input::Link(link(IF, "eth1", false)));
        one.input(Input::Link(LinkEvent::AddressAdded(address(IF, "10.0.0.1/24", 0))));
        one.connect(CLIENT, "ospfd");
        one
    }

    pub(crate) fn connect(&mut self, client: ClientId, name: &str) {
        self.input(Input::ClientConnected(client));
        self.say(client, ClientMessage::Hello { version: PROTOCOL_VERSION, name: name.into() });
    }

    pub(crate) fn say(&mut self, client: ClientId, message: ClientMessage) {
        self.input(Input::ClientMessage(client, message));
    }

    pub(crate) fn register(&mut self, parameters: Parameters) {
        self.say(CLIENT, ClientMessage::Register { key: key(OWN, PEER), parameters });
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.engine.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Transmit { packet, .. } => {
                    self.sent.push((self.now, ControlPacket::decode(&packet).unwrap()));
                }
                Output::ToClient(client, message) => self.told.push((client, message)),
                other => self.others.push(other),
            }
        }
    }

    pub(crate) fn hear(&mut self, packet: &ControlPacket) {
        self.hear_bytes(&packet.encode(), 255, IF, false, self.now);
    }

    pub(crate) fn hear_bytes(
        &mut self,
        payload: &[u8],
        ttl: u8,
        interface: IfIndex,
        multihop: bool,
        received: Instant,
    ) {
        self.input(Input::Packet(Received {
            interface,
            source: PEER,
            destination: OWN,
            ttl,
            multihop,
            payload,
            received,
        }));
    }

    /// Runs all timers until `span` has passed.
    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.engine.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.engine.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn ask(&self, request: &api::Request) -> Value {
        self.engine.query(self.now, request).unwrap()
    }

    /// The only session as shown.
    pub(crate) fn peer(&self) -> api::Peer {
        let peers: Vec<api::Peer> = serde_json::from_value(self.ask(&api::Request::Peers)).unwrap();
        assert_eq!(peers.len(), 1, "{peers:?}");
        peers.into_iter().next().unwrap()
    }

    pub(crate) fn status(&self) -> String {
        self.peer().status
    }

    /// Brings the session up as the peer would.
    pub(crate) fn bring_up(&mut self) -> u32 {
        let id = self.peer().id;
        self.hear(&hello(SessionState::Down, 0));
        self.hear(&hello(SessionState::Init, id));
        assert_eq!(self.status(), "up");
        id
    }

    /// The states the client was told.
    pub(crate) fn states(&self) -> Vec<SessionState> {
        let state = |m: &BfdMessage| if let BfdMessage::State(s) = m { Some(s.state) } else { None };
        self.told.iter().filter_map(|(_, m)| state(m)).collect()
    }

    pub(crate) fn closed(&self) -> bool {
        self.others.iter().any(|o| matches!(o, Output::Close(_)))
    }
}
