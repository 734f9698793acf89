//! BIRD 2 for OSPF; the virtual router beside it is keepalived's.

use super::{Plan, Process, keepalived};
use crate::router::{Algorithm, Authentication, Bfd, ChainKey, External, Kind, Port, Router};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

pub(super) fn plan(router: &Router, dir: &Path) -> Plan {
    let mut plan = Plan::default();
    if router.runs_ospf() || router.bfd.is_some() {
        let (file, socket) = (dir.join("bird.conf"), dir.join("bird.ctl"));
        plan.processes.push(Process {
            name: "bird",
            program: "/usr/sbin/bird".into(),
            arguments: ["-f".into(), "-c".into(), file.clone().into(), "-s".into(), socket.clone().into()]
                .into(),
            ready: Some(socket),
        });
        plan.files.push((file, configuration(router)));
    }
    if let Some(vrrp) = router.vrrp {
        keepalived::add(vrrp, dir, &mut plan);
    }
    plan
}

fn configuration(router: &Router) -> String {
    let mut text = format!("router id {};\nprotocol device {{ scan time 10; }}\n", router.id);
    text.push_str("protocol direct { ipv4; }\n");
    text.push_str(
        "protocol kernel { ipv4 { import none; export where source != RTS_DEVICE; }; merge paths on; metric 20; }\n",
    );
    text.push_str("protocol static {\n ipv4;\n");
    for (prefix, via) in &router.statics {
        let target = via.map_or_else(|| "blackhole".to_owned(), |via| format!("via {via}"));
        let _ = writeln!(text, " route {prefix} {target};");
    }
    // The default that "always" stands for elsewhere is a route that exists for this purpose only.
    if router.default.is_some_and(|(_, always)| always) {
        text.push_str(" route 0.0.0.0/0 unreachable;\n");
    }
    text.push_str("}\n");
    if let Some(session) = router.bfd {
        bfd(session, router.bfd_link(), &mut text);
    }
    if !router.runs_ospf() {
        return text;
    }
    let _ = writeln!(text, "{}", export(router));
    text.push_str("protocol ospf v2 ospf1 {\n tick 1;\n ipv4 { import all; export filter into_ospf; };\n");
    let home = router.ports.first().map_or(0, |port| port.area);
    let areas: BTreeSet<u8> = router.ports.iter().map(|port| port.area).collect();
    for area in areas {
        let _ = writeln!(text, " area {area} {{");
        if area == home {
            text.push_str("  interface \"lo\" { stub; };\n");
        }
        for port in router.ports.iter().filter(|port| port.kind != Kind::None && port.area == area) {
            interface(port, &mut text);
        }
        text.push_str(" };\n");
    }
    text + "}\n"
}

fn bfd(session: Bfd, link: Option<&str>, text: &mut String) {
    let Bfd { local, peer, multihop, interval, multiplier, passive, shutdown, .. } = session;
    let passive = if passive { "yes" } else { "no" };
    let timers = format!(
        "{{ min rx interval {interval} ms; min tx interval {interval} ms; multiplier {multiplier}; passive {passive}; }}"
    );
    let place = match link {
        Some(link) if !multihop => format!("dev \"{link}\" local {local}"),
        _ => format!("local {local} multihop yes"),
    };
    let off = if shutdown { "disabled;" } else { "" };
    let _ = writeln!(
        text,
        "protocol bfd bfd1 {{ {off}\n interface \"*\" {timers};\n multihop {timers};\n neighbor {peer} {place};\n}}"
    );
}

fn export(router: &Router) -> String {
    let mut text = "filter into_ospf {\n".to_owned();
    let mut rule = |condition: &str, External { metric, metric_type }| {
        let _ = writeln!(text, " if {condition} then {{ ospf_metric{metric_type} = {metric}; accept; }}");
    };
    if let Some((metric, _)) = router.default {
        rule("net = 0.0.0.0/0 && source = RTS_STATIC", metric);
    }
    if let Some(metric) = router.redistribute_static {
        rule("net != 0.0.0.0/0 && source = RTS_STATIC", metric);
    }
    if let Some(metric) = router.redistribute_connected {
        rule("source = RTS_DEVICE", metric);
    }
    text + " reject;\n}"
}

fn interface(port: &Port, text: &mut String) {
    let Port { link, cost, priority, hello, dead, .. } = port;
    let kind = match port.kind {
        Kind::PointToPoint => "type ptp;",
        Kind::Broadcast => "type broadcast;",
        Kind::Passive | Kind::None => "stub;",
    };
    let authentication = match &port.authentication {
        Authentication::Null => String::new(),
        Authentication::Simple(key) => format!("authentication simple; password \"{key}\";"),
        Authentication::Md5 { id, key } => {
            format!("authentication cryptographic; password \"{key}\" {{ id {id}; algorithm keyed md5; }};")
        }
        Authentication::Chain(keys) => {
            let all = keys.iter().map(password).collect::<String>();
            format!("authentication cryptographic; {all}")
        }
    };
    let _ = writeln!(
        text,
        "  interface \"{link}\" {{ {kind} cost {cost}; priority {priority}; hello {hello}; dead {dead}; retransmit 2; {authentication} }};"
    );
}

/// BIRD takes the time for its own time zone's; where that is another, it may sign with either key, and we take both.
fn password(key: &ChainKey) -> String {
    let ChainKey { id, key, algorithm, from } = key;
    let algorithm = match algorithm {
        Algorithm::Md5 => "keyed md5",
        Algorithm::HmacSha1 => "hmac sha1",
        Algorithm::HmacSha256 => "hmac sha256",
        Algorithm::HmacSha384 => "hmac sha384",
        Algorithm::HmacSha512 => "hmac sha512",
    };
    format!("password \"{key}\" {{ id {id}; algorithm {algorithm}; generate from \"{from}\"; }}; ")
}
