//! A lab without root: the program makes a user namespace of its own and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::{Permissions, copy, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// A user who owns nothing.
const NOBODY: &str = "65534";

/// Runs as an ordinary user; when we are one already, as ourselves.
fn as_ordinary_user(program: &Path, arguments: &[&str]) -> Output {
    let mut command = if nix::unistd::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(arguments).env("TMPDIR", program.parent().unwrap()).output().unwrap()
}

#[test]
fn an_ordinary_user_builds_uses_and_removes_a_lab() {
    let dir = tempfile::tempdir().unwrap();
    set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
    let program = dir.path().join("ringlab");
    copy(env!("CARGO_BIN_EXE_ringlab"), &program).unwrap();
    set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let run_dir = dir.path().join("lab");
    let ringlab = |words: &str| {
        let mut arguments = vec!["--run-dir", run_dir.to_str().unwrap()];
        arguments.extend(words.split(' '));
        let output = as_ordinary_user(&program, &arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words}:\n{text}\n{complaint}");
        text
    };
    ringlab("up --stack bird --topology trunk");
    assert!(ringlab("probe").contains("20 of 20 flows"));
    ringlab("cut l23");
    assert!(ringlab("tables --wait 5").contains("every table right"));
    assert!(ringlab("probe").contains("8 of 8 flows"));
    ringlab("heal");
    ringlab("tables --wait 5");
    assert!(ringlab("probe").contains("20 of 20 flows"));
    ringlab("down");
    assert!(!run_dir.exists());
}
