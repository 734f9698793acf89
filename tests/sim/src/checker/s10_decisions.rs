//! S10: what the RFCs leave nobody a choice in is decided as they say.
//!
//! Routers that all decide wrongly in the same way get along with each other; only beside another implementation it
//! would show. So these decisions are made a second time, from the RFCs' text and what is there to decide by:
//!
//! * the election of Designated Router and Backup (RFC 2328 §9.4), whenever its result changed in a turn;
//! * who is master of a database exchange (§10.6): the larger Router ID, as an unsigned number;
//! * whether communication is bidirectional (§10.5): as the neighbour's last Hello says;
//! * whether an Active virtual router yields to an advertisement (RFC 9568 §6.4.3), by priority and unsigned address; that
//!   one which is stopped says so, and how soon a Backup acts that heard it (§6.4.2);
//! * that a Backup waits three intervals after an advertisement of its priority or more, and without Preempt_Mode
//!   after any (§6.4.2), unless its ring says that nobody else is left on the LAN; and one interval then, unless those who
//!   left can be reached, or nobody answers for the address;
//! * that nobody answers for it, only who asked three times says, without having heard an answer or an advertisement since;
//!   and who has heard nobody since it started, an interval after that at the soonest.
//!
//! A turn that served several timers may have held several elections, between which neighbours went; where neighbours
//! went while an interface stopped waiting, nothing is said.

use super::{Cause, Checker, Turn, Verdict};
use crate::frame::{Frame, OSPF, VRRP};
use crate::kernel;
use crate::scenario::Daemon;
use crate::segment::{End, Nature};
use crate::wire;
use crate::world::World;
use ospf_proto::interface::{Interface, InterfaceState, NetworkKind};
use ospf_proto::neighbor::{Neighbor, NeighborState};
use routing_common::id::{IfIndex, RouterId};
use routing_common::machine::Machine;
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use vrrp_proto::machine::State;
use vrrp_proto::router::{Cause as Why, VirtualRouter};

/// A process that is woken a little after its deadline may be told something before.
const SLACK: Duration = Duration::from_millis(1);

/// Whoever says that nobody answers has asked so often.
const PROBES: u32 = 3;

/// The law.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    /// Interfaces of the turn's router before it.
    interfaces: BTreeMap<IfIndex, Before>,
    /// Its virtual routers, by VRID and port.
    virtuals: BTreeMap<(u8, Option<usize>), Virtual>,
    /// Ports and VRIDs of farewells sent in this turn.
    farewells: BTreeSet<(usize, u8)>,
    /// How often a router has asked for an address since it heard that somebody has it: by router, port and address, the
    /// process and the number.
    asked: BTreeMap<(usize, usize, Ipv4Addr), (u32, u32)>,
    /// What Backups last heard that told them to wait, by router, port and VRID.
    obeyed: BTreeMap<(usize, usize, u8), Obeyed>,
}

/// An advertisement that starts Active_Down_Timer afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Obeyed {
    at: Instant,
    incarnation: u32,
    stalls: u64,
}

/// An interface before a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Before {
    state: InterfaceState,
    named: Named,
    bidirectional: BTreeSet<RouterId>,
    discards: u64,
}

/// A virtual router before a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Virtual {
    state: State,
    accepted: u64,
    stalls: u64,
}

/// Designated Router and Backup.
type Named = (Option<Ipv4Addr>, Option<Ipv4Addr>);

impl Before {
    fn of(interface: &Interface) -> Self {
        Self {
            state: interface.state,
            named: (interface.designated_router, interface.backup_designated_router),
            bidirectional: bidirectional(interface),
            discards: discards(interface),
        }
    }
}

fn bidirectional(interface: &Interface) -> BTreeSet<RouterId> {
    interface
        .neighbors
        .values()
        .filter(|n| n.state >= NeighborState::TwoWay)
        .map(|n| n.id.router_id)
        .collect()
}

fn discards(interface: &Interface) -> u64 {
    interface.statistics.discards.values().map(|d| d.count).sum()
}

/// How many intervals a Backup waits at least that becomes Active now.
fn fewest_intervals(engine: &vrrp_proto::Instance, router: &VirtualRouter) -> u32 {
    let cause = router.history.iter().last().map(|t| t.cause);
    let counts = matches!(cause, Some(Why::Alone | Why::Unanswered)) && router.group.accelerate;
    match engine.attached(router).filter(|_| counts) {
        Some(evidence) if !evidence.routers.is_empty() => 3,
        Some(_) if cause == Some(Why::Unanswered) => 0,
        Some(evidence) if !evidence.left.is_empty() => 0,
        Some(_) => 1,
        None => 3,
    }
}

/// A Backup has become Active: if it says that nobody answered, had it `asked` often enough, and listened for an interval
/// if nobody was heard since its start?
fn unanswered(router: &VirtualRouter, asked: u32) -> Verdict {
    let mut back = router.history.iter().rev();
    let (Some(now), before) = (back.next(), back.next()) else { return Ok(()) };
    if now.cause != Why::Unanswered {
        return Ok(());
    }
    let vrid = router.group.vrid;
    if asked < PROBES {
        return Err(format!("vrid {vrid} is Active because nobody answered, and asked {asked} times"));
    }
    let heard = router.peers.values().map(|peer| peer.heard).max();
    let Some(started) = before.map(|t| t.at).filter(|at| heard.is_none_or(|heard| heard < *at)) else {
        return Ok(());
    };
    let listened = now.at.since(started);
    match listened < router.group.advertisement_interval {
        true => Err(format!("vrid {vrid} is Active {listened:?} after its start")),
        false => Ok(()),
    }
}

/// Somebody who may be elected.
#[derive(Debug, Clone, Copy)]
struct Eligible {
    address: Ipv4Addr,
    rank: (u8, u32),
    is_dr: bool,
    is_backup: bool,
}

/// §9.4 (2) and (3).
fn round(eligible: &[Eligible]) -> Named {
    let best = |of: &mut dyn Iterator<Item = &Eligible>| of.max_by_key(|e| e.rank).map(|e| e.address);
    let others = || eligible.iter().filter(|e| !e.is_dr);
    let backup = best(&mut others().filter(|e| e.is_backup)).or_else(|| best(&mut others()));
    (best(&mut eligible.iter().filter(|e| e.is_dr)).or(backup), backup)
}

/// §9.4, with what the router held before.
fn elect(interface: &Interface, own_id: RouterId, held: Named) -> Option<Named> {
    let own = interface.ip()?;
    let neighbors =
        interface.neighbors.values().filter(|n| n.state >= NeighborState::TwoWay && n.priority > 0);
    let others: Vec<Eligible> = neighbors
        .map(|n| Eligible {
            address: n.address,
            rank: (n.priority, n.id.router_id.to_bits()),
            is_dr: n.designated_router == n.address,
            is_backup: n.backup_designated_router == n.address,
        })
        .collect();
    let with_own = |held: Named| {
        let rank = (interface.config.priority, own_id.to_bits());
        let (is_dr, is_backup) = (held.0 == Some(own), held.1 == Some(own));
        let own = Eligible { address: own, rank, is_dr, is_backup };
        let own = Some(own).filter(|_| interface.config.priority > 0);
        round(&others.iter().copied().chain(own).collect::<Vec<_>>())
    };
    let first = with_own(held);
    let part = |named: Named| (named.0 == Some(own), named.1 == Some(own) && named.0 != Some(own));
    // (4)
    let changed = (first.0 == Some(own), first.1 == Some(own)) != part(held);
    Some(if changed { with_own(first) } else { first })
}

fn check_election(
    before: &Before,
    interface: &Interface,
    engine: &ospf_proto::Instance,
    cause: &Cause<'_>,
) -> Verdict {
    let own_id = engine.router_id();
    let named = (interface.designated_router, interface.backup_designated_router);
    let restarts = engine.restarting_until().is_some() && before.state == InterfaceState::Waiting;
    if restarts && resumes(interface, own_id, named) {
        return Ok(());
    }
    let elected = |state| state >= InterfaceState::DrOther;
    let went = before.bidirectional.difference(&bidirectional(interface)).count();
    let several =
        matches!(cause, Cause::Timers) && went > usize::from(before.state != InterfaceState::Waiting);
    if interface.kind != NetworkKind::Broadcast || named == before.named || several {
        return Ok(());
    }
    if before.state < InterfaceState::Waiting || !elected(interface.state) {
        return Ok(());
    }
    // Scheduled elections of one turn follow each other.
    let mut held = before.named;
    for _ in 0..3 {
        held = elect(interface, own_id, held).unwrap_or(held);
        if held == named {
            return Ok(());
        }
    }
    Err(format!("elected {named:?}, ought to be {held:?} after {:?}", before.named))
}

/// RFC 3623 §2 (3): who restarts gracefully is again what its neighbours say it was.
fn resumes(interface: &Interface, own_id: RouterId, named: Named) -> bool {
    let own = interface.ip();
    let names_us = own.is_some() && [named.0, named.1].contains(&own);
    // Who said so may be newly bidirectional: then an election follows, perhaps before the old Backup was heard.
    let elects = |n: &Neighbor| {
        n.state >= NeighborState::TwoWay
            && said(n).0 == own
            && elect(interface, own_id, said(n)) == Some(named)
    };
    names_us && interface.neighbors.values().any(|n| said(n) == named || elects(n))
}

fn said(neighbor: &Neighbor) -> Named {
    let some = |a: Ipv4Addr| Some(a).filter(|a| !a.is_unspecified());
    let (dr, backup) = (some(neighbor.designated_router), some(neighbor.backup_designated_router));
    // Alone eligible, a router is both to the others.
    (dr, backup.filter(|_| backup != dr))
}

fn check_masters(interface: &Interface, own_id: RouterId) -> Verdict {
    let exchanging = interface.neighbors.values().filter(|n| n.state >= NeighborState::Exchange);
    for neighbor in exchanging {
        if neighbor.is_master != (own_id.to_bits() > neighbor.id.router_id.to_bits()) {
            return Err(format!("is master: {}, of {}", neighbor.is_master, neighbor.id.router_id));
        }
    }
    Ok(())
}

impl Decisions {
    /// A Hello that was taken.
    fn check_hello(&self, world: &World, turn: &Turn<'_>, port: usize, frame: &Frame) -> Verdict {
        let ifindex = kernel::ifindex(port);
        let engine = world.nodes[turn.router].ospf.engine.as_ref();
        let interface = engine.and_then(|e| e.interfaces().find(|i| i.ifindex == ifindex));
        let (Some(interface), Some(before)) = (interface, self.interfaces.get(&ifindex)) else {
            return Ok(());
        };
        let Some(datagram) = frame.datagram() else { return Ok(()) };
        let Ok(packet) = wire::ospf(datagram.payload, &interface.config.authentication) else {
            return Ok(());
        };
        if packet.kind != 1 || discards(interface) != before.discards || !interface.is_active() {
            return Ok(());
        }
        let own = world.scenario.routers[turn.router].loopback.octets();
        let lists_us = packet.body.get(20..).unwrap_or_default().chunks(4).any(|id| id == own);
        let neighbor = interface.neighbors.get(&RouterId(packet.router_id));
        // A neighbour that restarts gracefully is kept though it has forgotten us (RFC 3623 §3).
        if neighbor.is_some_and(|n| n.helping.is_some()) {
            return Ok(());
        }
        let state = neighbor.map(|n| n.state);
        match (lists_us, state) {
            (true, Some(NeighborState::Down | NeighborState::Init) | None) => {
                Err(format!("{} lists us and is in {state:?}", packet.router_id))
            }
            (false, Some(state)) if state >= NeighborState::TwoWay => {
                Err(format!("{} does not list us and is in {state:?}", packet.router_id))
            }
            _ => Ok(()),
        }
    }

    /// An advertisement that was taken.
    fn check_advertisement(&mut self, world: &World, turn: &Turn<'_>, port: usize, frame: &Frame) -> Verdict {
        let Some(datagram) = frame.datagram() else { return Ok(()) };
        let Ok(heard) = wire::vrrp(datagram.payload, datagram.source, datagram.destination) else {
            return Ok(());
        };
        let Some(engine) = &world.nodes[turn.router].vrrp.engine else { return Ok(()) };
        let of_port = |ifindex: IfIndex| kernel::port(ifindex) == Some(port);
        let mut routers = engine.routers();
        let router = routers
            .find(|r| r.group.vrid.get() == heard.vrid && r.binding.is_some_and(|b| of_port(b.ifindex)));
        let Some((router, binding)) = router.and_then(|r| Some((r, r.binding?))) else { return Ok(()) };
        let Some(before) = self.virtuals.get(&(heard.vrid, Some(port))).copied() else { return Ok(()) };
        if router.stats.adver_rx == before.accepted || router.stats.stalls != before.stalls {
            return Ok(());
        }
        let waits = heard.priority >= router.group.priority || !(router.group.preempt || router.is_owner());
        let place = (turn.router, port, heard.vrid);
        if heard.priority > 0 && waits && router.state == State::Backup {
            let incarnation = world.nodes[turn.router].incarnation(Daemon::Vrrp);
            let obeyed = Obeyed { at: turn.local, incarnation, stalls: router.stats.stalls };
            self.obeyed.insert(place, obeyed);
        } else if heard.priority == 0 {
            self.obeyed.remove(&place);
        }
        let rank = (heard.priority, datagram.source.to_bits());
        let wins = rank > (router.group.priority, binding.primary.to_bits());
        match (before.state, heard.priority, router.state) {
            (State::Active, 1.., State::Active) if wins => {
                Err(format!("stays Active after {rank:?} was heard from {}", datagram.source))
            }
            (State::Active, _, state) if !wins && state != State::Active => {
                Err(format!("is {state:?} after {rank:?} was heard from {}", datagram.source))
            }
            (State::Backup, 0, State::Backup) => {
                let unit = if heard.version == 2 { Duration::from_secs(1) } else { router.active_interval };
                let skew = unit * (256 - u32::from(router.group.priority)) / 256;
                match engine.poll_timeout() {
                    Some(at) if at <= turn.local + skew + SLACK => Ok(()),
                    at => Err(format!("waits until {at:?} after the Active router stopped")),
                }
            }
            _ => Ok(()),
        }
    }

    /// Somebody has an address, or says that he has: what was asked before is void.
    fn forget_asking(&mut self, router: usize, port: usize, frame: &Frame) {
        let answered = frame.arp().map(|arp| arp.sender);
        let advertised = frame.datagram().filter(|d| d.protocol == VRRP);
        let advertised = advertised.and_then(|d| wire::vrrp(d.payload, d.source, d.destination).ok());
        let addresses = advertised.map(|a| a.addresses).unwrap_or_default();
        for address in addresses.into_iter().chain(answered) {
            self.asked.remove(&(router, port, address));
        }
    }

    /// Whoever became Active had waited.
    fn check_patience(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let node = &world.nodes[turn.router];
        let Some(engine) = node.vrrp.engine.as_ref() else { return Ok(()) };
        for router in engine.routers() {
            let Some(port) = router.binding.and_then(|b| kernel::port(b.ifindex)) else { continue };
            if router.state == State::Backup {
                continue;
            }
            let vrid = router.group.vrid.get();
            let was_backup =
                self.virtuals.get(&(vrid, Some(port))).is_some_and(|before| before.state == State::Backup);
            if was_backup && router.state == State::Active {
                let places = router.group.virtual_addresses.iter().map(|a| (turn.router, port, a.ip()));
                let asked = places.filter_map(|place| self.asked.remove(&place));
                let asked = asked.filter(|(incarnation, _)| *incarnation == node.incarnation(Daemon::Vrrp));
                unanswered(router, asked.map(|(_, number)| number).sum())?;
            }
            let Some(obeyed) = self.obeyed.remove(&(turn.router, port, vrid)) else { continue };
            let same =
                (obeyed.incarnation, obeyed.stalls) == (node.incarnation(Daemon::Vrrp), router.stats.stalls);
            let waited = turn.local.since(obeyed.at);
            let patience = router.active_interval * fewest_intervals(engine, router);
            if router.state == State::Active && same && waited < patience {
                return Err(format!("vrid {vrid} is Active {waited:?} after it was told to wait"));
            }
        }
        Ok(())
    }

    /// Whoever was stopped has said so.
    fn check_farewells(&self, world: &World, turn: &Turn<'_>) -> Verdict {
        let engine = world.nodes[turn.router].vrrp.engine.as_ref();
        for ((vrid, port), before) in &self.virtuals {
            let Some(port) = *port else { continue };
            // Without carrier nobody would hear it.
            if !world.nodes[turn.router].kernel.is_running(kernel::ifindex(port)) {
                continue;
            }
            let is_active = engine.is_some_and(|e| {
                e.routers().any(|r| r.group.vrid.get() == *vrid && r.state == State::Active)
            });
            if before.state == State::Active && !is_active && !self.farewells.contains(&(port, *vrid)) {
                return Err(format!("vrid {vrid} was stopped without a word"));
            }
        }
        Ok(())
    }
}

impl Checker for Decisions {
    fn law(&self) -> (&'static str, &'static str) {
        ("S10", "elections, masters, bidirectionality and who yields are as the RFCs decide them")
    }

    fn before(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let node = &world.nodes[turn.router];
        self.farewells.clear();
        self.interfaces = match &node.ospf.engine {
            Some(engine) if turn.daemon == Daemon::Ospf => {
                engine.interfaces().map(|i| (i.ifindex, Before::of(i))).collect()
            }
            _ => BTreeMap::new(),
        };
        self.virtuals = match &node.vrrp.engine {
            Some(engine) if turn.daemon == Daemon::Vrrp => engine
                .routers()
                .map(|r| {
                    let port = r.binding.and_then(|b| kernel::port(b.ifindex));
                    let (accepted, stalls) = (r.stats.adver_rx, r.stats.stalls);
                    ((r.group.vrid.get(), port), Virtual { state: r.state, accepted, stalls })
                })
                .collect(),
            _ => BTreeMap::new(),
        };
        Ok(())
    }

    fn sent(&mut self, world: &World, from: End, frame: &Frame) -> Verdict {
        if let Some(probe) = frame.arp().filter(|arp| arp.asks && arp.sender.is_unspecified()) {
            let incarnation = world.nodes[from.router].incarnation(Daemon::Vrrp);
            let asked = self.asked.entry((from.router, from.port, probe.target)).or_default();
            *asked = (incarnation, if asked.0 == incarnation { asked.1 + 1 } else { 1 });
        }
        if let Some(datagram) = frame.datagram().filter(|d| d.protocol == VRRP)
            && let [_, vrid, 0, ..] = *datagram.payload
        {
            self.farewells.insert((from.port, vrid));
        }
        Ok(())
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let node = &world.nodes[turn.router];
        let named = |text: String| format!("{}: {text}", node.name);
        let genuine = match &turn.cause {
            Cause::Frame { port, frame, nature: Nature::Genuine | Nature::Duplicate, .. } => {
                Some((*port, *frame))
            }
            _ => None,
        };
        if turn.daemon == Daemon::Vrrp {
            // Nothing in VRRP says who sent it: whatever was taken is obeyed, replayed farewells too.
            if let Cause::Frame { port, frame, .. } = &turn.cause {
                self.forget_asking(turn.router, *port, frame);
                self.check_advertisement(world, turn, *port, frame).map_err(named)?;
            }
            if matches!(turn.cause, Cause::Other) {
                self.check_farewells(world, turn).map_err(named)?;
            }
            return self.check_patience(world, turn).map_err(named);
        }
        let Some(engine) = node.ospf.engine.as_ref().filter(|_| turn.daemon == Daemon::Ospf) else {
            return Ok(());
        };
        let own_id = engine.router_id();
        for interface in engine.interfaces() {
            let of_port = |text| named(format!("{}: {text}", interface.name));
            check_masters(interface, own_id).map_err(of_port)?;
            if let Some(before) = self.interfaces.get(&interface.ifindex) {
                check_election(before, interface, engine, &turn.cause).map_err(of_port)?;
            }
        }
        match genuine {
            Some((port, frame)) if frame.datagram().is_some_and(|d| d.protocol == OSPF) => {
                self.check_hello(world, turn, port, frame).map_err(named)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;

    fn eligible(n: u8, priority: u8, is_dr: bool, is_backup: bool) -> Eligible {
        Eligible { address: Ipv4Addr::new(10, 0, 0, n), rank: (priority, u32::from(n)), is_dr, is_backup }
    }

    #[test]
    fn a_round_is_section_9_4() {
        let address = |n| Some(Ipv4Addr::new(10, 0, 0, n));
        assert_eq!(round(&[]), (None, None));
        assert_eq!(
            round(&[eligible(1, 5, false, false), eligible(2, 1, false, false)]),
            (address(1), address(1))
        );
        let sitting =
            [eligible(1, 1, true, false), eligible(2, 1, false, true), eligible(3, 9, false, false)];
        assert_eq!(round(&sitting), (address(1), address(2)));
        assert_eq!(round(&sitting[1..]), (address(2), address(2)));
        assert_eq!(round(&[eligible(1, 1, true, false), eligible(2, 1, true, false)]), (address(2), None));
    }

    #[test]
    fn a_wrong_result_and_a_wrong_master_break_it() {
        let world = ring(20);
        let engine = world.nodes[0].ospf.engine.as_ref().unwrap();
        let own_id = engine.router_id();
        let lan = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(0)).unwrap();
        let before = Before { named: (None, None), ..Before::of(lan) };
        // What it holds follows from its neighbours' words, whoever held it before.
        assert_eq!(check_election(&before, lan, engine, &Cause::Rib), Ok(()));
        let mut wrong = lan.clone();
        core::mem::swap(&mut wrong.designated_router, &mut wrong.backup_designated_router);
        assert!(check_election(&before, &wrong, engine, &Cause::Rib).is_err());
        assert_eq!(check_masters(lan, own_id), Ok(()));
        wrong.neighbors.values_mut().for_each(|n| n.is_master = !n.is_master);
        assert!(check_masters(&wrong, own_id).is_err());
    }

    #[test]
    fn a_restarted_designated_router_may_elect_before_its_backup_is_heard() {
        let world = ring(20);
        let engine = world.nodes[0].ospf.engine.as_ref().unwrap();
        let own_id = engine.router_id();
        let mut lan = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(0)).unwrap().clone();
        let own = lan.ip().unwrap();
        let other = lan.neighbors.values().next().unwrap().address;
        let unheard = Ipv4Addr::from_bits(own.to_bits() ^ 0x40);
        for neighbor in lan.neighbors.values_mut() {
            (neighbor.designated_router, neighbor.backup_designated_router) = (own, unheard);
        }
        assert!(resumes(&lan, own_id, (Some(own), Some(unheard))));
        assert!(resumes(&lan, own_id, (Some(own), Some(other))));
        assert!(!resumes(&lan, own_id, (Some(own), None)));
        assert!(!resumes(&lan, own_id, (Some(other), Some(own))));
    }

    #[test]
    fn who_says_that_nobody_answers_has_asked_and_listened() {
        let world = ring(20);
        let routers = || world.nodes.iter().filter_map(|n| n.vrrp.engine.as_ref()).flat_map(|e| e.routers());
        let active = routers().find(|r| r.state == State::Active).unwrap();
        assert_eq!(active.history.iter().last().unwrap().cause, Why::Unanswered);
        assert_eq!(unanswered(active, PROBES), Ok(()));
        assert!(unanswered(active, PROBES - 1).is_err());
        let mut hasty = active.clone();
        hasty.group.advertisement_interval = Duration::from_secs(10);
        assert!(unanswered(&hasty, PROBES).is_err());
    }

    #[test]
    fn an_answer_makes_what_was_asked_before_void() {
        let world = ring(20);
        let address = Ipv4Addr::new(192, 0, 2, 254);
        let ask = Frame::new(vrrp_proto::arp::probe_frame(kernel::mac(0, 0), address));
        let answer = Frame::arp_answer([0, 0, 0x5e, 0, 1, 9], address, ask.arp().unwrap());
        let mut law = Decisions::default();
        for _ in 0..PROBES {
            assert_eq!(law.sent(&world, End { router: 0, port: 0 }, &ask), Ok(()));
        }
        let asked = |law: &Decisions| law.asked.get(&(0, 0, address)).map(|(_, number)| *number);
        // Somebody else's question is no answer.
        law.forget_asking(0, 0, &ask);
        assert_eq!(asked(&law), Some(PROBES));
        law.forget_asking(0, 0, &answer);
        assert_eq!(asked(&law), None);
    }
}
