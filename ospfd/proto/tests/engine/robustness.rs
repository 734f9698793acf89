//! Nothing a neighbour sends can hurt: no panic, no standstill, and the network heals afterwards.

use crate::harness::{Net, id, ip};
use ospf_proto::Input;
use ospf_proto::instance::Received;
use ospf_proto::lsa::{
    ExternalLsa, LsType, Lsa, LsaBody, LsaHeader, LsaKey, LsaSpec, NetworkLsa, RouterLink, RouterLinkKind,
    RouterLsa,
};
use ospf_proto::packet::{DatabaseDescription, OutgoingBody, Signer, encode};
use proptest::prelude::*;
use routing_common::id::{AreaId, IfIndex};
use routing_common::time::Duration;
use routing_common::wire::checksum;
use std::net::Ipv4Addr;

const SECOND: Duration = Duration::from_secs(1);

fn pair() -> Net {
    let mut net = Net::new(17);
    let (a, b) = (net.router(1), net.router(2));
    net.loopback(a, "10.255.0.1/32");
    net.loopback(b, "10.255.0.2/32");
    net.p2p(a, b, "10.0.0.1/31", "10.0.0.0/31", (10, 10));
    net.start_all();
    net.run(12 * SECOND);
    assert!(net.is_full(0, 1));
    net
}

fn inject(net: &mut Net, payload: &[u8]) {
    net.input(
        0,
        Input::Packet(Received {
            ifindex: IfIndex(2),
            source: ip("10.0.0.0"),
            destination: ip("224.0.0.5"),
            ttl: 1,
            payload,
        }),
    );
}

/// A lie about the neighbour itself, told in its name, comes to its ears when it refreshes.
fn heals(net: &mut Net) {
    net.run(2 * 1800 * SECOND + 60 * SECOND);
    assert!(net.is_full(0, 1));
    assert_eq!(net.route(0, "10.255.0.2/32"), Some((ip("10.0.0.0"), 10)));
    assert_eq!(net.route(1, "10.255.0.1/32"), Some((ip("10.0.0.1"), 10)));
}

/// Keys that hit what is there: our own, the neighbour's, networks at interface addresses, others.
fn key() -> impl Strategy<Value = LsaKey> {
    let types = prop::sample::select(vec![
        LsType::Router,
        LsType::Network,
        LsType::AsExternal,
        LsType::OpaqueLink,
        LsType::OpaqueArea,
        LsType::Nssa,
    ]);
    let addresses = prop::sample::select(vec![
        id(1).0,
        id(2).0,
        id(3).0,
        ip("10.0.0.1"),
        ip("10.0.0.0"),
        Ipv4Addr::UNSPECIFIED,
    ]);
    (types, addresses, 1u8..4).prop_map(|(ls_type, link_state_id, n)| LsaKey {
        ls_type,
        link_state_id,
        advertising_router: id(n),
    })
}

fn sequence() -> impl Strategy<Value = i32> {
    prop_oneof![
        Just(-0x7fff_ffff),
        -0x7fff_fffe..-0x7fff_fff0,
        Just(i32::MIN),
        Just(0x7fff_ffff),
        Just(0x7fff_fffe),
        any::<i32>()
    ]
}

fn lsa() -> impl Strategy<Value = Lsa> {
    (key(), sequence(), prop::sample::select(vec![0u16, 1, 1000, 3599, 3600]), any::<u8>()).prop_map(
        |(key, sequence, age, options)| {
            let stub = RouterLinkKind::Stub { network: ip("10.7.0.0"), mask: ip("255.255.0.0") };
            let body = match key.ls_type {
                LsType::Router => LsaBody::Router(RouterLsa {
                    links: vec![RouterLink { kind: stub, metric: 1 }],
                    ..RouterLsa::default()
                }),
                LsType::Network => LsaBody::Network(NetworkLsa {
                    mask: ip("255.255.255.0"),
                    attached_routers: vec![id(1), id(2)],
                }),
                LsType::AsExternal | LsType::Nssa => {
                    let external = ExternalLsa {
                        mask: ip("255.255.0.0"),
                        type2: true,
                        metric: 1,
                        forwarding_address: ip("0.0.0.0"),
                        tag: 0,
                    };
                    if key.ls_type == LsType::Nssa {
                        LsaBody::Nssa(external)
                    } else {
                        LsaBody::AsExternal(external)
                    }
                }
                _ => LsaBody::Opaque([1, 2, 3, 4].into()),
            };
            Lsa::build(LsaSpec { age, options, key, sequence }, &body)
        },
    )
}

#[derive(Debug, Clone)]
enum Forged {
    Update(Vec<Lsa>),
    Ack(Vec<Lsa>),
    Request(Vec<LsaKey>),
    Description { bits: (bool, bool, bool), options: u8, sequence: u32, of: Vec<Lsa> },
}

fn forged() -> impl Strategy<Value = Forged> {
    let lsas = || prop::collection::vec(lsa(), 0..4);
    prop_oneof![
        4 => lsas().prop_map(Forged::Update),
        2 => lsas().prop_map(Forged::Ack),
        1 => prop::collection::vec(key(), 0..4).prop_map(Forged::Request),
        2 => (any::<(bool, bool, bool)>(), any::<u8>(), 0u32..4, lsas()).prop_map(
            |(bits, options, sequence, of)| Forged::Description { bits, options, sequence, of }
        ),
    ]
}

fn send(net: &mut Net, forged: &Forged) {
    let headers = |lsas: &[Lsa]| -> Vec<LsaHeader> { lsas.iter().map(|l| *l.header()).collect() };
    let wire = |body: &OutgoingBody<'_>| encode(id(2), AreaId::BACKBONE, body, &Signer::Null);
    let payload = match forged {
        Forged::Update(lsas) => {
            let lsas: Vec<(&Lsa, u16)> = lsas.iter().map(|l| (l, l.header().age)).collect();
            wire(&OutgoingBody::LinkStateUpdate(&lsas))
        }
        Forged::Ack(lsas) => wire(&OutgoingBody::LinkStateAck(&headers(lsas))),
        Forged::Request(keys) => wire(&OutgoingBody::LinkStateRequest(keys)),
        Forged::Description { bits: (init, more, master), options, sequence, of } => {
            wire(&OutgoingBody::DatabaseDescription(&DatabaseDescription {
                interface_mtu: 1500,
                options: *options,
                init: *init,
                more: *more,
                master: *master,
                sequence: *sequence,
                headers: headers(of),
            }))
        }
    };
    inject(net, &payload);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn random_octets_do_nothing(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 1..20)) {
        let mut net = pair();
        for datagram in &datagrams {
            inject(&mut net, datagram);
        }
        heals(&mut net);
    }

    #[test]
    fn damaged_packets_with_a_right_checksum_do_no_harm(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..40)
    ) {
        let mut net = pair();
        let packets: Vec<Vec<u8>> =
            net.capture.iter().filter(|(from, _)| *from == 1).map(|(_, p)| p.clone()).collect();
        for (which, at, value) in &damage {
            let mut packet = packets[which.index(packets.len())].clone();
            let at = at.index(packet.len());
            packet[at] = *value;
            packet[12] = 0;
            packet[13] = 0;
            let sum = checksum::internet(&[&packet[..16], &packet[24..]]);
            packet[12..14].copy_from_slice(&sum.to_be_bytes());
            inject(&mut net, &packet);
        }
        net.run(120 * SECOND);
        assert!(net.is_full(0, 1));
    }

    #[test]
    fn well_formed_lies_do_not_last(lies in prop::collection::vec((forged(), 0u64..3000), 1..30)) {
        let mut net = pair();
        for (lie, pause) in &lies {
            send(&mut net, lie);
            net.run(Duration::from_millis(*pause));
        }
        heals(&mut net);
    }
}
