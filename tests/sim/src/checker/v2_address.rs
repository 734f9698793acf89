//! V2: a virtual address is nobody else's.
//!
//! * Two members of a group that was left alone are not both Active for longer than an advertisement takes to come
//!   (RFC 9568 §6.4.3).
//! * A member whose daemon runs and has nothing in service does not hold the address in its kernel, but for the
//!   instant between the decision and the kernel's hearing of it. (A Backup may keep what an earlier run or a sleep
//!   left there, and a stopping Active router what its successor has not taken over: then it is in service.)
//! * At rest exactly the Active router's kernel has the address, on a device that is up; the others' devices are
//!   down.

use super::groups::{self, Calm, Member};
use super::{Checker, Turn, Verdict, rest};
use crate::kernel;
use crate::scenario::{Daemon, RouterIndex, SegmentIndex};
use crate::world::World;
use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;
use vrrp_proto::router::Service;

/// How long an address may outlast its service.
const WITHDRAWAL: Duration = Duration::from_millis(20);

/// See the module text.
#[derive(Debug, Default)]
pub(super) struct Address {
    calm: BTreeMap<SegmentIndex, Calm>,
    /// Since when several are Active.
    several: BTreeMap<SegmentIndex, Instant>,
    /// Since when an address is held without service.
    held: BTreeMap<(RouterIndex, SegmentIndex), Instant>,
}

impl Checker for Address {
    fn law(&self) -> (&'static str, &'static str) {
        ("V2", "two routers are not both Active, and only the Active router has the address")
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        match turn.daemon {
            Daemon::Vrrp => self.sweep(world),
            _ => Ok(()),
        }
    }

    fn sweep(&mut self, world: &World) -> Verdict {
        for segment in groups::segments(world) {
            self.several(world, segment)?;
            for member in groups::members(world, segment) {
                self.held(world, segment, member)?;
            }
        }
        Ok(())
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        for election in groups::elections(world) {
            let segment = election.segment;
            let Some(address) = groups::address(world, segment) else { continue };
            for router in election.members {
                let Some(member) = groups::members(world, segment).find(|m| m.router == router) else {
                    continue;
                };
                let (active, holds) = (member.is_active(), member.holds(world, address));
                let answers = world.nodes[router].kernel.device_is_up(kernel::ifindex(member.port));
                if (active, active) != (holds, answers) {
                    let who = rest::name(world, router);
                    return Err(format!(
                        "segment {segment}: {who} is Active: {active}, holds {address}: {holds}, device up: {answers}"
                    ));
                }
            }
        }
        Ok(())
    }

    fn at_end(&mut self, world: &World) -> Verdict {
        self.at_rest(world)
    }
}

impl Address {
    fn several(&mut self, world: &World, segment: SegmentIndex) -> Verdict {
        let calm = self.calm.entry(segment).or_default().since(world, segment);
        if groups::members(world, segment).filter(Member::is_active).count() < 2 {
            self.several.remove(&segment);
            return Ok(());
        }
        let since = *self.several.entry(segment).or_insert(world.now);
        let Some(since) = calm.map(|calm| calm.max(since)) else { return Ok(()) };
        if world.now.since(since) > groups::both_active_bound(world, segment) {
            let active = groups::members(world, segment).filter(Member::is_active);
            let active: Vec<&str> = active.map(|m| rest::name(world, m.router)).collect();
            return Err(format!("segment {segment}: {active:?} have all been Active since {since}"));
        }
        Ok(())
    }

    fn held(&mut self, world: &World, segment: SegmentIndex, member: Member<'_>) -> Verdict {
        let key = (member.router, segment);
        let unserved = member.engine.is_some_and(|e| e.service == Service::Off);
        let address = groups::address(world, segment).filter(|a| unserved && member.holds(world, *a));
        let Some(address) = address else {
            self.held.remove(&key);
            return Ok(());
        };
        let since = *self.held.entry(key).or_insert(world.now);
        if world.now.since(since) > WITHDRAWAL {
            let who = rest::name(world, member.router);
            return Err(format!("{who} has {address} on segment {segment} since {since} without serving it"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;
    use crate::scenario::Fault;
    use crate::scenario::What;
    use crate::{generate::paper::ring5_p, kernel::plain_address};
    use routing_common::prefix;

    #[test]
    fn two_active_routers_break_it_once_they_could_hear_each_other() {
        let what = What::SilentCut { segment: 0, from: None };
        let faults = vec![Fault { at: 5_000, until: 15_000, what }];
        let mut world =
            World::new(&crate::scenario::Scenario { faults, ..ring5_p() }, Vec::new(), false).unwrap();
        world.run_until(Instant::from_secs(10));
        let mut law = Address::default();
        assert_eq!(groups::members(&world, 0).filter(Member::is_active).count(), 2);
        assert_eq!(law.sweep(&world), Ok(()));
        // The cut ends, and nobody is told.
        world.now = Instant::from_millis(15_050);
        assert_eq!(law.sweep(&world), Ok(()));
        world.now = Instant::from_millis(15_200);
        assert!(law.sweep(&world).unwrap_err().contains("have all been Active"));
        assert!(Address::default().at_rest(&ring(20)).is_ok());
    }

    #[test]
    fn a_backup_that_holds_the_address_breaks_it() {
        let mut world = ring(20);
        let backup = groups::members(&world, 0).find(|m| !m.is_active()).map(|m| m.router).unwrap();
        let address = prefix::host(groups::address(&world, 0).unwrap());
        let devices = (1_000..1_010).map(routing_common::id::IfIndex);
        let device = devices.into_iter().find(|d| world.nodes[backup].kernel.is_on(*d, kernel::ifindex(0)));
        world.nodes[backup].kernel.add_address(plain_address(device.unwrap(), address, 0), None);
        let mut law = Address::default();
        assert!(law.at_rest(&world).is_err());
        assert_eq!(law.sweep(&world), Ok(()));
        world.now += Duration::from_millis(30);
        assert!(law.sweep(&world).unwrap_err().contains("without serving"));
    }
}
