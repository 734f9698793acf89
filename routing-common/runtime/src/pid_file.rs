//! One process of a kind per run directory.
//!
//! The lock is the kernel's: it ends however the process ends, so the file of a killed one is no obstacle.

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file with our process id, locked while we live and removed at the end.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    _lock: Flock<File>,
}

/// Why a pid file is not ours.
#[derive(Debug, thiserror::Error)]
pub enum PidFileError {
    /// A living process holds it.
    #[error("another one is running for this run directory (pid {pid}, {})", .path.display())]
    Held {
        /// What stands in it.
        pid: String,
        /// The file.
        path: PathBuf,
    },
    /// It cannot be opened, locked or written.
    #[error("pid file {}", .path.display())]
    Fault {
        /// The file.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
}

impl PidFile {
    /// Creates or takes over the file and locks it.
    ///
    /// # Errors
    /// See [`PidFileError`].
    pub fn create(path: &Path) -> Result<Self, PidFileError> {
        let fault = |source| PidFileError::Fault { path: path.to_owned(), source };
        loop {
            // Not truncated before the lock is ours: the file may be another's.
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
            let mut lock = match Flock::lock(file.map_err(fault)?, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => lock,
                Err((file, Errno::EWOULDBLOCK)) => {
                    let pid = io::read_to_string(file).unwrap_or_default().trim().to_owned();
                    return Err(PidFileError::Held { pid, path: path.to_owned() });
                }
                Err((_, errno)) => return Err(fault(errno.into())),
            };
            // A predecessor that was just leaving may have removed the file between our opening and
            // locking it; a lock on a file nobody else can find keeps nobody out.
            let ours = lock.metadata().map_err(fault)?.ino();
            if fs::metadata(path).is_ok_and(|found| found.ino() == ours) {
                lock.set_len(0).map_err(fault)?;
                writeln!(lock, "{}", std::process::id()).map_err(fault)?;
                return Ok(Self { path: path.to_owned(), _lock: lock });
            }
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Before the lock goes, so that what is removed is ours. A file that stays is no obstacle.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_is_held_by_one_and_a_stale_one_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.pid");
        fs::write(&path, "4194304 stale and longer than a pid").unwrap();
        let held = PidFile::create(&path).unwrap();
        let own = format!("{}\n", std::process::id());
        assert_eq!(fs::read_to_string(&path).unwrap(), own);
        let refused = PidFile::create(&path).unwrap_err().to_string();
        assert!(refused.contains(own.trim()), "{refused}");
        drop(held);
        assert!(!path.exists());
        PidFile::create(&path).unwrap();
    }
}
