//! Many routes moved with few writes.

use crate::world::*;
use proptest::prelude::*;
use rib::fib::objects::MAX_TWINS;
use rib::message::{ClientMessage, NextHop, Route, RouteChange};
use rib::{Input, Output};
use routing_common::machine::Machine;
use routing_common::time::Duration;
use std::collections::BTreeSet;
use std::ops::Range;

const MANY: u32 = 10_000;

fn prefix(i: u32) -> String {
    format!("10.{}.{}.0/24", 64 + i / 256, i % 256)
}

fn routes(range: Range<u32>, hops: &[NextHop]) -> Vec<Route> {
    range.map(|i| route(&prefix(i), hops)).collect()
}

fn a() -> NextHop {
    hop("10.0.1.2", ETH1)
}

fn b() -> NextHop {
    hop("10.0.2.2", ETH2)
}

fn c() -> NextHop {
    hop("10.0.1.3", ETH1)
}

/// Says what, and gives the writes it took.
fn writes(w: &mut World, offers: &[Route]) -> usize {
    w.kernel.writes = 0;
    w.offer_in_parts(OSPFD, offers);
    assert!(!w.rib.fib().has_failed());
    w.kernel.writes
}

fn lead(w: &World, range: Range<u32>, hops: &[&str]) -> bool {
    let forwarding = w.kernel.forwarding();
    range.map(prefix).all(|p| {
        let gateways = forwarding[&net(&p)].1.iter().filter_map(|h| h.gateway);
        gateways.map(|g| g.to_string()).eq(hops.iter().map(|h| (*h).to_owned()))
    })
}

#[test]
fn ten_thousand_routes_of_a_dead_neighbour_move_with_a_handful_of_writes() {
    let mut w = World::new("");
    w.ospf(OSPFD, &routes(0..MANY, &[a()]));
    // The gateway, the group, and the former gateway goes.
    assert_eq!(writes(&mut w, &routes(0..MANY, &[b()])), 3);
    assert!(lead(&w, 0..MANY, &["10.0.2.2"]));
    assert_eq!(w.rib.fib().statistics().retargets, 1);
}

#[test]
fn to_next_hops_that_others_use_already_and_back_they_move_with_one_write() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[routes(0..MANY / 2, &[a()]), routes(MANY / 2..MANY, &[b()])].concat());
    assert_eq!(writes(&mut w, &routes(0..MANY / 2, &[b()])), 2);
    assert!(lead(&w, 0..MANY, &["10.0.2.2"]));
    assert_eq!(writes(&mut w, &routes(0..MANY / 2, &[a()])), 2);
    assert!(lead(&w, 0..MANY / 2, &["10.0.1.2"]));
    assert!(lead(&w, MANY / 2..MANY, &["10.0.2.2"]));
}

/// A metric was raised: the neighbour's own networks stay with it, everything else finds another way.
#[test]
fn the_few_routes_that_stay_are_what_is_written() {
    let mut w = World::new("");
    w.ospf(OSPFD, &routes(0..MANY, &[a()]));
    let far = routes(3..MANY, &[b()]);
    assert_eq!(
        writes(&mut w, &far),
        1 + 3 + 2,
        "a group for what stays, those, and the move with its member"
    );
    assert!(lead(&w, 0..3, &["10.0.1.2"]));
    assert!(lead(&w, 3..MANY, &["10.0.2.2"]));
    for _ in 0..3 {
        assert_eq!(writes(&mut w, &routes(3..MANY, &[a()])), 2, "and the other gateway goes");
        assert!(lead(&w, 0..MANY, &["10.0.1.2"]));
        assert_eq!(writes(&mut w, &far), 2);
        assert!(lead(&w, 0..3, &["10.0.1.2"]));
    }
    assert_eq!(w.kernel.object_ids().len(), 4);
}

/// One neighbour's routes, and those it shares with another: both sets of next hops become what is left.
#[test]
fn routes_with_several_next_hops_move_like_those_with_one() {
    let mut w = World::new("");
    let before = [routes(0..5000, &[a()]), routes(5000..MANY, &[a(), b()])].concat();
    w.ospf(OSPFD, &before);
    assert_eq!(writes(&mut w, &routes(0..MANY, &[b()])), 3);
    assert!(lead(&w, 0..MANY, &["10.0.2.2"]));
    assert_eq!(writes(&mut w, &before), 3);
    assert!(lead(&w, 0..5000, &["10.0.1.2"]) && lead(&w, 5000..MANY, &["10.0.1.2", "10.0.2.2"]));
}

#[test]
fn of_a_split_the_larger_part_moves_with_its_object() {
    let mut w = World::new("");
    w.ospf(OSPFD, &routes(0..MANY, &[a()]));
    let split = [routes(0..1000, &[c()]), routes(1000..9900, &[b()])].concat();
    // What leaves and what stays is rewritten: a third each would be more than half of all.
    let took = writes(&mut w, &split);
    assert!((1100..1110).contains(&took), "{took}");
    assert!(lead(&w, 0..1000, &["10.0.1.3"]) && lead(&w, 1000..9900, &["10.0.2.2"]));
    assert!(lead(&w, 9900..MANY, &["10.0.1.2"]));
}

#[test]
fn two_neighbours_that_change_places_do_so() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[routes(0..100, &[a()]), routes(100..200, &[b()])].concat());
    let swapped = [routes(0..100, &[b()]), routes(101..200, &[a()])].concat();
    assert!(writes(&mut w, &swapped) < 10);
    assert!(lead(&w, 0..101, &["10.0.2.2"]) && lead(&w, 101..200, &["10.0.1.2"]));
}

#[test]
fn few_routes_are_rewritten_so_that_objects_stay_one_each() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[routes(0..63, &[a()]), routes(63..MANY, &[b()])].concat());
    assert_eq!(writes(&mut w, &routes(0..63, &[b()])), 63 + 2);
    assert_eq!(w.kernel.object_ids().len(), 2);
}

/// To find the few that stay all routes would be looked at; with a large table that costs more than it saves.
#[test]
fn a_small_move_in_a_large_table_rewrites_what_moves() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[routes(0..100, &[a()]), routes(100..MANY, &[c()])].concat());
    assert_eq!(writes(&mut w, &routes(1..100, &[b()])), 99 + 2);
}

#[test]
fn objects_for_the_same_next_hops_are_bounded() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[]);
    for n in 0..30 {
        let through = hop(&format!("10.0.1.{}", 10 + n), ETH1);
        w.offer(OSPFD, &routes(100 * n..100 * (n + 1), &[through]));
    }
    w.offer_in_parts(OSPFD, &routes(0..3000, &[b()]));
    assert!(lead(&w, 0..3000, &["10.0.2.2"]));
    assert_eq!(w.kernel.group_ids().len(), MAX_TWINS);
}

#[test]
fn a_successor_finds_objects_for_the_same_next_hops_and_writes_nothing() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[routes(0..100, &[a()]), routes(100..200, &[b()])].concat());
    w.offer(OSPFD, &routes(0..100, &[b()]));
    assert_eq!(w.kernel.group_ids().len(), 2);
    let mut w = World::unborn(w.kernel);
    w.kernel.writes = 0;
    w.start("[ospf]\nrouter-id = \"10.255.0.1\"\n", &[]);
    w.ospf(OSPFD, &routes(0..200, &[b()]));
    assert_eq!(w.kernel.writes, 0);
    assert_eq!(writes(&mut w, &routes(0..100, &[a()])), 2);
    assert!(lead(&w, 0..100, &["10.0.1.2"]) && lead(&w, 100..200, &["10.0.2.2"]));
}

/// Routes found at start and nobody's yet stay where they are, whatever becomes of their object.
#[test]
fn routes_that_are_held_stay_when_their_object_is_moved() {
    let mut w = World::new("");
    w.ospf(OSPFD, &routes(0..1000, &[a()]));
    let mut w = World::unborn(w.kernel);
    w.start("[ospf]\nrouter-id = \"10.255.0.1\"\n", &[]);
    w.connect(OSPFD, Some(rib::message::Protocol::Ospf));
    w.say(OSPFD, ClientMessage::BeginSync);
    w.offer(OSPFD, &routes(10..1000, &[b()]));
    assert!(lead(&w, 0..10, &["10.0.1.2"]) && lead(&w, 10..1000, &["10.0.2.2"]));
    w.say(OSPFD, ClientMessage::EndSync);
    assert_eq!(w.via(&prefix(0)), None);
}

/// What a former version left: routes through single objects. They stay until they move.
#[test]
fn routes_through_a_single_object_stay_and_move_one_by_one() {
    let base = rib::fib::objects::ID_BASE;
    let mut w = World::unborn(Kernel::default());
    w.kernel.foreign_object_put(base + 1, "10.0.1.2", ETH1);
    for i in 0..100 {
        w.kernel.routes.insert(net(&prefix(i)), (188, rib::fib::Via::Object(base + 1)));
    }
    w.start("[ospf]\nrouter-id = \"10.255.0.1\"\n", &[]);
    w.kernel.writes = 0;
    w.ospf(OSPFD, &routes(0..100, &[a()]));
    assert_eq!(w.kernel.writes, 0);
    assert_eq!(writes(&mut w, &routes(0..100, &[b()])), 100 + 3);
    assert!(lead(&w, 0..100, &["10.0.2.2"]));
}

fn part(range: Range<u32>, hops: &[NextHop]) -> ClientMessage {
    ClientMessage::Part(routes(range, hops).into_iter().map(RouteChange::Replace).collect())
}

#[test]
fn while_a_change_is_told_new_routes_go_in_and_moves_wait() {
    let mut w = World::new("");
    w.ospf(OSPFD, &routes(0..100, &[a()]));
    w.say(OSPFD, part(50..110, &[b()]));
    assert!(lead(&w, 0..100, &["10.0.1.2"]) && lead(&w, 100..110, &["10.0.2.2"]));
    w.say(OSPFD, ClientMessage::FibBarrier(7));
    assert!(lead(&w, 50..110, &["10.0.2.2"]), "any other message ends it");
}

#[test]
fn a_change_that_is_never_told_to_its_end_is_carried_out_all_the_same() {
    for gone in [false, true] {
        let mut w = World::new("");
        w.ospf(OSPFD, &routes(0..100, &[a()]));
        w.say(OSPFD, part(50..100, &[b()]));
        if gone {
            w.input(Input::ClientGone(OSPFD));
        } else {
            w.wait(Duration::from_millis(1001));
        }
        assert!(lead(&w, 50..100, &["10.0.2.2"]), "{gone}");
    }
}

/// A link that fails meanwhile does not wait.
#[test]
fn what_is_lost_while_a_change_is_told_moves_at_once() {
    let mut w = World::new("");
    w.ospf(OSPFD, &routes(0..100, &[a()]));
    w.say(OSPFD, part(50..100, &[b()]));
    w.carrier(ETH1, false);
    assert!(lead(&w, 50..100, &["10.0.2.2"]));
    assert_eq!(w.via(&prefix(0)), None);
}

/// Blocks of routes, so that there are large and small parts.
const BLOCKS: [Range<u32>; 5] = [0..70, 70..170, 170..190, 190..193, 193..300];

fn hops(bits: u8) -> Vec<NextHop> {
    [a(), b(), c()].into_iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0).map(|(_, h)| h).collect()
}

/// Where each block goes.
fn change() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((0..BLOCKS.len(), 1u8..8), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    /// Write by write: wherever a packet is sent, the former or the new route of its destination leads there.
    #[test]
    fn at_no_moment_a_route_leads_where_neither_its_former_nor_its_new_one_does(
        changes in prop::collection::vec(change(), 1..8),
    ) {
        let mut w = World::new("");
        w.ospf(OSPFD, &routes(0..300, &[a()]));
        let mut stands = [1u8; BLOCKS.len()];
        for change in changes {
            let former = w.kernel.forwarding();
            change.iter().for_each(|(block, bits)| stands[*block] = *bits);
            let offers: Vec<RouteChange> = BLOCKS
                .iter()
                .zip(stands)
                .flat_map(|(block, bits)| routes(block.clone(), &hops(bits)))
                .map(RouteChange::Replace)
                .collect();
            w.rib.handle(w.now, Input::ClientMessage(OSPFD, ClientMessage::Routes(offers)));
            let mut seen = Vec::new();
            let mut up_to = 0;
            while let Some(output) = w.rib.poll_output() {
                let Output::Fib(request) = output else { continue };
                prop_assert!(w.kernel.apply(&request.op).is_ok(), "{request:?}");
                up_to = request.token;
                seen.push(w.kernel.forwarding());
            }
            if let Some(last) = seen.last().cloned() {
                for moment in &seen {
                    prop_assert!(moment.keys().eq(last.keys()));
                    let lost = moment.iter().find(|(p, via)| **via != former[*p] && **via != last[*p]);
                    prop_assert_eq!(lost, None);
                }
                w.input(Input::FibResults(rib::fib::FibResults { up_to, failures: Vec::new() }));
            }
            for (block, bits) in BLOCKS.iter().zip(stands) {
                let wanted: BTreeSet<String> =
                    hops(bits).iter().filter_map(|h| h.gateway).map(|g| g.to_string()).collect();
                prop_assert!(lead(&w, block.clone(), &wanted.iter().map(String::as_str).collect::<Vec<_>>()));
            }
        }
    }
}

fn alternates(w: &mut World, ranges: &[(Range<u32>, Option<NextHop>)]) {
    let changes: Vec<_> =
        ranges.iter().flat_map(|(r, hop)| r.clone().map(|i| (net(&prefix(i)), *hop))).collect();
    ClientMessage::alternates(&changes, 100).for_each(|message| w.say(OSPFD, message));
}

/// The neighbour A of many routes, most of which have an alternate: some B, more C.
fn protected() -> World {
    let mut w = World::new("[[static-routes]]\nprefix = \"10.1.0.0/16\"\nnext-hop = \"10.0.1.2\"\n");
    w.ospf(OSPFD, &[routes(0..9000, &[a()]), routes(9000..MANY, &[a(), b()])].concat());
    alternates(&mut w, &[(0..3000, Some(b())), (3000..8990, Some(c()))]);
    assert!(lead(&w, 0..9000, &["10.0.1.2"]));
    w.kernel.writes = 0;
    w.say(OSPFD, ClientMessage::Lost(vec![a()]));
    w
}

#[test]
fn alternates_are_in_use_after_a_handful_of_writes_and_what_confirms_them_writes_nothing() {
    let mut w = protected();
    assert_eq!(w.kernel.writes, 4, "a group for each of B, C and what has another next hop, and C");
    assert!(lead(&w, 0..3000, &["10.0.2.2"]) && lead(&w, 3000..8990, &["10.0.1.3"]));
    assert!(lead(&w, 8990..9000, &["10.0.1.2"]), "without an alternate");
    assert!(lead(&w, 9000..MANY, &["10.0.2.2"]), "what has another keeps it");
    assert_eq!(
        w.via("10.1.0.0/16"),
        Some(vec!["10.0.1.2%3".to_owned()]),
        "nobody gave this one an alternate"
    );
    let told = [routes(0..3000, &[b()]), routes(3000..8990, &[c()]), routes(9000..MANY, &[b()])].concat();
    assert_eq!(writes(&mut w, &told), 0);
    // The calculation has another opinion of some.
    assert!(writes(&mut w, &routes(3000..9000, &[b()])) < 20);
    assert!(lead(&w, 0..MANY, &["10.0.2.2"]));
}

#[test]
fn what_the_change_does_not_confirm_is_undone() {
    let mut w = protected();
    w.say(OSPFD, ClientMessage::FibBarrier(1));
    assert!(lead(&w, 0..9000, &["10.0.1.2"]) && lead(&w, 9000..MANY, &["10.0.1.2", "10.0.2.2"]));
}

/// The next session knows other alternates or none.
#[test]
fn alternates_end_with_their_session_and_nothing_is_written_for_it() {
    let mut w = World::new("");
    w.ospf(OSPFD, &routes(0..1000, &[a()]));
    alternates(&mut w, &[(0..990, Some(b()))]);
    w.kernel.writes = 0;
    w.input(Input::ClientGone(OSPFD));
    assert_eq!(w.kernel.writes, 0);
    w.ospf(OSPFD, &routes(0..1000, &[a()]));
    w.say(OSPFD, ClientMessage::Lost(vec![a()]));
    assert!(lead(&w, 0..1000, &["10.0.1.2"]));
    assert_eq!(w.kernel.writes, 0);
}
