//! From a scenario that fails to a smaller one that fails in the same way.
//!
//! Passes leave things out or make them plainer, first many at a time, then one by one (delta debugging); what
//! still fails is kept, and everything is tried again until nothing more can go. Whether a candidate fails is the
//! caller's question. No pass makes a timer longer or a delay larger, and none touches the time to settle, so a
//! network that must come to rest in the scenario must do so in the smaller one.
//!
//! A candidate's seed is its scenario's, and another timing may hide the bug; so where something is left out, a few
//! other seeds are tried as well. The result depends on the scenario and the question alone, unless time runs out.

mod plainer;
mod remove;

use crate::scenario::Scenario;
use core::ops::Range;
use std::time::{Duration, Instant};

/// Other seeds tried where something is left out.
const SEEDS: u64 = 2;

/// How much may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Runs.
    pub runs: usize,
    /// And no longer than this.
    pub time: Duration,
}

impl Default for Effort {
    fn default() -> Self {
        Self { runs: 2_000, time: Duration::from_secs(60) }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrunk {
    /// The smallest that fails.
    pub scenario: Scenario,
    /// Candidates that were run.
    pub runs: usize,
}

/// A way to make a scenario smaller in many places.
pub(crate) struct Pass {
    /// In how many places it can be applied.
    places: fn(&Scenario) -> usize,
    /// Applies it in some of them.
    apply: fn(&mut Scenario, Range<usize>),
    /// Is something gone, so that another seed is worth trying?
    is_removal: bool,
}

/// Looks for a smaller scenario of which `fails` is true, as it is of the one given.
pub fn shrink(scenario: &Scenario, effort: Effort, fails: impl FnMut(&Scenario) -> bool) -> Shrunk {
    let mut search = Search { best: scenario.clone(), runs: 0, effort, began: Instant::now(), fails };
    let passes = || remove::PASSES.iter().chain(plainer::PASSES);
    // One pass opens the way for another.
    loop {
        let before = search.best.clone();
        passes().for_each(|pass| search.pass(pass));
        if search.best == before {
            break;
        }
    }
    Shrunk { scenario: search.best, runs: search.runs }
}

struct Search<F> {
    best: Scenario,
    runs: usize,
    effort: Effort,
    began: Instant,
    fails: F,
}

impl<F: FnMut(&Scenario) -> bool> Search<F> {
    /// Applies a pass wherever the failure survives it.
    fn pass(&mut self, pass: &Pass) {
        let mut size = (pass.places)(&self.best);
        while size > 0 {
            // From the end, so that places still to be tried keep their numbers.
            let mut end = (pass.places)(&self.best);
            while end > 0 {
                let begin = end.saturating_sub(size);
                self.attempt(pass, begin..end);
                end = begin.min((pass.places)(&self.best));
            }
            size /= 2;
        }
    }

    fn attempt(&mut self, pass: &Pass, places: Range<usize>) {
        let mut candidate = self.best.clone();
        (pass.apply)(&mut candidate, places);
        if candidate == self.best {
            return;
        }
        let seeds = if pass.is_removal { SEEDS } else { 0 };
        for seed in core::iter::once(candidate.seed).chain(1..=seeds) {
            if self.runs >= self.effort.runs || self.began.elapsed() > self.effort.time {
                return;
            }
            self.runs += 1;
            candidate.seed = seed;
            if (self.fails)(&candidate) {
                self.best = candidate;
                return;
            }
        }
    }
}
