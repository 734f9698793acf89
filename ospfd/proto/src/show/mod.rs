//! The fifth verb: answers to show commands, read off the instance and changed nothing.
//!
//! Each file fills the reply structs of its namesake in [`crate::api`]. Ages and times are those of `now`.
//! What does not exist (an interface without OSPF) is refused by name; what merely is empty is shown
//! empty.

mod database;
mod events;
mod fast_reroute;
mod graceful_restart;
mod interfaces;
mod key_chains;
mod neighbors;
mod policy;
mod routes;

use crate::api::{AreaSummary, Request, SummaryReply, VrfRow, VrfsReply};
use crate::area::Area;
use crate::instance::{Instance, TimerKey};
use crate::interface::InterfaceState;
use crate::lsa::LsType;
use crate::lsdb::Lsdb;
use crate::originate::StubReason;
use crate::spf::backoff::BackoffState;
use routing_common::id::AreaId;
use routing_common::time::{Duration, Instant};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Whole milliseconds.
fn msecs(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A length as JSON has it.
fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn to_value(reply: &impl Serialize) -> Result<Value, String> {
    serde_json::to_value(reply).map_err(|e| format!("the reply cannot be written: {e}"))
}

/// The rows of all, or of the one that is meant; `None` if it is not there.
fn named<T, R>(
    all: &BTreeMap<String, T>,
    name: Option<&str>,
    row: impl Fn(&T) -> R,
) -> Option<BTreeMap<String, R>> {
    match name {
        Some(name) => Some([(name.to_owned(), row(all.get(name)?))].into()),
        None => Some(all.iter().map(|(name, one)| (name.clone(), row(one))).collect()),
    }
}

impl Instance {
    /// Answers a show command. `Err` is what the operator reads if there is no such thing to show.
    pub fn query(&self, now: Instant, request: &Request) -> Result<Value, String> {
        match request {
            Request::Summary => to_value(&self.show_summary(now)),
            Request::Neighbors { filter, detail: false } => {
                to_value(&self.show_neighbors(now, filter.as_deref())?)
            }
            Request::Neighbors { filter, detail: true } => {
                to_value(&self.show_neighbor_details(now, filter.as_deref())?)
            }
            Request::Interfaces { name } => to_value(&self.show_interfaces(now, name.as_ref())?),
            Request::Database { kind, link_state_id, advertising_router, self_originate } => {
                let filter = database::Filter {
                    link_state_id: *link_state_id,
                    advertising_router: *advertising_router,
                    own: self_originate.then_some(self.router_id),
                };
                match kind {
                    None => to_value(&self.show_database(now, filter)),
                    Some(kind) => to_value(&self.show_lsas(now, *kind, filter)?),
                }
            }
            Request::DatabaseDetail { link_state_id, advertising_router, self_originate } => {
                let filter = database::Filter {
                    link_state_id: *link_state_id,
                    advertising_router: *advertising_router,
                    own: self_originate.then_some(self.router_id),
                };
                to_value(&self.show_all_lsas(now, filter)?)
            }
            Request::DatabaseMaxAge => to_value(&self.show_max_age()),
            Request::Routes | Request::RouteDetail => to_value(&self.show_routes()),
            Request::BorderRouters => to_value(&self.show_border_routers()),
            Request::ReachableRouters => to_value(&self.show_reachable_routers()),
            Request::Traffic { name } => to_value(&self.show_traffic(name.as_ref())?),
            Request::Vrfs => to_value(&self.show_vrfs()),
            Request::GracefulRestart { .. } => to_value(&self.show_graceful_restart(now)),
            Request::PrepareRestart => to_value(&self.show_prepared_restart()?),
            Request::Events => to_value(&self.show_events(now)),
            Request::SpfLog => to_value(&self.show_spf_log(now)),
            Request::PrefixLists { name, extent } => {
                to_value(&self.show_prefix_lists(name.as_deref(), *extent)?)
            }
            Request::AccessLists { name } => to_value(&self.show_access_lists(name.as_deref())?),
            Request::RouteMaps { name } => to_value(&self.show_route_maps(name.as_deref())?),
            Request::KeyChains { name } => to_value(&self.show_key_chains(now, name.as_deref())?),
            Request::FastReroute => to_value(&self.show_fast_reroute()),
        }
    }

    fn show_vrfs(&self) -> VrfsReply {
        let row = VrfRow { vrf_id: 0, router_id: self.router_id };
        VrfsReply { vrfs: [("default".to_owned(), row)].into(), total_vrfs: 1 }
    }

    fn show_summary(&self, now: Instant) -> SummaryReply {
        let last_run = self.spf_log.last().map(|run| msecs(now.since(run.at)));
        let (externals, external_sum) = tally([&self.as_lsdb], LsType::AsExternal);
        let (opaques, opaque_sum) = tally([&self.as_lsdb], LsType::OpaqueAs);
        let spf = self.config.spf;
        let max_metric = self.config.max_metric;
        SummaryReply {
            deferred_shutdown_msecs: self
                .timers
                .deadline(TimerKey::Shutdown)
                .filter(|_| self.drain.is_some())
                .map(|at| msecs(now.until(at))),
            stub_advertisement: max_metric.on_startup.is_some() || max_metric.on_shutdown.is_some(),
            post_start_enabled_secs: max_metric.on_startup.map(|span| span.as_secs()),
            pre_shutdown_enabled_secs: max_metric.on_shutdown.map(|span| span.as_secs()),
            router_id: self.router_id,
            tos_routes_only: true,
            rfc2328_conform: true,
            rfc1583_compatibility: self.config.rfc1583_compatibility,
            opaque_capable: true,
            spf_schedule_delay_msecs: msecs(spf.initial_delay),
            holdtime_min_msecs: msecs(spf.short_delay),
            holdtime_max_msecs: msecs(spf.long_delay),
            holdtime_multiplier: 1,
            spf_time_to_learn_msecs: msecs(spf.time_to_learn),
            spf_holddown_msecs: msecs(spf.hold_down),
            spf_backoff_state: match self.backoff.state() {
                BackoffState::Quiet => "QUIET".into(),
                BackoffState::ShortWait => "SHORT_WAIT".into(),
                BackoffState::LongWait => "LONG_WAIT".into(),
            },
            spf_last_executed_msecs: last_run,
            spf_has_not_run: last_run.is_none(),
            spf_timer_due_in_msecs: self.backoff.spf_due().map(|due| msecs(now.until(due))),
            lsa_min_interval_msecs: msecs(self.config.min_ls_interval),
            lsa_min_arrival_msecs: msecs(self.config.min_ls_arrival),
            maximum_paths: self.config.maximum_paths,
            preference: self.config.distance,
            asbr_router: self.is_as_boundary().then(|| "injectingExternalRoutingInformation".into()),
            lsa_external_counter: externals,
            lsa_external_checksum: external_sum,
            lsa_asopaque_counter: opaques,
            lsa_as_opaque_checksum: opaque_sum,
            attached_area_counter: count(self.areas.len()),
            areas: self.areas.iter().map(|(id, area)| (*id, self.show_area(now, *id, area))).collect(),
        }
    }

    fn show_area(&self, now: Instant, id: AreaId, area: &Area) -> AreaSummary {
        let reasons = self.stub_reasons();
        let startup = reasons.iter().find_map(|reason| match reason {
            StubReason::Startup(until, awaits) => Some((msecs(now.until(*until)), (*awaits).to_owned())),
            StubReason::Administrative | StubReason::Shutdown => None,
        });
        let interfaces = || self.interfaces.values().filter(|i| i.area() == id);
        let of = |ls_type| tally([&area.lsdb], ls_type);
        let (lsa_router_number, lsa_router_checksum) = of(LsType::Router);
        let (lsa_network_number, lsa_network_checksum) = of(LsType::Network);
        let (lsa_summary_number, lsa_summary_checksum) = of(LsType::SummaryNetwork);
        let (lsa_asbr_number, lsa_asbr_checksum) = of(LsType::SummaryAsbr);
        let (lsa_nssa_number, lsa_nssa_checksum) = of(LsType::Nssa);
        let (lsa_opaque_area_number, lsa_opaque_area_checksum) = of(LsType::OpaqueArea);
        let (lsa_opaque_link_number, lsa_opaque_link_checksum) =
            tally(interfaces().map(|i| &i.lsdb), LsType::OpaqueLink);
        AreaSummary {
            backbone: id == AreaId::BACKBONE,
            area_if_total_counter: count(interfaces().count()),
            area_if_active_counter: count(interfaces().filter(|i| i.state > InterfaceState::Down).count()),
            origin_stub_max_dist_router_lsa: !reasons.is_empty(),
            indefinite_active_admin: reasons.contains(&StubReason::Administrative),
            active_startup_remainder_msecs: startup.as_ref().map(|(left, _)| *left),
            active_startup_awaits: startup.map(|(_, awaits)| awaits),
            nbr_full_adjacent_counter: count(interfaces().map(|i| i.full_neighbors()).sum()),
            authentication: "authenticationNone".into(),
            spf_executed_counter: area.spf_runs,
            lsa_number: count(area.lsdb.len()) + lsa_opaque_link_number,
            lsa_router_number,
            lsa_router_checksum,
            lsa_network_number,
            lsa_network_checksum,
            lsa_summary_number,
            lsa_summary_checksum,
            lsa_asbr_number,
            lsa_asbr_checksum,
            lsa_nssa_number,
            lsa_nssa_checksum,
            lsa_opaque_link_number,
            lsa_opaque_link_checksum,
            lsa_opaque_area_number,
            lsa_opaque_area_checksum,
        }
    }
}

/// How many LSAs of a type there are, and the sum of their checksums (RFC 2328 §12.2 has it for comparing
/// databases at a glance).
fn tally<'a>(databases: impl IntoIterator<Item = &'a Lsdb>, ls_type: LsType) -> (u64, u64) {
    databases
        .into_iter()
        .flat_map(|lsdb| lsdb.iter_type(ls_type))
        .fold((0, 0), |(n, sum), (_, entry)| (n + 1, sum + u64::from(entry.lsa.header().checksum)))
}
