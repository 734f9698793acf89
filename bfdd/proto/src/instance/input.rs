//! What the world can tell the engine.

use crate::message::ClientMessage;
use routing_common::config::Config;
use routing_common::id::IfIndex;
use routing_common::link::LinkEvent;
use routing_common::time::Instant;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// A connection's number, given by the shell and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientId(pub u64);

/// A received UDP datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received<'a> {
    /// The interface it came by.
    pub interface: IfIndex,
    /// IP source address.
    pub source: Ipv4Addr,
    /// IP destination address.
    pub destination: Ipv4Addr,
    /// IP time to live.
    pub ttl: u8,
    /// Was it sent to port 4784 (RFC 5883) and not to 3784 (RFC 5881)?
    pub multihop: bool,
    /// The UDP payload.
    pub payload: &'a [u8],
    /// When the kernel got it; the Detection Time counts from here.
    pub received: Instant,
}

/// What the host lets the daemon have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HostStatus {
    /// The priority of the real-time scheduling class, if it was granted.
    pub real_time: Option<u8>,
    /// Is its memory kept from being paged out?
    pub memory_locked: bool,
    /// Why something was not granted.
    pub problems: Vec<String>,
}

/// One thing that happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// The kernel's interfaces or addresses changed.
    Link(LinkEvent),
    /// A new configuration. Only what differs from the last one is touched.
    Reconfigure(Box<Config>),
    /// A datagram came in.
    Packet(Received<'a>),
    /// A client connected.
    ClientConnected(ClientId),
    /// A client said something.
    ClientMessage(ClientId, ClientMessage),
    /// A client's connection is gone.
    ClientGone(ClientId),
    /// A packet of this session could not be sent.
    TransmitFailed(u32),
    /// The kernel refused a socket; the shell tries again.
    Fault(String),
    /// What the host grants.
    Host(HostStatus),
    /// Stop: signal AdminDown, then [`super::Output::Finished`].
    Shutdown,
}
