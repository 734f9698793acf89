//! Log lines: where they go, and how an engine's [`Notice`]s become some without flooding the disk.

use crate::journal::{self, Journal, is_journal};
use core::fmt;
use routing_common::notice::{Notice, Severity};
use routing_common::time::Instant;
use std::collections::BTreeMap;
use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines of one notice code that may follow each other at once.
const BURST: u32 = 30;
/// After a burst, one line of a code per this time.
const REFILL: Duration = Duration::from_millis(200);

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// The journal's own protocol where stderr leads to systemd's journal, else text.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
    /// The journal's own protocol, with fields to search by.
    Journal,
}

/// What is logged: a level ("info"), or a filter such as "info,ospf=debug".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLevel(String);

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        EnvFilter::try_new(s)
            .map(|_| Self(s.to_owned()))
            .map_err(|e| format!("{s:?} is not a log level (error, warn, info, debug, trace) or filter: {e}"))
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lines have the facts of a notice as fields of their own; a person reads them in the sentence.
static FACTS: AtomicBool = AtomicBool::new(false);

/// Sends the log of the process `name` to where its format says. The second and later calls in a process change nothing.
pub fn start(name: &str, level: &LogLevel, format: LogFormat) {
    let to_journal = match format {
        LogFormat::Journal => true,
        LogFormat::Auto => is_journal(io::stderr(), env::var("JOURNAL_STREAM").ok().as_deref()),
        LogFormat::Text | LogFormat::Json => false,
    };
    let filter = EnvFilter::new(&level.0);
    let journal = to_journal.then(|| Journal::open(Path::new(journal::SOCKET), name));
    let lost = match journal {
        Some(Ok(journal)) => {
            FACTS.store(true, Ordering::Relaxed);
            let _ = tracing_subscriber::registry().with(filter).with(journal).try_init();
            return;
        }
        Some(Err(error)) => Some(error),
        None => None,
    };
    FACTS.store(format == LogFormat::Json, Ordering::Relaxed);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    // An error means a subscriber is installed already, as in tests.
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Auto | LogFormat::Text | LogFormat::Journal => builder.try_init(),
    };
    if let Some(error) = lost {
        tracing::warn!(%error, "no journal listens on {}; the log goes to stderr", journal::SOCKET);
    }
}

/// Turns notices into log lines, each code within its own rate: a storm of one kind hides no other.
#[derive(Debug, Default)]
pub struct NoticeLog {
    /// Whatever the process's log is like.
    facts: bool,
    codes: BTreeMap<&'static str, Budget>,
}

#[derive(Debug)]
struct Budget {
    lines: u32,
    refilled: Instant,
    suppressed: u64,
}

impl NoticeLog {
    /// Nothing logged yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One whose lines have the facts as fields.
    #[cfg(test)]
    pub(crate) fn with_facts() -> Self {
        Self { facts: true, ..Self::default() }
    }

    /// Logs `notice` unless its code has used up its rate; says later how many lines were left out.
    pub fn write(&mut self, now: Instant, notice: &Notice) {
        let Some(suppressed) = self.admit(now, notice.code) else { return };
        let (code, text) = (notice.code, notice.text.as_str());
        if suppressed > 0 {
            tracing::warn!(code, suppressed, "{suppressed} lines of this kind were left out");
        }
        let wants_facts = self.facts || FACTS.load(Ordering::Relaxed);
        let interface = notice.interface.as_deref().filter(|_| wants_facts);
        let neighbor = notice.neighbor.as_deref().filter(|_| wants_facts);
        match notice.severity {
            Severity::Debug => tracing::debug!(code, interface, neighbor, "{text}"),
            Severity::Info => tracing::info!(code, interface, neighbor, "{text}"),
            Severity::Warning => tracing::warn!(code, interface, neighbor, "{text}"),
            Severity::Error => tracing::error!(code, interface, neighbor, "{text}"),
        }
    }

    /// `None` when this line must be left out, else how many were left out before it.
    fn admit(&mut self, now: Instant, code: &'static str) -> Option<u64> {
        let budget = self.codes.entry(code).or_insert(Budget { lines: BURST, refilled: now, suppressed: 0 });
        let earned = now.since(budget.refilled).as_nanos() / REFILL.as_nanos();
        let earned = u32::try_from(earned).unwrap_or(BURST).min(BURST);
        if earned > 0 {
            budget.refilled = now;
            budget.lines = (budget.lines + earned).min(BURST);
        }
        if budget.lines == 0 {
            budget.suppressed += 1;
            return None;
        }
        budget.lines -= 1;
        Some(std::mem::take(&mut budget.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_of_one_code_is_cut_and_hides_no_other() {
        let mut log = NoticeLog::new();
        let t = Instant::from_secs(1);
        let admitted = (0..1000).filter(|_| log.admit(t, "storm").is_some()).count();
        assert_eq!(admitted, BURST as usize);
        assert_eq!(log.admit(t, "other"), Some(0));
        assert_eq!(log.admit(t + REFILL, "storm"), Some(1000 - u64::from(BURST)));
        assert_eq!(log.admit(t + REFILL, "storm"), None);
        assert_eq!(log.admit(t + Duration::from_secs(3600), "storm"), Some(1));
    }

    #[test]
    fn levels_and_filters_are_checked() {
        assert!("info".parse::<LogLevel>().is_ok());
        assert!("warn,routing_runtime=debug".parse::<LogLevel>().is_ok());
        assert!("ospf=loud".parse::<LogLevel>().is_err());
    }
}
