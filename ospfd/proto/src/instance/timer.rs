//! The names of the instance's timers. LSA ages have their own index in each database, and RFC 8405's
//! machine keeps its own deadlines.

use crate::lsa::LsaKey;
use crate::lsdb::DatabaseId;
use routing_common::id::{IfIndex, RouterId};

/// One timer. Ties in time expire in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKey {
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
    /// LSAs that wait for their interface's pace leave (§13.3 (5)).
    FloodPacing(IfIndex),
    /// An LSA that came before MinLSArrival had passed is due (§13 (5)(a)).
    HeldArrival(DatabaseId, LsaKey),
    /// An own LSA that had to wait for MinLSInterval is due (§12.4).
    Originate(DatabaseId, LsaKey),
    /// What MinLSInterval must remember of an own LSA that was flushed may be forgotten.
    ForgetOwn(DatabaseId, LsaKey),
    /// A calculation while the router starts, before RFC 8405's machine takes over.
    EarlySpf,
    /// The next step of finding loop-free alternates (RFC 5286).
    Alternates,
    /// The RIB is told that all routes have been sent, converged or not.
    EndSync,
    /// A BFD session whose neighbour is gone has lingered long enough.
    BfdLinger,
    /// The next Hello in place of a BFD Control packet.
    BfdBridge,
    /// Neighbours whose BFD seems to have failed must have been heard.
    BfdProbation,
    /// bfdd is told that all sessions have been asked for, converged or not.
    BfdEndSync,
    /// The patience of a shutdown ends.
    Shutdown,
    /// What is asked of others after a start is asked no longer (RFC 6987).
    Startup,
    /// The next grace-LSA before the first Hello of an interface (RFC 3623 §5).
    Announcement(IfIndex),
    /// The grace period of a neighbour we help (RFC 3623 §3.2).
    Helping(IfIndex, RouterId),
    /// A restart that may be graceful waits no longer.
    RestartCandidate,
    /// Our own grace period (RFC 3623 §2.2).
    GracePeriod,
    /// RouterDeadInterval of our own restart: who is not coming has not come by then.
    RestartSilence,
    /// A planned restart waits for acknowledgments no longer.
    Departure,
    /// What the next process needs to know is written.
    Save,
}
