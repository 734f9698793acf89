//! Why a received packet was dropped: one reason, one counter. The order is that of the checks.

use routing_common::time::{Duration, Instant};

/// The same reason is told to the operator at most once in this time.
const NOTICE_INTERVAL: Duration = Duration::from_secs(60);

/// A reason to drop a received packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discard {
    /// A single hop's TTL is not 255 (RFC 5881 §5).
    Ttl,
    /// Not version 1.
    Version,
    /// The Length field is less than 24, or than 26 with an Authentication Section.
    Length,
    /// The Length field is more than was received.
    Truncated,
    /// Detect Mult is 0.
    DetectMult,
    /// The Multipoint bit is set.
    Multipoint,
    /// My Discriminator is 0.
    MyDiscriminator,
    /// Your Discriminator is not one of ours.
    YourDiscriminator,
    /// Your Discriminator is 0 though the peer says Init or Up.
    State,
    /// Your Discriminator is 0 and no session is with this sender on this interface.
    NoSession,
    /// It is for a session on another interface.
    Interface,
    /// A multihop's TTL is below the session's minimum (RFC 5883 §5).
    MinimumTtl,
    /// It is authenticated, and no authentication is in use.
    Authentication,
    /// The session is held in AdminDown.
    AdminDown,
}

impl Discard {
    /// All of them, in the order of the checks.
    pub const ALL: [Self; 14] = [
        Self::Ttl,
        Self::Version,
        Self::Length,
        Self::Truncated,
        Self::DetectMult,
        Self::Multipoint,
        Self::MyDiscriminator,
        Self::YourDiscriminator,
        Self::State,
        Self::NoSession,
        Self::Interface,
        Self::MinimumTtl,
        Self::Authentication,
        Self::AdminDown,
    ];

    /// A stable name for show commands and notices.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ttl => "ttl",
            Self::Version => "version",
            Self::Length => "length",
            Self::Truncated => "truncated",
            Self::DetectMult => "detect-mult",
            Self::Multipoint => "multipoint",
            Self::MyDiscriminator => "my-discriminator",
            Self::YourDiscriminator => "your-discriminator",
            Self::State => "state",
            Self::NoSession => "no-session",
            Self::Interface => "interface",
            Self::MinimumTtl => "minimum-ttl",
            Self::Authentication => "authentication",
            Self::AdminDown => "admin-down",
        }
    }
}

/// Counters by reason. They count every packet, however few are told to the operator.
#[derive(Debug, Clone, Default)]
pub struct Discards {
    counts: [u64; Discard::ALL.len()],
    told: [Option<Instant>; Discard::ALL.len()],
}

impl Discards {
    /// Counts one; says whether it is time to notice it again.
    pub fn count(&mut self, now: Instant, reason: Discard) -> bool {
        let i = reason as usize;
        self.counts[i] = self.counts[i].saturating_add(1);
        let due = self.told[i].is_none_or(|told| now.since(told) >= NOTICE_INTERVAL);
        if due {
            self.told[i] = Some(now);
        }
        due
    }

    /// How many were dropped for `reason`.
    pub fn of(&self, reason: Discard) -> u64 {
        self.counts[reason as usize]
    }

    /// All reasons that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Discard, u64)> + '_ {
        Discard::ALL.into_iter().map(|r| (r, self.of(r))).filter(|(_, n)| *n > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_place_and_is_told_once_a_minute() {
        for (i, reason) in Discard::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, i, "{}", reason.name());
        }
        let mut d = Discards::default();
        assert!(d.count(Instant::from_secs(1), Discard::Ttl));
        assert!(!d.count(Instant::from_secs(60), Discard::Ttl));
        assert!(d.count(Instant::from_secs(60), Discard::AdminDown));
        assert!(d.count(Instant::from_secs(61), Discard::Ttl));
        assert_eq!(d.iter().collect::<Vec<_>>(), [(Discard::Ttl, 3), (Discard::AdminDown, 1)]);
    }
}
