//! What was flushed a moment ago.
//!
//! An LSA that is flushed soon after it was flooded leaves in two packets a moment apart, and whatever lies between two
//! routers may deliver the flush first. It meets a database without that LSA and is acknowledged and forgotten (§13 (4));
//! the LSA that comes after it is news by §13.1, everybody behind takes it, and nobody flushes it again: it stays
//! until MaxAge, an hour later. So for MinLSArrival after a flush what it ended is not taken. It is not acknowledged
//! either: should it be no straggler but a new beginning with the first sequence number, which a careful router makes
//! later than that, its retransmission is taken.
//!
//! The RFC has nothing of the kind. What may be changed is how long it is remembered: so long, and until the next
//! retransmission, a new beginning that comes too soon has to wait.
//!
//! Not held to it are own LSAs, which §13.4 flushes when they come, and what was asked for.

use crate::instance::Instance;
use crate::lsa::LsaHeader;
use crate::lsdb::DatabaseId;
use crate::neighbor::NeighborId;
use core::cmp::Ordering;
use routing_common::time::Instant;

/// More than that are not remembered: it is a help, and no neighbour shall make us hoard.
const MOST: usize = 4096;

/// The end of an LSA that is in no database any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flushed {
    header: LsaHeader,
    until: Instant,
}

impl Instance {
    /// An instance with MaxAge has left the database, or never came there (§13 (4)).
    pub(crate) fn note_flushed(&mut self, now: Instant, database: DatabaseId, header: LsaHeader) {
        if self.flushed.len() >= MOST {
            self.flushed.retain(|_, flushed| now < flushed.until);
        }
        if self.flushed.len() < MOST {
            let until = now + self.config.min_ls_arrival;
            self.flushed.insert((database, header.key), Flushed { header, until });
        }
    }

    /// Has the flush of this instance, of which there is no copy, come before it?
    pub(super) fn is_straggler(
        &self,
        now: Instant,
        from: NeighborId,
        database: DatabaseId,
        received: &LsaHeader,
    ) -> bool {
        let flushed = self.flushed.get(&(database, received.key)).filter(|flushed| now < flushed.until);
        let is_ended = |f: &Flushed| f.header.instance_cmp(received) == Ordering::Greater;
        flushed.is_some_and(is_ended)
            && !self.is_self_originated(&received.key)
            && !self.is_requested(from, &received.key)
    }
}
