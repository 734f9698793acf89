//! IPv4 datagrams of one protocol on one interface: what OSPF (protocol 89) speaks through.
//!
//! One socket per interface, bound to it. So an interface's groups never count against another's limit
//! (20 memberships per socket), and which interface a datagram came by needs no control messages.
//! The kernel reassembles fragments before it delivers.

use crate::inbox::Inbox;
use crate::sys::set_int_option;
use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrIn, sendmsg};
use routing_common::id::IfIndex;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// IP precedence "Internetwork Control" (RFC 2328 App. A.1).
const TOS: u32 = 0xc0;
/// SO_PRIORITY of link-local control traffic, above all other.
const PRIORITY: u32 = 7;
/// Queue for bursts of database synchronisation while the engine computes.
const RECEIVE_QUEUE: usize = 4 << 20;

/// A received datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Sender.
    pub source: Ipv4Addr,
    /// Receiver: the interface's address or a group.
    pub destination: Ipv4Addr,
    /// Time to live as received.
    pub ttl: u8,
    /// What the protocol sent.
    pub payload: &'a [u8],
}

/// A raw socket bound to one interface.
#[derive(Debug)]
pub struct RawSocket {
    inbox: Inbox,
    ifindex: IfIndex,
}

impl RawSocket {
    /// Opens a socket for IP protocol `protocol` on an interface. Sends with TTL `ttl` and does not hear
    /// itself. Needs CAP_NET_RAW.
    ///
    /// # Errors
    /// EPERM without the capability. An interface that has gone shows at the first `join` or `send`.
    pub fn open(ifindex: IfIndex, protocol: u8, ttl: u8) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(i32::from(protocol))))?;
        // By index: a name may have passed to another device since we heard of it.
        let index = ifindex.0.cast_signed();
        set_int_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, index)?;
        // With the default of 1 it would get the groups that sockets of other processes joined.
        socket.set_multicast_all_v4(false)?;
        socket.set_multicast_loop_v4(false)?;
        socket.set_multicast_ttl_v4(u32::from(ttl))?;
        socket.set_ttl_v4(u32::from(ttl))?;
        socket.set_tos_v4(TOS)?;
        socket.set_priority(PRIORITY)?;
        // Capped by net.core.rmem_max, which only shortens the bursts that are survived.
        socket.set_recv_buffer_size(RECEIVE_QUEUE)?;
        Ok(Self { inbox: Inbox::new(socket, 0)?, ifindex })
    }

    /// The interface it is bound to.
    pub fn ifindex(&self) -> IfIndex {
        self.ifindex
    }

    /// Joins a multicast group; joining twice is harmless.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn join(&self, group: Ipv4Addr) -> io::Result<()> {
        let on = InterfaceIndexOrAddress::Index(self.ifindex.0);
        match self.inbox.socket().join_multicast_v4_n(&group, &on) {
            Err(e) if e.raw_os_error() == Some(libc::EADDRINUSE) => Ok(()),
            result => result,
        }
    }

    /// Leaves a group; leaving one that was not joined is harmless.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn leave(&self, group: Ipv4Addr) -> io::Result<()> {
        let on = InterfaceIndexOrAddress::Index(self.ifindex.0);
        match self.inbox.socket().leave_multicast_v4_n(&group, &on) {
            Err(e) if e.raw_os_error() == Some(libc::EADDRNOTAVAIL) => Ok(()),
            result => result,
        }
    }

    /// The next datagram if one is queued. Datagrams that are no sane IPv4 are skipped.
    ///
    /// # Errors
    /// ENETDOWN and the like, once per fault; the socket stays usable.
    pub fn try_recv(&mut self) -> io::Result<Option<Datagram<'_>>> {
        let header = self.inbox.take()?;
        Ok(header.map(|header| Datagram {
            source: header.source,
            destination: header.destination,
            ttl: header.ttl,
            payload: self.inbox.payload(&header),
        }))
    }

    /// Sends a datagram from one of the interface's own addresses, which the kernel alone would choose
    /// wrongly when there are several. Never waits: a full queue is an error like any other, because
    /// a routing protocol's datagram that is late is worth nothing.
    ///
    /// # Errors
    /// EINVAL if `source` is not an address of this host, ENETDOWN, ENOBUFS, EMSGSIZE, EPERM (a firewall).
    pub fn send(&self, source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8]) -> io::Result<()> {
        let info = libc::in_pktinfo {
            ipi_ifindex: self.ifindex.0.cast_signed(),
            ipi_spec_dst: libc::in_addr { s_addr: u32::from_ne_bytes(source.octets()) },
            ipi_addr: libc::in_addr { s_addr: 0 },
        };
        let to = SockaddrIn::from(SocketAddrV4::new(destination, 0));
        let control = [ControlMessage::Ipv4PacketInfo(&info)];
        let data = [IoSlice::new(payload)];
        let sent = sendmsg(self.inbox.socket().as_raw_fd(), &data, &control, MsgFlags::empty(), Some(&to))?;
        if sent == payload.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

impl AsFd for RawSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inbox.socket().as_fd()
    }
}
