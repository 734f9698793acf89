//! What `cargo metadata` knows about the packages: names, licences, dependencies.

use crate::cargo_program;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// One package of the dependency graph.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) license: Option<String>,
    /// Is it one of ours?
    pub(crate) local: bool,
    /// Names of normal (not development, not build) dependencies.
    pub(crate) dependencies: Vec<String>,
}

/// All packages by name; of two versions of one package the last stands, which is enough for our checks.
pub(crate) fn packages() -> Result<BTreeMap<String, Package>> {
    let output = Command::new(cargo_program())
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "cargo metadata failed: {errors}");
    let root: Value = serde_json::from_slice(&output.stdout)?;
    let list = root.get("packages").and_then(Value::as_array).context("cargo metadata lists no packages")?;
    list.iter().map(|p| package(p).map(|p| (p.name.clone(), p))).collect()
}

fn package(value: &Value) -> Result<Package> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let dependencies = value.get("dependencies").and_then(Value::as_array).context("no dependencies")?;
    let normal = dependencies.iter().filter(|d| d.get("kind").is_none_or(Value::is_null));
    Ok(Package {
        name: text("name").context("a package without name")?,
        license: text("license"),
        local: value.get("source").is_none_or(Value::is_null),
        dependencies: normal
            .filter_map(|d| d.get("name").and_then(Value::as_str))
            .map(str::to_owned)
            .collect(),
    })
}
