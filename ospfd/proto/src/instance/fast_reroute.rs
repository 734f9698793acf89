//! Fast reroute: when alternates (RFC 5286, [`crate::alternate`]) are found, and when routes go over to them (§4).
//!
//! They are found in quiet times only: HOLDDOWN_INTERVAL after the latest calculation, in steps that are small beside a calculation, so
//! that no news waits for them. A calculation that grows a new tree makes all of it void, any other the routes' part.
//!
//! They are used in the turn in which a next hop is lost, whatever made us notice. A route that has other next hops keeps
//! those, one that has none left goes over to its alternate, and the calculation that is due anyway says what comes then. Where that
//! may run in this very turn and the area is small, it is as fast and better, and alternates are left alone. The routing table is changed
//! with what the RIB hears, so that the next difference is one to what the RIB has.
//!
//! The RIB knows the alternates beforehand and hears first which next hops are lost: with that it moves all their routes by a write
//! for each pair of next hop and alternate. What it then hears of each route says the same.

use super::routes::BATCH;
use super::{Instance, Output, TimerKey};
use crate::alternate::{Alternates, Distances};
use crate::interface::InterfaceState;
use crate::log::Log;
use crate::neighbor::NeighborId;
use crate::route::{NetworkRoute, RouteNextHop, RoutingTable, diff_of};
use crate::spf::next_hop::Hop;
use crate::spf::topology::Topology;
use crate::spf::{Change, ShortestPathTree, SpfArea};
use ipnetwork::Ipv4Network;
use rib::message::{ClientMessage, NextHop};
use routing_common::id::{IfIndex, RouterId};
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};

/// Vertices one step walks over, at least one tree: a step of a small area is all there is to do.
const STEP: usize = 5000;

/// Time for everybody else between two steps.
const PAUSE: Duration = Duration::from_millis(2);

/// A calculation of fewer vertices takes less than a millisecond or so, which is no longer than telling the RIB twice.
const SMALL_AREA: usize = 100;

/// Switches remembered for shows.
const LOG_LENGTH: usize = 50;

/// Routes went over to other next hops because some were lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// When.
    pub at: Instant,
    /// Neighbours that were lost, with the interfaces' names.
    pub lost: Vec<(String, RouterId)>,
    /// Routes that went over to their alternate.
    pub to_alternate: usize,
    /// Routes that kept some of their next hops.
    pub to_remaining: usize,
    /// Routes that had neither, and wait for the calculation.
    pub unprotected: usize,
}

/// What is known of alternates, and what became of them.
#[derive(Debug)]
pub(crate) struct FastReroute {
    distances: Option<Distances>,
    alternates: Option<Alternates>,
    /// The alternates the RIB knows.
    pub(super) told: BTreeMap<Ipv4Network, NextHop>,
    pub(crate) log: Log<Switch>,
    /// Switches since the start.
    pub(crate) switches: u64,
    /// Routes that went over to an alternate since the start.
    pub(crate) routes_switched: u64,
}

impl Default for FastReroute {
    fn default() -> Self {
        Self {
            distances: None,
            alternates: None,
            told: BTreeMap::new(),
            log: Log::new(LOG_LENGTH),
            switches: 0,
            routes_switched: 0,
        }
    }
}

impl Instance {
    /// The alternates of the present routing table; `None` until they are found, and without fast reroute.
    pub fn alternates(&self) -> Option<&Alternates> {
        self.fast_reroute.alternates.as_ref()
    }

    /// The latest switches, oldest first.
    pub fn switches(&self) -> impl DoubleEndedIterator<Item = &Switch> + ExactSizeIterator {
        self.fast_reroute.log.iter()
    }

    /// Takes over what the configuration says.
    pub(super) fn fast_reroute_configured(&mut self, now: Instant, was_enabled: bool) {
        if was_enabled != self.config.fast_reroute {
            self.void_alternates(now, Change::Topology);
            self.tell_alternates();
        }
    }

    /// Tells the RIB what of the alternates it does not know. While new ones are looked for it keeps those it has: they are used only
    /// when we say so.
    pub(super) fn tell_alternates(&mut self) {
        if !self.rib.is_connected || self.restart.withholds_routes {
            return;
        }
        let found = match &self.fast_reroute.alternates {
            Some(alternates) => alternates.iter().map(|(prefix, a)| (*prefix, to_rib(a.hop))).collect(),
            None if self.config.fast_reroute => return,
            None => BTreeMap::new(),
        };
        let told = core::mem::replace(&mut self.fast_reroute.told, found);
        let found = &self.fast_reroute.told;
        let gone = told.keys().filter(|prefix| !found.contains_key(prefix)).map(|prefix| (*prefix, None));
        let new = found.iter().filter(|(prefix, hop)| told.get(prefix) != Some(hop));
        let changes: Vec<_> = gone.chain(new.map(|(prefix, hop)| (*prefix, Some(*hop)))).collect();
        self.outputs.extend(ClientMessage::alternates(&changes, BATCH).map(Output::Rib));
    }

    /// The routing table was calculated: what was found for the one before is void.
    pub(super) fn void_alternates(&mut self, now: Instant, change: Change) {
        self.fast_reroute.alternates = None;
        if change == Change::Topology {
            self.fast_reroute.distances = None;
        }
        if !self.config.fast_reroute {
            self.timers.cancel(TimerKey::Alternates);
        } else if change == Change::Topology || !self.timers.is_armed(TimerKey::Alternates) {
            // External routes that never rest must not keep the rest from being protected.
            self.timers.arm(TimerKey::Alternates, now + self.config.spf.hold_down);
        }
    }

    /// Does the next step, if all is quiet.
    pub(super) fn alternates_timer(&mut self, now: Instant) {
        if self.shutting_down || !self.config.fast_reroute {
            return;
        }
        if self.pending_change.is_some() {
            // The calculation will ask again.
            return;
        }
        if !self.find_alternates(now) {
            self.timers.arm(TimerKey::Alternates, now + PAUSE);
        }
    }

    /// Says whether there is nothing more to do.
    fn find_alternates(&mut self, now: Instant) -> bool {
        let mut areas = self.areas.iter();
        let (Some((id, area)), None) = (areas.next(), areas.next()) else { return true };
        let (lsas, externals) = (area.lsdb.view(now), self.as_lsdb.view(now));
        let interfaces = self.spf_interfaces(*id);
        let Some(graph) = self.calculation.graph(*id) else { return true };
        let begin = || Distances::begin(&Topology::new(graph, &lsas), self.router_id, &interfaces);
        let Some(mut distances) = self.fast_reroute.distances.take().or_else(begin) else { return true };
        if !distances.is_complete() {
            let is_complete = distances.advance(graph, STEP);
            // The last step is one of its own, too.
            if !is_complete || graph.len() > STEP {
                self.fast_reroute.distances = Some(distances);
                return false;
            }
        }
        let areas = [SpfArea { area: *id, lsas: &lsas, interfaces: &interfaces }];
        let input = self.spf_input(&areas, &externals);
        let alternates = Alternates::calculate(&input, graph, &distances, &self.routing_table);
        self.fast_reroute.distances = Some(distances);
        self.fast_reroute.alternates = Some(alternates);
        self.tell_alternates();
        true
    }

    /// Something changed in this turn. If next hops were lost by it, their routes go over to what is left; says whether that
    /// happened. `may_calculate`: the calculation may run in this turn.
    pub(super) fn reroute(&mut self, now: Instant, may_calculate: bool) -> bool {
        if self.shutting_down || self.restart.withholds_routes || (may_calculate && self.is_small()) {
            return false;
        }
        let lost = self.lost_next_hops();
        let Some(alternates) = self.fast_reroute.alternates.take_if(|_| !lost.is_empty()) else {
            return false;
        };
        let hops: BTreeSet<Hop> = lost.iter().map(|(hop, _)| *hop).collect();
        let lost = lost.iter().map(|(hop, id)| (self.interface_name(hop.ifindex), *id)).collect();
        let mut switch = Switch { at: now, lost, to_alternate: 0, to_remaining: 0, unprotected: 0 };
        let before = switch_routes(&mut self.routing_table, &alternates, &hops, &mut switch);
        let changes = diff_of(&before, &self.routing_table, self.config.distance);
        let rerouted = switch.to_alternate + switch.to_remaining > 0;
        if rerouted || switch.unprotected > 0 {
            self.fast_reroute.switches += u64::from(rerouted);
            self.fast_reroute.routes_switched += switch.to_alternate as u64;
            self.fast_reroute.log.push(switch);
        }
        if self.rib.is_connected && !changes.is_empty() {
            let lost = hops.into_iter().map(to_rib).collect();
            self.outputs.push_back(Output::Rib(ClientMessage::Lost(lost)));
        }
        self.send_routes(changes);
        rerouted
    }

    fn is_small(&self) -> bool {
        self.trees().map(ShortestPathTree::vertices).sum::<usize>() < SMALL_AREA
    }

    /// Next hops of the table that stand no more.
    fn lost_next_hops(&self) -> Vec<(Hop, RouterId)> {
        let Some(alternates) = self.alternates() else { return Vec::new() };
        let is_lost = |(hop, router_id): &&(Hop, RouterId)| !self.stands(hop.ifindex, *router_id);
        alternates.neighbors().iter().filter(is_lost).copied().collect()
    }

    /// Would the calculation take this neighbour for a next hop?
    fn stands(&self, ifindex: IfIndex, router_id: RouterId) -> bool {
        let Some(interface) = self.interfaces.get(&ifindex) else { return false };
        let neighbor = self.neighbor(NeighborId { ifindex, router_id });
        interface.state != InterfaceState::Down && neighbor.is_some_and(|n| interface.is_usable(n))
    }
}

fn to_rib(hop: Hop) -> NextHop {
    NextHop { gateway: hop.gateway, ifindex: hop.ifindex }
}

/// Takes lost next hops out of a table; gives the routes that changed as they were, in ascending order.
fn switch_routes(
    table: &mut RoutingTable,
    alternates: &Alternates,
    lost: &BTreeSet<Hop>,
    switch: &mut Switch,
) -> Vec<(Ipv4Network, Option<NetworkRoute>)> {
    let is_lost = |hop: &RouteNextHop| lost.contains(&hop.hop());
    let mut before = Vec::new();
    for (prefix, route) in table.networks.iter_mut().filter(|(_, r)| r.next_hops.iter().any(is_lost)) {
        let alternate = alternates.get(prefix).filter(|a| !lost.contains(&a.hop));
        let was = route.clone();
        route.next_hops.retain(|hop| !is_lost(hop));
        if !route.next_hops.is_empty() {
            switch.to_remaining += 1;
        } else if let (Some(alternate), Some(first)) = (alternate, was.next_hops.first()) {
            switch.to_alternate += 1;
            let Hop { ifindex, gateway } = alternate.hop;
            route.next_hops.push(RouteNextHop { ifindex, gateway, ..*first });
        } else {
            switch.unprotected += 1;
            *route = was;
            continue;
        }
        before.push((*prefix, Some(was)));
    }
    before
}
