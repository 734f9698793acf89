//! What the engine wants the world to do.

use crate::restart::Saved;
use rib::message::ClientMessage;
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::notice::Notice;
use std::net::Ipv4Addr;

/// One thing to do, in order. Sockets and group memberships are outputs too, so that being a member of
/// AllDRouters can be tested without a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send a datagram of protocol 89 with TTL 1 and TOS 0xc0 (RFC 2328 App. A.1).
    Transmit {
        /// The interface to leave by.
        ifindex: IfIndex,
        /// IP source address: the interface's OSPF address.
        source: Ipv4Addr,
        /// IP destination: a group or a neighbour.
        destination: Ipv4Addr,
        /// The OSPF packet.
        payload: Vec<u8>,
    },
    /// OSPF starts on this interface; packets may be received from now on.
    OpenInterface {
        /// The interface.
        ifindex: IfIndex,
        /// Its name at this moment.
        name: InterfaceName,
    },
    /// OSPF ends on this interface. Memberships end with it. The interface may be gone already.
    CloseInterface {
        /// The interface.
        ifindex: IfIndex,
    },
    /// Become a member of a multicast group on an open interface.
    JoinGroup {
        /// The interface.
        ifindex: IfIndex,
        /// AllSPFRouters or AllDRouters.
        group: Ipv4Addr,
    },
    /// Stop being a member.
    LeaveGroup {
        /// The interface.
        ifindex: IfIndex,
        /// AllDRouters.
        group: Ipv4Addr,
    },
    /// Tell the RIB. Only between `RibConnected` and `RibLost`.
    Rib(ClientMessage),
    /// Tell bfdd. Only between `BfdConnected` and `BfdLost`.
    Bfd(bfd_proto::message::ClientMessage),
    /// Keep this for the next process, so that a crash at any moment leaves this or what was kept before.
    Persist(Saved),
    /// Tell the operator.
    Notice(Notice),
    /// Last output after `Shutdown`: the shell may end.
    Finished,
}
