//! Why a prefix has the route it has.

use super::{all_in_order, best};
use crate::Rib;
use crate::api;
use crate::route::Candidate;
use crate::select;
use ipnetwork::Ipv4Network;
use routing_common::time::Instant;

/// By what a usable candidate loses against the selected one.
pub(super) fn loss(best: &Candidate, loser: &Candidate) -> String {
    let winner = best.origin.protocol().name();
    match select::reason(best, loser) {
        Some("administrative distance") => {
            format!(
                "loses to {winner} by administrative distance, {} against {}",
                loser.distance, best.distance
            )
        }
        Some("metric") => format!("loses to {winner} by metric, {} against {}", loser.metric, best.metric),
        Some(preference) => format!("loses to {winner} by {preference}"),
        // It comes before the selected one and was passed over when it was looked at.
        None => "waits to be evaluated again".to_owned(),
    }
}

impl Rib {
    pub(super) fn show_choice(&self, now: Instant, asked: Ipv4Network) -> api::Choice {
        let Some((prefix, entry)) = self.meant(asked) else {
            return api::Choice {
                asked,
                prefix: None,
                candidates: Vec::new(),
                covered_by: self.selected_around(asked),
            };
        };
        let (winner, best) = (entry.selected.as_ref(), best(entry));
        let shown: Vec<(&Candidate, api::Route)> =
            all_in_order(entry).map(|c| (c, self.show_candidate(now, prefix, c, best, winner))).collect();
        let usable = shown.iter().filter(|(_, route)| is_usable(route)).count();
        let candidates = shown
            .into_iter()
            .map(|(c, route)| api::Contender { verdict: verdict(best, c, &route, usable), route })
            .collect();
        let covered_by = if entry.selected.is_some() { None } else { self.selected_around(prefix) };
        api::Choice { asked, prefix: Some(prefix), candidates, covered_by }
    }

    /// The longest selected route around a prefix, itself excluded.
    fn selected_around(&self, prefix: Ipv4Network) -> Option<Ipv4Network> {
        let around = self.table.covering(prefix.network());
        let mut wider =
            around.iter().filter(|(p, entry)| p.prefix() < prefix.prefix() && entry.selected.is_some());
        wider.next().map(|(p, _)| *p)
    }
}

fn is_usable(route: &api::Route) -> bool {
    route.distance != select::DISTANCE_UNUSABLE && route.nexthops.iter().any(|hop| hop.active)
}

fn verdict(best: Option<&Candidate>, candidate: &Candidate, route: &api::Route, usable: usize) -> String {
    if route.distance == select::DISTANCE_UNUSABLE {
        return "distance 255 is never used".to_owned();
    }
    if !is_usable(route) {
        return "no next hop can be used".to_owned();
    }
    if route.selected {
        let kernel = match (&route.error, route.installed) {
            (Some(error), _) => format!("refused by the kernel: {error}"),
            (None, true) => "in the kernel".to_owned(),
            (None, false) => "on its way to the kernel".to_owned(),
        };
        let why = if usable == 1 { "the only usable one" } else { "the best usable one" };
        return format!("selected, {why}; {kernel}");
    }
    best.map_or_else(|| "waits to be evaluated".to_owned(), |best| loss(best, candidate))
}
