//! ospfd: the OSPFv2 daemon.
//!
//! All decisions are made by the engine [`ospf_proto::Instance`]; this program is its hands. [`shell`]
//! carries inputs and outputs, [`ports`] holds one raw socket per OSPF interface, [`state_file`] what
//! outlives the process.
#![forbid(unsafe_code)]

mod ports;
mod shell;
mod state_file;

use routing_runtime::daemon::{self, Identity};
use std::process::ExitCode;

fn main() -> ExitCode {
    let identity = Identity { name: "ospfd", about: "OSPFv2 daemon (RFC 2328)" };
    daemon::run(identity, shell::run)
}
