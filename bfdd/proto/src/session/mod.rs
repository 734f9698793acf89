//! One session: RFC 5880 §6.8.1's variables and what happens to them.
//!
//! [`machine`](crate::machine) says what a state becomes and [`timing`] how fast things go; here a packet, a deadline
//! or an operator is turned into both, and into packets. A session never looks at others: who may have it,
//! and whom to tell, is [`crate::instance`]'s business.
//!
//! Invariants: a packet leaves at most every [`LEAST_GAP`] beside one Final for a Poll, and those too keep that gap among
//! themselves; bfd.LocalDiscr never changes; nothing is sent without our turn (§6.1's passive role, §6.8.7).

mod detection;
pub(crate) mod timing;
mod transmit;

pub(crate) use timing::micros;

use crate::constants::HISTORY;
use crate::discard::{Discard, Discards};
use crate::instance::Output;
use crate::machine::{Event, transition};
use crate::message::{Diagnostic, Parameters, SessionState};
use crate::packet::ControlPacket;
use routing_common::id::IfIndex;
use routing_common::rng::Rng;
use routing_common::time::{Duration, Instant};
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use timing::Timing;

pub(crate) use detection::{Expiry, LEAST_TOLERANCE};

/// Which session there can be only one of (RFC 5881 §3, RFC 5883 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Identity {
    /// With a neighbour on an interface.
    SingleHop { interface: IfIndex, peer: Ipv4Addr },
    /// With a system anywhere, from one of our addresses or whichever fits.
    Multihop { peer: Ipv4Addr, local: Option<Ipv4Addr> },
}

impl Identity {
    /// The interface of a single hop.
    pub(crate) fn interface(&self) -> Option<IfIndex> {
        match *self {
            Self::SingleHop { interface, .. } => Some(interface),
            Self::Multihop { .. } => None,
        }
    }
}

/// One change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) at: Instant,
    pub(crate) from: SessionState,
    pub(crate) to: SessionState,
    pub(crate) diagnostic: Diagnostic,
}

/// Counters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stats {
    pub(crate) packets_in: u64,
    pub(crate) packets_out: u64,
    pub(crate) transmit_failures: u64,
    pub(crate) ups: u64,
    pub(crate) downs: u64,
    /// Polls not answered because the last Final had just left.
    pub(crate) finals_held_back: u64,
    /// Our own stalls for which a peer was given more time.
    pub(crate) stalls_excused: u64,
}

/// See the module text.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) identity: Identity,
    /// bfd.LocalDiscr.
    pub(crate) local_discr: u32,
    /// The source address of what we send; `None`: the kernel's choice.
    pub(crate) local: Option<Ipv4Addr>,
    /// Has the shell been told of it?
    pub(crate) opened: bool,
    /// bfd.SessionState.
    pub(crate) session_state: SessionState,
    /// bfd.RemoteSessionState.
    pub(crate) remote_session_state: SessionState,
    /// bfd.RemoteDiscr.
    pub(crate) remote_discr: u32,
    /// bfd.LocalDiag.
    pub(crate) local_diag: Diagnostic,
    /// The last received Diag.
    pub(crate) remote_diag: Diagnostic,
    /// The C bit of the peer's last packet.
    pub(crate) remote_independent: bool,
    /// bfd.RemoteDemandMode. Our own bfd.DemandMode is always 0.
    pub(crate) remote_demand_mode: bool,
    pub(crate) timing: Timing,
    pub(crate) parameters: Parameters,
    pub(crate) stats: Stats,
    pub(crate) discards: Discards,
    /// Last changes of state, oldest first.
    pub(crate) history: VecDeque<Change>,
    pub(crate) created: Instant,
    transmit: transmit::Transmit,
    detection: detection::Detection,
}

/// What a session may touch while it acts.
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) rng: &'a mut Rng,
    pub(crate) out: &'a mut VecDeque<Output>,
    /// Has its link carrier?
    pub(crate) running: bool,
}

impl Session {
    /// A session that is Down and has its first packet to send.
    pub(crate) fn new(
        cx: &mut Context<'_>,
        identity: Identity,
        local_discr: u32,
        parameters: Parameters,
    ) -> Self {
        Self {
            identity,
            local_discr,
            local: None,
            opened: false,
            session_state: SessionState::Down,
            remote_session_state: SessionState::Down,
            remote_discr: 0,
            local_diag: Diagnostic::NONE,
            remote_diag: Diagnostic::NONE,
            remote_independent: false,
            remote_demand_mode: false,
            timing: Timing::new(&parameters),
            parameters,
            stats: Stats::default(),
            discards: Discards::default(),
            history: VecDeque::new(),
            created: cx.now,
            transmit: transmit::Transmit::new(cx.rng.next_u64()),
            detection: detection::Detection::default(),
        }
    }

    /// The peer's address.
    pub(crate) fn peer(&self) -> Ipv4Addr {
        match self.identity {
            Identity::SingleHop { peer, .. } | Identity::Multihop { peer, .. } => peer,
        }
    }

    /// The interface of a single hop.
    pub(crate) fn interface(&self) -> Option<IfIndex> {
        self.identity.interface()
    }

    /// The checks of §6.8.6 that need the session, in the RFC's order as far as it has them.
    pub(crate) fn examine(&self, packet: &ControlPacket, interface: IfIndex, ttl: u8) -> Result<(), Discard> {
        match self.interface() {
            Some(own) if own != interface => return Err(Discard::Interface),
            None if ttl < self.parameters.minimum_ttl => return Err(Discard::MinimumTtl),
            _ => {}
        }
        if packet.authenticated { Err(Discard::Authentication) } else { Ok(()) }
    }

    /// §6.8.6 from "Set bfd.RemoteDiscr" on. `received` is when the kernel got the packet.
    ///
    /// # Errors
    /// A session in AdminDown discards everything, after having read the variables.
    pub(crate) fn receive(
        &mut self,
        cx: &mut Context<'_>,
        packet: &ControlPacket,
        received: Instant,
    ) -> Result<(), Discard> {
        self.remote_discr = packet.my_discriminator;
        self.remote_session_state = packet.state;
        self.remote_diag = packet.diagnostic;
        self.remote_independent = packet.control_plane_independent;
        self.remote_demand_mode = packet.demand;
        let span = |micros: u32| Duration::from_micros(u64::from(micros));
        self.timing.remote_min_rx_interval = span(packet.required_min_rx);
        self.timing.remote_desired_min_tx = span(packet.desired_min_tx);
        self.timing.remote_detect_mult = packet.detect_mult;
        self.timing.received(packet.final_);
        if self.session_state == SessionState::AdminDown {
            return Err(Discard::AdminDown);
        }
        self.stats.packets_in += 1;
        self.detection.heard(received.min(cx.now));
        self.step(cx, Event::Received(packet.state));
        if packet.poll {
            self.answer_poll(cx);
        }
        Ok(())
    }

    /// One event through the table; says whether the state changed.
    pub(crate) fn step(&mut self, cx: &mut Context<'_>, event: Event) -> bool {
        let Some((state, diagnostic)) = transition(self.session_state, event) else { return false };
        let from = core::mem::replace(&mut self.session_state, state);
        self.local_diag = diagnostic;
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Change { at: cx.now, from, to: state, diagnostic });
        // The peer may be Up while we are in Init.
        if state == SessionState::AdminDown && from != SessionState::Down {
            self.begin_farewell(cx);
        }
        if from == SessionState::Up {
            self.stats.downs += 1;
            self.timing.set_up(false);
        }
        if state == SessionState::Up {
            self.stats.ups += 1;
            self.timing.set_up(true);
        }
        if from == SessionState::AdminDown {
            self.end_farewell();
            // What it said meanwhile was not listened to.
            self.forget_remote();
        }
        // §6.8.7: packets whose contents differ from the last one's are sent between the periodic ones.
        self.hurry();
        true
    }

    /// Other parameters are wanted.
    pub(crate) fn adjust(&mut self, parameters: Parameters) {
        self.parameters = parameters;
        if self.timing.want(&parameters) {
            self.hurry();
        }
    }

    /// The peer is unknown again (§6.8.1, bfd.RemoteDiscr).
    fn forget_remote(&mut self) {
        self.remote_discr = 0;
        self.remote_session_state = SessionState::Down;
        self.remote_demand_mode = false;
        self.timing.forget_remote();
        self.detection.forget();
    }

    /// Since when it is in its state.
    pub(crate) fn since(&self) -> Instant {
        self.history.back().map_or(self.created, |c| c.at)
    }

    /// The packet as it would be sent now.
    fn packet(&self, final_: bool) -> ControlPacket {
        ControlPacket {
            diagnostic: self.local_diag,
            state: self.session_state,
            poll: !final_ && self.timing.is_polling(),
            final_,
            // Clients come and go; sessions do not end with them.
            control_plane_independent: true,
            authenticated: false,
            demand: false,
            detect_mult: self.timing.detect_mult,
            my_discriminator: self.local_discr,
            your_discriminator: self.remote_discr,
            desired_min_tx: micros(self.timing.desired_min_tx_interval),
            required_min_rx: micros(self.timing.required_min_rx_interval),
            required_min_echo_rx: 0,
        }
    }
}
