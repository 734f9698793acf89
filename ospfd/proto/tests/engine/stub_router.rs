//! Stub router advertisement (RFC 6987): by configuration, after a start, before the end.

use crate::graceful::{SECOND, triangle};
use crate::harness::{Net, ip};
use crate::leaving::through_third;
use crate::show::shown;
use ospf_proto::api::Request;
use ospf_proto::constants::MAX_LINK_METRIC;
use ospf_proto::instance::Input;
use ospf_proto::lsa::RouterLinkKind;
use rib::message::{ClientMessage, RibMessage};
use routing_common::config::MaxMetric;
use routing_common::time::Duration;
use serde_json::Value;

const MILLI: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(60);
/// MinLSInterval with its burst, and the way.
const TOLD: Duration = Duration::from_secs(6);
const STARTUP: MaxMetric = MaxMetric { administrative: false, on_startup: Some(LONGEST), on_shutdown: None };

fn goes_through_third(net: &Net) -> bool {
    net.route(0, "10.255.0.2/32") == Some((ip("10.0.31.0"), 20))
}

fn goes_directly(net: &Net) -> bool {
    net.route(0, "10.255.0.2/32") == Some((ip("10.0.12.1"), 100))
}

fn set(net: &mut Net, node: usize, max_metric: MaxMetric) {
    net.nodes[node].config.ospf.as_mut().unwrap().max_metric = max_metric;
}

/// Does the router-LSA of router 3, as router 1 holds it, say MaxLinkMetric for every link but those to stub networks?
fn is_stub(net: &Net) -> bool {
    let (_, lsa) = net.router_lsa(0, 3).expect("router 3 is known");
    let costs = |stub: bool| {
        let is = move |kind: &RouterLinkKind| matches!(kind, RouterLinkKind::Stub { .. }) == stub;
        lsa.links.iter().filter(move |l| is(&l.kind)).map(|l| l.metric)
    };
    assert!(costs(true).all(|metric| metric < MAX_LINK_METRIC), "{lsa:?}");
    let stub: Vec<bool> = costs(false).map(|metric| metric == MAX_LINK_METRIC).collect();
    assert!(stub.iter().all(|s| *s == stub[0]), "{lsa:?}");
    stub[0]
}

fn summary(net: &Net, node: usize) -> (Value, String) {
    shown(net, node, &Request::Summary)
}

/// The questions to the RIB that router 3 has asked since the logs were cleared.
fn barriers(net: &Net) -> Vec<u64> {
    let asked = net.nodes[2].rib_log.iter().filter_map(|message| match message {
        ClientMessage::FibBarrier(number) => Some(*number),
        _ => None,
    });
    asked.collect()
}

/// Router 3 is away for a while, and comes back with what is configured.
fn returns(net: &mut Net) {
    net.kill(2);
    net.run(50 * SECOND);
    net.nodes[2].rib_log.clear();
    net.start(2);
    net.wait(2 * SECOND, "Full", |n| n.is_full(2, 0) && n.is_full(2, 1));
    net.run(2 * SECOND);
}

#[test]
fn an_operator_asks_for_it_and_takes_it_back() {
    let mut net = through_third();
    net.reconfigure(2, |c| c.ospf.as_mut().unwrap().max_metric.administrative = true);
    net.run(TOLD);
    assert!(is_stub(&net) && goes_directly(&net));
    assert_eq!(net.route(0, "10.255.0.3/32"), Some((ip("10.0.31.0"), 10)), "it is reached itself");
    assert_eq!(net.route(2, "10.255.0.1/32"), Some((ip("10.0.31.1"), 10)), "it forwards as ever");
    let (reply, text) = summary(&net, 2);
    let area = &reply["areas"]["0.0.0.0"];
    assert_eq!(
        (&area["originStubMaxDistRouterLsa"], &area["indefiniteActiveAdmin"]),
        (&true.into(), &true.into())
    );
    assert_eq!(area.get("activeStartupRemainderMsecs"), None);
    assert!(
        text.contains(
            "   Originating stub / maximum-distance Router-LSA\n     Administratively activated (indefinitely)\n"
        ),
        "{text}"
    );
    net.reconfigure(2, |c| c.ospf.as_mut().unwrap().max_metric.administrative = false);
    net.run(TOLD);
    assert!(!is_stub(&net) && goes_through_third(&net));
    assert_eq!(summary(&net, 2).0["areas"]["0.0.0.0"].get("originStubMaxDistRouterLsa"), None);
}

#[test]
fn after_a_start_it_lasts_until_the_kernel_has_the_routes() {
    let mut net = through_third();
    set(&mut net, 2, STARTUP);
    returns(&mut net);
    assert_eq!(barriers(&net), [1]);
    assert!(is_stub(&net) && goes_directly(&net));
    let (reply, text) = summary(&net, 2);
    let area = &reply["areas"]["0.0.0.0"];
    assert_eq!((&reply["stubAdvertisement"], &reply["postStartEnabledSecs"]), (&true.into(), &60.into()));
    assert_eq!(
        (&area["originStubMaxDistRouterLsa"], area.get("indefiniteActiveAdmin")),
        (&true.into(), None)
    );
    assert!(
        area["activeStartupRemainderMsecs"].as_u64().is_some_and(|ms| (55_000..58_000).contains(&ms)),
        "{area}"
    );
    assert!(text.contains("remaining at most, awaits the kernel to have all routes\n"), "{text}");
    assert!(
        text.contains("Stub router advertisement is configured\n   Enabled for up to 60s after start-up\n"),
        "{text}"
    );
    // The answer to somebody else's question is none.
    net.input(2, Input::Rib(RibMessage::FibDone(7)));
    net.run(TOLD);
    assert!(is_stub(&net));
    net.input(2, Input::Rib(RibMessage::FibDone(1)));
    net.wait(TOLD, "its costs", |n| !is_stub(n));
    net.wait(SECOND, "the way through it", goes_through_third);
    assert!(net.nodes[2].engine.stub_reasons().is_empty());
    assert_eq!(summary(&net, 2).0["areas"]["0.0.0.0"].get("activeStartupRemainderMsecs"), None);
}

#[test]
fn after_a_start_it_does_not_last_longer_than_configured_nor_than_it_is_configured() {
    let mut net = through_third();
    set(&mut net, 2, STARTUP);
    returns(&mut net);
    // The RIB starts anew and is asked anew, but does not answer.
    net.input(2, Input::RibLost);
    assert!(summary(&net, 2).1.contains("awaits the RIB\n"));
    net.input(2, Input::RibConnected);
    net.run(SECOND);
    assert_eq!(barriers(&net), [1, 2]);
    net.run(LONGEST - 10 * SECOND);
    assert!(is_stub(&net));
    net.run(TOLD + 5 * SECOND);
    assert!(!is_stub(&net) && goes_through_third(&net));

    returns(&mut net);
    assert!(is_stub(&net));
    net.reconfigure(2, |c| c.ospf.as_mut().unwrap().max_metric = MaxMetric::default());
    net.wait(TOLD, "its costs", |n| !is_stub(n));
    // It is for starts alone.
    net.reconfigure(2, |c| c.ospf.as_mut().unwrap().max_metric = STARTUP);
    net.run(TOLD);
    assert!(!is_stub(&net));
}

/// A neighbour that does not come is not waited for longer than RouterDeadInterval.
#[test]
fn after_a_start_everybody_is_waited_for_who_may_come() {
    let mut net = through_third();
    set(&mut net, 2, STARTUP);
    net.kill(1);
    net.kill(2);
    net.run(50 * SECOND);
    net.nodes[2].rib_log.clear();
    net.start(2);
    net.wait(2 * SECOND, "Full", |n| n.is_full(2, 0));
    net.run(30 * SECOND);
    assert!(barriers(&net).is_empty());
    assert!(summary(&net, 2).1.contains("awaits neighbors to be Full\n"));
    net.run(15 * SECOND);
    assert_eq!(barriers(&net), [1]);
}

#[test]
fn a_graceful_restart_is_no_start() {
    let mut net = through_third();
    set(&mut net, 2, STARTUP);
    for keeps_routes in [true, false] {
        net.crash(2);
        net.run(SECOND);
        net.restart(2, keeps_routes);
        assert_eq!(net.nodes[2].engine.stub_reasons().is_empty(), keeps_routes);
        net.run(TOLD);
        assert_eq!(is_stub(&net), !keeps_routes);
        net.run(LONGEST + TOLD);
        assert!(goes_through_third(&net));
    }
}

/// All start together: everybody is reached as soon as without it, though every link costs the most there is.
#[test]
fn routers_that_start_together_reach_each_other_at_once() {
    let all_reached = |max_metric: MaxMetric| {
        let mut net = triangle();
        for node in 0..3 {
            net.kill(node);
            set(&mut net, node, max_metric);
        }
        net.run(50 * SECOND);
        net.start_all();
        let reached =
            |n: &Net, from: usize, to: usize| n.route(from, &format!("10.255.0.{}/32", to + 1)).is_some();
        let took = net.wait(10 * SECOND, "routes", |n| {
            (0..3).all(|from| (0..3).all(|to| from == to || reached(n, from, to)))
        });
        (took, net)
    };
    let (with, mut net) = all_reached(STARTUP);
    let (without, _) = all_reached(MaxMetric::default());
    assert!(with <= without + MILLI && with < SECOND / 2, "{with:?} and {without:?}");
    assert!(is_stub(&net));
    for node in 0..3 {
        net.input(node, Input::Rib(RibMessage::FibDone(1)));
    }
    net.run(TOLD);
    assert!(!is_stub(&net));
}

#[test]
fn before_the_end_it_lasts_as_long_as_configured_and_not_when_asked_twice() {
    let eight = MaxMetric { on_shutdown: Some(8 * SECOND), ..MaxMetric::default() };
    let mut net = through_third();
    net.reconfigure(2, |c| c.ospf.as_mut().unwrap().max_metric = eight);
    net.input(2, Input::Shutdown);
    net.run(SECOND);
    let (reply, text) = summary(&net, 2);
    assert_eq!(
        (&reply["deferredShutdownMsecs"], &reply["preShutdownEnabledSecs"]),
        (&7000.into(), &8.into())
    );
    assert!(text.contains(" Deferred shutdown in progress, 7.000s remaining\n"), "{text}");
    net.run(6 * SECOND);
    assert!(is_stub(&net) && goes_directly(&net) && !net.nodes[2].finished);
    net.run(3 * SECOND);
    assert!(net.nodes[2].finished && net.router_lsa(0, 3).is_none());

    let mut net = through_third();
    net.reconfigure(2, |c| c.ospf.as_mut().unwrap().max_metric = eight);
    net.input(2, Input::Shutdown);
    net.run(2 * SECOND);
    net.input(2, Input::Shutdown);
    net.run(2 * SECOND);
    assert!(net.nodes[2].finished);
}
