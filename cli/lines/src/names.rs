//! Names for tables that the file names and lines do not.

/// Longest name the file takes.
const LONGEST: usize = 32;

/// Can a table be called so?
pub(crate) fn good_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(plain)
}

/// `wanted` with what a name cannot hold replaced, and a number behind it if it is taken.
pub(crate) fn free_name(wanted: &str, taken: &[String]) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let base: String = wanted.chars().map(plain).take(LONGEST).collect();
    let numbered = (2u32..).map(|n| {
        let end = format!("-{n}");
        let room: String = base.chars().take(LONGEST.saturating_sub(end.len())).collect();
        room + &end
    });
    // proof: there are more numbers than names.
    std::iter::once(base.clone()).chain(numbered).find(|n| !taken.contains(n)).unwrap_or(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_free_and_can_stand_in_the_file() {
        let taken = ["eth0-1".to_owned()];
        assert_eq!(free_name("eth0-1", &taken), "eth0-1-2");
        assert_eq!(free_name("br@x-1", &taken), "br_x-1");
        let long = "x".repeat(40);
        let first = free_name(&long, &[]);
        assert!(good_name(&first) && good_name(&free_name(&long, &[first])));
    }
}
