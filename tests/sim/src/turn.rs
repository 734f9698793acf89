//! A daemon's turn: what its shell does, in virtual time.
//!
//! One input, then all outputs, each to its end: the rule of [`Machine`]. Here stands what the daemons' shells do
//! and nothing an engine decides: reading sockets before serving timers after a stall, executing the RIB's
//! requests in rounds, giving vrrpd's refusals back as faults.

use crate::checker::{Cause, Turn};
use crate::frame::{Datagram, Frame, OSPF, VRRP};
use crate::kernel;
use crate::node::{Client, Node, SOCKET_FRAMES};
use crate::scenario::Daemon;
use crate::segment::End;
use crate::trace::Happening;
use crate::world::{Event, World};
use rib::ClientId;
use rib::fib::{FibFailure, FibRequest, FibResults};
use rib::message::{ClientMessage, RibMessage, Subscription};
use rib::system::SystemOp;
use routing_common::id::IfIndex;
use routing_common::link::LinkEvent;
use routing_common::machine::Machine;
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
            for daemon in [Daemon::Rib, Daemon::Ospf, Daemon::Vrrp] {
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
                let vrrp = frame.datagram().is_none_or(|d| d.protocol == VRRP);
                Some((to.router, if vrrp { Daemon::Vrrp } else { Daemon::Ospf }))
            }
            Event::Connected { router, number } | Event::ToClient { router, number, .. } => {
                let (node, client) = (&self.nodes[*router], Client::of(*number));
                let connection = node.connection(client);
                (connection.number == *number && connection.up && node.runs(client.daemon()))
                    .then_some((*router, client.daemon()))
            }
            Event::RibLost { router, number } => {
                let (node, client) = (&self.nodes[*router], Client::of(*number));
                // A later connection is told after this one's end: numbers only grow.
                (node.connection(client).number > *number && node.runs(client.daemon()))
                    .then_some((*router, client.daemon()))
            }
            Event::ClientConnected { router, .. }
            | Event::ToRib { router, .. }
            | Event::ClientGone { router, .. } => {
                self.nodes[*router].runs(Daemon::Rib).then_some((*router, Daemon::Rib))
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
        };
        self.report_sent();
        self.ask(|checker, world| checker.after(world, &turn));
        self.tell_links(router);
        self.rearm(router, daemon);
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
        }
    }

    fn process_ospf(&mut self, router: usize, event: Event) {
        use ospf_proto::{Clear, Input, Received};
        let feed = |world: &mut Self, cause: Cause<'_>, input: Input<'_>| {
            world.turn(router, Daemon::Ospf, cause, |node, local| {
                if let Some(engine) = &mut node.ospf.engine {
                    engine.handle(local, input);
                }
            });
        };
        match event {
            Event::Arrive { to, frame, nature } => {
                let Some(Datagram { source, destination, ttl, payload, .. }) = frame.datagram() else {
                    return;
                };
                let ifindex = kernel::ifindex(to.port);
                let received = Received { ifindex, source, destination, ttl, payload };
                let cause = Cause::Frame { port: to.port, frame: &frame, nature };
                feed(self, cause, Input::Packet(received));
            }
            Event::Links { event, .. } => feed(self, Cause::Link(&event), Input::Link(event.clone())),
            Event::Connected { .. } => feed(self, Cause::Rib, Input::RibConnected),
            Event::ToClient { message, .. } => feed(self, Cause::Rib, Input::Rib(message)),
            Event::RibLost { .. } => feed(self, Cause::Rib, Input::RibLost),
            Event::Reload { .. } => {
                let config = Box::new(self.nodes[router].config.clone());
                feed(self, Cause::Reconfigured, Input::Reconfigure(config));
            }
            Event::Terminate { .. } => feed(self, Cause::Other, Input::Shutdown),
            Event::WallClock { .. } => {
                let seconds = self.nodes[router].clock.wall(self.now);
                feed(self, Cause::Other, Input::WallClock(seconds));
            }
            Event::PrepareRestart { .. } => feed(self, Cause::Other, Input::PrepareRestart),
            Event::Clear { .. } => feed(self, Cause::Other, Input::Clear(Clear::Process)),
            _ => {}
        }
    }

    fn process_vrrp(&mut self, router: usize, event: Event) {
        use vrrp_proto::Input;
        use vrrp_proto::packet::Received;
        let feed = |world: &mut Self, cause: Cause<'_>, input: Input<'_>| {
            world.turn(router, Daemon::Vrrp, cause, |node, local| {
                if let Some(engine) = &mut node.vrrp.engine {
                    engine.handle(local, input);
                }
            });
        };
        match event {
            Event::Arrive { to, frame, nature } if frame.arp().is_some() => {
                let cause = Cause::Frame { port: to.port, frame: &frame, nature };
                let ifindex = kernel::ifindex(to.port);
                feed(self, cause, Input::Arp { ifindex, message: frame.arp_message() });
            }
            Event::Arrive { to, frame, nature } => {
                let Some(Datagram { source, destination, ttl, payload, .. }) = frame.datagram() else {
                    return;
                };
                let packet = Received { source, destination, ttl, payload };
                let ifindex = kernel::ifindex(to.port);
                let cause = Cause::Frame { port: to.port, frame: &frame, nature };
                feed(self, cause, Input::Packet { ifindex, packet });
            }
            Event::Links { event, .. } => feed(self, Cause::Link(&event), Input::Link(event.clone())),
            Event::Reload { .. } => {
                let config = Box::new(self.nodes[router].config.clone());
                feed(self, Cause::Reconfigured, Input::Reconfigure(config));
            }
            Event::Terminate { .. } => feed(self, Cause::Other, Input::Shutdown),
            Event::Connected { .. } => {
                let subscription =
                    Subscription { routes_stand: true, attachments: true, ..Subscription::default() };
                for message in ClientMessage::listen("vrrpd", subscription) {
                    self.say_to_rib(router, Client::Vrrp, message);
                }
            }
            Event::ToClient { message: RibMessage::RoutesStand(stand), .. } => {
                feed(self, Cause::Rib, Input::RoutesStand(stand));
            }
            Event::ToClient { message: RibMessage::Attached(attachments), .. } => {
                feed(self, Cause::Rib, Input::Attached(attachments));
            }
            Event::RibLost { .. } => {
                feed(self, Cause::Rib, Input::RoutesStand(false));
                feed(self, Cause::Rib, Input::Attached(Vec::new()));
            }
            _ => {}
        }
    }

    fn process_rib(&mut self, router: usize, event: Event) {
        use rib::Input;
        let stops = matches!(event, Event::Terminate { .. });
        let (cause, input) = match &event {
            Event::Links { event, .. } => (Cause::Link(event), Input::Link(event.clone())),
            Event::ClientConnected { number, .. } => (Cause::Rib, Input::ClientConnected(ClientId(*number))),
            Event::ToRib { number, message, .. } => {
                (Cause::Rib, Input::ClientMessage(ClientId(*number), message.clone()))
            }
            Event::ClientGone { number, .. } => (Cause::Rib, Input::ClientGone(ClientId(*number))),
            Event::Reload { .. } => {
                (Cause::Reconfigured, Input::Reconfigure(Box::new(self.nodes[router].config.clone())))
            }
            Event::Disturbed { prefix, .. } => (Cause::Other, Input::RouteDisturbed(*prefix)),
            Event::Terminate { .. } => (Cause::Other, Input::Shutdown),
            _ => return,
        };
        self.turn(router, Daemon::Rib, cause, |node, local| {
            if let Some(engine) = &mut node.rib.engine {
                engine.handle(local, input);
            }
        });
        if stops {
            self.end_process(router, Daemon::Rib);
        }
    }

    fn say_to_rib(&mut self, router: usize, client: Client, message: ClientMessage) {
        let connection = self.nodes[router].connection(client);
        if connection.up {
            let event = Event::ToRib { router, number: connection.number, message };
            self.push_ordered(router, Daemon::Rib, MESSAGE_LATENCY, event);
        }
    }

    fn drain_ospf(&mut self, router: usize) -> usize {
        use ospf_proto::Output;
        let mut count = 0;
        while let Some(output) = self.nodes[router].ospf.engine.as_mut().and_then(Machine::poll_output) {
            count += 1;
            let node = &mut self.nodes[router];
            match output {
                Output::Transmit { ifindex, source, destination, payload } => {
                    let datagram =
                        Datagram { source, destination, ttl: 1, protocol: OSPF, payload: &payload };
                    if node.ospf_sockets.contains_key(&ifindex)
                        && let Some(port) = kernel::port(ifindex)
                    {
                        let frame = Frame::ip(kernel::mac(router, port), datagram);
                        self.transmit(End { router, port }, frame);
                    }
                }
                Output::OpenInterface { ifindex, .. } => {
                    node.ospf_sockets.insert(ifindex, Default::default());
                }
                Output::CloseInterface { ifindex } => {
                    node.ospf_sockets.remove(&ifindex);
                }
                Output::JoinGroup { ifindex, group } => {
                    if let Some(groups) = node.ospf_sockets.get_mut(&ifindex) {
                        groups.insert(group);
                    }
                }
                Output::LeaveGroup { ifindex, group } => {
                    if let Some(groups) = node.ospf_sockets.get_mut(&ifindex) {
                        groups.remove(&group);
                    }
                }
                Output::Rib(message) => self.say_to_rib(router, Client::Ospf, message),
                // Nobody connects: routers here have no bfdd, and those that ask for one do without.
                Output::Bfd(_) => {}
                Output::Persist(saved) => node.saved = Some(saved),
                Output::Notice(notice) => self.tell(router, Daemon::Ospf, notice),
                Output::Finished => self.end_process(router, Daemon::Ospf),
            }
        }
        count
    }

    fn drain_vrrp(&mut self, router: usize, local: Instant) -> usize {
        use vrrp_proto::{Input, Output};
        let mut count = 0;
        while let Some(output) = self.nodes[router].vrrp.engine.as_mut().and_then(Machine::poll_output) {
            count += 1;
            let node = &mut self.nodes[router];
            let outcome = match &output {
                Output::OpenInterface { ifindex, .. } => {
                    node.vrrp_sockets.insert(*ifindex);
                    node.vrrp_arp.remove(ifindex);
                    Ok(())
                }
                Output::CloseInterface { ifindex } => {
                    node.vrrp_sockets.remove(ifindex);
                    node.vrrp_arp.remove(ifindex);
                    Ok(())
                }
                Output::ListenArp { ifindex, addresses } => {
                    node.vrrp_arp.insert(*ifindex, addresses.clone());
                    Ok(())
                }
                Output::Transmit { ifindex, frame, .. } => self.transmit_vrrp(router, *ifindex, frame),
                Output::Notice(notice) => {
                    self.tell(router, Daemon::Vrrp, notice.clone());
                    Ok(())
                }
                Output::Finished => {
                    self.end_process(router, Daemon::Vrrp);
                    Ok(())
                }
                other => {
                    let now = self.now;
                    // Lifetimes count in the kernel's time, which is the router's own.
                    node.kernel.vrrp(other, |lifetime| node.clock.to_true(node.clock.local(now) + lifetime))
                }
            };
            if let (Err(text), Some(engine)) = (outcome, &mut self.nodes[router].vrrp.engine) {
                let ifindex = match output {
                    Output::OpenInterface { ifindex, .. } => Some(ifindex),
                    _ => None,
                };
                engine.handle(local, Input::Fault { ifindex, text });
            }
        }
        count
    }

    fn transmit_vrrp(&mut self, router: usize, ifindex: IfIndex, octets: &[u8]) -> Result<(), String> {
        if !self.nodes[router].vrrp_sockets.contains(&ifindex) {
            return Err(format!("no socket on interface {ifindex}"));
        }
        let port = kernel::port(ifindex).ok_or("not a port")?;
        self.transmit(End { router, port }, Frame::new(octets.to_vec()));
        Ok(())
    }

    fn drain_rib(&mut self, router: usize, local: Instant) -> usize {
        use rib::{Input, Output};
        let mut count = 0;
        loop {
            let mut requests: Vec<FibRequest> = Vec::new();
            let mut system: Vec<SystemOp> = Vec::new();
            let mut ended: Vec<ClientId> = Vec::new();
            while let Some(output) = self.nodes[router].rib.engine.as_mut().and_then(Machine::poll_output) {
                count += 1;
                match output {
                    Output::Fib(request) => requests.push(request),
                    Output::System(op) => system.push(op),
                    Output::ToClient(ClientId(number), message) => {
                        let client = Client::of(number);
                        let connection = self.nodes[router].connection(client);
                        if connection.up && connection.number == number {
                            let event = Event::ToClient { router, number, message };
                            self.push_ordered(router, client.daemon(), MESSAGE_LATENCY, event);
                        }
                    }
                    Output::Disconnect(id) => ended.push(id),
                    Output::Notice(notice) => self.tell(router, Daemon::Rib, notice),
                }
            }
            if requests.is_empty() && system.is_empty() && ended.is_empty() {
                return count;
            }
            if !requests.is_empty() {
                let results = self.execute(router, &requests);
                self.answer_rib(router, local, Input::FibResults(results));
            }
            for id in ended {
                self.disconnect(router, id.0);
                self.answer_rib(router, local, Input::ClientGone(id));
            }
            for op in system {
                self.nodes[router].kernel.system(&op);
                self.answer_rib(router, local, Input::SystemResult(op, Ok(())));
            }
        }
    }

    fn answer_rib(&mut self, router: usize, local: Instant, input: rib::Input) {
        if let Some(engine) = &mut self.nodes[router].rib.engine {
            engine.handle(local, input);
        }
    }

    fn execute(&mut self, router: usize, requests: &[FibRequest]) -> FibResults {
        let mut results = FibResults { up_to: 0, failures: Vec::new() };
        for request in requests {
            let refuse = u64::from(self.nodes[router].kernel.refuse_permille);
            let outcome = match refuse > 0 && self.rng.below(1000) < refuse {
                true => Err((rib::fib::FibErrorKind::Refused, "out of memory")),
                false => self.nodes[router].kernel.fib(&request.op),
            };
            let (op, done) = (request.op.clone(), outcome.is_ok());
            self.transcript.record(self.now, Happening::Fib { router, op, done });
            results.up_to = request.token;
            if let Err((kind, text)) = outcome {
                results.failures.push(FibFailure { token: request.token, kind, text: text.to_owned() });
            }
        }
        results
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
            let event = Event::Arrive { to: copy.to, frame: copy.frame, nature: copy.nature };
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
