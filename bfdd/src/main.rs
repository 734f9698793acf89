//! bfdd: the BFD daemon.
//!
//! All decisions are made by the engine [`bfd_proto::Instance`]. It lives on a real-time thread of its own
//! ([`real_time`]) with the sockets of its sessions ([`sockets`]), so that neither a show command nor a client nor the
//! log can delay a packet. Everything else is the main thread's: clients, operators, interfaces ([`shell`]).
//!
//! What it needs: CAP_NET_RAW to bind to interfaces; CAP_SYS_NICE and CAP_IPC_LOCK to keep its deadlines under load.
#![forbid(unsafe_code)]

mod real_time;
mod shell;
mod sockets;

use routing_runtime::daemon::{self, Identity};
use std::process::ExitCode;

fn main() -> ExitCode {
    let identity = Identity { name: "bfdd", about: "BFD daemon (RFC 5880)" };
    daemon::run(identity, shell::run)
}
