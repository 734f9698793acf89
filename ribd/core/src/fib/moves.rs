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

use super::{Fib, FibEntry, FibOp, NextHopId, Via};
use crate::route::{FibHops, Target};
use ipnetwork::Ipv4Network;
use std::collections::BTreeMap;

/// Fewest routes for which an object is moved where it costs another object: to next hops that have one already, or
/// from ones that routes stay with. Below it the routes are rewritten, so that objects stay one per set of next hops.
const RETARGET_MIN: usize = 64;

/// So many routes are looked at in the time one is written.
const LOOKS_PER_WRITE: usize = 32;

/// What becomes of an object's routes.
#[derive(Debug, Default)]
struct Departures<'a> {
    /// Routes that stay routes of their protocol, by where they go.
    classes: BTreeMap<&'a FibHops, usize>,
    /// All others.
    others: usize,
}

/// An object and what it is to become.
#[derive(Debug)]
struct Move {
    to: FibHops,
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
        for (id, Move { to, .. }) in &moves {
            self.statistics.retargets += u64::from(self.objects.retarget(*id, to, &mut ops));
        }
        self.queue(ops);
    }

    fn plan(&self, dirty: &[Ipv4Network]) -> BTreeMap<NextHopId, Move> {
        let mut departures: BTreeMap<NextHopId, Departures<'_>> = BTreeMap::new();
        for entry in dirty.iter().filter_map(|p| self.routes.get(p)) {
            let Some((old, Via::Object(id))) = &entry.sent else { continue };
            match &entry.wanted {
                Some((_, Target::Hops(hops))) if self.objects.hops(*id) == hops.as_slice() => {}
                Some((protocol, Target::Hops(hops))) if protocol == old => {
                    *departures.entry(*id).or_default().classes.entry(hops).or_default() += 1;
                }
                None if entry.held => {}
                _ => departures.entry(*id).or_default().others += 1,
            }
        }
        departures.into_iter().filter_map(|(id, d)| Some((id, self.worth_a_move(id, &d)?))).collect()
    }

    fn worth_a_move(&self, id: NextHopId, departures: &Departures<'_>) -> Option<Move> {
        // Of equal classes the first: which is chosen must not depend on anything else.
        let (hops, count) = departures.classes.iter().rev().max_by_key(|(_, count)| **count)?;
        let all = self.objects.routes(id);
        let staying = all.saturating_sub(departures.others + departures.classes.values().sum::<usize>());
        let rest = all.saturating_sub(*count);
        let costs_an_object = rest > 0 || self.objects.exists(hops);
        let finds_its_cost = staying == 0 || *count > staying + self.routes_looked_at();
        let worth = (!costs_an_object || *count >= RETARGET_MIN) && finds_its_cost;
        (worth && self.objects.can_retarget(id, hops)).then(|| Move { to: (*hops).clone(), rest, staying })
    }

    /// What looking for the routes that stay costs, in writes.
    fn routes_looked_at(&self) -> usize {
        self.routes.len() / LOOKS_PER_WRITE
    }

    /// Takes the routes that are not to come along off the objects that are about to be moved.
    fn take_rest_off(&mut self, dirty: &[Ipv4Network], moves: &BTreeMap<NextHopId, Move>) {
        let remains = |entry: &FibEntry| {
            let Some((protocol, Via::Object(id))) = &entry.sent else { return false };
            let Some(Move { to, .. }) = moves.get(id) else { return false };
            !matches!(&entry.wanted, Some((p, Target::Hops(hops))) if p == protocol && hops == to)
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
            ops.push(op);
            self.queue(core::mem::take(&mut ops));
        }
    }

    /// The request that takes a route to another object with the content its present one still has.
    fn stay(&mut self, prefix: Ipv4Network, ops: &mut Vec<FibOp>) -> Option<FibOp> {
        let entry = self.routes.get_mut(&prefix)?;
        let Some((protocol, Via::Object(id))) = entry.sent else { return None };
        let hops = FibHops::from_slice(self.objects.hops(id));
        let via =
            self.objects.obtain(&hops, ops).map_or_else(|| Via::Plain(hops.as_slice().into()), Via::Object);
        self.objects.acquire_via(&via);
        self.objects.release(id);
        entry.sent = Some((protocol, via.clone()));
        Some(FibOp::InstallRoute { prefix, protocol, via })
    }
}
