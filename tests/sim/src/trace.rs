//! What happened, one entry after the other: the run's hash, and on request all of it.
//!
//! The hash covers everything that daemons send, install and say, with times. Two runs of one scenario have the
//! same hash, or something in an engine is not a function of its inputs.

use crate::frame::Frame;
use crate::scenario::Daemon;
use crate::segment::{End, Nature};
use core::fmt::Write;
use rib::fib::FibOp;
use routing_common::notice::Notice;
use routing_common::time::Instant;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Happening {
    /// A frame left a port.
    Sent {
        /// From where.
        from: End,
        /// What.
        frame: Frame,
    },
    /// A frame reached a port, and a daemon took it or nobody did.
    Arrived {
        /// Where.
        to: End,
        /// What.
        frame: Frame,
        /// Is it what its sender sent?
        nature: Nature,
        /// Did a daemon's socket take it?
        taken: bool,
    },
    /// A daemon has something to tell its operator.
    Notice {
        /// Whose.
        router: usize,
        /// Which.
        daemon: Daemon,
        /// What.
        notice: Notice,
    },
    /// ribd changed the kernel's routes.
    Fib {
        /// Whose.
        router: usize,
        /// The request.
        op: FibOp,
        /// Did the kernel do it?
        done: bool,
    },
    /// A fault began or ended, a daemon started or ended.
    Event {
        /// Whose, if anyone's.
        router: Option<usize>,
        /// In words.
        text: String,
    },
}

/// The hash and, if wanted, the entries.
#[derive(Debug, Default)]
pub struct Transcript {
    hash: Fnv,
    /// All entries, if they are kept.
    pub entries: Option<Vec<(Instant, Happening)>>,
}

/// FNV-1a for comparing runs, over eight octets at a time: frames are most of what goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fnv(pub u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Takes octets in.
    pub fn write(&mut self, octets: &[u8]) {
        let mut take = |word: u64| {
            // The multiplication moves nothing downwards; words have high bits, octets have not.
            self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        };
        let (words, rest) = octets.as_chunks::<8>();
        words.iter().for_each(|word| take(u64::from_le_bytes(*word)));
        rest.iter().for_each(|octet| take(u64::from(*octet)));
    }
}

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}

impl Transcript {
    /// One that keeps its entries, or not.
    pub fn new(keep: bool) -> Self {
        Self { hash: Fnv::default(), entries: keep.then(Vec::new) }
    }

    /// The hash so far.
    pub fn hash(&self) -> u64 {
        self.hash.0
    }

    /// Something happened.
    pub(crate) fn record(&mut self, at: Instant, happening: Happening) {
        self.hash.write(&at.as_nanos().to_be_bytes());
        match &happening {
            Happening::Sent { from, frame } => {
                self.hash.write(&[1, from.router as u8, from.port as u8]);
                self.hash.write(frame.octets());
            }
            Happening::Arrived { to, .. } => self.hash.write(&[2, to.router as u8, to.port as u8]),
            Happening::Notice { router, notice, .. } => {
                self.hash.write(&[3, *router as u8]);
                self.hash.write(notice.text.as_bytes());
            }
            Happening::Fib { router, op, done } => {
                self.hash.write(&[4, *router as u8, u8::from(*done)]);
                // Writing to a hash cannot fail.
                let _ = write!(self.hash, "{op:?}");
            }
            Happening::Event { text, .. } => self.hash.write(text.as_bytes()),
        }
        if let Some(entries) = &mut self.entries {
            entries.push((at, happening));
        }
    }
}
