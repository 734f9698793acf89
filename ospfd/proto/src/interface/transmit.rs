//! Sending packets (RFC 2328 §8.1).
//!
//! LSAs flooded during one turn leave at its end or later, packed to the MTU, one batch per interface
//! ([`Instance::flush_floods`]); everything else leaves as it is made.

use super::{Interface, InterfaceState, NetworkKind};
use crate::constants::{ALL_D_ROUTERS, ALL_SPF_ROUTERS, MAX_AGE};
use crate::instance::{Instance, Output};
use crate::lsa::{Lsa, LsaKey};
use crate::lsdb::DatabaseId;
use crate::packet::{OutgoingBody, Signer, encode, max_payload, pack_updates};
use routing_common::id::IfIndex;
use routing_common::time::Instant;
use smallvec::SmallVec;
use std::net::Ipv4Addr;
use std::sync::Arc;

impl Interface {
    /// Where updates and delayed acknowledgments go (§13.3 (5), §13.5).
    pub(crate) fn flood_destination(&self) -> Ipv4Addr {
        match (self.kind, self.state) {
            (NetworkKind::Broadcast, InterfaceState::Dr | InterfaceState::Backup) => ALL_SPF_ROUTERS,
            (NetworkKind::Broadcast, _) => ALL_D_ROUTERS,
            (NetworkKind::PointToPoint | NetworkKind::Loopback, _) => ALL_SPF_ROUTERS,
        }
    }
}

impl Instance {
    /// Sends one packet, signed as the interface's configuration wants.
    pub(crate) fn transmit(
        &mut self,
        now: Instant,
        ifindex: IfIndex,
        destination: Ipv4Addr,
        body: &OutgoingBody<'_>,
    ) {
        let wall = self.wall_seconds(now);
        let sequence = self.next_cryptographic_sequence(wall);
        let router_id = self.router_id;
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return };
        let Some(source) = interface.ip() else { return };
        if !interface.is_active() {
            return;
        }
        let notice = interface.note_key_in_use(wall);
        self.outputs.extend(notice.map(Output::Notice));
        let Some(signer) = Signer::new(&interface.config.authentication, wall, sequence) else { return };
        let payload = encode(router_id, interface.config.area, body, &signer);
        *interface.statistics.sent.of_type(body.packet_type()) += 1;
        self.outputs.push_back(Output::Transmit { ifindex, source, destination, payload });
    }

    /// App. D.3 asks for numbers that never decrease, also over restarts: seconds of wall-clock time.
    /// Counting every packet instead would run ahead of the clock and lock a restarted router out.
    fn next_cryptographic_sequence(&mut self, wall: u64) -> u32 {
        let sequence = u32::try_from(wall).unwrap_or(u32::MAX).max(self.cryptographic_sequence);
        self.cryptographic_sequence = sequence;
        sequence
    }

    /// Sends database copies of LSAs in as many Link State Updates as they need, with InfTransDelay added
    /// to their ages. LSAs that are gone are left out.
    pub(crate) fn transmit_lsas(
        &mut self,
        now: Instant,
        ifindex: IfIndex,
        destination: Ipv4Addr,
        keys: &[(DatabaseId, LsaKey)],
    ) {
        let Some(interface) = self.interfaces.get(&ifindex) else { return };
        let delay = u16::try_from(interface.config.transmit_delay.as_secs()).unwrap_or(MAX_AGE).max(1);
        let room = max_payload(interface.mtu, &interface.config.authentication);
        let mut lsas: SmallVec<[(Arc<Lsa>, u16); 4]> = SmallVec::with_capacity(keys.len());
        for (database, key) in keys {
            let Some(entry) = self.lsdb_mut(*database).and_then(|db| db.get_mut(key)) else { continue };
            entry.note_sent(now);
            lsas.push((Arc::clone(&entry.lsa), entry.age(now).saturating_add(delay).min(MAX_AGE)));
        }
        let lsas: SmallVec<[(&Lsa, u16); 4]> = lsas.iter().map(|(lsa, age)| (lsa.as_ref(), *age)).collect();
        for packet in pack_updates(&lsas, room) {
            self.transmit(now, ifindex, destination, &OutgoingBody::LinkStateUpdate(packet));
        }
    }
}
