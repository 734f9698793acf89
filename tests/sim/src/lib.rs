//! The shipped engines in a simulated network.
//!
//! OSPF, VRRP and the RIB are pure: they are told things and asked what they want done. Here they are told it by a
//! world in which everything is under control: virtual time, segments that lose, delay, repeat and bend frames,
//! routers that lose power, daemons that die or get no time, operators and adversaries. Everything that happens is
//! a function of a [`scenario::Scenario`], which is a function of a seed.
//!
//! To read, in this order: [`scenario`] (what a run consists of), [`world`] (the queue), [`node`] and [`kernel`] (a
//! router), [`turn`] (what a daemon's shell does), [`fault`] (what goes wrong), [`checker`] (the laws), [`oracle`]
//! (what the routes ought to be), [`run`] (the phases).
//!
//! Nothing here is known to an engine: the crates are those the daemons link.
#![forbid(unsafe_code)]

mod adversary;
pub mod alternates;
mod arrival;
pub mod checker;
pub mod clock;
pub mod document;
mod fault;
pub mod figures;
pub mod filter;
pub mod frame;
pub mod generate;
pub mod kernel;
pub mod ladder;
pub mod node;
pub mod oracle;
pub mod parallel;
pub mod pcap;
mod process;
mod queue;
pub mod replay;
pub mod report;
pub mod run;
pub mod scale;
pub mod scenario;
pub mod segment;
pub mod shrink;
pub mod text;
pub mod trace;
pub mod transient;
pub mod trial;
mod turn;
pub mod walk;
mod wire;
pub mod world;
