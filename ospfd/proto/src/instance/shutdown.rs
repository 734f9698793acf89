//! Leaving on purpose.
//!
//! A router with several adjacencies *drains* first: its router-LSA says MaxLinkMetric for every link but those to
//! stub networks (RFC 6987), so that others send what is not for us another way while we forward as before. When the
//! neighbours have acknowledged it they are given [`LINGER`] to calculate and to empty their queues.
//! Then own LSAs are flushed (§14.1), which takes a round of acknowledgments. Either step takes [`PATIENCE`] at most.
//! Last, interfaces close and the RIB removes our routes. Who asks a second time does not want to wait for the
//! drain.
//!
//! With `on-shutdown` the flush comes when the configured time is over, whatever the neighbours acknowledge, and a router with a
//! single adjacency waits as well: who says so knows of somebody slower than we can tell, or of nobody else's routes.

use super::{Instance, Output, TimerKey};
use crate::interface::{Interface, InterfaceEvent};
use crate::lsdb::DatabaseId;
use rib::message::ClientMessage;
use routing_common::id::{AreaId, IfIndex};
use routing_common::time::{Duration, Instant};

/// Longest wait for acknowledgments.
const PATIENCE: Duration = Duration::from_secs(1);

/// At least so long from the last acknowledgment of MaxLinkMetric to the flush: the other suites hold their first
/// calculation back by up to 50 ms, some by 200 ms, and news has the whole area to cross. Before MinLSArrival has passed
/// the flush would not be taken.
const LINGER: Duration = Duration::from_millis(300);

/// How far a router that drains is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drain {
    /// Somebody has not acknowledged MaxLinkMetric, which was to be told then.
    Announcing(Instant),
    /// Everybody has, or the wait is of a configured length.
    Lingering,
}

impl Instance {
    pub(super) fn begin_shutdown(&mut self, now: Instant) {
        if self.shutting_down {
            return;
        }
        self.abandon_restart(now);
        let adjacencies: usize = self.interfaces.values().map(Interface::full_neighbors).sum();
        let configured = self.config.max_metric.on_shutdown.filter(|_| adjacencies > 0);
        if self.drain.is_some() || (adjacencies < 2 && configured.is_none()) {
            return self.flush_and_leave(now);
        }
        self.drain = Some(if configured.is_some() { Drain::Lingering } else { Drain::Announcing(now) });
        // From here on the next start is an ordinary one.
        self.originate_router_lsas(now);
        self.save_now(now);
        self.timers.arm(TimerKey::Shutdown, now + configured.unwrap_or(PATIENCE));
    }

    /// Was it told to stop?
    pub(crate) fn is_leaving(&self) -> bool {
        self.shutting_down || self.drain.is_some()
    }

    fn flush_and_leave(&mut self, now: Instant) {
        self.drain = None;
        self.flush_all_own(now);
        self.shutting_down = true;
        self.save_now(now);
        self.timers.arm(TimerKey::Shutdown, now + PATIENCE);
    }

    /// The longest wait of a step is over.
    pub(super) fn shutdown_timer(&mut self, now: Instant) {
        match self.drain {
            Some(_) => self.flush_and_leave(now),
            None => self.finish_shutdown(now),
        }
    }

    /// Does everybody know that nothing should go through us?
    pub(super) fn linger_if_drained(&mut self, now: Instant) {
        let Some(Drain::Announcing(since)) = self.drain else { return };
        let key = self.own_router_lsa();
        let is_told = |area: &AreaId| {
            let database = DatabaseId::Area(*area);
            !self.timers.is_armed(TimerKey::Originate(database, key)) && !self.is_awaited(database, &key)
        };
        if self.areas.keys().all(is_told) {
            self.drain = Some(Drain::Lingering);
            let until = (now + LINGER).max(since + self.origination_wait(1));
            self.timers.arm(TimerKey::Shutdown, until);
        }
    }

    /// Everything of ours has been acknowledged: no need to wait longer.
    pub(super) fn finish_shutdown_if_flushed(&mut self, now: Instant) {
        if self.shutting_down && self.timers.is_armed(TimerKey::Shutdown) && !self.has_own_lsas() {
            self.timers.cancel(TimerKey::Shutdown);
            self.finish_shutdown(now);
        }
    }

    fn finish_shutdown(&mut self, now: Instant) {
        self.flush_all_floods(now);
        let all: Vec<IfIndex> = self.interfaces.keys().copied().collect();
        for ifindex in all {
            self.interface_event(now, ifindex, InterfaceEvent::InterfaceDown);
        }
        self.bfd_farewell();
        if self.rib.is_connected {
            self.outputs.push_back(Output::Rib(ClientMessage::Goodbye { withdraw: true }));
        }
        self.finish();
    }

    /// The last words.
    pub(crate) fn finish(&mut self) {
        self.finished = true;
        self.outputs.push_back(Output::Finished);
    }
}
