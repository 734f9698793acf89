//! What the RIB is told and what it wants done.

use crate::fib::{FibRequest, FibResults, KernelSnapshot, NextHopId};
use crate::message::{ClientMessage, RibMessage};
use crate::session::ClientId;
use crate::system::SystemOp;
use ipnetwork::Ipv4Network;
use routing_common::config::Config;
use routing_common::link::LinkEvent;
use routing_common::notice::Notice;

/// What the world tells the RIB.
#[derive(Debug, Clone)]
pub enum Input {
    /// The configuration, at start and after every change.
    Reconfigure(Box<Config>),
    /// Interfaces and addresses. Nothing is installed before their first `SnapshotComplete`.
    Link(LinkEvent),
    /// A complete dump of our routes and next-hop objects; at start, and after the monitor lost events.
    /// Only while no request is under way. Nothing is installed before the first one.
    KernelSnapshot(KernelSnapshot),
    /// Somebody else removed or replaced a route of ours.
    RouteDisturbed(Ipv4Network),
    /// Somebody else made or replaced a next-hop object.
    NextHopPut(NextHopId),
    /// Somebody else removed a next-hop object.
    NextHopRemoved(NextHopId),
    /// Answers to [`Output::Fib`].
    FibResults(FibResults),
    /// Answer to [`Output::System`].
    SystemResult(SystemOp, Result<(), String>),
    /// A client connected.
    ClientConnected(ClientId),
    /// A client said something.
    ClientMessage(ClientId, ClientMessage),
    /// A client's connection ended.
    ClientGone(ClientId),
    /// The router stops on purpose: all routes are withdrawn, addresses stay.
    Shutdown,
}

/// What the RIB wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Change the kernel's routes or next-hop objects.
    Fib(FibRequest),
    /// Change addresses, links or sysctls.
    System(SystemOp),
    /// Say something to a client.
    ToClient(ClientId, RibMessage),
    /// End a client's connection: it broke the contract.
    Disconnect(ClientId),
    /// Log.
    Notice(Notice),
}
