//! Wanted against sent, and the requests that make up the difference. Answers are in `answers`.

use super::objects::Objects;
use super::{FibEntry, FibOp, FibRequest, FibStatistics, NextHopId, Via};
use crate::route::{FibHop, FibHops, Target};
use ipnetwork::Ipv4Network;
use prefix_trie::PrefixMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Install(Ipv4Network, u8),
    Removal(Ipv4Network, u8),
    Object(NextHopId),
    ObjectRemoval(NextHopId),
}

/// See the module text of [`crate::fib`].
#[derive(Debug, Clone)]
pub struct Fib {
    /// In a trie like the table: a map with nodes for several entries has a third more room than it needs.
    pub(super) routes: PrefixMap<Ipv4Network, FibEntry>,
    pub(super) objects: Objects,
    objects_wanted: bool,
    objects_supported: bool,
    /// Prefixes to compare, in any order and perhaps twice.
    pub(super) dirty: Vec<Ipv4Network>,
    /// Prefixes to compare, too, once no client has more to tell of the same change: those of routes that go from one object
    /// to another.
    pub(super) moving: Vec<Ipv4Network>,
    pub(super) holds_moves: bool,
    /// Objects whose next hops were lost, until it is known what is wanted instead.
    pub(super) diverted: BTreeSet<NextHopId>,
    pub(super) failed: BTreeSet<Ipv4Network>,
    /// Something that had not failed before failed since this was last asked.
    pub(super) fresh_failure: bool,
    /// Objects that should be gone but whose removal was refused.
    pub(super) stuck_objects: BTreeSet<NextHopId>,
    /// Objects named by refused routes.
    pub(super) suspects: BTreeSet<NextHopId>,
    /// Requests issued and not answered, oldest first; the first one's number is `done + 1`.
    pub(super) under_way: VecDeque<Subject>,
    pub(super) done: u64,
    requests: VecDeque<FibRequest>,
    pub(super) statistics: FibStatistics,
}

impl Default for Fib {
    fn default() -> Self {
        Self {
            routes: PrefixMap::new(),
            objects: Objects::default(),
            objects_wanted: true,
            objects_supported: true,
            dirty: Vec::new(),
            moving: Vec::new(),
            holds_moves: false,
            diverted: BTreeSet::new(),
            failed: BTreeSet::new(),
            fresh_failure: false,
            stuck_objects: BTreeSet::new(),
            suspects: BTreeSet::new(),
            under_way: VecDeque::new(),
            done: 0,
            requests: VecDeque::new(),
            statistics: FibStatistics::default(),
        }
    }
}

impl Fib {
    /// The entry of a prefix.
    pub fn get(&self, prefix: Ipv4Network) -> Option<&FibEntry> {
        self.routes.get(&prefix)
    }

    /// All entries in prefix order.
    pub fn iter(&self) -> impl Iterator<Item = (Ipv4Network, &FibEntry)> {
        self.routes.iter()
    }

    /// The object table.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The objects with a request that is not answered yet.
    pub fn objects_under_way(&self) -> BTreeSet<NextHopId> {
        let objects = self.under_way.iter().filter_map(|s| match s {
            Subject::Object(id) => Some(*id),
            Subject::Install(..) | Subject::Removal(..) | Subject::ObjectRemoval(_) => None,
        });
        objects.collect()
    }

    pub(super) fn objects_mut(&mut self) -> &mut Objects {
        &mut self.objects
    }

    /// Counters.
    pub fn statistics(&self) -> FibStatistics {
        self.statistics
    }

    /// Are routes installed through objects?
    pub fn uses_objects(&self) -> bool {
        self.objects_wanted && self.objects_supported
    }

    /// The number of the latest request issued.
    pub fn issued(&self) -> u64 {
        self.done + self.under_way.len() as u64
    }

    /// All requests up to this number are over.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Does some request wait for another attempt?
    pub fn has_failed(&self) -> bool {
        !self.failed.is_empty() || !self.stuck_objects.is_empty()
    }

    /// Has anything failed that had not failed before? Says so once.
    pub fn take_fresh_failure(&mut self) -> bool {
        core::mem::take(&mut self.fresh_failure)
    }

    /// Is this prefix in the kernel as wanted, answered and without error?
    pub fn is_installed(&self, prefix: Ipv4Network) -> bool {
        self.get(prefix).is_some_and(|e| {
            e.wanted.is_some() && e.sent.is_some() && e.error().is_none() && e.token <= self.done
        })
    }

    /// The next request, in order.
    pub fn poll_request(&mut self) -> Option<FibRequest> {
        self.requests.pop_front()
    }

    /// The operator's wish; changes the form of every route.
    pub fn set_objects_wanted(&mut self, wanted: bool) {
        if core::mem::replace(&mut self.objects_wanted, wanted) != wanted {
            self.dirty.extend(self.routes.keys());
        }
    }

    pub(super) fn set_objects_supported(&mut self, supported: bool) {
        if core::mem::replace(&mut self.objects_supported, supported) != supported {
            self.dirty.extend(self.routes.keys());
        }
    }

    /// The table's selection for a prefix.
    pub fn want(&mut self, prefix: Ipv4Network, wanted: Option<(u8, Target)>) {
        let entry = self.routes.entry(prefix).or_default();
        if wanted.is_some() {
            entry.held = false;
        }
        if entry.wanted != wanted {
            let protocol = |w: &Option<(u8, Target)>| w.as_ref().map(|(protocol, _)| *protocol);
            if protocol(&entry.wanted) != protocol(&wanted) {
                entry.set_alternate(None);
            }
            entry.wanted = wanted;
            if entry.moves() { &mut self.moving } else { &mut self.dirty }.push(prefix);
        } else if entry.wanted.is_none() && entry.sent.is_none() && entry.token <= self.done {
            self.routes.remove(&prefix);
        }
    }

    /// Issues what is needed to make the kernel hold what is wanted.
    pub fn commit(&mut self) {
        let mut dirty = core::mem::take(&mut self.dirty);
        if !self.holds_moves {
            dirty.append(&mut self.moving);
            self.doubt_diverted(&mut dirty);
        }
        dirty.sort_unstable();
        dirty.dedup();
        self.move_objects(&dirty);
        let mut ops = Vec::new();
        for prefix in dirty {
            let Some(op) = self.difference(prefix, &mut ops) else { continue };
            self.issue_after(&mut ops, op);
        }
        self.collect_unused();
    }

    /// Unused objects go only when every route that could still use them has been answered.
    fn collect_unused(&mut self) {
        if self.under_way.is_empty() {
            let mut ops = Vec::new();
            self.objects.collect_unused(&mut ops);
            self.queue(ops);
        }
    }

    /// The request that brings one prefix closer to what is wanted; objects it needs go to `ops`. Looks the
    /// prefix up once, and notes there the number that the request will have: this is the inner loop of a large change.
    pub(super) fn difference(&mut self, prefix: Ipv4Network, ops: &mut Vec<FibOp>) -> Option<FibOp> {
        let (with_objects, issued) = (self.uses_objects(), self.issued());
        let entry = self.routes.get_mut(&prefix)?;
        if entry.held && entry.wanted.is_none() {
            return None;
        }
        let Some((protocol, target)) = &entry.wanted else {
            let Some((protocol, via)) = entry.sent.take() else {
                self.failed.remove(&prefix);
                if entry.token <= self.done {
                    self.routes.remove(&prefix);
                }
                return None;
            };
            self.objects.release_via(&via);
            entry.token = issued + 1;
            return Some(FibOp::RemoveRoute { prefix, protocol });
        };
        let protocol = *protocol;
        let alternate = entry.paths().and_then(|(.., alternate)| alternate);
        let objects = &mut self.objects;
        let satisfied = entry.sent.as_ref().is_some_and(|(p, via)| {
            *p == protocol && satisfies(objects, with_objects, via, target, alternate)
        });
        if satisfied && entry.error().is_none() {
            return None;
        }
        let via = via_for(objects, with_objects, target, alternate, ops);
        objects.acquire_via(&via);
        if let Some((_, old)) = entry.sent.replace((protocol, via.clone())) {
            objects.release_via(&old);
        }
        entry.token = issued + ops.len() as u64 + 1;
        Some(FibOp::InstallRoute { prefix, protocol, via })
    }

    pub(super) fn set_sent(&mut self, prefix: Ipv4Network, sent: Option<(u8, Via)>) {
        let Some(entry) = self.routes.get_mut(&prefix) else { return };
        if let Some((_, via)) = &sent {
            self.objects.acquire_via(via);
        }
        if let Some((_, via)) = core::mem::replace(&mut entry.sent, sent) {
            self.objects.release_via(&via);
        }
    }

    /// Issues requests that nobody has noted the numbers of.
    pub(super) fn queue(&mut self, ops: impl IntoIterator<Item = FibOp>) {
        for op in ops {
            let token = self.issued() + 1;
            if let FibOp::InstallRoute { prefix, .. } | FibOp::RemoveRoute { prefix, .. } = &op
                && let Some(entry) = self.routes.get_mut(prefix)
            {
                entry.token = token;
            }
            self.issue(op);
        }
    }

    /// Issues the request of a route that notes its number already, after those it needs.
    pub(super) fn issue_after(&mut self, needed: &mut Vec<FibOp>, op: FibOp) {
        needed.drain(..).for_each(|op| self.issue(op));
        self.issue(op);
    }

    fn issue(&mut self, op: FibOp) {
        self.under_way.push_back(match &op {
            FibOp::PutNextHop { id, .. } | FibOp::PutGroup { id, .. } => Subject::Object(*id),
            FibOp::RemoveNextHop { id } => Subject::ObjectRemoval(*id),
            FibOp::InstallRoute { prefix, protocol, .. } => Subject::Install(*prefix, *protocol),
            FibOp::RemoveRoute { prefix, protocol } => Subject::Removal(*prefix, *protocol),
        });
        self.requests.push_back(FibRequest { token: self.issued(), op });
    }

    /// Lets go of routes found at start for which `gone` holds.
    pub fn release_held(&mut self, gone: impl Fn(Ipv4Network, u8) -> bool) {
        for (prefix, entry) in self.routes.iter_mut() {
            if entry.held && entry.sent.as_ref().is_none_or(|(protocol, _)| gone(prefix, *protocol)) {
                entry.held = false;
                self.dirty.push(prefix);
            }
        }
    }

    /// How many routes found at start are still nobody's.
    pub fn held(&self) -> usize {
        self.routes.values().filter(|e| e.held).count()
    }

    pub(super) fn take_over_routes(
        &mut self,
        mut found: BTreeMap<Ipv4Network, (u8, Via)>,
        hold: impl Fn(Ipv4Network, u8) -> bool,
    ) -> usize {
        let mut missing = 0;
        for (prefix, entry) in self.routes.iter_mut() {
            let kernel = found.remove(&prefix);
            if kernel.is_none() && entry.sent.is_some() {
                missing += 1;
            }
            entry.residue = kernel.as_ref().map(|(protocol, _)| *protocol);
            entry.sent = kernel;
            self.dirty.push(prefix);
        }
        for (prefix, (protocol, via)) in found {
            let held = hold(prefix, protocol);
            let (sent, residue) = (Some((protocol, via)), Some(protocol));
            let entry = FibEntry { sent, residue, held, ..FibEntry::default() };
            self.routes.insert(prefix, entry);
            self.dirty.push(prefix);
        }
        let used: Vec<NextHopId> = self
            .routes
            .values()
            .filter_map(|e| match e.sent {
                Some((_, Via::Object(id))) => Some(id),
                _ => None,
            })
            .collect();
        for id in used {
            self.objects.acquire(id);
        }
        missing
    }
}

/// Does what was sent lead where the target leads, in the form now in use?
fn satisfies(
    objects: &Objects,
    with_objects: bool,
    via: &Via,
    target: &Target,
    alternate: Option<FibHop>,
) -> bool {
    match (via, target) {
        (Via::Blackhole, Target::Blackhole) => true,
        (Via::Object(id), Target::Hops(hops)) => with_objects && objects.leads(*id, hops, alternate),
        (Via::Plain(have), Target::Hops(hops)) => !with_objects && **have == **hops,
        _ => false,
    }
}

/// The form in which the kernel gets a target; objects it needs go to `ops`.
fn via_for(
    objects: &mut Objects,
    with_objects: bool,
    target: &Target,
    alternate: Option<FibHop>,
    ops: &mut Vec<FibOp>,
) -> Via {
    match target {
        Target::Blackhole => Via::Blackhole,
        Target::Hops(hops) if with_objects => via_object(objects, hops, alternate, ops),
        Target::Hops(hops) => Via::Plain(hops.as_slice().into()),
    }
}

/// An object for these next hops, or where numbers are used up the next hops themselves.
pub(super) fn via_object(
    objects: &mut Objects,
    hops: &FibHops,
    alternate: Option<FibHop>,
    ops: &mut Vec<FibOp>,
) -> Via {
    objects.obtain(hops, alternate, ops).map_or_else(|| Via::Plain(hops.as_slice().into()), Via::Object)
}
