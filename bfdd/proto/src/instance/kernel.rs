//! The interfaces and addresses there are, as far as sessions need them.

use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::{Address, LinkEvent, VRRP_ADDRESS_PROTOCOL};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// What there is to know of a link.
#[derive(Debug, Clone)]
struct KnownLink {
    name: InterfaceName,
    point_to_point: bool,
    running: bool,
}

/// See the module text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kernel {
    links: BTreeMap<IfIndex, KnownLink>,
    addresses: BTreeSet<Address>,
}

impl Kernel {
    pub(crate) fn apply(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::LinkChanged(link) => {
                let known =
                    KnownLink { name: link.name, point_to_point: link.point_to_point, running: link.running };
                self.links.insert(link.ifindex, known);
            }
            LinkEvent::LinkRemoved(ifindex) => {
                self.links.remove(&ifindex);
                self.addresses.retain(|a| a.ifindex != ifindex);
            }
            LinkEvent::AddressAdded(address) => {
                // Flags of an address that is there already may have changed.
                let same = |a: &Address| {
                    (a.ifindex, a.network, a.peer) == (address.ifindex, address.network, address.peer)
                };
                self.addresses.retain(|a| !same(a));
                self.addresses.insert(address);
            }
            LinkEvent::AddressRemoved(address) => {
                let same = |a: &Address| {
                    (a.ifindex, a.network, a.peer) == (address.ifindex, address.network, address.peer)
                };
                self.addresses.retain(|a| !same(a));
            }
            LinkEvent::SnapshotComplete => {}
        }
    }

    pub(crate) fn name(&self, ifindex: IfIndex) -> Option<&InterfaceName> {
        self.links.get(&ifindex).map(|l| &l.name)
    }

    pub(crate) fn index(&self, name: &InterfaceName) -> Option<IfIndex> {
        self.links.iter().find(|(_, l)| l.name == *name).map(|(i, _)| *i)
    }

    /// May packets leave there? One that leaves without carrier is not only lost: it makes the kernel ask for the
    /// neighbour's address in vain, and what comes after it waits for the answer, a second long, when the carrier
    /// has long been back.
    pub(crate) fn is_running(&self, ifindex: Option<IfIndex>) -> bool {
        ifindex.and_then(|i| self.links.get(&i)).is_none_or(|l| l.running)
    }

    /// Is there nobody but one neighbour on it, as the kernel sees it?
    pub(crate) fn is_point_to_point(&self, ifindex: IfIndex) -> bool {
        self.links.get(&ifindex).is_some_and(|l| l.point_to_point)
    }

    /// Addresses that stay: a virtual router's may be somebody else's in a moment.
    fn own(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(|a| a.protocol != VRRP_ADDRESS_PROTOCOL)
    }

    /// Does `a` say that `peer` is on its link?
    fn reaches(a: &Address, peer: Ipv4Addr) -> bool {
        match a.peer {
            Some(other) => {
                other == peer
                    || (a.network.ip() != other && a.network.prefix() < 32 && a.network.contains(peer))
            }
            None => a.network.contains(peer) && a.network.ip() != peer,
        }
    }

    /// The interface with the longest subnet around `peer`.
    pub(crate) fn towards(&self, peer: Ipv4Addr) -> Option<IfIndex> {
        self.own().filter(|a| Self::reaches(a, peer)).max_by_key(|a| a.network.prefix()).map(|a| a.ifindex)
    }

    /// The address to speak to `peer` from (RFC 5881 §6: of the common subnet), else any of the interface.
    pub(crate) fn source(&self, ifindex: IfIndex, peer: Ipv4Addr) -> Option<Ipv4Addr> {
        let on = || self.own().filter(|a| a.ifindex == ifindex);
        let best = on().filter(|a| Self::reaches(a, peer)).min_by_key(|a| a.secondary);
        best.or_else(|| on().min_by_key(|a| a.secondary)).map(|a| a.network.ip())
    }
}
