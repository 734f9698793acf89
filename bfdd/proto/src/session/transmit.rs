//! When a packet leaves (RFC 5880 §6.8.7).
//!
//! The deadline of the next periodic packet is computed from the last one and a random share that was drawn when that
//! one left, so it can be asked for as often as one likes and moves only when an interval does. When one session sends,
//! others whose jitter allows it already send as well ([`Session::may_join`]): the intervals stay random, and the
//! thread wakes once for all of them.
//!
//! Deviation: a session that goes from Up to AdminDown says so at its old rate for one Detection Time before it slows
//! down. §6.8.3 wants a second between packets as soon as it is not Up, and then the loss of one packet would look
//! like a failure to the peer's clients, which is what AdminDown is to spare them (§6.8.16).

use super::{Context, Session};
use crate::constants::{LEAST_GAP, LONGEST_FAREWELL};
use crate::instance::Output;
use crate::message::SessionState;
use routing_common::time::{Duration, Instant};

/// The transmit half of a session.
#[derive(Debug, Clone)]
pub(crate) struct Transmit {
    /// When the last packet that was no Final left.
    last: Option<Instant>,
    last_final: Option<Instant>,
    /// Decides about the jitter of the next interval.
    random: u64,
    /// The next packet says something new.
    urgent: bool,
    /// Until when, and how often, AdminDown is repeated faster than it would be.
    farewell: Option<(Instant, Duration)>,
}

impl Transmit {
    pub(crate) fn new(random: u64) -> Self {
        Self { last: None, last_final: None, random, urgent: false, farewell: None }
    }
}

impl Session {
    /// The next packet is to leave as soon as may be.
    pub(crate) fn hurry(&mut self) {
        self.transmit.urgent = true;
    }

    /// May a packet that is no Final be sent at all?
    fn may_transmit(&self) -> bool {
        let heard = self.remote_discr != 0;
        let both_up = self.session_state == SessionState::Up && self.remote_session_state == SessionState::Up;
        let demand = self.remote_demand_mode && both_up && !self.timing.is_polling();
        let mute = self.parameters.passive && !heard;
        // Only what is periodic is unwanted then; news is not.
        let unwanted = self.timing.remote_min_rx_interval.is_zero() && !self.transmit.urgent;
        !mute && !unwanted && !demand
    }

    /// When the next packet leaves; `None`: not of our own accord.
    pub(crate) fn transmit_at(&self, now: Instant) -> Option<Instant> {
        if !self.may_transmit() {
            return None;
        }
        let Some(last) = self.transmit.last else { return Some(now) };
        let interval = self.interval(now);
        let periodic = last + self.timing.jittered(interval, self.transmit.random).max(LEAST_GAP);
        Some(if self.transmit.urgent { periodic.min(last + LEAST_GAP) } else { periodic })
    }

    fn interval(&self, now: Instant) -> Duration {
        match self.transmit.farewell {
            Some((until, interval)) if now < until => interval,
            _ => self.timing.transmit_interval(),
        }
    }

    /// Would the largest jitter allow (§6.8.7) the next packet to leave now?
    pub(crate) fn may_join(&self, now: Instant) -> bool {
        let earliest = |last| last + self.timing.jittered(self.interval(now), 0).max(LEAST_GAP);
        self.may_transmit() && self.transmit.last.is_some_and(|last| earliest(last) <= now)
    }

    /// Sends what is due, if something is.
    pub(crate) fn transmit_due(&mut self, cx: &mut Context<'_>) -> bool {
        let is_due = self.transmit_at(cx.now).is_some_and(|at| at <= cx.now);
        if is_due {
            self.transmit_now(cx);
        }
        is_due
    }

    /// Sends a packet that is due or may join another.
    pub(crate) fn transmit_now(&mut self, cx: &mut Context<'_>) {
        let packet = self.packet(false);
        if packet.poll {
            self.timing.poll_sent();
        }
        self.transmit.last = Some(cx.now);
        self.transmit.random = cx.rng.next_u64();
        self.transmit.urgent = false;
        self.emit(cx, packet.encode());
    }

    /// A packet with the Poll bit is answered at once (§6.8.7), but not more often than [`LEAST_GAP`] lets.
    pub(super) fn answer_poll(&mut self, cx: &mut Context<'_>) {
        if self.transmit.last_final.is_some_and(|at| cx.now.since(at) < LEAST_GAP) {
            self.stats.finals_held_back += 1;
            return;
        }
        self.transmit.last_final = Some(cx.now);
        let packet = self.packet(true);
        self.emit(cx, packet.encode());
    }

    fn emit(&mut self, cx: &mut Context<'_>, packet: [u8; crate::packet::LENGTH]) {
        if !cx.running {
            return;
        }
        self.stats.packets_out += 1;
        cx.out.push_back(Output::Transmit { session: self.local_discr, packet });
    }

    /// The session has just left Up for AdminDown; the intervals are still those of before.
    pub(super) fn begin_farewell(&mut self, cx: &Context<'_>) {
        let time = self.timing.remote_detection_time().min(LONGEST_FAREWELL);
        self.transmit.farewell = Some((cx.now + time, self.timing.transmit_interval()));
    }

    pub(super) fn end_farewell(&mut self) {
        self.transmit.farewell = None;
    }

    /// Until when a session that ends keeps saying so: one Detection Time (§6.8.16).
    pub(crate) fn farewell_until(&self, now: Instant) -> Instant {
        self.transmit.farewell.map_or(now, |(until, _)| until)
    }
}
