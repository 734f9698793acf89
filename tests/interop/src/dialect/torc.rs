//! This project's `router.toml`. Addresses, forwarding and all else is left to our daemons.

use super::{Plan, Process, binaries};
use crate::router::{Authentication, Bfd, ChainKey, External, Kind, Port, Router, Vrrp};
use anyhow::{Result, ensure};
use std::fmt::Write;
use std::path::Path;

pub(super) fn plan(router: &Router, dir: &Path) -> Result<Plan> {
    let (file, programs) = (dir.join("router.toml"), binaries());
    // The supervisor would complain too, but later and in its log.
    for name in ["ribd", "ospfd", "bfdd", "vrrpd", "torc"] {
        let program = programs.join(name);
        ensure!(program.is_file(), "{} is missing: {}", program.display(), super::remedy(router));
    }
    let supervisor = Process {
        name: "mgmtd",
        program: programs.join("mgmtd"),
        arguments: ["--config".into(), file.clone().into(), "--run-dir".into(), dir.into()].into(),
        ready: Some(dir.join("mgmtd.sock")),
    };
    let files = vec![(file, configuration(router))];
    Ok(Plan { files, processes: vec![supervisor], ..Plan::default() })
}

fn configuration(router: &Router) -> String {
    let mut text = format!("hostname = \"{}\"\ndefaults = \"ring\"\n", router.name);
    let _ = write!(text, "\n[interfaces.lo]\naddresses = [\"{}/32\"]\n", router.id);
    for port in &router.ports {
        let _ = write!(text, "\n[interfaces.{}]\naddresses = [\"{}\"]\n", port.link, port.address);
    }
    for (prefix, via) in &router.statics {
        let target = via.map_or("blackhole = true".to_owned(), |via| format!("next-hop = \"{via}\""));
        let _ = write!(text, "\n[[static-routes]]\nprefix = \"{prefix}\"\n{target}\n");
    }
    if router.runs_ospf() {
        ospf(router, &mut text);
    }
    if let Some(Bfd { local, peer, multihop, interval, multiplier, passive, shutdown, minimum_ttl }) =
        router.bfd
    {
        let _ = write!(
            text,
            "\n[bfd.profiles.test]\ntransmit-interval = \"{interval}ms\"\nreceive-interval = \"{interval}ms\"\n\
             detect-multiplier = {multiplier}\npassive = {passive}\nminimum-ttl = {minimum_ttl}\n\n[bfd.peers.test]\n\
             address = \"{peer}\"\nlocal-address = \"{local}\"\nmultihop = {multihop}\nprofile = \"test\"\n\
             shutdown = {shutdown}\n"
        );
        if let Some(link) = router.bfd_link() {
            let _ = writeln!(text, "interface = \"{link}\"");
        }
    }
    if let Some(Vrrp { version, priority, interval, preempt }) = router.vrrp {
        let _ = write!(
            text,
            "\n[vrrp.groups.lan]\ninterface = \"{}\"\nvrid = {}\nversion = {version}\npriority = {priority}\n\
             advertisement-interval = \"{interval}ms\"\nvirtual-addresses = [\"{}/24\"]\npreempt = {preempt}\n",
            Vrrp::LINK,
            Vrrp::VRID,
            Vrrp::ADDRESS
        );
    }
    text
}

fn ospf(router: &Router, text: &mut String) {
    let _ = write!(text, "\n[ospf]\nrouter-id = \"{}\"\n", router.id);
    let external = |e: External| format!("metric = {}\nmetric-type = {}\n", e.metric, e.metric_type);
    if let Some((metric, always)) = router.default {
        let _ = write!(
            text,
            "\n[ospf.default-information]\noriginate = true\nalways = {always}\n{}",
            external(metric)
        );
    }
    if let Some(metric) = router.redistribute_connected {
        let _ = write!(text, "\n[ospf.redistribute.connected]\n{}", external(metric));
    }
    if let Some(metric) = router.redistribute_static {
        let _ = write!(text, "\n[ospf.redistribute.static]\n{}", external(metric));
    }
    let area = router.ports.first().map_or(0, |port| port.area);
    let _ = write!(text, "\n[ospf.interfaces.lo]\narea = \"0.0.0.{area}\"\npassive = true\n");
    for port in router.ports.iter().filter(|port| port.kind != Kind::None) {
        interface(port, text);
    }
}

fn interface(port: &Port, text: &mut String) {
    let Port { link, cost, priority, hello, dead, area, .. } = port;
    let kind = if port.kind == Kind::PointToPoint { "point-to-point" } else { "broadcast" };
    let _ = write!(
        text,
        "\n[ospf.interfaces.{link}]\narea = \"0.0.0.{area}\"\nnetwork-type = \"{kind}\"\ncost = {cost}\npriority = {priority}\n\
         passive = {}\n",
        port.kind == Kind::Passive
    );
    let _ = match port.hellos {
        Some(hellos) => writeln!(text, "hello-multiplier = {hellos}"),
        None => writeln!(text, "hello-interval = \"{hello}s\"\ndead-interval = \"{dead}s\""),
    };
    let _ = match &port.authentication {
        Authentication::Null => Ok(()),
        Authentication::Simple(key) => {
            writeln!(text, "authentication = {{ type = \"simple\", key = \"{key}\" }}")
        }
        Authentication::Md5 { id, key } => {
            writeln!(text, "authentication = {{ type = \"md5\", keys = [{{ id = {id}, key = \"{key}\" }}] }}")
        }
        Authentication::Chain(_) => {
            writeln!(text, "authentication = {{ type = \"key-chain\", key-chain = \"{link}\" }}")
        }
    };
    let Authentication::Chain(keys) = &port.authentication else { return };
    for ChainKey { id, key, algorithm, from } in keys {
        let algorithm = algorithm.word();
        let _ = write!(
            text,
            "\n[[key-chains.{link}]]\nid = {id}\nkey = \"{key}\"\nalgorithm = \"{algorithm}\"\n\
             send-lifetime = {{ start = \"{from}\" }}\n"
        );
    }
}
