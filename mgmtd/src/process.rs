//! A daemon's process: launched or adopted, watched and signalled through a pidfd.
//!
//! A pidfd names one process for ever, so a signal can never hit a stranger that got the same pid, and
//! it becomes readable when the process ends, whether it is our child or was left behind by an
//! earlier supervisor.

use crate::supervisor::{Daemon, Order};
use anyhow::Context as _;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

/// How often a starting daemon's socket is tried.
const PROBE_EVERY: Duration = Duration::from_millis(20);
/// A connection that takes longer is no connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// A process that runs.
#[derive(Debug)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    handle: OwnedFd,
    /// Ours to reap; an adopted one is reaped by whoever inherited it.
    child: Option<Child>,
}

impl Process {
    /// Starts a program of its own process group: Ctrl-C in a terminal reaches the supervisor alone, which
    /// then stops the others in order.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub fn launch(program: &Path, arguments: &[String]) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).process_group(0);
        let child = command.spawn().with_context(|| program.display().to_string())?;
        let pid = child.id();
        Ok(Self { pid, handle: open(pid)?, child: Some(child) })
    }

    /// Takes charge of a process that runs already.
    ///
    /// # Errors
    /// When it has ended meanwhile.
    pub fn adopt(pid: u32) -> anyhow::Result<Self> {
        Ok(Self { pid, handle: open(pid)?, child: None })
    }

    /// Sends a signal; a process that has ended is not an error.
    pub fn signal(&self, order: Order) {
        let signal = match order {
            Order::Reload => Signal::HUP,
            Order::Terminate => Signal::TERM,
            Order::Kill => Signal::KILL,
        };
        if let Err(error) = pidfd_send_signal(&self.handle, signal) {
            tracing::debug!(pid = self.pid, %error, "signal not delivered");
        }
    }

    /// Calls `then` when the process has ended.
    ///
    /// A thread waits, not the reactor: registering a foreign descriptor there takes unsafe code, and
    /// there are three daemons. The thread ends with the process or with the supervisor.
    ///
    /// # Errors
    /// When the process cannot be watched.
    pub fn on_end(&self, then: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
        let handle = self.handle.try_clone()?;
        let wait = move || {
            let mut ended = [PollFd::new(handle.as_fd(), PollFlags::POLLIN)];
            while poll(&mut ended, PollTimeout::NONE) == Err(Errno::EINTR) {}
            then();
        };
        thread::Builder::new().name(format!("watch-{}", self.pid)).spawn(wait)?;
        Ok(())
    }

    /// How it ended; call it only then, or it waits for the end.
    pub fn outcome(self) -> String {
        match self.child.map(|mut child| child.wait()) {
            Some(Ok(status)) => status.to_string(),
            Some(Err(error)) => error.to_string(),
            None => "adopted, exit status unknown".to_owned(),
        }
    }
}

fn open(pid: u32) -> anyhow::Result<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("not a process id")?;
    pidfd_open(pid, PidfdFlags::empty()).with_context(|| format!("process {}", pid.as_raw_nonzero()))
}

/// The control socket of a daemon.
pub fn socket_of(run_dir: &Path, daemon: Daemon) -> PathBuf {
    run_dir.join(format!("{}.sock", daemon.name()))
}

/// The process that listens on a control socket, if one does.
pub async fn listener(socket: &Path) -> Option<u32> {
    let stream = timeout(CONNECT_WITHIN, UnixStream::connect(socket)).await.ok()?.ok()?;
    stream.peer_cred().ok()?.pid().and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0)
}

/// Waits until `pid` listens on `socket`; a stale socket of another process does not count.
pub async fn accepting(socket: PathBuf, pid: u32) {
    while listener(&socket).await != Some(pid) {
        sleep(PROBE_EVERY).await;
    }
}
