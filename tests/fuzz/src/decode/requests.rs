//! What the shell asks the engines, and what it shows of the answers.

use crate::{bfd, ospf, rib_engine, vrrp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::LazyLock;

/// Engines in the midst of things, to be asked.
static OSPF: LazyLock<ospf::Asked> = LazyLock::new(ospf::Asked::new);
static VRRP: LazyLock<vrrp::Asked> = LazyLock::new(vrrp::Asked::new);
static BFD: LazyLock<bfd::Asked> = LazyLock::new(bfd::Asked::new);
static RIB: LazyLock<rib_engine::Asked> = LazyLock::new(rib_engine::Asked::new);

/// The first octet chooses the engine. Then follow a request and, behind a line feed, a reply that no daemon
/// of this release would give: neither may do more than be refused.
pub fn requests(data: &[u8]) {
    let Some((engine, texts)) = data.split_first() else { return };
    let mut texts = texts.splitn(2, |b| *b == b'\n');
    let request = texts.next().unwrap_or_default();
    let reply = texts.next().and_then(|t| serde_json::from_slice(t).ok());
    match engine % 3 {
        // Taken out of the row, so that kept inputs mean what they meant.
        _ if *engine == 255 => ask(request, reply, |r| BFD.query(r), bfd_proto::api::render_text),
        0 => ask(request, reply, |r| OSPF.query(r), ospf_proto::api::render_text),
        1 => ask(request, reply, |r| VRRP.query(r), vrrp_proto::api::render_text),
        _ => ask(request, reply, |r| RIB.query(r), rib::api::render_text),
    }
}

fn ask<R: DeserializeOwned + core::fmt::Debug>(
    request: &[u8],
    reply: Option<Value>,
    query: impl Fn(&R) -> Result<Value, String>,
    render: impl Fn(&R, &Value) -> Result<String, serde_json::Error>,
) {
    let Ok(request) = serde_json::from_slice::<R>(request) else { return };
    match query(&request) {
        Ok(value) => assert!(render(&request, &value).is_ok(), "{request:?}: own reply refused: {value}"),
        Err(text) => assert!(!text.is_empty(), "{request:?}: refused without a word"),
    }
    if let Some(reply) = reply {
        let _text = render(&request, &reply);
    }
}
