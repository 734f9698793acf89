use super::*;
use crate::lsa::{LsType, Lsa, LsaBody, LsaError, LsaKey, LsaSpec, strategy};
use proptest::collection::vec;
use proptest::prelude::*;
use routing_common::config::{Md5Key, OspfAuthentication, Secret};
use routing_common::id::{AreaId, RouterId};
use routing_common::key_chain::{Algorithm, ChainKey, KeyChain, Lifetime};
use std::net::Ipv4Addr;
use std::sync::Arc;

const ROUTER: RouterId = RouterId(Ipv4Addr::new(10, 255, 0, 1));
/// Seconds since 1970, for keys with lifetimes.
const NOW: u64 = 1_800_000_000;

fn hello() -> Hello {
    Hello {
        network_mask: Ipv4Addr::new(255, 255, 255, 0),
        hello_interval: 10,
        options: options::E,
        priority: 1,
        dead_interval: 40,
        designated_router: Ipv4Addr::UNSPECIFIED,
        backup_designated_router: Ipv4Addr::UNSPECIFIED,
        neighbors: vec![ROUTER],
    }
}

pub(super) fn hello_octets(signer: &Signer<'_>) -> Vec<u8> {
    encode(ROUTER, AreaId::BACKBONE, &OutgoingBody::Hello(&hello()), signer)
}

fn simple(password: &str) -> OspfAuthentication {
    OspfAuthentication::Simple(Secret::new(password))
}

fn md5(keys: &[(u8, &str)]) -> OspfAuthentication {
    let key = |(id, secret): &(u8, &str)| Md5Key { id: *id, secret: Secret::new(*secret) };
    OspfAuthentication::Md5(keys.iter().map(key).collect())
}

#[test]
fn header_checks_name_what_is_wrong() {
    let good = hello_octets(&Signer::Null);
    let with = |at: usize, v: u8| {
        let mut bytes = good.clone();
        bytes[at] = v;
        decode_header(&bytes).map(|_| ())
    };
    assert_eq!(with(0, 3), Err(DecodeError::Version(3)));
    assert_eq!(with(1, 0), Err(DecodeError::Type(0)));
    assert_eq!(with(1, 6), Err(DecodeError::Type(6)));
    assert_eq!(with(3, 23), Err(DecodeError::Length(23)));
    assert_eq!(with(3, 49), Err(DecodeError::Truncated));
    for length in 0..HEADER_LENGTH {
        assert_eq!(decode_header(&good[..length]), Err(DecodeError::Truncated));
    }
    // An OSPFv3 header is shorter than ours; the version is judged first.
    assert_eq!(decode_header(&[3, 1, 0, 16]), Err(DecodeError::Version(3)));
}

#[test]
fn what_follows_the_packet_is_its_trailer() {
    let mut bytes = hello_octets(&Signer::Null);
    let length = bytes.len();
    bytes.extend([0xff, 0xf6, 0, 3]);
    let raw = decode_header(&bytes).unwrap();
    assert_eq!((raw.packet().len(), raw.trailer()), (length, &[0xff, 0xf6, 0, 3][..]));
    assert!(raw.checksum_is_valid());
    assert_eq!(raw.decode_body(), Ok(PacketBody::Hello(hello())));
}

#[test]
fn the_checksum_covers_all_but_the_authentication_field() {
    let password = Secret::new("secret");
    for signer in [Signer::Null, Signer::Simple(&password)] {
        let good = hello_octets(&signer);
        for at in 4..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x5a;
            let raw = decode_header(&bytes).unwrap();
            let outside = (16..24).contains(&at);
            assert_eq!(raw.checksum_is_valid(), outside, "octet {at}");
        }
    }
}

#[test]
fn null_authentication_accepts_only_null() {
    let password = Secret::new("secret");
    let null = hello_octets(&Signer::Null);
    let null = decode_header(&null).unwrap();
    let signed = hello_octets(&Signer::Simple(&password));
    let signed = decode_header(&signed).unwrap();
    assert_eq!(verify(&null, &OspfAuthentication::Null, NOW, None), Ok(None));
    assert_eq!(verify(&signed, &OspfAuthentication::Null, NOW, None), Err(AuthError::TypeMismatch));
    assert_eq!(verify(&null, &simple("secret"), NOW, None), Err(AuthError::TypeMismatch));
    assert_eq!(verify(&signed, &md5(&[(1, "secret")]), NOW, None), Err(AuthError::TypeMismatch));
}

#[test]
fn passwords_are_compared_as_eight_octets() {
    let password = Secret::new("secret");
    let bytes = hello_octets(&Signer::Simple(&password));
    let raw = decode_header(&bytes).unwrap();
    assert_eq!(verify(&raw, &simple("secret"), NOW, None), Ok(None));
    assert_eq!(verify(&raw, &simple("secret\0\0"), NOW, None), Ok(None));
    assert_eq!(verify(&raw, &simple("secre"), NOW, None), Err(AuthError::KeyMismatch));
    assert_eq!(verify(&raw, &simple("Secret"), NOW, None), Err(AuthError::KeyMismatch));
    let long = Secret::new("secretXYZ");
    let bytes = hello_octets(&Signer::Simple(&long));
    assert_eq!(verify(&decode_header(&bytes).unwrap(), &simple("secretXY"), NOW, None), Ok(None));
}

#[test]
fn md5_refuses_each_fault_by_its_name() {
    let keys = md5(&[(1, "old"), (7, "correct-horse")]);
    let signer = Signer::new(&keys, NOW, 1000).unwrap();
    let good = hello_octets(&signer);
    let judge = |bytes: &[u8], last| verify(&decode_header(bytes).unwrap(), &keys, NOW, last);

    assert_eq!(judge(&good, None), Ok(Some(1000)));
    assert_eq!(judge(&good, Some(1000)), Ok(Some(1000)));
    assert_eq!(judge(&good, Some(1001)), Err(AuthError::SequenceTooOld));
    assert_eq!(judge(&good[..good.len() - 1], None), Err(AuthError::Truncated));

    let with = |at: usize, v: u8| {
        let mut bytes = good.clone();
        bytes[at] = v;
        bytes
    };
    assert_eq!(judge(&with(18, 2), None), Err(AuthError::UnknownKeyId));
    assert_eq!(judge(&with(18, 1), None), Err(AuthError::DigestMismatch));
    assert_eq!(judge(&with(19, 20), None), Err(AuthError::Truncated));
    // A sequence number under a wrong digest says nothing, however large.
    assert_eq!(judge(&with(20, 0xff), Some(5)), Err(AuthError::DigestMismatch));
    for at in (4..good.len()).filter(|at| !(14..20).contains(at)) {
        assert_eq!(judge(&with(at, good[at] ^ 1), None), Err(AuthError::DigestMismatch), "octet {at}");
    }
}

#[test]
fn the_last_md5_key_signs_and_every_key_verifies() {
    let both = md5(&[(1, "old"), (2, "new")]);
    let bytes = hello_octets(&Signer::new(&both, NOW, 1).unwrap());
    let raw = decode_header(&bytes).unwrap();
    assert_eq!(verify(&raw, &md5(&[(2, "new")]), NOW, None), Ok(Some(1)));
    assert_eq!(verify(&raw, &md5(&[(1, "old")]), NOW, None), Err(AuthError::UnknownKeyId));
    let old = md5(&[(1, "old")]);
    let bytes = hello_octets(&Signer::new(&old, NOW, 1).unwrap());
    assert_eq!(verify(&decode_header(&bytes).unwrap(), &both, NOW, None), Ok(Some(1)));
    assert_eq!(Signer::new(&md5(&[]), NOW, 1), None, "without a key nothing is sent");
}

#[test]
fn an_lls_block_may_follow_the_digest() {
    let keys = md5(&[(1, "key")]);
    let mut bytes = hello_octets(&Signer::new(&keys, NOW, 3).unwrap());
    bytes.extend([0, 0, 0, 3, 0, 1, 0, 4, 0, 0, 0, 1]);
    assert_eq!(verify(&decode_header(&bytes).unwrap(), &keys, NOW, None), Ok(Some(3)));
}

/// The octets of a packet of some type with a body of our making; checksums do not matter here.
fn body_of(packet_type: PacketType, body: &[u8]) -> Result<PacketBody, DecodeError> {
    let mut bytes = vec![2, packet_type.code(), 0, 0];
    bytes.resize(HEADER_LENGTH, 0);
    bytes.extend(body);
    let length = u16::try_from(bytes.len()).unwrap();
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    decode_header(&bytes).unwrap().decode_body()
}

#[test]
fn bodies_must_be_filled_exactly() {
    for (packet_type, entry, fixed) in [
        (PacketType::Hello, 4, 20),
        (PacketType::DatabaseDescription, 20, 8),
        (PacketType::LinkStateRequest, 12, 0),
        (PacketType::LinkStateAck, 20, 0),
    ] {
        for length in 0..80 {
            let fits = length >= fixed && (length - fixed) % entry == 0;
            let read = body_of(packet_type, &vec![0; length]);
            assert_eq!(read.is_ok(), fits, "{packet_type} of {length} octets");
            if !fits {
                assert_eq!(read, Err(DecodeError::Body(packet_type)));
            }
        }
    }
}

#[test]
fn an_update_must_hold_the_lsas_it_counts() {
    let key = LsaKey { ls_type: LsType::OpaqueLink, link_state_id: ROUTER.0, advertising_router: ROUTER };
    let spec = LsaSpec { age: 1, options: 2, key, sequence: 5 };
    let lsa = Lsa::build(spec, &LsaBody::Opaque([1, 2, 3, 4].into()));
    let update = |count: u32, lsas: &[&[u8]]| {
        let body = [&count.to_be_bytes()[..], &lsas.concat()].concat();
        body_of(PacketType::LinkStateUpdate, &body)
    };
    let malformed = Err(DecodeError::Body(PacketType::LinkStateUpdate));
    assert_eq!(update(0, &[]), Ok(PacketBody::LinkStateUpdate(vec![])));
    assert_eq!(update(2, &[lsa.raw()]), malformed);
    assert_eq!(update(1, &[lsa.raw(), lsa.raw()]), malformed);
    assert_eq!(update(u32::MAX, &[lsa.raw()]), malformed);
    assert_eq!(update(1, &[&lsa.raw()[..22]]), malformed);

    // One LSA with a wrong checksum leaves its neighbours usable.
    let mut bad = lsa.raw().to_vec();
    bad[22] ^= 1;
    let Ok(PacketBody::LinkStateUpdate(read)) = update(3, &[lsa.raw(), &bad, lsa.raw()]) else {
        panic!("an update")
    };
    let valid = UpdateLsa::Valid(Arc::new(lsa.clone()));
    let invalid = UpdateLsa::Invalid { header: *lsa.header(), reason: LsaError::Checksum };
    assert_eq!(read, [valid.clone(), invalid, valid]);

    // A length field below a header's hides where the next LSA starts: nothing of it is used.
    let mut short = lsa.raw().to_vec();
    short[19] = 19;
    assert_eq!(update(2, &[lsa.raw(), &short]), malformed);
}

#[test]
fn a_request_for_an_impossible_type_is_one_we_cannot_answer() {
    let Ok(PacketBody::LinkStateRequest(keys)) =
        body_of(PacketType::LinkStateRequest, &[0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2])
    else {
        panic!("a request")
    };
    assert_eq!(keys[0].ls_type, LsType::Unknown(0));
}

#[test]
fn room_in_a_datagram() {
    assert_eq!(max_payload(1500, &OspfAuthentication::Null), 1456);
    assert_eq!(max_payload(1500, &simple("x")), 1456);
    assert_eq!(max_payload(1500, &md5(&[(1, "x")])), 1440);
    assert_eq!(max_payload(20, &OspfAuthentication::Null), 0);
    assert_eq!(headers_per_ack(1456), 72);
    assert_eq!(headers_per_description(1456), 72);
    assert_eq!(headers_per_description(1440), 71);
    assert_eq!(requests_per_packet(1456), 121);
    assert_eq!((headers_per_ack(0), headers_per_description(0), requests_per_packet(0)), (1, 1, 1));
}

fn hellos() -> impl Strategy<Value = Hello> {
    (
        (strategy::address(), any::<u16>(), any::<u8>(), any::<u8>(), any::<u32>()),
        (strategy::address(), strategy::address(), vec(strategy::router_id(), 0..50)),
    )
        .prop_map(|((mask, hello, opts, priority, dead), (dr, bdr, neighbors))| Hello {
            network_mask: mask,
            hello_interval: hello,
            options: opts,
            priority,
            dead_interval: dead,
            designated_router: dr,
            backup_designated_router: bdr,
            neighbors,
        })
}

fn descriptions() -> impl Strategy<Value = DatabaseDescription> {
    let bits = (any::<bool>(), any::<bool>(), any::<bool>());
    (any::<u16>(), any::<u8>(), bits, any::<u32>(), vec(strategy::header(), 0..20)).prop_map(
        |(interface_mtu, options, (init, more, master), sequence, headers)| DatabaseDescription {
            interface_mtu,
            options,
            init,
            more,
            master,
            sequence,
            headers,
        },
    )
}

fn authentications() -> impl Strategy<Value = OspfAuthentication> {
    prop_oneof![
        Just(OspfAuthentication::Null),
        vec(any::<u8>(), 0..10).prop_map(|s| OspfAuthentication::Simple(Secret::new(s))),
        vec((any::<u8>(), vec(any::<u8>(), 0..20)), 1..4).prop_map(|keys| {
            let mut keys: Vec<_> =
                keys.into_iter().map(|(id, s)| Md5Key { id, secret: Secret::new(s) }).collect();
            keys.sort_by_key(|k| k.id);
            keys.dedup_by_key(|k| k.id);
            OspfAuthentication::Md5(keys)
        }),
        (any::<u8>(), vec(any::<u8>(), 1..100), prop::sample::select(&Algorithm::ALL)).prop_map(
            |(id, secret, algorithm)| {
                let secret = Secret::new(secret);
                let (send, accept) = (Lifetime::ALWAYS, Lifetime::ALWAYS);
                let keys = vec![ChainKey { id, secret, algorithm, send, accept }];
                OspfAuthentication::KeyChain(KeyChain { name: "chain".into(), keys })
            }
        ),
    ]
}

/// Through the wire and back, as a sender and a receiver of the same configuration do it.
fn through_the_wire(
    body: &OutgoingBody<'_>,
    auth: &OspfAuthentication,
    sequence: u32,
) -> Result<PacketBody, TestCaseError> {
    let area = AreaId(Ipv4Addr::new(0, 0, 0, 3));
    let bytes = encode(ROUTER, area, body, &Signer::new(auth, NOW, sequence).unwrap());
    let raw = decode_header(&bytes).map_err(|e| TestCaseError::fail(e.to_string()))?;
    prop_assert_eq!((raw.router_id, raw.area_id), (ROUTER, area));
    prop_assert_eq!(raw.packet_type, body.packet_type());
    prop_assert!(raw.checksum_is_valid());
    let expected = (raw.au_type == 2).then_some(sequence);
    prop_assert_eq!(verify(&raw, auth, NOW, None), Ok(expected));
    raw.decode_body().map_err(|e| TestCaseError::fail(e.to_string()))
}

proptest! {
    #[test]
    fn hellos_survive_the_wire(hello in hellos(), auth in authentications(), seq in any::<u32>()) {
        let read = through_the_wire(&OutgoingBody::Hello(&hello), &auth, seq)?;
        prop_assert_eq!(read, PacketBody::Hello(hello));
    }

    #[test]
    fn descriptions_survive_the_wire(dd in descriptions(), auth in authentications(), seq in any::<u32>()) {
        let read = through_the_wire(&OutgoingBody::DatabaseDescription(&dd), &auth, seq)?;
        prop_assert_eq!(read, PacketBody::DatabaseDescription(dd));
    }

    #[test]
    fn requests_survive_the_wire(keys in vec(strategy::key(), 0..50), auth in authentications()) {
        let read = through_the_wire(&OutgoingBody::LinkStateRequest(&keys), &auth, 1)?;
        prop_assert_eq!(read, PacketBody::LinkStateRequest(keys));
    }

    #[test]
    fn updates_survive_the_wire(
        lsas in vec((strategy::lsa(), 0u16..4000), 0..8),
        auth in authentications(),
    ) {
        let sent: Vec<_> = lsas.iter().map(|(lsa, age)| (lsa, *age)).collect();
        let read = through_the_wire(&OutgoingBody::LinkStateUpdate(&sent), &auth, 1)?;
        let PacketBody::LinkStateUpdate(read) = read else { panic!("an update") };
        prop_assert_eq!(read.len(), lsas.len());
        for (read, (sent, age)) in read.iter().zip(&lsas) {
            let UpdateLsa::Valid(read) = read else { panic!("a valid LSA") };
            prop_assert_eq!(read.header(), &sent.header().with_age(*age));
            prop_assert_eq!(read.body(), sent.body());
        }
    }

    #[test]
    fn acknowledgments_survive_the_wire(headers in vec(strategy::header(), 0..50), auth in authentications()) {
        let read = through_the_wire(&OutgoingBody::LinkStateAck(&headers), &auth, 1)?;
        prop_assert_eq!(read, PacketBody::LinkStateAck(headers));
    }

    #[test]
    fn any_octets_are_a_packet_or_an_error(
        packet_type in 0u8..7,
        mut bytes in vec(any::<u8>(), 0..300),
        auth in authentications(),
    ) {
        let length = bytes.len().to_be_bytes();
        for (slot, octet) in bytes.iter_mut().zip([2, packet_type, length[6], length[7]]) {
            *slot = octet;
        }
        if let Ok(raw) = decode_header(&bytes) {
            raw.checksum_is_valid();
            let _ = verify(&raw, &auth, NOW, Some(1));
            let _ = raw.decode_body();
        }
        let _ = decode_header(&bytes[4.min(bytes.len())..]);
    }

    #[test]
    fn packing_keeps_order_fills_packets_and_leaves_none_empty(
        lsas in vec(strategy::lsa(), 0..30),
        room in 0usize..1500,
    ) {
        let sent: Vec<_> = lsas.iter().zip(1u16..).collect();
        let packets: Vec<_> = pack_updates(&sent, room).collect();
        let size = |p: &[(&Lsa, u16)]| UPDATE_FIXED + p.iter().map(|(l, _)| l.raw().len()).sum::<usize>();
        for packet in &packets {
            prop_assert!(packet.len() == 1 || size(packet) <= room);
            prop_assert!(!packet.is_empty());
        }
        for pair in packets.windows(2) {
            prop_assert!(size(pair[0]) + pair[1][0].0.raw().len() > room);
        }
        prop_assert_eq!(packets.concat(), sent);
    }
}
