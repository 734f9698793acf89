//! The page about every command, from the table that reads them.

use crate::commands::{Meaning, table};
use core::fmt::Write as _;
use routing_common::grammar::Command;
use routing_common::grammar::page::{code, words};

const INTRODUCTION: &str = "\
# Commands

<!-- Generated from the tables in cli/src/commands/; a test compares. Write it anew with:
     BLESS=1 cargo test -p torc reference -->

What can be typed outside configuration mode, and inside it behind `do`; lines that change the configuration stand in
[commands-configuration.md](commands-configuration.md), typing itself and pipes in [shell.md](shell.md). Keywords may be shortened while they stay
unique. `[…]` may be left out, `<a|b>` is a choice; words in capitals and ranges stand for values. Every `show` takes `vrf default`.

Where FRR has the command, columns and JSON keys are FRR's. `watch`, `terminal monitor`, `ping` and `traceroute` print as they go: they are not
there for FRR's `vtysh`, and without a terminal `watch` needs a count.
";

/// Words that stand for nothing of their own: what follows them tells one group from another.
const COMMON: &[&str] = &["show", "ip"];

/// What is no show.
const OTHERS: &str = "Commands that act";
/// Shows that are the only ones with their first words.
const OTHER_SHOWS: &str = "Other shows";

/// The heading a command stands under: its first words.
fn group(syntax: &str) -> String {
    let words: Vec<&str> = syntax.split_whitespace().collect();
    let end = words.iter().position(|w| !COMMON.contains(w)).map_or(words.len(), |at| at + 1);
    match words.first() {
        Some(&"show") => {
            words.iter().take(end).map(|w| w.trim_matches(['[', ']'])).collect::<Vec<_>>().join(" ")
        }
        _ => OTHERS.to_owned(),
    }
}

fn page() -> String {
    let mut groups: Vec<(String, Vec<Command<Meaning>>)> = Vec::new();
    for command in table().commands() {
        let name = group(command.syntax);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rows)) => rows.push(*command),
            None => groups.push((name, vec![*command])),
        }
    }
    let (single, mut groups): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(name, rows)| name != OTHERS && rows.len() == 1);
    groups.push((OTHER_SHOWS.to_owned(), single.into_iter().flat_map(|(_, rows)| rows).collect()));
    groups.sort_by_key(|(name, _)| (name == OTHER_SHOWS, name != OTHERS, name.clone()));
    let mut page = String::from(INTRODUCTION);
    for (name, rows) in &groups {
        let title = if name.starts_with("show") { format!("`{name}`") } else { name.clone() };
        let _ = writeln!(page, "\n## {title}\n\n| command | shows or does |\n| --- | --- |");
        for row in rows {
            let _ = writeln!(page, "| {} | {} |", code(row.syntax), meaning(row));
        }
    }
    page
}

/// What the words behind the group's first ones say, without what every command has.
fn meaning(row: &Command<Meaning>) -> String {
    let words = words(row.syntax);
    let own = group(row.syntax);
    let own = if own == OTHERS { 0 } else { own.split(' ').count().saturating_sub(1) };
    let mut text = String::new();
    for (word, help) in words.iter().zip(row.help).skip(own).filter(|(word, _)| **word != "json") {
        if text.is_empty() {
            text.push_str(help);
        } else {
            let _ = write!(text, "; {}: {help}", code(word));
        }
    }
    text
}

#[test]
fn reference_page_is_what_the_table_says() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page(), "docs/commands.md is stale: BLESS=1 cargo test -p torc reference");
}

#[test]
fn every_command_stands_on_the_page_once() {
    let page = page();
    for command in table().commands() {
        let row = format!("| {} |", code(command.syntax));
        assert_eq!(page.matches(&row).count(), 1, "{row}");
    }
}
