//! A chain of routers, and a hand that forges what its neighbours send.

use crate::harness::{Net, id, ip};
use ospf_proto::Input;
use ospf_proto::instance::Received;
use ospf_proto::lsa::{Lsa, LsaBody, LsaKey, LsaSpec, RouterLink, RouterLinkKind, RouterLsa};
use ospf_proto::packet::{OutgoingBody, Signer, encode};
use routing_common::id::{AreaId, IfIndex};

/// r1 - r2 - ... - rn, point-to-point, with loopbacks.
pub(crate) fn chain(n: u8) -> Net {
    let mut net = Net::new(11);
    for i in 1..=n {
        let node = net.router(i);
        net.loopback(node, &format!("10.255.0.{i}/32"));
    }
    for i in 1..n {
        let (a, b) = (usize::from(i) - 1, usize::from(i));
        net.p2p(a, b, &format!("10.0.{i}.1/31"), &format!("10.0.{i}.0/31"), (10, 10));
    }
    net
}

pub(crate) fn has_link_to(lsa: &RouterLsa, n: u8) -> bool {
    lsa.links
        .iter()
        .any(|l| matches!(l.kind, RouterLinkKind::PointToPoint { neighbor, .. } if neighbor == id(n)))
}

/// Sends an update to `to` as if from the far end of its interface.
pub(crate) fn forge(net: &mut Net, to: usize, ifindex: u32, source: &str, router: u8, lsa: &Lsa) {
    let lsas = [(lsa, lsa.header().age)];
    forge_packet(net, to, ifindex, source, router, &OutgoingBody::LinkStateUpdate(&lsas));
}

/// Sends a packet to `to` as if from the far end of its interface.
pub(crate) fn forge_packet(
    net: &mut Net,
    to: usize,
    ifindex: u32,
    source: &str,
    router: u8,
    body: &OutgoingBody<'_>,
) {
    let payload = encode(id(router), AreaId::BACKBONE, body, &Signer::Null);
    net.input(
        to,
        Input::Packet(Received {
            ifindex: IfIndex(ifindex),
            source: ip(source),
            destination: ip("224.0.0.5"),
            ttl: 1,
            payload: &payload,
        }),
    );
}

pub(crate) fn router_lsa_of(n: u8, sequence: i32, metric: u16) -> Lsa {
    let key = LsaKey::router(id(n));
    let stub = RouterLinkKind::Stub { network: ip("10.9.9.0"), mask: ip("255.255.255.0") };
    let links = vec![RouterLink { kind: stub, metric }];
    let body = RouterLsa { links, ..RouterLsa::default() };
    Lsa::build(LsaSpec { age: 1, options: 2, key, sequence }, &LsaBody::Router(body))
}

pub(crate) fn metric_held(net: &Net, node: usize, of: u8) -> Option<u16> {
    net.router_lsa(node, of).and_then(|(_, lsa)| lsa.links.first().map(|l| l.metric))
}
