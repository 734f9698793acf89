//! Any sequence of commits and rollbacks ends where a fresh start with the last files would.
//!
//! On every router of a network sits an operator with the shipped keeper of the configuration ([`mgmtd::configuration`]). He commits other
//! settings, with and without `confirmed`, confirms or forgets to, goes back to former revisions, only asks, sends nonsense or what was
//! made from a revision that is no longer in force; now and then the disk is full, or a daemon refuses what it had agreed to. What the
//! keeper orders is done to the simulated router: its file is written and its daemons read it. Meanwhile time passes, more or less than
//! the network needs. In the end every file is the one of the last commit that was accepted and not taken back, and routes,
//! tables, LSAs and virtual routers are those of a network that never knew another.
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use mgmtd::configuration::{Answer, Author, Input, Keeper, Kind, Output, Proposal, Ticket, load};
use mgmtd::supervisor::{Daemon as Process, wanted};
use routing_common::machine::Machine;
use routing_common::rng::Rng;
use routing_common::time::{Duration, Instant};
use routing_sim::checker::ends_like;
use routing_sim::document;
use routing_sim::generate::paper::ring5_c;
use routing_sim::generate::{Options, Profile, scenario};
use routing_sim::scenario::{Daemon, DefaultInformation, ExternalMetric, Router, Scenario, StaticRoute};
use routing_sim::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// What operators do in one network.
const DEEDS: u64 = 60;
/// The longest pause between two of them (ms).
const PAUSE: u64 = 1_500;
/// Within what a commit is to be confirmed.
const CONFIRM: Duration = Duration::from_secs(4);

/// When all daemons of a router run, after its start (ms).
const RUNNING: u64 = 2_000;
/// Of whatever is asked; answers come at once.
const TICKET: Ticket = 1;

/// One router's configuration and who keeps it.
struct Desk {
    keeper: Keeper,
    /// What each text that was ever proposed says.
    settings: BTreeMap<String, Router>,
    /// Texts in the order they came into force.
    archive: Vec<String>,
    /// What the daemons are started with.
    running: String,
    /// The next write fails.
    disk_is_full: bool,
    /// The next order to read the file is refused by one daemon.
    refuses: bool,
    /// Was what was asked for done?
    replies: Vec<bool>,
}

fn author() -> Author {
    Author { name: "op".to_owned(), connection: Some(1) }
}

fn text_of(scenario: &Scenario, router: &Router) -> String {
    document::text(scenario, router, &[])
}

impl Desk {
    fn new(scenario: &Scenario, router: &Router) -> Self {
        let text = text_of(scenario, router);
        let (config, _) = load("router.toml", &text).unwrap();
        let keeper = Keeper::new("router.toml".to_owned(), text.clone(), wanted(&config), 1, None);
        Self {
            keeper,
            settings: BTreeMap::from([(text.clone(), router.clone())]),
            archive: vec![text.clone()],
            running: text,
            disk_is_full: false,
            refuses: false,
            replies: Vec::new(),
        }
    }

    /// One input, then all outputs, as the supervisor's shell does it.
    fn tell(&mut self, world: &mut World, router: usize, input: Input) {
        self.keeper.handle(world.now, input);
        self.carry_out(world, router);
    }

    fn expire(&mut self, world: &mut World, router: usize) {
        if self.keeper.poll_timeout().is_some_and(|at| at <= world.now) {
            self.keeper.handle_timeout(world.now);
            self.carry_out(world, router);
        }
    }

    fn carry_out(&mut self, world: &mut World, router: usize) {
        while let Some(output) = self.keeper.poll_output() {
            let answers = match output {
                Output::Check { text, wanted, .. } => {
                    assert!(self.settings.contains_key(&text), "a text that nobody proposed");
                    answered(&wanted, false)
                }
                Output::Store { text, .. } => {
                    let fails = std::mem::take(&mut self.disk_is_full);
                    if !fails {
                        self.running = text;
                    }
                    vec![Input::Stored(if fails { Err("no space".to_owned()) } else { Ok(()) })]
                }
                Output::Apply(wanted) => {
                    let refuses = std::mem::take(&mut self.refuses);
                    let settings = self.settings[&self.running].clone();
                    // The one that refuses goes on as it was; the others have read the file.
                    let read: &[Daemon] =
                        if refuses { &[Daemon::Rib] } else { &[Daemon::Rib, Daemon::Ospf, Daemon::Vrrp] };
                    world.configure(router, settings, read);
                    answered(&wanted, refuses)
                }
                Output::Archive { text, .. } => {
                    self.archive.push(text);
                    vec![Input::Archived(Ok(()))]
                }
                Output::Reply(_, reply) => {
                    self.replies.push(reply.is_ok());
                    Vec::new()
                }
                Output::Settle | Output::Notice(_) => Vec::new(),
            };
            for input in answers {
                self.keeper.handle(world.now, input);
            }
        }
    }

    /// Something an operator does.
    fn act(&mut self, world: &mut World, router: usize, rng: &mut Rng) {
        let waits = self.keeper.state(world.now, false).unconfirmed_msec.is_some();
        if self.keeper.poll_timeout().is_some() && !waits {
            // The file cannot be written where there is no way back; whoever asks now is answered after it.
            return;
        }
        let before = self.keeper.text().to_owned();
        (self.disk_is_full, self.refuses) = (rng.below(12) == 0, rng.below(8) == 0);
        let deed = rng.below(10);
        let text = match deed {
            0..=4 | 6 | 8 => self.changed(world, &before, rng),
            5 => self.archive[usize::try_from(rng.below(self.archive.len() as u64)).unwrap()].clone(),
            7 => format!("{before}nonsense = 1\n"),
            _ => before.clone(),
        };
        let kind = if deed == 6 { Kind::Test } else { Kind::Commit };
        let base = (deed == 8).then_some(0);
        let confirm_within = (rng.below(3) == 0).then_some(CONFIRM);
        let (author, comment) = (author(), None);
        let input = match rng.below(5) {
            0 => Input::Confirm(TICKET, author),
            _ => {
                let text = text.clone();
                Input::Propose(TICKET, Proposal { kind, author, text, base, comment, confirm_within })
            }
        };
        let confirms = matches!(input, Input::Confirm(..));
        self.tell(world, router, input);
        // Every deed is answered.
        let accepted = self.replies.pop().unwrap();
        assert!(confirms || !accepted || !matches!(deed, 7 | 8), "what had to be refused was taken");
        let keeps = confirms || !accepted || kind == Kind::Test;
        assert_eq!(self.keeper.text(), if keeps { &before } else { &text }, "after deed {deed}");
        assert_eq!(self.keeper.text(), self.running, "the file after deed {deed}");
        self.refuses = false;
    }

    /// A text with one other setting.
    fn changed(&mut self, world: &World, before: &str, rng: &mut Rng) -> String {
        let settings = edited(&self.settings[before], rng);
        let text = text_of(&world.current, &settings);
        // Settings that make the same text mean the same.
        self.settings.entry(text.clone()).or_insert(settings);
        text
    }
}

/// Everybody was asked, and says yes; or those whose turn comes after ribd's refuse.
fn answered(wanted: &BTreeSet<Process>, refuses: bool) -> Vec<Input> {
    let answer = |daemon: &Process| match refuses && *daemon != Process::Ribd {
        true => Input::Answered(*daemon, Answer::Refused("another release".to_owned())),
        false => Input::Answered(*daemon, Answer::Yes),
    };
    std::iter::once(Input::Asked(wanted.clone())).chain(wanted.iter().map(answer)).collect()
}

fn edited(settings: &Router, rng: &mut Rng) -> Router {
    let mut router = settings.clone();
    let at = usize::try_from(rng.below(router.ports.len() as u64)).unwrap();
    let number = u16::try_from(rng.below(200)).unwrap();
    let metric = ExternalMetric { metric: u32::from(number), type1: number % 2 == 0 };
    let port = &mut router.ports[at];
    match rng.below(7) {
        0 => port.cost = number + 1,
        1 => port.priority = u8::try_from(number % 3).unwrap(),
        2 => port.passive = !port.passive,
        3 => port.without_ospf = !port.without_ospf,
        4 => {
            // The owner of an address has its own priority.
            let changeable = port.vrrp_priority.as_mut().filter(|priority| **priority < 255);
            changeable.into_iter().for_each(|priority| *priority = u8::try_from(number + 1).unwrap());
        }
        5 => {
            let new = DefaultInformation { always: true, external: metric };
            router.default_information = router.default_information.is_none().then_some(new);
        }
        _ => {
            let prefix = "203.0.113.0/24".parse().unwrap();
            let known = router.static_routes.len();
            router.static_routes.retain(|route| route.prefix != prefix);
            if router.static_routes.len() == known {
                router.static_routes.push(StaticRoute { prefix, via: None });
            }
            router.redistribute_static.get_or_insert(metric);
        }
    }
    router
}

/// Lets time pass, in the network and for the keepers.
fn rest(world: &mut World, desks: &mut [Desk], until: Instant) {
    while let Some(next) = deadline(desks).filter(|at| *at <= until) {
        world.run_until(next.max(world.now));
        for (router, desk) in desks.iter_mut().enumerate() {
            desk.expire(world, router);
        }
    }
    world.run_until(until);
}

fn deadline(desks: &[Desk]) -> Option<Instant> {
    desks.iter().filter_map(|desk| desk.keeper.poll_timeout()).min()
}

/// Plays operators in a network and holds its end against a fresh start with the last files.
fn operate(mut scenario: Scenario, seed: u64) {
    scenario.faults.clear();
    let rng = &mut Rng::new(seed);
    let mut world = World::new(&scenario, Vec::new(), false).unwrap();
    let mut desks: Vec<Desk> = scenario.routers.iter().map(|router| Desk::new(&scenario, router)).collect();
    let running = scenario.routers.iter().map(|r| r.starts).max().unwrap_or_default() + RUNNING;
    world.run_until(Instant::from_millis(running));
    for _ in 0..DEEDS {
        let router = usize::try_from(rng.below(desks.len() as u64)).unwrap();
        desks[router].act(&mut world, router, rng);
        let until = world.now + Duration::from_millis(rng.below(PAUSE));
        rest(&mut world, &mut desks, until);
    }
    while let Some(last) = deadline(&desks) {
        rest(&mut world, &mut desks, last);
    }
    let settled = world.now + Duration::from_millis(scenario.settle);
    rest(&mut world, &mut desks, settled);
    for (desk, router) in desks.iter().zip(&world.current.routers) {
        assert_eq!(desk.keeper.text(), desk.running, "{}", router.name);
        assert_eq!(desk.running, text_of(&world.current, router), "{}", router.name);
        assert_eq!(desk.archive.last(), Some(&desk.running), "{}", router.name);
    }
    let files = Scenario { chaos_ends: running, rest: 0, seed: scenario.seed ^ 1, ..world.current.clone() };
    if let Err(difference) = ends_like(&world, &files) {
        panic!("seed {seed} of {}: {difference}", scenario.name);
    }
    let changes: usize = desks.iter().map(|desk| desk.archive.len() - 1).sum();
    assert!(changes >= 10, "only {changes} changes came into force");
}

#[test]
fn commits_and_rollbacks_on_a_ring_end_like_a_fresh_start() {
    (0..4).for_each(|seed| operate(ring5_c(), seed));
}

#[test]
fn commits_and_rollbacks_in_any_network_end_like_a_fresh_start() {
    for seed in 0..8 {
        for profile in [Profile::Operators, Profile::Vrrp] {
            let options = Options { routers: 2..=4, profile: Some(profile) };
            operate(scenario(seed, &options), seed);
        }
    }
}
