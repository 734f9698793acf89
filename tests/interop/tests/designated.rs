//! Three routers on a LAN: who is Designated Router, what its network-LSA says, what happens when it dies.

use anyhow::{Result, bail, ensure};
use interop_tests::{Bench, Kind, Outcome, Port, Router, Suite, ask};
use std::collections::BTreeSet;
use std::time::Duration;

/// The Wait Timer and two of BIRD's 5 s between originations.
const PATIENCE: Duration = Duration::from_secs(25);

/// RFC 2328 App. B.
const MAX_AGE: u16 = 3600;

/// r1 shall be Designated Router, r2 Backup, r3 neither; behind each of them is a network of its own.
fn lan(suites: [Suite; 3]) -> Result<Bench> {
    let routers = (1..).zip(suites).zip([100, 50, 1]).map(|((number, suite), priority)| {
        let lan = Port::new("lan", &format!("192.0.2.{number}/24"), Kind::Broadcast).priority(priority);
        let own = Port::new(&format!("n{number}"), &format!("10.10.{number}.1/24"), Kind::Passive);
        Router::new(number, suite, [lan, own])
    });
    Bench::up(routers)
}

/// All adjacencies and roles as seen by every living router.
fn roles(bench: &Bench, roles: &[(&str, &str)]) -> Result<()> {
    for (router, role) in roles {
        let own = ask::role(bench, router, "lan")?;
        ensure!(own == *role, "{router} must be {role}, is {own}");
        let found = ask::neighbors(bench, router)?;
        for (other, role) in roles.iter().filter(|(other, _)| other != router) {
            let neighbor = found.get(&bench.router(other).id);
            let fits = neighbor.is_some_and(|n| n.state == "Full" && n.role == *role);
            ensure!(fits, "{router}: {other} must be Full and {role}, is {neighbor:?}");
        }
        ensure!(found.len() == roles.len() - 1, "{router}: {found:?}");
    }
    Ok(())
}

/// Every living router's network is reached from every other, straight over the LAN, at 10 + 10.
fn routes(bench: &Bench, alive: &[&str]) -> Result<()> {
    for router in alive {
        for other in alive.iter().filter(|other| other != &router) {
            let number = &other[1..];
            let prefix = format!("10.10.{number}.0/24");
            ask::leads(bench, router, &prefix, &[&format!("192.0.2.{number}")])?;
            let found = ask::ospf_route(bench, router, &prefix)?;
            ensure!(found == ("N".to_owned(), 20), "{router}: {prefix} is {found:?}");
        }
    }
    Ok(())
}

/// Among the living there is one network-LSA, made by `designated` and listing exactly them. What a dead router originated stays
/// until it is too old, and binds nobody (RFC 2328 §13.4: only its originator may flush it).
fn network_lsa(bench: &Bench, designated: &str, alive: &[&str]) -> Result<()> {
    let ids: BTreeSet<String> = alive.iter().map(|name| bench.router(name).id.to_string()).collect();
    for router in alive.iter().filter(|router| bench.router(router).suite != Suite::Bird) {
        let mut lsas = ask::lsas(bench, router, "network")?;
        lsas.retain(|lsa| {
            lsa["advertisingRouter"].as_str().is_some_and(|id| ids.contains(id)) && lsa["lsaAge"] != MAX_AGE
        });
        let [lsa] = lsas.as_slice() else { bail!("{router}: {lsas:?} must be one network-LSA") };
        let attached = lsa["attchedRouters"].as_object().into_iter().flatten().map(|(id, _)| id.clone());
        ensure!(
            lsa["advertisingRouter"] == bench.router(designated).id.to_string()
                && lsa["networkMask"] == 24
                && attached.collect::<BTreeSet<_>>() == ids,
            "{router}: {lsa} must be {designated}'s and list {ids:?}"
        );
    }
    Ok(())
}

fn elect_and_bury(suites: [Suite; 3]) -> Result<()> {
    let mut bench = lan(suites)?;
    let all = ["r1", "r2", "r3"];
    let look = |bench: &Bench| {
        roles(bench, &[("r1", "DR"), ("r2", "Backup"), ("r3", "DROther")])?;
        routes(bench, &all)?;
        network_lsa(bench, "r1", &all)
    };
    let up = bench.eventually(PATIENCE, || look(&bench))?;
    bench.power_off("r1")?;
    let death = bench.eventually(PATIENCE, || {
        roles(&bench, &[("r2", "DR"), ("r3", "Backup")])?;
        routes(&bench, &["r2", "r3"])?;
        ask::absent(&bench, "r3", "10.10.1.0/24")?;
        ask::absent(&bench, "r2", "10.10.1.0/24")?;
        network_lsa(&bench, "r2", &["r2", "r3"])
    })?;
    // Whoever comes back with the highest priority finds a Designated Router and lets it be (RFC 2328 §9.4).
    bench.power_on("r1")?;
    let back = bench.eventually(PATIENCE, || {
        roles(&bench, &[("r2", "DR"), ("r3", "Backup"), ("r1", "DROther")])?;
        routes(&bench, &all)?;
        network_lsa(&bench, "r2", &all)
    })?;
    println!("{suites:?}: up {up:?}, death of the DR {death:?}, back {back:?}");
    Ok(())
}

#[test]
fn torc_designated_frr_backup_torc_other() -> Outcome {
    Ok(elect_and_bury([Suite::Torc, Suite::Frr, Suite::Torc])?)
}

#[test]
fn frr_designated_torc_backup_frr_other() -> Outcome {
    Ok(elect_and_bury([Suite::Frr, Suite::Torc, Suite::Frr])?)
}

#[test]
fn torc_designated_bird_backup_frr_other() -> Outcome {
    Ok(elect_and_bury([Suite::Torc, Suite::Bird, Suite::Frr])?)
}

#[test]
fn bird_designated_torc_backup_torc_other() -> Outcome {
    Ok(elect_and_bury([Suite::Bird, Suite::Torc, Suite::Torc])?)
}
