//! One connection's place: which mode it is in, and what a line means there.

use super::load::{Load, Loads};
use crate::run::Shell;
use anyhow::Result;
use config_lines::LineError;
use routing_common::grammar::MatchError;
use std::sync::Arc;

/// Done.
const SUCCESS: u8 = 0;
/// Done, or not, and there is something to read.
const WARNING: u8 = 1;
/// No command.
pub(super) const UNKNOWN: u8 = 2;
/// A word that could be several.
const AMBIGUOUS: u8 = 3;
/// Not all of a command.
const INCOMPLETE: u8 = 4;
/// A line of the configuration that is refused.
const REFUSED: u8 = 13;

/// What clients of FRR say beside commands; all of them need no answer.
const COURTESIES: &[&str] =
    &["enable", "disable", "terminal length 0", "terminal paginate", "no terminal paginate"];

/// See the module text.
pub(super) struct Node {
    shell: Shell,
    /// The file that FRR's shell is reading.
    load: Option<Load>,
    loads: Arc<Loads>,
    /// Who is at the other end.
    process: Option<i32>,
    tells_configuration: bool,
    over: bool,
}

impl Node {
    pub(super) fn new(
        shell: Shell,
        tells_configuration: bool,
        loads: Arc<Loads>,
        process: Option<i32>,
    ) -> Self {
        Self { shell, load: None, loads, process, tells_configuration, over: false }
    }

    /// The client has said goodbye.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Runs a line; the text and the status of the reply.
    pub(super) fn run(&mut self, line: &str) -> (String, u8) {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        // FRR's shell says `do write terminal` wherever it stands.
        if words.first() == Some(&"do") {
            words.remove(0);
        }
        let line = words.join(" ");
        if let Some(said) = line.strip_prefix("echo ") {
            return (format!("{said}\n"), SUCCESS);
        }
        let asks_configuration =
            matches!(words.as_slice(), ["show", "running-config", ..] | ["write", "terminal", ..]);
        if COURTESIES.contains(&line.as_str()) || (asks_configuration && !self.tells_configuration) {
            return (String::new(), SUCCESS);
        }
        if line == "XFRR_start_configuration" {
            self.load = Some(self.loads.join(self.process, self.shell.run_dir()));
            return (String::new(), SUCCESS);
        }
        if line == "XFRR_end_configuration" {
            return self.load.take().map_or((String::new(), SUCCESS), |load| reply_to(load.finish(), true));
        }
        if let Some(load) = &mut self.load {
            if matches!(words.as_slice(), ["end"] | ["configure", ..]) {
                load.go_to_top();
                return (String::new(), SUCCESS);
            }
            return reply_to(load.line(&line), true);
        }
        if asks_configuration {
            let (text, status) = self.answer("show running-config");
            // Whoever puts the parts together writes the end himself.
            return (text.strip_suffix("end\n").unwrap_or(&text).to_owned(), status);
        }
        if matches!(words.as_slice(), ["configure", ..]) {
            // In FRR all of its forms are the one whose lines take effect at once.
            return self.answer("configure terminal");
        }
        if !self.shell.is_configuring() && matches!(line.as_str(), "exit" | "quit" | "end") {
            self.over = line != "end";
            return (String::new(), SUCCESS);
        }
        self.answer(&line)
    }

    fn answer(&mut self, line: &str) -> (String, u8) {
        let configuring = self.shell.is_configuring();
        reply_to(self.shell.run(line), configuring)
    }
}

/// The text and the status for what came of a line.
fn reply_to(outcome: Result<String>, configuring: bool) -> (String, u8) {
    let error = match outcome {
        Ok(text) => return (text, SUCCESS),
        Err(error) => error,
    };
    let of_line = match error.downcast_ref::<LineError>() {
        Some(LineError::Command(mismatch)) => Some(mismatch),
        _ => None,
    };
    let status = match of_line.or_else(|| error.downcast_ref::<MatchError>()) {
        Some(MatchError::Unknown { .. }) => UNKNOWN,
        Some(MatchError::Ambiguous { .. }) => AMBIGUOUS,
        Some(MatchError::Incomplete { .. }) => INCOMPLETE,
        None if configuring => REFUSED,
        None => WARNING,
    };
    (format!("{error:#}\n"), status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(tells: bool) -> Node {
        Node::new(Shell::new("/nonexistent".into()), tells, Arc::default(), Some(1))
    }

    #[test]
    fn courtesies_pings_and_mistakes_have_the_status_frr_gives_them() {
        let mut node = node(false);
        assert_eq!(node.run("enable"), (String::new(), 0));
        assert_eq!(node.run("echo PING"), ("PING\n".into(), 0));
        assert_eq!(node.run("show running-config no-header"), (String::new(), 0));
        assert_eq!(node.run("do write terminal"), (String::new(), 0));
        assert_eq!(node.run("show ip ospf bogus").1, 2);
        assert_eq!(node.run("show ip").1, 4);
        assert_eq!(node.run("conf").1, 3);
        assert_eq!(node.run("show ip ospf").1, 1, "ospfd is not there");
        assert!(!node.is_over());
        node.run("exit");
        assert!(node.is_over());
    }

    #[test]
    fn a_file_that_cannot_be_taken_is_refused_at_each_line() {
        let mut node = node(false);
        assert_eq!(node.run("XFRR_end_configuration"), (String::new(), 0), "there is none");
        assert_eq!(node.run("XFRR_start_configuration"), (String::new(), 0));
        assert_eq!(node.run("interface eth0").1, 13);
        assert_eq!(node.run("end"), (String::new(), 0));
        assert_eq!(node.run("configure").1, 0);
        assert_eq!(node.run("XFRR_end_configuration").1, 13);
        assert!(!node.is_over());
    }

    #[test]
    fn only_one_socket_tells_the_configuration() {
        let (text, status) = node(true).run("write terminal");
        assert!(text.contains("mgmtd is not running"), "{text}");
        assert_eq!(status, 1);
    }
}
