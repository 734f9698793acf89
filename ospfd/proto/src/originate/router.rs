//! Router-LSAs (RFC 2328 §12.4.1), one per area. Links stand in the order of interface indices, so that
//! the same state gives the same octets.

use crate::constants::MAX_LINK_METRIC;
use crate::instance::Instance;
use crate::interface::{Interface, InterfaceState, NetworkKind};
use crate::lsa::{LsType, LsaBody, LsaKey, RouterLink, RouterLinkKind, RouterLsa};
use crate::lsdb::DatabaseId;
use crate::neighbor::Neighbor;
use ipnetwork::Ipv4Network;
use routing_common::id::AreaId;
use routing_common::prefix;
use routing_common::time::Instant;

impl Instance {
    /// The key of our router-LSA, the same in every area.
    pub(crate) fn own_router_lsa(&self) -> LsaKey {
        LsaKey::router(self.router_id)
    }

    /// Recomputes the router-LSAs of all areas.
    pub(crate) fn originate_router_lsas(&mut self, now: Instant) {
        let key = self.own_router_lsa();
        let wanted = self
            .areas
            .keys()
            .map(|area| (DatabaseId::Area(*area), key, LsaBody::Router(self.router_lsa(*area))))
            .collect();
        self.desire_all(now, LsType::Router, wanted);
    }

    fn router_lsa(&self, area: AreaId) -> RouterLsa {
        let mut links = Vec::new();
        for interface in self.interfaces.values().filter(|i| i.area() == area) {
            interface.add_links(&mut links);
        }
        // RFC 6987 §2.
        if self.is_stub_router() {
            for link in &mut links {
                if !matches!(link.kind, RouterLinkKind::Stub { .. }) {
                    link.metric = MAX_LINK_METRIC;
                }
            }
        }
        RouterLsa {
            virtual_link_endpoint: false,
            as_boundary: self.is_as_boundary(),
            area_border: false,
            links,
        }
    }
}

impl Interface {
    /// The links of §12.4.1 for this interface.
    fn add_links(&self, links: &mut Vec<RouterLink>) {
        let Some(address) = self.address else { return };
        match (self.kind, self.state) {
            (_, InterfaceState::Down) => return,
            (_, InterfaceState::Loopback) => {
                add_stub(links, prefix::host(address.ip()), 0);
            }
            (NetworkKind::PointToPoint | NetworkKind::Loopback, _) => self.add_point_to_point(address, links),
            (NetworkKind::Broadcast, _) => self.add_broadcast(address, links),
        }
        for network in &self.stub_networks {
            add_stub(links, *network, self.cost);
        }
    }

    /// §12.4.1.1, option 2 for the stub link.
    fn add_point_to_point(&self, address: Ipv4Network, links: &mut Vec<RouterLink>) {
        for neighbor in self.neighbors.values().filter(|n| n.is_adjacent()) {
            let kind = RouterLinkKind::PointToPoint { neighbor: neighbor.id.router_id, data: address.ip() };
            links.push(RouterLink { kind, metric: self.cost });
        }
        add_stub(links, prefix::canonical(address), self.cost);
    }

    /// §12.4.1.2.
    fn add_broadcast(&self, address: Ipv4Network, links: &mut Vec<RouterLink>) {
        let transit = self.designated_router.filter(|dr| {
            if self.state == InterfaceState::Dr {
                self.adjacent_neighbors() > 0
            } else {
                self.neighbor_at(*dr).is_some_and(Neighbor::is_adjacent)
            }
        });
        match transit {
            Some(designated_router) if self.state != InterfaceState::Waiting => {
                let kind = RouterLinkKind::Transit { designated_router, address: address.ip() };
                links.push(RouterLink { kind, metric: self.cost });
            }
            _ => add_stub(links, prefix::canonical(address), self.cost),
        }
    }
}

/// Adds a stub link. Interfaces that share a subnet (a borrowed /32) make one, with the smallest cost.
fn add_stub(links: &mut Vec<RouterLink>, network: Ipv4Network, metric: u16) {
    let kind = RouterLinkKind::Stub { network: network.network(), mask: network.mask() };
    match links.iter_mut().find(|l| l.kind == kind) {
        Some(present) => present.metric = present.metric.min(metric),
        None => links.push(RouterLink { kind, metric }),
    }
}
