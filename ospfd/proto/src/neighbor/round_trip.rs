//! How long a neighbour takes to acknowledge an LSA, and from when on one that is not acknowledged is taken for lost.
//!
//! RxmtInterval is what an operator expects of the slowest neighbour: 5 s, of which a lost packet costs all. Here it is the
//! upper bound. The first repetition comes when an acknowledgment is overdue by what this neighbour has been seen to
//! take: the larger of RFC 6298's estimate (SRTT + 4 · RTTVAR) and of the longest time ever, and [`MARGIN`]. What was repeated
//! waits twice as long each time, up to RxmtInterval. So a neighbour that delays its acknowledgments, by a second as FRR
//! does or by two as BIRD, is repeated nothing that it has.
//!
//! * Before [`ENOUGH`] acknowledgments were seen, and while more than [`MOST`] LSAs wait for theirs (the neighbour has
//!   work to do, and repetitions would be more of it), the wait is RxmtInterval.
//! * What was repeated is no measure (RFC 6298 §3): nobody knows which copy is acknowledged. But when the acknowledgment
//!   comes twice as soon after the repetition as any ever did, it is that of a duplicate (RFC 2328 §13 (7): at once), and the
//!   first copy had come: the repetition was needless. Then the longest time is what the first copy took, and trust begins
//!   anew.
//!
//! Owned by the neighbour; a new adjacency begins anew.
//!
//! Database Descriptions and Link State Requests are answered at once, so the first of them waits [`ANSWER`], as RFC 6298 §2.1
//! has it of what nothing is known about, and twice as long each time up to RxmtInterval. There are too few of them
//! in an exchange to measure anything.

use routing_common::time::Duration;

/// What a neighbour may be later than ever before. More than flooding waits on our side.
const MARGIN: Duration = Duration::from_millis(50);

/// How long the answer to a question may take at first.
const ANSWER: Duration = Duration::from_secs(1);

/// How long the answer to a question that was repeated `times` times is waited for, at most `interval`.
pub(super) fn answer_patience(interval: Duration, times: u32) -> Duration {
    ANSWER.saturating_mul(1 << times.min(16)).min(interval)
}

/// Acknowledgments seen before they say anything.
const ENOUGH: u8 = 4;

/// LSAs without an acknowledgment with which the neighbour is not taken to be busy: about what a packet holds.
const MOST: usize = 20;

/// What is known of a neighbour's acknowledgments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoundTrip {
    /// SRTT and RTTVAR.
    estimate: Option<(Duration, Duration)>,
    /// The shortest and the longest time.
    extremes: Option<(Duration, Duration)>,
    /// How many were seen since repetitions were last needless.
    seen: u8,
}

impl RoundTrip {
    /// An LSA that was sent once was acknowledged after so long.
    pub(crate) fn acknowledged_after(&mut self, took: Duration) {
        let (smoothed, variation) = match self.estimate {
            None => (took, took / 2),
            // RFC 6298 (2.3): alpha is 1/8, beta is 1/4.
            Some((smoothed, variation)) => {
                let off = smoothed.saturating_sub(took).max(took.saturating_sub(smoothed));
                ((smoothed * 7 + took) / 8, (variation * 3 + off) / 4)
            }
        };
        self.estimate = Some((smoothed, variation));
        let (shortest, longest) = self.extremes.unwrap_or((took, took));
        self.extremes = Some((shortest.min(took), longest.max(took)));
        self.seen = self.seen.saturating_add(1);
    }

    /// An LSA was acknowledged so long after it was first sent, and after it was repeated last.
    pub(crate) fn acknowledged_repetition(&mut self, since_first: Duration, since_last: Duration) {
        if let Some((shortest, longest)) = self.extremes.filter(|(shortest, _)| since_last < *shortest / 2) {
            self.extremes = Some((shortest, longest.max(since_first)));
            self.seen = 0;
        }
    }

    /// How long one of `listed` LSAs that was repeated `times` times waits for its acknowledgment, at most `interval`.
    pub fn patience(&self, interval: Duration, listed: usize, times: u32) -> Duration {
        let known = self.estimate.zip(self.extremes).filter(|_| self.seen >= ENOUGH && listed <= MOST);
        let Some(((smoothed, variation), (_, longest))) = known else { return interval };
        let first = (smoothed + variation * 4).max(longest) + MARGIN;
        first.saturating_mul(1 << times.min(16)).min(interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn seen(times: &[u64]) -> RoundTrip {
        let mut trip = RoundTrip::default();
        times.iter().for_each(|n| trip.acknowledged_after(ms(*n)));
        trip
    }

    #[test]
    fn nothing_is_known_before_enough_was_seen_nor_of_a_busy_neighbor() {
        assert_eq!(seen(&[50; 3]).patience(INTERVAL, 1, 0), INTERVAL);
        let trip = seen(&[50; 4]);
        assert!(trip.patience(INTERVAL, MOST, 0) < ms(200));
        assert_eq!(trip.patience(INTERVAL, MOST + 1, 0), INTERVAL);
    }

    #[test]
    fn it_comes_down_to_the_longest_and_a_margin_and_doubles_up_to_the_interval() {
        let trip = seen(&[50; 60]);
        let waits = [0, 1, 2, 5, 6, 40].map(|times| trip.patience(INTERVAL, 1, times));
        assert_eq!(waits, [ms(100), ms(200), ms(400), ms(3200), INTERVAL, INTERVAL]);
        assert_eq!(trip.patience(ms(60), 1, 0), ms(60));
    }

    /// Acknowledgments a second after the first of several LSAs: some come soon after their own.
    #[test]
    fn a_neighbor_that_gathers_its_acknowledgments_is_never_repeated_what_it_has() {
        let mut trip = RoundTrip::default();
        for n in 0..1000_u64 {
            let took = ms(1000 - n * 37 % 1000);
            assert!(n < 4 || trip.patience(INTERVAL, 1, 0) > took, "{n}: {trip:?}");
            trip.acknowledged_after(took);
        }
    }

    #[test]
    fn a_needless_repetition_is_told_from_a_needed_one() {
        let mut trip = seen(&[50; 8]);
        let first = trip.patience(INTERVAL, 1, 0);
        // The first copy was lost; the second took its time.
        trip.acknowledged_repetition(first + ms(49), ms(49));
        assert_eq!(trip.patience(INTERVAL, 1, 0), first);
        // The second was acknowledged as a duplicate.
        trip.acknowledged_repetition(first + ms(1), ms(1));
        assert_eq!(trip.patience(INTERVAL, 1, 0), INTERVAL);
        (0..4).for_each(|_| trip.acknowledged_after(ms(50)));
        assert!(trip.patience(INTERVAL, 1, 0) >= first + ms(1) + MARGIN);
    }
}
