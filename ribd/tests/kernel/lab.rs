//! A namespace with a ribd in it. Needs root; touches nothing outside the namespace.

use rib::message::{ClientMessage, NextHop, PROTOCOL_VERSION, Protocol, RibMessage, Route, RouteChange};
use routing_common::control::{self, Greeting, Outcome, Reply, Request};
use routing_common::id::IfIndex;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longest time anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A namespace, a run directory, a configuration and perhaps a daemon; all gone when dropped.
pub(crate) struct Lab {
    name: String,
    directory: tempfile::TempDir,
    daemon: Option<Child>,
}

/// eth0 192.168.1.1/24 and eth1 10.0.1.1/24, put on by ribd.
pub(crate) const INTERFACES: &str =
    "[interfaces.eth0]\naddresses = [\"192.168.1.1/24\"]\n[interfaces.eth1]\naddresses = [\"10.0.1.1/24\"]\n";

pub(crate) const OSPF: &str = "[ospf]\nrouter-id = \"10.255.0.1\"\n";

impl Lab {
    /// eth0 and eth1 with carrier; their other ends are peer0 and peer1.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ribd-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        run(Command::new("ip").args(["netns", "add", &name]));
        let lab = Self { name, directory: tempfile::tempdir().unwrap(), daemon: None };
        lab.ip("link set lo up");
        for i in 0..2 {
            lab.add_link(i);
        }
        lab
    }

    pub(crate) fn add_link(&self, i: u32) {
        self.ip(&format!("link add eth{i} type veth peer name peer{i}"));
        self.ip(&format!("link set peer{i} up"));
    }

    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.directory.path().join("r.toml"), format!("hostname = \"r1\"\n{text}")).unwrap();
    }

    /// Starts ribd and waits until it is ready.
    pub(crate) fn start(&mut self) {
        let directory = self.directory.path();
        let child = Command::new("ip")
            .args(["netns", "exec", &self.name, env!("CARGO_BIN_EXE_ribd")])
            .arg("--config")
            .arg(directory.join("r.toml"))
            .arg("--run-dir")
            .arg(directory.join("run"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.daemon = Some(child);
        let socket = self.directory.path().join("run/ribd.sock");
        eventually("ribd is ready", || UnixStream::connect(&socket).is_ok());
    }

    fn signal(&mut self, signal: nix::sys::signal::Signal) {
        let mut child = self.daemon.take().unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        child.wait().unwrap();
    }

    /// Lets the running daemon read its configuration again.
    pub(crate) fn reload(&self, text: &str) {
        self.configure(text);
        let pid = nix::unistd::Pid::from_raw(self.daemon.as_ref().unwrap().id().cast_signed());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGHUP).unwrap();
    }

    /// Asks on the control socket, as `torc` does.
    pub(crate) fn ask(&self, body: serde_json::Value) -> Outcome {
        let mut stream = UnixStream::connect(self.directory.path().join("run/ribd.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let greeting: Greeting = serde_json::from_slice(&read_frame(&mut stream)).unwrap();
        assert_eq!(greeting.daemon, "ribd");
        stream.write_all(&control::encode(&Request { id: 7, body }).unwrap()).unwrap();
        let reply: Reply = serde_json::from_slice(&read_frame(&mut stream)).unwrap();
        assert_eq!(reply.id, 7);
        reply.outcome
    }

    pub(crate) fn kill(&mut self) {
        self.signal(nix::sys::signal::Signal::SIGKILL);
    }

    pub(crate) fn terminate(&mut self) {
        self.signal(nix::sys::signal::Signal::SIGTERM);
    }

    /// Runs `ip` inside and returns what it printed.
    pub(crate) fn ip(&self, arguments: &str) -> String {
        run(Command::new("ip").args(["-n", &self.name]).args(arguments.split(' ')))
    }

    pub(crate) fn carrier(&self, i: u32, up: bool) {
        self.ip(&format!("link set peer{i} {}", if up { "up" } else { "down" }));
    }

    pub(crate) fn ifindex(&self, name: &str) -> IfIndex {
        let shown = self.ip(&format!("-o link show {name}"));
        IfIndex(shown.split(':').next().unwrap().parse().unwrap())
    }

    pub(crate) fn sysctl(&self, path: &str) -> String {
        run(Command::new("ip").args([
            "netns",
            "exec",
            &self.name,
            "cat",
            &format!("/proc/sys/net/ipv4/{path}"),
        ]))
        .trim()
        .to_owned()
    }

    /// Our routes to a prefix, as `ip` shows them.
    pub(crate) fn route(&self, prefix: &str) -> String {
        self.ip(&format!("route show exact {prefix}"))
    }

    pub(crate) fn await_route(&self, prefix: &str, parts: &[&str]) {
        let mut shown = String::new();
        eventually(&format!("{prefix} is routed by {parts:?}"), || {
            shown = self.route(prefix);
            !shown.is_empty() && parts.iter().all(|p| shown.contains(p))
        });
    }

    pub(crate) fn await_no_route(&self, prefix: &str) {
        eventually(&format!("{prefix} has no route"), || self.route(prefix).is_empty());
    }

    /// Route and next-hop events from now until the returned monitor is finished.
    pub(crate) fn monitor(&self) -> Monitor {
        let child = Command::new("ip")
            .args(["-n", &self.name, "-4", "monitor", "route", "nexthop"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(200));
        Monitor(child)
    }

    /// An OSPF client of the RIB that has greeted.
    pub(crate) fn client(&self) -> Client {
        let mut client = Client(UnixStream::connect(self.directory.path().join("run/rib.sock")).unwrap());
        client.0.set_read_timeout(Some(PATIENCE)).unwrap();
        let hello = ClientMessage::Hello {
            version: PROTOCOL_VERSION,
            protocol: Some(Protocol::Ospf),
            name: "test".into(),
        };
        client.say(&hello);
        assert!(matches!(client.hear(), RibMessage::Hello { version: PROTOCOL_VERSION, .. }));
        client
    }

    pub(crate) fn hop(&self, gateway: &str, interface: &str) -> NextHop {
        NextHop { gateway: Some(gateway.parse().unwrap()), ifindex: self.ifindex(interface) }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Some(mut child) = self.daemon.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// A running `ip monitor`.
pub(crate) struct Monitor(Child);

impl Monitor {
    /// Everything seen.
    pub(crate) fn finish(mut self) -> String {
        std::thread::sleep(Duration::from_millis(200));
        self.0.kill().unwrap();
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        self.0.wait().unwrap();
        text
    }
}

/// A client of the RIB.
pub(crate) struct Client(UnixStream);

impl Client {
    pub(crate) fn say(&mut self, message: &ClientMessage) {
        let body = postcard::to_extend(message, Vec::new()).unwrap();
        self.0.write_all(&u32::try_from(body.len()).unwrap().to_be_bytes()).unwrap();
        self.0.write_all(&body).unwrap();
    }

    pub(crate) fn hear(&mut self) -> RibMessage {
        postcard::from_bytes(&read_frame(&mut self.0)).unwrap()
    }

    /// A whole synchronisation, answered.
    pub(crate) fn synchronise(&mut self, routes: Vec<Route>) {
        self.say(&ClientMessage::BeginSync);
        self.say(&ClientMessage::Routes(routes.into_iter().map(RouteChange::Replace).collect()));
        self.say(&ClientMessage::EndSync);
        assert_eq!(self.hear(), RibMessage::Synced);
    }
}

pub(crate) fn route(prefix: &str, hops: &[NextHop]) -> Route {
    let (prefix, next_hops) = (prefix.parse().unwrap(), hops.iter().copied().collect());
    Route { prefix, distance: 110, metric: 20, tag: 0, next_hops }
}

pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read_frame(stream: &mut UnixStream) -> Vec<u8> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body).unwrap();
    body
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}
