//! Frames: a big-endian 32-bit length, then that many octets.

use serde::Serialize;

/// The longest frame either side accepts, in octets without the length. Larger is a broken peer.
pub const MAX_FRAME: usize = 64 << 20;

/// Why a byte stream is not a sequence of frames.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The announced length is over [`MAX_FRAME`].
    #[error("a frame of {0} octets is longer than the limit")]
    TooLong(usize),
}

/// One message as a frame of JSON.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message)?;
    let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
    if let Some(head) = frame.first_chunk_mut::<4>() {
        *head = length.to_be_bytes();
    }
    Ok(frame)
}

/// Cuts a byte stream that arrives in pieces into frames.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    start: usize,
}

impl FrameDecoder {
    /// Takes the next piece of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete frame's octets, without the length.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let pending = self.buffer.get(self.start..).unwrap_or_default();
        let Some((head, rest)) = pending.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*head) as usize;
        if length > MAX_FRAME {
            return Err(FrameError::TooLong(length));
        }
        if rest.len() < length {
            return Ok(None);
        }
        let from = self.start + 4;
        self.start = from + length;
        Ok(self.buffer.get(from..self.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_over_the_limit_is_refused() {
        let mut d = FrameDecoder::default();
        d.push(&[0xff, 0, 0, 0]);
        assert_eq!(d.next_frame(), Err(FrameError::TooLong(0xff00_0000)));
    }

    proptest! {
        #[test]
        fn frames_survive_any_cut_of_the_stream(
            texts in proptest::collection::vec(".{0,40}", 1..6),
            cut in 1usize..9,
        ) {
            let stream: Vec<u8> = texts.iter().flat_map(|t| encode(t).unwrap()).collect();
            let mut decoder = FrameDecoder::default();
            let mut seen: Vec<String> = Vec::new();
            for piece in stream.chunks(cut) {
                decoder.push(piece);
                while let Some(frame) = decoder.next_frame().unwrap() {
                    seen.push(serde_json::from_slice(frame).unwrap());
                }
            }
            prop_assert_eq!(seen, texts);
        }
    }
}
