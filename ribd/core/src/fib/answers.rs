//! What the kernel says back: answers to requests, and what it or somebody else did unasked.

use super::objects::{Content, Forgotten};
use super::reconcile::{Fib, Subject};
use super::{FibErrorKind, FibOp, FibResults, NextHopId, Via};
use crate::route::Target;
use ipnetwork::Ipv4Network;
use routing_common::id::IfIndex;
use routing_common::time::{Duration, Instant};

/// A foreign hand that removes the same route twice within this time is met with retry delays.
const FOREIGN_DAMPING: Duration = Duration::from_secs(1);

impl Fib {
    /// Takes in the kernel's answers. Returns the texts of new failures.
    pub fn answer(&mut self, results: FibResults) -> Vec<String> {
        let mut failures = results.failures.into_iter().peekable();
        let mut texts = Vec::new();
        while self.done < results.up_to
            && let Some(subject) = self.under_way.pop_front()
        {
            self.done += 1;
            let token = self.done;
            match failures.next_if(|f| f.token == token) {
                None => self.succeeded(subject, token),
                Some(f) => texts.extend(self.refused(subject, token, f.kind, f.text)),
            }
        }
        texts
    }

    fn succeeded(&mut self, subject: Subject, token: u64) {
        let (Subject::Install(prefix, protocol) | Subject::Removal(prefix, protocol)) = subject else {
            return;
        };
        let removal = matches!(subject, Subject::Removal(..));
        if removal {
            self.statistics.removals += 1;
        } else {
            self.statistics.installs += 1;
        }
        let Some(entry) = self.routes.get_mut(&prefix) else { return };
        // Answers come in order: whatever became of later requests, this is what the kernel has now.
        if !removal {
            entry.residue = Some(protocol);
        } else if entry.residue == Some(protocol) {
            entry.residue = None;
        }
        if entry.token == token {
            if let Some(extra) = &mut entry.extra {
                extra.error = None;
            }
            if removal
                && entry.sent.is_none()
                && let Some(former) = entry.residue
            {
                // What was to go had been refused and has never taken the place of what was there before.
                entry.sent = Some((former, Via::Plain(Box::default())));
                self.dirty.push(prefix);
                return;
            }
            // Without `sent`, or with what is only presumed, the object it went through was refused, with fewer next
            // hops than wanted one of them was: it needs another attempt.
            let whole = match (&entry.sent, &entry.wanted) {
                (None, _) => removal,
                (Some((_, Via::Plain(hops))), _) if hops.is_empty() => removal,
                (Some((_, Via::Object(id))), Some((_, Target::Hops(hops)))) => {
                    !self.failed.contains(&prefix) || self.objects.hops(*id) == hops.as_slice()
                }
                (Some(_), _) => true,
            };
            if whole {
                self.failed.remove(&prefix);
            }
            if entry.wanted.is_none() && entry.sent.is_none() {
                self.routes.remove(&prefix);
            }
        }
    }

    fn refused(&mut self, subject: Subject, token: u64, kind: FibErrorKind, text: String) -> Option<String> {
        let removal = matches!(subject, Subject::Removal(..) | Subject::ObjectRemoval(_));
        // Absent: done already. Unsupported: we have just learnt that there are no objects.
        if removal && kind != FibErrorKind::Refused {
            self.succeeded(subject, token);
            return None;
        }
        self.statistics.failures += 1;
        match subject {
            Subject::ObjectRemoval(id) => {
                self.stuck_objects.insert(id);
                Some(format!("cannot remove next-hop object {id}: {text}"))
            }
            Subject::Object(id) => {
                if kind == FibErrorKind::Unsupported {
                    self.set_objects_supported(false);
                }
                let lost = self.forget_objects(|i, _| i == id);
                if kind == FibErrorKind::Absent {
                    // The kernel dropped it before we replaced it: all is made anew at once.
                    self.dirty.extend(lost);
                    return None;
                }
                self.presume_routes_left(&lost);
                // Not at once: what was refused a moment ago would be refused again.
                self.failed.extend(lost);
                Some(format!("cannot create next-hop object {id}: {text}"))
            }
            Subject::Install(prefix, _) => self.route_refused(prefix, token, None, text),
            Subject::Removal(prefix, protocol) => self.route_refused(prefix, token, Some(protocol), text),
        }
    }

    /// The kernel refused a route: whatever object it named is under suspicion and asserted again on the
    /// next attempt, because the usual reason is an object the kernel has dropped. What it had before is still
    /// there: the residue, or else what was to be `removed`.
    fn route_refused(
        &mut self,
        prefix: Ipv4Network,
        token: u64,
        removed: Option<u8>,
        text: String,
    ) -> Option<String> {
        let entry = self.routes.get_mut(&prefix)?;
        if entry.token != token {
            return None;
        }
        self.fresh_failure |= entry.extra().error.replace(text.clone()).is_none();
        let suspect = match entry.sent {
            Some((_, Via::Object(id))) => Some(id),
            _ => None,
        };
        let residue = entry.residue.or(removed);
        self.set_sent(prefix, residue.map(|protocol| (protocol, Via::Plain(Box::default()))));
        self.failed.insert(prefix);
        self.suspects.extend(suspect);
        Some(format!("route {prefix}: {text}"))
    }

    /// The object these routes went through is to go, and its removal may be refused like its replacement was. Then the
    /// routes stay, too, and follow whatever gets the object's number next: until each is replaced or removed by itself,
    /// something is there.
    fn presume_routes_left(&mut self, lost: &[Ipv4Network]) {
        for prefix in lost {
            let Some(entry) = self.routes.get(prefix).filter(|e| e.sent.is_none()) else { continue };
            let residue = entry.residue.map(|protocol| (protocol, Via::Plain(Box::default())));
            self.set_sent(*prefix, residue);
        }
    }

    /// Another attempt for everything that failed.
    pub fn retry(&mut self) {
        self.dirty.extend(core::mem::take(&mut self.failed));
        let suspects = core::mem::take(&mut self.suspects);
        let (hops, groups): (Vec<FibOp>, Vec<FibOp>) = suspects
            .into_iter()
            .filter_map(|id| self.objects.assertion(id))
            .partition(|op| matches!(op, FibOp::PutNextHop { .. }));
        self.queue(hops.into_iter().chain(groups));
        let stuck = core::mem::take(&mut self.stuck_objects);
        // A number may be in use again by now.
        let stuck: Vec<FibOp> = stuck
            .into_iter()
            .filter(|id| !self.objects.contains(*id))
            .map(|id| FibOp::RemoveNextHop { id })
            .collect();
        self.queue(stuck);
    }

    /// Objects the kernel dropped by itself: models what it did to groups and routes, and makes sure of
    /// it, so that model and kernel agree even when the event was older than our latest request.
    /// Returns the routes that need another attempt: those the kernel lost with them, and those whose group
    /// goes on with fewer members. When is the caller's to say: a refused member would be refused again.
    fn forget_objects(&mut self, gone: impl Fn(NextHopId, &Content) -> bool) -> Vec<Ipv4Network> {
        let Forgotten { dead, pruned } = self.objects.forget_where(gone);
        if dead.is_empty() {
            return Vec::new();
        }
        let (mut lost, mut thinned) = (Vec::new(), Vec::new());
        for (prefix, entry) in self.routes.iter() {
            match &entry.sent {
                Some((_, Via::Object(id))) if dead.contains(id) => lost.push(prefix),
                Some((_, Via::Object(id))) if pruned.contains(id) => thinned.push(prefix),
                _ => {}
            }
        }
        self.queue(dead.into_iter().map(|id| FibOp::RemoveNextHop { id }));
        for prefix in &lost {
            self.set_sent(*prefix, None);
        }
        lost.extend(thinned);
        lost
    }

    /// An interface lost carrier, went down or away: the kernel flushed its objects in silence.
    pub fn link_stopped(&mut self, ifindex: IfIndex) {
        let lost =
            self.forget_objects(|_, content| matches!(content, Content::Hop(h) if h.ifindex == ifindex));
        self.dirty.extend(lost);
    }

    /// An interface lost its last address: the kernel flushed what routes without objects led over it, in
    /// silence. Whether one with several next hops is still there is not known.
    pub fn addresses_gone(&mut self, ifindex: IfIndex) {
        let over = |via: &Via| matches!(via, Via::Plain(hops) if hops.iter().any(|h| h.ifindex == ifindex));
        for (prefix, entry) in self.routes.iter_mut() {
            if let Some((_, via)) = &mut entry.sent
                && over(via)
            {
                *via = Via::Plain(Box::default());
                self.dirty.push(prefix);
            }
        }
    }

    /// Somebody else made an object, or replaced one of ours: then it is made what it was.
    pub fn object_put(&mut self, id: NextHopId) {
        match self.objects.assertion(id) {
            Some(op) => {
                self.statistics.foreign_changes += 1;
                self.queue([op]);
            }
            None => self.objects.reserve(id),
        }
    }

    /// Somebody else removed an object, perhaps one of ours.
    pub fn object_removed(&mut self, id: NextHopId) {
        self.objects.unreserve(id);
        if self.objects.contains(id) {
            self.statistics.foreign_changes += 1;
            let lost = self.forget_objects(|i, _| i == id);
            self.dirty.extend(lost);
        }
    }

    /// Somebody else removed or replaced one of our routes. Says whether it was one; it is put back in the
    /// next commit, or by the retry timer when that somebody insists.
    pub fn route_disturbed(&mut self, now: Instant, prefix: Ipv4Network) -> bool {
        let Some(entry) = self.routes.get_mut(&prefix).filter(|e| e.sent.is_some()) else { return false };
        let last = entry.extra().foreign_at.replace(now);
        let insists = last.is_some_and(|at| now.since(at) < FOREIGN_DAMPING);
        self.set_sent(prefix, None);
        self.statistics.foreign_changes += 1;
        if insists {
            self.failed.insert(prefix);
        } else {
            self.dirty.push(prefix);
        }
        true
    }
}
