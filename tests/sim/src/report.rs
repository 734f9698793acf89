//! What is said about failures and at the end.

use crate::ladder::{self, View};
use crate::parallel::Summary;
use crate::pcap;
use crate::run::Outcome;
use crate::scenario::Scenario;
use crate::shrink::{self, Effort};
use crate::trial::{self, Failure, Mode};
use anyhow::{Context, Result};
use core::fmt::Write;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How failures are reported.
#[derive(Debug, Clone, Copy)]
pub struct Reporter<'a> {
    /// Where files go.
    pub out: &'a Path,
    /// Look for a smaller scenario that fails in the same way?
    pub shrink: bool,
    /// How it was found.
    pub mode: Mode,
}

impl Reporter<'_> {
    /// Says all that is known of a failure, and writes it down.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn report(&self, title: &str, scenario: &Scenario, failure: &Failure) -> Result<String> {
        let mut text = String::new();
        let commit = commit().map_or(String::new(), |c| format!(" of {c}"));
        writeln!(text, "FAILED {title}{commit}\n  {failure}")?;
        let mut path = self.write(scenario, "")?;
        writeln!(text, "scenario: {}", path.display())?;
        let (found, told) = self.smaller(scenario, failure);
        text.push_str(&told);
        if let Some(small) = &found {
            path = self.write(small, "-small")?;
            writeln!(text, "smaller scenario: {}", path.display())?;
        }
        let shown = found.as_ref().unwrap_or(scenario);
        let (again, entries) = trial::traced(shown);
        writeln!(text, "\n{}", shown.to_toml()?.trim_end())?;
        let at = again.failure.as_ref().unwrap_or(failure);
        writeln!(text, "\n  {at}\n")?;
        text.push_str(&ladder::ladder(shown, &entries, &View::of(shown, &at.text)));
        text.push('\n');
        for capture in pcap::write_all(shown, &entries, self.out)? {
            writeln!(text, "capture: {}", capture.display())?;
        }
        writeln!(text, "again: routing-sim run {} --trace\n", path.display())?;
        Ok(text)
    }

    fn write(&self, scenario: &Scenario, suffix: &str) -> Result<PathBuf> {
        std::fs::create_dir_all(self.out).with_context(|| self.out.display().to_string())?;
        let path = self.out.join(format!("{}{suffix}.toml", scenario.name));
        std::fs::write(&path, scenario.to_toml()?).with_context(|| path.display().to_string())?;
        Ok(path)
    }

    /// A smaller scenario that fails in the same way, and what is said about it.
    fn smaller(&self, scenario: &Scenario, failure: &Failure) -> (Option<Scenario>, String) {
        if !self.shrink {
            return (None, String::new());
        }
        let fails = |scenario: &Scenario| trial::trial(scenario, self.mode).failure;
        if !fails(scenario).is_some_and(|f| f.is_like(failure)) {
            return (None, "it does not fail again\n".to_owned());
        }
        eprintln!("{failure}\nlooking for a smaller scenario that fails so");
        let shrunk = shrink::shrink(scenario, Effort::default(), |candidate| {
            fails(candidate).is_some_and(|f| f.is_like(failure))
        });
        let told = format!(
            "after {} runs: {} of {} routers, {} of {} faults, {} of {} ms\n",
            shrunk.runs,
            shrunk.scenario.routers.len(),
            scenario.routers.len(),
            shrunk.scenario.faults.len(),
            scenario.faults.len(),
            length(&shrunk.scenario),
            length(scenario),
        );
        (Some(shrunk.scenario), told)
    }
}

/// Virtual time of a whole run (ms).
fn length(scenario: &Scenario) -> u64 {
    scenario.chaos_ends + scenario.settle + scenario.rest
}

/// What the working tree holds, as far as git knows.
pub fn commit() -> Option<String> {
    let git = |words: &[&str]| {
        let output =
            Command::new("git").args(["-C", env!("CARGO_MANIFEST_DIR")]).args(words).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit} with changes") })
}

/// The end of a session.
pub fn summary(summary: &Summary) -> String {
    let Summary { runs, events, frames, virtual_time, wall, failures, figures, slowest } = summary;
    let seconds = wall.as_secs_f64().max(0.001);
    let mut text = format!(
        "{runs} seeds in {seconds:.1} s ({:.1}/s): {} of virtual time, {events} events ({:.0}/s), {frames} frames",
        *runs as f64 / seconds,
        hours(virtual_time.as_secs()),
        *events as f64 / seconds,
    );
    if let Some((seed, took)) = slowest {
        // Writing to a string cannot fail; here and below.
        let _ = write!(text, "; slowest seed {seed} with {:.1} s", took.as_secs_f64());
    }
    text.push('\n');
    text.push_str(&figures.render());
    let mut laws: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (seed, failure) in failures {
        laws.entry(&failure.law).or_default().push(*seed);
    }
    for (law, seeds) in laws {
        let first: Vec<String> = seeds.iter().take(10).map(u64::to_string).collect();
        let more = if seeds.len() > first.len() { ", …" } else { "" };
        let _ = writeln!(text, "{law}: {} failed (seeds {}{more})", seeds.len(), first.join(", "));
    }
    text.push_str(if failures.is_empty() { "all laws were kept\n" } else { "" });
    text
}

/// A run in which all was well.
pub fn outcome(scenario: &Scenario, outcome: &Outcome) -> String {
    let counters = outcome.counters;
    format!(
        "{}: all laws were kept; {} routers, {} of virtual time, {} events, {} frames, hash {:016x}\n",
        scenario.name,
        scenario.routers.len(),
        hours(length(scenario) / 1_000),
        counters.events,
        counters.frames_sent,
        outcome.hash,
    )
}

fn hours(seconds: u64) -> String {
    format!("{}:{:02}:{:02} h", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
