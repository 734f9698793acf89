//! The OSPF engine in an in-memory network.

mod adjacency;
mod flooding;
mod harness;
mod ring;
#[cfg(test)]
mod show;
