//! Frames and envelopes of the control sockets.

use routing_common::control::{FrameDecoder, Greeting, MAX_FRAME, Reply, Request, encode, processes};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The first octet is the size of the pieces the stream arrives in. Frames must not depend on it.
pub fn control(data: &[u8]) {
    let Some((piece, stream)) = data.split_first() else { return };
    let whole = frames(stream, stream.len().max(1));
    assert_eq!(frames(stream, usize::from(*piece).max(1)), whole, "cut differently, other frames");
    for frame in whole.0 {
        again::<Greeting>(&frame);
        again::<Request>(&frame);
        again::<Reply>(&frame);
        if let Ok(reply) = serde_json::from_slice(&frame) {
            // An answer of another release: refused or shown, never a panic.
            let _text = processes::render_text(&processes::Request::ShowProcesses, &reply);
        }
    }
}

/// The frames of a stream, and whether it ended in an error.
fn frames(stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, bool) {
    let mut decoder = FrameDecoder::default();
    let mut frames = Vec::new();
    for piece in stream.chunks(piece) {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    assert!(error.to_string().contains("limit"), "{error}");
                    return (frames, true);
                }
            }
        }
    }
    assert!(frames.iter().all(|f| f.len() <= MAX_FRAME));
    (frames, false)
}

fn again<T: Serialize + DeserializeOwned + PartialEq + core::fmt::Debug>(frame: &[u8]) {
    let Ok(message) = serde_json::from_slice::<T>(frame) else { return };
    let written = encode(&message).expect("a message that was read can be written");
    let (read, _) = frames(&written, written.len());
    assert_eq!(read.len(), 1);
    let read: T = serde_json::from_slice(&read[0]).expect("own message refused");
    assert_eq!(read, message);
}
