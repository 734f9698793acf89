//! What stands behind `|`: keeping, dropping and counting lines of output, and looking into JSON.

use anyhow::{Context as _, Result, bail};
use regex::Regex;
use serde_json::Value;

/// One stage of a pipe.
#[derive(Debug)]
pub(crate) enum Filter {
    /// Lines that match.
    Include(Regex),
    /// Lines that do not.
    Exclude(Regex),
    /// From the first line that matches.
    Begin(Regex),
    /// Blocks that begin with a line that matches: it and what is indented below it.
    Section(Regex),
    /// Only how many lines there are.
    Count,
    /// The part of a JSON output at this path, its members separated by `/` (prefixes hold dots) or by dots.
    Json(Vec<String>),
    /// As it is, and not through the pager.
    NoMore,
}

impl Filter {
    /// Reads `include REGEX` and its siblings; every word may be shortened.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (verb, pattern) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let pattern = pattern.trim();
        let is = |whole: &str| !verb.is_empty() && whole.starts_with(verb);
        const WITHOUT: [(&str, Filter); 2] = [("count", Filter::Count), ("no-more", Filter::NoMore)];
        if let Some((_, filter)) = WITHOUT.into_iter().find(|(whole, _)| is(whole)) {
            return Ok(filter);
        }
        if is("json") {
            let separator = if pattern.contains('/') { '/' } else { '.' };
            let path = pattern.split(separator).filter(|member| !member.is_empty());
            return Ok(Self::Json(path.map(str::to_owned).collect()));
        }
        type Make = fn(Regex) -> Filter;
        let with: [(&str, Make); 4] = [
            ("include", Self::Include),
            ("exclude", Self::Exclude),
            ("begin", Self::Begin),
            ("section", Self::Section),
        ];
        let Some((whole, make)) = with.into_iter().find(|(whole, _)| is(whole)) else {
            bail!(
                "unknown filter {verb:?}: include, exclude, begin, section, count, json and no-more are known"
            );
        };
        if pattern.is_empty() {
            bail!("{whole} needs a regular expression");
        }
        Ok(make(Regex::new(pattern)?))
    }

    /// Applies the stage.
    ///
    /// # Errors
    /// When what should be JSON is none, or has no such member.
    pub(crate) fn apply(&self, text: &str) -> Result<String> {
        let keep: Vec<&str> = match self {
            Self::Include(r) => text.lines().filter(|l| r.is_match(l)).collect(),
            Self::Exclude(r) => text.lines().filter(|l| !r.is_match(l)).collect(),
            Self::Begin(r) => text.lines().skip_while(|l| !r.is_match(l)).collect(),
            Self::Section(r) => sections(text, r),
            Self::Count => return Ok(format!("{}\n", text.lines().count())),
            Self::Json(path) => return member(text, path),
            Self::NoMore => return Ok(text.to_owned()),
        };
        Ok(keep.iter().map(|l| format!("{l}\n")).collect())
    }
}

fn sections<'a>(text: &'a str, head: &Regex) -> Vec<&'a str> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut inside = None;
    let mut keep = Vec::new();
    for line in text.lines() {
        if inside.is_some_and(|head| indent(line) <= head) {
            inside = None;
        }
        if inside.is_none() && head.is_match(line) {
            inside = Some(indent(line));
        }
        if inside.is_some() {
            keep.push(line);
        }
    }
    keep
}

fn member(text: &str, path: &[String]) -> Result<String> {
    let whole: Value =
        serde_json::from_str(text).context("`| json` looks into JSON: put `json` behind the command")?;
    let mut found = &whole;
    for name in path {
        let inner = match found {
            Value::Array(items) => name.parse::<usize>().ok().and_then(|n| items.get(n)),
            other => other.get(name),
        };
        found = inner.with_context(|| format!("there is no {name:?} in it"))?;
    }
    Ok(match found {
        Value::String(text) => format!("{text}\n"),
        other => serde_json::to_string_pretty(other)? + "\n",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(filter: &str, text: &str) -> String {
        Filter::parse(filter).unwrap().apply(text).unwrap()
    }

    #[test]
    fn filters_keep_drop_begin_and_count() {
        let text = "one\ntwo\nthree\n";
        assert_eq!(run("include ^t", text), "two\nthree\n");
        assert_eq!(run("ex o", text), "three\n");
        assert_eq!(run("b two", text), "two\nthree\n");
        assert_eq!(run("count", text), "3\n");
        assert_eq!(run("no-more", text), text);
        assert!(Filter::parse("include").is_err());
        assert!(Filter::parse("sort x").is_err());
        assert!(Filter::parse("include (").is_err());
    }

    #[test]
    fn a_section_ends_where_the_indentation_does() {
        let text = "a\nif eth0\n ip 1\n  x\nexit\nif eth1\nif eth2\n ip 2\n";
        assert_eq!(run("section eth[02]", text), "if eth0\n ip 1\n  x\nif eth2\n ip 2\n");
        assert_eq!(run("sec ip", text), " ip 1\n  x\n ip 2\n");
    }

    #[test]
    fn json_is_looked_into_by_member() {
        let text = r#"{"a": {"b": [1, "two"]}, "10.0.0.0/8": {"x": 1}}"#;
        assert_eq!(run("json a.b.1", text), "two\n");
        assert_eq!(run("json a/b/0", text), "1\n");
        assert!(Filter::parse("json a.c").unwrap().apply(text).is_err());
        let why = Filter::parse("json a").unwrap().apply("Neighbor ID\n").unwrap_err();
        assert!(format!("{why:#}").contains("behind the command"), "{why:#}");
    }
}
