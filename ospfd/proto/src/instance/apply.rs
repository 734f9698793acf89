//! A new configuration at run time.
//!
//! | what changed | effect |
//! | --- | --- |
//! | router id; OSPF on or off | the whole instance starts anew, own LSAs flushed first |
//! | an interface's area, type, address, passive, way of authentication, password | that interface goes down and up |
//! | cost, priority, hello, dead, retransmit, delay, mtu-ignore, MD5 keys, key chain | in place |
//! | bfd | sessions are asked for, changed or ended |
//! | reference bandwidth, addresses, virtual addresses | interfaces are looked at again |
//! | default-information, redistribute, distribute-list, their lists and maps | AS-external-LSAs are compared with what is wanted |
//! | maximum-paths, RFC 1583 compatibility, distance | the routing table is calculated again |
//! | fast reroute | alternates are found after the next quiet, or forgotten |
//! | graceful restart | off ends the restart or help under way; the rest with the next one |
//! | max-metric | router-LSAs are compared with what is wanted; `on-startup` can only be taken back, `on-shutdown` counts for the next end |
//! | SPF, MinLSInterval, MinLSArrival | from the next event on |

use super::{Event, Instance, Output, Trigger};
use crate::interface::InterfaceEvent;
use crate::lsdb::Lsdb;
use rib::message::ClientMessage;
use routing_common::config::{Config, GracefulRestart, MaxMetric, OspfConfig, SpfTimers};
use routing_common::id::{IfIndex, RouterId};
use routing_common::time::Instant;
use std::collections::BTreeMap;

/// The OSPF part of a configuration; without one, a router with no interfaces.
pub(super) fn ospf_of(config: &Config) -> OspfConfig {
    config.ospf.clone().unwrap_or_else(|| OspfConfig {
        router_id: RouterId::NONE,
        interfaces: BTreeMap::new(),
        default_information: None,
        redistribute_connected: None,
        redistribute_static: None,
        distribute_connected: None,
        distribute_static: None,
        reference_bandwidth: 100_000,
        distance: 110,
        maximum_paths: 1,
        rfc1583_compatibility: false,
        spf: SpfTimers::default(),
        min_ls_interval: crate::constants::MIN_LS_INTERVAL,
        min_ls_arrival: crate::constants::MIN_LS_ARRIVAL,
        graceful_restart: GracefulRestart::default(),
        max_metric: MaxMetric::default(),
        fast_reroute: false,
    })
}

impl Instance {
    pub(super) fn reconfigure(&mut self, now: Instant, config: Config) {
        let new = ospf_of(&config);
        if new.router_id != self.router_id || !new.graceful_restart.enabled {
            self.abandon_restart(now);
        }
        if !new.graceful_restart.helper {
            self.stop_helping_all(now);
        }
        if new.router_id != self.router_id {
            self.take_everything_down(now);
            self.router_id = new.router_id;
        }
        let old = std::mem::replace(&mut self.config, new);
        self.whole_config = config;
        self.backoff.set_timers(self.config.spf);
        self.refresh_interfaces(now);
        self.bfd.is_dirty = true;
        let calculated = |c: &OspfConfig| (c.maximum_paths, c.rfc1583_compatibility);
        if calculated(&old) != calculated(&self.config) {
            self.surroundings_changed(Trigger::Configuration);
        }
        self.fast_reroute_configured(now, old.fast_reroute);
        if old.distance != self.config.distance {
            self.resend_routes();
        }
        if self.rib.is_connected && self.subscription_of(&old) != self.subscription_of(&self.config) {
            let subscription = self.subscription_of(&self.config);
            self.outputs.push_back(Output::Rib(ClientMessage::Subscribe(subscription)));
        }
        self.tell_attachments();
        if self.config.max_metric.on_startup.is_none() {
            self.startup_over("it is not configured any more");
        }
        self.schedule(Event::OriginateRouter);
        self.schedule(Event::OriginateExternal);
    }

    /// Flushes what we originated, as far as one packet goes, and forgets every adjacency and LSA.
    pub(super) fn take_everything_down(&mut self, now: Instant) {
        self.flush_all_own(now);
        self.flush_all_floods(now);
        let all: Vec<IfIndex> = self.interfaces.keys().copied().collect();
        for ifindex in all {
            self.interface_event(now, ifindex, InterfaceEvent::InterfaceDown);
        }
        for area in self.areas.values_mut() {
            area.lsdb = Lsdb::default();
        }
        self.as_lsdb = Lsdb::default();
        self.desired.clear();
        self.own.clear();
        self.held.clear();
        self.flushed.clear();
        self.forget_lost_databases();
        self.surroundings_changed(Trigger::Configuration);
    }
}
