//! Whole files of FRR (or Quagga) into one file of Torc, with a word on every line.
//!
//! All files are read to their end first, because lines of one file speak of what another says: interfaces have their
//! addresses in `zebra.conf` and their costs in `ospfd.conf`. What is a rule about all interfaces (`network`,
//! `passive-interface default`, `area A authentication`) is carried out at the end (`finish`).
//!
//! Every line but blank ones, comments and `exit` has a [`Finding`]. Keys and passwords are blanked out in it.

mod finish;
mod report;

pub use report::{Finding, Verdict};

use crate::commands::level;
use crate::document::Document;
use crate::mode::Mode;
use crate::outcome::LineError;
use crate::session::{Phase, Session};
use crate::text::shown;
use report::Note;
use routing_common::grammar::{Candidate, MatchError};

/// What became of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The file for Torc. It may need what the report names before it is valid.
    pub text: String,
    /// A word on every line, in the order of the files; what only shows at the end, such as two interfaces in one
    /// subnet, comes last and has no line.
    pub report: Vec<Finding>,
}

/// Reads files, each with its name for the report. The names do not matter otherwise: `frr.conf` and the daemons' own
/// files are read alike. Bytes that are no text are reported like any other mistake.
pub fn import(files: &[(&str, &[u8])]) -> Import {
    let mut reading = Reading::new();
    for (name, bytes) in files {
        reading.file(name, bytes);
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    reading.finish(&names)
}

/// More alternatives than this are not listed.
const MOST_LABELS: usize = 3;

/// A block of lines none of which has a counterpart, or whose head is a mistake.
struct Foreign {
    head: String,
    indent: usize,
    verdict: Verdict,
}

impl Foreign {
    fn claim(&self, note: &mut Note) {
        match self.verdict {
            Verdict::NoCounterpart { harmless } => {
                note.no_counterpart(format!("part of `{}`", self.head), harmless)
            }
            _ => note.mistake(format!("part of `{}`, which is a mistake", self.head)),
        }
    }
}

/// The files so far.
struct Reading {
    session: Session,
    findings: Vec<Note>,
    foreign: Option<Foreign>,
    /// The line before was a mistake: if this one stands deeper, that was the head of a block, and its lines must not
    /// end up in the block before it.
    suspect: Option<Foreign>,
}

impl Reading {
    fn new() -> Self {
        let mut session = Session::new(Document::default());
        session.phase = Phase::Collecting;
        Self { session, findings: Vec::new(), foreign: None, suspect: None }
    }

    fn file(&mut self, name: &str, bytes: &[u8]) {
        self.session.mode = Mode::Config;
        self.foreign = None;
        self.suspect = None;
        // Editors of another system begin files with a mark of their encoding.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        for (n, line) in bytes.split(|b| *b == b'\n').enumerate() {
            self.line(name, n + 1, line);
        }
    }

    fn line(&mut self, file: &str, number: usize, bytes: &[u8]) {
        let line = &*String::from_utf8_lossy(bytes);
        let text = line.trim_matches(|c: char| c.is_ascii_whitespace());
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if text.starts_with('!') && self.foreign.as_ref().is_some_and(|f| indent <= f.indent) {
            self.foreign = None;
        }
        if text.is_empty() || text.starts_with(['!', '#']) || self.leaves(text, indent) {
            return;
        }
        if let Some(suspect) = self.suspect.take().filter(|s| indent > s.indent) {
            self.foreign = Some(suspect);
        }
        let mut note = Note::new(file, number, text, self.session.mode.clone());
        if text.chars().any(|c| c.is_control() && c != '\t') {
            note.mistake("this is no text");
        } else if !self.part_of_foreign_block(indent, &mut note) {
            self.try_line(text, indent, &mut note);
            if core::str::from_utf8(bytes).is_err() {
                note.add("not UTF-8: some characters are replaced");
            }
        }
        self.findings.push(note);
    }

    /// The end of a block: `exit` and the like. True if there is nothing more to the line.
    fn leaves(&mut self, text: &str, indent: usize) -> bool {
        if !matches!(text, "exit" | "quit" | "end" | "exit-vrf") {
            return false;
        }
        match &self.foreign {
            Some(f) if indent > f.indent && text != "end" => return true,
            Some(_) if text != "end" => self.foreign = None,
            _ if text == "exit-vrf" => {}
            _ => {
                self.foreign = None;
                // `exit` and `end` are commands of every mode.
                let _ = self.session.line_with_id(text, 0);
            }
        }
        true
    }

    /// A line that stands deeper than the head of a foreign block belongs to it.
    fn part_of_foreign_block(&mut self, indent: usize, note: &mut Note) -> bool {
        match &self.foreign {
            Some(f) if indent > f.indent => {
                f.claim(note);
                true
            }
            _ => false,
        }
    }

    fn try_line(&mut self, text: &str, indent: usize, note: &mut Note) {
        let outcome = self.session.line_with_id(text, self.findings.len());
        let block = self.foreign.as_ref().filter(|f| f.verdict != Verdict::Mistake);
        if let (Err(LineError::Command(_)), Some(f)) = (&outcome, block) {
            // Files written by hand do not always indent.
            f.claim(note);
            return;
        }
        self.foreign = None;
        match outcome {
            Ok(done) => {
                note.mode = self.session.mode.clone();
                note.take(done.notes);
            }
            Err(LineError::NoCounterpart { reason, harmless, opens_block }) => {
                note.no_counterpart(reason, harmless);
                if opens_block {
                    let verdict = Verdict::NoCounterpart { harmless };
                    self.foreign = Some(Foreign { head: shown(text), indent, verdict });
                    if indent == 0 {
                        self.session.mode = Mode::Config;
                    }
                }
            }
            Err(LineError::Command(error)) => note.mistake(in_one_line(&self.session, &error)),
            Err(LineError::Refused(reason)) => note.mistake(reason),
        }
        if note.is_mistake() {
            self.suspect = Some(Foreign { head: shown(text), indent, verdict: Verdict::Mistake });
        }
    }
}

/// A mismatch without the line, which stands beside it, and with what was possible instead if that is little.
fn in_one_line(session: &Session, error: &MatchError) -> String {
    match error {
        MatchError::Unknown { line, column } => {
            let before: String = line.chars().take(*column).collect();
            let behind: String = line.chars().skip(*column).collect();
            let words: Vec<&str> = before.split_ascii_whitespace().collect();
            let word = shown(behind.split(' ').next().unwrap_or_default());
            let possible = possible(session, &words);
            let labels: Vec<&str> = possible.iter().map(|c| c.label.as_str()).collect();
            match labels.len() {
                1..=MOST_LABELS => format!("`{word}` cannot stand here, only {}", labels.join(", ")),
                _ => format!("`{word}` is not known here"),
            }
        }
        MatchError::Ambiguous { word, candidates } => format!("`{word}` could be {}", candidates.join(", ")),
        MatchError::Incomplete { .. } => "more words are needed".into(),
    }
}

/// What may follow these words in the session's mode, or in the nearest one around it that knows them.
fn possible(session: &Session, words: &[&str]) -> Vec<Candidate> {
    let mut mode = Some(session.mode.clone());
    while let Some(m) = mode {
        match level(m.kind()).shown.candidates(words, "") {
            Ok((candidates, _)) if !candidates.is_empty() => return candidates,
            _ => mode = m.parent(),
        }
    }
    Vec::new()
}
