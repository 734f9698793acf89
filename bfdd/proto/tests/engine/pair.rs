//! Two engines and the link between them.

use crate::one::{IF, address, key, link, ms, parameters};
use bfd_proto::message::{BfdMessage, ClientMessage, PROTOCOL_VERSION, Parameters, SessionState};
use bfd_proto::{ClientId, Input, Instance, Output, Received, api};
use routing_common::link::LinkEvent;
use routing_common::machine::Machine;
use routing_common::rng::Rng;
use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

const CLIENT: ClientId = ClientId(1);

pub(crate) fn address_of(side: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, if side == 0 { 1 } else { 2 })
}

/// What the link does to packets. Never more than one packet in a row is lost, and none overtakes another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// Of 100 packets.
    pub(crate) lost: u64,
    /// Of 100 packets.
    pub(crate) doubled: u64,
    /// A packet takes up to this long.
    pub(crate) delay: Duration,
}

pub(crate) const FAIR: Weather = Weather { lost: 0, doubled: 0, delay: ms(1) };

pub(crate) struct Pair {
    pub(crate) engines: [Instance; 2],
    pub(crate) now: Instant,
    pub(crate) weather: Weather,
    pub(crate) cut: bool,
    /// Until when a side is not called at all; its packets wait with their stamps.
    asleep: [Instant; 2],
    /// Whether its kernel stands still as well.
    host_asleep: bool,
    rng: Rng,
    /// By arrival and a number: the receiver and the bytes.
    flying: BTreeMap<(Instant, u64), (usize, [u8; 24])>,
    last_arrival: [Instant; 2],
    just_lost: [bool; 2],
    waiting: [Vec<([u8; 24], Instant)>; 2],
    serial: u64,
    /// What the clients were told.
    pub(crate) told: [Vec<(Instant, SessionState)>; 2],
    /// Packets sent.
    pub(crate) sent: [u64; 2],
}

impl Pair {
    pub(crate) fn new(seed: u64, weather: Weather) -> Self {
        let start = Instant::from_secs(1000);
        let mut pair = Self {
            engines: [Instance::new(seed), Instance::new(seed ^ 0xdead_beef)],
            now: start,
            weather,
            cut: false,
            asleep: [start; 2],
            host_asleep: false,
            rng: Rng::new(seed.rotate_left(17)),
            flying: BTreeMap::new(),
            last_arrival: [start; 2],
            just_lost: [false; 2],
            waiting: [Vec::new(), Vec::new()],
            serial: 0,
            told: [Vec::new(), Vec::new()],
            sent: [0; 2],
        };
        for side in 0..2 {
            pair.input(side, Input::Link(link(IF, "eth1", false)));
            let network = format!("{}/24", address_of(side));
            pair.input(side, Input::Link(LinkEvent::AddressAdded(address(IF, &network, 0))));
            pair.input(side, Input::ClientConnected(CLIENT));
            let hello = ClientMessage::Hello { version: PROTOCOL_VERSION, name: "ospfd".into() };
            pair.input(side, Input::ClientMessage(CLIENT, hello));
        }
        pair
    }

    /// Up with the same parameters on both sides.
    pub(crate) fn up(seed: u64, weather: Weather, interval: Duration, multiplier: u8) -> Self {
        let mut pair = Self::new(seed, weather);
        for side in 0..2 {
            pair.register(side, parameters(interval, multiplier));
        }
        pair.settle();
        pair
    }

    /// Until both are up and have finished negotiating.
    pub(crate) fn settle(&mut self) {
        for _ in 0..300 {
            self.run(ms(100));
            if self.states() == [SessionState::Up; 2] && !self.peer(0).polling && !self.peer(1).polling {
                return;
            }
        }
        panic!("not up after 30 s: {:?}", [self.peer(0), self.peer(1)]);
    }

    pub(crate) fn register(&mut self, side: usize, parameters: Parameters) {
        let key = key(address_of(side), address_of(1 - side));
        self.input(side, Input::ClientMessage(CLIENT, ClientMessage::Register { key, parameters }));
    }

    pub(crate) fn unregister(&mut self, side: usize) {
        let key = key(address_of(side), address_of(1 - side));
        self.input(side, Input::ClientMessage(CLIENT, ClientMessage::Unregister(key)));
    }

    pub(crate) fn input(&mut self, side: usize, input: Input<'_>) {
        self.engines[side].handle(self.now, input);
        self.drain(side);
    }

    fn drain(&mut self, side: usize) {
        while let Some(output) = self.engines[side].poll_output() {
            match output {
                Output::Transmit { packet, .. } => self.transmit(side, packet),
                Output::ToClient(_, BfdMessage::State(s)) => self.told[side].push((self.now, s.state)),
                _ => {}
            }
        }
    }

    fn transmit(&mut self, side: usize, packet: [u8; 24]) {
        self.sent[side] += 1;
        let chance = |rng: &mut Rng, percent| rng.below(100) < percent;
        let lost = !self.just_lost[side] && chance(&mut self.rng, self.weather.lost);
        self.just_lost[side] = lost;
        if self.cut || lost {
            return;
        }
        let copies = 1 + u64::from(chance(&mut self.rng, self.weather.doubled));
        for _ in 0..copies {
            let arrival = self.now + self.rng.duration_up_to(self.weather.delay);
            let arrival = arrival.max(self.last_arrival[side]);
            self.last_arrival[side] = arrival;
            self.serial += 1;
            self.flying.insert((arrival, self.serial), (1 - side, packet));
        }
    }

    /// A side's thread is not scheduled for a while; its kernel goes on.
    pub(crate) fn stall(&mut self, side: usize, span: Duration) {
        self.asleep[side] = self.now + span;
    }

    /// Everything stands still for a while: both hosts and what flies between them.
    pub(crate) fn freeze(&mut self, span: Duration) {
        self.asleep = [self.now + span; 2];
        self.host_asleep = true;
    }

    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.next().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    fn next(&self) -> Option<Instant> {
        let arrival = self.flying.keys().next().map(|(at, _)| *at);
        let arrival = if self.host_asleep { arrival.map(|at| at.max(self.asleep[0])) } else { arrival };
        let timer = |side: usize| self.engines[side].poll_timeout().map(|at| at.max(self.asleep[side]));
        let wake = |side: usize| (!self.waiting[side].is_empty()).then_some(self.asleep[side]);
        [arrival, timer(0), timer(1), wake(0), wake(1)].into_iter().flatten().min()
    }

    fn step(&mut self) {
        if self.host_asleep && self.now >= self.asleep[0] {
            self.host_asleep = false;
        }
        while let Some(entry) =
            self.flying.first_entry().filter(|e| e.key().0 <= self.now && !self.host_asleep)
        {
            let (side, packet) = entry.remove();
            self.waiting[side].push((packet, self.now));
        }
        for side in 0..2 {
            if self.now < self.asleep[side] {
                continue;
            }
            for (payload, received) in core::mem::take(&mut self.waiting[side]) {
                let (source, destination) = (address_of(1 - side), address_of(side));
                self.input(
                    side,
                    Input::Packet(Received {
                        interface: IF,
                        source,
                        destination,
                        ttl: 255,
                        multihop: false,
                        payload: &payload,
                        received,
                    }),
                );
            }
            if self.engines[side].poll_timeout().is_some_and(|at| at <= self.now) {
                self.engines[side].handle_timeout(self.now);
                self.drain(side);
            }
        }
    }

    pub(crate) fn peer(&self, side: usize) -> api::Peer {
        let all = self.engines[side].query(self.now, &api::Request::Peers).unwrap();
        let all: Vec<api::Peer> = serde_json::from_value(all).unwrap();
        all.into_iter().next().unwrap()
    }

    /// The states as last told to the clients.
    pub(crate) fn states(&self) -> [SessionState; 2] {
        [0, 1].map(|side| self.told[side].last().map_or(SessionState::Down, |(_, s)| *s))
    }

    /// Forgets what was told, but the last.
    pub(crate) fn forget(&mut self) {
        for told in &mut self.told {
            told.drain(..told.len().saturating_sub(1));
        }
    }

    /// Has either client been told anything since [`Pair::forget`]?
    pub(crate) fn quiet(&self) -> bool {
        self.told.iter().all(|t| t.len() <= 1)
    }
}
