//! One request to one daemon's control socket, from another daemon.

use crate::unix;
use anyhow::{Context as _, bail};
use routing_common::control::{Greeting, MAX_FRAME, Outcome, PROTOCOL_VERSION, Reply, Request, encode};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Why there is no answer that could be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// The daemon said no, and why.
    Refused(String),
    /// Nobody answered in time, and what happened instead.
    Silent(String),
}

/// Asks the daemon that listens on `socket`; everything together takes `patience` at most.
///
/// # Errors
/// See [`NoAnswer`].
pub async fn ask(socket: &Path, body: &impl Serialize, patience: Duration) -> Result<Value, NoAnswer> {
    let silent = |why: String| NoAnswer::Silent(why);
    let reply = match timeout(patience, converse(socket, body)).await {
        Ok(reply) => reply.map_err(|error| silent(format!("{error:#}")))?,
        Err(_) => return Err(silent(format!("no answer within {} s", patience.as_secs()))),
    };
    match reply.outcome {
        Outcome::Done(value) => Ok(value),
        Outcome::Refused(why) => Err(NoAnswer::Refused(why)),
    }
}

async fn converse(socket: &Path, body: &impl Serialize) -> anyhow::Result<Reply> {
    let mut stream = UnixStream::connect(socket).await.with_context(|| socket.display().to_string())?;
    let mut frame = Vec::new();
    let mut read = async |stream: &mut UnixStream| -> anyhow::Result<Vec<u8>> {
        if !unix::read_frame(stream, MAX_FRAME, &mut frame).await? {
            bail!("it closed the connection");
        }
        Ok(std::mem::take(&mut frame))
    };
    let greeting: Greeting = serde_json::from_slice(&read(&mut stream).await?)?;
    if greeting.protocol != PROTOCOL_VERSION {
        bail!("it speaks control protocol {}, not {PROTOCOL_VERSION}", greeting.protocol);
    }
    let request = Request { id: 1, body: serde_json::to_value(body)? };
    stream.write_all(&encode(&request)?).await?;
    Ok(serde_json::from_slice(&read(&mut stream).await?)?)
}
