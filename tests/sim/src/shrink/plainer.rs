//! What can be made plainer: settings that are as everywhere, and shorter times.

use super::Pass;
use super::remove::ports;
use crate::generate::LASTING;
use crate::scenario::{Authentication, Fault, Impairment, Port, Router, Scenario, Segment, What};
use core::ops::Range;

/// Plainest delay of a segment (µs).
const DELAY: u64 = 100;
/// Plainest MTU.
const MTU: u32 = 1_500;

pub(super) const PASSES: &[Pass] = &[
    setting(|s, _| s.settings.maximum_paths = None),
    setting(|s, _| s.settings.on_startup = None),
    setting(|s, _| s.settings.fast_reroute = false),
    setting(|s, _| s.settings.initial_delay = None),
    setting(|s, _| s.rest /= 2),
    setting(|s, _| end_chaos(s)),
    setting(|s, _| begin_earlier(s)),
    faults(|s, n| each_fault(s, n, halve)),
    faults(|s, n| each_fault(s, n, better)),
    routers(|s, n| each_router(s, n, |r| r.static_routes.clear())),
    routers(|s, n| each_router(s, n, |r| r.default_information = None)),
    routers(|s, n| each_router(s, n, |r| r.redistribute_static = None)),
    routers(|s, n| each_router(s, n, |r| r.redistribute_connected = None)),
    routers(|s, n| each_router(s, n, |r| r.filter.hidden = None)),
    routers(|s, n| each_router(s, n, |r| r.filter.rules.clear())),
    routers(|s, n| each_router(s, n, |r| r.plain_routes = false)),
    routers(|s, n| each_router(s, n, |r| r.ordinary_restarts = false)),
    routers(|s, n| each_router(s, n, |r| r.clock_rate = 0)),
    routers(|s, n| each_router(s, n, |r| r.clock_offset = 0)),
    routers(|s, n| each_router(s, n, |r| r.starts = 0)),
    segments(|s, n| each_segment(s, n, |g| g.jitter = 0)),
    segments(|s, n| each_segment(s, n, |g| g.delay = g.delay.min(DELAY))),
    segments(|s, n| each_segment(s, n, |g| g.mtu = MTU)),
    segments(|s, n| each_segment(s, n, |g| g.authentication = Authentication::Null)),
    segments(without_group),
    Pass { places: port_count, apply: |s, n| each_port(s, n, |p| p.vrrp_priority = None), is_removal: false },
    Pass { places: port_count, apply: |s, n| each_port(s, n, |p| p.passive = false), is_removal: false },
    Pass { places: port_count, apply: |s, n| each_port(s, n, |p| p.without_ospf = false), is_removal: false },
    Pass { places: port_count, apply: |s, n| each_port(s, n, |p| p.cost = 10), is_removal: false },
    Pass { places: port_count, apply: |s, n| each_port(s, n, |p| p.priority = 1), is_removal: false },
];

const fn setting(apply: fn(&mut Scenario, Range<usize>)) -> Pass {
    Pass { places: |_| 1, apply, is_removal: false }
}

const fn faults(apply: fn(&mut Scenario, Range<usize>)) -> Pass {
    Pass { places: |s| s.faults.len(), apply, is_removal: false }
}

const fn routers(apply: fn(&mut Scenario, Range<usize>)) -> Pass {
    Pass { places: |s| s.routers.len(), apply, is_removal: false }
}

const fn segments(apply: fn(&mut Scenario, Range<usize>)) -> Pass {
    Pass { places: |s| s.segments.len(), apply, is_removal: false }
}

fn port_count(scenario: &Scenario) -> usize {
    ports(scenario).count()
}

fn each_fault(scenario: &mut Scenario, places: Range<usize>, change: fn(&mut Fault)) {
    scenario.faults[places].iter_mut().for_each(change);
}

fn each_router(scenario: &mut Scenario, places: Range<usize>, change: fn(&mut Router)) {
    scenario.routers[places].iter_mut().for_each(change);
}

fn each_segment(scenario: &mut Scenario, places: Range<usize>, change: fn(&mut Segment)) {
    scenario.segments[places].iter_mut().for_each(change);
}

fn each_port(scenario: &mut Scenario, places: Range<usize>, change: fn(&mut Port)) {
    let all = scenario.routers.iter_mut().flat_map(|r| &mut r.ports);
    all.skip(places.start).take(places.len()).for_each(change);
}

/// A segment without its virtual router.
fn without_group(scenario: &mut Scenario, places: Range<usize>) {
    for s in places {
        scenario.segments[s].vrrp = None;
        let here = scenario.routers.iter_mut().flat_map(|r| &mut r.ports).filter(|p| p.segment == s);
        here.for_each(|p| p.vrrp_priority = None);
    }
}

/// The time to settle begins with the end of the last fault.
fn end_chaos(scenario: &mut Scenario) {
    let faults = scenario.faults.iter().map(|f| if lasts(f) { f.at } else { f.until });
    let needed = faults.chain(scenario.routers.iter().map(|r| r.starts)).max();
    scenario.chaos_ends = needed.unwrap_or(0);
}

/// Half of the time before the first fault.
fn begin_earlier(scenario: &mut Scenario) {
    let earlier = scenario.faults.iter().map(|f| f.at).min().unwrap_or(0).div_ceil(2);
    for fault in &mut scenario.faults {
        fault.at -= earlier;
        fault.until -= if lasts(fault) { 0 } else { earlier };
    }
    end_chaos(scenario);
}

/// A fault of half the length.
fn halve(fault: &mut Fault) {
    if !lasts(fault) {
        fault.until = fault.at + (fault.until - fault.at) / 2;
    }
}

/// Does it never end?
fn lasts(fault: &Fault) -> bool {
    fault.until >= LASTING
}

/// An impairment of one kind only, the first there is.
fn better(fault: &mut Fault) {
    let What::Impair { impairment, .. } = &mut fault.what else { return };
    let Impairment { loss, reorder, duplicate, corrupt, .. } = impairment;
    let mut found = false;
    for chance in [loss, reorder, duplicate, corrupt] {
        if found {
            *chance = 0;
        }
        found |= *chance > 0;
    }
    (impairment.delay, impairment.jitter) = (0, 0);
}
