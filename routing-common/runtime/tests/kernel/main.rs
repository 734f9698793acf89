//! The runtime against a real kernel, in network namespaces that vanish with each test.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod namespace;
mod netlink;
mod sockets;
