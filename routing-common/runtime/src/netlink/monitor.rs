//! What interfaces and addresses there are, told as [`LinkEvent`]s without gaps.
//!
//! The monitor keeps its own table of what it has told. Events and dumps both only change that table,
//! and what is told is the difference: refreshing an address's lifetime, a counter or a flag nobody asked
//! for tells nothing, and after an overrun a new dump tells exactly what was missed. A change that was
//! queued just before a dump may be told after it, so a state may be told twice in passing; the last one
//! told is always the kernel's.
//!
//! A task of its own does the reading. When the engine does not keep up, the task waits, the kernel's
//! queue overflows, and the engine gets the state of a later dump instead of every step to it.

use super::address::{self, AddressMessage};
use super::link::{self, LinkMessage};
use super::message::Received;
use super::socket::{EventSocket, NetlinkError, RequestSocket};
use crate::sys;
use ipnetwork::Ipv4Network;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use routing_common::id::IfIndex;
use routing_common::link::{Address, Link, LinkEvent};
use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

const RTNLGRP_LINK: u32 = 1;
const RTNLGRP_IPV4_IFADDR: u32 = 5;
/// Events told ahead of the engine.
const AHEAD: usize = 256;
/// Between attempts when a dump fails.
const RETRY: Duration = Duration::from_millis(100);

/// A source of [`LinkEvent`]s.
#[derive(Debug)]
pub struct LinkMonitor {
    events: mpsc::Receiver<LinkEvent>,
    task: AbortHandle,
}

impl LinkMonitor {
    /// Starts to watch the calling thread's network namespace. All that exists is told first, closed by
    /// [`LinkEvent::SnapshotComplete`]. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When a socket cannot be opened.
    pub fn start() -> io::Result<Self> {
        // Events are subscribed to before the first dump, so that none falls between.
        let listening = EventSocket::open(&[RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR])?;
        let asking = RequestSocket::open()?;
        let speeds = Speeds::open()?;
        let (told, events) = mpsc::channel(AHEAD);
        let task = tokio::spawn(watch(listening, asking, speeds, told)).abort_handle();
        Ok(Self { events, task })
    }

    /// The next event. Cancel safe.
    pub async fn next(&mut self) -> LinkEvent {
        match self.events.recv().await {
            Some(event) => event,
            // The task is gone, which happens only while the runtime shuts down.
            None => std::future::pending().await,
        }
    }

    /// The next event if one is waiting.
    pub fn try_next(&mut self) -> Option<LinkEvent> {
        self.events.try_recv().ok()
    }
}

impl Drop for LinkMonitor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Runs until nobody listens.
async fn watch(
    mut listening: EventSocket,
    mut asking: RequestSocket,
    speeds: Speeds,
    told: mpsc::Sender<LinkEvent>,
) {
    let mut table = Table::default();
    let mut complete = false;
    let mut news = Vec::new();
    loop {
        if complete {
            match listening.receive().await {
                Ok(messages) => messages.for_each(|m| table.apply(&m, &speeds, &mut news)),
                Err(error) => {
                    tracing::warn!(%error, "interfaces are read anew");
                    complete = false;
                    listening.discard_queued();
                }
            }
        } else {
            match snapshot(&mut asking, &speeds).await {
                Ok(current) => {
                    table.become_(current, &mut news);
                    news.push(LinkEvent::SnapshotComplete);
                    complete = true;
                }
                Err(error) => {
                    if !matches!(error, NetlinkError::Interrupted) {
                        tracing::error!(%error, "interfaces cannot be read");
                    }
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        for event in news.drain(..) {
            if told.send(event).await.is_err() {
                return;
            }
        }
    }
}

async fn snapshot(asking: &mut RequestSocket, speeds: &Speeds) -> Result<Table, NetlinkError> {
    let mut table = Table::default();
    let mut untold = Vec::new();
    asking.dump(&link::dump(), |m| table.apply(&m, speeds, &mut untold)).await?;
    asking.dump(&address::dump(), |m| table.apply(&m, speeds, &mut untold)).await?;
    Ok(table)
}

/// Asks drivers for what netlink does not tell.
#[derive(Debug)]
struct Speeds(OwnedFd);

impl Speeds {
    /// A socket never bound: nothing can arrive at it.
    fn open() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        Ok(Self(socket(AddressFamily::Inet, SockType::Datagram, flags, None)?))
    }

    /// The speed to note in `link`. A driver is asked only when the carrier has come: it takes the lock all
    /// network configuration goes through, and while the carrier stays the speed does.
    fn of(&self, link: &Link, before: Option<&Link>) -> Option<u32> {
        if !link.running || link.loopback {
            return None;
        }
        match before {
            Some(before) if before.running => before.speed_mbps,
            _ => sys::link_speed(self.0.as_fd(), &link.name),
        }
    }
}

/// What has been told.
#[derive(Debug, Default)]
struct Table {
    links: BTreeMap<IfIndex, Link>,
    addresses: BTreeMap<AddressKey, Address>,
}

/// What the kernel tells two addresses apart by.
type AddressKey = (IfIndex, Ipv4Network, Option<Ipv4Addr>);

fn key(a: &Address) -> AddressKey {
    (a.ifindex, a.network, a.peer)
}

impl Table {
    /// Takes one message; what it changed goes to `news`.
    fn apply(&mut self, m: &Received<'_>, speeds: &Speeds, news: &mut Vec<LinkEvent>) {
        match link::parse(m) {
            Some(LinkMessage::Present(mut link)) => {
                link.speed_mbps = speeds.of(&link, self.links.get(&link.ifindex));
                return self.set_link(link, news);
            }
            Some(LinkMessage::Gone(ifindex)) => return self.remove_link(ifindex, news),
            None => {}
        }
        match address::parse(m) {
            Some(AddressMessage::Present(address)) => self.set_address(address, news),
            Some(AddressMessage::Gone(address)) => self.remove_address(&key(&address), news),
            None => {}
        }
    }

    /// Takes over a whole new state, telling the differences: what went first, then what is.
    fn become_(&mut self, new: Self, news: &mut Vec<LinkEvent>) {
        let gone: Vec<_> =
            self.addresses.keys().filter(|k| !new.addresses.contains_key(k)).copied().collect();
        gone.iter().for_each(|k| self.remove_address(k, news));
        let gone: Vec<_> = self.links.keys().filter(|k| !new.links.contains_key(k)).copied().collect();
        gone.iter().for_each(|&k| self.remove_link(k, news));
        new.links.into_values().for_each(|link| self.set_link(link, news));
        new.addresses.into_values().for_each(|address| self.set_address(address, news));
    }

    fn set_link(&mut self, link: Link, news: &mut Vec<LinkEvent>) {
        if self.links.get(&link.ifindex) != Some(&link) {
            self.links.insert(link.ifindex, link.clone());
            news.push(LinkEvent::LinkChanged(link));
        }
    }

    fn remove_link(&mut self, ifindex: IfIndex, news: &mut Vec<LinkEvent>) {
        let gone: Vec<_> = self.addresses.keys().filter(|k| k.0 == ifindex).copied().collect();
        gone.iter().for_each(|k| self.remove_address(k, news));
        if self.links.remove(&ifindex).is_some() {
            news.push(LinkEvent::LinkRemoved(ifindex));
        }
    }

    fn set_address(&mut self, address: Address, news: &mut Vec<LinkEvent>) {
        // An address of a link not known (any more) is a remnant queued before the link's end.
        let known = self.links.contains_key(&address.ifindex);
        if known && self.addresses.get(&key(&address)) != Some(&address) {
            self.addresses.insert(key(&address), address.clone());
            news.push(LinkEvent::AddressAdded(address));
        }
    }

    fn remove_address(&mut self, key: &AddressKey, news: &mut Vec<LinkEvent>) {
        if let Some(address) = self.addresses.remove(key) {
            news.push(LinkEvent::AddressRemoved(address));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(i: u32, up: bool) -> Link {
        Link { admin_up: up, running: up, ..Link::ethernet(IfIndex(i), format!("eth{i}").parse().unwrap()) }
    }

    fn on(i: u32, network: &str) -> Address {
        Address::new(IfIndex(i), network.parse().unwrap())
    }

    fn table(links: &[Link], addresses: &[Address]) -> Table {
        let mut t = Table::default();
        let mut news = Vec::new();
        links.iter().for_each(|l| t.set_link(l.clone(), &mut news));
        addresses.iter().for_each(|a| t.set_address(a.clone(), &mut news));
        t
    }

    #[test]
    fn a_new_snapshot_tells_the_differences_alone() {
        let mut t = table(&[link(1, true), link(2, true)], &[on(1, "10.0.0.1/24"), on(2, "10.0.1.1/24")]);
        let mut news = Vec::new();
        t.become_(
            table(&[link(1, false), link(3, true)], &[on(1, "10.0.0.1/24"), on(3, "10.0.3.1/24")]),
            &mut news,
        );
        let told = vec![
            LinkEvent::AddressRemoved(on(2, "10.0.1.1/24")),
            LinkEvent::LinkRemoved(IfIndex(2)),
            LinkEvent::LinkChanged(link(1, false)),
            LinkEvent::LinkChanged(link(3, true)),
            LinkEvent::AddressAdded(on(3, "10.0.3.1/24")),
        ];
        assert_eq!(news, told);
    }

    #[test]
    fn repetitions_tell_nothing_and_a_link_takes_its_addresses_along() {
        let mut t = table(&[link(1, true)], &[on(1, "10.0.0.1/24")]);
        let mut news = Vec::new();
        t.set_link(link(1, true), &mut news);
        t.set_address(on(1, "10.0.0.1/24"), &mut news);
        t.set_address(on(9, "10.9.0.1/24"), &mut news);
        assert!(news.is_empty());
        t.remove_link(IfIndex(1), &mut news);
        assert_eq!(
            news,
            [LinkEvent::AddressRemoved(on(1, "10.0.0.1/24")), LinkEvent::LinkRemoved(IfIndex(1))]
        );
    }
}
