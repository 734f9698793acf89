//! Originating LSAs (RFC 2328 §12.4), refreshing and flushing them (§14), meeting our own (§13.4).
//!
//! Origination is declarative. `desired` holds the bodies we want in the databases; every trigger of §12.4
//! only recomputes its class of them (`router`, `network`, `external`), and [`Instance::reconcile`] makes
//! the database agree: originate, re-originate, flush, or wait. Refresh, sequence wrap, an LSA from a
//! previous life and an LSA that was flushed too early are then one case, "the database does not show
//! what is desired".
//!
//! A router-LSA that would only gain links waits up to [`SETTLE`] while adjacencies are forming: a link that
//! comes up brings first its stub network and milliseconds later its neighbour, and a starting router
//! several neighbours. Told one by one, all but the first would wait for MinLSArrival. A loss never
//! waits.
//!
//! [`gate`] holds MinLSInterval, [`received`] meets our own LSAs, [`stub_router`] is RFC 6987.

mod external;
mod gate;
mod network;
mod received;
mod router;
mod stub_router;

pub(crate) use stub_router::Startup;
pub use stub_router::StubReason;

use crate::constants::{INITIAL_SEQUENCE, LS_REFRESH_TIME};
use crate::instance::{Instance, TimerKey, Trigger};
use crate::lsa::{LsType, Lsa, LsaBody, LsaKey, LsaSpec};
use crate::lsdb::{Attention, DatabaseId, Provenance};
use crate::packet::options;
use crate::spf::Change;
use routing_common::time::{Duration, Instant};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Longest wait for adjacencies that are forming.
const SETTLE: Duration = Duration::from_millis(200);

/// Refreshing happens up to this much before LSRefreshTime, so that LSAs do not stay in step.
const REFRESH_JITTER: Duration = Duration::from_secs(90);

/// What we know about one LSA of ours beyond what is in the database.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OwnLsa {
    /// When it was last originated.
    last: Option<Instant>,
    /// Originations in quick succession.
    burst: u32,
    /// A sequence number seen in somebody's copy; ours must be larger.
    floor: Option<i32>,
    /// Originate even though nothing changed.
    force: bool,
    /// Since when a gain of links waits for adjacencies to form.
    settling: Option<Instant>,
    /// When the gate was last overridden.
    overridden: Option<Instant>,
    /// The instance with MaxSequenceNumber is being flushed, or was and may still be about.
    wrap: Option<Wrap>,
}

/// How far a wrap of the sequence number is (§12.1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrap {
    /// Our neighbours have not acknowledged the end of the last instance yet.
    Flushing,
    /// They have; the first instance may come then.
    Until(Instant),
}

impl Instance {
    /// How long an own LSA lives before it wants refreshing.
    pub(crate) fn refresh_interval(&mut self) -> Duration {
        LS_REFRESH_TIME - self.rng.duration_up_to(REFRESH_JITTER)
    }

    /// Replaces what is desired of one type in all databases, and reconciles what differs.
    fn desire_all(&mut self, now: Instant, ls_type: LsType, wanted: Vec<(DatabaseId, LsaKey, LsaBody)>) {
        if self.shutting_down {
            return;
        }
        let mut gone: BTreeSet<(DatabaseId, LsaKey)> =
            self.desired.keys().filter(|(_, key)| key.ls_type == ls_type).copied().collect();
        let mut changed = Vec::new();
        for (database, key, body) in wanted {
            gone.remove(&(database, key));
            if self.desired.get(&(database, key)) != Some(&body) {
                self.desired.insert((database, key), body);
                changed.push((database, key));
            }
        }
        for key in gone {
            self.desired.remove(&key);
            changed.push(key);
        }
        for (database, key) in changed {
            self.reconcile(now, database, key);
        }
    }

    /// Wants one LSA in one database, with a sequence number not below `sequence`.
    pub(crate) fn desire(
        &mut self,
        now: Instant,
        database: DatabaseId,
        key: LsaKey,
        body: LsaBody,
        sequence: i32,
    ) {
        self.desired.insert((database, key), body);
        self.own.entry((database, key)).or_default().floor = Some(sequence.saturating_sub(1));
        self.reconcile(now, database, key);
    }

    /// Makes the database show what is desired for one LSA, now or when it may be originated.
    pub(crate) fn reconcile(&mut self, now: Instant, database: DatabaseId, key: LsaKey) {
        if self.is_withheld(&key) {
            return;
        }
        let Some(lsdb) = self.lsdb(database) else {
            self.own.remove(&(database, key));
            return;
        };
        let copy = lsdb.get(&key).map(|e| (e.header(now), e.provenance, e.lsa.body().clone()));
        let state = self.own.get(&(database, key)).copied().unwrap_or_default();
        let Some(body) = self.desired.get(&(database, key)) else {
            self.timers.cancel(TimerKey::Originate(database, key));
            if copy.is_some() {
                self.flush(now, database, key);
            }
            self.forget_when_quiet(now, database, key);
            return;
        };
        let sequence = match copy {
            None => state.floor.map_or(Some(INITIAL_SEQUENCE), |f| f.checked_add(1)),
            Some((header, provenance, old)) => {
                // §13.4: an instance we did not originate in this life, whatever it says.
                let is_urgent = provenance != Provenance::Own
                    || header.is_max_age()
                    || header.options != self.lsa_options()
                    || state.floor.is_some_and(|f| f >= header.sequence)
                    || state.force;
                if !is_urgent && old == *body {
                    self.stop_waiting(database, key);
                    return;
                }
                if !is_urgent && only_gains(&old, body) && self.settle(now, database, key) {
                    return;
                }
                header.sequence.max(state.floor.unwrap_or(header.sequence)).checked_add(1)
            }
        };
        let Some(sequence) = sequence else {
            self.wrap(now, database, key);
            return;
        };
        match self.may_originate_at(now, database, key) {
            Some(at) if at > now => self.timers.arm(TimerKey::Originate(database, key), at),
            _ => self.originate(now, database, key, sequence),
        }
    }

    /// A change that waited to be told was undone before it was.
    fn stop_waiting(&mut self, database: DatabaseId, key: LsaKey) {
        self.timers.cancel(TimerKey::Originate(database, key));
        if let Some(state) = self.own.get_mut(&(database, key)) {
            state.settling = None;
        }
    }

    /// Should a gain of links wait a little? Then the timer is set.
    fn settle(&mut self, now: Instant, database: DatabaseId, key: LsaKey) -> bool {
        let is_young = |since: Instant| now.since(since) < SETTLE;
        let is_forming = self.interfaces.values().filter(|i| i.is_active()).any(|i| {
            (is_young(i.state_since) && i.full_neighbors() == 0)
                || i.neighbors.values().any(|n| n.is_forming() && is_young(n.state_since))
        });
        let state = self.own.entry((database, key)).or_default();
        let since = *state.settling.get_or_insert(now);
        let waits = is_forming && is_young(since);
        if waits {
            self.timers.arm(TimerKey::Originate(database, key), since + SETTLE);
        }
        waits
    }

    /// §12.1.6: the instance with MaxSequenceNumber must be gone before the first one may come again.
    ///
    /// The RFC starts again as soon as our own neighbours have acknowledged the end. Theirs may not have: a router
    /// that still repeats the end replaces the new beginning by it wherever that has come, and the two chase each
    /// other. With a Designated Router as the slower one, the repetitions can keep time with ours for ever. So
    /// another pause follows, in which a repetition meets no instance and is acknowledged.
    fn wrap(&mut self, now: Instant, database: DatabaseId, key: LsaKey) {
        let state = self.own.entry((database, key)).or_default();
        state.floor = None;
        state.force = false;
        // Where a stale copy had opened the gate, the end of the last instance is what went through it.
        state.last.get_or_insert(now);
        state.wrap = Some(Wrap::Flushing);
        self.flush(now, database, key);
    }

    /// The instance with MaxSequenceNumber is gone from our database: twice the longest RxmtInterval from now the
    /// first one may come.
    fn wrap_flushed(&mut self, now: Instant, database: DatabaseId, key: LsaKey) {
        let pause =
            self.interfaces.values().map(|i| i.config.retransmit_interval).max().unwrap_or_default() * 2;
        if let Some(state) = self.own.get_mut(&(database, key)).filter(|s| s.wrap == Some(Wrap::Flushing)) {
            state.wrap = Some(Wrap::Until(now + pause));
        }
    }

    fn originate(&mut self, now: Instant, database: DatabaseId, key: LsaKey, sequence: i32) {
        let Some(body) = self.desired.get(&(database, key)) else { return };
        let spec = LsaSpec { age: 0, options: self.lsa_options(), key, sequence };
        let lsa = Arc::new(Lsa::build(spec, body));
        let state = self.own.get(&(database, key)).copied().unwrap_or_default();
        let wait = self.origination_wait(state.burst);
        let is_quiet = state.last.is_none_or(|last| now.since(last) >= wait * 2);
        let burst = match (is_quiet, self.was_sent(database, key)) {
            (true, _) => 1,
            (false, true) => state.burst.saturating_add(1),
            // The first after a flush that nobody was sent is the first of its burst.
            (false, false) => state.burst.max(1),
        };
        let is_early = state.last.is_some_and(|last| now.since(last) < wait);
        let overridden = match is_early && self.is_unsent_flush(now, database, key) {
            true => Some(now),
            false => state.overridden,
        };
        let new_state = OwnLsa { last: Some(now), burst, overridden, ..OwnLsa::default() };
        self.own.insert((database, key), new_state);
        self.timers.cancel(TimerKey::Originate(database, key));
        self.install(now, database, &lsa, 0, Provenance::Own);
        self.flood(now, database, key, None);
    }

    /// Options of our LSAs (§12.1.2): all areas are normal ones.
    fn lsa_options(&self) -> u8 {
        options::E
    }

    /// §14.1: takes an LSA out of the routing domain.
    pub(crate) fn flush(&mut self, now: Instant, database: DatabaseId, key: LsaKey) {
        let Some(db) = self.lsdb_mut(database) else { return };
        let old = db.get(&key).map(|e| Arc::clone(&e.lsa));
        if db.age_prematurely(&key, now) {
            self.flushed(now, database, key, old.as_deref());
            self.note_flush(now, database, key);
        }
    }

    /// An LSA just reached MaxAge, by time or by us: reflood it (§14).
    fn flushed(&mut self, now: Instant, database: DatabaseId, key: LsaKey, old: Option<&Lsa>) {
        if let Some(change) = Change::between(old, None) {
            self.pending_scope.note(old, None);
            self.topology_changed(change, Trigger::Lsa(key));
            self.restart.changes.in_this_turn(database);
            if let Some(entry) = self.lsdb_mut(database).and_then(|db| db.get_mut(&key)) {
                entry.is_news = true;
            }
        }
        self.forget_acknowledgments(database, &key);
        self.flood(now, database, key, None);
        self.sweep_wanted = true;
    }

    /// Lets LSAs reach MaxAge and refreshes our own.
    pub(crate) fn age_databases(&mut self, now: Instant) {
        for database in self.filled_databases() {
            while let Some((key, attention)) = self.lsdb_mut(database).and_then(|db| db.pop_attention(now)) {
                match attention {
                    Attention::Refresh => {
                        self.own.entry((database, key)).or_default().force = true;
                        self.reconcile(now, database, key);
                    }
                    Attention::ReachedMaxAge => {
                        let old = self.lsdb(database).and_then(|db| db.get(&key)).map(|e| Arc::clone(&e.lsa));
                        self.flushed(now, database, key, old.as_deref());
                        // One of ours has a successor, which need not wait until all neighbours have
                        // acknowledged the end of this one; only MaxSequenceNumber does.
                        if self.desired.contains_key(&(database, key)) {
                            self.reconcile(now, database, key);
                        }
                    }
                }
            }
        }
    }

    /// §14: removes LSAs at MaxAge that nobody has to acknowledge and nobody is learning.
    pub(crate) fn sweep_max_age(&mut self, now: Instant) {
        if self.is_anyone_synchronizing() {
            return;
        }
        for database in self.filled_databases() {
            let keys: Vec<LsaKey> =
                self.lsdb(database).map(|db| db.max_age_keys().copied().collect()).unwrap_or_default();
            for key in keys {
                if self.is_awaited(database, &key) {
                    continue;
                }
                let header = self.lsdb(database).and_then(|db| db.get(&key)).map(|e| e.header(now));
                if let (Some(header), Some(db)) = (header, self.lsdb_mut(database)) {
                    db.remove(&key);
                    self.note_flushed(now, database, header);
                }
                self.wrap_flushed(now, database, key);
                self.reconcile(now, database, key);
            }
        }
    }

    /// Is the LSA on a retransmission list?
    pub(crate) fn is_awaited(&self, database: DatabaseId, key: &LsaKey) -> bool {
        self.eligible_interfaces(database).any(|i| i.is_awaited(key))
    }

    /// Flushes all we have originated and wants nothing any more.
    pub(crate) fn flush_all_own(&mut self, now: Instant) {
        let keys: Vec<(DatabaseId, LsaKey)> = self.desired.keys().copied().collect();
        self.desired.clear();
        for (database, key) in keys {
            self.reconcile(now, database, key);
        }
    }

    /// Is any LSA of ours still in a database?
    pub(crate) fn has_own_lsas(&self) -> bool {
        let own = |key: &LsaKey| key.advertising_router == self.router_id;
        self.databases().into_iter().filter_map(|d| self.lsdb(d)).any(|db| db.iter().any(|(key, _)| own(key)))
    }

    /// Forgets what belongs to databases that exist no longer.
    pub(crate) fn forget_lost_databases(&mut self) {
        let exists: BTreeSet<DatabaseId> = self.databases().into_iter().collect();
        self.desired.retain(|(database, _), _| exists.contains(database));
        self.own.retain(|(database, _), _| exists.contains(database));
        self.held.retain(|(database, _), _| exists.contains(database));
        self.flushed.retain(|(database, _), _| exists.contains(database));
        let (desired, held, own) = (&self.desired, &self.held, &self.own);
        self.timers.cancel_where(|timer| match timer {
            TimerKey::Originate(database, key) => !desired.contains_key(&(*database, *key)),
            TimerKey::HeldArrival(database, key) => !held.contains_key(&(*database, *key)),
            TimerKey::ForgetOwn(database, key) => !own.contains_key(&(*database, *key)),
            _ => false,
        });
    }
}

/// Is `new` a router-LSA with all the links of `old`, and more?
fn only_gains(old: &LsaBody, new: &LsaBody) -> bool {
    match (old, new) {
        (LsaBody::Router(old), LsaBody::Router(new)) => {
            old.as_boundary == new.as_boundary && old.links.iter().all(|link| new.links.contains(link))
        }
        _ => false,
    }
}
