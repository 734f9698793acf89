//! A mirror of the kernel's interfaces and addresses, and the list of changes asked for.
//!
//! The engine never remembers what it did to the kernel; it compares what it wants with this mirror. A thief
//! who removes a virtual address, a device somebody set down and a request the kernel refused are then the
//! same case: a difference, asked for at once and again every [`RETRY`] until it is gone.

use ipnetwork::Ipv4Network;
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::{Address, Link, LinkEvent, VRRP_ADDRESS_PROTOCOL};
use routing_common::prefix;
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// How long an unanswered request waits before it is repeated.
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// What the kernel told us.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kernel {
    links: BTreeMap<IfIndex, Link>,
    names: BTreeMap<InterfaceName, IfIndex>,
    addresses: BTreeMap<(IfIndex, Ipv4Network), Address>,
    /// Has the first snapshot been told completely?
    pub(crate) complete: bool,
}

impl Kernel {
    /// Takes a change over.
    pub(crate) fn apply(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::LinkChanged(link) => {
                self.forget_name(link.ifindex);
                self.names.insert(link.name.clone(), link.ifindex);
                self.links.insert(link.ifindex, link);
            }
            LinkEvent::LinkRemoved(ifindex) => {
                self.forget_name(ifindex);
                self.links.remove(&ifindex);
                self.addresses.retain(|(i, _), _| *i != ifindex);
            }
            LinkEvent::AddressAdded(a) => {
                self.addresses.insert((a.ifindex, a.network), a);
            }
            LinkEvent::AddressRemoved(a) => {
                self.addresses.remove(&(a.ifindex, a.network));
            }
            LinkEvent::SnapshotComplete => self.complete = true,
        }
    }

    /// Renames and re-creations: a name may already belong to the next link.
    fn forget_name(&mut self, ifindex: IfIndex) {
        if let Some(old) = self.links.get(&ifindex)
            && self.names.get(&old.name) == Some(&ifindex)
        {
            self.names.remove(&old.name);
        }
    }

    /// The link of this name.
    pub(crate) fn named(&self, name: &InterfaceName) -> Option<&Link> {
        self.links.get(self.names.get(name)?)
    }

    /// Does this link exist, and is it administratively up?
    pub(crate) fn is_admin_up(&self, ifindex: IfIndex) -> Option<bool> {
        self.links.get(&ifindex).map(|l| l.admin_up)
    }

    /// All links.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// Is this address on this interface?
    pub(crate) fn has(&self, ifindex: IfIndex, address: Ipv4Network) -> bool {
        self.addresses.contains_key(&(ifindex, address))
    }

    /// All addresses that carry our mark.
    pub(crate) fn tagged(&self) -> impl Iterator<Item = &Address> {
        self.addresses.values().filter(|a| a.protocol == VRRP_ADDRESS_PROTOCOL)
    }

    /// Is `address` on `ifindex` and marked as ours?
    pub(crate) fn is_tagged(&self, ifindex: IfIndex, address: Ipv4Network) -> bool {
        self.addresses.get(&(ifindex, address)).is_some_and(|a| a.protocol == VRRP_ADDRESS_PROTOCOL)
    }

    /// The address to send from (RFC 9568 §5.1.1.1): one of the interface's own, if possible of the subnet
    /// the virtual address is in, if possible not a secondary one, and the lowest of those. Virtual
    /// addresses are no candidates unless the router owns them.
    pub(crate) fn primary(
        &self,
        ifindex: IfIndex,
        virtuals: &[Ipv4Network],
        owner: bool,
    ) -> Option<Ipv4Addr> {
        self.of(ifindex)
            .filter(|a| a.protocol != VRRP_ADDRESS_PROTOCOL)
            .filter(|a| owner || virtuals.iter().all(|v| v.ip() != a.network.ip()))
            .min_by_key(|a| {
                let near = virtuals.iter().any(|v| a.network.contains(v.ip()));
                (!near, a.secondary, a.network.ip().to_bits())
            })
            .map(|a| a.network.ip())
    }

    /// Is `address` one of the interface's own, not put there by us?
    pub(crate) fn owns(&self, ifindex: IfIndex, address: Ipv4Addr) -> bool {
        self.of(ifindex).any(|a| a.protocol != VRRP_ADDRESS_PROTOCOL && a.network.ip() == address)
    }

    fn of(&self, ifindex: IfIndex) -> impl Iterator<Item = &Address> {
        let from = (ifindex, prefix::default_route());
        self.addresses.range(from..).take_while(move |((i, _), _)| *i == ifindex).map(|(_, a)| a)
    }

    /// Is `address` in a subnet of the interface?
    pub(crate) fn is_on_link(&self, ifindex: IfIndex, address: Ipv4Addr) -> bool {
        self.of(ifindex).any(|a| a.network.contains(address))
    }
}

/// A difference between what is wanted and what is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wish {
    Create(InterfaceName),
    Remove(IfIndex),
    Set(IfIndex, bool),
    Install(IfIndex, Ipv4Network),
    Uninstall(IfIndex, Ipv4Network),
}

/// Differences asked for and not yet seen gone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes {
    asked: BTreeMap<Wish, Instant>,
    seen: BTreeSet<Wish>,
}

impl Wishes {
    /// Notes a difference; says whether to ask the kernel (again) now.
    pub(crate) fn ask(&mut self, now: Instant, wish: Wish) -> bool {
        self.seen.insert(wish.clone());
        match self.asked.get(&wish) {
            Some(asked) if now.since(*asked) < RETRY => false,
            _ => {
                self.asked.insert(wish, now);
                true
            }
        }
    }

    /// Ends a complete comparison: what was not noted in it is no longer a difference. Answers when to
    /// compare again if the kernel stays silent.
    pub(crate) fn end_round(&mut self) -> Option<Instant> {
        let seen = std::mem::take(&mut self.seen);
        self.asked.retain(|wish, _| seen.contains(wish));
        self.asked.values().min().map(|asked| *asked + RETRY)
    }
}
