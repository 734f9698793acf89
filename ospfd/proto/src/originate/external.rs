//! AS-external-LSAs (RFC 2328 §12.4.4). The forwarding address is always 0.0.0.0: packets come to us.

use crate::instance::Instance;
use crate::interface::InterfaceState;
use crate::lsa::{ExternalLsa, LsType, LsaBody, LsaKey};
use crate::lsdb::DatabaseId;
use crate::redistribute::{Excluded, link_state_ids};
use routing_common::config::MetricType;
use routing_common::prefix;
use routing_common::time::Instant;
use std::net::Ipv4Addr;

impl Instance {
    /// Are we configured to bring routes in from outside? By configuration and not by what the RIB holds at
    /// the moment, so that a default that comes and goes does not change our router-LSA as well.
    pub(crate) fn is_as_boundary(&self) -> bool {
        self.config.default_information.is_some()
            || self.config.redistribute_connected.is_some()
            || self.config.redistribute_static.is_some()
    }

    /// Recomputes all AS-external-LSAs.
    pub(crate) fn originate_external_lsas(&mut self, now: Instant) {
        let ospf_subnets = self
            .interfaces
            .values()
            .filter(|i| i.state != InterfaceState::Down)
            .flat_map(|i| i.address.map(prefix::canonical).into_iter().chain(i.stub_networks.iter().copied()))
            .collect();
        let excluded = Excluded { ospf_subnets, virtual_addresses: self.virtual_addresses() };
        let externals = self.redistribution.externals(&self.config, &excluded);
        let wanted = link_state_ids(externals.keys().copied())
            .into_iter()
            .filter_map(|(link_state_id, network)| {
                let external = externals.get(&network)?;
                let key =
                    LsaKey { ls_type: LsType::AsExternal, link_state_id, advertising_router: self.router_id };
                let body = LsaBody::AsExternal(ExternalLsa {
                    mask: network.mask(),
                    type2: external.metric_type == MetricType::Type2,
                    metric: external.metric,
                    forwarding_address: Ipv4Addr::UNSPECIFIED,
                    tag: external.tag,
                });
                Some((DatabaseId::As, key, body))
            })
            .collect();
        self.desire_all(now, LsType::AsExternal, wanted);
    }
}
