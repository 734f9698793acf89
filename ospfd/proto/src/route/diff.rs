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

use super::{NetworkRoute, RoutingTable};
use ipnetwork::Ipv4Network;
use rib::message::{NextHop, Route, RouteChange};

/// The changes that turn what the RIB got for `old` into `new`, in ascending order of prefix.
pub fn diff(old: &RoutingTable, new: &RoutingTable, distance: u8) -> Vec<RouteChange> {
    let mut old = offered(old, distance).peekable();
    let mut changes = Vec::new();
    for route in offered(new, distance) {
        while let Some(gone) = old.next_if(|o| o.prefix < route.prefix) {
            changes.push(RouteChange::Withdraw(gone.prefix));
        }
        if old.next_if(|o| o.prefix == route.prefix).is_none_or(|before| before != route) {
            changes.push(RouteChange::Replace(route));
        }
    }
    changes.extend(old.map(|gone| RouteChange::Withdraw(gone.prefix)));
    changes
}

fn offered(table: &RoutingTable, distance: u8) -> impl Iterator<Item = Route> {
    table
        .networks
        .iter()
        .filter(|(prefix, route)| is_offered(prefix, route))
        .map(move |(prefix, route)| to_rib(*prefix, route, distance))
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
