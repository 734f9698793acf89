//! Spans of time as operators expect to read them.

use std::time::Duration;

/// An uptime as vtysh prints it: `hh:mm:ss`, then `1d02h03m`, then `01w2d03h`.
pub fn clock_time(span: Duration) -> String {
    let s = span.as_secs();
    let (minutes, hours, days) = (s / 60 % 60, s / 3600 % 24, s / 86_400);
    match days {
        0 => format!("{:02}:{minutes:02}:{:02}", s / 3600, s % 60),
        1..7 => format!("{days}d{hours:02}h{minutes:02}m"),
        _ => format!("{:02}w{}d{hours:02}h", days / 7, days % 7),
    }
}

/// A short span with the unit that fits: `35.2s`, `1m05s`, `250ms`.
pub fn short_time(span: Duration) -> String {
    match span.as_millis() {
        0..1_000 => format!("{}ms", span.as_millis()),
        1_000..60_000 => format!("{}.{:03}s", span.as_secs(), span.subsec_millis()),
        60_000..3_600_000 => format!("{}m{:02}s", span.as_secs() / 60, span.as_secs() % 60),
        _ => clock_time(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_in_vtysh() {
        let t = |s| clock_time(Duration::from_secs(s));
        assert_eq!(t(3_723), "01:02:03");
        assert_eq!(t(86_400 + 2 * 3_600 + 180), "1d02h03m");
        assert_eq!(t(9 * 86_400 + 3 * 3_600), "01w2d03h");
        assert_eq!(short_time(Duration::from_millis(250)), "250ms");
        assert_eq!(short_time(Duration::from_millis(35_200)), "35.200s");
        assert_eq!(short_time(Duration::from_secs(65)), "1m05s");
    }
}
