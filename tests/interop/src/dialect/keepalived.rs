//! keepalived with the virtual MAC, as an operator has to switch it on.

use super::{Plan, Process};
use crate::router::Vrrp;
use std::path::Path;

pub(super) fn add(vrrp: Vrrp, dir: &Path, plan: &mut Plan) {
    let file = dir.join("keepalived.conf");
    let mut arguments: Vec<std::ffi::OsString> =
        ["--dont-fork", "--vrrp", "--log-console"].map(Into::into).into();
    arguments.extend(["--use-file".into(), file.clone().into_os_string()]);
    arguments.extend(["--pid".into(), dir.join("keepalived.pid").into_os_string()]);
    arguments.extend(["--vrrp_pid".into(), dir.join("keepalived-vrrp.pid").into_os_string()]);
    plan.processes.push(Process {
        name: "keepalived",
        program: "/usr/sbin/keepalived".into(),
        arguments,
        ready: Some(dir.join("keepalived-vrrp.pid")),
    });
    plan.files.push((file, configuration(vrrp)));
}

fn configuration(vrrp: Vrrp) -> String {
    let Vrrp { version, priority, interval, preempt } = vrrp;
    let interval =
        if version == 2 { (interval / 1000).to_string() } else { (f64::from(interval) / 1000.0).to_string() };
    let preempt = if preempt { "" } else { " nopreempt\n" };
    format!(
        "global_defs {{\n vrrp_version {version}\n}}\nvrrp_instance lan {{\n state BACKUP\n interface {}\n use_vmac\n virtual_router_id {}\n \
         priority {priority}\n advert_int {interval}\n{preempt} virtual_ipaddress {{ {}/32 }}\n}}\n",
        Vrrp::LINK,
        Vrrp::VRID,
        Vrrp::ADDRESS
    )
}
