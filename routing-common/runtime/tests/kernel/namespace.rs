//! Fresh network namespaces for a test, gone with the thread that uses them.

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use routing_common::id::IfIndex;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::Duration;

/// A network namespace that lives as long as this handle (and what is open in it).
pub(crate) struct Namespace(File);

impl Namespace {
    /// Moves the calling thread into a fresh namespace with its loopback up.
    fn fresh() -> Result<Self, Errno> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        ip("link set lo up");
        Ok(Self(File::open("/proc/thread-self/ns/net").unwrap()))
    }

    /// Moves the calling thread into this namespace: sockets opened from now on belong to it.
    pub(crate) fn enter(&self) {
        setns(&self.0, CloneFlags::CLONE_NEWNET).unwrap();
    }

    /// A path under which `ip link` finds it.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }
}

/// Runs `test` on a thread of its own in `N` fresh namespaces, entered into the first one. Without the
/// privilege to make namespaces it says so and does nothing.
pub(crate) fn isolated<const N: usize, F>(test: impl FnOnce([Namespace; N]) -> F + Send + 'static)
where
    F: Future<Output = ()>,
{
    #[expect(clippy::disallowed_methods, reason = "a namespace belongs to a thread")]
    let thread = std::thread::spawn(move || {
        let namespaces: Vec<_> = match (0..N).map(|_| Namespace::fresh()).collect() {
            Ok(namespaces) => namespaces,
            Err(error) => return eprintln!("SKIPPED: no network namespaces here: {error}"),
        };
        let Ok(namespaces) = <[Namespace; N]>::try_from(namespaces) else { panic!("as many as asked for") };
        namespaces[0].enter();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(60), test(namespaces)).await.expect("in time");
        });
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `ip ARGUMENTS` in the calling thread's namespace.
pub(crate) fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output().expect("iproute2 is installed");
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The index of an interface of the calling thread's namespace.
pub(crate) fn index(name: &str) -> IfIndex {
    IfIndex(nix::net::if_::if_nametoindex(name).unwrap())
}
