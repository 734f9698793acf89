//! Inter-area routes from summary-LSAs (RFC 2328 §16.2).
//!
//! A router attached to one area examines that area's summaries, one attached to several only the
//! backbone's. We originate no summaries and have no area ranges, so step (3) never applies; §16.3 (transit
//! areas) needs virtual links of our own, which do not exist.

use super::{NetworkRoute, PathType, RouterRoute, RoutingTable, add_hops};
use crate::lsa::{LsType, Lsa, LsaBody, LsaKey, SummaryLsa};
use crate::spf::{SpfArea, SpfInput};
use core::cmp::Ordering;
use routing_common::id::{AreaId, RouterId};
use std::collections::btree_map::Entry;

/// LSInfinity (RFC 2328 App. B): unreachable.
pub(super) const LS_INFINITY: u32 = 0x00ff_ffff;

/// Adds inter-area entries to a table with all intra-area entries.
pub(super) fn calculate(input: &SpfInput<'_>, table: &mut RoutingTable) {
    let area = match input.areas {
        [only] => only,
        several => match several.iter().find(|a| a.area == AreaId::BACKBONE) {
            Some(backbone) => backbone,
            None => return,
        },
    };
    area.lsas.for_each(LsType::SummaryNetwork, &mut |lsa| {
        if let LsaBody::SummaryNetwork(body) = lsa.body() {
            add_network(area, table, lsa.key(), body, input.router_id);
        }
    });
    area.lsas.for_each(LsType::SummaryAsbr, &mut |lsa: &Lsa| {
        if let LsaBody::SummaryAsbr(body) = lsa.body() {
            add_as_boundary_router(area, table, lsa.key(), body, input.router_id);
        }
    });
}

/// Steps (1), (2) and (4): the path through the border router that says so.
fn path_through<'t>(
    area: &SpfArea<'_>,
    table: &'t RoutingTable,
    key: LsaKey,
    body: &SummaryLsa,
    own_id: RouterId,
) -> Option<(u32, &'t RouterRoute)> {
    if body.metric >= LS_INFINITY || key.advertising_router == own_id {
        return None;
    }
    let border = table.routers.get(&(key.advertising_router, area.area))?;
    let usable = border.area_border && border.path_type == PathType::IntraArea;
    usable.then(|| (border.cost.saturating_add(body.metric), border))
}

/// Steps (5) to (7) for a network.
fn add_network(
    area: &SpfArea<'_>,
    table: &mut RoutingTable,
    key: LsaKey,
    body: &SummaryLsa,
    own_id: RouterId,
) {
    let Some(prefix) = key.prefix(body.mask) else { return };
    let Some((cost, border)) = path_through(area, table, key, body, own_id) else { return };
    let route = NetworkRoute {
        path_type: PathType::InterArea,
        area: Some(area.area),
        cost,
        type2_cost: None,
        tag: 0,
        origin: key,
        next_hops: border.next_hops.clone(),
    };
    match table.networks.entry(prefix) {
        Entry::Vacant(entry) => {
            entry.insert(route);
        }
        Entry::Occupied(mut entry) => {
            let known = entry.get_mut();
            match contest(known.path_type, known.cost, cost) {
                Contest::Keep => {}
                Contest::Replace => *known = route,
                Contest::Join => {
                    known.origin = known.origin.min(key);
                    add_hops(&mut known.next_hops, route.next_hops);
                }
            }
        }
    }
}

/// Steps (5) to (7) for an AS boundary router.
fn add_as_boundary_router(
    area: &SpfArea<'_>,
    table: &mut RoutingTable,
    key: LsaKey,
    body: &SummaryLsa,
    own_id: RouterId,
) {
    let id = RouterId(key.link_state_id);
    if id == own_id {
        return;
    }
    let Some((cost, border)) = path_through(area, table, key, body, own_id) else { return };
    let route = RouterRoute {
        path_type: PathType::InterArea,
        cost,
        options: 0,
        area_border: false,
        as_boundary: true,
        next_hops: border.next_hops.clone(),
    };
    match table.routers.entry((id, area.area)) {
        Entry::Vacant(entry) => {
            entry.insert(route);
        }
        Entry::Occupied(mut entry) => {
            let known = entry.get_mut();
            match contest(known.path_type, known.cost, cost) {
                Contest::Keep => {}
                Contest::Replace => *known = route,
                Contest::Join => add_hops(&mut known.next_hops, route.next_hops),
            }
        }
    }
}

/// What becomes of a known entry when an inter-area path to the same destination is found.
enum Contest {
    Keep,
    Replace,
    Join,
}

/// Steps (6) and (7): an intra-area path stays whatever it costs; otherwise the smaller cost, and both if equal.
fn contest(known: PathType, known_cost: u32, cost: u32) -> Contest {
    match cost.cmp(&known_cost) {
        _ if known == PathType::IntraArea => Contest::Keep,
        Ordering::Less => Contest::Replace,
        Ordering::Equal => Contest::Join,
        Ordering::Greater => Contest::Keep,
    }
}
