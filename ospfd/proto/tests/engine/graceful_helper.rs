//! RFC 3623 §3: helping.

use crate::graceful::{SECOND, said, triangle};
use crate::harness::{Net, id, ip};
use ospf_proto::discard::Discard;
use ospf_proto::instance::{Clear, Input, Received};
use ospf_proto::lsa::{Lsa, LsaBody, LsaSpec};
use ospf_proto::neighbor::NeighborState;
use ospf_proto::packet::{OutgoingBody, Signer, encode};
use ospf_proto::restart::{GraceLsa, RestartReason};
use routing_common::id::{AreaId, IfIndex};
use routing_common::time::Duration;

const GRACE: GraceLsa = GraceLsa { period: 120, reason: RestartReason::Unknown, address: None };

/// Hands router 1 a grace-LSA as if router 0 had sent it.
fn tell(net: &mut Net, body: &[u8], age: u16, sequence: i32) {
    let key = GraceLsa::key(id(1));
    let spec = LsaSpec { age, options: 2, key, sequence: -0x7fff_ff00 + sequence };
    let lsa = Lsa::build(spec, &LsaBody::Opaque(body.into()));
    let update = [(&lsa, age)];
    let payload = encode(id(1), AreaId::BACKBONE, &OutgoingBody::LinkStateUpdate(&update), &Signer::Null);
    let received = Received {
        ifindex: IfIndex(2),
        source: ip("10.0.12.0"),
        destination: ip("224.0.0.5"),
        ttl: 1,
        payload: &payload,
    };
    net.input(1, Input::Packet(received));
}

fn helps(net: &Net) -> bool {
    let interfaces = net.nodes[1].engine.interfaces();
    interfaces.flat_map(|i| i.neighbors.values()).any(|n| n.helping.is_some())
}

fn lists(net: &Net, node: usize) -> bool {
    let (_, lsa) = net.router_lsa(2, u8::try_from(node).unwrap() + 1).unwrap();
    lsa.links.iter().any(|l| format!("{l:?}").contains("10.255.0.1"))
}

/// Router 2 originates a router-LSA with another cost.
fn change_cost(net: &mut Net) {
    let name = "eth2".parse().unwrap();
    net.reconfigure(2, |c| c.ospf.as_mut().unwrap().interfaces.get_mut(&name).unwrap().cost = Some(77));
}

/// The triangle, router 0 just dead and router 1 asked to help.
fn helping() -> Net {
    let mut net = triangle();
    net.crash(0);
    tell(&mut net, &GRACE.encode(), 0, 0);
    assert!(helps(&net));
    net
}

#[test]
fn somebody_else_giving_up_ends_it() {
    let mut net = helping();
    net.run(20 * SECOND);
    assert!(helps(&net) && lists(&net, 1) && lists(&net, 2));
    // Router 2 was not asked. RouterDeadInterval after the death its LSA is another.
    net.run(25 * SECOND);
    assert!(!helps(&net) && said(&net, 1, "the topology changed"));
    assert!(!lists(&net, 1) && !lists(&net, 2));
}

#[test]
fn a_neighbor_is_kept_through_silence_and_when_the_period_ends_that_is_obeyed() {
    let mut net = helping();
    // Strict checking would end it earlier, as router 2 does not help.
    net.nodes[1].config.ospf.as_mut().unwrap().graceful_restart.strict_lsa_checking = false;
    net.reconfigure(1, |_| ());
    net.run(119 * SECOND);
    assert!(lists(&net, 1) && helps(&net));
    assert_eq!(net.state(1, 1), Some(NeighborState::Full));
    net.run(2 * SECOND);
    assert!(!helps(&net) && said(&net, 1, "its grace period is over"));
    assert_eq!(net.state(1, 1), None, "silent since two minutes");
    assert!(!lists(&net, 1));
}

#[test]
fn the_age_of_the_grace_lsa_counts() {
    let mut net = triangle();
    net.crash(0);
    tell(&mut net, &GRACE.encode(), 118, 0);
    assert!(helps(&net));
    net.run(3 * SECOND);
    assert!(!helps(&net));
    let mut net = triangle();
    tell(&mut net, &GRACE.encode(), 120, 0);
    assert!(!helps(&net) && said(&net, 1, "its grace period is over"));
}

#[test]
fn a_new_grace_lsa_prolongs_or_ends_it() {
    let mut net = helping();
    net.run(2 * SECOND);
    tell(&mut net, &GraceLsa { period: 20, ..GRACE }.encode(), 0, 1);
    net.run(21 * SECOND);
    assert!(!helps(&net) && said(&net, 1, "its grace period is over"));
    let mut net = helping();
    net.run(2 * SECOND);
    tell(&mut net, &GRACE.encode(), 130, 1);
    assert!(!helps(&net));
}

#[test]
fn it_ends_when_the_grace_lsa_is_flushed() {
    let mut net = helping();
    net.run(2 * SECOND);
    tell(&mut net, &GRACE.encode(), 3600, 1);
    assert!(!helps(&net) && said(&net, 1, "it has restarted"));
}

#[test]
fn it_ends_when_the_topology_changes_if_checking_is_strict() {
    for strict in [true, false] {
        let mut net = triangle();
        net.reconfigure(1, |c| c.ospf.as_mut().unwrap().graceful_restart.strict_lsa_checking = strict);
        net.crash(0);
        tell(&mut net, &GRACE.encode(), 0, 0);
        change_cost(&mut net);
        net.run(SECOND);
        assert_eq!(helps(&net), !strict);
        assert_eq!(said(&net, 1, "the topology changed"), strict);
    }
}

#[test]
fn a_refresh_is_no_change_of_the_topology() {
    let mut net = triangle();
    // Nearly LSRefreshTime since the last instances.
    net.run(1690 * SECOND);
    let before = net.router_lsa(1, 3).unwrap();
    net.crash(0);
    tell(&mut net, &GraceLsa { period: 1800, ..GRACE }.encode(), 0, 0);
    net.reconfigure(1, |_| ());
    net.run(30 * SECOND);
    assert!(helps(&net));
    net.wait(9 * SECOND, "a refresh before the dead interval", |n| n.router_lsa(1, 3).unwrap().0 >= before.0);
    assert!(helps(&net));
}

#[test]
fn who_has_not_heard_of_a_change_is_not_helped() {
    let mut net = triangle();
    net.crash(0);
    change_cost(&mut net);
    net.run(SECOND);
    tell(&mut net, &GRACE.encode(), 0, 0);
    assert!(!helps(&net) && said(&net, 1, "the topology changed and it may not know"));
}

#[test]
fn who_is_not_adjacent_or_forbidden_is_not_helped() {
    let mut net = triangle();
    net.reconfigure(1, |c| c.ospf.as_mut().unwrap().graceful_restart.helper = false);
    tell(&mut net, &GRACE.encode(), 0, 0);
    assert!(!helps(&net) && said(&net, 1, "the configuration forbids it"));

    let mut net = helping();
    net.reconfigure(1, |c| c.ospf.as_mut().unwrap().graceful_restart.helper = false);
    assert!(!helps(&net));

    let mut net = helping();
    net.input(1, Input::Clear(Clear::Neighbors(Some(id(1)))));
    assert!(!helps(&net) && said(&net, 1, "it is down"));

    let mut net = helping();
    net.carrier(0, false);
    assert!(!helps(&net) && said(&net, 1, "it is down"));
    assert!(!lists(&net, 1) || !helps(&net));
}

#[test]
fn a_grace_lsa_that_makes_no_sense_is_counted_and_ignored() {
    let mut net = triangle();
    tell(&mut net, &[0, 1, 0, 4, 0], 0, 0);
    net.run(2 * SECOND);
    tell(&mut net, &[], 0, 1);
    let interface = net.nodes[1].engine.interfaces().find(|i| i.ifindex == IfIndex(2)).unwrap();
    assert_eq!(interface.statistics.discards[&Discard::GraceLsa].count, 2);
    assert!(!helps(&net));
    net.run(50 * SECOND);
    assert!(net.is_full(0, 1));
}

#[test]
fn a_hello_that_forgets_us_is_pardoned_and_answered_at_once() {
    let mut net = triangle();
    net.crash(0);
    net.run(SECOND);
    // An ordinary start, whose first Hello lists nobody, after a grace-LSA that somebody sent for it.
    tell(&mut net, &GRACE.encode(), 0, 0);
    let key = (IfIndex(2), 1);
    let hellos = net.nodes[1].sent[&key];
    net.start(0);
    net.run(Duration::from_micros(300));
    assert_eq!(net.state(1, 1), Some(NeighborState::Full));
    assert_eq!(net.nodes[1].sent[&key], hellos + 1);
    assert!(helps(&net) && lists(&net, 1));
}
