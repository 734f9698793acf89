//! A small network in memory: virtual time, links with delay and loss, deterministic from a seed.
//!
//! Routers are engines; a segment joins interfaces of several routers. A packet to a group reaches every
//! other open interface of the segment that is a member; a packet to an address reaches its owner. RIB
//! messages are applied to a table per router, so tests see what a kernel would.

use ipnetwork::Ipv4Network;
use ospf_proto::instance::{Input, Instance, Output, Received};
use ospf_proto::lsa::{LsType, LsaBody, RouterLsa};
use ospf_proto::lsdb::DatabaseId;
use ospf_proto::neighbor::NeighborState;
use ospf_proto::restart::Saved;
use rib::message::{ClientMessage, PROTOCOL_VERSION, RibMessage, Route, RouteChange};
use routing_common::config::{
    Config, Defaults, GracefulRestart, InterfaceConfig, MaxMetric, NetworkType, OspfAuthentication,
    OspfConfig, OspfInterfaceConfig, RibConfig, SpfTimers,
};
use routing_common::id::{AreaId, IfIndex, RouterId};
use routing_common::link::{Address, Link, LinkEvent};
use routing_common::machine::Machine;
use routing_common::notice::Notice;
use routing_common::rng::Rng;
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// One-way delay of every segment.
pub(crate) const DELAY: Duration = Duration::from_micros(200);

/// What the wall clock shows when the monotonic one shows 0, in seconds since 1970.
pub(crate) const EPOCH: u64 = 1_700_000_000;

pub(crate) fn ip(s: &str) -> Ipv4Addr {
    s.parse().unwrap()
}

pub(crate) fn net(s: &str) -> Ipv4Network {
    s.parse().unwrap()
}

pub(crate) fn id(n: u8) -> RouterId {
    RouterId(Ipv4Addr::new(10, 255, 0, n))
}

/// An interface's OSPF settings with FRR's defaults.
pub(crate) fn ospf_interface(network_type: NetworkType, cost: u16) -> OspfInterfaceConfig {
    OspfInterfaceConfig {
        area: AreaId::BACKBONE,
        network_type,
        cost: Some(cost),
        hello_interval: Duration::from_secs(10),
        dead_interval: Duration::from_secs(40),
        retransmit_interval: Duration::from_secs(5),
        transmit_delay: Duration::from_secs(1),
        priority: 1,
        passive: false,
        mtu_ignore: false,
        authentication: OspfAuthentication::Null,
        bfd: None,
    }
}

/// A configuration without interfaces.
pub(crate) fn config(n: u8) -> Config {
    Config {
        hostname: format!("r{n}"),
        defaults: Defaults::Traditional,
        interfaces: BTreeMap::new(),
        static_routes: Vec::new(),
        policy: routing_common::policy::Policy::default(),
        access: routing_common::config::AccessConfig::default(),
        key_chains: BTreeMap::new(),
        rib: RibConfig::default(),
        ospf: Some(OspfConfig {
            router_id: id(n),
            interfaces: BTreeMap::new(),
            default_information: None,
            redistribute_connected: None,
            redistribute_static: None,
            distribute_connected: None,
            distribute_static: None,
            reference_bandwidth: 100_000,
            distance: 110,
            maximum_paths: 16,
            rfc1583_compatibility: false,
            spf: SpfTimers::default(),
            min_ls_interval: Duration::from_secs(5),
            min_ls_arrival: Duration::from_secs(1),
            graceful_restart: GracefulRestart::default(),
            max_metric: MaxMetric::default(),
            fast_reroute: false,
        }),
        vrrp_groups: BTreeMap::new(),
        bfd_peers: BTreeMap::new(),
    }
}

/// A router: an engine and the part of the world that is its own.
pub(crate) struct Node {
    pub(crate) engine: Instance,
    pub(crate) config: Config,
    pub(crate) alive: bool,
    pub(crate) links: BTreeMap<IfIndex, (Link, Vec<Address>)>,
    open: BTreeSet<IfIndex>,
    groups: BTreeSet<(IfIndex, Ipv4Addr)>,
    pub(crate) routes: BTreeMap<Ipv4Network, Route>,
    pub(crate) rib_log: Vec<ClientMessage>,
    pub(crate) bfd_log: Vec<bfd_proto::message::ClientMessage>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) finished: bool,
    /// What the engine asked to keep.
    pub(crate) saved: Option<Saved>,
    /// Packets sent, by (interface, type).
    pub(crate) sent: BTreeMap<(IfIndex, u8), usize>,
    seed: u64,
}

/// Interfaces joined by a wire or a switch.
#[derive(Default)]
pub(crate) struct Segment {
    pub(crate) ends: Vec<(usize, IfIndex)>,
    pub(crate) loss_percent: u64,
    pub(crate) down: bool,
}

struct InFlight {
    to: usize,
    ifindex: IfIndex,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    payload: Vec<u8>,
}

/// The whole network.
pub(crate) struct Net {
    pub(crate) now: Instant,
    pub(crate) nodes: Vec<Node>,
    pub(crate) segments: Vec<Segment>,
    flight: BTreeMap<(Instant, u64), InFlight>,
    serial: u64,
    rng: Rng,
    /// Every packet that left: who sent it and its octets.
    pub(crate) capture: Vec<(usize, Vec<u8>)>,
}

impl Net {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: Instant::from_secs(1),
            nodes: Vec::new(),
            segments: Vec::new(),
            flight: BTreeMap::new(),
            serial: 0,
            rng: Rng::new(seed),
            capture: Vec::new(),
        }
    }

    /// Adds a router that is not started yet.
    pub(crate) fn router(&mut self, n: u8) -> usize {
        let config = config(n);
        let seed = self.rng.next_u64();
        self.nodes.push(Node {
            engine: Instance::new(&config, seed),
            config,
            alive: false,
            links: BTreeMap::new(),
            open: BTreeSet::new(),
            groups: BTreeSet::new(),
            routes: BTreeMap::new(),
            rib_log: Vec::new(),
            bfd_log: Vec::new(),
            notices: Vec::new(),
            finished: false,
            saved: None,
            sent: BTreeMap::new(),
            seed,
        });
        self.nodes.len() - 1
    }

    /// Gives a router an interface with OSPF; `address` with prefix length.
    pub(crate) fn interface(&mut self, node: usize, address: &str, settings: OspfInterfaceConfig) -> IfIndex {
        let node = &mut self.nodes[node];
        let ifindex = IfIndex(u32::try_from(node.links.len()).unwrap() + 1);
        let name = format!("eth{ifindex}").parse().unwrap();
        let network = net(address);
        let link = link(ifindex, &name);
        node.links.insert(ifindex, (link, vec![address_on(ifindex, network)]));
        node.config
            .interfaces
            .insert(name.clone(), InterfaceConfig { description: None, addresses: vec![network] });
        node.config.ospf.as_mut().unwrap().interfaces.insert(name, settings);
        ifindex
    }

    /// A loopback with a host address.
    pub(crate) fn loopback(&mut self, node: usize, address: &str) -> IfIndex {
        let ifindex = self.interface(node, address, ospf_interface(NetworkType::Broadcast, 10));
        self.nodes[node].links.get_mut(&ifindex).unwrap().0.loopback = true;
        ifindex
    }

    pub(crate) fn segment(&mut self, ends: &[(usize, IfIndex)]) -> usize {
        self.segments.push(Segment { ends: ends.to_vec(), ..Segment::default() });
        self.segments.len() - 1
    }

    /// A point-to-point link between two routers, `10.A.B.x/31`-like; returns the segment.
    pub(crate) fn p2p(
        &mut self,
        a: usize,
        b: usize,
        a_address: &str,
        b_address: &str,
        costs: (u16, u16),
    ) -> usize {
        let ia = self.interface(a, a_address, ospf_interface(NetworkType::PointToPoint, costs.0));
        let ib = self.interface(b, b_address, ospf_interface(NetworkType::PointToPoint, costs.1));
        self.segment(&[(a, ia), (b, ib)])
    }

    /// Changes the settings of all interfaces of all routers.
    pub(crate) fn settings(&mut self, change: impl Fn(&mut OspfInterfaceConfig)) {
        for node in &mut self.nodes {
            node.config.ospf.as_mut().unwrap().interfaces.values_mut().for_each(&change);
        }
    }

    /// Starts (or restarts, with nothing remembered) a router.
    pub(crate) fn start(&mut self, node: usize) {
        self.start_with(node, None);
    }

    /// Starts a router with what its former process kept; the RIB has not spoken yet.
    pub(crate) fn start_with(&mut self, node: usize, saved: Option<Saved>) {
        let n = &mut self.nodes[node];
        n.seed = n.seed.wrapping_add(1);
        n.engine = Instance::new(&n.config, n.seed);
        n.alive = true;
        n.finished = false;
        n.open.clear();
        n.groups.clear();
        let links: Vec<(Link, Vec<Address>)> = n.links.values().cloned().collect();
        let wall = EPOCH + self.now.as_nanos() / 1_000_000_000;
        self.input(node, Input::WallClock(wall));
        if saved.is_some() {
            self.input(node, Input::Restored(saved.map(Box::new)));
        }
        self.input(node, Input::RibConnected);
        for (link, addresses) in links {
            self.input(node, Input::Link(LinkEvent::LinkChanged(link)));
            for address in addresses {
                self.input(node, Input::Link(LinkEvent::AddressAdded(address)));
            }
        }
        self.input(node, Input::Link(LinkEvent::SnapshotComplete));
    }

    pub(crate) fn start_all(&mut self) {
        for node in 0..self.nodes.len() {
            self.start(node);
        }
    }

    /// The process dies without a word.
    pub(crate) fn kill(&mut self, node: usize) {
        self.nodes[node].alive = false;
        self.nodes[node].routes.clear();
    }

    /// The process dies without a word; the kernel and the RIB keep its routes.
    pub(crate) fn crash(&mut self, node: usize) {
        self.nodes[node].alive = false;
    }

    /// The process is started again after a crash or a planned end, and the RIB says what it has.
    pub(crate) fn restart(&mut self, node: usize, keeps_routes: bool) {
        let saved = self.nodes[node].saved.clone();
        self.start_with(node, saved);
        self.rib_speaks(node, keeps_routes);
    }

    /// The RIB's first words in a session.
    pub(crate) fn rib_speaks(&mut self, node: usize, keeps_routes: bool) {
        let hello = RibMessage::Hello { version: PROTOCOL_VERSION, keeps_routes };
        self.input(node, Input::Rib(hello));
        self.input(node, Input::Rib(RibMessage::SubscriptionSynced));
    }

    /// Takes the carrier of both ends (or gives it back).
    pub(crate) fn carrier(&mut self, segment: usize, up: bool) {
        self.segments[segment].down = !up;
        for (node, ifindex) in self.segments[segment].ends.clone() {
            self.link_carrier(node, ifindex, up);
        }
    }

    /// Takes the carrier of one end.
    pub(crate) fn link_carrier(&mut self, node: usize, ifindex: IfIndex, up: bool) {
        let link = {
            let link = &mut self.nodes[node].links.get_mut(&ifindex).unwrap().0;
            link.running = up;
            link.clone()
        };
        if self.nodes[node].alive {
            self.input(node, Input::Link(LinkEvent::LinkChanged(link)));
        }
    }

    pub(crate) fn input(&mut self, node: usize, input: Input<'_>) {
        let now = self.now;
        self.nodes[node].engine.handle(now, input);
        self.drain(node);
    }

    /// Hands the present configuration of a node to its engine.
    pub(crate) fn reconfigure(&mut self, node: usize, change: impl FnOnce(&mut Config)) {
        change(&mut self.nodes[node].config);
        let config = Box::new(self.nodes[node].config.clone());
        self.input(node, Input::Reconfigure(config));
    }

    fn drain(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].engine.poll_output() {
            let n = &mut self.nodes[node];
            match output {
                Output::Transmit { ifindex, source, destination, payload } => {
                    assert!(n.open.contains(&ifindex), "sent on a closed interface");
                    *n.sent.entry((ifindex, payload[1])).or_default() += 1;
                    self.send(node, ifindex, source, destination, payload);
                }
                Output::OpenInterface { ifindex, .. } => {
                    assert!(n.open.insert(ifindex), "opened twice");
                }
                Output::CloseInterface { ifindex } => {
                    assert!(n.open.remove(&ifindex), "closed twice");
                    n.groups.retain(|(i, _)| *i != ifindex);
                }
                Output::JoinGroup { ifindex, group } => {
                    assert!(n.groups.insert((ifindex, group)), "joined twice");
                }
                Output::LeaveGroup { ifindex, group } => {
                    assert!(n.groups.remove(&(ifindex, group)), "left twice");
                }
                Output::Rib(message) => {
                    if let Some(changes) = message.changes() {
                        for change in changes {
                            match change {
                                RouteChange::Replace(r) => n.routes.insert(r.prefix, r.clone()),
                                RouteChange::Withdraw(p) => n.routes.remove(p),
                            };
                        }
                    }
                    n.rib_log.push(message);
                }
                Output::Bfd(message) => n.bfd_log.push(message),
                Output::Persist(saved) => n.saved = Some(saved),
                Output::Notice(notice) => n.notices.push(notice),
                Output::Finished => n.finished = true,
            }
        }
    }

    fn send(
        &mut self,
        from: usize,
        from_if: IfIndex,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        payload: Vec<u8>,
    ) {
        self.capture.push((from, payload.clone()));
        let Some(segment) = self.segments.iter().position(|s| s.ends.contains(&(from, from_if))) else {
            return;
        };
        if self.segments[segment].down {
            return;
        }
        for (to, ifindex) in self.segments[segment].ends.clone() {
            if (to, ifindex) == (from, from_if) {
                continue;
            }
            if self.rng.below(100) < self.segments[segment].loss_percent {
                continue;
            }
            self.serial += 1;
            let packet = InFlight { to, ifindex, source, destination, payload: payload.clone() };
            self.flight.insert((self.now + DELAY, self.serial), packet);
        }
    }

    fn deliver(&mut self, packet: &InFlight) {
        let node = &self.nodes[packet.to];
        let owns = node.links[&packet.ifindex].1.iter().any(|a| a.network.ip() == packet.destination);
        let member = node.groups.contains(&(packet.ifindex, packet.destination));
        if !node.alive || !node.open.contains(&packet.ifindex) || !(owns || member) {
            return;
        }
        let received = Received {
            ifindex: packet.ifindex,
            source: packet.source,
            destination: packet.destination,
            ttl: 1,
            payload: &packet.payload,
        };
        self.input(packet.to, Input::Packet(received));
    }

    /// No packet that was sent and did not arrive yet arrives.
    pub(crate) fn lose_what_is_under_way(&mut self) {
        self.flight.clear();
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        self.run_until(end, |_| false);
    }

    /// Lets time pass until `done`, at most until `end`; says whether it was reached.
    pub(crate) fn run_until(&mut self, end: Instant, done: impl Fn(&Self) -> bool) -> bool {
        let mut steps_at_once = 0u32;
        loop {
            if done(self) {
                return true;
            }
            let timers = self.nodes.iter().filter(|n| n.alive).filter_map(|n| n.engine.poll_timeout());
            let next = timers.chain(self.flight.keys().map(|(at, _)| *at).take(1)).min();
            let Some(next) = next.filter(|at| *at <= end) else {
                self.now = end;
                return done(self);
            };
            steps_at_once = if next <= self.now { steps_at_once + 1 } else { 0 };
            assert!(steps_at_once < 100_000, "time stands still at {}", self.now);
            self.now = self.now.max(next);
            let due: Vec<_> = self.flight.range(..=(self.now, u64::MAX)).map(|(k, _)| *k).collect();
            for key in due {
                let packet = self.flight.remove(&key).unwrap();
                self.deliver(&packet);
            }
            for node in 0..self.nodes.len() {
                let n = &mut self.nodes[node];
                if n.alive && n.engine.poll_timeout().is_some_and(|at| at <= self.now) {
                    n.engine.handle_timeout(self.now);
                    self.drain(node);
                }
            }
        }
    }

    /// Runs until `done`, and fails the test after `span`. Returns how long it took.
    #[track_caller]
    pub(crate) fn wait(&mut self, span: Duration, what: &str, done: impl Fn(&Self) -> bool) -> Duration {
        let start = self.now;
        assert!(self.run_until(start + span, done), "not within {span:?}: {what}");
        self.now.since(start)
    }

    // Questions.

    pub(crate) fn state(&self, node: usize, neighbor: u8) -> Option<NeighborState> {
        let interfaces = self.nodes[node].engine.interfaces();
        interfaces.filter_map(|i| i.neighbors.get(&id(neighbor))).map(|n| n.state).max()
    }

    pub(crate) fn is_full(&self, a: usize, b: usize) -> bool {
        let n = |i: usize| self.nodes[i].engine.router_id();
        let full = |i: usize, j: usize| {
            self.nodes[i]
                .engine
                .interfaces()
                .any(|x| x.neighbors.get(&n(j)).is_some_and(|n| n.state == NeighborState::Full))
        };
        full(a, b) && full(b, a)
    }

    /// The gateway of a route in a router's RIB, and its metric.
    pub(crate) fn route(&self, node: usize, prefix: &str) -> Option<(Ipv4Addr, u32)> {
        let route = self.nodes[node].routes.get(&net(prefix))?;
        Some((route.next_hops.first()?.gateway?, route.metric))
    }

    /// Area database of a node as comparable text: keys, sequence numbers, checksums.
    pub(crate) fn database(&self, node: usize) -> Vec<String> {
        let engine = &self.nodes[node].engine;
        let mut all = Vec::new();
        for database in [DatabaseId::Area(AreaId::BACKBONE), DatabaseId::As] {
            for (key, entry) in engine.lsdb(database).into_iter().flat_map(|db| db.iter()) {
                let h = entry.lsa.header();
                let old = if entry.is_max_age(self.now) { " MaxAge" } else { "" };
                all.push(format!("{key} {:#x} {:#x}{old}", h.sequence, h.checksum));
            }
        }
        all
    }

    /// Do all living routers hold the same database?
    pub(crate) fn is_synchronized(&self) -> bool {
        let mut databases = (0..self.nodes.len()).filter(|n| self.nodes[*n].alive).map(|n| self.database(n));
        let first = databases.next();
        databases.all(|d| Some(&d) == first.as_ref())
    }

    /// The router-LSA of `of` as `node` holds it, with its sequence number.
    pub(crate) fn router_lsa(&self, node: usize, of: u8) -> Option<(i32, RouterLsa)> {
        let engine = &self.nodes[node].engine;
        let (_, entry) = engine
            .lsdb(DatabaseId::Area(AreaId::BACKBONE))?
            .iter_type(LsType::Router)
            .find(|(key, e)| key.advertising_router == id(of) && !e.is_max_age(self.now))?;
        match entry.lsa.body() {
            LsaBody::Router(body) => Some((entry.lsa.header().sequence, body.clone())),
            _ => None,
        }
    }
}

pub(crate) fn link(ifindex: IfIndex, name: &routing_common::id::InterfaceName) -> Link {
    Link::ethernet(ifindex, name.clone())
}

pub(crate) fn address_on(ifindex: IfIndex, network: Ipv4Network) -> Address {
    Address::new(ifindex, network)
}
