//! The IPv4 header of a received datagram, read without trust.

use core::ops::Range;
use std::net::Ipv4Addr;

/// Length of a header without options.
pub const MIN_HEADER: usize = 20;

/// What a shell needs of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipv4Header {
    /// Who sent it.
    pub source: Ipv4Addr,
    /// Whom it was sent to.
    pub destination: Ipv4Addr,
    /// Time to live as received.
    pub ttl: u8,
    /// The protocol of the payload.
    pub protocol: u8,
    /// Where in the datagram the payload lies; what a link's padding added lies behind it.
    pub payload: Range<usize>,
}

/// Reads the header; `None` for anything but a whole, unfragmented IPv4 datagram.
pub fn parse(datagram: &[u8]) -> Option<Ipv4Header> {
    let header = datagram.first_chunk::<MIN_HEADER>()?;
    let header_length = usize::from(header[0] & 0x0f) * 4;
    let total_length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let more_fragments_or_offset = u16::from_be_bytes([header[6], header[7]]) & 0x3fff;
    let sane = header[0] >> 4 == 4
        && header_length >= MIN_HEADER
        && total_length >= header_length
        && total_length <= datagram.len()
        && more_fragments_or_offset == 0;
    sane.then(|| Ipv4Header {
        source: Ipv4Addr::new(header[12], header[13], header[14], header[15]),
        destination: Ipv4Addr::new(header[16], header[17], header[18], header[19]),
        ttl: header[8],
        protocol: header[9],
        payload: header_length..total_length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn datagram() -> Vec<u8> {
        let mut d = vec![0x46, 0xc0, 0, 27, 0, 1, 0x40, 0, 1, 89, 0, 0, 10, 0, 0, 1, 224, 0, 0, 5];
        d.extend_from_slice(&[0x94, 4, 0, 0]); // router alert
        d.extend_from_slice(b"abcPADDING");
        d
    }

    #[test]
    fn options_and_padding_are_not_payload() {
        let d = datagram();
        let h = parse(&d).unwrap();
        assert_eq!(&d[h.payload.clone()], b"abc");
        assert_eq!((h.source, h.destination), ("10.0.0.1".parse().unwrap(), "224.0.0.5".parse().unwrap()));
        assert_eq!((h.ttl, h.protocol), (1, 89));
    }

    #[test]
    fn fragments_and_lies_about_lengths_are_refused() {
        let broken = |at: usize, value: u8| {
            let mut d = datagram();
            d[at] = value;
            parse(&d)
        };
        assert_eq!(broken(6, 0x20), None, "more fragments");
        assert_eq!(broken(7, 1), None, "a later fragment");
        assert_eq!(broken(0, 0x66), None, "version");
        assert_eq!(broken(0, 0x44), None, "header shorter than a header");
        assert_eq!(broken(0, 0x4f), None, "header longer than the datagram");
        assert_eq!(broken(2, 1), None, "longer than what arrived");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(h) = parse(&bytes) {
                prop_assert!(bytes.get(h.payload).is_some());
            }
        }
    }
}
