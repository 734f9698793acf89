//! `show ip ospf events` and `show ip ospf spf log`: what happened lately, for the question after an outage.

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
    /// Routes that went over to other next hops as soon as theirs were lost.
    #[serde(default)]
    pub reroutes: Vec<RerouteRow>,
}

/// One use of loop-free alternates (RFC 5286).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RerouteRow {
    /// Which one since the start, from 1.
    pub number: u64,
    /// How long ago.
    pub msecs_ago: u64,
    /// The neighbours that were lost, with their interfaces.
    pub lost: Vec<String>,
    /// Routes that went over to their alternate.
    pub to_alternate: u64,
    /// Routes that kept some of their next hops.
    pub to_remaining: u64,
    /// Routes that had neither.
    pub unprotected: u64,
}

/// One change of a neighbour's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdjacencyRow {
    /// Which one since the start, from 1.
    #[serde(default)]
    pub number: u64,
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
    /// Which one since the start, from 1.
    #[serde(default)]
    pub number: u64,
    /// How long ago.
    pub msecs_ago: u64,
    /// How much was calculated: "topology" (all), "intra-area prefixes", "summaries" or "externals".
    pub scope: String,
    /// How many routes changed.
    pub routes_changed: u64,
    /// "full" if the shortest path tree was calculated anew, else "partial".
    #[serde(default)]
    pub kind: String,
    /// What asked for it first.
    #[serde(default)]
    pub cause: String,
    /// How often it was asked for before it ran.
    #[serde(default)]
    pub causes: u32,
    /// How long the back-off of RFC 8405 put it off.
    #[serde(default)]
    pub waited_msecs: u64,
}

/// The last calculations, oldest first. How long one takes is not among it: an engine has no clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpfLogReply {
    /// Calculations of the routing table.
    pub spf_runs: Vec<SpfRow>,
}

impl SpfLogReply {
    /// One table.
    pub(super) fn text(&self) -> String {
        let headings =
            ["No", "Ago", "Kind", "Calculated", "Waited", "Causes", "First cause", "Routes changed"];
        let mut table = Table::new(headings).right(0).right(4).right(5).right(7);
        for row in &self.spf_runs {
            table.row([
                row.number.to_string(),
                short_time(Duration::from_millis(row.msecs_ago)),
                row.kind.clone(),
                row.scope.clone(),
                format!("{} ms", row.waited_msecs),
                row.causes.to_string(),
                row.cause.clone(),
                row.routes_changed.to_string(),
            ]);
        }
        table.text()
    }
}

impl EventsReply {
    /// Four tables.
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
        let headings = ["Ago", "Lost", "To alternates", "To remaining next hops", "Unprotected"];
        let mut reroutes = Table::new(headings).right(2).right(3).right(4);
        for row in &self.reroutes {
            reroutes.row([
                ago(row.msecs_ago),
                row.lost.join(", "),
                row.to_alternate.to_string(),
                row.to_remaining.to_string(),
                row.unprotected.to_string(),
            ]);
        }
        format!(
            "Adjacency changes\n{}\nRouting table calculations\n{}\nGraceful restarts\n{}\nFast reroutes\n{}",
            changes.text(),
            runs.text(),
            restarts.text(),
            reroutes.text()
        )
    }
}
