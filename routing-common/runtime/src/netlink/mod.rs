//! The parts of rtnetlink this suite speaks, and nothing more.
//!
//! Own code instead of a crate for three reasons: no crate knows next-hop objects, batches with one
//! acknowledgement are several times faster than a request at a time, and a kernel interface that has
//! been stable for decades needs no dependency that changes every month.
//!
//! * [`message`]: bytes, safely: building requests, reading replies. Never panics on any bytes.
//! * [`socket`]: [`socket::RequestSocket`] asks and changes, [`socket::EventSocket`] listens.

pub mod message;
pub mod socket;
