//! Whole files as they are found on routers, with a checked report on every line.
//!
//! Each directory below `files` is one router: its files, the report, and the file for Torc that they become. Write
//! the last two anew with `BLESS=1 cargo test -p config-lines --test import`, and read what changed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use config_lines::{Secrets, Verdict, import, render};
use routing_common::config::load;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Routers whose files cannot become a valid file by themselves.
const INCOMPLETE: [&str; 2] = ["broken", "vrrp-pair"];

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn routers() -> Vec<PathBuf> {
    entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/files"))
}

/// The files of a router, with their names.
fn files(router: &Path) -> Vec<(String, Vec<u8>)> {
    let ours = |p: &PathBuf| !["report.txt", "router.toml"].contains(&name(p).as_str());
    entries(router).into_iter().filter(ours).map(|p| (name(&p), std::fs::read(&p).unwrap())).collect()
}

fn imported(router: &Path) -> config_lines::Import {
    let files = files(router);
    import(&files.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect::<Vec<_>>())
}

fn compare(path: &Path, now: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, now).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == now, "{}: BLESS=1 cargo test -p config-lines --test import\n{now}", path.display());
}

#[test]
fn every_router_becomes_what_its_report_says() {
    let routers = routers();
    assert!(routers.len() >= 10);
    for router in routers {
        let made = imported(&router);
        let mut report = String::new();
        for finding in &made.report {
            writeln!(report, "{finding}").unwrap();
        }
        compare(&router.join("report.txt"), &report);
        compare(&router.join("router.toml"), &made.text);
    }
}

#[test]
fn what_is_complete_is_valid_and_reads_back_from_its_own_lines() {
    for router in routers() {
        let made = imported(&router);
        let loaded = load("router.toml", &made.text);
        if INCOMPLETE.contains(&name(&router).as_str()) {
            assert!(
                loaded.is_err() && made.report.iter().any(|f| f.line == 0 && f.verdict == Verdict::Mistake)
            );
            continue;
        }
        let config = loaded.unwrap_or_else(|e| panic!("{}\n{e}", router.display())).config;
        let lines = render(&config, Secrets::Shown);
        let again = import(&[("frr.conf", lines.as_bytes())]);
        assert_eq!(load("router.toml", &again.text).unwrap().config, config, "{lines}");
    }
}

#[test]
fn every_line_has_a_finding() {
    for router in routers() {
        let made = imported(&router);
        for (file, bytes) in files(&router) {
            for (n, line) in bytes.split(|b| *b == b'\n').enumerate() {
                let line = String::from_utf8_lossy(line);
                let line = line.trim_matches(|c: char| c.is_ascii_whitespace());
                let nothing =
                    line.is_empty() || line.starts_with(['!', '#']) || ["exit", "end"].contains(&line);
                let found = made.report.iter().filter(|f| f.file == file && f.line == n + 1).count();
                assert_eq!(found, usize::from(!nothing), "{file}:{}: {line}", n + 1);
            }
        }
    }
}
