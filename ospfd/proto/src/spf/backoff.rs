//! SPF back-off (RFC 8405): run at once when the network was quiet, less and less often under churn.
//!
//! [`transition`] is the table of RFC 8405 §5.4 and nothing else; [`SpfBackoff`] holds the state and the
//! three deadlines and applies it. The machine does not know what a calculation is: its owner runs one
//! whenever [`SpfBackoff::handle_timeout`] says so.
//!
//! With INITIAL_SPF_DELAY 0 the SPF is due at the very instant of the event; the owner still finishes the
//! input at hand (all LSAs of a packet) before it asks `handle_timeout`, so a burst costs one run.

use routing_common::config::SpfTimers;
use routing_common::time::{Duration, Instant};

/// RFC 8405 §5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackoffState {
    /// No event for HOLDDOWN_INTERVAL.
    #[default]
    Quiet,
    /// A first event came less than TIME_TO_LEARN_INTERVAL ago.
    ShortWait,
    /// Events keep coming.
    LongWait,
}

/// RFC 8405 §5.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackoffEvent {
    /// Something the routing table depends on changed.
    IgpEvent,
    /// SPF_TIMER expired.
    SpfTimer,
    /// LEARN_TIMER expired.
    LearnTimer,
    /// HOLDDOWN_TIMER expired.
    HolddownTimer,
}

/// Which configured delay the SPF_TIMER starts with, if it is not already running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpfDelay {
    /// INITIAL_SPF_DELAY.
    Initial,
    /// SHORT_SPF_DELAY.
    Short,
    /// LONG_SPF_DELAY.
    Long,
}

/// What a transition does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackoffAction {
    /// Nothing.
    None,
    /// Start SPF_TIMER unless it runs, start LEARN_TIMER, start HOLDDOWN_TIMER.
    Begin(SpfDelay),
    /// Start SPF_TIMER unless it runs, restart HOLDDOWN_TIMER.
    Extend(SpfDelay),
    /// Deactivate LEARN_TIMER.
    StopLearning,
    /// Run the calculation.
    ComputeSpf,
}

/// RFC 8405 §5.4: the new state and what to do. Timers that cannot run in a state change nothing there.
pub const fn transition(state: BackoffState, event: BackoffEvent) -> (BackoffState, BackoffAction) {
    use BackoffAction as A;
    use BackoffEvent as E;
    use BackoffState as S;
    match (state, event) {
        (S::Quiet, E::IgpEvent) => (S::ShortWait, A::Begin(SpfDelay::Initial)),
        (S::ShortWait, E::IgpEvent) => (S::ShortWait, A::Extend(SpfDelay::Short)),
        (S::LongWait, E::IgpEvent) => (S::LongWait, A::Extend(SpfDelay::Long)),
        (S::ShortWait, E::LearnTimer) => (S::LongWait, A::None),
        (S::LongWait, E::HolddownTimer) => (S::Quiet, A::None),
        (S::ShortWait, E::HolddownTimer) => (S::Quiet, A::StopLearning),
        (S::Quiet | S::ShortWait | S::LongWait, E::SpfTimer) => (state, A::ComputeSpf),
        (S::Quiet | S::LongWait, E::LearnTimer) | (S::Quiet, E::HolddownTimer) => (state, A::None),
    }
}

/// The machine with its timers.
#[derive(Debug, Clone)]
pub struct SpfBackoff {
    timers: SpfTimers,
    state: BackoffState,
    spf: Option<Instant>,
    learn: Option<Instant>,
    holddown: Option<Instant>,
}

impl SpfBackoff {
    /// In state QUIET with no timer running.
    pub fn new(timers: SpfTimers) -> Self {
        Self { timers, state: BackoffState::Quiet, spf: None, learn: None, holddown: None }
    }

    /// New delays from the configuration; timers that run keep their deadlines.
    pub fn set_timers(&mut self, timers: SpfTimers) {
        self.timers = timers;
    }

    /// Present state, for shows.
    pub fn state(&self) -> BackoffState {
        self.state
    }

    /// When the pending SPF is due, if one is pending.
    pub fn spf_due(&self) -> Option<Instant> {
        self.spf
    }

    /// Something changed. Returns when the SPF that will take it into account is due, `now` at the
    /// earliest.
    pub fn on_igp_event(&mut self, now: Instant) -> Instant {
        self.apply(now, BackoffEvent::IgpEvent);
        self.spf.unwrap_or(now)
    }

    /// When [`SpfBackoff::handle_timeout`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.spf, self.learn, self.holddown].into_iter().flatten().min()
    }

    /// Lets the timers due at `now` expire, in the order of their deadlines; says whether to run the
    /// calculation now.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let mut compute = false;
        while let Some(event) = self.pop_expired(now) {
            compute |= self.apply(now, event) == BackoffAction::ComputeSpf;
        }
        compute
    }

    fn pop_expired(&mut self, now: Instant) -> Option<BackoffEvent> {
        let timers = [
            (&mut self.spf, BackoffEvent::SpfTimer),
            (&mut self.learn, BackoffEvent::LearnTimer),
            (&mut self.holddown, BackoffEvent::HolddownTimer),
        ];
        // `min_by_key` returns the first of equals: the calculation goes before a change of state.
        let (timer, event) = timers
            .into_iter()
            .filter(|(deadline, _)| deadline.is_some_and(|at| at <= now))
            .min_by_key(|(deadline, _)| **deadline)?;
        *timer = None;
        Some(event)
    }

    fn apply(&mut self, now: Instant, event: BackoffEvent) -> BackoffAction {
        let (state, action) = transition(self.state, event);
        self.state = state;
        match action {
            BackoffAction::Begin(delay) => {
                self.start_spf(now, delay);
                self.learn = Some(now + self.timers.time_to_learn);
                self.holddown = Some(now + self.timers.hold_down);
            }
            BackoffAction::Extend(delay) => {
                self.start_spf(now, delay);
                self.holddown = Some(now + self.timers.hold_down);
            }
            BackoffAction::StopLearning => self.learn = None,
            BackoffAction::None | BackoffAction::ComputeSpf => {}
        }
        action
    }

    fn start_spf(&mut self, now: Instant, delay: SpfDelay) {
        let delay: Duration = match delay {
            SpfDelay::Initial => self.timers.initial_delay,
            SpfDelay::Short => self.timers.short_delay,
            SpfDelay::Long => self.timers.long_delay,
        };
        self.spf.get_or_insert(now + delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_rfc_8405_section_5_4() {
        use BackoffAction as A;
        use BackoffEvent::{HolddownTimer, IgpEvent, LearnTimer, SpfTimer};
        use BackoffState::{LongWait, Quiet, ShortWait};
        // Every state with every event; the numbers are those of the RFC's transitions.
        let table = [
            (Quiet, IgpEvent, ShortWait, A::Begin(SpfDelay::Initial)), // 1
            (ShortWait, IgpEvent, ShortWait, A::Extend(SpfDelay::Short)), // 2
            (ShortWait, LearnTimer, LongWait, A::None),                // 3
            (LongWait, IgpEvent, LongWait, A::Extend(SpfDelay::Long)), // 4
            (LongWait, HolddownTimer, Quiet, A::None),                 // 5
            (ShortWait, HolddownTimer, Quiet, A::StopLearning),        // 6
            (Quiet, SpfTimer, Quiet, A::ComputeSpf),                   // 7
            (ShortWait, SpfTimer, ShortWait, A::ComputeSpf),           // 8
            (LongWait, SpfTimer, LongWait, A::ComputeSpf),             // 9
            (Quiet, LearnTimer, Quiet, A::None),
            (Quiet, HolddownTimer, Quiet, A::None),
            (LongWait, LearnTimer, LongWait, A::None),
        ];
        assert_eq!(table.len(), 3 * 4);
        for (i, (state, event, next, action)) in table.into_iter().enumerate() {
            assert_eq!(transition(state, event), (next, action), "{state:?} {event:?}");
            assert!(table[..i].iter().all(|row| (row.0, row.1) != (state, event)), "listed twice");
        }
    }

    fn timers() -> SpfTimers {
        SpfTimers {
            initial_delay: Duration::ZERO,
            short_delay: Duration::from_millis(50),
            long_delay: Duration::from_millis(2000),
            time_to_learn: Duration::from_millis(500),
            hold_down: Duration::from_millis(3000),
        }
    }

    #[test]
    fn first_event_runs_at_once_then_short_then_long_then_quiet() {
        let ms = Instant::from_millis;
        let mut b = SpfBackoff::new(timers());
        assert_eq!(b.poll_timeout(), None);
        assert_eq!(b.on_igp_event(ms(100)), ms(100));
        assert!(b.handle_timeout(ms(100)));
        assert!(!b.handle_timeout(ms(100)), "one event, one run");
        assert_eq!(b.on_igp_event(ms(110)), ms(160));
        assert_eq!(b.on_igp_event(ms(120)), ms(160), "a running SPF_TIMER is not moved");
        assert_eq!(b.poll_timeout(), Some(ms(160)));
        assert!(b.handle_timeout(ms(160)));
        assert_eq!(b.poll_timeout(), Some(ms(600)), "LEARN_TIMER");
        assert!(!b.handle_timeout(ms(600)));
        assert_eq!(b.state(), BackoffState::LongWait);
        assert_eq!(b.on_igp_event(ms(700)), ms(2700));
        assert!(!b.handle_timeout(ms(2699)));
        assert!(b.handle_timeout(ms(2700)));
        assert_eq!(b.poll_timeout(), Some(ms(3700)), "HOLDDOWN_TIMER of the event at 700");
        assert!(!b.handle_timeout(ms(3700)));
        assert_eq!((b.state(), b.poll_timeout()), (BackoffState::Quiet, None));
    }

    #[test]
    fn a_late_call_lets_all_timers_expire_and_computes_once() {
        let mut b = SpfBackoff::new(timers());
        b.on_igp_event(Instant::ZERO);
        assert!(b.handle_timeout(Instant::from_secs(60)));
        assert_eq!((b.state(), b.poll_timeout()), (BackoffState::Quiet, None));
    }

    #[test]
    fn hold_down_before_learning_ends_stops_the_learn_timer() {
        let mut b = SpfBackoff::new(SpfTimers { time_to_learn: Duration::from_secs(9), ..timers() });
        b.on_igp_event(Instant::ZERO);
        b.handle_timeout(Instant::from_secs(3));
        assert_eq!((b.state(), b.poll_timeout()), (BackoffState::Quiet, None));
    }
}
