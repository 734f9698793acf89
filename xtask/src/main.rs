//! Developer commands: `cargo xtask demo`, `soak`, `sim`, `test`, `lint`, and `paper` and `bench`, which write documents from a run.
#![forbid(unsafe_code)]

mod bench;
mod demo;
mod fuzz;
mod lint;
mod metadata;
mod mutants;
mod readme;
mod report;
mod sim;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::{Command, ExitCode};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands of the Torc routing suite")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the five-router ring and its failures on this machine, in network namespaces.
    Demo(demo::Arguments),
    /// Start the ring over and over, then break and heal it at random.
    Soak(demo::SoakArguments),
    /// Run the engines in simulated networks made from seeds.
    Sim(sim::Arguments),
    /// Run everything a pull request must pass: lint, unit tests, rings on real kernels, other suites as peers.
    Test(test::Arguments),
    /// Play the paper's experiments and write docs/paper.md.
    Paper(report::PaperArguments),
    /// Measure: a ring and a large area beside other suites, or single functions.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Plant protocol bugs in a copy of the engines and see whether the simulator notices each of them.
    Mutants(mutants::Arguments),
    /// Feed every decoder and engine with octets of chance, starting from those that were worth keeping.
    Fuzz(fuzz::Arguments),
    /// Formatting, clippy, crate directions, licences, file lengths.
    Lint,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Demo(arguments) => return demo::run(arguments),
        Task::Soak(arguments) => return demo::soak(arguments),
        Task::Sim(arguments) => sim::run(&arguments),
        Task::Test(arguments) => test::run(&arguments),
        Task::Paper(arguments) => report::paper(&arguments),
        Task::Bench(what) => bench::run(&what),
        Task::Mutants(arguments) => mutants::run(&arguments),
        Task::Fuzz(arguments) => fuzz::run(&arguments),
        Task::Lint => lint::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `cargo` with these words, showing the line; an unsuccessful exit is an error.
fn cargo(words: &[&str]) -> Result<()> {
    cargo_with(&[], words)
}

/// The same with more in its environment.
fn cargo_with(environment: &[(&str, &str)], words: &[&str]) -> Result<()> {
    println!("+ cargo {}", words.join(" "));
    let status = Command::new(cargo_program()).args(words).envs(environment.iter().copied()).status()?;
    anyhow::ensure!(status.success(), "cargo {} failed: {status}", words.join(" "));
    Ok(())
}

/// The cargo that runs us.
fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
