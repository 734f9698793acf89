//! The simulator, optimised but with every assertion armed.

use crate::cargo;
use anyhow::Result;

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// What `routing-sim` is told: `--seeds 500`, `--seed 7 --trace`, `run FILE`, `replay FILE`, `--help`, …
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORDS")]
    words: Vec<String>,
}

/// Builds the simulator if need be and runs it.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let words: Vec<&str> = arguments.words.iter().map(String::as_str).collect();
    simulate(&words)
}

/// Runs the simulator with these words; an unsuccessful exit is an error.
pub(crate) fn simulate(words: &[&str]) -> Result<()> {
    let build = ["run", "--profile", "sim", "--package", "routing-sim", "--locked", "--quiet", "--"];
    cargo(&[&build, words].concat())
}
