//! Prefix lists, access lists and route maps.

use super::super::*;
use super::{accepted, refused, warned};
use crate::policy::{Action, Match, RouteMapEntry, Set, SetMetric};

const OSPF: &str = "[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.redistribute.static]\nroute-map = \"OUT\"\n";

#[test]
fn lists_and_maps_are_ordered_by_sequence_and_stand_where_they_are_used() {
    let text = r#"
[interfaces.eth0]
[[prefix-lists.LANS]]
sequence = 20
action = "permit"
prefix = "any"
[[prefix-lists.LANS]]
sequence = 10
action = "deny"
prefix = "10.0.0.0/8"
ge = 24
[access-lists]
HOSTS = [{ sequence = 5, action = "permit", prefix = "10.0.0.0/8", exact = true }]
[[route-maps.OUT]]
sequence = 20
action = "permit"
description = "the rest"
set = { metric = "+5", metric-type = 1 }
[[route-maps.OUT]]
sequence = 10
action = "deny"
[route-maps.OUT.match]
prefix-list = "LANS"
next-hop-prefix-list = "LANS"
interface = "eth0"
tag = 7
metric = 0
[ospf]
router-id = "1.1.1.1"
redistribute = { static = { route-map = "OUT" }, connected = {} }
distribute-list = { connected = "HOSTS" }
default-information = { route-map = "OUT" }
"#;
    let config = accepted(text);
    let ospf = config.ospf.unwrap();
    let lans = config.policy.prefix_lists["LANS"].clone();
    let shown = |l: &crate::policy::PrefixList| {
        l.entries
            .iter()
            .map(|e| format!("{} {:?} {} {:?}", e.sequence, e.action, e.prefix, e.range().lengths))
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(&lans), ["10 Deny 10.0.0.0/8 24..=32", "20 Permit 0.0.0.0/0 0..=32"]);
    let hosts = config.policy.access_lists["HOSTS"].clone();
    assert_eq!((ospf.distribute_connected, ospf.distribute_static), (Some(hosts), None));
    let map = config.policy.route_maps["OUT"].clone();
    assert_eq!(ospf.redistribute_static.unwrap().route_map, Some(map.clone()));
    assert_eq!(ospf.default_information.unwrap().route_map, Some(map.clone()));
    let matches = Match {
        prefix_list: Some(lans.clone()),
        access_list: None,
        next_hop: Some(lans),
        interface: Some("eth0".parse().unwrap()),
        tag: Some(7),
        metric: Some(0),
    };
    let first = RouteMapEntry {
        sequence: 10,
        action: Action::Deny,
        description: None,
        matches,
        sets: Set::default(),
    };
    assert_eq!(map.entries[0], first);
    let sets = Set { metric: Some(SetMetric::Plus(5)), metric_type: Some(MetricType::Type1), tag: None };
    let second = RouteMapEntry {
        sequence: 20,
        action: Action::Permit,
        description: Some("the rest".into()),
        matches: Match::default(),
        sets,
    };
    assert_eq!(map.entries[1], second);
}

#[test]
fn a_name_that_leads_nowhere_is_left_out_and_not_wrong() {
    let text = format!(
        "[[route-maps.OUTER]]\nsequence = 1\naction = \"permit\"\nmatch = {{ access-list = \"A\" }}\n{OSPF}"
    );
    let found = load("r1.toml", &text).expect_err("refused");
    assert!(found.is_incomplete(), "lines that come later may bring it");
    let hints: Vec<_> = found.iter().map(|d| format!("{} ({})", d.message, d.hint)).collect();
    assert_eq!(
        hints,
        [
            "nothing uses route map `OUTER` (name it where it is meant to act, or remove it)",
            "there is no access list \"A\" (write entries [[access-lists.A]])",
            "there is no route map \"OUT\" (did you mean \"OUTER\"?)",
        ]
    );
    let empty = refused("prefix-lists.P = []\n[route-maps]\nM = []\n");
    assert!(empty.contains(&"1:14 prefix list `P` has no entry".to_owned()), "{empty:?}");
    assert!(empty.contains(&"3:1 route map `M` has no entry".to_owned()), "{empty:?}");
}

#[test]
fn entries_that_cannot_be_meant_are_refused() {
    let entry = |rest: &str| {
        let file = format!("[[prefix-lists.P]]\nsequence = 1\naction = \"permit\"\n{rest}");
        let found = refused(&file);
        found.into_iter().filter(|f| !f.contains("nothing uses")).collect::<Vec<_>>()
    };
    assert_eq!(entry("prefix = \"10.0.0.1/8\"\n"), ["4:10 10.0.0.1/8 has bits set behind the prefix length"]);
    assert_eq!(entry("prefix = \"10.0.0.0\"\n"), ["4:10 `prefix` cannot be \"10.0.0.0\""]);
    assert_eq!(entry("prefix = \"10.0.0.0/16\"\nge = 8\n"), ["5:6 `ge` is shorter than 10.0.0.0/16 itself"]);
    assert_eq!(
        entry("prefix = \"10.0.0.0/8\"\nge = 24\nle = 16\n"),
        ["6:6 `le` is less than 24, so that the entry matches nothing"]
    );
    assert_eq!(entry("prefix = \"any\"\nle = 24\n"), ["5:6 `any` cannot have bounds"]);
    assert_eq!(entry("prefix = \"10.0.0.0/8\"\nle = 33\n"), ["5:6 `le` is out of range"]);
    let second = "[[prefix-lists.P]]\nsequence = 1\naction = \"deny\"\nprefix = \"10.0.0.0/8\"\n";
    assert_eq!(entry(&format!("prefix = \"any\"\n{second}")), ["5:1 sequence 1 is already in the file"]);
    let map = |rest: &str| {
        let file = format!("[[route-maps.OUT]]\nsequence = 1\naction = \"permit\"\n{rest}\n{OSPF}");
        refused(&file)
    };
    assert_eq!(map("set.metric = \"5\""), ["4:14 `metric` cannot be \"5\""]);
    assert_eq!(map("set.metric = \"+16777215\""), ["4:14 `metric` cannot be \"+16777215\""]);
    assert_eq!(map("set.metric = \"--1\""), ["4:14 `metric` cannot be \"--1\""]);
    assert_eq!(map("on-match = \"next\""), ["4:1 `on-match` is not supported"]);
    assert_eq!(map("call = \"X\""), ["4:1 `call` is not supported"]);
    let access = "access-lists.A = [{ sequence = 1, action = \"deny\", prefix = \"any\", exact = true }]\n";
    assert!(refused(access).contains(&"1:76 `any` cannot be exact".to_owned()), "{:?}", refused(access));
}

#[test]
fn what_has_no_effect_is_warned_about() {
    let text = r#"
prefix-lists.P = [
  { sequence = 1, action = "permit", prefix = "10.0.0.0/8", le = 24 },
  { sequence = 2, action = "deny", prefix = "10.1.0.0/16" },
  { sequence = 3, action = "deny", prefix = "10.1.0.0/16", le = 25 },
]
access-lists.A = [
  { sequence = 1, action = "permit", prefix = "any" },
  { sequence = 2, action = "deny", prefix = "10.1.0.0/16" },
]
route-maps.OUT = [
  { sequence = 1, action = "deny", match = { prefix-list = "P" }, set = { tag = 1 } },
  { sequence = 2, action = "permit" },
  { sequence = 3, action = "permit" },
]
[ospf]
router-id = "1.1.1.1"
default-information = { always = true, route-map = "OUT" }
distribute-list = { static = "A" }
"#;
    assert_eq!(
        warned(text),
        [
            "4:3 entry 2 never decides",
            "9:3 entry 2 never decides",
            "12:67 `set` has no effect in an entry that denies",
            "14:3 entry 3 never decides",
            "18:1 the conditions of the route map are not asked",
            "19:1 `distribute-list` of static routes has no effect",
        ]
    );
}
