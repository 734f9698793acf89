//! One virtual router: parameters, state, timers and memory of its peers.
//!
//! `VirtualRouter::step` feeds an event to the table in [`crate::machine`] and carries out what the table
//! says. The kernel side (device, addresses) is not remembered here: [`Service`] says what it should be, and
//! `instance::reconcile` makes it so.
//!
//! Timing rules beyond the RFC:
//! * deadlines follow each other on a raster ([`timing::next_advertisement`]);
//! * a deadline noticed too late is [`Event::Stalled`]: an Active router that slept longer than its own
//!   Active_Down_Interval may have been replaced, a Backup that slept longer than an interval has not read
//!   what came in meanwhile. Both listen once before they act;
//! * while a preemption delay runs, or the router's own routes are awaited, a worse Active router is treated as if
//!   Preempt_Mode were off: taking over from one that works gains nothing as long as there is no way on.

mod act;
mod alarm;
mod history;
mod probe;
mod witness;

pub use alarm::{Alarm, AlarmRow};
pub use history::{Cause, History, Transition};

use crate::constants::{self, virtual_mac};
use crate::instance::{Context, TimerKind};
use crate::machine::{Claim, Event, Facts, State};
use crate::packet::{Advertisement, Discards, Expected};
use crate::throttle::Throttle;
use crate::timing;
use ipnetwork::Ipv4Network;
use routing_common::config::{VrrpChecksum, VrrpGroup};
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::prefix;
use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// As many senders are remembered per virtual router; more than a LAN should ever have.
const MAX_PEERS: usize = 8;

/// Octets of the longest interface name (IFNAMSIZ less the closing zero).
const LONGEST_NAME: usize = 15;

/// What the kernel should hold for a virtual router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Nothing: the device is down, the addresses are gone.
    Off,
    /// Everything: the router is Active.
    On,
    /// What is still there of an earlier run or from before a stall, while the router listens as a Backup.
    /// What has expired meanwhile is not put back.
    Kept,
    /// Everything, until the successor has spoken.
    Lingering,
}

/// What a virtual router needs to leave Initialize, as found in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The base interface.
    pub ifindex: IfIndex,
    /// Its own hardware address.
    pub mac: [u8; 6],
    /// The address advertisements are sent from.
    pub primary: Ipv4Addr,
}

/// Why a virtual router stays in Initialize.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// The first look at the kernel is not complete.
    Starting,
    /// No interface of that name.
    NoInterface,
    /// The interface is down or without carrier.
    InterfaceDown,
    /// The interface is not Ethernet-like.
    NoHardwareAddress,
    /// The interface has no address of its own to send from.
    NoAddress,
    /// The device for the virtual MAC is not there yet.
    NoDevice,
    /// A device that is not ours has the name of the one for the virtual MAC.
    DeviceNameTaken,
    /// Stopped by the operator.
    Stopped,
}

impl Blocked {
    /// One phrase for show commands.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Starting => "reading the kernel's state",
            Self::NoInterface => "interface does not exist",
            Self::InterfaceDown => "interface is down",
            Self::NoHardwareAddress => "interface has no Ethernet address",
            Self::NoAddress => "interface has no IPv4 address of its own",
            Self::NoDevice => "virtual MAC device is not there yet",
            Self::DeviceNameTaken => "another device has the virtual MAC device's name",
            Self::Stopped => "stopped",
        }
    }
}

/// What was last heard from one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its priority.
    pub priority: u8,
    /// Its interval.
    pub interval: Duration,
    /// Its checksum form; version 3 only.
    pub checksum: Option<VrrpChecksum>,
    /// When.
    pub heard: Instant,
}

/// Counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Advertisements sent.
    pub adver_tx: u64,
    /// Advertisements accepted.
    pub adver_rx: u64,
    /// Gratuitous ARP frames sent.
    pub garp_tx: u64,
    /// ARP probes sent.
    pub probe_tx: u64,
    /// Changes of state.
    pub transitions: u64,
    /// Priority 0 sent.
    pub stop_tx: u64,
    /// Priority 0 accepted.
    pub stop_rx: u64,
    /// Virtual addresses somebody else removed, put back.
    pub address_readds: u64,
    /// Deadlines noticed too late to act on.
    pub stalls: u64,
}

/// A virtual router (RFC 9568 §6).
#[derive(Debug, Clone)]
pub struct VirtualRouter {
    /// Its name in the configuration.
    pub name: String,
    /// Its parameters (RFC 9568 §6.1).
    pub group: VrrpGroup,
    /// RFC 9568 §6.4.
    pub state: State,
    /// What the kernel should hold.
    pub service: Service,
    /// Since when.
    pub(crate) service_since: Instant,
    /// What it runs on; kept while it lingers.
    pub binding: Option<Binding>,
    /// Why it is in Initialize.
    pub blocked: Option<Blocked>,
    /// Active_Adver_Interval.
    pub active_interval: Duration,
    /// Senders heard, by address.
    pub peers: BTreeMap<Ipv4Addr, Peer>,
    /// Counters.
    pub stats: Stats,
    /// Packets dropped, by reason.
    pub discards: Discards,
    /// Last changes of state.
    pub history: History,
    /// Standing alarms.
    pub alarms: BTreeMap<Alarm, AlarmRow>,
    /// Mistakes, in the network or at home, that the operator was told about lately.
    pub(crate) told: Throttle<&'static str>,
    /// Removed from the configuration or shutting down; forgotten once out of service.
    pub retired: bool,
    /// Has never started: addresses found in the kernel are from an earlier run.
    pub(crate) fresh: bool,
    /// Why Active_Down_Timer runs.
    down_cause: Cause,
    /// What Active_Down_Timer counts from.
    down_base: Instant,
    /// The Adver_Timer deadline that fired last.
    adver_deadline: Instant,
    /// A worse Active router was first heard then.
    better_since: Option<Instant>,
    /// A late Active_Down_Timer was postponed once already.
    postponed: bool,
    /// The asking under way.
    probe: Option<probe::Probe>,
    /// What the ring says of the others.
    ring: witness::Verdict,
    /// The last takeover that did not wait for silence.
    takeover: Option<witness::Takeover>,
    /// Nothing but silence counts until then.
    suspended_until: Option<Instant>,
    /// An advertisement that wanted an answer got one then.
    answered: Option<Instant>,
    /// When the addresses' lifetime was set last.
    refreshed: Option<Instant>,
    burst_start: Instant,
    burst_sent: usize,
}

impl VirtualRouter {
    /// A virtual router in Initialize.
    pub(crate) fn new(name: String, group: VrrpGroup) -> Self {
        Self {
            name,
            state: State::Initialize,
            service: Service::Off,
            service_since: Instant::ZERO,
            binding: None,
            blocked: Some(Blocked::Starting),
            active_interval: group.advertisement_interval,
            group,
            peers: BTreeMap::new(),
            stats: Stats::default(),
            discards: Discards::default(),
            history: History::default(),
            alarms: BTreeMap::new(),
            told: Throttle::default(),
            retired: false,
            fresh: true,
            down_cause: Cause::Startup,
            down_base: Instant::ZERO,
            adver_deadline: Instant::ZERO,
            better_since: None,
            postponed: false,
            probe: None,
            ring: witness::Verdict::Nothing,
            takeover: None,
            suspended_until: None,
            answered: None,
            refreshed: None,
            burst_start: Instant::ZERO,
            burst_sent: 0,
        }
    }

    /// Priority 255 (RFC 9568 §5.2.4)?
    pub fn is_owner(&self) -> bool {
        self.group.priority == constants::OWNER_PRIORITY
    }

    /// Skew_Time now.
    pub fn skew_time(&self) -> Duration {
        timing::skew_time(self.group.version, self.group.priority, self.active_interval)
    }

    /// Active_Down_Interval now.
    pub fn active_down_interval(&self) -> Duration {
        timing::active_down_interval(self.group.version, self.group.priority, self.active_interval)
    }

    /// The virtual addresses as the kernel gets them.
    pub fn hosts(&self) -> impl Iterator<Item = Ipv4Network> + '_ {
        self.group.virtual_addresses.iter().map(|a| prefix::host(a.ip()))
    }

    /// Is this one of the virtual addresses?
    pub fn has_address(&self, address: Ipv4Network) -> bool {
        self.hosts().any(|h| h == address)
    }

    /// The name of the macvlan: `<interface>v<vrid>`. Where that is longer than a kernel's name can be, the
    /// interface's end gives way to four digits made of all of it: VLANs of one port differ only there.
    pub fn device_name(&self) -> Option<InterfaceName> {
        if !self.group.virtual_mac {
            return None;
        }
        let interface = self.group.interface.as_str();
        let whole = format!("{interface}v{}", self.group.vrid);
        if whole.len() <= LONGEST_NAME {
            return whole.parse().ok();
        }
        let suffix = format!("{:04x}v{}", name_digest(interface), self.group.vrid);
        let mut stem = String::new();
        for c in interface.chars() {
            if stem.len() + c.len_utf8() + suffix.len() > LONGEST_NAME {
                break;
            }
            stem.push(c);
        }
        format!("{stem}{suffix}").parse().ok()
    }

    /// The MAC that answers for the virtual addresses.
    pub fn service_mac(&self) -> Option<[u8; 6]> {
        if self.group.virtual_mac { Some(virtual_mac(self.group.vrid)) } else { self.binding.map(|b| b.mac) }
    }

    /// How long the kernel keeps the addresses unless refreshed.
    pub fn address_lifetime(&self) -> Duration {
        timing::address_lifetime(self.own_down_interval())
    }

    /// What received packets are checked against.
    pub(crate) fn expected(&self) -> Expected {
        Expected {
            version: self.group.version,
            interval: self.group.advertisement_interval,
            own_address: self.binding.map(|b| b.primary),
        }
    }

    /// A checked advertisement from `source`.
    pub(crate) fn advertisement(
        &mut self,
        cx: &mut Context<'_>,
        source: Ipv4Addr,
        adv: &Advertisement,
        checksum: Option<VrrpChecksum>,
    ) {
        // What queued up while we slept is read before the timer that says so.
        if let Some(deadline) = cx.deadline(TimerKind::Adver) {
            self.check_for_stall(cx, deadline);
        }
        self.stats.adver_rx += 1;
        if adv.priority == constants::STOP_PRIORITY {
            self.stats.stop_rx += 1;
        }
        self.look_back(cx, source, adv);
        self.stop_probing(cx);
        self.remember(cx.now, source, adv, checksum);
        self.watch_for_mistakes(cx, source, adv);
        if self.service == Service::Lingering && adv.priority != constants::STOP_PRIORITY {
            self.withdraw(cx);
        }
        let Some(binding) = self.binding else { return };
        let claim = Claim::of(adv.priority, source.to_bits(), self.group.priority, binding.primary.to_bits());
        self.better_since = match claim {
            // The delay counts from the moment we could take over but for it.
            _ if self.state == State::Initialize => None,
            Claim::Lower => self.better_since.or(Some(cx.now)),
            Claim::Stops => self.better_since,
            _ => None,
        };
        let cause = match claim {
            Claim::Stops => Cause::PriorityZero,
            Claim::Lower => Cause::Preempt,
            _ if self.state == State::Active => Cause::LostElection,
            _ => Cause::AdvertTimeout,
        };
        if self.state == State::Active && claim == Claim::Stops && !self.may_answer(cx.now) {
            return;
        }
        self.step(cx, Event::Advertisement(claim), cause, Some(adv.interval));
    }

    /// One of its timers fired; `deadline` is when it should have.
    pub(crate) fn timer(&mut self, cx: &mut Context<'_>, kind: TimerKind, deadline: Instant) {
        let late = cx.now.since(deadline);
        match kind {
            TimerKind::Adver if self.check_for_stall(cx, deadline) => {}
            TimerKind::Adver => {
                self.adver_deadline = deadline;
                self.step(cx, Event::AdverTimer, Cause::AdvertTimeout, None);
            }
            TimerKind::ActiveDown if late > self.active_interval && !self.postponed => {
                self.stats.stalls += 1;
                self.postponed = true;
                self.step(cx, Event::Stalled, Cause::Stalled, None);
            }
            TimerKind::ActiveDown => {
                self.step(cx, Event::ActiveDownTimer, self.takeover_cause(), None);
            }
            TimerKind::Probe => self.probe_timer(cx, late),
            TimerKind::Announce => self.announce(cx),
            TimerKind::Refresh => self.refresh(cx),
            TimerKind::Linger => self.withdraw(cx),
            TimerKind::Retry => {}
        }
    }

    /// Why a Backup whose Active_Down_Timer fires takes over. What shortened the wait is the reason, whoever was Active; who
    /// does not preempt waited for silence.
    fn takeover_cause(&self) -> Cause {
        let preempts = self.better_since.is_some() && (self.group.preempt || self.is_owner());
        match self.down_cause {
            evidence @ (Cause::Alone | Cause::Unanswered) => evidence,
            _ if preempts => Cause::Preempt,
            other => other,
        }
    }

    /// Active_Down_Interval by our own Advertisement_Interval: what our Backups wait.
    fn own_down_interval(&self) -> Duration {
        timing::active_down_interval(
            self.group.version,
            self.group.priority,
            self.group.advertisement_interval,
        )
    }

    /// An Active router whose Adver_Timer is later than its own Active_Down_Interval has been replaced by now.
    fn check_for_stall(&mut self, cx: &mut Context<'_>, adver_deadline: Instant) -> bool {
        let stalled = cx.now.since(adver_deadline) > self.own_down_interval();
        if stalled {
            self.stats.stalls += 1;
            self.step(cx, Event::Stalled, Cause::Stalled, None);
        }
        stalled
    }

    fn facts(&self, now: Instant, routes_stand: bool) -> Facts {
        let delay = self.group.preempt_delay;
        let waited = self.better_since.is_none_or(|since| now.since(since) >= delay);
        let preempt = self.group.preempt && waited && !self.waits_for_routes(now, routes_stand);
        Facts { owner: self.is_owner(), preempt }
    }

    /// Would it preempt if it had its routes? The wait counts from the moment it could take over.
    pub(crate) fn waits_for_routes(&self, now: Instant, routes_stand: bool) -> bool {
        let patience = self.group.preempt_routes_wait;
        !routes_stand && self.better_since.is_some_and(|since| now.since(since) < patience)
    }

    fn remember(&mut self, now: Instant, source: Ipv4Addr, adv: &Advertisement, form: Option<VrrpChecksum>) {
        if !self.peers.contains_key(&source) && self.peers.len() >= MAX_PEERS {
            let oldest = self.peers.iter().min_by_key(|(_, p)| p.heard).map(|(a, _)| *a);
            if let Some(oldest) = oldest {
                self.peers.remove(&oldest);
            }
        }
        let peer = Peer { priority: adv.priority, interval: adv.interval, checksum: form, heard: now };
        self.peers.insert(source, peer);
    }
}

/// 16 bits that differ where names do (FNV-1a, folded). The same in every run: a restart has to find the
/// device.
fn name_digest(name: &str) -> u16 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    // proof: the upper half of 32 bits has 16.
    (hash >> 16) as u16 ^ (hash & 0xffff) as u16
}
