//! S1: an LSA in a database is never replaced by an older instance of it (RFC 2328 §13.1, §13 (5)).
//!
//! Instances are compared by their octets and present ages, not by the engine's own comparison. Allowed are
//! what the RFC itself asks for: an originator starts anew with InitialSequenceNumber after its LSA with
//! MaxAge, or with MaxSequenceNumber, has left (§12.1.6, §14.1; the two may fall into one turn where nobody has
//! to acknowledge); a new process; an operator's `clear`, which is a new process in all but name.

use super::shadow::{Change, Shared};
use super::{Cause, Checker, Turn, Verdict};
use crate::scenario::Daemon;
use crate::wire::{self, Lsa, MAX_AGE};
use crate::world::World;
use core::cmp::Ordering;
use ospf_proto::lsdb::LsdbEntry;
use routing_common::time::Instant;

/// The law.
#[derive(Debug)]
pub(super) struct NoOlderInstance {
    shadows: Shared,
}

impl NoOlderInstance {
    pub(super) fn new(shadows: &Shared) -> Self {
        Self { shadows: Shared::clone(shadows) }
    }
}

impl Checker for NoOlderInstance {
    fn law(&self) -> (&'static str, &'static str) {
        ("S1", "an LSA in a database is never replaced by an older instance")
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        if turn.daemon != Daemon::Ospf {
            return Ok(());
        }
        let changes = self.shadows.borrow_mut().changes(world, turn);
        if matches!(turn.cause, Cause::Other) {
            return Ok(()); // `clear`.
        }
        let own = world.scenario.routers[turn.router].loopback;
        changes.iter().try_for_each(|change| {
            judge(change, change.key.advertising_router.0 == own, turn.local)
                .map_err(|text| format!("{}: {text}", world.nodes[turn.router].name))
        })
    }
}

/// An entry's LSA with its age now.
fn present(entry: &LsdbEntry, now: Instant) -> Result<Lsa<'_>, String> {
    Ok(Lsa { age: entry.age(now), ..wire::lsa_header(entry.lsa.raw())? })
}

fn judge(change: &Change, is_own: bool, now: Instant) -> Verdict {
    let (Some(old), Some(new)) = (&change.old, &change.new) else { return Ok(()) };
    let (old, new) = (present(old, now)?, present(new, now)?);
    let starts_anew =
        is_own && new.sequence == i32::MIN + 1 && (old.age >= MAX_AGE || old.sequence == i32::MAX);
    if new.compare(&old) == Ordering::Less && !starts_anew {
        return Err(format!(
            "{}: sequence {:#x} age {} replaced by {:#x} age {}",
            change.key, old.sequence, old.age, new.sequence, new.age
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::{entry, key};
    use ospf_proto::lsdb::DatabaseId;

    fn change(old: i32, old_age: u16, new: i32) -> Change {
        let (old, new) = (Some(entry(old, old_age, 1)), Some(entry(new, 0, 2)));
        Change { database: DatabaseId::As, key: key(), old, new }
    }

    #[test]
    fn an_older_instance_breaks_it() {
        let now = Instant::from_secs(1);
        let first = i32::MIN + 1;
        assert!(judge(&change(5, 0, 6), true, now).is_ok());
        assert!(judge(&change(6, 0, 5), true, now).is_err());
        assert!(judge(&change(6, 3600, 5), true, now).is_err());
        assert!(judge(&change(6, 3600, first), true, now).is_ok());
        assert!(judge(&change(6, 3600, first), false, now).is_err());
        assert!(judge(&change(6, 0, first), true, now).is_err());
        assert!(judge(&change(i32::MAX, 0, first), true, now).is_ok());
    }
}
