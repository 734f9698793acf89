//! `torc wait converged`: for services that must not start before the router forwards.
//!
//! Converged means: every daemon the configuration has work for runs; the kernel has every route, OSPF's included; every
//! OSPF neighbour that is known has finished its exchange, and no calculation is due; every virtual router is Master or
//! Backup. How many neighbours there should be only the operator knows (`--neighbors`).

use crate::survey::Survey;
use anyhow::{Result, bail};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits.
///
/// # Errors
/// When the time is over: with what was still missing.
pub(crate) fn converged(run_dir: &Path, timeout: Duration, neighbors: usize) -> Result<String> {
    let begun = Instant::now();
    loop {
        let missing = missing(&Survey::of_convergence(run_dir), neighbors);
        if missing.is_empty() {
            return Ok(String::new());
        }
        if begun.elapsed() >= timeout {
            bail!("not converged after {} s: {}", timeout.as_secs(), missing.join("; "));
        }
        sleep(LOOK_EVERY.min(timeout.saturating_sub(begun.elapsed())));
    }
}

/// What is still to come.
fn missing(survey: &Survey, neighbors: usize) -> Vec<String> {
    let mut missing = Vec::new();
    if survey.processes.is_none() {
        missing.push("mgmtd does not answer".to_owned());
    }
    for (name, state, _) in survey.daemons().filter(|(_, state, _)| !matches!(*state, "running" | "off")) {
        missing.push(format!("{name} is {state}"));
    }
    let stands = |s: &serde_json::Value| s["ready"] == true && s["routesStand"] == true;
    if !survey.system.as_ref().is_some_and(stands) {
        missing.push("not all routes are in the kernel".to_owned());
    }
    let runs = |daemon: &str| survey.daemons().any(|(name, state, _)| name == daemon && state != "off");
    if runs("ospfd") {
        missing.extend(ospf_missing(survey, neighbors));
    }
    if runs("vrrpd") {
        let routers = survey.vrrp.as_ref().and_then(|v| v.as_array());
        match routers {
            None => missing.push("vrrpd does not answer".to_owned()),
            Some(routers) => missing.extend(routers.iter().filter_map(|router| {
                let status = router["v4"]["status"].as_str().unwrap_or("unknown");
                let acts = matches!(status, "Master" | "Backup") || router["shutdown"] == true;
                (!acts).then(|| format!("virtual router {} is {status}", router["vrid"]))
            })),
        }
    }
    missing
}

fn ospf_missing(survey: &Survey, neighbors: usize) -> Vec<String> {
    let Some(summary) = &survey.ospf else { return vec!["ospfd does not answer".to_owned()] };
    let mut missing = Vec::new();
    let (mut full, mut under_way) = (0, Vec::new());
    for (id, state) in survey.neighbor_states() {
        if state.starts_with("Full") {
            full += 1;
        } else if !state.starts_with("2-Way") {
            under_way.push(format!("neighbor {id} is {state}"));
        }
    }
    missing.extend(under_way);
    if full < neighbors {
        missing.push(format!("{full} of {neighbors} neighbors are Full"));
    }
    if summary["spfHasNotRun"] == true || !summary["spfTimerDueInMsecs"].is_null() {
        missing.push("a route calculation is due".to_owned());
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing_common::control::processes::{ProcessRow, Processes};
    use serde_json::json;

    fn survey() -> Survey {
        let process = |name: &str, state: &str| ProcessRow {
            name: name.to_owned(),
            pid: None,
            state: state.to_owned(),
            restarts: 0,
            uptime_msec: None,
        };
        Survey {
            processes: Some(Processes {
                processes: vec![
                    process("ribd", "running"),
                    process("bfdd", "off"),
                    process("vrrpd", "running"),
                    process("ospfd", "running"),
                ],
            }),
            system: Some(json!({"ready": true, "routesStand": true})),
            ospf: Some(json!({"spfTimerDueInMsecs": null})),
            ospf_neighbors: Some(json!({"neighbors": {
                "10.0.0.1": [{"nbrState": "Full/-"}], "10.0.0.2": [{"nbrState": "2-Way/DROther"}]
            }})),
            vrrp: Some(json!([{"vrid": 10, "v4": {"status": "Backup"}}])),
            ..Survey::default()
        }
    }

    #[test]
    fn everything_must_be_there_and_what_is_not_is_named() {
        assert_eq!(missing(&survey(), 1), Vec::<String>::new());
        assert_eq!(missing(&survey(), 2), ["1 of 2 neighbors are Full"]);
        let mut loading = survey();
        loading.ospf_neighbors = Some(json!({"neighbors": {"10.0.0.1": [{"nbrState": "Loading/-"}]}}));
        assert_eq!(missing(&loading, 0), ["neighbor 10.0.0.1 is Loading/-"]);
        let mut due = survey();
        due.ospf = Some(json!({"spfTimerDueInMsecs": 30}));
        due.vrrp = Some(json!([{"vrid": 10, "v4": {"status": "Initialize"}}]));
        due.system = Some(json!({"ready": true, "routesStand": false}));
        assert_eq!(
            missing(&due, 0),
            [
                "not all routes are in the kernel",
                "a route calculation is due",
                "virtual router 10 is Initialize"
            ]
        );
        assert!(missing(&Survey::default(), 0).contains(&"mgmtd does not answer".to_owned()));
    }
}
