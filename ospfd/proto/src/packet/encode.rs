//! Packets to the wire (RFC 2328 App. A.3), and how much fits one.

use super::authentication::Signer;
use super::body::dd_bits;
use super::digest::LONGEST_DIGEST;
use super::header::{AUTH_OFFSET, HEADER_LENGTH, PacketType, VERSION, au_type};
use super::{DatabaseDescription, Hello};
use crate::lsa::{Lsa, LsaHeader, LsaKey};
use routing_common::config::OspfAuthentication;
use routing_common::id::{AreaId, RouterId};
use routing_common::key_chain::Algorithm;
use routing_common::wire::{Writer, checksum};

/// Octets of a Database Description's body before its headers.
pub const DD_FIXED: usize = 8;

/// Octets of a Link State Update's body before its LSAs.
pub const UPDATE_FIXED: usize = 4;

/// Octets of a Hello before its neighbours, and of one neighbour.
const HELLO_FIXED: usize = 20;
const HELLO_NEIGHBOR: usize = 4;

/// Octets of one entry of a Link State Request.
pub(super) const REQUEST_LENGTH: usize = 12;

/// Octets of an IPv4 header without options.
const IP_HEADER: usize = 20;

/// The packet's length and checksum fields.
const LENGTH_OFFSET: usize = 2;
const CHECKSUM_OFFSET: usize = 12;

/// A body to send. Lists are borrowed from where they live; LSAs come with their present age.
#[derive(Debug, Clone, Copy)]
pub enum OutgoingBody<'a> {
    /// Type 1.
    Hello(&'a Hello),
    /// Type 2.
    DatabaseDescription(&'a DatabaseDescription),
    /// Type 3.
    LinkStateRequest(&'a [LsaKey]),
    /// Type 4: each LSA with the LS age to send, InfTransDelay already added.
    LinkStateUpdate(&'a [(&'a Lsa, u16)]),
    /// Type 5.
    LinkStateAck(&'a [LsaHeader]),
}

impl OutgoingBody<'_> {
    /// Which packet it makes.
    pub fn packet_type(&self) -> PacketType {
        match self {
            Self::Hello(_) => PacketType::Hello,
            Self::DatabaseDescription(_) => PacketType::DatabaseDescription,
            Self::LinkStateRequest(_) => PacketType::LinkStateRequest,
            Self::LinkStateUpdate(_) => PacketType::LinkStateUpdate,
            Self::LinkStateAck(_) => PacketType::LinkStateAck,
        }
    }

    /// How many octets it has, so that the buffer is made once.
    fn length(&self) -> usize {
        match self {
            Self::Hello(hello) => HELLO_FIXED + HELLO_NEIGHBOR * hello.neighbors.len(),
            Self::DatabaseDescription(dd) => DD_FIXED + LsaHeader::LENGTH * dd.headers.len(),
            Self::LinkStateRequest(keys) => REQUEST_LENGTH * keys.len(),
            Self::LinkStateUpdate(lsas) => {
                UPDATE_FIXED + lsas.iter().map(|(lsa, _)| lsa.raw().len()).sum::<usize>()
            }
            Self::LinkStateAck(headers) => LsaHeader::LENGTH * headers.len(),
        }
    }

    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Hello(hello) => encode_hello(hello, w),
            Self::DatabaseDescription(dd) => encode_description(dd, w),
            Self::LinkStateRequest(keys) => {
                for key in *keys {
                    w.u32(u32::from(key.ls_type.code()))
                        .ipv4(key.link_state_id)
                        .ipv4(key.advertising_router.0);
                }
            }
            Self::LinkStateUpdate(lsas) => {
                w.u32(u32::try_from(lsas.len()).unwrap_or(u32::MAX));
                for (lsa, age) in *lsas {
                    lsa.write_with_age(*age, w);
                }
            }
            Self::LinkStateAck(headers) => headers.iter().for_each(|h| h.encode(w)),
        }
    }
}

fn encode_hello(hello: &Hello, w: &mut Writer) {
    w.ipv4(hello.network_mask)
        .u16(hello.hello_interval)
        .u8(hello.options)
        .u8(hello.priority)
        .u32(hello.dead_interval)
        .ipv4(hello.designated_router)
        .ipv4(hello.backup_designated_router);
    for neighbor in &hello.neighbors {
        w.ipv4(neighbor.0);
    }
}

fn encode_description(dd: &DatabaseDescription, w: &mut Writer) {
    let bit = |set: bool, bit: u8| if set { bit } else { 0 };
    w.u16(dd.interface_mtu)
        .u8(dd.options)
        .u8(bit(dd.init, dd_bits::I) | bit(dd.more, dd_bits::M) | bit(dd.master, dd_bits::MS))
        .u32(dd.sequence);
    dd.headers.iter().for_each(|h| h.encode(w));
}

/// A whole packet, checksummed and signed: the payload of an IP datagram of protocol 89. The caller keeps
/// the body within [`max_payload`], or at least within what an IP datagram holds.
pub fn encode(router_id: RouterId, area_id: AreaId, body: &OutgoingBody<'_>, signer: &Signer<'_>) -> Vec<u8> {
    let mut w = Writer::with_capacity(HEADER_LENGTH + body.length() + LONGEST_DIGEST);
    w.u8(VERSION)
        .u8(body.packet_type().code())
        .u16(0)
        .ipv4(router_id.0)
        .ipv4(area_id.0)
        .u16(0)
        .u16(signer.au_type())
        .bytes(&[0; HEADER_LENGTH - AUTH_OFFSET]);
    body.encode(&mut w);
    w.patch_u16(LENGTH_OFFSET, u16::try_from(w.len()).unwrap_or(u16::MAX));
    if signer.au_type() != au_type::CRYPTOGRAPHIC {
        // The authentication field is still 0, so summing it in changes nothing.
        let sum = checksum::internet(&[w.as_slice()]);
        w.patch_u16(CHECKSUM_OFFSET, sum);
    }
    signer.sign(w.into_vec())
}

/// The octets of body (what follows the 24-octet header) that fit one unfragmented IP datagram, whichever key of a
/// chain signs it.
pub fn max_payload(mtu: u16, auth: &OspfAuthentication) -> usize {
    let digest = match auth {
        OspfAuthentication::Md5(_) => Algorithm::Md5.digest_length(),
        OspfAuthentication::KeyChain(chain) => chain.longest_digest(),
        OspfAuthentication::Null | OspfAuthentication::Simple(_) => 0,
    };
    usize::from(mtu).saturating_sub(IP_HEADER + HEADER_LENGTH + usize::from(digest))
}

/// How many LSA headers fit a Link State Acknowledgment of `max_payload` octets; at least one.
pub fn headers_per_ack(max_payload: usize) -> usize {
    (max_payload / LsaHeader::LENGTH).max(1)
}

/// How many LSA headers fit a Database Description packet of `max_payload` octets; at least one.
pub fn headers_per_description(max_payload: usize) -> usize {
    headers_per_ack(max_payload.saturating_sub(DD_FIXED))
}

/// How many entries fit a Link State Request of `max_payload` octets; at least one.
pub fn requests_per_packet(max_payload: usize) -> usize {
    (max_payload / REQUEST_LENGTH).max(1)
}

/// Deals LSAs, in their order, into Link State Updates of at most `max_payload` octets. An LSA too large
/// for that goes alone and is fragmented by IP (RFC 2328 App. A.1).
pub fn pack_updates<'s, 'a>(
    mut lsas: &'s [(&'a Lsa, u16)],
    max_payload: usize,
) -> impl Iterator<Item = &'s [(&'a Lsa, u16)]> {
    core::iter::from_fn(move || {
        let mut used = UPDATE_FIXED;
        let fits = |(lsa, _): &(&Lsa, u16)| {
            used += lsa.raw().len();
            used <= max_payload
        };
        let count = lsas.iter().copied().take_while(fits).count().max(1);
        let (packet, rest) = lsas.split_at_checked(count)?;
        lsas = rest;
        Some(packet)
    })
}
