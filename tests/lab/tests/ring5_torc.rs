//! Our own routers in the reference rings: tables, failures and the hazards that rings of other suites fall for.
//!
//! The daemons are taken from the build directory; `cargo xtask test` builds them first.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ringlab::fabric::Cut;
use ringlab::lab::{Death, Lab, Options};
use ringlab::probe::{Class, Prober, all_flows, reach};
use ringlab::report::Row;
use ringlab::scenario::{Event, events, rehearse};
use ringlab::stack::{Profile, Stack};
use ringlab::topology::GATEWAY;
use ringlab::{netns, table};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A cut that both ends see is repaired by flooding and calculating, never by waiting.
const SEEN_AT_ONCE: Duration = Duration::from_millis(500);
/// BFD and adverts every 10 ms: who falls silent is missed after some 30. The dead interval, 4 s, would be too late; the rest is for
/// a busy machine.
const MISSED: Duration = Duration::from_millis(1000);

fn converged(lab: &Lab) {
    if let Err(fault) = lab.wait_converged(Profile::Ring.patience()) {
        panic!("{fault:#}");
    }
}

fn ring(topology: &str) -> Lab {
    ring_of(Options::new(topology, Stack::Torc).unwrap())
}

fn ring_of(options: Options) -> Lab {
    let lab = Lab::up(options).unwrap();
    converged(&lab);
    lab
}

/// The virtual address on the LAN's own interface.
fn real_mac() -> BTreeMap<String, String> {
    [("vrrp".to_owned(), "virtual-mac = false\n".to_owned())].into()
}

fn assert_all_flows(lab: &Lab) {
    let (tried, dead) = reach(lab).unwrap();
    assert!(tried >= 12 && dead.is_empty(), "{dead:?} of {tried} flows are dead");
}

fn worst(row: &Row) -> Duration {
    row.outages.iter().flatten().map(|outage| outage.longest).max().unwrap_or_default()
}

/// Breaks and mends; both states must be right and cost no more than `broken` and `back`.
fn survive(lab: &mut Lab, event: &Event, broken: Duration, back: Duration) {
    let rows = rehearse(lab, event, Profile::Ring.patience()).unwrap();
    for (row, limit) in rows.iter().zip([broken, back]) {
        assert!(row.is_good(), "{event:?}: {row:?}");
        assert!(worst(row) <= limit, "{event:?}: worse than {limit:?}: {row:?}");
    }
}

#[test]
fn every_size_and_shape_converges_to_its_tables() {
    for topology in ["ring3", "ring4", "ring5-c", "ring5-p", "ring7", "trunk"] {
        let lab = ring(topology);
        assert_all_flows(&lab);
    }
}

#[test]
fn every_cut_link_is_walked_around_at_once() {
    let mut lab = ring("ring5-c");
    let cuts = events(lab.topology(), false).into_iter().filter(|event| matches!(event, Event::LinkCut(_)));
    let cuts: Vec<Event> = cuts.collect();
    assert_eq!(cuts.len(), 5);
    for event in cuts {
        survive(&mut lab, &event, SEEN_AT_ONCE, SEEN_AT_ONCE);
    }
}

#[test]
fn a_silent_link_is_missed_by_bfd() {
    let mut lab = ring("ring5-c");
    survive(&mut lab, &Event::LinkSilent("l34".to_owned()), MISSED, SEEN_AT_ONCE);
}

#[test]
fn a_dead_master_and_a_dead_backup_are_missed_by_bfd_and_vrrp() {
    let mut lab = ring("ring5-c");
    for router in ["vr1", "vr2"] {
        survive(&mut lab, &Event::RouterDies(router.to_owned()), MISSED, SEEN_AT_ONCE);
    }
}

/// Its links are broadcast links, the LAN among them, and carry BFD as cables do.
#[test]
fn whoever_dies_in_a_ring_of_switches_is_missed_by_bfd() {
    let mut lab = ring("ring5-p");
    for router in ["vr1", "vr5"] {
        survive(&mut lab, &Event::RouterDies(router.to_owned()), MISSED, SEEN_AT_ONCE);
    }
}

/// With an advertisement a second, whose silence takes 2.6 to 3.6 s to notice, the ring says sooner what has happened: at once when
/// the MASTER's LAN port lost carrier; and when the MASTER cannot be reached and nobody on the LAN answers for it, long before its
/// next advertisement would be missing.
#[test]
fn the_ring_tells_a_backup_that_it_is_alone_before_the_lan_does() {
    let mut options = Options::new("ring5-c", Stack::Torc).unwrap();
    options.additions = [("vrrp".to_owned(), "advertisement-interval = \"1s\"\n".to_owned())].into();
    let mut lab = ring_of(options);
    let plug = Event::PlugPulled { link: "lan".to_owned(), router: "vr1".to_owned() };
    survive(&mut lab, &plug, SEEN_AT_ONCE, SEEN_AT_ONCE);
    survive(&mut lab, &Event::RouterDies("vr1".to_owned()), MISSED, SEEN_AT_ONCE);
    let shown = lab.torc_show("vr2", &["show", "vrrp", "json"]).unwrap().to_string();
    let takeovers = ["alone", "unanswered"].map(|cause| shown.matches(&format!("\"{cause}\"")).count());
    // Both are looked for at the pulled plug, and which comes first is a matter of milliseconds.
    assert!(takeovers.iter().sum::<usize>() >= 2, "{shown}");
}

/// Without the on-link rule vr1's static default resolves through the LAN prefix it learns over the ring, and loops.
#[test]
fn h1_a_static_default_dies_with_its_lan_leg() {
    let mut lab = ring("ring5-p");
    for router in ["vr1", "vr2"] {
        lab.cut("lan", Some(router), Cut::Carrier).unwrap();
        converged(&lab);
        assert_all_flows(&lab);
        lab.heal().unwrap();
        converged(&lab);
    }
}

/// Linux keeps the connected route of a dead interface: without the setting vr1 goes on sending to a LAN it is not on.
#[test]
fn h2_a_connected_route_without_carrier_is_not_used() {
    let mut lab = ring("ring5-c");
    lab.cut("lan", Some("vr1"), Cut::Carrier).unwrap();
    converged(&lab);
    let arguments = ["-4", "route", "get", "192.168.1.254"];
    let answer = netns::ip_json(&lab.names().node("vr1"), &arguments).unwrap();
    assert_eq!(answer[0]["dev"], "eth3", "the LAN's gateway must be reached by way of vr2: {answer}");
    let ping = ["-q", "-c", "3", "-i", "0.2", "-W", "1", "192.168.1.254"].map(str::to_owned);
    assert!(lab.exec("h1", "ping", &ping).unwrap().success());
}

/// A router that sends traffic back out of the LAN it came from would teach the gateway to bypass the virtual address.
#[test]
fn h3_no_redirects_on_the_virtual_routers_lan() {
    // With the real MAC, so that it is the same interface; packets to the virtual MAC come in through another.
    let mut options = Options::new("ring5-p", Stack::Torc).unwrap();
    options.additions = real_mac();
    let lab = ring_of(options);
    // From the LAN to behind vr2 by way of the virtual address at vr1: in through the LAN and out through it again. Linux redirects
    // only who is on the link itself.
    let ping = ["-q", "-c", "5", "-i", "0.05", "-W", "1", "10.10.2.10"].map(str::to_owned);
    assert!(lab.exec(GATEWAY, "ping", &ping).unwrap().success());
    let counters = netns::within(&lab.names().node("vr1"), || {
        Ok((std::fs::read_to_string("/proc/thread-self/net/snmp")?, table::read(&lab.names().node("vr1"))?))
    });
    let (counters, routes) = counters.unwrap();
    assert_eq!(routes[&"10.10.2.0/24".parse().unwrap()].gateways.first().unwrap().1, "eth0");
    assert_eq!(
        snmp(&counters, "Icmp", "OutRedirects"),
        0,
        "vr1 told its LAN to go around the virtual address"
    );
    for router in ["vr1", "vr2"] {
        let namespace = lab.names().node(router);
        // The kernel sends if either of the two says so.
        for key in ["all", "eth0"] {
            let value =
                netns::read_sysctl(&namespace, &format!("net/ipv4/conf/{key}/send_redirects")).unwrap();
            assert_eq!(value, "0", "{router} {key}");
        }
    }
}

/// A counter of `/proc/net/snmp`: a line of names, a line of numbers, both starting with the protocol.
fn snmp(text: &str, protocol: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(protocol)?.strip_prefix(':'));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let at = names.split_whitespace().position(|word| word == name).unwrap();
    values.split_whitespace().nth(at).unwrap().parse().unwrap()
}

/// A virtual address that becomes an OSPF interface adds about a dead interval to every takeover. Here it lies where it can do
/// most harm: on the LAN's own interface, which runs OSPF, and as a network of its own.
#[test]
fn h9_the_virtual_address_never_enters_ospf() {
    let mut options = Options::new("ring5-p", Stack::Torc).unwrap();
    options.topology.vrrp.as_mut().unwrap().address = "192.168.1.10/32".parse().unwrap();
    options.additions = real_mac();
    let mut lab = ring_of(options);
    let virtual_address = "192.168.1.10/32".parse().unwrap();
    for master in ["vr1", "vr2"] {
        assert_eq!(lab.vip_owners().unwrap(), BTreeSet::from([master.to_owned()]));
        let interfaces = lab.torc_show(master, &["show", "ip", "ospf", "interface", "json"]).unwrap();
        assert!(!interfaces.to_string().contains("192.168.1.10\""), "{interfaces}");
        for (router, table) in lab.tables().unwrap() {
            assert!(!table.contains_key(&virtual_address), "{router} has a route to the virtual address");
        }
        if master == "vr1" {
            survive(
                &mut lab,
                &Event::PlugPulled { link: "lan".to_owned(), router: master.to_owned() },
                MISSED,
                MISSED,
            );
            lab.kill(master, &Death::Silent).unwrap();
            converged(&lab);
        }
    }
}

/// A returning router draws transit traffic as soon as its neighbours are Full; it must not before it can forward it. With
/// the RFC's MinLSInterval and MinLSArrival, the widest window an old LSA can have.
#[test]
fn h11_a_returning_leaf_drops_nothing() {
    let mut options = Options::new("ring5-c", Stack::Torc).unwrap();
    options.additions =
        [("ospf".to_owned(), "min-ls-interval = \"5s\"\nmin-ls-arrival = \"1s\"\n".to_owned())].into();
    let mut lab = ring_of(options);
    survive(&mut lab, &Event::RouterDies("vr5".to_owned()), MISSED, SEEN_AT_ONCE);
}

/// The longest outage of any flow while something happens to a daemon of a router and its successor takes over.
fn lost_over(lab: &mut Lab, router: &str, daemon: &str, happens: impl FnOnce(&mut Lab)) -> (usize, Duration) {
    let namespace = lab.names().node(router);
    let find = || netns::pids(&namespace).unwrap().into_iter().find(|&pid| netns::name_of(pid) == daemon);
    let before = find().unwrap();
    let prober = Prober::start(lab, all_flows(lab), Duration::from_millis(1)).unwrap();
    let start = Instant::now();
    happens(lab);
    while find().is_none_or(|pid| pid == before) {
        assert!(start.elapsed() < Duration::from_secs(10), "{daemon} is not started again");
        std::thread::sleep(Duration::from_millis(10));
    }
    converged(lab);
    std::thread::sleep(Duration::from_secs(6));
    converged(lab);
    let end = Instant::now();
    let recording = prober.stop().unwrap();
    let worst = [Class::Intra, Class::Outbound, Class::Inbound].map(|class| {
        let (flow, outage) = recording.worst(class, start, end, |_| true).unwrap();
        if outage.lost > 0 {
            eprintln!("{router}, {daemon}: {flow:?} lost {outage:?}");
        }
        (outage.lost, outage.longest)
    });
    worst.into_iter().max().unwrap()
}

fn how_it_ended(lab: &Lab, router: &str) -> serde_json::Value {
    let reply = lab.torc_show(router, &["show", "ip", "ospf", "graceful-restart", "json"]).unwrap();
    reply["lastRestartEnd"].clone()
}

/// The kernel forwards, the RIB keeps the routes, and the neighbours keep the router in theirs (RFC 3623).
#[test]
fn a_killed_ospfd_costs_no_packet() {
    let mut lab = ring("ring5-c");
    // An exit with the virtual address, and a leaf.
    for router in ["vr1", "vr4"] {
        let kill = |lab: &mut Lab| lab.kill(router, &Death::Daemon("ospfd".to_owned())).unwrap();
        let (lost, longest) = lost_over(&mut lab, router, "ospfd", kill);
        assert_eq!(how_it_ended(&lab, router), "all adjacencies are re-established");
        assert_eq!(lost, 0, "{router}: {longest:?}");
    }
}

#[test]
fn a_planned_restart_costs_no_packet() {
    let mut lab = ring("ring5-c");
    for router in ["vr2", "vr5"] {
        let prepare = |lab: &mut Lab| {
            let reply = lab.torc_show(router, &["graceful-restart", "prepare", "ip", "ospf"]);
            drop(reply);
        };
        let (lost, longest) = lost_over(&mut lab, router, "ospfd", prepare);
        assert_eq!(how_it_ended(&lab, router), "all adjacencies are re-established");
        assert_eq!(lost, 0, "{router}: {longest:?}");
    }
}

/// The kernel forwards; adverts of the successor come before anybody misses its predecessor's, or the addresses' lifetime ends;
/// Hellos stand in for BFD.
#[test]
fn any_other_daemon_that_is_killed_costs_no_packet() {
    let mut lab = ring("ring5-c");
    for (router, daemon) in [("vr1", "vrrpd"), ("vr4", "bfdd"), ("vr4", "ribd")] {
        let kill = |lab: &mut Lab| lab.kill(router, &Death::Daemon(daemon.to_owned())).unwrap();
        let (lost, longest) = lost_over(&mut lab, router, daemon, kill);
        assert_eq!(lost, 0, "{router}, {daemon}: {longest:?}");
    }
}

/// vr5 is on the way of vr4 to the Internet and of vr1 to vr4.
#[test]
fn a_leaf_that_is_stopped_lets_transit_traffic_go_elsewhere_first() {
    let mut lab = ring("ring5-c");
    let transit = all_flows(&lab).into_iter().filter(|flow| flow.from != "h5" && flow.to != "h5").collect();
    let prober = Prober::start(&lab, transit, Duration::from_millis(1)).unwrap();
    let start = Instant::now();
    lab.kill("vr5", &Death::Term).unwrap();
    converged(&lab);
    std::thread::sleep(Duration::from_secs(2));
    let end = Instant::now();
    let recording = prober.stop().unwrap();
    for class in [Class::Intra, Class::Outbound, Class::Inbound] {
        let (flow, outage) = recording.worst(class, start, end, |_| true).unwrap();
        assert_eq!(outage.lost, 0, "{flow:?}: {outage:?}");
    }
}

#[test]
fn a_ring_of_three_suites_agrees_on_every_table() {
    let mut options = Options::new("ring5-c", Stack::Torc).unwrap();
    options.exceptions = [("vr3".to_owned(), Stack::Frr), ("vr4".to_owned(), Stack::Bird)].into();
    let mut lab = Lab::up(options).unwrap();
    converged(&lab);
    assert_all_flows(&lab);
    lab.cut("l51", None, Cut::Carrier).unwrap();
    converged(&lab);
    assert_all_flows(&lab);
}

#[test]
fn a_virtual_router_shared_with_another_suite_moves_between_them() {
    for other in [Stack::Frr, Stack::Bird] {
        let mut options = Options::new("ring5-c", Stack::Torc).unwrap();
        // Without real-time scheduling the other would take a busy machine for a dead master.
        options.profile = Profile::Unhurried;
        options.exceptions = [("vr2".to_owned(), other)].into();
        let mut lab = Lab::up(options).unwrap();
        converged(&lab);
        lab.kill("vr1", &Death::Silent).unwrap();
        converged(&lab);
        assert_all_flows(&lab);
        lab.heal().unwrap();
        converged(&lab);
        assert_all_flows(&lab);
    }
}
