//! What operators see.
//!
//! First against FRR: `tests/frr/*.json` is what FRR 8.4.4 printed (taken from an area border router with
//! three areas, in network namespaces). Our reply types must read it, write it back unchanged, and render
//! it. Then against our own engine: two routers on a broadcast network, of which one originates a default
//! route, and a third one whose HelloInterval is another.

use crate::harness::{Net, ip, ospf_interface};
use ospf_proto::api::{self, DatabaseKind, Request};
use routing_common::config::{DefaultInformation, MetricType, NetworkType};
use routing_common::time::Duration;
use serde_json::{Value, json};
use std::collections::BTreeSet;

macro_rules! frr {
    ($name:literal) => {
        serde_json::from_str::<serde_json::Value>(include_str!(concat!("../frr/", $name, ".json"))).unwrap()
    };
}
pub(crate) use frr;

/// Drops what stands under these keys anywhere.
pub(crate) fn without(value: Value, keys: &[&str]) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(key, _)| !keys.contains(&key.as_str()))
            .map(|(key, value)| (key, without(value, keys)))
            .collect(),
        Value::Array(list) => list.into_iter().map(|value| without(value, keys)).collect(),
        other => other,
    }
}

/// FRR's reply through our type and back.
fn through<T: serde::Serialize + serde::de::DeserializeOwned>(reply: &Value) -> Value {
    serde_json::to_value(serde_json::from_value::<T>(reply.clone()).unwrap()).unwrap()
}

#[test]
fn replies_of_frr_pass_through_our_types_unchanged() {
    let same = |ours: Value, frrs: Value| assert_eq!(format!("{ours:#}"), format!("{frrs:#}"));
    same(through::<api::NeighborsReply>(&frr!("neighbor")), frr!("neighbor"));
    same(through::<api::DatabaseReply>(&frr!("database")), frr!("database"));
    // FRR's internal bits.
    let internal = ["lsaFlags", "translatedFromType7"];
    for reply in [
        frr!("router"),
        frr!("network"),
        frr!("summary-lsa"),
        frr!("asbr-summary"),
        frr!("external"),
        frr!("nssa-external"),
        frr!("opaque-area"),
    ] {
        same(through::<api::DetailReply>(&reply), without(reply, &internal));
    }
}

#[test]
fn routes_of_frr_pass_through_in_their_order() {
    let frrs = frr!("route");
    let ours = through::<api::RoutesReply>(&frrs);
    assert_eq!(ours, frrs);
    let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&ours), keys(&frrs));
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Keys of FRR's that we lack, keys of ours that FRR lacks.
fn differences<'a>(frrs: &'a Value, ours: &'a Value) -> (Vec<&'a str>, Vec<&'a str>) {
    let (frrs, ours) = (keys(frrs), keys(ours));
    (frrs.difference(&ours).copied().collect(), ours.difference(&frrs).copied().collect())
}

pub(crate) fn lan() -> Net {
    let mut net = Net::new(1);
    let (a, b, c) = (net.router(1), net.router(2), net.router(3));
    net.loopback(a, "10.255.0.1/32");
    net.loopback(b, "10.255.0.2/32");
    let addresses = [(a, "10.0.0.1/24"), (b, "10.0.0.2/24"), (c, "10.0.0.3/24")];
    let ends = addresses.map(|(node, address)| {
        (node, net.interface(node, address, ospf_interface(NetworkType::Broadcast, 10)))
    });
    net.segment(&ends);
    net.nodes[a].config.ospf.as_mut().unwrap().default_information = Some(DefaultInformation {
        always: true,
        metric: 20,
        metric_type: MetricType::Type2,
        route_map: None,
    });
    let interfaces = &mut net.nodes[c].config.ospf.as_mut().unwrap().interfaces;
    interfaces.values_mut().for_each(|i| i.hello_interval = Duration::from_secs(7));
    net.start_all();
    net.run(Duration::from_secs(100));
    net
}

/// A router's reply, the request and the reply having been on a socket.
pub(crate) fn ask(net: &Net, node: usize, request: &Request) -> Result<Value, String> {
    let sent: Request = serde_json::from_str(&serde_json::to_string(request).unwrap()).unwrap();
    assert_eq!(&sent, request);
    let reply = net.nodes[node].engine.query(net.now, &sent)?;
    Ok(serde_json::from_str(&reply.to_string()).unwrap())
}

pub(crate) fn text(net: &Net, node: usize, request: &Request) -> String {
    api::render_text(request, &ask(net, node, request).unwrap()).unwrap()
}

/// A router's reply and its text.
pub(crate) fn shown(net: &Net, node: usize, request: &Request) -> (Value, String) {
    (ask(net, node, request).unwrap(), text(net, node, request))
}

const NEIGHBORS: Request = Request::Neighbors { filter: None, detail: false };
const INTERFACES: Request = Request::Interfaces { name: None };
const DATABASE: Request =
    Request::Database { kind: None, link_state_id: None, advertising_router: None, self_originate: false };

fn of_kind(kind: DatabaseKind) -> Request {
    Request::Database {
        kind: Some(kind),
        link_state_id: None,
        advertising_router: None,
        self_originate: false,
    }
}

#[test]
fn our_keys_are_those_of_frr_and_the_listed_ones() {
    let net = lan();
    let frrs = frr!("summary");
    let ours = ask(&net, 0, &Request::Summary).unwrap();
    let expected = (
        vec!["abrType", "refreshTimerMsecs", "spfLastDurationMsecs", "writeMultiplier"],
        vec!["spfBackoffState", "spfHolddownMsecs", "spfTimeToLearnMsecs"],
    );
    assert_eq!(differences(&frrs, &ours), expected);
    let area = |v: &Value| v["areas"]["0.0.0.0"].clone();
    assert_eq!(differences(&area(&frrs), &area(&ours)), (vec![], vec![]));

    let ours = ask(&net, 1, &INTERFACES).unwrap();
    let frrs = frr!("interface");
    let expected = (
        vec!["bandwidthMbit", "ifFlags"],
        // Newer releases of FRR have the first two.
        vec![
            "lsaRetransmissions",
            "mtuMismatchDetect",
            "discards",
            "stateChanges",
            "timerRetransmitMsecs",
            "traffic",
        ],
    );
    let (lacking, mut own) = differences(&frrs["interfaces"]["ba"], &ours["interfaces"]["eth2"]);
    own.sort_unstable();
    let mut expected_own = expected.1;
    expected_own.sort_unstable();
    assert_eq!((lacking, own), (expected.0, expected_own));

    let request = Request::Neighbors { filter: None, detail: true };
    let ours = ask(&net, 1, &request).unwrap();
    let frrs = frr!("neighbor-detail");
    let (lacking, _) = differences(&frrs["neighbors"]["10.255.0.1"][0], &ours["neighbors"]["10.255.0.1"][0]);
    assert_eq!(lacking, ["grHelperStatus"]);
}

#[test]
fn neighbors_are_shown_in_columns_and_found_by_interface_and_id() {
    let net = lan();
    let reply = ask(&net, 1, &NEIGHBORS).unwrap();
    let row = &reply["neighbors"]["10.255.0.1"][0];
    assert_eq!((&row["nbrState"], &row["ifaceName"]), (&json!("Full/Backup"), &json!("eth2:10.0.0.2")));
    let text = text(&net, 1, &NEIGHBORS);
    let words: Vec<Vec<&str>> = text.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(words[0][..4], ["Neighbor", "ID", "Pri", "State"]);
    assert_eq!(words[1][..3], ["10.255.0.1", "1", "Full/Backup"]);
    assert_eq!(words[1][5..], ["10.0.0.1", "eth2:10.0.0.2", "0", "0", "0"]);

    let filtered = |filter: &str| {
        let request = Request::Neighbors { filter: Some(filter.to_owned()), detail: false };
        ask(&net, 1, &request).map(|reply| reply["neighbors"].as_object().unwrap().len())
    };
    assert_eq!(filtered("eth2"), Ok(1));
    assert_eq!(filtered("eth1"), Ok(0));
    assert_eq!(filtered("10.255.0.1"), Ok(1));
    assert_eq!(filtered("10.255.0.9"), Ok(0));
    assert!(filtered("eth9").unwrap_err().contains("eth9"));
}

#[test]
fn an_interface_says_what_it_threw_away_and_from_whom() {
    let net = lan();
    let reply = ask(&net, 1, &INTERFACES).unwrap();
    let discard = &reply["interfaces"]["eth2"]["discards"]["hello-interval"];
    assert!(discard["count"].as_u64().unwrap() >= 10);
    assert_eq!(discard["lastSource"], json!("10.0.0.3"));
    assert!(discard["lastMsecsAgo"].as_u64().unwrap() <= 7000);
    let text = text(&net, 1, &INTERFACES);
    let (_, below) = text.split_once("  Discarded packets:\n").unwrap();
    assert!(below.lines().nth(1).unwrap().ends_with("HelloInterval differs"), "{below}");

    let named = |name: &str| ask(&net, 1, &Request::Interfaces { name: Some(name.parse().unwrap()) });
    assert_eq!(keys(&named("eth1").unwrap()["interfaces"]), BTreeSet::from(["eth1"]));
    assert!(named("eth7").unwrap_err().contains("eth7"));
}

#[test]
fn an_interface_is_described_as_in_vtysh() {
    let net = lan();
    let text = text(&net, 1, &INTERFACES);
    let lines: Vec<&str> = text.lines().skip_while(|l| *l != "eth2 is up").take(10).collect();
    assert_eq!(
        lines,
        [
            "eth2 is up",
            "  ifindex 2, MTU 1500 bytes",
            "  Internet Address 10.0.0.2/24, Broadcast 10.0.0.255, Area 0.0.0.0",
            "  MTU mismatch detection: enabled",
            "  Router ID 10.255.0.2, Network Type BROADCAST, Cost: 10",
            "  Transmit Delay is 1 sec, State DR, Priority 1",
            "  Designated Router (ID) 10.255.0.2 Interface Address 10.0.0.2/24",
            "  Backup Designated Router (ID) 10.255.0.1, Interface Address 10.0.0.1",
            "  Multicast group memberships: OSPFAllRouters OSPFDesignatedRouters",
            "  Timer intervals configured, Hello 10s, Dead 40s, Wait 40s, Retransmit 5",
        ]
    );
}

#[test]
fn the_database_is_filtered_by_type_id_and_router() {
    let net = lan();
    let all = ask(&net, 1, &DATABASE).unwrap();
    let area = &all["areas"]["0.0.0.0"];
    assert_eq!((&area["routerLinkStatesCount"], &area["networkLinkStatesCount"]), (&json!(2), &json!(1)));
    assert_eq!(all["asExternalLinkStates"][0]["route"], json!("0.0.0.0/0"));
    assert_eq!(all["asExternalLinkStates"][0]["metricType"], json!("E2"));

    let own =
        Request::Database { kind: None, link_state_id: None, advertising_router: None, self_originate: true };
    let own = ask(&net, 1, &own).unwrap();
    assert_eq!(own["areas"]["0.0.0.0"]["routerLinkStatesCount"], json!(1));
    assert_eq!(own.get("asExternalLinkStates"), None);

    let one = |link_state_id, advertising_router: Option<&str>| {
        let request = Request::Database {
            kind: Some(DatabaseKind::Router),
            link_state_id,
            advertising_router: advertising_router.map(|r| r.parse().unwrap()),
            self_originate: false,
        };
        let reply = ask(&net, 1, &request).unwrap();
        let lsas = reply["routerLinkStates"]["areas"]["0.0.0.0"].as_array().unwrap();
        lsas.iter().map(|l| l["advertisingRouter"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(one(None, None), ["10.255.0.1", "10.255.0.2"]);
    assert_eq!(one(Some(ip("10.255.0.1")), None), ["10.255.0.1"]);
    assert_eq!(one(None, Some("10.255.0.2")), ["10.255.0.2"]);
    assert_eq!(one(Some(ip("10.255.0.1")), Some("10.255.0.2")), [""; 0]);
    let externals = ask(&net, 1, &of_kind(DatabaseKind::External)).unwrap();
    assert_eq!(externals["asExternalLinkStates"][0]["metric"], json!(20));
}

#[test]
fn an_lsa_being_flushed_is_among_those_at_max_age() {
    let mut net = lan();
    // The neighbour is gone, so nobody acknowledges the flush.
    net.nodes[1].alive = false;
    net.reconfigure(0, |config| config.ospf.as_mut().unwrap().default_information = None);
    let reply = ask(&net, 0, &Request::DatabaseMaxAge).unwrap();
    let expected = json!({
        "linkType": 5,
        "linkStateId": "0.0.0.0",
        "advertisingRouter": "10.255.0.1",
        "lsaLockCount": 1,
    });
    assert_eq!(reply["maxAgeLinkStates"]["0"], expected);
    assert!(text(&net, 0, &Request::DatabaseMaxAge).contains("Unacknowledged"));
}

#[test]
fn events_tell_how_an_adjacency_came_up_and_went() {
    let mut net = lan();
    net.nodes[1].alive = false;
    net.run(Duration::from_secs(50));
    let reply = ask(&net, 0, &Request::Events).unwrap();
    let changes = reply["adjacencyChanges"].as_array().unwrap();
    let told: Vec<(&str, &str)> =
        changes.iter().map(|c| (c["newState"].as_str().unwrap(), c["event"].as_str().unwrap())).collect();
    let (state, event) = told[0];
    assert_eq!(state, "Full");
    assert!(["LoadingDone", "ExchangeDone"].contains(&event), "{told:?}");
    assert_eq!(told.last(), Some(&("Down", "InactivityTimer")));
    let last = changes.last().unwrap();
    assert_eq!((&last["routerId"], &last["interface"]), (&json!("10.255.0.2"), &json!("eth2")));
    assert!(last["msecsAgo"].as_u64().unwrap() < 50_000);
    let runs = reply["spfRuns"].as_array().unwrap();
    assert!(runs.last().unwrap()["routesChanged"].as_u64().unwrap() > 0);
    let text = text(&net, 0, &Request::Events);
    assert!(text.contains("InactivityTimer"), "{text}");
}

#[test]
fn routes_read_as_in_vtysh() {
    let net = lan();
    let expected = "\
============ OSPF network routing table ============
N    10.0.0.0/24           [10] area: 0.0.0.0
                           directly attached to eth2
N    10.255.0.1/32         [10] area: 0.0.0.0
                           via 10.0.0.1, eth2
N    10.255.0.2/32         [0] area: 0.0.0.0
                           directly attached to eth1

============ OSPF router routing table =============
R    10.255.0.1            [10] area: 0.0.0.0, ASBR
                           via 10.0.0.1, eth2

============ OSPF external routing table ===========
N E2 0.0.0.0/0             [10/20] tag: 0
                           via 10.0.0.1, eth2

";
    assert_eq!(text(&net, 1, &Request::Routes), expected);
    let routers = text(&net, 1, &Request::BorderRouters);
    assert!(routers.contains("R    10.255.0.1            [10] area: 0.0.0.0, ASBR\n"), "{routers}");
}

#[test]
fn the_database_of_frr_reads_as_in_vtysh() {
    let text = api::render_text(&DATABASE, &frr!("database")).unwrap();
    let words: Vec<Vec<&str>> = text.lines().map(|l| l.split_whitespace().collect()).collect();
    for line in [
        "OSPF Router with ID (10.255.0.2)",
        "Router Link States (Area 0.0.0.0)",
        "10.255.0.1 10.255.0.1 72 0x80000004 0x639c 1",
        "Net Link States (Area 0.0.0.0)",
        "10.0.12.2 10.255.0.2 71 0x80000001 0xda44",
        "10.0.23.0 10.255.0.2 75 0x80000001 0xd652 10.0.23.0/30",
        "10.255.0.4 10.255.0.4 75 0x80000004 0x01ba 2",
        "Area-Local Opaque-LSA (Area 0.0.0.1)",
        "203.0.113.128 10.255.0.4 67 0x80000002 0x1d27 E2 203.0.113.128/25 [0x0]",
        "AS External Link States",
        "198.51.100.0 10.255.0.1 76 0x80000001 0x2691 E1 198.51.100.0/24 [0x0]",
        "AS-external Opaque-LSA",
    ] {
        let line: Vec<&str> = line.split_whitespace().collect();
        assert!(words.contains(&line), "{line:?} not in\n{text}");
    }
}

#[test]
fn lsas_of_frr_read_as_in_vtysh() {
    let text = |kind, reply| api::render_text(&of_kind(kind), &reply).unwrap();
    let router = text(DatabaseKind::Router, frr!("router"));
    for part in [
        "  Flags: 0x3 : ABR ASBR\n  LS Type: router-LSA\n  Link State ID: 10.255.0.2\n",
        "    Link connected to: another Router (point-to-point)\n     (Link ID) Neighboring Router ID: 10.255.0.3\n",
        "    Link connected to: Stub Network\n     (Link ID) Net: 10.0.23.0\n     (Link Data) Network Mask: 255.255.255.252\n",
        "     (Link ID) Designated Router address: 10.0.12.2\n     (Link Data) Router Interface address: 10.0.12.1\n",
        "  Checksum: 0x01ba\n",
    ] {
        assert!(router.contains(part), "{part:?} not in\n{router}");
    }
    let network = text(DatabaseKind::Network, frr!("network"));
    assert!(network.contains("  Network Mask: /24\n        Attached Router: 10.255.0.1\n"), "{network}");
    let asbr = text(DatabaseKind::AsbrSummary, frr!("asbr-summary"));
    assert!(asbr.contains("Link State ID: 10.255.0.1 (AS Boundary Router address)\n"), "{asbr}");
    let external = text(DatabaseKind::External, frr!("external"));
    assert!(external.contains("        Metric Type: 1\n        TOS: 0\n        Metric: 50\n"), "{external}");
    let nssa = text(DatabaseKind::NssaExternal, frr!("nssa-external"));
    assert!(nssa.contains("        NSSA: Forward Address: 10.0.24.1\n"), "{nssa}");
    let opaque = text(DatabaseKind::OpaqueArea, frr!("opaque-area"));
    assert!(opaque.contains("  Opaque-Type 4 (Router Information LSA)\n  Opaque-ID   0x0\n"), "{opaque}");
}

#[test]
fn every_reply_has_a_text_and_a_reply_of_another_release_is_refused() {
    let net = lan();
    let kinds = DatabaseKind::ALL.map(of_kind);
    let others = [
        Request::Summary,
        NEIGHBORS,
        Request::Neighbors { filter: None, detail: true },
        INTERFACES,
        DATABASE,
        Request::DatabaseMaxAge,
        Request::Routes,
        Request::RouteDetail,
        Request::BorderRouters,
        Request::ReachableRouters,
        Request::Vrfs,
        Request::Events,
        Request::SpfLog,
        Request::FastReroute,
    ];
    for request in kinds.iter().chain(&others) {
        for node in 0..2 {
            assert!(text(&net, node, request).ends_with('\n'), "{request:?}");
        }
        assert!(api::render_text(request, &json!({"unheard": []})).is_err(), "{request:?}");
    }
}
