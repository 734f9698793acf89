//! Every scenario of `scenarios/` keeps every law. A file is a bug that must not come back, or a situation that is
//! easily got wrong; its first comment says which.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use routing_sim::scenario::Scenario;
use routing_sim::trial::{Mode, trial};
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn scenarios_that_failed_once_do_not_fail_again() {
    let mut failures = Vec::new();
    for path in files() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# "), "{name} does not begin with what it is about");
        let scenario = Scenario::parse(&text).unwrap_or_else(|e| panic!("{name}: {e:#}"));
        assert_eq!(scenario.name, name);
        let trial = trial(&scenario, Mode::Twice);
        failures.extend(trial.failure.map(|failure| format!("{name}: {failure}")));
        let events = trial.outcome.map_or(0, |o| o.counters.events);
        assert!(events > 100, "{name}: only {events} events");
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
