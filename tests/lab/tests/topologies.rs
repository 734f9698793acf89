//! The plans are sound and the expected tables agree with an independent shortest path.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ringlab::oracle::{Cell, Oracle, default_prefix};
use ringlab::topology::SHIPPED;
use ringlab::{Failure, Failures, Topology, expect};
use std::collections::BTreeSet;

fn load(name: &str) -> Topology {
    Topology::load(name).unwrap()
}

#[test]
fn every_shipped_topology_is_valid_and_carries_its_name() {
    for (name, _) in SHIPPED {
        assert_eq!(load(name).name, name);
    }
}

#[test]
fn the_reference_rings_have_ten_and_eleven_switches() {
    let inside = |name| load(name).links.keys().filter(|link| *link != "outside").count();
    assert_eq!((inside("ring5-p"), inside("ring5-c")), (10, 11));
}

#[test]
fn a_faulty_plan_is_refused_with_every_fault() {
    let text = SHIPPED[1]
        .1
        .replace("172.16.45.4/24", "172.16.99.4/24")
        .replace("gateway = \"10.10.3.1\"", "gateway = \"10.10.3.7\"")
        .replace("via = \"192.168.1.254\"", "via = \"198.51.100.1\"");
    let fault = Topology::parse(&text).unwrap_err().to_string();
    for part in [
        "172.16.99.4/24 is not in 172.16.45.0/24",
        "h3: nobody has its gateway",
        "198.51.100.1 is in no connected",
    ] {
        assert!(fault.contains(part), "{part:?} is missing in:\n{fault}");
    }
}

#[test]
fn unknown_keys_are_refused() {
    let text = SHIPPED[1].1.replace("vrid = 10", "vrid = 10\nvird = 11");
    assert!(Topology::parse(&text).unwrap_err().to_string().contains("vird"));
}

#[test]
fn written_tables_agree_with_the_oracle_in_every_state() {
    for name in ["ring5-p", "ring5-c"] {
        let topology = load(name);
        let written = expect::written(&topology).unwrap().unwrap();
        assert_eq!(Oracle::new(&topology, &Failures::new()).tables(), written.normal, "{name}, normal");
        assert!(written.states.len() >= 10, "{name} has {} states only", written.states.len());
        for (failure, tables) in &written.states {
            let failures = Failures::from([failure.clone()]);
            assert_eq!(&Oracle::new(&topology, &failures).tables(), tables, "{name}, {failure}");
        }
    }
}

#[test]
fn every_router_and_ring_link_has_written_tables() {
    for name in ["ring5-p", "ring5-c"] {
        let topology = load(name);
        let written = expect::written(&topology).unwrap().unwrap();
        let links = topology.links.keys().filter(|link| link.starts_with('l') && *link != "lan");
        let wanted =
            links.cloned().map(Failure::Link).chain(topology.routers.keys().cloned().map(Failure::Router));
        for failure in wanted {
            assert!(written.states.contains_key(&failure), "{name}: no tables for {failure}");
        }
    }
}

#[test]
fn defaults_leave_by_the_upstream_interface_at_every_size() {
    let wanted: [(&str, &[(&str, &str)]); 3] = [
        ("ring3", &[("vr3", "vr1")]),
        ("ring4", &[("vr3", "vr2"), ("vr4", "vr1")]),
        ("ring7", &[("vr3", "vr2"), ("vr4", "vr3"), ("vr5", "vr6"), ("vr6", "vr7"), ("vr7", "vr1")]),
    ];
    for (name, pairs) in wanted {
        let topology = load(name);
        let tables = Oracle::new(&topology, &Failures::new()).tables();
        for (router, next) in pairs {
            let nodes = BTreeSet::from([(*next).to_owned()]);
            assert_eq!(
                tables[*router][&default_prefix()],
                Cell::Via { nodes, cost: None },
                "{name} {router}"
            );
        }
    }
}

#[test]
fn a_cut_trunk_loses_what_lies_behind_the_cut() {
    let topology = load("trunk");
    let cut = Failures::from([Failure::Link("l23".to_owned())]);
    let tables = Oracle::new(&topology, &cut).tables();
    let behind = "10.10.4.0/24".parse().unwrap();
    assert_eq!(tables["vr2"][&behind], Cell::Absent);
    assert_eq!(tables["vr3"][&default_prefix()], Cell::Absent);
    assert_ne!(tables["vr2"][&default_prefix()], Cell::Absent);
}

#[test]
fn the_virtual_address_goes_to_the_highest_priority_on_the_lan() {
    let topology = load("ring5-c");
    let master = |failures: &[&str]| {
        let failures: Failures = failures.iter().map(|failure| failure.parse().unwrap()).collect();
        Oracle::new(&topology, &failures).master().map(str::to_owned)
    };
    assert_eq!(master(&[]).as_deref(), Some("vr1"));
    assert_eq!(master(&["router vr1"]).as_deref(), Some("vr2"));
    assert_eq!(master(&["leg lan vr1"]).as_deref(), Some("vr2"));
    assert_eq!(master(&["router vr1", "leg lan vr2"]), None);
}
