//! The routing information base as a sans-IO engine.
#![forbid(unsafe_code)]

pub mod message;
