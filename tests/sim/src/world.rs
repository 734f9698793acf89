//! The world: all routers and segments, virtual time, and the queue of what is still to happen.
//!
//! One event is taken from the queue, the daemon it concerns has its turn ([`crate::turn`]), everything it wants
//! done is done, and the laws are asked. Nothing else moves. Time jumps from event to event.

use crate::checker::{Checker, Verdict, Violation};
use crate::document::{self, Bend};
use crate::frame::Frame;
use crate::kernel::{self, Kernel};
use crate::node::{Client, Connection, Node, Slot, ToClient, ToServer};
use crate::oracle::State;
use crate::queue::Queue;
use crate::scenario::{Daemon, Scenario};
use crate::segment::{End, Nature, Segment};
use crate::trace::{Happening, Transcript};
use crate::transient::Flows;
use anyhow::Result;
use ipnetwork::Ipv4Network;
use routing_common::link::LinkEvent;
use routing_common::rng::Rng;
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};

/// How often laws that look at everything are asked.
const SWEEP: Duration = Duration::from_millis(250);

/// Something that will happen.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A router is switched on for the first time.
    PowerOn(usize),
    /// A daemon is started, if nothing is in the way.
    Start(usize, Daemon),
    /// A frame arrives at a port; when.
    Arrive { to: End, at: Instant, frame: Frame, nature: Nature },
    /// A daemon's monitor reads what the kernel said.
    Links { router: usize, daemon: Daemon, incarnation: u32, event: LinkEvent },
    /// A daemon's timer goes off; the deadline it was set for.
    Wake { router: usize, daemon: Daemon, deadline: Instant },
    /// A client tries to reach its server.
    Connect { router: usize, number: u64 },
    /// It reads that the connection stands.
    Connected { router: usize, number: u64 },
    /// The server reads that a client is there.
    ClientConnected { router: usize, number: u64 },
    /// The server reads a message.
    ToServer { router: usize, number: u64, message: ToServer },
    /// A client reads a message.
    ToClient { router: usize, number: u64, message: ToClient },
    /// The server reads the end of a connection.
    ClientGone { router: usize, number: u64 },
    /// A client reads the end of a connection.
    ServerLost { router: usize, number: u64 },
    /// SIGHUP.
    Reload { router: usize, daemon: Daemon, incarnation: u32 },
    /// SIGTERM.
    Terminate { router: usize, daemon: Daemon, incarnation: u32 },
    /// ospfd notices that the wall clock was set.
    WallClock { router: usize, incarnation: u32 },
    /// `clear ip ospf process`.
    Clear { router: usize, incarnation: u32 },
    /// `graceful-restart prepare ip ospf`.
    PrepareRestart { router: usize, incarnation: u32 },
    /// ribd reads that somebody removed a route of ours.
    Disturbed { router: usize, incarnation: u32, prefix: Ipv4Network },
    /// The kernel takes off addresses whose lifetime is over.
    Expire { router: usize, at: Instant },
    /// A fault begins, goes on or ends.
    Fault { index: usize, phase: Phase },
    /// Laws that look at everything are asked.
    Sweep,
}

/// Part of a fault's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It begins.
    Begin,
    /// It does something again.
    Again,
    /// It ends.
    End,
}

/// What was counted during a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Events taken from the queue.
    pub events: u64,
    /// Turns of daemons.
    pub turns: u64,
    /// Frames sent.
    pub frames_sent: u64,
    /// Copies that reached a daemon.
    pub frames_taken: u64,
    /// Octets in frames sent.
    pub octets_sent: u64,
    /// LSAs in Link State Updates that reached a daemon.
    pub lsas_taken: u64,
}

/// All of it.
pub struct World {
    /// Virtual time.
    pub now: Instant,
    /// As it was given.
    pub scenario: Scenario,
    /// As it stands now: with what configuration faults have changed.
    pub current: Scenario,
    /// The routers.
    pub nodes: Vec<Node>,
    /// The segments.
    pub segments: Vec<Segment>,
    /// What happened.
    pub transcript: Transcript,
    /// What was counted.
    pub counters: Counters,
    /// The first broken law.
    pub violation: Option<Violation>,
    pub(crate) queue: Queue<Event>,
    pub(crate) rng: Rng,
    pub(crate) checkers: Vec<Box<dyn Checker>>,
    /// How configuration faults bend ports, by router and port.
    pub(crate) bends: Vec<Vec<Bend>>,
    /// Faults under way that change configurations.
    pub(crate) reconfiguring: BTreeSet<usize>,
    /// Frames of a replay fault's memory, by segment; kept only where such a fault is planned.
    pub(crate) memory: BTreeMap<usize, Vec<(End, Frame)>>,
    /// What happens to packets meanwhile; measured where laws are asked.
    pub(crate) flows: Flows,
    /// Sent in the present turn.
    pub(crate) sent: Vec<(End, Frame)>,
}

impl core::fmt::Debug for World {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}

impl World {
    /// The world before anything has happened.
    ///
    /// # Errors
    /// A router's configuration is refused by the loader.
    pub fn new(scenario: &Scenario, checkers: Vec<Box<dyn Checker>>, keep_trace: bool) -> Result<Self> {
        let mut rng = Rng::new(scenario.seed);
        let bends: Vec<Vec<Bend>> =
            scenario.routers.iter().map(|r| vec![Bend::default(); r.ports.len()]).collect();
        let nodes = (0..scenario.routers.len()).map(|r| node(scenario, r)).collect::<Result<_>>()?;
        let segments = scenario.segments.iter().enumerate().map(|(s, segment)| {
            let ends = scenario.ends(s).map(|(router, port, _)| End { router, port }).collect();
            Segment::new(segment, ends)
        });
        let mut world = Self {
            now: Instant::ZERO,
            scenario: scenario.clone(),
            current: scenario.clone(),
            nodes,
            segments: segments.collect(),
            transcript: Transcript::new(keep_trace),
            counters: Counters::default(),
            violation: None,
            queue: Queue::new(rng.next_u64()),
            rng,
            checkers,
            bends,
            reconfiguring: BTreeSet::new(),
            memory: BTreeMap::new(),
            flows: Flows::default(),
            sent: Vec::new(),
        };
        for (r, router) in scenario.routers.iter().enumerate() {
            world.queue.push(Instant::from_millis(router.starts), Event::PowerOn(r));
        }
        world.plan_faults();
        if !world.checkers.is_empty() {
            world.flows = Flows::of(scenario);
            world.queue.push(Instant::ZERO + SWEEP, Event::Sweep);
        }
        Ok(world)
    }

    /// Lets everything happen until `end`, or until a law is broken.
    pub fn run_until(&mut self, end: Instant) {
        while self.violation.is_none() {
            let Some((at, event)) = self.queue.pop(end) else { break };
            self.now = self.now.max(at);
            self.counters.events += 1;
            self.step(event);
            self.look_at_flows();
        }
        if self.violation.is_none() {
            self.now = self.now.max(end);
        }
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::PowerOn(router) => self.power_on(router),
            Event::Start(router, daemon) => self.start(router, daemon),
            Event::Arrive { to, at, frame, nature } => self.arrive(to, at, frame, nature),
            Event::Connect { router, number } => self.connect(router, number),
            Event::Wake { router, daemon, deadline } => self.wake(router, daemon, deadline),
            Event::Expire { router, at } => self.expire(router, at),
            Event::Fault { index, phase } => self.fault(index, phase),
            Event::Sweep => {
                self.ask(|checker, world| checker.sweep(world));
                self.queue.push(self.now + SWEEP, Event::Sweep);
            }
            other => self.deliver(other),
        }
    }

    fn look_at_flows(&mut self) {
        let mut flows = core::mem::take(&mut self.flows);
        flows.look(self);
        self.flows = flows;
    }

    /// Asks every law; the first broken one is kept.
    pub(crate) fn ask(&mut self, mut question: impl FnMut(&mut dyn Checker, &Self) -> Verdict) {
        if self.violation.is_some() {
            return;
        }
        let mut checkers = core::mem::take(&mut self.checkers);
        for checker in &mut checkers {
            if let Err(text) = question(checker.as_mut(), self) {
                let law = checker.law().0;
                self.violation = Some(Violation { law, at: self.now, text });
                break;
            }
        }
        self.checkers = checkers;
    }

    /// Asks the laws of a network at rest.
    pub fn ask_at_rest(&mut self) {
        self.ask(|checker, world| checker.at_rest(world));
    }

    /// Asks the laws of a network that was at rest for a while.
    pub fn ask_at_end(&mut self) {
        self.ask(|checker, world| checker.at_end(world));
    }

    /// What is true of the hardware now.
    pub fn state(&self) -> State {
        let ports = |node: &Node| {
            let count = node.unplugged.len();
            (0..count).map(|p| node.power && node.kernel.is_running(kernel::ifindex(p))).collect()
        };
        State {
            router_up: self.nodes.iter().map(|n| n.power).collect(),
            port_up: self.nodes.iter().map(ports).collect(),
            segment_passes: self.segments.iter().map(|s| s.cuts.is_empty()).collect(),
        }
    }

    pub(crate) fn note(&mut self, router: Option<usize>, text: String) {
        self.transcript.record(self.now, Happening::Event { router, text });
    }

    /// The hardware of a router starts.
    pub(crate) fn power_on(&mut self, router: usize) {
        if self.nodes[router].power || self.nodes[router].power_faults > 0 {
            return;
        }
        self.note(Some(router), "power on".to_owned());
        let first = self.now <= Instant::from_millis(self.scenario.routers[router].starts);
        let mtus = self.mtus(router);
        let node = &mut self.nodes[router];
        node.power = true;
        node.expiry = None;
        if !first {
            node.clock.boot(self.now);
        }
        // Cannot fail: the same call made the kernel of the beginning.
        if let Ok(kernel) = Kernel::boot(router, &self.current.routers[router], &mtus) {
            node.kernel = kernel;
        }
        for port in 0..node.unplugged.len() {
            node.kernel.set_carrier(kernel::ifindex(port), node.unplugged[port] == 0);
        }
        if self.scenario.settings.without_rib {
            self.configure_by_hand(router);
        }
        let _ = self.nodes[router].kernel.take_events();
        for daemon in Daemon::ALL {
            // Those that were here first draw their delay whatever they do: what a seed means stays.
            if daemon == Daemon::Bfd && !self.has_business(router, daemon) {
                continue;
            }
            let delay = self.rng.duration_up_to(Duration::from_millis(200));
            self.queue.push(self.now + delay, Event::Start(router, daemon));
        }
        self.cables_of(router);
    }

    /// Without ribd somebody else brings interfaces up and puts addresses on.
    fn configure_by_hand(&mut self, router: usize) {
        let node = &mut self.nodes[router];
        let settings = &self.scenario.routers[router];
        let loopback = Ipv4Network::from(settings.loopback);
        node.kernel.add_address(kernel::plain_address(kernel::LOOPBACK, loopback, 0), None);
        for (p, port) in settings.ports.iter().enumerate() {
            node.kernel.set_admin(kernel::ifindex(p), true);
            node.kernel.add_address(kernel::plain_address(kernel::ifindex(p), port.address, 0), None);
        }
    }

    /// Power is gone, and with it everything but the disk.
    pub(crate) fn power_off(&mut self, router: usize) {
        self.note(Some(router), "power off".to_owned());
        for daemon in Daemon::ALL.into_iter().rev() {
            self.end_process(router, daemon);
        }
        self.nodes[router].power = false;
        self.nodes[router].saved = None;
        self.cables_of(router);
    }

    /// On a cable, an end without power or plug takes the other end's carrier.
    pub(crate) fn cables_of(&mut self, router: usize) {
        let ports: Vec<End> =
            (0..self.nodes[router].unplugged.len()).map(|port| End { router, port }).collect();
        for end in ports {
            let segment = self.scenario.routers[router].ports[end.port].segment;
            self.carriers(segment);
        }
    }

    /// Works out who has carrier on a segment.
    pub(crate) fn carriers(&mut self, segment: usize) {
        use crate::scenario::SegmentKind::PointToPoint;
        let ends = self.segments[segment].ends.clone();
        let plugged = |world: &Self, e: &End| {
            let node = &world.nodes[e.router];
            node.power && node.unplugged[e.port] == 0
        };
        let whole = ends.iter().all(|e| plugged(self, e));
        for end in &ends {
            let up = match self.segments[segment].kind {
                PointToPoint => whole,
                _ => plugged(self, end),
            };
            if self.nodes[end.router].power {
                self.nodes[end.router].kernel.set_carrier(kernel::ifindex(end.port), up);
                self.tell_links(end.router);
            }
        }
    }

    /// MTUs of a router's ports as they stand.
    fn mtus(&self, router: usize) -> Vec<u32> {
        self.current.routers[router].ports.iter().map(|p| self.current.segments[p.segment].mtu).collect()
    }
}

fn node(scenario: &Scenario, r: usize) -> Result<Node> {
    let router = &scenario.routers[r];
    let mtus: Vec<u32> = router.ports.iter().map(|p| scenario.segments[p.segment].mtu).collect();
    Ok(Node {
        name: router.name.clone(),
        config: document::config(scenario, router, &[])?,
        clock: crate::clock::Clock::new(router),
        power_faults: 0,
        power: false,
        kernel: Kernel::boot(r, router, &mtus)?,
        rib: Slot::default(),
        ospf: Slot::default(),
        vrrp: Slot::default(),
        bfd: Slot::default(),
        ospf_sockets: BTreeMap::new(),
        vrrp_sockets: BTreeSet::new(),
        vrrp_arp: BTreeMap::new(),
        bfd_sockets: BTreeSet::new(),
        bfd_ways: BTreeMap::new(),
        connections: Client::ALL.map(Connection::of),
        unplugged: vec![0; router.ports.len()],
        admin_down: vec![0; router.ports.len()],
        expiry: None,
        saved: None,
    })
}
