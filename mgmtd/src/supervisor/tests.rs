//! The supervisor against a world made of a list of running daemons.

use super::*;
use proptest::prelude::*;

const ALL: [Daemon; 4] = Daemon::ALL;

/// A world in which launches succeed and processes end only when they are told to or a test says so.
#[derive(Default)]
struct World {
    now: Instant,
    supervisor: Supervisor,
    running: BTreeMap<Daemon, u32>,
    next_pid: u32,
    /// What the supervisor asked for, except notices.
    log: Vec<String>,
    /// Daemons that ignore SIGTERM.
    stubborn: BTreeSet<Daemon>,
    /// Daemons that end as soon as they are launched.
    broken: BTreeSet<Daemon>,
    /// Daemons that never get ready.
    deaf: BTreeSet<Daemon>,
}

impl World {
    fn configured(daemons: &[Daemon]) -> Self {
        let mut world = Self::default();
        world.tell(Input::Configured(daemons.iter().copied().collect()));
        world
    }

    fn tell(&mut self, input: Input) {
        self.supervisor.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.supervisor.poll_output() {
            match output {
                Output::Launch(daemon) => self.launch(daemon),
                Output::Signal(daemon, order) => self.signal(daemon, order),
                Output::Finished => {
                    assert!(self.running.is_empty(), "finished while {:?} run", self.running);
                    self.log.push("finished".into());
                }
                Output::Notice(_) => {}
            }
        }
    }

    fn launch(&mut self, daemon: Daemon) {
        self.log.push(format!("launch {}", daemon.name()));
        self.next_pid += 1;
        let before = self.running.insert(daemon, self.next_pid);
        assert_eq!(before, None, "{daemon:?} doubled");
        self.supervisor.handle(self.now, Input::Running(daemon, self.next_pid, Provenance::Launched));
        if self.broken.contains(&daemon) {
            self.running.remove(&daemon);
            self.supervisor.handle(self.now, Input::Exited(daemon, "exit status: 1".into()));
        }
    }

    fn signal(&mut self, daemon: Daemon, order: Order) {
        self.log.push(format!("{order:?} {}", daemon.name()).to_lowercase());
        let ends = order == Order::Kill || order == Order::Terminate && !self.stubborn.contains(&daemon);
        if ends && self.running.remove(&daemon).is_some() {
            self.supervisor.handle(self.now, Input::Exited(daemon, "exit status: 0".into()));
        }
    }

    /// Everything that runs and is not deaf accepts connections, again and again until nothing new runs.
    fn ready(&mut self) {
        for daemon in ALL {
            if self.running.contains_key(&daemon) && !self.deaf.contains(&daemon) {
                self.tell(Input::Accepting(daemon));
            }
        }
    }

    fn die(&mut self, daemon: Daemon) {
        self.running.remove(&daemon);
        self.tell(Input::Exited(daemon, "signal: 9".into()));
    }

    /// Lets time pass, with everything that falls due on the way.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.supervisor.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.supervisor.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    fn row(&self, daemon: Daemon) -> ProcessRow {
        let value = self.supervisor.query(self.now, &Request::ShowProcesses).unwrap();
        let reply: Processes = serde_json::from_value(value).unwrap();
        reply.processes.into_iter().find(|r| r.name == daemon.name()).unwrap()
    }
}

#[test]
fn daemons_start_one_after_the_other_and_stop_in_reverse() {
    let mut world = World::configured(&ALL);
    assert_eq!(world.log(), ["launch ribd"]);
    world.tell(Input::Accepting(Daemon::Ribd));
    assert_eq!(world.log(), ["launch bfdd"]);
    world.tell(Input::Accepting(Daemon::Bfdd));
    assert_eq!(world.log(), ["launch vrrpd"]);
    world.tell(Input::Accepting(Daemon::Vrrpd));
    assert_eq!(world.log(), ["launch ospfd"]);
    world.tell(Input::Accepting(Daemon::Ospfd));
    world.tell(Input::Terminate);
    let stops = ["terminate ospfd", "terminate vrrpd", "terminate bfdd", "terminate ribd", "finished"];
    assert_eq!(world.log(), stops);
}

#[test]
fn only_daemons_with_work_are_started() {
    let mut world = World::configured(&[Daemon::Ribd, Daemon::Ospfd]);
    world.ready();
    world.ready();
    assert_eq!(world.log(), ["launch ribd", "launch ospfd"]);
    assert_eq!(
        (world.row(Daemon::Vrrpd).state.as_str(), world.row(Daemon::Ospfd).state.as_str()),
        ("off", "running")
    );
}

#[test]
fn one_that_never_gets_ready_or_dies_does_not_hold_up_the_others_for_ever() {
    let mut world = World { deaf: BTreeSet::from([Daemon::Ribd]), ..World::default() };
    world.tell(Input::Configured(ALL.into()));
    world.pass(READY_WITHIN - Duration::from_millis(1));
    assert_eq!(world.log(), ["launch ribd"]);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.log(), ["launch bfdd"]);
    world.die(Daemon::Bfdd);
    assert_eq!(world.log(), ["launch vrrpd"]);
    world.die(Daemon::Vrrpd);
    assert_eq!(world.log(), ["launch ospfd"]);
    assert_eq!(world.row(Daemon::Ribd).state, "starting");
}

#[test]
fn what_dies_is_started_again_after_a_pause_that_doubles_and_is_forgiven_after_a_stable_life() {
    let mut world = World::configured(&[Daemon::Ribd]);
    let mut pauses = Vec::new();
    world.broken.insert(Daemon::Ribd);
    world.die(Daemon::Ribd);
    for _ in 0..10 {
        let due = world.supervisor.poll_timeout().unwrap();
        pauses.push(world.now.until(due).as_millis());
        world.pass(world.now.until(due));
    }
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
    assert_eq!(world.row(Daemon::Ribd).restarts, 10);
    world.broken.clear();
    world.pass(BACK_OFF_LONGEST);
    world.ready();
    world.pass(STABLE);
    world.log();
    world.die(Daemon::Ribd);
    world.pass(Duration::ZERO);
    assert_eq!(world.log(), ["launch ribd"], "at once");
    world.ready();
    world.log();
    world.die(Daemon::Ribd);
    world.pass(BACK_OFF_FIRST * 2 - Duration::from_millis(1));
    assert_eq!((world.log().len(), world.row(Daemon::Ribd).state.as_str()), (0, "back-off"));
    world.pass(Duration::from_millis(1));
    assert_eq!(world.log(), ["launch ribd"]);
}

#[test]
fn a_restart_touches_no_one_else() {
    let mut world = World::configured(&ALL);
    ALL.iter().for_each(|_| world.ready());
    world.log();
    world.die(Daemon::Ribd);
    world.pass(Duration::from_secs(1));
    world.ready();
    assert_eq!(world.log(), ["launch ribd"]);
    assert_eq!((world.row(Daemon::Ribd).restarts, world.row(Daemon::Ospfd).restarts), (1, 0));
}

#[test]
fn a_program_that_cannot_be_run_is_tried_again() {
    let mut supervisor = Supervisor::default();
    supervisor.handle(Instant::ZERO, Input::Configured([Daemon::Ribd].into()));
    assert_eq!(supervisor.poll_output(), Some(Output::Launch(Daemon::Ribd)));
    supervisor.handle(Instant::ZERO, Input::Failed(Daemon::Ribd, "no such file".into()));
    let Some(Output::Notice(notice)) = supervisor.poll_output() else { panic!("no notice") };
    assert_eq!(notice.text, "ribd cannot be started: no such file; starts again in 100ms");
    supervisor.handle_timeout(Instant::from_millis(100));
    assert_eq!(supervisor.poll_output(), Some(Output::Launch(Daemon::Ribd)));
}

#[test]
fn who_does_not_end_in_time_is_killed_and_the_others_wait_for_it() {
    let mut world = World::configured(&ALL);
    ALL.iter().for_each(|_| world.ready());
    world.stubborn.insert(Daemon::Vrrpd);
    world.log();
    world.tell(Input::Terminate);
    assert_eq!(world.log(), ["terminate ospfd", "terminate vrrpd"]);
    world.pass(GRACE - Duration::from_millis(1));
    assert!(world.log().is_empty());
    world.pass(Duration::from_millis(1));
    assert_eq!(world.log(), ["kill vrrpd", "terminate bfdd", "terminate ribd", "finished"]);
}

#[test]
fn who_is_told_to_drain_has_the_time() {
    let mut world = World::configured(&ALL);
    ALL.iter().for_each(|_| world.ready());
    world.tell(Input::Drains(Duration::from_secs(60)));
    world.stubborn = [Daemon::Ospfd, Daemon::Vrrpd].into();
    world.log();
    // The text that takes OSPF away says nothing of its drain.
    world.tell(Input::Configured([Daemon::Ribd, Daemon::Vrrpd].into()));
    assert_eq!(world.log(), ["terminate bfdd", "terminate ospfd"]);
    world.pass(GRACE + Duration::from_millis(59_999));
    assert!(world.log().is_empty());
    world.pass(Duration::from_millis(1));
    assert_eq!(world.log(), ["kill ospfd"]);
    world.tell(Input::Terminate);
    world.log();
    world.pass(GRACE);
    assert_eq!(world.log(), ["kill vrrpd", "terminate ribd", "finished"]);
}

#[test]
fn a_second_termination_waits_for_no_one() {
    let mut world = World::configured(&ALL);
    ALL.iter().for_each(|_| world.ready());
    world.stubborn = ALL.into();
    world.tell(Input::Terminate);
    world.log();
    world.tell(Input::TerminateNow);
    let log = world.log();
    assert_eq!(log.last().map(String::as_str), Some("finished"), "{log:?}");
    assert_eq!(log.iter().filter(|l| l.starts_with("kill")).count(), ALL.len(), "{log:?}");
}

#[test]
fn termination_ends_waiting_and_back_off_too() {
    let mut world = World::configured(&ALL);
    world.die(Daemon::Ribd);
    world.tell(Input::Terminate);
    assert_eq!(world.log(), ["launch ribd", "launch bfdd", "terminate bfdd", "finished"]);
    world.pass(Duration::from_secs(60));
    assert!(world.log().is_empty());
}

#[test]
fn a_new_configuration_starts_and_stops() {
    let mut world = World::configured(&[Daemon::Ribd, Daemon::Vrrpd]);
    (0..2).for_each(|_| world.ready());
    world.log();
    world.tell(Input::Configured([Daemon::Ribd, Daemon::Ospfd].into()));
    assert_eq!(world.log(), ["terminate vrrpd", "launch ospfd"]);
    // Not listening to signals yet: told as soon as it does.
    world.tell(Input::Configured([Daemon::Ribd, Daemon::Ospfd].into()));
    assert!(world.log().is_empty(), "ribd is up: the configuration's keeper asks it");
    world.tell(Input::Accepting(Daemon::Ospfd));
    assert_eq!(world.log(), ["reload ospfd"]);
}

#[test]
fn one_wanted_again_while_it_ends_comes_back() {
    let mut world = World::configured(&[Daemon::Ribd, Daemon::Ospfd]);
    (0..2).for_each(|_| world.ready());
    world.stubborn.insert(Daemon::Ospfd);
    world.tell(Input::Configured([Daemon::Ribd].into()));
    world.tell(Input::Configured([Daemon::Ribd, Daemon::Ospfd].into()));
    world.log();
    world.die(Daemon::Ospfd);
    assert_eq!(world.log(), ["launch ospfd"]);
    assert_eq!(world.row(Daemon::Ospfd).restarts, 0);
}

#[test]
fn an_adopted_daemon_reads_its_configuration_and_one_left_over_without_work_ends() {
    let mut supervisor = Supervisor::default();
    let t = Instant::ZERO;
    supervisor.handle(t, Input::Found(Daemon::Ospfd, 7));
    supervisor.handle(t, Input::Configured([Daemon::Ribd].into()));
    supervisor.handle(t, Input::Running(Daemon::Ribd, 8, Provenance::Adopted));
    supervisor.handle(t, Input::Accepting(Daemon::Ribd));
    let outputs: Vec<_> =
        std::iter::from_fn(|| supervisor.poll_output()).filter(|o| !matches!(o, Output::Notice(_))).collect();
    assert_eq!(
        outputs,
        [
            Output::Signal(Daemon::Ospfd, Order::Terminate),
            Output::Launch(Daemon::Ribd),
            Output::Signal(Daemon::Ribd, Order::Reload),
        ]
    );
}

#[test]
fn the_configuration_says_who_has_work() {
    let of = |text: &str| wanted(&routing_common::config::load("r", text).unwrap().config);
    assert_eq!(of(""), [Daemon::Ribd].into());
    assert_eq!(of("[ospf]\nrouter-id = \"1.1.1.1\"\n"), [Daemon::Ribd, Daemon::Ospfd].into());
    let group = "[vrrp.groups.a]\ninterface = \"e0\"\nvrid = 1\nvirtual-addresses = [\"10.0.0.9/24\"]\n";
    assert_eq!(of(group), [Daemon::Ribd, Daemon::Vrrpd].into());
    let ospf = "[ospf]\nrouter-id = \"1.1.1.1\"\nbfd = true\n[ospf.interfaces.e0]\n";
    assert_eq!(of(ospf), [Daemon::Ribd, Daemon::Bfdd, Daemon::Ospfd].into());
    let peer = "[bfd.peers.a]\naddress = \"10.0.0.2\"\nmultihop = true\n";
    assert_eq!(of(peer), [Daemon::Ribd, Daemon::Bfdd].into());
    assert_eq!(of("[bfd.profiles.fast]\n"), [Daemon::Ribd].into(), "nobody uses it");
}

/// One thing that happens to the world.
#[derive(Debug, Clone)]
enum Happening {
    Configured(u8),
    Die(usize),
    Ready,
    Pass(u16),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        (0u8..16).prop_map(Happening::Configured),
        (0usize..4).prop_map(Happening::Die),
        Just(Happening::Ready),
        (0u16..20_000).prop_map(Happening::Pass),
    ]
}

proptest! {
    /// Whatever happens: nobody is doubled (asserted by the world), what is wanted runs in the end, what
    /// is not does not, and stopping ends.
    #[test]
    fn the_wanted_run_in_the_end_and_stopping_ends(
        happenings in proptest::collection::vec(happening(), 0..40),
        stubborn in 0u8..16,
    ) {
        let chosen = |bits: u8| -> BTreeSet<Daemon> {
            ALL.into_iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, d)| d).collect()
        };
        let mut world = World { stubborn: chosen(stubborn), ..World::default() };
        let mut target = BTreeSet::new();
        for happening in happenings {
            match happening {
                Happening::Configured(bits) => {
                    target = chosen(bits);
                    world.tell(Input::Configured(target.clone()));
                }
                Happening::Die(i) if world.running.contains_key(&ALL[i]) => world.die(ALL[i]),
                Happening::Die(_) => {}
                Happening::Ready => world.ready(),
                Happening::Pass(ms) => world.pass(Duration::from_millis(ms.into())),
            }
        }
        for _ in 0..4 {
            world.pass(Duration::from_secs(30));
            world.ready();
        }
        prop_assert_eq!(world.running.keys().copied().collect::<BTreeSet<_>>(), target);
        world.log();
        world.tell(Input::Terminate);
        world.pass(Duration::from_secs(60));
        let log = world.log();
        prop_assert_eq!(log.last().map(String::as_str), Some("finished"));
    }
}
