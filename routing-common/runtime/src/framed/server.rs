//! The listening side: many peers, one engine.

use super::{NotQueued, Outgoing, RECEIVED_AHEAD, encode, read_messages, write_frames};
use crate::unix::{self, ACCEPT_PAUSE};
use core::marker::PhantomData;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Connections held at the same time; further ones are closed at once.
const MAX_CONNECTIONS: usize = 64;

/// One connection, never used again for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What happened on the listening side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerEvent<Rx> {
    /// A peer connected.
    Connected(ConnectionId),
    /// It said something.
    Message(ConnectionId, Rx),
    /// It is gone, for this reason; nothing more comes from it. Not told for connections the engine
    /// closed itself.
    Disconnected(ConnectionId, String),
}

/// A listening socket whose peers send `Rx` and are sent `Tx`. Dropping it closes all connections and
/// removes the socket.
#[derive(Debug)]
pub struct FramedListener<Tx, Rx> {
    listener: UnixListener,
    path: PathBuf,
    last_id: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Told by the connections' tasks.
    happenings: mpsc::Receiver<Happening<Rx>>,
    happening: mpsc::Sender<Happening<Rx>>,
    /// Disconnections decided here, not yet told.
    untold: VecDeque<ServerEvent<Rx>>,
    sends: PhantomData<fn(&Tx)>,
}

#[derive(Debug)]
enum Happening<Rx> {
    Message(ConnectionId, Rx),
    Ended(ConnectionId, String),
}

#[derive(Debug)]
struct Connection {
    outgoing: Outgoing,
    reader: AbortHandle,
    writer: AbortHandle,
}

impl<Tx, Rx> FramedListener<Tx, Rx>
where
    Tx: Serialize,
    Rx: DeserializeOwned + Send + 'static,
{
    /// Listens at `path`, replacing a stale socket. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the socket cannot be made there.
    pub fn bind(path: &Path) -> io::Result<Self> {
        let (happening, happenings) = mpsc::channel(RECEIVED_AHEAD);
        Ok(Self {
            listener: unix::listen(path, unix::MODE)?,
            path: path.to_owned(),
            last_id: 0,
            connections: BTreeMap::new(),
            happenings,
            happening,
            untold: VecDeque::new(),
            sends: PhantomData,
        })
    }

    /// What happens next. Cancel safe.
    pub async fn next(&mut self) -> ServerEvent<Rx> {
        loop {
            if let Some(event) = self.untold.pop_front() {
                return event;
            }
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => if let Some(id) = self.open(stream) {
                        return ServerEvent::Connected(id);
                    },
                    Err(error) => {
                        tracing::warn!(%error, path = %self.path.display(), "connection not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                // `self` holds a sender, so the channel never closes.
                Some(happening) = self.happenings.recv() => match happening {
                    Happening::Message(id, m) if self.connections.contains_key(&id) => {
                        return ServerEvent::Message(id, m);
                    }
                    Happening::Ended(id, reason) => self.drop_connection(id, reason),
                    Happening::Message(..) => {}
                },
            }
        }
    }

    /// Queues a message; never blocks. A peer that reads too little is disconnected, which is told as
    /// an event. Nothing happens if the connection is gone.
    pub fn send(&mut self, id: ConnectionId, message: &Tx) {
        let Some(connection) = self.connections.get(&id) else { return };
        let queued = encode(message).map(|frame| connection.outgoing.queue(frame));
        match queued {
            // When the writer is gone its end is on its way as a happening.
            Ok(Ok(()) | Err(NotQueued::Closed)) => {}
            Ok(Err(NotQueued::Full)) => self.drop_connection(id, "it does not read".into()),
            Err(error) => self.drop_connection(id, error.to_string()),
        }
    }

    /// Closes a connection after what is queued for it has been written.
    pub fn close(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.remove(&id) {
            // Dropping its queue lets the writer finish and end.
            connection.reader.abort();
        }
    }

    fn open(&mut self, stream: UnixStream) -> Option<ConnectionId> {
        if self.connections.len() >= MAX_CONNECTIONS {
            tracing::warn!(path = %self.path.display(), "connection refused: {MAX_CONNECTIONS} are open");
            return None;
        }
        self.last_id += 1;
        let id = ConnectionId(self.last_id);
        let (incoming, outgoing_stream) = stream.into_split();
        let (outgoing, waiting) = Outgoing::new();
        let told = self.happening.clone();
        let writer = tokio::spawn(async move {
            // The end of an orderly writer is the engine's own doing and needs no telling.
            if let Err(error) = write_frames(outgoing_stream, waiting).await {
                let _ = told.send(Happening::Ended(id, error.to_string())).await;
            }
        })
        .abort_handle();
        let told = self.happening.clone();
        let reader = tokio::spawn(async move {
            let ended = read_messages(incoming, &told, |m| Happening::Message(id, m)).await;
            let reason = ended.map_or_else(|e| e.to_string(), |()| "closed by the peer".into());
            let _ = told.send(Happening::Ended(id, reason)).await;
        })
        .abort_handle();
        self.connections.insert(id, Connection { outgoing, reader, writer });
        Some(id)
    }

    fn drop_connection(&mut self, id: ConnectionId, reason: String) {
        if let Some(connection) = self.connections.remove(&id) {
            connection.reader.abort();
            connection.writer.abort();
            self.untold.push_back(ServerEvent::Disconnected(id, reason));
        }
    }
}

impl<Tx, Rx> Drop for FramedListener<Tx, Rx> {
    fn drop(&mut self) {
        for connection in self.connections.values() {
            connection.reader.abort();
            connection.writer.abort();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}
