//! The steps of a script.

use super::setup::{self, INTERFACES, LAN, POINT_TO_POINT};
use super::world::World;
use super::{ask_all, craft, farewell};
use crate::script::Script;
use bfd_proto::message::{BfdMessage, Diagnostic, SessionKey, SessionState, SessionStatus};
use ospf_proto::{Clear, Input, Received};
use rib::message::{PROTOCOL_VERSION, Protocol, Redistributed, RibMessage};
use routing_common::config::{
    MetricType, NetworkType, OspfAuthentication, OspfConfig, RedistributePolicy, SpfTimers, VrrpChecksum,
    VrrpGroup, VrrpVersion,
};
use routing_common::id::{AreaId, IfIndex, InterfaceName, Vrid};
use routing_common::link::{LinkEvent, VRRP_ADDRESS_PROTOCOL};
use routing_common::prefix;
use routing_common::time::Duration;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Takes one step.
pub(super) fn step(world: &mut World, script: &mut Script<'_>) {
    match script.below(32) {
        0..=3 => {
            let far = world.now + Duration::from_secs(5);
            let _nothing_more = world.advance(far);
        }
        4 | 5 => world.run(Duration::from_millis(40) * u32::from(script.u8())),
        6 => world.run(Duration::from_secs(30)),
        7 => world.sleep(Duration::from_secs(u64::from(script.u16()))),
        8 => lose(world, script),
        9 => repeat(world, script),
        10..=12 => damage(world, script),
        13..=19 => {
            let ifindex = interface(script);
            let crafted = craft::datagram(world, script, ifindex);
            receive(world, ifindex, crafted.source, crafted.destination, &crafted.payload);
        }
        20 => raw(world, script),
        21 | 22 => link(world, script),
        23 => address(world, script),
        24 | 25 => reconfigure(world, script),
        26 | 27 => rib(world, script),
        28 => clear(world, script),
        29 => peer(world, script),
        30 => match script.u8() {
            0..=31 => world.tell(farewell()),
            32..=63 => world.tell(Input::WallClock(u64::from(script.u32()) << 1)),
            _ => ask_all(&world.nodes[0].engine, world.now),
        },
        _ => world.run(Duration::from_millis(u64::from(script.u8()))),
    }
}

fn interface(script: &mut Script<'_>) -> IfIndex {
    script.pick(&INTERFACES).unwrap_or(LAN)
}

fn lose(world: &mut World, script: &mut Script<'_>) {
    let at = script.below(world.flight.len());
    if at < world.flight.len() {
        world.flight.remove(at);
    }
}

fn repeat(world: &mut World, script: &mut Script<'_>) {
    let at = script.below(world.flight.len());
    if let Some(flight) = world.flight.get(at).cloned() {
        world.deliver(&flight);
    }
}

/// Damages what is on its way to the router under test, or to anybody if nothing is.
fn damage(world: &mut World, script: &mut Script<'_>) {
    let to_us: Vec<usize> =
        world.flight.iter().enumerate().filter(|(_, f)| f.to == 0).map(|(at, _)| at).collect();
    let at = script.pick(&to_us).unwrap_or_else(|| script.below(world.flight.len()));
    if let Some(flight) = world.flight.get_mut(at) {
        craft::damage(script, &mut flight.payload);
    }
}

fn receive(world: &mut World, ifindex: IfIndex, source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8]) {
    world.tell(Input::Packet(Received { ifindex, source, destination, ttl: 1, payload }));
}

fn raw(world: &mut World, script: &mut Script<'_>) {
    let ifindex = IfIndex(script.u8().into());
    let source = Ipv4Addr::new(10, 0, script.u8(), script.u8());
    let destination = Ipv4Addr::new(224, 0, 0, 5 + (script.u8() & 1));
    let payload = script.blob().to_vec();
    receive(world, ifindex, source, destination, &payload);
}

fn link(world: &mut World, script: &mut Script<'_>) {
    let ifindex = interface(script);
    let change = script.u8();
    let Some((link, addresses)) = world.nodes[0].links.get_mut(&ifindex) else { return };
    match change % 12 {
        0..=3 => link.running = !link.running,
        4 => link.admin_up = !link.admin_up,
        5 => link.mtu = [1500, 576, 9000, 128, 65_535, 1000][usize::from(change >> 4) % 6],
        6 => link.speed_mbps = Some(u32::from(change) * 100),
        7 => link.loopback = !link.loopback,
        // No two links ever have one name.
        8 if link.name == setup::name_of(ifindex) => link.name = setup::name_of(IfIndex(100 + ifindex.0)),
        8 => link.name = setup::name_of(ifindex),
        9 => return world.tell(Input::Link(LinkEvent::SnapshotComplete)),
        // Gone and, mostly, back again: addresses first, as the monitor tells it.
        _ => {
            let told = addresses.clone();
            let (link, back) = (link.clone(), change & 0x80 == 0);
            for address in told.iter().cloned() {
                world.tell(Input::Link(LinkEvent::AddressRemoved(address)));
            }
            world.tell(Input::Link(LinkEvent::LinkRemoved(ifindex)));
            if back {
                world.tell(Input::Link(LinkEvent::LinkChanged(link)));
                for address in told {
                    world.tell(Input::Link(LinkEvent::AddressAdded(address)));
                }
            }
            return;
        }
    }
    let link = link.clone();
    world.tell(Input::Link(LinkEvent::LinkChanged(link)));
}

fn address(world: &mut World, script: &mut Script<'_>) {
    let ifindex = interface(script);
    let choice = script.u8();
    let network = match choice & 3 {
        0 | 1 => setup::address_of(0, ifindex),
        2 => setup::network(Ipv4Addr::new(10, 0, script.u8(), script.u8()), 16 + choice / 16),
        _ => setup::network(Ipv4Addr::from_bits(script.u32()), choice / 4 % 33),
    };
    let Some((_, addresses)) = world.nodes[0].links.get_mut(&ifindex) else { return };
    let present = addresses.iter().position(|a| a.network == network);
    let event = match present {
        Some(at) => LinkEvent::AddressRemoved(addresses.remove(at)),
        None => {
            let mut address = setup::address(ifindex, network);
            address.secondary = choice & 4 != 0;
            if choice & 0x18 == 0x18 {
                address.protocol = VRRP_ADDRESS_PROTOCOL;
            }
            addresses.push(address.clone());
            LinkEvent::AddressAdded(address)
        }
    };
    world.tell(Input::Link(event));
}

/// Changes the configuration in one place, within what the validation lets through.
fn reconfigure(world: &mut World, script: &mut Script<'_>) {
    let (what, name, value) = (script.u8(), setup::name_of(interface(script)), script.u8());
    world.reconfigure(|config| match what % 16 {
        0 => config.ospf = None,
        1 => config.ospf = setup::config(0).ospf,
        2 => config.vrrp_groups = if value & 1 == 0 { BTreeMap::new() } else { vrrp_groups() },
        3 => {
            config.interfaces.remove(&name);
        }
        4 => config.interfaces = setup::config(0).interfaces,
        n => {
            if let Some(ospf) = &mut config.ospf {
                change(ospf, n, &name, value);
            }
        }
    });
}

fn change(ospf: &mut OspfConfig, what: u8, name: &InterfaceName, value: u8) {
    let seconds = |n: u8| Duration::from_secs(u64::from(n));
    match what {
        5 => ospf.router_id = setup::router_id(usize::from(value % 12)),
        6 => ospf.default_information = setup::default_information(value),
        7 => {
            let policy =
                RedistributePolicy { metric: value.into(), metric_type: MetricType::Type1, route_map: None };
            ospf.redistribute_connected = (value & 1 == 0).then_some(policy);
        }
        8 => {
            ospf.maximum_paths = 1 + value % 64;
            ospf.rfc1583_compatibility = value & 1 == 1;
            ospf.distance = value.max(1);
            ospf.reference_bandwidth = 1 + u32::from(value) * 1000;
        }
        9 => {
            ospf.spf =
                SpfTimers { initial_delay: Duration::from_millis(value.into()), ..SpfTimers::default() };
            ospf.min_ls_interval = Duration::from_millis(u64::from(value) * 40);
            ospf.min_ls_arrival = Duration::from_millis(u64::from(value) * 8);
        }
        10 => {
            ospf.interfaces.remove(name);
        }
        11 => {
            let bit = |n: u8| value & (1 << n) != 0;
            let restart = &mut ospf.graceful_restart;
            (restart.enabled, restart.helper, restart.strict_lsa_checking) = (bit(0), bit(1), bit(2));
            restart.grace_period = seconds(1 + value / 8);
        }
        _ => {
            let Some(interface) = ospf.interfaces.get_mut(name) else { return };
            match value % 8 {
                0 => interface.cost = (value > 8).then_some(u16::from(value) * 257),
                1 => interface.priority = value / 8,
                2 => {
                    interface.hello_interval = seconds(1 + value / 16);
                    interface.dead_interval = seconds(4 + value);
                }
                3 => interface.retransmit_interval = Duration::from_millis(50 + u64::from(value) * 10),
                4 => interface.passive = !interface.passive,
                5 => interface.area = AreaId(Ipv4Addr::from_bits(u32::from(value / 128))),
                6 => {
                    interface.network_type = match interface.network_type {
                        NetworkType::Broadcast => NetworkType::PointToPoint,
                        NetworkType::PointToPoint => NetworkType::Broadcast,
                    };
                }
                _ if value & 8 == 0 => interface.authentication = OspfAuthentication::Null,
                _ if value & 16 == 0 => interface.authentication = setup::authentication_of(LAN),
                _ if value & 32 == 0 => interface.authentication = setup::key_chain(),
                _ => {
                    interface.mtu_ignore = !interface.mtu_ignore;
                    interface.transmit_delay = seconds(1 + value / 4);
                }
            }
        }
    }
}

/// The session with the RIB, and what is redistributed from it.
fn rib(world: &mut World, script: &mut Script<'_>) {
    let (what, third, length) = (script.u8(), script.u8(), 8 + script.u8() % 25);
    let of = if what & 0x80 == 0 { Protocol::Static } else { Protocol::Connected };
    let prefix = match what & 0x60 {
        0x60 => prefix::default_route(),
        _ => prefix::of(Ipv4Addr::new(172, 16, third, 0), length),
    };
    let redistributed = Redistributed {
        protocol: of,
        prefix,
        metric: third.into(),
        tag: length.into(),
        next_hop: (what & 0x10 == 0).then(|| Ipv4Addr::new(192, 0, 2, third)),
        interface: (what & 0x10 != 0).then(|| setup::name_of(LAN)),
    };
    world.tell(match what & 0x0f {
        0 => Input::RibConnected,
        1 => Input::RibLost,
        2..=7 => Input::Rib(RibMessage::Redistribute(vec![redistributed])),
        8..=10 => Input::Rib(RibMessage::Unredistribute(vec![(of, prefix)])),
        11 => Input::Rib(RibMessage::SubscriptionSynced),
        12 => Input::Rib(RibMessage::Synced),
        13 => Input::Rib(RibMessage::FibDone(third.into())),
        14 => bfd(what >> 4, third),
        _ => Input::Rib(RibMessage::Hello { version: PROTOCOL_VERSION, keeps_routes: true }),
    });
}

/// What bfdd says of a neighbour, or that it came or went.
fn bfd(what: u8, which: u8) -> Input<'static> {
    let [node, ifindex] = [usize::from(which % 3), usize::from(which / 3 % 2)];
    let ifindex = [POINT_TO_POINT, LAN][ifindex];
    let [own, peer] = [0, node].map(|node| setup::address_of(node, ifindex).ip());
    match what {
        0 => Input::BfdConnected,
        1 => Input::BfdLost,
        _ => Input::Bfd(BfdMessage::State(SessionStatus {
            key: SessionKey::single_hop(peer, own, ifindex),
            state: SessionState::ALL[usize::from(what % 4)],
            diagnostic: Diagnostic(which >> 3),
            remote_diagnostic: Diagnostic::NONE,
            remote_admin_down: what & 8 != 0 && which & 0x80 != 0,
            remote_independent: what & 16 == 0,
        })),
    }
}

fn clear(world: &mut World, script: &mut Script<'_>) {
    let what = script.u8();
    let ifindex = (what & 4 != 0).then(|| interface(script));
    if what == 0xff {
        return world.tell(Input::PrepareRestart);
    }
    world.tell(Input::Clear(match what % 4 {
        0 => Clear::Process,
        1 => Clear::Neighbors(None),
        2 => Clear::Neighbors(Some(setup::router_id(usize::from(what >> 4)))),
        _ => Clear::Interface(ifindex),
    }));
}

/// A peer dies or is started again.
fn peer(world: &mut World, script: &mut Script<'_>) {
    let node = 1 + script.below(2);
    if script.flag() {
        world.start(node);
    } else {
        world.nodes[node].alive = false;
    }
}

fn vrrp_groups() -> BTreeMap<String, VrrpGroup> {
    let vrid = Vrid::new(10).into_iter();
    let group = |vrid| VrrpGroup {
        interface: setup::name_of(LAN),
        vrid,
        version: VrrpVersion::V3,
        priority: 100,
        advertisement_interval: Duration::from_secs(1),
        virtual_addresses: vec![setup::address_of(0, LAN)],
        preempt: true,
        preempt_delay: Duration::ZERO,
        preempt_routes_wait: Duration::ZERO,
        accelerate: true,
        accept: true,
        virtual_mac: true,
        checksum: VrrpChecksum::Rfc5798,
    };
    vrid.map(|v| ("lan".to_owned(), group(v))).collect()
}
