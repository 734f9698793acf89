//! Why a received packet or LSA was thrown away.
//!
//! A peer's nonsense is never an error that travels: it is counted here per interface and reason, with
//! its last source, and told to the operator at most once per [`NOTICE_INTERVAL`] and reason.

use routing_common::time::Duration;
use serde::{Deserialize, Serialize};

/// Least time between two notices about one reason on one interface.
pub const NOTICE_INTERVAL: Duration = Duration::from_secs(10);

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// One reason. The order is about that of the checks in RFC 2328 §8.2, §10.5, §10.6 and §13.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Discard {
            $($(#[$doc])* $name,)*
        }

        impl Discard {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What an operator reads.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

reasons! {
    /// The interface is down or passive.
    InterfaceNotActive = "interface not active",
    /// §8.2: not to us and not to a group.
    WrongDestination = "destination is not this interface",
    /// §8.2: to AllDRouters, but we are neither DR nor Backup.
    NotDesignated = "sent to AllDRouters, but this router is neither DR nor Backup",
    /// Our own packet came back.
    OwnPacket = "own packet received back",
    /// Too short or lengths that do not fit.
    Malformed = "malformed packet",
    /// §8.2.
    Version = "OSPF version is not 2",
    /// §8.2.
    AreaMismatch = "area id differs",
    /// §8.2: source not in the interface's subnet.
    SubnetMismatch = "source address is not in this interface's subnet",
    /// Another router uses our router id.
    DuplicateRouterId = "another router uses this router's id",
    /// 0.0.0.0 names no router.
    NoRouterId = "router id is 0.0.0.0",
    /// Two neighbours on one network use one router id.
    SharedRouterId = "another neighbor uses the same router id",
    /// §8.2.
    AuthenticationType = "authentication type differs",
    /// App. D.
    AuthenticationFailed = "authentication failed",
    /// App. D.3: replayed or restarted.
    AuthenticationSequence = "cryptographic sequence number went backwards",
    /// §8.2.
    Checksum = "packet checksum wrong",
    /// Type not 1 to 5.
    PacketType = "unknown packet type",
    /// §10.5.
    HelloMask = "network mask in Hello differs",
    /// §10.5.
    HelloInterval = "HelloInterval differs",
    /// §10.5.
    DeadInterval = "RouterDeadInterval differs",
    /// §10.5.
    ExternalCapability = "E-bit in Hello differs (stub area?)",
    /// BFD says that the path does not carry (RFC 5882 §3.2).
    HeldByBfd = "its BFD session is down",
    /// §8.2: no such neighbour, or not from its address.
    UnknownNeighbor = "not from a known neighbor",
    /// §10.6.
    MtuMismatch = "interface MTU in Database Description is larger than ours",
    /// §10.6, §10.7, §13, §13.7: not expected in this state.
    NeighborState = "not expected in this neighbor state",
    /// §13 (1).
    LsaChecksum = "LSA checksum wrong",
    /// §13 (2).
    LsaType = "LSA type unknown",
    /// An LSA that does not decode.
    LsaMalformed = "malformed LSA",
    /// RFC 3623 App. A.
    GraceLsa = "grace-LSA malformed or about nobody here",
    /// The database is full.
    DatabaseFull = "link state database full",
    /// A neighbour too many.
    TooManyNeighbors = "too many neighbors",
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_has_its_own_text() {
        let texts: BTreeSet<_> = Discard::ALL.iter().map(|d| d.text()).collect();
        assert_eq!(texts.len(), Discard::ALL.len());
    }
}
