//! Bytes: a reader that cannot run off the end, a writer that back-patches lengths, and checksums.

pub mod checksum;
mod reader;
mod writer;

pub use reader::{Reader, Truncated};
pub use writer::Writer;
