//! E2: after any changes of configuration a network is where a fresh start with the same files would be.
//!
//! The fresh start is a world of its own: the scenario as it stands now, with the hardware faults that last and
//! nothing else. Compared are the routes in the kernels, OSPF's tables, what routers originate, and who is Master
//! where preemption makes that a function of the configuration. Who is Designated Router is a matter of history
//! (RFC 2328 §9.4), so a link to a transit network is compared by the network it leads to.
//!
//! The law is asked of every scenario with a change of configuration.

use super::{Checker, Verdict};
use crate::kernel;
use crate::node::Node;
use crate::oracle;
use crate::run;
use crate::scenario::{Fault, Scenario, What};
use crate::world::World;
use ipnetwork::Ipv4Network;
use ospf_proto::Instance;
use ospf_proto::lsa::{LsType, LsaBody, RouterLinkKind};
use ospf_proto::lsdb::DatabaseId;
use routing_common::id::AreaId;
use std::collections::{BTreeMap, BTreeSet};

/// The law.
#[derive(Debug, Default)]
pub(crate) struct FreshStart;

/// When all daemons of a router run, after its start (ms).
const RUNNING: u64 = 2_000;

fn reconfigures(what: &What) -> bool {
    matches!(
        what,
        What::Cost { .. }
            | What::Priority { .. }
            | What::VrrpPriority { .. }
            | What::OspfOff { .. }
            | What::Passive { .. }
            | What::ExternalsOff { .. }
            | What::FilterOff { .. }
    )
}

/// The scenario whose boot ought to end where this world is; `None` if the law does not speak of it.
fn fresh(world: &World) -> Option<Scenario> {
    let now = world.now.as_nanos() / 1_000_000;
    let faults = &world.scenario.faults;
    // ribd brings an interface up that was set down before it started.
    let undone = |f: &Fault| match f.what {
        What::AdminDown { router, port } => {
            let mut links = world.nodes[router].kernel.links();
            links.any(|l| l.ifindex == kernel::ifindex(port) && l.admin_up)
        }
        _ => false,
    };
    let lasting = |f: &&Fault| f.at <= now && f.until > now && !reconfigures(&f.what) && !undone(f);
    // A wrong key is not in the scenario as it stands.
    let unsaid = |f: &Fault| f.until > now && matches!(f.what, What::WrongKey { .. });
    if !faults.iter().any(|f| reconfigures(&f.what)) || faults.iter().any(unsaid) {
        return None;
    }
    // Hardware breaks when everything runs, for the same reason.
    let chaos_ends = world.scenario.routers.iter().map(|r| r.starts).max()? + RUNNING;
    let faults = faults.iter().filter(lasting).map(|f| Fault { at: chaos_ends, ..f.clone() }).collect();
    Some(Scenario { faults, chaos_ends, rest: 0, seed: world.scenario.seed ^ 1, ..world.current.clone() })
}

impl Checker for FreshStart {
    fn law(&self) -> (&'static str, &'static str) {
        ("E2", "after changes of configuration everything is as after a fresh start")
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        fresh(world).map_or(Ok(()), |scenario| ends_like(world, &scenario))
    }
}

/// Is a world where a start of `scenario` comes to rest?
///
/// # Errors
/// It is not, with the first difference.
pub fn ends_like(world: &World, scenario: &Scenario) -> Verdict {
    let other = World::new(scenario, Vec::new(), false);
    let mut other = other.map_err(|e| format!("the present configuration is refused: {e}"))?;
    run::play(&mut other);
    for (here, there) in world.nodes.iter().zip(&other.nodes) {
        compare(here, there)?;
    }
    compare_masters(world, &other)
}

fn compare(here: &Node, there: &Node) -> Verdict {
    let differ = |what: &str, a: &dyn core::fmt::Debug, b: &dyn core::fmt::Debug| {
        Err(format!("{}: {what}: {a:?}, after a fresh start {b:?}", here.name))
    };
    // Without power there is no kernel to compare.
    if !(here.power && there.power) {
        return Ok(());
    }
    let (a, b) = (here.kernel.routes(), there.kernel.routes());
    if a != b {
        return differ("kernel's routes", &a, &b);
    }
    if let (Some(x), Some(y)) = (&here.ospf.engine, &there.ospf.engine) {
        let (a, b) = (table(x), table(y));
        if a != b {
            return differ("OSPF's table", &a, &b);
        }
        let (a, b) = (own(x), own(y));
        if a != b {
            return differ("own LSAs", &a, &b);
        }
    }
    Ok(())
}

/// Routes without the names of the LSAs they come from.
fn table(engine: &Instance) -> BTreeMap<Ipv4Network, String> {
    let route = |r: &ospf_proto::route::NetworkRoute| {
        let hops: Vec<_> = r.next_hops.iter().map(|h| (h.ifindex, h.gateway)).collect();
        format!("{:?} {} {:?} {} {hops:?}", r.path_type, r.cost, r.type2_cost, r.tag)
    };
    engine.routing_table().networks.iter().map(|(prefix, r)| (*prefix, route(r))).collect()
}

/// What the router says of itself: its links, and the externals it brings in.
fn own(engine: &Instance) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    let area = engine.lsdb(DatabaseId::Area(AreaId::BACKBONE));
    for (_, entry) in area.into_iter().flat_map(|d| d.iter_type(LsType::Router)) {
        if let LsaBody::Router(body) = entry.lsa.body()
            && entry.lsa.header().key.advertising_router == engine.router_id()
        {
            said.extend(body.links.iter().map(|link| match link.kind {
                RouterLinkKind::Transit { address, .. } => format!("transit {address} {}", link.metric),
                other => format!("{other:?} {}", link.metric),
            }));
        }
    }
    let external = engine.lsdb(DatabaseId::As);
    for (key, entry) in external.into_iter().flat_map(|d| d.iter_type(LsType::AsExternal)) {
        if key.advertising_router == engine.router_id() {
            said.insert(format!("{} {:?}", key.link_state_id, entry.lsa.body()));
        }
    }
    said
}

/// Where only one router can be Active, it is the same one. Of two with the same priority either may be.
fn compare_masters(here: &World, there: &World) -> Verdict {
    for election in oracle::elections(&here.current, &here.state()) {
        if election.candidates.len() > 1 {
            continue;
        }
        let (a, b) = (active_on(here, election.segment), active_on(there, election.segment));
        if a != b {
            let segment = election.segment;
            return Err(format!("segment {segment}: Active are {a:?}, after a fresh start {b:?}"));
        }
    }
    Ok(())
}

/// Who is Active on a segment.
fn active_on(world: &World, segment: usize) -> Vec<&str> {
    let is_active = |router: usize, port: usize| {
        let routers = world.nodes[router].vrrp.engine.iter().flat_map(|e| e.routers());
        let name = format!("eth{port}");
        routers.filter(|r| r.name == name).any(|r| r.state == vrrp_proto::machine::State::Active)
    };
    let ends = world.segments[segment].ends.iter().filter(|e| is_active(e.router, e.port));
    ends.map(|e| world.nodes[e.router].name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::paper::ring5_c;

    fn changed(until: u64) -> Scenario {
        let what = What::Cost { router: 2, port: 0, cost: 999 };
        Scenario { faults: vec![Fault { at: 8_000, until, what }], chaos_ends: 12_000, ..ring5_c() }
    }

    #[test]
    fn a_changed_cost_ends_where_a_fresh_start_ends_whether_it_lasts_or_not() {
        for until in [11_000, u64::MAX / 2_000_000] {
            let mut world = World::new(&changed(until), vec![Box::new(FreshStart)], false).unwrap();
            run::play(&mut world);
            assert_eq!(world.violation, None);
        }
    }

    #[test]
    fn a_router_that_stays_without_power_is_not_compared() {
        let mut scenario = changed(11_000);
        let what = What::PowerLoss { router: 3 };
        scenario.faults.push(Fault { at: 11_500, until: u64::MAX / 2_000_000, what });
        let mut world = World::new(&scenario, vec![Box::new(FreshStart)], false).unwrap();
        run::play(&mut world);
        assert!(!world.nodes[3].power);
        assert_eq!(world.violation, None);
    }

    #[test]
    fn a_router_that_forgot_a_change_breaks_the_law() {
        let mut world = World::new(&changed(11_000), Vec::new(), false).unwrap();
        run::play(&mut world);
        world.current.routers[2].ports[0].cost = 999;
        assert!(FreshStart.at_rest(&world).is_err());
    }
}
