//! What the tables must hold, computed from the topology alone.
//!
//! A deliberately plain Bellman-Ford over the cabling plan: it shares no line with any routing daemon's SPF and knows
//! nothing of LSAs. Costs are those of the outgoing interface (RFC 2328 §16.1), a VM network adds its own interface's cost,
//! a type 2 default goes to the nearest of the exits with the least metric (§16.4). A static route is valid while
//! the interface its next hop lies on has carrier and only then (the on-link rule; without it the default of a
//! router that lost its LAN leg would resolve through OSPF and loop).

use crate::topology::{GATEWAY, Host, LinkKind, LinkOspf, Topology};
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// One thing that is broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Failure {
    /// A router is gone.
    Router(String),
    /// Nothing passes a link any more.
    Link(String),
    /// One router's plug is out of a link.
    Leg {
        /// The link.
        link: String,
        /// Whose plug.
        router: String,
    },
}

/// Everything that is broken.
pub type Failures = BTreeSet<Failure>;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Router(router) => write!(f, "router {router}"),
            Self::Link(link) => write!(f, "link {link}"),
            Self::Leg { link, router } => write!(f, "leg {link} {router}"),
        }
    }
}

impl FromStr for Failure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["router", router] => Ok(Self::Router((*router).to_owned())),
            ["link", link] => Ok(Self::Link((*link).to_owned())),
            ["leg", link, router] => Ok(Self::Leg { link: (*link).to_owned(), router: (*router).to_owned() }),
            _ => Err(format!("{text:?} is not \"router R\", \"link L\" or \"leg L R\"")),
        }
    }
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        failure.to_string()
    }
}

impl TryFrom<String> for Failure {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// What one router must do with one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Forward to these nodes (several: equal-cost multipath).
    Via {
        /// Routers, or the gateway.
        nodes: BTreeSet<String>,
        /// Cost inside OSPF where the route is an OSPF route of the area.
        cost: Option<u32>,
    },
    /// Have no route.
    Absent,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no route"),
            Self::Via { nodes, cost } => {
                let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
                f.write_str(&nodes.join("+"))?;
                cost.map_or(Ok(()), |cost| write!(f, " {cost}"))
            }
        }
    }
}

/// Router → prefix → what it must do.
pub type Tables = BTreeMap<String, BTreeMap<Ipv4Network, Cell>>;

/// Cost and first routers of the cheapest paths from one router, by destination router.
type Reach<'a> = BTreeMap<&'a str, (u32, BTreeSet<&'a str>)>;

/// The default route.
pub fn default_prefix() -> Ipv4Network {
    Ipv4Network::from_str("0.0.0.0/0").unwrap_or_else(|_| unreachable!("a constant that parses"))
}

/// A topology in some state of disrepair.
#[derive(Debug, Clone, Copy)]
pub struct Oracle<'a> {
    topology: &'a Topology,
    failures: &'a Failures,
}

impl<'a> Oracle<'a> {
    /// Looks at `topology` with `failures`.
    pub fn new(topology: &'a Topology, failures: &'a Failures) -> Self {
        Self { topology, failures }
    }

    /// Is this router alive?
    pub fn is_alive(&self, router: &str) -> bool {
        !self.failures.contains(&Failure::Router(router.to_owned()))
    }

    /// Has this router's plug in this link carrier and somebody to talk to?
    pub fn is_plugged(&self, link: &str, router: &str) -> bool {
        let leg = Failure::Leg { link: link.to_owned(), router: router.to_owned() };
        !self.failures.contains(&Failure::Link(link.to_owned())) && !self.failures.contains(&leg)
    }

    /// Which router must hold the virtual address: the alive one of highest priority that is on the LAN.
    pub fn master(&self) -> Option<&'a str> {
        let vrrp = self.topology.vrrp.as_ref()?;
        let able = self.topology.routers.iter().filter(|(name, router)| {
            router.vrrp_priority.is_some() && self.is_alive(name) && self.is_plugged(&vrrp.link, name)
        });
        able.max_by_key(|(_, router)| router.vrrp_priority).map(|(name, _)| name.as_str())
    }

    /// Can packets get from one host to another? Follows the tables hop by hop, in through the virtual address where they
    /// come from the LAN's gateway.
    pub fn carries(&self, tables: &Tables, from: &str, to: &str) -> bool {
        let hosts = &self.topology.hosts;
        let (Some(from), Some(to)) = (hosts.get(from), hosts.get(to)) else { return false };
        let (Some(mut at), Some(exit)) =
            (self.topology.owner_of(from.gateway), self.topology.owner_of(to.gateway))
        else {
            return false;
        };
        for _ in 0..=self.topology.routers.len() + 1 {
            if !self.is_alive(at) {
                return false;
            }
            if at == exit {
                return true;
            }
            let next = if at == GATEWAY { self.entry(to) } else { next_hop(tables.get(at), to.address) };
            let Some(next) = next else { return false };
            at = next;
        }
        false
    }

    /// The router at which the gateway's packets to a host enter.
    fn entry<'b>(&'b self, to: &Host) -> Option<&'b str> {
        let gateway = self.topology.gateway.as_ref()?;
        let routes = gateway.static_routes.iter().filter(|route| route.prefix.contains(to.address.ip()));
        let via = routes.max_by_key(|route| route.prefix.prefix())?.via?;
        let router = self.topology.owner_of(via).or_else(|| self.master())?;
        let (_, interface) = self.topology.interface_towards(router, via)?;
        self.is_plugged(&interface.link, router).then_some(router)
    }

    /// Every router's table: the default and the networks of the virtual machines. Directly connected ones are left out.
    pub fn tables(&self) -> Tables {
        let mut tables = Tables::new();
        for (name, router) in self.topology.routers.iter().filter(|(name, _)| self.is_alive(name)) {
            let mut row = BTreeMap::new();
            let reach = self.reach(name);
            for (network, owner) in self.topology.vm_networks().filter(|(_, owner)| owner != name) {
                let cell =
                    self.static_cell(name, network).unwrap_or_else(|| self.vm_cell(&reach, network, owner));
                row.insert(network, cell);
            }
            let default = default_prefix();
            let has_default = router.static_default().is_some() || self.topology.runs_ospf();
            if has_default {
                let cell = self.static_cell(name, default).unwrap_or_else(|| self.exit_cell(&reach));
                row.insert(default, cell);
            }
            tables.insert(name.clone(), row);
        }
        tables
    }

    fn static_cell(&self, router: &str, prefix: Ipv4Network) -> Option<Cell> {
        let route =
            self.topology.routers.get(router)?.static_routes.iter().find(|route| route.prefix == prefix)?;
        let via = route.via?;
        let (_, interface) = self.topology.interface_towards(router, via)?;
        if !self.is_plugged(&interface.link, router) {
            return None;
        }
        let node = self.topology.owner_of(via)?.to_owned();
        Some(Cell::Via { nodes: BTreeSet::from([node]), cost: None })
    }

    fn vm_cell(&self, reach: &Reach<'_>, network: Ipv4Network, owner: &str) -> Cell {
        let own = self.topology.routers.get(owner).and_then(|router| {
            router.interfaces.values().find(|i| i.address.network() == network.network()).map(|i| i.cost)
        });
        match (reach.get(owner), own) {
            (Some((cost, nodes)), Some(own)) if self.topology.runs_ospf() => Cell::Via {
                nodes: nodes.iter().map(|&node| node.to_owned()).collect(),
                cost: Some(cost + u32::from(own)),
            },
            _ => Cell::Absent,
        }
    }

    /// The type 2 default of the nearest exit of least metric.
    fn exit_cell(&self, reach: &Reach<'_>) -> Cell {
        let exits = self.topology.routers.iter().filter_map(|(name, router)| {
            let metric = router.originate_default?;
            self.static_cell(name, default_prefix())?;
            let (cost, nodes) = reach.get(name.as_str())?;
            Some(((metric, *cost), nodes))
        });
        let mut best: Option<((u32, u32), BTreeSet<String>)> = None;
        for (key, nodes) in exits {
            let nodes: BTreeSet<String> = nodes.iter().map(|&node| node.to_owned()).collect();
            match &mut best {
                Some((least, all)) if *least == key => all.extend(nodes),
                Some((least, _)) if *least < key => {}
                _ => best = Some((key, nodes)),
            }
        }
        best.map_or(Cell::Absent, |(_, nodes)| Cell::Via { nodes, cost: None })
    }

    /// Neighbours of a router over OSPF links: name and cost of the outgoing interface.
    fn neighbours(&self, router: &'a str) -> Vec<(&'a str, u32)> {
        let mut found = Vec::new();
        let Some(this) = self.topology.routers.get(router) else { return found };
        for interface in this.interfaces.values() {
            let Some(link) = self.topology.links.get(&interface.link) else { continue };
            let carries = matches!(link.ospf, LinkOspf::Broadcast | LinkOspf::PointToPoint);
            if !carries || link.kind == LinkKind::Vm || !self.is_plugged(&interface.link, router) {
                continue;
            }
            for (other, _, _) in self.topology.routers_on(&interface.link) {
                if other != router && self.is_alive(other) && self.is_plugged(&interface.link, other) {
                    found.push((other, u32::from(interface.cost)));
                }
            }
        }
        found
    }

    /// Bellman-Ford from `source`, relaxing until nothing moves.
    fn reach(&self, source: &'a str) -> Reach<'a> {
        let mut reach = Reach::new();
        reach.insert(source, (0, BTreeSet::new()));
        loop {
            let mut moved = false;
            for (from, (cost, first)) in reach.clone() {
                for (to, step) in self.neighbours(from) {
                    let first = if from == source { BTreeSet::from([to]) } else { first.clone() };
                    moved |= relax(&mut reach, to, cost + step, first);
                }
            }
            if !moved {
                reach.remove(source);
                return reach;
            }
        }
    }
}

/// The node a table sends packets for an address to; of several equal ones any will do.
fn next_hop(row: Option<&BTreeMap<Ipv4Network, Cell>>, to: Ipv4Network) -> Option<&str> {
    let row = row?;
    let exact = row.get(&Ipv4Network::new(to.network(), to.prefix()).ok()?);
    let usable = |cell: &&Cell| matches!(cell, Cell::Via { .. });
    match exact.filter(usable).or_else(|| row.get(&default_prefix())).filter(usable)? {
        Cell::Via { nodes, .. } => nodes.first().map(String::as_str),
        Cell::Absent => None,
    }
}

fn relax<'a>(reach: &mut Reach<'a>, to: &'a str, cost: u32, first: BTreeSet<&'a str>) -> bool {
    match reach.get_mut(to) {
        Some((known, _)) if *known < cost => false,
        Some((known, nodes)) if *known == cost => {
            let before = nodes.len();
            nodes.extend(first);
            nodes.len() != before
        }
        _ => {
            reach.insert(to, (cost, first));
            true
        }
    }
}
