//! The paper's ring of five routers in both designs, as `tests/lab/topologies/` has them.
//!
//! Design P: a LAN with the virtual router closes the ring. Design C: a cable closes it, and OSPF only announces
//! the LAN. Ports stand in the order of `eth0`, `eth1`, `eth2`, `eth3`.

use crate::filter::Filter;
use crate::scenario::{
    Authentication, DefaultInformation, ExternalMetric, Port, Router, Scenario, Segment, SegmentKind,
    Settings, StaticRoute, VirtualRouter,
};
use ipnetwork::Ipv4Network;
use routing_common::prefix;
use std::net::Ipv4Addr;

/// The LAN, then the sides l23, l34, l45, l51, then the networks n1 to n5, then in design C l12.
const LAN: usize = 0;
const L23: usize = 1;
const L34: usize = 2;
const L45: usize = 3;
const L51: usize = 4;
const N1: usize = 5;
const L12: usize = 10;

/// Design P.
pub fn ring5_p() -> Scenario {
    ring("ring5-p", SegmentKind::Broadcast)
}

/// Design C.
pub fn ring5_c() -> Scenario {
    let mut scenario = ring("ring5-c", SegmentKind::PointToPoint);
    scenario.segments.push(segment(SegmentKind::PointToPoint));
    for (r, host) in [(0, 1), (1, 2)] {
        scenario.routers[r].ports[0].passive = true;
        scenario.routers[r].ports.push(port(L12, address([172, 16, 12, host]), 10));
    }
    scenario
}

fn ring(name: &str, sides: SegmentKind) -> Scenario {
    let mut segments = vec![segment(SegmentKind::Broadcast)];
    segments.extend((0..4).map(|_| segment(sides)));
    segments.extend((0..5).map(|_| segment(SegmentKind::Broadcast)));
    segments[LAN].vrrp = Some(VirtualRouter {
        vrid: 10,
        address: address([192, 168, 1, 10]),
        interval: 100,
        preempt: true,
        routes_wait: 60_000,
        version: 3,
    });
    let mut routers = vec![
        router(1, [(LAN, [192, 168, 1, 1], 10), (L51, [172, 16, 51, 1], 15)]),
        router(2, [(LAN, [192, 168, 1, 2], 10), (L23, [172, 16, 23, 2], 15)]),
        router(3, [(L23, [172, 16, 23, 3], 10), (L34, [172, 16, 34, 3], 15)]),
        router(4, [(L45, [172, 16, 45, 4], 10), (L34, [172, 16, 34, 4], 15)]),
        router(5, [(L51, [172, 16, 51, 5], 10), (L45, [172, 16, 45, 5], 15)]),
    ];
    for (r, priority) in [(0, 200), (1, 100)] {
        routers[r].ports[0].vrrp_priority = Some(priority);
        let via = Some(Ipv4Addr::new(192, 168, 1, 254));
        routers[r].static_routes.push(StaticRoute { prefix: prefix::default_route(), via });
        let external = ExternalMetric { metric: 10, type1: false };
        routers[r].default_information = Some(DefaultInformation { always: false, external });
    }
    let settings = Settings { ring_defaults: true, ..Settings::default() };
    Scenario {
        name: name.to_owned(),
        seed: 1,
        chaos_ends: 0,
        settle: 20_000,
        rest: 20_000,
        settings,
        routers,
        segments,
        faults: Vec::new(),
    }
}

fn router(number: u8, sides: [(usize, [u8; 4], u16); 2]) -> Router {
    let mut ports: Vec<Port> = sides.into_iter().map(|(on, a, cost)| port(on, address(a), cost)).collect();
    // The networks of hosts: 100 Gbit/s reference bandwidth over 10 Gbit/s.
    let hosts = port(N1 + usize::from(number) - 1, address([10, 10, number, 1]), 10);
    ports.push(Port { passive: true, ..hosts });
    Router {
        name: format!("vr{number}"),
        loopback: Ipv4Addr::new(10, 255, 0, number),
        starts: 0,
        clock_offset: 0,
        clock_rate: 0,
        default_information: None,
        static_routes: Vec::new(),
        redistribute_static: None,
        redistribute_connected: None,
        filter: Filter::default(),
        plain_routes: false,
        ordinary_restarts: false,
        ports,
    }
}

fn port(segment: usize, address: Ipv4Network, cost: u16) -> Port {
    Port { segment, address, cost, priority: 1, passive: false, without_ospf: false, vrrp_priority: None }
}

fn segment(kind: SegmentKind) -> Segment {
    Segment { kind, delay: 100, jitter: 50, mtu: 1500, authentication: Authentication::Null, vrrp: None }
}

fn address(octets: [u8; 4]) -> Ipv4Network {
    let address = Ipv4Addr::from(octets);
    Ipv4Network::new(address, 24).unwrap_or_else(|_| prefix::host(address))
}
