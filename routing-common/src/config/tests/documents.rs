//! The shipped documents: the reference page and the example files.

use super::super::*;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

#[test]
fn reference_page_is_what_the_schema_says() {
    let page = docs().join("configuration.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&page, reference()).unwrap();
    }
    let committed = std::fs::read_to_string(&page).unwrap();
    assert!(
        committed == reference(),
        "docs/configuration.md is stale: BLESS=1 cargo test -p routing-common reference"
    );
}

/// Every `.toml` below `dir`.
fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "toml") {
            found.push(path);
        }
    }
}

#[test]
fn every_example_loads_without_a_warning() {
    let mut examples = Vec::new();
    files(&docs().join("examples"), &mut examples);
    assert!(examples.len() >= 9, "{examples:?}");
    for path in examples {
        let text = std::fs::read_to_string(&path).unwrap();
        match load(&path.display().to_string(), &text) {
            Ok(loaded) => assert!(loaded.warnings.is_empty(), "{}", loaded.warnings),
            Err(found) => panic!("{found}"),
        }
    }
}
