//! Why a received packet was dropped: one reason, one counter.

use crate::throttle::Throttle;
use routing_common::time::Instant;
use std::collections::BTreeMap;

/// A reason to drop a received packet. The order is that of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discard {
    /// Not sent to 224.0.0.18.
    Destination,
    /// TTL is not 255.
    Ttl,
    /// Not the version the virtual router speaks.
    Version,
    /// Not an ADVERTISEMENT.
    Type,
    /// Shorter than it declares to be.
    Length,
    /// Wrong in every form we know.
    Checksum,
    /// No such virtual router on this interface.
    Vrid,
    /// Version 2 with an Auth Type; RFC 3768 has only 0.
    Authentication,
    /// Interval 0, or in version 2 not our own.
    Interval,
    /// No address in it.
    AddressCount,
    /// From our own address: a duplicate address, or our own frame sent back by the network.
    OwnAddress,
}

impl Discard {
    /// A stable name for show commands and notices.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Destination => "destination",
            Self::Ttl => "ttl",
            Self::Version => "version",
            Self::Type => "type",
            Self::Length => "length",
            Self::Checksum => "checksum",
            Self::Vrid => "vrid",
            Self::Authentication => "authentication",
            Self::Interval => "interval",
            Self::AddressCount => "addressCount",
            Self::OwnAddress => "ownAddress",
        }
    }
}

/// Counters by reason. They count every packet, however few are told to the operator.
#[derive(Debug, Clone, Default)]
pub struct Discards {
    counts: BTreeMap<Discard, u64>,
    notices: Throttle<Discard>,
}

impl Discards {
    /// Counts one; says whether it is time to notice it again.
    pub fn count(&mut self, now: Instant, reason: Discard) -> bool {
        let count = self.counts.entry(reason).or_default();
        *count = count.saturating_add(1);
        self.notices.due(now, reason)
    }

    /// How many were dropped for `reason`.
    pub fn of(&self, reason: Discard) -> u64 {
        self.counts.get(&reason).copied().unwrap_or(0)
    }

    /// All reasons that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Discard, u64)> + '_ {
        self.counts.iter().map(|(reason, count)| (*reason, *count))
    }
}
