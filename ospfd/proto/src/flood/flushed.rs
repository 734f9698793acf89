//! What was flushed a moment ago.
//!
//! An LSA that is flushed soon after it was flooded leaves two packets a moment apart, and whatever lies between two
//! routers may deliver the second one first. The first one then meets a database without that LSA: by §13 it is
//! news, everybody behind takes it, and nobody flushes it again, since the sender's flush was acknowledged. It stays
//! until MaxAge, an hour later. So for MinLSArrival after an LSA was flushed an instance that the flush had ended is not
//! taken. It is not acknowledged either: if it is no straggler but a new beginning with the first sequence
//! number, which a careful router makes later than that, its retransmission is taken.
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
