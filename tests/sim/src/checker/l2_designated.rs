//! L2: all routers that hear one another on a broadcast segment name the same Designated Router and Backup
//! (RFC 2328 §9.4). Both are eligible; the first exists if anybody is, the second if two are. Who it is depends on
//! history and is nobody's business.

use super::rest::{self, Oracle, Truth};
use super::{Checker, Verdict};
use crate::oracle::Bond;
use crate::scenario::SegmentKind;
use crate::world::World;
use ospf_proto::Instance;
use ospf_proto::interface::{Interface, InterfaceState};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// See the module text.
#[derive(Debug)]
pub(super) struct Designated(pub(super) Oracle);

impl Checker for Designated {
    fn law(&self) -> (&'static str, &'static str) {
        ("L2", "at rest everybody on a broadcast segment names the same eligible DR and BDR")
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        let Some(truth) = self.0.ask(world) else { return Ok(()) };
        let engines: BTreeMap<usize, &Instance> = rest::engines(world)?.into_iter().collect();
        for (s, segment) in world.current.segments.iter().enumerate() {
            if segment.kind == SegmentKind::Broadcast {
                check(world, &truth, &engines, s).map_err(|text| format!("segment {s}: {text}"))?;
            }
        }
        Ok(())
    }

    fn at_end(&mut self, world: &World) -> Verdict {
        self.at_rest(world)
    }
}

fn check(world: &World, truth: &Truth, engines: &BTreeMap<usize, &Instance>, segment: usize) -> Verdict {
    let mut named: Option<(usize, Option<Ipv4Addr>, Option<Ipv4Addr>)> = None;
    for (r, p, port) in world.current.ends(segment) {
        let Some(neighborhood) = &truth.neighborhoods[r][p] else { continue };
        let who = rest::name(world, r);
        let interface = engines.get(&r).and_then(|e| rest::interface(e, p));
        let interface = interface.ok_or_else(|| format!("{who} does not know it"))?;
        let (dr, bdr) = (interface.designated_router, interface.backup_designated_router);
        if let Some((other, other_dr, other_bdr)) = named
            && truth.state.segment_passes[segment]
            && (dr, bdr) != (other_dr, other_bdr)
        {
            let other = rest::name(world, other);
            return Err(format!("{other} names {other_dr:?} and {other_bdr:?}, {who} {dr:?} and {bdr:?}"));
        }
        named = Some((r, dr, bdr));
        let eligible = match &neighborhood.bond {
            Bond::Designated { eligible } => eligible.len(),
            _ => 0,
        };
        if (dr.is_some(), bdr.is_some()) != (eligible > 0, eligible > 1) || (dr.is_some() && dr == bdr) {
            return Err(format!("{who} names {dr:?} and {bdr:?} where {eligible} are eligible"));
        }
        for lead in [dr, bdr].into_iter().flatten() {
            let priority = world.current.ends(segment).find(|(_, _, port)| port.address.ip() == lead);
            if priority.is_none_or(|(_, _, port)| port.priority == 0) {
                return Err(format!("{who} names {lead}, which is not eligible"));
            }
        }
        own_state(interface, port.address.ip()).map_err(|text| format!("{who} {text}"))?;
    }
    Ok(())
}

/// Does a router's state say what it names?
fn own_state(interface: &Interface, own: Ipv4Addr) -> Verdict {
    let wanted = match (interface.designated_router, interface.backup_designated_router) {
        (Some(dr), _) if dr == own => InterfaceState::Dr,
        (_, Some(bdr)) if bdr == own => InterfaceState::Backup,
        _ => InterfaceState::DrOther,
    };
    match interface.state == wanted {
        true => Ok(()),
        false => Err(format!("is in {:?}, expected {wanted:?}", interface.state)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;
    use ospf_proto::interface::InterfaceState::{Backup, Dr};

    #[test]
    fn a_designated_router_that_may_not_be_one_breaks_it() {
        let mut world = ring(20);
        assert_eq!(Designated(Oracle::default()).at_rest(&world), Ok(()));
        world.current.routers[0].ports[0].priority = 0;
        assert!(Designated(Oracle::default()).at_rest(&world).is_err());
        // Nobody is named while everybody waits.
        assert!(Designated(Oracle::default()).at_rest(&ring(2)).is_err());
    }

    #[test]
    fn a_state_that_differs_from_what_is_named_breaks_it() {
        let world = ring(20);
        let engine = world.nodes[0].ospf.engine.as_ref().unwrap();
        let mut interface = rest::interface(engine, 0).unwrap().clone();
        let own = interface.ip().unwrap();
        assert_eq!(own_state(&interface, own), Ok(()));
        interface.state = if interface.state == Dr { Backup } else { Dr };
        assert!(own_state(&interface, own).is_err());
    }
}
