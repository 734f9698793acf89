//! S11: news is passed on at once, to whom it must and to nobody else, and acknowledged in time (RFC 2328 §13.3,
//! §13.5).
//!
//! Retransmission makes good what flooding forgets, so routers that flood too little end up agreeing all the same,
//! only late; and too much harms nobody but the network. After every turn it is looked at what changed in the
//! databases and what left:
//!
//! * *Out.* A changed LSA that was put on a neighbour's Link state retransmission list in this turn left on that interface
//!   in this turn, unless it came in on it from the Designated Router or its Backup, or the interface is in state
//!   Backup (§13.3 (3), (4)). An interface that has sent eight batches within 240 ms may take 30 ms more, in which
//!   the LSA can become superfluous.
//! * *Not back.* In state Backup what came in on an interface is not flooded back out of it.
//! * *Acknowledged.* What came in and was not flooded back is acknowledged, by a Backup only if it came from the
//!   Designated Router (§13.5, table 19); the engine promises to wait a quarter of RxmtInterval and half a second at
//!   the most; what is flooded back, but has to wait for that, is no later than the update. Whoever leaves takes the
//!   claim along.
//!
//! Own LSAs somebody else sent are answered rather than passed on (§13.4); S5 and L3 look after them. Of an LSA that
//! was held until MinLSArrival had passed it is not known where it came in.

use super::shadow::Shared;
use super::{Cause, Checker, Turn, Verdict};
use crate::frame::{Frame, OSPF};
use crate::kernel;
use crate::scenario::Daemon;
use crate::segment::End;
use crate::wire;
use crate::world::World;
use ospf_proto::Instance;
use ospf_proto::interface::{Interface, InterfaceState};
use ospf_proto::lsa::{LsType, LsaKey};
use ospf_proto::lsdb::{DatabaseId, Provenance};
use ospf_proto::neighbor::{Neighbor, NeighborState};
use routing_common::id::RouterId;
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;

/// The longest a delayed acknowledgment waits.
const DELAY: Duration = Duration::from_millis(500);

/// So many batches of updates leave without a wait...
const BURST: usize = 8;
/// ...in this time...
const WINDOW: Duration = Duration::from_millis(240);
/// ...and then there may be this between two.
const GAP: Duration = Duration::from_millis(30);

/// An instance as packets name it.
type Named = (LsaKey, i32);

/// The law.
#[derive(Debug)]
pub(super) struct Flooding {
    shadows: Shared,
    /// States and leaders of the turn's router's ports before it.
    before: BTreeMap<usize, Position>,
    /// Updates that left in this turn: port, destination, instance.
    updates: Vec<(usize, Ipv4Addr, Named)>,
    /// Acknowledgments that left in this turn: a full packet does not wait.
    acknowledged: Vec<(usize, Named)>,
    /// Acknowledgments still to be sent, by router.
    owed: BTreeMap<usize, Vec<Owed>>,
    /// When the latest batches of updates left, by router and port.
    batches: BTreeMap<(usize, usize), VecDeque<Instant>>,
    /// Updates still to be sent, by router: what is owed to whom else it is listed for.
    waiting: BTreeMap<usize, Vec<Owed>>,
}

/// What decides how an interface floods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    state: InterfaceState,
    dr: Option<Ipv4Addr>,
    backup: Option<Ipv4Addr>,
}

/// An acknowledgment that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owed {
    incarnation: u32,
    port: usize,
    to: RouterId,
    instance: Named,
    since: Instant,
    until: Instant,
}

impl Owed {
    /// Whom it is owed to, as long as process, interface and carrier are those of then.
    fn creditor<'a>(&self, world: &World, turn: &Turn<'_>, engine: &'a Instance) -> Option<&'a Neighbor> {
        let node = &world.nodes[turn.router];
        let interface = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(self.port))?;
        let stays = node.incarnation(Daemon::Ospf) == self.incarnation
            && interface.is_active()
            && interface.state_since <= self.since
            && node.kernel.is_running(interface.ifindex);
        interface.neighbors.get(&self.to).filter(|_| stays)
    }
}

impl Position {
    fn of(interface: &Interface) -> Self {
        let (dr, backup) = (interface.designated_router, interface.backup_designated_router);
        Self { state: interface.state, dr, backup }
    }
}

impl Flooding {
    pub(super) fn new(shadows: &Shared) -> Self {
        let shadows = Shared::clone(shadows);
        Self {
            shadows,
            before: BTreeMap::new(),
            updates: Vec::new(),
            acknowledged: Vec::new(),
            owed: BTreeMap::new(),
            batches: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// Has this port sent so much that its updates may wait?
    fn is_busy(&self, router: usize, port: usize, now: Instant) -> bool {
        let batches = self.batches.get(&(router, port));
        batches.is_some_and(|times| times.iter().filter(|at| now < **at + WINDOW).count() >= BURST)
    }

    fn count_batches(&mut self, turn: &Turn<'_>) {
        let ports: BTreeSet<usize> = self.updates.iter().map(|(port, ..)| *port).collect();
        for port in ports {
            let times = self.batches.entry((turn.router, port)).or_default();
            times.push_back(turn.local);
            if times.len() > BURST {
                times.pop_front();
            }
        }
    }

    fn left(&self, port: usize, instance: Named, passes: impl Fn(Ipv4Addr) -> bool) -> bool {
        self.updates.iter().any(|(p, to, i)| *p == port && *i == instance && passes(*to))
    }

    /// The rules for one changed LSA on one interface; `from` sent it to us there.
    fn judge(
        &mut self,
        turn: &Turn<'_>,
        incarnation: u32,
        interface: &Interface,
        from: Option<RouterId>,
        instance: Named,
    ) -> Verdict {
        let Some(port) = kernel::port(interface.ifindex) else { return Ok(()) };
        let position = Position::of(interface);
        // What was decided under an earlier position is not known.
        if !interface.is_active() || self.before.get(&port) != Some(&position) {
            return Ok(());
        }
        let sender = from.and_then(|id| interface.neighbors.get(&id));
        let is_from = |leader: Option<Ipv4Addr>| sender.is_some_and(|n| leader == Some(n.address));
        let is_backup = position.state == InterfaceState::Backup;
        let excused = sender.is_some() && (is_backup || is_from(position.dr) || is_from(position.backup));
        let left = self.left(port, instance, |_| true);
        let mut listed = interface.neighbors.values().filter(|n| {
            n.link_state_retransmission_list.get(&instance.0).is_some_and(|listed| listed.last == turn.local)
        });
        let waiting = listed.next().filter(|_| !left && !excused);
        if let Some(neighbor) = waiting {
            if !self.is_busy(turn.router, port, turn.local) {
                return Err(format!("{} was not flooded out of {}", instance.0, interface.name));
            }
            let (to, since, until) = (neighbor.id.router_id, turn.local, turn.local + GAP);
            let waits = Owed { incarnation, port, to, instance, since, until };
            self.waiting.entry(turn.router).or_default().push(waits);
        }
        let Some(sender) = sender else { return Ok(()) };
        if is_backup && self.left(port, instance, |to| to.is_multicast()) {
            return Err(format!("{} was flooded back out of {} by the Backup", instance.0, interface.name));
        }
        let is_acknowledged = self.acknowledged.contains(&(port, instance));
        if !left && !is_acknowledged && (!is_backup || is_from(position.dr)) {
            let delay = DELAY.min(interface.config.retransmit_interval / 4);
            // What waits to be flooded back is acknowledged by that alone (table 19, row 1).
            let wait = if waiting.is_some() { delay.max(GAP) } else { delay };
            let (to, since, until) = (sender.id.router_id, turn.local, turn.local + wait);
            let owed = Owed { incarnation, port, to, instance, since, until };
            self.owed.entry(turn.router).or_default().push(owed);
        }
        Ok(())
    }

    /// Having served its timers a router has flooded what waited, unless that is not wanted any more: the neighbour
    /// has acknowledged it, there is a newer instance, or nobody is there.
    fn check_waiting(&mut self, world: &World, turn: &Turn<'_>, engine: &Instance) -> Verdict {
        let updates = &self.updates;
        let Some(waiting) = self.waiting.get_mut(&turn.router) else { return Ok(()) };
        waiting.retain(|o| {
            let sent = o
                .creditor(world, turn, engine)
                .and_then(|n| n.link_state_retransmission_list.get(&o.instance.0));
            let left = updates.iter().any(|(port, _, i)| (*port, *i) == (o.port, o.instance));
            sent.is_some_and(|listed| listed.last == o.since) && !left
        });
        match waiting.iter().find(|o| matches!(turn.cause, Cause::Timers) && o.until <= turn.local) {
            Some(Owed { to, instance, .. }) => Err(format!("{} did not leave for {to} in time", instance.0)),
            None => Ok(()),
        }
    }

    /// Having served its timers a router owes nothing that was due.
    fn check_owed(&mut self, world: &World, turn: &Turn<'_>, engine: &Instance) -> Verdict {
        let Some(owed) = self.owed.get_mut(&turn.router) else { return Ok(()) };
        owed.retain(|o| o.creditor(world, turn, engine).is_some_and(|n| n.state >= NeighborState::Exchange));
        match owed.iter().find(|o| matches!(turn.cause, Cause::Timers) && o.until <= turn.local) {
            Some(Owed { to, instance, .. }) => Err(format!("did not acknowledge {} to {to}", instance.0)),
            None => Ok(()),
        }
    }
}

/// Port and Router ID of the sender of the turn's packet.
fn sender(engine: &Instance, turn: &Turn<'_>) -> Option<(usize, RouterId)> {
    let Cause::Frame { port, frame, .. } = &turn.cause else { return None };
    let interface = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(*port))?;
    let packet = wire::ospf(frame.datagram()?.payload, &interface.config.authentication).ok()?;
    Some((*port, RouterId(packet.router_id)))
}

/// §13.4.
fn is_self_originated(engine: &Instance, key: &LsaKey) -> bool {
    let is_ours = || engine.interfaces().any(|i| i.ip() == Some(key.link_state_id));
    key.advertising_router == engine.router_id() || (key.ls_type == LsType::Network && is_ours())
}

fn key_of(lsa: &wire::Lsa<'_>) -> LsaKey {
    let ls_type = LsType::from(lsa.kind);
    LsaKey { ls_type, link_state_id: lsa.id, advertising_router: RouterId(lsa.router) }
}

impl Checker for Flooding {
    fn law(&self) -> (&'static str, &'static str) {
        ("S11", "news is flooded at once to whom it must, and acknowledged in time")
    }

    fn before(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        self.updates.clear();
        self.acknowledged.clear();
        self.before.clear();
        if let Some(engine) =
            world.nodes[turn.router].ospf.engine.as_ref().filter(|_| turn.daemon == Daemon::Ospf)
        {
            let of = |i: &Interface| Some((kernel::port(i.ifindex)?, Position::of(i)));
            self.before = engine.interfaces().filter_map(of).collect();
        }
        Ok(())
    }

    fn sent(&mut self, _world: &World, from: End, frame: &Frame) -> Verdict {
        let Some(datagram) = frame.datagram().filter(|d| d.protocol == OSPF) else { return Ok(()) };
        let kind = datagram.payload.get(1).copied();
        let length = usize::from(wire::u16_at(datagram.payload, 2)).min(datagram.payload.len());
        let body = datagram.payload.get(24..length).unwrap_or_default();
        let lsas = match kind {
            Some(4) => wire::update(body)?,
            Some(5) => wire::lsa_headers(body)?,
            _ => return Ok(()),
        };
        for lsa in lsas {
            let instance = (key_of(&lsa), lsa.sequence);
            if kind == Some(4) {
                self.updates.push((from.port, datagram.destination, instance));
            } else {
                self.acknowledged.push((from.port, instance));
            }
            // An update that was paced and is flooded back now acknowledges as well, and if the LSA was replaced
            // while it waited, the newer instance does, flooded or acknowledged: whoever has it has nothing older on a list
            // any more (§13 (5)(c)).
            let answers = |(key, sequence): Named| key == instance.0 && sequence <= instance.1;
            if let Some(owed) = self.owed.get_mut(&from.router) {
                owed.retain(|o| o.port != from.port || !answers(o.instance));
            }
        }
        Ok(())
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let node = &world.nodes[turn.router];
        let Some(engine) = node.ospf.engine.as_ref().filter(|_| turn.daemon == Daemon::Ospf) else {
            return Ok(());
        };
        let named = |text: String| format!("{}: {text}", node.name);
        let changes = self.shadows.borrow_mut().changes(world, turn);
        let sender = sender(engine, turn);
        for change in changes.iter() {
            let Some(entry) = &change.new else { continue };
            let is_flooded = entry.provenance == Provenance::Flooded;
            if is_flooded && (sender.is_none() || is_self_originated(engine, &change.key)) {
                continue;
            }
            let instance = (change.key, entry.lsa.header().sequence);
            // What leaves without carrier is seen by nobody.
            let running = |i: &&Interface| node.kernel.is_running(i.ifindex);
            // One interface's grace-LSA has the key of every other's.
            let in_scope = |i: &&Interface| match change.database {
                DatabaseId::Link(ifindex) => i.ifindex == ifindex,
                DatabaseId::Area(_) | DatabaseId::As => true,
            };
            for interface in engine.interfaces().filter(running).filter(in_scope) {
                let here =
                    sender.filter(|(port, _)| is_flooded && kernel::port(interface.ifindex) == Some(*port));
                let from = here.map(|(_, id)| id);
                self.judge(turn, node.incarnation(Daemon::Ospf), interface, from, instance).map_err(named)?;
            }
        }
        self.count_batches(turn);
        self.check_waiting(world, turn, engine).map_err(named)?;
        self.check_owed(world, turn, engine).map_err(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::{key, ring};
    use ospf_proto::neighbor::Listed;

    const INSTANCE: i32 = 7;

    /// Router r1 of the paper's ring at rest, on its LAN, as if an LSA had just come in there or elsewhere.
    struct Scene {
        law: Flooding,
        lan: Interface,
        neighbor: RouterId,
    }

    fn scene(state: InterfaceState) -> Scene {
        let world = ring(20);
        let engine = world.nodes[0].ospf.engine.as_ref().unwrap();
        let mut lan = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(0)).unwrap().clone();
        let neighbor = *lan.neighbors.keys().next().unwrap();
        lan.state = state;
        (lan.designated_router, lan.backup_designated_router) = (None, None);
        let mut law = Flooding::new(&Shared::default());
        law.before.insert(0, Position::of(&lan));
        Scene { law, lan, neighbor }
    }

    impl Scene {
        fn judge(&mut self, from: Option<RouterId>) -> Verdict {
            let local = Instant::from_secs(30);
            let turn = Turn { router: 0, daemon: Daemon::Ospf, local, cause: Cause::Timers, outputs: 0 };
            self.law.judge(&turn, 1, &self.lan, from, (key(), INSTANCE))
        }

        fn list(&mut self) {
            let neighbor = self.lan.neighbors.get_mut(&self.neighbor).unwrap();
            neighbor.link_state_retransmission_list.insert(key(), Listed::new(Instant::from_secs(30)));
        }

        fn send(&mut self) {
            self.law.updates.push((0, Ipv4Addr::new(224, 0, 0, 5), (key(), INSTANCE)));
        }
    }

    #[test]
    fn what_is_listed_and_does_not_leave_breaks_it() {
        let mut scene = scene(InterfaceState::Dr);
        assert_eq!(scene.judge(None), Ok(()));
        scene.list();
        assert!(scene.judge(None).is_err());
        scene.send();
        assert_eq!(scene.judge(None), Ok(()));
    }

    #[test]
    fn a_busy_interface_may_wait_but_not_for_long() {
        let mut scene = scene(InterfaceState::Dr);
        scene.list();
        let lately = (0..8).map(|n| Instant::from_millis(30_000 - 10 * n)).collect();
        scene.law.batches.insert((0, 0), lately);
        assert_eq!(scene.judge(None), Ok(()));
        let mut world = ring(20);
        scene.law.waiting.get_mut(&0).unwrap()[0].incarnation = world.nodes[0].incarnation(Daemon::Ospf);
        let engine = world.nodes[0].ospf.engine.take().unwrap();
        // There the LSA is on no list, as if the neighbour had acknowledged it.
        let after = Turn { local: Instant::from_millis(30_030), ..turn_of_timers() };
        let waiting = scene.law.waiting.clone();
        assert_eq!(scene.law.check_waiting(&world, &after, &engine), Ok(()));
        assert!(scene.law.waiting[&0].is_empty());
        assert_eq!(waiting[&0].len(), 1);
        scene.law.batches.get_mut(&(0, 0)).unwrap().pop_back();
        assert!(scene.judge(None).is_err(), "seven batches are no reason to wait");
    }

    #[test]
    fn what_waits_to_be_flooded_back_is_acknowledged_when_that_leaves() {
        let mut scene = scene(InterfaceState::Dr);
        scene.lan.config.retransmit_interval = Duration::from_millis(50);
        let from = Some(scene.neighbor);
        let short = Instant::from_nanos(30_012_500_000);
        let due = |law: &Flooding| law.owed[&0].last().unwrap().until;
        assert_eq!(scene.judge(from), Ok(()));
        assert_eq!(due(&scene.law), short, "not listed for anybody: not flooded back");
        scene.list();
        let lately = (0..8).map(|n| Instant::from_millis(30_000 - 10 * n)).collect();
        scene.law.batches.insert((0, 0), lately);
        assert_eq!(scene.judge(from), Ok(()));
        assert_eq!(due(&scene.law), Instant::from_millis(30_030));
        let leader = scene.lan.neighbors[&scene.neighbor].address;
        scene.lan.designated_router = Some(leader);
        scene.law.before.insert(0, Position::of(&scene.lan));
        assert_eq!(scene.judge(from), Ok(()));
        assert_eq!(due(&scene.law), short, "nothing is flooded back to the leader");
    }

    #[test]
    fn a_backup_that_floods_back_breaks_it() {
        let mut scene = scene(InterfaceState::Backup);
        let from = Some(scene.neighbor);
        scene.list();
        assert_eq!(scene.judge(from), Ok(()));
        scene.send();
        assert!(scene.judge(from).is_err());
    }

    #[test]
    fn an_acknowledgment_is_owed_for_what_is_not_flooded_back() {
        let mut scene = scene(InterfaceState::DrOther);
        let from = Some(scene.neighbor);
        assert_eq!(scene.judge(from), Ok(()));
        assert_eq!(scene.law.owed[&0].len(), 1);
        let world = ring(20);
        let engine = world.nodes[0].ospf.engine.as_ref().unwrap();
        let after = Turn { local: Instant::from_secs(31), ..turn_of_timers() };
        let mut late = scene.law.owed[&0].clone();
        late.iter_mut().for_each(|o| o.incarnation = world.nodes[0].incarnation(Daemon::Ospf));
        scene.law.owed.insert(0, late);
        assert!(scene.law.check_owed(&world, &after, engine).is_err());
        assert_eq!(scene.law.check_owed(&world, &turn_of_timers(), engine), Ok(()));
        scene.law.owed.clear();
        scene.law.acknowledged.push((0, (key(), INSTANCE)));
        assert_eq!(scene.judge(from), Ok(()));
        assert!(scene.law.owed.is_empty());
        scene.law.acknowledged.clear();
        scene.send();
        assert_eq!(scene.judge(from), Ok(()));
        assert!(scene.law.owed.is_empty());
    }

    fn turn_of_timers() -> Turn<'static> {
        let local = Instant::from_secs(30);
        Turn { router: 0, daemon: Daemon::Ospf, local, cause: Cause::Timers, outputs: 0 }
    }
}
