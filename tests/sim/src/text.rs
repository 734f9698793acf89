//! What happened, as lines of text.
//!
//! Packets are read by the engines' own decoders; whatever these refuse is shown as refused.

use crate::frame::{Datagram, Frame, OSPF, UDP, VRRP};
use crate::kernel;
use crate::scenario::{Daemon, Scenario};
use crate::segment::{End, Nature};
use crate::trace::Happening;
use bfd_proto::packet::ControlPacket;
use core::fmt::{Display, Write};
use ospf_proto::lsa::{LsaHeader, LsaKey};
use ospf_proto::packet::{DatabaseDescription, Hello, PacketBody, PacketType, UpdateLsa, decode_header};
use rib::fib::{FibOp, NextHopId, Via};
use rib::route::FibHop;
use routing_common::time::{Duration, Instant};
use std::net::Ipv4Addr;
use vrrp_proto::packet::{Expected, Received, examine};

/// LSAs a line names; more are counted.
const NAMED: usize = 6;

/// Knows what everything is called.
#[derive(Debug, Clone)]
pub struct Narrator {
    routers: Vec<String>,
    /// Segment of each port, by router.
    segments: Vec<Vec<usize>>,
}

impl Narrator {
    /// For the runs of this scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let segments = scenario.routers.iter().map(|r| r.ports.iter().map(|p| p.segment).collect());
        Self {
            routers: scenario.routers.iter().map(|r| r.name.clone()).collect(),
            segments: segments.collect(),
        }
    }

    /// Name of a router.
    pub fn router(&self, router: usize) -> &str {
        self.routers.get(router).map_or("?", String::as_str)
    }

    /// Router, port and segment: `r3 eth0 (s2)`.
    pub fn end(&self, end: End) -> String {
        let segment = self.segments.get(end.router).and_then(|ports| ports.get(end.port));
        let segment = segment.map_or(String::new(), |s| format!(" (s{s})"));
        format!("{} eth{}{segment}", self.router(end.router), end.port)
    }

    /// A line about something that happened; `None` for the arrival of an unspoilt frame nobody takes.
    pub fn line(&self, at: Instant, happening: &Happening) -> Option<String> {
        let text = match happening {
            Happening::Sent { from, frame } => format!("{} -> {}", self.end(*from), packet(frame)),
            Happening::Arrived { taken: false, nature: Nature::Genuine | Nature::Duplicate, .. } => {
                return None;
            }
            Happening::Arrived { to, frame, nature, taken } => {
                let fate = if *taken { "<-" } else { "<x" };
                format!("{} {fate} {}{}", self.end(*to), spoilt(*nature), packet(frame))
            }
            Happening::Notice { router, daemon, notice } => {
                let severity = format!("{:?}", notice.severity).to_lowercase();
                let (router, daemon) = (self.router(*router), daemon_name(*daemon));
                format!("{router} {daemon} {severity} {}: {}", notice.code, notice.text)
            }
            Happening::Fib { router, op, done } => {
                let refused = if *done { "" } else { " refused" };
                format!("{} kernel {}{refused}", self.router(*router), fib(op))
            }
            Happening::Event { router, text } => {
                format!("{} * {text}", router.map_or("-", |r| self.router(r)))
            }
        };
        Some(format!("{:>13} {text}", at.to_string()))
    }
}

/// A change of a kernel's routes.
pub fn fib(op: &FibOp) -> String {
    match op {
        FibOp::PutNextHop { id, hop, .. } => format!("+hop {} {}", object(*id), self::hop(hop)),
        FibOp::PutGroup { id, members, .. } => {
            format!("+group {} of {}", object(*id), list(members, |id| object(*id)))
        }
        FibOp::RemoveNextHop { id } => format!("-hop {}", object(*id)),
        FibOp::InstallRoute { prefix, via, .. } => match via {
            Via::Blackhole => format!("+{prefix} blackhole"),
            Via::Object(id) => format!("+{prefix} hop {}", object(*id)),
            Via::Plain(hops) => format!("+{prefix} {}", list(hops, self::hop)),
        },
        FibOp::RemoveRoute { prefix, .. } => format!("-{prefix}"),
    }
}

/// The number of a next-hop object without the part all of ours have in common.
fn object(id: NextHopId) -> String {
    format!("#{}", id & 0xffff)
}

fn hop(hop: &FibHop) -> String {
    let outlet = kernel::port(hop.ifindex).map_or("lo".to_owned(), |port| format!("eth{port}"));
    hop.gateway.map_or(outlet.clone(), |gateway| format!("{gateway} {outlet}"))
}

/// Name of a daemon's program.
pub fn daemon_name(daemon: Daemon) -> &'static str {
    match daemon {
        Daemon::Rib => "ribd",
        Daemon::Ospf => "ospfd",
        Daemon::Vrrp => "vrrpd",
        Daemon::Bfd => "bfdd",
    }
}

/// What was done to a frame on its way.
pub fn spoilt(nature: Nature) -> &'static str {
    match nature {
        Nature::Genuine => "",
        Nature::Duplicate => "[again] ",
        Nature::Corrupted => "[bent] ",
        Nature::Junk => "[junk] ",
        Nature::Replayed => "[replayed] ",
        Nature::Forged => "[forged] ",
    }
}

/// A frame on one line.
pub fn packet(frame: &Frame) -> String {
    match frame.datagram() {
        Some(datagram) if datagram.protocol == OSPF => {
            format!("{}: {}", addresses(&datagram), ospf(datagram.payload))
        }
        Some(datagram) if datagram.protocol == VRRP => {
            format!("{}: {}", addresses(&datagram), vrrp(&datagram))
        }
        Some(datagram) if datagram.protocol == UDP => {
            format!("{}: {}", addresses(&datagram), bfd(frame))
        }
        Some(datagram) => format!("{}: protocol {}", addresses(&datagram), datagram.protocol),
        None => arp(frame.octets()).unwrap_or_else(|| format!("{} octets", frame.octets().len())),
    }
}

/// What a frame is, in as few letters as possible.
pub fn kind(frame: &Frame) -> &'static str {
    match frame.datagram() {
        Some(datagram) if datagram.protocol == OSPF => match decode_header(datagram.payload) {
            Ok(packet) => match packet.packet_type {
                PacketType::Hello => "Hello",
                PacketType::DatabaseDescription => "DD",
                PacketType::LinkStateRequest => "Request",
                PacketType::LinkStateUpdate => "Update",
                PacketType::LinkStateAck => "Ack",
            },
            Err(_) => "OSPF?",
        },
        Some(datagram) if datagram.protocol == VRRP => "VRRP",
        Some(datagram) if datagram.protocol == UDP => "BFD",
        Some(_) => "IP",
        None if arp(frame.octets()).is_some() => "ARP",
        None => "?",
    }
}

fn addresses(datagram: &Datagram<'_>) -> String {
    format!("{} > {}", datagram.source, datagram.destination)
}

fn ospf(payload: &[u8]) -> String {
    let packet = match decode_header(payload) {
        Ok(packet) => packet,
        Err(error) => return format!("OSPF that is none: {error}"),
    };
    let from = packet.router_id;
    let body = match packet.decode_body() {
        Ok(PacketBody::Hello(hello)) => format!("from {from}: {}", self::hello(&hello)),
        Ok(PacketBody::DatabaseDescription(description)) => {
            format!("from {from}: {}", self::description(&description))
        }
        Ok(PacketBody::LinkStateRequest(keys)) => format!("from {from}: {}", list(&keys, LsaKey::to_string)),
        Ok(PacketBody::LinkStateUpdate(lsas)) => format!("from {from}: {}", list(&lsas, update)),
        Ok(PacketBody::LinkStateAck(headers)) => format!("from {from}: {}", list(&headers, header)),
        Err(error) => format!("from {from}: {error}"),
    };
    let wrong = if packet.checksum_is_valid() { "" } else { " (checksum wrong)" };
    format!("{} {body}{wrong}", packet.packet_type)
}

fn hello(hello: &Hello) -> String {
    let Hello { priority, designated_router: dr, backup_designated_router: bdr, neighbors, .. } = hello;
    format!("priority {priority}, DR {dr}, BDR {bdr}, sees {}", list(neighbors, ToString::to_string))
}

fn description(description: &DatabaseDescription) -> String {
    let DatabaseDescription { init, more, master, sequence, headers, .. } = description;
    let bit = |set: bool, letter: &'static str| if set { letter } else { "-" };
    let bits = [bit(*init, "I"), bit(*more, "M"), bit(*master, "S")].concat();
    format!("{bits} {sequence:08x}, {}", list(headers, header))
}

fn update(lsa: &UpdateLsa) -> String {
    match lsa {
        UpdateLsa::Valid(lsa) => header(lsa.header()),
        UpdateLsa::Invalid { header, reason } => format!("{} ({reason})", self::header(header)),
    }
}

fn header(header: &LsaHeader) -> String {
    format!("{} {:08x} age {}", header.key, header.sequence, header.age)
}

fn list<T>(all: &[T], show: impl Fn(&T) -> String) -> String {
    if all.is_empty() {
        return "none".to_owned();
    }
    let mut text = all.iter().take(NAMED).map(show).collect::<Vec<_>>().join("; ");
    if all.len() > NAMED {
        // Writing to a string cannot fail.
        let _ = write!(text, "; and {} more", all.len() - NAMED);
    }
    text
}

fn vrrp(datagram: &Datagram<'_>) -> String {
    use routing_common::config::VrrpVersion;
    let Datagram { source, destination, ttl, payload, .. } = *datagram;
    let version =
        if payload.first().is_some_and(|o| o >> 4 == 2) { VrrpVersion::V2 } else { VrrpVersion::V3 };
    // Version 2 compares the interval with the receiver's own.
    let interval = Duration::from_secs(payload.get(5).copied().unwrap_or(0).into());
    let expected = Expected { version, interval, own_address: None };
    match examine(Received { source, destination, ttl, payload }, Some(expected)) {
        Ok((said, _)) => format!(
            "VRRP {:?} vrid {} priority {} every {:?} for {}",
            said.version,
            said.vrid,
            said.priority,
            said.interval,
            list(&said.addresses, ToString::to_string)
        ),
        Err(reason) => format!("VRRP that is none: {}", reason.name()),
    }
}

fn bfd(frame: &Frame) -> String {
    let Some(udp) = frame.udp() else { return "UDP that is none".to_owned() };
    match ControlPacket::decode(udp.payload) {
        Ok(packet) => {
            let ask = if packet.poll { " P" } else { "" };
            let answer = if packet.final_ { " F" } else { "" };
            format!(
                "BFD {}{ask}{answer}, {}, {:08x} to {:08x}, every {} us, takes every {} us, x{}",
                packet.state,
                packet.diagnostic.name(),
                packet.my_discriminator,
                packet.your_discriminator,
                packet.desired_min_tx,
                packet.required_min_rx,
                packet.detect_mult
            )
        }
        Err(reason) => format!("BFD that is none: {}", reason.name()),
    }
}

/// An ARP announcement (RFC 826 in Ethernet).
fn arp(octets: &[u8]) -> Option<String> {
    let body = octets.get(14..42).filter(|_| octets[12..14] == [0x08, 0x06])?;
    let address = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(body.get(at..at + 4)?).ok()?));
    let hex = |o: &u8| format!("{o:02x}");
    let mac = body[8..14].iter().map(hex).collect::<Vec<_>>().join(":");
    let form: &dyn Display = if body[7] == 1 { &"request" } else { &"reply" };
    Some(format!("ARP {form}: {} is at {mac}, for {}", address(14)?, address(24)?))
}
