//! Where a fuzzer starts: real packets, real requests, and scripts of chance.
//!
//! `cargo run --example seeds` writes them into the corpora. It is deterministic; what a fuzzer later added and a
//! minimiser kept is what makes the corpora worth keeping.

use crate::netlink::{address, link, nexthop, octets, route};
use crate::{commands, ospf_capture, vrrp_capture};
use ospf_proto::packet::{PacketBody, UpdateLsa, decode_header};
use rib::message::{
    ClientMessage, NextHop, PROTOCOL_VERSION, Protocol, Redistributed, RibMessage, Route, RouteChange,
    Subscription,
};
use routing_common::control::{Greeting, Outcome, Reply, Request, encode};
use routing_common::id::IfIndex;
use routing_common::prefix;
use routing_common::rng::Rng;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Scripts of chance for each stateful target.
const SCRIPTS: usize = 48;

/// The golden packets of the codec's tests, which other implementations sent.
const GOLDEN: &str = include_str!("../../../ospfd/proto/src/packet/golden.rs");

const CONFIGURATIONS: [&str; 10] = [
    include_str!("../../../docs/examples/pair/r1.toml"),
    include_str!("../../../docs/examples/pair/r2.toml"),
    include_str!("../../../docs/examples/ring5/r1.toml"),
    include_str!("../../../docs/examples/ring5/r2.toml"),
    include_str!("../../../docs/examples/ring5/r3.toml"),
    include_str!("../../../docs/examples/trunk/r1.toml"),
    include_str!("../../../docs/examples/trunk/r2.toml"),
    "hostname = 3\n[ospf]\nrouter-id = \"0.0.0.0\"\n[ospf.interfaces.\"a/b\"]\ncost = 0\n",
    "[ospf\n",
    "hostname = \"r\"\n[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.interfaces.eth0]\nauthentication = \"md5\"\n\
     keys = [{ id = 1, secret = \"x\" }]\n",
];

/// Files of FRR.
const FILES: [&[u8]; 9] = [
    include_bytes!("../../../cli/lines/tests/import/files/broken/frr.conf"),
    include_bytes!("../../../cli/lines/tests/import/files/leaf/frr.conf"),
    include_bytes!("../../../cli/lines/tests/import/files/md5-keys/ospfd.conf"),
    include_bytes!("../../../cli/lines/tests/import/files/multi-area/frr.conf"),
    include_bytes!("../../../cli/lines/tests/import/files/proxmox-mesh/frr.conf"),
    include_bytes!("../../../cli/lines/tests/import/files/quagga/ospfd.conf"),
    include_bytes!("../../../cli/lines/tests/import/files/ring-router/frr.conf"),
    include_bytes!("../../../cli/lines/tests/import/files/statics-with-bfd/frr.conf"),
    include_bytes!("../../../cli/lines/tests/import/files/vrrp-pair/frr.conf"),
];

/// Seeds by target.
pub fn seeds() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let packets = ospf_packets();
    let vrrp = vrrp_capture();
    vec![
        ("ospf_lsa", lsas(&packets)),
        ("ospf_packet", packets),
        ("ospf_engine", scripts(1)),
        ("vrrp_engine", scripts(2)),
        ("rib_engine", scripts(3)),
        ("bfd_engine", scripts(4)),
        ("bfd_packet", bfd_packets()),
        ("ipv4_header", datagrams(&vrrp)),
        (
            "vrrp_packet",
            vrrp.iter().map(|m| before(if m[0] >> 4 == 2 { &[4, 1] } else { &[0, 1] }, m)).collect(),
        ),
        ("rib_messages", rib_messages()),
        ("netlink_message", netlink_messages()),
        ("control", control()),
        ("config", CONFIGURATIONS.iter().map(|c| c.as_bytes().to_vec()).collect()),
        ("commands", lines()),
        ("lines", FILES.iter().map(|f| f.to_vec()).collect()),
        ("requests", requests()),
    ]
}

fn before(head: &[u8], tail: &[u8]) -> Vec<u8> {
    [head, tail].concat()
}

/// Golden packets, and of what our own routers say the first of each type and length.
fn ospf_packets() -> Vec<Vec<u8>> {
    let mut hex = String::new();
    let mut packets = Vec::new();
    for line in GOLDEN.lines().take_while(|l| !l.starts_with("const A:")) {
        let digits = line.trim().trim_end_matches(['\\', ';', '"']);
        if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit()) {
            hex.push_str(digits);
        }
        if line.ends_with("\";") {
            packets.push(from_hex(&core::mem::take(&mut hex)));
        }
    }
    let mut seen = BTreeSet::new();
    packets.extend(ospf_capture().into_iter().filter(|p| seen.insert((p.get(1).copied(), p.len()))));
    packets
}

fn from_hex(digits: &str) -> Vec<u8> {
    let values: Vec<u8> = digits.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    values.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn lsas(packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut found = BTreeSet::new();
    for packet in packets {
        let body = decode_header(packet).and_then(|raw| raw.decode_body());
        let Ok(PacketBody::LinkStateUpdate(lsas)) = body else { continue };
        for lsa in lsas {
            if let UpdateLsa::Valid(lsa) = lsa {
                found.insert(before(&[0], lsa.raw()));
            }
        }
    }
    found.into_iter().collect()
}

/// Octets of chance, from short to long.
fn scripts(seed: u64) -> Vec<Vec<u8>> {
    let mut rng = Rng::new(seed);
    let mut octets = |count: usize| -> Vec<u8> { (0..count).map(|_| rng.next_u64() as u8).collect() };
    (0..SCRIPTS).map(|n| before(&[n as u8], &octets(8 + n * n / 4))).collect()
}

/// VRRP messages as IP datagrams, and one with options.
fn datagrams(messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let datagram = |message: &Vec<u8>| {
        let total = (20 + message.len()) as u16;
        let [high, low] = total.to_be_bytes();
        let header = [0x45, 0xc0, high, low, 0, 1, 0x40, 0, 255, 112, 0, 0, 192, 0, 2, 1, 224, 0, 0, 18];
        before(&header, message)
    };
    let mut with_options =
        vec![0x46, 0xc0, 0, 27, 0, 1, 0x40, 0, 1, 89, 0, 0, 10, 0, 0, 1, 224, 0, 0, 5, 0x94, 4, 0, 0];
    with_options.extend_from_slice(b"abcPADDING");
    messages.iter().take(4).map(datagram).chain([with_options]).collect()
}

/// Packets of each state, one with an Authentication Section, and messages of both directions.
fn bfd_packets() -> Vec<Vec<u8>> {
    use bfd_proto::message::{self, BfdMessage, ClientMessage, SessionKey, SessionState};
    let packet = |flags: u8, length: u8| {
        let head = [0x20, flags, 3, length, 0, 0, 0, 7, 0, 0, 0, 9];
        before(&before(&[0], &head), &[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10, 0, 0, 0, 0, 1, 4, 1, 0x61])
    };
    let mut all: Vec<_> = [0x00, 0x40, 0x80, 0xc0, 0xe0, 0xd0, 0xca].map(|flags| packet(flags, 24)).into();
    all.push(packet(0xc4, 28));
    let key = SessionKey::single_hop(Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 1), IfIndex(3));
    let ms = core::time::Duration::from_millis;
    let parameters = message::Parameters {
        transmit_interval: ms(10),
        receive_interval: ms(10),
        detect_multiplier: 3,
        passive: false,
        minimum_ttl: 254,
    };
    let to = [
        ClientMessage::Hello { version: message::PROTOCOL_VERSION, name: "ospfd".into() },
        ClientMessage::BeginSync,
        ClientMessage::Register { key, parameters },
        ClientMessage::Unregister(key),
        ClientMessage::EndSync,
        ClientMessage::Goodbye,
    ];
    let status = message::SessionStatus {
        key,
        state: SessionState::Up,
        diagnostic: message::Diagnostic(0),
        remote_diagnostic: message::Diagnostic(3),
        remote_admin_down: false,
        remote_independent: true,
    };
    let from = [
        BfdMessage::Hello { version: message::PROTOCOL_VERSION },
        BfdMessage::State(status),
        BfdMessage::Refused { key, reason: "no".into() },
    ];
    all.extend(to.iter().filter_map(|m| postcard::to_allocvec(m).ok()).map(|m| before(&[2], &m)));
    all.extend(from.iter().filter_map(|m| postcard::to_allocvec(m).ok()).map(|m| before(&[3], &m)));
    all
}

fn rib_messages() -> Vec<Vec<u8>> {
    let hop = NextHop { gateway: Some(Ipv4Addr::new(10, 0, 0, 1)), ifindex: IfIndex(3) };
    let prefix = prefix::of(Ipv4Addr::new(10, 1, 0, 0), 16);
    let route = Route { prefix, distance: 110, metric: 20, tag: 1, next_hops: [hop].into_iter().collect() };
    let redistributed = Redistributed {
        protocol: Protocol::Static,
        prefix,
        metric: 1,
        tag: 2,
        next_hop: hop.gateway,
        interface: "eth0".parse().ok(),
    };
    let to = [
        ClientMessage::Hello {
            version: PROTOCOL_VERSION,
            protocol: Some(Protocol::Ospf),
            name: "ospfd".into(),
        },
        ClientMessage::BeginSync,
        ClientMessage::Routes(vec![RouteChange::Replace(route), RouteChange::Withdraw(prefix)]),
        ClientMessage::EndSync,
        ClientMessage::Subscribe(Subscription {
            protocols: vec![Protocol::Connected],
            default_route: true,
            routes_stand: true,
            attachments: true,
        }),
        ClientMessage::FibBarrier(7),
        ClientMessage::Goodbye { withdraw: true },
        ClientMessage::Part(vec![RouteChange::Withdraw(prefix)]),
        ClientMessage::Alternates { changes: vec![(prefix, Some(hop))], more: true },
        ClientMessage::Lost(vec![hop]),
    ];
    let from = [
        RibMessage::Hello { version: PROTOCOL_VERSION, keeps_routes: true },
        RibMessage::Synced,
        RibMessage::FibDone(9),
        RibMessage::Redistribute(vec![redistributed]),
        RibMessage::Unredistribute(vec![(Protocol::Static, prefix)]),
        RibMessage::SubscriptionSynced,
    ];
    let to = to.iter().filter_map(|m| postcard::to_allocvec(m).ok()).map(|m| before(&[0], &m));
    let from = from.iter().filter_map(|m| postcard::to_allocvec(m).ok()).map(|m| before(&[1], &m));
    to.chain(from).collect()
}

/// Our requests, which read like the kernel's events.
fn netlink_messages() -> Vec<Vec<u8>> {
    let gateway = Some(Ipv4Addr::new(10, 0, 0, 1));
    let hop = |ifindex| route::RouteNextHop { gateway, ifindex, onlink: false };
    let to = |via| {
        route::install(&route::Route {
            prefix: prefix::of(Ipv4Addr::new(10, 4, 0, 0), 16),
            protocol: 188,
            metric: 20,
            via,
        })
    };
    let spec = address::AddressSpec {
        ifindex: IfIndex(3),
        network: prefix::host(Ipv4Addr::new(192, 0, 2, 254)),
        protocol: 112,
        no_prefix_route: true,
        lifetime: Some(core::time::Duration::from_secs(30)),
    };
    let mut messages = vec![
        to(route::RouteVia::Blackhole),
        to(route::RouteVia::Object(0x746f_0001)),
        to(route::RouteVia::NextHops(vec![hop(3)])),
        to(route::RouteVia::NextHops(vec![hop(3), hop(4)])),
        route::remove(prefix::default_route(), 20, 196),
        nexthop::put(nexthop::Put::Create, 7, 196, &hop(3)),
        nexthop::put_group(nexthop::Put::Replace, 8, 196, &[7, 9]),
        nexthop::remove(7),
        spec.add(),
        spec.delete(),
        link::set_admin(IfIndex(3), true),
        link::set_alias(IfIndex(3), "torc-vrrp"),
        link::delete(IfIndex(3)),
    ];
    if let Ok(name) = "vrrp10".parse() {
        let mode = link::MacvlanMode::Private;
        messages.extend(link::create_macvlan(&name, IfIndex(2), [0, 0, 0x5e, 0, 1, 10], mode, "torc-vrrp"));
    }
    let all: Vec<Vec<u8>> = messages.iter().map(octets).collect();
    let together = all.concat();
    all.into_iter().chain([together]).collect()
}

fn control() -> Vec<Vec<u8>> {
    let greeting = Greeting { daemon: "ospfd".into(), version: "0.1.0".into(), protocol: 1 };
    let request = Request { id: 1, body: serde_json::json!({"neighbors": {"detail": true}}) };
    let processes = serde_json::json!({"processes": [
        {"name": "ribd", "pid": 42, "state": "running", "restarts": 1, "uptimeMsec": 61000}]});
    let done = Reply { id: 1, outcome: Outcome::Done(processes) };
    let refused = Reply { id: 2, outcome: Outcome::Refused("no".into()) };
    let frames = [encode(&greeting), encode(&request), encode(&done), encode(&refused)];
    let frames: Vec<Vec<u8>> = frames.into_iter().flatten().collect();
    let bare = encode(&serde_json::json!({"processes": []})).into_iter();
    let together = before(&[3], &frames.concat());
    frames.iter().cloned().chain(bare).map(|f| before(&[255], &f)).chain([together]).collect()
}

/// Every command of the table with its options taken literally, and some as people type them.
fn lines() -> Vec<Vec<u8>> {
    let table = commands::table();
    let plain = |c: char| !matches!(c, '[' | ']' | '<' | '>');
    let literal = table.commands().map(|c| {
        let words: String =
            c.syntax.chars().map(|x| if x == '|' { ' ' } else { x }).filter(|x| plain(*x)).collect();
        words.replace("A.B.C.D/M", "10.0.0.0/8").replace("A.B.C.D", "10.0.0.1").replace("IFNAME", "eth0")
    });
    let typed = [
        "sh ip os nei eth1 det",
        "show ip ospf database external 10.1.0.0 adv-router 10.255.0.1 json",
        "show ip ospf database self-originate",
        "show ip route 10.0.0.0/8 longer-prefixes json",
        "show ip route ospf 10.0.0.1",
        "show vrrp interface eth0 10 json",
        "show bfd peer 10.0.0.2 json",
        "show i",
        "s",
        "list",
    ];
    literal.chain(typed.map(str::to_owned)).map(String::into_bytes).collect()
}

fn requests() -> Vec<Vec<u8>> {
    let texts: [(u8, &str); 13] = [
        (0, "\"summary\"\n{}"),
        (0, "{\"neighbors\":{\"filter\":\"eth2\",\"detail\":true}}\n{\"neighbors\":{}}"),
        (0, "{\"neighbors\":{}}\n{\"neighbors\":{\"10.255.0.2\":[]}}"),
        (0, "{\"interfaces\":{\"name\":\"eth3\"}}\n{\"interfaces\":{}}"),
        (0, "{\"database\":{\"kind\":\"router\",\"self-originate\":true}}\n{\"routerId\":\"10.255.0.1\"}"),
        (0, "{\"database\":{\"advertising-router\":\"10.255.0.2\"}}\n{}"),
        (0, "\"database-max-age\"\n{}"),
        (0, "\"routes\"\n{\"10.0.0.0/24\":{}}"),
        (0, "\"border-routers\"\n{}"),
        (0, "\"events\"\n{}"),
        (1, "{\"routers\":{\"interface\":\"eth0\",\"vrid\":10}}\n[]"),
        (
            2,
            "{\"routes\":{\"protocol\":\"ospf\",\"prefix\":\"10.0.0.0/8\",\"longer\":true}}\n{\"10.0.0.0/8\":[]}",
        ),
        (2, "\"system\"\n{}"),
    ];
    let bfd = ["\"peers\"\n[]", "{\"peer\":{\"address\":\"10.0.2.2\"}}\n{}", "\"status\"\n{}"];
    let bfd = bfd.map(|text| before(&[255], text.as_bytes()));
    let more =
        ["route-summary", "interfaces", "clients"].map(|r| before(&[2], format!("\"{r}\"\n[]").as_bytes()));
    texts.iter().map(|(engine, text)| before(&[*engine], text.as_bytes())).chain(more).chain(bfd).collect()
}
