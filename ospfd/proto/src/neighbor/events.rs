//! Performing the neighbour machine's actions (RFC 2328 §10.3, §10.4).

use super::{Action, Facts, NeighborEvent, NeighborId, NeighborState, transition};
use crate::discard::NOTICE_INTERVAL;
use crate::instance::{Event, Instance, TimerKey, Trigger};
use crate::interface::{Interface, InterfaceState, NetworkKind};
use crate::lsdb::{DatabaseId, Lsdb};
use routing_common::notice::{Notice, Severity};
use routing_common::time::Instant;

/// State changes of neighbours told per interface and [`NOTICE_INTERVAL`]; a neighbour could change its state
/// with every packet.
const MAX_NOTICES: u32 = 50;

impl Interface {
    /// May another state change be told, and remembered for shows?
    fn may_tell(&mut self, now: Instant) -> bool {
        let (since, count) = self.state_notices;
        let is_over = now.since(since) >= NOTICE_INTERVAL;
        self.state_notices = if is_over { (now, 1) } else { (since, count.saturating_add(1)) };
        is_over || count < MAX_NOTICES
    }

    /// §10.4: should there be an adjacency with this neighbour?
    pub(crate) fn adjacency_wanted(&self, address: std::net::Ipv4Addr) -> bool {
        self.kind == NetworkKind::PointToPoint
            || matches!(self.state, InterfaceState::Dr | InterfaceState::Backup)
            || self.designated_router == Some(address)
            || self.backup_designated_router == Some(address)
    }
}

impl Instance {
    /// Executes an event of a neighbour at once (§4.4). Unknown neighbours and meaningless events are
    /// ignored.
    pub(crate) fn neighbor_event(&mut self, now: Instant, id: NeighborId, event: NeighborEvent) {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return };
        let Some(neighbor) = interface.neighbors.get(&id.router_id) else { return };
        let facts = Facts {
            adjacency_wanted: interface.adjacency_wanted(neighbor.address),
            request_list_empty: neighbor.link_state_request_list.is_empty(),
        };
        let old = neighbor.state;
        let Some((new, action)) = transition(old, event, facts) else { return };
        self.enter_neighbor_state(now, id, old, new, event);
        self.perform_neighbor_action(now, id, action);
        if old != new {
            self.note_helped_state(now, id, new);
            self.after_neighbor_change(id, old, new);
        }
    }

    fn enter_neighbor_state(
        &mut self,
        now: Instant,
        id: NeighborId,
        old: NeighborState,
        new: NeighborState,
        event: NeighborEvent,
    ) {
        if old == new {
            return;
        }
        let Some(neighbor) = self.neighbor_mut(id) else { return };
        neighbor.state = new;
        neighbor.state_since = now;
        neighbor.state_changes = neighbor.state_changes.saturating_add(1);
        let address = neighbor.address;
        let name = self.interface_name(id.ifindex);
        let adjacency = old == NeighborState::Full || new == NeighborState::Full;
        let is_helped = self.neighbor(id).is_some_and(|n| n.helping.is_some());
        let adjacency = adjacency && !(is_helped && new > NeighborState::TwoWay);
        let severity = match (adjacency, new < NeighborState::TwoWay && old >= NeighborState::TwoWay) {
            (true, true) => Severity::Warning,
            (true, false) | (false, true) => Severity::Info,
            (false, false) => Severity::Debug,
        };
        let is_told = severity > Severity::Debug
            && self.interfaces.get_mut(&id.ifindex).is_some_and(|i| i.may_tell(now));
        let severity = if is_told { severity } else { Severity::Debug };
        let text =
            format!("neighbor {} ({address}) on {name}: {old:?} to {new:?} by {event:?}", id.router_id);
        if severity > Severity::Debug {
            self.log_adjacency(now, id, old, new, event);
        }
        self.notice(Notice::new(severity, "neighbor-state", text).on(name).about(id.router_id));
    }

    fn perform_neighbor_action(&mut self, now: Instant, id: NeighborId, action: Action) {
        match action {
            Action::None => {}
            Action::RestartInactivityTimer => {
                if let Some(interface) = self.interfaces.get(&id.ifindex) {
                    let at = now + interface.config.dead_interval;
                    self.timers.arm(TimerKey::Inactivity(id.ifindex, id.router_id), at);
                }
            }
            Action::StartExchange => self.start_exchange(now, id),
            Action::SummarizeDatabase => self.summarize_database(now, id),
            Action::ContinueRequests => self.continue_requests(now, id),
            Action::ClearLists => self.clear_adjacency(id),
            Action::Forget => {
                self.clear_adjacency(id);
                self.timers.cancel(TimerKey::Inactivity(id.ifindex, id.router_id));
            }
        }
    }

    /// Clears the lists and stops what works on them.
    pub(super) fn clear_adjacency(&mut self, id: NeighborId) {
        if let Some(neighbor) = self.neighbor_mut(id) {
            neighbor.clear_lists();
        }
        for key in [
            TimerKey::DatabaseDescription(id.ifindex, id.router_id),
            TimerKey::SlaveHold(id.ifindex, id.router_id),
            TimerKey::LinkStateRequest(id.ifindex, id.router_id),
            TimerKey::Retransmission(id.ifindex, id.router_id),
        ] {
            self.timers.cancel(key);
        }
    }

    fn after_neighbor_change(&mut self, id: NeighborId, old: NeighborState, new: NeighborState) {
        self.bfd.is_dirty = true;
        let Some(interface) = self.interfaces.get_mut(&id.ifindex) else { return };
        if new == NeighborState::Down {
            interface.neighbors.remove(&id.router_id);
        }
        let is_broadcast = interface.kind == NetworkKind::Broadcast;
        let usable = interface.usable_from();
        let area = interface.area();
        if is_broadcast && (old >= NeighborState::TwoWay) != (new >= NeighborState::TwoWay) {
            self.schedule(Event::NeighborChange(id.ifindex));
        }
        if new == NeighborState::Full {
            self.introductions.insert(id);
            for database in [DatabaseId::Area(area), DatabaseId::As] {
                self.lsdb_mut(database).into_iter().for_each(Lsdb::pack);
            }
        }
        if new == NeighborState::Full || old == NeighborState::Full {
            self.schedule(Event::OriginateRouter);
            self.schedule(Event::OriginateNetwork);
            self.save_soon();
        }
        // The calculation takes next hops from usable neighbours, not only from our own LSA: a dead one
        // is left in this very turn, whenever the LSA may follow.
        if (old >= usable) != (new >= usable) {
            self.surroundings_changed(Trigger::Neighbor(id));
        }
        if old >= NeighborState::Exchange && new < NeighborState::Exchange {
            self.forget_held_from(id);
        }
        // Whoever leaves Exchange or Loading may have been what kept LSAs at MaxAge (§14).
        self.sweep_wanted = true;
    }
}
