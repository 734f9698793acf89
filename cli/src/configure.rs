//! Configuration mode: lines become a candidate, candidates become commits.
//!
//! Two styles. *As typed* (`configure terminal`): after each line the candidate is committed, so a line takes effect or is
//! refused; one that leaves the configuration incomplete (`router ospf` before its router id) waits for those that complete it.
//! *Candidate* (`configure`): lines only change the candidate, others are locked out, `commit` brings it into force.
//! Several lines at once (a paste, a file) are one transaction in either style.
//!
//! Invariant: what is committed is always a whole candidate made from the revision that was in force; a commit that is
//! refused leaves the candidate of before the line.

use crate::commands::configuration::{Style, confirm_within};
use crate::management::{Management, difference, understood};
use anyhow::{Result, bail};
use config_lines::{Document, LineError, Mode, Secrets, Session, render, without_secrets};
use routing_common::config::{format_duration, load};
use routing_common::control::configuration::{Commit, Request, Source, committed_text};
use routing_common::grammar::{Args, Candidate, Command, CommandTable, MatchError};
use std::path::Path;
use std::time::Duration;

/// What a line of configuration mode's own stands for.
#[derive(Clone, Copy)]
pub(crate) enum Own {
    Commit,
    Compare,
    Discard,
    Rollback,
    Exit,
    End,
}

/// Configuration mode.
pub(crate) struct Configuring {
    style: Style,
    session: Session,
    /// What is in force, as far as this session knows.
    base: String,
    revision: Option<u64>,
    file: String,
    management: Management,
}

/// What became of a line.
#[derive(Debug, Default)]
pub(crate) struct Reaction {
    /// To be printed.
    pub(crate) text: String,
    /// Configuration mode is over.
    pub(crate) leaves: bool,
}

/// Lines that are not part of any configuration.
pub(crate) fn own_table() -> CommandTable<Own> {
    let row = |syntax, help, meaning| Command { syntax, help, meaning };
    let rows = [
        row(
            "commit [confirmed <(1-1440)$minutes|DURATION$within>] [comment LINE$comment]",
            &[
                "Bring the candidate into force",
                "And take it back unless confirmed within",
                "Minutes",
                "Or another time, such as 90s",
                "Why",
                "For the history",
            ] as &'static [&'static str],
            Own::Commit,
        ),
        row("compare", &["What the candidate changes"], Own::Compare),
        row("discard", &["Begin anew from what is in force"], Own::Discard),
        row(
            "rollback (0-99)$back",
            &["Take a former configuration as the candidate", "So many revisions back"],
            Own::Rollback,
        ),
        row("exit discard", &["Leave", "And forget the candidate"], Own::Exit),
        row("end", &["Leave configuration mode"], Own::End),
    ];
    // proof: a test compiles the same table.
    CommandTable::new(&rows).expect("the table of configuration mode compiles")
}

impl Configuring {
    /// Enters: from what is in force, and for a candidate with the lock.
    pub(crate) fn enter(run_dir: &Path, style: Style) -> Result<Self> {
        let mut management = Management::open(run_dir)?;
        if style == Style::Candidate {
            management.ask(&Request::Lock)?;
        }
        let text = management.text(Source::Running)?;
        let session = Session::new(Document::parse(&text.text)?);
        let (base, revision, file) = (text.text, text.revision, text.file);
        Ok(Self { style, session, base, revision, file, management })
    }

    /// Takes a line of a file that is committed as a whole, in and to the `mode` of whoever brings it. It is refused if it makes the
    /// candidate wrong; what is missing may come.
    pub(crate) fn line_of_file(&mut self, mode: &mut Mode, line: &str) -> Result<String> {
        let before = self.session.clone();
        self.session.enter(mode.clone());
        let done = match self.session.line(line) {
            Err(LineError::NoCounterpart { reason, harmless: true, .. }) => {
                return Ok(format!("not needed: {reason}\n"));
            }
            outcome => outcome?,
        };
        let candidate = self.candidate();
        if candidate != before.document().text()
            && let Err(found) = load(&self.file, &candidate)
            && !found.is_incomplete()
        {
            self.session = before;
            bail!("{}", found.to_string().trim_end());
        }
        *mode = self.session.mode().clone();
        Ok(done.notes.iter().map(|note| format!("{note}\n")).collect())
    }

    /// The end of such a file.
    pub(crate) fn commit_file(mut self) -> Result<String> {
        if !self.is_changed() {
            return Ok(String::new());
        }
        self.commit(self.candidate(), Some("a file, read by vtysh".to_owned()), None)
    }

    /// What stands in the prompt behind the router's name.
    pub(crate) fn prompt(&self) -> &'static str {
        self.session.mode().prompt()
    }

    fn candidate(&self) -> String {
        self.session.document().text()
    }

    /// Is the candidate something else than what is in force?
    pub(crate) fn is_changed(&self) -> bool {
        self.candidate() != self.base || self.session.waiting().next().is_some()
    }

    /// What may stand next.
    pub(crate) fn candidates(
        &self,
        words: &[&str],
        partial: &str,
    ) -> Result<(Vec<Candidate>, bool), MatchError> {
        self.session.candidates(words, partial)
    }

    /// Takes one line of configuration and lets it take effect if that is the style.
    pub(crate) fn line(&mut self, line: &str) -> Result<Reaction> {
        if self.style == Style::AsTyped && !self.is_changed() {
            self.catch_up()?;
        }
        let before = self.session.clone();
        let done = self.session.line(line)?;
        if done.leaves {
            return self.leave();
        }
        let mut text: String = done.notes.iter().map(|note| format!("{note}\n")).collect();
        if let Some(waits_for) = done.waits_for {
            text.push_str(&format!("% Waits for: {waits_for}\n"));
        }
        let candidate = self.candidate();
        if self.style == Style::AsTyped && candidate != self.base {
            text.push_str(&self.take_effect(candidate).inspect_err(|_| self.session = before)?);
        }
        Ok(Reaction { text, leaves: false })
    }

    /// Takes several lines as one transaction: every mistake is told, and then none of them was taken.
    pub(crate) fn lines(&mut self, lines: &[&str]) -> Result<Reaction> {
        let before = self.session.clone();
        let (mut notes, mut mistakes, mut leaves) = (String::new(), Vec::new(), false);
        for (n, line) in lines.iter().enumerate() {
            match self.session.line(line) {
                Ok(done) => {
                    leaves |= done.leaves;
                    done.notes.iter().for_each(|note| notes.push_str(&format!("line {}: {note}\n", n + 1)));
                }
                Err(LineError::NoCounterpart { reason, harmless: true, .. }) => {
                    notes.push_str(&format!("line {}: not needed: {reason}\n", n + 1));
                }
                Err(error) => {
                    // What is told may end in a log.
                    mistakes.push(format!("line {}: {}\n{error}", n + 1, without_secrets(line.trim())));
                }
            }
        }
        if !mistakes.is_empty() {
            self.session = before;
            bail!("{}\n% None of the {} lines was taken", mistakes.join("\n"), lines.len());
        }
        let candidate = self.candidate();
        if self.style == Style::AsTyped && candidate != self.base {
            match self.take_effect(candidate) {
                Ok(text) => notes.push_str(&text),
                Err(error) => {
                    self.session = before;
                    bail!("{error:#}\n% None of the {} lines was taken", lines.len());
                }
            }
        }
        if leaves {
            self.may_leave()?;
        }
        Ok(Reaction { text: notes, leaves })
    }

    /// Asks whether the candidate could come into force, and changes nothing.
    pub(crate) fn test(&mut self) -> Result<String> {
        let proposed = self.commit_of(self.candidate(), None, None, true);
        Ok(committed_text(&self.management.commit(proposed)?))
    }

    /// One of configuration mode's own lines.
    pub(crate) fn own(&mut self, own: Own, args: &Args) -> Result<Reaction> {
        let text = match own {
            Own::Commit => {
                let comment = args.get("comment").map(str::to_owned);
                self.commit(self.candidate(), comment, confirm_within(args))?
            }
            Own::Compare => self.compare()?,
            Own::Discard => {
                self.session = Session::new(self.running()?);
                String::new()
            }
            Own::Rollback => {
                let back = args.get("back").and_then(|n| n.parse().ok()).unwrap_or_default();
                let text = self.management.text(Source::Back(back))?;
                let former = Session::new(Document::parse(&text.text)?);
                let before = std::mem::replace(&mut self.session, former);
                match self.style {
                    Style::AsTyped => self.take_effect(text.text).inspect_err(|_| self.session = before)?,
                    Style::Candidate => self.compare()?,
                }
            }
            Own::Exit => return Ok(Reaction { text: String::new(), leaves: true }),
            Own::End => return self.leave(),
        };
        Ok(Reaction { text, leaves: false })
    }

    fn leave(&self) -> Result<Reaction> {
        self.may_leave()?;
        Ok(Reaction { text: String::new(), leaves: true })
    }

    /// Is everything in force? If not, the reason.
    pub(crate) fn may_leave(&self) -> Result<()> {
        if !self.is_changed() {
            return Ok(());
        }
        if self.style == Style::Candidate {
            bail!("% The candidate differs from what is in force: `commit` it, or leave with `exit discard`");
        }
        let never = self.session.waiting().map(|(line, _)| line);
        let why = match load(&self.file, &self.candidate()) {
            Err(found) => found.iter().map(|d| d.message.clone()).collect::<Vec<_>>().join("; "),
            Ok(_) => format!("no place was found for: {}", never.collect::<Vec<_>>().join("; ")),
        };
        bail!("% Not all lines are in force: {why}\n% Complete them, or leave with `exit discard`");
    }

    fn commit_of(
        &self,
        text: String,
        comment: Option<String>,
        confirm_within_sec: Option<u32>,
        test: bool,
    ) -> Commit {
        Commit { text, base: self.revision, comment, confirm_within_sec, test }
    }

    /// After a typed line: in force, or waiting for what completes it. What it lacks is only looked for in what was refused: a large text
    /// takes long to understand, and the supervisor has to anyhow.
    fn take_effect(&mut self, candidate: String) -> Result<String> {
        let refused = match self.commit(candidate.clone(), None, None) {
            Err(refused) => refused,
            done => return done,
        };
        let Err(found) = load(&self.file, &candidate) else { return Err(refused) };
        let first = found.iter().find(|d| !d.hint.is_empty() || d.incomplete);
        if found.is_incomplete() {
            let why = first.map(|d| format!("{} ({})", d.message, d.hint)).unwrap_or_default();
            return Ok(format!("% Not in force yet: {why}\n"));
        }
        bail!("{}", found.to_string().trim_end());
    }

    fn commit(
        &mut self,
        candidate: String,
        comment: Option<String>,
        confirm_within_sec: Option<u32>,
    ) -> Result<String> {
        let waiting: Vec<String> =
            self.session.waiting().map(|(line, why)| format!("% {line}: waits for {why}\n")).collect();
        if self.style == Style::Candidate && !waiting.is_empty() {
            bail!("{}% These lines have no place in the configuration yet", waiting.concat());
        }
        let proposed = self.commit_of(candidate.clone(), comment, confirm_within_sec, false);
        let done = self.management.commit(proposed)?;
        self.base = candidate;
        self.revision = Some(done.revision);
        let mut text = committed_text(&done);
        if let Some(seconds) = confirm_within_sec {
            let within = format_duration(Duration::from_secs(seconds.into()));
            text.push_str(&format!("`confirm` within {within}, or it is taken back.\n"));
        }
        Ok(text)
    }

    fn compare(&self) -> Result<String> {
        let candidate = self.candidate();
        let old = render(&understood(&self.file, &self.base)?, Secrets::Masked);
        let new = render(&understood(&self.file, &candidate)?, Secrets::Masked);
        match difference(&old, &new) {
            same if same.is_empty() && candidate != self.base => {
                Ok("Only keys, comments or the order of the file differ.\n".to_owned())
            }
            difference => Ok(difference),
        }
    }

    /// Somebody else may have committed since the last line.
    fn catch_up(&mut self) -> Result<()> {
        if Some(self.management.revision()?) != self.revision {
            let running = self.running()?;
            self.session.go_on_from(running);
        }
        Ok(())
    }

    /// What is in force now, which is what changes are made from.
    fn running(&mut self) -> Result<Document> {
        let text = self.management.text(Source::Running)?;
        let document = Document::parse(&text.text)?;
        (self.base, self.revision) = (text.text, text.revision);
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_lines_compile_and_may_be_shortened() {
        let table = own_table();
        let (own, args) = table.parse(&["commi", "conf", "5", "comment", "why", "not"]).unwrap();
        assert!(matches!(own, Own::Commit));
        assert_eq!((args.get("minutes"), args.get("comment")), (Some("5"), Some("why not")));
        assert_eq!(confirm_within(&args), Some(300));
        let (_, args) = table.parse(&["commit", "confirmed", "90s"]).unwrap();
        assert_eq!(confirm_within(&args), Some(90));
        assert!(table.parse(&["commit", "confirmed", "0"]).is_err());
        assert!(matches!(table.parse(&["ex", "disc"]).unwrap().0, Own::Exit));
    }
}
