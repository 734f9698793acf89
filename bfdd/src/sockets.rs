//! The sockets of all sessions, as the engine asks for them.
//!
//! Receiving: a pair of sockets per interface with sessions, bound to it, so that a flood on a LAN never fills the queue of
//! a ring link; one pair for all multihop sessions. One of a pair gets what may be news, the other the routine of sessions that
//! are Up, which nobody needs to be woken for. Sending: one socket per session, because each has a source port of its own.
//! What the kernel refuses is remembered and attempted again once a second: an address may not be there yet.

use bfd_proto::constants::{FIRST_SOURCE_PORT, PORT_MULTIHOP, PORT_SINGLE_HOP};
use bfd_proto::packet::{ROUTINE, ROUTINE_AT, ROUTINE_MASK};
use routing_common::id::IfIndex;
use routing_common::time::{Duration, Instant};
use routing_runtime::udp::{Routine, UdpDatagram, UdpReceiver, UdpSender};
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd as _, BorrowedFd};

/// Between attempts to give a session what the kernel refused.
const RETRY: Duration = Duration::from_secs(1);
/// So many datagrams of one pair of sockets between two deadlines are a flood. Also the most that are taken from one socket at
/// a time.
pub(crate) const FLOOD: usize = 128;
/// What the kernel sorts out.
const SORT: Routine = Routine { at: ROUTINE_AT, mask: ROUTINE_MASK, value: ROUTINE };

/// Where a session sends to and from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    pub(crate) peer: Ipv4Addr,
    pub(crate) local: Option<Ipv4Addr>,
    pub(crate) interface: Option<IfIndex>,
}

/// What may be read at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What may be news.
    News,
    /// What is routine while sessions are Up.
    Routine,
}

/// Where sessions of one interface, or all multihop ones, are listened for.
#[derive(Debug)]
struct Place {
    interface: Option<IfIndex>,
    /// `None` while the kernel refuses.
    receivers: Option<(UdpReceiver, UdpReceiver)>,
    /// Datagrams since [`Sockets::take_flood`].
    taken: usize,
}

/// See the module text.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    places: Vec<Place>,
    senders: BTreeMap<u32, (Way, Option<UdpSender>)>,
    /// Source ports are given out in turn, so that a session's port is not at once the next one's.
    last_port: u16,
    /// When the next attempt is due; `None` while nothing is missing.
    retry: Option<Instant>,
}

impl Sockets {
    pub(crate) fn listen(&mut self, now: Instant, interface: Option<IfIndex>) -> Option<String> {
        self.stop_listening(interface);
        self.places.push(Place { interface, receivers: None, taken: 0 });
        self.complete_receiver(now, interface)
    }

    pub(crate) fn stop_listening(&mut self, interface: Option<IfIndex>) {
        self.places.retain(|place| place.interface != interface);
    }

    pub(crate) fn open(&mut self, now: Instant, session: u32, way: Way) -> Option<String> {
        // The old port is free again before a new one is looked for.
        self.senders.insert(session, (way, None));
        self.complete_sender(now, session)
    }

    pub(crate) fn close(&mut self, session: u32) {
        self.senders.remove(&session);
    }

    /// Was the packet handed to the kernel?
    pub(crate) fn send(&self, session: u32, packet: &[u8]) -> bool {
        match self.senders.get(&session) {
            Some((_, Some(sender))) => sender.send(packet).is_ok(),
            _ => false,
        }
    }

    /// Descriptors of one kind. [`Sockets::receive`] counts in the same order, until a place comes or goes.
    pub(crate) fn descriptors(&self, kind: Kind) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.places.iter().filter_map(move |place| {
            let (news, routine) = place.receivers.as_ref()?;
            Some(match kind {
                Kind::News => news.as_fd(),
                Kind::Routine => routine.as_fd(),
            })
        })
    }

    /// How many places are listened to.
    pub(crate) fn count(&self) -> usize {
        self.places.iter().filter(|place| place.receivers.is_some()).count()
    }

    /// The next datagram of one place, and whether it is that of multihop sessions. What cannot be read is told by
    /// the interface's own end, or by silence.
    pub(crate) fn receive(&mut self, kind: Kind, place: usize) -> Option<(bool, UdpDatagram<'_>)> {
        let mut open = self.places.iter_mut().filter(|place| place.receivers.is_some());
        let Place { interface, receivers, taken } = open.nth(place)?;
        let (news, routine) = receivers.as_mut()?;
        let receiver = match kind {
            Kind::News => news,
            Kind::Routine => routine,
        };
        let datagram = receiver.try_recv().ok()??;
        *taken += 1;
        Some((interface.is_none(), datagram))
    }

    /// Was there a flood since this was asked last? Then sockets are to be emptied as they fill.
    pub(crate) fn take_flood(&mut self) -> bool {
        let most = self.places.iter_mut().map(|place| core::mem::take(&mut place.taken)).max();
        most.is_some_and(|most| most >= FLOOD)
    }

    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.retry
    }

    /// Attempts again what the kernel refused; returns what it refuses still.
    pub(crate) fn retry(&mut self, now: Instant) -> Option<String> {
        if self.retry.is_none_or(|at| now < at) {
            return None;
        }
        self.retry = None;
        let deaf = self.places.iter().filter(|place| place.receivers.is_none());
        let deaf: Vec<_> = deaf.map(|place| place.interface).collect();
        let mute: Vec<_> = self.senders.iter().filter(|(_, (_, s))| s.is_none()).map(|(d, _)| *d).collect();
        let mut fault = None;
        for interface in deaf {
            fault = self.complete_receiver(now, interface).or(fault);
        }
        for session in mute {
            fault = self.complete_sender(now, session).or(fault);
        }
        fault
    }

    fn complete_receiver(&mut self, now: Instant, interface: Option<IfIndex>) -> Option<String> {
        let port = if interface.is_some() { PORT_SINGLE_HOP } else { PORT_MULTIHOP };
        match UdpReceiver::open_sorted(interface, port, SORT) {
            Ok(receivers) => {
                let place = self.places.iter_mut().find(|place| place.interface == interface);
                if let Some(place) = place {
                    place.receivers = Some(receivers);
                }
                None
            }
            Err(error) => {
                self.retry.get_or_insert(now + RETRY);
                let place = interface.map_or_else(|| "all interfaces".into(), |i| format!("interface {i}"));
                Some(format!("listening on port {port} of {place}: {error}; trying again"))
            }
        }
    }

    fn complete_sender(&mut self, now: Instant, session: u32) -> Option<String> {
        let way = self.senders.get(&session)?.0;
        match self.sender(way) {
            Ok(sender) => {
                self.senders.insert(session, (way, Some(sender)));
                None
            }
            Err(error) => {
                self.retry.get_or_insert(now + RETRY);
                Some(format!("a socket for the session with {}: {error}; trying again", way.peer))
            }
        }
    }

    fn sender(&mut self, way: Way) -> io::Result<UdpSender> {
        let port = if way.interface.is_some() { PORT_SINGLE_HOP } else { PORT_MULTIHOP };
        let to = SocketAddrV4::new(way.peer, port);
        // Near the end the first ports are free again.
        let last_start = u16::MAX - 2048;
        self.last_port = if (FIRST_SOURCE_PORT..last_start).contains(&self.last_port) {
            self.last_port + 1
        } else {
            FIRST_SOURCE_PORT
        };
        UdpSender::open(way.interface, way.local, self.last_port, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody's interface: whether it is there shows only in what arrives.
    const NOWHERE: IfIndex = IfIndex(2_000_000_000);

    #[test]
    fn what_the_kernel_refuses_is_attempted_again_until_the_engine_gives_up() {
        let (mut other, mut sockets) = (Sockets::default(), Sockets::default());
        let t = Instant::from_secs(5);
        assert!(other.listen(t, Some(NOWHERE)).is_none());
        assert!(sockets.listen(t, Some(NOWHERE)).is_some(), "somebody else has the port");
        assert_eq!(sockets.retry_at(), Some(t + RETRY));
        // 192.0.2.1 is nobody's.
        let way =
            Way { peer: Ipv4Addr::LOCALHOST, local: Some(Ipv4Addr::new(192, 0, 2, 1)), interface: None };
        assert!(sockets.open(t, 7, way).is_some());
        assert!(!sockets.send(7, b"x"));
        assert_eq!(sockets.retry(t), None, "not due");
        assert!(sockets.retry(t + RETRY).is_some());
        assert_eq!(sockets.retry_at(), Some(t + RETRY + RETRY));
        sockets.stop_listening(Some(NOWHERE));
        assert!(sockets.open(t, 7, Way { local: None, ..way }).is_none());
        assert!(sockets.send(7, b"x"));
        assert_eq!(sockets.retry(t + RETRY + RETRY), None);
        assert_eq!(sockets.retry_at(), None);
        sockets.close(7);
        assert!(!sockets.send(7, b"x"));
    }
}
