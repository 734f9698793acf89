//! Key chains: what they say, and what is refused.

use super::super::*;
use super::{accepted, refused, warned};
use crate::key_chain::{Algorithm, ChainKey, KeyChain, Lifetime};
use crate::render::Date;

const USED: &str = "[interfaces.eth0]\n[ospf]\nrouter-id = \"1.1.1.1\"\n\
                    interfaces.eth0.authentication = { type = \"key-chain\", key-chain = \"C\" }\n";

fn seconds(date: &str) -> u64 {
    Date::parse(date).unwrap().seconds().unwrap()
}

#[test]
fn keys_are_ordered_by_id_and_stand_where_they_are_used() {
    let text = format!(
        "{USED}{}",
        r#"
[[key-chains.C]]
id = 7
key = "new secret"
algorithm = "hmac-sha-512"
send-lifetime = { start = "2027-01-01T00:00:00Z" }
accept-lifetime = { start = "2026-12-31 23:00:00" }
[[key-chains.C]]
id = 2
key = "old"
algorithm = "md5"
[key-chains.C.send-lifetime]
start = "1993-01-01 00:00:00"
end = "2027-01-01 01:00:00"
[key-chains.C.accept-lifetime]
start = "1993-01-01 00:00:00"
end = "2027-01-01 02:00:00"
"#
    );
    let config = accepted(&text);
    let lifetime = |start, end: Option<&str>| Lifetime { start: seconds(start), end: end.map(seconds) };
    let old = ChainKey {
        id: 2,
        secret: Secret::new("old"),
        algorithm: Algorithm::Md5,
        send: lifetime("1993-01-01 00:00:00", Some("2027-01-01 01:00:00")),
        accept: lifetime("1993-01-01 00:00:00", Some("2027-01-01 02:00:00")),
    };
    let new = ChainKey {
        id: 7,
        secret: Secret::new("new secret"),
        algorithm: Algorithm::HmacSha512,
        send: lifetime("2027-01-01 00:00:00", None),
        accept: lifetime("2026-12-31 23:00:00", None),
    };
    let chain = KeyChain { name: "C".into(), keys: vec![old, new] };
    assert_eq!(config.key_chains["C"], chain);
    let on = config.ospf.unwrap().interfaces.into_values().next().unwrap();
    assert_eq!(on.authentication, OspfAuthentication::KeyChain(chain));
    assert!(!format!("{:?}", config.key_chains).contains("secret\""));
}

#[test]
fn a_key_without_lifetimes_lives_always() {
    for algorithm in Algorithm::ALL {
        let key = format!("id = 0\nkey = \"x\"\nalgorithm = \"{algorithm}\"");
        let config = accepted(&format!("{USED}[[key-chains.C]]\n{key}\n"));
        let key = &config.key_chains["C"].keys[0];
        assert_eq!((key.algorithm, key.send, key.accept), (algorithm, Lifetime::ALWAYS, Lifetime::ALWAYS));
    }
}

/// The messages about one key of the chain in use, whose lines begin with the sixth.
fn refused_key(lines: &str) -> Vec<String> {
    refused(&format!("{USED}[[key-chains.C]]\n{lines}\n"))
}

#[test]
fn a_key_needs_its_secret_its_algorithm_and_an_id_of_its_own() {
    assert_eq!(
        refused_key(""),
        [
            "5:1 missing key `id` in `key-chains.NAME`",
            "5:1 missing key `algorithm` in `key-chains.NAME`",
            "5:1 missing key `key` in `key-chains.NAME`",
        ]
    );
    assert_eq!(
        refused_key("id = 1\nkey = \"seventeen octets!\"\nalgorithm = \"md5\""),
        ["7:7 this key is 17 bytes long"]
    );
    let one = "id = 1\nkey = \"x\"\nalgorithm = \"md5\"";
    assert_eq!(refused_key(&format!("{one}\n[[key-chains.C]]\n{one}")), ["9:1 key id 1 is used twice"]);
    let text =
        format!("{USED}[key-chains]\nC = [{{ id = 1, key = \"open sesame\", algorithm = \"md4\" }}]\n");
    let found = load("r1.toml", &text).unwrap_err().to_string();
    assert!(found.contains("md4") && !found.contains("sesame"), "{found}");
}

#[test]
fn lifetimes_must_be_dates_that_end_after_they_begin() {
    let key = "id = 1\nkey = \"x\"\nalgorithm = \"md5\"\n";
    let with = |lifetime: &str| refused_key(&format!("{key}accept-lifetime = {{ {lifetime} }}"));
    assert_eq!(
        with("start = \"2027-01-02 00:00:00\", end = \"2027-01-01 00:00:00\""),
        ["9:1 the accept-lifetime ends before it begins"]
    );
    assert_eq!(
        with("start = \"2027-01-02 00:00:00\", end = \"2027-01-02 00:00:00\""),
        ["9:1 the accept-lifetime ends before it begins"]
    );
    assert_eq!(with("start = \"2027-02-29 00:00:00\""), ["9:29 `start` cannot be \"2027-02-29 00:00:00\""]);
    assert_eq!(with("start = \"1992-12-31 23:59:59\""), ["9:29 `start` cannot be \"1992-12-31 23:59:59\""]);
    assert_eq!(with("end = \"2027-01-01 00:00:00\"").len(), 1);
}

#[test]
fn a_chain_must_be_there_and_have_keys() {
    assert_eq!(refused(USED), ["4:68 there is no key chain \"C\""]);
    assert_eq!(refused(&format!("{USED}[key-chains]\nC = []\n")), ["6:1 key chain `C` has no entry"]);
    let text = USED.replace(", key-chain = \"C\"", "");
    assert_eq!(refused(&text), ["4:17 authentication \"key-chain\" needs `key-chain`"]);
    let text = USED.replace("type = \"key-chain\"", "type = \"simple\", key = \"x\"");
    let chain = "[[key-chains.C]]\nid = 1\nkey = \"x\"\nalgorithm = \"md5\"\n";
    assert_eq!(refused(&format!("{text}{chain}")), ["4:76 authentication \"simple\" has no `key-chain`"]);
}

#[test]
fn gaps_and_keys_that_sign_unaccepted_are_warned_about() {
    let chain = |first: &str, second: &str| {
        format!(
            "{USED}[key-chains]\nC = [\n{{ id = 1, key = \"x\", algorithm = \"md5\", {first} }},\n\
             {{ id = 2, key = \"y\", algorithm = \"md5\", {second} }},\n]\n"
        )
    };
    let send = |start: &str, end: &str| format!("send-lifetime = {{ start = \"{start}\", end = \"{end}\" }}");
    let (a, b, c, d) =
        ("2027-01-01 00:00:00", "2027-01-02 00:00:00", "2027-01-03 00:00:00", "2027-01-04 00:00:00");
    assert_eq!(warned(&chain(&send(a, c), &send(b, d))), [""; 0]);
    assert_eq!(
        warned(&chain(&send(a, b), &send(c, d))),
        ["8:1 no key signs from 2027-01-02 00:00:00 to 2027-01-03 00:00:00"]
    );
    assert_eq!(
        warned(&chain(&send(c, d), &send(a, b))),
        ["7:1 no key signs from 2027-01-02 00:00:00 to 2027-01-03 00:00:00"]
    );
    let accept = |start: &str| format!("accept-lifetime = {{ start = \"{start}\" }}");
    assert_eq!(
        warned(&chain(&format!("{}, {}", send(a, c), accept(b)), &send(b, d))),
        ["7:1 key 1 signs while it is not accepted"]
    );
    let long = |length: usize, algorithm: &str| {
        let key = format!("id = 1\nkey = \"{}\"\nalgorithm = \"{algorithm}\"", "x".repeat(length));
        warned(&format!("{USED}[[key-chains.C]]\n{key}\n"))
    };
    assert_eq!(
        long(33, "hmac-sha-256"),
        ["5:1 not every router understands a key of 33 bytes with hmac-sha-256"]
    );
    for (length, algorithm) in [(16, "md5"), (32, "hmac-sha-256"), (65, "hmac-sha-256"), (64, "hmac-sha-512")]
    {
        assert_eq!(long(length, algorithm), [""; 0], "{length} {algorithm}");
    }
    let unused = "[[key-chains.D]]\nid = 1\nkey = \"x\"\nalgorithm = \"md5\"\n";
    assert_eq!(warned(unused), ["1:14 nothing uses key chain `D`"]);
}
