//! Several engines on one LAN in virtual time, each with a kernel that does what it is told.

mod election;
mod hostile;
mod kernel_side;
mod probe;
mod witness;

use super::*;
use crate::router::Transition;
use ipnetwork::Ipv4Network;
use routing_common::config::{Defaults, RibConfig, VrrpChecksum, VrrpVersion};
use routing_common::link::{Address, Link, VRRP_ADDRESS_PROTOCOL};
use routing_common::time::Duration;
use std::net::Ipv4Addr;

const BASE: IfIndex = IfIndex(2);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Instant {
    Instant::from_millis(n)
}

fn group(priority: u8) -> VrrpGroup {
    VrrpGroup {
        interface: "eth0".parse().unwrap(),
        vrid: Vrid::new(10).unwrap(),
        version: VrrpVersion::V3,
        priority,
        advertisement_interval: ms(1000),
        virtual_addresses: vec!["192.0.2.254/24".parse().unwrap()],
        preempt: true,
        preempt_delay: Duration::ZERO,
        preempt_routes_wait: Duration::ZERO,
        accelerate: true,
        accept: true,
        virtual_mac: true,
        checksum: VrrpChecksum::Rfc5798,
    }
}

fn config(groups: impl IntoIterator<Item = VrrpGroup>) -> Box<Config> {
    Box::new(Config {
        hostname: "r".into(),
        defaults: Defaults::Traditional,
        interfaces: BTreeMap::new(),
        static_routes: Vec::new(),
        policy: routing_common::policy::Policy::default(),
        access: routing_common::config::AccessConfig::default(),
        key_chains: BTreeMap::new(),
        rib: RibConfig::default(),
        ospf: None,
        vrrp_groups: groups.into_iter().enumerate().map(|(n, g)| (format!("g{n}"), g)).collect(),
        bfd_peers: BTreeMap::new(),
    })
}

fn base_link(running: bool) -> Link {
    Link { running, mac: Some([2, 0, 0, 0, 0, 9]), ..Link::ethernet(BASE, "eth0".parse().unwrap()) }
}

fn address(ifindex: IfIndex, network: &str, protocol: u8) -> Address {
    let network: Ipv4Network = network.parse().unwrap();
    Address { protocol, ..Address::new(ifindex, network) }
}

/// What left a node, and when.
#[derive(Debug, Clone)]
struct Sent {
    at: Instant,
    kind: FrameKind,
    frame: Vec<u8>,
}

impl Sent {
    /// The priority of an advertisement.
    fn priority(&self) -> u8 {
        self.frame[14 + 20 + 2]
    }
}

/// What a node reads from its socket.
#[derive(Debug, Clone)]
enum Arrival {
    Vrrp(Ipv4Addr, Vec<u8>),
    Arp(Vec<u8>),
}

/// An engine and its pretended kernel.
struct Node {
    engine: Instance,
    own: Ipv4Addr,
    links: BTreeMap<IfIndex, Link>,
    addresses: Vec<Address>,
    next_index: u32,
    sent: Vec<Sent>,
    /// All outputs but frames, as they came.
    done: Vec<Output>,
    finished: bool,
    /// Does nothing at all while set: a stopped process.
    frozen: bool,
    /// Frames from others are lost while set.
    deaf: bool,
    /// Its machine is off: not even the kernel answers.
    dark: bool,
    /// What came in while it was frozen.
    queue: Vec<Arrival>,
}

impl Node {
    fn new(own: &str) -> Self {
        let own: Ipv4Addr = own.parse().unwrap();
        let mac = Some([2, 0, 0, 0, 0, own.octets()[3]]);
        let mut node = Self {
            engine: Instance::new(),
            own,
            links: BTreeMap::from([(BASE, Link { mac, ..base_link(true) })]),
            addresses: vec![address(BASE, &format!("{own}/24"), 0)],
            next_index: 10,
            sent: Vec::new(),
            done: Vec::new(),
            finished: false,
            frozen: false,
            deaf: false,
            dark: false,
            queue: Vec::new(),
        };
        node.boot(Instant::ZERO);
        node
    }

    /// Tells the engine the kernel's state as a monitor does at its start.
    fn boot(&mut self, now: Instant) {
        let links: Vec<Link> = self.links.values().cloned().collect();
        let addresses = self.addresses.clone();
        for link in links {
            self.input(now, Input::Link(LinkEvent::LinkChanged(link)));
        }
        for address in addresses {
            self.input(now, Input::Link(LinkEvent::AddressAdded(address)));
        }
        self.input(now, Input::Link(LinkEvent::SnapshotComplete));
    }

    fn input(&mut self, now: Instant, input: Input<'_>) {
        self.engine.handle(now, input);
        self.drain(now);
        while self.engine.dirty {
            self.engine.handle_timeout(now);
            self.drain(now);
        }
    }

    fn configure(&mut self, now: Instant, groups: impl IntoIterator<Item = VrrpGroup>) {
        self.input(now, Input::Reconfigure(config(groups)));
    }

    /// Carries out outputs and tells the engine what the kernel tells about them.
    fn drain(&mut self, now: Instant) {
        let mut events = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match &output {
                Output::Transmit { frame, kind, .. } => {
                    self.sent.push(Sent { at: now, kind: *kind, frame: frame.clone() });
                    continue;
                }
                Output::Finished => self.finished = true,
                other => events.extend(self.kernel(other)),
            }
            self.done.push(output);
        }
        for event in events {
            self.engine.handle(now, Input::Link(event));
        }
        if self.engine.dirty {
            self.engine.handle_timeout(now);
            self.drain(now);
        }
    }

    fn kernel(&mut self, output: &Output) -> Vec<LinkEvent> {
        match output {
            Output::CreateDevice { name, parent, mac, alias } => {
                self.next_index += 1;
                let ifindex = IfIndex(self.next_index);
                let link = Link {
                    ifindex,
                    name: name.clone(),
                    admin_up: false,
                    running: false,
                    mac: Some(*mac),
                    kind: Some("macvlan".into()),
                    parent: Some(*parent),
                    alias: None,
                    ..base_link(true)
                };
                let tagged = Link { alias: Some((*alias).into()), ..link.clone() };
                self.links.insert(ifindex, tagged.clone());
                vec![LinkEvent::LinkChanged(link), LinkEvent::LinkChanged(tagged)]
            }
            Output::RemoveDevice { ifindex, .. } => {
                self.links.remove(ifindex);
                let (gone, stay) = self.addresses.drain(..).partition(|a| a.ifindex == *ifindex);
                self.addresses = stay;
                let gone: Vec<Address> = gone;
                let removed = gone.into_iter().map(LinkEvent::AddressRemoved);
                removed.chain([LinkEvent::LinkRemoved(*ifindex)]).collect()
            }
            Output::SetDevice { ifindex, up } => {
                let link = self.links.get_mut(ifindex).unwrap();
                link.admin_up = *up;
                link.running = *up;
                vec![LinkEvent::LinkChanged(link.clone())]
            }
            Output::InstallAddress { ifindex, address: network, .. } => {
                let new = address(*ifindex, &network.to_string(), VRRP_ADDRESS_PROTOCOL);
                if self.addresses.contains(&new) {
                    return vec![];
                }
                self.addresses.push(new.clone());
                vec![LinkEvent::AddressAdded(new)]
            }
            Output::RemoveAddress { ifindex, address: network } => self.steal(*ifindex, *network),
            _ => vec![],
        }
    }

    /// Takes an address out of the kernel; answers the event to tell.
    fn steal(&mut self, ifindex: IfIndex, network: Ipv4Network) -> Vec<LinkEvent> {
        let place = self.addresses.iter().position(|a| a.ifindex == ifindex && a.network == network);
        place.map(|n| LinkEvent::AddressRemoved(self.addresses.remove(n))).into_iter().collect()
    }

    fn router(&self) -> &VirtualRouter {
        self.engine.routers().next().unwrap()
    }

    fn state(&self) -> crate::machine::State {
        self.router().state
    }

    /// Are the virtual address and the device with its MAC in service?
    fn serves(&self) -> bool {
        let up = self.links.values().any(|l| l.kind.is_some() && l.admin_up);
        up && self.addresses.iter().any(|a| a.protocol == VRRP_ADDRESS_PROTOCOL)
    }

    /// Does it listen for ARP packets about the virtual address?
    fn listens(&self) -> bool {
        let last = self.done.iter().rev().find_map(|output| match output {
            Output::ListenArp { addresses, .. } => Some(!addresses.is_empty()),
            Output::OpenInterface { .. } | Output::CloseInterface { .. } => Some(false),
            _ => None,
        });
        last.unwrap_or(false)
    }

    /// When it sent ARP probes from then on.
    fn probes(&self, from: Instant) -> Vec<Instant> {
        self.sent.iter().filter(|s| s.kind == FrameKind::ArpProbe && s.at >= from).map(|s| s.at).collect()
    }

    fn adverts(&self) -> Vec<&Sent> {
        self.sent.iter().filter(|s| s.kind == FrameKind::Advertisement).collect()
    }

    fn transitions(&self) -> Vec<Transition> {
        self.router().history.iter().copied().collect()
    }
}

/// Delivers an advertisement from nobody in the LAN.
fn hear(node: &mut Node, now: Instant, source: &str, group: &VrrpGroup) {
    let source: Ipv4Addr = source.parse().unwrap();
    let message = packet::Advertisement {
        version: group.version,
        vrid: group.vrid,
        priority: group.priority,
        interval: group.advertisement_interval,
        addresses: group.virtual_addresses.iter().map(|a| a.ip()).collect(),
    };
    let payload = message.encode(source, group.checksum);
    hear_bytes(node, now, source, &payload);
}

fn hear_bytes(node: &mut Node, now: Instant, source: Ipv4Addr, payload: &[u8]) {
    let received = Received { source, destination: crate::constants::GROUP, ttl: 255, payload };
    node.input(now, Input::Packet { ifindex: BASE, packet: received });
}

/// Delivers an ARP packet, if the node listens for any.
fn hear_arp(node: &mut Node, now: Instant, message: &[u8]) {
    if node.listens() {
        node.input(now, Input::Arp { ifindex: BASE, message });
    }
}

/// What the kernel of an Active router answers to a probe.
fn answer() -> Vec<u8> {
    let address = Ipv4Addr::new(192, 0, 2, 254);
    let mac = crate::constants::virtual_mac(Vrid::new(10).unwrap());
    crate::announce::gratuitous_arp_frame(mac, address, crate::announce::ArpForm::Reply).split_off(14)
}

/// Nodes on one LAN; frames arrive one millisecond after they were sent.
struct Lan {
    now: Instant,
    nodes: Vec<Node>,
    delivered: Vec<usize>,
}

impl Lan {
    fn new(nodes: Vec<Node>) -> Self {
        let delivered = vec![0; nodes.len()];
        Self { now: Instant::ZERO, nodes, delivered }
    }

    /// Lets time pass; at each step messages are read before timers run, as the shell does.
    fn run_until(&mut self, end: Instant) {
        while self.now < end {
            self.now += ms(1);
            self.deliver();
            for node in self.nodes.iter_mut().filter(|n| !n.frozen) {
                if node.engine.poll_timeout().is_some_and(|t| t <= self.now) {
                    node.engine.handle_timeout(self.now);
                    node.drain(self.now);
                }
            }
        }
    }

    fn deliver(&mut self) {
        for from in 0..self.nodes.len() {
            let news: Vec<Sent> = self.nodes[from].sent[self.delivered[from]..].to_vec();
            let fresh = news.iter().filter(|s| s.at < self.now).count();
            self.delivered[from] += fresh;
            let source = self.nodes[from].own;
            for sent in news.into_iter().take(fresh) {
                let arrival = match sent.kind {
                    FrameKind::Advertisement => Arrival::Vrrp(source, sent.frame[34..].to_vec()),
                    _ => Arrival::Arp(sent.frame[14..].to_vec()),
                };
                let mut answers = Vec::new();
                for (to, node) in self.nodes.iter_mut().enumerate() {
                    if to != from && !node.deaf {
                        node.queue.push(arrival.clone());
                        if sent.kind == FrameKind::ArpProbe && node.serves() && !node.dark {
                            answers.push(Arrival::Arp(answer()));
                        }
                    }
                }
                if !self.nodes[from].deaf {
                    self.nodes[from].queue.extend(answers);
                }
            }
        }
        for node in self.nodes.iter_mut().filter(|n| !n.frozen) {
            for arrival in std::mem::take(&mut node.queue) {
                match arrival {
                    Arrival::Vrrp(source, payload) => hear_bytes(node, self.now, source, &payload),
                    Arrival::Arp(message) => hear_arp(node, self.now, &message),
                }
            }
        }
    }

    /// A node's machine is switched off.
    fn power_off(&mut self, node: usize) {
        let node = &mut self.nodes[node];
        (node.frozen, node.dark) = (true, true);
    }

    fn active(&self) -> Vec<usize> {
        let active =
            |n: &Node| !n.frozen && n.engine.routers().any(|r| r.state == crate::machine::State::Active);
        (0..self.nodes.len()).filter(|n| active(&self.nodes[*n])).collect()
    }
}
