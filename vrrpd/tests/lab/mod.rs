//! Routers and a host on one bridge, each in a network namespace of its own, with real daemons.
//!
//! Everything is named after the test's process and removed when the lab is dropped, panic or not. Needs
//! root, as the daemon does.

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

pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);
pub(crate) const VMAC: [u8; 6] = [0, 0, 0x5e, 0, 1, 10];

static LABS: AtomicU32 = AtomicU32::new(0);

/// Runs a command to its end; panics with its words if it fails.
pub(crate) fn run(words: &[&str]) -> String {
    let out = Command::new(words[0]).args(&words[1..]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{words:?}: {text}{}", String::from_utf8_lossy(&out.stderr));
    text
}

/// A bridge `sw`, routers `r1` and `r2` (.1 and .2 on eth0), a host `h` (.100 on eth0).
pub(crate) struct Lab {
    prefix: String,
    pub(crate) dir: tempfile::TempDir,
    daemons: Vec<(String, Child)>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let number = LABS.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("vt{}x{number}", std::process::id());
        let lab = Self { prefix, dir: tempfile::tempdir().unwrap(), daemons: Vec::new() };
        for node in ["sw", "r1", "r2", "h"] {
            // Left by a process of our number that was killed.
            let _ = Command::new("ip").args(["netns", "del", &lab.ns(node)]).stderr(Stdio::null()).status();
            run(&["ip", "netns", "add", &lab.ns(node)]);
        }
        lab.exec("sw", &["ip", "link", "add", "br0", "type", "bridge"]);
        lab.exec("sw", &["ip", "link", "set", "br0", "up"]);
        for (node, address) in [("r1", "192.0.2.1/24"), ("r2", "192.0.2.2/24"), ("h", "192.0.2.100/24")] {
            let (port, ns, sw) = (format!("to-{node}"), lab.ns(node), lab.ns("sw"));
            run(&[
                "ip", "-n", &ns, "link", "add", "eth0", "type", "veth", "peer", "name", &port, "netns", &sw,
            ]);
            lab.exec("sw", &["ip", "link", "set", &port, "master", "br0", "up"]);
            lab.exec(node, &["ip", "address", "add", address, "dev", "eth0"]);
            lab.exec(node, &["ip", "link", "set", "eth0", "up"]);
        }
        lab
    }

    pub(crate) fn ns(&self, node: &str) -> String {
        format!("{}-{node}", self.prefix)
    }

    /// Runs a command in a node.
    pub(crate) fn exec(&self, node: &str, words: &[&str]) -> String {
        let ns = self.ns(node);
        let mut all = vec!["ip", "netns", "exec", &ns];
        all.extend(words);
        run(&all)
    }

    /// Starts a command in a node; the child is the command itself.
    pub(crate) fn spawn(&self, node: &str, words: &[&str], stdout: Stdio) -> Child {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.ns(node)]).args(words);
        command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::null()).spawn().unwrap()
    }

    fn run_dir(&self, node: &str) -> PathBuf {
        self.dir.path().join(node)
    }

    /// Writes a router's configuration.
    pub(crate) fn configure(&self, node: &str, priority: u8, interval: &str, more: &str) -> PathBuf {
        let file = self.dir.path().join(format!("{node}.toml"));
        let text = format!(
            "hostname = \"{node}\"\n[vrrp.groups.lan]\ninterface = \"eth0\"\nvrid = 10\nversion = 3\n\
             priority = {priority}\nadvertisement-interval = \"{interval}\"\n\
             virtual-addresses = [\"{VIP}/24\"]\naccept = true\n{more}"
        );
        fs::write(&file, text).unwrap();
        file
    }

    /// Starts a router's daemon and waits until it answers.
    pub(crate) fn start(&mut self, node: &str) {
        let (config, run_dir) = (self.dir.path().join(format!("{node}.toml")), self.run_dir(node));
        fs::create_dir_all(&run_dir).unwrap();
        let log = File::options().create(true).append(true).open(run_dir.join("log")).unwrap();
        let child = Command::new("ip")
            .args(["netns", "exec", &self.ns(node), env!("CARGO_BIN_EXE_vrrpd"), "--config"])
            .arg(config)
            .arg("--run-dir")
            .arg(&run_dir)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.daemons.push((node.to_owned(), child));
        self.until(Duration::from_secs(20), "a daemon that answers", |lab| lab.try_show(node).is_some());
    }

    pub(crate) fn pid(&self, node: &str) -> String {
        self.daemons.iter().find(|(n, _)| n == node).unwrap().1.id().to_string()
    }

    /// Sends a signal to a daemon, by its pid.
    pub(crate) fn signal(&self, node: &str, name: &str) {
        run(&["kill", "-s", name, &self.pid(node)]);
    }

    /// Waits for a daemon's end.
    pub(crate) fn reap(&mut self, node: &str) {
        let place = self.daemons.iter().position(|(n, _)| n == node).unwrap();
        self.daemons.remove(place).1.wait().unwrap();
    }

    /// `show vrrp json`: the only group.
    pub(crate) fn show(&self, node: &str) -> Value {
        self.try_show(node).unwrap_or_else(|| panic!("{node} does not answer:\n{}", self.log(node)))
    }

    pub(crate) fn log(&self, node: &str) -> String {
        fs::read_to_string(self.run_dir(node).join("log")).unwrap_or_default()
    }

    fn try_show(&self, node: &str) -> Option<Value> {
        let mut stream = UnixStream::connect(self.run_dir(node).join("vrrpd.sock")).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let greeting = frame(&mut stream)?;
        assert_eq!(greeting["daemon"], "vrrpd");
        let request = json!({"id": 1, "body": {"routers": {}}}).to_string();
        let length = u32::try_from(request.len()).unwrap();
        stream.write_all(&length.to_be_bytes()).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        Some(frame(&mut stream)?["outcome"]["done"][0].clone())
    }

    pub(crate) fn status(&self, node: &str) -> String {
        self.show(node)["v4"]["status"].as_str().unwrap().to_owned()
    }

    /// Does the kernel of a node hold the virtual address?
    pub(crate) fn has_vip(&self, node: &str) -> bool {
        self.exec(node, &["ip", "-o", "-4", "address", "show"]).contains(&format!("{VIP}/32"))
    }

    /// Polls until `f` holds; answers how long it took.
    pub(crate) fn until(&self, limit: Duration, what: &str, mut f: impl FnMut(&Self) -> bool) -> Duration {
        let start = Instant::now();
        while !f(self) {
            assert!(
                start.elapsed() < limit,
                "waited {limit:?} for {what}\nr1:\n{}\nr2:\n{}",
                self.log("r1"),
                self.log("r2")
            );
            sleep(Duration::from_millis(5));
        }
        start.elapsed()
    }

    /// Starts both routers and waits for the election.
    pub(crate) fn elect(&mut self) {
        self.start("r1");
        self.start("r2");
        self.until(Duration::from_secs(30), "r1 Master and r2 Backup", |lab| {
            lab.status("r1") == "Master" && lab.status("r2") == "Backup"
        });
    }
}

fn frame(stream: &mut UnixStream) -> Option<Value> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).ok()?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(head)).unwrap()];
    stream.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

impl Drop for Lab {
    fn drop(&mut self) {
        for (_, child) in &mut self.daemons {
            let _ = child.kill();
            let _ = child.wait();
        }
        for node in ["sw", "r1", "r2", "h"] {
            let _ = Command::new("ip").args(["netns", "del", &self.ns(node)]).status();
        }
    }
}

/// Frames captured on an interface of a node.
pub(crate) struct Capture {
    child: Child,
    file: PathBuf,
}

impl Capture {
    pub(crate) fn start(lab: &Lab, node: &str) -> Self {
        let file = lab.dir.path().join(format!("{node}.pcap"));
        // What an earlier capture left would look like this one's beginning.
        let _ = fs::remove_file(&file);
        let path = file.to_str().unwrap();
        let child =
            lab.spawn(node, &["tcpdump", "-i", "eth0", "-U", "-n", "-Z", "root", "-w", path], Stdio::null());
        let capture = Self { child, file };
        let start = Instant::now();
        while fs::metadata(&capture.file).map_or(0, |m| m.len()) < 24 {
            assert!(start.elapsed() < Duration::from_secs(20), "tcpdump does not start");
            sleep(Duration::from_millis(5));
        }
        capture
    }

    /// Ends the capture; answers the frames.
    pub(crate) fn stop(mut self) -> Vec<Vec<u8>> {
        // tcpdump writes what it has read, but reads no more once it is told to end.
        sleep(Duration::from_millis(500));
        run(&["kill", "-s", "TERM", &self.child.id().to_string()]);
        self.child.wait().unwrap();
        let bytes = fs::read(&self.file).unwrap();
        let mut rest = &bytes[24..];
        let mut frames = Vec::new();
        while rest.len() >= 16 {
            let length = usize::try_from(u32::from_ne_bytes(rest[8..12].try_into().unwrap())).unwrap();
            frames.push(rest[16..16 + length].to_vec());
            rest = &rest[16 + length..];
        }
        frames
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An ARP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arp {
    pub(crate) ethernet_source: [u8; 6],
    pub(crate) reply: bool,
    pub(crate) sender_mac: [u8; 6],
    pub(crate) sender: Ipv4Addr,
    pub(crate) target: Ipv4Addr,
}

pub(crate) fn arps(frames: &[Vec<u8>]) -> Vec<Arp> {
    let read = |f: &Vec<u8>| {
        (f.len() >= 42 && f[12..14] == [8, 6]).then(|| Arp {
            ethernet_source: f[6..12].try_into().unwrap(),
            reply: f[21] == 2,
            sender_mac: f[22..28].try_into().unwrap(),
            sender: Ipv4Addr::new(f[28], f[29], f[30], f[31]),
            target: Ipv4Addr::new(f[38], f[39], f[40], f[41]),
        })
    };
    frames.iter().filter_map(read).collect()
}

/// Pings the virtual address from the host, a packet a millisecond.
pub(crate) struct Pings(Child);

impl Pings {
    pub(crate) fn start(lab: &Lab, count: u32) -> Self {
        let vip = VIP.to_string();
        let count = count.to_string();
        Self(lab.spawn(
            "h",
            &["ping", "-q", "-n", "-i", "0.001", "-W", "1", "-c", &count, &vip],
            Stdio::piped(),
        ))
    }

    /// (sent, answered).
    pub(crate) fn finish(mut self) -> (u32, u32) {
        self.0.wait().unwrap();
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        let line =
            text.lines().find(|l| l.contains("packets transmitted")).unwrap_or_else(|| panic!("{text}"));
        let number = |part: &str| part.split_whitespace().next().unwrap().parse().unwrap();
        let mut parts = line.split(", ");
        (number(parts.next().unwrap()), number(parts.next().unwrap()))
    }
}

impl Drop for Pings {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
