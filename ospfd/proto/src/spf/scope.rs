//! How far a change of LSAs reaches.
//!
//! A [`Change`](super::Change) says which steps of the calculation must be repeated, a [`Scope`] for which destinations: those the
//! changed LSAs name or named. What else moves because paths move is found by comparing trees ([`crate::route`]).

use super::same_transit_links;
use crate::lsa::{ExternalLsa, Lsa, LsaBody, RouterLinkKind, RouterLsa};
use ipnetwork::Ipv4Network;
use routing_common::id::RouterId;
use std::collections::BTreeSet;

/// What the changes since the last calculation name.
#[derive(Debug, Clone)]
pub struct Scope {
    is_everything: bool,
    /// More destinations than these are everything.
    limit: usize,
    stubs: BTreeSet<(Ipv4Network, RouterId)>,
    prefixes: BTreeSet<Ipv4Network>,
    routers: BTreeSet<RouterId>,
    links: BTreeSet<RouterId>,
    vertices: bool,
    forwards: bool,
}

impl Scope {
    /// No limit is known.
    pub fn everything() -> Self {
        Self { is_everything: true, ..Self::nothing(0) }
    }

    /// Nothing yet; when it names more than `limit` destinations, it will be everything. A router that learns a large
    /// database, or one whose table is small, need not know what it will not make use of.
    pub fn nothing(limit: usize) -> Self {
        Self {
            is_everything: false,
            limit,
            stubs: BTreeSet::new(),
            prefixes: BTreeSet::new(),
            routers: BTreeSet::new(),
            links: BTreeSet::new(),
            vertices: false,
            forwards: false,
        }
    }

    /// Can anything have changed?
    pub fn is_everything(&self) -> bool {
        self.is_everything
    }

    /// Stub networks with the routers that began or ceased to have them, or changed their cost.
    pub fn stubs(&self) -> &BTreeSet<(Ipv4Network, RouterId)> {
        &self.stubs
    }

    /// Destinations of other changed LSAs.
    pub fn prefixes(&self) -> &BTreeSet<Ipv4Network> {
        &self.prefixes
    }

    /// Routers whose router-LSA came or went or has other bits.
    pub fn routers(&self) -> &BTreeSet<RouterId> {
        &self.routers
    }

    /// Routers whose router-LSA has other links to routers and networks.
    pub fn links(&self) -> &BTreeSet<RouterId> {
        &self.links
    }

    /// Did a router-LSA come or go, or a network-LSA change?
    pub fn touches_vertices(&self) -> bool {
        self.vertices
    }

    /// Has one of the AS-external-LSAs a forwarding address?
    pub fn forwards(&self) -> bool {
        self.forwards
    }

    /// Adds what replacing `old` by `new` reaches; absence is as in [`Change::between`](super::Change::between).
    pub fn note(&mut self, old: Option<&Lsa>, new: Option<&Lsa>) {
        let Some(either) = new.or(old).filter(|_| !self.is_everything) else { return };
        match either.body() {
            LsaBody::Router(_) => self.note_router(old, new),
            LsaBody::Network(_) | LsaBody::AsExternal(_) => {
                for lsa in old.into_iter().chain(new) {
                    self.note_destination(lsa);
                }
            }
            // Summaries are rare: an area without border routers has none.
            LsaBody::SummaryNetwork(_) | LsaBody::SummaryAsbr(_) => *self = Self::everything(),
            LsaBody::Nssa(_) | LsaBody::Opaque(_) => {}
        }
        if self.stubs.len() + self.prefixes.len() + self.routers.len() + self.links.len() > self.limit {
            *self = Self::everything();
        }
    }

    fn note_router(&mut self, old: Option<&Lsa>, new: Option<&Lsa>) {
        let (a, b) = (old.and_then(router), new.and_then(router));
        let Some(id) = new.or(old).map(|lsa| lsa.key().advertising_router) else { return };
        let facts = |lsa: Option<&Lsa>| {
            let body = router(lsa?)?;
            Some((body.area_border, body.as_boundary, lsa?.header().options))
        };
        if facts(old) != facts(new) {
            self.routers.insert(id);
        }
        match (a, b) {
            (Some(a), Some(b)) if !same_transit_links(a, b) => drop(self.links.insert(id)),
            (Some(_), Some(_)) => {}
            _ => self.vertices = true,
        }
        let stubs_of = |body: Option<&RouterLsa>| body.map(|b| stubs(b).collect::<BTreeSet<_>>());
        let (a, b) = (stubs_of(a).unwrap_or_default(), stubs_of(b).unwrap_or_default());
        self.stubs.extend(a.symmetric_difference(&b).map(|(prefix, _)| (*prefix, id)));
    }

    fn note_destination(&mut self, lsa: &Lsa) {
        let mask = match lsa.body() {
            LsaBody::Network(body) => {
                self.vertices = true;
                body.mask
            }
            LsaBody::AsExternal(ExternalLsa { mask, forwarding_address, .. }) => {
                self.forwards |= !forwarding_address.is_unspecified();
                *mask
            }
            _ => return,
        };
        self.prefixes.extend(lsa.key().prefix(mask));
    }
}

fn router(lsa: &Lsa) -> Option<&RouterLsa> {
    match lsa.body() {
        LsaBody::Router(body) => Some(body),
        _ => None,
    }
}

/// Stub networks of a router-LSA with their cost; those whose mask has holes are left out.
pub(crate) fn stubs(lsa: &RouterLsa) -> impl Iterator<Item = (Ipv4Network, u32)> {
    lsa.links.iter().filter_map(|link| match link.kind {
        RouterLinkKind::Stub { network, mask } => {
            Some((routing_common::prefix::from_mask(network, mask)?, u32::from(link.metric)))
        }
        _ => None,
    })
}
