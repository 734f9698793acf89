//! Whole files of FRR (or Quagga) into one file of Torc, with a word on every line.
//!
//! All files are read to their end first, because lines of one file speak of what another says: interfaces have their
//! addresses in `zebra.conf` and their costs in `ospfd.conf`. What is a rule about all interfaces (`network`,
//! `passive-interface default`, `area A authentication`) is carried out at the end ([`finish`]).
//!
//! Every line but blank ones, comments and `exit` has a [`Finding`]. Keys and passwords are blanked out in it.

mod finish;
mod report;

pub use report::{Finding, Verdict};

use crate::document::Document;
use crate::mode::Mode;
use crate::outcome::LineError;
use crate::session::{Phase, Session};
use report::{Note, shown};
use routing_common::grammar::MatchError;

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

/// A block of lines none of which has a counterpart.
struct Foreign {
    head: String,
    indent: usize,
    harmless: bool,
}

/// The files so far.
struct Reading {
    session: Session,
    findings: Vec<Note>,
    foreign: Option<Foreign>,
}

impl Reading {
    fn new() -> Self {
        let mut session = Session::new(Document::default());
        session.phase = Phase::Collecting;
        Self { session, findings: Vec::new(), foreign: None }
    }

    fn file(&mut self, name: &str, bytes: &[u8]) {
        self.session.mode = Mode::Config;
        self.foreign = None;
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
                note.no_counterpart(format!("part of `{}`", f.head), f.harmless);
                true
            }
            _ => false,
        }
    }

    fn try_line(&mut self, text: &str, indent: usize, note: &mut Note) {
        let outcome = self.session.line_with_id(text, self.findings.len());
        if let (Err(LineError::Command(_)), Some(f)) = (&outcome, &self.foreign) {
            // Files written by hand do not always indent.
            note.no_counterpart(format!("part of `{}`", f.head), f.harmless);
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
                    self.foreign = Some(Foreign { head: shown(text), indent, harmless });
                    if indent == 0 {
                        self.session.mode = Mode::Config;
                    }
                }
            }
            Err(LineError::Command(error)) => note.mistake(in_one_line(&error)),
            Err(LineError::Refused(reason)) => note.mistake(reason),
        }
    }
}

/// A mismatch without the line, which stands beside it.
fn in_one_line(error: &MatchError) -> String {
    match error {
        MatchError::Unknown { line, column } => {
            let behind = line.chars().skip(*column).collect::<String>();
            let word = behind.split(' ').next().unwrap_or_default().to_owned();
            format!("`{}` is not known here", shown(&word))
        }
        MatchError::Ambiguous { word, candidates } => format!("`{word}` could be {}", candidates.join(", ")),
        MatchError::Incomplete { .. } => "more words are needed".into(),
    }
}
