//! A program that is started inside a namespace and runs until it is killed.

use anyhow::{Context, Result, anyhow};
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take until it opens its socket.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// Lines of a log in an error.
const LOG_LINES: usize = 20;

/// A process to start inside a router's namespace.
#[derive(Debug)]
pub struct Process {
    /// Names the log file.
    pub name: &'static str,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// A file (mostly a socket) that must exist before the next process starts.
    pub ready: Option<PathBuf>,
}

impl Process {
    /// Starts it in the calling thread's namespaces and in a process group of its own, with its output appended
    /// to `NAME.log` in `dir`, and waits until it is ready.
    ///
    /// # Errors
    /// It cannot be started, ends at once, or is not ready in time; then it is killed, and the error holds the end of its log.
    pub fn start(&self, dir: &Path) -> Result<Child> {
        if let Some(ready) = &self.ready {
            let _ = std::fs::remove_file(ready);
        }
        let log_path = dir.join(format!("{}.log", self.name));
        let log = File::options().create(true).append(true).open(&log_path)?;
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", self.program.display()))?;
        if let Err(fault) = self.await_ready(&mut child) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(fault.context(format!("{}\n{}", self.name, tail(&log_path))));
        }
        Ok(child)
    }

    fn await_ready(&self, child: &mut Child) -> Result<()> {
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            if let Some(status) = child.try_wait()? {
                return Err(anyhow!("ended with {status}"));
            }
            if self.ready.as_ref().is_none_or(|ready| ready.exists()) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(anyhow!("did not open {:?} in {START_PATIENCE:?}", self.ready));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default().join("\n")
}
