//! L6: from OSPF's table to the kernel nothing is lost, late or left over.
//!
//! What OSPF calculated is what it offers the RIB; the RIB's selection is the oracle's; the kernel has that selection
//! and no other route of ours; no request waits for an answer or another attempt, nothing is stale or held for
//! somebody; and every next-hop object is used and known.

use super::l4_routes::outlet;
use super::rest::{self, Oracle};
use super::{Checker, Verdict};
use crate::kernel::Kernel;
use crate::oracle::{Hop, Hops, Kind, Table};
use crate::world::World;
use ipnetwork::Ipv4Network;
use ospf_proto::route::RoutingTable;
use rib::Rib;
use rib::fib::{KernelNextHopContent, Via};
use rib::message::Protocol;
use rib::route::{FibHop, Origin, Selected, Target, Way, kernel_protocol};
use std::collections::{BTreeMap, BTreeSet};

/// See the module text.
#[derive(Debug)]
pub(super) struct Installed(pub(super) Oracle);

impl Checker for Installed {
    fn law(&self) -> (&'static str, &'static str) {
        ("L6", "at rest the kernels have the RIBs' selection, which is the oracle's")
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        let Some(truth) = self.0.ask_undeceived(world) else { return Ok(()) };
        if world.scenario.settings.without_rib {
            return Ok(());
        }
        for (r, engine) in rest::engines(world)? {
            let node = &world.nodes[r];
            let Some(rib) = node.rib.engine.as_ref().filter(|_| node.rib.is_active()) else {
                return Err(format!("{}: ribd does not run", node.name));
            };
            let all = [
                nothing_pending(rib),
                offered(engine.routing_table(), rib),
                selection(rib, &truth.tables[r].rib),
                installed(rib, &node.kernel),
                objects(rib, &node.kernel),
            ];
            all.into_iter().collect::<Verdict>().map_err(|text| format!("{}: {text}", node.name))?;
        }
        Ok(())
    }

    fn at_end(&mut self, world: &World) -> Verdict {
        self.at_rest(world)
    }
}

fn nothing_pending(rib: &Rib) -> Verdict {
    let fib = rib.fib();
    if fib.issued() != fib.done() {
        return Err(format!("{} requests are not answered", fib.issued() - fib.done()));
    }
    if fib.has_failed() {
        return Err("a refused request waits for another attempt".to_owned());
    }
    match fib.held() {
        0 => Ok(()),
        held => Err(format!("{held} routes are held for somebody who does not come")),
    }
}

/// Is what the RIB was offered by OSPF what OSPF calculated?
fn offered(table: &RoutingTable, rib: &Rib) -> Verdict {
    // A host route without a gateway is the router's own address.
    let mut wanted: BTreeMap<Ipv4Network, (u32, BTreeSet<Hop>)> = table
        .networks
        .iter()
        .filter(|(prefix, r)| prefix.prefix() < 32 || r.next_hops.iter().any(|hop| hop.gateway.is_some()))
        .map(|(prefix, route)| {
            let hops = route.next_hops.iter().map(|h| Hop { outlet: outlet(h.ifindex), gateway: h.gateway });
            (*prefix, (route.metric(), hops.collect()))
        })
        .collect();
    for (prefix, entry) in rib.table().iter() {
        for candidate in &entry.candidates {
            if candidate.stale {
                return Err(format!("the candidate for {prefix} is stale"));
            }
            if candidate.origin != Origin::Client(Protocol::Ospf) {
                continue;
            }
            let Way::Hops(hops) = &candidate.way else { return Err(format!("{prefix}: no next hops")) };
            let hops = hops.iter().map(|h| Hop { outlet: outlet(h.ifindex), gateway: h.gateway });
            let found = Some((candidate.metric, hops.collect::<BTreeSet<Hop>>()));
            let calculated = wanted.remove(&prefix);
            if found != calculated {
                return Err(format!("OSPF offers {prefix} as {found:?}, calculated {calculated:?}"));
            }
        }
    }
    match wanted.pop_first() {
        Some((prefix, _)) => Err(format!("OSPF calculated {prefix} and does not offer it")),
        None => Ok(()),
    }
}

/// Is the RIB's selection the oracle's?
fn selection(rib: &Rib, expected: &Table) -> Verdict {
    let mut missing: BTreeSet<Ipv4Network> = expected.keys().copied().collect();
    for (prefix, entry) in rib.table().iter() {
        let Some(selected) = &entry.selected else { continue };
        missing.remove(&prefix);
        let wanted = expected.get(&prefix).map(|w| (origin(w.kind), w.hops.clone()));
        let found = (selected.origin.protocol(), hops(selected));
        if wanted.as_ref() != Some(&found) {
            return Err(format!("the RIB selected {prefix} as {found:?}, expected {wanted:?}"));
        }
    }
    match missing.pop_first() {
        Some(prefix) => {
            Err(format!("the RIB selected nothing for {prefix}, expected {:?}", expected[&prefix]))
        }
        None => Ok(()),
    }
}

fn origin(kind: Kind) -> Protocol {
    match kind {
        Kind::Connected => Protocol::Connected,
        Kind::Static | Kind::Blackhole => Protocol::Static,
        Kind::Intra | Kind::External1 | Kind::External2 => Protocol::Ospf,
    }
}

fn hops(selected: &Selected) -> Hops {
    match &selected.target {
        Target::Blackhole => Hops::new(),
        Target::Hops(hops) => {
            hops.iter().map(|h| Hop { outlet: outlet(h.ifindex), gateway: h.gateway }).collect()
        }
    }
}

/// Does the kernel have the selection, and nothing else of ours?
fn installed(rib: &Rib, kernel: &Kernel) -> Verdict {
    let mut present = kernel.routes();
    for (prefix, entry) in rib.table().iter() {
        let Some(selected) = &entry.selected else { continue };
        let Some(protocol) = kernel_protocol(selected.origin.protocol()) else { continue };
        let hops: Vec<FibHop> = match &selected.target {
            Target::Blackhole => Vec::new(),
            Target::Hops(hops) => hops.to_vec(),
        };
        let found = present.remove(&prefix);
        if found.as_ref() != Some(&(protocol, hops)) {
            return Err(format!("the kernel has {found:?} for {prefix}, selected is {selected:?}"));
        }
    }
    match present.pop_first() {
        Some((prefix, route)) => Err(format!("the kernel has {route:?} for {prefix}, nothing is selected")),
        None => Ok(()),
    }
}

/// Is every next-hop object used, and known to the RIB?
fn objects(rib: &Rib, kernel: &Kernel) -> Verdict {
    let snapshot = kernel.snapshot();
    let by_routes = snapshot.routes.iter().filter_map(|route| match route.via {
        Via::Object(id) => Some(id),
        _ => None,
    });
    let mut used: BTreeSet<u32> = by_routes.collect();
    for object in &snapshot.next_hops {
        if let KernelNextHopContent::Group(members) = &object.content
            && used.contains(&object.id)
        {
            used.extend(members.iter().copied());
        }
    }
    let present: BTreeSet<u32> = snapshot.next_hops.iter().map(|object| object.id).collect();
    if let Some(id) = present.difference(&used).next() {
        return Err(format!("next-hop object {id} is in the kernel, and no route uses it"));
    }
    let known: BTreeSet<u32> = rib.fib().objects().iter().map(|(id, _)| id).collect();
    if known != present {
        return Err(format!("the RIB knows objects {known:?}, the kernel has {present:?}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;
    use crate::kernel;
    use rib::fib::FibOp;
    use routing_common::prefix;

    fn judge(world: &World) -> Verdict {
        Installed(Oracle::default()).at_rest(world)
    }

    #[test]
    fn a_route_too_few_or_too_many_breaks_it() {
        let mut world = ring(20);
        assert_eq!(judge(&world), Ok(()));
        world.nodes[1].kernel.remove_any_route(1);
        assert!(judge(&world).unwrap_err().contains("the kernel has None"));
        let mut world = ring(20);
        let foreign = prefix::host(std::net::Ipv4Addr::new(203, 0, 113, 9));
        let op = FibOp::InstallRoute { prefix: foreign, protocol: 188, via: Via::Blackhole };
        world.nodes[1].kernel.fib(&op).unwrap();
        assert!(judge(&world).unwrap_err().contains("nothing is selected"));
    }

    #[test]
    fn an_object_nobody_uses_breaks_it() {
        let mut world = ring(20);
        let gateway = Some(world.scenario.routers[1].ports[0].address.ip());
        let hop = FibHop { gateway, ifindex: kernel::ifindex(0), onlink: false };
        let op = FibOp::PutNextHop { id: 7, hop };
        world.nodes[0].kernel.fib(&op).unwrap();
        assert!(judge(&world).unwrap_err().contains("object 7"));
    }

    #[test]
    fn a_selection_the_oracle_does_not_know_breaks_it() {
        let mut world = ring(20);
        world.current.routers[0].static_routes.clear();
        assert!(judge(&world).unwrap_err().contains("the RIB selected"));
        let mut world = ring(20);
        world.nodes[0].rib.engine = Some(Rib::new());
        assert!(judge(&world).is_err());
    }
}
