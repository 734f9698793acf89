//! Keys take turns, and no adjacency notices (RFC 2328 App. D.3, RFC 5709 §3.5).

use crate::harness::{EPOCH, Net};
use crate::show::shown;
use ospf_proto::Input;
use ospf_proto::api::Request;
use ospf_proto::discard::Discard;
use routing_common::config::{OspfAuthentication, Secret};
use routing_common::key_chain::{Algorithm, ChainKey, KeyChain, Lifetime};
use routing_common::time::Duration;
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

fn pair() -> Net {
    let mut net = Net::new(7);
    let (a, b) = (net.router(1), net.router(2));
    net.loopback(a, "10.255.0.1/32");
    net.loopback(b, "10.255.0.2/32");
    net.p2p(a, b, "10.0.0.1/24", "10.0.0.2/24", (10, 10));
    net
}

/// A lifetime in seconds of the harness's monotonic clock.
fn span(start: u64, end: impl Into<Option<u64>>) -> Lifetime {
    Lifetime { start: EPOCH + start, end: end.into().map(|end| EPOCH + end) }
}

fn key(id: u8, algorithm: Algorithm, send: Lifetime, accept: Lifetime) -> ChainKey {
    ChainKey { id, secret: Secret::new(format!("secret {id}")), algorithm, send, accept }
}

fn chain(keys: &[ChainKey]) -> OspfAuthentication {
    OspfAuthentication::KeyChain(KeyChain { name: "ring".into(), keys: keys.to_vec() })
}

/// Key IDs and digest lengths of what a router sent, without repetitions.
fn signed(net: &Net, node: usize) -> Vec<(u8, u8)> {
    let mut ids: Vec<_> =
        net.capture.iter().filter(|(from, _)| *from == node).map(|(_, p)| (p[18], p[19])).collect();
    ids.dedup();
    ids
}

fn codes(net: &Net, node: usize) -> Vec<&'static str> {
    let of_keys = |code: &&str| code.starts_with("key-");
    net.nodes[node].notices.iter().map(|n| n.code).filter(of_keys).collect()
}

/// Runs on; nobody may lose his neighbour or throw anything away.
fn run_in_peace(net: &mut Net, span: Duration) {
    let told: Vec<usize> = net.nodes.iter().map(|n| n.notices.len()).collect();
    net.run(span);
    for (node, told) in net.nodes.iter().zip(told) {
        let new: Vec<_> = node.notices[told..].iter().filter(|n| !n.code.starts_with("key-")).collect();
        assert!(new.is_empty(), "{new:?}");
    }
    assert!(net.is_full(0, 1));
}

#[test]
fn keys_that_overlap_roll_over_without_a_lost_packet() {
    let mut net = pair();
    net.settings(|s| {
        s.authentication = chain(&[
            key(1, Algorithm::Md5, span(0, 200), span(0, 230)),
            key(2, Algorithm::HmacSha256, span(190, 400), span(160, 430)),
            key(3, Algorithm::HmacSha512, span(390, None), span(360, None)),
        ]);
    });
    net.start_all();
    net.wait(2 * SECOND, "Full", |n| n.is_full(0, 1));
    // One clock is a little ahead of the other.
    net.input(1, Input::WallClock(EPOCH + 20));
    run_in_peace(&mut net, 600 * SECOND);
    for node in 0..2 {
        assert_eq!(signed(&net, node), [(1, 16), (2, 32), (3, 64)]);
        assert_eq!(codes(&net, node), ["key-in-use"; 3]);
    }
    assert_eq!(net.route(0, "10.255.0.2/32").map(|r| r.1), Some(10));
    assert!(net.is_synchronized());
}

#[test]
fn a_gap_between_keys_and_the_end_of_the_last_cost_nothing_but_a_warning() {
    let mut net = pair();
    let lifetimes = [span(0, 200), span(300, 400)];
    let keys = lifetimes.into_iter().zip(1..).map(|(l, id)| key(id, Algorithm::HmacSha1, l, l));
    let chain = chain(&keys.collect::<Vec<_>>());
    net.settings(|s| s.authentication = chain.clone());
    net.start_all();
    net.wait(2 * SECOND, "Full", |n| n.is_full(0, 1));
    run_in_peace(&mut net, 290 * SECOND);
    assert_eq!(signed(&net, 0), [(1, 20)]);
    assert_eq!(codes(&net, 0), ["key-in-use", "key-expired"]);
    run_in_peace(&mut net, 1000 * SECOND);
    assert_eq!(signed(&net, 0), [(1, 20), (2, 20)]);
    assert_eq!(codes(&net, 1), ["key-in-use", "key-expired", "key-in-use", "key-expired"]);
    let said: Vec<&str> = net.nodes[0].notices.iter().map(|n| n.text.as_str()).collect();
    assert!(said.iter().any(|t| t.contains("key 2") && t.contains("used on")), "{said:?}");
    assert!(!said.iter().any(|t| t.contains("secret")), "{said:?}");
}

#[test]
fn before_the_first_key_nothing_is_sent_and_the_clock_alone_decides() {
    let mut net = pair();
    let key = key(1, Algorithm::HmacSha256, span(10_000, None), span(10_000, None));
    net.settings(|s| s.authentication = chain(core::slice::from_ref(&key)));
    net.start_all();
    net.run(60 * SECOND);
    assert!(net.capture.is_empty());
    assert_eq!(codes(&net, 0), ["key-missing"]);
    // The clock is set: told again, it counts from then on.
    for node in 0..2 {
        net.input(node, Input::WallClock(EPOCH + 9_990));
    }
    net.run(8 * SECOND);
    assert!(net.capture.is_empty());
    net.wait(15 * SECOND, "Full", |n| n.is_full(0, 1));
    assert_eq!(codes(&net, 0), ["key-missing", "key-in-use"]);
}

#[test]
fn a_chain_is_changed_without_losing_an_adjacency() {
    let mut net = pair();
    let first = key(1, Algorithm::HmacSha256, Lifetime::ALWAYS, Lifetime::ALWAYS);
    net.settings(|s| s.authentication = chain(core::slice::from_ref(&first)));
    net.start_all();
    net.wait(2 * SECOND, "Full", |n| n.is_full(0, 1));
    let second = key(2, Algorithm::HmacSha384, span(100, None), span(50, None));
    let both = chain(&[first, second.clone()]);
    let give = |net: &mut Net, node: usize, authentication: &OspfAuthentication| {
        net.reconfigure(node, |c| {
            let interfaces = &mut c.ospf.as_mut().unwrap().interfaces;
            interfaces.values_mut().for_each(|i| i.authentication = authentication.clone());
        });
    };
    for node in 0..2 {
        give(&mut net, node, &both);
        run_in_peace(&mut net, 30 * SECOND);
    }
    run_in_peace(&mut net, 100 * SECOND);
    for node in 0..2 {
        give(&mut net, node, &chain(core::slice::from_ref(&second)));
        run_in_peace(&mut net, 60 * SECOND);
        assert_eq!(signed(&net, node), [(1, 32), (2, 48)]);
    }
}

#[test]
fn another_secret_under_the_same_id_is_refused_and_counted() {
    let mut net = pair();
    for (node, secret) in [(0, "right"), (1, "wrong")] {
        let mut key = key(1, Algorithm::HmacSha256, Lifetime::ALWAYS, Lifetime::ALWAYS);
        key.secret = Secret::new(secret);
        let interfaces = &mut net.nodes[node].config.ospf.as_mut().unwrap().interfaces;
        interfaces.values_mut().for_each(|i| i.authentication = chain(core::slice::from_ref(&key)));
    }
    net.start_all();
    net.run(30 * SECOND);
    assert_eq!(net.state(0, 2), None);
    let interfaces = net.nodes[0].engine.interfaces();
    let refused = interfaces.filter_map(|i| i.statistics.discards.get(&Discard::AuthenticationFailed));
    assert!(refused.map(|d| d.count).sum::<u64>() >= 3);
}

#[test]
fn shows_name_the_chain_and_the_key_but_never_a_secret() {
    let mut net = pair();
    let keys = [
        key(1, Algorithm::Md5, span(0, 50), span(0, 100)),
        key(2, Algorithm::HmacSha256, span(40, 90), Lifetime::ALWAYS),
    ];
    net.settings(|s| s.authentication = chain(&keys));
    let chains = |name: &str| KeyChain { name: name.into(), keys: keys.to_vec() };
    for name in ["ring", "spare"] {
        net.nodes[0].config.key_chains.insert(name.into(), chains(name));
    }
    net.start_all();
    net.run(60 * SECOND);
    let ask = |net: &Net, request: &Request| {
        let (reply, text) = shown(net, 0, request);
        assert!(!reply.to_string().contains("secret"), "{reply}");
        (reply, text)
    };
    let interfaces = Request::Interfaces { name: Some("eth2".parse().unwrap()) };
    let (reply, text) = ask(&net, &interfaces);
    let row = &reply["interfaces"]["eth2"];
    assert_eq!((&row["keychain"], &row["keychainKeyId"]), (&"ring".into(), &2.into()));
    assert!(text.contains("    Sending SA: Key 2, Algorithm hmac-sha-256 - key chain ring\n"), "{text}");

    let (reply, text) = ask(&net, &Request::KeyChains { name: Some("ring".into()) });
    assert_eq!(
        reply,
        json!({"ring": {"interfaces": ["eth1", "eth2"], "keys": [
            {"keyId": 1, "algorithm": "md5", "sendLifetime": {"start": EPOCH, "end": EPOCH + 50},
             "acceptLifetime": {"start": EPOCH, "end": EPOCH + 100}, "signs": false, "accepted": true},
            {"keyId": 2, "algorithm": "hmac-sha-256", "sendLifetime": {"start": EPOCH + 40, "end": EPOCH + 90},
             "signs": true, "accepted": true},
        ]}})
    );
    assert!(text.starts_with("Key chain ring, on eth1, eth2\n"), "{text}");
    assert!(text.contains("2023-11-14 22:14:00 to 2023-11-14 22:14:50  always"), "{text}");

    net.run(60 * SECOND);
    let (reply, text) = ask(&net, &Request::KeyChains { name: None });
    assert_eq!(reply["ring"]["keys"][1]["expired"], true);
    assert_eq!(reply["ring"]["keys"][0]["accepted"], false);
    assert!(text.contains("signs, expired") && text.contains("Key chain spare, not in use"), "{text}");
    assert!(ask(&net, &interfaces).1.contains("Key 2 (expired), Algorithm"));
    assert!(net.nodes[0].engine.query(net.now, &Request::KeyChains { name: Some("x".into()) }).is_err());
}
