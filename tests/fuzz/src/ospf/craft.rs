//! Packets of routers that do not exist, and damage done to packets of those that do.
//!
//! What matters for depth is that most of what is crafted passes the first checks: right area, interval, secret
//! and checksums, with one thing or another wrong by the script's choice.

use super::setup;
use super::world::World;
use crate::script::Script;
use md5::{Digest, Md5};
use ospf_proto::constants::{ALL_D_ROUTERS, ALL_SPF_ROUTERS, INITIAL_SEQUENCE, MAX_AGE, MAX_SEQUENCE};
use ospf_proto::lsa::{
    ExternalLsa, LsType, Lsa, LsaBody, LsaHeader, LsaKey, LsaSpec, NetworkLsa, RouterLink, RouterLinkKind,
    RouterLsa, SummaryLsa,
};
use ospf_proto::lsdb::DatabaseId;
use ospf_proto::packet::{DatabaseDescription, Hello, OutgoingBody, Signer, encode};
use routing_common::config::OspfAuthentication;
use routing_common::id::{AreaId, IfIndex, RouterId};
use routing_common::wire::checksum;
use std::net::Ipv4Addr;

/// An IP datagram to deliver.
pub(super) struct Crafted {
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) payload: Vec<u8>,
}

const NETMASK: Ipv4Addr = Ipv4Addr::new(255, 255, 255, 0);
/// Hosts of a subnet: the three routers and two strangers.
const HOSTS: [u8; 6] = [2, 3, 9, 10, 1, 255];
const MASKS: [Ipv4Addr; 6] = [
    NETMASK,
    Ipv4Addr::BROADCAST,
    Ipv4Addr::UNSPECIFIED,
    Ipv4Addr::new(255, 255, 0, 0),
    Ipv4Addr::new(255, 0, 255, 0),
    Ipv4Addr::new(255, 255, 255, 252),
];

fn router(script: &mut Script<'_>) -> RouterId {
    match script.below(8) {
        n @ 0..=4 => RouterId(Ipv4Addr::new(10, 255, 0, [2, 3, 9, 10, 1][n])),
        5 => RouterId::NONE,
        _ => RouterId(Ipv4Addr::from_bits(script.u32())),
    }
}

fn host(script: &mut Script<'_>) -> Ipv4Addr {
    let third = 2 + script.below(4) as u8;
    Ipv4Addr::new(10, 0, third, HOSTS[script.below(HOSTS.len())])
}

fn address(script: &mut Script<'_>) -> Ipv4Addr {
    match script.below(4) {
        0 | 1 => host(script),
        2 => router(script).0,
        _ => Ipv4Addr::from_bits(script.u32()),
    }
}

/// A whole datagram for one of the router's interfaces.
pub(super) fn datagram(world: &World, script: &mut Script<'_>, ifindex: IfIndex) -> Crafted {
    let third = u8::try_from(ifindex.0).unwrap_or(0);
    let shape = script.u8();
    let host = HOSTS[usize::from(shape >> 2) % HOSTS.len()];
    let source = if shape & 3 == 3 { address(script) } else { Ipv4Addr::new(10, 0, third, host) };
    // The router id that goes with the host, unless the script has other ideas.
    let sender =
        if script.below(8) == 7 { router(script) } else { RouterId(Ipv4Addr::new(10, 255, 0, host)) };
    let destination = match script.below(8) {
        0..=3 => ALL_SPF_ROUTERS,
        4 => ALL_D_ROUTERS,
        5 | 6 => setup::address_of(0, ifindex).ip(),
        _ => address(script),
    };
    let authentication = match script.below(12) {
        11 => OspfAuthentication::Null,
        _ => configured(world, ifindex),
    };
    let sequence = if script.below(8) == 7 { script.u32() } else { 1_700_000_000 };
    let area = if script.below(16) == 15 { AreaId(address(script)) } else { AreaId::BACKBONE };
    let payload = body(world, script, ifindex, |body| {
        let signer = Signer::new(&authentication, 1_700_000_000, sequence).unwrap_or(Signer::Null);
        encode(sender, area, body, &signer)
    });
    Crafted { source, destination, payload }
}

fn configured(world: &World, ifindex: IfIndex) -> OspfAuthentication {
    let ospf = world.nodes[0].config.ospf.as_ref();
    ospf.and_then(|o| o.interfaces.get(&setup::name_of(ifindex)))
        .map_or(OspfAuthentication::Null, |i| i.authentication.clone())
}

fn body(
    world: &World,
    script: &mut Script<'_>,
    ifindex: IfIndex,
    encode: impl FnOnce(&OutgoingBody<'_>) -> Vec<u8>,
) -> Vec<u8> {
    match script.below(8) {
        0 | 1 => encode(&OutgoingBody::Hello(&hello(script, ifindex))),
        2 => encode(&OutgoingBody::DatabaseDescription(&description(world, script, ifindex))),
        3 => {
            let keys: Vec<LsaKey> = (0..1 + script.below(6)).map(|_| key(world, script)).collect();
            encode(&OutgoingBody::LinkStateRequest(&keys))
        }
        4 => encode(&OutgoingBody::LinkStateAck(&headers(world, script))),
        _ => {
            let lsas: Vec<(Lsa, u16)> = (0..1 + script.below(5)).map(|_| lsa(world, script)).collect();
            let aged: Vec<(&Lsa, u16)> = lsas.iter().map(|(lsa, age)| (lsa, *age)).collect();
            encode(&OutgoingBody::LinkStateUpdate(&aged))
        }
    }
}

fn hello(script: &mut Script<'_>, ifindex: IfIndex) -> Hello {
    let odd = script.u8();
    let designated = |bit: u8, script: &mut Script<'_>| {
        if odd >> bit & 1 == 1 { host(script) } else { Ipv4Addr::UNSPECIFIED }
    };
    let mut neighbors: Vec<RouterId> = (0..script.below(4)).map(|_| router(script)).collect();
    if odd & 1 == 0 {
        neighbors.push(setup::router_id(0));
    }
    Hello {
        network_mask: if odd & 0x40 != 0 { MASKS[script.below(MASKS.len())] } else { NETMASK },
        hello_interval: if odd & 0x80 != 0 { script.u16() } else { 1 },
        options: if odd & 0x20 != 0 { script.u8() } else { 2 },
        priority: script.u8() % 4,
        dead_interval: if odd & 0x80 != 0 { u32::from(script.u16()) } else { 4 },
        designated_router: designated(1, script),
        backup_designated_router: if ifindex == setup::LAN || odd & 8 != 0 {
            designated(2, script)
        } else {
            Ipv4Addr::UNSPECIFIED
        },
        neighbors,
    }
}

fn description(world: &World, script: &mut Script<'_>, ifindex: IfIndex) -> DatabaseDescription {
    let bits = script.u8();
    let last = world.description.get(&ifindex).copied().unwrap_or(0);
    DatabaseDescription {
        interface_mtu: if bits & 0x80 != 0 { script.u16() } else { 1500 },
        options: if bits & 0x40 != 0 { script.u8() } else { 0x42 },
        init: bits & 1 != 0,
        more: bits & 2 != 0,
        master: bits & 4 != 0,
        sequence: match bits >> 3 & 3 {
            0 => last,
            1 => last.wrapping_add(1),
            2 => last.wrapping_sub(1),
            _ => script.u32(),
        },
        headers: if bits & 0x20 != 0 { Vec::new() } else { headers(world, script) },
    }
}

/// An LSA of a database of the router under test.
fn held(world: &World, script: &mut Script<'_>) -> Option<(Lsa, u16)> {
    let engine = &world.nodes[0].engine;
    let areas = engine.areas().map(|(id, _)| DatabaseId::Area(id));
    let all: Vec<_> = areas
        .chain([DatabaseId::As])
        .filter_map(|d| engine.lsdb(d))
        .flat_map(|db| db.iter().take(200).map(|(_, entry)| entry))
        .collect();
    let entry = all.get(script.below(all.len()))?;
    Some(((*entry.lsa).clone(), entry.age(world.now)))
}

fn ls_type(script: &mut Script<'_>) -> LsType {
    script.pick(&LsType::KNOWN).unwrap_or(LsType::Router)
}

fn key(world: &World, script: &mut Script<'_>) -> LsaKey {
    if script.flag()
        && let Some((lsa, _)) = held(world, script)
    {
        return lsa.key();
    }
    let ls_type = if script.below(16) == 15 { LsType::from(script.u8()) } else { ls_type(script) };
    LsaKey { ls_type, link_state_id: address(script), advertising_router: router(script) }
}

fn headers(world: &World, script: &mut Script<'_>) -> Vec<LsaHeader> {
    let count = script.below(6);
    let header = |script: &mut Script<'_>| {
        let (lsa, age) = lsa(world, script);
        LsaHeader { age, ..*lsa.header() }
    };
    (0..count).map(|_| header(script)).collect()
}

/// A new LSA, or what follows from one that the router holds; with the age to send it with.
fn lsa(world: &World, script: &mut Script<'_>) -> (Lsa, u16) {
    let how = script.u8();
    let old = if how & 1 == 1 { held(world, script) } else { None };
    let age = match how >> 1 & 7 {
        0..=3 => 1,
        4 => MAX_AGE,
        5 => 1800,
        6 => MAX_AGE - 1,
        _ => script.u16().min(MAX_AGE),
    };
    if let Some((old, _)) = &old
        && how & 0x10 == 0
    {
        return (old.clone(), age);
    }
    let key = match &old {
        Some((old, _)) => old.key(),
        None => {
            let (ls_type, advertising_router) = (ls_type(script), router(script));
            let link_state_id =
                if ls_type == LsType::Router { advertising_router.0 } else { address(script) };
            LsaKey { ls_type, link_state_id, advertising_router }
        }
    };
    let former = old.as_ref().map_or(INITIAL_SEQUENCE - 1, |(old, _)| old.header().sequence);
    let sequence = match how >> 5 {
        0..=3 => former.saturating_add(1),
        4 => former,
        5 => MAX_SEQUENCE,
        6 => i32::MIN,
        _ => script.u32().cast_signed(),
    };
    let body = match old {
        Some((old, _)) if script.flag() => old.body().clone(),
        _ => lsa_body(script, key.ls_type),
    };
    (Lsa::build(LsaSpec { age: 0, options: 2, key, sequence }, &body), age)
}

fn lsa_body(script: &mut Script<'_>, ls_type: LsType) -> LsaBody {
    let mask = MASKS[script.below(MASKS.len())];
    let metric = |script: &mut Script<'_>| match script.below(4) {
        3 => script.u32() & 0x00ff_ffff,
        _ => u32::from(script.u8()),
    };
    let external = |script: &mut Script<'_>| ExternalLsa {
        mask,
        type2: script.flag(),
        metric: metric(script),
        forwarding_address: if script.flag() { address(script) } else { Ipv4Addr::UNSPECIFIED },
        tag: u32::from(script.u8()),
    };
    match ls_type {
        LsType::Router => {
            let bits = script.u8();
            let links = (0..script.below(6)).map(|_| router_link(script)).collect();
            let [virtual_link_endpoint, as_boundary, area_border] = [1, 2, 4].map(|bit| bits & bit != 0);
            LsaBody::Router(RouterLsa { virtual_link_endpoint, as_boundary, area_border, links })
        }
        LsType::Network => {
            let attached_routers = (0..script.below(6)).map(|_| router(script)).collect();
            LsaBody::Network(NetworkLsa { mask, attached_routers })
        }
        LsType::SummaryNetwork => LsaBody::SummaryNetwork(SummaryLsa { mask, metric: metric(script) }),
        LsType::SummaryAsbr => {
            LsaBody::SummaryAsbr(SummaryLsa { mask: Ipv4Addr::UNSPECIFIED, metric: metric(script) })
        }
        LsType::AsExternal => LsaBody::AsExternal(external(script)),
        LsType::Nssa => LsaBody::Nssa(external(script)),
        _ => LsaBody::Opaque(script.blob().into()),
    }
}

fn router_link(script: &mut Script<'_>) -> RouterLink {
    let kind = match script.below(4) {
        0 => RouterLinkKind::PointToPoint { neighbor: router(script), data: address(script) },
        1 => RouterLinkKind::Transit { designated_router: host(script), address: host(script) },
        2 => RouterLinkKind::Stub { network: address(script), mask: MASKS[script.below(MASKS.len())] },
        _ => RouterLinkKind::Virtual { neighbor: router(script), address: address(script) },
    };
    let metric = if script.below(8) == 7 { script.u16() } else { 10 };
    RouterLink { kind, metric }
}

/// Damages a packet in up to four places and, if the script likes, makes lengths and sums right again, so that
/// the damage is found by the innermost layer it concerns.
pub(super) fn damage(script: &mut Script<'_>, payload: &mut Vec<u8>) {
    let how = script.u8();
    for _ in 0..1 + (how & 3) {
        let at = script.below(payload.len());
        match script.below(5) {
            0 => payload.truncate(at.max(1)),
            1 => payload.extend_from_slice(script.blob()),
            2 => {
                let end = payload.len().min(at + 1 + script.below(24));
                payload.drain(at..end);
            }
            _ => {
                let value = script.u8();
                if let Some(slot) = payload.get_mut(at) {
                    *slot = value;
                }
            }
        }
        if payload.is_empty() {
            return;
        }
    }
    if how & 0x80 == 0 {
        repair(payload);
    }
}

/// Sets checksums right, inner ones first, and signs where the packet says it is signed.
fn repair(payload: &mut Vec<u8>) {
    let Some(length) = payload.get(2..4).map(|l| usize::from(u16::from_be_bytes([l[0], l[1]]))) else {
        return;
    };
    if length < 24 || length > payload.len() {
        return;
    }
    if payload[1] == 4 {
        repair_lsas(&mut payload[..length]);
    }
    if payload[14..16] == [0, 2] {
        let key: &[u8] = if payload[18] == 1 { b"old" } else { b"correct-horse" };
        let mut padded = [0; 16];
        padded[..key.len()].copy_from_slice(key);
        let digest = Md5::new().chain_update(&payload[..length]).chain_update(padded).finalize();
        payload.truncate(length);
        payload.extend_from_slice(&digest);
        return;
    }
    payload[12..14].fill(0);
    let sum = checksum::internet(&[&payload[..16], &payload[24..length]]);
    payload[12..14].copy_from_slice(&sum.to_be_bytes());
}

fn repair_lsas(packet: &mut [u8]) {
    let mut at = 28;
    while let Some(length) = packet.get(at + 18..at + 20) {
        let end = at + usize::from(u16::from_be_bytes([length[0], length[1]]));
        let Some(lsa) = packet.get_mut(at + 2..end).filter(|l| l.len() >= 18) else { return };
        let sum = checksum::fletcher(lsa, 14);
        lsa[14..16].copy_from_slice(&sum.to_be_bytes());
        at = end;
    }
}
