//! Who else is attached to our passive networks with a virtual router, which wants to know whether it is alone there.
//!
//! Two routers of a LAN on which OSPF is passive know each other over the ring: each has the subnet as a stub in its
//! router-LSA. When one loses its LAN port it withdraws the stub, and when it dies the tree no longer reaches it, long
//! before the LAN's own silence says the same. What is told is what the routing table calculation saw, in the same turn.
//!
//! Nothing is said while we are Full with nobody: then it may be us who is alone in the ring.

use super::{Instance, Output};
use crate::interface::{Interface, InterfaceState, NetworkKind};
use crate::lsa::{LsaBody, LsaKey, RouterLinkKind};
use ipnetwork::Ipv4Network;
use rib::message::{Attachment, ClientMessage};
use routing_common::id::RouterId;
use routing_common::prefix;
use std::collections::{BTreeMap, BTreeSet};

impl Instance {
    /// Tells the RIB what is news; after each calculation, and when a session begins.
    pub(super) fn tell_attachments(&mut self) {
        if !self.rib.is_connected || self.restart.withholds_routes {
            return;
        }
        let now = self.attachments();
        if now != self.told_attachments {
            self.told_attachments.clone_from(&now);
            self.outputs.push_back(Output::Rib(ClientMessage::Attached(now)));
        }
    }

    fn attachments(&self) -> Vec<Attachment> {
        let networks = self.watched_networks();
        if networks.is_empty() || self.interfaces.values().all(|i| i.full_neighbors() == 0) {
            return Vec::new();
        }
        let mut attached: BTreeMap<Ipv4Network, BTreeSet<RouterId>> =
            networks.into_iter().map(|network| (network, BTreeSet::new())).collect();
        let mut reached = BTreeSet::new();
        for (area, tree) in self.areas.iter().filter_map(|(id, a)| Some((a, self.calculation.tree(*id)?))) {
            for (id, _) in tree.reached_routers().filter(|(id, _)| *id != self.router_id) {
                reached.insert(id);
                let entry = area.lsdb.get(&LsaKey::router(id));
                let Some(LsaBody::Router(lsa)) = entry.map(|e| e.lsa.body()) else { continue };
                for link in &lsa.links {
                    if let RouterLinkKind::Stub { network, mask } = link.kind
                        && let Some(stub) = prefix::from_mask(network, mask)
                        && let Some(routers) = attached.get_mut(&stub)
                    {
                        routers.insert(id);
                    }
                }
            }
        }
        let attachment = |(network, routers): (Ipv4Network, BTreeSet<RouterId>)| {
            let before = self.told_attachments.iter().filter(|a| a.network == network);
            let before: BTreeSet<RouterId> =
                before.flat_map(|a| a.routers.iter().chain(&a.left)).copied().collect();
            let left =
                before.into_iter().filter(|id| reached.contains(id) && !routers.contains(id)).collect();
            Attachment { network, routers: routers.into_iter().collect(), left }
        };
        attached.into_iter().map(attachment).collect()
    }

    /// The subnets of our interfaces that are up, carry no OSPF and have a virtual router: the only ones anybody asks about,
    /// and looking through all router-LSAs in each calculation is not for nothing.
    fn watched_networks(&self) -> Vec<Ipv4Network> {
        let has_virtual_router =
            |i: &Interface| self.whole_config.vrrp_groups.values().any(|group| group.interface == i.name);
        let is_watched = |i: &&Interface| {
            let is_passive = i.kind == NetworkKind::Broadcast && i.config.passive;
            is_passive && i.state != InterfaceState::Down && has_virtual_router(i)
        };
        self.interfaces.values().filter(is_watched).filter_map(|i| i.address.map(prefix::canonical)).collect()
    }
}
