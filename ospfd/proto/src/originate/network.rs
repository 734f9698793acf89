//! Network-LSAs (RFC 2328 §12.4.2): ours for every network whose Designated Router we are and where at
//! least one other router is fully adjacent to us.

use crate::instance::Instance;
use crate::interface::InterfaceState;
use crate::lsa::{LsType, LsaBody, LsaKey, NetworkLsa};
use crate::lsdb::DatabaseId;
use routing_common::time::Instant;

impl Instance {
    /// Recomputes all network-LSAs.
    pub(crate) fn originate_network_lsas(&mut self, now: Instant) {
        let wanted = self
            .interfaces
            .values()
            .filter(|i| i.state == InterfaceState::Dr && i.adjacent_neighbors() > 0)
            .filter_map(|i| {
                let address = i.address?;
                let key = LsaKey {
                    ls_type: LsType::Network,
                    link_state_id: address.ip(),
                    advertising_router: self.router_id,
                };
                let full = i.neighbors.values().filter(|n| n.is_adjacent());
                let attached_routers =
                    [self.router_id].into_iter().chain(full.map(|n| n.id.router_id)).collect();
                let body = LsaBody::Network(NetworkLsa { mask: address.mask(), attached_routers });
                Some((DatabaseId::Area(i.area()), key, body))
            })
            .collect();
        self.desire_all(now, LsType::Network, wanted);
    }
}
