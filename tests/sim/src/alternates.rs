//! Do loop-free alternates help? The same networks break in the same places, with them and without.
//!
//! A seed makes a network at rest. Then cables are pulled and routers lose their power, one at a time and each long after the network
//! has settled again, so that every loss belongs to one event and alternates were found before it. A calculation takes no virtual
//! time: what is seen is the wait before it, the flooding, and the order in which routers change their tables.

use crate::figures::{Figures, Histogram, milliseconds, share};
use crate::generate::{self, Options, Profile, dice::Dice};
use crate::scenario::{Fault, Scenario, What};
use crate::trial::{self, Failure, Mode};
use core::fmt::Write;
use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicU64, Ordering};
use routing_common::time::Duration;
use std::sync::Mutex;

/// INITIAL_SPF_DELAY (ms): the default, and as long as a ring's SHORT_SPF_DELAY allows (RFC 8405 §5).
const DELAYS: [u64; 2] = [0, 5];
/// Things that break in each network.
const BREAKS: u64 = 6;
/// The rows that are shown: nothing is lost by what returns that an alternate could save.
const EVENTS: [&str; 2] = ["cable pulled", "power lost"];

/// What to compare.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Networks.
    pub seeds: RangeInclusive<u64>,
    /// How many routers they have.
    pub routers: RangeInclusive<usize>,
    /// How many runs at a time.
    pub jobs: usize,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Comparison {
    /// By delay, without alternates and with them.
    figures: [[Figures; 2]; DELAYS.len()],
    /// Runs in which a law was broken: seed and delay, alternates.
    pub failures: Vec<(u64, u64, bool, Failure)>,
}

/// Runs every network both ways with every delay.
pub fn run(plan: &Plan) -> Comparison {
    let next = AtomicU64::new(*plan.seeds.start());
    let comparison = Mutex::new(Comparison::default());
    std::thread::scope(|scope| {
        for _ in 0..plan.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if !plan.seeds.contains(&seed) {
                        return;
                    }
                    for (place, delay) in DELAYS.into_iter().enumerate() {
                        for alternates in [false, true] {
                            let scenario = scenario(seed, &plan.routers, delay, alternates);
                            let trial = trial::trial(&scenario, Mode::Once);
                            // Nobody panics while holding it.
                            let Ok(mut comparison) = comparison.lock() else { return };
                            if let Some(outcome) = &trial.outcome {
                                comparison.figures[place][usize::from(alternates)].merge(&outcome.figures);
                            }
                            let failure = trial.failure.map(|failure| (seed, delay, alternates, failure));
                            comparison.failures.extend(failure);
                        }
                    }
                }
            });
        }
    });
    comparison.into_inner().unwrap_or_default()
}

/// A network of this seed, and what breaks in it.
pub fn scenario(seed: u64, routers: &RangeInclusive<usize>, delay: u64, alternates: bool) -> Scenario {
    let options = Options { routers: routers.clone(), profile: Some(Profile::Calm) };
    let mut scenario = generate::scenario(seed, &options);
    scenario.settings.fast_reroute = alternates;
    scenario.settings.initial_delay = Some(delay);
    let dice = &mut Dice::new(seed ^ 0x006c_6661);
    let settle = scenario.settle;
    let start = scenario.routers.iter().map(|router| router.starts).max().unwrap_or(0) + settle;
    let ends: Vec<(usize, usize)> = scenario
        .routers
        .iter()
        .enumerate()
        .flat_map(|(router, of)| of.ports.iter().map(move |port| (port.segment, router)))
        .collect();
    scenario.faults = (0..BREAKS)
        .map(|number| {
            let at = start + number * 2 * settle;
            let router = dice.place(scenario.routers.len());
            let what = match dice.pick(&ends).filter(|_| dice.chance(60)) {
                Some((segment, router)) => What::Unplug { segment, router },
                None => What::PowerLoss { router },
            };
            Fault { at, until: at + settle, what }
        })
        .collect();
    scenario.chaos_ends = start + (2 * BREAKS - 1) * settle;
    scenario
}

impl Comparison {
    /// As a table in Markdown, milliseconds of the worst flow of each event.
    pub fn render(&self) -> String {
        let mut text = "| initial delay, ms | event | alternates | events | lost | mean | 99 % | worst | looped | worst loop |\n"
            .to_owned();
        text += "|---|---|---|---|---|---|---|---|---|---|\n";
        for (delay, ways) in DELAYS.iter().zip(&self.figures) {
            for event in EVENTS {
                for (name, figures) in ["no", "yes"].into_iter().zip(ways) {
                    let Some(row) = figures.rows.get(event) else { continue };
                    let (lost, looped) = (&row.lost, &row.looped);
                    let worst = |of: &Histogram| milliseconds(Duration::from_micros(of.max));
                    // Writing to a String cannot fail.
                    let _ = writeln!(
                        text,
                        "| {delay} | {event} | {name} | {} | {} | {} | {} | {} | {} | {} |",
                        lost.count,
                        share(lost),
                        milliseconds(lost.mean()),
                        milliseconds(lost.percentile(990)),
                        worst(lost),
                        share(looped),
                        worst(looped),
                    );
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_break_the_same_network_in_the_same_places() {
        let [without, with] = [false, true].map(|alternates| scenario(3, &(3..=6), 5, alternates));
        assert_eq!((without.settings.fast_reroute, with.settings.fast_reroute), (false, true));
        let mut same = with.clone();
        same.settings.fast_reroute = false;
        assert_eq!(without, same);
        assert_eq!(without.faults.len() as u64, BREAKS);
        let apart = |pair: &[Fault]| pair[1].at >= pair[0].until + without.settle;
        assert!(without.faults.windows(2).all(apart));
    }

    #[test]
    fn a_comparison_breaks_no_law_and_has_a_row_each_way() {
        let comparison = run(&Plan { seeds: 1..=3, routers: 3..=5, jobs: 2 });
        assert!(comparison.failures.is_empty(), "{:?}", comparison.failures);
        let text = comparison.render();
        assert_eq!(text.lines().count(), 2 + DELAYS.len() * EVENTS.len() * 2, "{text}");
        assert!(text.contains("| 5 | power lost | yes |"), "{text}");
    }
}
