//! Golden packets, the discard reason of every broken one, and properties over all bytes.

use super::*;
use proptest::prelude::*;
use routing_common::config::VrrpVersion::{V2, V3};

const SOURCE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

fn advertisement(version: VrrpVersion) -> Advertisement {
    Advertisement {
        version,
        vrid: Vrid::new(10).unwrap(),
        priority: 200,
        interval: Duration::from_secs(1),
        addresses: vec![Ipv4Addr::new(192, 0, 2, 254)],
    }
}

fn expected(version: VrrpVersion) -> Option<Expected> {
    let own_address = Some(Ipv4Addr::new(192, 0, 2, 2));
    Some(Expected { version, interval: Duration::from_secs(1), own_address })
}

fn received(payload: &[u8]) -> Received<'_> {
    Received { source: SOURCE, destination: GROUP, ttl: 255, payload }
}

fn reason(payload: &[u8], version: VrrpVersion) -> Discard {
    examine(received(payload), expected(version)).unwrap_err()
}

/// Changes octets of a valid packet and makes the checksum right again (without a pseudo-header).
fn broken(version: VrrpVersion, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = advertisement(version).encode(SOURCE, VrrpChecksum::Rfc9568);
    change(&mut bytes);
    if bytes.len() >= 8 {
        bytes[6..8].fill(0);
        let sum = checksum::internet(&[&bytes]);
        bytes[6..8].copy_from_slice(&sum.to_be_bytes());
    }
    bytes
}

/// P1. The checksums are summed up by hand from RFC 1071: version 2 over
/// 210a c801 0001 0000 c000 02fe + 8 zero octets = 1 ac0a, folded ac0b, complement 53f4.
#[test]
fn golden_version_2() {
    let bytes = advertisement(V2).encode(SOURCE, VrrpChecksum::Rfc5798);
    assert_eq!(bytes, [0x21, 10, 200, 1, 0, 1, 0x53, 0xf4, 192, 0, 2, 254, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(examine(received(&bytes), expected(V2)), Ok((advertisement(V2), None)));
}

/// P1. Version 3: 310a c801 0064 0000 c000 02fe = 1 bc6d, folded bc6e, complement 4391; with the
/// pseudo-header c000 0201 e000 0012 0070 000c = 1 a28f added: bc6e + a290 = 1 5efe, folded 5eff, complement a100.
#[test]
fn golden_version_3_in_both_checksum_forms() {
    for (form, sum) in [(VrrpChecksum::Rfc9568, [0x43, 0x91]), (VrrpChecksum::Rfc5798, [0xa1, 0x00])] {
        let bytes = advertisement(V3).encode(SOURCE, form);
        assert_eq!(bytes, [0x31, 10, 200, 1, 0, 100, sum[0], sum[1], 192, 0, 2, 254]);
        assert_eq!(examine(received(&bytes), expected(V3)), Ok((advertisement(V3), Some(form))));
    }
}

#[test]
fn p2_p7_octets_behind_the_declared_end_are_ignored() {
    for version in [V2, V3] {
        let mut bytes = advertisement(version).encode(SOURCE, VrrpChecksum::Rfc5798);
        bytes.extend([0xaa; 23]);
        assert!(examine(received(&bytes), expected(version)).is_ok());
    }
}

#[test]
fn p3_to_p13_each_broken_packet_has_its_reason() {
    for version in [V2, V3] {
        let other = if version == V2 { V3 } else { V2 };
        let good = advertisement(version).encode(SOURCE, VrrpChecksum::Rfc5798);
        for ttl in [0, 1, 254] {
            let packet = Received { ttl, ..received(&good) };
            assert_eq!(examine(packet, expected(version)), Err(Discard::Ttl));
        }
        let unicast = Received { destination: Ipv4Addr::new(192, 0, 2, 2), ..received(&good) };
        assert_eq!(examine(unicast, expected(version)), Err(Discard::Destination));
        assert_eq!(reason(&good, other), Discard::Version);
        assert_eq!(reason(&broken(version, |b| b[0] = 0x41), version), Discard::Version);
        assert_eq!(reason(&broken(version, |b| b[0] += 1), version), Discard::Type);
        for end in 0..good.len() {
            assert_eq!(reason(&good[..end], version), Discard::Length, "cut to {end}");
        }
        assert_eq!(reason(&broken(version, |b| b[3] = 200), version), Discard::Length);
        assert_eq!(examine(received(&good), None), Err(Discard::Vrid));
        assert_eq!(reason(&broken(version, |b| b[1] = 0), version), Discard::Vrid);
        assert_eq!(reason(&broken(version, |b| b[5] = 0), version), Discard::Interval);
        let empty = broken(version, |b| {
            b[3] = 0;
            b.drain(8..12);
        });
        assert_eq!(reason(&empty, version), Discard::AddressCount);
        let own = Received { source: Ipv4Addr::new(192, 0, 2, 2), ..received(&good) };
        let plain = broken(version, |_| {});
        assert_eq!(examine(Received { payload: &plain, ..own }, expected(version)), Err(Discard::OwnAddress));
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(examine(received(&bad), expected(version)).is_err(), "bit {bit}");
        }
    }
    assert_eq!(reason(&broken(V2, |b| b[5] = 2), V2), Discard::Interval);
    for auth_type in [1, 2, 255] {
        assert_eq!(reason(&broken(V2, |b| b[4] = auth_type), V2), Discard::Authentication);
    }
}

#[test]
fn p10_p11_reserved_bits_are_ignored_and_4095_is_an_interval() {
    let bytes = broken(V3, |b| b[4] = 0xf0);
    assert_eq!(examine(received(&bytes), expected(V3)).unwrap().0, advertisement(V3));
    let bytes = broken(V3, |b| b[4..6].copy_from_slice(&[0x0f, 0xff]));
    let (adv, _) = examine(received(&bytes), expected(V3)).unwrap();
    assert_eq!(adv.interval, Duration::from_millis(40_950));
}

prop_compose! {
    fn any_advertisement()(
        v3 in any::<bool>(), vrid in 1u8.., priority in any::<u8>(),
        seconds in 1u64..256, centiseconds in 1u64..4096,
        addresses in prop::collection::vec(any::<[u8; 4]>(), 1..256),
    ) -> Advertisement {
        let (version, interval) = if v3 {
            (V3, Duration::from_millis(centiseconds * 10))
        } else {
            (V2, Duration::from_secs(seconds))
        };
        let addresses = addresses.into_iter().map(Ipv4Addr::from).collect();
        Advertisement { version, vrid: Vrid::new(vrid).unwrap(), priority, interval, addresses }
    }
}

proptest! {
    #[test]
    fn what_is_sent_is_what_is_read(adv in any_advertisement(), old in any::<bool>()) {
        let form = if old { VrrpChecksum::Rfc5798 } else { VrrpChecksum::Rfc9568 };
        let bytes = adv.encode(SOURCE, form);
        let expected = Expected { version: adv.version, interval: adv.interval, own_address: None };
        let (read, _) = examine(received(&bytes), Some(expected)).unwrap();
        prop_assert_eq!(read, adv);
    }

    /// P16.
    #[test]
    fn any_bytes_are_read_without_panic(
        payload in prop::collection::vec(any::<u8>(), 0..1100), ttl in 253u8.., v2 in any::<bool>(), known in any::<bool>(),
    ) {
        let version = if v2 { V2 } else { V3 };
        let packet = Received { ttl, ..received(&payload) };
        let _ = examine(packet, expected(version).filter(|_| known));
        let _ = claimed_vrid(&payload);
    }
}
