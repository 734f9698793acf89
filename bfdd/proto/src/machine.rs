//! The state machine of RFC 5880 §6.2 and §6.8.6 as a pure table: [`transition`].
//!
//! The table says what becomes of bfd.SessionState and bfd.LocalDiag; [`crate::session`] does the rest. There are no
//! facts beside the event: what a peer says is its state, and timers and operators are events of their own.
//!
//! bfd.LocalDiag is the reason of the last change of state (§6.8.1): it says why a session is down while it is down
//! and is cleared when it begins to come up.

use crate::message::{Diagnostic, SessionState};

/// What can happen to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A packet that was not discarded said that the peer is in this state.
    Received(SessionState),
    /// A Detection Time passed without a packet (§6.8.4).
    DetectionTimeExpired,
    /// The operator, or the end of the session, holds it down (§6.8.16).
    Disable,
    /// It is no longer held down.
    Enable,
}

/// What a session becomes: its state and bfd.LocalDiag; `None` where nothing changes.
pub fn transition(state: SessionState, event: Event) -> Option<(SessionState, Diagnostic)> {
    use SessionState::{AdminDown, Down, Init, Up};
    match (state, event) {
        (AdminDown, Event::Enable) => Some((Down, Diagnostic::NONE)),
        (AdminDown, _) => None,
        (_, Event::Disable) => Some((AdminDown, Diagnostic::ADMINISTRATIVELY_DOWN)),
        (_, Event::Enable) => None,

        (Init | Up, Event::DetectionTimeExpired) => Some((Down, Diagnostic::CONTROL_DETECTION_TIME_EXPIRED)),
        (Down, Event::DetectionTimeExpired) => None,

        (Init | Up, Event::Received(AdminDown)) => Some((Down, Diagnostic::NEIGHBOR_SIGNALED_SESSION_DOWN)),
        (Down, Event::Received(AdminDown)) => None,
        (Down, Event::Received(Down)) => Some((Init, Diagnostic::NONE)),
        (Down, Event::Received(Init)) => Some((Up, Diagnostic::NONE)),
        (Down, Event::Received(Up)) => None,
        (Init, Event::Received(Init | Up)) => Some((Up, Diagnostic::NONE)),
        (Init, Event::Received(Down)) => None,
        (Up, Event::Received(Down)) => Some((Down, Diagnostic::NEIGHBOR_SIGNALED_SESSION_DOWN)),
        (Up, Event::Received(Init | Up)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SessionState::{AdminDown, Down, Init, Up};

    /// RFC 5880 §6.2's drawing and §6.8.6's text, a row for every cell: state, event, next state, Diag where it changes.
    #[test]
    fn every_cell() {
        use Event::{DetectionTimeExpired as Expired, Disable, Enable, Received};
        let rows = [
            (AdminDown, Received(AdminDown), None),
            (AdminDown, Received(Down), None),
            (AdminDown, Received(Init), None),
            (AdminDown, Received(Up), None),
            (AdminDown, Expired, None),
            (AdminDown, Disable, None),
            (AdminDown, Enable, Some((Down, 0))),
            (Down, Received(AdminDown), None),
            (Down, Received(Down), Some((Init, 0))),
            (Down, Received(Init), Some((Up, 0))),
            (Down, Received(Up), None),
            (Down, Expired, None),
            (Down, Disable, Some((AdminDown, 7))),
            (Down, Enable, None),
            (Init, Received(AdminDown), Some((Down, 3))),
            (Init, Received(Down), None),
            (Init, Received(Init), Some((Up, 0))),
            (Init, Received(Up), Some((Up, 0))),
            (Init, Expired, Some((Down, 1))),
            (Init, Disable, Some((AdminDown, 7))),
            (Init, Enable, None),
            (Up, Received(AdminDown), Some((Down, 3))),
            (Up, Received(Down), Some((Down, 3))),
            (Up, Received(Init), None),
            (Up, Received(Up), None),
            (Up, Expired, Some((Down, 1))),
            (Up, Disable, Some((AdminDown, 7))),
            (Up, Enable, None),
        ];
        for (state, event, next) in rows {
            let next = next.map(|(s, d)| (s, Diagnostic(d)));
            assert_eq!(transition(state, event), next, "{state} {event:?}");
        }
        let mut cells: Vec<_> = rows.iter().map(|(s, e, _)| (*s, *e)).collect();
        cells.sort_unstable();
        cells.dedup();
        assert_eq!(cells.len(), 4 * 7, "every cell once");
    }
}
