//! Configuration mode: lines in, a changed document out.

use crate::call::{Call, Meaning, Stop};
use crate::commands::{Level, foreign_reason, level};
use crate::document::Document;
use crate::mode::Mode;
use crate::outcome::{Done, LineError};
use crate::text::{mismatch_without_secrets, shown};
use routing_common::grammar::{Args, Candidate, MatchError};
use routing_common::prefix::Ipv4Network;
use std::collections::BTreeSet;

/// How many rounds kept lines get after each other; one may wait for one that waits.
const ROUNDS: usize = 3;

/// Are lines typed one after the other, or do they come from files that are read to their end first?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Each line takes effect at once.
    Typed,
    /// Lines about "all interfaces" are kept for the end.
    Collecting,
    /// The end: kept lines take effect now.
    Finishing,
}

/// A line that is kept aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Chosen by whoever feeds the lines.
    pub(crate) id: usize,
    pub(crate) mode: Mode,
    pub(crate) text: String,
    pub(crate) waits_for: String,
}

/// An operator's session in configuration mode, or a file being read.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) document: Document,
    pub(crate) mode: Mode,
    pub(crate) kept: Vec<Kept>,
    pub(crate) phase: Phase,
    /// Interfaces of which it was said that they are not passive: `passive-interface default` spares them.
    pub(crate) not_passive: BTreeSet<String>,
    /// Has a line made room for lines that wait?
    pub(crate) retry_due: bool,
    /// The prefixes static routes may lead to, once one was asked for: whoever adds thousands of them does not look
    /// through all of them for each. It may name some that were taken out since.
    pub(crate) prefixes: Option<BTreeSet<Ipv4Network>>,
    /// Was `router ospf` said?
    pub(crate) router_ospf: bool,
}

impl Session {
    /// Begins at the top, with the configuration as it is.
    pub fn new(document: Document) -> Self {
        let router_ospf = document.has(&["ospf"]);
        Self {
            document,
            mode: Mode::Config,
            kept: Vec::new(),
            phase: Phase::Typed,
            not_passive: BTreeSet::new(),
            retry_due: false,
            prefixes: None,
            router_ospf,
        }
    }

    /// The configuration as the lines have made it.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Goes on from another document, in the same block: somebody else has changed the configuration meanwhile.
    pub fn go_on_from(&mut self, document: Document) {
        self.router_ospf |= document.has(&["ospf"]);
        self.document = document;
    }

    /// Which block the next line belongs to.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// Goes to another block without a line, for several who take turns in one session.
    pub fn enter(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// The lines that were taken but have no place in the file yet, without their secrets, each with what it waits for. What still
    /// waits when the configuration is used is not part of it.
    pub fn waiting(&self) -> impl Iterator<Item = (String, &str)> {
        self.kept.iter().map(|k| (shown(&k.text), k.waits_for.as_str()))
    }

    /// Takes one line. Empty lines and comments (`!`, `#`) are nothing. A line that fails changes nothing, not
    /// even the mode.
    pub fn line(&mut self, text: &str) -> Result<Done, LineError> {
        let mut done = self.line_with_id(text, 0)?;
        if !core::mem::take(&mut self.retry_due) {
            return Ok(done);
        }
        for (kept, outcome) in self.retry() {
            done.notes.push(match outcome {
                Ok(_) => format!("now in force: {}", shown(&kept.text)),
                Err(e) => format!("{} was kept aside and cannot be taken: {e}", shown(&kept.text)),
            });
        }
        Ok(done)
    }

    /// What may stand next; see [`routing_common::grammar::CommandTable::candidates`].
    pub fn candidates(&self, words: &[&str], partial: &str) -> Result<(Vec<Candidate>, bool), MatchError> {
        level(self.mode.kind()).shown.candidates(words, partial)
    }

    /// Like [`Session::line`], without trying again what is kept.
    pub(crate) fn line_with_id(&mut self, text: &str, id: usize) -> Result<Done, LineError> {
        let raw = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if raw.is_empty() || raw.starts_with(['!', '#']) {
            return Ok(Done::default());
        }
        let words: Vec<&str> = raw.split_ascii_whitespace().collect();
        let (mode, meaning, args) = self.find(&words)?;
        self.carry_out(mode, meaning, &args, raw, id)
    }

    /// The command these words make in this mode or in one around it.
    fn find(&self, words: &[&str]) -> Result<(Mode, Meaning, Args), LineError> {
        let mut first_error = None;
        let mut mode = Some(self.mode.clone());
        while let Some(m) = mode {
            let Level { shown, hidden, .. } = level(m.kind());
            for table in [shown, hidden] {
                match table.parse(words) {
                    Ok((meaning, args)) => return Ok((m, meaning, args)),
                    Err(error) => keep_the_better(&mut first_error, error),
                }
            }
            mode = m.parent();
        }
        let mistake = || match first_error {
            Some(error) => LineError::Command(mismatch_without_secrets(error)),
            None => LineError::Refused("there are no commands here".into()),
        };
        Err(foreign_reason(&self.mode, words).unwrap_or_else(mistake))
    }

    fn carry_out(
        &mut self,
        mode: Mode,
        meaning: Meaning,
        args: &Args,
        raw: &str,
        id: usize,
    ) -> Result<Done, LineError> {
        let before = std::mem::replace(&mut self.mode, mode.clone());
        match meaning {
            Meaning::Exit => {
                let parent = before.parent();
                let leaves = parent.is_none();
                self.mode = parent.unwrap_or(Mode::Config);
                return Ok(Done { leaves, ..Done::default() });
            }
            Meaning::End => {
                self.mode = Mode::Config;
                return Ok(Done { leaves: true, ..Done::default() });
            }
            Meaning::Key(..) | Meaning::Call(_) => {}
        }
        let mut call = Call { session: self, mode: mode.clone(), args, raw, notes: Vec::new() };
        let outcome = match meaning {
            Meaning::Key(place, key, form) => call.key(place, key, form),
            Meaning::Call(work) => work(&mut call),
            Meaning::Exit | Meaning::End => Ok(()),
        };
        let notes = call.notes;
        match outcome {
            Ok(()) => Ok(Done { notes, ..Done::default() }),
            Err(Stop::Error(error)) => {
                self.mode = before;
                Err(error)
            }
            Err(Stop::Wait(waits_for)) => {
                self.kept.push(Kept { id, mode, text: raw.to_owned(), waits_for: waits_for.clone() });
                Ok(Done { notes, waits_for: Some(waits_for), leaves: false })
            }
        }
    }

    /// Tries the kept lines again and says what became of those that need not wait any longer.
    pub(crate) fn retry(&mut self) -> Vec<(Kept, Result<Done, LineError>)> {
        let mut settled = Vec::new();
        for _ in 0..ROUNDS {
            let before = settled.len();
            for kept in std::mem::take(&mut self.kept) {
                let mode = std::mem::replace(&mut self.mode, kept.mode.clone());
                let outcome = self.line_with_id(&kept.text, kept.id);
                self.mode = mode;
                if !matches!(&outcome, Ok(Done { waits_for: Some(_), .. })) {
                    settled.push((kept, outcome));
                }
            }
            if settled.len() == before {
                break;
            }
        }
        settled
    }

    /// Forgets the kept lines of `mode` that the line `no` takes back.
    pub(crate) fn forget(&mut self, mode: &Mode, no: &str) {
        let words: Vec<&str> = no.split_ascii_whitespace().skip(1).collect();
        // Either may be shortened.
        let same = |(a, b): (&str, &&str)| a.starts_with(b) || b.starts_with(a);
        let taken_back = |k: &Kept| {
            k.text.split_ascii_whitespace().count() >= words.len()
                && k.text.split_ascii_whitespace().zip(&words).all(same)
        };
        self.kept.retain(|k| &k.mode != mode || !taken_back(k));
    }
}

/// Which of two tables' errors to show: the one that understood more of the line; the first of equals.
fn keep_the_better(best: &mut Option<MatchError>, error: MatchError) {
    let understood = |e: &MatchError| match e {
        MatchError::Unknown { column, .. } => *column,
        MatchError::Ambiguous { .. } => usize::MAX - 1,
        MatchError::Incomplete { .. } => usize::MAX,
    };
    if best.as_ref().is_none_or(|b| understood(&error) > understood(b)) {
        *best = Some(error);
    }
}
