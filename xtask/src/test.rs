//! Everything a pull request must pass, in the order in which it is cheapest to fail.

use crate::{cargo, cargo_program, lint, readme, sim};
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::Seek;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leave out formatting, clippy and the other static checks.
    #[arg(long)]
    no_lint: bool,
    /// Leave out what needs network namespaces: the rings and the other suites.
    #[arg(long)]
    no_namespaces: bool,
    /// Nothing but the simulator and the fuzz targets: how [`Storms`] are begun.
    #[arg(long, hide = true)]
    storms: bool,
}

/// Packages whose tests set up routers in network namespaces. Those of the rings measure, so one at a time, and nothing beside them.
const MEASURING: [&str; 2] = ["ringlab", "scale-bench"];

/// Of the other suites mostly hellos and dead intervals are waited for, so several at a time, and [`Storms`] beside them.
const WAITING: &str = "interop-tests";
const AT_ONCE: u32 = 4;

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
    if arguments.storms {
        return storms(start);
    }
    if !arguments.no_lint {
        lint::run()?;
        told("lint", start);
    }
    cargo(&["build", "--workspace", "--bins", "--locked"])?;
    let mut unit = vec!["test", "--workspace", "--locked"];
    for package in MEASURING.iter().chain([&WAITING, &SIMULATOR]) {
        unit.extend(["--exclude", package]);
    }
    cargo(&unit)?;
    told("up to the unit tests", start);
    if arguments.no_namespaces {
        storms(start)?;
    } else {
        let storms = Storms::begin()?;
        let waited = test_one_package(WAITING, AT_ONCE);
        told(&format!("up to {WAITING}"), start);
        storms.end()?;
        waited?;
        told("up to the simulator and the fuzz targets", start);
        for package in MEASURING {
            test_one_package(package, 1)?;
            told(&format!("up to {package}"), start);
        }
        cargo(&["xtask", "demo", "--quick"])?;
        readme::run(&lint::workspace_root()?)?;
    }
    println!("all tests passed in {} s", start.elapsed().as_secs());
    Ok(())
}

fn test_one_package(package: &str, threads: u32) -> Result<()> {
    cargo(&["test", "--package", package, "--locked", "--", &format!("--test-threads={threads}")])
}

/// What needs nothing but processors: the simulator, and the fuzz targets, which share its build.
fn storms(start: Instant) -> Result<()> {
    simulate()?;
    told("storms: up to the simulator", start);
    cargo(&FUZZING)?;
    told("storms: up to the fuzz targets", start);
    Ok(())
}

/// [`storms`] in a process of its own that yields to everybody else.
struct Storms {
    child: Child,
    said: File,
}

impl Storms {
    fn begin() -> Result<Self> {
        let log = std::env::temp_dir().join(format!("torc-storms-{}.log", std::process::id()));
        let named = || log.display().to_string();
        let said = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&log)
            .with_context(named)?;
        // Without a name it is gone with us, whatever ends us.
        std::fs::remove_file(&log).with_context(named)?;
        // By cargo: this very file may have been replaced by the builds of the tests before.
        let child = Command::new("nice")
            .args(["-n", "19"])
            .arg(cargo_program())
            .args(["xtask", "test", "--storms"])
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said.try_clone()?)
            .spawn()
            .context("nice")?;
        Ok(Self { child, said })
    }

    /// Waits for them and prints what they said.
    fn end(mut self) -> Result<()> {
        let status = self.child.wait()?;
        self.said.rewind()?;
        std::io::copy(&mut self.said, &mut std::io::stdout())?;
        ensure!(status.success(), "the simulator or the fuzz targets failed: {status}");
        Ok(())
    }
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
