//! The names of the instance's timers. LSA ages have their own index in each database, and RFC 8405's
//! machine keeps its own deadlines.

use crate::lsa::LsaKey;
use crate::lsdb::DatabaseId;
use routing_common::id::{IfIndex, RouterId};

/// One timer. Ties in time expire in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimerKey {
    /// InactivityTimer of a neighbour (RFC 2328 §10).
    Inactivity(IfIndex, RouterId),
    /// WaitTimer (§9).
    Wait(IfIndex),
    /// HelloTimer (§9).
    Hello(IfIndex),
    /// Retransmission of Database Description packets by the master (§10.8).
    DatabaseDescription(IfIndex, RouterId),
    /// The slave may forget its last Database Description packet (§10.8).
    SlaveHold(IfIndex, RouterId),
    /// Retransmission of Link State Requests (§10.9).
    LinkStateRequest(IfIndex, RouterId),
    /// Retransmission of LSAs (§13.6).
    Retransmission(IfIndex, RouterId),
    /// Delayed acknowledgments (§13.5).
    DelayedAck(IfIndex),
    /// An LSA that came before MinLSArrival had passed is due (§13 (5)(a)).
    HeldArrival(DatabaseId, LsaKey),
    /// An own LSA that had to wait for MinLSInterval is due (§12.4).
    Originate(DatabaseId, LsaKey),
    /// What MinLSInterval must remember of an own LSA that was flushed may be forgotten.
    ForgetOwn(DatabaseId, LsaKey),
    /// A calculation while the router starts, before RFC 8405's machine takes over.
    EarlySpf,
    /// The RIB is told that all routes have been sent, converged or not.
    EndSync,
    /// The grace period of a shutdown ends.
    Shutdown,
}
