//! Describing the databases (RFC 2328 §10.6, §10.8).
//!
//! Deviation: our own router-LSA is left out of the Database summary list and sent when the adjacency is
//! Full. Described earlier, it would be requested without the link this adjacency is about to add, and its
//! successor, milliseconds later, would come before MinLSArrival and be dropped: the link would stay
//! unusable for a second with us and for RxmtInterval with other routers.
//!
//! Deviation (hazard of a returning router): a header that shows an LSA of ours from a previous life,
//! newer than anything we have, is not put on the Link state request list. Its contents are of no
//! use to us; [`Instance::outsequence_stale`] originates its successor, or flushes it, in this very
//! turn, before the adjacency is Full and before anyone routes by it.

use super::round_trip::answer_patience;
use super::{DescriptionMark, NeighborEvent, NeighborId, NeighborState};
use crate::discard::Discard;
use crate::instance::{Instance, TimerKey};
use crate::lsa::{LsType, LsaHeader, LsaKey};
use crate::lsdb::{DatabaseId, MAX_LSAS};
use crate::packet::{DatabaseDescription, OutgoingBody, headers_per_description, max_payload, options};
use core::cmp::Ordering;
use core::ops::ControlFlow;
use routing_common::id::AreaId;
use routing_common::time::Instant;

impl Instance {
    /// Action of entering ExStart: new sequence number, claim to be master, say so.
    pub(super) fn start_exchange(&mut self, now: Instant, id: NeighborId) {
        self.clear_adjacency(id);
        // "Some unique value (like the time of day clock)", §10.3.
        let first = u32::try_from(self.rng.next_u64() >> 33).unwrap_or(1);
        let Some(interface) = self.interfaces.get_mut(&id.ifindex) else { return };
        let (interface_mtu, area) = (interface.mtu, interface.area());
        let options = options::O | self.areas.get(&area).map_or(options::E, |a| a.options());
        let Some(neighbor) = interface.neighbors.get_mut(&id.router_id) else { return };
        let sequence = neighbor.dd_sequence.map_or(first, |s| s.wrapping_add(1));
        neighbor.dd_sequence = Some(sequence);
        neighbor.is_master = true;
        neighbor.description_repeats = 0;
        neighbor.last_sent = Some(DatabaseDescription {
            interface_mtu,
            options,
            init: true,
            more: true,
            master: true,
            sequence,
            headers: Vec::new(),
        });
        self.repeat_description(now, id);
    }

    /// Sends the last Database Description (again), and as master wants an answer.
    pub(super) fn repeat_description(&mut self, now: Instant, id: NeighborId) {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return };
        let Some(neighbor) = interface.neighbors.get(&id.router_id) else { return };
        let Some(mut dd) = neighbor.last_sent.clone() else { return };
        // The MTU of now, not that of the first time: otherwise an MTU that was put right would not end a
        // mismatch.
        dd.interface_mtu = interface.mtu;
        if neighbor.is_master && neighbor.state <= NeighborState::Exchange {
            let at =
                now + answer_patience(interface.config.retransmit_interval, neighbor.description_repeats);
            self.timers.arm(TimerKey::DatabaseDescription(id.ifindex, id.router_id), at);
        }
        let destination = interface.direct_destination(neighbor.address);
        self.transmit(now, id.ifindex, destination, &OutgoingBody::DatabaseDescription(&dd));
    }

    /// Nobody answered the last Database Description in time.
    pub(crate) fn description_unanswered(&mut self, now: Instant, id: NeighborId) {
        if let Some(neighbor) = self.neighbor_mut(id) {
            neighbor.description_repeats = neighbor.description_repeats.saturating_add(1);
        }
        self.repeat_description(now, id);
    }

    /// Action of entering Exchange: fill the Database summary list.
    pub(super) fn summarize_database(&mut self, now: Instant, id: NeighborId) {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return };
        let databases = [DatabaseId::Link(id.ifindex), DatabaseId::Area(interface.area()), DatabaseId::As];
        let takes_opaque = interface.neighbors.get(&id.router_id).is_some_and(|n| n.takes_opaque());
        let own_router_lsa = self.own_router_lsa();
        let mut list = std::collections::VecDeque::new();
        let mut at_max_age = Vec::new();
        for database in databases {
            let Some(lsdb) = self.lsdb(database) else { continue };
            for (key, entry) in lsdb.iter() {
                if *key == own_router_lsa || (is_opaque(key.ls_type) && !takes_opaque) {
                    continue;
                }
                if entry.is_max_age(now) {
                    at_max_age.push(*key);
                } else {
                    list.push_back((database, *key));
                }
            }
        }
        if let Some(neighbor) = self.neighbor_mut(id) {
            neighbor.database_summary_list = list;
        }
        for key in at_max_age {
            self.expect_acknowledgment(now, id, key);
        }
    }

    /// §10.6.
    pub(crate) fn receive_description(&mut self, now: Instant, id: NeighborId, dd: &DatabaseDescription) {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return };
        let Some(neighbor) = interface.neighbors.get(&id.router_id) else { return };
        let source = neighbor.address;
        if !interface.config.mtu_ignore && dd.interface_mtu > interface.mtu {
            self.discard(now, id.ifindex, source, Discard::MtuMismatch);
            return;
        }
        if neighbor.state == NeighborState::Init {
            self.neighbor_event(now, id, NeighborEvent::TwoWayReceived);
        }
        let Some(neighbor) = self.neighbor(id) else { return };
        match neighbor.state {
            NeighborState::ExStart => self.negotiate(now, id, dd),
            NeighborState::Exchange | NeighborState::Loading | NeighborState::Full => {
                self.receive_in_sequence(now, id, dd);
            }
            NeighborState::Down | NeighborState::Init | NeighborState::TwoWay => {
                self.discard(now, id.ifindex, source, Discard::NeighborState);
            }
        }
    }

    fn negotiate(&mut self, now: Instant, id: NeighborId, dd: &DatabaseDescription) {
        let own_id = self.router_id;
        let Some(neighbor) = self.neighbor_mut(id) else { return };
        let peer_is_larger = id.router_id.to_bits() > own_id.to_bits();
        if dd.init && dd.more && dd.master && dd.headers.is_empty() && peer_is_larger {
            neighbor.is_master = false;
            neighbor.dd_sequence = Some(dd.sequence);
        } else if !dd.init && !dd.master && neighbor.dd_sequence == Some(dd.sequence) && !peer_is_larger {
            neighbor.is_master = true;
        } else {
            // The smaller router's claim to be master: it will follow our own.
            return;
        }
        neighbor.options = dd.options;
        self.timers.cancel(TimerKey::DatabaseDescription(id.ifindex, id.router_id));
        self.neighbor_event(now, id, NeighborEvent::NegotiationDone);
        self.accept_description(now, id, dd);
    }

    fn receive_in_sequence(&mut self, now: Instant, id: NeighborId, dd: &DatabaseDescription) {
        let Some(neighbor) = self.neighbor(id) else { return };
        if neighbor.last_received == Some(DescriptionMark::of(dd)) {
            match (neighbor.is_master, neighbor.last_sent.is_some()) {
                (true, _) => {}
                (false, true) => self.repeat_description(now, id),
                (false, false) => self.neighbor_event(now, id, NeighborEvent::SeqNumberMismatch),
            }
            return;
        }
        let expected = neighbor.dd_sequence.map(|s| if neighbor.is_master { s } else { s.wrapping_add(1) });
        let in_order = neighbor.state == NeighborState::Exchange
            && dd.master != neighbor.is_master
            && !dd.init
            && dd.options == neighbor.options
            && expected == Some(dd.sequence);
        if in_order {
            self.accept_description(now, id, dd);
        } else {
            self.neighbor_event(now, id, NeighborEvent::SeqNumberMismatch);
        }
    }

    /// The packet is the next in sequence.
    fn accept_description(&mut self, now: Instant, id: NeighborId, dd: &DatabaseDescription) {
        if let Some(neighbor) = self.neighbor_mut(id) {
            neighbor.last_received = Some(DescriptionMark::of(dd));
        }
        for header in &dd.headers {
            if matches!(header.key.ls_type, LsType::Unknown(_)) {
                self.neighbor_event(now, id, NeighborEvent::SeqNumberMismatch);
                return;
            }
            if self.compare_with_database(now, id, header).is_break() {
                self.neighbor_event(now, id, NeighborEvent::SeqNumberMismatch);
                return;
            }
        }
        let Some(neighbor) = self.neighbor_mut(id) else { return };
        let done = if neighbor.is_master {
            neighbor.dd_sequence = neighbor.dd_sequence.map(|s| s.wrapping_add(1));
            let all_sent = neighbor.last_sent.as_ref().is_some_and(|sent| !sent.more);
            if !all_sent || dd.more {
                self.send_next_description(now, id);
            }
            all_sent && !dd.more
        } else {
            neighbor.dd_sequence = Some(dd.sequence);
            let more = self.send_next_description(now, id);
            !dd.more && !more
        };
        if done {
            self.finish_exchange(now, id);
        } else {
            self.continue_requests(now, id);
        }
    }

    fn finish_exchange(&mut self, now: Instant, id: NeighborId) {
        self.timers.cancel(TimerKey::DatabaseDescription(id.ifindex, id.router_id));
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return };
        let at = now + interface.config.dead_interval;
        if interface.neighbors.get(&id.router_id).is_some_and(|n| !n.is_master) {
            self.timers.arm(TimerKey::SlaveHold(id.ifindex, id.router_id), at);
        }
        self.neighbor_event(now, id, NeighborEvent::ExchangeDone);
    }

    /// Puts what is newer there than here on the Link state request list. Breaks off when the neighbour
    /// describes more than any database holds.
    fn compare_with_database(&mut self, now: Instant, id: NeighborId, header: &LsaHeader) -> ControlFlow<()> {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return ControlFlow::Break(()) };
        if header.key.ls_type == LsType::Nssa {
            // RFC 3101: no type 7 LSAs outside of NSSAs; we would discard the contents.
            return ControlFlow::Continue(());
        }
        let database = DatabaseId::of(header.key.ls_type, interface.area(), id.ifindex);
        let own = self.lsdb(database).and_then(|db| db.get(&header.key)).map(|e| e.header(now));
        let is_known = own.is_some_and(|own| own.instance_cmp(header) != Ordering::Less);
        if is_known || self.outsequence_stale(now, database, header) {
            return ControlFlow::Continue(());
        }
        let Some(neighbor) = self.neighbor_mut(id) else { return ControlFlow::Break(()) };
        if neighbor.link_state_request_list.len() >= MAX_LSAS {
            let source = neighbor.address;
            self.discard(now, id.ifindex, source, Discard::DatabaseFull);
            return ControlFlow::Break(());
        }
        neighbor.link_state_request_list.insert(header.key, *header);
        ControlFlow::Continue(())
    }

    /// Sends the next part of the Database summary list; says whether more is to come.
    fn send_next_description(&mut self, now: Instant, id: NeighborId) -> bool {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return false };
        let room = headers_per_description(max_payload(interface.mtu, &interface.config.authentication));
        let mut headers = Vec::new();
        let mut late: Vec<LsaKey> = Vec::new();
        while headers.len() < room {
            let Some((database, key)) =
                self.neighbor_mut(id).and_then(|n| n.database_summary_list.pop_front())
            else {
                break;
            };
            match self.lsdb(database).and_then(|db| db.get(&key)).map(|e| e.header(now)) {
                Some(header) if header.is_max_age() => late.push(key),
                Some(header) => headers.push(header),
                None => {}
            }
        }
        for key in late {
            self.expect_acknowledgment(now, id, key);
        }
        let Some(neighbor) = self.neighbor_mut(id) else { return false };
        let Some(previous) = neighbor.last_sent.as_ref() else { return false };
        let more = !neighbor.database_summary_list.is_empty();
        neighbor.description_repeats = 0;
        neighbor.last_sent = Some(DatabaseDescription {
            interface_mtu: previous.interface_mtu,
            options: previous.options,
            init: false,
            more,
            master: neighbor.is_master,
            sequence: neighbor.dd_sequence.unwrap_or_default(),
            headers,
        });
        self.repeat_description(now, id);
        more
    }

    /// Sends our router-LSA to neighbours that became Full, unless it was flooded to them in this turn.
    /// One that waits to be originated is waited for: it is flooded to them, or turns out to be what the
    /// database shows already and is sent then.
    pub(crate) fn introduce_ourselves(&mut self, now: Instant) {
        if self.introductions.is_empty() {
            return;
        }
        let key = self.own_router_lsa();
        let waits = |area: &AreaId| self.timers.is_armed(TimerKey::Originate(DatabaseId::Area(*area), key));
        if self.areas.keys().all(waits) {
            return; // In a large area for many turns.
        }
        for id in std::mem::take(&mut self.introductions) {
            let Some(interface) = self.interfaces.get(&id.ifindex) else { continue };
            let Some(neighbor) = interface.neighbors.get(&id.router_id) else { continue };
            let database = DatabaseId::Area(interface.area());
            let is_listed = neighbor.link_state_retransmission_list.contains_key(&key);
            let is_there = self.lsdb(database).is_some_and(|db| db.get(&key).is_some());
            if neighbor.state != NeighborState::Full || is_listed || !is_there {
                continue;
            }
            if self.timers.is_armed(TimerKey::Originate(database, key)) {
                self.introductions.insert(id);
                continue;
            }
            let destination = interface.direct_destination(neighbor.address);
            self.expect_acknowledgment(now, id, key);
            self.transmit_lsas(now, id.ifindex, destination, &[(database, key)]);
        }
    }

    /// The slave need not answer duplicates any longer (§10.8).
    pub(crate) fn release_description(&mut self, id: NeighborId) {
        if let Some(neighbor) = self.neighbor_mut(id) {
            neighbor.last_sent = None;
        }
    }
}

/// Types 9 to 11.
pub(crate) fn is_opaque(ls_type: LsType) -> bool {
    matches!(ls_type, LsType::OpaqueLink | LsType::OpaqueArea | LsType::OpaqueAs)
}
