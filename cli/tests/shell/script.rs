//! The shell as a script meets it: exit codes, missing daemons, refusals, pipes, scripts on standard input.

use routing_common::control::{FrameDecoder, Greeting, Outcome, PROTOCOL_VERSION, Reply, Request, encode};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A daemon that answers every request with what `answer` makes of it, on as many connections as come.
fn daemon(run_dir: &Path, name: &str, protocol: u16, answer: fn(&Value) -> Outcome) {
    let listener = UnixListener::bind(run_dir.join(format!("{name}.sock"))).unwrap();
    let greeting = Greeting { daemon: name.into(), version: "9.9.9".into(), protocol };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // The shell may hang up at any moment; that is its right.
            let _ = serve(&mut stream.unwrap(), &greeting, answer);
        }
    });
}

fn serve(stream: &mut UnixStream, greeting: &Greeting, answer: fn(&Value) -> Outcome) -> std::io::Result<()> {
    stream.write_all(&encode(greeting)?)?;
    let mut decoder = FrameDecoder::default();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        decoder.push(&piece[..count]);
        while let Some(frame) = decoder.next_frame().unwrap() {
            let request: Request = serde_json::from_slice(frame)?;
            let outcome = answer(&request.body);
            stream.write_all(&encode(&Reply { id: request.id, outcome })?)?;
        }
    }
}

fn torc(run_dir: &Path, commands: &[&str]) -> Output {
    let mut shell = Command::new(env!("CARGO_BIN_EXE_torc"));
    shell.arg("--run-dir").arg(run_dir);
    for command in commands {
        shell.args(["-c", command]);
    }
    shell.stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What `show processes` is answered with.
fn processes(request: &Value) -> Outcome {
    assert_eq!(request, "show-processes");
    let row =
        |name: &str| json!({"name": name, "pid": 7, "state": "running", "restarts": 0, "uptimeMsec": 5});
    Outcome::Done(json!({ "processes": [row("ribd"), row("ospfd")] }))
}

#[test]
fn a_missing_daemon_is_an_error_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let output = torc(dir.path(), &["show ip ospf neighbor json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "", "never an empty success");
    assert!(text(&output.stderr).contains("ospfd is not running"), "{}", text(&output.stderr));
}

#[test]
fn answers_are_text_or_json_and_pass_through_pipes() {
    let dir = tempfile::tempdir().unwrap();
    daemon(dir.path(), "mgmtd", PROTOCOL_VERSION, processes);
    let output =
        torc(dir.path(), &["show proc", "show processes | include ospf | count", "show processes json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert!(shown.starts_with("Daemon  Pid"), "{shown}");
    assert!(shown.contains("\n1\n"), "{shown}");
    assert!(shown.contains("\"uptimeMsec\": 5"), "{shown}");
}

#[test]
fn one_failure_among_several_commands_fails_the_call_but_not_the_others() {
    let dir = tempfile::tempdir().unwrap();
    daemon(dir.path(), "mgmtd", PROTOCOL_VERSION, processes);
    let output = torc(dir.path(), &["show vrrp", "show nonsense", "show processes"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("ribd"));
    let errors = text(&output.stderr);
    assert!(errors.contains("vrrpd is not running"), "{errors}");
    // The caret stands below the first letter of the unknown word.
    assert!(errors.contains("% Unknown command: show nonsense\n                        ^"), "{errors}");
}

#[test]
fn a_refusal_and_a_stranger_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    daemon(dir.path(), "ospfd", PROTOCOL_VERSION, |_| Outcome::Refused("no such interface".into()));
    daemon(dir.path(), "vrrpd", PROTOCOL_VERSION + 1, |_| Outcome::Done(Value::Null));
    daemon(dir.path(), "ribd", PROTOCOL_VERSION, |_| Outcome::Done(json!(7)));
    let errors = text(&torc(dir.path(), &["show ip ospf", "show vrrp", "show ip route"]).stderr);
    assert!(errors.contains("ospfd: no such interface"), "{errors}");
    assert!(errors.contains("vrrpd speaks control protocol 2"), "{errors}");
    assert!(errors.contains("ribd sent what this shell cannot show"), "{errors}");
}

#[test]
fn a_script_on_standard_input_is_a_session() {
    let dir = tempfile::tempdir().unwrap();
    daemon(dir.path(), "mgmtd", PROTOCOL_VERSION, processes);
    let mut child = Command::new(env!("CARGO_BIN_EXE_torc"))
        .arg("--run-dir")
        .arg(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"show proc\nshow ip ospf neigh?\nshow vrrp\nexit\nshow version\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = text(&output.stdout);
    assert!(shown.contains("ospfd") && shown.contains("neighbor  Neighbors"), "{shown}");
    assert!(!shown.contains("this shell"), "nothing runs after exit: {shown}");
    assert_eq!(output.status.code(), Some(1), "the script had a failure");
}

#[test]
fn watching_without_a_terminal_needs_an_end_and_monitoring_a_terminal() {
    let dir = tempfile::tempdir().unwrap();
    daemon(dir.path(), "mgmtd", PROTOCOL_VERSION, processes);
    let output = torc(dir.path(), &["watch 1 count 2 show processes | include ospfd"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert_eq!(shown.matches("Every 1 s: show processes\n\nospfd").count(), 2, "{shown}");
    assert!(!shown.contains("ribd"), "the pipe is that of every look: {shown}");
    for (line, refusal) in [
        ("watch show processes", "% Without a terminal nobody can interrupt"),
        ("watch 1 count 2 save", "% Only shows can be watched, not: save"),
        ("terminal monitor", "% `terminal monitor` needs a terminal"),
    ] {
        let output = torc(dir.path(), &[line]);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(text(&output.stderr).starts_with(refusal), "{line}: {}", text(&output.stderr));
    }
}

#[test]
fn tech_support_goes_on_where_a_daemon_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    daemon(dir.path(), "mgmtd", PROTOCOL_VERSION, |request| match request.as_str() {
        Some("show-processes") => processes(request),
        _ => Outcome::Refused("not now".into()),
    });
    let output = torc(dir.path(), &["show tech-support"]);
    let shown = text(&output.stdout);
    let at = |part: &str| shown.find(part).unwrap_or_else(|| panic!("{part} not in\n{shown}"));
    let processes = at("------------------ show processes ------------------\n\nDaemon  Pid");
    assert!(processes < at("mgmtd: not now"));
    assert!(
        at("ospfd is not running") < at("------------------ show bfd peers counters ------------------\n\n")
    );
}
