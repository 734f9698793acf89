//! What is measured.
//!
//! *Right* is the time from the cause to the notification that made the last route right; *CPU* is what the suite's processes used from the
//! cause until [`SETTLE`] after that (acknowledgments, timers, bookkeeping), less what they use at rest. After every row that changes
//! routes the kernel is dumped and compared.

use crate::area::Area;
use crate::bed::{Bed, Memory, Usage};
use crate::suite::{Role, Suite};
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// After a row is right.
const SETTLE: Duration = Duration::from_millis(500);
/// How long processes are watched at rest.
const REST: Duration = Duration::from_secs(2);
/// What the processor time of [`Row::StarRest`] is that of.
const MINUTE: Duration = Duration::from_secs(60);
/// Links that are down at a time in [`Row::Churn`].
const BROKEN: usize = 60;
/// Metric of a router that nobody shall go through.
const FAR: u16 = 1000;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Row {
    /// The adjacency is made and all routes are learnt.
    Cold,
    /// A far link goes down or comes up: two LSAs, one or two routes.
    Flap,
    /// A host network appears at a far router or goes: one LSA, one route.
    Stub,
    /// Half of all routes move to the other link and back: one LSA.
    Reroute,
    /// A hundred LSAs a second for ten seconds.
    Churn,
    /// The adjacency is made and all AS-external routes are learnt.
    Externals,
    /// Many neighbours begin at once.
    Star,
    /// And then say only that they are there.
    StarRest,
}

/// One measurement.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Which.
    pub row: Row,
    /// Of whom.
    pub suite: Suite,
    /// From the cause to the last right route; nothing of [`Row::StarRest`].
    pub right: Duration,
    /// Processor time by process; of [`Row::Churn`] that of one second, of [`Row::StarRest`] that of a minute.
    pub cpu: Usage,
    /// Afterwards.
    pub memory: Memory,
    /// Changes of the kernel's table.
    pub changes: u64,
    /// LSAs that had to be sent again.
    pub retransmissions: u64,
}

impl Figure {
    /// Processor time of all processes.
    pub fn total(&self) -> Duration {
        self.cpu.values().sum()
    }
}

/// What to measure, and how often.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Rows.
    pub rows: Vec<Row>,
    /// Routers in a row of the grid.
    pub side: usize,
    /// AS-external-LSAs of [`Row::Externals`], whose grid has a side of 10.
    pub externals: u32,
    /// Neighbours of [`Row::Star`].
    pub neighbors: usize,
    /// Events of a kind in one turn; every second one undoes the one before.
    pub events: usize,
    /// Between two events, and before the first of them.
    pub pauses: Pauses,
    /// Seconds of [`Row::Churn`].
    pub churn: u32,
    /// Where this project's binaries are.
    pub daemons: PathBuf,
}

/// Time for a suite to come to rest.
#[derive(Debug, Clone, Copy)]
pub struct Pauses {
    /// From its start to the first word of its neighbours.
    pub warm_up: Duration,
    /// After it has learnt everything.
    pub start: Duration,
    /// After an event.
    pub event: Duration,
    /// How long a star is watched at rest.
    pub watch: Duration,
}

impl Pauses {
    /// Long enough for MinLSInterval (5 s) since a suite's first router-LSA, for the end of its start, in which Torc calculates by other
    /// rules, and for every back-off to be forgotten.
    pub const LONG: Self = Self {
        warm_up: Duration::from_secs(7),
        start: Duration::from_secs(10),
        event: Duration::from_secs(4),
        watch: Duration::from_secs(30),
    };
    /// For a look whether all of it works.
    pub const SHORT: Self = Self {
        warm_up: Duration::from_secs(1),
        start: Duration::from_millis(100),
        event: Duration::from_millis(100),
        watch: Duration::from_secs(1),
    };
}

impl Plan {
    fn has(&self, row: Row) -> bool {
        self.rows.contains(&row)
    }
}

/// One turn of one suite.
///
/// # Errors
/// A route that does not become right, a daemon that ends.
pub fn measure(plan: &Plan, suite: Suite) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    if plan.has(Row::Cold) {
        let mut bed = Bed::up(suite, Role::Fed, &mut Area::grid(plan.side, 1, 0), &plan.daemons)?;
        figures.push(cold(plan, &mut bed, &Area::grid(plan.side, 1, 0), suite, Row::Cold)?);
    }
    let events = [Row::Flap, Row::Stub, Row::Reroute];
    if plan.has(Row::Churn) || events.iter().any(|row| plan.has(*row)) {
        let mut area = Area::grid(plan.side, 2, 0);
        let mut bed = Bed::up(suite, Role::Fed, &mut area, &plan.daemons)?;
        cold(plan, &mut bed, &area, suite, Row::Cold)?;
        bed.rest(plan.pauses.start)?;
        for row in events.into_iter().filter(|row| plan.has(*row)) {
            figures.extend(changes(plan, &mut bed, &mut area, suite, row)?);
        }
        if plan.has(Row::Churn) {
            figures.push(churn(plan, &mut bed, &mut area, suite)?);
        }
    }
    if plan.has(Row::Externals) {
        let mut area = Area::grid(10, 1, plan.externals);
        let mut bed = Bed::up(suite, Role::Fed, &mut area, &plan.daemons)?;
        figures.push(cold(plan, &mut bed, &area, suite, Row::Externals)?);
    }
    if plan.has(Row::Star) || plan.has(Row::StarRest) {
        figures.extend(star(plan, suite)?);
    }
    Ok(figures)
}

fn star(plan: &Plan, suite: Suite) -> Result<Vec<Figure>> {
    let mut area = Area::star(plan.neighbors);
    let mut bed = Bed::up(suite, Role::Fed, &mut area, &plan.daemons)?;
    let start = cold(plan, &mut bed, &area, suite, Row::Star)?;
    bed.rest(plan.pauses.start)?;
    let (before, since) = (bed.usage()?, Instant::now());
    bed.rest(plan.pauses.watch)?;
    let mut cpu = spent(&bed, &before, since, &Usage::new())?;
    let minutes = since.elapsed().as_secs_f64() / MINUTE.as_secs_f64();
    cpu.values_mut().for_each(|time| *time = time.div_f64(minutes));
    let (row, right, memory) = (Row::StarRest, Duration::ZERO, bed.memory()?);
    let rest = Figure { row, right, cpu, memory, changes: 0, ..start.clone() };
    Ok([start, rest].into_iter().filter(|figure| plan.has(figure.row)).collect())
}

/// Processor time since `before`, less that of a rest as long as it took.
fn spent(bed: &Bed, before: &Usage, since: Instant, idle: &Usage) -> Result<Usage> {
    let share = since.elapsed().as_secs_f64() / REST.as_secs_f64();
    let mut usage = bed.usage()?;
    for (name, time) in &mut usage {
        let at_rest = idle.get(name).copied().unwrap_or_default().mul_f64(share);
        let earlier = before.get(name).copied().unwrap_or_default();
        *time = time.saturating_sub(earlier).saturating_sub(at_rest);
    }
    Ok(usage)
}

/// Processor time of [`REST`].
fn at_rest(bed: &mut Bed) -> Result<Usage> {
    let (before, start) = (bed.usage()?, Instant::now());
    bed.rest(REST)?;
    spent(bed, &before, start, &BTreeMap::new())
}

fn cold(plan: &Plan, bed: &mut Bed, area: &Area, suite: Suite, row: Row) -> Result<Figure> {
    bed.expect(area);
    bed.rest(plan.pauses.warm_up)?;
    let (before, start) = (bed.usage()?, Instant::now());
    bed.feed();
    let end = bed.until_right()?;
    let right = end - bed.started().context("no adjacency")?;
    bed.rest(SETTLE)?;
    let cpu = spent(bed, &before, start, &BTreeMap::new())?;
    bed.verify()?;
    let (changes, retransmissions) = (bed.changes(), bed.retransmissions());
    Ok(Figure { row, suite, right, cpu, memory: bed.memory()?, changes, retransmissions })
}

fn changes(plan: &Plan, bed: &mut Bed, area: &mut Area, suite: Suite, row: Row) -> Result<Vec<Figure>> {
    let idle = at_rest(bed)?;
    let mut figures = Vec::new();
    let last = area.side() - 1;
    for event in 0..plan.events {
        let undo = event % 2 == 1;
        let lsas = match row {
            Row::Flap => area.set_link(area.at(last, last / 4), area.at(last, last / 4 + 1), undo),
            Row::Stub => area.set_stub(area.at(last, last / 4), !undo),
            Row::Reroute => area.set_metric(0, if undo { 10 } else { FAR }),
            Row::Cold | Row::Churn | Row::Externals | Row::Star | Row::StarRest => continue,
        };
        bed.expect(area);
        let (heard, lost) = (bed.changes(), bed.retransmissions());
        let (before, start) = (bed.usage()?, Instant::now());
        bed.flood(lsas)?;
        let end = bed.until_right()?;
        bed.rest(SETTLE)?;
        let cpu = spent(bed, &before, start, &idle)?;
        let (changes, retransmissions) = (bed.changes() - heard, bed.retransmissions() - lost);
        let memory = bed.memory()?;
        bed.verify()?;
        figures.push(Figure { row, suite, right: end - start, cpu, memory, changes, retransmissions });
        bed.rest(plan.pauses.event)?;
    }
    Ok(figures)
}

/// A hundred LSAs a second: fifty links go down or come up, each told by both ends.
fn churn(plan: &Plan, bed: &mut Bed, area: &mut Area, suite: Suite) -> Result<Figure> {
    let idle = at_rest(bed)?;
    let (heard, lost) = (bed.changes(), bed.retransmissions());
    let side = area.side();
    let pause = Duration::from_millis(20);
    let flaps = plan.churn * 50;
    let mut down = Vec::new();
    let mut after = area.clone();
    let mut steps = Vec::new();
    for n in 0..flaps as usize {
        // Every second step heals what broke first. That is more than MinLSArrival (1 s) ago, within which a suite may
        // drop another instance of an LSA; and the places wander over the grid.
        if n % 2 == 1 && down.len() > BROKEN {
            let (a, b) = down.remove(0);
            steps.push(after.set_link(a, b, true));
        } else {
            let (row, column) = (side / 4 + n * 7 % (side / 2), n * 13 % (side - 1));
            let (a, b) = (after.at(row, column), after.at(row, column + 1));
            if !down.contains(&(a, b)) {
                down.push((a, b));
            }
            steps.push(after.set_link(a, b, false));
        }
    }
    *area = after;
    bed.expect(area);
    let (before, start) = (bed.usage()?, Instant::now());
    let mut due = start;
    for lsas in steps {
        bed.rest(due.saturating_duration_since(Instant::now()))?;
        bed.flood(lsas)?;
        due += pause;
    }
    let last = Instant::now();
    let end = bed.until_right()?;
    bed.rest(SETTLE)?;
    let mut cpu = spent(bed, &before, start, &idle)?;
    let seconds = (last - start).as_secs_f64();
    cpu.values_mut().for_each(|time| *time = time.div_f64(seconds));
    bed.verify()?;
    ensure!(bed.changes() > heard, "{} LSAs changed nothing in the kernel", 2 * flaps);
    let (changes, retransmissions) = (bed.changes() - heard, bed.retransmissions() - lost);
    let memory = bed.memory()?;
    Ok(Figure { row: Row::Churn, suite, right: end - last, cpu, memory, changes, retransmissions })
}
