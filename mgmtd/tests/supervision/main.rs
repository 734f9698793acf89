//! The real `mgmtd` with stand-in daemons: shell scripts that turn into this very test binary.
//!
//! A stand-in appends what happens to it to `RUN_DIR/log`, serves a control socket and obeys signals; a
//! file `RUN_DIR/<daemon>.broken` makes it end at once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;

use routing_common::config::AccessConfig;
use routing_common::control::configuration::{
    Commit, Committed, History, Request as Configure, Source, State, Text,
};
use routing_common::control::{FrameDecoder, Order, Outcome, Reply, Request, encode};
use routing_runtime::access::Access;
use routing_runtime::control_server::ControlServer;
use routing_runtime::signals::{Signal, Signals};
use rustix::process::{Pid, Signal as Number, kill_process, test_kill_process};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const STAND_IN: &str = "TORC_STAND_IN";
const RUN_DIR: &str = "TORC_STAND_IN_RUN_DIR";
const PATIENCE: Duration = Duration::from_secs(20);

const RIB_ONLY: &str = "hostname = \"r1\"\n";
const OSPF: &str = "[ospf]\nrouter-id = \"1.1.1.1\"\n";
const VRRP: &str =
    "[vrrp.groups.a]\ninterface = \"e0\"\nvrid = 1\nvirtual-addresses = [\"10.0.0.9/24\"]\n[interfaces.e0]\n";

/// A run directory, a daemon directory with stand-ins and a configuration.
struct Bench {
    dir: TempDir,
    supervisors: Vec<Child>,
}

impl Bench {
    fn new(config: &str) -> Self {
        let bench = Self { dir: tempfile::tempdir().unwrap(), supervisors: Vec::new() };
        fs::create_dir(bench.run_dir()).unwrap();
        fs::create_dir(bench.path("bin")).unwrap();
        for name in ["ribd", "bfdd", "vrrpd", "ospfd"] {
            let program = bench.path("bin").join(name);
            let this = std::env::current_exe().unwrap();
            let script = format!(
                "#!/bin/sh\n{STAND_IN}={name} {RUN_DIR}=\"$4\" exec {} --exact a_stand_in_serves_and_obeys\n",
                this.display()
            );
            fs::write(&program, script).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        bench.configure(config);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run_dir(&self) -> PathBuf {
        self.path("run")
    }

    fn configure(&self, text: &str) {
        fs::write(self.path("router.toml"), text).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mgmtd"));
        command.arg("--config").arg(self.path("router.toml")).arg("--run-dir").arg(self.run_dir());
        command.arg("--daemon-dir").arg(self.path("bin"));
        let log = OpenOptions::new().create(true).append(true).open(self.path("mgmtd.log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command
    }

    /// Starts one more supervisor; the latest is the one signals go to.
    fn start(&mut self) {
        let child = self.command().spawn().unwrap();
        self.supervisors.push(child);
    }

    fn signal(&self, number: Number) {
        let child = self.supervisors.last().unwrap();
        kill_process(Pid::from_child(child), number).unwrap();
    }

    /// Waits for the latest supervisor's end.
    fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        let child = self.supervisors.last_mut().unwrap();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                self.supervisors.pop();
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "mgmtd does not end");
            sleep(Duration::from_millis(10));
        }
    }

    /// What the stand-ins wrote: `event daemon pid` each.
    fn log(&self) -> Vec<(String, String, u32)> {
        let text = fs::read_to_string(self.run_dir().join("log")).unwrap_or_default();
        let fields = |line: &str| {
            let mut words = line.split(' ').map(str::to_owned);
            Some((words.next()?, words.next()?, words.next()?.parse().ok()?))
        };
        text.lines().filter_map(fields).collect()
    }

    fn events(&self) -> Vec<String> {
        self.log().into_iter().map(|(event, daemon, _)| format!("{event} {daemon}")).collect()
    }

    /// Waits until the log is exactly this.
    #[track_caller]
    fn expect(&self, events: &[&str]) {
        let started = Instant::now();
        while self.events() != events {
            let told = fs::read_to_string(self.path("mgmtd.log")).unwrap_or_default();
            assert!(started.elapsed() < PATIENCE, "{:?} instead of {events:?}\n{told}", self.events());
            sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the log from line `from` on holds these, in any order (given sorted).
    #[track_caller]
    fn expect_sorted(&self, from: usize, events: &[&str]) {
        let started = Instant::now();
        loop {
            let mut seen: Vec<String> = self.events().into_iter().skip(from).collect();
            seen.sort();
            if seen == events {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{seen:?} instead of {events:?}");
            sleep(Duration::from_millis(10));
        }
    }

    /// Waits until mgmtd says so about every daemon it has: `name state restarts`.
    #[track_caller]
    fn expect_processes(&self, expected: &[&str]) {
        let started = Instant::now();
        loop {
            let shown = self.show_processes().unwrap_or_default();
            if shown == expected {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{shown:?} instead of {expected:?}");
            sleep(Duration::from_millis(10));
        }
    }

    fn show_processes(&self) -> Option<Vec<String>> {
        let stream = UnixStream::connect(self.run_dir().join("mgmtd.sock")).ok()?;
        let value = Operator::on(stream).try_ask(&mgmtd::api::Request::ShowProcesses)?.unwrap();
        let processes: mgmtd::api::Processes = serde_json::from_value(value).unwrap();
        let row = |r: mgmtd::api::ProcessRow| format!("{} {} {}", r.name, r.state, r.restarts);
        Some(processes.processes.into_iter().map(row).collect())
    }

    fn operator(&self) -> Operator {
        Operator::on(UnixStream::connect(self.run_dir().join("mgmtd.sock")).unwrap())
    }

    fn startup(&self) -> String {
        fs::read_to_string(self.path("router.toml")).unwrap()
    }

    fn running(&self) -> String {
        fs::read_to_string(self.run_dir().join("running.toml")).unwrap()
    }

    fn pid_of(&self, daemon: &str) -> Pid {
        let log = self.log();
        let (_, _, pid) =
            log.iter().rev().find(|(event, name, _)| event == "ready" && name == daemon).unwrap();
        Pid::from_raw(i32::try_from(*pid).unwrap()).unwrap()
    }
}

/// A connection to mgmtd.
struct Operator {
    stream: UnixStream,
    decoder: FrameDecoder,
    greeted: bool,
}

impl Operator {
    fn on(stream: UnixStream) -> Self {
        Self { stream, decoder: FrameDecoder::default(), greeted: false }
    }

    /// `None` if mgmtd hangs up; the inner error is a refusal.
    fn try_ask(&mut self, body: &impl Serialize) -> Option<Result<Value, String>> {
        let request = Request { id: 9, body: serde_json::to_value(body).unwrap() };
        self.stream.write_all(&encode(&request).unwrap()).ok()?;
        let mut piece = [0; 4096];
        loop {
            while let Some(frame) = self.decoder.next_frame().unwrap() {
                if std::mem::replace(&mut self.greeted, true) {
                    let reply: Reply = serde_json::from_slice(frame).unwrap();
                    assert_eq!(reply.id, 9);
                    return Some(match reply.outcome {
                        Outcome::Done(value) => Ok(value),
                        Outcome::Refused(why) => Err(why),
                    });
                }
            }
            let n = self.stream.read(&mut piece).ok().filter(|n| *n > 0)?;
            self.decoder.push(&piece[..n]);
        }
    }

    #[track_caller]
    fn ask<T: DeserializeOwned>(&mut self, body: &Configure) -> Result<T, String> {
        self.try_ask(body).unwrap().map(|value| serde_json::from_value(value).unwrap())
    }

    #[track_caller]
    fn commit(&mut self, text: &str) -> Result<Committed, String> {
        self.ask(&Configure::Commit(commit(text)))
    }
}

fn commit(text: &str) -> Commit {
    Commit { text: text.to_owned(), base: None, comment: None, confirm_within_sec: None, test: false }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for child in &mut self.supervisors {
            let _ = child.kill();
            let _ = child.wait();
        }
        // Only what this bench's stand-ins said they are, and only if it still is a stand-in.
        for (_, _, pid) in self.log() {
            let cmdline = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let ours = String::from_utf8_lossy(&cmdline).contains("a_stand_in_serves_and_obeys");
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw).filter(|_| ours) {
                let _ = kill_process(pid, Number::KILL);
            }
        }
    }
}

/// With its environment set this is a daemon; without, it tries one.
#[test]
fn a_stand_in_serves_and_obeys() {
    if let (Ok(name), Ok(run_dir)) = (std::env::var(STAND_IN), std::env::var(RUN_DIR)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(stand_in(&name, Path::new(&run_dir)));
        std::process::exit(0);
    }
    let bench = Bench::new("");
    let mut ribd = Command::new(bench.path("bin/ribd"));
    ribd.args(["--config", "x", "--run-dir"]).arg(bench.run_dir()).stdout(Stdio::null());
    let mut child = ribd.spawn().unwrap();
    bench.expect(&["ready ribd"]);
    assert_eq!(bench.log()[0].2, child.id());
    assert!(UnixStream::connect(bench.run_dir().join("ribd.sock")).is_ok());
    kill_process(Pid::from_child(&child), Number::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    bench.expect(&["ready ribd", "stop ribd"]);
}

async fn stand_in(name: &str, run_dir: &Path) {
    let say = |event: &str| {
        let mut log = OpenOptions::new().create(true).append(true).open(run_dir.join("log")).unwrap();
        log.write_all(format!("{event} {name} {}\n", std::process::id()).as_bytes()).unwrap();
    };
    if run_dir.join(format!("{name}.broken")).exists() {
        say("broken");
        std::process::exit(3);
    }
    let mut signals = Signals::new().unwrap();
    // The line comes first: who connects finds it in the log.
    say("ready");
    let mut control =
        ControlServer::bind(run_dir, name, &Access::new(&AccessConfig::default()), |_| true).unwrap();
    loop {
        tokio::select! {
            signal = signals.next() => match signal {
                Signal::Reload => say("reload"),
                Signal::Terminate | Signal::TerminateNow => break,
            },
            request = control.next_request() => {
                let refuses = |to: &str| run_dir.join(format!("{name}.refuses-to-{to}")).exists();
                let outcome = match Order::of(&request.body) {
                    Some(Order::Check { .. }) if refuses("check") => Err("not this one".to_owned()),
                    Some(Order::Reload) if refuses("reload") => {
                        fs::remove_file(run_dir.join(format!("{name}.refuses-to-reload"))).unwrap();
                        Err("not now".to_owned())
                    }
                    Some(Order::Check { .. }) => Ok(Value::Null),
                    Some(Order::Reload) => {
                        say("reload");
                        Ok(Value::Null)
                    }
                    None => Err("no order".to_owned()),
                };
                request.respond(outcome);
            }
        }
    }
    say("stop");
}

#[test]
fn daemons_start_in_order_and_stop_in_reverse() {
    let mut bench = Bench::new(&format!("{OSPF}{VRRP}"));
    bench.start();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd running 0", "ospfd running 0"]);
    bench.expect(&["ready ribd", "ready vrrpd", "ready ospfd"]);
    bench.signal(Number::TERM);
    assert_eq!(bench.ended().code(), Some(0));
    bench.expect(&["ready ribd", "ready vrrpd", "ready ospfd", "stop ospfd", "stop vrrpd", "stop ribd"]);
    assert!(!bench.run_dir().join("mgmtd.sock").exists());
}

#[test]
fn a_killed_daemon_comes_back_and_the_others_do_not_notice() {
    let mut bench = Bench::new(OSPF);
    bench.start();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd running 0"]);
    let first = bench.pid_of("ospfd");
    kill_process(first, Number::KILL).unwrap();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd running 1"]);
    assert_ne!(bench.pid_of("ospfd"), first);
    bench.expect(&["ready ribd", "ready ospfd", "ready ospfd"]);
    bench.signal(Number::INT);
    assert_eq!(bench.ended().code(), Some(0));
}

#[test]
fn one_that_dies_at_once_is_tried_at_growing_intervals_until_it_lives() {
    let mut bench = Bench::new(RIB_ONLY);
    let broken = bench.run_dir().join("ribd.broken");
    fs::write(&broken, "").unwrap();
    let started = Instant::now();
    bench.start();
    bench.expect(&["broken ribd"; 4]);
    assert!(started.elapsed() >= Duration::from_millis(100 + 200 + 400), "{:?}", started.elapsed());
    fs::remove_file(&broken).unwrap();
    bench.expect_processes(&["ribd running 4", "bfdd off 0", "vrrpd off 0", "ospfd off 0"]);
}

#[test]
fn a_reload_starts_and_stops_what_the_file_says_and_a_bad_file_changes_nothing() {
    let mut bench = Bench::new(OSPF);
    bench.start();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd running 0"]);
    bench.configure("hostnam = 1\n");
    bench.signal(Number::HUP);
    let log = bench.path("mgmtd.log");
    let started = Instant::now();
    while !fs::read_to_string(&log).unwrap().contains("nothing has changed") {
        assert!(started.elapsed() < PATIENCE, "no refusal in the log");
        sleep(Duration::from_millis(10));
    }
    assert!(fs::read_to_string(&log).unwrap().contains("did you mean `hostname`"));
    bench.expect(&["ready ribd", "ready ospfd"]);
    bench.configure(VRRP);
    bench.signal(Number::HUP);
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd running 0", "ospfd off 0"]);
    bench.expect_sorted(2, &["ready vrrpd", "reload ribd", "stop ospfd"]);
}

#[test]
fn daemons_outlive_a_killed_supervisor_and_its_successor_adopts_them() {
    let mut bench = Bench::new(&format!("{OSPF}{VRRP}"));
    bench.start();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd running 0", "ospfd running 0"]);
    let (ribd, ospfd) = (bench.pid_of("ribd"), bench.pid_of("ospfd"));
    bench.signal(Number::KILL);
    assert!(!bench.ended().success());
    assert!(test_kill_process(ribd).is_ok() && test_kill_process(ospfd).is_ok());
    // The supervisor's death changes nothing, whatever the file says by now: that is read when somebody says so. It has
    // no work for vrrpd, which ends.
    bench.configure(OSPF);
    bench.start();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd running 0", "ospfd running 0"]);
    bench.expect_sorted(3, &["reload ospfd", "reload ribd", "reload vrrpd"]);
    bench.signal(Number::HUP);
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd running 0"]);
    bench.expect_sorted(6, &["reload ospfd", "reload ribd", "stop vrrpd"]);
    assert_eq!((bench.pid_of("ribd"), bench.pid_of("ospfd")), (ribd, ospfd));
    // An adopted one is watched like a child.
    kill_process(ribd, Number::KILL).unwrap();
    bench.expect_processes(&["ribd running 1", "bfdd off 0", "vrrpd off 0", "ospfd running 0"]);
    bench.signal(Number::TERM);
    assert_eq!(bench.ended().code(), Some(0));
    assert_eq!(bench.events().split_off(9), ["ready ribd", "stop ospfd", "stop ribd"]);
}

#[test]
fn a_bad_file_a_missing_program_or_a_second_supervisor_start_nothing() {
    let mut bench = Bench::new("hostnam = 1\n");
    bench.start();
    assert_eq!(bench.ended().code(), Some(2));
    assert_eq!(bench.command().arg("--check").status().unwrap().code(), Some(2));
    bench.configure(RIB_ONLY);
    assert_eq!(bench.command().arg("--check").status().unwrap().code(), Some(0));
    fs::rename(bench.path("bin/ribd"), bench.path("ribd.away")).unwrap();
    assert_eq!(bench.command().status().unwrap().code(), Some(1));
    assert_eq!(bench.events(), Vec::<String>::new());
    fs::rename(bench.path("ribd.away"), bench.path("bin/ribd")).unwrap();
    let nowhere = bench.command().arg("--record-dir").arg(bench.path("absent")).status();
    assert_eq!((nowhere.unwrap().code(), bench.events()), (Some(1), Vec::new()));
    bench.start();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd off 0"]);
    let second = bench.command().stderr(Stdio::piped()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(told.contains("belongs to another mgmtd"), "{told}");
    bench.expect(&["ready ribd"]);
}

#[test]
fn a_commit_is_in_force_everywhere_or_nowhere() {
    let mut bench = Bench::new(OSPF);
    bench.start();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd running 0"]);
    let mut alice = bench.operator();
    let both = format!("{OSPF}{VRRP}");
    let refuses = |daemon: &str, to: &str| {
        fs::write(bench.run_dir().join(format!("{daemon}.refuses-to-{to}")), "").unwrap();
    };

    // The text, one daemon's check, one daemon's reload: nothing comes of it, and the startup file is never touched.
    assert!(alice.commit("hostnam = 1\n").unwrap_err().contains("did you mean `hostname`"));
    refuses("ribd", "check");
    assert_eq!(alice.commit(&both).unwrap_err(), "ribd refuses:\nnot this one");
    fs::remove_file(bench.run_dir().join("ribd.refuses-to-check")).unwrap();
    bench.expect(&["ready ribd", "ready ospfd"]);
    refuses("ospfd", "reload");
    let why = alice.commit(&both).unwrap_err();
    assert_eq!(why, "ospfd refuses:\nnot now\nthe former configuration is put back");
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd running 0"]);
    assert_eq!((bench.running(), bench.startup()), (OSPF.to_owned(), OSPF.to_owned()));
    let state: State = alice.ask(&Configure::ShowState).unwrap();
    assert_eq!((state.revision, state.saved), (1, true));

    let done = alice.commit(&both).unwrap();
    let rows: Vec<String> = done.daemons.iter().map(|d| format!("{} {}", d.daemon, d.outcome)).collect();
    assert_eq!((rows.join(", ").as_str(), done.revision), ("ribd applied, vrrpd started, ospfd applied", 2));
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd running 0", "ospfd running 0"]);
    assert_eq!((bench.running(), bench.startup()), (both.clone(), OSPF.to_owned()));

    // A daemon that is started again starts with what is in force, and so does the next boot once it is saved.
    let state: State = alice.ask(&Configure::Save).unwrap();
    assert!(state.saved);
    assert_eq!(bench.startup(), both);
    let history: History = alice.ask(&Configure::ShowHistory).unwrap();
    assert_eq!(history.revisions.iter().map(|r| r.revision).collect::<Vec<_>>(), [2, 1]);
    assert!(history.revisions[0].author.contains("uid"), "{history:?}");
    let done: Committed = alice.ask(&Configure::Rollback { back: 1, confirm_within_sec: None }).unwrap();
    assert_eq!((done.revision, bench.running()), (3, OSPF.to_owned()));
    bench.signal(Number::TERM);
    assert_eq!(bench.ended().code(), Some(0));
    assert!(!bench.run_dir().join("running.toml").exists());
}

#[test]
fn a_lock_lasts_as_long_as_its_connection() {
    let mut bench = Bench::new(RIB_ONLY);
    bench.start();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd off 0"]);
    let (mut alice, mut bob) = (bench.operator(), bench.operator());
    let _: State = alice.ask(&Configure::Lock).unwrap();
    let why = bob.commit(OSPF).unwrap_err();
    assert!(why.starts_with("the configuration is locked by ") && why.contains("uid"), "{why}");
    alice.commit(OSPF).unwrap();
    let text: Text = bob.ask(&Configure::GetConfiguration(Source::Back(1))).unwrap();
    assert_eq!((text.text.as_str(), text.revision), (RIB_ONLY, Some(1)));
    drop(alice);
    let started = Instant::now();
    while bob.commit(RIB_ONLY).is_err() {
        assert!(started.elapsed() < PATIENCE, "still locked");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_nobody_confirms_is_taken_back_even_by_a_successor() {
    let mut bench = Bench::new(RIB_ONLY);
    bench.start();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd off 0"]);
    let to_confirm =
        |seconds| Configure::Commit(Commit { confirm_within_sec: Some(seconds), ..commit(OSPF) });
    let mut alice = bench.operator();
    let _: Committed = alice.ask(&to_confirm(60)).unwrap();
    assert!(alice.ask::<State>(&Configure::Save).unwrap_err().contains("confirm"));
    let _: State = alice.ask(&Configure::Confirm).unwrap();
    let _: Committed = alice.ask(&Configure::Rollback { back: 1, confirm_within_sec: None }).unwrap();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd off 0"]);
    let _: Committed = alice.ask(&to_confirm(3)).unwrap();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd running 0"]);
    bench.signal(Number::KILL);
    assert!(!bench.ended().success());
    bench.start();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd running 0"]);
    let state: State = bench.operator().ask(&Configure::ShowState).unwrap();
    assert!(state.unconfirmed_msec.is_some_and(|ms| ms <= 3_000), "{state:?}");
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd off 0"]);
    assert_eq!(bench.running(), RIB_ONLY);
}
