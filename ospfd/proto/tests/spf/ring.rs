//! The five-router ring: VR1 to VR5, upstream cost 10, backup cost 15, a test network N*i* behind each, VR1
//! and VR2 with the default route on a LAN. Every cell of its routing tables, whole and with each router and
//! each link failed, in both forms: `Form::Lan` closes the ring through the LAN, `Form::Link12` through a
//! cable of its own, with ring links as point-to-point or as broadcast networks.

use crate::model::{Cable, Lan, Leaf, LeafKind, Network, cable_address, id, lan_address};
use ospf_proto::route::{PathType, RoutingTable};
use routing_common::prefix;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

const UP: u16 = 10;
const BACKUP: u16 = 15;

/// Normal state. A cell is the next router and the cost; the default's cost is its external metric, 10.
/// "-" is not looked at: own networks, and defaults where a static route wins.
const NORMAL: [&str; 5] = [
    //    def     N1      N2      N3      N4      N5
    "VR1  -       -       VR2 20  VR2 35  VR5 40  VR5 25",
    "VR2  -       VR1 20  -       VR3 25  VR3 40  VR1 35",
    "VR3  VR2 10  VR2 30  VR2 20  -       VR4 25  VR4 35",
    "VR4  VR5 10  VR5 30  VR3 35  VR3 25  -       VR5 20",
    "VR5  VR1 10  VR1 20  VR1 30  VR4 40  VR4 25  -",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Lan,
    Link12,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkType {
    PointToPoint,
    Broadcast,
}

/// (destination, next router, cost) by router.
type Cells = BTreeMap<(usize, String), Option<(usize, u32)>>;

struct Ring {
    network: Network,
    link_type: LinkType,
    /// Names of the ring links, in order of their numbers in the model.
    links: Vec<&'static str>,
}

impl Ring {
    fn new(form: Form, link_type: LinkType, dead_router: Option<usize>, cut: Option<&str>) -> Self {
        let mut ends = vec![
            ("51", [(0, BACKUP), (4, UP)]),
            ("23", [(1, BACKUP), (2, UP)]),
            ("34", [(2, BACKUP), (3, BACKUP)]),
            ("45", [(3, UP), (4, BACKUP)]),
        ];
        let mut network = Network { alive: vec![true; 5], ..Network::default() };
        let leaf = |router, prefix, metric, kind| Leaf { router, prefix, metric, kind };
        for router in 0..5 {
            network.leaves.push(leaf(router, destination(router), 10, LeafKind::Stub));
        }
        for router in 0..2 {
            network.leaves.push(leaf(router, prefix::default_route(), 10, LeafKind::External2));
        }
        match form {
            Form::Lan => network.lans.push(Lan { members: vec![(0, UP), (1, UP)] }),
            Form::Link12 => {
                ends.push(("12", [(0, UP), (1, UP)]));
                let lan = prefix::of(Ipv4Addr::new(192, 168, 1, 0), 24);
                network.leaves.extend((0..2).map(|router| leaf(router, lan, 10, LeafKind::Stub)));
            }
        }
        ends.retain(|(name, _)| Some(*name) != cut);
        for (_, ends) in &ends {
            match link_type {
                LinkType::PointToPoint => network.cables.push(Cable { ends: *ends, one_way: false }),
                LinkType::Broadcast => network.lans.push(Lan { members: ends.to_vec() }),
            }
        }
        if let Some(router) = dead_router {
            network.alive[router] = false;
        }
        Self { network, link_type, links: ends.into_iter().map(|(name, _)| name).collect() }
    }

    /// The router with this address on a link.
    fn owner(&self, address: Ipv4Addr) -> usize {
        let on_cable = (0..self.network.cables.len()).find_map(|n| {
            let end = (0..2).find(|end| cable_address(n, *end) == address)?;
            Some(self.network.cables[n].ends[end].0)
        });
        let on_lan = || {
            (0..self.network.lans.len())
                .find_map(|n| (0..5).find(|router| lan_address(n, *router) == address))
        };
        on_cable.or_else(on_lan).expect("a gateway is an address of a router")
    }

    fn check(&self, expected: &Cells, what: &str) {
        let what = format!("{what}, {:?}, links {:?}", self.link_type, self.links);
        for router in (0..5).filter(|r| self.network.alive[*r]) {
            let table = self.network.table(router, 8);
            for name in ["def", "N1", "N2", "N3", "N4", "N5"] {
                let Some(cell) = expected.get(&(router, name.to_owned())) else { continue };
                assert_eq!(self.cell(&table, name), *cell, "VR{} {name}: {what}", router + 1);
            }
        }
    }

    fn cell(&self, table: &RoutingTable, name: &str) -> Option<(usize, u32)> {
        let route = match name.strip_prefix('N') {
            Some(number) => table.networks.get(&destination(number.parse::<usize>().unwrap() - 1))?,
            None => table.networks.get(&prefix::default_route())?,
        };
        let [hop] = route.next_hops.as_slice() else { panic!("{name} must have one next hop: {route:?}") };
        if name == "def" {
            assert_eq!(route.path_type, PathType::External2);
            assert!([id(0), id(1)].contains(&hop.advertising_router));
        }
        Some((self.owner(hop.gateway.expect("not our own network")), route.metric()))
    }
}

fn destination(router: usize) -> ipnetwork::Ipv4Network {
    prefix::of(Ipv4Addr::new(10, 10, router as u8 + 1, 0), 24)
}

fn router(word: &str) -> usize {
    word.strip_prefix("VR").and_then(|n| n.parse::<usize>().ok()).expect("VRn") - 1
}

/// The normal table without what died with a router: it, its network, its default.
fn normal(dead_router: Option<usize>) -> Cells {
    let mut cells = Cells::new();
    for row in NORMAL {
        let mut words = row.split_whitespace();
        let at = router(words.next().unwrap());
        for name in ["def", "N1", "N2", "N3", "N4", "N5"] {
            match words.next().unwrap() {
                "-" => {}
                next => {
                    let cost = words.next().unwrap().parse().unwrap();
                    cells.insert((at, name.to_owned()), Some((router(next), cost)));
                }
            }
        }
    }
    if let Some(dead) = dead_router {
        cells.retain(|(at, _), _| *at != dead);
        for at in (0..5).filter(|at| *at != dead) {
            cells.insert((at, format!("N{}", dead + 1)), None);
        }
    }
    cells
}

/// Applies "VR4: def VR3, N2 VR5 40; VR5: …".
fn changed(mut cells: Cells, changes: &str) -> Cells {
    for row in changes.split(';').map(str::trim).filter(|row| !row.is_empty()) {
        let (at, row) = row.split_once(':').unwrap();
        for cell in row.split(',') {
            let words: Vec<_> = cell.split_whitespace().collect();
            let cost = words.get(2).map_or(10, |cost| cost.parse().unwrap());
            cells.insert((router(at), words[0].to_owned()), Some((router(words[1]), cost)));
        }
    }
    cells
}

fn in_all_forms(test: impl Fn(Form, LinkType)) {
    for form in [Form::Lan, Form::Link12] {
        for link_type in [LinkType::PointToPoint, LinkType::Broadcast] {
            test(form, link_type);
        }
    }
}

#[test]
fn whole_ring() {
    assert_eq!(normal(None).len(), 5 * 4 + 3);
    in_all_forms(|form, link_type| Ring::new(form, link_type, None, None).check(&normal(None), "whole"));
}

#[test]
fn a_dead_router() {
    // VR1 is the VRRP MASTER, VR2 the BACKUP, the others are leaves. The first row is a whole table.
    let failures = [
        "VR2: N3 VR3 25, N4 VR3 40, N5 VR3 50;
         VR3: def VR2, N2 VR2 20, N4 VR4 25, N5 VR4 35;
         VR4: def VR3, N2 VR3 35, N3 VR3 25, N5 VR5 20;
         VR5: def VR4, N2 VR4 50, N3 VR4 40, N4 VR4 25",
        "VR1: N3 VR5 55; VR3: def VR4, N1 VR4 45",
        "VR2: N4 VR1 50, N5 VR1 35; VR4: N2 VR5 40",
        "VR3: N5 VR2 45; VR5: N3 VR1 45",
        "VR1: N4 VR2 50; VR4: def VR3, N1 VR3 45",
    ];
    for (dead, changes) in failures.into_iter().enumerate() {
        let expected = changed(normal(Some(dead)), changes);
        in_all_forms(|form, link_type| {
            let what = format!("VR{} dead, {form:?}", dead + 1);
            Ring::new(form, link_type, Some(dead), None).check(&expected, &what);
        });
    }
}

#[test]
fn a_cut_ring_link() {
    let failures = [
        (
            "23",
            "VR1: N3 VR5 55; VR2: N3 VR1 65, N4 VR1 50;
             VR3: def VR4, N1 VR4 45, N2 VR4 55; VR4: N2 VR5 40",
        ),
        ("34", "VR2: N4 VR1 50; VR3: N4 VR2 60, N5 VR2 45; VR4: N2 VR5 40, N3 VR5 55; VR5: N3 VR1 45"),
        (
            "45",
            "VR1: N4 VR2 50; VR3: N5 VR2 45; VR4: def VR3, N1 VR3 45, N5 VR3 60; VR5: N3 VR1 45, N4 VR1 60",
        ),
        (
            "51",
            "VR1: N3 VR2 35, N4 VR2 50, N5 VR2 60; VR2: N5 VR3 50;
             VR4: def VR3, N1 VR3 45; VR5: def VR4, N1 VR4 60, N2 VR4 50",
        ),
        ("12", "VR1: N2 VR5 65, N3 VR5 55; VR2: N1 VR3 60, N5 VR3 50; VR3: N1 VR4 45; VR5: N2 VR4 50"),
    ];
    for (cut, changes) in failures {
        let expected = changed(normal(None), changes);
        in_all_forms(|form, link_type| {
            if form == Form::Lan && cut == "12" {
                return; // There is no such link in this form.
            }
            Ring::new(form, link_type, None, Some(cut)).check(&expected, &format!("{cut} cut, {form:?}"));
        });
    }
}
