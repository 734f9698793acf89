//! What daemons and kernels hold, in the same words for every suite.

use crate::bench::Bench;
use crate::router::{Suite, Vrrp};
use anyhow::{Context, Result, bail, ensure};
use ipnetwork::Ipv4Network;
use ringlab::netns;
use ringlab::table::{self, KernelRoute};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

/// An OSPF neighbour as its router sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbor {
    /// "Full", "2-Way", …
    pub state: String,
    /// "DR", "Backup", "DROther", or "-" where there are no such roles.
    pub role: String,
}

/// Asks one of our own routers through its shell.
///
/// # Errors
/// The shell's complaint.
pub fn torc(bench: &Bench, router: &str, command: &str) -> Result<Value> {
    let output = Command::new(crate::dialect::binaries().join("torc"))
        .arg("--run-dir")
        .arg(bench.dir(router))
        .args(["-c", command])
        .output()
        .context("torc cannot be started")?;
    netns::checked(&output, || format!("{router}: {command}"))?;
    serde_json::from_slice(&output.stdout).with_context(|| format!("{router}: {command}"))
}

/// Asks a router that speaks FRR's language, as ours do.
///
/// # Errors
/// It does not answer.
pub fn show(bench: &Bench, router: &str, command: &str) -> Result<Value> {
    match bench.router(router).suite {
        Suite::Torc => torc(bench, router, command),
        Suite::Frr => serde_json::from_str(&bench.vtysh(router, &[command])?)
            .with_context(|| format!("{router}: {command}")),
        Suite::Bird => bail!("BIRD does not know {command:?}"),
    }
}

/// A router's neighbours by router id.
///
/// # Errors
/// It does not answer.
pub fn neighbors(bench: &Bench, router: &str) -> Result<BTreeMap<Ipv4Addr, Neighbor>> {
    if bench.router(router).suite == Suite::Bird {
        return Ok(bird_neighbors(&bench.birdc(router, &["show", "ospf", "neighbors"])?));
    }
    let reply = show(bench, router, "show ip ospf neighbor json")?;
    let rows = reply["neighbors"].as_object().into_iter().flatten();
    let row = |(id, rows): (&String, &Value)| {
        let text = rows[0]["nbrState"].as_str()?;
        let (state, role) = text.split_once('/').unwrap_or((text, "-"));
        Some((id.parse().ok()?, Neighbor { state: state.to_owned(), role: role.to_owned() }))
    };
    Ok(rows.filter_map(row).collect())
}

fn bird_neighbors(text: &str) -> BTreeMap<Ipv4Addr, Neighbor> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (state, role) = words.get(2)?.split_once('/')?;
        let neighbor = Neighbor { state: state.to_owned(), role: bird_role(role).to_owned() };
        Some((words.first()?.parse().ok()?, neighbor))
    };
    text.lines().filter_map(row).collect()
}

/// Is `router` fully adjacent with exactly these?
///
/// # Errors
/// It is not, and what it is.
pub fn adjacent(bench: &Bench, router: &str, with: &[&str]) -> Result<()> {
    let wanted: BTreeSet<Ipv4Addr> = with.iter().map(|name| bench.router(name).id).collect();
    let found = neighbors(bench, router)?;
    let full: BTreeSet<_> = found.iter().filter(|(_, n)| n.state == "Full").map(|(id, _)| *id).collect();
    ensure!(full == wanted, "{router} must be Full with {wanted:?}, has {found:?}");
    Ok(())
}

/// What a router's kernel forwards a prefix by.
///
/// # Errors
/// `ip` fails.
pub fn route(bench: &Bench, router: &str, prefix: &str) -> Result<Option<KernelRoute>> {
    let prefix: Ipv4Network = prefix.parse()?;
    Ok(table::read(&bench.namespace(router))?.remove(&prefix))
}

/// Does a router's kernel forward `prefix` to exactly these gateways?
///
/// # Errors
/// It does not, and what it does.
pub fn leads(bench: &Bench, router: &str, prefix: &str, to: &[&str]) -> Result<()> {
    let route = route(bench, router, prefix)?;
    let wanted: BTreeSet<String> = to.iter().map(|gateway| (*gateway).to_owned()).collect();
    let found: Option<BTreeSet<String>> =
        route.map(|route| route.gateways.iter().map(|(gateway, _)| gateway.to_string()).collect());
    ensure!(found.as_ref() == Some(&wanted), "{router}: {prefix} must go to {wanted:?}, goes to {found:?}");
    Ok(())
}

/// Is there no route for `prefix` in a router's kernel?
///
/// # Errors
/// There is one.
pub fn absent(bench: &Bench, router: &str, prefix: &str) -> Result<()> {
    let route = route(bench, router, prefix)?;
    ensure!(route.is_none(), "{router}: {prefix} must be gone, is {route:?}");
    Ok(())
}

/// The type and cost of an OSPF route: "N" or "E1" with one, "E2" with its external metric.
///
/// # Errors
/// The router has no such OSPF route.
pub fn ospf_route(bench: &Bench, router: &str, prefix: &str) -> Result<(String, u64)> {
    if bench.router(router).suite == Suite::Bird {
        return bird_route(&bench.birdc(router, &["show", "route", "protocol", "ospf1"])?, prefix)
            .with_context(|| format!("{router}: no OSPF route {prefix}"));
    }
    let reply = show(bench, router, "show ip ospf route json")?;
    let route = &reply[prefix];
    let kind = route["routeType"].as_str().with_context(|| format!("{router}: no OSPF route {prefix}"))?;
    // "N", "N IA", "N E1", "N E2"
    let kind = kind.rsplit(' ').next().unwrap_or(kind).to_owned();
    let key = if kind == "E2" { "type2cost" } else { "cost" };
    let cost = route[key].as_u64().with_context(|| format!("{router}: {prefix} without {key}: {route}"))?;
    Ok((kind, cost))
}

/// Reads `PREFIX unicast [ospf1 …] * I (150/20) […]`; the metric of type 2 is written `(150/in/ext)`.
fn bird_route(text: &str, prefix: &str) -> Option<(String, u64)> {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(prefix))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let kind = words.iter().find(|word| ["I", "IA", "E1", "E2"].contains(word))?;
    let metric = words.iter().find(|word| word.starts_with('(') && word.contains('/'))?;
    let cost = metric.trim_matches(['(', ')']).rsplit('/').next()?.parse().ok()?;
    let kind = if *kind == "I" { "N" } else { kind };
    Some((kind.to_owned(), cost))
}

/// All LSAs of a kind ("router", "network", "external") in a router's database, in full.
///
/// # Errors
/// It does not answer.
pub fn lsas(bench: &Bench, router: &str, kind: &str) -> Result<Vec<Value>> {
    let reply = show(bench, router, &format!("show ip ospf database {kind} json"))?;
    let mut found = Vec::new();
    collect_lsas(&reply, &mut found);
    Ok(found)
}

/// Areas and scopes are nested differently from kind to kind; an LSA is what has a sequence number.
fn collect_lsas(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(map) if map.contains_key("lsaSeqNumber") => found.push(value.clone()),
        Value::Object(map) => map.values().for_each(|inner| collect_lsas(inner, found)),
        Value::Array(list) => list.iter().for_each(|inner| collect_lsas(inner, found)),
        _ => {}
    }
}

/// A router's own role on a LAN: "DR", "Backup" or "DROther".
///
/// # Errors
/// It does not answer.
pub fn role(bench: &Bench, router: &str, link: &str) -> Result<String> {
    if bench.router(router).suite != Suite::Bird {
        let row = interface(bench, router, link)?;
        return Ok(row["state"].as_str().unwrap_or_default().to_owned());
    }
    let text = bench.birdc(router, &["show", "ospf", "interface", "ospf1", &format!("\"{link}\"")])?;
    let state = text.lines().find_map(|line| line.trim().strip_prefix("State: "));
    Ok(bird_role(state.unwrap_or_default()).to_owned())
}

fn bird_role(word: &str) -> &str {
    match word.trim() {
        "BDR" => "Backup",
        "Other" => "DROther",
        "PtP" => "-",
        other => other,
    }
}

/// The sequence number of a router's router-LSA in another router's database, as a number that grows.
///
/// # Errors
/// There is none.
pub fn sequence(bench: &Bench, at: &str, of: &str) -> Result<i32> {
    let id = bench.router(of).id.to_string();
    let lsas = lsas(bench, at, "router")?;
    let lsa = lsas.iter().find(|lsa| lsa["advertisingRouter"] == *id);
    let lsa = lsa.with_context(|| format!("{at}: no router-LSA of {of}"))?;
    let text = lsa["lsaSeqNumber"].as_str().with_context(|| format!("{at}: {lsa}"))?;
    Ok(u32::from_str_radix(text, 16)?.cast_signed())
}

/// The row of one of our interfaces in `show ip ospf interface json`.
///
/// # Errors
/// It does not answer.
pub fn interface(bench: &Bench, router: &str, interface: &str) -> Result<Value> {
    let mut reply = show(bench, router, "show ip ospf interface json")?;
    let row = reply["interfaces"][interface].take();
    ensure!(row.is_object(), "{router}: OSPF does not run on {interface}");
    Ok(row)
}

/// Routers whose kernel holds the virtual address on a device that is up.
///
/// # Errors
/// `ip` fails.
pub fn owners(bench: &Bench) -> Result<BTreeSet<String>> {
    let address = Vrrp::ADDRESS.to_string();
    let mut owners = BTreeSet::new();
    for router in bench.routers().filter(|r| r.vrrp.is_some()) {
        let namespace = bench.namespace(&router.name);
        if !netns::path(&namespace).exists() {
            continue;
        }
        let links = netns::ip_json(&namespace, &["-4", "addr", "show"])?;
        let holds = |link: &&Value| {
            let mut addresses = link["addr_info"].as_array().into_iter().flatten();
            let mut flags = link["flags"].as_array().into_iter().flatten();
            addresses.any(|a| a["local"] == *address) && flags.any(|flag| flag == "LOWER_UP")
        };
        if links.as_array().into_iter().flatten().any(|link| holds(&link)) {
            owners.insert(router.name.clone());
        }
    }
    Ok(owners)
}

/// Is `router`, and nobody else, the owner of the virtual address?
///
/// # Errors
/// It is not.
pub fn owned_by(bench: &Bench, router: &str) -> Result<()> {
    let owners = owners(bench)?;
    ensure!(
        owners == BTreeSet::from([router.to_owned()]),
        "{router} must own the virtual address: {owners:?}"
    );
    Ok(())
}

/// Waits until all pairs are fully adjacent, seen from both ends; a router's pairs are all its adjacencies.
///
/// # Errors
/// They are not.
pub fn wait_adjacent(bench: &Bench, limit: Duration, pairs: &[(&str, &str)]) -> Result<Duration> {
    let mut wanted = BTreeMap::<&str, Vec<&str>>::new();
    for (one, other) in pairs {
        wanted.entry(one).or_default().push(other);
        wanted.entry(other).or_default().push(one);
    }
    bench.eventually(limit, || wanted.iter().try_for_each(|(router, with)| adjacent(bench, router, with)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_bird_says() {
        let neighbors = "BIRD 2.0.12 ready.\nospf1:\nRouter ID   \tPri\t     State     \tDTime\tInterface  Router IP\n\
                         10.255.0.1\t  1\tFull/BDR  \t 3.450\tlan        192.0.2.1\n";
        let neighbor = Neighbor { state: "Full".to_owned(), role: "Backup".to_owned() };
        assert_eq!(bird_neighbors(neighbors), BTreeMap::from([(Ipv4Addr::new(10, 255, 0, 1), neighbor)]));
        let routes = "BIRD 2.0.12 ready.\nTable master4:\n\
                      10.10.1.0/24         unicast [ospf1 12:00:00.000] * I (150/20) [10.255.0.1]\n\tvia 10.0.12.1 on a\n\
                      0.0.0.0/0            unicast [ospf1 12:00:00.000] * E2 (150/10/7) [10.255.0.1]\n\tvia 10.0.12.1 on a\n";
        assert_eq!(bird_route(routes, "10.10.1.0/24"), Some(("N".to_owned(), 20)));
        assert_eq!(bird_route(routes, "0.0.0.0/0"), Some(("E2".to_owned(), 7)));
        assert_eq!(bird_route(routes, "10.10.2.0/24"), None);
    }
}
