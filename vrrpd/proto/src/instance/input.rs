//! What the world can tell the engine.

use crate::packet::Received;
use rib::message::Attachment;
use routing_common::config::Config;
use routing_common::id::IfIndex;
use routing_common::link::LinkEvent;

/// One thing that happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// The kernel's interfaces or addresses changed. Nothing starts before the first
    /// [`LinkEvent::SnapshotComplete`], because what an earlier run left behind decides how to start.
    Link(LinkEvent),
    /// A new configuration. Only what differs from the last one is touched.
    Reconfigure(Box<Config>),
    /// A packet of protocol 112 came in on a base interface.
    Packet {
        /// The base interface.
        ifindex: IfIndex,
        /// The packet.
        packet: Received<'a>,
    },
    /// An ARP packet came in on a base interface that listens for them ([`super::Output::ListenArp`]).
    Arp {
        /// The base interface.
        ifindex: IfIndex,
        /// What follows the Ethernet header.
        message: &'a [u8],
    },
    /// Has this router its routes, in the kernel? Not unless told so. Until then a Backup leaves an Active router
    /// that works alone ([`routing_common::config::VrrpGroup::preempt_routes_wait`]).
    RoutesStand(bool),
    /// Who else is attached to our networks, as the ring has it: replaces what was told before. Of a network that is not
    /// there nothing is known.
    Attached(Vec<Attachment>),
    /// The kernel refused one of the outputs; it is tried again.
    Fault {
        /// The interface the output was for, if one.
        ifindex: Option<IfIndex>,
        /// What was tried and what the kernel said.
        text: String,
    },
    /// Stop: hand over, clean up, then [`super::Output::Finished`].
    Shutdown,
}
