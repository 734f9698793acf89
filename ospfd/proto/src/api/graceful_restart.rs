//! `show ip ospf graceful-restart`: whether this router restarts gracefully, and whom it helps to.
//!
//! FRR knows `show ip ospf graceful-restart helper [detail]`; its keys are used for that part.

use core::fmt::Write as _;
use routing_common::id::RouterId;
use routing_common::render::{Table, short_time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Both sides of RFC 3623.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GracefulRestartReply {
    /// This router's id.
    pub router_id: RouterId,
    /// "Enabled" or "Disabled": does it help?
    pub helper_support: String,
    /// "Enabled" or "Disabled".
    pub strict_lsa_check: String,
    /// "Planned and Unplanned Restarts".
    pub restart_support: String,
    /// The longest grace period that is accepted, in seconds.
    pub supported_grace_period: u32,
    /// Why help ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_exit_reason: Option<String>,
    /// How many neighbours are helped now.
    pub active_restarter_cnt: u64,
    /// Who is helped, by router id; one entry per interface.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub neighbors: BTreeMap<RouterId, Vec<HelpedRow>>,
    /// "Enabled" or "Disabled": does this router restart gracefully itself? Not FRR's, as what follows.
    pub restarter_support: String,
    /// The grace period it asks for, in seconds.
    pub grace_period: u64,
    /// It is restarting now: milliseconds left of the grace period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarting_for_another_msec: Option<u64>,
    /// How its last restart ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_restart_end: Option<String>,
    /// How long ago that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_restart_end_msecs_ago: Option<u64>,
}

/// A neighbour that is helped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HelpedRow {
    /// Its interface address.
    pub src_addr: Ipv4Addr,
    /// Own interface.
    pub if_name: String,
    /// What it asked for, in seconds.
    pub recvd_grace_interval: u64,
    /// What is left of it, in seconds.
    pub remain_gracetime: u64,
    /// Why it restarts.
    pub restart_reason: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestartRow {
    /// Which one since the start, from 1.
    #[serde(default)]
    pub number: u64,
    /// How long ago.
    pub msecs_ago: u64,
    /// What.
    pub event: String,
}

/// A planned restart has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrepareRestartReply {
    /// The grace period the neighbours are asked for, in seconds.
    pub grace_period: u64,
    /// Fully adjacent neighbours who are asked.
    pub neighbors: u64,
}

impl GracefulRestartReply {
    /// vtysh's lines for the helper, ours for the restarter.
    pub(super) fn text(&self, helper: bool, detail: bool) -> String {
        let mut out = format!(" OSPF Router with ID ({})\n\n", self.router_id);
        if !helper {
            let seconds = self.grace_period;
            let _ = writeln!(out, " Graceful restart: {}, grace period {seconds} s", self.restarter_support);
            match (self.restarting_for_another_msec, &self.last_restart_end, self.last_restart_end_msecs_ago)
            {
                (Some(left), ..) => {
                    let left = short_time(Duration::from_millis(left));
                    let _ = writeln!(out, " Restarting now, for at most another {left}");
                }
                (None, Some(end), Some(ago)) => {
                    let ago = short_time(Duration::from_millis(ago));
                    let _ = writeln!(out, " The last restart ended {ago} ago: {end}");
                }
                _ => {}
            }
            out.push('\n');
        }
        let _ = writeln!(
            out,
            " Graceful restart helper support {}.\n Strict LSA check is {}.\n \
             Helper supported for {}.\n Supported Graceful restart interval: {}(in seconds).",
            self.helper_support.to_lowercase(),
            self.strict_lsa_check.to_lowercase(),
            self.restart_support,
            self.supported_grace_period,
        );
        if let Some(reason) = &self.last_exit_reason {
            let _ = writeln!(out, " Last Helper exit Reason: {reason}");
        }
        let _ =
            writeln!(out, " Number of Active neighbours in graceful restart: {}", self.active_restarter_cnt);
        if detail || !helper {
            out.push_str(&self.helped());
        }
        out
    }

    fn helped(&self) -> String {
        if self.neighbors.is_empty() {
            return String::new();
        }
        let mut table =
            Table::new(["Neighbor ID", "Address", "Interface", "Reason", "Asked", "Left"]).right(4).right(5);
        for (id, rows) in &self.neighbors {
            for row in rows {
                table.row([
                    id.to_string(),
                    row.src_addr.to_string(),
                    row.if_name.clone(),
                    row.restart_reason.clone(),
                    format!("{} s", row.recvd_grace_interval),
                    format!("{} s", row.remain_gracetime),
                ]);
            }
        }
        format!("\n{}", table.text())
    }
}

impl PrepareRestartReply {
    pub(super) fn text(&self) -> String {
        format!(
            "ospfd tells {} neighbors, waits for their acknowledgments and ends. Its routes stay; whoever supervises it \
             starts it again within the grace period of {} s.\n",
            self.neighbors, self.grace_period
        )
    }
}
