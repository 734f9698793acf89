//! A segment: who is plugged in, what is wrong with it, and what becomes of a frame.
//!
//! Every receiver's copy has a fate of its own. Two frames from one port to another keep their order, as on a
//! cable, unless an impairment says otherwise.

use crate::frame::Frame;
use crate::scenario::{Impairment, PortIndex, RouterIndex, SegmentKind};
use routing_common::rng::Rng;
use routing_common::time::{Duration, Instant};
use std::collections::BTreeMap;

/// One port on the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// Whose.
    pub router: RouterIndex,
    /// Which of its ports.
    pub port: PortIndex,
}

/// Is a frame what its sender sent?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Yes.
    Genuine,
    /// Yes, but it arrived before.
    Duplicate,
    /// Bits were flipped on the way.
    Corrupted,
    /// Random octets.
    Junk,
    /// Recorded earlier and sent again by somebody else.
    Replayed,
    /// Made up by somebody who knows the protocol (and the key).
    Forged,
}

/// One copy on its way.
#[derive(Debug, Clone)]
pub struct Copy {
    /// To whom.
    pub to: End,
    /// When.
    pub at: Instant,
    /// What.
    pub frame: Frame,
    /// Changed on the way?
    pub nature: Nature,
}

/// The medium.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Nature of the medium.
    pub kind: SegmentKind,
    /// Who is plugged in.
    pub ends: Vec<End>,
    delay: Duration,
    jitter: Duration,
    /// Active impairments by fault.
    pub(crate) impairments: BTreeMap<usize, (Option<RouterIndex>, Impairment)>,
    /// Active silent cuts by fault: everything, or what one router sends.
    pub(crate) cuts: BTreeMap<usize, Option<RouterIndex>>,
    /// Latest arrival so far, by sender and receiver.
    latest: BTreeMap<(End, End), Instant>,
}

impl Segment {
    pub(crate) fn new(segment: &crate::scenario::Segment, ends: Vec<End>) -> Self {
        Self {
            kind: segment.kind,
            ends,
            delay: Duration::from_micros(segment.delay),
            jitter: Duration::from_micros(segment.jitter),
            impairments: BTreeMap::new(),
            cuts: BTreeMap::new(),
            latest: BTreeMap::new(),
        }
    }

    /// Does anything pass from this router?
    pub fn passes(&self, from: RouterIndex) -> bool {
        !self.cuts.values().any(|c| c.is_none_or(|r| r == from))
    }

    /// The copies of a frame that arrive.
    pub(crate) fn send(&mut self, now: Instant, from: End, frame: &Frame, rng: &mut Rng) -> Vec<Copy> {
        if !self.passes(from.router) {
            return Vec::new();
        }
        let mut copies = Vec::new();
        for to in self.ends.clone().into_iter().filter(|to| *to != from) {
            let bad = self.towards(to.router);
            let mut chance = |permille: u16| permille > 0 && rng.below(1000) < u64::from(permille);
            if chance(bad.loss) {
                continue;
            }
            let (late, twice, bent) = (chance(bad.reorder), chance(bad.duplicate), chance(bad.corrupt));
            let jitter = self.jitter + Duration::from_micros(bad.jitter);
            let mut at = now + self.delay + Duration::from_micros(bad.delay) + rng.duration_up_to(jitter);
            if late {
                at += rng.duration_up_to(Duration::from_micros(bad.reorder_by));
            } else {
                let latest = self.latest.entry((from, to)).or_default();
                at = at.max(*latest + Duration::from_nanos(1));
                *latest = at;
            }
            let nature = if bent { Nature::Corrupted } else { Nature::Genuine };
            let frame = if bent { frame.corrupted(|bound| rng.below(bound)) } else { frame.clone() };
            if twice {
                let at = at + Duration::from_micros(1 + rng.below(2_000));
                let nature = if bent { nature } else { Nature::Duplicate };
                copies.push(Copy { to, at, frame: frame.clone(), nature });
            }
            copies.push(Copy { to, at, frame, nature });
        }
        copies
    }

    /// Everything that is wrong on the way to one router, added up.
    fn towards(&self, router: RouterIndex) -> Impairment {
        let mut sum = Impairment::default();
        let active = self.impairments.values().filter(|(t, _)| t.is_none_or(|r| r == router));
        for (_, bad) in active {
            sum.loss = sum.loss.max(bad.loss);
            sum.reorder = sum.reorder.max(bad.reorder);
            sum.reorder_by = sum.reorder_by.max(bad.reorder_by);
            sum.duplicate = sum.duplicate.max(bad.duplicate);
            sum.corrupt = sum.corrupt.max(bad.corrupt);
            sum.delay += bad.delay;
            sum.jitter += bad.jitter;
        }
        sum
    }
}
