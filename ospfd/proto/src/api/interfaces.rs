//! `show ip ospf interface [IF]`.

use super::{TrafficRow, is_false};
use core::fmt::Write as _;
use routing_common::id::{AreaId, InterfaceName, RouterId};
use routing_common::key_chain::Algorithm;
use routing_common::render::{Table, short_time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Interfaces by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InterfacesReply {
    /// By name.
    pub interfaces: BTreeMap<InterfaceName, InterfaceRow>,
}

/// One interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceRow {
    /// Does it work?
    pub if_up: bool,
    /// Kernel index.
    pub if_index: u32,
    /// Largest IP datagram.
    pub mtu_bytes: u32,
    /// Always true: only interfaces with OSPF are shown.
    pub ospf_enabled: bool,
    /// Own address; absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<Ipv4Addr>,
    /// Its prefix length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address_prefixlen: Option<u8>,
    /// "Broadcast" here, for what FRR calls `localIfUsed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ospf_if_type: Option<String>,
    /// The subnet's broadcast address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_if_used: Option<Ipv4Addr>,
    /// Its area.
    pub area: AreaId,
    /// Is a neighbour's larger MTU refused?
    #[serde(default, skip_serializing_if = "is_false")]
    pub mtu_mismatch_detect: bool,
    /// This router.
    pub router_id: RouterId,
    /// "BROADCAST", "POINTOPOINT" or "LOOPBACK".
    pub network_type: String,
    /// Output cost.
    pub cost: u32,
    /// InfTransDelay.
    pub transmit_delay_secs: u64,
    /// "Down", "Loopback", "Waiting", "Point-To-Point", "DROther", "Backup" or "DR".
    pub state: String,
    /// Router Priority.
    pub priority: u8,
    /// The Designated Router's id, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dr_id: Option<RouterId>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dr_address: Option<Ipv4Addr>,
    /// The Backup's id, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bdr_id: Option<RouterId>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bdr_address: Option<Ipv4Addr>,
    /// Member of AllSPFRouters?
    #[serde(default, skip_serializing_if = "is_false")]
    pub mcast_member_ospf_all_routers: bool,
    /// Member of AllDRouters?
    #[serde(default, skip_serializing_if = "is_false")]
    pub mcast_member_ospf_designated_routers: bool,
    /// HelloInterval in milliseconds.
    pub timer_msecs: u64,
    /// RouterDeadInterval.
    pub timer_dead_secs: u64,
    /// The Wait Timer's span.
    pub timer_wait_secs: u64,
    /// RxmtInterval, rounded up to whole seconds.
    pub timer_retransmit_secs: u64,
    /// RxmtInterval; not FRR's.
    pub timer_retransmit_msecs: u64,
    /// Time until the next Hello.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer_hello_in_msecs: Option<u64>,
    /// No Hellos are sent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub timer_passive_iface: bool,
    /// Neighbours.
    pub nbr_count: u64,
    /// Those fully adjacent.
    pub nbr_adjacent_count: u64,
    /// LSAs sent again for want of an acknowledgment.
    pub lsa_retransmissions: u64,
    /// "authenticationNone", "authenticationSimplePassword" or "authenticationMessageDigest".
    pub authentication: String,
    /// The key chain the keys are of.
    #[serde(default, skip_serializing_if = "Option::is_none", flatten)]
    pub keychain: Option<SigningRow>,
    /// Changes of state; not FRR's.
    pub state_changes: u64,
    /// Packets by type, under the keys of FRR's `show ip ospf interface traffic`.
    pub traffic: TrafficRow,
    /// Packets thrown away, by reason; not FRR's.
    pub discards: BTreeMap<String, DiscardRow>,
}

/// What a key chain has an interface sign with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningRow {
    /// The chain's name.
    pub keychain: String,
    /// Key ID of the key that signs now; absent while none does. Not FRR's, as what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keychain_key_id: Option<u8>,
    /// How it signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keychain_algorithm: Option<Algorithm>,
    /// Its lifetime has ended, and it is used for want of another.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keychain_expired: bool,
}

/// Packets thrown away for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscardRow {
    /// How many.
    pub count: u64,
    /// The reason in words.
    pub reason: String,
    /// Who sent the last one.
    pub last_source: Ipv4Addr,
    /// How long ago that was.
    pub last_msecs_ago: u64,
}

impl InterfacesReply {
    /// vtysh's paragraphs, with the packets thrown away below.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for (name, row) in &self.interfaces {
            row.write(name, &mut out);
        }
        out
    }
}

impl InterfaceRow {
    // Writing to a String cannot fail.
    fn write(&self, name: &InterfaceName, out: &mut String) {
        let up = if self.if_up { "up" } else { "down" };
        let _ = writeln!(out, "{name} is {up}");
        let _ = writeln!(out, "  ifindex {}, MTU {} bytes", self.if_index, self.mtu_bytes);
        match (self.ip_address, self.ip_address_prefixlen) {
            (Some(address), Some(length)) => {
                let broadcast = self.local_if_used.map(|a| format!(", Broadcast {a}")).unwrap_or_default();
                let _ = writeln!(out, "  Internet Address {address}/{length}{broadcast}, Area {}", self.area);
            }
            _ => {
                let _ = writeln!(out, "  No Internet Address, Area {}", self.area);
            }
        }
        let detection = if self.mtu_mismatch_detect { "enabled" } else { "disabled" };
        let _ = writeln!(
            out,
            "  MTU mismatch detection: {detection}\n  \
             Router ID {}, Network Type {}, Cost: {}\n  \
             Transmit Delay is {} sec, State {}, Priority {}",
            self.router_id, self.network_type, self.cost, self.transmit_delay_secs, self.state, self.priority
        );
        self.write_designated(out);
        self.write_timers(out);
        let _ = writeln!(
            out,
            "  Neighbor Count is {}, Adjacent neighbor count is {}\n  {} state changes, {} LSAs retransmitted",
            self.nbr_count, self.nbr_adjacent_count, self.state_changes, self.lsa_retransmissions
        );
        self.write_authentication(out);
        self.write_discards(out);
    }

    fn write_authentication(&self, out: &mut String) {
        match (self.authentication.as_str(), &self.keychain) {
            ("authenticationSimplePassword", _) => out.push_str("  Simple password authentication enabled\n"),
            ("authenticationMessageDigest", None) => {
                out.push_str("  Cryptographic authentication enabled\n  Algorithm:MD5\n");
            }
            (_, Some(row)) => {
                out.push_str("  Cryptographic authentication enabled\n    Sending SA: ");
                if let (Some(id), Some(algorithm)) = (row.keychain_key_id, row.keychain_algorithm) {
                    let expired = if row.keychain_expired { " (expired)" } else { "" };
                    let _ = write!(out, "Key {id}{expired}, Algorithm {algorithm}");
                } else {
                    out.push_str("none yet");
                }
                let _ = writeln!(out, " - key chain {}", row.keychain);
            }
            _ => {}
        }
    }

    fn write_designated(&self, out: &mut String) {
        if let (Some(id), Some(address)) = (self.dr_id, self.dr_address) {
            let length = self.ip_address_prefixlen.map(|l| format!("/{l}")).unwrap_or_default();
            let _ = writeln!(out, "  Designated Router (ID) {id} Interface Address {address}{length}");
        }
        match (self.bdr_id, self.bdr_address) {
            (Some(id), Some(address)) => {
                let _ = writeln!(out, "  Backup Designated Router (ID) {id}, Interface Address {address}");
            }
            _ => out.push_str("  No backup designated router on this network\n"),
        }
        let all = if self.mcast_member_ospf_all_routers { " OSPFAllRouters" } else { "" };
        let designated =
            if self.mcast_member_ospf_designated_routers { " OSPFDesignatedRouters" } else { "" };
        let none = if all.is_empty() && designated.is_empty() { " <None>" } else { "" };
        let _ = writeln!(out, "  Multicast group memberships:{all}{designated}{none}");
    }

    fn write_timers(&self, out: &mut String) {
        let retransmit = if self.timer_retransmit_msecs == self.timer_retransmit_secs * 1000 {
            self.timer_retransmit_secs.to_string()
        } else {
            short_time(Duration::from_millis(self.timer_retransmit_msecs))
        };
        let hello = match self.timer_msecs {
            fast @ ..1000 => format!("{fast}ms"),
            whole => format!("{}s", whole / 1000),
        };
        let _ = writeln!(
            out,
            "  Timer intervals configured, Hello {hello}, Dead {}s, Wait {}s, Retransmit {retransmit}",
            self.timer_dead_secs, self.timer_wait_secs
        );
        if self.timer_passive_iface {
            out.push_str("    No Hellos (Passive interface)\n");
        } else if let Some(ms) = self.timer_hello_in_msecs {
            let _ = writeln!(out, "    Hello due in {}", short_time(Duration::from_millis(ms)));
        }
    }

    fn write_discards(&self, out: &mut String) {
        if self.discards.is_empty() {
            return;
        }
        out.push_str("  Discarded packets:\n");
        let mut table = Table::new(["Count", "Last from", "Ago", "Reason"]).right(0);
        for row in self.discards.values() {
            table.row([
                row.count.to_string(),
                row.last_source.to_string(),
                short_time(Duration::from_millis(row.last_msecs_ago)),
                row.reason.clone(),
            ]);
        }
        for line in table.text().lines() {
            let _ = writeln!(out, "    {line}");
        }
    }
}
