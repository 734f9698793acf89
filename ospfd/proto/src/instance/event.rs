//! The internal queue of *scheduled* events (RFC 2328 §4.4).
//!
//! The RFC distinguishes what is *executed* at once, because the rest of the same packet must see its
//! effect, from what is *scheduled* for after the present procedure. Executed steps are direct calls.
//! Scheduled ones are an [`Event`], pushed by [`Instance::schedule`] and taken out, first in, first out,
//! until none is left, before `handle` returns. Originations wait for all other events, so that one link
//! failure makes one new router-LSA; an event that already waits is not queued twice.

use super::Instance;
use crate::interface::InterfaceEvent;
use routing_common::id::IfIndex;
use routing_common::time::Instant;

/// Something to do once the present procedure has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// Interface event BackupSeen (§9.2; §10.5 asks for scheduling it).
    BackupSeen(IfIndex),
    /// Interface event NeighborChange (§9.2).
    NeighborChange(IfIndex),
    /// Neighbour event AdjOK? for all neighbours of an interface (§9.4 (7)).
    AdjOk(IfIndex),
    /// Router-LSAs may have changed (§12.4.1).
    OriginateRouter,
    /// Network-LSAs may have changed (§12.4.2).
    OriginateNetwork,
    /// AS-external-LSAs may have changed (§12.4.4).
    OriginateExternal,
}

impl Event {
    fn is_origination(self) -> bool {
        matches!(self, Self::OriginateRouter | Self::OriginateNetwork | Self::OriginateExternal)
    }
}

/// More rounds than any input can need: each event changes something that settles.
const MAX_ROUNDS: usize = 10_000;

impl Instance {
    /// Queues an event.
    pub(crate) fn schedule(&mut self, event: Event) {
        if !self.events.contains(&event) {
            self.events.push_back(event);
        }
    }

    /// Works the queue off, with everything that follows from it.
    pub(super) fn drain_events(&mut self, now: Instant) {
        for _ in 0..MAX_ROUNDS {
            if let Some(event) = self.next_event() {
                self.handle_event(now, event);
            } else if let Some(id) = self.request_progress.pop_first() {
                self.continue_requests(now, id);
            } else if std::mem::take(&mut self.sweep_wanted) {
                self.sweep_max_age(now);
            } else if !self.advance_restarts(now) {
                return;
            }
        }
        // What is left is done with the next input; nothing is lost.
        self.notice(routing_common::notice::Notice::error(
            "event-queue",
            "events of one turn do not settle; this is a bug in ospfd",
        ));
    }

    fn next_event(&mut self) -> Option<Event> {
        let at = self.events.iter().position(|e| !e.is_origination()).unwrap_or(0);
        self.events.remove(at)
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::BackupSeen(i) => self.interface_event(now, i, InterfaceEvent::BackupSeen),
            Event::NeighborChange(i) => self.interface_event(now, i, InterfaceEvent::NeighborChange),
            Event::AdjOk(i) => self.adjacencies_ok(now, i),
            Event::OriginateRouter => self.originate_router_lsas(now),
            Event::OriginateNetwork => self.originate_network_lsas(now),
            Event::OriginateExternal => self.originate_external_lsas(now),
        }
    }
}
