//! `show ip ospf neighbor [IF|RID] [detail]`.

use super::is_false;
use core::fmt::Write as _;
use routing_common::id::{AreaId, RouterId};
use routing_common::render::{Table, short_time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Neighbours by router id; one entry per interface on which a router is heard.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NeighborsReply {
    /// By router id.
    pub neighbors: BTreeMap<RouterId, Vec<NeighborRow>>,
}

/// One neighbour. FRR 8.4 has some values under two names; exporters use either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NeighborRow {
    /// The older name of `nbr_priority`.
    pub priority: u8,
    /// The older name of `nbr_state`.
    pub state: String,
    /// Router Priority.
    pub nbr_priority: u8,
    /// State and role: "Full/DR", "Full/-" on a network without Designated Router.
    pub nbr_state: String,
    /// The state alone.
    pub converged: String,
    /// "DR", "Backup" or "DROther", the last on point-to-point networks too.
    pub role: String,
    /// Time since the last change of state.
    pub up_time_in_msec: u64,
    /// The older name of `router_dead_interval_timer_due_msec`.
    pub dead_time_msecs: u64,
    /// Time until the neighbour is declared dead.
    pub router_dead_interval_timer_due_msec: u64,
    /// `up_time_in_msec` for people.
    pub up_time: String,
    /// `router_dead_interval_timer_due_msec` for people.
    pub dead_time: String,
    /// The older name of `iface_address`.
    pub address: Ipv4Addr,
    /// The neighbour's interface address.
    pub iface_address: Ipv4Addr,
    /// Own interface and address: "eth0:10.0.0.1".
    pub iface_name: String,
    /// The older name of `link_state_retransmission_list_counter`.
    pub retransmit_counter: u64,
    /// Length of the Link state retransmission list.
    pub link_state_retransmission_list_counter: u64,
    /// The older name of `link_state_request_list_counter`.
    pub request_counter: u64,
    /// Length of the Link state request list.
    pub link_state_request_list_counter: u64,
    /// The older name of `database_summary_list_counter`.
    pub db_summary_counter: u64,
    /// Length of the Database summary list.
    pub database_summary_list_counter: u64,
    /// It restarts gracefully and is helped (RFC 3623): advertised as before whatever its state; not FRR's.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_helped: bool,
}

/// Neighbours by router id, in full.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NeighborDetailReply {
    /// By router id.
    pub neighbors: BTreeMap<RouterId, Vec<NeighborDetail>>,
}

/// Everything about one neighbour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NeighborDetail {
    /// The neighbour's interface address.
    pub iface_address: Ipv4Addr,
    /// The area of the interface.
    pub area_id: AreaId,
    /// Own interface.
    pub iface_name: String,
    /// Own interface address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_iface_address: Option<Ipv4Addr>,
    /// Router Priority.
    pub nbr_priority: u8,
    /// State and role as in [`NeighborRow`].
    pub nbr_state: String,
    /// Role as in [`NeighborRow`].
    pub role: String,
    /// Changes of state.
    pub state_change_counter: u64,
    /// LSAs sent again for want of an acknowledgment.
    pub lsa_retransmissions: u64,
    /// Time since the last change of state.
    pub last_prgrsv_change_msec: u64,
    /// The Designated Router it declares (an address, in spite of the name).
    pub router_designated_id: Ipv4Addr,
    /// The Backup it declares.
    pub router_designated_backup_id: Ipv4Addr,
    /// Options octet.
    pub options_counter: u8,
    /// Options octet for people.
    pub options_list: String,
    /// Time until the neighbour is declared dead.
    pub router_dead_interval_timer_due_msec: u64,
    /// Length of the Database summary list.
    pub database_summary_list_counter: u64,
    /// Length of the Link state request list.
    pub link_state_request_list_counter: u64,
    /// Length of the Link state retransmission list.
    pub link_state_retransmission_list_counter: u64,
    /// "on" or "off".
    pub thread_inactivity_timer: String,
    /// "on" or "off".
    pub thread_database_description_retransmission: String,
    /// "on" or "off".
    pub thread_link_state_request_retransmission: String,
    /// "on" or "off".
    pub thread_link_state_update_retransmission: String,
    /// Time left of its grace period while we help it to restart (RFC 3623); not FRR's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helped_for_another_msec: Option<u64>,
    /// "master" or "slave": what we are in the exchange of descriptions; not FRR's.
    pub exchange_role: String,
    /// Its BFD session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_bfd_info: Option<PeerBfdInfo>,
}

/// The BFD session with a neighbour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerBfdInfo {
    /// "single hop".
    #[serde(rename = "type")]
    pub kind: String,
    /// Detect Mult.
    pub detect_multiplier: u8,
    /// Required Min RX Interval in milliseconds.
    pub rx_min_interval: u64,
    /// Desired Min TX Interval in milliseconds.
    pub tx_min_interval: u64,
    /// "Up", "Down", "Init", "AdminDown", or "Unknown" before bfdd has said.
    pub status: String,
}

impl NeighborsReply {
    /// vtysh's columns.
    pub(super) fn text(&self) -> String {
        let headings = [
            "Neighbor ID",
            "Pri",
            "State",
            "Up Time",
            "Dead Time",
            "Address",
            "Interface",
            "RXmtL",
            "RqstL",
            "DBsmL",
        ];
        let mut table = Table::new(headings);
        for column in [1, 7, 8, 9] {
            table = table.right(column);
        }
        for (id, rows) in &self.neighbors {
            for row in rows {
                table.row([
                    id.to_string(),
                    row.nbr_priority.to_string(),
                    if row.is_helped { format!("{} GR", row.nbr_state) } else { row.nbr_state.clone() },
                    row.up_time.clone(),
                    row.dead_time.clone(),
                    row.iface_address.to_string(),
                    row.iface_name.clone(),
                    row.link_state_retransmission_list_counter.to_string(),
                    row.link_state_request_list_counter.to_string(),
                    row.database_summary_list_counter.to_string(),
                ]);
            }
        }
        table.text()
    }
}

impl NeighborDetailReply {
    /// vtysh's paragraphs.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for (id, details) in &self.neighbors {
            details.iter().for_each(|detail| detail.write(*id, &mut out));
        }
        out
    }
}

impl NeighborDetail {
    fn write(&self, id: RouterId, out: &mut String) {
        let time = |ms| short_time(Duration::from_millis(ms));
        let mut helped = String::new();
        let local = self.local_iface_address.map(|a| format!(", local interface IP {a}")).unwrap_or_default();
        if let Some(left) = self.helped_for_another_msec {
            helped = format!("    Restarts gracefully, helped for another {}\n", time(left));
        }
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            " Neighbor {id}, interface address {}\n    \
             In the area {} via interface {}{local}\n    \
             Neighbor priority is {}, State is {}, {} state changes\n    \
             Most recent state change statistics:\n      \
             Progressive change {} ago\n    \
             DR is {}, BDR is {}\n    \
             Options {} {}\n    \
             Dead timer due in {}\n    \
             Database Summary List {}\n    \
             Link State Request List {}\n    \
             Link State Retransmission List {}, {} LSAs retransmitted\n    \
             Thread Inactivity Timer {}\n    \
             Thread Database Description Retransmission {}\n    \
             Thread Link State Request Retransmission {}\n    \
             Thread Link State Update Retransmission {}\n{helped}",
            self.iface_address,
            self.area_id,
            self.iface_name,
            self.nbr_priority,
            self.nbr_state,
            self.state_change_counter,
            time(self.last_prgrsv_change_msec),
            self.router_designated_id,
            self.router_designated_backup_id,
            self.options_counter,
            self.options_list,
            time(self.router_dead_interval_timer_due_msec),
            self.database_summary_list_counter,
            self.link_state_request_list_counter,
            self.link_state_retransmission_list_counter,
            self.lsa_retransmissions,
            self.thread_inactivity_timer,
            self.thread_database_description_retransmission,
            self.thread_link_state_request_retransmission,
            self.thread_link_state_update_retransmission,
        );
        if let Some(bfd) = &self.peer_bfd_info {
            let _ = writeln!(
                out,
                "  BFD: Type: {}\n  Detect Multiplier: {}, Min Rx interval: {}, Min Tx interval: {}\n  Status: {}\n",
                bfd.kind, bfd.detect_multiplier, bfd.rx_min_interval, bfd.tx_min_interval, bfd.status
            );
        }
    }
}
