//! What the kernel told, and making the interfaces follow it.
//!
//! [`Instance::refresh_interface`] is the only place that creates, restarts and removes interfaces. It
//! compares what should be (configuration and kernel) with what is, so the order in which links, addresses
//! and configurations come does not matter, and repeating it is harmless. Nothing comes up before the
//! kernel's first snapshot is complete, lest an interface start with an address that is not its own.

use super::{Event, Instance, Trigger};
use crate::interface::{
    Interface, InterfaceEvent, InterfaceState, NetworkKind, choose_addresses, cost_of, kind_of, mtu_of,
};
use ipnetwork::Ipv4Network;
use routing_common::config::{OspfAuthentication, OspfInterfaceConfig};
use routing_common::id::IfIndex;
use routing_common::link::{Address, Link, LinkEvent};
use routing_common::time::Instant;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// A kernel interface with its addresses in the order they were told.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownLink {
    pub(crate) link: Option<Link>,
    pub(crate) addresses: Vec<Address>,
}

/// What an interface should be.
#[derive(Debug, Clone)]
struct Wanted {
    config: OspfInterfaceConfig,
    link: Link,
    kind: NetworkKind,
    address: Option<Ipv4Network>,
    stub_networks: Vec<Ipv4Network>,
    cost: u16,
    is_up: bool,
}

impl Instance {
    pub(super) fn link_event(&mut self, now: Instant, event: LinkEvent) {
        let ifindex = match event {
            LinkEvent::LinkChanged(link) => {
                let ifindex = link.ifindex;
                self.links.entry(ifindex).or_default().link = Some(link);
                ifindex
            }
            LinkEvent::LinkRemoved(ifindex) => {
                self.links.remove(&ifindex);
                ifindex
            }
            LinkEvent::AddressAdded(address) => {
                let ifindex = address.ifindex;
                let known = &mut self.links.entry(ifindex).or_default().addresses;
                match known.iter_mut().find(|a| a.network == address.network) {
                    Some(present) => *present = address,
                    None => known.push(address),
                }
                ifindex
            }
            LinkEvent::AddressRemoved(address) => {
                if let Some(known) = self.links.get_mut(&address.ifindex) {
                    known.addresses.retain(|a| a.network != address.network);
                }
                address.ifindex
            }
            LinkEvent::SnapshotComplete => {
                let is_first = !std::mem::replace(&mut self.links_known, true);
                if is_first && !self.restart.holds_interfaces() {
                    self.begin_startup(now);
                }
                self.refresh_interfaces(now);
                if is_first {
                    self.expect_end_sync(now);
                }
                self.begin_restart_if_ready(now);
                return;
            }
        };
        self.refresh_interface(now, ifindex);
    }

    /// Makes all interfaces what they should be.
    pub(crate) fn refresh_interfaces(&mut self, now: Instant) {
        let all: BTreeSet<IfIndex> = self.links.keys().chain(self.interfaces.keys()).copied().collect();
        for ifindex in all {
            self.refresh_interface(now, ifindex);
        }
    }

    /// Makes one interface what it should be.
    pub(super) fn refresh_interface(&mut self, now: Instant, ifindex: IfIndex) {
        if !self.links_known || self.shutting_down || self.restart.holds_interfaces() {
            return;
        }
        self.bfd.is_dirty = true;
        let Some(wanted) = self.wanted_interface(ifindex) else {
            self.remove_interface(now, ifindex);
            return;
        };
        self.interfaces
            .entry(ifindex)
            .or_insert_with(|| Interface::new(&wanted.link, wanted.config.clone(), now));
        self.areas.entry(wanted.config.area).or_default();
        let Some(interface) = self.interfaces.get(&ifindex) else { return };
        let must_stop = !wanted.is_up || needs_restart(interface, &wanted);
        if must_stop && interface.state != InterfaceState::Down {
            self.interface_event(now, ifindex, InterfaceEvent::InterfaceDown);
        }
        self.apply_in_place(now, ifindex, &wanted);
        self.remove_unused_areas();
        let is_down = self.interfaces.get(&ifindex).is_some_and(|i| i.state == InterfaceState::Down);
        if wanted.is_up && is_down {
            let event = match wanted.kind {
                NetworkKind::Loopback => InterfaceEvent::LoopInd,
                NetworkKind::Broadcast | NetworkKind::PointToPoint => InterfaceEvent::InterfaceUp,
            };
            self.interface_event(now, ifindex, event);
        }
    }

    /// Should this interface be up?
    pub(crate) fn is_wanted_up(&self, ifindex: IfIndex) -> bool {
        self.wanted_interface(ifindex).is_some_and(|wanted| wanted.is_up)
    }

    /// What this interface should be; `None` if OSPF has no business with it.
    fn wanted_interface(&self, ifindex: IfIndex) -> Option<Wanted> {
        let known = self.links.get(&ifindex)?;
        let link = known.link.as_ref()?;
        let config = self.config.interfaces.get(&link.name)?;
        let configured =
            self.whole_config.interfaces.get(&link.name).map_or(&[][..], |i| i.addresses.as_slice());
        let kind = kind_of(link, config);
        let chosen = choose_addresses(&known.addresses, configured, &self.virtual_addresses(), kind);
        Some(Wanted {
            config: config.clone(),
            link: link.clone(),
            kind,
            cost: cost_of(link, config, self.config.reference_bandwidth),
            is_up: link.admin_up && link.running && chosen.address.is_some(),
            address: chosen.address,
            stub_networks: chosen.stub_networks,
        })
    }

    /// All virtual addresses of VRRP in the configuration.
    pub(crate) fn virtual_addresses(&self) -> BTreeSet<Ipv4Addr> {
        let groups = self.whole_config.vrrp_groups.values();
        groups.flat_map(|g| g.virtual_addresses.iter().map(|a| a.ip())).collect()
    }

    /// Takes over everything that needs no restart, or that a restart just made possible.
    fn apply_in_place(&mut self, now: Instant, ifindex: IfIndex, wanted: &Wanted) {
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return };
        let is_down = interface.state == InterfaceState::Down;
        let advertised = |i: &Interface| (i.cost, i.stub_networks.clone(), i.address);
        let before = advertised(interface);
        let old = std::mem::replace(&mut interface.config, wanted.config.clone());
        interface.name = wanted.link.name.clone();
        interface.kind = wanted.kind;
        interface.mtu = mtu_of(&wanted.link);
        interface.cost = wanted.cost;
        interface.address = wanted.address;
        interface.stub_networks.clone_from(&wanted.stub_networks);
        let advertises_else = before != advertised(interface);
        if is_down {
            return;
        }
        if advertises_else {
            self.schedule(Event::OriginateRouter);
            // A subnet of ours is advertised as such and not as an external as well.
            self.schedule(Event::OriginateExternal);
            self.surroundings_changed(Trigger::Interface(ifindex));
        }
        if old.priority != wanted.config.priority {
            self.schedule(Event::NeighborChange(ifindex));
        }
        let hello = |c: &OspfInterfaceConfig| (c.hello_interval, c.dead_interval, c.priority);
        let is_active = self.interfaces.get(&ifindex).is_some_and(Interface::is_active);
        if hello(&old) != hello(&wanted.config) && is_active {
            self.hello_timer(now, ifindex);
        }
    }

    fn remove_interface(&mut self, now: Instant, ifindex: IfIndex) {
        if !self.interfaces.contains_key(&ifindex) {
            return;
        }
        self.interface_event(now, ifindex, InterfaceEvent::InterfaceDown);
        self.interfaces.remove(&ifindex);
        self.forget_lost_databases();
        self.remove_unused_areas();
    }

    /// An area without interfaces is none of ours.
    pub(super) fn remove_unused_areas(&mut self) {
        let used: BTreeSet<_> = self.interfaces.values().map(Interface::area).collect();
        let before = self.areas.len();
        self.areas.retain(|area, _| used.contains(area));
        if self.areas.len() != before {
            self.forget_lost_databases();
            self.surroundings_changed(Trigger::Configuration);
        }
    }
}

/// Does the difference need the interface to go down and up (the table of effects)?
fn needs_restart(interface: &Interface, wanted: &Wanted) -> bool {
    let c = &interface.config;
    interface.kind != wanted.kind
        || interface.address != wanted.address
        || interface.name != wanted.link.name
        || c.area != wanted.config.area
        || c.passive != wanted.config.passive
        || !keys_alone_differ(&c.authentication, &wanted.config.authentication)
}

/// May the adjacencies stay? If there are other keys, the neighbours get them too, in their own time.
fn keys_alone_differ(old: &OspfAuthentication, new: &OspfAuthentication) -> bool {
    use OspfAuthentication::{KeyChain, Md5};
    old == new || matches!((old, new), (Md5(_) | KeyChain(_), Md5(_) | KeyChain(_)))
}
