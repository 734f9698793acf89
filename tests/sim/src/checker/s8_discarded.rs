//! S8: a packet that must be discarded changes nothing but counters.
//!
//! Looked at are packets nobody sent as they arrive: bits flipped on the way, random octets, and what an
//! adversary replays or makes up. Each is judged by [`crate::wire`] with the receiver's own key. If it
//! fails a check (lengths, version, type, checksum, password, digest, cryptographic sequence number), the
//! engine's whole state must be the same before and after, counters aside.
//!
//! A packet that passes all checks is one, whatever happened to it, and may change what it likes. With AuType 0
//! that is one with flips only in the eight octets of the authentication field, which nothing covers, or one
//! in which flips cancel out in the one's complement sum; an old one replayed without cryptography; with MD5
//! one replayed to a router that has heard nothing later (RFC 2328 App. D.5.3 wants "less than"), or nothing
//! at all from its sender. With VRRP it is also one bent behind its declared end.
//!
//! Timers that were due while the packet came are served first in nobody's order, so a turn with a timer due is
//! not judged.

use super::digest;
use super::{Cause, Checker, Turn, Verdict};
use crate::frame::{Datagram, OSPF, UDP};
use crate::kernel;
use crate::node::Node;
use crate::scenario::Daemon;
use crate::segment::Nature;
use crate::wire;
use crate::world::World;
use routing_common::id::RouterId;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// So many packets of a run are judged, and one in [`SAMPLE`] of those that follow: fingerprints are costly.
const ALL_OF: u32 = 25;
const SAMPLE: u32 = 5;

/// Counters, by the names of the fields that hold them.
const OSPF_COUNTERS: &[&str] = &["statistics"];
const VRRP_COUNTERS: &[&str] = &["discards", "strays"];
const BFD_COUNTERS: &[&str] = &["discards", "lateness"];

/// The law.
#[derive(Debug, Default)]
pub(super) struct Discarded {
    /// Before the packet: the state, and why it must be discarded.
    expected: Option<(u64, String)>,
    /// Packets that had to be discarded so far.
    discarded: u32,
    /// Last cryptographic sequence number of genuine packets, by router, port and sender, while the receiver
    /// knows the sender.
    sequences: BTreeMap<(usize, usize, RouterId), u32>,
}

/// The fingerprint of a daemon's engine.
pub(super) fn state(node: &Node, daemon: Daemon) -> u64 {
    match daemon {
        Daemon::Ospf => digest::of(&node.ospf.engine, OSPF_COUNTERS),
        Daemon::Vrrp => digest::of(&node.vrrp.engine, VRRP_COUNTERS),
        Daemon::Rib => digest::of(&node.rib.engine, &[]),
        Daemon::Bfd => digest::of(&node.bfd.engine, BFD_COUNTERS),
    }
}

impl Discarded {
    /// Why the packet must be discarded; `None` if it may be taken.
    fn fault(&self, world: &World, turn: &Turn<'_>, port: usize, datagram: Datagram<'_>) -> Option<String> {
        if datagram.protocol == UDP {
            let read = wire::bfd(datagram.payload.get(8..).unwrap_or_default());
            return read.err().or_else(|| (datagram.ttl != 255).then(|| "TTL".to_owned()));
        }
        if datagram.protocol != OSPF {
            let is_group = datagram.destination == Ipv4Addr::new(224, 0, 0, 18);
            let read = wire::vrrp(datagram.payload, datagram.source, datagram.destination);
            return read.err().or_else(|| (datagram.ttl != 255 || !is_group).then(|| "TTL".to_owned()));
        }
        let engine = world.nodes[turn.router].ospf.engine.as_ref()?;
        let interface = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(port))?;
        match wire::ospf(datagram.payload, &interface.config.authentication) {
            Err(text) => Some(text),
            Ok(packet) => {
                let sender = (turn.router, port, RouterId(packet.router_id));
                let last =
                    self.sequences.get(&sender).filter(|_| interface.neighbors.contains_key(&sender.2));
                packet.sequence.zip(last).filter(|(n, last)| n < *last).map(|_| "replayed".to_owned())
            }
        }
    }

    /// Remembers the sequence number of a genuine packet whose sender was known and still is.
    fn remember(&mut self, world: &World, turn: &Turn<'_>, port: usize, datagram: Datagram<'_>) {
        let Some(engine) = &world.nodes[turn.router].ospf.engine else { return };
        let Some(interface) = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(port)) else {
            return;
        };
        let Ok(packet) = wire::ospf(datagram.payload, &interface.config.authentication) else { return };
        let sender = RouterId(packet.router_id);
        let is_known = interface.neighbors.get(&sender).is_some_and(|n| n.address == datagram.source);
        match packet.sequence {
            Some(sequence) if is_known => {
                self.sequences.insert((turn.router, port, sender), sequence);
            }
            _ => {
                self.sequences.remove(&(turn.router, port, sender));
            }
        }
    }
}

impl Checker for Discarded {
    fn law(&self) -> (&'static str, &'static str) {
        ("S8", "a packet that must be discarded changes nothing but counters")
    }

    fn before(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        self.expected = None;
        let Cause::Frame { port, frame, nature, .. } = &turn.cause else { return Ok(()) };
        let node = &world.nodes[turn.router];
        let deadline = node.deadline(turn.daemon);
        let is_due = deadline.is_some_and(|at| at <= turn.local);
        if matches!(nature, Nature::Genuine | Nature::Duplicate) || is_due {
            return Ok(());
        }
        if let Some(fault) = frame.datagram().and_then(|d| self.fault(world, turn, *port, d)) {
            self.discarded += 1;
            if self.discarded <= ALL_OF || self.discarded.is_multiple_of(SAMPLE) {
                self.expected = Some((state(node, turn.daemon), fault));
            }
        }
        Ok(())
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let Cause::Frame { port, frame, nature, .. } = &turn.cause else { return Ok(()) };
        let node = &world.nodes[turn.router];
        if let Some((before, fault)) = self.expected.take() {
            return match state(node, turn.daemon) == before {
                true => Ok(()),
                false => Err(format!("{}: {nature:?} packet ({fault}) changed something", node.name)),
            };
        }
        // On segments with MD5 alone there are digests to look at.
        if let Some(datagram) = frame.datagram().filter(|d| d.protocol == OSPF)
            && wire::u16_at(datagram.payload, 14) == 2
        {
            self.remember(world, turn, *port, datagram);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;
    use crate::frame::Frame;

    #[test]
    fn a_bent_packet_that_changes_something_breaks_it() {
        let mut world = ring(20);
        let mut other = ring(25);
        let local = world.nodes[0].clock.local(world.now);
        let datagram = Datagram {
            source: world.scenario.routers[1].ports[0].address.ip(),
            destination: Ipv4Addr::new(224, 0, 0, 5),
            ttl: 1,
            protocol: OSPF,
            payload: &[2, 1, 0, 44],
        };
        let frame = Frame::ip([2, 0, 0, 0, 0, 9], datagram);
        let cause = |nature| Cause::Frame { port: 0, frame: &frame, nature, at: local };
        let turn = |nature| Turn { router: 0, daemon: Daemon::Ospf, local, cause: cause(nature), outputs: 0 };
        let mut law = Discarded::default();
        for (nature, breaks) in [(Nature::Corrupted, true), (Nature::Junk, true), (Nature::Genuine, false)] {
            assert_eq!(law.before(&world, &turn(nature)), Ok(()));
            assert_eq!(law.after(&world, &turn(nature)), Ok(()));
            assert_eq!(law.before(&world, &turn(nature)), Ok(()));
            core::mem::swap(&mut world.nodes[0].ospf.engine, &mut other.nodes[0].ospf.engine);
            assert_eq!(law.after(&world, &turn(nature)).is_err(), breaks);
            core::mem::swap(&mut world.nodes[0].ospf.engine, &mut other.nodes[0].ospf.engine);
        }
    }
}
