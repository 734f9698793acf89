//! What routers do beside joining a ring: virtual routers, routes from outside, a default route.

use super::dice::Dice;
use super::network::Network;
use crate::filter::Rule;
use crate::scenario::{
    DefaultInformation, ExternalMetric, RouterIndex, SegmentIndex, SegmentKind, StaticRoute, VirtualRouter,
};
use ipnetwork::Ipv4Network;
use routing_common::prefix;
use std::net::Ipv4Addr;

/// Host number of a virtual address on its segment.
const VIRTUAL_HOST: u8 = 100;
/// Host number of the gateway of a segment, which is no router of ours.
const GATEWAY_HOST: u8 = 254;
/// Most members of a virtual router.
const MOST_MEMBERS: usize = 4;

/// Makes virtual routers on some LANs; on one at least if `certainly`.
pub(super) fn virtual_routers(dice: &mut Dice, network: &mut Network, certainly: bool) {
    let lans = (0..network.segments.len()).filter(|s| network.segments[*s].kind == SegmentKind::Broadcast);
    let mut lans: Vec<SegmentIndex> = lans.filter(|s| network.members(*s).len() > 1).collect();
    dice.shuffle(&mut lans);
    let some = dice.weighted(&[(65, 0), (25, 1), (10, 2)]);
    let wanted = if certainly { some.max(1) } else { some };
    if lans.is_empty() && wanted > 0 && network.routers.len() > 1 {
        let members = dice.some_of(2, network.routers.len());
        let lan = network.lan(dice, &members);
        network.each_port(lan, |port| port.passive = true);
        lans.push(lan);
    }
    for lan in lans.into_iter().take(wanted) {
        network.each_port(lan, |port| port.vrrp_priority = None);
        virtual_router(dice, network, lan);
    }
}

fn virtual_router(dice: &mut Dice, network: &mut Network, lan: SegmentIndex) {
    let mut members = network.members(lan);
    dice.shuffle(&mut members);
    members.truncate(MOST_MEMBERS);
    let equal = dice.chance(12);
    for (place, r) in members.iter().enumerate() {
        let step = if equal { 0 } else { 50 * place as u8 };
        let priority = 200 - step - if equal { 0 } else { dice.within(0..=20) as u8 };
        let on = network.routers[*r].ports.iter_mut().filter(|p| p.segment == lan);
        on.for_each(|port| port.vrrp_priority = Some(priority));
    }
    let owner = members.first().copied().filter(|_| dice.chance(15));
    let version = if dice.chance(12) { 2 } else { 3 };
    let interval = match version {
        2 => dice.weighted(&[(80, 1_000), (20, 2_000)]),
        _ => dice.weighted(&[(60, 100), (10, 50), (20, 250), (10, 1_000)]),
    };
    let owned = owner.and_then(|r| own(network, r, lan));
    let Some(address) = owned.or_else(|| network.host_on(lan, VIRTUAL_HOST)) else { return };
    let segment = &mut network.segments[lan];
    // An advertisement must not be late by as much as makes the others believe in a failure.
    segment.jitter = segment.jitter.min(interval * 250);
    segment.vrrp = Some(VirtualRouter {
        vrid: dice.within(1..=255) as u8,
        address,
        interval,
        preempt: owned.is_some() || dice.chance(75),
        routes_wait: dice.weighted(&[(20, 0), (30, 1_000), (50, 6_000)]),
        version,
    });
}

/// Makes the port the owner of its address and returns that.
fn own(network: &mut Network, router: RouterIndex, lan: SegmentIndex) -> Option<Ipv4Network> {
    let port = network.routers[router].ports.iter_mut().find(|p| p.segment == lan)?;
    port.vrrp_priority = Some(255);
    Some(port.address)
}

/// Gives some routers routes from outside to announce.
pub(super) fn externals(dice: &mut Dice, network: &mut Network) {
    if dice.chance(30) {
        outside_networks(dice, network);
    }
    if dice.chance(30) {
        static_routes(dice, network);
    }
    if dice.chance(40) {
        default_routes(dice, network);
    }
    filters(dice, network);
}

/// Some of the routers that announce something filter it.
fn filters(dice: &mut Dice, network: &mut Network) {
    for router in &mut network.routers {
        let announces = router.redistribute_connected.is_some()
            || router.redistribute_static.is_some()
            || router.default_information.is_some();
        if !announces || !dice.chance(40) {
            continue;
        }
        let ports = router.ports.iter().map(|p| prefix::canonical(p.address));
        let statics = router.static_routes.iter().map(|route| route.prefix);
        let known: Vec<Ipv4Network> = ports.chain(statics).chain([prefix::default_route()]).collect();
        if dice.chance(30) {
            router.filter.hidden = dice.pick(&known).filter(|p| p.prefix() > 0);
        }
        for _ in 0..dice.weighted(&[(20, 0), (40, 1), (40, 2)]) {
            router.filter.rules.extend(rule(dice, &known));
        }
        if dice.chance(70) && !router.filter.rules.is_empty() {
            let (prefix, le) = (prefix::default_route(), Some(32));
            router.filter.rules.push(Rule { permit: true, prefix, ge: None, le, more: None, type1: None });
        }
    }
}

/// A rule about one of these prefixes, or what is around it.
fn rule(dice: &mut Dice, known: &[Ipv4Network]) -> Option<Rule> {
    let near = dice.pick(known)?;
    let shorter = dice.weighted(&[(60, 0), (20, 1), (20, 8)]);
    let prefix = prefix::of(near.ip(), near.prefix().saturating_sub(shorter));
    let own = prefix.prefix().max(1);
    let ge = if dice.chance(30) { Some(dice.within(own.into()..=32) as u8) } else { None };
    let least = ge.unwrap_or(own);
    let le = if dice.chance(50) { Some(dice.within(least.into()..=32) as u8) } else { None };
    let more = dice.weighted(&[(50, None), (20, Some(5)), (20, Some(-15)), (10, Some(16_777_214))]);
    let type1 = if dice.chance(25) { Some(dice.chance(50)) } else { None };
    Some(Rule { permit: dice.chance(60), prefix, ge, le, more, type1 })
}

/// Networks OSPF does not know, on one router or between two, and `redistribute connected`.
fn outside_networks(dice: &mut Dice, network: &mut Network) {
    let several = dice.within(1..=3) as usize;
    let members = dice.some_of(several, network.routers.len());
    let shared = dice.chance(50);
    let groups: Vec<&[RouterIndex]> = if shared { vec![&members] } else { members.chunks(1).collect() };
    for group in groups {
        let lan = network.lan(dice, group);
        network.each_port(lan, |port| port.without_ospf = true);
    }
    let common = external(dice, 20);
    for r in members {
        if dice.chance(80) {
            network.routers[r].redistribute_connected = Some(same_or_other(dice, common, 20));
        }
    }
}

/// Static routes: the same destinations on two routers now and then, and prefixes that differ in length only.
fn static_routes(dice: &mut Dice, network: &mut Network) {
    let common = external(dice, 20);
    let several = dice.within(1..=3) as usize;
    for r in dice.some_of(several, network.routers.len()) {
        for _ in 0..dice.within(1..=3) {
            let destination = dice.within(0..=4) as u8;
            let length = dice.weighted(&[(70, 24), (15, 25), (15, 32)]);
            let prefix = prefix::of(Ipv4Addr::new(198, 18, destination, 0), length);
            let via = if dice.chance(30) { None } else { gateway(dice, network, r) };
            let routes = &mut network.routers[r].static_routes;
            if routes.iter().all(|known| known.prefix != prefix) {
                routes.push(StaticRoute { prefix, via });
            }
        }
        if dice.chance(80) {
            network.routers[r].redistribute_static = Some(same_or_other(dice, common, 20));
        }
    }
}

/// One or two routers with the way out.
fn default_routes(dice: &mut Dice, network: &mut Network) {
    let common = external(dice, 10);
    let several = dice.weighted(&[(40, 1), (50, 2), (10, 3)]);
    for r in dice.some_of(several, network.routers.len()) {
        let always = dice.chance(25);
        let has_one = network.routers[r].static_routes.iter().any(|route| route.prefix.prefix() == 0);
        if dice.chance(if always { 40 } else { 90 }) && !has_one {
            let via = gateway(dice, network, r);
            network.routers[r].static_routes.push(StaticRoute { prefix: prefix::default_route(), via });
        }
        let external = same_or_other(dice, common, 10);
        network.routers[r].default_information = Some(DefaultInformation { always, external });
    }
}

/// An address outside the network on a LAN of this router; the LAN is made if it has none.
fn gateway(dice: &mut Dice, network: &mut Network, router: RouterIndex) -> Option<Ipv4Addr> {
    let kind = |s: SegmentIndex| network.segments[s].kind;
    let ports = network.routers[router].ports.iter();
    let lans: Vec<SegmentIndex> =
        ports.map(|p| p.segment).filter(|s| kind(*s) == SegmentKind::Broadcast).collect();
    let lan = dice.pick(&lans).unwrap_or_else(|| network.lan(dice, &[router]));
    network.host_on(lan, GATEWAY_HOST).map(|gateway| gateway.ip())
}

fn external(dice: &mut Dice, usual: u32) -> ExternalMetric {
    let metric = dice.weighted(&[(60, usual), (20, 1), (15, 1_000), (5, 16_777_214)]);
    ExternalMetric { metric, type1: dice.chance(35) }
}

/// Two exits are worth the same more often than not.
fn same_or_other(dice: &mut Dice, common: ExternalMetric, usual: u32) -> ExternalMetric {
    if dice.chance(65) { common } else { external(dice, usual) }
}
