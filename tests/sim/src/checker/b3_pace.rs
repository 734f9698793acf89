//! B3: periodic Control packets keep their interval, less a quarter at most for jitter (RFC 5880 §6.8.7).
//!
//! A packet is periodic if it says what the last one said and neither asks nor answers. The interval is the configured one
//! while a session is Up, and while it says that it was taken down (`bfd_proto`'s deviation 2); else a second.

use super::rest;
use super::{Checker, Verdict};
use crate::frame::Frame;
use crate::scenario::Daemon;
use crate::segment::End;
use crate::wire::{self, Control};
use crate::world::World;
use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// RFC 5880 §4.1 "Sta": AdminDown and Up.
const ADMIN_DOWN: u8 = 0;
const UP: u8 = 3;
/// RFC 5880 §6.8.3: while a session is Down or Init.
const SLOW: Duration = Duration::from_secs(1);

/// The law.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// What was said last, and when by the sender's clock; by process, port and peer.
    said: BTreeMap<(End, u32, Ipv4Addr), (Control, Instant)>,
}

fn is_periodic(before: &Control, now: &Control) -> bool {
    let neither = |c: &Control| !c.poll && !c.is_final;
    neither(before) && before == now
}

impl Checker for Pace {
    fn law(&self) -> (&'static str, &'static str) {
        ("B3", "periodic BFD packets keep their interval, less a quarter for jitter at most")
    }

    fn sent(&mut self, world: &World, from: End, frame: &Frame) -> Verdict {
        let (Some(ip), Some(udp)) = (frame.datagram(), frame.udp()) else { return Ok(()) };
        let Ok(packet) = wire::bfd(udp.payload) else { return Ok(()) };
        let node = &world.nodes[from.router];
        let now = node.clock.local(world.now);
        let place = (from, node.incarnation(Daemon::Bfd), ip.destination);
        let Some((before, at)) = self.said.insert(place, (packet, now)) else { return Ok(()) };
        let interval = match packet.state {
            ADMIN_DOWN | UP => rest::bfd_interval(world),
            _ => SLOW,
        };
        let gap = now.since(at);
        if is_periodic(&before, &packet) && gap * 4 < interval * 3 {
            return Err(format!("{} eth{}: again after {gap:?}: {packet:?}", node.name, from.port));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring_with_bfd;
    use crate::frame::UdpDatagram;

    #[test]
    fn the_same_again_too_soon_breaks_it_and_news_do_not() {
        let world = ring_with_bfd(20);
        let from = End { router: 0, port: 0 };
        let address = Ipv4Addr::new(10, 0, 0, 1);
        let said = |second: u8| {
            let mut payload = [0u8; 24];
            payload[..8].copy_from_slice(&[0x20, second, 3, 24, 0, 0, 0, 7]);
            payload[11] = 9;
            let udp = UdpDatagram { source_port: 49_152, destination_port: 3784, payload: &payload };
            Frame::udp_of([2, 0, 0, 0, 0, 1], address, address, 255, udp)
        };
        let (up, poll) = (said(0xc0), said(0xe0));
        let mut law = Pace::default();
        assert_eq!(law.sent(&world, from, &up), Ok(()));
        assert_eq!(law.sent(&world, from, &poll), Ok(()));
        assert_eq!(law.sent(&world, from, &poll), Ok(()), "a question may be repeated");
        assert_eq!(law.sent(&world, from, &up), Ok(()));
        assert!(law.sent(&world, from, &up).is_err());
        assert_eq!(law.sent(&world, End { port: 1, ..from }, &up), Ok(()), "another session's");
    }
}
