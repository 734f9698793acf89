//! Carries the decisions of the supervisor and of the configuration's keeper out: processes, signals, timers, files, the
//! control socket.

mod configuration;

use crate::api;
use crate::configuration::store::Store;
use crate::configuration::{Answer, Keeper, NOBODY, Ticket, load};
use crate::process::{Process, accepting, listener, socket_of};
use crate::supervisor::{Daemon, Input, Output, Provenance, Supervisor, wanted};
use anyhow::{Context as _, bail};
use routing_common::config::Config;
use routing_common::control::{Question as _, configuration as configuring};
use routing_common::machine::Machine as _;
use routing_runtime::access::Access;
use routing_runtime::clock::Clock;
use routing_runtime::control_server::{ControlRequest, ControlServer, Peer};
use routing_runtime::deadline::DeadlineTimer;
use routing_runtime::logging::NoticeLog;
use routing_runtime::signals::{Signal, Signals};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Weak;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// What a supervisor is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The router's configuration file.
    pub config: PathBuf,
    /// Sockets and pid files.
    pub run_dir: PathBuf,
    /// Former configurations.
    pub archive_dir: PathBuf,
    /// Where the daemons' programs are.
    pub daemon_dir: PathBuf,
    /// Where the daemons record their inputs, if they are to.
    pub record_dir: Option<PathBuf>,
    /// Further arguments every daemon is started with.
    pub arguments: Vec<String>,
}

/// A configuration file that is refused, with every finding in one printable text.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Validates a configuration file and gives its warnings, each printable.
///
/// # Errors
/// Every finding.
pub fn validate(path: &Path) -> Result<Vec<String>, Refused> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| Refused(format!("error: {shown}: {e}")))?;
    load(&shown, &text).map(|(_, warnings)| warnings).map_err(Refused)
}

/// What a text says; its warnings go to the log.
fn understood(name: &str, text: &str) -> Result<Config, Refused> {
    let (config, warnings) = load(name, text).map_err(Refused)?;
    warnings.iter().for_each(|w| tracing::warn!("{w}"));
    Ok(config)
}

/// What the watching tasks report; the pid tells reports about an earlier process from those about
/// the present one.
#[derive(Debug)]
enum Report {
    Accepting(Daemon, u32),
    Ended(Daemon, u32),
    /// To the keeper's question.
    Answered(Daemon, Answer),
}

/// A process and the task that waits for it to get ready.
#[derive(Debug)]
struct Watched {
    process: Process,
    prober: AbortHandle,
}

struct Shell {
    settings: Settings,
    supervisor: Supervisor,
    keeper: Keeper,
    store: Store,
    /// Operators who wait for the keeper.
    askers: BTreeMap<Ticket, ControlRequest>,
    next_ticket: Ticket,
    /// Who may hold the configuration's lock, to notice when he goes.
    lockers: BTreeMap<u64, Weak<Peer>>,
    running: BTreeMap<Daemon, Watched>,
    access: Access,
    reports: mpsc::UnboundedSender<Report>,
    notices: NoticeLog,
    finished: bool,
}

/// Supervises until told to stop.
///
/// # Errors
/// [`Refused`] for a configuration file that nothing can be started with; otherwise when the supervisor itself cannot
/// work. A daemon's failure is no error: it is retried.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let store = Store::new(settings.config.clone(), settings.run_dir.clone(), settings.archive_dir.clone());
    let (text, config) = configuration::in_force(&store, &settings).await?;
    let wanted = wanted(&config);
    find_programs(&settings.daemon_dir, &wanted)?;
    let mut signals = Signals::new().context("signal handlers")?;
    let access = Access::new(&config.access);
    let mut control = ControlServer::bind(&settings.run_dir, "mgmtd", &access, is_question)
        .with_context(|| format!("control socket in {}", settings.run_dir.display()))?;
    let mut timer = DeadlineTimer::new().context("timer")?;
    // Bounded in fact: two reports per process, and one per daemon asked.
    let (reports, mut reported) = mpsc::unbounded_channel();
    let mut shell = Shell {
        access,
        keeper: configuration::keeper(&store, text, wanted.clone()),
        settings,
        supervisor: Supervisor::default(),
        store,
        askers: BTreeMap::new(),
        next_ticket: NOBODY + 1,
        lockers: BTreeMap::new(),
        running: BTreeMap::new(),
        reports,
        notices: NoticeLog::new(),
        finished: false,
    };
    shell.find_left_over(&wanted).await;
    shell.drain_by(config).await;
    shell.tell(Input::Configured(wanted)).await;
    while !shell.finished {
        let deadlines = [shell.supervisor.poll_timeout(), shell.keeper.poll_timeout()];
        tokio::select! {
            signal = signals.next() => shell.signalled(signal).await,
            Some(report) = reported.recv() => shell.reported(report).await,
            request = control.next_request() => shell.answer(request).await,
            () = timer.wait(deadlines.into_iter().flatten().min()) => {
                shell.supervisor.handle_timeout(Clock.now());
                shell.carry_out().await;
                shell.keep_time().await;
            }
        }
    }
    shell.store.forget_running()
}

/// May somebody who may only look ask this?
fn is_question(body: &serde_json::Value) -> bool {
    api::Request::is_question_of(body) || configuring::Request::is_question_of(body)
}

/// Refuses to start with half of a router.
fn find_programs(daemon_dir: &Path, wanted: &BTreeSet<Daemon>) -> anyhow::Result<()> {
    match missing(daemon_dir, wanted).next() {
        Some((_, why)) => bail!(why),
        None => Ok(()),
    }
}

/// The daemons whose programs are not there, each with what to say about it.
fn missing<'a>(
    daemon_dir: &'a Path,
    wanted: impl IntoIterator<Item = &'a Daemon> + 'a,
) -> impl Iterator<Item = (Daemon, String)> + 'a {
    wanted.into_iter().filter_map(|daemon| {
        let program = daemon_dir.join(daemon.name());
        let why = || format!("{} is missing (see --daemon-dir)", program.display());
        (!program.is_file()).then(|| (*daemon, why()))
    })
}

impl Shell {
    /// Daemons without work that an earlier supervisor left running; those with work are adopted when
    /// their turn comes.
    async fn find_left_over(&mut self, wanted: &BTreeSet<Daemon>) {
        for daemon in Daemon::ALL.into_iter().filter(|d| !wanted.contains(d)) {
            if let Some(pid) = self.adopt(daemon).await {
                self.tell(Input::Found(daemon, pid)).await;
            }
        }
    }

    /// One input, then all outputs.
    async fn tell(&mut self, input: Input) {
        self.supervisor.handle(Clock.now(), input);
        self.carry_out().await;
    }

    async fn carry_out(&mut self) {
        while let Some(output) = self.supervisor.poll_output() {
            match output {
                Output::Launch(daemon) => {
                    let outcome = self.launch_or_adopt(daemon).await;
                    self.supervisor.handle(Clock.now(), outcome);
                }
                Output::Signal(daemon, order) => {
                    if let Some(watched) = self.running.get(&daemon) {
                        watched.process.signal(order);
                    }
                }
                Output::Notice(notice) => self.notices.write(Clock.now(), &notice),
                Output::Finished => self.finished = true,
            }
        }
    }

    async fn launch_or_adopt(&mut self, daemon: Daemon) -> Input {
        if let Some(pid) = self.adopt(daemon).await {
            return Input::Running(daemon, pid, Provenance::Adopted);
        }
        let program = self.settings.daemon_dir.join(daemon.name());
        let mut arguments = vec![
            "--config".to_owned(),
            self.store.running_file().display().to_string(),
            "--run-dir".to_owned(),
            self.settings.run_dir.display().to_string(),
        ];
        if let Some(dir) = &self.settings.record_dir {
            let file = dir.join(format!("{}.rec", daemon.name()));
            arguments.extend(["--record".to_owned(), file.display().to_string()]);
        }
        arguments.extend_from_slice(&self.settings.arguments);
        let launched = Process::launch(&program, &arguments).and_then(|p| self.watch(daemon, p));
        match launched {
            Ok(pid) => Input::Running(daemon, pid, Provenance::Launched),
            Err(error) => Input::Failed(daemon, format!("{error:#}")),
        }
    }

    /// Takes charge of a daemon that already serves its control socket.
    async fn adopt(&mut self, daemon: Daemon) -> Option<u32> {
        let pid = listener(&socket_of(&self.settings.run_dir, daemon)).await?;
        let adopted = Process::adopt(pid).and_then(|p| self.watch(daemon, p));
        adopted.inspect_err(|error| tracing::warn!("{}: {error:#}", daemon.name())).ok()
    }

    fn watch(&mut self, daemon: Daemon, process: Process) -> anyhow::Result<u32> {
        let pid = process.pid;
        let (to_end, to_ready) = (self.reports.clone(), self.reports.clone());
        // A report that cannot be sent finds the supervisor gone.
        process.on_end(move || {
            let _ = to_end.send(Report::Ended(daemon, pid));
        })?;
        let ready = accepting(socket_of(&self.settings.run_dir, daemon), pid);
        let prober = tokio::spawn(async move {
            ready.await;
            let _ = to_ready.send(Report::Accepting(daemon, pid));
        });
        self.running.insert(daemon, Watched { process, prober: prober.abort_handle() });
        Ok(pid)
    }

    async fn reported(&mut self, report: Report) {
        let is_present = |d: &Daemon, pid: u32| self.running.get(d).is_some_and(|w| w.process.pid == pid);
        match report {
            Report::Accepting(daemon, pid) if is_present(&daemon, pid) => {
                self.tell(Input::Accepting(daemon)).await
            }
            Report::Ended(daemon, pid) if is_present(&daemon, pid) => {
                if let Some(watched) = self.running.remove(&daemon) {
                    watched.prober.abort();
                    self.tell(Input::Exited(daemon, watched.process.outcome())).await;
                }
            }
            Report::Answered(daemon, answer) => self.daemon_answered(daemon, answer).await,
            Report::Accepting(..) | Report::Ended(..) => {}
        }
    }

    async fn signalled(&mut self, signal: Signal) {
        match signal {
            Signal::Terminate => self.tell(Input::Terminate).await,
            Signal::TerminateNow => self.tell(Input::TerminateNow).await,
            Signal::Reload => self.reload_on_signal().await,
        }
    }

    async fn answer(&mut self, request: ControlRequest) {
        if let Ok(asked) = serde_json::from_value::<api::Request>(request.body.clone()) {
            return request.respond(self.supervisor.query(Clock.now(), &asked));
        }
        match serde_json::from_value(request.body.clone()) {
            Ok(asked) => self.configure(asked, request).await,
            Err(error) => request.respond(Err(format!("unknown request: {error}"))),
        }
    }
}
