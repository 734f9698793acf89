//! Packet authentication (RFC 2328 App. D).
//!
//! Null, simple password, keyed MD5 and HMAC-SHA (RFC 5709), whose keys may come from a chain with lifetimes
//! ([`routing_common::key_chain`]); times are seconds since 1970, told by the caller. The digest is appended to the
//! packet and counted by no length field of OSPF's own; an LLS block, if any, comes behind it. Comparisons take the same
//! time whatever differs, so that a sender cannot guess octet by octet.
//!
//! A key without an algorithm of its own is one of MD5. Sequence numbers have 32 bits (no RFC 7474), and are one
//! row over all keys of an interface, so that a change of keys needs no fresh start.

use super::digest::{digest, padded};
use super::header::{AUTH_OFFSET, HEADER_LENGTH, RawPacket, au_type};
use routing_common::config::{OspfAuthentication, Secret};
use routing_common::key_chain::Algorithm;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// Octets of a simple password.
const PASSWORD_LENGTH: usize = 8;

/// Why a packet is not accepted (RFC 2328 App. D.5).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum AuthError {
    /// AuType is not the one configured.
    #[error("authentication type differs")]
    TypeMismatch,
    /// The simple password is another one.
    #[error("password differs")]
    KeyMismatch,
    /// No key with the packet's Key ID is configured, or none that is accepted now.
    #[error("key id unknown")]
    UnknownKeyId,
    /// The digest is another one.
    #[error("digest differs")]
    DigestMismatch,
    /// The cryptographic sequence number is smaller than the last accepted one: a replay, or a
    /// neighbour whose clock went back.
    #[error("cryptographic sequence number went back")]
    SequenceTooOld,
    /// The digest is missing, or not as long as the key's algorithm makes it.
    #[error("digest missing or of another length")]
    Truncated,
}

/// Judges a received packet by the receiving interface's configuration, at `wall` seconds since 1970.
/// `last_sequence` is the last cryptographic sequence number accepted from this neighbour, `None` before
/// the first. Returns the number to remember, `None` without cryptography. An equal number is accepted
/// (RFC 2328 App. D.5.3 (2)).
pub fn verify(
    raw: &RawPacket<'_>,
    auth: &OspfAuthentication,
    wall: u64,
    last_sequence: Option<u32>,
) -> Result<Option<u32>, AuthError> {
    match (auth, raw.au_type) {
        (OspfAuthentication::Null, au_type::NULL) => Ok(None),
        (OspfAuthentication::Simple(password), au_type::SIMPLE) => {
            let expected: [u8; PASSWORD_LENGTH] = padded(password);
            if bool::from(expected.ct_eq(&raw.authentication)) {
                Ok(None)
            } else {
                Err(AuthError::KeyMismatch)
            }
        }
        (OspfAuthentication::Md5(keys), au_type::CRYPTOGRAPHIC) => {
            let key = |id| keys.iter().find(|k| k.id == id).map(|k| (Algorithm::Md5, &k.secret));
            verify_digest(raw, key, last_sequence).map(Some)
        }
        (OspfAuthentication::KeyChain(chain), au_type::CRYPTOGRAPHIC) => {
            let key = |id| chain.accepted(id, wall).map(|k| (k.algorithm, &k.secret));
            verify_digest(raw, key, last_sequence).map(Some)
        }
        _ => Err(AuthError::TypeMismatch),
    }
}

/// Judges a packet of AuType 2; `key` is what is known under a Key ID. Returns the sequence number.
fn verify_digest<'a>(
    raw: &RawPacket<'_>,
    key: impl FnOnce(u8) -> Option<(Algorithm, &'a Secret)>,
    last_sequence: Option<u32>,
) -> Result<u32, AuthError> {
    let [_, _, key_id, length, a, b, c, d] = raw.authentication;
    let (algorithm, secret) = key(key_id).ok_or(AuthError::UnknownKeyId)?;
    if length != algorithm.digest_length() {
        return Err(AuthError::Truncated);
    }
    let received = raw.trailer.get(..usize::from(length)).ok_or(AuthError::Truncated)?;
    if !bool::from(digest(algorithm, raw.packet, secret).ct_eq(received)) {
        return Err(AuthError::DigestMismatch);
    }
    // Only a number under a right digest says anything, hence last.
    let sequence = u32::from_be_bytes([a, b, c, d]);
    if last_sequence.is_some_and(|last| sequence < last) {
        return Err(AuthError::SequenceTooOld);
    }
    Ok(sequence)
}

/// How a packet we send is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer<'a> {
    /// AuType 0.
    Null,
    /// AuType 1.
    Simple(&'a Secret),
    /// AuType 2.
    Cryptographic {
        /// How the digest is made.
        algorithm: Algorithm,
        /// Key ID.
        key_id: u8,
        /// The key.
        secret: &'a Secret,
        /// Cryptographic sequence number: never smaller than in the packet before, also after a restart.
        sequence: u32,
    },
}

impl<'a> Signer<'a> {
    /// The signer an interface's configuration asks for at `wall` seconds since 1970: of several MD5 keys the
    /// last one, of a chain the one that signs then. `None` if none does: nothing may be sent.
    pub fn new(auth: &'a OspfAuthentication, wall: u64, sequence: u32) -> Option<Self> {
        let (algorithm, key_id, secret) = match auth {
            OspfAuthentication::Null => return Some(Self::Null),
            OspfAuthentication::Simple(password) => return Some(Self::Simple(password)),
            OspfAuthentication::Md5(keys) => keys.last().map(|k| (Algorithm::Md5, k.id, &k.secret))?,
            OspfAuthentication::KeyChain(chain) => {
                let key = chain.signing(wall)?.key;
                (key.algorithm, key.id, &key.secret)
            }
        };
        Some(Self::Cryptographic { algorithm, key_id, secret, sequence })
    }

    pub(super) fn au_type(&self) -> u16 {
        match self {
            Self::Null => au_type::NULL,
            Self::Simple(_) => au_type::SIMPLE,
            Self::Cryptographic { .. } => au_type::CRYPTOGRAPHIC,
        }
    }

    /// Fills in the authentication field and appends the digest. For null and simple authentication
    /// the checksum, which leaves the field out, is already there.
    pub(super) fn sign(&self, mut packet: Vec<u8>) -> Vec<u8> {
        let field: [u8; HEADER_LENGTH - AUTH_OFFSET] = match self {
            Self::Null => [0; 8],
            Self::Simple(password) => padded(password),
            Self::Cryptographic { algorithm, key_id, sequence, .. } => {
                let [a, b, c, d] = sequence.to_be_bytes();
                [0, 0, *key_id, algorithm.digest_length(), a, b, c, d]
            }
        };
        if let Some(slot) = packet.get_mut(AUTH_OFFSET..HEADER_LENGTH) {
            slot.copy_from_slice(&field);
        }
        if let Self::Cryptographic { algorithm, secret, .. } = self {
            let digest = digest(*algorithm, &packet, secret);
            packet.extend_from_slice(&digest);
        }
        packet
    }
}
