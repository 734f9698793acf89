//! The same thing many times: what goes wrong once in fifty does not show in a rehearsal.
//!
//! A soak starts labs from nothing, over and over, and then breaks and heals one lab at random. Every state, broken or whole, must
//! settle into exactly the tables the plan and the oracle demand ([`crate::verdict`]), *stay* there for [`HOLD`], and let every flow
//! through that these tables carry. The random choices follow from a seed, which is printed: the same seed strikes the same
//! things in the same order, though never to the same microsecond.
//!
//! Left out on purpose: a LAN plug that goes silently. Both routers then serve the virtual address, as VRRP must (hazard H8).

use crate::fabric::Cut;
use crate::lab::{Death, Lab, Options};
use crate::netns;
use crate::probe::reach;
use crate::report::Paint;
use crate::restart::await_successor;
use crate::stack::Stack;
use crate::topology::LinkKind;
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Tables count as settled when they have been right for so long: a daemon's death leaves the kernel's routes standing, and what it does
/// on its return comes later.
const HOLD: Duration = Duration::from_millis(1500);
/// Pause between two looks.
const POLL: Duration = Duration::from_millis(100);
/// Of so many cycles one breaks a second thing while the first is broken.
const DOUBLE_EVERY: usize = 4;

/// How much of it.
#[derive(Debug, Clone, clap::Args)]
pub struct Plan {
    /// Labs started from nothing.
    #[arg(long, default_value_t = 100)]
    pub starts: u32,
    /// Random failures, each healed again.
    #[arg(long, default_value_t = 50)]
    pub cycles: u32,
    /// Repeats the choices of an earlier run; by default the clock chooses.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where to leave logs, tables and databases of what went wrong.
    #[arg(long, default_value = "/tmp/ringlab-soak")]
    pub evidence: PathBuf,
}

/// SplitMix64: all the randomness the choice of a victim needs.
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) % (sides.max(1) as u64)).unwrap_or(0)
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.throw(of.len()))
    }
}

/// One thing that is done to a lab.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stroke {
    Router { router: String, death: Death },
    Link { link: String, end: Option<String>, cut: Cut },
}

impl fmt::Display for Stroke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Router { router, death: Death::Silent } => write!(f, "{router} loses power"),
            Self::Router { router, death: Death::Term } => write!(f, "{router} is stopped"),
            Self::Router { router, death: Death::Daemon(daemon) } => write!(f, "{router} {daemon} SIGKILL"),
            Self::Router { router, death: Death::DaemonTerm(daemon) } => {
                write!(f, "{router} {daemon} SIGTERM")
            }
            Self::Link { link, end: Some(router), .. } => write!(f, "{router} loses its {link} plug"),
            Self::Link { link, cut: Cut::Carrier, .. } => write!(f, "link {link} cut"),
            Self::Link { link, cut: Cut::Silent, .. } => write!(f, "link {link} goes silent"),
        }
    }
}

impl Stroke {
    /// Strokes of a kind belong into one line of the summary.
    fn kind(&self) -> &'static str {
        match self {
            Self::Router { death: Death::Silent, .. } => "router loses power",
            Self::Router { death: Death::Term, .. } => "router is stopped",
            Self::Router { death: Death::Daemon(_), .. } => "daemon SIGKILL",
            Self::Router { death: Death::DaemonTerm(_), .. } => "daemon SIGTERM",
            Self::Link { end: Some(_), .. } => "LAN plug pulled",
            Self::Link { cut: Cut::Carrier, .. } => "link cut",
            Self::Link { cut: Cut::Silent, .. } => "link silent",
        }
    }

    /// Something at random that can still be broken.
    fn choose(lab: &Lab, dice: &mut Dice) -> Result<Self> {
        let topology = lab.topology();
        let routers: Vec<String> = lab.running_routers().map(str::to_owned).collect();
        let router = dice.pick(&routers).context("nobody lives")?.clone();
        let daemons = lab.stack(&router).daemons();
        // A supervisor that is killed leaves its daemons alone, and nobody starts it again.
        let mut daemons: Vec<&str> = daemons.iter().copied().filter(|daemon| *daemon != "mgmtd").collect();
        let running: BTreeSet<String> =
            netns::pids(&lab.names().node(&router))?.into_iter().map(netns::name_of).collect();
        daemons.retain(|daemon| running.contains(*daemon));
        let daemon = (*dice.pick(&daemons).context("a stack without daemons")?).to_owned();
        let links: Vec<&String> =
            topology.links.iter().filter(|(_, l)| l.kind == LinkKind::Ring).map(|(name, _)| name).collect();
        let link = (*dice.pick(&links).context("no ring links")?).clone();
        let lan = topology.vrrp.as_ref().map(|vrrp| vrrp.link.clone());
        let exits: Vec<&String> =
            routers.iter().filter(|name| topology.routers[*name].vrrp_priority.is_some()).collect();
        let exit = dice.pick(&exits).map(|exit| (*exit).clone());
        Ok(match (dice.throw(7), lan, exit) {
            (0, ..) => Self::Router { router, death: Death::Silent },
            (1, ..) => Self::Router { router, death: Death::Term },
            (2, ..) => Self::Router { router, death: Death::Daemon(daemon) },
            (3, ..) => Self::Router { router, death: Death::DaemonTerm(daemon) },
            (4, ..) => Self::Link { link, end: None, cut: Cut::Silent },
            (5, Some(link), end @ Some(_)) => Self::Link { link, end, cut: Cut::Carrier },
            _ => Self::Link { link, end: None, cut: Cut::Carrier },
        })
    }

    fn strike(&self, lab: &mut Lab) -> Result<()> {
        match self {
            Self::Link { link, end, cut } => lab.cut(link, end.as_deref(), *cut),
            Self::Router { router, death: death @ (Death::Daemon(daemon) | Death::DaemonTerm(daemon)) } => {
                let before = lab.pids_of(router, daemon)?;
                lab.kill(router, death)?;
                if lab.stack(router) == Stack::Torc {
                    await_successor(lab, router, daemon, &before)?;
                }
                Ok(())
            }
            Self::Router { router, death } => lab.kill(router, death),
        }
    }
}

/// Times by what was done, in the order in which they came.
#[derive(Debug, Default)]
struct Tally {
    times: BTreeMap<&'static str, Vec<Duration>>,
    failures: Vec<String>,
    evidence: PathBuf,
}

impl Tally {
    /// Books an outcome; one that failed leaves its evidence.
    fn book(&mut self, lab: &Lab, kind: &'static str, what: &str, outcome: Result<Duration>) -> String {
        match outcome {
            Ok(time) => {
                self.times.entry(kind).or_default().push(time);
                format!("{:.1} s", time.as_secs_f64())
            }
            Err(fault) => {
                let dir = self.evidence.join(format!("{}", self.failures.len() + 1));
                let saved = match save_evidence(lab, &dir) {
                    Ok(()) => format!("evidence in {}", dir.display()),
                    Err(fault) => format!("no evidence: {fault:#}"),
                };
                self.failures.push(format!("{what}: {fault:#}\n  {saved}"));
                "WRONG".to_owned()
            }
        }
    }

    fn summary(&self) -> String {
        let mut text =
            format!("\n{:<28}{:>6}{:>10}{:>10}\n", "until right (seconds)", "times", "median", "worst");
        for (kind, times) in &self.times {
            let mut sorted = times.clone();
            sorted.sort();
            let median = sorted[sorted.len() / 2].as_secs_f64();
            let worst = sorted[sorted.len() - 1].as_secs_f64();
            text.push_str(&format!("{kind:<28}{:>6}{median:>10.2}{worst:>10.2}\n", sorted.len()));
        }
        text
    }
}

/// Soaks and prints. `Ok(false)`: something went wrong and is printed.
///
/// # Errors
/// The lab itself fails.
pub fn run(options: &Options, plan: &Plan) -> Result<bool> {
    let paint = Paint::detect();
    let begun = Instant::now();
    let clock = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = plan.seed.unwrap_or_else(|| clock().map_or(1, |now| now.as_secs()));
    println!("{}, {} cold starts, {} cycles, seed {seed}", options.topology.name, plan.starts, plan.cycles);
    let mut tally = Tally { evidence: plan.evidence.join(seed.to_string()), ..Tally::default() };
    for number in 1..=plan.starts {
        cold_start(options, number, &mut tally)?;
    }
    if plan.cycles > 0 {
        cycles(options, plan.cycles, Dice(seed), &mut tally)?;
    }
    print!("{}", tally.summary());
    for failure in &tally.failures {
        println!("{}", paint.bad(failure));
    }
    let good = tally.failures.is_empty();
    let verdict = if good { paint.good("nothing went wrong") } else { paint.bad("FAILED") };
    println!("{verdict}; {:.0} s in all; seed {seed}", begun.elapsed().as_secs_f64());
    Ok(good)
}

fn cold_start(options: &Options, number: u32, tally: &mut Tally) -> Result<()> {
    let lab = Lab::up(options.clone())?;
    let outcome = settled(&lab, options.profile.patience());
    let text = tally.book(&lab, "cold start", &format!("cold start {number}"), outcome);
    println!("cold start {number:>3}: {text}");
    lab.down()
}

fn cycles(options: &Options, count: u32, mut dice: Dice, tally: &mut Tally) -> Result<()> {
    let patience = options.profile.patience();
    let mut lab = Lab::up(options.clone())?;
    lab.wait_converged(patience)?;
    for number in 1..=count {
        let double = dice.throw(DOUBLE_EVERY) == 0;
        let mut texts = Vec::new();
        let mut kind = "";
        let mut outcome = Ok(());
        for _ in 0..=usize::from(double) {
            let stroke = Stroke::choose(&lab, &mut dice)?;
            outcome = outcome.and(stroke.strike(&mut lab));
            texts.push(stroke.to_string());
            kind = stroke.kind();
        }
        let (kind, what) = (if double { "two at once" } else { kind }, texts.join(", "));
        let outcome = outcome.and_then(|()| settled(&lab, patience));
        let broken = tally.book(&lab, kind, &format!("cycle {number}, {what}"), outcome);
        lab.heal()?;
        let outcome = settled(&lab, patience);
        let healed = tally.book(&lab, "healed", &format!("cycle {number}, {what}, healed"), outcome);
        println!("cycle {number:>3}: {what:<48} {broken:>8}, healed {healed:>8}");
    }
    lab.down()
}

/// Waits until everything is right and stays so for [`HOLD`], then tries every flow; tells when it became right.
fn settled(lab: &Lab, patience: Duration) -> Result<Duration> {
    let start = Instant::now();
    let mut right_since: Option<Instant> = None;
    loop {
        let wrong = lab.judge()?;
        let now = Instant::now();
        if wrong.is_empty() {
            let since = *right_since.get_or_insert(now);
            if now - since >= HOLD {
                let (tried, dead) = reach(lab)?;
                let dead: Vec<String> =
                    dead.iter().map(|flow| format!("{} -> {}", flow.from, flow.to)).collect();
                if !dead.is_empty() {
                    bail!("tables are right, {} of {tried} flows are dead: {}", dead.len(), dead.join(", "));
                }
                return Ok(since - start);
            }
        } else {
            right_since = None;
            if now - start > patience {
                bail!("wrong after {patience:?}:\n    {}", wrong.join("\n    "));
            }
        }
        std::thread::sleep(POLL);
    }
}

/// Logs, kernel state and what the daemons say, for whoever must find the cause.
fn save_evidence(lab: &Lab, dir: &Path) -> Result<()> {
    for router in lab.living_routers() {
        let own = dir.join(router);
        std::fs::create_dir_all(&own)?;
        for entry in std::fs::read_dir(lab.run_dir().join(router))?.flatten() {
            if entry.path().extension().is_some_and(|suffix| suffix == "log" || suffix == "toml") {
                std::fs::copy(entry.path(), own.join(entry.file_name()))?;
            }
        }
        let namespace = lab.names().node(router);
        for (name, arguments) in [
            ("routes", ["-4", "route", "show"]),
            ("addresses", ["-4", "addr", "show"]),
            ("arp", ["-4", "neigh", "show"]),
        ] {
            let answer = netns::ip_json(&namespace, &arguments)?;
            std::fs::write(own.join(format!("{name}.json")), serde_json::to_vec_pretty(&answer)?)?;
        }
        if lab.stack(router) == Stack::Torc {
            for what in ["ospf neighbor", "ospf database", "ospf route", "ospf events", "route"] {
                let words: Vec<&str> =
                    ["show", "ip"].into_iter().chain(what.split(' ')).chain(["json"]).collect();
                let answer =
                    lab.torc_show(router, &words).unwrap_or_else(|fault| format!("{fault:#}").into());
                let file = own.join(format!("{}.json", what.replace(' ', "-")));
                std::fs::write(file, serde_json::to_vec_pretty(&answer)?)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_choices_and_all_sides_come_up() {
        let throws = |seed| {
            let mut dice = Dice(seed);
            (0..200).map(|_| dice.throw(7)).collect::<Vec<_>>()
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        for side in 0..7 {
            assert!(throws(7).contains(&side), "{side} never comes up");
        }
    }

    #[test]
    fn the_summary_tells_median_and_worst() {
        let times = [3, 1, 2].map(Duration::from_secs).to_vec();
        let tally = Tally { times: BTreeMap::from([("link cut", times)]), ..Tally::default() };
        let line =
            tally.summary().lines().find(|line| line.starts_with("link cut")).unwrap_or_default().to_owned();
        assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["link", "cut", "3", "2.00", "3.00"]);
    }
}
