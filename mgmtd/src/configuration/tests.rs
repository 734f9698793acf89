//! The keeper against a world of disks that fail and processes that die at any point.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Three texts that are accepted and have work for different daemons; the fourth is not.
const TEXTS: [&str; 4] = [
    "hostname = \"a\"\n",
    "[ospf]\nrouter-id = \"1.1.1.1\"\n",
    "[vrrp.groups.a]\ninterface = \"e0\"\nvrid = 1\nvirtual-addresses = [\"10.0.0.9/24\"]\n[interfaces.e0]\n",
    "hostnam = 1\n",
];

fn wanted_of(text: &str) -> BTreeSet<Daemon> {
    load("t", text).map(|(config, _)| wanted(&config)).unwrap_or_default()
}

fn author(connection: u64) -> Author {
    Author { name: format!("user {connection}"), connection: Some(connection) }
}

fn proposal(text: &str) -> Proposal {
    let text = text.to_owned();
    Proposal { kind: Kind::Commit, author: author(1), text, base: None, comment: None, confirm_within: None }
}

/// What survives the supervisor: files, and daemons with what they have read.
#[derive(Debug, Clone)]
struct World {
    now: Instant,
    running: String,
    unconfirmed: Option<Unconfirmed>,
    archive: BTreeMap<u64, String>,
    /// What each daemon that runs has in force.
    daemons: BTreeMap<Daemon, String>,
    /// Refuse to check, or to reload, or to answer.
    moody: BTreeMap<Daemon, Mood>,
    disk_full: bool,
    /// The supervisor dies after so many more outputs.
    life: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    RefusesToCheck,
    /// Once: this very reload.
    RefusesToReload,
    Silent,
}

/// The supervisor died in the middle.
struct Dead;

impl World {
    fn new(text: &str) -> Self {
        let daemons = wanted_of(text).into_iter().map(|d| (d, text.to_owned())).collect();
        Self {
            now: Instant::from_secs(1),
            running: text.to_owned(),
            unconfirmed: None,
            archive: BTreeMap::from([(1, text.to_owned())]),
            daemons,
            moody: BTreeMap::new(),
            disk_full: false,
            life: None,
        }
    }

    /// A supervisor that starts on what is there: its daemons are told to read the file.
    fn keeper(&mut self) -> Keeper {
        let text = self.running.clone();
        self.apply(&wanted_of(&text), false);
        let revision = *self.archive.keys().last().unwrap() + 1;
        self.archive.insert(revision, text.clone());
        Keeper::new("t".into(), text.clone(), wanted_of(&text), revision, self.unconfirmed.clone())
    }

    /// Those that ran before; each is given its answer.
    fn apply(&mut self, wanted: &BTreeSet<Daemon>, moods: bool) -> Vec<(Daemon, Answer)> {
        let before: Vec<Daemon> = self.daemons.keys().copied().filter(|d| wanted.contains(d)).collect();
        self.daemons.retain(|d, _| wanted.contains(d));
        for daemon in wanted {
            self.daemons.entry(*daemon).or_insert_with(|| self.running.clone());
        }
        let mut answers = Vec::new();
        for daemon in before {
            let mood = self.moody.get(&daemon).copied().filter(|_| moods);
            if mood == Some(Mood::RefusesToReload) {
                self.moody.remove(&daemon);
                answers.push((daemon, Answer::Refused("no".into())));
                continue;
            }
            self.daemons.insert(daemon, self.running.clone());
            let silent = mood == Some(Mood::Silent);
            answers.push((daemon, if silent { Answer::Silent("hm".into()) } else { Answer::Yes }));
        }
        answers
    }

    fn run(&mut self, keeper: &mut Keeper) -> Result<Vec<(Ticket, Reply)>, Dead> {
        let mut replies = Vec::new();
        loop {
            let Some(output) = keeper.poll_output() else { return Ok(replies) };
            if let Some(life) = &mut self.life {
                *life = life.checked_sub(1).ok_or(Dead)?;
            }
            match output {
                Output::Check { text, wanted, .. } => {
                    let up: BTreeSet<Daemon> =
                        self.daemons.keys().copied().filter(|d| wanted.contains(d)).collect();
                    assert!(load("t", &text).is_ok(), "a daemon is asked about a text that cannot be");
                    keeper.handle(self.now, Input::Asked(up.clone()));
                    for daemon in up {
                        let answer = match self.moody.get(&daemon) {
                            Some(Mood::RefusesToCheck) => Answer::Refused("no".into()),
                            Some(Mood::Silent) => Answer::Silent("hm".into()),
                            Some(Mood::RefusesToReload) | None => Answer::Yes,
                        };
                        keeper.handle(self.now, Input::Answered(daemon, answer));
                    }
                }
                Output::Store { text, unconfirmed } => {
                    if self.disk_full {
                        keeper.handle(self.now, Input::Stored(Err("full".into())));
                        continue;
                    }
                    // What may be taken back comes first; a death in between leaves the former text in force.
                    if unconfirmed.is_some() {
                        self.unconfirmed = unconfirmed.clone();
                        if let Some(life) = &mut self.life {
                            *life = life.checked_sub(1).ok_or(Dead)?;
                        }
                    }
                    self.running = text;
                    if unconfirmed.is_none() {
                        self.unconfirmed = None;
                    }
                    keeper.handle(self.now, Input::Stored(Ok(())));
                }
                Output::Apply(wanted) => {
                    let answers = self.apply(&wanted, true);
                    keeper.handle(self.now, Input::Asked(answers.iter().map(|(d, _)| *d).collect()));
                    for (daemon, answer) in answers {
                        keeper.handle(self.now, Input::Answered(daemon, answer));
                    }
                }
                Output::Archive { revision, text, .. } => {
                    assert_eq!(self.archive.insert(revision, text), None, "a number is used once");
                    keeper.handle(self.now, Input::Archived(Ok(())));
                }
                Output::Settle => self.unconfirmed = None,
                Output::Reply(ticket, reply) => replies.push((ticket, reply)),
                Output::Notice(_) => {}
            }
        }
    }

    /// The law of rest: one text everywhere.
    fn check_rest(&self, keeper: &Keeper) {
        assert!(keeper.flight.is_none(), "{:?}", keeper.flight);
        assert_eq!(keeper.text(), self.running);
        let expected: BTreeMap<Daemon, String> =
            wanted_of(&self.running).into_iter().map(|d| (d, self.running.clone())).collect();
        assert_eq!(self.daemons, expected);
        assert_eq!(keeper.unconfirmed, self.unconfirmed);
    }

    fn ask(&mut self, keeper: &mut Keeper, input: Input) -> Reply {
        keeper.handle(self.now, input);
        let mut replies = self.run(keeper).unwrap_or_else(|_| panic!("it lives"));
        assert_eq!(replies.len(), 1, "{replies:?}");
        replies.remove(0).1
    }
}

fn revision(reply: Reply) -> u64 {
    match reply {
        Ok(Answered::Committed(done)) => done.revision,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_commit_reaches_every_daemon_and_says_how() {
    let mut world = World::new(TEXTS[1]);
    let mut keeper = world.keeper();
    let reply = world.ask(&mut keeper, Input::Propose(7, proposal(TEXTS[2])));
    let Ok(Answered::Committed(done)) = reply else { panic!("{reply:?}") };
    let rows: Vec<String> = done.daemons.iter().map(|d| format!("{} {}", d.daemon, d.outcome)).collect();
    assert_eq!(rows, ["ribd applied", "vrrpd started", "ospfd stopped"]);
    assert_eq!((done.revision, done.changed), (3, true));
    world.check_rest(&keeper);
    let again = world.ask(&mut keeper, Input::Propose(8, proposal(TEXTS[2])));
    assert!(matches!(again, Ok(Answered::Committed(Committed { changed: false, revision: 3, .. }))));
}

#[test]
fn what_any_daemon_or_the_text_itself_refuses_changes_nothing() {
    for mood in [Mood::RefusesToCheck, Mood::RefusesToReload, Mood::Silent] {
        let mut world = World::new(TEXTS[0]);
        let mut keeper = world.keeper();
        world.moody.insert(Daemon::Ribd, mood);
        let why = world.ask(&mut keeper, Input::Propose(7, proposal(TEXTS[1]))).unwrap_err();
        assert!(why.starts_with("ribd "), "{why}");
        assert_eq!(world.running, TEXTS[0], "{mood:?}");
        world.check_rest(&keeper);
    }
    let mut world = World::new(TEXTS[0]);
    let mut keeper = world.keeper();
    let why = world.ask(&mut keeper, Input::Propose(7, proposal(TEXTS[3]))).unwrap_err();
    assert!(why.contains("did you mean `hostname`"), "{why}");
    world.disk_full = true;
    let why = world.ask(&mut keeper, Input::Propose(7, proposal(TEXTS[1]))).unwrap_err();
    assert!(why.ends_with("cannot be written: full"), "{why}");
    world.check_rest(&keeper);
}

#[test]
fn a_test_asks_and_changes_nothing() {
    let mut world = World::new(TEXTS[0]);
    let mut keeper = world.keeper();
    let test = Proposal { kind: Kind::Test, ..proposal(TEXTS[1]) };
    let Ok(Answered::Committed(done)) = world.ask(&mut keeper, Input::Propose(7, test)) else { panic!() };
    let rows: Vec<String> = done.daemons.iter().map(|d| format!("{} {}", d.daemon, d.outcome)).collect();
    assert_eq!(rows, ["ribd checked", "ospfd would start"]);
    assert_eq!((done.changed, world.running.as_str()), (true, TEXTS[0]));
    world.check_rest(&keeper);
}

#[test]
fn what_nobody_confirms_is_taken_back_and_what_somebody_does_stays() {
    for confirm in [false, true] {
        let mut world = World::new(TEXTS[0]);
        let mut keeper = world.keeper();
        let within = Some(Duration::from_secs(60));
        let to_confirm = Proposal { confirm_within: within, ..proposal(TEXTS[1]) };
        let committed = revision(world.ask(&mut keeper, Input::Propose(7, to_confirm)));
        world.check_rest(&keeper);
        let why = world.ask(&mut keeper, Input::Propose(8, proposal(TEXTS[2]))).unwrap_err();
        assert!(why.contains("waits for `confirm`"), "{why}");
        assert!(keeper.may_save(&author(1)).is_err());
        if confirm {
            assert!(world.ask(&mut keeper, Input::Confirm(9, author(2))).is_ok());
            assert!(keeper.may_save(&author(1)).is_ok());
        }
        world.now += Duration::from_secs(60);
        keeper.handle_timeout(world.now);
        assert!(world.run(&mut keeper).is_ok());
        assert_eq!(world.running, if confirm { TEXTS[1] } else { TEXTS[0] });
        // Taken back is a revision as well.
        assert_eq!(keeper.revision(), committed + u64::from(!confirm));
        world.check_rest(&keeper);
        assert!(world.ask(&mut keeper, Input::Confirm(10, author(1))).is_err());
    }
}

#[test]
fn a_text_taken_back_is_written_until_the_disk_takes_it() {
    let mut world = World::new(TEXTS[0]);
    let mut keeper = world.keeper();
    let to_confirm = Proposal { confirm_within: Some(Duration::from_secs(1)), ..proposal(TEXTS[1]) };
    revision(world.ask(&mut keeper, Input::Propose(7, to_confirm)));
    world.disk_full = true;
    for _ in 0..3 {
        world.now += Duration::from_secs(1);
        keeper.handle_timeout(world.now);
        assert!(world.run(&mut keeper).is_ok());
        assert_eq!(world.running, TEXTS[1]);
        assert!(keeper.poll_timeout().is_some());
    }
    world.disk_full = false;
    world.now += Duration::from_secs(1);
    keeper.handle_timeout(world.now);
    assert!(world.run(&mut keeper).is_ok());
    assert_eq!(world.running, TEXTS[0]);
    world.check_rest(&keeper);
}

#[test]
fn a_lock_keeps_others_out_until_its_connection_ends() {
    let mut world = World::new(TEXTS[0]);
    let mut keeper = world.keeper();
    let Ok(Answered::State(state)) = world.ask(&mut keeper, Input::Lock(1, author(9))) else { panic!() };
    assert_eq!(state.locked_by.as_deref(), Some("user 9"));
    for input in
        [Input::Propose(2, proposal(TEXTS[1])), Input::Lock(2, author(1)), Input::Confirm(2, author(1))]
    {
        assert_eq!(world.ask(&mut keeper, input), Err("the configuration is locked by user 9".to_owned()));
    }
    // Nobody else's unlock counts, the holder's own commit does.
    assert!(world.ask(&mut keeper, Input::Unlock(3, author(1))).is_ok());
    let own = Proposal { author: author(9), ..proposal(TEXTS[2]) };
    revision(world.ask(&mut keeper, Input::Propose(4, own)));
    keeper.handle(world.now, Input::Gone(9));
    revision(world.ask(&mut keeper, Input::Propose(5, proposal(TEXTS[1]))));
    world.check_rest(&keeper);
}

#[test]
fn a_change_made_from_an_older_revision_is_refused() {
    let mut world = World::new(TEXTS[0]);
    let mut keeper = world.keeper();
    let based = |base| Proposal { base: Some(base), ..proposal(TEXTS[1]) };
    let why = world.ask(&mut keeper, Input::Propose(7, based(1))).unwrap_err();
    assert!(why.starts_with("revision 2 is in force by now"), "{why}");
    assert_eq!(revision(world.ask(&mut keeper, Input::Propose(7, based(2)))), 3);
}

#[derive(Debug, Clone)]
enum Act {
    Commit(usize, bool, Option<Mood>),
    Confirm,
    Rollback(usize),
    Wait(u64),
    Full(bool),
    /// The supervisor dies after so many outputs of the next act.
    Doom(u32),
    Kill(Daemon),
}

fn act() -> impl Strategy<Value = Act> {
    let mood = prop_oneof![
        4 => Just(None),
        1 => Just(Some(Mood::RefusesToCheck)),
        1 => Just(Some(Mood::RefusesToReload)),
        1 => Just(Some(Mood::Silent)),
    ];
    prop_oneof![
        6 => (0..TEXTS.len(), any::<bool>(), mood).prop_map(|(t, c, m)| Act::Commit(t, c, m)),
        2 => Just(Act::Confirm),
        2 => (0usize..4).prop_map(Act::Rollback),
        2 => (1u64..40).prop_map(Act::Wait),
        1 => any::<bool>().prop_map(Act::Full),
        3 => (0u32..6).prop_map(Act::Doom),
        1 => proptest::sample::select(Daemon::ALL.to_vec()).prop_map(Act::Kill),
    ]
}

/// What may be in force after an act: the former text, and what the act asked for.
fn possible(world: &World, act: &Act) -> Vec<String> {
    let mut texts = vec![world.running.clone()];
    texts.extend(world.unconfirmed.iter().map(|u| u.text.clone()));
    match act {
        Act::Commit(text, ..) => texts.push(TEXTS[*text].to_owned()),
        Act::Rollback(back) => texts.extend(world.archive.values().rev().nth(*back).cloned()),
        _ => {}
    }
    texts
}

proptest! {
    /// Whatever happens, and wherever the supervisor dies, one text is in force everywhere afterwards, and it is the
    /// old one or the new one.
    #[test]
    fn every_act_ends_with_the_old_text_or_the_new_one_everywhere(acts in proptest::collection::vec(act(), 1..25)) {
        let mut world = World::new(TEXTS[0]);
        let mut keeper = world.keeper();
        for (n, act) in acts.iter().enumerate() {
            let possible = possible(&world, act);
            world.moody.clear();
            let ticket = 1 + Ticket::try_from(n).unwrap();
            match act {
                Act::Commit(text, confirm, mood) => {
                    if let Some(mood) = mood {
                        world.moody.insert(Daemon::Ribd, *mood);
                    }
                    let within = confirm.then(|| Duration::from_secs(30));
                    let proposal = Proposal { confirm_within: within, ..proposal(TEXTS[*text]) };
                    keeper.handle(world.now, Input::Propose(ticket, proposal));
                }
                Act::Confirm => keeper.handle(world.now, Input::Confirm(ticket, author(1))),
                Act::Rollback(back) => if let Some(text) = world.archive.values().rev().nth(*back) {
                    keeper.handle(world.now, Input::Propose(ticket, proposal(text)));
                },
                Act::Wait(seconds) => {
                    world.now += Duration::from_secs(*seconds);
                    keeper.handle_timeout(world.now);
                }
                Act::Full(full) => world.disk_full = *full,
                Act::Doom(outputs) => {
                    world.life = Some(*outputs);
                    continue;
                }
                // It is started again with the running file.
                Act::Kill(daemon) => if let Some(text) = world.daemons.get_mut(daemon) {
                    *text = world.running.clone();
                },
            }
            let died = world.run(&mut keeper).is_err();
            world.life = None;
            world.moody.clear();
            if died {
                keeper = world.keeper();
            }
            // A disk that is full while there is no way back is waited for.
            if keeper.flight.is_some() {
                world.disk_full = false;
                world.now += Duration::from_secs(1);
                keeper.handle_timeout(world.now);
                prop_assert!(world.run(&mut keeper).is_ok());
            }
            world.check_rest(&keeper);
            prop_assert!(possible.contains(&world.running), "{:?} after {act:?}", world.running);
        }
    }
}
