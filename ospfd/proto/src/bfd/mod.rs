//! Bidirectional Forwarding Detection for adjacencies (RFC 5882 §10.1).
//!
//! Owned by the [`Instance`]. Hellos find the neighbours; every neighbour that was heard on an interface with
//! `bfd` gets a session: were it wanted from 2-Way on, both ends of a path that had failed would hold each other's Hellos and
//! wait for a session that neither asks for. On a LAN two that are neither Designated Router nor Backup end theirs once they
//! are 2-Way: no route depends on what they say of each other, and a large LAN would have a session for each pair. What this module wants of bfdd is compared with what it asked for once a turn
//! ([`Instance::refresh_bfd`]); the connection is declarative, as that to the RIB.
//!
//! * A session that was Up and is Down means that the path has failed (RFC 5882 §3.2): the neighbour gets the event
//!   LLDown in the same turn, long before its InactivityTimer. A session that never was Up says nothing, so a
//!   neighbour without BFD is an ordinary neighbour; neither does one that the peer took down on purpose.
//! * *Holding*: a neighbour lost so is not heard again before its session is Up or RouterDeadInterval has passed. A path
//!   that lets one Hello a second through but not the traffic would otherwise make an adjacency a second.
//! * The session outlives its neighbour by RouterDeadInterval: the other end must hear that it is down and not that
//!   it was taken down, and it is what tells that the path is sound again. Then a Hello leaves at once.
//! * Where it is bfdd that failed the neighbour is kept ([`bridge`]).
//! * Of a neighbour that restarts gracefully (RFC 3623) and whom we help, a failure ends the help and the adjacency if its
//!   BFD does not share fate with its control plane (the C bit in both directions; ours always says so): packets are not
//!   forwarded any more (RFC 5882 §4.3.1). If it does, the session has failed because of the restart as likely as not, and
//!   nothing follows from it (§4.3.2): the neighbour is one without BFD until the session is Up again, and has its grace
//!   period. What fails before the grace-LSA has come is a failure as ever (§4.3.2.2).
//! * bfdd may come and go; without it OSPF goes on by its own timers. After a restart of ospfd, `EndSync`, upon which
//!   bfdd ends what was not asked for again, waits until the adjacencies are back, so that no session ends meanwhile.

mod bridge;

use crate::instance::{Instance, Output, TimerKey};
use crate::interface::{Interface, InterfaceState};
use crate::neighbor::{Neighbor, NeighborEvent, NeighborState};
use bfd_proto::message::{
    BfdMessage, ClientMessage, PROTOCOL_VERSION, Parameters, SessionKey, SessionState, SessionStatus,
};
use routing_common::id::IfIndex;
use routing_common::notice::Notice;
use routing_common::time::Instant;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// More sessions than any router here will have; neighbours beyond that do without.
const MAX_SESSIONS: usize = 1000;

/// A session as this module knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// How it was asked for.
    pub parameters: Parameters,
    /// As told last on this connection.
    pub state: Option<SessionState>,
    /// Its neighbour is gone; since then it lingers.
    lingers_since: Option<Instant>,
    /// The path failed, and the neighbour is not heard until then.
    holds_until: Option<Instant>,
    /// Its bfdd seems to have failed and the path not: until then it must prove that.
    probation_until: Option<Instant>,
}

/// Sessions, and the connection with bfdd.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bfd {
    is_connected: bool,
    /// `EndSync` is still to be sent.
    is_syncing: bool,
    sessions: BTreeMap<SessionKey, Watched>,
    bridge: bridge::Bridge,
    /// Neighbours, interfaces or the configuration changed in this turn.
    pub(crate) is_dirty: bool,
}

impl Instance {
    /// The sessions asked for, for shows and for whoever holds the engine to its promises.
    pub fn bfd_sessions(&self) -> impl Iterator<Item = (&SessionKey, &Watched)> {
        self.bfd.sessions.iter()
    }

    /// The session with a neighbour, if there is one.
    pub fn bfd_session(&self, ifindex: IfIndex, peer: Ipv4Addr) -> Option<&Watched> {
        let own = self.interfaces.get(&ifindex)?.ip()?;
        self.bfd.sessions.get(&SessionKey::single_hop(peer, own, ifindex))
    }

    pub(crate) fn bfd_connected(&mut self, now: Instant) {
        self.bfd.is_connected = true;
        self.bfd.is_syncing = true;
        let hello = ClientMessage::Hello { version: PROTOCOL_VERSION, name: "ospfd".to_owned() };
        self.say_bfd(hello);
        self.say_bfd(ClientMessage::BeginSync);
        let all: Vec<_> = self.bfd.sessions.iter().map(|(key, w)| (*key, w.parameters)).collect();
        for (key, parameters) in all {
            self.say_bfd(ClientMessage::Register { key, parameters });
        }
        self.timers.arm(TimerKey::BfdEndSync, now + self.convergence_patience());
    }

    /// Nobody watches any more. What was known on this connection is void, and so is what was held for it.
    pub(crate) fn bfd_lost(&mut self, now: Instant) {
        self.begin_bridging(now);
        (self.bfd.is_connected, self.bfd.is_syncing) = (false, false);
        self.timers.cancel(TimerKey::BfdEndSync);
        for watched in self.bfd.sessions.values_mut() {
            (watched.state, watched.holds_until, watched.probation_until) = (None, None, None);
        }
    }

    pub(crate) fn bfd_message(&mut self, now: Instant, message: BfdMessage) {
        match message {
            BfdMessage::Hello { .. } => {}
            BfdMessage::State(status) => self.bfd_state(now, &status),
            BfdMessage::Refused { key, reason } => {
                let text = format!("bfdd does not watch {}: {reason}", key.peer);
                self.notice(Notice::warning("bfd-refused", text).about(key.peer));
            }
        }
    }

    fn bfd_state(&mut self, now: Instant, status: &SessionStatus) {
        let key = status.key;
        let (Some(ifindex), Some(watched)) = (key.interface, self.bfd.sessions.get_mut(&key)) else { return };
        let before = watched.state.replace(status.state);
        let was_up = before == Some(SessionState::Up);
        match status.state {
            SessionState::Up => {
                (watched.holds_until, watched.probation_until) = (None, None);
                if !was_up && watched.lingers_since.is_some() {
                    self.send_hello(now, ifindex);
                }
            }
            SessionState::Down if was_up && !status.remote_admin_down => {
                if !self.pardon_restart(ifindex, status) && !self.pardon_bfdd(now, status) {
                    self.path_failed(now, ifindex, key, status.diagnostic.name());
                }
            }
            // The other end stopped watching: no statement about the path.
            SessionState::AdminDown | SessionState::Down | SessionState::Init => {}
        }
    }

    /// RFC 5882 §4.3.2: has the session of somebody failed who restarts gracefully, and whose BFD shares fate with the
    /// control plane that does?
    fn pardon_restart(&mut self, ifindex: IfIndex, status: &SessionStatus) -> bool {
        let Some(interface) = self.interfaces.get(&ifindex) else { return false };
        let is_helped = interface.neighbor_at(status.key.peer).is_some_and(|n| n.helping.is_some());
        if !is_helped || status.remote_independent {
            return false;
        }
        let text = format!(
            "{} on {} restarts gracefully and its BFD with it: {} says nothing about the path",
            status.key.peer,
            interface.name,
            status.diagnostic.name()
        );
        self.notice(Notice::info("bfd-peer-restarts", text));
        true
    }

    /// RFC 5882 §3.2: the neighbour is gone.
    fn path_failed(&mut self, now: Instant, ifindex: IfIndex, key: SessionKey, why: &str) {
        let peer = key.peer;
        let Some(interface) = self.interfaces.get(&ifindex) else { return };
        let until = now + interface.config.dead_interval;
        let neighbor = interface.neighbor_at(peer).map(|n| n.id);
        let text = format!("{peer} on {} is unreachable: BFD {why}", interface.name);
        let notice = Notice::warning("bfd-down", text).on(&interface.name).about(peer);
        self.notice(notice);
        if let Some(watched) = self.bfd.sessions.get_mut(&key) {
            watched.holds_until = Some(until);
        }
        if let Some(id) = neighbor {
            self.neighbor_event(now, id, NeighborEvent::LlDown);
        }
    }

    /// Is this neighbour not to be heard for now? See the module text.
    pub(crate) fn is_held_by_bfd(&self, now: Instant, ifindex: IfIndex, peer: Ipv4Addr) -> bool {
        self.bfd_session(ifindex, peer).is_some_and(|w| w.holds(now))
    }

    /// Asks bfdd for what changed: once a turn, after everything else.
    pub(crate) fn refresh_bfd(&mut self, now: Instant) {
        if std::mem::take(&mut self.bfd.is_dirty) {
            let wanted = self.wanted_sessions();
            self.end_unwanted_sessions(now, &wanted);
            for (key, parameters) in wanted {
                self.want_session(key, parameters);
            }
        }
        if self.bfd.is_syncing && self.links_known && self.is_converged() {
            self.end_bfd_sync();
        }
    }

    /// Says that all sessions have been asked for.
    pub(crate) fn end_bfd_sync(&mut self) {
        self.timers.cancel(TimerKey::BfdEndSync);
        if std::mem::take(&mut self.bfd.is_syncing) {
            self.say_bfd(ClientMessage::EndSync);
        }
    }

    /// A session that lingered, or what it holds, may be due.
    pub(crate) fn bfd_linger_timer(&mut self) {
        self.bfd.is_dirty = true;
    }

    /// Leaves, so that the other ends do not take our leaving for a failure.
    pub(crate) fn bfd_farewell(&mut self) {
        self.bfd.sessions.clear();
        self.say_bfd(ClientMessage::Goodbye);
    }

    fn wanted_sessions(&self) -> BTreeMap<SessionKey, Parameters> {
        let mut wanted = BTreeMap::new();
        for interface in self.interfaces.values().filter(|i| i.is_active()) {
            let (Some(profile), Some(own)) = (&interface.config.bfd, interface.ip()) else { continue };
            for neighbor in interface.neighbors.values().filter(|n| is_worth_watching(interface, n)) {
                let key = SessionKey::single_hop(neighbor.address, own, interface.ifindex);
                wanted.insert(key, Parameters::from(profile));
            }
        }
        wanted
    }

    fn want_session(&mut self, key: SessionKey, parameters: Parameters) {
        let is_full = self.bfd.sessions.len() >= MAX_SESSIONS;
        match self.bfd.sessions.get_mut(&key) {
            Some(watched) => {
                watched.lingers_since = None;
                if watched.parameters == parameters {
                    return;
                }
                watched.parameters = parameters;
            }
            None if is_full => return,
            None => {
                let watched = Watched {
                    parameters,
                    state: None,
                    lingers_since: None,
                    holds_until: None,
                    probation_until: None,
                };
                self.bfd.sessions.insert(key, watched);
            }
        }
        self.say_bfd(ClientMessage::Register { key, parameters });
    }

    /// Sessions whose neighbours are gone linger while their interface works; then they go.
    fn end_unwanted_sessions(&mut self, now: Instant, wanted: &BTreeMap<SessionKey, Parameters>) {
        let mut ended = Vec::new();
        let mut next: Option<Instant> = None;
        for (key, watched) in &mut self.bfd.sessions {
            if wanted.contains_key(key) {
                continue;
            }
            let interface = key.interface.and_then(|ifindex| self.interfaces.get(&ifindex));
            let works = interface.filter(|i| i.is_active() && i.config.bfd.is_some() && i.ip() == key.local);
            let since = *watched.lingers_since.get_or_insert(now);
            match works.map(|i| since + i.config.dead_interval).filter(|until| *until > now) {
                Some(until) => next = Some(next.map_or(until, |n| n.min(until))),
                None => ended.push(*key),
            }
        }
        match next {
            Some(at) => self.timers.arm(TimerKey::BfdLinger, at),
            None => {
                self.timers.cancel(TimerKey::BfdLinger);
            }
        }
        for key in ended {
            self.bfd.sessions.remove(&key);
            self.say_bfd(ClientMessage::Unregister(key));
        }
    }

    fn say_bfd(&mut self, message: ClientMessage) {
        if self.bfd.is_connected {
            self.outputs.push_back(Output::Bfd(message));
        }
    }
}

/// Is there an adjacency, or may there be one?
fn is_worth_watching(interface: &Interface, neighbor: &Neighbor) -> bool {
    let stays_two_way = neighbor.state == NeighborState::TwoWay
        && interface.state == InterfaceState::DrOther
        && !interface.adjacency_wanted(neighbor.address);
    neighbor.state >= NeighborState::Init && !stays_two_way
}

impl Watched {
    /// Is the neighbour not to be heard for now?
    pub fn holds(&self, now: Instant) -> bool {
        self.holds_until.is_some_and(|until| now < until)
    }
}
