//! Graceful restart (RFC 3623): a router stays on the forwarding path while its OSPF restarts.
//!
//! * [`grace_lsa`] is App. A: what a restarting router tells its neighbours.
//! * [`helper`] is §3: keeping a restarting neighbour in our LSAs, and the table of when to begin and to end;
//!   [`changes`] is what strict checking of LSAs goes by.
//! * [`restarter`] is §2 and §5: restarting ourselves. [`prior`] compares the LSAs of before the restart with the
//!   present adjacencies (§2.2).
//! * [`planned`] is §2.1: leaving for a restart on an operator's demand.
//! * [`saved`] is what must outlive the process.
//!
//! Life of a restart: a process finds that its predecessor died or left for a restart ([`Phase::Candidate`]). It opens
//! no interface before the RIB has said whether the routes are still there, for [`restarter::RIB_PATIENCE`] at most.
//! If they are it is [`Phase::Restarting`]: each interface that opens sends grace-LSAs and Hellos only after them;
//! LSAs of types 1 to 5 are neither originated nor flushed, the RIB hears of no route. The end, for whatever
//! reason, brings all of that at once.
//!
//! Deviations, each where it is made: a helper keeps neighbours in 2-Way as well, whose LSAs do not show it but whose
//! next hops they are; a grace-LSA that is flushed before our side of the adjacency is Full again ends our help
//! when it is; a Backup is adopted like a Designated Router; our restart ends as well when a former neighbour stays
//! away for RouterDeadInterval.

mod changes;
mod grace_lsa;
mod helper;
mod planned;
mod prior;
mod restarter;
mod saved;

pub use grace_lsa::{GraceLsa, RestartReason};
pub use helper::Helping;
pub use prior::Inconsistency;
pub use saved::{Life, Saved};

pub(crate) use changes::Changes;
pub(crate) use grace_lsa::LONGEST_PERIOD;

use crate::constants::INITIAL_SEQUENCE;
use crate::instance::Instance;
use crate::log::Log;
use core::fmt;
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::notice::{Notice, Severity};
use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;

/// Events remembered for shows.
const LOG_LENGTH: usize = 100;

/// Where we stand ourselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Phase {
    /// Not restarting.
    #[default]
    Normal,
    /// Waiting for the kernel's links and the RIB's word.
    Candidate(Candidate),
    /// §2: in graceful restart.
    Restarting {
        /// The end of the grace period.
        until: Instant,
        /// As our grace-LSAs say.
        reason: RestartReason,
    },
    /// §2.1: the grace-LSAs of a planned restart are on their way.
    Preparing,
}

/// A restart that may be graceful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The end of the grace period.
    pub(crate) until: Instant,
    /// What the grace-LSAs will say.
    pub(crate) reason: RestartReason,
    /// The RIB has said that it keeps the routes.
    pub(crate) routes_are_kept: bool,
}

/// Why our own restart ended (§2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartEnd {
    /// (1): all former adjacencies are there again.
    Completed,
    /// (2).
    Inconsistent(Inconsistency),
    /// (3).
    PeriodOver,
    /// A former neighbour was not heard of within RouterDeadInterval.
    Silence,
    /// The RIB lost the routes meanwhile.
    RoutesLost,
    /// Configured, cleared or stopped by the operator.
    Operator,
}

impl fmt::Display for RestartEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => f.write_str("all adjacencies are re-established"),
            Self::Inconsistent(what) => write!(f, "{what}"),
            Self::PeriodOver => f.write_str("the grace period is over"),
            Self::Silence => f.write_str("a former neighbor is not there any more"),
            Self::RoutesLost => f.write_str("the RIB lost the routes"),
            Self::Operator => f.write_str("ended by the operator"),
        }
    }
}

/// Something that happened, for shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartEvent {
    /// When.
    pub at: Instant,
    /// What, as it was told in a notice.
    pub text: String,
}

/// Everything graceful restart remembers, except whom we help, which the neighbours know.
#[derive(Debug, Clone)]
pub(crate) struct Restart {
    pub(crate) phase: Phase,
    /// What keeps routes from going to the RIB: true from the first moment of a candidate until the calculation that
    /// ends its restart.
    pub(crate) withholds_routes: bool,
    /// The restart has just ended: calculate and tell the whole table.
    pub(crate) install_wanted: bool,
    /// All that was subscribed to has been told in this session with the RIB.
    pub(crate) subscription_told: bool,
    /// We left for a planned restart.
    pub(crate) departed: bool,
    /// Grace-LSAs sent before the first Hello, by interface.
    pub(crate) announced: BTreeMap<IfIndex, u8>,
    /// Sequence number of the last grace-LSAs.
    pub(crate) grace_sequence: i32,
    /// Interfaces with adjacencies before the restart that goes on.
    pub(crate) interfaces: Option<Vec<InterfaceName>>,
    pub(crate) saved: Option<Saved>,
    pub(crate) saved_at: Option<Instant>,
    pub(crate) save_wanted: bool,
    pub(crate) clock_stepped: bool,
    pub(crate) changes: Changes,
    pub(crate) last_end: Option<(Instant, RestartEnd)>,
    pub(crate) last_help_end: Option<(Instant, String)>,
    pub(crate) log: Log<RestartEvent>,
}

impl Default for Restart {
    fn default() -> Self {
        Self {
            phase: Phase::Normal,
            withholds_routes: false,
            install_wanted: false,
            subscription_told: false,
            departed: false,
            announced: BTreeMap::new(),
            grace_sequence: INITIAL_SEQUENCE - 1,
            interfaces: None,
            saved: None,
            saved_at: None,
            save_wanted: false,
            clock_stepped: false,
            changes: Changes::default(),
            last_end: None,
            last_help_end: None,
            log: Log::new(LOG_LENGTH),
        }
    }
}

impl Restart {
    /// In graceful restart (§2)?
    pub(crate) fn is_restarting(&self) -> bool {
        matches!(self.phase, Phase::Restarting { .. })
    }

    /// Does the RIB wait for the end of a restart?
    pub(crate) fn holds_end_sync(&self) -> bool {
        self.is_restarting() || self.holds_interfaces()
    }

    /// May no interface come up yet?
    pub(crate) fn holds_interfaces(&self) -> bool {
        matches!(self.phase, Phase::Candidate(_))
    }
}

impl Instance {
    /// Are we in graceful restart, and until when at most?
    pub fn restarting_until(&self) -> Option<Instant> {
        match self.restart.phase {
            Phase::Restarting { until, .. } => Some(until),
            Phase::Normal | Phase::Candidate(_) | Phase::Preparing => None,
        }
    }

    /// Do we wait with all interfaces for the RIB to say whether a restart can be graceful?
    pub fn is_restart_candidate(&self) -> bool {
        self.restart.holds_interfaces()
    }

    pub(crate) fn grace_period(&self) -> Duration {
        self.config.graceful_restart.grace_period
    }

    pub(crate) fn grace_seconds(&self) -> u64 {
        self.grace_period().as_secs()
    }

    /// Tells the operator, and remembers it for shows.
    fn tell_restart(&mut self, now: Instant, severity: Severity, text: String) {
        self.restart.log.push(RestartEvent { at: now, text: text.clone() });
        self.notice(Notice::new(severity, "graceful-restart", text));
    }

    /// What is done once all events of a turn have settled. Says whether anything was.
    pub(crate) fn advance_restarts(&mut self, now: Instant) -> bool {
        self.check_strictly(now) | self.advance_own_restart(now)
    }
}
