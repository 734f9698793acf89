//! `[ospf]`: the instance, and that its interfaces agree on the area.

use super::bfd::Profiles;
use super::interfaces::Interfaces;
use super::key_chain::KeyChains;
use super::policy::Lists;
use super::{ospf_interface, warn_if_unknown};
use crate::config::format_duration;
use crate::config::model::{
    DefaultInformation, GracefulRestart, MaxMetric, MetricType, OspfConfig, OspfInterfaceConfig,
    RedistributePolicy, SpfTimers,
};
use crate::config::reader::{At, Section};
use crate::id::{AreaId, InterfaceName, RouterId};
use crate::policy::{AccessList, RouteMap};
use std::collections::BTreeMap;
use std::time::Duration;

/// Something without a default was refused; the error is recorded.
pub(super) struct Refused;

/// Reads `[ospf]`; `Ok(None)` if there is none. `stale_time` is the RIB's.
pub(super) fn read(
    root: &Section<'_>,
    interfaces: &Interfaces,
    profiles: &Profiles,
    lists: &Lists,
    chains: &KeyChains,
    stale_time: Duration,
) -> Result<Option<OspfConfig>, Refused> {
    let Some(ospf) = root.section("ospf") else { return Ok(None) };
    let router_id = router_id(&ospf, interfaces);
    let on = ospf_interfaces(&ospf, interfaces, profiles, chains);
    let default_information =
        ospf.section("default-information").and_then(|s| default_information(&s, lists));
    let redistribute = ospf.section("redistribute");
    let policy = |name| redistribute.as_ref().and_then(|r| r.section(name)).map(|s| policy(&s, lists));
    let (redistribute_connected, redistribute_static) = (policy("connected"), policy("static"));
    let told = [redistribute_connected.is_some(), redistribute_static.is_some()];
    let [distribute_connected, distribute_static] = distribute_lists(&ospf, lists, told);
    let spf = spf(&ospf.section_or_defaults("spf"));
    let graceful_restart = graceful_restart(&ospf.section_or_defaults("graceful-restart"), stale_time);
    let max_metric = max_metric(&ospf.section_or_defaults("max-metric"));
    let byte = |name| u8::try_from(ospf.number(name).value).unwrap_or(u8::MAX);
    let config = |router_id| OspfConfig {
        router_id,
        interfaces: on,
        default_information,
        redistribute_connected,
        redistribute_static,
        distribute_connected,
        distribute_static,
        reference_bandwidth: ospf.number("reference-bandwidth").value,
        distance: byte("distance"),
        maximum_paths: byte("maximum-paths"),
        rfc1583_compatibility: ospf.boolean("rfc1583-compatibility").value,
        spf,
        min_ls_interval: ospf.time("min-ls-interval").value,
        min_ls_arrival: ospf.time("min-ls-arrival").value,
        graceful_restart,
        max_metric,
        fast_reroute: ospf.section_or_defaults("fast-reroute").boolean("enabled").value,
    };
    // Without a router id the rest is read all the same, for its errors.
    let config = config(router_id.unwrap_or(RouterId::NONE));
    if router_id.is_some() { Ok(Some(config)) } else { Err(Refused) }
}

fn router_id(ospf: &Section<'_>, interfaces: &Interfaces) -> Option<RouterId> {
    let before = ospf.sink().errors();
    let id = ospf.parsed::<RouterId>("router-id");
    if id.value.is_none()
        && ospf.sink().errors() > before
        && let Some(address) = interfaces.loopback_address()
    {
        ospf.sink().suggest(format!("the address of `lo` is a good choice: router-id = \"{address}\""));
    }
    id.value
}

fn ospf_interfaces(
    ospf: &Section<'_>,
    interfaces: &Interfaces,
    profiles: &Profiles,
    chains: &KeyChains,
) -> BTreeMap<InterfaceName, OspfInterfaceConfig> {
    let bfd = profiles.of_ospf(ospf);
    let mut on = BTreeMap::new();
    let mut areas: Vec<(InterfaceName, At<AreaId>)> = Vec::new();
    for (at, section) in ospf.named("interfaces") {
        let (config, area) = ospf_interface::read(&section, &bfd, chains);
        let Some(name) = super::interfaces::interface_name(&section, at.value, at.span.clone()) else {
            continue;
        };
        warn_if_unknown(&section, interfaces, &name, at.span);
        if area.sound() {
            areas.push((name.clone(), area));
        }
        on.insert(name, config);
    }
    one_area(ospf, areas);
    on
}

/// Area border routers are not part of this version.
fn one_area(ospf: &Section<'_>, mut areas: Vec<(InterfaceName, At<AreaId>)>) {
    areas.sort_by_key(|(_, area)| area.span.start);
    let Some((first_name, first)) = areas.first() else { return };
    for (_, area) in areas.iter().filter(|(_, a)| a.value != first.value) {
        ospf.sink().error(
            area.span.clone(),
            format!("area {} here, but area {} on `{first_name}`", area.value, first.value),
            "one area per router in this version: area border routers are not supported",
        );
    }
}

fn metric_type(section: &Section<'_>) -> MetricType {
    match section.number("metric-type").value {
        1 => MetricType::Type1,
        _ => MetricType::Type2,
    }
}

fn default_information(section: &Section<'_>, lists: &Lists) -> Option<DefaultInformation> {
    let information = DefaultInformation {
        always: section.boolean("always").value,
        metric: section.number("metric").value,
        metric_type: metric_type(section),
        route_map: lists.route_map(section, "route-map"),
    };
    if information.always && information.route_map.as_ref().is_some_and(RouteMap::has_conditions) {
        let hint = "`always` announces the default whatever the route map says, whose `set` alone has an effect; remove \
                    `always` if the conditions are meant";
        section.sink().warning(section.span(), "the conditions of the route map are not asked", hint);
    }
    section.boolean("originate").value.then_some(information)
}

fn policy(section: &Section<'_>, lists: &Lists) -> RedistributePolicy {
    RedistributePolicy {
        metric: section.number("metric").value,
        metric_type: metric_type(section),
        route_map: lists.route_map(section, "route-map"),
    }
}

/// The access lists of what is redistributed: connected routes, then static ones.
fn distribute_lists(ospf: &Section<'_>, lists: &Lists, told: [bool; 2]) -> [Option<AccessList>; 2] {
    let section = ospf.section_or_defaults("distribute-list");
    let read = |(source, told): (&str, bool)| {
        let list = lists.access_list(&section, source);
        if list.is_some() && !told {
            let message = format!("`distribute-list` of {source} routes has no effect");
            let hint = format!("they are not announced; add [ospf.redistribute.{source}], or remove it");
            section.sink().warning(section.span(), message, hint);
        }
        list
    };
    [("connected", told[0]), ("static", told[1])].map(read)
}

fn spf(section: &Section<'_>) -> SpfTimers {
    let [initial, short, long] =
        ["initial-delay", "short-delay", "long-delay"].map(|name| section.time(name));
    let ordered = initial.value <= short.value && short.value <= long.value;
    if !ordered && initial.sound() && short.sound() && long.sound() {
        let hint = "RFC 8405 §5: `initial-delay` ≤ `short-delay` ≤ `long-delay`";
        section.sink().error(section.span(), "the SPF delays are not in order", hint);
    }
    SpfTimers {
        initial_delay: initial.value,
        short_delay: short.value,
        long_delay: long.value,
        time_to_learn: section.time("time-to-learn").value,
        hold_down: section.time("hold-down").value,
    }
}

fn max_metric(section: &Section<'_>) -> MaxMetric {
    MaxMetric {
        administrative: section.boolean("administrative").value,
        on_startup: section.optional_time("on-startup").value,
        on_shutdown: section.optional_time("on-shutdown").value,
    }
}

/// The routes must outlive the grace period: what the RIB sweeps earlier, neighbours would send packets for.
fn graceful_restart(section: &Section<'_>, stale_time: Duration) -> GracefulRestart {
    let (enabled, period) = (section.boolean("enabled").value, section.time("grace-period"));
    if enabled && period.value > stale_time && period.sound() {
        let [period, stale] = [period.value, stale_time].map(format_duration);
        let text = format!("`grace-period` is {period}, but `rib.stale-time` only {stale}");
        let hint = "ribd keeps the routes of a restarting ospfd for `rib.stale-time`: make that longer, or the grace \
                    period shorter";
        section.sink().error(section.span(), text, hint);
    }
    GracefulRestart {
        enabled,
        grace_period: period.value,
        helper: section.boolean("helper").value,
        strict_lsa_checking: section.boolean("strict-lsa-checking").value,
    }
}
