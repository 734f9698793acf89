//! `scale-bench`: measures the suites in turn.
#![forbid(unsafe_code)]

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use ringlab::lab::default_daemons;
use ringlab::rootless;
use scale_bench::rows::{Pauses, Plan, Row, measure};
use scale_bench::suite::Suite;
use scale_bench::{report, seat};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Parser)]
#[command(version, about = "What a large area, and an operator, cost a routing suite")]
struct Arguments {
    /// The suites, in the order of their turns.
    #[arg(long, global = true, value_enum, value_delimiter = ',', default_value = "torc")]
    suites: Vec<Suite>,
    /// Turns of each suite.
    #[arg(long, global = true, default_value_t = 1)]
    repetitions: u32,
    /// Where this project's binaries are; default: beside this one.
    #[arg(long, global = true)]
    daemons: Option<PathBuf>,
    /// The document; without it figures are only printed.
    #[arg(long, global = true)]
    output: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// A synthetic area that is learnt and changes.
    Area {
        /// Only these rows.
        #[arg(long, value_enum, value_delimiter = ',')]
        rows: Vec<Row>,
        /// Routers in a row of the grid.
        #[arg(long, default_value_t = 100)]
        side: usize,
        /// AS-external-LSAs.
        #[arg(long, default_value_t = 100_000)]
        externals: u32,
        /// Neighbours in a star.
        #[arg(long, default_value_t = 200)]
        neighbors: usize,
        /// Events of a kind in one turn.
        #[arg(long, default_value_t = 4)]
        events: usize,
        /// Seconds of churn.
        #[arg(long, default_value_t = 10)]
        churn: u32,
    },
    /// What an operator waits for.
    Seat {
        /// Static routes of a file.
        #[arg(long, default_value_t = 10_000)]
        statics: u32,
        /// AS-external-LSAs of the large table, which has 281 routes more; Torc shows no more than 100,000 at once.
        #[arg(long, default_value_t = 99_700)]
        externals: u32,
        /// Calls of the shell in one turn.
        #[arg(long, default_value_t = 50)]
        calls: usize,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    rootless::become_root()?;
    let daemons =
        arguments.daemons.as_ref().map_or_else(|| Ok(default_daemons()), |dir| dir.canonicalize())?;
    let (suites, repetitions) = (&arguments.suites, arguments.repetitions);
    match arguments.what {
        What::Area { rows, side, externals, neighbors, events, churn } => {
            let rows = if rows.is_empty() { Row::value_variants().to_vec() } else { rows };
            let pauses = Pauses::LONG;
            let plan = Plan { rows, side, externals, neighbors, events, pauses, churn, daemons };
            let turn = |suite| measure(&plan, suite);
            let figures = take_turns(suites, repetitions, turn, report::line)?;
            arguments.output.map_or(Ok(()), |file| report::write(&plan, suites, repetitions, &figures, &file))
        }
        What::Seat { statics, externals, calls } => {
            let listen = Duration::from_secs(10);
            let plan = seat::Plan { statics, externals, calls, listen, daemons };
            let turn = |suite| seat::measure(&plan, suite);
            let figures = take_turns(suites, repetitions, turn, seat::report::line)?;
            let write = |file: PathBuf| seat::report::write(&plan, suites, repetitions, &figures, &file);
            arguments.output.map_or(Ok(()), write)
        }
    }
}

/// All figures of all turns; each is printed when it is there.
fn take_turns<F>(
    suites: &[Suite],
    repetitions: u32,
    turn: impl Fn(Suite) -> Result<Vec<F>>,
    line: impl Fn(&F) -> String,
) -> Result<Vec<F>> {
    let mut figures = Vec::new();
    for _ in 0..repetitions {
        for suite in suites {
            for figure in turn(*suite)? {
                println!("{}", line(&figure));
                figures.push(figure);
            }
        }
    }
    Ok(figures)
}
