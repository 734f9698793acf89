//! The supervisor of one router: starts its daemons in order, restarts what dies, stops all on request, and owns the
//! configuration they all run with.
//!
//! [`supervisor`] and [`configuration`] decide and are pure; [`shell`] carries their decisions out with
//! [`process`]es, signals, files and the control socket; [`api`] is what operators can ask. The supervisor never touches a route:
//! when it dies the daemons live on and forwarding with them, and its successor adopts them.
#![forbid(unsafe_code)]

pub use routing_common::control::processes as api;
pub mod configuration;
pub mod lock;
pub mod process;
pub mod shell;
pub mod supervisor;
