//! All sessions of this host: the five verbs of [`routing_common::machine`] over BFD.
//!
//! Who wants what is [`registry`]'s: clients ([`clients`]) and the configuration register for sessions, and a session
//! lives while somebody does. A packet finds its session in [`receive`]. Everything that happens to a session
//! goes through [`Instance::touch`], which tells the clients, sends what became due and sets the timers.
//!
//! Invariants: at most [`MOST_SESSIONS`](crate::constants::MOST_SESSIONS) sessions; a bfd.LocalDiscr is never 0 and
//! never that of two; every session is registered for or ends; time is only ever compared, never added up.

mod clients;
mod input;
mod kernel;
mod output;
mod receive;
mod registry;
mod view;

pub use input::{ClientId, HostStatus, Input, Received};
pub use output::Output;
pub use view::SessionView;

pub(crate) use clients::Principal;
pub(crate) use kernel::Kernel;
pub(crate) use registry::{Owner, Registration};

use crate::api;
use crate::discard::Discards;
use crate::message::{SessionKey, SessionState};
use crate::session::{Context, Expiry, Identity, LEAST_TOLERANCE, Session};
use routing_common::config::BfdPeer;
use routing_common::id::IfIndex;
use routing_common::machine::Machine;
use routing_common::notice::Notice;
use routing_common::rng::Rng;
use routing_common::time::{Duration, Instant};
use routing_common::timer::TimerQueue;
use std::collections::{BTreeMap, VecDeque};

/// What is to happen, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A session's next packet.
    Transmit(u32),
    /// A session's Detection Time.
    Detection(u32),
    /// A session that nobody wants any more has said so long enough.
    End(u32),
    /// The sessions of a client that died have waited long enough.
    Orphan(u32),
}

/// How punctually we are called.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lateness {
    /// Never called later than this.
    pub(crate) worst: Duration,
    /// Times a session was given more time for it.
    pub(crate) stalls: u64,
    /// The last such time, and how late we were.
    pub(crate) last_stall: Option<(Instant, Duration)>,
    /// When we were last called, whatever for.
    last_call: Instant,
    /// The worst since sessions were last judged.
    pending: Duration,
}

/// The engine.
#[derive(Debug, Clone)]
pub struct Instance {
    sessions: BTreeMap<u32, Session>,
    index: BTreeMap<Identity, u32>,
    registrations: BTreeMap<(Owner, SessionKey), Registration>,
    clients: clients::Clients,
    /// The file's sessions, by name.
    peers: BTreeMap<String, BfdPeer>,
    kernel: Kernel,
    /// Packets that found no session.
    discards: Discards,
    lateness: Lateness,
    host: HostStatus,
    last_fault: Option<(Instant, String)>,
    timers: TimerQueue<Timer>,
    rng: Rng,
    out: VecDeque<Output>,
    /// A session sent something in this turn.
    sending: bool,
    stopping: bool,
    finished: bool,
}

impl Instance {
    /// An engine without sessions. `seed` must differ between runs: discriminators come from it.
    pub fn new(seed: u64) -> Self {
        Self {
            sessions: BTreeMap::new(),
            index: BTreeMap::new(),
            registrations: BTreeMap::new(),
            clients: clients::Clients::default(),
            peers: BTreeMap::new(),
            kernel: Kernel::default(),
            discards: Discards::default(),
            lateness: Lateness::default(),
            host: HostStatus::default(),
            last_fault: None,
            timers: TimerQueue::new(),
            rng: Rng::new(seed),
            out: VecDeque::new(),
            sending: false,
            stopping: false,
            finished: false,
        }
    }

    /// Answers a show command.
    ///
    /// # Errors
    /// When it asks for a peer there is none of.
    pub fn query(&self, now: Instant, request: &api::Request) -> Result<serde_json::Value, String> {
        crate::show::query(self, now, request)
    }

    /// Lets `act` do something to a session, then all that follows from it.
    fn touch<R>(
        &mut self,
        now: Instant,
        discriminator: u32,
        act: impl FnOnce(&mut Session, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let session = self.sessions.get_mut(&discriminator)?;
        let running = self.kernel.is_running(session.interface());
        let mut cx = Context { now, rng: &mut self.rng, out: &mut self.out, running };
        let before = (session.session_state, session.remote_session_state == SessionState::AdminDown);
        let result = act(session, &mut cx);
        let after = (session.session_state, session.remote_session_state == SessionState::AdminDown);
        self.sending |= session.transmit_due(&mut cx);
        if before != after {
            self.tell_clients(discriminator);
        }
        if before.0 != after.0 {
            self.notice_change(discriminator, before.0);
        }
        self.schedule(now, discriminator);
        Some(result)
    }

    fn schedule(&mut self, now: Instant, discriminator: u32) {
        let Some(session) = self.sessions.get(&discriminator) else { return };
        match session.transmit_at(now) {
            Some(at) => self.timers.arm(Timer::Transmit(discriminator), at),
            None => _ = self.timers.cancel(Timer::Transmit(discriminator)),
        }
        match session.detection_at() {
            Some(at) => self.timers.arm(Timer::Detection(discriminator), at),
            None => _ = self.timers.cancel(Timer::Detection(discriminator)),
        }
    }

    fn notice_change(&mut self, discriminator: u32, from: SessionState) {
        let Some(session) = self.sessions.get(&discriminator) else { return };
        let place = self.place(session);
        let peer = session.peer();
        let notice = match (from, session.session_state) {
            (_, SessionState::Up) => Notice::info("bfd-up", format!("session with {peer} {place} is up")),
            (SessionState::Up, SessionState::Down) => {
                let why = session.local_diag.name();
                Notice::warning("bfd-down", format!("session with {peer} {place} went down: {why}"))
            }
            (_, to) => {
                Notice::debug("bfd-state", format!("session with {peer} {place} went from {from} to {to}"))
            }
        };
        let name = session.interface().and_then(|i| self.kernel.name(i));
        let notice = notice.about(peer);
        self.out.push_back(Output::Notice(match name {
            Some(name) => notice.on(name),
            None => notice,
        }));
    }

    /// Where a session is, in words.
    fn place(&self, session: &Session) -> String {
        match session.interface() {
            Some(i) => self.kernel.name(i).map_or_else(|| format!("on interface {i}"), |n| format!("on {n}")),
            None => "over several hops".to_owned(),
        }
    }

    /// Every call comes by here: how late is it, measured from what was asked for and from the call before?
    fn note_call(&mut self, now: Instant) {
        if let Some(deadline) = self.timers.next_deadline() {
            let late = now.since(deadline.max(self.lateness.last_call));
            self.lateness.worst = self.lateness.worst.max(late);
            self.lateness.pending = self.lateness.pending.max(late);
        }
        self.lateness.last_call = now;
    }

    /// Gives sessions that our own lateness would hurt more time.
    fn excuse(&mut self, now: Instant) {
        let late = core::mem::take(&mut self.lateness.pending);
        if late <= LEAST_TOLERANCE {
            return;
        }
        let mut excused = Vec::new();
        for (discriminator, session) in &mut self.sessions {
            if session.excuse(now, late) {
                excused.push(*discriminator);
            }
        }
        if excused.is_empty() {
            return;
        }
        self.lateness.stalls += 1;
        self.lateness.last_stall = Some((now, late));
        let (ms, n) = (late.as_millis(), excused.len());
        let text =
            format!("this process or host stood still for {ms} ms; {n} sessions get as much time again");
        self.out.push_back(Output::Notice(Notice::warning("bfd-stall", text)));
        for discriminator in excused {
            self.schedule(now, discriminator);
        }
    }

    fn expire(&mut self, now: Instant, timer: Timer) {
        match timer {
            // Sent by what every touch ends with.
            Timer::Transmit(discriminator) => _ = self.touch(now, discriminator, |_, _| ()),
            Timer::Detection(discriminator) => {
                let _: Option<Expiry> = self.touch(now, discriminator, Session::expire);
            }
            Timer::End(discriminator) => self.remove(now, discriminator),
            Timer::Orphan(principal) => self.end_orphans(now, principal),
        }
    }

    /// Sessions whose jitter allows it send with those that have to, so that the thread wakes once for all of them.
    fn join(&mut self, now: Instant) {
        if !core::mem::take(&mut self.sending) {
            return;
        }
        let willing: Vec<u32> =
            self.sessions.values().filter(|s| s.may_join(now)).map(|s| s.local_discr).collect();
        for discriminator in willing {
            self.touch(now, discriminator, Session::transmit_now);
        }
    }

    /// Every call ends with it.
    fn end_turn(&mut self, now: Instant) {
        self.join(now);
        self.finish_if_done();
    }

    /// How long routine packets ([`ROUTINE`](crate::packet::ROUTINE)) may lie unread, if a deadline comes within that time
    /// anyhow: half the shortest Detection Time, so that they are read whenever something is sent. They are stamped, so nothing is
    /// detected later. Zero while a session is on its way to Up or negotiates: then they are news.
    pub fn patience(&self) -> Duration {
        let settled = |s: &Session| s.session_state == SessionState::Up && !s.timing.is_polling();
        if !self.sessions.values().all(settled) {
            return Duration::ZERO;
        }
        self.sessions.values().map(|s| s.timing.detection_time() / 2).min().unwrap_or(Duration::ZERO)
    }

    fn finish_if_done(&mut self) {
        if self.stopping && self.sessions.is_empty() && !self.finished {
            self.finished = true;
            self.out.push_back(Output::Finished);
        }
    }

    pub(crate) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    pub(crate) fn registrations(&self) -> impl Iterator<Item = (&(Owner, SessionKey), &Registration)> {
        self.registrations.iter()
    }

    pub(crate) fn principal(&self, id: u32) -> Option<&Principal> {
        self.clients.principal(id)
    }

    pub(crate) fn principals(&self) -> impl Iterator<Item = (u32, &Principal)> {
        self.clients.principals()
    }

    pub(crate) fn peers(&self) -> &BTreeMap<String, BfdPeer> {
        &self.peers
    }

    pub(crate) fn interface_name(&self, ifindex: IfIndex) -> Option<String> {
        self.kernel.name(ifindex).map(ToString::to_string)
    }

    pub(crate) fn discards(&self) -> &Discards {
        &self.discards
    }

    pub(crate) fn lateness(&self) -> &Lateness {
        &self.lateness
    }

    pub(crate) fn host(&self) -> &HostStatus {
        &self.host
    }

    pub(crate) fn last_fault(&self) -> Option<&(Instant, String)> {
        self.last_fault.as_ref()
    }
}

impl Machine for Instance {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.note_call(now);
        match input {
            Input::Link(event) => self.link(now, event),
            Input::Reconfigure(config) => self.reconfigure(now, config.bfd_peers),
            Input::Packet(packet) => self.packet(now, packet),
            Input::ClientConnected(client) => self.clients.connected(client),
            Input::ClientMessage(client, message) => self.client_message(now, client, message),
            Input::ClientGone(client) => self.client_gone(now, client),
            Input::TransmitFailed(discriminator) => {
                if let Some(session) = self.sessions.get_mut(&discriminator) {
                    session.stats.transmit_failures += 1;
                }
            }
            Input::Fault(text) => {
                self.out.push_back(Output::Notice(Notice::error("bfd-kernel", text.clone())));
                self.last_fault = Some((now, text));
            }
            Input::Host(status) => self.note_host(status),
            Input::Shutdown => self.shutdown(now),
        }
        self.end_turn(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.note_call(now);
        self.excuse(now);
        while let Some(timer) = self.timers.pop_expired(now) {
            self.expire(now, timer);
        }
        self.end_turn(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next_deadline()
    }
}
