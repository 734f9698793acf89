//! From a line to its output: pipe, parse, ask, render.

use crate::commands::{self, Daemon, Meaning, Question};
use crate::connect::Connection;
use crate::filter::Filter;
use anyhow::{Context, Result};
use routing_common::grammar::CommandTable;
use routing_common::render::Table;
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;

/// The command table and where the daemons are.
pub(crate) struct Shell {
    run_dir: PathBuf,
    table: CommandTable<Meaning>,
}

impl Shell {
    /// A shell for the daemons in `run_dir`.
    pub(crate) fn new(run_dir: PathBuf) -> Self {
        Self { run_dir, table: commands::table() }
    }

    /// The commands, for help and completion.
    pub(crate) fn table(&self) -> &CommandTable<Meaning> {
        &self.table
    }

    /// Runs one line and returns what to print.
    pub(crate) fn run(&self, line: &str) -> Result<String> {
        let mut stages = line.split('|');
        let words: Vec<&str> = stages.next().unwrap_or_default().split_whitespace().collect();
        if words.is_empty() {
            return Ok(String::new());
        }
        let filters = stages.map(Filter::parse).collect::<Result<Vec<_>>>()?;
        let (meaning, args) = self.table.parse(&words)?;
        let text = match meaning {
            Meaning::Ask(question) => self.ask(question(&args)?, args.has("json"))?,
            Meaning::Version => self.version(args.has("json"))?,
            Meaning::List => self.list(),
        };
        Ok(filters.iter().fold(text, |text, filter| filter.apply(&text)))
    }

    fn ask(&self, question: Question, json: bool) -> Result<String> {
        let mut connection = Connection::open(&self.run_dir, question.daemon.name())?;
        let value = connection.ask(question.request.clone())?;
        if json {
            return pretty(&value);
        }
        (question.render)(&question.request, &value)
            .with_context(|| format!("{} sent what this shell cannot show", question.daemon.name()))
    }

    /// The shell's own release and each daemon's; one that does not answer is shown as such.
    fn version(&self, json: bool) -> Result<String> {
        let mut table = Table::new(["Process", "Version", "State"]);
        let own = env!("CARGO_PKG_VERSION");
        table.row(["torc", own, "this shell"]);
        let mut daemons = serde_json::Map::new();
        for daemon in Daemon::ALL {
            let answer = Connection::open(&self.run_dir, daemon.name());
            let version = answer.as_ref().map_or("-", |c| c.version()).to_owned();
            let state = if answer.is_ok() { "running" } else { "not running" };
            table.row([daemon.name(), &version, state]);
            daemons.insert(daemon.name().into(), serde_json::json!({ "version": version, "state": state }));
        }
        if json {
            return pretty(&serde_json::json!({ "torc": own, "daemons": daemons }));
        }
        Ok(table.text())
    }

    fn list(&self) -> String {
        self.table.commands().map(|c| format!("  {}\n", c.syntax)).collect()
    }
}

fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Prints text; a reader that went away (`| head`) is not an error of ours.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
