//! What happened lately.

use super::neighbors::state_name;
use super::{count, msecs};
use crate::api::{AdjacencyRow, EventsReply, SpfLogReply, SpfRow};
use crate::instance::{AdjacencyChange, Instance, SpfRun, Trigger};
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
        let change = |(number, c): (u64, &AdjacencyChange)| AdjacencyRow {
            number,
            msecs_ago: msecs(now.since(c.at)),
            interface: c.interface.clone(),
            router_id: c.router_id,
            old_state: state_name(c.old).into(),
            new_state: state_name(c.new).into(),
            event: event_name(c.event).into(),
        };
        EventsReply {
            adjacency_changes: self.adjacency_log.numbered().map(change).collect(),
            spf_runs: self.spf_rows(now),
            restarts: self.show_restart_log(now),
            reroutes: self.show_reroutes(now),
        }
    }

    pub(super) fn show_spf_log(&self, now: Instant) -> SpfLogReply {
        SpfLogReply { spf_runs: self.spf_rows(now) }
    }

    fn spf_rows(&self, now: Instant) -> Vec<SpfRow> {
        let row = |(number, run): (u64, &SpfRun)| SpfRow {
            number,
            msecs_ago: msecs(now.since(run.at)),
            scope: scope_name(run.change).into(),
            routes_changed: count(run.routes_changed),
            kind: if run.change == Change::Topology { "full" } else { "partial" }.into(),
            cause: self.cause(run.trigger),
            causes: run.triggers,
            waited_msecs: msecs(run.waited),
        };
        self.spf_log.numbered().map(row).collect()
    }

    fn cause(&self, trigger: Trigger) -> String {
        match trigger {
            Trigger::Lsa(key) => {
                format!("{} {} of {}", key.ls_type, key.link_state_id, key.advertising_router)
            }
            Trigger::Interface(ifindex) => format!("interface {}", self.interface_name(ifindex)),
            Trigger::Neighbor(id) => {
                format!("neighbor {} on {}", id.router_id, self.interface_name(id.ifindex))
            }
            Trigger::Configuration => "configuration".into(),
            Trigger::Restart => "end of a graceful restart".into(),
        }
    }
}
