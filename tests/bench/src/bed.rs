//! The test bed: two namespaces, the cables between them, the suite in one, its neighbours in the other, and one loop.
//!
//! Dropping a [`Bed`] ends the suite and removes the namespaces; a janitor does it if we are killed.

use crate::area::{Area, Routes, gateway_address, suite_address};
use crate::kernel::Table;
use crate::neighbor::{Database, Neighbor, State};
use crate::suite::{Role, Suite, interface};
use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use ospf_proto::lsa::{Lsa, LsaKey};
use ringlab::janitor::Janitor;
use ringlab::netns;
use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// For anything to become right.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a suite may take to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Processor time by the name of the process.
pub type Usage = BTreeMap<String, Duration>;

/// Memory of the suite's processes in KiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Resident.
    pub rss: u64,
    /// Proportional.
    pub pss: u64,
}

/// A suite and its neighbours.
#[derive(Debug)]
pub struct Bed {
    prefix: String,
    dir: PathBuf,
    janitor: Janitor,
    children: Vec<Child>,
    pids: Vec<i32>,
    neighbors: Vec<Neighbor>,
    /// One for all neighbours, or one for each.
    databases: Vec<Database>,
    table: Table,
    is_feeding: bool,
}

impl Bed {
    /// Builds the bed and starts the suite; its neighbours are silent until [`Bed::feed`].
    ///
    /// # Errors
    /// The kernel or a daemon refuses; what was built is removed.
    pub fn up(suite: Suite, role: Role, area: &mut Area, daemons: &Path) -> Result<Self> {
        ringlab::rootless::require_privilege()?;
        let prefix = format!("tb{}-{}-", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(format!("{prefix}run"));
        std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        // FRR's daemons are not root when they make their sockets.
        std::fs::set_permissions(&dir, Permissions::from_mode(0o777))?;
        let janitor = Janitor::hire(&prefix, &dir)?;
        let links = area.links();
        cable(&prefix, links, suite)?;
        let table = netns::within(&format!("{prefix}dut"), Table::open)?;
        let neighbors = netns::within(&format!("{prefix}area"), || {
            (0..links)
                .map(|link| {
                    let (name, gateway) = (format!("a{link}"), area.gateway(link));
                    Neighbor::open(&name, link, gateway, suite.answers(), area.hello_interval())
                })
                .collect::<Result<Vec<_>>>()
        })?;
        let database = |lsas: Vec<Lsa>| lsas.into_iter().map(|lsa| (lsa.key(), lsa)).collect();
        let databases = area.known().into_iter().map(database).collect();
        let (children, pids, is_feeding) = (Vec::new(), Vec::new(), false);
        let mut bed = Self { prefix, dir, janitor, children, pids, neighbors, databases, table, is_feeding };
        bed.start(suite, role, area, daemons)?;
        Ok(bed)
    }

    fn start(&mut self, suite: Suite, role: Role, area: &Area, daemons: &Path) -> Result<()> {
        let plan = suite.plan(role, area.links(), area.hello_interval(), &self.dir, daemons);
        for (path, text) in &plan.files {
            std::fs::write(path, text).with_context(|| path.display().to_string())?;
        }
        let dir = &self.dir;
        self.children = netns::within(&self.namespace(), || {
            plan.processes.iter().map(|process| process.start(dir)).collect::<Result<Vec<_>>>()
        })?;
        self.pids = self.living()?;
        ensure!(!self.pids.is_empty(), "{} does not run", suite.name());
        Ok(())
    }

    /// The suite's namespace.
    pub fn namespace(&self) -> String {
        format!("{}dut", self.prefix)
    }

    /// Lets the neighbours speak.
    pub fn feed(&mut self) {
        self.is_feeding = true;
    }

    /// Where the suite's files and sockets are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What must be in the kernel from now on.
    pub fn expect(&mut self, area: &Area) {
        self.expect_routes(area.routes());
    }

    /// The same, of routes that need not come from the area.
    pub fn expect_routes(&mut self, routes: Routes) {
        self.table.expect(routes);
    }

    /// Puts LSAs into the first database and floods them over the first link.
    ///
    /// # Errors
    /// The socket's.
    pub fn flood(&mut self, lsas: Vec<Lsa>) -> Result<()> {
        let keys: Vec<LsaKey> = lsas.iter().map(Lsa::key).collect();
        match (self.neighbors.first_mut(), self.databases.first_mut()) {
            (Some(neighbor), Some(database)) => {
                database.extend(lsas.into_iter().map(|lsa| (lsa.key(), lsa)));
                neighbor.flood(&keys, database)
            }
            _ => Ok(()),
        }
    }

    /// Turns the loop until [`Bed::is_right`], and gives the moment.
    ///
    /// # Errors
    /// It takes too long, with what is missing; a socket's. Both with the ends of the suite's logs.
    pub fn until_right(&mut self) -> Result<Instant> {
        self.turn_until_right().map_err(|fault| self.explain(fault))
    }

    fn turn_until_right(&mut self) -> Result<Instant> {
        let limit = Instant::now() + PATIENCE;
        while !self.is_right() {
            if Instant::now() >= limit {
                let states: Vec<State> = self.neighbors.iter().map(|n| n.state).collect();
                bail!("after {PATIENCE:?} neighbours are {states:?}, {} routes wrong", self.table.wrong());
            }
            self.turn(limit)?;
        }
        Ok(Instant::now())
    }

    /// Turns the loop for a time.
    ///
    /// # Errors
    /// A socket's.
    pub fn rest(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(end)?;
        }
        Ok(())
    }

    /// Waits for something to happen, no longer than until `limit`, and answers it.
    fn turn(&mut self, limit: Instant) -> Result<()> {
        let deadlines = self.neighbors.iter().filter(|_| self.is_feeding).map(Neighbor::deadline);
        let wake = deadlines.chain([limit]).min().unwrap_or(limit);
        let left = wake.saturating_duration_since(Instant::now());
        // Rounded up, so that a deadline has passed when we wake.
        let timeout = PollTimeout::try_from(left + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX);
        let sockets = self.neighbors.iter().filter(|_| self.is_feeding).map(|n| n.socket().as_fd());
        let mut fds: Vec<PollFd<'_>> =
            sockets.chain([self.table.fd()]).map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        poll(&mut fds, timeout)?;
        let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or_default()).collect();
        drop(fds);
        if self.is_feeding {
            let now = Instant::now();
            // The only one is everybody's.
            let databases = self.databases.iter().cycle();
            for ((neighbor, is_ready), database) in self.neighbors.iter_mut().zip(&ready).zip(databases) {
                if *is_ready {
                    neighbor.receive(database)?;
                }
                if neighbor.deadline() <= now {
                    neighbor.expire(now, database)?;
                }
            }
        }
        if ready.last() == Some(&true) { self.table.listen() } else { Ok(()) }
    }

    /// Are all neighbours Full and all routes right?
    pub fn is_right(&self) -> bool {
        self.table.wrong() == 0 && self.neighbors.iter().all(|n| n.state == State::Full)
    }

    /// Changes of the kernel's table so far.
    pub fn changes(&self) -> u64 {
        self.table.heard
    }

    /// LSAs that had to be sent again.
    pub fn retransmissions(&self) -> u64 {
        self.neighbors.iter().map(|n| n.retransmissions).sum()
    }

    /// The longest time between two Hellos of the suite since this was asked last; zero without two.
    pub fn longest_silence(&mut self) -> Duration {
        self.neighbors.iter_mut().map(Neighbor::longest_silence).max().unwrap_or_default()
    }

    /// The start of the first adjacency.
    pub fn started(&self) -> Option<Instant> {
        self.neighbors.iter().filter_map(|n| n.started).min()
    }

    /// Does a fresh dump of the kernel agree?
    ///
    /// # Errors
    /// It does not.
    pub fn verify(&self) -> Result<()> {
        netns::within(&self.namespace(), || self.table.verify())
    }

    /// Processor time of the suite so far, the kernel's work in its name included.
    ///
    /// # Errors
    /// A process is gone.
    pub fn usage(&self) -> Result<Usage> {
        let mut usage = Usage::new();
        for &pid in &self.pids {
            let name = netns::name_of(pid);
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
                .with_context(|| format!("{} is gone; see {}", pid, self.dir.display()))?;
            for task in tasks {
                let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else { continue };
                let nanoseconds = text.split_whitespace().next().unwrap_or_default().parse()?;
                *usage.entry(name.clone()).or_default() += Duration::from_nanos(nanoseconds);
            }
        }
        Ok(usage)
    }

    /// Processor time of the suite since `before`.
    ///
    /// # Errors
    /// A process is gone.
    pub fn spent_since(&self, before: &Usage) -> Result<Duration> {
        let total = |usage: &Usage| usage.values().sum::<Duration>();
        Ok(total(&self.usage()?).saturating_sub(total(before)))
    }

    /// The processes that live now.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn living(&self) -> Result<Vec<i32>> {
        netns::pids(&self.namespace())
    }

    /// Memory of the suite.
    ///
    /// # Errors
    /// A process is gone.
    pub fn memory(&self) -> Result<Memory> {
        let mut memory = Memory::default();
        for &pid in &self.pids {
            let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
            let number = |key: &str| -> Result<u64> {
                let line = text.lines().find_map(|line| line.strip_prefix(key)).context("no such line")?;
                Ok(line.trim().trim_end_matches(" kB").parse()?)
            };
            memory.rss += number("Rss:")?;
            memory.pss += number("Pss:")?;
        }
        Ok(memory)
    }

    /// The ends of the suite's logs, added to a fault.
    fn explain(&self, fault: anyhow::Error) -> anyhow::Error {
        let mut text = format!("{fault:#}");
        for file in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            if file.path().extension().is_some_and(|extension| extension == "log") {
                let log = std::fs::read_to_string(file.path()).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                let end = lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n");
                text = format!("{text}\n--- {}\n{end}", file.path().display());
            }
        }
        anyhow!(text)
    }

    /// The processes the suite started with.
    pub fn pids(&self) -> &[i32] {
        &self.pids
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let end = |name: &str| -> Result<()> {
            netns::end_processes(name, Signal::SIGTERM, STOP_PATIENCE)?;
            netns::delete(name)
        };
        let gone = netns::list(&self.prefix).iter().try_for_each(|name| end(name));
        for child in &mut self.children {
            let _ = child.wait();
        }
        match gone {
            Ok(()) => {
                let _ = std::fs::remove_dir_all(&self.dir);
                self.janitor.dismiss();
            }
            // The janitor tries again when we end.
            Err(fault) => eprintln!("bed: {fault:#}"),
        }
    }
}

/// Namespaces, cables, addresses; Torc puts its own addresses on.
fn cable(prefix: &str, links: usize, suite: Suite) -> Result<()> {
    let (dut, far) = (format!("{prefix}dut"), format!("{prefix}area"));
    netns::ip_batch(None, &[format!("netns add {dut}"), format!("netns add {far}")])?;
    for name in [&dut, &far] {
        let quiet = ["all", "default"].map(|scope| format!("net/ipv6/conf/{scope}/disable_ipv6"));
        netns::sysctl(name, &[(&quiet[0], "1"), (&quiet[1], "1")])?;
    }
    if suite == Suite::Frr {
        // One socket of it joins the group on every interface, and the kernel allows 20.
        netns::sysctl(&dut, &[("net/ipv4/igmp_max_memberships", "1000")])?;
    }
    let mut ours = vec!["link set lo up".to_owned()];
    let mut theirs = vec!["link set lo up".to_owned()];
    if suite != Suite::Torc {
        theirs.push(format!("addr add {}/32 dev lo", crate::area::SUITE));
    }
    for link in 0..links {
        let name = interface(link);
        ours.push(format!("link add a{link} type veth peer name {name} netns {dut}"));
        ours.push(format!("addr add {}/30 dev a{link}", gateway_address(link)));
        ours.push(format!("link set a{link} up"));
        theirs.push(format!("link set {name} up"));
        if suite != Suite::Torc {
            theirs.push(format!("addr add {}/30 dev {name}", suite_address(link)));
        }
    }
    netns::ip_batch(Some(&far), &ours)?;
    netns::ip_batch(Some(&dut), &theirs)
}
