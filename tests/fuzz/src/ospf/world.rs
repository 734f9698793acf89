//! Three routers, two networks and their time.
//!
//! Every call into an engine goes through [`World::input`] or [`World::wake`], and both end in the checks.

use super::check::{Books, Senders};
use super::{ask_all, farewell, setup};
use ospf_proto::lsdb::DatabaseId;
use ospf_proto::restart::Saved;
use ospf_proto::{Input, Instance, Output, Received};
use rib::message::{PROTOCOL_VERSION, RibMessage};
use routing_common::config::Config;
use routing_common::id::{AreaId, IfIndex};
use routing_common::link::{Address, Link, LinkEvent};
use routing_common::machine::Machine;
use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// One-way delay.
const DELAY: Duration = Duration::from_millis(1);
/// Most datagrams on their way at once; what comes on top is lost.
const IN_FLIGHT: usize = 256;

/// A router.
pub(super) struct Node {
    pub(super) engine: Instance,
    pub(super) config: Config,
    pub(super) links: BTreeMap<IfIndex, (Link, Vec<Address>)>,
    pub(super) alive: bool,
    books: Books,
    /// What the engine asked to keep; a restart gets it.
    saved: Option<Saved>,
}

impl Node {
    fn new(node: usize) -> Self {
        let config = setup::config(node);
        let link =
            |i: &IfIndex| (*i, (setup::link(*i), vec![setup::address(*i, setup::address_of(node, *i))]));
        Self {
            engine: Instance::new(&config, 7 + node as u64),
            links: setup::interfaces_of(node).iter().map(link).collect(),
            config,
            alive: false,
            books: Books::default(),
            saved: None,
        }
    }
}

impl Node {
    /// Started, not killed, and not at its end.
    fn is_running(&self) -> bool {
        self.alive && !self.books.is_finished()
    }
}

/// A datagram on its way.
#[derive(Clone)]
pub(super) struct Flight {
    at: Instant,
    pub(super) to: usize,
    pub(super) ifindex: IfIndex,
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) payload: Vec<u8>,
}

/// See the module text.
pub(super) struct World {
    pub(super) now: Instant,
    pub(super) nodes: Vec<Node>,
    /// In the order of arrival, since every delay is the same.
    pub(super) flight: Vec<Flight>,
    /// Deliveries and timers so far.
    pub(super) events: usize,
    pub(super) capture: Option<Vec<Vec<u8>>>,
    /// The DD sequence number last sent by the router under test, by interface.
    pub(super) description: BTreeMap<IfIndex, u32>,
}

impl World {
    /// The router under test, and its peers if they are to be there.
    pub(super) fn new(first_peer: bool, second_peer: bool) -> Self {
        let mut world = Self {
            now: Instant::from_secs(1),
            nodes: (0..3).map(Node::new).collect(),
            flight: Vec::new(),
            events: 0,
            capture: None,
            description: BTreeMap::new(),
        };
        for (node, there) in [(0, true), (1, first_peer), (2, second_peer)] {
            if there {
                world.start(node);
            }
        }
        world
    }

    /// Starts a router, or restarts it with nothing remembered.
    pub(super) fn start(&mut self, node: usize) {
        let n = &mut self.nodes[node];
        n.engine = Instance::new(&n.config, self.now.as_nanos());
        n.books = Books::default();
        let saved = n.saved.take();
        n.alive = true;
        let links: Vec<_> = n.links.values().cloned().collect();
        let wall = 1_700_000_000 + self.now.as_nanos() / 1_000_000_000;
        self.input(node, Input::WallClock(wall));
        let restores = saved.is_some();
        self.input(node, Input::Restored(saved.map(Box::new)));
        self.input(node, Input::RibConnected);
        self.input(node, Input::BfdConnected);
        for (link, addresses) in links {
            self.input(node, Input::Link(LinkEvent::LinkChanged(link)));
            for address in addresses {
                self.input(node, Input::Link(LinkEvent::AddressAdded(address)));
            }
        }
        self.input(node, Input::Link(LinkEvent::SnapshotComplete));
        if restores {
            let hello = RibMessage::Hello { version: PROTOCOL_VERSION, keeps_routes: true };
            self.input(node, Input::Rib(hello));
            self.input(node, Input::Rib(RibMessage::SubscriptionSynced));
        }
    }

    /// Tells a router something.
    pub(super) fn input(&mut self, node: usize, input: Input<'_>) {
        let n = &mut self.nodes[node];
        // A process that has ended hears nothing any more.
        if n.books.is_finished() {
            return;
        }
        let before = Senders::of(&n.engine);
        n.books.told(&input);
        n.engine.handle(self.now, input);
        self.drain(node, &before);
    }

    /// Tells the router under test something.
    pub(super) fn tell(&mut self, input: Input<'_>) {
        self.input(0, input);
    }

    /// Hands the router under test another configuration.
    pub(super) fn reconfigure(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.nodes[0].config);
        let config = Box::new(self.nodes[0].config.clone());
        self.tell(Input::Reconfigure(config));
    }

    /// Runs a router's timers. Its next deadline must lie in the future afterwards, or its shell would spin.
    fn wake(&mut self, node: usize) {
        let n = &mut self.nodes[node];
        let before = Senders::of(&n.engine);
        n.engine.handle_timeout(self.now);
        let next = n.engine.poll_timeout();
        assert!(
            next.is_none_or(|at| at > self.now),
            "router {node}: after the timers of {} one is due at {next:?}",
            self.now
        );
        self.drain(node, &before);
    }

    fn drain(&mut self, node: usize, before: &Senders) {
        let n = &mut self.nodes[node];
        let after = Senders::of(&n.engine);
        let mut count = 0;
        while let Some(output) = n.engine.poll_output() {
            count += 1;
            n.books.check(count, before, &after, &output);
            if let Output::Persist(saved) = &output {
                n.saved = Some(saved.clone());
            }
            if let Output::Transmit { ifindex, source, destination, payload } = output {
                if node == 0
                    && payload.get(1) == Some(&2)
                    && let Some(s) = payload.get(28..32)
                {
                    self.description.insert(ifindex, s.iter().fold(0, |n, b| n << 8 | u32::from(*b)));
                }
                if let Some(capture) = &mut self.capture {
                    capture.push(payload.clone());
                }
                for (to, far) in others(node, ifindex) {
                    if self.flight.len() < IN_FLIGHT {
                        let at = self.now + DELAY;
                        let payload = payload.clone();
                        self.flight.push(Flight { at, to, ifindex: far, source, destination, payload });
                    }
                }
            }
        }
    }

    /// A datagram reaches a router, if that listens.
    pub(super) fn deliver(&mut self, flight: &Flight) {
        let node = &self.nodes[flight.to];
        let owns = node.links.get(&flight.ifindex).is_some_and(|(link, addresses)| {
            link.running && addresses.iter().any(|a| a.network.ip() == flight.destination)
        });
        if !node.alive || !(owns || node.books.is_member(flight.ifindex, flight.destination)) {
            return;
        }
        let Flight { ifindex, source, destination, ref payload, .. } = *flight;
        self.input(flight.to, Input::Packet(Received { ifindex, source, destination, ttl: 1, payload }));
    }

    fn next_event(&self) -> Option<Instant> {
        let timers = self.nodes.iter().filter(|n| n.is_running()).filter_map(|n| n.engine.poll_timeout());
        timers.chain(self.flight.first().map(|f| f.at)).min()
    }

    /// Does everything of the next moment at which anything happens; `false` if nothing does by `end`.
    pub(super) fn advance(&mut self, end: Instant) -> bool {
        let Some(next) = self.next_event().filter(|at| *at <= end) else {
            self.now = self.now.max(end);
            return false;
        };
        self.now = self.now.max(next);
        self.events += 1;
        let due = self.flight.iter().take_while(|f| f.at <= self.now).count();
        for flight in self.flight.drain(..due).collect::<Vec<_>>() {
            self.events += 1;
            self.deliver(&flight);
        }
        for node in 0..self.nodes.len() {
            let n = &self.nodes[node];
            if n.is_running() && n.engine.poll_timeout().is_some_and(|at| at <= self.now) {
                self.wake(node);
            }
        }
        true
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.events <= super::EVENTS && self.advance(end) {}
    }

    /// Lets time pass while nobody runs: a suspended machine. Datagrams of that time are lost.
    pub(super) fn sleep(&mut self, span: Duration) {
        self.now += span;
        self.flight.clear();
    }

    /// Asks every router everything, and looks into its databases.
    pub(super) fn inspect(&mut self) {
        for node in self.nodes.iter().filter(|n| n.alive) {
            ask_all(&node.engine, self.now);
            let areas = node.engine.areas().map(|(id, _)| DatabaseId::Area(id));
            let links = node.engine.interfaces().map(|i| DatabaseId::Link(i.ifindex));
            for database in areas.chain(links).chain([DatabaseId::As]) {
                for (key, entry) in node.engine.lsdb(database).into_iter().flat_map(|db| db.iter()) {
                    assert_eq!(entry.lsa.key(), *key);
                    let home = DatabaseId::of(key.ls_type, AreaId::BACKBONE, IfIndex(0));
                    let same = core::mem::discriminant(&home) == core::mem::discriminant(&database);
                    assert!(same, "{key} in {database:?}");
                    assert!(entry.lsa.checksum_is_valid(), "{key}");
                }
            }
        }
    }

    /// Ends the router under test, which must come to its end within its patience whatever the world does.
    pub(super) fn shut_down(&mut self) {
        self.tell(farewell());
        let end = self.now + Duration::from_secs(3);
        while self.advance(end) {}
        assert!(self.nodes[0].books.is_finished(), "shut down and never finished");
    }
}

/// The other ends of a router's interface.
fn others(node: usize, ifindex: IfIndex) -> impl Iterator<Item = (usize, IfIndex)> {
    let segment = setup::SEGMENTS.iter().find(|s| s.contains(&(node, ifindex)));
    segment.into_iter().flat_map(|s| s.iter().copied()).filter(move |end| *end != (node, ifindex))
}
