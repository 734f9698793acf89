//! S5: MinLSInterval and MinLSArrival, as neighbours see them (RFC 2328 §12.4, §13 (5)(a)).
//!
//! The engine does better than the RFC's fixed waits, and the law is what it promises instead:
//!
//! * *Origination.* An instance that was sent to anybody has no successor before MinLSArrival and 50 ms
//!   have passed, or MinLSInterval where that is shorter; waits double, so two in a row take three times that. A
//!   flush never waits, but counts. Once per MinLSInterval a stale copy from a previous life may be
//!   out-sequenced at once (§13.4).
//! * *Arrival.* Between two instances of one LSA that were taken from neighbours at least MinLSArrival passes.
//! * *Holding.* A newer instance that comes earlier is taken when MinLSArrival has passed, not dropped, unless the
//!   adjacency it came over has ended: the next one begins with what its sender has then.
//! * *Stragglers.* Within MinLSArrival after a flush is done, what it ended may be dropped.
//!
//! All of it is read off databases and packets. `clear` and new processes forget, as they must.

use super::e4_authentication_sequence::refused_on;
use super::shadow::{Change, Shared};
use super::{Cause, Checker, Turn, Verdict};
use crate::frame::{Frame, OSPF};
use crate::kernel;
use crate::scenario::{Daemon, What};
use crate::segment::{End, Nature};
use crate::wire::{self, MAX_AGE};
use crate::world::World;
use core::cmp::Ordering;
use ospf_proto::lsa::{LsType, LsaKey};
use ospf_proto::lsdb::{DatabaseId, LsdbEntry, Provenance};
use ospf_proto::neighbor::{Neighbor, NeighborState};
use routing_common::id::RouterId;
use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;

/// What the engine adds to MinLSArrival.
const MARGIN: Duration = Duration::from_millis(50);

/// An LSA of one router's database.
type Place = (usize, DatabaseId, LsaKey);

/// The law.
#[derive(Debug)]
pub(super) struct Intervals {
    shadows: Shared,
    incarnations: BTreeMap<usize, u32>,
    own: BTreeMap<Place, Pace>,
    taken: BTreeMap<Place, Instant>,
    held: BTreeMap<Place, Held>,
    /// The last flush that was done: the octets of its header, and when.
    ended: BTreeMap<Place, (Vec<u8>, Instant)>,
    /// Instances of own LSAs that left in this turn: sequence number, and whether with MaxAge.
    sent: Vec<(LsaKey, i32, bool)>,
    /// Own LSAs of which somebody showed a newer instance, and when.
    stale: BTreeMap<(usize, LsaKey), Instant>,
    /// The sender of the packet of this turn, if it may flood to us, and what was discarded on that interface before.
    sender: Option<(RouterId, u64)>,
}

/// A newer instance that came early.
#[derive(Debug, Clone)]
struct Held {
    octets: Vec<u8>,
    port: usize,
    from: RouterId,
    until: Instant,
}

/// The intervals in force.
#[derive(Debug, Clone, Copy)]
struct Limits {
    arrival: Duration,
    interval: Duration,
}

/// Originations of one LSA by one process.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    sequence: i32,
    last: Option<Instant>,
    gap: Option<Duration>,
    was_sent: bool,
    was_flushed: bool,
    overridden: Option<Instant>,
}

impl Pace {
    fn originated(&mut self, at: Instant, limits: Limits, is_stale: bool) -> Verdict {
        let least = (limits.arrival + MARGIN).min(limits.interval);
        let two = least + ((limits.arrival + MARGIN) * 2).min(limits.interval);
        let gap = self.last.filter(|_| self.was_sent).map(|last| at.since(last));
        let is_early =
            gap.is_some_and(|gap| gap < least || self.gap.is_some_and(|before| before + gap < two));
        let may_override =
            is_stale && self.overridden.is_none_or(|before| at.since(before) >= limits.interval);
        let (before, last_gap) = (self.last, self.gap);
        self.last = Some(at);
        self.was_sent = false;
        self.gap = gap.filter(|_| !is_stale && !self.was_flushed);
        self.was_flushed = false;
        if is_early && !may_override {
            return Err(format!("originated again after {gap:?} ({last_gap:?} before; {before:?})"));
        }
        if is_early {
            self.overridden = Some(at);
        }
        Ok(())
    }

    fn flushed(&mut self, at: Instant) {
        (self.last, self.gap, self.was_sent, self.was_flushed) = (Some(at), None, true, true);
    }
}

impl Intervals {
    pub(super) fn new(shadows: &Shared) -> Self {
        Self {
            shadows: Shared::clone(shadows),
            incarnations: BTreeMap::new(),
            own: BTreeMap::new(),
            taken: BTreeMap::new(),
            held: BTreeMap::new(),
            ended: BTreeMap::new(),
            sent: Vec::new(),
            stale: BTreeMap::new(),
            sender: None,
        }
    }

    /// What a `clear` forgets. When LSAs were taken goes with the LSAs.
    fn forget(&mut self, router: usize) {
        self.own.retain(|(r, ..), _| *r != router);
        self.held.retain(|(r, ..), _| *r != router);
        self.sent.clear();
    }

    /// An own LSA's place changed.
    fn origination(&mut self, turn: &Turn<'_>, change: &Change, limits: Limits) -> Verdict {
        let place = (turn.router, change.database, change.key);
        let pace = self.own.entry(place).or_default();
        match &change.new {
            None => Ok(()),
            Some(new) if new.is_max_age(turn.local) => {
                // Somebody else's flush is not ours, even if we pass it on.
                let is_ours = new.provenance == Provenance::Own;
                if is_ours && self.sent.contains(&(change.key, new.lsa.header().sequence, true)) {
                    pace.flushed(turn.local);
                }
                Ok(())
            }
            Some(new) if new.provenance == Provenance::Own => {
                let jumped = change.old.as_ref().is_some_and(|old| {
                    old.provenance == Provenance::Flooded
                        || i64::from(new.lsa.header().sequence) - i64::from(old.lsa.header().sequence) > 1
                });
                let shown = self.stale.get(&(turn.router, change.key)).copied();
                let is_shown = shown.is_some_and(|at| turn.local.since(at) <= limits.arrival);
                let from_nothing = change.old.is_none() && new.lsa.header().sequence != i32::MIN + 1;
                pace.sequence = new.lsa.header().sequence;
                pace.originated(turn.local, limits, jumped || is_shown || from_nothing)
            }
            Some(_) => Ok(()),
        }
    }

    /// Somebody's LSA was taken.
    fn arrival(&mut self, turn: &Turn<'_>, change: &Change, limits: Limits) -> Verdict {
        let is_flooded =
            |e: &Option<LsdbEntry>| e.as_ref().is_some_and(|e| e.provenance == Provenance::Flooded);
        let place = (turn.router, change.database, change.key);
        if !is_flooded(&change.new) {
            self.taken.remove(&place);
            // What we make of an LSA of ours that came back (§13.4) hides that it was taken before.
            if let Some(held) = self.held.get_mut(&place) {
                held.until = turn.local + limits.arrival;
            }
            return Ok(());
        }
        let same_lsa = |old: &LsdbEntry, new: &LsdbEntry| std::sync::Arc::ptr_eq(&old.lsa, &new.lsa);
        if let (Some(old), Some(new)) = (&change.old, &change.new)
            && same_lsa(old, new)
        {
            return Ok(()); // Only flushed.
        }
        let before = self.taken.insert(place, turn.local);
        self.outdate_held(place, change, turn.local, limits)?;
        match before.filter(|_| is_flooded(&change.old)).map(|at| turn.local.since(at)) {
            Some(gap) if gap < limits.arrival => Err(format!("taken again after {gap:?}")),
            _ => Ok(()),
        }
    }

    /// Something was taken: what is held and no newer is done with, and what is newer waits again.
    fn outdate_held(&mut self, place: Place, change: &Change, now: Instant, limits: Limits) -> Verdict {
        let (Some(held), Some(new)) = (self.held.get_mut(&place), &change.new) else { return Ok(()) };
        if is_newer(&wire::lsa_header(&held.octets)?, new, now)? {
            held.until = now + limits.arrival;
        } else {
            self.held.remove(&place);
        }
        Ok(())
    }

    /// The LSAs of an update that was received: each is in the database, or older, or held.
    fn received(
        &mut self,
        world: &World,
        turn: &Turn<'_>,
        port: usize,
        lsas: &[wire::Lsa<'_>],
        changes: &[Change],
    ) -> Verdict {
        let (Some((from, discarded)), Some(engine)) = (self.sender, &world.nodes[turn.router].ospf.engine)
        else {
            return Ok(());
        };
        let limits = limits(world, turn.router);
        for lsa in lsas.iter().filter(|l| l.sums_up() && wire::check_lsa(l).is_ok()) {
            let Some(interface) = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(port)) else {
                break;
            };
            // One that was overtaken by a later packet has too low a cryptographic sequence number.
            if discarded != refused_on(interface) {
                break;
            }
            if !interface.neighbors.get(&from).is_some_and(Neighbor::is_flooded_to) {
                break; // It asked for something wrong, and the rest was not looked at.
            }
            let key = key_of(lsa);
            let database = DatabaseId::of(key.ls_type, interface.area(), interface.ifindex);
            let entry = engine.lsdb(database).and_then(|db| db.get(&key));
            let place = (turn.router, database, key);
            let Some(entry) = entry else {
                if lsa.age >= MAX_AGE {
                    self.ended.insert(place, (lsa.octets.to_vec(), turn.local));
                } else if !self.is_straggler(place, lsa, turn.local, limits) {
                    return Err(format!("{key} came and is not in the database"));
                }
                continue;
            };
            if !is_newer(lsa, entry, turn.local)? {
                continue;
            }
            // A copy of our flush may be the last acknowledgment that it waited for: what follows begins anew.
            let flushed = changes.iter().find(|c| (c.database, c.key) == (database, key));
            let flushed = flushed.and_then(|c| c.old.as_ref()).filter(|old| old.is_max_age(turn.local));
            if flushed.map_or(Ok(false), |old| is_newer(lsa, old, turn.local).map(|newer| !newer))? {
                continue;
            }
            let gate =
                self.taken.get(&place).map(|at| *at + limits.arrival).filter(|gate| *gate > turn.local);
            let Some(until) = gate else {
                return Err(format!("{key}: a newer instance came and was not taken"));
            };
            let held = Held { octets: lsa.octets.to_vec(), port, from, until };
            let is_best = self.held.get(&place).is_none_or(|before| {
                wire::lsa_header(&before.octets).is_ok_and(|before| lsa.compare(&before) == Ordering::Greater)
            });
            if is_best {
                self.held.insert(place, held);
            }
        }
        Ok(())
    }

    /// Did the flush of this instance come before it?
    fn is_straggler(&self, place: Place, lsa: &wire::Lsa<'_>, now: Instant, limits: Limits) -> bool {
        let lately = self.ended.get(&place).filter(|(_, at)| now.since(*at) < limits.arrival);
        let end = lately.and_then(|(octets, _)| wire::lsa_header(octets).ok());
        end.is_some_and(|end| wire::Lsa { age: MAX_AGE, ..end }.compare(lsa) == Ordering::Greater)
    }

    /// What came over an adjacency that is no more is void.
    fn forget_ended(&mut self, world: &World, router: usize) {
        let Some(engine) = &world.nodes[router].ospf.engine else { return };
        self.held.retain(|place, held| {
            let interface = || engine.interfaces().find(|i| i.ifindex == kernel::ifindex(held.port));
            let sender = || interface().and_then(|i| i.neighbors.get(&held.from));
            place.0 != router || sender().is_some_and(|n| n.state >= NeighborState::Exchange)
        });
    }

    /// Timers were served: what was held until now is there.
    fn released(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let Some(engine) = &world.nodes[turn.router].ospf.engine else { return Ok(()) };
        let due = |(place, held): &(&Place, &Held)| place.0 == turn.router && held.until <= turn.local;
        let due: Vec<(Place, Held)> =
            self.held.iter().filter(due).map(|(place, held)| (*place, held.clone())).collect();
        for (place, held) in due {
            self.held.remove(&place);
            let lsa = wire::lsa_header(&held.octets)?;
            let entry = engine.lsdb(place.1).and_then(|db| db.get(&place.2));
            let is_missing = match entry {
                // A flush may be done and gone, and what stands there the first instance of another life.
                _ if lsa.age >= MAX_AGE => false,
                Some(entry) => is_newer(&lsa, entry, turn.local)?,
                // An adversary's flush may have come to be held instead, and be gone already.
                None => !has_adversary(world),
            };
            if is_missing {
                return Err(format!("{}: came before MinLSArrival and was dropped", place.2));
            }
        }
        Ok(())
    }
}

/// What an adversary sends is held like anything else and may be what is newest, whatever becomes of it: a flush, or
/// one that sends an own LSA back to its first number. What of the rest is held cannot be told from outside.
fn has_adversary(world: &World) -> bool {
    let is_adversary = |what: &What| matches!(what, What::Forge { .. } | What::Replay { .. });
    world.scenario.faults.iter().any(|f| is_adversary(&f.what))
}

fn key_of(lsa: &wire::Lsa<'_>) -> LsaKey {
    LsaKey {
        ls_type: LsType::from(lsa.kind),
        link_state_id: lsa.id,
        advertising_router: RouterId(lsa.router),
    }
}

fn is_newer(lsa: &wire::Lsa<'_>, entry: &LsdbEntry, now: Instant) -> Result<bool, String> {
    let present = wire::Lsa { age: entry.age(now), ..wire::lsa_header(entry.lsa.raw())? };
    Ok(lsa.compare(&present) == Ordering::Greater)
}

fn limits(world: &World, router: usize) -> Limits {
    let ospf = world.nodes[router].config.ospf.as_ref();
    Limits {
        arrival: ospf.map_or(Duration::ZERO, |o| o.min_ls_arrival),
        interval: ospf.map_or(Duration::ZERO, |o| o.min_ls_interval),
    }
}

/// Headers of the LSAs a packet shows, whole LSAs where it has them.
fn shown<'a>(packet: &wire::Packet<'a>) -> Vec<wire::Lsa<'a>> {
    match packet.kind {
        2 => wire::lsa_headers(packet.body.get(8..).unwrap_or_default()).unwrap_or_default(),
        4 => wire::update(packet.body).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The packet of a turn, if its receiver must take it for what it is.
fn packet<'a>(world: &World, turn: &Turn<'a>) -> Option<(usize, wire::Packet<'a>)> {
    let Cause::Frame { port, frame, .. } = &turn.cause else { return None };
    let engine = world.nodes[turn.router].ospf.engine.as_ref().filter(|_| turn.daemon == Daemon::Ospf)?;
    let frame: &'a Frame = frame;
    let datagram = frame.datagram()?;
    if !matches!(datagram.payload.get(1), Some(2 | 4)) {
        return None;
    }
    let interface = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(*port))?;
    Some((*port, wire::ospf(datagram.payload, &interface.config.authentication).ok()?))
}

impl Checker for Intervals {
    fn law(&self) -> (&'static str, &'static str) {
        (
            "S5",
            "MinLSInterval between originations, MinLSArrival between arrivals, and nothing dropped for it",
        )
    }

    fn before(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        self.sent.clear();
        self.sender = None;
        let Some((port, packet)) = packet(world, turn) else { return Ok(()) };
        let Some(engine) = &world.nodes[turn.router].ospf.engine else { return Ok(()) };
        let own = RouterId(world.scenario.routers[turn.router].loopback);
        for lsa in shown(&packet).iter().filter(|l| l.router == own.0) {
            let key = key_of(lsa);
            let Some((area, _)) = engine.areas().next() else { break };
            let database = DatabaseId::of(key.ls_type, area, kernel::ifindex(port));
            let entry = engine.lsdb(database).and_then(|db| db.get(&key));
            if entry.map_or(Ok(true), |e| is_newer(lsa, e, turn.local))? {
                self.stale.insert((turn.router, key), turn.local);
            }
        }
        let interface = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(port));
        let router_id = RouterId(packet.router_id);
        let interface =
            interface.filter(|i| i.neighbors.get(&router_id).is_some_and(Neighbor::is_flooded_to));
        let Cause::Frame { nature: Nature::Genuine | Nature::Duplicate, .. } = turn.cause else {
            return Ok(());
        };
        let before = interface.map(|i| (router_id, refused_on(i)));
        self.sender = before.filter(|_| packet.kind == 4 && !has_adversary(world));
        Ok(())
    }

    fn sent(&mut self, world: &World, from: End, frame: &Frame) -> Verdict {
        let Some(datagram) = frame.datagram().filter(|d| d.protocol == OSPF) else { return Ok(()) };
        if datagram.payload.get(1) == Some(&4) {
            let own = world.scenario.routers[from.router].loopback;
            let length = usize::from(wire::u16_at(datagram.payload, 2)).min(datagram.payload.len());
            let lsas = wire::update(datagram.payload.get(24..length).unwrap_or_default()).unwrap_or_default();
            let own = lsas.iter().filter(|l| l.router == own);
            self.sent.extend(own.map(|l| (key_of(l), l.sequence, l.age >= MAX_AGE)));
        }
        Ok(())
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let node = &world.nodes[turn.router];
        if turn.daemon != Daemon::Ospf || node.ospf.engine.is_none() {
            return Ok(());
        }
        let changes = self.shadows.borrow_mut().changes(world, turn);
        let is_new = self.incarnations.insert(turn.router, node.incarnation(Daemon::Ospf))
            != Some(node.incarnation(Daemon::Ospf));
        if is_new || matches!(turn.cause, Cause::Other | Cause::Started) {
            self.forget(turn.router);
        }
        if is_new {
            self.taken.retain(|(r, ..), _| *r != turn.router);
            self.ended.retain(|(r, ..), _| *r != turn.router);
        }
        if matches!(turn.cause, Cause::Link(_) | Cause::Reconfigured) {
            self.held.retain(|(r, ..), _| *r != turn.router);
        }
        self.forget_ended(world, turn.router);
        let limits = limits(world, turn.router);
        for Change { database, key, old, new } in changes.iter() {
            if let (Some(old), None) = (old, new) {
                let place = (turn.router, *database, *key);
                self.ended.insert(place, (old.lsa.raw().to_vec(), turn.local));
            }
        }
        let own = world.scenario.routers[turn.router].loopback;
        let verdict = changes.iter().try_for_each(|change| {
            if change.key.advertising_router.0 == own {
                self.origination(turn, change, limits).map_err(|t| format!("{}: {t}", change.key))?;
            }
            self.arrival(turn, change, limits).map_err(|t| format!("{}: {t}", change.key))
        });
        let some_left = if self.sent.is_empty() { None } else { Some(&mut self.own) };
        for ((router, _, key), pace) in some_left.into_iter().flatten() {
            let is_sent = |sent: &&(LsaKey, i32, bool)| (sent.0, sent.1) == (*key, pace.sequence);
            if *router == turn.router && self.sent.iter().any(|sent| is_sent(&sent)) {
                pace.was_sent = true;
            }
        }
        let verdict = verdict.and_then(|()| match packet(world, turn) {
            Some((port, packet)) if packet.kind == 4 => {
                self.received(world, turn, port, &shown(&packet), &changes)
            }
            _ if matches!(turn.cause, Cause::Timers) => self.released(world, turn),
            _ => Ok(()),
        });
        verdict.map_err(|text| format!("{}: {text}", node.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::{entry, key, ring};
    use ospf_proto::lsa::{Lsa, LsaSpec};

    const LIMITS: Limits = Limits { arrival: Duration::from_millis(1000), interval: Duration::from_secs(5) };

    fn at(milliseconds: u64) -> Instant {
        Instant::from_millis(milliseconds)
    }

    fn originate(times: &[u64]) -> Verdict {
        let mut pace = Pace::default();
        times.iter().try_for_each(|t| {
            pace.originated(at(*t), LIMITS, false)?;
            pace.was_sent = true;
            Ok(())
        })
    }

    #[test]
    fn successors_of_what_was_sent_have_to_wait_and_ever_longer() {
        assert!(originate(&[0, 1050, 3150, 7350]).is_ok());
        assert!(originate(&[0, 1049]).is_err());
        assert!(originate(&[0, 1050, 2100]).is_err());
        let mut unsent = Pace::default();
        assert!(unsent.originated(at(0), LIMITS, false).is_ok());
        assert!(unsent.originated(at(1), LIMITS, false).is_ok());
    }

    #[test]
    fn a_stale_copy_overrides_once_per_interval_and_a_flush_counts() {
        let mut pace = Pace::default();
        pace.flushed(at(0));
        assert!(pace.originated(at(100), LIMITS, true).is_ok());
        pace.was_sent = true;
        assert!(pace.originated(at(200), LIMITS, true).is_err());
        let mut pace = Pace::default();
        pace.flushed(at(0));
        assert!(pace.originated(at(1000), LIMITS, false).is_err());
    }

    #[test]
    fn two_arrivals_need_their_time_between_them() {
        let mut law = Intervals::new(&Shared::default());
        let turn =
            |t| Turn { router: 0, daemon: Daemon::Ospf, local: at(t), cause: Cause::Timers, outputs: 0 };
        let change = |old, new| Change { database: DatabaseId::As, key: key(), old, new };
        let first = change(None, Some(entry(1, 0, 1)));
        let second = change(Some(entry(1, 0, 1)), Some(entry(2, 0, 2)));
        assert!(law.arrival(&turn(0), &first, LIMITS).is_ok());
        assert!(law.arrival(&turn(1000), &second, LIMITS).is_ok());
        assert!(law.arrival(&turn(1999), &second, LIMITS).is_err());
    }

    #[test]
    fn what_came_early_and_is_not_there_afterwards_breaks_it() {
        let world = ring(20);
        let engine = world.nodes[0].ospf.engine.as_ref().unwrap();
        let of_port = |p: usize| engine.interfaces().find(|i| i.ifindex == kernel::ifindex(p)).unwrap();
        let from = *of_port(0).neighbors.keys().next().unwrap();
        let (area, lsdb) = engine.areas().next().map(|(id, area)| (id, &area.lsdb)).unwrap();
        let (key, present) = lsdb.iter().find(|(key, _)| key.advertising_router == from).unwrap();
        let successor = |more| {
            let sequence = present.lsa.header().sequence + more;
            Lsa::build(LsaSpec { age: 1, options: 2, key: *key, sequence }, present.lsa.body())
        };
        let place = (0, DatabaseId::Area(area), *key);
        let local = world.nodes[0].clock.local(world.now);
        let turn = Turn { router: 0, daemon: Daemon::Ospf, local, cause: Cause::Timers, outputs: 0 };
        for (more, breaks) in [(0, false), (1, true)] {
            let lsa = successor(more);
            let mut law = Intervals::new(&Shared::default());
            law.sender = Some((from, 0));
            let shown = [wire::Lsa { octets: lsa.raw(), ..wire::lsa_header(lsa.raw()).unwrap() }];
            assert_eq!(law.received(&world, &turn, 0, &shown, &[]).is_err(), breaks, "nothing to wait for");
            let held = Held { octets: lsa.raw().to_vec(), port: 0, from, until: local };
            law.held.insert(place, held);
            assert_eq!(law.released(&world, &turn).is_err(), breaks);
            law.taken.insert(place, local);
            assert!(law.received(&world, &turn, 0, &shown, &[]).is_ok(), "MinLSArrival has not passed");
            assert_eq!(law.held.contains_key(&place), breaks);
        }
    }
}
