//! What is known of one prefix, and counters.

use super::Via;
use crate::route::{FibHop, FibHops, Target};
use routing_common::time::Instant;
use serde::Serialize;

/// One prefix.
#[derive(Debug, Clone, Default)]
pub struct FibEntry {
    /// What the table selected: kernel protocol and target.
    pub wanted: Option<(u8, Target)>,
    /// What the kernel has once all requests are done, as far as we know.
    pub sent: Option<(u8, Via)>,
    /// Found in the kernel at start and nobody's yet; stays until released.
    pub held: bool,
    pub(super) token: u64,
    /// Protocol of the route the kernel has by its latest answer or dump: what stays should every request under
    /// way be refused. That route may have gone with its object since; there is never one of another protocol.
    pub(super) residue: Option<u8>,
    /// Nearly no route ever has any of it, but with fast reroute.
    pub(super) extra: Option<Box<Extra>>,
}

/// What went wrong with a route, and what helps when something does.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    /// Where it leads when all its next hops are lost.
    pub(super) alternate: Option<FibHop>,
    /// Why the latest request failed.
    pub(super) error: Option<String>,
    /// When somebody else removed or replaced it.
    pub(super) foreign_at: Option<Instant>,
}

impl FibEntry {
    /// Why the latest request failed.
    pub fn error(&self) -> Option<&str> {
        self.extra.as_ref()?.error.as_deref()
    }

    /// The next hops wanted and the alternate to them.
    pub(super) fn paths(&self) -> Option<(u8, &FibHops, Option<FibHop>)> {
        let Some((protocol, Target::Hops(hops))) = &self.wanted else { return None };
        Some((*protocol, hops, self.alternate().filter(|a| !hops.contains(a))))
    }

    /// Is it to go from one object to another?
    pub(super) fn moves(&self) -> bool {
        matches!((&self.wanted, &self.sent), (Some((_, Target::Hops(_))), Some((_, Via::Object(_)))))
    }

    pub(super) fn alternate(&self) -> Option<FibHop> {
        self.extra.as_ref()?.alternate
    }

    /// Says whether that is new.
    pub(super) fn set_alternate(&mut self, alternate: Option<FibHop>) -> bool {
        self.alternate() != alternate && {
            self.extra().alternate = alternate;
            true
        }
    }

    pub(super) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }
}

/// Counters for shows and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FibStatistics {
    /// Routes installed or replaced.
    pub installs: u64,
    /// Routes removed.
    pub removals: u64,
    /// Objects whose content was replaced under their routes.
    pub retargets: u64,
    /// Requests the kernel refused.
    pub failures: u64,
    /// Our routes that somebody else removed or replaced.
    pub foreign_changes: u64,
}
