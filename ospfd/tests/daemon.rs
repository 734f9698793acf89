//! The daemon as an operator meets it: its arguments, exit codes, control socket and signals.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use routing_common::control::{FrameDecoder, Greeting, Outcome, Reply, Request, encode};
use serde::de::DeserializeOwned;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const GOOD: &str = "hostname = \"r1\"\n[interfaces.lo]\n[ospf]\nrouter-id = \"10.255.0.1\"\n[ospf.interfaces.lo]\narea = \"0.0.0.0\"\n";

fn ospfd(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ospfd"));
    command.arg("--config").arg(dir.join("router.toml")).arg("--run-dir").arg(dir);
    command
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_configuration_is_checked_or_refused_with_its_place() {
    let dir = TempDir::new().unwrap();
    let (code, _, stderr) = run(&mut ospfd(dir.path()));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("router.toml"), "{stderr}");

    std::fs::write(dir.path().join("router.toml"), GOOD.replace("10.255.0.1", "10.255.0")).unwrap();
    let (code, _, stderr) = run(&mut ospfd(dir.path()));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("router.toml:4:"), "{stderr}");
    assert!(!dir.path().join("ospfd.pid").exists(), "refused before anything was touched");

    std::fs::write(dir.path().join("router.toml"), GOOD).unwrap();
    let (code, stdout, stderr) = run(ospfd(dir.path()).arg("--check"));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("OK"), "{stdout}");
    let (code, stdout, _) = run(ospfd(dir.path()).arg("--version"));
    assert_eq!((code, stdout.trim()), (Some(0), concat!("ospfd ", env!("CARGO_PKG_VERSION"))));
}

/// A daemon in a network namespace of its own, killed with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(daemon: &Daemon, name: &str) {
    let pid = daemon.0.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
}

/// Repeats `attempt` until it succeeds.
fn eventually<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = SystemTime::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(begun.elapsed().unwrap() < Duration::from_secs(20), "it never happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read<T: DeserializeOwned>(stream: &mut UnixStream, decoder: &mut FrameDecoder) -> T {
    loop {
        if let Some(frame) = decoder.next_frame().unwrap() {
            return serde_json::from_slice(frame).unwrap();
        }
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0, "the daemon hung up");
        decoder.push(&piece[..length]);
    }
}

#[test]
fn it_answers_reloads_stays_alone_and_leaves_nothing_behind() {
    if !Command::new("unshare").args(["-n", "true"]).status().is_ok_and(|s| s.success()) {
        return eprintln!("SKIPPED: no network namespaces here");
    }
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("router.toml"), GOOD).unwrap();
    let command = ospfd(dir.path());
    let mut isolated = Command::new("unshare");
    isolated.arg("-n").arg(command.get_program()).args(command.get_args());
    let mut daemon = Daemon(isolated.spawn().unwrap());

    let socket = dir.path().join("ospfd.sock");
    let mut stream = eventually(|| UnixStream::connect(&socket).ok());
    let mut decoder = FrameDecoder::default();
    let greeting: Greeting = read(&mut stream, &mut decoder);
    assert_eq!(greeting.daemon, "ospfd");
    let mut ask = |body: serde_json::Value| {
        stream.write_all(&encode(&Request { id: 1, body }).unwrap()).unwrap();
        read::<Reply>(&mut stream, &mut decoder).outcome
    };
    let Outcome::Done(summary) = ask("summary".into()) else { panic!("refused") };
    assert_eq!(summary["routerId"], "10.255.0.1");
    assert!(matches!(ask("nonsense".into()), Outcome::Refused(_)));

    let (code, _, stderr) = run(&mut ospfd(dir.path()));
    assert_eq!(code, Some(1));
    assert!(stderr.contains(&daemon.0.id().to_string()), "{stderr}");

    std::fs::write(dir.path().join("router.toml"), "nonsense").unwrap();
    signal(&daemon, "HUP");
    assert!(matches!(ask("summary".into()), Outcome::Done(_)), "a refused file changes nothing");
    std::fs::write(dir.path().join("router.toml"), GOOD.replace("10.255.0.1", "10.255.0.9")).unwrap();
    signal(&daemon, "HUP");
    eventually(|| match ask("summary".into()) {
        Outcome::Done(summary) => (summary["routerId"] == "10.255.0.9").then_some(()),
        Outcome::Refused(why) => panic!("{why}"),
    });

    signal(&daemon, "TERM");
    assert_eq!(daemon.0.wait().unwrap().code(), Some(0));
    assert!(!socket.exists() && !dir.path().join("ospfd.pid").exists());
}

#[test]
fn a_recording_that_cannot_be_made_is_refused_and_one_that_breaks_off_disturbs_nothing() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("router.toml"), GOOD).unwrap();
    let (code, _, stderr) = run(ospfd(dir.path()).arg("--record").arg(dir.path().join("absent/ospfd.rec")));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("absent/ospfd.rec"), "{stderr}");
    let (_, help, _) = run(ospfd(dir.path()).arg("--help"));
    assert!(help.starts_with("OSPFv2 daemon") && help.contains("--record <FILE>"), "{help}");

    let command = ospfd(dir.path());
    let log = std::fs::File::create(dir.path().join("log")).unwrap();
    let mut isolated = Command::new("unshare");
    isolated.arg("-n").arg(command.get_program()).args(command.get_args()).args(["--record", "/dev/full"]);
    let mut daemon = Daemon(isolated.stderr(log).spawn().unwrap());
    let ended =
        || std::fs::read_to_string(dir.path().join("log")).unwrap().matches("recording-ended").count();
    eventually(|| (ended() > 0).then_some(()));
    eventually(|| UnixStream::connect(dir.path().join("ospfd.sock")).ok());
    signal(&daemon, "HUP");
    signal(&daemon, "TERM");
    assert_eq!(daemon.0.wait().unwrap().code(), Some(0));
    assert_eq!(ended(), 1, "said once");
}
