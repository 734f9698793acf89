//! FRR as Debian packages it, without its watcher: zebra, staticd, ospfd, bfdd and vrrpd, each with its own file. They drop to the
//! user `frr`, so the router's directory is writable for everybody.
//!
//! The virtual router's macvlan is made by the lab, as FRR expects of the operator. A static next hop is written with its
//! interface, FRR's explicit form of the on-link rule.

use super::{Plan, Process, Profile, Site, router_settings};
use crate::topology::LinkOspf;
use anyhow::{Context, Result};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

const LIBEXEC: &str = "/usr/lib/frr";

pub(super) fn plan(site: &Site<'_>) -> Plan {
    let mut plan = Plan { settings: router_settings(site), ..Plan::default() };
    let mut add = |name: &'static str, text: String| {
        let file = site.dir.join(format!("{name}.conf"));
        plan.processes.push(process(site, name, &file));
        plan.files.push((file, text));
    };
    add("zebra", format!("hostname {}\n", site.name));
    add("staticd", statics(site));
    if site.topology.runs_ospf() {
        if site.profile.bfd().is_some() {
            add("bfdd", bfd(site.profile));
        }
        add("ospfd", ospf(site));
    }
    if let Some(vrrp) = site.vrrp() {
        add(
            "vrrpd",
            format!(
                "interface {}\n vrrp {} version 3\n vrrp {} priority {}\n vrrp {} advertisement-interval {}\n vrrp {} ip {}\n",
                vrrp.interface,
                vrrp.vrid,
                vrrp.vrid,
                vrrp.priority,
                vrrp.vrid,
                site.profile.advertisement(),
                vrrp.vrid,
                vrrp.address.ip()
            ),
        );
        let name = format!("vrrp{}", vrrp.vrid);
        plan.links = vec![
            format!(
                "link add {name} link {} address 00:00:5e:00:01:{:02x} type macvlan mode bridge",
                vrrp.interface, vrrp.vrid
            ),
            format!("link set {name} protodown on"),
            format!("addr add {}/32 dev {name}", vrrp.address.ip()),
            format!("link set {name} up"),
        ];
    }
    plan
}

fn process(site: &Site<'_>, name: &'static str, file: &std::path::Path) -> Process {
    let zserv = site.dir.join("zserv.api");
    let mut arguments: Vec<_> =
        ["-f".into(), file.as_os_str().to_owned(), "-z".into(), zserv.as_os_str().to_owned()].into();
    arguments.extend(["-i".into(), site.dir.join(format!("{name}.pid")).into_os_string()]);
    arguments.extend(["--vty_socket".into(), site.dir.as_os_str().to_owned()]);
    arguments.extend(["-P", "0", "--log", "stdout"].map(Into::into));
    if name == "bfdd" {
        arguments.extend(["--bfdctl".into(), site.dir.join("bfdd.sock").into_os_string()]);
    }
    let ready = if name == "zebra" { zserv } else { site.dir.join(format!("{name}.vty")) };
    Process { name, program: PathBuf::from(LIBEXEC).join(name), arguments, ready: Some(ready) }
}

/// One profile, which ospfd names.
fn bfd(profile: Profile) -> String {
    let interval = profile.bfd().unwrap_or_default().as_millis();
    format!(
        "bfd\n profile ring\n  detect-multiplier 3\n  transmit-interval {interval}\n  receive-interval {interval}\n"
    )
}

fn statics(site: &Site<'_>) -> String {
    let mut text = String::new();
    for route in &site.router.static_routes {
        let target = route.via.map_or_else(
            || "Null0".to_owned(),
            |via| format!("{via} {}", site.interface_towards(via).unwrap_or_default()),
        );
        let _ = writeln!(text, "ip route {} {target}", route.prefix);
    }
    text
}

fn ospf(site: &Site<'_>) -> String {
    let mut text = String::from("interface lo\n ip ospf area 0.0.0.0\n!\n");
    let mut passive = String::new();
    for (name, interface, ospf) in site.ospf_interfaces() {
        let _ = write!(
            text,
            "interface {name}\n ip ospf area 0.0.0.0\n ip ospf cost {}\n ip ospf hello-interval {}\n ip ospf dead-interval {}\n",
            interface.cost,
            site.profile.hello(),
            site.profile.dead()
        );
        match ospf {
            LinkOspf::PointToPoint => {
                text.push_str(" ip ospf network point-to-point\n");
                if site.profile.bfd().is_some() {
                    text.push_str(" ip ospf bfd\n ip ospf bfd profile ring\n");
                }
            }
            LinkOspf::Passive => text.push_str(" ip ospf passive\n"),
            LinkOspf::Broadcast | LinkOspf::None => {}
        }
        text.push_str("!\n");
    }
    let _ = writeln!(passive, "router ospf\n ospf router-id {}", site.router.loopback);
    if let Some(metric) = site.router.originate_default {
        let _ = writeln!(passive, " default-information originate metric {metric} metric-type 2");
    }
    if site.profile != Profile::Traditional {
        passive.push_str(
            " timers throttle spf 0 50 500\n timers throttle lsa all 0\n timers lsa min-arrival 0\n",
        );
    }
    text + &passive
}

/// Asks one of FRR's daemons.
pub(super) fn show(site: &Site<'_>, command: &str) -> Result<serde_json::Value> {
    let output = Command::new("vtysh").arg("--vty_socket").arg(site.dir).args(["-c", command]).output()?;
    serde_json::from_slice(&output.stdout).with_context(|| format!("{}: {command}", site.name))
}
