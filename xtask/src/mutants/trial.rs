//! Running seeds with one bug awake until a law is broken.

use super::tree::VARIABLE;
use anyhow::{Context, Result};
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Which seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seeds {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) step: u64,
}

/// What became of a bug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A law was broken.
    Caught {
        /// By which seed.
        seed: u64,
        /// Which law.
        law: String,
        /// What it said.
        text: String,
    },
    /// No law was broken by any seed.
    Survived,
    /// The time was over.
    TooSlow,
    /// The program did not come to an end of its own.
    Failed(String),
}

impl Verdict {
    pub(crate) fn is_caught(&self) -> bool {
        matches!(self, Self::Caught { .. })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught { seed, law, text } => write!(f, "{law}, seed {seed}: {text}"),
            Self::Survived => f.write_str("SURVIVED"),
            Self::TooSlow => f.write_str("NOT CAUGHT IN TIME"),
            Self::Failed(text) => write!(f, "FAILED: {text}"),
        }
    }
}

/// Between looks whether a run has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the program over the seeds.
///
/// # Errors
/// It cannot be started or watched.
pub(crate) fn run(program: &Path, mutant: Option<&str>, seeds: Seeds, limit: Duration) -> Result<Verdict> {
    let Seeds { first, last, step } = seeds;
    let mut command = Command::new(program);
    command.args([first, last, step].map(|n| n.to_string())).env_remove(VARIABLE);
    command.envs(mutant.map(|name| (VARIABLE, name)));
    // What it says is one line, which a pipe holds while nobody reads.
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(Verdict::TooSlow);
        }
        std::thread::sleep(LOOK);
    };
    let mut said = String::new();
    child.stdout.take().context("no output")?.read_to_string(&mut said)?;
    Ok(verdict(&said).unwrap_or_else(|| Verdict::Failed(format!("the program ended with {status}"))))
}

/// What the program said: `clean`, or `broken`, seed, law and text, by tabs.
fn verdict(said: &str) -> Option<Verdict> {
    let mut words = said.trim_end().splitn(4, '\t');
    match words.next()? {
        "clean" => Some(Verdict::Survived),
        "broken" => Some(Verdict::Caught {
            seed: words.next()?.parse().ok()?,
            law: words.next()?.to_owned(),
            text: words.next()?.to_owned(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_says_is_understood() {
        assert_eq!(verdict("clean\n"), Some(Verdict::Survived));
        let (law, text) = ("S1".to_owned(), "older\tthan before".to_owned());
        assert_eq!(
            verdict("broken\t7\tS1\tolder\tthan before\n"),
            Some(Verdict::Caught { seed: 7, law, text })
        );
        assert_eq!(verdict(""), None);
        assert_eq!(verdict("broken\tx\tS1\tt"), None);
    }
}
