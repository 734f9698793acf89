//! The shell under the name and with the options of FRR's: `torc vtysh …`, or a link called `vtysh`.
//!
//! What scripts say to `vtysh` is done to Torc. It differs where FRR's answer would be wrong: a daemon that is not there is a
//! failure, and a file or several lines after each other are in force as a whole or not at all. What has no meaning here is
//! refused, not swallowed.

use crate::connect::Connection;
use crate::foreign;
use crate::run::{Manner, Shell, print};
use crate::{run_or_converse, told};
use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser};
use routing_common::render::utc;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// FRR's daemons and who does their work here.
const DAEMONS: [(&str, &str); 6] = [
    ("zebra", "ribd"),
    ("staticd", "ribd"),
    ("mgmtd", "mgmtd"),
    ("ospfd", "ospfd"),
    ("vrrpd", "vrrpd"),
    ("bfdd", "bfdd"),
];

/// FRR's options.
#[derive(Args)]
pub(crate) struct Options {
    /// Bring CONFIG_DIR/frr.conf into force, whole or not at all.
    #[arg(short, long, conflicts_with_all = ["command", "input_file"])]
    boot: bool,
    /// Run this command and end; may be given several times, and hold several lines. The first failure ends it.
    #[arg(short, long, short_alias = 'e', visible_alias = "eval", value_name = "COMMAND")]
    command: Vec<String>,
    /// This daemon must answer: zebra, staticd, mgmtd, ospfd, vrrpd or bfdd.
    #[arg(short, long, value_name = "DAEMON")]
    daemon: Option<String>,
    /// Take this file of configuration lines as one transaction and end.
    #[arg(short = 'f', long = "inputfile", value_name = "FILE", conflicts_with = "command")]
    input_file: Option<PathBuf>,
    /// Show the prompt and each command before its answer.
    #[arg(short = 'E', long)]
    echo: bool,
    /// Only ask every daemon whether it could take the file of -f, or CONFIG_DIR/frr.conf.
    #[arg(short = 'C', long = "dryrun")]
    dry_run: bool,
    /// Refused: what frr-reload.py does with it, `torc reload FILE` does.
    #[arg(short, long = "markfile")]
    mark_file: bool,
    /// Where Torc's control sockets are.
    #[arg(long = "vty_socket", value_name = "DIR", default_value = "/run/torc")]
    vty_socket: PathBuf,
    /// Where frr.conf is.
    #[arg(long = "config_dir", value_name = "DIR", default_value = "/etc/frr")]
    config_dir: PathBuf,
    /// Another router of this host: a directory below the two above.
    #[arg(short = 'N', long, value_name = "NAME")]
    pathspace: Option<String>,
    /// Only look.
    #[arg(short, long)]
    user: bool,
    /// Make what is in force the startup file, and end.
    #[arg(short, long = "writeconfig", conflicts_with_all = ["command", "input_file", "boot"])]
    write_config: bool,
    /// Keep the lines typed at the prompt in this file (else in that of $VTYSH_HISTFILE).
    #[arg(short = 'H', long = "histfile", value_name = "FILE")]
    history_file: Option<PathBuf>,
    /// Say the time (UTC) first.
    #[arg(short, long)]
    timestamp: bool,
    /// End well where no daemon answers at all.
    #[arg(short, long = "noerror")]
    no_error: bool,
    /// Nothing: there is nothing to fork for.
    #[arg(long = "no-fork")]
    no_fork: bool,
}

#[derive(Parser)]
#[command(name = "vtysh", about = "The shell of the Torc routing suite, with the options of FRR's")]
struct Alone {
    #[command(flatten)]
    options: Options,
}

/// Is this program called `vtysh`?
pub(crate) fn is_meant(program: Option<&OsStr>) -> bool {
    program.and_then(|p| Path::new(p).file_name()) == Some(OsStr::new("vtysh"))
}

/// The arguments of a program of that name. FRR's shell ends with 1 for those it does not know.
pub(crate) fn run_alone() -> ExitCode {
    match Alone::try_parse() {
        Ok(alone) => run(alone.options),
        Err(error) => {
            // Nobody reads any more: nothing to be done about it.
            let _ = error.print();
            if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
    }
}

/// Runs what the options say.
pub(crate) fn run(options: Options) -> ExitCode {
    let below = |dir: &Path| options.pathspace.as_ref().map_or_else(|| dir.to_owned(), |name| dir.join(name));
    let mut shell = Shell::new(below(&options.vty_socket));
    if let Err(error) = may_begin(&options, shell.run_dir()) {
        return told([Err(error)]);
    }
    if options.no_error
        && let Err(error) = Connection::open(shell.run_dir(), "mgmtd")
    {
        eprintln!("{error:#}");
        return ExitCode::SUCCESS;
    }
    if options.timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        print(&format!("{}\n", utc(now.as_secs())));
    }
    shell.set_manner(Manner { stops: true, echoes: options.echo, only_looks: options.user });
    let file = below(&options.config_dir).join("frr.conf");
    match options.input_file {
        Some(file) => return told([shell.run_file(&file, options.dry_run)]),
        None if options.boot || options.dry_run => {
            return told([foreign::reload(shell.run_dir(), &file, options.dry_run)]);
        }
        None if options.write_config => return told([shell.run("write")]),
        None => {}
    }
    let history = options.history_file.or_else(|| std::env::var_os("VTYSH_HISTFILE").map(PathBuf::from));
    run_or_converse(shell, &options.command, history.as_deref())
}

/// What must hold before anything is done.
fn may_begin(options: &Options, run_dir: &Path) -> Result<()> {
    if options.mark_file {
        bail!("% -m is what frr-reload.py asks for: `torc reload FILE [--test]` does all of it");
    }
    if options.user && (options.boot || options.write_config || options.input_file.is_some()) {
        bail!("% -u only looks: it goes with neither -b, -f nor -w");
    }
    if options.pathspace.as_ref().is_some_and(|name| name.is_empty() || name.contains(['/', '.'])) {
        bail!("% -N takes one name, without `/` and `.`");
    }
    let Some(named) = &options.daemon else { return Ok(()) };
    let Some((_, ours)) = DAEMONS.iter().find(|(frr, _)| frr == named) else {
        let known: Vec<&str> = DAEMONS.iter().map(|(frr, _)| *frr).collect();
        bail!("% Torc has no {named}; there are {}", known.join(", "));
    };
    Connection::open(run_dir, ours).map(|_| ()).with_context(|| format!("% -d {named}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_options_are_frrs() {
        Alone::command().debug_assert();
        let parse =
            |arguments: &[&str]| Alone::try_parse_from([&["vtysh"], arguments].concat()).map(|a| a.options);
        let all =
            parse(&["-c", "show version", "-e", "show vrrp", "-E", "-N", "blue", "-t", "--no-fork", "-n"])
                .unwrap();
        assert_eq!(all.command, ["show version", "show vrrp"]);
        assert_eq!(all.vty_socket, Path::new("/run/torc"));
        for known in [
            ["-b", "-u"],
            ["-w", "-t"],
            ["-d", "ospfd"],
            ["-H", "x"],
            ["--config_dir", "x"],
            ["--vty_socket", "x"],
        ] {
            assert!(parse(&known).is_ok(), "{known:?}");
        }
        for unknown in
            [["-x", "-b"], ["--exec-timeout", "5"], ["-b", "-cshow"], ["-f", "-c"], ["show", "version"]]
        {
            assert!(parse(&unknown).is_err(), "{unknown:?}");
        }
        assert!(is_meant(Some(OsStr::new("/usr/bin/vtysh"))) && !is_meant(Some(OsStr::new("/usr/bin/torc"))));
    }
}
