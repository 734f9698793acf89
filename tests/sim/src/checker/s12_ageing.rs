//! S12: LSAs age, and are forgotten, as RFC 2328 §14 says.
//!
//! * An LSA that is taken from a packet is as old as it was said to be.
//! * One that is sent is older than the sender's copy by InfTransDelay (§13.3).
//! * As long as a neighbour is in Exchange or Loading no LSA at MaxAge is forgotten: it may have described an older instance
//!   that would come to life again.
//!
//! A copy that differs from the one in the database, a reply to an older one perhaps, is judged by nobody here.

use super::shadow::{Change, Shared};
use super::{Cause, Checker, Turn, Verdict};
use crate::frame::{Frame, OSPF};
use crate::kernel;
use crate::scenario::Daemon;
use crate::segment::End;
use crate::wire::{self, MAX_AGE};
use crate::world::World;
use ospf_proto::Instance;
use ospf_proto::lsa::{LsType, LsaKey};
use ospf_proto::lsdb::{DatabaseId, LsdbEntry, Provenance};
use ospf_proto::neighbor::{Neighbor, NeighborId};
use routing_common::id::{AreaId, RouterId};
use routing_common::time::Instant;
use std::collections::BTreeSet;

/// The law.
#[derive(Debug)]
pub(super) struct Ageing {
    shadows: Shared,
    /// Who was in Exchange or Loading with the turn's router before it.
    synchronizing: BTreeSet<NeighborId>,
}

impl Ageing {
    pub(super) fn new(shadows: &Shared) -> Self {
        Self { shadows: Shared::clone(shadows), synchronizing: BTreeSet::new() }
    }
}

impl Checker for Ageing {
    fn law(&self) -> (&'static str, &'static str) {
        ("S12", "LSAs are as old as they say, and forgotten when nobody can bring them back")
    }

    fn before(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let engine = world.nodes[turn.router].ospf.engine.as_ref().filter(|_| turn.daemon == Daemon::Ospf);
        self.synchronizing = engine.map(synchronizing).unwrap_or_default();
        Ok(())
    }

    fn sent(&mut self, world: &World, from: End, frame: &Frame) -> Verdict {
        let node = &world.nodes[from.router];
        let (Some(engine), Some(datagram)) = (&node.ospf.engine, frame.datagram()) else { return Ok(()) };
        if datagram.protocol != OSPF || datagram.payload.get(1) != Some(&4) {
            return Ok(());
        }
        let local = node.clock.local(world.now);
        for lsa in lsas(datagram.payload)? {
            let entry = lookup(engine, from.port, &lsa);
            let copy = entry.filter(|e| is_same(e, &lsa)).map(|e| e.age(local));
            older(copy, lsa.age).map_err(|text| format!("{}: sends {} {text}", node.name, key_of(&lsa)))?;
        }
        Ok(())
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let node = &world.nodes[turn.router];
        let Some(engine) = node.ospf.engine.as_ref().filter(|_| turn.daemon == Daemon::Ospf) else {
            return Ok(());
        };
        let named = |text: String| format!("{}: {text}", node.name);
        let changes = self.shadows.borrow_mut().changes(world, turn);
        if let Cause::Frame { frame, .. } = &turn.cause
            && let Some(datagram) = frame.datagram().filter(|d| d.payload.get(1) == Some(&4))
        {
            let received = lsas(datagram.payload).unwrap_or_default();
            changes.iter().try_for_each(|change| as_old(change, &received, turn.local)).map_err(named)?;
        }
        let still = synchronizing(engine);
        // `clear` forgets everything, and so does a process that ends.
        if matches!(turn.cause, Cause::Other) || self.synchronizing.is_disjoint(&still) {
            return Ok(());
        }
        // An interface that is down has an empty database.
        let exists = |change: &&Change| match change.database {
            DatabaseId::Link(ifindex) => engine.interfaces().any(|i| i.ifindex == ifindex && i.is_active()),
            database => engine.lsdb(database).is_some(),
        };
        match changes.iter().filter(exists).find(|change| change.new.is_none()) {
            Some(change) => {
                Err(named(format!("{} is forgotten while {still:?} are in Exchange or Loading", change.key)))
            }
            None => Ok(()),
        }
    }
}

fn synchronizing(engine: &Instance) -> BTreeSet<NeighborId> {
    let neighbors = engine.interfaces().flat_map(|i| i.neighbors.values());
    neighbors.filter(|n| Neighbor::is_synchronizing(n)).map(|n| n.id).collect()
}

/// The LSAs of a Link State Update.
fn lsas(payload: &[u8]) -> Result<Vec<wire::Lsa<'_>>, String> {
    let length = usize::from(wire::u16_at(payload, 2)).min(payload.len());
    wire::update(payload.get(24..length).unwrap_or_default())
}

fn key_of(lsa: &wire::Lsa<'_>) -> LsaKey {
    let ls_type = LsType::from(lsa.kind);
    LsaKey { ls_type, link_state_id: lsa.id, advertising_router: RouterId(lsa.router) }
}

fn lookup<'a>(engine: &'a Instance, port: usize, lsa: &wire::Lsa<'_>) -> Option<&'a LsdbEntry> {
    let key = key_of(lsa);
    let database = DatabaseId::of(key.ls_type, AreaId::BACKBONE, kernel::ifindex(port));
    engine.lsdb(database)?.get(&key)
}

/// Is the entry the instance of the packet, ages aside?
fn is_same(entry: &LsdbEntry, lsa: &wire::Lsa<'_>) -> bool {
    entry.lsa.raw().get(2..) == lsa.octets.get(2..)
}

fn older(copy: Option<u16>, sent: u16) -> Verdict {
    match copy {
        Some(age) if sent <= age && age < MAX_AGE => Err(format!("with age {sent}, its own copy has {age}")),
        _ => Ok(()),
    }
}

/// Was what changed taken from the packet with the age it had there?
fn as_old(change: &Change, received: &[wire::Lsa<'_>], now: Instant) -> Verdict {
    let Some(new) = change.new.as_ref().filter(|e| e.provenance == Provenance::Flooded) else {
        return Ok(());
    };
    let mut same = received.iter().filter(|lsa| key_of(lsa) == change.key && is_same(new, lsa));
    match same.next() {
        // One that was flushed at once, being ours and not wanted, is at MaxAge.
        Some(lsa) if new.age(now) != lsa.age.min(MAX_AGE) && !new.is_max_age(now) => {
            Err(format!("{} came with age {} and is kept with {}", change.key, lsa.age, new.age(now)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::{entry, key};

    #[test]
    fn an_age_that_is_not_the_one_received_breaks_it() {
        let now = Instant::ZERO;
        let change =
            |age| Change { database: DatabaseId::As, key: key(), old: None, new: Some(entry(7, age, 1)) };
        let kept = entry(7, 30, 1);
        let octets = kept.lsa.raw();
        let received = wire::Lsa { age: 30, octets, ..wire::lsa_header(octets).unwrap() };
        assert_eq!(as_old(&change(30), &[received], now), Ok(()));
        assert!(as_old(&change(0), &[received], now).is_err());
        assert_eq!(as_old(&change(MAX_AGE), &[received], now), Ok(()));
        assert_eq!(as_old(&change(0), &[], now), Ok(()));
    }

    #[test]
    fn an_lsa_that_is_sent_no_older_than_it_is_breaks_it() {
        assert!(older(Some(5), 5).is_err());
        assert!(older(Some(5), 6).is_ok());
        assert!(older(Some(MAX_AGE), MAX_AGE).is_ok());
        assert!(older(None, 1).is_ok());
    }
}
