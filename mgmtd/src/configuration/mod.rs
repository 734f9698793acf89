//! Who may change the running configuration, and how a change gets into every daemon or into none: a pure machine.
//!
//! A change is one *flight* at a time; others wait in order. Its stages:
//!
//! 1. *Checking*: this program validates the text, then every daemon that runs is asked whether it could live with it.
//!    One refusal, or one that runs and does not answer, ends the flight; nothing has changed.
//! 2. *Storing*: the text becomes the running file, which every daemon is started with. From here on a daemon that is down takes
//!    the new text when it returns, and a supervisor that dies leaves a router that its successor brings to the new text.
//! 3. *Applying*: the daemons are told to read the file and answer for it. A refusal (another release, a fault) brings the
//!    former text back, into the file and into every daemon. One that does not answer is named; it reads the file
//!    whenever it gets to the order, or is started with it.
//!
//! Laws, held by the tests with disks that fail and processes that die at any point:
//!
//! * When nothing is under way every daemon that runs has the text of the running file, and that is the text of some
//!   commit that was accepted, or of the start.
//! * A commit that was refused leaves the text as it was.
//! * A `commit confirmed` that nobody confirms is taken back at its deadline, also by a successor of this process.
//!
//! Deadlines are on the clock that counts from boot, so they mean the same to a successor.

mod flight;
pub mod store;
#[cfg(test)]
mod tests;

pub use flight::{Answer, Kind, Proposal};

use crate::supervisor::{Daemon, wanted};
use flight::Flight;
use routing_common::config::{Config, format_duration};
use routing_common::control::configuration::{Committed, State};
use routing_common::machine::Machine;
use routing_common::notice::Notice;
use routing_common::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// Who asks: an operator's connection, or the supervisor itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// As the history names him: "alice (uid 1000)".
    pub name: String,
    /// His connection; the lock is bound to it. `None`: nobody's, such as a signal.
    pub connection: Option<u64>,
}

/// Where an answer goes; chosen by the shell.
pub type Ticket = u64;

/// What is taken back unless confirmed. It is kept on the disk while it waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unconfirmed {
    /// When, in nanoseconds since boot.
    pub deadline_ns: u64,
    /// What was in force before.
    pub text: String,
}

/// What the world tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Somebody wants this text in force.
    Propose(Ticket, Proposal),
    /// These daemons run and were asked as the last output wanted.
    Asked(BTreeSet<Daemon>),
    /// One of them answered, or never will.
    Answered(Daemon, Answer),
    /// The running file was written, or not and why.
    Stored(Result<(), String>),
    /// The revision was put into the archive, or not and why.
    Archived(Result<(), String>),
    /// Keep what waits for it.
    Confirm(Ticket, Author),
    /// Keep others from committing.
    Lock(Ticket, Author),
    /// Give the lock back.
    Unlock(Ticket, Author),
    /// A connection has ended.
    Gone(u64),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask every daemon that runs to check the text; say whom with [`Input::Asked`].
    Check {
        /// How findings name the text.
        name: String,
        /// The text.
        text: String,
        /// What it has work for.
        wanted: BTreeSet<Daemon>,
    },
    /// Write what is to be taken back, if anything is, then the running file; without anything to take back, forget after it
    /// what was kept. Answered by [`Input::Stored`].
    Store {
        /// The text.
        text: String,
        /// Kept until it is settled.
        unconfirmed: Option<Unconfirmed>,
    },
    /// Start, stop and tell daemons so that these run with the running file; say whom was told with [`Input::Asked`].
    Apply(BTreeSet<Daemon>),
    /// Put the text into the archive. Answered by [`Input::Archived`].
    Archive {
        /// The revision's number.
        revision: u64,
        /// The text.
        text: String,
        /// Who brought it.
        author: String,
        /// As given.
        comment: Option<String>,
    },
    /// Nothing waits for a confirmation any more: forget what was kept.
    Settle,
    /// Answer an operator.
    Reply(Ticket, Reply),
    /// For the log.
    Notice(Notice),
}

/// An answer, or a refusal for the operator to read.
pub type Reply = Result<Answered, String>;

/// What an operator is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// To a proposal.
    Committed(Committed),
    /// To everything else.
    State(State),
}

/// The machine. See the module text.
#[derive(Debug)]
pub struct Keeper {
    /// How findings name a text: the startup file's path.
    name: String,
    text: String,
    /// What the text has work for.
    wanted: BTreeSet<Daemon>,
    revision: u64,
    flight: Option<Flight>,
    waiting: VecDeque<(Ticket, Proposal)>,
    unconfirmed: Option<Unconfirmed>,
    /// The connection that holds the lock and who is there.
    lock: Option<(u64, String)>,
    outputs: VecDeque<Output>,
}

impl Machine for Keeper {
    type Input<'a> = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Propose(ticket, proposal) => self.waiting.push_back((ticket, proposal)),
            Input::Asked(daemons) => self.asked(now, daemons),
            Input::Answered(daemon, answer) => self.answered(now, daemon, answer),
            Input::Stored(outcome) => self.stored(now, outcome),
            Input::Archived(outcome) => self.archived(outcome),
            Input::Confirm(ticket, author) => {
                let outcome = self.confirm(&author);
                self.reply_state(now, ticket, outcome);
            }
            Input::Lock(ticket, author) => {
                let outcome = self.lock(&author);
                self.reply_state(now, ticket, outcome);
            }
            Input::Unlock(ticket, author) => {
                self.lock.take_if(|(holder, _)| Some(*holder) == author.connection);
                self.reply_state(now, ticket, Ok(()));
            }
            Input::Gone(connection) => drop(self.lock.take_if(|(holder, _)| *holder == connection)),
        }
        self.proceed(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some(waits) = self.unconfirmed.take_if(|u| now.as_nanos() >= u.deadline_ns) {
            let text = "nobody confirmed the last commit: the configuration before it comes back";
            self.notice(Notice::warning("commit-taken-back", text));
            self.waiting.push_front((NOBODY, Proposal::taken_back(waits.text)));
        }
        self.store_again(now);
        self.proceed(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let confirm = self.unconfirmed.as_ref().map(|u| Instant::from_nanos(u.deadline_ns));
        let store = self.flight.as_ref().and_then(|f| f.retry_at);
        [confirm, store].into_iter().flatten().min()
    }
}

/// The ticket of what no operator asked for.
pub const NOBODY: Ticket = 0;

impl Keeper {
    /// A keeper of a running text that is in force already and has work for the `wanted` daemons. `name` is how findings name a text; `unconfirmed` what a
    /// predecessor left to be taken back.
    pub fn new(
        name: String,
        text: String,
        wanted: BTreeSet<Daemon>,
        revision: u64,
        unconfirmed: Option<Unconfirmed>,
    ) -> Self {
        Self {
            name,
            text,
            wanted,
            revision,
            flight: None,
            waiting: VecDeque::new(),
            unconfirmed,
            lock: None,
            outputs: VecDeque::new(),
        }
    }

    /// The text in force; while a flight applies one, the former.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its revision.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// May the running text become the startup file?
    ///
    /// # Errors
    /// While it may still be taken back, or is being replaced.
    pub fn may_save(&self, author: &Author) -> Result<(), String> {
        if self.unconfirmed.is_some() {
            return Err("the last commit waits for `confirm`; what may be taken back is not saved".to_owned());
        }
        if self.flight.is_some() {
            return Err("a commit is under way".to_owned());
        }
        self.may_change(author)
    }

    /// Who holds what; whether it is saved is the shell's to know.
    pub fn state(&self, now: Instant, saved: bool) -> State {
        let left = |u: &Unconfirmed| Instant::from_nanos(u.deadline_ns).since(now).as_millis();
        State {
            revision: self.revision,
            unconfirmed_msec: self.unconfirmed.as_ref().map(|u| u64::try_from(left(u)).unwrap_or(u64::MAX)),
            locked_by: self.lock.as_ref().map(|(_, name)| name.clone()),
            saved,
        }
    }

    fn notice(&mut self, notice: Notice) {
        self.outputs.push_back(Output::Notice(notice));
    }

    fn reply(&mut self, ticket: Ticket, reply: Reply) {
        match reply {
            reply if ticket != NOBODY => self.outputs.push_back(Output::Reply(ticket, reply)),
            Ok(Answered::Committed(done)) => {
                done.warnings.into_iter().for_each(|w| self.notice(Notice::warning("commit", w)));
            }
            Ok(Answered::State(_)) => {}
            Err(why) => {
                self.notice(Notice::error("commit-refused", format!("{why}\nnothing has changed")));
            }
        }
    }

    fn reply_state(&mut self, now: Instant, ticket: Ticket, outcome: Result<(), String>) {
        let reply = outcome.map(|()| Answered::State(self.state(now, false)));
        self.reply(ticket, reply);
    }

    fn may_change(&self, author: &Author) -> Result<(), String> {
        match &self.lock {
            Some((holder, name)) if Some(*holder) != author.connection => {
                Err(format!("the configuration is locked by {name}"))
            }
            _ => Ok(()),
        }
    }

    fn lock(&mut self, author: &Author) -> Result<(), String> {
        self.may_change(author)?;
        let connection = author.connection.ok_or("only a connection can hold the lock")?;
        self.lock = Some((connection, author.name.clone()));
        Ok(())
    }

    fn confirm(&mut self, author: &Author) -> Result<(), String> {
        self.may_change(author)?;
        if self.unconfirmed.take().is_none() {
            return Err("no commit waits for `confirm`".to_owned());
        }
        let text = format!("revision {} confirmed by {}", self.revision, author.name);
        self.notice(Notice::info("commit-confirmed", text));
        self.outputs.push_back(Output::Settle);
        Ok(())
    }

    /// Takes up the next proposal when nothing is under way.
    fn proceed(&mut self, now: Instant) {
        while self.flight.is_none() {
            let Some((ticket, proposal)) = self.waiting.pop_front() else { return };
            if let Err(why) = self.begin(now, ticket, proposal) {
                self.reply(ticket, Err(why));
            }
        }
    }

    /// May this proposal take off?
    fn admit(&self, now: Instant, proposal: &Proposal) -> Result<(), String> {
        if proposal.kind == Kind::TakenBack {
            return Ok(());
        }
        self.may_change(&proposal.author)?;
        if let Some(waits) = self.unconfirmed.as_ref().filter(|_| proposal.kind != Kind::Test) {
            // What it would be taken back to is no longer what anybody looked at.
            let left = Duration::from_secs(Instant::from_nanos(waits.deadline_ns).since(now).as_secs());
            return Err(format!(
                "the last commit waits for `confirm`, or is taken back in {}",
                format_duration(left)
            ));
        }
        match proposal.base.filter(|base| *base != self.revision) {
            Some(base) => Err(format!(
                "revision {} is in force by now and the change was made from revision {base}: look at the difference \
                 and commit again",
                self.revision
            )),
            None => Ok(()),
        }
    }

    fn begin(&mut self, now: Instant, ticket: Ticket, proposal: Proposal) -> Result<(), String> {
        self.admit(now, &proposal)?;
        let (config, warnings) = load(&self.name, &proposal.text)?;
        if proposal.text == self.text {
            if proposal.kind == Kind::TakenBack {
                self.outputs.push_back(Output::Settle);
            }
            let done = Committed { revision: self.revision, changed: false, daemons: Vec::new(), warnings };
            self.reply(ticket, Ok(Answered::Committed(done)));
            return Ok(());
        }
        self.take_off(now, Flight::new(ticket, proposal, wanted(&config), warnings));
        Ok(())
    }
}

/// A configuration and its printable warnings.
///
/// # Errors
/// All findings in one printable text.
pub fn load(name: &str, text: &str) -> Result<(Config, Vec<String>), String> {
    let loaded = routing_common::config::load(name, text).map_err(|found| found.to_string())?;
    let warnings = loaded.warnings.iter().map(ToString::to_string).collect();
    Ok((loaded.config, warnings))
}
