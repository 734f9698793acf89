//! L8: loop-free alternates are (RFC 5286 §3). Wherever a router at rest would send packets if a next hop failed at this moment, they
//! go on, over every branch of equal cost in everybody's kernel as it is, without coming back, and avoid what the
//! alternate is said to avoid: the segment, the routers that are the next hops now.
//!
//! At rest and not at the moment of a switch, because that is what an alternate is chosen by: a single failure that nobody else
//! knows of. The inequalities are not computed: packets are walked. At the end of a run every router with two neighbours or more has
//! had its quiet and must have looked for alternates.

use super::rest::{self, Oracle};
use super::{Checker, Verdict};
use crate::kernel::Decision;
use crate::scenario::{RouterIndex, SegmentIndex};
use crate::walk::{self, Across};
use crate::world::World;
use ospf_proto::Instance;
use ospf_proto::alternate::Alternate;
use ospf_proto::route::RouteNextHop;
use routing_common::prefix;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const NO_PORT: &str = "a next hop on no port";

/// See the module text.
#[derive(Debug)]
pub(super) struct Alternates(pub(super) Oracle);

impl Checker for Alternates {
    fn law(&self) -> (&'static str, &'static str) {
        ("L8", "at rest loop-free alternates do not come back and avoid what they are said to avoid")
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        if self.0.ask_undeceived(world).is_none() || world.scenario.settings.without_rib {
            return Ok(());
        }
        for (r, engine) in rest::engines(world)? {
            judge(world, r, engine).map_err(|text| format!("{}: {text}", rest::name(world, r)))?;
        }
        Ok(())
    }

    fn at_end(&mut self, world: &World) -> Verdict {
        self.at_rest(world)?;
        if !world.scenario.settings.fast_reroute || self.0.ask_undeceived(world).is_none() {
            return Ok(());
        }
        for (r, engine) in rest::engines(world)? {
            let hops = engine.routing_table().networks.values().flat_map(|route| &route.next_hops);
            let gateways: BTreeSet<_> = hops.filter_map(|h| Some((h.ifindex, h.gateway?))).collect();
            if gateways.len() > 1 && engine.alternates().is_none() {
                return Err(format!("{}: has {gateways:?} and no alternates", rest::name(world, r)));
            }
        }
        Ok(())
    }
}

fn judge(world: &World, router: RouterIndex, engine: &Instance) -> Verdict {
    let Some(alternates) = engine.alternates() else { return Ok(()) };
    let mut defaults = world.current.routers.iter().filter_map(|r| r.default_information);
    let is_promised = defaults.any(|default| default.always);
    for (to, alternate) in alternates.iter() {
        let Some(route) = engine.routing_table().networks.get(to) else {
            return Err(format!("an alternate to {to}, and no route"));
        };
        let address = to.broadcast();
        // Whatever OSPF says of networks on a router's own links, the kernel has its connected routes.
        if world.nodes[router].kernel.addresses().any(|a| prefix::canonical(a.network) == *to) {
            continue;
        }
        // Who announces a default route `always` and has none sends packets on to whoever else has one.
        if is_promised && to.prefix() == 0 {
            continue;
        }
        // Packets to a smaller network inside go their own way.
        if engine.routing_table().lookup(address).map(|(best, _)| best) == Some(*to) {
            one(world, router, address, &route.next_hops, alternate)
                .map_err(|text| format!("{to} by {alternate:?}: {text}"))?;
        }
    }
    Ok(())
}

fn one(
    world: &World,
    router: RouterIndex,
    address: Ipv4Addr,
    primaries: &[RouteNextHop],
    alternate: &Alternate,
) -> Verdict {
    let reach = |ifindex, gateway: Option<Ipv4Addr>| {
        walk::out(world, router, ifindex, gateway.unwrap_or(address)).ok_or(NO_PORT)
    };
    let (_, Across::Router(first)) = reach(alternate.hop.ifindex, alternate.hop.gateway)? else {
        return Err("nobody is there".into());
    };
    let mut walk = Walk { world, address, routers: BTreeSet::new(), segments: BTreeSet::new() };
    walk.go(first)?;
    if walk.routers.contains(&router) {
        return Err(format!("comes back, having seen {:?}", walk.routers));
    }
    for primary in primaries {
        let (segment, across) = reach(primary.ifindex, primary.gateway)?;
        if alternate.protection.link && walk.segments.contains(&segment) {
            return Err(format!("needs segment {segment} again"));
        }
        if let Across::Router(primary) = across
            && alternate.protection.node
            && walk.routers.contains(&primary)
        {
            return Err(format!("needs {} again", rest::name(world, primary)));
        }
    }
    Ok(())
}

/// Everything packets meet.
struct Walk<'w> {
    world: &'w World,
    address: Ipv4Addr,
    routers: BTreeSet<RouterIndex>,
    segments: BTreeSet<SegmentIndex>,
}

impl Walk<'_> {
    fn go(&mut self, at: RouterIndex) -> Verdict {
        if !self.routers.insert(at) {
            return Ok(());
        }
        let Decision::Forward(hops) = self.world.nodes[at].kernel.decide(self.address) else { return Ok(()) };
        for hop in &hops {
            let target = hop.gateway.unwrap_or(self.address);
            let (segment, across) = walk::out(self.world, at, hop.ifindex, target).ok_or(NO_PORT)?;
            // Beyond are the destination, which may be anybody's address, and strangers.
            if let (Across::Router(there), Some(_)) = (across, hop.gateway) {
                self.segments.insert(segment);
                self.go(there)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::paper;
    use crate::scenario::{Scenario, Settings};
    use ospf_proto::alternate::Protection;

    /// The ring of five with alternates, without laws, at rest.
    fn ring() -> World {
        let ring = paper::ring5_p();
        let settings = Settings { fast_reroute: true, ..ring.settings };
        let mut world = World::new(&Scenario { settings, ..ring }, Vec::new(), false).unwrap();
        world.run_until(routing_common::time::Instant::from_secs(30));
        world
    }

    #[test]
    fn the_rings_alternates_keep_it_and_a_wrong_one_breaks_it() {
        let world = ring();
        let mut law = Alternates(Oracle::default());
        assert_eq!(law.at_rest(&world), Ok(()));
        assert_eq!(law.at_end(&world), Ok(()));
        let engine = |r: usize| world.nodes[r].ospf.engine.as_ref().unwrap();
        let known: usize = (0..5).map(|r| engine(r).alternates().map_or(0, |a| a.len())).sum();
        assert!(known > 0, "a ring has a few");
        // What the first router reaches through a neighbour, the other neighbour mostly reaches through the first router.
        let wrong = engine(0).routing_table().networks.iter().filter(|(prefix, route)| {
            let all = engine(0).routing_table().networks.values().flat_map(|r| &r.next_hops);
            let mut others =
                all.filter(|hop| hop.gateway.is_some() && hop.ifindex != route.next_hops[0].ifindex);
            let Some(other) = others.next().filter(|_| route.next_hops[0].gateway.is_some()) else {
                return false;
            };
            let hop = ospf_proto::spf::next_hop::Hop { ifindex: other.ifindex, gateway: other.gateway };
            let protection = Protection { link: true, node: false };
            let router_id = other.advertising_router;
            let alternate = Alternate { hop, router_id, protection, is_downstream: false };
            one(&world, 0, prefix.broadcast(), &route.next_hops, &alternate).is_err()
        });
        assert!(wrong.count() > 0);
    }
}
