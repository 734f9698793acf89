//! Carrying out what the table of [`crate::machine`] says.

use super::{Binding, Cause, Service, Transition, VirtualRouter};
use crate::announce::{self, ArpForm, BURST};
use crate::constants::STOP_PRIORITY;
use crate::instance::{Context, FrameKind, Output, TimerKind};
use crate::machine::{Action, Event, State, transition};
use crate::packet::Advertisement;
use crate::timing;
use routing_common::config::{VrrpGroup, VrrpVersion};
use routing_common::notice::Notice;
use routing_common::time::{Duration, Instant};

/// An Active router repeats its announcement this often, for hosts and bridges that forgot or never heard.
const ANNOUNCE_REFRESH: Duration = Duration::from_secs(60);

/// Advertisements that want an answer get one no more often than this, whoever floods us with them.
const LEAST_ANSWER_GAP: Duration = Duration::from_millis(20);

impl VirtualRouter {
    /// Feeds one event to the table and does what it says. `learned` is the interval of the advertisement
    /// that is the event.
    pub(crate) fn step(
        &mut self,
        cx: &mut Context<'_>,
        event: Event,
        cause: Cause,
        learned: Option<Duration>,
    ) {
        if event == Event::Alone || event == Event::ActiveDownTimer {
            self.note_takeover(cx.now, cause);
        }
        if !matches!(event, Event::Startup | Event::AdverTimer) {
            self.stop_probing(cx);
        }
        let (next, actions) = transition(self.state, event, self.facts(cx.now, cx.routes_stand));
        if next != self.state {
            self.stats.transitions += 1;
            self.history.push(Transition {
                at: cx.now,
                from: self.state,
                to: next,
                cause,
                number: self.stats.transitions,
                silence: self.peers.values().map(|p| p.heard).max().map(|heard| cx.now.since(heard)),
            });
            let text = format!(
                "vrrp {} ({}): {} -> {next}, {}",
                self.name,
                self.group.vrid,
                self.state,
                cause.code()
            );
            cx.notice(Notice::info("vrrp-state", text).on(&self.group.interface));
            self.state = next;
        }
        for action in actions {
            self.act(cx, *action, cause, learned);
        }
    }

    fn act(&mut self, cx: &mut Context<'_>, action: Action, cause: Cause, learned: Option<Duration>) {
        match action {
            Action::Advertise => self.send(cx, self.group.priority),
            Action::AdvertiseStop => {
                self.stats.stop_tx += 1;
                self.send(cx, STOP_PRIORITY);
            }
            Action::Assert => self.assert_mastership(cx),
            Action::Serve => {
                self.set_service(cx, Service::On);
                cx.cancel(TimerKind::Linger);
                cx.serve(self);
                self.refreshed = None;
                self.refresh(cx);
            }
            Action::KeepServing => {
                self.set_service(cx, Service::Kept);
                cx.cancel(TimerKind::Linger);
                self.refresh(cx);
            }
            Action::Withdraw => self.withdraw(cx),
            Action::WithdrawLater => {
                self.set_service(cx, Service::Lingering);
                let time = timing::linger_time(self.group.version, self.group.advertisement_interval);
                cx.arm(TimerKind::Linger, cx.now + time);
            }
            Action::Announce => {
                self.burst_start = cx.now;
                self.burst_sent = 0;
                self.announce(cx);
            }
            Action::StartAdverTimer => cx.arm(TimerKind::Adver, cx.now + self.group.advertisement_interval),
            Action::ContinueAdverTimer => {
                let interval = self.group.advertisement_interval;
                cx.arm(TimerKind::Adver, timing::next_advertisement(self.adver_deadline, interval, cx.now));
            }
            Action::StopTimers => {
                self.better_since = None;
                cx.cancel(TimerKind::Adver);
                cx.cancel(TimerKind::ActiveDown);
            }
            Action::ResetActiveInterval => self.active_interval = self.group.advertisement_interval,
            Action::LearnActiveInterval => {
                self.active_interval = learned.unwrap_or(self.group.advertisement_interval);
            }
            Action::StartActiveDownTimer => {
                self.start_down_timer(cx, self.active_down_interval(), waiting_for(cause));
            }
            Action::StartSkewTimer => self.start_down_timer(cx, self.skew_time(), Cause::PriorityZero),
            Action::Listen => {
                let time = self.active_interval + self.active_interval / 8;
                self.start_down_timer(cx, time, cause);
                self.postponed = cause == Cause::Stalled;
            }
            Action::Probe => self.probe_at_start(cx),
        }
    }

    fn start_down_timer(&mut self, cx: &mut Context<'_>, time: Duration, cause: Cause) {
        self.down_base = cx.now;
        self.down_cause = cause;
        self.postponed = false;
        cx.arm(TimerKind::ActiveDown, cx.now + time);
    }

    /// May an advertisement be answered now? Bounded, because its sender decides how often it comes. One that
    /// gets no answer came so soon after the last one that there would be nothing new in it.
    pub(super) fn may_answer(&mut self, now: Instant) -> bool {
        let gap = (self.group.advertisement_interval / 4).max(LEAST_ANSWER_GAP);
        let may = self.answered.is_none_or(|t| now.since(t) >= gap);
        if may {
            self.answered = Some(now);
        }
        may
    }

    /// Answers a losing advertisement.
    fn assert_mastership(&mut self, cx: &mut Context<'_>) {
        if self.may_answer(cx.now) {
            self.send(cx, self.group.priority);
            self.act(cx, Action::Announce, Cause::LostElection, None);
        }
    }

    fn send(&mut self, cx: &mut Context<'_>, priority: u8) {
        let (Some(Binding { ifindex, primary, .. }), Some(mac)) = (self.binding, self.service_mac()) else {
            return;
        };
        let message = Advertisement {
            version: self.group.version,
            vrid: self.group.vrid,
            priority,
            interval: self.group.advertisement_interval,
            addresses: self.group.virtual_addresses.iter().map(|a| a.ip()).collect(),
        }
        .encode(primary, self.group.checksum);
        self.stats.adver_tx += 1;
        let frame = announce::advertisement_frame(mac, primary, &message);
        cx.output(Output::Transmit { ifindex, frame, kind: FrameKind::Advertisement });
    }

    /// Sends one round of announcements and plans the next.
    pub(super) fn announce(&mut self, cx: &mut Context<'_>) {
        if self.state != State::Active {
            return;
        }
        let (Some(binding), Some(mac)) = (self.binding, self.service_mac()) else { return };
        for address in &self.group.virtual_addresses {
            for form in [ArpForm::Request, ArpForm::Reply] {
                let frame = announce::gratuitous_arp_frame(mac, address.ip(), form);
                self.stats.garp_tx += 1;
                let kind = FrameKind::GratuitousArp;
                cx.output(Output::Transmit { ifindex: binding.ifindex, frame, kind });
            }
        }
        self.burst_sent += 1;
        let next = match BURST.get(self.burst_sent) {
            Some(offset) => self.burst_start + *offset,
            None => cx.now + ANNOUNCE_REFRESH,
        };
        cx.arm(TimerKind::Announce, next);
    }

    /// Renews the lifetime of the addresses while they are in service. After a sleep longer than the lifetime
    /// the mirror still shows what the kernel has removed; renewing would put it back. An address that somebody
    /// else put on the interface is not ours to give a lifetime, though it be the same.
    pub(super) fn refresh(&mut self, cx: &mut Context<'_>) {
        if matches!(self.service, Service::Off | Service::Lingering) {
            return;
        }
        let lifetime = self.address_lifetime();
        let expired = self.refreshed.take().is_some_and(|at| cx.now.since(at) >= lifetime);
        if let Some(ifindex) = cx.service_interface(self).filter(|_| !expired) {
            self.refreshed = Some(cx.now);
            for address in self.hosts() {
                // An address the mirror does not show is a wish already, with the same lifetime.
                let ours = self.group.virtual_mac || cx.kernel.is_tagged(ifindex, address);
                if ours && cx.kernel.has(ifindex, address) {
                    cx.output(Output::InstallAddress { ifindex, address, lifetime });
                }
            }
        }
        cx.arm(TimerKind::Refresh, cx.now + lifetime / 2);
    }

    /// Takes addresses and device out of service.
    pub(crate) fn withdraw(&mut self, cx: &mut Context<'_>) {
        self.set_service(cx, Service::Off);
        for kind in [TimerKind::Linger, TimerKind::Refresh, TimerKind::Announce] {
            cx.cancel(kind);
        }
    }

    fn set_service(&mut self, cx: &mut Context<'_>, service: Service) {
        if self.service != service {
            self.service = service;
            self.service_since = cx.now;
            cx.touch();
        }
    }

    /// Takes over new parameters of the same virtual router without disturbing what they do not change.
    /// The caller has made sure that version and kind of MAC are the old ones.
    pub(crate) fn adjust(&mut self, cx: &mut Context<'_>, group: VrrpGroup) {
        self.stop_probing(cx);
        let old = std::mem::replace(&mut self.group, group);
        // Version 2 knows no interval but our own (RFC 3768 §6.1); in version 3 the Active router's counts, once
        // there was one.
        let unlearned = self.active_interval == old.advertisement_interval && self.peers.is_empty();
        if self.group.version == VrrpVersion::V2 || unlearned {
            self.active_interval = self.group.advertisement_interval;
        }
        let interval_changed = old.advertisement_interval != self.group.advertisement_interval;
        let addresses_changed = old.virtual_addresses != self.group.virtual_addresses;
        let priority_changed = old.priority != self.group.priority;
        match self.state {
            State::Active => {
                if priority_changed || interval_changed || addresses_changed {
                    self.send(cx, self.group.priority);
                }
                if interval_changed {
                    cx.arm(TimerKind::Adver, cx.now + self.group.advertisement_interval);
                }
                if addresses_changed {
                    cx.serve(self);
                    self.act(cx, Action::Announce, Cause::Admin, None);
                }
                self.refresh(cx);
            }
            State::Backup if priority_changed || interval_changed => {
                if !matches!(
                    self.down_cause,
                    Cause::PriorityZero | Cause::Stalled | Cause::Resumed | Cause::Alone
                ) {
                    let at: Instant = self.down_base + self.active_down_interval();
                    cx.arm(TimerKind::ActiveDown, at.max(cx.now));
                }
            }
            State::Backup | State::Initialize => {}
        }
    }
}

/// What it will mean if the Active_Down_Timer started for `cause` fires.
fn waiting_for(cause: Cause) -> Cause {
    match cause {
        Cause::Preempt => Cause::Preempt,
        Cause::Startup => Cause::Startup,
        _ => Cause::AdvertTimeout,
    }
}
