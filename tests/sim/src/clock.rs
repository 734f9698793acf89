//! A router's own clocks.
//!
//! No two routers agree on what time it is or on how long a second lasts. Engines only ever see local time, so
//! an engine that compared it with another router's would be found out.

use crate::scenario::Router;
use routing_common::time::{Duration, Instant};

/// Seconds since 1970 at the start of every run.
const WALL_AT_START: u64 = 1_700_000_000;

/// The clocks of one router.
#[derive(Debug, Clone)]
pub struct Clock {
    /// What the monotonic clock showed at `since`.
    base: Instant,
    /// True time at which it was set going.
    since: Instant,
    /// Millionths by which it runs fast.
    rate: i64,
    /// By how much the wall clock is wrong (s).
    wall_error: i64,
}

impl Clock {
    /// As the scenario says.
    pub(crate) fn new(router: &Router) -> Self {
        Self {
            base: Instant::from_millis(router.clock_offset),
            since: Instant::ZERO,
            rate: i64::from(router.clock_rate),
            wall_error: 0,
        }
    }

    /// The machine starts: its monotonic clock counts from (nearly) nothing.
    pub(crate) fn boot(&mut self, now: Instant) {
        (self.base, self.since) = (Instant::from_millis(1), now);
    }

    /// Local monotonic time.
    pub fn local(&self, now: Instant) -> Instant {
        if self.rate == 0 {
            return self.base + now.since(self.since);
        }
        let passed = i128::from(now.since(self.since).as_nanos() as u64);
        let own = passed + passed * i128::from(self.rate) / 1_000_000;
        self.base + Duration::from_nanos(u64::try_from(own).unwrap_or(0))
    }

    /// The first true moment at which local time is at least `local`.
    pub(crate) fn to_true(&self, local: Instant) -> Instant {
        if self.rate == 0 {
            return self.since + local.since(self.base);
        }
        let own = i128::from(local.since(self.base).as_nanos() as u64);
        let per_million = 1_000_000 + i128::from(self.rate);
        // Rounded up, and one more for the rounding of `local`.
        let passed = (own * 1_000_000 + per_million - 1) / per_million;
        let mut at = self.since + Duration::from_nanos(u64::try_from(passed).unwrap_or(u64::MAX));
        while self.local(at) < local {
            at += Duration::from_nanos(1);
        }
        at
    }

    /// Seconds since 1970, as the router believes.
    pub(crate) fn wall(&self, now: Instant) -> u64 {
        (WALL_AT_START + now.as_nanos() / 1_000_000_000).saturating_add_signed(self.wall_error)
    }

    /// Sets the wall clock.
    pub(crate) fn step_wall(&mut self, seconds: i64) {
        self.wall_error += seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(offset: u64, rate: i32) -> Router {
        let text = format!(
            "name = \"r\"\nloopback = \"10.255.0.1\"\nclock-offset = {offset}\nclock-rate = {rate}\nports = []\n"
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn a_wake_up_is_never_early_and_hardly_late() {
        for (offset, rate) in [(0, 0), (5, 200), (86_400_000, -200), (1, 10_000), (7, -10_000)] {
            let clock = Clock::new(&router(offset, rate));
            for n in 1..500u64 {
                let local = Instant::from_millis(offset) + Duration::from_nanos(n * 7_777_777_777);
                let at = clock.to_true(local);
                assert!(clock.local(at) >= local);
                assert!(clock.local(at).since(local) <= Duration::from_nanos(2), "{rate} {n}");
            }
        }
    }
}
