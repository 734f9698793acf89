//! From a line to its output: pipe, parse, ask, render. In configuration mode lines go to [`crate::configure`] first.

use crate::commands::configuration::Style;
use crate::commands::{self, Act, Daemon, Meaning, Question, TECH_SUPPORT, TerminalSetting, is_show};
use crate::configure::{Configuring, Own, Reaction, own_table};
use crate::connect::{Connection, ask};
use crate::filter::Filter;
use crate::foreign;
use crate::live;
use crate::management::{Management, difference};
use crate::own;
use crate::screen;
use crate::vrf;
use crate::watch::{self, Console};
use anyhow::{Context, Result, bail};
use config_lines::mismatch_without_secrets;
use routing_common::control::configuration::{Request, Source};
use routing_common::control::processes::Processes;
use routing_common::grammar::{Args, Candidate, CommandTable, MatchError};
use routing_common::render::Table;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The lines that mean the same in configuration mode as before it, by their whole first word.
const EVERYWHERE: &[&str] =
    &["show", "write", "copy", "save", "confirm", "reload", "list", "configure", "enable"];

/// How a shell goes about it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// A failure is the end of several lines.
    pub(crate) stops: bool,
    /// Each line is shown behind its prompt.
    pub(crate) echoes: bool,
    /// Nothing is changed.
    pub(crate) only_looks: bool,
}

/// The command tables, where the daemons are, and the mode.
pub(crate) struct Shell {
    run_dir: PathBuf,
    table: CommandTable<Meaning>,
    own: CommandTable<Own>,
    configuring: Option<Configuring>,
    console: Console,
    manner: Manner,
    screen: screen::Settings,
    /// Something of what was run last is not for the pager.
    no_more: bool,
}

impl Shell {
    /// A shell for the daemons in `run_dir`.
    pub(crate) fn new(run_dir: PathBuf) -> Self {
        let (table, own) = (commands::table(), own_table());
        Self {
            run_dir,
            table,
            own,
            configuring: None,
            console: Console::Collected,
            manner: Manner::default(),
            screen: screen::Settings::of_environment(),
            no_more: false,
        }
    }

    /// Who reads what it runs; a new shell gives each answer to a program.
    pub(crate) fn set_console(&mut self, console: Console) {
        self.console = console;
    }

    pub(crate) fn set_manner(&mut self, manner: Manner) {
        self.manner = manner;
    }

    /// How what was run last is to be shown on the operator's terminal.
    pub(crate) fn screen(&self) -> screen::Settings {
        screen::Settings { pages: self.screen.pages && !self.no_more, ..self.screen }
    }

    pub(crate) fn console(&self) -> Console {
        self.console
    }

    pub(crate) fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// What stands in the prompt behind the router's name: `# `, `(config-if)# `.
    pub(crate) fn prompt(&self) -> String {
        format!("{}# ", self.configuring.as_ref().map_or("", Configuring::prompt))
    }

    pub(crate) fn is_configuring(&self) -> bool {
        self.configuring.is_some()
    }

    /// Leaving now would lose lines.
    pub(crate) fn has_changes(&self) -> bool {
        self.configuring.as_ref().is_some_and(Configuring::is_changed)
    }

    /// What may follow `words` when the next one begins with `partial`.
    pub(crate) fn candidates(
        &self,
        words: &[&str],
        partial: &str,
    ) -> Result<(Vec<Candidate>, bool), MatchError> {
        let Some(configuring) = &self.configuring else { return self.table.candidates(words, partial) };
        match words {
            ["do", rest @ ..] => self.table.candidates(rest, partial),
            [first, ..] if EVERYWHERE.contains(first) => self.table.candidates(words, partial),
            _ => {
                let own = self.own.candidates(words, partial);
                let of_session = configuring.candidates(words, partial);
                match (own, of_session) {
                    (Ok((mut found, end)), Ok((more, end_too))) => {
                        found.extend(more);
                        found.sort();
                        found.dedup_by(|a, b| a.label == b.label);
                        Ok((found, end || end_too))
                    }
                    (Ok(found), Err(_)) => Ok(found),
                    (Err(_), of_session) => of_session,
                }
            }
        }
    }

    /// Runs one line and returns what to print.
    pub(crate) fn run(&mut self, line: &str) -> Result<String> {
        match self.configuring.as_mut() {
            Some(_) => self.run_configuring(line),
            None => self.run_view(line),
        }
    }

    /// Runs several lines that came at once. Those of the configuration that follow each other are one transaction.
    pub(crate) fn run_all<'a>(&mut self, lines: impl Iterator<Item = &'a str>) -> Vec<Result<String>> {
        let (mut outcomes, mut block) = (Vec::new(), Vec::new());
        let mut hostname = live::Hostname::default();
        self.no_more = false;
        for line in lines {
            if self.manner.echoes {
                // The prompt is that of the mode the lines before lead to.
                outcomes.extend(self.run_block(std::mem::take(&mut block)));
            }
            let first = line.split_whitespace().next().unwrap_or_default();
            let is_configuration = self.is_configuring()
                && first != "do"
                && !EVERYWHERE.contains(&first)
                && self.exact_own(line).is_none();
            if !is_configuration {
                outcomes.extend(self.run_block(std::mem::take(&mut block)));
            }
            if self.manner.stops && outcomes.last().is_some_and(Result::is_err) {
                return outcomes;
            }
            if self.manner.echoes {
                outcomes.push(Ok(format!("{}{}{line}\n", hostname.of(&self.run_dir), self.prompt())));
            }
            if is_configuration {
                block.push(line);
            } else {
                outcomes.push(self.run(line));
            }
        }
        outcomes.extend(self.run_block(block));
        outcomes
    }

    fn run_block(&mut self, block: Vec<&str>) -> Option<Result<String>> {
        let configuring = self.configuring.as_mut().filter(|_| !block.is_empty())?;
        let reaction = configuring.lines(&block);
        Some(reaction.map(|reaction| self.react(reaction)))
    }

    /// Takes a file of configuration lines as one transaction; with `dry`, only asks whether it could come into force.
    pub(crate) fn run_file(&mut self, path: &Path, dry: bool) -> Result<String> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let lines: Vec<&str> = text.lines().collect();
        let style = if dry { Style::Candidate } else { Style::AsTyped };
        let mut configuring = Configuring::enter(&self.run_dir, style)?;
        let mut shown = configuring.lines(&lines).with_context(|| path.display().to_string())?.text;
        if dry {
            shown.push_str(&configuring.test()?);
        } else {
            // What is incomplete at the end of the file stays so.
            configuring.may_leave().with_context(|| path.display().to_string())?;
        }
        Ok(shown)
    }

    fn react(&mut self, reaction: Reaction) -> String {
        if reaction.leaves {
            self.configuring = None;
        }
        reaction.text
    }

    /// The line as one of configuration mode's own, if its first word is written out.
    fn exact_own(&self, line: &str) -> Option<(Own, Args)> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let first = words.first()?;
        let is_own = |syntax: &str| syntax.split(' ').next() == Some(first);
        if !self.own.commands().any(|c| is_own(c.syntax)) {
            return None;
        }
        self.own.parse(&words).ok()
    }

    fn run_configuring(&mut self, line: &str) -> Result<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.first() {
            None => return Ok(String::new()),
            Some(&"do") => return self.run_view(line.trim_start().trim_start_matches("do")),
            Some(first) if EVERYWHERE.contains(first) => return self.run_view(line),
            Some(_) => {}
        }
        let exact = self.exact_own(line);
        let Some(configuring) = self.configuring.as_mut() else { return Ok(String::new()) };
        let reaction = match exact {
            Some((own, args)) => configuring.own(own, &args)?,
            None => match (configuring.line(line), self.own.parse(&words)) {
                // A shortened word of the mode's own, where no line of the configuration begins so.
                (Err(_), Ok((own, args))) => configuring.own(own, &args)?,
                (outcome, _) => outcome?,
            },
        };
        Ok(self.react(reaction))
    }

    fn run_view(&mut self, line: &str) -> Result<String> {
        let mut stages = line.split('|');
        let words: Vec<&str> = stages.next().unwrap_or_default().split_whitespace().collect();
        if words.is_empty() {
            return Ok(String::new());
        }
        let filters = stages.map(Filter::parse).collect::<Result<Vec<_>>>()?;
        self.no_more |= filters.iter().any(|filter| matches!(filter, Filter::NoMore));
        let (words, vrf) = vrf::taken_out(words)?;
        let (meaning, args) = self.table.parse(&words).map_err(mismatch_without_secrets)?;
        if self.manner.only_looks && !meaning.only_looks() && !is_show(words.first().copied()) {
            bail!("% This shell only looks (-u): {line}");
        }
        let text = match meaning {
            Meaning::Ask(question) if args.has("json") => {
                let value = self.value(&question(&args)?)?;
                pretty(&vrf.wrap(value))?
            }
            Meaning::Ask(question) => self.ask(question(&args)?)?,
            Meaning::Version => self.version(args.has("json"))?,
            Meaning::List => self.list(),
            Meaning::Find => own::find(&self.table, args.get("regex").unwrap_or_default())?,
            Meaning::Memory => self.memory(args.has("json"))?,
            Meaning::TechSupport => self.tech_support(),
            Meaning::Watch => return watch::watch(self, &args, &filters),
            Meaning::Monitor => watch::monitor(self)?,
            Meaning::Terminal(setting) => self.set_terminal(setting, &args),
            Meaning::Start(program) => watch::start(self, program, &args)?,
            Meaning::Configuration(act) => self.act(act, &args)?,
        };
        filters.iter().try_fold(text, |text, filter| filter.apply(&text))
    }

    fn set_terminal(&mut self, setting: TerminalSetting, args: &Args) -> String {
        match setting {
            TerminalSetting::Pages(pages) => self.screen.pages = pages,
            TerminalSetting::Length => self.screen.pages = args.get("rows") != Some("0"),
            TerminalSetting::Colours(colours) => self.screen.colours = colours,
        }
        String::new()
    }

    fn act(&mut self, act: Act, args: &Args) -> Result<String> {
        let management = || Management::open(&self.run_dir);
        match act {
            Act::Enter(_) if self.is_configuring() => Ok(String::new()),
            Act::Enter(style) => {
                self.configuring = Some(Configuring::enter(&self.run_dir, style)?);
                Ok(String::new())
            }
            Act::Show(source) => management()?.lines(source(args)),
            Act::Flat(source) => Ok(own::flat(&management()?.lines(source(args))?)),
            Act::Compare => {
                let back = args.get("back").and_then(|n| n.parse().ok());
                let mut management = management()?;
                let other = management.lines(back.map_or(Source::Startup, Source::Back))?;
                Ok(difference(&other, &management.lines(Source::Running)?))
            }
            Act::Ask(request) if args.has("json") => pretty(&management()?.ask(&request(args))?),
            Act::Ask(request) => management()?.ask_text(&request(args)),
            Act::Reload => match args.get("file") {
                None => management()?.ask_text(&Request::Reload { test: args.has("test") }),
                Some(file) => foreign::reload(&self.run_dir, Path::new(file), args.has("test")),
            },
            Act::Nothing => Ok(String::new()),
        }
    }

    fn value(&self, question: &Question) -> Result<Value> {
        ask(&self.run_dir, question.daemon.name(), &question.request)
    }

    fn ask(&self, question: Question) -> Result<String> {
        let value = self.value(&question)?;
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

    /// The daemons of this router.
    pub(crate) fn processes(&self) -> Result<Processes> {
        Management::open(&self.run_dir)?.processes()
    }

    fn memory(&self, json: bool) -> Result<String> {
        let rows = own::memory(&self.processes()?);
        if json { pretty(&serde_json::to_value(rows)?) } else { Ok(own::memory_text(&rows)) }
    }

    /// A show that fails says so in its place; the others are wanted all the more.
    fn tech_support(&mut self) -> String {
        let mut text = String::new();
        for line in TECH_SUPPORT {
            let answer = self.run_view(line).unwrap_or_else(|error| format!("{error:#}\n"));
            text.push_str(&format!("------------------ {line} ------------------\n\n{answer}\n"));
        }
        text
    }

    fn list(&self) -> String {
        self.table.commands().map(|c| format!("  {}\n", c.syntax)).collect()
    }
}

fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Prints what came of lines; did all of them go well?
pub(crate) fn tell(outcomes: impl IntoIterator<Item = Result<String>>) -> bool {
    let mut well = true;
    for outcome in outcomes {
        match outcome {
            Ok(text) => print(&text),
            Err(error) => {
                well = false;
                eprintln!("{error:#}");
            }
        }
    }
    well
}

/// Prints text; a reader that went away (`| head`) is not an error of ours.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pager_is_kept_away_from_what_asks_for_that_alone() {
        let mut shell = Shell::new("/nonexistent".into());
        let mut pages = |line| {
            shell.run_all([line].into_iter());
            shell.screen().pages
        };
        assert!(pages("terminal paginate"));
        // It is made of other answers.
        assert!(!pages("show tech-support | no-more"));
        assert!(pages("list"));
        assert!(!pages("list | no-more"));
        assert!(pages(""), "as in a line that is not the view's");
    }
}
