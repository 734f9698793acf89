//! The supervisor's process: arguments, configuration, lock, then [`mgmtd::shell`].
#![forbid(unsafe_code)]

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum as _};
use mgmtd::lock::RunDirLock;
use mgmtd::shell::{self, Refused, Settings};
use routing_runtime::daemon::{Arguments, EXIT_REFUSED};
use routing_runtime::logging;
use std::path::{Path, PathBuf};
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
    /// Where former configurations are kept: /var/lib/torc/archive for the usual run directory, else RUN_DIR/archive.
    #[arg(long, value_name = "DIR")]
    archive_dir: Option<PathBuf>,
    /// Let every daemon record what its engine is told, in DIR/ospfd.rec and so on, for replaying it with
    /// routing-sim. The files hold the configuration with its keys.
    #[arg(long, value_name = "DIR")]
    record_dir: Option<PathBuf>,
}

fn main() -> ExitCode {
    let line = CommandLine::parse();
    logging::start("mgmtd", &line.common.log_level, line.common.log_format);
    if line.common.check {
        return match shell::validate(&line.common.config) {
            Ok(warnings) => {
                warnings.iter().for_each(|w| tracing::warn!("{w}"));
                println!("{}: OK", line.common.config.display());
                ExitCode::SUCCESS
            }
            Err(findings) => refused(&findings),
        };
    }
    match supervise(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(findings) = error.downcast_ref::<Refused>() {
                return refused(findings);
            }
            eprintln!("mgmtd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn refused(findings: &Refused) -> ExitCode {
    eprintln!("{findings}");
    ExitCode::from(EXIT_REFUSED)
}

/// Where former configurations are kept unless the operator says otherwise: where they survive a boot, or, for a router that
/// does not live in the usual place, beside its sockets.
fn archive_of(run_dir: &Path) -> PathBuf {
    if run_dir == Path::new("/run/torc") { "/var/lib/torc/archive".into() } else { run_dir.join("archive") }
}

fn supervise(line: CommandLine) -> anyhow::Result<()> {
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
    if !line.common.run_dir.exists() {
        // Nothing can be running, and a file that is refused leaves nothing behind.
        shell::validate(&line.common.config)?;
    }
    let _lock = RunDirLock::acquire(&line.common.run_dir)?;
    let settings = Settings {
        config: line.common.config,
        archive_dir: line.archive_dir.unwrap_or_else(|| archive_of(&line.common.run_dir)),
        run_dir: line.common.run_dir,
        daemon_dir,
        record_dir: line.record_dir,
        arguments,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(shell::run(settings))
}
