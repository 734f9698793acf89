//! What can be left out: faults, routers, segments, ports. Whatever named it goes with it, and what comes after it
//! in its list gets a new number.

use super::Pass;
use crate::scenario::{RouterIndex, Scenario, SegmentIndex, What};
use core::ops::Range;

pub(super) const PASSES: &[Pass] = &[
    Pass { places: |s| s.faults.len(), apply: faults, is_removal: true },
    Pass { places: |s| s.routers.len(), apply: routers, is_removal: true },
    Pass { places: |s| s.segments.len(), apply: segments, is_removal: true },
    Pass { places: |s| ports(s).count(), apply: some_ports, is_removal: true },
];

/// All ports: router and place.
pub(super) fn ports(scenario: &Scenario) -> impl Iterator<Item = (RouterIndex, usize)> {
    scenario.routers.iter().enumerate().flat_map(|(r, router)| (0..router.ports.len()).map(move |p| (r, p)))
}

fn faults(scenario: &mut Scenario, gone: Range<usize>) {
    scenario.faults.drain(gone);
}

fn routers(scenario: &mut Scenario, gone: Range<usize>) {
    for r in gone.rev() {
        scenario.routers.remove(r);
        scenario.faults.retain_mut(|fault| renumber(router_of(&mut fault.what), r));
    }
    empty_segments(scenario);
}

fn segments(scenario: &mut Scenario, gone: Range<usize>) {
    for s in gone.rev() {
        for (r, p) in ports(scenario).collect::<Vec<_>>().into_iter().rev() {
            if scenario.routers[r].ports[p].segment == s {
                port(scenario, r, p);
            }
        }
        segment(scenario, s);
    }
}

fn some_ports(scenario: &mut Scenario, gone: Range<usize>) {
    let all: Vec<_> = ports(scenario).collect();
    for (r, p) in all[gone].iter().rev() {
        port(scenario, *r, *p);
    }
    empty_segments(scenario);
}

fn port(scenario: &mut Scenario, r: RouterIndex, p: usize) {
    let segment = scenario.routers[r].ports.remove(p).segment;
    scenario.faults.retain_mut(|fault| match &fault.what {
        What::Unplug { segment: s, router } => (*router, *s) != (r, segment),
        what if what.router() == Some(r) => renumber(port_of(&mut fault.what), p),
        _ => true,
    });
}

/// Takes out a segment nobody is plugged into.
fn segment(scenario: &mut Scenario, s: SegmentIndex) {
    scenario.segments.remove(s);
    for port in scenario.routers.iter_mut().flat_map(|r| &mut r.ports) {
        if port.segment > s {
            port.segment -= 1;
        }
    }
    scenario.faults.retain_mut(|fault| renumber(segment_of(&mut fault.what), s));
}

fn empty_segments(scenario: &mut Scenario) {
    for s in (0..scenario.segments.len()).rev() {
        if scenario.ends(s).next().is_none() {
            segment(scenario, s);
        }
    }
}

/// After the removal of `gone` from a list: the new number of what was called `index`. False if it is gone.
fn renumber(index: Option<&mut usize>, gone: usize) -> bool {
    match index {
        Some(index) if *index == gone => false,
        Some(index) => {
            *index -= usize::from(*index > gone);
            true
        }
        None => true,
    }
}

fn router_of(what: &mut What) -> Option<&mut usize> {
    match what {
        What::Impair { towards, .. } => towards.as_mut(),
        What::SilentCut { from, .. } => from.as_mut(),
        What::Forge { victim, .. } => Some(victim),
        What::Unplug { router, .. }
        | What::PowerLoss { router }
        | What::Kill { router, .. }
        | What::Stop { router, .. }
        | What::Freeze { router, .. }
        | What::WallClock { router, .. }
        | What::Cost { router, .. }
        | What::Priority { router, .. }
        | What::VrrpPriority { router, .. }
        | What::WrongKey { router, .. }
        | What::OspfOff { router, .. }
        | What::Passive { router, .. }
        | What::ExternalsOff { router }
        | What::FilterOff { router }
        | What::AdminDown { router, .. }
        | What::AddressRemoved { router, .. }
        | What::Mtu { router, .. }
        | What::RibDisconnect { router }
        | What::KernelRefuses { router, .. }
        | What::RoutesRemoved { router }
        | What::PlannedRestart { router }
        | What::Clear { router } => Some(router),
        What::Junk { .. } | What::Replay { .. } => None,
    }
}

fn port_of(what: &mut What) -> Option<&mut usize> {
    match what {
        What::Cost { port, .. }
        | What::Priority { port, .. }
        | What::VrrpPriority { port, .. }
        | What::WrongKey { port, .. }
        | What::OspfOff { port, .. }
        | What::Passive { port, .. }
        | What::AdminDown { port, .. }
        | What::AddressRemoved { port, .. }
        | What::Mtu { port, .. } => Some(port),
        _ => None,
    }
}

fn segment_of(what: &mut What) -> Option<&mut usize> {
    match what {
        What::Impair { segment, .. }
        | What::SilentCut { segment, .. }
        | What::Unplug { segment, .. }
        | What::Junk { segment, .. }
        | What::Replay { segment, .. }
        | What::Forge { segment, .. } => Some(segment),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{self, Options};

    #[test]
    fn whatever_is_left_out_the_rest_is_a_scenario() {
        for seed in 0..300 {
            let whole = generate::scenario(seed, &Options::default());
            for pass in PASSES {
                for place in 0..(pass.places)(&whole) {
                    let mut smaller = whole.clone();
                    (pass.apply)(&mut smaller, place..place + 1);
                    let text = smaller.to_toml().unwrap();
                    assert_eq!(Scenario::parse(&text).unwrap(), smaller, "seed {seed}, place {place}");
                    assert_ne!(smaller, whole);
                }
            }
        }
    }

    #[test]
    fn what_comes_after_it_gets_a_new_number() {
        let mut scenario = (0..).map(|seed| generate::scenario(seed, &Options::default()));
        let of = |s: &Scenario| s.routers.len() > 4 && s.faults.iter().any(|f| f.what.router() == Some(3));
        let whole = scenario.find(|s| of(s)).unwrap();
        let mut smaller = whole.clone();
        routers(&mut smaller, 1..2);
        assert_eq!(smaller.routers[2].name, whole.routers[3].name);
        let names = |s: &Scenario, r: usize| s.faults.iter().filter(|f| f.what.router() == Some(r)).count();
        assert_eq!(names(&smaller, 2), names(&whole, 3));
    }
}
