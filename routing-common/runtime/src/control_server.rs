//! The socket on which a daemon answers operators: `RUN_DIR/<daemon>.sock`.
//!
//! Each connection is a task of its own that reads frames, hands one request at a time to the engine's
//! task through a bounded channel and writes the reply. The engine's task therefore never waits for a
//! client: a silent one costs a slot, a slow one is dropped when it does not take a reply in time.
//! Encoding a large reply happens on a thread of its own, because it may take longer than a dead
//! interval allows.
//!
//! What somebody may not do ([`crate::access`]) is refused here, before the engine's task learns of it. Those who may only look
//! have connections of their own to use up, and strangers a few that end after one answer, so that neither can keep
//! operators out.

use crate::access::{Access, Rules, Standing};
use crate::clock::Clock;
use crate::logging::NoticeLog;
use crate::memory;
use crate::sys;
use crate::unix::{self, ACCEPT_PAUSE};
use routing_common::control::{Greeting, Outcome, PROTOCOL_VERSION, Reply, Request, encode};
use routing_common::notice::Notice;
use serde::Serialize;
use serde_json::Value;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Connections of operators served at the same time; further ones are closed at once.
pub const MAX_CONNECTIONS: usize = 32;
/// Those of readers.
const MAX_READERS: usize = 16;
/// Those of people who are only told that they may nothing.
const MAX_STRANGERS: usize = 4;
/// Longest request, in octets; a whole configuration fits many times.
pub const MAX_REQUEST: usize = 4 << 20;
/// A request or reply from which on what it took is given back to the kernel, in octets.
const LARGE: usize = 256 << 10;
/// Refusals that wait for the log.
const REFUSALS_AHEAD: usize = 64;
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
    /// Its group and further groups at that time.
    pub groups: Vec<u32>,
}

/// Is a request one that changes nothing? What the daemon does not understand changes something.
pub type IsQuestion = fn(&Value) -> bool;

/// One question or command, to be answered with [`ControlRequest::respond`].
#[derive(Debug)]
pub struct ControlRequest {
    /// The engine's `api::Request` as JSON.
    pub body: Value,
    /// Who asks.
    pub peer: Arc<Peer>,
    /// May secrets be in the answer?
    pub is_operator: bool,
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
    pub fn bind(run_dir: &Path, daemon: &str, access: &Access, is_question: IsQuestion) -> io::Result<Self> {
        let path = run_dir.join(format!("{daemon}.sock"));
        let rules = access.follow();
        let listener = unix::listen(&path, rules.borrow().socket_mode())?;
        let greeting = Greeting {
            daemon: daemon.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL_VERSION,
        };
        let greeting = encode(&greeting).map_err(io::Error::other)?;
        let (engine, requests) = mpsc::channel(MAX_CONNECTIONS);
        let (refusals, refused) = mpsc::channel(REFUSALS_AHEAD);
        let door = Door { rules, is_question, greeting, engine, refusals };
        let acceptor = tokio::spawn(accept(listener, path.clone(), door, refused)).abort_handle();
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

/// What every connection's task knows.
#[derive(Debug, Clone)]
struct Door {
    rules: watch::Receiver<Rules>,
    is_question: IsQuestion,
    greeting: Vec<u8>,
    engine: mpsc::Sender<ControlRequest>,
    /// For the log, which has one owner.
    refusals: mpsc::Sender<Notice>,
}

impl Door {
    fn standing(&self, peer: &Peer) -> Standing {
        self.rules.borrow().standing(peer.uid, &peer.groups)
    }

    /// Logs that somebody wanted too much; the answer for him.
    fn refuse(&self, peer: &Peer, standing: Standing) -> Outcome {
        let why = self.rules.borrow().refusal(peer.uid, standing);
        let pid = peer.pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string());
        let notice = Notice::warning("access-refused", format!("refused to process {pid}: {why}"));
        // When so many wait already, the log would leave this one out, too.
        let _ = self.refusals.try_send(notice);
        Outcome::Refused(why)
    }
}

async fn accept(listener: UnixListener, path: PathBuf, mut door: Door, mut refused: mpsc::Receiver<Notice>) {
    let mut log = NoticeLog::new();
    let slots = [MAX_CONNECTIONS, MAX_READERS, MAX_STRANGERS].map(|most| Arc::new(Semaphore::new(most)));
    let [for_operators, for_readers, for_strangers] = &slots;
    let mut connection = 0;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(notice) = refused.recv() => {
                log.write(Clock.now(), &notice);
                continue;
            }
            Ok(()) = door.rules.changed() => {
                let mode = door.rules.borrow_and_update().socket_mode();
                if let Err(error) = unix::set_mode(&path, mode) {
                    tracing::error!(%error, "the mode of {} cannot be changed", path.display());
                }
                continue;
            }
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "control connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        connection += 1;
        let peer = Arc::new(peer_of(&stream, connection));
        let standing = door.standing(&peer);
        let slots = match standing {
            Standing::Operator => for_operators,
            Standing::Reader => for_readers,
            Standing::Stranger => for_strangers,
        };
        match Arc::clone(slots).try_acquire_owned() {
            Ok(slot) => drop(tokio::spawn(serve(stream, peer, standing, slot, door.clone()))),
            Err(_) if standing == Standing::Operator => {
                tracing::warn!("control connection refused: {MAX_CONNECTIONS} are open");
            }
            // Who may not change anything does not fill the log either.
            Err(_) => tracing::debug!(uid = peer.uid, "control connection refused: too many are open"),
        }
    }
}

/// The kernel notes who it is at the connection's beginning; without that the peer is nobody in particular.
fn peer_of(stream: &UnixStream, connection: u64) -> Peer {
    let Ok(cred) = stream.peer_cred() else {
        return Peer { connection, uid: u32::MAX, pid: None, groups: Vec::new() };
    };
    let mut groups = sys::peer_groups(stream.as_fd()).unwrap_or_else(|error| {
        tracing::warn!(%error, "the further groups of a peer are not known");
        Vec::new()
    });
    groups.push(cred.gid());
    Peer { connection, uid: cred.uid(), pid: cred.pid(), groups }
}

/// One connection from greeting to end; `_slot`, one of its `standing`, is given back with it.
async fn serve(
    stream: UnixStream,
    peer: Arc<Peer>,
    standing: Standing,
    _slot: OwnedSemaphorePermit,
    door: Door,
) {
    let ended = match standing {
        // He gets one answer and not much time for his question.
        Standing::Stranger => patiently(converse(stream, &door, &peer)).await,
        Standing::Operator | Standing::Reader => converse(stream, &door, &peer).await,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "control connection ended");
    }
}

async fn converse(stream: UnixStream, door: &Door, peer: &Arc<Peer>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    patiently(stream.get_mut().write_all(&door.greeting)).await?;
    let mut frame = Vec::new();
    loop {
        // A shell may sit at its prompt for days, so only what follows the first octet is timed.
        let mut head = [0; 4];
        if stream.read(&mut head[..1]).await? == 0 {
            return Ok(());
        }
        patiently(unix::read_rest(&mut stream, head, MAX_REQUEST, &mut frame)).await?;
        let request: Request = serde_json::from_slice(&frame)?;
        // The rules may have changed since the last question.
        let standing = door.standing(peer);
        let may = match standing {
            Standing::Operator => true,
            Standing::Reader => (door.is_question)(&request.body),
            Standing::Stranger => false,
        };
        let outcome = if may {
            let (answer, answered) = oneshot::channel();
            let gone = || io::Error::other("the engine stopped");
            let is_operator = standing == Standing::Operator;
            let peer = Arc::clone(peer);
            let question = ControlRequest { body: request.body, peer, is_operator, answer };
            door.engine.send(question).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        } else {
            door.refuse(peer, standing)
        };
        let reply = encode_aside(Reply { id: request.id, outcome }).await?;
        // The whole reply need not arrive within the time, but each piece of it must move.
        for piece in reply.chunks(64 * 1024) {
            patiently(stream.get_mut().write_all(piece)).await?;
        }
        if standing == Standing::Stranger {
            return Ok(());
        }
        if frame.len().max(reply.len()) >= LARGE {
            drop(reply);
            frame = Vec::new();
            memory::give_back();
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
