//! The README, run as its reader would run it.
//!
//! The shell lines under "A real router" are executed as they stand, in namespaces of their own (mounts and
//! network), where `/usr/local/sbin` and `/run` are empty, `/etc` is a copy and `sudo` does nothing. The
//! line that stays in the foreground is put in the background; the ones after it wait for its daemons. The other commands of
//! the README are `cargo xtask demo` and `cargo xtask test`, which the test run executes itself.

use crate::cargo_with;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;

/// The line that runs until it is stopped.
const FOREGROUND: &str = "sudo mgmtd --config /etc/torc/router.toml";

/// The commands that are run elsewhere in the test run.
const ELSEWHERE: [&str; 2] = ["cargo xtask demo", "cargo xtask test"];

/// Before the README's lines: a machine that has nothing of ours and can lose nothing.
const PROLOGUE: &str = r#"set -eu
mount -t tmpfs none /usr/local/sbin
mount -t tmpfs none /run
mkdir /run/above /run/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/above,workdir=/run/work none /etc
sudo() { "$@"; }
ip link set lo up
"#;

/// In place of the foreground line: start it, and wait until every daemon answers.
const BACKGROUND: &str = r#"mgmtd --config /etc/torc/router.toml & router=$!
trap 'kill $router; wait $router' EXIT
for daemon in ribd ospfd vrrpd; do
    for try in $(seq 100); do [ -S /run/torc/$daemon.sock ] && break; sleep 0.1; done
done
"#;

/// How the README's release build is told to take a third of its time: what it builds is started, not measured.
const QUICKER: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
];

/// Runs every command of the README that is not run elsewhere; any that fails is an error.
pub(crate) fn run(root: &Path) -> Result<()> {
    let text = std::fs::read_to_string(root.join("README.md"))?;
    let commands = shell_lines(&text);
    for command in ELSEWHERE {
        ensure!(commands.contains(&command), "the README no longer names `{command}`");
    }
    let mine: Vec<&str> = commands.into_iter().filter(|c| !ELSEWHERE.contains(c)).collect();
    ensure!(mine.contains(&FOREGROUND), "the README no longer starts a router with `{FOREGROUND}`");
    let mut script = PROLOGUE.to_owned();
    for line in mine {
        match line {
            // Cargo must see the real machine, not the emptied one.
            _ if line.starts_with("cargo ") => {
                cargo_with(&QUICKER, &line.split_whitespace().skip(1).collect::<Vec<_>>())?
            }
            FOREGROUND => script += BACKGROUND,
            _ => script += &format!("{line}\n"),
        }
    }
    println!("+ the README's commands, in namespaces of their own");
    let status = Command::new("unshare")
        .args(["--mount", "--net", "bash", "-c", &script])
        .current_dir(root)
        .status()
        .context("unshare")?;
    ensure!(status.success(), "a command of the README failed: {status}");
    Ok(())
}

/// The lines of all `sh` blocks without their comments.
fn shell_lines(text: &str) -> Vec<&str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => lines.push(line.split(" #").next().unwrap_or(line).trim()),
            _ => {}
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shell_blocks_are_commands_and_comments_are_not() {
        let text = "```sh\none --flag   # why\n\n```\n```toml\nkey = 1\n```\n```sh\ntwo\n```\n";
        assert_eq!(shell_lines(text), ["one --flag", "two"]);
    }
}
