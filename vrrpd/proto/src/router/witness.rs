//! The ring as a witness: what OSPF knows of the others on the LAN shortens the wait for their silence.
//!
//! The evidence is an [`Attachment`] of the interface's network, told by ospfd through the RIB. It never starts a
//! takeover while somebody else is left, and it never delays one:
//!
//! | evidence, at the moment it changes | a Backup |
//! | --- | --- |
//! | all others withdrew the network, and can be reached | is Active at once: they say themselves that they are off the LAN |
//! | some others cannot be reached any more, nobody is left | gives the Active router one more advertisement, then is Active |
//! | somebody is left, or nothing is known | waits as RFC 9568 says |
//!
//! In the second case the ring may be cut around an Active router that goes on serving the LAN. Its next
//! advertisement sets Active_Down_Timer anew, and the evidence is not used again.
//!
//! If the evidence was wrong, two routers are Active until the other one's next advertisement.

use super::{Cause, VirtualRouter};
use crate::instance::{Context, TimerKind};
use crate::machine::{Event, State};
use rib::message::Attachment;
use routing_common::id::RouterId;

/// What a change of the evidence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Nothing.
    Nothing,
    /// The others have left the LAN.
    Left,
    /// The others cannot be reached.
    Unreachable,
}

fn judge(before: Option<&Attachment>, now: Option<&Attachment>) -> Verdict {
    let (Some(before), Some(now)) = (before, now) else { return Verdict::Nothing };
    if before.routers.is_empty() || !now.routers.is_empty() {
        return Verdict::Nothing;
    }
    let has_left = |id: &RouterId| now.left.contains(id);
    if before.routers.iter().all(has_left) { Verdict::Left } else { Verdict::Unreachable }
}

impl VirtualRouter {
    /// What is said of the subnet its first virtual address is in.
    pub(crate) fn attachment<'a>(&self, all: &'a [Attachment]) -> Option<&'a Attachment> {
        let address = self.group.virtual_addresses.first()?.ip();
        all.iter().filter(|a| a.network.contains(address)).max_by_key(|a| a.network.prefix())
    }

    /// The evidence has changed, of its network or of others.
    pub(crate) fn witnessed(&mut self, cx: &mut Context<'_>, before: &[Attachment], now: &[Attachment]) {
        if !self.group.accelerate || self.state != State::Backup {
            return;
        }
        match judge(self.attachment(before), self.attachment(now)) {
            Verdict::Nothing => {}
            Verdict::Left => self.step(cx, Event::Alone, Cause::Alone, None),
            Verdict::Unreachable => self.expect_one_advertisement(cx),
        }
    }

    /// Active_Down_Timer fires when the next advertisement is missing, a Skew_Time after it was due.
    fn expect_one_advertisement(&mut self, cx: &mut Context<'_>) {
        let Some(fires) = cx.deadline(TimerKind::ActiveDown) else { return };
        let heard = self.peers.values().map(|p| p.heard).max().unwrap_or(self.down_base);
        let at = (heard + self.active_interval + self.skew_time()).max(cx.now);
        if at < fires {
            self.down_cause = Cause::Alone;
            cx.arm(TimerKind::ActiveDown, at);
        }
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
}
