//! Documents that are written from a run on this machine: the paper's ring, and the comparison with other suites.
//!
//! `ringlab` plays and writes; this builds everything with optimisation first, the laboratory included, so that probes are punctual.

use crate::cargo;
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The laboratory and the programs a router needs.
const PACKAGES: &[&str] = &["ringlab", "mgmtd", "ribd", "ospfd", "bfdd", "vrrpd", "torc"];

#[derive(clap::Args)]
pub(crate) struct PaperArguments {
    /// The document.
    #[arg(long, default_value = "docs/paper.md")]
    output: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct CompareArguments {
    /// The document.
    #[arg(long, default_value = "docs/performance.md")]
    output: PathBuf,
    /// The suites, in the order of their turns: torc, frr, bird.
    #[arg(long, default_value = "torc,frr")]
    stacks: String,
    /// Turns of each suite.
    #[arg(long, default_value_t = 5)]
    repetitions: u32,
    /// Seconds to watch routers at rest.
    #[arg(long, default_value_t = 30)]
    rest: u32,
}

/// Plays the paper's experiments.
pub(crate) fn paper(arguments: &PaperArguments) -> Result<()> {
    laboratory(&["paper".into(), "--output".into(), arguments.output.display().to_string()])
}

/// Measures the suites in turn.
pub(crate) fn compare(arguments: &CompareArguments) -> Result<()> {
    let CompareArguments { output, stacks, repetitions, rest } = arguments;
    laboratory(&[
        "compare".into(),
        format!("--output={}", output.display()),
        format!("--stacks={stacks}"),
        format!("--repetitions={repetitions}"),
        format!("--rest={rest}"),
    ])
}

fn laboratory(words: &[String]) -> Result<()> {
    let mut build = vec!["build", "--locked", "--release"];
    build.extend(PACKAGES.iter().flat_map(|package| ["--package", package]));
    cargo(&build)?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let program = target.join("release/ringlab");
    println!("+ {} {}", program.display(), words.join(" "));
    let status = Command::new(&program).args(words).status()?;
    ensure!(status.success(), "ringlab: {status}");
    Ok(())
}
