//! Typed messages over Unix sockets: length-prefixed postcard, as ribd and its clients speak it.
//!
//! The types of the messages are the caller's. Both ends read and write in tasks of their own, so that
//! the engine's task never waits for a peer:
//!
//! * *Receiving* is bounded by a short channel: an engine that is busy lets the kernel's socket buffer
//!   fill and so slows the sender down.
//! * *Sending* never blocks. What waits for a peer is bounded by [`MAX_QUEUED`] octets; a peer that does not
//!   read that much, or moves nothing for [`STALLED`], is disconnected. Sessions are declarative
//!   and are repeated in full after a reconnect, so nothing is lost by that but time.

mod client;
mod server;

pub use client::{ClientEvent, FramedClient};
pub use server::{ConnectionId, FramedListener, ServerEvent};

use crate::unix::read_frame;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

/// Longest message, in octets.
pub const MAX_MESSAGE: usize = 16 << 20;
/// Octets that may wait for a peer to read them.
pub const MAX_QUEUED: usize = 64 << 20;
/// A peer that takes nothing for this long although something waits for it is gone.
pub const STALLED: Duration = Duration::from_secs(30);
/// Received messages that wait for the engine.
const RECEIVED_AHEAD: usize = 64;

/// A message as a frame.
fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?;
    let length = frame.len() - 4;
    if length > MAX_MESSAGE {
        return Err(io::Error::other(format!("a message of {length} octets is longer than {MAX_MESSAGE}")));
    }
    // proof: MAX_MESSAGE is below 2^32.
    let length = u32::try_from(length).expect("a message length fits 32 bits");
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

/// The engine's end of a connection's writer.
#[derive(Debug, Clone)]
struct Outgoing {
    frames: mpsc::UnboundedSender<Vec<u8>>,
    queued: Arc<AtomicUsize>,
}

/// Why a message was not queued.
enum NotQueued {
    /// The writer is gone.
    Closed,
    /// The peer has too much to read already.
    Full,
}

impl Outgoing {
    /// The two ends of a writer's queue.
    fn new() -> (Self, Waiting) {
        let (frames, receiver) = mpsc::unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        (Self { frames, queued: Arc::clone(&queued) }, Waiting { frames: receiver, queued })
    }

    fn queue(&self, frame: Vec<u8>) -> Result<(), NotQueued> {
        let length = frame.len();
        if self.queued.load(Ordering::Relaxed).saturating_add(length) > MAX_QUEUED {
            return Err(NotQueued::Full);
        }
        self.queued.fetch_add(length, Ordering::Relaxed);
        self.frames.send(frame).map_err(|_| NotQueued::Closed)
    }
}

/// The writer's end.
#[derive(Debug)]
struct Waiting {
    frames: mpsc::UnboundedReceiver<Vec<u8>>,
    queued: Arc<AtomicUsize>,
}

/// Writes frames until the queue's other end is dropped (`Ok`) or the peer is gone or stalled.
async fn write_frames(mut stream: OwnedWriteHalf, mut waiting: Waiting) -> io::Result<()> {
    while let Some(frame) = waiting.frames.recv().await {
        // A piece at a time: a slow reader is not a stalled one.
        for piece in frame.chunks(64 * 1024) {
            tokio::time::timeout(STALLED, stream.write_all(piece))
                .await
                .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the peer does not read"))??;
        }
        waiting.queued.fetch_sub(frame.len(), Ordering::Relaxed);
    }
    stream.shutdown().await
}

/// Reads messages and sends each, wrapped, to the engine until the peer closes (`Ok`) or talks nonsense.
async fn read_messages<T: DeserializeOwned, H>(
    stream: OwnedReadHalf,
    engine: &mpsc::Sender<H>,
    wrap: impl Fn(T) -> H,
) -> io::Result<()> {
    let mut stream = BufReader::with_capacity(64 * 1024, stream);
    let mut frame = Vec::new();
    while read_frame(&mut stream, MAX_MESSAGE, &mut frame).await? {
        let message = postcard::from_bytes(&frame).map_err(io::Error::other)?;
        engine.send(wrap(message)).await.map_err(|_| io::Error::other("the engine stopped"))?;
    }
    Ok(())
}
