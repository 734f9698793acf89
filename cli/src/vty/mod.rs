//! FRR's own sockets: what `vtysh` and the exporters that were written for FRR talk to.
//!
//! `torc serve-frr` listens on `<daemon>.vty` for each daemon of FRR that Torc stands in for. Every connection has a thread
//! and a shell of its own; what it asks is answered by Torc's daemons. The framing is in [`frame`].
//!
//! A file that FRR's `vtysh` reads is one transaction ([`load`]); other lines of configuration take effect at once.
//!
//! FRR's `vtysh` asks each daemon for its part of the running configuration and puts the parts together. Here one
//! socket ([`WHOLE`]) gives all of it and the others give nothing.

mod frame;
mod load;
mod node;

use crate::run::Shell;
use anyhow::{Context as _, Result};
use frame::{Request, reply};
use load::Loads;
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::{Group, chown};
use node::Node;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The daemons of FRR whose sockets are served.
const DAEMONS: [&str; 5] = ["zebra", "ospfd", "staticd", "vrrpd", "bfdd"];
/// The one that tells the whole configuration.
const WHOLE: &str = "zebra";
/// Connections served at the same time; further ones are closed at once.
const MOST: usize = 64;
/// Owner and group may talk to a daemon.
const MODE: u32 = 0o660;

/// The sockets; they are gone from the directory when this is dropped.
struct Sockets(Vec<PathBuf>);

impl Drop for Sockets {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// Serves until the process is ended; the sockets belong to `group` if there is one.
///
/// # Errors
/// When a socket cannot be made, the group does not exist, or the last socket fails.
pub(crate) fn serve(run_dir: &Path, directory: &Path, group: Option<&str>) -> Result<()> {
    let of_group = |name| Group::from_name(name)?.with_context(|| format!("there is no group {name}"));
    let group = group.map(of_group).transpose()?;
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let mut sockets = Sockets(Vec::new());
    let mut threads = Vec::new();
    let open = Arc::new(AtomicUsize::new(0));
    let loads = Arc::new(Loads::default());
    for daemon in DAEMONS {
        let path = directory.join(format!("{daemon}.vty"));
        let listener = listen(&path, group.as_ref()).with_context(|| path.display().to_string())?;
        sockets.0.push(path);
        let (run_dir, open, loads) = (run_dir.to_owned(), Arc::clone(&open), Arc::clone(&loads));
        let accept = move || accept(&listener, daemon, &run_dir, &open, &loads);
        threads.push(thread::Builder::new().name(format!("{daemon}.vty")).spawn(accept)?);
    }
    for thread in threads {
        // A thread that panicked has said so.
        let _ = thread.join();
    }
    Ok(())
}

/// A socket that somebody listens on is not taken away from him.
fn listen(path: &Path, group: Option<&Group>) -> Result<UnixListener> {
    if UnixStream::connect(path).is_ok() {
        anyhow::bail!("another program serves this socket; is FRR running?");
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    if let Some(group) = group {
        chown(path, None, Some(group.gid)).with_context(|| format!("group {}", group.name))?;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
    Ok(listener)
}

fn accept(
    listener: &UnixListener,
    daemon: &'static str,
    run_dir: &Path,
    open: &Arc<AtomicUsize>,
    loads: &Arc<Loads>,
) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // Descriptors have run out, which does not pass at once.
            thread::sleep(std::time::Duration::from_millis(100));
            continue;
        };
        if open.fetch_add(1, Ordering::Relaxed) >= MOST {
            open.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (run_dir, loads, counted) = (run_dir.to_owned(), Arc::clone(loads), Arc::clone(open));
        let serve = move || {
            // Whoever hangs up in the middle has what he wanted.
            let _ = converse(stream, daemon, run_dir, loads);
            counted.fetch_sub(1, Ordering::Relaxed);
        };
        if thread::Builder::new().spawn(serve).is_err() {
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn converse(
    mut stream: UnixStream,
    daemon: &'static str,
    run_dir: PathBuf,
    loads: Arc<Loads>,
) -> io::Result<()> {
    let process = getsockopt(&stream, sockopt::PeerCredentials).ok().map(|peer| peer.pid());
    // 0 is what a process of another pid namespace looks like.
    let process = process.filter(|pid| *pid > 0);
    let mut node = Node::new(Shell::new(run_dir), daemon == WHOLE, loads, process);
    let mut request = Request::default();
    while let Some(line) = request.read(&mut stream)? {
        let (text, status) = match line {
            Ok(line) => node.run(&line),
            Err(too_long) => (too_long, node::UNKNOWN),
        };
        stream.write_all(&reply(&text, status))?;
        if node.is_over() {
            break;
        }
    }
    Ok(())
}
