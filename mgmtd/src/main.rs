//! The supervisor's process: arguments, configuration, lock, then [`mgmtd::shell`].
#![forbid(unsafe_code)]

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum as _};
use mgmtd::lock::RunDirLock;
use mgmtd::shell::{self, Settings};
use routing_common::config::Config;
use routing_runtime::daemon::{Arguments, EXIT_REFUSED};
use routing_runtime::logging;
use std::path::PathBuf;
use std::process::ExitCode;

/// Starts, watches and stops the daemons of one router.
#[derive(Debug, Parser)]
#[command(name = "mgmtd", version)]
struct CommandLine {
    #[command(flatten)]
    common: Arguments,
    /// Where the daemons' programs are; beside this one by default.
    #[arg(long, value_name = "DIR")]
    daemon_dir: Option<PathBuf>,
    /// Let every daemon record what its engine is told, in DIR/ospfd.rec and so on, for replaying it with
    /// routing-sim. The files hold the configuration with its keys.
    #[arg(long, value_name = "DIR")]
    record_dir: Option<PathBuf>,
}

fn main() -> ExitCode {
    let line = CommandLine::parse();
    logging::start(&line.common.log_level, line.common.log_format);
    let config = match shell::read_config(&line.common.config) {
        Ok(config) => config,
        Err(findings) => {
            eprintln!("{findings}");
            return ExitCode::from(EXIT_REFUSED);
        }
    };
    if line.common.check {
        println!("{}: OK", line.common.config.display());
        return ExitCode::SUCCESS;
    }
    match supervise(line, &config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mgmtd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn supervise(line: CommandLine, config: &Config) -> anyhow::Result<()> {
    let daemon_dir = match line.daemon_dir {
        Some(dir) => dir,
        None => {
            let own = std::env::current_exe().context("finding this program")?;
            own.parent().context("this program is in no directory")?.to_owned()
        }
    };
    if let Some(dir) = line.record_dir.as_ref().filter(|dir| !dir.is_dir()) {
        bail!("--record-dir: {} is no directory", dir.display());
    }
    let mut arguments = vec!["--log-level".to_owned(), line.common.log_level.to_string()];
    if let Some(format) = line.common.log_format.to_possible_value() {
        arguments.extend(["--log-format".to_owned(), format.get_name().to_owned()]);
    }
    let _lock = RunDirLock::acquire(&line.common.run_dir)?;
    let settings = Settings {
        config: line.common.config,
        run_dir: line.common.run_dir,
        daemon_dir,
        record_dir: line.record_dir,
        arguments,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(shell::run(settings, config))
}
