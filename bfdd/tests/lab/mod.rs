//! Two routers on a cable, each in a network namespace of its own, with real daemons and clients.
//!
//! Everything is named after the test's process and removed when the lab is dropped, panic or not. Needs
//! root, as the daemon does.

use bfd_proto::message::{BfdMessage, ClientMessage, PROTOCOL_VERSION, Parameters, SessionKey, SessionState};
use routing_common::id::IfIndex;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// As long as anything may take on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(20);
pub(crate) const NODES: [&str; 2] = ["r1", "r2"];

static LABS: AtomicU32 = AtomicU32::new(0);

/// Runs a command to its end; panics with its words if it fails.
pub(crate) fn run(words: &[&str]) -> String {
    let out = Command::new(words[0]).args(&words[1..]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{words:?}: {text}{}", String::from_utf8_lossy(&out.stderr));
    text
}

pub(crate) fn address(node: &str) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, if node == "r1" { 1 } else { 2 })
}

pub(crate) fn other(node: &str) -> &'static str {
    if node == "r1" { "r2" } else { "r1" }
}

/// Routers `r1` (10.0.0.1) and `r2` (10.0.0.2), each with `eth0` to a bridge of its own; the bridges are joined by a
/// cable whose cut neither router sees.
pub(crate) struct Lab {
    prefix: String,
    dir: tempfile::TempDir,
    daemons: Vec<(String, Child)>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let number = LABS.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("bf{}x{number}", std::process::id());
        let lab = Self { prefix, dir: tempfile::tempdir().unwrap(), daemons: Vec::new() };
        for node in ["sw", "r1", "r2"] {
            // Left by a process of our number that was killed.
            let _ = Command::new("ip").args(["netns", "del", &lab.ns(node)]).stderr(Stdio::null()).status();
            run(&["ip", "netns", "add", &lab.ns(node)]);
        }
        lab.exec("sw", &["ip", "link", "add", "br0", "type", "bridge"]);
        lab.exec("sw", &["ip", "link", "set", "br0", "up"]);
        for node in NODES {
            let (port, ns, sw) = (format!("to-{node}"), lab.ns(node), lab.ns("sw"));
            run(&[
                "ip", "-n", &ns, "link", "add", "eth0", "type", "veth", "peer", "name", &port, "netns", &sw,
            ]);
            lab.exec("sw", &["ip", "link", "set", &port, "master", "br0", "up"]);
            let network = format!("{}/24", address(node));
            lab.exec(node, &["ip", "address", "add", &network, "dev", "eth0"]);
            lab.exec(node, &["ip", "link", "set", "eth0", "up"]);
            lab.exec(node, &["ip", "link", "set", "lo", "up"]);
        }
        lab
    }

    fn ns(&self, node: &str) -> String {
        format!("{}-{node}", self.prefix)
    }

    /// Runs a command in a node.
    pub(crate) fn exec(&self, node: &str, words: &[&str]) -> String {
        let ns = self.ns(node);
        let mut all = vec!["ip", "netns", "exec", &ns];
        all.extend(words);
        run(&all)
    }

    /// Cuts the cable, or mends it; carriers stay. Answers when the cut was made.
    pub(crate) fn plug(&self, whole: bool) -> Instant {
        // A port out of its bridge forwards nothing and keeps its carrier.
        let how: &[&str] = if whole { &["master", "br0"] } else { &["nomaster"] };
        let words = [&["ip", "link", "set", "to-r2"], how].concat();
        let before = Instant::now();
        self.exec("sw", &words);
        if whole { Instant::now() } else { before }
    }

    fn run_dir(&self, node: &str) -> PathBuf {
        self.dir.path().join(node)
    }

    /// Writes a router's configuration with a session to the other one.
    pub(crate) fn configure(&self, node: &str, interval: &str, multiplier: u8) {
        let peer = address(other(node));
        self.write(
            node,
            &format!(
                "[interfaces.eth0]\n[bfd.profiles.default]\ntransmit-interval = \"{interval}\"\n\
                 receive-interval = \"{interval}\"\ndetect-multiplier = {multiplier}\n\
                 [bfd.peers.other]\naddress = \"{peer}\"\ninterface = \"eth0\"\n"
            ),
        );
    }

    pub(crate) fn write(&self, node: &str, text: &str) {
        fs::write(self.dir.path().join(format!("{node}.toml")), text).unwrap();
    }

    /// Starts a router's daemon and waits until it answers.
    pub(crate) fn start(&mut self, node: &str) {
        let (config, run_dir) = (self.dir.path().join(format!("{node}.toml")), self.run_dir(node));
        fs::create_dir_all(&run_dir).unwrap();
        let log = File::options().create(true).append(true).open(run_dir.join("log")).unwrap();
        let child = Command::new("ip")
            .args(["netns", "exec", &self.ns(node), env!("CARGO_BIN_EXE_bfdd"), "--config"])
            .arg(config)
            .arg("--run-dir")
            .arg(&run_dir)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.daemons.push((node.to_owned(), child));
        self.until(LONG, "a daemon that answers", |lab| lab.try_ask(node, "peers").is_some());
    }

    /// Sends a signal to a daemon, by its pid.
    pub(crate) fn signal(&self, node: &str, name: &str) {
        let pid = self.daemons.iter().find(|(n, _)| n == node).unwrap().1.id();
        run(&["kill", "-s", name, &pid.to_string()]);
    }

    /// Waits for a daemon's end; was it in order?
    pub(crate) fn reap(&mut self, node: &str) -> bool {
        let place = self.daemons.iter().position(|(n, _)| n == node).unwrap();
        self.daemons.remove(place).1.wait().unwrap().success()
    }

    pub(crate) fn log(&self, node: &str) -> String {
        fs::read_to_string(self.run_dir(node).join("log")).unwrap_or_default()
    }

    fn try_ask(&self, node: &str, body: &str) -> Option<Value> {
        let mut stream = UnixStream::connect(self.run_dir(node).join("bfdd.sock")).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let greeting: Value = serde_json::from_slice(&frame(&mut stream)?).ok()?;
        assert_eq!(greeting["daemon"], "bfdd");
        send(&mut stream, json!({"id": 1, "body": body}).to_string().as_bytes())?;
        let answer: Value = serde_json::from_slice(&frame(&mut stream)?).ok()?;
        Some(answer["outcome"]["done"].clone())
    }

    pub(crate) fn ask(&self, node: &str, body: &str) -> Value {
        self.try_ask(node, body).unwrap_or_else(|| panic!("{node} does not answer:\n{}", self.log(node)))
    }

    /// The only session of a router.
    pub(crate) fn peer(&self, node: &str) -> Value {
        self.ask(node, "peers")[0].clone()
    }

    pub(crate) fn status(&self, node: &str) -> String {
        self.peer(node)["status"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn ups(&self, node: &str) -> u64 {
        self.ask(node, "counters")[0]["session-up"].as_u64().unwrap_or(0)
    }

    /// Polls until `f` holds.
    pub(crate) fn until(&self, limit: Duration, what: &str, mut f: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !f(self) {
            let logs: String = NODES.iter().map(|n| format!("\n{n}:\n{}", self.log(n))).collect();
            assert!(start.elapsed() < limit, "waited {limit:?} for {what}{logs}");
            sleep(Duration::from_millis(10));
        }
    }

    /// Until both are up and have negotiated.
    pub(crate) fn until_up(&self) {
        self.until(LONG, "both up", |lab| {
            NODES.iter().all(|n| {
                let peer = lab.peer(n);
                peer["status"] == "up" && peer["polling"] == false
            })
        });
    }

    pub(crate) fn client(&self, node: &str) -> Client {
        let index = self.exec(node, &["cat", "/sys/class/net/eth0/ifindex"]);
        let interface = IfIndex(index.trim().parse().unwrap());
        let key = SessionKey::single_hop(address(other(node)), address(node), interface);
        Client::connect(&self.run_dir(node), key)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for (_, child) in &mut self.daemons {
            let _ = child.kill();
            let _ = child.wait();
        }
        for node in ["sw", "r1", "r2"] {
            let _ = Command::new("ip").args(["netns", "del", &self.ns(node)]).status();
        }
    }
}

fn frame(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).ok()?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(head)).unwrap()];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

fn send(stream: &mut UnixStream, body: &[u8]) -> Option<()> {
    let length = u32::try_from(body.len()).unwrap();
    stream.write_all(&length.to_be_bytes()).ok()?;
    stream.write_all(body).ok()
}

/// A client such as ospfd. Dropped, it dies without a word.
pub(crate) struct Client {
    stream: UnixStream,
    key: SessionKey,
}

impl Client {
    fn connect(run_dir: &std::path::Path, key: SessionKey) -> Self {
        let stream = UnixStream::connect(run_dir.join("bfd.sock")).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let mut client = Self { stream, key };
        client.say(&ClientMessage::Hello { version: PROTOCOL_VERSION, name: "test".into() });
        let BfdMessage::Hello { version } = client.hear() else { panic!("no Hello") };
        assert_eq!(version, PROTOCOL_VERSION);
        client
    }

    pub(crate) fn say(&mut self, message: &ClientMessage) {
        let bytes = postcard::to_allocvec(message).unwrap();
        send(&mut self.stream, &bytes).unwrap();
    }

    pub(crate) fn hear(&mut self) -> BfdMessage {
        postcard::from_bytes(&frame(&mut self.stream).expect("an answer in time")).unwrap()
    }

    /// Wants the session with the other router.
    pub(crate) fn register(&mut self, interval: Duration) {
        let parameters = Parameters {
            transmit_interval: interval,
            receive_interval: interval,
            detect_multiplier: 3,
            passive: false,
            minimum_ttl: 254,
        };
        let key = self.key;
        self.say(&ClientMessage::BeginSync);
        self.say(&ClientMessage::Register { key, parameters });
        self.say(&ClientMessage::EndSync);
    }

    /// Reads until the session is told to be in this state; answers when, and whether the peer left on purpose.
    pub(crate) fn until(&mut self, state: SessionState) -> (Instant, bool) {
        loop {
            if let BfdMessage::State(status) = self.hear() {
                assert_eq!(status.key, self.key);
                if status.state == state {
                    return (Instant::now(), status.remote_admin_down);
                }
            }
        }
    }
}
