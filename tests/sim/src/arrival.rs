//! A frame at a port: what a kernel does with it before any daemon gets it.
//!
//! It looks for a socket that wants the frame. ARP it answers itself, for the addresses on its running interfaces, whatever the
//! daemons do.

use crate::frame::{Arp, Frame, OSPF, UDP, VRRP};
use crate::kernel;
use crate::scenario::Daemon;
use crate::segment::{End, Nature};
use crate::trace::Happening;
use crate::world::{Event, World};
use routing_common::time::Instant;
use std::net::Ipv4Addr;

/// The group of VRRP.
const VRRP_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

impl World {
    /// See the module text.
    pub(crate) fn arrive(&mut self, to: End, at: Instant, frame: Frame, nature: Nature) {
        let node = &self.nodes[to.router];
        let ifindex = kernel::ifindex(to.port);
        let wanted = node.power && node.kernel.is_running(ifindex);
        let arp = frame.arp().filter(|_| wanted && is_for(&frame, kernel::mac(to.router, to.port)));
        let of_ip = frame.datagram().filter(|_| wanted).and_then(|d| match d.protocol {
            OSPF if node.ospf.engine.is_some() && node.ospf_takes(ifindex, d.destination) => {
                Some(Daemon::Ospf)
            }
            VRRP if node.vrrp.engine.is_some()
                && d.destination == VRRP_GROUP
                && node.vrrp_sockets.contains(&ifindex) =>
            {
                Some(Daemon::Vrrp)
            }
            UDP if node.bfd.engine.is_some() && node.bfd_takes(ifindex, &frame) => Some(Daemon::Bfd),
            _ => None,
        });
        let hears = |arp: &Arp| node.vrrp.engine.is_some() && node.vrrp_takes(ifindex, arp);
        let daemon = of_ip.or(arp.filter(hears).map(|_| Daemon::Vrrp));
        let answer = arp.filter(|arp| arp.asks && arp.sender != arp.target).and_then(|arp| {
            let mac = node.kernel.arp_answer(ifindex, arp.target)?;
            Some(Frame::arp_answer(mac, arp.target, arp))
        });
        if let Some(answer) = answer {
            self.transmit(to, answer);
            self.report_sent();
        }
        let taken = daemon.is_some();
        if self.transcript.entries.is_some() || taken {
            let frame = frame.clone();
            self.transcript.record(self.now, Happening::Arrived { to, frame, nature, taken });
        }
        if taken {
            self.counters.frames_taken += 1;
            self.counters.lsas_taken += frame.lsas();
            self.deliver(Event::Arrive { to, at, frame, nature });
        }
    }
}

/// Does a port with this hardware address take it, as one for itself or for all?
fn is_for(frame: &Frame, mac: [u8; 6]) -> bool {
    frame.destination().is_some_and(|to| to == mac || to[0] & 1 == 1)
}
