//! The state machine of RFC 9568 §6.4 as a pure table: [`transition`].
//!
//! The table says *what* happens; [`crate::router`] does it. Facts are the two parameters the RFC consults
//! besides the event; a received priority is classified by [`Claim`] first, so that every cell is finite and
//! the test below visits them all.
//!
//! Deviation: an Active router answers a losing advertisement at once and announces its addresses again in
//! version 2 too, where RFC 3768 §6.4.3 is silent. It ends a double mastership one interval sooner and
//! re-teaches bridges and hosts; a version 2 peer sees nothing but an early advertisement.
//!
//! Three events are ours. [`Event::Resume`]: after a crash the kernel may still hold the virtual addresses;
//! taking them away and waiting three intervals would make a restart worse than no restart. We keep them and
//! listen for one interval: shorter than any Backup waits, long enough to hear an Active router.
//! [`Event::Stalled`]: whoever slept through a deadline must not act on it as if no time had passed, unless it is the
//! owner, whom nobody may replace. [`Event::Alone`]: Active_Down_Timer stands for "the Active router is gone", and who
//! knows that from another side need not wait for it. No advertisement differs.
//! One action is ours, too: [`Action::Probe`] asks the LAN before Active_Down_Timer tells (`router::probe`).

use core::fmt;

/// RFC 9568 §6.3. Shown as Initialize, Backup and Master.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Waiting for what it needs to run.
    Initialize,
    /// Watching the Active router.
    Backup,
    /// Forwarding for the virtual addresses.
    Active,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Initialize => "Initialize",
            Self::Backup => "Backup",
            Self::Active => "Master",
        })
    }
}

/// What a received advertisement claims, compared with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// Priority 0: the sender stops.
    Stops,
    /// A lower priority than ours.
    Lower,
    /// Our priority, from an address not above ours.
    EqualFromLowerAddress,
    /// Our priority, from an address above ours (unsigned, network order).
    EqualFromHigherAddress,
    /// A higher priority than ours.
    Higher,
}

impl Claim {
    /// Classifies a received priority and source address; `own_address` is our primary one.
    pub fn of(priority: u8, source: u32, own_priority: u8, own_address: u32) -> Self {
        match priority.cmp(&own_priority) {
            _ if priority == 0 => Self::Stops,
            core::cmp::Ordering::Less => Self::Lower,
            core::cmp::Ordering::Greater => Self::Higher,
            core::cmp::Ordering::Equal if source > own_address => Self::EqualFromHigherAddress,
            core::cmp::Ordering::Equal => Self::EqualFromLowerAddress,
        }
    }
}

/// What can happen to a virtual router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Interface, address and device are there.
    Startup,
    /// As [`Event::Startup`], and the virtual addresses an earlier run put on are still there.
    Resume,
    /// A timer fired so late that others may have acted meanwhile: this process or machine was stopped.
    Stalled,
    /// The operator stops it while its interface works.
    Shutdown,
    /// What it needs went away; nothing can be sent any more.
    InterfaceDown,
    /// Active_Down_Timer fired.
    ActiveDownTimer,
    /// Adver_Timer fired.
    AdverTimer,
    /// The ring says that nobody else is left on the LAN, and they say so themselves or nobody answers there.
    Alone,
    /// A valid advertisement came in.
    Advertisement(Claim),
}

/// What the table consults besides the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Priority 255.
    pub owner: bool,
    /// Preempt_Mode, once any preemption delay has passed. An owner preempts regardless.
    pub preempt: bool,
}

/// What to do, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send an ADVERTISEMENT.
    Advertise,
    /// Send an ADVERTISEMENT with priority 0.
    AdvertiseStop,
    /// Answer a losing advertisement with one of ours.
    Assert,
    /// Take the virtual MAC and addresses into service.
    Serve,
    /// Leave them in service although Backup, until somebody else is heard or the timer fires.
    KeepServing,
    /// Take them out of service.
    Withdraw,
    /// Take them out of service once the successor has spoken.
    WithdrawLater,
    /// Start the burst of gratuitous ARP.
    Announce,
    /// Start Adver_Timer afresh.
    StartAdverTimer,
    /// Let Adver_Timer run on from its last deadline.
    ContinueAdverTimer,
    /// Stop both timers.
    StopTimers,
    /// Active_Adver_Interval = our own Advertisement_Interval.
    ResetActiveInterval,
    /// Active_Adver_Interval = the one received.
    LearnActiveInterval,
    /// Active_Down_Timer = Active_Down_Interval.
    StartActiveDownTimer,
    /// Active_Down_Timer = Skew_Time.
    StartSkewTimer,
    /// Active_Down_Timer = long enough to hear an Active router once.
    Listen,
    /// Ask the LAN whether anybody serves the addresses.
    Probe,
}

/// RFC 9568 §6.4: the next state and what to do on the way.
pub fn transition(state: State, event: Event, facts: Facts) -> (State, &'static [Action]) {
    match state {
        State::Initialize => initialize(event, facts),
        State::Backup => backup(event, facts),
        State::Active => active(event, facts),
    }
}

const BECOME_ACTIVE: &[Action] =
    &[Action::StopTimers, Action::Serve, Action::Advertise, Action::StartAdverTimer, Action::Announce];

/// RFC 9568 §6.4.1.
fn initialize(event: Event, facts: Facts) -> (State, &'static [Action]) {
    match event {
        Event::Startup | Event::Resume if facts.owner => (State::Active, BECOME_ACTIVE),
        Event::Resume => (State::Backup, &[Action::ResetActiveInterval, Action::KeepServing, Action::Listen]),
        Event::Startup => {
            (State::Backup, &[Action::ResetActiveInterval, Action::StartActiveDownTimer, Action::Probe])
        }
        _ => (State::Initialize, &[]),
    }
}

/// RFC 9568 §6.4.2.
fn backup(event: Event, facts: Facts) -> (State, &'static [Action]) {
    match event {
        Event::Shutdown | Event::InterfaceDown => {
            (State::Initialize, &[Action::StopTimers, Action::Withdraw])
        }
        Event::ActiveDownTimer | Event::Alone => (State::Active, BECOME_ACTIVE),
        Event::Advertisement(Claim::Stops) => (State::Backup, &[Action::StartSkewTimer]),
        Event::Advertisement(Claim::Lower) if facts.preempt || facts.owner => (State::Backup, &[]),
        Event::Advertisement(_) => {
            (State::Backup, &[Action::Withdraw, Action::LearnActiveInterval, Action::StartActiveDownTimer])
        }
        Event::Stalled => (State::Backup, &[Action::Listen]),
        Event::Startup | Event::Resume | Event::AdverTimer => (State::Backup, &[]),
    }
}

/// RFC 9568 §6.4.3. Preempt_Mode is not considered.
fn active(event: Event, facts: Facts) -> (State, &'static [Action]) {
    match event {
        Event::Shutdown => {
            (State::Initialize, &[Action::StopTimers, Action::AdvertiseStop, Action::WithdrawLater])
        }
        Event::InterfaceDown => (State::Initialize, &[Action::StopTimers, Action::Withdraw]),
        Event::AdverTimer => (State::Active, &[Action::Advertise, Action::ContinueAdverTimer]),
        Event::Advertisement(Claim::Stops) => (State::Active, &[Action::Advertise, Action::StartAdverTimer]),
        Event::Advertisement(Claim::Higher | Claim::EqualFromHigherAddress) => (
            State::Backup,
            &[
                Action::StopTimers,
                Action::Withdraw,
                Action::LearnActiveInterval,
                Action::StartActiveDownTimer,
            ],
        ),
        Event::Advertisement(Claim::Lower | Claim::EqualFromLowerAddress) => {
            (State::Active, &[Action::Assert])
        }
        // An owner asks nobody (§6.4.1), and what it had in service may have expired.
        Event::Stalled if facts.owner => (State::Active, BECOME_ACTIVE),
        // Whose interval was learned long ago, before we were Active, says nothing about who may speak now.
        Event::Stalled => (
            State::Backup,
            &[Action::StopTimers, Action::ResetActiveInterval, Action::KeepServing, Action::Listen],
        ),
        Event::Startup | Event::Resume | Event::ActiveDownTimer | Event::Alone => (State::Active, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;
    use Claim::*;

    const EVENTS: [Event; 13] = [
        Event::Startup,
        Event::Shutdown,
        Event::InterfaceDown,
        Event::ActiveDownTimer,
        Event::AdverTimer,
        Event::Advertisement(Stops),
        Event::Advertisement(Lower),
        Event::Advertisement(EqualFromLowerAddress),
        Event::Advertisement(EqualFromHigherAddress),
        Event::Advertisement(Higher),
        Event::Resume,
        Event::Stalled,
        Event::Alone,
    ];

    /// The table a second time, written from the RFC's text as data: (state, event, owner, preempt).
    fn wanted(state: State, event: Event, owner: bool, preempt: bool) -> (State, Vec<Action>) {
        let up = || (State::Active, vec![StopTimers, Serve, Advertise, StartAdverTimer, Announce]);
        let yields =
            || (State::Backup, vec![StopTimers, Withdraw, LearnActiveInterval, StartActiveDownTimer]);
        let stay = (state, vec![]);
        let row = EVENTS.iter().position(|e| *e == event).unwrap();
        match (state, row) {
            (State::Initialize, 0 | 10) if owner => up(),
            (State::Initialize, 10) => (State::Backup, vec![ResetActiveInterval, KeepServing, Listen]),
            (State::Initialize, 0) => (State::Backup, vec![ResetActiveInterval, StartActiveDownTimer, Probe]),
            (State::Initialize, _) => stay,
            (State::Backup, 1 | 2) => (State::Initialize, vec![StopTimers, Withdraw]),
            (State::Backup, 3 | 12) => up(),
            (State::Backup, 5) => (State::Backup, vec![StartSkewTimer]),
            (State::Backup, 6) if owner || preempt => stay,
            (State::Backup, 6..=9) => {
                (State::Backup, vec![Withdraw, LearnActiveInterval, StartActiveDownTimer])
            }
            (State::Backup, 11) => (State::Backup, vec![Listen]),
            (State::Backup, _) => stay,
            (State::Active, 11) if owner => up(),
            (State::Active, 11) => {
                (State::Backup, vec![StopTimers, ResetActiveInterval, KeepServing, Listen])
            }
            (State::Active, 1) => (State::Initialize, vec![StopTimers, AdvertiseStop, WithdrawLater]),
            (State::Active, 2) => (State::Initialize, vec![StopTimers, Withdraw]),
            (State::Active, 4) => (State::Active, vec![Advertise, ContinueAdverTimer]),
            (State::Active, 5) => (State::Active, vec![Advertise, StartAdverTimer]),
            (State::Active, 6 | 7) => (State::Active, vec![Assert]),
            (State::Active, 8 | 9) => yields(),
            (State::Active, _) => stay,
        }
    }

    #[test]
    fn f1_every_cell() {
        let mut cells = 0;
        for state in [State::Initialize, State::Backup, State::Active] {
            for event in EVENTS {
                for (owner, preempt) in [(false, false), (false, true), (true, false), (true, true)] {
                    let (next, actions) = transition(state, event, Facts { owner, preempt });
                    assert_eq!(
                        (next, actions.to_vec()),
                        wanted(state, event, owner, preempt),
                        "{state:?} x {event:?}, owner {owner}, preempt {preempt}"
                    );
                    cells += 1;
                }
            }
        }
        assert_eq!(cells, 3 * 13 * 4);
    }

    #[test]
    fn f3_addresses_compare_as_unsigned_numbers() {
        let a = |s: &str| s.parse::<std::net::Ipv4Addr>().unwrap().to_bits();
        assert_eq!(Claim::of(100, a("192.0.2.1"), 100, a("10.0.0.1")), EqualFromHigherAddress);
        assert_eq!(Claim::of(100, a("10.0.0.1"), 100, a("192.0.2.1")), EqualFromLowerAddress);
        assert_eq!(Claim::of(0, a("10.0.0.1"), 100, a("192.0.2.1")), Stops);
        assert_eq!(Claim::of(101, a("10.0.0.1"), 100, a("192.0.2.1")), Higher);
        assert_eq!(Claim::of(99, a("250.0.0.1"), 100, a("192.0.2.1")), Lower);
    }
}
