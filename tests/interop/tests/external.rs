//! Redistribution to and from FRR: connected and static routes, both metric types, change and withdrawal.

use anyhow::{Result, ensure};
use interop_tests::{Bench, External, Kind, Outcome, Port, Router, Suite, ask};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(15);
/// RFC 2328 App. B.
const MAX_AGE: u16 = 3600;

/// A router with a network outside OSPF (172.20.N.0/24) and a static route (198.51.N.0/24), both announced.
fn router(number: u8, suite: Suite, connected: External, fixed: External) -> Router {
    let ports = [
        Port::new("r12", &format!("10.0.12.{number}/24"), Kind::PointToPoint),
        Port::new(&format!("x{number}"), &format!("172.20.{number}.1/24"), Kind::None),
    ];
    let mut router = Router::new(number, suite, ports);
    router.redistribute_connected = Some(connected);
    router.redistribute_static = Some(fixed);
    router.static_route(&format!("198.51.{number}.0/24"), None)
}

fn external(bench: &Bench, router: &str, prefix: &str, kind: &str, cost: u64) -> Result<()> {
    let gateway = if router == "r1" { "10.0.12.2" } else { "10.0.12.1" };
    ask::leads(bench, router, prefix, &[gateway])?;
    let found = ask::ospf_route(bench, router, prefix)?;
    ensure!(found == (kind.to_owned(), cost), "{router}: {prefix} must be {kind} {cost}, is {found:?}");
    Ok(())
}

#[test]
fn externals_to_and_from_frr() -> Outcome {
    let mut bench = Bench::up([
        router(1, Suite::Torc, External::e1(5), External::e2(30)),
        router(2, Suite::Frr, External::e2(40), External::e1(6)),
    ])?;
    ask::wait_adjacent(&bench, PATIENCE, &[("r1", "r2")])?;
    bench.eventually(PATIENCE, || {
        external(&bench, "r1", "172.20.2.0/24", "E2", 40)?;
        external(&bench, "r1", "198.51.2.0/24", "E1", 16)?;
        external(&bench, "r2", "172.20.1.0/24", "E1", 15)?;
        external(&bench, "r2", "198.51.1.0/24", "E2", 30)
    })?;
    // A new instance of an LSA replaces the old one: the peer's, then ours.
    let changed = ["configure terminal", "router ospf", "redistribute static metric 8 metric-type 2"];
    bench.vtysh("r2", &changed)?;
    bench.eventually(PATIENCE, || external(&bench, "r1", "198.51.2.0/24", "E2", 8))?;
    bench.reconfigure("r1", |router| router.redistribute_static = Some(External::e1(2)))?;
    bench.eventually(PATIENCE, || external(&bench, "r2", "198.51.1.0/24", "E1", 12))?;
    // MaxAge takes it away: the peer's, then ours.
    bench.vtysh("r2", &["configure terminal", "no ip route 198.51.2.0/24 Null0"])?;
    let theirs = bench.eventually(PATIENCE, || ask::absent(&bench, "r1", "198.51.2.0/24"))?;
    bench.reconfigure("r1", |router| router.statics.clear())?;
    let ours = bench.eventually(PATIENCE, || ask::absent(&bench, "r2", "198.51.1.0/24"))?;
    // Nothing else went with them, and no flushed LSA stays behind.
    external(&bench, "r1", "172.20.2.0/24", "E2", 40)?;
    external(&bench, "r2", "172.20.1.0/24", "E1", 15)?;
    bench.eventually(PATIENCE, || {
        let ours = ask::lsas(&bench, "r1", "external")?;
        ensure!(ours.len() == 2, "r1 still holds {ours:?}");
        // FRR shows what it flushed for a minute more.
        let living = ask::lsas(&bench, "r2", "external")?;
        let living: Vec<_> = living.iter().filter(|lsa| lsa["lsaAge"] != MAX_AGE).collect();
        ensure!(living.len() == 2, "r2 still holds {living:?}");
        for (router, neighbor) in [("r1", "10.255.0.2"), ("r2", "10.255.0.1")] {
            let reply = ask::show(&bench, router, "show ip ospf neighbor json")?;
            let row = &reply["neighbors"][neighbor][0];
            ensure!(
                row["linkStateRetransmissionListCounter"] == 0,
                "{router} waits for acknowledgments: {row}"
            );
        }
        Ok(())
    })?;
    println!("withdrawn by FRR: gone here after {theirs:?}; withdrawn here: gone there after {ours:?}");
    Ok(())
}
