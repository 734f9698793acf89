//! `show ip ospf events`: what happened lately, for the question after an outage.

use super::RestartRow;
use routing_common::id::RouterId;
use routing_common::render::{Table, short_time};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The last changes, oldest first. All lists are bounded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventsReply {
    /// Changes of neighbours' states.
    pub adjacency_changes: Vec<AdjacencyRow>,
    /// Calculations of the routing table.
    pub spf_runs: Vec<SpfRow>,
    /// Restarts of this router and its neighbours.
    #[serde(default)]
    pub restarts: Vec<RestartRow>,
}

/// One change of a neighbour's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdjacencyRow {
    /// How long ago.
    pub msecs_ago: u64,
    /// Own interface.
    pub interface: String,
    /// The neighbour.
    pub router_id: RouterId,
    /// From this state.
    pub old_state: String,
    /// To this one.
    pub new_state: String,
    /// The event of RFC 2328 §10.2.
    pub event: String,
}

/// One calculation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpfRow {
    /// How long ago.
    pub msecs_ago: u64,
    /// How much was calculated: "topology" (all), "intra-area prefixes", "summaries" or "externals".
    pub scope: String,
    /// How many routes changed.
    pub routes_changed: u64,
}

impl EventsReply {
    /// Three tables.
    pub(super) fn text(&self) -> String {
        let ago = |ms| short_time(Duration::from_millis(ms));
        let mut changes = Table::new(["Ago", "Neighbor ID", "Interface", "From", "To", "Event"]);
        for row in &self.adjacency_changes {
            changes.row([
                ago(row.msecs_ago),
                row.router_id.to_string(),
                row.interface.clone(),
                row.old_state.clone(),
                row.new_state.clone(),
                row.event.clone(),
            ]);
        }
        let mut runs = Table::new(["Ago", "Calculated", "Routes changed"]).right(2);
        for row in &self.spf_runs {
            runs.row([ago(row.msecs_ago), row.scope.clone(), row.routes_changed.to_string()]);
        }
        let mut restarts = Table::new(["Ago", "Event"]);
        for row in &self.restarts {
            restarts.row([ago(row.msecs_ago), row.event.clone()]);
        }
        format!(
            "Adjacency changes\n{}\nRouting table calculations\n{}\nGraceful restarts\n{}",
            changes.text(),
            runs.text(),
            restarts.text()
        )
    }
}
