//! One supervisor per run directory.

use anyhow::{Context as _, bail};
use routing_runtime::pid_file::{PidFile, PidFileError};
use std::fs;
use std::path::Path;

/// Held while this supervisor lives.
#[derive(Debug)]
pub struct RunDirLock {
    _file: PidFile,
}

impl RunDirLock {
    /// Makes the run directory if needed and locks `mgmtd.pid` in it.
    ///
    /// # Errors
    /// When another supervisor holds it, or the directory cannot be used.
    pub fn acquire(run_dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(run_dir).with_context(|| format!("run directory {}", run_dir.display()))?;
        match PidFile::create(&run_dir.join("mgmtd.pid")) {
            Ok(file) => Ok(Self { _file: file }),
            Err(PidFileError::Held { pid, .. }) => {
                bail!("{} belongs to another mgmtd (pid {pid})", run_dir.display())
            }
            Err(fault) => Err(fault.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_directory_has_one_supervisor_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let run_dir = dir.path().join("run");
        let held = RunDirLock::acquire(&run_dir).unwrap();
        let refused = RunDirLock::acquire(&run_dir).unwrap_err().to_string();
        assert!(
            refused.ends_with(&format!("belongs to another mgmtd (pid {})", std::process::id())),
            "{refused}"
        );
        drop(held);
        assert!(!run_dir.join("mgmtd.pid").exists());
        RunDirLock::acquire(&run_dir).unwrap();
    }
}
