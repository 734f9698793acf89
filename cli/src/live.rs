//! What the router itself can tell about a word that is being typed: its name, its interfaces, its neighbours. A daemon that
//! does not answer leaves the operator without a suggestion, never without a prompt.

use crate::connect::Connection;
use crate::management::{Management, understood};
use ospf_proto::api as ospf;
use rib::api as rib;
use routing_common::control::configuration::Source;
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// The router's name for the prompt.
pub(crate) fn hostname(run_dir: &Path) -> String {
    let running = Management::open(run_dir).and_then(|mut m| m.text(Source::Running));
    let config = running.and_then(|text| understood(&text.file, &text.text));
    config.map_or_else(|_| "torc".to_owned(), |config| config.hostname)
}

/// The values a placeholder can take here; `before` is the line up to the cursor.
pub(crate) fn values(run_dir: &Path, before: &str, label: &str) -> Vec<String> {
    let of_ospf_neighbor = before.contains("neighbor");
    match label {
        "IFNAME" => keys(ask(run_dir, "ribd", &rib::Request::Interfaces)),
        "A.B.C.D" if of_ospf_neighbor => {
            let request = ospf::Request::Neighbors { filter: None, detail: false };
            keys(ask(run_dir, "ospfd", &request).and_then(|value| value.get("neighbors").cloned()))
        }
        _ => Vec::new(),
    }
}

fn ask(run_dir: &Path, daemon: &str, request: &impl Serialize) -> Option<Value> {
    Connection::open(run_dir, daemon).ok()?.ask(serde_json::to_value(request).ok()?).ok()
}

/// The names of a JSON object's members.
fn keys(value: Option<Value>) -> Vec<String> {
    match value {
        Some(Value::Object(members)) => members.into_iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}
