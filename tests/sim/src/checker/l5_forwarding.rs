//! L5: packets arrive. From every router, over every branch of equal cost, to every address the oracle says can be
//! reached, walking the kernels' forwarding hop by hop ends at the right place without loop or black hole.
//!
//! The addresses: loopbacks, ports, virtual addresses, and one inside every prefix somebody brings in from outside.
//! The right place: the router that has the address; for what lies outside, a router that has a route of its own
//! for it, which hands it to a stranger or, with a blackhole route, drops it, or loses it on a silently cut segment.
//!
//! Left out are addresses on a segment that is silently cut, which routers on both sides believe to be on their own
//! link, and a default route announced `always` by a router that has none: packets end there by the operator's will.

use super::rest::{self, Oracle, Truth};
use super::{Checker, Verdict};
use crate::kernel;
use crate::oracle::{self, Kind, Table};
use crate::scenario::RouterIndex;
use crate::walk::{self, Step};
use crate::world::World;
use ipnetwork::Ipv4Network;
use routing_common::prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// See the module text.
#[derive(Debug)]
pub(super) struct Forwarding(pub(super) Oracle);

/// What a destination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// This router's address.
    Router(RouterIndex),
    /// A virtual router's: whoever holds it.
    Virtual,
    /// Nobody's inside.
    Outside,
}

/// An address to walk to.
#[derive(Debug, Clone, Copy)]
struct Destination {
    address: Ipv4Addr,
    owner: Owner,
    /// The prefix that must be the best match where a walk starts.
    prefix: Ipv4Network,
}

impl Checker for Forwarding {
    fn law(&self) -> (&'static str, &'static str) {
        ("L5", "at rest walks over the kernels' routes end at the right router")
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        let Some(truth) = self.0.ask_undeceived(world) else { return Ok(()) };
        if world.scenario.settings.without_rib {
            return Ok(());
        }
        for destination in destinations(world, &truth) {
            let mut walks = Walks { world, truth: &truth, destination, known: vec![None; world.nodes.len()] };
            for r in (0..world.nodes.len()).filter(|r| truth.state.router_up[*r]) {
                if best_match(&truth.tables[r].rib, destination.address).map(|(p, _)| p)
                    == Some(destination.prefix)
                {
                    walks.from(r).map_err(|text| {
                        format!("from {} to {}: {text}", rest::name(world, r), destination.address)
                    })?;
                }
            }
        }
        Ok(())
    }
}

fn destinations(world: &World, truth: &Truth) -> Vec<Destination> {
    let mut all = Vec::new();
    for (r, router) in world.current.routers.iter().enumerate().filter(|(r, _)| truth.state.router_up[*r]) {
        let (address, owner) = (router.loopback, Owner::Router(r));
        all.push(Destination { address, owner, prefix: prefix::host(address) });
        for (p, port) in router.ports.iter().enumerate() {
            if truth.state.is_up(r, p) && truth.state.segment_passes[port.segment] {
                let prefix = prefix::canonical(port.address);
                all.push(Destination { address: port.address.ip(), owner, prefix });
            }
        }
    }
    for election in oracle::elections(&world.current, &truth.state) {
        let group = world.current.segments[election.segment].vrrp.as_ref();
        if let Some(group) = group.filter(|_| truth.state.segment_passes[election.segment]) {
            let (address, prefix) = (group.address.ip(), prefix::canonical(group.address));
            all.push(Destination { address, owner: Owner::Virtual, prefix });
        }
    }
    all.extend(outside(world, truth));
    all
}

/// One address in every prefix from outside that all who announce it have a route for.
fn outside(world: &World, truth: &Truth) -> Vec<Destination> {
    let mut real: BTreeMap<Ipv4Network, bool> = BTreeMap::new();
    for (r, announced) in oracle::announced(&world.current, &truth.state).iter().enumerate() {
        for prefix in announced.keys() {
            let route = truth.tables[r].rib.get(prefix);
            let own = route.is_some_and(|r| is_own(r.kind));
            real.entry(*prefix).and_modify(|real| *real &= own).or_insert(own);
        }
    }
    let owned: BTreeSet<Ipv4Addr> =
        world.current.routers.iter().flat_map(|r| r.ports.iter().map(|p| p.address.ip())).collect();
    let nobodys = |prefix: &Ipv4Network| match prefix.prefix() {
        0 => Some(Ipv4Addr::new(203, 0, 113, 1)),
        32 => Some(prefix.ip()),
        _ => (1..prefix.size()).rev().filter_map(|n| prefix.nth(n - 1)).find(|a| !owned.contains(a)),
    };
    let real = real.into_iter().filter(|(_, real)| *real);
    let destination = |prefix: Ipv4Network| {
        nobodys(&prefix).map(|address| Destination { address, owner: Owner::Outside, prefix })
    };
    real.filter_map(|(prefix, _)| destination(prefix)).collect()
}

fn is_own(kind: Kind) -> bool {
    matches!(kind, Kind::Connected | Kind::Static | Kind::Blackhole)
}

fn best_match(table: &Table, address: Ipv4Addr) -> Option<(Ipv4Network, Kind)> {
    let matching = table.iter().filter(|(prefix, _)| prefix.contains(address));
    matching.max_by_key(|(prefix, _)| prefix.prefix()).map(|(prefix, route)| (*prefix, route.kind))
}

/// All walks to one destination; routers on ways that are known to be good are not walked again.
struct Walks<'a> {
    world: &'a World,
    truth: &'a Truth,
    destination: Destination,
    /// By router: being walked, or good.
    known: Vec<Option<bool>>,
}

impl Walks<'_> {
    fn from(&mut self, r: RouterIndex) -> Verdict {
        match self.known[r] {
            Some(true) => return Ok(()),
            Some(false) => return Err(format!("a loop at {}", rest::name(self.world, r))),
            None => self.known[r] = Some(false),
        }
        let step = walk::step(self.world, r, self.destination.address);
        match &step {
            Step::Next(next) => {
                for there in next {
                    self.from(*there).map_err(|text| format!("{} → {text}", rest::name(self.world, r)))?;
                }
            }
            end if self.is_right(r, end) => {}
            end => return Err(format!("ends at {}: {end:?}", rest::name(self.world, r))),
        }
        self.known[r] = Some(true);
        Ok(())
    }

    fn is_right(&self, r: RouterIndex, end: &Step) -> bool {
        let kind = best_match(&self.truth.tables[r].rib, self.destination.address).map(|(_, kind)| kind);
        match (self.destination.owner, end) {
            (Owner::Router(owner), Step::Here) => owner == r || self.is_virtual(r),
            (Owner::Virtual, Step::Here) => self.is_virtual(r) || self.is_own(r),
            (Owner::Outside, Step::Out(_)) => matches!(kind, Some(Kind::Connected | Kind::Static)),
            (Owner::Outside, Step::Lost(gateway)) => kind.is_some_and(is_own) && self.is_cut_off(r, *gateway),
            (Owner::Outside, Step::Dropped) => kind == Some(Kind::Blackhole),
            _ => false,
        }
    }

    /// Is this address on a link of the router's that is silently cut? Its owner cannot know, and goes on announcing
    /// what lies behind it.
    fn is_cut_off(&self, r: RouterIndex, gateway: Ipv4Addr) -> bool {
        let mut near = self.world.current.routers[r].ports.iter().filter(|p| p.address.contains(gateway));
        near.any(|port| !self.truth.state.segment_passes[port.segment])
    }

    /// Is it this router's own address? The owner of a virtual address takes packets to it even when its port has no
    /// carrier and somebody else is Active, if they come by another way.
    fn is_own(&self, r: RouterIndex) -> bool {
        self.world.current.routers[r].ports.iter().any(|p| p.address.ip() == self.destination.address)
    }

    /// Does this router answer for the address because it is a virtual one?
    fn is_virtual(&self, r: RouterIndex) -> bool {
        let ports = self.world.current.routers[r].ports.iter().enumerate();
        let groups = ports.filter(|(_, port)| port.vrrp_priority.is_some());
        groups.into_iter().any(|(p, port)| {
            let group = self.world.current.segments[port.segment].vrrp.as_ref();
            group.is_some_and(|g| g.address.ip() == self.destination.address)
                && self.world.nodes[r].kernel.answers_on(kernel::ifindex(p), self.destination.address)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;
    use rib::fib::{FibOp, Via};
    use rib::route::FibHop;

    fn judge(world: &World) -> Verdict {
        Forwarding(Oracle::default()).at_rest(world)
    }

    #[test]
    fn a_missing_route_is_a_black_hole() {
        let mut world = ring(20);
        assert_eq!(judge(&world), Ok(()));
        while world.nodes[3].kernel.remove_any_route(0).is_some() {}
        assert!(judge(&world).unwrap_err().contains("NoRoute"));
    }

    #[test]
    fn routers_that_point_at_each_other_are_a_loop() {
        let mut world = ring(20);
        let prefix = prefix::host(world.scenario.routers[2].loopback);
        // The first two are on the LAN, each with the other as its way to the third.
        for (r, other) in [(0, 1), (1, 0)] {
            let gateway = Some(world.scenario.routers[other].ports[0].address.ip());
            let hop = FibHop { gateway, ifindex: kernel::ifindex(0), onlink: false };
            let via = Via::Plain([hop].into_iter().collect());
            world.nodes[r].kernel.fib(&FibOp::InstallRoute { prefix, protocol: 188, via }).unwrap();
        }
        assert!(judge(&world).unwrap_err().contains("a loop"));
    }

    #[test]
    fn an_address_in_the_wrong_place_is_noticed() {
        let mut world = ring(20);
        let stolen = prefix::host(world.scenario.routers[2].loopback);
        world.nodes[4].kernel.add_address(kernel::plain_address(kernel::LOOPBACK, stolen, 0), None);
        assert!(judge(&world).unwrap_err().contains("Here"));
    }
}
