//! From destinations in the tree to routes (RFC 5286 §6).

use super::select::Primary;
use super::{Alternate, Distances};
use crate::lsa::{ExternalLsa, LsType, LsaBody, RouterLink, RouterLinkKind};
use crate::route::{NetworkRoute, PathType, RouteNextHop, RouterRoute, RoutingTable};
use crate::spf::next_hop::Hop;
use crate::spf::topology::{Graph, VertexId};
use crate::spf::{SpfArea, SpfInput};
use ipnetwork::Ipv4Network;
use routing_common::id::RouterId;
use std::collections::BTreeMap;

/// The alternates of one routing table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alternates {
    routes: BTreeMap<Ipv4Network, Alternate>,
    neighbors: Vec<(Hop, RouterId)>,
}

impl Alternates {
    /// Finds them for all routes of `table`, which is that of `input` and `graph`. `distances` are complete.
    pub fn calculate(
        input: &SpfInput<'_>,
        graph: &Graph,
        distances: &Distances,
        table: &RoutingTable,
    ) -> Self {
        let neighbors = distances.neighbors.iter().map(|n| (n.hop, n.router_id)).collect();
        let area = match input.areas {
            [area] if !has_virtual_links(area) => area,
            _ => return Self { neighbors, ..Self::default() },
        };
        let is_border = |route: &&RouterRoute| route.area_border;
        let several_borders = table.routers.values().filter(is_border).nth(1).is_some();
        let ends = Ends { input, area, graph, table };
        // Next to each other lie networks of one router: what was found for one is often right for the next.
        let mut latest: (Vec<Primary>, Option<Alternate>) = (Vec::new(), None);
        let mut routes = BTreeMap::new();
        for (prefix, route) in &table.networks {
            if several_borders && route.path_type >= PathType::External1 {
                continue;
            }
            let primary = |hop| ends.primary(*prefix, route, hop);
            let Some(primaries) = route.next_hops.iter().map(primary).collect::<Option<Vec<_>>>() else {
                continue;
            };
            if primaries != latest.0 {
                let found = distances.select(&primaries);
                latest = (primaries, found);
            }
            routes.extend(latest.1.map(|alternate| (*prefix, alternate)));
        }
        Self { routes, neighbors }
    }

    /// That of a route.
    pub fn get(&self, prefix: &Ipv4Network) -> Option<&Alternate> {
        self.routes.get(prefix)
    }

    /// All, by destination.
    pub fn iter(&self) -> impl Iterator<Item = (&Ipv4Network, &Alternate)> {
        self.routes.iter()
    }

    /// The next hops the table's routes may have.
    pub fn neighbors(&self) -> &[(Hop, RouterId)] {
        &self.neighbors
    }

    /// Routes that have one.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Has no route one?
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }
}

/// §6.3 (a): is this a transit area, or are links of it virtual?
fn has_virtual_links(area: &SpfArea<'_>) -> bool {
    let mut found = false;
    area.lsas.for_each(LsType::Router, &mut |lsa| {
        if let LsaBody::Router(body) = lsa.body() {
            let is_virtual = |link: &RouterLink| matches!(link.kind, RouterLinkKind::Virtual { .. });
            found |= body.virtual_link_endpoint || body.links.iter().any(is_virtual);
        }
    });
    found
}

/// Looks up where paths lead inside the area.
struct Ends<'a> {
    input: &'a SpfInput<'a>,
    area: &'a SpfArea<'a>,
    graph: &'a Graph,
    table: &'a RoutingTable,
}

impl Ends<'_> {
    /// A next hop with the vertex to which its path leads: the router or network that has the destination, or the area border router or
    /// AS boundary router behind which it lies. `None` if there is nothing to protect.
    fn primary(&self, prefix: Ipv4Network, route: &NetworkRoute, hop: &RouteNextHop) -> Option<Primary> {
        hop.gateway?;
        let router = || self.graph.router(hop.advertising_router);
        let end = match route.path_type {
            PathType::IntraArea => self.network(route, hop).or_else(router)?,
            PathType::InterArea => router()?,
            PathType::External1 | PathType::External2 => return self.outside(prefix, hop),
        };
        Some((hop.hop(), end))
    }

    /// The transit network the path leads to; `None` if that is a router that has the same prefix as a stub.
    fn network(&self, route: &NetworkRoute, hop: &RouteNextHop) -> Option<u32> {
        if route.origin.ls_type != LsType::Network {
            return None;
        }
        let address = route.origin.link_state_id;
        let wanted = VertexId::Network { address, advertising_router: hop.advertising_router };
        let vertex = self.graph.network(address)?;
        (self.graph.ids().get(vertex as usize) == Some(&wanted)).then_some(vertex)
    }

    /// §6.3.1: with a forwarding address the path leads there, else to the AS boundary router or to the area border router before it.
    fn outside(&self, prefix: Ipv4Network, hop: &RouteNextHop) -> Option<Primary> {
        // What we announce ourselves others may send to us.
        if self.announced(prefix, self.input.router_id).is_some() {
            return None;
        }
        let body = self.announced(prefix, hop.advertising_router)?;
        let is_same = |other: &&RouteNextHop| other.hop() == hop.hop();
        if !body.forwarding_address.is_unspecified() {
            let (prefix, inside) = self.table.lookup(body.forwarding_address)?;
            // One beyond an external route is no forwarding address (RFC 2328 §16.4 (3)).
            let hop = inside.next_hops.iter().find(is_same)?;
            return (inside.path_type < PathType::External1).then(|| self.primary(prefix, inside, hop))?;
        }
        let boundary = self.table.routers.get(&(hop.advertising_router, self.area.area))?;
        let through = boundary.next_hops.iter().find(is_same)?.advertising_router;
        Some((hop.hop(), self.graph.router(through)?))
    }

    /// What a router says of a network outside. The Link State ID need not be that of somebody else's LSA (RFC 2328 App. E).
    fn announced(&self, prefix: Ipv4Network, router: RouterId) -> Option<&ExternalLsa> {
        let mut found = None;
        self.input.externals.for_each_in(LsType::AsExternal, prefix, &mut |lsa| {
            if let LsaBody::AsExternal(body) = lsa.body()
                && lsa.key().advertising_router == router
                && lsa.key().prefix(body.mask) == Some(prefix)
            {
                found = Some(body);
            }
        });
        found
    }
}
