//! E4: a router that was restarted, or lost power, goes on with cryptographic sequence numbers its neighbours
//! accept (RFC 2328 App. D.3).
//!
//! Said as what its neighbours see: on a segment with MD5, no genuine packet is refused because its sequence number
//! went backwards. Where packets overtake each other, arrive twice or are replayed, and where somebody turns
//! a wall clock, refusing is right, so scenarios with these are left out.

use super::{Cause, Checker, Turn, Verdict};
use crate::kernel;
use crate::scenario::{Authentication, Daemon, Scenario, What};
use crate::segment::Nature;
use crate::world::World;
use ospf_proto::discard::Discard;
use ospf_proto::interface::Interface;

/// The law.
#[derive(Debug, Default)]
pub(crate) struct AuthenticationSequence {
    before: u64,
}

fn applies(scenario: &Scenario) -> bool {
    let disorder = |what: &What| match what {
        What::WallClock { .. } | What::Replay { .. } | What::Forge { .. } => true,
        What::Impair { impairment, .. } => impairment.reorder > 0 || impairment.duplicate > 0,
        _ => false,
    };
    !scenario.faults.iter().any(|f| disorder(&f.what))
}

/// How many packets were refused for their sequence number, if this turn is one the law speaks of.
fn refused(world: &World, turn: &Turn<'_>) -> Option<u64> {
    let (Daemon::Ospf, Cause::Frame { port, nature: Nature::Genuine, .. }) = (turn.daemon, &turn.cause)
    else {
        return None;
    };
    let segment = world.scenario.routers[turn.router].ports[*port].segment;
    if world.scenario.segments[segment].authentication != Authentication::Md5 || !applies(&world.scenario) {
        return None;
    }
    let engine = world.nodes[turn.router].ospf.engine.as_ref()?;
    let interface = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(*port))?;
    Some(refused_on(interface))
}

/// How many packets an interface refused for their sequence number.
pub(super) fn refused_on(interface: &Interface) -> u64 {
    interface.statistics.discards.get(&Discard::AuthenticationSequence).map_or(0, |d| d.count)
}

impl Checker for AuthenticationSequence {
    fn law(&self) -> (&'static str, &'static str) {
        ("E4", "a restarted router goes on with sequence numbers its neighbours accept")
    }

    fn before(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        self.before = refused(world, turn).unwrap_or_default();
        Ok(())
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        match refused(world, turn) {
            Some(after) if after > self.before => Err(format!(
                "{} refuses a genuine packet for its sequence number",
                world.nodes[turn.router].name
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::paper::ring5_c;
    use crate::run;
    use crate::scenario::Fault;

    fn scenario(faults: Vec<Fault>) -> Scenario {
        let mut scenario = ring5_c();
        scenario.segments.iter_mut().for_each(|s| s.authentication = Authentication::Md5);
        Scenario { faults, chaos_ends: 40_000, rest: 0, ..scenario }
    }

    fn violation(scenario: &Scenario) -> Option<String> {
        let laws: Vec<Box<dyn Checker>> = vec![Box::new(AuthenticationSequence::default())];
        run::traced(scenario, laws).unwrap().violation.map(|v| v.text)
    }

    #[test]
    fn a_killed_and_a_rebooted_router_are_believed() {
        let faults = vec![
            Fault { at: 5_000, until: 5_050, what: What::Kill { router: 2, daemon: Daemon::Ospf } },
            Fault { at: 20_000, until: 20_500, what: What::PowerLoss { router: 4 } },
        ];
        assert_eq!(violation(&scenario(faults)), None);
    }

    #[test]
    fn a_clock_that_goes_back_with_a_restart_breaks_the_law() {
        let mut world = crate::world::World::new(
            &scenario(vec![Fault {
                at: 5_000,
                until: 5_050,
                what: What::Kill { router: 2, daemon: Daemon::Ospf },
            }]),
            vec![Box::new(AuthenticationSequence::default())],
            false,
        )
        .unwrap();
        world.run_until(routing_common::time::Instant::from_millis(4_000));
        world.nodes[2].clock.step_wall(-3600);
        run::play(&mut world);
        assert!(world.violation.is_some_and(|v| v.text.contains("refuses")));
    }
}
