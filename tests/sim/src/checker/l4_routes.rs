//! L4: every OSPF routing table is the oracle's: path types, costs, and all next hops of equal cost.

use super::rest::{self, Oracle};
use super::{Checker, Verdict};
use crate::kernel;
use crate::oracle::{Expected, Hop, Hops, Kind, Outlet, Table};
use crate::world::World;
use ospf_proto::route::{NetworkRoute, PathType, RoutingTable};
use routing_common::id::IfIndex;

/// See the module text.
#[derive(Debug)]
pub(super) struct Routes(pub(super) Oracle);

impl Checker for Routes {
    fn law(&self) -> (&'static str, &'static str) {
        ("L4", "at rest OSPF's routing tables are the oracle's")
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        let Some(truth) = self.0.ask_undeceived(world) else { return Ok(()) };
        for (r, engine) in rest::engines(world)? {
            compare(engine.routing_table(), &truth.tables[r].ospf)
                .map_err(|text| format!("{}: {text}", rest::name(world, r)))?;
        }
        Ok(())
    }

    fn at_end(&mut self, world: &World) -> Verdict {
        self.at_rest(world)
    }
}

fn compare(table: &RoutingTable, expected: &Table) -> Verdict {
    for (prefix, wanted) in expected {
        let Some(route) = table.networks.get(prefix) else {
            return Err(format!("no route to {prefix}, expected {wanted:?}"));
        };
        let found = as_expected(route);
        if found != *wanted {
            return Err(format!("route to {prefix} is {found:?}, expected {wanted:?}"));
        }
    }
    match table.networks.keys().find(|prefix| !expected.contains_key(*prefix)) {
        Some(prefix) => Err(format!("route to {prefix}, expected none")),
        None => Ok(()),
    }
}

/// A route in the oracle's words.
fn as_expected(route: &NetworkRoute) -> Expected {
    let kind = match route.path_type {
        // There is one area: the oracle knows no others, and a route of that type differs from any it has.
        PathType::IntraArea => Kind::Intra,
        PathType::InterArea => Kind::Blackhole,
        PathType::External1 => Kind::External1,
        PathType::External2 => Kind::External2,
    };
    let hops: Hops =
        route.next_hops.iter().map(|hop| Hop { outlet: outlet(hop.ifindex), gateway: hop.gateway }).collect();
    Expected { kind, cost: route.cost, type2: route.type2_cost, hops }
}

/// An interface in the oracle's words.
pub(super) fn outlet(ifindex: IfIndex) -> Outlet {
    kernel::port(ifindex).map_or(Outlet::Loopback, Outlet::Port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;

    #[test]
    fn a_wrong_cost_and_a_missing_or_additional_route_break_it() {
        let mut world = ring(20);
        assert_eq!(Routes(Oracle::default()).at_rest(&world), Ok(()));
        world.current.routers[2].ports[1].cost += 1;
        assert!(Routes(Oracle::default()).at_rest(&world).is_err());

        let table = world.nodes[0].ospf.engine.as_ref().unwrap().routing_table();
        let mut expected: Table = table.networks.iter().map(|(p, r)| (*p, as_expected(r))).collect();
        assert_eq!(compare(table, &expected), Ok(()));
        let (prefix, route) = expected.pop_last().unwrap();
        assert!(compare(table, &expected).is_err());
        expected.insert("203.0.113.0/24".parse().unwrap(), route.clone());
        expected.insert(prefix, route);
        assert!(compare(table, &expected).is_err());
    }
}
