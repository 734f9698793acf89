//! Candidates the RIB makes itself: connected subnets and the configuration's static routes.

use super::Rib;
use crate::message::NextHop;
use crate::route::{Candidate, Origin, Way};
use crate::table::Effect;
use ipnetwork::Ipv4Network;
use routing_common::config::{Config, StaticRoute};
use routing_common::id::IfIndex;
use routing_common::time::Instant;
use smallvec::smallvec;
use std::collections::BTreeMap;

/// Does this candidate name the interface by index?
pub(super) fn uses_interface(candidate: &Candidate, ifindex: IfIndex) -> bool {
    matches!(&candidate.way, Way::Hops(hops) if hops.iter().any(|h| h.ifindex == ifindex))
}

impl Rib {
    pub(super) fn offer(&mut self, prefix: Ipv4Network, candidate: Candidate) {
        let effect = self.table.offer(prefix, candidate);
        self.note(prefix, effect);
    }

    pub(super) fn withdraw(&mut self, prefix: Ipv4Network, origin: Origin) {
        let effect = self.table.withdraw(prefix, origin);
        self.note(prefix, effect);
    }

    fn note(&mut self, prefix: Ipv4Network, effect: Effect) {
        if effect == Effect::Changed {
            self.dirty.push(prefix);
        }
    }

    /// Makes the connected candidates what addresses and links say.
    pub(super) fn offer_connected(&mut self, now: Instant) {
        let connected = self.links.connected();
        let old = core::mem::replace(&mut self.connected, connected.clone());
        for (prefix, ifindex) in old.difference(&connected) {
            self.withdraw(*prefix, Origin::Connected(*ifindex));
        }
        for (prefix, ifindex) in connected.difference(&old) {
            let candidate = Candidate {
                origin: Origin::Connected(*ifindex),
                distance: 0,
                metric: 0,
                tag: 0,
                way: Way::Hops(smallvec![NextHop { gateway: None, ifindex: *ifindex }]),
                since: now,
                stale: false,
            };
            self.offer(*prefix, candidate);
        }
    }

    /// Makes the static candidates what the configuration says: one per prefix and distance.
    pub(super) fn offer_statics(&mut self, now: Instant, config: &Config) {
        let mut groups: BTreeMap<(Ipv4Network, u8), Vec<&StaticRoute>> = BTreeMap::new();
        for route in &config.static_routes {
            groups.entry((route.prefix, route.distance)).or_default().push(route);
        }
        let statics = groups.keys().copied().collect();
        let old = core::mem::replace(&mut self.statics, statics);
        for (prefix, distance) in old.difference(&self.statics.clone()) {
            self.withdraw(*prefix, Origin::Static(*distance));
        }
        self.recursive.clear();
        for ((prefix, distance), routes) in groups {
            let candidate = Candidate {
                origin: Origin::Static(distance),
                distance,
                metric: 0,
                tag: routes.first().map_or(0, |r| r.tag),
                way: Way::Static(routes.iter().map(|r| r.target.clone()).collect()),
                since: now,
                stale: false,
            };
            if candidate.may_recurse() {
                self.recursive.insert(prefix);
            }
            self.offer(prefix, candidate);
            // Which subnets count as local may have changed with the configuration.
            self.dirty.push(prefix);
        }
    }
}
