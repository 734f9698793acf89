//! One question to one daemon over its control socket.
//!
//! The shell is short-lived and synchronous: a blocking socket with a time limit, no runtime. A daemon that
//! does not answer is an error with its name, never an empty success.

use anyhow::{Context, Result, bail};
use routing_common::control::{FrameDecoder, Greeting, Outcome, PROTOCOL_VERSION, Reply, Request, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a daemon may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A greeted connection.
pub(crate) struct Connection {
    daemon: String,
    greeting: Greeting,
    stream: UnixStream,
    decoder: FrameDecoder,
    next_id: u64,
}

/// Asks `daemon` in `run_dir` one thing.
pub(crate) fn ask(run_dir: &Path, daemon: &str, request: &impl Serialize) -> Result<Value> {
    Connection::open(run_dir, daemon)?.ask(serde_json::to_value(request)?)
}

impl Connection {
    /// Connects to `daemon` in `run_dir` and reads its greeting.
    pub(crate) fn open(run_dir: &Path, daemon: &str) -> Result<Self> {
        let path = run_dir.join(format!("{daemon}.sock"));
        let stream = UnixStream::connect(&path).map_err(|error| {
            let why = match error.kind() {
                ErrorKind::PermissionDenied => "may not be asked by you; see [access] in the configuration",
                _ => "is not running",
            };
            anyhow::Error::new(error).context(format!("{daemon} {why} (no answer on {})", path.display()))
        })?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let greeting = Greeting { daemon: String::new(), version: String::new(), protocol: 0 };
        let decoder = FrameDecoder::default();
        let mut connection = Self { daemon: daemon.to_owned(), greeting, stream, decoder, next_id: 1 };
        connection.greeting = connection.receive()?;
        let theirs = connection.greeting.protocol;
        if theirs != PROTOCOL_VERSION {
            bail!(
                "{daemon} speaks control protocol {theirs}, this shell {PROTOCOL_VERSION}: use the shell of its release"
            );
        }
        Ok(connection)
    }

    /// The daemon's release.
    pub(crate) fn version(&self) -> &str {
        &self.greeting.version
    }

    /// Asks; a refusal is an error with the daemon's reason.
    pub(crate) fn ask(&mut self, body: Value) -> Result<Value> {
        let id = self.next_id;
        self.next_id += 1;
        let frame = encode(&Request { id, body })?;
        self.stream.write_all(&frame).with_context(|| format!("{} went away", self.daemon))?;
        let reply: Reply = self.receive()?;
        if reply.id != id {
            bail!("{} answered request {} instead of {id}", self.daemon, reply.id);
        }
        match reply.outcome {
            Outcome::Done(value) => Ok(value),
            Outcome::Refused(reason) => bail!("{}: {reason}", self.daemon),
        }
    }

    fn receive<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut piece = vec![0; 64 << 10];
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return serde_json::from_slice(frame)
                    .with_context(|| format!("{} sent what this shell cannot read", self.daemon));
            }
            let count = self
                .stream
                .read(&mut piece)
                .with_context(|| format!("{} gave no answer within {} s", self.daemon, PATIENCE.as_secs()))?;
            if count == 0 {
                bail!("{} closed the connection before it answered", self.daemon);
            }
            self.decoder.push(piece.get(..count).unwrap_or_default());
        }
    }
}
