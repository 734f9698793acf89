//! What the engine wants done, in order.

use super::ClientId;
use crate::message::BfdMessage;
use crate::packet::LENGTH;
use routing_common::id::IfIndex;
use routing_common::notice::Notice;
use std::net::Ipv4Addr;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Receive Control packets on port 3784 of an interface, or (`None`) on port 4784 of all.
    Listen(Option<IfIndex>),
    /// No longer.
    StopListening(Option<IfIndex>),
    /// Be ready to send for a session: a source port of its own, TTL 255. Replaces what was said before.
    Open {
        /// bfd.LocalDiscr.
        session: u32,
        /// Where to.
        peer: Ipv4Addr,
        /// Where from; `None`: the kernel's choice.
        local: Option<Ipv4Addr>,
        /// By which interface; `None`: several hops, port 4784, any.
        interface: Option<IfIndex>,
    },
    /// Nothing more is sent for a session.
    Close(u32),
    /// Send a Control packet.
    Transmit {
        /// bfd.LocalDiscr.
        session: u32,
        /// The UDP payload.
        packet: [u8; LENGTH],
    },
    /// Tell a client.
    ToClient(ClientId, BfdMessage),
    /// End a client's connection; answered by [`super::Input::ClientGone`].
    Disconnect(ClientId),
    /// Tell the operator.
    Notice(Notice),
    /// Every session has said farewell after [`super::Input::Shutdown`]; the process may end.
    Finished,
}
