//! `show ip ospf route`, `show ip ospf border-routers` and `show ip ospf reachable-routers`.

use super::{Ordered, is_false};
use core::fmt::Write as _;
use routing_common::id::{AreaId, RouterId};
use serde::{Deserialize, Serialize};

/// The routing table of RFC 2328 §11 as one object: networks by prefix, then routers by bare router id, then
/// external networks by prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoutesReply(pub Ordered<RouteRow>);

/// Routers only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BorderRoutersReply {
    /// By router id.
    pub routers: Ordered<RouteRow>,
}

/// One entry, for a network or a router.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteRow {
    /// "N", "N IA", "N E1", "N E2", or "R " with a trailing blank for a router.
    pub route_type: String,
    /// Cost inside the AS (plus the external metric for E1).
    pub cost: u32,
    /// Type 2 cost.
    #[serde(rename = "type2cost", default, skip_serializing_if = "Option::is_none")]
    pub type2_cost: Option<u32>,
    /// External Route Tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<u32>,
    /// Associated area; none for external networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
    /// A router in another area.
    #[serde(rename = "IA", default, skip_serializing_if = "is_false")]
    pub inter_area: bool,
    /// "abr" or "asbr"; "abr" for a router that is both, nothing for one that is neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router_type: Option<String>,
    /// The paths.
    pub nexthops: Vec<NextHopRow>,
}

/// One path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NextHopRow {
    /// The next router's address; one blank if the network is attached directly.
    pub ip: String,
    /// The interface of an attached network, under the key of FRR 8.
    #[serde(rename = "directly attached to", default, skip_serializing_if = "Option::is_none")]
    pub directly_attached_to_old: Option<String>,
    /// The interface of an attached network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directly_attached_to: Option<String>,
    /// The interface to the next router.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The router whose LSA led to this path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advertised_router: Option<RouterId>,
}

impl NextHopRow {
    /// On the link itself.
    pub fn attached(interface: String) -> Self {
        Self {
            ip: " ".into(),
            directly_attached_to_old: Some(interface.clone()),
            directly_attached_to: Some(interface),
            via: None,
            advertised_router: None,
        }
    }
}

impl RouteRow {
    fn is_router(&self) -> bool {
        self.route_type.starts_with('R')
    }

    fn is_external(&self) -> bool {
        self.route_type.starts_with("N E")
    }

    /// With `detail` a path tells whose LSA led to it.
    fn write(&self, key: &str, detail: bool, out: &mut String) {
        let cost = match self.type2_cost {
            Some(type2) => format!("[{}/{type2}]", self.cost),
            None => format!("[{}]", self.cost),
        };
        let inter_area = if self.inter_area { "IA " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(out, "{:<5}{key:<22}{inter_area}{cost}", self.route_type);
        if let Some(area) = self.area {
            let _ = write!(out, " area: {area}");
        }
        match self.router_type.as_deref() {
            Some("abr") => out.push_str(", ABR"),
            Some("asbr") => out.push_str(", ASBR"),
            _ => {}
        }
        if let Some(tag) = self.tag {
            let _ = write!(out, " tag: {tag}");
        }
        out.push('\n');
        for hop in &self.nexthops {
            let whose = hop.advertised_router.filter(|_| detail);
            let whose = whose.map(|id| format!(", advertised by {id}")).unwrap_or_default();
            let _ = match (&hop.directly_attached_to, &hop.via) {
                (Some(interface), _) => writeln!(out, "{:27}directly attached to {interface}", ""),
                (None, Some(interface)) => writeln!(out, "{:27}via {}, {interface}{whose}", "", hop.ip),
                (None, None) => writeln!(out, "{:27}via {}", "", hop.ip),
            };
        }
    }
}

fn section(
    heading: &str,
    rows: &Ordered<RouteRow>,
    detail: bool,
    wanted: fn(&RouteRow) -> bool,
    out: &mut String,
) {
    out.push_str(heading);
    out.push('\n');
    rows.iter().filter(|(_, row)| wanted(row)).for_each(|(key, row)| row.write(key, detail, out));
    out.push('\n');
}

const NETWORKS: &str = "============ OSPF network routing table ============";
const ROUTERS: &str = "============ OSPF router routing table =============";
const EXTERNALS: &str = "============ OSPF external routing table ===========";

impl RoutesReply {
    /// vtysh's three sections.
    pub(super) fn text(&self, detail: bool) -> String {
        let mut out = String::new();
        section(NETWORKS, &self.0, detail, |row| !row.is_router() && !row.is_external(), &mut out);
        section(ROUTERS, &self.0, detail, RouteRow::is_router, &mut out);
        section(EXTERNALS, &self.0, detail, RouteRow::is_external, &mut out);
        out
    }
}

impl BorderRoutersReply {
    /// vtysh's section.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        section(ROUTERS, &self.routers, false, |_| true, &mut out);
        out
    }
}
