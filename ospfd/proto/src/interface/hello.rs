//! The Hello protocol (RFC 2328 §9.5, §10.5).
//!
//! Deviation: besides every HelloInterval a Hello is sent at once when the interface comes up, when a
//! neighbour is heard for the first time or has forgotten us (it restarted), and when an election changed what our Hellos say. With 10 s
//! Hellos that is the difference between an adjacency in milliseconds and one in ten seconds. It is at
//! most one extra packet per event. As long as an interface that just came up has heard nobody, Hellos follow
//! after 0.25, 0.5, 1, 2, … seconds until that reaches HelloInterval: the very first one is often lost,
//! because the other end learns of the carrier a moment later than we do.
//!
//! Deviation (fast Hellos): App. A.3.2 counts HelloInterval in whole seconds. With `hello-multiplier` there are so many
//! Hellos in a RouterDeadInterval of one second; HelloInterval is 0 on the wire, and what the neighbours say there is not
//! compared (§10.5), as FRR and Cisco's routers do it. RouterDeadInterval is compared as ever, so whoever does
//! not do the same is refused; where only we do, he refuses us, too.

use super::{InterfaceState, NetworkKind};
use crate::constants::ALL_SPF_ROUTERS;
use crate::discard::Discard;
use crate::instance::{Event, Instance, TimerKey};
use crate::neighbor::{Neighbor, NeighborEvent, NeighborId, NeighborState};
use crate::packet::{Hello, OutgoingBody, options};
use routing_common::id::{IfIndex, RouterId};
use routing_common::time::{Duration, Instant};
use std::net::Ipv4Addr;

/// Wait between the first two Hellos of an interface that has heard nobody yet.
const FIRST_HELLOS: Duration = Duration::from_millis(250);

/// More neighbours on one interface than any real network has.
const MAX_NEIGHBORS: usize = 1000;

impl Instance {
    /// §9.5, to AllSPFRouters.
    pub(crate) fn send_hello(&mut self, now: Instant, ifindex: IfIndex) {
        let Some(interface) = self.interfaces.get(&ifindex) else { return };
        let Some(address) = interface.address else { return };
        let area = interface.area();
        let or_zero = |a: Option<Ipv4Addr>| a.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let hello = Hello {
            network_mask: address.mask(),
            // Of fast Hellos this makes 0.
            hello_interval: u16::try_from(interface.config.hello_interval.as_secs()).unwrap_or(u16::MAX),
            options: self.areas.get(&area).map_or(options::E, |a| a.options()),
            priority: interface.config.priority,
            dead_interval: u32::try_from(interface.config.dead_interval.as_secs()).unwrap_or(u32::MAX),
            designated_router: or_zero(interface.designated_router),
            backup_designated_router: or_zero(interface.backup_designated_router),
            neighbors: interface
                .neighbors
                .values()
                .filter(|n| n.state >= NeighborState::Init)
                .map(|n| n.id.router_id)
                .collect(),
        };
        self.transmit(now, ifindex, ALL_SPF_ROUTERS, &OutgoingBody::Hello(&hello));
    }

    /// The Hello Timer fired.
    pub(crate) fn hello_timer(&mut self, now: Instant, ifindex: IfIndex) {
        let Some(interface) = self.interfaces.get(&ifindex) else { return };
        let interval = interface.config.hello_interval;
        let up_for = now.since(interface.state_since);
        let wait = if interface.neighbors.is_empty() && up_for < interval {
            up_for.max(FIRST_HELLOS).min(interval)
        } else {
            // Up to a tenth early, so that routers started together do not stay in step.
            interval.saturating_sub(self.rng.duration_up_to(interval / 10))
        };
        self.timers.arm(TimerKey::Hello(ifindex), now + wait);
        self.send_hello(now, ifindex);
    }

    /// §10.5, after the checks common to all packets.
    pub(crate) fn receive_hello(
        &mut self,
        now: Instant,
        ifindex: IfIndex,
        source: Ipv4Addr,
        router_id: RouterId,
        hello: &Hello,
    ) -> Option<NeighborId> {
        if let Some(reason) = self.hello_mismatch(ifindex, hello) {
            self.discard(now, ifindex, source, reason);
            return None;
        }
        if self.is_held_by_bfd(now, ifindex, source) {
            self.discard(now, ifindex, source, Discard::HeldByBfd);
            return None;
        }
        let id = NeighborId { ifindex, router_id };
        if let Err(reason) = self.replace_changed_neighbor(now, id, source) {
            self.discard(now, ifindex, source, reason);
            return None;
        }
        let interface = self.interfaces.get_mut(&ifindex)?;
        let is_new = !interface.neighbors.contains_key(&router_id);
        if is_new && interface.neighbors.len() >= MAX_NEIGHBORS {
            self.discard(now, ifindex, source, Discard::TooManyNeighbors);
            return None;
        }
        let state = interface.state;
        let own_address = interface.ip();
        let is_pardoned = self.pardon_hello(now, id, hello);
        let interface = self.interfaces.get_mut(&ifindex)?;
        let neighbor =
            interface.neighbors.entry(router_id).or_insert_with(|| Neighbor::new(id, source, hello, now));
        let before = neighbor.declarations();
        neighbor.address = source;
        if neighbor.helping.is_none() {
            neighbor.priority = hello.priority;
            neighbor.designated_router = hello.designated_router;
            neighbor.backup_designated_router = hello.backup_designated_router;
        }
        if neighbor.state < NeighborState::ExStart {
            neighbor.options = hello.options;
        }
        let after = neighbor.declarations();
        self.neighbor_event(now, id, NeighborEvent::HelloReceived);
        if is_new {
            self.send_hello(now, ifindex);
        }
        if !hello.neighbors.contains(&self.router_id) {
            let was_two_way = self.neighbor(id).is_some_and(|n| n.state >= NeighborState::TwoWay);
            if !is_pardoned {
                self.neighbor_event(now, id, NeighborEvent::OneWayReceived);
            }
            if was_two_way {
                self.send_hello(now, ifindex);
            }
            return Some(id);
        }
        self.neighbor_event(now, id, NeighborEvent::TwoWayReceived);
        if own_address.is_some() && !self.adopt_designation(now, ifindex, source, hello) {
            self.note_declarations(ifindex, state, hello, &before, &after, is_new);
        }
        Some(id)
    }

    /// The last four points of §10.5.
    fn note_declarations(
        &mut self,
        ifindex: IfIndex,
        state: InterfaceState,
        hello: &Hello,
        before: &Declarations,
        after: &Declarations,
        is_new: bool,
    ) {
        let no_backup = hello.backup_designated_router.is_unspecified();
        if state == InterfaceState::Waiting && (after.is_backup || (after.is_dr && no_backup)) {
            self.schedule(Event::BackupSeen(ifindex));
        } else if !is_new && before != after {
            self.schedule(Event::NeighborChange(ifindex));
        }
    }

    /// The comparisons of §10.5.
    fn hello_mismatch(&self, ifindex: IfIndex, hello: &Hello) -> Option<Discard> {
        let interface = self.interfaces.get(&ifindex)?;
        let area_options = self.areas.get(&interface.area()).map_or(options::E, |a| a.options());
        let mask = interface.address.map(|a| a.mask());
        if interface.kind == NetworkKind::Broadcast && Some(hello.network_mask) != mask {
            Some(Discard::HelloMask)
        } else if interface.config.hello_multiplier().is_none()
            && Duration::from_secs(u64::from(hello.hello_interval)) != interface.config.hello_interval
        {
            Some(Discard::HelloInterval)
        } else if Duration::from_secs(u64::from(hello.dead_interval)) != interface.config.dead_interval {
            Some(Discard::DeadInterval)
        } else if (hello.options ^ area_options) & options::E != 0 {
            Some(Discard::ExternalCapability)
        } else {
            None
        }
    }

    /// A known address with a new Router ID is a new neighbour: the router there was restarted with another
    /// id, or replaced. On a broadcast network so is a known Router ID at a new address; on a
    /// point-to-point one, where the RFC goes by Router ID, the address just changes.
    ///
    /// Two routers that were given one Router ID would replace each other with every Hello, so a neighbour is
    /// left alone in its first RouterDeadInterval; the other one's Hellos are discarded.
    fn replace_changed_neighbor(
        &mut self,
        now: Instant,
        id: NeighborId,
        source: Ipv4Addr,
    ) -> Result<(), Discard> {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return Ok(()) };
        let mut outdated = Vec::new();
        for neighbor in interface.neighbors.values() {
            let has_moved = neighbor.id == id && neighbor.address != source;
            if has_moved && interface.kind == NetworkKind::Broadcast {
                if now.since(neighbor.created) < interface.config.dead_interval {
                    return Err(Discard::SharedRouterId);
                }
                outdated.push(neighbor.id);
            } else if neighbor.id != id && neighbor.address == source {
                outdated.push(neighbor.id);
            }
        }
        for old in outdated {
            self.neighbor_event(now, old, NeighborEvent::KillNbr);
        }
        Ok(())
    }
}

/// What a neighbour says of itself in Hellos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Declarations {
    is_dr: bool,
    is_backup: bool,
    priority: u8,
}

impl Neighbor {
    fn declarations(&self) -> Declarations {
        Declarations {
            is_dr: self.declares_itself_dr(),
            is_backup: self.declares_itself_backup(),
            priority: self.priority,
        }
    }
}
