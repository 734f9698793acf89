//! The lab judged by routers that are not ours: what it reports about them must be what is long known of them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ringlab::fabric::Cut;
use ringlab::lab::{Death, Lab, Options};
use ringlab::netns;
use ringlab::pcap::Capture;
use ringlab::probe::reach;
use ringlab::scenario::{Event, rehearse};
use ringlab::stack::{Profile, Stack};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn ring(stack: Stack) -> Lab {
    let mut options = Options::new("ring5-c", stack).unwrap();
    options.profile = Profile::Unhurried;
    let lab = Lab::up(options).unwrap();
    lab.wait_converged(Profile::Unhurried.patience()).unwrap();
    lab
}

fn assert_all_flows(lab: &Lab) {
    let (tried, dead) = reach(lab).unwrap();
    assert!(tried >= 20 && dead.is_empty(), "{dead:?} of {tried} flows are dead");
}

#[test]
fn normal_tables_then_a_leaf_dies_and_returns() {
    let mut lab = ring(Stack::Frr);
    assert_all_flows(&lab);
    let file = lab.run_dir().join("l45.pcap");
    let capture = Capture::start(&lab, "l45", &file).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    drop(capture);
    // A file header of 24 octets, then at least one hello of each end.
    assert!(std::fs::metadata(&file).unwrap().len() > 24 + 2 * 80);
    let event = Event::RouterDies("vr5".to_owned());
    let [broken, back] = rehearse(&mut lab, &event, Profile::Unhurried.patience()).unwrap();
    assert!(broken.is_good() && back.is_good(), "{broken:?}\n{back:?}");
    // A silent death costs what the dead interval costs: neither nothing nor for ever.
    let worst = broken.outages.iter().flatten().map(|outage| outage.longest).max().unwrap();
    assert!((Duration::from_secs(2)..Duration::from_secs(8)).contains(&worst), "{worst:?}");
    let prefix = lab.names().prefix().to_owned();
    let run_dir = lab.run_dir().to_owned();
    drop(lab);
    assert_eq!(netns::list(&prefix), Vec::<String>::new());
    assert!(!run_dir.exists());
}

#[test]
fn the_judge_sees_a_wrong_route_a_missing_route_and_a_second_master() {
    let mut lab = ring(Stack::Frr);
    let arguments = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    lab.exec("vr3", "ip", &arguments("route add 10.10.4.0/24 via 172.16.23.2 metric 1")).unwrap();
    let wrong = lab.judge().unwrap();
    assert_eq!(wrong, ["vr3: 10.10.4.0/24 must be vr4 25, is vr2"]);
    lab.exec("vr3", "ip", &arguments("route del 10.10.4.0/24 via 172.16.23.2 metric 1")).unwrap();
    // zebra had given its own route up for the stranger's and puts it back in its own time.
    lab.wait_converged(Profile::Unhurried.patience()).unwrap();
    lab.kill("vr4", &Death::Daemon("ospfd".to_owned())).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !lab.judge().unwrap().iter().any(|line| line.starts_with("vr4: 0.0.0.0/0 must be vr5")) {
        assert!(Instant::now() < deadline, "nobody noticed that vr4 lost its daemon");
    }
    lab.cut("lan", Some("vr1"), Cut::Silent).unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while lab.vip_owners().unwrap().len() != 2 {
        assert!(Instant::now() < deadline, "a silently parted LAN makes two masters");
    }
}

#[test]
fn a_mixed_ring_of_two_stacks_converges() {
    let mut options = Options::new("ring5-c", Stack::Frr).unwrap();
    options.profile = Profile::Unhurried;
    options.exceptions = [("vr2".to_owned(), Stack::Bird), ("vr4".to_owned(), Stack::Bird)].into();
    let lab = Lab::up(options).unwrap();
    lab.wait_converged(Profile::Unhurried.patience()).unwrap();
    assert_all_flows(&lab);
}

#[test]
fn a_lab_whose_owner_is_killed_disappears() {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_ringlab"))
        .args(["demo", "--stack", "frr", "--topology", "ring3"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let prefix = format!("tl{}-", owner.id());
    let wait = |what: &str, done: &dyn Fn(&[String]) -> bool| {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !done(&netns::list(&prefix)) {
            assert!(Instant::now() < deadline, "{what}: {:?}", netns::list(&prefix));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait("does not start", &|names| names.iter().any(|name| !netns::pids(name).unwrap().is_empty()));
    owner.kill().unwrap();
    owner.wait().unwrap();
    wait("is left behind", &<[String]>::is_empty);
}
