//! Helping a neighbour that restarts (RFC 3623 §3).
//!
//! While we help, the neighbour stays in our router-LSA and network-LSAs, in the election and in the next hops as it
//! was, whatever the real state of the adjacency ([`Neighbor::is_adjacent`]): its Hellos without us in
//! them, its silence, and what it says of Designated Routers are only remembered, and obeyed when the help ends.
//!
//! Deviations:
//! * On a network with a Designated Router a neighbour in 2-Way with which no adjacency is due is helped as well. No
//!   LSA shows it, but packets to it go straight to it, and its first Hello would take that next hop.
//! * §3.2 (1): when the grace-LSA is flushed before the new exchange of databases is done on our side (its last packet
//!   was lost), we help until it is, at most until the period ends. The neighbour has all it needs; only we do not know
//!   it yet, and would take the link out of our LSA for that moment.
//! * A grace period longer than LSRefreshTime is malformed.

use super::{GraceLsa, RestartReason};
use crate::discard::Discard;
use crate::instance::{Event, Instance, TimerKey, Trigger};
use crate::interface::{Interface, NetworkKind};
use crate::lsa::{LsaBody, LsaKey};
use crate::lsdb::DatabaseId;
use crate::neighbor::{Neighbor, NeighborEvent, NeighborId, NeighborState};
use crate::packet::Hello;
use core::fmt;
use routing_common::id::IfIndex;
use routing_common::notice::Severity;
use routing_common::time::{Duration, Instant};
use std::net::Ipv4Addr;

/// That we help a neighbour; owned by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helping {
    /// Since when.
    pub since: Instant,
    /// The end of the grace period.
    pub until: Instant,
    /// The grace period it asked for.
    pub period: Duration,
    /// Why it restarts.
    pub reason: RestartReason,
    /// Was it fully adjacent, so that our LSAs show it, and not in 2-Way?
    pub is_full: bool,
    /// Its Inactivity Timer has fired since its last Hello.
    pub is_silent: bool,
    /// Its last Hello did not list us.
    pub is_one_way: bool,
    /// Its grace-LSA was flushed: it is done, we are not.
    pub is_done: bool,
    /// What its last Hello said of priority, Designated Router and Backup.
    declared: Option<(u8, Ipv4Addr, Ipv4Addr)>,
}

/// What the decision to help depends on (§3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Facts {
    /// (1), or 2-Way where no adjacency is due.
    pub(super) is_adjacent: bool,
    /// (2): a changed LSA is on its retransmission list, and that matters.
    pub(super) has_changed_lsas: bool,
    /// (3)
    pub(super) is_over: bool,
    /// (4)
    pub(super) helps: bool,
    /// (5)
    pub(super) restarts_itself: bool,
    /// The exception: we help it already.
    pub(super) is_helped: bool,
}

/// Why a neighbour is not helped (§3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// (1)
    NotAdjacent,
    /// (2)
    TopologyChanged,
    /// (3)
    PeriodOver,
    /// (4)
    Configured,
    /// (5)
    RestartingItself,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAdjacent => "it is not fully adjacent",
            Self::TopologyChanged => "the topology changed and it may not know",
            Self::PeriodOver => "its grace period is over",
            Self::Configured => "the configuration forbids it",
            Self::RestartingItself => "this router is restarting itself",
        })
    }
}

/// §3.1 as a table: may a neighbour that sent a grace-LSA be helped?
///
/// # Errors
/// The first check that fails.
pub(super) fn admission(facts: Facts) -> Result<(), Refusal> {
    let checks = [
        (facts.helps, Refusal::Configured),
        (!facts.is_over, Refusal::PeriodOver),
        (facts.is_helped || !facts.restarts_itself, Refusal::RestartingItself),
        (facts.is_helped || facts.is_adjacent, Refusal::NotAdjacent),
        (facts.is_helped || !facts.has_changed_lsas, Refusal::TopologyChanged),
    ];
    checks.into_iter().find(|(kept, _)| !kept).map_or(Ok(()), |(_, refusal)| Err(refusal))
}

/// Why help ended (§3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HelpEnd {
    /// (1)
    Flushed,
    /// (2)
    PeriodOver,
    /// (3)
    TopologyChanged,
    /// A new grace-LSA that does not qualify.
    Refused(Refusal),
    /// The operator does not want it any more.
    Configured,
}

impl fmt::Display for HelpEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flushed => f.write_str("it has restarted"),
            Self::PeriodOver => f.write_str("its grace period is over"),
            Self::TopologyChanged => f.write_str("the topology changed"),
            Self::Refused(refusal) => write!(f, "{refusal}"),
            Self::Configured => f.write_str("the configuration forbids it"),
        }
    }
}

impl Neighbor {
    /// Is it to be advertised as fully adjacent (RFC 2328 §12.4, RFC 3623 §3)?
    pub fn is_adjacent(&self) -> bool {
        self.state == NeighborState::Full || self.helping.as_ref().is_some_and(|h| h.is_full)
    }
}

impl Interface {
    /// Number of neighbours to be advertised as fully adjacent.
    pub fn adjacent_neighbors(&self) -> usize {
        self.neighbors.values().filter(|n| n.is_adjacent()).count()
    }
}

impl Instance {
    /// A grace-LSA was installed.
    pub(crate) fn receive_grace_lsa(&mut self, now: Instant, from: NeighborId, key: LsaKey) {
        if !GraceLsa::is_key(&key) || key.advertising_router == self.router_id {
            return;
        }
        let database = DatabaseId::Link(from.ifindex);
        let Some(entry) = self.lsdb(database).and_then(|db| db.get(&key)) else { return };
        if entry.is_max_age(now) {
            self.grace_lsa_flushed(now, NeighborId { router_id: key.advertising_router, ..from });
            return;
        }
        let age = Duration::from_secs(u64::from(entry.age(now)));
        let decoded = match entry.lsa.body() {
            LsaBody::Opaque(body) => GraceLsa::decode(body),
            _ => None,
        };
        let found =
            decoded.and_then(|grace| Some((grace, self.restarting_neighbor(from.ifindex, key, grace)?)));
        let Some((grace, id)) = found else {
            if let Some(source) = self.neighbor(from).map(|n| n.address) {
                self.discard(now, from.ifindex, source, Discard::GraceLsa);
            }
            return;
        };
        self.consider_helping(now, id, grace, grace.duration().saturating_sub(age));
    }

    /// §3.1 (1): whom a grace-LSA is about. `None` if it names nobody, or somebody else's address.
    fn restarting_neighbor(&self, ifindex: IfIndex, key: LsaKey, grace: GraceLsa) -> Option<NeighborId> {
        let interface = self.interfaces.get(&ifindex)?;
        let router_id = key.advertising_router;
        if interface.kind == NetworkKind::Broadcast {
            let named = interface.neighbor_at(grace.address?)?;
            return (named.id.router_id == router_id).then_some(named.id);
        }
        Some(NeighborId { ifindex, router_id })
    }

    fn consider_helping(&mut self, now: Instant, id: NeighborId, grace: GraceLsa, rest: Duration) {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return };
        let Some(neighbor) = interface.neighbors.get(&id.router_id) else { return };
        let is_aside =
            neighbor.state == NeighborState::TwoWay && !interface.adjacency_wanted(neighbor.address);
        let policy = self.config.graceful_restart;
        let facts = Facts {
            is_adjacent: neighbor.state == NeighborState::Full || is_aside,
            has_changed_lsas: policy.strict_lsa_checking && self.is_missing_changes(interface, neighbor),
            is_over: rest.is_zero(),
            helps: policy.helper,
            restarts_itself: self.restart.phase != super::Phase::Normal,
            is_helped: neighbor.helping.is_some(),
        };
        match admission(facts) {
            Ok(()) => self.help(now, id, grace, rest),
            Err(refusal) if facts.is_helped => self.stop_helping(now, id, HelpEnd::Refused(refusal)),
            Err(refusal) => {
                let who = self.neighbor_text(id);
                let text = format!("{who} restarts and is not helped: {refusal}");
                self.tell_restart(now, Severity::Warning, text);
            }
        }
    }

    fn help(&mut self, now: Instant, id: NeighborId, grace: GraceLsa, rest: Duration) {
        let until = now + rest;
        let Some(neighbor) = self.neighbor_mut(id) else { return };
        let is_new = neighbor.helping.is_none();
        let is_full = neighbor.state == NeighborState::Full;
        let helping = neighbor.helping.get_or_insert_with(|| Helping {
            since: now,
            until,
            period: grace.duration(),
            reason: grace.reason,
            is_full,
            is_silent: false,
            is_one_way: false,
            is_done: false,
            declared: None,
        });
        (helping.until, helping.period, helping.reason) = (until, grace.duration(), grace.reason);
        helping.is_done = false;
        self.timers.arm(TimerKey::Helping(id.ifindex, id.router_id), until);
        if is_new {
            let (who, reason, seconds) = (self.neighbor_text(id), grace.reason.text(), rest.as_secs());
            let text = format!("{who} restarts ({reason}): helping it for up to {seconds} s");
            self.tell_restart(now, Severity::Info, text);
        }
    }

    fn neighbor_text(&self, id: NeighborId) -> String {
        let address = self.neighbor(id).map(|n| format!(" ({})", n.address)).unwrap_or_default();
        format!("neighbor {}{address} on {}", id.router_id, self.interface_name(id.ifindex))
    }

    fn grace_lsa_flushed(&mut self, now: Instant, id: NeighborId) {
        let Some(neighbor) = self.neighbor_mut(id) else { return };
        let is_forming = neighbor.is_forming();
        match &mut neighbor.helping {
            None => {}
            Some(helping) if is_forming => helping.is_done = true,
            Some(_) => self.stop_helping(now, id, HelpEnd::Flushed),
        }
    }

    /// §3.2 (2): the grace period of a neighbour is over.
    pub(crate) fn helping_expired(&mut self, now: Instant, id: NeighborId) {
        self.stop_helping(now, id, HelpEnd::PeriodOver);
    }

    /// Ceases to help (§3.2): our LSAs show the adjacency as it is, and what was ignored is obeyed.
    pub(super) fn stop_helping(&mut self, now: Instant, id: NeighborId, why: HelpEnd) {
        let who = self.neighbor_text(id);
        self.timers.cancel(TimerKey::Helping(id.ifindex, id.router_id));
        let Some(neighbor) = self.neighbor_mut(id) else { return };
        let Some(helping) = neighbor.helping.take() else { return };
        if let Some((priority, dr, backup)) = helping.declared {
            neighbor.priority = priority;
            neighbor.designated_router = dr;
            neighbor.backup_designated_router = backup;
        }
        let severity = if why == HelpEnd::Flushed { Severity::Info } else { Severity::Warning };
        self.restart.last_help_end = Some((now, why.to_string()));
        self.tell_restart(now, severity, format!("{who} is no longer helped: {why}"));
        if helping.is_silent {
            self.neighbor_event(now, id, NeighborEvent::InactivityTimer);
        } else if helping.is_one_way {
            self.neighbor_event(now, id, NeighborEvent::OneWayReceived);
        }
        if self.interfaces.get(&id.ifindex).is_some_and(|i| i.kind == NetworkKind::Broadcast) {
            self.schedule(Event::NeighborChange(id.ifindex));
        }
        self.schedule(Event::OriginateRouter);
        self.schedule(Event::OriginateNetwork);
        self.surroundings_changed(Trigger::Restart);
    }

    /// A new configuration forbids what we do.
    pub(crate) fn stop_helping_all(&mut self, now: Instant) {
        for id in self.helped() {
            self.stop_helping(now, id, HelpEnd::Configured);
        }
    }

    pub(super) fn helped(&self) -> Vec<NeighborId> {
        let neighbors = self.interfaces.values().flat_map(|i| i.neighbors.values());
        neighbors.filter(|n| n.helping.is_some()).map(|n| n.id).collect()
    }

    /// A neighbour's state changed: one whose restart was done may now be Full with us; of one that is gone nothing
    /// is left to help.
    pub(crate) fn note_helped_state(&mut self, now: Instant, id: NeighborId, new: NeighborState) {
        let is_done = self.neighbor(id).and_then(|n| n.helping.as_ref()).map(|h| h.is_done);
        match (is_done, new) {
            (None, _) => {}
            (Some(_), NeighborState::Down) => {
                self.timers.cancel(TimerKey::Helping(id.ifindex, id.router_id));
                let text = format!("{} is no longer helped: it is down", self.neighbor_text(id));
                self.restart.last_help_end = Some((now, "it is down".into()));
                self.tell_restart(now, Severity::Warning, text);
            }
            (Some(true), NeighborState::Full) => self.stop_helping(now, id, HelpEnd::Flushed),
            (Some(_), _) => {}
        }
    }

    /// Nothing was heard for RouterDeadInterval. Says whether that is remembered only.
    pub(crate) fn pardon_silence(&mut self, now: Instant, id: NeighborId) -> bool {
        let Some(interface) = self.interfaces.get_mut(&id.ifindex) else { return false };
        let again = now + interface.config.dead_interval;
        let neighbor = interface.neighbors.get_mut(&id.router_id);
        let Some(helping) = neighbor.and_then(|n| n.helping.as_mut()) else { return false };
        helping.is_silent = true;
        if helping.is_done {
            self.stop_helping(now, id, HelpEnd::Flushed);
        } else {
            self.timers.arm(TimerKey::Inactivity(id.ifindex, id.router_id), again);
        }
        true
    }

    /// A Hello of a neighbour we help: what it says about elections and about us is kept for later. Says whether
    /// there is nothing to obey now.
    pub(crate) fn pardon_hello(&mut self, now: Instant, id: NeighborId, hello: &Hello) -> bool {
        let is_one_way = !hello.neighbors.contains(&self.router_id);
        let Some(neighbor) = self.neighbor_mut(id) else { return false };
        let Some(helping) = &mut neighbor.helping else { return false };
        helping.is_silent = false;
        helping.is_one_way = is_one_way;
        let said = (hello.priority, hello.designated_router, hello.backup_designated_router);
        helping.declared = Some(said);
        if helping.is_done && is_one_way {
            // It restarts once more, and has not asked for help this time.
            self.stop_helping(now, id, HelpEnd::Flushed);
        }
        is_one_way
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of facts against §3.1 read aloud.
    #[test]
    fn every_check_of_section_3_1_refuses_alone_and_the_exception_holds() {
        for bits in 0..64_u8 {
            let bit = |n: u8| bits & (1 << n) != 0;
            let facts = Facts {
                is_adjacent: bit(0),
                has_changed_lsas: bit(1),
                is_over: bit(2),
                helps: bit(3),
                restarts_itself: bit(4),
                is_helped: bit(5),
            };
            let allowed = facts.helps
                && !facts.is_over
                && (facts.is_helped
                    || (facts.is_adjacent && !facts.has_changed_lsas && !facts.restarts_itself));
            assert_eq!(admission(facts).is_ok(), allowed, "{facts:?}");
        }
    }

    #[test]
    fn the_reason_is_the_check_that_failed() {
        let good = Facts {
            is_adjacent: true,
            has_changed_lsas: false,
            is_over: false,
            helps: true,
            restarts_itself: false,
            is_helped: false,
        };
        assert_eq!(admission(good), Ok(()));
        let table = [
            (Facts { is_adjacent: false, ..good }, Refusal::NotAdjacent),
            (Facts { has_changed_lsas: true, ..good }, Refusal::TopologyChanged),
            (Facts { is_over: true, ..good }, Refusal::PeriodOver),
            (Facts { helps: false, ..good }, Refusal::Configured),
            (Facts { restarts_itself: true, ..good }, Refusal::RestartingItself),
        ];
        for (facts, refusal) in table {
            assert_eq!(admission(facts), Err(refusal), "{facts:?}");
        }
    }
}
