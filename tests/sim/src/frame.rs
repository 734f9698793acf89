//! What travels on a segment: whole Ethernet frames, so that captures need nothing invented.

use std::net::Ipv4Addr;
use std::sync::Arc;

/// IP protocol number of OSPF.
pub const OSPF: u8 = 89;
/// IP protocol number of VRRP.
pub const VRRP: u8 = 112;

const ETHERNET: usize = 14;
const IPV4: usize = 20;

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
    let words = header.chunks(2).map(|c| u32::from(c[0]) << 8 | u32::from(*c.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

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
