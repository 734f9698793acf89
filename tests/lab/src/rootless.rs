//! Running without being root.
//!
//! Namespaces need CAP_SYS_ADMIN. An ordinary user has it inside a user namespace of his own, so the program starts itself again below
//! `unshare` with a mount and a network namespace and a private `/run`. Not every stack can live there: FRR and keepalived want
//! to be root in earnest.

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Set for the second start, so that a kernel that gives us no rights does not make us start for ever.
const MARK: &str = "RINGLAB_ROOTLESS";

/// Are we allowed to build a lab?
///
/// # Errors
/// We are not root, and what to do about it.
pub fn require_privilege() -> Result<()> {
    if geteuid().is_root() {
        return std::fs::create_dir_all(crate::netns::NETNS_DIR)
            .context("creating the directory of network namespaces");
    }
    bail!("a lab needs root or a user namespace; start it by `ringlab` or `cargo xtask demo`, which make one")
}

/// Starts this program again as root of a user namespace unless it is root already. Returns only if it is.
///
/// # Errors
/// The kernel gives us no user namespace, with what usually forbids it.
pub fn become_root() -> Result<()> {
    if geteuid().is_root() {
        return Ok(());
    }
    if let Some(reason) = refusal() {
        bail!("no user namespaces here: {reason}\nrun it as root instead");
    }
    let exe = std::env::current_exe()?;
    let script = "mount -t tmpfs tmpfs /run && mkdir -p /run/netns && exec \"$0\" \"$@\"";
    let error = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--mount", "--", "sh", "-c", script])
        .arg(exe)
        .args(std::env::args_os().skip(1))
        .env(MARK, "1")
        .exec();
    Err(error).context("unshare (package util-linux) cannot be started")
}

/// Was this process started again by [`become_root`]?
pub fn is_rootless() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Starts this program again inside the user namespace that `holder` keeps, unless we are in it.
///
/// # Errors
/// The holder is gone.
pub fn join(holder: i32) -> Result<()> {
    if is_rootless() {
        return Ok(());
    }
    let error = Command::new("nsenter")
        .args(["--target", &holder.to_string(), "--user", "--net", "--mount", "--preserve-credentials", "--"])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(MARK, "1")
        .exec();
    Err(error).context("nsenter (package util-linux) cannot be started")
}

/// Why the kernel refuses user namespaces, if it is known to.
fn refusal() -> Option<String> {
    let read = |path: &str| std::fs::read_to_string(path).map(|text| text.trim().to_owned()).ok();
    let is = |path: &str, value: &str| read(path).is_some_and(|text| text == value);
    if is("/proc/sys/user/max_user_namespaces", "0") {
        return Some("user.max_user_namespaces is 0".to_owned());
    }
    if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        return Some("kernel.unprivileged_userns_clone is 0 (sysctl -w it to 1)".to_owned());
    }
    if is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        return Some(
            "kernel.apparmor_restrict_unprivileged_userns is 1 (an AppArmor profile or sysctl 0 allows it)"
                .to_owned(),
        );
    }
    let tried = Command::new("unshare").args(["--user", "--map-root-user", "true"]).output();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(fault) => Some(fault.to_string()),
    }
}
