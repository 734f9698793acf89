//! Loop-free alternates (RFC 5286): small networks whose answers are written down by hand, and random ones in which packets are
//! walked over everybody's routing tables.

use crate::model::{
    Cable, Lan, Leaf, LeafKind, Network, cable_address, cable_ifindex, lan_address, lan_ifindex,
};
use crate::oracle::{Oracle, networks};
use ipnetwork::Ipv4Network;
use ospf_proto::alternate::{Alternate, Protection};
use ospf_proto::route::{NetworkRoute, PathType, RoutingTable};
use proptest::prelude::*;
use routing_common::id::IfIndex;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const LINK: Protection = Protection { link: true, node: false };
const NODE: Protection = Protection { link: false, node: true };
const BOTH: Protection = Protection { link: true, node: true };

fn cable(a: usize, b: usize, cost: u16) -> Cable {
    Cable { ends: [(a, cost), (b, cost)], one_way: false }
}

fn goal() -> Ipv4Network {
    "192.168.0.0/24".parse().unwrap()
}

fn network(routers: usize, cables: Vec<Cable>, goal_at: usize) -> Network {
    let leaf = Leaf { router: goal_at, prefix: goal(), metric: 1, kind: LeafKind::Stub };
    Network { alive: vec![true; routers], cables, lans: vec![], leaves: vec![leaf] }
}

/// Interface and protection of router 0's alternate to the goal.
fn found(network: &Network, maximum_paths: u8) -> Option<(IfIndex, Protection)> {
    let (table, alternates) = network.alternates(0, maximum_paths);
    assert!(table.networks[&goal()].next_hops[0].gateway.is_some());
    let alternate: Alternate = *alternates?.get(&goal())?;
    Some((alternate.hop.ifindex, alternate.protection))
}

#[test]
fn in_a_triangle_the_third_router_protects_the_link() {
    let triangle = network(3, vec![cable(0, 1, 1), cable(0, 2, 1), cable(2, 1, 1)], 1);
    assert_eq!(found(&triangle, 8), Some((cable_ifindex(1), LINK)));
    // Now its way to router 1 is as long through us: 3 = 1 + 2.
    let long = network(3, vec![cable(0, 1, 2), cable(0, 2, 1), cable(2, 1, 3)], 1);
    assert_eq!(found(&long, 8), None, "equal is not less");
    let longer = network(3, vec![cable(0, 1, 2), cable(0, 2, 2), cable(2, 1, 3)], 1);
    assert_eq!(found(&longer, 8), Some((cable_ifindex(1), LINK)));
}

#[test]
fn in_a_square_of_equal_costs_only_the_opposite_corner_is_protected() {
    let square = vec![cable(0, 1, 1), cable(1, 2, 1), cable(2, 3, 1), cable(3, 0, 1)];
    assert_eq!(found(&network(4, square.clone(), 1), 8), None);
    // Two next hops protect each other.
    assert_eq!(found(&network(4, square.clone(), 2), 8), None);
    // The operator allows one; the other is an alternate and does not pass router 1.
    assert_eq!(found(&network(4, square, 2), 1), Some((cable_ifindex(3), BOTH)));
}

#[test]
fn a_router_that_avoids_the_next_one_is_better_than_one_that_avoids_the_link() {
    // Behind router 1 lies 4. Router 2 goes there through 1, router 3 by itself, over a longer way.
    let cables =
        vec![cable(0, 1, 1), cable(1, 4, 1), cable(0, 2, 5), cable(2, 1, 1), cable(0, 3, 5), cable(3, 4, 4)];
    assert_eq!(found(&network(5, cables.clone(), 4), 8), Some((cable_ifindex(4), BOTH)));
    let without = network(5, cables[..4].to_vec(), 4);
    assert_eq!(found(&without, 8), Some((cable_ifindex(2), LINK)));
}

#[test]
fn of_parallel_links_one_protects_the_other_and_not_the_router() {
    let parallel = network(2, vec![cable(0, 1, 1), cable(0, 1, 2)], 1);
    assert_eq!(found(&parallel, 8), Some((cable_ifindex(1), LINK)));
    let single = network(2, vec![cable(0, 1, 1)], 1);
    assert_eq!(single.alternates(0, 8).1, None, "nobody to choose from");
}

#[test]
fn a_lan_is_avoided_only_by_whoever_does_not_come_back_to_it() {
    // Routers 0, 1 and 2 on a LAN, 4 behind 1 and, over a longer way, behind 2.
    let lan = Lan { members: vec![(0, 10), (1, 10), (2, 10)] };
    let mut net = network(5, vec![cable(1, 4, 1), cable(2, 4, 5)], 4);
    net.lans.push(lan);
    assert_eq!(found(&net, 8), Some((lan_ifindex(0), NODE)), "2 leaves the LAN at once");
    // Router 3 reaches 4 through 1 over the LAN (1 + 10 + 1 through 2): no help when the LAN fails, but none through us.
    net.cables = vec![cable(1, 4, 1), cable(0, 3, 20), cable(3, 2, 1)];
    assert_eq!(found(&net, 8), None);
    // With a way to 1 of its own it avoids the LAN.
    net.cables.push(cable(3, 1, 2));
    assert_eq!(found(&net, 8), Some((cable_ifindex(1), LINK)));
}

#[test]
fn a_router_that_announces_max_link_metric_is_not_asked() {
    let mut triangle = network(3, vec![cable(0, 1, 1), cable(0, 2, 1), cable(2, 1, 1)], 1);
    triangle.cables[1].ends[1].1 = 0xffff;
    triangle.cables[2].ends[0].1 = 0xffff;
    // 65,535 is less than 65,535 + 1: only the rule of §3.5 keeps it out.
    assert_eq!(found(&triangle, 8), None);
    triangle.cables[1].ends = [(0, 0xffff), (2, 1)];
    triangle.cables[2] = cable(2, 1, 1);
    assert_eq!(found(&triangle, 8), None, "nor over such a link of our own");
}

#[test]
fn what_lies_behind_border_routers_has_the_alternate_of_its_border_router() {
    let mut triangle = network(3, vec![cable(0, 1, 1), cable(0, 2, 1), cable(2, 1, 1)], 1);
    for kind in [LeafKind::Summary, LeafKind::External1, LeafKind::External2] {
        triangle.leaves[0].kind = kind;
        assert_eq!(found(&triangle, 8), Some((cable_ifindex(1), LINK)), "{kind:?}");
    }
    // §6.3 (d): two area border routers, and AS external routes may leave the area.
    let summary = |router, n: u8| Leaf {
        router,
        prefix: format!("192.168.{n}.0/24").parse().unwrap(),
        metric: 1,
        kind: LeafKind::Summary,
    };
    triangle.leaves.extend([summary(1, 7), summary(2, 8)]);
    assert_eq!(found(&triangle, 8), None);
    let (_, alternates) = triangle.alternates(0, 8);
    assert!(alternates.unwrap().get(&summary(1, 7).prefix).is_some());
}

#[test]
fn of_many_neighbours_the_nearest_are_looked_at() {
    // Router 1 has the goal. All others reach it over two cables; those of the nearest 16 are too long to be loop-free.
    let mut cables = vec![cable(0, 1, 1)];
    for other in 2..20 {
        let near = other < 17;
        cables.push(cable(0, other, if near { 2 } else { 3 }));
        cables.push(cable(other, 1, if near { 9 } else { 1 }));
    }
    assert_eq!(found(&network(20, cables.clone(), 1), 8), None);
    cables[1].ends[1].1 = 3;
    cables[2].ends[0].1 = 1;
    assert_eq!(found(&network(20, cables, 1), 8), Some((cable_ifindex(1), LINK)));
}

/// Everything that packets to a prefix meet from some router on.
struct Walk<'a> {
    network: &'a Network,
    tables: &'a [RoutingTable],
    prefix: Ipv4Network,
    is_inside: bool,
    routers: BTreeSet<usize>,
    interfaces: BTreeSet<IfIndex>,
}

impl Walk<'_> {
    /// Over every branch.
    fn go(&mut self, at: usize) {
        if !self.routers.insert(at) || self.ends_at(at) {
            return;
        }
        let Some(route) = self.tables[at].networks.get(&self.prefix) else { return };
        for hop in &route.next_hops {
            self.interfaces.insert(hop.ifindex);
            if let Some(gateway) = hop.gateway {
                self.go(owner(self.network, gateway));
            }
        }
    }

    /// Whoever brings a network in from elsewhere has a way of its own.
    fn ends_at(&self, at: usize) -> bool {
        let is_source = |leaf: &Leaf| leaf.router == at && leaf.prefix == self.prefix;
        !self.is_inside && self.network.leaves.iter().any(|l| is_source(l) && l.kind != LeafKind::Stub)
    }
}

/// The router that has an address.
fn owner(network: &Network, address: Ipv4Addr) -> usize {
    let cables = network.cables.iter().enumerate().flat_map(|(n, cable)| {
        cable.ends.into_iter().enumerate().map(move |(end, (router, _))| (cable_address(n, end), router))
    });
    let lans = network.lans.iter().enumerate();
    let lans = lans.flat_map(|(n, lan)| lan.members.iter().map(move |(r, _)| (lan_address(n, *r), *r)));
    cables.chain(lans).find(|(known, _)| *known == address).unwrap().1
}

/// What sending to a neighbour would protect from; `None` if packets come back.
fn protection(
    network: &Network,
    tables: &[RoutingTable],
    root: usize,
    (prefix, route): (Ipv4Network, &NetworkRoute),
    (ifindex, to): (IfIndex, usize),
) -> Option<Protection> {
    let is_inside = route.path_type == PathType::IntraArea;
    let (routers, interfaces) = Default::default();
    let mut walk = Walk { network, tables, prefix, is_inside, routers, interfaces };
    walk.go(to);
    let returns = walk.routers.contains(&root);
    let node =
        !route.next_hops.iter().any(|hop| walk.routers.contains(&owner(network, hop.gateway.unwrap())));
    // Both ends of a cable have one number, too.
    let link = !route.next_hops.iter().any(|h| h.ifindex == ifindex || walk.interfaces.contains(&h.ifindex));
    (!returns && (link || node)).then_some(Protection { link, node })
}

fn check(network: &Network, maximum_paths: u8) -> Result<usize, TestCaseError> {
    let tables: Vec<_> = network.routers().map(|r| network.table(r, 64)).collect();
    let oracle = Oracle::new(network);
    let mut seen = 0;
    for root in network.routers().filter(|r| network.alive[*r]) {
        let (table, alternates) = network.alternates(root, maximum_paths);
        for (prefix, route) in &table.networks {
            let found = alternates.as_ref().and_then(|a| a.get(prefix));
            if route.next_hops.iter().any(|hop| hop.gateway.is_none()) {
                prop_assert_eq!(found, None);
                continue;
            }
            // We announce no summaries (RFC 2328 §12.4.3), which the networks do not know.
            let announces = |leaf: &Leaf| leaf.router == root && leaf.kind == LeafKind::Summary;
            if network.leaves.iter().any(|leaf| leaf.prefix == *prefix && announces(leaf)) {
                continue;
            }
            let judge = |hop| protection(network, &tables, root, (*prefix, route), hop);
            if let Some(found) = found {
                seen += 1;
                let to = owner(network, found.hop.gateway.unwrap());
                let real = judge((found.hop.ifindex, to));
                prop_assert!(real.is_some(), "{root} to {prefix}: {found:?} comes back");
                let (claim, real) = (found.protection, real.unwrap());
                prop_assert!(real.link >= claim.link, "{root} to {prefix}: {found:?} needs the link");
                prop_assert!(real.node >= claim.node, "{root} to {prefix}: {found:?} needs the router");
            }
            let links: BTreeSet<IfIndex> = route.next_hops.iter().map(|hop| hop.ifindex).collect();
            if links.len() > 1 || !is_of_one(network, prefix) {
                continue;
            }
            // Whose network it is nobody doubts: then nothing better is overlooked.
            let is_new = |hop: &(IfIndex, Option<Ipv4Addr>)| {
                route.next_hops.iter().all(|known| (known.ifindex, known.gateway) != *hop)
            };
            let candidates = oracle.links(root).into_iter().filter(|(_, _, hop)| is_new(hop));
            let worth = candidates.filter_map(|(to, _, hop)| judge((hop.0, to)));
            let useful = worth.filter(|p| p.link || route.next_hops.len() == 1);
            let best = useful.map(|p| (p.node, p.link)).max();
            prop_assert_eq!(
                found.map(|f| (f.protection.node, f.protection.link)),
                best,
                "{} to {}",
                root,
                prefix
            );
        }
    }
    Ok(seen)
}

/// Has one router this network, as a stub?
fn is_of_one(network: &Network, prefix: &Ipv4Network) -> bool {
    let mut leaves = network.leaves.iter().filter(|l| l.prefix == *prefix && network.alive[l.router]);
    let first = leaves.next();
    first.is_some_and(|leaf| leaf.kind == LeafKind::Stub) && leaves.next().is_none()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_alternate_comes_back_and_none_is_overlooked(network in networks(), paths in prop_oneof![Just(1u8), Just(64)]) {
        check(&network, paths)?;
    }
}

#[test]
fn the_check_sees_alternates_and_notices_a_wrong_one() {
    let triangle = network(3, vec![cable(0, 1, 1), cable(0, 2, 1), cable(2, 1, 1)], 1);
    assert!(check(&triangle, 8).unwrap() >= 2);
    // In a square the neighbour on the other side sends packets to us.
    let square = network(4, vec![cable(0, 1, 1), cable(1, 2, 1), cable(2, 3, 1), cable(3, 0, 1)], 1);
    let tables: Vec<_> = square.routers().map(|r| square.table(r, 64)).collect();
    let route = &tables[0].networks[&goal()];
    let by = |n| protection(&square, &tables, 0, (goal(), route), (cable_ifindex(n), 3));
    assert_eq!(by(3), None);
}
