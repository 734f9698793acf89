//! One virtual router shared with keepalived and with FRR: both roles, versions 2 and 3, with virtual MACs.

use anyhow::{Result, ensure};
use interop_tests::bench::throughout;
use interop_tests::{Bench, Kind, Outcome, Port, Router, Suite, Vrrp, ask};
use std::net::Ipv4Addr;
use std::time::Duration;

const MASTER: u8 = 200;
const BACKUP: u8 = 100;

fn router(number: u8, suite: Suite, vrrp: Vrrp) -> Router {
    let address = format!("192.0.2.{number}/24");
    Router::new(number, suite, [Port::new(Vrrp::LINK, &address, Kind::None)]).vrrp(vrrp)
}

/// r1 (preferred) and r2 of these suites, and a host.
fn bench(suites: [Suite; 2], version: u8, preempt: bool) -> Result<Bench> {
    let [one, two] = suites;
    let vrrp = |priority| Vrrp { preempt, ..Vrrp::new(version, priority) };
    let routers = [router(1, one, vrrp(MASTER)), router(2, two, vrrp(BACKUP))];
    Bench::build(routers, &[("h", Vrrp::LINK, Ipv4Addr::new(192, 0, 2, 100))])
}

/// Three adverts and the longest skew, and as much again as a busy machine may add.
fn down_interval(version: u8) -> Duration {
    if version == 2 { Duration::from_millis(4000 + 1000) } else { Duration::from_millis(800 + 800) }
}

/// Only `owner` answers for the virtual address, once for every question, and only with the virtual MAC.
fn one_answers(bench: &Bench) -> Result<()> {
    let capture = bench.capture(Vrrp::LINK, "arp")?;
    let address = Vrrp::ADDRESS.to_string();
    for _ in 0..3 {
        bench.run("h", &["ip", "neighbour", "flush", "dev", "eth0"])?;
        bench.output("h", &["ping", "-c", "1", "-W", "0.2", &address])?;
    }
    let file = capture.stop()?;
    let host = "192.0.2.100";
    let asked = file.fields(
        &format!("arp.opcode == 1 && arp.src.proto_ipv4 == {host} && arp.dst.proto_ipv4 == {address}"),
        "arp.opcode",
    )?;
    let answers = file.fields(
        &format!("arp.opcode == 2 && arp.src.proto_ipv4 == {address} && arp.dst.proto_ipv4 == {host}"),
        "arp.src.hw_mac",
    )?;
    ensure!(!asked.is_empty() && answers.len() == asked.len(), "{asked:?} asked, answered {answers:?}");
    ensure!(answers.iter().all(|mac| mac == Vrrp::MAC), "{answers:?}");
    let table = bench.run("h", &["ip", "neighbour", "show", &address])?;
    ensure!(table.contains(Vrrp::MAC), "{table}");
    Ok(())
}

/// Election, a takeover by SIGTERM, the return, a takeover from a dead machine.
fn failover(suites: [Suite; 2], version: u8) -> Result<()> {
    let mut bench = bench(suites, version, true)?;
    let patience = down_interval(version) * 2;
    for router in ["r2", "r1"] {
        bench.start(router)?;
    }
    bench.eventually(patience, || ask::owned_by(&bench, "r1"))?;
    throughout(Duration::from_millis(500), || ask::owned_by(&bench, "r1")).map_err(|e| bench.explain(e))?;
    one_answers(&bench).map_err(|fault| bench.explain(fault))?;
    bench.stop("r1")?;
    // Priority 0 is heard: only the skew passes (RFC 9568 §6.4.2), not the down interval.
    let took = bench.eventually(down_interval(version) / 2, || ask::owned_by(&bench, "r2"))?;
    bench.start("r1")?;
    let back = bench.eventually(patience, || ask::owned_by(&bench, "r1"))?;
    bench.power_off("r1")?;
    let silent = bench.eventually(down_interval(version), || ask::owned_by(&bench, "r2"))?;
    one_answers(&bench).map_err(|fault| bench.explain(fault))?;
    println!("{suites:?} version {version}: SIGTERM {took:?}, back {back:?}, silent death {silent:?}");
    Ok(())
}

#[test]
fn keepalived_version_2_under_torc() -> Outcome {
    Ok(failover([Suite::Torc, Suite::Bird], 2)?)
}

#[test]
fn torc_under_keepalived_version_2() -> Outcome {
    Ok(failover([Suite::Bird, Suite::Torc], 2)?)
}

#[test]
fn keepalived_version_3_under_torc() -> Outcome {
    Ok(failover([Suite::Torc, Suite::Bird], 3)?)
}

#[test]
fn torc_under_keepalived_version_3() -> Outcome {
    Ok(failover([Suite::Bird, Suite::Torc], 3)?)
}

#[test]
fn frr_version_3_under_torc() -> Outcome {
    Ok(failover([Suite::Torc, Suite::Frr], 3)?)
}

#[test]
fn torc_under_frr_version_3() -> Outcome {
    Ok(failover([Suite::Frr, Suite::Torc], 3)?)
}

/// Without preemption a better Backup leaves the Master alone, whoever is which.
#[test]
fn without_preemption_the_master_stays() -> Outcome {
    for suites in [
        [Suite::Torc, Suite::Bird],
        [Suite::Bird, Suite::Torc],
        [Suite::Torc, Suite::Frr],
        [Suite::Frr, Suite::Torc],
    ] {
        let mut bench = bench(suites, 3, false)?;
        bench.start("r2")?;
        bench.eventually(down_interval(3) * 2, || ask::owned_by(&bench, "r2"))?;
        bench.start("r1")?;
        throughout(down_interval(3) * 2, || ask::owned_by(&bench, "r2")).map_err(|e| bench.explain(e))?;
        bench.stop("r2")?;
        bench.eventually(down_interval(3), || ask::owned_by(&bench, "r1"))?;
    }
    Ok(())
}

/// The peers' adverts are accepted for what they are: the version, the pseudo-header in the checksum of version 3, no discards.
#[test]
fn adverts_of_all_peers_are_understood() -> Outcome {
    for (suite, version) in [(Suite::Bird, 2), (Suite::Bird, 3), (Suite::Frr, 2), (Suite::Frr, 3)] {
        let mut bench = bench([suite, Suite::Torc], version, true)?;
        for router in ["r1", "r2"] {
            bench.start(router)?;
        }
        bench.eventually(down_interval(version) * 2, || {
            let reply = ask::torc(&bench, "r2", "show vrrp json")?;
            let group = &reply[0];
            let peer = &group["peers"][0];
            ensure!(group["v4"]["status"] == "Backup" && peer["priority"] == MASTER, "{group}");
            let checksum = if version == 3 { "rfc5798".into() } else { serde_json::Value::Null };
            ensure!(peer["checksum"] == checksum, "{peer}");
            ensure!(group["discards"].as_object().is_some_and(serde_json::Map::is_empty), "{group}");
            Ok(())
        })?;
    }
    Ok(())
}
