//! The page about every line, from the tables that read the lines.

use crate::commands::{Foreign, level};
use crate::mode::Kind;
use core::fmt::Write as _;
use routing_common::grammar::page::{code, words};
use routing_common::grammar::{Command, CommandTable};

const INTRODUCTION: &str = "\
# Configuration in lines

<!-- Generated from the tables in cli/lines/src/commands/; a test compares. Write it anew with:
     BLESS=1 cargo test -p config-lines reference -->

The lines are those of FRR, and the file they change is `/etc/torc/router.toml` ([configuration.md](configuration.md)), which stays
the only one. Words may be shortened while they stay unique. Where a line is unknown, the modes around are tried, so
that configuration can be pasted. `!` and `#` begin comments. `exit` or `quit` leaves a mode, `end` leaves them all.

`[…]` may be left out, `<a|b>` is a choice, `{a|b}` is one or more of them in any order. `DURATION` is a span of time with its unit,
such as `150ms`; a bare number counts what FRR counts there. A line with a `no` is taken back by `no` and the same words, of which only
the keywords are needed.

Where Torc differs from FRR:

* OSPF runs on an interface once it has its area. Other `ip ospf` lines that come before wait for it, and keys wait for the
  `authentication` line that gives them a use. What still waits at the end is not part of the configuration.
* `network`, `passive-interface default` and `area … authentication` change the interfaces there are when the line is typed, or those at the
  end of the files that are imported. They are not rules for interfaces that come later.
* `default-information originate always` has metric 1 unless it says one, as in FRR; the file's default is 10.
* Graceful restart is on unless `no graceful-restart` is said.
* A BFD peer with settings of its own gets a profile of its own.
* A virtual router is called INTERFACE-VRID in the file and a BFD peer after its address, unless a `name` is said.
* A name of a prefix list, access list, route map or key chain that is not there is refused, where FRR takes it for one that matches nothing or
  for none at all. What is typed line by line waits for the line that brings it.
* `+N` and `-N` of `set metric` count from the metric of the `redistribute` or `default-information` line, which FRR's ospfd does not heed.
* The route map of `default-information originate` judges this router's own default route and changes how it is announced. FRR announces a
  default if any route at all passes, unchanged.
* The times of a key's lifetimes are Universal Time, where FRR takes the router's own. A key needs its `cryptographic-algorithm`. Of
  several keys that may sign, the one whose `send-lifetime` began last does, where FRR takes the lowest number.
* `no ip address` without an address leaves the interface without any, but in the file.
";

/// The page `docs/commands-configuration.md`.
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    for kind in Kind::ALL {
        let _ = writeln!(page, "\n## {}\n\n| line | `no` | meaning |\n| --- | --- | --- |", title(kind));
        commands(&mut page, &level(kind).shown);
    }
    page.push_str(
        "\n## Older spellings\n\nUnderstood, but neither offered nor written.\n\n| line | `no` | meaning |\n\
         | --- | --- | --- |\n",
    );
    for kind in Kind::ALL {
        commands(&mut page, &level(kind).hidden);
    }
    page.push_str(
        "\n## Lines of FRR without a counterpart\n\nAn import names them. Those that are not needed lose nothing.\n",
    );
    let without = [Kind::BfdProfile, Kind::Key];
    for kind in Kind::ALL.into_iter().filter(|k| !without.contains(k)) {
        let _ = writeln!(
            page,
            "\n### {}\n\n| line | needed | why not, or what instead |\n| --- | --- | --- |",
            title(kind)
        );
        for Command { syntax, meaning: Foreign { reason, harmless, .. }, .. } in
            level(kind).foreign.commands()
        {
            let needed = if *harmless { "no" } else { "" };
            let _ = writeln!(page, "| {} | {needed} | {reason} |", code(syntax));
        }
    }
    page
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Config => "At the top",
        Kind::Interface => "`interface IFNAME`",
        Kind::RouterOspf => "`router ospf`",
        Kind::RouteMap => "`route-map WORD <permit|deny> (1-65535)`",
        Kind::KeyChain => "`key chain WORD`",
        Kind::Key => "`key (0-255)` below `key chain`",
        Kind::Bfd => "`bfd`",
        Kind::BfdPeer => "`peer …` below `bfd`",
        Kind::BfdProfile => "`profile WORD` below `bfd`",
    }
}

fn commands<M: Clone>(page: &mut String, table: &CommandTable<M>) {
    let all: Vec<&Command<M>> = table.commands().collect();
    let own = |c: &&&Command<M>| !c.syntax.starts_with("no ") && !["exit", "quit", "end"].contains(&c.syntax);
    for command in all.iter().filter(own) {
        let words = words(command.syntax);
        let head: Vec<&str> = words.iter().take(head(command.syntax)).copied().collect();
        let head = format!("no {} ", head.join(" "));
        let no = if all.iter().any(|c| format!("{} ", c.syntax).starts_with(&head)) { "yes" } else { "" };
        let _ = writeln!(page, "| {} | {no} | {} |", code(command.syntax), meaning(command, &words));
    }
}

/// The number of keywords a line begins with.
fn head(syntax: &str) -> usize {
    let plain = |w: &&str| !w.contains(['[', '<', '{']) && is_keyword(w.split('$').next().unwrap_or(w));
    syntax.split_whitespace().take_while(plain).count()
}

/// What the keyword says that makes the line the one it is, then what each of its values says.
fn meaning<M>(command: &Command<M>, words: &[&str]) -> String {
    let of = |n: usize| command.help.get(n).copied().unwrap_or_default();
    // Lines of a virtual router or an area have its number before that keyword.
    let keyword = words.iter().position(|w| *w == "authentication");
    let main = match words {
        ["area", ..] => keyword.unwrap_or_default(),
        ["vrrp", _, ..] if command.syntax.split_whitespace().nth(2).is_some_and(is_keyword_alone) => 2,
        _ => head(command.syntax).saturating_sub(1),
    };
    let mut text = of(main).to_owned();
    for (n, word) in words.iter().enumerate().skip(main + 1) {
        let _ = write!(text, "; {}: {}", code(word), of(n));
    }
    text
}

fn is_keyword_alone(word: &str) -> bool {
    !word.contains(['[', '<', '{', '(']) && is_keyword(word)
}

fn is_keyword(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_page_is_what_the_tables_say() {
        let page =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands-configuration.md");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&page, reference()).unwrap();
        }
        let committed = std::fs::read_to_string(&page).unwrap_or_default();
        assert!(
            committed == reference(),
            "docs/commands-configuration.md is stale: BLESS=1 cargo test -p config-lines reference"
        );
    }
}
