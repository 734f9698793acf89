//! L3: routers that OSPF connects have the same databases.
//!
//! For all routers of a connected component, with `now` the moment they are asked at:
//! * they hold the same LSAs of area and AS, of the same sequence number and octets ages aside (RFC 2328 §13). That
//!   includes LSAs of routers nobody reaches any more: these stay until MaxAge, but everywhere.
//! * The ages of two copies differ by what InfTransDelay adds on every hop (§13.3), by clocks that run apart, and by
//!   what a bad link adds. That holds where nothing but links was bad. A router that started again, or was cut off
//!   while what it announces changed and changed back, may come to originate octet for octet what others still have
//!   of before: these are the same instance (§13.1), and ages differ by no more than MaxAgeDiff.
//! * No LSA is at MaxAge unless it still has to be acknowledged (§14).
//! * Of every member there are the LSAs it should originate and no others: its router-LSA, a network-LSA for each
//!   segment where it is Designated Router with somebody adjacent, an AS-external-LSA for each route it brings in.
//!
//! Where a router believed an old packet that was sent again, nothing is asked: see [`Oracle::was_deceived`].
//!
//! An instance originated less than [`IN_FLIGHT`] seconds ago may still be on its way; its key is left out.

use super::rest::{self, Oracle, Truth};
use super::{Cause, Checker, Turn, Verdict};
use crate::frame::Frame;
use crate::oracle;
use crate::scenario::{Daemon, RouterIndex, What};
use crate::segment::Nature;
use crate::world::World;
use ipnetwork::Ipv4Network;
use ospf_proto::Instance;
use ospf_proto::constants::{MAX_AGE, MAX_AGE_DIFF};
use ospf_proto::interface::InterfaceState;
use ospf_proto::lsa::{LsType, LsaBody, LsaHeader, LsaKey};
use ospf_proto::lsdb::{DatabaseId, LsdbEntry};
use ospf_proto::neighbor::NeighborState;
use ospf_proto::packet::{PacketBody, UpdateLsa, decode_header};
use routing_common::id::AreaId;
use routing_common::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// Age in seconds up to which an instance may be on its way.
const IN_FLIGHT: u16 = 3;

/// The databases that are compared.
const DATABASES: [DatabaseId; 2] = [DatabaseId::Area(AreaId::BACKBONE), DatabaseId::As];

/// See the module text.
#[derive(Debug)]
pub(super) struct Databases(pub(super) Oracle);

/// A member of a component.
#[derive(Clone, Copy)]
struct Member<'a> {
    router: RouterIndex,
    engine: &'a Instance,
    /// Its own time.
    local: Instant,
}

impl Checker for Databases {
    fn law(&self) -> (&'static str, &'static str) {
        ("L3", "at rest routers that OSPF connects have the same databases")
    }

    fn before(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        if let (Daemon::Ospf, Cause::Frame { frame, nature: Nature::Replayed, .. }) =
            (turn.daemon, &turn.cause)
            && updates(frame).into_iter().any(|lsa| is_news(world, turn.router, lsa))
        {
            self.0.was_deceived();
        }
        Ok(())
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        let Some(truth) = self.0.ask_undeceived(world) else { return Ok(()) };
        let engines: BTreeMap<RouterIndex, &Instance> = rest::engines(world)?.into_iter().collect();
        let announced = oracle::announced(&world.current, &truth.state);
        for component in rest::components(world, &truth) {
            let member = |router: &RouterIndex| {
                let engine = engines.get(router)?;
                Some(Member { router: *router, engine, local: world.nodes[*router].clock.local(world.now) })
            };
            let members: Vec<Member<'_>> = component.iter().filter_map(member).collect();
            let Some((first, others)) = members.split_first() else { continue };
            for other in others {
                same(world, *first, *other)?;
            }
            for member in &members {
                let who = rest::name(world, member.router);
                nothing_dead(*member).map_err(|text| format!("{who}: {text}"))?;
                own(world, &truth, *member, &announced[member.router])
                    .map_err(|text| format!("{who}: {text}"))?;
            }
        }
        Ok(())
    }

    fn at_end(&mut self, world: &World) -> Verdict {
        self.at_rest(world)
    }
}

/// The LSAs in a frame, if it is a Link State Update.
fn updates(frame: &Frame) -> Vec<LsaHeader> {
    let body = frame.datagram().and_then(|d| decode_header(d.payload).and_then(|raw| raw.decode_body()).ok());
    let Some(PacketBody::LinkStateUpdate(lsas)) = body else { return Vec::new() };
    let valid = lsas.iter().filter_map(|lsa| match lsa {
        UpdateLsa::Valid(lsa) => Some(*lsa.header()),
        UpdateLsa::Invalid { .. } => None,
    });
    valid.collect()
}

/// Would a router take this for a newer instance than it has?
fn is_news(world: &World, router: RouterIndex, header: LsaHeader) -> bool {
    let Some(engine) = &world.nodes[router].ospf.engine else { return false };
    let mut copies = DATABASES.iter().filter_map(|d| engine.lsdb(*d)?.get(&header.key));
    // The parts of §13.1 that an old packet can win by: an end that was said already is news to who has a beginning.
    let rank = |sequence: i32, checksum: u16, age: u16| (sequence, checksum, age >= MAX_AGE);
    copies.next().is_none_or(|entry| {
        let copy = entry.lsa.header();
        let present =
            rank(copy.sequence, copy.checksum, entry.age(world.nodes[router].clock.local(world.now)));
        present < rank(header.sequence, header.checksum, header.age)
    })
}

fn entries<'a>(member: Member<'a>, database: DatabaseId) -> BTreeMap<LsaKey, &'a LsdbEntry> {
    let lsdb = member.engine.lsdb(database);
    lsdb.into_iter().flat_map(|lsdb| lsdb.iter()).map(|(key, entry)| (*key, entry)).collect()
}

/// Do two routers have the same databases?
fn same(world: &World, one: Member<'_>, other: Member<'_>) -> Verdict {
    let bound = age_difference(world);
    for database in DATABASES {
        let (mine, yours) = (entries(one, database), entries(other, database));
        let keys: BTreeSet<&LsaKey> = mine.keys().chain(yours.keys()).collect();
        for key in keys {
            let (a, b) = (mine.get(key), yours.get(key));
            let is_young = |entry: Option<&&LsdbEntry>, m: Member<'_>| {
                entry.is_some_and(|e| e.age(m.local) <= IN_FLIGHT || is_owed(m, key))
            };
            if is_young(a, one) || is_young(b, other) {
                continue;
            }
            let names = (rest::name(world, one.router), rest::name(world, other.router));
            differ(a.copied().map(|e| (e, one.local)), b.copied().map(|e| (e, other.local)), bound)
                .map_err(|text| format!("{} and {} of {key:?}: {text}", names.0, names.1))?;
        }
    }
    Ok(())
}

fn differ(a: Option<(&LsdbEntry, Instant)>, b: Option<(&LsdbEntry, Instant)>, bound: u16) -> Verdict {
    let (Some((a, a_now)), Some((b, b_now))) = (a, b) else {
        return Err(format!("only the {} has it", if a.is_some() { "first" } else { "second" }));
    };
    let (a_seq, b_seq) = (a.lsa.header().sequence, b.lsa.header().sequence);
    if a_seq != b_seq {
        return Err(format!("instances {a_seq:#x} and {b_seq:#x}"));
    }
    if a.lsa.raw().get(2..) != b.lsa.raw().get(2..) {
        return Err("same instance, other octets".to_owned());
    }
    let (a_age, b_age) = (a.age(a_now), b.age(b_now));
    if a_age.abs_diff(b_age) > bound {
        return Err(format!("ages {a_age} and {b_age}, may differ by {bound}"));
    }
    Ok(())
}

/// By how many seconds the ages of two copies may differ.
fn age_difference(world: &World) -> u16 {
    let mut waited = 0;
    for fault in &world.scenario.faults {
        match &fault.what {
            What::Impair { impairment, .. } => waited += impairment.delay / 1_000_000 + 1,
            _ => return MAX_AGE_DIFF,
        }
    }
    let fastest = world.scenario.routers.iter().map(|r| u64::from(r.clock_rate.unsigned_abs())).max();
    // No copy is older than MaxAge.
    let drift = 2 * 3600 * fastest.unwrap_or(0) / 1_000_000;
    let hops = 2 * world.nodes.len() as u64;
    u16::try_from(hops + drift + waited + 3).unwrap_or(MAX_AGE_DIFF).min(MAX_AGE_DIFF)
}

/// Is somebody still to acknowledge this LSA?
fn is_owed(member: Member<'_>, key: &LsaKey) -> bool {
    let mut neighbors = member.engine.interfaces().flat_map(|i| i.neighbors.values());
    neighbors.any(|n| n.link_state_retransmission_list.contains_key(key))
}

/// §14: what reached MaxAge goes once it is acknowledged.
fn nothing_dead(member: Member<'_>) -> Verdict {
    for database in DATABASES {
        let dead = entries(member, database)
            .into_iter()
            .find(|(key, e)| e.is_max_age(member.local) && !is_owed(member, key));
        if let Some((key, _)) = dead {
            return Err(format!("{key:?} is at MaxAge, and nobody is waited for"));
        }
    }
    Ok(())
}

/// Are a router's LSAs in its own database those it should originate?
fn own(
    world: &World,
    truth: &Truth,
    member: Member<'_>,
    announced: &BTreeMap<Ipv4Network, crate::scenario::ExternalMetric>,
) -> Verdict {
    let id = rest::id(world, member.router);
    let router = LsaKey::router(id);
    let mut wanted = BTreeSet::from([router]);
    for (p, port) in world.current.routers[member.router].ports.iter().enumerate() {
        let Some(interface) = rest::interface(member.engine, p) else { continue };
        let is_dr = interface.state == InterfaceState::Dr && truth.state.is_up(member.router, p);
        if is_dr && interface.neighbors_in(NeighborState::Full) > 0 {
            let link_state_id = port.address.ip();
            wanted.insert(LsaKey { ls_type: LsType::Network, link_state_id, advertising_router: id });
        }
    }
    let mut externals = BTreeSet::new();
    for (key, entry) in DATABASES.iter().flat_map(|database| entries(member, *database)) {
        if key.advertising_router != id {
            continue;
        }
        match entry.lsa.body() {
            LsaBody::AsExternal(body) => externals.extend(external(&key, body, announced)?),
            _ if !wanted.remove(&key) => return Err(format!("originates {key:?}, expected none")),
            _ => {}
        }
    }
    if let Some(key) = wanted.pop_first() {
        return Err(format!("does not originate {key:?}"));
    }
    match announced.keys().find(|prefix| !externals.contains(*prefix)) {
        Some(prefix) => Err(format!("does not announce {prefix}")),
        None => Ok(()),
    }
}

/// Whether an AS-external-LSA is one that should be; its prefix.
fn external(
    key: &LsaKey,
    body: &ospf_proto::lsa::ExternalLsa,
    announced: &BTreeMap<Ipv4Network, crate::scenario::ExternalMetric>,
) -> Result<Option<Ipv4Network>, String> {
    // The id of two prefixes that differ in length only is made unique by host bits (App. E).
    let prefix = key.prefix(body.mask).map(routing_common::prefix::canonical);
    let wanted = prefix.and_then(|p| announced.get(&p));
    match wanted {
        Some(wanted) if (wanted.metric, wanted.type1) == (body.metric, !body.type2) => Ok(prefix),
        _ => {
            Err(format!("originates {key:?} for {prefix:?} with metric {}, expected {wanted:?}", body.metric))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::{entry, ring};
    use crate::scenario::{DefaultInformation, ExternalMetric, Fault};

    #[test]
    fn copies_that_differ_break_it() {
        let now = Instant::from_secs(100);
        let compare = |a, b| differ(Some((&a, now)), Some((&b, now)), 7);
        assert_eq!(compare(entry(1, 0, 1), entry(1, 7, 1)), Ok(()));
        assert!(compare(entry(1, 0, 1), entry(1, 8, 1)).is_err());
        assert!(compare(entry(1, 0, 1), entry(2, 0, 1)).is_err());
        assert!(compare(entry(1, 0, 1), entry(1, 0, 2)).is_err());
        assert!(differ(Some((&entry(1, 0, 1), now)), None, 7).is_err());
    }

    #[test]
    fn originating_too_much_or_too_little_breaks_it() {
        let mut world = ring(20);
        assert_eq!(Databases(Oracle::default()).at_rest(&world), Ok(()));
        let external = ExternalMetric { metric: 10, type1: false };
        world.current.routers[3].default_information = Some(DefaultInformation { always: true, external });
        assert!(Databases(Oracle::default()).at_rest(&world).is_err());
        world.current.routers[3].default_information = None;
        world.current.routers[0].default_information = None;
        assert!(Databases(Oracle::default()).at_rest(&world).is_err());
    }

    #[test]
    fn what_is_dead_and_owed_to_nobody_breaks_it() {
        let mut world = ring(20);
        // Older than MaxAge by the clock, and the engine was not told.
        world.now += routing_common::time::Duration::from_secs(3_600);
        assert!(Databases(Oracle::default()).at_rest(&world).is_err());
    }

    #[test]
    fn nothing_is_asked_while_something_unforeseeable_goes_on() {
        let mut world = ring(20);
        world.current.routers[0].default_information = None;
        assert!(Databases(Oracle::default()).at_rest(&world).is_err());
        let what = What::WrongKey { router: 0, port: 0 };
        world.scenario.faults.push(Fault { at: 0, until: u64::MAX / 2_000_000, what });
        assert_eq!(Databases(Oracle::default()).at_rest(&world), Ok(()));
    }
}
