//! Everything a pull request must pass, in the order in which it is cheapest to fail.

use crate::{cargo, lint, readme};
use anyhow::Result;
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leave out formatting, clippy and the other static checks.
    #[arg(long)]
    no_lint: bool,
    /// Leave out what needs network namespaces: the rings and the other suites.
    #[arg(long)]
    no_namespaces: bool,
}

/// Packages whose tests set up routers in network namespaces; one test at a time, so that timings are honest.
const NAMESPACES: &[&str] = &["ringlab", "interop-tests"];

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let start = Instant::now();
    if !arguments.no_lint {
        lint::run()?;
    }
    cargo(&["build", "--workspace", "--bins", "--locked"])?;
    let mut unit = vec!["test", "--workspace", "--locked"];
    for package in NAMESPACES {
        unit.extend(["--exclude", package]);
    }
    cargo(&unit)?;
    if !arguments.no_namespaces {
        for package in NAMESPACES {
            cargo(&["test", "--package", package, "--locked", "--", "--test-threads=1"])?;
        }
        cargo(&["xtask", "demo", "--quick"])?;
        readme::run(&lint::workspace_root()?)?;
    }
    println!("all tests passed in {} s", start.elapsed().as_secs());
    Ok(())
}
