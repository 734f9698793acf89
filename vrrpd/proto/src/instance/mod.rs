//! All virtual routers of this host behind the five verbs of [`Machine`].
//!
//! Invariants:
//! * nothing starts before the kernel's first snapshot is complete and a configuration is there;
//! * an input that may have made a difference between wishes and kernel leaves a timeout due at once, and that
//!   one compares everything (`reconcile`): a thousand link events told in one go cost one comparison, which comes
//!   before anything else is acted on;
//! * a packet that fails a check of [`crate::packet::examine`] changes its counter and nothing else;
//! * virtual addresses and devices that carry our mark and belong to no virtual router are removed, whoever
//!   left them.
//!
//! Stopping ([`Input::Shutdown`], or a group leaving the configuration): an Active router sends priority 0 as
//! the RFC says, but keeps addresses and device until its successor's first advertisement, or until the
//! longest Skew_Time has passed. The gateway then answers without a gap.

mod context;
mod input;
mod kernel;
mod output;
mod reconcile;

pub(crate) use context::{Context, TimerKind};
pub use input::Input;
pub use output::{FrameKind, Output, SysctlFamily};

use crate::api;
use crate::arp;
use crate::machine::Event;
use crate::packet::{self, Discard, Discards, Received};
use crate::router::{Blocked, Cause, Service, VirtualRouter};
use crate::throttle::Throttle;
use context::{Listening, TimerKey};
use kernel::{Kernel, Wishes};
use rib::message::Attachment;
use routing_common::config::{Config, VrrpGroup};
use routing_common::id::{IfIndex, InterfaceName, Vrid};
use routing_common::link::LinkEvent;
use routing_common::machine::Machine;
use routing_common::notice::Notice;
use routing_common::time::Instant;
use routing_common::timer::TimerQueue;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The `ifalias` of the macvlans we make.
pub const DEVICE_TAG: &str = "torc-vrrp";

/// Identifies a virtual router: the same VRID on two interfaces is two virtual routers.
pub(crate) type Key = (InterfaceName, Vrid);

/// The VRRP engine of one host.
#[derive(Debug, Clone, Default)]
pub struct Instance {
    kernel: Kernel,
    wishes: Wishes,
    routers: BTreeMap<u32, VirtualRouter>,
    index: BTreeMap<Key, u32>,
    next_id: u32,
    /// Base interfaces the shell listens on.
    open: BTreeMap<IfIndex, InterfaceName>,
    /// Interfaces whose kernel parameters were asked for.
    tuned: BTreeSet<IfIndex>,
    /// Packets for virtual routers we do not have, by interface.
    strays: BTreeMap<InterfaceName, Discards>,
    /// What ARP is listened for.
    listening: Listening,
    timers: TimerQueue<TimerKey>,
    out: VecDeque<Output>,
    dirty: bool,
    configured: bool,
    /// [`Input::RoutesStand`].
    pub(crate) routes_stand: bool,
    /// [`Input::Attached`].
    attached: Vec<Attachment>,
    stopping: bool,
    finished: bool,
    last_fault: Option<(Instant, String)>,
    fault_notices: Throttle<String>,
}

impl Machine for Instance {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        if !matches!(input, Input::Link(_)) {
            self.reconcile_if_dirty(now);
        }
        match input {
            Input::Link(event) => self.link(event),
            Input::Reconfigure(config) => self.reconfigure(now, &config),
            Input::Packet { ifindex, packet } => self.packet(now, ifindex, packet),
            Input::Arp { ifindex, message } => self.arp(now, ifindex, message),
            Input::RoutesStand(stand) => self.routes_stand = stand,
            Input::Attached(attachments) => self.witnessed(now, attachments),
            Input::Fault { ifindex, text } => self.fault(now, ifindex, text),
            Input::Shutdown => self.shutdown(now),
        }
        if self.dirty {
            self.timers.arm(context::RETRY_KEY, now);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.reconcile_if_dirty(now);
        while let Some(deadline) = self.timers.next_deadline() {
            let Some((id, kind)) = self.timers.pop_expired(now) else { break };
            if kind == TimerKind::Retry {
                self.dirty = true;
            }
            self.with(now, id, |router, cx| router.timer(cx, kind, deadline));
        }
        self.reconcile_if_dirty(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next_deadline()
    }
}

impl Instance {
    /// An engine that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers a show command.
    ///
    /// # Errors
    /// A text for the operator when nothing matches.
    pub fn query(&self, now: Instant, request: &api::Request) -> Result<serde_json::Value, String> {
        crate::show::query(self, now, request)
    }

    /// The virtual routers, in order of their creation.
    pub fn routers(&self) -> impl Iterator<Item = &VirtualRouter> {
        self.routers.values()
    }

    /// Packets that were for no virtual router of ours, by interface.
    pub(crate) fn strays(&self) -> &BTreeMap<InterfaceName, Discards> {
        &self.strays
    }

    /// The last thing the kernel refused, and when.
    pub(crate) fn last_fault(&self) -> Option<&(Instant, String)> {
        self.last_fault.as_ref()
    }

    /// What the virtual routers are known by, for loops that change them.
    fn ids(&self) -> Vec<u32> {
        self.routers.keys().copied().collect()
    }

    /// Runs `f` on one virtual router with everything it may touch.
    fn with<R>(
        &mut self,
        now: Instant,
        id: u32,
        f: impl FnOnce(&mut VirtualRouter, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let router = self.routers.get_mut(&id)?;
        let mut cx = Context {
            now,
            id,
            kernel: &self.kernel,
            routes_stand: self.routes_stand,
            wishes: &mut self.wishes,
            listening: &mut self.listening,
            timers: &mut self.timers,
            out: &mut self.out,
            dirty: &mut self.dirty,
        };
        Some(f(router, &mut cx))
    }

    /// Compares if there may be a difference. Comes before packets, timers and commands, which after a stall wait
    /// together with news of the kernel: none of them may act for an interface that is known to be gone.
    fn reconcile_if_dirty(&mut self, now: Instant) {
        if std::mem::take(&mut self.dirty) && self.kernel.complete && self.configured {
            self.reconcile(now);
        }
    }

    /// Who else is attached to the network of a virtual router, as far as is known.
    pub fn attached(&self, router: &VirtualRouter) -> Option<&Attachment> {
        router.attachment(&self.attached)
    }

    fn witnessed(&mut self, now: Instant, present: Vec<Attachment>) {
        let before = std::mem::replace(&mut self.attached, present.clone());
        for id in self.ids() {
            self.with(now, id, |router, cx| router.witnessed(cx, &before, &present));
        }
    }

    fn link(&mut self, event: LinkEvent) {
        if let LinkEvent::AddressRemoved(address) = &event {
            for router in self.routers.values_mut() {
                let ours = router.service == Service::On && router.has_address(address.network);
                let device = context::service_interface(&self.kernel, router);
                if ours && device == Some(address.ifindex) {
                    router.stats.address_readds += 1;
                    let text = format!(
                        "vrrp {} ({}): {} was removed from interface {} and is put back",
                        router.name, router.group.vrid, address.network, address.ifindex
                    );
                    self.out.push_back(Output::Notice(Notice::warning("vrrp-address-removed", text)));
                }
            }
        }
        if let LinkEvent::LinkRemoved(ifindex) = &event {
            self.tuned.remove(ifindex);
        }
        self.kernel.apply(event);
        self.dirty = true;
    }

    fn packet(&mut self, now: Instant, ifindex: IfIndex, received: Received<'_>) {
        let Some(name) = self.open.get(&ifindex).cloned() else { return };
        let id = packet::claimed_vrid(received.payload)
            .and_then(|vrid| self.index.get(&(name.clone(), vrid)).copied());
        let expected = id.and_then(|id| self.routers.get(&id)).map(VirtualRouter::expected);
        match (packet::examine(received, expected), id) {
            (Ok((advertisement, form)), Some(id)) => {
                self.with(now, id, |router, cx| {
                    router.advertisement(cx, received.source, &advertisement, form);
                });
            }
            (Ok(_), None) => self.discard(now, None, &name, Discard::Vrid, received),
            (Err(reason), id) => self.discard(now, id, &name, reason, received),
        }
    }

    /// For those that asked, and that is nobody most of the time.
    fn arp(&mut self, now: Instant, ifindex: IfIndex, message: &[u8]) {
        let Some(heard) = arp::read(message) else { return };
        let asking: Vec<u32> =
            self.listening.range((ifindex, 0)..=(ifindex, u32::MAX)).map(|((_, id), _)| *id).collect();
        for id in asking {
            self.with(now, id, |router, cx| router.arp(cx, &heard));
        }
    }

    /// Counts a dropped packet, and nothing else but a rate-limited notice.
    fn discard(
        &mut self,
        now: Instant,
        id: Option<u32>,
        name: &InterfaceName,
        reason: Discard,
        packet: Received<'_>,
    ) {
        let counters = match id.and_then(|id| self.routers.get_mut(&id)) {
            Some(router) => &mut router.discards,
            None => self.strays.entry(name.clone()).or_default(),
        };
        if counters.count(now, reason) {
            let vrid = packet.payload.get(1).copied().unwrap_or(0);
            let text =
                format!("{name}: packet from {} for vrid {vrid} dropped: {}", packet.source, reason.name());
            self.out.push_back(Output::Notice(Notice::warning("vrrp-discard", text)));
        }
    }

    fn fault(&mut self, now: Instant, ifindex: Option<IfIndex>, text: String) {
        if let Some(ifindex) = ifindex {
            self.open.remove(&ifindex);
        }
        // A probe may not have left, and an answer may not be heard: then silence means nothing.
        for id in self.ids() {
            self.with(now, id, |router, cx| router.stop_probing(cx));
        }
        // Parameters are asked for blindly, so any of them may be what was refused. One that holds already
        // costs a look.
        self.tuned.clear();
        self.timers.arm_no_later(context::RETRY_KEY, now + kernel::RETRY);
        if self.fault_notices.due(now, text.clone()) {
            self.out.push_back(Output::Notice(Notice::error("vrrp-kernel", text.clone())));
        }
        self.last_fault = Some((now, text));
    }

    fn reconfigure(&mut self, now: Instant, config: &Config) {
        if self.stopping {
            return;
        }
        let mut wanted: BTreeMap<Key, (&String, &VrrpGroup)> = BTreeMap::new();
        for (name, group) in &config.vrrp_groups {
            wanted.insert((group.interface.clone(), group.vrid), (name, group));
        }
        let gone: Vec<u32> =
            self.index.iter().filter(|(key, _)| !wanted.contains_key(key)).map(|(_, id)| *id).collect();
        for id in gone {
            self.retire(now, id);
        }
        for (key, (name, group)) in wanted {
            match self.index.get(&key).copied() {
                Some(id) => self.change(now, id, name, group),
                None => self.add(key, name, group),
            }
        }
        self.configured = true;
        self.dirty = true;
    }

    fn add(&mut self, key: Key, name: &str, group: &VrrpGroup) {
        self.next_id += 1;
        let _previous = self.index.insert(key, self.next_id);
        self.routers.insert(self.next_id, VirtualRouter::new(name.to_owned(), group.clone()));
    }

    fn change(&mut self, now: Instant, id: u32, name: &str, group: &VrrpGroup) {
        let Some(router) = self.routers.get_mut(&id) else { return };
        name.clone_into(&mut router.name);
        // It may have been on its way out; what lingers then hands over to itself.
        router.retired = false;
        if router.group == *group {
            return;
        }
        if router.group.version == group.version && router.group.virtual_mac == group.virtual_mac {
            self.with(now, id, |router, cx| router.adjust(cx, group.clone()));
            return;
        }
        // Another protocol on the wire or another MAC: stop as the one, start as the other.
        self.with(now, id, |router, cx| {
            router.step(cx, Event::Shutdown, Cause::Admin, None);
            router.withdraw(cx);
            router.group = group.clone();
            router.peers.clear();
            router.alarms.clear();
        });
    }

    fn retire(&mut self, now: Instant, id: u32) {
        self.with(now, id, |router, cx| {
            router.step(cx, Event::Shutdown, Cause::Admin, None);
            router.retired = true;
            router.blocked = Some(Blocked::Stopped);
            cx.touch();
        });
    }

    fn shutdown(&mut self, now: Instant) {
        self.stopping = true;
        self.configured = true;
        self.kernel.complete = true;
        self.dirty = true;
        for id in self.ids() {
            self.retire(now, id);
        }
    }
}

#[cfg(test)]
mod tests;
