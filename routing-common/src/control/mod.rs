//! What the daemons and the shell say to each other on `RUN_DIR/<daemon>.sock`.
//!
//! A daemon greets first ([`Greeting`]); then the client sends [`Request`]s, each answered by one
//! [`Reply`] with the same id, in order. Every message is one frame: a big-endian 32-bit length and
//! that many octets of JSON, so that a script can talk to a daemon with ordinary tools.
//!
//! The bodies are the engines' own `api::Request` values and the JSON of their reply structs; this module
//! neither knows nor cares.

mod codec;
pub mod configuration;
mod orders;
pub mod processes;

pub use codec::{FrameDecoder, FrameError, MAX_FRAME, encode};
pub use orders::Order;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Version of the frames and envelopes in this module.
pub const PROTOCOL_VERSION: u16 = 1;

/// What can be asked of a daemon.
pub trait Question: DeserializeOwned {
    /// Does it change nothing? Only operators may ask what does.
    fn is_question(&self) -> bool;

    /// Is a request's body one of these, and changes nothing?
    fn is_question_of(body: &serde_json::Value) -> bool {
        Self::deserialize(body).is_ok_and(|asked| asked.is_question())
    }
}

/// The first frame on every connection, from the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// Who is speaking: "ospfd".
    pub daemon: String,
    /// Its release.
    pub version: String,
    /// Its [`PROTOCOL_VERSION`].
    pub protocol: u16,
}

/// A question or command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the client, repeated in the reply.
    pub id: u64,
    /// An engine's `api::Request`.
    pub body: serde_json::Value,
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The request's id.
    pub id: u64,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Done; the reply struct as JSON.
    Done(serde_json::Value),
    /// Refused, with the reason for the operator. Nothing was changed.
    Refused(String),
}
