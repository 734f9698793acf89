//! Nothing is left behind, whatever happens to us.
//!
//! A lab is normally taken down by its owner's `Drop`. Ctrl-C, SIGKILL and an aborting panic run no destructor, so a small shell
//! waits beside every lab with a pipe to us as its input: when the pipe closes, by whatever cause, it ends what lives in the
//! lab's namespaces and removes them. A lab that shall outlive us says so with one line ([`Janitor::dismiss`]).

use anyhow::{Context, Result};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = r#"
if read -r word; then exit 0; fi
for signal in TERM KILL; do
  for name in "$1"*; do
    [ -e "$name" ] && kill -$signal $(ip netns pids "${name##*/}") 2>/dev/null
  done
  [ $signal = TERM ] && sleep 0.3
done
for name in "$1"*; do [ -e "$name" ] && ip netns del "${name##*/}"; done
rm -rf "$2"
"#;

/// The process that cleans up after us.
#[derive(Debug)]
pub struct Janitor {
    child: Child,
}

impl Janitor {
    /// Starts one for the namespaces that begin with `prefix` and the directory `run_dir`.
    ///
    /// # Errors
    /// No shell.
    pub fn hire(prefix: &str, run_dir: &Path) -> Result<Self> {
        let child = Command::new("sh")
            .args(["-c", SCRIPT, "ringlab-janitor"])
            .arg(crate::netns::path(prefix))
            .arg(run_dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting the janitor")?;
        Ok(Self { child })
    }

    /// Lets the lab live on (or says that it is already gone).
    pub fn dismiss(&mut self) {
        if let Some(mut stdin) = self.child.stdin.take() {
            // A janitor that died has nothing left to do either.
            let _ = stdin.write_all(b"dismissed\n");
        }
        let _ = self.child.wait();
    }
}
