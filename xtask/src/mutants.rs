//! The mutation check of the simulator: do its laws notice bugs?
//!
//! Every file of `tests/sim/mutants/` is a bug: a snippet of an engine's source and what to put in its place. The
//! engines and the simulator are copied below `target/`, all bugs are planted there at once, each asleep until
//! an environment variable names it, and one build serves all runs. First nothing may be found with all of them
//! asleep; then each is woken alone and seeds are run until some law is broken. The shipped source knows nothing
//! of all this.
//!
//! A snippet must stand in its file exactly once, or the check fails and names it: a bug that cannot be
//! planted any more checks nothing. [`mutant`] reads and plants, [`tree`] copies and builds, [`trial`] runs, [`table`]
//! writes what was found into `docs/simulator.md`.

mod mutant;
mod table;
mod tree;
mod trial;

use crate::lint;
use anyhow::{Result, ensure};
use mutant::Mutant;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use trial::{Seeds, Verdict};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these; all if none is named.
    names: Vec<String>,
    /// How many seeds, from 1 on.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// How many runs at a time.
    #[arg(long, default_value_t = 2)]
    jobs: u64,
    /// Seconds after which the search for one bug is given up.
    #[arg(long, default_value_t = 1800)]
    limit: u64,
    /// Leave out the run without any bug.
    #[arg(long)]
    skip_clean: bool,
    /// Write the table of docs/simulator.md.
    #[arg(long, conflicts_with_all = ["names", "skip_clean"])]
    write: bool,
}

/// A bug and what became of it.
pub(crate) struct Finding {
    mutant: Mutant,
    verdict: Verdict,
    took: Duration,
}

/// Plants, builds, runs, reports; an error if anything survives, or if the laws complain about nothing.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = lint::workspace_root()?;
    let all = mutant::read_all(&root)?;
    let chosen = mutant::choose(&all, &arguments.names)?;
    let program = tree::build(&root, &all)?;
    if !arguments.skip_clean {
        run_clean(&program, arguments)?;
    }
    let mut findings = try_all(&program, chosen, arguments);
    findings.sort_by(|a, b| a.mutant.name.cmp(&b.mutant.name));
    print!("{}", table::text(&findings));
    if arguments.write {
        table::write(&root.join(table::DOCUMENT), &findings, arguments.seeds)?;
    }
    let survivors: Vec<&str> = findings.iter().filter(|f| !f.verdict.is_caught()).map(|f| f.name()).collect();
    ensure!(survivors.is_empty(), "{} of {} not caught: {survivors:?}", survivors.len(), findings.len());
    println!("all {} caught", findings.len());
    Ok(())
}

impl Finding {
    pub(crate) fn name(&self) -> &str {
        &self.mutant.name
    }
}

/// With all bugs asleep no law may be broken.
fn run_clean(program: &Path, arguments: &Arguments) -> Result<()> {
    println!("{} seeds without a bug", arguments.seeds);
    let limit = Duration::from_secs(arguments.limit);
    let verdicts: Vec<Result<Verdict>> = std::thread::scope(|scope| {
        let share = |first| Seeds { first, last: arguments.seeds, step: arguments.jobs };
        let runs: Vec<_> = (1..=arguments.jobs)
            .map(|first| scope.spawn(move || trial::run(program, None, share(first), limit)))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap_or_else(|_| anyhow::bail!("a run panicked"))).collect()
    });
    for verdict in verdicts {
        match verdict? {
            Verdict::Survived => {}
            other => anyhow::bail!("without any bug: {other}"),
        }
    }
    Ok(())
}

/// Wakes each bug alone.
fn try_all(program: &Path, chosen: Vec<Mutant>, arguments: &Arguments) -> Vec<Finding> {
    let queue = Mutex::new(chosen.into_iter());
    let findings = Mutex::new(Vec::new());
    let limit = Duration::from_secs(arguments.limit);
    let seeds = Seeds { first: 1, last: arguments.seeds, step: 1 };
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                while let Some(mutant) = queue.lock().ok().and_then(|mut q| q.next()) {
                    let start = Instant::now();
                    let verdict = trial::run(program, Some(&mutant.name), seeds, limit)
                        .unwrap_or_else(|error| Verdict::Failed(format!("{error:#}")));
                    let took = start.elapsed();
                    println!("{}: {verdict} ({:.1} s)", mutant.name, took.as_secs_f64());
                    if let Ok(mut findings) = findings.lock() {
                        findings.push(Finding { mutant, verdict, took });
                    }
                }
            });
        }
    });
    findings.into_inner().unwrap_or_default()
}
