//! Namespaces, switches and cables.
//!
//! Every link is a bridge in a namespace of its own; every plug is a veth pair whose far end is a port of that bridge, named
//! `NODE-INTERFACE`. So pulling the port down takes the carrier from that node only, taking the port off the bridge silences it
//! and leaves the carrier, and the disappearance of a node is invisible to everybody else.

use crate::netns::{delete, end_processes, ip_batch, list, parallel, sysctl};
use crate::topology::{GATEWAY, NodeKind, Topology};
use anyhow::Result;
use nix::sys::signal::Signal;
use std::time::Duration;

/// Work that is mostly waiting for the kernel's namespace lock gains nothing from more threads.
const THREADS: usize = 4;

/// Switch ports count from here, routers' interfaces from 2. Namespaces number their interfaces for themselves, so both ends of a veth
/// easily get the same index; the kernel then takes either for an interface without a lower one and holds its carrier events back for up
/// to a second after any other (`linkwatch_urgent_event`). A network card's cable is not cut a second late.
const FIRST_PORT_INDEX: usize = 1000;

/// Settings of every namespace, before it has interfaces.
const QUIET: [(&str, &str); 3] = [
    ("net/ipv6/conf/all/disable_ipv6", "1"),
    ("net/ipv6/conf/default/disable_ipv6", "1"),
    ("net/ipv4/conf/all/rp_filter", "0"),
];

/// The names of one lab's namespaces.
#[derive(Debug, Clone)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// Names that start with `prefix`, which ends in a hyphen.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The common start.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Namespace of a router, host or the gateway.
    pub fn node(&self, node: &str) -> String {
        format!("{}{node}", self.prefix)
    }

    /// Namespace of a link's switch.
    pub fn switch(&self, link: &str) -> String {
        format!("{}sw-{link}", self.prefix)
    }
}

/// A switch port's name.
pub fn port_name(node: &str, interface: &str) -> String {
    format!("{node}-{interface}")
}

/// Who configures a router's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// The lab does, as an operator's scripts would for daemons that do not.
    Lab,
    /// The routing suite itself does; interfaces are handed over up and bare.
    Daemon,
}

/// Creates all namespaces, switches, cables, hosts and the gateway. Routers' interfaces are plugged in and up; with
/// [`Addressing::Lab`] they also carry their addresses.
///
/// # Errors
/// What the kernel or `ip` refuses.
pub fn build(
    topology: &Topology,
    names: &Names,
    addressing: impl Fn(&str) -> Addressing + Sync,
) -> Result<()> {
    let nodes: Vec<&str> = topology.nodes().collect();
    let links: Vec<&str> = topology.links.keys().map(String::as_str).collect();
    let all = nodes.iter().map(|node| names.node(node)).chain(links.iter().map(|link| names.switch(link)));
    let all: Vec<String> = all.collect();
    let adds: Vec<String> = all.iter().map(|name| format!("netns add {name}")).collect();
    ip_batch(None, &adds)?;
    parallel(&all, THREADS, |name| sysctl(name, &QUIET))?;
    parallel(&links, THREADS, |link| build_switch(topology, names, link))?;
    parallel(&nodes, THREADS, |node| build_node(topology, names, node, addressing(node)))
}

fn build_switch(topology: &Topology, names: &Names, link: &str) -> Result<()> {
    let mut lines = vec![
        "link add br0 type bridge mcast_snooping 0 stp_state 0".to_owned(),
        "link set br0 up".to_owned(),
    ];
    for (place, (node, _, port)) in topology.ports().enumerate().filter(|(_, (_, _, port))| port.link == link)
    {
        lines.extend(plug_lines(names, node, port.name, place));
    }
    ip_batch(Some(&names.switch(link)), &lines)
}

/// A cable between a node and a switch. The node's end has an address of its own that follows from its `place` in the plan, as a
/// network card's does: a router that comes back is who it was to its neighbours' ARP caches.
fn plug_lines(names: &Names, node: &str, interface: &str, place: usize) -> [String; 2] {
    let port = port_name(node, interface);
    let mac = format!("02:00:5e:10:{:02x}:{:02x}", place >> 8 & 0xff, place & 0xff);
    let (index, peer) = (FIRST_PORT_INDEX + place, names.node(node));
    [
        format!("link add {port} index {index} type veth peer name {interface} address {mac} netns {peer}"),
        format!("link set {port} master br0 up"),
    ]
}

fn build_node(topology: &Topology, names: &Names, node: &str, addressing: Addressing) -> Result<()> {
    let mut lines = vec!["link set lo up".to_owned()];
    let ports = topology.ports().filter(|(owner, _, _)| *owner == node);
    for (_, kind, port) in ports {
        lines.push(format!("link set {} up", port.name));
        if kind != NodeKind::Router || addressing == Addressing::Lab {
            lines.push(format!("addr add {} dev {} brd +", port.address, port.name));
        }
    }
    if let Some(router) = topology.routers.get(node) {
        if addressing == Addressing::Lab {
            lines.push(format!("addr add {}/32 dev lo", router.loopback));
        }
    } else if let Some(host) = topology.hosts.get(node) {
        lines.push(format!("route add default via {}", host.gateway));
    } else if let Some(gateway) = topology.gateway.as_ref().filter(|_| node == GATEWAY) {
        sysctl(
            &names.node(node),
            &[("net/ipv4/ip_forward", "1"), ("net/ipv4/conf/all/send_redirects", "0")],
        )?;
        for route in &gateway.static_routes {
            if let Some(via) = route.via {
                lines.push(format!("route add {} via {via}", route.prefix));
            }
        }
    }
    ip_batch(Some(&names.node(node)), &lines)
}

/// Cables a router again that [`power_off`] took away.
///
/// # Errors
/// What the kernel or `ip` refuses.
pub fn rebuild_router(
    topology: &Topology,
    names: &Names,
    router: &str,
    addressing: Addressing,
) -> Result<()> {
    let namespace = names.node(router);
    ip_batch(None, &[format!("netns add {namespace}")])?;
    sysctl(&namespace, &QUIET)?;
    for (place, (node, _, port)) in topology.ports().enumerate().filter(|(_, (node, _, _))| *node == router) {
        ip_batch(Some(&names.switch(port.link)), &plug_lines(names, node, port.name, place))?;
    }
    build_node(topology, names, router, addressing)
}

/// Takes a router's power: every process dies at once without a word, then the machine with its kernel tables and cables is gone.
/// Its neighbours keep their carrier.
///
/// # Errors
/// A process that does not die, a namespace that does not go.
pub fn power_off(topology: &Topology, names: &Names, router: &str) -> Result<()> {
    let namespace = names.node(router);
    crate::netns::signal_all(&crate::netns::pids(&namespace)?, Signal::SIGKILL);
    // The kernel of a dead machine forwards nothing: interfaces first, they go at once, the namespace goes when it likes.
    let ports: Vec<_> =
        topology.ports().filter(|(node, _, _)| *node == router).map(|(_, _, port)| port.name).collect();
    ip_batch(
        Some(&namespace),
        &ports.iter().map(|port| format!("link set {port} down")).collect::<Vec<_>>(),
    )?;
    end_processes(&namespace, Signal::SIGKILL, Duration::from_secs(1))?;
    ip_batch(Some(&namespace), &ports.iter().map(|port| format!("link del {port}")).collect::<Vec<_>>())?;
    delete(&namespace)
}

/// How a plug is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// The node sees its carrier go.
    Carrier,
    /// Frames vanish, the carrier stays.
    Silent,
}

/// Breaks or mends the plugs of some nodes in one link, all at the same moment.
///
/// # Errors
/// What `ip` refuses.
pub fn set_plugs(names: &Names, link: &str, ports: &[String], cut: Option<Cut>) -> Result<()> {
    let line = |port: &String| match cut {
        Some(Cut::Carrier) => vec![format!("link set {port} down")],
        Some(Cut::Silent) => vec![format!("link set {port} nomaster")],
        None => vec![format!("link set {port} master br0"), format!("link set {port} up")],
    };
    ip_batch(Some(&names.switch(link)), &ports.iter().flat_map(line).collect::<Vec<_>>())
}

/// Ends every process in the lab's namespaces and removes these.
///
/// # Errors
/// The first thing that refuses to go; the rest is removed nevertheless.
pub fn demolish(names: &Names) -> Result<()> {
    let namespaces = list(names.prefix());
    for namespace in &namespaces {
        crate::netns::signal_all(&crate::netns::pids(namespace)?, Signal::SIGTERM);
    }
    let mut result = Ok(());
    for namespace in &namespaces {
        result = result.and(end_processes(namespace, Signal::SIGTERM, Duration::from_secs(2)));
        result = result.and(delete(namespace));
    }
    result
}
