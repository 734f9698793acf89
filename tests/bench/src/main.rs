//! `scale-bench`: measures the suites in turn.
#![forbid(unsafe_code)]

use anyhow::Result;
use clap::{Parser, ValueEnum};
use ringlab::lab::default_daemons;
use ringlab::rootless;
use scale_bench::report;
use scale_bench::rows::{Pauses, Plan, Row, measure};
use scale_bench::suite::Suite;
use std::path::PathBuf;

#[derive(Parser)]
#[command(version, about = "What a large area costs a routing suite")]
struct Arguments {
    /// The suites, in the order of their turns.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "torc")]
    suites: Vec<Suite>,
    /// Turns of each suite.
    #[arg(long, default_value_t = 1)]
    repetitions: u32,
    /// Only these rows.
    #[arg(long, value_enum, value_delimiter = ',')]
    rows: Vec<Row>,
    /// Routers in a row of the grid.
    #[arg(long, default_value_t = 100)]
    side: usize,
    /// AS-external-LSAs.
    #[arg(long, default_value_t = 100_000)]
    externals: u32,
    /// Events of a kind in one turn.
    #[arg(long, default_value_t = 4)]
    events: usize,
    /// Seconds of churn.
    #[arg(long, default_value_t = 10)]
    churn: u32,
    /// Where this project's binaries are; default: beside this one.
    #[arg(long)]
    daemons: Option<PathBuf>,
    /// The document; without it figures are only printed.
    #[arg(long)]
    output: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    rootless::become_root()?;
    let rows = if arguments.rows.is_empty() { Row::value_variants().to_vec() } else { arguments.rows };
    let plan = Plan {
        rows,
        side: arguments.side,
        externals: arguments.externals,
        events: arguments.events,
        pauses: Pauses::LONG,
        churn: arguments.churn,
        daemons: arguments.daemons.map_or_else(|| Ok(default_daemons()), |dir| dir.canonicalize())?,
    };
    let mut figures = Vec::new();
    for _ in 0..arguments.repetitions {
        for suite in &arguments.suites {
            for figure in measure(&plan, *suite)? {
                println!("{}", report::line(&figure));
                figures.push(figure);
            }
        }
    }
    match arguments.output {
        Some(file) => report::write(&plan, &arguments.suites, arguments.repetitions, &figures, &file),
        None => Ok(()),
    }
}
