//! Interfaces and addresses as the kernel reported them, and the questions routing asks about them.
//!
//! Owned by [`crate::Rib`], fed by [`LinkEvent`]s only. Two notions of "subnet of an interface" are kept
//! apart: what the *kernel* can reach without help ([`Links::covers`], decides the on-link flag of a
//! next hop) and what the operator *means* to be attached ([`Links::home_of`], decides where a static
//! gateway may be looked for).

use ipnetwork::Ipv4Network;
use routing_common::config::Config;
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::{Address, Link, LinkEvent, VRRP_ADDRESS_PROTOCOL};
use routing_common::prefix;
use routing_common::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Where a gateway inside a locally configured subnet lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// In no local subnet.
    Nowhere,
    /// The address is one of this router's own.
    Own,
    /// On this running interface.
    Running(IfIndex),
    /// Only on interfaces that do not run, do not exist or have lost their address now; one of them by name.
    Dark(InterfaceName),
}

/// The kernel's interfaces and addresses.
#[derive(Debug, Clone, Default)]
pub struct Links {
    links: BTreeMap<IfIndex, Link>,
    names: BTreeMap<InterfaceName, IfIndex>,
    addresses: BTreeSet<Address>,
    /// Subnets the configuration puts on interfaces, by interface: they count as local even while the
    /// interface is missing.
    configured: BTreeMap<InterfaceName, Vec<Ipv4Network>>,
}

/// What one [`LinkEvent`] changed, in terms of routing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkChange {
    /// The interface the event was about.
    pub ifindex: Option<IfIndex>,
    /// It was running before and is not (or is gone) now: the kernel dropped its next-hop objects.
    pub stopped: bool,
    /// It was there and not running before and is running now.
    pub started: bool,
    /// Anything a next hop over this interface depends on changed.
    pub next_hops: bool,
    /// Its last address went.
    pub addressless: bool,
}

/// How often an interface began and ceased to run, since this daemon knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkCounts {
    /// Began.
    pub ups: u64,
    /// The last time.
    pub last_up: Option<Instant>,
    /// Ceased.
    pub downs: u64,
    /// The last time.
    pub last_down: Option<Instant>,
}

impl LinkCounts {
    /// Takes in what an event changed.
    pub(crate) fn count(&mut self, now: Instant, change: &LinkChange) {
        if change.started {
            self.ups += 1;
            self.last_up = Some(now);
        }
        if change.stopped {
            self.downs += 1;
            self.last_down = Some(now);
        }
    }
}

impl Links {
    /// Takes in one event.
    pub fn apply(&mut self, event: LinkEvent) -> LinkChange {
        match event {
            LinkEvent::LinkChanged(link) => self.link_changed(link),
            LinkEvent::LinkRemoved(ifindex) => self.link_removed(ifindex),
            LinkEvent::AddressAdded(address) => {
                let (ifindex, next_hops) = (Some(address.ifindex), address.protocol != VRRP_ADDRESS_PROTOCOL);
                self.addresses.retain(|a| !same_address(a, &address));
                self.addresses.insert(address);
                LinkChange { ifindex, next_hops, ..LinkChange::default() }
            }
            LinkEvent::AddressRemoved(address) => {
                self.addresses.retain(|a| !same_address(a, &address));
                let next_hops = address.protocol != VRRP_ADDRESS_PROTOCOL;
                let addressless = self.addresses_of(address.ifindex).next().is_none();
                let ifindex = Some(address.ifindex);
                LinkChange { ifindex, next_hops, addressless, ..LinkChange::default() }
            }
            LinkEvent::SnapshotComplete => LinkChange::default(),
        }
    }

    fn link_changed(&mut self, link: Link) -> LinkChange {
        let ifindex = link.ifindex;
        let before = self.links.get(&ifindex);
        let was_running = before.is_some_and(|l| l.running);
        let change = LinkChange {
            ifindex: Some(ifindex),
            stopped: was_running && !link.running,
            started: before.is_some_and(|l| !l.running && link.running),
            next_hops: before.is_none_or(|l| l.running != link.running || l.name != link.name),
            addressless: false,
        };
        // After lost events another interface may bear the old name by now.
        if let Some(old_name) = before.map(|l| l.name.clone())
            && self.names.get(&old_name) == Some(&ifindex)
        {
            self.names.remove(&old_name);
        }
        self.names.insert(link.name.clone(), ifindex);
        self.links.insert(ifindex, link);
        change
    }

    fn link_removed(&mut self, ifindex: IfIndex) -> LinkChange {
        self.addresses.retain(|a| a.ifindex != ifindex);
        let Some(old) = self.links.remove(&ifindex) else { return LinkChange::default() };
        if self.names.get(&old.name) == Some(&ifindex) {
            self.names.remove(&old.name);
        }
        LinkChange { ifindex: Some(ifindex), stopped: old.running, next_hops: true, ..LinkChange::default() }
    }

    /// Takes over which subnets the configuration puts where.
    pub fn configure(&mut self, config: &Config) {
        self.configured = config.interfaces.iter().map(|(n, i)| (n.clone(), i.addresses.clone())).collect();
    }

    /// The link with this index.
    pub fn get(&self, ifindex: IfIndex) -> Option<&Link> {
        self.links.get(&ifindex)
    }

    /// The link with this name.
    pub fn by_name(&self, name: &InterfaceName) -> Option<&Link> {
        self.names.get(name).and_then(|i| self.links.get(i))
    }

    /// All links in index order.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// All addresses in order.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter()
    }

    /// The addresses on one interface.
    pub fn addresses_of(&self, ifindex: IfIndex) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(move |a| a.ifindex == ifindex)
    }

    /// Is this interface there and running?
    pub fn is_running(&self, ifindex: IfIndex) -> bool {
        self.get(ifindex).is_some_and(|l| l.running)
    }

    /// Its name, or its index as text when it is gone.
    pub fn name_of(&self, ifindex: IfIndex) -> String {
        self.get(ifindex).map_or_else(|| format!("ifindex{ifindex}"), |l| l.name.to_string())
    }

    /// Does the kernel have a connected route on this interface that covers `gateway`? Virtual addresses
    /// do not count, so that their coming and going touches no next hop.
    pub fn covers(&self, ifindex: IfIndex, gateway: Ipv4Addr) -> bool {
        self.addresses_of(ifindex)
            .any(|a| (is_attachment(a) || is_host_address(a)) && subnet(a).contains(gateway))
    }

    /// Where a static gateway lives by the on-link rule: inside a subnet that is configured on an
    /// interface of this router, running or not, it lives there and nowhere else. The longest subnet
    /// wins; between equal ones a running interface.
    pub fn home_of(&self, gateway: Ipv4Addr) -> Home {
        if self.addresses.iter().any(|a| a.network.ip() == gateway) {
            return Home::Own;
        }
        let mut best: Option<(u8, Home)> = None;
        let mut offer = |length: u8, home: Home| {
            let better = match &best {
                None => true,
                Some((l, old)) => {
                    length > *l || (length == *l && matches!((old, &home), (Home::Dark(_), Home::Running(_))))
                }
            };
            if better {
                best = Some((length, home));
            }
        };
        for a in self.addresses.iter().filter(|a| is_attachment(a)) {
            let net = subnet(a);
            if let (true, Some(link)) = (net.contains(gateway), self.get(a.ifindex)) {
                let home =
                    if link.running { Home::Running(link.ifindex) } else { Home::Dark(link.name.clone()) };
                offer(net.prefix(), home);
            }
        }
        for (name, networks) in &self.configured {
            for net in networks.iter().filter(|n| n.prefix() < 32 && n.contains(gateway)) {
                offer(net.prefix(), Home::Dark(name.clone()));
            }
        }
        best.map_or(Home::Nowhere, |(_, home)| home)
    }

    /// The prefixes connected routes stand for, with their interface: subnets of running interfaces
    /// without VRRP's virtual addresses (they move between routers and are not this router's network)
    /// and without 127.0.0.0/8.
    pub fn connected(&self) -> BTreeSet<(Ipv4Network, IfIndex)> {
        self.addresses
            .iter()
            .filter(|a| is_attachment(a) || is_host_address(a))
            .filter(|a| self.is_running(a.ifindex) && !a.network.ip().is_loopback())
            .map(|a| (subnet(a), a.ifindex))
            .collect()
    }
}

/// The subnet an address puts its interface in: the peer's, where there is one.
pub fn subnet(a: &Address) -> Ipv4Network {
    a.peer.map_or_else(|| prefix::canonical(a.network), |peer| prefix::of(peer, a.network.prefix()))
}

/// Does this address attach its interface to a network (rather than being a host or virtual address)?
fn is_attachment(a: &Address) -> bool {
    a.protocol != VRRP_ADDRESS_PROTOCOL && !a.no_prefix_route && (a.network.prefix() < 32 || a.peer.is_some())
}

/// A /32 of our own, as loopbacks have.
fn is_host_address(a: &Address) -> bool {
    a.protocol != VRRP_ADDRESS_PROTOCOL && !a.no_prefix_route && a.network.prefix() == 32
}

fn same_address(a: &Address, b: &Address) -> bool {
    a.ifindex == b.ifindex && a.network == b.network && a.peer == b.peer
}
