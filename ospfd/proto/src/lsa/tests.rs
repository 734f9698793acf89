use super::*;
use crate::constants::{INITIAL_SEQUENCE, LS_INFINITY, MAX_AGE, MAX_SEQUENCE};
use core::cmp::Ordering;
use proptest::collection::vec;
use proptest::prelude::*;
use routing_common::id::RouterId;
use routing_common::wire::{Reader, Writer, checksum};
use std::net::Ipv4Addr;

const ROUTER: RouterId = RouterId(Ipv4Addr::new(10, 255, 0, 1));

fn spec(ls_type: LsType) -> LsaSpec {
    let key = LsaKey { ls_type, link_state_id: ROUTER.0, advertising_router: ROUTER };
    LsaSpec { age: 0, options: 2, key, sequence: INITIAL_SEQUENCE }
}

/// An LSA with a hand-made body, right length and right checksum.
fn handmade(ls_type: LsType, body: &[u8]) -> Vec<u8> {
    let mut w = Writer::new();
    let s = spec(ls_type);
    let length = u16::try_from(LsaHeader::LENGTH + body.len()).unwrap();
    LsaHeader { age: 1, options: s.options, key: s.key, sequence: s.sequence, checksum: 0, length }
        .encode(&mut w);
    w.bytes(body);
    let sum = checksum::fletcher(&w.as_slice()[2..], 14);
    w.patch_u16(16, sum);
    w.into_vec()
}

fn decoded(ls_type: LsType, body: &[u8]) -> Result<LsaBody, LsaError> {
    Lsa::decode(&handmade(ls_type, body)).map(|lsa| lsa.body().clone()).map_err(|(_, e)| e)
}

#[test]
fn type_numbers_and_names_are_one_to_one() {
    for code in 0..=u8::MAX {
        let ls_type = LsType::from(code);
        assert_eq!(ls_type.code(), code);
        assert_eq!(matches!(ls_type, LsType::Unknown(_)), !LsType::KNOWN.contains(&ls_type));
    }
    assert_eq!(LsType::Router.to_string(), "router-LSA");
    assert_eq!(LsType::from(6).to_string(), "LSA type 6");
}

#[test]
fn scopes_are_those_of_rfc_2328_and_rfc_5250() {
    let scopes = LsType::KNOWN.map(|t| (t.code(), t.scope()));
    use Scope::{Area, As, Link};
    let expected =
        [(1, Area), (2, Area), (3, Area), (4, Area), (5, As), (7, Area), (9, Link), (10, Area), (11, As)];
    assert_eq!(scopes, expected);
}

#[test]
fn tos_metrics_of_router_links_are_skipped() {
    let body = [
        0x01, 0, 0, 2, // bit B, two links
        10, 255, 0, 2, 10, 0, 0, 1, 1, 2, 0, 10, // point-to-point with two TOS entries
        8, 0, 0, 99, 16, 0, 0, 98, //
        10, 0, 0, 0, 255, 255, 255, 0, 3, 0, 0, 10, // stub
    ];
    let Ok(LsaBody::Router(lsa)) = decoded(LsType::Router, &body) else { panic!("router-LSA") };
    assert!(lsa.area_border && !lsa.as_boundary && !lsa.virtual_link_endpoint);
    let point_to_point = RouterLinkKind::PointToPoint {
        neighbor: RouterId(Ipv4Addr::new(10, 255, 0, 2)),
        data: Ipv4Addr::new(10, 0, 0, 1),
    };
    let stub =
        RouterLinkKind::Stub { network: Ipv4Addr::new(10, 0, 0, 0), mask: Ipv4Addr::new(255, 255, 255, 0) };
    let expected = [RouterLink { kind: point_to_point, metric: 10 }, RouterLink { kind: stub, metric: 10 }];
    assert_eq!(lsa.links, expected);
}

#[test]
fn a_link_of_unknown_type_is_passed_over_but_flooded() {
    let body = [0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 9, 0, 0, 5];
    let bytes = handmade(LsType::Router, &body);
    let lsa = Lsa::decode(&bytes).unwrap();
    assert_eq!(lsa.body(), &LsaBody::Router(RouterLsa::default()));
    assert_eq!(lsa.raw(), bytes);
}

#[test]
fn bodies_must_be_filled_exactly() {
    let link = [10, 255, 0, 2, 10, 0, 0, 1, 1, 0, 0, 10];
    let one_too_few = [&[0, 0, 0, 2][..], &link].concat();
    let one_too_many = [&[0, 0, 0, 0][..], &link].concat();
    let tos_beyond_end = [0, 0, 0, 1, 10, 255, 0, 2, 10, 0, 0, 1, 1, 1, 0, 10];
    for body in [&one_too_few[..], &one_too_many, &tos_beyond_end, &[], &[0, 0, 0]] {
        assert_eq!(decoded(LsType::Router, body), Err(LsaError::Malformed), "{body:?}");
    }
    for (ls_type, length) in [
        (LsType::Network, 3),
        (LsType::Network, 6),
        (LsType::SummaryNetwork, 7),
        (LsType::SummaryNetwork, 10),
        (LsType::SummaryAsbr, 9),
        (LsType::AsExternal, 15),
        (LsType::AsExternal, 20),
        (LsType::Nssa, 27),
    ] {
        assert_eq!(decoded(ls_type, &vec![0; length]), Err(LsaError::Malformed), "{ls_type} {length}");
    }
}

#[test]
fn tos_entries_behind_summaries_and_externals_are_skipped() {
    let mut body = vec![255, 255, 255, 0, 0, 0, 0, 20];
    let plain = decoded(LsType::SummaryNetwork, &body).unwrap();
    body.extend([8, 0, 0, 99]);
    assert_eq!(decoded(LsType::SummaryNetwork, &body), Ok(plain));

    let mut body = vec![255, 255, 255, 0, 0x80, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 7];
    let plain = decoded(LsType::AsExternal, &body).unwrap();
    body.extend([0x88; 24]);
    assert_eq!(decoded(LsType::AsExternal, &body), Ok(plain));
}

#[test]
fn the_mask_of_a_type_4_lsa_has_no_meaning() {
    let body = [255, 255, 255, 255, 0, 0, 0, 20];
    let expected = SummaryLsa { mask: Ipv4Addr::UNSPECIFIED, metric: 20 };
    assert_eq!(decoded(LsType::SummaryAsbr, &body), Ok(LsaBody::SummaryAsbr(expected)));
}

#[test]
fn checks_come_in_the_order_of_section_13() {
    let mut unknown = handmade(LsType::Unknown(6), &[1, 2, 3]);
    assert_eq!(Lsa::decode(&unknown).map_err(|(_, e)| e), Err(LsaError::UnknownType));
    unknown[20] ^= 1;
    let (header, error) = Lsa::decode(&unknown).unwrap_err();
    assert_eq!((header.key.ls_type, error), (LsType::Unknown(6), LsaError::Checksum));
}

#[test]
fn a_checksum_of_zero_is_never_right() {
    // The last two octets balance the sums, so that only the field's being 0 is wrong.
    let mut bytes = handmade(LsType::OpaqueLink, &[1, 2, 3, 4]);
    bytes[16..18].fill(0);
    let balance = checksum::fletcher(&bytes[2..], bytes.len() - 4);
    let end = bytes.len() - 2;
    bytes[end..].copy_from_slice(&balance.to_be_bytes());
    assert!(checksum::fletcher_is_valid(&bytes[2..]));
    assert_eq!(Lsa::decode(&bytes).map_err(|(_, e)| e), Err(LsaError::Checksum));
}

#[test]
fn the_length_field_must_be_the_length() {
    let bytes = handmade(LsType::Network, &[255, 255, 255, 0, 10, 255, 0, 1]);
    assert!(Lsa::decode(&bytes).is_ok());
    for wrong in [&bytes[..27], &[&bytes[..], &[0]].concat()[..], &bytes[..19], &[]] {
        assert_eq!(Lsa::decode(wrong).map_err(|(_, e)| e), Err(LsaError::Malformed));
    }
}

#[test]
fn ages_beyond_max_age_and_do_not_age_become_max_age() {
    let mut bytes = handmade(LsType::Network, &[255, 255, 255, 0]);
    for (wire, read) in [(0, 0), (3599, 3599), (3600, 3600), (3601, 3600), (0x8001, 3600), (0xffff, 3600)] {
        bytes[..2].copy_from_slice(&u16::to_be_bytes(wire));
        assert_eq!(Lsa::decode(&bytes).unwrap().header().age, read);
    }
}

#[test]
fn only_the_age_is_patched_on_the_way_out() {
    let lsa = Lsa::build(spec(LsType::Router), &LsaBody::Router(RouterLsa::default()));
    let mut w = Writer::new();
    lsa.write_with_age(5000, &mut w);
    assert_eq!(w.as_slice()[..2], MAX_AGE.to_be_bytes());
    assert_eq!(w.as_slice()[2..], lsa.raw()[2..]);
    assert!(lsa.checksum_is_valid());
}

#[test]
fn a_router_lsa_stops_at_what_a_datagram_holds() {
    let kind = RouterLinkKind::Stub { network: ROUTER.0, mask: Ipv4Addr::BROADCAST };
    let body = RouterLsa { links: vec![RouterLink { kind, metric: 1 }; 6000], ..RouterLsa::default() };
    let lsa = Lsa::build(spec(LsType::Router), &LsaBody::Router(body));
    let LsaBody::Router(kept) = lsa.body() else { panic!("router-LSA") };
    assert_eq!(kept.links.len(), (MAX_LSA_LENGTH - 24) / 12);
    assert!(lsa.raw().len() <= MAX_LSA_LENGTH);

    let body = NetworkLsa { mask: Ipv4Addr::BROADCAST, attached_routers: vec![ROUTER; 20_000] };
    let lsa = Lsa::build(spec(LsType::Network), &LsaBody::Network(body));
    assert_eq!(usize::from(lsa.header().length), lsa.raw().len());
    assert!(lsa.raw().len() <= MAX_LSA_LENGTH);
}

#[test]
fn metrics_beyond_24_bits_become_ls_infinity() {
    let body = LsaBody::SummaryNetwork(SummaryLsa { mask: Ipv4Addr::BROADCAST, metric: u32::MAX });
    let lsa = Lsa::build(spec(LsType::SummaryNetwork), &body);
    assert!(matches!(lsa.body(), LsaBody::SummaryNetwork(s) if s.metric == LS_INFINITY));
}

#[test]
#[should_panic(expected = "cannot have the body")]
fn a_body_of_another_type_is_a_bug() {
    Lsa::build(spec(LsType::Network), &LsaBody::Router(RouterLsa::default()));
}

#[test]
fn newer_instances_are_those_of_section_13_1() {
    let base = LsaHeader {
        age: 100,
        options: 2,
        key: spec(LsType::Router).key,
        sequence: 5,
        checksum: 0x1234,
        length: 36,
    };
    let newer = |h: LsaHeader| h.instance_cmp(&base);
    // Sequence numbers are signed: the initial one is the oldest of all.
    assert_eq!(newer(LsaHeader { sequence: 6, ..base }), Ordering::Greater);
    assert_eq!(newer(LsaHeader { sequence: INITIAL_SEQUENCE, ..base }), Ordering::Less);
    assert_eq!(newer(LsaHeader { sequence: MAX_SEQUENCE, checksum: 0, ..base }), Ordering::Greater);
    // Then the checksum, unsigned.
    assert_eq!(newer(LsaHeader { checksum: 0xff00, ..base }), Ordering::Greater);
    assert_eq!(newer(LsaHeader { checksum: 0x0001, age: MAX_AGE, ..base }), Ordering::Less);
    // Then MaxAge, then an age difference above MaxAgeDiff.
    assert_eq!(newer(base.with_age(MAX_AGE)), Ordering::Greater);
    assert_eq!(newer(base.with_age(1000)), Ordering::Equal);
    assert_eq!(newer(base.with_age(1001)), Ordering::Less);
    assert_eq!(base.instance_cmp(&base.with_age(1001)), Ordering::Greater);
    assert_eq!(base.with_age(MAX_AGE).instance_cmp(&base.with_age(4000)), Ordering::Equal);
}

#[test]
fn contents_are_the_same_whatever_age_and_sequence_say() {
    let body = LsaBody::Router(RouterLsa::default());
    let a = Lsa::build(spec(LsType::Router), &body);
    let later = Lsa::build(LsaSpec { age: 7, sequence: 9, ..spec(LsType::Router) }, &body);
    assert!(a.same_contents(&later));
    assert!(a.same_contents_at(3599, &later, 0));
    assert!(!a.same_contents_at(MAX_AGE, &later, 0));
    let other_options = Lsa::build(LsaSpec { options: 0, ..spec(LsType::Router) }, &body);
    assert!(!a.same_contents(&other_options));
    let border = LsaBody::Router(RouterLsa { area_border: true, ..RouterLsa::default() });
    assert!(!a.same_contents(&Lsa::build(spec(LsType::Router), &border)));
}

proptest! {
    #[test]
    fn what_is_built_is_what_is_read((s, body) in strategy::parts()) {
        let lsa = Lsa::build(s, &body);
        prop_assert_eq!(lsa.body(), &body);
        prop_assert_eq!(lsa.header().age, s.age);
        prop_assert_eq!(lsa.header().options, s.options);
        prop_assert_eq!(lsa.key(), s.key);
        prop_assert_eq!(lsa.header().sequence, s.sequence);
        prop_assert_eq!(Lsa::decode(lsa.raw()), Ok(lsa.clone()));
        prop_assert_eq!(usize::from(lsa.header().length), lsa.raw().len());
    }

    #[test]
    fn headers_survive_the_wire(header in strategy::header()) {
        let mut w = Writer::new();
        header.encode(&mut w);
        prop_assert_eq!(w.len(), LsaHeader::LENGTH);
        prop_assert_eq!(LsaHeader::decode(&mut Reader::new(w.as_slice())), Ok(header));
    }

    #[test]
    fn any_octets_are_an_lsa_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(lsa) = Lsa::decode(&bytes) {
            prop_assert_eq!(lsa.raw(), &bytes[..]);
        }
    }

    #[test]
    fn any_body_under_a_right_checksum_is_read_or_refused(
        ls_type in 0u8..12,
        body in vec(any::<u8>(), 0..120),
    ) {
        let ls_type = LsType::from(ls_type);
        match decoded(ls_type, &body) {
            Ok(read) => prop_assert!(read.fits(ls_type)),
            Err(e) => prop_assert_ne!(e, LsaError::Checksum),
        }
    }

    #[test]
    fn one_changed_octet_never_passes(lsa in strategy::lsa(), at in any::<prop::sample::Index>(), flip in 1u8..=255) {
        let mut bytes = lsa.raw().to_vec();
        let at = 2 + at.index(bytes.len() - 2);
        let before = bytes[at];
        bytes[at] ^= flip;
        // Fletcher's sums are modulo 255: 0x00 and 0xff are the same to them (RFC 905 App. B).
        prop_assume!(before % 255 != bytes[at] % 255);
        prop_assert!(Lsa::decode(&bytes).is_err());
    }

    #[test]
    fn keys_are_ordered_by_their_fields(a in strategy::key(), b in strategy::key()) {
        let fields = |key: LsaKey| (key.ls_type, key.link_state_id, key.advertising_router);
        prop_assert_eq!(a.cmp(&b), fields(a).cmp(&fields(b)));
        let near = LsaKey { ls_type: b.ls_type, ..a };
        prop_assert_eq!(a.cmp(&near), fields(a).cmp(&fields(near)));
    }

    #[test]
    fn comparing_instances_is_antisymmetric(a in strategy::header(), b in strategy::header()) {
        prop_assert_eq!(a.instance_cmp(&b), b.instance_cmp(&a).reverse());
    }
}
