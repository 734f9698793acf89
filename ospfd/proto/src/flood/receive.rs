//! Receiving Link State Updates (RFC 2328 §13, §13.2, §13.4).

use super::acknowledge::Receipt;
use crate::constants::{MAX_AGE, MAX_SEQUENCE};
use crate::discard::Discard;
use crate::instance::{Instance, TimerKey, Trigger};
use crate::lsa::{LsType, Lsa, LsaError, LsaHeader, LsaKey};
use crate::lsdb::{DatabaseId, Provenance};
use crate::neighbor::{NeighborEvent, NeighborId};
use crate::packet::UpdateLsa;
use crate::spf::Change;
use core::cmp::Ordering;
use routing_common::time::Instant;
use routing_common::wire::Reader;
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
    /// §13; `lsas` are the octets of each LSA.
    pub(crate) fn receive_update(&mut self, now: Instant, id: NeighborId, lsas: &[&[u8]]) {
        let Some(neighbor) = self.neighbor(id) else { return };
        let source = neighbor.address;
        if !neighbor.is_flooded_to() {
            self.discard(now, id.ifindex, source, Discard::NeighborState);
            return;
        }
        let mut direct_acks: Vec<LsaHeader> = Vec::new();
        for bytes in lsas {
            if let Some(duplicate) = self.duplicate(now, id, bytes) {
                if self.receive_duplicate(now, id, duplicate, &mut direct_acks) == Rest::Stop {
                    break;
                }
                continue;
            }
            match UpdateLsa::decode(bytes) {
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

    /// The header of an LSA that is the instance in the database, octet for octet. Half of all LSAs that are received
    /// are, and steps (1) to (5) have nothing to say of them: the octets were checked when they came first.
    fn duplicate(&self, now: Instant, from: NeighborId, bytes: &[u8]) -> Option<LsaHeader> {
        let header = LsaHeader::decode(&mut Reader::new(bytes)).ok()?;
        let copy = self.lsdb(self.database_of(from, header.key)?)?.get(&header.key)?;
        let is_same = header.instance_cmp(&copy.header(now)) == Ordering::Equal;
        (is_same && copy.lsa.is_same_instance(bytes)).then_some(header)
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
            self.note_flushed(now, database, received);
            return Rest::Continue;
        }
        if copy.is_none() && self.is_straggler(now, from, database, &received) {
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
                Some(gate) => {
                    if key.advertising_router == self.router_id {
                        self.note_sequence(database, key, received.sequence);
                    }
                    self.hold(now, database, lsa, from, gate);
                }
                None => self.accept_newer(now, database, lsa, received.age, from),
            }
            return Rest::Continue;
        }
        if order == Ordering::Equal {
            return self.receive_duplicate(now, from, received, direct_acks);
        }
        if self.is_bad_request(now, from, &key) {
            return Rest::Stop;
        }
        self.answer_older(now, database, key, from);
        Rest::Continue
    }

    /// Was it asked for?
    pub(super) fn is_requested(&self, from: NeighborId, key: &LsaKey) -> bool {
        self.neighbor(from).is_some_and(|n| n.link_state_request_list.contains_key(key))
    }

    /// (6): says whether what is no news was asked for.
    fn is_bad_request(&mut self, now: Instant, from: NeighborId, key: &LsaKey) -> bool {
        let is_requested = self.is_requested(from, key);
        if is_requested {
            self.neighbor_event(now, from, NeighborEvent::BadLsReq);
        }
        is_requested
    }

    /// (6) and (7), for the instance that is in the database.
    fn receive_duplicate(
        &mut self,
        now: Instant,
        from: NeighborId,
        received: LsaHeader,
        direct_acks: &mut Vec<LsaHeader>,
    ) -> Rest {
        if self.is_bad_request(now, from, &received.key) {
            return Rest::Stop;
        }
        // (7)
        if self.acknowledged(from, &received.key) {
            self.acknowledge(now, from, received, Receipt::ImpliedAcknowledgment);
        } else {
            direct_acks.push(received);
        }
        Rest::Continue
    }

    /// (8): the neighbour's instance is older than ours.
    fn answer_older(&mut self, now: Instant, database: DatabaseId, key: LsaKey, from: NeighborId) {
        let Some(entry) = self.lsdb(database).and_then(|db| db.get(&key)) else { return };
        let wrapping = entry.is_max_age(now) && entry.lsa.header().sequence == MAX_SEQUENCE;
        let recently = entry.sent_at().is_some_and(|at| now < at + self.config.min_ls_arrival);
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
        self.outdate_held(now, database, &lsa.header().with_age(age));
        self.install(now, database, lsa, age, Provenance::Flooded);
        let flooded_back = self.flood(now, database, key, Some(from));
        let receipt = if flooded_back { Receipt::NewFloodedBack } else { Receipt::New };
        self.acknowledge(now, from, *lsa.header(), receipt);
        if self.is_self_originated(&key) {
            self.receive_self_originated(now, database, key, lsa.header().sequence);
        }
        self.receive_grace_lsa(now, from, key);
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
        // What is not in the database stands on no list.
        if self.lsdb(database).is_some_and(|db| db.get(&key).is_some()) {
            self.forget_retransmissions(database, &key);
            if !usable_age {
                self.forget_acknowledgments(database, &key);
            }
        }
        if let DatabaseId::Link(ifindex) = database {
            self.link_scoped.insert(ifindex);
        }
        let Some(db) = self.lsdb_mut(database) else { return };
        let stored = db.get(&key).map(|e| (Arc::clone(&e.lsa), e.is_max_age(now)));
        let old = stored.as_ref().filter(|(_, is_max_age)| !is_max_age).map(|(lsa, _)| lsa.as_ref());
        let new = usable_age.then_some(lsa.as_ref());
        let change = Change::between(old, new);
        let entry = db.install(Arc::clone(lsa), age, provenance, refresh_after, now);
        entry.is_news = change.is_some();
        if entry.is_news {
            self.restart.changes.in_this_turn(database);
        }
        if let Some(change) = change {
            if let Some((ended, true)) = &stored {
                // It may be in the table still, if nobody was told of its end yet.
                self.pending_scope.note(Some(ended), None);
            }
            self.pending_scope.note(old, new);
            self.topology_changed(change, Trigger::Lsa(key));
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

    /// An instance is about to be installed: what is held and no newer is void, what is newer waits for
    /// MinLSArrival from now. It is newer if the gate opened a moment ago and another neighbour's older copy comes
    /// before our timer was served.
    fn outdate_held(&mut self, now: Instant, database: DatabaseId, installed: &LsaHeader) {
        let Some(held) = self.held.get(&(database, installed.key)) else { return };
        let timer = TimerKey::HeldArrival(database, installed.key);
        if held.header(now).instance_cmp(installed) == Ordering::Greater {
            self.timers.arm(timer, now + self.config.min_ls_arrival);
        } else {
            self.held.remove(&(database, installed.key));
            self.timers.cancel(timer);
        }
    }

    /// What a neighbour sent and was held is void when its adjacency ends: with a new one it describes what it has
    /// then, and repeats nothing of before.
    pub(crate) fn forget_held_from(&mut self, id: NeighborId) {
        self.held.retain(|_, held| held.from != id);
    }

    /// MinLSArrival has passed for an LSA that was held.
    pub(crate) fn release_held(&mut self, now: Instant, database: DatabaseId, key: LsaKey) {
        let Some(held) = self.held.remove(&(database, key)) else { return };
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
