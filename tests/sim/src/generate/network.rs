//! From wires to routers with addresses, costs, priorities, keys and clocks.
//!
//! Rules that make every configuration one the daemons accept: all subnets differ, a router has one port on a
//! segment, all ports of a segment agree in MTU and authentication, a virtual address is the owner's or
//! nobody's.

use super::dice::Dice;
use super::shape::Wire;
use crate::filter::Filter;
use crate::scenario::{
    Authentication, Port, Router, RouterIndex, Scenario, Segment, SegmentIndex, SegmentKind,
};
use ipnetwork::Ipv4Network;
use routing_common::prefix;
use std::net::Ipv4Addr;

/// How output costs are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Costs {
    /// All the same: as many equal paths as there can be.
    Equal,
    /// A few values: equal sums are common.
    Few,
    /// 1 to 20.
    Small,
    /// Anything.
    Any,
    /// The smallest or the largest.
    Extreme,
}

/// What a whole network has in common.
#[derive(Debug, Clone, Copy)]
struct Style {
    costs: Costs,
    /// Cables that are point-to-point networks, in a hundred.
    point_to_point: u64,
    /// Segments with authentication, in a hundred.
    authenticated: u64,
    /// Ports with another priority than 1, in a hundred.
    priorities: u64,
    /// Segments with another MTU than 1500, in a hundred.
    mtus: u64,
    /// Largest one-way delay (µs).
    delay: u64,
}

impl Style {
    fn choose(dice: &mut Dice) -> Self {
        let costs = [
            (25, Costs::Equal),
            (30, Costs::Few),
            (20, Costs::Small),
            (15, Costs::Any),
            (10, Costs::Extreme),
        ];
        Self {
            costs: dice.weighted(&costs),
            point_to_point: dice.weighted(&[(35, 100), (30, 0), (35, 60)]),
            authenticated: dice.weighted(&[(50, 0), (25, 100), (25, 50)]),
            priorities: dice.weighted(&[(50, 0), (50, 60)]),
            mtus: dice.weighted(&[(70, 0), (30, 50)]),
            delay: dice.weighted(&[(50, 200), (35, 2_000), (15, 20_000)]),
        }
    }

    fn cost(self, dice: &mut Dice) -> u16 {
        let cost = match self.costs {
            Costs::Equal => 10,
            Costs::Few => dice.weighted(&[(40, 10), (30, 15), (15, 5), (15, 20)]),
            Costs::Small => dice.within(1..=20),
            Costs::Any => dice.within(1..=65_535),
            Costs::Extreme => dice.weighted(&[(60, 1), (40, 65_535)]),
        };
        u16::try_from(cost).unwrap_or(u16::MAX)
    }

    fn priority(self, dice: &mut Dice) -> u8 {
        if dice.chance(self.priorities) {
            dice.weighted(&[(30, 0), (30, 1), (20, 10), (10, 200), (10, 255)])
        } else {
            1
        }
    }
}

/// A network being built.
#[derive(Debug)]
pub(super) struct Network {
    /// Routers so far.
    pub(super) routers: Vec<Router>,
    /// Segments so far.
    pub(super) segments: Vec<Segment>,
    style: Style,
}

impl Network {
    /// Routers on wires, and here and there a network of hosts behind them.
    pub(super) fn build(dice: &mut Dice, routers: usize, wires: &[Wire]) -> Self {
        let mut network =
            Self { routers: named(dice, routers), segments: Vec::new(), style: Style::choose(dice) };
        for wire in wires {
            network.wire(dice, wire);
        }
        if dice.chance(4) {
            network.segments_without_designated_router(dice);
        }
        let stubs = dice.weighted(&[(30, 0), (40, 30), (30, 100)]);
        for r in 0..routers {
            if dice.chance(stubs) {
                let lan = network.lan(dice, &[r]);
                let passive = dice.chance(70);
                network.each_port(lan, |port| port.passive = passive);
            }
        }
        network
    }

    /// The routers and segments of a scenario, with clocks of their own.
    pub(super) fn of(dice: &mut Dice, scenario: Scenario) -> Self {
        let mut network =
            Self { routers: scenario.routers, segments: scenario.segments, style: Style::choose(dice) };
        let routers = network.routers.len();
        for (known, drawn) in network.routers.iter_mut().zip(named(dice, routers)) {
            known.clock_offset = drawn.clock_offset;
            known.clock_rate = drawn.clock_rate;
            known.plain_routes = drawn.plain_routes;
            known.ordinary_restarts = drawn.ordinary_restarts;
        }
        network
    }

    fn wire(&mut self, dice: &mut Dice, wire: &Wire) {
        match wire {
            Wire::Cable(a, b) if dice.chance(self.style.point_to_point) => self.cable(dice, *a, *b),
            Wire::Cable(a, b) => {
                self.lan(dice, &[*a, *b]);
            }
            Wire::Lan(members) => {
                self.lan(dice, members);
            }
        }
        if dice.chance(2) {
            let last = self.segments.len() - 1;
            self.each_port(last, |port| port.passive = true);
        }
    }

    /// A point-to-point network.
    fn cable(&mut self, dice: &mut Dice, a: RouterIndex, b: RouterIndex) {
        let segment = self.segment(dice, SegmentKind::PointToPoint);
        let (length, first) = dice.weighted(&[(30, (24, 1)), (40, (30, 1)), (30, (31, 0))]);
        self.plug(dice, segment, a, length, first);
        self.plug(dice, segment, b, length, first + 1);
    }

    /// A broadcast network.
    pub(super) fn lan(&mut self, dice: &mut Dice, members: &[RouterIndex]) -> SegmentIndex {
        let segment = self.segment(dice, SegmentKind::Broadcast);
        // Octets of both halves: whoever compares them as signed numbers errs.
        let host = |n: u8| if n.is_multiple_of(2) { n + 128 } else { n };
        let mut hosts: Vec<u8> = (1..=members.len().min(90) as u8).map(host).collect();
        dice.shuffle(&mut hosts);
        for (r, host) in members.iter().zip(hosts) {
            self.plug(dice, segment, *r, 24, host);
        }
        segment
    }

    fn segment(&mut self, dice: &mut Dice, kind: SegmentKind) -> SegmentIndex {
        let delay = dice.within(20..=self.style.delay);
        let md5_or_password = [(65, Authentication::Md5), (35, Authentication::Simple)];
        let authentication = if dice.chance(self.style.authenticated) {
            dice.weighted(&md5_or_password)
        } else {
            Authentication::Null
        };
        let mtu = if dice.chance(self.style.mtus) {
            dice.weighted(&[(25, 576), (25, 1280), (25, 1492), (25, 9000)])
        } else {
            1500
        };
        let jitter = dice.within(0..=delay / 2);
        self.segments.push(Segment { kind, delay, jitter, mtu, authentication, vrrp: None });
        self.segments.len() - 1
    }

    fn plug(&mut self, dice: &mut Dice, segment: SegmentIndex, router: RouterIndex, length: u8, host: u8) {
        let port = Port {
            segment,
            address: on_segment(segment, length, host),
            cost: self.style.cost(dice),
            priority: self.style.priority(dice),
            passive: false,
            without_ospf: false,
            vrrp_priority: None,
        };
        self.routers[router].ports.push(port);
    }

    /// Changes all ports of a segment.
    pub(super) fn each_port(&mut self, segment: SegmentIndex, mut change: impl FnMut(&mut Port)) {
        let ports = self.routers.iter_mut().flat_map(|r| &mut r.ports);
        ports.filter(|p| p.segment == segment).for_each(&mut change);
    }

    /// Routers with a port on a segment.
    pub(super) fn members(&self, segment: SegmentIndex) -> Vec<RouterIndex> {
        let on = |r: &Router| r.ports.iter().any(|p| p.segment == segment);
        (0..self.routers.len()).filter(|r| on(&self.routers[*r])).collect()
    }

    /// An address of a segment's network by its last octet.
    pub(super) fn host_on(&self, segment: SegmentIndex, host: u8) -> Option<Ipv4Network> {
        let mut ports = self.routers.iter().flat_map(|r| &r.ports);
        let port = ports.find(|p| p.segment == segment)?;
        let address = port.address.network().to_bits() + u32::from(host);
        Ipv4Network::new(Ipv4Addr::from_bits(address), port.address.prefix()).ok()
    }

    /// A LAN on which nobody may become Designated Router: no adjacency forms.
    fn segments_without_designated_router(&mut self, dice: &mut Dice) {
        let segment = dice.place(self.segments.len());
        self.each_port(segment, |port| port.priority = 0);
    }
}

/// The address of a host on a segment: every segment has 256 addresses of 10.0.0.0/8 to itself.
fn on_segment(segment: SegmentIndex, length: u8, host: u8) -> Ipv4Network {
    let [_, _, high, low] = (segment as u32).to_be_bytes();
    let address = Ipv4Addr::new(10, high, low, host);
    Ipv4Network::new(address, length).unwrap_or_else(|_| prefix::host(address))
}

/// Routers without ports. The order of Router IDs is not that of their numbers, and half of them lie below
/// 128.0.0.0: whoever compares them as signed numbers errs.
fn named(dice: &mut Dice, routers: usize) -> Vec<Router> {
    let mut ids: Vec<u32> = (1..=routers as u32).collect();
    dice.shuffle(&mut ids);
    let drift = dice.weighted(&[(40, 0), (45, 200), (15, 10_000)]);
    let plain = dice.weighted(&[(70, 0), (20, 50), (10, 100)]);
    let router = |(r, id): (usize, u32)| Router {
        name: format!("r{r}"),
        loopback: Ipv4Addr::from_bits(if id.is_multiple_of(2) { 0x6440_0000 } else { 0xc0a8_0000 } + id),
        starts: 0,
        clock_offset: clock_offset(dice),
        clock_rate: clock_rate(dice, drift),
        default_information: None,
        static_routes: Vec::new(),
        redistribute_static: None,
        redistribute_connected: None,
        filter: Filter::default(),
        plain_routes: dice.chance(plain),
        ordinary_restarts: dice.chance(10),
        ports: Vec::new(),
    };
    ids.into_iter().enumerate().map(router).collect()
}

/// From a machine just switched on to one that has run for years.
fn clock_offset(dice: &mut Dice) -> u64 {
    const HOUR: u64 = 3_600_000;
    let longest = dice.weighted(&[(40, 1_000), (30, HOUR), (20, 50 * HOUR), (10, 20_000 * HOUR)]);
    dice.within(0..=longest)
}

fn clock_rate(dice: &mut Dice, drift: u64) -> i32 {
    let rate = i64::try_from(dice.within(0..=2 * drift)).unwrap_or(0) - drift as i64;
    i32::try_from(rate).unwrap_or(0)
}
