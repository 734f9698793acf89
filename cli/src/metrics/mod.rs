//! `torc serve-metrics`: the router's state in the text format of Prometheus, on `/metrics`.
//!
//! Each scrape asks the daemons anew; nothing is kept in between. Names are those of the exporter that was written for FRR
//! where it has the figure, and begin with `torc_` otherwise. A daemon that does not answer is a figure, not a failure.

mod page;

use crate::survey::Survey;
use anyhow::{Result, anyhow};
use page::{Kind, Page};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use tiny_http::{Header, Method, Response, Server};

/// Serves until the process is ended.
///
/// # Errors
/// When nobody can listen on `address`, or the listener fails.
pub(crate) fn serve(run_dir: &Path, address: SocketAddr) -> Result<()> {
    let server = Server::http(address).map_err(|error| anyhow!("{address}: {error}"))?;
    loop {
        let request = server.recv()?;
        let is_get = matches!(request.method(), Method::Get | Method::Head);
        // proof: both halves are ASCII constants without line ends.
        let text = Header::from_bytes("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        let response = match (is_get, request.url(), text) {
            (true, "/metrics", Ok(text)) => {
                Response::from_string(page(&Survey::of_figures(run_dir))).with_header(text)
            }
            (true, "/", _) => Response::from_string("See /metrics\n"),
            _ => Response::from_string("Only /metrics is here\n").with_status_code(404),
        };
        // A client that went away is not an error of ours.
        let _ = request.respond(response);
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_bool().map(|b| if b { 1.0 } else { 0.0 }).or_else(|| value.as_f64())
}

fn page(survey: &Survey) -> String {
    let mut page = Page::default();
    supervisor(&mut page, survey);
    ospf(&mut page, survey);
    vrrp(&mut page, survey);
    bfd(&mut page, survey);
    rib(&mut page, survey);
    page.text()
}

fn supervisor(page: &mut Page, survey: &Survey) {
    page.family("torc_up", Kind::Gauge, "Does the supervisor answer?");
    page.sample(&[], if survey.processes.is_some() { 1.0 } else { 0.0 });
    page.family("torc_daemon_running", Kind::Gauge, "Does a daemon run that the configuration has work for?");
    for (name, state, _) in survey.daemons().filter(|(_, state, _)| *state != "off") {
        page.sample(&[("daemon", name)], if state == "running" { 1.0 } else { 0.0 });
    }
    page.family(
        "torc_daemon_restarts_total",
        Kind::Counter,
        "How often a daemon was started again after it had died.",
    );
    for (name, _, restarts) in survey.daemons() {
        page.sample(&[("daemon", name)], restarts as f64);
    }
    let Some(state) = &survey.state else { return };
    page.value(
        "torc_configuration_revision",
        Kind::Gauge,
        "The revision in force.",
        number(&state["revision"]),
    );
    page.value("torc_configuration_saved", Kind::Gauge, "Is it the startup file?", number(&state["saved"]));
    let unconfirmed = if state["unconfirmedMsec"].is_null() { 0.0 } else { 1.0 };
    page.value(
        "torc_configuration_unconfirmed",
        Kind::Gauge,
        "Is it taken back unless confirmed?",
        Some(unconfirmed),
    );
}

fn ospf(page: &mut Page, survey: &Survey) {
    let interfaces = || {
        let by_name = survey.ospf_interfaces.as_ref().and_then(|i| i["interfaces"].as_object());
        // Passive ones have no timer for Hellos and no neighbours to expect.
        by_name
            .into_iter()
            .flatten()
            .filter(|(_, i)| i["timerPassiveIface"] != true && i["ospfEnabled"] != false)
    };
    for (name, help, key) in [
        ("frr_ospf_neighbors", "Number of neighbors detected.", "nbrCount"),
        ("frr_ospf_neighbor_adjacencies", "Number of neighbor adjacencies formed.", "nbrAdjacentCount"),
    ] {
        page.family(name, Kind::Gauge, help);
        for (interface, row) in interfaces() {
            let labels = [
                ("vrf", "default"),
                ("iface", interface),
                ("area", row["area"].as_str().unwrap_or_default()),
            ];
            page.sample_if(&labels, number(&row[key]));
        }
    }
    let Some(summary) = &survey.ospf else { return };
    page.family("torc_ospf_spf_runs_total", Kind::Counter, "Route calculations of an area.");
    for (area, row) in summary["areas"].as_object().into_iter().flatten() {
        page.sample_if(&[("area", area)], number(&row["spfExecutedCounter"]));
    }
    page.family("torc_ospf_lsas", Kind::Gauge, "LSAs of an area.");
    for (area, row) in summary["areas"].as_object().into_iter().flatten() {
        page.sample_if(&[("area", area)], number(&row["lsaNumber"]));
    }
}

fn vrrp(page: &mut Page, survey: &Survey) {
    let all = survey.vrrp.as_ref().and_then(Value::as_array).into_iter().flatten();
    let routers: Vec<(String, &Value)> = all.map(|router| (router["vrid"].to_string(), router)).collect();
    fn labels<'a>((vrid, router): &'a (String, &Value)) -> [(&'a str, &'a str); 4] {
        let (interface, device) = (text(&router["interface"]), text(&router["v4"]["interface"]));
        [("proto", "v4"), ("vrid", vrid), ("interface", interface), ("subinterface", device)]
    }
    page.family("frr_vrrp_state", Kind::Gauge, "Status of the VRRP state machine.");
    for router in &routers {
        for state in ["Initialize", "Backup", "Master"] {
            let labels = [&labels(router)[..], &[("state", state)]].concat();
            page.sample(&labels, if router.1["v4"]["status"] == state { 1.0 } else { 0.0 });
        }
    }
    for (name, help, key) in [
        ("frr_vrrp_advertisements_sent_total", "Advertisements sent.", "adverTx"),
        ("frr_vrrp_advertisements_received_total", "Advertisements received.", "adverRx"),
        ("frr_vrrp_gratuitous_arp_sent_total", "Gratuitous ARP sent.", "garpTx"),
        ("frr_vrrp_state_transitions_total", "Transitions of the VRRP state machine.", "transitions"),
        ("torc_vrrp_stalls_total", "Times this process stood still too long to trust its timers.", "stalls"),
    ] {
        page.family(name, Kind::Counter, help);
        for router in &routers {
            page.sample_if(&labels(router), number(&router.1["v4"]["stats"][key]));
        }
    }
}

fn bfd(page: &mut Page, survey: &Survey) {
    let Some(peers) = survey.bfd.as_ref().and_then(Value::as_array) else { return };
    fn labels(peer: &Value) -> [(&str, &str); 2] {
        [("local", text(&peer["local"])), ("peer", text(&peer["peer"]))]
    }
    page.value("frr_bfd_peer_count", Kind::Gauge, "Number of peers detected.", Some(peers.len() as f64));
    page.family("frr_bfd_peer_state", Kind::Gauge, "State of the bfd peer (1 = Up, 0 = Down).");
    for peer in peers {
        page.sample(&labels(peer), if peer["status"] == "up" { 1.0 } else { 0.0 });
    }
    page.family("frr_bfd_peer_uptime", Kind::Gauge, "Uptime of bfd peer in seconds");
    for peer in peers {
        page.sample_if(&labels(peer), number(&peer["uptime"]));
    }
}

fn rib(page: &mut Page, survey: &Survey) {
    let by_protocol = || survey.routes.as_ref().and_then(|r| r["routes"].as_array()).into_iter().flatten();
    for (name, help, key) in [
        ("frr_route_total", "Number of routes in the RIB.", "rib"),
        ("frr_route_fib_total", "Number of routes in the FIB.", "fib"),
    ] {
        page.family(name, Kind::Gauge, help);
        for row in by_protocol() {
            page.sample_if(&[("afi", "ipv4"), ("source", text(&row["type"]))], number(&row[key]));
        }
    }
    let Some(system) = &survey.system else { return };
    page.value(
        "torc_routes_stand",
        Kind::Gauge,
        "Has the kernel every route?",
        number(&system["routesStand"]),
    );
    for (name, help, key) in [
        ("torc_rib_installs_total", "Routes installed or replaced.", "installs"),
        ("torc_rib_removals_total", "Routes removed.", "removals"),
        ("torc_rib_failures_total", "Requests the kernel refused.", "failures"),
        ("torc_rib_foreign_changes_total", "Routes of ours that somebody else changed.", "foreignChanges"),
    ] {
        page.value(name, Kind::Counter, help, number(&system[key]));
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
