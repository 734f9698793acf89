//! Lines about the configuration as a whole. Those that change it say so to the supervisor; those of configuration mode
//! itself are [`crate::configure`]'s.

use super::{JSON, Meaning, Row, SHOW};
use routing_common::config::parse_duration;
use routing_common::control::configuration::{Request, Source};
use routing_common::grammar::Args;

/// When lines take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Each at once.
    AsTyped,
    /// All together, at `commit`.
    Candidate,
}

/// What a line about the configuration stands for.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// Enter configuration mode.
    Enter(Style),
    /// Show a text as lines.
    Show(fn(&Args) -> Source),
    /// Show a text as lines that need no other line.
    Flat(fn(&Args) -> Source),
    /// Show what differs between a text and the one in force.
    Compare,
    /// Ask the supervisor and print its answer.
    Ask(fn(&Args) -> Request),
    /// Bring a file into force.
    Reload,
    /// Nothing: this shell has no modes to be entered before.
    Nothing,
}

const CONFIGURATION: &str = "The router's configuration";
const IN_FORCE: &str = "The one in force";
const BACK: &str = "So many revisions back; 0 is the one in force";
const WRITE: &str = "Make what is in force the startup file";
const TEST: &str = "Only ask every daemon whether it could";

fn back(args: &Args) -> u32 {
    args.get("back").and_then(|n| n.parse().ok()).unwrap_or_default()
}

fn which(args: &Args) -> Source {
    match (args.has("startup"), args.has("back")) {
        (true, _) => Source::Startup,
        (false, true) => Source::Back(back(args)),
        (false, false) => Source::Running,
    }
}

/// The time in `confirmed …`, in seconds, at least one.
pub(crate) fn confirm_within(args: &Args) -> Option<u32> {
    let minutes = || args.get("minutes")?.parse::<u32>().ok().map(|m| m * 60);
    let time = || parse_duration(args.get("within")?).ok();
    time().map(|t| u32::try_from(t.as_secs().max(1)).unwrap_or(u32::MAX)).or_else(minutes)
}

fn rollback(args: &Args) -> Request {
    Request::Rollback { back: back(args), confirm_within_sec: confirm_within(args) }
}

const fn row(syntax: &'static str, help: &'static [&'static str], act: Act) -> Row {
    Row { syntax, help, meaning: Meaning::Configuration(act) }
}

pub(super) const ROWS: &[Row] = &[
    row(
        "configure",
        &["Change the configuration: lines are collected until `commit`"],
        Act::Enter(Style::Candidate),
    ),
    row(
        "configure terminal [file-lock]",
        &[
            "Change the configuration",
            "Each line takes effect at once",
            "Nothing: a line is never half in force",
        ],
        Act::Enter(Style::AsTyped),
    ),
    row("enable", &["Nothing: whoever may use this shell may change the router"], Act::Nothing),
    row("disable", &["Nothing, see `enable`"], Act::Nothing),
    row("show running-config", &[SHOW, "The configuration in force, as lines"], Act::Show(which)),
    row("write terminal", &[WRITE, "Show the configuration in force"], Act::Show(which)),
    row(
        "show configuration [<running|startup|revision (0-99)$back>]",
        &[SHOW, CONFIGURATION, IN_FORCE, "What the router boots from", "A former one", BACK],
        Act::Show(which),
    ),
    row(
        "show configuration compare [<startup|revision (0-99)$back>]",
        &[
            SHOW,
            CONFIGURATION,
            "What differs from the one in force",
            "What the router boots from (the default)",
            "A former one",
            BACK,
        ],
        Act::Compare,
    ),
    row(
        "show configuration commands [<running|startup|revision (0-99)$back>]",
        &[
            SHOW,
            CONFIGURATION,
            "As lines that each name their mode, for grep and diff",
            IN_FORCE,
            "What the router boots from",
            "A former one",
            BACK,
        ],
        Act::Flat(which),
    ),
    row(
        "show configuration history [json]",
        &[SHOW, CONFIGURATION, "Revisions: who, when and why", JSON],
        Act::Ask(|_| Request::ShowHistory),
    ),
    row(
        "show configuration state [json]",
        &[SHOW, CONFIGURATION, "Is it saved, confirmed, locked", JSON],
        Act::Ask(|_| Request::ShowState),
    ),
    row("confirm", &["Keep what `commit confirmed` brought"], Act::Ask(|_| Request::Confirm)),
    row(
        "rollback (0-99)$back [confirmed <(1-1440)$minutes|DURATION$within>]",
        &[
            "Bring a former configuration into force",
            BACK,
            "And take it back unless confirmed within",
            "Minutes",
            "Or another time, such as 90s",
        ],
        Act::Ask(rollback),
    ),
    row("save", &[WRITE], Act::Ask(|_| Request::Save)),
    row(
        "write [<memory|file|integrated>]",
        &[WRITE, "The same", "The same", "The same"],
        Act::Ask(|_| Request::Save),
    ),
    row(
        "copy running-config startup-config",
        &["Copy a configuration", IN_FORCE, "What the router boots from"],
        Act::Ask(|_| Request::Save),
    ),
    row(
        "reload [WORD$file] [test]",
        &[
            "Bring a file into force, whole or not at all",
            "A router.toml, or an frr.conf (the startup file, if left out)",
            TEST,
        ],
        Act::Reload,
    ),
];
