//! B4: where nothing passes any more, OSPF leaves a neighbour whose session has failed at once (RFC 5882 §3.2), and does not
//! wait for its RouterDeadInterval.
//!
//! Judged is a segment that is cut for everybody, because on one that passes one way OSPF may have reasons to keep the
//! neighbour (its BFD seems to have died alone). The session must have been Up on the present connection of the two daemons:
//! a first Down on another one says nothing.

use super::{Checker, Verdict};
use crate::kernel;
use crate::node::Client;
use crate::world::World;
use bfd_proto::message::SessionState;
use ospf_proto::neighbor::NeighborState;
use routing_common::id::IfIndex;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// A session as ospfd knows it: router, connection, interface, peer.
type Place = (usize, u64, IfIndex, Ipv4Addr);

/// What was seen of it when all were looked at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Up,
    /// It has failed, and ospfd should know by now.
    Failed,
}

/// The law.
#[derive(Debug, Default)]
pub(super) struct Failures {
    seen: BTreeMap<Place, Seen>,
}

impl Checker for Failures {
    fn law(&self) -> (&'static str, &'static str) {
        ("B4", "a neighbour behind a dead segment is left when its BFD session fails")
    }

    fn sweep(&mut self, world: &World) -> Verdict {
        let before = core::mem::take(&mut self.seen);
        for (r, node) in world.nodes.iter().enumerate() {
            let connection = node.connection(Client::OspfBfd);
            if !connection.up || !node.ospf.is_active() || !node.bfd.is_active() {
                continue;
            }
            for session in node.sessions() {
                let Some((ifindex, port)) = session.interface.and_then(|i| Some((i, kernel::port(i)?)))
                else {
                    continue;
                };
                let place = (r, connection.number, ifindex, session.peer);
                let segment = world.scenario.routers[r].ports[port].segment;
                let is_dead = world.segments[segment].cuts.values().any(Option::is_none);
                let was = before.get(&place);
                let now = match session.state {
                    SessionState::Up => Seen::Up,
                    SessionState::Down if is_dead && was.is_some() => Seen::Failed,
                    _ => continue,
                };
                let engine = node.ospf.engine.as_ref();
                let interface = engine.and_then(|e| e.interfaces().find(|i| i.ifindex == ifindex));
                let neighbor = interface.and_then(|i| i.neighbor_at(session.peer));
                let is_full = neighbor.is_some_and(|n| n.state == NeighborState::Full);
                if (was, now, is_full) == (Some(&Seen::Failed), Seen::Failed, true) {
                    return Err(format!(
                        "{}: {} is Full though BFD has given it up",
                        node.name, session.peer
                    ));
                }
                self.seen.insert(place, now);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring_with_bfd;

    #[test]
    fn a_neighbour_that_stays_full_behind_a_dead_segment_breaks_it() {
        let mut world = ring_with_bfd(20);
        let mut law = Failures::default();
        assert_eq!(law.sweep(&world), Ok(()));
        let up: Vec<Place> = law.seen.keys().copied().collect();
        assert!(up.len() >= 10, "two for each link of the ring");
        let (router, _, ifindex, peer) = up[0];
        let port = kernel::port(ifindex).unwrap();
        let segment = world.scenario.routers[router].ports[port].segment;
        // bfdd gives it up and nobody tells ospfd.
        let session = world.nodes[router].bfd.engine.as_ref().unwrap().views();
        let session = session.filter(|s| s.peer == peer).map(|s| s.discriminator).next().unwrap();
        let mut payload = [0u8; 24];
        payload[..8].copy_from_slice(&[0x20, 0x40, 3, 24, 0, 0, 0, 7]);
        payload[8..12].copy_from_slice(&session.to_be_bytes());
        let received = world.nodes[router].clock.local(world.now);
        let own = world.scenario.routers[router].ports[port].address.ip();
        let packet = bfd_proto::Received {
            interface: ifindex,
            source: peer,
            destination: own,
            ttl: 255,
            multihop: false,
            payload: &payload,
            received,
        };
        let engine = world.nodes[router].bfd.engine.as_mut().unwrap();
        routing_common::machine::Machine::handle(engine, received, bfd_proto::Input::Packet(packet));
        assert_eq!(law.sweep(&world), Ok(()), "packets pass: OSPF may have its reasons");
        let mut law = Failures { seen: up.into_iter().map(|place| (place, Seen::Up)).collect() };
        world.segments[segment].cuts.insert(0, None);
        assert_eq!(law.sweep(&world), Ok(()), "it may be on its way");
        assert!(law.sweep(&world).is_err());
    }
}
