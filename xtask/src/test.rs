//! Everything a pull request must pass, in the order in which it is cheapest to fail.

use crate::{cargo, lint, readme, sim};
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

/// Packages whose tests set up routers in network namespaces, and how many tests run at a time. The rings measure, so one;
/// the other suites' hellos and dead intervals are mostly waited for.
const NAMESPACES: &[(&str, u32)] = &[("ringlab", 1), ("interop-tests", 3), ("scale-bench", 1)];

/// The simulator's own tests are storms too, and want the build that is fast with every assertion armed.
const SIMULATOR: &str = "routing-sim";

/// Scenarios of 2 to 32 routers in every run of the tests, and how many more are run twice and compared.
const SEEDS: (u32, u32) = (600, 60);

/// The fuzz targets' own tests: the kept inputs and some thousands made from them, always the same, because a finding of
/// chance is no verdict on the change at hand. Exploring is a command of its own (`cargo xtask fuzz`). What the simulator
/// is made of has been built just before, with the same profile.
const FUZZING: [&str; 9] = [
    "test",
    "--profile",
    "sim",
    "--locked",
    "--manifest-path",
    "tests/fuzz/Cargo.toml",
    "--target-dir",
    "target",
    "--quiet",
];

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let start = Instant::now();
    if !arguments.no_lint {
        lint::run()?;
        told("lint", start);
    }
    cargo(&["build", "--workspace", "--bins", "--locked"])?;
    let mut unit = vec!["test", "--workspace", "--locked"];
    for package in NAMESPACES.iter().map(|(package, _)| package).chain([&SIMULATOR]) {
        unit.extend(["--exclude", package]);
    }
    cargo(&unit)?;
    told("up to the unit tests", start);
    simulate()?;
    told("up to the simulator", start);
    cargo(&FUZZING)?;
    told("up to the fuzz targets", start);
    if !arguments.no_namespaces {
        for (package, threads) in NAMESPACES {
            let threads = format!("--test-threads={threads}");
            cargo(&["test", "--package", package, "--locked", "--", &threads])?;
            told(&format!("up to {package}"), start);
        }
        cargo(&["xtask", "demo", "--quick"])?;
        readme::run(&lint::workspace_root()?)?;
    }
    println!("all tests passed in {} s", start.elapsed().as_secs());
    Ok(())
}

/// Where the time goes.
fn told(part: &str, start: Instant) {
    println!("{part}: {} s", start.elapsed().as_secs());
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
