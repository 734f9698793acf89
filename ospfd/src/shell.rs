//! Carries inputs to the engine and its outputs to the kernel, the RIB and the operator. Decides nothing
//! about OSPF.
//!
//! One input is followed by all its outputs. Two rules of order are the shell's own:
//!
//! * Timers are served before anything else once they are due, but after the datagrams that
//!   wait already: after a stall a neighbour must not be declared dead while its Hello lies unread.
//! * A turn takes at most [`TURN`] datagrams, shared between the interfaces, so that a flood on one
//!   neither starves the others nor timers, operators and the RIB.

use crate::ports::Ports;
use crate::state_file::StateFile;
use anyhow::Context as _;
use bfd_proto::message::{BfdMessage, ClientMessage as BfdRequest};
use ospf_proto::api;
use ospf_proto::{Input, Instance, Output, Received};
use rib::message::{ClientMessage, RibMessage};
use routing_common::config::Config;
use routing_common::id::IfIndex;
use routing_common::link::LinkEvent;
use routing_common::machine::Machine;
use routing_common::notice::Notice;
use routing_common::record::Recorded;
use routing_common::time::{Duration, Instant};
use routing_runtime::clock::Clock;
use routing_runtime::control_server::{ControlRequest, ControlServer};
use routing_runtime::daemon::{DaemonContext, Sorted};
use routing_runtime::deadline::DeadlineTimer;
use routing_runtime::framed::{ClientEvent, FramedClient};
use routing_runtime::memory::Tidiness;
use routing_runtime::netlink::monitor::LinkMonitor;
use routing_runtime::signals::Signal;

/// Datagrams taken in one turn.
const TURN: usize = 64;
/// How often the wall clock is compared with the monotonic one.
const WALL_CLOCK_CHECK: Duration = Duration::from_secs(30);
/// Routes told to the RIB after which memory is given back.
const MANY_ROUTES: usize = 20_000;
/// So long after the last of them: not between two parts of the same burst.
const REST: Duration = Duration::from_millis(200);
/// How long the last words to the RIB may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The daemon from its context to its end.
pub(crate) async fn run(context: DaemonContext) -> anyhow::Result<()> {
    let mut links = LinkMonitor::start().context("link monitor")?;
    let rib = FramedClient::new(context.socket_path("rib.sock"));
    // Jitter only needs to differ between routers that start together.
    let seed = context.clock.now().as_nanos() ^ u64::from(std::process::id()).rotate_left(32);
    let engine = context.engine(seed);
    let wall = WallClock::new(context.clock);
    let (state, saved) = StateFile::open(context.socket_path("ospfd.state"));
    let mut shell = Shell {
        engine,
        ports: Ports::new().context("waiting for sockets")?,
        rib,
        bfd: None,
        state,
        context,
        wall,
        tidiness: Tidiness::after(MANY_ROUTES, REST),
        finished: false,
    };
    shell.feed(Input::WallClock(shell.wall.seconds));
    match saved {
        Ok(saved) => shell.feed(Input::Restored(saved.map(Box::new))),
        Err(notice) => shell.context.notice(&notice),
    }
    let config = shell.context.config.clone();
    shell.find_bfd(&config);
    loop {
        let event = links.next().await;
        let complete = event == LinkEvent::SnapshotComplete;
        shell.feed(Input::Link(event));
        if complete {
            break;
        }
    }
    let control = shell.context.control_server::<api::Request>()?;
    shell.serve(links, control).await
}

struct Shell {
    engine: Recorded<Instance>,
    ports: Ports,
    rib: FramedClient<ClientMessage, RibMessage>,
    /// Only while the configuration uses BFD: otherwise there is nobody to find.
    bfd: Option<FramedClient<BfdRequest, BfdMessage>>,
    state: StateFile,
    context: DaemonContext,
    wall: WallClock,
    tidiness: Tidiness,
    /// The engine has said its last word.
    finished: bool,
}

impl Shell {
    async fn serve(mut self, mut links: LinkMonitor, mut control: ControlServer) -> anyhow::Result<()> {
        let mut timer = DeadlineTimer::new().context("timer")?;
        while !self.finished {
            let deadline = self.deadline();
            if deadline.is_some_and(|at| at <= self.now()) {
                let ready = self.ports.ready();
                self.receive(&ready);
                self.expire();
                // Timers that are always due must not keep the tasks of other sockets from running.
                tokio::task::yield_now().await;
                continue;
            }
            tokio::select! {
                ready = self.ports.next_ready() => self.receive(&ready),
                () = timer.wait(deadline) => {} // served above
                event = links.next() => self.feed(Input::Link(event)),
                event = self.rib.next() => self.rib_event(event),
                event = next_of(&mut self.bfd) => self.bfd_event(event),
                request = control.next_request() => match self.context.sort(request) {
                    Sorted::Question(request) => self.answer(request),
                    Sorted::Reconfigure(config, acknowledgement) => {
                        self.reconfigure(config);
                        acknowledgement.give();
                    }
                    Sorted::Answered => {}
                },
                signal = self.context.signals.next() => match signal {
                    Signal::Reload => {
                        if let Some(config) = self.context.reload_config() {
                            self.reconfigure(Box::new(config));
                        }
                    }
                    Signal::Terminate => self.feed(Input::Shutdown),
                    Signal::TerminateNow => return Ok(()),
                },
            }
        }
        if let Some(bfd) = self.bfd {
            bfd.finish(FAREWELL).await;
        }
        self.rib.finish(FAREWELL).await;
        Ok(())
    }

    fn reconfigure(&mut self, config: Box<Config>) {
        self.find_bfd(&config);
        self.feed(Input::Reconfigure(config));
    }

    /// Looks for bfdd, or stops looking, as the configuration says.
    fn find_bfd(&mut self, config: &Config) {
        match (config.ospf_uses_bfd(), &self.bfd) {
            (true, None) => self.bfd = Some(FramedClient::new(self.context.socket_path("bfd.sock"))),
            (false, Some(_)) => {
                self.bfd = None;
                self.feed(Input::BfdLost);
            }
            _ => {}
        }
    }

    fn now(&self) -> Instant {
        self.context.clock.now()
    }

    fn deadline(&self) -> Option<Instant> {
        let retries =
            [self.ports.retry_at(), self.state.retry_at(), self.tidiness.due(), Some(self.wall.next_check)];
        [self.engine.poll_timeout()].into_iter().chain(retries).flatten().min()
    }

    /// Everything that is due.
    fn expire(&mut self) {
        let now = self.now();
        for notice in self.ports.retry(now) {
            self.context.notice(&notice);
        }
        if let Some(notice) = self.state.retry(now) {
            self.context.notice(&notice);
        }
        if let Some(seconds) = self.wall.check(now) {
            self.feed(Input::WallClock(seconds));
        }
        self.tidiness.tidy(now);
        self.engine.handle_timeout(self.now());
        self.drain();
    }

    /// Takes the datagrams that wait on these interfaces, up to [`TURN`].
    fn receive(&mut self, ready: &[IfIndex]) {
        for &ifindex in ready {
            for _ in 0..share(ready.len()) {
                let now = self.now();
                match self.ports.receive(ifindex) {
                    Ok(None) => break,
                    Ok(Some(d)) => {
                        let (source, destination, ttl, payload) = (d.source, d.destination, d.ttl, d.payload);
                        let received = Received { ifindex, source, destination, ttl, payload };
                        self.engine.handle(now, Input::Packet(received));
                    }
                    Err(notice) => {
                        self.context.notice(&notice);
                        break;
                    }
                }
                self.drain();
            }
        }
    }

    fn rib_event(&mut self, event: ClientEvent<RibMessage>) {
        match event {
            ClientEvent::Connected => self.feed(Input::RibConnected),
            ClientEvent::Message(message) => self.feed(Input::Rib(message)),
            ClientEvent::Disconnected(reason) => {
                let text = format!("the connection to ribd ended: {reason}");
                self.context.notice(&Notice::warning("rib-lost", text));
                self.feed(Input::RibLost);
            }
        }
    }

    fn bfd_event(&mut self, event: ClientEvent<BfdMessage>) {
        match event {
            ClientEvent::Connected => self.feed(Input::BfdConnected),
            ClientEvent::Message(message) => self.feed(Input::Bfd(message)),
            ClientEvent::Disconnected(reason) => {
                let text = format!("the connection to bfdd ended: {reason}");
                self.context.notice(&Notice::warning("bfd-lost", text));
                self.feed(Input::BfdLost);
            }
        }
    }

    fn answer(&mut self, request: ControlRequest) {
        let asked = serde_json::from_value::<api::Request>(request.body.clone())
            .map_err(|e| format!("not a request of ospfd: {e}"));
        let result = asked.as_ref().map_err(Clone::clone);
        let result = result.and_then(|r| self.engine.engine().query(self.now(), r));
        // The one request that changes something; the engine has just said that it may.
        let departs = matches!((&asked, &result), (Ok(api::Request::PrepareRestart), Ok(_)));
        request.respond(result);
        if departs {
            self.feed(Input::PrepareRestart);
        }
    }

    fn feed(&mut self, input: Input<'_>) {
        self.engine.handle(self.now(), input);
        self.drain();
    }

    /// Executes outputs until there are none.
    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            let trouble = match output {
                Output::Transmit { ifindex, source, destination, payload } => {
                    self.ports.send(ifindex, source, destination, &payload)
                }
                Output::OpenInterface { ifindex, name } => self.ports.open(self.now(), ifindex, name),
                Output::CloseInterface { ifindex } => {
                    self.ports.close(ifindex);
                    None
                }
                Output::JoinGroup { ifindex, group } => self.ports.join(self.now(), ifindex, group),
                Output::LeaveGroup { ifindex, group } => self.ports.leave(ifindex, group),
                Output::Rib(message) => {
                    if let Some(changes) = message.changes() {
                        self.tidiness.note(self.now(), changes.len());
                    }
                    self.rib
                        .send(&message)
                        .err()
                        .map(|e| Notice::error("rib-message", format!("a message to ribd was not sent: {e}")))
                }
                Output::Bfd(message) => self
                    .bfd
                    .as_mut()
                    .and_then(|bfd| bfd.send(&message).err())
                    .map(|e| Notice::error("bfd-message", format!("a message to bfdd was not sent: {e}"))),
                Output::Persist(saved) => self.state.write(self.now(), saved),
                Output::Notice(notice) => Some(notice),
                Output::Finished => {
                    self.finished = true;
                    None
                }
            };
            if let Some(notice) = trouble {
                self.context.notice(&notice);
            }
        }
    }
}

/// How many datagrams each of so many interfaces may deliver in one turn.
fn share(interfaces: usize) -> usize {
    (TURN / interfaces.max(1)).max(1)
}

/// What happens next on a connection; nothing ever where none is wanted.
async fn next_of(client: &mut Option<FramedClient<BfdRequest, BfdMessage>>) -> ClientEvent<BfdMessage> {
    match client {
        Some(client) => client.next().await,
        None => std::future::pending().await,
    }
}

/// Notices steps of the wall clock, which the kernel tells nobody about.
struct WallClock {
    clock: Clock,
    /// As last told to the engine.
    seconds: u64,
    told: Instant,
    next_check: Instant,
}

impl WallClock {
    fn new(clock: Clock) -> Self {
        let now = clock.now();
        Self { clock, seconds: clock.wall_seconds(), told: now, next_check: now + WALL_CLOCK_CHECK }
    }

    /// The wall clock's seconds if it was set since it was last told.
    fn check(&mut self, now: Instant) -> Option<u64> {
        if now < self.next_check {
            return None;
        }
        self.next_check = now + WALL_CLOCK_CHECK;
        self.compare(now, self.clock.wall_seconds())
    }

    fn compare(&mut self, now: Instant, wall: u64) -> Option<u64> {
        // Two seconds either way are rounding and gentle slewing.
        if wall.abs_diff(self.seconds + now.since(self.told).as_secs()) <= 2 {
            return None;
        }
        (self.seconds, self.told) = (wall, now);
        Some(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_shared_between_the_interfaces() {
        assert_eq!([0, 1, 3, TURN, TURN + 1].map(share), [TURN, TURN, TURN / 3, 1, 1]);
    }

    #[test]
    fn only_steps_of_the_wall_clock_are_told() {
        let start = Instant::from_secs(100);
        let mut wall = WallClock { clock: Clock, seconds: 1_000, told: start, next_check: start };
        let hour = start + Duration::from_secs(3600);
        assert_eq!(wall.compare(hour, 4_601), None);
        assert_eq!(wall.compare(hour, 9_000), Some(9_000));
        assert_eq!(wall.compare(hour + Duration::from_secs(10), 9_010), None);
        assert_eq!(wall.compare(hour + Duration::from_secs(10), 8_000), Some(8_000));
    }
}
