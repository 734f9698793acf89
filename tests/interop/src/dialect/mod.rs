//! One description, every suite's words for it.

mod bird;
mod frr;
mod keepalived;
mod torc;

pub use frr::MACVLAN as FRR_MACVLAN;

use crate::router::{Router, Suite};
use anyhow::{Result, ensure};
pub use ringlab::process::Process;
use std::path::{Path, PathBuf};

/// What a router needs to start.
#[derive(Debug, Default)]
pub struct Plan {
    /// Files to write.
    pub files: Vec<(PathBuf, String)>,
    /// Lines for `ip -batch` inside the namespace.
    pub links: Vec<String>,
    /// Processes in order.
    pub processes: Vec<Process>,
}

/// Writes a router's configuration and lists its processes; `dir` is the router's own.
///
/// # Errors
/// A program that is not there.
pub fn plan(router: &Router, dir: &Path) -> Result<Plan> {
    let plan = match router.suite {
        Suite::Torc => torc::plan(router, dir)?,
        Suite::Frr => frr::plan(router, dir),
        Suite::Bird => bird::plan(router, dir),
    };
    for process in &plan.processes {
        ensure!(process.program.is_file(), "{} is missing: {}", process.program.display(), remedy(router));
    }
    Ok(plan)
}

fn remedy(router: &Router) -> &'static str {
    match router.suite {
        Suite::Torc => "run `cargo build --workspace --bins` or set TORC_BIN_DIR",
        Suite::Frr => "install Debian's package frr",
        Suite::Bird => "install Debian's packages bird2 and keepalived",
    }
}

/// The directory of this project's programs: `TORC_BIN_DIR`, or the build directory this test lies in.
pub fn binaries() -> PathBuf {
    std::env::var_os("TORC_BIN_DIR").map_or_else(ringlab::lab::default_daemons, PathBuf::from)
}

/// What an operator sets by hand under daemons that leave the kernel as it is.
pub fn settings(router: &Router) -> Vec<(String, &'static str)> {
    if router.suite == Suite::Torc {
        return Vec::new();
    }
    let mut settings: Vec<_> =
        [("net/ipv4/ip_forward", "1"), ("net/ipv4/conf/all/arp_ignore", "1")].map(own).into();
    for port in &router.ports {
        settings.push((format!("net/ipv4/conf/{}/rp_filter", port.link), "0"));
    }
    settings
}

fn own((key, value): (&str, &'static str)) -> (String, &'static str) {
    (key.to_owned(), value)
}
