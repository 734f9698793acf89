//! Measurements: `ring`, `scale` and `seat` beside other suites on this machine's kernel, `micro` of single functions.

use crate::cargo;
use crate::report::play;
use anyhow::Result;
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// The five-router ring: outages, starts, processes at rest. Writes docs/performance.md.
    Ring {
        /// The document.
        #[arg(long, default_value = "docs/performance.md")]
        output: PathBuf,
        /// The suites, in the order of their turns: torc, frr, bird.
        #[arg(long, alias = "stacks", default_value = "torc,frr")]
        suites: String,
        /// Turns of each suite.
        #[arg(long, default_value_t = 5)]
        repetitions: u32,
        /// Seconds to watch routers at rest.
        #[arg(long, default_value_t = 30)]
        rest: u32,
    },
    /// A ring that nobody touches, on an idle machine and on a busy one: everything that happens is counted. Writes docs/soak.md.
    Soak {
        /// The document.
        #[arg(long, default_value = "docs/soak.md")]
        output: PathBuf,
        /// The suites, one after the other: torc, frr.
        #[arg(long, default_value = "torc")]
        suites: String,
        /// Minutes on the idle machine, and as many on the busy one.
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
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
    /// The operator's seat: calls of the shell, ten thousand static routes, memory. Writes docs/seat-peers.md.
    Seat {
        /// The document.
        #[arg(long, default_value = "docs/seat-peers.md")]
        output: PathBuf,
        /// The suites, in the order of their turns: torc, frr.
        #[arg(long, default_value = "torc,frr")]
        suites: String,
        /// Turns of each suite.
        #[arg(long, default_value_t = 5)]
        repetitions: u32,
    },
    /// Codecs, databases, calculations, the RIB: single functions.
    Micro {
        /// Only benchmarks whose names contain this.
        filter: Option<String>,
    },
}

/// Packages with benchmarks of their functions, and what those are called.
const MICRO: [(&str, &str); 3] = [("ospf-proto", "ospf"), ("rib", "rib"), ("routing-runtime", "netlink")];

pub(crate) fn run(what: &Bench) -> Result<()> {
    match what {
        Bench::Ring { output, suites, repetitions, rest } => play(
            "ringlab",
            &[
                "compare".into(),
                format!("--output={}", output.display()),
                format!("--suites={suites}"),
                format!("--repetitions={repetitions}"),
                format!("--rest={rest}"),
            ],
        ),
        Bench::Soak { output, suites, minutes } => play(
            "ringlab",
            &[
                "rest".into(),
                format!("--output={}", output.display()),
                format!("--suites={suites}"),
                format!("--minutes={minutes}"),
            ],
        ),
        Bench::Scale { output, suites, repetitions } => scale_bench("area", output, suites, *repetitions),
        Bench::Seat { output, suites, repetitions } => scale_bench("seat", output, suites, *repetitions),
        Bench::Micro { filter } => {
            let mut words = vec!["bench", "--locked"];
            words.extend(MICRO.iter().flat_map(|(package, bench)| ["--package", package, "--bench", bench]));
            words.push("--");
            words.extend(filter.as_deref());
            cargo(&words)
        }
    }
}

/// Plays one of the measurements of `tests/bench`.
fn scale_bench(what: &str, output: &Path, suites: &str, repetitions: u32) -> Result<()> {
    play(
        "scale-bench",
        &[
            what.to_owned(),
            format!("--output={}", output.display()),
            format!("--suites={suites}"),
            format!("--repetitions={repetitions}"),
        ],
    )
}
