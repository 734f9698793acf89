//! Packet bodies from the wire (RFC 2328 App. A.3.2 to A.3.6).
//!
//! A body must be filled exactly by what it says it holds.

use super::{DatabaseDescription, DecodeError, Hello, PacketBody, PacketType, RawPacket, UpdateLsa};
use crate::lsa::{LsType, Lsa, LsaHeader, LsaKey};
use routing_common::id::RouterId;
use routing_common::wire::{Reader, Truncated};
use std::sync::Arc;

/// Bits of a Database Description packet's flags octet.
pub(super) mod dd_bits {
    /// Init.
    pub(crate) const I: u8 = 0x04;
    /// More.
    pub(crate) const M: u8 = 0x02;
    /// Master.
    pub(crate) const MS: u8 = 0x01;
}

impl<'a> RawPacket<'a> {
    /// The LSAs of a Link State Update, each to be read with [`UpdateLsa::decode`]; what
    /// [`RawPacket::decode_body`] does, for a receiver that knows some of them already.
    pub fn update_lsas(&self) -> Result<Vec<&'a [u8]>, DecodeError> {
        let mut r = Reader::new(self.body());
        match split_update(&mut r) {
            Ok(lsas) if r.is_empty() => Ok(lsas),
            Ok(_) | Err(Truncated { .. }) => Err(DecodeError::Body(self.packet_type)),
        }
    }

    /// Reads the body. LSAs inside a Link State Update are judged one by one.
    pub fn decode_body(&self) -> Result<PacketBody, DecodeError> {
        let mut r = Reader::new(self.body());
        let body = match self.packet_type {
            PacketType::Hello => decode_hello(&mut r).map(PacketBody::Hello),
            PacketType::DatabaseDescription => {
                decode_description(&mut r).map(PacketBody::DatabaseDescription)
            }
            PacketType::LinkStateRequest => decode_request(&mut r).map(PacketBody::LinkStateRequest),
            PacketType::LinkStateUpdate => decode_update(&mut r).map(PacketBody::LinkStateUpdate),
            PacketType::LinkStateAck => decode_headers(&mut r).map(PacketBody::LinkStateAck),
        };
        match body {
            Ok(body) if r.is_empty() => Ok(body),
            Ok(_) | Err(Truncated { .. }) => Err(DecodeError::Body(self.packet_type)),
        }
    }
}

fn decode_hello(r: &mut Reader<'_>) -> Result<Hello, Truncated> {
    let mut hello = Hello {
        network_mask: r.ipv4()?,
        hello_interval: r.u16()?,
        options: r.u8()?,
        priority: r.u8()?,
        dead_interval: r.u32()?,
        designated_router: r.ipv4()?,
        backup_designated_router: r.ipv4()?,
        neighbors: Vec::with_capacity(r.remaining() / 4),
    };
    while !r.is_empty() {
        hello.neighbors.push(RouterId(r.ipv4()?));
    }
    Ok(hello)
}

fn decode_description(r: &mut Reader<'_>) -> Result<DatabaseDescription, Truncated> {
    let interface_mtu = r.u16()?;
    let options = r.u8()?;
    let flags = r.u8()?;
    Ok(DatabaseDescription {
        interface_mtu,
        options,
        init: flags & dd_bits::I != 0,
        more: flags & dd_bits::M != 0,
        master: flags & dd_bits::MS != 0,
        sequence: r.u32()?,
        headers: decode_headers(r)?,
    })
}

fn decode_headers(r: &mut Reader<'_>) -> Result<Vec<LsaHeader>, Truncated> {
    let mut headers = Vec::with_capacity(r.remaining() / LsaHeader::LENGTH);
    while !r.is_empty() {
        headers.push(LsaHeader::decode(r)?);
    }
    Ok(headers)
}

/// The LS type of a request is 32 bits wide. A number no LSA can have becomes type 0, which no database
/// holds either, so that the request ends in BadLSReq (RFC 2328 §10.7) like any other for an LSA we lack.
fn decode_request(r: &mut Reader<'_>) -> Result<Vec<LsaKey>, Truncated> {
    let mut keys = Vec::with_capacity(r.remaining() / super::encode::REQUEST_LENGTH);
    while !r.is_empty() {
        keys.push(LsaKey {
            ls_type: LsType::from(u8::try_from(r.u32()?).unwrap_or(0)),
            link_state_id: r.ipv4()?,
            advertising_router: RouterId(r.ipv4()?),
        });
    }
    Ok(keys)
}

fn decode_update(r: &mut Reader<'_>) -> Result<Vec<UpdateLsa>, Truncated> {
    Ok(split_update(r)?.into_iter().map(UpdateLsa::decode).collect())
}

/// The octets of each LSA.
fn split_update<'a>(r: &mut Reader<'a>) -> Result<Vec<&'a [u8]>, Truncated> {
    let count = r.u32()?;
    // The count is the peer's word; what there is room for is not.
    let room = r.remaining() / LsaHeader::LENGTH;
    let mut lsas = Vec::with_capacity(usize::try_from(count).unwrap_or(usize::MAX).min(room));
    for _ in 0..count {
        let at = r.position();
        let length = usize::from(LsaHeader::decode(&mut r.clone())?.length);
        if length < LsaHeader::LENGTH {
            // There is no telling where the next LSA would start.
            return Err(Truncated { at });
        }
        lsas.push(r.take(length)?);
    }
    Ok(lsas)
}

impl UpdateLsa {
    /// Reads one LSA; `bytes` must be exactly it.
    pub fn decode(bytes: &[u8]) -> Self {
        match Lsa::decode(bytes) {
            Ok(lsa) => Self::Valid(Arc::new(lsa)),
            Err((header, reason)) => Self::Invalid { header, reason },
        }
    }
}
