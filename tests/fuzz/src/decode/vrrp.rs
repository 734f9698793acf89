//! The VRRP message.

use crate::script::Script;
use routing_common::config::{VrrpChecksum, VrrpVersion};
use routing_common::time::Duration;
use std::net::Ipv4Addr;
use vrrp_proto::packet::{Advertisement, Expected, MAX_ADDRESSES, Received, examine};

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// Two octets of circumstances, then the message. What is accepted is written and read again the same.
pub fn vrrp_packet(data: &[u8]) {
    let mut script = Script::new(data);
    let (circumstances, seconds) = (script.u8(), script.u8());
    let payload = script.take(data.len());
    let source = Ipv4Addr::new(192, 0, 2, 7);
    let bit = |n: u8| circumstances >> n & 1 == 1;
    let packet = Received {
        source,
        destination: if bit(0) { Ipv4Addr::new(192, 0, 2, 1) } else { GROUP },
        ttl: if bit(1) { 64 } else { 255 },
        payload,
    };
    let expected = Expected {
        version: if bit(2) { VrrpVersion::V2 } else { VrrpVersion::V3 },
        interval: Duration::from_secs(u64::from(seconds)),
        own_address: bit(3).then_some(source),
    };
    assert!(examine(packet, None).is_err(), "accepted for no virtual router");
    if let Ok((advertisement, form)) = examine(packet, Some(expected)) {
        assert!(!bit(0) && !bit(1) && !bit(3), "accepted in spite of its IP header");
        again(&advertisement, form, packet, expected);
    }
}

fn again(
    advertisement: &Advertisement,
    form: Option<VrrpChecksum>,
    packet: Received<'_>,
    expected: Expected,
) {
    assert_eq!(form.is_some(), advertisement.version == VrrpVersion::V3);
    assert!((1..=MAX_ADDRESSES).contains(&advertisement.addresses.len()));
    let written = advertisement.encode(packet.source, form.unwrap_or(VrrpChecksum::Rfc9568));
    assert!(written.len() <= packet.payload.len());
    let read = examine(Received { payload: &written, ..packet }, Some(expected)).expect("own packet refused");
    assert_eq!(read.0, *advertisement);
}
