//! What was found, for a terminal and for `docs/simulator.md`.

use super::Finding;
use super::trial::Verdict;
use anyhow::{Context, Result};
use std::path::Path;

/// The document with the table.
pub(crate) const DOCUMENT: &str = "docs/simulator.md";

const BEGIN: &str = "<!-- mutants: written by `cargo xtask mutants --write` -->";
const END: &str = "<!-- /mutants -->";

/// Longest quotation of a broken law, in characters.
const LONGEST_QUOTE: usize = 160;

/// For a terminal.
pub(crate) fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let seconds = finding.took.as_secs_f64();
        let (law, seed) = match &finding.verdict {
            Verdict::Caught { seed, law, .. } => (law.as_str(), seed.to_string()),
            _ => ("-", "-".to_owned()),
        };
        text += &format!("{:<36} {law:<12} {seed:>5} {seconds:>8.1} s\n", finding.name());
    }
    text
}

/// Replaces what stands between the marks.
///
/// # Errors
/// There is no document or it has no marks.
pub(crate) fn write(document: &Path, findings: &[Finding], seeds: u64) -> Result<()> {
    let old = std::fs::read_to_string(document).with_context(|| document.display().to_string())?;
    let new =
        replaced(&old, &markdown(findings, seeds)).context("the document lacks the marks of the table")?;
    Ok(std::fs::write(document, new)?)
}

fn replaced(old: &str, table: &str) -> Option<String> {
    let (before, rest) = old.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}{END}{after}"))
}

fn markdown(findings: &[Finding], seeds: u64) -> String {
    let caught = findings.iter().filter(|f| f.verdict.is_caught()).count();
    let mut text = format!("{caught} of {} are caught within {seeds} seeds.\n\n", findings.len());
    text += "| Bug | What is wrong | Against | What one would see | Caught by | Seed |\n";
    text += "| --- | --- | --- | --- | --- | --- |\n";
    for finding in findings {
        let m = &finding.mutant;
        let (law, seed) = match &finding.verdict {
            Verdict::Caught { seed, law, text } => (format!("{law}: {}", quote(text)), seed.to_string()),
            other => (other.to_string(), "–".to_owned()),
        };
        text += &format!("| `{}` | {} | {} | {} | {law} | {seed} |\n", m.name, m.bug, m.rule, m.effect);
    }
    text
}

/// The beginning of what a law said, fit for a cell of a table.
fn quote(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = one_line.chars().take(LONGEST_QUOTE).collect();
    let dots = if cut.len() < one_line.len() { "…" } else { "" };
    format!("{}{dots}", cut.replace('|', "\\|").replace('<', "&lt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let old = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let new = format!("before\n{BEGIN}\nnew\n{END}\nafter\n");
        assert_eq!(replaced(&old, "new\n"), Some(new.clone()));
        assert_eq!(replaced(&new, "new\n"), Some(new));
        assert_eq!(replaced("no marks", "new"), None);
    }

    #[test]
    fn a_quotation_fits_a_cell() {
        assert_eq!(quote("a | b\n<c>"), "a \\| b &lt;c>");
        assert!(quote(&"x".repeat(1000)).chars().count() == LONGEST_QUOTE + 1);
    }
}
