//! Interfaces.

use crate::Rib;
use crate::api;
use routing_common::id::InterfaceName;
use routing_common::link::{Address, Link, VRRP_ADDRESS_PROTOCOL};
use routing_common::render::clock_time;
use routing_common::time::Instant;

fn up_or_down(up: bool) -> String {
    if up { "up" } else { "down" }.to_owned()
}

impl Rib {
    pub(super) fn show_interfaces(&self) -> api::Interfaces {
        let configured = |name| self.config.as_ref().is_some_and(|c| c.interfaces.contains_key(name));
        self.links
            .iter()
            .map(|link| {
                let status = match (link.admin_up, link.running) {
                    (false, _) => "admin down",
                    (true, false) => "down",
                    (true, true) => "up",
                };
                let interface = api::Interface {
                    status: status.to_owned(),
                    vrf_name: "default".to_owned(),
                    addresses: self.links.addresses_of(link.ifindex).map(|a| a.network.to_string()).collect(),
                    index: link.ifindex.0,
                    mtu: link.mtu,
                    configured: configured(&link.name),
                };
                (link.name.to_string(), interface)
            })
            .collect()
    }

    pub(super) fn show_interface_details(
        &self,
        now: Instant,
        name: Option<&InterfaceName>,
    ) -> Result<api::InterfaceDetails, String> {
        let meant = self.links.iter().filter(|l| name.is_none_or(|n| l.name == *n));
        let found: api::InterfaceDetails =
            meant.map(|l| (l.name.to_string(), self.interface_detail(now, l))).collect();
        match name {
            Some(name) if found.is_empty() => Err(format!("interface {name} does not exist")),
            _ => Ok(found),
        }
    }

    pub(super) fn show_descriptions(&self) -> api::Descriptions {
        let row = |link: &Link| api::Description {
            status: up_or_down(link.admin_up),
            protocol: up_or_down(link.running),
            description: self.description(link).unwrap_or_default(),
        };
        self.links.iter().map(|l| (l.name.to_string(), row(l))).collect()
    }

    fn description(&self, link: &Link) -> Option<String> {
        let configured = self.config.as_ref().and_then(|c| c.interfaces.get(&link.name));
        configured.and_then(|i| i.description.clone()).or_else(|| link.alias.clone())
    }

    fn interface_detail(&self, now: Instant, link: &Link) -> api::InterfaceDetail {
        let counts = self.link_counts.get(&link.ifindex).copied().unwrap_or_default();
        let ago = |at: Option<Instant>| at.map(|at| clock_time(now.since(at)));
        let address = |a: &Address| api::InterfaceAddress {
            address: a.network,
            peer: a.peer,
            secondary: a.secondary,
            is_virtual: a.protocol == VRRP_ADDRESS_PROTOCOL,
        };
        api::InterfaceDetail {
            administrative_status: up_or_down(link.admin_up),
            operational_status: up_or_down(link.running),
            link_detection: true,
            link_ups: counts.ups,
            last_link_up: ago(counts.last_up),
            link_downs: counts.downs,
            last_link_down: ago(counts.last_down),
            vrf_name: "default".to_owned(),
            description: self.description(link),
            index: link.ifindex.0,
            metric: 0,
            mtu: link.mtu,
            speed: link.speed_mbps,
            flags: flags(link),
            link_type: match (link.loopback, link.mac) {
                (true, _) => "Loopback",
                (false, Some(_)) => "Ethernet",
                (false, None) => "Unknown",
            }
            .to_owned(),
            hardware_address: link.mac.map(|mac| mac.map(|b| format!("{b:02x}")).join(":")),
            ip_addresses: self.links.addresses_of(link.ifindex).map(address).collect(),
            interface_type: link.kind.clone().unwrap_or_else(|| "Other".to_owned()),
            parent_interface: link.parent.map(|parent| self.links.name_of(parent)),
            configured: self.config.as_ref().is_some_and(|c| c.interfaces.contains_key(&link.name)),
        }
    }
}

/// The kernel's flags, as far as the RIB is told.
fn flags(link: &Link) -> String {
    let flags = [
        (link.admin_up, "UP"),
        (link.loopback, "LOOPBACK"),
        (link.point_to_point, "POINTOPOINT"),
        (link.running, "RUNNING"),
        (link.multicast, "MULTICAST"),
    ];
    let set: Vec<&str> = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect();
    format!("<{}>", set.join(","))
}
