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
            let (mut stream, greeting) = (stream.unwrap(), greeting.clone());
            // The shell may hang up at any moment; that is its right.
            std::thread::spawn(move || serve(&mut stream, &greeting, answer));
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

fn vtysh(run_dir: &Path, arguments: &[&str]) -> Output {
    // The name decides, as with a link.
    let link = run_dir.join("vtysh");
    if !link.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_torc"), &link).unwrap();
    }
    let mut shell = Command::new(link);
    shell.arg("--vty_socket").arg(run_dir).args(arguments).env_remove("VTYSH_HISTFILE");
    shell.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn called_vtysh_it_has_frrs_options_and_ends_at_the_first_failure() {
    let dir = tempfile::tempdir().unwrap();
    let output = vtysh(dir.path(), &["-c", "show watchfrr"]);
    assert_eq!(output.status.code(), Some(1), "a daemon that is not there is a failure");
    let output = vtysh(dir.path(), &["-n", "-c", "show watchfrr"]);
    assert_eq!(output.status.code(), Some(0), "unless that was asked for");
    // The prompt asks for the router's name, too.
    daemon(dir.path(), "mgmtd", PROTOCOL_VERSION, |request| match request.as_str() {
        Some("show-processes") => processes(request),
        _ => Outcome::Refused("not here".into()),
    });

    let output = vtysh(dir.path(), &["-c", "show watchfrr\nshow nonsense", "-c", "show processes"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout).matches("ribd").count(), 1, "{output:?}");
    let output = vtysh(dir.path(), &["-E", "-t", "-d", "mgmtd", "-c", "show watchfrr | count"]);
    let shown = text(&output.stdout);
    assert!(shown.ends_with("torc# show watchfrr | count\n3\n") && shown.starts_with("20"), "{output:?}");

    let refused = |arguments: &[&str], why: &str| {
        let output = vtysh(dir.path(), arguments);
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(why), "{arguments:?}: {output:?}");
    };
    refused(&["-d", "bgpd", "-c", "show watchfrr"], "Torc has no bgpd");
    refused(&["-d", "zebra", "-c", "show watchfrr"], "ribd is not running");
    refused(&["-m", "-f", "/etc/frr/frr.conf"], "torc reload FILE");
    refused(&["-u", "-c", "write"], "only looks (-u): write");
    refused(&["-u", "-c", "graceful-restart prepare ip ospf"], "only looks");
    refused(&["-u", "-c", "configure terminal"], "only looks");
    refused(&["-u", "-w"], "-u only looks");
    refused(&["--sideways"], "--sideways");
    refused(&["-N", "../x", "-c", "list"], "-N takes one name");
    let config = dir.path().to_str().unwrap();
    refused(&["-b", "--config_dir", config], "frr.conf");
    assert!(vtysh(dir.path(), &["-u", "-c", "show watchfrr"]).status.success());
    assert!(vtysh(dir.path(), &["-h"]).status.success());
}

#[test]
fn vtysh_says_no_more_after_lines_of_the_configuration_that_fail() {
    let dir = tempfile::tempdir().unwrap();
    daemon(dir.path(), "mgmtd", PROTOCOL_VERSION, |request| match request.as_str() {
        Some("show-processes") => processes(request),
        Some("lock") => Outcome::Done(Value::Null),
        _ if request["get-configuration"] == "running" => {
            Outcome::Done(json!({"text": "", "revision": 7, "file": "router.toml"}))
        }
        _ => Outcome::Refused("not here".into()),
    });
    let lines = "configure\nhostname r1\nhostnome r2";
    for more in [&[][..], &["-E"]] {
        let output = vtysh(dir.path(), &[more, &["-c", lines, "-c", "do show processes"]].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("hostnome"), "{output:?}");
        assert!(!text(&output.stdout).contains("ribd"), "{output:?}");
    }
    let output = torc(dir.path(), &[lines, "do show processes"]);
    assert!(text(&output.stdout).contains("ribd"), "the others go on: {output:?}");
}

#[test]
fn vtysh_boots_a_router_from_a_file_of_frr_and_saves() {
    let dir = tempfile::tempdir().unwrap();
    daemon(dir.path(), "mgmtd", PROTOCOL_VERSION, |request| {
        if request == "save" {
            return Outcome::Done(
                json!({"revision": 7, "unconfirmedMsec": null, "lockedBy": null, "saved": true}),
            );
        }
        let commit = &request["commit"];
        let told = format!("{} {}", commit["test"], commit["text"].as_str().unwrap().contains("r77"));
        Outcome::Done(json!({"revision": 7, "changed": true, "daemons": [], "warnings": [told]}))
    });
    std::fs::create_dir(dir.path().join("etc")).unwrap();
    std::fs::write(dir.path().join("etc/frr.conf"), "frr version 8.4\nhostname r77\n").unwrap();
    let etc = dir.path().join("etc");
    let boot = |more: &[&str]| {
        let output = vtysh(dir.path(), &[&["--config_dir", etc.to_str().unwrap()], more].concat());
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    assert!(boot(&["-b"]).contains("false true"), "committed");
    assert!(boot(&["-C"]).contains("true true"), "only asked");
    assert!(boot(&["-w"]).contains("saved"));
}

/// A process of a test; it ends with it.
struct Serving(std::process::Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn frrs_sockets_may_belong_to_a_group() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let dir = tempfile::tempdir().unwrap();
    let serve = |group: &str| {
        let mut shell = Command::new(env!("CARGO_BIN_EXE_torc"));
        shell
            .arg("--run-dir")
            .arg(dir.path())
            .arg("serve-frr")
            .arg("--directory")
            .arg(dir.path().join("frr"));
        shell.args(["--group", group]).stdin(Stdio::null());
        shell
    };
    let refused = serve("no-such-group-here").output().unwrap();
    assert!(text(&refused.stderr).contains("there is no group no-such-group-here"), "{refused:?}");
    let daemon = nix::unistd::Group::from_name("daemon").unwrap().unwrap();
    let _serving = Serving(serve("daemon").spawn().unwrap());
    let begun = std::time::Instant::now();
    let last = dir.path().join("frr/bfdd.vty");
    let is_served = || {
        let found = std::fs::metadata(&last).ok();
        found.is_some_and(|m| m.gid() == daemon.gid.as_raw() && m.permissions().mode() & 0o777 == 0o660)
    };
    while !is_served() {
        assert!(begun.elapsed().as_secs() < 20, "no socket of that group (this test runs as root)");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
