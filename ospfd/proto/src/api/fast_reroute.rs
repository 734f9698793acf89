//! `show ip ospf fast-reroute`, which FRR does not have: which routes have a loop-free alternate (RFC 5286), and what became of them.

use super::{NextHopRow, Ordered};
use core::fmt::Write as _;
use routing_common::id::RouterId;
use routing_common::render::Table;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// How well the routes are protected.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FastRerouteReply {
    /// "disabled", "ready" (alternates are known), "waiting" (for quiet after a calculation), or "alone" (there are no two
    /// neighbours of which one could stand in for the other).
    pub state: String,
    /// Routes through other routers.
    pub routes_total: u64,
    /// Of these, those with next hops over several interfaces, which protect each other.
    pub routes_equal_cost: u64,
    /// Those whose alternate avoids the next router and the link to it.
    pub routes_link_and_node: u64,
    /// Those whose alternate avoids the next router, but uses the network it is on.
    pub routes_node: u64,
    /// Those whose alternate avoids the link only.
    pub routes_link: u64,
    /// Those with nothing.
    pub routes_unprotected: u64,
    /// How often routes went over to other next hops since the start.
    pub switches: u64,
    /// How many routes went over to their alternate.
    pub routes_switched: u64,
    /// The routes, by prefix.
    pub routes: Ordered<ProtectedRow>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProtectedRow {
    /// "equal cost", "link and node", "node", "link" or "none".
    pub protection: String,
    /// Its next hops now.
    pub nexthops: Vec<NextHopRow>,
    /// Where its packets go when they are lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternate: Option<AlternateRow>,
}

/// An alternate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlternateRow {
    /// The next router's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Ipv4Addr>,
    /// The interface to it.
    pub via: String,
    /// Who it is.
    pub router_id: RouterId,
    /// It is nearer to the destination than this router: no loop, whatever failed.
    pub downstream: bool,
}

impl FastRerouteReply {
    /// The figures, then a table.
    pub(super) fn text(&self) -> String {
        let state = match self.state.as_str() {
            "disabled" => "disabled; `fast-reroute lfa` below `router ospf` enables it",
            "waiting" => "waiting for quiet, no alternates yet",
            "alone" => "no second neighbor to choose",
            other => other,
        };
        let mut out = format!("Fast reroute (RFC 5286): {state}\n");
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "Routes: {}, by alternates against loss of link and node {}, node {}, link {}, by equal cost {}, unprotected {}",
            self.routes_total,
            self.routes_link_and_node,
            self.routes_node,
            self.routes_link,
            self.routes_equal_cost,
            self.routes_unprotected,
        );
        let _ = writeln!(out, "Switches: {}, routes switched: {}\n", self.switches, self.routes_switched);
        let mut table = Table::new(["Destination", "Next hop", "Protection", "Alternate", "Router ID"]);
        for (prefix, row) in self.routes.iter() {
            let mut hops = row.nexthops.iter().map(|hop| {
                let via = hop.via.as_deref().unwrap_or_default();
                format!("{}, {via}", hop.ip)
            });
            let by = row.alternate.as_ref();
            let whence = by.map(|a| match a.ip {
                Some(ip) => format!("{ip}, {}", a.via),
                None => a.via.clone(),
            });
            table.row([
                prefix.to_string(),
                hops.next().unwrap_or_default(),
                row.protection.clone(),
                whence.unwrap_or_default(),
                by.map(|a| a.router_id.to_string()).unwrap_or_default(),
            ]);
            for hop in hops {
                table.row([String::new(), hop, String::new(), String::new(), String::new()]);
            }
        }
        out + &table.text()
    }
}
