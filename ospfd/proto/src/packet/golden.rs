//! Packets taken off the wire, and back onto it octet by octet.
//!
//! Taken with tcpdump between four instances of FRR 8.4.4's ospfd in network namespaces:
//! `a — b` a broadcast link of area 0 with the password "rings3"; `b — c` a point-to-point link of area 1
//! with MD5 key 7 "correct-horse"; `b — d` a point-to-point link of area 2, an NSSA, without
//! authentication. a redistributed 198.51.100.0/24 (type 1, metric 50) and a default route, d
//! redistributed 203.0.113.128/25; a and c announced router information (types 11 and 10), c a graceful
//! restart (type 9). Router ids are 10.255.0.1 (a) to 10.255.0.4 (d). The octets are the IP payloads.

use super::*;
use crate::lsa::{
    ExternalLsa, LsType, Lsa, LsaBody, LsaHeader, LsaSpec, NetworkLsa, RouterLink, RouterLinkKind, RouterLsa,
    SummaryLsa,
};
use routing_common::config::{Md5Key, OspfAuthentication, Secret};
use routing_common::id::{AreaId, RouterId};
use std::net::Ipv4Addr;

const HELLO_BROADCAST: &str = "\
    020100300aff000100000000bac2000172696e6773330000ffffff0000010201000000040a000c020a000c010aff0002";
const DD_INIT: &str = "\
    020200200aff0001000000001460000172696e677333000005dc42072a866c13";
const DD_HEADERS: &str = "\
    0202005c0aff000100000000364a000172696e677333000005dc42005b2680d1000002010aff00010aff000180000002\
    49d0002400040205000000000aff0001800000014b68002400040205c63364000aff00018000000126910024";
const REQUEST: &str = "\
    0203003c0aff00010000000083b4000172696e6773330000000000010aff00020aff0002000000030a0017000aff0002\
    000000030a0018000aff0002";
const UPDATE_BORDER: &str = "\
    020400bc0aff00020000000048d7000172696e677333000000000005000102010aff00020aff00028000000438dc0024\
    030000010a000c00ffffff000300000a000402030a0017000aff000280000001d652001cfffffffc0000000a00040203\
    0a0018000aff000280000001cb5c001cfffffffc0000000a000102010aff00020aff0002800000056298002403000001\
    0a000c020a000c020200000a000102020a000c020aff000280000001da440020ffffff000aff00010aff0002";
const UPDATE_BOUNDARY: &str = "\
    020400880aff000100000000c294000172696e677333000000000003000102010aff00010aff00018000000347d10024\
    020000010a000c00ffffff000300000a00050205000000000aff0001800000014b680024000000008000001400000000\
    0000000000050205c63364000aff00018000000126910024ffffff00000000320000000000000000";
const ACK: &str = "\
    020500680aff000100000000a521000172696e6773330000000102010aff00020aff00028000000438dc002400040203\
    0a0017000aff000280000001d652001c000402030a0018000aff000280000001cb5c001c000102020a000c020aff0002\
    80000001da440020";
const ACK_OPAQUE: &str = "\
    020500400aff000200000000f5fc000172696e6773330000000b02010aff00010aff000180000004639c00240001420b\
    040000000aff0001800000012fc1001c";
const HELLO_MD5: &str = "\
    020100300aff00030000000100000002000007106b0220a1fffffffc000102010000000400000000000000000aff0002\
    6f92f9b1ef77e9c9e3a43ed2a6b8b041";
const DD_MD5: &str = "\
    0202005c0aff00020000000100000002000007106b02204105dc4200401c3a35000002010aff00020aff000280000003\
    739a0024000002030a000c000aff00028000000162ce001c000002030a0018000aff000280000001cb5c001c5bd34ee4\
    a57d6e3099b626bb3e951143";
const UPDATE_OPAQUE_AS: &str = "\
    020400380aff00020000000100000002000007106b02205a000000010002420b040000000aff0001800000012fc1001c\
    0001000410000000d0671d92eaeba94de8c7495280f12922";
const UPDATE_SUMMARY_ASBR: &str = "\
    020400380aff00020000000100000002000007106b02205b00000001000102040aff00010aff000280000001ce6c001c\
    000000000000000a51af37a5254976c959789653ccc58617";
const UPDATE_OPAQUE_AREA: &str = "\
    020400380aff00030000000100000002000007106b02204d000000010001420a040000000aff00038000000131be001c\
    000100041000000042b53bf3658df33ed00e7a74362e6bb1";
const UPDATE_OPAQUE_LINK: &str = "\
    020400400aff00030000000100000002000007106b02209a0000000100014209030000000aff000380000001d5a70024\
    00010004000000780002000101000000817366746ddebe97c1067f8da0d691df";
const ACK_MD5: &str = "\
    020500400aff00030000000100000002000007106b02205b0002420b040000000aff0001800000012fc1001c00010204\
    0aff00010aff000280000001ce6c001c13289623e98c2d6edd9baa8841fd1922";
const HELLO_NSSA: &str = "\
    020100300aff000200000002dfc500000000000000000000fffffffc000108010000000400000000000000000aff0004";
const UPDATE_NSSA: &str = "\
    020400940aff000400000002a7a70000000000000000000000000003000108010aff00040aff000480000003fe050024\
    020000010a001800fffffffc0300000a00010a07cb0071800aff0004800000011f260024ffffff80800000140a001801\
    00000000000108010aff00040aff00048000000401ba0030020000020aff00020a0018010100000a0a001800fffffffc\
    0300000a";
const UPDATE_NSSA_ONE: &str = "\
    020400400aff0004000000026245000000000000000000000000000100010a07cb0071800aff0004800000021d270024\
    ffffff80800000140a00180100000000";

/// Between a and b.
const WITH_PASSWORD: &[&str] =
    &[HELLO_BROADCAST, DD_INIT, DD_HEADERS, REQUEST, UPDATE_BORDER, UPDATE_BOUNDARY, ACK, ACK_OPAQUE];

/// Between b and c.
const WITH_MD5: &[&str] = &[
    HELLO_MD5,
    DD_MD5,
    UPDATE_OPAQUE_AS,
    UPDATE_SUMMARY_ASBR,
    UPDATE_OPAQUE_AREA,
    UPDATE_OPAQUE_LINK,
    ACK_MD5,
];

/// Between b and d.
const WITHOUT: &[&str] = &[HELLO_NSSA, UPDATE_NSSA, UPDATE_NSSA_ONE];

const A: RouterId = RouterId(Ipv4Addr::new(10, 255, 0, 1));
const B: RouterId = RouterId(Ipv4Addr::new(10, 255, 0, 2));
const C: RouterId = RouterId(Ipv4Addr::new(10, 255, 0, 3));
const D: RouterId = RouterId(Ipv4Addr::new(10, 255, 0, 4));

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn body(hex: &str) -> PacketBody {
    decode_header(&octets(hex)).unwrap().decode_body().unwrap()
}

fn lsas(hex: &str) -> Vec<Lsa> {
    let PacketBody::LinkStateUpdate(lsas) = body(hex) else { panic!("an update") };
    let valid = |lsa: UpdateLsa| match lsa {
        UpdateLsa::Valid(lsa) => (*lsa).clone(),
        UpdateLsa::Invalid { header, reason } => panic!("{header:?} {reason}"),
    };
    lsas.into_iter().map(valid).collect()
}

fn all() -> Vec<(OspfAuthentication, &'static str)> {
    let password = OspfAuthentication::Simple(Secret::new("rings3"));
    let md5 = OspfAuthentication::Md5(vec![Md5Key { id: 7, secret: Secret::new("correct-horse") }]);
    let of = |auth: OspfAuthentication, list: &[&'static str]| -> Vec<_> {
        list.iter().map(|hex| (auth.clone(), *hex)).collect()
    };
    [of(password, WITH_PASSWORD), of(md5, WITH_MD5), of(OspfAuthentication::Null, WITHOUT)].concat()
}

#[test]
fn every_packet_is_accepted_and_written_the_same() {
    for (auth, hex) in all() {
        let bytes = octets(hex);
        let raw = decode_header(&bytes).unwrap();
        assert!(raw.checksum_is_valid());
        let sequence = verify(&raw, &auth, 0, None).unwrap().unwrap_or(0);
        let write = |body: OutgoingBody<'_>| {
            encode(raw.router_id, raw.area_id, &body, &Signer::new(&auth, 0, sequence).unwrap())
        };
        let written = match raw.decode_body().unwrap() {
            PacketBody::Hello(hello) => write(OutgoingBody::Hello(&hello)),
            PacketBody::DatabaseDescription(dd) => write(OutgoingBody::DatabaseDescription(&dd)),
            PacketBody::LinkStateRequest(keys) => write(OutgoingBody::LinkStateRequest(&keys)),
            PacketBody::LinkStateAck(headers) => write(OutgoingBody::LinkStateAck(&headers)),
            PacketBody::LinkStateUpdate(_) => {
                let lsas = lsas(hex);
                let aged: Vec<_> = lsas.iter().map(|lsa| (lsa, lsa.header().age)).collect();
                write(OutgoingBody::LinkStateUpdate(&aged))
            }
        };
        assert_eq!(written, bytes, "{}", raw.packet_type);
    }
}

#[test]
fn every_type_of_packet_and_lsa_is_among_them() {
    let mut packets: Vec<_> = all().iter().map(|(_, hex)| octets(hex)[1]).collect();
    packets.sort_unstable();
    packets.dedup();
    assert_eq!(packets, PacketType::ALL.map(PacketType::code));
    let updates = all().into_iter().filter(|(_, hex)| octets(hex)[1] == 4);
    let mut types: Vec<_> = updates.flat_map(|(_, hex)| lsas(hex)).map(|lsa| lsa.key().ls_type).collect();
    types.sort_unstable();
    types.dedup();
    assert_eq!(types, LsType::KNOWN);
}

#[test]
fn lsas_built_from_their_meaning_are_the_same_octets() {
    for (_, hex) in all().into_iter().filter(|(_, hex)| octets(hex)[1] == 4) {
        for lsa in lsas(hex) {
            let LsaHeader { age, options, key, sequence, .. } = *lsa.header();
            assert_eq!(Lsa::build(LsaSpec { age, options, key, sequence }, lsa.body()), lsa);
        }
    }
}

#[test]
fn hellos_mean_what_the_routers_were_configured_for() {
    let expected = Hello {
        network_mask: Ipv4Addr::new(255, 255, 255, 0),
        hello_interval: 1,
        options: options::E,
        priority: 1,
        dead_interval: 4,
        designated_router: Ipv4Addr::new(10, 0, 12, 2),
        backup_designated_router: Ipv4Addr::new(10, 0, 12, 1),
        neighbors: vec![B],
    };
    assert_eq!(body(HELLO_BROADCAST), PacketBody::Hello(expected));
    let PacketBody::Hello(hello) = body(HELLO_NSSA) else { panic!("a hello") };
    assert_eq!((hello.options, hello.neighbors), (options::NP, vec![D]));
    let bytes = octets(HELLO_NSSA);
    assert_eq!(decode_header(&bytes).unwrap().area_id, AreaId(Ipv4Addr::new(0, 0, 0, 2)));
}

#[test]
fn database_descriptions_mean_what_they_say() {
    let PacketBody::DatabaseDescription(init) = body(DD_INIT) else { panic!("a description") };
    assert_eq!((init.init, init.more, init.master, init.interface_mtu), (true, true, true, 1500));
    assert_eq!(init.options, options::E | options::O);
    let PacketBody::DatabaseDescription(dd) = body(DD_HEADERS) else { panic!("a description") };
    assert_eq!((dd.init, dd.more, dd.master), (false, false, false));
    let types: Vec<_> = dd.headers.iter().map(|h| h.key.ls_type.code()).collect();
    assert_eq!(types, [1, 5, 5]);
    assert_eq!(dd.headers[0].sequence, crate::constants::INITIAL_SEQUENCE + 1);
}

#[test]
fn lsas_mean_what_the_routers_were_configured_for() {
    let mask24 = Ipv4Addr::new(255, 255, 255, 0);
    let border = lsas(UPDATE_BORDER);
    let stub = RouterLinkKind::Stub { network: Ipv4Addr::new(10, 0, 12, 0), mask: mask24 };
    let transit = RouterLinkKind::Transit {
        designated_router: Ipv4Addr::new(10, 0, 12, 2),
        address: Ipv4Addr::new(10, 0, 12, 2),
    };
    let router = |kind| {
        LsaBody::Router(RouterLsa {
            as_boundary: true,
            area_border: true,
            links: vec![RouterLink { kind, metric: 10 }],
            ..RouterLsa::default()
        })
    };
    let summary = LsaBody::SummaryNetwork(SummaryLsa { mask: Ipv4Addr::new(255, 255, 255, 252), metric: 10 });
    let network = LsaBody::Network(NetworkLsa { mask: mask24, attached_routers: vec![A, B] });
    let bodies: Vec<_> = border.iter().map(|lsa| lsa.body().clone()).collect();
    assert_eq!(bodies, [router(stub), summary.clone(), summary, router(transit), network]);

    let boundary = lsas(UPDATE_BOUNDARY);
    let external = |mask, type2, metric| {
        let forwarding_address = Ipv4Addr::UNSPECIFIED;
        LsaBody::AsExternal(ExternalLsa { mask, type2, metric, forwarding_address, tag: 0 })
    };
    assert_eq!(boundary[1].body(), &external(Ipv4Addr::UNSPECIFIED, true, 20));
    assert_eq!(boundary[2].body(), &external(mask24, false, 50));

    let asbr = &lsas(UPDATE_SUMMARY_ASBR)[0];
    assert_eq!((asbr.key().link_state_id, asbr.key().advertising_router), (A.0, B));
    assert!(matches!(asbr.body(), LsaBody::SummaryAsbr(s) if s.metric == 10));

    let nssa = &lsas(UPDATE_NSSA_ONE)[0];
    assert_eq!(nssa.key().advertising_router, D);
    let LsaBody::Nssa(nssa) = nssa.body() else { panic!("a type 7 LSA") };
    assert_eq!(nssa.forwarding_address, Ipv4Addr::new(10, 0, 24, 1));

    let grace = &lsas(UPDATE_OPAQUE_LINK)[0];
    assert_eq!((grace.key().link_state_id, grace.key().advertising_router), (Ipv4Addr::new(3, 0, 0, 0), C));
}
