//! `torc`: the shell of one router.
//!
//! With `-c` (repeatable) it runs commands and ends; without, it is interactive: unique abbreviations, `?`
//! help in the middle of a line, TAB completion, history. It holds no state of the router: every answer
//! comes from the daemon that owns it. Exit code 0 only if every command was answered.
#![forbid(unsafe_code)]

mod commands;
mod configure;
mod connect;
mod filter;
mod foreign;
mod interactive;
mod interrupt;
mod live;
mod management;
mod metrics;
mod own;
#[cfg(test)]
mod reference;
mod run;
mod screen;
mod survey;
mod vrf;
mod vty;
mod vtysh;
mod wait;
mod watch;

use clap::{Parser, Subcommand};
use config_lines::Verdict;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use watch::Console;

#[derive(Parser)]
#[command(name = "torc", version, about = "The shell of the Torc routing suite")]
struct Arguments {
    /// Where the daemons' control sockets are.
    #[arg(long, value_name = "DIR", default_value = "/run/torc")]
    run_dir: PathBuf,
    /// Run this command and end; may be given several times. Lines of the configuration that follow each other are one
    /// transaction.
    #[arg(short, long = "command", value_name = "COMMAND")]
    command: Vec<String>,
    /// Take this file of configuration lines as one transaction and end.
    #[arg(short = 'f', long = "inputfile", value_name = "FILE", conflicts_with = "command")]
    input_file: Option<PathBuf>,
    /// With --inputfile: only ask every daemon whether it could.
    #[arg(short = 'C', long = "dryrun", requires = "input_file")]
    dry_run: bool,
    #[command(subcommand)]
    errand: Option<Errand>,
}

#[derive(Subcommand)]
enum Errand {
    /// Bring a router.toml or an frr.conf into force, whole or not at all.
    Reload {
        /// The file.
        file: PathBuf,
        /// Only ask every daemon whether it could.
        #[arg(long)]
        test: bool,
    },
    /// Listen on FRR's own sockets, for its vtysh and for exporters written for it, until ended.
    ServeFrr {
        /// Where clients of FRR look.
        #[arg(long, value_name = "DIR", default_value = "/run/frr")]
        directory: PathBuf,
        /// The group whose members may use them, as frrvty is FRR's; they may do all this program may.
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
    },
    /// Give the router's state to Prometheus on /metrics, until ended.
    ServeMetrics {
        /// Where to listen; nobody else than this machine can ask unless another address is given.
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9342")]
        listen: SocketAddr,
    },
    /// Wait for something, for services that depend on it.
    Wait {
        #[command(subcommand)]
        what: Waiting,
    },
    /// The options and manners of FRR's shell, which a link called `vtysh` has, too.
    Vtysh(vtysh::Options),
    /// Translate files of another suite: the router.toml to standard output, a word on every line to standard error.
    Import {
        #[command(subcommand)]
        from: Suite,
    },
}

#[derive(Subcommand)]
enum Waiting {
    /// Every daemon runs, the kernel has every route, every neighbor is done, every virtual router acts.
    Converged {
        /// Give up after so many seconds, with exit code 1 and what was missing.
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        timeout: u64,
        /// So many OSPF neighbors must be Full.
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        neighbors: usize,
    },
}

#[derive(Subcommand)]
enum Suite {
    /// FRR: frr.conf, or the daemons' own files together.
    Frr {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    if vtysh::is_meant(std::env::args_os().next().as_deref()) {
        return vtysh::run_alone();
    }
    let arguments = Arguments::parse();
    let mut shell = run::Shell::new(arguments.run_dir);
    match arguments.errand {
        Some(Errand::Reload { file, test }) => {
            return told([foreign::reload(shell.run_dir(), &file, test)]);
        }
        Some(Errand::ServeFrr { directory, group }) => {
            let served = vty::serve(shell.run_dir(), &directory, group.as_deref());
            return told([served.map(|()| String::new())]);
        }
        Some(Errand::ServeMetrics { listen }) => {
            return told([metrics::serve(shell.run_dir(), listen).map(|()| String::new())]);
        }
        Some(Errand::Wait { what: Waiting::Converged { timeout, neighbors } }) => {
            let timeout = Duration::from_secs(timeout);
            return told([wait::converged(shell.run_dir(), timeout, neighbors)]);
        }
        Some(Errand::Vtysh(options)) => return vtysh::run(options),
        Some(Errand::Import { from: Suite::Frr { files } }) => return translate(&files),
        None => {}
    }
    if let Some(file) = arguments.input_file {
        return told([shell.run_file(&file, arguments.dry_run)]);
    }
    run_or_converse(shell, &arguments.command, None)
}

/// Runs these commands; without any, what is typed, or comes on standard input. What is typed is kept in `history` if there is one.
fn run_or_converse(mut shell: run::Shell, commands: &[String], history: Option<&Path>) -> ExitCode {
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let converses = commands.is_empty();
    shell.set_console(if converses && is_terminal { Console::Terminal } else { Console::Printed });
    if converses {
        return interactive::run(shell, history);
    }
    told(shell.run_all(commands.iter().flat_map(|c| c.lines())))
}

/// Prints what came of each line; a failure among them fails the call.
fn told(outcomes: impl IntoIterator<Item = anyhow::Result<String>>) -> ExitCode {
    if run::tell(outcomes) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn translate(files: &[PathBuf]) -> ExitCode {
    match foreign::read(files) {
        Ok(import) => {
            eprint!("{}", foreign::lines(import.report.iter()));
            run::print(&import.text);
            let mistaken = import.report.iter().any(|f| f.verdict == Verdict::Mistake);
            if mistaken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => told([Err(error)]),
    }
}
