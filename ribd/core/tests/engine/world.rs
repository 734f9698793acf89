//! A RIB with a model of the kernel: objects, routes, and what carrier loss does to them in silence.

use ipnetwork::Ipv4Network;
use rib::fib::{
    FibErrorKind, FibFailure, FibOp, FibResults, KernelNextHop, KernelNextHopContent, KernelRoute,
    KernelSnapshot, Put, Via,
};
use rib::message::{ClientMessage, NextHop, PROTOCOL_VERSION, Protocol, RibMessage, Route, RouteChange};
use rib::route::FibHop;
use rib::system::SystemOp;
use rib::{ClientId, Input, Output, Rib};
use routing_common::config;
use routing_common::id::IfIndex;
use routing_common::link::{Address, Link, LinkEvent};
use routing_common::machine::Machine;
use routing_common::notice::Notice;
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const OSPFD: ClientId = ClientId(1);
pub(crate) const ETH0: u32 = 2;
pub(crate) const ETH1: u32 = 3;
pub(crate) const ETH2: u32 = 4;

pub(crate) fn net(text: &str) -> Ipv4Network {
    text.parse().unwrap()
}

pub(crate) fn link(ifindex: u32, name: &str, running: bool) -> Link {
    Link { running, loopback: name == "lo", ..Link::ethernet(IfIndex(ifindex), name.parse().unwrap()) }
}

pub(crate) fn address(ifindex: u32, network: &str) -> Address {
    Address::new(IfIndex(ifindex), net(network))
}

pub(crate) fn hop(gateway: &str, ifindex: u32) -> NextHop {
    NextHop { gateway: Some(gateway.parse().unwrap()), ifindex: IfIndex(ifindex) }
}

pub(crate) fn route(prefix: &str, hops: &[NextHop]) -> Route {
    Route {
        prefix: net(prefix),
        distance: 110,
        metric: 20,
        tag: 0,
        next_hops: hops.iter().copied().collect(),
    }
}

/// What the kernel would use for a prefix: protocol and next hops; none for a blackhole.
pub(crate) type Forwarding = BTreeMap<Ipv4Network, (u8, Vec<FibHop>)>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Object {
    Hop(FibHop),
    Group(Vec<u32>),
}

/// The kernel's tables and their own mind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kernel {
    objects: BTreeMap<u32, Object>,
    pub(crate) routes: BTreeMap<Ipv4Network, (u8, Via)>,
    down: BTreeSet<u32>,
    pub(crate) without_objects: bool,
    pub(crate) writes: usize,
    /// Requests to refuse from now on.
    pub(crate) refuse: usize,
    /// Objects a dump shows as another program's.
    pub(crate) foreign: BTreeSet<u32>,
    /// A prefix that is always refused.
    pub(crate) never: Option<Ipv4Network>,
}

impl Kernel {
    pub(crate) fn apply(&mut self, op: &FibOp) -> Result<(), (FibErrorKind, &'static str)> {
        self.writes += 1;
        if self.refuse > 0 {
            self.refuse -= 1;
            return Err((FibErrorKind::Refused, "out of memory"));
        }
        let absent = Err((FibErrorKind::Absent, "absent"));
        let refused = |text| Err((FibErrorKind::Refused, text));
        match op {
            FibOp::PutNextHop { .. } | FibOp::PutGroup { .. } | FibOp::RemoveNextHop { .. }
                if self.without_objects =>
            {
                Err((FibErrorKind::Unsupported, "no objects here"))
            }
            FibOp::PutGroup { mode: Put::Replace, id, .. } if !self.objects.contains_key(id) => absent,
            FibOp::PutNextHop { hop, .. } if self.down.contains(&hop.ifindex.0) => refused("carrier is down"),
            FibOp::PutNextHop { id, .. } if matches!(self.objects.get(id), Some(Object::Group(_))) => {
                refused("a group cannot become a hop")
            }
            FibOp::PutNextHop { id, hop, .. } => {
                self.objects.insert(*id, Object::Hop(*hop));
                Ok(())
            }
            FibOp::PutGroup { id, .. } if matches!(self.objects.get(id), Some(Object::Hop(_))) => {
                refused("a hop cannot become a group")
            }
            FibOp::PutGroup { id, members, .. } => {
                let known = |m: &u32| matches!(self.objects.get(m), Some(Object::Hop(_)));
                if members.is_empty() || !members.iter().all(known) {
                    return refused("no such member");
                }
                self.objects.insert(*id, Object::Group(members.clone()));
                Ok(())
            }
            FibOp::RemoveNextHop { id } if !self.objects.contains_key(id) => absent,
            FibOp::RemoveNextHop { id } => {
                self.drop_objects(&BTreeSet::from([*id]));
                Ok(())
            }
            FibOp::InstallRoute { via: Via::Object(id), .. } if !self.objects.contains_key(id) => {
                refused("no such object")
            }
            FibOp::InstallRoute { prefix, .. } if self.never == Some(*prefix) => refused("never"),
            FibOp::InstallRoute { prefix, protocol, via } => {
                assert!(*via != Via::Plain(Box::default()), "a route without next hops was asked for");
                self.routes.insert(*prefix, (*protocol, via.clone()));
                Ok(())
            }
            FibOp::RemoveRoute { prefix, protocol } => match self.routes.get(prefix) {
                Some((p, _)) if p == protocol => {
                    self.routes.remove(prefix);
                    Ok(())
                }
                _ => absent,
            },
        }
    }

    fn drop_objects(&mut self, gone: &BTreeSet<u32>) {
        let mut gone = gone.clone();
        for (id, object) in &mut self.objects {
            if let Object::Group(members) = object {
                members.retain(|m| !gone.contains(m));
                if members.is_empty() {
                    gone.insert(*id);
                }
            }
        }
        self.objects.retain(|id, _| !gone.contains(id));
        self.routes.retain(|_, (_, via)| !matches!(via, Via::Object(id) if gone.contains(id)));
    }

    /// Carrier loss: objects go without a word, plain routes stay.
    pub(crate) fn carrier(&mut self, ifindex: u32, up: bool) {
        if up {
            self.down.remove(&ifindex);
            return;
        }
        self.down.insert(ifindex);
        let gone = self
            .objects
            .iter()
            .filter(|(_, o)| matches!(o, Object::Hop(h) if h.ifindex.0 == ifindex))
            .map(|(id, _)| *id)
            .collect();
        self.drop_objects(&gone);
    }

    pub(crate) fn object_ids(&self) -> Vec<u32> {
        self.objects.keys().copied().collect()
    }

    /// Those that routes point at.
    pub(crate) fn group_ids(&self) -> Vec<u32> {
        let is_group = |o: &Object| matches!(o, Object::Group(_));
        self.objects.iter().filter(|(_, o)| is_group(o)).map(|(id, _)| *id).collect()
    }

    /// Somebody puts a single hop at this number, over what was there.
    pub(crate) fn foreign_object_put(&mut self, id: u32, gateway: &str, ifindex: u32) {
        let gateway = Some(gateway.parse().unwrap());
        self.objects.insert(id, Object::Hop(FibHop { gateway, ifindex: IfIndex(ifindex), onlink: false }));
    }

    pub(crate) fn foreign_object_removal(&mut self, id: u32) {
        self.drop_objects(&BTreeSet::from([id]));
    }

    pub(crate) fn forwarding(&self) -> Forwarding {
        let hop_of = |id: &u32| match self.objects.get(id) {
            Some(Object::Hop(h)) => Some(*h),
            _ => None,
        };
        let hops = |via: &Via| -> Vec<FibHop> {
            let mut hops: Vec<FibHop> = match via {
                Via::Blackhole => Vec::new(),
                Via::Plain(hops) => hops.to_vec(),
                Via::Object(id) => match &self.objects[id] {
                    Object::Hop(h) => vec![*h],
                    Object::Group(members) => members.iter().filter_map(hop_of).collect(),
                },
            };
            hops.sort_unstable();
            hops
        };
        self.routes.iter().map(|(p, (protocol, via))| (*p, (*protocol, hops(via)))).collect()
    }

    pub(crate) fn snapshot(&self) -> KernelSnapshot {
        let content = |o: &Object| match o {
            Object::Hop(h) => KernelNextHopContent::Hop(*h),
            Object::Group(m) => KernelNextHopContent::Group(m.clone()),
        };
        KernelSnapshot {
            objects_supported: !self.without_objects,
            next_hops: self
                .objects
                .iter()
                .map(|(id, o)| match self.foreign.contains(id) {
                    true => KernelNextHop { id: *id, content: KernelNextHopContent::Foreign },
                    false => KernelNextHop { id: *id, content: content(o) },
                })
                .collect(),
            routes: self
                .routes
                .iter()
                .map(|(p, (protocol, via))| KernelRoute { prefix: *p, protocol: *protocol, via: via.clone() })
                .collect(),
        }
    }
}

/// A RIB, its kernel, its time, and everything it said.
pub(crate) struct World {
    pub(crate) rib: Rib,
    pub(crate) kernel: Kernel,
    pub(crate) now: Instant,
    pub(crate) said: Vec<(ClientId, RibMessage)>,
    pub(crate) disconnected: Vec<ClientId>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) system: Vec<SystemOp>,
}

impl World {
    /// With eth0 192.168.1.1/24, eth1 10.0.1.1/24, eth2 10.0.2.1/24, all running.
    pub(crate) fn new(config: &str) -> Self {
        let mut world = Self::unborn(Kernel::default());
        world.start(config, &[]);
        world
    }

    pub(crate) fn unborn(kernel: Kernel) -> Self {
        Self {
            rib: Rib::new(),
            kernel,
            now: Instant::from_secs(1),
            said: Vec::new(),
            disconnected: Vec::new(),
            notices: Vec::new(),
            system: Vec::new(),
        }
    }

    /// Configuration, links (those in `down` without carrier), the kernel's tables.
    pub(crate) fn start(&mut self, config: &str, down: &[u32]) {
        self.configure(config);
        for (ifindex, name, network) in
            [(ETH0, "eth0", "192.168.1.1/24"), (ETH1, "eth1", "10.0.1.1/24"), (ETH2, "eth2", "10.0.2.1/24")]
        {
            self.input(Input::Link(LinkEvent::LinkChanged(link(ifindex, name, !down.contains(&ifindex)))));
            self.input(Input::Link(LinkEvent::AddressAdded(address(ifindex, network))));
        }
        self.input(Input::Link(LinkEvent::SnapshotComplete));
        self.input(Input::KernelSnapshot(self.kernel.snapshot()));
    }

    pub(crate) fn configure(&mut self, config: &str) {
        let text = format!("hostname = \"r1\"\n{config}");
        let loaded = config::load("test.toml", &text).unwrap_or_else(|e| panic!("{text}\n{e}"));
        self.input(Input::Reconfigure(Box::new(loaded.config)));
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.rib.handle(self.now, input);
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        for round in 0.. {
            assert!(round < 1000, "the RIB never comes to rest");
            let mut failures = Vec::new();
            let mut up_to = None;
            while let Some(output) = self.rib.poll_output() {
                match output {
                    Output::Fib(request) => {
                        if let Some(last) = up_to {
                            assert_eq!(request.token, last + 1, "request numbers have a gap");
                        }
                        up_to = Some(request.token);
                        if let Err((kind, text)) = self.kernel.apply(&request.op) {
                            failures.push(FibFailure { token: request.token, kind, text: text.to_owned() });
                        }
                    }
                    Output::System(op) => self.system.push(op),
                    Output::ToClient(id, message) => self.said.push((id, message)),
                    Output::Disconnect(id) => self.disconnected.push(id),
                    Output::Notice(notice) => self.notices.push(notice),
                }
            }
            let Some(up_to) = up_to else { return };
            self.rib.handle(self.now, Input::FibResults(FibResults { up_to, failures }));
        }
    }

    /// Lets time pass, every timer at its moment.
    pub(crate) fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.rib.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.rib.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn carrier(&mut self, ifindex: u32, up: bool) {
        self.kernel.carrier(ifindex, up);
        let name = format!("eth{}", ifindex - ETH0);
        self.input(Input::Link(LinkEvent::LinkChanged(link(ifindex, &name, up))));
    }

    pub(crate) fn say(&mut self, id: ClientId, message: ClientMessage) {
        self.input(Input::ClientMessage(id, message));
    }

    pub(crate) fn connect(&mut self, id: ClientId, protocol: Option<Protocol>) {
        self.input(Input::ClientConnected(id));
        let name = format!("client{}", id.0);
        self.say(id, ClientMessage::Hello { version: PROTOCOL_VERSION, protocol, name });
    }

    /// A whole OSPF session up to its synchronisation.
    pub(crate) fn ospf(&mut self, id: ClientId, routes: &[Route]) {
        self.connect(id, Some(Protocol::Ospf));
        self.say(id, ClientMessage::BeginSync);
        self.offer(id, routes);
        self.say(id, ClientMessage::EndSync);
    }

    pub(crate) fn offer(&mut self, id: ClientId, routes: &[Route]) {
        self.say(id, ClientMessage::Routes(routes.iter().cloned().map(RouteChange::Replace).collect()));
    }

    /// Offers routes as one change, in messages of a hundred.
    pub(crate) fn offer_in_parts(&mut self, id: ClientId, routes: &[Route]) {
        let changes: Vec<RouteChange> = routes.iter().cloned().map(RouteChange::Replace).collect();
        ClientMessage::routes(changes, 100).for_each(|message| self.say(id, message));
    }

    pub(crate) fn withdraw(&mut self, id: ClientId, prefix: &str) {
        self.say(id, ClientMessage::Routes(vec![RouteChange::Withdraw(net(prefix))]));
    }

    /// The kernel's next hops for a prefix as "gateway%ifindex"; `None` without a route.
    pub(crate) fn via(&self, prefix: &str) -> Option<Vec<String>> {
        let forwarding = self.kernel.forwarding();
        let (_, hops) = forwarding.get(&net(prefix))?;
        let text = |h: &FibHop| {
            let gateway = h.gateway.map_or("-".to_owned(), |g| g.to_string());
            format!("{gateway}%{}{}", h.ifindex, if h.onlink { " onlink" } else { "" })
        };
        Some(hops.iter().map(text).collect())
    }

    /// What a client was told since the last call.
    pub(crate) fn told(&mut self, id: ClientId) -> Vec<RibMessage> {
        let (told, rest) = core::mem::take(&mut self.said).into_iter().partition(|(i, _)| *i == id);
        self.said = rest;
        let told: Vec<(ClientId, RibMessage)> = told;
        told.into_iter().map(|(_, m)| m).collect()
    }
}
