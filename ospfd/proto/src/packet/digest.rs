//! Digests over a packet: keyed MD5 (RFC 2328 App. D.4.3) and HMAC-SHA (RFC 5709 §3.3).
//!
//! RFC 5709 brings a key to the length of the hash, not of its block as HMAC alone would: a longer one is hashed first, a
//! shorter one filled up with zeros, which HMAC does with it anyway. Where the digest will stand, [`APAD`] is hashed.

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
    let length = usize::from(algorithm.digest_length());
    let hashed;
    let key = if secret.expose().len() > length {
        hashed = D::digest(secret.expose());
        hashed.as_slice()
    } else {
        secret.expose()
    };
    // proof: HMAC takes keys of any length.
    let mut mac = SimpleHmac::<D>::new_from_slice(key).expect("a key of any length");
    mac.update(packet);
    for _ in 0..length / APAD.len() {
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
