//! Measurements: `ring` and `scale` beside other suites on this machine's kernel, `micro` of single functions.

use crate::report::play;
use anyhow::Result;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// The five-router ring: outages, starts, processes at rest. Writes docs/performance.md.
    Ring {
        /// The document.
        #[arg(long, default_value = "docs/performance.md")]
        output: PathBuf,
        /// The suites, in the order of their turns: torc, frr, bird.
        #[arg(long, default_value = "torc,frr")]
        stacks: String,
        /// Turns of each suite.
        #[arg(long, default_value_t = 5)]
        repetitions: u32,
        /// Seconds to watch routers at rest.
        #[arg(long, default_value_t = 30)]
        rest: u32,
    },
    /// A synthetic area of ten thousand routers. Writes docs/scale-peers.md.
    Scale {
        /// The document.
        #[arg(long, default_value = "docs/scale-peers.md")]
        output: PathBuf,
        /// The suites, in the order of their turns: torc, frr, bird.
        #[arg(long, default_value = "torc,frr,bird")]
        suites: String,
        /// Turns of each suite.
        #[arg(long, default_value_t = 3)]
        repetitions: u32,
    },
}

pub(crate) fn run(what: &Bench) -> Result<()> {
    match what {
        Bench::Ring { output, stacks, repetitions, rest } => play(
            "ringlab",
            &[
                "compare".into(),
                format!("--output={}", output.display()),
                format!("--stacks={stacks}"),
                format!("--repetitions={repetitions}"),
                format!("--rest={rest}"),
            ],
        ),
        Bench::Scale { output, suites, repetitions } => play(
            "scale-bench",
            &[
                format!("--output={}", output.display()),
                format!("--suites={suites}"),
                format!("--repetitions={repetitions}"),
            ],
        ),
    }
}
