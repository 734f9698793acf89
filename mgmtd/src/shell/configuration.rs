//! The configuration's way between operators, files and daemons. What is done about it is the keeper's to decide
//! ([`crate::configuration`]).

use super::{Refused, Report, Settings, Shell, missing, understood};
use crate::configuration::store::Store;
use crate::configuration::{
    Answer, Answered, Author, Input, Keeper, Kind, NOBODY, Output, Proposal, Ticket, load,
};
use crate::process::{listener, socket_of};
use crate::supervisor::{self, Daemon};
use nix::unistd::{Uid, User};
use routing_common::config::{Config, masked};
use routing_common::control::Order;
use routing_common::control::configuration::{Commit, History, Request, Revision, Source, Text};
use routing_common::machine::Machine as _;
use routing_runtime::clock::Clock;
use routing_runtime::control_client::{NoAnswer, ask};
use routing_runtime::control_server::{ControlRequest, Peer};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a daemon may take to check or read a configuration.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is in force when a supervisor starts: the running text where an earlier supervisor left daemons behind, because its
/// death is no reason to change a router; otherwise the startup file.
pub(super) async fn in_force(store: &Store, settings: &Settings) -> anyhow::Result<(String, Config)> {
    let mut left_behind = false;
    for daemon in Daemon::ALL {
        left_behind |= listener(&socket_of(&settings.run_dir, daemon)).await.is_some();
    }
    if let Some(text) = store.running()?.filter(|_| left_behind) {
        match understood(&store.running_file().display().to_string(), &text) {
            Ok(config) => {
                if store.startup().ok().as_ref() != Some(&text) {
                    tracing::warn!("the running configuration goes on; {} says something else", store.name());
                }
                return Ok((text, config));
            }
            // Of another release.
            Err(why) => {
                tracing::error!("{why}\nthe running configuration is refused; the startup file is taken")
            }
        }
    }
    let text = store.startup().map_err(Refused)?;
    let config = understood(&store.name(), &text)?;
    store.store(&text, None)?;
    Ok((text, config))
}

/// The keeper of a text in force. One that is not the archive's newest was brought by hand and becomes a revision.
pub(super) fn keeper(store: &Store, text: String, wanted: BTreeSet<Daemon>) -> Keeper {
    let newest = store.newest().unwrap_or_else(|error| {
        tracing::warn!("the archive cannot be read: {error:#}");
        None
    });
    let revision = match &newest {
        Some((number, kept)) if *kept == text => *number,
        newest => {
            let revision = newest.as_ref().map_or(1, |(number, _)| number + 1);
            let row = Revision { revision, at: wall_clock(), author: "the start".to_owned(), comment: None };
            if let Err(error) = store.archive(&row, &text) {
                tracing::warn!("not in the archive: {error:#}");
            }
            revision
        }
    };
    Keeper::new(store.name(), text, wanted, revision, store.unconfirmed())
}

fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

fn author_of(peer: &Peer) -> Author {
    let user = User::from_uid(Uid::from_raw(peer.uid)).ok().flatten();
    let name = match user {
        Some(user) => format!("{} (uid {})", user.name, peer.uid),
        None => format!("uid {}", peer.uid),
    };
    Author { name, connection: Some(peer.connection) }
}

/// A text for somebody who may only look.
fn without_secrets(text: Text) -> Result<Text, String> {
    match masked(&text.text) {
        Some(shown) => Ok(Text { text: shown, ..text }),
        None => Err(format!("{} has mistakes; only operators may see it", text.file)),
    }
}

fn json(value: &impl Serialize) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|e| e.to_string())
}

impl Shell {
    /// An operator's question or command.
    pub(super) async fn configure(&mut self, asked: Request, request: ControlRequest) {
        let author = author_of(&request.peer);
        match asked {
            Request::GetConfiguration(source) => {
                let text = self.text(source);
                let text = if request.is_operator { text } else { text.and_then(without_secrets) };
                request.respond(text.and_then(|t| json(&t)));
            }
            Request::ShowHistory => {
                let history = self.store.history().map_err(|e| format!("{e:#}"));
                request.respond(history.and_then(|revisions| json(&History { revisions })));
            }
            Request::ShowState => request.respond(self.state()),
            Request::Save => {
                let saved = self.save(&author);
                request.respond(saved.and_then(|()| self.state()));
            }
            Request::Commit(commit) => {
                self.propose(Proposal::from_commit(author, commit), request).await;
            }
            Request::Reload { test } => match self.store.startup() {
                Ok(text) => {
                    let comment = Some("startup file".to_owned());
                    let commit = Commit { text, base: None, comment, confirm_within_sec: None, test };
                    self.propose(Proposal::from_commit(author, commit), request).await;
                }
                Err(why) => request.respond(Err(why)),
            },
            Request::Rollback { back, confirm_within_sec } => match self.store.back(back) {
                Ok((revision, text)) => {
                    let comment = Some(format!("rollback to revision {revision}"));
                    let commit = Commit { text, base: None, comment, confirm_within_sec, test: false };
                    self.propose(Proposal::from_commit(author, commit), request).await;
                }
                Err(error) => request.respond(Err(format!("{error:#}"))),
            },
            Request::Confirm => {
                let ticket = self.ticket(request);
                self.keep(Input::Confirm(ticket, author)).await;
            }
            Request::Lock => {
                self.lockers.insert(request.peer.connection, Arc::downgrade(&request.peer));
                let ticket = self.ticket(request);
                self.keep(Input::Lock(ticket, author)).await;
            }
            Request::Unlock => {
                let ticket = self.ticket(request);
                self.keep(Input::Unlock(ticket, author)).await;
            }
        }
    }

    async fn propose(&mut self, proposal: Proposal, request: ControlRequest) {
        let ticket = self.ticket(request);
        self.keep(Input::Propose(ticket, proposal)).await;
    }

    /// SIGHUP: the startup file is to come into force. What becomes of it stands in the log.
    pub(super) async fn reload_on_signal(&mut self) {
        match self.store.startup() {
            Ok(text) => {
                tracing::info!("{} read again", self.store.name());
                let author = Author { name: "SIGHUP".to_owned(), connection: None };
                let comment = Some("startup file".to_owned());
                let kind = Kind::Commit;
                let proposal = Proposal { kind, author, text, base: None, comment, confirm_within: None };
                self.keep(Input::Propose(NOBODY, proposal)).await;
            }
            Err(why) => tracing::error!("{why}; nothing has changed"),
        }
    }

    pub(super) async fn daemon_answered(&mut self, daemon: Daemon, answer: Answer) {
        self.keep(Input::Answered(daemon, answer)).await;
    }

    pub(super) async fn keep_time(&mut self) {
        self.keeper.handle_timeout(Clock.now());
        self.keepers_orders().await;
    }

    fn ticket(&mut self, request: ControlRequest) -> Ticket {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.askers.insert(ticket, request);
        ticket
    }

    fn text(&self, source: Source) -> Result<Text, String> {
        let file = self.store.name();
        match source {
            Source::Running => {
                let text = self.keeper.text().to_owned();
                Ok(Text { text, revision: Some(self.keeper.revision()), file })
            }
            Source::Startup => Ok(Text { text: self.store.startup()?, revision: None, file }),
            Source::Back(back) => {
                let (revision, text) = self.store.back(back).map_err(|e| format!("{e:#}"))?;
                Ok(Text { text, revision: Some(revision), file })
            }
        }
    }

    fn state(&self) -> Result<Value, String> {
        json(&self.keeper.state(Clock.now(), self.is_saved()))
    }

    fn is_saved(&self) -> bool {
        self.store.startup().is_ok_and(|text| text == self.keeper.text())
    }

    fn save(&self, author: &Author) -> Result<(), String> {
        self.keeper.may_save(author)?;
        self.store.save(self.keeper.text()).map_err(|error| format!("not saved: {error:#}"))?;
        tracing::info!(
            code = "saved",
            "{} is revision {} now, by {}",
            self.store.name(),
            self.keeper.revision(),
            author.name
        );
        Ok(())
    }

    /// One input, then all outputs; before it those are taken out who have hung up.
    async fn keep(&mut self, input: Input) {
        let gone = self.lockers.iter().filter(|(_, peer)| peer.strong_count() == 0);
        for connection in gone.map(|(connection, _)| *connection).collect::<Vec<_>>() {
            self.lockers.remove(&connection);
            self.keeper.handle(Clock.now(), Input::Gone(connection));
        }
        self.keeper.handle(Clock.now(), input);
        self.keepers_orders().await;
    }

    async fn keepers_orders(&mut self) {
        while let Some(output) = self.keeper.poll_output() {
            let answer = match output {
                Output::Check { name, text, wanted } => Some(self.check(name, text, &wanted)),
                Output::Store { text, unconfirmed } => {
                    let stored = self.store.store(&text, unconfirmed.as_ref());
                    if stored.is_ok() {
                        self.heed(&text).await;
                    }
                    Some(vec![Input::Stored(stored.map_err(|e| format!("{e:#}")))])
                }
                Output::Apply(wanted) => Some(self.apply(wanted).await),
                Output::Archive { revision, text, author, comment } => {
                    let row = Revision { revision, at: wall_clock(), author, comment };
                    let archived = self.store.archive(&row, &text);
                    Some(vec![Input::Archived(archived.map_err(|e| format!("{e:#}")))])
                }
                Output::Settle => {
                    if let Err(error) = self.store.settle() {
                        tracing::error!("{error:#}");
                    }
                    None
                }
                Output::Reply(ticket, reply) => {
                    self.reply(ticket, reply);
                    None
                }
                Output::Notice(notice) => {
                    self.notices.write(Clock.now(), &notice);
                    None
                }
            };
            for input in answer.into_iter().flatten() {
                self.keeper.handle(Clock.now(), input);
            }
        }
    }

    fn reply(&mut self, ticket: Ticket, reply: Result<Answered, String>) {
        let Some(request) = self.askers.remove(&ticket) else { return };
        request.respond(reply.and_then(|answered| match answered {
            Answered::Committed(done) => json(&done),
            Answered::State(state) => json(&state),
        }));
    }

    /// Asks those that run, and answers for those that could not be started.
    fn check(&mut self, name: String, text: String, wanted: &BTreeSet<Daemon>) -> Vec<Input> {
        let up: BTreeSet<Daemon> = self.supervisor.up().intersection(wanted).copied().collect();
        let order = Order::Check { name, text };
        up.iter().for_each(|daemon| self.order(*daemon, order.clone()));
        let missing: Vec<_> = missing(&self.settings.daemon_dir, wanted.difference(&up)).collect();
        let asked = up.iter().copied().chain(missing.iter().map(|(daemon, _)| *daemon)).collect();
        let without = |(daemon, why)| Input::Answered(daemon, Answer::Refused(why));
        std::iter::once(Input::Asked(asked)).chain(missing.into_iter().map(without)).collect()
    }

    async fn apply(&mut self, wanted: BTreeSet<Daemon>) -> Vec<Input> {
        let up: BTreeSet<Daemon> = self.supervisor.up().intersection(&wanted).copied().collect();
        self.tell(supervisor::Input::Configured(wanted)).await;
        up.iter().for_each(|daemon| self.order(*daemon, Order::Reload));
        vec![Input::Asked(up)]
    }

    /// Does what a text that was accepted and stored says to this program itself.
    async fn heed(&mut self, text: &str) {
        // One that was accepted is understood.
        let Ok((config, _)) = load("", text) else { return };
        self.access.set(&config.access);
        self.drain_by(config).await;
    }

    /// Tells the supervisor how long ospfd may take to end. Of a configuration without OSPF that stays as it was: the one
    /// that ends was started by another.
    pub(super) async fn drain_by(&mut self, config: Config) {
        if let Some(ospf) = config.ospf {
            let drain = ospf.max_metric.on_shutdown.unwrap_or_default();
            self.tell(supervisor::Input::Drains(drain)).await;
        }
    }

    fn order(&self, daemon: Daemon, order: Order) {
        let (socket, to_report) = (socket_of(&self.settings.run_dir, daemon), self.reports.clone());
        tokio::spawn(async move {
            let answer = match ask(&socket, &order, PATIENCE).await {
                Ok(_) => Answer::Yes,
                Err(NoAnswer::Refused(why)) => Answer::Refused(why),
                Err(NoAnswer::Silent(why)) => Answer::Silent(why),
            };
            // A report that cannot be sent finds the supervisor gone.
            let _ = to_report.send(Report::Answered(daemon, answer));
        });
    }
}
