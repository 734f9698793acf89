//! What `show bfd` asks and answers. Keys are FRR's where FRR has them; ours follow in the same spelling.
//!
//! FRR counts intervals in whole milliseconds. So do we where they are whole; "3.3ms" is 3.3.

use routing_common::control::Question;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub use crate::show::render_text;

/// A show command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// `show bfd`: the daemon itself.
    Status,
    /// `show bfd peers`.
    Peers,
    /// `show bfd peer A.B.C.D`: an object, or an array if there are several sessions with that address.
    Peer {
        /// The neighbour's address.
        address: Ipv4Addr,
    },
    /// `show bfd peers brief`.
    Brief,
    /// `show bfd peers counters`.
    Counters,
}

impl Question for Request {
    fn is_question(&self) -> bool {
        match self {
            Self::Status | Self::Peers | Self::Peer { .. } | Self::Brief | Self::Counters => true,
        }
    }
}

/// One session, as FRR shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Peer {
    /// RFC 5883.
    pub multihop: bool,
    /// The neighbour's address.
    pub peer: Ipv4Addr,
    /// Our address, if it is not left to the kernel.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub local: Option<Ipv4Addr>,
    /// Always "default".
    pub vrf: String,
    /// The interface of a single hop.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
    /// bfd.LocalDiscr; 0 for a configured peer no interface leads to.
    pub id: u32,
    /// bfd.RemoteDiscr.
    pub remote_id: u32,
    /// The passive role.
    pub passive_mode: bool,
    /// Always true.
    pub log_session_changes: bool,
    /// Multihop only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub minimum_ttl: Option<u8>,
    /// "up", "down", "init" or "shutdown".
    pub status: String,
    /// Seconds it has been up.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uptime: Option<u64>,
    /// Seconds it has been down.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub downtime: Option<u64>,
    /// bfd.LocalDiag in words.
    pub diagnostic: String,
    /// The peer's Diag in words.
    pub remote_diagnostic: String,
    /// "configured" if the file wants it, else "dynamic".
    #[serde(rename = "type")]
    pub kind: String,
    /// The profile of a configured one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub profile: Option<String>,
    /// bfd.RequiredMinRxInterval as wanted, in milliseconds.
    pub receive_interval: Number,
    /// bfd.DesiredMinTxInterval as wanted while Up.
    pub transmit_interval: Number,
    /// Between packets we send now, before jitter.
    pub transmit_interval_actual: Number,
    /// The Detection Time in force; 0 before the peer is heard.
    pub detection_timeout: Number,
    /// Always 0: no Echo function.
    pub echo_receive_interval: u32,
    /// Always 0.
    pub echo_transmit_interval: u32,
    /// bfd.DetectMult.
    pub detect_multiplier: u8,
    /// The peer's Required Min RX Interval.
    pub remote_receive_interval: Number,
    /// The peer's Desired Min TX Interval.
    pub remote_transmit_interval: Number,
    /// Not kept: always 0.
    pub remote_echo_receive_interval: u32,
    /// The peer's Detect Mult.
    pub remote_detect_multiplier: u8,

    /// Who wants it: names of clients and of peers of the file.
    pub clients: Vec<String>,
    /// Those of them that are gone and waited for.
    pub orphaned_by: Vec<String>,
    /// Does the peer ask us not to send (§6.6)?
    pub remote_demand_mode: bool,
    /// Is a Poll Sequence running?
    pub polling: bool,
    /// Milliseconds since the kernel got the last packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_packet_msecs_ago: Option<u64>,
    /// Our own stalls for which the peer was given more time.
    pub stalls_excused: u64,
    /// Last changes of state, oldest first.
    pub history: Vec<Transition>,
}

/// One change of state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Transition {
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
    /// bfd.LocalDiag.
    pub diagnostic: String,
    /// Milliseconds since.
    pub msecs_ago: u64,
}

/// One session in a line, as FRR shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Brief {
    /// As in [`Peer`].
    pub multihop: bool,
    /// As in [`Peer`].
    pub peer: Ipv4Addr,
    /// As in [`Peer`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub local: Option<Ipv4Addr>,
    /// As in [`Peer`].
    pub vrf: String,
    /// As in [`Peer`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
    /// As in [`Peer`].
    pub id: u32,
    /// As in [`Peer`].
    pub remote_id: u32,
    /// As in [`Peer`].
    pub status: String,
    /// As in [`Peer`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub profile: Option<String>,
}

/// One session's counters, as FRR shows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counters {
    /// As in [`Peer`].
    pub multihop: bool,
    /// As in [`Peer`].
    pub peer: Ipv4Addr,
    /// As in [`Peer`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub local: Option<Ipv4Addr>,
    /// As in [`Peer`].
    pub vrf: String,
    /// As in [`Peer`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
    /// Control packets received and not discarded.
    pub control_packet_input: u64,
    /// Control packets sent.
    pub control_packet_output: u64,
    /// Always 0.
    pub echo_packet_input: u64,
    /// Always 0.
    pub echo_packet_output: u64,
    /// Times it came up.
    pub session_up: u64,
    /// Times it left Up.
    pub session_down: u64,
    /// Always 0: there is no zebra.
    pub zebra_notifications: u64,
    /// Packets the kernel did not take.
    pub tx_fail_packet: u64,
    /// Dropped packets by reason.
    pub discards: BTreeMap<String, u64>,
    /// As in [`Peer`].
    pub stalls_excused: u64,
    /// Polls not answered because the last Final had just left.
    pub finals_held_back: u64,
}

/// The daemon itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// Does its thread run in the real-time scheduling class?
    pub real_time: bool,
    /// With this priority.
    pub real_time_priority: Option<u8>,
    /// Is its memory kept from being paged out?
    pub memory_locked: bool,
    /// Why something was not granted.
    pub problems: Vec<String>,
    /// Never called later than this after what it asked for, in microseconds.
    pub worst_lateness_usecs: u64,
    /// Times sessions were given more time because this process or host stood still.
    pub stalls: u64,
    /// How late it was the last time, in microseconds.
    pub last_stall_usecs: Option<u64>,
    /// Milliseconds since then.
    pub last_stall_msecs_ago: Option<u64>,
    /// Sessions by status.
    pub sessions: BTreeMap<String, u64>,
    /// Packets that found no session, by reason.
    pub discards: BTreeMap<String, u64>,
    /// Clients.
    pub clients: Vec<ClientRow>,
    /// The last thing the kernel refused.
    pub last_fault: Option<String>,
    /// Milliseconds since then.
    pub last_fault_msecs_ago: Option<u64>,
}

/// One client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClientRow {
    /// Its name.
    pub name: String,
    /// Is it here?
    pub connected: bool,
    /// Milliseconds its sessions have been waiting for it.
    pub orphaned_msecs: Option<u64>,
    /// Sessions it wants.
    pub sessions: u64,
}
