//! Neighbours.

use super::{count, msecs};
use crate::api::{
    NeighborDetail, NeighborDetailReply, NeighborRow, NeighborsReply, PeerBfdInfo, options_list,
};
use crate::bfd::Watched;
use crate::instance::{Instance, TimerKey};
use crate::interface::{Interface, NetworkKind};
use crate::neighbor::{Neighbor, NeighborState};
use routing_common::id::RouterId;
use routing_common::render::short_time;
use routing_common::time::Instant;

/// The name vtysh has for a state.
pub(super) fn state_name(state: NeighborState) -> &'static str {
    match state {
        NeighborState::Down => "Down",
        NeighborState::Init => "Init",
        NeighborState::TwoWay => "2-Way",
        NeighborState::ExStart => "ExStart",
        NeighborState::Exchange => "Exchange",
        NeighborState::Loading => "Loading",
        NeighborState::Full => "Full",
    }
}

/// What the neighbour is on the network, as we have elected.
fn role(interface: &Interface, neighbor: &Neighbor) -> &'static str {
    if interface.designated_router == Some(neighbor.address) {
        "DR"
    } else if interface.backup_designated_router == Some(neighbor.address) {
        "Backup"
    } else {
        "DROther"
    }
}

/// "Full/DR"; "Full/-" where there is no Designated Router.
fn state_and_role(interface: &Interface, neighbor: &Neighbor) -> String {
    let role = match interface.kind {
        NetworkKind::Broadcast => role(interface, neighbor),
        NetworkKind::PointToPoint | NetworkKind::Loopback => "-",
    };
    format!("{}/{role}", state_name(neighbor.state))
}

impl Instance {
    /// The neighbours a filter means: an interface's, or those with a router id.
    fn neighbors_meant(&self, filter: Option<&str>) -> Result<Vec<(&Interface, &Neighbor)>, String> {
        let all = self.interfaces.values().flat_map(|i| i.neighbors.values().map(move |n| (i, n)));
        let Some(filter) = filter else { return Ok(all.collect()) };
        if self.interfaces.values().any(|i| i.name.as_str() == filter) {
            return Ok(all.filter(|(i, _)| i.name.as_str() == filter).collect());
        }
        match filter.parse::<RouterId>() {
            Ok(id) => Ok(all.filter(|(_, n)| n.id.router_id == id).collect()),
            Err(_) => Err(format!("{filter:?} is neither an interface with OSPF nor a router id")),
        }
    }

    /// Milliseconds until a neighbour is declared dead; 0 if its timer does not run.
    fn dead_in(&self, now: Instant, neighbor: &Neighbor) -> u64 {
        let key = TimerKey::Inactivity(neighbor.id.ifindex, neighbor.id.router_id);
        self.timers.deadline(key).map_or(0, |at| msecs(now.until(at)))
    }

    pub(super) fn show_neighbors(
        &self,
        now: Instant,
        filter: Option<&str>,
    ) -> Result<NeighborsReply, String> {
        let mut reply = NeighborsReply::default();
        for (interface, neighbor) in self.neighbors_meant(filter)? {
            let row = self.neighbor_row(now, interface, neighbor);
            reply.neighbors.entry(neighbor.id.router_id).or_default().push(row);
        }
        Ok(reply)
    }

    fn neighbor_row(&self, now: Instant, interface: &Interface, neighbor: &Neighbor) -> NeighborRow {
        let state = state_and_role(interface, neighbor);
        let dead = self.dead_in(now, neighbor);
        let up = now.since(neighbor.state_since);
        let retransmissions = count(neighbor.link_state_retransmission_list.len());
        let requests = count(neighbor.link_state_request_list.len());
        let descriptions = count(neighbor.database_summary_list.len());
        let own = interface.ip().map(|a| format!(":{a}")).unwrap_or_default();
        NeighborRow {
            priority: neighbor.priority,
            state: state.clone(),
            nbr_priority: neighbor.priority,
            nbr_state: state,
            converged: state_name(neighbor.state).into(),
            role: role(interface, neighbor).into(),
            up_time_in_msec: msecs(up),
            dead_time_msecs: dead,
            router_dead_interval_timer_due_msec: dead,
            up_time: short_time(up),
            dead_time: short_time(std::time::Duration::from_millis(dead)),
            address: neighbor.address,
            iface_address: neighbor.address,
            iface_name: format!("{}{own}", interface.name),
            retransmit_counter: retransmissions,
            link_state_retransmission_list_counter: retransmissions,
            request_counter: requests,
            link_state_request_list_counter: requests,
            db_summary_counter: descriptions,
            database_summary_list_counter: descriptions,
            is_helped: neighbor.helping.is_some(),
        }
    }

    pub(super) fn show_neighbor_details(
        &self,
        now: Instant,
        filter: Option<&str>,
    ) -> Result<NeighborDetailReply, String> {
        let mut reply = NeighborDetailReply::default();
        for (interface, neighbor) in self.neighbors_meant(filter)? {
            let detail = self.neighbor_detail(now, interface, neighbor);
            reply.neighbors.entry(neighbor.id.router_id).or_default().push(detail);
        }
        Ok(reply)
    }

    fn neighbor_detail(&self, now: Instant, interface: &Interface, neighbor: &Neighbor) -> NeighborDetail {
        let (ifindex, id) = (neighbor.id.ifindex, neighbor.id.router_id);
        let timer = |key| if self.timers.is_armed(key) { "on".to_owned() } else { "off".to_owned() };
        NeighborDetail {
            iface_address: neighbor.address,
            area_id: interface.area(),
            iface_name: interface.name.to_string(),
            local_iface_address: interface.ip(),
            nbr_priority: neighbor.priority,
            nbr_state: state_and_role(interface, neighbor),
            role: role(interface, neighbor).into(),
            state_change_counter: u64::from(neighbor.state_changes),
            lsa_retransmissions: neighbor.retransmitted_lsas,
            last_prgrsv_change_msec: msecs(now.since(neighbor.state_since)),
            router_designated_id: neighbor.designated_router,
            router_designated_backup_id: neighbor.backup_designated_router,
            options_counter: neighbor.options,
            options_list: options_list(neighbor.options),
            router_dead_interval_timer_due_msec: self.dead_in(now, neighbor),
            database_summary_list_counter: count(neighbor.database_summary_list.len()),
            link_state_request_list_counter: count(neighbor.link_state_request_list.len()),
            link_state_retransmission_list_counter: count(neighbor.link_state_retransmission_list.len()),
            thread_inactivity_timer: timer(TimerKey::Inactivity(ifindex, id)),
            thread_database_description_retransmission: timer(TimerKey::DatabaseDescription(ifindex, id)),
            thread_link_state_request_retransmission: timer(TimerKey::LinkStateRequest(ifindex, id)),
            thread_link_state_update_retransmission: timer(TimerKey::Retransmission(ifindex, id)),
            helped_for_another_msec: neighbor.helping.as_ref().map(|h| msecs(now.until(h.until))),
            exchange_role: if neighbor.is_master { "master".into() } else { "slave".into() },
            peer_bfd_info: self.bfd_session(ifindex, neighbor.address).map(bfd_info),
        }
    }
}

fn bfd_info(session: &Watched) -> PeerBfdInfo {
    PeerBfdInfo {
        kind: "single hop".to_owned(),
        detect_multiplier: session.parameters.detect_multiplier,
        rx_min_interval: msecs(session.parameters.receive_interval),
        tx_min_interval: msecs(session.parameters.transmit_interval),
        status: session.state.map_or_else(|| "Unknown".to_owned(), |state| format!("{state:?}")),
    }
}
