//! Restarting gracefully (RFC 3623 §2, §5).
//!
//! Also after a crash: §5 doubts that forwarding tables survive one, but here they are the kernel's and not the
//! process's, and the RIB says whether they are still there. What the neighbours do not take part in ends as
//! an ordinary restart (§4).
//!
//! Grace-LSAs leave [`ANNOUNCEMENTS`] times before the first Hello, [`REPEAT`] apart: neither loss nor reordering
//! shall bring a Hello that forgets the neighbour before them.

use super::{Candidate, GraceLsa, Life, Phase, RestartEnd, RestartReason, Saved};
use crate::constants::ALL_SPF_ROUTERS;
use crate::instance::{Event, Instance, TimerKey, Trigger};
use crate::interface::{InterfaceState, NetworkKind};
use crate::lsa::{LsType, LsaBody, LsaKey};
use crate::lsdb::DatabaseId;
use crate::packet::Hello;
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::notice::Severity;
use routing_common::time::{Duration, Instant};
use std::net::Ipv4Addr;

use super::prior::Progress;

/// How long a candidate waits for the kernel's links and the RIB's word before it starts the ordinary way.
pub(crate) const RIB_PATIENCE: Duration = Duration::from_millis(500);

/// How often each interface sends its grace-LSA before its first Hello.
const ANNOUNCEMENTS: u8 = 3;

/// Between them, and between the last one and the Hello.
const REPEAT: Duration = Duration::from_millis(15);

impl Instance {
    /// What the former process left, told once at start.
    pub(crate) fn restored(&mut self, now: Instant, saved: Option<Saved>) {
        let Some(saved) = saved else { return };
        self.cryptographic_sequence = self.cryptographic_sequence.max(saved.cryptographic_sequence);
        self.restart.grace_sequence = saved.grace_sequence;
        let wall = self.wall_seconds(now);
        // A clock that was set back does not prolong it.
        let rest = |until: u64| Duration::from_secs(until.saturating_sub(wall)).min(self.grace_period());
        let (rest, reason) = match saved.life {
            Life::Ended => return,
            Life::Running => (self.grace_period(), RestartReason::Unknown),
            Life::Planned { until } => (rest(until), RestartReason::SoftwareRestart),
            Life::Restarting { until } => (rest(until), RestartReason::Unknown),
        };
        let enabled = self.config.graceful_restart.enabled;
        let is_ours = saved.router_id == self.router_id;
        if !enabled
            || !is_ours
            || rest < Duration::from_secs(1)
            || saved.interfaces.is_empty()
            || self.links_known
        {
            return;
        }
        self.restart.interfaces = Some(saved.interfaces);
        self.restart.withholds_routes = true;
        self.restart.phase =
            Phase::Candidate(Candidate { until: now + rest, reason, routes_are_kept: false });
        self.timers.arm(TimerKey::RestartCandidate, now + RIB_PATIENCE);
    }

    /// The RIB's first word in a session.
    pub(crate) fn rib_keeps_routes(&mut self, now: Instant, keeps: bool) {
        match &mut self.restart.phase {
            Phase::Candidate(_) if !keeps => {
                self.start_ordinarily(now, "the RIB has no routes of the former process")
            }
            Phase::Candidate(candidate) => {
                candidate.routes_are_kept = true;
                self.begin_restart_if_ready(now);
            }
            Phase::Restarting { .. } if !keeps => self.end_restart(now, RestartEnd::RoutesLost),
            Phase::Restarting { .. } | Phase::Normal | Phase::Preparing => {}
        }
    }

    /// The RIB or the kernel's links let us wait too long.
    pub(crate) fn candidate_expired(&mut self, now: Instant) {
        self.start_ordinarily(now, "the RIB does not answer");
    }

    fn start_ordinarily(&mut self, now: Instant, why: &str) {
        if !self.restart.holds_interfaces() {
            return;
        }
        self.timers.cancel(TimerKey::RestartCandidate);
        self.restart.phase = Phase::Normal;
        self.restart.withholds_routes = false;
        self.restart.interfaces = None;
        self.tell_restart(now, Severity::Warning, format!("this restart is not graceful: {why}"));
        self.save_soon();
        self.begin_startup(now);
        self.refresh_interfaces(now);
        self.resend_routes();
        self.expect_end_sync(now);
    }

    /// Begins if the RIB has its routes and every interface that had adjacencies is usable.
    pub(crate) fn begin_restart_if_ready(&mut self, now: Instant) {
        let Phase::Candidate(candidate) = self.restart.phase else { return };
        if !self.links_known || !candidate.routes_are_kept {
            return;
        }
        let former = self.restart.interfaces.clone().unwrap_or_default();
        if let Some(lost) = former.iter().find(|name| !self.is_usable(name)) {
            let why = format!("interface {lost} had adjacencies and is not usable any more");
            return self.start_ordinarily(now, &why);
        }
        let Candidate { until, reason, .. } = candidate;
        self.timers.cancel(TimerKey::RestartCandidate);
        self.timers.arm(TimerKey::GracePeriod, until);
        self.timers.arm(TimerKey::RestartSilence, now + self.longest_dead_interval());
        self.restart.phase = Phase::Restarting { until, reason };
        self.restart.grace_sequence = self.restart.grace_sequence.saturating_add(1);
        let text =
            format!("restarting gracefully ({}), for up to {} s", reason.text(), now.until(until).as_secs());
        self.tell_restart(now, Severity::Info, text);
        // Before the first packet: should this process die as well, its successor must not start all over.
        self.save_now(now);
        self.refresh_interfaces(now);
    }

    fn is_usable(&self, name: &InterfaceName) -> bool {
        let link = |i: &IfIndex| self.links.get(i).and_then(|known| known.link.as_ref());
        let index = self.links.keys().find(|i| link(i).is_some_and(|link| link.name == *name));
        index.is_some_and(|ifindex| self.is_wanted_up(*ifindex))
    }

    /// An interface has just opened (§5): grace-LSAs first, Hellos after them.
    pub(crate) fn announce_restart(&mut self, now: Instant, ifindex: IfIndex) {
        self.restart.announced.insert(ifindex, 0);
        self.want_grace_lsa(now, ifindex);
        self.repeat_announcement(now, ifindex);
    }

    /// The next grace-LSA before the first Hello, or that Hello.
    pub(crate) fn repeat_announcement(&mut self, now: Instant, ifindex: IfIndex) {
        let sent = self.restart.announced.get(&ifindex).copied().unwrap_or(ANNOUNCEMENTS);
        if sent >= ANNOUNCEMENTS || !self.restart.is_restarting() {
            self.restart.announced.remove(&ifindex);
            return self.hello_timer(now, ifindex);
        }
        self.restart.announced.insert(ifindex, sent + 1);
        let lsa = (DatabaseId::Link(ifindex), GraceLsa::key(self.router_id));
        self.transmit_lsas(now, ifindex, ALL_SPF_ROUTERS, &[lsa]);
        self.timers.arm(TimerKey::Announcement(ifindex), now + REPEAT);
    }

    /// Originates the grace-LSA of an interface; whoever is adjacent there gets it reliably.
    pub(super) fn want_grace_lsa(&mut self, now: Instant, ifindex: IfIndex) {
        let (rest, reason) = match self.restart.phase {
            Phase::Restarting { until, reason } => (now.until(until), reason),
            Phase::Preparing => (self.grace_period(), RestartReason::SoftwareRestart),
            Phase::Normal | Phase::Candidate(_) => return,
        };
        let Some(interface) = self.interfaces.get(&ifindex) else { return };
        let address = interface.ip().filter(|_| interface.kind == NetworkKind::Broadcast);
        let period = u32::try_from(rest.as_secs()).unwrap_or(super::grace_lsa::LONGEST_PERIOD);
        let grace = GraceLsa { period: period.clamp(1, super::grace_lsa::LONGEST_PERIOD), reason, address };
        let (database, key) = (DatabaseId::Link(ifindex), GraceLsa::key(self.router_id));
        let body = LsaBody::Opaque(grace.encode().into());
        self.desire(now, database, key, body, self.restart.grace_sequence);
    }

    /// §2 (1): is this LSA of ours left alone for now?
    pub(crate) fn is_withheld(&self, key: &LsaKey) -> bool {
        self.restart.is_restarting() && key.ls_type != LsType::OpaqueLink
    }

    /// §2 (3): in Waiting, a neighbour's Hello names us as Designated Router, or as Backup: so we were. Says
    /// whether we are again. That we were Backup only the Designated Router may say: until it is heard of, the next
    /// election would promote us.
    pub(crate) fn adopt_designation(
        &mut self,
        now: Instant,
        ifindex: IfIndex,
        source: Ipv4Addr,
        hello: &Hello,
    ) -> bool {
        if !self.restart.is_restarting() {
            return false;
        }
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return false };
        let Some(own) = interface.ip() else { return false };
        let state = if hello.designated_router == own {
            InterfaceState::Dr
        } else if hello.backup_designated_router == own && hello.designated_router == source {
            InterfaceState::Backup
        } else {
            return false;
        };
        if interface.state != InterfaceState::Waiting || interface.config.priority == 0 {
            return false;
        }
        let named = |a: Ipv4Addr| Some(a).filter(|a| !a.is_unspecified());
        interface.designated_router = named(hello.designated_router);
        // Who is alone eligible is both in its neighbours' eyes (RFC 2328 §9.4), but not in its own.
        let backup = named(hello.backup_designated_router);
        interface.backup_designated_router = backup.filter(|b| *b != hello.designated_router);
        self.enter_interface_state(now, ifindex, state);
        self.schedule(Event::AdjOk(ifindex));
        self.send_hello(now, ifindex);
        true
    }

    /// §2.2: is it over?
    pub(super) fn advance_own_restart(&mut self, now: Instant) -> bool {
        match self.restart.phase {
            Phase::Preparing => self.depart_if_announced(now),
            Phase::Restarting { .. } => match self.restart_progress(now) {
                Progress::Waiting => false,
                // Our external routes come from the RIB: without them they would be flushed.
                Progress::Complete if self.rib.is_connected && self.restart.subscription_told => {
                    self.end_restart(now, RestartEnd::Completed);
                    true
                }
                Progress::Complete => false,
                Progress::Inconsistent(what) => {
                    self.end_restart(now, RestartEnd::Inconsistent(what));
                    true
                }
            },
            Phase::Normal | Phase::Candidate(_) => false,
        }
    }

    fn longest_dead_interval(&self) -> Duration {
        self.config
            .interfaces
            .values()
            .filter(|i| !i.passive)
            .map(|i| i.dead_interval)
            .max()
            .unwrap_or_default()
    }

    /// A neighbour that died while we were away: in continuous operation RouterDeadInterval would have told us, and so it
    /// does now, long before the grace period ends. As long as an adjacency is forming somebody is there.
    pub(crate) fn restart_silence(&mut self, now: Instant) {
        let is_forming = self.interfaces.values().flat_map(|i| i.neighbors.values()).any(|n| n.is_forming());
        if self.restart_progress(now) == Progress::Waiting && !is_forming {
            self.end_restart(now, RestartEnd::Silence);
        } else {
            self.timers.arm(TimerKey::RestartSilence, now + self.longest_dead_interval());
        }
    }

    /// The grace period is over (§2.2 (3)).
    pub(crate) fn grace_period_over(&mut self, now: Instant) {
        self.end_restart(now, RestartEnd::PeriodOver);
    }

    /// Operator and configuration put an end to whatever restart there is.
    pub(crate) fn abandon_restart(&mut self, now: Instant) {
        if self.restart.holds_interfaces() {
            self.start_ordinarily(now, "ended by the operator");
        }
        if self.restart.phase == Phase::Preparing {
            self.restart.phase = Phase::Normal;
            self.timers.cancel(TimerKey::Departure);
            self.flush_grace_lsas(now);
        }
        self.end_restart(now, RestartEnd::Operator);
    }

    /// §2.3.
    fn end_restart(&mut self, now: Instant, end: RestartEnd) {
        if !self.restart.is_restarting() {
            return;
        }
        self.restart.phase = Phase::Normal;
        self.restart.interfaces = None;
        self.restart.last_end = Some((now, end));
        self.timers.cancel(TimerKey::GracePeriod);
        self.timers.cancel(TimerKey::RestartSilence);
        let severity = if end == RestartEnd::Completed { Severity::Info } else { Severity::Warning };
        self.tell_restart(now, severity, format!("graceful restart is over: {end}"));
        // (1), (2), (5): what we want is originated, what is left of before is flushed.
        self.originate_router_lsas(now);
        self.originate_network_lsas(now);
        self.originate_external_lsas(now);
        let wanted: Vec<(DatabaseId, LsaKey)> = self.desired.keys().copied().collect();
        for (database, key) in wanted.into_iter().chain(self.own_lsas()) {
            if !GraceLsa::is_key(&key) {
                self.reconcile(now, database, key);
            }
        }
        self.flush_grace_lsas(now);
        // (3), (4): after what was flooded has left.
        self.surroundings_changed(Trigger::Restart);
        self.restart.install_wanted = true;
        self.expect_end_sync(now);
        self.save_soon();
    }

    /// §2.3 (6). Whoever we are not adjacent to again gets it as well, once.
    fn flush_grace_lsas(&mut self, now: Instant) {
        let key = GraceLsa::key(self.router_id);
        let all: Vec<IfIndex> =
            self.interfaces.values().filter(|i| i.is_active()).map(|i| i.ifindex).collect();
        for ifindex in all {
            let database = DatabaseId::Link(ifindex);
            self.desired.remove(&(database, key));
            self.reconcile(now, database, key);
            let interface = self.interfaces.get(&ifindex);
            if interface.is_some_and(|i| !i.neighbors.values().any(|n| n.is_flooded_to())) {
                self.transmit_lsas(now, ifindex, ALL_SPF_ROUTERS, &[(database, key)]);
            }
            if self.restart.announced.remove(&ifindex).is_some() {
                self.timers.cancel(TimerKey::Announcement(ifindex));
                self.hello_timer(now, ifindex);
            }
        }
        self.desired.retain(|(_, wanted), _| *wanted != key);
    }

    /// After the flooding of the turn that ended a restart: the whole table goes to the RIB (§2.3 (3)).
    pub(crate) fn install_after_restart(&mut self, now: Instant) {
        if !std::mem::take(&mut self.restart.install_wanted) {
            return;
        }
        self.run_spf(now);
        self.restart.withholds_routes = false;
        self.resend_routes();
        // It was long enough: nobody else will tell us more soon, and what is stale must go.
        if let Some((_, RestartEnd::Silence | RestartEnd::PeriodOver)) = self.restart.last_end {
            self.end_sync(now);
        }
    }
}
