//! `router ospf`.

use super::{Page, millis, switch};
use routing_common::config::{GracefulRestart, MaxMetric, MetricType, OspfConfig, RedistributePolicy};
use routing_common::policy::RouteMap;

/// FRR's metric of a default route that is always announced; otherwise it is the file's.
const ALWAYS_METRIC: u32 = 1;
const DEFAULT_METRIC: u32 = 10;
const REDISTRIBUTED_METRIC: u32 = 20;

impl Page {
    pub(super) fn ospf(&mut self, ospf: &OspfConfig) {
        self.block("router ospf", true, |page| {
            page.line(1, format_args!("ospf router-id {}", ospf.router_id));
            page.scalars(ospf);
            page.timers(ospf);
            for (what, policy) in
                [("connected", &ospf.redistribute_connected), ("static", &ospf.redistribute_static)]
            {
                if let Some(RedistributePolicy { metric, metric_type, route_map }) = policy {
                    let metric = metrics(*metric, REDISTRIBUTED_METRIC, *metric_type);
                    page.line(1, format_args!("redistribute {what}{metric}{}", filter(route_map)));
                }
            }
            for (what, list) in
                [("connected", &ospf.distribute_connected), ("static", &ospf.distribute_static)]
            {
                if let Some(list) = list {
                    page.line(1, format_args!("distribute-list {} out {what}", list.name));
                }
            }
            if let Some(default) = &ospf.default_information {
                let (always, usual) =
                    if default.always { (" always", ALWAYS_METRIC) } else { ("", DEFAULT_METRIC) };
                let metric = metrics(default.metric, usual, default.metric_type);
                let filter = filter(&default.route_map);
                page.line(1, format_args!("default-information originate{always}{metric}{filter}"));
            }
            page.graceful_restart(ospf.graceful_restart);
            page.max_metric(ospf.max_metric);
            page.line_if(ospf.fast_reroute, 1, "fast-reroute lfa");
        });
    }

    fn scalars(&mut self, ospf: &OspfConfig) {
        let usual = self.usual.ospf.clone();
        let mut number = |value: u32, usual: u32, words: &str| {
            self.line_if(value != usual, 1, format!("{words} {value}"));
        };
        number(ospf.reference_bandwidth, usual.reference_bandwidth, "auto-cost reference-bandwidth");
        number(ospf.distance.into(), usual.distance.into(), "distance");
        number(ospf.maximum_paths.into(), usual.maximum_paths.into(), "maximum-paths");
        self.line_if(ospf.rfc1583_compatibility, 1, "compatible rfc1583");
    }

    fn timers(&mut self, ospf: &OspfConfig) {
        let usual = self.usual.ospf.clone();
        let delays = |o: &OspfConfig| [o.spf.initial_delay, o.spf.short_delay, o.spf.long_delay];
        let [initial, short, long] = delays(ospf).map(millis);
        let throttle = format!("timers throttle spf {initial} {short} {long}");
        self.line_if(delays(ospf) != delays(&usual), 1, throttle);
        for (value, usual, words) in [
            (ospf.spf.time_to_learn, usual.spf.time_to_learn, "timers spf time-to-learn"),
            (ospf.spf.hold_down, usual.spf.hold_down, "timers spf hold-down"),
            (ospf.min_ls_interval, usual.min_ls_interval, "timers throttle lsa all"),
            (ospf.min_ls_arrival, usual.min_ls_arrival, "timers lsa min-arrival"),
        ] {
            self.line_if(value != usual, 1, format!("{words} {}", millis(value)));
        }
    }

    fn max_metric(&mut self, on: MaxMetric) {
        self.line_if(on.administrative, 1, "max-metric router-lsa administrative");
        for (span, word) in [(on.on_startup, "on-startup"), (on.on_shutdown, "on-shutdown")] {
            if let Some(span) = span {
                self.line(1, format_args!("max-metric router-lsa {word} {}", span.as_secs()));
            }
        }
    }

    fn graceful_restart(&mut self, restart: GracefulRestart) {
        let usual = self.usual.ospf.graceful_restart;
        let period = format!("graceful-restart grace-period {}", restart.grace_period.as_secs());
        self.line_if(restart.grace_period != usual.grace_period, 1, period);
        // Behind the period, which would switch it on again.
        self.line_if(restart.enabled != usual.enabled, 1, switch(restart.enabled, "graceful-restart"));
        let helper = switch(restart.helper, "graceful-restart helper enable");
        self.line_if(restart.helper != usual.helper, 1, helper);
        let strict = switch(restart.strict_lsa_checking, "graceful-restart helper strict-lsa-checking");
        self.line_if(restart.strict_lsa_checking != usual.strict_lsa_checking, 1, strict);
    }
}

/// What a line says of the metric, with a blank before it.
fn metrics(metric: u32, usual: u32, metric_type: MetricType) -> String {
    let mut text = String::new();
    if metric != usual {
        text = format!(" metric {metric}");
    }
    if metric_type == MetricType::Type1 {
        text.push_str(" metric-type 1");
    }
    text
}

/// What a line says of the route map, with a blank before it.
fn filter(map: &Option<RouteMap>) -> String {
    map.as_ref().map(|m| format!(" route-map {}", m.name)).unwrap_or_default()
}
