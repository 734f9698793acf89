//! What travels on a segment: whole Ethernet frames, so that captures need nothing invented.

use std::net::Ipv4Addr;
use std::sync::Arc;

/// IP protocol number of OSPF.
pub const OSPF: u8 = 89;
/// IP protocol number of VRRP.
pub const VRRP: u8 = 112;
/// IP protocol number of UDP.
pub const UDP: u8 = 17;

const ETHERNET: usize = 14;
const IPV4: usize = 20;
const ARP: usize = 28;
const UDP_HEADER: usize = 8;

/// A frame; cheap to copy to many receivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame(Arc<[u8]>);

/// An IPv4 datagram inside a frame, as a raw socket hands it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// Time to live.
    pub ttl: u8,
    /// Protocol number.
    pub protocol: u8,
    /// What follows the header.
    pub payload: &'a [u8],
}

/// A UDP datagram inside an IPv4 datagram (RFC 768).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UdpDatagram<'a> {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// What follows the header.
    pub payload: &'a [u8],
}

/// An ARP packet for IPv4 over Ethernet inside a frame (RFC 826).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arp {
    /// Does it ask? Otherwise it answers.
    pub asks: bool,
    /// Sender hardware address.
    pub mac: [u8; 6],
    /// Sender protocol address.
    pub sender: Ipv4Addr,
    /// Target protocol address.
    pub target: Ipv4Addr,
}

impl Frame {
    /// From its octets, destination address first.
    pub fn new(octets: Vec<u8>) -> Self {
        Self(octets.into())
    }

    /// A datagram as the kernel wraps it: multicast address from the group, broadcast for anything else,
    /// since nobody resolves addresses here.
    pub fn ip(mac: [u8; 6], datagram: Datagram<'_>) -> Self {
        let mut octets = Vec::with_capacity(ETHERNET + IPV4 + datagram.payload.len());
        let [_, b, c, d] = datagram.destination.octets();
        if datagram.destination.is_multicast() {
            octets.extend([0x01, 0x00, 0x5e, b & 0x7f, c, d]);
        } else {
            octets.extend([0xff; 6]);
        }
        octets.extend(mac);
        octets.extend([0x08, 0x00]);
        let total = u16::try_from(IPV4 + datagram.payload.len()).unwrap_or(u16::MAX);
        octets.extend([0x45, 0xc0]);
        octets.extend(total.to_be_bytes());
        octets.extend([0, 0, 0, 0, datagram.ttl, datagram.protocol, 0, 0]);
        octets.extend(datagram.source.octets());
        octets.extend(datagram.destination.octets());
        let sum = header_checksum(&octets[ETHERNET..]);
        octets[ETHERNET + 10..ETHERNET + 12].copy_from_slice(&sum.to_be_bytes());
        octets.extend(datagram.payload);
        Self::new(octets)
    }

    /// A UDP datagram with its checksum.
    pub fn udp_of(
        mac: [u8; 6],
        source: Ipv4Addr,
        destination: Ipv4Addr,
        ttl: u8,
        udp: UdpDatagram<'_>,
    ) -> Self {
        let length = UDP_HEADER + udp.payload.len();
        let mut octets = Vec::with_capacity(length);
        octets.extend(udp.source_port.to_be_bytes());
        octets.extend(udp.destination_port.to_be_bytes());
        octets.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        octets.extend([0, 0]);
        octets.extend(udp.payload);
        // A sum of zero is sent as its other form: zero means that there is none.
        let sum = match udp_checksum(source, destination, &octets) {
            0 => u16::MAX,
            sum => sum,
        };
        octets[6..8].copy_from_slice(&sum.to_be_bytes());
        Self::ip(mac, Datagram { source, destination, ttl, protocol: UDP, payload: &octets })
    }

    /// The UDP datagram, if it is one whose length and checksum are right.
    pub fn udp(&self) -> Option<UdpDatagram<'_>> {
        let ip = self.datagram().filter(|d| d.protocol == UDP)?;
        let number = |at: usize| Some(u16::from_be_bytes([*ip.payload.get(at)?, *ip.payload.get(at + 1)?]));
        let is_whole = usize::from(number(4)?) == ip.payload.len();
        let is_right = is_whole && udp_checksum(ip.source, ip.destination, ip.payload) == 0;
        let payload = ip.payload.get(UDP_HEADER..)?;
        is_right.then_some(UdpDatagram { source_port: number(0)?, destination_port: number(2)?, payload })
    }

    /// A kernel's answer to whoever asks at which hardware address `address` is.
    pub fn arp_answer(mac: [u8; 6], address: Ipv4Addr, question: Arp) -> Self {
        let mut octets = Vec::with_capacity(ETHERNET + ARP);
        octets.extend(question.mac);
        octets.extend(mac);
        octets.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 2]);
        octets.extend(mac);
        octets.extend(address.octets());
        octets.extend(question.mac);
        octets.extend(question.sender.octets());
        Self::new(octets)
    }

    /// Who it is for, by its Ethernet header.
    pub fn destination(&self) -> Option<[u8; 6]> {
        self.0.first_chunk().copied()
    }

    /// The ARP packet, if it is one.
    pub fn arp(&self) -> Option<Arp> {
        let message = self.0.get(ETHERNET..ETHERNET + ARP)?;
        if self.0.get(12..14)? != [8, 6] || message.get(..6)? != [0, 1, 8, 0, 6, 4] {
            return None;
        }
        let address = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(message.get(at..at + 4)?).ok()?));
        let asks = match message.get(6..8)? {
            [0, 1] => true,
            [0, 2] => false,
            _ => return None,
        };
        Some(Arp {
            asks,
            mac: message.get(8..)?.first_chunk().copied()?,
            sender: address(14)?,
            target: address(24)?,
        })
    }

    /// What follows the Ethernet header of an ARP packet.
    pub fn arp_message(&self) -> &[u8] {
        self.0.get(ETHERNET..ETHERNET + ARP).unwrap_or_default()
    }

    /// All octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The datagram, if it is one with a header this simulator's kernels write.
    pub fn datagram(&self) -> Option<Datagram<'_>> {
        let ip = self.0.get(ETHERNET..)?;
        if self.0.get(12..14)? != [0x08, 0x00] || ip.first()? != &0x45 {
            return None;
        }
        let address = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(ip.get(at..at + 4)?).ok()?));
        let total = usize::from(u16::from_be_bytes([*ip.get(2)?, *ip.get(3)?]));
        Some(Datagram {
            source: address(12)?,
            destination: address(16)?,
            ttl: *ip.get(8)?,
            protocol: *ip.get(9)?,
            payload: ip.get(IPV4..total)?,
        })
    }

    /// How many LSAs it says it carries, if it is a Link State Update (RFC 2328 App. A.3.5).
    pub fn lsas(&self) -> u64 {
        const UPDATE: u8 = 4;
        let update = self.datagram().map(|d| (d.protocol, d.payload));
        match update {
            Some((OSPF, [_, UPDATE, rest @ ..])) => rest
                .get(22..26)
                .map_or(0, |count| count.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet))),
            _ => 0,
        }
    }

    /// The same frame with some bits of the datagram's payload flipped. The IP header stays: a real kernel
    /// discards what fails its checksum.
    pub fn corrupted(&self, mut number: impl FnMut(u64) -> u64) -> Self {
        let mut octets = self.0.to_vec();
        let from = ETHERNET + IPV4;
        let Some(span) = octets.len().checked_sub(from).filter(|s| *s > 0) else { return self.clone() };
        for _ in 0..=number(3) {
            let at = from + number(span as u64) as usize;
            octets[at] ^= 1 << number(8);
        }
        Self::new(octets)
    }
}

/// RFC 791's checksum of a header whose checksum field is zero.
fn header_checksum(header: &[u8]) -> u16 {
    !fold(words(header))
}

/// RFC 768's over pseudo header and datagram; of one with its checksum in it, zero.
fn udp_checksum(source: Ipv4Addr, destination: Ipv4Addr, datagram: &[u8]) -> u16 {
    let length = u32::try_from(datagram.len()).unwrap_or(u32::MAX);
    let pseudo = words(&source.octets()) + words(&destination.octets()) + u32::from(UDP) + length;
    !fold(pseudo + words(datagram))
}

fn words(octets: &[u8]) -> u32 {
    octets.chunks(2).map(|c| u32::from(c[0]) << 8 | u32::from(*c.get(1).unwrap_or(&0))).sum()
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_to_the_question() {
        let address = Ipv4Addr::new(10, 0, 0, 1);
        let sender = Ipv4Addr::UNSPECIFIED;
        let question = Arp { asks: true, mac: [2, 0, 0, 0, 0, 1], sender, target: address };
        let answer = Frame::arp_answer([0, 0, 0x5e, 0, 1, 9], address, question);
        let wanted = Arp { asks: false, mac: [0, 0, 0x5e, 0, 1, 9], sender: address, target: sender };
        assert_eq!(answer.arp(), Some(wanted));
        assert_eq!((answer.destination(), answer.datagram()), (Some(question.mac), None));
    }

    #[test]
    fn a_datagram_comes_out_as_it_went_in_and_its_header_sums_up() {
        let datagram = Datagram {
            source: Ipv4Addr::new(10, 0, 0, 1),
            destination: Ipv4Addr::new(224, 0, 0, 5),
            ttl: 1,
            protocol: OSPF,
            payload: b"hello",
        };
        let frame = Frame::ip([2, 0, 0, 0, 0, 1], datagram);
        assert_eq!(frame.datagram(), Some(datagram));
        assert_eq!(frame.octets()[..6], [1, 0, 0x5e, 0, 0, 5]);
        assert_eq!(header_checksum(&frame.octets()[14..34]), 0);
        let bent = frame.corrupted(|bound| bound - 1);
        assert_ne!(bent, frame);
        assert_eq!(bent.octets()[..34], frame.octets()[..34]);
    }
}
