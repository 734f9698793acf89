//! Who the three routers are.

use ipnetwork::Ipv4Network;
use routing_common::config::{
    BfdProfile, Config, DefaultInformation, Defaults, GracefulRestart, InterfaceConfig, Md5Key, MetricType,
    NetworkType, OspfAuthentication, OspfConfig, OspfInterfaceConfig, RedistributePolicy, RibConfig, Secret,
    MaxMetric, SpfTimers,
};
use routing_common::id::{AreaId, IfIndex, InterfaceName, RouterId};
use routing_common::key_chain::{Algorithm, ChainKey, KeyChain, Lifetime};
use routing_common::link::{Address, Link};
use routing_common::prefix;
use routing_common::time::Duration;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Interfaces of the router under test.
pub(super) const LOOPBACK: IfIndex = IfIndex(1);
pub(super) const POINT_TO_POINT: IfIndex = IfIndex(2);
pub(super) const LAN: IfIndex = IfIndex(3);
pub(super) const LONELY: IfIndex = IfIndex(4);
pub(super) const PASSIVE: IfIndex = IfIndex(5);
pub(super) const INTERFACES: [IfIndex; 5] = [LOOPBACK, POINT_TO_POINT, LAN, LONELY, PASSIVE];

/// Which interfaces are joined, as (router, interface).
pub(super) const SEGMENTS: [&[(usize, IfIndex)]; 2] =
    [&[(0, POINT_TO_POINT), (1, POINT_TO_POINT)], &[(0, LAN), (1, LAN), (2, LAN)]];

pub(super) fn router_id(node: usize) -> RouterId {
    RouterId(Ipv4Addr::new(10, 255, 0, octet(node)))
}

fn octet(node: usize) -> u8 {
    u8::try_from(node + 1).unwrap_or(u8::MAX)
}

/// A router's address on an interface: the interface decides the subnet, the router the host.
pub(super) fn address_of(node: usize, ifindex: IfIndex) -> Ipv4Network {
    let third = u8::try_from(ifindex.0).unwrap_or(u8::MAX);
    match ifindex {
        LOOPBACK => prefix::host(router_id(node).0),
        _ => network(Ipv4Addr::new(10, 0, third, octet(node)), 24),
    }
}

/// With its host bits.
pub(super) fn network(address: Ipv4Addr, length: u8) -> Ipv4Network {
    Ipv4Network::new(address, length.min(32)).unwrap_or_else(|_| prefix::host(address))
}

pub(super) fn name_of(ifindex: IfIndex) -> InterfaceName {
    let name = if ifindex == LOOPBACK { "lo".to_owned() } else { format!("eth{ifindex}") };
    name.parse().unwrap_or_else(|e| panic!("{e}"))
}

/// The secrets on the LAN and on the lonely link.
pub(super) fn authentication_of(ifindex: IfIndex) -> OspfAuthentication {
    match ifindex {
        LAN => OspfAuthentication::Md5(vec![
            Md5Key { id: 1, secret: Secret::new("old") },
            Md5Key { id: 7, secret: Secret::new("correct-horse") },
        ]),
        LONELY => OspfAuthentication::Simple(Secret::new("rings3")),
        _ => OspfAuthentication::Null,
    }
}

/// Keys that take turns by the wall clock, which the script turns; each is accepted always.
pub(super) fn key_chain() -> OspfAuthentication {
    let key = |id, algorithm, send| {
        let (secret, accept) = (Secret::new("battery-staple"), Lifetime::ALWAYS);
        ChainKey { id, secret, algorithm, send, accept }
    };
    let begun = Lifetime { start: 1_600_000_000, end: Some(1_700_000_030) };
    let later = Lifetime { start: 1_700_000_060, end: None };
    let keys = vec![key(1, Algorithm::Md5, begun), key(2, Algorithm::HmacSha512, later)];
    OspfAuthentication::KeyChain(KeyChain { name: "chain".into(), keys })
}

fn profile() -> BfdProfile {
    let interval = Duration::from_millis(10);
    BfdProfile {
        name: "default".into(),
        transmit_interval: interval,
        receive_interval: interval,
        detect_multiplier: 3,
        passive: false,
        minimum_ttl: 254,
    }
}

pub(super) fn ospf_interface(ifindex: IfIndex) -> OspfInterfaceConfig {
    let network_type =
        if ifindex == POINT_TO_POINT { NetworkType::PointToPoint } else { NetworkType::Broadcast };
    OspfInterfaceConfig {
        area: AreaId::BACKBONE,
        network_type,
        cost: Some(10),
        hello_interval: Duration::from_secs(1),
        dead_interval: Duration::from_secs(4),
        retransmit_interval: Duration::from_secs(1),
        transmit_delay: Duration::from_secs(1),
        priority: 1,
        passive: ifindex == PASSIVE || ifindex == LOOPBACK,
        mtu_ignore: false,
        authentication: authentication_of(ifindex),
        bfd: (ifindex == POINT_TO_POINT || ifindex == LAN).then(profile),
    }
}

/// The interfaces a router has.
pub(super) fn interfaces_of(node: usize) -> &'static [IfIndex] {
    match node {
        0 => &INTERFACES,
        1 => &[LOOPBACK, POINT_TO_POINT, LAN],
        _ => &[LOOPBACK, LAN],
    }
}

pub(super) fn config(node: usize) -> Config {
    let interfaces = interfaces_of(node);
    let addresses =
        |i: &IfIndex| InterfaceConfig { description: None, addresses: vec![address_of(node, *i)] };
    Config {
        hostname: format!("r{node}"),
        defaults: Defaults::Ring,
        interfaces: interfaces.iter().map(|i| (name_of(*i), addresses(i))).collect(),
        static_routes: Vec::new(),
        policy: routing_common::policy::Policy::default(),
        access: routing_common::config::AccessConfig::default(),
        key_chains: BTreeMap::new(),
        rib: RibConfig::default(),
        ospf: Some(OspfConfig {
            router_id: router_id(node),
            interfaces: interfaces.iter().map(|i| (name_of(*i), ospf_interface(*i))).collect(),
            default_information: None,
            redistribute_connected: None,
            redistribute_static: Some(RedistributePolicy {
                metric: 20,
                metric_type: MetricType::Type2,
                route_map: None,
            }),
            distribute_connected: None,
            distribute_static: None,
            reference_bandwidth: 100_000,
            distance: 110,
            maximum_paths: 16,
            rfc1583_compatibility: false,
            spf: SpfTimers::default(),
            min_ls_interval: Duration::from_secs(1),
            min_ls_arrival: Duration::from_millis(200),
            graceful_restart: GracefulRestart::default(),
            max_metric: MaxMetric::default(),
            fast_reroute: false,
        }),
        vrrp_groups: BTreeMap::new(),
        bfd_peers: BTreeMap::new(),
    }
}

/// `default-information`: none, only with a default route of the RIB's, or always.
pub(super) fn default_information(choice: u8) -> Option<DefaultInformation> {
    let metric_type = if choice & 4 == 0 { MetricType::Type1 } else { MetricType::Type2 };
    let always = choice & 1 == 1;
    (choice & 2 == 0).then_some(DefaultInformation {
        always,
        metric: choice.into(),
        metric_type,
        route_map: None,
    })
}

pub(super) fn link(ifindex: IfIndex) -> Link {
    Link {
        loopback: ifindex == LOOPBACK,
        mtu: if ifindex == LOOPBACK { 65_536 } else { 1500 },
        ..Link::ethernet(ifindex, name_of(ifindex))
    }
}

pub(super) fn address(ifindex: IfIndex, network: Ipv4Network) -> Address {
    Address::new(ifindex, network)
}
