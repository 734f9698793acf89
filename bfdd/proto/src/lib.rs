//! Bidirectional Forwarding Detection as a sans-IO engine (RFC 5880, RFC 5881, RFC 5883).
//!
//! The chapter to read first is [`machine`]: RFC 5880 §6.2 as a table. Around it stand
//!
//! * [`packet`] and [`discard`]: the wire format and the reception checks of §6.8.6, each with its counter,
//! * `session`: one session: its variables, timer negotiation, Poll Sequences, transmission and detection,
//! * [`instance`]: all sessions of this host, speaking the five verbs of [`routing_common::machine`],
//! * [`message`]: what clients such as ospfd say and hear on `bfd.sock`,
//! * [`api`]: what `show bfd` asks and answers,
//! * [`record`]: inputs in a form that can be written down.
//!
//! Deliberate deviations, each argued where it is made:
//! 1. A stall of our own gives sessions more time (`session::detection`).
//! 2. A session that ends repeats AdminDown at its old rate for one Detection Time (`session::transmit`).
//! 3. Finals and packets that tell news keep a distance of a millisecond (`session::transmit`; §6.8.7 allows limits).
//!
//! Not here: the Echo function (§6.4), our own Demand mode (§6.6; a peer's is honoured), authentication (§6.7), IPv6.
#![forbid(unsafe_code)]

pub mod api;
pub mod constants;
pub mod discard;
pub mod instance;
pub mod machine;
pub mod message;
pub mod packet;
pub mod record;
mod session;
mod show;

pub use instance::{ClientId, HostStatus, Input, Instance, Output, Received, SessionView};
