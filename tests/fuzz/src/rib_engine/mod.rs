//! A RIB fed with anything at any time, on a kernel that changes its mind.
//!
//! Clients come, go and say what they like, in values of the script's making and as raw octets; links lose
//! carrier, which takes objects and routes out of the kernel without a word; strangers remove routes and
//! objects; requests are refused, or answered late. Two laws besides the contract of every output: *model ≡
//! kernel*, whenever nothing is under way and nothing has failed; and *incremental ≡ full*: in the end the
//! kernel holds what a RIB would put there that starts now with the same configuration, links and table.

mod kernel;
mod setup;
mod world;

use crate::script::Script;
use ipnetwork::Ipv4Network;
use kernel::Kernel;
use rib::api::Request;
use rib::message::{
    Attachment, ClientMessage, NextHop, PROTOCOL_VERSION, Protocol, Route, RouteChange, Subscription,
};
use rib::{ClientId, Input, Rib};
use routing_common::id::{IfIndex, RouterId};
use routing_common::link::LinkEvent;
use routing_common::prefix;
use routing_common::time::{Duration, Instant};
use serde_json::Value;
use std::net::Ipv4Addr;
use world::World;

/// Steps after which a script ends.
const STEPS: usize = 400;

/// The target. The first octet: is there an OSPF session already, are answers late, has the kernel no objects?
pub fn rib_engine(data: &[u8]) {
    let mut script = Script::new(data);
    let beginning = script.u8();
    let kernel = Kernel { without_objects: beginning & 0x10 != 0, ..Kernel::default() };
    let mut world = World::new(kernel, usize::from(beginning >> 5));
    if beginning & 1 == 0 {
        world.session(ClientId(1));
    }
    for _ in 0..STEPS {
        if script.is_over() {
            break;
        }
        world.late = beginning & 2 != 0;
        step(&mut world, &mut script);
        world.agree();
    }
    world.late = false;
    world.settle();
    world.inspect();
    world.compare_with_fresh_start();
    if beginning & 4 != 0 {
        world.shut_down();
    }
}

/// A RIB with routes, to ask.
pub(crate) struct Asked {
    rib: Rib,
    now: Instant,
}

impl Asked {
    pub(crate) fn new() -> Self {
        let mut world = World::new(Kernel::default(), 1);
        world.session(ClientId(1));
        let hops = [0b11, 0b1, 0b1000, 0];
        for (n, bits) in hops.into_iter().enumerate() {
            let route = Route {
                prefix: setup::PREFIXES[n],
                distance: 110,
                metric: 20,
                tag: 7,
                next_hops: next_hops(bits),
            };
            world.say(ClientId(1), ClientMessage::Routes(vec![RouteChange::Replace(route)]));
        }
        Self { now: world.now, rib: world.rib }
    }

    pub(crate) fn query(&self, request: &Request) -> Result<Value, String> {
        self.rib.query(self.now, request)
    }
}

fn step(world: &mut World, script: &mut Script<'_>) {
    match script.below(24) {
        0..=7 => {
            let id = ClientId(u64::from(script.u8() % 4));
            let message = message(script);
            world.say(id, message);
        }
        8 => {
            let (id, octets) = (ClientId(u64::from(script.u8() % 4)), script.blob());
            if let Ok(message) = postcard::from_bytes(octets) {
                world.say(id, message);
            }
        }
        9 => world.connect(ClientId(u64::from(script.u8() % 4))),
        10 => world.disconnect(ClientId(u64::from(script.u8() % 4))),
        11 => world.session(ClientId(u64::from(script.u8() % 4))),
        12..=14 => {
            let choice = script.u8();
            world.carrier(IfIndex(2 + u32::from(choice % 3)), choice & 0x80 != 0);
        }
        15 => link(world, script),
        16 => {
            let choice = script.below(setup::CONFIGS.len());
            world.configure(choice);
        }
        17 => world.foreign_route(script.below(16)),
        18 => world.foreign_object(script.below(8), script.u8()),
        19 => world.kernel.refuse = usize::from(script.u8() % 16),
        20 => world.snapshot(),
        21 => world.answer_system(script.flag()),
        22 => world.answer(script.below(8)),
        _ => world.wait(Duration::from_millis(u64::from(script.u16()) * 4)),
    }
}

/// A client's message, mostly routes.
fn message(script: &mut Script<'_>) -> ClientMessage {
    match script.below(16) {
        0 => {
            let choice = script.u8();
            let protocol = match choice % 8 {
                0 => None,
                1 => Some(Protocol::Static),
                _ => Some(Protocol::Ospf),
            };
            let version = if choice & 0x80 == 0 { PROTOCOL_VERSION } else { script.u16() };
            ClientMessage::Hello { version, protocol, name: "client".into() }
        }
        1 => ClientMessage::BeginSync,
        2 => ClientMessage::EndSync,
        3 => {
            let bits = script.u8();
            let all = [Protocol::Connected, Protocol::Static, Protocol::Ospf];
            let protocols = all.into_iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, p)| p);
            ClientMessage::Subscribe(Subscription {
                protocols: protocols.collect(),
                default_route: bits & 0x80 != 0,
                routes_stand: bits & 0x40 != 0,
                attachments: bits & 0x20 != 0,
            })
        }
        4 => ClientMessage::FibBarrier(u64::from(script.u8())),
        5 => ClientMessage::Goodbye { withdraw: script.flag() },
        6 => {
            let network = setup::PREFIXES[script.below(setup::PREFIXES.len())];
            let routers = (0..script.u8() % 4).map(|n| RouterId(Ipv4Addr::new(10, 255, 0, n))).collect();
            ClientMessage::Attached(vec![Attachment { network, routers, left: Vec::new() }])
        }
        7 => {
            let changes = (0..1 + script.below(6)).map(|_| {
                let prefix = setup::PREFIXES[script.below(setup::PREFIXES.len())];
                (prefix, next_hops::<Vec<_>>(script.u8()).first().copied())
            });
            ClientMessage::Alternates { changes: changes.collect(), more: script.flag() }
        }
        8 => ClientMessage::Lost(next_hops(script.u8())),
        choice => {
            let changes = (0..1 + script.below(6)).map(|_| change(script)).collect();
            if choice < 11 { ClientMessage::Part(changes) } else { ClientMessage::Routes(changes) }
        }
    }
}

fn change(script: &mut Script<'_>) -> RouteChange {
    let choice = script.u8();
    let prefix = match choice & 0x1f {
        // Host bits and all: a client may send anything.
        31 => free_prefix(script),
        n => setup::PREFIXES[usize::from(n) % setup::PREFIXES.len()],
    };
    if choice & 0xe0 == 0 {
        return RouteChange::Withdraw(prefix);
    }
    let distance = [110, 1, 0, 255][usize::from(choice >> 6)];
    let metric = u32::from(script.u8());
    let next_hops = next_hops(script.u8());
    RouteChange::Replace(Route { prefix, distance, metric, tag: 0, next_hops })
}

fn free_prefix(script: &mut Script<'_>) -> Ipv4Network {
    let address = Ipv4Addr::from_bits(script.u32());
    Ipv4Network::new(address, script.u8() % 33).unwrap_or_else(|_| prefix::host(address))
}

/// The next hops a bit set stands for; none is a blackhole.
fn next_hops<C: FromIterator<NextHop>>(bits: u8) -> C {
    let hop =
        |gateway: [u8; 4], ifindex| NextHop { gateway: Some(gateway.into()), ifindex: IfIndex(ifindex) };
    let all = [
        hop([10, 0, 1, 2], 3),
        hop([10, 0, 1, 3], 3),
        hop([10, 0, 2, 2], 4),
        hop([9, 9, 9, 9], 2),
        NextHop { gateway: None, ifindex: IfIndex(3) },
        hop([10, 0, 1, 2], 77),
        hop([0, 0, 0, 0], 2),
        hop([10, 0, 1, 1], 3),
    ];
    all.into_iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, h)| h).collect()
}

/// Interfaces and addresses other than carriers.
fn link(world: &mut World, script: &mut Script<'_>) {
    let choice = script.u8();
    let ifindex = IfIndex(2 + u32::from(choice % 3));
    match choice >> 4 & 7 {
        0 | 1 => world.remove_link(ifindex),
        2 | 3 => world.add_link(ifindex),
        4 => world.toggle_address(ifindex, setup::address_of(ifindex)),
        5 => {
            let extra = Ipv4Addr::new(10, 0, script.u8(), script.u8());
            let length = 16 + choice % 17;
            let network = Ipv4Network::new(extra, length).unwrap_or_else(|_| prefix::host(extra));
            world.toggle_address(ifindex, network);
        }
        6 => world.input(Input::Link(LinkEvent::SnapshotComplete)),
        _ => world.set_admin(ifindex, choice & 0x80 == 0),
    }
}
