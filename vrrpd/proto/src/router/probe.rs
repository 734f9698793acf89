//! Asking the LAN itself: does anybody serve the virtual address? Only ever shortens a wait (`accelerate`).
//!
//! A round is [`PROBES`] ARP probes ([`crate::arp`]). Whatever is heard from somebody who has the address, an answer or
//! an announcement, ends the asking and puts the wait back to what RFC 9568 makes it; so does any advertisement.
//!
//! | asked because | silence means |
//! | --- | --- |
//! | the ring cannot reach the others any more ([`super::witness`]) | two witnesses agree that the Active router is gone: we are Active after a rank of our priority |
//! | nobody was heard since we started | nothing, before there is a proof that the LAN can be heard at all; then Active_Down_Timer ends one interval and a Skew_Time after the proof |
//!
//! At the start there is no ring to agree, and a port that does not forward yet (spanning tree, link aggregation) is as
//! silent as a LAN without an Active router. The proof is somebody else's ARP packet about the address: a host that looks
//! for its gateway, or another router that starts and asks as we do. With the proof a second round begins, so that
//! routers which start together prove the LAN to each other. An Active router is heard within an interval then; that
//! one is waited for in any case, because not every router answers probes. The Skew_Time is the RFC's: the best of those
//! that start goes first, and its advertisement ends the wait of the others.
//!
//! While it asks, and only then, the shell listens for ARP packets about the address.

use super::{Cause, Service, VirtualRouter};
use crate::arp::{self, Heard};
use crate::instance::{Context, FrameKind, Output, TimerKind};
use crate::machine::{Event, State};
use routing_common::time::{Duration, Instant};
use std::net::Ipv4Addr;

/// Probes of a round.
const PROBES: u8 = 3;
/// Between two of them.
const GAP: Duration = Duration::from_millis(10);
/// How long an answer may take after the last one.
const PATIENCE: Duration = Duration::from_millis(15);
/// The longest rank: Backups that know the same at the same moment do not act at the same moment.
const LONGEST_RANK: Duration = Duration::from_millis(50);
/// Whoever was away so long when a round ended may have lost the answers, and asks again.
const AWAY: Duration = Duration::from_millis(50);

/// Why the LAN is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The ring cannot reach the others any more.
    Unreachable,
    /// Nobody was heard since the start.
    Start,
}

/// The asking.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    why: Why,
    address: Ipv4Addr,
    /// Probes of this round.
    sent: u8,
    /// Was the LAN heard? Counts for [`Why::Start`].
    proven: bool,
    /// When Active_Down_Timer would fire had nobody asked, and why it runs.
    before: (Instant, Cause),
}

/// What an ARP packet means to who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Nothing.
    Nothing,
    /// Somebody has the address.
    Served,
    /// The LAN can be heard.
    Proof,
}

/// `own` is the hardware address of our interface. Another Active router's may be the virtual MAC, which is ours as well.
fn meaning(why: Why, proven: bool, address: Ipv4Addr, own: [u8; 6], heard: &Heard) -> Meaning {
    match () {
        // Some bridges send a frame back to where it came from.
        () if heard.mac == own => Meaning::Nothing,
        () if heard.sender == address => Meaning::Served,
        () if why == Why::Start && !proven && heard.target == address => Meaning::Proof,
        () => Meaning::Nothing,
    }
}

impl VirtualRouter {
    /// (256 - priority) / 256 of [`LONGEST_RANK`].
    fn rank(&self) -> Duration {
        LONGEST_RANK * (256 - u32::from(self.group.priority)) / 256
    }

    /// Begins to ask if an answer would come in time to be of use. `before` is the wait that asking may shorten.
    pub(super) fn start_probing(&mut self, cx: &mut Context<'_>, why: Why, before: (Instant, Cause)) {
        let round = GAP * u32::from(PROBES - 1) + PATIENCE;
        let sooner = match why {
            Why::Unreachable => round + self.rank(),
            Why::Start => round + self.active_interval + self.skew_time(),
        };
        let Some(fires) = cx.deadline(TimerKind::ActiveDown) else { return };
        let idle = self.probe.is_none() && self.service == Service::Off;
        if !idle || !self.may_accelerate(cx.now) || cx.now + sooner >= fires {
            return;
        }
        let (Some(binding), Some(address)) = (self.binding, self.group.virtual_addresses.first()) else {
            return;
        };
        let address = address.ip();
        self.probe = Some(Probe { why, address, sent: 0, proven: false, before });
        cx.listen(binding.ifindex, Some(address));
        self.send_probe(cx);
    }

    /// The next probe is due, or the time for answers is over.
    pub(super) fn probe_timer(&mut self, cx: &mut Context<'_>, late: Duration) {
        let Some(probe) = &mut self.probe else { return };
        if late > AWAY {
            probe.sent = 0;
        }
        if probe.sent < PROBES {
            self.send_probe(cx);
        } else if probe.why == Why::Unreachable {
            self.step(cx, Event::Alone, Cause::Unanswered, None);
        }
    }

    fn send_probe(&mut self, cx: &mut Context<'_>) {
        let rank = self.rank();
        let (Some(binding), Some(probe)) = (self.binding, &mut self.probe) else { return };
        probe.sent += 1;
        self.stats.probe_tx += 1;
        let wait = match (probe.sent < PROBES, probe.why) {
            (true, _) => GAP,
            (false, Why::Unreachable) => PATIENCE + rank,
            (false, Why::Start) => PATIENCE,
        };
        let frame = arp::probe_frame(binding.mac, probe.address);
        cx.output(Output::Transmit { ifindex: binding.ifindex, frame, kind: FrameKind::ArpProbe });
        cx.arm(TimerKind::Probe, cx.now + wait);
    }

    /// An ARP packet came in on the base interface.
    pub(crate) fn arp(&mut self, cx: &mut Context<'_>, heard: &Heard) {
        let (Some(binding), Some(probe)) = (self.binding, &mut self.probe) else { return };
        match meaning(probe.why, probe.proven, probe.address, binding.mac, heard) {
            Meaning::Nothing => {}
            Meaning::Served => self.end_probing(cx, true),
            Meaning::Proof => {
                probe.proven = true;
                probe.sent = 0;
                let (fires, _) = probe.before;
                let at = cx.now + self.active_interval + self.skew_time();
                if at < fires {
                    self.down_cause = Cause::Unanswered;
                    cx.arm(TimerKind::ActiveDown, at);
                    cx.arm(TimerKind::Probe, cx.now);
                }
            }
        }
    }

    /// The asking has lost its reason, or cannot be relied on. What it had shortened by itself is as it was.
    pub(crate) fn stop_probing(&mut self, cx: &mut Context<'_>) {
        let restore = self.probe.as_ref().is_some_and(|p| p.why == Why::Start);
        self.end_probing(cx, restore);
    }

    /// What the ring said is not so any more.
    pub(super) fn retract_unreachable(&mut self, cx: &mut Context<'_>) {
        if self.probe.as_ref().is_some_and(|p| p.why == Why::Unreachable) {
            self.end_probing(cx, true);
        }
    }

    fn end_probing(&mut self, cx: &mut Context<'_>, restore: bool) {
        let Some(probe) = self.probe.take() else { return };
        cx.cancel(TimerKind::Probe);
        if let Some(binding) = self.binding {
            cx.listen(binding.ifindex, None);
        }
        if restore && self.state == State::Backup {
            let (fires, cause) = probe.before;
            self.down_cause = cause;
            cx.arm(TimerKind::ActiveDown, fires.max(cx.now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_has_one_meaning() {
        let address = Ipv4Addr::new(192, 0, 2, 254);
        let (host, nobody) = (Ipv4Addr::new(192, 0, 2, 7), Ipv4Addr::UNSPECIFIED);
        let (own, other, virtual_mac) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], [0, 0, 0x5e, 0, 1, 10]);
        let mut cells = 0;
        for why in [Why::Unreachable, Why::Start] {
            for proven in [false, true] {
                for mac in [own, other, virtual_mac] {
                    for sender in [address, host, nobody] {
                        for target in [address, host] {
                            let wanted = if mac == own {
                                Meaning::Nothing
                            } else if sender == address {
                                Meaning::Served
                            } else if target == address && why == Why::Start && !proven {
                                Meaning::Proof
                            } else {
                                Meaning::Nothing
                            };
                            let heard = Heard { mac, sender, target };
                            assert_eq!(
                                meaning(why, proven, address, own, &heard),
                                wanted,
                                "{why:?} {heard:?}"
                            );
                            cells += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(cells, 2 * 2 * 3 * 3 * 2);
    }
}
