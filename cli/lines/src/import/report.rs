//! What is said of each line.

use crate::mode::Mode;
use crate::text::shown;
use core::fmt;
use routing_common::config::Diagnostic;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the file.
    Taken,
    /// Torc has nothing for it.
    NoCounterpart {
        /// Nothing is lost without it.
        harmless: bool,
    },
    /// It is no line of FRR, or the file cannot be used with it.
    Mistake,
}

/// One line's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The name of its file; empty for what only shows at the end.
    pub file: String,
    /// Its number, from 1; 0 for what only shows at the end.
    pub line: usize,
    /// The line without blanks around it, shortened if it is long, keys and passwords blanked out.
    pub text: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, what instead, or what to know about it; often empty for lines that were taken.
    pub reason: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.file, self.line)?;
        }
        f.write_str(match self.verdict {
            Verdict::Taken => "taken",
            Verdict::NoCounterpart { harmless: true } => "not needed",
            Verdict::NoCounterpart { harmless: false } => "no counterpart",
            Verdict::Mistake => "mistake",
        })?;
        for part in [&self.text, &self.reason] {
            if !part.is_empty() {
                write!(f, ": {part}")?;
            }
        }
        Ok(())
    }
}

/// A finding in the making.
pub(super) struct Note {
    finding: Finding,
    /// The line as it stands in the file.
    pub(super) raw: String,
    /// The mode it was read in, or opened.
    pub(super) mode: Mode,
}

impl Note {
    pub(super) fn new(file: &str, line: usize, raw: &str, mode: Mode) -> Self {
        let verdict = Verdict::Taken;
        let finding =
            Finding { file: file.to_owned(), line, text: shown(raw), verdict, reason: String::new() };
        Self { finding, raw: raw.to_owned(), mode }
    }

    /// What the loader says of the result.
    pub(super) fn at_the_end(d: &Diagnostic) -> Finding {
        let reason =
            format!("line {} of the result, {}: {} ({})", d.line, d.excerpt.trim(), d.message, d.hint);
        Finding { file: String::new(), line: 0, text: String::new(), verdict: Verdict::Mistake, reason }
    }

    pub(super) fn take(&mut self, notes: Vec<String>) {
        self.finding.verdict = Verdict::Taken;
        for note in notes {
            self.add(&note);
        }
    }

    pub(super) fn add(&mut self, note: &str) {
        if !self.finding.reason.is_empty() {
            self.finding.reason.push_str("; ");
        }
        self.finding.reason.push_str(note);
    }

    pub(super) fn mistake(&mut self, reason: impl Into<String>) {
        self.finding.verdict = Verdict::Mistake;
        self.finding.reason = reason.into();
    }

    pub(super) fn no_counterpart(&mut self, reason: impl Into<String>, harmless: bool) {
        self.finding.verdict = Verdict::NoCounterpart { harmless };
        self.finding.reason = reason.into();
    }

    pub(super) fn taken(&self) -> bool {
        self.finding.verdict == Verdict::Taken
    }

    pub(super) fn is_mistake(&self) -> bool {
        self.finding.verdict == Verdict::Mistake
    }

    pub(super) fn into_finding(self) -> Finding {
        self.finding
    }

    /// The words of the line, without a `no`.
    pub(super) fn words(&self) -> Vec<&str> {
        let words = self.raw.split_ascii_whitespace();
        words.skip_while(|w| *w == "no").collect()
    }

    /// Is it a line about OSPF on the interface of this name, or on any?
    pub(super) fn is_ospf_on(&self, interface: Option<&str>) -> bool {
        if self.mode == Mode::RouterOspf {
            let words = self.words();
            let passive = words.first().is_some_and(|w| w.starts_with("pass"));
            return passive && interface.is_some() && words.get(1).copied() == interface;
        }
        let Mode::Interface(name) = &self.mode else { return false };
        let words = self.words();
        let short = |at: usize, word: &str| words.get(at).is_some_and(|w| word.starts_with(w));
        interface.is_none_or(|i| i == name.as_str()) && short(0, "ip") && short(1, "ospf")
    }

    /// Does it hold this virtual router down?
    pub(super) fn shuts_down(&self, interface: &str, vrid: i64) -> bool {
        let word = self.words().get(2).copied().unwrap_or_default();
        let positive = !self.raw.starts_with("no ");
        positive && word.len() > 1 && "shutdown".starts_with(word) && self.is_group(interface, vrid)
    }

    /// Is it a line about this virtual router?
    pub(super) fn is_group(&self, interface: &str, vrid: i64) -> bool {
        let words = self.words();
        let same = words.get(1).and_then(|w| w.parse().ok()) == Some(vrid);
        let vrrp = words.first().is_some_and(|w| "vrrp".starts_with(w));
        matches!(&self.mode, Mode::Interface(name) if name.as_str() == interface) && vrrp && same
    }
}
