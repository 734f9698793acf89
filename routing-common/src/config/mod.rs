//! The typed configuration of one router: valid by construction.
//!
//! Every daemon reads the same TOML file, validates all of it with the same pure code and uses its
//! part. The values below cannot be wrong: what could be is refused while they are made, with file,
//! line, excerpt and hint. They name interfaces, never kernel indices, because a configuration must be
//! checkable on a machine that has none of the interfaces yet.

mod model;

pub use model::*;
