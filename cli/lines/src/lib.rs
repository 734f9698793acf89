//! A router's configuration in the lines operators know from FRR.
//!
//! The file is TOML, and [`routing_common::config::load`] alone says what it means. This crate translates:
//!
//! * [`Session`] takes lines (`router ospf`, `ip ospf cost 10`, `no …`) and changes a [`Document`], the TOML text with
//!   the operator's comments and order in it;
//! * [`render()`] writes a valid [`routing_common::config::Config`] as lines, in the shape of `show running-config`;
//! * [`import()`] reads whole files of FRR and reports on every line.
//! * [`reference()`] prints `docs/commands-configuration.md`, which explains every line.
//!
//! Invariants: a line that fails changes nothing. What `render` writes (with its secrets), import reads back to the
//! same configuration. No bytes make it panic. No line of a file is dropped without a word.
//!
//! Where the file's model and FRR's differ:
//!
//! * An interface is in OSPF if the file has its table `ospf.interfaces.NAME`. FRR takes `ip ospf cost 10` before OSPF
//!   runs on the interface; here such lines wait until `ip ospf area` (or a matching `network`) has come
//!   ([`Session::waiting`]). Keys wait for the `authentication` line that gives them a use.
//! * `network`, `passive-interface default` and `area A authentication` are rules for FRR, also about interfaces that
//!   come later. Here they are shorthands: they change the interfaces there are when the line is typed, or those at the
//!   end of the files that are imported.
//! * VRRP groups and BFD peers have names in the file. Lines find them by interface and vrid, or by the addresses, and
//!   name them INTERFACE-VRID, or by the peer's address, unless they say a `name`.
//! * `no ip address` without an address leaves an interface without any, but in the file.
#![forbid(unsafe_code)]

mod authentication;
mod call;
mod commands;
mod document;
mod import;
mod mode;
mod names;
mod outcome;
mod reference;
mod render;
mod session;
mod text;

pub use document::{Document, NotToml};
pub use import::{Finding, Import, Verdict, import};
pub use mode::Mode;
pub use outcome::{Done, LineError};
pub use reference::reference;
pub use render::{Secrets, render};
pub use session::Session;
pub use text::{mismatch_without_secrets, without_secrets};
