//! A router's configuration file, as an operator would write it.
//!
//! Simulated routers are configured through the shipped loader, so that a scenario can hold nothing a real
//! router would refuse.

use crate::scenario::{Authentication, ExternalMetric, Port, Router, Scenario, Settings};
use anyhow::{Result, anyhow};
use routing_common::config::{self, Config};
use std::fmt::Write;

/// How a fault bends a port's settings beyond what the scenario can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bend {
    /// Another password.
    pub wrong_key: bool,
    /// Not in OSPF.
    pub ospf_off: bool,
    /// Passive.
    pub passive: bool,
}

/// The file of a router; `bends` by port, missing ones straight.
pub fn text(scenario: &Scenario, router: &Router, bends: &[Bend]) -> String {
    let settings = &scenario.settings;
    let defaults = if settings.ring_defaults { "ring" } else { "traditional" };
    let mut text = format!("hostname = \"{}\"\ndefaults = \"{defaults}\"\n", router.name);
    if router.plain_routes {
        text.push_str("[rib]\nnext-hop-objects = false\n");
    }
    if let Some(interval) = settings.bfd_interval {
        let _ = write!(
            text,
            "[bfd.profiles.default]\ntransmit-interval = \"{interval}ms\"\nreceive-interval = \"{interval}ms\"\n"
        );
    }
    let _ = write!(text, "[interfaces.lo]\naddresses = [\"{}/32\"]\n", router.loopback);
    for (p, port) in router.ports.iter().enumerate() {
        let _ = write!(text, "[interfaces.eth{p}]\naddresses = [\"{}\"]\n", port.address);
    }
    for route in &router.static_routes {
        let target = route.via.map_or("blackhole = true".to_owned(), |via| format!("next-hop = \"{via}\""));
        let _ = write!(text, "[[static-routes]]\nprefix = \"{}\"\n{target}\n", route.prefix);
    }
    router.filter.write(&mut text);
    ospf(&mut text, settings, router);
    text.push_str("[ospf.interfaces.lo]\npassive = true\n");
    for (p, port) in router.ports.iter().enumerate() {
        let bend = bends.get(p).copied().unwrap_or_default();
        if !port.without_ospf && !bend.ospf_off {
            ospf_interface(&mut text, scenario, p, port, bend);
        }
        vrrp_group(&mut text, scenario, p, port);
    }
    text
}

fn ospf(text: &mut String, settings: &Settings, router: &Router) {
    let _ = write!(text, "[ospf]\nrouter-id = \"{}\"\n", router.loopback);
    let mut milliseconds = |key: &str, value: Option<u64>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{key} = \"{value}ms\"");
        }
    };
    milliseconds("min-ls-interval", settings.min_ls_interval);
    milliseconds("min-ls-arrival", settings.min_ls_arrival);
    if let Some(paths) = settings.maximum_paths {
        let _ = writeln!(text, "maximum-paths = {paths}");
    }
    if let Some(seconds) = settings.on_startup {
        let _ = write!(text, "[ospf.max-metric]\non-startup = \"{seconds}s\"\n");
    }
    if let Some(delay) = settings.initial_delay {
        let _ = write!(text, "[ospf.spf]\ninitial-delay = \"{delay}ms\"\n");
    }
    if settings.fast_reroute {
        text.push_str("[ospf.fast-reroute]\nenabled = true\n");
    }
    if router.ordinary_restarts {
        text.push_str("[ospf.graceful-restart]\nenabled = false\nhelper = false\n");
    }
    if let Some(default) = router.default_information {
        let _ = write!(text, "[ospf.default-information]\nalways = {}\n", default.always);
        external(text, default.external);
        text.push_str(router.filter.route_map_key());
    }
    for (source, metric) in
        [("static", router.redistribute_static), ("connected", router.redistribute_connected)]
    {
        if let Some(metric) = metric {
            let _ = writeln!(text, "[ospf.redistribute.{source}]");
            external(text, metric);
            text.push_str(router.filter.route_map_key());
        }
    }
    if router.filter.hidden.is_some() {
        text.push_str("[ospf.distribute-list]\nconnected = \"shown\"\nstatic = \"shown\"\n");
    }
}

fn external(text: &mut String, external: ExternalMetric) {
    let kind = if external.type1 { 1 } else { 2 };
    let _ = write!(text, "metric = {}\nmetric-type = {kind}\n", external.metric);
}

fn ospf_interface(text: &mut String, scenario: &Scenario, p: usize, port: &Port, bend: Bend) {
    use crate::scenario::SegmentKind::{Broadcast, PointToPoint};
    let settings = &scenario.settings;
    let segment = &scenario.segments[port.segment];
    let kind = match segment.kind {
        PointToPoint => "point-to-point",
        Broadcast => "broadcast",
    };
    let _ = write!(
        text,
        "[ospf.interfaces.eth{p}]\nnetwork-type = \"{kind}\"\ncost = {}\npriority = {}\npassive = {}\n",
        port.cost,
        port.priority,
        port.passive || bend.passive
    );
    if settings.bfd_interval.is_some() && !(port.passive || bend.passive) {
        text.push_str("bfd = true\n");
    }
    if let Some(seconds) = settings.hello_interval {
        let _ = writeln!(text, "hello-interval = \"{seconds}s\"");
    }
    if let Some(seconds) = settings.dead_interval {
        let _ = writeln!(text, "dead-interval = \"{seconds}s\"");
    }
    if let Some(hellos) = settings.hello_multiplier {
        let _ = writeln!(text, "hello-multiplier = {hellos}");
    }
    if let Some(milliseconds) = settings.retransmit_interval {
        let _ = writeln!(text, "retransmit-interval = \"{milliseconds}ms\"");
    }
    let key = if bend.wrong_key { "wrong" } else { "right" };
    match segment.authentication {
        Authentication::Null if bend.wrong_key => {
            text.push_str("authentication = { type = \"simple\", key = \"wrong\" }\n");
        }
        Authentication::Null => {}
        Authentication::Simple => {
            let _ = writeln!(text, "authentication = {{ type = \"simple\", key = \"{key}\" }}");
        }
        Authentication::Md5 => {
            let _ = writeln!(
                text,
                "authentication = {{ type = \"md5\", keys = [{{ id = 1, key = \"{key}\" }}] }}"
            );
        }
    }
}

fn vrrp_group(text: &mut String, scenario: &Scenario, p: usize, port: &Port) {
    let (Some(group), Some(priority)) = (&scenario.segments[port.segment].vrrp, port.vrrp_priority) else {
        return;
    };
    let _ = write!(
        text,
        "[vrrp.groups.eth{p}]\ninterface = \"eth{p}\"\nvrid = {}\nversion = {}\npriority = {priority}\n\
         advertisement-interval = \"{}ms\"\nvirtual-addresses = [\"{}\"]\npreempt = {}\n\
         preempt-routes-wait = \"{}ms\"\n",
        group.vrid, group.version, group.interval, group.address, group.preempt, group.routes_wait
    );
}

/// The configuration of a router, through the shipped loader.
///
/// # Errors
/// A real router would refuse the file; with its findings.
pub fn config(scenario: &Scenario, router: &Router, bends: &[Bend]) -> Result<Config> {
    let text = text(scenario, router, bends);
    match config::load("router.toml", &text) {
        Ok(loaded) => Ok(loaded.config),
        Err(findings) => Err(anyhow!("{}: {findings}\n{text}", router.name)),
    }
}
