//! `show ip ospf vrfs`: the default one, which is all there is.

use core::fmt::Write as _;
use routing_common::id::RouterId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where OSPF runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VrfsReply {
    /// By name; only "default".
    pub vrfs: BTreeMap<String, VrfRow>,
    /// Always 1.
    pub total_vrfs: u64,
}

/// One VRF.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VrfRow {
    /// Always 0.
    pub vrf_id: u32,
    /// This router.
    pub router_id: RouterId,
}

impl VrfsReply {
    /// vtysh's columns.
    pub(super) fn text(&self) -> String {
        let mut out = format!("{:<25} {:<7} {}\n", "Name", "Id", "RouterId");
        for (name, row) in &self.vrfs {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{name:<25} {:<7} {}", row.vrf_id, row.router_id);
        }
        let _ = writeln!(out, "\nTotal number of OSPF VRFs: {}", self.total_vrfs);
        out
    }
}
