//! The loader as its users see it: whole files in, values or messages out.

mod accepted;
mod bfd;
mod documents;
mod key_chain;
mod policy;
mod properties;
mod refused;

use super::{Config, load};

/// Loads a file that must be accepted without a warning.
fn accepted(text: &str) -> Config {
    match load("r1.toml", text) {
        Ok(loaded) => {
            assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
            loaded.config
        }
        Err(found) => panic!("{found}"),
    }
}

/// The messages about a file that must be refused, one line each: `line:column message`.
fn refused(text: &str) -> Vec<String> {
    let found = load("r1.toml", text).expect_err("the file must be refused");
    assert!(found.has_errors());
    found.iter().map(|d| format!("{}:{} {}", d.line, d.column, d.message)).collect()
}

/// The messages about a file that is accepted with warnings.
fn warned(text: &str) -> Vec<String> {
    let loaded = load("r1.toml", text).expect("the file must be accepted");
    loaded.warnings.iter().map(|d| format!("{}:{} {}", d.line, d.column, d.message)).collect()
}
