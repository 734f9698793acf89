//! The recording as a file.
//!
//! [`MAGIC`] (which holds the format's version), then *frames*: a length (u32, big-endian), then that many bytes of
//! postcard, one [`Entry`]. The first entry is a [`Header`], and it is the only one. Each call is followed by its
//! [`Turn`], except that a daemon killed in the middle leaves its last call without.
//!
//! A file that ends inside a frame was cut by a kill and is read up to there ([`Reader::torn`]). Every other
//! deviation is a [`Fault`] with its place: a recording is evidence and is not guessed at.
//!
//! Postcard is not self-describing: the version in [`MAGIC`] must change with any change to these types or to an
//! engine's record type.

use crate::time::Instant;
use core::fmt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How every recording begins; the last byte is the version.
pub const MAGIC: [u8; 8] = *b"TORCREC\x06";

/// No frame is longer, in octets. A kernel with a million routes fits.
pub const LONGEST_FRAME: usize = 64 << 20;

/// Octets of a frame's length.
const PREFIX: usize = 4;

/// The text of a configuration and where it came from.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Configuration {
    /// The file's name, as messages show it.
    pub file: String,
    /// Its content, keys included.
    pub text: String,
}

impl fmt::Debug for Configuration {
    /// Without the text, which holds keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Configuration({:?}, {} bytes)", self.file, self.text.len())
    }
}

/// Whose recording it is and how its engine was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`Recordable::DAEMON`](super::Recordable::DAEMON).
    pub daemon: String,
    /// The release that recorded it.
    pub release: String,
    /// What the engine's random choices come from.
    pub seed: u64,
    /// The configuration at the start.
    pub source: Configuration,
}

/// One call of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call<R> {
    /// `handle_timeout` at this time.
    Timeout(Instant),
    /// `handle` at this time.
    Input(Instant, R),
}

impl<R> Call<R> {
    /// When.
    pub fn at(&self) -> Instant {
        match self {
            Self::Timeout(at) | Self::Input(at, _) => *at,
        }
    }
}

/// What followed a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Outputs taken before the next call.
    pub outputs: u64,
    /// There were no more.
    pub drained: bool,
    /// Of the call's frame, the outputs' `Debug` texts and `drained`.
    pub digest: u64,
}

/// What a frame holds; `R` is the engine's owned input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry<R> {
    /// The beginning.
    Header(Header),
    /// The configuration was loaded anew; inputs that follow mean this one.
    Configured(Configuration),
    /// A call is about to be made.
    Call(Call<R>),
    /// The call's outcome.
    Turn(Turn),
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The file does not start with [`MAGIC`].
    #[error("this is no recording")]
    NoRecording,
    /// Another version of this format.
    #[error("format version {0}, only {version} is known", version = MAGIC[7])]
    Version(u8),
    /// The first entry is something else.
    #[error("there is no header")]
    NoHeader,
    /// A frame's length cannot be true.
    #[error("a frame of {0} bytes, {LONGEST_FRAME} are the limit")]
    TooLong(usize),
    /// The bytes are no entry.
    #[error("no entry: {0}")]
    Malformed(postcard::Error),
    /// Bytes follow the entry inside its frame.
    #[error("{0} bytes too many in a frame")]
    Surplus(usize),
    /// An output was taken that no call explains.
    #[error("an output without a call")]
    Unasked,
}

/// A recording that cannot be read any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {reason}")]
pub struct Fault {
    /// Where the frame begins.
    pub offset: usize,
    /// What is wrong.
    pub reason: Reason,
}

/// An entry as bytes.
///
/// # Errors
/// When it is longer than [`LONGEST_FRAME`], or its type has no place in postcard.
pub fn frame<R: Serialize>(entry: &Entry<R>) -> Result<Vec<u8>, Reason> {
    let mut bytes = postcard::to_extend(entry, vec![0; PREFIX]).map_err(Reason::Malformed)?;
    let length = bytes.len() - PREFIX;
    match (u32::try_from(length), bytes.first_chunk_mut()) {
        (Ok(number), Some(prefix)) if length <= LONGEST_FRAME => *prefix = number.to_be_bytes(),
        _ => return Err(Reason::TooLong(length)),
    }
    Ok(bytes)
}

/// Reads a recording that is in memory.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    /// Of the entry read last.
    frame: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// When it is no recording, of another version, or cut inside its header.
    pub fn open(bytes: &'a [u8]) -> Result<(Header, Self), Fault> {
        let fault = |reason| Fault { offset: 0, reason };
        let [name @ .., known] = &MAGIC;
        match bytes.first_chunk::<{ MAGIC.len() }>() {
            Some([found @ .., version]) if found == name => {
                if version != known {
                    return Err(fault(Reason::Version(*version)));
                }
            }
            _ => return Err(fault(Reason::NoRecording)),
        }
        let mut reader = Self { bytes, offset: MAGIC.len(), frame: &[] };
        match reader.entry::<()>()? {
            Some(Entry::Header(header)) => Ok((header, reader)),
            _ => Err(Fault { offset: MAGIC.len(), reason: Reason::NoHeader }),
        }
    }

    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// The place and what is wrong there. Reading cannot go on then.
    pub fn entry<R: DeserializeOwned>(&mut self) -> Result<Option<Entry<R>>, Fault> {
        let fault = |reason| Fault { offset: self.offset, reason };
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let Some((prefix, following)) = rest.split_first_chunk::<PREFIX>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if length > LONGEST_FRAME {
            return Err(fault(Reason::TooLong(length)));
        }
        let Some(payload) = following.get(..length) else { return Ok(None) };
        let (entry, surplus) = postcard::take_from_bytes(payload).map_err(|e| fault(Reason::Malformed(e)))?;
        if !surplus.is_empty() {
            return Err(fault(Reason::Surplus(surplus.len())));
        }
        self.offset += PREFIX + length;
        self.frame = rest.get(..PREFIX + length).unwrap_or_default();
        Ok(Some(entry))
    }

    /// The frame of the entry read last.
    pub fn frame(&self) -> &'a [u8] {
        self.frame
    }

    /// Where the next frame begins.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// After the last entry: how many bytes of an unfinished frame follow it.
    pub fn torn(&self) -> usize {
        self.bytes.len().saturating_sub(self.offset)
    }
}
