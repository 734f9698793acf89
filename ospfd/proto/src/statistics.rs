//! Counters. All only grow, and start at 0 when OSPF starts on the interface for the first time.

use crate::discard::Discard;
use crate::packet::PacketType;
use routing_common::time::Instant;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// One direction's packets by type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PacketCounters {
    /// Hello.
    pub hello: u64,
    /// Database Description.
    pub database_description: u64,
    /// Link State Request.
    pub link_state_request: u64,
    /// Link State Update.
    pub link_state_update: u64,
    /// Link State Acknowledgment.
    pub link_state_ack: u64,
}

impl PacketCounters {
    /// The counter of a packet type.
    pub(crate) fn of_type(&mut self, packet_type: PacketType) -> &mut u64 {
        match packet_type {
            PacketType::Hello => &mut self.hello,
            PacketType::DatabaseDescription => &mut self.database_description,
            PacketType::LinkStateRequest => &mut self.link_state_request,
            PacketType::LinkStateUpdate => &mut self.link_state_update,
            PacketType::LinkStateAck => &mut self.link_state_ack,
        }
    }
}

/// How often packets were discarded for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscardCount {
    /// How often.
    pub count: u64,
    /// From where the last one came.
    pub last_source: Ipv4Addr,
    /// When the last one came.
    pub last_at: Instant,
    /// When the operator was last told.
    pub(crate) told_at: Instant,
}

/// An interface's counters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InterfaceStatistics {
    /// Accepted and rejected packets alike, as long as their type is known.
    pub received: PacketCounters,
    /// Sent packets.
    pub sent: PacketCounters,
    /// Discarded packets by reason.
    pub discards: BTreeMap<Discard, DiscardCount>,
    /// State changes of the interface.
    pub state_changes: u64,
    /// LSAs sent again for want of an acknowledgment (§13.6).
    pub retransmitted_lsas: u64,
}
