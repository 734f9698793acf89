//! A suite's shell, run beside the bed's loop.

use crate::area::COST;
use crate::bed::Bed;
use crate::suite::{LIBEXEC, Suite};
use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Between two looks whether a command has ended.
const SLICE: Duration = Duration::from_millis(1);

/// A command that has ended.
#[derive(Debug)]
pub(super) struct Ran {
    /// When it ended.
    pub(super) end: Instant,
    /// Its processor time.
    pub(super) cpu: Duration,
    /// Since when everything was right, if it was before the end and stayed so.
    pub(super) right: Option<Instant>,
}

/// How a suite is talked to.
#[derive(Debug)]
pub(super) struct Shell {
    suite: Suite,
    program: PathBuf,
    dir: PathBuf,
}

impl Shell {
    pub(super) fn new(suite: Suite, daemons: &Path, dir: &Path) -> Self {
        let program = if suite == Suite::Torc { daemons.join("torc") } else { "vtysh".into() };
        Self { suite, program, dir: dir.to_owned() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(if self.suite == Suite::Torc { "--run-dir" } else { "--vty_socket" }).arg(&self.dir);
        command
    }

    /// Runs lines, each with its own `-c`.
    pub(super) fn run(&self, bed: &mut Bed, lines: &[&str]) -> Result<Ran> {
        let mut command = self.command();
        for line in lines {
            command.args(["-c", line]);
        }
        beside(bed, command)
    }

    /// Loads a file of lines.
    pub(super) fn load(&self, bed: &mut Bed, file: &Path) -> Result<Ran> {
        let mut command = self.command();
        command.arg("-f").arg(file);
        beside(bed, command)
    }

    /// Brings a whole configuration into force.
    pub(super) fn reload(&self, bed: &mut Bed, file: &Path) -> Result<Ran> {
        let mut command = self.command();
        if self.suite == Suite::Torc {
            command.arg("reload").arg(file);
        } else {
            command = Command::new(Path::new(LIBEXEC).join("frr-reload.py"));
            command.args(["--reload", "--bindir", "/usr/bin"]);
            for option in ["--confdir", "--rundir", "--vty_socket"] {
                command.arg(option).arg(&self.dir);
            }
            command.arg(file);
        }
        beside(bed, command)
    }

    /// Writes the running configuration with another cost of the only link.
    pub(super) fn changed_file(&self, cost: u32) -> Result<PathBuf> {
        let (text, key, name) = if self.suite == Suite::Torc {
            (std::fs::read_to_string(self.dir.join("running.toml"))?, "cost = ", "changed.toml")
        } else {
            (self.answer("show running-config")?, "ip ospf cost ", "changed.conf")
        };
        // What vtysh says before the configuration is no part of it.
        let lines =
            text.lines().filter(|line| !line.ends_with("onfiguration...") && !line.starts_with("Current "));
        let lines = lines.map(|line| match line.trim_start().strip_prefix(key) {
            Some(_) => format!("{key}{cost}"),
            None => line.to_owned(),
        });
        let lines: Vec<String> = lines.collect();
        ensure!(lines.iter().any(|line| line.starts_with(key)), "no cost is configured, not even {COST}");
        let file = self.dir.join(name);
        std::fs::write(&file, lines.join("\n") + "\n")?;
        Ok(file)
    }

    /// Does OSPF have the cost that was configured?
    pub(super) fn expect_cost(&self, cost: u32) -> Result<()> {
        let text = self.answer("show ip ospf interface")?;
        ensure!(text.contains(&format!("Cost: {cost}")), "the cost is not {cost}:\n{text}");
        Ok(())
    }

    fn answer(&self, line: &str) -> Result<String> {
        let output = self.command().args(["-c", line]).output().context("the shell cannot be started")?;
        Ok(String::from_utf8_lossy(&checked(output, line)?.stdout).into_owned())
    }
}

fn checked(output: Output, what: &str) -> Result<Output> {
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    ensure!(output.status.success(), "{what}: {}\n{stdout}{stderr}", output.status);
    Ok(output)
}

/// Runs a command on a thread of its own while the bed goes on.
fn beside(bed: &mut Bed, mut command: Command) -> Result<Ran> {
    command.stdin(Stdio::null());
    let what = format!("{command:?}");
    let before = children()?;
    let mut right = None;
    let (output, end) = std::thread::scope(|scope| -> Result<_> {
        let runner = scope.spawn(move || (command.output(), Instant::now()));
        while !runner.is_finished() {
            bed.rest(SLICE)?;
            right = if bed.is_right() { right.or_else(|| Some(Instant::now())) } else { None };
        }
        runner.join().map_err(|_| anyhow::anyhow!("the thread that ran the command panicked"))
    })?;
    checked(output.with_context(|| what.clone())?, &what)?;
    Ok(Ran { end, cpu: children()?.saturating_sub(before), right })
}

/// Processor time of all children that were waited for.
fn children() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(micros.unsigned_abs()))
}
