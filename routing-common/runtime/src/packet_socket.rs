//! Whole Ethernet frames on one interface: what VRRP speaks through.
//!
//! Adverts must be heard even while a macvlan with the sender's own virtual MAC sits on the interface.
//! A raw IP socket does not hear them then, nor does a packet socket bound to one Ethernet type; one
//! bound to all types does, because it taps frames before the macvlan takes them. A filter in the
//! kernel throws away everything else; it can be exchanged, and then lets ARP about some addresses through as
//! well. Frames that carry a VLAN tag belong to another network and
//! are not let through either.

use crate::inbox::Inbox;
use crate::ipv4::{self, Ipv4Header};
use crate::sys;
use nix::sys::socket::{MsgFlags, send};
use routing_common::id::IfIndex;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Length of an Ethernet header.
pub const ETHERNET_HEADER: usize = 14;
const ETH_P_ALL: u16 = 3;
const ETH_P_IP: u16 = 0x0800;
const ETH_P_ARP: u16 = 0x0806;
/// Octets of an ARP packet for IPv4 over Ethernet; what follows is padding.
const ARP: usize = 28;
/// A program may have 4096 instructions; an address takes four.
const MOST_ADDRESSES: usize = 1000;
const RECEIVE_QUEUE: usize = 1 << 20;

/// What the socket lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacketFilter {
    /// Untagged IPv4 of this protocol to this destination.
    Ipv4 {
        /// The IP protocol.
        protocol: u8,
        /// The destination, usually a group.
        destination: Ipv4Addr,
        /// And untagged ARP with one of these as its sender or target protocol address.
        arp: Vec<Ipv4Addr>,
    },
    /// Nothing: a socket that only sends.
    Nothing,
}

/// A received frame with an IPv4 datagram in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The sender's hardware address.
    pub source_mac: [u8; 6],
    /// The sender.
    pub source: Ipv4Addr,
    /// The destination.
    pub destination: Ipv4Addr,
    /// Time to live as received.
    pub ttl: u8,
    /// What the protocol sent.
    pub payload: &'a [u8],
}

/// What [`PacketSocket::try_recv`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received<'a> {
    /// A frame with an IPv4 datagram in it.
    Ipv4(Frame<'a>),
    /// An ARP packet for IPv4 over Ethernet, without the Ethernet header and padding; its contents are not looked at.
    Arp(&'a [u8]),
}

/// Which of them, and where.
#[derive(Debug)]
enum Kind {
    Ipv4(Ipv4Header),
    Arp,
}

/// A packet socket on one interface.
#[derive(Debug)]
pub struct PacketSocket {
    inbox: Inbox,
    ifindex: IfIndex,
}

impl PacketSocket {
    /// Opens a socket on an interface. It does not hear what this host sends. Needs CAP_NET_RAW.
    ///
    /// # Errors
    /// EPERM without the capability, ENODEV if the interface has gone.
    pub fn open(ifindex: IfIndex, filter: PacketFilter) -> io::Result<Self> {
        // Protocol 0 hears nothing, so no frame slips in before the filter is in place.
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
        socket.attach_filter(&program(&filter)?)?;
        sys::set_int_option(socket.as_fd(), libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1)?;
        socket.set_recv_buffer_size(RECEIVE_QUEUE)?;
        let protocol = match filter {
            PacketFilter::Ipv4 { .. } => ETH_P_ALL,
            PacketFilter::Nothing => 0,
        };
        sys::bind_packet(socket.as_fd(), ifindex, protocol)?;
        Ok(Self { inbox: Inbox::new(socket, ETHERNET_HEADER)?, ifindex })
    }

    /// Exchanges the filter of a socket that hears. What is queued already was let through by the former one.
    ///
    /// # Errors
    /// EINVAL for more addresses than a filter can have, ENOMEM.
    pub fn set_filter(&self, filter: &PacketFilter) -> io::Result<()> {
        self.inbox.socket().attach_filter(&program(filter)?)
    }

    /// The interface it is bound to.
    pub fn ifindex(&self) -> IfIndex {
        self.ifindex
    }

    /// Makes the network card accept frames to a multicast address for as long as the socket lives.
    ///
    /// # Errors
    /// ENODEV if the interface has gone.
    pub fn join_mac(&self, mac: [u8; 6]) -> io::Result<()> {
        sys::packet_membership(self.inbox.socket().as_fd(), self.ifindex, mac)
    }

    /// The next frame or ARP packet if one is queued. Frames with neither are skipped.
    ///
    /// # Errors
    /// ENETDOWN when the interface goes down, once; the socket stays usable.
    pub fn try_recv(&mut self) -> io::Result<Option<Received<'_>>> {
        let kind = self.inbox.take_what(|octets| match octets.get(12..ETHERNET_HEADER)? {
            [8, 6] => octets.get(..ETHERNET_HEADER + ARP).map(|_| Kind::Arp),
            _ => ipv4::parse(octets.get(ETHERNET_HEADER..)?).map(Kind::Ipv4),
        })?;
        Ok(kind.map(|kind| match kind {
            Kind::Ipv4(header) => Received::Ipv4(self.frame(&header)),
            Kind::Arp => Received::Arp(
                self.inbox.octets().get(ETHERNET_HEADER..ETHERNET_HEADER + ARP).unwrap_or_default(),
            ),
        }))
    }

    fn frame(&self, header: &Ipv4Header) -> Frame<'_> {
        let source_mac = self.inbox.octets().get(6..).and_then(|b| b.first_chunk()).copied();
        Frame {
            source_mac: source_mac.unwrap_or_default(),
            source: header.source,
            destination: header.destination,
            ttl: header.ttl,
            payload: self.inbox.payload(header),
        }
    }

    /// Sends a whole Ethernet frame, header included. Never waits.
    ///
    /// # Errors
    /// ENETDOWN, ENXIO, ENOBUFS, EMSGSIZE.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        let sent = send(self.inbox.socket().as_raw_fd(), frame, MsgFlags::empty())?;
        if sent == frame.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inbox.socket().as_fd()
    }
}

/// The filter as a classic BPF program over the frame.
fn program(filter: &PacketFilter) -> io::Result<Vec<SockFilter>> {
    const LOAD_WORD: u16 = 0x20;
    const LOAD_HALF: u16 = 0x28;
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    /// SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT: drivers strip the tag off the frame and note it aside.
    const TAGGED: u32 = 0xffff_f000 + 48;
    /// Where a frame has the addresses of an ARP packet.
    const ARP_ADDRESSES: [u32; 2] = [28, 38];
    const NOTHING: SockFilter = SockFilter::new(RETURN, 0, 0, 0);
    const ALL_OF_IT: SockFilter = SockFilter::new(RETURN, 0, 0, u32::MAX);
    let PacketFilter::Ipv4 { protocol, destination, arp } = filter else {
        return Ok(vec![NOTHING]);
    };
    if arp.len() > MOST_ADDRESSES {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let mut program = vec![
        SockFilter::new(LOAD_WORD, 0, 0, TAGGED),
        SockFilter::new(JUMP_EQUAL, 1, 0, 0),
        NOTHING,
        SockFilter::new(LOAD_HALF, 0, 0, 12),
        SockFilter::new(JUMP_EQUAL, 0, 6, u32::from(ETH_P_IP)),
        SockFilter::new(LOAD_BYTE, 0, 0, 23),
        SockFilter::new(JUMP_EQUAL, 0, 3, u32::from(*protocol)),
        SockFilter::new(LOAD_WORD, 0, 0, 30),
        SockFilter::new(JUMP_EQUAL, 0, 1, destination.to_bits()),
        ALL_OF_IT,
        NOTHING,
        SockFilter::new(JUMP_EQUAL, 1, 0, u32::from(ETH_P_ARP)),
        NOTHING,
    ];
    for place in ARP_ADDRESSES {
        program.push(SockFilter::new(LOAD_WORD, 0, 0, place));
        for address in arp {
            program.extend([SockFilter::new(JUMP_EQUAL, 0, 1, address.to_bits()), ALL_OF_IT]);
        }
    }
    program.push(NOTHING);
    Ok(program)
}
