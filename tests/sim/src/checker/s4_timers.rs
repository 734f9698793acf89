//! S4: whatever waits for something has the timer that ends the wait, and no timer belongs to nobody.
//!
//! A missing timer is a neighbour that never dies or an exchange that never goes on, and shows only when a
//! packet is lost at the wrong moment; a timer left behind acts on somebody else later. One that is set to more than
//! the configured interval comes too late for those who count on it. Of VRRP, whose timers are
//! not public, the earliest is known: in Backup and Active it must be there and near.

use super::{Checker, Turn, Verdict};
use crate::scenario::Daemon;
use crate::wire::MAX_AGE;
use crate::world::World;
use ospf_proto::instance::TimerKey;
use ospf_proto::interface::{Interface, InterfaceState};
use ospf_proto::lsdb::{DatabaseId, Lsdb};
use ospf_proto::neighbor::{Neighbor, NeighborState};
use routing_common::id::{IfIndex, RouterId};
use routing_common::machine::Machine;
use routing_common::time::{Duration, Instant};
use vrrp_proto::machine::State;

/// How often ages, which tick in seconds, are looked at (ns).
const AGES_EVERY: u64 = 4_000_000_000;

/// The law.
#[derive(Debug)]
pub(super) struct Timers;

impl Checker for Timers {
    fn law(&self) -> (&'static str, &'static str) {
        ("S4", "every wait has its timer, and every timer its owner")
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let node = &world.nodes[turn.router];
        let verdict = match turn.daemon {
            Daemon::Ospf => node.ospf.engine.as_ref().map_or(Ok(()), |engine| {
                let interfaces: Vec<&Interface> = engine.interfaces().collect();
                let armed: Vec<(TimerKey, Instant)> = engine.armed_timers().collect();
                judge(&interfaces, &armed, |database| engine.lsdb(database).is_some())?;
                restart(engine, &armed)?;
                armed.iter().try_for_each(|timer| in_time(&interfaces, *timer, turn.local))
            }),
            Daemon::Vrrp => node.vrrp.engine.as_ref().map_or(Ok(()), |e| vrrp(e, turn.local)),
            Daemon::Rib | Daemon::Bfd => Ok(()),
        };
        verdict.map_err(|text| format!("{}: {text}", node.name))
    }

    /// LSAs have their ages in an index of each database's own.
    fn sweep(&mut self, world: &World) -> Verdict {
        if !world.now.as_nanos().is_multiple_of(AGES_EVERY) {
            return Ok(());
        }
        for node in &world.nodes {
            let Some(engine) = &node.ospf.engine else { continue };
            let now = node.clock.local(world.now);
            let areas = engine.areas().map(|(_, area)| &area.lsdb);
            areas
                .chain(engine.lsdb(DatabaseId::As))
                .try_for_each(|lsdb| ages(lsdb, now))
                .map_err(|text| format!("{}: {text}", node.name))?;
        }
        Ok(())
    }
}

fn interface<'a>(interfaces: &[&'a Interface], ifindex: IfIndex) -> Option<&'a Interface> {
    interfaces.iter().find(|i| i.ifindex == ifindex).copied()
}

/// `armed` in the order of the timers.
fn judge(
    interfaces: &[&Interface],
    armed: &[(TimerKey, Instant)],
    exists: impl Fn(DatabaseId) -> bool,
) -> Verdict {
    let mut wanted = Vec::with_capacity(armed.len());
    for interface in interfaces {
        let (hello, announcement) =
            (TimerKey::Hello(interface.ifindex), TimerKey::Announcement(interface.ifindex));
        if interface.is_active() {
            // RFC 3623 §5: grace-LSAs come before the first Hello.
            let announces = armed.iter().any(|(timer, _)| *timer == announcement);
            wanted.push(if announces { announcement } else { hello });
        }
        if interface.state == InterfaceState::Waiting {
            wanted.push(TimerKey::Wait(interface.ifindex));
        }
        for neighbor in interface.neighbors.values() {
            wanted.extend(of_neighbor(neighbor));
        }
    }
    let runs = |timer: &TimerKey| armed.binary_search_by_key(timer, |(key, _)| *key).is_ok();
    if let Some(missing) = wanted.iter().find(|timer| !runs(timer)) {
        return Err(format!("{missing:?} does not run"));
    }
    let neighbor =
        |ifindex: &IfIndex, router: &RouterId| interface(interfaces, *ifindex)?.neighbors.get(router);
    let is_owned = |timer: &TimerKey| match timer {
        // Whatever runs of these beyond the wanted ones has ended, but for what a list that became empty
        // leaves behind.
        TimerKey::Hello(_) | TimerKey::Wait(_) | TimerKey::Inactivity(..) => wanted.contains(timer),
        TimerKey::DatabaseDescription(..) => wanted.contains(timer),
        TimerKey::SlaveHold(i, r) => neighbor(i, r).is_some_and(|n| n.state >= NeighborState::Loading),
        TimerKey::LinkStateRequest(i, r) => neighbor(i, r).is_some_and(Neighbor::is_synchronizing),
        TimerKey::Retransmission(i, r) => neighbor(i, r).is_some_and(Neighbor::is_flooded_to),
        TimerKey::DelayedAck(i) | TimerKey::FloodPacing(i) => {
            interface(interfaces, *i).is_some_and(Interface::is_active)
        }
        TimerKey::HeldArrival(db, _) | TimerKey::Originate(db, _) | TimerKey::ForgetOwn(db, _) => exists(*db),
        TimerKey::BfdLinger | TimerKey::BfdBridge | TimerKey::BfdProbation | TimerKey::BfdEndSync => true,
        TimerKey::Announcement(_) | TimerKey::Helping(..) => wanted.contains(timer),
        TimerKey::EarlySpf
        | TimerKey::Alternates
        | TimerKey::EndSync
        | TimerKey::Shutdown
        | TimerKey::Startup
        | TimerKey::RestartCandidate
        | TimerKey::GracePeriod
        | TimerKey::RestartSilence
        | TimerKey::Departure
        | TimerKey::Save => true,
    };
    match armed.iter().find(|(timer, _)| !is_owned(timer)) {
        Some((timer, _)) => Err(format!("{timer:?} runs for nobody")),
        None => Ok(()),
    }
}

/// A restart that is graceful, or may be, ends at some time (RFC 3623 §2.2).
fn restart(engine: &ospf_proto::Instance, armed: &[(TimerKey, Instant)]) -> Verdict {
    let runs = |wanted: TimerKey| armed.iter().any(|(timer, _)| *timer == wanted);
    let states = [
        (TimerKey::GracePeriod, engine.restarting_until().is_some()),
        (TimerKey::RestartSilence, engine.restarting_until().is_some()),
        (TimerKey::RestartCandidate, engine.is_restart_candidate()),
    ];
    match states.into_iter().find(|(timer, wanted)| runs(*timer) != *wanted) {
        Some((timer, true)) => Err(format!("{timer:?} does not run")),
        Some((timer, false)) => Err(format!("{timer:?} runs for nobody")),
        None => Ok(()),
    }
}

/// Does a timer of an interface end no later than its interval asks for (RFC 2328 App. C.3)?
fn in_time(interfaces: &[&Interface], (timer, at): (TimerKey, Instant), now: Instant) -> Verdict {
    let config = |i: &IfIndex| interface(interfaces, *i).map(|i| &i.config);
    let longest = match &timer {
        TimerKey::Hello(i) => config(i).map(|c| c.hello_interval),
        TimerKey::Inactivity(i, _) | TimerKey::Wait(i) | TimerKey::SlaveHold(i, _) => {
            config(i).map(|c| c.dead_interval)
        }
        TimerKey::DatabaseDescription(i, _)
        | TimerKey::LinkStateRequest(i, _)
        | TimerKey::Retransmission(i, _)
        | TimerKey::DelayedAck(i)
        | TimerKey::FloodPacing(i) => config(i).map(|c| c.retransmit_interval),
        _ => None,
    };
    match longest {
        Some(longest) if at > now + longest => {
            Err(format!("{timer:?} ends only at {at}, asked for were {longest:?}"))
        }
        _ => Ok(()),
    }
}

/// What must run for a neighbour (RFC 2328 §10.2, §10.8, §10.9, §13.6).
fn of_neighbor(neighbor: &Neighbor) -> impl Iterator<Item = TimerKey> {
    let (i, r) = (neighbor.id.ifindex, neighbor.id.router_id);
    let state = neighbor.state;
    let conditions = [
        (state >= NeighborState::Init, TimerKey::Inactivity(i, r)),
        // Until who is master is settled, both repeat their claim.
        (
            state == NeighborState::ExStart || (state == NeighborState::Exchange && neighbor.is_master),
            TimerKey::DatabaseDescription(i, r),
        ),
        (
            state >= NeighborState::Loading && !neighbor.is_master && neighbor.last_sent.is_some(),
            TimerKey::SlaveHold(i, r),
        ),
        (neighbor.helping.is_some(), TimerKey::Helping(i, r)),
        (!neighbor.link_state_request_list.is_empty(), TimerKey::LinkStateRequest(i, r)),
        (!neighbor.link_state_retransmission_list.is_empty(), TimerKey::Retransmission(i, r)),
    ];
    conditions.into_iter().filter(|(wanted, _)| *wanted).map(|(_, timer)| timer)
}

/// Does every LSA that is not at its end come up at its end at the latest (§14)?
fn ages(lsdb: &Lsdb, now: Instant) -> Verdict {
    let living = lsdb.iter().filter(|(_, e)| !e.is_max_age(now)).map(|(key, e)| (e.age(now), key));
    let Some((age, key)) = living.max() else { return Ok(()) };
    let left = Duration::from_secs(u64::from(MAX_AGE - age));
    match lsdb.next_attention() {
        Some(at) if at <= now + left => Ok(()),
        _ => Err(format!("{key} of age {age} would outlive MaxAge")),
    }
}

fn vrrp(engine: &vrrp_proto::Instance, now: Instant) -> Verdict {
    for router in engine.routers() {
        let within = match router.state {
            State::Initialize => continue,
            State::Backup => router.active_down_interval() + router.group.preempt_delay,
            State::Active => router.active_interval.max(router.group.advertisement_interval),
        };
        if engine.poll_timeout().is_none_or(|at| at > now + within) {
            return Err(format!("vrid {} in {:?} has no timer", router.group.vrid, router.state));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::{lsa, ring};
    use ospf_proto::lsdb::Provenance;

    #[test]
    fn a_missing_timer_and_one_of_nobody_break_it() {
        let world = ring(20);
        let engine = world.nodes[0].ospf.engine.as_ref().unwrap();
        let interfaces: Vec<&Interface> = engine.interfaces().collect();
        let armed: Vec<(TimerKey, Instant)> = engine.armed_timers().collect();
        assert_eq!(judge(&interfaces, &armed, |_| true), Ok(()));
        let of_adjacency = |t: &TimerKey| matches!(t, TimerKey::Inactivity(..) | TimerKey::Hello(_));
        for timer in armed.iter().filter(|(key, _)| of_adjacency(key)) {
            let fewer: Vec<(TimerKey, Instant)> = armed.iter().filter(|t| *t != timer).copied().collect();
            assert!(judge(&interfaces, &fewer, |_| true).is_err(), "{timer:?}");
        }
        let nobody = RouterId(std::net::Ipv4Addr::new(1, 2, 3, 4));
        let ifindex = interfaces.last().unwrap().ifindex;
        for extra in [
            TimerKey::Inactivity(ifindex, nobody),
            TimerKey::Retransmission(ifindex, nobody),
            TimerKey::Wait(ifindex),
            TimerKey::DelayedAck(IfIndex(99)),
        ] {
            let mut more: Vec<_> = armed.iter().copied().chain([(extra, Instant::ZERO)]).collect();
            more.sort_unstable();
            assert!(judge(&interfaces, &more, |_| true).is_err(), "{extra:?}");
        }
    }

    #[test]
    fn a_timer_that_ends_too_late_breaks_it() {
        let world = ring(20);
        let engine = world.nodes[0].ospf.engine.as_ref().unwrap();
        let interfaces: Vec<&Interface> = engine.interfaces().collect();
        let now = world.nodes[0].clock.local(world.now);
        for timer in engine.armed_timers() {
            assert_eq!(in_time(&interfaces, timer, now), Ok(()));
        }
        let ifindex = interfaces.last().unwrap().ifindex;
        let hello = |seconds| (TimerKey::Hello(ifindex), now + Duration::from_secs(seconds));
        assert!(in_time(&interfaces, hello(1), now).is_ok());
        assert!(in_time(&interfaces, hello(2), now).is_err());
    }

    #[test]
    fn states_want_their_timers() {
        let world = ring(20);
        let engine = world.nodes[0].ospf.engine.as_ref().unwrap();
        let mut neighbor = engine.interfaces().flat_map(|i| i.neighbors.values()).next().unwrap().clone();
        let (i, r) = (neighbor.id.ifindex, neighbor.id.router_id);
        let repeats = |n: &Neighbor| of_neighbor(n).any(|t| t == TimerKey::DatabaseDescription(i, r));
        neighbor.state = NeighborState::ExStart;
        assert!(repeats(&neighbor));
        (neighbor.state, neighbor.is_master) = (NeighborState::Exchange, true);
        assert!(repeats(&neighbor));
        neighbor.is_master = false;
        assert!(!repeats(&neighbor));
    }

    #[test]
    fn an_lsa_that_would_never_age_breaks_it() {
        let mut lsdb = Lsdb::default();
        lsdb.install(lsa(1, 1), 5, Provenance::Flooded, None, Instant::from_secs(100));
        assert!(ages(&lsdb, Instant::from_secs(200)).is_ok());
        assert!(ages(&lsdb, Instant::from_secs(4000)).is_ok());
        // Seen from before it was installed it comes up too late.
        assert!(ages(&lsdb, Instant::from_secs(50)).is_err());
    }
}
