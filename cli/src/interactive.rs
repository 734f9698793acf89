//! The prompt: line editing, `?` help in the middle of a line, TAB completion, history.
//!
//! `?` is bound to a handler that remembers what stands before the cursor and interrupts the editor; the
//! loop then prints help and starts the editor again with the text still on the line. A paste is several lines at once,
//! and those of the configuration in it are one transaction. Piped input works without a terminal, which is what scripts
//! and tests use; all of it is one paste.

use crate::live;
use crate::run::{Shell, print, tell};
use crate::screen;
use config_lines::without_secrets;
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
use std::cell::RefCell;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

/// Reads lines until `exit` or the end of input. Interactive mistakes are shown, not counted: the code
/// is a failure only if the terminal itself fails, or if a command of a piped script failed.
/// What is typed is kept in `history` if there is one.
pub(crate) fn run(shell: Shell, history: Option<&Path>) -> ExitCode {
    if !std::io::stdin().is_terminal() {
        return run_script(shell);
    }
    let shell = Rc::new(RefCell::new(shell));
    match converse(&shell, history) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Is the line a farewell? In configuration mode it only leaves that.
fn is_farewell(shell: &Shell, line: &str) -> bool {
    !shell.is_configuring() && matches!(line.trim(), "exit" | "quit" | "end" | "logout")
}

fn run_script(mut shell: Shell) -> ExitCode {
    let mut text = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut text) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let mut failed = false;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if is_farewell(&shell, line) {
            break;
        }
        if let Some(asked) = line.trim_end().strip_suffix('?') {
            print(&help(&shell, asked));
            continue;
        }
        // What follows the entry into configuration mode is one paste, up to the next question.
        let mut paste = vec![line];
        while shell.is_configuring() && lines.peek().is_some_and(|l| !l.trim_end().ends_with('?')) {
            let next = lines.next().unwrap_or_default();
            paste.push(next);
            if next.trim() == "end" {
                break;
            }
        }
        failed |= !tell(shell.run_all(paste.into_iter()));
    }
    if shell.has_changes() {
        eprintln!("% The input ended before `commit`: nothing of the candidate is in force");
        failed = true;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn converse(shell: &Rc<RefCell<Shell>>, history: Option<&Path>) -> rustyline::Result<()> {
    let asked = Arc::new(Mutex::new(None));
    let mut editor = editor(shell, &asked)?;
    if let Some(file) = history {
        // One that is not there yet is made.
        let _ = editor.load_history(file);
    }
    let mut start = String::new();
    let mut hostname = live::Hostname::default();
    loop {
        let prompt = {
            let shell = shell.borrow();
            format!("{}{}", hostname.of(shell.run_dir()), shell.prompt())
        };
        let line = match editor.readline_with_initial(&prompt, (&std::mem::take(&mut start), "")) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                if let Some(text) = take(&asked) {
                    print(&help(&shell.borrow(), &text));
                    start = text;
                }
                continue;
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error),
        };
        if is_farewell(&shell.borrow(), &line) {
            break;
        }
        for words in line.lines().map(str::trim).filter(|words| !words.is_empty()) {
            // A file is read by others than who typed, and later.
            let kept = if history.is_some() { without_secrets(words) } else { words.into() };
            // A history that cannot grow is no reason to refuse the command.
            let _ = editor.add_history_entry(kept.as_ref());
        }
        if let Some(file) = history {
            let _ = editor.append_history(file);
        }
        let outcomes = shell.borrow_mut().run_all(line.lines());
        let (settings, rows) =
            (shell.borrow().screen(), editor.dimensions().map(|(_, rows)| usize::from(rows)));
        for outcome in outcomes {
            match outcome {
                Ok(text) => screen::show(&text, settings, rows),
                Err(error) => screen::complain(&error, settings),
            }
        }
    }
    if shell.borrow().has_changes() {
        eprintln!("% The candidate is gone; nothing of it is in force");
    }
    Ok(())
}

type Asked = Arc<Mutex<Option<String>>>;

fn take(asked: &Asked) -> Option<String> {
    asked.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn editor(shell: &Rc<RefCell<Shell>>, asked: &Asked) -> rustyline::Result<Editor<Words, DefaultHistory>> {
    let config = Config::builder().completion_type(rustyline::CompletionType::List).build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Words(Rc::clone(shell))));
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
    let (found, may_end) = shell.candidates(&words, partial)?;
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

struct Words(Rc<RefCell<Shell>>);

impl Completer for Words {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..pos).unwrap_or_default();
        let start = before.rfind(char::is_whitespace).map_or(0, |i| i + 1);
        let shell = self.0.borrow();
        let found = candidates(&shell, before).map(|(found, _)| found).unwrap_or_default();
        let typed = before.get(start..).unwrap_or_default();
        let words = found.iter().flat_map(|candidate| match candidate.is_keyword {
            true => vec![candidate.label.clone()],
            false => live::values(shell.run_dir(), before, &candidate.label),
        });
        let pairs =
            words.filter(|w| w.starts_with(typed)).map(|w| Pair { display: w.clone(), replacement: w + " " });
        Ok((start, pairs.collect()))
    }
}

impl Hinter for Words {
    type Hint = String;
}
impl Highlighter for Words {}
impl Validator for Words {}
impl Helper for Words {}
