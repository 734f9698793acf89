//! What bfdd is asked.

use super::{Daemon, JSON, Meaning, Question, Row, SHOW, from, parsed};
use anyhow::{Context as _, Result};
use bfd_proto::api as bfd;

const BFD_WORD: &str = "Bidirectional Forwarding Detection";
const PEERS: &str = "All sessions";

pub(super) const ROWS: &[Row] = &[
    Row {
        syntax: "show bfd [json]",
        help: &[SHOW, BFD_WORD, JSON],
        meaning: Meaning::Ask(|_| ask(bfd::Request::Status)),
    },
    Row {
        syntax: "show bfd peers [json]",
        help: &[SHOW, BFD_WORD, PEERS, JSON],
        meaning: Meaning::Ask(|_| ask(bfd::Request::Peers)),
    },
    Row {
        syntax: "show bfd peers brief [json]",
        help: &[SHOW, BFD_WORD, PEERS, "One line each", JSON],
        meaning: Meaning::Ask(|_| ask(bfd::Request::Brief)),
    },
    Row {
        syntax: "show bfd peers counters [json]",
        help: &[SHOW, BFD_WORD, PEERS, "Packets, changes of state, and what was discarded and why", JSON],
        meaning: Meaning::Ask(|_| ask(bfd::Request::Counters)),
    },
    Row {
        syntax: "show bfd peer A.B.C.D$peer [json]",
        help: &[SHOW, BFD_WORD, "One session", "The neighbour's address", JSON],
        meaning: Meaning::Ask(|a| {
            let address = parsed(a, "peer")?.context("a peer's address")?;
            ask(bfd::Request::Peer { address })
        }),
    },
];

fn ask(request: bfd::Request) -> Result<Question> {
    Ok(Question {
        daemon: Daemon::Bfdd,
        request: serde_json::to_value(request)?,
        render: |request, value| Ok(bfd::render_text(&from(request)?, value)?),
    })
}
