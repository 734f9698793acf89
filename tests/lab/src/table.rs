//! The kernel's tables, read and judged.
//!
//! What a router's daemons believe is of no interest here: the kernel's main table is what packets follow. Routes over next-hop objects
//! are resolved to their gateway by `ip` itself.

use crate::netns::ip_json;
use crate::oracle::{Cell, Tables};
use crate::topology::Topology;
use anyhow::Result;
use ipnetwork::Ipv4Network;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

/// One route of the kernel's main table, the best of its prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelRoute {
    /// Priority; less is better.
    pub metric: u64,
    /// Who installed it, as `ip` names it.
    pub protocol: String,
    /// Gateways with their interface; a directly connected or blackhole route has none.
    pub gateways: BTreeSet<(Ipv4Addr, String)>,
}

/// Prefix → best route.
pub type KernelTable = BTreeMap<Ipv4Network, KernelRoute>;

/// Reads a namespace's main table.
///
/// # Errors
/// What `ip` complains about.
pub fn read(namespace: &str) -> Result<KernelTable> {
    let mut table = KernelTable::new();
    let rows = ip_json(namespace, &["-4", "route", "show", "table", "main"])?;
    for row in rows.as_array().into_iter().flatten() {
        let Some(prefix) = row["dst"].as_str().and_then(prefix) else { continue };
        if is_flagged(row, "linkdown") || is_flagged(row, "dead") {
            continue;
        }
        let route = KernelRoute {
            metric: row["metric"].as_u64().unwrap_or(0),
            protocol: row["protocol"].as_str().unwrap_or_default().to_owned(),
            gateways: gateways(row),
        };
        if table.get(&prefix).is_none_or(|known| route.metric < known.metric) {
            table.insert(prefix, route);
        }
    }
    Ok(table)
}

fn prefix(text: &str) -> Option<Ipv4Network> {
    if text == "default" { Some(crate::oracle::default_prefix()) } else { text.parse().ok() }
}

fn is_flagged(row: &Value, flag: &str) -> bool {
    row["flags"].as_array().into_iter().flatten().any(|f| f.as_str() == Some(flag))
}

fn gateways(row: &Value) -> BTreeSet<(Ipv4Addr, String)> {
    let hop = |hop: &Value| {
        let gateway = hop["gateway"].as_str()?.parse().ok()?;
        Some((gateway, hop["dev"].as_str().unwrap_or_default().to_owned()))
    };
    match row["nexthops"].as_array() {
        Some(hops) => hops
            .iter()
            .filter(|h| !is_flagged(h, "linkdown") && !is_flagged(h, "dead"))
            .filter_map(hop)
            .collect(),
        None => hop(row).into_iter().collect(),
    }
}

/// A cell that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// At which router.
    pub router: String,
    /// Which prefix.
    pub prefix: Ipv4Network,
    /// What it must be.
    pub expected: Cell,
    /// What the kernel or the daemon has.
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { router, prefix, expected, found } = self;
        write!(f, "{router}: {prefix} must be {expected}, is {found}")
    }
}

/// Compares routers' kernel tables with what they must hold.
pub fn judge(
    topology: &Topology,
    expected: &Tables,
    tables: &BTreeMap<String, KernelTable>,
) -> Vec<Mismatch> {
    let mut wrong = Vec::new();
    for (router, row) in expected {
        for (prefix, cell) in row {
            let route = tables.get(router).and_then(|table| table.get(prefix));
            let found = route.map(|route| names(topology, route));
            let fits = match (cell, &found) {
                (Cell::Absent, None) => true,
                (Cell::Via { nodes, .. }, Some(found)) => nodes == found,
                _ => false,
            };
            if !fits {
                let found = match &found {
                    None => "no route".to_owned(),
                    Some(nodes) if nodes.is_empty() => "connected".to_owned(),
                    Some(nodes) => nodes.iter().cloned().collect::<Vec<_>>().join("+"),
                };
                wrong.push(Mismatch {
                    router: router.clone(),
                    prefix: *prefix,
                    expected: cell.clone(),
                    found,
                });
            }
        }
    }
    wrong
}

/// The nodes a route leads to; a gateway nobody owns shows as its address.
pub fn names(topology: &Topology, route: &KernelRoute) -> BTreeSet<String> {
    route
        .gateways
        .iter()
        .map(|(address, _)| topology.owner_of(*address).map_or_else(|| address.to_string(), str::to_owned))
        .collect()
}

/// Compares the costs a daemon reports (prefix → cost) with what they must be.
pub fn judge_costs(router: &str, expected: &Tables, costs: &BTreeMap<Ipv4Network, u32>) -> Vec<Mismatch> {
    let cells = expected.get(router).into_iter().flatten();
    cells
        .filter_map(|(prefix, cell)| {
            let Cell::Via { cost: Some(cost), .. } = cell else { return None };
            let found = costs.get(prefix);
            (found != Some(cost)).then(|| Mismatch {
                router: router.to_owned(),
                prefix: *prefix,
                expected: cell.clone(),
                found: found.map_or("no OSPF route".to_owned(), |found| format!("cost {found}")),
            })
        })
        .collect()
}

/// Reads the costs out of `show ip ospf route json` (FRR's keys, which ours are too).
pub fn ospf_costs(reply: &Value) -> BTreeMap<Ipv4Network, u32> {
    let mut costs = BTreeMap::new();
    for (key, route) in reply.as_object().into_iter().flatten() {
        if let (Ok(prefix), Some(cost)) = (key.parse(), route["cost"].as_u64()) {
            costs.insert(prefix, u32::try_from(cost).unwrap_or(u32::MAX));
        }
    }
    costs
}
