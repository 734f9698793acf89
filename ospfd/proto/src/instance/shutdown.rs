//! Leaving on purpose.
//!
//! Own LSAs are flushed (§14.1), so that the neighbours route around us before we are gone; that takes a
//! round of acknowledgments, for which [`PATIENCE`] is enough. Then interfaces close and the RIB removes
//! our routes.

use super::{Instance, Output, TimerKey};
use crate::interface::InterfaceEvent;
use rib::message::ClientMessage;
use routing_common::id::IfIndex;
use routing_common::time::{Duration, Instant};

/// Longest wait for acknowledgments.
const PATIENCE: Duration = Duration::from_secs(1);

impl Instance {
    pub(super) fn begin_shutdown(&mut self, now: Instant) {
        if self.shutting_down {
            return;
        }
        self.abandon_restart(now);
        self.flush_all_own(now);
        self.shutting_down = true;
        // From the first flush on the next start is an ordinary one.
        self.save_now(now);
        self.timers.arm(TimerKey::Shutdown, now + PATIENCE);
    }

    /// Everything of ours has been acknowledged: no need to wait longer.
    pub(super) fn finish_shutdown_if_flushed(&mut self, now: Instant) {
        if self.shutting_down && self.timers.is_armed(TimerKey::Shutdown) && !self.has_own_lsas() {
            self.timers.cancel(TimerKey::Shutdown);
            self.finish_shutdown(now);
        }
    }

    pub(super) fn finish_shutdown(&mut self, now: Instant) {
        self.flush_all_floods(now);
        let all: Vec<IfIndex> = self.interfaces.keys().copied().collect();
        for ifindex in all {
            self.interface_event(now, ifindex, InterfaceEvent::InterfaceDown);
        }
        self.bfd_farewell();
        if self.rib.is_connected {
            self.outputs.push_back(Output::Rib(ClientMessage::Goodbye { withdraw: true }));
        }
        self.outputs.push_back(Output::Finished);
    }
}
