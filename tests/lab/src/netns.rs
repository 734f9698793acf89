//! Network namespaces: enter, ask, kill what lives in them.
//!
//! A namespace belongs to a thread, so [`within`] runs a closure on a thread of its own; a process spawned there lives in
//! that namespace. No process of the lab is ever found by its name: [`pids`] asks the kernel who is inside.

use anyhow::{Context, Result, anyhow, bail};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Where `ip netns` keeps its names.
pub const NETNS_DIR: &str = "/run/netns";

/// The file that stands for a namespace.
pub fn path(namespace: &str) -> PathBuf {
    PathBuf::from(NETNS_DIR).join(namespace)
}

/// Moves the calling thread into a namespace for good.
///
/// # Errors
/// No such namespace, or the kernel refuses.
pub fn enter(namespace: &str) -> Result<()> {
    let file = File::open(path(namespace)).with_context(|| format!("namespace {namespace}"))?;
    setns(file, CloneFlags::CLONE_NEWNET).with_context(|| format!("entering {namespace}"))
}

/// Runs `work` inside a namespace.
///
/// # Errors
/// The namespace's, or those of `work`.
pub fn within<T: Send>(namespace: &str, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            enter(namespace)?;
            work()
        });
        worker.join().unwrap_or_else(|_| Err(anyhow!("a worker in {namespace} panicked")))
    })
}

/// Runs `work` for every item on at most `threads` threads; the first error wins.
///
/// # Errors
/// The first error of `work`.
pub fn parallel<I: Sync>(items: &[I], threads: usize, work: impl Fn(&I) -> Result<()> + Sync) -> Result<()> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let run = || {
            while let Some(item) = items.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                work(item)?;
            }
            Ok(())
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let results =
            workers.into_iter().map(|w| w.join().unwrap_or_else(|_| Err(anyhow!("a worker panicked"))));
        results.fold(Ok(()), Result::and)
    })
}

/// Feeds lines to one `ip -batch`, inside a namespace or (with `None`) where we are.
///
/// # Errors
/// What `ip` complains about.
pub fn ip_batch(namespace: Option<&str>, lines: &[String]) -> Result<()> {
    let mut command = Command::new("ip");
    if let Some(namespace) = namespace {
        command.args(["-n", namespace]);
    }
    command.args(["-batch", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().context("ip (package iproute2) cannot be started")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all((lines.join("\n") + "\n").as_bytes())?;
    }
    checked(&child.wait_with_output()?, || {
        format!("ip -batch in {}:\n{}", namespace.unwrap_or("-"), lines.join("\n"))
    })
}

/// Runs `ip` with JSON output inside a namespace.
///
/// # Errors
/// What `ip` complains about, or output that is no JSON.
pub fn ip_json(namespace: &str, args: &[&str]) -> Result<serde_json::Value> {
    let output = Command::new("ip").args(["-n", namespace, "-j", "-d"]).args(args).output()?;
    checked(&output, || format!("ip -n {namespace} {}", args.join(" ")))?;
    if output.stdout.is_empty() {
        return Ok(serde_json::Value::Array(Vec::new()));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Turns a failed command into an error that tells what it said.
///
/// # Errors
/// The command's status was not 0.
pub fn checked(output: &Output, what: impl Fn() -> String) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    bail!("{}: {}", what(), String::from_utf8_lossy(&output.stderr).trim())
}

/// Writes kernel settings (`net/ipv4/…` below `/proc/sys`) inside a namespace.
///
/// # Errors
/// A setting that does not exist or is not writable.
pub fn sysctl(namespace: &str, settings: &[(&str, &str)]) -> Result<()> {
    within(namespace, || {
        for (key, value) in settings {
            std::fs::write(format!("/proc/sys/{key}"), value)
                .with_context(|| format!("{namespace}: {key}"))?;
        }
        Ok(())
    })
}

/// Reads a kernel setting inside a namespace.
///
/// # Errors
/// A setting that does not exist.
pub fn read_sysctl(namespace: &str, key: &str) -> Result<String> {
    within(namespace, || Ok(std::fs::read_to_string(format!("/proc/sys/{key}"))?.trim().to_owned()))
}

/// Processes that live in a namespace.
///
/// # Errors
/// `/proc` cannot be read.
pub fn pids(namespace: &str) -> Result<Vec<i32>> {
    let Ok(wanted) = std::fs::metadata(path(namespace)) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(own) = std::fs::metadata(entry.path().join("ns/net")) else { continue };
        if own.ino() == wanted.ino() && own.dev() == wanted.dev() && !is_zombie(pid) {
            found.push(pid);
        }
    }
    Ok(found)
}

/// The command name of a process.
pub fn name_of(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

fn is_zombie(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

/// Sends a signal to every process of a namespace, waits up to `patience` until they are gone and kills the rest.
///
/// # Errors
/// `/proc` cannot be read.
pub fn end_processes(namespace: &str, signal: Signal, patience: Duration) -> Result<()> {
    signal_all(&pids(namespace)?, signal);
    await_end(namespace, patience)
}

/// Waits up to `patience` until all processes of a namespace are gone and kills the rest.
///
/// # Errors
/// `/proc` cannot be read.
pub fn await_end(namespace: &str, patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        let left = pids(namespace)?;
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            signal_all(&left, Signal::SIGKILL);
        }
        if Instant::now() >= deadline + Duration::from_secs(5) {
            bail!("processes {left:?} in {namespace} do not die");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Signals processes; one that is already gone is no fault.
pub fn signal_all(pids: &[i32], signal: Signal) {
    for &pid in pids {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// Removes a namespace; one that is not there is no fault.
///
/// # Errors
/// The kernel refuses to unmount it.
pub fn delete(namespace: &str) -> Result<()> {
    let path = path(namespace);
    if !path.exists() {
        return Ok(());
    }
    nix::mount::umount2(&path, nix::mount::MntFlags::MNT_DETACH)
        .with_context(|| format!("umount {}", path.display()))?;
    std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))
}

/// Every named namespace that starts with `prefix`.
pub fn list(prefix: &str) -> Vec<String> {
    let entries = std::fs::read_dir(NETNS_DIR).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort();
    names
}
