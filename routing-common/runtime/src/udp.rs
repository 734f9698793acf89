//! UDP datagrams with what BFD wants to know of them: interface, TTL, and when the kernel got them.
//!
//! For a thread of its own: nothing here needs a runtime, and nothing blocks. The kernel stamps datagrams with the wall
//! clock (SO_TIMESTAMPNS); the stamp is turned into an age by comparing with that clock now. A jump of the wall clock between
//! the two cannot make a datagram older than it can be: it came after the one before it, and after the socket was
//! last found empty.
//!
//! A port is received by a pair of sockets that the kernel sorts datagrams to ([`UdpReceiver::open_sorted`]): who waits for
//! those that say something is not woken by those that only say that their sender is still there.

use crate::clock::Clock;
use crate::sys::set_int_option;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, setsockopt, sockopt};
use routing_common::id::IfIndex;
use routing_common::time::{Duration, Instant};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// DSCP CS6, "Internetwork Control".
const TOS: u32 = 0xc0;
/// SO_PRIORITY of link-local control traffic, above all other.
const PRIORITY: u32 = 7;
/// Longest payload that is read whole; longer ones are cut.
const LONGEST: usize = 512;
/// Queue for the time the thread is not scheduled.
const RECEIVE_QUEUE: usize = 1 << 20;
/// How often another source port is tried.
const PORTS_TRIED: usize = 1024;

/// A received datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UdpDatagram<'a> {
    /// The interface it came by.
    pub interface: IfIndex,
    /// Sender.
    pub source: Ipv4Addr,
    /// Receiver.
    pub destination: Ipv4Addr,
    /// Time to live as received; 0 if the kernel did not say.
    pub ttl: u8,
    /// What was sent, cut at 512 octets.
    pub payload: &'a [u8],
    /// When the kernel got it.
    pub received: Instant,
}

fn socket(interface: Option<IfIndex>) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if let Some(interface) = interface {
        // By index: a name may have passed to another device since we heard of it.
        let index = interface.0.cast_signed();
        set_int_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, index)?;
    }
    Ok(socket)
}

/// What datagrams that are mere routine have in common: this octet, under this mask, has this value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Routine {
    /// Which octet of the payload.
    pub at: u8,
    /// Which bits of it.
    pub mask: u8,
    /// What they are.
    pub value: u8,
}

/// A socket that only receives.
#[derive(Debug)]
pub struct UdpReceiver {
    socket: UdpSocket,
    buffer: Box<[u8; LONGEST]>,
    control: Vec<u8>,
    /// What is read next came after this: the datagram before it, or the last time there was none.
    floor: Instant,
}

impl UdpReceiver {
    /// Listens on `port` of all addresses, of one interface or of all: the first receiver gets what is not routine, the
    /// second what is.
    ///
    /// # Errors
    /// EADDRINUSE if somebody listens there already, ENODEV if the interface is gone.
    pub fn open_sorted(interface: Option<IfIndex>, port: u16, routine: Routine) -> io::Result<(Self, Self)> {
        let news = socket(interface)?;
        let news = Self::listen(news, port)?;
        // Only now, so that the port was nobody's.
        setsockopt(&news.socket, sockopt::ReusePort, &true)?;
        let rest = socket(interface)?;
        setsockopt(&rest, sockopt::ReusePort, &true)?;
        let rest = Self::listen(rest, news.socket.local_addr()?.port())?;
        sort(&news.socket, routine)?;
        Ok((news, rest))
    }

    fn listen(socket: Socket, port: u16) -> io::Result<Self> {
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        setsockopt(&socket, sockopt::Ipv4RecvTtl, &true)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        // Capped by net.core.rmem_max, which only shortens the stalls that are survived.
        socket.set_recv_buffer_size(RECEIVE_QUEUE)?;
        socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port).into())?;
        let control = nix::cmsg_space!(libc::in_pktinfo, i32, libc::timespec);
        Ok(Self { socket: socket.into(), buffer: Box::new([0; LONGEST]), control, floor: Clock.now() })
    }

    /// The next datagram if one is queued.
    ///
    /// # Errors
    /// ENETDOWN and the like, once per fault; the socket stays usable.
    pub fn try_recv(&mut self) -> io::Result<Option<UdpDatagram<'_>>> {
        let Self { socket, buffer, control, floor } = self;
        let mut data = [IoSliceMut::new(&mut buffer[..])];
        let flags = MsgFlags::MSG_DONTWAIT;
        let message = match recvmsg::<SockaddrIn>(socket.as_raw_fd(), &mut data, Some(control), flags) {
            Ok(message) => message,
            Err(Errno::EAGAIN) => {
                *floor = Clock.now();
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let (now, wall) = (Clock.now(), Clock.wall_now());
        let (mut interface, mut destination) = (IfIndex(0), Ipv4Addr::UNSPECIFIED);
        let (mut ttl, mut stamp) = (0, wall);
        for part in message.cmsgs()? {
            match part {
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    interface = IfIndex(info.ipi_ifindex.cast_unsigned());
                    destination = Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes());
                }
                ControlMessageOwned::Ipv4Ttl(value) => ttl = u8::try_from(value).unwrap_or(0),
                ControlMessageOwned::ScmTimestampns(time) => stamp = Duration::from(time),
                _ => {}
            }
        }
        let source = message.address.map_or(Ipv4Addr::UNSPECIFIED, |a| a.ip());
        let length = message.bytes.min(LONGEST);
        let received = (now - wall.saturating_sub(stamp)).max(*floor);
        *floor = received;
        let payload = &buffer[..length];
        Ok(Some(UdpDatagram { interface, source, destination, ttl, payload, received }))
    }
}

/// Lets the kernel choose between the two sockets of a port, which it counts in the order in which they were bound.
fn sort(socket: &UdpSocket, routine: Routine) -> io::Result<()> {
    let step = |code: u32, k: u32, jf: u8| {
        // proof: operations are numbers below 256.
        libc::sock_filter { code: u16::try_from(code).unwrap_or(u16::MAX), jt: 0, jf, k }
    };
    let mut program = [
        // A datagram without such an octet ends the program with 0, and that is the first socket.
        step(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, routine.at.into(), 0),
        step(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, routine.mask.into(), 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, routine.value.into(), 1),
        step(libc::BPF_RET | libc::BPF_K, 1, 0),
        step(libc::BPF_RET | libc::BPF_K, 0, 0),
    ];
    // proof: five steps.
    let length = u16::try_from(program.len()).unwrap_or(u16::MAX);
    let program = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    Ok(setsockopt(socket, sockopt::AttachReusePortCbpf, &program)?)
}

impl AsFd for UdpReceiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A socket that only sends, with TTL 255 and as urgently as the kernel knows, to one place.
#[derive(Debug)]
pub struct UdpSender {
    socket: UdpSocket,
    to: SocketAddrV4,
}

impl UdpSender {
    /// Opens a socket with a source port of its own: the first free one from `first_port` on.
    ///
    /// # Errors
    /// EADDRNOTAVAIL if `from` is not an address of this host, EADDRINUSE if no port is free.
    pub fn open(
        interface: Option<IfIndex>,
        from: Option<Ipv4Addr>,
        first_port: u16,
        to: SocketAddrV4,
    ) -> io::Result<Self> {
        let socket = socket(interface)?;
        socket.set_ttl_v4(255)?;
        socket.set_tos_v4(TOS)?;
        socket.set_priority(PRIORITY)?;
        let from = from.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for port in (first_port..=u16::MAX).take(PORTS_TRIED) {
            match socket.bind(&SocketAddrV4::new(from, port).into()) {
                Ok(()) => return Ok(Self { socket: socket.into(), to }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Sends a datagram; never waits.
    ///
    /// # Errors
    /// ENETUNREACH, ENETDOWN, ENOBUFS, EPERM (a firewall).
    pub fn send(&self, payload: &[u8]) -> io::Result<()> {
        // Not connected: an ICMP error of the peer must not be taken for one of the next datagram.
        self.socket.send_to(payload, self.to).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_tells_where_it_came_from_and_when() {
        let mut receiver = UdpReceiver::listen(socket(None).unwrap(), 0).unwrap();
        let port = receiver.socket.local_addr().unwrap().port();
        assert_eq!(receiver.try_recv().unwrap(), None);
        let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let sender = UdpSender::open(None, Some(Ipv4Addr::LOCALHOST), 49_152, to).unwrap();
        let other = UdpSender::open(None, Some(Ipv4Addr::LOCALHOST), 49_152, to).unwrap();
        let port_of = |s: &UdpSender| s.socket.local_addr().unwrap().port();
        assert!(port_of(&sender) >= 49_152 && port_of(&other) > port_of(&sender));
        // The kernel begins to stamp arrivals a moment after the first socket wants it, and until then stamps what is read.
        let stamps_arrivals = (0..50).any(|_| {
            let before = Clock.now();
            sender.send(b"hello").unwrap();
            let sent = Clock.now();
            std::thread::park_timeout(Duration::from_millis(20));
            let got = receiver.try_recv().unwrap().unwrap();
            let (source, destination) = (got.source, got.destination);
            assert_eq!((source, destination, got.ttl), (Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, 255));
            assert_eq!((got.payload, got.interface.0 > 0), (&b"hello"[..], true));
            let slack = Duration::from_millis(1); // two clocks
            assert!(got.received + slack >= before, "stamped before it was sent");
            got.received <= sent + slack
        });
        assert!(stamps_arrivals, "stamped when it was read");
        sender.send(&[7; 2 * LONGEST]).unwrap();
        assert_eq!(receiver.try_recv().unwrap().unwrap().payload, [7; LONGEST]);
        assert_eq!(receiver.try_recv().unwrap(), None);
    }

    #[test]
    fn the_kernel_sorts_news_from_routine() {
        let routine = Routine { at: 1, mask: 0xf0, value: 0xc0 };
        let (mut news, mut rest) = UdpReceiver::open_sorted(None, 0, routine).unwrap();
        let port = news.socket.local_addr().unwrap().port();
        let second = UdpReceiver::open_sorted(None, port, routine).map(|_| ());
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse, "the port is ours alone");
        let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let sender = UdpSender::open(None, Some(Ipv4Addr::LOCALHOST), 49_152, to).unwrap();
        let texts: [(&[u8], bool); 6] = [
            (&[0, 0xcf, 7], true),
            (&[0, 0xc0], true),
            (&[0, 0xd0], false),
            (&[0, 0x40], false),
            (&[0xc0], false),
            (&[], false),
        ];
        for (text, is_routine) in texts {
            sender.send(text).unwrap();
            let (got, other) = if is_routine { (&mut rest, &mut news) } else { (&mut news, &mut rest) };
            assert_eq!(got.try_recv().unwrap().map(|d| d.payload), Some(text), "{text:?}");
            assert_eq!(other.try_recv().unwrap(), None);
        }
    }
}
