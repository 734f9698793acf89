//! MinLSInterval (RFC 2328 §12.4).
//!
//! The RFC lets an LSA be originated once in 5 s and peers take one only once a second (MinLSArrival);
//! what comes earlier they drop unacknowledged, and it costs RxmtInterval, 5 s, to come again. So:
//! * the first change after quiet goes out at once;
//! * the next waits MinLSArrival plus [`MARGIN`], doubling with every further change up to MinLSInterval,
//!   and starts anew after a pause of twice the wait;
//! * an instance that nobody was sent yet may be replaced at any time: it cannot come early;
//! * a flush never waits, but what comes after it does, after that of MaxSequenceNumber longest.
//!
//! One exception, made at most once per MinLSInterval and LSA: an instance that should not be there is out-sequenced at
//! once. It may be of a previous life of ours ([`Instance::outsequence_stale`]), or one we flushed when there was nobody
//! to tell. Until that is done neighbours route by it.

use super::OwnLsa;
use crate::instance::{Instance, TimerKey};
use crate::lsa::LsaKey;
use crate::lsdb::{DatabaseId, Provenance};
use routing_common::time::{Duration, Instant};

/// Added to MinLSArrival, for a copy that overtakes its predecessor on the way.
const MARGIN: Duration = Duration::from_millis(50);

impl Instance {
    /// When the next instance may go; `None` for at once. See the module text.
    pub(super) fn may_originate_at(
        &self,
        now: Instant,
        database: DatabaseId,
        key: LsaKey,
    ) -> Option<Instant> {
        let state = self.own.get(&(database, key))?;
        let is_free = match self.is_unsent_flush(now, database, key) {
            true => self.may_override(now, state),
            false => !self.was_sent(database, key),
        };
        if is_free {
            return None;
        }
        let wait = self.origination_wait(state.burst);
        let after_last = state.last.filter(|last| now.since(*last) < wait * 2).map(|last| last + wait);
        let entry = self.lsdb(database).and_then(|db| db.get(&key));
        let after_answer = entry.and_then(|e| e.answered_at()).map(|at| at + self.origination_wait(1));
        let after_wrap = match state.wrap {
            Some(super::Wrap::Until(at)) => Some(at),
            _ => None,
        };
        after_last.max(after_answer).max(after_wrap)
    }

    /// May anybody have the last instance, so that its successor can come too early? Not if it is ours, still
    /// here, and was never sent. Where somebody else's copy replaced it, or it is gone, it was.
    pub(super) fn was_sent(&self, database: DatabaseId, key: LsaKey) -> bool {
        let entry = self.lsdb(database).and_then(|db| db.get(&key));
        entry.is_none_or(|e| e.provenance != Provenance::Own || e.sent_at().is_some())
    }

    /// Is there a flush of ours that nobody was sent? Others have the instance it was to end, which was sent.
    pub(super) fn is_unsent_flush(&self, now: Instant, database: DatabaseId, key: LsaKey) -> bool {
        let entry = self.lsdb(database).and_then(|db| db.get(&key));
        entry.is_some_and(|e| e.is_max_age(now)) && !self.was_sent(database, key)
    }

    /// May the gate be overridden? Once per MinLSInterval: a second router with our id, or an adjacency that comes
    /// and goes, must not make a storm of it.
    pub(super) fn may_override(&self, now: Instant, state: &OwnLsa) -> bool {
        state.overridden.is_none_or(|at| now.since(at) >= self.config.min_ls_interval)
    }

    /// The wait after the `burst`th origination in a row.
    pub(crate) fn origination_wait(&self, burst: u32) -> Duration {
        let first = self.config.min_ls_arrival + MARGIN;
        let factor = 1u32.checked_shl(burst.saturating_sub(1).min(16)).unwrap_or(1);
        first.saturating_mul(factor).min(self.config.min_ls_interval)
    }

    /// A flush leaves at once, but to those who get it it is an instance like any other: a successor within
    /// MinLSArrival is dropped.
    pub(super) fn note_flush(&mut self, now: Instant, database: DatabaseId, key: LsaKey) {
        if self.is_awaited(database, &key) {
            self.own.entry((database, key)).or_default().last = Some(now);
        }
    }

    /// Forgets an LSA that is not desired any more, once it could come back without any wait, and a stale copy of it
    /// could be out-sequenced at once again.
    pub(crate) fn forget_when_quiet(&mut self, now: Instant, database: DatabaseId, key: LsaKey) {
        if self.desired.contains_key(&(database, key)) {
            return;
        }
        let Some(state) = self.own.get(&(database, key)).copied() else { return };
        let quiet = state.last.map(|last| last + self.origination_wait(state.burst) * 2);
        let patient = state.overridden.map(|at| at + self.config.min_ls_interval);
        match quiet.max(patient).filter(|until| *until > now) {
            Some(until) => {
                let OwnLsa { last, burst, overridden, .. } = state;
                let rest = OwnLsa { last, burst, overridden, ..OwnLsa::default() };
                self.own.insert((database, key), rest);
                self.timers.arm(TimerKey::ForgetOwn(database, key), until);
            }
            None => {
                self.own.remove(&(database, key));
            }
        }
    }
}
