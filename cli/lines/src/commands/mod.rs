//! The commands of every mode: what they look like, what they are for and what they do.
//!
//! A pair of rows is a command and its `no`, which takes the same words but needs only the keywords. Hidden rows are
//! older spellings: understood, but neither completed nor documented. Foreign rows are lines of FRR for which Torc
//! has nothing; they carry the reason.

mod bfd;
mod config;
mod foreign;
mod interface;
mod key_chain;
mod lists;
mod ospf_interface;
mod route_map;
mod router_ospf;
mod static_route;
mod vrrp;

pub(crate) use bfd::peer_name;
pub(crate) use config::loopback_or_highest;
pub(crate) use foreign::{Foreign, foreign_reason};
pub(crate) use key_chain::MONTHS;
pub(crate) use route_map::is_keyword_of_address;
pub(crate) use static_route::{FRR_WORDS, like_an_address};

use crate::call::Meaning;
use crate::mode::Kind;
use crate::text::words_before;
use routing_common::grammar::{Command, CommandTable, MatchError};
use std::sync::LazyLock;

/// One command.
pub(crate) type Row = Command<Meaning>;

pub(crate) const NO: &str = "Take back, or set to the default";
pub(crate) const DURATION: &str = "With a unit, such as 150ms";

/// A command and its `no`: keywords, then what may follow them, the help of each word, the meaning.
macro_rules! pair {
    ($words:literal, [$($help:expr),* $(,)?], $meaning:expr $(,)?) => {
        [
            $crate::commands::Row { syntax: $words, help: &[$($help),*], meaning: $meaning },
            $crate::commands::Row {
                syntax: concat!("no ", $words),
                help: &[$crate::commands::NO, $($help),*],
                meaning: $meaning,
            },
        ]
    };
    ($words:literal, $rest:expr, [$($help:expr),* $(,)?], $meaning:expr $(,)?) => {
        [
            $crate::commands::Row {
                syntax: concat!($words, " ", $rest),
                help: &[$($help),*],
                meaning: $meaning,
            },
            $crate::commands::Row {
                syntax: concat!("no ", $words, " [", $rest, "]"),
                help: &[$crate::commands::NO, $($help),*],
                meaning: $meaning,
            },
        ]
    };
}
pub(crate) use pair;

/// The tables of one mode.
pub(crate) struct Level {
    pub(crate) shown: CommandTable<Meaning>,
    pub(crate) hidden: CommandTable<Meaning>,
    pub(crate) foreign: CommandTable<Foreign>,
}

const LEAVE: &[Row] = &[
    Row { syntax: "exit", help: &["Back to the mode around this one"], meaning: Meaning::Exit },
    Row { syntax: "quit", help: &["Back to the mode around this one"], meaning: Meaning::Exit },
    Row { syntax: "end", help: &["Leave configuration mode"], meaning: Meaning::End },
];

static LEVELS: LazyLock<Vec<Level>> = LazyLock::new(|| Kind::ALL.into_iter().map(compile).collect());

/// The tables of the modes of this kind.
pub(crate) fn level(kind: Kind) -> &'static Level {
    // proof: the list has an entry for every kind, in the order of `Kind::ALL`, which is that of the enum.
    &LEVELS[kind as usize]
}

/// Where the secret stands in these words, if some mode takes them, or those before the first it does not know, for a command that
/// has one: behind what else the command says, up to its end.
pub(crate) fn secret_in(words: &[&str]) -> Option<usize> {
    static WITH_SECRETS: LazyLock<Vec<&CommandTable<Meaning>>> = LazyLock::new(|| {
        let has_secrets = |t: &&CommandTable<Meaning>| t.commands().any(|c| c.syntax.contains("$secret"));
        LEVELS.iter().flat_map(|level| [&level.shown, &level.hidden]).filter(has_secrets).collect()
    });
    WITH_SECRETS.iter().find_map(|table| {
        let (known, args) = match table.parse(words) {
            Ok((_, args)) => (words.len(), args),
            Err(MatchError::Unknown { line, column }) => {
                let known = words_before(&line, column);
                (known, table.parse(words.get(..known)?).ok()?.1)
            }
            Err(_) => return None,
        };
        known.checked_sub(args.get("secret")?.split(' ').count())
    })
}

fn compile(kind: Kind) -> Level {
    let shown = shown(kind);
    let foreign = foreign::rows(kind);
    // proof: a test compiles the same constant tables.
    let table = |rows: &[Row]| CommandTable::new(rows).expect("the command tables compile");
    Level {
        shown: table(&shown),
        hidden: table(&hidden(kind)),
        foreign: CommandTable::without_help(&foreign).expect("the table of foreign lines compiles"),
    }
}

fn shown(kind: Kind) -> Vec<Row> {
    let pairs: &[&[[Row; 2]]] = match kind {
        Kind::Config => &[config::PAIRS],
        Kind::RouteMap => &[route_map::PAIRS],
        Kind::Interface => &[interface::PAIRS, ospf_interface::PAIRS, vrrp::PAIRS],
        Kind::RouterOspf => &[router_ospf::PAIRS],
        Kind::KeyChain => &[],
        Kind::Key => &[key_chain::PAIRS],
        Kind::Bfd => &[bfd::PAIRS],
        Kind::BfdPeer => &[bfd::SESSION, bfd::PEER],
        Kind::BfdProfile => &[bfd::SESSION],
    };
    let single: &[&[Row]] = match kind {
        Kind::Config => &[config::ROWS, static_route::ROWS, lists::ROWS, route_map::ROWS, key_chain::ROWS],
        Kind::Interface => &[vrrp::ROWS],
        Kind::RouterOspf => &[router_ospf::ROWS],
        Kind::KeyChain | Kind::Key => &[key_chain::KEY],
        Kind::RouteMap | Kind::Bfd | Kind::BfdPeer | Kind::BfdProfile => &[],
    };
    let pairs = pairs.iter().flat_map(|p| p.iter().flatten());
    pairs.chain(single.iter().flat_map(|s| s.iter())).chain(LEAVE).copied().collect()
}

fn hidden(kind: Kind) -> Vec<Row> {
    let pairs: &[[Row; 2]] = match kind {
        Kind::Config => config::HIDDEN,
        Kind::Interface => ospf_interface::HIDDEN,
        Kind::RouterOspf => router_ospf::HIDDEN,
        Kind::BfdPeer => bfd::HIDDEN,
        Kind::RouteMap | Kind::KeyChain | Kind::Key | Kind::Bfd | Kind::BfdProfile => &[],
    };
    let single: &[Row] = if kind == Kind::Config { static_route::HIDDEN } else { &[] };
    pairs.iter().flatten().chain(single).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value would be taken for the keyword, and the keyword for the value where that is left out.
    #[test]
    fn no_value_has_the_name_of_a_keyword_of_its_line() {
        for kind in Kind::ALL {
            let Level { shown, hidden, .. } = level(kind);
            for command in shown.commands().chain(hidden.commands()) {
                let split = |c: char| c.is_whitespace() || "[]<>{}|".contains(c);
                let words: Vec<&str> = command.syntax.split(split).collect();
                let named = words.iter().filter_map(|w| w.split_once('$'));
                for (_, name) in named.filter(|(value, _)| !value.bytes().any(|b| b.is_ascii_lowercase())) {
                    assert!(!words.contains(&name), "{}: {name}", command.syntax);
                }
            }
        }
    }
}
