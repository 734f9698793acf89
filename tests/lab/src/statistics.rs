//! What many turns of the same thing have in common.

/// Half the values are not above it, and so on; of at least one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of values.
    pub count: usize,
    /// The middle one, or the mean of the two middle ones.
    pub median: f64,
    /// 19 of 20 are not above it (nearest rank): with fewer than 20 values it is the greatest.
    pub p95: f64,
    /// The greatest.
    pub worst: f64,
}

impl Summary {
    /// Of some values; of none there is none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (count, half) = (values.len(), values.len() / 2);
        let worst = *values.last()?;
        let median =
            if count % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) };
        let p95 = values[(count * 19).div_ceil(20) - 1];
        Some(Self { count, median, p95, worst })
    }

    /// "**median** (p95, worst)".
    pub fn text(&self, digits: usize) -> String {
        format!("**{:.digits$}** ({:.digits$}, {:.digits$})", self.median, self.p95, self.worst)
    }
}

/// [`Summary::text`], or a dash where nothing was measured.
pub fn text(summary: Option<Summary>, digits: usize) -> String {
    summary.map_or_else(|| "–".to_owned(), |summary| summary.text(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_median_with_what_is_seldom_and_worst() {
        assert_eq!(text(Summary::of([3.0, 1.0, 2.0]), 0), "**2** (3, 3)");
        assert_eq!(text(Summary::of([4.0, 1.0, 2.0, 3.0]), 1), "**2.5** (4.0, 4.0)");
        assert_eq!(text(Summary::of((1..=20).map(f64::from)), 1), "**10.5** (19.0, 20.0)");
        assert_eq!(text(Summary::of((1..=40).rev().map(f64::from)), 1), "**20.5** (38.0, 40.0)");
        assert_eq!(text(Summary::of([]), 0), "–");
    }
}
