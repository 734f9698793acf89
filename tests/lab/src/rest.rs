//! Nothing fails, so nothing may happen: a ring left alone, first on an idle machine, then on one whose processors are all busy.
//!
//! What is counted could all happen without any cause but lateness: BFD sessions that fail, adjacencies that change, virtual routers that
//! move, routes that the kernel is told to change, packets that do not arrive.

use crate::document::{Document, machine, version};
use crate::lab::{Lab, Options};
use crate::netns;
use crate::probe::{Prober, all_flows};
use crate::stack::Stack;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The ring that is left alone.
const TOPOLOGY: &str = "ring5-c";
/// From right tables to rest.
const SETTLE: Duration = Duration::from_secs(5);
/// A recording holds so much, for memory's sake.
const CHUNK: Duration = Duration::from_secs(60);

/// What to watch.
#[derive(Debug)]
pub struct Plan {
    /// The suites, one after the other.
    pub suites: Vec<Stack>,
    /// How long in each state.
    pub time: Duration,
    /// Where this project's binaries are.
    pub daemons: PathBuf,
}

/// What else the machine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing but the ring and its probes.
    Idle,
    /// A loop on every processor.
    Busy,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
        })
    }
}

/// What happened although nothing failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unrest {
    /// BFD sessions that went down, at both ends.
    pub sessions: u64,
    /// Neighbours whose state changed, at both ends.
    pub neighbours: u64,
    /// Changes of a virtual router's state.
    pub virtual_routers: u64,
    /// Routes and next hops the kernel was told to add, change or remove.
    pub routes: u64,
    /// Packets sent by the probes.
    pub sent: usize,
    /// Packets that did not arrive.
    pub lost: usize,
    /// The longest outage of any flow.
    pub longest: Duration,
    /// How late the latest probe was: so long nobody without priority ran.
    pub lateness: Duration,
    /// Times a daemon saw that it had not been run itself, and did not blame its peers.
    pub excused: u64,
}

impl Unrest {
    /// Did nothing happen?
    pub fn is_quiet(&self) -> bool {
        self.sessions + self.neighbours + self.virtual_routers + self.routes == 0 && self.lost == 0
    }
}

/// Leaves rings alone and writes down what happened. `Ok(false)`: something did to this suite.
///
/// # Errors
/// The lab fails.
pub fn write(plan: &Plan, file: &Path) -> Result<bool> {
    let mut head = machine()?;
    for stack in &plan.suites {
        head.push(version(*stack, &plan.daemons)?);
    }
    let mut rows = Vec::new();
    for &stack in &plan.suites {
        let options = Options { daemons: plan.daemons.clone(), ..Options::new(TOPOLOGY, stack)? };
        let lab = Lab::up(options)?;
        lab.wait_converged(lab.profile().patience())?;
        std::thread::sleep(SETTLE);
        for state in [State::Idle, State::Busy] {
            println!("{stack:?}, {state}, {} s", plan.time.as_secs());
            let unrest = watch(&lab, state, plan.time)?;
            println!("  {unrest:?}");
            rows.push((stack, state, unrest));
        }
        lab.down()?;
    }
    document(plan, &head, &rows).save(file)?;
    Ok(rows.iter().all(|(stack, _, unrest)| *stack != Stack::Torc || unrest.is_quiet()))
}

/// Watches a ring that nobody touches.
///
/// # Errors
/// A router does not answer, or a probe fails.
pub fn watch(lab: &Lab, state: State, time: Duration) -> Result<Unrest> {
    let load = if state == State::Busy { Some(Load::start(lab)?) } else { None };
    let monitors = Monitors::start(lab)?;
    let (start, before) = (Instant::now(), Counters::read(lab)?);
    let mut unrest = Unrest::default();
    while start.elapsed() < time {
        probe(lab, CHUNK.min(time.saturating_sub(start.elapsed())), &mut unrest)?;
    }
    let after = Counters::read(lab)?;
    // Only now, so that it was there all the time.
    drop(load);
    unrest.routes = monitors.events()?;
    after.since(&before, start.elapsed(), &mut unrest);
    Ok(unrest)
}

fn probe(lab: &Lab, time: Duration, unrest: &mut Unrest) -> Result<()> {
    let prober = Prober::start(lab, all_flows(lab), Duration::from_millis(1))?;
    let from = Instant::now();
    std::thread::sleep(time);
    let to = Instant::now();
    let recording = prober.stop()?;
    for flow in 0..recording.flows().len() {
        let outage = recording.outage(flow, from, to);
        unrest.sent += outage.sent;
        unrest.lost += outage.lost;
        unrest.longest = unrest.longest.max(outage.longest);
    }
    unrest.lateness = unrest.lateness.max(recording.lateness());
    Ok(())
}

/// Processes that do nothing but run, one a processor. They live in a namespace of the lab, so that whoever clears that away, should we
/// be killed, ends them too.
struct Load(Vec<Child>);

impl Load {
    fn start(lab: &Lab) -> Result<Self> {
        let processors = std::thread::available_parallelism()?.get();
        let link = lab.topology().links.keys().next().context("no links")?;
        let mut load = Self(Vec::new());
        netns::within(&lab.names().switch(link), || {
            for _ in 0..processors {
                load.0.push(silent(Command::new("sh").args(["-c", "while :; do :; done"])).spawn()?);
            }
            Ok(())
        })?;
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

fn silent(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

fn end(children: &mut [Child]) {
    for child in children {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// What listens to every router's kernel.
struct Monitors {
    children: Vec<Child>,
    files: Vec<PathBuf>,
}

impl Monitors {
    fn start(lab: &Lab) -> Result<Self> {
        let mut monitors = Self { children: Vec::new(), files: Vec::new() };
        for router in lab.living_routers() {
            let path = lab.run_dir().join(format!("{router}.routes"));
            let output = File::create(&path)?;
            netns::within(&lab.names().node(router), || {
                let mut command = Command::new("ip");
                command.args(["-o", "-4", "monitor", "route", "nexthop"]);
                monitors.children.push(silent(&mut command).stdout(output).spawn()?);
                monitors.files.push(path);
                Ok(())
            })?;
        }
        // Until they listen.
        std::thread::sleep(Duration::from_millis(200));
        Ok(monitors)
    }

    /// Ends them and counts what they heard.
    fn events(mut self) -> Result<u64> {
        for child in &mut self.children {
            ensure!(child.try_wait()?.is_none(), "a monitor of routes ended");
        }
        end(&mut self.children);
        let mut events = 0;
        for file in &self.files {
            let text = std::fs::read_to_string(file)?;
            // The first says which router lost whom.
            if let Some(first) = text.lines().next() {
                println!("  {}: {first} …", file.file_stem().unwrap_or_default().display());
            }
            events += text.lines().count() as u64;
        }
        Ok(events)
    }
}

impl Drop for Monitors {
    fn drop(&mut self) {
        end(&mut self.children);
    }
}

/// What daemons count.
#[derive(Debug, Default)]
struct Counters {
    sessions: u64,
    excused: u64,
    virtual_routers: u64,
    /// Changes so far and time since the last one in milliseconds, by router and neighbour.
    neighbours: BTreeMap<(String, String), (u64, u64)>,
}

impl Counters {
    fn read(lab: &Lab) -> Result<Self> {
        let mut counters = Self::default();
        for router in lab.living_routers() {
            let bfd = lab.show(router, &["show", "bfd", "peers", "counters", "json"])?;
            for session in bfd.as_array().with_context(|| format!("{router} shows no BFD sessions"))? {
                counters.sessions += number(session, "session-down").context("no session-down")?;
                counters.excused += number(session, "stalls-excused").unwrap_or(0);
            }
            let ospf = lab.show(router, &["show", "ip", "ospf", "neighbor", "detail", "json"])?;
            counters.read_neighbours(router, &ospf)?;
            if lab.topology().routers[router].vrrp_priority.is_some() {
                let vrrp = lab.show(router, &["show", "vrrp", "json"])?;
                for group in vrrp.as_array().into_iter().flatten() {
                    counters.virtual_routers +=
                        number(&group["v4"]["stats"], "transitions").context("no transitions")?;
                }
            }
        }
        Ok(counters)
    }

    fn read_neighbours(&mut self, router: &str, shown: &Value) -> Result<()> {
        // FRR lists neighbours beside other keys, Torc below one.
        let shown = shown.get("neighbors").unwrap_or(shown);
        for (id, entries) in shown.as_object().with_context(|| format!("{router} shows no neighbours"))? {
            for entry in entries.as_array().into_iter().flatten() {
                let changes = number(entry, "stateChangeCounter").context("no stateChangeCounter")?;
                let since = number(entry, "lastPrgrsvChangeMsec").context("no lastPrgrsvChangeMsec")?;
                self.neighbours.insert((router.to_owned(), id.clone()), (changes, since));
            }
        }
        if self.neighbours.keys().all(|(of, _)| of != router) {
            bail!("{router} has no neighbours")
        }
        Ok(())
    }

    /// What was added since `before`, `time` ago.
    fn since(&self, before: &Self, time: Duration, unrest: &mut Unrest) {
        unrest.sessions = self.sessions.saturating_sub(before.sessions);
        unrest.excused = self.excused.saturating_sub(before.excused);
        unrest.virtual_routers = self.virtual_routers.saturating_sub(before.virtual_routers);
        // One that was lost and found again counts from nothing; its last change is young.
        let kept = |key: &(String, String), (changes, _): &(u64, u64)| {
            let same = |&(now, since): &(u64, u64)| now == *changes && u128::from(since) >= time.as_millis();
            self.neighbours.get(key).is_some_and(same)
        };
        let changed = before.neighbours.iter().filter(|(key, was)| !kept(key, was)).count();
        let new = self.neighbours.keys().filter(|key| !before.neighbours.contains_key(*key)).count();
        unrest.neighbours = (changed + new) as u64;
    }
}

fn number(of: &Value, key: &str) -> Option<u64> {
    of.get(key)?.as_u64()
}

fn document(plan: &Plan, head: &[String], rows: &[(Stack, State, Unrest)]) -> Document {
    let mut document = Document::new("A ring that nobody touches", "cargo xtask bench soak");
    document.paragraph(
        "Detection within 30 ms is worth something only if it does not cry wolf. Nothing fails here, so every number but the packets sent \
         must be 0.",
    );
    document.list(head);
    document.heading(2, "Method");
    document.list(&[
        format!(
            "Topology `{TOPOLOGY}` with the timers of a ring: BFD 10 ms × 3, VRRP adverts every 10 ms, hello 1 s, dead 4 s. A packet a \
             millisecond on every one of 30 flows, by probes without any priority."
        ),
        format!(
            "Watched for {} min while the machine does nothing else, then for as long while a loop runs on every processor, with the \
             priority every process has.",
            plan.time.as_secs_f64() / 60.0
        ),
        "*Sessions*: BFD sessions that went down, by the daemons' own counters, at both ends. *Neighbours*: OSPF neighbours whose state \
         changed. *VRRP*: changes of state. *Routes*: routes and next-hop objects that the kernels of all routers were told to add, change \
         or remove. *Lost*: packets of all flows together; *longest*: outage of any flow. *Latest probe*: so long a process without priority \
         was not run. *Excused*: how often bfdd found that it had not been run in time itself and did not take it for its peer's silence."
            .to_owned(),
    ]);
    document.heading(2, "What happened");
    let table: Vec<Vec<String>> = rows
        .iter()
        .map(|(stack, state, unrest)| {
            vec![
                format!("{stack:?}"),
                state.to_string(),
                unrest.sessions.to_string(),
                unrest.neighbours.to_string(),
                unrest.virtual_routers.to_string(),
                unrest.routes.to_string(),
                unrest.sent.to_string(),
                unrest.lost.to_string(),
                unrest.longest.as_millis().to_string(),
                unrest.lateness.as_millis().to_string(),
                unrest.excused.to_string(),
            ]
        })
        .collect();
    document.table(
        &[
            "suite",
            "machine",
            "sessions",
            "neighbours",
            "VRRP",
            "routes",
            "sent",
            "lost",
            "longest, ms",
            "latest probe, ms",
            "excused",
        ],
        &table,
    );
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(neighbours: &[(&str, u64, u64)]) -> Counters {
        let of =
            |&(id, changes, since): &(&str, u64, u64)| (("r".to_owned(), id.to_owned()), (changes, since));
        Counters { neighbours: neighbours.iter().map(of).collect(), ..Counters::default() }
    }

    #[test]
    fn a_neighbour_that_went_or_came_or_came_back_has_changed() {
        let before = counters(&[("a", 5, 100), ("b", 5, 100), ("c", 5, 100), ("d", 5, 100)]);
        let after = counters(&[("a", 5, 60_100), ("b", 7, 100), ("c", 5, 40_000), ("e", 5, 100)]);
        let mut unrest = Unrest::default();
        after.since(&before, Duration::from_secs(60), &mut unrest);
        // b changed, c was lost and is back, d is gone, e is new.
        assert_eq!(unrest.neighbours, 4);
        assert!(!unrest.is_quiet());
        assert!(Unrest { sent: 7, excused: 3, ..Unrest::default() }.is_quiet());
    }

    #[test]
    fn neighbours_are_found_in_what_both_suites_show() -> Result<()> {
        let one = r#"[{"stateChangeCounter": 5, "lastPrgrsvChangeMsec": 443}]"#;
        for text in
            [format!(r#"{{"neighbors": {{"10.0.0.2": {one}}}}}"#), format!(r#"{{"10.0.0.2": {one}}}"#)]
        {
            let mut counters = Counters::default();
            counters.read_neighbours("r", &serde_json::from_str(&text)?)?;
            assert_eq!(counters.neighbours.values().collect::<Vec<_>>(), [&(5, 443)]);
        }
        assert!(Counters::default().read_neighbours("r", &serde_json::json!({"neighbors": {}})).is_err());
        Ok(())
    }
}
