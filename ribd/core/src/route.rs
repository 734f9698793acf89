//! Routes as the table holds them.
//!
//! A *candidate* is what one source offers for a prefix. A *target* is what the kernel is told: the
//! candidate's next hops after resolution. Between the two stands [`crate::resolve`].

use crate::message::{NextHops, Protocol};
use routing_common::config::StaticTarget;
use routing_common::id::IfIndex;
use routing_common::time::Instant;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::net::Ipv4Addr;

/// The routing protocol number the kernel shows for static routes; FRR's, so that scripts go on working.
pub const KERNEL_PROTOCOL_STATIC: u8 = 196;
/// The routing protocol number the kernel shows for OSPF routes (`RTPROT_OSPF`).
pub const KERNEL_PROTOCOL_OSPF: u8 = 188;

/// The kernel's number for a protocol's routes; `None` for connected ones, which the kernel makes itself.
pub fn kernel_protocol(protocol: Protocol) -> Option<u8> {
    match protocol {
        Protocol::Connected => None,
        Protocol::Static => Some(KERNEL_PROTOCOL_STATIC),
        Protocol::Ospf => Some(KERNEL_PROTOCOL_OSPF),
    }
}

/// The protocol behind a kernel number, if it is one of ours.
pub fn protocol_of_kernel(number: u8) -> Option<Protocol> {
    match number {
        KERNEL_PROTOCOL_STATIC => Some(Protocol::Static),
        KERNEL_PROTOCOL_OSPF => Some(Protocol::Ospf),
        _ => None,
    }
}

/// Who offers a candidate. A prefix has at most one candidate per origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// An address on this interface.
    Connected(IfIndex),
    /// The configuration, with this distance: another distance is another (floating) candidate.
    Static(u8),
    /// A client.
    Client(Protocol),
}

impl Origin {
    /// The protocol shown and redistributed.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Connected(_) => Protocol::Connected,
            Self::Static(_) => Protocol::Static,
            Self::Client(p) => p,
        }
    }
}

/// Where a candidate leads, as offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Straight to these neighbours or links.
    Hops(NextHops),
    /// Static targets, resolved when evaluated.
    Static(Vec<StaticTarget>),
    /// Nowhere.
    Blackhole,
}

/// What one source offers for a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who offers it.
    pub origin: Origin,
    /// Administrative distance; 255 is never selected.
    pub distance: u8,
    /// The protocol's metric.
    pub metric: u32,
    /// Tag.
    pub tag: u32,
    /// Where it leads.
    pub way: Way,
    /// When it was first offered in this form.
    pub since: Instant,
    /// Left by a session that ended; swept when the client does not repeat it.
    pub stale: bool,
}

impl Candidate {
    /// The same offer, whenever made?
    pub fn same_offer(&self, other: &Self) -> bool {
        self.origin == other.origin
            && self.distance == other.distance
            && self.metric == other.metric
            && self.tag == other.tag
            && self.way == other.way
    }

    /// Needs other routes to be resolved: a gateway without an interface.
    pub fn may_recurse(&self) -> bool {
        matches!(&self.way, Way::Static(targets)
            if targets.iter().any(|t| matches!(t, StaticTarget::Gateway { interface: None, .. })))
    }
}

/// A next hop as the kernel gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FibHop {
    /// The neighbour; `None` for "the destination itself is on the link".
    pub gateway: Option<Ipv4Addr>,
    /// The interface.
    pub ifindex: IfIndex,
    /// The gateway lies in no subnet of the interface, the kernel must take our word for it.
    pub onlink: bool,
}

/// The next hops of one route: sorted, without duplicates, not empty.
pub type FibHops = SmallVec<[FibHop; 1]>;

/// Where a selected route leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Dropped.
    Blackhole,
    /// Sent on.
    Hops(FibHops),
}

/// The route that won for a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// Whose it is.
    pub origin: Origin,
    /// Its metric.
    pub metric: u32,
    /// Its tag.
    pub tag: u32,
    /// Where it leads.
    pub target: Target,
}
