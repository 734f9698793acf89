//! A second, slow and different calculation, and random networks on which both must agree.
//!
//! The oracle knows nothing of LSAs, trees or inheritance. It computes all pairs' distances by Floyd and
//! Warshall's method, then says: a neighbor is a next hop if the cost of the link to it plus *its* distance
//! to the destination is *our* distance. With costs of at least 1 that is what equal-cost shortest paths are.

use crate::model::{
    Cable, Lan, Leaf, LeafKind, Network, cable_address, cable_ifindex, cable_prefix, lan_address,
    lan_ifindex, lan_prefix, leaf_ifindex,
};
use ipnetwork::Ipv4Network;
use ospf_proto::route::{NetworkRoute, PathType, RoutingTable};
use proptest::prelude::*;
use routing_common::id::IfIndex;
use routing_common::prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

const FAR: u64 = u64::MAX / 4;

type Hops = BTreeSet<(IfIndex, Option<Ipv4Addr>)>;

/// One end of a cable: router and cost.
type End = (usize, u16);

/// What a route is to the oracle: type, type 2 cost, cost, hops.
type Answer = (PathType, Option<u32>, u32, Hops);

pub(crate) struct Oracle<'n> {
    network: &'n Network,
    distance: Vec<Vec<u64>>,
}

impl<'n> Oracle<'n> {
    pub(crate) fn new(network: &'n Network) -> Self {
        let count = network.alive.len();
        let mut distance = vec![vec![FAR; count]; count];
        let mut oracle = Self { network, distance: vec![] };
        for from in network.routers() {
            distance[from][from] = 0;
            for (to, cost, _) in oracle.links(from) {
                distance[from][to] = distance[from][to].min(cost);
            }
        }
        for via in network.routers() {
            for from in network.routers() {
                for to in network.routers() {
                    distance[from][to] = distance[from][to].min(distance[from][via] + distance[via][to]);
                }
            }
        }
        oracle.distance = distance;
        oracle
    }

    /// Usable links of a router: neighbor, cost, hop.
    pub(crate) fn links(&self, from: usize) -> Vec<(usize, u64, (IfIndex, Option<Ipv4Addr>))> {
        let mut links = Vec::new();
        for (n, cable) in self.network.cables.iter().enumerate() {
            if !self.network.cable_is_up(cable) {
                continue;
            }
            for end in 0..2 {
                if cable.ends[end].0 == from && !cable.one_way {
                    let hop = (cable_ifindex(n), Some(cable_address(n, 1 - end)));
                    links.push((cable.ends[1 - end].0, u64::from(cable.ends[end].1), hop));
                }
            }
        }
        for (n, lan) in self.network.lans.iter().enumerate() {
            let Some((_, cost)) = self.network.members(lan).find(|(member, _)| *member == from) else {
                continue;
            };
            for (to, _) in self.network.members(lan).filter(|(to, _)| *to != from) {
                links.push((to, u64::from(cost), (lan_ifindex(n), Some(lan_address(n, to)))));
            }
        }
        links
    }

    /// The hops of `root` on the way to where `far(router)` is the distance left.
    fn hops(&self, root: usize, far: impl Fn(usize) -> u64) -> Hops {
        let total = far(root);
        let good = |(to, cost, _): &(usize, u64, _)| cost + far(*to) == total;
        self.links(root).into_iter().filter(good).map(|(_, _, hop)| hop).collect()
    }

    /// Who attaches to which intra-area prefix, at which cost, by which interface.
    fn attachments(&self) -> BTreeMap<Ipv4Network, Vec<(usize, u64, IfIndex)>> {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (n, cable) in self.network.cables.iter().enumerate() {
            if self.network.cable_is_up(cable) {
                for (router, cost) in cable.ends {
                    all.entry(cable_prefix(n)).or_default().push((router, cost.into(), cable_ifindex(n)));
                }
            }
        }
        for (n, lan) in self.network.lans.iter().enumerate() {
            for (router, cost) in self.network.members(lan) {
                all.entry(lan_prefix(n)).or_default().push((router, cost.into(), lan_ifindex(n)));
            }
        }
        for (n, leaf) in self.network.leaves.iter().enumerate() {
            if leaf.kind == LeafKind::Stub && self.network.alive[leaf.router] {
                let attachment = (leaf.router, leaf.metric.into(), leaf_ifindex(n));
                all.entry(leaf.prefix).or_default().push(attachment);
            }
        }
        all
    }

    fn table(&self, root: usize) -> BTreeMap<Ipv4Network, Answer> {
        let mut table = BTreeMap::new();
        for (prefix, attached) in self.attachments() {
            let far = |from: usize| {
                attached
                    .iter()
                    .map(|(router, cost, _)| self.distance[from][*router] + cost)
                    .min()
                    .unwrap_or(FAR)
            };
            let total = far(root);
            if total >= FAR {
                continue;
            }
            let mut hops = self.hops(root, far);
            let own = attached.iter().filter(|(router, cost, _)| *router == root && *cost == total);
            hops.extend(own.map(|(_, _, ifindex)| (*ifindex, None)));
            table.insert(prefix, (PathType::IntraArea, None, total as u32, hops));
        }
        for kinds in [&[LeafKind::Summary][..], &[LeafKind::External1, LeafKind::External2]] {
            for (prefix, answer) in self.leaves(root, kinds) {
                table.entry(prefix).or_insert(answer);
            }
        }
        table
    }

    /// The best answer for each prefix among leaves of these kinds advertised by others.
    fn leaves(&self, root: usize, kinds: &[LeafKind]) -> BTreeMap<Ipv4Network, Answer> {
        let mut best: BTreeMap<Ipv4Network, Answer> = BTreeMap::new();
        for leaf in self.network.leaves.iter().filter(|leaf| kinds.contains(&leaf.kind)) {
            let distance = self.distance[root][leaf.router];
            if leaf.router == root || !self.network.alive[leaf.router] || distance >= FAR {
                continue;
            }
            let hops = self.hops(root, |from| self.distance[from][leaf.router]);
            let distance = distance as u32;
            let new = match leaf.kind {
                LeafKind::External2 => (PathType::External2, Some(leaf.metric), distance, hops),
                LeafKind::External1 => (PathType::External1, None, distance + leaf.metric, hops),
                LeafKind::Stub | LeafKind::Summary => {
                    (PathType::InterArea, None, distance + leaf.metric, hops)
                }
            };
            let known = best.entry(leaf.prefix).or_insert_with(|| new.clone());
            match (new.0, new.1, new.2).cmp(&(known.0, known.1, known.2)) {
                std::cmp::Ordering::Less => *known = new,
                std::cmp::Ordering::Equal => known.3.extend(new.3),
                std::cmp::Ordering::Greater => {}
            }
        }
        best
    }
}

fn answer(route: &NetworkRoute) -> Answer {
    let hops = route.next_hops.iter().map(|hop| (hop.ifindex, hop.gateway)).collect();
    (route.path_type, route.type2_cost, route.cost, hops)
}

/// Prefixes on which leaves of all kinds compete.
fn leaf_prefix(n: u8) -> Ipv4Network {
    prefix::of(Ipv4Addr::new(192, 168, n, 0), 24)
}

/// Leaves with unique (kind of LSA, router, prefix), as a database has them.
pub(crate) fn leaves(routers: usize) -> impl Strategy<Value = Vec<Leaf>> {
    let kind = prop_oneof![
        Just(LeafKind::Stub),
        Just(LeafKind::Summary),
        Just(LeafKind::External1),
        Just(LeafKind::External2)
    ];
    prop::collection::vec((0..routers, 0..6u8, 1..6u32, kind), 0..14).prop_map(|leaves| {
        let mut seen = BTreeSet::new();
        leaves
            .into_iter()
            .map(|(router, n, metric, kind)| Leaf { router, prefix: leaf_prefix(n), metric, kind })
            .filter(|leaf| {
                let class = match leaf.kind {
                    LeafKind::Stub => 0,
                    LeafKind::Summary => 1,
                    LeafKind::External1 | LeafKind::External2 => 2,
                };
                seen.insert((class, leaf.router, leaf.prefix))
            })
            .collect()
    })
}

/// Networks of up to nine routers with small costs, so that equal-cost paths are the rule.
pub(crate) fn networks() -> impl Strategy<Value = Network> {
    (2..9usize).prop_flat_map(|count| {
        let cables = prop::collection::vec(((0..count, 1..5u16), (0..count, 1..5u16), 0..8u8), 0..16);
        let members = prop::collection::btree_map(0..count, 1..5u16, 1..=count);
        let lans = prop::collection::vec((members, any::<prop::sample::Index>()), 0..4);
        let alive = prop::collection::vec(prop::bool::weighted(0.9), count);
        (cables, lans, leaves(count), alive).prop_map(|(cables, lans, leaves, alive)| Network {
            alive,
            cables: distinct_pairs_if_one_way(cables),
            lans: lans
                .into_iter()
                .map(|(members, designated)| {
                    let mut members: Vec<_> = members.into_iter().collect();
                    let at = designated.index(members.len());
                    members.swap(0, at);
                    Lan { members }
                })
                .collect(),
            leaves,
        })
    })
}

/// A one-way cable next to a good one between the same routers counts as a link (RFC 2328 asks for "a link
/// back", not for the other end of the same cable), so a pair has either good cables or one-way ones, and
/// the latter all in one direction.
fn distinct_pairs_if_one_way(cables: Vec<(End, End, u8)>) -> Vec<Cable> {
    let mut first = BTreeMap::new();
    cables
        .into_iter()
        .filter(|(a, b, _)| a.0 != b.0)
        .filter_map(|(a, b, dice)| {
            let one_way = dice == 0;
            let pair = (a.0.min(b.0), a.0.max(b.0));
            let direction = one_way.then_some(a.0);
            (*first.entry(pair).or_insert(direction) == direction).then_some(Cable { ends: [a, b], one_way })
        })
        .collect()
}

fn check(network: &Network) -> Result<(), TestCaseError> {
    let oracle = Oracle::new(network);
    for root in network.routers().filter(|r| network.alive[*r]) {
        let table: RoutingTable = network.table(root, 64);
        let got: BTreeMap<_, _> = table.networks.iter().map(|(p, route)| (*p, answer(route))).collect();
        prop_assert_eq!(got, oracle.table(root), "at router {}", root);
        for route in table.networks.values() {
            prop_assert!(route.next_hops.is_sorted());
            prop_assert_eq!(route.next_hops.len(), answer(route).3.len(), "no hop twice");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_router_of_a_random_network_finds_what_the_oracle_finds(network in networks()) {
        check(&network)?;
    }
}
