//! Many routes moved with one write.
//!
//! Where most routes of an object go to the same other next hops, the object becomes those and they move with it,
//! however many they are. The rest is taken off it first, on to objects of their own: a packet is never sent where
//! neither the former nor the new route of its destination leads. A route that does not change at all is among that
//! rest; to find those, all routes are looked at, which is only done where it costs less than it saves.
//!
//! What moves must be seen as a whole for that. A client that tells a large change in several messages says so
//! ([`ClientMessage::Part`](crate::message::ClientMessage::Part)), and until the last of them routes that would move from one object to
//! another wait ([`Fib::hold_moves`]); what is new, gone or lost does not.
//!
//! *Alternates.* A client may say beforehand where packets of a route go when its next hops are lost. Routes share an object
//! only if they share that too, so that a client's word that a neighbour is dead ([`Fib::lose`]) is one write for each object
//! of it. The client tells what becomes of the routes right after it, and nothing more is written where that is the same.

use super::reconcile::via_object;
use super::{Fib, FibEntry, FibOp, NextHopId, Put, Via};
use crate::message::Protocol;
use crate::route::{FibHop, FibHops, kernel_protocol};
use ipnetwork::Ipv4Network;
use std::collections::{BTreeMap, BTreeSet};

/// Fewest routes for which an object is moved where it costs another object: to next hops that have one already, or
/// from ones that routes stay with. Below it the routes are rewritten, so that objects stay one per set of next hops.
const RETARGET_MIN: usize = 64;

/// So many routes are looked at in the time one is written.
const LOOKS_PER_WRITE: usize = 32;

/// What becomes of an object's routes.
#[derive(Debug, Default)]
struct Departures<'a> {
    /// Routes that stay routes of their protocol, by where they go.
    classes: BTreeMap<(&'a FibHops, Option<FibHop>), usize>,
    /// All others.
    others: usize,
}

/// An object and what it is to become.
#[derive(Debug)]
struct Move {
    to: FibHops,
    alternate: Option<FibHop>,
    /// Routes that are not to come along.
    rest: usize,
    /// Those among them that stay where they are.
    staying: usize,
}

impl Fib {
    /// While `hold` is set, routes that would go from one object to another wait for those that are still to be told.
    pub fn hold_moves(&mut self, hold: bool) {
        self.holds_moves = hold;
    }

    /// Where the route of a protocol to a prefix leads when all its next hops are lost.
    pub fn set_alternate(&mut self, prefix: Ipv4Network, protocol: Protocol, alternate: Option<FibHop>) {
        let Some(entry) = self.routes.get_mut(&prefix) else { return };
        let is_its = entry.wanted.as_ref().is_some_and(|(p, _)| Some(*p) == kernel_protocol(protocol));
        if is_its && entry.set_alternate(alternate) && entry.moves() {
            self.moving.push(prefix);
        }
    }

    /// No route of a protocol has an alternate any more.
    pub fn forget_alternates(&mut self, protocol: Protocol) {
        let number = kernel_protocol(protocol);
        for (prefix, entry) in self.routes.iter_mut() {
            if entry.wanted.as_ref().is_some_and(|(p, _)| Some(*p) == number) && entry.set_alternate(None) {
                self.moving.push(prefix);
            }
        }
    }

    /// Next hops are dead. What that makes of objects is put right as soon as it is known what is wanted.
    pub fn lose(&mut self, lost: &BTreeSet<FibHop>) {
        if self.uses_objects() {
            let mut ops = Vec::new();
            self.diverted.extend(self.objects.divert(lost, &mut ops));
            self.replace(ops);
        }
    }

    fn replace(&mut self, ops: Vec<FibOp>) {
        let replaces = |op: &&FibOp| matches!(op, FibOp::PutGroup { mode: Put::Replace, .. });
        self.statistics.retargets += ops.iter().filter(replaces).count() as u64;
        self.queue(ops);
    }

    /// The routes of objects that were diverted are compared with what is wanted.
    pub(super) fn doubt_diverted(&mut self, dirty: &mut Vec<Ipv4Network>) {
        let diverted = core::mem::take(&mut self.diverted);
        if !diverted.is_empty() {
            let through =
                |e: &FibEntry| matches!(&e.sent, Some((_, Via::Object(id))) if diverted.contains(id));
            dirty.extend(self.routes.iter().filter(|(_, e)| through(e)).map(|(p, _)| p));
        }
    }

    /// Moves the objects of which that is worth it.
    pub(super) fn move_objects(&mut self, dirty: &[Ipv4Network]) {
        if !self.uses_objects() {
            return;
        }
        let moves = self.plan(dirty);
        // First of all: none of them may be given to what is taken off another.
        moves.keys().for_each(|id| self.objects.withhold(*id));
        self.take_rest_off(dirty, &moves);
        let mut ops = Vec::new();
        for (id, Move { to, alternate, .. }) in &moves {
            self.objects.retarget(*id, to, *alternate, &mut ops);
        }
        self.replace(ops);
    }

    fn plan(&self, dirty: &[Ipv4Network]) -> BTreeMap<NextHopId, Move> {
        let mut departures: BTreeMap<NextHopId, Departures<'_>> = BTreeMap::new();
        for entry in dirty.iter().filter_map(|p| self.routes.get(p)) {
            let Some((old, Via::Object(id))) = &entry.sent else { continue };
            match entry.paths() {
                Some((protocol, hops, alternate)) if protocol == *old => {
                    if !self.objects.leads(*id, hops, alternate) {
                        let departures = departures.entry(*id).or_default();
                        *departures.classes.entry((hops, alternate)).or_default() += 1;
                    }
                }
                None if entry.held => {}
                _ => departures.entry(*id).or_default().others += 1,
            }
        }
        departures.into_iter().filter_map(|(id, d)| Some((id, self.worth_a_move(id, &d)?))).collect()
    }

    fn worth_a_move(&self, id: NextHopId, departures: &Departures<'_>) -> Option<Move> {
        // Of equal classes the first: which is chosen must not depend on anything else.
        let ((hops, alternate), count) = departures.classes.iter().rev().max_by_key(|(_, count)| **count)?;
        let all = self.objects.routes(id);
        let staying = all.saturating_sub(departures.others + departures.classes.values().sum::<usize>());
        let rest = all.saturating_sub(*count);
        let only_in_name = self.objects.hops(id) == hops.as_slice();
        let costs_an_object = rest > 0 || (!only_in_name && self.objects.exists(hops, *alternate));
        let finds_its_cost = staying == 0 || *count > staying + self.routes_looked_at();
        let worth = (!costs_an_object || *count >= RETARGET_MIN) && finds_its_cost;
        let possible = worth && self.objects.can_retarget(id, hops, *alternate);
        possible.then(|| Move { to: (*hops).clone(), alternate: *alternate, rest, staying })
    }

    /// What looking for the routes that stay costs, in writes.
    fn routes_looked_at(&self) -> usize {
        self.routes.len() / LOOKS_PER_WRITE
    }

    /// Takes the routes that are not to come along off the objects that are about to be moved.
    fn take_rest_off(&mut self, dirty: &[Ipv4Network], moves: &BTreeMap<NextHopId, Move>) {
        let remains = |entry: &FibEntry| {
            let Some((protocol, Via::Object(id))) = &entry.sent else { return false };
            let Some(Move { to, alternate, .. }) = moves.get(id) else { return false };
            entry.paths() != Some((*protocol, to, *alternate))
        };
        let rest: Vec<Ipv4Network> = if moves.values().any(|m| m.staying > 0) {
            self.routes.iter().filter(|(_, e)| remains(e)).map(|(p, _)| p).collect()
        } else if moves.values().any(|m| m.rest > 0) {
            let of_dirty = dirty.iter().filter(|p| self.routes.get(p).is_some_and(remains));
            of_dirty.copied().collect()
        } else {
            return;
        };
        let mut ops = Vec::new();
        for prefix in rest {
            // What waits for another attempt goes on waiting.
            let by_itself = dirty.binary_search(&prefix).is_ok().then(|| self.difference(prefix, &mut ops));
            let Some(op) = by_itself.flatten().or_else(|| self.stay(prefix, &mut ops)) else { continue };
            self.issue_after(&mut ops, op);
        }
    }

    /// The request that takes a route to another object with the content its present one still has.
    fn stay(&mut self, prefix: Ipv4Network, ops: &mut Vec<FibOp>) -> Option<FibOp> {
        let issued = self.issued();
        let entry = self.routes.get_mut(&prefix)?;
        let Some((protocol, Via::Object(id))) = entry.sent else { return None };
        let hops = FibHops::from_slice(self.objects.hops(id));
        let alternate = self.objects.alternate(id);
        let via = via_object(&mut self.objects, &hops, alternate, ops);
        self.objects.acquire_via(&via);
        self.objects.release(id);
        entry.sent = Some((protocol, via.clone()));
        entry.token = issued + ops.len() as u64 + 1;
        Some(FibOp::InstallRoute { prefix, protocol, via })
    }
}
