//! Receiving packets (RFC 2328 §8.2): the checks common to all types, in the RFC's order, then dispatch.
//!
//! Deviation: the kernel checks the IP header, and a TTL other than 1 is accepted, as the RFC asks for
//! nothing else.

use super::{InterfaceState, NetworkKind};
use crate::constants::{ALL_D_ROUTERS, ALL_SPF_ROUTERS};
use crate::discard::{Discard, NOTICE_INTERVAL};
use crate::instance::{Instance, Received};
use crate::neighbor::NeighborId;
use crate::packet::{AuthError, DecodeError, PacketBody, PacketType, RawPacket, decode_header, verify};
use crate::statistics::DiscardCount;
use routing_common::id::{IfIndex, RouterId};
use routing_common::notice::Notice;
use routing_common::time::Instant;
use std::net::Ipv4Addr;

impl Instance {
    /// Takes a datagram.
    pub(crate) fn receive(&mut self, now: Instant, received: &Received<'_>) {
        if !self.interfaces.contains_key(&received.ifindex) {
            return; // A socket that was closed a moment ago may still deliver.
        }
        if let Err(reason) = self.receive_checked(now, received) {
            self.discard(now, received.ifindex, received.source, reason);
        }
    }

    fn receive_checked(&mut self, now: Instant, received: &Received<'_>) -> Result<(), Discard> {
        self.check_datagram(received)?;
        let raw = decode_header(received.payload).map_err(|e| match e {
            DecodeError::Version(_) => Discard::Version,
            DecodeError::Type(_) => Discard::PacketType,
            DecodeError::Truncated | DecodeError::Length(_) | DecodeError::Body(_) => Discard::Malformed,
        })?;
        let ifindex = received.ifindex;
        if let Some(interface) = self.interfaces.get_mut(&ifindex) {
            *interface.statistics.received.of_type(raw.packet_type) += 1;
        }
        let sequence = self.check_header(now, received, &raw)?;
        let id = NeighborId { ifindex, router_id: raw.router_id };
        self.receive_body(now, id, received.source, &raw)?;
        if let (Some(neighbor), Some(sequence)) = (self.neighbor_mut(id), sequence) {
            neighbor.cryptographic_sequence = Some(sequence);
        }
        Ok(())
    }

    fn receive_body(
        &mut self,
        now: Instant,
        id: NeighborId,
        source: Ipv4Addr,
        raw: &RawPacket<'_>,
    ) -> Result<(), Discard> {
        if raw.packet_type == PacketType::LinkStateUpdate {
            let lsas = raw.update_lsas().map_err(|_| Discard::Malformed)?;
            self.check_sender(id, source)?;
            self.receive_update(now, id, &lsas);
            return Ok(());
        }
        match raw.decode_body().map_err(|_| Discard::Malformed)? {
            PacketBody::Hello(hello) => {
                self.receive_hello(now, id.ifindex, source, raw.router_id, &hello);
            }
            other => {
                self.check_sender(id, source)?;
                match other {
                    PacketBody::DatabaseDescription(dd) => self.receive_description(now, id, &dd),
                    PacketBody::LinkStateRequest(keys) => self.receive_request(now, id, &keys),
                    PacketBody::LinkStateAck(headers) => self.receive_ack(now, id, &headers),
                    PacketBody::Hello(_) | PacketBody::LinkStateUpdate(_) => {}
                }
            }
        }
        Ok(())
    }

    /// What can be judged by addresses alone.
    fn check_datagram(&self, received: &Received<'_>) -> Result<(), Discard> {
        let Some(interface) = self.interfaces.get(&received.ifindex) else {
            return Err(Discard::InterfaceNotActive);
        };
        if !interface.is_active() {
            return Err(Discard::InterfaceNotActive);
        }
        let to_group = received.destination == ALL_SPF_ROUTERS || received.destination == ALL_D_ROUTERS;
        if !to_group && Some(received.destination) != interface.ip() {
            return Err(Discard::WrongDestination);
        }
        if self.is_own_address(received.source) {
            return Err(Discard::OwnPacket);
        }
        Ok(())
    }

    /// What the header says; returns the cryptographic sequence number to remember.
    fn check_header(
        &self,
        now: Instant,
        received: &Received<'_>,
        raw: &RawPacket<'_>,
    ) -> Result<Option<u32>, Discard> {
        let Some(interface) = self.interfaces.get(&received.ifindex) else {
            return Err(Discard::InterfaceNotActive);
        };
        if raw.area_id != interface.area() {
            return Err(Discard::AreaMismatch);
        }
        if raw.router_id == RouterId::NONE {
            return Err(Discard::NoRouterId);
        }
        let in_subnet = interface.address.is_some_and(|a| a.contains(received.source));
        if interface.kind == NetworkKind::Broadcast && !in_subnet {
            return Err(Discard::SubnetMismatch);
        }
        let is_designated = matches!(interface.state, InterfaceState::Dr | InterfaceState::Backup);
        // On a point-to-point network nobody is designated, and some routers send there all the same.
        if received.destination == ALL_D_ROUTERS && interface.kind == NetworkKind::Broadcast && !is_designated
        {
            return Err(Discard::NotDesignated);
        }
        if !raw.checksum_is_valid() {
            return Err(Discard::Checksum);
        }
        let last = interface.neighbors.get(&raw.router_id).and_then(|n| n.cryptographic_sequence);
        let wall = self.wall_seconds(now);
        let sequence = verify(raw, &interface.config.authentication, wall, last).map_err(|e| match e {
            AuthError::TypeMismatch => Discard::AuthenticationType,
            AuthError::SequenceTooOld => Discard::AuthenticationSequence,
            AuthError::KeyMismatch
            | AuthError::UnknownKeyId
            | AuthError::DigestMismatch
            | AuthError::Truncated => Discard::AuthenticationFailed,
        })?;
        // Only an authentic packet may accuse somebody of using our id.
        if raw.router_id == self.router_id {
            return Err(Discard::DuplicateRouterId);
        }
        Ok(sequence)
    }

    /// Packets other than Hellos come from known neighbours only.
    fn check_sender(&mut self, id: NeighborId, source: Ipv4Addr) -> Result<(), Discard> {
        let Some(interface) = self.interfaces.get(&id.ifindex) else {
            return Err(Discard::InterfaceNotActive);
        };
        match interface.neighbors.get(&id.router_id) {
            Some(n) if n.address == source || interface.kind == NetworkKind::PointToPoint => Ok(()),
            _ => Err(Discard::UnknownNeighbor),
        }
    }

    /// Counts a discarded packet or LSA and tells the operator, not too often.
    pub(crate) fn discard(&mut self, now: Instant, ifindex: IfIndex, source: Ipv4Addr, reason: Discard) {
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return };
        let mut tell = false;
        let entry = interface.statistics.discards.entry(reason).or_insert_with(|| {
            tell = true;
            DiscardCount { count: 0, last_source: source, last_at: now, told_at: now }
        });
        entry.count = entry.count.saturating_add(1);
        entry.last_source = source;
        entry.last_at = now;
        if tell || now.since(entry.told_at) >= NOTICE_INTERVAL {
            entry.told_at = now;
            let (count, name) = (entry.count, &interface.name);
            let text = format!("{name}: packet from {source} discarded: {} ({count} so far)", reason.text());
            let notice = Notice::warning("packet-discarded", text).on(name).about(source);
            self.notice(notice);
        }
    }
}
