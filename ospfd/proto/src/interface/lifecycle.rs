//! Performing the interface machine's transitions (RFC 2328 §9.3, §9.4).

use super::{
    Attachment, Candidate, Interface, InterfaceEvent, InterfaceState, NetworkKind, Transition, elect,
    transition,
};
use crate::constants::{ALL_D_ROUTERS, ALL_SPF_ROUTERS};
use crate::instance::{Event, Instance, Output, TimerKey, Trigger};
use crate::neighbor::{NeighborEvent, NeighborId, NeighborState};
use routing_common::id::{IfIndex, RouterId};
use routing_common::notice::Notice;
use routing_common::time::Instant;
use std::net::Ipv4Addr;

impl Interface {
    fn attachment(&self) -> Attachment {
        match self.kind {
            NetworkKind::PointToPoint | NetworkKind::Loopback => Attachment::PointToPoint,
            NetworkKind::Broadcast if self.config.priority == 0 => Attachment::BroadcastIneligible,
            NetworkKind::Broadcast => Attachment::BroadcastEligible,
        }
    }

    /// Ourselves and the bidirectional neighbours as §9.4 wants them.
    fn candidates(&self, router_id: RouterId, address: Ipv4Addr) -> (Candidate, Vec<Candidate>) {
        let own = Candidate {
            router_id,
            address,
            priority: self.config.priority,
            designated_router: self.designated_router.unwrap_or(Ipv4Addr::UNSPECIFIED),
            backup_designated_router: self.backup_designated_router.unwrap_or(Ipv4Addr::UNSPECIFIED),
        };
        let others = self
            .neighbors
            .values()
            .filter(|n| n.state >= NeighborState::TwoWay)
            .map(|n| Candidate {
                router_id: n.id.router_id,
                address: n.address,
                priority: n.priority,
                designated_router: n.designated_router,
                backup_designated_router: n.backup_designated_router,
            })
            .collect();
        (own, others)
    }
}

impl Instance {
    /// Executes an event of an interface.
    pub(crate) fn interface_event(&mut self, now: Instant, ifindex: IfIndex, event: InterfaceEvent) {
        let Some(interface) = self.interfaces.get(&ifindex) else { return };
        match transition(interface.state, event, interface.attachment()) {
            None => {}
            Some(Transition::Start(state)) => self.start_interface(now, ifindex, state),
            Some(Transition::Elect) => self.run_election(now, ifindex),
            Some(Transition::Stop(state)) => self.stop_interface(now, ifindex, state),
            Some(Transition::Enter(state)) => self.enter_interface_state(now, ifindex, state),
        }
    }

    fn start_interface(&mut self, now: Instant, ifindex: IfIndex, state: InterfaceState) {
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return };
        let dead_interval = interface.config.dead_interval;
        if !interface.config.passive {
            interface.is_open = true;
            let name = interface.name.clone();
            self.outputs.push_back(Output::OpenInterface { ifindex, name });
            self.outputs.push_back(Output::JoinGroup { ifindex, group: ALL_SPF_ROUTERS });
        }
        self.enter_interface_state(now, ifindex, state);
        if state == InterfaceState::Waiting {
            self.timers.arm(TimerKey::Wait(ifindex), now + dead_interval);
        }
        match self.interfaces.get(&ifindex).is_some_and(Interface::is_active) {
            true if self.restart.is_restarting() => self.announce_restart(now, ifindex),
            true => self.hello_timer(now, ifindex),
            false => {}
        }
    }

    fn stop_interface(&mut self, now: Instant, ifindex: IfIndex, state: InterfaceState) {
        let Some(interface) = self.interfaces.get(&ifindex) else { return };
        let ids: Vec<NeighborId> = interface.neighbors.values().map(|n| n.id).collect();
        for id in ids {
            self.neighbor_event(now, id, NeighborEvent::KillNbr);
        }
        self.enter_interface_state(now, ifindex, state);
        for key in [
            TimerKey::Hello(ifindex),
            TimerKey::Wait(ifindex),
            TimerKey::DelayedAck(ifindex),
            TimerKey::FloodPacing(ifindex),
            TimerKey::Announcement(ifindex),
        ] {
            self.timers.cancel(key);
        }
        self.restart.announced.remove(&ifindex);
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return };
        interface.designated_router = None;
        interface.backup_designated_router = None;
        interface.delayed_acks.clear();
        interface.flood_queue.clear();
        interface.lsdb = crate::lsdb::Lsdb::default();
        self.link_scoped.remove(&ifindex);
        if std::mem::take(&mut interface.is_open) {
            self.outputs.push_back(Output::CloseInterface { ifindex });
        }
    }

    pub(crate) fn enter_interface_state(&mut self, now: Instant, ifindex: IfIndex, state: InterfaceState) {
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return };
        let old = interface.state;
        if old == state {
            return;
        }
        interface.state = state;
        interface.state_since = now;
        interface.statistics.state_changes += 1;
        let name = interface.name.clone();
        let wants_d_group = matches!(state, InterfaceState::Dr | InterfaceState::Backup)
            && interface.is_open
            && !interface.config.passive;
        if wants_d_group != interface.is_d_router {
            interface.is_d_router = wants_d_group;
            let group = ALL_D_ROUTERS;
            self.outputs.push_back(if wants_d_group {
                Output::JoinGroup { ifindex, group }
            } else {
                Output::LeaveGroup { ifindex, group }
            });
        }
        if old == InterfaceState::Waiting {
            self.timers.cancel(TimerKey::Wait(ifindex));
        }
        let text = format!("interface {name}: {old:?} to {state:?}");
        self.notice(Notice::info("interface-state", text).on(name));
        self.schedule(Event::OriginateRouter);
        self.schedule(Event::OriginateNetwork);
        self.schedule(Event::OriginateExternal);
        self.surroundings_changed(Trigger::Interface(ifindex));
    }

    /// §9.4.
    fn run_election(&mut self, now: Instant, ifindex: IfIndex) {
        let router_id = self.router_id;
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return };
        let Some(address) = interface.ip() else { return };
        let (own, others) = interface.candidates(router_id, address);
        let elected = elect(own, &others);
        let changed = (interface.designated_router, interface.backup_designated_router)
            != (elected.designated_router, elected.backup_designated_router);
        interface.designated_router = elected.designated_router;
        interface.backup_designated_router = elected.backup_designated_router;
        let state = if elected.designated_router == Some(address) {
            InterfaceState::Dr
        } else if elected.backup_designated_router == Some(address) {
            InterfaceState::Backup
        } else {
            InterfaceState::DrOther
        };
        self.enter_interface_state(now, ifindex, state);
        if changed {
            self.schedule(Event::AdjOk(ifindex));
            self.schedule(Event::OriginateRouter);
            self.schedule(Event::OriginateNetwork);
            self.send_hello(now, ifindex);
        }
    }

    /// §9.4 (7): reconsiders every bidirectional neighbour.
    pub(crate) fn adjacencies_ok(&mut self, now: Instant, ifindex: IfIndex) {
        self.bfd.is_dirty = true;
        let Some(interface) = self.interfaces.get(&ifindex) else { return };
        let ids: Vec<NeighborId> =
            interface.neighbors.values().filter(|n| n.state >= NeighborState::TwoWay).map(|n| n.id).collect();
        for id in ids {
            self.neighbor_event(now, id, NeighborEvent::AdjOk);
        }
    }
}
