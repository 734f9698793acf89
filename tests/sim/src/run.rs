//! A run: boot and chaos, calm, rest.
//!
//! Faults lie before [`Scenario::chaos_ends`]. Then the network has [`Scenario::settle`] to come to rest; the laws
//! of a network at rest are asked, and asked again after it was left alone for [`Scenario::rest`].

use crate::checker::{self, Checker, Violation};
use crate::figures::Figures;
use crate::scenario::Scenario;
use crate::world::{Counters, World};
use anyhow::Result;
use routing_common::time::Instant;

/// What became of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The first broken law.
    pub violation: Option<Violation>,
    /// The hash of all that happened.
    pub hash: u64,
    /// What was counted.
    pub counters: Counters,
    /// What happened to packets meanwhile.
    pub figures: Figures,
}

/// Runs a scenario under all laws.
///
/// # Errors
/// A configuration of the scenario is refused by the loader.
pub fn run(scenario: &Scenario) -> Result<Outcome> {
    let mut world = World::new(scenario, checker::all(), false)?;
    play(&mut world);
    Ok(outcome(&world))
}

/// Runs a scenario and keeps everything that happened, under these laws.
///
/// # Errors
/// A configuration of the scenario is refused by the loader.
pub fn traced(scenario: &Scenario, laws: Vec<Box<dyn Checker>>) -> Result<World> {
    let mut world = World::new(scenario, laws, true)?;
    play(&mut world);
    Ok(world)
}

/// What became of a world that was played.
pub fn outcome(world: &World) -> Outcome {
    Outcome {
        violation: world.violation.clone(),
        hash: world.transcript.hash(),
        counters: world.counters,
        figures: world.flows.figures(world.now),
    }
}

/// Lets a world go through all its phases, or until a law is broken.
pub fn play(world: &mut World) {
    let Scenario { chaos_ends, settle, rest, .. } = world.scenario;
    world.run_until(Instant::from_millis(chaos_ends + settle));
    world.ask_at_rest();
    if rest > 0 {
        world.run_until(Instant::from_millis(chaos_ends + settle + rest));
        world.ask_at_end();
    }
}
