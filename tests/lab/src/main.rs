//! `ringlab`: a lab from the command line.

#![forbid(unsafe_code)]

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use ringlab::fabric::Cut;
use ringlab::lab::{Death, Lab, Options, default_daemons};
use ringlab::pcap::Capture;
use ringlab::report::{Paint, grid};
use ringlab::stack::{Profile, Stack};
use ringlab::{compare, paper, probe, rest, rootless, scenario, soak};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Parser)]
#[command(version, about = "Real routers in network namespaces on virtual switches")]
struct Cli {
    /// Directory of the lab: configuration, sockets, logs, state.
    #[arg(long, global = true, default_value = "/tmp/ringlab")]
    run_dir: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Args)]
struct Build {
    /// ring5-p, ring5-c, ring3, ring4, ring7, trunk, or a file.
    #[arg(long, default_value = "ring5-c")]
    topology: String,
    /// What routers run.
    #[arg(long, value_enum, default_value = "torc")]
    stack: Stack,
    /// What single routers run instead: vr3=frr,vr5=bird.
    #[arg(long, value_delimiter = ',')]
    except: Vec<String>,
    /// Timers.
    #[arg(long, value_enum, default_value = "ring")]
    profile: Profile,
    /// Where this project's binaries are; default: beside this one.
    #[arg(long)]
    daemons: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Verb {
    /// Builds a lab and leaves it running.
    Up {
        #[command(flatten)]
        build: Build,
        /// Do not wait for the routes.
        #[arg(long)]
        no_wait: bool,
    },
    /// Removes the lab.
    Down,
    /// Runs a command inside a node, or inside the switch of a link as sw-LINK.
    Exec {
        /// Node.
        node: String,
        /// Command with arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Breaks a link.
    Cut {
        /// Link.
        link: String,
        /// Frames vanish but everybody keeps carrier.
        #[arg(long)]
        silent: bool,
        /// The ends see their carrier go (default).
        #[arg(long, conflicts_with = "silent")]
        carrier: bool,
        /// Only this node's plug.
        #[arg(long)]
        end: Option<String>,
    },
    /// Kills a router: without options its power goes.
    Kill {
        /// Router.
        router: String,
        /// Power cut (default).
        #[arg(long, conflicts_with_all = ["daemon", "term"])]
        silent: bool,
        /// SIGKILL for one daemon.
        #[arg(long, conflicts_with = "term")]
        daemon: Option<String>,
        /// SIGTERM for the routing stack.
        #[arg(long)]
        term: bool,
    },
    /// Mends every link and revives every router.
    Heal,
    /// Tries every flow.
    Probe,
    /// Shows and judges the kernel tables.
    Tables {
        /// Wait up to so many seconds until they are right.
        #[arg(long, default_value_t = 0)]
        wait: u64,
    },
    /// Captures a link into a file until interrupted.
    Pcap {
        /// Link.
        link: String,
        /// File.
        file: PathBuf,
        /// Stop after so many seconds.
        #[arg(long)]
        seconds: Option<u64>,
    },
    /// Plays the paper's experiments and writes them down.
    Paper {
        /// The document.
        #[arg(long, default_value = "docs/paper.md")]
        output: PathBuf,
    },
    /// Measures the suites side by side and writes the numbers down.
    Compare {
        /// The document.
        #[arg(long, default_value = "docs/performance.md")]
        output: PathBuf,
        /// The suites, in the order of their turns.
        #[arg(long, alias = "stacks", value_enum, value_delimiter = ',', default_value = "torc,frr")]
        suites: Vec<Stack>,
        /// Turns of each suite.
        #[arg(long, default_value_t = 5)]
        repetitions: usize,
        /// Seconds to watch routers at rest.
        #[arg(long, default_value_t = 30)]
        rest: u64,
    },
    /// Leaves rings alone, on an idle machine and on a busy one, and writes down what happened.
    Rest {
        /// The document.
        #[arg(long, default_value = "docs/soak.md")]
        output: PathBuf,
        /// The suites, one after the other: torc, frr.
        #[arg(long, value_enum, value_delimiter = ',', default_value = "torc")]
        suites: Vec<Stack>,
        /// Minutes on the idle machine, and as many on the busy one.
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
    },
    /// Starts labs over and over, then breaks and heals one at random.
    Soak {
        #[command(flatten)]
        build: Build,
        #[command(flatten)]
        plan: soak::Plan,
    },
    /// Plays the rehearsal.
    Demo {
        #[command(flatten)]
        build: Build,
        /// One event of each kind.
        #[arg(long)]
        quick: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("ringlab: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<bool> {
    match cli.verb {
        Verb::Up { build, no_wait } => up(build, cli.run_dir, no_wait),
        Verb::Soak { build, plan } => {
            rootless::become_root()?;
            soak::run(&options(build, None)?, &plan)
        }
        Verb::Demo { build, quick } => {
            rootless::become_root()?;
            scenario::play(options(build, None)?, quick)
        }
        Verb::Paper { output } => {
            rootless::become_root()?;
            paper::write(&default_daemons(), &output).map(|()| true)
        }
        Verb::Compare { output, suites, repetitions, rest } => {
            rootless::become_root()?;
            let rest = Duration::from_secs(rest);
            let plan = compare::Plan { suites, repetitions, rest, daemons: default_daemons() };
            compare::write(&plan, &output).map(|()| true)
        }
        Verb::Rest { output, suites, minutes } => {
            rootless::become_root()?;
            let time = Duration::try_from_secs_f64(minutes * 60.0)?;
            rest::write(&rest::Plan { suites, time, daemons: default_daemons() }, &output)
        }
        verb => {
            let lab = Lab::attach(&cli.run_dir)?;
            if let Some(holder) = lab.holder() {
                rootless::join(holder)?;
            }
            operate(lab, verb)
        }
    }
}

fn options(build: Build, run_dir: Option<PathBuf>) -> Result<Options> {
    let mut options = Options::new(&build.topology, build.stack)?;
    let mut exceptions = BTreeMap::new();
    for exception in &build.except {
        let (router, stack) =
            exception.split_once('=').with_context(|| format!("{exception:?} is not ROUTER=STACK"))?;
        if !options.topology.routers.contains_key(router) {
            bail!("no router {router}");
        }
        let stack = <Stack as clap::ValueEnum>::from_str(stack, true).map_err(anyhow::Error::msg)?;
        exceptions.insert(router.to_owned(), stack);
    }
    options.exceptions = exceptions;
    options.profile = build.profile;
    options.daemons = build.daemons.map_or_else(|| Ok(default_daemons()), |dir| dir.canonicalize())?;
    options.run_dir = run_dir;
    Ok(options)
}

fn up(build: Build, run_dir: PathBuf, no_wait: bool) -> Result<bool> {
    if run_dir.join("state.json").exists() {
        bail!("there is a lab at {} already; take it down first", run_dir.display());
    }
    rootless::become_root()?;
    let options = options(build, Some(run_dir))?;
    let patience = options.profile.patience();
    let lab = Lab::up(options)?;
    let good = no_wait || report_wait(&lab, patience);
    print!("{}", grid(&lab, Paint::detect())?);
    let holder = if rootless::is_rootless() { Some(hold()?) } else { None };
    println!("lab at {}", lab.leave(holder)?.display());
    Ok(good)
}

/// A process that keeps the user namespace alive until the lab is taken down.
fn hold() -> Result<i32> {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    let mut command = Command::new("sleep");
    command.arg("infinity").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    Ok(i32::try_from(command.spawn()?.id())?)
}

fn report_wait(lab: &Lab, patience: Duration) -> bool {
    match lab.wait_converged(patience) {
        Ok(time) => println!("every table right after {:.1} s", time.as_secs_f64()),
        Err(ref fault) => {
            println!("{fault:#}");
            return false;
        }
    }
    true
}

fn operate(mut lab: Lab, verb: Verb) -> Result<bool> {
    match verb {
        Verb::Down => {
            let holder = lab.holder();
            lab.down()?;
            ringlab::netns::signal_all(holder.as_slice(), nix::sys::signal::Signal::SIGTERM);
        }
        Verb::Exec { node, command } => {
            let (program, arguments) = command.split_first().context("no command")?;
            return Ok(lab.exec(&node, program, arguments)?.success());
        }
        Verb::Cut { link, silent, end, .. } => {
            lab.cut(&link, end.as_deref(), if silent { Cut::Silent } else { Cut::Carrier })?;
        }
        Verb::Kill { router, daemon, term, .. } => {
            let death = daemon.map_or(if term { Death::Term } else { Death::Silent }, Death::Daemon);
            lab.kill(&router, &death)?;
        }
        Verb::Heal => lab.heal()?,
        Verb::Probe => {
            let (tried, dead) = probe::reach(&lab)?;
            println!("{} of {tried} flows get through", tried - dead.len());
            for flow in &dead {
                println!("  {} -> {}: dead", flow.from, flow.to);
            }
            return Ok(dead.is_empty());
        }
        Verb::Tables { wait } => {
            let good = report_wait(&lab, Duration::from_secs(wait));
            print!("{}", grid(&lab, Paint::detect())?);
            return Ok(good);
        }
        Verb::Pcap { link, file, seconds } => {
            let capture = Capture::start(&lab, &link, &file)?;
            match seconds {
                Some(seconds) => std::thread::sleep(Duration::from_secs(seconds)),
                None => capture.wait()?,
            }
        }
        Verb::Up { .. }
        | Verb::Soak { .. }
        | Verb::Demo { .. }
        | Verb::Paper { .. }
        | Verb::Rest { .. }
        | Verb::Compare { .. } => {
            unreachable!("handled before a lab is attached")
        }
    }
    Ok(true)
}
