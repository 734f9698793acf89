//! What stands behind `|`: keeping, dropping and counting lines of output.

use anyhow::{Result, bail};
use regex::Regex;

/// One stage of a pipe.
#[derive(Debug)]
pub(crate) enum Filter {
    /// Lines that match.
    Include(Regex),
    /// Lines that do not.
    Exclude(Regex),
    /// From the first line that matches.
    Begin(Regex),
    /// Only how many lines there are.
    Count,
}

impl Filter {
    /// Reads `include REGEX` and its siblings; every word may be shortened.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (verb, pattern) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let pattern = pattern.trim();
        let is = |whole: &str| !verb.is_empty() && whole.starts_with(verb);
        if is("count") {
            return Ok(Self::Count);
        }
        if !(is("include") || is("exclude") || is("begin")) {
            bail!("unknown filter {verb:?}: include, exclude, begin and count are known");
        }
        if pattern.is_empty() {
            bail!("{verb} needs a regular expression");
        }
        let regex = Regex::new(pattern)?;
        Ok(if is("include") {
            Self::Include(regex)
        } else if is("exclude") {
            Self::Exclude(regex)
        } else {
            Self::Begin(regex)
        })
    }

    /// Applies the stage.
    pub(crate) fn apply(&self, text: &str) -> String {
        let keep: Vec<&str> = match self {
            Self::Include(r) => text.lines().filter(|l| r.is_match(l)).collect(),
            Self::Exclude(r) => text.lines().filter(|l| !r.is_match(l)).collect(),
            Self::Begin(r) => text.lines().skip_while(|l| !r.is_match(l)).collect(),
            Self::Count => return format!("{}\n", text.lines().count()),
        };
        keep.iter().map(|l| format!("{l}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_keep_drop_begin_and_count() {
        let text = "one\ntwo\nthree\n";
        let run = |f: &str| Filter::parse(f).unwrap().apply(text);
        assert_eq!(run("include ^t"), "two\nthree\n");
        assert_eq!(run("ex o"), "three\n");
        assert_eq!(run("b two"), "two\nthree\n");
        assert_eq!(run("count"), "3\n");
        assert!(Filter::parse("include").is_err());
        assert!(Filter::parse("sort x").is_err());
        assert!(Filter::parse("include (").is_err());
    }
}
