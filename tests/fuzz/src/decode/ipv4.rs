//! The IPv4 header of a received datagram.

use crate::ipv4::{MIN_HEADER, parse};

/// Any datagram: the payload lies inside it, behind a header, and the addresses are those that stand there.
pub fn ipv4_header(data: &[u8]) {
    let Some(header) = parse(data) else { return };
    assert!(header.payload.start >= MIN_HEADER && header.payload.end <= data.len());
    assert!(data.get(header.payload.clone()).is_some());
    assert_eq!(header.source.octets(), data[12..16]);
    assert_eq!(header.destination.octets(), data[16..20]);
    // Padding changes nothing.
    let padded = [data, &[0; 7]].concat();
    assert_eq!(parse(&padded), Some(header));
}
