//! IPv4 datagrams of one protocol on one interface: what OSPF (protocol 89) speaks through.
//!
//! One socket per interface, bound to it. So an interface's groups never count against another's limit
//! (20 memberships per socket), and which interface a datagram came by needs no control messages.
//! The kernel reassembles fragments before it delivers.

use crate::ipv4;
use crate::sys::{Descriptor, set_int_option};
use core::task::{Context, Poll, ready};
use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrIn, recv, sendmsg};
use routing_common::id::IfIndex;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockRef, Socket, Type};
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd};
use tokio::io::Interest;

/// IP precedence "Internetwork Control" (RFC 2328 App. A.1).
const TOS: u32 = 0xc0;
/// SO_PRIORITY of link-local control traffic, above all other.
const PRIORITY: u32 = 7;
/// Queue for bursts of database synchronisation while the engine computes.
const RECEIVE_QUEUE: usize = 4 << 20;
/// Longest IPv4 datagram.
const LARGEST: usize = 65_535;

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
    fd: Descriptor,
    ifindex: IfIndex,
    buffer: Vec<u8>,
}

impl RawSocket {
    /// Opens a socket for IP protocol `protocol` on an interface. Sends with TTL `ttl` and does not hear
    /// itself. Must be called inside a tokio runtime; needs CAP_NET_RAW.
    ///
    /// # Errors
    /// EPERM without the capability. An interface that has gone shows at the first `join` or `send`.
    pub fn open(ifindex: IfIndex, protocol: u8, ttl: u8) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(i32::from(protocol))))?;
        socket.set_nonblocking(true)?;
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
        Ok(Self { fd: Descriptor::register(socket)?, ifindex, buffer: vec![0; LARGEST] })
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
        match SockRef::from(self.fd.get_ref()).join_multicast_v4_n(&group, &on) {
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
        match SockRef::from(self.fd.get_ref()).leave_multicast_v4_n(&group, &on) {
            Err(e) if e.raw_os_error() == Some(libc::EADDRNOTAVAIL) => Ok(()),
            result => result,
        }
    }

    /// Waits for a datagram. Cancel safe. Datagrams that are no sane IPv4 are skipped.
    ///
    /// # Errors
    /// ENETDOWN and the like, once per fault; the socket stays usable.
    pub async fn recv(&mut self) -> io::Result<Datagram<'_>> {
        let header = loop {
            let mut guard = self.fd.readable().await?;
            match receive_now(&self.fd, &mut self.buffer) {
                Ok(Some(header)) => break header,
                Ok(None) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => guard.clear_ready(),
                Err(e) => return Err(e),
            }
        };
        Ok(datagram(header, &self.buffer))
    }

    /// Is there probably something to [`RawSocket::try_recv`]? For waiting on many sockets at once; the
    /// waker of the last call counts.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The readiness is kept: `try_recv` clears it when it finds nothing.
        let mut guard = ready!(self.fd.poll_read_ready(cx))?;
        guard.retain_ready();
        Poll::Ready(Ok(()))
    }

    /// The next datagram if one is queued.
    ///
    /// # Errors
    /// As for [`RawSocket::recv`].
    pub fn try_recv(&mut self) -> io::Result<Option<Datagram<'_>>> {
        let (fd, buffer) = (&self.fd, &mut self.buffer);
        loop {
            match fd.try_io(Interest::READABLE, |_| receive_now(fd, buffer)) {
                Ok(Some(header)) => return Ok(Some(datagram(header, &self.buffer))),
                Ok(None) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(e) => return Err(e),
            }
        }
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
        let sent = sendmsg(self.fd.as_raw_fd(), &data, &control, MsgFlags::empty(), Some(&to))?;
        if sent == payload.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

/// One datagram; `None` if it is no sane IPv4.
fn receive_now(fd: &Descriptor, buffer: &mut [u8]) -> io::Result<Option<ipv4::Ipv4Header>> {
    let length = recv(fd.as_raw_fd(), buffer, MsgFlags::empty())?;
    Ok(buffer.get(..length).and_then(ipv4::parse))
}

fn datagram(header: ipv4::Ipv4Header, buffer: &[u8]) -> Datagram<'_> {
    Datagram {
        source: header.source,
        destination: header.destination,
        ttl: header.ttl,
        payload: buffer.get(header.payload).unwrap_or_default(),
    }
}
