//! Which daemon is launched, signalled or left alone, and when: a pure machine.
//!
//! Laws, held by the tests:
//!
//! * A daemon is launched only after every wanted one before it has been ready once, has died or has
//!   used up its time to get ready. After that each lives for itself: the suite's daemons bear one
//!   another's absence, so a restart of one never restarts another.
//! * What dies is launched again: at once if it had been ready and this is its first death, so that its peers need
//!   not notice; otherwise after a pause that doubles from [`BACK_OFF_FIRST`] to [`BACK_OFF_LONGEST`]. Deaths are
//!   forgotten after [`STABLE`] of life.
//! * Stopping goes in reverse order, one after the other, because a daemon withdraws its routes through
//!   those before it. One that does not end within [`GRACE`] is killed; ospfd has as much more as it is told to drain.
//! * A daemon that runs already is adopted and told to read its configuration, never doubled.

mod phase;
#[cfg(test)]
mod tests;

pub use phase::{Effect, Intent, Occurrence, Phase, transition};

use crate::api::{ProcessRow, Processes, Request};
use routing_common::config::{Config, format_duration};
use routing_common::machine::Machine;
use routing_common::notice::Notice;
use routing_common::time::Instant;
use routing_common::timer::TimerQueue;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Pause before the restart of what never got ready, or died twice.
pub const BACK_OFF_FIRST: Duration = Duration::from_millis(100);
/// Longest pause before a restart.
pub const BACK_OFF_LONGEST: Duration = Duration::from_secs(10);
/// A daemon that lived this long is forgiven its earlier deaths.
pub const STABLE: Duration = Duration::from_secs(30);
/// Time to get ready before those behind it are launched all the same.
pub const READY_WITHIN: Duration = Duration::from_secs(10);
/// Time to end after being told to.
pub const GRACE: Duration = Duration::from_secs(5);

/// The daemons in start order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Daemon {
    /// The routing table; everyone's first.
    Ribd,
    /// Failure detection, which others ask for.
    Bfdd,
    /// Virtual routers, which take effect at once.
    Vrrpd,
    /// OSPF, which takes a while to converge.
    Ospfd,
}

impl Daemon {
    /// All of them in start order.
    pub const ALL: [Self; 4] = [Self::Ribd, Self::Bfdd, Self::Vrrpd, Self::Ospfd];

    /// Name of the program, its control socket and its log lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ribd => "ribd",
            Self::Bfdd => "bfdd",
            Self::Vrrpd => "vrrpd",
            Self::Ospfd => "ospfd",
        }
    }
}

/// The daemons this configuration has work for.
pub fn wanted(config: &Config) -> BTreeSet<Daemon> {
    let vrrp = (!config.vrrp_groups.is_empty()).then_some(Daemon::Vrrpd);
    let ospf = config.ospf.as_ref().map(|_| Daemon::Ospfd);
    let bfd = config.uses_bfd().then_some(Daemon::Bfdd);
    [Some(Daemon::Ribd), bfd, vrrp, ospf].into_iter().flatten().collect()
}

/// How a running daemon came to be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// Launched here.
    Launched,
    /// Found running, left behind by an earlier supervisor.
    Adopted,
}

/// What the world tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A valid configuration has work for these; the first one starts the router. Daemons that run are told of a
    /// later one by the configuration's keeper, those that are just starting from here.
    Configured(BTreeSet<Daemon>),
    /// The configuration tells ospfd to ask for so long that transit traffic goes another way before it ends (RFC 6987).
    Drains(Duration),
    /// This daemon runs though it was not launched here.
    Found(Daemon, u32),
    /// A launch succeeded.
    Running(Daemon, u32, Provenance),
    /// A launch failed, and why.
    Failed(Daemon, String),
    /// The daemon's control socket accepts connections.
    Accepting(Daemon),
    /// The daemon's process has ended, and how.
    Exited(Daemon, String),
    /// Stop all in order.
    Terminate,
    /// Stop all at once.
    TerminateNow,
}

/// A signal to a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// SIGHUP: read the configuration again.
    Reload,
    /// SIGTERM: end in an orderly way.
    Terminate,
    /// SIGKILL.
    Kill,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Launch this daemon or adopt the one that runs; answered by `Running` or `Failed`.
    Launch(Daemon),
    /// Signal it.
    Signal(Daemon, Order),
    /// For the log.
    Notice(Notice),
    /// Everything has ended: so can the supervisor.
    Finished,
}

/// What is known of one daemon.
#[derive(Debug)]
struct Entry {
    phase: Phase,
    intent: Intent,
    /// Those behind it need not wait for it (any more).
    settled: bool,
    /// It must read its configuration as soon as it can be told to.
    reload_due: bool,
    pid: Option<u32>,
    since: Instant,
    restarts: u64,
    /// Deaths in a row without a stable life between them.
    deaths: u32,
    /// Pause before the next launch.
    pause: Duration,
}

/// Is the router to run or to end?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// Nothing configured yet.
    New,
    Running,
    Stopping,
    Finished,
}

/// The machine. See the module text.
#[derive(Debug)]
pub struct Supervisor {
    course: Course,
    /// What ospfd needs to end besides [`GRACE`].
    drain: Duration,
    entries: BTreeMap<Daemon, Entry>,
    timers: TimerQueue<Daemon>,
    outputs: VecDeque<Output>,
}

impl Default for Supervisor {
    fn default() -> Self {
        let entry = || Entry {
            phase: Phase::Off,
            intent: Intent::Rest,
            settled: false,
            reload_due: false,
            pid: None,
            since: Instant::ZERO,
            restarts: 0,
            deaths: 0,
            pause: Duration::ZERO,
        };
        Self {
            course: Course::New,
            drain: Duration::ZERO,
            entries: Daemon::ALL.into_iter().map(|d| (d, entry())).collect(),
            timers: TimerQueue::new(),
            outputs: VecDeque::new(),
        }
    }
}

impl Machine for Supervisor {
    type Input<'a> = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Configured(wanted) => self.configured(now, &wanted),
            Input::Drains(drain) => self.drain = drain,
            Input::Found(daemon, pid) => {
                self.note_pid(now, daemon, pid);
                self.notice(Notice::info(
                    "daemon-left-over",
                    format!("{} (pid {pid}) is left over", daemon.name()),
                ));
                self.step(now, daemon, Occurrence::Found);
            }
            Input::Running(daemon, pid, provenance) => self.running(now, daemon, pid, provenance),
            Input::Failed(daemon, why) => self.ended(now, daemon, &format!("cannot be started: {why}")),
            Input::Accepting(daemon) => self.accepting(now, daemon),
            Input::Exited(daemon, how) => self.ended(now, daemon, &format!("ended ({how})")),
            Input::Terminate => self.course = Course::Stopping,
            Input::TerminateNow => {
                self.course = Course::Stopping;
                for daemon in Daemon::ALL.into_iter().rev() {
                    self.step(now, daemon, Occurrence::Unwant);
                    self.step(now, daemon, Occurrence::Deadline);
                }
            }
        }
        self.proceed(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some(daemon) = self.timers.pop_expired(now) {
            self.entry(daemon).settled = true;
            match self.entry(daemon).phase {
                Phase::Starting => self.notice(Notice::warning(
                    "daemon-not-ready",
                    format!(
                        "{} is not ready after {}; going on without",
                        daemon.name(),
                        format_duration(READY_WITHIN)
                    ),
                )),
                Phase::Leaving => self.notice(Notice::warning(
                    "daemon-killed",
                    format!(
                        "{} has not ended within {}; killed",
                        daemon.name(),
                        format_duration(self.grace(daemon))
                    ),
                )),
                _ => {}
            }
            self.step(now, daemon, Occurrence::Deadline);
        }
        self.proceed(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next_deadline()
    }
}

impl Supervisor {
    /// Answers an operator.
    ///
    /// # Errors
    /// Never in this version; the signature is the engines'.
    pub fn query(&self, now: Instant, request: &Request) -> Result<serde_json::Value, String> {
        match request {
            Request::ShowProcesses => {
                let rows = self.entries.iter().map(|(daemon, e)| ProcessRow {
                    name: daemon.name().to_owned(),
                    pid: e.pid,
                    state: state_text(e.phase).to_owned(),
                    restarts: e.restarts,
                    uptime_msec: e
                        .pid
                        .map(|_| u64::try_from(now.since(e.since).as_millis()).unwrap_or(u64::MAX)),
                });
                serde_json::to_value(Processes { processes: rows.collect() }).map_err(|e| e.to_string())
            }
        }
    }

    /// The daemons that run and have answered.
    pub fn up(&self) -> BTreeSet<Daemon> {
        self.entries.iter().filter(|(_, e)| e.phase == Phase::Up).map(|(daemon, _)| *daemon).collect()
    }

    fn entry(&mut self, daemon: Daemon) -> &mut Entry {
        // proof: the map holds every daemon from the constructor on and nothing is ever removed.
        self.entries.get_mut(&daemon).expect("every daemon has an entry")
    }

    /// How long this daemon may take to end.
    fn grace(&self, daemon: Daemon) -> Duration {
        if daemon == Daemon::Ospfd { GRACE + self.drain } else { GRACE }
    }

    fn notice(&mut self, notice: Notice) {
        self.outputs.push_back(Output::Notice(notice));
    }

    fn configured(&mut self, now: Instant, wanted: &BTreeSet<Daemon>) {
        if matches!(self.course, Course::Stopping | Course::Finished) {
            return;
        }
        let again = self.course == Course::Running;
        self.course = Course::Running;
        for daemon in Daemon::ALL {
            let run = wanted.contains(&daemon);
            self.entry(daemon).intent = if run { Intent::Run } else { Intent::Rest };
            // It may have read its file already, and before it listens to signals SIGHUP would end it.
            if run && again && self.entry(daemon).phase == Phase::Starting {
                self.entry(daemon).reload_due = true;
            }
            self.step(now, daemon, if run { Occurrence::Want } else { Occurrence::Unwant });
        }
    }

    fn note_pid(&mut self, now: Instant, daemon: Daemon, pid: u32) {
        let entry = self.entry(daemon);
        entry.pid = Some(pid);
        entry.since = now;
    }

    fn running(&mut self, now: Instant, daemon: Daemon, pid: u32, provenance: Provenance) {
        self.note_pid(now, daemon, pid);
        let verb = match provenance {
            Provenance::Launched => "started",
            Provenance::Adopted => {
                // It may have been started with an older file.
                self.entry(daemon).reload_due = true;
                "adopted"
            }
        };
        self.notice(Notice::info("daemon-started", format!("{} {verb} (pid {pid})", daemon.name())));
    }

    fn accepting(&mut self, now: Instant, daemon: Daemon) {
        self.entry(daemon).settled = true;
        self.step(now, daemon, Occurrence::Accepting);
        let entry = self.entry(daemon);
        if entry.phase == Phase::Up && std::mem::take(&mut entry.reload_due) {
            self.outputs.push_back(Output::Signal(daemon, Order::Reload));
        }
        self.notice(Notice::info("daemon-ready", format!("{} is ready", daemon.name())));
    }

    fn ended(&mut self, now: Instant, daemon: Daemon, what: &str) {
        let stopping = self.course == Course::Stopping;
        let entry = self.entry(daemon);
        let lived = entry.pid.take().map_or(Duration::ZERO, |_| now.since(entry.since));
        entry.deaths = if lived >= STABLE { 1 } else { entry.deaths.saturating_add(1) };
        entry.settled = true;
        entry.reload_due = false;
        let expected = entry.phase == Phase::Leaving || stopping;
        let is_first = entry.phase == Phase::Up && entry.deaths == 1;
        entry.pause = if is_first { Duration::ZERO } else { back_off(entry.deaths) };
        let pause = entry.pause;
        self.step(now, daemon, Occurrence::Exit);
        let name = daemon.name();
        let again = match pause {
            Duration::ZERO => "starts again at once".to_owned(),
            pause => format!("starts again in {}", format_duration(pause)),
        };
        self.notice(if expected {
            Notice::info("daemon-stopped", format!("{name} {what}"))
        } else {
            Notice::error("daemon-died", format!("{name} {what}; {again}"))
        });
    }

    /// One step of one daemon along the table, with what belongs to entering a phase.
    fn step(&mut self, now: Instant, daemon: Daemon, occurrence: Occurrence) {
        let entry = self.entry(daemon);
        let before = entry.phase;
        let (after, effect) = transition(before, occurrence, entry.intent);
        entry.phase = after;
        if effect == Some(Effect::Launch) && before == Phase::BackOff {
            entry.restarts += 1;
        }
        if after == Phase::Off {
            (entry.settled, entry.deaths) = (false, 0);
        }
        let pause = entry.pause;
        let grace = self.grace(daemon);
        if before != after || effect.is_some() {
            match after {
                Phase::Starting => self.timers.arm(daemon, now + READY_WITHIN),
                Phase::BackOff => self.timers.arm(daemon, now + pause),
                Phase::Leaving => self.timers.arm(daemon, now + grace),
                Phase::Off | Phase::Due | Phase::Up => {
                    self.timers.cancel(daemon);
                }
            }
        }
        self.outputs.extend(effect.map(|effect| match effect {
            Effect::Launch => Output::Launch(daemon),
            Effect::Terminate => Output::Signal(daemon, Order::Terminate),
            Effect::Kill => Output::Signal(daemon, Order::Kill),
        }));
    }

    /// Gives everyone whose turn it is his turn.
    fn proceed(&mut self, now: Instant) {
        match self.course {
            Course::Running => self.launch_due(now),
            Course::Stopping => self.stop_next(now),
            Course::New | Course::Finished => {}
        }
    }

    fn launch_due(&mut self, now: Instant) {
        for daemon in Daemon::ALL {
            let waits_for = |(d, e): (&Daemon, &Entry)| *d < daemon && e.intent == Intent::Run && !e.settled;
            if self.entry(daemon).phase == Phase::Due && !self.entries.iter().any(waits_for) {
                self.step(now, daemon, Occurrence::Turn);
            }
        }
    }

    fn stop_next(&mut self, now: Instant) {
        for daemon in Daemon::ALL {
            self.entry(daemon).intent = Intent::Rest;
            if matches!(self.entry(daemon).phase, Phase::Due | Phase::BackOff) {
                self.step(now, daemon, Occurrence::Unwant);
            }
        }
        if self.entries.values().any(|e| e.phase == Phase::Leaving) {
            return;
        }
        let last = self.entries.iter().rev().find(|(_, e)| e.phase != Phase::Off).map(|(d, _)| *d);
        match last {
            Some(daemon) => self.step(now, daemon, Occurrence::Unwant),
            None => {
                self.course = Course::Finished;
                self.outputs.push_back(Output::Finished);
            }
        }
    }
}

/// The pause after this many deaths in a row.
fn back_off(deaths: u32) -> Duration {
    let doublings = deaths.saturating_sub(1).min(10);
    (BACK_OFF_FIRST * 2u32.pow(doublings)).min(BACK_OFF_LONGEST)
}

fn state_text(phase: Phase) -> &'static str {
    match phase {
        Phase::Off => "off",
        Phase::Due => "waiting",
        Phase::Starting => "starting",
        Phase::Up => "running",
        Phase::BackOff => "back-off",
        Phase::Leaving => "stopping",
    }
}
