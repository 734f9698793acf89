//! The laws. One file each; a law looks and never touches.
//!
//! Safety laws are asked after every turn of a daemon and about every frame; liveness laws when the network must
//! have come to rest. The first law that is broken ends the run.

mod b1_sessions;
mod b2_detection;
mod b3_pace;
mod b4_failures;
mod calculation;
mod digest;
mod e2_fresh_start;
mod e3_full_calculation;
mod e4_authentication_sequence;
#[cfg(test)]
mod fixtures;
mod groups;
mod l1_adjacencies;
mod l2_designated;
mod l3_databases;
mod l4_routes;
mod l5_forwarding;
mod l6_installed;
mod l7_silence;
mod l8_alternates;
mod rest;
mod s10_decisions;
mod s11_flooding;
mod s12_ageing;
mod s13_restarts;
mod s14_both_ends;
mod s1_no_older_instance;
mod s2_same_instance_same_octets;
mod s3_lists;
mod s4_timers;
mod s5_intervals;
mod s6_packets;
mod s7_bounded_work;
mod s8_discarded;
mod s9_queries;
mod shadow;
mod v1_one_active;
mod v2_address;
mod v3_winner;
mod v4_owner;

pub use e2_fresh_start::ends_like;

use crate::frame::Frame;
use crate::scenario::Daemon;
use crate::segment::{End, Nature};
use crate::world::World;
use routing_common::link::LinkEvent;
use routing_common::time::Instant;

/// What a daemon was given in a turn.
#[derive(Debug)]
pub enum Cause<'a> {
    /// The process starts: configuration and the kernel's links, told one after the other.
    Started,
    /// Its timers were due.
    Timers,
    /// A frame reached one of its sockets.
    Frame {
        /// Which of the router's ports.
        port: usize,
        /// The frame.
        frame: &'a Frame,
        /// Is it what its sender sent?
        nature: Nature,
        /// When it came, in true time; the daemon may have slept since.
        at: Instant,
    },
    /// The kernel said something about a link or an address.
    Link(&'a LinkEvent),
    /// ribd and a client talked: a message, a connection made or lost.
    Rib,
    /// A new configuration.
    Reconfigured,
    /// Something else: an answer of the kernel, an operator's command, a signal.
    Other,
}

/// One input and all its outputs.
#[derive(Debug)]
pub struct Turn<'a> {
    /// Whose.
    pub router: usize,
    /// Which of its daemons.
    pub daemon: Daemon,
    /// The daemon's own time.
    pub local: Instant,
    /// What it was given.
    pub cause: Cause<'a>,
    /// How many outputs came of it.
    pub outputs: usize,
}

/// Is the law kept? If not, what is wrong.
pub type Verdict = Result<(), String>;

/// A law.
pub trait Checker {
    /// Its short name ("S1") and what it says.
    fn law(&self) -> (&'static str, &'static str);

    /// Before a turn.
    fn before(&mut self, _world: &World, _turn: &Turn<'_>) -> Verdict {
        Ok(())
    }

    /// After a turn, all its outputs carried out.
    fn after(&mut self, _world: &World, _turn: &Turn<'_>) -> Verdict {
        Ok(())
    }

    /// A daemon sends a frame.
    fn sent(&mut self, _world: &World, _from: End, _frame: &Frame) -> Verdict {
        Ok(())
    }

    /// A few times a second.
    fn sweep(&mut self, _world: &World) -> Verdict {
        Ok(())
    }

    /// All faults are over and the time to settle has passed.
    fn at_rest(&mut self, _world: &World) -> Verdict {
        Ok(())
    }

    /// The network was at rest for a while.
    fn at_end(&mut self, _world: &World) -> Verdict {
        Ok(())
    }
}

/// A broken law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub law: &'static str,
    /// When.
    pub at: Instant,
    /// What is wrong.
    pub text: String,
}

/// Every law.
pub fn all() -> Vec<Box<dyn Checker>> {
    let oracle = rest::Oracle::default();
    let shadows = shadow::Shared::default();
    vec![
        Box::new(s1_no_older_instance::NoOlderInstance::new(&shadows)),
        Box::new(s2_same_instance_same_octets::SameOctets::new(&shadows)),
        Box::new(s3_lists::Lists),
        Box::new(s4_timers::Timers),
        Box::new(s5_intervals::Intervals::new(&shadows)),
        Box::new(s6_packets::Packets::default()),
        Box::new(s7_bounded_work::BoundedWork::default()),
        Box::new(s8_discarded::Discarded::default()),
        Box::new(s9_queries::Queries::default()),
        Box::new(s10_decisions::Decisions::default()),
        Box::new(s11_flooding::Flooding::new(&shadows)),
        Box::new(s12_ageing::Ageing::new(&shadows)),
        Box::new(s13_restarts::Restarts::new(&shadows)),
        Box::new(s14_both_ends::BothEnds::default()),
        Box::new(b2_detection::Detection::default()),
        Box::new(b3_pace::Pace::default()),
        Box::new(b4_failures::Failures::default()),
        Box::new(e2_fresh_start::FreshStart),
        Box::new(e3_full_calculation::FullCalculation::default()),
        Box::new(e4_authentication_sequence::AuthenticationSequence::default()),
        Box::new(l1_adjacencies::Adjacencies(oracle.clone())),
        Box::new(l2_designated::Designated(oracle.clone())),
        Box::new(l3_databases::Databases(oracle.clone())),
        Box::new(l4_routes::Routes(oracle.clone())),
        Box::new(l5_forwarding::Forwarding(oracle.clone())),
        Box::new(l6_installed::Installed(oracle.clone())),
        Box::new(l8_alternates::Alternates(oracle.clone())),
        Box::new(b1_sessions::Sessions(oracle.clone())),
        Box::new(l7_silence::Silence::new(oracle)),
        Box::new(v1_one_active::OneActive::default()),
        Box::new(v2_address::Address::default()),
        Box::new(v3_winner::Winner),
        Box::new(v4_owner::Owner::default()),
    ]
}
