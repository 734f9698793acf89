//! The supervisor of one router: starts its daemons in order, restarts what dies, stops all on request.
//!
//! [`supervisor`] decides and is pure; [`shell`] carries its decisions out with [`process`]es, signals
//! and the control socket; [`api`] is what operators can ask. The supervisor never touches a route:
//! when it dies the daemons live on and forwarding with them, and its successor adopts them.
#![forbid(unsafe_code)]

pub use routing_common::control::processes as api;
pub mod lock;
pub mod process;
pub mod shell;
pub mod supervisor;
