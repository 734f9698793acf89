//! The socket on which a daemon answers operators: `RUN_DIR/<daemon>.sock`.
//!
//! Each connection is a task of its own that reads frames, hands one request at a time to the engine's
//! task through a bounded channel and writes the reply. The engine's task therefore never waits for a
//! client: a silent one costs a slot, a slow one is dropped when it does not take a reply in time.
//! Encoding a large reply happens on a thread of its own, because it may take longer than a dead
//! interval allows.

use crate::unix::{self, ACCEPT_PAUSE};
use routing_common::control::{Greeting, Outcome, PROTOCOL_VERSION, Reply, Request, encode};
use serde::Serialize;
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Connections served at the same time; further ones are closed at once.
pub const MAX_CONNECTIONS: usize = 32;
/// Longest request, in octets; a whole configuration fits many times.
pub const MAX_REQUEST: usize = 4 << 20;
/// A client that began a request or is owed a reply must move within this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who is at the other end of a connection. It lives as long as the connection does, so a weak reference tells
/// whether that is still open.
#[derive(Debug, PartialEq, Eq)]
pub struct Peer {
    /// Tells this connection from every other one of the process.
    pub connection: u64,
    /// The user its process ran as when it connected.
    pub uid: u32,
    /// Its process.
    pub pid: Option<i32>,
}

/// One question or command, to be answered with [`ControlRequest::respond`].
#[derive(Debug)]
pub struct ControlRequest {
    /// The engine's `api::Request` as JSON.
    pub body: Value,
    /// Who asks.
    pub peer: Arc<Peer>,
    answer: oneshot::Sender<Outcome>,
}

impl ControlRequest {
    /// Answers; never blocks. If the client has gone the answer is dropped.
    pub fn respond(self, result: Result<Value, String>) {
        let _ = self.answer.send(match result {
            Ok(value) => Outcome::Done(value),
            Err(text) => Outcome::Refused(text),
        });
    }
}

/// The listening socket and its connections. Dropping it closes all of them and removes the socket.
#[derive(Debug)]
pub struct ControlServer {
    requests: mpsc::Receiver<ControlRequest>,
    acceptor: AbortHandle,
    path: PathBuf,
}

impl ControlServer {
    /// Listens at `run_dir/<daemon>.sock`, replacing a stale socket. From then on connections are
    /// accepted: to the rest of the suite this is what "ready" means.
    ///
    /// # Errors
    /// When the socket cannot be made there.
    pub fn bind(run_dir: &Path, daemon: &str) -> io::Result<Self> {
        let path = run_dir.join(format!("{daemon}.sock"));
        let listener = unix::listen(&path)?;
        let greeting = Greeting {
            daemon: daemon.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL_VERSION,
        };
        let greeting = encode(&greeting).map_err(io::Error::other)?;
        let (sender, requests) = mpsc::channel(MAX_CONNECTIONS);
        let acceptor = tokio::spawn(async move {
            let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
            let mut connection = 0;
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => match Arc::clone(&slots).try_acquire_owned() {
                        Ok(slot) => {
                            connection += 1;
                            let peer = Arc::new(peer_of(&stream, connection));
                            tokio::spawn(serve(stream, peer, slot, greeting.clone(), sender.clone()));
                        }
                        Err(_) => tracing::warn!("control connection refused: {MAX_CONNECTIONS} are open"),
                    },
                    Err(error) => {
                        tracing::warn!(%error, "control connection not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        })
        .abort_handle();
        Ok(Self { requests, acceptor, path })
    }

    /// The next request. Cancel safe.
    pub async fn next_request(&mut self) -> ControlRequest {
        match self.requests.recv().await {
            Some(request) => request,
            // The acceptor is gone, which happens only while the runtime shuts down.
            None => std::future::pending().await,
        }
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.acceptor.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The kernel notes who it is at the connection's beginning; without that the peer is nobody in particular.
fn peer_of(stream: &UnixStream, connection: u64) -> Peer {
    match stream.peer_cred() {
        Ok(cred) => Peer { connection, uid: cred.uid(), pid: cred.pid() },
        Err(_) => Peer { connection, uid: u32::MAX, pid: None },
    }
}

/// One connection from greeting to end; `_slot` is given back with it.
async fn serve(
    stream: UnixStream,
    peer: Arc<Peer>,
    _slot: OwnedSemaphorePermit,
    greeting: Vec<u8>,
    engine: mpsc::Sender<ControlRequest>,
) {
    if let Err(error) = converse(stream, &greeting, &engine, &peer).await {
        tracing::debug!(%error, "control connection ended");
    }
}

async fn converse(
    stream: UnixStream,
    greeting: &[u8],
    engine: &mpsc::Sender<ControlRequest>,
    peer: &Arc<Peer>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    patiently(stream.get_mut().write_all(greeting)).await?;
    let mut frame = Vec::new();
    loop {
        // A shell may sit at its prompt for days, so only what follows the first octet is timed.
        let mut head = [0; 4];
        if stream.read(&mut head[..1]).await? == 0 {
            return Ok(());
        }
        patiently(unix::read_rest(&mut stream, head, MAX_REQUEST, &mut frame)).await?;
        let request: Request = serde_json::from_slice(&frame)?;
        let (answer, answered) = oneshot::channel();
        let gone = || io::Error::other("the engine stopped");
        let question = ControlRequest { body: request.body, peer: Arc::clone(peer), answer };
        engine.send(question).await.map_err(|_| gone())?;
        let outcome = answered.await.map_err(|_| gone())?;
        let reply = encode_aside(Reply { id: request.id, outcome }).await?;
        // The whole reply need not arrive within the time, but each piece of it must move.
        for piece in reply.chunks(64 * 1024) {
            patiently(stream.get_mut().write_all(piece)).await?;
        }
    }
}

/// Encodes off the engine's thread.
async fn encode_aside(message: impl Serialize + Send + 'static) -> io::Result<Vec<u8>> {
    let encoded = tokio::task::spawn_blocking(move || encode(&message)).await;
    encoded.map_err(io::Error::other)?.map_err(io::Error::other)
}

async fn patiently<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
