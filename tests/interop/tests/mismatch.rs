//! Neighbours that do not fit: no adjacency, and the operator reads why.

use anyhow::{Result, ensure};
use interop_tests::bench::throughout;
use interop_tests::router::PEERS;
use interop_tests::{Authentication, Bench, Kind, Outcome, Port, Router, Suite, ask, craft};
use std::net::Ipv4Addr;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn simple(key: &str) -> Authentication {
    Authentication::Simple(key.to_owned())
}

fn md5(id: u8, key: &str) -> Authentication {
    Authentication::Md5 { id, key: key.to_owned() }
}

/// Link, what the peer does differently there, what we call it. The last link is as it should be.
type Fault = (&'static str, fn(&mut Port, &mut Port), Option<(&'static str, &'static str)>);

const FAULTS: [Fault; 10] = [
    ("area", |_, peer| peer.area = 1, Some(("area-mismatch", "area id differs"))),
    (
        "mask",
        // Both addresses are still in both subnets.
        |_, peer| {
            peer.address = peer.address.to_string().replace("/24", "/25").parse().unwrap_or(peer.address)
        },
        Some(("hello-mask", "network mask in Hello differs")),
    ),
    ("hello", |_, peer| peer.hello = 2, Some(("hello-interval", "HelloInterval differs"))),
    ("dead", |_, peer| peer.dead = 5, Some(("dead-interval", "RouterDeadInterval differs"))),
    (
        "autype",
        |own, _| own.authentication = md5(1, "secret"),
        Some(("authentication-type", "authentication type differs")),
    ),
    (
        "autype2",
        |_, peer| peer.authentication = simple("secret"),
        Some(("authentication-type", "authentication type differs")),
    ),
    (
        "password",
        |own, peer| (own.authentication, peer.authentication) = (simple("secret"), simple("guessed")),
        Some(("authentication-failed", "authentication failed")),
    ),
    (
        "key",
        |own, peer| (own.authentication, peer.authentication) = (md5(1, "secret"), md5(1, "guessed")),
        Some(("authentication-failed", "authentication failed")),
    ),
    (
        "keyid",
        |own, peer| (own.authentication, peer.authentication) = (md5(1, "secret"), md5(2, "secret")),
        Some(("authentication-failed", "authentication failed")),
    ),
    ("good", |_, _| (), None),
];

/// r1 (ours) and r2 (the peer) on ten LANs; nine of them are configured wrongly, each in its own way.
fn bench(peer: Suite) -> Result<Bench> {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for (place, (link, spoil, _)) in FAULTS.iter().enumerate() {
        let port = |host: u8| Port::new(link, &format!("10.0.{place}.{host}/24"), Kind::Broadcast);
        let (mut one, mut two) = (port(1), port(2));
        spoil(&mut one, &mut two);
        own.push(one);
        others.push(two);
    }
    // The loopback goes with the first port, whose area is not ours.
    others.rotate_right(1);
    Bench::up([Router::new(1, Suite::Torc, own), Router::new(2, peer, others)])
}

/// Does the interface count this reason, and no other?
fn refuses(bench: &Bench, link: &str, code: &str, reason: &str, from: Ipv4Addr) -> Result<()> {
    let row = ask::interface(bench, "r1", link)?;
    let discards = &row["discards"];
    let found = &discards[code];
    ensure!(
        discards.as_object().is_some_and(|all| all.len() == 1)
            && found["reason"] == reason
            && found["count"].as_u64() >= Some(2)
            && found["lastSource"] == from.to_string(),
        "{link}: {discards} must be {code} from {from} and nothing else"
    );
    ensure!(row["nbrCount"] == 0, "{link}: a neighbour in spite of {code}");
    Ok(())
}

#[test]
fn each_mismatch_has_its_own_counter_and_forms_nothing() -> Outcome {
    for peer in PEERS {
        let bench = bench(peer)?;
        ask::wait_adjacent(&bench, PATIENCE, &[("r1", "r2")])?;
        let look = || {
            for (place, (link, _, wanted)) in FAULTS.iter().enumerate() {
                let Some((code, reason)) = wanted else { continue };
                let from = Ipv4Addr::new(10, 0, u8::try_from(place)?, 2);
                refuses(&bench, link, code, reason, from)?;
            }
            Ok(())
        };
        bench.eventually(PATIENCE, look)?;
        // Longer than the dead interval, in which a neighbour that is wrongly accepted would appear.
        throughout(Duration::from_secs(2), look).map_err(|fault| bench.explain(fault))?;
        let row = ask::interface(&bench, "r1", "good")?;
        let discards = row["discards"].as_object().into_iter().flatten();
        // A peer may begin before we have seen ourselves in its Hello; everything else is wrong here.
        let wrong: Vec<_> = discards.filter(|(code, _)| *code != "neighbor-state").collect();
        assert!(row["nbrAdjacentCount"] == 1 && wrong.is_empty(), "{row}");
    }
    Ok(())
}

#[test]
fn crafted_packets_are_counted_for_what_is_wrong_with_them() -> Outcome {
    let from = Ipv4Addr::new(192, 0, 2, 100);
    let id = Ipv4Addr::new(10, 255, 0, 100);
    let lan = Port::new("lan", "192.0.2.1/24", Kind::Broadcast);
    let mut bench = Bench::build([Router::new(1, Suite::Torc, [lan])], &[("h", "lan", from)])?;
    bench.start("r1")?;
    let namespace = bench.namespace("h");
    bench.eventually(PATIENCE, || {
        let row = ask::interface(&bench, "r1", "lan")?;
        ensure!(row["ifUp"] == true && row["ipAddress"] == "192.0.2.1", "{row}");
        Ok(())
    })?;
    let good = craft::seal(craft::hello(id));
    let unsummed = {
        let mut packet = good.clone();
        packet[13] ^= 1;
        packet
    };
    let untyped = {
        let mut packet = craft::hello(id);
        packet[1] = 9;
        craft::seal(packet)
    };
    let cases = [
        ("version", craft::seal(craft::version(craft::hello(id), 3))),
        ("checksum", unsummed),
        ("packet-type", untyped),
        ("malformed", good[..20].to_vec()),
    ];
    for (code, packet) in &cases {
        craft::send(&namespace, from, packet)?;
        bench.eventually(Duration::from_secs(2), || {
            let row = ask::interface(&bench, "r1", "lan")?;
            ensure!(row["discards"][code]["count"] == 1, "{code}: {}", row["discards"]);
            Ok(())
        })?;
    }
    let row = ask::interface(&bench, "r1", "lan")?;
    assert_eq!(row["discards"].as_object().map(serde_json::Map::len), Some(cases.len()), "{row}");
    assert_eq!(row["nbrCount"], 0);
    // The same packet, unspoiled, makes a neighbour: it was refused for its fault and for nothing else.
    craft::send(&namespace, from, &good)?;
    bench.eventually(Duration::from_secs(2), || {
        let row = ask::interface(&bench, "r1", "lan")?;
        ensure!(row["nbrCount"] == 1, "{row}");
        Ok(())
    })?;
    Ok(())
}
