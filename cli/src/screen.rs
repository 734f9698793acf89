//! What an operator's terminal shows beside the text itself: a pager, and colours for states.
//!
//! Both are for terminals alone; a pipe, a file and a program get the bare text. The pager is FRR's: `$VTYSH_PAGER` switches
//! it on and names it, `terminal paginate` switches it on (`$VTYSH_PAGER`, else `$PAGER`, else `more`). It gets an answer
//! that is there as a whole, so that no daemon waits for an operator who reads.

use crate::interrupt::Interruptible;
use crate::run::print;
use anyhow::{Context as _, Result};
use regex::Regex;
use std::env;
use std::io::{IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

/// What an operator has chosen for his terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Long answers go through the pager.
    pub(crate) pages: bool,
    /// States have colours.
    pub(crate) colours: bool,
}

impl Settings {
    /// What the environment asks for.
    pub(crate) fn of_environment() -> Self {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        Self { pages: is_set("VTYSH_PAGER"), colours: !dumb && !is_set("NO_COLOR") }
    }
}

/// Shows an answer on the terminal; `rows` is its height, if that is known.
pub(crate) fn show(text: &str, settings: Settings, rows: Option<usize>) {
    let painted = if settings.colours { paint(text) } else { text.to_owned() };
    // The prompt wants a row, too.
    let is_long = rows.is_none_or(|rows| text.lines().count() >= rows);
    if !(settings.pages && is_long && page(&painted).is_ok()) {
        print(&painted);
    }
}

/// Shows what went wrong.
pub(crate) fn complain(error: &anyhow::Error, settings: Settings) {
    if settings.colours && std::io::stderr().is_terminal() {
        eprintln!("{RED}{error:#}{PLAIN}");
    } else {
        eprintln!("{error:#}");
    }
}

/// Waits for the operator to have read it; an error if no pager could be started.
fn page(text: &str) -> Result<()> {
    let named = ["VTYSH_PAGER", "PAGER"].into_iter().filter_map(|name| env::var(name).ok());
    let pager = named.into_iter().find(|value| !value.is_empty()).unwrap_or_else(|| "more".to_owned());
    // Ctrl-C is for the pager; the shell stays.
    let _interruptible = Interruptible::new()?;
    let mut command = Command::new("sh");
    command.arg("-c").arg(&pager).stdin(Stdio::piped());
    if env::var_os("LESS").is_none() {
        // Let colours through.
        command.env("LESS", "-R");
    }
    let mut child = command.spawn().with_context(|| pager.clone())?;
    if let Some(mut to_pager) = child.stdin.take() {
        // An operator who has seen enough closes it.
        let _ = to_pager.write_all(text.as_bytes());
    }
    let status = child.wait()?;
    // What the shell of the system says for a program it does not find.
    anyhow::ensure!(status.code() != Some(127), "{pager}");
    Ok(())
}

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// The states that tell at a glance, as they stand in tables: well, on the way, not well.
const STATES: [(&str, &str); 3] = [
    (GREEN, r"Full(?:/\S+)?|Master|running|up"),
    (YELLOW, r"(?:Init|ExStart|Exchange|Loading|Attempt)(?:/\S+)?|Initialize|starting|waiting|stopping|init"),
    (RED, r"Down(?:/\S+)?|back-off|down|AdminDown|admin-down"),
];

/// Whose answers are painted: tables of neighbours, virtual routers, sessions, interfaces, daemons, by a head they have.
const HEADS: [&str; 6] = [
    "Neighbor ID",
    "Virtual Router ID",
    "Interface VRID",
    "Session count:",
    "Interface Status",
    "Daemon Pid",
];

/// Colours the states of the few tables in which they are looked for. Nothing moves: a colour takes no room.
fn paint(text: &str) -> String {
    if !HEADS.iter().any(|head| is_head(text, head)) {
        return text.to_owned();
    }
    let mut painted = text.to_owned();
    for (colour, states) in STATES {
        // A whole word between blanks, or at a line's end.
        let pattern = format!(r"(?m)(^|[ \t])({states})([ \t]|$)");
        // proof: the patterns are constants and a test compiles them.
        let regex = Regex::new(&pattern).expect("the states are a regular expression");
        painted = regex.replace_all(&painted, format!("${{1}}{colour}${{2}}{PLAIN}${{3}}")).into_owned();
    }
    painted
}

/// Does one of the first lines begin with these words, however far apart?
fn is_head(text: &str, head: &str) -> bool {
    let wanted: Vec<&str> = head.split_whitespace().collect();
    text.lines().take(3).any(|line| {
        let words: Vec<&str> = line.split_whitespace().take(wanted.len()).collect();
        words == wanted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_known_tables_are_painted_and_nothing_moves() {
        let table = "Neighbor ID     Pri State           Up Time\n10.255.0.2        1 Full/DR         1m\n\
                     10.255.0.3        1 2-Way/DROther   up\n10.255.0.4 1 Init/- x\n10.255.0.5 1 Down\n";
        let painted = paint(table);
        assert!(painted.contains(" 1 \x1b[32mFull/DR\x1b[0m  "), "{painted:?}");
        assert!(painted.contains("\x1b[33mInit/-\x1b[0m") && painted.contains("\x1b[31mDown\x1b[0m\n"));
        assert!(painted.contains(" 2-Way/DROther "), "which is where it should be");
        let bare = [GREEN, YELLOW, RED, PLAIN].iter().fold(painted, |text, code| text.replace(code, ""));
        assert_eq!(bare, table);
        let prose = "interface eth1\n description Full of Down\n";
        assert_eq!(paint(prose), prose);
    }
}
