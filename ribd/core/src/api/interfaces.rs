//! `show interface` in its forms but the brief one.
//!
//! Left out of FRR's keys: traffic counters and queue lengths, which the RIB is not told, and what belongs to
//! protocols Torc does not have.

use super::is_false;
use core::fmt::Write as _;
use ipnetwork::Ipv4Network;
use routing_common::render::Table;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `show interface [IFNAME]`, by name.
pub type InterfaceDetails = BTreeMap<String, InterfaceDetail>;

/// Everything about one interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceDetail {
    /// "up" or "down": does the operator want it up?
    pub administrative_status: String,
    /// "up" or "down": can it carry frames?
    pub operational_status: String,
    /// Always true: carrier is always watched.
    pub link_detection: bool,
    /// Times it came to run since this daemon knows it.
    pub link_ups: u64,
    /// How long ago the last time was, as vtysh prints a time of day's distance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_link_up: Option<String>,
    /// Times it ceased to.
    pub link_downs: u64,
    /// As `last_link_up`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_link_down: Option<String>,
    /// Always "default".
    pub vrf_name: String,
    /// From the configuration, else the kernel's alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Kernel index.
    pub index: u32,
    /// Always 0, as in FRR on Linux.
    pub metric: u32,
    /// Octets.
    pub mtu: u32,
    /// Mbit/s, when the driver knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<u32>,
    /// "<UP,RUNNING,MULTICAST>".
    pub flags: String,
    /// "Ethernet", "Loopback" or "Unknown".
    #[serde(rename = "type")]
    pub link_type: String,
    /// MAC address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_address: Option<String>,
    /// Addresses.
    pub ip_addresses: Vec<InterfaceAddress>,
    /// Kind as `ip -d link` names it, "Other" for a plain device.
    pub interface_type: String,
    /// The device it sits on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_interface: Option<String>,
    /// In the configuration? Not FRR's.
    pub configured: bool,
}

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceAddress {
    /// With prefix length.
    pub address: Ipv4Network,
    /// The other end of a point-to-point address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<std::net::Ipv4Addr>,
    /// Another address of its subnet came first.
    pub secondary: bool,
    /// Put there by VRRP. Present when true; not FRR's.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_virtual: bool,
}

/// `show interface description`, by name.
pub type Descriptions = BTreeMap<String, Description>;

/// One interface in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// "up" or "down".
    pub status: String,
    /// "up" or "down": can it carry frames?
    pub protocol: String,
    /// Empty if there is none.
    pub description: String,
}

/// vtysh's paragraphs.
pub(super) fn details(interfaces: &InterfaceDetails) -> String {
    let mut text = String::new();
    for (name, i) in interfaces {
        i.write(name, &mut text);
    }
    text
}

impl InterfaceDetail {
    // Writing to a String cannot fail.
    fn write(&self, name: &str, text: &mut String) {
        let (admin, oper) = (&self.administrative_status, &self.operational_status);
        let _ = match admin.as_str() {
            "up" => writeln!(text, "Interface {name} is up, line protocol is {oper}"),
            _ => writeln!(text, "Interface {name} is down"),
        };
        let last = |ago: &Option<String>| match ago {
            Some(ago) => format!("{ago} ago"),
            None => "(never)".to_owned(),
        };
        let _ = writeln!(text, "  Link ups:   {:>5}    last: {}", self.link_ups, last(&self.last_link_up));
        let _ =
            writeln!(text, "  Link downs: {:>5}    last: {}", self.link_downs, last(&self.last_link_down));
        let _ = writeln!(text, "  vrf: {}", self.vrf_name);
        if let Some(description) = &self.description {
            let _ = writeln!(text, "  Description: {description}");
        }
        let speed = self.speed.map(|s| format!(" speed {s}")).unwrap_or_default();
        let _ = writeln!(text, "  index {} metric {} mtu {}{speed}", self.index, self.metric, self.mtu);
        let _ = writeln!(text, "  flags: {}\n  Type: {}", self.flags, self.link_type);
        if let Some(mac) = &self.hardware_address {
            let _ = writeln!(text, "  HWaddr: {mac}");
        }
        for a in &self.ip_addresses {
            let peer = a.peer.map(|p| format!(" peer {p}")).unwrap_or_default();
            let secondary = if a.secondary { " secondary" } else { "" };
            let is_virtual = if a.is_virtual { " virtual" } else { "" };
            let _ = writeln!(text, "  inet {}{peer}{secondary}{is_virtual}", a.address);
        }
        let _ = writeln!(text, "  Interface Type {}", self.interface_type);
        if let Some(parent) = &self.parent_interface {
            let _ = writeln!(text, "  Parent interface: {parent}");
        }
    }
}

/// vtysh's columns.
pub(super) fn descriptions(interfaces: &Descriptions) -> String {
    let mut table = Table::new(["Interface", "Status", "Protocol", "Description"]);
    for (name, i) in interfaces {
        table.row([name, &i.status, &i.protocol, &i.description]);
    }
    table.text()
}
