//! Transient loss as a figure: what happens to packets while the network makes up its mind.
//!
//! A run has a few flows: from routers to loopbacks and to prefixes from outside, and from hosts through a virtual
//! gateway. Whenever forwarding may have changed, every flow is walked hop by hop through the kernels' tables
//! ([`crate::walk`]), and the time until the next change counts as what the walk found: delivered, looping, or lost.
//!
//! Time counts only while a routing protocol could have delivered: while routers whose ospfd runs, over interfaces
//! it is configured for and segments that pass both ways, lead from one end of the flow to the other. What is cut off,
//! or was told to be silent, is nobody's loss.
//!
//! An *event* is the beginning or end of a fault. Loss after it is its own if all flows were well when it began and
//! are well again when the next one comes, or at the end of the run; its sample is the time of its worst flow.
//! Events that came too fast for that add up to one sample of the row [`OVERLAPPING`], and the start of all routers
//! is a row of its own. Loss without any event since the last time all was well belongs to [`UNPROVOKED`].

use crate::figures::{Event, Figures};
use crate::kernel;
use crate::scenario::{Daemon, RouterIndex, Scenario, SegmentIndex, SegmentKind, What};
use crate::walk::{self, Fate};
use crate::world::{Phase, World};
use routing_common::rng::Rng;
use routing_common::time::{Duration, Instant};
use std::net::Ipv4Addr;

/// Flows of a run, at most.
const FLOWS: usize = 16;
/// Of these from hosts through virtual gateways, at most, and to prefixes from outside.
const OF_HOSTS: usize = 4;
/// See [`OF_HOSTS`].
const TO_OUTSIDE: usize = 3;

/// The start of all routers.
pub const START: Event = "start";
/// Several events before all was well again.
pub const OVERLAPPING: Event = "overlapping";
/// Loss that no event explains.
pub const UNPROVOKED: Event = "unprovoked";

/// Where a flow begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// At a router.
    Router(RouterIndex),
    /// At a host on this segment, whose gateway is the segment's virtual address.
    Host(SegmentIndex, Ipv4Addr),
}

/// Where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// To a router's loopback.
    Loopback(RouterIndex),
    /// Outside, where this router announces a static route to it.
    Outside(RouterIndex),
}

/// What became of a flow's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fortune {
    Fine,
    Looped,
    Lost,
    /// Nobody could have delivered them.
    Unreachable,
}

#[derive(Debug, Clone, Copy)]
struct Flow {
    source: Source,
    target: Target,
    destination: Ipv4Addr,
    /// Which of several next hops it takes.
    salt: u64,
    fortune: Fortune,
    looped: Duration,
    lost: Duration,
}

/// The flows of a run, and the event whose consequences are measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flows {
    flows: Vec<Flow>,
    /// Until when it is counted.
    counted: Instant,
    /// Of what forwarding depends on.
    stamp: u64,
    /// The event, when it was, and whether all was well then.
    event: Option<(Event, Instant)>,
    figures: Figures,
}

impl Flows {
    /// Chooses the flows of a scenario. Their choice takes nothing from the run's own chances.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let mut rng = Rng::new(scenario.seed ^ 0x666c_6f77);
        let mut flows = Vec::new();
        let routers = scenario.routers.len() as u64;
        for (s, segment) in scenario.segments.iter().enumerate() {
            let Some(group) = segment.vrrp.as_ref().filter(|_| flows.len() < OF_HOSTS) else { continue };
            let target = rng.below(routers) as usize;
            flows.push((Source::Host(s, group.address.ip()), Target::Loopback(target)));
        }
        for (r, router) in scenario.routers.iter().enumerate() {
            let announces = router.redistribute_static.is_some()
                && router.filter.is_empty()
                && !scenario.settings.without_rib;
            if announces && router.static_routes.iter().any(is_outside) && flows.len() < OF_HOSTS + TO_OUTSIDE
            {
                flows.push((Source::Router(rng.below(routers) as usize), Target::Outside(r)));
            }
        }
        while routers > 1 && flows.len() < FLOWS.min(2 * scenario.routers.len() + 2) {
            let (from, to) = (rng.below(routers) as usize, rng.below(routers - 1) as usize);
            let to = if to >= from { to + 1 } else { to };
            flows.push((Source::Router(from), Target::Loopback(to)));
        }
        let flow = |(source, target)| Flow {
            source,
            target,
            destination: destination(scenario, target),
            salt: rng.next_u64(),
            fortune: Fortune::Unreachable,
            looped: Duration::ZERO,
            lost: Duration::ZERO,
        };
        let flows =
            if scenario.settings.without_rib { Vec::new() } else { flows.into_iter().map(flow).collect() };
        Self { flows, event: Some((START, Instant::ZERO)), ..Self::default() }
    }

    /// A fault begins or ends.
    pub(crate) fn event(&mut self, now: Instant, what: &What, phase: Phase) {
        if self.flows.is_empty() || phase == Phase::Again {
            return;
        }
        self.count(now);
        let name = name(what, phase == Phase::Begin);
        let is_well = self.is_well();
        self.event = match self.event {
            Some((_, at)) if !is_well || at == now => Some((OVERLAPPING, now)),
            known => {
                self.close(known);
                Some((name, now))
            }
        };
    }

    /// Looks at the world after something happened.
    pub(crate) fn look(&mut self, world: &World) {
        if self.flows.is_empty() {
            return;
        }
        let stamp = stamp(world);
        if stamp == self.stamp {
            return;
        }
        self.stamp = stamp;
        self.count(world.now);
        self.figures.walks += 1;
        let was_well = self.is_well();
        let mut map = None;
        for flow in &mut self.flows {
            flow.fortune = fortune(world, flow, &mut map);
        }
        // Whatever happens after all was well again, and some time after the event, is not its consequence.
        if !self.is_well() && was_well && self.event.is_none_or(|(_, at)| world.now.since(at) > quiet(world))
        {
            let over = self.event.replace((UNPROVOKED, world.now));
            self.close(over);
        }
    }

    /// The figures, if the run ended now.
    pub(crate) fn figures(&self, now: Instant) -> Figures {
        let mut ended = self.clone();
        ended.count(now);
        ended.close(self.event);
        ended.figures
    }

    fn is_well(&self) -> bool {
        self.flows.iter().all(|flow| matches!(flow.fortune, Fortune::Fine | Fortune::Unreachable))
    }

    /// Counts the time since it was last counted.
    fn count(&mut self, now: Instant) {
        let passed = now.since(self.counted);
        self.counted = now;
        for flow in &mut self.flows {
            match flow.fortune {
                Fortune::Looped => flow.looped += passed,
                Fortune::Lost => flow.lost += passed,
                Fortune::Fine | Fortune::Unreachable => {}
            }
        }
    }

    /// Takes the sample of an event that is over.
    fn close(&mut self, event: Option<(Event, Instant)>) {
        let Some((name, _)) = event else { return };
        let looped = self.flows.iter().map(|f| f.looped).max().unwrap_or_default();
        let lost = self.flows.iter().map(|f| f.lost).max().unwrap_or_default();
        self.figures.add(name, looped, lost);
        for flow in &mut self.flows {
            (flow.looped, flow.lost) = (Duration::ZERO, Duration::ZERO);
        }
    }
}

/// Longer than any event's consequences: twice the settling time would hide nothing, the time itself hides little.
fn quiet(world: &World) -> Duration {
    Duration::from_millis(world.scenario.settle)
}

fn is_outside(route: &crate::scenario::StaticRoute) -> bool {
    route.prefix.prefix() > 0
}

fn destination(scenario: &Scenario, target: Target) -> Ipv4Addr {
    match target {
        Target::Loopback(r) => scenario.routers[r].loopback,
        Target::Outside(r) => {
            let route = scenario.routers[r].static_routes.iter().find(|route| is_outside(route));
            let last = |n: ipnetwork::Ipv4Network| n.nth(n.size() - 1).unwrap_or(n.ip());
            route.map_or(Ipv4Addr::UNSPECIFIED, |route| last(route.prefix))
        }
    }
}

/// Everything forwarding and reachability depend on, as one number that does not come back.
fn stamp(world: &World) -> u64 {
    let of_node = |node: &crate::node::Node| {
        let ospf = u64::from(node.incarnation(Daemon::Ospf)) * 2 + u64::from(node.ospf.is_active());
        let vrrp = u64::from(node.incarnation(Daemon::Vrrp)) * 2 + u64::from(node.vrrp.is_active());
        node.kernel.version + 1_000_003 * ospf + 1_000_000_007 * vrrp + (u64::from(node.power) << 60)
    };
    let nodes = world.nodes.iter().map(of_node).fold(0u64, |sum, n| sum.wrapping_mul(31).wrapping_add(n));
    let cuts = world.segments.iter().map(|s| s.cuts.len() as u64);
    cuts.fold(nodes, |sum, n| sum.wrapping_mul(31).wrapping_add(n))
}

fn fortune(world: &World, flow: &Flow, map: &mut Option<Vec<usize>>) -> Fortune {
    let choose = |at: RouterIndex, count: usize| {
        // Consecutive routers do not make the same choice.
        let mixed = (flow.salt ^ at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        mixed as usize % count.max(1)
    };
    let first = match flow.source {
        Source::Router(r) => Some(r),
        Source::Host(segment, gateway) => gateway_of(world, segment, gateway),
    };
    let fate = first.map(|first| walk::follow(world, first, flow.destination, choose));
    match (fate, flow.target) {
        (Some(Fate::Delivered(at)), Target::Loopback(r)) if at == r => return Fortune::Fine,
        (Some(Fate::Left(..) | Fate::Dropped(_)), Target::Outside(_)) => return Fortune::Fine,
        _ => {}
    }
    let map = map.get_or_insert_with(|| islands(world));
    if !has_way(world, flow, map) {
        return Fortune::Unreachable;
    }
    if matches!(fate, Some(Fate::Loop(_))) { Fortune::Looped } else { Fortune::Lost }
}

/// Who takes a host's packets to its gateway.
fn gateway_of(world: &World, segment: SegmentIndex, gateway: Ipv4Addr) -> Option<RouterIndex> {
    let is_cut = world.segments[segment].cuts.values().any(Option::is_none);
    walk::answering(world, segment, gateway, None).filter(|_| !is_cut)
}

/// Could anybody have delivered this flow's packets now?
fn has_way(world: &World, flow: &Flow, islands: &[usize]) -> bool {
    let goal = match flow.target {
        Target::Loopback(r) => r,
        Target::Outside(r) => {
            // Other exits and conditions of this one are more than the figure needs.
            let routes = &world.current.routers[r].static_routes;
            let Some(route) = routes.iter().find(|route| is_outside(route)) else { return false };
            let ports = world.current.routers[r].ports.iter().enumerate();
            let mut near = ports.filter(|(_, port)| route.via.is_some_and(|via| port.address.contains(via)));
            if route.via.is_some() && !near.any(|(p, _)| world.nodes[r].kernel.is_running(kernel::ifindex(p)))
            {
                return false;
            }
            r
        }
    };
    if !world.nodes[goal].power {
        return false;
    }
    match flow.source {
        Source::Router(r) => world.nodes[r].power && islands[r] == islands[goal],
        Source::Host(segment, _) => {
            let is_cut = world.segments[segment].cuts.values().any(Option::is_none);
            let mut able = world.segments[segment].ends.iter().filter(|end| {
                let node = &world.nodes[end.router];
                let port = &world.current.routers[end.router].ports[end.port];
                let up = node.power && node.kernel.is_running(kernel::ifindex(end.port));
                up && node.vrrp.is_active() && port.vrrp_priority.is_some()
            });
            !is_cut && able.clone().next().is_some() && able.all(|end| islands[end.router] == islands[goal])
        }
    }
}

/// Routers between which OSPF has a way now have the same number.
fn islands(world: &World) -> Vec<usize> {
    let mut islands: Vec<usize> = (0..world.nodes.len()).collect();
    for (s, segment) in world.segments.iter().enumerate().filter(|(_, s)| s.cuts.is_empty()) {
        let speaking: Vec<RouterIndex> = segment
            .ends
            .iter()
            .filter(|end| speaks(world, end.router, end.port))
            .map(|end| end.router)
            .collect();
        let eligible = segment.kind == SegmentKind::PointToPoint
            || world.current.ends(s).any(|(r, _, port)| port.priority > 0 && speaking.contains(&r));
        let Some(first) = speaking.first().filter(|_| eligible) else { continue };
        for other in &speaking {
            let (from, to) = (islands[*other], islands[*first]);
            islands.iter_mut().filter(|island| **island == from).for_each(|island| *island = to);
        }
    }
    islands
}

/// Does a router speak OSPF on this port, as far as power, cables, processes and configuration go?
fn speaks(world: &World, router: RouterIndex, port: usize) -> bool {
    let node = &world.nodes[router];
    let ifindex = kernel::ifindex(port);
    let settings = &world.current.routers[router].ports[port];
    node.power
        && node.ospf.is_active()
        && !settings.without_ospf
        && !settings.passive
        && !world.bends[router][port].wrong_key
        && node.kernel.is_running(ifindex)
        && node.kernel.addresses().any(|a| a.ifindex == ifindex && a.network == settings.address)
}

/// What a fault's beginning or end is called.
fn name(what: &What, begins: bool) -> Event {
    let names = match what {
        What::Impair { .. } => ["impairment", "impairment ends"],
        What::SilentCut { from: None, .. } => ["silent cut", "silent cut ends"],
        What::SilentCut { .. } => ["one-way cut", "one-way cut ends"],
        What::Unplug { .. } => ["cable pulled", "cable plugged in"],
        What::PowerLoss { .. } => ["power lost", "power returns"],
        What::Kill { .. } => ["daemon killed", "daemon killed, starts"],
        What::Stop { .. } => ["daemon stopped", "daemon stopped, starts"],
        What::Freeze { .. } => ["daemon frozen", "daemon thawed"],
        What::WallClock { .. } => ["clock set", "clock set back"],
        What::Cost { .. } => ["cost changed", "cost changed back"],
        What::Priority { .. } => ["priority changed", "priority changed back"],
        What::VrrpPriority { .. } => ["VRRP priority changed", "VRRP priority changed back"],
        What::WrongKey { .. } => ["wrong key", "right key again"],
        What::OspfOff { .. } => ["OSPF off an interface", "OSPF on again"],
        What::Passive { .. } => ["interface passive", "interface speaks again"],
        What::ExternalsOff { .. } => ["externals off", "externals on again"],
        What::FilterOff { .. } => ["filter off", "filter on again"],
        What::AdminDown { .. } => ["interface set down", "interface set up"],
        What::AddressRemoved { .. } => ["address removed", "address removed, ends"],
        What::Mtu { .. } => ["MTU changed", "MTU changed back"],
        What::RibDisconnect { .. } => ["RIB disconnected", "RIB reconnects"],
        What::KernelRefuses { .. } => ["kernel refuses", "kernel accepts again"],
        What::RoutesRemoved { .. } => ["routes removed", "routes removed, ends"],
        What::Junk { .. } => ["junk", "junk ends"],
        What::Replay { .. } => ["replay", "replay ends"],
        What::Forge { .. } => ["forgery", "forgery ends"],
        What::PlannedRestart { .. } => ["planned restart", "planned restart, ends"],
        What::Clear { .. } => ["process cleared", "process cleared, ends"],
    };
    names[usize::from(!begins)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker;
    use crate::generate::paper::ring5_c;
    use crate::scenario::{Daemon, Fault};

    /// The ring after one fault, under all laws.
    fn figures(what: What) -> Figures {
        figures_of(ring5_c(), what, 12_000)
    }

    /// A network after one fault of some milliseconds, under all laws.
    fn figures_of(scenario: Scenario, what: What, milliseconds: u64) -> Figures {
        let until = 20_000 + milliseconds;
        let faults = vec![Fault { at: 20_000, until, what }];
        let scenario = Scenario { faults, chaos_ends: until, ..scenario };
        let mut world = World::new(&scenario, checker::all(), false).unwrap();
        crate::run::play(&mut world);
        assert_eq!(world.violation, None);
        world.flows.figures(world.now)
    }

    #[test]
    fn a_silent_cut_costs_the_dead_interval_and_a_pulled_cable_next_to_nothing() {
        // Ports 0 and 1 of the third router join it to both sides of the ring.
        let silent = figures(What::SilentCut { segment: 1, from: None });
        let lost = silent.rows["silent cut"].lost.max;
        assert!((2_900_000..4_300_000).contains(&lost), "{lost} us");
        let pulled = figures(What::Unplug { segment: 1, router: 2 });
        let lost = pulled.rows["cable pulled"].lost.max;
        assert!(lost < 300_000, "{lost} us");
        for figures in [silent, pulled] {
            assert_eq!(figures.rows[START].lost.count, 1);
            assert!(!figures.rows.contains_key(UNPROVOKED));
            assert!(figures.walks > 10);
        }
    }

    /// RFC 3623: nobody reroutes, whichever router it is and however soon it is back within RouterDeadInterval. With
    /// the ring's links as switches there are Designated Routers to restart.
    #[test]
    fn an_ospfd_that_is_killed_and_started_again_loses_nothing() {
        let mut switched = ring5_c();
        switched.segments.iter_mut().for_each(|s| s.kind = SegmentKind::Broadcast);
        for scenario in [ring5_c(), switched] {
            for (router, milliseconds) in [(0, 3), (1, 2_000), (2, 150), (3, 900), (4, 40)] {
                let kill = What::Kill { router, daemon: Daemon::Ospf };
                let figures = figures_of(scenario.clone(), kill, milliseconds);
                for row in ["daemon killed", "daemon killed, starts"] {
                    let row = &figures.rows[row];
                    assert_eq!((row.lost.count, row.lost.max, row.looped.max), (1, 0, 0), "router {router}");
                }
                assert!(!figures.rows.contains_key(UNPROVOKED), "router {router}");
                let planned = figures_of(scenario.clone(), What::PlannedRestart { router }, milliseconds);
                let row = &planned.rows["planned restart"];
                assert_eq!((row.lost.max, row.looped.max), (0, 0), "router {router}");
            }
        }
    }

    #[test]
    fn without_graceful_restart_it_is_noticed() {
        let mut scenario = ring5_c();
        scenario.routers.iter_mut().for_each(|r| r.ordinary_restarts = true);
        let kill = What::Kill { router: 3, daemon: Daemon::Ospf };
        let figures = figures_of(scenario, kill, 150);
        let lost = figures.rows.values().map(|row| row.lost.max).max();
        assert!(figures.rows["daemon killed, starts"].lost.max > 0, "{lost:?}");
    }

    #[test]
    fn a_dead_daemon_alone_loses_nothing_that_anybody_could_have_delivered() {
        let figures = figures(What::Kill { router: 3, daemon: Daemon::Ospf });
        let row = &figures.rows["daemon killed"];
        assert_eq!(row.lost.count, 1);
        assert!(row.lost.max < 300_000, "{} us", row.lost.max);
    }
}
