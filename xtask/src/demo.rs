//! The five-router ring on this machine: built, judged, broken in every way it must survive, and removed.
//!
//! The laboratory itself is `ringlab`; this builds the daemons first and chooses what most people want to see.

use crate::cargo;
use anyhow::{Context, Result};
use ringlab::lab::{Options, default_daemons};
use ringlab::stack::{Profile, Stack};
use ringlab::{rootless, scenario};
use std::path::PathBuf;
use std::process::ExitCode;

/// The programs a router needs.
const PACKAGES: &[&str] = &["mgmtd", "ribd", "ospfd", "vrrpd", "torc"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// ring5-p, ring5-c, ring3, ring4, ring7, trunk, or a file.
    #[arg(long, default_value = "ring5-c")]
    topology: String,
    /// What routes: this suite, or FRR or BIRD with keepalived for comparison.
    #[arg(long, value_enum, default_value = "torc")]
    stack: Stack,
    /// Timers: the RFCs' defaults notice a silent death after 40 s only.
    #[arg(long, value_enum, default_value = "ring")]
    profile: Profile,
    /// One event of each kind instead of all.
    #[arg(long)]
    quick: bool,
    /// Build the daemons with optimisation.
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(arguments: Arguments) -> ExitCode {
    match play(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn play(arguments: Arguments) -> Result<bool> {
    // A rootless lab starts this program a second time, inside, where nothing is left to build.
    if arguments.stack == Stack::Torc && !rootless::is_rootless() {
        build(arguments.release)?;
    }
    rootless::become_root()?;
    let mut options = Options::new(&arguments.topology, arguments.stack)?;
    options.profile = arguments.profile;
    options.daemons = daemons(arguments.release)?;
    scenario::play(options, arguments.quick)
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
