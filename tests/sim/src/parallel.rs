//! Many seeds at once.
//!
//! Every worker takes the next seed when it is done with one, so it does not matter how long each takes. A run
//! cannot be interrupted: one that takes too long is named, and ends the program if it does not end.

use crate::figures::Figures;
use crate::generate::{self, Options};
use crate::trial::{self, Failure, Mode, Trial};
use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Between two looks at what takes long, and two pictures of the progress on a terminal.
const LOOK: Duration = Duration::from_millis(200);
/// Between two lines about the progress elsewhere.
const LINE: Duration = Duration::from_secs(10);
/// A run that takes longer is named.
const LONG: Duration = Duration::from_secs(20);

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which.
    pub seeds: RangeInclusive<u64>,
    /// Of what kind.
    pub options: Options,
    /// How many at a time.
    pub jobs: usize,
    /// After a failure, the others as well.
    pub keep_going: bool,
    /// Each once or twice.
    pub mode: Mode,
    /// A run that takes longer ends everything.
    pub limit: Duration,
}

/// What became of them.
#[derive(Debug, Default)]
pub struct Summary {
    /// Runs made.
    pub runs: u64,
    /// Events in all of them.
    pub events: u64,
    /// Frames sent in all of them.
    pub frames: u64,
    /// Virtual time of all of them.
    pub virtual_time: Duration,
    /// How long it took.
    pub wall: Duration,
    /// Failures by seed.
    pub failures: Vec<(u64, Failure)>,
    /// What happened to packets in all of them.
    pub figures: Figures,
    /// The run that took longest.
    pub slowest: Option<(u64, Duration)>,
}

/// One run of a worker.
struct Run {
    seed: u64,
    took: Duration,
    virtual_time: Duration,
    trial: Trial,
}

/// Runs all seeds of a plan.
pub fn run(plan: &Plan) -> Summary {
    let start = Instant::now();
    let next = AtomicU64::new(*plan.seeds.start());
    let stop = AtomicBool::new(false);
    let under_way: Vec<Mutex<Option<(u64, Instant)>>> = (0..plan.jobs).map(|_| Mutex::new(None)).collect();
    let mut summary = Summary::default();
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for slot in &under_way {
            let (sender, next, stop) = (sender.clone(), &next, &stop);
            scope.spawn(move || work(plan, slot, next, stop, &sender));
        }
        drop(sender);
        let mut progress = Progress::new(plan);
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(run) => {
                    if let Some(failure) = &run.trial.failure {
                        progress.clear();
                        eprintln!("seed {}: {failure}", run.seed);
                        stop.fetch_or(!plan.keep_going, Ordering::Relaxed);
                    }
                    summary.add(run);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            progress.show(&summary, start.elapsed());
            let long: Vec<(u64, Duration)> = under_way.iter().filter_map(since).collect();
            progress.name_slow(&long);
            if let Some((seed, took)) = long.iter().find(|(_, took)| *took > plan.limit) {
                progress.clear();
                // The thread cannot be ended, and the scope would wait for it.
                eprintln!("seed {seed} has been running for {took:.0?}: given up");
                std::process::exit(1);
            }
        }
        progress.clear();
    });
    summary.wall = start.elapsed();
    summary.failures.sort_by_key(|(seed, _)| *seed);
    summary
}

fn since(slot: &Mutex<Option<(u64, Instant)>>) -> Option<(u64, Duration)> {
    // Nobody panics while holding it.
    slot.lock().ok()?.map(|(seed, began)| (seed, began.elapsed()))
}

fn work(
    plan: &Plan,
    slot: &Mutex<Option<(u64, Instant)>>,
    next: &AtomicU64,
    stop: &AtomicBool,
    sender: &mpsc::Sender<Run>,
) {
    let set = |value| {
        if let Ok(mut slot) = slot.lock() {
            *slot = value;
        }
    };
    while !stop.load(Ordering::Relaxed) {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if !plan.seeds.contains(&seed) {
            break;
        }
        let began = Instant::now();
        set(Some((seed, began)));
        let scenario = generate::scenario(seed, &plan.options);
        let trial = trial::trial(&scenario, plan.mode);
        let virtual_time = Duration::from_millis(scenario.chaos_ends + scenario.settle + scenario.rest);
        set(None);
        if sender.send(Run { seed, took: began.elapsed(), virtual_time, trial }).is_err() {
            break;
        }
    }
}

impl Summary {
    fn add(&mut self, run: Run) {
        self.runs += 1;
        self.virtual_time += run.virtual_time;
        if let Some(outcome) = &run.trial.outcome {
            self.events += outcome.counters.events;
            self.frames += outcome.counters.frames_sent;
            self.figures.merge(&outcome.figures);
        }
        if self.slowest.is_none_or(|(_, longest)| run.took > longest) {
            self.slowest = Some((run.seed, run.took));
        }
        if let Some(failure) = run.trial.failure {
            self.failures.push((run.seed, failure));
        }
    }
}

/// The line that says how far it is.
struct Progress {
    seeds: u64,
    on_terminal: bool,
    last: Option<Duration>,
    named: Vec<u64>,
}

impl Progress {
    fn new(plan: &Plan) -> Self {
        let seeds = (plan.seeds.end() - plan.seeds.start()).saturating_add(1);
        Self { seeds, on_terminal: std::io::stderr().is_terminal(), last: None, named: Vec::new() }
    }

    fn show(&mut self, summary: &Summary, elapsed: Duration) {
        let pause = if self.on_terminal { LOOK } else { LINE };
        if elapsed.saturating_sub(self.last.unwrap_or_default()) < pause {
            return;
        }
        self.last = Some(elapsed);
        let rate = summary.runs as f64 / elapsed.as_secs_f64();
        let failures = match summary.failures.len() {
            0 => String::new(),
            n => format!(", {n} failed"),
        };
        let line = format!("{} of {} seeds, {rate:.1}/s, {elapsed:.0?}{failures}", summary.runs, self.seeds);
        if self.on_terminal {
            let width = 30;
            let filled = (summary.runs * width / self.seeds.max(1)) as usize;
            eprint!("\r\x1b[K[{:<30}] {line}", "#".repeat(filled));
            // A picture nobody sees hurts nobody.
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{line}");
        }
    }

    /// Says once of each slow run that it is one.
    fn name_slow(&mut self, under_way: &[(u64, Duration)]) {
        for (seed, took) in under_way.iter().filter(|(_, took)| *took > LONG) {
            if !self.named.contains(seed) {
                self.named.push(*seed);
                self.clear();
                eprintln!("seed {seed} has been running for {took:.0?}");
            }
        }
    }

    fn clear(&self) {
        if self.on_terminal {
            eprint!("\r\x1b[K");
        }
    }
}
