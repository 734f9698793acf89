//! What a cold start costs in counts that no machine's speed changes, so that nothing that makes it grow faster than
//! the network goes unnoticed.

use routing_sim::scale::topology::{Topology, scenario};
use routing_sim::scale::{cold_start, trees};
use routing_sim::world::World;

/// How often an LSA crosses a cable, either way and in all its instances: some three instances of every router-LSA,
/// each across every cable about once.
const CROSSINGS: f64 = 4.0;
/// Chance: how much more often in a network of twice the size.
const GROWTH: f64 = 1.3;
/// Trees a router computes. It leaves 50 ms between two, and learns for about five seconds.
const TREES: u64 = 100;

/// LSA receptions and packets for each cable and router, and the trees of the router that computed most.
fn start(topology: Topology, routers: usize) -> anyhow::Result<(f64, f64, u64)> {
    let scenario = scenario(topology, routers, 1, false)?;
    let mut world = World::new(&scenario, Vec::new(), false)?;
    let work = cold_start(&mut world)?;
    let pairs = (scenario.segments.len() * routers) as f64;
    let most = (0..routers).map(|r| trees(&world, r)).max().unwrap_or(0);
    Ok((work.lsas as f64 / pairs, work.packets as f64 / pairs, most))
}

#[test]
fn every_lsa_crosses_every_cable_a_few_times_whatever_the_size() {
    for topology in [Topology::Random, Topology::Grid] {
        let (small, small_packets, _) = start(topology, 30).unwrap();
        let (large, large_packets, most) = start(topology, 60).unwrap();
        assert!(large <= CROSSINGS, "{topology:?}: {large} times");
        assert!(large <= small * GROWTH, "{topology:?}: {large} times after {small}");
        assert!(large_packets <= small_packets * GROWTH, "{topology:?}: {large_packets} packets");
        assert!(most <= TREES, "{topology:?}: {most} trees");
    }
}
