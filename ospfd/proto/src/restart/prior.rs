//! Are the adjacencies of before the restart there again (RFC 3623 §2.2)?
//!
//! The neighbours hold the LSAs we originated before: as type 1 and 2 links of the router-LSA and in the
//! network-LSAs they list whom we were adjacent to. The answer is read off the database and the neighbours anew
//! whenever something happened; nothing is remembered.
//!
//! Beyond the RFC, an adjacency counts only when the neighbour's own router-LSA is here: it may be told after the exchange
//! ([`crate::neighbor`]), and without it the routes through that neighbour would be missing from the first table.

use crate::instance::Instance;
use crate::interface::{Interface, InterfaceState, NetworkKind};
use crate::lsa::{LsType, LsaBody, LsaKey, RouterLink, RouterLinkKind, RouterLsa};
use crate::lsdb::{DatabaseId, LsdbView};
use crate::neighbor::NeighborState;
use crate::spf::LsaSource as _;
use crate::spf::topology::router_lsa;
use core::fmt;
use routing_common::id::{AreaId, RouterId};
use routing_common::time::Instant;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What does not fit the LSAs of before the restart (§2.2 (2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inconsistency {
    /// A neighbour is fully adjacent, and has no router-LSA of ours.
    NoRouterLsa,
    /// This router does not list us any more: it does not help.
    NotListed(RouterId),
    /// The network of this Designated Router does not list us any more.
    NotAttached(Ipv4Addr),
    /// There was an adjacency through an interface with this address, which is not usable now.
    InterfaceLost(Ipv4Addr),
    /// We were Designated Router with this address, and somebody else is now.
    NotDesignated(Ipv4Addr),
}

impl fmt::Display for Inconsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRouterLsa => f.write_str("a neighbor has no router-LSA of before the restart"),
            Self::NotListed(id) => write!(f, "router {id} does not list this router any more"),
            Self::NotAttached(dr) => {
                write!(f, "the network of designated router {dr} does not list this router any more")
            }
            Self::InterfaceLost(address) => {
                write!(f, "the interface with {address} had an adjacency and is down")
            }
            Self::NotDesignated(address) => {
                write!(f, "{address} was the designated router and is not any more")
            }
        }
    }
}

/// How far the restart is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Something is still missing.
    Waiting,
    /// §2.2 (1).
    Complete,
    /// §2.2 (2).
    Inconsistent(Inconsistency),
}

/// One former adjacency, or one network's.
type Check = Result<bool, Inconsistency>;

impl Instance {
    /// Compares the LSAs of before the restart with what is there now.
    pub(super) fn restart_progress(&self, now: Instant) -> Progress {
        let mut all = !self.is_anyone_synchronizing();
        let mut seen = false;
        for (area, content) in &self.areas {
            match self.area_progress(*area, &content.lsdb.view(now)) {
                Ok(complete) => {
                    all &= complete;
                    seen |= complete;
                }
                Err(inconsistency) => return Progress::Inconsistent(inconsistency),
            }
        }
        if all && seen { Progress::Complete } else { Progress::Waiting }
    }

    fn area_progress(&self, area: AreaId, lsas: &LsdbView<'_>) -> Check {
        let interfaces: Vec<&Interface> = self.interfaces.values().filter(|i| i.area() == area).collect();
        let Some(own) = router_lsa(lsas, self.router_id) else {
            let is_full = interfaces.iter().any(|i| i.neighbors_in(NeighborState::Full) > 0);
            return if is_full { Err(Inconsistency::NoRouterLsa) } else { Ok(false) };
        };
        let mut all = true;
        for RouterLink { kind, .. } in &own.links {
            all &= match *kind {
                RouterLinkKind::PointToPoint { neighbor, data } => {
                    self.point_to_point(lsas, &interfaces, own, neighbor, data)?
                }
                RouterLinkKind::Transit { designated_router, address } => {
                    self.transit(lsas, &interfaces, designated_router, address)?
                }
                RouterLinkKind::Stub { .. } | RouterLinkKind::Virtual { .. } => true,
            };
        }
        Ok(all)
    }

    fn point_to_point(
        &self,
        lsas: &LsdbView<'_>,
        interfaces: &[&Interface],
        own: &RouterLsa,
        neighbor: RouterId,
        data: Ipv4Addr,
    ) -> Check {
        let usable = |i: &&&Interface| i.ip() == Some(data) && i.is_active();
        if !interfaces.iter().any(|i| usable(&i)) {
            return Err(Inconsistency::InterfaceLost(data));
        }
        let to = |lsa: &RouterLsa, whom: RouterId| {
            let leads = |l: &&RouterLink| matches!(l.kind, RouterLinkKind::PointToPoint { neighbor, .. } if neighbor == whom);
            lsa.links.iter().filter(leads).count()
        };
        let theirs = router_lsa(lsas, neighbor);
        // Parallel links are told apart by number only: an address may be lent to several.
        if theirs.is_some_and(|lsa| to(lsa, self.router_id) < to(own, neighbor)) {
            return Err(Inconsistency::NotListed(neighbor));
        }
        let is_full =
            |i: &&&Interface| i.neighbors.get(&neighbor).is_some_and(|n| n.state == NeighborState::Full);
        let full = interfaces.iter().filter(|i| i.kind == NetworkKind::PointToPoint).filter(is_full).count();
        Ok(theirs.is_some() && full >= to(own, neighbor))
    }

    fn transit(
        &self,
        lsas: &LsdbView<'_>,
        interfaces: &[&Interface],
        designated_router: Ipv4Addr,
        address: Ipv4Addr,
    ) -> Check {
        let found = interfaces.iter().find(|i| i.ip() == Some(address) && i.is_active());
        let interface = found.ok_or(Inconsistency::InterfaceLost(address))?;
        let mut attached: Option<BTreeSet<RouterId>> = None;
        lsas.for_each(LsType::Network, &mut |lsa| {
            if let (LsaBody::Network(network), true) =
                (lsa.body(), lsa.key().link_state_id == designated_router)
            {
                attached.get_or_insert_default().extend(&network.attached_routers);
            }
        });
        if designated_router == address {
            return self.own_network(lsas, interface, address, attached);
        }
        let is_there = match attached {
            None => false,
            Some(all) if !all.contains(&self.router_id) => {
                return Err(Inconsistency::NotAttached(designated_router));
            }
            Some(_) => true,
        };
        let dr = interface.neighbor_at(designated_router).filter(|n| n.state == NeighborState::Full);
        Ok(is_there && dr.is_some_and(|n| router_lsa(lsas, n.id.router_id).is_some()))
    }

    /// We were the Designated Router with this address.
    fn own_network(
        &self,
        lsas: &LsdbView<'_>,
        interface: &Interface,
        address: Ipv4Addr,
        attached: Option<BTreeSet<RouterId>>,
    ) -> Check {
        if matches!(interface.state, InterfaceState::DrOther | InterfaceState::Backup) {
            return Err(Inconsistency::NotDesignated(address));
        }
        let Some(attached) = attached else { return Ok(false) };
        let mut all = true;
        for other in attached.into_iter().filter(|id| *id != self.router_id) {
            let theirs = router_lsa(lsas, other);
            let leads_here = |l: &RouterLink| matches!(l.kind, RouterLinkKind::Transit { designated_router, .. } if designated_router == address);
            if theirs.is_some_and(|lsa| !lsa.links.iter().any(leads_here)) {
                return Err(Inconsistency::NotListed(other));
            }
            let full = interface.neighbors.get(&other).is_some_and(|n| n.state == NeighborState::Full);
            all &= full && theirs.is_some();
        }
        Ok(all)
    }

    /// Everything in the databases that is ours: of before the restart, or of this life.
    pub(super) fn own_lsas(&self) -> Vec<(DatabaseId, LsaKey)> {
        let of = |database: DatabaseId| {
            let lsdb = self.lsdb(database).into_iter();
            lsdb.flat_map(|db| db.iter().map(|(key, _)| *key)).map(move |key| (database, key))
        };
        let all = self.databases().into_iter().flat_map(of);
        all.filter(|(_, key)| self.is_self_originated(key)).collect()
    }
}
