//! What a lab consists of, as a TOML file.
//!
//! A topology names links, routers, hosts and the gateway of the LAN. It holds what a cabling plan holds: addresses, costs,
//! static routes, the virtual address. Which routing stack runs and with which timers is no part of it. A file is
//! validated as a whole ([`Topology::validate`]) and refused with every fault found.

use anyhow::{Context, Result, bail};
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::Path;

/// Interface names of Linux hold 15 octets.
const MAX_INTERFACE_NAME: usize = 15;

/// A cabling plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Topology {
    /// Its name; also names its file of expected tables.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// Virtual switches by name.
    pub links: BTreeMap<String, Link>,
    /// Routers by name.
    pub routers: BTreeMap<String, Router>,
    /// Hosts by name.
    pub hosts: BTreeMap<String, Host>,
    /// The LAN's own router, which is no part of the ring.
    pub gateway: Option<Gateway>,
    /// The virtual router of the LAN.
    pub vrrp: Option<Vrrp>,
}

/// One virtual switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Link {
    /// What it is for.
    pub kind: LinkKind,
    /// Its network.
    pub network: Ipv4Network,
    /// How OSPF sees it.
    pub ospf: LinkOspf,
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// Between routers.
    Ring,
    /// The office network with the gateway and the virtual address.
    Lan,
    /// Virtual machines behind one router.
    Vm,
    /// Outside of everything: gateway to Internet host.
    Outside,
}

/// How OSPF treats the interfaces on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkOspf {
    /// With a Designated Router.
    Broadcast,
    /// Two routers.
    PointToPoint,
    /// Advertised, without adjacencies.
    Passive,
    /// Not in OSPF.
    None,
}

/// One router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Router {
    /// Loopback address and OSPF router id.
    pub loopback: Ipv4Addr,
    /// Priority in the LAN's virtual router; absent: takes no part.
    pub vrrp_priority: Option<u8>,
    /// Metric (type 2) with which its static default enters OSPF; absent: it does not.
    pub originate_default: Option<u32>,
    /// Static routes.
    #[serde(default)]
    pub static_routes: Vec<StaticRoute>,
    /// Interfaces by name.
    pub interfaces: BTreeMap<String, Interface>,
}

/// A static route of a router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StaticRoute {
    /// Destination.
    pub prefix: Ipv4Network,
    /// Next hop in a connected network; absent: what is sent there is dropped.
    pub via: Option<Ipv4Addr>,
}

/// An interface of a router or of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Interface {
    /// The switch it is plugged into.
    pub link: String,
    /// Its address with prefix length.
    pub address: Ipv4Network,
    /// OSPF output cost.
    #[serde(default = "default_cost")]
    pub cost: u16,
}

fn default_cost() -> u16 {
    10
}

/// A host: one interface `eth0` and a default route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Host {
    /// The switch it is plugged into.
    pub link: String,
    /// Its address with prefix length.
    pub address: Ipv4Network,
    /// Its default gateway.
    pub gateway: Ipv4Addr,
}

/// The LAN's gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Gateway {
    /// Interfaces by name.
    pub interfaces: BTreeMap<String, Interface>,
    /// Static routes towards the ring.
    pub static_routes: Vec<StaticRoute>,
}

/// The virtual router of the LAN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vrrp {
    /// The link it lives on.
    pub link: String,
    /// Virtual router id.
    pub vrid: u8,
    /// The virtual address with the LAN's prefix length.
    pub address: Ipv4Network,
}

/// Name of the gateway's node.
pub const GATEWAY: &str = "gw";

/// The topologies shipped with the lab: name and file text.
pub const SHIPPED: [(&str, &str); 6] = [
    ("ring5-p", include_str!("../topologies/ring5-p.toml")),
    ("ring5-c", include_str!("../topologies/ring5-c.toml")),
    ("ring3", include_str!("../topologies/ring3.toml")),
    ("ring4", include_str!("../topologies/ring4.toml")),
    ("ring7", include_str!("../topologies/ring7.toml")),
    ("trunk", include_str!("../topologies/trunk.toml")),
];

impl Topology {
    /// Reads and validates a topology's text.
    ///
    /// # Errors
    /// What TOML or [`Topology::validate`] objects to.
    pub fn parse(text: &str) -> Result<Self> {
        let topology: Self = toml::from_str(text)?;
        topology.validate()?;
        Ok(topology)
    }

    /// A shipped topology by name, or any by path.
    ///
    /// # Errors
    /// No such name or file, or the file is refused.
    pub fn load(name_or_path: &str) -> Result<Self> {
        if let Some((_, text)) = SHIPPED.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(text).with_context(|| format!("shipped topology {name_or_path}"));
        }
        let known: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        let text = std::fs::read_to_string(Path::new(name_or_path)).with_context(|| {
            format!("no topology {name_or_path:?}: neither a file nor one of {}", known.join(", "))
        })?;
        Self::parse(&text).with_context(|| format!("topology {name_or_path}"))
    }

    /// Checks everything a lab relies on.
    ///
    /// # Errors
    /// One line for every fault.
    pub fn validate(&self) -> Result<()> {
        let mut faults = Vec::new();
        let mut seen = BTreeMap::<Ipv4Addr, String>::new();
        let mut names = BTreeSet::new();
        for (node, _, port) in self.ports() {
            if format!("{node}-{}", port.name).len() > MAX_INTERFACE_NAME {
                faults.push(format!("{node} {}: names too long for a switch port", port.name));
            }
            match self.links.get(port.link) {
                None => faults.push(format!("{node} {}: no link {:?}", port.name, port.link)),
                Some(link)
                    if !link.network.contains(port.address.ip())
                        || link.network.prefix() != port.address.prefix() =>
                {
                    faults.push(format!("{node} {}: {} is not in {}", port.name, port.address, link.network));
                }
                Some(_) => {}
            }
            if let Some(other) = seen.insert(port.address.ip(), format!("{node} {}", port.name)) {
                faults.push(format!("{} belongs to {other} and to {node} {}", port.address.ip(), port.name));
            }
        }
        for name in self.nodes() {
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            if !plain || name.is_empty() || !names.insert(name.to_owned()) {
                faults.push(format!("node name {name:?} must be unique, lower-case letters and digits"));
            }
        }
        self.validate_routes(&mut faults);
        for (name, link) in &self.links {
            let routers = self.routers_on(name).count();
            if link.kind == LinkKind::Ring && routers != 2 {
                faults.push(format!("ring link {name} joins {routers} routers instead of 2"));
            }
        }
        if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n")) }
    }

    fn validate_routes(&self, faults: &mut Vec<String>) {
        for (name, router) in &self.routers {
            for route in &router.static_routes {
                if let Some(via) = route.via
                    && self.interface_towards(name, via).is_none()
                {
                    faults.push(format!("{name}: next hop {via} is in no connected network"));
                }
            }
            if router.originate_default.is_some() && router.static_default().is_none() {
                faults.push(format!("{name} originates a default but has none"));
            }
        }
        for (name, host) in &self.hosts {
            if self.owner_of(host.gateway).is_none() {
                faults.push(format!("{name}: nobody has its gateway {}", host.gateway));
            }
        }
        if let Some(vrrp) = &self.vrrp {
            let takers: Vec<_> = self.routers.values().filter(|r| r.vrrp_priority.is_some()).collect();
            if takers.is_empty() || !self.links.contains_key(&vrrp.link) {
                faults.push("vrrp: needs a link and a router with a priority".to_owned());
            }
        }
    }

    /// Every node's name: routers, hosts, gateway.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        let gateway = self.gateway.as_ref().map(|_| GATEWAY);
        self.routers.keys().chain(self.hosts.keys()).map(String::as_str).chain(gateway)
    }

    /// Every plug in every switch: node, kind of node, port.
    pub fn ports(&self) -> impl Iterator<Item = (&str, NodeKind, Port<'_>)> {
        let routers = self.routers.iter().flat_map(|(node, router)| {
            router.interfaces.iter().map(move |(name, i)| {
                (node.as_str(), NodeKind::Router, Port { name, link: &i.link, address: i.address })
            })
        });
        let hosts = self.hosts.iter().map(|(node, h)| {
            (node.as_str(), NodeKind::Host, Port { name: "eth0", link: &h.link, address: h.address })
        });
        let gateway = self.gateway.iter().flat_map(|gateway| {
            gateway.interfaces.iter().map(|(name, i)| {
                (GATEWAY, NodeKind::Gateway, Port { name, link: &i.link, address: i.address })
            })
        });
        routers.chain(hosts).chain(gateway)
    }

    /// Routers and their interface on a link.
    pub fn routers_on<'a>(
        &'a self,
        link: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a Interface)> {
        self.routers.iter().flat_map(move |(router, r)| {
            r.interfaces
                .iter()
                .filter(move |(_, interface)| interface.link == link)
                .map(move |(name, interface)| (router.as_str(), name.as_str(), interface))
        })
    }

    /// Which node has this address; the virtual address belongs to nobody in particular.
    pub fn owner_of(&self, address: Ipv4Addr) -> Option<&str> {
        self.ports().find(|(_, _, port)| port.address.ip() == address).map(|(node, _, _)| node)
    }

    /// The interface of `router` whose network holds `address`.
    pub fn interface_towards(&self, router: &str, address: Ipv4Addr) -> Option<(&str, &Interface)> {
        let interfaces = &self.routers.get(router)?.interfaces;
        interfaces
            .iter()
            .find(|(_, interface)| interface.address.contains(address))
            .map(|(name, interface)| (name.as_str(), interface))
    }

    /// Networks of virtual machines with the router they live behind.
    pub fn vm_networks(&self) -> impl Iterator<Item = (Ipv4Network, &str)> {
        self.links.iter().filter(|(_, link)| link.kind == LinkKind::Vm).filter_map(|(name, link)| {
            self.routers_on(name).next().map(|(router, _, _)| (link.network, router))
        })
    }

    /// The hosts behind routers.
    pub fn vm_hosts(&self) -> impl Iterator<Item = (&str, &Host)> {
        self.hosts_on(LinkKind::Vm)
    }

    /// The hosts on the far side of the gateway.
    pub fn outside_hosts(&self) -> impl Iterator<Item = (&str, &Host)> {
        self.hosts_on(LinkKind::Outside)
    }

    fn hosts_on(&self, kind: LinkKind) -> impl Iterator<Item = (&str, &Host)> {
        self.hosts
            .iter()
            .filter(move |(_, host)| self.links.get(&host.link).is_some_and(|link| link.kind == kind))
            .map(|(name, host)| (name.as_str(), host))
    }

    /// Does any router form OSPF adjacencies here?
    pub fn runs_ospf(&self) -> bool {
        self.links.values().any(|link| matches!(link.ospf, LinkOspf::Broadcast | LinkOspf::PointToPoint))
    }
}

impl Router {
    /// The next hop of the static default route.
    pub fn static_default(&self) -> Option<Ipv4Addr> {
        self.static_routes.iter().find(|route| route.prefix.prefix() == 0).and_then(|route| route.via)
    }
}

/// What kind of node a port belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// A router under test.
    Router,
    /// A host.
    Host,
    /// The LAN's gateway.
    Gateway,
}

/// One plug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port<'a> {
    /// Interface name inside the node.
    pub name: &'a str,
    /// The switch.
    pub link: &'a str,
    /// Address.
    pub address: Ipv4Network,
}
