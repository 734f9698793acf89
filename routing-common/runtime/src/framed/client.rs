//! The connecting side: one peer, found again whenever it is lost.

use super::{NotQueued, Outgoing, RECEIVED_AHEAD, Waiting, encode, read_messages, write_frames};
use core::marker::PhantomData;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// First pause between attempts to connect; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause: how late a client notices that its server is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What happened on the connecting side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent<Rx> {
    /// A connection is up; nothing sent on an earlier one counts any more.
    Connected,
    /// The server said something.
    Message(Rx),
    /// The connection is gone, for this reason. The next one is being sought already.
    Disconnected(String),
}

/// A connection that is sought for as long as this lives. Sends `Tx`, receives `Rx`.
#[derive(Debug)]
pub struct FramedClient<Tx, Rx> {
    happenings: mpsc::Receiver<Happening<Rx>>,
    /// `None` while there is no connection.
    outgoing: Option<Outgoing>,
    keeper: JoinHandle<()>,
    sends: PhantomData<fn(&Tx)>,
}

#[derive(Debug)]
enum Happening<Rx> {
    Connected(Outgoing),
    Message(Rx),
    Ended(String),
}

impl<Tx, Rx> FramedClient<Tx, Rx>
where
    Tx: Serialize,
    Rx: DeserializeOwned + Send + 'static,
{
    /// Starts to connect to the socket at `path`. Must be called inside a tokio runtime.
    pub fn new(path: PathBuf) -> Self {
        let (told, happenings) = mpsc::channel(RECEIVED_AHEAD);
        let keeper = tokio::spawn(keep_connected(path, told));
        Self { happenings, outgoing: None, keeper, sends: PhantomData }
    }

    /// What happens next. Cancel safe.
    pub async fn next(&mut self) -> ClientEvent<Rx> {
        match self.happenings.recv().await {
            Some(Happening::Connected(outgoing)) => {
                self.outgoing = Some(outgoing);
                ClientEvent::Connected
            }
            Some(Happening::Message(message)) => ClientEvent::Message(message),
            Some(Happening::Ended(reason)) => {
                self.outgoing = None;
                ClientEvent::Disconnected(reason)
            }
            // The keeper is gone, which happens only while the runtime shuts down.
            None => std::future::pending().await,
        }
    }

    /// Is a connection up, as far as [`FramedClient::next`] has told?
    pub fn is_connected(&self) -> bool {
        self.outgoing.is_some()
    }

    /// Queues a message; never blocks. Without a connection it is dropped: sessions begin with
    /// everything. A server that reads too little loses the connection.
    ///
    /// # Errors
    /// A message longer than a frame may be, or one the encoding refuses: a bug of the caller.
    pub fn send(&mut self, message: &Tx) -> io::Result<()> {
        let Some(outgoing) = &self.outgoing else { return Ok(()) };
        let frame = encode(message)?;
        match outgoing.queue(frame) {
            Ok(()) | Err(NotQueued::Closed) => {}
            // Dropping the only queue ends the writer and with it the connection, told as an event.
            Err(NotQueued::Full) => self.outgoing = None,
        }
        Ok(())
    }

    /// Ends the connection once what is queued has been written, or when `patience` is over.
    pub async fn finish(mut self, patience: Duration) {
        if self.outgoing.take().is_none() {
            return;
        }
        // Without its queue the writer comes to its end, and the keeper says so.
        let ended = async {
            while let Some(happening) = self.happenings.recv().await {
                if matches!(happening, Happening::Ended(_)) {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(patience, ended).await;
    }
}

impl<Tx, Rx> Drop for FramedClient<Tx, Rx> {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Connects, serves the connection until it ends, and again, until nobody listens any more.
async fn keep_connected<Rx: DeserializeOwned>(path: PathBuf, told: mpsc::Sender<Happening<Rx>>) {
    let mut pause = FIRST_PAUSE;
    let mut absence_told = false;
    loop {
        match UnixStream::connect(&path).await {
            Ok(stream) => {
                absence_told = false;
                let since = tokio::time::Instant::now();
                let (outgoing, waiting) = Outgoing::new();
                if told.send(Happening::Connected(outgoing)).await.is_err() {
                    return;
                }
                let reason = serve(stream, waiting, &told).await;
                if told.send(Happening::Ended(reason)).await.is_err() {
                    return;
                }
                // A server that accepts and hangs up must not be asked in a tight circle.
                if since.elapsed() > LONGEST_PAUSE {
                    pause = FIRST_PAUSE;
                }
            }
            Err(_) if absence_told => {}
            Err(error) => {
                absence_told = true;
                tracing::info!(%error, path = %path.display(), "nobody answers yet; trying on");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// One connection; returns why it ended.
async fn serve<Rx: DeserializeOwned>(
    stream: UnixStream,
    waiting: Waiting,
    told: &mpsc::Sender<Happening<Rx>>,
) -> String {
    let (incoming, outgoing) = stream.into_split();
    tokio::select! {
        ended = read_messages(incoming, told, Happening::Message) => ended.map_or_else(|e| e.to_string(), |()| "closed by the server".into()),
        ended = write_frames(outgoing, waiting) => {
            ended.map_or_else(|e| e.to_string(), |()| "closed by this end".into())
        }
    }
}
