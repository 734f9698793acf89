//! The suites side by side: one ring, the same timers, the same failures, one after the other in turn.
//!
//! A B A B and never A A B B, so that a busy hour of the machine hits all alike. [`steps`] is what is played, [`targets`] what was asked of
//! this suite, [`render`] writes it down: medians with what is seldom and worst. A table of this suite that is wrong is written down
//! and fails the run; what another suite does not settle in time is written down and counted.

mod render;
mod steps;
mod targets;

use crate::document::{machine, version};
use crate::lab::{Lab, Options};
use crate::measure::{Usage, at_rest, cold_start};
use crate::report::{Paint, Row, heading};
use crate::scenario::{Event, endure, rehearse};
use crate::stack::{Profile, Stack};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use steps::{Played, Step};
use tempfile::TempDir;

/// The ring everything is measured on.
const TOPOLOGY: &str = "ring5-c";
/// A router that is not on the LAN, and one that is.
const WATCHED: [(&str, &str); 2] = [("vr4", "leaf"), ("vr1", "on the LAN")];
/// What hardly varies is looked at in the first turns only: routers at rest, and starts with the RFCs' timers.
const LONG_LOOKS: usize = 5;
/// What a router runs of ours, the shell included.
const PROGRAMS: [&str; 6] = ["mgmtd", "ribd", "ospfd", "bfdd", "vrrpd", "torc"];

/// What to compare.
#[derive(Debug)]
pub struct Plan {
    /// The suites, in the order of their turns.
    pub suites: Vec<Stack>,
    /// Turns of each.
    pub repetitions: usize,
    /// How long routers are watched at rest.
    pub rest: Duration,
    /// Where this project's binaries are.
    pub daemons: PathBuf,
}

/// One turn of one suite.
#[derive(Debug)]
struct Sample {
    stack: Stack,
    cold: Option<Duration>,
    /// Cold start with the RFCs' timers.
    traditional: Option<Duration>,
    /// Watched routers, and how long they were watched.
    usages: Option<(Vec<Usage>, Duration)>,
    played: Vec<Played>,
}

impl Sample {
    fn played(&self, step: &Step) -> Option<&Played> {
        self.played.iter().find(|played| played.step == *step)
    }

    /// What is not as it must be.
    fn wrong(&self) -> impl Iterator<Item = String> {
        let rows = self.played.iter().flat_map(|played| &played.rows);
        rows.filter(|row| !row.is_good()).map(|row| row.line(Paint::plain()))
    }
}

/// Measures and writes the document.
///
/// # Errors
/// The lab fails, or this suite was wrong somewhere; what was measured until then is written.
pub fn write(plan: &Plan, file: &Path) -> Result<()> {
    let mut head = machine()?;
    for stack in &plan.suites {
        head.push(version(*stack, &plan.daemons)?);
    }
    let load = |when: &str| -> Result<String> {
        let text = std::fs::read_to_string("/proc/loadavg")?;
        Ok(format!("Load of the machine {when}: {}", text.split(' ').take(3).collect::<Vec<_>>().join(" ")))
    };
    head.push(load("before")?);
    let mut samples = Vec::new();
    let outcome = turns(plan, &mut samples);
    head.push(load("after")?);
    render::document(plan, &head, &samples).save(file)?;
    outcome?;
    let wrong = samples.iter().filter(|sample| sample.stack == Stack::Torc).flat_map(Sample::wrong);
    let wrong: Vec<String> = wrong.collect();
    if wrong.is_empty() { Ok(()) } else { bail!("not as it must be:\n{}", wrong.join("\n")) }
}

fn turns(plan: &Plan, samples: &mut Vec<Sample>) -> Result<()> {
    // A place of their own, because upgrades replace files.
    let programs = tempfile::tempdir()?;
    if plan.suites.contains(&Stack::Torc) {
        copy_programs(&plan.daemons, &programs)?;
    }
    for turn in 1..=plan.repetitions {
        for &stack in &plan.suites {
            let start = Instant::now();
            println!("turn {turn} of {}: {stack:?}\n{}", plan.repetitions, heading());
            let rest = (turn <= LONG_LOOKS).then_some(plan.rest);
            samples.push(measure(stack, programs.path(), rest)?);
            println!("  {} s", start.elapsed().as_secs());
        }
    }
    Ok(())
}

fn copy_programs(from: &Path, to: &TempDir) -> Result<()> {
    for program in PROGRAMS {
        let from = from.join(program);
        std::fs::copy(&from, to.path().join(program)).with_context(|| from.display().to_string())?;
    }
    Ok(())
}

fn lab(stack: Stack, daemons: &Path, profile: Profile) -> Result<Lab> {
    Lab::up(Options { profile, daemons: daemons.to_owned(), ..Options::new(TOPOLOGY, stack)? })
}

/// Time from start to right tables; `None` if another suite does not get there in time.
fn settle(lab: &Lab, stack: Stack) -> Result<Option<Duration>> {
    match cold_start(lab, lab.profile().patience()) {
        Ok(time) => Ok(Some(time)),
        Err(fault) if stack == Stack::Torc => Err(fault),
        Err(fault) => {
            println!("  {fault:#}");
            Ok(None)
        }
    }
}

/// One turn: all steps of a kind of timers in one lab, and at first the long looks.
fn measure(stack: Stack, daemons: &Path, rest: Option<Duration>) -> Result<Sample> {
    let ring = lab(stack, daemons, Profile::Ring)?;
    let mut sample =
        Sample { stack, cold: settle(&ring, stack)?, traditional: None, usages: None, played: Vec::new() };
    if let Some(rest) = rest {
        sample.usages = Some((at_rest(&ring, &WATCHED.map(|(router, _)| router), rest)?, rest));
    }
    play(ring, stack, &mut sample)?;
    for profile in [Profile::SlowAdverts, Profile::FastBfd] {
        if playable(stack, profile).next().is_some() {
            let lab = lab(stack, daemons, profile)?;
            settle(&lab, stack)?;
            play(lab, stack, &mut sample)?;
        }
    }
    if rest.is_some() {
        let lab = lab(stack, daemons, Profile::Traditional)?;
        sample.traditional = settle(&lab, stack)?;
        lab.down()?;
    }
    Ok(sample)
}

/// What a suite can play under some timers.
fn playable(stack: Stack, profile: Profile) -> impl Iterator<Item = (Step, Event)> {
    let steps = steps::all().into_iter().filter(move |step| step.profile == profile);
    steps.filter_map(move |step| step.of(stack).map(|event| (step, event)))
}

fn play(mut lab: Lab, stack: Stack, sample: &mut Sample) -> Result<()> {
    for (step, event) in playable(stack, lab.profile()) {
        let rows = match rows(&mut lab, &step, &event) {
            Ok(rows) => rows,
            Err(fault) if stack == Stack::Torc => return Err(fault),
            Err(fault) => {
                println!("  {fault:#}");
                continue;
            }
        };
        for row in &rows {
            println!("{}", row.line(Paint::detect()));
        }
        sample.played.push(Played { step, rows });
    }
    lab.down()
}

fn rows(lab: &mut Lab, step: &Step, event: &Event) -> Result<Vec<Row>> {
    let patience = lab.profile().patience();
    Ok(if step.is_mended() {
        rehearse(lab, event, patience)?.into()
    } else {
        vec![endure(lab, event, patience)?]
    })
}
