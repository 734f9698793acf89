//! The raw sockets of the interfaces OSPF runs on, as the engine asks for them.
//!
//! What the engine asked for is remembered and attempted again once a second when the kernel refuses: an
//! interface may be gone for a moment, or descriptors used up. Until then the port counts its losses.

use routing_common::id::{IfIndex, InterfaceName};
use routing_common::notice::Notice;
use routing_common::time::{Duration, Instant};
use routing_runtime::raw_socket::{Datagram, RawSocket};
use routing_runtime::ready_set::ReadySet;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::Ipv4Addr;

/// OSPF's IP protocol number (RFC 2328 §4.3).
const PROTOCOL: u8 = 89;
/// OSPF packets travel one hop (RFC 2328 App. A.1).
const TTL: u8 = 1;
/// Between attempts to give an interface what the kernel refused.
const RETRY: Duration = Duration::from_secs(1);

/// All ports.
#[derive(Debug)]
pub(crate) struct Ports {
    ports: BTreeMap<IfIndex, Port>,
    /// The sockets of all ports.
    ready: ReadySet,
    /// When the next attempt is due; `None` while every port has what it needs.
    retry: Option<Instant>,
}

#[derive(Debug)]
struct Port {
    name: InterfaceName,
    groups: BTreeSet<Ipv4Addr>,
    /// `None` until it could be opened.
    socket: Option<RawSocket>,
    /// Does the socket lack a membership it should have?
    incomplete: bool,
    /// Datagrams that could not be sent.
    lost: u64,
}

impl Ports {
    /// None yet.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { ports: BTreeMap::new(), ready: ReadySet::new()?, retry: None })
    }

    /// OSPF starts on an interface.
    pub(crate) fn open(&mut self, now: Instant, ifindex: IfIndex, name: InterfaceName) -> Option<Notice> {
        let port = Port { name, groups: BTreeSet::new(), socket: None, incomplete: true, lost: 0 };
        self.ports.insert(ifindex, port);
        self.complete(now, ifindex)
    }

    /// OSPF ends on an interface; memberships end with the socket.
    pub(crate) fn close(&mut self, ifindex: IfIndex) {
        self.ports.remove(&ifindex);
    }

    /// Membership of a group.
    pub(crate) fn join(&mut self, now: Instant, ifindex: IfIndex, group: Ipv4Addr) -> Option<Notice> {
        let port = self.ports.get_mut(&ifindex)?;
        port.groups.insert(group);
        port.incomplete = true;
        self.complete(now, ifindex)
    }

    /// The end of a membership.
    pub(crate) fn leave(&mut self, ifindex: IfIndex, group: Ipv4Addr) -> Option<Notice> {
        let port = self.ports.get_mut(&ifindex)?;
        port.groups.remove(&group);
        let error = port.socket.as_ref()?.leave(group).err()?;
        // Harmless: the engine ignores what is addressed to a group it is not in.
        Some(Notice::warning("group-not-left", format!("{}: leaving {group}: {error}", port.name)))
    }

    /// Sends a datagram. One that cannot be sent is lost: OSPF retransmits what matters.
    pub(crate) fn send(
        &mut self,
        ifindex: IfIndex,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        payload: &[u8],
    ) -> Option<Notice> {
        let port = self.ports.get_mut(&ifindex)?;
        let sent = match &port.socket {
            Some(socket) => socket.send(source, destination, payload),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        let error = sent.err()?;
        port.lost += 1;
        let (name, octets, lost) = (&port.name, payload.len(), port.lost);
        let text = format!(
            "{name}: {octets} octets from {source} to {destination} not sent: {error} ({lost} lost so far)"
        );
        Some(Notice::warning("not-sent", text))
    }

    /// When [`Ports::retry`] is wanted.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.retry
    }

    /// Attempts again what the kernel refused.
    pub(crate) fn retry(&mut self, now: Instant) -> Vec<Notice> {
        if self.retry.is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.retry = None;
        let incomplete: Vec<_> = self.ports.iter().filter(|(_, p)| p.incomplete).map(|(i, _)| *i).collect();
        incomplete.into_iter().filter_map(|ifindex| self.complete(now, ifindex)).collect()
    }

    /// Waits until some interfaces have datagrams, and names them. Cancel safe.
    pub(crate) async fn next_ready(&self) -> Vec<IfIndex> {
        self.ready.next().await
    }

    /// The interfaces that have datagrams now.
    pub(crate) fn ready(&self) -> Vec<IfIndex> {
        self.ready.ready()
    }

    /// The next datagram queued on an interface.
    pub(crate) fn receive(&mut self, ifindex: IfIndex) -> Result<Option<Datagram<'_>>, Notice> {
        let Some(port) = self.ports.get_mut(&ifindex) else { return Ok(None) };
        let Some(socket) = &mut port.socket else { return Ok(None) };
        let name = &port.name;
        socket.try_recv().map_err(|e| Notice::warning("not-received", format!("{name}: receiving: {e}")))
    }

    /// Gives a port what it lacks; on failure arranges another attempt and says so.
    fn complete(&mut self, now: Instant, ifindex: IfIndex) -> Option<Notice> {
        let port = self.ports.get_mut(&ifindex)?;
        match port.complete(ifindex, &self.ready) {
            Ok(()) => {
                port.incomplete = false;
                None
            }
            Err(error) => {
                self.retry.get_or_insert(now + RETRY);
                Some(Notice::error("socket", format!("{}: {error}; trying again", port.name)))
            }
        }
    }
}

impl Port {
    fn complete(&mut self, ifindex: IfIndex, ready: &ReadySet) -> io::Result<()> {
        let socket = match &self.socket {
            Some(socket) => socket,
            None => {
                let socket = RawSocket::open(ifindex, PROTOCOL, TTL)?;
                ready.add(ifindex, &socket)?;
                self.socket.insert(socket)
            }
        };
        self.groups.iter().try_for_each(|&group| socket.join(group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: IfIndex = IfIndex(2_000_000_000);

    #[tokio::test]
    async fn what_the_kernel_refuses_is_attempted_again_until_the_engine_gives_up() {
        let mut ports = Ports::new().unwrap();
        let t = Instant::from_secs(5);
        ports.open(t, NOWHERE, "gone0".parse().unwrap());
        assert!(ports.join(t, NOWHERE, Ipv4Addr::new(224, 0, 0, 5)).is_some());
        assert_eq!(ports.retry_at(), Some(t + RETRY));
        let lost = ports.send(NOWHERE, Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, b"x").unwrap();
        assert!(lost.text.contains("1 lost"), "{}", lost.text);
        assert!(matches!(ports.receive(NOWHERE), Ok(None)));
        assert!(ports.retry(t).is_empty(), "not due");
        assert_eq!(ports.retry(t + RETRY).len(), 1);
        assert_eq!(ports.retry_at(), Some(t + RETRY + RETRY));
        ports.close(NOWHERE);
        assert!(ports.retry(t + RETRY + RETRY).is_empty());
        assert_eq!(ports.retry_at(), None);
        assert!(ports.send(NOWHERE, Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, b"x").is_none());
    }
}
