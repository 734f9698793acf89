//! Real routers in network namespaces, cabled with virtual switches.
//!
//! A *lab* is one [`topology::Topology`] brought to life: every router, VM host, the LAN's gateway and the Internet host
//! is a network namespace; every link is a Linux bridge in a namespace of its own, so that a router can die without
//! its neighbours losing carrier, as behind a real switch. What routes in a router's namespace is chosen per router:
//! this suite, FRR or BIRD with keepalived ([`stack`]).
//!
//! The lab does not believe any of them. What every table must hold is computed by [`oracle`] from the topology, for the
//! reference rings it is written down cell by cell in `expect/*.toml` ([`expect`]), and [`table`] compares it with what the
//! *kernel* forwards by. [`probe`] sends a packet a millisecond on every flow and counts what an operator would miss.
//!
//! Order of reading: [`topology`], [`oracle`], [`fabric`] (namespaces and cables), [`lab`] (the operations), [`scenario`].
#![forbid(unsafe_code)]

pub mod compare;
pub mod document;
pub mod expect;
pub mod fabric;
pub mod janitor;
pub mod lab;
pub mod measure;
pub mod netns;
pub mod oracle;
pub mod paper;
pub mod pcap;
pub mod probe;
pub mod process;
pub mod report;
pub mod rest;
pub mod restart;
pub mod rootless;
pub mod scenario;
pub mod soak;
pub mod stack;
pub mod statistics;
pub mod table;
pub mod topology;
pub mod verdict;

pub use lab::{Lab, Options};
pub use oracle::{Failure, Failures};
pub use topology::Topology;
