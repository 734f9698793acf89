//! Key chains: several keys for one neighbourhood, each with the times in which it signs and is taken.
//!
//! Pure values and pure judgements; seconds since 1970 are told, never asked for. A key signs during its send lifetime and
//! is taken from others during its accept lifetime, which should be the longer one: clocks differ a little (RFC 5709 §3.2).
//!
//! * Of several keys that may sign, the one whose send lifetime began last does, and the lowest id of those that began
//!   together: a new key takes over when its time comes.
//! * When all lifetimes have ended, or before the next one begins, the key that ended last is used on, as if it had no
//!   end (RFC 2328 App. D.3). Nothing ever goes out or is taken without a key.
//! * Before the first lifetime begins there is no key: nothing is sent and nothing taken.
//!
//! Invariants: keys ascend by id, no id stands twice, no chain is without a key, no lifetime ends before it begins.
//!
//! Deviation from FRR: of several keys that may sign, FRR takes the lowest id, whenever it began.

use crate::config::Secret;
use core::cmp::Reverse;
use core::fmt;
use serde::{Deserialize, Serialize};

/// How a digest is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    /// Keyed MD5 (RFC 2328 App. D.4.3).
    #[serde(rename = "md5")]
    Md5,
    /// RFC 5709, as the others are.
    #[serde(rename = "hmac-sha-1")]
    HmacSha1,
    /// SHA-256.
    #[serde(rename = "hmac-sha-256")]
    HmacSha256,
    /// SHA-384.
    #[serde(rename = "hmac-sha-384")]
    HmacSha384,
    /// SHA-512.
    #[serde(rename = "hmac-sha-512")]
    HmacSha512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Md5, Self::HmacSha1, Self::HmacSha256, Self::HmacSha384, Self::HmacSha512];

    /// The word that stands for it in files and lines.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::HmacSha1 => "hmac-sha-1",
            Self::HmacSha256 => "hmac-sha-256",
            Self::HmacSha384 => "hmac-sha-384",
            Self::HmacSha512 => "hmac-sha-512",
        }
    }

    /// Octets of a digest.
    pub const fn digest_length(self) -> u8 {
        match self {
            Self::Md5 => 16,
            Self::HmacSha1 => 20,
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }

    /// Octets of a block of the hash.
    pub const fn block_length(self) -> u8 {
        match self {
            Self::Md5 | Self::HmacSha1 | Self::HmacSha256 => 64,
            Self::HmacSha384 | Self::HmacSha512 => 128,
        }
    }

    /// Octets of the longest key: MD5 takes 16 and no more, the others any number, of which this is plenty.
    pub const fn longest_key(self) -> usize {
        match self {
            Self::Md5 => 16,
            _ => 128,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// From when until when, in seconds since 1970; both seconds belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// The first second.
    pub start: u64,
    /// The last second; `None`: it never ends.
    pub end: Option<u64>,
}

impl Lifetime {
    /// Without beginning and end.
    pub const ALWAYS: Self = Self { start: 0, end: None };

    /// Is it now?
    pub fn contains(&self, now: u64) -> bool {
        self.has_begun(now) && !self.has_ended(now)
    }

    fn has_begun(&self, now: u64) -> bool {
        self.start <= now
    }

    fn has_ended(&self, now: u64) -> bool {
        self.end.is_some_and(|end| end < now)
    }
}

/// `key N` of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainKey {
    /// Key ID on the wire.
    pub id: u8,
    /// The shared secret.
    pub secret: Secret,
    /// How it makes a digest.
    pub algorithm: Algorithm,
    /// When it signs.
    pub send: Lifetime,
    /// When what others signed with it is taken.
    pub accept: Lifetime,
}

/// `key chain NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChain {
    /// Its name.
    pub name: String,
    /// By id.
    pub keys: Vec<ChainKey>,
}

/// The key that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signing<'a> {
    /// The key.
    pub key: &'a ChainKey,
    /// Its lifetime has ended and it is used for want of another.
    pub outlived: bool,
}

impl KeyChain {
    /// The key that signs now; `None` only before the first send lifetime begins.
    pub fn signing(&self, now: u64) -> Option<Signing<'_>> {
        let valid = self.keys.iter().filter(|k| k.send.contains(now));
        let key = valid.max_by_key(|k| (k.send.start, Reverse(k.id)));
        match key {
            Some(key) => Some(Signing { key, outlived: false }),
            None => self.last(now, |k| k.send).map(|key| Signing { key, outlived: true }),
        }
    }

    /// The key of this id, if what is signed with it is taken now.
    pub fn accepted(&self, id: u8, now: u64) -> Option<&ChainKey> {
        if self.keys.iter().any(|k| k.accept.contains(now)) {
            return self.keys.iter().find(|k| k.id == id && k.accept.contains(now));
        }
        self.last(now, |k| k.accept).filter(|k| k.id == id)
    }

    /// The largest digest any key makes, in octets.
    pub fn longest_digest(&self) -> u8 {
        self.keys.iter().map(|k| k.algorithm.digest_length()).max().unwrap_or(0)
    }

    /// Of the keys whose lifetimes have ended the one that ended last.
    fn last(&self, now: u64, lifetime: impl Fn(&ChainKey) -> Lifetime) -> Option<&ChainKey> {
        let ended = self.keys.iter().filter(|k| lifetime(k).has_begun(now) && lifetime(k).has_ended(now));
        ended.max_by_key(|k| (lifetime(k).end, lifetime(k).start, Reverse(k.id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(id: u8, send: (u64, Option<u64>), accept: (u64, Option<u64>)) -> ChainKey {
        let lifetime = |(start, end)| Lifetime { start, end };
        let (send, accept) = (lifetime(send), lifetime(accept));
        ChainKey { id, secret: Secret::new("x"), algorithm: Algorithm::HmacSha256, send, accept }
    }

    fn chain(keys: Vec<ChainKey>) -> KeyChain {
        KeyChain { name: "c".into(), keys }
    }

    fn signs(chain: &KeyChain, now: u64) -> Option<(u8, bool)> {
        chain.signing(now).map(|s| (s.key.id, s.outlived))
    }

    #[test]
    fn the_key_that_began_last_signs_and_keys_that_overlap_are_both_taken() {
        let chain = chain(vec![key(1, (0, Some(200)), (0, Some(210))), key(2, (100, None), (90, None))]);
        assert_eq!(signs(&chain, 99), Some((1, false)));
        assert_eq!(signs(&chain, 100), Some((2, false)));
        assert_eq!(signs(&chain, 1_000), Some((2, false)));
        let taken = |now| [1, 2, 3].map(|id| chain.accepted(id, now).is_some());
        assert_eq!(taken(89), [true, false, false]);
        assert_eq!(taken(90), [true, true, false]);
        assert_eq!(taken(210), [true, true, false]);
        assert_eq!(taken(211), [false, true, false]);
    }

    #[test]
    fn keys_that_begin_together_sign_by_the_lowest_id() {
        let always = (0, None);
        let chain = chain(vec![key(3, always, always), key(9, always, always)]);
        assert_eq!(signs(&chain, 5), Some((3, false)));
        assert_eq!([3, 9].map(|id| chain.accepted(id, 5).is_some()), [true, true]);
    }

    #[test]
    fn the_key_that_ended_last_goes_on_through_a_gap_and_at_the_end() {
        let (first, second) = ((0, Some(100)), (200, Some(300)));
        let chain = chain(vec![key(1, first, first), key(2, second, second)]);
        assert_eq!(signs(&chain, 100), Some((1, false)));
        for (now, id) in [(101, 1), (199, 1), (301, 2), (u64::MAX, 2)] {
            assert_eq!(signs(&chain, now), Some((id, true)), "{now}");
            let taken = [1, 2].map(|id| chain.accepted(id, now).is_some());
            assert_eq!(taken, [id == 1, id == 2], "{now}");
        }
        assert_eq!(signs(&chain, 200), Some((2, false)));
        assert!(chain.accepted(1, 200).is_none());
    }

    #[test]
    fn before_the_first_lifetime_there_is_no_key() {
        let chain = chain(vec![key(1, (100, None), (100, None))]);
        assert_eq!(signs(&chain, 99), None);
        assert!(chain.accepted(1, 99).is_none());
        assert!(chain.accepted(1, 100).is_some());
    }

    proptest! {
        /// Two routers with the same chain and lifetimes agree at every second.
        #[test]
        fn what_one_router_signs_with_the_other_takes(
            times in proptest::collection::vec((0u64..50, proptest::option::of(0u64..50)), 1..5),
            now in 0u64..120,
        ) {
            let keys = times.iter().zip(1..).map(|((start, length), id)| {
                let lifetime = (*start, length.map(|l| start + l));
                key(id, lifetime, lifetime)
            });
            let chain = chain(keys.collect());
            let signing = chain.signing(now);
            prop_assert_eq!(signing.is_some(), times.iter().any(|(start, _)| *start <= now));
            if let Some(signing) = signing {
                prop_assert_eq!(chain.accepted(signing.key.id, now), Some(signing.key));
            }
        }
    }
}
