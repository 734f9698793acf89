//! One planted bug as data, and planting it.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// Where the bugs are kept.
const FOLDER: &str = "tests/sim/mutants";

/// A bug; see `tests/sim/mutants/README.md`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mutant {
    /// The name of its file.
    #[serde(skip)]
    pub(crate) name: String,
    /// The source file, from the workspace's root.
    pub(crate) file: String,
    /// The document and section it offends against.
    pub(crate) rule: String,
    /// What is wrong.
    pub(crate) bug: String,
    /// What somebody would see who runs it.
    pub(crate) effect: String,
    /// What stands in the file, exactly once. An expression, or whole statements.
    pub(crate) original: String,
    /// What to plant. An expression, or whole statements.
    pub(crate) wrong: String,
}

/// All of them, by name.
pub(crate) fn read_all(root: &Path) -> Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for entry in std::fs::read_dir(root.join(FOLDER)).context(FOLDER)? {
        let path = entry?.path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(&path)?;
        let read: Mutant = toml::from_str(&text).with_context(|| format!("mutant {name}"))?;
        mutants.push(Mutant { name, ..read });
    }
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutants)
}

/// Those that are named; all if none is.
pub(crate) fn choose(all: &[Mutant], names: &[String]) -> Result<Vec<Mutant>> {
    for name in names {
        ensure!(all.iter().any(|m| m.name == *name), "there is no mutant {name}");
    }
    Ok(all.iter().filter(|m| names.is_empty() || names.contains(&m.name)).cloned().collect())
}

impl Mutant {
    /// Where its snippet stands in the text of its file.
    ///
    /// # Errors
    /// Not exactly once.
    pub(crate) fn place(&self, text: &str) -> Result<Range<usize>> {
        let original = self.original.trim();
        ensure!(!original.is_empty(), "mutant {}: no original", self.name);
        // Planted, it would stand in a block of its own and bind nothing.
        ensure!(!original.starts_with("let "), "mutant {}: a binding cannot be replaced", self.name);
        ensure!(original != self.wrong.trim(), "mutant {}: nothing is wrong in it", self.name);
        let places: Vec<usize> = text.match_indices(original).map(|(at, _)| at).collect();
        let count = places.len();
        ensure!(count == 1, "mutant {}: its snippet stands {count} times in {}", self.name, self.file);
        Ok(places[0]..places[0] + original.len())
    }
}

/// The text of a file with all its bugs planted, asleep. Several may have one snippet; otherwise they must not touch.
pub(crate) fn plant(text: &str, mutants: &[&Mutant]) -> Result<String> {
    let mut places: BTreeMap<(usize, usize), Vec<&Mutant>> = BTreeMap::new();
    for mutant in mutants {
        let place = mutant.place(text)?;
        places.entry((place.start, place.end)).or_default().push(mutant);
    }
    let mut planted = String::new();
    let mut end = 0;
    for ((from, to), here) in places {
        let names: Vec<&str> = here.iter().map(|m| m.name.as_str()).collect();
        ensure!(from >= end, "the snippet of {names:?} begins inside another");
        planted += &text[end..from];
        planted += &asleep(&text[from..to], &here);
        end = to;
    }
    planted += &text[end..];
    Ok(planted)
}

/// A snippet with alternatives. Statements stay statements: only what can be an operand needs parentheses.
fn asleep(original: &str, mutants: &[&Mutant]) -> String {
    let mut code = String::new();
    for Mutant { name, wrong, .. } in mutants {
        let wrong = wrong.trim();
        code += &format!("if crate::planted::is(\"{name}\") {{ {wrong} }} else ");
    }
    code += &format!("{{ {original} }}");
    if original.ends_with([';', '}']) { code } else { format!("({code})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::workspace_root;

    fn mutant(name: &str, original: &str, wrong: &str) -> Mutant {
        let [name, original, wrong] = [name, original, wrong].map(str::to_owned);
        let other = String::new;
        Mutant { name, original, wrong, file: other(), rule: other(), bug: other(), effect: other() }
    }

    #[test]
    fn every_mutant_can_be_planted_in_the_present_source() {
        let root = workspace_root().unwrap();
        let mutants = read_all(&root).unwrap();
        assert!(mutants.len() >= 20, "{} mutants", mutants.len());
        let mut files: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
        for mutant in &mutants {
            for (field, text) in [("rule", &mutant.rule), ("bug", &mutant.bug), ("effect", &mutant.effect)] {
                let is_one_line = !text.trim().is_empty() && !text.contains(['\n', '|']);
                assert!(is_one_line, "{}: {field} must be one line without bars", mutant.name);
            }
            files.entry(&mutant.file).or_default().push(mutant);
        }
        for (file, mutants) in files {
            let text = std::fs::read_to_string(root.join(file)).unwrap();
            plant(&text, &mutants).unwrap();
        }
    }

    #[test]
    fn expressions_get_parentheses_and_statements_do_not() {
        let text = "if a < b { c(); }";
        let planted = plant(text, &[&mutant("x", "a < b", "a <= b"), &mutant("y", "c();", "")]).unwrap();
        let first = "(if crate::planted::is(\"x\") { a <= b } else { a < b })";
        let second = "if crate::planted::is(\"y\") {  } else { c(); }";
        assert_eq!(planted, format!("if {first} {{ {second} }}"));
    }

    #[test]
    fn one_snippet_may_have_several_bugs_and_others_may_not_touch() {
        let (x, y) = (mutant("x", "a", "b"), mutant("y", "a", "c"));
        let both = "(if crate::planted::is(\"x\") { b } else if crate::planted::is(\"y\") { c } else { a })";
        assert_eq!(plant("(a)", &[&x, &y]).unwrap(), format!("({both})"));
        assert!(plant("a.b.d", &[&mutant("x", "a.b", "z"), &mutant("y", "b.d", "z")]).is_err());
    }

    #[test]
    fn a_binding_is_refused() {
        assert!(mutant("x", "let a = b;", "let a = c;").place("let a = b;").is_err());
    }

    #[test]
    fn a_snippet_that_is_gone_or_ambiguous_is_named() {
        for text in ["b", "a a"] {
            let error = mutant("lost", "a", "z").place(text).unwrap_err().to_string();
            assert!(error.contains("lost"), "{error}");
        }
    }
}
