//! OSPF packets and LSAs.

use crate::script::Script;
use ospf_proto::lsa::{LsType, Lsa, LsaHeader, LsaSpec};
use ospf_proto::packet::{
    OutgoingBody, PacketBody, RawPacket, Signer, UpdateLsa, decode_header, encode, verify,
};
use routing_common::config::{Md5Key, OspfAuthentication, Secret};
use routing_common::key_chain::{Algorithm, ChainKey, KeyChain, Lifetime};
use routing_common::wire::checksum;

/// Any payload of protocol 89 goes the way of a received packet: header, checksum, authentication under every
/// kind of configuration, body. What has a body is written and read again the same.
pub fn ospf_packet(data: &[u8]) {
    let Ok(raw) = decode_header(data) else { return };
    assert_eq!(raw.packet().len() + raw.trailer().len(), data.len());
    let _valid = raw.checksum_is_valid();
    for auth in authentications() {
        if let Ok(sequence) = verify(&raw, &auth, 0, Some(1)) {
            assert_eq!(sequence.is_some(), raw.au_type == 2);
            assert!(sequence.is_none_or(|s| s >= 1), "a replay was accepted");
        }
    }
    if let Ok(body) = raw.decode_body() {
        assert_eq!(written_again(&raw, &body), comparable(&body), "read again, the packet is another one");
    }
}

/// The secrets of the golden packets, so that good packets of every kind are among the seeds.
fn authentications() -> [OspfAuthentication; 4] {
    [
        OspfAuthentication::Null,
        OspfAuthentication::Simple(Secret::new("rings3")),
        OspfAuthentication::Md5(vec![Md5Key { id: 7, secret: Secret::new("correct-horse") }]),
        OspfAuthentication::KeyChain(KeyChain { name: "chain".into(), keys: chain_keys() }),
    ]
}

/// A key of each algorithm; that of MD5 is the one of the golden packets.
fn chain_keys() -> Vec<ChainKey> {
    let key = |(algorithm, id): (Algorithm, u8)| ChainKey {
        id,
        secret: Secret::new("correct-horse"),
        algorithm,
        send: Lifetime::ALWAYS,
        accept: Lifetime::ALWAYS,
    };
    Algorithm::ALL.into_iter().zip(7..).map(key).collect()
}

/// A body without what need not survive: LSAs that were refused.
fn comparable(body: &PacketBody) -> PacketBody {
    match body {
        PacketBody::LinkStateUpdate(lsas) => PacketBody::LinkStateUpdate(
            lsas.iter().filter(|l| matches!(l, UpdateLsa::Valid(_))).map(with_age_cut).collect(),
        ),
        other => other.clone(),
    }
}

/// Reading cuts ages to MaxAge in the header; the octets keep what the wire said. Written again they agree.
fn with_age_cut(lsa: &UpdateLsa) -> UpdateLsa {
    let UpdateLsa::Valid(lsa) = lsa else { return lsa.clone() };
    let mut w = routing_common::wire::Writer::new();
    lsa.write_with_age(lsa.header().age, &mut w);
    match Lsa::decode(w.as_slice()) {
        Ok(lsa) => UpdateLsa::Valid(lsa.into()),
        Err((header, reason)) => UpdateLsa::Invalid { header, reason },
    }
}

fn written_again(raw: &RawPacket<'_>, body: &PacketBody) -> PacketBody {
    let write = |outgoing: OutgoingBody<'_>| encode(raw.router_id, raw.area_id, &outgoing, &Signer::Null);
    let octets = match body {
        PacketBody::Hello(hello) => write(OutgoingBody::Hello(hello)),
        PacketBody::DatabaseDescription(dd) => write(OutgoingBody::DatabaseDescription(dd)),
        PacketBody::LinkStateRequest(keys) => write(OutgoingBody::LinkStateRequest(keys)),
        PacketBody::LinkStateAck(headers) => write(OutgoingBody::LinkStateAck(headers)),
        PacketBody::LinkStateUpdate(lsas) => {
            let valid: Vec<(&Lsa, u16)> = lsas
                .iter()
                .filter_map(|lsa| match lsa {
                    UpdateLsa::Valid(lsa) => Some((lsa.as_ref(), lsa.header().age)),
                    UpdateLsa::Invalid { .. } => None,
                })
                .collect();
            write(OutgoingBody::LinkStateUpdate(&valid))
        }
    };
    let read = decode_header(&octets).expect("own header refused");
    assert!(read.checksum_is_valid());
    assert_eq!(verify(&read, &OspfAuthentication::Null, 0, None), Ok(None));
    read.decode_body().expect("own body refused")
}

/// One LSA. The first octet chooses a type to put into the header and whether to repair length and checksum:
/// without that no mutation would get past the first check.
pub fn ospf_lsa(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.u8();
    let mut octets = script.take(data.len()).to_vec();
    if choice & 0x80 != 0 {
        repair(&mut octets, LsType::KNOWN.get(usize::from(choice & 0x0f)).copied());
    }
    let lsa = match Lsa::decode(&octets) {
        Ok(lsa) => lsa,
        Err((_, reason)) => return assert!(!reason.to_string().is_empty()),
    };
    assert!(lsa.checksum_is_valid());
    assert_eq!(lsa.raw(), octets);
    let again = Lsa::decode(lsa.raw()).expect("decoded once, not twice");
    assert!(again == lsa && again.same_contents(&lsa));
    let LsaHeader { age, options, key, sequence, .. } = *lsa.header();
    // What the body means; entries that mean nothing (TOS metrics, unknown link types) are not written.
    let built = Lsa::build(LsaSpec { age, options, key, sequence }, lsa.body());
    assert_eq!(built.body(), lsa.body(), "built from its meaning, the LSA means something else");
    assert!(built.raw().len() <= lsa.raw().len());
}

/// Sets type, length and checksum.
fn repair(octets: &mut [u8], ls_type: Option<LsType>) {
    let Ok(length) = u16::try_from(octets.len()) else { return };
    if octets.len() < LsaHeader::LENGTH {
        return;
    }
    if let Some(ls_type) = ls_type {
        octets[3] = ls_type.code();
    }
    octets[18..20].copy_from_slice(&length.to_be_bytes());
    let sum = checksum::fletcher(&octets[2..], 14);
    octets[16..18].copy_from_slice(&sum.to_be_bytes());
}
