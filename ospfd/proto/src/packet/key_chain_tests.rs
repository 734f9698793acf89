//! HMAC-SHA against values computed elsewhere, and keys in and out of their time.

use super::tests::hello_octets;
use super::*;
use routing_common::config::{OspfAuthentication, Secret};
use routing_common::key_chain::{Algorithm, ChainKey, KeyChain, Lifetime};

/// As long as a key of MD5 may be.
const SECRET: &str = "sixteen octets!!";

fn key(id: u8, algorithm: Algorithm, secret: impl Into<Vec<u8>>, lifetime: Lifetime) -> ChainKey {
    ChainKey { id, secret: Secret::new(secret), algorithm, send: lifetime, accept: lifetime }
}

fn chain(keys: impl IntoIterator<Item = ChainKey>) -> OspfAuthentication {
    OspfAuthentication::KeyChain(KeyChain { name: "chain".into(), keys: keys.into_iter().collect() })
}

fn judge(bytes: &[u8], auth: &OspfAuthentication, wall: u64) -> Result<Option<u32>, AuthError> {
    verify(&decode_header(bytes).unwrap(), auth, wall, None)
}

/// Digests of the Hello of the other tests by RFC 5709 §3.3, but for its preparation of long keys, computed with another library.
#[test]
fn digests_are_those_of_rfc_5709() {
    let long: Vec<u8> = (b'A'..=b'Z').cycle().take(78).collect();
    for (id, algorithm, short_digest, long_digest) in [
        (
            1,
            Algorithm::HmacSha1,
            "819ff410d504b01aec0634b629d4640aea2e72bf",
            "ba4e73d7b019559450dca854e6c5e0088d48b015",
        ),
        (
            2,
            Algorithm::HmacSha256,
            "5cd28b70a4c0a7407652964d39cc8ce255c0da6cfeaa12dfa509963fd49e5cfd",
            "cc50931e4239900aeff29021693cd00f7848258be64edde4482a0228fc25dfdb",
        ),
        (
            3,
            Algorithm::HmacSha384,
            "1fcab879943cd9336e20d758d4e601d2143470241dde58df5d6fc9f66bbeaebedab560eac4d7bf83bf4a62de217fbf45",
            "9c89a958f3a616685c75a5f56e2f7b0cedfa5c24851841a5bc9930e9f75ce45c9eee5a64db826dcd3ab57d0a288e7931",
        ),
        (
            4,
            Algorithm::HmacSha512,
            "cce9d55abce186b436b0021b06c5baf20c67928bc59bd3bc0ba5f816fac3e5cad0226f64412eb1165517cf3db0fe9791\
             b4e6253f537ed99134b80ad7d51aa78c",
            "4c8f9f24fde5f0ade5b9d5896e7eab0a4a62e0944cb9978463e8d61b43a78821ecc57d05ad61fb9086dbe1b06b2400b6\
             e5fd6bd7936ae171f9c887c7c5367874",
        ),
    ] {
        for (secret, expected) in [(b"secret".as_slice(), short_digest), (&long, long_digest)] {
            let auth = chain([key(id, algorithm, secret, Lifetime::ALWAYS)]);
            let bytes = hello_octets(&Signer::new(&auth, 0, 1000).unwrap());
            let raw = decode_header(&bytes).unwrap();
            let digest: String = raw.trailer().iter().map(|o| format!("{o:02x}")).collect();
            assert_eq!(digest, expected, "{algorithm}");
            assert_eq!(judge(&bytes, &auth, 0), Ok(Some(1000)));
        }
    }
}

#[test]
fn every_fault_of_a_hmac_is_refused_by_its_name() {
    for algorithm in Algorithm::ALL {
        let auth = chain([key(1, algorithm, SECRET, Lifetime::ALWAYS)]);
        let good = hello_octets(&Signer::new(&auth, 0, 1000).unwrap());
        assert_eq!(judge(&good[..good.len() - 1], &auth, 0), Err(AuthError::Truncated), "{algorithm}");
        for at in (4..good.len()).filter(|at| !(14..20).contains(at)) {
            let mut bent = good.clone();
            bent[at] ^= 1;
            assert_eq!(judge(&bent, &auth, 0), Err(AuthError::DigestMismatch), "{algorithm} octet {at}");
        }
        // The key says which algorithm it is; the packet cannot.
        for other in Algorithm::ALL.into_iter().filter(|o| *o != algorithm) {
            let auth = chain([key(1, other, SECRET, Lifetime::ALWAYS)]);
            assert_eq!(judge(&good, &auth, 0), Err(AuthError::Truncated), "{algorithm} for {other}");
        }
    }
}

#[test]
fn keys_sign_and_are_taken_in_their_time_alone() {
    let lifetime = |start, end| Lifetime { start, end: Some(end) };
    let old = key(1, Algorithm::Md5, "old", lifetime(100, 200));
    let new = key(2, Algorithm::HmacSha256, "new", lifetime(190, 300));
    let auth = chain([old.clone(), new.clone()]);
    assert_eq!(Signer::new(&auth, 99, 1), None, "nothing has begun");
    let signed = |wall| hello_octets(&Signer::new(&auth, wall, 1).unwrap());
    let (by_old, by_new) = (signed(100), signed(190));
    assert_eq!((by_old[18], by_new[18]), (1, 2));
    for (wall, old_is_taken, new_is_taken) in [
        (99, false, false),
        (100, true, false),
        (190, true, true),
        (200, true, true),
        (201, false, true),
        (301, false, true),
    ] {
        assert_eq!(judge(&by_old, &auth, wall).is_ok(), old_is_taken, "old at {wall}");
        assert_eq!(judge(&by_new, &auth, wall).is_ok(), new_is_taken, "new at {wall}");
    }
    assert_eq!(judge(&by_old, &auth, 201), Err(AuthError::UnknownKeyId));
    assert_eq!(signed(9_999)[18], 2, "the last key goes on");
}

#[test]
fn room_is_left_for_the_longest_digest_of_a_chain() {
    let keys = [Algorithm::Md5, Algorithm::HmacSha384].into_iter().zip(1..);
    let auth = chain(keys.map(|(algorithm, id)| key(id, algorithm, "x", Lifetime::ALWAYS)));
    assert_eq!(max_payload(1500, &auth), 1500 - 20 - 24 - 48);
}
