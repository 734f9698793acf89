//! What one neighbour can make us store, send and say is limited.

use crate::harness::{Net, id, ip, ospf_interface};
use crate::scene::{chain, forge_packet};
use ospf_proto::Input;
use ospf_proto::constants::INITIAL_SEQUENCE;
use ospf_proto::discard::Discard;
use ospf_proto::instance::Received;
use ospf_proto::lsa::{LsType, Lsa, LsaBody, LsaHeader, LsaKey, LsaSpec, RouterLsa};
use ospf_proto::neighbor::NeighborState;
use ospf_proto::packet::{DatabaseDescription, Hello, OutgoingBody, Signer, encode};
use routing_common::config::NetworkType;
use routing_common::id::{AreaId, IfIndex, RouterId};
use routing_common::notice::Severity;
use routing_common::time::Duration;
use routing_common::wire::checksum;
use std::net::Ipv4Addr;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

fn discards(net: &Net, node: usize, reason: Discard) -> u64 {
    let interfaces = net.nodes[node].engine.interfaces();
    interfaces.filter_map(|i| i.statistics.discards.get(&reason)).map(|d| d.count).sum()
}

fn header(n: u32) -> LsaHeader {
    let key = LsaKey {
        ls_type: LsType::Router,
        link_state_id: Ipv4Addr::from_bits(n),
        advertising_router: RouterId(Ipv4Addr::from_bits(n)),
    };
    LsaHeader { age: 1, options: 2, key, sequence: INITIAL_SEQUENCE, checksum: 1, length: 24 }
}

/// Describes LSAs to r1 in r2's name, the first packet starting the exchange anew.
fn describe(net: &mut Net, sequence: u32, init: bool, more: bool, headers: Vec<LsaHeader>) {
    let (interface_mtu, options) = (1500, 0x42);
    let dd = DatabaseDescription { interface_mtu, options, init, more, master: true, sequence, headers };
    forge_packet(net, 0, 2, "10.0.1.0", 2, &OutgoingBody::DatabaseDescription(&dd));
}

fn requests(net: &Net) -> usize {
    let mut neighbors = net.nodes[0].engine.interfaces().flat_map(|i| i.neighbors.values());
    neighbors.find(|n| n.id.router_id == id(2)).map_or(0, |n| n.link_state_request_list.len())
}

/// r1 with r2 Full, and then nobody at r2's place but the forger.
fn alone() -> Net {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    net.kill(1);
    // The first one only makes r1 forget the adjacency.
    describe(&mut net, 1, true, true, Vec::new());
    assert_eq!(net.state(0, 2), Some(NeighborState::ExStart));
    describe(&mut net, 2, true, true, Vec::new());
    assert_eq!(net.state(0, 2), Some(NeighborState::Exchange));
    net
}

#[test]
fn a_neighbor_that_describes_without_end_starts_over() {
    let mut net = alone();
    let per_packet = 3000;
    for packet in 0..66 {
        let first = 0x0100_0000 + packet * per_packet;
        describe(&mut net, 3 + packet, false, true, (first..first + per_packet).map(header).collect());
    }
    assert_eq!(requests(&net), 66 * 3000);
    let headers = (0x0900_0000..0x0900_0000 + per_packet).map(header).collect();
    describe(&mut net, 3 + 66, false, true, headers);
    assert_eq!(discards(&net, 0, Discard::DatabaseFull), 1);
    assert_eq!(net.state(0, 2), Some(NeighborState::ExStart));
    assert_eq!(requests(&net), 0);
}

#[test]
fn one_request_gets_each_lsa_once() {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    let start = net.capture.len();
    let key = LsaKey { ls_type: LsType::Router, link_state_id: ip("10.255.0.1"), advertising_router: id(1) };
    forge_packet(&mut net, 0, 2, "10.0.1.0", 2, &OutgoingBody::LinkStateRequest(&vec![key; 1000]));
    net.run(MILLI);
    let answers: Vec<usize> =
        net.capture[start..].iter().filter(|(n, p)| *n == 0 && p[1] == 4).map(|(_, p)| p.len()).collect();
    assert_eq!(answers.len(), 1);
    assert!(answers[0] < 200, "{answers:?}");
}

fn inject(net: &mut Net, ifindex: u32, source: &str, payload: &[u8]) {
    let (source, destination) = (ip(source), ip("224.0.0.5"));
    let received = Received { ifindex: IfIndex(ifindex), source, destination, ttl: 1, payload };
    net.input(0, Input::Packet(received));
}

/// A router-LSA that promises a link it does not contain, with a right checksum.
fn malformed(key: LsaKey) -> Vec<u8> {
    let good = Lsa::build(
        LsaSpec { age: 1, options: 2, key, sequence: INITIAL_SEQUENCE },
        &LsaBody::Router(RouterLsa::default()),
    );
    let mut raw = good.raw().to_vec();
    raw[23] = 1; // number of links
    raw[16..18].fill(0);
    let sum = checksum::fletcher(&raw[2..], 14);
    raw[16..18].copy_from_slice(&sum.to_be_bytes());
    raw
}

#[test]
fn one_malformed_lsa_does_not_keep_the_adjacency_in_loading() {
    let mut net = alone();
    let wanted = header(0x0100_0000);
    describe(&mut net, 3, false, false, vec![wanted]);
    assert_eq!(net.state(0, 2), Some(NeighborState::Loading));
    let good = Lsa::build(
        LsaSpec { age: 1, options: 2, key: wanted.key, sequence: INITIAL_SEQUENCE },
        &LsaBody::Router(RouterLsa::default()),
    );
    // An update whose one LSA is exchanged for the malformed one: both are of the same length.
    let lsas = [(&good, 1)];
    let mut payload = encode(id(2), AreaId::BACKBONE, &OutgoingBody::LinkStateUpdate(&lsas), &Signer::Null);
    payload.truncate(28);
    payload.extend(malformed(wanted.key));
    payload[12..14].fill(0);
    let sum = checksum::internet(&[&payload]);
    payload[12..14].copy_from_slice(&sum.to_be_bytes());
    inject(&mut net, 2, "10.0.1.0", &payload);
    assert_eq!(discards(&net, 0, Discard::LsaMalformed), 1);
    assert_eq!(net.state(0, 2), Some(NeighborState::Full));
}

fn hello(net: &mut Net, to: usize, source: &str, router: u8, neighbors: Vec<RouterId>) {
    let hello = Hello {
        network_mask: ip("255.255.255.0"),
        hello_interval: 10,
        options: 2,
        priority: 1,
        dead_interval: 40,
        designated_router: Ipv4Addr::UNSPECIFIED,
        backup_designated_router: Ipv4Addr::UNSPECIFIED,
        neighbors,
    };
    forge_packet(net, to, 1, source, router, &OutgoingBody::Hello(&hello));
}

/// One router on a LAN of which the rest is forged.
fn on_a_lan() -> Net {
    let mut net = Net::new(3);
    let node = net.router(1);
    net.interface(node, "10.1.0.1/24", ospf_interface(NetworkType::Broadcast, 10));
    net.start_all();
    net.run(SECOND);
    net
}

fn neighbor_address(net: &Net) -> Vec<Ipv4Addr> {
    net.nodes[0].engine.interfaces().flat_map(|i| i.neighbors.values()).map(|n| n.address).collect()
}

#[test]
fn two_neighbors_with_one_router_id_do_not_kill_each_other_at_every_hello() {
    let mut net = on_a_lan();
    hello(&mut net, 0, "10.1.0.7", 7, vec![id(1)]);
    for _ in 0..3 {
        net.run(9 * SECOND);
        hello(&mut net, 0, "10.1.0.8", 7, vec![id(1)]);
        hello(&mut net, 0, "10.1.0.7", 7, vec![id(1)]);
        assert_eq!(neighbor_address(&net), [ip("10.1.0.7")]);
    }
    assert_eq!(discards(&net, 0, Discard::SharedRouterId), 3);
    // A router of long standing that comes back at another address is taken at once.
    net.run(20 * SECOND);
    hello(&mut net, 0, "10.1.0.8", 7, vec![id(1)]);
    assert_eq!(neighbor_address(&net), [ip("10.1.0.8")]);
}

#[test]
fn a_router_without_an_id_is_no_neighbor() {
    let mut net = on_a_lan();
    let hello = Hello {
        network_mask: ip("255.255.255.0"),
        hello_interval: 10,
        options: 2,
        priority: 1,
        dead_interval: 40,
        designated_router: Ipv4Addr::UNSPECIFIED,
        backup_designated_router: Ipv4Addr::UNSPECIFIED,
        neighbors: Vec::new(),
    };
    let payload = encode(RouterId::NONE, AreaId::BACKBONE, &OutgoingBody::Hello(&hello), &Signer::Null);
    inject(&mut net, 1, "10.1.0.7", &payload);
    assert_eq!(neighbor_address(&net), [Ipv4Addr::UNSPECIFIED; 0]);
    assert_eq!(discards(&net, 0, Discard::NoRouterId), 1);
}

#[test]
fn a_neighbor_that_changes_its_mind_with_every_packet_does_not_fill_the_log() {
    let mut net = on_a_lan();
    let told = |net: &Net| {
        let notices = net.nodes[0].notices.iter().filter(|n| n.severity > Severity::Debug);
        notices.filter(|n| n.code == "neighbor-state").count()
    };
    for _ in 0..500 {
        hello(&mut net, 0, "10.1.0.7", 7, vec![id(1)]);
        hello(&mut net, 0, "10.1.0.7", 7, Vec::new());
        net.run(MILLI);
    }
    assert_eq!(told(&net), 50);
    net.run(20 * SECOND);
    hello(&mut net, 0, "10.1.0.7", 7, vec![id(1)]);
    hello(&mut net, 0, "10.1.0.7", 7, Vec::new());
    assert!(told(&net) > 50, "and is heard of again");
}
