//! What is wrong with a file, said so that the operator can mend it: place, excerpt, reason, hint.

use core::cell::RefCell;
use core::fmt;
use core::ops::Range;

/// More findings than this are counted, not printed.
const PRINTED: usize = 100;

/// Does a finding stop the file from being used?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is used; the operator should look.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One finding. Displayed in the manner of rustc, over several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The path given to [`super::load`].
    pub path: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The line itself, secrets blanked out.
    pub excerpt: String,
    /// How many characters of the excerpt, from the column on, are meant; at least 1.
    pub width: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
    /// Something is left out, not wrong: what is typed line by line passes through such states.
    pub incomplete: bool,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        // Tabs stay tabs in the padding, so that the caret stands below its character.
        let padding: String =
            self.excerpt.chars().take(self.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        writeln!(f, "{}: {}", self.severity, self.message)?;
        writeln!(f, "{gutter}--> {}:{}:{}", self.path, self.line, self.column)?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {}", self.excerpt)?;
        writeln!(f, "{gutter} | {padding}{}", "^".repeat(self.width))?;
        if !self.hint.is_empty() {
            writeln!(f, "{gutter} = help: {}", self.hint)?;
        }
        Ok(())
    }
}

/// All findings about one file, in file order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// The findings in file order.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// Number of findings.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there nothing to say?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Are all errors of the kind that further lines mend ([`Diagnostic::incomplete`])?
    pub fn is_incomplete(&self) -> bool {
        self.has_errors() && self.0.iter().all(|d| d.incomplete || d.severity == Severity::Warning)
    }

    /// Is at least one of them an error?
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, d) in self.0.iter().take(PRINTED).enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{d}")?;
        }
        if self.0.len() > PRINTED {
            writeln!(f, "\nand {} more", self.0.len() - PRINTED)?;
        }
        Ok(())
    }
}

impl core::error::Error for Diagnostics {}

/// Collects findings while a file is read.
pub(super) struct Sink<'a> {
    path: &'a str,
    text: &'a str,
    found: RefCell<Vec<Finding>>,
    secrets: RefCell<Vec<Range<usize>>>,
}

struct Finding {
    severity: Severity,
    span: Range<usize>,
    message: String,
    hint: String,
    incomplete: bool,
}

impl<'a> Sink<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Self {
        Self { path, text, found: RefCell::default(), secrets: RefCell::default() }
    }

    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Severity::Error, span, message.into(), hint.into());
    }

    /// An error because something is left out.
    pub(super) fn missing(&self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Severity::Error, span, message.into(), hint.into());
        if let Some(last) = self.found.borrow_mut().last_mut() {
            last.incomplete = true;
        }
    }

    pub(super) fn warning(&self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Severity::Warning, span, message.into(), hint.into());
    }

    fn push(&self, severity: Severity, span: Range<usize>, message: String, hint: String) {
        self.found.borrow_mut().push(Finding { severity, span, message, hint, incomplete: false });
    }

    /// These bytes of the file are blanked out in every excerpt: messages end up in logs.
    pub(super) fn hide(&self, span: Range<usize>) {
        self.secrets.borrow_mut().push(span);
    }

    /// Puts `hint` before the hint of the latest finding.
    pub(super) fn suggest(&self, hint: impl core::fmt::Display) {
        if let Some(last) = self.found.borrow_mut().last_mut() {
            last.hint = format!("{hint}; {}", last.hint);
        }
    }

    /// Number of errors so far.
    pub(super) fn errors(&self) -> usize {
        self.found.borrow().iter().filter(|f| f.severity == Severity::Error).count()
    }

    /// What must not be shown to everybody.
    fn all_secrets(&self) -> Vec<Range<usize>> {
        let mut secrets = self.secrets.borrow().clone();
        secrets.extend(likely_secrets(self.text));
        secrets
    }

    /// Sorts the findings into file order and gives each its line and excerpt.
    pub(super) fn finish(self) -> Diagnostics {
        let mut found = self.found.take();
        let secrets = self.all_secrets();
        found.sort_by_key(|f| (f.span.start, f.severity));
        let shown = Shown::new(self.path, self.text, &secrets);
        Diagnostics(found.into_iter().map(|f| shown.diagnostic(f)).collect())
    }

    /// The whole text, with a string of asterisks in the place of every secret.
    pub(super) fn masked(self) -> String {
        let mut secrets = self.all_secrets();
        secrets.sort_by_key(|span| span.start);
        let (mut shown, mut end) = (String::new(), 0);
        for span in secrets {
            if span.start >= end {
                shown.push_str(self.text.get(end..span.start).unwrap_or_default());
                shown.push_str("\"********\"");
            }
            end = end.max(span.end);
        }
        shown + self.text.get(end..).unwrap_or_default()
    }
}

/// Strings assigned to something like `key` on one line: those in tables that were never read, because
/// of a mistake further out, must not show either.
fn likely_secrets(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices("key").filter_map(move |(at, _)| {
        let name_end = at + text[at..].find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')?;
        if &text[at..name_end] == "key-chain" {
            return None; // A name.
        }
        let value = text[name_end..].trim_start_matches([' ', '\t', '"', '\'']).strip_prefix('=')?;
        let value = value.trim_start_matches([' ', '\t']);
        let quote = value.chars().next().filter(|c| *c == '"' || *c == '\'')?;
        let start = text.len() - value.len();
        let end = value[1..].find([quote, '\n']).map_or(text.len(), |n| start + 1 + n + 1);
        Some(start..end)
    })
}

/// The text as it may be shown.
struct Shown<'a> {
    path: &'a str,
    text: &'a str,
    secrets: &'a [Range<usize>],
    /// Byte offsets at which lines start; never empty.
    line_starts: Vec<usize>,
}

impl<'a> Shown<'a> {
    fn new(path: &'a str, text: &'a str, secrets: &'a [Range<usize>]) -> Self {
        let line_starts = core::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1));
        Self { path, text, secrets, line_starts: line_starts.collect() }
    }

    fn diagnostic(&self, finding: Finding) -> Diagnostic {
        let start = finding.span.start.min(self.text.len());
        let line = self.line_starts.partition_point(|s| *s <= start).max(1);
        let line_start = self.line_starts[line - 1];
        let line_end = self.text[line_start..].find('\n').map_or(self.text.len(), |n| line_start + n);
        let mut excerpt = String::new();
        let (mut before, mut width) = (0, 0);
        for (i, c) in self.text[line_start..line_end].char_indices() {
            let at = line_start + i;
            before += usize::from(at < start);
            width += usize::from(at >= start && at < finding.span.end);
            excerpt.push(self.shown(at, c));
        }
        Diagnostic {
            severity: finding.severity,
            path: self.path.to_owned(),
            line,
            column: before + 1,
            width: width.max(1),
            excerpt: excerpt.trim_end().to_owned(),
            message: finding.message,
            hint: finding.hint,
            incomplete: finding.incomplete,
        }
    }

    /// `c` as a terminal may see it: secrets as stars, control characters replaced.
    fn shown(&self, at: usize, c: char) -> char {
        match c {
            _ if self.secrets.iter().any(|s| s.contains(&at)) => '*',
            '\t' | '\r' => c,
            c if c.is_control() => '\u{fffd}',
            c => c,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_shows_place_excerpt_caret_and_hint_but_no_secret() {
        let text = "a = 1\r\n\tkey = \"geheim\" # ü\r\nlast";
        let sink = Sink::new("r.toml", text);
        let key = text.find("\"geheim\"").unwrap();
        sink.hide(key..key + 8);
        sink.warning(text.len()..text.len(), "the end", "");
        sink.error(key..key + 8, "too short", "take a longer one");
        let all = sink.finish();
        assert!(all.has_errors());
        assert_eq!(
            all.to_string(),
            "error: too short\n --> r.toml:2:8\n  |\n2 | \tkey = ******** # ü\n  | \t      ^^^^^^^^\n  = help: take a longer one\n\
             \nwarning: the end\n --> r.toml:3:5\n  |\n3 | last\n  |     ^\n"
        );
    }

    #[test]
    fn keys_that_were_never_read_are_hidden_too() {
        let hidden = |line: &str| {
            let sink = Sink::new("r.toml", line);
            sink.error(0..1, "x", "");
            sink.finish().iter().next().map(|d| d.excerpt.clone()).unwrap_or_default()
        };
        assert_eq!(
            hidden("k = [{ id = 1, key = \"ab\" }, { key='c' }]"),
            "k = [{ id = 1, key = **** }, { key=*** }]"
        );
        assert_eq!(hidden("keey = 1 # key"), "keey = 1 # key");
        assert_eq!(hidden("key = \"open"), "key = *****");
        assert_eq!(hidden("keys = [\"a\"]"), "keys = [\"a\"]");
    }

    #[test]
    fn spans_outside_the_text_are_tolerated() {
        let sink = Sink::new("r.toml", "");
        sink.error(7..99, "x", "");
        let all = sink.finish();
        assert_eq!((all.iter().next().map(|d| (d.line, d.column, d.width))), Some((1, 1, 1)));
    }
}
