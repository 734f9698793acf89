//! E3: a partial calculation gives what a full one would.
//!
//! After every turn in which ospfd calculated and nothing changed any more, the whole table is calculated anew from the same databases and
//! interfaces, with nothing kept from before.

use super::calculation::Calculations;
use super::{Checker, Turn, Verdict};
use crate::world::World;
use ospf_proto::instance::Instance;
use ospf_proto::interface::{Interface, InterfaceState, NetworkKind};
use ospf_proto::lsdb::DatabaseId;
use ospf_proto::neighbor::NeighborState;
use ospf_proto::route::RoutingTable;
use ospf_proto::spf::{Calculation, Change, SpfArea, SpfInput, SpfInterface, SpfInterfaceKind, SpfNeighbor};
use routing_common::config::OspfConfig;
use routing_common::id::AreaId;
use routing_common::time::Instant;

/// The law.
#[derive(Debug, Default)]
pub(crate) struct FullCalculation {
    calculations: Calculations,
}

impl Checker for FullCalculation {
    fn law(&self) -> (&'static str, &'static str) {
        ("E3", "a partial calculation gives what a full one would")
    }

    fn before(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        self.calculations.before(world, turn);
        Ok(())
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let node = &world.nodes[turn.router];
        let (Some(engine), Some(config)) = (self.calculations.engine(world, turn), &node.config.ospf) else {
            return Ok(());
        };
        compare(&node.name, engine.routing_table(), &full(engine, config, turn.local))
    }
}

fn compare(name: &str, kept: &RoutingTable, full: &RoutingTable) -> Verdict {
    if kept == full {
        return Ok(());
    }
    let network = kept
        .networks
        .keys()
        .chain(full.networks.keys())
        .find(|p| kept.networks.get(p) != full.networks.get(p));
    let router =
        kept.routers.keys().chain(full.routers.keys()).find(|r| kept.routers.get(r) != full.routers.get(r));
    let networks = network.map(|p| (p, kept.networks.get(p), full.networks.get(p)));
    let routers = router.map(|r| (r, kept.routers.get(r), full.routers.get(r)));
    Err(format!("{name}: has and ought to have {networks:?} {routers:?}"))
}

fn full(engine: &Instance, config: &OspfConfig, now: Instant) -> RoutingTable {
    let parts: Vec<_> = engine
        .areas()
        .filter_map(|(area, _)| {
            let lsdb = engine.lsdb(DatabaseId::Area(area))?;
            Some((area, lsdb.view(now), interfaces(engine, area)))
        })
        .collect();
    let areas: Vec<SpfArea<'_>> =
        parts.iter().map(|(area, lsas, interfaces)| SpfArea { area: *area, lsas, interfaces }).collect();
    let Some(externals) = engine.lsdb(DatabaseId::As) else { return RoutingTable::default() };
    let input = SpfInput {
        router_id: engine.router_id(),
        areas: &areas,
        externals: &externals.view(now),
        maximum_paths: config.maximum_paths,
        rfc1583_compatibility: config.rfc1583_compatibility,
    };
    Calculation::default().run(Change::Topology, &input, &RoutingTable::default())
}

fn interfaces(engine: &Instance, area: AreaId) -> Vec<SpfInterface> {
    let usable = |i: &Interface| match i.kind {
        NetworkKind::PointToPoint => NeighborState::Full,
        NetworkKind::Broadcast | NetworkKind::Loopback => NeighborState::TwoWay,
    };
    let up = engine.interfaces().filter(|i| i.area() == area && i.state != InterfaceState::Down);
    up.filter_map(|i| {
        let neighbors = i.neighbors.values().filter(|n| n.state >= usable(i) || n.helping.is_some());
        Some(SpfInterface {
            ifindex: i.ifindex,
            address: i.ip(),
            network: i.address?,
            kind: match i.kind {
                NetworkKind::Broadcast => SpfInterfaceKind::Broadcast,
                NetworkKind::PointToPoint => SpfInterfaceKind::PointToPoint,
                NetworkKind::Loopback => SpfInterfaceKind::Stub,
            },
            cost: i.cost,
            neighbors: neighbors
                .map(|n| SpfNeighbor { router_id: n.id.router_id, address: n.address })
                .collect(),
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;

    #[test]
    fn a_table_with_a_route_too_many_or_another_cost_breaks_the_law() {
        let world = run::traced(&crate::generate::paper::ring5_c(), Vec::new()).unwrap();
        let right = world.nodes[0].ospf.engine.as_ref().unwrap().routing_table();
        assert!(right.networks.len() > 10);
        assert_eq!(compare("r", right, right), Ok(()));
        let mut less = right.clone();
        less.networks.pop_first();
        assert!(compare("r", right, &less).is_err());
        let mut other = right.clone();
        other.networks.values_mut().next().unwrap().cost += 1;
        assert!(compare("r", &other, right).is_err());
    }
}
