//! A few routers on a few switches, alive.
//!
//! Namespaces, cables and cleaning up are the lab's ([`ringlab::fabric`], [`ringlab::janitor`]): dropping a [`Bench`] removes
//! everything, on a panic too, and a janitor does it if we are killed. Processes are only ever found by the namespace they live in.

use crate::capture::Capture;
use crate::dialect;
use crate::router::{Kind, Router, Suite};
use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::sys::signal::Signal;
use ringlab::fabric::{self, Addressing, Cut, Names};
use ringlab::janitor::Janitor;
use ringlab::netns;
use ringlab::topology::{Host, Interface, Link, LinkKind, LinkOspf, Topology};
use std::collections::BTreeMap;
use std::fs::Permissions;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a process may take to leave after SIGTERM.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two looks.
const POLL: Duration = Duration::from_millis(20);
/// Lines of every log shown with a failure.
const LOG_LINES: usize = 12;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Looks until `look` is content or `limit` has passed; tells how long that took.
///
/// # Errors
/// What `look` objected to last.
pub fn eventually(limit: Duration, mut look: impl FnMut() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    loop {
        match look() {
            Ok(()) => return Ok(start.elapsed()),
            Err(fault) if start.elapsed() >= limit => {
                return Err(fault.context(format!("still after {limit:?}")));
            }
            Err(_) => std::thread::sleep(POLL),
        }
    }
}

/// Looks for `time`, all of which `look` must be content.
///
/// # Errors
/// What `look` objected to.
pub fn throughout(time: Duration, mut look: impl FnMut() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < time {
        look().with_context(|| format!("after {:?} of {time:?}", start.elapsed()))?;
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// Routers, hosts and switches.
#[derive(Debug)]
pub struct Bench {
    topology: Topology,
    routers: BTreeMap<String, Router>,
    names: Names,
    dir: PathBuf,
    children: Vec<Child>,
    janitor: Janitor,
}

impl Bench {
    /// Builds namespaces and cables and starts all routers.
    ///
    /// # Errors
    /// The kernel or a daemon refuses, or a program is missing; what was built is removed.
    pub fn up(routers: impl IntoIterator<Item = Router>) -> Result<Self> {
        let mut bench = Self::build(routers, &[])?;
        let names: Vec<String> = bench.routers.keys().cloned().collect();
        names.iter().try_for_each(|name| bench.start(name))?;
        Ok(bench)
    }

    /// Builds namespaces and cables; nothing runs. Hosts are a name, a link and an address each.
    ///
    /// # Errors
    /// The kernel refuses; what was built is removed.
    pub fn build(
        routers: impl IntoIterator<Item = Router>,
        hosts: &[(&str, &str, Ipv4Addr)],
    ) -> Result<Self> {
        ringlab::rootless::require_privilege()?;
        let prefix = format!("ti{}-{}-", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(format!("{prefix}run"));
        std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        let routers: BTreeMap<_, _> = routers.into_iter().map(|r| (r.name.clone(), r)).collect();
        let topology = topology(&routers, hosts)?;
        let janitor = Janitor::hire(&prefix, &dir)?;
        let bench = Self { topology, routers, names: Names::new(prefix), dir, children: Vec::new(), janitor };
        fabric::build(&bench.topology, &bench.names, |router| addressing(bench.routers.get(router)))?;
        Ok(bench)
    }

    /// A router's description.
    pub fn router(&self, name: &str) -> &Router {
        &self.routers[name]
    }

    /// All routers.
    pub fn routers(&self) -> impl Iterator<Item = &Router> {
        self.routers.values()
    }

    /// A node's namespace.
    pub fn namespace(&self, node: &str) -> String {
        self.names.node(node)
    }

    /// The namespace of a link's switch; its bridge is `br0`.
    pub fn switch(&self, link: &str) -> String {
        self.names.switch(link)
    }

    /// Starts to record what passes a link and fits a filter of `tcpdump`'s.
    ///
    /// # Errors
    /// `tcpdump` does not start.
    pub fn capture(&self, link: &str, filter: &str) -> Result<Capture> {
        Capture::start(&self.switch(link), filter, &self.dir.join(format!("{link}.pcap")))
    }

    /// A router's directory: configuration, sockets and logs.
    pub fn dir(&self, router: &str) -> PathBuf {
        self.dir.join(router)
    }

    /// Starts a router as described.
    ///
    /// # Errors
    /// A program is missing, or does not open its socket.
    pub fn start(&mut self, name: &str) -> Result<()> {
        let router = self.routers.get(name).with_context(|| format!("no router {name}"))?;
        let (dir, namespace) = (self.dir(name), self.names.node(name));
        std::fs::create_dir_all(&dir)?;
        // FRR's daemons are not root when they make their sockets.
        let mode = if router.suite == Suite::Frr { 0o777 } else { 0o755 };
        std::fs::set_permissions(&dir, Permissions::from_mode(mode))?;
        let plan = dialect::plan(router, &dir)?;
        for (path, text) in &plan.files {
            std::fs::write(path, text).with_context(|| path.display().to_string())?;
        }
        if !plan.links.is_empty() {
            netns::ip_batch(Some(&namespace), &plan.links)?;
        }
        let settings = dialect::settings(router);
        let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (&**key, *value)).collect();
        netns::sysctl(&namespace, &settings)?;
        let started = netns::within(&namespace, || {
            plan.processes.iter().map(|process| process.start(&dir)).collect::<Result<Vec<_>>>()
        });
        self.children.extend(started.map_err(|fault| self.explain(fault.context(name.to_owned())))?);
        Ok(())
    }

    /// Stops a router's daemons as an operator would; the machine goes on.
    ///
    /// # Errors
    /// A daemon that does not go even when killed.
    pub fn stop(&self, name: &str) -> Result<()> {
        let router = self.routers.get(name).with_context(|| format!("no router {name}"))?;
        let namespace = self.names.node(name);
        if router.suite == Suite::Torc {
            self.signal(name, "mgmtd", Signal::SIGTERM)?;
            eventually(STOP_PATIENCE, || {
                let left = netns::pids(&namespace)?;
                ensure!(left.is_empty(), "{name}: {left:?} outlive their supervisor");
                Ok(())
            })?;
        } else {
            netns::end_processes(&namespace, Signal::SIGTERM, STOP_PATIENCE)?;
        }
        if router.suite == Suite::Frr && router.vrrp.is_some() {
            // FRR leaves the device as it was, with the address: its operator takes it away.
            netns::ip_batch(Some(&namespace), &[format!("link del {}", dialect::FRR_MACVLAN)])?;
        }
        Ok(())
    }

    /// Starts one daemon of a router again, with the files it has now.
    ///
    /// # Errors
    /// The router has no such daemon, or it does not get ready.
    pub fn start_daemon(&mut self, name: &str, daemon: &str) -> Result<()> {
        let router = self.routers.get(name).with_context(|| format!("no router {name}"))?;
        let dir = self.dir(name);
        let plan = dialect::plan(router, &dir)?;
        let process = plan.processes.iter().find(|process| process.name == daemon);
        let process = process.with_context(|| format!("{name} has no {daemon}"))?;
        let child = netns::within(&self.namespace(name), || process.start(&dir))?;
        self.children.push(child);
        Ok(())
    }

    /// Sends a signal to one daemon of a router.
    ///
    /// # Errors
    /// It does not run.
    pub fn signal(&self, router: &str, daemon: &str, signal: Signal) -> Result<()> {
        let mut pids = netns::pids(&self.names.node(router))?;
        pids.retain(|&pid| netns::name_of(pid) == daemon);
        ensure!(!pids.is_empty(), "{router} runs no {daemon}");
        netns::signal_all(&pids, signal);
        Ok(())
    }

    /// Takes a router's power: processes, kernel tables and interfaces are gone at once, its neighbours keep their carrier.
    ///
    /// # Errors
    /// A process that does not die.
    pub fn power_off(&self, router: &str) -> Result<()> {
        fabric::power_off(&self.topology, &self.names, router)
    }

    /// Gives it back and starts the router.
    ///
    /// # Errors
    /// What building and starting refuse.
    pub fn power_on(&mut self, router: &str) -> Result<()> {
        let _ = std::fs::remove_dir_all(self.dir(router));
        let addressing = addressing(self.routers.get(router));
        fabric::rebuild_router(&self.topology, &self.names, router, addressing)?;
        self.start(router)
    }

    /// Pulls a router's plug out of a link (`Some`) or puts it back.
    ///
    /// # Errors
    /// What `ip` refuses.
    pub fn plug(&self, router: &str, link: &str, cut: Option<Cut>) -> Result<()> {
        fabric::set_plugs(&self.names, link, &[fabric::port_name(router, link)], cut)
    }

    /// Changes one of our own routers' configuration while it runs.
    ///
    /// # Errors
    /// Not one of ours, or it does not run.
    pub fn reconfigure(&mut self, name: &str, change: impl FnOnce(&mut Router)) -> Result<()> {
        let dir = self.dir(name);
        let router = self.routers.get_mut(name).with_context(|| format!("no router {name}"))?;
        ensure!(router.suite == Suite::Torc, "{name} is not ours to reload");
        change(router);
        for (path, text) in dialect::plan(router, &dir)?.files {
            std::fs::write(path, text)?;
        }
        self.signal(name, "mgmtd", Signal::SIGHUP)
    }

    /// Runs a program in a node's namespace and gives its output.
    ///
    /// # Errors
    /// It fails, with what it said.
    pub fn run(&self, node: &str, words: &[&str]) -> Result<String> {
        let output = self.output(node, words)?;
        netns::checked(&output, || format!("{node}: {}", words.join(" ")))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a program in a node's namespace, whatever comes of it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn output(&self, node: &str, words: &[&str]) -> Result<std::process::Output> {
        let (program, arguments) = words.split_first().context("no program")?;
        netns::within(&self.namespace(node), || {
            Command::new(program)
                .args(arguments)
                .output()
                .with_context(|| format!("{program} cannot be started"))
        })
    }

    /// Gives a router of FRR's some commands.
    ///
    /// # Errors
    /// `vtysh` fails.
    pub fn vtysh(&self, router: &str, commands: &[&str]) -> Result<String> {
        let dir = self.dir(router);
        let mut command = Command::new("vtysh");
        command.arg("--vty_socket").arg(&dir);
        commands.iter().for_each(|line| {
            command.args(["-c", line]);
        });
        let output = command.output().context("vtysh (package frr) cannot be started")?;
        netns::checked(&output, || format!("{router}: {commands:?}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Gives a router of BIRD's a command.
    ///
    /// # Errors
    /// `birdc` fails.
    pub fn birdc(&self, router: &str, words: &[&str]) -> Result<String> {
        let socket = self.dir(router).join("bird.ctl");
        let output = Command::new("birdc").arg("-s").arg(socket).args(words).output();
        let output = output.context("birdc (package bird2) cannot be started")?;
        netns::checked(&output, || format!("{router}: {words:?}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// [`eventually`], with the ends of all logs if it fails.
    ///
    /// # Errors
    /// What `look` objected to last.
    pub fn eventually(&self, limit: Duration, look: impl FnMut() -> Result<()>) -> Result<Duration> {
        eventually(limit, look).map_err(|fault| self.explain(fault))
    }

    /// Adds the ends of all logs to a fault.
    pub fn explain(&self, fault: anyhow::Error) -> anyhow::Error {
        let mut text = format!("{fault:#}");
        for router in self.routers.keys() {
            for (name, end) in log_ends(&self.dir(router)) {
                text.push_str(&format!("\n--- {router} {name}\n{end}"));
            }
        }
        anyhow!(text)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        match fabric::demolish(&self.names) {
            Ok(()) => {
                let _ = std::fs::remove_dir_all(&self.dir);
                self.janitor.dismiss();
            }
            // The janitor tries again when we end.
            Err(fault) => eprintln!("bench: {fault:#}"),
        }
        for child in &mut self.children {
            let _ = child.wait();
        }
    }
}

/// Our own routers put their addresses on themselves.
fn addressing(router: Option<&Router>) -> Addressing {
    if router.is_some_and(|router| router.suite == Suite::Torc) {
        Addressing::Daemon
    } else {
        Addressing::Lab
    }
}

/// The lab's cabling plan: every interface is called like its link.
fn topology(routers: &BTreeMap<String, Router>, hosts: &[(&str, &str, Ipv4Addr)]) -> Result<Topology> {
    let mut topology = Topology {
        name: "bench".to_owned(),
        description: String::new(),
        links: BTreeMap::new(),
        routers: BTreeMap::new(),
        hosts: BTreeMap::new(),
        gateway: None,
        vrrp: None,
    };
    for (name, router) in routers {
        let mut interfaces = BTreeMap::new();
        for port in &router.ports {
            let ospf = if port.kind == Kind::None { LinkOspf::None } else { LinkOspf::Passive };
            let network = ipnetwork::Ipv4Network::new(port.address.network(), port.address.prefix())?;
            topology.links.entry(port.link.clone()).or_insert(Link { kind: LinkKind::Lan, network, ospf });
            let interface = Interface { link: port.link.clone(), address: port.address, cost: port.cost };
            interfaces.insert(port.link.clone(), interface);
        }
        let part = ringlab::topology::Router {
            loopback: router.id,
            vrrp_priority: None,
            originate_default: None,
            static_routes: Vec::new(),
            interfaces,
        };
        topology.routers.insert(name.clone(), part);
    }
    for (name, link, address) in hosts {
        let Some(network) = topology.links.get(*link).map(|link| link.network) else {
            bail!("{name}: no link {link}");
        };
        let address = ipnetwork::Ipv4Network::new(*address, network.prefix())?;
        let host = Host { link: (*link).to_owned(), address, gateway: crate::Vrrp::ADDRESS };
        topology.hosts.insert((*name).to_owned(), host);
    }
    Ok(topology)
}

fn log_ends(dir: &Path) -> Vec<(String, String)> {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let logs = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "log"));
    let mut ends: Vec<(String, String)> = logs
        .map(|file| {
            let text = std::fs::read_to_string(file.path()).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let end = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
            (file.file_name().to_string_lossy().into_owned(), end)
        })
        .collect();
    ends.sort();
    ends
}
