//! Packet authentication (RFC 2328 App. D).
//!
//! Null, simple password and keyed MD5. The digest is appended to the packet and counted by no length
//! field of OSPF's own; an LLS block, if any, comes behind it. Comparisons take the same time whatever
//! differs, so that a sender cannot guess octet by octet.

use super::header::{AUTH_OFFSET, HEADER_LENGTH, RawPacket, au_type};
use md5::{Digest, Md5};
use routing_common::config::{OspfAuthentication, Secret};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// Octets of an MD5 digest.
pub const DIGEST_LENGTH: usize = 16;

/// Octets of an MD5 key; shorter secrets are filled up with zeros.
const KEY_LENGTH: usize = 16;

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
    /// No key with the packet's Key ID is configured.
    #[error("key id unknown")]
    UnknownKeyId,
    /// The MD5 digest is another one.
    #[error("digest differs")]
    DigestMismatch,
    /// The cryptographic sequence number is smaller than the last accepted one: a replay, or a
    /// neighbour whose clock went back.
    #[error("cryptographic sequence number went back")]
    SequenceTooOld,
    /// The digest is missing, or not of 16 octets.
    #[error("digest missing or not of 16 octets")]
    Truncated,
}

/// Judges a received packet by the receiving interface's configuration. `last_sequence` is the last
/// cryptographic sequence number accepted from this neighbour, `None` before the first. Returns the
/// number to remember, `None` without cryptography. An equal number is accepted (RFC 2328 App. D.5.3 (2)).
pub fn verify(
    raw: &RawPacket<'_>,
    auth: &OspfAuthentication,
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
            let [_, _, key_id, digest_length, a, b, c, d] = raw.authentication;
            let key = keys.iter().find(|k| k.id == key_id).ok_or(AuthError::UnknownKeyId)?;
            if usize::from(digest_length) != DIGEST_LENGTH {
                return Err(AuthError::Truncated);
            }
            let received = raw.trailer.get(..DIGEST_LENGTH).ok_or(AuthError::Truncated)?;
            if !bool::from(digest(raw.packet, &key.secret).ct_eq(received)) {
                return Err(AuthError::DigestMismatch);
            }
            // Only a number under a right digest says anything, hence last.
            let sequence = u32::from_be_bytes([a, b, c, d]);
            if last_sequence.is_some_and(|last| sequence < last) {
                return Err(AuthError::SequenceTooOld);
            }
            Ok(Some(sequence))
        }
        _ => Err(AuthError::TypeMismatch),
    }
}

/// How a packet we send is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer<'a> {
    /// AuType 0.
    Null,
    /// AuType 1.
    Simple(&'a Secret),
    /// AuType 2.
    Md5 {
        /// Key ID.
        key_id: u8,
        /// The key.
        secret: &'a Secret,
        /// Cryptographic sequence number: never smaller than in the packet before, also after a restart.
        sequence: u32,
    },
}

impl<'a> Signer<'a> {
    /// The signer an interface's configuration asks for: of several MD5 keys the last one. Without any
    /// key, which a valid configuration excludes, packets go out as AuType 0.
    pub fn new(auth: &'a OspfAuthentication, sequence: u32) -> Self {
        match auth {
            OspfAuthentication::Null => Self::Null,
            OspfAuthentication::Simple(password) => Self::Simple(password),
            OspfAuthentication::Md5(keys) => match keys.last() {
                Some(key) => Self::Md5 { key_id: key.id, secret: &key.secret, sequence },
                None => Self::Null,
            },
        }
    }

    pub(super) fn au_type(&self) -> u16 {
        match self {
            Self::Null => au_type::NULL,
            Self::Simple(_) => au_type::SIMPLE,
            Self::Md5 { .. } => au_type::CRYPTOGRAPHIC,
        }
    }

    /// Fills in the authentication field and appends the digest. For null and simple authentication
    /// the checksum, which leaves the field out, is already there.
    pub(super) fn sign(&self, mut packet: Vec<u8>) -> Vec<u8> {
        let field: [u8; HEADER_LENGTH - AUTH_OFFSET] = match self {
            Self::Null => [0; 8],
            Self::Simple(password) => padded(password),
            Self::Md5 { key_id, sequence, .. } => {
                let [a, b, c, d] = sequence.to_be_bytes();
                // DIGEST_LENGTH as an octet.
                [0, 0, *key_id, 16, a, b, c, d]
            }
        };
        if let Some(slot) = packet.get_mut(AUTH_OFFSET..HEADER_LENGTH) {
            slot.copy_from_slice(&field);
        }
        if let Self::Md5 { secret, .. } = self {
            let digest = digest(&packet, secret);
            packet.extend_from_slice(&digest);
        }
        packet
    }
}

/// MD5 over the packet and the key (RFC 2328 App. D.4.3 (6)).
fn digest(packet: &[u8], secret: &Secret) -> [u8; DIGEST_LENGTH] {
    let key: [u8; KEY_LENGTH] = padded(secret);
    Md5::new().chain_update(packet).chain_update(key).finalize().into()
}

/// The secret cut or filled up with zeros to `N` octets.
fn padded<const N: usize>(secret: &Secret) -> [u8; N] {
    let mut out = [0; N];
    for (slot, octet) in out.iter_mut().zip(secret.expose()) {
        *slot = *octet;
    }
    out
}
