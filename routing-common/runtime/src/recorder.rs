//! A recording on disk: a thread writes what the engine's turn leaves in memory.
//!
//! Routing never waits for the disk. A [`FileSink`] queues bytes; the thread takes all there is and gives it to
//! the kernel in one write, within microseconds and at the latest when the disk lets it. What the kernel has
//! survives the daemon's death in any way, though not the host's: nothing is forced to the medium.
//!
//! The queue is bounded (64 MiB). When it overflows, because the disk hangs, or when a write fails,
//! because it is full, the recording ends with one error in the log, and routing goes on.
//!
//! The file is its owner's alone (mode 0600): it holds the configuration with its keys. A recording that is there
//! already may be of the very crash somebody wants to look into: it is kept as `FILE.old`.

use routing_common::record::Sink;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

/// Bytes that may wait for the disk, beside one frame.
const MOST_WAITING: usize = 64 << 20;
/// Bytes after which one write begins.
const BATCH: usize = 1 << 20;

/// The file and its thread. Dropping it waits until everything is written, unless writing has failed.
#[derive(Debug)]
pub struct Recording {
    sink: FileSink,
    writer: Option<JoinHandle<()>>,
}

/// Takes an engine's recording.
#[derive(Debug, Clone)]
pub struct FileSink {
    queue: Sender<Job>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
enum Job {
    Write(Vec<u8>),
    /// The daemon ends.
    Close,
}

#[derive(Debug)]
struct Shared {
    /// For messages.
    path: PathBuf,
    /// Bytes in the queue and in the write under way.
    waiting: AtomicUsize,
    /// It failed; bytes are refused.
    ended: AtomicBool,
}

impl Recording {
    /// Makes the file and starts its thread.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = create(path)?;
        let (queue, jobs) = mpsc::channel();
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            waiting: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        let write = move || theirs.write(file, &jobs);
        let writer = thread::Builder::new().name("recorder".to_owned()).spawn(write)?;
        Ok(Self { sink: FileSink { queue, shared }, writer: Some(writer) })
    }

    /// A way into the file; all of them keep the order of writing.
    pub fn sink(&self) -> FileSink {
        self.sink.clone()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // A thread that cannot be told has ended.
        let _ = self.sink.queue.send(Job::Close);
        if !self.sink.shared.ended.load(Ordering::Relaxed)
            && let Some(writer) = self.writer.take()
        {
            // It has nothing to say: its failures are in the log.
            let _ = writer.join();
        }
    }
}

impl Sink for FileSink {
    fn write(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if self.shared.ended.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        if self.shared.waiting.load(Ordering::Relaxed) > MOST_WAITING {
            self.shared.end(&format!("the disk is more than {MOST_WAITING} bytes behind"));
            return ControlFlow::Break(());
        }
        self.shared.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
        match self.queue.send(Job::Write(bytes.to_vec())) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    fn give_up(&mut self, why: &str) {
        self.shared.end(why);
    }
}

impl Shared {
    /// No more, and says so once.
    fn end(&self, why: &str) {
        if !self.ended.swap(true, Ordering::Relaxed) {
            tracing::error!(code = "recording-ended", "the recording {} ends: {why}", self.path.display());
        }
    }

    /// The thread.
    fn write(&self, mut file: File, jobs: &Receiver<Job>) {
        let mut batch = Vec::new();
        while let Ok(Job::Write(bytes)) = jobs.recv() {
            batch.extend_from_slice(&bytes);
            let mut closing = false;
            while batch.len() < BATCH {
                match jobs.try_recv() {
                    Ok(Job::Write(bytes)) => batch.extend_from_slice(&bytes),
                    Ok(Job::Close) => {
                        closing = true;
                        break;
                    }
                    Err(_) => break,
                }
            }
            if let Err(error) = file.write_all(&batch) {
                return self.end(&error.to_string());
            }
            self.waiting.fetch_sub(batch.len(), Ordering::Relaxed);
            // What follows a gap would be of no use.
            if closing || self.ended.load(Ordering::Relaxed) {
                return;
            }
            batch.clear();
            batch.shrink_to(BATCH);
        }
    }
}

/// Opens a new file; what is no file, such as a pipe, is written to as it is.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() || found.is_symlink() => {
            let mut old = path.as_os_str().to_owned();
            old.push(".old");
            fs::rename(path, old)?;
        }
        Ok(_) => return options.open(path),
        Err(_) => {}
    }
    options.create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use routing_common::time::Duration;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn bytes_are_in_the_file_soon_and_all_of_them_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ospfd.rec");
        let recording = Recording::create(&path).unwrap();
        let (mut one, mut two) = (recording.sink(), recording.sink());
        assert!(one.write(b"first ").is_continue());
        let begun = Clock.now();
        while fs::read(&path).unwrap() != b"first " {
            assert!(
                Clock.now().since(begun) < Duration::from_secs(10),
                "it is not written while the daemon runs"
            );
            thread::park_timeout(Duration::from_millis(1));
        }
        let piece = [7; 100_000];
        for _ in 0..100 {
            assert!(two.write(&piece).is_continue());
        }
        drop(recording);
        let file = fs::read(&path).unwrap();
        assert_eq!((&file[..6], file.len()), (&b"first "[..], 6 + 100 * piece.len()));
        assert!(one.write(b"late").is_break(), "nobody would write it");
    }

    #[test]
    fn the_file_is_its_owners_alone_and_the_former_one_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ospfd.rec");
        fs::write(&path, "crash").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        drop(Recording::create(&path).unwrap());
        assert_eq!(fs::read(dir.path().join("ospfd.rec.old")).unwrap(), b"crash");
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Recording::create(&dir.path().join("absent").join("ospfd.rec")).is_err());
    }

    #[test]
    fn a_full_disk_ends_the_recording_and_nothing_else() {
        let recording = Recording::create(Path::new("/dev/full")).unwrap();
        let mut sink = recording.sink();
        let begun = Clock.now();
        while sink.write(b"x").is_continue() {
            assert!(Clock.now().since(begun) < Duration::from_secs(10), "the error is never noticed");
        }
        assert!(recording.sink().write(b"x").is_break());
    }

    #[test]
    fn a_disk_that_hangs_costs_bounded_memory() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        // Somebody must have it open for reading before it can be written to; he never reads.
        let reader = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        let recording = Recording::create(&pipe).unwrap();
        let mut sink = recording.sink();
        let piece = vec![0; 4 << 20];
        let written = (0..100).take_while(|_| sink.write(&piece).is_continue()).count() * piece.len();
        assert!((MOST_WAITING..3 * MOST_WAITING).contains(&written), "{written}");
        let mut other = recording.sink();
        assert!(other.write(b"x").is_break(), "ended for everybody");
        drop(recording);
        // Reached, because nobody waits for a thread that hangs. The last reader's leaving ends it.
        drop(reader);
    }
}
