//! The daemons as an operator meets them without the supervisor: each in the foreground, each refusing nonsense by itself.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ringlab::fabric::Cut;
use ringlab::lab::{Lab, Options, default_daemons};
use ringlab::netns;
use ringlab::probe::reach;
use ringlab::stack::{Profile, Stack};
use std::process::{Command, Stdio};

const PROGRAMS: [&str; 5] = ["mgmtd", "ribd", "ospfd", "bfdd", "vrrpd"];

/// Five lines an operator may get wrong, with what must be said about them.
const MISTAKES: [(&str, &str); 5] = [
    ("hostname = \"vr1 of 5\"", "hostname"),
    ("[interfaces.eth0]\naddresses = [\"10.0.0.300/24\"]", "10.0.0.300/24"),
    ("[ospf]\nrouter-id = \"10.255.0.1\"\nhello-intervall = \"1s\"", "hello-intervall"),
    ("[ospf.interfaces.eth0]\narea = \"0.0.0.0\"\ncost = 70000", "70000"),
    ("[vrrp.groups.lan]\ninterface = \"eth0\"\nvrid = 256\nvirtual-addresses = [\"10.0.0.10\"]", "vrid"),
];

fn settles(lab: &Lab) {
    if let Err(fault) = lab.wait_converged(Profile::Ring.patience()) {
        panic!("{fault:#}");
    }
    let (tried, dead) = reach(lab).unwrap();
    assert!(tried >= 12 && dead.is_empty(), "{dead:?} of {tried} flows are dead");
}

#[test]
fn a_router_started_by_hand_works_the_same() {
    let mut options = Options::new("ring3", Stack::Torc).unwrap();
    options.by_hand = ["vr1", "vr3"].map(str::to_owned).into();
    let mut lab = Lab::up(options).unwrap();
    for router in ["vr1", "vr3"] {
        assert!(lab.pids_of(router, "mgmtd").unwrap().is_empty());
        assert_eq!(lab.pids_of(router, "ospfd").unwrap().len(), 1);
    }
    settles(&lab);
    let link =
        lab.topology().links.keys().find(|name| name.starts_with("l3") || name.ends_with('3')).unwrap();
    let link = link.clone();
    lab.cut(&link, None, Cut::Carrier).unwrap();
    settles(&lab);
    lab.heal().unwrap();
    settles(&lab);
    // The shell finds the daemons by their sockets and misses nobody.
    let neighbors = lab.torc_show("vr1", &["show", "ip", "ospf", "neighbor", "json"]).unwrap();
    assert!(neighbors.to_string().contains("10.255.0.3"), "{neighbors}");
    let routes = lab.torc_show("vr3", &["show", "ip", "route", "json"]).unwrap();
    assert!(routes.to_string().contains("0.0.0.0/0"), "{routes}");
}

#[test]
fn every_program_tells_its_version() {
    for program in PROGRAMS.into_iter().chain(["torc"]) {
        let output = Command::new(default_daemons().join(program)).arg("--version").output().unwrap();
        assert!(output.status.success(), "{program}: {output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(text.trim(), format!("{program} {}", env!("CARGO_PKG_VERSION")), "{program}");
    }
}

#[test]
fn five_mistakes_are_told_at_once_and_nothing_starts() {
    let lab = Lab::up(Options::new("ring3", Stack::Torc).unwrap()).unwrap();
    let namespace = lab.names().node("h1");
    let addresses = || netns::ip_json(&namespace, &["addr", "show"]).unwrap();
    let before = addresses();
    let dir = tempfile::tempdir().unwrap();
    let (config, run_dir) = (dir.path().join("router.toml"), dir.path().join("run"));
    let text: Vec<&str> = MISTAKES.iter().map(|(line, _)| *line).collect();
    std::fs::write(&config, text.join("\n") + "\n").unwrap();
    for program in PROGRAMS {
        let output = netns::within(&namespace, || {
            let mut command = Command::new(default_daemons().join(program));
            command.arg("--config").arg(&config).arg("--run-dir").arg(&run_dir).stdin(Stdio::null());
            Ok(command.output()?)
        });
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(2), "{program}: {output:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        for (line, word) in MISTAKES {
            assert!(told.contains(word), "{program} says nothing about {line:?}:\n{told}");
        }
        assert_eq!(netns::pids(&namespace).unwrap(), Vec::<i32>::new(), "{program} left somebody behind");
        assert!(!run_dir.exists(), "{program} made {run_dir:?}");
        assert_eq!(addresses(), before, "{program} touched the kernel");
    }
}
