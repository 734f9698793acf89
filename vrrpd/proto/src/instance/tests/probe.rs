//! The LAN is asked when the ring cannot reach the others, and at the start; and who was wrong does not ask again soon.

use super::witness::{MASTER, evidence, pair};
use super::*;
use crate::arp::probe_frame;
use crate::machine::State;
use crate::router::Cause;

const VIRTUAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);

/// A host looks for its gateway.
fn question() -> Vec<u8> {
    probe_frame([2, 0, 0, 0, 0, 77], VIRTUAL).split_off(14)
}

fn last(node: &Node) -> Transition {
    node.transitions().last().copied().unwrap()
}

/// A node alone on its LAN since time 0.
fn starter(priority: u8) -> Lan {
    let mut node = Node::new("192.0.2.2");
    node.configure(Instant::ZERO, [group(priority)]);
    Lan::new(vec![node])
}

#[test]
fn a_dead_master_whom_the_ring_cannot_reach_is_replaced_when_nobody_answers() {
    let mut lan = pair(true);
    lan.run_until(at(10_003));
    lan.power_off(0);
    lan.nodes[1].input(at(10_003), evidence(&[], &[]));
    assert_eq!(lan.nodes[1].state(), State::Backup);
    lan.run_until(at(11_000));
    let taken = last(&lan.nodes[1]);
    assert_eq!((taken.to, taken.cause), (State::Active, Cause::Unanswered));
    assert_eq!(lan.nodes[1].probes(at(1_000)), [at(10_003), at(10_013), at(10_023)]);
    // 15 ms for an answer, and 156/256 of 50 ms.
    assert!(taken.at >= at(10_068) && taken.at <= at(10_070), "{:?}", taken.at);
    assert!(lan.nodes[1].serves() && !lan.nodes[1].listens());
}

#[test]
fn the_better_of_two_that_know_the_same_is_first() {
    let mut nodes = vec![Node::new("192.0.2.1"), Node::new("192.0.2.2"), Node::new("192.0.2.3")];
    for (node, priority) in nodes.iter_mut().zip([200, 100, 150]) {
        node.configure(Instant::ZERO, [group(priority)]);
    }
    let mut lan = Lan::new(nodes);
    lan.run_until(at(10_000));
    lan.power_off(0);
    for n in [1, 2] {
        lan.nodes[n].input(at(10_000), evidence(&[MASTER], &[]));
        lan.nodes[n].input(at(10_001), evidence(&[], &[]));
    }
    lan.run_until(at(20_000));
    assert_eq!(lan.active(), [2]);
    assert_eq!(last(&lan.nodes[2]).cause, Cause::Unanswered);
    assert_eq!(lan.nodes[1].router().stats.transitions, 1);
}

#[test]
fn an_answer_puts_the_wait_back_to_the_rfcs() {
    let mut lan = pair(true);
    // Its daemon hangs; its kernel serves.
    lan.nodes[0].frozen = true;
    let heard = lan.nodes[0].adverts().last().unwrap().at + ms(1);
    lan.nodes[1].input(at(10_000), evidence(&[], &[]));
    lan.run_until(at(10_010));
    assert!(!lan.nodes[1].listens());
    lan.run_until(at(15_000));
    let taken = last(&lan.nodes[1]);
    assert_eq!(taken.cause, Cause::AdvertTimeout);
    assert!(taken.at.since(heard) >= ms(3609) && taken.at.since(heard) <= ms(3612), "{:?}", taken.at);
}

#[test]
fn an_advertisement_ends_the_asking() {
    let mut lan = pair(true);
    let next = lan.nodes[0].adverts().last().unwrap().at + ms(1000);
    lan.run_until(next - ms(30));
    // ARP is not answered: only the advertisement tells.
    let now = lan.now;
    lan.nodes[1].input(now, evidence(&[], &[]));
    assert_eq!(lan.nodes[1].probes(at(1_000)).len(), 1);
    lan.nodes[0].deaf = true;
    lan.nodes[1].queue.clear();
    lan.delivered[1] = lan.nodes[1].sent.len();
    lan.run_until(next + ms(2000));
    assert_eq!(lan.active(), [0]);
    assert_eq!(lan.nodes[1].router().stats.transitions, 1);
    assert!(!lan.nodes[1].listens());
}

#[test]
fn evidence_that_is_taken_back_ends_the_asking() {
    for told in [evidence(&[MASTER], &[]), Input::Attached(Vec::new())] {
        let mut lan = pair(true);
        lan.power_off(0);
        let heard = lan.nodes[0].adverts().last().unwrap().at + ms(1);
        lan.nodes[1].input(at(10_000), evidence(&[], &[]));
        lan.nodes[1].input(at(10_020), told);
        assert!(!lan.nodes[1].listens());
        lan.run_until(at(15_000));
        assert!(last(&lan.nodes[1]).at.since(heard) >= ms(3609));
    }
}

#[test]
fn where_the_next_advertisement_is_nearer_than_an_answer_nobody_is_asked() {
    let short = |priority| VrrpGroup { advertisement_interval: ms(10), ..group(priority) };
    let mut nodes = vec![Node::new("192.0.2.1"), Node::new("192.0.2.2")];
    for (node, priority) in nodes.iter_mut().zip([200, 100]) {
        node.configure(Instant::ZERO, [short(priority)]);
    }
    let mut lan = Lan::new(nodes);
    lan.run_until(at(1_000));
    lan.power_off(0);
    lan.nodes[1].input(at(1_000), evidence(&[MASTER], &[]));
    lan.nodes[1].input(at(1_001), evidence(&[], &[]));
    lan.run_until(at(1_100));
    let taken = last(&lan.nodes[1]);
    assert_eq!(taken.cause, Cause::Alone);
    assert!(taken.at <= at(1_020), "{:?}", taken.at);
    assert!(lan.nodes[1].probes(at(0)).is_empty());
}

#[test]
fn a_refusal_of_the_kernel_makes_silence_mean_nothing() {
    let mut lan = pair(true);
    lan.power_off(0);
    let heard = lan.nodes[0].adverts().last().unwrap().at;
    lan.nodes[1].input(at(10_000), evidence(&[], &[]));
    lan.nodes[1].input(at(10_001), Input::Fault { ifindex: None, text: "no buffers".into() });
    lan.run_until(at(15_000));
    let taken = last(&lan.nodes[1]);
    // As where asking takes too long: an interval and a Skew_Time.
    assert_eq!(taken.cause, Cause::Alone);
    assert!(taken.at.since(heard) >= ms(1609), "{:?}", taken.at);
}

#[test]
fn whoever_was_away_when_a_round_ended_asks_again() {
    let mut lan = pair(true);
    lan.power_off(0);
    lan.nodes[1].input(at(10_000), evidence(&[], &[]));
    lan.run_until(at(10_025));
    lan.nodes[1].frozen = true;
    lan.run_until(at(10_500));
    lan.nodes[1].frozen = false;
    lan.run_until(at(10_560));
    assert_eq!((lan.nodes[1].state(), lan.nodes[1].probes(at(1_000)).len()), (State::Backup, 6));
    lan.run_until(at(10_600));
    assert_eq!(last(&lan.nodes[1]).cause, Cause::Unanswered);
}

#[test]
fn after_a_wrong_takeover_only_silence_counts_for_a_minute() {
    let mut lan = pair(true);
    lan.nodes[1].input(at(10_100), evidence(&[], &[MASTER]));
    assert_eq!(lan.nodes[1].state(), State::Active);
    lan.run_until(at(12_000));
    assert_eq!(lan.active(), [0]);
    let said = |node: &Node| {
        let is_it = |o: &&Output| matches!(o, Output::Notice(n) if n.code == "vrrp-wrongly-alone");
        node.done.iter().filter(is_it).count()
    };
    assert_eq!(said(&lan.nodes[1]), 1);
    let again = |lan: &mut Lan, when: u64| {
        lan.run_until(at(when));
        lan.nodes[1].input(at(when), evidence(&[MASTER], &[]));
        lan.nodes[1].input(at(when), evidence(&[], &[MASTER]));
        lan.nodes[1].state()
    };
    assert_eq!(again(&mut lan, 40_000), State::Backup);
    assert_eq!(again(&mut lan, 70_100), State::Backup);
    assert_eq!(again(&mut lan, 73_000), State::Active);
}

#[test]
fn whoever_comes_back_after_he_left_does_not_make_the_takeover_wrong() {
    let mut lan = pair(true);
    lan.nodes[0].input(at(10_000), Input::Link(LinkEvent::LinkChanged(base_link(false))));
    lan.nodes[1].input(at(10_004), evidence(&[], &[MASTER]));
    lan.run_until(at(13_000));
    lan.nodes[0].input(at(13_000), Input::Link(LinkEvent::LinkChanged(base_link(true))));
    lan.nodes[1].input(at(13_004), evidence(&[MASTER], &[]));
    lan.run_until(at(19_000));
    assert_eq!(lan.active(), [0]);
    lan.nodes[1].input(at(19_000), evidence(&[], &[MASTER]));
    assert_eq!(lan.nodes[1].state(), State::Active);
}

#[test]
fn routers_that_start_together_prove_the_lan_to_each_other_and_the_best_is_first() {
    for (first, second) in [(200, 100), (100, 200)] {
        let mut nodes = vec![Node::new("192.0.2.1"), Node::new("192.0.2.2")];
        nodes[0].configure(at(0), [group(first)]);
        let mut lan = Lan::new(nodes);
        lan.run_until(at(300));
        lan.nodes[1].configure(at(300), [group(second)]);
        let best = usize::from(second > first);
        lan.run_until(at(1_530));
        assert_eq!(lan.active(), [best], "{first} and {second}");
        assert_eq!(last(&lan.nodes[best]).cause, Cause::Unanswered);
        lan.run_until(at(20_000));
        assert_eq!(lan.active(), [best]);
        assert!(lan.nodes.iter().all(|n| n.router().stats.transitions <= 2));
        assert!(lan.nodes.iter().all(|n| !n.listens() && n.probes(at(0)).len() <= 6));
    }
}

#[test]
fn without_a_proof_that_the_lan_is_heard_the_start_takes_as_long_as_ever() {
    let mut lan = starter(200);
    assert!(lan.nodes[0].listens());
    // What comes back from a bridge proves nothing.
    let own = lan.nodes[0].sent.iter().find(|s| s.kind == FrameKind::ArpProbe).unwrap().frame[14..].to_vec();
    hear_arp(&mut lan.nodes[0], at(5), &own);
    lan.run_until(at(3_210));
    assert_eq!(lan.nodes[0].state(), State::Backup);
    lan.run_until(at(3_230));
    assert_eq!(last(&lan.nodes[0]).cause, Cause::Startup);
    assert_eq!(lan.nodes[0].probes(at(0)).len(), 3);
}

#[test]
fn a_host_that_looks_for_its_gateway_proves_the_lan() {
    let mut lan = starter(100);
    lan.run_until(at(200));
    hear_arp(&mut lan.nodes[0], at(200), &question());
    lan.run_until(at(400));
    assert_eq!(lan.nodes[0].probes(at(0)).len(), 6);
    lan.run_until(at(1_800));
    assert_eq!(lan.nodes[0].state(), State::Backup);
    lan.run_until(at(1_812));
    let taken = last(&lan.nodes[0]);
    assert_eq!((taken.to, taken.cause), (State::Active, Cause::Unanswered));
}

#[test]
fn a_proof_never_makes_the_start_longer() {
    let mut lan = starter(100);
    lan.run_until(at(2_900));
    hear_arp(&mut lan.nodes[0], at(2_900), &question());
    lan.run_until(at(3_612));
    assert_eq!(last(&lan.nodes[0]).cause, Cause::Startup);
}

#[test]
fn an_answer_at_the_start_puts_the_wait_back_even_after_a_proof() {
    let mut lan = starter(100);
    hear_arp(&mut lan.nodes[0], at(0), &question());
    lan.run_until(at(1_500));
    hear_arp(&mut lan.nodes[0], at(1_500), &answer());
    lan.run_until(at(3_600));
    assert_eq!(lan.nodes[0].state(), State::Backup);
    lan.run_until(at(3_612));
    assert_eq!(last(&lan.nodes[0]).cause, Cause::Startup);
}

#[test]
fn a_master_that_is_heard_at_the_start_is_waited_for_as_ever() {
    let mut lan = starter(200);
    hear_arp(&mut lan.nodes[0], at(0), &question());
    lan.run_until(at(900));
    // A worse one: to be preempted, but not sooner than Active_Down_Interval after the start.
    hear(&mut lan.nodes[0], at(900), "192.0.2.9", &group(50));
    lan.run_until(at(3_210));
    assert_eq!(lan.nodes[0].state(), State::Backup);
    lan.run_until(at(3_230));
    assert_eq!(last(&lan.nodes[0]).cause, Cause::Preempt);
}

#[test]
fn an_interface_that_comes_back_is_proven_anew() {
    let mut lan = starter(200);
    hear_arp(&mut lan.nodes[0], at(0), &question());
    lan.nodes[0].input(at(500), Input::Link(LinkEvent::LinkChanged(base_link(false))));
    assert!(!lan.nodes[0].listens());
    lan.run_until(at(1_000));
    lan.nodes[0].input(at(1_000), Input::Link(LinkEvent::LinkChanged(base_link(true))));
    lan.run_until(at(4_210));
    assert_eq!(lan.nodes[0].state(), State::Backup);
}

#[test]
fn the_ring_does_not_make_silence_a_proof_at_the_start() {
    let mut lan = starter(200);
    lan.nodes[0].input(at(10), evidence(&[MASTER], &[]));
    lan.nodes[0].input(at(20), evidence(&[], &[]));
    lan.run_until(at(1_200));
    assert_eq!(lan.nodes[0].state(), State::Backup);
}

#[test]
fn without_accelerate_nobody_is_asked() {
    let mut lan = pair(false);
    lan.power_off(0);
    lan.nodes[1].input(at(10_000), evidence(&[], &[]));
    lan.run_until(at(15_000));
    assert!(lan.nodes.iter().all(|n| n.probes(at(0)).is_empty()));
    assert_eq!(last(&lan.nodes[1]).cause, Cause::AdvertTimeout);
}

#[test]
fn an_interface_that_is_gone_is_not_told_what_to_listen_for() {
    let mut node = Node::new("192.0.2.2");
    let second = VrrpGroup {
        vrid: Vrid::new(20).unwrap(),
        virtual_addresses: vec!["192.0.2.253/24".parse().unwrap()],
        ..group(100)
    };
    node.configure(Instant::ZERO, [group(200), second]);
    let listened = |node: &Node| {
        let of = |o: &Output| {
            if let Output::ListenArp { addresses, .. } = o { Some(addresses.len()) } else { None }
        };
        node.done.iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(listened(&node), [1, 2]);
    node.links.remove(&BASE);
    node.input(at(5), Input::Link(LinkEvent::LinkRemoved(BASE)));
    assert!(node.done.iter().any(|o| matches!(o, Output::CloseInterface { .. })));
    assert_eq!(listened(&node), [1, 2]);
}
