//! Receiving Link State Updates (RFC 2328 §13, §13.2, §13.4).

use super::acknowledge::Receipt;
use crate::constants::{MAX_AGE, MAX_SEQUENCE};
use crate::discard::Discard;
use crate::instance::{Instance, TimerKey};
use crate::lsa::{LsType, Lsa, LsaError, LsaHeader, LsaKey};
use crate::lsdb::{DatabaseId, Provenance};
use crate::neighbor::{NeighborEvent, NeighborId};
use crate::packet::UpdateLsa;
use crate::spf::Change;
use core::cmp::Ordering;
use routing_common::time::Instant;
use std::sync::Arc;

/// An LSA that came too early.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    lsa: Arc<Lsa>,
    from: NeighborId,
    since: Instant,
}

impl Held {
    /// Its age in seconds at `now`.
    fn age(&self, now: Instant) -> u16 {
        let waited = u16::try_from(now.since(self.since).as_secs()).unwrap_or(u16::MAX);
        self.lsa.header().age.saturating_add(waited).min(MAX_AGE)
    }

    fn header(&self, now: Instant) -> LsaHeader {
        self.lsa.header().with_age(self.age(now))
    }
}

/// What the rest of the packet shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Continue,
    Stop,
}

impl Instance {
    /// §13.
    pub(crate) fn receive_update(&mut self, now: Instant, id: NeighborId, lsas: Vec<UpdateLsa>) {
        let Some(neighbor) = self.neighbor(id) else { return };
        let source = neighbor.address;
        if !neighbor.is_flooded_to() {
            self.discard(now, id.ifindex, source, Discard::NeighborState);
            return;
        }
        let mut direct_acks: Vec<LsaHeader> = Vec::new();
        for lsa in lsas {
            match lsa {
                UpdateLsa::Valid(lsa) if lsa.key().ls_type == LsType::Nssa => {
                    self.discard(now, id.ifindex, source, Discard::LsaType);
                    self.give_up_request(id, &lsa.key());
                }
                UpdateLsa::Valid(lsa) => {
                    if self.receive_lsa(now, id, &lsa, &mut direct_acks) == Rest::Stop {
                        break;
                    }
                }
                UpdateLsa::Invalid { header, reason } => {
                    let reason = match reason {
                        LsaError::Checksum => Discard::LsaChecksum,
                        LsaError::UnknownType => Discard::LsaType,
                        LsaError::Malformed => Discard::LsaMalformed,
                    };
                    // What came with a right checksum will not be better the next time.
                    if reason != Discard::LsaChecksum {
                        self.give_up_request(id, &header.key);
                    }
                    self.discard(now, id.ifindex, source, reason);
                }
            }
        }
        self.send_direct_acks(now, id, &direct_acks);
        self.continue_requests(now, id);
    }

    /// Steps (4) to (8).
    fn receive_lsa(
        &mut self,
        now: Instant,
        from: NeighborId,
        lsa: &Arc<Lsa>,
        direct_acks: &mut Vec<LsaHeader>,
    ) -> Rest {
        let Some(database) = self.database_of(from, lsa.key()) else { return Rest::Stop };
        let key = lsa.key();
        let received = *lsa.header();
        let copy = self.lsdb(database).and_then(|db| db.get(&key));
        let copy_header = copy.map(|e| e.header(now));
        // (4)
        if received.is_max_age() && copy.is_none() && !self.is_anyone_synchronizing() {
            direct_acks.push(received);
            return Rest::Continue;
        }
        let order = copy_header.map_or(Ordering::Greater, |copy| received.instance_cmp(&copy));
        if order == Ordering::Greater {
            // (5)(a)
            let gate = copy
                .filter(|e| e.provenance == Provenance::Flooded)
                .map(|e| e.installed_at + self.config.min_ls_arrival)
                .filter(|gate| now < *gate);
            match gate {
                Some(gate) => self.hold(now, database, lsa, from, gate),
                None => self.accept_newer(now, database, lsa, received.age, from),
            }
            return Rest::Continue;
        }
        // (6)
        if self.neighbor(from).is_some_and(|n| n.link_state_request_list.contains_key(&key)) {
            self.neighbor_event(now, from, NeighborEvent::BadLsReq);
            return Rest::Stop;
        }
        if order == Ordering::Equal {
            // (7)
            if self.acknowledged(from, &key) {
                self.acknowledge(now, from, received, Receipt::ImpliedAcknowledgment);
            } else {
                direct_acks.push(received);
            }
            return Rest::Continue;
        }
        self.answer_older(now, database, key, from);
        Rest::Continue
    }

    /// (8): the neighbour's instance is older than ours.
    fn answer_older(&mut self, now: Instant, database: DatabaseId, key: LsaKey, from: NeighborId) {
        let Some(entry) = self.lsdb(database).and_then(|db| db.get(&key)) else { return };
        let wrapping = entry.is_max_age(now) && entry.lsa.header().sequence == MAX_SEQUENCE;
        let recently = entry.sent_at.is_some_and(|at| now < at + self.config.min_ls_arrival);
        if wrapping || recently {
            return;
        }
        let Some(interface) = self.interfaces.get(&from.ifindex) else { return };
        let Some(neighbor) = interface.neighbors.get(&from.router_id) else { return };
        let destination = interface.direct_destination(neighbor.address);
        self.transmit_lsas(now, from.ifindex, destination, &[(database, key)]);
    }

    /// (5)(b) to (f), for an LSA that has the age `age` now.
    fn accept_newer(
        &mut self,
        now: Instant,
        database: DatabaseId,
        lsa: &Arc<Lsa>,
        age: u16,
        from: NeighborId,
    ) {
        let key = lsa.key();
        if !self.lsdb(database).is_some_and(|db| db.has_room_for(lsa)) {
            if let Some(source) = self.neighbor(from).map(|n| n.address) {
                self.discard(now, from.ifindex, source, Discard::DatabaseFull);
            }
            self.give_up_request(from, &key);
            return;
        }
        self.held.remove(&(database, key));
        self.timers.cancel(TimerKey::HeldArrival(database, key));
        self.install(now, database, lsa, age, Provenance::Flooded);
        let flooded_back = self.flood(now, database, key, Some(from));
        let receipt = if flooded_back { Receipt::NewFloodedBack } else { Receipt::New };
        self.acknowledge(now, from, *lsa.header(), receipt);
        if self.is_self_originated(&key) {
            self.receive_self_originated(now, database, key, lsa.header().sequence);
        }
    }

    /// §13.2, and (5)(c): the older instance leaves database and retransmission lists.
    pub(crate) fn install(
        &mut self,
        now: Instant,
        database: DatabaseId,
        lsa: &Arc<Lsa>,
        age: u16,
        provenance: Provenance,
    ) {
        let key = lsa.key();
        let refresh_after = (provenance == Provenance::Own).then(|| self.refresh_interval());
        let usable_age = age < MAX_AGE;
        self.forget_retransmissions(database, &key);
        let Some(db) = self.lsdb_mut(database) else { return };
        let old = db.get(&key).filter(|e| !e.is_max_age(now)).map(|e| Arc::clone(&e.lsa));
        db.install(Arc::clone(lsa), age, provenance, refresh_after, now);
        let new = usable_age.then_some(lsa.as_ref());
        if let Some(change) = Change::between(old.as_deref(), new) {
            self.topology_changed(change);
        }
        if !usable_age {
            self.sweep_wanted = true;
        }
    }

    fn hold(&mut self, now: Instant, database: DatabaseId, lsa: &Arc<Lsa>, from: NeighborId, gate: Instant) {
        let key = (database, lsa.key());
        let newer = self
            .held
            .get(&key)
            .is_none_or(|held| lsa.header().instance_cmp(&held.header(now)) == Ordering::Greater);
        if newer {
            self.held.insert(key, Held { lsa: Arc::clone(lsa), from, since: now });
        }
        self.timers.arm(TimerKey::HeldArrival(database, key.1), gate);
    }

    /// MinLSArrival has passed for an LSA that was held.
    pub(crate) fn release_held(&mut self, now: Instant, database: DatabaseId, key: LsaKey) {
        let Some(held) = self.held.remove(&(database, key)) else { return };
        if !self.neighbor(held.from).is_some_and(|n| n.is_flooded_to()) {
            return; // The sender is gone, and with it the promise to retransmit to us.
        }
        let copy = self.lsdb(database).and_then(|db| db.get(&key)).map(|e| e.header(now));
        if copy.is_none_or(|copy| held.header(now).instance_cmp(&copy) == Ordering::Greater) {
            self.accept_newer(now, database, &held.lsa, held.age(now), held.from);
        }
    }

    /// Which database an LSA seen by this neighbour belongs to.
    pub(crate) fn database_of(&self, from: NeighborId, key: LsaKey) -> Option<DatabaseId> {
        let interface = self.interfaces.get(&from.ifindex)?;
        Some(DatabaseId::of(key.ls_type, interface.area(), from.ifindex))
    }

    /// §13.4: is it ours, or a network-LSA of one of our addresses?
    pub(crate) fn is_self_originated(&self, key: &LsaKey) -> bool {
        key.advertising_router == self.router_id
            || (key.ls_type == LsType::Network && self.is_own_address(key.link_state_id))
    }
}
