//! BFD with FRR's bfdd and with BIRD: both come up, fail, change and hold down a session as the RFC has it.

use anyhow::{Context, Result, ensure};
use interop_tests::router::PEERS;
use interop_tests::{Bench, Bfd, Kind, Outcome, Port, Router, Suite, ask};
use ringlab::fabric::Cut;
use serde_json::Value;
use std::time::Duration;

/// Slow start, a second between packets, and a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Long enough that a session that flaps would have done so.
const QUIET: Duration = Duration::from_secs(3);

fn pair(peer: Suite, change: impl Fn(&mut Bfd, &mut Bfd)) -> [Router; 2] {
    let mut one = Bfd::new("10.0.12.1", "10.0.12.2");
    let mut two = Bfd::new("10.0.12.2", "10.0.12.1");
    change(&mut one, &mut two);
    [
        Router::new(1, Suite::Torc, [Port::new("r12", "10.0.12.1/24", Kind::None)]).bfd(one),
        Router::new(2, peer, [Port::new("r12", "10.0.12.2/24", Kind::None)]).bfd(two),
    ]
}

/// Our own session.
fn ours(bench: &Bench, router: &str) -> Result<Value> {
    let reply = ask::torc(bench, router, "show bfd peers json")?;
    let rows = reply.as_array().context("an array")?;
    ensure!(rows.len() == 1, "{reply}");
    Ok(rows[0].clone())
}

/// "up", "down", … as the peer sees it.
fn theirs(bench: &Bench, router: &str) -> Result<String> {
    if bench.router(router).suite == Suite::Bird {
        let text = bench.birdc(router, &["show", "bfd", "sessions"])?;
        let row = text.lines().find(|line| line.starts_with("10.")).with_context(|| text.clone())?;
        return Ok(row.split_whitespace().nth(2).unwrap_or_default().to_lowercase());
    }
    let reply: Value = serde_json::from_str(&bench.vtysh(router, &["show bfd peers json"])?)?;
    Ok(reply[0]["status"].as_str().unwrap_or_default().to_owned())
}

fn both(bench: &Bench, peer: &str, state: &str) -> Result<()> {
    let row = ours(bench, "r1")?;
    ensure!(row["status"] == state, "ours: {row}");
    let seen = theirs(bench, peer)?;
    ensure!(seen == state, "{peer} sees {seen}, we {state}");
    Ok(())
}

fn came_up(bench: &Bench) -> Result<usize> {
    let row = ours(bench, "r1")?;
    let history = row["history"].as_array().context("history")?;
    Ok(history.iter().filter(|t| t["to"] == "up").count())
}

/// A session comes up, stays up, dies with the cable and heals with it; what both negotiated is what both were told.
#[test]
fn a_session_comes_up_fails_and_heals() -> Outcome {
    for peer in PEERS {
        let bench = Bench::up(pair(peer, |_, theirs| theirs.interval = 150))?;
        bench.eventually(PATIENCE, || both(&bench, "r2", "up"))?;
        bench.eventually(PATIENCE, || {
            let row = ours(&bench, "r1")?;
            let n = |key: &str| row[key].as_u64();
            ensure!(
                n("transmit-interval-actual") == Some(150) && n("detection-timeout") == Some(750),
                "{row}"
            );
            ensure!(n("remote-receive-interval") == Some(150) && row["polling"] == false, "{row}");
            Ok(())
        })?;
        std::thread::sleep(QUIET);
        assert_eq!(came_up(&bench)?, 1, "{peer:?}: it flaps");
        bench.plug("r2", "r12", Some(Cut::Silent))?;
        let took = bench.eventually(PATIENCE, || both(&bench, "r2", "down"))?;
        println!("{peer:?}: both know after {took:?}");
        let row = ours(&bench, "r1")?;
        assert_eq!(row["diagnostic"], "control detection time expired", "{row}");
        bench.plug("r2", "r12", None)?;
        bench.eventually(PATIENCE, || both(&bench, "r2", "up"))?;
    }
    Ok(())
}

/// One end may wait for the other, whichever it is.
#[test]
fn either_end_may_be_passive() -> Outcome {
    for peer in PEERS {
        for ours in [true, false] {
            let bench = Bench::up(pair(peer, |one, two| (one.passive, two.passive) = (ours, !ours)))?;
            bench.eventually(PATIENCE, || both(&bench, "r2", "up"))?;
        }
    }
    Ok(())
}

/// Ours changes its parameters while the session is up, slower and faster; the session stays.
#[test]
fn parameters_change_while_up() -> Outcome {
    for peer in PEERS {
        let mut bench = Bench::up(pair(peer, |_, _| {}))?;
        bench.eventually(PATIENCE, || both(&bench, "r2", "up"))?;
        for (interval, multiplier) in [(400, 3), (100, 6), (700, 3), (100, 5)] {
            bench.reconfigure("r1", |router| {
                let session = router.bfd.as_mut();
                session.into_iter().for_each(|s| (s.interval, s.multiplier) = (interval, multiplier));
            })?;
            bench.eventually(PATIENCE, || {
                let row = ours(&bench, "r1")?;
                let actual = row["transmit-interval-actual"].as_u64();
                ensure!(actual == Some(u64::from(interval)) && row["polling"] == false, "{row}");
                Ok(())
            })?;
        }
        both(&bench, "r2", "up")?;
        assert_eq!(came_up(&bench)?, 1, "{peer:?}: {}", ours(&bench, "r1")?);
    }
    Ok(())
}

/// FRR changes its parameters while the session is up, and the session stays.
#[test]
fn the_peer_changes_its_parameters_while_up() -> Outcome {
    let bench = Bench::up(pair(Suite::Frr, |_, _| {}))?;
    bench.eventually(PATIENCE, || both(&bench, "r2", "up"))?;
    for interval in [500, 100, 300] {
        let (receive, transmit) =
            (format!("receive-interval {interval}"), format!("transmit-interval {interval}"));
        let peer = "peer 10.0.12.1 local-address 10.0.12.2 interface r12";
        bench.vtysh("r2", &["configure terminal", "bfd", peer, &receive, &transmit])?;
        bench.eventually(PATIENCE, || {
            let row = ours(&bench, "r1")?;
            ensure!(row["remote-transmit-interval"].as_u64() == Some(interval), "{row}");
            Ok(())
        })?;
    }
    std::thread::sleep(QUIET);
    both(&bench, "r2", "up")?;
    assert_eq!(came_up(&bench)?, 1, "{}", ours(&bench, "r1")?);
    Ok(())
}

/// Either end holds the session down on purpose, and the other is told so.
#[test]
fn either_end_may_hold_it_down() -> Outcome {
    for peer in PEERS {
        let mut bench = Bench::up(pair(peer, |_, _| {}))?;
        bench.eventually(PATIENCE, || both(&bench, "r2", "up"))?;
        bench.reconfigure("r1", |router| router.bfd.as_mut().into_iter().for_each(|s| s.shutdown = true))?;
        bench.eventually(PATIENCE, || {
            let (row, seen) = (ours(&bench, "r1")?, theirs(&bench, "r2")?);
            ensure!(row["status"] == "shutdown" && seen == "down", "{seen}: {row}");
            Ok(())
        })?;
        if peer == Suite::Frr {
            let reply: Value =
                serde_json::from_str(&bench.vtysh("r2", &["show bfd peers json"])?).context("JSON")?;
            assert_eq!(reply[0]["diagnostic"], "neighbor signaled session down", "no failure: {reply}");
        }
        bench.reconfigure("r1", |router| router.bfd.as_mut().into_iter().for_each(|s| s.shutdown = false))?;
        bench.eventually(PATIENCE, || both(&bench, "r2", "up"))?;
    }
    let bench = Bench::up(pair(Suite::Frr, |_, _| {}))?;
    bench.eventually(PATIENCE, || both(&bench, "r2", "up"))?;
    let peer = "peer 10.0.12.1 local-address 10.0.12.2 interface r12";
    bench.vtysh("r2", &["configure terminal", "bfd", peer, "shutdown"])?;
    bench.eventually(PATIENCE, || {
        let row = ours(&bench, "r1")?;
        let told = row["diagnostic"] == "neighbor signaled session down";
        // FRR 8 says AdminDown without a Diag, and only once.
        ensure!(row["status"] == "down" && told, "{row}");
        Ok(())
    })?;
    bench.vtysh("r2", &["configure terminal", "bfd", peer, "no shutdown"])?;
    bench.eventually(PATIENCE, || both(&bench, "r2", "up"))?;
    Ok(())
}

/// Two hops, over a router in the middle.
#[test]
fn over_two_hops() -> Outcome {
    for peer in PEERS {
        let mut one = Bfd::new("10.0.12.1", "10.0.23.3");
        let mut three = Bfd::new("10.0.23.3", "10.0.12.1");
        (one.multihop, three.multihop) = (true, true);
        // BIRD sends multihop packets with an ordinary TTL of 64.
        one.minimum_ttl = if peer == Suite::Bird { 63 } else { 254 };
        let bench = Bench::up([
            Router::new(1, Suite::Torc, [Port::new("r12", "10.0.12.1/24", Kind::None)])
                .static_route("10.0.23.0/24", Some("10.0.12.2"))
                .bfd(one),
            Router::new(
                2,
                Suite::Torc,
                [Port::new("r12", "10.0.12.2/24", Kind::None), Port::new("r23", "10.0.23.2/24", Kind::None)],
            ),
            Router::new(3, peer, [Port::new("r23", "10.0.23.3/24", Kind::None)])
                .static_route("10.0.12.0/24", Some("10.0.23.2"))
                .bfd(three),
        ])?;
        bench.eventually(PATIENCE, || both(&bench, "r3", "up"))?;
        assert_eq!(ours(&bench, "r1")?["multihop"], true);
        std::thread::sleep(QUIET);
        assert_eq!(came_up(&bench)?, 1, "{peer:?}: it flaps");
        bench.plug("r3", "r23", Some(Cut::Silent))?;
        bench.eventually(PATIENCE, || both(&bench, "r3", "down"))?;
    }
    Ok(())
}

/// Every key FRR's `show bfd peers json` and its counters have is in ours, with a value of the same kind.
#[test]
fn our_keys_are_frrs() -> Outcome {
    let bench = Bench::up(pair(Suite::Frr, |_, _| {}))?;
    bench.eventually(PATIENCE, || both(&bench, "r2", "up"))?;
    for command in ["show bfd peers json", "show bfd peers counters json"] {
        let ours = ask::torc(&bench, "r1", command)?;
        let theirs: Value = serde_json::from_str(&bench.vtysh("r2", &[command])?).context("JSON")?;
        let theirs = theirs[0].as_object().context("an array of objects")?;
        for (key, value) in theirs.iter().filter(|(key, _)| !key.starts_with("rtt-")) {
            let own = &ours[0][key];
            let alike = std::mem::discriminant(own) == std::mem::discriminant(value);
            assert!(alike, "{command}: {key} is {value} there and {own} here");
        }
        println!("{command}: {} keys", theirs.len());
    }
    Ok(())
}
