//! A network as its builder sees it (routers, cables, LANs), from which follow the LSAs of its area and the
//! interfaces of any of its routers.

use ipnetwork::Ipv4Network;
use ospf_proto::alternate::{Alternates, Distances};
use ospf_proto::lsa::{
    ExternalLsa, LsType, Lsa, LsaBody, LsaKey, LsaSpec, NetworkLsa, RouterLink, RouterLinkKind, RouterLsa,
    SummaryLsa,
};
use ospf_proto::route::RoutingTable;
use ospf_proto::spf::topology::Topology;
use ospf_proto::spf::{
    Calculation, Change, Scope, SpfArea, SpfInput, SpfInterface, SpfInterfaceKind, SpfNeighbor,
};
use rib::message::RouteChange;
use routing_common::id::{AreaId, IfIndex, RouterId};
use routing_common::prefix;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub(crate) type Lsas = BTreeMap<LsaKey, Lsa>;

/// A cable between two routers.
#[derive(Debug, Clone)]
pub(crate) struct Cable {
    pub(crate) ends: [(usize, u16); 2],
    /// The second router has not noticed the first yet: no link in its LSA.
    pub(crate) one_way: bool,
}

/// A LAN; the first member is the Designated Router.
#[derive(Debug, Clone)]
pub(crate) struct Lan {
    pub(crate) members: Vec<(usize, u16)>,
}

/// A network behind one router.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) router: usize,
    pub(crate) prefix: Ipv4Network,
    pub(crate) metric: u32,
    pub(crate) kind: LeafKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafKind {
    Stub,
    Summary,
    External1,
    External2,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Network {
    /// Which routers run; links of others do not exist.
    pub(crate) alive: Vec<bool>,
    pub(crate) cables: Vec<Cable>,
    pub(crate) lans: Vec<Lan>,
    pub(crate) leaves: Vec<Leaf>,
}

pub(crate) fn id(router: usize) -> RouterId {
    RouterId(Ipv4Addr::from_bits(0x0aff_0001 + router as u32))
}

pub(crate) fn cable_address(cable: usize, end: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a40_0001 + (cable as u32) * 4 + end as u32)
}

pub(crate) fn cable_prefix(cable: usize) -> Ipv4Network {
    prefix::of(cable_address(cable, 0), 30)
}

pub(crate) fn lan_address(lan: usize, router: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(0xac10_0001 + (lan as u32) * 256 + router as u32)
}

pub(crate) fn lan_prefix(lan: usize) -> Ipv4Network {
    prefix::of(lan_address(lan, 0), 24)
}

pub(crate) fn cable_ifindex(cable: usize) -> IfIndex {
    IfIndex(1000 + cable as u32)
}

pub(crate) fn lan_ifindex(lan: usize) -> IfIndex {
    IfIndex(2000 + lan as u32)
}

pub(crate) fn leaf_ifindex(leaf: usize) -> IfIndex {
    IfIndex(3000 + leaf as u32)
}

pub(crate) fn lsa(ls_type: LsType, link_state_id: Ipv4Addr, router: RouterId, body: &LsaBody) -> Lsa {
    let key = LsaKey { ls_type, link_state_id, advertising_router: router };
    Lsa::build(LsaSpec { age: 0, options: 2, key, sequence: 1 }, body)
}

pub(crate) fn put(lsas: &mut Lsas, lsa: Lsa) {
    lsas.insert(lsa.key(), lsa);
}

pub(crate) fn stub_link(prefix: Ipv4Network, metric: u16) -> RouterLink {
    let kind = RouterLinkKind::Stub { network: prefix.network(), mask: prefix.mask() };
    RouterLink { kind, metric }
}

impl Network {
    pub(crate) fn routers(&self) -> std::ops::Range<usize> {
        0..self.alive.len()
    }

    pub(crate) fn cable_is_up(&self, cable: &Cable) -> bool {
        cable.ends.iter().all(|(router, _)| self.alive[*router])
    }

    pub(crate) fn members<'n>(&'n self, lan: &'n Lan) -> impl Iterator<Item = (usize, u16)> + 'n {
        lan.members.iter().copied().filter(|(router, _)| self.alive[*router])
    }

    /// The area's database.
    pub(crate) fn area_lsas(&self) -> Lsas {
        let mut lsas = Lsas::new();
        for router in self.routers().filter(|r| self.alive[*r]) {
            let body = LsaBody::Router(self.router_lsa(router));
            put(&mut lsas, lsa(LsType::Router, id(router).0, id(router), &body));
        }
        for (n, lan) in self.lans.iter().enumerate() {
            let attached: Vec<_> = self.members(lan).map(|(router, _)| router).collect();
            if let [designated, _, ..] = attached.as_slice() {
                let body = LsaBody::Network(NetworkLsa {
                    mask: lan_prefix(n).mask(),
                    attached_routers: attached.iter().map(|r| id(*r)).collect(),
                });
                put(&mut lsas, lsa(LsType::Network, lan_address(n, *designated), id(*designated), &body));
            }
        }
        for leaf in self.leaves.iter().filter(|l| l.kind == LeafKind::Summary && self.alive[l.router]) {
            let body = LsaBody::SummaryNetwork(SummaryLsa { mask: leaf.prefix.mask(), metric: leaf.metric });
            put(&mut lsas, lsa(LsType::SummaryNetwork, leaf.prefix.network(), id(leaf.router), &body));
        }
        lsas
    }

    /// AS-external-LSAs.
    pub(crate) fn external_lsas(&self) -> Lsas {
        let mut lsas = Lsas::new();
        for leaf in self.leaves.iter().filter(|l| self.alive[l.router]) {
            let type2 = match leaf.kind {
                LeafKind::External1 => false,
                LeafKind::External2 => true,
                LeafKind::Stub | LeafKind::Summary => continue,
            };
            let body = LsaBody::AsExternal(ExternalLsa {
                mask: leaf.prefix.mask(),
                type2,
                metric: leaf.metric,
                forwarding_address: Ipv4Addr::UNSPECIFIED,
                tag: 0,
            });
            put(&mut lsas, lsa(LsType::AsExternal, leaf.prefix.network(), id(leaf.router), &body));
        }
        lsas
    }

    fn router_lsa(&self, router: usize) -> RouterLsa {
        let mut links = Vec::new();
        for (n, cable) in self.cables.iter().enumerate().filter(|(_, c)| self.cable_is_up(c)) {
            for (end, (_, cost)) in cable.ends.into_iter().enumerate().filter(|(_, e)| e.0 == router) {
                let data = cable_address(n, end);
                let neighbor = id(cable.ends[1 - end].0);
                if end == 0 || !cable.one_way {
                    let kind = RouterLinkKind::PointToPoint { neighbor, data };
                    links.push(RouterLink { kind, metric: cost });
                }
                links.push(stub_link(cable_prefix(n), cost));
            }
        }
        for (n, lan) in self.lans.iter().enumerate() {
            let attached: Vec<_> = self.members(lan).collect();
            let Some((_, cost)) = attached.iter().find(|(member, _)| *member == router) else { continue };
            links.push(if attached.len() == 1 {
                stub_link(lan_prefix(n), *cost)
            } else {
                let kind = RouterLinkKind::Transit {
                    designated_router: lan_address(n, attached[0].0),
                    address: lan_address(n, router),
                };
                RouterLink { kind, metric: *cost }
            });
        }
        let own = || self.leaves.iter().filter(|leaf| leaf.router == router);
        links.extend(
            own()
                .filter(|leaf| leaf.kind == LeafKind::Stub)
                .map(|leaf| stub_link(leaf.prefix, leaf.metric as u16)),
        );
        RouterLsa {
            virtual_link_endpoint: false,
            as_boundary: own().any(|l| matches!(l.kind, LeafKind::External1 | LeafKind::External2)),
            area_border: own().any(|l| l.kind == LeafKind::Summary),
            links,
        }
    }

    /// The interfaces of a router with the neighbors it hears.
    pub(crate) fn interfaces(&self, router: usize) -> Vec<SpfInterface> {
        let mut interfaces = Vec::new();
        for (n, cable) in self.cables.iter().enumerate() {
            for (end, (_, cost)) in cable.ends.into_iter().enumerate().filter(|(_, e)| e.0 == router) {
                let other = cable.ends[1 - end].0;
                let neighbor = SpfNeighbor { router_id: id(other), address: cable_address(n, 1 - end) };
                interfaces.push(SpfInterface {
                    ifindex: cable_ifindex(n),
                    address: Some(cable_address(n, end)),
                    network: cable_prefix(n),
                    kind: SpfInterfaceKind::PointToPoint,
                    cost,
                    neighbors: if self.alive[other] { vec![neighbor] } else { vec![] },
                });
            }
        }
        for (n, lan) in self.lans.iter().enumerate() {
            let Some((_, cost)) = lan.members.iter().find(|(member, _)| *member == router) else { continue };
            interfaces.push(SpfInterface {
                ifindex: lan_ifindex(n),
                address: Some(lan_address(n, router)),
                network: lan_prefix(n),
                kind: SpfInterfaceKind::Broadcast,
                cost: *cost,
                neighbors: self
                    .members(lan)
                    .filter(|(other, _)| *other != router)
                    .map(|(other, _)| SpfNeighbor { router_id: id(other), address: lan_address(n, other) })
                    .collect(),
            });
        }
        for (n, leaf) in self.leaves.iter().enumerate() {
            if leaf.router == router && leaf.kind == LeafKind::Stub {
                interfaces.push(SpfInterface {
                    ifindex: leaf_ifindex(n),
                    address: leaf.prefix.nth(1),
                    network: leaf.prefix,
                    kind: SpfInterfaceKind::Stub,
                    cost: leaf.metric as u16,
                    neighbors: vec![],
                });
            }
        }
        interfaces
    }

    /// The routing table of a router.
    pub(crate) fn table(&self, router: usize, maximum_paths: u8) -> RoutingTable {
        self.run(
            router,
            maximum_paths,
            Change::Topology,
            &mut Calculation::default(),
            &RoutingTable::default(),
        )
    }

    pub(crate) fn run(
        &self,
        router: usize,
        maximum_paths: u8,
        change: Change,
        calculation: &mut Calculation,
        previous: &RoutingTable,
    ) -> RoutingTable {
        self.with_input(router, maximum_paths, |input| calculation.run(change, input, previous))
    }

    /// The routing table of a router and the alternates of its routes; `None` if it has nobody for one.
    pub(crate) fn alternates(&self, router: usize, maximum_paths: u8) -> (RoutingTable, Option<Alternates>) {
        self.with_input(router, maximum_paths, |input| {
            let mut calculation = Calculation::default();
            let table = calculation.run(Change::Topology, input, &RoutingTable::default());
            let graph = calculation.graph(AreaId::BACKBONE).unwrap();
            let area = &input.areas[0];
            let topology = Topology::new(graph, area.lsas);
            let alternates =
                Distances::begin(&topology, input.router_id, area.interfaces).map(|mut distances| {
                    while !distances.advance(graph, 1) {}
                    Alternates::calculate(input, graph, &distances, &table)
                });
            (table, alternates)
        })
    }

    fn with_input<T>(&self, router: usize, maximum_paths: u8, work: impl FnOnce(&SpfInput<'_>) -> T) -> T {
        let (lsas, externals, interfaces) = (self.area_lsas(), self.external_lsas(), self.interfaces(router));
        let areas = [SpfArea { area: AreaId::BACKBONE, lsas: &lsas, interfaces: &interfaces }];
        work(&SpfInput {
            router_id: id(router),
            areas: &areas,
            externals: &externals,
            maximum_paths,
            rfc1583_compatibility: false,
        })
    }

    /// Brings the table of a router up to date that it had in the network `before`, and gives what the RIB hears.
    pub(crate) fn update(
        &self,
        before: &Self,
        router: usize,
        maximum_paths: u8,
        calculation: &mut Calculation,
        table: &mut RoutingTable,
    ) -> Vec<RouteChange> {
        let (mut scope, mut change) = (Scope::nothing(usize::MAX), None);
        for (old, new) in
            [(before.area_lsas(), self.area_lsas()), (before.external_lsas(), self.external_lsas())]
        {
            for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
                let (old, new) = (old.get(key), new.get(key));
                if let Some(one) = Change::between(old, new) {
                    change = change.max(Some(one));
                    scope.note(old, new);
                }
            }
        }
        if before.interfaces(router) != self.interfaces(router) {
            (scope, change) = (Scope::everything(), Some(Change::Topology));
        }
        let Some(change) = change else { return Vec::new() };
        self.with_input(router, maximum_paths, |input| calculation.update(change, &scope, input, table, 110))
    }
}
