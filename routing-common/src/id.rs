//! Identifiers, each its own type so that they cannot be mixed up.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IdError(pub String);

/// An OSPF Router ID (RFC 2328 §1.2): 32 bits, written as a dotted quad, never 0.0.0.0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RouterId(pub Ipv4Addr);

/// An OSPF Area ID (RFC 2328 App. C.2): 32 bits; 0.0.0.0 is the backbone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AreaId(pub Ipv4Addr);

impl RouterId {
    /// "No router": used on the wire where a DR field is empty.
    pub const NONE: Self = Self(Ipv4Addr::UNSPECIFIED);

    /// The 32 bits in host order, for comparisons as RFC 2328 wants them (unsigned).
    pub fn to_bits(self) -> u32 {
        self.0.to_bits()
    }
}

impl AreaId {
    /// Area 0.
    pub const BACKBONE: Self = Self(Ipv4Addr::UNSPECIFIED);
}

macro_rules! quad_id {
    ($t:ident) => {
        impl fmt::Display for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl From<Ipv4Addr> for $t {
            fn from(a: Ipv4Addr) -> Self {
                Self(a)
            }
        }
    };
}
quad_id!(RouterId);
quad_id!(AreaId);

impl FromStr for RouterId {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        match s.parse::<Ipv4Addr>() {
            Ok(a) if a.is_unspecified() => Err(IdError("0.0.0.0 is not a router id".into())),
            Ok(a) => Ok(Self(a)),
            Err(_) => Err(IdError(format!("{s:?} is not a router id such as 10.255.0.1"))),
        }
    }
}

impl FromStr for AreaId {
    type Err = IdError;
    /// Accepts a dotted quad or a decimal number, as FRR does.
    fn from_str(s: &str) -> Result<Self, IdError> {
        s.parse::<Ipv4Addr>()
            .or_else(|_| s.parse::<u32>().map(Ipv4Addr::from_bits))
            .map(Self)
            .map_err(|_| IdError(format!("{s:?} is not an area id such as 0.0.0.0 or 0")))
    }
}

/// A kernel interface index; never 0 for a real interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct IfIndex(pub u32);

impl fmt::Display for IfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// An interface name the kernel can have: 1 to 15 bytes, no `/`, no white space, not `.` or `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InterfaceName(String);

impl InterfaceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InterfaceName {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let bad = s.is_empty()
            || s.len() > 15
            || s == "."
            || s == ".."
            || s.bytes().any(|b| b == b'/' || b == 0 || b.is_ascii_whitespace());
        if bad {
            return Err(IdError(format!("{s:?} is not an interface name (1 to 15 bytes, no '/' or blanks)")));
        }
        Ok(Self(s.to_owned()))
    }
}

impl TryFrom<String> for InterfaceName {
    type Error = IdError;
    fn try_from(s: String) -> Result<Self, IdError> {
        s.parse()
    }
}

impl From<InterfaceName> for String {
    fn from(n: InterfaceName) -> Self {
        n.0
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A VRRP Virtual Router Identifier (RFC 9568 §5.2.3): 1 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Vrid(u8);

impl Vrid {
    /// `None` for 0.
    pub const fn new(v: u8) -> Option<Self> {
        if v == 0 { None } else { Some(Self(v)) }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Vrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_refuse_what_they_are_not() {
        assert!("0.0.0.0".parse::<RouterId>().is_err());
        assert!("10.0.0".parse::<RouterId>().is_err());
        assert_eq!("0".parse::<AreaId>(), Ok(AreaId::BACKBONE));
        assert_eq!("256".parse::<AreaId>().map(|a| a.to_string()), Ok("0.0.1.0".into()));
        assert!("eth 0".parse::<InterfaceName>().is_err());
        assert!("averylonginterfacename".parse::<InterfaceName>().is_err());
        assert!(Vrid::new(0).is_none());
    }
}
