//! The names of the instance's timers. LSA ages have their own index in each database.

use crate::lsdb::Scope;
use crate::lsa::LsaKey;
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
    /// An LSA that came before MinLSArrival had passed is due (§13 (5)(a)).
    HeldArrival(Scope, LsaKey),
    /// An own LSA that had to wait for MinLSInterval is due (§12.4).
    Originate(Scope, LsaKey),
    /// The RFC 8405 machine.
    Spf,
    /// The grace period of a shutdown ends.
    Shutdown,
}
