//! Answers to the questions of [`crate::api`].

mod choice;
mod interfaces;
mod nexthops;

use crate::Rib;
use crate::api;
use crate::fib::Via;
use crate::message::Protocol;
use crate::resolve::View;
use crate::route::{Candidate, FibHop, Selected, Way};
use crate::select;
use crate::session::Session;
use crate::system::{SystemOp, SystemState};
use crate::table::Entry;
use ipnetwork::Ipv4Network;
use routing_common::config::StaticTarget;
use routing_common::render::clock_time;
use routing_common::time::Instant;
use serde_json::Value;
use std::collections::BTreeMap;

const TABLE_MAIN: u32 = 254;

impl Rib {
    /// Answers a question.
    ///
    /// # Errors
    /// In words for the operator, when the answer would be too long.
    pub fn query(&self, now: Instant, request: &api::Request) -> Result<Value, String> {
        let value = match request {
            api::Request::Routes { protocol, prefix, longer } => {
                serde_json::to_value(self.show_routes(now, *protocol, *prefix, *longer, |_| true)?)
            }
            api::Request::Fib { prefix } => {
                serde_json::to_value(self.show_routes(now, None, *prefix, false, |r| r.installed)?)
            }
            api::Request::FailedRoutes => {
                serde_json::to_value(self.show_routes(now, None, None, false, |r| r.failed)?)
            }
            api::Request::Why { prefix } => serde_json::to_value(self.show_choice(now, *prefix)),
            api::Request::NextHopTracking => serde_json::to_value(self.show_tracking()),
            api::Request::Statics => serde_json::to_value(self.show_statics()?),
            api::Request::NextHopGroups { id } => serde_json::to_value(self.show_groups(*id)?),
            api::Request::InterfaceDetails { name } => {
                serde_json::to_value(self.show_interface_details(now, name.as_ref())?)
            }
            api::Request::Descriptions => serde_json::to_value(self.show_descriptions()),
            api::Request::Forwarding => serde_json::to_value(self.show_forwarding()),
            api::Request::RouteSummary => serde_json::to_value(self.show_summary()),
            api::Request::Interfaces => serde_json::to_value(self.show_interfaces()),
            api::Request::Clients => serde_json::to_value(self.show_clients(now)),
            api::Request::System => serde_json::to_value(self.show_system()),
        };
        value.map_err(|e| e.to_string())
    }

    fn show_routes(
        &self,
        now: Instant,
        protocol: Option<Protocol>,
        prefix: Option<Ipv4Network>,
        longer: bool,
        keep: fn(&api::Route) -> bool,
    ) -> Result<api::Routes, String> {
        let mut routes = api::Routes::new();
        let mut add = |p: Ipv4Network, entry: &Entry| -> Result<(), String> {
            let mut shown = self.show_entry(now, p, entry, protocol);
            shown.retain(keep);
            if !shown.is_empty() {
                routes.insert(p, shown);
            }
            if routes.len() > api::MAX_ROUTES {
                return Err(format!("more than {} routes: ask for a part of them", api::MAX_ROUTES));
            }
            Ok(())
        };
        match prefix {
            Some(p) if longer => self.table.inside(p).try_for_each(|(p, e)| add(p, e))?,
            Some(p) => {
                if let Some((p, entry)) = self.meant(p) {
                    add(p, entry)?;
                }
            }
            None => self.table.iter().try_for_each(|(p, e)| add(p, e))?,
        }
        Ok(routes)
    }

    /// The entry of this prefix; a /32 that has none means its longest match.
    fn meant(&self, p: Ipv4Network) -> Option<(Ipv4Network, &Entry)> {
        let exact = self.table.get(p).map(|e| (routing_common::prefix::canonical(p), e));
        let longest = || self.table.covering(p.ip()).first().copied().filter(|_| p.prefix() == 32);
        exact.or_else(longest)
    }

    fn show_entry(
        &self,
        now: Instant,
        p: Ipv4Network,
        entry: &Entry,
        protocol: Option<Protocol>,
    ) -> Vec<api::Route> {
        let (winner, best) = (entry.selected.as_ref(), best(entry));
        all_in_order(entry)
            .filter(|c| protocol.is_none_or(|wanted| c.origin.protocol() == wanted))
            .map(|c| self.show_candidate(now, p, c, best, winner))
            .collect()
    }

    fn show_candidate(
        &self,
        now: Instant,
        p: Ipv4Network,
        c: &Candidate,
        best: Option<&Candidate>,
        winner: Option<&Selected>,
    ) -> api::Route {
        let selected = winner.is_some_and(|w| w.origin == c.origin);
        let ours = c.origin.protocol() != Protocol::Connected;
        let fib = self.fib.get(p).filter(|_| selected && ours);
        let error = fib.and_then(|e| e.error().map(str::to_owned));
        let installed = selected && (!ours || self.fib.is_installed(p));
        let object = fib.and_then(|e| match &e.sent {
            Some((_, Via::Object(id))) => Some(*id),
            _ => None,
        });
        let unusable = c.distance == select::DISTANCE_UNUSABLE;
        let lost = best.filter(|_| !selected).and_then(|b| select::reason(b, c));
        api::Route {
            prefix: p,
            prefix_len: p.prefix(),
            protocol: c.origin.protocol(),
            vrf_id: 0,
            vrf_name: "default".to_owned(),
            selected,
            dest_selected: selected,
            distance: c.distance,
            metric: c.metric,
            installed,
            queued: selected && ours && !installed && error.is_none(),
            failed: error.is_some(),
            stale: c.stale,
            error,
            not_selected_reason: if unusable { Some("distance 255") } else { lost }.map(str::to_owned),
            tag: (c.tag != 0).then_some(c.tag),
            table: TABLE_MAIN,
            installed_nexthop_group_id: object,
            uptime: clock_time(now.since(c.since)),
            nexthops: self.show_hops(p, c, installed),
        }
    }

    fn show_hops(&self, p: Ipv4Network, c: &Candidate, installed: bool) -> Vec<api::NextHop> {
        let view = View { table: &self.table, links: &self.links };
        let mut hops = Vec::new();
        for outcome in view.explain(p, c) {
            let offered = api::NextHop {
                ip: outcome.gateway,
                afi: outcome.gateway.map(|_| "ipv4".to_owned()),
                interface_name: outcome.interface,
                ..api::NextHop::default()
            };
            match outcome.hops {
                Err(reason) => {
                    hops.push(api::NextHop { inactive_reason: Some(reason.to_string()), ..offered });
                }
                Ok(found) if outcome.recursive => {
                    hops.push(api::NextHop { active: true, recursive: true, ..offered });
                    hops.extend(
                        found.iter().map(|h| api::NextHop { resolver: true, ..self.show_hop(h, installed) }),
                    );
                }
                Ok(found) => hops.extend(found.iter().map(|h| self.show_hop(h, installed))),
            }
        }
        let blackhole = match &c.way {
            Way::Blackhole => true,
            Way::Static(targets) => {
                targets.contains(&StaticTarget::Blackhole) && hops.iter().all(|h| !h.active)
            }
            Way::Hops(_) => false,
        };
        if blackhole {
            let hop = api::NextHop { unreachable: true, blackhole: true, active: true, ..Default::default() };
            hops.push(api::NextHop { fib: installed, ..hop });
        }
        hops
    }

    fn show_hop(&self, hop: &FibHop, installed: bool) -> api::NextHop {
        api::NextHop {
            fib: installed,
            ip: hop.gateway,
            afi: hop.gateway.map(|_| "ipv4".to_owned()),
            directly_connected: hop.gateway.is_none(),
            interface_index: Some(hop.ifindex.0),
            interface_name: Some(self.links.name_of(hop.ifindex)),
            active: true,
            on_link: hop.onlink,
            weight: hop.gateway.map(|_| 1),
            ..api::NextHop::default()
        }
    }

    fn show_summary(&self) -> api::RouteSummary {
        let protocols = [Protocol::Connected, Protocol::Static, Protocol::Ospf];
        let mut counts: BTreeMap<Protocol, (usize, usize)> = BTreeMap::new();
        for (p, entry) in self.table.iter() {
            for c in &entry.candidates {
                counts.entry(c.origin.protocol()).or_default().0 += 1;
            }
            if let Some(selected) = &entry.selected {
                let protocol = selected.origin.protocol();
                let installed = protocol == Protocol::Connected || self.fib.is_installed(p);
                counts.entry(protocol).or_default().1 += usize::from(installed);
            }
        }
        let routes: Vec<api::ProtocolSummary> = protocols
            .into_iter()
            .filter_map(|p| counts.get(&p).map(|(rib, fib)| (p, *rib, *fib)))
            .map(|(p, rib, fib)| api::ProtocolSummary { r#type: p, rib, fib })
            .collect();
        let routes_total = routes.iter().map(|r| r.rib).sum();
        let routes_total_fib = routes.iter().map(|r| r.fib).sum();
        api::RouteSummary { routes, routes_total, routes_total_fib }
    }

    fn show_clients(&self, now: Instant) -> api::Clients {
        let mut routes: BTreeMap<Protocol, usize> = BTreeMap::new();
        for c in self.table.iter().flat_map(|(_, e)| &e.candidates) {
            *routes.entry(c.origin.protocol()).or_default() += 1;
        }
        let state = |s: &Session| match (s.syncing, s.synced) {
            (true, _) => "syncing",
            (false, true) => "synced",
            (false, false) => "new",
        };
        self.sessions
            .values()
            .map(|s| api::Client {
                name: s.name.clone().unwrap_or_default(),
                protocol: s.protocol,
                state: state(s).to_owned(),
                uptime: clock_time(now.since(s.since)),
                routes: s.protocol.and_then(|p| routes.get(&p).copied()).unwrap_or(0),
                changes: s.changes,
                redistributed: s.told.len(),
            })
            .collect()
    }

    fn show_system(&self) -> api::System {
        let statistics = self.fib.statistics();
        let wish = |op: &SystemOp| match op {
            SystemOp::AddAddress(i, n) => format!("address {n} on {}", self.links.name_of(*i)),
            SystemOp::RemoveAddress(i, n) => format!("no address {n} on {}", self.links.name_of(*i)),
            SystemOp::BringUp(i) => format!("{} up", self.links.name_of(*i)),
            SystemOp::ForgetUnresolved(i) => {
                format!("no unanswered neighbours on {}", self.links.name_of(*i))
            }
            SystemOp::SetSysctl { path, value } => format!("{} = {value}", path.join("/")),
        };
        api::System {
            ready: self.is_ready(),
            routes_stand: self.routes_stand(),
            next_hop_objects: self.fib.uses_objects(),
            next_hop_objects_count: self.fib.objects().len(),
            installs: statistics.installs,
            removals: statistics.removals,
            retargets: statistics.retargets,
            failures: statistics.failures,
            foreign_changes: statistics.foreign_changes,
            held_routes: self.fib.held(),
            notices_suppressed: self.notices_suppressed,
            wishes: self.system.wishes().map(|(op, s)| (wish(op), state_text(s))).collect(),
        }
    }

    fn show_forwarding(&self) -> api::Forwarding {
        let is_forwarding = |op: &SystemOp| matches!(op, SystemOp::SetSysctl { path, .. } if path.last().is_some_and(|p| p == "ip_forward"));
        let wish = self.system.wishes().find(|(op, _)| is_forwarding(op));
        api::Forwarding {
            configured: self.config.as_ref().is_some_and(|c| c.rib.forwarding),
            state: wish.map(|(_, state)| state_text(state)),
        }
    }
}

/// The candidates, best first; those that are never selected last.
fn all_in_order(entry: &Entry) -> impl Iterator<Item = &Candidate> {
    let never = entry.candidates.iter().filter(|c| c.distance == select::DISTANCE_UNUSABLE);
    select::in_order(&entry.candidates).into_iter().chain(never)
}

/// The candidate that was selected.
fn best(entry: &Entry) -> Option<&Candidate> {
    let winner = entry.selected.as_ref()?;
    entry.candidates.iter().find(|c| c.origin == winner.origin)
}

fn state_text(state: &SystemState) -> String {
    match state {
        SystemState::Asked => "asked".to_owned(),
        SystemState::Done => "done".to_owned(),
        SystemState::Failed(text) => format!("failed: {text}"),
    }
}
