//! A running router's recordings, replayed by the simulator: real daemons and kernels on the one side, the engines alone on the other.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use nix::sys::signal::Signal;
use ringlab::fabric::Cut;
use ringlab::lab::{Death, Lab, Options, default_daemons};
use ringlab::netns;
use ringlab::stack::{Profile, Stack};
use routing_sim::replay::{Difference, Replayed, replay, replay_file};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

const DAEMONS: [&str; 3] = ["ribd", "ospfd", "vrrpd"];

/// A directory of programs whose supervisor lets its daemons record, each router in its own directory (the lab starts it there).
fn recording_daemons(at: &Path) {
    let real = default_daemons();
    for program in DAEMONS.into_iter().chain(["torc"]) {
        symlink(real.join(program), at.join(program)).unwrap();
    }
    let supervisor = at.join("mgmtd");
    let real = real.join("mgmtd");
    fs::write(&supervisor, format!("#!/bin/sh\nexec {} --record-dir . \"$@\"\n", real.display())).unwrap();
    fs::set_permissions(&supervisor, Permissions::from_mode(0o755)).unwrap();
}

fn settles(lab: &Lab) {
    if let Err(fault) = lab.wait_converged(Profile::Ring.patience()) {
        panic!("{fault:#}");
    }
}

/// Replays one file; a difference fails the test with all it says.
fn same(path: &Path) -> Replayed {
    let replayed = replay_file(path).unwrap_or_else(|why| panic!("{why:#}"));
    println!("{}: {} bytes: {replayed}", path.display(), fs::metadata(path).unwrap().len());
    replayed
}

fn pid(lab: &Lab, router: &str, daemon: &str) -> Option<i32> {
    let namespace = lab.names().node(router);
    netns::pids(&namespace).unwrap().into_iter().find(|&pid| netns::name_of(pid) == daemon)
}

/// Kills a daemon and waits for its successor, which puts the former recording aside.
fn replace(lab: &mut Lab, router: &str, daemon: &str) {
    let before = pid(lab, router, daemon);
    let begun = Instant::now();
    lab.kill(router, &Death::Daemon(daemon.to_owned())).unwrap();
    while pid(lab, router, daemon).is_none_or(|now| Some(now) == before) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{daemon} is not started again");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_a_router_did_is_done_again_by_its_engines_alone() {
    let programs = tempfile::tempdir().unwrap();
    recording_daemons(programs.path());
    let mut options = Options::new("ring3", Stack::Torc).unwrap();
    options.daemons = programs.path().to_owned();
    let mut lab = Lab::up(options).unwrap();
    let file = |lab: &Lab, router: &str, name: &str| -> PathBuf { lab.run_dir().join(router).join(name) };
    settles(&lab);
    let links: Vec<String> = lab.topology().links.keys().filter(|name| *name != "lan").cloned().collect();
    lab.cut(&links[0], None, Cut::Carrier).unwrap();
    settles(&lab);
    lab.heal().unwrap();
    settles(&lab);
    // The virtual address moves, and comes back.
    lab.cut("lan", Some("vr1"), Cut::Carrier).unwrap();
    settles(&lab);
    lab.heal().unwrap();
    settles(&lab);

    // A new configuration in the middle, and a second one that is refused; the supervisor would not pass that one on.
    let config = file(&lab, "vr1", "router.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("hostname = \"vr1\"", "hostname = \"renamed\"")).unwrap();
    reload(&lab, "vr1", &["mgmtd"]);
    wait_for_log(&lab, "vr1", "read again", 1 + DAEMONS.len());
    let running = file(&lab, "vr1", "running.toml");
    let in_force = fs::read_to_string(&running).unwrap();
    assert!(in_force.contains("renamed"));
    fs::write(&running, "nonsense").unwrap();
    reload(&lab, "vr1", &DAEMONS);
    wait_for_log(&lab, "vr1", "was refused", DAEMONS.len());
    fs::write(&running, in_force).unwrap();

    // Killed at any point of a write.
    for daemon in DAEMONS {
        replace(&mut lab, "vr1", daemon);
    }
    settles(&lab);
    for daemon in DAEMONS {
        let old = same(&file(&lab, "vr1", &format!("{daemon}.rec.old")));
        assert_eq!(old.daemon, daemon);
        assert!(old.inputs > 10 && old.outputs > 10, "{old}");
    }

    // Ended in order: nothing is torn.
    for router in ["vr1", "vr2", "vr3"] {
        lab.kill(router, &Death::Term).unwrap();
        for daemon in DAEMONS {
            let path = file(&lab, router, &format!("{daemon}.rec"));
            if !path.exists() {
                assert!((router, daemon) == ("vr3", "vrrpd"), "{} is missing", path.display());
                continue;
            }
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "it holds keys");
            let replayed = same(&path);
            assert!(replayed.torn == 0 && replayed.inputs > 5, "{replayed}");
        }
    }
    one_byte_is_noticed(&file(&lab, "vr2", "ospfd.rec"));
}

/// The last digest of a file, changed by one bit.
fn one_byte_is_noticed(path: &Path) {
    let whole = same(path);
    let mut bytes = fs::read(path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let why = replay(&bytes).unwrap_err();
    let difference = why.downcast_ref::<Difference>().unwrap_or_else(|| panic!("{why:#}"));
    assert_eq!(difference.turn, whole.turns, "{difference}");
}

fn reload(lab: &Lab, router: &str, programs: &[&str]) {
    for program in programs {
        netns::signal_all(&lab.pids_of(router, program).unwrap(), Signal::SIGHUP);
    }
}

/// The supervisor's and its daemons' logs are one.
fn wait_for_log(lab: &Lab, router: &str, words: &str, times: usize) {
    let log = lab.run_dir().join(router).join("mgmtd.log");
    let begun = Instant::now();
    while fs::read_to_string(&log).unwrap().lines().filter(|line| line.contains(words)).count() < times {
        assert!(begun.elapsed() < Duration::from_secs(10), "{router} says {words:?} not {times} times");
        sleep(Duration::from_millis(10));
    }
}
