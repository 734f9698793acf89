//! Graceful restart (RFC 3623) between us and FRR, each as the one that restarts and as the one that helps.

use anyhow::{Result, ensure};
use interop_tests::{Bench, Kind, Outcome, Port, Router, Suite, ask, bench};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
/// A restart of ours takes a fraction of a second; what goes wrong would show within RouterDeadInterval, 4 s.
const WATCH: Duration = Duration::from_secs(6);

/// What FRR must be told; both are off there by default.
const HELPER: &[&str] = &["capability opaque", "graceful-restart helper enable"];
const RESTARTER: &[&str] = &["capability opaque", "graceful-restart grace-period 60"];

/// Where every FRR of this machine keeps that it is about to restart, whatever its namespace: the next one to start
/// would take it for its own.
const STATE_OF_FRR: &str = "/var/run/frr/ospfd-gr.json";

/// One FRR at a time, and no state left behind.
struct Alone {
    _lock: MutexGuard<'static, ()>,
}

impl Alone {
    fn begin() -> Self {
        static LOCK: Mutex<()> = Mutex::new(());
        let lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = std::fs::remove_file(STATE_OF_FRR);
        Self { _lock: lock }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(STATE_OF_FRR);
    }
}

/// r1 is ours, r2 FRR's; r1 is Designated Router where there is one. Behind each is a network of its own.
fn pair(kind: Kind, frr_lines: &'static [&'static str]) -> Result<Bench> {
    let port = |number: u8| {
        let priority = if number == 1 { 100 } else { 1 };
        Port::new("r12", &format!("10.0.12.{number}/24"), kind).priority(priority)
    };
    let own = |number: u8| Port::new(&format!("n{number}"), &format!("10.10.{number}.1/24"), Kind::Passive);
    let bench = Bench::up([
        Router::new(1, Suite::Torc, [port(1), own(1)]),
        Router::new(2, Suite::Frr, [port(2), own(2)]).frr_lines(frr_lines),
    ])?;
    ask::wait_adjacent(&bench, PATIENCE, &[("r1", "r2")])?;
    bench.eventually(PATIENCE, || {
        routes(&bench)?;
        acknowledged(&bench)
    })?;
    Ok(bench)
}

/// Nobody waits for an acknowledgment: who may have missed a change is not helped (RFC 3623 §3.1 (2)), and FRR takes a
/// second to acknowledge.
fn acknowledged(bench: &Bench) -> Result<()> {
    for (router, other) in [("r1", "r2"), ("r2", "r1")] {
        let reply = ask::show(bench, router, "show ip ospf neighbor json")?;
        let row = &reply["neighbors"][bench.router(other).id.to_string()][0];
        ensure!(row["linkStateRetransmissionListCounter"] == 0, "{router}: {row}");
    }
    Ok(())
}

fn routes(bench: &Bench) -> Result<()> {
    ask::leads(bench, "r1", "10.10.2.0/24", &["10.0.12.2"])?;
    ask::leads(bench, "r2", "10.10.1.0/24", &["10.0.12.1"])
}

fn our_state(bench: &Bench) -> Result<Value> {
    ask::torc(bench, "r1", "show ip ospf graceful-restart json")
}

/// Both kernels have their routes all the time, and in the end our restart was a graceful one and all is Full.
fn watch(bench: &Bench) -> Result<()> {
    bench::throughout(WATCH, || routes(bench)).map_err(|fault| bench.explain(fault))?;
    let state = our_state(bench)?;
    ensure!(state["lastRestartEnd"] == "all adjacencies are re-established", "{state}");
    bench.eventually(PATIENCE, || {
        ask::adjacent(bench, "r1", &["r2"])?;
        ask::adjacent(bench, "r2", &["r1"])
    })?;
    Ok(())
}

#[test]
fn frr_helps_us_after_a_crash_and_in_a_planned_restart() -> Outcome {
    let _alone = Alone::begin();
    for kind in [Kind::PointToPoint, Kind::Broadcast] {
        let bench = pair(kind, HELPER)?;
        bench.signal("r1", "ospfd", Signal::SIGKILL)?;
        watch(&bench)?;
        // The answer is text; that it is no JSON is no fault.
        let _ = ask::torc(&bench, "r1", "graceful-restart prepare ip ospf");
        watch(&bench)?;
        if kind == Kind::Broadcast {
            let role = ask::role(&bench, "r1", "r12")?;
            assert_eq!(role, "DR", "after its restarts");
        }
    }
    Ok(())
}

/// FRR gives us up at our first Hello. How the restart ends is a matter of which of its router-LSAs comes to us with the
/// exchange: the one without us, or, when it has nothing to ask us for and is Full before it answers our request, the
/// next one, which lists us again. RFC 3623 §2.2 can tell only the former from help. What holds either way: it ends at
/// once, and our kernel has its routes all the time.
#[test]
fn without_help_a_crash_is_repaired_and_our_kernel_forwards_on() -> Outcome {
    let _alone = Alone::begin();
    let bench = pair(Kind::PointToPoint, &[])?;
    bench.signal("r1", "ospfd", Signal::SIGKILL)?;
    let ours = || ask::leads(&bench, "r1", "10.10.2.0/24", &["10.0.12.2"]);
    bench::throughout(WATCH, ours).map_err(|fault| bench.explain(fault))?;
    bench.eventually(PATIENCE, || {
        ask::adjacent(&bench, "r1", &["r2"])?;
        ask::adjacent(&bench, "r2", &["r1"])?;
        routes(&bench)
    })?;
    let state = our_state(&bench)?;
    let end = state["lastRestartEnd"].as_str().unwrap_or_default();
    let ends = ["all adjacencies are re-established", "router 10.255.0.2 does not list this router any more"];
    assert!(ends.iter().any(|known| end.ends_with(known)), "{state}");
    Ok(())
}

#[test]
fn we_help_frr_in_a_planned_restart() -> Outcome {
    let _alone = Alone::begin();
    for kind in [Kind::PointToPoint, Kind::Broadcast] {
        let mut bench = pair(kind, RESTARTER)?;
        bench.vtysh("r2", &["graceful-restart prepare ip ospf"])?;
        bench.eventually(PATIENCE, || {
            let state = our_state(&bench)?;
            ensure!(state["activeRestarterCnt"] == 1, "{state}");
            Ok(())
        })?;
        bench.signal("r2", "ospfd", Signal::SIGKILL)?;
        let ours = || ask::leads(&bench, "r1", "10.10.2.0/24", &["10.0.12.2"]);
        // Longer than RouterDeadInterval.
        bench::throughout(WATCH, ours).map_err(|fault| bench.explain(fault))?;
        bench.start_daemon("r2", "ospfd")?;
        bench.eventually(PATIENCE + PATIENCE, || {
            ask::leads(&bench, "r1", "10.10.2.0/24", &["10.0.12.2"])?;
            let state = our_state(&bench)?;
            ensure!(state["activeRestarterCnt"] == 0, "{state}");
            Ok(())
        })?;
        let state = our_state(&bench)?;
        assert_eq!(state["lastExitReason"], "it has restarted", "{state}");
        bench.eventually(PATIENCE, || ask::adjacent(&bench, "r1", &["r2"]))?;
    }
    Ok(())
}
