//! What static routes wait for and what the kernel's next-hop objects hold: `show ip nht`, `show static routes` and
//! `show nexthop-group rib`.

use super::{NextHop, is_false, render};
use crate::fib::NextHopId;
use crate::message::Protocol;
use core::fmt::Write as _;
use ipnetwork::Ipv4Network;
use routing_common::render::Table;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// `show ip nht`: addresses by family, which is "ipv4".
pub type NextHopTracking = BTreeMap<String, BTreeMap<Ipv4Addr, Tracked>>;

/// A gateway somebody waits for. OSPF names the interface of every gateway and waits for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracked {
    /// One.
    pub resolutions: Vec<Resolution>,
}

/// How a gateway is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolution {
    /// Whose route leads to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_protocol: Option<Protocol>,
    /// That route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Ipv4Network>,
    /// It cannot be reached. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unresolved: bool,
    /// Why not; not FRR's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactive_reason: Option<String>,
    /// The kernel's next hops.
    pub nexthops: Vec<NextHop>,
    /// Who waits.
    pub client_list: Vec<TrackingClient>,
}

/// Who waits for a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackingClient {
    /// Always "static".
    pub protocol: Protocol,
    /// Its routes with this gateway; not FRR's.
    pub routes: usize,
}

/// `show static routes`, in order of prefix and distance.
pub type Statics = Vec<StaticRow>;

/// One next hop of a static route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StaticRow {
    /// Destination.
    pub prefix: Ipv4Network,
    /// Administrative distance.
    pub distance: u8,
    /// Tag, when not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<u32>,
    /// The gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    /// The interface, as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Drops what matches. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub blackhole: bool,
    /// It could be used.
    pub active: bool,
    /// It is in the kernel.
    pub installed: bool,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `show nexthop-group rib`: objects by VRF, which is "default", and number.
pub type NextHopGroups = BTreeMap<String, BTreeMap<NextHopId, NextHopGroup>>;

/// One next-hop object of the kernel: a single next hop, or a group of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NextHopGroup {
    /// Always "zebra": FRR's word for objects of the RIB itself.
    #[serde(rename = "type")]
    pub kind: String,
    /// Routes and groups that use it.
    pub ref_count: usize,
    /// Always "default".
    pub vrf: String,
    /// Always true: what cannot be used is not kept.
    pub valid: bool,
    /// In the kernel. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub installed: bool,
    /// On its way there. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub queued: bool,
    /// Members of a group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<NextHopId>,
    /// Groups it is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependents: Vec<NextHopId>,
    /// What it stands for.
    pub nexthops: Vec<NextHop>,
}

/// vtysh's paragraphs.
pub(super) fn tracking(tracking: &NextHopTracking) -> String {
    let mut text = String::new();
    for (gateway, tracked) in tracking.values().flatten() {
        let _ = writeln!(text, "{gateway}");
        for r in &tracked.resolutions {
            let _ = match (r.resolved_protocol, r.prefix) {
                (Some(protocol), Some(prefix)) => {
                    writeln!(text, " resolved via {}, prefix {prefix}", protocol.name())
                }
                _ => {
                    let reason = r.inactive_reason.as_ref().map(|w| format!(" ({w})")).unwrap_or_default();
                    writeln!(text, " unresolved{reason}")
                }
            };
            for hop in &r.nexthops {
                let _ = writeln!(text, " {}", render::next_hop(hop));
            }
            let clients = r.client_list.iter();
            let clients = clients.map(|c| format!(" {}({} routes)", c.protocol.name(), c.routes));
            let _ = writeln!(text, " Client list:{}", clients.collect::<String>());
        }
    }
    text
}

/// A line per next hop.
pub(super) fn statics(rows: &Statics) -> String {
    let mut table =
        Table::new(["Prefix", "Next hop", "Distance", "Tag", "State", "Reason"]).right(2).right(3);
    for row in rows {
        let hop = match (row.gateway, &row.interface) {
            (Some(gateway), Some(interface)) => format!("{gateway}, {interface}"),
            (Some(gateway), None) => gateway.to_string(),
            (None, Some(interface)) => interface.clone(),
            (None, None) => "blackhole".to_owned(),
        };
        let state = match (row.installed, row.active) {
            (true, _) => "installed",
            (false, true) => "active",
            (false, false) => "inactive",
        };
        table.row([
            row.prefix.to_string(),
            hop,
            row.distance.to_string(),
            row.tag.unwrap_or_default().to_string(),
            state.to_owned(),
            row.reason.clone().unwrap_or_default(),
        ]);
    }
    table.text()
}

/// vtysh's paragraphs.
pub(super) fn groups(groups: &NextHopGroups) -> String {
    let mut text = String::new();
    for (id, group) in groups.values().flatten() {
        let _ = writeln!(text, "ID: {id} ({})\n     RefCnt: {}", group.kind, group.ref_count);
        let installed = if group.installed { ", Installed" } else { ", Queued" };
        let _ = writeln!(text, "     VRF: {}\n     Valid{installed}", group.vrf);
        let ids = |ids: &[NextHopId]| ids.iter().map(|id| format!(" ({id})")).collect::<String>();
        if !group.depends.is_empty() {
            let _ = writeln!(text, "     Depends:{}", ids(&group.depends));
        }
        for hop in &group.nexthops {
            let _ = writeln!(text, "           {}", render::next_hop(hop));
        }
        if !group.dependents.is_empty() {
            let _ = writeln!(text, "     Dependents:{}", ids(&group.dependents));
        }
    }
    text
}
