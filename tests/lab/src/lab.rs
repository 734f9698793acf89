//! A running lab and what can be done to it.
//!
//! The owner of a [`Lab`] value owns the namespaces: dropping it removes everything. `ringlab up` lets go of it
//! ([`Lab::leave`]) and later invocations come back through the state file ([`Lab::attach`]). The lab keeps book of what it
//! broke, so it always knows what the tables must hold *now* ([`crate::verdict`]).

use crate::fabric::{self, Cut, Names};
use crate::janitor::Janitor;
use crate::netns;
use crate::oracle::{Failure, Failures};
use crate::stack::{Plan, Profile, Site, Stack};
use crate::topology::{LinkKind, Topology};
use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long a process may take to leave after SIGTERM.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

static COUNT: AtomicU32 = AtomicU32::new(0);

/// What to build.
#[derive(Debug, Clone)]
pub struct Options {
    /// The cabling plan.
    pub topology: Topology,
    /// What routers run.
    pub stack: Stack,
    /// What single routers run instead.
    pub exceptions: BTreeMap<String, Stack>,
    /// Timers.
    pub profile: Profile,
    /// Where this project's binaries are.
    pub daemons: PathBuf,
    /// Lines for a section (`ospf`, `vrrp`) of the configuration of this suite's routers.
    pub additions: BTreeMap<String, String>,
    /// Routers whose daemons an operator starts one by one, without the supervisor.
    pub by_hand: BTreeSet<String>,
    /// Directory for configuration, sockets, logs and the state file; a fresh one below the temporary directory if absent.
    pub run_dir: Option<PathBuf>,
}

impl Options {
    /// A shipped topology with one stack on every router and fast timers.
    ///
    /// # Errors
    /// No such topology.
    pub fn new(topology: &str, stack: Stack) -> Result<Self> {
        Ok(Self {
            topology: Topology::load(topology)?,
            stack,
            exceptions: BTreeMap::new(),
            profile: Profile::Ring,
            daemons: default_daemons(),
            additions: BTreeMap::new(),
            by_hand: BTreeSet::new(),
            run_dir: None,
        })
    }
}

/// The directory of this binary, or the one above it when a test is running out of `deps`.
pub fn default_daemons() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let dir = exe.parent().unwrap_or(Path::new(".")).to_path_buf();
    if dir.ends_with("deps") { dir.parent().map(Path::to_path_buf).unwrap_or(dir) } else { dir }
}

/// A broken plug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Broken {
    link: String,
    node: String,
    cut: Cut,
}

#[derive(Debug, Serialize, Deserialize)]
struct State {
    prefix: String,
    topology: Topology,
    stacks: BTreeMap<String, Stack>,
    profile: Profile,
    daemons: PathBuf,
    additions: BTreeMap<String, String>,
    by_hand: BTreeSet<String>,
    broken: Vec<Broken>,
    dead: BTreeSet<String>,
    /// Routers whose stack was told to stop; the machine is up.
    stopped: BTreeSet<String>,
    /// A process that holds the user namespace of a rootless lab.
    holder: Option<i32>,
}

/// How a router is killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Death {
    /// Power cut: all processes and the kernel's tables at once; neighbours keep their carrier.
    Silent,
    /// One daemon gets SIGKILL; the machine goes on.
    Daemon(String),
    /// One daemon gets SIGTERM; the machine goes on.
    DaemonTerm(String),
    /// The whole routing stack gets SIGTERM and stays down; the machine goes on.
    Term,
}

/// Routers, switches and hosts that are running.
#[derive(Debug)]
pub struct Lab {
    state: State,
    names: Names,
    run_dir: PathBuf,
    children: Mutex<Vec<Child>>,
    janitor: Option<Janitor>,
    owned: bool,
}

impl Lab {
    /// Builds the namespaces and cables and starts every router. Does not wait for routes.
    ///
    /// # Errors
    /// The kernel, `ip` or a daemon refuses; what was built is removed again.
    pub fn up(options: Options) -> Result<Self> {
        crate::rootless::require_privilege()?;
        let prefix = format!("tl{}-{}-", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let run_dir =
            options.run_dir.clone().unwrap_or_else(|| std::env::temp_dir().join(format!("{prefix}run")));
        std::fs::create_dir_all(&run_dir).with_context(|| format!("creating {}", run_dir.display()))?;
        let stacks =
            options.topology.routers.keys().map(|router| {
                (router.clone(), options.exceptions.get(router).copied().unwrap_or(options.stack))
            });
        let state = State {
            stacks: stacks.collect(),
            topology: options.topology,
            profile: options.profile,
            daemons: options.daemons,
            additions: options.additions,
            by_hand: options.by_hand,
            broken: Vec::new(),
            dead: BTreeSet::new(),
            stopped: BTreeSet::new(),
            holder: None,
            prefix,
        };
        let names = Names::new(&*state.prefix);
        let janitor = Some(Janitor::hire(&state.prefix, &run_dir)?);
        let lab = Self { state, names, run_dir, children: Mutex::default(), janitor, owned: true };
        fabric::build(lab.topology(), &lab.names, |router| lab.stack(router).addressing())?;
        let routers: Vec<&String> = lab.topology().routers.keys().collect();
        netns::parallel(&routers, 4, |router| lab.start_router(router))?;
        lab.save()?;
        Ok(lab)
    }

    /// Comes back to a lab that [`Lab::leave`] left running.
    ///
    /// # Errors
    /// No state file.
    pub fn attach(run_dir: &Path) -> Result<Self> {
        let path = run_dir.join("state.json");
        let text = std::fs::read_to_string(&path).with_context(|| format!("no lab at {}", path.display()))?;
        let state: State = serde_json::from_str(&text)?;
        let names = Names::new(&*state.prefix);
        let run_dir = run_dir.to_path_buf();
        Ok(Self { state, names, run_dir, children: Mutex::default(), janitor: None, owned: false })
    }

    /// Lets the lab run on without us; gives its directory, by which to come back.
    ///
    /// # Errors
    /// The state file cannot be written; the lab is then removed.
    pub fn leave(mut self, holder: Option<i32>) -> Result<PathBuf> {
        self.state.holder = holder;
        self.save()?;
        self.owned = false;
        if let Some(janitor) = &mut self.janitor {
            janitor.dismiss();
        }
        Ok(self.run_dir.clone())
    }

    /// Removes the lab.
    ///
    /// # Errors
    /// The first thing that refuses to go; everything else is gone.
    pub fn down(mut self) -> Result<()> {
        self.owned = true;
        self.tear_down()
    }

    fn tear_down(&mut self) -> Result<()> {
        self.owned = false;
        let result = fabric::demolish(&self.names);
        for child in self.children.get_mut().map_err(|_| anyhow!("poisoned"))?.iter_mut() {
            let _ = child.wait();
        }
        if result.is_ok() {
            let _ = std::fs::remove_dir_all(&self.run_dir);
            if let Some(janitor) = &mut self.janitor {
                janitor.dismiss();
            }
        }
        result
    }

    /// The cabling plan.
    pub fn topology(&self) -> &Topology {
        &self.state.topology
    }

    /// Namespaces' names.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The lab's directory; every router has one of its own below it.
    pub fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// Timers.
    pub fn profile(&self) -> Profile {
        self.state.profile
    }

    /// What a router runs.
    pub fn stack(&self, router: &str) -> Stack {
        self.state.stacks.get(router).copied().unwrap_or(Stack::Torc)
    }

    /// The process that holds the user namespace of a rootless lab.
    pub fn holder(&self) -> Option<i32> {
        self.state.holder
    }

    /// What the lab broke so far.
    pub fn failures(&self) -> Failures {
        let dead = self.state.dead.union(&self.state.stopped).cloned().map(Failure::Router);
        let broken = self.state.broken.iter().filter_map(|broken| {
            let kind = self.topology().links.get(&broken.link)?.kind;
            Some(match kind {
                LinkKind::Ring => Failure::Link(broken.link.clone()),
                _ => Failure::Leg { link: broken.link.clone(), router: broken.node.clone() },
            })
        });
        dead.chain(broken).collect()
    }

    /// Routers that have power, in the order of the plan.
    pub fn living_routers(&self) -> impl Iterator<Item = &str> {
        self.topology().routers.keys().filter(|router| !self.state.dead.contains(*router)).map(String::as_str)
    }

    /// Routers whose stack runs, in the order of the plan.
    pub fn running_routers(&self) -> impl Iterator<Item = &str> {
        self.living_routers().filter(|router| !self.state.stopped.contains(*router))
    }

    /// Processes of one name inside a router.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn pids_of(&self, router: &str, program: &str) -> Result<Vec<i32>> {
        let mut pids = netns::pids(&self.names.node(router))?;
        pids.retain(|&pid| netns::name_of(pid) == program);
        Ok(pids)
    }

    fn save(&self) -> Result<()> {
        let path = self.run_dir.join("state.json");
        std::fs::write(&path, serde_json::to_vec_pretty(&self.state)?)
            .with_context(|| path.display().to_string())
    }

    pub(crate) fn with_site<T>(&self, router: &str, work: impl FnOnce(&Site<'_>) -> Result<T>) -> Result<T> {
        let (name, part) =
            self.topology().routers.get_key_value(router).with_context(|| format!("no router {router}"))?;
        let dir = self.run_dir.join(router);
        let State { profile, daemons, additions, .. } = &self.state;
        let (topology, profile) = (self.topology(), *profile);
        let by_hand = self.state.by_hand.contains(router);
        work(&Site { topology, name, router: part, profile, dir: &dir, daemons, additions, by_hand })
    }

    /// Starts a router's stack in its namespace.
    ///
    /// # Errors
    /// A daemon that does not come up, with the end of its log.
    pub fn start_router(&self, router: &str) -> Result<()> {
        let plan = self.with_site(router, |site| Ok(self.stack(router).plan(site)))?;
        let dir = self.run_dir.join(router);
        std::fs::create_dir_all(&dir)?;
        std::fs::set_permissions(&dir, Permissions::from_mode(self.stack(router).directory_mode()))?;
        let Plan { files, links, settings, processes } = plan;
        for (path, text) in files {
            std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
        let namespace = self.names.node(router);
        if !links.is_empty() {
            netns::ip_batch(Some(&namespace), &links)?;
        }
        let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (&**key, &**value)).collect();
        netns::sysctl(&namespace, &settings)?;
        netns::within(&namespace, || {
            processes.iter().try_for_each(|process| {
                let child = process.start(&dir).with_context(|| router.to_owned())?;
                self.children.lock().map_err(|_| anyhow!("poisoned"))?.push(child);
                Ok(())
            })
        })
    }

    /// Starts one process of a router's plan: what its supervisor, or the machine's, does when it has died.
    ///
    /// # Errors
    /// The plan has no such process, or it does not come up.
    pub fn start_process(&self, router: &str, name: &str) -> Result<()> {
        let plan = self.with_site(router, |site| Ok(self.stack(router).plan(site)))?;
        let process = plan.processes.iter().find(|process| process.name == name);
        let process = process.with_context(|| format!("{router} starts no {name}"))?;
        let dir = self.run_dir.join(router);
        self.reap();
        netns::within(&self.names.node(router), || {
            let child = process.start(&dir).with_context(|| router.to_owned())?;
            self.children.lock().map_err(|_| anyhow!("poisoned"))?.push(child);
            Ok(())
        })
    }

    /// Where this project's binaries are.
    pub fn daemons(&self) -> &Path {
        &self.state.daemons
    }

    /// Kills a router or a part of it.
    ///
    /// # Errors
    /// No such router or daemon, or it does not die.
    pub fn kill(&mut self, router: &str, death: &Death) -> Result<()> {
        let namespace = self.names.node(router);
        if !self.topology().routers.contains_key(router) || self.state.dead.contains(router) {
            bail!("{router} is no living router");
        }
        match death {
            Death::Silent => {
                fabric::power_off(self.topology(), &self.names, router)?;
                self.state.dead.insert(router.to_owned());
                self.state.stopped.remove(router);
                // Its plugs went with it; those it gets on its return are whole.
                self.state.broken.retain(|broken| broken.node != router);
            }
            Death::Term => {
                // Who has a supervisor is stopped through it, in its order.
                let supervisor = self.pids_of(router, "mgmtd")?;
                let first = if supervisor.is_empty() { netns::pids(&namespace)? } else { supervisor };
                netns::signal_all(&first, Signal::SIGTERM);
                netns::await_end(&namespace, STOP_PATIENCE)?;
                self.state.stopped.insert(router.to_owned());
            }
            Death::Daemon(daemon) => self.signal_daemon(router, daemon, Signal::SIGKILL)?,
            Death::DaemonTerm(daemon) => self.signal_daemon(router, daemon, Signal::SIGTERM)?,
        }
        self.reap();
        self.save()
    }

    fn signal_daemon(&self, router: &str, daemon: &str, signal: Signal) -> Result<()> {
        let pids = self.pids_of(router, daemon)?;
        if pids.is_empty() {
            bail!("{router} runs no {daemon}");
        }
        netns::signal_all(&pids, signal);
        Ok(())
    }

    fn reap(&self) {
        if let Ok(mut children) = self.children.lock() {
            children.retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_))));
        }
    }

    /// Breaks a link. `end` restricts the cut to one node's plug; without it every node on the link is cut off.
    ///
    /// # Errors
    /// No such link or node on it.
    pub fn cut(&mut self, link: &str, end: Option<&str>, cut: Cut) -> Result<()> {
        let ends = self.plugs(link, end)?;
        let ports: Vec<String> = ends.iter().map(|(_, port)| port.clone()).collect();
        fabric::set_plugs(&self.names, link, &ports, Some(cut))?;
        for (node, _) in ends {
            self.state.broken.retain(|broken| broken.link != link || broken.node != node);
            self.state.broken.push(Broken { link: link.to_owned(), node, cut });
        }
        self.save()
    }

    /// Plugs a link together again.
    ///
    /// # Errors
    /// No such link or node on it.
    pub fn mend(&mut self, link: &str, end: Option<&str>) -> Result<()> {
        let ends = self.plugs(link, end)?;
        let ports: Vec<String> = ends.iter().map(|(_, port)| port.clone()).collect();
        fabric::set_plugs(&self.names, link, &ports, None)?;
        self.state.broken.retain(|b| b.link != link || !ends.iter().any(|(node, _)| *node == b.node));
        self.save()
    }

    fn plugs(&self, link: &str, end: Option<&str>) -> Result<Vec<(String, String)>> {
        let ports = self
            .topology()
            .ports()
            .filter(|(node, _, port)| port.link == link && end.is_none_or(|e| e == *node));
        let alive = ports.filter(|(node, _, _)| !self.state.dead.contains(*node));
        let found: Vec<_> =
            alive.map(|(node, _, p)| (node.to_owned(), fabric::port_name(node, p.name))).collect();
        if found.is_empty() { bail!("nobody to cut off link {link:?}") } else { Ok(found) }
    }

    /// Gives a dead router its power back: a fresh machine, cabled again, its stack started.
    ///
    /// # Errors
    /// What building and starting refuse.
    pub fn revive(&mut self, router: &str) -> Result<()> {
        if !self.state.dead.remove(router) {
            bail!("{router} is not dead");
        }
        let dir = self.run_dir.join(router);
        let _ = std::fs::remove_dir_all(&dir);
        fabric::rebuild_router(self.topology(), &self.names, router, self.stack(router).addressing())?;
        self.start_router(router)?;
        self.save()
    }

    /// Mends and revives everything.
    ///
    /// # Errors
    /// What mending or reviving refuses.
    pub fn heal(&mut self) -> Result<()> {
        let links: BTreeSet<String> = self.state.broken.iter().map(|broken| broken.link.clone()).collect();
        for link in links {
            self.mend(&link, None)?;
        }
        for router in self.state.dead.clone() {
            self.revive(&router)?;
        }
        while let Some(router) = self.state.stopped.first().cloned() {
            self.start_router(&router)?;
            self.state.stopped.remove(&router);
            self.save()?;
        }
        Ok(())
    }

    /// Runs a command inside a node (or `sw-LINK`) with our own standard streams.
    ///
    /// # Errors
    /// No such node or program.
    pub fn exec(&self, node: &str, program: &str, arguments: &[String]) -> Result<ExitStatus> {
        netns::within(&self.names.node(node), || {
            Command::new(program).args(arguments).status().with_context(|| format!("running {program}"))
        })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.owned
            && let Err(fault) = self.tear_down()
        {
            eprintln!("ringlab: {fault:#}");
        }
    }
}
