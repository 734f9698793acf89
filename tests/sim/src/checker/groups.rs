//! What the laws of VRRP have in common: who believes to be what, and since when nothing disturbs a group.

use super::rest;
use crate::kernel;
use crate::oracle::{self, Election};
use crate::scenario::{Daemon, RouterIndex, SegmentIndex, What};
use crate::world::World;
use routing_common::config::VrrpVersion;
use routing_common::time::{Duration, Instant};
use std::net::Ipv4Addr;
use vrrp_proto::machine::State;
use vrrp_proto::router::VirtualRouter;

/// A member of a virtual router.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) router: RouterIndex,
    pub(super) port: usize,
    /// The engine's side of it; `None` while vrrpd does not run or gets no time.
    pub(super) engine: Option<&'a VirtualRouter>,
}

impl Member<'_> {
    pub(super) fn is_active(&self) -> bool {
        self.engine.is_some_and(|e| e.state == State::Active)
    }

    /// Does its kernel have this address on its device, whether that is up or not?
    pub(super) fn holds(&self, world: &World, address: Ipv4Addr) -> bool {
        let node = &world.nodes[self.router];
        let base = kernel::ifindex(self.port);
        node.power
            && node.kernel.addresses().any(|a| {
                a.network.ip() == address
                    && kernel::port(a.ifindex).is_none()
                    && node.kernel.is_on(a.ifindex, base)
            })
    }
}

/// The segments with a virtual router.
pub(super) fn segments(world: &World) -> impl Iterator<Item = SegmentIndex> {
    let segments = world.scenario.segments.iter().enumerate();
    segments.filter(|(_, segment)| segment.vrrp.is_some()).map(|(s, _)| s)
}

/// The members of a segment's virtual router.
pub(super) fn members(world: &World, segment: SegmentIndex) -> impl Iterator<Item = Member<'_>> {
    let ends = world.segments[segment].ends.iter();
    let ends = ends.filter(|e| world.scenario.routers[e.router].ports[e.port].vrrp_priority.is_some());
    ends.map(|end| {
        let node = &world.nodes[end.router];
        let engine = node.vrrp.engine.as_ref().filter(|_| node.vrrp.is_active());
        let engine = engine.and_then(|e| {
            let name = format!("eth{}", end.port);
            e.routers().find(|v| v.group.interface.as_str() == name && !v.retired)
        });
        Member { router: end.router, port: end.port, engine }
    })
}

/// The member of an election that is this router.
pub(super) fn member<'a>(world: &'a World, election: &Election, router: RouterIndex) -> Option<Member<'a>> {
    members(world, election.segment).find(|m| m.router == router)
}

/// The elections of this moment, if the oracle knows enough of it.
pub(super) fn elections(world: &World) -> Vec<Election> {
    if !rest::is_expected(world) || segments(world).next().is_none() {
        return Vec::new();
    }
    oracle::elections(&world.current, &world.state())
}

/// The group's virtual address.
pub(super) fn address(world: &World, segment: SegmentIndex) -> Option<Ipv4Addr> {
    world.scenario.segments[segment].vrrp.as_ref().map(|group| group.address.ip())
}

/// How long an advertisement takes to come, and how much a clock may be wrong: added to every bound.
fn margin(world: &World, segment: SegmentIndex) -> Duration {
    let way = &world.scenario.segments[segment];
    Duration::from_micros(way.delay + way.jitter) + Duration::from_millis(20)
}

/// Advertisement_Interval.
pub(super) fn interval(world: &World, segment: SegmentIndex) -> Duration {
    let group = world.scenario.segments[segment].vrrp.as_ref();
    group.map_or(Duration::ZERO, |group| Duration::from_millis(group.interval))
}

/// How long two routers that hear each other may both be Active: until the one that has to yield has heard the
/// other's next advertisement (RFC 9568 §6.4.3).
pub(super) fn both_active_bound(world: &World, segment: SegmentIndex) -> Duration {
    let bound = interval(world, segment) + margin(world, segment);
    bound + bound / 50
}

/// How long nobody may be Active: the longest Active_Down_Interval (RFC 9568 §6.1), once more for a process that
/// starts in the middle of it.
pub(super) fn nobody_active_bound(world: &World, segment: SegmentIndex) -> Duration {
    let interval = interval(world, segment);
    let version_2 = world.scenario.segments[segment].vrrp.as_ref().is_some_and(|g| g.version == 2);
    let version = if version_2 { VrrpVersion::V2 } else { VrrpVersion::V3 };
    let bound =
        vrrp_proto::timing::active_down_interval(version, 0, interval) + interval + margin(world, segment);
    bound + bound / 50 + Duration::from_millis(300)
}

/// Since when a group was left alone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Calm {
    since: Instant,
    stamp: u64,
}

impl Calm {
    /// Looks at a group and says since when nothing has disturbed it: no fault on its segment or at a member, no
    /// process or carrier that came or went. `None` while something does.
    pub(super) fn since(&mut self, world: &World, segment: SegmentIndex) -> Option<Instant> {
        let is_near = |what: &What| {
            what.segment() == Some(segment)
                || what.router().is_some_and(|r| members(world, segment).any(|m| m.router == r))
        };
        let faults = world.scenario.faults.iter().filter(|f| is_near(&f.what));
        let begun = faults.clone().filter(|f| Instant::from_millis(f.at) <= world.now);
        let disturbed = begun.clone().any(|f| rest::is_under_way(world, f.at, f.until));
        let over = begun.map(|f| Instant::from_millis(f.until)).max().unwrap_or_default();
        let stamp = members(world, segment).map(|m| stamp(world, m)).sum();
        if stamp != self.stamp || disturbed {
            (self.stamp, self.since) = (stamp, world.now);
        }
        self.since = self.since.max(over.min(world.now));
        (!disturbed).then_some(self.since)
    }
}

/// Changes when a member's daemon, power or carrier comes or goes.
fn stamp(world: &World, member: Member<'_>) -> u64 {
    let node = &world.nodes[member.router];
    let up = node.power && node.kernel.is_running(kernel::ifindex(member.port));
    let runs = member.engine.is_some();
    // Places in the sum, so that what goes and what comes do not cancel out.
    let place = 1 + member.router as u64;
    place * (u64::from(node.incarnation(Daemon::Vrrp)) * 1_000 + u64::from(up) * 10 + u64::from(runs))
}
