//! B1: at rest whoever is adjacent and asks for BFD has it: the sessions of both ends are Up (RFC 5882 §4.1, §10.1), as fast
//! as configured (RFC 5880 §6.8.3: the Poll Sequences have ended).

use super::rest::{self, Oracle};
use super::{Checker, Verdict};
use crate::kernel;
use crate::scenario::RouterIndex;
use crate::world::World;
use bfd_proto::message::SessionState;
use ospf_proto::neighbor::NeighborState;
use routing_common::id::IfIndex;
use std::net::Ipv4Addr;

/// Detect Mult of the default profile.
const MULTIPLIER: u32 = 3;

/// See the module text.
#[derive(Debug)]
pub(super) struct Sessions(pub(super) Oracle);

impl Checker for Sessions {
    fn law(&self) -> (&'static str, &'static str) {
        ("B1", "at rest adjacent routers that ask for BFD have a session that is Up")
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        if world.scenario.settings.bfd_interval.is_none() || self.0.ask(world).is_none() {
            return Ok(());
        }
        for (r, engine) in rest::engines(world)? {
            for interface in engine.interfaces() {
                for neighbor in interface.neighbors.values().filter(|n| n.state == NeighborState::Full) {
                    adjacent(world, r, interface.ifindex, neighbor.address)
                        .map_err(|text| format!("{}: {text}", rest::name(world, r)))?;
                }
            }
        }
        Ok(())
    }

    fn at_end(&mut self, world: &World) -> Verdict {
        self.at_rest(world)
    }
}

/// Does this end of an adjacency ask for a session, and is it Up if the other end's BFD runs?
fn adjacent(world: &World, r: RouterIndex, ifindex: IfIndex, peer: Ipv4Addr) -> Verdict {
    let node = &world.nodes[r];
    if !node.bfd.is_active() {
        return Ok(());
    }
    let other = world.nodes.iter().find(|n| n.kernel.has(peer));
    if !other.is_some_and(|other| other.bfd.is_active()) {
        return Ok(());
    }
    let found = node.sessions().find(|s| s.interface == Some(ifindex) && s.peer == peer);
    let port = kernel::port(ifindex).unwrap_or_default();
    let interval = rest::bfd_interval(world);
    match found.map(|s| (s.state, s.detection_time)) {
        Some((SessionState::Up, time)) if time <= interval * MULTIPLIER => Ok(()),
        Some((state, time)) => {
            Err(format!("the session with {peer} on eth{port} is {state}, with a Detection Time of {time:?}"))
        }
        None => Err(format!("no session with {peer} on eth{port}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring_with_bfd;
    use bfd_proto::Instance;

    #[test]
    fn a_session_that_is_not_up_or_not_there_breaks_it() {
        let mut world = ring_with_bfd(20);
        assert_eq!(Sessions(Oracle::default()).at_rest(&world), Ok(()));
        world.scenario.settings.bfd_interval = Some(99);
        assert!(Sessions(Oracle::default()).at_rest(&world).is_err(), "slower than configured");
        world.scenario.settings.bfd_interval = Some(100);
        world.nodes[0].bfd.engine = Some(Instance::new(7));
        assert!(Sessions(Oracle::default()).at_rest(&world).is_err());
    }
}
