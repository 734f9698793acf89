//! Convergence as a distribution: how long flows looped or got lost after each kind of event, over many runs.
//!
//! [`crate::transient`] measures; here samples are kept, added up and shown. Durations fall into buckets of a quarter
//! of an octave, so that the figures of any number of runs fit in a small table and can be merged in any order.

use core::fmt::Write;
use routing_common::render::Table;
use routing_common::time::Duration;
use std::collections::BTreeMap;

/// What happened, as a row is called.
pub type Event = &'static str;

/// Durations as counts in buckets of logarithmic width.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many, those of nothing included.
    pub count: u64,
    /// How many longer than nothing.
    pub nonzero: u64,
    /// Sum (µs).
    pub sum: u64,
    /// Longest (µs).
    pub max: u64,
    /// By [`bucket`], without those of nothing.
    buckets: BTreeMap<u16, u64>,
}

/// Four buckets to a doubling.
fn bucket(micros: u64) -> u16 {
    let octave = micros.max(1).ilog2();
    let within = if octave >= 2 { (micros >> (octave - 2)) & 3 } else { 0 };
    // An octave of a 64-bit number is at most 63.
    (octave * 4) as u16 + within as u16
}

/// The largest duration of a bucket (µs).
fn upper(bucket: u16) -> u64 {
    let (octave, within) = (u32::from(bucket / 4), u64::from(bucket % 4));
    match octave {
        0 | 1 => (2 << octave) - 1,
        _ => (1u64 << octave) - 1 + ((within + 1) << (octave - 2)),
    }
}

impl Histogram {
    /// Adds one duration.
    pub fn add(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.count += 1;
        if micros > 0 {
            self.nonzero += 1;
            self.sum += micros;
            self.max = self.max.max(micros);
            *self.buckets.entry(bucket(micros)).or_default() += 1;
        }
    }

    /// Adds all of another's.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.nonzero += other.nonzero;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
    }

    /// The duration that this share of all does not exceed, in thousandths; up to a quarter of an octave too large.
    pub fn percentile(&self, permille: u64) -> Duration {
        let rank = (self.count * permille).div_ceil(1_000);
        let mut seen = self.count - self.nonzero;
        if rank <= seen {
            return Duration::ZERO;
        }
        for (bucket, count) in &self.buckets {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(upper(*bucket).min(self.max));
            }
        }
        Duration::from_micros(self.max)
    }

    /// Mean of all, those of nothing included.
    pub fn mean(&self) -> Duration {
        Duration::from_micros(self.sum.checked_div(self.count).unwrap_or(0))
    }
}

/// The figures of one kind of event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Time the worst flow spent in loops, by event.
    pub looped: Histogram,
    /// Time the worst flow was lost, by event.
    pub lost: Histogram,
}

/// The figures of one run or of many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// By kind of event.
    pub rows: BTreeMap<Event, Row>,
    /// Times forwarding was looked at again.
    pub walks: u64,
}

impl Figures {
    /// Adds one event: how long its worst flows looped and were lost.
    pub fn add(&mut self, event: Event, looped: Duration, lost: Duration) {
        let row = self.rows.entry(event).or_default();
        row.looped.add(looped);
        row.lost.add(lost);
    }

    /// Adds all of another's.
    pub fn merge(&mut self, other: &Self) {
        for (event, theirs) in &other.rows {
            let row = self.rows.entry(event).or_default();
            row.looped.merge(&theirs.looped);
            row.lost.merge(&theirs.lost);
        }
        self.walks += other.walks;
    }

    /// As a table: share of events with any loss, and the distribution over all events (ms).
    pub fn render(&self) -> String {
        let headings =
            ["Event", "Events", "Lost", "Mean", "50 %", "90 %", "99 %", "Max", "Looped", "99 %", "Max"];
        let mut table = Table::new(headings);
        for column in 1..headings.len() {
            table = table.right(column);
        }
        for (event, row) in &self.rows {
            let lost = &row.lost;
            table.row([
                (*event).to_owned(),
                lost.count.to_string(),
                share(lost),
                milliseconds(lost.mean()),
                milliseconds(lost.percentile(500)),
                milliseconds(lost.percentile(900)),
                milliseconds(lost.percentile(990)),
                milliseconds(Duration::from_micros(lost.max)),
                share(&row.looped),
                milliseconds(row.looped.percentile(990)),
                milliseconds(Duration::from_micros(row.looped.max)),
            ]);
        }
        let mut text = table.text();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "Milliseconds of the worst flow of each event; {} walks", self.walks);
        text
    }
}

/// How many of all were longer than nothing.
pub(crate) fn share(histogram: &Histogram) -> String {
    let permille = (histogram.nonzero * 1_000).checked_div(histogram.count).unwrap_or(0);
    format!("{}.{} %", permille / 10, permille % 10)
}

/// With a digit behind the point where it matters.
pub(crate) fn milliseconds(duration: Duration) -> String {
    let micros = duration.as_micros();
    if micros >= 100_000 {
        (micros / 1_000).to_string()
    } else {
        format!("{}.{}", micros / 1_000, micros / 100 % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_where_the_next_begins() {
        for micros in (0..5_000).chain([1 << 20, (1 << 20) + 1, 3_600_000_000, 1 << 45]) {
            let b = bucket(micros);
            assert!(upper(b) >= micros, "{micros}");
            assert!(upper(b) <= micros + micros / 4 + 2, "{micros} {}", upper(b));
            assert!(bucket(upper(b)) == b && bucket(upper(b) + 1) > b, "{micros} {b} {}", upper(b));
        }
    }

    #[test]
    fn percentiles_count_those_of_nothing() {
        let mut histogram = Histogram::default();
        (0..90).for_each(|_| histogram.add(Duration::ZERO));
        (0..10).for_each(|_| histogram.add(Duration::from_millis(8)));
        assert_eq!(histogram.percentile(900), Duration::ZERO);
        let high = histogram.percentile(910).as_micros();
        assert!((8_000..=10_000).contains(&high), "{high}");
        assert_eq!(histogram.mean(), Duration::from_micros(800));
    }

    #[test]
    fn merging_is_adding_in_any_order() {
        let event = |n: u64| ("cut", Duration::from_micros(n * n), Duration::from_micros(n * 977));
        let mut whole = Figures::default();
        let mut parts = [Figures::default(), Figures::default(), Figures::default()];
        for n in 0..300 {
            let (name, looped, lost) = event(n);
            whole.add(name, looped, lost);
            parts[n as usize % 3].add(name, looped, lost);
        }
        let mut merged = Figures::default();
        parts.iter().rev().for_each(|part| merged.merge(part));
        assert_eq!(merged, whole);
        assert!(merged.render().contains("cut"));
    }
}
