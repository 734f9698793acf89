//! The flooding procedure (RFC 2328 §13).
//!
//! How an update travels: `receive` judges each LSA by the steps (1) to (8) of §13, installs what is new,
//! and hands it to `transmit`, which puts it on retransmission lists and on the interfaces' flood queues
//! (§13.3). The queues leave at the end of the turn, so that all LSAs one packet, one link failure or one
//! timer set in motion share packets; under load they wait for more (`pacing`). `acknowledge` is §13.5.
//!
//! Deviations:
//! * An LSA that comes before MinLSArrival has passed is not dropped but *held* (§13 (5)(a)): when the gate
//!   opens, the newest held instance is processed as if it came then. Dropping it costs the sender's
//!   whole RxmtInterval, 5 s by default, and is the largest delay measured in rings of other routers.
//! * An instance that comes just after its own flush is not taken (`flushed`).
//! * Type 7 LSAs are discarded, as no area here is an NSSA.

mod acknowledge;
mod flushed;
mod pacing;
mod receive;
mod transmit;

pub(crate) use flushed::Flushed;
pub(crate) use pacing::Pace;
pub(crate) use receive::Held;
