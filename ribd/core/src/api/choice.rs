//! `show ip route … why`: every candidate of a prefix and what became of it, in words.

use super::{Route, render};
use core::fmt::Write as _;
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};

/// The choice among a prefix's candidates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// What was asked for.
    pub asked: Ipv4Network,
    /// The prefix looked at: for an address its longest match. None without a route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Ipv4Network>,
    /// Candidates, best first.
    pub candidates: Vec<Contender>,
    /// Longest selected route around `asked`, where it has none selected itself: what its packets follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered_by: Option<Ipv4Network>,
}

/// One candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contender {
    /// What became of it.
    pub verdict: String,
    /// As `show ip route` has it.
    #[serde(flatten)]
    pub route: Route,
}

/// A paragraph per candidate.
pub(super) fn text(choice: &Choice) -> String {
    let mut text = match choice.prefix {
        Some(prefix) => format!("Candidates for {prefix}, best first\n"),
        None => format!("No candidate for {}\n", choice.asked),
    };
    for (contender, number) in choice.candidates.iter().zip(1..) {
        let route = &contender.route;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            " {number}. {} [{}/{}], {}: {}",
            route.protocol.name(),
            route.distance,
            route.metric,
            route.uptime,
            contender.verdict
        );
        for hop in &route.nexthops {
            let _ = writeln!(text, "      {}", render::next_hop(hop));
        }
    }
    match choice.covered_by {
        Some(around) => {
            let _ = writeln!(text, "Packets follow {around}");
        }
        None if choice.candidates.iter().all(|c| !c.route.selected) => {
            text.push_str("Packets are unreachable\n");
        }
        None => {}
    }
    text
}
