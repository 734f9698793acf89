//! A file that FRR's shell reads (`vtysh -f`, `vtysh -b`): one transaction, though its lines come over several connections.
//!
//! FRR's shell says `XFRR_start_configuration` to every daemon, then each line to the daemons that have it, then
//! `XFRR_end_configuration` to every daemon. What comes between from one process is one candidate, made under the
//! configuration's lock, in which every connection has a mode of its own. A line that is wrong is refused when it comes, so that
//! FRR's shell names it; nothing of the file is in force then. The first connection that hears the end commits: by then every line
//! has been said.
//!
//! FRR's shell prints what is answered to the end, but its exit code knows about lines only. A shell that dies in the
//! middle leaves everything as it was.

use crate::commands::configuration::Style;
use crate::configure::Configuring;
use anyhow::{Result, anyhow, bail};
use config_lines::Mode;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// What is being read, by the process that reads it.
#[derive(Default)]
pub(super) struct Loads(Mutex<BTreeMap<i32, Weak<Mutex<File>>>>);

/// One connection's part in a file.
pub(super) struct Load {
    file: Arc<Mutex<File>>,
    mode: Mode,
}

/// One file that is being read.
struct File {
    /// Until its end, or the reason why there is nothing to be changed.
    candidate: Option<Result<Configuring, String>>,
    lines: usize,
    refused: usize,
}

impl Loads {
    /// A connection of this process begins: a file, or the one that another of its connections has begun.
    pub(super) fn join(&self, process: Option<i32>, run_dir: &Path) -> Load {
        let mut known = locked(&self.0);
        known.retain(|_, file| file.strong_count() > 0);
        let begun = process.and_then(|process| known.get(&process)?.upgrade());
        let file = begun.filter(|file| locked(file).candidate.is_some()).unwrap_or_else(|| {
            let candidate =
                Configuring::enter(run_dir, Style::Candidate).map_err(|error| format!("{error:#}"));
            let file = Arc::new(Mutex::new(File { candidate: Some(candidate), lines: 0, refused: 0 }));
            known.extend(process.map(|process| (process, Arc::downgrade(&file))));
            file
        });
        Load { file, mode: Mode::Config }
    }
}

impl Load {
    /// Takes a line of the file.
    pub(super) fn line(&mut self, line: &str) -> Result<String> {
        let mut file = locked(&self.file);
        file.lines += 1;
        let outcome = match &mut file.candidate {
            Some(Ok(candidate)) => candidate.line_of_file(&mut self.mode, line),
            Some(Err(why)) => Err(anyhow!("{why}")),
            None => Err(anyhow!("% The file is over")),
        };
        file.refused += usize::from(outcome.is_err());
        outcome
    }

    /// Back to the top; FRR's shell does that now and then.
    pub(super) fn go_to_top(&mut self) {
        self.mode = Mode::Config;
    }

    /// The end of the file: brings it into force, unless another connection has.
    pub(super) fn finish(self) -> Result<String> {
        let mut file = locked(&self.file);
        let (lines, refused) = (file.lines, file.refused);
        match file.candidate.take() {
            None => Ok(String::new()),
            Some(_) if refused > 0 => {
                bail!("% {refused} of {lines} lines were refused: nothing of the file is in force")
            }
            Some(Err(why)) => bail!("{why}"),
            Some(Ok(candidate)) => candidate
                .commit_file()
                .map_err(|error| anyhow!("{error:#}\n% Nothing of the file is in force")),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_one_process_read_one_file() {
        let (loads, nowhere) = (Loads::default(), Path::new("/nonexistent"));
        let (mut one, two, other) =
            (loads.join(Some(7), nowhere), loads.join(Some(7), nowhere), loads.join(Some(8), nowhere));
        assert!(Arc::ptr_eq(&one.file, &two.file) && !Arc::ptr_eq(&one.file, &other.file));
        let nobody = loads.join(None, nowhere);
        assert!(!Arc::ptr_eq(&loads.join(None, nowhere).file, &nobody.file));
        assert!(one.line("hostname a").unwrap_err().to_string().contains("mgmtd is not running"));
        assert!(one.finish().unwrap_err().to_string().contains("1 of 1 lines were refused"));
        assert_eq!(two.finish().unwrap(), "", "told once");
        let again = loads.join(Some(7), nowhere);
        assert!(again.finish().unwrap_err().to_string().contains("mgmtd is not running"), "another file");
    }
}
