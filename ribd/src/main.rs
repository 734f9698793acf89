//! ribd: the RIB daemon, the only writer of kernel routes.
//!
//! All decisions are made by the engine [`rib::Rib`]; this program is its hands. [`shell`] carries inputs
//! and outputs, [`fib_writer`] talks rtnetlink about routes and next-hop objects, [`kernel_monitor`]
//! notices when somebody else changes them, [`sysctl_store`] remembers what kernel settings were before.
#![forbid(unsafe_code)]

mod fib_writer;
mod kernel_monitor;
mod shell;
mod sysctl_store;

use routing_runtime::daemon::{self, Identity};
use std::process::ExitCode;

fn main() -> ExitCode {
    let identity = Identity {
        name: "ribd",
        about: "RIB daemon: addresses, static routes, best paths, the only writer of kernel routes",
    };
    daemon::run(identity, shell::run)
}
