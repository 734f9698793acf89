//! Stub router advertisement (RFC 6987): asking that transit traffic goes another way.
//!
//! While there is a reason for it, our router-LSAs say MaxLinkMetric for every link but those to stub networks (§2). Our own
//! calculation takes costs from the interfaces, so we forward as ever what we are sent all the same. The reasons:
//!
//! * *Administrative*: the operator says so.
//! * *Startup*: we have just started, and not gracefully: who restarts gracefully is on the path already. FRR has a timer for that;
//!   here it is the upper bound of what is waited for: a Full neighbour on every interface that can have one (those
//!   that have not come within the longest RouterDeadInterval are not waited for) and nobody who is about to become one, so
//!   that the routes are all there; then that the kernel has them, as the RIB says. Where there is no RIB the timer is all
//!   there is.
//! * *Shutdown*: we are leaving, see [`crate::instance`].
//!
//! Routers that all start together reach each other at once: MaxLinkMetric is a cost like any other, only the largest.

use crate::instance::{Event, Instance, Output, TimerKey};
use crate::neighbor::Neighbor;
use rib::message::ClientMessage;
use routing_common::notice::Notice;
use routing_common::time::Instant;

/// What a router that has just started waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Startup {
    /// The number of the last question to the RIB whether the kernel has all routes of before.
    asked: u64,
    /// It may still be answered.
    is_open: bool,
}

/// The reasons of a stub router advertisement, for shows and for whoever holds the engine to its promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StubReason {
    /// Configured.
    Administrative,
    /// After a start, until then at most; and what is waited for.
    Startup(Instant, &'static str),
    /// Before the end.
    Shutdown,
}

impl Instance {
    /// Why our router-LSAs say MaxLinkMetric (RFC 6987 §2); empty if they do not.
    pub fn stub_reasons(&self) -> Vec<StubReason> {
        let administrative = self.config.max_metric.administrative.then_some(StubReason::Administrative);
        let until = self.timers.deadline(TimerKey::Startup);
        let startup = self.startup.zip(until).map(|(s, at)| StubReason::Startup(at, self.awaited(s)));
        let shutdown = self.drain.map(|_| StubReason::Shutdown);
        [administrative, startup, shutdown].into_iter().flatten().collect()
    }

    /// Is transit traffic asked to go another way?
    pub(super) fn is_stub_router(&self) -> bool {
        !self.stub_reasons().is_empty()
    }

    fn awaited(&self, startup: Startup) -> &'static str {
        match () {
            () if startup.is_open => "the kernel to have all routes",
            () if !self.rib.is_connected => "the RIB",
            () => "neighbors to be Full",
        }
    }

    /// The first interfaces are about to come up.
    pub(crate) fn begin_startup(&mut self, now: Instant) {
        let Some(longest) = self.config.max_metric.on_startup else { return };
        self.startup.get_or_insert_default();
        self.timers.arm(TimerKey::Startup, now + longest);
    }

    /// Asks the RIB, once all routes there will be have been told.
    pub(crate) fn advance_startup(&mut self, now: Instant) {
        let Some(startup) = self.startup else { return };
        // `EndSync` was sent when everybody was Full, or not heard of in time.
        let has_told_all = self.rib.is_connected && !self.rib.is_syncing && self.pending_change.is_none();
        if startup.is_open || !has_told_all || self.is_anyone_forming(now) {
            return;
        }
        let number = startup.asked.wrapping_add(1);
        self.startup = Some(Startup { asked: number, is_open: true });
        self.outputs.push_back(Output::Rib(ClientMessage::FibBarrier(number)));
    }

    /// The kernel has what the RIB was told before the question with this number.
    pub(crate) fn routes_in_kernel(&mut self, now: Instant, number: u64) {
        let Some(startup) = self.startup.as_mut().filter(|s| s.is_open && s.asked == number) else { return };
        startup.is_open = false;
        // A neighbour that came meanwhile brings routes of its own, and the next question.
        if self.pending_change.is_none() && !self.is_anyone_forming(now) {
            self.startup_over("the neighbors are Full and the kernel has the routes");
        }
    }

    /// The RIB will not answer any more; its successor is asked again.
    pub(crate) fn forget_barrier(&mut self) {
        if let Some(startup) = &mut self.startup {
            startup.is_open = false;
        }
    }

    /// From here on costs are what they are.
    pub(crate) fn startup_over(&mut self, why: &str) {
        self.timers.cancel(TimerKey::Startup);
        if self.startup.take().is_some() {
            self.notice(Notice::info(
                "max-metric",
                format!("costs are no longer MaxLinkMetric after the start: {why}"),
            ));
            self.schedule(Event::OriginateRouter);
        }
    }

    /// Is an adjacency under way? One that has not moved for RouterDeadInterval will not come to anything.
    fn is_anyone_forming(&self, now: Instant) -> bool {
        let patience = self.convergence_patience();
        let moves = |n: &Neighbor| n.is_forming() && now.since(n.state_since) < patience;
        self.interfaces.values().flat_map(|i| i.neighbors.values()).any(moves)
    }
}
