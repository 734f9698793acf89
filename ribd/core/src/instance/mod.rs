//! The machine: five verbs around the table.
//!
//! Every input changes candidates, links or sessions and marks prefixes *dirty*; [`Rib::settle`] then
//! evaluates exactly those (and every recursive static route, which may depend on any of them), hands
//! what changed to the FIB and to subscribers, and issues requests. Nothing is requested of the kernel
//! before both links and kernel tables have been read once ([`Rib::is_ready`]), so that a restart finds
//! its own routes before it writes any.

mod clients;
mod sources;

use crate::fib::{Fib, KernelSnapshot};
use crate::io::{Input, Output};
use crate::links::{LinkCounts, Links};
use crate::message::{Attachment, Protocol, Redistributed, RibMessage};
use crate::resolve::View;
use crate::route::{Selected, Target, kernel_protocol, protocol_of_kernel};
use crate::session::{ClientId, Session};
use crate::system::{System, SystemOp};
use crate::table::Table;
use ipnetwork::Ipv4Network;
use routing_common::config::Config;
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::LinkEvent;
use routing_common::machine::Machine;
use routing_common::notice::Notice;
use routing_common::time::{Duration, Instant};
use routing_common::timer::TimerQueue;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// First delay before a refused request is tried again; doubles up to [`RETRY_MAX`].
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// Longest delay between attempts.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// Delay before a refused address or sysctl is tried again.
const SYSTEM_RETRY: Duration = Duration::from_secs(5);
/// Notices about failures and foreign changes per [`NOTICE_WINDOW`].
const NOTICE_BURST: u32 = 10;
/// See [`NOTICE_BURST`].
const NOTICE_WINDOW: Duration = Duration::from_secs(10);

/// What the RIB waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TimerKey {
    /// The stale routes of this protocol go.
    Stale(Protocol),
    /// Refused FIB requests are tried again.
    FibRetry,
    /// Refused addresses and sysctls are tried again.
    SystemRetry,
    /// A change that a client did not tell to its end counts as told.
    Part,
}

/// The routing information base.
#[derive(Debug, Default)]
pub struct Rib {
    pub(crate) config: Option<Box<Config>>,
    pub(crate) links: Links,
    pub(crate) link_counts: BTreeMap<IfIndex, LinkCounts>,
    pub(crate) table: Table,
    pub(crate) fib: Fib,
    pub(crate) system: System,
    pub(crate) sessions: BTreeMap<ClientId, Session>,
    /// What the protocols' present sessions said of [`ClientMessage::Attached`](crate::message::ClientMessage).
    attached: BTreeMap<Protocol, Vec<Attachment>>,
    /// Prefixes with a static candidate that may need other routes.
    recursive: BTreeSet<Ipv4Network>,
    /// Static candidates in the table.
    statics: BTreeSet<(Ipv4Network, u8)>,
    /// Connected candidates in the table.
    connected: BTreeSet<(Ipv4Network, IfIndex)>,
    /// Prefixes to evaluate again, in any order and perhaps twice: most inputs bring them sorted, and
    /// sorting what is sorted is cheaper than keeping a set.
    dirty: Vec<Ipv4Network>,
    /// Answers to give once the requests of this input are issued.
    answers: Vec<(ClientId, RibMessage)>,
    timers: TimerQueue<TimerKey>,
    outputs: VecDeque<Output>,
    fib_attempts: u32,
    links_known: bool,
    kernel_known: bool,
    stopping: bool,
    notice_window: Option<(Instant, u32)>,
    pub(crate) notices_suppressed: u64,
}

impl Machine for Rib {
    type Input<'a> = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Reconfigure(config) => self.reconfigure(now, config),
            Input::Link(event) => self.link_event(now, event),
            Input::KernelSnapshot(snapshot) => self.kernel_snapshot(now, snapshot),
            Input::RouteDisturbed(prefix) => {
                if self.fib.route_disturbed(now, prefix) {
                    let text = format!("route {prefix} was changed by somebody else and is put back");
                    self.limited(now, Notice::warning("foreign-route-change", text));
                }
            }
            Input::NextHopPut(id) => self.fib.object_put(id),
            Input::NextHopRemoved(id) => self.fib.object_removed(id),
            Input::FibResults(results) => {
                for text in self.fib.answer(results) {
                    self.limited(now, Notice::warning("fib-refused", text));
                }
            }
            Input::SystemResult(op, outcome) => {
                if let Err(text) = &outcome {
                    self.limited(now, Notice::warning("system-refused", format!("{op:?}: {text}")));
                }
                self.system.answer(op, outcome);
            }
            Input::ClientConnected(id) => {
                self.sessions.insert(id, Session::new(now));
            }
            Input::ClientMessage(id, message) => self.client_message(now, id, message),
            Input::ClientGone(id) => self.client_gone(now, id),
            Input::Shutdown => self.shutdown(),
        }
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some(key) = self.timers.pop_expired(now) {
            match key {
                TimerKey::Stale(protocol) => self.sweep_stale(protocol),
                TimerKey::FibRetry => {
                    self.fib_attempts = self.fib_attempts.saturating_add(1);
                    self.fib.retry();
                }
                TimerKey::SystemRetry => self.request_system(true),
                TimerKey::Part => self.sessions.values_mut().for_each(|s| s.tells_more = false),
            }
        }
        self.settle(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next_deadline()
    }
}

impl Rib {
    /// A RIB that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Have configuration, links and the kernel's tables been read?
    pub fn is_ready(&self) -> bool {
        self.config.is_some() && self.links_known && self.kernel_known
    }

    /// The FIB model, for tests and shows.
    pub fn fib(&self) -> &Fib {
        &self.fib
    }

    /// The table, for tests and shows.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The links, for tests and shows.
    pub fn links(&self) -> &Links {
        &self.links
    }

    fn notice(&mut self, notice: Notice) {
        self.outputs.push_back(Output::Notice(notice));
    }

    /// A notice that something outside can provoke at will.
    fn limited(&mut self, now: Instant, notice: Notice) {
        let (since, count) = match self.notice_window {
            Some((since, count)) if now.since(since) < NOTICE_WINDOW => (since, count + 1),
            _ => (now, 1),
        };
        self.notice_window = Some((since, count));
        if count <= NOTICE_BURST {
            self.notice(notice);
        } else {
            self.notices_suppressed += 1;
        }
    }

    fn reconfigure(&mut self, now: Instant, config: Box<Config>) {
        self.links.configure(&config);
        self.fib.set_objects_wanted(config.rib.next_hop_objects);
        self.offer_statics(now, &config);
        self.config = Some(config);
        let (awaited, statics) = (self.awaits_ospf(), self.static_prefixes());
        // What nobody will ever claim has no reason to be held.
        self.fib.release_held(|prefix, number| !is_held_for(awaited, &statics, prefix, number));
        self.request_system(false);
    }

    fn link_event(&mut self, now: Instant, event: LinkEvent) {
        self.note_system(now, &event);
        let change = self.links.apply(event);
        if let Some(ifindex) = change.ifindex {
            match self.links.get(ifindex) {
                Some(_) => self.link_counts.entry(ifindex).or_default().count(now, &change),
                None => _ = self.link_counts.remove(&ifindex),
            }
            if change.stopped {
                self.fib.link_stopped(ifindex);
            }
            if change.started && self.is_configured(ifindex) {
                self.outputs.push_back(Output::System(SystemOp::ForgetUnresolved(ifindex)));
            }
            if change.addressless {
                self.fib.addresses_gone(ifindex);
            }
            if change.next_hops {
                self.dirty.extend(self.table.prefixes_where(|c| sources::uses_interface(c, ifindex)));
            }
            self.dirty.extend(self.statics.iter().map(|(prefix, _)| *prefix));
            self.offer_connected(now);
        }
        if self.links_known {
            self.request_system(false);
        }
    }

    /// Does the configuration name this interface?
    fn is_configured(&self, ifindex: IfIndex) -> bool {
        let interfaces = self.config.as_ref().map(|c| &c.interfaces);
        self.links.get(ifindex).zip(interfaces).is_some_and(|(l, i)| i.contains_key(&l.name))
    }

    /// What an event means for addresses and settings, before the links take it in.
    fn note_system(&mut self, now: Instant, event: &LinkEvent) {
        match event {
            LinkEvent::SnapshotComplete => {
                self.links_known = true;
                self.system.doubt();
            }
            LinkEvent::LinkRemoved(ifindex) => {
                let name = self.links.name_of(*ifindex);
                self.system.link_removed(*ifindex, &name);
            }
            LinkEvent::AddressRemoved(address) => {
                if let Some(config) = &self.config {
                    self.system.address_removed(config, &self.links, address);
                }
            }
            LinkEvent::AddressAdded(address) if self.system.address_added(address) => {
                let interface = self.links.name_of(address.ifindex);
                let text = format!("{} was taken off {interface} and is put back", address.network);
                self.limited(now, Notice::warning("foreign-address-change", text));
            }
            LinkEvent::AddressAdded(_) | LinkEvent::LinkChanged(_) => {}
        }
    }

    fn kernel_snapshot(&mut self, now: Instant, snapshot: KernelSnapshot) {
        let (first, awaited, statics) = (!self.kernel_known, self.awaits_ospf(), self.static_prefixes());
        let missing = self
            .fib
            .adopt(snapshot, |prefix, number| first && is_held_for(awaited, &statics, prefix, number));
        self.kernel_known = true;
        if missing > 0 {
            let text = format!("{missing} routes had vanished from the kernel and are put back");
            self.notice(Notice::warning("routes-vanished", text));
        }
        let held = self.fib.held();
        if first && held > 0 {
            self.arm_stale(now, Protocol::Ospf);
            let text = format!("{held} routes found in the kernel are kept until their owner returns");
            self.notice(Notice::info("routes-adopted", text));
        }
    }

    /// Is there an ospfd to wait for that has not told its routes yet?
    fn awaits_ospf(&self) -> bool {
        self.config.as_ref().is_some_and(|c| c.ospf.is_some())
            && !self.sessions.values().any(|s| s.synced && s.protocol == Some(Protocol::Ospf))
    }

    fn static_prefixes(&self) -> BTreeSet<Ipv4Network> {
        self.statics.iter().map(|(p, _)| *p).collect()
    }

    pub(super) fn stale_time(&self) -> Duration {
        self.config.as_ref().map_or(Duration::ZERO, |c| c.rib.stale_time)
    }

    fn arm_stale(&mut self, now: Instant, protocol: Protocol) {
        self.timers.arm(TimerKey::Stale(protocol), now + self.stale_time());
    }

    fn request_system(&mut self, retry: bool) {
        if let (Some(config), true, false) = (&self.config, self.links_known, self.stopping) {
            let ops = self.system.reconcile(config, &self.links, retry);
            self.outputs.extend(ops.into_iter().map(Output::System));
        }
    }

    fn shutdown(&mut self) {
        self.stopping = true;
        let all: Vec<Ipv4Network> = self.fib.iter().map(|(p, _)| p).collect();
        for prefix in all {
            self.fib.want(prefix, None);
        }
        self.fib.release_held(|_, _| true);
    }

    /// Brings everything in line after an input. See the module text.
    fn settle(&mut self, now: Instant) {
        if !self.stopping {
            self.evaluate_dirty();
        }
        if self.is_ready() {
            self.fib.hold_moves(self.sessions.values().any(|s| s.tells_more));
            self.fib.commit();
            while let Some(request) = self.fib.poll_request() {
                self.outputs.push_back(Output::Fib(request));
            }
            let issued = self.fib.issued();
            for (id, answer) in core::mem::take(&mut self.answers) {
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.owed.push((issued, answer));
                }
            }
        }
        self.tell_clients();
        self.arm_retries(now);
    }

    fn evaluate_dirty(&mut self) {
        if self.dirty.is_empty() {
            return;
        }
        let mut dirty = core::mem::take(&mut self.dirty);
        dirty.extend(&self.recursive);
        dirty.sort_unstable();
        dirty.dedup();
        let listened = self.sessions.values().any(Session::listens);
        for prefix in dirty {
            let view = View { table: &self.table, links: &self.links };
            let Some(entry) = self.table.get(prefix) else {
                self.fib.want(prefix, None);
                continue;
            };
            let selected = view.evaluate(prefix, entry);
            if selected == entry.selected && !entry.candidates.is_empty() {
                continue;
            }
            self.fib.want(prefix, selected.as_ref().and_then(wanted));
            if listened {
                let news = selected.as_ref().map(|s| redistributed(&self.links, prefix, s));
                for session in self.sessions.values_mut() {
                    session.update(prefix, news.as_ref());
                }
            }
            self.table.select(prefix, selected);
        }
    }

    fn arm_retries(&mut self, now: Instant) {
        if self.fib.take_fresh_failure() {
            // One that never succeeds must not slow down the first retry of another.
            self.fib_attempts = 0;
            self.timers.arm_no_later(TimerKey::FibRetry, now + RETRY_FIRST);
        }
        if !self.fib.has_failed() {
            // While a new attempt is under way nobody knows yet whether it helps.
            if self.fib.issued() == self.fib.done() {
                self.fib_attempts = 0;
            }
        } else if !self.timers.is_armed(TimerKey::FibRetry) {
            let delay = RETRY_FIRST.saturating_mul(1 << self.fib_attempts.min(16)).min(RETRY_MAX);
            self.timers.arm(TimerKey::FibRetry, now + delay);
        }
        if self.system.has_failed() && !self.timers.is_armed(TimerKey::SystemRetry) {
            self.timers.arm(TimerKey::SystemRetry, now + SYSTEM_RETRY);
        }
    }
}

/// Is a route found in the kernel at start somebody's who may still claim it? OSPF's are while ospfd is
/// awaited; so are static ones of the configuration, whose gateway may be found through OSPF.
fn is_held_for(ospf_awaited: bool, statics: &BTreeSet<Ipv4Network>, prefix: Ipv4Network, number: u8) -> bool {
    ospf_awaited
        && match protocol_of_kernel(number) {
            Some(Protocol::Ospf) => true,
            Some(Protocol::Static) => statics.contains(&prefix),
            _ => false,
        }
}

/// What the kernel is to hold for a selected route: nothing for connected ones, which it makes itself.
fn wanted(selected: &Selected) -> Option<(u8, Target)> {
    Some((kernel_protocol(selected.origin.protocol())?, selected.target.clone()))
}

/// A selected route as subscribers see it.
fn redistributed(links: &Links, prefix: Ipv4Network, selected: &Selected) -> Redistributed {
    let first = match &selected.target {
        Target::Hops(hops) => hops.first(),
        Target::Blackhole => None,
    };
    let next_hop = first.and_then(|h| h.gateway);
    let interface: Option<InterfaceName> = first.and_then(|h| links.get(h.ifindex)).map(|l| l.name.clone());
    let (protocol, metric, tag) = (selected.origin.protocol(), selected.metric, selected.tag);
    Redistributed { protocol, prefix, metric, tag, next_hop, interface }
}
