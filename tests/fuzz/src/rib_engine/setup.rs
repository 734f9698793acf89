//! The router around the RIB: interfaces, prefixes, configurations.

use ipnetwork::Ipv4Network;
use routing_common::config::{Config, Defaults, InterfaceConfig, RibConfig, StaticRoute, StaticTarget};
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::{Address, Link};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::LazyLock;

/// Network addresses and lengths of [`PREFIXES`].
const NUMBERS: [([u8; 4], u8); 12] = [
    ([0, 0, 0, 0], 0),
    ([10, 0, 0, 0], 8),
    ([10, 1, 0, 0], 16),
    ([10, 1, 1, 0], 24),
    ([10, 2, 0, 0], 16),
    ([10, 0, 1, 0], 24),
    ([172, 16, 0, 0], 12),
    ([172, 16, 1, 0], 24),
    ([192, 168, 1, 0], 24),
    ([172, 16, 1, 1], 32),
    ([10, 0, 1, 1], 32),
    ([224, 0, 0, 0], 4),
];

/// Prefixes that nest, overlap with interfaces, or are nobody's.
pub(super) static PREFIXES: LazyLock<[Ipv4Network; 12]> =
    LazyLock::new(|| NUMBERS.map(|(address, length)| network(address, length)));

fn network(address: [u8; 4], length: u8) -> Ipv4Network {
    Ipv4Network::new(address.into(), length).unwrap_or_else(|e| panic!("{e}"))
}

/// What the configuration may say; see [`config`].
pub(super) const CONFIGS: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

pub(super) fn address_of(ifindex: IfIndex) -> Ipv4Network {
    match ifindex.0 {
        2 => network([192, 168, 1, 1], 24),
        3 => network([10, 0, 1, 1], 24),
        _ => network([10, 0, 2, 1], 24),
    }
}

pub(super) fn name_of(ifindex: IfIndex) -> InterfaceName {
    format!("eth{}", ifindex.0.saturating_sub(2)).parse().unwrap_or_else(|e| panic!("{e}"))
}

/// Bit 0: plain, recursive and floating static routes. Bit 1: routes that resolve in a circle, a blackhole and an
/// interface route. Bit 2: no next-hop objects, and addresses in the configuration.
pub(super) fn config(choice: usize) -> Config {
    let choice = CONFIGS[choice % CONFIGS.len()];
    let mut static_routes = Vec::new();
    let mut add = |prefix: usize, target, distance| {
        static_routes.push(StaticRoute { prefix: PREFIXES[prefix], target, distance, tag: 0 });
    };
    let via = |a: [u8; 4]| StaticTarget::Gateway { address: Ipv4Addr::from(a), interface: None };
    if choice & 1 != 0 {
        add(0, via([192, 168, 1, 254]), 1);
        add(4, via([172, 16, 1, 1]), 1);
        add(4, via([10, 0, 1, 9]), 1);
        add(3, via([10, 2, 0, 1]), 120);
    }
    if choice & 2 != 0 {
        add(2, via([10, 2, 0, 1]), 1);
        add(4, via([10, 1, 0, 1]), 1);
        add(6, StaticTarget::Blackhole, 200);
        add(7, StaticTarget::Interface(name_of(IfIndex(4))), 1);
        let target = StaticTarget::Gateway {
            address: Ipv4Addr::new(9, 9, 9, 9),
            interface: Some(name_of(IfIndex(2))),
        };
        add(9, target, 1);
    }
    let mut interfaces = BTreeMap::new();
    if choice & 4 != 0 {
        for ifindex in [IfIndex(2), IfIndex(3)] {
            let addresses = vec![address_of(ifindex), network([10, 9, 9, 1], 30)];
            interfaces.insert(name_of(ifindex), InterfaceConfig { description: None, addresses });
        }
    }
    Config {
        hostname: "r1".into(),
        defaults: Defaults::Traditional,
        interfaces,
        static_routes,
        policy: routing_common::policy::Policy::default(),
        access: routing_common::config::AccessConfig::default(),
        key_chains: BTreeMap::new(),
        rib: RibConfig { next_hop_objects: choice & 4 == 0, ..RibConfig::default() },
        ospf: None,
        vrrp_groups: BTreeMap::new(),
        bfd_peers: BTreeMap::new(),
    }
}

pub(super) fn link(ifindex: IfIndex) -> Link {
    Link::ethernet(ifindex, name_of(ifindex))
}

pub(super) fn address(ifindex: IfIndex, network: Ipv4Network) -> Address {
    Address::new(ifindex, network)
}
