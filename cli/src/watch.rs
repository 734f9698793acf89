//! What goes on until interrupted: `watch`, `terminal monitor`, and other programs.
//!
//! Such commands print as they go. A connection of `torc serve-frr` gives back one answer per line and has none of them; without
//! a terminal nobody can interrupt, so `watch` needs a count and `terminal monitor` is refused.

mod follow;

use crate::commands::is_show;
use crate::connect::ask;
use crate::filter::Filter;
use crate::interrupt::Interruptible;
use crate::own;
use crate::run::{Shell, print};
use anyhow::{Context as _, Result, bail};
use follow::Follower;
use routing_common::grammar::Args;
use std::io::IsTerminal as _;
use std::process::Command;
use std::time::Duration;

/// Where what a shell runs is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Console {
    /// By a program, each answer as a whole.
    Collected,
    /// On standard output, by whoever.
    Printed,
    /// By an operator who can interrupt.
    Terminal,
}

/// Between two looks at what happened.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Repeats a show.
pub(crate) fn watch(shell: &mut Shell, args: &Args, filters: &[Filter]) -> Result<String> {
    let number = |name| args.get(name).and_then(|n| n.parse::<u64>().ok());
    let (line, pause) = (args.get("command").unwrap_or_default(), number("seconds").unwrap_or(2));
    let looks = match (shell.console(), number("count")) {
        (Console::Collected, _) => bail!("% `watch` prints as it goes, which is not possible here"),
        (Console::Printed, None) => {
            bail!("% Without a terminal nobody can interrupt: watch SECONDS count N SHOW")
        }
        (_, count) => count.unwrap_or(u64::MAX),
    };
    if !is_show(line.split_whitespace().next()) {
        bail!("% Only shows can be watched, not: {line}");
    }
    let interruptible = Interruptible::new()?;
    for look in 0..looks {
        if look > 0 && interruptible.wait(Duration::from_secs(pause)) {
            break;
        }
        let text = shell.run(line)?;
        let text = filters.iter().try_fold(text, |text, filter| filter.apply(&text))?;
        // The operator sees one picture that changes; a file gets them all.
        let clear = if std::io::stdout().is_terminal() { "\x1b[H\x1b[2J" } else { "" };
        print(&format!("{clear}Every {pause} s: {line}\n\n{text}"));
    }
    Ok(String::new())
}

/// Prints what happens in OSPF and VRRP.
pub(crate) fn monitor(shell: &Shell) -> Result<String> {
    if shell.console() != Console::Terminal {
        bail!("% `terminal monitor` needs a terminal; `show ip ospf events` and `show vrrp history` do not");
    }
    let interruptible = Interruptible::new()?;
    let mut follower = Follower::default();
    print("% Interrupt with Ctrl-C\n");
    loop {
        for line in follower.look(|daemon, request| ask(shell.run_dir(), daemon, request).ok()) {
            print(&line);
        }
        if interruptible.wait(LOOK_EVERY) {
            return Ok(String::new());
        }
    }
}

/// Starts another program and waits for its end.
pub(crate) fn start(shell: &Shell, program: &str, args: &Args) -> Result<String> {
    let host = args.get("host").unwrap_or_default();
    let mut command = Command::new(program);
    match shell.console() {
        Console::Collected => bail!("% `{program}` prints as it goes, which is not possible here"),
        // Nobody could end it.
        Console::Printed if program == "ping" => command.args(["-c", "5"]),
        Console::Printed | Console::Terminal => &mut command,
    };
    // Its packets would not be the router's, and would go where nobody expects them.
    if shell.processes().is_ok_and(|p| own::is_elsewhere(&p)) {
        bail!("% The router runs in another network namespace; start this shell there for {program}");
    }
    // Ctrl-C is for the program; the shell stays.
    let interruptible = Interruptible::new()?;
    let status = command.arg(host).status().with_context(|| format!("{program} cannot be started"))?;
    drop(interruptible);
    if !status.success() && shell.console() == Console::Printed {
        bail!("% {program} {host}: {status}");
    }
    Ok(String::new())
}
