//! What operators ask ribd, and the replies: JSON with FRR's keys, and text like vtysh's.
//!
//! Keys FRR does not have are ours: `inactiveReason` on a next hop that cannot be used, `error` on a route
//! the kernel refused.

mod choice;
mod interfaces;
mod nexthops;
mod render;

pub use choice::{Choice, Contender};
pub use interfaces::{Description, Descriptions, InterfaceAddress, InterfaceDetail, InterfaceDetails};
pub use nexthops::{
    NextHopGroup, NextHopGroups, NextHopTracking, Resolution, StaticRow, Statics, Tracked, TrackingClient,
};
pub use render::render_text;

use crate::fib::NextHopId;
use crate::message::Protocol;
use ipnetwork::Ipv4Network;
use routing_common::control::Question;
use routing_common::id::InterfaceName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most routes in one reply; a larger table is asked for in parts (by protocol or prefix).
pub const MAX_ROUTES: usize = 100_000;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// `show ip route`. Reply: [`Routes`].
    Routes {
        /// Only this protocol's.
        #[serde(default)]
        protocol: Option<Protocol>,
        /// Only this prefix; a /32 that is not a route itself means its longest match.
        #[serde(default)]
        prefix: Option<Ipv4Network>,
        /// With `prefix`: everything inside it.
        #[serde(default)]
        longer: bool,
    },
    /// `show ip route summary`. Reply: [`RouteSummary`].
    RouteSummary,
    /// `show ip fib`: what the kernel forwards by. Reply: [`Routes`].
    Fib {
        /// As in `Routes`.
        #[serde(default)]
        prefix: Option<Ipv4Network>,
    },
    /// `show ip route failed`: what the kernel refused. Reply: [`Routes`].
    FailedRoutes,
    /// `show ip route … why`. Reply: [`Choice`].
    Why {
        /// As in `Routes`.
        prefix: Ipv4Network,
    },
    /// `show ip nht`. Reply: [`NextHopTracking`].
    NextHopTracking,
    /// `show static routes`. Reply: [`Statics`].
    Statics,
    /// `show nexthop-group rib [ID]`. Reply: [`NextHopGroups`].
    NextHopGroups {
        /// Only this object.
        #[serde(default)]
        id: Option<NextHopId>,
    },
    /// `show interface brief`. Reply: [`Interfaces`].
    Interfaces,
    /// `show interface [IFNAME]`. Reply: [`InterfaceDetails`].
    InterfaceDetails {
        /// Only this one.
        #[serde(default)]
        name: Option<InterfaceName>,
    },
    /// `show interface description`. Reply: [`Descriptions`].
    Descriptions,
    /// `show ip forwarding`. Reply: [`Forwarding`].
    Forwarding,
    /// Who is connected to the RIB. Reply: [`Clients`].
    Clients,
    /// Kernel settings, addresses, counters. Reply: [`System`].
    System,
}

impl Question for Request {
    fn is_question(&self) -> bool {
        match self {
            Self::Routes { .. }
            | Self::RouteSummary
            | Self::Fib { .. }
            | Self::FailedRoutes
            | Self::Why { .. }
            | Self::NextHopTracking
            | Self::Statics
            | Self::NextHopGroups { .. }
            | Self::Interfaces
            | Self::InterfaceDetails { .. }
            | Self::Descriptions
            | Self::Forwarding
            | Self::Clients
            | Self::System => true,
        }
    }
}

/// Routes by prefix.
pub type Routes = BTreeMap<Ipv4Network, Vec<Route>>;

/// One candidate of a prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// Destination.
    pub prefix: Ipv4Network,
    /// Its length.
    pub prefix_len: u8,
    /// "connected", "static" or "ospf".
    pub protocol: Protocol,
    /// Always 0: one namespace, one table.
    pub vrf_id: u32,
    /// Always "default".
    pub vrf_name: String,
    /// The best of its prefix. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub selected: bool,
    /// The same, as FRR has it twice. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dest_selected: bool,
    /// Administrative distance.
    pub distance: u8,
    /// The protocol's metric.
    pub metric: u32,
    /// In the kernel. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub installed: bool,
    /// On its way to the kernel. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub queued: bool,
    /// Refused by the kernel. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub failed: bool,
    /// Kept for a client that is away. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stale: bool,
    /// The kernel's words when it refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Why the route lost against the selected one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_selected_reason: Option<String>,
    /// Tag, when not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<u32>,
    /// The kernel's table.
    pub table: u32,
    /// The kernel's next-hop object in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_nexthop_group_id: Option<u32>,
    /// Since when, as vtysh prints it.
    pub uptime: String,
    /// Next hops.
    pub nexthops: Vec<NextHop>,
}

/// A next hop of a route.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NextHop {
    /// In the kernel. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fib: bool,
    /// The gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<std::net::Ipv4Addr>,
    /// Always "ipv4", where there is a gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub afi: Option<String>,
    /// The destination is on the link. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub directly_connected: bool,
    /// A blackhole. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unreachable: bool,
    /// A blackhole. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub blackhole: bool,
    /// Kernel index of the interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_index: Option<u32>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_name: Option<String>,
    /// Usable. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub active: bool,
    /// The gateway is taken to be on the link. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub on_link: bool,
    /// Resolved through another route; the resolvers follow. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub recursive: bool,
    /// Found for the recursive next hop before it. Present when true.
    #[serde(default, skip_serializing_if = "is_false")]
    pub resolver: bool,
    /// Why it cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactive_reason: Option<String>,
    /// Always 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u8>,
}

/// `show ip route summary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteSummary {
    /// By protocol.
    pub routes: Vec<ProtocolSummary>,
    /// All candidates.
    pub routes_total: usize,
    /// All selected ones that are installed (connected ones count as such).
    pub routes_total_fib: usize,
}

/// One protocol's numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProtocolSummary {
    /// Protocol.
    pub r#type: Protocol,
    /// In the table.
    pub rib: usize,
    /// In the kernel.
    pub fib: usize,
}

/// `show interface brief`, by name.
pub type Interfaces = BTreeMap<String, Interface>;

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interface {
    /// "up" (running), "down" (no carrier) or "admin down".
    pub status: String,
    /// Always "default".
    pub vrf_name: String,
    /// With prefix lengths.
    pub addresses: Vec<String>,
    /// Kernel index.
    pub index: u32,
    /// Octets.
    pub mtu: u32,
    /// In the configuration?
    pub configured: bool,
}

/// `show ip forwarding`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Forwarding {
    /// Does the configuration want this host to forward?
    pub configured: bool,
    /// What became of setting it: "done", "asked" or the kernel's refusal. None before there is a configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// Sessions in order of connection.
pub type Clients = Vec<Client>;

/// A connection to the RIB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// Name from its greeting.
    pub name: String,
    /// Whose routes it brings.
    pub protocol: Option<Protocol>,
    /// "syncing", "synced" or "new".
    pub state: String,
    /// Since when, as vtysh prints it.
    pub uptime: String,
    /// Its routes in the table.
    pub routes: usize,
    /// Changes received.
    pub changes: u64,
    /// Routes it was told.
    pub redistributed: usize,
}

/// Kernel settings and counters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct System {
    /// Have configuration, links and kernel tables been read?
    pub ready: bool,
    /// Are all routes told once in the present sessions and taken by the kernel?
    pub routes_stand: bool,
    /// Are routes installed through kernel next-hop objects?
    pub next_hop_objects: bool,
    /// How many objects there are.
    pub next_hop_objects_count: usize,
    /// Routes installed or replaced.
    pub installs: u64,
    /// Routes removed.
    pub removals: u64,
    /// Objects moved under their routes with one message.
    pub retargets: u64,
    /// Requests the kernel refused.
    pub failures: u64,
    /// Our routes and objects that somebody else changed.
    pub foreign_changes: u64,
    /// Routes found at start whose owner has not returned.
    pub held_routes: usize,
    /// Log lines left out because there were too many of their kind.
    pub notices_suppressed: u64,
    /// Kernel settings and address changes wished for, with their state.
    pub wishes: BTreeMap<String, String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands skip_serializing_if a reference")]
fn is_false(b: &bool) -> bool {
    !*b
}
