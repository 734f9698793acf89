//! B2: a session fails for silence when the Detection Time is over (RFC 5880 §6.8.4), no sooner and not much later.
//!
//! The law keeps its own account of when each packet came and what it said: Detect Mult times the interval the peer
//! announces, which is not faster than the configured one, all routers being configured alike. A process that stood still may
//! give as much time again (`bfd_proto`'s deviation 1).

use super::rest;
use super::{Cause, Checker, Turn, Verdict};
use crate::frame::Frame;
use crate::kernel;
use crate::scenario::Daemon;
use crate::wire;
use crate::world::World;
use bfd_proto::message::{Diagnostic, SessionState};
use routing_common::id::IfIndex;
use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// A process is called so much late at most, and its law is asked so much later.
const SLACK: Duration = Duration::from_millis(260);

/// A session's place: router, process, interface, peer.
type Place = (usize, u32, IfIndex, Ipv4Addr);

/// What was heard last.
#[derive(Debug, Clone, Copy)]
struct Heard {
    /// In the router's time.
    at: Instant,
    /// The Detection Time by it.
    detection_time: Duration,
    /// The same, or what was in use before where that was longer.
    patience: Duration,
}

impl Heard {
    fn may_fail(&self, now: Instant) -> Verdict {
        let silent = now.since(self.at);
        if silent < self.detection_time { Err(format!("is given up after {silent:?}")) } else { Ok(()) }
    }

    fn may_be_up(&self, now: Instant) -> Verdict {
        let silent = now.since(self.at);
        if silent > self.patience * 2 + SLACK { Err(format!("is silent for {silent:?}")) } else { Ok(()) }
    }
}

/// The law.
#[derive(Debug, Default)]
pub(super) struct Detection {
    heard: BTreeMap<Place, Heard>,
    /// Times each session has gone down so far.
    downs: BTreeMap<Place, u64>,
}

impl Detection {
    fn hear(&mut self, world: &World, turn: &Turn<'_>, port: usize, frame: &Frame, at: Instant) {
        let node = &world.nodes[turn.router];
        let (Some(ip), Some(udp)) = (frame.datagram(), frame.udp()) else { return };
        let Ok(packet) = wire::bfd(udp.payload) else { return };
        let announced =
            Duration::from_micros(u64::from(packet.desired_min_tx)).max(rest::bfd_interval(world));
        let detection_time = announced * u32::from(packet.multiplier);
        let ifindex = kernel::ifindex(port);
        let mut sessions = node.sessions();
        let session = sessions.find(|s| s.interface == Some(ifindex) && s.peer == ip.source);
        // §6.8.6: what names another session is for that one, or for nobody.
        if session.is_none_or(|s| ![0, s.discriminator].contains(&packet.your_discriminator)) {
            return;
        }
        let place = (turn.router, node.incarnation(Daemon::Bfd), ifindex, ip.source);
        let at = node.clock.local(at);
        // A Final changes the interval in use from the next packet on; the longer one holds for one packet more.
        let before = self.heard.get(&place).map_or(Duration::ZERO, |h| h.patience);
        let patience = if packet.is_final { detection_time.max(before) } else { detection_time };
        self.heard.insert(place, Heard { at, detection_time, patience });
    }
}

impl Checker for Detection {
    fn law(&self) -> (&'static str, &'static str) {
        ("B2", "a BFD session fails for silence after its Detection Time, not sooner and not much later")
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        if turn.daemon != Daemon::Bfd {
            return Ok(());
        }
        if let Cause::Frame { port, frame, at, .. } = &turn.cause {
            self.hear(world, turn, *port, frame, *at);
        }
        let node = &world.nodes[turn.router];
        for session in node.sessions() {
            let Some(interface) = session.interface else { continue };
            let place = (turn.router, node.incarnation(Daemon::Bfd), interface, session.peer);
            let before = self.downs.insert(place, session.downs).unwrap_or_default();
            let expired = session.diagnostic == Diagnostic::CONTROL_DETECTION_TIME_EXPIRED;
            if session.downs > before && session.state == SessionState::Down && expired {
                let Some(heard) = self.heard.get(&place) else { continue };
                heard
                    .may_fail(turn.local)
                    .map_err(|text| format!("{}: {} {text}", node.name, session.peer))?;
            }
        }
        Ok(())
    }

    fn sweep(&mut self, world: &World) -> Verdict {
        for (r, node) in world.nodes.iter().enumerate().filter(|(_, node)| node.bfd.is_active()) {
            let now = node.clock.local(world.now);
            for session in node.sessions() {
                let Some(interface) = session.interface else { continue };
                let place = (r, node.incarnation(Daemon::Bfd), interface, session.peer);
                let Some(heard) = self.heard.get(&place) else { continue };
                if session.state == SessionState::Up {
                    heard.may_be_up(now).map_err(|text| format!("{}: {} {text}", node.name, session.peer))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring_with_bfd;

    #[test]
    fn a_failure_too_soon_and_a_silence_too_long_break_it() {
        let (at, time) = (Instant::from_secs(5), Duration::from_millis(300));
        let heard = Heard { at, detection_time: time, patience: time };
        assert!(heard.may_fail(at + time - Duration::from_nanos(1)).is_err());
        assert_eq!(heard.may_fail(at + time), Ok(()));
        assert_eq!(heard.may_be_up(at + time * 2 + SLACK), Ok(()));
        assert!(heard.may_be_up(at + time * 3 + SLACK).is_err());
    }

    #[test]
    fn a_session_that_stays_up_in_silence_breaks_it() {
        let world = ring_with_bfd(20);
        let node = &world.nodes[0];
        let session = node.sessions().find(|s| s.state == SessionState::Up).unwrap();
        let place = (0, node.incarnation(Daemon::Bfd), session.interface.unwrap(), session.peer);
        let time = Duration::from_millis(300);
        let law = |at| {
            let heard = BTreeMap::from([(place, Heard { at, detection_time: time, patience: time })]);
            Detection { heard, downs: BTreeMap::new() }
        };
        assert_eq!(law(node.clock.local(world.now)).sweep(&world), Ok(()));
        assert!(law(node.clock.local(world.now - Duration::from_secs(2))).sweep(&world).is_err());
    }
}
