//! What the RIB told us to redistribute, and which AS-external-LSAs it makes (RFC 2328 §12.4.4, App. E).
//!
//! Connected subnets on which OSPF runs are not redistributed: they are in our router-LSA. Nor are virtual
//! addresses of VRRP, which move with every fail-over. A default route comes only from
//! `default-information`, never from redistributing static routes.
//!
//! What is left must pass the protocol's `distribute-list` and then its route map, which may change metric, type and
//! tag ([`routing_common::policy`]). The default route must pass that of `default-information`; with `always` it is
//! announced whatever the map says of it, and the map's changes are made if it passes. FRR asks that map of every
//! route it hears of and announces the default if any passes, but makes none of the changes.
//!
//! All of it is a function of the configuration and of the routes: another list or map announces, changes and
//! withdraws exactly what it judges otherwise, at once.

use ipnetwork::Ipv4Network;
use rib::message::{Protocol, Redistributed, RibMessage};
use routing_common::config::{DefaultInformation, OspfConfig};
use routing_common::policy::{Attributes, Subject};
use routing_common::prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// The routes the RIB told; see the module text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redistribution {
    routes: BTreeMap<(Protocol, Ipv4Network), Redistributed>,
    /// Told in an earlier session and not yet repeated in this one.
    stale: BTreeSet<(Protocol, Ipv4Network)>,
}

/// The destinations that are not advertised.
#[derive(Debug, Clone, Default)]
pub(crate) struct Excluded {
    /// Subnets of interfaces on which OSPF runs.
    pub(crate) ospf_subnets: BTreeSet<Ipv4Network>,
    /// Virtual addresses of VRRP.
    pub(crate) virtual_addresses: BTreeSet<Ipv4Addr>,
}

impl Redistribution {
    /// A new session with the RIB: what it does not repeat until it says so is gone.
    pub(crate) fn begin_session(&mut self) {
        self.stale = self.routes.keys().copied().collect();
    }

    /// Takes a message; says whether anything changed.
    pub(crate) fn take(&mut self, message: RibMessage) -> bool {
        match message {
            RibMessage::Redistribute(routes) => {
                let mut changed = false;
                for route in routes {
                    let key = (route.protocol, route.prefix);
                    self.stale.remove(&key);
                    changed |= self.routes.insert(key, route.clone()).as_ref() != Some(&route);
                }
                changed
            }
            RibMessage::Unredistribute(keys) => {
                let before = self.routes.len();
                for key in keys {
                    self.stale.remove(&key);
                    self.routes.remove(&key);
                }
                self.routes.len() != before
            }
            RibMessage::SubscriptionSynced => {
                let stale = std::mem::take(&mut self.stale);
                self.routes.retain(|key, _| !stale.contains(key));
                !stale.is_empty()
            }
            RibMessage::Hello { .. }
            | RibMessage::Synced
            | RibMessage::FibDone(_)
            | RibMessage::RoutesStand(_)
            | RibMessage::Attached(_) => false,
        }
    }

    /// The RIB's default route that is not ours.
    fn default_route(&self) -> Option<&Redistributed> {
        let foreign =
            |(protocol, p): &(Protocol, Ipv4Network)| *protocol != Protocol::Ospf && p.prefix() == 0;
        self.routes.iter().find(|(key, _)| foreign(key)).map(|(_, route)| route)
    }

    /// What to advertise under this configuration.
    pub(crate) fn externals(
        &self,
        config: &OspfConfig,
        excluded: &Excluded,
    ) -> BTreeMap<Ipv4Network, Attributes> {
        let mut wanted = BTreeMap::new();
        for ((protocol, prefix), route) in &self.routes {
            let (policy, list) = match protocol {
                Protocol::Connected => (&config.redistribute_connected, &config.distribute_connected),
                Protocol::Static => (&config.redistribute_static, &config.distribute_static),
                Protocol::Ospf => continue,
            };
            let Some(policy) = policy else { continue };
            let is_virtual = prefix.prefix() == 32 && excluded.virtual_addresses.contains(&prefix.ip());
            let is_internal = *protocol == Protocol::Connected && excluded.ospf_subnets.contains(prefix);
            if prefix.prefix() == 0 || prefix.ip().is_loopback() || is_virtual || is_internal {
                continue;
            }
            if list.as_ref().is_some_and(|l| !l.permits(*prefix)) {
                continue;
            }
            let plain = Attributes { metric: policy.metric, metric_type: policy.metric_type, tag: route.tag };
            let judged = match &policy.route_map {
                Some(map) => map.apply(&subject(route), plain),
                None => Some(plain),
            };
            wanted.extend(judged.map(|attributes| (*prefix, attributes)));
        }
        let default = config.default_information.as_ref().and_then(|d| self.default_external(d));
        wanted.extend(default.map(|attributes| (prefix::default_route(), attributes)));
        wanted
    }

    /// How the default route is advertised, if it is.
    fn default_external(&self, default: &DefaultInformation) -> Option<Attributes> {
        let plain = Attributes { metric: default.metric, metric_type: default.metric_type, tag: 0 };
        let route = self.default_route().map(subject);
        if route.is_none() && !default.always {
            return None;
        }
        let Some(map) = &default.route_map else { return Some(plain) };
        let judged = map.apply(&route.unwrap_or_else(Subject::bare_default), plain);
        judged.or(default.always.then_some(plain))
    }
}

/// A route as route maps see it.
fn subject(route: &Redistributed) -> Subject<'_> {
    Subject {
        prefix: route.prefix,
        next_hop: route.next_hop,
        interface: route.interface.as_ref(),
        tag: route.tag,
        metric: route.metric,
    }
}

/// Gives every prefix its own Link State ID (App. E): the network's address, or, where a less specific
/// prefix has taken that, the address with all host bits set. Host routes, which have no host bits, choose
/// first. A pure function of the set, so the same set has the same ids whatever its history. A prefix that
/// finds both taken (two longer ones at both its ends) is left out.
pub(crate) fn link_state_ids(prefixes: impl Iterator<Item = Ipv4Network>) -> BTreeMap<Ipv4Addr, Ipv4Network> {
    let mut sorted: Vec<Ipv4Network> = prefixes.collect();
    sorted.sort_unstable_by_key(|p| (p.prefix() != 32, p.prefix(), p.ip()));
    let mut taken = BTreeMap::new();
    for prefix in sorted {
        if let Some(id) =
            [prefix.network(), prefix.broadcast()].into_iter().find(|id| !taken.contains_key(id))
        {
            taken.insert(id, prefix);
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(s: &str) -> Ipv4Network {
        s.parse().unwrap()
    }

    fn ids(prefixes: &[&str]) -> Vec<String> {
        link_state_ids(prefixes.iter().map(|p| net(p))).iter().map(|(id, p)| format!("{id} {p}")).collect()
    }

    #[test]
    fn prefixes_with_one_address_get_ids_of_their_own() {
        assert_eq!(
            ids(&["10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24"]),
            ["10.0.0.0 10.0.0.0/8", "10.0.0.255 10.0.0.0/24", "10.0.255.255 10.0.0.0/16"]
        );
        assert_eq!(ids(&["10.0.0.0/24", "10.0.0.0/32"]), ["10.0.0.0 10.0.0.0/32", "10.0.0.255 10.0.0.0/24"]);
    }

    #[test]
    fn a_session_forgets_what_is_not_repeated() {
        let route = |p: &str| Redistributed {
            protocol: Protocol::Static,
            prefix: net(p),
            metric: 0,
            tag: 0,
            next_hop: None,
            interface: None,
        };
        let mut r = Redistribution::default();
        assert!(r.take(RibMessage::Redistribute(vec![route("0.0.0.0/0"), route("10.0.0.0/8")])));
        assert!(!r.take(RibMessage::Redistribute(vec![route("10.0.0.0/8")])));
        assert!(r.default_route().is_some());
        r.begin_session();
        assert!(!r.take(RibMessage::Redistribute(vec![route("10.0.0.0/8")])));
        assert!(r.default_route().is_some());
        assert!(r.take(RibMessage::SubscriptionSynced));
        assert!(r.default_route().is_none());
        assert!(r.take(RibMessage::Unredistribute(vec![(Protocol::Static, net("10.0.0.0/8"))])));
    }
}
