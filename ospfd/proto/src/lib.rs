//! OSPF version 2 (RFC 2328) as a sans-IO engine.
//!
//! An [`Instance`](instance::Instance) is one OSPF router. It is told of packets, links and configurations
//! and answers with packets to send and routes to install; it has no socket, clock or thread. Directories
//! are the RFC's sections. Reading order:
//!
//! * [`instance`]: the one struct, and what one turn of it is.
//! * [`packet`] and [`lsa`]: what goes over the wire (§8, §12, App. A, App. D).
//! * [`interface`] and [`neighbor`]: §9 and §10, their machines as tables.
//! * [`area`], [`lsdb`]: where LSAs live and age (§6, §12.2, §14).
//! * `flood` and `originate`: §13 and §12.4.
//! * [`spf`] and [`route`]: §16 and §11.
//! * [`bfd`]: RFC 5882, noticing at once that a neighbour cannot be reached.
//! * [`restart`]: RFC 3623, restarting without loss and helping others to.
//! * [`discard`] and [`statistics`]: what is counted.
//! * [`api`] and `show`: what operators ask.
//! * [`record`]: inputs in a form that can be written down.
//!
//! Supported: RFC 2328 with broadcast and point-to-point networks in one normal area; RFC 5250 (opaque
//! LSAs are stored and flooded); RFC 5286 (loop-free alternates); RFC 5709 (HMAC-SHA); RFC 3623 (graceful restart); RFC 5882
//! (BFD); RFC 6987 (stub router advertisement); RFC 8405 (SPF back-off); RFC 3021 (/31 links). Deviations stand in the chapter
//! they belong to.
#![forbid(unsafe_code)]

pub mod alternate;
pub mod api;
pub mod area;
pub mod bfd;
pub mod constants;
pub mod discard;
mod flood;
pub mod instance;
pub mod interface;
mod log;
pub mod lsa;
pub mod lsdb;
pub mod neighbor;
mod originate;
pub mod packet;
pub mod record;
mod redistribute;
pub mod restart;
pub mod route;
mod show;
pub mod spf;
pub mod statistics;

pub use instance::{Clear, Input, Instance, Output, Received};
pub use originate::StubReason;
