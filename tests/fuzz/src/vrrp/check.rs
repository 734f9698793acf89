//! What must be true of every frame and every show of a VRRP engine.

use super::GROUP;
use crate::ipv4;
use routing_common::config::VrrpVersion;
use routing_common::time::{Duration, Instant};
use vrrp_proto::Instance;
use vrrp_proto::api::{Request, render_text};
use vrrp_proto::instance::FrameKind;
use vrrp_proto::packet::{Expected, Received, examine};

/// Octets of an Ethernet header.
const ETHERNET: usize = 14;
/// Where the virtual MACs begin (RFC 9568 §7.3).
const VIRTUAL_MAC: [u8; 5] = [0, 0, 0x5e, 0, 1];
const MTU: usize = 1500;

/// A whole Ethernet frame.
pub(super) fn frame(frame: &[u8], kind: FrameKind) {
    assert!((ETHERNET..=ETHERNET + MTU).contains(&frame.len()));
    match kind {
        FrameKind::Advertisement => advertisement(frame),
        FrameKind::GratuitousArp => {
            assert_eq!(frame.len(), ETHERNET + 28);
            assert_eq!(frame[12..14], [8, 6]);
            assert_eq!(frame[..6], [0xff; 6]);
            assert_eq!(frame[28..32], frame[38..42], "sender and target of a gratuitous ARP");
        }
        FrameKind::ArpProbe => {
            assert_eq!((frame.len(), &frame[12..14]), (ETHERNET + 28, &[8, 6][..]));
            assert_eq!(frame[..6], [0xff; 6]);
            assert_eq!(frame[28..32], [0; 4], "a probe claims an address");
            assert_eq!(frame[6..12], frame[22..28], "a probe in another's name");
            assert_ne!(frame[6..11], VIRTUAL_MAC, "a probe from the virtual MAC");
        }
    }
}

/// Judged by the receiving side's own checks.
fn advertisement(frame: &[u8]) {
    assert_eq!(frame[12..14], [8, 0]);
    assert_eq!(frame[..6], [1, 0, 0x5e, 0, 0, 18]);
    let header = ipv4::parse(&frame[ETHERNET..]).expect("an IPv4 datagram");
    assert_eq!((header.destination, header.ttl, header.protocol), (GROUP, 255, 112));
    let payload = &frame[ETHERNET..][header.payload.clone()];
    let version = if payload[0] >> 4 == 2 { VrrpVersion::V2 } else { VrrpVersion::V3 };
    let interval = match version {
        VrrpVersion::V2 => Duration::from_secs(u64::from(payload[5])),
        VrrpVersion::V3 => Duration::ZERO,
    };
    let packet =
        Received { source: header.source, destination: header.destination, ttl: header.ttl, payload };
    let expected = Expected { version, interval, own_address: None };
    let (message, _) = examine(packet, Some(expected)).expect("own advertisement refused");
    if frame[6..11] == VIRTUAL_MAC {
        assert_eq!(frame[11], message.vrid.get(), "another virtual router's MAC");
    }
}

/// Asks everything and shows it.
pub(super) fn shows(engine: &Instance, now: Instant) {
    for request in [
        Request::Routers { interface: None, vrid: None },
        Request::Summary { interface: None, vrid: None },
        Request::History { interface: None, vrid: None },
    ] {
        if let Ok(value) = engine.query(now, &request) {
            let text = render_text(&request, &value);
            assert!(text.is_ok(), "{request:?}: own reply refused: {value}");
        }
    }
}
