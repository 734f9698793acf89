//! The typed configuration of one router: valid by construction.
//!
//! Every daemon reads the same TOML file, validates all of it with the same pure code and uses its
//! part. The values below cannot be wrong: what could be is refused while they are made, with file,
//! line, excerpt and hint. They name interfaces, never kernel indices, because a configuration must be
//! checkable on a machine that has none of the interfaces yet.
//!
//! The way of a file: [`load`] parses it into a TOML tree with spans; `reader` walks the tree by hand
//! along `schema`, so that one mistake never hides the next (serde would stop at the first);
//! `validate` turns what was read into a [`Config`] and checks what only shows between two keys. Every
//! finding becomes a [`Diagnostic`]. The same `schema` prints the reference page ([`reference()`]).
//!
//! Invariant: a file either yields a [`Config`] or at least one error, never both and never a panic.

mod diagnostics;
mod duration;
mod model;
mod reader;
mod reference;
mod schema;
mod slip;
mod validate;

#[cfg(test)]
mod tests;

pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use duration::{format_duration, parse_duration};
pub use model::*;
pub use reference::reference;

use diagnostics::Sink;
use toml::de::DeTable;

/// A file that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// What looks unintended in it but was accepted; empty for a clean file.
    pub warnings: Diagnostics,
}

/// A text of the configuration for somebody who may not know its keys: a string of asterisks stands in the place of each.
/// Comments stay. `None` for a text that is no valid configuration, because nobody knows where its keys are.
pub fn masked(text: &str) -> Option<String> {
    let root = DeTable::parse(text).ok()?;
    let sink = Sink::new("", text);
    validate::router(root.get_ref(), &sink).filter(|_| sink.errors() == 0)?;
    Some(sink.masked())
}

/// Reads and validates a whole configuration file.
///
/// Pure: `text` is the file's content and `path` only appears in messages. On refusal every finding
/// is returned at once, errors and warnings in file order. TOML that does not parse yields its
/// syntax errors alone, because values behind a broken line would be misread.
pub fn load(path: &str, text: &str) -> Result<Loaded, Diagnostics> {
    let sink = Sink::new(path, text);
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    if !syntax_errors.is_empty() {
        for e in syntax_errors {
            let span = e.span().unwrap_or(text.len()..text.len());
            sink.error(span, e.message().to_owned(), "the file must be valid TOML, see https://toml.io");
        }
        return Err(sink.finish());
    }
    let config = validate::router(root.get_ref(), &sink);
    let found = sink.finish();
    match config {
        Some(config) if !found.has_errors() => Ok(Loaded { config, warnings: found }),
        _ => Err(found),
    }
}
