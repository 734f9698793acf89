//! `torc`: the shell of one router.
//!
//! With `-c` (repeatable) it runs commands and ends; without, it is interactive: unique abbreviations, `?`
//! help in the middle of a line, TAB completion, history. It holds no state of the router: every answer
//! comes from the daemon that owns it. Exit code 0 only if every command was answered.
#![forbid(unsafe_code)]

mod commands;
mod connect;
mod filter;
mod interactive;
mod run;

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "torc", version, about = "The shell of the Torc routing suite")]
struct Arguments {
    /// Where the daemons' control sockets are.
    #[arg(long, value_name = "DIR", default_value = "/run/torc")]
    run_dir: PathBuf,
    /// Run this command and end; may be given several times.
    #[arg(short, long = "command", value_name = "COMMAND")]
    command: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let shell = run::Shell::new(arguments.run_dir);
    if arguments.command.is_empty() {
        return interactive::run(&shell);
    }
    let mut code = ExitCode::SUCCESS;
    for line in arguments.command.iter().flat_map(|c| c.lines()) {
        match shell.run(line) {
            Ok(text) => run::print(&text),
            Err(error) => {
                eprintln!("{error:#}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
