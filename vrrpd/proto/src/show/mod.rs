//! Answers to [`api::Request`] and their text form, which reads like FRR's.

mod lists;

use crate::api;
use crate::instance::Instance;
use crate::router::{Blocked, VirtualRouter};
use routing_common::config::{VrrpChecksum, VrrpVersion};
use routing_common::id::{InterfaceName, Vrid};
use routing_common::render::{Table, short_time};
use routing_common::time::{Duration, Instant};
use std::net::Ipv4Addr;

/// The reply to one request.
pub(crate) fn query(
    instance: &Instance,
    now: Instant,
    request: &api::Request,
) -> Result<serde_json::Value, String> {
    let meant = |interface: &Option<InterfaceName>, vrid: &Option<Vrid>| -> Vec<&VirtualRouter> {
        let of_interface = |r: &&VirtualRouter| interface.as_ref().is_none_or(|i| *i == r.group.interface);
        let of_vrid = |r: &&VirtualRouter| vrid.is_none_or(|v| v == r.group.vrid);
        instance.routers().filter(of_interface).filter(of_vrid).collect()
    };
    let reply = match request {
        api::Request::Routers { interface, vrid } => {
            let rows = meant(interface, vrid).into_iter().map(|r| router(instance, now, r));
            serde_json::to_value(rows.collect::<Vec<api::Router>>())
        }
        api::Request::Summary { interface, vrid } => {
            serde_json::to_value(meant(interface, vrid).into_iter().map(lists::summary).collect::<Vec<_>>())
        }
        api::Request::History { interface, vrid } => {
            let rows = meant(interface, vrid).into_iter().map(|r| lists::history(now, r));
            serde_json::to_value(rows.collect::<Vec<api::HistoryRow>>())
        }
    };
    reply.map_err(|e| e.to_string())
}

fn router(instance: &Instance, now: Instant, r: &VirtualRouter) -> api::Router {
    let ago = |at: Instant| millis(now.since(at));
    let counts = |d: &crate::packet::Discards| d.iter().map(|(k, n)| (k.name().to_owned(), n)).collect();
    api::Router {
        vrid: r.group.vrid.get(),
        version: match r.group.version {
            VrrpVersion::V2 => 2,
            VrrpVersion::V3 => 3,
        },
        autoconfigured: false,
        shutdown: r.blocked == Some(Blocked::Stopped),
        preempt_mode: r.group.preempt,
        accept_mode: true,
        checksum_with_ipv4_pseudoheader: r.group.checksum == VrrpChecksum::Rfc5798,
        interface: r.group.interface.to_string(),
        advertisement_interval: millis(r.group.advertisement_interval),
        priority: r.group.priority,
        v4: family(r),
        group: r.name.clone(),
        reason: r
            .blocked
            .map(Blocked::text)
            .or(r
                .waits_for_routes(now, instance.routes_stand)
                .then_some("not preempting before its routes stand"))
            .map(str::to_owned),
        preempt_delay: millis(r.group.preempt_delay),
        preempt_routes_wait: millis(r.group.preempt_routes_wait),
        routes_stand: instance.routes_stand,
        accelerate: r.group.accelerate,
        acceleration_suspended: r.suspended_until().filter(|at| *at > now).map(|at| millis(at.since(now))),
        others_by_ring: instance.attached(r).map(|a| a.routers.iter().map(|id| id.0).collect()),
        discards: counts(&r.discards),
        interface_discards: instance.strays().get(&r.group.interface).map(counts).unwrap_or_default(),
        peers: r
            .peers
            .iter()
            .map(|(address, p)| api::Peer {
                address: *address,
                priority: p.priority,
                interval: millis(p.interval),
                checksum: p.checksum.map(|c| checksum_name(c).to_owned()),
                heard_msecs_ago: ago(p.heard),
            })
            .collect(),
        alarms: r
            .alarms
            .iter()
            .map(|(alarm, row)| api::Alarm {
                alarm: alarm.name().to_owned(),
                peer: row.peer,
                raised_msecs_ago: ago(row.since),
            })
            .collect(),
        history: lists::transitions(now, r),
        last_fault: instance.last_fault().map(|(_, text)| text.clone()),
        last_fault_msecs_ago: instance.last_fault().map(|(at, _)| ago(*at)),
    }
}

fn family(r: &VirtualRouter) -> api::Family {
    api::Family {
        interface: r.device_name().map(String::from).unwrap_or_default(),
        vmac: r.service_mac().map(mac_text).unwrap_or_default(),
        primary_address: r.binding.map(|b| b.primary.to_string()).unwrap_or_default(),
        status: r.state.to_string(),
        effective_priority: r.group.priority,
        master_adver_interval: millis(r.active_interval),
        skew_time: millis(r.skew_time()),
        master_down_interval: millis(r.active_down_interval()),
        stats: api::Stats {
            adver_tx: r.stats.adver_tx,
            adver_rx: r.stats.adver_rx,
            garp_tx: r.stats.garp_tx,
            arp_probe_tx: r.stats.probe_tx,
            transitions: r.stats.transitions,
            priority_zero_tx: r.stats.stop_tx,
            priority_zero_rx: r.stats.stop_rx,
            address_readds: r.stats.address_readds,
            stalls: r.stats.stalls,
        },
        addresses: r.group.virtual_addresses.iter().map(|a| a.ip()).collect(),
    }
}

fn checksum_name(form: VrrpChecksum) -> &'static str {
    match form {
        VrrpChecksum::Rfc5798 => "rfc5798",
        VrrpChecksum::Rfc9568 => "rfc9568",
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|b| format!("{b:02x}")).join(":")
}

/// Text like vtysh's for a reply of `Instance::query`.
///
/// # Errors
/// The value is not the reply to this request.
pub fn render_text(request: &api::Request, value: &serde_json::Value) -> Result<String, serde_json::Error> {
    Ok(match request {
        api::Request::Routers { .. } => {
            let rows: Vec<api::Router> = serde::Deserialize::deserialize(value)?;
            rows.iter().map(|row| format!("\n{}{}", parameters(row).text(), lists(row))).collect()
        }
        api::Request::Summary { .. } => lists::summary_text(serde::Deserialize::deserialize(value)?),
        api::Request::History { .. } => lists::history_text(serde::Deserialize::deserialize(value)?),
    })
}

/// FRR's two columns.
fn parameters(r: &api::Router) -> Table {
    let yes = |b: bool| if b { "Yes" } else { "No" };
    let ms = |n: u64| format!("{n} ms");
    let mut t = Table::new(["Virtual Router ID", &r.vrid.to_string()]);
    let mut row = |label: &str, value: &str| {
        t.row([label, value]);
    };
    row("Protocol Version", &r.version.to_string());
    row("Autoconfigured", yes(r.autoconfigured));
    row("Shutdown", yes(r.shutdown));
    row("Interface", &r.interface);
    row("VRRP interface (v4)", if r.v4.interface.is_empty() { "None" } else { &r.v4.interface });
    row("Primary IP (v4)", &r.v4.primary_address);
    row("Virtual MAC (v4)", &r.v4.vmac);
    row("Status (v4)", &r.v4.status);
    if let Some(reason) = &r.reason {
        row("Reason", reason);
    }
    row("Priority", &r.priority.to_string());
    row("Effective Priority (v4)", &r.v4.effective_priority.to_string());
    row("Preempt Mode", yes(r.preempt_mode));
    row("Accept Mode", yes(r.accept_mode));
    row("Checksum with IPv4 Pseudoheader", yes(r.checksum_with_ipv4_pseudoheader));
    row("Advertisement Interval", &ms(r.advertisement_interval));
    row("Master Advertisement Interval (v4)", &ms(r.v4.master_adver_interval));
    row("Advertisements Tx (v4)", &r.v4.stats.adver_tx.to_string());
    row("Advertisements Rx (v4)", &r.v4.stats.adver_rx.to_string());
    row("Gratuitous ARP Tx (v4)", &r.v4.stats.garp_tx.to_string());
    row("ARP Probes Tx (v4)", &r.v4.stats.arp_probe_tx.to_string());
    row("State transitions (v4)", &r.v4.stats.transitions.to_string());
    row("Skew Time (v4)", &ms(r.v4.skew_time));
    row("Master Down Interval (v4)", &ms(r.v4.master_down_interval));
    if let Some(others) = &r.others_by_ring {
        let others: Vec<String> = others.iter().map(Ipv4Addr::to_string).collect();
        row(
            "Others by the ring",
            if others.is_empty() { "none".to_owned() } else { others.join(", ") }.as_str(),
        );
    }
    if let Some(left) = r.acceleration_suspended {
        row("Acceleration suspended for", &ms(left));
    }
    row("IPv4 Addresses", &r.v4.addresses.len().to_string());
    for address in &r.v4.addresses {
        row("..................................", &address.to_string());
    }
    t
}

fn lists(r: &api::Router) -> String {
    let ago = |ms: u64| format!("{} ago", short_time(Duration::from_millis(ms)));
    let mut out = String::new();
    let mut section = |title: &str, table: &Table| {
        if !table.is_empty() {
            out.push_str(&format!("\n {title}\n{}", table.text()));
        }
    };
    let mut peers = Table::new(["Peer", "Priority", "Interval", "Checksum", "Heard"]).right(1);
    for p in &r.peers {
        peers.row([
            p.address.to_string(),
            p.priority.to_string(),
            format!("{} ms", p.interval),
            p.checksum.clone().unwrap_or_else(|| "-".into()),
            ago(p.heard_msecs_ago),
        ]);
    }
    section("Peers", &peers);
    let mut drops = Table::new(["Reason", "Packets"]).right(1);
    for (reason, count) in &r.discards {
        drops.row([reason.clone(), count.to_string()]);
    }
    section("Discarded", &drops);
    let mut alarms = Table::new(["Alarm", "Peer", "Raised"]);
    for a in &r.alarms {
        alarms.row([a.alarm.clone(), a.peer.to_string(), ago(a.raised_msecs_ago)]);
    }
    section("Alarms", &alarms);
    let history = lists::transition_table(&r.history);
    section("Transitions", &history);
    out
}
