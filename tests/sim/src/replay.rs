//! Tells an engine again what a daemon's recording says it was told.
//!
//! The engine is made from the recorded configuration and seed, and every call is made at its recorded time. After
//! each, as many outputs are taken as the daemon took, and their digest is compared ([`routing_common::record`]).
//! The first turn that differs ends the replay as a [`Difference`]: either the engine is another than the one that
//! was recorded, or it depends on something that is not among its inputs, or the file was changed.
//!
//! An input that made the engine panic does so here as well: a recording ends with the call that was being made.
//!
//! Names of files in the recording are only shown, never opened.

use anyhow::Context as _;
use bfd_proto::Instance as Bfd;
use core::fmt::{self, Debug};
use ospf_proto::Instance as Ospf;
use rib::Rib;
use routing_common::config::{self, Config};
use routing_common::record::{Call, Configuration, Digest, Entry, Header, Reader, Recordable, Turn};
use routing_common::time::{Duration, Instant};
use std::path::Path;
use vrrp_proto::Instance as Vrrp;

/// Outputs a difference shows; more are only counted.
const SHOWN: usize = 20;

/// A recording that was replayed to its end without a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Whose it is: "ospfd".
    pub daemon: String,
    /// The release that recorded it.
    pub release: String,
    /// Calls made: inputs and timeouts.
    pub turns: u64,
    /// Inputs among them.
    pub inputs: u64,
    /// Outputs that were compared.
    pub outputs: u64,
    /// From the first call to the last.
    pub span: Duration,
    /// Bytes of an entry that the daemon's death cut off.
    pub torn: usize,
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { daemon, release, turns, inputs, outputs, span, torn } = self;
        write!(
            f,
            "{daemon} {release}: the same {outputs} outputs in {turns} turns ({inputs} inputs), {span:?}"
        )?;
        if *torn > 0 {
            write!(f, "; {torn} bytes of an unfinished entry at the end")?;
        }
        Ok(())
    }
}

/// The first turn in which the engine did something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its number, from 1.
    pub turn: u64,
    /// Its time.
    pub at: Instant,
    /// What the engine was told.
    pub call: String,
    /// What the daemon's engine did.
    pub recorded: Turn,
    /// What this one did.
    pub replayed: Turn,
    /// What this one says, the first few.
    pub outputs: Vec<String>,
    /// The release that recorded it.
    pub release: String,
}

impl std::error::Error for Difference {}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "turn {} at {}: {}", self.turn, self.at, self.call)?;
        let told = |turn: &Turn| {
            let rest = if turn.drained { "and no more" } else { "and perhaps more" };
            format!("{} outputs {rest}, digest {:016x}", turn.outputs, turn.digest)
        };
        writeln!(f, "  recorded: {}", told(&self.recorded))?;
        write!(f, "  now:      {}", told(&self.replayed))?;
        for output in &self.outputs {
            write!(f, "\n    {output}")?;
        }
        if self.release != env!("CARGO_PKG_VERSION") {
            let own = env!("CARGO_PKG_VERSION");
            write!(f, "\n  recorded by release {}, this is {own}", self.release)?;
        }
        Ok(())
    }
}

/// Replays a file.
///
/// # Errors
/// It cannot be read, is no recording, is damaged at some byte, or the engine differs (a [`Difference`]).
pub fn replay_file(path: &Path) -> anyhow::Result<Replayed> {
    let shown = || path.display().to_string();
    let bytes = std::fs::read(path).with_context(shown)?;
    replay(&bytes).with_context(shown)
}

/// Replays a recording that is in memory.
///
/// # Errors
/// As [`replay_file`].
pub fn replay(bytes: &[u8]) -> anyhow::Result<Replayed> {
    let (header, reader) = Reader::open(bytes)?;
    match header.daemon.as_str() {
        Ospf::DAEMON => Replay::<Ospf>::new(header)?.run(reader),
        Bfd::DAEMON => Replay::<Bfd>::new(header)?.run(reader),
        Vrrp::DAEMON => Replay::<Vrrp>::new(header)?.run(reader),
        Rib::DAEMON => Replay::<Rib>::new(header)?.run(reader),
        other => anyhow::bail!("a recording of {other}, which has no engine here"),
    }
}

struct Replay<E> {
    engine: E,
    /// The configuration loaded last.
    config: Config,
    done: Replayed,
    first: Option<Instant>,
    last: Instant,
    /// The call whose recorded outcome comes next.
    open: Option<Open>,
}

/// A call that was made.
struct Open {
    /// After the call's frame.
    digest: Digest,
    at: Instant,
    call: String,
}

impl<E: Recordable> Replay<E> {
    fn new(header: Header) -> anyhow::Result<Self> {
        let config = load(&header.source)?;
        let done = Replayed {
            daemon: header.daemon,
            release: header.release,
            turns: 0,
            inputs: 0,
            outputs: 0,
            span: Duration::ZERO,
            torn: 0,
        };
        let engine = E::create(&config, header.seed);
        Ok(Self { engine, config, done, first: None, last: Instant::ZERO, open: None })
    }

    fn run(mut self, mut reader: Reader<'_>) -> anyhow::Result<Replayed> {
        loop {
            let offset = reader.offset();
            let Some(entry) = reader.entry::<E::Record>()? else { break };
            let place = || format!("byte {offset}, after turn {}", self.done.turns);
            match entry {
                Entry::Header(_) => anyhow::bail!("{}: a second header", place()),
                Entry::Configured(source) => self.config = load(&source).with_context(place)?,
                Entry::Call(call) => {
                    anyhow::ensure!(self.open.is_none(), "{}: the turn's outcome is missing", place());
                    anyhow::ensure!(call.at() >= self.last, "{}: time runs backwards", place());
                    self.call(&call, reader.frame());
                }
                Entry::Turn(turn) => {
                    let Some(open) = self.open.take() else {
                        anyhow::bail!("{}: an outcome without a call", place());
                    };
                    self.compare(open, turn)?;
                }
            }
        }
        self.done.span = self.last.since(self.first.unwrap_or_default());
        self.done.torn = reader.torn();
        Ok(self.done)
    }

    fn call(&mut self, call: &Call<E::Record>, frame: &[u8]) {
        self.last = call.at();
        self.first.get_or_insert(self.last);
        self.done.turns += 1;
        let mut digest = Digest::default();
        digest.bytes(frame);
        let text = match call {
            Call::Timeout(at) => {
                self.engine.handle_timeout(*at);
                "timeout".to_owned()
            }
            Call::Input(at, record) => {
                self.done.inputs += 1;
                self.engine.handle(*at, E::input(record, &self.config));
                format!("{record:?}")
            }
        };
        self.open = Some(Open { digest, at: call.at(), call: text });
    }

    /// Takes the outputs the daemon took, and looks whether there are more if it found none.
    fn compare(&mut self, open: Open, recorded: Turn) -> anyhow::Result<()> {
        let Open { mut digest, at, call } = open;
        let mut outputs = Vec::new();
        let mut taken = 0;
        while recorded.drained || taken < recorded.outputs {
            let Some(output) = self.engine.poll_output() else { break };
            digest.value(&output);
            taken += 1;
            if outputs.len() < SHOWN {
                outputs.push(output);
            }
        }
        digest.bytes(&[u8::from(recorded.drained)]);
        let replayed = Turn { outputs: taken, drained: recorded.drained, digest: digest.finish() };
        if replayed == recorded {
            self.done.outputs += taken;
            return Ok(());
        }
        let (turn, release) = (self.done.turns, self.done.release.clone());
        let outputs = outputs.iter().map(|o| format!("{o:?}")).collect();
        Err(Difference { turn, at, call, recorded, replayed, outputs, release }.into())
    }
}

fn load(source: &Configuration) -> anyhow::Result<Config> {
    config::load(&source.file, &source.text)
        .map(|loaded| loaded.config)
        .map_err(|found| anyhow::anyhow!("the recorded configuration is refused:\n{found}"))
}
