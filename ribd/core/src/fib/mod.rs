//! What the kernel is told, and what it is believed to hold.
//!
//! [`Fib`] compares *wanted* routes with *sent* ones (the state the kernel has once all requests under
//! way are done) and asks only for the differences. Requests are numbered and executed in order, so an
//! answer "done up to N, these failed" says everything. Order inside one round: next-hop objects before
//! the routes that use them; objects nobody uses go only when nothing is under way any more.
//!
//! Next-hop objects ([`objects`]) make "the routes behind this neighbour move" one kernel message ([`moves`]). Where
//! the kernel has none, or the operator does not want them, routes carry their next hops themselves.

mod answers;
mod entry;
mod moves;
pub mod objects;
mod reconcile;
mod snapshot;

pub use entry::{FibEntry, FibStatistics};
pub use reconcile::Fib;
pub use snapshot::{KernelNextHop, KernelNextHopContent, KernelRoute, KernelSnapshot};

use crate::route::FibHop;
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};

/// The route metric (priority) of everything we install; FRR's.
pub const KERNEL_METRIC: u32 = 20;

/// The kernel's number of a next-hop object.
pub type NextHopId = u32;

/// How a kernel route says where it leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Via {
    /// A route of type blackhole.
    Blackhole,
    /// Through a next-hop object.
    Object(NextHopId),
    /// With its own next hops. Empty only for "something else is there", never in a request. In a box, because most routes go
    /// through objects.
    Plain(Box<[FibHop]>),
}

/// Must a group exist before it is put?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// Make it; whatever has its number is replaced.
    Create,
    /// Replace it under its routes; refused as absent if the kernel has dropped it (and them) meanwhile,
    /// as it does when carrier is lost before we hear of it.
    Replace,
}

/// One thing to do in the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FibOp {
    /// Make a single next hop; whatever has its number is replaced.
    PutNextHop {
        /// Its number.
        id: NextHopId,
        /// Its content.
        hop: FibHop,
    },
    /// Make a group; all members have weight 1.
    PutGroup {
        /// Anew, or in place of the former members.
        mode: Put,
        /// Its number.
        id: NextHopId,
        /// At least one.
        members: Vec<NextHopId>,
    },
    /// Remove an object or group.
    RemoveNextHop {
        /// Its number.
        id: NextHopId,
    },
    /// Create the route or replace the one with the same prefix and metric.
    InstallRoute {
        /// Destination.
        prefix: Ipv4Network,
        /// Kernel protocol number.
        protocol: u8,
        /// Where to.
        via: Via,
    },
    /// Remove the route.
    RemoveRoute {
        /// Destination.
        prefix: Ipv4Network,
        /// Kernel protocol number.
        protocol: u8,
    },
}

/// A numbered request. Numbers grow by one; requests are to be executed in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FibRequest {
    /// Its number.
    pub token: u64,
    /// What to do.
    pub op: FibOp,
}

/// Why the kernel did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FibErrorKind {
    /// What should be removed or replaced is not there (ESRCH, ENOENT).
    Absent,
    /// The kernel has no such thing as next-hop objects (EOPNOTSUPP).
    Unsupported,
    /// Anything else.
    Refused,
}

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FibFailure {
    /// Its number.
    pub token: u64,
    /// Which kind.
    pub kind: FibErrorKind,
    /// The kernel's words.
    pub text: String,
}

/// The fate of all requests up to a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FibResults {
    /// All requests with a number up to this one are over.
    pub up_to: u64,
    /// Those that failed, in order.
    pub failures: Vec<FibFailure>,
}
