//! Packets no sane daemon sends.

use anyhow::{Context, Result};
use ringlab::netns;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::net::{Ipv4Addr, SocketAddrV4};

const ALL_SPF_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 5);
const OSPF: i32 = 89;
const HELLO: u8 = 1;
const VERSION: usize = 0;
const LENGTH: usize = 2;
const CHECKSUM: usize = 12;

/// A Hello that fits the interfaces of these tests (area 0, /24, hello 1 s, dead 4 s), with a right checksum, as octets to be
/// spoiled before [`seal`].
pub fn hello(router_id: Ipv4Addr) -> Vec<u8> {
    let mut packet = vec![2, HELLO, 0, 0];
    packet.extend(router_id.octets());
    // Area, checksum, AuType, authentication.
    packet.extend([0; 16]);
    // Mask; HelloInterval, options (E), priority; RouterDeadInterval; no DR, no Backup.
    packet.extend([255, 255, 255, 0, 0, 1, 2, 1, 0, 0, 0, 4]);
    packet.extend([0; 8]);
    packet
}

/// Writes length and checksum into a packet.
pub fn seal(mut packet: Vec<u8>) -> Vec<u8> {
    let length = u16::try_from(packet.len()).unwrap_or(u16::MAX);
    packet[LENGTH..LENGTH + 2].copy_from_slice(&length.to_be_bytes());
    packet[CHECKSUM..CHECKSUM + 2].fill(0);
    let mut sum: u32 =
        packet.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&b| u32::from(b))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let checksum = !u16::try_from(sum).unwrap_or(u16::MAX);
    packet[CHECKSUM..CHECKSUM + 2].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// With another version number.
#[must_use]
pub fn version(mut packet: Vec<u8>, version: u8) -> Vec<u8> {
    packet[VERSION] = version;
    packet
}

/// Sends a packet to AllSPFRouters from a node's namespace.
///
/// # Errors
/// No right to, or no such address.
pub fn send(namespace: &str, from: Ipv4Addr, packet: &[u8]) -> Result<()> {
    netns::within(namespace, || {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(OSPF)))?;
        socket.set_multicast_if_v4(&from)?;
        socket.set_multicast_ttl_v4(1)?;
        socket.bind(&SockAddr::from(SocketAddrV4::new(from, 0)))?;
        let to = SockAddr::from(SocketAddrV4::new(ALL_SPF_ROUTERS, 0));
        socket.send_to(packet, &to).context("sending a crafted packet")?;
        Ok(())
    })
}
