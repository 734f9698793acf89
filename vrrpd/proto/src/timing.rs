//! Timers: Skew_Time, Active_Down_Interval and the cadence of advertisements (RFC 9568 §6.1, §6.2;
//! RFC 3768 §6.1), in nanoseconds. In whole hundredths of a second, as the RFC counts, the skew of a 10 ms
//! interval would be 0 and every Backup would fire at once.

use routing_common::config::VrrpVersion;
use routing_common::time::{Duration, Instant};

/// Skew_Time. Version 2: (256 - priority) / 256 seconds; version 3: that share of the interval.
pub fn skew_time(version: VrrpVersion, priority: u8, active_interval: Duration) -> Duration {
    let unit = match version {
        VrrpVersion::V2 => Duration::from_secs(1),
        VrrpVersion::V3 => active_interval,
    };
    unit * (256 - u32::from(priority)) / 256
}

/// Active_Down_Interval: three intervals of the Active router and the skew.
pub fn active_down_interval(version: VrrpVersion, priority: u8, active_interval: Duration) -> Duration {
    active_interval * 3 + skew_time(version, priority, active_interval)
}

/// The deadline after `previous`: one interval later, so that lateness never adds up; when deadlines were
/// missed, the first one after `now` on the same raster.
pub fn next_advertisement(previous: Instant, interval: Duration, now: Instant) -> Instant {
    let step = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1);
    let missed = u64::try_from(now.since(previous).as_nanos()).unwrap_or(u64::MAX) / step;
    previous + Duration::from_nanos(step.saturating_mul(missed.saturating_add(1)))
}

/// How long virtual addresses live in the kernel unless refreshed: a killed or frozen Active router loses
/// them by itself shortly after its Backup has taken over. Whole seconds, as the kernel counts.
pub fn address_lifetime(active_down_interval: Duration) -> Duration {
    let seconds = active_down_interval.as_nanos().div_ceil(1_000_000_000);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX).saturating_add(1).max(2))
}

/// How long a stopping Active router keeps its addresses for its successor at most: the longest possible
/// Skew_Time and a margin.
pub fn linger_time(version: VrrpVersion, interval: Duration) -> Duration {
    (skew_time(version, 0, interval) + Duration::from_millis(200)).min(Duration::from_millis(1500))
}

/// Version 2's Adver Int: 1 to 255.
pub fn whole_seconds(interval: Duration) -> u8 {
    u8::try_from(interval.as_secs().max(1)).unwrap_or(u8::MAX)
}

/// Version 3's Max Advertise Interval: 1 to 4095.
pub fn centiseconds(interval: Duration) -> u16 {
    // proof: clamped to 12 bits just before.
    (interval.as_millis() / 10).clamp(1, 4095) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use VrrpVersion::{V2, V3};

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn t1_skew_and_down_interval_by_version_priority_and_interval() {
        let rows = [
            (V3, 100, ms(1000), 609_375_000, 3_609_375_000),
            (V3, 1, ms(1000), 996_093_750, 3_996_093_750),
            (V3, 254, ms(1000), 7_812_500, 3_007_812_500),
            (V3, 255, ms(1000), 3_906_250, 3_003_906_250),
            (V3, 100, ms(10), 6_093_750, 36_093_750),
            (V3, 254, ms(10), 78_125, 30_078_125),
            (V3, 100, ms(100), 60_937_500, 360_937_500),
            (V3, 1, ms(40_950), 40_790_039_062, 163_640_039_062),
            (V2, 100, ms(1000), 609_375_000, 3_609_375_000),
            (V2, 100, ms(10_000), 609_375_000, 30_609_375_000),
            (V2, 255, ms(1000), 3_906_250, 3_003_906_250_u64),
        ];
        for (version, priority, interval, skew, down) in rows {
            assert_eq!(skew_time(version, priority, interval), Duration::from_nanos(skew));
            assert_eq!(active_down_interval(version, priority, interval), Duration::from_nanos(down));
        }
    }

    #[test]
    fn t4_the_cadence_keeps_its_raster_however_late_the_caller_is() {
        let start = Instant::from_millis(7);
        let mut deadline = start;
        for n in 1..=10_000u64 {
            let late = deadline + Duration::from_micros(n % 9_000);
            deadline = next_advertisement(deadline, ms(10), late);
            assert_eq!(deadline, start + ms(10 * n));
        }
        assert_eq!(next_advertisement(start, ms(10), start + ms(35)), start + ms(40));
        assert_eq!(next_advertisement(start, ms(10), start + ms(40)), start + ms(50));
    }

    #[test]
    fn lifetimes_are_whole_seconds_beyond_the_down_interval() {
        assert_eq!(address_lifetime(ms(36)), ms(2000));
        assert_eq!(address_lifetime(ms(3609)), ms(5000));
        assert_eq!(address_lifetime(ms(3000)), ms(4000));
        assert_eq!(linger_time(V3, ms(100)), ms(300));
        assert_eq!(linger_time(V3, ms(40_000)), ms(1500));
        assert_eq!(linger_time(V2, ms(10_000)), ms(1200));
    }

    #[test]
    fn wire_intervals_are_clamped() {
        assert_eq!((whole_seconds(ms(10)), whole_seconds(ms(999_000))), (1, 255));
        assert_eq!(
            (centiseconds(ms(1)), centiseconds(ms(40_950)), centiseconds(ms(99_000))),
            (1, 4095, 4095)
        );
    }
}
