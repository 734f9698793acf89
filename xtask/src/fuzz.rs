//! Builds the fuzz targets with whatever toolchain runs this, and runs them.
//!
//! `cargo fuzz` would do the same on a nightly toolchain. It takes minutes to install and its sanitizers
//! serve unsafe code, of which the targets reach none; coverage is all that is needed, and any toolchain has the
//! passes for it. The kept corpora in `tests/fuzz/corpus` are read and never written here: what a run finds of
//! interest goes to `target/fuzz/corpus`, what fails to `target/fuzz/artifacts`.

use crate::cargo_program;
use crate::lint::workspace_root;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Where the instrumentation is wanted from, see LLVM's SanitizerCoverage.
const INSTRUMENTATION: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// A process that grows beyond this many MiB has found something.
const MEMORY: u32 = 1024;

/// An input that takes longer than this many seconds has found something; a busy machine is slow as well.
const SLOWEST: u32 = 20;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each target runs; 0 only replays the kept corpora.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Where a target's random choices start; 0 is chance.
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Run only these targets; all when none is named.
    targets: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = workspace_root()?;
    let all = targets(&root.join("tests/fuzz/fuzz_targets"))?;
    for name in &arguments.targets {
        ensure!(all.contains(name), "no target {name}; there are {}", all.join(", "));
    }
    let chosen = if arguments.targets.is_empty() { &all } else { &arguments.targets };
    let start = Instant::now();
    let programs = build(&root)?;
    println!("fuzz targets built in {} s", start.elapsed().as_secs());
    for name in chosen {
        fuzz(&root, &programs.join(name), name, arguments)?;
    }
    println!("{} fuzz targets in {} s, nothing found", chosen.len(), start.elapsed().as_secs());
    Ok(())
}

/// The names of the programs, in order.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        names.extend(path.file_stem().and_then(|s| s.to_str()).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Builds all targets; answers the folder of the programs.
fn build(root: &Path) -> Result<PathBuf> {
    let host = host()?;
    let folder = root.join("target/fuzz");
    // With a target named, the flags stay away from build scripts and macros.
    let status = Command::new(cargo_program())
        .args(["build", "--release", "--bins", "--features", "libfuzzer", "--locked"])
        .args(["--target", &host, "--target-dir"])
        .arg(&folder)
        .arg("--manifest-path")
        .arg(root.join("tests/fuzz/Cargo.toml"))
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\u{1f}"))
        .status()?;
    ensure!(status.success(), "the fuzz targets do not build; they need a C++ compiler: {status}");
    Ok(folder.join(host).join("release"))
}

fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("rustc -vV")?;
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().find_map(|l| l.strip_prefix("host: ")).context("rustc names no host")?;
    Ok(line.to_owned())
}

/// Replays the kept corpus of one target and, given time, looks for more.
fn fuzz(root: &Path, program: &Path, name: &str, arguments: &Arguments) -> Result<()> {
    let kept = root.join("tests/fuzz/corpus").join(name);
    let artifacts = root.join("target/fuzz/artifacts").join(name);
    let scratch = root.join("target/fuzz/corpus").join(name);
    fs::create_dir_all(&artifacts)?;
    fs::create_dir_all(&scratch)?;
    let mut command = Command::new(program);
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.arg(format!("-rss_limit_mb={MEMORY}")).arg(format!("-timeout={SLOWEST}"));
    command.arg(format!("-seed={}", arguments.seed));
    if arguments.seconds == 0 {
        // With files instead of folders libFuzzer runs each once and stops.
        command.args(files(&kept)?);
    } else {
        command.arg(format!("-max_total_time={}", arguments.seconds)).arg(&scratch).arg(&kept);
    }
    let output =
        command.env("RUST_BACKTRACE", "1").output().with_context(|| format!("{}", program.display()))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        println!("ok: {name}: {}", summary(&log, arguments.seconds));
        return Ok(());
    }
    let last: Vec<&str> = log.lines().rev().take(60).collect();
    for line in last.iter().rev() {
        eprintln!("{line}");
    }
    let artifact = log.lines().find_map(|l| l.split("Test unit written to ").nth(1));
    bail!(
        "{name} failed ({}){}\nreproduce with: {} FILE",
        output.status,
        artifact.map(|a| format!(" on {a}")).unwrap_or_default(),
        program.display()
    );
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no corpus {}", folder.display()))?;
    let mut files = entries.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

/// How much was done: libFuzzer's last line, or how many kept inputs were replayed.
fn summary(log: &str, seconds: u32) -> String {
    if seconds == 0 {
        return format!("{} kept inputs", log.lines().filter(|l| l.starts_with("Executed ")).count());
    }
    let coverage = log.lines().rev().find_map(|l| l.split(" cov: ").nth(1)?.split(' ').next()).unwrap_or("?");
    let done = log.lines().rev().find(|l| l.starts_with("Done ")).unwrap_or("done");
    format!("{done}, {coverage} places covered")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_told_in_one_line() {
        let log = "#7 NEW    cov: 12 ft: 30 corp: 3/9b\n#9 REDUCE cov: 14 ft: 33 corp: 4/9b\n\
                   Done 90 runs in 5 second(s)\n";
        assert_eq!(summary(log, 5), "Done 90 runs in 5 second(s), 14 places covered");
        assert_eq!(summary("Executed a in 1 ms\nx\nExecuted b in 0 ms\n", 0), "2 kept inputs");
    }

    #[test]
    fn every_target_has_a_kept_corpus() {
        let fuzz = workspace_root().unwrap().join("tests/fuzz");
        for name in targets(&fuzz.join("fuzz_targets")).unwrap() {
            assert!(!files(&fuzz.join("corpus").join(&name)).unwrap().is_empty(), "{name}");
        }
    }
}
