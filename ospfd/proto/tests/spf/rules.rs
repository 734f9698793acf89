//! Single rules of RFC 2328 §11 and §16 that random networks would not meet, or not often enough.
//!
//! Most tests stand on one small network: the root, router 0, has a cable to router 1 (cost 10) and one to
//! router 2 (cost 20).

use crate::model::{
    Cable, Lsas, Network, cable_address, cable_ifindex, cable_prefix, id, lan_address, lsa, put, stub_link,
};
use ipnetwork::Ipv4Network;
use ospf_proto::lsa::{
    ExternalLsa, LsType, Lsa, LsaBody, LsaKey, NetworkLsa, RouterLink, RouterLinkKind, RouterLsa, SummaryLsa,
};
use ospf_proto::route::{NetworkRoute, PathType, RoutingTable, diff};
use ospf_proto::spf::{
    Calculation, Change, LsaSource, SpfArea, SpfInput, SpfInterface, SpfInterfaceKind, SpfNeighbor,
};
use rib::message::{NextHop, Route, RouteChange};
use routing_common::id::{AreaId, IfIndex, RouterId};
use std::net::Ipv4Addr;

const INFINITY: u32 = 0x00ff_ffff;

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn net(text: &str) -> Ipv4Network {
    text.parse().unwrap()
}

/// One or more areas with everything a run needs.
struct World {
    areas: Vec<(AreaId, Lsas, Vec<SpfInterface>)>,
    externals: Lsas,
    maximum_paths: u8,
    rfc1583_compatibility: bool,
}

impl World {
    fn new(network: &Network) -> Self {
        let area = (AreaId::BACKBONE, network.area_lsas(), network.interfaces(0));
        Self {
            areas: vec![area],
            externals: network.external_lsas(),
            maximum_paths: 8,
            rfc1583_compatibility: false,
        }
    }

    fn table(&self) -> RoutingTable {
        let areas: Vec<_> = self
            .areas
            .iter()
            .map(|(area, lsas, interfaces)| SpfArea { area: *area, lsas, interfaces })
            .collect();
        let input = SpfInput {
            router_id: id(0),
            areas: &areas,
            externals: &self.externals,
            maximum_paths: self.maximum_paths,
            rfc1583_compatibility: self.rfc1583_compatibility,
        };
        Calculation::default().run(Change::Topology, &input, &RoutingTable::default())
    }

    fn lsas(&mut self) -> &mut Lsas {
        &mut self.areas[0].1
    }

    /// Changes a router-LSA in place.
    fn router(&mut self, area: usize, router: usize, change: impl FnOnce(&mut RouterLsa)) {
        let lsas = &mut self.areas[area].1;
        let key = router_key(router);
        let mut body = match LsaSource::get(lsas, &key).map(Lsa::body) {
            Some(LsaBody::Router(body)) => body.clone(),
            _ => RouterLsa::default(),
        };
        change(&mut body);
        put(lsas, lsa(LsType::Router, id(router).0, id(router), &LsaBody::Router(body)));
    }

    fn add_summary(&mut self, ls_type: LsType, destination: &str, mask: &str, router: usize, metric: u32) {
        let body = SummaryLsa { mask: ip(mask), metric };
        let body = match ls_type {
            LsType::SummaryNetwork => LsaBody::SummaryNetwork(body),
            _ => LsaBody::SummaryAsbr(body),
        };
        put(self.lsas(), lsa(ls_type, ip(destination), id(router), &body));
    }

    fn add_external(&mut self, destination: &str, router: usize, external: External) {
        let body = LsaBody::AsExternal(ExternalLsa {
            mask: ip(external.mask),
            type2: external.type2,
            metric: external.metric,
            forwarding_address: ip(external.forwarding),
            tag: external.tag,
        });
        put(&mut self.externals, lsa(LsType::AsExternal, ip(destination), id(router), &body));
    }
}

struct External {
    mask: &'static str,
    type2: bool,
    metric: u32,
    forwarding: &'static str,
    tag: u32,
}

impl Default for External {
    fn default() -> Self {
        Self { mask: "255.255.255.0", type2: true, metric: 7, forwarding: "0.0.0.0", tag: 0 }
    }
}

fn router_key(router: usize) -> LsaKey {
    LsaKey::router(id(router))
}

fn two_cables() -> Network {
    Network {
        alive: vec![true; 3],
        cables: vec![
            Cable { ends: [(0, 10), (1, 10)], one_way: false },
            Cable { ends: [(0, 20), (2, 20)], one_way: false },
        ],
        ..Network::default()
    }
}

/// Routers 1 and 2 are AS boundary and area border routers.
fn borders() -> World {
    let mut world = World::new(&two_cables());
    for router in [1, 2] {
        world.router(0, router, |body| (body.as_boundary, body.area_border) = (true, true));
    }
    world
}

fn gateways(route: &NetworkRoute) -> Vec<Option<Ipv4Addr>> {
    route.next_hops.iter().map(|hop| hop.gateway).collect()
}

/// The gateway to router 1 or 2 over its cable.
fn over_cable(router: usize) -> Option<Ipv4Addr> {
    Some(cable_address(router - 1, 1))
}

#[test]
fn without_our_own_router_lsa_there_are_no_routes() {
    let mut world = borders();
    world.lsas().remove(&router_key(0));
    world.add_external("203.0.113.0", 1, External::default());
    assert_eq!(world.table(), RoutingTable::default());
}

#[test]
fn a_neighbor_that_died_is_left_before_our_own_lsa_says_so() {
    let mut network = two_cables();
    network.cables.push(Cable { ends: [(1, 50), (2, 50)], one_way: false });
    let mut world = World::new(&network);
    let behind = cable_prefix(2);
    assert_eq!(gateways(&world.table().networks[&behind]), [over_cable(1)]);
    world.areas[0].2[0].neighbors.clear();
    let table = world.table();
    assert_eq!((table.networks[&behind].cost, gateways(&table.networks[&behind])), (70, vec![over_cable(2)]));
}

#[test]
fn max_metric_in_our_own_lsa_does_not_change_our_own_routes() {
    let mut network = two_cables();
    network.cables.push(Cable { ends: [(1, 50), (2, 50)], one_way: false });
    let normal = World::new(&network);
    let mut stub_router = World::new(&network);
    stub_router.router(0, 0, |body| {
        for link in body.links.iter_mut().filter(|l| !matches!(l.kind, RouterLinkKind::Stub { .. })) {
            link.metric = u16::MAX;
        }
    });
    assert_eq!(stub_router.table(), normal.table());
}

#[test]
fn interfaces_sharing_an_address_and_unnumbered_ones_are_told_apart_by_neighbor() {
    let mut world = World::new(&two_cables());
    let borrowed = ip("10.255.0.1");
    let interface = |ifindex, address: Option<Ipv4Addr>, neighbor: usize, cost| SpfInterface {
        ifindex: IfIndex(ifindex),
        address,
        network: net("10.255.0.1/32"),
        kind: SpfInterfaceKind::PointToPoint,
        cost,
        neighbors: vec![SpfNeighbor { router_id: id(neighbor), address: id(neighbor).0 }],
    };
    // Two cables share the /32, a third, unnumbered, goes to router 2 as well.
    world.areas[0].2 = vec![
        interface(5, Some(borrowed), 1, 10),
        interface(6, Some(borrowed), 2, 20),
        interface(7, None, 2, 20),
    ];
    let link = |neighbor: usize, data, metric| RouterLink {
        kind: RouterLinkKind::PointToPoint { neighbor: id(neighbor), data },
        metric,
    };
    world.router(0, 0, |body| {
        body.links = vec![link(1, borrowed, 10), link(2, borrowed, 20), link(2, ip("0.0.0.7"), 20)];
    });
    for router in [1, 2] {
        world.router(0, router, |body| body.links.push(stub_link(net("10.9.0.0/24"), 1)));
    }
    world.router(0, 2, |body| body.links.push(stub_link(net("10.8.0.0/24"), 1)));
    let table = world.table();
    let hops = |prefix| -> Vec<_> {
        table.networks[&net(prefix)].next_hops.iter().map(|hop| (hop.ifindex.0, hop.gateway)).collect()
    };
    assert_eq!(hops("10.9.0.0/24"), [(5, Some(id(1).0))]);
    assert_eq!(hops("10.8.0.0/24"), [(6, Some(id(2).0)), (7, Some(id(2).0))]);
}

#[test]
fn of_two_network_lsas_with_one_id_that_of_the_designated_router_counts() {
    let mut network = Network { alive: vec![true; 3], ..Network::default() };
    network.lans.push(crate::model::Lan { members: vec![(1, 5), (0, 5), (2, 5)] });
    let whole = World::new(&network).table();
    for former in [RouterId(ip("10.0.0.1")), RouterId(ip("10.255.255.1"))] {
        let mut world = World::new(&network);
        let stale = NetworkLsa { mask: ip("255.255.255.0"), attached_routers: vec![former, id(0)] };
        put(world.lsas(), lsa(LsType::Network, lan_address(0, 1), former, &LsaBody::Network(stale)));
        assert_eq!(world.table(), whole, "stale one from {former}");
    }
}

#[test]
fn a_router_on_our_lan_that_we_do_not_hear_is_no_next_hop() {
    let mut network = Network { alive: vec![true; 3], ..Network::default() };
    network.lans.push(crate::model::Lan { members: vec![(1, 5), (0, 5), (2, 5)] });
    let mut world = World::new(&network);
    world.router(0, 2, |body| body.links.push(stub_link(net("10.9.0.0/24"), 1)));
    assert_eq!(gateways(&world.table().networks[&net("10.9.0.0/24")]), [Some(lan_address(0, 2))]);
    world.areas[0].2[0].neighbors.retain(|n| n.router_id != id(2));
    assert!(!world.table().networks.contains_key(&net("10.9.0.0/24")));
}

#[test]
fn link_data_outside_the_subnet_of_our_lan_is_no_gateway() {
    let mut network = Network { alive: vec![true; 2], ..Network::default() };
    network.lans.push(crate::model::Lan { members: vec![(0, 5), (1, 5)] });
    let mut world = World::new(&network);
    world.router(0, 1, |body| {
        let RouterLinkKind::Transit { designated_router, .. } = body.links[0].kind else { panic!() };
        let kind = RouterLinkKind::Transit { designated_router, address: ip("198.51.100.1") };
        body.links = vec![RouterLink { kind, metric: 5 }, stub_link(net("10.9.0.0/24"), 1)];
    });
    assert_eq!(world.table().networks.keys().copied().collect::<Vec<_>>(), [crate::model::lan_prefix(0)]);
}

/// Routers 1 and 2 each are Designated Router of a network of their own with a router behind it, but both
/// networks have the same prefix, 10.9.0.0/24.
fn two_networks_of_one_prefix(cost: [u16; 2]) -> World {
    let mut world = World::new(&Network { alive: vec![true; 5], ..two_cables() });
    for (n, (designated, behind)) in [(1, 3), (2, 4)].into_iter().enumerate() {
        let address = Ipv4Addr::new(10, 9, 0, designated as u8);
        let transit = |metric| RouterLink {
            kind: RouterLinkKind::Transit { designated_router: address, address },
            metric,
        };
        world.router(0, designated, |body| body.links.push(transit(cost[n])));
        world.router(0, behind, |body| body.links.push(transit(1)));
        let body =
            NetworkLsa { mask: ip("255.255.255.0"), attached_routers: vec![id(designated), id(behind)] };
        put(world.lsas(), lsa(LsType::Network, address, id(designated), &LsaBody::Network(body)));
    }
    world
}

#[test]
fn of_several_networks_with_one_prefix_the_nearest_counts_then_the_larger_id() {
    let route = |cost| {
        let table = two_networks_of_one_prefix(cost).table();
        let route = &table.networks[&net("10.9.0.0/24")];
        (route.cost, gateways(route), route.origin.link_state_id)
    };
    assert_eq!(route([5, 5]), (15, vec![over_cable(1)], ip("10.9.0.1")));
    assert_eq!(route([30, 5]), (25, vec![over_cable(2)], ip("10.9.0.2")));
    // RFC 2328 §16.1 (4): overwritten, not merged.
    assert_eq!(route([15, 5]), (25, vec![over_cable(2)], ip("10.9.0.2")));
}

#[test]
fn link_state_origin() {
    let origin = |world: &World| world.table().networks[&net("10.9.0.0/24")].origin;
    let mut world = World::new(&two_cables());
    world.router(0, 1, |body| body.links.push(stub_link(net("10.9.0.0/24"), 15)));
    assert_eq!(origin(&world), router_key(1));
    world.router(0, 2, |body| body.links.push(stub_link(net("10.9.0.0/24"), 5)));
    assert_eq!(origin(&world), router_key(2), "the larger of equals");

    let mut world = two_networks_of_one_prefix([5, 5]);
    let network = origin(&world);
    assert_eq!(network.ls_type, LsType::Network);
    world.router(0, 1, |body| body.links.push(stub_link(net("10.9.0.0/24"), 5)));
    assert_eq!(origin(&world), network, "a network-LSA stays");
}

#[test]
fn a_router_on_our_lan_that_we_do_not_hear_is_reached_another_way() {
    let mut network = Network { alive: vec![true; 3], ..Network::default() };
    network.lans.push(crate::model::Lan { members: vec![(1, 5), (0, 5), (2, 5)] });
    network.cables.push(Cable { ends: [(0, 50), (2, 50)], one_way: false });
    let mut world = World::new(&network);
    world.router(0, 2, |body| body.links.push(stub_link(net("10.9.0.0/24"), 1)));
    world.areas[0].2.iter_mut().filter(|i| i.kind == SpfInterfaceKind::Broadcast).for_each(|i| {
        i.neighbors.retain(|n| n.router_id != id(2));
    });
    let table = world.table();
    let route = &table.networks[&net("10.9.0.0/24")];
    assert_eq!((route.cost, gateways(route)), (51, vec![Some(cable_address(0, 1))]));
}

#[test]
fn an_interface_that_became_point_to_point_does_not_serve_a_transit_link() {
    let mut network = Network { alive: vec![true; 2], ..Network::default() };
    network.lans.push(crate::model::Lan { members: vec![(0, 5), (1, 5)] });
    let mut world = World::new(&network);
    assert_eq!(world.table().networks.len(), 1);
    world.areas[0].2[0].kind = SpfInterfaceKind::PointToPoint;
    assert_eq!(world.table(), RoutingTable::default());
}

#[test]
fn our_own_host_route_may_lie_in_a_wider_subnet() {
    let mut world = World::new(&two_cables());
    world.areas[0].2.push(SpfInterface {
        ifindex: IfIndex(1),
        address: Some(ip("10.9.0.1")),
        network: net("10.9.0.1/24"),
        kind: SpfInterfaceKind::Stub,
        cost: 0,
        neighbors: vec![],
    });
    world.router(0, 0, |body| {
        body.links.extend([stub_link(net("10.9.0.1/32"), 0), stub_link(net("10.8.0.1/32"), 0)]);
    });
    let table = world.table();
    let route = &table.networks[&net("10.9.0.1/32")];
    assert_eq!((route.cost, route.next_hops[0].ifindex, gateways(route)), (0, IfIndex(1), vec![None]));
    // No interface stands behind this one.
    assert!(!table.networks.contains_key(&net("10.8.0.1/32")));
}

#[test]
fn virtual_links_of_others_are_followed() {
    let mut world = World::new(&Network { alive: vec![true; 4], ..two_cables() });
    let link = |neighbor: usize| RouterLink {
        kind: RouterLinkKind::Virtual { neighbor: id(neighbor), address: ip("10.0.0.1") },
        metric: 4,
    };
    world.router(0, 1, |body| body.links.push(link(3)));
    world.router(0, 3, |body| {
        body.links.extend([link(1), stub_link(net("10.9.0.0/24"), 1)]);
    });
    let table = world.table();
    let route = &table.networks[&net("10.9.0.0/24")];
    assert_eq!((route.cost, gateways(route)), (15, vec![over_cable(1)]));
}

#[test]
fn masks_with_holes_are_skipped() {
    let mut world = borders();
    let expected = world.table();
    let holes = "255.0.255.0";
    world.router(0, 1, |body| {
        let kind = RouterLinkKind::Stub { network: ip("10.9.0.0"), mask: ip(holes) };
        body.links.push(RouterLink { kind, metric: 1 });
    });
    world.add_summary(LsType::SummaryNetwork, "10.9.0.0", holes, 1, 1);
    world.add_external("10.9.0.0", 1, External { mask: holes, ..External::default() });
    assert_eq!(world.table(), expected);
}

#[test]
fn summaries_infinite_own_or_of_no_border_router_are_skipped() {
    let mut world = borders();
    world.router(0, 2, |body| body.area_border = false);
    let expected = world.table();
    world.add_summary(LsType::SummaryNetwork, "10.9.0.0", "255.255.255.0", 1, INFINITY);
    world.add_summary(LsType::SummaryNetwork, "10.9.1.0", "255.255.255.0", 0, 1);
    world.add_summary(LsType::SummaryNetwork, "10.9.2.0", "255.255.255.0", 2, 1);
    world.add_summary(LsType::SummaryNetwork, "10.9.3.0", "255.255.255.0", 77, 1);
    world.add_summary(LsType::SummaryAsbr, "10.255.0.99", "0.0.0.0", 1, INFINITY);
    world.add_summary(LsType::SummaryAsbr, &id(0).to_string(), "0.0.0.0", 1, 1);
    assert_eq!(world.table(), expected);
    world.add_summary(LsType::SummaryNetwork, "10.9.0.0", "255.255.255.0", 1, INFINITY - 1);
    assert_eq!(world.table().networks[&net("10.9.0.0/24")].cost, INFINITY - 1 + 10);
}

#[test]
fn equal_summaries_share_a_route_and_intra_area_wins() {
    let mut world = borders();
    world.add_summary(LsType::SummaryNetwork, "10.9.0.0", "255.255.255.0", 1, 30);
    world.add_summary(LsType::SummaryNetwork, "10.9.0.0", "255.255.255.0", 2, 20);
    world.add_summary(LsType::SummaryNetwork, &cable_prefix(1).ip().to_string(), "255.255.255.252", 1, 1);
    let table = world.table();
    let route = &table.networks[&net("10.9.0.0/24")];
    assert_eq!((route.path_type, route.cost), (PathType::InterArea, 40));
    assert_eq!(gateways(route), [over_cable(1), over_cable(2)]);
    assert_eq!(route.next_hops.iter().map(|h| h.advertising_router).collect::<Vec<_>>(), [id(1), id(2)]);
    let own = &table.networks[&cable_prefix(1)];
    assert_eq!((own.path_type, own.cost, gateways(own)), (PathType::IntraArea, 20, vec![None]));
}

#[test]
fn an_as_boundary_router_in_another_area_is_reached_through_its_summary() {
    let mut world = borders();
    world.add_external("203.0.113.0", 9, External { type2: false, ..External::default() });
    assert!(!world.table().networks.contains_key(&net("203.0.113.0/24")));
    world.add_summary(LsType::SummaryAsbr, &id(9).to_string(), "0.0.0.0", 2, 3);
    let table = world.table();
    let route = &table.networks[&net("203.0.113.0/24")];
    assert_eq!((route.path_type, route.cost), (PathType::External1, 20 + 3 + 7));
    assert_eq!(gateways(route), [over_cable(2)]);
    assert_eq!(route.next_hops[0].advertising_router, id(9));
}

#[test]
fn externals_infinite_own_or_of_no_boundary_router_are_skipped() {
    let mut world = borders();
    world.router(0, 2, |body| body.as_boundary = false);
    let expected = world.table();
    world.add_external("203.0.113.0", 1, External { metric: INFINITY, ..External::default() });
    world.add_external("203.0.114.0", 0, External::default());
    world.add_external("203.0.115.0", 2, External::default());
    world.add_external("203.0.116.0", 77, External::default());
    assert_eq!(world.table(), expected);
}

#[test]
fn external_preference_is_type_then_type_2_cost_then_distance() {
    let p = net("203.0.113.0/24");
    let two = |first: External, second: External| {
        let mut world = borders();
        world.add_external("203.0.113.0", 1, first);
        world.add_external("203.0.113.0", 2, second);
        let table = world.table();
        let route = &table.networks[&p];
        (route.path_type, route.cost, route.type2_cost, gateways(route))
    };
    let e1 = |metric| External { type2: false, metric, ..External::default() };
    let e2 = |metric| External { metric, ..External::default() };
    use PathType::{External1, External2};
    assert_eq!(two(e2(1), e1(1000)), (External1, 1020, None, vec![over_cable(2)]));
    assert_eq!(two(e2(5), e2(4)), (External2, 20, Some(4), vec![over_cable(2)]));
    assert_eq!(two(e2(5), e2(5)), (External2, 10, Some(5), vec![over_cable(1)]));
    assert_eq!(two(e1(15), e1(5)), (External1, 25, None, vec![over_cable(1), over_cable(2)]));
    assert_eq!(two(e1(16), e1(5)), (External1, 25, None, vec![over_cable(2)]));
}

#[test]
fn of_equal_externals_the_smallest_router_gives_the_tag() {
    let mut world = borders();
    let e1 = |metric, tag| External { type2: false, metric, tag, ..External::default() };
    world.add_external("203.0.113.0", 1, e1(15, 111));
    world.add_external("203.0.113.0", 2, e1(5, 222));
    assert_eq!(world.table().networks[&net("203.0.113.0/24")].tag, 111);
}

#[test]
fn a_next_hop_shared_by_two_advertising_routers_counts_once() {
    let mut world = World::new(&Network { alive: vec![true; 4], ..two_cables() });
    let link = |neighbor: usize| RouterLink {
        kind: RouterLinkKind::PointToPoint { neighbor: id(neighbor), data: ip("10.0.0.1") },
        metric: 4,
    };
    world.router(0, 1, |body| body.links.push(link(3)));
    world.router(0, 3, |body| body.links.push(link(1)));
    for (router, metric) in [(3, 1), (1, 5)] {
        world.router(0, router, |body| body.as_boundary = true);
        world.add_external("203.0.113.0", router, External { type2: false, metric, ..External::default() });
    }
    let table = world.table();
    let route = &table.networks[&net("203.0.113.0/24")];
    assert_eq!((route.cost, gateways(route)), (15, vec![over_cable(1)]));
    assert_eq!(route.next_hops[0].advertising_router, id(1), "the smaller");
}

#[test]
fn forwarding_addresses() {
    let p = net("203.0.113.0/24");
    let forwarded = |forwarding| {
        let mut world = borders();
        world.router(0, 2, |body| body.links.push(stub_link(net("10.9.0.0/24"), 1)));
        world.add_external("198.51.100.0", 1, External::default());
        world.add_external("203.0.113.0", 1, External { forwarding, ..External::default() });
        world.table().networks.get(&p).map(|route| (route.cost, gateways(route)))
    };
    // On our own cable to router 2: the address itself is the gateway, whoever advertises.
    assert_eq!(forwarded("10.64.0.6"), Some((20, vec![Some(ip("10.64.0.6"))])));
    assert_eq!(cable_prefix(1).to_string(), "10.64.0.4/30");
    // Behind router 2.
    assert_eq!(forwarded("10.9.0.77"), Some((21, vec![over_cable(2)])));
    // Reached only by an external route, not at all, or ourselves.
    assert_eq!(forwarded("198.51.100.1"), None);
    assert_eq!(forwarded("192.0.2.1"), None);
    assert_eq!(cable_address(1, 0).to_string(), "10.64.0.5");
    assert_eq!(forwarded("10.64.0.5"), None);
}

/// The part of the network of two cables that one cable makes, as an area.
fn one_cable(area: AreaId, cable: usize) -> (AreaId, Lsas, Vec<SpfInterface>) {
    let mut network = two_cables();
    network.alive[2 - cable] = false;
    let mut interfaces = network.interfaces(0);
    interfaces.retain(|i| i.ifindex == cable_ifindex(cable));
    (area, network.area_lsas(), interfaces)
}

/// Router 0 between the backbone (cable to router 1, cost 10) and area 1 (cable to router 2, cost 20).
fn two_areas() -> World {
    let mut world = World::new(&two_cables());
    world.areas = vec![one_cable(AreaId::BACKBONE, 0), one_cable(AreaId(ip("0.0.0.1")), 1)];
    for (area, router) in [(0, 1), (1, 2)] {
        world.router(area, router, |body| body.as_boundary = true);
    }
    world
}

#[test]
fn paths_through_non_backbone_areas_are_preferred_unless_rfc_1583_rules() {
    let p = net("203.0.113.0/24");
    let mut world = two_areas();
    world.add_external("203.0.113.0", 1, External::default());
    world.add_external("203.0.113.0", 2, External::default());
    assert_eq!(gateways(&world.table().networks[&p]), [over_cable(2)], "§16.4.1");
    world.rfc1583_compatibility = true;
    assert_eq!(gateways(&world.table().networks[&p]), [over_cable(1)], "least cost");
}

#[test]
fn an_as_boundary_router_in_two_areas() {
    let p = net("203.0.113.0/24");
    let mut world = two_areas();
    // Router 1 is in area 1 as well, over a cable of cost `cost`.
    let with_cost = |world: &mut World, cost: u16| {
        let address = ip("10.99.0.1");
        world.areas[1].2.retain(|i| i.address != Some(address));
        world.areas[1].2.push(SpfInterface {
            ifindex: IfIndex(99),
            address: Some(address),
            network: net("10.99.0.0/30"),
            kind: SpfInterfaceKind::PointToPoint,
            cost,
            neighbors: vec![SpfNeighbor { router_id: id(1), address: ip("10.99.0.2") }],
        });
        let link = |neighbor: usize, data| RouterLink {
            kind: RouterLinkKind::PointToPoint { neighbor: id(neighbor), data },
            metric: cost,
        };
        world.router(1, 0, |body| body.links.push(link(1, address)));
        world.router(1, 1, |body| {
            body.as_boundary = true;
            body.links = vec![link(0, ip("10.99.0.2"))];
        });
    };
    world.add_external("203.0.113.0", 1, External::default());
    with_cost(&mut world, 90);
    assert_eq!(world.table().router(id(1)).count(), 2);
    assert_eq!(gateways(&world.table().networks[&p]), [Some(ip("10.99.0.2"))], "§16.4.1");
    world.rfc1583_compatibility = true;
    assert_eq!(gateways(&world.table().networks[&p]), [over_cable(1)], "least cost");
    with_cost(&mut world, 10);
    assert_eq!(gateways(&world.table().networks[&p]), [Some(ip("10.99.0.2"))], "largest area id");
}

#[test]
fn a_network_in_two_areas_belongs_to_the_nearer_then_to_the_smaller_area() {
    let area_one = AreaId(ip("0.0.0.1"));
    let route = |costs: [u16; 2]| {
        let mut world = two_areas();
        for (area, cost) in costs.into_iter().enumerate() {
            world.router(area, area + 1, |body| body.links.push(stub_link(net("10.9.0.0/24"), cost)));
        }
        let table = world.table();
        let route = &table.networks[&net("10.9.0.0/24")];
        (route.area, route.cost, gateways(route))
    };
    assert_eq!(route([1, 1]), (Some(AreaId::BACKBONE), 11, vec![over_cable(1)]));
    assert_eq!(route([90, 1]), (Some(area_one), 21, vec![over_cable(2)]));
    assert_eq!(route([11, 1]), (Some(AreaId::BACKBONE), 21, vec![over_cable(1)]));
}

#[test]
fn attached_to_several_areas_only_backbone_summaries_count() {
    let mut world = two_areas();
    world.router(0, 1, |body| body.area_border = true);
    world.router(1, 2, |body| body.area_border = true);
    let summary = |metric| LsaBody::SummaryNetwork(SummaryLsa { mask: ip("255.255.255.0"), metric });
    put(&mut world.areas[1].1, lsa(LsType::SummaryNetwork, ip("10.9.0.0"), id(2), &summary(1)));
    assert!(!world.table().networks.contains_key(&net("10.9.0.0/24")));
    put(&mut world.areas[0].1, lsa(LsType::SummaryNetwork, ip("10.9.0.0"), id(1), &summary(500)));
    assert_eq!(world.table().networks[&net("10.9.0.0/24")].cost, 510);
}

#[test]
fn next_hops_are_limited_to_the_smallest() {
    let mut network = Network { alive: vec![true; 2], ..Network::default() };
    network.cables = (0..5).map(|_| Cable { ends: [(0, 10), (1, 10)], one_way: false }).collect();
    let mut world = World::new(&network);
    world.router(0, 1, |body| body.links.push(stub_link(net("10.9.0.0/24"), 1)));
    for (maximum_paths, count) in [(8, 5), (5, 5), (2, 2), (1, 1), (0, 1)] {
        world.maximum_paths = maximum_paths;
        let all: Vec<_> = (0..count).map(|n| Some(cable_address(n, 1))).collect();
        assert_eq!(gateways(&world.table().networks[&net("10.9.0.0/24")]), all);
    }
}

#[test]
fn lookup_takes_the_longest_match() {
    let mut world = borders();
    world.router(0, 1, |body| {
        body.links.extend([stub_link(net("10.9.0.0/16"), 1), stub_link(net("10.9.8.0/24"), 1)]);
    });
    let table = world.table();
    assert_eq!(table.lookup(ip("10.9.8.7")).map(|(p, _)| p), Some(net("10.9.8.0/24")));
    assert_eq!(table.lookup(ip("10.9.9.7")).map(|(p, _)| p), Some(net("10.9.0.0/16")));
    assert_eq!(table.lookup(ip("192.0.2.1")), None);
}

#[test]
fn the_rib_hears_differences_only_in_order_of_prefix() {
    let mut world = borders();
    world.areas[0].2.push(SpfInterface {
        ifindex: IfIndex(1),
        address: Some(id(0).0),
        network: net("10.255.0.1/32"),
        kind: SpfInterfaceKind::Stub,
        cost: 0,
        neighbors: vec![],
    });
    world.router(0, 0, |body| body.links.push(stub_link(net("10.255.0.1/32"), 0)));
    world.router(0, 1, |body| body.links.push(stub_link(net("10.9.0.0/24"), 1)));
    world.router(0, 2, |body| body.links.push(stub_link(net("10.255.0.3/32"), 0)));
    world.add_external("203.0.113.0", 1, External { tag: 5, ..External::default() });
    let before = world.table();
    assert!(before.networks.contains_key(&net("10.255.0.1/32")));
    let route = |prefix, metric, tag, gateway, cable| {
        RouteChange::Replace(Route {
            prefix,
            distance: 110,
            metric,
            tag,
            next_hops: [NextHop { gateway, ifindex: cable_ifindex(cable) }].into_iter().collect(),
        })
    };
    let all = [
        route(net("10.9.0.0/24"), 11, 0, over_cable(1), 0),
        route(cable_prefix(0), 10, 0, None, 0),
        route(cable_prefix(1), 20, 0, None, 1),
        // Our own 10.255.0.1/32 is not offered.
        route(net("10.255.0.3/32"), 20, 0, over_cable(2), 1),
        route(net("203.0.113.0/24"), 7, 5, over_cable(1), 0),
    ];
    assert_eq!(diff(&RoutingTable::default(), &before, 110), all);
    assert_eq!(diff(&before, &before, 110), []);

    world.router(0, 1, |body| body.links.retain(|l| *l != stub_link(net("10.9.0.0/24"), 1)));
    world.router(0, 1, |body| body.links.push(stub_link(net("10.8.0.0/24"), 1)));
    world.add_external("203.0.113.0", 1, External { tag: 6, ..External::default() });
    let changes = [
        route(net("10.8.0.0/24"), 11, 0, over_cable(1), 0),
        RouteChange::Withdraw(net("10.9.0.0/24")),
        route(net("203.0.113.0/24"), 7, 6, over_cable(1), 0),
    ];
    assert_eq!(diff(&before, &world.table(), 110), changes);
    assert_eq!(diff(&before, &RoutingTable::default(), 110).len(), all.len());
}

#[test]
fn what_a_new_lsa_touches() {
    let router = |links: &[RouterLink], as_boundary| {
        let body = RouterLsa { as_boundary, links: links.to_vec(), ..RouterLsa::default() };
        lsa(LsType::Router, id(1).0, id(1), &LsaBody::Router(body))
    };
    let kind = RouterLinkKind::PointToPoint { neighbor: id(2), data: ip("10.0.0.1") };
    let transit = |metric| RouterLink { kind, metric };
    let stub = |metric| stub_link(net("10.9.0.0/24"), metric);
    let a = router(&[transit(1), stub(1)], false);
    let between = |b: &Lsa| Change::between(Some(&a), Some(b));
    assert_eq!(between(&a), None);
    assert_eq!(between(&router(&[transit(1), stub(2)], false)), Some(Change::IntraPrefix));
    assert_eq!(between(&router(&[transit(1), stub(1)], true)), Some(Change::IntraPrefix));
    assert_eq!(between(&router(&[transit(2), stub(1)], false)), Some(Change::Topology));
    assert_eq!(Change::between(None, Some(&a)), Some(Change::Topology));
    assert_eq!(Change::between(Some(&a), None), Some(Change::Topology));
    assert_eq!(Change::between(None, None), None);
    let summary = LsaBody::SummaryNetwork(SummaryLsa { mask: ip("255.255.255.0"), metric: 1 });
    let summary = lsa(LsType::SummaryNetwork, ip("10.9.0.0"), id(1), &summary);
    assert_eq!(Change::between(None, Some(&summary)), Some(Change::Summary));
    let opaque = lsa(LsType::OpaqueArea, ip("4.0.0.0"), id(1), &LsaBody::Opaque(Box::default()));
    assert_eq!(Change::between(None, Some(&opaque)), None);
    let mut order = [Change::Topology, Change::Summary, Change::External, Change::IntraPrefix];
    order.sort();
    assert_eq!(order, [Change::External, Change::Summary, Change::IntraPrefix, Change::Topology]);
}
