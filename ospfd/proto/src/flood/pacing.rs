//! How fast one interface floods.
//!
//! RFC 2328 leaves open when the updates of §13.3 (5) leave. At once is right for a link that failed, and wrong
//! while a large area starts: LSAs come one at a time from every side, and a router that passes each on in a
//! packet of its own sends a dozen packets where one would do, half of them to a neighbour that got the LSA from
//! somewhere else in the same moment. So an interface has a [`Pace`]: the first [`BURST`] batches leave at once,
//! then one leaves every [`GAP`]. What waits is packed, an LSA that is replaced meanwhile leaves once, and one
//! that the neighbour at the other end of a point-to-point link has acknowledged meanwhile, by flooding it to us,
//! does not leave at all. (Elsewhere it may also be what acknowledges the LSA to its sender, table 19.)
//!
//! Acknowledgments, answers to requests and retransmissions are not paced; the retransmission timer of an LSA
//! runs from when it was listed, and no configurable RxmtInterval is as short as the longest wait here.

use crate::instance::{Instance, TimerKey};
use crate::interface::{Interface, NetworkKind};
use crate::lsa::LsaKey;
use routing_common::id::IfIndex;
use routing_common::time::{Duration, Instant};

/// Batches that leave without a wait after a quiet time: more than any single event in a small network needs.
const BURST: u32 = 8;
/// The pause between two batches after that.
const GAP: Duration = Duration::from_millis(30);

/// The state of the pacing: when the credit would be full again (GCRA's theoretical arrival time).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pace(Instant);

impl Pace {
    /// From when on the next batch may leave.
    fn next(self) -> Instant {
        self.0 - GAP.saturating_mul(BURST - 1)
    }

    /// A batch leaves.
    fn count(&mut self, now: Instant) {
        self.0 = self.0.max(now) + GAP;
    }
}

impl Instance {
    /// What this turn flooded leaves, as far as the pace of its interfaces allows.
    pub(crate) fn flush_floods(&mut self, now: Instant) {
        while let Some(ifindex) = self.flooding.pop_first() {
            let Some(interface) = self.interfaces.get(&ifindex) else { continue };
            let next = interface.pace.next();
            if now < next {
                // What is superfluous is looked for once, when the rest leaves: a long queue waits for many turns.
                self.timers.arm(TimerKey::FloodPacing(ifindex), next);
                continue;
            }
            self.drop_superfluous_floods(ifindex);
            let Some(interface) = self.interfaces.get_mut(&ifindex) else { continue };
            if interface.flood_queue.is_empty() {
                self.timers.cancel(TimerKey::FloodPacing(ifindex));
                continue; // What does not leave does not count.
            }
            interface.pace.count(now);
            self.flush_flood(now, ifindex);
        }
    }

    /// Everything that waits leaves now: these are our last packets.
    pub(crate) fn flush_all_floods(&mut self, now: Instant) {
        let all: Vec<IfIndex> = self.interfaces.keys().copied().collect();
        self.flooding.clear();
        for ifindex in all {
            self.drop_superfluous_floods(ifindex);
            self.flush_flood(now, ifindex);
        }
    }

    /// What was swept meanwhile does not leave, nor, on a point-to-point link, what its other end has acknowledged.
    fn drop_superfluous_floods(&mut self, ifindex: IfIndex) {
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return };
        let mut queue = std::mem::take(&mut interface.flood_queue);
        let Some(interface) = self.interfaces.get(&ifindex) else { return };
        match interface.kind {
            NetworkKind::PointToPoint => queue.retain(|(_, key)| interface.is_awaited(key)),
            NetworkKind::Broadcast | NetworkKind::Loopback => {
                queue.retain(|(database, key)| self.lsdb(*database).is_some_and(|db| db.get(key).is_some()))
            }
        }
        if let Some(interface) = self.interfaces.get_mut(&ifindex) {
            interface.flood_queue = queue;
        }
    }

    /// What waits on one interface leaves in as few packets as possible.
    fn flush_flood(&mut self, now: Instant, ifindex: IfIndex) {
        self.timers.cancel(TimerKey::FloodPacing(ifindex));
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return };
        let mut keys = std::mem::take(&mut interface.flood_queue);
        keys.sort_unstable();
        keys.dedup();
        let destination = interface.flood_destination();
        if !keys.is_empty() {
            self.transmit_lsas(now, ifindex, destination, &keys);
        }
    }
}

impl Interface {
    /// Is the LSA on the retransmission list of a neighbour here?
    pub(crate) fn is_awaited(&self, key: &LsaKey) -> bool {
        self.neighbors.values().any(|n| n.link_state_retransmission_list.contains_key(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch leaves if it may.
    fn take(pace: &mut Pace, now: Instant) -> Result<(), Instant> {
        let next = pace.next();
        if now < next {
            return Err(next);
        }
        pace.count(now);
        Ok(())
    }

    #[test]
    fn a_burst_leaves_at_once_and_the_rest_in_steps() {
        let ms = Instant::from_millis;
        let mut pace = Pace::default();
        for n in 0..u64::from(BURST) {
            assert_eq!(take(&mut pace, ms(1000 + n)), Ok(()), "batch {n}");
        }
        // The credit began to come back with the first batch.
        assert_eq!(take(&mut pace, ms(1008)), Err(ms(1030)));
        assert_eq!(take(&mut pace, ms(1030)), Ok(()));
        assert_eq!(take(&mut pace, ms(1059)), Err(ms(1060)));
        assert_eq!(take(&mut pace, ms(1065)), Ok(()));
        assert_eq!(
            take(&mut pace, ms(1089)),
            Err(ms(1090)),
            "the steps are kept, not the gaps between batches"
        );
        // A quiet time fills the credit, and no more than the credit.
        for _ in 0..BURST {
            assert_eq!(take(&mut pace, ms(9000)), Ok(()));
        }
        assert_eq!(take(&mut pace, ms(9000)), Err(ms(9030)));
    }
}
