//! The routing table.

use crate::api::{BorderRoutersReply, NextHopRow, Ordered, RouteRow, RoutesReply};
use crate::instance::Instance;
use crate::route::{NetworkRoute, PathType, RouteNextHop, RouterRoute};
use crate::spf::ShortestPathTree;
use crate::spf::dijkstra::Reached;
use crate::spf::next_hop::Hop;
use routing_common::id::{AreaId, RouterId};
use std::collections::BTreeMap;

/// FRR's name of a network's path type.
fn route_type(path_type: PathType) -> &'static str {
    match path_type {
        PathType::IntraArea => "N",
        PathType::InterArea => "N IA",
        PathType::External1 => "N E1",
        PathType::External2 => "N E2",
    }
}

fn router_type(route: &RouterRoute) -> Option<String> {
    match (route.area_border, route.as_boundary) {
        (true, _) => Some("abr".to_owned()),
        (false, true) => Some("asbr".to_owned()),
        (false, false) => None,
    }
}

impl Instance {
    pub(super) fn show_routes(&self) -> RoutesReply {
        let mut rows = Ordered::default();
        let networks = |external: bool| {
            let is_external = |r: &NetworkRoute| r.path_type >= PathType::External1;
            self.routing_table.networks.iter().filter(move |(_, r)| is_external(r) == external)
        };
        for (prefix, route) in networks(false) {
            rows.push(prefix, self.network_row(route));
        }
        for (id, row) in self.router_rows() {
            rows.push(id, row);
        }
        for (prefix, route) in networks(true) {
            rows.push(prefix, self.network_row(route));
        }
        RoutesReply(rows)
    }

    pub(super) fn show_border_routers(&self) -> BorderRoutersReply {
        let mut routers = Ordered::default();
        for (id, row) in self.router_rows() {
            routers.push(id, row);
        }
        BorderRoutersReply { routers }
    }

    /// Every router on a shortest path tree, and those of other areas the table has. Of several areas the one with
    /// the smallest cost is shown, as in [`Self::show_border_routers`].
    pub(super) fn show_reachable_routers(&self) -> BorderRoutersReply {
        let mut rows: BTreeMap<RouterId, RouteRow> = self.router_rows().into_iter().collect();
        for area in self.areas.keys() {
            let reached =
                self.calculation.tree(*area).into_iter().flat_map(ShortestPathTree::reached_routers);
            for (id, reached) in reached.filter(|(id, _)| *id != self.router_id) {
                let row = || self.reached_row(*area, id, &reached);
                match rows.get(&id) {
                    Some(old) if !old.inter_area && old.cost <= reached.distance => {}
                    _ => {
                        rows.insert(id, row());
                    }
                }
            }
        }
        let mut routers = Ordered::default();
        rows.into_iter().for_each(|(id, row)| routers.push(id, row));
        BorderRoutersReply { routers }
    }

    fn reached_row(&self, area: AreaId, id: RouterId, reached: &Reached<'_>) -> RouteRow {
        let known = self.routing_table.routers.get(&(id, area));
        let hop = |hop: &Hop| {
            let (ifindex, gateway) = (hop.ifindex, hop.gateway);
            self.hop_row(&RouteNextHop { ifindex, gateway, advertising_router: id })
        };
        RouteRow {
            route_type: "R ".into(),
            cost: reached.distance,
            area: Some(area),
            router_type: known.and_then(router_type),
            nexthops: reached.hops.iter().map(hop).collect(),
            ..RouteRow::default()
        }
    }

    fn network_row(&self, route: &NetworkRoute) -> RouteRow {
        let is_external = route.path_type >= PathType::External1;
        RouteRow {
            route_type: route_type(route.path_type).into(),
            cost: route.cost,
            type2_cost: route.type2_cost,
            tag: is_external.then_some(route.tag),
            area: route.area,
            inter_area: false,
            router_type: None,
            nexthops: route.next_hops.iter().map(|hop| self.hop_row(hop)).collect(),
        }
    }

    /// One row a router: keys must be unique, so of several areas the one with the smallest cost is shown,
    /// paths inside an area before others.
    fn router_rows(&self) -> Vec<(RouterId, RouteRow)> {
        let mut best: Vec<(RouterId, AreaId, &RouterRoute)> = Vec::new();
        for ((id, area), route) in &self.routing_table.routers {
            match best.last_mut() {
                Some(last) if last.0 == *id => {
                    if (route.path_type, route.cost) < (last.2.path_type, last.2.cost) {
                        *last = (*id, *area, route);
                    }
                }
                _ => best.push((*id, *area, route)),
            }
        }
        best.into_iter().map(|(id, area, route)| (id, self.router_row(area, route))).collect()
    }

    fn router_row(&self, area: AreaId, route: &RouterRoute) -> RouteRow {
        RouteRow {
            route_type: "R ".into(),
            cost: route.cost,
            type2_cost: None,
            tag: None,
            area: Some(area),
            inter_area: route.path_type == PathType::InterArea,
            router_type: router_type(route),
            nexthops: route.next_hops.iter().map(|hop| self.hop_row(hop)).collect(),
        }
    }

    pub(super) fn hop_row(&self, hop: &RouteNextHop) -> NextHopRow {
        let interface = self.interface_name(hop.ifindex);
        match hop.gateway {
            None => NextHopRow::attached(interface),
            Some(gateway) => NextHopRow {
                ip: gateway.to_string(),
                directly_attached_to_old: None,
                directly_attached_to: None,
                via: Some(interface),
                advertised_router: Some(hop.advertising_router),
            },
        }
    }
}
