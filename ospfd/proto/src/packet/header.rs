//! The 24-octet packet header (RFC 2328 App. A.3.1).

use core::fmt;
use routing_common::id::{AreaId, RouterId};
use routing_common::wire::{Reader, Truncated, checksum};
use serde::{Deserialize, Serialize};

/// Octets of the packet header.
pub const HEADER_LENGTH: usize = 24;

/// The version this is.
pub(super) const VERSION: u8 = 2;

/// Where the authentication field starts; it is left out of the checksum.
pub(super) const AUTH_OFFSET: usize = 16;

/// AuType values (RFC 2328 App. D).
pub(super) mod au_type {
    /// No authentication.
    pub(crate) const NULL: u16 = 0;
    /// A password in clear text.
    pub(crate) const SIMPLE: u16 = 1;
    /// A digest behind the packet.
    pub(crate) const CRYPTOGRAPHIC: u16 = 2;
}

/// The packet types of RFC 2328 App. A.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PacketType {
    /// 1
    Hello,
    /// 2
    DatabaseDescription,
    /// 3
    LinkStateRequest,
    /// 4
    LinkStateUpdate,
    /// 5
    LinkStateAck,
}

impl PacketType {
    /// All five, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Hello,
        Self::DatabaseDescription,
        Self::LinkStateRequest,
        Self::LinkStateUpdate,
        Self::LinkStateAck,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Hello => 1,
            Self::DatabaseDescription => 2,
            Self::LinkStateRequest => 3,
            Self::LinkStateUpdate => 4,
            Self::LinkStateAck => 5,
        }
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hello => "Hello",
            Self::DatabaseDescription => "Database Description",
            Self::LinkStateRequest => "Link State Request",
            Self::LinkStateUpdate => "Link State Update",
            Self::LinkStateAck => "Link State Acknowledgment",
        })
    }
}

/// Why octets are not an OSPFv2 packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Shorter than its header, or than its own length field says.
    #[error("truncated")]
    Truncated,
    /// Not version 2.
    #[error("version {0}, not 2")]
    Version(u8),
    /// Not one of the five types.
    #[error("packet type {0} unknown")]
    Type(u8),
    /// The length field is smaller than a header.
    #[error("length field {0} smaller than a header")]
    Length(u16),
    /// The body does not fit its type.
    #[error("{0} malformed")]
    Body(PacketType),
}

impl From<Truncated> for DecodeError {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

/// A packet whose header was read and nothing else yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawPacket<'a> {
    /// What kind of packet.
    pub packet_type: PacketType,
    /// Who says he sent it.
    pub router_id: RouterId,
    /// For which area.
    pub area_id: AreaId,
    /// AuType as on the wire.
    pub au_type: u16,
    pub(super) authentication: [u8; 8],
    pub(super) packet: &'a [u8],
    pub(super) trailer: &'a [u8],
}

/// Reads the header of an IP payload: version, type and length are checked, the rest is the caller's to
/// judge (RFC 2328 §8.2).
pub fn decode_header(payload: &[u8]) -> Result<RawPacket<'_>, DecodeError> {
    let mut r = Reader::new(payload);
    // A version is judged before anything that only version 2 defines.
    let version = r.u8()?;
    if version != VERSION {
        return Err(DecodeError::Version(version));
    }
    let code = r.u8()?;
    let length = r.u16()?;
    let router_id = RouterId(r.ipv4()?);
    let area_id = AreaId(r.ipv4()?);
    r.u16()?;
    let au_type = r.u16()?;
    let authentication = r.array()?;
    let packet_type =
        PacketType::ALL.into_iter().find(|t| t.code() == code).ok_or(DecodeError::Type(code))?;
    if usize::from(length) < HEADER_LENGTH {
        return Err(DecodeError::Length(length));
    }
    let (packet, trailer) = payload.split_at_checked(usize::from(length)).ok_or(DecodeError::Truncated)?;
    Ok(RawPacket { packet_type, router_id, area_id, au_type, authentication, packet, trailer })
}

impl<'a> RawPacket<'a> {
    /// The packet as its length field delimits it, header included.
    pub fn packet(&self) -> &'a [u8] {
        self.packet
    }

    /// What follows the packet in its IP datagram: a digest, an LLS block.
    pub fn trailer(&self) -> &'a [u8] {
        self.trailer
    }

    /// The packet without its header.
    pub fn body(&self) -> &'a [u8] {
        self.packet.get(HEADER_LENGTH..).unwrap_or_default()
    }

    /// Is the packet checksum right? It leaves the authentication field out, and cryptographic
    /// authentication does without it (RFC 2328 App. D.4).
    pub fn checksum_is_valid(&self) -> bool {
        if self.au_type == au_type::CRYPTOGRAPHIC {
            return true;
        }
        let head = self.packet.get(..AUTH_OFFSET).unwrap_or_default();
        checksum::internet(&[head, self.body()]) == 0
    }
}
