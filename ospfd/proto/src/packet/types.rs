//! The five packets as values. Options octets are plain bits here; see [`options`].

use crate::lsa::{Lsa, LsaError, LsaHeader, LsaKey};
use routing_common::id::{AreaId, RouterId};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Bits of the Options octet (RFC 2328 App. A.2, RFC 5250, RFC 5613).
pub mod options {
    /// AS-external-LSAs are flooded here (not a stub area).
    pub const E: u8 = 0x02;
    /// Multicast (RFC 1584); never set by us.
    pub const MC: u8 = 0x04;
    /// Type 7 LSAs (in Hellos) or "propagate" (in type 7 LSAs).
    pub const NP: u8 = 0x08;
    /// An LLS block follows the packet.
    pub const L: u8 = 0x10;
    /// Demand circuits.
    pub const DC: u8 = 0x20;
    /// Opaque LSAs (in Database Description packets).
    pub const O: u8 = 0x40;
}

/// A whole packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Who sent it.
    pub router_id: RouterId,
    /// For which area.
    pub area_id: AreaId,
    /// The rest, by type.
    pub body: PacketBody,
}

/// The packet types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacketBody {
    /// Type 1 (App. A.3.2).
    Hello(Hello),
    /// Type 2 (App. A.3.3).
    DatabaseDescription(DatabaseDescription),
    /// Type 3 (App. A.3.4).
    LinkStateRequest(Vec<LsaKey>),
    /// Type 4 (App. A.3.5).
    LinkStateUpdate(Vec<UpdateLsa>),
    /// Type 5 (App. A.3.6).
    LinkStateAck(Vec<LsaHeader>),
}

/// A Hello packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Network mask of the sending interface; 0 on unnumbered and virtual links.
    pub network_mask: Ipv4Addr,
    /// HelloInterval in seconds.
    pub hello_interval: u16,
    /// Options octet.
    pub options: u8,
    /// Router Priority.
    pub priority: u8,
    /// RouterDeadInterval in seconds.
    pub dead_interval: u32,
    /// Designated Router's interface address, or 0.
    pub designated_router: Ipv4Addr,
    /// Backup Designated Router's interface address, or 0.
    pub backup_designated_router: Ipv4Addr,
    /// Routers heard from recently.
    pub neighbors: Vec<RouterId>,
}

/// A Database Description packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseDescription {
    /// Largest IP datagram of the sending interface.
    pub interface_mtu: u16,
    /// Options octet.
    pub options: u8,
    /// Bit I.
    pub init: bool,
    /// Bit M.
    pub more: bool,
    /// Bit MS.
    pub master: bool,
    /// DD sequence number.
    pub sequence: u32,
    /// Headers of the sender's database.
    pub headers: Vec<LsaHeader>,
}

/// An LSA inside a Link State Update, or why this one cannot be used. One bad LSA does not spoil its
/// neighbours (RFC 2328 §13 step 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateLsa {
    /// Checksum right, type known, body decoded. `header().age` is the age on the wire.
    Valid(Arc<Lsa>),
    /// Checksum wrong, type unknown or body malformed.
    Invalid {
        /// Its header as far as it goes.
        header: LsaHeader,
        /// What is wrong.
        reason: LsaError,
    },
}
