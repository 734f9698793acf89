//! `show ip ospf interface traffic [IF]`.

use core::fmt::Write as _;
use routing_common::id::InterfaceName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Packets by interface, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrafficReply(pub BTreeMap<InterfaceName, InterfaceTraffic>);

/// One interface's packets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceTraffic {
    /// Kernel index.
    pub if_index: u32,
    /// By type.
    #[serde(flatten)]
    pub packets: TrafficRow,
    /// Always 0: what is to be sent goes to the kernel at once.
    pub packets_queued: u64,
}

/// Packets received and sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficRow {
    /// Hello.
    pub hello_in: u64,
    /// Hello.
    pub hello_out: u64,
    /// Database Description.
    pub db_desc_in: u64,
    /// Database Description.
    pub db_desc_out: u64,
    /// Link State Request.
    pub ls_req_in: u64,
    /// Link State Request.
    pub ls_req_out: u64,
    /// Link State Update.
    pub ls_upd_in: u64,
    /// Link State Update.
    pub ls_upd_out: u64,
    /// Link State Acknowledgment.
    pub ls_ack_in: u64,
    /// Link State Acknowledgment.
    pub ls_ack_out: u64,
}

impl TrafficReply {
    /// vtysh's columns.
    pub(super) fn text(&self) -> String {
        let mut out = format!(
            "\n{:<12}{:<17}{:<17}{:<17}{:<17}{:<17}{}\n{:<10}{:<18}{:<18}{:<17}{:<17}{:<17}{}\n{}\n",
            "Interface",
            "    HELLO",
            "    DB-Desc",
            "   LS-Req",
            "  LS-Update",
            "   LS-Ack",
            "    Packets",
            "",
            "      Rx/Tx",
            "     Rx/Tx",
            "    Rx/Tx",
            "    Rx/Tx",
            "    Rx/Tx",
            "    Queued",
            "-".repeat(112)
        );
        for (name, row) in &self.0 {
            let p = &row.packets;
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "{:<10} {:>8}/{:<8} {:>7}/{:<7} {:>7}/{:<7} {:>7}/{:<7} {:>7}/{:<7} {:>12}",
                name.to_string(),
                p.hello_in,
                p.hello_out,
                p.db_desc_in,
                p.db_desc_out,
                p.ls_req_in,
                p.ls_req_out,
                p.ls_upd_in,
                p.ls_upd_out,
                p.ls_ack_in,
                p.ls_ack_out,
                row.packets_queued
            );
        }
        out
    }
}
