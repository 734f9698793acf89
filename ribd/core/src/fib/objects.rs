//! Next-hop objects: one per (gateway, interface), one group per set of equal-cost next hops.
//!
//! This is the model of the kernel's object table. The kernel shrinks that table by itself and in
//! silence: an interface that loses carrier takes its objects with it, groups lose the members, groups
//! without members go, and so do routes whose object went. [`Objects::forget_where`] repeats exactly
//! that. An object is never shared between "what it was" and "what it is": replacing the content of an
//! object moves every route that uses it, which is the point.

use super::{FibOp, NextHopId, Put, Via};
use crate::route::{FibHop, FibHops};
use std::collections::{BTreeMap, BTreeSet};

/// Our numbers: `0x746f` is "to" of Torc, the low half counts. Nobody else's numbers are touched, and
/// neither are ours while another program's object bears them.
pub const ID_BASE: NextHopId = 0x746f_0000;
/// The last of our numbers.
pub const ID_LAST: NextHopId = ID_BASE | 0xffff;

/// What an object stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// One next hop.
    Hop(FibHop),
    /// Other objects, in ascending order. Empty only for a leftover we do not understand.
    Group(Vec<NextHopId>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    content: Content,
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

/// The object table.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    map: BTreeMap<NextHopId, Object>,
    /// One object for each content that exists; there may be more after a retarget.
    index: BTreeMap<Content, NextHopId>,
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
    pub fn hops(&self, id: NextHopId) -> FibHops {
        let mut hops = FibHops::new();
        match self.map.get(&id).map(|o| &o.content) {
            Some(Content::Hop(hop)) => hops.push(*hop),
            Some(Content::Group(members)) => {
                hops.extend(members.iter().filter_map(|m| match self.map.get(m).map(|o| &o.content) {
                    Some(Content::Hop(hop)) => Some(*hop),
                    _ => None,
                }));
                hops.sort_unstable();
            }
            None => {}
        }
        hops
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
        let mode = Put::Create;
        Some(match &self.map.get(&id)?.content {
            Content::Hop(hop) => FibOp::PutNextHop { mode, id, hop: *hop },
            Content::Group(members) => FibOp::PutGroup { mode, id, members: members.clone() },
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
        if let Content::Group(members) = &content {
            for m in members {
                if let Some(o) = self.map.get_mut(m) {
                    o.groups += 1;
                }
            }
        }
        self.index.entry(content.clone()).or_insert(id);
        self.map.insert(id, Object { content, routes: 0, groups: 0 });
    }

    /// The object for these next hops; what must be created first is appended to `ops`. `None` when all
    /// 65,536 numbers are taken.
    pub fn obtain(&mut self, hops: &[FibHop], ops: &mut Vec<FibOp>) -> Option<NextHopId> {
        if let [hop] = hops {
            return self.obtain_hop(*hop, ops);
        }
        let members = self.members(hops, ops)?;
        let content = Content::Group(members.clone());
        if let Some(id) = self.index.get(&content) {
            return Some(*id);
        }
        let id = self.free_id()?;
        self.adopt(id, content);
        ops.push(FibOp::PutGroup { mode: Put::Create, id, members });
        Some(id)
    }

    fn obtain_hop(&mut self, hop: FibHop, ops: &mut Vec<FibOp>) -> Option<NextHopId> {
        if let Some(id) = self.index.get(&Content::Hop(hop)) {
            return Some(*id);
        }
        let id = self.free_id()?;
        self.adopt(id, Content::Hop(hop));
        ops.push(FibOp::PutNextHop { mode: Put::Create, id, hop });
        Some(id)
    }

    fn members(&mut self, hops: &[FibHop], ops: &mut Vec<FibOp>) -> Option<Vec<NextHopId>> {
        let mut members = hops.iter().map(|h| self.obtain_hop(*h, ops)).collect::<Option<Vec<_>>>()?;
        members.sort_unstable();
        Some(members)
    }

    /// Can the content of `id` be replaced by `hops` in one message? The kernel never turns a single
    /// object into a group or back, and a group's member must not change under the group.
    pub fn can_retarget(&self, id: NextHopId, hops: &[FibHop]) -> bool {
        match self.map.get(&id) {
            Some(Object { content: Content::Hop(_), groups: 0, .. }) => hops.len() == 1,
            Some(Object { content: Content::Group(_), .. }) => hops.len() > 1,
            _ => false,
        }
    }

    /// Does an object for exactly these next hops exist already?
    pub fn exists(&self, hops: &[FibHop]) -> bool {
        self.index.keys().any(|c| match c {
            Content::Hop(h) => hops == [*h],
            Content::Group(members) => {
                members.len() == hops.len() && self.index.get(c).is_some_and(|id| *self.hops(*id) == *hops)
            }
        })
    }

    /// Replaces the content of `id`: all its routes move. Only after [`Objects::can_retarget`].
    pub fn retarget(&mut self, id: NextHopId, hops: &[FibHop], ops: &mut Vec<FibOp>) {
        let content = match hops {
            [hop] => {
                ops.push(FibOp::PutNextHop { mode: Put::Replace, id, hop: *hop });
                Content::Hop(*hop)
            }
            _ => {
                let Some(members) = self.members(hops, ops) else { return };
                ops.push(FibOp::PutGroup { mode: Put::Replace, id, members: members.clone() });
                Content::Group(members)
            }
        };
        self.set_content(id, content);
    }

    fn set_content(&mut self, id: NextHopId, content: Content) {
        let Some(object) = self.map.get_mut(&id) else { return };
        let old = core::mem::replace(&mut object.content, content.clone());
        self.count_membership(&old, |n| n.saturating_sub(1));
        self.count_membership(&content, |n| n + 1);
        self.unindex(&old, id);
        self.index.entry(content).or_insert(id);
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

    fn unindex(&mut self, content: &Content, id: NextHopId) {
        if self.index.get(content) == Some(&id) {
            self.index.remove(content);
        }
    }

    fn drop_object(&mut self, id: NextHopId) {
        if let Some(object) = self.map.remove(&id) {
            self.count_membership(&object.content, |n| n.saturating_sub(1));
            self.unindex(&object.content, id);
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
