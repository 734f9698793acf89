//! When it is bfdd that failed and not the path.
//!
//! A bfdd that is killed falls silent like a path that failed, and within the detection time everybody would let go of a
//! router that forwards as ever. RFC 5882 §4.3 knows the problem from graceful restarts. So, while there is nobody
//! to speak for us on a session that was Up, ospfd does (*bridging*): the connection with bfdd ends with the process, and from that
//! moment on Hellos leave as often as Control packets did, for [`BRIDGE`].
//!
//! The other end, told that the detection time has passed, asks whether it heard a Hello when a Control packet was already
//! overdue, which no failed path would have let through. If so the neighbour is on *probation*: for [`PROBATION`] it is
//! held to such Hellos, [`GAP`] being as good as a failure; then it is a neighbour without BFD until its session is
//! Up again. A session that the other end's new bfdd takes down, because it knows nothing of the old one's (Diag 0), says
//! nothing about the path either.
//!
//! A router without this, or whose ospfd is late, loses the adjacency as before.

use super::Watched;
use crate::instance::{Instance, TimerKey};
use bfd_proto::message::{Diagnostic, SessionKey, SessionState, SessionStatus};
use routing_common::id::IfIndex;
use routing_common::notice::Notice;
use routing_common::time::{Duration, Instant};
use std::collections::BTreeSet;

/// How long Hellos stand in for bfdd: longer than any probation they serve.
const BRIDGE: Duration = Duration::from_millis(1500);

/// Between two of them: not more often than any other suite would bear, nor so seldom that the other end would not hear one
/// in time.
const HELLOS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// How long a neighbour whose bfdd seems to be gone must prove that it is there.
const PROBATION: Duration = Duration::from_secs(1);

/// The longest silence meanwhile.
const GAP: Duration = Duration::from_millis(200);

/// Interfaces on which Hellos stand in for bfdd.
#[derive(Debug, Clone, Default)]
pub(super) struct Bridge {
    interfaces: BTreeSet<IfIndex>,
    every: Duration,
    until: Instant,
}

impl Instance {
    /// bfdd is gone: whoever watches us shall hear from us all the same.
    pub(super) fn begin_bridging(&mut self, now: Instant) {
        let up = self.bfd.sessions.iter().filter(|(_, w)| w.state == Some(SessionState::Up));
        let interfaces: BTreeSet<IfIndex> = up.clone().filter_map(|(key, _)| key.interface).collect();
        let Some(fastest) = up.map(|(_, w)| w.parameters.transmit_interval).min() else { return };
        let every = fastest.clamp(HELLOS.0, HELLOS.1);
        self.bfd.bridge = Bridge { interfaces, every, until: now + BRIDGE };
        self.bridge_timer(now);
    }

    /// The next Hello in place of a Control packet.
    pub(crate) fn bridge_timer(&mut self, now: Instant) {
        if now >= self.bfd.bridge.until {
            self.bfd.bridge = Bridge::default();
            return;
        }
        for ifindex in self.bfd.bridge.interfaces.clone() {
            if self.interfaces.get(&ifindex).is_some_and(|i| i.is_active()) {
                self.send_hello(now, ifindex);
            }
        }
        self.timers.arm(TimerKey::BfdBridge, now + self.bfd.bridge.every);
    }

    /// A session that was Up is Down. Says whether that is the other end's bfdd only, and puts the neighbour on probation then.
    pub(super) fn pardon_bfdd(&mut self, now: Instant, status: &SessionStatus) -> bool {
        let begins_anew = status.diagnostic == Diagnostic::NEIGHBOR_SIGNALED_SESSION_DOWN
            && status.remote_diagnostic == Diagnostic::NONE;
        let heard = self.bfd_peer_heard(&status.key);
        let Some(watched) = self.bfd.sessions.get_mut(&status.key) else { return false };
        let overdue = watched.overdue_after();
        let speaks = status.diagnostic == Diagnostic::CONTROL_DETECTION_TIME_EXPIRED
            && heard.is_some_and(|at| now.since(at) < overdue);
        if !begins_anew && !speaks {
            return false;
        }
        if speaks {
            watched.probation_until = Some(now + PROBATION);
            self.timers.arm(TimerKey::BfdProbation, now + GAP / 4);
        }
        let text = format!("{}: its BFD was started anew or is gone, the path is sound", status.key.peer);
        self.notice(Notice::warning("bfd-peer-restarted", text).about(status.key.peer));
        true
    }

    /// Does everybody on probation still speak?
    pub(crate) fn probation_timer(&mut self, now: Instant) {
        let all: Vec<SessionKey> =
            self.bfd.sessions.iter().filter(|(_, w)| w.probation_until.is_some()).map(|(k, _)| *k).collect();
        let mut goes_on = false;
        for key in all {
            let heard = self.bfd_peer_heard(&key);
            let is_silent = heard.is_some_and(|at| now.since(at) >= GAP);
            let Some(watched) = self.bfd.sessions.get_mut(&key) else { continue };
            if !is_silent && heard.is_some() && watched.probation_until.is_some_and(|until| now < until) {
                goes_on = true;
                continue;
            }
            watched.probation_until = None;
            if is_silent && let Some(ifindex) = key.interface {
                self.path_failed(now, ifindex, key, "says nothing and Hellos have ceased");
            }
        }
        if goes_on {
            self.timers.arm(TimerKey::BfdProbation, now + GAP / 4);
        }
    }

    /// When the neighbour of a session was last heard.
    fn bfd_peer_heard(&self, key: &SessionKey) -> Option<Instant> {
        let interface = self.interfaces.get(&key.interface?)?;
        let neighbor = interface.neighbor_at(key.peer)?;
        let silent_until =
            self.timers.deadline(TimerKey::Inactivity(interface.ifindex, neighbor.id.router_id))?;
        Some(silent_until - interface.config.dead_interval)
    }
}

impl Watched {
    /// What was heard less than this before the detection time ended was heard when a Control packet was overdue.
    fn overdue_after(&self) -> Duration {
        let interval = self.parameters.receive_interval.max(self.parameters.transmit_interval);
        interval.saturating_mul(u32::from(self.parameters.detect_multiplier).saturating_sub(1))
    }
}
