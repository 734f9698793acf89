//! Points of time in Universal Time, which needs no table of time zones.

use core::fmt;

/// Days from March 1 of the year 0 to January 1, 1970: years begin in March here, so that the leap day is a year's last.
const EPOCH: u64 = 719_468;
/// Days of 400 years.
const ERA: u64 = 146_097;

/// A second of the proleptic Gregorian calendar, from 1970 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// 1970 and later.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// Hour, minute and second.
    pub time: (u64, u64, u64),
}

impl Date {
    /// The date of so many seconds since 1970.
    pub fn of(seconds: u64) -> Self {
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        let shifted = days + EPOCH;
        let (era, day) = (shifted / ERA, shifted % ERA);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let of_year = day - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = year + era * 400 + carry;
        Self { year, month, day, time: (rest / 3600, rest / 60 % 60, rest % 60) }
    }

    /// Seconds since 1970; `None` if the calendar has no such second, or it lies behind the year 9999.
    pub fn seconds(&self) -> Option<u64> {
        let (hour, minute, second) = self.time;
        let in_range = (1970..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !in_range {
            return None;
        }
        let (year, month) = match self.month {
            1 | 2 => (self.year - 1, self.month + 9),
            month => (self.year, month - 3),
        };
        let of_year = (153 * month + 2) / 5 + self.day - 1;
        let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year;
        let seconds = days.checked_sub(EPOCH)? * 86_400 + hour * 3600 + minute * 60 + second;
        // February 30 would be a day of March.
        (Self::of(seconds) == *self).then_some(seconds)
    }

    /// Reads `2026-11-27 06:30:00`, with `T` for the blank and `Z` at the end if you like (RFC 3339).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z').unwrap_or(text);
        let (date, time) = text.split_once(['T', ' '])?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let date = Self { year, month, day, time: Self::parse_time(time)? };
        date.seconds().map(|_| date)
    }

    /// Reads `06:30:00`.
    pub fn parse_time(text: &str) -> Option<(u64, u64, u64)> {
        let [hour, minute, second] = numbers(text, ':', [2, 2, 2])?;
        (hour < 24 && minute < 60 && second < 60).then_some((hour, minute, second))
    }
}

/// Three numbers of so many digits.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut all = [0; 3];
    for (slot, length) in all.iter_mut().zip(digits) {
        let part = parts.next().filter(|p| p.len() == length && p.bytes().all(|b| b.is_ascii_digit()))?;
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(all)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = self.time;
        write!(f, "{:04}-{:02}-{:02} {hour:02}:{minute:02}:{second:02}", self.year, self.month, self.day)
    }
}

/// Seconds since 1970 as `2026-11-27 06:30:00`.
pub fn utc(seconds: u64) -> String {
    Date::of(seconds).to_string()
}

/// The time of day of seconds since 1970, as `06:30:00`.
pub fn time_of_day(seconds: u64) -> String {
    let (hour, minute, second) = Date::of(seconds).time;
    format!("{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        assert_eq!(utc(0), "1970-01-01 00:00:00");
        assert_eq!(utc(951_782_399), "2000-02-28 23:59:59");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(utc(1_795_763_096), "2026-11-27 07:04:56");
        assert_eq!(utc(4_107_542_400), "2100-03-01 00:00:00");
    }

    #[test]
    fn dates_become_the_same_seconds() {
        let prime = 7_919 * 8_641;
        for seconds in (0..3700).map(|n| n * prime) {
            let date = Date::of(seconds);
            assert_eq!(date.seconds(), Some(seconds), "{date}");
            assert_eq!(Date::parse(&date.to_string()), Some(date));
        }
        let read = |text| Date::parse(text).and_then(|d| d.seconds());
        assert_eq!(read("2026-11-27T07:04:56Z"), Some(1_795_763_096));
        assert_eq!(read("9999-12-31 23:59:59"), Some(253_402_300_799));
    }

    #[test]
    fn what_no_calendar_has_is_refused() {
        for text in [
            "",
            "2026-11-27",
            "2026-02-29 00:00:00",
            "2100-02-29 00:00:00",
            "2026-04-31 00:00:00",
            "2026-13-01 00:00:00",
            "2026-00-01 00:00:00",
            "2026-01-00 00:00:00",
            "2026-01-01 24:00:00",
            "2026-01-01 00:60:00",
            "2026-01-01 00:00:60",
            "1969-12-31 23:59:59",
            "26-01-01 00:00:00",
            "2026-1-1 00:00:00",
            "2026-01-01 00:00:00+01:00",
            "2026-01-01 00:00",
            "2026-01-01-01 00:00:00",
            "\u{664}026-01-01 00:00:00",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        assert_eq!(Date::parse_time("23:59:59"), Some((23, 59, 59)));
        assert_eq!(Date::parse_time("24:00:00"), None);
    }
}
