//! The inequalities of RFC 5286 §3, and which of several alternates is taken (§3.6).

use super::neighbors::Neighbor;
use super::{Alternate, Distances, Protection};
use crate::spf::dijkstra::UNREACHED;
use crate::spf::next_hop::Hop;
use core::cmp::Reverse;

/// A next hop of a route, and the vertex its path leads to.
pub(super) type Primary = (Hop, u32);

/// §3.6: protection of the router first, then of the link, then downstream paths (step 16), then the shorter path. The hop makes the
/// order total.
type Rank = (Reverse<bool>, Reverse<bool>, Reverse<bool>, u32, Hop);

impl Distances {
    /// The best alternate for a route with these next hops.
    ///
    /// Hops over several links protect each other (§3.4) and get none. Of several over one link, which a failure of it takes at once,
    /// the alternate must suit all.
    pub(super) fn select(&self, primaries: &[Primary]) -> Option<Alternate> {
        let (first, _) = primaries.first()?;
        let known = |(hop, to): &Primary| Some((self.neighbors.iter().find(|n| n.hop == *hop)?, *to));
        let primaries: Vec<(&Neighbor, u32)> = primaries.iter().map(known).collect::<Option<_>>()?;
        if primaries.iter().any(|(n, _)| n.hop.ifindex != first.ifindex) {
            return None;
        }
        let is_other = |n: &&Neighbor| n.may_carry && primaries.iter().all(|(p, _)| p.hop != n.hop);
        let candidates = self.neighbors.iter().filter(is_other).filter_map(|n| self.judge(n, &primaries));
        candidates.min_by_key(|(rank, _)| *rank).map(|(_, alternate)| alternate)
    }

    /// What a neighbour is worth, if it is an alternate.
    fn judge(&self, neighbor: &Neighbor, primaries: &[(&Neighbor, u32)]) -> Option<(Rank, Alternate)> {
        let at = neighbor.vertex;
        let (_, to) = *primaries.first()?;
        let (mut protection, mut is_downstream) = (Protection { link: true, node: true }, true);
        for (primary, to) in primaries {
            if !self.avoids(at, self.root, *to) {
                return None;
            }
            protection.link &= self.avoids_link(neighbor, primary, *to);
            protection.node &= self.avoids(at, primary.vertex, *to);
            is_downstream &= self.between(at, *to)? < self.between(self.root, *to)?;
        }
        // One of several routers on a link may fail, but then the others are there.
        let is_useful = protection.link || (protection.node && primaries.len() == 1);
        if !is_useful {
            return None;
        }
        let Protection { link, node } = protection;
        let length = u32::from(neighbor.cost).saturating_add(self.between(at, to)?);
        let rank = (Reverse(node), Reverse(link), Reverse(is_downstream), length, neighbor.hop);
        let (hop, router_id) = (neighbor.hop, neighbor.router_id);
        Some((rank, Alternate { hop, router_id, protection, is_downstream }))
    }

    /// Inequalities 1, 3 and 4: does no shortest path from `from` to `to` pass `what`? `false` if that is not known.
    fn avoids(&self, from: u32, what: u32, to: u32) -> bool {
        let (Some(direct), Some(there)) = (self.between(from, to), self.between(from, what)) else {
            return false;
        };
        self.is_known(what) && direct < there.saturating_add(self.between(what, to).unwrap_or(UNREACHED))
    }

    /// §3.3: another link, and no way back over the network between us and `primary`. A point-to-point link is
    /// avoided by whoever avoids us.
    fn avoids_link(&self, neighbor: &Neighbor, primary: &Neighbor, to: u32) -> bool {
        let is_other = neighbor.hop.ifindex != primary.hop.ifindex;
        is_other
            && primary.network.is_none_or(|network| {
                neighbor.network != Some(network) && self.avoids(neighbor.vertex, network, to)
            })
    }
}
