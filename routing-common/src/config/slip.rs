//! What the operator may have meant.

/// The candidate that `text` is most likely a slip of: at most a third of its letters differ.
pub(super) fn nearest<'c>(text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let near = candidates.map(|c| (edit_distance(text, c), c)).min()?;
    (near.0 <= near.1.len().div_ceil(3)).then_some(near.1)
}

/// Levenshtein distance; texts beyond 64 characters are cut, which is longer than any key.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let keys = ["hello-interval", "dead-interval", "cost", "area"];
        assert_eq!(nearest("hello-intervall", keys.into_iter()), Some("hello-interval"));
        assert_eq!(nearest("helo_interval", keys.into_iter()), Some("hello-interval"));
        assert_eq!(nearest("aera", keys.into_iter()), Some("area"));
        assert_eq!(nearest("bandwidth", keys.into_iter()), None);
        assert_eq!(nearest("", keys.into_iter()), None);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }
}
