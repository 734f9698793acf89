//! One supervisor per run directory.

use anyhow::{Context as _, bail};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Held while this supervisor lives. The kernel releases it however the process ends, so the file of a
/// killed one is no obstacle.
#[derive(Debug)]
pub struct RunDirLock {
    path: PathBuf,
    _lock: Flock<File>,
}

impl RunDirLock {
    /// Makes the run directory if needed and locks `mgmtd.pid` in it.
    ///
    /// # Errors
    /// When another supervisor holds it, or the directory cannot be used.
    pub fn acquire(run_dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(run_dir).with_context(|| format!("run directory {}", run_dir.display()))?;
        let path = run_dir.join("mgmtd.pid");
        let shown = path.display().to_string();
        // Not truncated before the lock is ours: the content may be another's.
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut lock =
            match Flock::lock(file.with_context(|| shown.clone())?, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => lock,
                Err((file, Errno::EWOULDBLOCK)) => {
                    let pid = io::read_to_string(file).unwrap_or_default();
                    bail!("{} belongs to another mgmtd (pid {})", run_dir.display(), pid.trim());
                }
                Err((_, error)) => return Err(error).with_context(|| format!("locking {shown}")),
            };
        lock.set_len(0)?;
        writeln!(lock, "{}", std::process::id())?;
        Ok(Self { path, _lock: lock })
    }
}

impl Drop for RunDirLock {
    fn drop(&mut self) {
        // Before the lock goes, so that what is removed is ours. A file that stays is no obstacle.
        let _ = fs::remove_file(&self.path);
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
