//! A VRRP engine fed with anything at any time, on a kernel that mostly does what it is told.
//!
//! Two virtual routers share a LAN, one of version 3 with a virtual MAC and one of version 2 without; a third
//! owns its address on another interface. The script speaks for rivals, sends back what the engine said,
//! steals addresses, breaks carriers, refuses requests and changes the configuration.

mod check;
mod host;

use crate::script::Script;
use host::{BASE, Host, OWNED};
use rib::message::Attachment;
use routing_common::config::{Config, Defaults, RibConfig, VrrpChecksum, VrrpGroup, VrrpVersion};
use routing_common::id::{IfIndex, RouterId, Vrid};
use routing_common::link::LinkEvent;
use routing_common::time::{Duration, Instant};
use serde_json::Value;
use std::net::Ipv4Addr;
use vrrp_proto::announce::{ArpForm, gratuitous_arp_frame};
use vrrp_proto::api::Request;
use vrrp_proto::arp::probe_frame;
use vrrp_proto::packet::{Advertisement, Received};
use vrrp_proto::{Input, Instance};

/// Where advertisements go.
pub(crate) const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// Steps after which a script ends.
const STEPS: usize = 600;
/// Timers after which it ends.
const EVENTS: usize = 5000;

/// The target.
pub fn vrrp_engine(data: &[u8]) {
    let mut script = Script::new(data);
    let beginning = script.u8();
    let mut host = Host::new(config(beginning));
    for _ in 0..STEPS {
        if script.is_over() || host.events > EVENTS {
            break;
        }
        step(&mut host, &mut script);
    }
    host.inspect();
    host.recover();
    host.shut_down();
}

/// The messages of advertisements of every kind of virtual router: seeds for the decoder.
pub fn capture() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for beginning in [7, 8, 24] {
        let mut host = Host::new(config(beginning));
        host.run(Duration::from_secs(8));
        host.shut_down();
        let messages = host.frames.iter().filter(|f| f.get(12..14) == Some(&[8, 0]));
        all.extend(messages.filter_map(|f| f.get(34..)).map(<[u8]>::to_vec));
    }
    all
}

/// A host with virtual routers, to ask.
pub(crate) struct Asked {
    engine: Instance,
    now: Instant,
}

impl Asked {
    pub(crate) fn new() -> Self {
        let mut host = Host::new(config(7));
        host.run(Duration::from_secs(8));
        Self { now: host.now, engine: host.engine }
    }

    pub(crate) fn query(&self, request: &Request) -> Result<Value, String> {
        self.engine.query(self.now, request)
    }
}

/// A configuration: three bits say which groups there are, the others how they differ.
fn config(choice: u8) -> Config {
    let bit = |n: u8| choice >> n & 1 == 1;
    let group = |interface: &str, vrid: u8, virtual_address: Ipv4Addr| VrrpGroup {
        interface: interface.parse().unwrap_or_else(|e| panic!("{e}")),
        vrid: Vrid::new(vrid).unwrap_or_else(|| panic!("a vrid of 0")),
        version: VrrpVersion::V3,
        priority: if bit(3) { 200 } else { 100 },
        advertisement_interval: Duration::from_millis(if bit(4) { 100 } else { 1000 }),
        virtual_addresses: vec![host::network(virtual_address)],
        preempt: !bit(5),
        preempt_delay: Duration::from_secs(if bit(6) { 2 } else { 0 }),
        preempt_routes_wait: Duration::from_secs(if bit(3) { 30 } else { 0 }),
        accelerate: !bit(3),
        accept: true,
        virtual_mac: !bit(7),
        checksum: if bit(4) { VrrpChecksum::Rfc9568 } else { VrrpChecksum::Rfc5798 },
    };
    let mut groups = vec![
        group("eth0", 10, Ipv4Addr::new(192, 0, 2, 254)),
        group("eth0", 20, Ipv4Addr::new(192, 0, 2, 253)),
        group("eth1", 10, Ipv4Addr::new(198, 51, 100, 1)),
    ];
    groups[1].version = VrrpVersion::V2;
    groups[1].virtual_mac = bit(7);
    groups[1].advertisement_interval = Duration::from_secs(1);
    groups[1].virtual_addresses.push(host::network(Ipv4Addr::new(192, 0, 2, 252)));
    groups[2].priority = 255;
    let chosen = groups.into_iter().zip(0u8..).filter(|(_, n)| choice & 7 == 0 || bit(*n));
    Config {
        hostname: "r1".into(),
        defaults: Defaults::Traditional,
        interfaces: Default::default(),
        static_routes: Vec::new(),
        policy: routing_common::policy::Policy::default(),
        access: routing_common::config::AccessConfig::default(),
        key_chains: std::collections::BTreeMap::new(),
        rib: RibConfig::default(),
        ospf: None,
        vrrp_groups: chosen.map(|(g, n)| (format!("g{n}"), g)).collect(),
        bfd_peers: Default::default(),
    }
}

fn step(host: &mut Host, script: &mut Script<'_>) {
    match script.below(24) {
        0..=3 => {
            let far = host.now + Duration::from_secs(5);
            let _nothing_more = host.advance(far);
        }
        4 | 5 => host.run(Duration::from_millis(20) * u32::from(script.u8())),
        6 => host.sleep(Duration::from_millis(100) * u32::from(script.u16())),
        7..=13 => advertisement(host, script),
        14 => raw(host, script),
        15 => echo(host, script),
        16..=18 => kernel(host, script),
        19 | 20 => host.refuse = usize::from(script.u8() % 8),
        21 | 22 => {
            let choice = script.u8();
            host.reconfigure(config(choice));
        }
        _ => match script.u8() {
            0..=15 => host.tell(Input::Shutdown),
            16..=31 => host.lose_socket(BASE),
            32..=79 => host.tell(Input::Attached(evidence(script.u8()))),
            80..=143 => arp(host, script),
            _ => host.inspect(),
        },
    }
}

/// What the ring may say of the others.
fn evidence(choice: u8) -> Vec<Attachment> {
    let ids = |bits: u8| {
        (0..3).filter(|n| bits >> n & 1 == 1).map(|n| RouterId(Ipv4Addr::new(10, 255, 0, n + 1))).collect()
    };
    let network = if choice & 0x40 == 0 { "192.0.2.0/24" } else { "198.51.100.0/24" };
    let one = Attachment {
        network: network.parse().expect("a network"),
        routers: ids(choice),
        left: ids(choice >> 3),
    };
    if choice & 0x80 == 0 { vec![one] } else { Vec::new() }
}

/// A rival speaks, mostly sense.
fn advertisement(host: &mut Host, script: &mut Script<'_>) {
    let (shape, who) = (script.u8(), script.u8());
    let bit = |n: u8| shape >> n & 1 == 1;
    let (ifindex, vrid, subnet) = match who % 4 {
        0 | 1 => (BASE, 10, [192, 0, 2]),
        2 => (BASE, 20, [192, 0, 2]),
        _ => (OWNED, 10, [198, 51, 100]),
    };
    let [a, b, c] = subnet;
    let source = Ipv4Addr::new(a, b, c, [9, 1, 0, 255, 2, 200][usize::from(who >> 2) % 6]);
    let version = if (vrid == 20) != bit(0) { VrrpVersion::V2 } else { VrrpVersion::V3 };
    let vrid = if bit(1) && bit(2) { script.u8() } else { vrid };
    let virtual_address = match who % 4 {
        0 | 1 => Ipv4Addr::new(192, 0, 2, 254),
        2 => Ipv4Addr::new(192, 0, 2, 253),
        _ => Ipv4Addr::new(198, 51, 100, 1),
    };
    let extra = (0..script.u8() % 3).map(|n| Ipv4Addr::new(192, 0, 2, 252 - n));
    let message = Advertisement {
        version,
        vrid: Vrid::new(vrid).or(Vrid::new(10)).unwrap_or_else(|| panic!("a vrid of 0")),
        priority: script.u8(),
        interval: if bit(3) {
            Duration::from_millis(u64::from(script.u16()) * 10)
        } else {
            Duration::from_secs(1)
        },
        addresses: [virtual_address].into_iter().chain(extra).collect(),
    };
    let form = if bit(4) { VrrpChecksum::Rfc9568 } else { VrrpChecksum::Rfc5798 };
    let mut payload = message.encode(source, form);
    if bit(5) && bit(6) {
        let (at, value) = (script.below(payload.len()), script.u8());
        payload[at] = value;
    }
    let ttl = if bit(7) && bit(6) { script.u8() } else { 255 };
    host.receive(ifindex, Received { source, destination: GROUP, ttl, payload: &payload });
}

/// An ARP packet about a virtual address: a question, an answer, a probe of our own that comes back, or anything.
fn arp(host: &mut Host, script: &mut Script<'_>) {
    let shape = script.u8();
    let address = Ipv4Addr::new(192, 0, 2, 254 - (shape >> 6));
    let mac = [2, 0, 0, 0, 0, if shape & 1 == 0 { 9 } else { 8 }];
    let message = match shape >> 1 & 3 {
        0 => probe_frame(mac, address).split_off(14),
        1 => gratuitous_arp_frame(mac, address, ArpForm::Reply).split_off(14),
        2 => gratuitous_arp_frame([0, 0, 0x5e, 0, 1, 10], address, ArpForm::Request).split_off(14),
        _ => script.blob().to_vec(),
    };
    host.hear_arp(if shape & 0x20 == 0 { BASE } else { OWNED }, &message);
}

fn raw(host: &mut Host, script: &mut Script<'_>) {
    let ifindex = IfIndex(u32::from(script.u8() % 8));
    let source = Ipv4Addr::new(192, 0, 2, script.u8());
    let payload = script.blob().to_vec();
    host.receive(ifindex, Received { source, destination: GROUP, ttl: 255, payload: &payload });
}

/// A frame of our own comes back from the network, perhaps in another's name.
fn echo(host: &mut Host, script: &mut Script<'_>) {
    let back = script.below(8);
    let Some(frame) = host.frames.iter().rev().filter(|f| f.get(12..14) == Some(&[8, 0])).nth(back) else {
        return;
    };
    let payload = frame.get(34..).unwrap_or_default().to_vec();
    let mut source: [u8; 4] = [frame[26], frame[27], frame[28], frame[29]];
    if script.flag() {
        source[3] ^= script.u8();
    }
    host.receive(BASE, Received { source: source.into(), destination: GROUP, ttl: 255, payload: &payload });
}

/// The kernel, or somebody with the rights to, changes something.
fn kernel(host: &mut Host, script: &mut Script<'_>) {
    let what = script.u8();
    let ifindex = if what & 0x80 == 0 { BASE } else { OWNED };
    match what % 10 {
        0..=2 => host.change_link(ifindex, |link| link.running = !link.running),
        3 => host.change_link(ifindex, |link| link.admin_up = !link.admin_up),
        4 => host.change_link(ifindex, |link| {
            link.mac = if what & 0x40 == 0 { Some([2, 0, 0, 0, 0, what]) } else { None };
        }),
        5 => host.steal(usize::from(what >> 4)),
        6 => host.toggle_own_address(ifindex),
        7 => host.remove_device(usize::from(what >> 4)),
        8 => host.vanish(ifindex),
        _ => host.tell(Input::Link(LinkEvent::SnapshotComplete)),
    }
}
