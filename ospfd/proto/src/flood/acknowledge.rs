//! Sending Link State Acknowledgments (RFC 2328 §13.5).
//!
//! [`strategy`] is table 19. Delayed acknowledgments wait [`DELAY`], or a quarter of RxmtInterval where
//! that is shorter, so that they are always in time for the neighbour's timer, if it is set like ours.
//!
//! One that still waits when the end of the LSA (MaxAge) is flooded is dropped: that says that the older one came, and
//! takes it from the neighbour's retransmission list (§13 (5)(c)). Sent after all, it would acknowledge another copy of the older
//! instance that the neighbour may have got from elsewhere meanwhile, and the neighbour would never hear that a
//! newer one exists. That matters for our own LSA of an earlier life, which is flushed the moment it comes (§13.4).

use crate::instance::{Instance, TimerKey};
use crate::interface::InterfaceState;
use crate::lsa::{LsaHeader, LsaKey};
use crate::lsdb::DatabaseId;
use crate::neighbor::NeighborId;
use crate::packet::{OutgoingBody, headers_per_ack, max_payload};
use routing_common::id::IfIndex;
use routing_common::time::{Duration, Instant};

/// Longest wait of a delayed acknowledgment.
const DELAY: Duration = Duration::from_millis(500);

/// How an LSA was received: the rows of table 19 that do not always mean a direct acknowledgment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receipt {
    /// Row 1: newer, and flooded back out of the receiving interface.
    NewFloodedBack,
    /// Row 2: newer.
    New,
    /// Row 3: a duplicate that acknowledged ours.
    ImpliedAcknowledgment,
}

/// Table 19: is a delayed acknowledgment sent? Rows 4 and 5 are direct ones in every state.
fn is_acknowledged(receipt: Receipt, state: InterfaceState, from_dr: bool) -> bool {
    match (receipt, state) {
        (Receipt::NewFloodedBack, _) => false,
        (_, InterfaceState::Backup) => from_dr,
        (Receipt::New, _) => true,
        (Receipt::ImpliedAcknowledgment, _) => false,
    }
}

impl Instance {
    /// Queues a delayed acknowledgment if table 19 wants one.
    pub(super) fn acknowledge(
        &mut self,
        now: Instant,
        from: NeighborId,
        header: LsaHeader,
        receipt: Receipt,
    ) {
        let Some(interface) = self.interfaces.get_mut(&from.ifindex) else { return };
        if !is_acknowledged(receipt, interface.state, interface.is_from_dr(from)) {
            return;
        }
        interface.delayed_acks.push(header);
        let room = headers_per_ack(max_payload(interface.mtu, &interface.config.authentication));
        if interface.delayed_acks.len() >= room {
            self.send_delayed_acks(now, from.ifindex);
        } else {
            let delay = DELAY.min(interface.config.retransmit_interval / 4);
            self.timers.arm_no_later(TimerKey::DelayedAck(from.ifindex), now + delay);
        }
    }

    /// The end of this LSA is about to be flooded.
    pub(crate) fn forget_acknowledgments(&mut self, database: DatabaseId, key: &LsaKey) {
        for (ifindex, interface) in &mut self.interfaces {
            // The grace-LSAs of several links have one key.
            let is_elsewhere = matches!(database, DatabaseId::Link(link) if link != *ifindex);
            interface.delayed_acks.retain(|header| is_elsewhere || header.key != *key);
        }
    }

    /// The delayed acknowledgments leave.
    pub(crate) fn send_delayed_acks(&mut self, now: Instant, ifindex: IfIndex) {
        self.timers.cancel(TimerKey::DelayedAck(ifindex));
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return };
        let headers = std::mem::take(&mut interface.delayed_acks);
        let room = headers_per_ack(max_payload(interface.mtu, &interface.config.authentication));
        let destination = interface.flood_destination();
        for packet in headers.chunks(room) {
            self.transmit(now, ifindex, destination, &OutgoingBody::LinkStateAck(packet));
        }
    }

    /// Direct acknowledgments for one update.
    pub(super) fn send_direct_acks(&mut self, now: Instant, id: NeighborId, headers: &[LsaHeader]) {
        let Some(interface) = self.interfaces.get(&id.ifindex) else { return };
        let Some(neighbor) = interface.neighbors.get(&id.router_id) else { return };
        let room = headers_per_ack(max_payload(interface.mtu, &interface.config.authentication));
        let destination = interface.direct_destination(neighbor.address);
        for packet in headers.chunks(room) {
            self.transmit(now, id.ifindex, destination, &OutgoingBody::LinkStateAck(packet));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_19() {
        use InterfaceState::{Backup, Dr, DrOther, PointToPoint};
        for state in [Backup, Dr, DrOther, PointToPoint] {
            for from_dr in [false, true] {
                let got = |receipt| is_acknowledged(receipt, state, from_dr);
                let backup = state == Backup;
                assert!(!got(Receipt::NewFloodedBack));
                assert_eq!(got(Receipt::New), !backup || from_dr);
                assert_eq!(got(Receipt::ImpliedAcknowledgment), backup && from_dr);
            }
        }
    }
}
