//! Next-hop objects: one per (gateway, interface), and for the routes a group per set of next hops, be it of one.
//!
//! Every route points at a group, because the kernel turns no single object into a group and no group into a single
//! one: only so can whatever a route leads to become anything else in one write ([`Objects::retarget`]). The single
//! ones are but members of groups and never change, so a group that is moved moves no other.
//!
//! A group is for routes with the same alternate. The kernel is told nothing of that.
//!
//! An object is its number, not its content: where routes were moved with their object to next hops that have one
//! already, two stand for the same until the routes of one of them go elsewhere. [`MAX_TWINS`] bounds how many.
//!
//! This is the model of the kernel's object table. The kernel shrinks that table by itself and in
//! silence: an interface that loses carrier takes its objects with it, groups lose the members, groups
//! without members go, and so do routes whose object went. [`Objects::forget_where`] repeats exactly
//! that.

use super::{FibOp, NextHopId, Put, Via};
use crate::route::{FibHop, FibHops};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// Our numbers: `0x746f` is "to" of Torc, the low half counts. Nobody else's numbers are touched, and
/// neither are ours while another program's object bears them.
pub const ID_BASE: NextHopId = 0x746f_0000;
/// The last of our numbers.
pub const ID_LAST: NextHopId = ID_BASE | 0xffff;

/// Most objects for the same next hops that a move may lead to.
pub const MAX_TWINS: usize = 16;

/// What an object stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// One next hop. No route of ours points at it, except at one that a former version left.
    Hop(FibHop),
    /// Other objects, in ascending order. Empty only for a leftover we do not understand.
    Group(Vec<NextHopId>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    content: Content,
    /// The next hops it stands for, sorted.
    hops: FibHops,
    /// What it becomes when all of them are lost. The kernel does not know.
    alternate: Option<FibHop>,
    /// Routes sent through it.
    routes: usize,
    /// Groups it is in.
    groups: usize,
}

/// What [`Objects::forget_where`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// These are no more, and neither are the routes that used them.
    pub dead: BTreeSet<NextHopId>,
    /// These groups lost a member and go on.
    pub pruned: BTreeSet<NextHopId>,
}

/// Groups for the same next hops, with the alternate of each.
type Twins = SmallVec<[(Option<FibHop>, NextHopId); 2]>;

/// The object table.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    map: BTreeMap<NextHopId, Object>,
    /// The single objects, to make groups of. One each; of more that a former version left, any.
    singles: BTreeMap<FibHop, NextHopId>,
    /// The groups a route may be given, by what they stand for.
    groups: BTreeMap<FibHops, Twins>,
    /// Numbers of our range that other programs' objects bear.
    foreign: BTreeSet<NextHopId>,
    next: u32,
}

impl Objects {
    /// Number of objects.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Is there such an object?
    pub fn contains(&self, id: NextHopId) -> bool {
        self.map.contains_key(&id)
    }

    /// All objects with their content.
    pub fn iter(&self) -> impl Iterator<Item = (NextHopId, &Content)> {
        self.map.iter().map(|(id, o)| (*id, &o.content))
    }

    /// How many routes and groups use an object.
    pub fn uses(&self, id: NextHopId) -> usize {
        self.map.get(&id).map_or(0, |o| o.routes + o.groups)
    }

    /// The next hops an object stands for, sorted.
    pub fn hops(&self, id: NextHopId) -> &[FibHop] {
        self.map.get(&id).map_or(&[], |o| &o.hops)
    }

    /// Does it stand for exactly these next hops with this alternate?
    pub fn leads(&self, id: NextHopId, hops: &[FibHop], alternate: Option<FibHop>) -> bool {
        self.map.get(&id).is_some_and(|o| o.hops.as_slice() == hops && o.alternate == alternate)
    }

    /// What it becomes when all its next hops are lost.
    pub fn alternate(&self, id: NextHopId) -> Option<FibHop> {
        self.map.get(&id)?.alternate
    }

    /// Another program's object bears this number.
    pub fn reserve(&mut self, id: NextHopId) {
        if (ID_BASE..=ID_LAST).contains(&id) {
            self.foreign.insert(id);
        }
    }

    /// The number is free again.
    pub fn unreserve(&mut self, id: NextHopId) {
        self.foreign.remove(&id);
    }

    /// The request that makes sure of an object as it is.
    pub fn assertion(&self, id: NextHopId) -> Option<FibOp> {
        Some(match &self.map.get(&id)?.content {
            Content::Hop(hop) => FibOp::PutNextHop { id, hop: *hop },
            Content::Group(members) => FibOp::PutGroup { mode: Put::Create, id, members: members.clone() },
        })
    }

    /// Number of routes sent through an object.
    pub fn routes(&self, id: NextHopId) -> usize {
        self.map.get(&id).map_or(0, |o| o.routes)
    }

    /// A route goes this way now.
    pub fn acquire_via(&mut self, via: &Via) {
        if let Via::Object(id) = via {
            self.acquire(*id);
        }
    }

    /// A route went this way and does not any more.
    pub fn release_via(&mut self, via: &Via) {
        if let Via::Object(id) = via {
            self.release(*id);
        }
    }

    /// A route now uses the object.
    pub fn acquire(&mut self, id: NextHopId) {
        if let Some(o) = self.map.get_mut(&id) {
            o.routes += 1;
        }
    }

    /// A route stopped using the object.
    pub fn release(&mut self, id: NextHopId) {
        if let Some(o) = self.map.get_mut(&id) {
            o.routes = o.routes.saturating_sub(1);
        }
    }

    /// Takes over an object found in the kernel.
    pub fn adopt(&mut self, id: NextHopId, content: Content) {
        let hops = self.stands_for(&content);
        self.count_membership(&content, |n| n + 1);
        self.map.insert(id, Object { content, hops, alternate: None, routes: 0, groups: 0 });
        self.index(id);
    }

    /// The object for these next hops and this alternate; what must be created first is appended to `ops`. `None` when all
    /// 65,536 numbers are taken.
    pub fn obtain(
        &mut self,
        hops: &[FibHop],
        alternate: Option<FibHop>,
        ops: &mut Vec<FibOp>,
    ) -> Option<NextHopId> {
        if let Some(id) = self.twins(hops, alternate).next() {
            return Some(id);
        }
        let members = self.members(hops, ops)?;
        let id = self.free_id()?;
        self.adopt(id, Content::Group(members.clone()));
        self.set_alternate(id, alternate);
        ops.push(FibOp::PutGroup { mode: Put::Create, id, members });
        Some(id)
    }

    fn obtain_single(&mut self, hop: FibHop, ops: &mut Vec<FibOp>) -> Option<NextHopId> {
        if let Some(id) = self.singles.get(&hop) {
            return Some(*id);
        }
        let id = self.free_id()?;
        self.adopt(id, Content::Hop(hop));
        ops.push(FibOp::PutNextHop { id, hop });
        Some(id)
    }

    fn members(&mut self, hops: &[FibHop], ops: &mut Vec<FibOp>) -> Option<Vec<NextHopId>> {
        let mut members = hops.iter().map(|h| self.obtain_single(*h, ops)).collect::<Option<Vec<_>>>()?;
        members.sort_unstable();
        Some(members)
    }

    /// The objects for these next hops and this alternate.
    fn twins(&self, hops: &[FibHop], alternate: Option<FibHop>) -> impl Iterator<Item = NextHopId> {
        let found = self.groups.get(hops).map_or(&[][..], SmallVec::as_slice);
        found.iter().filter(move |(a, _)| *a == alternate).map(|(_, id)| *id)
    }

    /// May `id` become these next hops with this alternate in one write?
    pub fn can_retarget(&self, id: NextHopId, hops: &[FibHop], alternate: Option<FibHop>) -> bool {
        let twins = self.twins(hops, alternate).count();
        let is_ours = |o: &Object| matches!(&o.content, Content::Group(members) if !members.is_empty());
        twins < MAX_TWINS && self.map.get(&id).is_some_and(is_ours)
    }

    /// Is there an object that a route to exactly these next hops with this alternate may be given?
    pub fn exists(&self, hops: &[FibHop], alternate: Option<FibHop>) -> bool {
        self.twins(hops, alternate).next().is_some()
    }

    /// Gives this object to no route any more, because it is about to be moved.
    pub fn withhold(&mut self, id: NextHopId) {
        self.unindex(id);
    }

    /// Replaces the content of `id`, which was withheld: all its routes move. If that is not possible
    /// ([`Objects::can_retarget`], and there are numbers for new members), everything is as it was.
    pub fn retarget(
        &mut self,
        id: NextHopId,
        hops: &[FibHop],
        alternate: Option<FibHop>,
        ops: &mut Vec<FibOp>,
    ) {
        // Others may have become the same since it was asked.
        let members = self.can_retarget(id, hops, alternate).then(|| self.members(hops, ops)).flatten();
        let Some(members) = members else {
            return self.index(id);
        };
        if self.hops(id) != hops {
            ops.push(FibOp::PutGroup { mode: Put::Replace, id, members: members.clone() });
        }
        self.set_content(id, Content::Group(members));
        self.set_alternate(id, alternate);
    }

    /// Next hops are dead: objects keep what others they have, or become their alternates. Gives those that changed.
    pub fn divert(&mut self, lost: &BTreeSet<FibHop>, ops: &mut Vec<FibOp>) -> Vec<NextHopId> {
        let of = |o: &Object| -> Option<(FibHops, Option<FibHop>)> {
            let left: FibHops = o.hops.iter().copied().filter(|h| !lost.contains(h)).collect();
            if left.len() == o.hops.len() || matches!(o.content, Content::Hop(_)) {
                return None;
            }
            let alternate = o.alternate.filter(|a| !lost.contains(a));
            if left.is_empty() {
                alternate.map(|a| (FibHops::from_slice(&[a]), None))
            } else {
                Some((left, alternate))
            }
        };
        let found: Vec<_> = self.map.iter().filter_map(|(id, o)| Some((*id, of(o)?))).collect();
        let mut diverted = Vec::new();
        for (id, (hops, alternate)) in found {
            let Some(members) = self.members(&hops, ops) else { continue };
            ops.push(FibOp::PutGroup { mode: Put::Replace, id, members: members.clone() });
            self.set_content(id, Content::Group(members));
            self.set_alternate(id, alternate);
            diverted.push(id);
        }
        diverted
    }

    fn set_alternate(&mut self, id: NextHopId, alternate: Option<FibHop>) {
        self.unindex(id);
        if let Some(object) = self.map.get_mut(&id) {
            object.alternate = alternate;
        }
        self.index(id);
    }

    fn stands_for(&self, content: &Content) -> FibHops {
        let mut hops = FibHops::new();
        match content {
            Content::Hop(hop) => hops.push(*hop),
            Content::Group(members) => {
                hops.extend(members.iter().flat_map(|m| self.hops(*m)).copied());
                hops.sort_unstable();
            }
        }
        hops
    }

    fn set_content(&mut self, id: NextHopId, content: Content) {
        self.unindex(id);
        let hops = self.stands_for(&content);
        self.count_membership(&content, |n| n + 1);
        let Some(object) = self.map.get_mut(&id) else { return };
        object.hops = hops;
        let old = core::mem::replace(&mut object.content, content);
        self.count_membership(&old, |n| n.saturating_sub(1));
        self.index(id);
    }

    fn count_membership(&mut self, content: &Content, change: impl Fn(usize) -> usize) {
        if let Content::Group(members) = content {
            for m in members {
                if let Some(o) = self.map.get_mut(m) {
                    o.groups = change(o.groups);
                }
            }
        }
    }

    fn index(&mut self, id: NextHopId) {
        let Some(object) = self.map.get(&id) else { return };
        match object.content {
            Content::Hop(hop) => _ = self.singles.entry(hop).or_insert(id),
            // Nothing leads through what we do not understand.
            Content::Group(_) if object.hops.is_empty() => {}
            Content::Group(_) => {
                self.groups.entry(object.hops.clone()).or_default().push((object.alternate, id))
            }
        }
    }

    fn unindex(&mut self, id: NextHopId) {
        let Some(object) = self.map.get(&id) else { return };
        match object.content {
            Content::Hop(hop) => {
                if self.singles.get(&hop) == Some(&id) {
                    self.singles.remove(&hop);
                }
            }
            Content::Group(_) => {
                if let Some(ids) = self.groups.get_mut(&object.hops) {
                    ids.retain(|(_, i)| *i != id);
                    if ids.is_empty() {
                        self.groups.remove(&object.hops);
                    }
                }
            }
        }
    }

    fn drop_object(&mut self, id: NextHopId) {
        self.unindex(id);
        if let Some(object) = self.map.remove(&id) {
            self.count_membership(&object.content, |n| n.saturating_sub(1));
        }
    }

    /// What the kernel does when the objects for which `gone` holds disappear: groups lose them, groups
    /// left empty disappear too.
    pub fn forget_where(&mut self, gone: impl Fn(NextHopId, &Content) -> bool) -> Forgotten {
        let mut dead: BTreeSet<NextHopId> =
            self.map.iter().filter(|(id, o)| gone(**id, &o.content)).map(|(id, _)| *id).collect();
        let mut pruned = BTreeSet::new();
        if dead.is_empty() {
            return Forgotten { dead, pruned };
        }
        let groups: Vec<(NextHopId, Vec<NextHopId>)> = self
            .map
            .iter()
            .filter(|(id, _)| !dead.contains(id))
            .filter_map(|(id, o)| match &o.content {
                Content::Group(m) if m.iter().any(|x| dead.contains(x)) => {
                    Some((*id, m.iter().copied().filter(|x| !dead.contains(x)).collect()))
                }
                _ => None,
            })
            .collect();
        for (id, left) in groups {
            if left.is_empty() {
                dead.insert(id);
            } else {
                self.set_content(id, Content::Group(left));
                pruned.insert(id);
            }
        }
        for id in &dead {
            self.drop_object(*id);
        }
        Forgotten { dead, pruned }
    }

    /// Removes what neither a route nor a group uses: groups first, then the members they leave behind.
    pub fn collect_unused(&mut self, ops: &mut Vec<FibOp>) {
        loop {
            let unused: Vec<NextHopId> =
                self.map.iter().filter(|(_, o)| o.routes == 0 && o.groups == 0).map(|(id, _)| *id).collect();
            if unused.is_empty() {
                return;
            }
            for id in unused {
                self.drop_object(id);
                ops.push(FibOp::RemoveNextHop { id });
            }
        }
    }

    fn free_id(&mut self) -> Option<NextHopId> {
        for _ in 0..=(ID_LAST - ID_BASE) {
            self.next = (self.next + 1) & 0xffff;
            let id = ID_BASE | self.next;
            if !self.map.contains_key(&id) && !self.foreign.contains(&id) {
                return Some(id);
            }
        }
        None
    }
}
