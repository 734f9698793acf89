//! Large networks: one area, point-to-point cables, everything else as a configuration leaves it.

use crate::filter::Filter;
use crate::scenario::{Authentication, Port, Router, Scenario, Segment, SegmentKind, Settings};
use anyhow::Result;
use clap::ValueEnum;
use ipnetwork::Ipv4Network;
use routing_common::rng::Rng;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// How routers are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Topology {
    /// A random tree and as many random chords: mean degree 4, diameter small.
    Random,
    /// Rows and columns: mean degree just below 4, diameter twice the root of the size.
    Grid,
    /// A circle: degree 2, diameter half the size.
    Ring,
    /// Every router has up to three below it.
    Tree,
    /// Leaves joined to two of few spines each; spines have large degrees.
    Fabric,
}

/// All routers are switched on in this time (ms).
const START: u64 = 3_000;

/// Output costs are between 1 and this.
const COSTS: u64 = 10;

/// A scenario without end and without faults. Loopbacks are 10.128.0.1 and following, every cable has a /31 of
/// 172.16.0.0/12. `with_rib` gives every router a ribd too.
///
/// # Errors
/// Never: /31 is a prefix length.
pub fn scenario(topology: Topology, routers: usize, seed: u64, with_rib: bool) -> Result<Scenario> {
    let mut rng = Rng::new(seed);
    let cables = cables(topology, routers, &mut rng);
    let mut all: Vec<Router> = (0..routers).map(|r| router(r, rng.below(START))).collect();
    for (segment, (a, b)) in cables.iter().enumerate() {
        for (end, router) in [*a, *b].into_iter().enumerate() {
            all[router].ports.push(Port {
                segment,
                address: Ipv4Network::new(address([172, 16, 0, 0], 2 * segment + end), 31)?,
                cost: 1 + rng.below(COSTS) as u16,
                priority: 1,
                passive: false,
                without_ospf: false,
                vrrp_priority: None,
            });
        }
    }
    let segment = Segment {
        kind: SegmentKind::PointToPoint,
        delay: 500,
        jitter: 100,
        mtu: 1500,
        authentication: Authentication::Null,
        vrrp: None,
    };
    Ok(Scenario {
        name: format!("{topology:?}-{routers}").to_lowercase(),
        seed,
        chaos_ends: 0,
        settle: 0,
        rest: 0,
        settings: Settings { without_rib: !with_rib, ..Settings::default() },
        routers: all,
        segments: vec![segment; cables.len()],
        faults: Vec::new(),
    })
}

fn router(number: usize, starts: u64) -> Router {
    Router {
        name: format!("r{number}"),
        loopback: address([10, 128, 0, 1], number),
        starts,
        clock_offset: 0,
        clock_rate: 0,
        default_information: None,
        static_routes: Vec::new(),
        redistribute_static: None,
        redistribute_connected: None,
        filter: Filter::default(),
        plain_routes: false,
        ordinary_restarts: false,
        ports: Vec::new(),
    }
}

fn address(base: [u8; 4], number: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from_be_bytes(base).wrapping_add(u32::try_from(number).unwrap_or(u32::MAX)))
}

/// The cables, each between two different routers; no two between the same.
fn cables(topology: Topology, routers: usize, rng: &mut Rng) -> BTreeSet<(usize, usize)> {
    let mut cables = BTreeSet::new();
    let mut join = |a: usize, b: usize| a != b && cables.insert((a.min(b), a.max(b)));
    match topology {
        Topology::Random => {
            for router in 1..routers {
                join(router, rng.below(router as u64) as usize);
            }
            let possible = routers * routers.saturating_sub(1) / 2;
            let mut chords = routers.min((possible + 1).saturating_sub(routers));
            while chords > 0 {
                let (a, b) = (rng.below(routers as u64) as usize, rng.below(routers as u64) as usize);
                chords -= usize::from(join(a, b));
            }
        }
        Topology::Grid => {
            let columns = (1..).find(|c| c * c >= routers).unwrap_or(1);
            for router in 0..routers {
                let (right, below) = (router + 1, router + columns);
                let _ = right % columns != 0 && right < routers && join(router, right);
                let _ = below < routers && join(router, below);
            }
        }
        Topology::Ring => (0..routers).for_each(|router| {
            join(router, (router + 1) % routers);
        }),
        Topology::Tree => (1..routers).for_each(|router| {
            join(router, (router - 1) / 3);
        }),
        Topology::Fabric => {
            let spines = (2..).find(|s| s * s * 4 >= routers).unwrap_or(2);
            if routers == spines {
                join(0, 1);
            }
            for leaf in spines..routers {
                join(leaf, leaf % spines);
                join(leaf, (leaf + 1) % spines);
            }
        }
    }
    cables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topology_is_connected_and_has_no_cable_twice() {
        for topology in Topology::value_variants() {
            for routers in [2, 3, 4, 10, 31] {
                let scenario = scenario(*topology, routers, 1, false).unwrap();
                let mut reached = BTreeSet::from([0]);
                for _ in 0..routers {
                    for s in 0..scenario.segments.len() {
                        let ends: Vec<usize> = scenario.ends(s).map(|(r, _, _)| r).collect();
                        assert_eq!(ends.len(), 2);
                        if ends.iter().any(|e| reached.contains(e)) {
                            reached.extend(ends);
                        }
                    }
                }
                assert_eq!(reached.len(), routers, "{topology:?} {routers}");
            }
        }
    }
}
