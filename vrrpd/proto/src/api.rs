//! What `show vrrp` in its forms asks and answers. Keys are FRR's where FRR has them; ours follow in the same spelling.

use routing_common::control::Question;
use routing_common::id::{InterfaceName, Vrid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub use crate::show::render_text;

/// A show command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// `show vrrp [interface IF] [VRID]`.
    Routers {
        /// Only on this interface.
        #[serde(default)]
        interface: Option<InterfaceName>,
        /// Only this VRID.
        #[serde(default)]
        vrid: Option<Vrid>,
    },
    /// `show vrrp [interface IF] [VRID] summary`; answered by a list of [`SummaryRow`].
    Summary {
        /// Only on this interface.
        #[serde(default)]
        interface: Option<InterfaceName>,
        /// Only this VRID.
        #[serde(default)]
        vrid: Option<Vrid>,
    },
    /// `show vrrp [interface IF] [VRID] history`, which FRR does not have; answered by a list of [`HistoryRow`].
    History {
        /// Only on this interface.
        #[serde(default)]
        interface: Option<InterfaceName>,
        /// Only this VRID.
        #[serde(default)]
        vrid: Option<Vrid>,
    },
}

impl Question for Request {
    fn is_question(&self) -> bool {
        match self {
            Self::Routers { .. } | Self::Summary { .. } | Self::History { .. } => true,
        }
    }
}

/// One virtual router in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SummaryRow {
    /// Base interface.
    pub interface: String,
    /// Virtual router id.
    pub vrid: u8,
    /// Priority in effect.
    pub priority: u8,
    /// Virtual addresses.
    pub v4_addresses: usize,
    /// Always 0.
    pub v6_addresses: usize,
    /// "Initialize", "Backup" or "Master".
    pub v4_status: String,
}

/// One virtual router's last changes of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRow {
    /// Base interface.
    pub interface: String,
    /// Virtual router id.
    pub vrid: u8,
    /// Name in the configuration.
    pub group: String,
    /// Its state now.
    pub status: String,
    /// All changes of state, more than are kept.
    pub transitions: u64,
    /// The last ones, oldest first.
    pub history: Vec<Transition>,
}

/// One virtual router, as FRR lists them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Router {
    /// Virtual router id.
    pub vrid: u8,
    /// Protocol version, 2 or 3.
    pub version: u8,
    /// Always false: nothing here configures itself.
    pub autoconfigured: bool,
    /// Stopped by the operator.
    pub shutdown: bool,
    /// Preempt_Mode.
    pub preempt_mode: bool,
    /// Accept_Mode in effect. Always true: the kernel answers on every address it holds, and dropping what is
    /// sent to it takes a packet filter, which is not ours to install.
    pub accept_mode: bool,
    /// Sent form of the version 3 checksum.
    pub checksum_with_ipv4_pseudoheader: bool,
    /// Base interface.
    pub interface: String,
    /// Own Advertisement_Interval in milliseconds.
    pub advertisement_interval: u64,
    /// Configured priority.
    pub priority: u8,
    /// IPv4.
    pub v4: Family,
    /// Name in the configuration.
    pub group: String,
    /// Why it is in Initialize, or a Backup though a worse router is Active.
    pub reason: Option<String>,
    /// Milliseconds a better Backup waits before it preempts.
    pub preempt_delay: u64,
    /// Milliseconds it waits at most for its routes.
    pub preempt_routes_wait: u64,
    /// Has this router its routes?
    pub routes_stand: bool,
    /// Does what the ring knows of the others shorten the wait for their silence?
    pub accelerate: bool,
    /// Milliseconds for which it does not, because it was wrong lately.
    pub acceleration_suspended: Option<u64>,
    /// Routers on the same subnet as the ring knows them; none where it knows nothing.
    pub others_by_ring: Option<Vec<Ipv4Addr>>,
    /// Dropped packets by reason.
    pub discards: BTreeMap<String, u64>,
    /// Packets on the interface for virtual routers we do not have, by reason.
    pub interface_discards: BTreeMap<String, u64>,
    /// Senders heard.
    pub peers: Vec<Peer>,
    /// Standing alarms.
    pub alarms: Vec<Alarm>,
    /// Last changes of state, oldest first.
    pub history: Vec<Transition>,
    /// The last thing the kernel refused to this daemon.
    pub last_fault: Option<String>,
    /// Milliseconds since then.
    pub last_fault_msecs_ago: Option<u64>,
}

/// The part FRR keeps by address family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Family {
    /// The device with the virtual MAC; empty in real-MAC mode.
    pub interface: String,
    /// The MAC that answers for the addresses.
    pub vmac: String,
    /// What advertisements are sent from.
    pub primary_address: String,
    /// "Initialize", "Backup" or "Master".
    pub status: String,
    /// Priority in effect.
    pub effective_priority: u8,
    /// Active_Adver_Interval in milliseconds.
    pub master_adver_interval: u64,
    /// Skew_Time in milliseconds.
    pub skew_time: u64,
    /// Active_Down_Interval in milliseconds.
    pub master_down_interval: u64,
    /// Counters.
    pub stats: Stats,
    /// The virtual addresses.
    pub addresses: Vec<Ipv4Addr>,
}

/// Counters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Advertisements sent.
    pub adver_tx: u64,
    /// Advertisements accepted.
    pub adver_rx: u64,
    /// Gratuitous ARP frames sent.
    pub garp_tx: u64,
    /// ARP probes sent.
    pub arp_probe_tx: u64,
    /// Changes of state.
    pub transitions: u64,
    /// Priority 0 sent.
    pub priority_zero_tx: u64,
    /// Priority 0 accepted.
    pub priority_zero_rx: u64,
    /// Virtual addresses put back after somebody removed them.
    pub address_readds: u64,
    /// Deadlines noticed too late to act on.
    pub stalls: u64,
}

/// One sender.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its priority.
    pub priority: u8,
    /// Its interval in milliseconds.
    pub interval: u64,
    /// "rfc5798" or "rfc9568"; none in version 2.
    pub checksum: Option<String>,
    /// Milliseconds since it was last heard.
    pub heard_msecs_ago: u64,
}

/// One standing alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// What is wrong.
    pub alarm: String,
    /// Who causes it.
    pub peer: Ipv4Addr,
    /// Milliseconds since it was raised.
    pub raised_msecs_ago: u64,
}

/// One change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transition {
    /// Which one since the start, from 1.
    #[serde(default)]
    pub number: u64,
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
    /// Why.
    pub cause: String,
    /// Milliseconds for which nobody had been heard by then; none if nobody ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence_msecs: Option<u64>,
    /// Milliseconds since.
    pub msecs_ago: u64,
}
