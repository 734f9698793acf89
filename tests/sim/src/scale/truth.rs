//! Did everybody learn everything, and is it right?
//!
//! Shares nothing with the engines, and with [`crate::oracle`] only the scenario: a plain Dijkstra over cables.

use crate::kernel;
use crate::scenario::{RouterIndex, Scenario};
use crate::world::World;
use ipnetwork::Ipv4Network;
use ospf_proto::Instance;
use ospf_proto::lsa::{LsType, LsaBody};
use ospf_proto::lsdb::DatabaseId;
use routing_common::id::AreaId;
use routing_common::prefix;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// What every port leads to.
#[derive(Debug)]
struct Cables {
    /// By router and port: the output cost and the router at the other end.
    ports: Vec<Vec<(u32, RouterIndex)>>,
}

impl Cables {
    /// Those of a scenario whose segments have two ends each.
    fn of(scenario: &Scenario) -> Self {
        let mut ends: Vec<Vec<RouterIndex>> = vec![Vec::new(); scenario.segments.len()];
        for (r, router) in scenario.routers.iter().enumerate() {
            router.ports.iter().for_each(|p| ends[p.segment].push(r));
        }
        let other = |segment: usize, r: RouterIndex| ends[segment].iter().copied().find(|e| *e != r);
        let ports = scenario.routers.iter().enumerate().map(|(r, router)| {
            let port = |p: &crate::scenario::Port| (u32::from(p.cost), other(p.segment, r).unwrap_or(r));
            router.ports.iter().map(port).collect()
        });
        Self { ports: ports.collect() }
    }

    /// The cost of every router from one.
    fn distances(&self, root: RouterIndex) -> Vec<u32> {
        let mut distances = vec![u32::MAX; self.ports.len()];
        let mut heap = BinaryHeap::from([Reverse((0, root))]);
        while let Some(Reverse((distance, router))) = heap.pop() {
            if distance >= distances[router] {
                continue;
            }
            distances[router] = distance;
            for (cost, other) in &self.ports[router] {
                heap.push(Reverse((distance + cost, *other)));
            }
        }
        distances
    }

    /// The cost of every destination from one router: all loopbacks, all cables.
    fn costs(&self, scenario: &Scenario, root: RouterIndex) -> BTreeMap<Ipv4Network, u32> {
        let distances = self.distances(root);
        let mut costs = BTreeMap::new();
        for (r, router) in scenario.routers.iter().enumerate() {
            costs.insert(prefix::host(router.loopback), distances[r]);
            for port in &router.ports {
                let cost = distances[r] + u32::from(port.cost);
                let known = costs.entry(prefix::canonical(port.address)).or_insert(cost);
                *known = cost.min(*known);
            }
        }
        costs
    }
}

/// Has everybody the same complete database and a route to everything? Says who has not.
///
/// # Errors
/// What is missing, and where.
pub fn is_converged(world: &World) -> Result<(), String> {
    let scenario = &world.scenario;
    let destinations = scenario.routers.len() + scenario.segments.len();
    let mut first: Option<u64> = None;
    for (r, node) in world.nodes.iter().enumerate() {
        let engine = node.ospf.engine.as_ref().ok_or_else(|| format!("router {r} does not run"))?;
        let known = engine.routing_table().networks.len();
        if known != destinations {
            return Err(format!("router {r} has {known} routes of {destinations}"));
        }
        let database = digest(scenario, engine).map_err(|e| format!("router {r}: {e}"))?;
        if *first.get_or_insert(database) != database {
            return Err(format!("router {r} has another database than router 0"));
        }
    }
    for (r, node) in world.nodes.iter().enumerate() {
        let Some(engine) = &node.ospf.engine else { continue };
        let table = &engine.routing_table().networks;
        let missing = scenario.routers.iter().find(|to| !table.contains_key(&prefix::host(to.loopback)));
        if let Some(to) = missing {
            return Err(format!("router {r} has no route to {}", to.name));
        }
    }
    Ok(())
}

/// A number that two databases share only if they hold the same instances; complaints if an LSA is missing or
/// lacks links.
fn digest(scenario: &Scenario, engine: &Instance) -> Result<u64, String> {
    let lsdb = engine.lsdb(DatabaseId::Area(AreaId::BACKBONE)).ok_or("no database")?;
    if lsdb.len() != scenario.routers.len() {
        return Err(format!("{} LSAs of {}", lsdb.len(), scenario.routers.len()));
    }
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    // Loopbacks ascend with the number of the router, and so do keys.
    for ((key, entry), router) in lsdb.iter_type(LsType::Router).zip(&scenario.routers) {
        let LsaBody::Router(body) = entry.lsa.body() else { return Err(format!("{key} has another body")) };
        // A type 1 link and a stub for each cable, and the loopback.
        let links = 2 * router.ports.len() + 1;
        if key.advertising_router.0 != router.loopback || body.links.len() != links {
            return Err(format!("{key} has {} links of {links}", body.links.len()));
        }
        let header = entry.lsa.header();
        for part in
            [u64::from(key.advertising_router.to_bits()), header.sequence as u64, header.checksum.into()]
        {
            hash = (hash ^ part).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
        }
    }
    Ok(hash)
}

/// Are the routes of some routers those of the topology: the costs of all, and all next hops to every loopback?
/// Returns how many routes were compared.
///
/// # Errors
/// The first route that is wrong.
pub fn verify(world: &World, mut roots: impl Iterator<Item = RouterIndex>) -> Result<usize, String> {
    let cables = Cables::of(&world.scenario);
    roots.try_fold(0, |compared, root| Ok(compared + verify_router(world, &cables, root)?))
}

fn verify_router(world: &World, cables: &Cables, root: RouterIndex) -> Result<usize, String> {
    let scenario = &world.scenario;
    let engine = world.nodes[root].ospf.engine.as_ref().ok_or_else(|| format!("router {root} is off"))?;
    let expected = cables.costs(scenario, root);
    let table = &engine.routing_table().networks;
    if table.len() != expected.len() {
        return Err(format!("router {root} has {} routes of {}", table.len(), expected.len()));
    }
    for (prefix, cost) in &expected {
        let route = table.get(prefix).ok_or_else(|| format!("router {root}: no {prefix}"))?;
        if route.cost != *cost {
            return Err(format!("router {root}: {prefix} costs {} instead of {cost}", route.cost));
        }
    }
    let own = cables.distances(root);
    let behind: Vec<(u32, Vec<u32>)> =
        cables.ports[root].iter().map(|(cost, other)| (*cost, cables.distances(*other))).collect();
    for (r, router) in scenario.routers.iter().enumerate().filter(|(r, _)| *r != root) {
        let best = |(port, (cost, there)): (usize, &(u32, Vec<u32>))| {
            (cost + there[r] == own[r]).then_some(kernel::ifindex(port))
        };
        let wanted: Vec<_> = behind.iter().enumerate().filter_map(best).collect();
        let hops = table.get(&prefix::host(router.loopback)).map(|route| &route.next_hops);
        let found: Vec<_> = hops.into_iter().flatten().map(|hop| hop.ifindex).collect();
        if found != wanted {
            return Err(format!("router {root}: {} by {found:?} instead of {wanted:?}", router.name));
        }
    }
    Ok(expected.len())
}
