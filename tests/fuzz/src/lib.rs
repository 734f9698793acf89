//! What every fuzz target does, as ordinary functions: one argument, the fuzzer's bytes; no result, a
//! panic is the finding.
//!
//! * `decode` holds the targets for one decoder each: any bytes, no panic, and whatever is accepted survives
//!   being written and read again.
//! * `ospf`, `vrrp`, `bfd` and `rib_engine` hold the stateful ones. The bytes are a [`script`]: packets, time, kernel
//!   events, operators and faults in any order, with the rules of the engines' contract checked after each step.
//!
//! libFuzzer calls these through the files in `fuzz_targets`; `cargo test` calls them with the kept corpora,
//! without instrumentation. [`TARGETS`] is the list both go by.
//!
//! The scripts are read octet by octet with code of our own rather than with the `arbitrary` crate: an input
//! that was kept must mean the same after an update of some dependency.
#![forbid(unsafe_code)]

mod bfd;
/// The shell's command table, which is part of a program and not of a library.
#[path = "../../../cli/src/commands/mod.rs"]
mod commands;
mod decode;
mod ospf;
mod rib_engine;
mod script;
pub mod seeds;
mod vrrp;

/// The runtime's pure parsers. Taken from their files, because the crate around them brings an asynchronous
/// runtime, whose instrumented build takes longer than all the rest.
#[path = "../../../routing-common/runtime/src/ipv4.rs"]
pub mod ipv4;
pub mod netlink;

pub use bfd::bfd_engine;
pub use decode::bfd::bfd_packet;
pub use decode::commands::commands;
pub use decode::config::config;
pub use decode::control::control;
pub use decode::ipv4::ipv4_header;
pub use decode::lines::lines;
pub use decode::netlink::netlink_message;
pub use decode::ospf::{ospf_lsa, ospf_packet};
pub use decode::requests::requests;
pub use decode::rib::rib_messages;
pub use decode::vrrp::vrrp_packet;
pub use ospf::{capture as ospf_capture, ospf_engine};
pub use rib_engine::rib_engine;
pub use vrrp::{capture as vrrp_capture, vrrp_engine};

/// A target's body.
pub type Target = fn(&[u8]);

/// All targets by the names of their files in `fuzz_targets` and folders in `corpus`.
pub const TARGETS: &[(&str, Target)] = &[
    ("ospf_packet", ospf_packet),
    ("ospf_lsa", ospf_lsa),
    ("ospf_engine", ospf_engine),
    ("vrrp_packet", vrrp_packet),
    ("vrrp_engine", vrrp_engine),
    ("bfd_packet", bfd_packet),
    ("bfd_engine", bfd_engine),
    ("rib_messages", rib_messages),
    ("rib_engine", rib_engine),
    ("ipv4_header", ipv4_header),
    ("netlink_message", netlink_message),
    ("control", control),
    ("config", config),
    ("commands", commands),
    ("lines", lines),
    ("requests", requests),
];
