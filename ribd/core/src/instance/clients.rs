//! What clients say, and what they are told.

use super::{Rib, TimerKey, redistributed};
use crate::io::Output;
use crate::message::{
    Attachment, ClientMessage, PROTOCOL_VERSION, Protocol, RibMessage, RouteChange, Subscription,
};
use crate::resolve::View;
use crate::route::{Candidate, Origin, Way};
use crate::session::{ClientId, Session};
use ipnetwork::Ipv4Network;
use routing_common::notice::Notice;
use routing_common::prefix;
use routing_common::time::{Duration, Instant};

/// Most prefixes in the table; more are refused to the client that brings them.
const MAX_PREFIXES: usize = 1_000_000;
/// Longest time between `BeginSync` and `EndSync`; then what was not repeated goes all the same.
const SYNC_PATIENCE: Duration = Duration::from_secs(120);
/// Longest time a change may take to be told; then what has been told of it is carried out.
const PART_PATIENCE: Duration = Duration::from_secs(1);
/// Most networks a client may name routers of: as many as a host has interfaces, and more.
const MAX_ATTACHMENTS: usize = 1000;
/// Most next hops of one route; the kernel's own bound is larger, a ring's need far smaller.
const MAX_NEXT_HOPS: usize = 64;

impl Rib {
    pub(super) fn client_message(&mut self, now: Instant, id: ClientId, message: ClientMessage) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.name.is_none() && !matches!(message, ClientMessage::Hello { .. }) {
            return self.reject(id, "it did not begin with Hello");
        }
        session.tells_more = false;
        match message {
            ClientMessage::Hello { .. } if session.name.is_some() => self.reject(id, "it said Hello twice"),
            ClientMessage::Hello { version, protocol, name } => self.hello(now, id, version, protocol, name),
            ClientMessage::Subscribe(subscription) => self.subscribe(id, subscription),
            ClientMessage::FibBarrier(number) => self.answers.push((id, RibMessage::FibDone(number))),
            ClientMessage::Goodbye { withdraw } => self.goodbye(now, id, withdraw),
            ClientMessage::BeginSync
            | ClientMessage::EndSync
            | ClientMessage::Routes(_)
            | ClientMessage::Part(_)
            | ClientMessage::Alternates { .. }
            | ClientMessage::Lost(_)
            | ClientMessage::Attached(_) => {
                let Some(protocol) = session.protocol else {
                    return self.reject(id, "it brings routes but named no protocol");
                };
                self.routes_message(now, id, protocol, message);
            }
        }
    }

    fn routes_message(&mut self, now: Instant, id: ClientId, protocol: Protocol, message: ClientMessage) {
        let origin = Origin::Client(protocol);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match message {
            ClientMessage::BeginSync => {
                session.syncing = true;
                self.table.mark_stale(origin);
                // Not less than the stale time: a client that restarts gracefully takes as long as its
                // grace period, which is no longer, and counts it from now.
                let patience = SYNC_PATIENCE.max(self.stale_time());
                self.timers.arm(TimerKey::Stale(protocol), now + patience);
            }
            ClientMessage::EndSync => {
                session.syncing = false;
                session.synced = true;
                self.timers.cancel(TimerKey::Stale(protocol));
                self.sweep_stale(protocol);
                self.answers.push((id, RibMessage::Synced));
            }
            ClientMessage::Attached(mut attachments) => {
                attachments.truncate(MAX_ATTACHMENTS);
                self.attached.insert(protocol, attachments);
            }
            ClientMessage::Alternates { changes, more } => {
                if more {
                    self.expect_more(now, id);
                }
                let view = View { table: &self.table, links: &self.links };
                for (p, hop) in changes {
                    let hop = hop.and_then(|h| view.direct(h).ok());
                    self.fib.set_alternate(prefix::canonical(p), protocol, hop);
                }
            }
            ClientMessage::Lost(hops) => {
                self.expect_more(now, id);
                let view = View { table: &self.table, links: &self.links };
                self.fib.lose(&hops.into_iter().filter_map(|h| view.direct(h).ok()).collect());
            }
            ClientMessage::Part(changes) => {
                self.expect_more(now, id);
                self.routes_message(now, id, protocol, ClientMessage::Routes(changes));
            }
            ClientMessage::Routes(changes) => {
                session.changes += changes.len() as u64;
                for change in changes {
                    self.route_change(now, origin, change);
                }
            }
            _ => {}
        }
    }

    /// A change is told in several messages.
    fn expect_more(&mut self, now: Instant, id: ClientId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.tells_more = true;
            self.timers.arm(TimerKey::Part, now + PART_PATIENCE);
        }
    }

    fn route_change(&mut self, now: Instant, origin: Origin, change: RouteChange) {
        match change {
            RouteChange::Withdraw(p) => self.withdraw(prefix::canonical(p), origin),
            RouteChange::Replace(mut route) => {
                let p = prefix::canonical(route.prefix);
                if self.table.len() >= MAX_PREFIXES && self.table.get(p).is_none() {
                    let text = format!("the table is full with {MAX_PREFIXES} prefixes, {p} is ignored");
                    return self.limited(now, Notice::error("table-full", text));
                }
                if route.next_hops.len() > MAX_NEXT_HOPS {
                    route.next_hops.truncate(MAX_NEXT_HOPS);
                    let text = format!("{p} has more than {MAX_NEXT_HOPS} next hops, the rest is ignored");
                    self.limited(now, Notice::warning("too-many-next-hops", text));
                }
                let way =
                    if route.next_hops.is_empty() { Way::Blackhole } else { Way::Hops(route.next_hops) };
                let (distance, metric, tag) = (route.distance, route.metric, route.tag);
                let candidate = Candidate { origin, distance, metric, tag, way, since: now, stale: false };
                self.offer(p, candidate);
            }
        }
    }

    fn hello(&mut self, now: Instant, id: ClientId, version: u16, protocol: Option<Protocol>, name: String) {
        if version != PROTOCOL_VERSION {
            return self.reject(id, &format!("it speaks version {version}, not {PROTOCOL_VERSION}"));
        }
        if matches!(protocol, Some(Protocol::Connected | Protocol::Static)) {
            return self.reject(id, "connected and static routes are not a client's to bring");
        }
        // The newest session of a protocol is the one that counts: its predecessor may be a connection
        // whose end has not been noticed yet.
        let rivals: Vec<ClientId> = self
            .sessions
            .iter()
            .filter(|(other, s)| **other != id && protocol.is_some() && s.protocol == protocol)
            .map(|(other, _)| *other)
            .collect();
        let replaces = !rivals.is_empty();
        for rival in rivals {
            if let Some(s) = self.sessions.get_mut(&rival) {
                s.protocol = None;
                s.tells_more = false;
            }
            self.reject(rival, "a newer session of the same protocol replaces it");
        }
        if let (Some(protocol), true) = (protocol, replaces) {
            // What the old session brought is the new one's to repeat.
            self.disown(protocol);
            self.arm_stale(now, protocol);
        }
        self.notice(Notice::info("client-connected", format!("client {name} connected")));
        if let Some(session) = self.sessions.get_mut(&id) {
            session.name = Some(name);
            session.protocol = protocol;
        }
        let keeps_routes = protocol.is_some_and(|protocol| self.timers.is_armed(TimerKey::Stale(protocol)));
        let hello = RibMessage::Hello { version: PROTOCOL_VERSION, keeps_routes };
        self.outputs.push_back(Output::ToClient(id, hello));
    }

    fn reject(&mut self, id: ClientId, why: &str) {
        self.notice(Notice::warning("client-rejected", format!("client {} is disconnected: {why}", id.0)));
        self.outputs.push_back(Output::Disconnect(id));
    }

    fn subscribe(&mut self, id: ClientId, subscription: Subscription) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.subscription = subscription;
        session.told_stand = None;
        session.told_attached = None;
        let told: Vec<Ipv4Network> = session.told.keys().copied().collect();
        for p in told {
            let selected = self.table.get(p).and_then(|e| e.selected.as_ref());
            session.update(p, selected.map(|s| redistributed(&self.links, p, s)).as_ref());
        }
        for (p, entry) in self.table.iter() {
            if let Some(selected) = &entry.selected {
                session.update(p, Some(&redistributed(&self.links, p, selected)));
            }
        }
        self.answers.push((id, RibMessage::SubscriptionSynced));
    }

    /// The session of a protocol is over: its routes are nobody's for now, and what it knew nobody knows.
    fn disown(&mut self, protocol: Protocol) {
        self.attached.remove(&protocol);
        self.table.mark_stale(Origin::Client(protocol));
        self.fib.forget_alternates(protocol);
    }

    fn goodbye(&mut self, now: Instant, id: ClientId, withdraw: bool) {
        let Some(protocol) = self.sessions.get_mut(&id).and_then(|s| s.protocol.take()) else { return };
        self.disown(protocol);
        if withdraw {
            self.timers.cancel(TimerKey::Stale(protocol));
            self.sweep_stale(protocol);
        } else {
            self.arm_stale(now, protocol);
        }
    }

    pub(super) fn client_gone(&mut self, now: Instant, id: ClientId) {
        let Some(Session { name, protocol, .. }) = self.sessions.remove(&id) else { return };
        if let Some(protocol) = protocol {
            self.disown(protocol);
            self.arm_stale(now, protocol);
        }
        if let Some(name) = name {
            self.notice(Notice::info("client-gone", format!("client {name} disconnected")));
        }
    }

    /// The routes of a protocol that nobody repeated go, in the table and among those found at start.
    pub(super) fn sweep_stale(&mut self, protocol: Protocol) {
        let origin = Origin::Client(protocol);
        for p in self.table.prefixes_where(|c| c.origin == origin && c.stale) {
            self.withdraw(p, origin);
        }
        // Static routes found at start waited for these routes, too.
        self.fib.release_held(|_, _| true);
    }

    /// Sends news and the answers that have become due.
    pub(super) fn tell_clients(&mut self) {
        let done = self.fib.done();
        for (id, session) in &mut self.sessions {
            // News come first: an answer says that everything before it has been told.
            for message in session.take_news().into_iter().chain(session.take_due(done)) {
                session.installed |= message == RibMessage::Synced;
                self.outputs.push_back(Output::ToClient(*id, message));
            }
        }
        let stand = self.routes_stand();
        for (id, session) in self.sessions.iter_mut().filter(|(_, s)| s.subscription.routes_stand) {
            if session.told_stand.replace(stand) != Some(stand) {
                self.outputs.push_back(Output::ToClient(*id, RibMessage::RoutesStand(stand)));
            }
        }
        self.tell_attachments();
    }

    /// See [`RibMessage::Attached`].
    fn tell_attachments(&mut self) {
        let mut listeners = self.sessions.iter_mut().filter(|(_, s)| s.subscription.attachments).peekable();
        if listeners.peek().is_none() {
            return;
        }
        let now: Vec<Attachment> = self.attached.values().flatten().cloned().collect();
        for (id, session) in listeners {
            if session.told_attached.as_ref() != Some(&now) {
                session.told_attached = Some(now.clone());
                self.outputs.push_back(Output::ToClient(*id, RibMessage::Attached(now.clone())));
            }
        }
    }

    /// See [`RibMessage::RoutesStand`].
    pub fn routes_stand(&self) -> bool {
        let brought = |s: &Session| s.installed && s.protocol == Some(Protocol::Ospf);
        let ospf = self.config.as_ref().is_some_and(|c| c.ospf.is_some());
        self.is_ready() && (!ospf || self.sessions.values().any(brought))
    }
}
