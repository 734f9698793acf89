//! One change on its way into force: its stages, and what every daemon said to it.

use super::{Answered, Author, Keeper, NOBODY, Output, Ticket, Unconfirmed};
use crate::supervisor::Daemon;
use routing_common::control::configuration::{Commit, Committed, DaemonOutcome};
use routing_common::notice::Notice;
use routing_common::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Between attempts to write the running file where there is no way back.
const STORE_AGAIN: Duration = Duration::from_secs(1);

/// What a proposal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To bring it into force.
    Commit,
    /// Only to hear what the daemons say.
    Test,
    /// To bring back what was in force before a commit that nobody confirmed: no question, and no way back.
    TakenBack,
}

/// A text somebody wants in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What for.
    pub kind: Kind,
    /// Who.
    pub author: Author,
    /// The whole configuration.
    pub text: String,
    /// The revision it was made from.
    pub base: Option<u64>,
    /// For the history.
    pub comment: Option<String>,
    /// Take it back unless confirmed within this time.
    pub confirm_within: Option<Duration>,
}

impl Proposal {
    /// What an operator sent.
    pub fn from_commit(author: Author, commit: Commit) -> Self {
        let Commit { text, base, comment, confirm_within_sec, test } = commit;
        let confirm_within = confirm_within_sec.map(|s| Duration::from_secs(s.into()));
        let kind = if test { Kind::Test } else { Kind::Commit };
        Self { kind, author, text, base, comment, confirm_within }
    }

    pub(super) fn taken_back(text: String) -> Self {
        let author = Author { name: "nobody confirmed".to_owned(), connection: None };
        Self { kind: Kind::TakenBack, author, text, base: None, comment: None, confirm_within: None }
    }
}

/// What a daemon said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It can, or has.
    Yes,
    /// It cannot, and why; nothing has changed in it.
    Refused(String),
    /// It did not answer, and what happened instead.
    Silent(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Checking,
    Storing,
    Applying,
    Archiving,
    /// The former text goes back to the disk.
    Restoring,
    /// And into the daemons.
    Reapplying,
}

/// See the module text.
#[derive(Debug)]
pub(super) struct Flight {
    stage: Stage,
    ticket: Ticket,
    proposal: Proposal,
    wanted: BTreeSet<Daemon>,
    warnings: Vec<String>,
    /// `None` until it is known who was asked.
    awaited: Option<BTreeSet<Daemon>>,
    answers: BTreeMap<Daemon, Answer>,
    /// When the running file is written again.
    pub(super) retry_at: Option<Instant>,
}

impl Flight {
    pub(super) fn new(
        ticket: Ticket,
        proposal: Proposal,
        wanted: BTreeSet<Daemon>,
        warnings: Vec<String>,
    ) -> Self {
        Self {
            stage: Stage::Checking,
            ticket,
            proposal,
            wanted,
            warnings,
            awaited: None,
            answers: BTreeMap::new(),
            retry_at: None,
        }
    }

    /// A stage in which nobody was asked yet.
    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.awaited = None;
        self.answers.clear();
    }

    fn is_answered(&self) -> bool {
        self.awaited.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// What the daemons that refused said, each on lines of its own.
    fn refusals(&self) -> Vec<String> {
        let refused = |(daemon, answer): (&Daemon, &Answer)| match answer {
            Answer::Refused(why) => Some(format!("{} refuses:\n{why}", daemon.name())),
            Answer::Yes | Answer::Silent(_) => None,
        };
        self.answers.iter().filter_map(refused).collect()
    }

    /// Those that did not answer.
    fn silences(&self) -> Vec<String> {
        let silent = |(daemon, answer): (&Daemon, &Answer)| match answer {
            Answer::Silent(why) => Some(format!("{} does not answer: {why}", daemon.name())),
            Answer::Yes | Answer::Refused(_) => None,
        };
        self.answers.iter().filter_map(silent).collect()
    }
}

impl Keeper {
    pub(super) fn take_off(&mut self, now: Instant, flight: Flight) {
        let (kind, text, wanted) =
            (flight.proposal.kind, flight.proposal.text.clone(), flight.wanted.clone());
        self.flight = Some(flight);
        if kind == Kind::TakenBack {
            self.store(now);
        } else {
            self.outputs.push_back(Output::Check { name: self.name.clone(), text, wanted });
        }
    }

    pub(super) fn asked(&mut self, now: Instant, daemons: BTreeSet<Daemon>) {
        let Some(flight) = &mut self.flight else { return };
        flight.awaited = Some(daemons);
        self.when_answered(now);
    }

    pub(super) fn answered(&mut self, now: Instant, daemon: Daemon, answer: Answer) {
        let Some(flight) = &mut self.flight else { return };
        // An answer to what was asked in an earlier stage, or by an earlier flight, means nothing now.
        if flight.awaited.as_mut().is_some_and(|awaited| awaited.remove(&daemon)) {
            flight.answers.insert(daemon, answer);
            self.when_answered(now);
        }
    }

    fn when_answered(&mut self, now: Instant) {
        let Some(flight) = self.flight.as_ref().filter(|f| f.is_answered()) else { return };
        match flight.stage {
            Stage::Checking => self.checked(now),
            Stage::Applying => self.applied(),
            Stage::Reapplying => self.flight = None,
            Stage::Storing | Stage::Archiving | Stage::Restoring => {}
        }
    }

    fn checked(&mut self, now: Instant) {
        let Some(flight) = &self.flight else { return };
        let faults: Vec<String> = flight.refusals().into_iter().chain(flight.silences()).collect();
        if !faults.is_empty() {
            let ticket = flight.ticket;
            self.flight = None;
            return self.reply(ticket, Err(faults.join("\n")));
        }
        if flight.proposal.kind == Kind::Test {
            return self.land(true, "checked");
        }
        self.store(now);
    }

    /// Writes the text that is to be in force.
    fn store(&mut self, now: Instant) {
        let Some(flight) = &mut self.flight else { return };
        flight.enter(Stage::Storing);
        let nanos = |d: Duration| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        self.unconfirmed = flight.proposal.confirm_within.map(|within| Unconfirmed {
            deadline_ns: now.as_nanos().saturating_add(nanos(within)),
            text: self.text.clone(),
        });
        self.write();
    }

    /// Writes the text this stage is about.
    fn write(&mut self) {
        let Some(flight) = &self.flight else { return };
        let text = if flight.stage == Stage::Restoring { &self.text } else { &flight.proposal.text };
        self.outputs.push_back(Output::Store { text: text.clone(), unconfirmed: self.unconfirmed.clone() });
    }

    pub(super) fn stored(&mut self, now: Instant, outcome: Result<(), String>) {
        let Some(flight) = &mut self.flight else { return };
        let no_way_back = flight.stage == Stage::Restoring || flight.proposal.kind == Kind::TakenBack;
        match outcome {
            Ok(()) => {
                let (stage, wanted) = match flight.stage {
                    Stage::Restoring => (Stage::Reapplying, &self.wanted),
                    _ => (Stage::Applying, &flight.wanted),
                };
                flight.stage = stage;
                self.outputs.push_back(Output::Apply(wanted.clone()));
            }
            Err(why) if no_way_back => {
                flight.retry_at = Some(now + STORE_AGAIN);
                let text = format!("the running configuration cannot be written: {why}; trying again");
                self.notice(Notice::error("running-file", text));
            }
            Err(why) => {
                let ticket = flight.ticket;
                self.flight = None;
                self.unconfirmed = None;
                self.outputs.push_back(Output::Settle);
                self.reply(ticket, Err(format!("the running configuration cannot be written: {why}")));
            }
        }
    }

    /// Writes once more what could not be written.
    pub(super) fn store_again(&mut self, now: Instant) {
        let Some(flight) = &mut self.flight else { return };
        if flight.retry_at.take_if(|at| *at <= now).is_some() {
            self.write();
        }
    }

    fn applied(&mut self) {
        let Some(flight) = &mut self.flight else { return };
        let refusals = flight.refusals();
        if refusals.is_empty() || flight.proposal.kind == Kind::TakenBack {
            let (text, author) = (flight.proposal.text.clone(), flight.proposal.author.name.clone());
            let comment = flight.proposal.comment.clone();
            flight.stage = Stage::Archiving;
            flight.warnings.extend(flight.silences());
            flight.warnings.extend(refusals);
            self.revision += 1;
            self.outputs.push_back(Output::Archive { revision: self.revision, text, author, comment });
            return;
        }
        let ticket = std::mem::replace(&mut flight.ticket, NOBODY);
        flight.enter(Stage::Restoring);
        self.unconfirmed = None;
        self.write();
        self.reply(ticket, Err(format!("{}\nthe former configuration is put back", refusals.join("\n"))));
    }

    pub(super) fn archived(&mut self, outcome: Result<(), String>) {
        let Some(flight) = self.flight.as_mut().filter(|f| f.stage == Stage::Archiving) else { return };
        if let Err(why) = outcome {
            flight.warnings.push(format!("warning: in force, but not in the archive: {why}"));
        }
        let author = flight.proposal.author.name.clone();
        let comment = flight.proposal.comment.as_ref().map(|c| format!(": {c}")).unwrap_or_default();
        let text = format!("revision {} is in force, by {author}{comment}", self.revision);
        self.notice(Notice::info("committed", text));
        self.land(false, "applied");
    }

    /// The end of a flight that went well.
    fn land(&mut self, was_test: bool, verb: &str) {
        let Some(flight) = self.flight.take() else { return };
        let outcome = |daemon: Daemon| {
            let outcome = match (self.wanted.contains(&daemon), flight.wanted.contains(&daemon)) {
                (false, false) => return None,
                (false, true) => if was_test { "would start" } else { "started" }.to_owned(),
                (true, false) => if was_test { "would stop" } else { "stopped" }.to_owned(),
                (true, true) => match flight.answers.get(&daemon) {
                    Some(Answer::Yes) => verb.to_owned(),
                    Some(Answer::Refused(_) | Answer::Silent(_)) => "see above".to_owned(),
                    None => "not running; it will start with this configuration".to_owned(),
                },
            };
            Some(DaemonOutcome { daemon: daemon.name().to_owned(), outcome })
        };
        let daemons = Daemon::ALL.into_iter().filter_map(outcome).collect();
        if !was_test {
            (self.text, self.wanted) = (flight.proposal.text, flight.wanted);
        }
        let done = Committed { revision: self.revision, changed: true, daemons, warnings: flight.warnings };
        self.reply(flight.ticket, Ok(Answered::Committed(done)));
    }
}
