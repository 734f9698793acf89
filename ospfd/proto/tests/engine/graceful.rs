//! RFC 3623 §2 and §5: restarting.

use crate::harness::{Net, ip, net, ospf_interface};
use ospf_proto::instance::{Clear, Input};
use ospf_proto::lsdb::DatabaseId;
use ospf_proto::neighbor::NeighborState;
use ospf_proto::restart::{GraceLsa, Life, RestartReason};
use rib::message::{ClientMessage, Protocol, Redistributed, RibMessage};
use routing_common::config::{MetricType, NetworkType, RedistributePolicy};
use routing_common::id::IfIndex;
use routing_common::time::Duration;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A triangle of point-to-point links, converged and quiet. Router `n` has the loopback 10.255.0.n+1.
pub(crate) fn triangle() -> Net {
    let mut net = Net::new(7);
    for n in 1..=3 {
        let node = net.router(n);
        net.loopback(node, &format!("10.255.0.{n}/32"));
    }
    net.p2p(0, 1, "10.0.12.0/31", "10.0.12.1/31", (10, 10));
    net.p2p(1, 2, "10.0.23.0/31", "10.0.23.1/31", (10, 10));
    net.p2p(2, 0, "10.0.31.0/31", "10.0.31.1/31", (10, 10));
    net.start_all();
    for node in 0..3 {
        net.rib_speaks(node, false);
    }
    net.wait(5 * SECOND, "Full", |n| n.is_full(0, 1) && n.is_full(1, 2) && n.is_full(2, 0));
    net.run(100 * SECOND);
    net
}

/// Four routers on one LAN; the last two are neither Designated Router nor Backup.
fn lan() -> Net {
    let mut net = Net::new(8);
    let mut ends = Vec::new();
    for n in 1..=4 {
        let node = net.router(n);
        net.loopback(node, &format!("10.255.0.{n}/32"));
        let mut settings = ospf_interface(NetworkType::Broadcast, 10);
        settings.priority = 10 - n;
        ends.push((node, net.interface(node, &format!("10.1.0.{n}/24"), settings)));
    }
    net.segment(&ends);
    net.start_all();
    for node in 0..4 {
        net.rib_speaks(node, false);
    }
    net.wait(60 * SECOND, "Full", |n| (1..4).all(|i| n.is_full(0, i)) && n.is_full(1, 3));
    net.run(100 * SECOND);
    net
}

fn forget_logs(net: &mut Net) {
    for node in &mut net.nodes {
        node.rib_log.clear();
        node.notices.clear();
    }
}

fn route_changes(net: &Net, node: usize) -> usize {
    net.nodes[node].rib_log.iter().filter_map(ClientMessage::changes).map(<[_]>::len).sum()
}

pub(crate) fn said(net: &Net, node: usize, words: &str) -> bool {
    net.nodes[node].notices.iter().any(|n| n.code == "graceful-restart" && n.text.contains(words))
}

/// Is a grace-LSA of `of` that is not flushed in any of `node`'s databases?
pub(crate) fn has_grace_lsa(net: &Net, node: usize, of: usize) -> bool {
    let key = GraceLsa::key(net.nodes[of].engine.router_id());
    let links = net.nodes[node].links.keys();
    links
        .filter_map(|i| net.nodes[node].engine.lsdb(DatabaseId::Link(*i))?.get(&key))
        .any(|e| !e.is_max_age(net.now))
}

fn is_over(net: &Net, node: usize) -> bool {
    net.nodes[node].engine.restarting_until().is_none() && !net.nodes[node].engine.is_restart_candidate()
}

#[test]
fn a_crash_is_seen_by_nobody() {
    let mut net = triangle();
    let before: Vec<_> = (0..3).map(|of| net.router_lsa(1, of + 1).unwrap()).collect();
    let routes = net.nodes[0].routes.clone();
    forget_logs(&mut net);
    net.crash(0);
    net.run(2 * SECOND);
    net.capture.clear();
    net.restart(0, true);
    assert!(net.nodes[0].engine.restarting_until().is_some());
    let took = net.wait(SECOND, "the end of the restart", |n| is_over(n, 0));
    assert!(took < Duration::from_millis(100), "{took:?}");
    assert!(said(&net, 0, "all adjacencies are re-established"), "{:?}", net.nodes[0].notices);
    net.run(10 * SECOND);
    for node in 1..3 {
        assert_eq!(route_changes(&net, node), 0, "router {node} noticed");
        assert!(said(&net, node, "helping it"), "{:?}", net.nodes[node].notices);
        assert!(said(&net, node, "it has restarted"), "{:?}", net.nodes[node].notices);
        assert!(!has_grace_lsa(&net, node, 0), "the grace-LSA must be flushed");
    }
    // What it was and is, and nothing in between: one new instance of its own LSA, none of the others'.
    let after: Vec<_> = (0..3).map(|of| net.router_lsa(1, of + 1).unwrap()).collect();
    assert_eq!(after[0].1, before[0].1);
    assert_eq!(after[0].0, before[0].0 + 1);
    assert_eq!(after[1..], before[1..]);
    assert_eq!(net.nodes[0].routes, routes);
    assert!(net.is_synchronized());
}

#[test]
fn grace_lsas_come_before_the_first_hello_to_all_routers() {
    let mut net = triangle();
    net.crash(0);
    net.run(SECOND);
    net.capture.clear();
    net.restart(0, true);
    net.run(Duration::from_millis(60));
    let sent: Vec<u8> = net.capture.iter().filter(|(from, _)| *from == 0).map(|(_, p)| p[1]).collect();
    // Type 4 is a Link State Update, type 1 a Hello: on two interfaces.
    assert_eq!(sent[..2], [4, 4], "{sent:?}");
    assert!(sent.iter().take_while(|kind| **kind == 4).count() >= 2, "{sent:?}");
}

#[test]
fn the_rib_hears_the_whole_table_once_at_the_end() {
    let mut net = triangle();
    net.crash(0);
    net.run(SECOND);
    forget_logs(&mut net);
    net.restart(0, true);
    let log = |n: &Net| n.nodes[0].rib_log.clone();
    net.run(Duration::from_millis(20));
    assert!(!log(&net).iter().any(|m| matches!(m, ClientMessage::Routes(_) | ClientMessage::EndSync)));
    net.wait(SECOND, "the end", |n| is_over(n, 0));
    let log = log(&net);
    let begin = log.iter().position(|m| *m == ClientMessage::BeginSync).unwrap();
    let end = log.iter().position(|m| *m == ClientMessage::EndSync).expect("in the same turn");
    let told = log[begin..end].iter().filter(|m| matches!(m, ClientMessage::Routes(_))).count();
    assert_eq!((told, route_changes(&net, 0)), (1, net.nodes[0].routes.len()), "{log:?}");
}

#[test]
fn on_a_lan_every_role_is_kept() {
    for restarted in 0..4 {
        let mut net = lan();
        let roles = |n: &Net, node: usize| {
            let interface = n.nodes[node]
                .engine
                .interfaces()
                .find(|i| i.ip() == Some(ip(&format!("10.1.0.{}", node + 1))));
            interface.map(|i| (i.state, i.designated_router, i.backup_designated_router)).unwrap()
        };
        let before: Vec<_> = (0..4).map(|n| roles(&net, n)).collect();
        assert_eq!((before[3].1, before[3].2), (Some(ip("10.1.0.1")), Some(ip("10.1.0.2"))));
        forget_logs(&mut net);
        net.crash(restarted);
        net.run(SECOND);
        net.restart(restarted, true);
        net.wait(15 * SECOND, "the end of the restart", |n| is_over(n, restarted));
        assert!(said(&net, restarted, "all adjacencies"), "{restarted}: {:?}", net.nodes[restarted].notices);
        net.run(100 * SECOND);
        for (node, role) in before.iter().enumerate() {
            assert_eq!(roles(&net, node), *role, "router {node} after the restart of {restarted}");
            let changes = if node == restarted { net.nodes[node].routes.len() } else { 0 };
            assert_eq!(route_changes(&net, node), changes, "router {node} after the restart of {restarted}");
        }
        assert!(net.is_synchronized());
    }
}

#[test]
fn what_makes_a_restart_an_ordinary_one() {
    let ordinary = |what: &str, prepare: &dyn Fn(&mut Net), keeps_routes: bool| {
        let mut net = triangle();
        net.crash(0);
        net.run(SECOND);
        prepare(&mut net);
        forget_logs(&mut net);
        net.restart(0, keeps_routes);
        assert!(is_over(&net, 0), "{what}");
        net.wait(10 * SECOND, what, |n| n.is_full(1, 2) && n.is_synchronized());
        assert!(!has_grace_lsa(&net, 1, 0), "{what}");
        assert!(!said(&net, 1, "helping"), "{what}");
    };
    let nothing = |_: &mut Net| ();
    ordinary("no routes", &nothing, false);
    ordinary(
        "switched off",
        &|n| n.nodes[0].config.ospf.as_mut().unwrap().graceful_restart.enabled = false,
        true,
    );
    ordinary("stopped on purpose", &|n| n.nodes[0].saved.as_mut().unwrap().life = Life::Ended, true);
    ordinary("nothing kept", &|n| n.nodes[0].saved = None, true);
    ordinary(
        "somebody else's",
        &|n| n.nodes[0].saved.as_mut().unwrap().router_id = crate::harness::id(9),
        true,
    );
    ordinary("no adjacencies", &|n| n.nodes[0].saved.as_mut().unwrap().interfaces.clear(), true);
    ordinary(
        "period over",
        &|n| n.nodes[0].saved.as_mut().unwrap().life = Life::Planned { until: 1_600_000_000 },
        true,
    );
    ordinary("interface gone", &|n| n.carrier(0, false), true);
}

#[test]
fn a_rib_that_does_not_answer_is_not_waited_for_long() {
    let mut net = triangle();
    net.crash(0);
    net.run(SECOND);
    let saved = net.nodes[0].saved.clone();
    net.start_with(0, saved);
    assert!(net.nodes[0].engine.is_restart_candidate());
    assert_eq!(net.nodes[0].engine.interfaces().count(), 0);
    net.run(Duration::from_millis(600));
    assert!(is_over(&net, 0));
    net.wait(10 * SECOND, "Full", |n| n.is_full(0, 1) && n.is_full(0, 2));
    let end_sync = |n: &Net| n.nodes[0].rib_log.iter().filter(|m| **m == ClientMessage::EndSync).count();
    net.wait(60 * SECOND, "EndSync", |n| end_sync(n) >= 1);
}

#[test]
fn a_stop_leaves_nothing_to_restart_gracefully() {
    let mut net = triangle();
    net.input(0, Input::Shutdown);
    assert_eq!(net.nodes[0].saved.as_ref().unwrap().life, Life::Ended);
    net.run(2 * SECOND);
    assert!(net.nodes[0].finished);
}

#[test]
fn a_neighbor_that_does_not_help_ends_it() {
    let mut net = triangle();
    net.reconfigure(1, |c| c.ospf.as_mut().unwrap().graceful_restart.helper = false);
    net.crash(0);
    net.run(SECOND);
    forget_logs(&mut net);
    net.restart(0, true);
    net.wait(3 * SECOND, "the end", |n| is_over(n, 0));
    assert!(said(&net, 0, "does not list this router any more"), "{:?}", net.nodes[0].notices);
    assert!(said(&net, 1, "is not helped: the configuration forbids it"));
    assert!(said(&net, 2, "no longer helped"));
    net.wait(20 * SECOND, "all is well", |n| n.is_full(0, 1) && n.is_full(0, 2) && n.is_synchronized());
    net.run(50 * SECOND);
    assert_eq!(net.route(1, "10.255.0.1/32"), Some((ip("10.0.12.0"), 10)));
}

#[test]
fn two_neighbors_restarting_at_once_start_the_ordinary_way() {
    let mut net = triangle();
    net.crash(0);
    net.crash(1);
    net.run(SECOND);
    net.restart(0, true);
    net.restart(1, true);
    net.wait(20 * SECOND, "both ends", |n| is_over(n, 0) && is_over(n, 1));
    net.wait(20 * SECOND, "all is well", |n| n.is_full(0, 1) && n.is_full(0, 2) && n.is_synchronized());
}

#[test]
fn a_neighbor_that_died_meanwhile_is_not_waited_for_longer_than_the_dead_interval() {
    let mut net = triangle();
    for node in 0..3 {
        net.crash(node);
    }
    net.run(SECOND);
    let begin = net.now;
    net.restart(0, true);
    net.wait(130 * SECOND, "the end", |n| is_over(n, 0));
    assert!(said(&net, 0, "a former neighbor is not there any more"), "{:?}", net.nodes[0].notices);
    assert_eq!(net.now.since(begin).as_secs(), 40);
    let position =
        |wanted: fn(&ClientMessage) -> bool| net.nodes[0].rib_log.iter().rposition(wanted).unwrap();
    let end = position(|m| *m == ClientMessage::EndSync);
    assert!(end + 1 == net.nodes[0].rib_log.len(), "at once, and after the routes");
    assert!(position(|m| *m == ClientMessage::BeginSync) < end);
}

#[test]
fn the_grace_period_bounds_it() {
    let mut net = triangle();
    net.crash(0);
    // Router 1 does not take its descriptions any more: that adjacency forms for ever.
    net.nodes[0].links.get_mut(&IfIndex(2)).unwrap().0.mtu = 9000;
    net.run(SECOND);
    let begin = net.now;
    net.restart(0, true);
    net.wait(130 * SECOND, "the end", |n| is_over(n, 0));
    assert!(said(&net, 0, "grace period is over"), "{:?}", net.nodes[0].notices);
    assert_eq!(net.now.since(begin).as_secs(), 120);
}

#[test]
fn a_crash_in_the_midst_does_not_start_the_period_again() {
    let mut net = triangle();
    net.crash(0);
    net.run(SECOND);
    net.segments[0].loss_percent = 100;
    net.restart(0, true);
    net.run(30 * SECOND);
    let until = net.nodes[0].engine.restarting_until().expect("still waiting for router 1");
    assert!(matches!(net.nodes[0].saved.as_ref().unwrap().life, Life::Restarting { .. }));
    net.crash(0);
    net.run(SECOND);
    net.segments[0].loss_percent = 0;
    net.restart(0, true);
    let again = net.nodes[0].engine.restarting_until().unwrap();
    assert!(again <= until && until.since(again) < 2 * SECOND, "{until} {again}");
    net.wait(10 * SECOND, "the end", |n| is_over(n, 0));
    assert!(said(&net, 0, "all adjacencies"), "{:?}", net.nodes[0].notices);
}

#[test]
fn the_rib_or_the_operator_may_end_it() {
    let restarting = || {
        let mut net = triangle();
        net.crash(0);
        net.run(SECOND);
        net.segments[0].loss_percent = 100;
        net.restart(0, true);
        net.run(SECOND);
        assert!(!is_over(&net, 0));
        net
    };
    let mut net = restarting();
    net.input(0, Input::RibLost);
    net.input(0, Input::RibConnected);
    net.rib_speaks(0, false);
    assert!(is_over(&net, 0) && said(&net, 0, "the RIB lost the routes"));
    let mut net = restarting();
    net.input(0, Input::Clear(Clear::Process));
    assert!(is_over(&net, 0) && said(&net, 0, "by the operator"));
    let mut net = restarting();
    net.reconfigure(0, |c| c.ospf.as_mut().unwrap().graceful_restart.enabled = false);
    assert!(is_over(&net, 0));
    let mut net = restarting();
    net.input(0, Input::Shutdown);
    assert_eq!(net.nodes[0].saved.as_ref().unwrap().life, Life::Ended);
    let mut net = restarting();
    net.carrier(2, false);
    assert!(is_over(&net, 0) && said(&net, 0, "is down"), "{:?}", net.nodes[0].notices);
}

/// A router with an external route.
fn with_static(net: &mut Net, node: usize) {
    let policy = RedistributePolicy { metric: 20, metric_type: MetricType::Type2, route_map: None };
    net.nodes[node].config.ospf.as_mut().unwrap().redistribute_static = Some(policy);
}

fn static_route() -> RibMessage {
    RibMessage::Redistribute(vec![Redistributed {
        protocol: Protocol::Static,
        prefix: net("203.0.113.0/24"),
        metric: 0,
        tag: 0,
        next_hop: None,
        interface: None,
    }])
}

#[test]
fn external_routes_wait_for_the_rib() {
    let mut net = triangle();
    with_static(&mut net, 0);
    let config = Box::new(net.nodes[0].config.clone());
    net.input(0, Input::Reconfigure(config));
    net.input(0, Input::Rib(static_route()));
    net.run(100 * SECOND);
    assert!(net.route(1, "203.0.113.0/24").is_some());
    forget_logs(&mut net);
    net.crash(0);
    net.run(SECOND);
    let saved = net.nodes[0].saved.clone();
    net.start_with(0, saved);
    let hello = RibMessage::Hello { version: rib::message::PROTOCOL_VERSION, keeps_routes: true };
    net.input(0, Input::Rib(hello));
    net.run(5 * SECOND);
    assert!(!is_over(&net, 0), "its external LSA would be flushed now");
    net.input(0, Input::Rib(static_route()));
    net.input(0, Input::Rib(RibMessage::SubscriptionSynced));
    assert!(is_over(&net, 0));
    net.run(50 * SECOND);
    assert_eq!((route_changes(&net, 1), route_changes(&net, 2)), (0, 0));
}

#[test]
fn what_is_not_wanted_any_more_is_flushed_at_the_end() {
    let mut net = triangle();
    with_static(&mut net, 0);
    let config = Box::new(net.nodes[0].config.clone());
    net.input(0, Input::Reconfigure(config));
    net.input(0, Input::Rib(static_route()));
    net.run(100 * SECOND);
    net.crash(0);
    net.run(SECOND);
    // The RIB has no static route any more.
    net.restart(0, true);
    net.wait(SECOND, "the end", |n| is_over(n, 0));
    net.run(10 * SECOND);
    assert_eq!(net.route(1, "203.0.113.0/24"), None);
    assert!(net.is_synchronized());
}

#[test]
fn a_planned_restart_is_acknowledged_and_leaves_everything_in_place() {
    let mut net = triangle();
    forget_logs(&mut net);
    net.input(0, Input::PrepareRestart);
    assert!(!net.nodes[0].finished);
    let took = net.wait(2 * SECOND, "the departure", |n| n.nodes[0].finished);
    assert!(took < SECOND, "acknowledged long before the patience ends: {took:?}");
    net.crash(0);
    assert!(matches!(net.nodes[0].saved.as_ref().unwrap().life, Life::Planned { .. }));
    assert_eq!(net.nodes[0].rib_log, [ClientMessage::Goodbye { withdraw: false }]);
    assert!(said(&net, 1, "restarts (software restart)"), "{:?}", net.nodes[1].notices);
    // Longer than RouterDeadInterval.
    net.run(60 * SECOND);
    assert_eq!(net.state(1, 1), Some(NeighborState::Full));
    net.restart(0, true);
    let interface = net.nodes[1].engine.interfaces().find(|i| i.ip() == Some(ip("10.0.12.1"))).unwrap();
    let helping = interface.neighbors.values().next().unwrap().helping.as_ref().unwrap();
    assert_eq!(helping.reason, RestartReason::SoftwareRestart);
    net.wait(SECOND, "the end of the restart", |n| is_over(n, 0));
    assert!(said(&net, 0, "all adjacencies"));
    net.run(50 * SECOND);
    assert_eq!((route_changes(&net, 1), route_changes(&net, 2)), (0, 0));
    assert!(net.is_synchronized());
}

#[test]
fn a_planned_restart_does_not_wait_for_the_deaf_and_is_refused_when_it_cannot_be() {
    let mut net = triangle();
    net.segments[0].loss_percent = 100;
    net.input(0, Input::PrepareRestart);
    net.run(Duration::from_millis(1900));
    assert!(!net.nodes[0].finished);
    assert!(net.nodes[0].engine.may_prepare_restart().unwrap_err().contains("under way"));
    net.run(Duration::from_millis(200));
    assert!(net.nodes[0].finished);

    let mut net = triangle();
    net.reconfigure(0, |c| c.ospf.as_mut().unwrap().graceful_restart.enabled = false);
    net.input(0, Input::PrepareRestart);
    net.run(3 * SECOND);
    assert!(!net.nodes[0].finished && said(&net, 0, "graceful restart is off"));

    let mut net = triangle();
    net.input(1, Input::PrepareRestart);
    net.wait(SECOND, "the grace-LSA", |n| has_grace_lsa(n, 0, 1));
    assert!(net.nodes[0].engine.may_prepare_restart().unwrap_err().contains("needs this router's help"));
}

#[test]
fn the_file_is_written_when_something_changes_and_rarely() {
    let mut net = triangle();
    let saved = net.nodes[0].saved.clone().unwrap();
    assert_eq!(saved.life, Life::Running);
    assert_eq!(saved.interfaces, ["eth2".parse().unwrap(), "eth3".parse().unwrap()]);
    net.nodes[0].saved = None;
    net.run(1000 * SECOND);
    assert_eq!(net.nodes[0].saved, None, "nothing changed");
    net.carrier(0, false);
    net.run(2 * SECOND);
    assert_eq!(net.nodes[0].saved.as_ref().unwrap().interfaces, ["eth3".parse().unwrap()]);
    // The cryptographic sequence number follows the clock, also when it was set ahead and back.
    let ahead = 1_800_000_000;
    net.input(0, Input::WallClock(ahead));
    net.run(20 * SECOND);
    net.input(0, Input::WallClock(1_700_000_000));
    net.run(2 * SECOND);
    let saved = net.nodes[0].saved.clone().unwrap();
    assert!(u64::from(saved.cryptographic_sequence) >= ahead, "{saved:?}");
}

#[test]
fn a_stop_overtakes_a_planned_restart_and_nothing_follows_the_last_word() {
    let mut net = triangle();
    net.segments[0].loss_percent = 100;
    net.input(0, Input::PrepareRestart);
    net.run(SECOND);
    net.input(0, Input::Shutdown);
    net.run(3 * SECOND);
    assert!(net.nodes[0].finished);
    assert_eq!(net.nodes[0].saved.as_ref().unwrap().life, Life::Ended);
    assert_eq!(net.nodes[0].rib_log.last(), Some(&ClientMessage::Goodbye { withdraw: true }));

    let mut net = triangle();
    net.input(0, Input::PrepareRestart);
    net.wait(2 * SECOND, "the departure", |n| n.nodes[0].finished);
    net.capture.clear();
    net.input(0, Input::Clear(Clear::Process));
    net.run(100 * SECOND);
    assert!(!net.capture.iter().any(|(from, _)| *from == 0));
}
