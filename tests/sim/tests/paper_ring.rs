//! The paper's ring of five routers in the simulator: the tables the lab demands of real kernels, every single and
//! every double failure, every order of cold start.
//!
//! `tests/lab/expect/` is the authority for single failures, here as there. Everything else is held to all laws,
//! among them the oracle's tables (L4), walks from everybody to everywhere (L5) and one Master (V1).
#![allow(clippy::unwrap_used)] // a test

use routing_sim::generate::paper;
use routing_sim::kernel;
use routing_sim::node::Node;
use routing_sim::run;
use routing_sim::scenario::{Fault, Scenario, What};
use routing_sim::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

type Rows = BTreeMap<String, BTreeMap<String, String>>;

#[derive(serde::Deserialize)]
struct Expected {
    prefixes: BTreeMap<String, String>,
    normal: Rows,
    states: BTreeMap<String, Rows>,
}

fn designs() -> [(Scenario, Expected); 2] {
    let p = include_str!("../../lab/expect/ring5-p.toml");
    let c = include_str!("../../lab/expect/ring5-c.toml");
    [(paper::ring5_p(), toml::from_str(p).unwrap()), (paper::ring5_c(), toml::from_str(c).unwrap())]
}

/// When things break: the ring is long in order then.
const BREAK: u64 = 15_000;
/// Longer than any run.
const FOREVER: u64 = 1_000_000_000;

fn router(scenario: &Scenario, name: &str) -> usize {
    scenario.routers.iter().position(|r| r.name == name).unwrap()
}

/// A segment by its name in the lab's plan: "l23" joins vr2 and vr3.
fn segment(scenario: &Scenario, name: &str) -> usize {
    if name == "lan" {
        return scenario.segments.iter().position(|s| s.vrrp.is_some()).unwrap();
    }
    let ends: Vec<usize> = name[1..].chars().map(|c| router(scenario, &format!("vr{c}"))).collect();
    let lan = segment(scenario, "lan");
    let joins = |s: usize| ends.iter().all(|r| scenario.ends(s).any(|(router, _, _)| router == *r));
    (0..scenario.segments.len()).find(|s| *s != lan && joins(*s)).unwrap()
}

/// What "router vr1", "link l23" and "leg lan vr1" mean here.
fn faults(scenario: &Scenario, failure: &str) -> Vec<Fault> {
    let lasting = |what| Fault { at: BREAK, until: FOREVER, what };
    let words: Vec<&str> = failure.split(' ').collect();
    match words.as_slice() {
        ["router", name] => vec![lasting(What::PowerLoss { router: router(scenario, name) })],
        ["link", link] => {
            let segment = segment(scenario, link);
            let ends = scenario.ends(segment);
            ends.map(|(router, _, _)| lasting(What::Unplug { segment, router })).collect()
        }
        ["leg", link, name] => {
            let (segment, router) = (segment(scenario, link), router(scenario, name));
            vec![lasting(What::Unplug { segment, router })]
        }
        _ => panic!("{failure:?}"),
    }
}

fn broken(ring: &Scenario, failures: &[&str]) -> Scenario {
    let faults = failures.iter().flat_map(|f| faults(ring, f)).collect();
    let name = format!("{} {}", ring.name, failures.join(", "));
    Scenario { name, faults, chaos_ends: BREAK, rest: 3_000, ..ring.clone() }
}

fn at_rest(scenario: &Scenario) -> World {
    let mut world = World::new(scenario, routing_sim::checker::all(), false).unwrap();
    run::play(&mut world);
    assert_eq!(world.violation, None, "{}", scenario.name);
    world
}

/// "vr2 20", "gw" or "no route", as the lab writes it.
fn cell(world: &World, who: usize, prefix: &str) -> Option<String> {
    let prefix = prefix.parse().unwrap();
    let node = &world.nodes[who];
    let (_, hops) = node.kernel.routes().remove(&prefix)?;
    let owner = |gateway: Ipv4Addr| {
        let holds = |node: &&Node| node.power && node.kernel.addresses().any(|a| a.network.ip() == gateway);
        world.nodes.iter().find(holds).map_or("gw".to_owned(), |node| node.name.clone())
    };
    let names: BTreeSet<String> = hops.iter().filter_map(|h| h.gateway).map(owner).collect();
    let names = names.into_iter().collect::<Vec<_>>().join("+");
    let engine = node.ospf.engine.as_ref().unwrap();
    let cost = engine.routing_table().networks.get(&prefix).map(|r| r.cost);
    Some(match cost {
        Some(cost) if prefix.prefix() != 0 => format!("{names} {cost}"),
        _ => names,
    })
}

#[test]
fn the_tables_are_those_of_the_kernels_in_the_lab() {
    for (ring, expected) in designs() {
        let states = expected.states.iter().map(|(failure, rows)| (failure.as_str(), Some(rows)));
        for (failure, rows) in [("", None)].into_iter().chain(states) {
            let scenario =
                broken(&ring, if failure.is_empty() { &[] } else { core::slice::from_ref(&failure) });
            let world = at_rest(&scenario);
            let dead = failure.strip_prefix("router ");
            for (name, cells) in &expected.normal {
                if dead == Some(name) {
                    continue;
                }
                for (column, normal) in cells {
                    let other = rows.and_then(|r| r.get(name)).and_then(|r| r.get(column));
                    let behind_dead = dead.is_some_and(|d| d.strip_prefix("vr") == column.strip_prefix('n'));
                    let wanted = (!behind_dead).then(|| other.unwrap_or(normal).clone());
                    let who = router(&ring, name);
                    let found = cell(&world, who, &expected.prefixes[column]);
                    assert_eq!(found, wanted, "{}: {name} to {column}", scenario.name);
                }
            }
        }
    }
}

/// Everything that can break alone.
fn failures(ring: &Scenario) -> Vec<String> {
    let routers = ring.routers.iter().map(|r| format!("router {}", r.name));
    let links: &[&str] = match ring.name.as_str() {
        "ring5-p" => &["l23", "l34", "l45", "l51"],
        _ => &["l12", "l23", "l34", "l45", "l51"],
    };
    let links = links.iter().map(|l| format!("link {l}"));
    routers.chain(links).chain(["leg lan vr1".to_owned(), "leg lan vr2".to_owned()]).collect()
}

#[test]
fn every_double_failure_ends_where_the_oracle_says() {
    for (ring, _) in designs() {
        let all = failures(&ring);
        let mut runs = 0;
        for (n, first) in all.iter().enumerate() {
            for second in &all[n..] {
                let both = [first.as_str(), second.as_str()];
                at_rest(&broken(&ring, if first == second { &both[..1] } else { &both }));
                runs += 1;
            }
        }
        assert_eq!(runs, all.len() * (all.len() + 1) / 2);
    }
}

#[test]
fn every_order_of_cold_start_ends_in_the_same_tables() {
    for (ring, expected) in designs() {
        for (n, order) in permutations(5).into_iter().enumerate() {
            // Sometimes faster than a Hello comes, sometimes slower than a neighbour is given up.
            let pause = [300, 1_100, 5_000][n % 3];
            let mut scenario = ring.clone();
            for (place, router) in order.iter().enumerate() {
                scenario.routers[*router].starts = place as u64 * pause;
            }
            scenario.chaos_ends = 4 * pause;
            scenario.rest = 3_000;
            scenario.seed = n as u64;
            scenario.name = format!("{} started as {order:?}", ring.name);
            let world = at_rest(&scenario);
            for (name, cells) in &expected.normal {
                for (column, wanted) in cells {
                    let found = cell(&world, router(&ring, name), &expected.prefixes[column]);
                    assert_eq!(found.as_ref(), Some(wanted), "{}: {name} to {column}", scenario.name);
                }
            }
            let lan = kernel::ifindex(0);
            let virtual_address = Ipv4Addr::new(192, 168, 1, 10);
            let owners = (0..5).filter(|r| world.nodes[*r].kernel.answers_on(lan, virtual_address));
            assert_eq!(owners.collect::<Vec<_>>(), [0], "{}", scenario.name);
        }
    }
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(n - 1);
    shorter.iter().flat_map(|p| (0..n).map(|at| [&p[..at], &[n - 1], &p[at..]].concat())).collect()
}
