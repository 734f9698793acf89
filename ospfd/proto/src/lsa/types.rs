//! The parts of an LSA as values.

use core::cmp::Ordering;
use ipnetwork::Ipv4Network;
use routing_common::id::RouterId;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::net::Ipv4Addr;

/// LS type (RFC 2328 App. A.4.1, RFC 3101, RFC 5250). The order is that of the numbers, and of the database. The number
/// of a type that has a name is never held in [`LsType::Unknown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum LsType {
    /// 1
    Router = 1,
    /// 2
    Network = 2,
    /// 3
    SummaryNetwork = 3,
    /// 4
    SummaryAsbr = 4,
    /// 5
    AsExternal = 5,
    /// 7
    Nssa = 7,
    /// 9
    OpaqueLink = 9,
    /// 10
    OpaqueArea = 10,
    /// 11
    OpaqueAs = 11,
    /// Anything else; never stored or flooded (RFC 2328 §13 step 2).
    Unknown(u8) = u8::MAX,
}

/// What identifies an LSA (not its instance): RFC 2328 §12.1. The order is that of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LsaKey {
    /// LS type.
    pub ls_type: LsType,
    /// Link State ID.
    pub link_state_id: Ipv4Addr,
    /// Advertising Router.
    pub advertising_router: RouterId,
}

/// The 20-octet LSA header (RFC 2328 App. A.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LsaHeader {
    /// LS age in seconds as on the wire, 0 to MaxAge (3600); larger received values are cut to MaxAge.
    pub age: u16,
    /// Options octet.
    pub options: u8,
    /// Type, id and router.
    pub key: LsaKey,
    /// LS sequence number, a signed 32-bit number (RFC 2328 §12.1.6).
    pub sequence: i32,
    /// Fletcher checksum over all but the age.
    pub checksum: u16,
    /// Length in octets including this header.
    pub length: u16,
}

/// A whole LSA; see the module text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lsa {
    pub(super) header: LsaHeader,
    pub(super) body: LsaBody,
    pub(super) raw: Octets,
}

/// An AS-external-LSA's fit without a place of their own, and a large database is full of those.
pub(super) type Octets = SmallVec<[u8; 36]>;

impl Lsa {
    /// The header; `age` is the age when this instance was received or made, not its present age.
    pub fn header(&self) -> &LsaHeader {
        &self.header
    }

    /// The decoded body.
    pub fn body(&self) -> &LsaBody {
        &self.body
    }

    /// The octets as received or built, header included.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Type, id and router.
    pub fn key(&self) -> LsaKey {
        self.header.key
    }
}

/// The body of an LSA by type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LsaBody {
    /// Type 1.
    Router(RouterLsa),
    /// Type 2.
    Network(NetworkLsa),
    /// Type 3.
    SummaryNetwork(SummaryLsa),
    /// Type 4; `mask` has no meaning and is 0.
    SummaryAsbr(SummaryLsa),
    /// Type 5.
    AsExternal(ExternalLsa),
    /// Type 7.
    Nssa(ExternalLsa),
    /// Types 9 to 11: stored and flooded untouched.
    Opaque(Box<[u8]>),
}

/// A router-LSA (RFC 2328 App. A.4.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouterLsa {
    /// Bit V: endpoint of a fully adjacent virtual link.
    pub virtual_link_endpoint: bool,
    /// Bit E: AS boundary router.
    pub as_boundary: bool,
    /// Bit B: area border router.
    pub area_border: bool,
    /// Links in the order they stand.
    pub links: Vec<RouterLink>,
}

/// One link of a router-LSA. TOS metrics are skipped when read and never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouterLink {
    /// What the link connects to, with its Link ID and Link Data.
    pub kind: RouterLinkKind,
    /// Cost of using it.
    pub metric: u16,
}

/// The four link types (RFC 2328 §12.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouterLinkKind {
    /// Type 1.
    PointToPoint {
        /// Link ID.
        neighbor: RouterId,
        /// Link Data: own interface address (or MIB-II ifIndex when unnumbered).
        data: Ipv4Addr,
    },
    /// Type 2.
    Transit {
        /// Link ID: the Designated Router's interface address.
        designated_router: Ipv4Addr,
        /// Link Data: own interface address.
        address: Ipv4Addr,
    },
    /// Type 3. Kept as on the wire because a peer's mask may have holes.
    Stub {
        /// Link ID: the network's address.
        network: Ipv4Addr,
        /// Link Data: its mask.
        mask: Ipv4Addr,
    },
    /// Type 4.
    Virtual {
        /// Link ID.
        neighbor: RouterId,
        /// Link Data: own interface address.
        address: Ipv4Addr,
    },
}

/// A network-LSA (RFC 2328 App. A.4.3). Its Link State ID is the DR's interface address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkLsa {
    /// The network's mask as on the wire.
    pub mask: Ipv4Addr,
    /// Routers fully adjacent to the DR, the DR included, in wire order.
    pub attached_routers: Vec<RouterId>,
}

/// A summary-LSA (RFC 2328 App. A.4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryLsa {
    /// Mask (type 3); 0 for type 4.
    pub mask: Ipv4Addr,
    /// 24-bit metric; 0xffffff is LSInfinity.
    pub metric: u32,
}

/// An AS-external-LSA (RFC 2328 App. A.4.5) or type 7 LSA (RFC 3101).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalLsa {
    /// Mask as on the wire.
    pub mask: Ipv4Addr,
    /// Bit E: type 2 metric.
    pub type2: bool,
    /// 24-bit metric; 0xffffff is LSInfinity.
    pub metric: u32,
    /// Forwarding address; 0.0.0.0 means the advertising router.
    pub forwarding_address: Ipv4Addr,
    /// External Route Tag.
    pub tag: u32,
}

/// Why an LSA cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LsaError {
    /// RFC 2328 §13 step 1.
    #[error("LS checksum wrong")]
    Checksum,
    /// RFC 2328 §13 step 2.
    #[error("LS type unknown")]
    UnknownType,
    /// The body does not fit its type.
    #[error("LSA body malformed")]
    Malformed,
}

/// Every search in a database or list is a dozen comparisons of keys: each of two numbers, without a branch for every field.
impl Ord for LsaKey {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.number().cmp(&other.number())
    }
}

impl PartialOrd for LsaKey {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl LsaKey {
    /// The router-LSA of a router: its Link State ID is its Advertising Router (RFC 2328 §12.4.1).
    pub fn router(id: RouterId) -> Self {
        Self { ls_type: LsType::Router, link_state_id: id.0, advertising_router: id }
    }

    /// The fields one behind the other.
    #[inline]
    fn number(&self) -> u128 {
        let addresses =
            u64::from(self.link_state_id.to_bits()) << 32 | u64::from(self.advertising_router.to_bits());
        u128::from(self.ls_type.code()) << 64 | u128::from(addresses)
    }

    /// The prefix of a type 3, 5 or 7 LSA: Link State ID under `mask`, host bits cleared; `None` if the
    /// mask has holes.
    pub fn prefix(&self, mask: Ipv4Addr) -> Option<Ipv4Network> {
        routing_common::prefix::from_mask(self.link_state_id, mask)
    }
}
