//! S7: one input causes a bounded amount of work, and time goes on.
//!
//! * The outputs of a turn are bounded by the number of neighbours, interfaces, LSAs and routes there are.
//! * Having served its timers a daemon has none left that is due: otherwise it would be woken for ever without
//!   time passing. Nor is it woken more often than its timers can account for.
//! * There are no more neighbours on an interface than ports on its segment, and no list is longer than what
//!   all databases hold.

use super::{Cause, Checker, Turn, Verdict};
use crate::kernel;
use crate::scenario::{Daemon, Router};
use crate::world::World;
use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;

/// Time in which wake-ups are counted, and how many there may be.
const WINDOW: Duration = Duration::from_millis(10);
const WAKE_UPS: u32 = 400;

/// As many outputs are fine in any turn.
const FEW: usize = 64;

/// The law.
#[derive(Debug, Default)]
pub(super) struct BoundedWork {
    wake_ups: BTreeMap<(usize, Daemon), (Instant, u32)>,
}

/// How many outputs a turn may have.
fn bound(world: &World, turn: &Turn<'_>) -> usize {
    let node = &world.nodes[turn.router];
    let ports = world.scenario.routers[turn.router].ports.len() + 1;
    match turn.daemon {
        Daemon::Ospf => node.ospf.engine.as_ref().map_or(1_000, |engine| {
            let neighbors: usize = engine.interfaces().map(|i| i.neighbors.len()).sum();
            let lsas: usize = engine.areas().map(|(_, area)| area.lsdb.len()).sum::<usize>()
                + engine.lsdb(ospf_proto::lsdb::DatabaseId::As).map_or(0, |db| db.len());
            64 + 16 * (ports + neighbors) + (ports + neighbors) * lsas
        }),
        Daemon::Vrrp => 64 + 64 * ports,
        Daemon::Bfd => 64 + 8 * world.nodes.len(),
        Daemon::Rib => {
            let of = |r: &Router| 1 + r.ports.len() + r.static_routes.len();
            let prefixes: usize = world.scenario.routers.iter().map(of).sum();
            64 + 16 * (ports + prefixes)
        }
    }
}

impl BoundedWork {
    fn timers(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let node = &world.nodes[turn.router];
        let deadline = node.deadline(turn.daemon);
        if deadline.is_some_and(|at| at <= turn.local) {
            return Err("timers were served and one is still due".to_owned());
        }
        let (since, count) = self.wake_ups.entry((turn.router, turn.daemon)).or_insert((world.now, 0));
        if world.now.since(*since) > WINDOW {
            (*since, *count) = (world.now, 0);
        }
        *count += 1;
        match *count > WAKE_UPS {
            true => Err(format!("{WAKE_UPS} wake-ups in {WINDOW:?}")),
            false => Ok(()),
        }
    }
}

/// As many neighbours and list entries as there can be.
fn sizes(world: &World, router: usize) -> Verdict {
    let Some(engine) = &world.nodes[router].ospf.engine else { return Ok(()) };
    // Everybody's LSAs: one for itself, one for each port, and one for each external route.
    let externals: usize =
        world.scenario.routers.iter().map(|r| r.static_routes.len() + r.ports.len() + 2).sum();
    let ports: usize = world.scenario.routers.iter().map(|r| r.ports.len() + 1).sum();
    let most = 2 * (externals + ports);
    for interface in engine.interfaces() {
        let port = kernel::port(interface.ifindex);
        let ends =
            port.map_or(1, |p| world.segments[world.scenario.routers[router].ports[p].segment].ends.len());
        if interface.neighbors.len() >= ends {
            return Err(format!("{} neighbors on {}", interface.neighbors.len(), interface.name));
        }
        for neighbor in interface.neighbors.values() {
            let lists = [
                neighbor.link_state_request_list.len(),
                neighbor.link_state_retransmission_list.len(),
                neighbor.database_summary_list.len(),
            ];
            if lists.iter().any(|length| *length > most) {
                return Err(format!("lists of {} have {lists:?} entries", neighbor.id.router_id));
            }
        }
    }
    Ok(())
}

impl Checker for BoundedWork {
    fn law(&self) -> (&'static str, &'static str) {
        ("S7", "an input causes bounded work, and timers do not fire for ever")
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let verdict = if turn.outputs > FEW && turn.outputs > bound(world, turn) {
            Err(format!("{} outputs in one turn, {} at most", turn.outputs, bound(world, turn)))
        } else if matches!(turn.cause, Cause::Timers) {
            self.timers(world, turn)
        } else {
            Ok(())
        };
        verdict.map_err(|text| format!("{} {:?}: {text}", world.nodes[turn.router].name, turn.daemon))
    }

    fn sweep(&mut self, world: &World) -> Verdict {
        (0..world.nodes.len()).try_for_each(|router| {
            sizes(world, router).map_err(|text| format!("{}: {text}", world.nodes[router].name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;

    fn turn(local: Instant, outputs: usize) -> Turn<'static> {
        Turn { router: 0, daemon: Daemon::Ospf, local, cause: Cause::Timers, outputs }
    }

    #[test]
    fn too_much_output_and_timers_that_stay_due_break_it() {
        let world = ring(20);
        let now = world.nodes[0].clock.local(world.now);
        let mut law = BoundedWork::default();
        assert_eq!(law.after(&world, &turn(now, 100)), Ok(()));
        assert!(law.after(&world, &turn(now, 1_000_000)).is_err());
        assert!(law.after(&world, &turn(now + Duration::from_secs(100), 1)).is_err(), "a Hello is due");
        for _ in 0..WAKE_UPS {
            let _ = law.after(&world, &turn(now, 1));
        }
        assert!(law.after(&world, &turn(now, 1)).is_err(), "no time passes");
    }

    #[test]
    fn a_neighbor_too_many_breaks_it() {
        let mut world = ring(20);
        assert_eq!(sizes(&world, 0), Ok(()));
        world.segments[0].ends.truncate(1);
        assert!(sizes(&world, 0).is_err());
    }
}
