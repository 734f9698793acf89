//! FRR without its watcher: every daemon with a file of its own.

use super::{Plan, Process};
use crate::router::{Algorithm, Authentication, Bfd, External, Kind, Port, Router, Vrrp};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const LIBEXEC: &str = "/usr/lib/frr";
/// The device with the virtual MAC.
pub const MACVLAN: &str = "vrrp10";

pub(super) fn plan(router: &Router, dir: &Path) -> Plan {
    let mut plan = Plan::default();
    let mut add = |name: &'static str, text: String| {
        let file = dir.join(format!("{name}.conf"));
        plan.processes.push(process(dir, name, &file));
        plan.files.push((file, text));
    };
    add("zebra", format!("hostname {}\n", router.name));
    add("staticd", statics(router));
    if router.runs_ospf() {
        add("ospfd", ospf(router));
    }
    if let Some(session) = router.bfd {
        add("bfdd", bfd(session, router.bfd_link()));
    }
    if let Some(vrrp) = router.vrrp {
        add("vrrpd", virtual_router(vrrp));
        // FRR expects the operator to make the device with the virtual MAC.
        plan.links = vec![
            format!("link add {MACVLAN} link {} address {} type macvlan mode bridge", Vrrp::LINK, Vrrp::MAC),
            format!("link set {MACVLAN} protodown on"),
            format!("addr add {}/32 dev {MACVLAN}", Vrrp::ADDRESS),
            format!("link set {MACVLAN} up"),
        ];
    }
    plan
}

fn process(dir: &Path, name: &'static str, file: &Path) -> Process {
    let zserv = dir.join("zserv.api");
    let mut arguments: Vec<_> =
        ["-f".into(), file.as_os_str().to_owned(), "-z".into(), zserv.as_os_str().to_owned()].into();
    arguments.extend(["-i".into(), dir.join(format!("{name}.pid")).into_os_string()]);
    arguments.extend(["--vty_socket".into(), dir.as_os_str().to_owned()]);
    arguments.extend(["-P", "0", "--log", "stdout"].map(Into::into));
    let ready = if name == "zebra" { zserv } else { dir.join(format!("{name}.vty")) };
    Process { name, program: PathBuf::from(LIBEXEC).join(name), arguments, ready: Some(ready) }
}

fn statics(router: &Router) -> String {
    let mut text = String::new();
    for (prefix, via) in &router.statics {
        let target = via.map_or_else(|| "Null0".to_owned(), |via| via.to_string());
        let _ = writeln!(text, "ip route {prefix} {target}");
    }
    text
}

fn bfd(session: Bfd, link: Option<&str>) -> String {
    let Bfd { local, peer, multihop, interval, multiplier, passive, shutdown, .. } = session;
    let place = match link {
        Some(link) if !multihop => format!("local-address {local} interface {link}"),
        _ => format!("multihop local-address {local}"),
    };
    let no = |on: bool| if on { "" } else { "no " };
    format!(
        "bfd\n peer {peer} {place}\n  detect-multiplier {multiplier}\n  receive-interval {interval}\n  \
         transmit-interval {interval}\n  {}passive-mode\n  {}shutdown\n",
        no(passive),
        no(shutdown)
    )
}

fn virtual_router(vrrp: Vrrp) -> String {
    let Vrrp { version, priority, interval, preempt } = vrrp;
    let vrid = Vrrp::VRID;
    let no = if preempt { "" } else { "no " };
    format!(
        "interface {}\n vrrp {vrid} version {version}\n vrrp {vrid} priority {priority}\n vrrp {vrid} advertisement-interval {interval}\n \
         {no}vrrp {vrid} preempt\n vrrp {vrid} ip {}\n",
        Vrrp::LINK,
        Vrrp::ADDRESS
    )
}

fn ospf(router: &Router) -> String {
    let area = router.ports.first().map_or(0, |port| port.area);
    let mut text = format!("interface lo\n ip ospf area 0.0.0.{area}\n!\n");
    for port in router.ports.iter().filter(|port| port.kind != Kind::None) {
        interface(port, &mut text);
    }
    let _ = write!(
        text,
        "router ospf\n ospf router-id {}\n timers throttle spf 0 50 500\n timers throttle lsa all 0\n timers lsa min-arrival 0\n",
        router.id
    );
    for line in router.frr_lines {
        let _ = writeln!(text, " {line}");
    }
    let external = |e: External| format!("metric {} metric-type {}", e.metric, e.metric_type);
    if let Some((metric, always)) = router.default {
        let always = if always { "always " } else { "" };
        let _ = writeln!(text, " default-information originate {always}{}", external(metric));
    }
    if let Some(metric) = router.redistribute_connected {
        let _ = writeln!(text, " redistribute connected {}", external(metric));
    }
    if let Some(metric) = router.redistribute_static {
        let _ = writeln!(text, " redistribute static {}", external(metric));
    }
    text
}

fn interface(port: &Port, text: &mut String) {
    let Port { link, cost, priority, hello, dead, area, .. } = port;
    let _ = write!(
        text,
        "interface {link}\n ip ospf area 0.0.0.{area}\n ip ospf cost {cost}\n ip ospf priority {priority}\n"
    );
    let _ = match port.hellos {
        Some(hellos) => writeln!(text, " ip ospf dead-interval minimal hello-multiplier {hellos}"),
        None => writeln!(text, " ip ospf hello-interval {hello}\n ip ospf dead-interval {dead}"),
    };
    text.push_str(match port.kind {
        Kind::PointToPoint => " ip ospf network point-to-point\n",
        Kind::Passive => " ip ospf passive\n",
        Kind::Broadcast | Kind::None => "",
    });
    let _ = match &port.authentication {
        Authentication::Null => Ok(()),
        Authentication::Simple(key) => {
            writeln!(text, " ip ospf authentication\n ip ospf authentication-key {key}")
        }
        Authentication::Md5 { id, key } => writeln!(
            text,
            " ip ospf authentication message-digest\n ip ospf message-digest-key {id} md5 {key}"
        ),
        Authentication::Chain(keys) => {
            let known = keys.iter().filter(|k| k.algorithm == Algorithm::Md5);
            let lines = known.map(|k| format!(" ip ospf message-digest-key {} md5 {}\n", k.id, k.key));
            write!(text, " ip ospf authentication message-digest\n{}", lines.collect::<String>())
        }
    };
    text.push_str("!\n");
}
