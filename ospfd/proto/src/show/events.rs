//! What happened lately.

use super::neighbors::state_name;
use super::{count, msecs};
use crate::api::{AdjacencyRow, EventsReply, SpfRow};
use crate::instance::Instance;
use crate::neighbor::NeighborEvent;
use crate::spf::Change;
use routing_common::time::Instant;

/// RFC 2328 §10.2's name.
fn event_name(event: NeighborEvent) -> &'static str {
    match event {
        NeighborEvent::HelloReceived => "HelloReceived",
        NeighborEvent::TwoWayReceived => "2-WayReceived",
        NeighborEvent::NegotiationDone => "NegotiationDone",
        NeighborEvent::ExchangeDone => "ExchangeDone",
        NeighborEvent::BadLsReq => "BadLSReq",
        NeighborEvent::LoadingDone => "LoadingDone",
        NeighborEvent::AdjOk => "AdjOK?",
        NeighborEvent::SeqNumberMismatch => "SeqNumberMismatch",
        NeighborEvent::OneWayReceived => "1-Way",
        NeighborEvent::KillNbr => "KillNbr",
        NeighborEvent::InactivityTimer => "InactivityTimer",
        NeighborEvent::LlDown => "LLDown",
    }
}

fn scope_name(change: Change) -> &'static str {
    match change {
        Change::External => "externals",
        Change::Summary => "summaries",
        Change::IntraPrefix => "intra-area prefixes",
        Change::Topology => "topology",
    }
}

impl Instance {
    pub(super) fn show_events(&self, now: Instant) -> EventsReply {
        let change = |c: &crate::instance::AdjacencyChange| AdjacencyRow {
            msecs_ago: msecs(now.since(c.at)),
            interface: c.interface.clone(),
            router_id: c.router_id,
            old_state: state_name(c.old).into(),
            new_state: state_name(c.new).into(),
            event: event_name(c.event).into(),
        };
        let run = |r: &crate::instance::SpfRun| SpfRow {
            msecs_ago: msecs(now.since(r.at)),
            scope: scope_name(r.change).into(),
            routes_changed: count(r.routes_changed),
        };
        EventsReply {
            adjacency_changes: self.adjacency_log.iter().map(change).collect(),
            spf_runs: self.spf_log.iter().map(run).collect(),
            restarts: self.show_restart_log(now),
        }
    }
}
