//! Captures of one link, for a protocol analyser.
//!
//! The switch's bridge sees every frame of its link once; `tcpdump` does the rest.

use crate::lab::Lab;
use crate::netns;
use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running capture; it ends with the value.
#[derive(Debug)]
pub struct Capture {
    child: Child,
}

impl Capture {
    /// Captures a link into a file, from now on.
    ///
    /// # Errors
    /// No such link, no `tcpdump`.
    pub fn start(lab: &Lab, link: &str, file: &Path) -> Result<Self> {
        let _ = std::fs::remove_file(file);
        let child = netns::within(&lab.names().switch(link), || {
            let mut command = Command::new("tcpdump");
            command.args(["-i", "br0", "-U", "-n", "-q", "--immediate-mode", "-Z", "root", "-w"]).arg(file);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().context("tcpdump cannot be started")
        })?;
        // The file's header is written when the capture is armed.
        let deadline = Instant::now() + Duration::from_secs(3);
        while std::fs::metadata(file).map_or(0, |m| m.len()) == 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Self { child })
    }

    /// Waits until the capture is stopped from outside.
    ///
    /// # Errors
    /// The process cannot be waited for.
    pub fn wait(mut self) -> Result<()> {
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        if let (Ok(None), Ok(pid)) = (self.child.try_wait(), i32::try_from(self.child.id())) {
            netns::signal_all(&[pid], Signal::SIGTERM);
        }
        let _ = self.child.wait();
    }
}
