//! The OSPF engine in an in-memory network.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

mod adjacency;
mod attachments;
mod bfd;
mod bfd_bridge;
mod bfd_lan;
mod bfd_restart;
mod fast_reroute;
mod flooding;
mod graceful;
mod graceful_helper;
mod harness;
mod key_chain;
mod leaving;
mod limits;
mod policy;
mod repetition;
mod rib_session;
mod ring;
mod robustness;
mod scene;
mod self_originated;
#[cfg(test)]
mod show;
#[cfg(test)]
mod show_lists;
#[cfg(test)]
mod show_policy;
mod stub_router;
mod topology_changes;
