//! The instance: the one struct that is an OSPF router (RFC 2328 §5).
//!
//! It owns everything: what the kernel told ([`links`]), the interfaces with their neighbours, the areas
//! with their databases, the timers. Its `impl` blocks are spread over the crate along the RFC's sections;
//! what stands here is only the shape of a *turn*:
//!
//! 1. one input or all timers that are due, executed;
//! 2. scheduled events until none is left ([`event`]), originations last;
//! 3. what was flooded leaves, *then*
//! 4. the routing table is calculated, if RFC 8405's machine says so, and the RIB hears the difference.
//!
//! Flooding before computing lets the neighbours compute at the same time as we do.
//!
//! Deviations: no virtual links, no summary-LSAs of our own: a router attached to two areas does not set
//! bit B and is no area border router. It still calculates inter-area routes from others' summaries.

mod apply;
mod attachments;
mod clear;
mod event;
mod fast_reroute;
mod input;
mod links;
mod output;
mod routes;
mod shutdown;
mod timer;

pub(crate) use event::Event;
pub(crate) use fast_reroute::FastReroute;
pub use fast_reroute::Switch;
pub use input::{Clear, Input, Received};
pub use output::Output;
pub use routes::{SpfRun, Trigger};
pub use timer::TimerKey;

use crate::area::Area;
use crate::bfd::Bfd;
use crate::flood::{Flushed, Held};
use crate::interface::{Interface, InterfaceEvent, InterfaceState};
use crate::log::Log;
use crate::lsa::{LsaBody, LsaKey};
use crate::lsdb::{DatabaseId, Lsdb};
use crate::neighbor::{Neighbor, NeighborEvent, NeighborId, NeighborState};
use crate::originate::{OwnLsa, Startup};
use crate::redistribute::Redistribution;
use crate::restart::Restart;
use crate::route::RoutingTable;
use crate::spf::backoff::SpfBackoff;
use crate::spf::{Calculation, Change, Scope};
use links::KnownLink;
use rib::message::Attachment;
use routing_common::config::{Config, OspfConfig};
use routing_common::id::{AreaId, IfIndex, RouterId};
use routing_common::machine::Machine;
use routing_common::notice::Notice;
use routing_common::rng::Rng;
use routing_common::time::Instant;
use routing_common::timer::TimerQueue;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;

/// Adjacency changes and SPF runs remembered for shows.
const LOG_LENGTH: usize = 200;

/// A change of an adjacency, for shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjacencyChange {
    /// When.
    pub at: Instant,
    /// On which interface, by the name it had.
    pub interface: String,
    /// With whom.
    pub router_id: RouterId,
    /// From.
    pub old: NeighborState,
    /// To.
    pub new: NeighborState,
    /// Why.
    pub event: NeighborEvent,
}

/// An OSPF router; see the module text.
#[derive(Debug)]
pub struct Instance {
    pub(crate) config: OspfConfig,
    pub(crate) whole_config: Config,
    pub(crate) router_id: RouterId,
    pub(crate) started: Option<Instant>,
    pub(crate) links: BTreeMap<IfIndex, KnownLink>,
    pub(crate) links_known: bool,
    pub(crate) interfaces: BTreeMap<IfIndex, Interface>,
    pub(crate) areas: BTreeMap<AreaId, Area>,
    pub(crate) as_lsdb: Lsdb,
    /// Interfaces that have or had LSAs of their own (type 9). Most have none, and are not asked when those age.
    pub(crate) link_scoped: BTreeSet<IfIndex>,
    /// What we want to be in the databases from us (§12.4).
    pub(crate) desired: BTreeMap<(DatabaseId, LsaKey), LsaBody>,
    /// What we know about our originations.
    pub(crate) own: BTreeMap<(DatabaseId, LsaKey), OwnLsa>,
    pub(crate) held: BTreeMap<(DatabaseId, LsaKey), Held>,
    pub(crate) flushed: BTreeMap<(DatabaseId, LsaKey), Flushed>,
    pub(crate) redistribution: Redistribution,
    pub(crate) routing_table: RoutingTable,
    pub(crate) calculation: Calculation,
    pub(crate) backoff: SpfBackoff,
    pub(crate) pending_change: Option<routes::Pending>,
    pub(crate) pending_scope: Scope,
    pub(crate) change_this_turn: bool,
    pub(crate) spf_log: Log<SpfRun>,
    pub(crate) fast_reroute: FastReroute,
    pub(crate) adjacency_log: Log<AdjacencyChange>,
    pub(crate) rib: routes::RibSession,
    /// What the RIB was told of [`ClientMessage::Attached`](rib::message::ClientMessage) in this session.
    told_attachments: Vec<Attachment>,
    pub(crate) bfd: Bfd,
    pub(crate) timers: TimerQueue<TimerKey>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) request_progress: BTreeSet<NeighborId>,
    /// Interfaces out of which LSAs shall be flooded at the end of this turn.
    pub(crate) flooding: BTreeSet<IfIndex>,
    /// Neighbours that became Full and have not been sent our router-LSA yet.
    pub(crate) introductions: BTreeSet<NeighborId>,
    pub(crate) sweep_wanted: bool,
    pub(crate) wall_clock: (u64, Instant),
    pub(crate) cryptographic_sequence: u32,
    pub(crate) shutting_down: bool,
    /// [`Output::Finished`] was said: these were the last words.
    pub(crate) finished: bool,
    /// On the way there: transit traffic is asked to go elsewhere.
    pub(crate) drain: Option<shutdown::Drain>,
    /// The stub router advertisement after a start, while it lasts.
    pub(crate) startup: Option<Startup>,
    pub(crate) restart: Restart,
    pub(crate) rng: Rng,
    pub(crate) outputs: VecDeque<Output>,
}

impl Instance {
    /// A router that knows nothing of its links yet. `seed` decides all jitter.
    pub fn new(config: &Config, seed: u64) -> Self {
        let ospf = apply::ospf_of(config);
        Self {
            router_id: ospf.router_id,
            backoff: SpfBackoff::new(ospf.spf),
            config: ospf,
            whole_config: config.clone(),
            started: None,
            links: BTreeMap::new(),
            links_known: false,
            interfaces: BTreeMap::new(),
            areas: BTreeMap::new(),
            as_lsdb: Lsdb::default(),
            link_scoped: BTreeSet::new(),
            desired: BTreeMap::new(),
            own: BTreeMap::new(),
            held: BTreeMap::new(),
            flushed: BTreeMap::new(),
            redistribution: Redistribution::default(),
            routing_table: RoutingTable::default(),
            calculation: Calculation::default(),
            pending_change: None,
            pending_scope: Scope::everything(),
            change_this_turn: false,
            spf_log: Log::new(LOG_LENGTH),
            fast_reroute: FastReroute::default(),
            adjacency_log: Log::new(LOG_LENGTH),
            rib: routes::RibSession::default(),
            told_attachments: Vec::new(),
            bfd: Bfd::default(),
            timers: TimerQueue::new(),
            events: VecDeque::new(),
            request_progress: BTreeSet::new(),
            flooding: BTreeSet::new(),
            introductions: BTreeSet::new(),
            sweep_wanted: false,
            wall_clock: (0, Instant::ZERO),
            cryptographic_sequence: 0,
            shutting_down: false,
            finished: false,
            drain: None,
            startup: None,
            restart: Restart::default(),
            rng: Rng::new(seed),
            outputs: VecDeque::new(),
        }
    }

    /// This router's id.
    pub fn router_id(&self) -> RouterId {
        self.router_id
    }

    /// The interfaces OSPF is configured on and that exist.
    pub fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.values()
    }

    /// The areas with their databases.
    pub fn areas(&self) -> impl Iterator<Item = (AreaId, &Area)> {
        self.areas.iter().map(|(id, area)| (*id, area))
    }

    /// The routing table of the latest calculation.
    pub fn routing_table(&self) -> &RoutingTable {
        &self.routing_table
    }

    /// The latest calculations, oldest first.
    pub fn spf_runs(&self) -> impl DoubleEndedIterator<Item = &SpfRun> + ExactSizeIterator {
        self.spf_log.iter()
    }

    /// The timers that run, with their deadlines, for whoever holds the engine to its invariants. Ages of LSAs
    /// and RFC 8405's machine are not among them.
    pub fn armed_timers(&self) -> impl Iterator<Item = (TimerKey, Instant)> + '_ {
        self.timers.iter()
    }

    /// Does the routing table wait for a calculation that RFC 8405 puts off?
    pub fn is_calculation_pending(&self) -> bool {
        self.pending_change.is_some()
    }

    /// A database by name; that of a link or area exists while the link or area does.
    pub fn lsdb(&self, database: DatabaseId) -> Option<&Lsdb> {
        match database {
            DatabaseId::As => Some(&self.as_lsdb),
            DatabaseId::Area(area) => self.areas.get(&area).map(|a| &a.lsdb),
            DatabaseId::Link(ifindex) => self.interfaces.get(&ifindex).map(|i| &i.lsdb),
        }
    }

    pub(crate) fn lsdb_mut(&mut self, database: DatabaseId) -> Option<&mut Lsdb> {
        match database {
            DatabaseId::As => Some(&mut self.as_lsdb),
            DatabaseId::Area(area) => self.areas.get_mut(&area).map(|a| &mut a.lsdb),
            DatabaseId::Link(ifindex) => self.interfaces.get_mut(&ifindex).map(|i| &mut i.lsdb),
        }
    }

    /// Names of all databases.
    pub(crate) fn databases(&self) -> Vec<DatabaseId> {
        self.databases_with(self.interfaces.keys())
    }

    /// Those of [`Instance::databases`] that may hold anything: of many links nearly none.
    pub(crate) fn filled_databases(&self) -> Vec<DatabaseId> {
        self.databases_with(&self.link_scoped)
    }

    fn databases_with<'a>(&self, links: impl IntoIterator<Item = &'a IfIndex>) -> Vec<DatabaseId> {
        let links = links.into_iter().copied().map(DatabaseId::Link);
        let areas = self.areas.keys().copied().map(DatabaseId::Area);
        [DatabaseId::As].into_iter().chain(areas).chain(links).collect()
    }

    pub(crate) fn neighbor(&self, id: NeighborId) -> Option<&Neighbor> {
        self.interfaces.get(&id.ifindex)?.neighbors.get(&id.router_id)
    }

    pub(crate) fn neighbor_mut(&mut self, id: NeighborId) -> Option<&mut Neighbor> {
        self.interfaces.get_mut(&id.ifindex)?.neighbors.get_mut(&id.router_id)
    }

    /// Is any neighbour in Exchange or Loading (§13 (4), §14)?
    pub(crate) fn is_anyone_synchronizing(&self) -> bool {
        self.interfaces.values().flat_map(|i| i.neighbors.values()).any(Neighbor::is_synchronizing)
    }

    /// Is this the OSPF address of one of our usable interfaces?
    pub(crate) fn is_own_address(&self, address: Ipv4Addr) -> bool {
        self.interfaces.values().any(|i| i.state != InterfaceState::Down && i.ip() == Some(address))
    }

    pub(crate) fn interface_name(&self, ifindex: IfIndex) -> String {
        self.interfaces.get(&ifindex).map_or_else(|| format!("#{ifindex}"), |i| i.name.to_string())
    }

    pub(crate) fn notice(&mut self, notice: Notice) {
        self.outputs.push_back(Output::Notice(notice));
    }

    pub(crate) fn log_adjacency(
        &mut self,
        at: Instant,
        id: NeighborId,
        old: NeighborState,
        new: NeighborState,
        event: NeighborEvent,
    ) {
        let interface = self.interface_name(id.ifindex);
        self.adjacency_log.push(AdjacencyChange { at, interface, router_id: id.router_id, old, new, event });
    }

    /// Something outside the databases that the routing table depends on changed.
    pub(crate) fn surroundings_changed(&mut self, trigger: Trigger) {
        self.pending_scope = Scope::everything();
        self.topology_changed(Change::Topology, trigger);
    }

    /// Something the routing table depends on changed, and is in the scope; it will be calculated when RFC 8405 allows.
    pub(crate) fn topology_changed(&mut self, change: Change, trigger: Trigger) {
        match &mut self.pending_change {
            Some(pending) => pending.add(change),
            None => self.pending_change = Some(routes::Pending::new(change, trigger)),
        }
        self.change_this_turn = true;
    }

    fn expire(&mut self, now: Instant, key: TimerKey) {
        match key {
            TimerKey::Inactivity(ifindex, router_id) => {
                let id = NeighborId { ifindex, router_id };
                if !self.pardon_silence(now, id) {
                    self.neighbor_event(now, id, NeighborEvent::InactivityTimer);
                }
            }
            TimerKey::Wait(ifindex) => self.interface_event(now, ifindex, InterfaceEvent::WaitTimer),
            TimerKey::Hello(ifindex) => self.hello_timer(now, ifindex),
            TimerKey::DatabaseDescription(ifindex, router_id) => {
                self.description_unanswered(now, NeighborId { ifindex, router_id });
            }
            TimerKey::SlaveHold(ifindex, router_id) => {
                self.release_description(NeighborId { ifindex, router_id });
            }
            TimerKey::LinkStateRequest(ifindex, router_id) => {
                self.request_unanswered(now, NeighborId { ifindex, router_id });
            }
            TimerKey::Retransmission(ifindex, router_id) => {
                self.retransmit(now, NeighborId { ifindex, router_id });
            }
            TimerKey::DelayedAck(ifindex) => self.send_delayed_acks(now, ifindex),
            TimerKey::FloodPacing(ifindex) => {
                self.flooding.insert(ifindex);
            }
            TimerKey::HeldArrival(database, key) => self.release_held(now, database, key),
            TimerKey::Originate(database, key) => self.reconcile(now, database, key),
            TimerKey::ForgetOwn(database, key) => self.forget_when_quiet(now, database, key),
            TimerKey::EarlySpf => self.run_spf(now),
            TimerKey::Alternates => self.alternates_timer(now),
            TimerKey::EndSync => self.end_sync(now),
            TimerKey::BfdLinger => self.bfd_linger_timer(),
            TimerKey::BfdBridge => self.bridge_timer(now),
            TimerKey::BfdProbation => self.probation_timer(now),
            TimerKey::BfdEndSync => self.end_bfd_sync(),
            TimerKey::Shutdown => self.shutdown_timer(now),
            TimerKey::Startup => self.startup_over("the configured time is over"),
            TimerKey::Announcement(ifindex) => self.repeat_announcement(now, ifindex),
            TimerKey::Helping(ifindex, router_id) => {
                self.helping_expired(now, NeighborId { ifindex, router_id });
            }
            TimerKey::RestartCandidate => self.candidate_expired(now),
            TimerKey::GracePeriod => self.grace_period_over(now),
            TimerKey::RestartSilence => self.restart_silence(now),
            TimerKey::Departure => self.depart(now),
            TimerKey::Save => self.save_now(now),
        }
    }

    fn finish_turn(&mut self, now: Instant) {
        self.drain_events(now);
        if self.finished {
            return;
        }
        self.introduce_ourselves(now);
        self.flush_floods(now);
        self.install_after_restart(now);
        self.calculate_when_allowed(now);
        self.end_sync_if_converged(now);
        self.advance_startup(now);
        self.refresh_bfd(now);
        self.linger_if_drained(now);
        self.finish_shutdown_if_flushed(now);
        self.save_if_wanted(now);
    }
}

impl Machine for Instance {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        if self.finished {
            return;
        }
        self.started.get_or_insert(now);
        match input {
            Input::Packet(received) => self.receive(now, &received),
            Input::Link(event) => self.link_event(now, event),
            Input::Reconfigure(config) => self.reconfigure(now, *config),
            Input::Rib(message) => self.rib_message(now, message),
            Input::RibConnected => self.rib_connected(now),
            Input::RibLost => self.rib_lost(),
            Input::Bfd(message) => self.bfd_message(now, message),
            Input::BfdConnected => self.bfd_connected(now),
            Input::BfdLost => self.bfd_lost(now),
            Input::WallClock(seconds) => self.wall_clock_told(now, seconds),
            Input::Clear(what) => self.clear(now, what),
            Input::Shutdown => self.begin_shutdown(now),
            Input::Restored(saved) => self.restored(now, saved.map(|saved| *saved)),
            Input::PrepareRestart => self.prepare_restart(now),
        }
        self.finish_turn(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.finished {
            return;
        }
        while let Some(key) = self.timers.pop_expired(now) {
            self.expire(now, key);
            if self.finished {
                return;
            }
        }
        self.age_databases(now);
        self.finish_turn(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if self.finished {
            return None;
        }
        let areas = self.areas.values().map(|a| a.lsdb.next_attention());
        let links = self.link_scoped.iter().filter_map(|i| self.interfaces.get(i));
        let links = links.map(|i| i.lsdb.next_attention());
        areas
            .chain(links)
            .chain([self.as_lsdb.next_attention(), self.timers.next_deadline(), self.backoff.poll_timeout()])
            .flatten()
            .min()
    }
}
