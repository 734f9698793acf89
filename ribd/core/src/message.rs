//! What ribd and its clients say to each other: the only part of this crate a protocol engine sees.
//!
//! A session is *declarative*. After every connect the client sends [`ClientMessage::Hello`],
//! [`ClientMessage::BeginSync`], all its routes, [`ClientMessage::EndSync`]; then changes as they come.
//! The RIB removes what an older session of the same client left and this one did not repeat. A client
//! that dies leaves its routes in place until it comes back or the stale timer ends; one that leaves on
//! purpose says [`ClientMessage::Goodbye`].
//!
//! Messages travel as postcard in length-prefixed frames on `rib.sock`. Postcard is not
//! self-describing: [`PROTOCOL_VERSION`] must change with any change here.

use ipnetwork::Ipv4Network;
use routing_common::id::{IfIndex, InterfaceName, RouterId};
use routing_common::prefix;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::net::Ipv4Addr;

/// Version of these messages.
pub const PROTOCOL_VERSION: u16 = 5;

/// Where a route came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// A subnet of one of our interfaces. Distance 0.
    Connected,
    /// From the configuration. Distance 1 unless told otherwise.
    Static,
    /// From ospfd. Distance 110.
    Ospf,
}

impl Protocol {
    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Static => "static",
            Self::Ospf => "ospf",
        }
    }
}

/// From a client to the RIB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// First message of a session.
    Hello {
        /// Must equal [`PROTOCOL_VERSION`].
        version: u16,
        /// Whose routes these are; `None` for a client that only listens.
        protocol: Option<Protocol>,
        /// For logs and shows: "ospfd".
        name: String,
    },
    /// All routes of this client follow.
    BeginSync,
    /// Routes to add, replace or withdraw. One route per prefix and client.
    Routes(Vec<RouteChange>),
    /// All routes have been sent; what was not repeated is stale and goes. Answered by
    /// [`RibMessage::Synced`] once the kernel has them.
    EndSync,
    /// Who else is attached to which networks: replaces what was said before.
    Attached(Vec<Attachment>),
    /// Replaces what this client wants to hear about.
    Subscribe(Subscription),
    /// Asks for [`RibMessage::FibDone`] with the same number once all earlier routes are in the kernel.
    FibBarrier(u64),
    /// The client leaves on purpose; `withdraw` removes its routes now.
    Goodbye {
        /// Remove the routes now instead of keeping them as stale.
        withdraw: bool,
    },
    /// Like `Routes`, of a change that is not told yet: the next message goes on with it. Routes that only move wait for
    /// the last one, a `Routes`, so that those which move together are seen to.
    Part(Vec<RouteChange>),
    /// Where packets of this client's routes go when all their next hops are lost. Counts until it is said otherwise;
    /// of a prefix without a route of this client it says nothing.
    Alternates {
        /// Prefixes with the alternate each has now.
        changes: Vec<(Ipv4Network, Option<NextHop>)>,
        /// The next message goes on with it.
        more: bool,
    },
    /// These next hops are dead: routes keep the others they have, or go over to their alternate. A change of those routes
    /// follows, as after a `Part`; what it does not say is undone.
    Lost(Vec<NextHop>),
}

impl ClientMessage {
    /// Messages of at most `most` changes each that tell all of them as one change.
    pub fn routes(changes: Vec<RouteChange>, most: usize) -> impl Iterator<Item = Self> {
        let mut rest = changes.into_iter();
        core::iter::from_fn(move || {
            let part: Vec<RouteChange> = rest.by_ref().take(most.max(1)).collect();
            let form = if rest.len() > 0 { Self::Part } else { Self::Routes };
            (!part.is_empty()).then(|| form(part))
        })
    }

    /// The same for alternates.
    pub fn alternates(changes: &[(Ipv4Network, Option<NextHop>)], most: usize) -> impl Iterator<Item = Self> {
        let parts = changes.chunks(most.max(1));
        let last = parts.len().saturating_sub(1);
        parts.enumerate().map(move |(n, part)| Self::Alternates { changes: part.to_vec(), more: n < last })
    }

    /// The changes of routes in this message.
    pub fn changes(&self) -> Option<&[RouteChange]> {
        match self {
            Self::Routes(changes) | Self::Part(changes) => Some(changes),
            _ => None,
        }
    }

    /// The first messages of a client that brings no routes and only listens.
    pub fn listen(name: &str, subscription: Subscription) -> [Self; 2] {
        let hello = Self::Hello { version: PROTOCOL_VERSION, protocol: None, name: name.to_owned() };
        [hello, Self::Subscribe(subscription)]
    }
}

/// One change of a client's routes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RouteChange {
    /// Add the route, or replace the client's earlier one for the same prefix.
    Replace(Route),
    /// The client has no route to this prefix any more.
    Withdraw(#[serde(with = "prefix::octets")] Ipv4Network),
}

/// A route as a client offers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Destination, host bits cleared.
    #[serde(with = "prefix::octets")]
    pub prefix: Ipv4Network,
    /// Administrative distance; the smallest wins between protocols.
    pub distance: u8,
    /// The protocol's own metric (OSPF: cost, or the type 2 metric for E2), for shows.
    pub metric: u32,
    /// Tag.
    pub tag: u32,
    /// Next hops, directly connected ones only; empty means blackhole.
    pub next_hops: NextHops,
}

/// Who is attached to a network of ours besides us, by a routing protocol that knows it from another side: the network
/// carries none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The network.
    pub network: Ipv4Network,
    /// Routers that say they are attached and can be reached, ascending.
    pub routers: Vec<RouterId>,
    /// Routers that were attached, can be reached and say it no more, ascending.
    pub left: Vec<RouterId>,
}

/// A directly connected next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NextHop {
    /// The neighbour's address; `None` when the destination itself is on the link.
    pub gateway: Option<Ipv4Addr>,
    /// The interface to leave by.
    pub ifindex: IfIndex,
}

/// Next hops. Most routes have one; in a large table room for another is a good part of what it takes.
pub type NextHops = SmallVec<[NextHop; 1]>;

/// What a client wants to hear about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Subscription {
    /// Selected routes of these protocols (never the client's own).
    pub protocols: Vec<Protocol>,
    /// The selected default route, when it is not the client's own.
    pub default_route: bool,
    /// Whether the routes stand, see [`RibMessage::RoutesStand`].
    pub routes_stand: bool,
    /// Who else is attached to our networks, see [`RibMessage::Attached`].
    pub attachments: bool,
}

/// From the RIB to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RibMessage {
    /// Answer to `Hello`.
    Hello {
        /// The RIB's [`PROTOCOL_VERSION`].
        version: u16,
        /// Are the routes of the client's former session still in the kernel? It may then restart gracefully
        /// (RFC 3623 §2.1). Not so after a `Goodbye` that withdrew them, nor after the stale time.
        keeps_routes: bool,
    },
    /// Answer to `EndSync`: everything is in the kernel.
    Synced,
    /// Answer to `FibBarrier`.
    FibDone(u64),
    /// Subscribed routes that appeared or changed.
    Redistribute(Vec<Redistributed>),
    /// Subscribed routes that went (by protocol and prefix).
    Unredistribute(Vec<(Protocol, Ipv4Network)>),
    /// All that matched the latest `Subscribe` has been sent.
    SubscriptionSynced,
    /// Does this router have its routes? It has when OSPF, if the configuration has any, has told all of
    /// them once in its present session and the kernel took them. Told upon the subscription and when it changes.
    RoutesStand(bool),
    /// What [`ClientMessage::Attached`] said last; of a network that is not there nothing is known. Told upon the
    /// subscription and when it changes.
    Attached(Vec<Attachment>),
}

/// A route the RIB selected and a client subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redistributed {
    /// Where it came from.
    pub protocol: Protocol,
    /// Destination.
    pub prefix: Ipv4Network,
    /// The protocol's metric.
    pub metric: u32,
    /// Tag.
    pub tag: u32,
    /// The gateway of its first next hop as the kernel has it, resolved, if it has one.
    pub next_hop: Option<Ipv4Addr>,
    /// The interface of its first next hop, if it has one.
    pub interface: Option<InterfaceName>,
}
