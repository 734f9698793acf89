//! V3: who is Active at rest is one who may be (RFC 9568 §6.1, §6.4): with Preempt_Mode one of the highest priority,
//! without it anyone but instead of an owner.
//!
//! Among equals, and without Preempt_Mode, history decides: a Backup gives way to an equal whatever its address
//! (§6.4.2), addresses only decide between two that are Active (§6.4.3). V2 sees to those.

use super::{Checker, Verdict, groups, rest};
use crate::world::World;

/// See the module text.
#[derive(Debug)]
pub(super) struct Winner;

impl Checker for Winner {
    fn law(&self) -> (&'static str, &'static str) {
        ("V3", "at rest the Active router is one of the best, if they may preempt")
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        for election in groups::elections(world) {
            let mut losers = election.members.difference(&election.candidates);
            let active =
                losers.find(|r| groups::member(world, &election, **r).is_some_and(|m| m.is_active()));
            if let Some(router) = active {
                let best: Vec<&str> = election.candidates.iter().map(|r| rest::name(world, *r)).collect();
                let who = rest::name(world, *router);
                return Err(format!("segment {}: {who} is Active instead of {best:?}", election.segment));
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

    #[test]
    fn a_better_backup_breaks_it_if_it_may_preempt() {
        let mut world = ring(20);
        assert_eq!(Winner.at_rest(&world), Ok(()));
        world.current.routers[1].ports[0].vrrp_priority = Some(250);
        assert!(Winner.at_rest(&world).is_err());
        if let Some(group) = &mut world.current.segments[0].vrrp {
            group.preempt = false;
        }
        assert_eq!(Winner.at_rest(&world), Ok(()));
    }
}
