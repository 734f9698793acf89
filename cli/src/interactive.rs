//! The prompt: line editing, `?` help in the middle of a line, TAB completion, history.
//!
//! `?` is bound to a handler that remembers what stands before the cursor and interrupts the editor; the
//! loop then prints help and starts the editor again with the text still on the line. Piped input works
//! without a terminal, which is what scripts and tests use.

use crate::run::{Shell, print};
use routing_common::grammar::{Candidate, MatchError};
use routing_common::render::Table;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{
    Cmd, ConditionalEventHandler, Config, Context, Editor, Event, EventContext, EventHandler, Helper,
    KeyEvent, RepeatCount,
};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// Reads lines until `exit` or the end of input. Interactive mistakes are shown, not counted: the code
/// is a failure only if the terminal itself fails, or if a command of a piped script failed.
pub(crate) fn run(shell: &Shell) -> ExitCode {
    let asked = Arc::new(Mutex::new(None));
    let mut editor = match editor(shell, &asked) {
        Ok(editor) => editor,
        Err(error) => {
            eprintln!("no line editor: {error}");
            return ExitCode::FAILURE;
        }
    };
    let scripted = !std::io::IsTerminal::is_terminal(&std::io::stdin());
    let mut failed = false;
    let mut start = String::new();
    loop {
        let line = match editor.readline_with_initial("torc# ", (&std::mem::take(&mut start), "")) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                if let Some(text) = take(&asked) {
                    print(&help(shell, &text));
                    start = text;
                }
                continue;
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        };
        let words = line.trim();
        if let Some(text) = words.strip_suffix('?') {
            print(&help(shell, text));
            continue;
        }
        if matches!(words, "exit" | "quit" | "end") {
            break;
        }
        if !words.is_empty() {
            // A history that cannot grow is no reason to refuse the command.
            let _ = editor.add_history_entry(words);
        }
        match shell.run(words) {
            Ok(text) => print(&text),
            Err(error) => {
                failed = true;
                eprintln!("{error:#}");
            }
        }
    }
    if failed && scripted { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

type Asked = Arc<Mutex<Option<String>>>;

fn take(asked: &Asked) -> Option<String> {
    asked.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn editor<'a>(shell: &'a Shell, asked: &Asked) -> rustyline::Result<Editor<Words<'a>, DefaultHistory>> {
    let config = Config::builder().completion_type(rustyline::CompletionType::List).build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Words(shell)));
    let handler = EventHandler::Conditional(Box::new(QuestionMark(Arc::clone(asked))));
    editor.bind_sequence(Event::from(KeyEvent::from('?')), handler);
    Ok(editor)
}

/// What `?` shows after `text`.
fn help(shell: &Shell, text: &str) -> String {
    match candidates(shell, text) {
        Err(error) => format!("{error}\n"),
        Ok((found, may_end)) => {
            let mut table = Table::new(["", ""]);
            for candidate in found {
                table.row([format!("  {}", candidate.label), candidate.help]);
            }
            if may_end {
                table.row(["  <cr>", ""]);
            }
            let lines = table.text();
            lines.split_once('\n').map_or(String::new(), |(_, rows)| rows.to_owned())
        }
    }
}

fn candidates(shell: &Shell, text: &str) -> Result<(Vec<Candidate>, bool), MatchError> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let partial = if text.ends_with(char::is_whitespace) { "" } else { words.pop().unwrap_or_default() };
    let (found, may_end) = shell.table().candidates(&words, partial)?;
    Ok((found, may_end && partial.is_empty()))
}

struct QuestionMark(Asked);

impl ConditionalEventHandler for QuestionMark {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, ctx: &EventContext) -> Option<Cmd> {
        let before = ctx.line().get(..ctx.pos()).unwrap_or_default().to_owned();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        Some(Cmd::Interrupt)
    }
}

struct Words<'a>(&'a Shell);

impl Completer for Words<'_> {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..pos).unwrap_or_default();
        let start = before.rfind(char::is_whitespace).map_or(0, |i| i + 1);
        let found = candidates(self.0, before).map(|(found, _)| found).unwrap_or_default();
        let keywords = found.into_iter().filter(|c| c.is_keyword);
        let pairs = keywords.map(|c| Pair { display: c.label.clone(), replacement: c.label + " " });
        Ok((start, pairs.collect()))
    }
}

impl Hinter for Words<'_> {
    type Hint = String;
}
impl Highlighter for Words<'_> {}
impl Validator for Words<'_> {}
impl Helper for Words<'_> {}
