//! The paper's experiments, played again and written down.
//!
//! The reference is N. Matsumoto, "Switch-less server clustering using virtual router": five virtual routers in a ring, two of
//! them on the LAN. This plays every state its figures show on real kernels, compares each cell of each routing table with
//! what was written by hand, and only then writes the document. A single wrong cell, cost, owner or flow, and nothing is written.
//!
//! [`Snapshot`] is a lab seen in one state; `text` turns snapshots into prose and tables.

mod text;

use crate::document::{machine, version};
use crate::lab::{Lab, Options};
use crate::measure::cold_start;
use crate::oracle::{Cell, default_prefix};
use crate::probe::reach;
use crate::report::{Paint, Row};
use crate::scenario::{Event, rehearse_and_look};
use crate::stack::{Profile, Stack};
use crate::table::{self, KernelTable};
use crate::topology::{GATEWAY, LinkKind, LinkOspf, Topology};
use anyhow::{Context, Result, bail, ensure};
use ipnetwork::Ipv4Network;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// The rings that are broken in every way; the first is the paper's, with its ten switches.
const PLAYED: [&str; 2] = ["ring5-p", "ring5-c"];
/// The other patterns of figures 3 and 14, smallest first.
const SHOWN: [&str; 4] = ["trunk", "ring3", "ring4", "ring7"];

/// Router → prefix → "next router, cost" as kernel and daemon have it.
type Cells = BTreeMap<String, BTreeMap<Ipv4Network, String>>;

/// A lab in one state.
#[derive(Debug)]
struct Snapshot {
    cells: Cells,
    /// Who answers for the virtual address.
    owner: Option<String>,
    /// Routers whose default other routers can use, with metric.
    origins: BTreeMap<String, u64>,
    /// Dead routers whose default ages in the databases, where nobody can use it.
    stale: BTreeSet<String>,
}

/// One thing broken and mended again.
#[derive(Debug)]
struct State {
    event: Event,
    broken: Row,
    back: Row,
    snapshot: Snapshot,
}

/// One interface as OSPF has it.
#[derive(Debug)]
struct Port {
    router: String,
    interface: String,
    link: String,
    cost: u64,
    /// Full neighbours; `None` where OSPF is passive.
    adjacencies: Option<u64>,
    /// Does the router's default leave here?
    is_upstream: bool,
}

/// One member of the virtual router.
#[derive(Debug)]
struct Member {
    router: String,
    status: String,
    priority: u64,
    mac: String,
}

/// A topology that was played.
#[derive(Debug)]
struct Play {
    topology: Topology,
    cold: Duration,
    flows: usize,
    normal: Snapshot,
    ports: Vec<Port>,
    members: Vec<Member>,
    /// Networks the LAN's gateway sends to the virtual address.
    summaries: Vec<Ipv4Network>,
    states: Vec<State>,
}

/// Plays everything and writes the document.
///
/// # Errors
/// The lab fails, or anything is not as it must be.
pub fn write(daemons: &Path, file: &Path) -> Result<()> {
    let mut head = machine()?;
    head.push(version(Stack::Torc, daemons)?);
    let shown = SHOWN.iter().map(|name| play(name, daemons, &[])).collect::<Result<Vec<_>>>()?;
    let played = PLAYED.map(|name| -> Result<Play> {
        let topology = Topology::load(name)?;
        play(name, daemons, &events(&topology))
    });
    let [paper, closed] = played;
    text::render(&head, &shown, &paper?, &closed?).save(file)
}

/// Everything that can break once: figure 12, figure 13, then what the paper does not show.
fn events(topology: &Topology) -> Vec<Event> {
    let on_lan = |name: &String| topology.routers[name].vrrp_priority.is_some();
    let (exits, leaves): (Vec<&String>, Vec<&String>) =
        topology.routers.keys().partition(|name| on_lan(name));
    let dies = |name: &&String| Event::RouterDies((*name).clone());
    let plug = |name: &&String| Event::PlugPulled { link: "lan".to_owned(), router: (*name).clone() };
    let links = topology.links.iter().filter(|(_, link)| link.kind == LinkKind::Ring);
    let mut events: Vec<Event> = exits.iter().map(dies).collect();
    events.extend(exits.iter().map(plug));
    events.extend(leaves.iter().map(dies));
    events.extend(links.map(|(name, _)| Event::LinkCut(name.clone())));
    events
}

fn play(name: &str, daemons: &Path, events: &[Event]) -> Result<Play> {
    let options = Options { daemons: daemons.to_owned(), ..Options::new(name, Stack::Torc)? };
    let topology = options.topology.clone();
    let mut lab = Lab::up(options)?;
    let patience = Profile::Ring.patience();
    let cold = cold_start(&lab, patience)?;
    println!("{name}: every table right {:.2} s after the start", cold.as_secs_f64());
    // The paper's tables are those of a ring at rest.
    std::thread::sleep(Duration::from_secs(2));
    let (flows, dead) = reach(&lab)?;
    ensure!(dead.is_empty(), "{name}: dead flows: {dead:?}");
    let normal = Snapshot::take(&lab)?;
    let (ports, members, summaries) = (ports(&lab)?, members(&lab)?, summaries(&lab)?);
    let mut states = Vec::new();
    for event in events {
        let mut seen = None;
        let rows = rehearse_and_look(&mut lab, event, patience, |lab| {
            seen = Some(Snapshot::take(lab)?);
            Ok(())
        })?;
        for row in &rows {
            println!("  {}", row.line(Paint::detect()));
            ensure!(row.is_good(), "{name}: not as it must be: {row:?}");
        }
        let [broken, back] = rows;
        let snapshot = seen.context("the state was never right")?;
        states.push(State { event: event.clone(), broken, back, snapshot });
    }
    lab.down()?;
    Ok(Play { topology, cold, flows, normal, ports, members, summaries, states })
}

impl Snapshot {
    /// Reads every table and refuses what is not as it must be.
    fn take(lab: &Lab) -> Result<Self> {
        let (expected, tables) = (lab.expected()?, lab.tables()?);
        let mut cells = Cells::new();
        for (router, row) in &expected {
            let costs = if lab.topology().runs_ospf() {
                lab.with_site(router, |site| lab.stack(router).ospf_costs(site))?.unwrap_or_default()
            } else {
                BTreeMap::new()
            };
            let table = tables.get(router).with_context(|| format!("no table of {router}"))?;
            for (prefix, wanted) in row {
                let wants_cost = matches!(wanted, Cell::Via { cost: Some(_), .. });
                let cost = costs.get(prefix).filter(|_| wants_cost);
                let found = cell(lab.topology(), table, *prefix, cost.copied());
                ensure!(
                    found == wanted.to_string(),
                    "{router}: {prefix} must be {wanted}, kernel and daemon have {found}"
                );
                cells.entry(router.clone()).or_default().insert(*prefix, found);
            }
        }
        let owners = lab.vip_owners()?;
        ensure!(owners.len() <= 1, "the virtual address is at {owners:?}");
        let (origins, stale) = origins(lab, &cells)?;
        Ok(Self { cells, owner: owners.into_iter().next(), origins, stale })
    }
}

/// A cell in the words of the expected tables.
fn cell(topology: &Topology, table: &KernelTable, prefix: Ipv4Network, cost: Option<u32>) -> String {
    let Some(route) = table.get(&prefix) else { return Cell::Absent.to_string() };
    Cell::Via { nodes: table::names(topology, route), cost }.to_string()
}

/// Who originates a default, as the first leaf's database has it: those whose static default is in force must be there, and nobody
/// else who is alive.
fn origins(lab: &Lab, cells: &Cells) -> Result<(BTreeMap<String, u64>, BTreeSet<String>)> {
    let topology = lab.topology();
    let (mut origins, mut stale) = (BTreeMap::new(), BTreeSet::new());
    if !topology.runs_ospf() {
        return Ok((origins, stale));
    }
    let living: Vec<&str> = lab.living_routers().collect();
    let is_leaf = |router: &&&str| topology.routers[**router].originate_default.is_none();
    let witness = living.iter().find(is_leaf).context("no living leaf")?;
    let database = lab.torc_show(witness, &["show", "ip", "ospf", "database", "external", "json"])?;
    for lsa in database["asExternalLinkStates"].as_array().into_iter().flatten() {
        if lsa["linkStateId"] != "0.0.0.0" || lsa["networkMask"] != 0 {
            continue;
        }
        let advertiser = text_of(lsa, "advertisingRouter")?;
        let owner = topology.routers.iter().find(|(_, router)| router.loopback.to_string() == advertiser);
        let (name, _) = owner.with_context(|| format!("a default by the unknown router {advertiser}"))?;
        ensure!(text_of(lsa, "metricType")?.starts_with("E2"), "the default of {name} is not of type 2");
        if living.contains(&name.as_str()) {
            origins.insert(name.clone(), number_of(lsa, "metric")?);
        } else {
            stale.insert(name.clone());
        }
    }
    let in_force = |router: &str| cells[router].get(&default_prefix()).map(String::as_str) == Some(GATEWAY);
    let wanted: BTreeMap<String, u64> = living
        .iter()
        .filter(|router| in_force(router))
        .filter_map(|router| {
            Some(((*router).to_owned(), u64::from(topology.routers[*router].originate_default?)))
        })
        .collect();
    ensure!(origins == wanted, "defaults are originated by {origins:?} instead of {wanted:?}");
    Ok((origins, stale))
}

fn text_of(value: &Value, key: &str) -> Result<String> {
    value[key].as_str().map(str::to_owned).with_context(|| format!("no text {key:?}"))
}

fn number_of(value: &Value, key: &str) -> Result<u64> {
    value[key].as_u64().with_context(|| format!("no number {key:?}"))
}

/// Every interface with what OSPF makes of it, compared with the plan.
fn ports(lab: &Lab) -> Result<Vec<Port>> {
    let (topology, tables) = (lab.topology(), lab.tables()?);
    let mut ports = Vec::new();
    if !topology.runs_ospf() {
        return Ok(ports);
    }
    for (name, router) in &topology.routers {
        let reply = lab.torc_show(name, &["show", "ip", "ospf", "interface", "json"])?;
        let default = tables[name].get(&default_prefix());
        for (interface, planned) in &router.interfaces {
            let shown = &reply["interfaces"][interface];
            let cost = number_of(shown, "cost").with_context(|| format!("{name} {interface}"))?;
            ensure!(
                cost == u64::from(planned.cost),
                "{name} {interface}: cost {cost} instead of {}",
                planned.cost
            );
            let passive = topology.links[&planned.link].ospf == LinkOspf::Passive;
            let adjacencies = if passive { None } else { Some(number_of(shown, "nbrAdjacentCount")?) };
            ensure!(adjacencies != Some(0), "{name} {interface} has no adjacency");
            ports.push(Port {
                router: name.clone(),
                interface: interface.clone(),
                link: planned.link.clone(),
                cost,
                adjacencies,
                is_upstream: default.is_some_and(|r| r.gateways.iter().any(|(_, dev)| dev == interface)),
            });
        }
    }
    Ok(ports)
}

fn members(lab: &Lab) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    for (name, router) in &lab.topology().routers {
        let Some(priority) = router.vrrp_priority else { continue };
        let reply = lab.torc_show(name, &["show", "vrrp", "json"])?;
        let group = reply.get(0).with_context(|| format!("{name} shows no virtual router"))?;
        let member = Member {
            router: name.clone(),
            status: text_of(&group["v4"], "status")?,
            priority: number_of(group, "priority")?,
            mac: text_of(&group["v4"], "vmac")?,
        };
        ensure!(member.priority == u64::from(priority), "{member:?}: priority {priority} is configured");
        members.push(member);
    }
    Ok(members)
}

/// What the gateway's kernel sends to the virtual address.
fn summaries(lab: &Lab) -> Result<Vec<Ipv4Network>> {
    let (Some(vrrp), Some(_)) = (&lab.topology().vrrp, &lab.topology().gateway) else {
        return Ok(Vec::new());
    };
    let table = table::read(&lab.names().node(GATEWAY))?;
    let to_it =
        |route: &table::KernelRoute| route.gateways.iter().any(|(address, _)| *address == vrrp.address.ip());
    let found: Vec<Ipv4Network> =
        table.iter().filter(|(_, route)| to_it(route)).map(|(prefix, _)| *prefix).collect();
    if found.is_empty() { bail!("the gateway sends nothing to the virtual address") } else { Ok(found) }
}
