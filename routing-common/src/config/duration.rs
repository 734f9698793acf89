//! Spans of time as the operator writes them: a number and a unit, never a bare number.

use std::time::Duration;

/// Units with their length in nanoseconds, longest first so that formatting takes the largest that fits.
const UNITS: [(&str, u64); 5] =
    [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)];

/// Reads "10s", "150ms", "1.5s", "1m", "2h" or "250us".
///
/// The error says what is wrong with the text. Longest accepted: 584 years (64 bits of nanoseconds).
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    if unit.is_empty() && !number.is_empty() {
        return Err(format!("\"{text}\" has no unit"));
    }
    let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("\"{text}\" is not a duration"));
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    exact(whole, fraction, *nanos)
        .map(Duration::from_nanos)
        .ok_or_else(|| format!("\"{text}\" is not a duration (or too long or too fine)"))
}

/// `whole.fraction` units of `nanos`; `None` if it is no number, overflows or is no whole nanosecond.
fn exact(whole: &str, fraction: &str, nanos: u64) -> Option<u64> {
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 12 {
        return None;
    }
    let scale = 10u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(nanos);
    if part % u128::from(scale) != 0 {
        return None;
    }
    let part = u64::try_from(part / u128::from(scale)).ok()?;
    whole.parse::<u64>().ok()?.checked_mul(nanos)?.checked_add(part)
}

/// Writes a duration in the largest unit that divides it, as [`parse_duration`] reads it; what is
/// finer than a microsecond is cut off.
pub fn format_duration(d: Duration) -> String {
    let nanos = u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
    if nanos == 0 {
        return "0s".into();
    }
    match UNITS.iter().find(|(_, unit)| nanos % unit == 0) {
        Some((name, unit)) => format!("{}{name}", nanos / unit),
        None => format!("{}us", nanos / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_need_a_unit_and_are_exact() {
        let ms = |n| Ok(Duration::from_millis(n));
        assert_eq!(parse_duration("10s"), ms(10_000));
        assert_eq!(parse_duration("150ms"), ms(150));
        assert_eq!(parse_duration("1m"), ms(60_000));
        assert_eq!(parse_duration("2h"), ms(7_200_000));
        assert_eq!(parse_duration("40.95s"), ms(40_950));
        assert_eq!(parse_duration("0s"), ms(0));
        assert_eq!(parse_duration("10"), Err("\"10\" has no unit".into()));
        for bad in
            ["", "s", "-1s", "1 s", "1.s", ".5s", "1.2.3s", "1d", "1S", "99999999999999h", "0.0001us", "1s1"]
        {
            assert!(parse_duration(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(micros in 0u64..u64::MAX / 1_000) {
            let d = Duration::from_micros(micros);
            prop_assert_eq!(parse_duration(&format_duration(d)), Ok(d));
        }

        #[test]
        fn any_text_is_survived(text in ".{0,24}") {
            let _ = parse_duration(&text);
        }
    }
}
