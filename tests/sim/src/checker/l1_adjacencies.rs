//! L1: adjacencies are exactly the expected ones, and all of them are Full (RFC 2328 §10.4).

use super::rest::{self, Oracle};
use super::{Checker, Verdict};
use crate::oracle::{Bond, Neighborhood};
use crate::world::World;
use ospf_proto::interface::{Interface, InterfaceState};
use ospf_proto::neighbor::{Neighbor, NeighborState};
use std::collections::BTreeSet;

/// See the module text.
#[derive(Debug)]
pub(super) struct Adjacencies(pub(super) Oracle);

impl Checker for Adjacencies {
    fn law(&self) -> (&'static str, &'static str) {
        ("L1", "at rest adjacencies are exactly the expected ones, all Full")
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        let Some(truth) = self.0.ask(world) else { return Ok(()) };
        for (r, engine) in rest::engines(world)? {
            for (p, expected) in truth.neighborhoods[r].iter().enumerate() {
                let interface = rest::interface(engine, p);
                check(interface, expected.as_ref())
                    .map_err(|text| format!("{} eth{p}: {text}", rest::name(world, r)))?;
            }
        }
        Ok(())
    }

    fn at_end(&mut self, world: &World) -> Verdict {
        self.at_rest(world)
    }
}

fn check(interface: Option<&Interface>, expected: Option<&Neighborhood>) -> Verdict {
    let Some(expected) = expected else {
        let heard = interface.map_or(0, |i| i.neighbors.len());
        return if heard == 0 {
            Ok(())
        } else {
            Err(format!("{heard} neighbours where nobody should speak"))
        };
    };
    let interface = interface.ok_or("OSPF does not know the interface")?;
    let heard: BTreeSet<_> = interface.neighbors.keys().map(|id| id.0).collect();
    if heard != expected.neighbors {
        return Err(format!("neighbours {heard:?}, expected {:?}", expected.neighbors));
    }
    for neighbor in interface.neighbors.values() {
        let wanted = wanted(interface, neighbor, &expected.bond);
        if neighbor.state != wanted {
            let id = neighbor.id.router_id;
            return Err(format!("neighbour {id} is in {:?}, expected {wanted:?}", neighbor.state));
        }
    }
    Ok(())
}

/// §10.4: on broadcast networks everybody is adjacent with the Designated Router and its Backup.
fn wanted(interface: &Interface, neighbor: &Neighbor, bond: &Bond) -> NeighborState {
    let leads = [interface.designated_router, interface.backup_designated_router];
    let adjacent = match bond {
        Bond::Full => true,
        Bond::TwoWay => false,
        Bond::Designated { .. } => {
            matches!(interface.state, InterfaceState::Dr | InterfaceState::Backup)
                || leads.contains(&Some(neighbor.address))
        }
    };
    if adjacent { NeighborState::Full } else { NeighborState::TwoWay }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;

    #[test]
    fn a_neighbour_too_many_or_too_few_or_not_full_breaks_it() {
        let mut world = ring(20);
        assert_eq!(Adjacencies(Oracle::default()).at_rest(&world), Ok(()));
        world.current.routers[2].ports[0].passive = true;
        assert!(Adjacencies(Oracle::default()).at_rest(&world).is_err());
        world.current.routers[2].ports[0].passive = false;
        world.current.routers[4].ports[2].passive = false;
        // Alone on its network it is expected to hear nobody.
        assert_eq!(Adjacencies(Oracle::default()).at_rest(&world), Ok(()));
        let engine = world.nodes[0].ospf.engine.as_ref().unwrap();
        let expected =
            Neighborhood { neighbors: [world.current.routers[1].loopback].into(), bond: Bond::Full };
        let mut interface = rest::interface(engine, 0).unwrap().clone();
        assert_eq!(check(Some(&interface), Some(&expected)), Ok(()));
        let forming = |n: &mut Neighbor| n.state = NeighborState::Loading;
        interface.neighbors.values_mut().for_each(forming);
        assert!(check(Some(&interface), Some(&expected)).is_err());
    }
}
