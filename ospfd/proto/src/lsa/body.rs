//! LSA bodies on the wire (RFC 2328 App. A.4.2 to A.4.5, RFC 3101 App. C, RFC 5250 App. A.2).
//!
//! Reading wants a body whose parts fill it exactly: a link count that promises more, or less, than
//! there is makes the LSA malformed. Unused bits are ignored, as the RFC wants.

use super::{
    ExternalLsa, LsType, LsaBody, LsaError, NetworkLsa, RouterLink, RouterLinkKind, RouterLsa, SummaryLsa,
};
use crate::constants::LS_INFINITY;
use routing_common::id::RouterId;
use routing_common::wire::{Reader, Truncated, Writer};
use std::net::Ipv4Addr;

/// Bits of a router-LSA's first octet.
const BIT_V: u8 = 0x04;
const BIT_E: u8 = 0x02;
const BIT_B: u8 = 0x01;

/// Type 2 metric bit of an AS-external-LSA.
const BIT_TYPE2: u8 = 0x80;

/// Octets of one TOS entry of a router-LSA link or a summary-LSA.
const TOS_ENTRY: usize = 4;

/// Octets of one TOS entry of an AS-external-LSA.
const EXTERNAL_TOS_ENTRY: usize = 12;

impl From<Truncated> for LsaError {
    fn from(_: Truncated) -> Self {
        Self::Malformed
    }
}

impl LsaBody {
    /// Reads the body of an LSA of type `ls_type`; `bytes` is everything after the header.
    pub(super) fn decode(ls_type: LsType, bytes: &[u8]) -> Result<Self, LsaError> {
        let mut r = Reader::new(bytes);
        let body = match ls_type {
            LsType::Router => Self::Router(decode_router(&mut r)?),
            LsType::Network => Self::Network(decode_network(&mut r)?),
            LsType::SummaryNetwork => Self::SummaryNetwork(decode_summary(&mut r)?),
            LsType::SummaryAsbr => {
                Self::SummaryAsbr(SummaryLsa { mask: Ipv4Addr::UNSPECIFIED, ..decode_summary(&mut r)? })
            }
            LsType::AsExternal => Self::AsExternal(decode_external(&mut r)?),
            LsType::Nssa => Self::Nssa(decode_external(&mut r)?),
            LsType::OpaqueLink | LsType::OpaqueArea | LsType::OpaqueAs => Self::Opaque(r.take_rest().into()),
            LsType::Unknown(_) => return Err(LsaError::UnknownType),
        };
        if r.is_empty() { Ok(body) } else { Err(LsaError::Malformed) }
    }

    /// Appends the body, leaving out list entries that would make it longer than `room` octets.
    pub(super) fn encode(&self, room: usize, w: &mut Writer) {
        match self {
            Self::Router(b) => encode_router(b, room, w),
            Self::Network(b) => encode_network(b, room, w),
            Self::SummaryNetwork(b) => encode_summary(b.mask, b.metric, w),
            Self::SummaryAsbr(b) => encode_summary(Ipv4Addr::UNSPECIFIED, b.metric, w),
            Self::AsExternal(b) | Self::Nssa(b) => encode_external(b, w),
            Self::Opaque(bytes) => {
                w.bytes(bytes.get(..room).unwrap_or(bytes));
            }
        }
    }

    /// May an LSA of type `ls_type` have this body?
    pub fn fits(&self, ls_type: LsType) -> bool {
        match self {
            Self::Router(_) => ls_type == LsType::Router,
            Self::Network(_) => ls_type == LsType::Network,
            Self::SummaryNetwork(_) => ls_type == LsType::SummaryNetwork,
            Self::SummaryAsbr(_) => ls_type == LsType::SummaryAsbr,
            Self::AsExternal(_) => ls_type == LsType::AsExternal,
            Self::Nssa(_) => ls_type == LsType::Nssa,
            Self::Opaque(_) => {
                matches!(ls_type, LsType::OpaqueLink | LsType::OpaqueArea | LsType::OpaqueAs)
            }
        }
    }
}

fn decode_router(r: &mut Reader<'_>) -> Result<RouterLsa, LsaError> {
    let flags = r.u8()?;
    r.u8()?;
    let count = r.u16()?;
    // The count is the peer's word; what there is room for is not.
    let mut links = Vec::with_capacity(usize::from(count).min(r.remaining() / RouterLink::LENGTH));
    for _ in 0..count {
        links.extend(decode_link(r)?);
    }
    Ok(RouterLsa {
        virtual_link_endpoint: flags & BIT_V != 0,
        as_boundary: flags & BIT_E != 0,
        area_border: flags & BIT_B != 0,
        links,
    })
}

/// One link; `None` if its type is unknown.
fn decode_link(r: &mut Reader<'_>) -> Result<Option<RouterLink>, Truncated> {
    let id = r.ipv4()?;
    let data = r.ipv4()?;
    let link_type = r.u8()?;
    let tos_entries = usize::from(r.u8()?);
    let metric = r.u16()?;
    r.take(tos_entries * TOS_ENTRY)?;
    let kind = match link_type {
        1 => RouterLinkKind::PointToPoint { neighbor: RouterId(id), data },
        2 => RouterLinkKind::Transit { designated_router: id, address: data },
        3 => RouterLinkKind::Stub { network: id, mask: data },
        4 => RouterLinkKind::Virtual { neighbor: RouterId(id), address: data },
        _ => return Ok(None),
    };
    Ok(Some(RouterLink { kind, metric }))
}

impl RouterLink {
    /// Octets of a link without TOS entries.
    const LENGTH: usize = 12;

    fn encode(&self, w: &mut Writer) {
        let (code, id, data) = match self.kind {
            RouterLinkKind::PointToPoint { neighbor, data } => (1, neighbor.0, data),
            RouterLinkKind::Transit { designated_router, address } => (2, designated_router, address),
            RouterLinkKind::Stub { network, mask } => (3, network, mask),
            RouterLinkKind::Virtual { neighbor, address } => (4, neighbor.0, address),
        };
        w.ipv4(id).ipv4(data).u8(code).u8(0).u16(self.metric);
    }
}

fn encode_router(b: &RouterLsa, room: usize, w: &mut Writer) {
    let bit = |set: bool, bit: u8| if set { bit } else { 0 };
    w.u8(bit(b.virtual_link_endpoint, BIT_V) | bit(b.as_boundary, BIT_E) | bit(b.area_border, BIT_B)).u8(0);
    let fitting = room.saturating_sub(4) / RouterLink::LENGTH;
    let links = b.links.get(..fitting).unwrap_or(&b.links);
    // `room` is below 65536, so the count fits its field.
    w.u16(u16::try_from(links.len()).unwrap_or(u16::MAX));
    for link in links {
        link.encode(w);
    }
}

fn decode_network(r: &mut Reader<'_>) -> Result<NetworkLsa, LsaError> {
    let mask = r.ipv4()?;
    let mut attached_routers = Vec::with_capacity(r.remaining() / 4);
    while !r.is_empty() {
        attached_routers.push(RouterId(r.ipv4()?));
    }
    Ok(NetworkLsa { mask, attached_routers })
}

fn encode_network(b: &NetworkLsa, room: usize, w: &mut Writer) {
    w.ipv4(b.mask);
    for router in b.attached_routers.iter().take(room.saturating_sub(4) / 4) {
        w.ipv4(router.0);
    }
}

fn decode_summary(r: &mut Reader<'_>) -> Result<SummaryLsa, LsaError> {
    let mask = r.ipv4()?;
    r.u8()?;
    let metric = r.u24()?;
    skip_tos(r, TOS_ENTRY)?;
    Ok(SummaryLsa { mask, metric })
}

fn encode_summary(mask: Ipv4Addr, metric: u32, w: &mut Writer) {
    w.ipv4(mask).u8(0).u24(metric.min(LS_INFINITY));
}

fn decode_external(r: &mut Reader<'_>) -> Result<ExternalLsa, LsaError> {
    let lsa = ExternalLsa {
        mask: r.ipv4()?,
        type2: r.u8()? & BIT_TYPE2 != 0,
        metric: r.u24()?,
        forwarding_address: r.ipv4()?,
        tag: r.u32()?,
    };
    skip_tos(r, EXTERNAL_TOS_ENTRY)?;
    Ok(lsa)
}

fn encode_external(b: &ExternalLsa, w: &mut Writer) {
    w.ipv4(b.mask)
        .u8(if b.type2 { BIT_TYPE2 } else { 0 })
        .u24(b.metric.min(LS_INFINITY))
        .ipv4(b.forwarding_address)
        .u32(b.tag);
}

/// Skips whole TOS entries up to the end; what is left of a broken one stays unread.
fn skip_tos(r: &mut Reader<'_>, entry: usize) -> Result<(), Truncated> {
    let whole = r.remaining() / entry * entry;
    r.take(whole).map(|_| ())
}
