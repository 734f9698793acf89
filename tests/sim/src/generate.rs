//! Scenarios from seeds.
//!
//! A seed decides everything: the profile of what goes wrong, the shape and size of the network, its
//! settings, addresses and clocks, and a plan of faults. Sizes lean to the small side, because a small network
//! fails in every way a large one does and a thousand of them take the time of one; the odd settings are
//! there on purpose. Every configuration is one the daemons accept.

mod chaos;
pub mod dice;
mod network;
pub mod paper;
mod services;
mod shape;

use crate::scenario::{Scenario, SegmentKind, Settings, What};
use clap::ValueEnum;
use core::ops::RangeInclusive;
use dice::Dice;
use network::Network;
use shape::Shape;

/// What a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Profile {
    /// Cold start, over bad links at most.
    Calm,
    /// Cuts, flaps, one-way links, loss.
    Links,
    /// Daemons die, stop and freeze; the kernel refuses.
    Daemons,
    /// Configurations change.
    Operators,
    /// LANs with virtual routers.
    Vrrp,
    /// Junk, replayed and forged packets.
    Adversary,
    /// Small networks watched for hours: LSAs are refreshed.
    Ageing,
    /// All of it.
    Everything,
}

/// What to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How many routers.
    pub routers: RangeInclusive<usize>,
    /// Always this profile; otherwise the seed decides.
    pub profile: Option<Profile>,
}

impl Default for Options {
    fn default() -> Self {
        Self { routers: 2..=32, profile: None }
    }
}

/// How often the seed decides for which profile.
const PROFILES: [(u64, Profile); 8] = [
    (120, Profile::Calm),
    (220, Profile::Links),
    (180, Profile::Daemons),
    (160, Profile::Operators),
    (110, Profile::Vrrp),
    (80, Profile::Adversary),
    (4, Profile::Ageing),
    (126, Profile::Everything),
];

/// The end of a fault that lasts (ms): longer than any run.
pub const LASTING: u64 = 1_000_000_000_000;

/// The ring's dead interval (ms), unless a scenario says otherwise.
const RING_DEAD: u64 = 4_000;
/// The traditional dead interval (ms).
const TRADITIONAL_DEAD: u64 = 40_000;

/// The scenario of this seed. The same arguments make the same scenario.
pub fn scenario(seed: u64, options: &Options) -> Scenario {
    let dice = &mut Dice::new(seed);
    let drawn = dice.weighted(&PROFILES);
    let profile = options.profile.unwrap_or(drawn);
    let count = size(dice, options, profile);
    let settings = settings(dice, profile, count);
    let mut network = build(dice, profile, count);
    start_times(dice, &mut network);
    let mut scenario = Scenario {
        name: format!("{profile:?}-{seed}").to_lowercase(),
        // TOML has no larger numbers.
        seed: seed & i64::MAX as u64,
        chaos_ends: 0,
        settle: 0,
        rest: 0,
        settings,
        routers: network.routers,
        segments: network.segments,
        faults: Vec::new(),
    };
    add_faults(dice, &mut scenario, profile);
    scenario.settle = settle(&scenario);
    scenario.rest = match profile {
        Profile::Ageing => 7_200_000 + dice.within(0..=1_800_000),
        _ => dice.within(12_000..=20_000),
    };
    // Drawn last: whoever has none of it is the network it was before there were alternates.
    scenario.settings.fast_reroute = dice.chance(50);
    if scenario.settings.fast_reroute {
        scenario.settings.initial_delay = dice.weighted(&[(50, Some(5)), (20, Some(1)), (30, None)]);
    }
    add_bfd(dice, &mut scenario, profile);
    scenario
}

/// Small networks now and then have BFD, slow enough to be simulated and faster than Hellos; where daemons die so does bfdd.
fn add_bfd(dice: &mut Dice, scenario: &mut Scenario, profile: Profile) {
    const MOST_ROUTERS: usize = 8;
    if profile == Profile::Ageing || scenario.routers.len() > MOST_ROUTERS || !dice.chance(20) {
        return;
    }
    scenario.settings.bfd_interval = Some(dice.weighted(&[(40, 50), (40, 100), (20, 300)]));
    if matches!(profile, Profile::Daemons | Profile::Everything) && dice.chance(70) {
        let faults = chaos::of_bfdd(dice, scenario);
        scenario.faults.extend(faults);
        scenario.settle = settle(scenario);
    }
}

/// Half of the networks have up to five routers, one in a hundred more than twenty.
fn size(dice: &mut Dice, options: &Options, profile: Profile) -> usize {
    let (least, most) = dice.weighted(&[
        (11, (2, 2)),
        (17, (3, 3)),
        (18, (4, 4)),
        (18, (5, 5)),
        (11, (6, 6)),
        (11, (7, 8)),
        (9, (9, 12)),
        (4, (13, 20)),
        (1, (21, 32)),
    ]);
    let drawn = dice.within(least..=most) as usize;
    let drawn = if profile == Profile::Ageing { drawn.min(4) } else { drawn };
    drawn.clamp((*options.routers.start()).max(2), (*options.routers.end()).max(2))
}

/// How the timers are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timers {
    /// `defaults = "ring"`.
    Ring,
    /// The same with a dead interval of two or three Hellos.
    Tight,
    /// The same with several Hellos a second.
    Fast,
    /// Short Hellos, everything else as RFC 2328 has it.
    Mixed,
    /// RFC 2328.
    Traditional,
    /// Odd numbers.
    Odd,
}

fn settings(dice: &mut Dice, profile: Profile, routers: usize) -> Settings {
    let slow = if routers <= 4 { 8 } else { 0 };
    let slow = if profile == Profile::Ageing { 60 } else { slow };
    let timers = dice.weighted(&[
        (50, Timers::Ring),
        (16, Timers::Tight),
        (8, Timers::Fast),
        (12, Timers::Mixed),
        (slow, Timers::Traditional),
        (6, Timers::Odd),
    ]);
    let short = dice.within(2..=4);
    let (short, short_second) = (Some(short as u16), short as u8 * 2);
    let timed = match timers {
        Timers::Ring => Settings { ring_defaults: true, ..Settings::default() },
        Timers::Tight => {
            let dead_interval = Some(dice.within(2..=3) as u16);
            Settings { ring_defaults: true, hello_interval: Some(1), dead_interval, ..Settings::default() }
        }
        Timers::Fast => {
            Settings { ring_defaults: true, hello_multiplier: Some(short_second), ..Settings::default() }
        }
        Timers::Mixed => Settings { hello_interval: Some(1), dead_interval: short, ..Settings::default() },
        Timers::Traditional => Settings::default(),
        Timers::Odd => Settings {
            ring_defaults: dice.chance(70),
            hello_interval: Some(2),
            dead_interval: Some(dice.within(3..=7) as u16),
            retransmit_interval: Some(dice.weighted(&[(40, 50), (30, 333), (30, 3_000)])),
            min_ls_interval: Some(dice.weighted(&[(40, 0), (30, 1_000), (30, 7_000)])),
            min_ls_arrival: Some(dice.weighted(&[(40, 0), (30, 20), (30, 1_000)])),
            ..Settings::default()
        },
    };
    let maximum_paths = if dice.chance(15) { Some(dice.within(1..=4) as u8) } else { None };
    let without_rib = dice.chance(if routers > 12 { 70 } else { 4 });
    // Without a RIB it lasts its whole time.
    let on_startup = if dice.chance(15) { Some(if without_rib { 5 } else { 3_600 }) } else { None };
    Settings { maximum_paths, without_rib, on_startup, ..timed }
}

fn build(dice: &mut Dice, profile: Profile, routers: usize) -> Network {
    let virtual_routers = profile == Profile::Vrrp;
    let mut network = match routers {
        5 if dice.chance(8) => Network::of(dice, paper::ring5_p()),
        5 if dice.chance(5) => Network::of(dice, paper::ring5_c()),
        _ => {
            let lans = virtual_routers && dice.chance(70);
            let wires = Shape::choose(dice, routers, lans).wires(dice, routers);
            Network::build(dice, routers, &wires)
        }
    };
    // Two hours of advertisements say nothing about refreshes.
    if profile != Profile::Ageing {
        services::virtual_routers(dice, &mut network, virtual_routers);
    }
    services::externals(dice, &mut network);
    network
}

/// All at once, one after the other, or one long after the others.
fn start_times(dice: &mut Dice, network: &mut Network) {
    let spread = dice.weighted(&[(35, 0), (45, 2_000), (20, 6_000)]);
    for router in &mut network.routers {
        router.starts = dice.within(0..=spread);
    }
    if dice.chance(15) {
        let last = dice.place(network.routers.len());
        network.routers[last].starts = dice.within(5_000..=20_000);
    }
}

fn add_faults(dice: &mut Dice, scenario: &mut Scenario, profile: Profile) {
    let dead = dead_interval(&scenario.settings);
    let last_start = scenario.routers.iter().map(|r| r.starts).max().unwrap_or(0);
    // Enough for adjacencies on broadcast networks to be made, or not.
    let boot = if dice.chance(30) { 0 } else { last_start + dead + 3_000 };
    let window = dice.within(2_000..=6_000) + dice.within(0..=2) * dead;
    scenario.chaos_ends = last_start.max(boot + window);
    if profile == Profile::Calm {
        scenario.chaos_ends = last_start + dice.within(0..=2) * dead + 200;
    }
    let from = if profile == Profile::Calm { 0 } else { boot.min(scenario.chaos_ends) };
    scenario.faults = chaos::plan(dice, scenario, profile, from);
    chaos::let_some_last(dice, &mut scenario.faults);
}

/// RouterDeadInterval (ms).
fn dead_interval(settings: &Settings) -> u64 {
    if settings.hello_multiplier.is_some() {
        return 1_000;
    }
    let default = if settings.ring_defaults { RING_DEAD } else { TRADITIONAL_DEAD };
    let from_hello = settings.hello_interval.map_or(default, |hello| u64::from(hello) * 4_000);
    settings.dead_interval.map_or(from_hello, |dead| u64::from(dead) * 1_000)
}

/// How long a network may take from the last fault to rest (ms): its neighbours are noticed to be gone, and
/// once more where a Designated Router is elected; databases are exchanged, with losses made good; every
/// router says what changed, as often as it is allowed to; routes are calculated after the longest delay.
fn settle(scenario: &Scenario) -> u64 {
    let settings = &scenario.settings;
    let of = |ring: u64, traditional: u64| if settings.ring_defaults { ring } else { traditional };
    let dead = dead_interval(settings);
    let hello = settings.hello_interval.map_or(of(1_000, 10_000), |seconds| u64::from(seconds) * 1_000);
    let retransmit = settings.retransmit_interval.unwrap_or(of(200, 5_000));
    let interval = settings.min_ls_interval.unwrap_or(of(100, 5_000));
    let arrival = settings.min_ls_arrival.unwrap_or(of(50, 1_000));
    let calculation = of(50, 2_000) + 3_000;
    let forged = scenario.faults.iter().any(|f| matches!(f.what, What::Forge { .. } | What::Replay { .. }));
    // A sequence that was driven to its end starts again only after a flush everybody acknowledged.
    let fight = if forged { 6 * (interval + arrival) + 6 * retransmit + 5_000 } else { 0 };
    let is_broadcast = |kind| kind == SegmentKind::Broadcast;
    let wait = if scenario.segments.iter().any(|s| is_broadcast(s.kind)) { dead } else { 0 };
    let across: u64 = scenario.segments.iter().map(|s| (s.delay + s.jitter) / 500 + 1).sum();
    let groups = scenario.segments.iter().filter_map(|s| s.vrrp.as_ref());
    let virtual_routers = groups.map(|v| v.interval * 6 + v.routes_wait);
    let ospf =
        dead + wait + 3 * hello + 4 * retransmit + 3 * (interval + arrival) + calculation + across + fight;
    let startup = if settings.without_rib { settings.on_startup.unwrap_or(0) * 1_000 } else { 0 };
    let all =
        (ospf + startup).max(virtual_routers.max().unwrap_or(0)) + patience_with_kernel(scenario) + 3_000;
    // Clocks that run slow.
    all + all / 50
}

/// What the kernel refuses is tried again after a pause that doubles: after a fault of some length, the pause that
/// ends last is about as long, and half a minute at most.
fn patience_with_kernel(scenario: &Scenario) -> u64 {
    const LONGEST: u64 = 30_000;
    let refusals = scenario.faults.iter().filter(|f| matches!(f.what, What::KernelRefuses { .. }));
    let (first, last) = refusals.fold((u64::MAX, 0), |(a, b), f| (a.min(f.at), b.max(f.until)));
    match last.saturating_sub(first) {
        0 => 0,
        length => (length + length / 2 + 5_000).min(LONGEST + 5_000),
    }
}

#[cfg(test)]
mod tests;
