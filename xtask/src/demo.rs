//! The five-router ring on this machine: built, judged, broken in every way it must survive, and removed; once, or a hundred times.
//!
//! The laboratory itself is `ringlab`; this builds the daemons first and chooses what most people want to see.

use crate::cargo;
use anyhow::{Context, Result};
use ringlab::lab::{Options, default_daemons};
use ringlab::stack::{Profile, Stack};
use ringlab::{rootless, scenario, soak};
use std::path::PathBuf;
use std::process::ExitCode;

/// The programs a router needs.
const PACKAGES: &[&str] = &["mgmtd", "ribd", "ospfd", "bfdd", "vrrpd", "torc"];

/// Which ring, run by what.
#[derive(clap::Args)]
struct Ring {
    /// ring5-p, ring5-c, ring3, ring4, ring7, trunk, or a file.
    #[arg(long, default_value = "ring5-c")]
    topology: String,
    /// What routes: this suite, or FRR or BIRD with keepalived for comparison.
    #[arg(long, value_enum, default_value = "torc")]
    stack: Stack,
    /// Timers: the RFCs' defaults notice a silent death after 40 s only.
    #[arg(long, value_enum, default_value = "ring")]
    profile: Profile,
    /// Build the daemons with optimisation.
    #[arg(long)]
    release: bool,
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    ring: Ring,
    /// One event of each kind instead of all.
    #[arg(long)]
    quick: bool,
}

#[derive(clap::Args)]
pub(crate) struct SoakArguments {
    #[command(flatten)]
    ring: Ring,
    #[command(flatten)]
    plan: soak::Plan,
}

pub(crate) fn run(arguments: Arguments) -> ExitCode {
    verdict(prepare(&arguments.ring).and_then(|options| scenario::play(options, arguments.quick)))
}

pub(crate) fn soak(arguments: SoakArguments) -> ExitCode {
    verdict(prepare(&arguments.ring).and_then(|options| soak::run(&options, &arguments.plan)))
}

fn verdict(outcome: Result<bool>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the daemons if they are ours, enters the namespaces' world and says what to lay.
fn prepare(ring: &Ring) -> Result<Options> {
    // A rootless lab starts this program a second time, inside, where nothing is left to build.
    if ring.stack == Stack::Torc && !rootless::is_rootless() {
        build(ring.release)?;
    }
    rootless::become_root()?;
    let mut options = Options::new(&ring.topology, ring.stack)?;
    options.profile = ring.profile;
    options.daemons = daemons(ring.release)?;
    Ok(options)
}

fn build(release: bool) -> Result<()> {
    let mut words = vec!["build", "--locked"];
    words.extend(PACKAGES.iter().flat_map(|package| ["--package", package]));
    words.extend(release.then_some("--release"));
    cargo(&words)
}

/// The build directory this program was run from, or its sibling for optimised builds.
fn daemons(release: bool) -> Result<PathBuf> {
    let own = default_daemons();
    if !release {
        return Ok(own);
    }
    Ok(own.parent().context("no build directory")?.join("release"))
}
