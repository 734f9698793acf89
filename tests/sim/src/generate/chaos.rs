//! What goes wrong: a plan of faults for a window of time.
//!
//! Every kind of fault has a function that adds one, if the network has anything it could happen to. A plan
//! is a number of draws among those a profile knows, at times that come in bursts now and then.

use super::Profile;
use super::dice::Dice;
use crate::scenario::{
    Authentication, Daemon, Fault, Impairment, Port, PortIndex, RouterIndex, Scenario, SegmentIndex,
    SegmentKind, What,
};

/// A plan being made.
struct Plan<'a> {
    dice: &'a mut Dice,
    scenario: &'a Scenario,
    /// Beginning and end of the window (ms).
    window: (u64, u64),
    /// Faults of a burst begin here.
    burst: Option<u64>,
    faults: Vec<Fault>,
}

/// What happens to bfdd beside the plan.
pub(super) fn of_bfdd(dice: &mut Dice, scenario: &Scenario) -> Vec<Fault> {
    let from = scenario.routers.iter().map(|r| r.starts).max().unwrap_or(0);
    let window = (from.min(scenario.chaos_ends), scenario.chaos_ends);
    let mut plan = Plan { dice, scenario, window, burst: None, faults: Vec::new() };
    for _ in 0..plan.dice.within(1..=3) {
        let _ = bfdd_trouble(&mut plan);
    }
    plan.faults
}

/// Adds one fault; nothing if it cannot happen here.
type Draw = fn(&mut Plan<'_>) -> Option<()>;

const LINKS: [(u64, Draw); 6] =
    [(22, impair), (16, silent_cut), (12, one_way), (22, unplug), (14, flap), (14, admin_down)];
const DAEMONS: [(u64, Draw); 11] = [
    (14, kill_ospf),
    (14, crash_ospf),
    (8, planned_restart),
    (12, stop_ospf),
    (14, freeze),
    (14, power_loss),
    (12, rib_trouble),
    (8, rib_disconnect),
    (8, kernel_refuses),
    (8, routes_removed),
    (10, vrrp_trouble),
];
const OPERATORS: [(u64, Draw); 13] = [
    (18, cost),
    (10, priority),
    (8, vrrp_priority),
    (8, wrong_key),
    (8, ospf_off),
    (8, passive),
    (10, externals_off),
    (8, filter_off),
    (8, admin_down),
    (6, address_removed),
    (6, mtu),
    (4, wall_clock),
    (6, clear),
];
const ADVERSARY: [(u64, Draw); 3] = [(30, junk), (30, replay), (40, forge)];
const VIRTUAL: [(u64, Draw); 6] = [
    (20, vrrp_trouble),
    (15, vrrp_priority),
    (25, virtual_lan_cut),
    (15, unplug),
    (10, power_loss),
    (15, impair),
];
const IMPAIRMENTS: [(u64, Draw); 1] = [(1, impair)];
/// What changes routes.
const ROUTES: [(u64, Draw); 5] =
    [(30, externals_off), (15, filter_off), (25, ospf_off), (25, power_loss), (20, unplug)];

/// A plan for this network. The window is that between `from` and the scenario's `chaos_ends`.
pub(super) fn plan(dice: &mut Dice, scenario: &Scenario, profile: Profile, from: u64) -> Vec<Fault> {
    let window = (from, scenario.chaos_ends);
    let mut plan = Plan { dice, scenario, window, burst: None, faults: Vec::new() };
    let count = match profile {
        Profile::Calm | Profile::Ageing => plan.dice.within(0..=3),
        _ => plan.dice.weighted(&[(30, 1), (25, 2), (20, 4), (15, 6), (10, 10)]),
    };
    let burst = plan.dice.chance(25).then(|| plan.instant());
    for drawn in 0..count {
        // The second half of a plan with a burst happens at once.
        plan.burst = burst.filter(|_| drawn * 2 >= count);
        plan.draw(profile);
    }
    plan.faults
}

/// Some of what was changed or broken stays so: a network must also come to rest with a configuration that is
/// not the one it started with, and around a hole.
pub(super) fn let_some_last(dice: &mut Dice, faults: &mut [Fault]) {
    for fault in faults {
        let percent = match fault.what {
            What::Cost { .. }
            | What::Priority { .. }
            | What::VrrpPriority { .. }
            | What::OspfOff { .. }
            | What::Passive { .. }
            | What::ExternalsOff { .. }
            | What::FilterOff { .. } => 25,
            What::Unplug { .. } | What::PowerLoss { .. } | What::AdminDown { .. } => 5,
            What::SilentCut { from: None, .. } => 5,
            _ => 0,
        };
        if dice.chance(percent) {
            fault.until = super::LASTING;
        }
    }
}

impl Plan<'_> {
    fn draw(&mut self, profile: Profile) {
        let draw = match profile {
            Profile::Calm => self.dice.weighted(&IMPAIRMENTS),
            Profile::Links => self.dice.weighted(&LINKS),
            Profile::Daemons => self.dice.weighted(&DAEMONS),
            Profile::Operators => self.dice.weighted(&OPERATORS),
            Profile::Vrrp => self.dice.weighted(&VIRTUAL),
            Profile::Adversary => self.dice.weighted(&ADVERSARY),
            Profile::Ageing | Profile::Everything => match self.dice.place(5) {
                0 => self.dice.weighted(&LINKS),
                1 => self.dice.weighted(&DAEMONS),
                2 => self.dice.weighted(&OPERATORS),
                3 => self.dice.weighted(&ADVERSARY),
                _ => self.dice.weighted(&VIRTUAL),
            },
        };
        if draw(self).is_none() {
            let _ = impair(self);
        }
    }

    /// Some instant of the window, with room for something short behind it.
    fn instant(&mut self) -> u64 {
        let (from, until) = self.window;
        self.dice.within(from..=until.saturating_sub(200).max(from))
    }

    /// How long something lasts (ms): often about as long as somebody takes to notice.
    fn duration(&mut self) -> u64 {
        let dead = self.dead();
        let longest = self.dice.weighted(&[(25, 300), (35, dead), (40, 3 * dead)]);
        self.dice.within(20..=longest.max(20))
    }

    /// RouterDeadInterval (ms).
    fn dead(&self) -> u64 {
        super::dead_interval(&self.scenario.settings)
    }

    fn add(&mut self, what: What) -> Option<()> {
        let duration = self.duration();
        self.add_for(duration, what)
    }

    fn add_for(&mut self, duration: u64, what: What) -> Option<()> {
        let at = match self.burst {
            Some(at) => at,
            None => self.instant(),
        };
        let until = (at + duration).min(self.window.1);
        self.faults.push(Fault { at, until, what });
        Some(())
    }

    fn router(&mut self) -> RouterIndex {
        self.dice.place(self.scenario.routers.len())
    }

    fn segment(&mut self) -> SegmentIndex {
        self.dice.place(self.scenario.segments.len())
    }

    /// A port that passes.
    fn port_where(&mut self, passes: impl Fn(&Port) -> bool) -> Option<(RouterIndex, PortIndex)> {
        let routers = self.scenario.routers.iter().enumerate();
        let ports = routers
            .flat_map(|(r, router)| router.ports.iter().enumerate().map(move |(p, port)| (r, p, port)));
        let fit: Vec<_> = ports.filter(|(_, _, port)| passes(port)).map(|(r, p, _)| (r, p)).collect();
        self.dice.pick(&fit)
    }

    /// A router on this segment.
    fn end_of(&mut self, segment: SegmentIndex) -> Option<RouterIndex> {
        let ends: Vec<RouterIndex> = self.scenario.ends(segment).map(|(r, ..)| r).collect();
        self.dice.pick(&ends)
    }

    /// A segment with at least two ports.
    fn joint(&mut self) -> Option<SegmentIndex> {
        let all = 0..self.scenario.segments.len();
        let joints: Vec<_> = all.filter(|s| self.scenario.ends(*s).count() > 1).collect();
        self.dice.pick(&joints)
    }

    fn has_rib(&self) -> Option<()> {
        (!self.scenario.settings.without_rib).then_some(())
    }
}

/// Is OSPF active on this port?
fn speaks_ospf(port: &Port) -> bool {
    !port.passive && !port.without_ospf
}

fn impair(plan: &mut Plan<'_>) -> Option<()> {
    let segment = plan.joint()?;
    let towards = if plan.dice.chance(40) { plan.end_of(segment) } else { None };
    let dice = &mut *plan.dice;
    let mut some = |percent: u64, most: u64| if dice.chance(percent) { dice.within(1..=most) } else { 0 };
    let impairment = Impairment {
        loss: some(70, 600) as u16,
        reorder: some(30, 300) as u16,
        reorder_by: 0,
        duplicate: some(30, 300) as u16,
        corrupt: some(20, 200) as u16,
        delay: some(25, 100_000),
        jitter: some(25, 50_000),
    };
    let reorder_by = if impairment.reorder > 0 { plan.dice.within(100..=50_000) } else { 0 };
    let duration = plan.duration() * 2;
    plan.add_for(
        duration,
        What::Impair { segment, towards, impairment: Impairment { reorder_by, ..impairment } },
    )
}

fn silent_cut(plan: &mut Plan<'_>) -> Option<()> {
    let segment = plan.joint()?;
    plan.add(What::SilentCut { segment, from: None })
}

fn one_way(plan: &mut Plan<'_>) -> Option<()> {
    let segment = plan.joint()?;
    let from = plan.end_of(segment);
    plan.add(What::SilentCut { segment, from })
}

fn unplug(plan: &mut Plan<'_>) -> Option<()> {
    let segment = plan.segment();
    let router = plan.end_of(segment)?;
    plan.add(What::Unplug { segment, router })
}

/// Short repeated cuts, below and above what is noticed.
fn flap(plan: &mut Plan<'_>) -> Option<()> {
    let segment = plan.joint()?;
    let router = plan.end_of(segment)?;
    let what = if plan.dice.chance(50) {
        What::Unplug { segment, router }
    } else {
        What::SilentCut { segment, from: None }
    };
    let dead = plan.dead();
    let longest = plan.dice.weighted(&[(40, 200), (30, dead), (30, dead + dead / 2)]);
    let (down, up) = (plan.dice.within(10..=longest), plan.dice.within(10..=longest));
    let mut at = plan.instant();
    for _ in 0..plan.dice.within(2..=8) {
        let until = at + down;
        if until > plan.window.1 {
            break;
        }
        plan.faults.push(Fault { at, until, what: what.clone() });
        at = until + up;
    }
    Some(())
}

fn admin_down(plan: &mut Plan<'_>) -> Option<()> {
    let (router, port) = plan.port_where(|_| true)?;
    plan.add(What::AdminDown { router, port })
}

fn kill_ospf(plan: &mut Plan<'_>) -> Option<()> {
    let router = plan.router();
    plan.add(What::Kill { router, daemon: Daemon::Ospf })
}

/// As it is with a supervisor: it is started again at once.
fn crash_ospf(plan: &mut Plan<'_>) -> Option<()> {
    let router = plan.router();
    let duration = plan.dice.within(5..=250);
    plan.add_for(duration, What::Kill { router, daemon: Daemon::Ospf })
}

fn planned_restart(plan: &mut Plan<'_>) -> Option<()> {
    let router = plan.router();
    plan.add(What::PlannedRestart { router })
}

fn stop_ospf(plan: &mut Plan<'_>) -> Option<()> {
    let router = plan.router();
    plan.add(What::Stop { router, daemon: Daemon::Ospf })
}

fn freeze(plan: &mut Plan<'_>) -> Option<()> {
    let router = plan.router();
    let daemon = if plan.dice.chance(75) { Daemon::Ospf } else { plan.has_rib().map(|()| Daemon::Rib)? };
    plan.add(What::Freeze { router, daemon })
}

fn power_loss(plan: &mut Plan<'_>) -> Option<()> {
    let router = plan.router();
    plan.add(What::PowerLoss { router })
}

fn rib_trouble(plan: &mut Plan<'_>) -> Option<()> {
    plan.has_rib()?;
    let (router, daemon) = (plan.router(), Daemon::Rib);
    let what =
        if plan.dice.chance(60) { What::Kill { router, daemon } } else { What::Stop { router, daemon } };
    plan.add(what)?;
    meanwhile(plan)
}

fn rib_disconnect(plan: &mut Plan<'_>) -> Option<()> {
    plan.has_rib()?;
    let router = plan.router();
    plan.add(What::RibDisconnect { router })?;
    meanwhile(plan)
}

fn kernel_refuses(plan: &mut Plan<'_>) -> Option<()> {
    plan.has_rib()?;
    let router = plan.router();
    let permille = plan.dice.weighted(&[(50, 100), (30, 500), (20, 1_000)]);
    plan.add(What::KernelRefuses { router, permille })?;
    meanwhile(plan)
}

/// While nobody writes routes, or the kernel takes none, routes change, now and then.
fn meanwhile(plan: &mut Plan<'_>) -> Option<()> {
    let (at, until) = plan.faults.last().map(|fault| (fault.at, fault.until))?;
    if plan.dice.chance(40) {
        let draw = plan.dice.weighted(&ROUTES);
        let burst = plan.burst.replace(plan.dice.within(at..=until));
        // A network without externals, say, stays as it is.
        let _ = draw(plan);
        plan.burst = burst;
    }
    Some(())
}

fn routes_removed(plan: &mut Plan<'_>) -> Option<()> {
    plan.has_rib()?;
    let router = plan.router();
    plan.add(What::RoutesRemoved { router })
}

fn vrrp_trouble(plan: &mut Plan<'_>) -> Option<()> {
    let (router, _) = plan.port_where(|port| port.vrrp_priority.is_some())?;
    let daemon = Daemon::Vrrp;
    let what = match plan.dice.place(3) {
        0 => What::Kill { router, daemon },
        1 => What::Stop { router, daemon },
        _ => What::Freeze { router, daemon },
    };
    plan.add(what)
}

fn bfdd_trouble(plan: &mut Plan<'_>) -> Option<()> {
    let (router, daemon) = (plan.router(), Daemon::Bfd);
    match plan.dice.place(4) {
        0 => plan.add(What::Kill { router, daemon }),
        1 => plan.add(What::Stop { router, daemon }),
        2 => plan.add(What::Freeze { router, daemon }),
        _ => {
            let duration = plan.dice.within(5..=250);
            plan.add_for(duration, What::Kill { router, daemon })
        }
    }
}

/// The LAN of a virtual router is cut, from one member or in the middle.
fn virtual_lan_cut(plan: &mut Plan<'_>) -> Option<()> {
    let (router, port) = plan.port_where(|port| port.vrrp_priority.is_some())?;
    let segment = plan.scenario.routers[router].ports[port].segment;
    let what = match plan.dice.place(3) {
        0 => What::Unplug { segment, router },
        1 => What::SilentCut { segment, from: Some(router) },
        _ => What::SilentCut { segment, from: None },
    };
    plan.add(what)
}

fn cost(plan: &mut Plan<'_>) -> Option<()> {
    let (router, port) = plan.port_where(|port| !port.without_ospf)?;
    let now = plan.scenario.routers[router].ports[port].cost;
    let small = plan.dice.within(1..=30) as u16;
    let cost = plan.dice.weighted(&[(40, small), (30, now.saturating_add(5)), (15, 1), (15, u16::MAX)]);
    plan.add(What::Cost { router, port, cost })
}

fn priority(plan: &mut Plan<'_>) -> Option<()> {
    let kinds = &plan.scenario.segments;
    let (router, port) =
        plan.port_where(|p| speaks_ospf(p) && kinds[p.segment].kind == SegmentKind::Broadcast)?;
    let priority = plan.dice.weighted(&[(40, 0), (20, 1), (40, 255)]);
    plan.add(What::Priority { router, port, priority })
}

fn vrrp_priority(plan: &mut Plan<'_>) -> Option<()> {
    let (router, port) = plan.port_where(|port| port.vrrp_priority.is_some_and(|p| p < 255))?;
    let priority = plan.dice.within(1..=254) as u8;
    plan.add(What::VrrpPriority { router, port, priority })
}

fn wrong_key(plan: &mut Plan<'_>) -> Option<()> {
    let segments = &plan.scenario.segments;
    let (router, port) =
        plan.port_where(|p| speaks_ospf(p) && segments[p.segment].authentication != Authentication::Null)?;
    plan.add(What::WrongKey { router, port })
}

fn ospf_off(plan: &mut Plan<'_>) -> Option<()> {
    let (router, port) = plan.port_where(|port| !port.without_ospf)?;
    plan.add(What::OspfOff { router, port })
}

fn passive(plan: &mut Plan<'_>) -> Option<()> {
    let (router, port) = plan.port_where(speaks_ospf)?;
    plan.add(What::Passive { router, port })
}

fn externals_off(plan: &mut Plan<'_>) -> Option<()> {
    let routers = plan.scenario.routers.iter().enumerate();
    let with = routers.filter(|(_, r)| r.default_information.is_some() || !r.static_routes.is_empty());
    let with: Vec<RouterIndex> = with.map(|(r, _)| r).collect();
    let router = plan.dice.pick(&with)?;
    plan.add(What::ExternalsOff { router })
}

fn filter_off(plan: &mut Plan<'_>) -> Option<()> {
    let routers = plan.scenario.routers.iter().enumerate().filter(|(_, r)| !r.filter.is_empty());
    let with: Vec<RouterIndex> = routers.map(|(r, _)| r).collect();
    let router = plan.dice.pick(&with)?;
    plan.add(What::FilterOff { router })
}

fn address_removed(plan: &mut Plan<'_>) -> Option<()> {
    let (router, port) = plan.port_where(|_| true)?;
    plan.add(What::AddressRemoved { router, port })
}

fn mtu(plan: &mut Plan<'_>) -> Option<()> {
    let (router, port) = plan.port_where(speaks_ospf)?;
    let mtu = plan.dice.weighted(&[(35, 576), (30, 1400), (35, 9000)]);
    plan.add(What::Mtu { router, port, mtu })
}

fn wall_clock(plan: &mut Plan<'_>) -> Option<()> {
    let router = plan.router();
    let by = plan.dice.weighted(&[(40, 5), (30, 3_600), (30, 100_000_000)]);
    let seconds = if plan.dice.chance(50) { by } else { -by };
    plan.add(What::WallClock { router, seconds })
}

fn clear(plan: &mut Plan<'_>) -> Option<()> {
    let router = plan.router();
    plan.add(What::Clear { router })
}

fn junk(plan: &mut Plan<'_>) -> Option<()> {
    let (segment, every) = (plan.segment(), plan.dice.within(5..=500));
    plan.add(What::Junk { segment, every })
}

fn replay(plan: &mut Plan<'_>) -> Option<()> {
    let (segment, every) = (plan.joint()?, plan.dice.within(5..=500));
    plan.add(What::Replay { segment, every })
}

fn forge(plan: &mut Plan<'_>) -> Option<()> {
    let (victim, segment) = (plan.router(), plan.joint()?);
    let (max_age, every) = (plan.dice.chance(50), plan.dice.within(20..=1_500));
    plan.add(What::Forge { segment, victim, max_age, every })
}
