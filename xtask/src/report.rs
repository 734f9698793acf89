//! Documents that are written from a run on this machine.
//!
//! A program of `tests/` plays and writes; this builds everything with optimisation first, that program included, so that what measures is
//! punctual.

use crate::cargo;
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs a router needs.
const PACKAGES: &[&str] = &["mgmtd", "ribd", "ospfd", "bfdd", "vrrpd", "torc"];

#[derive(clap::Args)]
pub(crate) struct PaperArguments {
    /// The document.
    #[arg(long, default_value = "docs/paper.md")]
    output: PathBuf,
}

/// Plays the paper's experiments.
pub(crate) fn paper(arguments: &PaperArguments) -> Result<()> {
    play("ringlab", &["paper".into(), "--output".into(), arguments.output.display().to_string()])
}

/// Builds one of our test programs and what it starts, and runs it.
pub(crate) fn play(program: &str, words: &[String]) -> Result<()> {
    let mut build = vec!["build", "--locked", "--release", "--package", program];
    build.extend(PACKAGES.iter().flat_map(|package| ["--package", package]));
    cargo(&build)?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let path = target.join("release").join(program);
    println!("+ {} {}", path.display(), words.join(" "));
    let status = Command::new(&path).args(words).status()?;
    ensure!(status.success(), "{program}: {status}");
    Ok(())
}
