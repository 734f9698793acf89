//! Matching typed words against a table of commands.

use super::Command;
use super::syntax::{Compiled, SyntaxError, Token, TokenKind, compile};
use std::collections::{BTreeMap, BTreeSet};

/// A compiled table of commands.
#[derive(Debug, Clone)]
pub struct CommandTable<M> {
    commands: Vec<(Command<M>, Compiled)>,
}

/// The words a command was given, by token name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Args(BTreeMap<String, String>);

impl Args {
    /// What was typed for the token `name`; a keyword's value is the whole keyword.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Was the token `name` given?
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Why words are not a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatchError {
    /// No command continues with this word.
    #[error("% Unknown command: {line}\n{:>1$}", "^", column + 20)]
    Unknown {
        /// The words as one line.
        line: String,
        /// Where the unknown word starts in `line`, in characters.
        column: usize,
    },
    /// The word shortens several keywords.
    #[error("% Ambiguous command: {word:?} could be {}", .candidates.join(", "))]
    Ambiguous {
        /// The word.
        word: String,
        /// What it could mean.
        candidates: Vec<String>,
    },
    /// More words are needed.
    #[error("% Command incomplete: {line}")]
    Incomplete {
        /// The words as one line.
        line: String,
    },
}

/// What may stand at the end of what was typed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Keyword or placeholder.
    pub label: String,
    /// Its help text.
    pub help: String,
    /// May be completed by TAB?
    pub is_keyword: bool,
}

/// Where the commands stand: (command, position of the last matched token) or the beginning.
type Place = (usize, Option<usize>);

struct Matched {
    places: Vec<(Place, Args)>,
}

impl<M: Clone> CommandTable<M> {
    /// Compiles a table. An error is a bug of the table.
    pub fn new(commands: &[Command<M>]) -> Result<Self, SyntaxError> {
        let mut compiled = Vec::with_capacity(commands.len());
        for command in commands {
            let c = compile(command.syntax)?;
            if c.tokens.len() != command.help.len() {
                let what = format!("{} tokens but {} help texts", c.tokens.len(), command.help.len());
                return Err(SyntaxError { syntax: command.syntax.to_owned(), what });
            }
            compiled.push((command.clone(), c));
        }
        Ok(Self { commands: compiled })
    }

    /// Compiles a table of commands that are recognised, never explained: they have no help.
    pub fn without_help(commands: &[(&'static str, M)]) -> Result<Self, SyntaxError> {
        let row = |(syntax, meaning): &(&'static str, M)| {
            let command = Command { syntax, help: &[], meaning: meaning.clone() };
            compile(syntax).map(|compiled| (command, compiled))
        };
        Ok(Self { commands: commands.iter().map(row).collect::<Result<_, _>>()? })
    }

    /// The commands in table order.
    pub fn commands(&self) -> impl Iterator<Item = &Command<M>> {
        self.commands.iter().map(|(c, _)| c)
    }

    /// The command these words make, with its arguments.
    pub fn parse(&self, words: &[&str]) -> Result<(M, Args), MatchError> {
        let matched = self.advance(words)?;
        let complete = matched.places.into_iter().find(|((command, position), _)| {
            position.is_some_and(|p| self.commands.get(*command).is_some_and(|(_, c)| c.last.contains(&p)))
        });
        match complete.and_then(|((command, _), args)| Some((self.commands.get(command)?, args))) {
            Some(((command, _), args)) => Ok((command.meaning.clone(), args)),
            None => Err(MatchError::Incomplete { line: words.join(" ") }),
        }
    }

    /// What may follow `words` when the next word begins with `partial`: sorted, without repetitions. The
    /// flag says whether the command may also end here.
    pub fn candidates(&self, words: &[&str], partial: &str) -> Result<(Vec<Candidate>, bool), MatchError> {
        let matched = self.advance(words)?;
        let mut found = BTreeSet::new();
        let mut may_end = false;
        for (place, args) in &matched.places {
            may_end |=
                place.1.is_some_and(|p| self.commands.get(place.0).is_some_and(|(_, c)| c.last.contains(&p)));
            for (index, token) in self.next_tokens(*place) {
                if token.once && args.has(&token.name) {
                    continue;
                }
                let is_keyword = matches!(token.kind, TokenKind::Keyword(_));
                let fits = match &token.kind {
                    TokenKind::Keyword(k) => k.starts_with(partial),
                    other => partial.is_empty() || other.accepts(partial),
                };
                if fits {
                    let help = self.commands.get(place.0).and_then(|(c, _)| c.help.get(index)).copied();
                    let help = help.unwrap_or_default().to_owned();
                    found.insert(Candidate { label: token.kind.label(), help, is_keyword });
                }
            }
        }
        let mut unique: Vec<Candidate> = Vec::new();
        for candidate in found {
            if unique.last().is_none_or(|u| u.label != candidate.label) {
                unique.push(candidate);
            }
        }
        Ok((unique, may_end))
    }

    fn next_tokens(&self, (command, position): Place) -> Vec<(usize, &Token)> {
        let Some((_, c)) = self.commands.get(command) else { return Vec::new() };
        let next = match position {
            None => Some(&c.first),
            Some(p) if c.tokens.get(p).is_some_and(|t| t.kind == TokenKind::Line) => return vec![],
            Some(p) => c.follow.get(p),
        };
        let indices = next.into_iter().flatten().copied();
        indices.filter_map(|i| c.tokens.get(i).map(|t| (i, t))).collect()
    }

    fn advance(&self, words: &[&str]) -> Result<Matched, MatchError> {
        let mut places: Vec<(Place, Args)> =
            (0..self.commands.len()).map(|c| ((c, None), Args::default())).collect();
        for (n, word) in words.iter().enumerate() {
            places = self.step(&places, word, words, n)?;
        }
        Ok(Matched { places })
    }

    /// Moves every command over one word and keeps the best kind of match only.
    fn step(
        &self,
        places: &[(Place, Args)],
        word: &str,
        words: &[&str],
        n: usize,
    ) -> Result<Vec<(Place, Args)>, MatchError> {
        let mut best = 0u8;
        let mut next: Vec<(Place, Args, String)> = Vec::new();
        for ((command, position), args) in places {
            // A LINE swallows every further word.
            let line = position.and_then(|p| self.commands.get(*command)?.1.tokens.get(p));
            if let Some(token) = line.filter(|t| t.kind == TokenKind::Line) {
                let mut args = args.clone();
                if let Some(text) = args.0.get_mut(&token.name) {
                    text.push(' ');
                    text.push_str(word);
                }
                next.push(((*command, *position), args, token.kind.label()));
                continue;
            }
            for (index, token) in self.next_tokens((*command, *position)) {
                if token.once && args.has(&token.name) {
                    continue;
                }
                let Some(rank) = rank(&token.kind, word) else { continue };
                if rank > best {
                    best = rank;
                    next.clear();
                }
                if rank == best {
                    let mut args = args.clone();
                    let value = if let TokenKind::Keyword(k) = &token.kind { k.as_str() } else { word };
                    args.0.insert(token.name.clone(), value.to_owned());
                    next.push(((*command, Some(index)), args, token.kind.label()));
                }
            }
        }
        if next.is_empty() {
            let column = words.iter().take(n).map(|w| w.chars().count() + 1).sum();
            return Err(MatchError::Unknown { line: words.join(" "), column });
        }
        let labels: BTreeSet<String> = next.iter().map(|(_, _, label)| label.clone()).collect();
        if best == PREFIX_RANK && labels.len() > 1 {
            let candidates = labels.into_iter().collect();
            return Err(MatchError::Ambiguous { word: word.to_owned(), candidates });
        }
        Ok(next.into_iter().map(|(place, args, _)| (place, args)).collect())
    }
}

/// The rank of a shortened keyword; a whole keyword is one better, placeholders are below.
const PREFIX_RANK: u8 = 8;

fn rank(kind: &TokenKind, word: &str) -> Option<u8> {
    match kind {
        TokenKind::Keyword(k) if k == word => Some(PREFIX_RANK + 1),
        TokenKind::Keyword(k) if k.starts_with(word) && !word.is_empty() => Some(PREFIX_RANK),
        TokenKind::Keyword(_) => None,
        other => other.accepts(word).then(|| other.precision()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table() -> CommandTable<u8> {
        CommandTable::new(&[
            Command {
                syntax: "show ip route [A.B.C.D/M$prefix] [json]",
                help: &["s", "i", "r", "p", "j"],
                meaning: 1,
            },
            Command {
                syntax: "show ip ospf neighbor [<IFNAME$interface|A.B.C.D$id>] [detail] [json]",
                help: &["s", "i", "o", "n", "if", "id", "d", "j"],
                meaning: 2,
            },
            Command { syntax: "show interface brief", help: &["s", "interfaces", "b"], meaning: 3 },
            Command { syntax: "echo LINE", help: &["e", "l"], meaning: 4 },
            Command { syntax: "set (1-9)$n", help: &["t", "n"], meaning: 5 },
            Command {
                syntax: "announce [{always|metric (0-99)$m|for DURATION$time}]",
                help: &["a", "always", "metric", "m", "f", "time"],
                meaning: 6,
            },
        ])
        .unwrap()
    }

    fn parse(line: &str) -> Result<(u8, Args), MatchError> {
        table().parse(&line.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn commands_may_be_shortened_while_they_stay_unique() {
        assert_eq!(parse("sh ip ro").unwrap().0, 1);
        assert_eq!(parse("show ip ospf nei eth0").unwrap().1.get("interface"), Some("eth0"));
        let (meaning, args) = parse("show ip ospf nei 10.0.0.1 det").unwrap();
        assert_eq!((meaning, args.get("id"), args.has("detail")), (2, Some("10.0.0.1"), true));
        assert!(matches!(parse("s ip route"), Err(MatchError::Ambiguous { .. })));
        assert!(matches!(parse("show i brief"), Err(MatchError::Ambiguous { .. })));
    }

    #[test]
    fn unknown_and_incomplete_words_are_told_apart() {
        assert_eq!(
            parse("show ip bogus"),
            Err(MatchError::Unknown { line: "show ip bogus".into(), column: 8 })
        );
        assert!(matches!(parse("show ip"), Err(MatchError::Incomplete { .. })));
        assert!(matches!(parse("set 10"), Err(MatchError::Unknown { .. })));
        assert_eq!(parse("echo a b  c").unwrap().1.get("LINE"), Some("a b c"));
    }

    #[test]
    fn options_in_braces_stand_in_any_order_and_once() {
        let (meaning, args) = parse("announce metric 5 for 150ms always").unwrap();
        assert_eq!((meaning, args.get("m"), args.get("time")), (6, Some("5"), Some("150ms")));
        assert_eq!(parse("announce").unwrap().0, 6);
        assert!(matches!(parse("announce always always"), Err(MatchError::Unknown { .. })));
        assert!(matches!(parse("announce for 150"), Err(MatchError::Unknown { .. })));
        let (candidates, may_end) = table().candidates(&["announce", "always"], "").unwrap();
        let labels: Vec<&str> = candidates.iter().map(|c| c.label.as_str()).collect();
        assert_eq!((labels, may_end), (vec!["for", "metric"], true));
    }

    #[test]
    fn help_lists_what_may_follow() {
        let (candidates, may_end) = table().candidates(&["show", "ip", "ospf", "neighbor"], "").unwrap();
        let labels: Vec<&str> = candidates.iter().map(|c| c.label.as_str()).collect();
        assert_eq!(labels, ["A.B.C.D", "IFNAME", "detail", "json"]);
        assert!(may_end);
        let (candidates, may_end) = table().candidates(&["show"], "i").unwrap();
        assert_eq!(candidates.len(), 2);
        assert!(!may_end);
    }

    proptest! {
        #[test]
        fn no_words_make_it_panic(line in "[a-z0-9./ |<>-]{0,60}") {
            let words: Vec<&str> = line.split_whitespace().collect();
            let table = table();
            let _ = table.parse(&words);
            let _ = table.candidates(&words, "s");
        }
    }
}
