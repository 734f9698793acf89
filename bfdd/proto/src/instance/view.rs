//! Sessions as whoever holds the engine to its promises sees them.

use super::Instance;
use crate::message::{Diagnostic, SessionState};
use routing_common::id::IfIndex;
use routing_common::time::Duration;
use std::net::Ipv4Addr;

/// A session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionView {
    /// bfd.LocalDiscr.
    pub discriminator: u32,
    /// The interface of a single hop.
    pub interface: Option<IfIndex>,
    /// The neighbour's address.
    pub peer: Ipv4Addr,
    /// bfd.SessionState.
    pub state: SessionState,
    /// bfd.LocalDiag.
    pub diagnostic: Diagnostic,
    /// How long the peer may be silent.
    pub detection_time: Duration,
    /// Times it came Up.
    pub ups: u64,
    /// Times it left Up.
    pub downs: u64,
}

impl Instance {
    /// All sessions, by bfd.LocalDiscr.
    pub fn views(&self) -> impl Iterator<Item = SessionView> {
        self.sessions.values().map(|session| SessionView {
            discriminator: session.local_discr,
            interface: session.interface(),
            peer: session.peer(),
            state: session.session_state,
            diagnostic: session.local_diag,
            detection_time: session.timing.detection_time(),
            ups: session.stats.ups,
            downs: session.stats.downs,
        })
    }
}
