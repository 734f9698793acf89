//! The interface state machine (RFC 2328 §9.1 to §9.3) as a pure table.
//!
//! [`transition`] knows nothing of timers, packets or neighbours: it says where to go and what class of
//! action the RFC asks for; `Instance` performs it. Events the RFC's table does not list for a state
//! change nothing and give `None`.

use serde::{Deserialize, Serialize};

/// §9.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum InterfaceState {
    /// Not usable; nothing is sent, nothing is advertised.
    Down,
    /// Looped back: advertised as a host.
    Loopback,
    /// Listening for a Designated Router before electing one.
    Waiting,
    /// A point-to-point network.
    PointToPoint,
    /// On a broadcast network, neither Designated Router nor Backup.
    DrOther,
    /// Backup Designated Router.
    Backup,
    /// Designated Router.
    Dr,
}

/// §9.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InterfaceEvent {
    /// Lower layers say the interface works.
    InterfaceUp,
    /// The Wait Timer fired.
    WaitTimer,
    /// A Backup Designated Router was seen, or the certainty that there is none.
    BackupSeen,
    /// The set of bidirectional neighbours, or what they declare, changed.
    NeighborChange,
    /// The interface is looped back.
    LoopInd,
    /// It no longer is.
    UnloopInd,
    /// Lower layers say the interface does not work.
    InterfaceDown,
}

/// What kind of network an interface that comes up is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attachment {
    /// Point-to-point.
    PointToPoint,
    /// Broadcast, and our Router Priority is 0.
    BroadcastIneligible,
    /// Broadcast, and we may become Designated Router.
    BroadcastEligible,
}

/// Where the machine goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transition {
    /// Enter this state, start the Hello Timer; in Waiting also the Wait Timer.
    Start(InterfaceState),
    /// Run the election of §9.4; its result is the new state.
    Elect,
    /// Reset all variables, stop timers, kill all neighbours, then enter this state.
    Stop(InterfaceState),
    /// Enter this state and do nothing else.
    Enter(InterfaceState),
}

/// §9.3. `None`: no state change and no action.
pub fn transition(
    state: InterfaceState,
    event: InterfaceEvent,
    attachment: Attachment,
) -> Option<Transition> {
    use InterfaceEvent as E;
    use InterfaceState as S;
    match (state, event) {
        (S::Down, E::InterfaceUp) => Some(Transition::Start(match attachment {
            Attachment::PointToPoint => S::PointToPoint,
            Attachment::BroadcastIneligible => S::DrOther,
            Attachment::BroadcastEligible => S::Waiting,
        })),
        (S::Waiting, E::BackupSeen | E::WaitTimer) => Some(Transition::Elect),
        (S::DrOther | S::Backup | S::Dr, E::NeighborChange) => Some(Transition::Elect),
        (S::Down, E::InterfaceDown) | (S::Loopback, E::LoopInd) => None,
        (_, E::InterfaceDown) => Some(Transition::Stop(S::Down)),
        (_, E::LoopInd) => Some(Transition::Stop(S::Loopback)),
        (S::Loopback, E::UnloopInd) => Some(Transition::Enter(S::Down)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use InterfaceEvent as E;
    use InterfaceState as S;

    const STATES: [S; 7] = [S::Down, S::Loopback, S::Waiting, S::PointToPoint, S::DrOther, S::Backup, S::Dr];
    const EVENTS: [E; 7] = [
        E::InterfaceUp,
        E::WaitTimer,
        E::BackupSeen,
        E::NeighborChange,
        E::LoopInd,
        E::UnloopInd,
        E::InterfaceDown,
    ];

    /// Rows are states, columns events, as in the constants above. U: depends on the network; E: elect;
    /// D: stop to Down; L: stop to Loopback; d: enter Down; `.`: nothing.
    const TABLE: [&str; 7] = [
        "U...L..", // Down
        ".....dD", // Loopback
        ".EE.L.D", // Waiting
        "....L.D", // PointToPoint
        "...EL.D", // DrOther
        "...EL.D", // Backup
        "...EL.D", // Dr
    ];

    #[test]
    fn every_state_and_event_is_as_in_section_9_3() {
        for attachment in
            [Attachment::PointToPoint, Attachment::BroadcastIneligible, Attachment::BroadcastEligible]
        {
            for (state, row) in STATES.into_iter().zip(TABLE) {
                let got: String = EVENTS
                    .into_iter()
                    .map(|event| match transition(state, event, attachment) {
                        None => '.',
                        Some(Transition::Start(_)) => 'U',
                        Some(Transition::Elect) => 'E',
                        Some(Transition::Stop(S::Down)) => 'D',
                        Some(Transition::Stop(S::Loopback)) => 'L',
                        Some(Transition::Enter(S::Down)) => 'd',
                        Some(other) => panic!("{state:?} {event:?} gave {other:?}"),
                    })
                    .collect();
                assert_eq!(got, row, "{state:?} with {attachment:?}");
            }
        }
    }

    #[test]
    fn an_interface_comes_up_as_its_network_demands() {
        let up = |a| transition(S::Down, E::InterfaceUp, a);
        assert_eq!(up(Attachment::PointToPoint), Some(Transition::Start(S::PointToPoint)));
        assert_eq!(up(Attachment::BroadcastIneligible), Some(Transition::Start(S::DrOther)));
        assert_eq!(up(Attachment::BroadcastEligible), Some(Transition::Start(S::Waiting)));
    }
}
