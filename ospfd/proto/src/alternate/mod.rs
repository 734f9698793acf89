//! Loop-free alternates (RFC 5286): where to send packets between the loss of a next hop and the next calculation.
//!
//! Reading order: this file (what an alternate is), [`neighbors`] (who may be one), [`distances`] (how far everything is from
//! everyone concerned), [`select`] (the inequalities of §3), [`table`] (from destinations in the tree to routes).
//! When this is done and when it is used is the instance's business (`instance/fast_reroute.rs`).
//!
//! All of it is a pure function of the graph, our interfaces and the routing table, like [`crate::spf`]. All distances are those
//! of the graph, our own included: what others think of our links decides whether they send packets back to us.
//!
//! What is left out, and why it is safe to:
//! * §6.1: a network that several routers have is taken for one of the routers whose path is used. An alternate for that
//!   router is one for the network, too; some that a look at all would find are not found.
//! * §6.3: with more than one area of our own, or virtual links in the area, there are no alternates; with several area border
//!   routers none for AS external routes. There a path may leave the area and come back to us.
//! * Networks of our own links have none: they are the kernel's connected routes.
//! * §3.5.1 and SRLGs concern IS-IS and traffic engineering.
//! * §4.1: an alternate is used until the next calculation, which RFC 8405 lets wait for its delay, and no longer.

mod distances;
mod neighbors;
mod select;
mod table;

pub use distances::Distances;
pub use table::Alternates;

use crate::spf::next_hop::Hop;
use routing_common::id::RouterId;

/// What the failure of a next hop may have been for an alternate to help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Protection {
    /// The link (§3.1, §3.3).
    pub link: bool,
    /// The router behind it (§3.2).
    pub node: bool,
}

/// Where to send the packets of a route that has lost its next hops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alternate {
    /// Interface and next router.
    pub hop: Hop,
    /// Who that is.
    pub router_id: RouterId,
    /// What it helps against; not nothing.
    pub protection: Protection,
    /// Is it nearer to the destination than we are (a downstream path, §1)? Then it makes no loop, whatever failed.
    pub is_downstream: bool,
}
