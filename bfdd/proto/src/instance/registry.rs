//! Who wants which session, and how: sessions come into being, change and end here.

use super::{HostStatus, Instance, Output, Timer};
use crate::constants::{MOST_REGISTRATIONS, MOST_SESSIONS};
use crate::machine::Event;
use crate::message::{BfdMessage, Parameters, SessionKey, SessionState, SessionStatus};
use crate::session::{Context, Identity, Session};
use routing_common::config::BfdPeer;
use routing_common::id::IfIndex;
use routing_common::link::LinkEvent;
use routing_common::notice::Notice;
use routing_common::time::Instant;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Who registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// The configuration file.
    Configuration,
    /// A client, by the number of its principal.
    Client(u32),
}

/// One wish for a session.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) parameters: Parameters,
    /// Hold the session in AdminDown.
    pub(crate) shutdown: bool,
    /// The peer's name in the file and that of its profile.
    pub(crate) configured: Option<(String, String)>,
    /// Told since the last BeginSync.
    fresh: bool,
    /// bfd.LocalDiscr of the session; `None` while no interface leads to the peer.
    pub(crate) session: Option<u32>,
}

impl Instance {
    /// A client's wish for a session, new or repeated; answered by its state.
    pub(super) fn register(
        &mut self,
        now: Instant,
        owner: Owner,
        key: SessionKey,
        parameters: Parameters,
    ) -> Result<(), String> {
        check(&key)?;
        let wish = Registration { parameters, shutdown: false, configured: None, fresh: true, session: None };
        self.wish(now, owner, key, wish)?;
        self.tell(owner, key);
        Ok(())
    }

    fn wish(
        &mut self,
        now: Instant,
        owner: Owner,
        key: SessionKey,
        wish: Registration,
    ) -> Result<(), String> {
        let place = (owner, key);
        let known = self.registrations.contains_key(&place);
        if !known && self.registrations.len() >= MOST_REGISTRATIONS {
            return Err(format!("there are {MOST_REGISTRATIONS} registrations already"));
        }
        let session = self.registrations.get(&place).and_then(|r| r.session);
        self.registrations.insert(place, Registration { session, ..wish });
        let attached = self.attach(now, place);
        if attached.is_err() {
            self.unregister(now, owner, key);
        }
        attached
    }

    pub(super) fn unregister(&mut self, now: Instant, owner: Owner, key: SessionKey) {
        let gone = self.registrations.remove(&(owner, key));
        if let Some(discriminator) = gone.and_then(|r| r.session) {
            self.review(now, discriminator);
        }
    }

    pub(super) fn unregister_all(&mut self, now: Instant, owner: Owner) {
        self.unregister_where(now, owner, |_| true);
    }

    pub(super) fn mark_stale(&mut self, owner: Owner) {
        self.registrations.iter_mut().filter(|((o, _), _)| *o == owner).for_each(|(_, r)| r.fresh = false);
    }

    pub(super) fn remove_stale(&mut self, now: Instant, owner: Owner) {
        self.unregister_where(now, owner, |r| !r.fresh);
    }

    fn unregister_where(&mut self, now: Instant, owner: Owner, which: impl Fn(&Registration) -> bool) {
        let of = self.registrations.iter().filter(|((o, _), r)| *o == owner && which(r));
        let keys: Vec<SessionKey> = of.map(|((_, key), _)| *key).collect();
        for key in keys {
            self.unregister(now, owner, key);
        }
    }

    /// The session a key means now.
    fn identity(&self, key: &SessionKey) -> Option<Identity> {
        let peer = key.peer;
        if key.multihop {
            return Some(Identity::Multihop { peer, local: key.local });
        }
        let interface = key.interface.or_else(|| self.kernel.towards(peer))?;
        Some(Identity::SingleHop { interface, peer })
    }

    /// Leads a registration to its session, which is made if need be, and away from its old one.
    fn attach(&mut self, now: Instant, place: (Owner, SessionKey)) -> Result<(), String> {
        let identity = self.identity(&place.1);
        let found = identity.and_then(|i| self.index.get(&i).copied());
        let session = match (identity, found) {
            (Some(identity), None) => Some(self.create(now, identity, &place)?),
            _ => found,
        };
        let Some(registration) = self.registrations.get_mut(&place) else { return Ok(()) };
        let before = core::mem::replace(&mut registration.session, session);
        if let Some(old) = before.filter(|old| Some(*old) != session) {
            self.review(now, old);
        }
        if let Some(new) = session {
            self.review(now, new);
        }
        Ok(())
    }

    fn create(
        &mut self,
        now: Instant,
        identity: Identity,
        place: &(Owner, SessionKey),
    ) -> Result<u32, String> {
        if self.sessions.len() >= MOST_SESSIONS {
            return Err(format!("there are {MOST_SESSIONS} sessions already"));
        }
        let parameters = self.registrations.get(place).map(|r| r.parameters).ok_or("no registration")?;
        let discriminator = loop {
            // proof: the lower half of 64 bits.
            let candidate = (self.rng.next_u64() & 0xffff_ffff) as u32;
            if candidate != 0 && !self.sessions.contains_key(&candidate) {
                break candidate;
            }
        };
        let running = self.kernel.is_running(identity.interface());
        let mut cx = Context { now, rng: &mut self.rng, out: &mut self.out, running };
        let session = Session::new(&mut cx, identity, discriminator, parameters);
        if !self.is_listening(session.interface()) {
            self.out.push_back(Output::Listen(session.interface()));
        }
        self.sessions.insert(discriminator, session);
        self.index.insert(identity, discriminator);
        Ok(discriminator)
    }

    fn is_listening(&self, interface: Option<IfIndex>) -> bool {
        self.sessions.values().any(|s| s.interface() == interface)
    }

    /// Brings a session in line with those who want it, or ends it when nobody does.
    fn review(&mut self, now: Instant, discriminator: u32) {
        let wishes: Vec<(Option<Ipv4Addr>, Registration)> = self
            .registrations
            .iter()
            .filter(|(_, r)| r.session == Some(discriminator))
            .map(|((_, key), r)| (key.local, r.clone()))
            .collect();
        let Some(parameters) = wishes.iter().map(|(_, r)| r.parameters).reduce(fastest) else {
            return self.end(now, discriminator);
        };
        self.timers.cancel(Timer::End(discriminator));
        let Some(session) = self.sessions.get_mut(&discriminator) else { return };
        let wanted = wishes.iter().find_map(|(local, _)| *local);
        let local =
            wanted.or_else(|| session.interface().and_then(|i| self.kernel.source(i, session.peer())));
        if session.local != local || !session.opened {
            (session.local, session.opened) = (local, true);
            let (peer, interface) = (session.peer(), session.interface());
            self.out.push_back(Output::Open { session: discriminator, peer, local, interface });
        }
        let event = if wishes.iter().any(|(_, r)| r.shutdown) { Event::Disable } else { Event::Enable };
        self.touch(now, discriminator, |session, cx| {
            if session.parameters != parameters {
                session.adjust(parameters);
            }
            session.step(cx, event);
        });
    }

    /// Nobody wants it: it says so for one Detection Time (RFC 5880 §6.8.16) and goes.
    fn end(&mut self, now: Instant, discriminator: u32) {
        let until = self.touch(now, discriminator, |session, cx| {
            session.step(cx, Event::Disable);
            session.farewell_until(cx.now)
        });
        match until {
            Some(until) if until > now => self.timers.arm(Timer::End(discriminator), until),
            _ => self.remove(now, discriminator),
        }
    }

    pub(super) fn remove(&mut self, _now: Instant, discriminator: u32) {
        let Some(session) = self.sessions.remove(&discriminator) else { return };
        self.index.remove(&session.identity);
        for timer in
            [Timer::Transmit(discriminator), Timer::Detection(discriminator), Timer::End(discriminator)]
        {
            self.timers.cancel(timer);
        }
        self.out.push_back(Output::Close(discriminator));
        if !self.is_listening(session.interface()) {
            self.out.push_back(Output::StopListening(session.interface()));
        }
    }

    /// A session's state to everybody who wants it.
    pub(super) fn tell_clients(&mut self, discriminator: u32) {
        let of = self.registrations.iter().filter(|(_, r)| r.session == Some(discriminator));
        let places: Vec<(Owner, SessionKey)> = of.map(|(place, _)| *place).collect();
        for (owner, key) in places {
            self.tell(owner, key);
        }
    }

    fn tell(&mut self, owner: Owner, key: SessionKey) {
        let Owner::Client(id) = owner else { return };
        let Some(client) = self.principal(id).and_then(|p| p.connection) else { return };
        let Some(registration) = self.registrations.get(&(owner, key)) else { return };
        let session = registration.session.and_then(|d| self.sessions.get(&d));
        let status = SessionStatus {
            key,
            state: session.map_or(SessionState::Down, |s| s.session_state),
            diagnostic: session.map(|s| s.local_diag).unwrap_or_default(),
            remote_diagnostic: session.map(|s| s.remote_diag).unwrap_or_default(),
            remote_independent: session.is_some_and(|s| s.remote_independent),
            remote_admin_down: session.is_some_and(|s| s.remote_session_state == SessionState::AdminDown),
        };
        self.out.push_back(Output::ToClient(client, BfdMessage::State(status)));
    }

    pub(super) fn reconfigure(&mut self, now: Instant, peers: BTreeMap<String, BfdPeer>) {
        if !self.stopping {
            self.peers = peers;
            self.follow_configuration(now);
        }
    }

    /// Registers what the file wants and the interfaces there are allow.
    fn follow_configuration(&mut self, now: Instant) {
        let owner = Owner::Configuration;
        self.mark_stale(owner);
        for (name, peer) in self.peers.clone() {
            let interface = match &peer.interface {
                Some(name) => match self.kernel.index(name) {
                    Some(interface) => Some(interface),
                    None => continue,
                },
                None => None,
            };
            let key = SessionKey {
                peer: peer.address,
                local: peer.local_address,
                interface,
                multihop: peer.multihop,
            };
            let wish = Registration {
                parameters: Parameters::from(&peer.profile),
                shutdown: peer.shutdown,
                configured: Some((name.clone(), peer.profile.name.clone())),
                fresh: true,
                session: None,
            };
            if let Err(reason) = self.wish(now, owner, key, wish) {
                let text = format!("peer {name} is left out: {reason}");
                self.out.push_back(Output::Notice(Notice::error("bfd-refused", text)));
            }
        }
        self.remove_stale(now, owner);
    }

    /// The carrier is back: sessions there do not wait for their next packet's turn.
    fn hurry_on(&mut self, now: Instant, interface: Option<IfIndex>) {
        let there: Vec<u32> =
            self.sessions.values().filter(|s| s.interface() == interface).map(|s| s.local_discr).collect();
        for discriminator in there {
            self.touch(now, discriminator, |session, _| session.hurry());
        }
    }

    pub(super) fn link(&mut self, now: Instant, event: LinkEvent) {
        let subject = match &event {
            LinkEvent::LinkChanged(link) => Some(link.ifindex),
            _ => None,
        };
        let was_running = self.kernel.is_running(subject);
        self.kernel.apply(event);
        if !was_running && self.kernel.is_running(subject) {
            self.hurry_on(now, subject);
        }
        if self.stopping {
            return;
        }
        if self.peers.values().any(|p| p.interface.is_some()) {
            self.follow_configuration(now);
        }
        // Keys without an interface may lead elsewhere now, and source addresses may have changed.
        let places: Vec<(Owner, SessionKey)> = self.registrations.keys().copied().collect();
        for place in places {
            let before = self.registrations.get(&place).and_then(|r| r.session);
            if let Err(reason) = self.attach(now, place) {
                self.out.push_back(Output::Notice(Notice::error("bfd-refused", reason)));
            }
            if self.registrations.get(&place).and_then(|r| r.session) != before {
                self.tell(place.0, place.1);
            }
        }
    }

    pub(super) fn note_host(&mut self, status: HostStatus) {
        for problem in status.problems.iter().filter(|p| !self.host.problems.contains(p)) {
            self.out.push_back(Output::Notice(Notice::warning("bfd-real-time", problem.clone())));
        }
        self.host = status;
    }

    pub(super) fn shutdown(&mut self, now: Instant) {
        self.stopping = true;
        self.peers.clear();
        self.registrations.clear();
        let all: Vec<u32> = self.sessions.keys().copied().collect();
        for discriminator in all {
            self.end(now, discriminator);
        }
    }
}

/// A session shared by two: the fastest parameters win.
fn fastest(a: Parameters, b: Parameters) -> Parameters {
    Parameters {
        transmit_interval: a.transmit_interval.min(b.transmit_interval),
        receive_interval: a.receive_interval.min(b.receive_interval),
        detect_multiplier: a.detect_multiplier.min(b.detect_multiplier),
        passive: a.passive && b.passive,
        minimum_ttl: a.minimum_ttl.max(b.minimum_ttl),
    }
}

fn check(key: &SessionKey) -> Result<(), String> {
    let peer = key.peer;
    if peer.is_unspecified() || peer.is_multicast() || peer.is_broadcast() {
        return Err(format!("{peer} is not the address of a neighbour"));
    }
    if key.multihop && key.interface.is_some() {
        return Err("a session over several hops has no interface".into());
    }
    Ok(())
}
