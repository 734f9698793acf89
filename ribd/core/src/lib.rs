//! The routing information base as a sans-IO engine.
//!
//! Four words in the order a route passes them. A **candidate** is what one source offers for a prefix:
//! a connected subnet, a line of the configuration, a client such as ospfd ([`route`], [`session`]).
//! **Resolved** is a candidate whose next hops are found, on running interfaces ([`resolve`], with the
//! on-link rule). **Selected** is the best resolved candidate of a prefix ([`select`]). **Installed** is a
//! selected route the kernel has acknowledged ([`fib`]).
//!
//! [`Rib`] is the machine around these; [`message`] is all that its clients see of it, [`record`] its inputs
//! in a form that can be written down.
#![forbid(unsafe_code)]

pub mod api;
pub mod fib;
mod instance;
mod io;
pub mod links;
pub mod message;
pub mod record;
pub mod resolve;
pub mod route;
pub mod select;
pub mod session;
mod show;
pub mod system;
pub mod table;

pub use instance::Rib;
pub use io::{Input, Output};
pub use session::ClientId;
