//! The guard rails: what reviewers should not have to look for.

use crate::cargo;
use crate::metadata::{Package, packages};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which of our packages each of our packages may depend on. Arrows point down only.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("routing-common", &[]),
    ("routing-runtime", &["routing-common"]),
    ("rib", &["routing-common"]),
    ("bfd-proto", &["routing-common"]),
    ("ospf-proto", &["routing-common", "rib", "bfd-proto"]),
    ("vrrp-proto", &["routing-common", "rib"]),
    ("ribd", &["routing-common", "routing-runtime", "rib"]),
    ("ospfd", &["routing-common", "routing-runtime", "rib", "bfd-proto", "ospf-proto"]),
    ("vrrpd", &["routing-common", "routing-runtime", "rib", "vrrp-proto"]),
    ("bfdd", &["routing-common", "routing-runtime", "bfd-proto"]),
    ("mgmtd", &["routing-common", "routing-runtime"]),
    ("config-lines", &["routing-common"]),
    ("torc", &["routing-common", "config-lines", "rib", "bfd-proto", "ospf-proto", "vrrp-proto"]),
    ("ringlab", &[]),
    ("routing-sim", &["routing-common", "rib", "bfd-proto", "ospf-proto", "vrrp-proto"]),
    ("interop-tests", &["ringlab"]),
    ("scale-bench", &["routing-common", "ospf-proto", "ringlab"]),
    ("xtask", &["ringlab"]),
];

/// Packages that must stay free of sockets, clocks and threads.
const PURE: &[&str] = &["routing-common", "rib", "bfd-proto", "ospf-proto", "vrrp-proto", "config-lines"];

/// What a pure package must not depend on, however many steps away.
const IMPURE: &[&str] = &["tokio", "socket2", "nix", "netlink-sys", "rand", "mio"];

/// Licences we accept; an SPDX expression passes if one alternative consists of these.
const LICENCES: &[&str] =
    &["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unlicense", "0BSD"];

/// Licences accepted for one package only: data tables, not code we could choose otherwise.
const EXCEPTIONS: &[(&str, &str)] = &[("unicode-ident", "Unicode-3.0")];

/// Longest source file in lines, tests at its end not counted.
const LONGEST_FILE: usize = 600;

/// Runs every check; the first kind that fails ends the run.
pub(crate) fn run() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    let packages = packages()?;
    report("crate directions", directions(&packages))?;
    report("pure engines", purity(&packages))?;
    report("licences", licences(&packages))?;
    report("source files", sources(&workspace_root()?)?)?;
    Ok(())
}

fn report(what: &str, faults: Vec<String>) -> Result<()> {
    if faults.is_empty() {
        println!("ok: {what}");
        return Ok(());
    }
    bail!("{what}:\n  {}", faults.join("\n  "))
}

fn directions(packages: &BTreeMap<String, Package>) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = DIRECTIONS.iter().copied().collect();
    let mut faults = Vec::new();
    for package in packages.values().filter(|p| p.local) {
        let Some(may) = allowed.get(package.name.as_str()) else {
            faults.push(format!("{} has no entry in the table of directions", package.name));
            continue;
        };
        let ours = package.dependencies.iter().filter(|d| packages.get(*d).is_some_and(|p| p.local));
        faults.extend(
            ours.filter(|d| !may.contains(&d.as_str()))
                .map(|d| format!("{} must not depend on {d}", package.name)),
        );
    }
    faults
}

fn purity(packages: &BTreeMap<String, Package>) -> Vec<String> {
    let mut faults = Vec::new();
    for pure in PURE {
        let mut todo = vec![(*pure).to_owned()];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(name) = todo.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            if IMPURE.contains(&name.as_str()) {
                faults.push(format!("{pure} reaches {name}"));
            }
            todo.extend(packages.get(&name).into_iter().flat_map(|p| p.dependencies.iter().cloned()));
        }
    }
    faults
}

fn licences(packages: &BTreeMap<String, Package>) -> Vec<String> {
    packages.values().filter_map(licence_fault).collect()
}

fn licence_fault(package: &Package) -> Option<String> {
    let expression = package.license.as_deref().unwrap_or("none stated");
    let acceptable =
        |licence: &str| LICENCES.contains(&licence) || EXCEPTIONS.contains(&(package.name.as_str(), licence));
    // Alternatives in the older form `MIT/Apache-2.0` and in SPDX's; parentheses only ever group an OR inside an AND.
    let fits = if expression.contains(" AND ") {
        let parts = expression.split(" AND ");
        parts.map(|p| p.trim_matches(['(', ')'])).all(|p| p.split(" OR ").any(|l| acceptable(l.trim())))
    } else {
        expression.replace('/', " OR ").split(" OR ").any(|l| acceptable(l.trim_matches(['(', ')', ' '])))
    };
    (!fits).then(|| format!("{}: {expression}", package.name))
}

fn sources(root: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    let mut faults = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        let is_test = shown.contains("/tests/") || shown.ends_with("tests.rs");
        let lines = text.lines().position(|l| l == "#[cfg(test)]").unwrap_or_else(|| text.lines().count());
        if !is_test && lines > LONGEST_FILE {
            faults.push(format!("{shown}: {lines} lines, {LONGEST_FILE} are the limit"));
        }
        if is_crate_root(&shown) && !shown.contains("runtime") && !text.contains("#![forbid(unsafe_code)]") {
            faults.push(format!("{shown}: lacks #![forbid(unsafe_code)]"));
        }
        if !is_test && !text.starts_with("//!") {
            faults.push(format!("{shown}: does not open with a chapter (//!)"));
        }
    }
    Ok(faults)
}

fn is_crate_root(path: &str) -> bool {
    path.ends_with("src/lib.rs") || path.ends_with("src/main.rs")
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn workspace_root() -> Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().map(Path::to_path_buf).context("xtask stands outside the workspace")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, license: &str, dependencies: &[&str]) -> (String, Package) {
        let dependencies = dependencies.iter().map(|d| (*d).to_owned()).collect();
        let p = Package { name: name.into(), license: Some(license.into()), local: true, dependencies };
        (name.into(), p)
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let graph = BTreeMap::from([
            package("routing-common", "MIT", &["rib"]),
            package("rib", "MIT", &["routing-common"]),
        ]);
        assert_eq!(directions(&graph), ["routing-common must not depend on rib"]);
    }

    #[test]
    fn an_engine_that_reaches_a_socket_is_found() {
        let graph = BTreeMap::from([
            package("rib", "MIT", &["helper"]),
            package("helper", "MIT", &["tokio"]),
            package("tokio", "MIT", &[]),
        ]);
        assert_eq!(purity(&graph), ["rib reaches tokio"]);
    }

    #[test]
    fn licences_are_read_with_their_alternatives() {
        let fault = |l| licence_fault(&package("x", l, &[]).1);
        for fine in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "(MIT OR Apache-2.0) AND BSD-3-Clause"] {
            assert_eq!(fault(fine), None, "{fine}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-2.0", "none stated"] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }
}
