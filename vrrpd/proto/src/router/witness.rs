//! The ring as a witness: what OSPF knows of the others on the LAN shortens the wait for their silence.
//!
//! The evidence is an [`Attachment`] of the interface's network, told by ospfd through the RIB. It never starts a
//! takeover while somebody else is left, and it never delays one:
//!
//! | evidence, at the moment it changes | a Backup |
//! | --- | --- |
//! | all others withdrew the network, and can be reached | is Active at once: they say themselves that they are off the LAN |
//! | some others cannot be reached any more, nobody is left | asks the LAN who has the address ([`super::probe`]): is Active if nobody answers |
//! | the same, and there is an answer | waits as RFC 9568 says |
//! | the same, and asking would take longer than the next advertisement | gives the Active router that one, then is Active |
//! | somebody is left, or nothing is known | waits as RFC 9568 says |
//!
//! In the middle three cases the ring may be cut around an Active router that goes on serving the LAN. Its next
//! advertisement sets Active_Down_Timer anew, and the evidence is not used again.
//!
//! If the evidence was wrong, two routers are Active until the other one's next advertisement. That is noticed by
//! hearing the one who was replaced although nothing brought him back, and for [`SUSPENSION`] nothing but silence counts.

use super::probe::Why;
use super::{Cause, VirtualRouter};
use crate::constants::STOP_PRIORITY;
use crate::instance::{Context, TimerKind};
use crate::machine::{Event, State};
use crate::packet::Advertisement;
use rib::message::Attachment;
use routing_common::id::RouterId;
use routing_common::notice::Notice;
use routing_common::time::{Duration, Instant};
use std::net::Ipv4Addr;

/// Who is heard later than this after he was replaced has come back.
const TRIAL: Duration = Duration::from_secs(10);
/// How long nothing but silence counts after a takeover that was wrong.
const SUSPENSION: Duration = Duration::from_secs(60);

/// What a change of the evidence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Nothing,
    /// The others have left the LAN.
    Left,
    /// The others cannot be reached.
    Unreachable,
}

/// A takeover that did not wait for silence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Takeover {
    at: Instant,
    /// Who was Active before.
    from: Ipv4Addr,
}

fn judge(before: Option<&Attachment>, now: Option<&Attachment>) -> Verdict {
    let (Some(before), Some(now)) = (before, now) else { return Verdict::Nothing };
    if before.routers.is_empty() || !now.routers.is_empty() {
        return Verdict::Nothing;
    }
    let has_left = |id: &RouterId| now.left.contains(id);
    if before.routers.iter().all(has_left) { Verdict::Left } else { Verdict::Unreachable }
}

/// Was it wrong to take over from somebody who is heard `after` that? Whoever left the LAN and says so, or whom the ring can
/// reach again, may have come back; whoever never was away goes on at his pace.
fn was_wrong(ring: Verdict, after: Duration, interval: Duration) -> bool {
    after <= interval * 2 || (ring == Verdict::Unreachable && after <= TRIAL)
}

impl VirtualRouter {
    /// What is said of the subnet its first virtual address is in.
    pub(crate) fn attachment<'a>(&self, all: &'a [Attachment]) -> Option<&'a Attachment> {
        let address = self.group.virtual_addresses.first()?.ip();
        all.iter().filter(|a| a.network.contains(address)).max_by_key(|a| a.network.prefix())
    }

    /// Until when nothing but silence counts.
    pub(crate) fn suspended_until(&self) -> Option<Instant> {
        self.suspended_until
    }

    /// May anything but silence count?
    pub(super) fn may_accelerate(&self, now: Instant) -> bool {
        self.group.accelerate && self.suspended_until.is_none_or(|until| now >= until)
    }

    /// The evidence has changed, of its network or of others.
    pub(crate) fn witnessed(&mut self, cx: &mut Context<'_>, before: &[Attachment], now: &[Attachment]) {
        let verdict = judge(self.attachment(before), self.attachment(now));
        let is_alone = self.attachment(now).is_some_and(|a| a.routers.is_empty());
        if verdict != Verdict::Nothing || !is_alone {
            self.ring = verdict;
        }
        if !is_alone {
            self.retract_unreachable(cx);
        }
        if !self.may_accelerate(cx.now) || self.state != State::Backup {
            return;
        }
        match verdict {
            Verdict::Nothing => {}
            Verdict::Left => self.step(cx, Event::Alone, Cause::Alone, None),
            Verdict::Unreachable => self.doubt(cx),
        }
    }

    /// Active_Down_Timer fires when the next advertisement is missing, a Skew_Time after it was due. Where that is long, the
    /// LAN is asked meanwhile.
    fn doubt(&mut self, cx: &mut Context<'_>) {
        let Some(fires) = cx.deadline(TimerKind::ActiveDown) else { return };
        let before = (fires, self.down_cause);
        let heard = self.peers.values().map(|p| p.heard).max().unwrap_or(self.down_base);
        let at = (heard + self.active_interval + self.skew_time()).max(cx.now);
        if at < fires {
            self.down_cause = Cause::Alone;
            cx.arm(TimerKind::ActiveDown, at);
        }
        // Who has not heard anybody on the LAN does not know yet whether he hears at all.
        if matches!(before.1, Cause::AdvertTimeout | Cause::Preempt | Cause::Alone) {
            self.start_probing(cx, Why::Unreachable, before);
        }
    }

    /// Nobody was heard yet.
    pub(super) fn probe_at_start(&mut self, cx: &mut Context<'_>) {
        if let Some(fires) = cx.deadline(TimerKind::ActiveDown) {
            self.start_probing(cx, Why::Start, (fires, self.down_cause));
        }
    }

    /// A wait is over for this cause.
    pub(super) fn note_takeover(&mut self, now: Instant, cause: Cause) {
        let last = self.peers.iter().max_by_key(|(_, peer)| peer.heard);
        let fresh = last.filter(|(_, peer)| now.since(peer.heard) <= self.active_down_interval());
        self.takeover = match (cause, fresh) {
            (Cause::Alone | Cause::Unanswered, Some((from, _))) => Some(Takeover { at: now, from: *from }),
            _ => None,
        };
    }

    /// An advertisement came in: was it right to replace its sender?
    pub(super) fn look_back(&mut self, cx: &mut Context<'_>, source: Ipv4Addr, adv: &Advertisement) {
        let Some(takeover) = self.takeover.filter(|t| t.from == source) else { return };
        self.takeover = None;
        let after = cx.now.since(takeover.at);
        if adv.priority == STOP_PRIORITY || !was_wrong(self.ring, after, adv.interval) {
            return;
        }
        self.suspended_until = Some(cx.now + SUSPENSION);
        let text = format!(
            "vrrp {} ({}): {source} is heard {} ms after it was replaced: for {} s only its silence counts",
            self.name,
            self.group.vrid,
            after.as_millis(),
            SUSPENSION.as_secs()
        );
        cx.notice(Notice::warning("vrrp-wrongly-alone", text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(routers: &[u8], left: &[u8]) -> Attachment {
        let ids = |ids: &[u8]| ids.iter().map(|n| RouterId([10, 255, 0, *n].into())).collect();
        Attachment { network: "192.0.2.0/24".parse().unwrap(), routers: ids(routers), left: ids(left) }
    }

    #[test]
    fn only_the_last_one_to_go_matters() {
        let cases = [
            (evidence(&[1], &[]), evidence(&[], &[1]), Verdict::Left),
            (evidence(&[1], &[]), evidence(&[], &[]), Verdict::Unreachable),
            (evidence(&[1, 3], &[]), evidence(&[3], &[1]), Verdict::Nothing),
            (evidence(&[3], &[1]), evidence(&[], &[1, 3]), Verdict::Left),
            (evidence(&[1, 3], &[]), evidence(&[], &[3]), Verdict::Unreachable),
            (evidence(&[], &[1]), evidence(&[], &[]), Verdict::Nothing),
            (evidence(&[], &[]), evidence(&[1], &[]), Verdict::Nothing),
        ];
        for (before, now, verdict) in cases {
            assert_eq!(judge(Some(&before), Some(&now)), verdict, "{before:?} {now:?}");
        }
        let one = evidence(&[1], &[]);
        assert_eq!(judge(Some(&one), None), Verdict::Nothing);
        assert_eq!(judge(None, Some(&evidence(&[], &[]))), Verdict::Nothing);
    }

    #[test]
    fn who_is_heard_again_was_never_away_or_has_come_back() {
        let ms = Duration::from_millis;
        for (ring, after, wrong) in [
            (Verdict::Left, 5, true),
            (Verdict::Left, 2_000, true),
            (Verdict::Left, 2_001, false),
            (Verdict::Nothing, 900, true),
            (Verdict::Nothing, 4_000, false),
            (Verdict::Unreachable, 900, true),
            (Verdict::Unreachable, 9_999, true),
            (Verdict::Unreachable, 10_001, false),
        ] {
            assert_eq!(was_wrong(ring, ms(after), ms(1_000)), wrong, "{ring:?} {after}");
        }
    }
}
