//! What the ring knows of the others shortens the wait for their silence, and nothing else.

use super::*;
use crate::machine::State;
use crate::router::Cause;
use rib::message::Attachment;
use routing_common::id::RouterId;

pub(super) const MASTER: RouterId = RouterId(Ipv4Addr::new(10, 255, 0, 1));

pub(super) fn evidence(routers: &[RouterId], left: &[RouterId]) -> Input<'static> {
    let network = "192.0.2.0/24".parse().unwrap();
    Input::Attached(vec![Attachment { network, routers: routers.to_vec(), left: left.to_vec() }])
}

/// A Master and a Backup that has heard of it over the ring, ten seconds after their start.
pub(super) fn pair(accelerate: bool) -> Lan {
    let mut nodes = vec![Node::new("192.0.2.1"), Node::new("192.0.2.2")];
    for (node, priority) in nodes.iter_mut().zip([200, 100]) {
        node.configure(Instant::ZERO, [VrrpGroup { accelerate, ..group(priority) }]);
    }
    let mut lan = Lan::new(nodes);
    lan.run_until(at(10_000));
    assert_eq!(lan.active(), [0]);
    lan.nodes[1].input(at(10_000), evidence(&[MASTER], &[]));
    lan
}

#[test]
fn a_backup_takes_over_at_once_when_the_master_says_over_the_ring_that_it_left_the_lan() {
    let mut lan = pair(true);
    lan.power_off(0);
    lan.nodes[1].input(at(10_004), evidence(&[], &[MASTER]));
    let taken = lan.nodes[1].transitions().last().copied().unwrap();
    assert_eq!((taken.at, taken.to, taken.cause), (at(10_004), State::Active, Cause::Alone));
    assert!(lan.nodes[1].serves());
}

#[test]
fn a_ring_that_is_cut_around_a_master_changes_nothing() {
    let mut lan = pair(true);
    lan.nodes[1].input(at(10_500), evidence(&[], &[]));
    lan.run_until(at(60_000));
    assert_eq!(lan.active(), [0]);
    assert_eq!(lan.nodes[1].router().stats.transitions, 1);
    // And the evidence is spent: its silence counts in full again.
    lan.power_off(0);
    let last = lan.nodes[0].adverts().last().unwrap().at;
    lan.run_until(at(64_000));
    let taken = lan.nodes[1].transitions().last().copied().unwrap();
    assert_eq!(taken.cause, Cause::AdvertTimeout);
    assert!(taken.at.since(last) >= ms(3609), "{:?}", taken.at.since(last));
}

#[test]
fn wrong_evidence_lasts_until_the_masters_next_advertisement() {
    let mut lan = pair(true);
    lan.nodes[1].input(at(10_100), evidence(&[], &[MASTER]));
    assert_eq!(lan.nodes[1].state(), State::Active);
    lan.run_until(at(11_200));
    assert_eq!(lan.active(), [0]);
    lan.run_until(at(60_000));
    assert_eq!(lan.active(), [0]);
}

#[test]
fn without_accelerate_and_without_knowledge_silence_alone_counts() {
    for (accelerate, told) in
        [(false, Some(evidence(&[], &[MASTER]))), (true, Some(Input::Attached(Vec::new()))), (true, None)]
    {
        let mut lan = pair(accelerate);
        lan.power_off(0);
        if let Some(told) = told {
            lan.nodes[1].input(at(10_004), told);
        }
        lan.run_until(at(12_600));
        assert_eq!(lan.nodes[1].state(), State::Backup);
        lan.run_until(at(14_000));
        assert_eq!(lan.nodes[1].transitions().last().unwrap().cause, Cause::AdvertTimeout);
    }
}

#[test]
fn a_router_without_its_lan_does_not_become_active_however_alone_it_is() {
    let mut lan = pair(true);
    lan.nodes[1].input(at(10_001), Input::Link(LinkEvent::LinkChanged(base_link(false))));
    lan.nodes[1].input(at(10_001), evidence(&[], &[MASTER]));
    assert_eq!(lan.nodes[1].state(), State::Initialize);
}
