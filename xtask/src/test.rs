//! Everything a pull request must pass, in the order in which it is cheapest to fail.

use crate::{cargo, fuzz, lint, readme, sim};
use anyhow::Result;
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leave out formatting, clippy and the other static checks.
    #[arg(long)]
    no_lint: bool,
    /// Leave out what needs network namespaces: the rings and the other suites.
    #[arg(long)]
    no_namespaces: bool,
}

/// Packages whose tests set up routers in network namespaces; one test at a time, so that timings are honest.
const NAMESPACES: &[&str] = &["ringlab", "interop-tests"];

/// The simulator's own tests are storms too, and want the build that is fast with every assertion armed.
const SIMULATOR: &str = "routing-sim";

/// Scenarios of 2 to 32 routers in every run of the tests, and how many more are run twice and compared.
const SEEDS: (u32, u32) = (600, 60);

/// Seconds of fuzzing for every target. None: a finding of chance is no verdict on the change at hand, so here the kept
/// inputs are replayed under the instrumented build, and exploring is a command of its own (`cargo xtask fuzz`).
const FUZZING: u32 = 0;

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let start = Instant::now();
    if !arguments.no_lint {
        lint::run()?;
    }
    cargo(&["build", "--workspace", "--bins", "--locked"])?;
    let mut unit = vec!["test", "--workspace", "--locked"];
    for package in NAMESPACES.iter().chain([&SIMULATOR]) {
        unit.extend(["--exclude", package]);
    }
    cargo(&unit)?;
    simulate()?;
    fuzz::run(&fuzz::Arguments { seconds: FUZZING, seed: 1, targets: Vec::new() })?;
    if !arguments.no_namespaces {
        for package in NAMESPACES {
            cargo(&["test", "--package", package, "--locked", "--", "--test-threads=1"])?;
        }
        cargo(&["xtask", "demo", "--quick"])?;
        readme::run(&lint::workspace_root()?)?;
    }
    println!("all tests passed in {} s", start.elapsed().as_secs());
    Ok(())
}

/// The simulator's tests, then its storms.
fn simulate() -> Result<()> {
    cargo(&["test", "--profile", "sim", "--package", SIMULATOR, "--locked"])?;
    let start = Instant::now();
    let (once, twice) = SEEDS;
    sim::simulate(&["--seeds", &once.to_string()])?;
    sim::simulate(&["--seeds", &twice.to_string(), "--first", &(once + 1).to_string(), "--twice"])?;
    println!("{} seeds in {} s", once + twice, start.elapsed().as_secs());
    Ok(())
}
