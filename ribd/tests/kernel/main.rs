//! ribd against a real kernel, in namespaces of its own.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod moves;

use lab::{INTERFACES, Lab, OSPF, eventually, route};
use std::time::{Duration, Instant};

const STATICS: &str = "\
[[static-routes]]\nprefix = \"0.0.0.0/0\"\nnext-hop = \"192.168.1.254\"\n\
[[static-routes]]\nprefix = \"10.7.0.0/16\"\nnext-hop = \"192.168.1.254\"\n\
[[static-routes]]\nprefix = \"10.7.0.0/16\"\nnext-hop = \"10.0.1.2\"\n\
[[static-routes]]\nprefix = \"10.8.0.0/16\"\nblackhole = true\n\
[[static-routes]]\nprefix = \"10.9.0.0/16\"\nnext-hop = \"172.16.0.1\"\ninterface = \"eth1\"\n";

fn started(config: &str) -> Lab {
    let mut lab = Lab::new();
    lab.configure(config);
    lab.start();
    lab
}

fn await_statics(lab: &Lab, nhid: bool) {
    lab.await_route("default", &["via 192.168.1.254 dev eth0 proto static metric 20"]);
    lab.await_route("10.7.0.0/16", &["via 192.168.1.254 dev eth0", "via 10.0.1.2 dev eth1"]);
    lab.await_route("10.8.0.0/16", &["blackhole"]);
    lab.await_route("10.9.0.0/16", &["via 172.16.0.1 dev eth1", "onlink"]);
    assert_eq!(lab.route("default").contains("nhid"), nhid);
    assert_eq!(lab.ip("nexthop").is_empty(), !nhid);
}

#[test]
fn routes_go_through_next_hop_objects_and_return_with_the_carrier() {
    let lab = started(&format!("{INTERFACES}{STATICS}"));
    await_statics(&lab, true);
    lab.carrier(0, false);
    lab.await_no_route("default");
    eventually("one leg is left", || !lab.route("10.7.0.0/16").contains("eth0"));
    assert!(lab.route("10.7.0.0/16").contains("via 10.0.1.2 dev eth1"));
    lab.carrier(0, true);
    await_statics(&lab, true);
}

#[test]
fn routes_go_without_next_hop_objects_where_they_are_not_wanted() {
    let lab = started(&format!("[rib]\nnext-hop-objects = false\n{INTERFACES}{STATICS}"));
    await_statics(&lab, false);
    lab.carrier(0, false);
    lab.await_no_route("default");
    lab.carrier(0, true);
    await_statics(&lab, false);
}

#[test]
fn a_route_somebody_deleted_is_back_within_100_milliseconds() {
    let lab = started(&format!("{INTERFACES}{STATICS}"));
    await_statics(&lab, true);
    // The median: a busy machine may keep one look in ten waiting, but not most of them.
    let mut took: Vec<Duration> = (0..9)
        .map(|_| {
            lab.ip("route del default");
            let start = Instant::now();
            lab.await_route("default", &["via 192.168.1.254"]);
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    println!("back after {took:?}, looking included");
    assert!(took[4] < Duration::from_millis(100), "{took:?}");
    lab.ip("nexthop flush");
    await_statics(&lab, true);
}

#[test]
fn a_killed_ribd_changes_nothing_and_neither_does_its_successor_until_ospfd_is_back() {
    let mut lab = started(&format!("{INTERFACES}{OSPF}{STATICS}"));
    let (a, b) = (lab.hop("10.0.1.2", "eth1"), lab.hop("192.168.1.2", "eth0"));
    let mut client = lab.client();
    client.synchronise(vec![route("10.1.0.0/16", &[a, b]), route("10.2.0.0/16", &[a])]);
    await_statics(&lab, true);
    let before = lab.ip("route");
    assert!(before.contains("10.2.0.0/16") && before.contains("proto ospf"), "{before}");
    let monitor = lab.monitor();
    lab.kill();
    lab.start();
    let mut client = lab.client();
    assert_eq!(monitor.finish(), "", "events of a restart");
    assert_eq!(lab.ip("route"), before);
    client.synchronise(vec![route("10.1.0.0/16", &[a, b])]);
    lab.await_no_route("10.2.0.0/16");
    lab.await_route("10.1.0.0/16", &["eth0", "eth1"]);
}

#[test]
fn a_client_that_crashes_leaves_its_routes() {
    let lab = started(&format!("{INTERFACES}{OSPF}"));
    let a = lab.hop("10.0.1.2", "eth1");
    let mut client = lab.client();
    client.synchronise(vec![route("10.1.0.0/16", &[a])]);
    let monitor = lab.monitor();
    drop(client);
    let mut client = lab.client();
    client.synchronise(vec![route("10.1.0.0/16", &[a])]);
    assert_eq!(monitor.finish(), "");
    lab.await_route("10.1.0.0/16", &["proto ospf metric 20"]);
}

/// Hazard H2: Linux keeps the connected route of an interface without carrier, so the LAN would be a
/// black hole although OSPF knows a detour.
#[test]
fn h2_a_lan_behind_a_dead_leg_is_reached_by_the_detour() {
    let lab = started(&format!("{INTERFACES}{OSPF}"));
    let mut client = lab.client();
    client.synchronise(vec![route("192.168.1.0/24", &[lab.hop("10.0.1.2", "eth1")])]);
    eventually("eth0 serves its own subnet", || lab.ip("route get 192.168.1.50").contains("dev eth0"));
    lab.carrier(0, false);
    eventually("the detour serves it", || lab.ip("route get 192.168.1.50").contains("via 10.0.1.2 dev eth1"));
    lab.carrier(0, true);
    eventually("eth0 serves it again", || lab.ip("route get 192.168.1.50").contains("dev eth0"));
}

/// Hazard H3: redirects would rewrite the routes of hosts behind the virtual router.
#[test]
fn h3_redirects_are_off_while_ribd_runs_and_former_values_return() {
    let mut lab = Lab::new();
    let keys = ["conf/all/send_redirects", "conf/eth0/send_redirects", "ip_forward"];
    let former: Vec<String> = keys.iter().map(|k| lab.sysctl(k)).collect();
    assert_eq!(former, ["1", "1", "0"], "the namespace starts as Linux does");
    lab.configure(INTERFACES);
    lab.start();
    assert_eq!(keys.map(|k| lab.sysctl(k)), ["0", "0", "1"]);
    // A killed one leaves its values, and its successor still knows the former ones.
    lab.kill();
    lab.start();
    lab.terminate();
    assert_eq!(keys.map(|k| lab.sysctl(k)).to_vec(), former);
}

#[test]
fn an_interface_that_appears_later_gets_its_addresses_and_so_does_its_successor() {
    let lab = started(&format!("{INTERFACES}[interfaces.eth7]\naddresses = [\"10.0.7.1/24\"]\n"));
    for _ in 0..2 {
        lab.add_link(7);
        eventually("the address is on and the link up", || {
            let shown = lab.ip("-4 addr show eth7");
            shown.contains("10.0.7.1/24") && shown.contains(",UP")
        });
        lab.ip("link del eth7");
    }
    lab.ip("addr del 192.168.1.1/24 dev eth0");
    eventually("the address is back", || lab.ip("-4 addr show eth0").contains("192.168.1.1/24"));
}

#[test]
fn a_terminated_ribd_withdraws_its_routes_and_leaves_the_addresses() {
    let mut lab = started(&format!("{INTERFACES}{STATICS}"));
    await_statics(&lab, true);
    lab.terminate();
    assert!(!lab.ip("route").contains("metric 20"));
    assert_eq!(lab.ip("nexthop"), "");
    assert!(lab.ip("-4 addr").contains("192.168.1.1/24"));
}
