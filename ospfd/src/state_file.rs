//! `RUN_DIR/ospfd.state`: what the engine wants its successor to know.
//!
//! The file is replaced as a whole ([`whole_file`]). What cannot be written is attempted again once a second. The run directory must not outlive a
//! boot of the machine, as the kernel's routes do not.

use ospf_proto::restart::Saved;
use routing_common::notice::Notice;
use routing_common::time::{Duration, Instant};
use routing_runtime::whole_file;
use std::fs;
use std::io;
use std::path::PathBuf;

/// Between attempts to write what could not be written.
const RETRY: Duration = Duration::from_secs(1);
/// No file of ours is longer, in octets: an interface's name has at most 15.
const LONGEST: u64 = 1 << 20;

/// See the module text.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    /// What could not be written, and when it is attempted again.
    unwritten: Option<(Saved, Instant)>,
}

impl StateFile {
    /// Reads what the former process left; a file that cannot be read is told and as good as none.
    pub(crate) fn open(path: PathBuf) -> (Self, Result<Option<Saved>, Notice>) {
        let saved = read(&path).map_err(|error| {
            let text = format!("{}: {error}; this start knows nothing of the last one", path.display());
            Notice::warning("state-file", text)
        });
        (Self { path, unwritten: None }, saved)
    }

    /// Replaces the file.
    pub(crate) fn write(&mut self, now: Instant, saved: Saved) -> Option<Notice> {
        let error = self.replace(&saved).err()?;
        self.unwritten = Some((saved, now + RETRY));
        let text = format!("{}: {error}; trying again", self.path.display());
        Some(Notice::error("state-file", text))
    }

    /// When [`StateFile::retry`] is wanted.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.unwritten.as_ref().map(|(_, at)| *at)
    }

    /// Attempts again what could not be written.
    pub(crate) fn retry(&mut self, now: Instant) -> Option<Notice> {
        let (saved, _) = self.unwritten.take_if(|(_, at)| *at <= now)?;
        self.write(now, saved)
    }

    fn replace(&mut self, saved: &Saved) -> io::Result<()> {
        whole_file::replace(&self.path, &serde_json::to_vec(saved).map_err(io::Error::other)?, 0o600)?;
        self.unwritten = None;
        Ok(())
    }
}

fn read(path: &std::path::Path) -> io::Result<Option<Saved>> {
    let length = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if length > LONGEST {
        return Err(io::Error::other(format!("{length} octets are too many")));
    }
    let saved = serde_json::from_slice(&fs::read(path)?)?;
    Ok(Some(saved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ospf_proto::restart::Life;
    use routing_common::id::RouterId;
    use std::net::Ipv4Addr;

    fn saved(life: Life) -> Saved {
        Saved {
            router_id: RouterId(Ipv4Addr::new(10, 255, 0, 1)),
            interfaces: vec!["eth1".parse().unwrap()],
            cryptographic_sequence: 1_700_000_000,
            grace_sequence: -5,
            life,
        }
    }

    #[test]
    fn what_is_written_is_found_by_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ospfd.state");
        let now = Instant::from_secs(1);
        let (mut file, found) = StateFile::open(path.clone());
        assert_eq!(found.unwrap(), None);
        for life in [Life::Running, Life::Planned { until: 7 }, Life::Restarting { until: 8 }, Life::Ended] {
            assert!(file.write(now, saved(life)).is_none());
            assert_eq!(StateFile::open(path.clone()).1.unwrap(), Some(saved(life)));
        }
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing is left beside it");
    }

    #[test]
    fn rubbish_is_told_and_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ospfd.state");
        fs::write(&path, b"{\"router-id\": 7").unwrap();
        let (mut file, found) = StateFile::open(path.clone());
        assert!(found.unwrap_err().text.contains("knows nothing"));
        assert!(file.write(Instant::from_secs(1), saved(Life::Running)).is_none());
        assert!(StateFile::open(path).1.is_ok());
    }

    #[test]
    fn what_cannot_be_written_is_attempted_again() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("run");
        let (mut file, _) = StateFile::open(inner.join("ospfd.state"));
        let now = Instant::from_secs(1);
        assert!(file.write(now, saved(Life::Running)).is_some());
        assert_eq!(file.retry_at(), Some(now + RETRY));
        assert!(file.retry(now).is_none(), "not due");
        assert!(file.retry(now + RETRY).is_some());
        fs::create_dir(&inner).unwrap();
        assert!(file.retry(now + RETRY * 2).is_none());
        assert_eq!(file.retry_at(), None);
        assert_eq!(StateFile::open(inner.join("ospfd.state")).1.unwrap(), Some(saved(Life::Running)));
    }
}
