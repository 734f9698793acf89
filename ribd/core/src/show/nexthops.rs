//! Gateways, static routes and next-hop objects.

use crate::Rib;
use crate::api;
use crate::fib::NextHopId;
use crate::fib::objects::Content;
use crate::message::Protocol;
use crate::resolve::{HopOutcome, View};
use crate::route::{Candidate, Origin, Way};
use crate::select;
use crate::table::Entry;
use ipnetwork::Ipv4Network;
use routing_common::config::StaticTarget;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

impl Rib {
    fn view(&self) -> View<'_> {
        View { table: &self.table, links: &self.links }
    }

    /// Every static candidate.
    fn static_candidates(&self) -> impl Iterator<Item = (Ipv4Network, &Entry, &Candidate)> {
        let of = |(p, entry)| {
            let entry: &Entry = entry;
            entry.candidates.iter().map(move |c| (p, entry, c))
        };
        self.table.iter().flat_map(of).filter(|(_, _, c)| matches!(c.origin, Origin::Static(_)))
    }

    pub(super) fn show_tracking(&self) -> api::NextHopTracking {
        let mut gateways: BTreeMap<Ipv4Addr, usize> = BTreeMap::new();
        for (_, _, candidate) in self.static_candidates() {
            let Way::Static(targets) = &candidate.way else { continue };
            for target in targets {
                if let StaticTarget::Gateway { address, interface: None } = target {
                    *gateways.entry(*address).or_default() += 1;
                }
            }
        }
        let tracked = |(gateway, routes)| (gateway, self.tracked(gateway, routes));
        [("ipv4".to_owned(), gateways.into_iter().map(tracked).collect())].into()
    }

    fn tracked(&self, gateway: Ipv4Addr, routes: usize) -> api::Tracked {
        let reach = self.view().reach(gateway);
        let client_list = vec![api::TrackingClient { protocol: Protocol::Static, routes }];
        let resolution = match reach.hops {
            Ok(hops) => api::Resolution {
                resolved_protocol: reach.through.map(|(_, origin)| origin.protocol()),
                prefix: reach.through.map(|(prefix, _)| prefix),
                nexthops: hops.iter().map(|hop| self.show_hop(hop, false)).collect(),
                client_list,
                ..api::Resolution::default()
            },
            Err(reason) => api::Resolution {
                unresolved: true,
                inactive_reason: Some(reason.to_string()),
                client_list,
                ..api::Resolution::default()
            },
        };
        api::Tracked { resolutions: vec![resolution] }
    }

    pub(super) fn show_statics(&self) -> Result<api::Statics, String> {
        let mut rows = api::Statics::new();
        for (prefix, entry, candidate) in self.static_candidates() {
            rows.extend(self.static_rows(prefix, entry, candidate));
            if rows.len() > api::MAX_ROUTES {
                return Err(format!("more than {} static routes: ask for them by prefix", api::MAX_ROUTES));
            }
        }
        Ok(rows)
    }

    fn static_rows(&self, prefix: Ipv4Network, entry: &Entry, candidate: &Candidate) -> Vec<api::StaticRow> {
        let winner = entry.selected.as_ref();
        let selected = winner.is_some_and(|w| w.origin == candidate.origin);
        let in_kernel = selected && self.fib.is_installed(prefix);
        let kept_out = self.kept_out(prefix, entry, candidate);
        let row = |active: bool, reason: Option<String>| api::StaticRow {
            prefix,
            distance: candidate.distance,
            tag: (candidate.tag != 0).then_some(candidate.tag),
            gateway: None,
            interface: None,
            blackhole: false,
            active,
            installed: active && in_kernel,
            reason: reason.or_else(|| kept_out.clone()),
        };
        let of_hop = |outcome: HopOutcome| api::StaticRow {
            gateway: outcome.gateway,
            interface: outcome.interface,
            ..row(outcome.hops.is_ok(), outcome.hops.err().map(|e| e.to_string()))
        };
        let mut rows: Vec<api::StaticRow> =
            self.view().explain(prefix, candidate).into_iter().map(of_hop).collect();
        let has_blackhole = match &candidate.way {
            Way::Blackhole => true,
            Way::Static(targets) => targets.contains(&StaticTarget::Blackhole),
            Way::Hops(_) => false,
        };
        if has_blackhole {
            let standby = rows.iter().any(|r| r.active);
            let reason = standby.then(|| "only used when no other next hop is active".to_owned());
            rows.push(api::StaticRow { blackhole: true, ..row(!standby, reason) });
        }
        rows
    }

    /// Why a candidate with active next hops is not in the kernel.
    fn kept_out(&self, prefix: Ipv4Network, entry: &Entry, candidate: &Candidate) -> Option<String> {
        if candidate.distance == select::DISTANCE_UNUSABLE {
            return Some("distance 255 is never used".to_owned());
        }
        let winner = entry.selected.as_ref()?;
        if winner.origin == candidate.origin {
            let refused = self.fib.get(prefix).and_then(|e| e.error().map(str::to_owned));
            return refused.map(|error| format!("refused by the kernel: {error}"));
        }
        Some(super::choice::loss(super::best(entry)?, candidate))
    }

    pub(super) fn show_groups(&self, id: Option<NextHopId>) -> Result<api::NextHopGroups, String> {
        let objects = self.fib.objects();
        let mut dependents: BTreeMap<NextHopId, Vec<NextHopId>> = BTreeMap::new();
        for (group, content) in objects.iter() {
            if let Content::Group(members) = content {
                members.iter().for_each(|m| dependents.entry(*m).or_default().push(group));
            }
        }
        let under_way = self.fib.objects_under_way();
        let row = |(number, content): (NextHopId, &Content)| {
            let queued = under_way.contains(&number);
            let group = api::NextHopGroup {
                kind: "zebra".to_owned(),
                ref_count: objects.uses(number),
                vrf: "default".to_owned(),
                valid: true,
                installed: !queued,
                queued,
                depends: match content {
                    Content::Hop(_) => Vec::new(),
                    Content::Group(members) => members.clone(),
                },
                dependents: dependents.get(&number).cloned().unwrap_or_default(),
                nexthops: objects.hops(number).iter().map(|hop| self.show_hop(hop, !queued)).collect(),
            };
            (number, group)
        };
        let rows: BTreeMap<_, _> =
            objects.iter().filter(|(n, _)| id.is_none_or(|id| id == *n)).map(row).collect();
        match id {
            Some(id) if rows.is_empty() => Err(format!("there is no next-hop object {id}")),
            _ => Ok([("default".to_owned(), rows)].into()),
        }
    }
}
