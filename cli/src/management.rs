//! Questions to the supervisor, which owns the configuration and the processes.

use crate::connect::Connection;
use anyhow::{Context as _, Result, bail};
use config_lines::{Secrets, render};
use routing_common::config::{Config, load};
use routing_common::control::configuration::{Commit, Committed, Request, Source, State, Text, render_text};
use routing_common::control::processes::{self, Processes};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;

/// A conversation with the supervisor.
pub(crate) struct Management(Connection);

impl Management {
    /// Connects.
    pub(crate) fn open(run_dir: &Path) -> Result<Self> {
        Ok(Self(Connection::open(run_dir, "mgmtd")?))
    }

    /// Asks, and gives the answer back as it came.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Value> {
        self.0.ask(serde_json::to_value(request)?)
    }

    /// Asks, and gives the answer back as an operator reads it.
    pub(crate) fn ask_text(&mut self, request: &Request) -> Result<String> {
        let reply = self.ask(request)?;
        render_text(request, &reply).context("mgmtd sent what this shell cannot show")
    }

    fn typed<T: DeserializeOwned>(&mut self, request: &impl Serialize) -> Result<T> {
        let reply = self.0.ask(serde_json::to_value(request)?)?;
        serde_json::from_value(reply).context("mgmtd sent what this shell cannot read")
    }

    /// The daemons of this router.
    pub(crate) fn processes(&mut self) -> Result<Processes> {
        self.typed(&processes::Request::ShowProcesses)
    }

    /// A text of the configuration.
    pub(crate) fn text(&mut self, source: Source) -> Result<Text> {
        self.typed(&Request::GetConfiguration(source))
    }

    /// The revision in force.
    pub(crate) fn revision(&mut self) -> Result<u64> {
        Ok(self.typed::<State>(&Request::ShowState)?.revision)
    }

    /// Brings a text into force.
    pub(crate) fn commit(&mut self, commit: Commit) -> Result<Committed> {
        self.typed(&Request::Commit(commit))
    }

    /// A text of the configuration as lines, keys and passwords blanked out.
    pub(crate) fn lines(&mut self, source: Source) -> Result<String> {
        let text = self.text(source)?;
        Ok(render(&understood(&text.file, &text.text)?, Secrets::Masked))
    }
}

/// What a text says.
pub(crate) fn understood(file: &str, text: &str) -> Result<Config> {
    match load(file, text) {
        Ok(loaded) => Ok(loaded.config),
        Err(found) => bail!("{}", found.to_string().trim_end()),
    }
}

/// What differs, line by line, with a little around it; empty if nothing does.
pub(crate) fn difference(old: &str, new: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    // Where something stands is told by its block, not by line numbers of a text nobody sees.
    let hunks = diff.unified_diff().context_radius(2).to_string();
    hunks.lines().filter(|l| !l.starts_with("@@")).map(|l| format!("{l}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_goes_and_what_comes() {
        let (old, new) = ("a\nb\nc\nd\ne\n", "a\nb\nx\nd\ne\n");
        assert_eq!(difference(old, new), " a\n b\n-c\n+x\n d\n e\n");
        assert_eq!(difference(old, old), "");
    }
}
