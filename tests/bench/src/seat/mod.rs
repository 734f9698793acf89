//! The operator's seat: how long the shell makes somebody wait, and what the router does meanwhile.
//!
//! Torc runs under its supervisor, FRR with zebra, staticd and ospfd; both are asked by their own shell, started anew for every row as a
//! script does it. *Until in the kernel* is the time from the start of the shell to the kernel's notification of the last route, or to the
//! end of the shell if that is later: a shell that returns early has not yet said whether it worked. *CPU* is the shell's and that
//! of all daemons, so it says what the same work costs on a machine that is busy otherwise.

mod command;
pub mod report;

use crate::area::{Area, COST, Routes, gateway_address};
use crate::bed::{Bed, Memory};
use crate::suite::{Role, Suite};
use anyhow::{Result, ensure};
use command::Shell;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// After a change, for what goes on behind the operator's back.
const SETTLE: Duration = Duration::from_secs(1);
/// Routes that are added one by one, and reloads, in a turn.
const CHANGES: u32 = 5;
/// The first network of the static routes.
const STATICS: u32 = 0x1400_0000;

/// What an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// The shell starts and lists its commands.
    Start,
    /// One show command.
    Call,
    /// A file of static routes is loaded.
    Load,
    /// One more static route.
    Add,
    /// A whole file with one other cost is brought into force.
    Reload,
    /// The whole table is shown.
    Show,
    /// The longest time between two Hellos while nothing is asked.
    Quiet,
    /// The same while the whole table is shown again and again.
    Busy,
    /// Memory with nothing but a neighbour.
    Idle,
    /// Memory with the static routes.
    Statics,
    /// Memory with the large table.
    Table,
}

impl Row {
    /// All rows in the order of the document.
    pub const ALL: [Self; 11] = [
        Self::Start,
        Self::Call,
        Self::Load,
        Self::Add,
        Self::Reload,
        Self::Show,
        Self::Quiet,
        Self::Busy,
        Self::Idle,
        Self::Statics,
        Self::Table,
    ];
}

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Time an operator waited, and processor time of the shell and all daemons.
    Wait(Duration, Duration),
    /// Time between two Hellos.
    Silence(Duration),
    /// Memory of all daemons.
    Memory(Memory),
}

/// One measurement.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Which.
    pub row: Row,
    /// Of whom.
    pub suite: Suite,
    /// What.
    pub seen: Seen,
}

/// How much of it.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Static routes of the file.
    pub statics: u32,
    /// Routes of the large table.
    pub externals: u32,
    /// Calls of the shell in a turn.
    pub calls: usize,
    /// How long Hellos are listened to.
    pub listen: Duration,
    /// Where this project's binaries are.
    pub daemons: PathBuf,
}

/// One turn of one suite.
///
/// # Errors
/// A route that does not become right, a command that fails, a daemon that ends.
pub fn measure(plan: &Plan, suite: Suite) -> Result<Vec<Figure>> {
    ensure!(suite != Suite::Bird, "BIRD's configuration is a file; it has no seat to compare");
    let mut figures = Vec::new();
    let mut note = |row, seen| figures.push(Figure { row, suite, seen });
    configure(plan, suite, &mut note)?;
    look(plan, suite, &mut note)?;
    Ok(figures)
}

/// A suite with a neighbour and its area's routes.
fn up(plan: &Plan, suite: Suite, area: &mut Area) -> Result<(Bed, Shell)> {
    let mut bed = Bed::up(suite, Role::Operated, area, &plan.daemons)?;
    bed.expect(area);
    bed.feed();
    bed.until_right()?;
    bed.rest(SETTLE)?;
    let shell = Shell::new(suite, &plan.daemons, bed.dir());
    Ok((bed, shell))
}

/// Short questions, and the static routes.
fn configure(plan: &Plan, suite: Suite, note: &mut impl FnMut(Row, Seen)) -> Result<()> {
    let mut area = Area::grid(2, 1, 0);
    let (mut bed, shell) = up(plan, suite, &mut area)?;
    for (row, line) in [(Row::Start, "list"), (Row::Call, "show ip ospf neighbor")] {
        for _ in 0..plan.calls {
            note(row, asked(&mut bed, &shell, &[line])?);
        }
    }
    note(Row::Idle, Seen::Memory(bed.memory()?));

    let file = bed.dir().join("statics.conf");
    let lines = (0..plan.statics).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "{}", line(n));
        text
    });
    std::fs::write(&file, lines)?;
    let mut routes = area.routes();
    routes.extend((0..plan.statics).map(route));
    note(Row::Load, changed(&mut bed, &routes, |bed| shell.load(bed, &file))?);
    note(Row::Statics, Seen::Memory(bed.memory()?));
    for n in plan.statics..plan.statics + CHANGES {
        routes.extend([route(n)]);
        let words = ["configure terminal", &line(n)];
        note(Row::Add, changed(&mut bed, &routes, |bed| shell.run(bed, &words))?);
    }
    bed.verify()?;
    for n in 1..=CHANGES {
        let file = shell.changed_file(u32::from(COST) + n)?;
        note(Row::Reload, changed(&mut bed, &routes, |bed| shell.reload(bed, &file))?);
        shell.expect_cost(u32::from(COST) + n)?;
    }
    bed.verify()?;
    ensure!(bed.is_right() && bed.living()? == bed.pids(), "a daemon or the adjacency was restarted");
    Ok(())
}

/// The large table.
fn look(plan: &Plan, suite: Suite, note: &mut impl FnMut(Row, Seen)) -> Result<()> {
    let (mut bed, shell) = up(plan, suite, &mut Area::grid(10, 1, plan.externals))?;
    note(Row::Table, Seen::Memory(bed.memory()?));
    bed.longest_silence();
    bed.rest(plan.listen)?;
    note(Row::Quiet, Seen::Silence(bed.longest_silence()));
    let end = Instant::now() + plan.listen;
    while Instant::now() < end {
        note(Row::Show, asked(&mut bed, &shell, &["show ip route json"])?);
    }
    note(Row::Busy, Seen::Silence(bed.longest_silence()));
    ensure!(bed.is_right(), "the adjacency was lost");
    Ok(())
}

/// A question: the time until the shell ends.
fn asked(bed: &mut Bed, shell: &Shell, lines: &[&str]) -> Result<Seen> {
    let (before, start) = (bed.usage()?, Instant::now());
    let ran = shell.run(bed, lines)?;
    Ok(Seen::Wait(ran.end - start, ran.cpu + bed.spent_since(&before)?))
}

/// A change: the time until its routes are in the kernel and the shell has ended.
fn changed(
    bed: &mut Bed,
    routes: &Routes,
    change: impl FnOnce(&mut Bed) -> Result<command::Ran>,
) -> Result<Seen> {
    bed.expect_routes(routes.clone());
    let (before, start) = (bed.usage()?, Instant::now());
    let ran = change(bed)?;
    let right = ran.right.map_or_else(|| bed.until_right(), Ok)?;
    bed.rest(SETTLE)?;
    Ok(Seen::Wait(right.max(ran.end) - start, ran.cpu + bed.spent_since(&before)?))
}

fn route(n: u32) -> ((u32, u8), Vec<std::net::Ipv4Addr>) {
    ((STATICS + 256 * n, 24), vec![gateway_address(0)])
}

fn line(n: u32) -> String {
    format!("ip route {}/24 {}", std::net::Ipv4Addr::from_bits(STATICS + 256 * n), gateway_address(0))
}
