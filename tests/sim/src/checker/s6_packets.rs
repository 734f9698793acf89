//! S6: whatever leaves a router is right: lengths, checksums, authentication, size, addresses, contents.
//!
//! Read by [`crate::wire`], which shares nothing with the engines, and compared with the scenario and the
//! configuration. Facts that changed within the turn that sent a packet (an interface's state or password, a
//! link's MTU) count as they were before or after it. An LSA that is alone in its update may be
//! larger than the MTU: IP fragments it (RFC 2328 App. A.1).

use super::{Checker, Turn, Verdict};
use crate::frame::{Datagram, Frame, OSPF, UDP, VRRP};
use crate::kernel;
use crate::scenario::Daemon;
use crate::segment::End;
use crate::wire::{self, MAX_AGE};
use crate::world::World;
use ospf_proto::interface::{Interface, InterfaceState, NetworkKind};
use routing_common::config::{OspfInterfaceConfig, VrrpGroup, VrrpVersion};
use routing_common::id::IfIndex;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

const ALL_SPF_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 5);
const ALL_D_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 6);
const VRRP_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// Octets of headers before a datagram's payload.
const ETHERNET: usize = 14;
const IPV4: usize = 20;

/// The law.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// Interfaces as the last turn left them.
    before: BTreeMap<(usize, IfIndex), Facts>,
    /// Last cryptographic sequence number by process and port.
    sequences: BTreeMap<(usize, usize), (u32, u32)>,
}

/// What of an interface decides what its packets look like.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    config: OspfInterfaceConfig,
    kind: NetworkKind,
    state: InterfaceState,
    mtu: u16,
}

impl Facts {
    fn of(interface: &Interface) -> Self {
        let Interface { kind, state, mtu, .. } = *interface;
        Self { config: interface.config.clone(), kind, state, mtu }
    }

    fn is_of(&self, interface: &Interface) -> bool {
        (self.kind, self.state, self.mtu) == (interface.kind, interface.state, interface.mtu)
            && self.config == interface.config
    }
}

impl Checker for Packets {
    fn law(&self) -> (&'static str, &'static str) {
        ("S6", "every packet sent is well formed, authentic, small enough and rightly addressed")
    }

    fn sent(&mut self, world: &World, from: End, frame: &Frame) -> Verdict {
        let node = &world.nodes[from.router];
        let verdict = match (frame.octets().get(12..14), frame.datagram()) {
            (Some([8, 0]), Some(datagram)) if datagram.protocol == OSPF => {
                ip_header(frame).and_then(|()| self.ospf(world, from, datagram))
            }
            (Some([8, 0]), Some(datagram)) if datagram.protocol == VRRP => {
                ip_header(frame).and_then(|()| vrrp(world, from, frame, datagram))
            }
            (Some([8, 0]), Some(datagram)) if datagram.protocol == UDP => {
                ip_header(frame).and_then(|()| bfd(world, from, frame, datagram))
            }
            (Some([8, 6]), _) => arp(world, from, frame),
            _ => Err("neither OSPF nor VRRP nor BFD nor ARP".to_owned()),
        };
        verdict.map_err(|text| format!("{} eth{}: {text}", node.name, from.port))
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let Some(engine) = &world.nodes[turn.router].ospf.engine else { return Ok(()) };
        if turn.daemon == Daemon::Ospf {
            for interface in engine.interfaces() {
                let known = self.before.get(&(turn.router, interface.ifindex));
                if known.is_none_or(|facts| !facts.is_of(interface)) {
                    self.before.insert((turn.router, interface.ifindex), Facts::of(interface));
                }
            }
        }
        Ok(())
    }
}

/// RFC 791: as long as it says, no options, right sum.
fn ip_header(frame: &Frame) -> Verdict {
    let octets = frame.octets();
    let header = octets.get(ETHERNET..ETHERNET + IPV4).ok_or("no IP header")?;
    if usize::from(wire::u16_at(header, 2)) != octets.len() - ETHERNET {
        return Err("IP total length".to_owned());
    }
    if header[0] != 0x45 || wire::internet_sum(&[header]) != 0xffff {
        return Err("IP header".to_owned());
    }
    let group = wire::address_at(header, 16);
    let [_, b, c, d] = group.octets();
    if group.is_multicast() && octets[..6] != [1, 0, 0x5e, b & 0x7f, c, d] {
        return Err("Ethernet address of the group".to_owned());
    }
    Ok(())
}

/// RFC 5881 §4, §5: ports, TTL; a packet asks or answers, never both (RFC 5880 §6.5); the reserved bits are clear.
fn bfd(world: &World, from: End, frame: &Frame, datagram: Datagram<'_>) -> Verdict {
    let udp = frame.udp().ok_or("UDP length or checksum")?;
    let packet = wire::bfd(udp.payload)?;
    let own = world.nodes[from.router].kernel.has(datagram.source);
    let wrong = match () {
        () if datagram.ttl != 255 => "TTL",
        () if udp.destination_port != 3784 || udp.source_port < 49_152 => "UDP ports",
        () if !own => "source address",
        () if udp.payload.len() != 24 || udp.payload[3] != 24 => "length",
        () if packet.poll && packet.is_final => "Poll and Final",
        () if udp.payload[20..24] != [0; 4] => "Echo is not for us",
        () if packet.state == 3 && packet.multiplier == 0 => "Detect Mult",
        () if packet.state < 3 && packet.desired_min_tx < 1_000_000 => "faster than one a second and not Up",
        () => return Ok(()),
    };
    Err(format!("BFD: {wrong}"))
}

impl Packets {
    fn ospf(&mut self, world: &World, from: End, datagram: Datagram<'_>) -> Verdict {
        let node = &world.nodes[from.router];
        let ifindex = kernel::ifindex(from.port);
        // An engine that said its last word is gone already.
        let now = node.ospf.engine.as_ref().and_then(|e| e.interfaces().find(|i| i.ifindex == ifindex));
        let before = self.before.get(&(from.router, ifindex));
        let is_same = before.zip(now).is_some_and(|(before, now)| before.is_of(now));
        let now = now.filter(|_| !is_same).map(Facts::of);
        let both: Vec<&Facts> = before.into_iter().chain(now.as_ref()).collect();
        let mut verdict = Err("sent without an interface".to_owned());
        let settings = &world.scenario.routers[from.router];
        for facts in both.iter().rev() {
            verdict = packet(facts, &both, settings.ports[from.port].address, settings.loopback, datagram);
            if verdict.is_ok() {
                break;
            }
        }
        let sequence = verdict?;
        if let Some(sequence) = sequence {
            let incarnation = node.incarnation(Daemon::Ospf);
            let before = self.sequences.insert((from.router, from.port), (incarnation, sequence));
            if before.is_some_and(|(i, last)| i == incarnation && last > sequence) {
                return Err("cryptographic sequence number went back".to_owned());
            }
        }
        Ok(())
    }
}

/// One OSPF packet, by the facts it must fit; `both` are the facts before and after the turn. Returns its
/// cryptographic sequence number.
fn packet(
    facts: &Facts,
    both: &[&Facts],
    address: ipnetwork::Ipv4Network,
    router_id: Ipv4Addr,
    datagram: Datagram<'_>,
) -> Result<Option<u32>, String> {
    let packet = wire::ospf(datagram.payload, &facts.config.authentication)?;
    let kind = packet.kind;
    let wrong = |what: &str| Err(format!("type {kind} to {}: {what}", datagram.destination));
    if datagram.ttl != 1 {
        return wrong("TTL");
    }
    if datagram.source != address.ip() {
        return wrong("source address");
    }
    if packet.router_id != router_id || packet.area != facts.config.area.0 {
        return wrong("router or area id");
    }
    if packet.trailer.len() != if packet.sequence.is_some() { 16 } else { 0 } {
        return wrong("octets behind the packet");
    }
    if wire::u16_at(datagram.payload, 14) == 0 && datagram.payload[16..24] != [0; 8] {
        return wrong("something in the authentication field of AuType 0");
    }
    let mtu = both.iter().map(|f| usize::from(f.mtu)).max().unwrap_or(0);
    let is_alone = kind == 4 && wire::u32_at(packet.body, 0) == 1;
    if IPV4 + datagram.payload.len() > mtu && !is_alone {
        return wrong("larger than the MTU");
    }
    // RFC 3623 §5: a restarting router does not know its role; its grace-LSAs go to all routers.
    let is_grace = datagram.destination == ALL_SPF_ROUTERS && kind == 4 && is_grace(packet.body, router_id);
    if !is_grace && !both.iter().any(|f| is_destination(f, kind, address, datagram.destination)) {
        return wrong("destination");
    }
    match body(facts, address, &packet) {
        Ok(()) => Ok(packet.sequence),
        Err(text) => wrong(&text),
    }
}

/// An update of nothing but grace-LSAs of its sender (RFC 3623 App. A).
fn is_grace(body: &[u8], sender: Ipv4Addr) -> bool {
    let own = |l: &wire::Lsa<'_>| (l.kind, l.id, l.router) == (9, Ipv4Addr::new(3, 0, 0, 0), sender);
    wire::update(body).is_ok_and(|lsas| lsas.iter().all(own))
}

/// RFC 2328 §8.1, §13.3 (5), §13.5.
fn is_destination(facts: &Facts, kind: u8, own: ipnetwork::Ipv4Network, to: Ipv4Addr) -> bool {
    let is_unicast = own.contains(to) && to != own.ip() && !to.is_multicast();
    let is_designated = matches!(facts.state, InterfaceState::Dr | InterfaceState::Backup);
    match (facts.kind, kind) {
        (NetworkKind::PointToPoint, _) | (NetworkKind::Broadcast, 1) => to == ALL_SPF_ROUTERS,
        (NetworkKind::Broadcast, 2 | 3) => is_unicast,
        (NetworkKind::Broadcast, _) => {
            is_unicast || to == if is_designated { ALL_SPF_ROUTERS } else { ALL_D_ROUTERS }
        }
        (NetworkKind::Loopback, _) => false,
    }
}

fn body(facts: &Facts, address: ipnetwork::Ipv4Network, packet: &wire::Packet<'_>) -> Verdict {
    let body = packet.body;
    let wrong = |what: &str| Err(what.to_owned());
    match packet.kind {
        1 => {
            let config = &facts.config;
            let neighbors: BTreeSet<&[u8]> = body.get(20..).unwrap_or_default().chunks(4).collect();
            if body.len() < 20 || body.len() != 20 + 4 * neighbors.len() {
                return wrong("length of a Hello, or a neighbor twice");
            }
            let timers = (u64::from(wire::u16_at(body, 4)), u64::from(wire::u32_at(body, 8)));
            if timers != (config.hello_interval.as_secs(), config.dead_interval.as_secs()) {
                return wrong("intervals in a Hello");
            }
            if wire::address_at(body, 0) != address.mask() || body[6] & 2 == 0 || body[7] != config.priority {
                return wrong("mask, E-bit or priority in a Hello");
            }
        }
        2 => {
            let headers = body.get(8..).unwrap_or_default();
            if body.len() < 8 || !headers.len().is_multiple_of(20) || wire::u16_at(body, 0) != facts.mtu {
                return wrong("length or MTU of a Database Description");
            }
            let is_first = body[3] & 4 != 0;
            if body[3] > 7 || (is_first && (body[3] != 7 || !headers.is_empty())) {
                return wrong("bits of a Database Description");
            }
            check_headers(headers)?;
        }
        3 => {
            let asked: BTreeSet<&[u8]> = body.chunks(12).collect();
            let is_type = |request: &&[u8]| matches!(wire::u32_at(request, 0), 1..=5 | 9..=11);
            if body.is_empty() || body.len() != 12 * asked.len() || !asked.iter().all(is_type) {
                return wrong("Link State Request");
            }
        }
        4 => {
            let lsas = wire::update(body)?;
            let different: BTreeSet<_> = lsas.iter().map(|l| (l.kind, l.id, l.router)).collect();
            if lsas.is_empty() || different.len() != lsas.len() {
                return wrong("an empty update, or an LSA twice");
            }
            for lsa in &lsas {
                wire::check_lsa(lsa)?;
                // InfTransDelay was added.
                if lsa.age == 0 || lsa.age > MAX_AGE {
                    return wrong("age of an LSA");
                }
            }
        }
        _ if body.is_empty() || !body.len().is_multiple_of(20) => {
            return wrong("length of an acknowledgment");
        }
        _ => check_headers(body)?,
    }
    Ok(())
}

fn check_headers(octets: &[u8]) -> Verdict {
    for header in wire::lsa_headers(octets)? {
        let is_type = matches!(header.kind, 1..=5 | 9..=11);
        if !is_type || header.age > MAX_AGE || header.length < 20 || header.sequence == i32::MIN {
            return Err(format!("header of {} {} of {}", header.kind, header.id, header.router));
        }
    }
    Ok(())
}

/// The virtual routers of a port, as configured.
fn groups(world: &World, from: End) -> impl Iterator<Item = &VrrpGroup> {
    let name = format!("eth{}", from.port);
    let groups = world.nodes[from.router].config.vrrp_groups.values();
    groups.filter(move |g| g.interface.as_str() == name)
}

fn virtual_mac(vrid: u8) -> [u8; 6] {
    [0, 0, 0x5e, 0, 1, vrid]
}

/// RFC 9568 §5, §7.2; RFC 3768 §5.
fn vrrp(world: &World, from: End, frame: &Frame, datagram: Datagram<'_>) -> Verdict {
    let message = wire::vrrp(datagram.payload, datagram.source, datagram.destination)?;
    let wrong = |what: &str| Err(format!("vrid {}: {what}", message.vrid));
    let Some(group) = groups(world, from).find(|g| g.vrid.get() == message.vrid) else {
        return wrong("not configured");
    };
    if datagram.ttl != 255 || datagram.destination != VRRP_GROUP {
        return wrong("TTL or destination");
    }
    if datagram.source != world.scenario.routers[from.router].ports[from.port].address.ip() {
        return wrong("source address");
    }
    let own_mac = kernel::mac(from.router, from.port);
    let mac = if group.virtual_mac { virtual_mac(message.vrid) } else { own_mac };
    if frame.octets()[6..12] != mac {
        return wrong("Ethernet source");
    }
    let version = match group.version {
        VrrpVersion::V2 => 2,
        VrrpVersion::V3 => 3,
    };
    let unit = if version == 2 { 1000 } else { 10 };
    if message.version != version || message.length != datagram.payload.len() {
        return wrong("version or length");
    }
    if u128::from(message.interval) * unit != group.advertisement_interval.as_millis() {
        return wrong("interval");
    }
    // A group that leaves or whose priority was just changed says so with 0 or the old one.
    if !message.addresses.iter().eq(group.virtual_addresses.iter().map(|a| a.ip()).collect::<Vec<_>>().iter())
    {
        return wrong("addresses");
    }
    Ok(())
}

/// Gratuitous ARP (RFC 9568 §8.1.2).
/// RFC 9568 §6.4.1, and as Linux does it: announcements in both forms, a kernel's answers to who asks, and probes
/// (RFC 5227 §2.1.1).
fn arp(world: &World, from: End, frame: &Frame) -> Verdict {
    let octets = frame.octets();
    let own_mac = kernel::mac(from.router, from.port);
    let probe = [&[0xff; 6][..], &own_mac, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &own_mac, &[0; 10]].concat();
    let asks = |group: &VrrpGroup| {
        let address = group.virtual_addresses.first().map(|a| a.ip().octets());
        address.is_some_and(|address| octets == [&probe[..], &address].concat())
    };
    if groups(world, from).any(asks) {
        return Ok(());
    }
    let says = frame.arp().filter(|arp| !arp.asks && arp.sender != arp.target);
    if let Some(says) = says {
        let holds = world.nodes[from.router].kernel.answers_on(kernel::ifindex(from.port), says.sender);
        let is_told = octets.get(..12) == Some(&[octets.get(32..38).unwrap_or_default(), &says.mac].concat());
        return if holds && is_told { Ok(()) } else { Err(format!("ARP answer {octets:02x?}")) };
    }
    let is_right = |group: &VrrpGroup| {
        let mac = if group.virtual_mac { virtual_mac(group.vrid.get()) } else { own_mac };
        group.virtual_addresses.iter().any(|address| {
            let address = address.ip().octets();
            [1, 2].into_iter().any(|operation| {
                let head = [&[0xff; 6][..], &mac, &[8, 6, 0, 1, 8, 0, 6, 4, 0, operation]].concat();
                octets == [&head[..], &mac, &address, &mac, &address].concat()
            })
        })
    };
    match groups(world, from).any(is_right) {
        true => Ok(()),
        false => Err(format!("ARP {octets:02x?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::paper;
    use crate::run;
    use crate::scenario::{Authentication, Scenario};
    use crate::trace::Happening;

    fn frames(world: &World) -> Vec<(End, Frame)> {
        let entries = world.transcript.entries.as_ref().unwrap();
        let sent = entries.iter().filter_map(|e| match &e.1 {
            Happening::Sent { from, frame } => Some((*from, frame.clone())),
            _ => None,
        });
        sent.collect()
    }

    /// Packets of every kind, judged by how things stand at the end; what was sent before they stood so, by a
    /// router that was not yet Designated for instance, is left out.
    #[test]
    fn every_bit_of_a_packet_matters() {
        let mut scenario = Scenario { chaos_ends: 0, settle: 20_000, rest: 10_000, ..paper::ring5_p() };
        scenario.segments[1].authentication = Authentication::Md5;
        scenario.segments[2].authentication = Authentication::Simple;
        let world = run::traced(&scenario, Vec::new()).unwrap();
        let right = |(from, frame): &(End, Frame)| Packets::default().sent(&world, *from, frame).is_ok();
        let mut judged = BTreeSet::new();
        for (from, frame) in frames(&world).into_iter().rev().filter(right) {
            let (ethernet, kind) = (frame.octets()[13], frame.octets()[35]);
            let authentication = if ethernet == 0 { frame.octets().get(49).copied() } else { None };
            if !judged.insert((ethernet, frame.octets()[23], kind, authentication)) {
                continue;
            }
            for bit in 0..frame.octets().len() * 8 {
                let mut octets = frame.octets().to_vec();
                octets[bit / 8] ^= 1 << (bit % 8);
                // Ethernet addresses of OSPF are the kernel's business.
                let is_covered = bit / 8 >= ETHERNET || ethernet == 6;
                let verdict = Packets::default().sent(&world, from, &Frame::new(octets));
                assert!(verdict.is_err() || !is_covered, "octet {} bit {} of {kind}", bit / 8, bit % 8);
            }
        }
        // Five packets, most of them with three AuTypes; an advertisement; two kinds of ARP at one.
        assert!(judged.len() >= 14, "{judged:?}");
    }
}
