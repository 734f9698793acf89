//! V1: a virtual router has an Active router.
//!
//! At rest every group of members that hear one another has exactly one, and all others are Backup. Before that, as
//! soon as a group was left alone for a longest Active_Down_Interval, it is never without one (RFC 9568 §6.4.2).

use super::groups::{self, Calm};
use super::{Checker, Turn, Verdict, rest};
use crate::scenario::{Daemon, SegmentIndex};
use crate::world::World;
use std::collections::BTreeMap;
use vrrp_proto::machine::State;

/// See the module text.
#[derive(Debug, Default)]
pub(super) struct OneActive(BTreeMap<SegmentIndex, Calm>);

impl Checker for OneActive {
    fn law(&self) -> (&'static str, &'static str) {
        ("V1", "a virtual router has one Active router, and soon after it was left alone always")
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        match turn.daemon {
            Daemon::Vrrp => self.sweep(world),
            _ => Ok(()),
        }
    }

    fn sweep(&mut self, world: &World) -> Verdict {
        for segment in groups::segments(world) {
            let Some(since) = self.0.entry(segment).or_default().since(world, segment) else { continue };
            let bound = groups::nobody_active_bound(world, segment);
            if world.now.since(since) <= bound || groups::members(world, segment).any(|m| m.is_active()) {
                continue;
            }
            let able = groups::elections(world);
            if able.iter().any(|e| e.segment == segment) {
                return Err(format!("segment {segment} was left alone at {since} and nobody is Active"));
            }
        }
        Ok(())
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        for election in groups::elections(world) {
            let mut active = Vec::new();
            for router in &election.members {
                let who = rest::name(world, *router);
                let member = groups::member(world, &election, *router);
                match member.and_then(|m| m.engine).map(|e| e.state) {
                    Some(State::Active) => active.push(who),
                    Some(State::Backup) => {}
                    other => return Err(format!("{who} on segment {}: {other:?}", election.segment)),
                }
            }
            if active.len() != 1 {
                return Err(format!("segment {}: Active are {active:?}", election.segment));
            }
        }
        Ok(())
    }

    fn at_end(&mut self, world: &World) -> Verdict {
        self.at_rest(world)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;
    use routing_common::time::Duration;

    #[test]
    fn nobody_or_everybody_active_breaks_it() {
        let mut world = ring(20);
        assert_eq!(OneActive::default().at_rest(&world), Ok(()));
        let member = groups::members(&world, 0).find(|m| m.is_active()).map(|m| m.router);
        world.nodes[member.unwrap()].vrrp.engine = None;
        assert!(OneActive::default().at_rest(&world).is_err());
    }

    #[test]
    fn a_group_that_was_left_alone_and_has_nobody_breaks_it() {
        let mut world = ring(20);
        let mut law = OneActive::default();
        let member = groups::members(&world, 0).find(|m| m.is_active()).map(|m| m.router);
        world.nodes[member.unwrap()].vrrp.engine = None;
        assert_eq!(law.sweep(&world), Ok(()));
        world.now += Duration::from_secs(2);
        assert!(law.sweep(&world).is_err());
    }
}
