//! A packet's way through the simulated kernels, hop by hop.
//!
//! Looked at is what the kernels hold at this moment, not what any daemon believes: routes, addresses, interfaces. A
//! next hop is reached if the router that answers for it is on the same segment and the segment passes.

use crate::kernel::{self, Decision};
use crate::scenario::{RouterIndex, SegmentIndex};
use crate::world::World;
use rib::route::FibHop;
use routing_common::id::IfIndex;
use std::net::Ipv4Addr;

/// What one router does with a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It is for this router.
    Here,
    /// It goes to one of these routers; a flow always to the same one. Never empty.
    Next(Vec<RouterIndex>),
    /// It leaves the network on this segment, towards an address no router has.
    Out(SegmentIndex),
    /// A blackhole route matches.
    Dropped,
    /// No route matches, or the router has no power.
    NoRoute,
    /// At least one of the next hops is not there, or not reached.
    Lost(Ipv4Addr),
}

/// What a router does with a packet to this address.
pub fn step(world: &World, router: RouterIndex, destination: Ipv4Addr) -> Step {
    let node = &world.nodes[router];
    if !node.power {
        return Step::NoRoute;
    }
    match node.kernel.decide(destination) {
        Decision::Local => Step::Here,
        Decision::Drop => Step::Dropped,
        Decision::NoRoute => Step::NoRoute,
        Decision::Forward(hops) => forward(world, router, destination, &hops),
    }
}

fn forward(world: &World, router: RouterIndex, destination: Ipv4Addr, hops: &[FibHop]) -> Step {
    let mut next = Vec::with_capacity(hops.len());
    for hop in hops {
        let target = hop.gateway.unwrap_or(destination);
        match out(world, router, hop.ifindex, target) {
            Some((_, Across::Router(there))) => next.push(there),
            Some((segment, Across::Stranger)) => return Step::Out(segment),
            Some((_, Across::Nobody)) | None => return Step::Lost(target),
        }
    }
    Step::Next(next)
}

/// Who gets a frame to an address on a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Across {
    /// This router.
    Router(RouterIndex),
    /// Somebody who is no router of ours.
    Stranger,
    /// Nobody: the frame is lost, or the address belongs to a router that does not answer.
    Nobody,
}

/// Over which segment a router sends what leaves by an interface, and who gets it; `None` if that is no port.
pub(crate) fn out(
    world: &World,
    from: RouterIndex,
    ifindex: IfIndex,
    target: Ipv4Addr,
) -> Option<(SegmentIndex, Across)> {
    let segment = world.scenario.routers[from].ports[kernel::port(ifindex)?].segment;
    Some((segment, across(world, from, segment, target)))
}

fn across(world: &World, from: RouterIndex, segment: SegmentIndex, target: Ipv4Addr) -> Across {
    if !world.segments[segment].passes(from) {
        return Across::Nobody;
    }
    match answering(world, segment, target, Some(from)) {
        Some(router) => Across::Router(router),
        None if is_ours(world, segment, target) => Across::Nobody,
        None => Across::Stranger,
    }
}

/// The router that answers for an address on a segment.
pub(crate) fn answering(
    world: &World,
    segment: SegmentIndex,
    target: Ipv4Addr,
    but: Option<RouterIndex>,
) -> Option<RouterIndex> {
    let ends = world.segments[segment].ends.iter().filter(|end| Some(end.router) != but);
    let mut answering = ends.filter(|end| {
        let node = &world.nodes[end.router];
        node.power && node.kernel.answers_on(kernel::ifindex(end.port), target)
    });
    answering.next().map(|end| end.router)
}

/// Is this the address of a router, or a virtual one?
fn is_ours(world: &World, segment: SegmentIndex, target: Ipv4Addr) -> bool {
    let group = world.scenario.segments[segment].vrrp.as_ref();
    world.scenario.ends(segment).any(|(_, _, port)| port.address.ip() == target)
        || group.is_some_and(|group| group.address.ip() == target)
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// At the router that has the address.
    Delivered(RouterIndex),
    /// Outside, beyond this router.
    Left(RouterIndex, SegmentIndex),
    /// In a blackhole route of this router.
    Dropped(RouterIndex),
    /// This router had no route, or none that led anywhere.
    BlackHole(RouterIndex),
    /// It came to this router twice.
    Loop(RouterIndex),
}

/// Follows one flow; `choose` picks among next hops of equal cost.
pub fn follow(
    world: &World,
    from: RouterIndex,
    destination: Ipv4Addr,
    choose: impl Fn(RouterIndex, usize) -> usize,
) -> Fate {
    let mut seen = vec![false; world.nodes.len()];
    let mut at = from;
    loop {
        if core::mem::replace(&mut seen[at], true) {
            return Fate::Loop(at);
        }
        match step(world, at, destination) {
            Step::Here => return Fate::Delivered(at),
            Step::Out(segment) => return Fate::Left(at, segment),
            Step::Dropped => return Fate::Dropped(at),
            Step::NoRoute | Step::Lost(_) => return Fate::BlackHole(at),
            Step::Next(next) => match next.get(choose(at, next.len())) {
                Some(there) => at = *there,
                None => return Fate::BlackHole(at),
            },
        }
    }
}
