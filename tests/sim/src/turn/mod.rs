//! A daemon's turn: what its shell does, in virtual time.
//!
//! One input, then all outputs, each to its end: the rule of [`routing_common::machine::Machine`]. Here stands what the daemons' shells do
//! and nothing an engine decides: reading sockets before serving timers after a stall, and in the files below what each of
//! them does of its own.

pub(crate) mod bfd;
mod ospf;
mod rib;
mod vrrp;

use crate::checker::{Cause, Turn};
use crate::frame::{Frame, OSPF, UDP};
use crate::kernel;
use crate::node::{Client, Hosted, Node, SOCKET_FRAMES, ToClient, ToServer};
use crate::scenario::Daemon;
use crate::segment::End;
use crate::trace::Happening;
use crate::world::{Event, World};
use ::rib::message::ClientMessage;
use routing_common::config::Config;
use routing_common::link::LinkEvent;
use routing_common::notice::Notice;
use routing_common::time::{Duration, Instant};

/// A process is woken at most so much after its deadline.
const WAKE_LATENCY: Duration = Duration::from_micros(50);
/// A process reads what the kernel told at most so much later.
const NEWS_LATENCY: Duration = Duration::from_micros(300);
/// A message between daemons takes at most this.
const MESSAGE_LATENCY: Duration = Duration::from_micros(150);
/// Datagrams ospfd's shell takes before it serves timers.
const TURN: usize = 64;

impl World {
    /// The kernel's news of a router go to every monitor that listens.
    pub(crate) fn tell_links(&mut self, router: usize) {
        let now = self.now;
        let node = &mut self.nodes[router];
        let events = node.kernel.take_events();
        if !node.power {
            return;
        }
        if let Some(at) = node.kernel.next_expiry()
            && node.expiry.is_none_or(|e| e > at || e <= now)
        {
            node.expiry = Some(at);
            self.queue.push(at.max(now), Event::Expire { router, at });
        }
        for event in events {
            for daemon in Daemon::ALL {
                let node = &self.nodes[router];
                if node.runs(daemon) {
                    let incarnation = node.incarnation(daemon);
                    let event = Event::Links { router, daemon, incarnation, event: event.clone() };
                    self.push_ordered(router, daemon, NEWS_LATENCY, event);
                }
            }
        }
    }

    /// Something a daemon will read after everything of its kind that was sent before: the kernel's news keep their
    /// order, and so does what ospfd and ribd say to each other.
    pub(crate) fn push_ordered(&mut self, router: usize, daemon: Daemon, latency: Duration, event: Event) {
        let at = self.now + self.rng.duration_up_to(latency);
        let ordered = &mut self.nodes[router].process_mut(daemon).ordered;
        let ordered = &mut ordered[usize::from(!matches!(event, Event::Links { .. }))];
        let at = at.max(*ordered + Duration::from_nanos(1));
        *ordered = at;
        self.queue.push(at, event);
    }

    pub(crate) fn expire(&mut self, router: usize, at: Instant) {
        let node = &mut self.nodes[router];
        if node.expiry == Some(at) {
            node.expiry = None;
            if node.power {
                node.kernel.expire(self.now);
            }
            self.tell_links(router);
        }
    }

    /// Hands an event to its daemon, or to what waits for it while it is frozen.
    pub(crate) fn deliver(&mut self, event: Event) {
        let Some((router, daemon)) = self.addressee(&event) else { return };
        let process = self.nodes[router].process_mut(daemon);
        if process.frozen > 0 {
            if !matches!(event, Event::Arrive { .. }) || process.backlog.len() < SOCKET_FRAMES {
                process.backlog.push_back(event);
            }
            return;
        }
        self.process(router, daemon, event);
    }

    /// Whose event this is; `None` when that process or connection is gone.
    fn addressee(&self, event: &Event) -> Option<(usize, Daemon)> {
        let alive = |router: usize, daemon: Daemon, incarnation: u32| {
            let node = &self.nodes[router];
            (node.runs(daemon) && node.incarnation(daemon) == incarnation).then_some((router, daemon))
        };
        match event {
            Event::Links { router, daemon, incarnation, .. }
            | Event::Reload { router, daemon, incarnation }
            | Event::Terminate { router, daemon, incarnation } => alive(*router, *daemon, *incarnation),
            Event::WallClock { router, incarnation }
            | Event::PrepareRestart { router, incarnation }
            | Event::Clear { router, incarnation } => alive(*router, Daemon::Ospf, *incarnation),
            Event::Disturbed { router, incarnation, .. } => alive(*router, Daemon::Rib, *incarnation),
            Event::Arrive { to, frame, .. } => {
                let daemon = match frame.datagram().map(|d| d.protocol) {
                    Some(OSPF) => Daemon::Ospf,
                    Some(UDP) => Daemon::Bfd,
                    _ => Daemon::Vrrp,
                };
                Some((to.router, daemon))
            }
            Event::Connected { router, number } | Event::ToClient { router, number, .. } => {
                let (node, client) = (&self.nodes[*router], Client::of(*number));
                let connection = node.connection(client);
                (connection.number == *number && connection.up && node.runs(client.daemon()))
                    .then_some((*router, client.daemon()))
            }
            Event::ServerLost { router, number } => {
                let (node, client) = (&self.nodes[*router], Client::of(*number));
                // A later connection is told after this one's end: numbers only grow.
                (node.connection(client).number > *number && node.runs(client.daemon()))
                    .then_some((*router, client.daemon()))
            }
            Event::ClientConnected { router, number }
            | Event::ToServer { router, number, .. }
            | Event::ClientGone { router, number } => {
                let server = Client::of(*number).server();
                self.nodes[*router].runs(server).then_some((*router, server))
            }
            _ => None,
        }
    }

    /// Everything a thawed daemon finds in its sockets: frames first and timers between, as the shells do it.
    pub(crate) fn thaw(&mut self, router: usize, daemon: Daemon) {
        let backlog = core::mem::take(&mut self.nodes[router].process_mut(daemon).backlog);
        let (frames, others): (Vec<Event>, Vec<Event>) =
            backlog.into_iter().partition(|e| matches!(e, Event::Arrive { .. }));
        for (n, frame) in frames.into_iter().enumerate() {
            if n > 0 && n % TURN == 0 {
                self.timers(router, daemon);
            }
            if self.nodes[router].runs(daemon) {
                self.process(router, daemon, frame);
            }
        }
        self.timers(router, daemon);
        for event in others {
            if self.addressee(&event).is_some() {
                self.process(router, daemon, event);
            }
        }
        self.rearm(router, daemon);
    }

    /// A timer went off.
    pub(crate) fn wake(&mut self, router: usize, daemon: Daemon, deadline: Instant) {
        let wake = &mut self.nodes[router].process_mut(daemon).wake;
        if *wake == Some(deadline) {
            *wake = None;
            self.timers(router, daemon);
        }
    }

    /// Lets a daemon serve its timers, if it gets time.
    fn timers(&mut self, router: usize, daemon: Daemon) {
        let node = &self.nodes[router];
        if node.runs(daemon) && node.process(daemon).frozen == 0 {
            self.turn(router, daemon, Cause::Timers, |node, local| node.serve_timers(daemon, local));
        }
    }

    /// Arranges the next wake-up.
    pub(crate) fn rearm(&mut self, router: usize, daemon: Daemon) {
        let now = self.now;
        let node = &mut self.nodes[router];
        let deadline = node.deadline(daemon).map(|local| node.clock.to_true(local).max(now));
        let wake = &mut node.process_mut(daemon).wake;
        if *wake == deadline {
            return;
        }
        *wake = deadline;
        if let Some(deadline) = deadline {
            let at = deadline + self.rng.duration_up_to(WAKE_LATENCY);
            self.queue.push(at, Event::Wake { router, daemon, deadline });
        }
    }

    /// One turn: the laws look, the engine acts, its outputs are carried out, the laws look again.
    pub(crate) fn turn(
        &mut self,
        router: usize,
        daemon: Daemon,
        cause: Cause<'_>,
        act: impl FnOnce(&mut Node, Instant),
    ) {
        self.counters.turns += 1;
        let local = self.nodes[router].clock.local(self.now);
        let mut turn = Turn { router, daemon, local, cause, outputs: 0 };
        self.ask(|checker, world| checker.before(world, &turn));
        act(&mut self.nodes[router], local);
        turn.outputs = match daemon {
            Daemon::Rib => self.drain_rib(router, local),
            Daemon::Ospf => self.drain_ospf(router),
            Daemon::Vrrp => self.drain_vrrp(router, local),
            Daemon::Bfd => self.drain_bfd(router, local),
        };
        self.report_sent();
        self.ask(|checker, world| checker.after(world, &turn));
        self.tell_links(router);
        self.rearm(router, daemon);
    }

    /// A turn in which an engine is told something, if it runs.
    pub(crate) fn give<E: Hosted>(&mut self, router: usize, cause: Cause<'_>, input: E::Input<'_>) {
        self.turn(router, E::DAEMON, cause, |node, local| {
            if let Some(engine) = &mut E::slot(node).engine {
                engine.handle(local, input);
            }
        });
    }

    /// The next thing an engine wants done in this turn.
    fn next_output<E: Hosted>(&mut self, router: usize) -> Option<E::Output> {
        E::slot(&mut self.nodes[router]).engine.as_mut()?.poll_output()
    }

    /// Tells an engine in this turn what came of something it wanted.
    fn answer<E: Hosted>(&mut self, router: usize, local: Instant, input: E::Input<'_>) {
        if let Some(engine) = &mut E::slot(&mut self.nodes[router]).engine {
            engine.handle(local, input);
        }
    }

    /// What a router's file says.
    pub(crate) fn file(&self, router: usize) -> Box<Config> {
        Box::new(self.nodes[router].config.clone())
    }

    /// The laws look at what has left.
    pub(crate) fn report_sent(&mut self) {
        for (from, frame) in core::mem::take(&mut self.sent) {
            self.ask(|checker, world| checker.sent(world, from, &frame));
        }
    }

    /// Gives a daemon one input.
    fn process(&mut self, router: usize, daemon: Daemon, event: Event) {
        match daemon {
            Daemon::Ospf => self.process_ospf(router, event),
            Daemon::Vrrp => self.process_vrrp(router, event),
            Daemon::Rib => self.process_rib(router, event),
            Daemon::Bfd => self.process_bfd(router, event),
        }
    }

    fn say_to_rib(&mut self, router: usize, client: Client, message: ClientMessage) {
        self.say_to_server(router, client, ToServer::Rib(message));
    }

    fn say_to_server(&mut self, router: usize, client: Client, message: ToServer) {
        let connection = self.nodes[router].connection(client);
        if connection.up {
            let event = Event::ToServer { router, number: connection.number, message };
            self.push_ordered(router, client.server(), MESSAGE_LATENCY, event);
        }
    }

    fn say_to_client(&mut self, router: usize, number: u64, message: ToClient) {
        let client = Client::of(number);
        let connection = self.nodes[router].connection(client);
        if connection.up && connection.number == number {
            let event = Event::ToClient { router, number, message };
            self.push_ordered(router, client.daemon(), MESSAGE_LATENCY, event);
        }
    }

    /// A frame leaves a port, if the port has carrier.
    pub(crate) fn transmit(&mut self, from: End, frame: Frame) {
        if !self.nodes[from.router].kernel.is_running(kernel::ifindex(from.port)) {
            return;
        }
        self.counters.frames_sent += 1;
        self.counters.octets_sent += frame.octets().len() as u64;
        let segment = self.scenario.routers[from.router].ports[from.port].segment;
        if let Some(memory) = self.memory.get_mut(&segment) {
            memory.push((from, frame.clone()));
        }
        for copy in self.segments[segment].send(self.now, from, &frame, &mut self.rng) {
            let event = Event::Arrive { to: copy.to, at: copy.at, frame: copy.frame, nature: copy.nature };
            self.queue.push(copy.at, event);
        }
        self.transcript.record(self.now, Happening::Sent { from, frame: frame.clone() });
        if !self.checkers.is_empty() {
            self.sent.push((from, frame));
        }
    }

    fn tell(&mut self, router: usize, daemon: Daemon, notice: Notice) {
        self.transcript.record(self.now, Happening::Notice { router, daemon, notice });
    }

    /// What a starting engine is told of the kernel's links.
    pub(crate) fn dump(&self, router: usize) -> Vec<LinkEvent> {
        self.nodes[router].kernel.dump()
    }
}
