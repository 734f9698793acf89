//! Leaving on purpose: draining (RFC 6987), flushing (RFC 2328 §14.1), the end.

use crate::graceful::triangle;
use crate::harness::{Net, ip};
use crate::scene::chain;
use ospf_proto::constants::MAX_LINK_METRIC;
use ospf_proto::instance::Input;
use ospf_proto::lsa::RouterLinkKind;
use ospf_proto::restart::Life;
use rib::message::ClientMessage;
use routing_common::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// The triangle when router 1 goes to router 2 through router 3.
pub(crate) fn through_third() -> Net {
    let mut net = triangle();
    net.settings(|s| s.cost = Some(10));
    net.reconfigure(0, |c| {
        let to_second = "eth2".parse().unwrap();
        c.ospf.as_mut().unwrap().interfaces.get_mut(&to_second).unwrap().cost = Some(100);
    });
    net.run(10 * SECOND);
    assert_eq!(net.route(0, "10.255.0.2/32"), Some((ip("10.0.31.0"), 20)));
    net
}

fn has_left(net: &Net, node: usize) -> bool {
    net.nodes[node].finished
        && net.nodes[node].rib_log.last() == Some(&ClientMessage::Goodbye { withdraw: true })
}

#[test]
fn a_router_that_stops_before_it_has_converged_says_nothing_after_its_goodbye() {
    let mut net = chain(2);
    net.start_all();
    net.input(0, Input::Shutdown);
    net.wait(10 * SECOND, "the end", |net| net.nodes[0].finished);
    net.run(60 * SECOND);
    assert!(has_left(&net, 0), "{:?}", net.nodes[0].rib_log);
}

#[test]
fn shutting_down_flushes_withdraws_and_ends() {
    let mut net = chain(3);
    net.start_all();
    net.run(20 * SECOND);
    net.input(2, Input::Shutdown);
    net.run(100 * MILLI);
    assert_eq!(net.route(0, "10.255.0.3/32"), None, "neighbours route around before we are gone");
    net.run(SECOND);
    assert!(has_left(&net, 2));
}

/// Router 1 goes to router 2 through router 3, which leaves.
#[test]
fn transit_traffic_goes_elsewhere_before_a_router_is_gone() {
    let mut net = through_third();
    let to_second = |net: &Net| net.route(0, "10.255.0.2/32").unwrap();
    assert_eq!(to_second(&net), (ip("10.0.31.0"), 20), "through the router that will leave");

    net.input(2, Input::Shutdown);
    assert_eq!(net.nodes[2].saved.as_ref().unwrap().life, Life::Ended);
    net.run(150 * MILLI);
    let (_, lsa) = net.router_lsa(0, 3).expect("it is still there");
    for link in &lsa.links {
        let is_stub = matches!(link.kind, RouterLinkKind::Stub { .. });
        assert_eq!(link.metric == MAX_LINK_METRIC, !is_stub, "{link:?}");
    }
    assert_eq!(to_second(&net), (ip("10.0.12.1"), 100));
    assert!(net.route(0, "10.255.0.3/32").is_some(), "what is for the router itself still goes there");
    assert!(net.route(2, "10.255.0.1/32").is_some(), "and what is under way is forwarded");
    // MinLSArrival after MaxLinkMetric the flush may come, and it is acknowledged within half a second.
    net.run(1450 * MILLI);
    assert!(has_left(&net, 2));
    assert_eq!(net.route(0, "10.255.0.3/32"), None);
    assert_eq!(to_second(&net), (ip("10.0.12.1"), 100));
}

#[test]
fn a_drain_waits_for_nobody_longer_than_a_second_and_not_when_asked_twice() {
    let mut net = triangle();
    net.crash(1);
    net.input(2, Input::Shutdown);
    net.run(900 * MILLI);
    assert!(net.router_lsa(0, 3).is_some(), "router 2 has not acknowledged");
    net.run(1200 * MILLI);
    assert!(has_left(&net, 2));

    let mut net = triangle();
    net.input(2, Input::Shutdown);
    net.run(10 * MILLI);
    net.input(2, Input::Shutdown);
    // The flush comes within MinLSArrival and is taken late, for which there is a second.
    net.run(1010 * MILLI);
    assert!(has_left(&net, 2), "who asks twice is in a hurry");
}
