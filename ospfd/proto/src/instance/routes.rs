//! Calculating the routing table and telling the RIB.
//!
//! A session with the RIB is declarative: after each connect the whole table follows, then differences.
//! `EndSync`, upon which the RIB sweeps what an earlier life of this daemon left in the kernel, waits until
//! this life knows as much: until every interface that should have a neighbour has one and everything
//! is calculated, at most for the largest RouterDeadInterval.

use super::{Event, Instance, Output, TimerKey};
use crate::interface::{Interface, InterfaceState, NetworkKind};
use crate::lsa::LsaKey;
use crate::lsdb::{Lsdb, LsdbView};
use crate::neighbor::{Neighbor, NeighborId, NeighborState};
use crate::route::{RoutingTable, diff, partial};
use crate::spf::{
    Change, Scope, ShortestPathTree, SpfArea, SpfInput, SpfInterface, SpfInterfaceKind, SpfNeighbor,
};
use rib::message::{ClientMessage, PROTOCOL_VERSION, Protocol, RibMessage, RouteChange, Subscription};
use routing_common::config::OspfConfig;
use routing_common::id::{AreaId, IfIndex};
use routing_common::time::{Duration, Instant};

/// Routes in one message to the RIB.
pub(super) const BATCH: usize = 1000;

/// How long after the first input a router counts as starting. Its adjacencies come up and its neighbours'
/// LSAs change one after the other, which RFC 8405 would take for churn and answer with
/// LONG_SPF_DELAY; but it has no routes yet whose stability would be worth protecting.
const STARTING: Duration = Duration::from_secs(10);

/// A starting router leaves at least so much time between calculations for every vertex its trees reach, up to
/// LONG_SPF_DELAY: LSAs of a large area come in for seconds, each changes the tree, and a table of half of them
/// is soon replaced. What a vertex costs is a hundredth of it (`benches/ospf.rs`). Below 100 vertices
/// SHORT_SPF_DELAY is longer.
///
/// A tree that reaches no other router does not count. A router that learns a large database from its first
/// neighbour reaches nobody before the two are Full, whatever it calculates meanwhile; and then it must not wait.
const PAUSE_PER_VERTEX: Duration = Duration::from_millis(1);

/// One calculation, for shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpfRun {
    /// When.
    pub at: Instant,
    /// How much was calculated.
    pub change: Change,
    /// How many routes changed for the RIB.
    pub routes_changed: usize,
    /// What asked for it first.
    pub trigger: Trigger,
    /// How often it was asked for.
    pub triggers: u32,
    /// How long RFC 8405 made it wait.
    pub waited: Duration,
}

/// What asks for a calculation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// An LSA came, went or changed.
    Lsa(LsaKey),
    /// An interface changed.
    Interface(IfIndex),
    /// A neighbour became usable, or is no longer.
    Neighbor(NeighborId),
    /// The operator wants it otherwise.
    Configuration,
    /// A graceful restart, of us or of a neighbour, is over.
    Restart,
}

/// A calculation that is due as soon as RFC 8405 allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    change: Change,
    trigger: Trigger,
    triggers: u32,
    /// The end of the turn in which it was first asked for.
    since: Option<Instant>,
}

impl Pending {
    pub(super) fn new(change: Change, trigger: Trigger) -> Self {
        Self { change, trigger, triggers: 1, since: None }
    }

    /// It is asked for again.
    pub(super) fn add(&mut self, change: Change) {
        self.change = self.change.max(change);
        self.triggers = self.triggers.saturating_add(1);
    }
}

/// The session with the RIB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RibSession {
    /// Between `RibConnected` and `RibLost`.
    pub(crate) is_connected: bool,
    /// `EndSync` is still to be sent.
    pub(crate) is_syncing: bool,
}

impl Interface {
    /// From which state of a neighbour on packets may go to it. A point-to-point link is in our router-LSA
    /// while the neighbour is Full (§12.4.1.1), and that LSA may be older than the neighbour's last loss. On
    /// a network with a Designated Router we are fully adjacent to that one only, and send to all.
    pub(crate) fn usable_from(&self) -> NeighborState {
        match self.kind {
            NetworkKind::PointToPoint => NeighborState::Full,
            NetworkKind::Broadcast | NetworkKind::Loopback => NeighborState::TwoWay,
        }
    }

    /// May packets go to this neighbour of ours? Whom we help with its restart stays what it was (RFC 3623 §3).
    pub(super) fn is_usable(&self, neighbor: &Neighbor) -> bool {
        neighbor.state >= self.usable_from() || neighbor.helping.is_some()
    }
}

impl Instance {
    /// Calculates if something changed and RFC 8405's machine allows it; a starting router only keeps
    /// SHORT_SPF_DELAY, or [`PAUSE_PER_VERTEX`], between two calculations.
    pub(super) fn calculate_when_allowed(&mut self, now: Instant) {
        let changed = std::mem::take(&mut self.change_this_turn);
        if let Some(pending) = &mut self.pending_change {
            pending.since.get_or_insert(now);
        }
        if self.started.is_some_and(|start| now.since(start) < STARTING) {
            let allowed = self.spf_log.last().map_or(now, |run| run.at + self.starting_pause());
            let rerouted = changed && self.reroute(now, allowed <= now);
            if changed && !rerouted && allowed <= now {
                self.run_spf(now);
            } else if changed {
                self.timers.arm(TimerKey::EarlySpf, allowed.max(now));
            }
            return;
        }
        // A calculation that is due leaves the RIB its turn with what was rerouted.
        let due = changed.then(|| self.backoff.on_igp_event(now));
        let rerouted = due.is_some_and(|due| self.reroute(now, due <= now));
        if !rerouted && self.backoff.handle_timeout(now) {
            self.run_spf(now);
        }
    }

    /// The trees of the latest calculation.
    pub(super) fn trees(&self) -> impl Iterator<Item = &ShortestPathTree> {
        self.areas.keys().filter_map(|area| self.calculation.tree(*area))
    }

    fn starting_pause(&self) -> Duration {
        let trees = self.trees().filter(|tree| tree.reaches_others());
        let vertices: usize = trees.map(ShortestPathTree::vertices).sum();
        let pause = PAUSE_PER_VERTEX.saturating_mul(u32::try_from(vertices).unwrap_or(u32::MAX));
        self.config.spf.short_delay.max(pause.min(self.config.spf.long_delay))
    }

    /// Calculates what changed since the last time and tells the RIB.
    pub(crate) fn run_spf(&mut self, now: Instant) {
        let Some(pending) = self.pending_change else { return };
        if self.shutting_down {
            return;
        }
        self.pending_change = None;
        let change = pending.change;
        let changes = self.calculate(now, change);
        for area in self.areas.values_mut() {
            area.spf_runs += u64::from(change == Change::Topology);
        }
        self.spf_log.push(SpfRun {
            at: now,
            change,
            routes_changed: changes.len(),
            trigger: pending.trigger,
            triggers: pending.triggers,
            waited: pending.since.map_or(Duration::ZERO, |since| now.since(since)),
        });
        self.send_routes(changes);
        self.tell_attachments();
        self.void_alternates(now, change);
    }

    fn calculate(&mut self, now: Instant, change: Change) -> Vec<RouteChange> {
        let mut scope = std::mem::replace(&mut self.pending_scope, Scope::everything());
        // The calculation does not see what reaches MaxAge at this moment, and nobody was told of it yet.
        let is_due = |lsdb: &Lsdb| lsdb.next_attention().is_some_and(|at| at <= now);
        if self.areas.values().map(|area| &area.lsdb).chain([&self.as_lsdb]).any(is_due) {
            scope = Scope::everything();
        }
        let (mut calculation, mut table) =
            (std::mem::take(&mut self.calculation), std::mem::take(&mut self.routing_table));
        let parts: Vec<(AreaId, LsdbView<'_>, Vec<SpfInterface>)> = self
            .areas
            .iter()
            .map(|(id, area)| (*id, area.lsdb.view(now), self.spf_interfaces(*id)))
            .collect();
        let areas: Vec<SpfArea<'_>> =
            parts.iter().map(|(area, lsas, interfaces)| SpfArea { area: *area, lsas, interfaces }).collect();
        let externals = self.as_lsdb.view(now);
        let input = self.spf_input(&areas, &externals);
        let changes = calculation.update(change, &scope, &input, &mut table, self.config.distance);
        self.pending_scope = Scope::nothing(partial::useful_scope(&table));
        (self.calculation, self.routing_table) = (calculation, table);
        changes
    }

    /// What a calculation from these databases and interfaces depends on.
    pub(super) fn spf_input<'a>(
        &self,
        areas: &'a [SpfArea<'a>],
        externals: &'a LsdbView<'_>,
    ) -> SpfInput<'a> {
        SpfInput {
            router_id: self.router_id,
            areas,
            externals,
            maximum_paths: self.config.maximum_paths,
            rfc1583_compatibility: self.config.rfc1583_compatibility,
        }
    }

    pub(super) fn spf_interfaces(&self, area: AreaId) -> Vec<SpfInterface> {
        self.interfaces
            .values()
            .filter(|i| i.area() == area && i.state != InterfaceState::Down)
            .filter_map(|i| {
                Some(SpfInterface {
                    ifindex: i.ifindex,
                    address: i.ip(),
                    network: i.address?,
                    kind: match i.kind {
                        NetworkKind::Broadcast => SpfInterfaceKind::Broadcast,
                        NetworkKind::PointToPoint => SpfInterfaceKind::PointToPoint,
                        NetworkKind::Loopback => SpfInterfaceKind::Stub,
                    },
                    cost: i.cost,
                    neighbors: i
                        .neighbors
                        .values()
                        .filter(|n| i.is_usable(n))
                        .map(|n| SpfNeighbor { router_id: n.id.router_id, address: n.address })
                        .collect(),
                })
            })
            .collect()
    }

    pub(super) fn send_routes(&mut self, changes: Vec<RouteChange>) {
        if !self.rib.is_connected || self.restart.withholds_routes {
            return;
        }
        self.outputs.extend(ClientMessage::routes(changes, BATCH).map(Output::Rib));
    }

    /// Tells the whole table again, under the present distance.
    pub(crate) fn resend_routes(&mut self) {
        let all = diff(&RoutingTable::default(), &self.routing_table, self.config.distance);
        self.send_routes(all);
        self.tell_alternates();
        self.tell_attachments();
    }

    pub(super) fn rib_connected(&mut self, now: Instant) {
        self.rib = RibSession { is_connected: true, is_syncing: true };
        self.redistribution.begin_session();
        self.told_attachments.clear();
        self.fast_reroute.told.clear();
        let hello = ClientMessage::Hello {
            version: PROTOCOL_VERSION,
            protocol: Some(Protocol::Ospf),
            name: "ospfd".to_owned(),
        };
        let subscription = self.subscription_of(&self.config);
        for message in [hello, ClientMessage::Subscribe(subscription), ClientMessage::BeginSync] {
            self.outputs.push_back(Output::Rib(message));
        }
        self.restart.subscription_told = false;
        self.resend_routes();
        self.expect_end_sync(now);
    }

    /// Sets the longest wait for convergence; while a graceful restart withholds the routes there is none.
    pub(crate) fn expect_end_sync(&mut self, now: Instant) {
        if self.rib.is_syncing && !self.restart.holds_end_sync() {
            self.timers.arm(TimerKey::EndSync, now + self.convergence_patience());
        }
    }

    /// The longest wait for convergence: after that a neighbour that is missing is gone. Only interfaces that can have
    /// one count; which are loopbacks is known with the links.
    pub(crate) fn convergence_patience(&self) -> Duration {
        let is_loopback = |i: &&Interface| i.kind == NetworkKind::Loopback;
        let loopbacks: Vec<_> = self.interfaces.values().filter(is_loopback).map(|i| &i.name).collect();
        let configured = self.config.interfaces.iter();
        let can_have_neighbors = configured.filter(|(name, i)| !i.passive && !loopbacks.contains(name));
        can_have_neighbors.map(|(_, i)| i.dead_interval).max().unwrap_or_default()
    }

    pub(super) fn rib_lost(&mut self) {
        self.rib = RibSession::default();
        self.forget_barrier();
        self.timers.cancel(TimerKey::EndSync);
    }

    /// What to hear from the RIB under this configuration.
    pub(super) fn subscription_of(&self, config: &OspfConfig) -> Subscription {
        let connected = config.redistribute_connected.as_ref().map(|_| Protocol::Connected);
        let statics = config.redistribute_static.as_ref().map(|_| Protocol::Static);
        Subscription {
            protocols: connected.into_iter().chain(statics).collect(),
            default_route: config.default_information.is_some(),
            routes_stand: false,
            attachments: false,
        }
    }

    pub(super) fn rib_message(&mut self, now: Instant, message: RibMessage) {
        match message {
            RibMessage::Hello { keeps_routes, .. } => self.rib_keeps_routes(now, keeps_routes),
            RibMessage::SubscriptionSynced => self.restart.subscription_told = true,
            RibMessage::FibDone(number) => self.routes_in_kernel(now, number),
            _ => {}
        }
        if self.redistribution.take(message) {
            self.schedule(Event::OriginateExternal);
        }
    }

    pub(super) fn end_sync_if_converged(&mut self, now: Instant) {
        let may_end = self.links_known && !self.restart.withholds_routes;
        if self.rib.is_syncing && may_end && self.is_converged() {
            self.end_sync(now);
        }
    }

    /// Says that all routes have been sent.
    pub(crate) fn end_sync(&mut self, _now: Instant) {
        self.timers.cancel(TimerKey::EndSync);
        if std::mem::take(&mut self.rib.is_syncing) {
            self.outputs.push_back(Output::Rib(ClientMessage::EndSync));
        }
    }

    /// Does every interface that can have a neighbour have a full one, is nothing under way, and is everyone who is
    /// Full also reached? A neighbour that lost us lists us again only some time after it is Full with us; until then the
    /// table lacks what lies behind it.
    pub(crate) fn is_converged(&self) -> bool {
        let is_reached = |i: &Interface| {
            let mut full = i.neighbors.values().filter(|n| n.state == NeighborState::Full);
            let tree = self.calculation.tree(i.area());
            full.all(|n| tree.is_some_and(|t| t.router(n.id.router_id).is_some()))
        };
        let settled = |i: &Interface| !i.is_active() || (i.full_neighbors() > 0 && is_reached(i));
        let waits_to_originate = |(key, _): (TimerKey, Instant)| matches!(key, TimerKey::Originate(..));
        // Asked in every turn while routers learn of each other: what is quickly told comes first.
        self.pending_change.is_none()
            && self.interfaces.values().all(settled)
            && !self.is_anyone_synchronizing()
            && !self.timers.iter().any(waits_to_originate)
    }
}
