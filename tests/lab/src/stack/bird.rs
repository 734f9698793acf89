//! BIRD 2 for OSPF, keepalived for VRRP (virtual address by gratuitous ARP, no virtual MAC).

use super::{PREEMPT_DELAY, Plan, Process, Site, router_settings};
use crate::topology::LinkOspf;
use std::fmt::Write;

pub(super) fn plan(site: &Site<'_>) -> Plan {
    let mut plan = Plan { settings: router_settings(site), ..Plan::default() };
    let file = site.dir.join("bird.conf");
    let socket = site.dir.join("bird.ctl");
    plan.files.push((file.clone(), configuration(site)));
    plan.processes.push(Process {
        name: "bird",
        program: "/usr/sbin/bird".into(),
        arguments: ["-f".into(), "-c".into(), file.into(), "-s".into(), socket.clone().into()].into(),
        ready: Some(socket),
    });
    if site.vrrp().is_some() {
        let file = site.dir.join("keepalived.conf");
        let pid = site.dir.join("keepalived.pid");
        let vrrp_pid = site.dir.join("keepalived-vrrp.pid");
        plan.processes.push(Process {
            name: "keepalived",
            program: "/usr/sbin/keepalived".into(),
            arguments: [
                "--dont-fork".into(),
                "--vrrp".into(),
                "--log-console".into(),
                "--use-file".into(),
                file.clone().into(),
                "--pid".into(),
                pid.into(),
                "--vrrp_pid".into(),
                vrrp_pid.into(),
            ]
            .into(),
            ready: None,
        });
        plan.files.push((file, keepalived(site)));
    }
    plan
}

fn configuration(site: &Site<'_>) -> String {
    let mut text = format!("router id {};\nprotocol device {{ scan time 10; }}\n", site.router.loopback);
    text.push_str("protocol kernel { ipv4 { import none; export where source != RTS_DEVICE; }; merge paths on; persist; metric 20; }\n");
    text.push_str("protocol static {\n ipv4;\n check link yes;\n");
    for route in &site.router.static_routes {
        // BIRD's plain next hop is never recursive: it must be a neighbour on a link that is up.
        let target = route.via.map_or_else(|| "blackhole".to_owned(), |via| format!("via {via}"));
        let _ = writeln!(text, " route {} {target};", route.prefix);
    }
    text.push_str("}\n");
    if !site.topology.runs_ospf() {
        return text;
    }
    let export = site.router.originate_default.map_or_else(
        || "none".to_owned(),
        |metric| format!("filter {{ if net = 0.0.0.0/0 && source = RTS_STATIC then {{ ospf_metric2 = {metric}; accept; }} reject; }}"),
    );
    if let Some(interval) = site.profile.bfd() {
        let _ = writeln!(
            text,
            "protocol bfd {{ interface \"*\" {{ interval {} ms; multiplier 3; }}; }}",
            interval.as_millis()
        );
    }
    let _ = writeln!(
        text,
        "protocol ospf v2 {{\n tick 1;\n ipv4 {{ import all; export {export}; }};\n area 0 {{\n  interface \"lo\" {{ stub; }};"
    );
    for (name, interface, ospf) in site.ospf_interfaces() {
        let kind = match ospf {
            LinkOspf::PointToPoint if site.profile.bfd().is_some() => "type ptp; bfd yes;",
            LinkOspf::PointToPoint => "type ptp;",
            LinkOspf::Broadcast => "type broadcast;",
            LinkOspf::Passive | LinkOspf::None => "stub;",
        };
        let _ = writeln!(
            text,
            "  interface \"{name}\" {{ {kind} cost {}; hello {}; dead {}; check link yes; }};",
            interface.cost,
            site.profile.hello(),
            site.profile.dead()
        );
    }
    text + " };\n}\n"
}

fn keepalived(site: &Site<'_>) -> String {
    let Some(vrrp) = site.vrrp() else { return String::new() };
    let interval = f64::from(site.profile.advertisement()) / 1000.0;
    format!(
        "global_defs {{\n vrrp_version 3\n}}\nvrrp_instance lan {{\n state BACKUP\n interface {}\n virtual_router_id {}\n priority {}\n \
         advert_int {interval}\n preempt_delay {PREEMPT_DELAY}\n virtual_ipaddress {{ {}/32 }}\n}}\n",
        vrrp.interface,
        vrrp.vrid,
        vrrp.priority,
        vrrp.address.ip()
    )
}
