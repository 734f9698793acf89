//! OSPFv2 and VRRP on the wire, read a second time.
//!
//! The laws must not ask the engines' own decoders whether the engines' encoders are right, so here the formats
//! are written down once more, straight from the RFCs' pictures, strict and slow: RFC 2328 App. A and D,
//! RFC 5709 §3.3, RFC 3768 §5, RFC 9568 §5. Nothing here is shared with `ospf_proto` or `vrrp_proto`.

use core::cmp::Ordering;
use md5::{Digest, Md5};
use routing_common::config::OspfAuthentication;
use routing_common::key_chain::{Algorithm, ChainKey};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use std::net::Ipv4Addr;

/// LS age at which an LSA is at its end (s).
pub(crate) const MAX_AGE: u16 = 3600;
/// Ages further apart than this belong to different instances (s).
const MAX_AGE_DIFF: u16 = 900;
/// Octets of an OSPF header, and of an LSA's.
const HEADER: usize = 24;
const LSA_HEADER: usize = 20;

/// Two octets at a place, 0 where there are none.
pub(crate) fn u16_at(octets: &[u8], at: usize) -> u16 {
    octets.get(at..at + 2).map_or(0, |o| u16::from_be_bytes([o[0], o[1]]))
}

/// Four octets at a place, 0 where there are none.
pub(crate) fn u32_at(octets: &[u8], at: usize) -> u32 {
    u32::from(u16_at(octets, at)) << 16 | u32::from(u16_at(octets, at + 2))
}

/// An address at a place.
pub(crate) fn address_at(octets: &[u8], at: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32_at(octets, at))
}

/// RFC 1071: the sum of 16-bit words, 0xffff where a checksum is in its place and right.
pub(crate) fn internet_sum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u64;
    for part in parts {
        for word in part.chunks(2) {
            sum += u64::from(word[0]) << 8 | u64::from(*word.get(1).unwrap_or(&0));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// RFC 905 Annex B over an LSA without its age: both sums are 0.
fn fletcher_holds(octets: &[u8]) -> bool {
    let (mut first, mut second) = (0u32, 0u32);
    for octet in octets {
        first = (first + u32::from(*octet)) % 255;
        second = (second + first) % 255;
    }
    first == 0 && second == 0
}

/// An OSPF packet whose header and authentication are right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet<'a> {
    /// 1 to 5.
    pub kind: u8,
    pub router_id: Ipv4Addr,
    pub area: Ipv4Addr,
    /// Octets that follow the packet as its length field delimits it.
    pub trailer: &'a [u8],
    pub body: &'a [u8],
    /// Cryptographic sequence number.
    pub sequence: Option<u32>,
}

/// What every receiver must check before it looks at anything else (RFC 2328 §8.2, App. D.5).
pub(crate) fn ospf<'a>(payload: &'a [u8], key: &OspfAuthentication) -> Result<Packet<'a>, String> {
    let length = usize::from(u16_at(payload, 2));
    if payload.len() < HEADER || length < HEADER || length > payload.len() {
        return Err(format!("length field {length} in {} octets", payload.len()));
    }
    let (packet, trailer) = payload.split_at(length);
    if packet[0] != 2 || !(1..=5).contains(&packet[1]) {
        return Err(format!("version {} type {}", packet[0], packet[1]));
    }
    let au_type = u16_at(packet, 14);
    let field = &packet[16..HEADER];
    let mut sequence = None;
    match key {
        OspfAuthentication::Null if au_type == 0 => {}
        OspfAuthentication::Simple(secret) if au_type == 1 => {
            if field != filled::<8>(secret.expose()) {
                return Err("another password".to_owned());
            }
        }
        OspfAuthentication::Md5(keys) if au_type == 2 => {
            let secret = keys.iter().find(|k| k.id == field[2]).ok_or("no such Key ID")?;
            if field[3] != 16 || trailer.len() < 16 {
                return Err("no digest of 16 octets".to_owned());
            }
            if md5(packet, secret.secret.expose()) != trailer[..16] {
                return Err("digest differs".to_owned());
            }
            sequence = Some(u32_at(field, 4));
        }
        OspfAuthentication::KeyChain(chain) if au_type == 2 => {
            // In its time or not: the laws about times know the clock, this does not.
            let key = chain.keys.iter().find(|k| k.id == field[2]).ok_or("no such Key ID")?;
            let digest = digest(key, packet);
            if usize::from(field[3]) != digest.len() || trailer.get(..digest.len()) != Some(&digest) {
                return Err("digest differs".to_owned());
            }
            sequence = Some(u32_at(field, 4));
        }
        _ => return Err(format!("AuType {au_type}")),
    }
    if au_type != 2 && internet_sum(&[&packet[..16], &packet[HEADER..]]) != 0xffff {
        return Err("checksum".to_owned());
    }
    Ok(Packet {
        kind: packet[1],
        router_id: address_at(packet, 4),
        area: address_at(packet, 8),
        trailer,
        body: &packet[HEADER..],
        sequence,
    })
}

fn digest(key: &ChainKey, packet: &[u8]) -> Vec<u8> {
    let secret = key.secret.expose();
    match key.algorithm {
        Algorithm::Md5 => md5(packet, secret),
        Algorithm::HmacSha1 => hmac::<Sha1>(packet, secret, 64),
        Algorithm::HmacSha256 => hmac::<Sha256>(packet, secret, 64),
        Algorithm::HmacSha384 => hmac::<Sha384>(packet, secret, 128),
        Algorithm::HmacSha512 => hmac::<Sha512>(packet, secret, 128),
    }
}

fn md5(packet: &[u8], secret: &[u8]) -> Vec<u8> {
    Md5::digest([packet, &filled::<16>(secret)].concat()).to_vec()
}

/// RFC 5709 §3.3, step by step, but that keys up to the block are not hashed; `block` is what it calls B.
fn hmac<H: Digest>(packet: &[u8], secret: &[u8], block: usize) -> Vec<u8> {
    let length = <H as Digest>::output_size();
    let mut ko = if secret.len() > block { H::digest(secret).to_vec() } else { secret.to_vec() };
    ko.resize(block, 0);
    let xor = |pad: u8| ko.iter().map(|o| o ^ pad).collect::<Vec<u8>>();
    let apad = [0x87, 0x8f, 0xe1, 0xf3].repeat(length / 4);
    let first = H::digest([&xor(0x36), packet, &apad].concat());
    H::digest([&xor(0x5c), &first[..]].concat()).to_vec()
}

fn filled<const N: usize>(secret: &[u8]) -> [u8; N] {
    core::array::from_fn(|n| *secret.get(n).unwrap_or(&0))
}

/// An LSA, or its header alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lsa<'a> {
    pub age: u16,
    pub kind: u8,
    pub id: Ipv4Addr,
    pub router: Ipv4Addr,
    pub sequence: i32,
    pub checksum: u16,
    pub length: u16,
    pub octets: &'a [u8],
}

/// Reads an LSA's header at the beginning of some octets.
pub(crate) fn lsa_header(octets: &[u8]) -> Result<Lsa<'_>, String> {
    let octets = octets.get(..LSA_HEADER).ok_or("LSA header cut off")?;
    Ok(Lsa {
        age: u16_at(octets, 0),
        kind: octets[3],
        id: address_at(octets, 4),
        router: address_at(octets, 8),
        sequence: u32_at(octets, 12) as i32,
        checksum: u16_at(octets, 16),
        length: u16_at(octets, 18),
        octets,
    })
}

impl Lsa<'_> {
    /// RFC 2328 §13.1: is `self` a newer instance than `other`?
    pub(crate) fn compare(&self, other: &Lsa<'_>) -> Ordering {
        if self.sequence != other.sequence {
            return self.sequence.cmp(&other.sequence);
        }
        if self.checksum != other.checksum {
            return self.checksum.cmp(&other.checksum);
        }
        match (self.age >= MAX_AGE, other.age >= MAX_AGE) {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ if self.age.abs_diff(other.age) > MAX_AGE_DIFF => other.age.cmp(&self.age),
            _ => Ordering::Equal,
        }
    }

    /// Is its LS checksum right? Only for whole LSAs.
    pub(crate) fn sums_up(&self) -> bool {
        fletcher_holds(&self.octets[2..])
    }
}

/// The headers of a list that consists of nothing else.
pub(crate) fn lsa_headers(octets: &[u8]) -> Result<Vec<Lsa<'_>>, String> {
    octets.chunks(LSA_HEADER).map(lsa_header).collect()
}

/// The LSAs of a Link State Update's body (App. A.3.5).
pub(crate) fn update(body: &[u8]) -> Result<Vec<Lsa<'_>>, String> {
    let mut rest = body.get(4..).ok_or("update without count")?;
    let mut lsas = Vec::new();
    for _ in 0..u32_at(body, 0) {
        let header = lsa_header(rest)?;
        let length = usize::from(header.length).max(LSA_HEADER);
        let octets = rest.get(..length).ok_or("LSA longer than the packet")?;
        lsas.push(Lsa { octets, ..header });
        rest = &rest[length..];
    }
    match rest {
        [] => Ok(lsas),
        _ => Err(format!("{} octets behind the last LSA", rest.len())),
    }
}

/// Is this a whole and sound LSA, as its originator must build it (App. A.4)?
pub(crate) fn check_lsa(lsa: &Lsa<'_>) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("LSA type {} {} of {}: {what}", lsa.kind, lsa.id, lsa.router));
    if usize::from(lsa.length) != lsa.octets.len() {
        return wrong("length field");
    }
    if !lsa.sums_up() || lsa.checksum == 0 {
        return wrong("LS checksum");
    }
    if lsa.sequence == i32::MIN {
        return wrong("reserved sequence number");
    }
    let body = &lsa.octets[LSA_HEADER..];
    match lsa.kind {
        1 => {
            let mut rest = body.get(4..).unwrap_or_default();
            for _ in 0..u16_at(body, 2) {
                let metrics = rest.get(9).copied().unwrap_or(0);
                let length = 12 + 4 * usize::from(metrics);
                if rest.len() < length || !(1..=4).contains(&rest[8]) {
                    return wrong("links");
                }
                rest = &rest[length..];
            }
            if body.len() < 4 || !rest.is_empty() || lsa.id != lsa.router {
                return wrong("router-LSA");
            }
        }
        2 if body.len() < 8 || !body.len().is_multiple_of(4) || !is_mask(u32_at(body, 0)) => {
            return wrong("network-LSA");
        }
        3 if body.len() != 8 || !is_mask(u32_at(body, 0)) => return wrong("summary-LSA"),
        4 if body.len() != 8 => return wrong("ASBR-summary-LSA"),
        5 if body.len() != 16 || !is_mask(u32_at(body, 0)) => return wrong("AS-external-LSA"),
        1..=5 | 9..=11 => {}
        _ => return wrong("type"),
    }
    Ok(())
}

fn is_mask(bits: u32) -> bool {
    bits.leading_ones() + bits.trailing_zeros() >= 32
}

/// A VRRP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Advertisement {
    pub version: u8,
    pub vrid: u8,
    pub priority: u8,
    /// As in the header: seconds in version 2, hundredths in version 3.
    pub interval: u16,
    pub addresses: Vec<Ipv4Addr>,
    /// Octets the message declares to have.
    pub length: usize,
}

/// Reads a VRRP message and checks its sum (RFC 3768 §7.1, RFC 9568 §7.1; version 3 with and without
/// pseudo-header, as both are on the wire).
pub(crate) fn vrrp(payload: &[u8], source: Ipv4Addr, to: Ipv4Addr) -> Result<Advertisement, String> {
    let [first, vrid, priority, count, ..] = *payload else { return Err("cut off".to_owned()) };
    let version = first >> 4;
    if !(2..=3).contains(&version) || first & 15 != 1 {
        return Err(format!("first octet {first:#x}"));
    }
    let length = 8 + 4 * usize::from(count) + if version == 2 { 8 } else { 0 };
    let message = payload.get(..length).ok_or("shorter than it declares")?;
    let [high, low] = (length as u16).to_be_bytes();
    let pseudo = [&source.octets()[..], &to.octets(), &[0, 112, high, low]].concat();
    let plain = internet_sum(&[message]) == 0xffff;
    if !plain && (version == 2 || internet_sum(&[&pseudo, message]) != 0xffff) {
        return Err("checksum".to_owned());
    }
    let interval = if version == 2 { u16::from(message[5]) } else { u16_at(message, 4) & 0x0fff };
    let addresses = (0..usize::from(count)).map(|n| address_at(message, 8 + 4 * n)).collect();
    Ok(Advertisement { version, vrid, priority, interval, addresses, length })
}

/// A BFD Control packet (RFC 5880 §4.1), without authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Control {
    pub diagnostic: u8,
    pub state: u8,
    pub poll: bool,
    pub is_final: bool,
    pub multiplier: u8,
    pub my_discriminator: u32,
    pub your_discriminator: u32,
    /// Microseconds.
    pub desired_min_tx: u32,
    /// Microseconds.
    pub required_min_rx: u32,
}

/// Reads a Control packet with those checks of RFC 5880 §6.8.6 that need no session.
pub(crate) fn bfd(payload: &[u8]) -> Result<Control, String> {
    let [first, second, multiplier, length, ..] = *payload else { return Err("cut off".to_owned()) };
    let (state, my_discriminator, your_discriminator) = (second >> 6, u32_at(payload, 4), u32_at(payload, 8));
    let wrong = match () {
        () if first >> 5 != 1 => "version",
        () if length < 24 || usize::from(length) > payload.len() => "length",
        () if multiplier == 0 => "Detect Mult",
        () if second & 0b101 != 0 => "Authentication or Multipoint bit",
        () if my_discriminator == 0 => "My Discriminator",
        () if your_discriminator == 0 && state >= 2 => "Your Discriminator",
        () => {
            return Ok(Control {
                diagnostic: first & 0x1f,
                state,
                poll: second & 0x20 != 0,
                is_final: second & 0x10 != 0,
                multiplier,
                my_discriminator,
                your_discriminator,
                desired_min_tx: u32_at(payload, 12),
                required_min_rx: u32_at(payload, 16),
            });
        }
    };
    Err(wrong.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Hello of RFC 2328's picture: 10.0.0.1, area 0, /24, 10 s, E, priority 1, 40 s.
    fn hello() -> Vec<u8> {
        let mut p = vec![2, 1, 0, 44, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        p.extend([255, 255, 255, 0, 0, 10, 2, 1, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0]);
        let sum = !internet_sum(&[&p]);
        p[12..14].copy_from_slice(&sum.to_be_bytes());
        p
    }

    #[test]
    fn a_packet_with_any_bit_wrong_is_refused_unless_nothing_covers_the_bit() {
        let right = hello();
        assert_eq!(ospf(&right, &OspfAuthentication::Null).unwrap().router_id, Ipv4Addr::new(10, 0, 0, 1));
        for bit in 0..right.len() * 8 {
            let mut bent = right.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            let covered = !(16..24).contains(&(bit / 8));
            assert_eq!(ospf(&bent, &OspfAuthentication::Null).is_err(), covered, "bit {bit}");
        }
    }

    #[test]
    fn an_instance_is_newer_as_section_13_1_says() {
        let octets = [0; 20];
        let of = |sequence, checksum, age| Lsa { sequence, checksum, age, ..lsa_header(&octets).unwrap() };
        let old = of(-5, 7, 1000);
        assert_eq!(of(-4, 1, 3600).compare(&old), Ordering::Greater);
        assert_eq!(of(-5, 8, 0).compare(&old), Ordering::Greater);
        assert_eq!(of(-5, 7, 3600).compare(&old), Ordering::Greater);
        assert_eq!(of(-5, 7, 99).compare(&old), Ordering::Greater);
        assert_eq!(of(-5, 7, 100).compare(&old), Ordering::Equal);
        assert_eq!(of(-5, 7, 1901).compare(&old), Ordering::Less);
    }

    #[test]
    fn a_virtual_routers_message_needs_its_sum() {
        let (from, to) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(224, 0, 0, 18));
        let mut message = vec![0x31, 10, 100, 1, 0, 100, 0, 0, 10, 0, 0, 9];
        let sum = !internet_sum(&[&message]);
        message[6..8].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(vrrp(&message, from, to).unwrap().interval, 100);
        message[2] ^= 1;
        assert!(vrrp(&message, from, to).is_err());
    }
}
