//! A daemon goes and its successor comes: by a crash, or because a new program was installed.
//!
//! Torc's supervisor starts what died. Who supervises the supervisor is the machine's service manager, and other suites run here without
//! their watchers: for both the lab starts the successor itself, at once.

use crate::lab::{Death, Lab};
use crate::stack::Stack;
use anyhow::{Context, Result, bail, ensure};
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a supervisor may take to start a daemon again.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two looks.
const POLL: Duration = Duration::from_millis(5);
/// Started again by nobody in the lab.
const SUPERVISOR: &str = "mgmtd";

/// Why a daemon is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// SIGKILL.
    Killed,
    /// A new program takes its place, as the manual says: ospfd is asked to prepare, the others are killed.
    Upgraded,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Killed => "kill -9",
            Self::Upgraded => "upgraded",
        })
    }
}

/// Ends a daemon and waits until its successor runs.
///
/// # Errors
/// There is no such daemon, nobody starts it again, or what runs is not what was installed.
pub fn restart(lab: &mut Lab, router: &str, daemon: &str, cause: Cause) -> Result<()> {
    let before = lab.pids_of(router, daemon)?;
    ensure!(!before.is_empty(), "{router} runs no {daemon}");
    let installed = match cause {
        Cause::Killed => None,
        Cause::Upgraded => Some(install(lab.daemons(), daemon)?),
    };
    if installed.is_some() && daemon == "ospfd" {
        // It answers, or is gone before it can.
        let _ = lab.torc_show(router, &["graceful-restart", "prepare", "ip", "ospf"]);
    } else {
        lab.kill(router, &Death::Daemon(daemon.to_owned()))?;
        if lab.stack(router) != Stack::Torc || daemon == SUPERVISOR {
            await_end(lab, router, daemon, &before)?;
            lab.start_process(router, daemon)?;
        }
    }
    let successor = await_successor(lab, router, daemon, &before)?;
    if let Some(inode) = installed {
        let runs = std::fs::metadata(format!("/proc/{successor}/exe"))?.ino();
        ensure!(runs == inode, "{router}: the {daemon} that runs is not the one that was installed");
    }
    Ok(())
}

/// Puts a new file in the program's place, as `install` does: what runs keeps the old one. Gives the new file's inode.
fn install(directory: &Path, daemon: &str) -> Result<u64> {
    let (program, new) = (directory.join(daemon), directory.join(format!("{daemon}.new")));
    std::fs::copy(&program, &new).with_context(|| new.display().to_string())?;
    std::fs::rename(&new, &program).with_context(|| program.display().to_string())?;
    Ok(std::fs::metadata(&program)?.ino())
}

fn await_end(lab: &Lab, router: &str, daemon: &str, before: &[i32]) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while lab.pids_of(router, daemon)?.iter().any(|pid| before.contains(pid)) {
        ensure!(Instant::now() < deadline, "{router}: {daemon} does not die");
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// Waits until a daemon runs that was not among those `before`, and gives its process id.
///
/// # Errors
/// None does in time.
pub fn await_successor(lab: &Lab, router: &str, daemon: &str, before: &[i32]) -> Result<i32> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(pid) = lab.pids_of(router, daemon)?.into_iter().find(|pid| !before.contains(pid)) {
            return Ok(pid);
        }
        std::thread::sleep(POLL);
    }
    bail!("{router}: {daemon} is not started again within {PATIENCE:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_program_is_a_new_file_with_the_same_content() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let program = directory.path().join("ospfd");
        std::fs::write(&program, "text")?;
        let before = std::fs::metadata(&program)?.ino();
        let after = install(directory.path(), "ospfd")?;
        assert_ne!(before, after);
        assert_eq!(after, std::fs::metadata(&program)?.ino());
        assert_eq!(std::fs::read(&program)?, b"text");
        Ok(())
    }
}
