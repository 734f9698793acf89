//! What the RIB has to hear when one routing table follows another.
//!
//! Which entries are offered:
//! * All networks with a gateway.
//! * Networks of our own interfaces (no gateway), because the RIB prefers its connected route anyway
//!   (distance 0) and, when that is suppressed by a dead link, must find OSPF's view of the prefix; the
//!   entry then has long become one through another router.
//! * Not host routes without a gateway: those are our own addresses.
//!
//! Two entries are equal if the RIB would see no difference: a new Link State Origin, area or path type is
//! no news to it.

use super::partial::Before;
use super::{NetworkRoute, RouteNextHop, RoutingTable};
use ipnetwork::Ipv4Network;
use rib::message::{NextHop, Route, RouteChange};

/// The changes that turn what the RIB got for `old` into `new`, in ascending order of prefix.
///
/// In a large table nearly all routes are as they were: only what changed is put into the RIB's form.
pub fn diff(old: &RoutingTable, new: &RoutingTable, distance: u8) -> Vec<RouteChange> {
    let mut old = offered(old).peekable();
    let mut changes = Vec::new();
    for (prefix, route) in offered(new) {
        while let Some((gone, _)) = old.next_if(|(o, _)| *o < prefix) {
            changes.push(RouteChange::Withdraw(*gone));
        }
        let before = old.next_if(|(o, _)| *o == prefix).map(|(_, before)| before);
        changes.extend(change(*prefix, before, Some(route), distance));
    }
    changes.extend(old.map(|(gone, _)| RouteChange::Withdraw(*gone)));
    changes
}

/// The same for single entries, of which `before` tells what they were.
pub(crate) fn diff_of(before: &[Before], table: &RoutingTable, distance: u8) -> Vec<RouteChange> {
    let one = |(prefix, old): &Before| {
        let old = old.as_ref().filter(|route| is_offered(prefix, route));
        let new = table.networks.get(prefix).filter(|route| is_offered(prefix, route));
        change(*prefix, old, new, distance)
    };
    before.iter().filter_map(one).collect()
}

/// What one network's routes, as far as they are offered, are to the RIB.
fn change(
    prefix: Ipv4Network,
    old: Option<&NetworkRoute>,
    new: Option<&NetworkRoute>,
    distance: u8,
) -> Option<RouteChange> {
    match (old, new) {
        (Some(_), None) => Some(RouteChange::Withdraw(prefix)),
        (old, Some(new)) if old.is_none_or(|old| !is_same(old, new)) => {
            Some(RouteChange::Replace(to_rib(prefix, new, distance)))
        }
        _ => None,
    }
}

fn offered(table: &RoutingTable) -> impl Iterator<Item = (&Ipv4Network, &NetworkRoute)> {
    table.networks.iter().filter(|(prefix, route)| is_offered(prefix, route))
}

/// Are these routes to one prefix the same to the RIB?
fn is_same(a: &NetworkRoute, b: &NetworkRoute) -> bool {
    let to_rib = |hop: &RouteNextHop| (hop.gateway, hop.ifindex);
    a.metric() == b.metric()
        && a.tag == b.tag
        && a.next_hops.iter().map(to_rib).eq(b.next_hops.iter().map(to_rib))
}

fn is_offered(prefix: &Ipv4Network, route: &NetworkRoute) -> bool {
    prefix.prefix() < 32 || route.next_hops.iter().any(|hop| hop.gateway.is_some())
}

fn to_rib(prefix: Ipv4Network, route: &NetworkRoute, distance: u8) -> Route {
    Route {
        prefix,
        distance,
        metric: route.metric(),
        tag: route.tag,
        next_hops: route
            .next_hops
            .iter()
            .map(|hop| NextHop { gateway: hop.gateway, ifindex: hop.ifindex })
            .collect(),
    }
}
