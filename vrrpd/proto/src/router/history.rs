//! The last changes of state and their causes: the first thing an operator asks for.

use crate::machine::State;
use routing_common::time::{Duration, Instant};
use std::collections::VecDeque;

/// As many are kept.
const KEPT: usize = 20;

/// Why a state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It became able to run.
    Startup,
    /// As `Startup`, with the addresses of an earlier run still in place.
    Resumed,
    /// No advertisement for Active_Down_Interval.
    AdvertTimeout,
    /// The Active router sent priority 0.
    PriorityZero,
    /// We are better than the Active router.
    Preempt,
    /// A better Active router spoke.
    LostElection,
    /// The interface, its address or its carrier went away.
    Link,
    /// The operator stopped it or changed what it is.
    Admin,
    /// The ring says that nobody else is left on the LAN.
    Alone,
    /// Nobody answers for the address: nobody whom the ring can reach is left, or nobody was heard since the start.
    Unanswered,
    /// We slept too long.
    Stalled,
}

impl Cause {
    /// A stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::Resumed => "resumed",
            Self::AdvertTimeout => "advert-timeout",
            Self::PriorityZero => "priority-zero",
            Self::Preempt => "preempt",
            Self::LostElection => "lost-election",
            Self::Link => "link",
            Self::Admin => "admin",
            Self::Alone => "alone",
            Self::Unanswered => "unanswered",
            Self::Stalled => "stalled",
        }
    }
}

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// When.
    pub at: Instant,
    /// Before.
    pub from: State,
    /// After.
    pub to: State,
    /// Why.
    pub cause: Cause,
    /// Which one since the start, from 1.
    pub number: u64,
    /// How long nobody had been heard by then; none if nobody ever was.
    pub silence: Option<Duration>,
}

/// The last changes, oldest first.
#[derive(Debug, Clone, Default)]
pub struct History(VecDeque<Transition>);

impl History {
    /// Adds one, forgetting the oldest if there are too many.
    pub(crate) fn push(&mut self, transition: Transition) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(transition);
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Transition> {
        self.0.iter()
    }
}
