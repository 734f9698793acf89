//! What the kernel is asked for, and what happens when it or somebody else has its own mind.

use crate::world::*;
use rib::Input;
use rib::api;
use rib::message::{ClientMessage, Route, RouteChange};
use rib::route::KERNEL_PROTOCOL_OSPF;
use routing_common::config;
use routing_common::link::LinkEvent;
use routing_common::machine::Machine;
use routing_common::time::Duration;

const PLAIN: &str = "[rib]\nnext-hop-objects = false\n";

fn prefixes(n: u32) -> Vec<String> {
    (0..n).map(|i| format!("10.{}.{}.0/24", 64 + i / 256, i % 256)).collect()
}

fn many(n: u32, hops: &[rib::message::NextHop]) -> Vec<rib::message::Route> {
    prefixes(n).iter().map(|p| route(p, hops)).collect()
}

#[test]
fn routes_of_one_gateway_share_one_object() {
    let mut w = World::new("");
    w.ospf(OSPFD, &many(100, &[hop("10.0.1.2", ETH1)]));
    assert_eq!(w.kernel.object_ids().len(), 2, "the gateway and the group of it alone");
    assert_eq!(w.kernel.writes, 102);
}

#[test]
fn moving_some_routes_leaves_the_others() {
    let mut w = World::new("");
    w.ospf(OSPFD, &many(100, &[hop("10.0.1.2", ETH1)]));
    w.kernel.writes = 0;
    w.offer(OSPFD, &many(40, &[hop("10.0.2.2", ETH2)]));
    assert_eq!(w.kernel.writes, 42);
    assert_eq!(w.via(&prefixes(100)[99]), Some(vec!["10.0.1.2%3".to_owned()]));
}

/// The kernel prunes the group by itself; what is left is what is wanted, so there is nothing to write.
#[test]
fn losing_one_of_two_equal_legs_costs_no_route_write() {
    let mut w = World::new("");
    w.ospf(OSPFD, &many(100, &[hop("10.0.1.2", ETH1), hop("10.0.2.2", ETH2)]));
    w.kernel.writes = 0;
    w.carrier(ETH1, false);
    assert_eq!(w.kernel.writes, 1, "only the lost object is made sure of");
    assert!(prefixes(100).iter().all(|p| w.via(p) == Some(vec!["10.0.2.2%4".to_owned()])));
    w.kernel.writes = 0;
    w.carrier(ETH1, true);
    assert_eq!(w.kernel.writes, 2, "the object and the group");
    assert!(prefixes(100).iter().all(|p| w.via(p).is_some_and(|h| h.len() == 2)));
}

#[test]
fn routes_return_with_the_carrier() {
    for config in ["", PLAIN] {
        let mut w = World::new(config);
        w.ospf(OSPFD, &[route("10.64.0.0/24", &[hop("10.0.1.2", ETH1)])]);
        w.carrier(ETH1, false);
        assert_eq!(w.via("10.64.0.0/24"), None, "{config:?}");
        w.carrier(ETH1, true);
        assert_eq!(w.via("10.64.0.0/24"), Some(vec!["10.0.1.2%3".to_owned()]), "{config:?}");
    }
}

#[test]
fn a_route_somebody_removed_is_back_at_once_and_one_who_insists_is_slowed_down() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[route("10.64.0.0/24", &[hop("10.0.1.2", ETH1)])]);
    w.kernel.routes.clear();
    w.input(Input::RouteDisturbed(net("10.64.0.0/24")));
    assert!(w.via("10.64.0.0/24").is_some());
    assert_eq!(w.rib.fib().statistics().foreign_changes, 1);
    assert!(w.notices.iter().any(|n| n.code == "foreign-route-change"));
    w.kernel.routes.clear();
    w.input(Input::RouteDisturbed(net("10.64.0.0/24")));
    assert_eq!(w.via("10.64.0.0/24"), None);
    w.wait(Duration::from_millis(100));
    assert!(w.via("10.64.0.0/24").is_some());
}

#[test]
fn an_event_about_a_route_that_is_not_ours_changes_nothing() {
    let mut w = World::new("");
    w.kernel.writes = 0;
    w.input(Input::RouteDisturbed(net("10.64.0.0/24")));
    assert_eq!((w.kernel.writes, w.rib.fib().statistics().foreign_changes), (0, 0));
}

#[test]
fn an_object_somebody_removed_takes_its_routes_and_all_come_back() {
    let mut w = World::new("");
    w.ospf(OSPFD, &many(10, &[hop("10.0.1.2", ETH1)]));
    let before = w.kernel.forwarding();
    let id = w.kernel.object_ids()[0];
    w.kernel.foreign_object_removal(id);
    assert!(w.kernel.forwarding().is_empty());
    w.input(Input::NextHopRemoved(id));
    assert_eq!(w.kernel.forwarding(), before);
}

#[test]
fn what_the_kernel_refuses_is_shown_and_tried_again() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[]);
    w.kernel.refuse = 3;
    w.offer(OSPFD, &[route("10.64.0.0/24", &[hop("10.0.1.2", ETH1)])]);
    assert_eq!(w.via("10.64.0.0/24"), None);
    let request = api::Request::Routes { protocol: None, prefix: Some(net("10.64.0.0/24")), longer: false };
    let shown = w.rib.query(w.now, &request).unwrap();
    assert_eq!(shown["10.64.0.0/24"][0]["failed"], true);
    let text = api::render_text(&request, &shown).unwrap();
    assert!(text.contains("O>r 10.64.0.0/24 [110/20] via 10.0.1.2, eth1"), "{text}");
    w.wait(Duration::from_secs(2));
    assert_eq!(w.via("10.64.0.0/24"), Some(vec!["10.0.1.2%3".to_owned()]));
    let shown = w.rib.query(w.now, &request).unwrap();
    assert_eq!(shown["10.64.0.0/24"][0]["installed"], true);
}

#[test]
fn a_kernel_without_objects_gets_plain_routes() {
    let mut w = World::unborn(Kernel::default());
    w.kernel.without_objects = true;
    w.start("", &[]);
    w.ospf(OSPFD, &many(3, &[hop("10.0.1.2", ETH1), hop("10.0.2.2", ETH2)]));
    assert!(w.kernel.object_ids().is_empty());
    assert!(w.via("10.64.2.0/24").is_some_and(|h| h.len() == 2));
    assert!(!w.rib.fib().uses_objects());
}

#[test]
fn a_kernel_that_only_then_turns_out_to_have_no_objects_gets_plain_routes_too() {
    let mut w = World::new("");
    w.kernel.without_objects = true;
    w.ospf(OSPFD, &many(3, &[hop("10.0.1.2", ETH1)]));
    assert_eq!(w.via("10.64.2.0/24"), Some(vec!["10.0.1.2%3".to_owned()]));
}

#[test]
fn the_operator_can_change_between_objects_and_plain_routes() {
    let mut w = World::new("");
    w.ospf(OSPFD, &many(3, &[hop("10.0.1.2", ETH1), hop("10.0.2.2", ETH2)]));
    let before = w.kernel.forwarding();
    w.configure(PLAIN);
    assert!(w.kernel.object_ids().is_empty());
    assert_eq!(w.kernel.forwarding(), before);
    w.configure("");
    assert_eq!(w.kernel.object_ids().len(), 3);
    assert_eq!(w.kernel.forwarding(), before);
}

#[test]
fn a_snapshot_after_lost_events_repairs_what_vanished() {
    let mut w = World::new("");
    w.ospf(OSPFD, &many(5, &[hop("10.0.1.2", ETH1)]));
    let before = w.kernel.forwarding();
    w.kernel.routes.remove(&net("10.64.1.0/24"));
    w.kernel.foreign_object_removal(w.kernel.object_ids()[0]);
    let snapshot = w.kernel.snapshot();
    w.input(Input::KernelSnapshot(snapshot));
    assert_eq!(w.kernel.forwarding(), before);
    assert!(w.notices.iter().any(|n| n.code == "routes-vanished"));
}

#[test]
fn shows_bear_frrs_keys_and_codes() {
    let config = "[[static-routes]]\nprefix = \"0.0.0.0/0\"\nnext-hop = \"192.168.1.254\"\n";
    let mut w = World::new(config);
    w.ospf(OSPFD, &[route("10.64.0.0/24", &[hop("10.0.1.2", ETH1), hop("10.0.2.2", ETH2)])]);
    w.wait(Duration::from_secs(61));
    let all = api::Request::Routes { protocol: None, prefix: None, longer: false };
    let shown = w.rib.query(w.now, &all).unwrap();
    let ospf = &shown["10.64.0.0/24"][0];
    assert_eq!(ospf["protocol"], "ospf");
    assert_eq!(ospf["distance"], 110);
    assert_eq!(ospf["nexthops"][1]["interfaceName"], "eth2");
    assert_eq!(ospf["uptime"], "00:01:01");
    let text = api::render_text(&all, &shown).unwrap();
    for line in [
        "S>* 0.0.0.0/0 [1/0] via 192.168.1.254, eth0, weight 1, 00:01:01",
        "C>* 10.0.1.0/24 is directly connected, eth1, 00:01:01",
        "O>* 10.64.0.0/24 [110/20] via 10.0.1.2, eth1, weight 1, 00:01:01",
        "  *                       via 10.0.2.2, eth2, weight 1, 00:01:01",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\nis not in\n{text}");
    }
    for request in
        [api::Request::RouteSummary, api::Request::Interfaces, api::Request::Clients, api::Request::System]
    {
        let value = w.rib.query(w.now, &request).unwrap();
        assert!(!api::render_text(&request, &value).unwrap().is_empty());
    }
    let summary = w.rib.query(w.now, &api::Request::RouteSummary).unwrap();
    assert_eq!(summary["routesTotalFib"], 5);
    assert_eq!(w.kernel.routes[&net("10.64.0.0/24")].0, KERNEL_PROTOCOL_OSPF);
}

/// ospfd may hear of a lost carrier, and move its routes, before we do: the kernel has flushed the object by
/// then, and with it the routes.
#[test]
fn routes_that_move_before_the_carrier_loss_is_told_are_not_lost() {
    let mut w = World::new("");
    w.ospf(OSPFD, &many(100, &[hop("10.0.1.2", ETH1)]));
    w.kernel.carrier(ETH1, false);
    w.offer(OSPFD, &many(100, &[hop("10.0.2.2", ETH2)]));
    assert!(prefixes(100).iter().all(|p| w.via(p) == Some(vec!["10.0.2.2%4".to_owned()])));
    w.carrier(ETH1, false);
    assert!(prefixes(100).iter().all(|p| w.via(p) == Some(vec!["10.0.2.2%4".to_owned()])));
}

/// One gateway the kernel never takes must not make others wait for its long delays.
#[test]
fn a_route_that_always_fails_does_not_slow_the_first_retry_of_another() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[]);
    w.kernel.never = Some(net("10.64.0.0/24"));
    w.offer(OSPFD, &many(1, &[hop("10.0.1.2", ETH1)]));
    w.wait(Duration::from_secs(300));
    w.kernel.refuse = 2;
    w.offer(OSPFD, &[route("10.65.0.0/24", &[hop("10.0.2.2", ETH2)])]);
    assert_eq!(w.via("10.65.0.0/24"), None);
    w.wait(Duration::from_millis(300));
    assert!(w.via("10.65.0.0/24").is_some());
    w.kernel.writes = 0;
    w.wait(Duration::from_secs(600));
    assert!(w.kernel.writes < 160, "{} writes for one hopeless route in ten minutes", w.kernel.writes);
}

#[test]
fn an_object_somebody_replaced_is_made_what_it_was() {
    let mut w = World::new("");
    w.ospf(OSPFD, &many(10, &[hop("10.0.1.2", ETH1)]));
    let before = w.kernel.forwarding();
    let id = w.kernel.object_ids()[0];
    w.kernel.foreign_object_put(id, "10.0.2.99", ETH2);
    assert_ne!(w.kernel.forwarding(), before);
    w.input(Input::NextHopPut(id));
    assert_eq!(w.kernel.forwarding(), before);
    // Replaced by one with as many members: the kernel refuses to turn it into a group again.
    let both = [hop("10.0.1.2", ETH1), hop("10.0.2.2", ETH2)];
    w.offer(OSPFD, &many(10, &both));
    let before = w.kernel.forwarding();
    let group = w.kernel.group_ids()[0];
    w.kernel.foreign_object_put(group, "10.0.2.99", ETH2);
    w.input(Input::NextHopPut(group));
    w.wait(Duration::from_secs(1));
    assert_eq!(w.kernel.forwarding(), before);
}

/// A stranger takes our object, and the kernel lets us neither have it back nor remove it: the route through it stays,
/// and goes when nobody wants it any more.
#[test]
fn the_route_through_an_object_that_can_not_be_removed_is_removed_itself() {
    let mut w = World::new("[[static-routes]]\nprefix = \"0.0.0.0/0\"\nnext-hop = \"10.0.1.9\"\n");
    w.ospf(OSPFD, &[]);
    let id = w.kernel.group_ids()[0];
    w.kernel.foreign_object_put(id, "10.0.2.99", ETH2);
    w.kernel.refuse = 2;
    w.input(Input::NextHopPut(id));
    assert_eq!(w.kernel.refuse, 0, "the assertion and the removal were to be refused");
    w.input(without_static_routes());
    assert_eq!(w.via("0.0.0.0/0"), None);
    // The object's number is free again once the kernel lets go.
    w.wait(Duration::from_secs(1));
    assert_eq!(w.kernel.object_ids(), [0u32; 0]);
}

#[test]
fn objects_of_other_programs_are_neither_replaced_nor_removed() {
    let base = rib::fib::objects::ID_BASE;
    let mut kernel = Kernel::default();
    (1..4).for_each(|i| kernel.foreign_object_put(base + i, "10.0.2.99", ETH2));
    let mut w = World::unborn(kernel);
    w.kernel.foreign = (1..4).map(|i| base + i).collect();
    w.start("", &[]);
    // One more while we run.
    w.kernel.foreign_object_put(base + 5, "10.0.2.99", ETH2);
    w.input(Input::NextHopPut(base + 5));
    w.ospf(OSPFD, &[]);
    for (i, gateway) in ["10.0.1.2", "10.0.1.3", "10.0.1.4"].into_iter().enumerate() {
        w.offer(OSPFD, &[route(&prefixes(3)[i], &[hop(gateway, ETH1)])]);
    }
    assert_eq!(w.kernel.object_ids(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|i| base + i));
    assert_eq!(w.via(&prefixes(3)[1]), Some(vec!["10.0.1.3%3".to_owned()]));
    w.say(OSPFD, rib::message::ClientMessage::Goodbye { withdraw: true });
    assert_eq!(w.kernel.object_ids(), [1, 2, 3, 5].map(|i| base + i));
}

/// The kernel disables IPv4 on an interface without addresses and drops its plain routes without a word.
#[test]
fn plain_routes_that_went_with_the_last_address_are_put_back() {
    let onlink =
        "[[static-routes]]\nprefix = \"10.9.0.0/16\"\nnext-hop = \"172.16.0.1\"\ninterface = \"eth1\"\n";
    let mut w = World::new(&format!("{PLAIN}{onlink}"));
    let before = w.via("10.9.0.0/16");
    assert!(before.is_some());
    w.kernel.routes.remove(&net("10.9.0.0/16"));
    w.input(Input::Link(LinkEvent::AddressRemoved(address(ETH1, "10.0.1.1/24"))));
    assert_eq!(w.via("10.9.0.0/16"), before);
}

#[test]
fn a_refused_member_of_a_group_is_tried_again_later_and_not_at_once() {
    let mut w = World::new("");
    // The kernel knows before we do: it refuses every object over this link.
    w.kernel.carrier(ETH1, false);
    w.ospf(OSPFD, &[route("10.9.0.0/16", &[hop("10.0.1.2", ETH1), hop("10.0.2.2", ETH2)])]);
    assert!(w.kernel.writes < 20, "{} writes for one route", w.kernel.writes);
    assert_eq!(w.via("10.9.0.0/16"), None);
    w.wait(Duration::from_secs(10));
    assert!(w.kernel.writes < 200, "{} writes within ten seconds", w.kernel.writes);
    w.kernel.carrier(ETH1, true);
    w.wait(Duration::from_secs(31));
    let both = vec!["10.0.1.2%3".to_owned(), "10.0.2.2%4".to_owned()];
    assert_eq!(w.via("10.9.0.0/16"), Some(both));
}

const FLOATING_BLACKHOLE: &str =
    "[[static-routes]]\nprefix = \"172.16.0.0/12\"\nblackhole = true\ndistance = 200\n";

fn replacing(routes: &[Route]) -> Input {
    Input::ClientMessage(
        OSPFD,
        ClientMessage::Routes(routes.iter().cloned().map(RouteChange::Replace).collect()),
    )
}

fn without_static_routes() -> Input {
    Input::Reconfigure(Box::new(config::load("test.toml", "hostname = \"r1\"\n").unwrap().config))
}

/// While nothing is answered a second replacement follows the first. Both are refused: what stays is what was
/// there before either.
#[test]
fn what_two_refused_replacements_left_in_place_is_removed() {
    let mut w = World::new(FLOATING_BLACKHOLE);
    w.ospf(OSPFD, &[]);
    assert_eq!(w.via("172.16.0.0/12"), Some(vec![]));
    // The kernel knows before we do: it refuses every object over these links.
    w.kernel.carrier(ETH1, false);
    w.kernel.carrier(ETH2, false);
    let first = [hop("10.0.1.2", ETH1)];
    w.rib.handle(w.now, replacing(&[route("172.16.0.0/12", &first), route("10.64.0.0/24", &first)]));
    w.rib.handle(w.now, replacing(&[route("172.16.0.0/12", &[hop("10.0.2.2", ETH2)])]));
    w.rib.handle(w.now, without_static_routes());
    w.carrier(ETH2, false);
    w.wait(Duration::from_secs(1));
    assert_eq!(w.via("172.16.0.0/12"), None);
}

/// The removal of a route that was refused finds nothing to remove; what the route was to replace is there.
#[test]
fn what_a_refused_and_withdrawn_replacement_left_in_place_is_removed() {
    let mut w = World::new(FLOATING_BLACKHOLE);
    w.ospf(OSPFD, &[]);
    w.kernel.carrier(ETH1, false);
    w.rib.handle(w.now, replacing(&[route("172.16.0.0/12", &[hop("10.0.1.2", ETH1)])]));
    w.rib.handle(w.now, without_static_routes());
    w.withdraw(OSPFD, "172.16.0.0/12");
    assert_eq!(w.via("172.16.0.0/12"), None);
}
