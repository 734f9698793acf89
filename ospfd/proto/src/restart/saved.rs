//! What must outlive the process (RFC 3623 §2.1): few words, told to the shell when they change.
//!
//! The engine asks with [`Output::Persist`] and is told once, at start, with
//! [`Input::Restored`](crate::Input::Restored). Writes are at least [`PAUSE`] apart, except those the next
//! process depends on: how this one leaves, and that it restarts gracefully. The file belongs into a directory that
//! does not outlive the kernel's routes.

use super::Phase;
use crate::instance::{Instance, Output, TimerKey};
use crate::neighbor::NeighborState;
use routing_common::id::{InterfaceName, RouterId};
use routing_common::time::{Duration, Instant};
use serde::{Deserialize, Serialize};

/// Least time between two writes of what only changes with adjacencies.
const PAUSE: Duration = Duration::from_secs(1);

/// The state of a process as its successor finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Saved {
    /// Who it was.
    pub router_id: RouterId,
    /// Interfaces with a fully adjacent neighbour.
    pub interfaces: Vec<InterfaceName>,
    /// The cryptographic sequence number in use then (RFC 2328 App. D.3).
    pub cryptographic_sequence: u32,
    /// LS sequence number of the last grace-LSAs.
    pub grace_sequence: i32,
    /// What the process was about.
    pub life: Life,
}

/// What a process was about when it last wrote. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Life {
    /// At work: if this is found, it died.
    Running,
    /// It left on purpose and took its LSAs and routes along.
    Ended,
    /// It left for a planned restart.
    Planned {
        /// When the grace period ends.
        until: u64,
    },
    /// It was restarting gracefully: if this is found, it died in the midst of it.
    Restarting {
        /// When the grace period ends. A restart does not prolong it.
        until: u64,
    },
}

impl Instance {
    /// Seconds since 1970, as far as we were told.
    pub(crate) fn wall_seconds(&self, now: Instant) -> u64 {
        let (told, at) = self.wall_clock;
        told.saturating_add(now.since(at).as_secs())
    }

    /// The process's state in one value.
    fn saved(&self, now: Instant) -> Saved {
        let until = |at: Instant| self.wall_seconds(now).saturating_add(now.until(at).as_secs());
        let life = match &self.restart.phase {
            _ if self.restart.departed => {
                Life::Planned { until: self.wall_seconds(now) + self.grace_seconds() }
            }
            _ if self.is_leaving() => Life::Ended,
            Phase::Restarting { until: at, .. } => Life::Restarting { until: until(*at) },
            Phase::Normal | Phase::Candidate(_) | Phase::Preparing => Life::Running,
        };
        let interfaces = self.interfaces.values();
        let adjacent = interfaces.filter(|i| i.neighbors_in(NeighborState::Full) > 0);
        Saved {
            router_id: self.router_id,
            interfaces: match &self.restart.interfaces {
                Some(former) => former.clone(),
                None => adjacent.map(|i| i.name.clone()).collect(),
            },
            cryptographic_sequence: self.cryptographic_sequence,
            grace_sequence: self.restart.grace_sequence,
            life,
        }
    }

    /// The shell says what time it is: at start, and when the clock was set.
    pub(crate) fn wall_clock_told(&mut self, now: Instant, seconds: u64) {
        self.wall_clock = (seconds, now);
        if self.restart.saved.is_some() {
            // What the file says of the cryptographic sequence number is worth less than it was.
            self.restart.clock_stepped = true;
            self.save_soon();
        }
    }

    /// The state may have changed: it is written at the end of the turn, or a little later.
    pub(crate) fn save_soon(&mut self) {
        self.restart.save_wanted = true;
    }

    /// Writes the state at once if it changed.
    pub(crate) fn save_now(&mut self, now: Instant) {
        self.restart.save_wanted = false;
        self.timers.cancel(TimerKey::Save);
        let saved = self.saved(now);
        let same = |old: &Saved| {
            // The number alone is no reason to write: it follows the clock.
            Saved { cryptographic_sequence: saved.cryptographic_sequence, ..old.clone() } == saved
        };
        if self.restart.saved.as_ref().is_some_and(|old| same(old) && !self.restart.clock_stepped) {
            return;
        }
        self.restart.clock_stepped = false;
        self.restart.saved_at = Some(now);
        self.restart.saved = Some(saved.clone());
        self.outputs.push_back(Output::Persist(saved));
    }

    /// The end of a turn: writes what changed, unless something was written a moment ago.
    pub(crate) fn save_if_wanted(&mut self, now: Instant) {
        // A candidate leaves what its predecessor wrote, and whoever leaves on purpose has written his last.
        let waits =
            self.shutting_down || self.timers.is_armed(TimerKey::Save) || self.restart.holds_interfaces();
        if !self.restart.save_wanted || waits {
            return;
        }
        match self.restart.saved_at.map(|at| at + PAUSE).filter(|next| *next > now) {
            Some(next) => self.timers.arm(TimerKey::Save, next),
            None => self.save_now(now),
        }
    }
}
