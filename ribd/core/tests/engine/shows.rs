//! What operators see of next hops, static routes, interfaces and choices, as JSON and as text.

use crate::world::{ETH0, ETH1, ETH2, OSPFD, World, hop, net, route};
use rib::api::{Request, render_text};
use routing_common::time::Duration;
use serde_json::{Value, json};

const STATICS: &str = "\
[[static-routes]]
prefix = \"0.0.0.0/0\"
next-hop = \"192.168.1.254\"
[[static-routes]]
prefix = \"10.64.0.0/24\"
next-hop = \"10.0.1.2\"
distance = 200
[[static-routes]]
prefix = \"10.65.0.0/24\"
next-hop = \"203.0.113.9\"
[[static-routes]]
prefix = \"10.66.0.0/24\"
blackhole = true
tag = 7
";

fn world() -> World {
    let mut w = World::new(STATICS);
    w.ospf(OSPFD, &[route("10.64.0.0/24", &[hop("10.0.1.2", ETH1), hop("10.0.2.2", ETH2)])]);
    w
}

fn ask(w: &World, request: &Request) -> (Value, String) {
    let value = w.rib.query(w.now, request).unwrap();
    let text = render_text(request, &value).unwrap();
    (value, text)
}

#[test]
fn static_routes_say_why_they_are_not_in_use() {
    let w = world();
    let (rows, text) = ask(&w, &Request::Statics);
    let of = |prefix: &str| rows.as_array().unwrap().iter().find(|r| r["prefix"] == prefix).unwrap();
    assert_eq!(
        of("0.0.0.0/0"),
        &json!({"prefix": "0.0.0.0/0", "distance": 1, "gateway": "192.168.1.254", "active": true, "installed": true})
    );
    assert_eq!(of("10.64.0.0/24")["reason"], "loses to ospf by administrative distance, 200 against 110");
    assert_eq!(of("10.64.0.0/24")["active"], true);
    assert_eq!(of("10.65.0.0/24")["reason"], "no route to gateway 203.0.113.9");
    assert_eq!(of("10.65.0.0/24")["active"], false);
    assert_eq!(of("10.66.0.0/24")["blackhole"], true);
    assert_eq!(of("10.66.0.0/24")["installed"], true);
    let line = text.lines().find(|l| l.starts_with("10.65.0.0/24")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[..5], ["10.65.0.0/24", "203.0.113.9", "1", "0", "inactive"]);
    assert!(line.ends_with("no route to gateway 203.0.113.9"), "{text}");
}

#[test]
fn a_choice_names_every_candidate_and_what_became_of_it() {
    let mut w = world();
    let why = |prefix| Request::Why { prefix: net(prefix) };
    let (choice, text) = ask(&w, &why("10.64.0.0/24"));
    let verdicts = |c: &Value| -> Vec<String> {
        let rows = c["candidates"].as_array().unwrap();
        rows.iter().map(|r| r["verdict"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        verdicts(&choice),
        [
            "selected, the best usable one; in the kernel",
            "loses to ospf by administrative distance, 200 against 110"
        ]
    );
    assert_eq!(choice["candidates"][1]["protocol"], "static");
    assert!(
        text.contains(" 1. ospf [110/20], 00:00:00: selected, the best usable one; in the kernel\n"),
        "{text}"
    );
    // An address means its longest match; what is unusable is said, and what its packets follow instead.
    let (choice, text) = ask(&w, &why("10.65.0.9/32"));
    assert_eq!(choice["prefix"], "10.65.0.0/24");
    assert_eq!(verdicts(&choice), ["no next hop can be used"]);
    assert_eq!(choice["coveredBy"], "0.0.0.0/0");
    assert!(
        text.contains(
            "via 203.0.113.9 inactive (no route to gateway 203.0.113.9)\nPackets follow 0.0.0.0/0\n"
        ),
        "{text}"
    );
    let (choice, text) = ask(&w, &why("198.51.100.0/24"));
    assert_eq!(choice["coveredBy"], "0.0.0.0/0");
    assert!(text.starts_with("No candidate for 198.51.100.0/24\n"), "{text}");
    w.carrier(ETH0, false);
    let (choice, text) = ask(&w, &why("198.51.100.0/24"));
    assert!(choice.get("coveredBy").is_none());
    assert!(text.ends_with("Packets are unreachable\n"), "{text}");
}

#[test]
fn tracked_gateways_are_resolved_or_say_why_not() {
    let w = world();
    let (tracking, text) = ask(&w, &Request::NextHopTracking);
    let gateways = &tracking["ipv4"];
    assert_eq!(gateways.as_object().unwrap().len(), 3);
    let resolution = |gateway: &str| &gateways[gateway]["resolutions"][0];
    assert_eq!(resolution("192.168.1.254")["resolvedProtocol"], "connected");
    assert_eq!(resolution("192.168.1.254")["prefix"], "192.168.1.0/24");
    assert_eq!(resolution("192.168.1.254")["nexthops"][0]["interfaceName"], "eth0");
    assert_eq!(resolution("203.0.113.9")["unresolved"], true);
    assert_eq!(resolution("203.0.113.9")["clientList"], json!([{"protocol": "static", "routes": 1}]));
    for part in [
        "192.168.1.254\n resolved via connected, prefix 192.168.1.0/24\n via 192.168.1.254, eth0",
        "203.0.113.9\n unresolved (no route to gateway 203.0.113.9)\n Client list: static(1 routes)\n",
    ] {
        assert!(text.contains(part), "{part:?} not in\n{text}");
    }
}

#[test]
fn next_hop_objects_show_their_members_and_users() {
    let w = world();
    let (groups, text) = ask(&w, &Request::NextHopGroups { id: None });
    let objects = groups["default"].as_object().unwrap();
    let of_two = |o: &serde_json::Value| o.get("depends").is_some_and(|d| d.as_array().unwrap().len() == 2);
    let (id, group) = objects.iter().find(|(_, o)| of_two(o)).unwrap();
    assert_eq!(group["nexthops"].as_array().unwrap().len(), 2);
    assert_eq!(group["refCount"], 1);
    assert_eq!(group["installed"], true);
    let member = &objects[&group["depends"][0].to_string()];
    assert!(member["dependents"].as_array().unwrap().contains(&json!(id.parse::<u32>().unwrap())));
    assert!(
        text.contains(&format!(
            "ID: {id} (zebra)\n     RefCnt: 1\n     VRF: default\n     Valid, Installed\n"
        )),
        "{text}"
    );
    let one = Request::NextHopGroups { id: Some(id.parse().unwrap()) };
    assert_eq!(ask(&w, &one).0["default"].as_object().unwrap().len(), 1);
    let none = Request::NextHopGroups { id: Some(1) };
    assert_eq!(w.rib.query(w.now, &none).unwrap_err(), "there is no next-hop object 1");
}

#[test]
fn the_fib_has_what_is_installed_and_refusals_are_found() {
    let mut w = world();
    let (fib, text) = ask(&w, &Request::Fib { prefix: None });
    assert!(fib.get("10.65.0.0/24").is_none(), "an unusable route is not in the kernel");
    assert_eq!(fib["10.64.0.0/24"].as_array().unwrap().len(), 1, "the floating one is not");
    assert!(text.contains("O>* 10.64.0.0/24 [110/20] via 10.0.1.2, eth1"), "{text}");
    assert_eq!(ask(&w, &Request::FailedRoutes).0, json!({}));
    w.kernel.never = Some(net("10.70.0.0/24"));
    w.offer(OSPFD, &[route("10.70.0.0/24", &[hop("10.0.1.2", ETH1)])]);
    let (failed, text) = ask(&w, &Request::FailedRoutes);
    assert_eq!(failed.as_object().unwrap().keys().collect::<Vec<_>>(), ["10.70.0.0/24"]);
    assert!(text.contains("refused by the kernel: "), "{text}");
    assert!(ask(&w, &Request::Fib { prefix: None }).0.get("10.70.0.0/24").is_none());
}

#[test]
fn interfaces_are_described_with_their_ups_and_downs() {
    let mut w = World::new("[interfaces.eth0]\ndescription = \"to the LAN\"\n");
    w.carrier(ETH0, false);
    w.wait(Duration::from_secs(61));
    w.carrier(ETH0, true);
    let (details, text) = ask(&w, &Request::InterfaceDetails { name: Some("eth0".parse().unwrap()) });
    let eth0 = &details["eth0"];
    assert_eq!(eth0["administrativeStatus"], "up");
    assert_eq!(eth0["operationalStatus"], "up");
    assert_eq!((&eth0["linkUps"], &eth0["linkDowns"]), (&json!(1), &json!(1)));
    assert_eq!(eth0["lastLinkDown"], "00:01:01");
    assert_eq!(eth0["flags"], "<UP,RUNNING,MULTICAST>");
    assert!(
        eth0["ipAddresses"].as_array().unwrap().iter().any(|a| a["address"] == "192.168.1.1/24"),
        "{eth0}"
    );
    for part in [
        "Interface eth0 is up, line protocol is up\n  Link ups:       1    last: 00:00:00 ago\n",
        "  Link downs:     1    last: 00:01:01 ago\n  vrf: default\n  Description: to the LAN\n",
        "  index 2 metric 0 mtu 1500\n  flags: <UP,RUNNING,MULTICAST>\n",
        "  inet 192.168.1.1/24\n",
    ] {
        assert!(text.contains(part), "{part:?} not in\n{text}");
    }
    let missing = Request::InterfaceDetails { name: Some("eth9".parse().unwrap()) };
    assert_eq!(w.rib.query(w.now, &missing).unwrap_err(), "interface eth9 does not exist");
    let (descriptions, text) = ask(&w, &Request::Descriptions);
    assert_eq!(descriptions["eth0"], json!({"status": "up", "protocol": "up", "description": "to the LAN"}));
    assert!(text.starts_with("Interface  Status  Protocol  Description\n"), "{text}");
}

#[test]
fn forwarding_is_told_with_what_became_of_setting_it() {
    let w = World::new("");
    let (reply, text) = ask(&w, &Request::Forwarding);
    assert_eq!(reply, json!({"configured": true, "state": "asked"}));
    assert_eq!(text, "IP forwarding shall be on: asked\n");
    let off = World::new("[rib]\nforwarding = false\n");
    assert_eq!(ask(&off, &Request::Forwarding).0["configured"], false);
    for (configured, state, text) in [
        (true, "done", "IP forwarding is on\n"),
        (false, "done", "IP forwarding is off\n"),
        (true, "failed: read-only", "IP forwarding shall be on: failed: read-only\n"),
    ] {
        let reply = json!({"configured": configured, "state": state});
        assert_eq!(render_text(&Request::Forwarding, &reply).unwrap(), text);
    }
}
