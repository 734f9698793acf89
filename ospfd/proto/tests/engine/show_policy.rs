//! Shows of prefix lists, access lists and route maps, against what FRR 8.4.4 printed for the same lines.

use crate::harness::Net;
use crate::show::{ask, frr, shown, without};
use ospf_proto::api::{Extent, Request};
use routing_common::config::load;
use serde_json::Value;

/// The lines FRR was given, in the file's form.
const FILE: &str = r#"
[prefix-lists]
LANS = [
    { sequence = 5, action = "permit", prefix = "10.0.0.0/8", ge = 16, le = 24 },
    { sequence = 10, action = "deny", prefix = "any" },
]
[access-lists]
A = [
    { sequence = 5, action = "permit", prefix = "10.0.0.0/8", exact = true },
    { sequence = 10, action = "deny", prefix = "any" },
]
[[route-maps.OUT]]
sequence = 10
action = "permit"
description = "the first"
match = { prefix-list = "LANS", tag = 5 }
set = { metric = "+5", metric-type = 1 }
[[route-maps.OUT]]
sequence = 20
action = "deny"
[ospf]
router-id = "10.255.0.1"
redistribute = { static = { route-map = "OUT" } }
"#;

fn router() -> Net {
    let mut net = Net::new(1);
    net.router(1);
    net.nodes[0].config = load("r1.toml", FILE).unwrap().config;
    net.start(0);
    net
}

fn same(ours: &Value, frrs: &Value) {
    // With the order of keys.
    assert_eq!(format!("{ours:#}"), format!("{frrs:#}"));
}

#[test]
fn prefix_lists_are_shown_as_frr_shows_them() {
    let net = router();
    let lists = |extent| Request::PrefixLists { name: None, extent };
    let (reply, text) = shown(&net, 0, &lists(Extent::Entries));
    same(&reply, &frr!("prefix-list"));
    let entries = "   seq 5 permit 10.0.0.0/8 ge 16 le 24\n   seq 10 deny any\n";
    assert_eq!(text, format!("OSPF: ip prefix-list LANS: 2 entries\n{entries}"));
    let (reply, text) = shown(&net, 0, &lists(Extent::Summary));
    // FRR counts before it knows the bounds, and finds none.
    let ranges = ["rangeEntries"];
    assert_eq!(reply["OSPF"]["LANS"]["rangeEntries"], 2);
    same(&without(reply, &ranges), &without(frr!("prefix-list-summary"), &ranges));
    let head = "OSPF: ip prefix-list LANS:\n   count: 2, range entries: 2, sequences: 5 - 10\n";
    assert_eq!(text, head);
    assert_eq!(shown(&net, 0, &lists(Extent::Detail)).1, format!("{head}{entries}"));
    let none = Request::PrefixLists { name: Some("NOPE".into()), extent: Extent::Entries };
    let refused = ask(&net, 0, &none);
    assert_eq!(refused, Err("% Can't find specified prefix-list".to_owned()));
}

#[test]
fn access_lists_are_shown_as_frr_shows_them() {
    let net = router();
    let (reply, text) = shown(&net, 0, &Request::AccessLists { name: Some("A".into()) });
    same(&reply, &frr!("access-list"));
    assert_eq!(
        text,
        "OSPF:\nZebra IP access list A\n    seq 5 permit 10.0.0.0/8 exact-match\n    seq 10 deny   any\n"
    );
    assert!(ask(&net, 0, &Request::AccessLists { name: Some("B".into()) }).is_err());
}

#[test]
fn route_maps_are_shown_as_frr_shows_them() {
    let net = router();
    let (reply, text) = shown(&net, 0, &Request::RouteMaps { name: None });
    same(&reply, &without(frr!("route-map"), &["invoked", "disabledOptimization", "processedChange"]));
    assert_eq!(
        text,
        "OSPF:\nroute-map: OUT\n permit, sequence 10\n  Description:\n    the first\n  Match clauses:\n    \
         ip address prefix-list LANS\n    tag 5\n  Set clauses:\n    metric +5\n    metric-type type-1\n  \
         Call clause:\n  Action:\n    Exit routemap\n deny, sequence 20\n  Match clauses:\n  Set clauses:\n  \
         Call clause:\n  Action:\n    Exit routemap\n"
    );
    let none = ask(&net, 0, &Request::RouteMaps { name: Some("NOPE".into()) });
    assert_eq!(none, Err("OSPF: 'route-map NOPE' not found".to_owned()));
}
