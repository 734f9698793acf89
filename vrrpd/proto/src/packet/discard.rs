//! Why a received packet was dropped: one reason, one counter.

use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;

/// At most one notice per reason in this time; counters count them all.
const NOTICE_INTERVAL: Duration = Duration::from_secs(60);

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

#[derive(Debug, Clone, Default)]
struct Row {
    count: u64,
    noticed: Option<Instant>,
}

/// Counters by reason, and when each was last noticed.
#[derive(Debug, Clone, Default)]
pub struct Discards(BTreeMap<Discard, Row>);

impl Discards {
    /// Counts one; says whether it is time to notice it again.
    pub fn count(&mut self, now: Instant, reason: Discard) -> bool {
        let row = self.0.entry(reason).or_default();
        row.count = row.count.saturating_add(1);
        let due = row.noticed.is_none_or(|t| now.since(t) >= NOTICE_INTERVAL);
        if due {
            row.noticed = Some(now);
        }
        due
    }

    /// How many were dropped for `reason`.
    pub fn of(&self, reason: Discard) -> u64 {
        self.0.get(&reason).map_or(0, |r| r.count)
    }

    /// All reasons that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Discard, u64)> + '_ {
        self.0.iter().map(|(reason, row)| (*reason, row.count))
    }
}
