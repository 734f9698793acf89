//! LS types as numbers, names and flooding scopes.

use super::LsType;
use core::cmp::Ordering;
use core::fmt;

/// How far an LSA is flooded (RFC 2328 §13.3, RFC 5250 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One network only (type 9).
    Link,
    /// One area (types 1 to 4, 7 and 10).
    Area,
    /// The whole autonomous system but its stub areas (types 5 and 11).
    As,
}

impl From<u8> for LsType {
    fn from(code: u8) -> Self {
        match code {
            1 => Self::Router,
            2 => Self::Network,
            3 => Self::SummaryNetwork,
            4 => Self::SummaryAsbr,
            5 => Self::AsExternal,
            7 => Self::Nssa,
            9 => Self::OpaqueLink,
            10 => Self::OpaqueArea,
            11 => Self::OpaqueAs,
            other => Self::Unknown(other),
        }
    }
}

impl LsType {
    /// The types that have a name, in database order.
    pub const KNOWN: [Self; 9] = [
        Self::Router,
        Self::Network,
        Self::SummaryNetwork,
        Self::SummaryAsbr,
        Self::AsExternal,
        Self::Nssa,
        Self::OpaqueLink,
        Self::OpaqueArea,
        Self::OpaqueAs,
    ];

    /// The number on the wire.
    #[inline]
    pub const fn code(self) -> u8 {
        match self {
            Self::Router => 1,
            Self::Network => 2,
            Self::SummaryNetwork => 3,
            Self::SummaryAsbr => 4,
            Self::AsExternal => 5,
            Self::Nssa => 7,
            Self::OpaqueLink => 9,
            Self::OpaqueArea => 10,
            Self::OpaqueAs => 11,
            Self::Unknown(code) => code,
        }
    }

    /// How far it is flooded. An unknown type is never flooded; it gets the narrowest scope.
    pub const fn scope(self) -> Scope {
        match self {
            Self::OpaqueLink | Self::Unknown(_) => Scope::Link,
            Self::AsExternal | Self::OpaqueAs => Scope::As,
            Self::Router
            | Self::Network
            | Self::SummaryNetwork
            | Self::SummaryAsbr
            | Self::Nssa
            | Self::OpaqueArea => Scope::Area,
        }
    }
}

impl Ord for LsType {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(&other.code())
    }
}

impl PartialOrd for LsType {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for LsType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Router => "router-LSA",
            Self::Network => "network-LSA",
            Self::SummaryNetwork => "summary-LSA",
            Self::SummaryAsbr => "asbr-summary-LSA",
            Self::AsExternal => "AS-external-LSA",
            Self::Nssa => "NSSA-LSA",
            Self::OpaqueLink => "link-opaque-LSA",
            Self::OpaqueArea => "area-opaque-LSA",
            Self::OpaqueAs => "AS-opaque-LSA",
            Self::Unknown(code) => return write!(f, "LSA type {code}"),
        };
        f.pad(name)
    }
}
