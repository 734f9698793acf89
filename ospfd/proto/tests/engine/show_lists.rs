//! What operators see: packets, reachable routers, whole databases and the log of calculations, as JSON and as text.

use crate::show::{ask, lan, text};
use ospf_proto::api::Request;
use routing_common::id::RouterId;
use serde_json::json;

const DETAIL: Request =
    Request::DatabaseDetail { link_state_id: None, advertising_router: None, self_originate: false };

#[test]
fn packets_are_counted_by_type_and_direction() {
    let net = lan();
    let traffic = Request::Traffic { name: None };
    let reply = ask(&net, 1, &traffic).unwrap();
    let row = &reply["eth2"];
    assert!(row["helloIn"].as_u64() > Some(5) && row["helloOut"].as_u64() > Some(5), "{row}");
    for key in ["dbDescIn", "dbDescOut", "lsUpdIn", "lsUpdOut", "lsAckIn", "lsAckOut"] {
        assert!(row[key].as_u64() > Some(0), "{key} of {row}");
    }
    assert_eq!(row["packetsQueued"], 0);
    assert_eq!(row["ifIndex"], 2);
    let shown = text(&net, 1, &traffic);
    let hellos = format!("{:>8}/{:<8} ", row["helloIn"].as_u64().unwrap(), row["helloOut"].as_u64().unwrap());
    let line = shown.lines().find(|l| l.starts_with("eth2")).unwrap();
    assert!(line.starts_with(&format!("eth2       {hellos}")), "{shown}");
    assert!(shown.contains("\nInterface       HELLO            DB-Desc"), "{shown}");
    let one = Request::Traffic { name: Some("eth2".parse().unwrap()) };
    assert_eq!(ask(&net, 1, &one).unwrap().as_object().unwrap().len(), 1);
    let none = Request::Traffic { name: Some("eth9".parse().unwrap()) };
    assert_eq!(ask(&net, 1, &none).unwrap_err(), "OSPF does not run on interface eth9");
}

#[test]
fn a_router_without_a_role_is_reachable_and_no_border_router() {
    let net = lan();
    // Seen from the AS boundary router the other one has no role.
    assert_eq!(ask(&net, 0, &Request::BorderRouters).unwrap()["routers"], json!({}));
    let reply = ask(&net, 0, &Request::ReachableRouters).unwrap();
    let row = &reply["routers"]["10.255.0.2"];
    assert_eq!(row["routeType"], "R ");
    assert_eq!(row["cost"], 10);
    assert!(row.get("routerType").is_none(), "{row}");
    assert_eq!(row["nexthops"][0]["ip"], "10.0.0.2");
    assert_eq!(reply["routers"].as_object().unwrap().len(), 1, "{reply}");
    let shown = text(&net, 1, &Request::ReachableRouters);
    assert!(shown.contains("R    10.255.0.1            [10] area: 0.0.0.0, ASBR\n"), "{shown}");
    assert!(shown.contains("via 10.0.0.1, eth2\n"), "{shown}");
}

#[test]
fn details_of_a_route_name_the_router_behind_it() {
    let net = lan();
    let shown = text(&net, 1, &Request::RouteDetail);
    assert!(
        shown.contains("                           via 10.0.0.1, eth2, advertised by 10.255.0.1\n"),
        "{shown}"
    );
    assert_eq!(ask(&net, 1, &Request::RouteDetail), ask(&net, 1, &Request::Routes));
}

#[test]
fn the_whole_database_is_shown_in_full_and_filtered() {
    let net = lan();
    let reply = ask(&net, 1, &DETAIL).unwrap();
    assert_eq!(reply["routerLinkStates"]["areas"]["0.0.0.0"].as_array().unwrap().len(), 2);
    assert_eq!(reply["networkLinkStates"]["areas"]["0.0.0.0"].as_array().unwrap().len(), 1);
    assert_eq!(reply["asExternalLinkStates"][0]["linkStateId"], "0.0.0.0");
    assert!(reply.get("summaryLinkStates").is_none(), "there are none: {reply}");
    let shown = text(&net, 1, &DETAIL);
    for part in
        ["Router Link States (Area 0.0.0.0)", "Net Link States (Area 0.0.0.0)", "AS External Link States"]
    {
        assert!(shown.contains(part), "{part} not in\n{shown}");
    }
    let of = Request::DatabaseDetail {
        link_state_id: None,
        advertising_router: Some(RouterId("10.255.0.1".parse().unwrap())),
        self_originate: false,
    };
    let of_one = ask(&net, 1, &of).unwrap();
    assert_eq!(of_one["routerLinkStates"]["areas"]["0.0.0.0"].as_array().unwrap().len(), 1);
}

#[test]
fn the_log_of_calculations_tells_what_asked_for_each_and_numbers_them() {
    let net = lan();
    let reply = ask(&net, 1, &Request::SpfLog).unwrap();
    let runs = reply["spfRuns"].as_array().unwrap();
    for (run, number) in runs.iter().zip(1..) {
        assert_eq!(run["number"], number);
        let full = run["scope"] == "topology";
        assert_eq!(run["kind"], if full { "full" } else { "partial" });
        assert!(run["causes"].as_u64() >= Some(1), "{run}");
    }
    let causes: Vec<&str> = runs.iter().map(|r| r["cause"].as_str().unwrap()).collect();
    assert!(
        causes.iter().any(|c| c.starts_with("router-LSA 10.255.0.") && c.contains(" of 10.255.0.")),
        "{causes:?}"
    );
    assert!(causes.iter().any(|c| c.starts_with("interface eth")), "{causes:?}");
    let shown = text(&net, 1, &Request::SpfLog);
    assert!(shown.starts_with("No  Ago"), "{shown}");
    assert_eq!(shown.lines().count(), runs.len() + 1);
    let events = ask(&net, 1, &Request::Events).unwrap();
    assert_eq!(events["spfRuns"], reply["spfRuns"]);
    assert_eq!(events["adjacencyChanges"][0]["number"], 1);
}

#[test]
fn ospf_runs_in_the_default_vrf() {
    let net = lan();
    let expected = json!({"vrfs": {"default": {"vrfId": 0, "routerId": "10.255.0.1"}}, "totalVrfs": 1});
    assert_eq!(ask(&net, 0, &Request::Vrfs).unwrap(), expected);
    let shown = text(&net, 0, &Request::Vrfs);
    assert!(shown.contains("\ndefault                   0       10.255.0.1\n"), "{shown}");
    assert!(shown.ends_with("Total number of OSPF VRFs: 1\n"), "{shown}");
}
