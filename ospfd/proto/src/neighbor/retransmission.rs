//! The Link state retransmission list (RFC 2328 §13.6, §13.7).
//!
//! Each LSA knows when it was last sent to the neighbour and is repeated some time after that, not at
//! the next tick of a common timer: RxmtInterval at most, sooner where [`super::round_trip`] knows the neighbour. One
//! packetful goes at a time; what is due and did not fit follows after [`PACE`].

use super::{Listed, Neighbor, NeighborId};
use crate::discard::Discard;
use crate::instance::{Instance, TimerKey};
use crate::lsa::{LsaHeader, LsaKey};
use crate::lsdb::DatabaseId;
use crate::packet::{UPDATE_FIXED, max_payload};
use core::cmp::Ordering;
use routing_common::time::{Duration, Instant};

/// Time between two packets of retransmissions to one neighbour.
const PACE: Duration = Duration::from_millis(10);

impl Instance {
    /// Puts the database's instance of `key` on the neighbour's list, as sent now.
    pub(crate) fn expect_acknowledgment(&mut self, now: Instant, id: NeighborId, key: LsaKey) {
        let Some(interface) = self.interfaces.get_mut(&id.ifindex) else { return };
        let interval = interface.config.retransmit_interval;
        if let Some(neighbor) = interface.neighbors.get_mut(&id.router_id) {
            neighbor.link_state_retransmission_list.insert(key, Listed::new(now));
            let at = now + neighbor.patience(interval, 0);
            self.timers.arm_no_later(TimerKey::Retransmission(id.ifindex, id.router_id), at);
        }
    }

    /// The neighbour has the instance in the database: takes it off the list. Says whether it was on it.
    pub(crate) fn acknowledged(&mut self, id: NeighborId, key: &LsaKey) -> bool {
        let Some(neighbor) = self.neighbor_mut(id) else { return false };
        let was_listed = neighbor.link_state_retransmission_list.remove(key).is_some();
        if neighbor.link_state_retransmission_list.is_empty() {
            self.timers.cancel(TimerKey::Retransmission(id.ifindex, id.router_id));
        }
        self.sweep_wanted |= was_listed;
        was_listed
    }

    /// The retransmission timer fired.
    pub(crate) fn retransmit(&mut self, now: Instant, id: NeighborId) {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return };
        let Some(neighbor) = interface.neighbors.get(&id.router_id) else { return };
        let interval = interface.config.retransmit_interval;
        let room = max_payload(interface.mtu, &interface.config.authentication);
        let destination = interface.direct_destination(neighbor.address);
        let area = interface.area();
        let mut due: Vec<(Instant, LsaKey)> = neighbor
            .link_state_retransmission_list
            .iter()
            .filter(|(_, listed)| neighbor.due(interval, listed) <= now)
            .map(|(key, listed)| (listed.last, *key))
            .collect();
        due.sort_unstable();
        let mut used = UPDATE_FIXED;
        let mut batch: Vec<(DatabaseId, LsaKey)> = Vec::new();
        let mut gone = Vec::new();
        for (_, key) in &due {
            let database = DatabaseId::of(key.ls_type, area, id.ifindex);
            let Some(entry) = self.lsdb(database).and_then(|db| db.get(key)) else {
                gone.push(*key);
                continue;
            };
            used += entry.lsa.raw().len();
            if !batch.is_empty() && used > room {
                break;
            }
            batch.push((database, *key));
        }
        let left_over = batch.len() + gone.len() < due.len();
        if !batch.is_empty() {
            self.transmit_lsas(now, id.ifindex, destination, &batch);
        }
        self.note_retransmission(now, id, &batch, &gone, left_over);
    }

    fn note_retransmission(
        &mut self,
        now: Instant,
        id: NeighborId,
        batch: &[(DatabaseId, LsaKey)],
        gone: &[LsaKey],
        left_over: bool,
    ) {
        let Some(interface) = self.interfaces.get_mut(&id.ifindex) else { return };
        let interval = interface.config.retransmit_interval;
        let count = batch.len() as u64;
        interface.statistics.retransmitted_lsas += count;
        let Some(neighbor) = interface.neighbors.get_mut(&id.router_id) else { return };
        neighbor.retransmitted_lsas += count;
        for (_, key) in batch {
            if let Some(listed) = neighbor.link_state_retransmission_list.get_mut(key) {
                (listed.last, listed.times) = (now, listed.times.saturating_add(1));
            }
        }
        for key in gone {
            neighbor.link_state_retransmission_list.remove(key);
        }
        let next = if left_over {
            Some(now + PACE)
        } else {
            let list = neighbor.link_state_retransmission_list.values();
            list.map(|listed| neighbor.due(interval, listed)).min()
        };
        if let Some(at) = next {
            self.timers.arm(TimerKey::Retransmission(id.ifindex, id.router_id), at);
        }
    }

    /// §13.7.
    pub(crate) fn receive_ack(&mut self, now: Instant, id: NeighborId, headers: &[LsaHeader]) {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return };
        let Some(neighbor) = interface.neighbors.get(&id.router_id) else { return };
        let (area, source) = (interface.area(), neighbor.address);
        if !neighbor.is_flooded_to() {
            self.discard(now, id.ifindex, source, Discard::NeighborState);
            return;
        }
        let mut took: Option<Duration> = None;
        for header in headers {
            let database = DatabaseId::of(header.key.ls_type, area, id.ifindex);
            let same = self
                .lsdb(database)
                .and_then(|db| db.get(&header.key))
                .is_some_and(|e| e.header(now).instance_cmp(header) == Ordering::Equal);
            if same {
                took = took.max(self.measure(now, id, &header.key));
                self.acknowledged(id, &header.key);
            }
            // Otherwise it acknowledges an instance we have replaced since; the new one stays listed.
        }
        // What came in one packet is one measure.
        if let (Some(took), Some(neighbor)) = (took, self.neighbor_mut(id)) {
            neighbor.round_trip.acknowledged_after(took);
        }
    }

    /// How long the acknowledgment of an LSA that was sent once took.
    fn measure(&mut self, now: Instant, id: NeighborId, key: &LsaKey) -> Option<Duration> {
        let neighbor = self.neighbor_mut(id)?;
        let listed = neighbor.link_state_retransmission_list.get(key)?;
        let (since_first, since_last) = (now.since(listed.first), now.since(listed.last));
        if listed.times == 0 {
            return Some(since_first);
        }
        neighbor.round_trip.acknowledged_repetition(since_first, since_last);
        None
    }
}

impl Neighbor {
    /// How long an LSA that was repeated `times` times waits for its acknowledgment.
    fn patience(&self, interval: Duration, times: u32) -> Duration {
        self.round_trip.patience(interval, self.link_state_retransmission_list.len(), times)
    }

    /// When a listed LSA is repeated.
    fn due(&self, interval: Duration, listed: &Listed) -> Instant {
        listed.last + self.patience(interval, listed.times)
    }
}
