//! What operators and other programs change while ribd runs.

use crate::lab::{INTERFACES, Lab, OSPF, eventually, route};
use crate::started;
use routing_common::control::Outcome;
use serde_json::json;
use std::time::{Duration, Instant};

const VIA_LAN: &str = "[[static-routes]]\nprefix = \"10.7.0.0/16\"\nnext-hop = \"192.168.1.254\"\n";
const ON_LINK: &str =
    "[[static-routes]]\nprefix = \"10.9.0.0/16\"\nnext-hop = \"172.16.0.1\"\ninterface = \"eth1\"\n";

/// Longer than ribd takes for anything it would do at once.
const A_WHILE: Duration = Duration::from_millis(1500);

#[test]
fn sighup_adds_changes_and_removes_static_routes() {
    let lab = started(&format!("{INTERFACES}{VIA_LAN}{ON_LINK}"));
    lab.await_route("10.7.0.0/16", &["via 192.168.1.254 dev eth0"]);
    lab.await_route("10.9.0.0/16", &["via 172.16.0.1 dev eth1"]);
    let changed = VIA_LAN.replace("192.168.1.254", "10.0.1.2");
    let added = "[[static-routes]]\nprefix = \"10.8.0.0/16\"\nblackhole = true\n";
    lab.reload(&format!("{INTERFACES}{changed}{added}"));
    lab.await_route("10.7.0.0/16", &["via 10.0.1.2 dev eth1"]);
    lab.await_route("10.8.0.0/16", &["blackhole"]);
    lab.await_no_route("10.9.0.0/16");
    // What is refused changes nothing.
    lab.reload("[[static-routes]]\nprefix = \"nonsense\"\n");
    std::thread::sleep(A_WHILE);
    lab.await_route("10.7.0.0/16", &["via 10.0.1.2 dev eth1"]);
}

#[test]
fn sighup_moves_addresses_and_settings() {
    let lab = started(INTERFACES);
    let addresses = || lab.ip("-4 -o addr show dev eth0");
    eventually("the address is on", || addresses().contains("192.168.1.1/24"));
    lab.reload(&format!(
        "[rib]\nforwarding = false\n{}",
        INTERFACES.replace("192.168.1.1/24", "192.168.1.7/24")
    ));
    eventually("the successor alone is on", || {
        addresses().contains("192.168.1.7/24") && !addresses().contains("192.168.1.1/24")
    });
    eventually("packets are not forwarded", || lab.sysctl("ip_forward") == "0");
    lab.reload("");
    eventually("no address is left", || addresses().is_empty());
    eventually("packets are forwarded", || lab.sysctl("ip_forward") == "1");
    lab.reload(INTERFACES);
    eventually("the address is on", || addresses().contains("192.168.1.1/24"));
}

#[test]
fn a_link_the_operator_set_down_stays_down() {
    let lab = started(&format!("{INTERFACES}{VIA_LAN}"));
    lab.await_route("10.7.0.0/16", &["dev eth0"]);
    lab.ip("link set eth0 down");
    lab.await_no_route("10.7.0.0/16");
    std::thread::sleep(A_WHILE);
    lab.reload(&format!("{INTERFACES}{VIA_LAN}{ON_LINK}"));
    lab.await_route("10.9.0.0/16", &["dev eth1"]);
    assert!(!lab.ip("-o link show eth0").contains(",UP"), "it was brought up again");
    lab.ip("link set eth0 up");
    lab.await_route("10.7.0.0/16", &["via 192.168.1.254 dev eth0"]);
}

#[test]
fn an_interface_without_addresses_gets_them_and_its_routes_back() {
    for objects in [true, false] {
        let lab = started(&format!("[rib]\nnext-hop-objects = {objects}\n{INTERFACES}{VIA_LAN}{ON_LINK}"));
        lab.await_route("10.9.0.0/16", &["via 172.16.0.1 dev eth1"]);
        lab.ip("addr flush dev eth1");
        eventually("the address is back", || lab.ip("-4 addr show dev eth1").contains("10.0.1.1/24"));
        std::thread::sleep(Duration::from_millis(200));
        lab.await_route("10.9.0.0/16", &["via 172.16.0.1 dev eth1", "onlink"]);
        lab.await_route("10.7.0.0/16", &["via 192.168.1.254 dev eth0"]);
    }
}

#[test]
fn an_interface_made_anew_with_the_same_number_carries_its_routes_again() {
    let lab = started(&format!("{INTERFACES}{VIA_LAN}"));
    lab.await_route("10.7.0.0/16", &["dev eth0"]);
    let index = lab.ifindex("eth0").0;
    for _ in 0..3 {
        lab.ip("link del eth0");
        lab.ip(&format!("link add eth0 index {index} type veth peer name peer0"));
        lab.ip("link set peer0 up");
        lab.await_route("10.7.0.0/16", &["via 192.168.1.254 dev eth0"]);
    }
}

#[test]
fn other_programs_objects_are_left_alone_and_ours_are_restored() {
    let lab = Lab::new();
    // 0x746f0001 and 0x746f0002, the first numbers ribd would take.
    lab.ip("nexthop add id 1953431553 blackhole");
    lab.ip("nexthop add id 1953431554 blackhole");
    let mut lab = lab;
    lab.configure(&format!("{INTERFACES}{VIA_LAN}"));
    lab.start();
    lab.await_route("10.7.0.0/16", &["via 192.168.1.254 dev eth0"]);
    assert_eq!(lab.ip("nexthop").matches("blackhole").count(), 2);
    let after = |shown: String, word: &str| {
        shown.split_whitespace().skip_while(|w| *w != word).nth(1).unwrap().to_owned()
    };
    let group = after(lab.route("10.7.0.0/16"), "nhid");
    let id = after(lab.ip(&format!("nexthop show id {group}")), "group");
    lab.ip(&format!("nexthop replace id {id} via 10.0.1.9 dev eth1"));
    lab.await_route("10.7.0.0/16", &["via 192.168.1.254 dev eth0"]);
    lab.terminate();
    assert_eq!(lab.ip("nexthop").lines().count(), 2, "{}", lab.ip("nexthop"));
}

#[test]
fn a_foreign_daemons_route_at_our_place_is_replaced_and_elsewhere_kept() {
    let lab = started(&format!("{INTERFACES}{VIA_LAN}"));
    lab.await_route("10.7.0.0/16", &["via 192.168.1.254 dev eth0"]);
    lab.ip("route replace 10.7.0.0/16 via 10.0.1.9 proto ospf metric 20");
    lab.ip("route add 10.7.0.0/16 via 10.0.1.9 proto ospf metric 30");
    lab.ip("route add 10.6.0.0/16 via 10.0.1.9 proto ospf metric 20");
    eventually("ours is back and the others stay", || {
        let shown = lab.route("10.7.0.0/16");
        shown.contains("via 192.168.1.254 dev eth0 proto static metric 20")
            && shown.contains("via 10.0.1.9 dev eth1 proto ospf metric 30")
    });
    assert!(lab.route("10.6.0.0/16").contains("via 10.0.1.9"));
}

#[test]
fn the_control_socket_shows_and_refuses() {
    let lab = started(&format!("{INTERFACES}{OSPF}{VIA_LAN}"));
    let mut client = lab.client();
    client.synchronise(vec![route("10.1.0.0/16", &[lab.hop("10.0.1.2", "eth1")])]);
    lab.await_route("10.7.0.0/16", &["dev eth0"]);
    let Outcome::Done(routes) = lab.ask(json!({ "routes": {} })) else { panic!("refused") };
    for (prefix, protocol) in
        [("10.1.0.0/16", "ospf"), ("10.7.0.0/16", "static"), ("10.0.1.0/24", "connected")]
    {
        assert_eq!(routes[prefix][0]["protocol"], protocol, "{routes}");
        assert_eq!(routes[prefix][0]["selected"], true);
    }
    let Outcome::Done(clients) = lab.ask(json!("clients")) else { panic!("refused") };
    assert!(clients.to_string().contains("\"test\""), "{clients}");
    let Outcome::Refused(why) = lab.ask(json!({ "no-such": 1 })) else { panic!("done") };
    assert!(why.contains("not a request of ribd"), "{why}");
}

/// What is left of what was sent into the void would hold up what comes next for a second.
#[test]
fn neighbours_that_did_not_answer_are_forgotten_when_the_carrier_returns() {
    let mut lab = Lab::new();
    lab.configure(INTERFACES);
    lab.start();
    let neighbours = |i: u32| lab.ip(&format!("neigh show nud incomplete dev eth{i}"));
    eventually("the address is there", || lab.ip("-4 address show dev eth0").contains("192.168.1.1/24"));
    lab.carrier(0, false);
    eventually("the carrier is lost", || lab.ip("link show eth0").contains("NO-CARRIER"));
    lab.ip("neigh add 192.168.1.9 dev eth0 nud incomplete");
    lab.ip("neigh add 10.0.1.9 dev eth1 nud incomplete");
    assert!(neighbours(0).contains("192.168.1.9"));
    let before = Instant::now();
    lab.carrier(0, true);
    eventually("it is forgotten", || !neighbours(0).contains("192.168.1.9"));
    // By itself the kernel gives up after three questions, a second each.
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    assert!(neighbours(1).contains("10.0.1.9"), "other links are none of its business");
}
