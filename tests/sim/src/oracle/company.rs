//! Who must be adjacent to whom, and who may hold a virtual address.
//!
//! Who is Designated Router depends on history (RFC 2328 §9.4), as the Active Router does without Preempt_Mode or
//! among equals (RFC 9568 §6.4.2: a Backup Router gives way to an equal); there it is only said who could be.

use super::State;
use crate::scenario::{Port, RouterIndex, Scenario, SegmentIndex, SegmentKind};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Priority of the owner of a virtual address.
const OWNER: u8 = 255;

/// Whom a port must hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighborhood {
    /// Router IDs of all its neighbours: 2-Way at least.
    pub neighbors: BTreeSet<Ipv4Addr>,
    /// With whom of them it is Full.
    pub bond: Bond,
}

/// Which neighbours become adjacent (RFC 2328 §10.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bond {
    /// All: a point-to-point network.
    Full,
    /// Those of which one is Designated Router or Backup. All ports of the segment name the same two, and these
    /// are among `eligible`; there is no Backup if that has one member only.
    Designated {
        /// Router IDs, with the port's own, of priority above 0. Never empty.
        eligible: BTreeSet<Ipv4Addr>,
    },
    /// None: nobody may be Designated Router.
    TwoWay,
}

/// The neighbourhoods by router and port; `None` where OSPF does not speak.
pub fn neighborhoods(scenario: &Scenario, state: &State) -> Vec<Vec<Option<Neighborhood>>> {
    let of_router = |r: RouterIndex| {
        let ports = scenario.routers[r].ports.iter().enumerate();
        ports
            .map(|(p, port)| speaks(state, r, p, port).then(|| neighborhood(scenario, state, r, port)))
            .collect()
    };
    (0..scenario.routers.len()).map(of_router).collect()
}

fn speaks(state: &State, r: RouterIndex, p: usize, port: &Port) -> bool {
    state.is_up(r, p) && !port.without_ospf && !port.passive
}

fn neighborhood(scenario: &Scenario, state: &State, own: RouterIndex, port: &Port) -> Neighborhood {
    let passes = state.segment_passes[port.segment];
    let ends = scenario.ends(port.segment);
    let heard: Vec<_> =
        ends.filter(|(r, p, end)| speaks(state, *r, *p, end) && (passes || *r == own)).collect();
    let id = |r: RouterIndex| scenario.routers[r].loopback;
    let neighbors = heard.iter().filter(|(r, ..)| *r != own).map(|(r, ..)| id(*r)).collect();
    let eligible: BTreeSet<Ipv4Addr> =
        heard.iter().filter(|(_, _, end)| end.priority > 0).map(|(r, ..)| id(*r)).collect();
    let bond = match scenario.segments[port.segment].kind {
        SegmentKind::PointToPoint => Bond::Full,
        SegmentKind::Broadcast if eligible.is_empty() => Bond::TwoWay,
        SegmentKind::Broadcast => Bond::Designated { eligible },
    };
    Neighborhood { neighbors, bond }
}

/// Routers of one virtual router that hear one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Election {
    /// Where.
    pub segment: SegmentIndex,
    /// Who takes part.
    pub members: BTreeSet<RouterIndex>,
    /// Exactly one of these is Active; all other members are Backup.
    pub candidates: BTreeSet<RouterIndex>,
}

/// All elections; members of a cut segment each hold one of their own.
pub fn elections(scenario: &Scenario, state: &State) -> Vec<Election> {
    let mut elections = Vec::new();
    for (s, segment) in scenario.segments.iter().enumerate() {
        let Some(group) = &segment.vrrp else { continue };
        let ends = scenario.ends(s).filter(|(r, p, _)| state.is_up(*r, *p));
        let members: Vec<(RouterIndex, u8)> =
            ends.filter_map(|(r, _, port)| Some((r, port.vrrp_priority?))).collect();
        if state.segment_passes[s] {
            elections.extend(election(s, &members, group.preempt));
        } else {
            elections.extend(members.chunks(1).filter_map(|alone| election(s, alone, group.preempt)));
        }
    }
    elections
}

/// The owner; with Preempt_Mode those of the highest priority; otherwise anyone.
fn election(segment: SegmentIndex, members: &[(RouterIndex, u8)], preempt: bool) -> Option<Election> {
    let highest = members.iter().map(|(_, priority)| *priority).max()?;
    let may = |priority: u8| priority == highest || (!preempt && highest != OWNER);
    let candidates = members.iter().filter(|(_, priority)| may(*priority)).map(|(r, _)| *r).collect();
    let members = members.iter().map(|(r, _)| *r).collect();
    Some(Election { segment, members, candidates })
}
