//! A daemon's life from its arguments to its exit code, the same for all of them.
//!
//! In order: arguments, configuration (refused: exit code 2 with every finding on stderr), `--check`
//! ends here, logging, run directory, pid file under a lock (a second daemon for the same directory is
//! refused; a stale file of a killed one is no obstacle because locks die with their process),
//! current-thread runtime, signals, then the shell. A daemon stays in the foreground and is ready when its
//! control socket accepts connections.

use crate::access::{Access, unknown_groups};
use crate::clock::Clock;
use crate::control_server::{ControlRequest, ControlServer};
use crate::logging::{self, LogFormat, LogLevel, NoticeLog};
use crate::memory;
use crate::pid_file::PidFile;
use crate::recorder::Recording;
use crate::signals::Signals;
use anyhow::Context as _;
use clap::{Args, Command, FromArgMatches as _};
use routing_common::config::{self, Config};
use routing_common::control::{Order, Question};
use routing_common::notice::Notice;
use routing_common::record::format::frame;
use routing_common::record::{Configuration, Entry, Recordable, Recorded, Sink as _};
use std::cell::RefCell;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Exit code for a configuration that was refused.
pub const EXIT_REFUSED: u8 = 2;

/// The arguments every daemon takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Arguments {
    /// The router's configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/torc/router.toml")]
    pub config: PathBuf,
    /// Where sockets and pid files live; one directory per router.
    #[arg(long, value_name = "DIR", default_value = "/run/torc")]
    pub run_dir: PathBuf,
    /// Only validate the configuration.
    #[arg(long)]
    pub check: bool,
    /// error, warn, info, debug, trace, or a filter such as "info,ospfd=debug".
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: LogLevel,
    /// How log lines look, and with `journal` where they go.
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// The arguments of a daemon with an engine.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct EngineArguments {
    #[command(flatten)]
    common: Arguments,
    /// Write everything the engine is told to FILE, for replaying it with routing-sim. The file holds the
    /// configuration with its keys; one that is there is kept as FILE.old.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// Who a daemon is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// "ospfd"; names the sockets and the pid file.
    pub name: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
}

/// What a request on the control socket turned out to be.
#[derive(Debug)]
pub enum Sorted {
    /// For the engine.
    Question(ControlRequest),
    /// The file was read again: the engine is to have it, then who asked is to be told.
    Reconfigure(Box<Config>, Acknowledgement),
    /// Answered already.
    Answered,
}

/// Owed to who asked for a new configuration.
#[derive(Debug)]
#[must_use = "the supervisor waits for it"]
pub struct Acknowledgement(ControlRequest);

impl Acknowledgement {
    /// The engine has the configuration.
    pub fn give(self) {
        self.0.respond(Ok(serde_json::Value::Null));
    }
}

/// What a shell starts with.
#[derive(Debug)]
pub struct DaemonContext {
    /// "ospfd".
    pub name: &'static str,
    /// As given on the command line.
    pub arguments: Arguments,
    /// The validated configuration the daemon started with.
    pub config: Config,
    /// The host's clocks.
    pub clock: Clock,
    /// Reload and termination.
    pub signals: Signals,
    notices: NoticeLog,
    access: Access,
    /// What `config` was loaded from.
    source: Configuration,
    recording: Option<Recording>,
    checked: RefCell<Option<Checked>>,
}

/// A text that passed the supervisor's check without a warning. Its order to read that text follows in a moment, and a large one is not
/// understood twice.
#[derive(Debug)]
struct Checked {
    text: String,
    config: Config,
}

impl DaemonContext {
    /// Makes the daemon's engine from its configuration; if wanted, everything it is told is recorded.
    pub fn engine<E: Recordable>(&self, seed: u64) -> Recorded<E> {
        self.engine_elsewhere(seed)()
    }

    /// Like [`DaemonContext::engine`], to be called on the thread where the engine is to live.
    pub fn engine_elsewhere<E: Recordable>(&self, seed: u64) -> impl FnOnce() -> Recorded<E> + Send + use<E> {
        let (config, source) = (self.config.clone(), self.source.clone());
        let sink = self.recording.as_ref().map(Recording::sink);
        move || match sink {
            Some(sink) => Recorded::recording(&config, seed, source, Box::new(sink)),
            None => Recorded::silent(&config, seed),
        }
    }

    /// Opens the daemon's control socket for requests `Q`; from then on it is ready. The supervisor's orders need an operator.
    ///
    /// # Errors
    /// When the socket cannot be made in the run directory.
    pub fn control_server<Q: Question>(&self) -> anyhow::Result<ControlServer> {
        ControlServer::bind(&self.arguments.run_dir, self.name, &self.access, Q::is_question_of)
            .with_context(|| format!("control socket in {}", self.arguments.run_dir.display()))
    }

    /// The path of a socket in the run directory, such as `rib.sock`.
    pub fn socket_path(&self, file_name: &str) -> PathBuf {
        self.arguments.run_dir.join(file_name)
    }

    /// Takes the supervisor's orders out of what comes on the control socket.
    pub fn sort(&self, request: ControlRequest) -> Sorted {
        match Order::of(&request.body) {
            None => return Sorted::Question(request),
            Some(Order::Check { name, text }) => {
                let outcome = check(&name, text);
                let answer = outcome.as_ref().map(|_| serde_json::Value::Null).map_err(Clone::clone);
                self.checked.replace(outcome.ok().flatten());
                request.respond(answer);
            }
            Some(Order::Reload) => match self.reload() {
                Ok(config) => return Sorted::Reconfigure(Box::new(config), Acknowledgement(request)),
                Err(findings) => request.respond(Err(findings.join("\n"))),
            },
        }
        Sorted::Answered
    }

    /// Reads the configuration file again, for SIGHUP. Logs warnings; on refusal logs every finding
    /// and returns `None`: the daemon goes on as it was.
    pub fn reload_config(&self) -> Option<Config> {
        self.reload().ok()
    }

    /// A recording notes the new text here: an engine told to reconfigure is told what was loaded last.
    fn reload(&self) -> Result<Config, Vec<String>> {
        let path = self.arguments.config.display();
        match read_config(&self.arguments.config, self.checked.take()) {
            Ok(read) => {
                read.warnings.iter().for_each(|w| tracing::warn!("{w}"));
                tracing::info!("{path} read again");
                self.access.set(&read.config.access);
                self.record_configuration(read.source);
                Ok(read.config)
            }
            Err(findings) => {
                findings.iter().for_each(|f| tracing::error!("{f}"));
                tracing::error!("{path} was refused; nothing has changed");
                Err(findings)
            }
        }
    }

    fn record_configuration(&self, source: Configuration) {
        let Some(recording) = &self.recording else { return };
        let mut sink = recording.sink();
        match frame(&Entry::<()>::Configured(source)) {
            // A sink that has ended told so when it did.
            Ok(entry) => drop(sink.write(&entry)),
            Err(why) => sink.give_up(&why.to_string()),
        }
    }

    /// Logs what an engine wants an operator to know, each code within its rate.
    pub fn notice(&mut self, notice: &Notice) {
        self.notices.write(self.clock.now(), notice);
    }
}

/// Runs a daemon; `shell` is everything between its start and its end. To be returned from `main`.
pub fn run<F, Fut>(identity: Identity, shell: F) -> ExitCode
where
    F: FnOnce(DaemonContext) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    // Who it is comes last, or the arguments' own chapter would stand in its place.
    let command = EngineArguments::augment_args(Command::new(identity.name));
    let matches = command.about(identity.about).version(env!("CARGO_PKG_VERSION")).get_matches();
    let EngineArguments { common: arguments, record } = match EngineArguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let read = match read_config(&arguments.config, None) {
        Ok(read) => {
            read.warnings.iter().for_each(|w| eprintln!("{w}"));
            read
        }
        Err(findings) => {
            findings.iter().for_each(|f| eprintln!("{f}"));
            return ExitCode::from(EXIT_REFUSED);
        }
    };
    if arguments.check {
        println!("{}: OK", arguments.config.display());
        return ExitCode::SUCCESS;
    }
    logging::start(identity.name, &arguments.log_level, arguments.log_format);
    match live(identity.name, arguments, record.as_deref(), read, shell) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error:#}", identity.name);
            ExitCode::FAILURE
        }
    }
}

fn live<F, Fut>(
    name: &'static str,
    arguments: Arguments,
    record: Option<&Path>,
    read: Read,
    shell: F,
) -> anyhow::Result<()>
where
    F: FnOnce(DaemonContext) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    let run_dir = arguments.run_dir.clone();
    fs::create_dir_all(&run_dir).with_context(|| format!("run directory {}", run_dir.display()))?;
    let _pid_file = PidFile::create(&run_dir.join(format!("{name}.pid")))?;
    // Only now: a second daemon for the same directory must not take the file away.
    let recording = record.map(start_recording).transpose()?.flatten();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let context = DaemonContext {
            name,
            arguments,
            access: Access::new(&read.config.access),
            config: read.config,
            clock: Clock,
            signals: Signals::new().context("signal handlers")?,
            notices: NoticeLog::new(),
            source: read.source,
            recording,
            checked: RefCell::default(),
        };
        tracing::info!("{name} {} starts", env!("CARGO_PKG_VERSION"));
        let result = shell(context).await;
        tracing::info!("{name} ends");
        result
    })
}

/// Opens the recording. A path that cannot be is refused; a disk that cannot now does not keep a router down.
fn start_recording(path: &Path) -> anyhow::Result<Option<Recording>> {
    match Recording::create(path) {
        Ok(recording) => Ok(Some(recording)),
        Err(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            tracing::error!(code = "recording-ended", "nothing is recorded: {}: {error}", path.display());
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("--record {}", path.display())),
    }
}

/// A configuration file that was accepted.
struct Read {
    config: Config,
    /// Printable.
    warnings: Vec<String>,
    source: Configuration,
}

/// The configuration, or all findings; each already printable. A text that was `checked` already is taken from there.
fn read_config(path: &Path, checked: Option<Checked>) -> Result<Read, Vec<String>> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|e| vec![format!("{file}: {e}")])?;
    if let Some(Checked { config, .. }) = checked.filter(|checked| checked.text == text) {
        return Ok(Read { config, warnings: Vec::new(), source: Configuration { file, text } });
    }
    let loaded = config::load(&file, &text);
    memory::give_back();
    match loaded {
        Ok(loaded) => {
            let warnings = loaded.warnings.iter().map(ToString::to_string).collect();
            Ok(Read { config: loaded.config, warnings, source: Configuration { file, text } })
        }
        Err(findings) => Err(findings.iter().map(ToString::to_string).collect()),
    }
}

/// Could this daemon live with a text? It says so by the code it was built with, which need not be the asker's. Warnings name the file, so
/// a text with some is read again from the daemon's own.
fn check(name: &str, text: String) -> Result<Option<Checked>, String> {
    let loaded = config::load(name, &text).map_err(|found| found.to_string())?;
    let unknown = unknown_groups(&loaded.config.access);
    if !unknown.is_empty() {
        // Asked now, because somebody reads the answer; a router that boots goes on without the group.
        return Err(unknown.join("\n"));
    }
    let is_clean = loaded.warnings.is_empty();
    Ok(is_clean.then_some(Checked { text, config: loaded.config }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_checked_without_being_loaded() {
        assert!(check("a.toml", "hostname = \"a\"".to_owned()).is_ok());
        let refused = check("a.toml", "hostnam = 1".to_owned()).unwrap_err();
        let unknown = "[access]\nreaders = \"no-such-group-here\"".to_owned();
        assert!(check("a.toml", unknown).unwrap_err().contains("groupadd"));
        assert!(refused.contains("a.toml") && refused.contains("did you mean `hostname`"), "{refused}");
    }

    #[test]
    fn a_checked_text_stands_only_for_itself() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("running.toml");
        let named = |name: &str| format!("hostname = \"{name}\"\n");
        let hostname = |checked: Option<Checked>| read_config(&file, checked).ok().unwrap().config.hostname;
        // What was read is told from what was remembered by a configuration that the text does not say.
        let remembered = |text: String| {
            let other = check("a.toml", named("remembered")).unwrap().unwrap();
            Some(Checked { text, config: other.config })
        };
        fs::write(&file, named("b")).unwrap();
        assert_eq!(hostname(remembered(named("b"))), "remembered");
        assert_eq!(hostname(remembered(named("a"))), "b");
        assert_eq!(hostname(None), "b");
    }

    #[derive(Debug, clap::Parser)]
    struct Probe {
        #[command(flatten)]
        arguments: EngineArguments,
    }

    #[test]
    fn arguments_have_defaults_and_bad_ones_are_refused() {
        use clap::Parser as _;
        let EngineArguments { common: probe, record } = Probe::try_parse_from(["d"]).unwrap().arguments;
        assert_eq!(record, None);
        assert_eq!(probe.run_dir, Path::new("/run/torc"));
        assert_eq!(probe.log_level.to_string(), "info");
        assert!(!probe.check);
        assert!(Probe::try_parse_from(["d", "--log-level", "=loud="]).is_err());
        assert!(Probe::try_parse_from(["d", "--log-format", "json"]).is_ok());
        let probe = Probe::try_parse_from(["d", "--record", "d.rec"]).unwrap().arguments;
        assert_eq!(probe.record.as_deref(), Some(Path::new("d.rec")));
    }
}
