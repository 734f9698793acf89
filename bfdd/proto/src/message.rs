//! What bfdd and its clients say to each other: the only part of this crate a protocol engine sees.
//!
//! A connection is *declarative*. After every connect the client sends [`ClientMessage::Hello`],
//! [`ClientMessage::BeginSync`], a [`ClientMessage::Register`] for every session it wants,
//! [`ClientMessage::EndSync`]; then changes as they come. bfdd ends what an older connection of the same
//! client (the same name) left and this one did not repeat. A client that dies leaves its sessions running for
//! [`ORPHAN_HOLD`]; one that leaves on purpose says [`ClientMessage::Goodbye`].
//!
//! Clients that ask for the same session share it, whatever their keys say about `local`: there is one session
//! for a neighbour on an interface (RFC 5881 §3), and one for a neighbour and a local address over several hops.
//! The fastest parameters win: the shortest intervals, the smallest Detect Mult; of the minimum TTLs the
//! largest; and the session is passive only if every client wants it so.
//!
//! How a client reads [`SessionStatus`] (RFC 5882 §3.2, §4): the forwarding path failed when a session it was told
//! to be [`SessionState::Up`] *on this connection* is told to be [`SessionState::Down`] and
//! [`SessionStatus::remote_admin_down`] is false. A first `Down` after a Register says only that the session
//! has not come up yet, and the end of the connection says nothing about the path: the client
//! keeps its adjacencies in both cases. Of a peer that restarts gracefully a failure tells the truth only where
//! [`SessionStatus::remote_independent`] is true (RFC 5882 §4.3).
//!
//! Messages travel as postcard in length-prefixed frames on `bfd.sock`. Postcard is not self-describing:
//! [`PROTOCOL_VERSION`] must change with any change here.

use core::fmt;
use core::time::Duration;
use routing_common::config::BfdProfile;
use routing_common::id::IfIndex;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Version of these messages.
pub const PROTOCOL_VERSION: u16 = 2;

/// How long the sessions of a client that died wait for its successor.
pub const ORPHAN_HOLD: Duration = Duration::from_secs(120);

/// Which session: the client's name for it, repeated in every answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// The neighbour's address.
    pub peer: Ipv4Addr,
    /// The source address of our packets; `None`: the interface's address in the peer's subnet, or what the
    /// kernel's routes say (multihop).
    pub local: Option<Ipv4Addr>,
    /// The interface the neighbour is on; `None` on a single hop: the interface with the peer's subnet.
    pub interface: Option<IfIndex>,
    /// RFC 5883 instead of RFC 5881; `interface` must then be `None`.
    pub multihop: bool,
}

impl SessionKey {
    /// A neighbour on a link (RFC 5881).
    pub const fn single_hop(peer: Ipv4Addr, local: Ipv4Addr, interface: IfIndex) -> Self {
        Self { peer, local: Some(local), interface: Some(interface), multihop: false }
    }
}

/// What a client wants of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// bfd.DesiredMinTxInterval while Up (RFC 5880 §6.8.1), at least [`SHORTEST_INTERVAL`].
    pub transmit_interval: Duration,
    /// bfd.RequiredMinRxInterval, at least [`SHORTEST_INTERVAL`].
    pub receive_interval: Duration,
    /// bfd.DetectMult: 2 to 255 from a configuration; 1 is possible in the protocol.
    pub detect_multiplier: u8,
    /// Take the passive role (RFC 5880 §6.1): say nothing before the peer has spoken.
    pub passive: bool,
    /// Multihop: packets with a smaller TTL are dropped (RFC 5883 §5). A single hop always wants 255.
    pub minimum_ttl: u8,
}

impl From<&BfdProfile> for Parameters {
    fn from(p: &BfdProfile) -> Self {
        Self {
            transmit_interval: p.transmit_interval,
            receive_interval: p.receive_interval,
            detect_multiplier: p.detect_multiplier,
            passive: p.passive,
            minimum_ttl: p.minimum_ttl,
        }
    }
}

/// The shortest interval this suite runs; shorter ones are taken for this one.
pub const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// RFC 5880 §4.1 "Sta", in its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum SessionState {
    /// Held down on purpose: no statement about the path.
    AdminDown = 0,
    /// No session, or it has just failed.
    Down = 1,
    /// We hear the peer; it does not hear us yet.
    Init = 2,
    /// Both ends hear each other.
    Up = 3,
}

impl SessionState {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::AdminDown, Self::Down, Self::Init, Self::Up];

    /// As FRR writes it: "up", "down", "init", "shutdown".
    pub const fn name(self) -> &'static str {
        match self {
            Self::AdminDown => "shutdown",
            Self::Down => "down",
            Self::Init => "init",
            Self::Up => "up",
        }
    }
}

impl fmt::Display for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// RFC 5880 §4.1 "Diag", in its numbers; unassigned ones (9 to 31) are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Diagnostic(pub u8);

impl Diagnostic {
    /// 0: No Diagnostic.
    pub const NONE: Self = Self(0);
    /// 1: Control Detection Time Expired.
    pub const CONTROL_DETECTION_TIME_EXPIRED: Self = Self(1);
    /// 3: Neighbor Signaled Session Down.
    pub const NEIGHBOR_SIGNALED_SESSION_DOWN: Self = Self(3);
    /// 5: Path Down.
    pub const PATH_DOWN: Self = Self(5);
    /// 7: Administratively Down.
    pub const ADMINISTRATIVELY_DOWN: Self = Self(7);

    /// In words, as FRR prints them.
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "ok",
            1 => "control detection time expired",
            2 => "echo function failed",
            3 => "neighbor signaled session down",
            4 => "forwarding plane reset",
            5 => "path down",
            6 => "concatenated path down",
            7 => "administratively down",
            8 => "reverse concatenated path down",
            _ => "unknown",
        }
    }
}

/// From a client to bfdd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// First message of a connection.
    Hello {
        /// Must equal [`PROTOCOL_VERSION`].
        version: u16,
        /// Whose sessions these are, for shows and for their adoption after a restart: "ospfd".
        name: String,
    },
    /// All sessions of this client follow.
    BeginSync,
    /// The client wants this session, or other parameters for it. Answered at once by its present state.
    Register {
        /// Which.
        key: SessionKey,
        /// How.
        parameters: Parameters,
    },
    /// It does not want this session any more.
    Unregister(SessionKey),
    /// All sessions have been told; what was not repeated goes.
    EndSync,
    /// The client leaves on purpose: all its sessions go now.
    Goodbye,
}

/// From bfdd to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BfdMessage {
    /// Answer to `Hello`.
    Hello {
        /// bfdd's [`PROTOCOL_VERSION`].
        version: u16,
    },
    /// A session's state: once after every Register, then at every change.
    State(SessionStatus),
    /// This session cannot be had; the client does without.
    Refused {
        /// The client's key.
        key: SessionKey,
        /// Why, for a log.
        reason: String,
    },
}

/// A session's state as a client sees it. See the module text for what to conclude from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionStatus {
    /// The client's key.
    pub key: SessionKey,
    /// bfd.SessionState.
    pub state: SessionState,
    /// bfd.LocalDiag: why it left Up.
    pub diagnostic: Diagnostic,
    /// The Diag of the peer's last packet.
    pub remote_diagnostic: Diagnostic,
    /// The peer's last packet said AdminDown: it left on purpose, and the path may be sound (RFC 5882 §3.2).
    pub remote_admin_down: bool,
    /// The C bit of the peer's last packet (RFC 5880 §4.1): its BFD goes on when its control plane does not. Ours always
    /// does.
    pub remote_independent: bool,
}
