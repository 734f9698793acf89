//! The parts of rtnetlink this suite speaks, and nothing more.
//!
//! Own code instead of a crate for three reasons: no crate knows next-hop objects, batches with one
//! acknowledgement are several times faster than a request at a time, and a kernel interface that has
//! been stable for decades needs no dependency that changes every month.
//!
//! * [`message`]: bytes, safely: building requests, reading replies. Never panics on any bytes.
//! * [`socket`]: [`socket::RequestSocket`] asks and changes, [`socket::EventSocket`] listens.
//! * [`link`], [`address`]: devices and IPv4 addresses, parsed and requested.
//! * [`neighbor`]: ARP entries that wait for an answer.
//! * [`monitor`]: links and addresses as the gapless events every engine takes.
//! * [`route`], [`nexthop`]: routes of table main and next-hop objects.

pub mod address;
pub mod link;
pub mod message;
pub mod monitor;
pub mod neighbor;
pub mod nexthop;
pub mod route;
pub mod socket;
