//! A copy of what the simulator is made of, with the bugs planted, and its build.
//!
//! Files that have not changed are not written again, so that the second build is quick.

use super::mutant::{self, Mutant};
use crate::cargo_program;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages the simulator consists of.
const PACKAGES: [&str; 6] =
    ["routing-common", "ribd/core", "bfdd/proto", "ospfd/proto", "vrrpd/proto", "tests/sim"];

/// The program that runs seeds, in the simulator's package.
const RUNNER: &str = "tests/sim/mutants/runner.rs";

/// The variable that names the bug to wake.
pub(crate) const VARIABLE: &str = "TORC_PLANTED";

/// What every package with a bug in it gets as a module.
const PLANTED: &str = r#"
/// Bugs that were planted here; one of them may be awake.
mod planted {
    static AWAKE: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();

    /// Is this the one?
    pub(crate) fn is(name: &str) -> bool {
        AWAKE.get_or_init(|| std::env::var("TORC_PLANTED").ok()).as_deref() == Some(name)
    }
}
"#;

/// Copies, plants and builds; returns the program.
pub(crate) fn build(root: &Path, mutants: &[Mutant]) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let (tree, output) = (target.join("mutants/tree"), target.join("mutants/build"));
    copy(root, &tree, mutants)?;
    println!("+ building the simulator with {} bugs in {}", mutants.len(), tree.display());
    let status = Command::new(cargo_program())
        .args(["build", "--quiet", "--profile", "sim", "--package", "routing-sim", "--example", "runner"])
        .current_dir(&tree)
        .env("CARGO_TARGET_DIR", &output)
        // Bugs leave things unused, and so on.
        .env("RUSTFLAGS", "--cap-lints=allow")
        .status()?;
    ensure!(status.success(), "the planted tree does not build: {status}");
    Ok(output.join("sim/examples/runner"))
}

fn copy(root: &Path, tree: &Path, mutants: &[Mutant]) -> Result<()> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).with_context(|| path.to_owned());
    let mut files = vec![
        ("Cargo.toml".to_owned(), manifest(&read("Cargo.toml")?)?),
        ("Cargo.lock".to_owned(), read("Cargo.lock")?),
        ("tests/sim/examples/runner.rs".to_owned(), read(RUNNER)?),
    ];
    for package in PACKAGES {
        let own = format!("{package}/Cargo.toml");
        files.push((own.clone(), package_manifest(&read(&own)?)?));
        let mut paths = Vec::new();
        sources(root, &format!("{package}/src"), &mut paths)?;
        let planted_here = mutants.iter().any(|m| m.file.starts_with(&format!("{package}/src/")));
        for path in paths {
            let here: Vec<&Mutant> = mutants.iter().filter(|m| m.file == path).collect();
            let mut text = mutant::plant(&read(&path)?, &here)?;
            if planted_here && path == format!("{package}/src/lib.rs") {
                text += PLANTED;
            }
            files.push((path, text));
        }
    }
    for mutant in mutants {
        ensure!(files.iter().any(|(path, _)| *path == mutant.file), "mutant {}: no such file", mutant.name);
    }
    let names: BTreeSet<PathBuf> = files.iter().map(|(path, _)| tree.join(path)).collect();
    remove_others(tree, &names)?;
    for (path, text) in files {
        let path = tree.join(path);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, text)?;
    }
    Ok(())
}

/// The workspace with nothing but [`PACKAGES`] in it.
fn manifest(text: &str) -> Result<String> {
    let mut whole: toml::Table = toml::from_str(text)?;
    let workspace =
        whole.get_mut("workspace").and_then(toml::Value::as_table_mut).context("no [workspace]")?;
    workspace.remove("exclude");
    workspace.remove("default-members");
    workspace.insert("members".to_owned(), PACKAGES.map(toml::Value::from).to_vec().into());
    Ok(toml::to_string(&whole)?)
}

/// A package without its tests and benchmarks, which are not copied.
fn package_manifest(text: &str) -> Result<String> {
    let mut whole: toml::Table = toml::from_str(text)?;
    for key in ["dev-dependencies", "bench", "test"] {
        whole.remove(key);
    }
    Ok(toml::to_string(&whole)?)
}

/// Everything in a folder, from the root.
fn sources(root: &Path, folder: &str, found: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(root.join(folder)).with_context(|| folder.to_owned())? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            sources(root, &path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// Removes what an earlier copy had and this one has not. Cargo's own lock file is rewritten by cargo.
fn remove_others(folder: &Path, names: &BTreeSet<PathBuf>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, names)?;
        } else if !names.contains(&path) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_has_the_simulators_packages_only() {
        let manifest = manifest(
            "[workspace]\nexclude = [\"x\"]\nmembers = [\"y\"]\ndefault-members = [\"y\"]\n[profile.sim]\n",
        )
        .unwrap();
        let read: toml::Table = toml::from_str(&manifest).unwrap();
        assert_eq!(read["workspace"]["members"].as_array().unwrap().len(), PACKAGES.len());
        assert!(["exclude", "default-members"].iter().all(|key| read["workspace"].get(key).is_none()));
        assert!(read["profile"].get("sim").is_some());
    }

    /// A package that is left out shows only when somebody plants bugs, which no test does.
    #[test]
    fn the_copy_has_all_packages_its_packages_are_made_of() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let read = |package: &str| -> toml::Table {
            toml::from_str(&std::fs::read_to_string(root.join(package).join("Cargo.toml")).unwrap()).unwrap()
        };
        let workspace = read(".");
        let known = workspace["workspace"]["dependencies"].as_table().unwrap();
        for package in PACKAGES {
            for name in read(package).get("dependencies").and_then(toml::Value::as_table).unwrap().keys() {
                let path = known.get(name).and_then(|d| d.get("path")).and_then(toml::Value::as_str);
                assert!(path.is_none_or(|path| PACKAGES.contains(&path)), "{package} needs {name}");
            }
        }
    }

    /// Whatever else a manifest names must be in the copy, too.
    #[test]
    fn cargo_understands_the_copy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let tree = std::env::temp_dir().join(format!("torc-planted-{}", std::process::id()));
        let copied = copy(root, &tree, &mutant::read_all(root).unwrap());
        let metadata = Command::new(cargo_program())
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .current_dir(&tree)
            .output();
        std::fs::remove_dir_all(&tree).unwrap();
        copied.unwrap();
        let metadata = metadata.unwrap();
        assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    }

    #[test]
    fn the_planted_module_reads_the_variable_the_runs_set() {
        assert!(PLANTED.contains(&format!("\"{VARIABLE}\"")));
    }
}
