//! What the router itself can tell about a word that is being typed: its name, its interfaces, its neighbours. A daemon that
//! does not answer leaves the operator without a suggestion, never without a prompt.

use crate::connect::ask;
use crate::management::{Management, understood};
use anyhow::Result;
use ospf_proto::api as ospf;
use rib::api as rib;
use routing_common::control::configuration::Source;
use serde_json::Value;
use std::path::Path;

/// The router's name for the prompt, read anew when another configuration is in force.
#[derive(Debug, Default)]
pub(crate) struct Hostname {
    /// Of which revision, and what it is.
    known: Option<(u64, String)>,
}

impl Hostname {
    /// The name now.
    pub(crate) fn of(&mut self, run_dir: &Path) -> &str {
        // Without an answer it is what it was.
        let _ = self.look(run_dir);
        self.known.as_ref().map_or("torc", |(_, name)| name)
    }

    fn look(&mut self, run_dir: &Path) -> Result<()> {
        let mut management = Management::open(run_dir)?;
        let revision = management.revision()?;
        if self.known.as_ref().is_none_or(|(known, _)| *known != revision) {
            let text = management.text(Source::Running)?;
            self.known = Some((revision, understood(&text.file, &text.text)?.hostname));
        }
        Ok(())
    }
}

/// The values a placeholder can take here; `before` is the line up to the cursor.
pub(crate) fn values(run_dir: &Path, before: &str, label: &str) -> Vec<String> {
    let of_ospf_neighbor = before.contains("neighbor");
    match label {
        "IFNAME" => keys(ask(run_dir, "ribd", &rib::Request::Interfaces).ok()),
        "A.B.C.D" if of_ospf_neighbor => {
            let request = ospf::Request::Neighbors { filter: None, detail: false };
            keys(ask(run_dir, "ospfd", &request).ok().and_then(|value| value.get("neighbors").cloned()))
        }
        _ => Vec::new(),
    }
}

/// The names of a JSON object's members.
fn keys(value: Option<Value>) -> Vec<String> {
    match value {
        Some(Value::Object(members)) => members.into_iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}
