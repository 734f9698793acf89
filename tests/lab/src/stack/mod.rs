//! What routes in a router's namespace.
//!
//! A stack is a way of turning a router of the topology into configuration files and a list of processes. Everything else
//! (namespaces, addresses where the stack wants them, starting, killing) is the same for all and lives in [`crate::lab`].

mod bird;
mod frr;
mod torc;

use crate::fabric::Addressing;
pub use crate::process::Process;
use crate::topology::{Interface, LinkOspf, Router, Topology};
use anyhow::Result;
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Seconds a returning MASTER under keepalived waits before it takes the virtual address back: it must have routes first (hazard H6).
/// FRR 8.4 knows no such delay, and Torc asks its RIB.
const PREEMPT_DELAY: u16 = 3;

/// A routing suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Stack {
    /// This project's daemons under their supervisor.
    Torc,
    /// FRR: zebra, staticd, ospfd, vrrpd.
    Frr,
    /// BIRD 2 with keepalived.
    Bird,
}

/// Timers, the same on every router whatever it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// The RFCs' defaults: hello 10 s, dead 40 s, adverts 1 s.
    Traditional,
    /// Hello 1 s, dead 4 s, adverts 100 ms, no hold on first events; no BFD with routers that are not ours, which do not
    /// guard it with real-time scheduling and let it flap on a busy machine.
    Unhurried,
    /// Hello 1 s, dead 4 s, BFD 10 ms × 3 on links between two routers, adverts 10 ms, no hold on first events.
    Ring,
    /// As [`Profile::Ring`], adverts 1 s.
    SlowAdverts,
    /// As [`Profile::Ring`], BFD 3.3 ms × 3, which only Torc can do.
    FastBfd,
}

impl Profile {
    /// HelloInterval in seconds.
    pub fn hello(self) -> u16 {
        match self {
            Self::Traditional => 10,
            Self::Unhurried | Self::Ring | Self::SlowAdverts | Self::FastBfd => 1,
        }
    }

    /// RouterDeadInterval in seconds.
    pub fn dead(self) -> u16 {
        self.hello() * 4
    }

    /// How long any state may take to settle: a silent death is noticed after the dead interval, a broadcast link waits as long
    /// for its Designated Router, and BIRD takes the 5 s of MinLSInterval more than once.
    pub fn patience(self) -> Duration {
        Duration::from_secs(u64::from(self.dead()) * 2 + 25)
    }

    /// BFD's interval, three of which may be missed; `None`: without BFD.
    pub fn bfd(self) -> Option<Duration> {
        match self {
            Self::Traditional | Self::Unhurried => None,
            Self::Ring | Self::SlowAdverts => Some(Duration::from_millis(10)),
            Self::FastBfd => Some(Duration::from_micros(3300)),
        }
    }

    /// VRRP Advertisement_Interval in milliseconds.
    pub fn advertisement(self) -> u16 {
        match self {
            Self::Traditional | Self::SlowAdverts => 1000,
            Self::Unhurried => 100,
            Self::Ring | Self::FastBfd => 10,
        }
    }
}

/// A router about to be configured.
#[derive(Debug)]
pub struct Site<'a> {
    /// The cabling plan.
    pub topology: &'a Topology,
    /// The router's name.
    pub name: &'a str,
    /// Its part of the plan.
    pub router: &'a Router,
    /// Timers.
    pub profile: Profile,
    /// Its own directory for configuration, sockets and logs.
    pub dir: &'a Path,
    /// Where this project's binaries are.
    pub daemons: &'a Path,
    /// Lines for sections of this project's configuration.
    pub additions: &'a BTreeMap<String, String>,
    /// Are this project's daemons started one by one?
    pub by_hand: bool,
}

/// What a stack wants done to start a router.
#[derive(Debug, Default)]
pub struct Plan {
    /// Files to write: path, text.
    pub files: Vec<(PathBuf, String)>,
    /// Lines for `ip -batch` inside the namespace.
    pub links: Vec<String>,
    /// Kernel settings below `/proc/sys`.
    pub settings: Vec<(String, String)>,
    /// Processes in order.
    pub processes: Vec<Process>,
}

impl Stack {
    /// Who puts the addresses on.
    pub fn addressing(self) -> Addressing {
        match self {
            Self::Torc => Addressing::Daemon,
            Self::Frr | Self::Bird => Addressing::Lab,
        }
    }

    /// Permissions of a router's directory: FRR's daemons are not root when they make their sockets in it.
    pub fn directory_mode(self) -> u32 {
        match self {
            Self::Frr => 0o777,
            Self::Torc | Self::Bird => 0o755,
        }
    }

    /// Files, links, settings and processes of a router.
    pub fn plan(self, site: &Site<'_>) -> Plan {
        match self {
            Self::Torc => torc::plan(site),
            Self::Frr => frr::plan(site),
            Self::Bird => bird::plan(site),
        }
    }

    /// OSPF costs by prefix as the router's daemon reports them; `None` where the stack cannot tell.
    ///
    /// # Errors
    /// The daemon does not answer.
    pub fn ospf_costs(self, site: &Site<'_>) -> Result<Option<BTreeMap<Ipv4Network, u32>>> {
        match self {
            Self::Torc => torc::show(site, &["show", "ip", "ospf", "route", "json"])
                .map(|v| Some(crate::table::ospf_costs(&v))),
            Self::Frr => {
                frr::show(site, "show ip ospf route json").map(|v| Some(crate::table::ospf_costs(&v)))
            }
            Self::Bird => Ok(None),
        }
    }

    /// Asks a router a show command that ends in `json`.
    ///
    /// # Errors
    /// The router does not answer, or its suite has no such commands.
    pub fn show(self, site: &Site<'_>, words: &[&str]) -> Result<serde_json::Value> {
        match self {
            Self::Torc => torc::show(site, words),
            Self::Frr => frr::show(site, &words.join(" ")),
            Self::Bird => anyhow::bail!("BIRD does not speak JSON"),
        }
    }

    /// The names of the daemons a router of this stack runs.
    pub fn daemons(self) -> &'static [&'static str] {
        match self {
            Self::Torc => &["mgmtd", "ribd", "ospfd", "bfdd", "vrrpd"],
            Self::Frr => &["zebra", "staticd", "ospfd", "bfdd", "vrrpd"],
            Self::Bird => &["bird", "keepalived"],
        }
    }
}

impl Site<'_> {
    /// Interfaces OSPF runs on, with the way it does.
    pub fn ospf_interfaces(&self) -> impl Iterator<Item = (&str, &Interface, LinkOspf)> {
        self.router.interfaces.iter().filter_map(|(name, interface)| {
            let ospf = self.topology.links.get(&interface.link)?.ospf;
            (ospf != LinkOspf::None).then_some((name.as_str(), interface, ospf))
        })
    }

    /// The interface, id, address and priority of the LAN's virtual router, if this router takes part.
    pub fn vrrp(&self) -> Option<VrrpSite<'_>> {
        let vrrp = self.topology.vrrp.as_ref()?;
        let priority = self.router.vrrp_priority?;
        let (interface, _) =
            self.router.interfaces.iter().find(|(_, interface)| interface.link == vrrp.link)?;
        Some(VrrpSite { interface, vrid: vrrp.vrid, address: vrrp.address, priority })
    }

    /// What a section of this project's configuration gets besides.
    pub fn addition(&self, section: &str) -> &str {
        self.additions.get(section).map_or("", String::as_str)
    }

    /// The interface a connected next hop lies on.
    pub fn interface_towards(&self, address: std::net::Ipv4Addr) -> Option<&str> {
        self.topology.interface_towards(self.name, address).map(|(name, _)| name)
    }
}

/// A router's part in the LAN's virtual router.
#[derive(Debug, Clone, Copy)]
pub struct VrrpSite<'a> {
    /// The interface on the LAN.
    pub interface: &'a str,
    /// Virtual router id.
    pub vrid: u8,
    /// Virtual address with the LAN's prefix length.
    pub address: Ipv4Network,
    /// Its priority.
    pub priority: u8,
}

/// What an operator sets by hand under routing daemons that leave the kernel as it is: forwarding, no reverse-path filter,
/// no redirects, carrier-less connected routes ignored, ARP answered only where the address is.
fn router_settings(site: &Site<'_>) -> Vec<(String, String)> {
    let mut settings: Vec<(String, String)> = [
        ("net/ipv4/ip_forward", "1"),
        ("net/ipv4/conf/all/send_redirects", "0"),
        ("net/ipv4/conf/all/ignore_routes_with_linkdown", "1"),
        ("net/ipv4/conf/all/arp_ignore", "1"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    for name in site.router.interfaces.keys() {
        settings.push((format!("net/ipv4/conf/{name}/rp_filter"), "0".to_owned()));
        settings.push((format!("net/ipv4/conf/{name}/send_redirects"), "0".to_owned()));
        settings.push((format!("net/ipv4/conf/{name}/ignore_routes_with_linkdown"), "1".to_owned()));
    }
    settings
}
