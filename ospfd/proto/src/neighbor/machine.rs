//! The neighbour state machine (RFC 2328 §10.1 to §10.3) as a pure table.
//!
//! Attempt and Start exist only on NBMA networks, which this suite does not run, so neither appears.
//! What the RFC writes as "depends upon action routine" is decided by a fact handed in: whether an
//! adjacency is wanted (§10.4), or whether the Link state request list is empty.

use serde::{Deserialize, Serialize};

/// §10.1, in the RFC's order, which is meaningful ("2-Way or greater").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NeighborState {
    /// No recent information.
    Down,
    /// Heard, but it has not heard us.
    Init,
    /// Bidirectional.
    TwoWay,
    /// Deciding on master, slave and the first DD sequence number.
    ExStart,
    /// Describing the databases.
    Exchange,
    /// Asking for what the other has newer.
    Loading,
    /// Adjacent.
    Full,
}

/// §10.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NeighborEvent {
    /// A Hello from it.
    HelloReceived,
    /// We are listed in its Hello.
    TwoWayReceived,
    /// Master and slave are agreed.
    NegotiationDone,
    /// Both databases have been described.
    ExchangeDone,
    /// A Link State Request, or an answer to one, made no sense.
    BadLsReq,
    /// The Link state request list ran empty.
    LoadingDone,
    /// Reconsider whether to be adjacent.
    AdjOk,
    /// The description of databases went out of step.
    SeqNumberMismatch,
    /// We are no longer listed in its Hello.
    OneWayReceived,
    /// Destroy all communication.
    KillNbr,
    /// Nothing was heard for RouterDeadInterval.
    InactivityTimer,
    /// The lower layers say it is unreachable.
    LlDown,
}

/// What the table cannot know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts {
    /// §10.4: should there be an adjacency?
    pub adjacency_wanted: bool,
    /// Is the Link state request list empty?
    pub request_list_empty: bool,
}

/// What to do besides entering the new state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing.
    None,
    /// Start or restart the Inactivity Timer.
    RestartInactivityTimer,
    /// Clear the three lists, take a new DD sequence number, declare ourselves master, send an empty
    /// Database Description with I, M and MS.
    StartExchange,
    /// Fill the Database summary list.
    SummarizeDatabase,
    /// Ask for the rest of the Link state request list.
    ContinueRequests,
    /// Clear the three lists.
    ClearLists,
    /// Clear the three lists, stop the Inactivity Timer; the neighbour is forgotten.
    Forget,
}

/// §10.3. `None`: the event means nothing in this state.
pub fn transition(
    state: NeighborState,
    event: NeighborEvent,
    facts: Facts,
) -> Option<(NeighborState, Action)> {
    use NeighborEvent as E;
    use NeighborState as S;
    Some(match (state, event) {
        (_, E::KillNbr | E::LlDown | E::InactivityTimer) => (S::Down, Action::Forget),
        (S::Down, E::HelloReceived) => (S::Init, Action::RestartInactivityTimer),
        (_, E::HelloReceived) => (state, Action::RestartInactivityTimer),
        (S::Init, E::TwoWayReceived) | (S::TwoWay, E::AdjOk) => {
            if facts.adjacency_wanted {
                (S::ExStart, Action::StartExchange)
            } else {
                (S::TwoWay, Action::None)
            }
        }
        (S::ExStart, E::NegotiationDone) => (S::Exchange, Action::SummarizeDatabase),
        (S::Exchange, E::ExchangeDone) => {
            if facts.request_list_empty {
                (S::Full, Action::None)
            } else {
                (S::Loading, Action::ContinueRequests)
            }
        }
        (S::Loading, E::LoadingDone) => (S::Full, Action::None),
        (S::ExStart | S::Exchange | S::Loading | S::Full, E::AdjOk) => {
            if facts.adjacency_wanted {
                (state, Action::None)
            } else {
                (S::TwoWay, Action::ClearLists)
            }
        }
        (S::Exchange | S::Loading | S::Full, E::SeqNumberMismatch | E::BadLsReq) => {
            (S::ExStart, Action::StartExchange)
        }
        (S::TwoWay | S::ExStart | S::Exchange | S::Loading | S::Full, E::OneWayReceived) => {
            (S::Init, Action::ClearLists)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use NeighborEvent as E;
    use NeighborState as S;

    const STATES: [S; 7] = [S::Down, S::Init, S::TwoWay, S::ExStart, S::Exchange, S::Loading, S::Full];
    const EVENTS: [E; 12] = [
        E::HelloReceived,
        E::TwoWayReceived,
        E::NegotiationDone,
        E::ExchangeDone,
        E::BadLsReq,
        E::LoadingDone,
        E::AdjOk,
        E::SeqNumberMismatch,
        E::OneWayReceived,
        E::KillNbr,
        E::InactivityTimer,
        E::LlDown,
    ];

    fn letter(state: S) -> char {
        match state {
            S::Down => 'D',
            S::Init => 'I',
            S::TwoWay => '2',
            S::ExStart => 'S',
            S::Exchange => 'X',
            S::Loading => 'L',
            S::Full => 'F',
        }
    }

    fn row(state: S, facts: Facts) -> String {
        EVENTS.into_iter().map(|e| transition(state, e, facts).map_or('.', |(to, _)| letter(to))).collect()
    }

    fn check(facts: Facts, table: [&str; 7]) {
        for (state, expected) in STATES.into_iter().zip(table) {
            assert_eq!(row(state, facts), expected, "{state:?} with {facts:?}");
        }
    }

    #[test]
    fn every_state_and_event_is_as_in_section_10_3() {
        check(
            Facts { adjacency_wanted: true, request_list_empty: true },
            [
                "I........DDD",
                "IS.......DDD",
                "2.....S.IDDD",
                "S.X...S.IDDD",
                "X..FS.XSIDDD",
                "L...SFLSIDDD",
                "F...S.FSIDDD",
            ],
        );
        check(
            Facts { adjacency_wanted: false, request_list_empty: false },
            [
                "I........DDD",
                "I2.......DDD",
                "2.....2.IDDD",
                "S.X...2.IDDD",
                "X..LS.2SIDDD",
                "L...SF2SIDDD",
                "F...S.2SIDDD",
            ],
        );
    }

    #[test]
    fn actions_go_with_the_change_and_not_with_the_state() {
        let facts = Facts { adjacency_wanted: true, request_list_empty: false };
        let action = |s, e| transition(s, e, facts).map(|(_, a)| a);
        for state in STATES {
            assert_eq!(action(state, E::HelloReceived), Some(Action::RestartInactivityTimer));
            assert_eq!(action(state, E::KillNbr), Some(Action::Forget));
        }
        assert_eq!(action(S::Init, E::TwoWayReceived), Some(Action::StartExchange));
        assert_eq!(action(S::Full, E::SeqNumberMismatch), Some(Action::StartExchange));
        assert_eq!(action(S::ExStart, E::NegotiationDone), Some(Action::SummarizeDatabase));
        assert_eq!(action(S::Exchange, E::ExchangeDone), Some(Action::ContinueRequests));
        assert_eq!(action(S::Full, E::AdjOk), Some(Action::None));
        assert_eq!(action(S::Full, E::OneWayReceived), Some(Action::ClearLists));
    }
}
