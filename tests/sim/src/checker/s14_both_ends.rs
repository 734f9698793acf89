//! S14: a router is reached only over links that both ends describe (RFC 2328 §16.1 (2)(b)).
//!
//! Asked after every calculation, of what the router's own database says, by a walk of its own: whom it does not reach
//! over such links must not be in the routing table. That all who are reached are there is L4's business, at rest, when
//! databases and interfaces agree.

use super::calculation::Calculations;
use super::{Checker, Turn, Verdict};
use crate::world::World;
use ospf_proto::instance::Instance;
use ospf_proto::lsa::{LsaBody, RouterLinkKind};
use ospf_proto::lsdb::{DatabaseId, Lsdb};
use ospf_proto::route::PathType;
use routing_common::id::RouterId;
use routing_common::prefix;
use routing_common::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// A router, or a network by the address of its Designated Router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Router(RouterId),
    Network(Ipv4Addr),
}

/// Who says that it leads where.
type Described = BTreeSet<(Place, Place)>;

/// The law.
#[derive(Debug, Default)]
pub(crate) struct BothEnds {
    calculations: Calculations,
}

/// What the LSAs that are not at MaxAge describe, and every host a router says it is.
fn read(lsdb: &Lsdb, now: Instant) -> (Described, BTreeMap<Ipv4Addr, BTreeSet<RouterId>>) {
    let mut described = Described::new();
    let mut hosts: BTreeMap<Ipv4Addr, BTreeSet<RouterId>> = BTreeMap::new();
    for (key, entry) in lsdb.iter().filter(|(_, e)| !e.is_max_age(now)) {
        let from = key.advertising_router;
        match entry.lsa.body() {
            LsaBody::Router(body) => {
                for link in &body.links {
                    let to = match link.kind {
                        RouterLinkKind::PointToPoint { neighbor, .. }
                        | RouterLinkKind::Virtual { neighbor, .. } => Place::Router(neighbor),
                        RouterLinkKind::Transit { designated_router, .. } => {
                            Place::Network(designated_router)
                        }
                        RouterLinkKind::Stub { network, mask } => {
                            if mask == Ipv4Addr::BROADCAST {
                                hosts.entry(network).or_default().insert(from);
                            }
                            continue;
                        }
                    };
                    described.insert((Place::Router(from), to));
                }
            }
            LsaBody::Network(body) => {
                let network = Place::Network(key.link_state_id);
                described.extend(body.attached_routers.iter().map(|r| (network, Place::Router(*r))));
            }
            _ => {}
        }
    }
    (described, hosts)
}

/// Everything that links described by both ends lead to.
fn reached(described: &Described, root: RouterId) -> BTreeSet<Place> {
    let mut all = BTreeSet::from([Place::Router(root)]);
    let mut next = vec![Place::Router(root)];
    while let Some(from) = next.pop() {
        let mine = described.range((from, Place::Router(RouterId::NONE))..);
        for (_, to) in mine.take_while(|(place, _)| *place == from) {
            if described.contains(&(*to, from)) && all.insert(*to) {
                next.push(*to);
            }
        }
    }
    all
}

fn check(engine: &Instance, now: Instant) -> Verdict {
    for (area, _) in engine.areas() {
        let Some(lsdb) = engine.lsdb(DatabaseId::Area(area)) else { continue };
        let (described, hosts) = read(lsdb, now);
        let reached = reached(&described, engine.router_id());
        for (host, routers) in hosts {
            let is_reached = routers.iter().any(|r| reached.contains(&Place::Router(*r)));
            let route = engine.routing_table().networks.get(&prefix::host(host));
            if !is_reached && let Some(route) = route.filter(|r| r.path_type == PathType::IntraArea) {
                return Err(format!("has {host} of {routers:?}, who have given up every link: {route:?}"));
            }
        }
    }
    Ok(())
}

impl Checker for BothEnds {
    fn law(&self) -> (&'static str, &'static str) {
        ("S14", "a router is reached only over links that both ends describe")
    }

    fn before(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        self.calculations.before(world, turn);
        Ok(())
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let Some(engine) = self.calculations.engine(world, turn) else { return Ok(()) };
        check(engine, turn.local).map_err(|text| format!("{}: {text}", world.nodes[turn.router].name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_end_alone_leads_nowhere() {
        let router = |n: u8| Place::Router(RouterId(Ipv4Addr::new(10, 0, 0, n)));
        let lan = Place::Network(Ipv4Addr::new(10, 1, 0, 1));
        let both = |a: Place, b: Place| [(a, b), (b, a)];
        let mut described: Described =
            [both(router(1), router(2)), both(router(2), lan), both(lan, router(3))]
                .into_iter()
                .flatten()
                .collect();
        let root = RouterId(Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(reached(&described, root), BTreeSet::from([router(1), router(2), router(3), lan]));
        described.remove(&(router(3), lan));
        assert_eq!(reached(&described, root), BTreeSet::from([router(1), router(2), lan]));
        described.remove(&(router(2), router(1)));
        assert_eq!(reached(&described, root), BTreeSet::from([router(1)]));
    }
}
