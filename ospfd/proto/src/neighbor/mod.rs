//! The neighbour data structure (RFC 2328 §10).
//!
//! A neighbour is known by the interface and its Router ID ([`NeighborId`]). The RFC identifies it by
//! source address on broadcast networks and by Router ID elsewhere; here a neighbour on a broadcast
//! network whose Router ID or address changes is a *new* neighbour, and the old one is killed at once.
//! That is what the change means (another machine, or one restarted with another id), and it
//! spares all lists from holding what the old one said.
//!
//! Owned by its interface, created by its first Hello, removed when it enters Down.

mod events;
mod exchange;
pub(crate) use exchange::is_opaque;
mod loading;
mod machine;
mod retransmission;
mod round_trip;

pub use machine::{Action, Facts, NeighborEvent, NeighborState, transition};
pub use round_trip::RoundTrip;

use crate::lsa::{LsaHeader, LsaKey};
use crate::lsdb::DatabaseId;
use crate::packet::{DatabaseDescription, Hello, options};
use crate::restart::Helping;
use routing_common::id::{IfIndex, RouterId};
use routing_common::time::Instant;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;

/// Names a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NeighborId {
    /// The interface it is on.
    pub ifindex: IfIndex,
    /// Its Router ID.
    pub router_id: RouterId,
}

/// What two Database Description packets must share to be duplicates (§10.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DescriptionMark {
    /// Bits I, M and MS.
    pub bits: (bool, bool, bool),
    /// Options.
    pub options: u8,
    /// DD sequence number.
    pub sequence: u32,
}

impl DescriptionMark {
    /// The mark of a packet.
    pub fn of(dd: &DatabaseDescription) -> Self {
        Self { bits: (dd.init, dd.more, dd.master), options: dd.options, sequence: dd.sequence }
    }
}

/// An LSA on a Link state retransmission list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// When it was sent for the first time.
    pub first: Instant,
    /// When it was sent last.
    pub last: Instant,
    /// How often it was repeated.
    pub times: u32,
}

impl Listed {
    /// Sent for the first time at that moment.
    pub fn new(now: Instant) -> Self {
        Self { first: now, last: now, times: 0 }
    }
}

/// A neighbour; see the module text.
#[derive(Debug, Clone)]
pub struct Neighbor {
    /// Who.
    pub id: NeighborId,
    /// Its interface address.
    pub address: Ipv4Addr,
    /// §10.1.
    pub state: NeighborState,
    /// When it entered `state`.
    pub state_since: Instant,
    /// When it was first heard.
    pub created: Instant,
    /// How many state changes it went through.
    pub state_changes: u32,
    /// Its Router Priority.
    pub priority: u8,
    /// The Designated Router it declares.
    pub designated_router: Ipv4Addr,
    /// The Backup it declares.
    pub backup_designated_router: Ipv4Addr,
    /// Options: from Hellos until a Database Description says more.
    pub options: u8,
    /// Are we the master?
    pub is_master: bool,
    /// DD sequence number; `None` before the first exchange.
    pub dd_sequence: Option<u32>,
    /// Last received Database Description.
    pub last_received: Option<DescriptionMark>,
    /// Last sent one, for repeating.
    pub last_sent: Option<DatabaseDescription>,
    /// How often it was repeated because nobody answered.
    pub description_repeats: u32,
    /// Database summary list: what is still to be described.
    pub database_summary_list: VecDeque<(DatabaseId, LsaKey)>,
    /// Link state request list, with the instance the neighbour has.
    pub link_state_request_list: BTreeMap<LsaKey, LsaHeader>,
    /// Those of them that stand in the outstanding Link State Request.
    pub requested: BTreeSet<LsaKey>,
    /// How often it was repeated because nothing came of it.
    pub request_repeats: u32,
    /// Link state retransmission list. A key names the database's instance.
    pub link_state_retransmission_list: BTreeMap<LsaKey, Listed>,
    /// How soon it acknowledges.
    pub round_trip: RoundTrip,
    /// The last accepted cryptographic sequence number.
    pub cryptographic_sequence: Option<u32>,
    /// LSAs sent to it again.
    pub retransmitted_lsas: u64,
    /// We help it to restart (RFC 3623 §3).
    pub helping: Option<Helping>,
}

impl Neighbor {
    /// A neighbour heard for the first time.
    pub(crate) fn new(id: NeighborId, address: Ipv4Addr, hello: &Hello, now: Instant) -> Self {
        Self {
            id,
            address,
            state: NeighborState::Down,
            state_since: now,
            created: now,
            state_changes: 0,
            priority: hello.priority,
            designated_router: hello.designated_router,
            backup_designated_router: hello.backup_designated_router,
            options: hello.options,
            is_master: false,
            dd_sequence: None,
            last_received: None,
            last_sent: None,
            description_repeats: 0,
            database_summary_list: VecDeque::new(),
            link_state_request_list: BTreeMap::new(),
            requested: BTreeSet::new(),
            request_repeats: 0,
            link_state_retransmission_list: BTreeMap::new(),
            round_trip: RoundTrip::default(),
            cryptographic_sequence: None,
            retransmitted_lsas: 0,
            helping: None,
        }
    }

    /// Does it take opaque LSAs (RFC 5250 §4.1)? Known once its Database Description was seen.
    pub fn takes_opaque(&self) -> bool {
        self.options & options::O != 0
    }

    /// Does it declare itself Designated Router?
    pub fn declares_itself_dr(&self) -> bool {
        self.designated_router == self.address
    }

    /// Does it declare itself Backup Designated Router?
    pub fn declares_itself_backup(&self) -> bool {
        self.backup_designated_router == self.address
    }

    /// Does it take part in flooding (§13.3 (1)(a))?
    pub fn is_flooded_to(&self) -> bool {
        self.state >= NeighborState::Exchange
    }

    /// Is it learning our database, so that LSAs at MaxAge must stay (§14)?
    pub fn is_synchronizing(&self) -> bool {
        matches!(self.state, NeighborState::Exchange | NeighborState::Loading)
    }

    /// Is an adjacency under way but not there yet?
    pub(crate) fn is_forming(&self) -> bool {
        matches!(self.state, NeighborState::ExStart | NeighborState::Exchange | NeighborState::Loading)
    }

    /// Clears the three lists.
    pub(crate) fn clear_lists(&mut self) {
        self.database_summary_list.clear();
        self.link_state_request_list.clear();
        self.requested.clear();
        self.link_state_retransmission_list.clear();
        self.round_trip = RoundTrip::default();
        self.last_received = None;
        self.last_sent = None;
    }
}
