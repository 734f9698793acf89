//! Expected tables as data.
//!
//! `expect/NAME.toml` holds, cell by cell, what was written down for the reference rings before any of our daemons existed. It is
//! the authority there; for other topologies, and as a check of the files themselves, stands [`crate::oracle`].

use crate::oracle::{Cell, Failure, Failures, Oracle, Tables};
use crate::topology::Topology;
use anyhow::{Context, Result, anyhow, bail};
use ipnetwork::Ipv4Network;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const FILES: [(&str, &str); 2] = [
    ("ring5-p", include_str!("../expect/ring5-p.toml")),
    ("ring5-c", include_str!("../expect/ring5-c.toml")),
];

/// Router → column → "node cost".
type Rows = BTreeMap<String, BTreeMap<String, String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    prefixes: BTreeMap<String, Ipv4Network>,
    normal: Rows,
    states: BTreeMap<String, Rows>,
}

/// The written tables of one topology, state by state.
#[derive(Debug)]
pub struct Written {
    /// Tables with nothing broken.
    pub normal: Tables,
    /// Tables with one thing broken.
    pub states: BTreeMap<Failure, Tables>,
}

/// The written tables of a topology, if there are any.
///
/// # Errors
/// The file does not fit the topology.
pub fn written(topology: &Topology) -> Result<Option<Written>> {
    let Some((name, text)) = FILES.iter().find(|(name, _)| *name == topology.name) else { return Ok(None) };
    let file: File = toml::from_str(text).with_context(|| format!("expect/{name}.toml"))?;
    let normal = apply(&file, Tables::new(), &file.normal)?;
    let mut states = BTreeMap::new();
    for (state, rows) in &file.states {
        let failure: Failure = state.parse().map_err(|fault: String| anyhow!(fault))?;
        let tables = apply(&file, without(topology, &normal, &failure), rows)?;
        states.insert(failure, tables);
    }
    Ok(Some(Written { normal, states }))
}

/// What the tables must hold in a state: the written cells where there are some, else the oracle's.
///
/// # Errors
/// A written file that does not parse.
pub fn tables(topology: &Topology, failures: &Failures) -> Result<Tables> {
    if let Some(written) = written(topology)? {
        let mut one = failures.iter();
        match (one.next(), one.next()) {
            (None, _) => return Ok(written.normal),
            (Some(failure), None) if written.states.contains_key(failure) => {
                return Ok(written.states[failure].clone());
            }
            _ => {}
        }
    }
    Ok(Oracle::new(topology, failures).tables())
}

/// The normal tables less the dead router's row and the networks behind it.
fn without(topology: &Topology, normal: &Tables, failure: &Failure) -> Tables {
    let mut tables = normal.clone();
    if let Failure::Router(dead) = failure {
        tables.remove(dead);
        for (network, _) in topology.vm_networks().filter(|(_, owner)| owner == dead) {
            for row in tables.values_mut() {
                row.insert(network, Cell::Absent);
            }
        }
    }
    tables
}

fn apply(file: &File, mut tables: Tables, rows: &Rows) -> Result<Tables> {
    for (router, cells) in rows {
        let row = tables.entry(router.clone()).or_default();
        for (column, text) in cells {
            let prefix = file.prefixes.get(column).with_context(|| format!("no column {column}"))?;
            row.insert(*prefix, cell(text)?);
        }
    }
    Ok(tables)
}

fn cell(text: &str) -> Result<Cell> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (nodes, cost) = match words.as_slice() {
        [nodes] => (nodes, None),
        [nodes, cost] => (nodes, Some(cost.parse().with_context(|| format!("cost in {text:?}"))?)),
        _ => bail!("{text:?} is not \"node\" or \"node cost\""),
    };
    Ok(Cell::Via { nodes: nodes.split('+').map(str::to_owned).collect::<BTreeSet<_>>(), cost })
}
