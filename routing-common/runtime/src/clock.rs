//! The clocks of this host, read by shells and by nobody else.

use routing_common::time::Instant;
use std::time::{SystemTime, UNIX_EPOCH};

/// CLOCK_MONOTONIC as the engines' [`Instant`]. The origin is the kernel's own (about boot), so that
/// instants of all daemons on a host compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clock;

impl Clock {
    /// Now; never runs backwards, stands still while the host is suspended.
    pub fn now(self) -> Instant {
        // proof: CLOCK_MONOTONIC exists on every Linux and the structure is our own.
        let t = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).expect("a monotonic clock");
        let seconds = u64::try_from(t.tv_sec()).unwrap_or(0);
        let nanos = u64::try_from(t.tv_nsec()).unwrap_or(0);
        Instant::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// Seconds since 1970 by the wall clock, which may jump. 0 before 1970.
    pub fn wall_seconds(self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_advances() {
        let before = Clock.now();
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(Clock.now().since(before) >= std::time::Duration::from_millis(2));
        assert!(Clock.wall_seconds() > 1_600_000_000);
    }
}
