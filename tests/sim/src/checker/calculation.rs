//! Which turns calculated: laws about routing tables ask after those, of what the calculation saw.

use super::Turn;
use crate::scenario::Daemon;
use crate::world::World;
use ospf_proto::instance::{Instance, SpfRun};

/// Notices calculations.
#[derive(Debug, Default)]
pub(super) struct Calculations {
    /// How many calculations the log held before the turn, and the last of them.
    before: (usize, Option<SpfRun>),
}

impl Calculations {
    /// A turn begins.
    pub(super) fn before(&mut self, world: &World, turn: &Turn<'_>) {
        self.before = latest(world, turn);
    }

    /// The turn has ended: the engine, if it calculated and nothing changed since.
    pub(super) fn engine<'w>(&self, world: &'w World, turn: &Turn<'_>) -> Option<&'w Instance> {
        let engine = world.nodes[turn.router].ospf.engine.as_ref()?;
        let calculated = latest(world, turn) != self.before && !engine.is_calculation_pending();
        Some(engine).filter(|_| turn.daemon == Daemon::Ospf && calculated)
    }
}

fn latest(world: &World, turn: &Turn<'_>) -> (usize, Option<SpfRun>) {
    let engine = world.nodes[turn.router].ospf.engine.as_ref();
    let runs = engine.filter(|_| turn.daemon == Daemon::Ospf).map(Instance::spf_runs);
    runs.map_or((0, None), |mut runs| (runs.len(), runs.next_back().copied()))
}
