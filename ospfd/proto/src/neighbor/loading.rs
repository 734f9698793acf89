//! Asking for LSAs and answering such questions (RFC 2328 §10.7, §10.9).
//!
//! Deviation: an LSA the neighbour answered with but that cannot be taken (malformed, of a type we do not
//! keep, or the database is full) is not asked for again. The RFC would ask for ever, and an adjacency
//! that stays in Loading for one bad LSA keeps all LSAs at MaxAge in the database as well.

use super::round_trip::answer_patience;
use super::{NeighborEvent, NeighborId, NeighborState};
use crate::discard::Discard;
use crate::instance::{Instance, TimerKey};
use crate::lsa::LsaKey;
use crate::lsdb::DatabaseId;
use crate::packet::{OutgoingBody, max_payload, requests_per_packet};
use routing_common::time::Instant;
use std::collections::BTreeSet;

impl Instance {
    /// Goes on with the Link state request list: nothing while a request is outstanding, else the next
    /// one; Loading ends with the list.
    pub(crate) fn continue_requests(&mut self, now: Instant, id: NeighborId) {
        let Some(neighbor) = self.neighbor_mut(id) else { return };
        if !neighbor.is_synchronizing() {
            return;
        }
        let list = &neighbor.link_state_request_list;
        neighbor.requested.retain(|key| list.contains_key(key));
        if !neighbor.requested.is_empty() {
            return;
        }
        if neighbor.link_state_request_list.is_empty() {
            let loading = neighbor.state == NeighborState::Loading;
            self.timers.cancel(TimerKey::LinkStateRequest(id.ifindex, id.router_id));
            if loading {
                self.neighbor_event(now, id, NeighborEvent::LoadingDone);
            }
            return;
        }
        neighbor.request_repeats = 0;
        self.send_requests(now, id);
    }

    /// Nothing came of the last Link State Request in time.
    pub(crate) fn request_unanswered(&mut self, now: Instant, id: NeighborId) {
        if let Some(neighbor) = self.neighbor_mut(id) {
            neighbor.request_repeats = neighbor.request_repeats.saturating_add(1);
        }
        self.send_requests(now, id);
    }

    /// Sends the beginning of the Link state request list, and again when the answer does not come.
    fn send_requests(&mut self, now: Instant, id: NeighborId) {
        let Some(interface) = self.interfaces.get_mut(&id.ifindex) else { return };
        let room = requests_per_packet(max_payload(interface.mtu, &interface.config.authentication));
        let Some(neighbor) = interface.neighbors.get_mut(&id.router_id) else { return };
        if !neighbor.is_synchronizing() || neighbor.link_state_request_list.is_empty() {
            return;
        }
        let keys: Vec<LsaKey> = neighbor.link_state_request_list.keys().take(room).copied().collect();
        neighbor.requested = keys.iter().copied().collect();
        let (address, times) = (neighbor.address, neighbor.request_repeats);
        let destination = interface.direct_destination(address);
        let at = now + answer_patience(interface.config.retransmit_interval, times);
        self.timers.arm(TimerKey::LinkStateRequest(id.ifindex, id.router_id), at);
        self.transmit(now, id.ifindex, destination, &OutgoingBody::LinkStateRequest(&keys));
    }

    /// Asks for this LSA no more.
    pub(crate) fn give_up_request(&mut self, id: NeighborId, key: &LsaKey) {
        let Some(neighbor) = self.neighbor_mut(id) else { return };
        if neighbor.link_state_request_list.remove(key).is_some() {
            self.request_progress.insert(id);
        }
    }

    /// §10.7. An LSA is answered once, however often one request asks for it.
    pub(crate) fn receive_request(&mut self, now: Instant, id: NeighborId, keys: &[LsaKey]) {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return };
        let Some(neighbor) = interface.neighbors.get(&id.router_id) else { return };
        let (area, source) = (interface.area(), neighbor.address);
        if !neighbor.is_flooded_to() {
            self.discard(now, id.ifindex, source, Discard::NeighborState);
            return;
        }
        let keys: BTreeSet<LsaKey> = keys.iter().copied().collect();
        let mut found = Vec::with_capacity(keys.len());
        for key in &keys {
            let database = DatabaseId::of(key.ls_type, area, id.ifindex);
            let Some(entry) = self.lsdb_mut(database).and_then(|db| db.get_mut(key)) else {
                self.neighbor_event(now, id, NeighborEvent::BadLsReq);
                return;
            };
            entry.note_answered(now);
            found.push((database, *key));
        }
        let destination = interface_destination(self, id);
        self.transmit_lsas(now, id.ifindex, destination, &found);
    }
}

fn interface_destination(instance: &Instance, id: NeighborId) -> std::net::Ipv4Addr {
    instance
        .interfaces
        .get(&id.ifindex)
        .and_then(|i| i.neighbors.get(&id.router_id).map(|n| i.direct_destination(n.address)))
        .unwrap_or(crate::constants::ALL_SPF_ROUTERS)
}
