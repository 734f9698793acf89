//! The world itself: two routers find each other, and a run is a function of its scenario.

use routing_sim::run;
use routing_sim::scenario::Scenario;
use routing_sim::world::World;

const TWO: &str = r#"
name = "two"
seed = 1
chaos-ends = 6000
settle = 20000
rest = 1000
settings = { ring-defaults = true }

[[routers]]
name = "r0"
loopback = "10.255.0.1"
ports = [{ segment = 0, address = "10.0.0.1/24", cost = 10, priority = 1 }]

[[routers]]
name = "r1"
loopback = "10.255.0.2"
clock-offset = 77000
ports = [{ segment = 0, address = "10.0.0.2/24", cost = 10, priority = 1 }]

[[segments]]
kind = "broadcast"
delay = 100
jitter = 50
mtu = 1500

[[faults]]
at = 3000
until = 4000
what = { unplug = { segment = 0, router = 1 } }
"#;

#[test]
fn two_routers_on_a_switch_reach_each_other_again_after_a_plug_was_pulled() {
    let scenario = Scenario::parse(TWO).unwrap();
    let world = run::traced(&scenario, Vec::new()).unwrap();
    assert_eq!(world.violation, None);
    let routes = world.nodes[0].kernel.routes();
    let hops = &routes[&"10.255.0.2/32".parse().unwrap()].1;
    assert_eq!(hops[0].gateway, Some("10.0.0.2".parse().unwrap()), "{routes:?}");
}

#[test]
fn the_same_scenario_makes_the_same_run_and_another_seed_another() {
    let scenario = Scenario::parse(TWO).unwrap();
    let hash = |scenario: &Scenario| {
        let mut world = World::new(scenario, Vec::new(), false).unwrap();
        run::play(&mut world);
        world.transcript.hash()
    };
    assert_eq!(hash(&scenario), hash(&scenario));
    assert_ne!(hash(&scenario), hash(&Scenario { seed: 2, ..scenario.clone() }));
}

#[test]
fn a_scenario_is_read_back_as_it_was_written() {
    let scenario = Scenario::parse(TWO).unwrap();
    assert_eq!(Scenario::parse(&scenario.to_toml().unwrap()).unwrap(), scenario);
    let wrong = TWO.replace("router = 1 }", "router = 2 }");
    assert!(Scenario::parse(&wrong).is_err());
}

#[test]
fn the_documentation_lists_every_law_as_it_is() {
    let documentation = include_str!("../../../docs/simulator.md");
    for checker in routing_sim::checker::all() {
        let (name, text) = checker.law();
        assert!(documentation.contains(&format!("* **{name}** {text}.\n")), "{name} {text}");
    }
}
