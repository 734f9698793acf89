//! V4: the owner of a virtual address is Active as soon as it can be (RFC 9568 §6.4.1), whoever else was.
//!
//! Asked at any moment: an owner that was left alone for [`START`] is Active. It asks nobody, so that is as long as a
//! process takes to read the kernel's links and to have its device made.

use super::groups::{self, Calm};
use super::{Checker, Verdict, rest};
use crate::kernel;
use crate::scenario::SegmentIndex;
use crate::world::World;
use routing_common::time::Duration;
use std::collections::BTreeMap;

/// From its process and interface being there to being Active.
const START: Duration = Duration::from_millis(500);

/// See the module text.
#[derive(Debug, Default)]
pub(super) struct Owner(BTreeMap<SegmentIndex, Calm>);

impl Checker for Owner {
    fn law(&self) -> (&'static str, &'static str) {
        ("V4", "the owner of a virtual address is Active as soon as it can be")
    }

    fn sweep(&mut self, world: &World) -> Verdict {
        for segment in groups::segments(world) {
            let Some(since) = self.0.entry(segment).or_default().since(world, segment) else { continue };
            if world.now.since(since) <= START {
                continue;
            }
            for member in groups::members(world, segment) {
                let Some(engine) = member.engine.filter(|e| e.is_owner()) else { continue };
                let node = &world.nodes[member.router];
                let ifindex = kernel::ifindex(member.port);
                let wanted = &world.current.routers[member.router].ports[member.port].address;
                let addressed = node.kernel.addresses().any(|a| a.ifindex == ifindex && a.network == *wanted);
                if node.kernel.is_running(ifindex) && addressed && !member.is_active() {
                    let who = rest::name(world, member.router);
                    return Err(format!("segment {segment}: {who} is {:?} since {since}", engine.state));
                }
            }
        }
        Ok(())
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        self.sweep(world)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::paper::ring5_p;
    use routing_common::time::Instant;

    #[test]
    fn an_owner_that_hesitates_breaks_it() {
        let mut scenario = ring5_p();
        scenario.routers[1].ports[0].vrrp_priority = Some(255);
        if let Some(group) = &mut scenario.segments[0].vrrp {
            group.address = scenario.routers[1].ports[0].address;
        }
        let mut world = World::new(&scenario, Vec::new(), false).unwrap();
        let mut law = Owner::default();
        let waiting = |world: &World| {
            groups::members(world, 0).any(|m| {
                m.engine.is_some_and(|e| e.is_owner() && e.state != vrrp_proto::machine::State::Active)
            })
        };
        while !(waiting(&world) && world.nodes[1].kernel.is_running(kernel::ifindex(0))) {
            world.run_until(world.now + Duration::from_micros(20));
            assert!(world.now < Instant::from_secs(1), "it was never waiting");
        }
        assert_eq!(law.sweep(&world), Ok(()));
        let stuck = world.now + Duration::from_secs(1);
        let before = core::mem::replace(&mut world.now, stuck);
        assert!(law.sweep(&world).is_err());
        world.now = before;
        world.run_until(Instant::from_secs(5));
        assert_eq!(Owner::default().at_rest(&world), Ok(()));
        assert_eq!(law.sweep(&world), Ok(()));
    }
}
