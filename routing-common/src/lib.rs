//! Pure foundations of the Torc routing suite.
//!
//! Everything here is a value or a pure function: no socket, no clock, no thread, no tokio. The
//! protocol engines (`ospf-proto`, `vrrp-proto`, `rib`) stand on this crate; the shells around them
//! stand on `routing-runtime`. Arrows between crates point down only.
//!
//! Reading order: [`machine`] (the five verbs of every engine), [`time`] and [`timer`], [`id`],
//! [`prefix`] and [`link`] (what the kernel tells us), [`wire`] (bytes), [`config`] (the operator's
//! file), [`policy`] (its judgements on routes), [`key_chain`] (which key signs when), [`control`] (what daemons and the shell say to each other), [`grammar`] and [`render`]
//! (what the operator types and sees), [`record`] (what an engine was told, for telling it again).
#![forbid(unsafe_code)]

pub mod config;
pub mod control;
pub mod grammar;
pub mod id;
pub mod key_chain;
pub mod link;
pub mod machine;
pub mod notice;
pub mod policy;
pub mod prefix;
pub mod record;
pub mod render;
pub mod rng;
pub mod time;
pub mod timer;
pub mod wire;
