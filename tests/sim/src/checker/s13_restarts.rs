//! S13: a graceful restart is as invisible as RFC 3623 says, and help ends when it must.
//!
//! * A restarting router originates nothing of types 1 to 7 (§2 (1)), and sends no Hello before its grace-LSA
//!   (§5).
//! * A neighbour that is helped stays bidirectional, and in our router-LSA if it is there and on a point-to-point link
//!   (§3). What stood in no LSA yet when help began may be missing.
//! * Help that began before a turn does not outlive a turn in which the contents of an LSA of types 1 to 7 changed
//!   (§3.2 (3)), unless the neighbour has said already that it is done. All areas of a scenario are one, so
//!   every change would have been flooded to everybody.

use super::shadow::{Change, Shared};
use super::{Cause, Checker, Turn, Verdict};
use crate::frame::{Frame, OSPF};
use crate::scenario::Daemon;
use crate::segment::End;
use crate::wire;
use crate::world::World;
use core::net::Ipv4Addr;
use ospf_proto::Instance;
use ospf_proto::interface::NetworkKind;
use ospf_proto::lsa::{LsType, Lsa, LsaBody, RouterLinkKind};
use ospf_proto::lsdb::{LsdbEntry, Provenance};
use ospf_proto::neighbor::NeighborState;
use ospf_proto::restart::GraceLsa;
use routing_common::id::RouterId;
use routing_common::time::Instant;
use std::collections::BTreeMap;

/// The law.
#[derive(Debug)]
pub(super) struct Restarts {
    shadows: Shared,
    /// The process that last sent a grace-LSA, by router and port.
    announced: BTreeMap<(usize, usize), u32>,
    /// Whom the turn's router helped before it, as fully adjacent over a point-to-point link, and with which address
    /// of its own.
    helped: Vec<(RouterId, Ipv4Addr)>,
}

impl Restarts {
    pub(super) fn new(shadows: &Shared) -> Self {
        Self { shadows: Shared::clone(shadows), announced: BTreeMap::new(), helped: Vec::new() }
    }
}

impl Checker for Restarts {
    fn law(&self) -> (&'static str, &'static str) {
        ("S13", "a graceful restart is as invisible as RFC 3623 says, and help ends when it must")
    }

    fn before(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let engine = world.nodes[turn.router].ospf.engine.as_ref().filter(|_| turn.daemon == Daemon::Ospf);
        let cables = engine.into_iter().flat_map(Instance::interfaces);
        let cables = cables.filter(|i| i.kind == NetworkKind::PointToPoint);
        let neighbors = cables.filter_map(|i| Some((i.address?.ip(), i.neighbors.values())));
        let neighbors = neighbors.flat_map(|(address, all)| all.map(move |n| (n, address)));
        let helped = neighbors.filter(|(n, _)| n.helping.as_ref().is_some_and(|h| h.is_full));
        self.helped = helped.map(|(n, address)| (n.id.router_id, address)).collect();
        Ok(())
    }

    fn sent(&mut self, world: &World, from: End, frame: &Frame) -> Verdict {
        let Some(datagram) = frame.datagram().filter(|d| d.protocol == OSPF) else { return Ok(()) };
        let node = &world.nodes[from.router];
        let restarts = node.ospf.engine.as_ref().is_some_and(|e| e.restarting_until().is_some());
        let place = (from.router, from.port);
        match datagram.payload.get(1) {
            Some(1) if restarts && self.announced.get(&place) != Some(&node.incarnation(Daemon::Ospf)) => {
                Err(format!("{} eth{}: a Hello before the grace-LSA", node.name, from.port))
            }
            Some(4) if has_grace_lsa(world, from, datagram.payload) => {
                self.announced.insert(place, node.incarnation(Daemon::Ospf));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let node = &world.nodes[turn.router];
        let changes = self.shadows.borrow_mut().changes(world, turn);
        let Some(engine) = node.ospf.engine.as_ref().filter(|_| turn.daemon == Daemon::Ospf) else {
            return Ok(());
        };
        let is_strict = node.config.ospf.as_ref().is_some_and(|o| o.graceful_restart.strict_lsa_checking);
        let drop = |c: &&Change| self.helped.iter().any(|(id, _)| drops(c, *id, turn.local));
        // A description is no reason to let go of anybody, unless it begins or ends the adjacency with somebody who is
        // not helped: that changes the topology, and shows in the same LSA (§3.2 (3)).
        if describes(&turn.cause)
            && let ([change], true) = (&*changes, !self.helped.is_empty())
            && drop(&change)
            && change.key.advertising_router == engine.router_id()
            && !(is_strict && changes_more(change, &self.helped))
        {
            return Err(format!("{}: {} drops a neighbour that is helped", node.name, change.key));
        }
        judge(engine, &changes, is_strict, turn.local).map_err(|text| format!("{}: {text}", node.name))
    }
}

/// Is it a Database Description?
fn describes(cause: &Cause<'_>) -> bool {
    match cause {
        Cause::Frame { frame, .. } => {
            let datagram = frame.datagram().filter(|d| d.protocol == OSPF);
            datagram.is_some_and(|d| d.payload.get(1) == Some(&2))
        }
        _ => false,
    }
}

/// Does an update hold a grace-LSA of its sender?
fn has_grace_lsa(world: &World, from: End, payload: &[u8]) -> bool {
    let settings = &world.scenario.routers[from.router];
    // Whoever signs appends; the header says where the packet ends.
    let body = payload.get(24..).unwrap_or_default();
    let length = usize::from(wire::u16_at(payload, 2)).saturating_sub(24).min(body.len());
    let own =
        |l: &wire::Lsa<'_>| (l.kind, l.id, l.router) == (9, Ipv4Addr::new(3, 0, 0, 0), settings.loopback);
    wire::update(&body[..length]).is_ok_and(|lsas| lsas.iter().any(own))
}

fn judge(engine: &Instance, changes: &[Change], is_strict: bool, now: Instant) -> Verdict {
    if engine.restarting_until().is_some()
        && let Some(change) = changes.iter().find(|c| is_origination(c))
    {
        return Err(format!("{} is originated during a graceful restart", change.key));
    }
    let has_changed = is_strict && changes.iter().any(|c| is_topology(c, now));
    for interface in engine.interfaces() {
        let helped = interface.neighbors.values().filter_map(|n| Some((n, n.helping.as_ref()?)));
        for (neighbor, helping) in helped {
            let id = neighbor.id.router_id;
            if neighbor.state < NeighborState::TwoWay {
                return Err(format!("{id} is helped and in {:?}", neighbor.state));
            }
            let lost = |c: &&Change| {
                c.key.advertising_router == engine.router_id() && drops(c, neighbor.id.router_id, now)
            };
            let is_listed = interface.kind == NetworkKind::PointToPoint && helping.is_full;
            if let Some(change) = changes.iter().find(|c| is_listed && lost(c)) {
                return Err(format!("{} does not list {id} any more, which is helped", change.key));
            }
            if has_changed && helping.since < now && !helping.is_done {
                return Err(format!("{id} is still helped after a change of the topology"));
            }
        }
    }
    Ok(())
}

/// Is it an LSA of types 1 to 7 that the router has just made?
fn is_origination(change: &Change) -> bool {
    let is_own = change.new.as_ref().is_some_and(|new| new.provenance == Provenance::Own);
    is_own && change.key.ls_type <= LsType::Nssa && !GraceLsa::is_key(&change.key)
}

fn usable(entry: Option<&LsdbEntry>, now: Instant) -> Option<&Lsa> {
    entry.filter(|e| !e.is_max_age(now)).map(|e| e.lsa.as_ref())
}

/// Did the contents change (§3.2 (3))?
fn is_topology(change: &Change, now: Instant) -> bool {
    // One that reaches MaxAge in this turn was there until now; one that was set to it before was not.
    let old = change.old.as_ref().filter(|e| !e.is_max_age(e.installed_at));
    let was = old.map(|e| e.lsa.as_ref());
    let is = usable(change.new.as_ref(), now);
    let contents = |lsa: Option<&Lsa>| lsa.map(|lsa| (lsa.header().options, lsa.body().clone()));
    change.key.ls_type < LsType::Nssa && contents(was) != contents(is)
}

/// Does a new instance of a router-LSA drop the link to a neighbour that the old one had?
fn drops(change: &Change, id: RouterId, now: Instant) -> bool {
    let lists = |lsa: Option<&Lsa>, id: RouterId| match lsa.map(Lsa::body) {
        Some(LsaBody::Router(body)) => body
            .links
            .iter()
            .any(|l| matches!(l.kind, RouterLinkKind::PointToPoint { neighbor, .. } if neighbor == id)),
        _ => false,
    };
    let (old, new) = (usable(change.old.as_ref(), now), usable(change.new.as_ref(), now));
    new.is_some() && lists(old, id) && !lists(new, id)
}

/// Do the instances of a router-LSA differ in more than the links to those who are helped?
fn changes_more(change: &Change, helped: &[(RouterId, Ipv4Addr)]) -> bool {
    let rest = |entry: Option<&LsdbEntry>| match entry.map(|e| e.lsa.body()) {
        Some(LsaBody::Router(body)) => {
            let mut body = body.clone();
            body.links.retain(|l| match l.kind {
                RouterLinkKind::PointToPoint { neighbor, data } => !helped.contains(&(neighbor, data)),
                _ => true,
            });
            Some(body)
        }
        _ => None,
    };
    rest(change.old.as_ref()) != rest(change.new.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::{entry, key, ring};
    use ospf_proto::lsa::{LsaKey, LsaSpec, RouterLink, RouterLsa};
    use ospf_proto::lsdb::{DatabaseId, Lsdb};
    use std::sync::Arc;

    fn change(old: Option<LsdbEntry>, new: Option<LsdbEntry>) -> Change {
        Change { database: DatabaseId::As, key: key(), old, new }
    }

    #[test]
    fn a_change_is_told_from_a_refresh_and_an_end() {
        let now = Instant::from_secs(10);
        let is = |old, new| is_topology(&change(old, new), now);
        assert!(!is(Some(entry(1, 0, 7)), Some(entry(2, 0, 7))), "a refresh");
        assert!(is(Some(entry(1, 0, 7)), Some(entry(2, 0, 8))), "other contents");
        assert!(is(None, Some(entry(1, 0, 7))), "something new");
        assert!(is(Some(entry(1, 0, 7)), Some(entry(1, 3600, 7))), "a flush");
        assert!(!is(Some(entry(1, 3600, 7)), None), "what was flushed goes");
    }

    #[test]
    fn an_origination_of_our_own_is_found() {
        let own = |provenance| {
            let mut lsdb = Lsdb::default();
            let lsa = crate::checker::fixtures::lsa(1, 1);
            lsdb.install(lsa, 0, provenance, None, Instant::ZERO);
            change(None, lsdb.get(&key()).cloned())
        };
        assert!(is_origination(&own(Provenance::Own)));
        assert!(!is_origination(&own(Provenance::Flooded)));
    }

    /// A router-LSA with point-to-point links to these neighbours, over these addresses.
    fn router_lsa(neighbors: &[(u8, u8)]) -> LsdbEntry {
        let link = |&(neighbor, data): &(u8, u8)| {
            let (neighbor, data) = (router(neighbor), Ipv4Addr::new(10, 0, data, 1));
            RouterLink { kind: RouterLinkKind::PointToPoint { neighbor, data }, metric: 1 }
        };
        let body = RouterLsa { links: neighbors.iter().map(link).collect(), ..RouterLsa::default() };
        let key = LsaKey { ls_type: LsType::Router, ..key() };
        let lsa = Lsa::build(LsaSpec { age: 0, options: 2, key, sequence: 1 }, &LsaBody::Router(body));
        let mut lsdb = Lsdb::default();
        lsdb.install(Arc::new(lsa), 0, Provenance::Own, None, Instant::ZERO);
        lsdb.get(&key).cloned().unwrap()
    }

    fn router(last: u8) -> RouterId {
        RouterId(Ipv4Addr::new(10, 255, 0, last))
    }

    #[test]
    fn a_link_that_goes_alone_is_told_from_one_that_goes_with_another() {
        let helped = [(router(2), Ipv4Addr::new(10, 0, 1, 1))];
        let old = [(2, 1), (3, 2)];
        let more = |old: &[(u8, u8)], new: &[(u8, u8)]| {
            changes_more(&change(Some(router_lsa(old)), Some(router_lsa(new))), &helped)
        };
        assert!(!more(&old, &[(3, 2)]), "only who is helped");
        assert!(more(&old, &[]), "somebody else as well");
        assert!(more(&old, &[(3, 2), (4, 3)]), "somebody else comes");
        assert!(more(&[(2, 1), (2, 2)], &[]), "another link to the same router as well");
    }

    #[test]
    fn nothing_is_wrong_with_a_ring_at_rest() {
        let world = ring(20);
        for node in &world.nodes {
            let engine = node.ospf.engine.as_ref().unwrap();
            assert_eq!(judge(engine, &[], true, Instant::from_secs(20)), Ok(()));
        }
    }
}
