//! When a silence is a failure (RFC 5880 §6.8.4), and when it is our own fault.
//!
//! The Detection Time counts from the kernel's stamp of the last packet, not from when we came to read it. What the
//! stamp cannot tell is a machine that stood still as a whole: no packet was stamped, and the peer has said
//! nothing only because nobody took it down. Therefore a *stall* (we were called later than we had asked for, by
//! more than [`tolerance`]) gives every session as much time again as it stood still without a packet, at most one
//! Detection Time between two packets. So a stalled machine finds out about a dead peer late, once, and a machine
//! that is always late still finds out. What was stamped during the stall shows that only our thread was late, and
//! takes that part of the excuse away.

use super::{Context, Session};
use crate::machine::Event;
use crate::message::SessionState;
use routing_common::time::{Duration, Instant};

/// Lateness that is not worth talking about.
pub(crate) const LEAST_TOLERANCE: Duration = Duration::from_millis(1);

/// The detection half of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Detection {
    /// The kernel's stamp of the last packet; `None` while the peer is unknown.
    last_received: Option<Instant>,
    /// More time was given, until here.
    extended: Option<Instant>,
    /// How much was given since the last packet.
    given: Duration,
}

/// What came of a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// It is not due.
    NotDue,
    /// The peer is forgotten; the state did not change.
    Forgotten,
    /// The session went down.
    Down,
}

/// How late we may be before a session with this Detection Time minds.
fn tolerance(detection_time: Duration) -> Duration {
    (detection_time / 8).max(LEAST_TOLERANCE)
}

impl Detection {
    /// A packet was received.
    pub(super) fn heard(&mut self, at: Instant) {
        self.last_received = Some(self.last_received.map_or(at, |last| last.max(at)));
        self.extended = None;
        self.given = Duration::ZERO;
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Session {
    /// When the peer's silence becomes a failure.
    pub(crate) fn detection_at(&self) -> Option<Instant> {
        if self.session_state == SessionState::AdminDown {
            return None;
        }
        let natural = self.detection.last_received? + self.timing.detection_time();
        Some(self.detection.extended.map_or(natural, |extended| extended.max(natural)))
    }

    /// The kernel's stamp of the last packet.
    pub(crate) fn last_received(&self) -> Option<Instant> {
        self.detection.last_received
    }

    /// We were called `late` after what we had asked for. Says whether the session got more time for it.
    pub(crate) fn excuse(&mut self, now: Instant, late: Duration) -> bool {
        let time = self.timing.detection_time();
        let (Some(deadline), Some(last)) = (self.detection_at(), self.detection.last_received) else {
            return false;
        };
        let silent = late.min(now.since(last));
        if silent <= tolerance(time) {
            return false;
        }
        let grant = silent.min(time.saturating_sub(self.detection.given));
        if grant.is_zero() {
            return false;
        }
        self.detection.given += grant;
        self.detection.extended = Some(deadline.max(now) + grant);
        self.stats.stalls_excused += 1;
        true
    }

    /// Declares the failure if it is due.
    pub(crate) fn expire(&mut self, cx: &mut Context<'_>) -> Expiry {
        if self.detection_at().is_none_or(|at| at > cx.now) {
            return Expiry::NotDue;
        }
        self.forget_remote();
        if self.step(cx, Event::DetectionTimeExpired) { Expiry::Down } else { Expiry::Forgotten }
    }
}
