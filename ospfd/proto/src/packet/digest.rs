//! Digests over a packet: keyed MD5 (RFC 2328 App. D.4.3) and HMAC-SHA (RFC 5709 §3.3).
//!
//! Where the digest will stand, [`APAD`] is hashed.
//!
//! Deviation: RFC 5709 §3.3 (1) hashes a key first that is longer than the hash, HMAC (RFC 2104) one that is longer than
//! the hash's block. BIRD leaves keys to HMAC, and so do we: with keys between the two lengths nobody would understand
//! us otherwise. The loader warns of such keys.

use hmac::digest::Digest;
use hmac::digest::block_api::BlockSizeUser;
use hmac::{KeyInit, Mac, SimpleHmac};
use md5::Md5;
use routing_common::config::Secret;
use routing_common::key_chain::Algorithm;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use smallvec::SmallVec;

/// Octets of the longest digest.
pub(super) const LONGEST_DIGEST: usize = 64;

/// Octets of an MD5 key; shorter secrets are filled up with zeros.
const MD5_KEY: usize = 16;

/// What stands for the digest while it is computed, again and again.
const APAD: [u8; 4] = [0x87, 0x8f, 0xe1, 0xf3];

/// The digest of a packet, header included.
pub(super) fn digest(algorithm: Algorithm, packet: &[u8], secret: &Secret) -> SmallVec<[u8; LONGEST_DIGEST]> {
    match algorithm {
        Algorithm::Md5 => {
            let key: [u8; MD5_KEY] = padded(secret);
            SmallVec::from_slice(&Md5::new().chain_update(packet).chain_update(key).finalize())
        }
        Algorithm::HmacSha1 => hmac::<Sha1>(algorithm, packet, secret),
        Algorithm::HmacSha256 => hmac::<Sha256>(algorithm, packet, secret),
        Algorithm::HmacSha384 => hmac::<Sha384>(algorithm, packet, secret),
        Algorithm::HmacSha512 => hmac::<Sha512>(algorithm, packet, secret),
    }
}

fn hmac<D: Digest + BlockSizeUser>(
    algorithm: Algorithm,
    packet: &[u8],
    secret: &Secret,
) -> SmallVec<[u8; LONGEST_DIGEST]> {
    // proof: HMAC takes keys of any length.
    let mut mac = SimpleHmac::<D>::new_from_slice(secret.expose()).expect("a key of any length");
    mac.update(packet);
    for _ in 0..usize::from(algorithm.digest_length()) / APAD.len() {
        mac.update(&APAD);
    }
    SmallVec::from_slice(&mac.finalize().into_bytes())
}

/// The secret cut or filled up with zeros to `N` octets.
pub(super) fn padded<const N: usize>(secret: &Secret) -> [u8; N] {
    let mut out = [0; N];
    for (slot, octet) in out.iter_mut().zip(secret.expose()) {
        *slot = *octet;
    }
    out
}
