//! Interfaces, with what was thrown away on them.

use super::{count, msecs};
use crate::api::{DiscardRow, InterfaceRow, InterfaceTraffic, InterfacesReply, TrafficReply, TrafficRow};
use crate::discard::Discard;
use crate::instance::{Instance, TimerKey};
use crate::interface::{Interface, InterfaceState, NetworkKind};
use crate::statistics::InterfaceStatistics;
use routing_common::config::OspfAuthentication;
use routing_common::id::{InterfaceName, RouterId};
use routing_common::time::Instant;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The name vtysh has for a state.
fn state_name(state: InterfaceState) -> &'static str {
    match state {
        InterfaceState::Down => "Down",
        InterfaceState::Loopback => "Loopback",
        InterfaceState::Waiting => "Waiting",
        InterfaceState::PointToPoint => "Point-To-Point",
        InterfaceState::DrOther => "DROther",
        InterfaceState::Backup => "Backup",
        InterfaceState::Dr => "DR",
    }
}

fn authentication_name(authentication: &OspfAuthentication) -> &'static str {
    match authentication {
        OspfAuthentication::Null => "authenticationNone",
        OspfAuthentication::Simple(_) => "authenticationSimplePassword",
        OspfAuthentication::Md5(_) | OspfAuthentication::KeyChain(_) => "authenticationMessageDigest",
    }
}

impl Instance {
    pub(super) fn show_interfaces(
        &self,
        now: Instant,
        name: Option<&InterfaceName>,
    ) -> Result<InterfacesReply, String> {
        Ok(InterfacesReply { interfaces: self.by_name(name, |i| self.interface_row(now, i))? })
    }

    pub(super) fn show_traffic(&self, name: Option<&InterfaceName>) -> Result<TrafficReply, String> {
        let row = |i: &Interface| InterfaceTraffic {
            if_index: i.ifindex.0,
            packets: traffic(&i.statistics),
            packets_queued: 0,
        };
        Ok(TrafficReply(self.by_name(name, row)?))
    }

    /// What `row` makes of each interface that is meant.
    fn by_name<R>(
        &self,
        name: Option<&InterfaceName>,
        row: impl Fn(&Interface) -> R,
    ) -> Result<BTreeMap<InterfaceName, R>, String> {
        let meant = self.interfaces.values().filter(|i| name.is_none_or(|n| i.name == *n));
        let rows: BTreeMap<_, _> = meant.map(|i| (i.name.clone(), row(i))).collect();
        match name {
            Some(name) if rows.is_empty() => Err(format!("OSPF does not run on interface {name}")),
            _ => Ok(rows),
        }
    }

    /// The id of the router that has this address on this network, if it is known.
    fn router_at(&self, interface: &Interface, address: Option<Ipv4Addr>) -> Option<RouterId> {
        let address = address?;
        if interface.ip() == Some(address) {
            return Some(self.router_id);
        }
        interface.neighbor_at(address).map(|n| n.id.router_id)
    }

    fn interface_row(&self, now: Instant, interface: &Interface) -> InterfaceRow {
        let config = &interface.config;
        let is_broadcast = interface.kind == NetworkKind::Broadcast;
        let hello = self.timers.deadline(TimerKey::Hello(interface.ifindex));
        let dead = config.dead_interval.as_secs();
        let dr_id = self.router_at(interface, interface.designated_router);
        let bdr_id = self.router_at(interface, interface.backup_designated_router);
        InterfaceRow {
            if_up: interface.state > InterfaceState::Down,
            if_index: interface.ifindex.0,
            mtu_bytes: u32::from(interface.mtu),
            ospf_enabled: true,
            ip_address: interface.ip(),
            ip_address_prefixlen: interface.address.map(|a| a.prefix()),
            ospf_if_type: is_broadcast.then(|| "Broadcast".into()),
            local_if_used: interface.address.filter(|_| is_broadcast).map(|a| a.broadcast()),
            area: interface.area(),
            mtu_mismatch_detect: !config.mtu_ignore,
            router_id: self.router_id,
            network_type: match interface.kind {
                NetworkKind::Broadcast => "BROADCAST".into(),
                NetworkKind::PointToPoint => "POINTOPOINT".into(),
                NetworkKind::Loopback => "LOOPBACK".into(),
            },
            cost: u32::from(interface.cost),
            transmit_delay_secs: config.transmit_delay.as_secs(),
            state: state_name(interface.state).into(),
            priority: config.priority,
            dr_id,
            dr_address: interface.designated_router,
            bdr_id,
            bdr_address: interface.backup_designated_router,
            mcast_member_ospf_all_routers: interface.is_open,
            mcast_member_ospf_designated_routers: interface.is_d_router,
            timer_msecs: msecs(config.hello_interval),
            timer_dead_secs: dead,
            // The Wait Timer runs for RouterDeadInterval (RFC 2328 §9.1).
            timer_wait_secs: dead,
            timer_retransmit_secs: msecs(config.retransmit_interval).div_ceil(1000),
            timer_retransmit_msecs: msecs(config.retransmit_interval),
            timer_hello_in_msecs: hello.map(|at| msecs(now.until(at))),
            timer_passive_iface: config.passive,
            nbr_count: count(interface.neighbors.len()),
            nbr_adjacent_count: count(interface.full_neighbors()),
            lsa_retransmissions: interface.statistics.retransmitted_lsas,
            authentication: authentication_name(&config.authentication).into(),
            keychain: self.show_signing(now, &config.authentication),
            state_changes: interface.statistics.state_changes,
            traffic: traffic(&interface.statistics),
            discards: discards(now, &interface.statistics),
        }
    }
}

fn traffic(statistics: &InterfaceStatistics) -> TrafficRow {
    let (received, sent) = (&statistics.received, &statistics.sent);
    TrafficRow {
        hello_in: received.hello,
        hello_out: sent.hello,
        db_desc_in: received.database_description,
        db_desc_out: sent.database_description,
        ls_req_in: received.link_state_request,
        ls_req_out: sent.link_state_request,
        ls_upd_in: received.link_state_update,
        ls_upd_out: sent.link_state_update,
        ls_ack_in: received.link_state_ack,
        ls_ack_out: sent.link_state_ack,
    }
}

fn discards(now: Instant, statistics: &InterfaceStatistics) -> BTreeMap<String, DiscardRow> {
    let row = |(reason, counted): (&Discard, &crate::statistics::DiscardCount)| {
        let row = DiscardRow {
            count: counted.count,
            reason: reason.text().to_owned(),
            last_source: counted.last_source,
            last_msecs_ago: msecs(now.since(counted.last_at)),
        };
        (code(*reason), row)
    };
    statistics.discards.iter().map(row).collect()
}

/// The reason's stable name, such as "hello-mask".
fn code(reason: Discard) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(code)) => code,
        _ => reason.text().to_owned(),
    }
}
