//! This project's own daemons: one supervisor for every router (or the daemons by hand), everything else in `router.toml`.
//!
//! Nothing is done for them that the suite is to do itself: addresses, forwarding and every other kernel setting are
//! ribd's and vrrpd's, the macvlan of the virtual router is vrrpd's. Static next hops are written *without* their interface,
//! so the on-link rule is tested and not worked around. Timers are those of `defaults`, the profile an operator would choose, and
//! nothing finer, but where a profile of the lab is about one timer.

use super::{Plan, Process, Profile, Site};
use crate::topology::LinkOspf;
use anyhow::{Context, Result};
use std::fmt::Write;
use std::process::Command;

pub(super) fn plan(site: &Site<'_>) -> Plan {
    let file = site.dir.join("router.toml");
    let process = |name| Process {
        name,
        program: site.daemons.join(name),
        arguments: [
            "--config".into(),
            file.clone().into(),
            "--run-dir".into(),
            site.dir.as_os_str().to_owned(),
        ]
        .into(),
        ready: Some(site.dir.join(format!("{name}.sock"))),
    };
    // By hand in the order that is hardest: nobody may need another to be there first.
    let names: &[&str] = match (site.by_hand, site.vrrp()) {
        (false, _) => &["mgmtd"],
        (true, Some(_)) => &["vrrpd", "ospfd", "bfdd", "ribd"],
        (true, None) => &["ospfd", "bfdd", "ribd"],
    };
    let processes = names.iter().copied().map(process).collect();
    Plan { files: vec![(file.clone(), configuration(site))], processes, ..Plan::default() }
}

fn configuration(site: &Site<'_>) -> String {
    let defaults = match site.profile {
        Profile::Traditional => "traditional",
        _ => "ring",
    };
    let mut text = format!("hostname = \"{}\"\ndefaults = \"{defaults}\"\n", site.name);
    let _ = write!(text, "\n[interfaces.lo]\naddresses = [\"{}/32\"]\n", site.router.loopback);
    for (name, interface) in &site.router.interfaces {
        let _ = write!(
            text,
            "\n[interfaces.{name}]\ndescription = \"{}\"\naddresses = [\"{}\"]\n",
            interface.link, interface.address
        );
    }
    for route in &site.router.static_routes {
        let target = route.via.map_or("blackhole = true".to_owned(), |via| format!("next-hop = \"{via}\""));
        let _ = write!(text, "\n[[static-routes]]\nprefix = \"{}\"\n{target}\n", route.prefix);
    }
    if site.topology.runs_ospf() {
        ospf(site, &mut text);
    }
    if site.profile == Profile::FastBfd {
        let interval = site.profile.bfd().unwrap_or_default().as_micros();
        let _ = write!(
            text,
            "\n[bfd.profiles.default]\ntransmit-interval = \"{interval}us\"\nreceive-interval = \"{interval}us\"\n"
        );
    }
    if let Some(vrrp) = site.vrrp() {
        let addition = site.addition("vrrp");
        let _ = write!(
            text,
            "\n[vrrp.groups.lan]\ninterface = \"{}\"\nvrid = {}\nversion = 3\npriority = {}\n\
             virtual-addresses = [\"{}\"]\npreempt = true\n{addition}",
            vrrp.interface, vrrp.vrid, vrrp.priority, vrrp.address,
        );
        if !addition.contains("advertisement-interval") {
            let _ = writeln!(text, "advertisement-interval = \"{}ms\"", site.profile.advertisement());
        }
    }
    text
}

fn ospf(site: &Site<'_>, text: &mut String) {
    let _ = write!(text, "\n[ospf]\nrouter-id = \"{}\"\n{}", site.router.loopback, site.addition("ospf"));
    if let Some(metric) = site.router.originate_default {
        let _ = write!(
            text,
            "\n[ospf.default-information]\noriginate = true\nmetric = {metric}\nmetric-type = 2\n"
        );
    }
    text.push_str("\n[ospf.interfaces.lo]\narea = \"0.0.0.0\"\npassive = true\n");
    for (name, interface, ospf) in site.ospf_interfaces() {
        let _ = write!(text, "\n[ospf.interfaces.{name}]\narea = \"0.0.0.0\"\ncost = {}\n", interface.cost);
        text.push_str(match ospf {
            LinkOspf::Broadcast => "network-type = \"broadcast\"\n",
            LinkOspf::PointToPoint => "network-type = \"point-to-point\"\n",
            LinkOspf::Passive | LinkOspf::None => "passive = true\n",
        });
    }
}

/// Asks a router through the shell, as an operator would.
pub(super) fn show(site: &Site<'_>, words: &[&str]) -> Result<serde_json::Value> {
    let command = words.join(" ");
    let output = Command::new(site.daemons.join("torc"))
        .arg("--run-dir")
        .arg(site.dir)
        .args(["-c", &command])
        .output()?;
    crate::netns::checked(&output, || format!("{}: {command}", site.name))?;
    serde_json::from_slice(&output.stdout).with_context(|| format!("{}: {command}", site.name))
}
