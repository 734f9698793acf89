//! AS external routes (RFC 2328 §16.4) and their preference (§16.4.1).
//!
//! Each usable AS-external-LSA gives one [`Candidate`]; the smallest [`Preference`] wins, equal ones share
//! the route. The forwarding address is looked up among internal routes only: §16.4 (3) wants an intra- or
//! inter-area match, and looking past external routes makes the result independent of the order of LSAs.
//! A forwarding address of our own would send packets to ourselves; such an LSA is not used.

use super::inter_area::LS_INFINITY;
use super::partial::Kept;
use super::{NetworkRoute, NextHops, PathType, RouteNextHop, RouterRoute, RoutingTable, add_hops};
use crate::lsa::{ExternalLsa, LsType, LsaBody, LsaKey};
use crate::spf::SpfInput;
use ipnetwork::Ipv4Network;
use routing_common::id::{AreaId, RouterId};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// §16.4.1, best first. Not used (all equal) with RFC1583Compatibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum InternalPath {
    /// Intra-area through a non-backbone area.
    NonBackbone,
    /// Intra-area through the backbone, or inter-area.
    Other,
}

/// §16.4 (6) (b) to (d) as an order: type, type 2 cost, internal path, cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    path_type: PathType,
    type2_cost: Option<u32>,
    internal: InternalPath,
    cost: u32,
}

/// How to reach an AS boundary router or forwarding address.
#[derive(Debug, Clone)]
struct Reach {
    internal: InternalPath,
    cost: u32,
    next_hops: NextHops,
}

struct Candidate {
    preference: Preference,
    route: NetworkRoute,
}

/// Adds external entries to a table with all internal entries.
///
/// Without an AS boundary router in the table there are none. So it is with a router that learns a large database and is
/// Full with nobody yet: it does not look through what it has of it again and again.
pub(super) fn calculate(input: &SpfInput<'_>, limit: usize, table: &mut RoutingTable, kept: &mut Kept) {
    kept.forwards = false;
    if !table.routers.values().any(|route| route.as_boundary) {
        return;
    }
    // There may be a hundred thousand. A list is sorted nearly always, and a tree that is made of one at once has full nodes.
    let mut candidates: Vec<(Ipv4Network, Candidate)> = Vec::new();
    let mut routers: BTreeMap<RouterId, Option<Reach>> = BTreeMap::new();
    input.externals.for_each(LsType::AsExternal, &mut |lsa| {
        let LsaBody::AsExternal(body) = lsa.body() else { return };
        kept.forwards |= !body.forwarding_address.is_unspecified();
        let Some(prefix) = lsa.key().prefix(body.mask) else { return };
        // (6)(a): internal routes win, no need to look further.
        if table.networks.contains_key(&prefix) {
            return;
        }
        if let Some(candidate) = path(input, table, lsa.key(), body, &mut routers) {
            candidates.push((prefix, candidate));
        }
    });
    candidates.sort_by_key(|(prefix, _)| *prefix);
    candidates.dedup_by(|(prefix, new), (known, best)| {
        let same = prefix == known;
        if same {
            consider(best, new);
        }
        same
    });
    let limited = |(prefix, candidate): (Ipv4Network, Candidate)| {
        let mut route = candidate.route;
        route.next_hops.truncate(limit);
        (prefix, route)
    };
    let mut fewer: BTreeMap<_, _> = candidates.into_iter().map(limited).collect();
    // No prefix is in both. The few go to the many, who stay where they are.
    if fewer.len() > table.networks.len() {
        core::mem::swap(&mut fewer, &mut table.networks);
    }
    table.networks.extend(fewer);
}

/// The route to one network that has no internal route.
pub(super) fn route_to(
    input: &SpfInput<'_>,
    table: &RoutingTable,
    limit: usize,
    prefix: Ipv4Network,
) -> Option<NetworkRoute> {
    let (mut best, mut routers): (Option<Candidate>, _) = (None, BTreeMap::new());
    input.externals.for_each_in(LsType::AsExternal, prefix, &mut |lsa| {
        let LsaBody::AsExternal(body) = lsa.body() else { return };
        if lsa.key().prefix(body.mask) == Some(prefix)
            && let Some(mut candidate) = path(input, table, lsa.key(), body, &mut routers)
        {
            match &mut best {
                Some(best) => consider(best, &mut candidate),
                None => best = Some(candidate),
            }
        }
    });
    let mut route = best?.route;
    route.next_hops.truncate(limit);
    Some(route)
}

/// §16.4 (1) to (5): the path an LSA describes, if it is one.
fn path(
    input: &SpfInput<'_>,
    table: &RoutingTable,
    key: LsaKey,
    body: &ExternalLsa,
    routers: &mut BTreeMap<RouterId, Option<Reach>>,
) -> Option<Candidate> {
    if body.metric >= LS_INFINITY || key.advertising_router == input.router_id {
        return None;
    }
    let asbr = routers
        .entry(key.advertising_router)
        .or_insert_with(|| reach_router(input, table, key.advertising_router));
    let asbr = asbr.as_ref()?;
    if body.forwarding_address.is_unspecified() {
        return Some(candidate(key, body, asbr));
    }
    reach_address(input, table, body.forwarding_address).map(|reach| candidate(key, body, &reach))
}

/// §16.4 (5): the path an LSA describes.
fn candidate(key: LsaKey, body: &ExternalLsa, reach: &Reach) -> Candidate {
    let (path_type, type2_cost, cost) = if body.type2 {
        (PathType::External2, Some(body.metric), reach.cost)
    } else {
        (PathType::External1, None, reach.cost.saturating_add(body.metric))
    };
    let advertised = |hop: &RouteNextHop| RouteNextHop { advertising_router: key.advertising_router, ..*hop };
    Candidate {
        preference: Preference { path_type, type2_cost, internal: reach.internal, cost },
        route: NetworkRoute {
            path_type,
            area: None,
            cost,
            type2_cost,
            tag: body.tag,
            origin: key,
            next_hops: reach.next_hops.iter().map(advertised).collect(),
        },
    }
}

/// §16.4 (6): what becomes of the best path so far when there is another.
fn consider(best: &mut Candidate, new: &mut Candidate) {
    if new.preference < best.preference {
        core::mem::swap(best, new);
    } else if new.preference == best.preference {
        let (known, new) = (&mut best.route, &mut new.route);
        // One tag for all paths: that of the smallest key.
        if new.origin < known.origin {
            (known.origin, known.tag) = (new.origin, new.tag);
        }
        add_hops(&mut known.next_hops, core::mem::take(&mut new.next_hops));
    }
}

/// §16.4 (3): the preferred entry of an AS boundary router: §16.4.1, least cost, largest Area ID.
fn reach_router(input: &SpfInput<'_>, table: &RoutingTable, id: RouterId) -> Option<Reach> {
    table
        .router(id)
        .filter(|(_, route)| route.as_boundary)
        .map(|(area, route)| (internal_path(input, route.path_type, area), area, route))
        .min_by_key(|(internal, area, route)| (*internal, route.cost, std::cmp::Reverse(*area)))
        .map(|(internal, _, RouterRoute { cost, next_hops, .. })| Reach {
            internal,
            cost: *cost,
            next_hops: next_hops.clone(),
        })
}

/// §16.4 (3): the entry of a forwarding address. On a network of our own it is itself the gateway.
fn reach_address(input: &SpfInput<'_>, table: &RoutingTable, address: Ipv4Addr) -> Option<Reach> {
    let own = input.areas.iter().flat_map(|area| area.interfaces).any(|i| i.address == Some(address));
    if own {
        return None;
    }
    let (_, route) = table.lookup(address)?;
    let internal = internal_path(input, route.path_type, route.area?);
    let next_hops = route
        .next_hops
        .iter()
        .map(|hop| RouteNextHop { gateway: Some(hop.gateway.unwrap_or(address)), ..*hop })
        .collect();
    Some(Reach { internal, cost: route.cost, next_hops })
}

fn internal_path(input: &SpfInput<'_>, path_type: PathType, area: AreaId) -> InternalPath {
    if !input.rfc1583_compatibility && path_type == PathType::IntraArea && area != AreaId::BACKBONE {
        InternalPath::NonBackbone
    } else {
        InternalPath::Other
    }
}
