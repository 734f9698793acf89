//! Files of other suites: read, judged line by line, turned into a file of Torc.

use crate::management::Management;
use anyhow::{Context as _, Result, bail};
use config_lines::{Finding, Import, Verdict, import};
use routing_common::control::configuration::{Commit, committed_text};
use std::fs;
use std::path::{Path, PathBuf};

/// Brings a file into force, whole or not at all: one of Torc, or one of FRR. With `test`, only asks.
pub(crate) fn reload(run_dir: &Path, path: &Path, test: bool) -> Result<String> {
    let is_torc = path.extension().is_some_and(|e| e == "toml");
    let (text, mut shown) = if is_torc {
        (fs::read_to_string(path).with_context(|| path.display().to_string())?, String::new())
    } else {
        let Import { text, report } = read(&[path.to_owned()])?;
        let mistakes = report.iter().filter(|f| f.verdict == Verdict::Mistake).count();
        let shown = lines(report.iter().filter(|f| is_worth_a_word(f)));
        if mistakes > 0 {
            bail!("{shown}% {mistakes} mistakes; nothing has changed");
        }
        (text, shown)
    };
    let comment = Some(path.display().to_string());
    let commit = Commit { text, base: None, comment, confirm_within_sec: None, test };
    let done = Management::open(run_dir)?.commit(commit)?;
    shown.push_str(&committed_text(&done));
    Ok(shown)
}

/// Reads files of FRR.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Import> {
    let read = |path: &PathBuf| -> Result<(String, Vec<u8>)> {
        let name = path.display().to_string();
        let bytes = fs::read(path).with_context(|| name.clone())?;
        Ok((name, bytes))
    };
    let files = paths.iter().map(read).collect::<Result<Vec<_>>>()?;
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    Ok(import(&files))
}

/// A report, a line per finding.
pub(crate) fn lines<'a>(report: impl Iterator<Item = &'a Finding>) -> String {
    report.map(|finding| format!("{finding}\n")).collect()
}

/// What went as it should needs no words, nor does what nothing is lost without.
fn is_worth_a_word(finding: &Finding) -> bool {
    match finding.verdict {
        Verdict::Taken => !finding.reason.is_empty(),
        Verdict::NoCounterpart { harmless } => !harmless,
        Verdict::Mistake => true,
    }
}
