//! What an engine was told, written down so that it can be told again.
//!
//! An engine is pure: the same configuration, seed and calls at the same times give the same outputs. A
//! *recording* therefore holds only what goes in: the configuration as the operator's text, the seed, and
//! every call of [`Machine::handle`] and [`Machine::handle_timeout`] with its time. Of what comes out it holds
//! a [`Digest`] per turn, enough for a replay to name the first turn in which the engine said something else.
//! `query`, `poll_timeout` and asking for outputs that are not there change nothing and are not recorded.
//!
//! Three parts:
//!
//! * [`Recordable`] is what an engine adds to [`Machine`]: how it is made, and an owned form of its inputs.
//! * [`Recorded`] owns an engine and is itself a [`Machine`]. It never lends the engine out for changing, so no
//!   call can bypass the recording. Where the bytes go is a [`Sink`]'s business; without one it costs one
//!   comparison per call.
//! * [`format`](mod@format) is the file.
//!
//! A **turn** is one call and the outputs taken after it until the next call. Shells may make the next call before
//! all outputs are taken (an answer of the kernel to one of them is an input), so a turn notes how many were.
//!
//! Invariant: a call is written before it is made. A daemon that dies of an input leaves that input behind.

mod digest;
pub mod format;

#[cfg(test)]
mod tests;

pub use digest::Digest;
pub use format::{Call, Configuration, Entry, Header, Reader, Reason, Turn};

use crate::config::Config;
use crate::machine::Machine;
use crate::time::Instant;
use core::fmt::Debug;
use core::ops::ControlFlow;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An engine whose inputs can be recorded and replayed.
pub trait Recordable: Machine<Output: Debug> + Sized {
    /// The daemon that runs it, as its recordings name it: "ospfd".
    const DAEMON: &'static str;

    /// An owned form of [`Machine::Input`]. A configuration is not part of it: see [`Entry::Configured`].
    type Record: Serialize + DeserializeOwned + Debug;

    /// The engine as the daemon makes it at its start. Engines without random choices ignore the seed.
    fn create(config: &Config, seed: u64) -> Self;

    /// What is written for an input.
    fn record(input: &Self::Input<'_>) -> Self::Record;

    /// The input again; `config` is the one loaded last.
    fn input<'a>(record: &'a Self::Record, config: &Config) -> Self::Input<'a>;
}

/// Where a recording goes.
pub trait Sink {
    /// Takes some bytes of the file, never a part of a frame. [`ControlFlow::Break`] ends the recording:
    /// nothing more will be given.
    fn write(&mut self, bytes: &[u8]) -> ControlFlow<()>;

    /// The recording ends here because an entry cannot be written down.
    fn give_up(&mut self, why: &str);
}

/// An engine and, perhaps, the recording of its inputs.
pub struct Recorded<E> {
    engine: E,
    recorder: Option<Recorder>,
}

struct Recorder {
    sink: Box<dyn Sink>,
    /// The turn whose outputs are being taken.
    turn: Option<(Digest, u64)>,
}

impl<E: Recordable> Recorded<E> {
    /// Makes the engine without recording it.
    pub fn silent(config: &Config, seed: u64) -> Self {
        Self { engine: E::create(config, seed), recorder: None }
    }

    /// Makes the engine and begins a recording; `source` is what `config` was loaded from.
    pub fn recording(config: &Config, seed: u64, source: Configuration, sink: Box<dyn Sink>) -> Self {
        let mut recorder = Recorder { sink, turn: None };
        let header = Header {
            daemon: E::DAEMON.to_owned(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            source,
        };
        let begun = recorder.begin(&header);
        Self { engine: E::create(config, seed), recorder: begun.is_continue().then_some(recorder) }
    }

    /// The engine, for looking at.
    pub fn engine(&self) -> &E {
        &self.engine
    }

    fn record(&mut self, call: impl FnOnce() -> Call<E::Record>) {
        if let Some(recorder) = &mut self.recorder
            && recorder.call(call()).is_break()
        {
            self.recorder = None;
        }
    }
}

impl<E: Recordable> Machine for Recorded<E> {
    type Input<'a> = E::Input<'a>;
    type Output = E::Output;

    fn handle(&mut self, now: Instant, input: E::Input<'_>) {
        self.record(|| Call::Input(now, E::record(&input)));
        self.engine.handle(now, input);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.record(|| Call::Timeout(now));
        self.engine.handle_timeout(now);
    }

    fn poll_output(&mut self) -> Option<E::Output> {
        let output = self.engine.poll_output();
        if let Some(recorder) = &mut self.recorder
            && recorder.output(output.as_ref()).is_break()
        {
            self.recorder = None;
        }
        output
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }
}

impl Recorder {
    fn begin(&mut self, header: &Header) -> ControlFlow<()> {
        self.sink.write(&format::MAGIC)?;
        self.write(&Entry::<()>::Header(header.clone()))
    }

    fn call<R: Serialize>(&mut self, call: Call<R>) -> ControlFlow<()> {
        self.end_turn(false)?;
        let entry = match format::frame(&Entry::Call(call)) {
            Ok(entry) => entry,
            Err(why) => return self.give_up(&why),
        };
        let mut digest = Digest::default();
        digest.bytes(&entry);
        self.turn = Some((digest, 0));
        self.sink.write(&entry)
    }

    fn output(&mut self, output: Option<&impl Debug>) -> ControlFlow<()> {
        match (output, &mut self.turn) {
            (None, _) => self.end_turn(true),
            (Some(output), Some((digest, outputs))) => {
                digest.value(output);
                *outputs += 1;
                ControlFlow::Continue(())
            }
            (Some(_), None) => self.give_up(&Reason::Unasked),
        }
    }

    fn end_turn(&mut self, drained: bool) -> ControlFlow<()> {
        match self.turn.take() {
            Some((mut digest, outputs)) => {
                digest.bytes(&[u8::from(drained)]);
                self.write(&Entry::<()>::Turn(Turn { outputs, drained, digest: digest.finish() }))
            }
            None => ControlFlow::Continue(()),
        }
    }

    fn write(&mut self, entry: &Entry<()>) -> ControlFlow<()> {
        match format::frame(entry) {
            Ok(bytes) => self.sink.write(&bytes),
            Err(why) => self.give_up(&why),
        }
    }

    fn give_up(&mut self, why: &Reason) -> ControlFlow<()> {
        self.sink.give_up(&why.to_string());
        ControlFlow::Break(())
    }
}
