//! What is played in a turn, and by whom it can be.

use crate::probe::Outage;
use crate::report::Row;
use crate::restart::Cause;
use crate::scenario::Event;
use crate::stack::{Profile, Stack};
use std::time::Duration;

/// The leaf that dies, or leaves.
const LEAF: &str = "vr5";
/// MASTER of the virtual router and the others' way out: the router whose daemons are hardest to do without.
const EXIT: &str = "vr1";
/// A link of the ring that is on the way of several flows.
const LINK: &str = "l45";
/// A silence that is over before most timers notice.
const BLINK: Duration = Duration::from_millis(200);

/// One thing that happens, under which timers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// What happens; a daemon has Torc's name.
    pub event: Event,
    /// Timers.
    pub profile: Profile,
}

impl Step {
    fn ring(event: Event) -> Self {
        Self { event, profile: Profile::Ring }
    }

    /// Broken and mended again, or over by itself.
    pub(super) fn is_mended(&self) -> bool {
        !matches!(self.event, Event::LinkBlinks { .. } | Event::Restart { .. })
    }

    /// The event as a suite can play it: with its own name for a daemon. `None`: it cannot.
    pub(super) fn of(&self, stack: Stack) -> Option<Event> {
        if stack == Stack::Torc {
            return Some(self.event.clone());
        }
        if self.profile == Profile::FastBfd {
            return None;
        }
        let Event::Restart { router, daemon, cause: Cause::Killed } = &self.event else {
            let upgrades = matches!(self.event, Event::Restart { .. });
            return (!upgrades).then(|| self.event.clone());
        };
        let daemon = match (stack, daemon.as_str()) {
            (Stack::Frr, "ribd") => "zebra",
            (Stack::Frr, name @ ("ospfd" | "bfdd" | "vrrpd")) => name,
            (Stack::Bird, "ospfd") => "bird",
            (Stack::Bird, "vrrpd") => "keepalived",
            _ => return None,
        };
        Some(Event::Restart { router: router.clone(), daemon: daemon.to_owned(), cause: Cause::Killed })
    }
}

/// The link is cut, and seen to be.
pub(super) fn link_cut() -> Step {
    Step::ring(Event::LinkCut(LINK.to_owned()))
}

/// The link falls silent.
pub(super) fn link_silent(profile: Profile) -> Step {
    Step { event: Event::LinkSilent(LINK.to_owned()), profile }
}

/// A leaf loses its power.
pub(super) fn leaf_dies() -> Step {
    Step::ring(Event::RouterDies(LEAF.to_owned()))
}

/// The MASTER loses its power.
pub(super) fn master_dies(profile: Profile) -> Step {
    Step { event: Event::RouterDies(EXIT.to_owned()), profile }
}

/// The MASTER loses its cable to the LAN.
pub(super) fn plug_pulled() -> Step {
    Step::ring(Event::PlugPulled { link: "lan".to_owned(), router: EXIT.to_owned() })
}

/// The link falls silent for a moment.
pub(super) fn link_blinks() -> Step {
    Step::ring(Event::LinkBlinks { link: LINK.to_owned(), time: BLINK })
}

/// A leaf is told to leave.
pub(super) fn leaf_stops() -> Step {
    Step::ring(Event::RouterStops(LEAF.to_owned()))
}

/// A daemon of the MASTER is restarted.
pub(super) fn restart(daemon: &str, cause: Cause) -> Step {
    Step::ring(Event::Restart { router: EXIT.to_owned(), daemon: daemon.to_owned(), cause })
}

/// Every restart of a daemon.
pub(super) fn restarts() -> Vec<Step> {
    let causes = [Cause::Killed, Cause::Upgraded];
    let daemons = ["ribd", "ospfd", "vrrpd", "bfdd", "mgmtd"];
    causes.into_iter().flat_map(|cause| daemons.map(|daemon| restart(daemon, cause))).collect()
}

/// Everything, in the order of a turn.
pub(super) fn all() -> Vec<Step> {
    let mut steps = vec![
        link_cut(),
        link_silent(Profile::Ring),
        leaf_dies(),
        master_dies(Profile::Ring),
        plug_pulled(),
        link_blinks(),
        leaf_stops(),
    ];
    steps.extend(restarts());
    steps.extend([master_dies(Profile::SlowAdverts), link_silent(Profile::FastBfd)]);
    steps
}

/// A step that was played.
#[derive(Debug)]
pub(super) struct Played {
    /// What.
    pub step: Step,
    /// What happened when it broke, and when it was mended.
    pub rows: Vec<Row>,
}

impl Played {
    /// Packets lost when it broke.
    pub(super) fn lost(&self) -> Option<usize> {
        self.rows.first().map(|row| row.lost)
    }

    /// The longest outage when it broke.
    pub(super) fn longest(&self) -> Option<Duration> {
        let row = self.rows.first()?;
        let seen = row.outages.iter().flatten().any(|outage: &Outage| outage.sent > 0);
        seen.then(|| row.longest())
    }

    /// Packets lost when it came back.
    pub(super) fn lost_on_return(&self) -> Option<usize> {
        self.rows.get(1).map(|row| row.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_play_what_they_can_under_their_own_names() {
        let zebra = restart("ribd", Cause::Killed).of(Stack::Frr);
        assert!(matches!(zebra, Some(Event::Restart { daemon, .. }) if daemon == "zebra"));
        for step in [
            restart("mgmtd", Cause::Killed),
            restart("ospfd", Cause::Upgraded),
            link_silent(Profile::FastBfd),
        ] {
            assert_eq!(step.of(Stack::Torc).as_ref(), Some(&step.event));
            assert_eq!(step.of(Stack::Frr), None);
            assert_eq!(step.of(Stack::Bird), None);
        }
        assert_eq!(link_cut().of(Stack::Bird), Some(link_cut().event));
    }
}
