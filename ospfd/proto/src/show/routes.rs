//! The routing table.

use crate::api::{BorderRoutersReply, NextHopRow, Ordered, RouteRow, RoutesReply};
use crate::instance::Instance;
use crate::route::{NetworkRoute, PathType, RouteNextHop, RouterRoute};
use routing_common::id::{AreaId, RouterId};

/// FRR's name of a network's path type.
fn route_type(path_type: PathType) -> &'static str {
    match path_type {
        PathType::IntraArea => "N",
        PathType::InterArea => "N IA",
        PathType::External1 => "N E1",
        PathType::External2 => "N E2",
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
        let router_type = match (route.area_border, route.as_boundary) {
            (true, _) => Some("abr".to_owned()),
            (false, true) => Some("asbr".to_owned()),
            (false, false) => None,
        };
        RouteRow {
            route_type: "R ".into(),
            cost: route.cost,
            type2_cost: None,
            tag: None,
            area: Some(area),
            inter_area: route.path_type == PathType::InterArea,
            router_type,
            nexthops: route.next_hops.iter().map(|hop| self.hop_row(hop)).collect(),
        }
    }

    fn hop_row(&self, hop: &RouteNextHop) -> NextHopRow {
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
