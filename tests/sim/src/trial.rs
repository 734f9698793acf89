//! One run with whatever may come of it: a broken law, a panic, a configuration that is refused.
//!
//! The engines are built with their assertions armed, so a panic in one is a find like any other. It is caught here
//! with its place; the world stays as it was at that moment, and can be looked at.

use crate::checker;
use crate::run::{self, Outcome};
use crate::scenario::Scenario;
use crate::trace::Happening;
use crate::world::World;
use core::cell::RefCell;
use core::fmt;
use routing_common::time::Instant;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

/// What a panic is called where laws have names.
pub const PANIC: &str = "panic";
/// What a configuration the loader refuses is called.
pub const REFUSED: &str = "refused";
/// Two runs of one scenario are the same.
pub const SAME: &str = "E1";

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The law's name, or [`PANIC`], [`REFUSED`] or [`SAME`].
    pub law: String,
    /// Where in the source, of a panic; otherwise empty.
    pub place: String,
    /// When.
    pub at: Instant,
    /// What is wrong.
    pub text: String,
}

impl Failure {
    /// Is it the same bug, as far as one can tell: the same law, or a panic at the same place?
    pub fn is_like(&self, other: &Self) -> bool {
        self.law == other.law && self.place == other.place
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.law, self.at, self.text)?;
        if !self.place.is_empty() {
            write!(f, " ({})", self.place)?;
        }
        Ok(())
    }
}

/// How often a scenario is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Once.
    #[default]
    Once,
    /// Twice, and both runs must be the same.
    Twice,
}

/// What became of a run.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What was counted; `None` if there was no run.
    pub outcome: Option<Outcome>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// Everything that happened, with times.
pub type Entries = Vec<(Instant, Happening)>;

/// Runs a scenario under all laws.
pub fn trial(scenario: &Scenario, mode: Mode) -> Trial {
    let (world, failure) = play(scenario, false);
    let first = Trial { outcome: world.as_ref().map(run::outcome), failure };
    if mode == Mode::Once || first.failure.is_some() {
        return first;
    }
    let (again, failure) = play(scenario, false);
    let hash = |world: &Option<World>| world.as_ref().map(|w| w.transcript.hash());
    if failure.is_none() && hash(&world) == hash(&again) {
        return first;
    }
    Trial { failure: Some(failure.unwrap_or_else(|| difference(scenario))), ..first }
}

/// Runs a scenario under all laws and keeps everything that happened.
pub fn traced(scenario: &Scenario) -> (Trial, Entries) {
    let (world, failure) = play(scenario, true);
    let outcome = world.as_ref().map(run::outcome);
    let entries = world.and_then(|w| w.transcript.entries).unwrap_or_default();
    (Trial { outcome, failure }, entries)
}

/// Where two runs part, which were not the same.
fn difference(scenario: &Scenario) -> Failure {
    let [one, two] = [traced(scenario).1, traced(scenario).1];
    let said = |entries: &Entries, n: usize| {
        entries.get(n).map_or("nothing more".to_owned(), |(at, happening)| format!("{at} {happening:?}"))
    };
    let first = (0..=one.len().max(two.len())).find(|n| said(&one, *n) != said(&two, *n));
    let (at, text) = match first {
        Some(n) => {
            let at = one.get(n).map_or(Instant::ZERO, |(at, _)| *at);
            (at, format!("two runs differ in entry {n}: {} / {}", said(&one, n), said(&two, n)))
        }
        None => (Instant::ZERO, "two runs differ, but not while they are watched".to_owned()),
    };
    Failure { law: SAME.to_owned(), place: String::new(), at, text }
}

fn play(scenario: &Scenario, keep_trace: bool) -> (Option<World>, Option<Failure>) {
    let made = guarded(|| World::new(scenario, checker::all(), keep_trace));
    let mut world = match made {
        Ok(Ok(world)) => world,
        Ok(Err(error)) => {
            let (law, text) = (REFUSED.to_owned(), format!("{error:#}"));
            return (None, Some(Failure { law, place: String::new(), at: Instant::ZERO, text }));
        }
        Err(caught) => return (None, Some(caught.failure(Instant::ZERO))),
    };
    let failure = match guarded(|| run::play(&mut world)) {
        Ok(()) => world.violation.as_ref().map(|v| Failure {
            law: v.law.to_owned(),
            place: String::new(),
            at: v.at,
            text: v.text.clone(),
        }),
        Err(caught) => Some(caught.failure(world.now)),
    };
    (Some(world), failure)
}

/// A panic that was caught.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Caught {
    place: String,
    text: String,
}

impl Caught {
    fn of(info: &PanicHookInfo<'_>) -> Self {
        let place = info.location().map_or(String::new(), |l| format!("{}:{}", l.file(), l.line()));
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("no message").to_owned();
        Self { place, text }
    }

    fn failure(self, at: Instant) -> Failure {
        Failure { law: PANIC.to_owned(), place: self.place, at, text: self.text }
    }
}

thread_local! {
    /// `None` outside [`guarded`]; inside, the panic if there was one.
    static GUARD: RefCell<Option<Caught>> = const { RefCell::new(None) };
}

/// Calls something; a panic is kept instead of shown.
fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, Caught> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_guarded = GUARD
                .with_borrow_mut(|guard| guard.as_mut().map(|caught| *caught = Caught::of(info)).is_some());
            if !is_guarded {
                usual(info);
            }
        }));
    });
    let before = GUARD.replace(Some(Caught::default()));
    // Nothing is used after a panic but to look at it.
    let outcome = panic::catch_unwind(AssertUnwindSafe(call));
    let caught = GUARD.replace(before).unwrap_or_default();
    outcome.map_err(|_| caught)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_kept_with_its_place() {
        let caught = guarded(|| -> u32 { panic!("seven of {}", 9) }).unwrap_err();
        assert_eq!(caught.text, "seven of 9");
        assert!(caught.place.contains("trial.rs:"), "{}", caught.place);
        assert_eq!(guarded(|| 5), Ok(5));
        let failure = caught.clone().failure(Instant::from_secs(2));
        assert!(failure.is_like(&caught.failure(Instant::from_secs(3))));
        assert!(failure.to_string().starts_with("panic at 2.000000s: seven of 9 ("));
    }
}
