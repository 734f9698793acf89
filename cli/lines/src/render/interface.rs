//! `interface NAME`: addresses, OSPF on it, virtual routers.

use super::{Page, millis, seconds, switch};
use crate::names::free_name;
use crate::text::quoted;
use routing_common::config::{
    Config, Defaults, NetworkType, OspfAuthentication, OspfInterfaceConfig, VrrpChecksum, VrrpGroup,
    VrrpVersion,
};
use routing_common::id::InterfaceName;
use routing_common::prefix::Ipv4Network;
use std::time::Duration;

impl Page {
    pub(super) fn interface(&mut self, config: &Config, name: &InterfaceName) {
        let addresses = config.interfaces.get(name).map_or(&[][..], |i| &i.addresses);
        self.block(format_args!("interface {name}"), false, |page| {
            if let Some(table) = config.interfaces.get(name) {
                if let Some(text) = &table.description {
                    page.line(1, format_args!("description {}", quoted(text)));
                }
                for address in &table.addresses {
                    page.line(1, format_args!("ip address {address}"));
                }
                let bare = table.description.is_none() && table.addresses.is_empty();
                page.line_if(bare, 1, "no ip address");
            }
            if let Some(on) = config.ospf.as_ref().and_then(|o| o.interfaces.get(name)) {
                page.ospf_interface(config.defaults, on);
            }
            for (group_name, group) in config.vrrp_groups.iter().filter(|(_, g)| &g.interface == name) {
                page.group(group_name, group, addresses, config.ospf.is_some());
            }
        });
    }

    fn ospf_interface(&mut self, defaults: Defaults, on: &OspfInterfaceConfig) {
        let usual = self.usual.ospf_interface.clone();
        self.line(1, format_args!("ip ospf area {}", on.area));
        let point_to_point = on.network_type == NetworkType::PointToPoint;
        self.line_if(point_to_point, 1, "ip ospf network point-to-point");
        if let Some(cost) = on.cost {
            self.line(1, format_args!("ip ospf cost {cost}"));
        }
        let mut span = |value: Duration, usual: Duration, word: &str| {
            self.line_if(value != usual, 1, format!("ip ospf {word} {}", seconds(value)));
        };
        let fast = on.hello_multiplier();
        if fast.is_none() {
            span(on.hello_interval, usual.hello_interval, "hello-interval");
            let dead = (on.hello_interval * 4).min(Duration::from_secs(65_535));
            span(on.dead_interval, dead, "dead-interval");
        }
        span(on.retransmit_interval, usual.retransmit_interval, "retransmit-interval");
        span(on.transmit_delay, usual.transmit_delay, "transmit-delay");
        if let Some(hellos) = fast {
            self.line(1, format_args!("ip ospf dead-interval minimal hello-multiplier {hellos}"));
        }
        self.line_if(on.priority != usual.priority, 1, format!("ip ospf priority {}", on.priority));
        self.line_if(on.passive, 1, "ip ospf passive");
        self.line_if(on.mtu_ignore, 1, "ip ospf mtu-ignore");
        self.authentication(&on.authentication);
        let by_default = defaults == Defaults::Ring && !on.passive;
        match on.bfd.as_ref().map(|p| p.name.as_str()) {
            Some("default") => self.line_if(!by_default, 1, "ip ospf bfd"),
            Some(profile) => self.line(1, format_args!("ip ospf bfd profile {profile}")),
            None => self.line_if(by_default, 1, "no ip ospf bfd"),
        }
    }

    fn authentication(&mut self, authentication: &OspfAuthentication) {
        match authentication {
            OspfAuthentication::Null => {}
            OspfAuthentication::Simple(secret) => {
                let word = self.secret(secret);
                self.line(1, "ip ospf authentication");
                self.line(1, format_args!("ip ospf authentication-key {word}"));
            }
            OspfAuthentication::Md5(keys) => {
                self.line(1, "ip ospf authentication message-digest");
                for key in keys {
                    let word = self.secret(&key.secret);
                    self.line(1, format_args!("ip ospf message-digest-key {} md5 {word}", key.id));
                }
            }
            OspfAuthentication::KeyChain(chain) => {
                self.line(1, format_args!("ip ospf authentication key-chain {}", chain.name));
            }
        }
    }

    fn group(&mut self, name: &str, group: &VrrpGroup, subnets: &[Ipv4Network], ospf: bool) {
        let Some(usual) = self.usual.groups.iter().find(|u| u.version == group.version).cloned() else {
            return;
        };
        let head = format!("vrrp {}", group.vrid);
        let by_default = free_name(&format!("{}-{}", group.interface, group.vrid), &[]);
        self.line_if(name != by_default, 1, format!("{head} name {name}"));
        let version = if group.version == VrrpVersion::V2 { 2 } else { 3 };
        self.line(1, format_args!("{head} version {version}"));
        self.line_if(group.priority != usual.priority, 1, format!("{head} priority {}", group.priority));
        let mut span = |value: Duration, usual: Duration, word: &str| {
            self.line_if(value != usual, 1, format!("{head} {word} {}", millis(value)));
        };
        span(group.advertisement_interval, usual.advertisement_interval, "advertisement-interval");
        span(group.preempt_delay, usual.preempt_delay, "preempt-delay");
        if ospf {
            span(group.preempt_routes_wait, usual.preempt_routes_wait, "preempt-routes-wait");
        }
        for (value, usual, word) in [
            (group.preempt, usual.preempt, "preempt"),
            (group.accelerate, usual.accelerate, "accelerate"),
            (group.virtual_mac, usual.virtual_mac, "virtual-mac"),
            (group.checksum == VrrpChecksum::Rfc5798, true, "checksum-with-ipv4-pseudoheader"),
        ] {
            self.line_if(value != usual, 1, switch(value, &format!("{head} {word}")));
        }
        for address in &group.virtual_addresses {
            // The loader completes a bare address from the first subnet around it.
            let subnet = subnets.iter().find(|s| s.contains(address.ip()));
            match subnet.filter(|s| s.prefix() == address.prefix()) {
                Some(_) => self.line(1, format_args!("{head} ip {}", address.ip())),
                None => self.line(1, format_args!("{head} ip {address}")),
            }
        }
    }
}
