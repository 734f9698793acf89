//! Which session a packet is for (RFC 5880 §6.3, §6.8.6; RFC 5881 §3, §5; RFC 5883 §4).
//!
//! A packet with a Your Discriminator is for that session; on a point-to-point link whatever its source address, which must
//! not matter there (RFC 5881 §6). Only the first packets, without one, are matched by sender and interface. On a
//! link the kernel calls point-to-point any sender will do if there is but one session.
//!
//! On a LAN a packet must come from the session's peer and be for the address the session speaks from. The peer's address may
//! be ours for a while, as that of a virtual router: what is meant for its owner then comes to us, and would join the
//! sessions of two pairs of systems crosswise.

use super::{Instance, Output, Received};
use crate::constants::TTL;
use crate::discard::Discard;
use crate::message::SessionState;
use crate::packet::ControlPacket;
use crate::session::{Identity, Session};
use routing_common::notice::Notice;
use routing_common::time::Instant;

impl Instance {
    pub(super) fn packet(&mut self, now: Instant, received: Received<'_>) {
        if !received.multihop && received.ttl != TTL {
            return self.discard(now, None, Discard::Ttl, &received);
        }
        let packet = match ControlPacket::decode(received.payload) {
            Ok(packet) => packet,
            Err(reason) => return self.discard(now, None, reason, &received),
        };
        let discriminator = match self.select(&packet, &received) {
            Ok(discriminator) => discriminator,
            Err(reason) => return self.discard(now, None, reason, &received),
        };
        let taken = self.touch(now, discriminator, |session, cx| {
            session.examine(&packet, received.interface, received.ttl)?;
            session.receive(cx, &packet, received.received)
        });
        if let Some(Err(reason)) = taken {
            self.discard(now, Some(discriminator), reason, &received);
        }
    }

    fn select(&self, packet: &ControlPacket, received: &Received<'_>) -> Result<u32, Discard> {
        let named = packet.your_discriminator;
        if named != 0 {
            // A multihop port is no back door to a single hop, whose packets must have come 255 (§5 of RFC 5881).
            let session = self.sessions.get(&named).ok_or(Discard::YourDiscriminator)?;
            let same_kind = session.interface().is_none() == received.multihop;
            let is_ours = same_kind && self.is_between_ends(session, received);
            return if is_ours { Ok(named) } else { Err(Discard::YourDiscriminator) };
        }
        if matches!(packet.state, SessionState::Init | SessionState::Up) {
            return Err(Discard::State);
        }
        self.by_address(received).ok_or(Discard::NoSession)
    }

    /// Does a packet go from the session's peer to us? On a point-to-point link nobody else can have sent it.
    fn is_between_ends(&self, session: &Session, received: &Received<'_>) -> bool {
        let Some(interface) = session.interface() else { return true };
        self.kernel.is_point_to_point(interface)
            || (received.source == session.peer() && session.local.is_none_or(|a| a == received.destination))
    }

    fn by_address(&self, received: &Received<'_>) -> Option<u32> {
        let (peer, interface) = (received.source, received.interface);
        let of = |identity| self.index.get(&identity).copied();
        if received.multihop {
            let exact = of(Identity::Multihop { peer, local: Some(received.destination) });
            return exact.or_else(|| of(Identity::Multihop { peer, local: None }));
        }
        let exact = of(Identity::SingleHop { interface, peer }).and_then(|d| self.sessions.get(&d));
        let exact = exact.filter(|s| self.is_between_ends(s, received)).map(|s| s.local_discr);
        exact.or_else(|| {
            let mut here = self.sessions.values().filter(|s| s.interface() == Some(interface));
            let only = here.next().filter(|_| self.kernel.is_point_to_point(interface))?;
            here.next().is_none().then_some(only.local_discr)
        })
    }

    /// Counts a dropped packet, and nothing else but a rate-limited notice.
    fn discard(&mut self, now: Instant, session: Option<u32>, reason: Discard, packet: &Received<'_>) {
        let counters = match session.and_then(|d| self.sessions.get_mut(&d)) {
            Some(session) => &mut session.discards,
            None => &mut self.discards,
        };
        // A session held down on purpose drops every packet; that is no news.
        if counters.count(now, reason) && reason != Discard::AdminDown {
            let text = format!(
                "packet from {} on interface {} with TTL {} dropped: {}",
                packet.source,
                packet.interface,
                packet.ttl,
                reason.name()
            );
            self.out.push_back(Output::Notice(Notice::warning("bfd-discard", text)));
        }
    }
}
