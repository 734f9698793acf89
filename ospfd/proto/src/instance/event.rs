//! The internal queue of *scheduled* events (RFC 2328 §4.4).
//!
//! The RFC distinguishes what is *executed* at once, because the rest of the same packet must see its
//! effect, from what is *scheduled* for after the present procedure. Executed steps are direct calls.
//! Scheduled ones are an [`Event`], pushed by methods named `schedule_…`, and popped first in, first out
//! until none is left, before `handle` returns.

use routing_common::id::{AreaId, IfIndex};

/// Something to do once the present procedure has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Interface event BackupSeen (§9.2; §10.5 asks for scheduling it).
    BackupSeen(IfIndex),
    /// Interface event NeighborChange (§9.2).
    NeighborChange(IfIndex),
    /// Neighbour event AdjOK? for all neighbours of an interface (§10.3, after a new election, §9.4 (7)).
    AdjOk(IfIndex),
    /// The router-LSA of an area may have changed (§12.4).
    OriginateRouter(AreaId),
    /// The network-LSA of an interface may have changed (§12.4.2).
    OriginateNetwork(IfIndex),
    /// AS-external-LSAs may have changed (§12.4.4).
    OriginateExternal,
}
