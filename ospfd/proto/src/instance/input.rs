//! What the world can tell the engine.

use crate::restart::Saved;
use bfd_proto::message::BfdMessage;
use rib::message::RibMessage;
use routing_common::config::Config;
use routing_common::id::{IfIndex, RouterId};
use routing_common::link::LinkEvent;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// One thing told to [`Instance`](super::Instance).
#[derive(Debug, Clone)]
pub enum Input<'a> {
    /// An IP datagram of protocol 89 arrived.
    Packet(Received<'a>),
    /// The kernel's links or addresses changed.
    Link(LinkEvent),
    /// A new, already validated configuration. Without an `[ospf]` table everything is taken down.
    Reconfigure(Box<Config>),
    /// The RIB says something.
    Rib(RibMessage),
    /// A session with the RIB stands; the whole table is told anew.
    RibConnected,
    /// The session with the RIB is gone; OSPF goes on as if nothing had happened.
    RibLost,
    /// bfdd says something.
    Bfd(BfdMessage),
    /// A connection with bfdd stands; all sessions are asked for anew.
    BfdConnected,
    /// The connection with bfdd is gone; OSPF goes on by its own timers.
    BfdLost,
    /// Seconds since 1970, told at start and after clock steps. Cryptographic sequence numbers (RFC 2328 App. D.3),
    /// lifetimes of keys and the state that is kept over restarts use it.
    WallClock(u64),
    /// An operator's `clear` command.
    Clear(Clear),
    /// What the former process asked to keep ([`Output::Persist`](super::Output::Persist)); told once, before the
    /// links, if there is anything.
    Restored(Option<Box<Saved>>),
    /// Leave for a planned restart (RFC 3623 §2.1), then answer [`Output::Finished`](super::Output::Finished).
    PrepareRestart,
    /// Flush our LSAs, say goodbye to the RIB, then answer [`Output::Finished`](super::Output::Finished).
    Shutdown,
}

/// A received datagram, without its IP header.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// The interface it came in by.
    pub ifindex: IfIndex,
    /// IP source address.
    pub source: Ipv4Addr,
    /// IP destination address.
    pub destination: Ipv4Addr,
    /// IP time to live. Any value is accepted, as RFC 2328 §8.2 asks for none.
    pub ttl: u8,
    /// The OSPF packet.
    pub payload: &'a [u8],
}

/// What an operator may clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Clear {
    /// Take every interface down and up again and forget the database (`clear ip ospf process`).
    Process,
    /// Kill adjacencies: all of them, or those with one router (`clear ip ospf neighbor [ID]`).
    Neighbors(Option<RouterId>),
    /// Take one interface down and up again (`clear ip ospf interface IF`), or all.
    Interface(Option<IfIndex>),
}
