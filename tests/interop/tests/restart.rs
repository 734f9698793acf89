//! Our ospfd is killed and comes back: the peer is Full again soon, and our kernel forwards all the while.

use anyhow::ensure;
use interop_tests::router::PEERS;
use interop_tests::{Bench, Kind, Outcome, Port, Router, Suite, ask};
use nix::sys::signal::Signal;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
/// A router that returns must not have to wait out a dead interval or MinLSInterval.
const BACK: Duration = Duration::from_secs(5);

#[test]
fn a_killed_ospfd_is_full_again_within_five_seconds() -> Outcome {
    let port = |number: u8| Port::new("r12", &format!("10.0.12.{number}/24"), Kind::PointToPoint);
    let own = |number: u8| Port::new(&format!("n{number}"), &format!("10.10.{number}.1/24"), Kind::Passive);
    for peer in PEERS {
        let routers =
            [Router::new(1, Suite::Torc, [port(1), own(1)]), Router::new(2, peer, [port(2), own(2)])];
        let bench = Bench::up(routers)?;
        ask::wait_adjacent(&bench, PATIENCE, &[("r1", "r2")])?;
        let both_ways = || {
            ask::leads(&bench, "r1", "10.10.2.0/24", &["10.0.12.2"])?;
            ask::leads(&bench, "r2", "10.10.1.0/24", &["10.0.12.1"])
        };
        bench.eventually(PATIENCE, both_ways)?;
        let before = ask::sequence(&bench, "r1", "r1")?;
        bench.signal("r1", "ospfd", Signal::SIGKILL)?;
        let mut gaps = Vec::new();
        let back = bench.eventually(BACK, || {
            // Our own kernel goes on forwarding all the time; the peer takes us for gone until the adjacency is back.
            gaps.extend(ask::leads(&bench, "r1", "10.10.2.0/24", &["10.0.12.2"]).err());
            ask::adjacent(&bench, "r1", &["r2"])?;
            ask::adjacent(&bench, "r2", &["r1"])?;
            // The new life's LSA has out-sequenced that of the old one.
            let now = ask::sequence(&bench, "r1", "r1")?;
            ensure!(now > before, "sequence {now:x} after {before:x}");
            if peer == Suite::Frr {
                let there = ask::sequence(&bench, "r2", "r1")?;
                ensure!(there > before, "FRR has {there:x}, had {before:x}");
            }
            both_ways()
        })?;
        assert!(gaps.is_empty(), "{peer:?}: {gaps:?}");
        println!("{peer:?}: everything back after {back:?}");
    }
    Ok(())
}
