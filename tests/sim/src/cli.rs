//! What is asked for, and who does it.

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use core::ops::RangeInclusive;
use routing_sim::generate::{self, Options, Profile};
use routing_sim::parallel::{self, Plan};
use routing_sim::report;
use routing_sim::scenario::Scenario;
use routing_sim::text::Narrator;
use routing_sim::trial::{self, Mode};
use routing_sim::{alternates, pcap, replay};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The shipped engines in simulated networks: many seeds, one seed, a scenario, or a daemon's recording.
///
/// Exit code 0: every law was kept. 1: one was broken, or something could not be done.
#[derive(Parser)]
#[command(
    name = "routing-sim",
    version,
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    seeds: Seeds,
    #[command(flatten)]
    kind: Kind,
    #[command(flatten)]
    how: How,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Run this many seeds.
    #[arg(long, value_name = "N", conflicts_with_all = ["trace", "pcap"])]
    seeds: Option<u64>,
    /// Run this one.
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
}

#[derive(Args)]
struct Seeds {
    /// The first of many seeds.
    #[arg(long, default_value_t = 1, value_name = "SEED", conflicts_with = "seed")]
    first: u64,
    /// Runs at a time [default: as many as there are processors].
    #[arg(long, value_name = "N", conflicts_with = "seed")]
    jobs: Option<usize>,
    /// Run the others as well after a failure.
    #[arg(long, conflicts_with = "seed")]
    keep_going: bool,
    /// Give up when a run takes longer than this many seconds.
    #[arg(long, default_value_t = 300, value_name = "SECONDS", conflicts_with = "seed")]
    limit: u64,
}

/// What a seed makes.
#[derive(Args)]
struct Kind {
    /// How many routers: "5" or "2..32".
    #[arg(long, value_parser = routers, value_name = "A..B")]
    routers: Option<RangeInclusive<usize>>,
    /// What the runs are about, instead of what each seed says.
    #[arg(long, value_enum)]
    profile: Option<Profile>,
}

#[derive(Args)]
struct How {
    /// Run everything twice; both runs must be the same.
    #[arg(long)]
    twice: bool,
    /// Show everything that happens (one seed or a scenario).
    #[arg(long)]
    trace: bool,
    /// Write a capture of each segment into this folder (one seed or a scenario).
    #[arg(long, value_name = "DIR")]
    pcap: Option<PathBuf>,
    /// Where scenarios and captures of failures go.
    #[arg(long, default_value = "target/sim-failures", value_name = "DIR")]
    out: PathBuf,
    /// Report failures as they are, not made smaller.
    #[arg(long)]
    no_shrink: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run a scenario.
    Run {
        /// Its file.
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// Tell an engine again what a daemon recorded, and compare.
    Replay {
        /// The recording.
        file: PathBuf,
    },
    /// Measure what large networks cost (in a release build).
    Scale(routing_sim::scale::Options),
    /// Break networks with and without loop-free alternates, and compare what gets lost (a table in Markdown).
    Alternates {
        /// How many networks.
        #[arg(long, default_value_t = 1_000, value_name = "N")]
        seeds: u64,
        /// The first of them.
        #[arg(long, default_value_t = 1, value_name = "SEED")]
        first: u64,
        /// How many routers they have: "5" or "2..32".
        #[arg(long, value_parser = routers, default_value = "3..12", value_name = "A..B")]
        routers: RangeInclusive<usize>,
        /// Runs at a time [default: as many as there are processors].
        #[arg(long, value_name = "N")]
        jobs: Option<usize>,
    },
    /// Print the scenario of a seed.
    Show {
        /// Which.
        seed: u64,
        #[command(flatten)]
        kind: Kind,
    },
}

/// Does what is asked; answers whether all was well.
pub(crate) fn run(arguments: Arguments) -> Result<bool> {
    let Arguments { command, which, seeds, kind, how } = arguments;
    match (command, which.seed) {
        (Some(Command::Run { file, how }), _) => {
            let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let scenario = Scenario::parse(&text).with_context(|| file.display().to_string())?;
            one(&scenario, &how)
        }
        (Some(Command::Replay { file }), _) => {
            say(&format!("{}\n", replay::replay_file(&file)?));
            Ok(true)
        }
        (Some(Command::Scale(options)), _) => routing_sim::scale::run(&options).map(|()| true),
        (Some(Command::Alternates { seeds, first, routers, jobs }), _) => {
            let (seeds, jobs) =
                (first..=first.saturating_add(seeds.saturating_sub(1)), jobs.unwrap_or_else(cores));
            Ok(compare_alternates(&alternates::Plan { seeds, routers, jobs }))
        }
        (Some(Command::Show { seed, kind }), _) => {
            say(&generate::scenario(seed, &kind.options()).to_toml()?);
            Ok(true)
        }
        (None, Some(seed)) => one(&generate::scenario(seed, &kind.options()), &how),
        (None, None) => many(which.seeds.unwrap_or(1), &seeds, &kind, &how),
    }
}

impl Kind {
    fn options(&self) -> Options {
        let usual = Options::default();
        Options { routers: self.routers.clone().unwrap_or(usual.routers), profile: self.profile }
    }
}

impl How {
    fn mode(&self) -> Mode {
        if self.twice { Mode::Twice } else { Mode::Once }
    }

    fn reporter(&self) -> report::Reporter<'_> {
        report::Reporter { out: &self.out, shrink: !self.no_shrink, mode: self.mode() }
    }
}

/// Prints. Whoever reads it may stop reading.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// "5" or "2..32", both ends included.
fn routers(text: &str) -> Result<RangeInclusive<usize>, String> {
    let number = |text: &str| text.trim_start_matches('=').parse::<usize>().map_err(|e| e.to_string());
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let (least, most) = (number(least)?, number(most)?);
    if least < 2 || most < least {
        return Err("at least two routers, and the smaller number first".to_owned());
    }
    Ok(least..=most)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn compare_alternates(plan: &alternates::Plan) -> bool {
    let comparison = alternates::run(plan);
    say(&comparison.render());
    for (seed, delay, alternates, failure) in &comparison.failures {
        let failure = failure.to_string();
        let first = failure.lines().next().unwrap_or_default();
        eprintln!("seed {seed}, initial delay {delay} ms, alternates {alternates}: {first}");
    }
    comparison.failures.is_empty()
}

fn many(count: u64, seeds: &Seeds, kind: &Kind, how: &How) -> Result<bool> {
    anyhow::ensure!(count > 0, "no seeds");
    let plan = Plan {
        seeds: seeds.first..=seeds.first.saturating_add(count - 1),
        options: kind.options(),
        jobs: seeds.jobs.unwrap_or_else(cores).max(1),
        keep_going: seeds.keep_going,
        mode: how.mode(),
        limit: Duration::from_secs(seeds.limit),
    };
    let summary = parallel::run(&plan);
    if let Some((seed, failure)) = summary.failures.first() {
        let scenario = generate::scenario(*seed, &plan.options);
        let title = format!("seed {seed}");
        say(&how.reporter().report(&title, &scenario, failure)?);
    }
    say(&report::summary(&summary));
    Ok(summary.failures.is_empty())
}

fn one(scenario: &Scenario, how: &How) -> Result<bool> {
    if how.trace || how.pcap.is_some() {
        let (_, entries) = trial::traced(scenario);
        if how.trace {
            narrate(scenario, &entries);
        }
        if let Some(folder) = &how.pcap {
            captures(scenario, &entries, folder)?;
        }
    }
    let trial = trial::trial(scenario, how.mode());
    if let Some(failure) = &trial.failure {
        say(&how.reporter().report(&scenario.name, scenario, failure)?);
        return Ok(false);
    }
    if let Some(outcome) = &trial.outcome {
        say(&report::outcome(scenario, outcome));
    }
    Ok(true)
}

/// Shows everything that happened.
fn narrate(scenario: &Scenario, entries: &trial::Entries) {
    let narrator = Narrator::new(scenario);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (at, happening) in entries {
        let line = narrator.line(*at, happening);
        if line.is_some_and(|line| writeln!(out, "{line}").is_err()) {
            return;
        }
    }
}

fn captures(scenario: &Scenario, entries: &trial::Entries, folder: &Path) -> Result<()> {
    for file in pcap::write_all(scenario, entries, folder)? {
        eprintln!("wrote {}", file.display());
    }
    Ok(())
}
