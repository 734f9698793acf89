//! The VRRP daemon: sockets, netlink and timers around [`vrrp_proto::Instance`], which takes every decision.
//!
//! What it needs: CAP_NET_RAW for frames, CAP_NET_ADMIN for addresses, macvlans and kernel parameters. What it
//! leaves behind when it is killed: virtual addresses with a lifetime of a few seconds, devices with a
//! tag, and the file of [`sysctls`]; the next start finds all three.
#![forbid(unsafe_code)]

mod shell;
mod sysctls;

use routing_runtime::daemon::{self, Identity};
use std::process::ExitCode;

fn main() -> ExitCode {
    daemon::run(Identity { name: "vrrpd", about: "VRRP daemon of the Torc routing suite" }, shell::run)
}
