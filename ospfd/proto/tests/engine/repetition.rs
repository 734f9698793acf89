//! What a change costs that is lost on its way, or that others follow at once.

use crate::harness::{Net, id};
use crate::scene::chain;
use ospf_proto::lsa::RouterLinkKind;
use routing_common::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// The timers of `defaults = "ring"`.
fn ring_timers(net: &mut Net) {
    for node in &mut net.nodes {
        let ospf = node.config.ospf.as_mut().unwrap();
        (ospf.min_ls_interval, ospf.min_ls_arrival) = (100 * MILLI, 50 * MILLI);
        for interface in ospf.interfaces.values_mut() {
            (interface.hello_interval, interface.dead_interval) = (SECOND, 4 * SECOND);
            interface.retransmit_interval = 200 * MILLI;
        }
    }
}

/// Router 1 gives its link with router 2 another cost.
fn change(net: &mut Net, cost: u16) {
    net.reconfigure(0, |c| {
        let link = "eth2".parse().unwrap();
        c.ospf.as_mut().unwrap().interfaces.get_mut(&link).unwrap().cost = Some(cost);
    });
}

/// Does everybody else hold router 1's LSA with this cost?
fn is_known(net: &Net, cost: u16) -> bool {
    (1..net.nodes.len()).all(|node| {
        net.router_lsa(node, 1).is_some_and(|(_, lsa)| {
            let to_second =
                |k: &RouterLinkKind| matches!(k, RouterLinkKind::PointToPoint { neighbor, .. } if *neighbor == id(2));
            lsa.links.iter().any(|l| to_second(&l.kind) && l.metric == cost)
        })
    })
}

fn repeated(net: &Net) -> u64 {
    let interfaces = net.nodes.iter().flat_map(|n| n.engine.interfaces());
    interfaces.map(|i| i.statistics.retransmitted_lsas).sum()
}

/// Two routers that have told each other of `changes` changes, none of them lost.
fn acquainted(changes: u16, ring: bool) -> Net {
    let mut net = chain(2);
    if ring {
        ring_timers(&mut net);
    }
    net.start_all();
    net.wait(2 * SECOND, "Full", |n| n.is_full(0, 1));
    net.run(20 * SECOND);
    for n in 0..changes {
        change(&mut net, 100 + n);
        net.run(10 * SECOND);
        assert!(is_known(&net, 100 + n));
    }
    net
}

/// How long the next change takes when the first packet that tells of it is lost.
fn cost_of_a_loss(net: &mut Net) -> Duration {
    net.segments[0].loss_percent = 100;
    change(net, 7);
    net.run(MILLI);
    net.segments[0].loss_percent = 0;
    net.wait(10 * SECOND, "the change", |n| is_known(n, 7)) + MILLI
}

#[test]
fn a_lost_change_costs_what_the_neighbor_takes_to_acknowledge_and_not_rxmt_interval() {
    for (ring, longest, interval) in [(false, 600 * MILLI, 5 * SECOND), (true, 110 * MILLI, 200 * MILLI)] {
        let mut strangers = acquainted(0, ring);
        let unknown = cost_of_a_loss(&mut strangers);
        let mut net = acquainted(12, ring);
        assert_eq!(repeated(&net), 0, "nothing was lost");
        let known = cost_of_a_loss(&mut net);
        println!("ring {ring}: {unknown:?} with a stranger, {known:?} with who is known");
        assert!((interval..interval + 10 * MILLI).contains(&unknown), "{unknown:?}");
        assert!(known <= longest, "{known:?}");
        net.run(10 * SECOND);
        assert_eq!(repeated(&net), 1);
    }
}

/// Questions are answered at once: whoever waits for a second waits for a lost packet. `kind` is that of the packets of which
/// the first is lost; says how long the adjacency takes.
fn cost_of_a_lost_question(kind: u8, routers: u8) -> Duration {
    let mut net = chain(routers);
    net.start_all();
    net.wait(2 * SECOND, "Full", |n| n.is_full(0, 1));
    net.run(20 * SECOND);
    net.kill(1);
    net.run(50 * SECOND);
    net.nodes[0].sent.clear();
    net.nodes[1].sent.clear();
    let began = net.now;
    net.start(1);
    let sent =
        |n: &Net| n.nodes.iter().flat_map(|node| &node.sent).any(|((_, k), count)| *k == kind && *count > 0);
    net.wait(SECOND, "the question", sent);
    net.lose_what_is_under_way();
    net.wait(20 * SECOND, "Full", |n| n.is_full(0, 1));
    net.now.since(began)
}

#[test]
fn a_lost_question_costs_a_second_and_not_rxmt_interval() {
    // Only of a third router there is anything to be asked for.
    for (kind, routers) in [(2, 2), (3, 3)] {
        let took = cost_of_a_lost_question(kind, routers);
        println!("without the first packet of type {kind}: Full after {took:?}");
        assert!((SECOND..1100 * MILLI).contains(&took), "{took:?}");
    }
}

/// Who says nothing at all is told again ever more seldom.
#[test]
fn repetitions_double_their_distance_up_to_rxmt_interval() {
    let mut net = acquainted(12, false);
    net.segments[0].loss_percent = 100;
    change(&mut net, 7);
    let mut at: Vec<Instant> = Vec::new();
    for _ in 0..35_000 {
        let before = repeated(&net);
        net.run(MILLI);
        if repeated(&net) > before {
            at.push(net.now);
        }
    }
    let gaps: Vec<Duration> = at.windows(2).map(|w| w[1].since(w[0])).collect();
    let is_about = |gap: Duration, wanted: Duration| gap + 2 * MILLI >= wanted && gap <= wanted + 2 * MILLI;
    for pair in gaps.windows(2) {
        assert!(is_about(pair[1], (pair[0] * 2).min(5 * SECOND)), "{gaps:?}");
    }
    assert!(gaps.last().is_some_and(|gap| is_about(*gap, 5 * SECOND)), "{gaps:?}");
}

/// With FRR's routers a neighbour holds the last version 5.3 s after the last change.
#[test]
fn an_lsa_that_changes_three_times_in_600_ms_is_final_everywhere_within_1100() {
    for ring in [true, false] {
        let mut net = chain(5);
        if ring {
            ring_timers(&mut net);
        }
        net.start_all();
        net.run(100 * SECOND);
        let began = net.now;
        for cost in [11, 12, 13] {
            change(&mut net, cost);
            net.run(if cost == 13 { Duration::ZERO } else { 300 * MILLI });
        }
        net.wait(20 * SECOND, "the last version", |n| is_known(n, 13));
        let took = net.now.since(began);
        println!(
            "ring {ring}: final {took:?} after the first change, {:?} after the last",
            took - 600 * MILLI
        );
        assert!(took <= if ring { 620 * MILLI } else { 1100 * MILLI }, "{took:?}");
        assert_eq!(repeated(&net), 0);
    }
}
