//! One Torc and one peer on a cable: adjacency, routes both ways, costs, a default route both ways, authentication.

use anyhow::{Result, ensure};
use interop_tests::bench::throughout;
use interop_tests::router::PEERS;
use interop_tests::{
    Algorithm, Authentication, Bench, ChainKey, External, Kind, Outcome, Port, Router, Suite, ask,
};
use nix::sys::signal::Signal;
use ringlab::fabric::Cut;
use std::process::Command;
use std::time::{Duration, Instant};

/// BIRD originates an LSA at most every 5 s, which may delay a change by that.
const PATIENCE: Duration = Duration::from_secs(20);
const DEFAULT: &str = "0.0.0.0/0";

/// r1 is ours, with the network n1 behind it; r2 is the peer, with n2.
fn pair(peer: Suite) -> [Router; 2] {
    let one = [
        Port::new("r12", "10.0.12.1/24", Kind::PointToPoint).cost(7),
        Port::new("n1", "10.10.1.1/24", Kind::Passive),
    ];
    let two = [
        Port::new("r12", "10.0.12.2/24", Kind::PointToPoint).cost(9),
        Port::new("n2", "10.10.2.1/24", Kind::Passive),
    ];
    [Router::new(1, Suite::Torc, one), Router::new(2, peer, two)]
}

fn routes_both_ways(bench: &Bench) -> Result<()> {
    for (router, prefixes, gateway, cost) in [
        ("r1", ["10.10.2.0/24", "10.255.0.2/32"], "10.0.12.2", 17),
        ("r2", ["10.10.1.0/24", "10.255.0.1/32"], "10.0.12.1", 19),
    ] {
        bench.eventually(PATIENCE, || {
            prefixes.iter().try_for_each(|prefix| ask::leads(bench, router, prefix, &[gateway]))
        })?;
        let (kind, found) = ask::ospf_route(bench, router, prefixes[0])?;
        ensure!((kind.as_str(), found) == ("N", cost), "{router}: {kind} {found} must be N {cost}");
    }
    Ok(())
}

/// Our default is known to the peer, and goes with the link it depends on.
#[test]
fn full_with_routes_and_our_default() -> Outcome {
    for peer in PEERS {
        let [one, two] = pair(peer);
        let mut one = one.static_route(DEFAULT, Some("10.10.1.254"));
        one.default = Some((External::e2(5), false));
        let bench = Bench::up([one, two])?;
        let took = ask::wait_adjacent(&bench, PATIENCE, &[("r1", "r2")])?;
        println!("{peer:?}: Full after {took:?}");
        routes_both_ways(&bench)?;
        bench.eventually(PATIENCE, || ask::leads(&bench, "r2", DEFAULT, &["10.0.12.1"]))?;
        assert_eq!(ask::ospf_route(&bench, "r2", DEFAULT)?, ("E2".to_owned(), 5));
        bench.plug("r1", "n1", Some(Cut::Carrier))?;
        bench.eventually(PATIENCE, || {
            ask::absent(&bench, "r2", DEFAULT)?;
            ask::absent(&bench, "r2", "10.10.1.0/24")
        })?;
        bench.plug("r1", "n1", None)?;
        bench.eventually(PATIENCE, || ask::leads(&bench, "r2", DEFAULT, &["10.0.12.1"]))?;
    }
    Ok(())
}

/// The peer's default is known to us, and goes when the peer withdraws it.
#[test]
fn full_with_the_peers_default() -> Outcome {
    for peer in PEERS {
        let [one, two] = pair(peer);
        let mut two = two.static_route(DEFAULT, Some("10.10.2.254"));
        two.default = Some((External::e1(5), false));
        let bench = Bench::up([one, two])?;
        ask::wait_adjacent(&bench, PATIENCE, &[("r1", "r2")])?;
        bench.eventually(PATIENCE, || ask::leads(&bench, "r1", DEFAULT, &["10.0.12.2"]))?;
        // Type 1 adds the way to the exit, or to the forwarding address if the peer announces one (RFC 2328 §16.4 (3)): 10 more here.
        let lsas = ask::lsas(&bench, "r1", "external")?;
        let forward = lsas[0]["forwardAddress"].as_str().unwrap_or_default();
        let way = if forward == "0.0.0.0" { 7 } else { 17 };
        println!("{peer:?} announces forwarding address {forward}");
        assert_eq!(ask::ospf_route(&bench, "r1", DEFAULT)?, ("E1".to_owned(), way + 5));
        match peer {
            Suite::Bird => bench.birdc("r2", &["disable", "static1"])?,
            _ => bench.vtysh("r2", &["configure terminal", "no ip route 0.0.0.0/0 10.10.2.254"])?,
        };
        bench.eventually(PATIENCE, || ask::absent(&bench, "r1", DEFAULT))?;
        ask::leads(&bench, "r1", "10.10.2.0/24", &["10.0.12.2"])?;
    }
    Ok(())
}

/// FRR has fast Hellos too: HelloInterval is 0 on the wire. Each notices that the other one has fallen silent, which no carrier
/// and no BFD says, when a second has passed.
#[test]
fn fast_hellos_notice_a_silent_peer_within_a_second() -> Outcome {
    let hellos = [5, 10];
    let [one, two] = pair(Suite::Frr);
    let fast = |mut router: Router, hellos: u8| {
        router.ports[0].hellos = Some(hellos);
        router
    };
    let bench = Bench::up([fast(one, hellos[0]), fast(two, hellos[1])])?;
    ask::wait_adjacent(&bench, PATIENCE, &[("r1", "r2")])?;
    routes_both_ways(&bench)?;
    let own = ask::interface(&bench, "r1", "r12")?;
    assert_eq!((&own["timerMsecs"], &own["timerDeadSecs"]), (&200.into(), &1.into()));
    let recording = bench.capture("r12", "ip proto 89")?;
    throughout(Duration::from_secs(3), || ask::adjacent(&bench, "r1", &["r2"]))?;
    let recording = recording.stop()?;
    for (number, hellos) in [1, 2].into_iter().zip(hellos) {
        let from = format!("ospf.msg == 1 && ip.src == 10.0.12.{number}");
        let said = recording.fields(&from, "ospf.hello.hello_interval")?;
        assert!(said.iter().all(|interval| interval == "0"), "r{number}: {said:?}");
        assert!(said.len() >= 2 * usize::from(hellos), "r{number}: {} Hellos in 3 s", said.len());
    }
    for (silent, hears) in [("r2", "r1"), ("r1", "r2")] {
        bench.signal(silent, "ospfd", Signal::SIGSTOP)?;
        let began = Instant::now();
        bench.eventually(Duration::from_secs(5), || {
            ensure!(ask::neighbors(&bench, hears)?.is_empty(), "{hears} still has {silent}");
            Ok(())
        })?;
        let took = began.elapsed();
        println!("{hears} noticed the silence of {silent} after {took:?}");
        bench.signal(silent, "ospfd", Signal::SIGCONT)?;
        // A second and what asking takes on a busy machine.
        assert!(took < Duration::from_millis(1500), "{hears} took {took:?}");
        ask::wait_adjacent(&bench, PATIENCE, &[("r1", "r2")])?;
    }
    Ok(())
}

#[test]
fn authenticated_by_password_and_by_digest() -> Outcome {
    let methods = [
        Authentication::Simple("opensesa".to_owned()),
        Authentication::Md5 { id: 3, key: "sixteen octets.!".replace(' ', "_") },
    ];
    for peer in PEERS {
        for method in &methods {
            let mut routers = pair(peer);
            for router in &mut routers {
                router.ports[0].authentication = method.clone();
            }
            let bench = Bench::up(routers)?;
            ask::wait_adjacent(&bench, PATIENCE, &[("r1", "r2")])?;
            routes_both_ways(&bench)?;
            let row = ask::interface(&bench, "r1", "r12")?;
            let kind = match method {
                Authentication::Simple(_) => "authenticationSimplePassword",
                _ => "authenticationMessageDigest",
            };
            assert_eq!(row["authentication"], kind);
            assert!(row["discards"].as_object().is_some_and(serde_json::Map::is_empty), "{row}");
        }
    }
    Ok(())
}

/// A moment in Universal Time, by the host's own reckoning.
fn date(when: &str) -> Result<String> {
    let output = Command::new("date").args(["--utc", "--date", when, "+%Y-%m-%d %H:%M:%S"]).output()?;
    ensure!(output.status.success(), "date: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// A cable for each algorithm; and one on which the keys change while it is in use.
#[test]
fn authenticated_by_key_chains() -> Outcome {
    let (always, rollover) = (date("-1 day")?, date("+20 seconds")?);
    let chain_key = |algorithm: Algorithm, id, from: &str| {
        // Of `md5` no more than 16 octets count; the others have one longer than their digest.
        let key = "sixteen_octets.!".repeat(if algorithm == Algorithm::Md5 { 1 } else { 5 });
        ChainKey { id, key, algorithm, from: from.to_owned() }
    };
    for (peer, algorithms) in [(Suite::Bird, Algorithm::ALL.as_slice()), (Suite::Frr, &[Algorithm::Md5])] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut cable = |link: &str, keys: &[ChainKey]| {
            let place = ours.len();
            for (ports, host) in [(&mut ours, 1), (&mut theirs, 2)] {
                let port = Port::new(link, &format!("10.0.{place}.{host}/24"), Kind::PointToPoint);
                ports.push(port.authentication(&Authentication::Chain(keys.to_vec())));
            }
        };
        let links: Vec<String> = algorithms.iter().map(|a| a.word().replace("hmac-", "")).collect();
        for (link, algorithm) in links.iter().zip(algorithms) {
            cable(link, &[chain_key(*algorithm, 7, &always)]);
        }
        let turns = [
            chain_key(Algorithm::Md5, 1, &always),
            chain_key(*algorithms.last().unwrap_or(&Algorithm::Md5), 2, &rollover),
        ];
        // FRR signs with the last key it has, whatever the time.
        cable("turns", &turns);
        let bench = Bench::up([Router::new(1, Suite::Torc, ours), Router::new(2, peer, theirs)])?;
        let fully = |link: &str| -> Result<serde_json::Value> {
            let row = ask::interface(&bench, "r1", link)?;
            ensure!(row["nbrAdjacentCount"] == 1, "{peer:?} {link}: {row}");
            ensure!(row["discards"].as_object().is_some_and(serde_json::Map::is_empty), "{link}: {row}");
            Ok(row)
        };
        bench.eventually(PATIENCE, || links.iter().try_for_each(|link| fully(link).map(|_| ())))?;
        bench.eventually(PATIENCE, || fully("turns").map(|_| ()))?;
        assert_eq!(fully(&links[0])?["keychainKeyId"], 7);
        bench.eventually(Duration::from_secs(40), || {
            let row = fully("turns")?;
            ensure!(row["keychainKeyId"] == 2, "{row}");
            Ok(())
        })?;
        // Longer than the dead interval: nobody is lost for it.
        throughout(Duration::from_secs(6), || fully("turns").map(|_| ())).map_err(|f| bench.explain(f))?;
    }
    Ok(())
}
