//! Figures as text, and the document.

use super::{CHANGES, Figure, Plan, Row, Seen};
use crate::bed::Memory;
use crate::report::{circumstances, mebibytes, milliseconds, spread};
use crate::suite::Suite;
use anyhow::Result;
use ringlab::document::Document;
use std::path::Path;

/// One figure as a line.
pub fn line(figure: &Figure) -> String {
    let seen = match figure.seen {
        Seen::Wait(wall, cpu) => format!("{:>9.1} ms, CPU {:>8.1} ms", milliseconds(wall), milliseconds(cpu)),
        Seen::Silence(time) => format!("{:>9.1} ms", milliseconds(time)),
        Seen::Memory(Memory { rss, pss }) => {
            format!("PSS {:.1} MiB, RSS {:.1} MiB", mebibytes(pss), mebibytes(rss))
        }
    };
    format!("{:<8} {:<5} {seen}", format!("{:?}", figure.row), figure.suite.name())
}

impl Row {
    fn text(self, plan: &Plan) -> String {
        let (statics, routes) = (plan.statics, plan.externals);
        match self {
            Self::Start => "`-c list`: the shell alone".to_owned(),
            Self::Call => "`-c 'show ip ospf neighbor'`".to_owned(),
            Self::Load => format!("`-f FILE` with {statics} static routes, until all are in the kernel"),
            Self::Add => format!(
                "`-c 'configure terminal' -c 'ip route …'` beside {statics}, until it is in the kernel"
            ),
            Self::Reload => {
                format!("reload of a file with another OSPF cost, beside {statics} static routes")
            }
            Self::Show => format!("`-c 'show ip route json'` of {routes} routes"),
            Self::Quiet => format!("{routes} routes, nobody asks anything"),
            Self::Busy => format!("{routes} routes, all of them shown again and again"),
            Self::Idle => "four routers".to_owned(),
            Self::Statics => format!("{statics} static routes"),
            Self::Table => format!("{routes} AS-external routes"),
        }
    }

    /// What Torc is to keep below, in the unit of the table.
    fn target(self) -> &'static str {
        match self {
            Self::Start => "10",
            Self::Call => "5",
            Self::Load => "500",
            Self::Quiet | Self::Busy => "none late",
            Self::Statics | Self::Table => "half of FRR's",
            Self::Add | Self::Reload | Self::Show | Self::Idle => "–",
        }
    }
}

/// Writes the document.
///
/// # Errors
/// A version cannot be asked for, the file cannot be written.
pub fn write(plan: &Plan, suites: &[Suite], repetitions: u32, figures: &[Figure], file: &Path) -> Result<()> {
    let mut document = Document::new("The operator's seat, beside other suites", "cargo xtask bench seat");
    document.paragraph(
        "How long an operator waits, and what the router costs meanwhile: Torc's shell, supervisor, ribd and ospfd; FRR's vtysh, zebra, \
         staticd and ospfd. [Scale](scale-peers.md) has what the network costs them.",
    );
    document.list(&circumstances(suites, repetitions, &plan.daemons)?);
    document.heading(2, "Method");
    document.list(&method(plan));
    document.heading(2, "Waiting");
    document.paragraph("Median (least–most). The targets are Torc's own.");
    let rows = |wanted: &[Row], cells: &dyn Fn(&[Seen]) -> Vec<String>| {
        let mut table = Vec::new();
        for row in Row::ALL.into_iter().filter(|row| wanted.contains(row)) {
            for suite in suites {
                let own = figures.iter().filter(|f| f.row == row && f.suite == *suite);
                let own: Vec<Seen> = own.map(|f| f.seen).collect();
                let head = vec![row.text(plan), suite.name().to_owned()];
                let target = if *suite == Suite::Torc { row.target() } else { "" };
                table.push([head, cells(&own), vec![target.to_owned()]].concat());
            }
        }
        table
    };
    let waits = [Row::Start, Row::Call, Row::Load, Row::Add, Row::Reload, Row::Show];
    let table = rows(&waits, &|seen| vec![column(seen, wall), column(seen, cpu)]);
    document.table(&["row", "suite", "time, ms", "CPU, ms", "target, ms"], &table);
    document.paragraph(&format!(
        "None of the reloads, {CHANGES} in a turn, restarted a process or an adjacency; a turn in which one does is an error of the bench.",
    ));
    document.heading(2, "Hellos");
    document.paragraph(&format!(
        "The longest time between two Hellos, of which one is due every second, in {} s; median (least–most).",
        plan.listen.as_secs()
    ));
    let table = rows(&[Row::Quiet, Row::Busy], &|seen| vec![column(seen, silence)]);
    document.table(&["row", "suite", "time, ms", "target"], &table);
    document.heading(2, "Memory");
    document.paragraph("Of all daemons, in MiB; median (least–most).");
    let table =
        rows(&[Row::Idle, Row::Statics, Row::Table], &|seen| vec![column(seen, pss), column(seen, rss)]);
    document.table(&["with", "suite", "PSS", "RSS", "target"], &table);
    document.save(file)
}

fn column(seen: &[Seen], of: fn(&Seen) -> Option<f64>) -> String {
    spread(seen.iter().filter_map(of))
}

fn wall(seen: &Seen) -> Option<f64> {
    if let Seen::Wait(wall, _) = seen { Some(milliseconds(*wall)) } else { None }
}

fn cpu(seen: &Seen) -> Option<f64> {
    if let Seen::Wait(_, cpu) = seen { Some(milliseconds(*cpu)) } else { None }
}

fn silence(seen: &Seen) -> Option<f64> {
    if let Seen::Silence(time) = seen { Some(milliseconds(*time)) } else { None }
}

fn pss(seen: &Seen) -> Option<f64> {
    if let Seen::Memory(memory) = seen { Some(mebibytes(memory.pss)) } else { None }
}

fn rss(seen: &Seen) -> Option<f64> {
    if let Seen::Memory(memory) = seen { Some(mebibytes(memory.rss)) } else { None }
}

fn method(plan: &Plan) -> Vec<String> {
    vec![
        "Each row starts the suite's own shell anew, as a script does. *Time* is from its start to its end, and where routes change to \
         the kernel's notification of the last of them, whichever is later; a dump of the kernel's table confirms it."
            .to_owned(),
        "*CPU* is that of the shell and of all daemons, the kernel's work in their name included; of a change until a second after it. \
         On a machine with other work it says more than the time."
            .to_owned(),
        format!(
            "The static routes are /24 through the one neighbour. A turn has {} calls, one load, {CHANGES} additions and {CHANGES} reloads. Torc reloads with \
             `torc reload FILE`, FRR with `frr-reload.py --reload FILE`; that the cost is in force is asked afterwards.",
            plan.calls
        ),
        format!(
            "The large table is {} AS-external routes of a neighbour, learnt by OSPF. Hellos are timed where the neighbour's process reads them.",
            plan.externals
        ),
        "Hello 1 s, dead 40 s. Torc with its `ring` defaults without BFD under its supervisor; FRR with zebra's buffer as Debian \
         sets it, else its defaults, without its watcher."
            .to_owned(),
    ]
}
