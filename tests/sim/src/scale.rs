//! How much work a large network is.
//!
//! Cold start of one area of point-to-point cables with traditional timers: all routers are switched on within
//! three seconds and run until every database is complete and the same and every router has a route to everything,
//! which [`truth`] checks, and compares with a calculation of its own. Then a minute is watched in which nothing
//! happens, and minutes in each of which one cable loses carrier and gets it back; what a flap costs is the
//! difference.
//!
//! No law is asked meanwhile, and there is no RIB unless it is wanted: what is measured is the OSPF engine and the
//! simulator's own queue. Everything runs in one thread. Every size is measured in a process of its own, whose
//! largest memory the kernel knows.

mod report;
pub mod topology;
pub mod truth;

use crate::scenario::RouterIndex;
use crate::world::{Counters, World};
use anyhow::{Context, Result, ensure};
use clap::Args;
use routing_common::time::{Duration, Instant};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use topology::Topology;

/// What to measure.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Sizes of the network.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 500, 1000])]
    pub routers: Vec<usize>,
    /// How routers are joined.
    #[arg(long, value_enum, default_value_t = Topology::Random)]
    pub topology: Topology,
    /// Flaps of one cable each, a minute apart.
    #[arg(long, default_value_t = 3)]
    pub flaps: u32,
    /// Decides the network and the order of what happens at the same time.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Every router has a ribd, too.
    #[arg(long)]
    pub with_rib: bool,
    /// Write the result into this file as a page of the documentation.
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Measure this size in this process and print the figures as JSON.
    #[arg(long, hide = true)]
    pub size: Option<usize>,
}

/// What a part of a run took and did.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Work {
    /// Wall-clock time (s).
    pub wall: f64,
    /// Time on a CPU (s).
    pub cpu: f64,
    /// Virtual time (s).
    pub passed: f64,
    /// Packets sent.
    pub packets: u64,
    /// LSAs received in Link State Updates, new and duplicate.
    pub lsas: u64,
    /// Shortest path trees computed by all routers together.
    pub trees: u64,
}

/// A size that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Routers.
    pub routers: usize,
    /// Cables.
    pub cables: usize,
    /// From the first power switch until everybody knew everything.
    pub cold_start: Work,
    /// Trees of the router that computed most.
    pub most_trees: u64,
    /// Largest resident memory up to then (kB).
    pub memory: u64,
    /// Routes that were compared with another calculation.
    pub compared: usize,
    /// A minute without events.
    pub rest: Work,
    /// All flaps together.
    pub flaps: Work,
    /// How many.
    pub flap_count: u32,
}

/// How often a starting network is asked whether it has converged (ms).
const STEP: Duration = Duration::from_millis(100);
/// By then it must have.
const PATIENCE: Instant = Instant::from_secs(300);
/// How long routers are left alone before rest is measured: retransmission and back-off timers run out.
const SETTLE: Duration = Duration::from_secs(30);
/// How long a rest or a flap is watched.
const WINDOW: Duration = Duration::from_secs(60);
/// How long a cable is without carrier.
const OUTAGE: Duration = Duration::from_secs(20);

/// Measures and prints.
///
/// # Errors
/// A network does not converge, or wrongly; a process or file cannot be used.
pub fn run(options: &Options) -> Result<()> {
    if let Some(size) = options.size {
        println!("{}", serde_json::to_string(&measure(options, size)?)?);
        return Ok(());
    }
    let mut all = Vec::new();
    for size in &options.routers {
        let figures = in_own_process(*size)?;
        eprintln!("{size} routers: {:.1} s", figures.cold_start.wall);
        all.push(figures);
    }
    let text = report::table(options, &all);
    print!("{text}");
    if let Some(file) = &options.write {
        std::fs::write(file, report::page(&text)).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// The same command again, for one size.
fn in_own_process(size: usize) -> Result<Figures> {
    let output = std::process::Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .args(["--size", &size.to_string()])
        // A thousand databases do not fit any cache; small pages would double the price of a miss.
        .env("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "measuring {size} routers failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Measures one size in this process.
///
/// # Errors
/// The network does not converge, or wrongly.
pub fn measure(options: &Options, routers: usize) -> Result<Figures> {
    let scenario = topology::scenario(options.topology, routers, options.seed, options.with_rib)?;
    let mut world = World::new(&scenario, Vec::new(), false)?;
    let cold_start = cold_start(&mut world)?;
    let memory = peak_memory().unwrap_or(0);
    let compared = compare(&world)?;
    let most_trees = (0..routers).map(|r| trees(&world, r)).max().unwrap_or(0);
    world.run_until(world.now + SETTLE);
    let rest = watch(&mut world, |world| world.run_until(world.now + WINDOW));
    let mut flaps = Work::default();
    for n in 0..options.flaps {
        // Far apart in the list, and never the same twice.
        let segment = scenario.segments.len() * n as usize / options.flaps as usize;
        let flap = watch(&mut world, |world| flap(world, segment));
        truth::is_converged(&world).map_err(anyhow::Error::msg)?;
        flaps = flaps.and(flap);
    }
    compare(&world)?;
    let cables = scenario.segments.len();
    Ok(Figures {
        routers,
        cables,
        cold_start,
        most_trees,
        memory,
        compared,
        rest,
        flaps,
        flap_count: options.flaps,
    })
}

/// Lets a world run until everybody knows everything; looking does not count.
///
/// # Errors
/// That takes too long.
pub fn cold_start(world: &mut World) -> Result<Work> {
    let mut work = Work::default();
    while world.now < PATIENCE {
        let until = world.now + STEP;
        work = work.and(watch(world, |world| world.run_until(until)));
        if truth::is_converged(world).is_ok() && compare(world).is_ok() {
            return Ok(work);
        }
    }
    truth::is_converged(world).map_err(anyhow::Error::msg)?;
    compare(world).map(|_| work)
}

/// Compares the routes of all routers with what they ought to be.
fn compare(world: &World) -> Result<usize> {
    truth::verify(world, 0..world.nodes.len()).map_err(anyhow::Error::msg)
}

/// One cable loses carrier and gets it back.
fn flap(world: &mut World, segment: usize) {
    let end = world.now + WINDOW;
    let Some(from) = world.segments[segment].ends.first().copied() else { return };
    world.nodes[from.router].unplugged[from.port] += 1;
    world.carriers(segment);
    world.run_until(world.now + OUTAGE);
    world.nodes[from.router].unplugged[from.port] -= 1;
    world.carriers(segment);
    world.run_until(end);
}

/// What something takes and does.
fn watch(world: &mut World, act: impl FnOnce(&mut World)) -> Work {
    let total = |world: &World| (0..world.nodes.len()).map(|r| trees(world, r)).sum::<u64>();
    let (before, trees, began) = (world.counters, total(world), world.now);
    let (wall, cpu) = (std::time::Instant::now(), cpu_time());
    act(world);
    let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_time() - cpu);
    let Counters { frames_sent, lsas_taken, .. } = world.counters;
    Work {
        wall,
        cpu,
        passed: world.now.since(began).as_secs_f64(),
        packets: frames_sent - before.frames_sent,
        lsas: lsas_taken - before.lsas_taken,
        trees: total(world) - trees,
    }
}

/// Shortest path trees a router has computed.
pub fn trees(world: &World, router: RouterIndex) -> u64 {
    let engine = world.nodes[router].ospf.engine.as_ref();
    engine.map_or(0, |e| e.areas().map(|(_, area)| area.spf_runs).sum())
}

impl Work {
    /// Both together.
    fn and(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            cpu: self.cpu + other.cpu,
            passed: self.passed + other.passed,
            packets: self.packets + other.packets,
            lsas: self.lsas + other.lsas,
            trees: self.trees + other.trees,
        }
    }
}

/// Largest resident memory of this process so far (kB).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Time this process's first thread has spent on a CPU (s); 0 where the kernel does not say.
fn cpu_time() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|n| n.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}
