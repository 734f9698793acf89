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

/// One command that the words so far can be.
#[derive(Debug, Clone)]
struct Way {
    place: Place,
    args: Args,
    /// Which of several keywords the first word in doubt was taken for.
    taken_for: Option<String>,
}

struct Matched {
    ways: Vec<Way>,
    /// The first word that shortens several keywords; later words may tell which was meant.
    doubt: Option<String>,
}

impl Matched {
    /// The word in doubt is still in doubt among `ways`.
    fn doubt_among<'a>(&self, ways: impl Iterator<Item = &'a Way>) -> Option<MatchError> {
        let candidates: BTreeSet<&String> = ways.filter_map(|way| way.taken_for.as_ref()).collect();
        let word = self.doubt.clone().filter(|_| candidates.len() > 1)?;
        Some(MatchError::Ambiguous { word, candidates: candidates.into_iter().cloned().collect() })
    }
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
        let complete: Vec<&Way> = matched.ways.iter().filter(|way| self.may_end(way.place)).collect();
        let Some(first) = complete.first() else {
            let incomplete = MatchError::Incomplete { line: words.join(" ") };
            return Err(matched.doubt_among(matched.ways.iter()).unwrap_or(incomplete));
        };
        if let Some(ambiguous) = matched.doubt_among(complete.iter().copied()) {
            return Err(ambiguous);
        }
        match self.commands.get(first.place.0) {
            Some((command, _)) => Ok((command.meaning.clone(), first.args.clone())),
            None => Err(MatchError::Incomplete { line: words.join(" ") }),
        }
    }

    fn may_end(&self, (command, position): Place) -> bool {
        position.is_some_and(|p| self.commands.get(command).is_some_and(|(_, c)| c.last.contains(&p)))
    }

    /// What may follow `words` when the next word begins with `partial`: sorted, without repetitions. The
    /// flag says whether the command may also end here.
    pub fn candidates(&self, words: &[&str], partial: &str) -> Result<(Vec<Candidate>, bool), MatchError> {
        let matched = self.advance(words)?;
        let mut found = BTreeSet::new();
        let mut may_end = false;
        for Way { place, args, .. } in &matched.ways {
            may_end |= self.may_end(*place);
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
        let way = |command| Way { place: (command, None), args: Args::default(), taken_for: None };
        let mut matched = Matched { ways: (0..self.commands.len()).map(way).collect(), doubt: None };
        for (n, word) in words.iter().enumerate() {
            self.step(&mut matched, word);
            if matched.ways.is_empty() {
                let column = words.iter().take(n).map(|w| w.chars().count() + 1).sum();
                return Err(MatchError::Unknown { line: words.join(" "), column });
            }
        }
        Ok(matched)
    }

    /// Moves every command over one word and keeps the best kind of match only.
    fn step(&self, matched: &mut Matched, word: &str) {
        let mut best = 0u8;
        let mut next: Vec<(Way, String)> = Vec::new();
        for way in &matched.ways {
            let (command, position) = way.place;
            // A LINE swallows every further word.
            let line = position.and_then(|p| self.commands.get(command)?.1.tokens.get(p));
            if let Some(token) = line.filter(|t| t.kind == TokenKind::Line) {
                let mut way = way.clone();
                if let Some(text) = way.args.0.get_mut(&token.name) {
                    text.push(' ');
                    text.push_str(word);
                }
                next.push((way, token.kind.label()));
                continue;
            }
            for (index, token) in self.next_tokens(way.place) {
                if token.once && way.args.has(&token.name) {
                    continue;
                }
                let Some(rank) = rank(&token.kind, word) else { continue };
                if rank > best {
                    best = rank;
                    next.clear();
                }
                if rank == best {
                    let mut way = way.clone();
                    let value = if let TokenKind::Keyword(k) = &token.kind { k.as_str() } else { word };
                    way.args.0.insert(token.name.clone(), value.to_owned());
                    way.place = (command, Some(index));
                    next.push((way, token.kind.label()));
                }
            }
        }
        let labels: BTreeSet<&String> = next.iter().map(|(_, label)| label).collect();
        let in_doubt = best == PREFIX_RANK && labels.len() > 1 && matched.doubt.is_none();
        if in_doubt {
            matched.doubt = Some(word.to_owned());
        }
        let take = |(way, label): (Way, String)| match in_doubt {
            true => Way { taken_for: Some(label), ..way },
            false => way,
        };
        matched.ways = next.into_iter().map(take).collect();
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
        assert!(matches!(parse("s"), Err(MatchError::Ambiguous { .. })));
        assert!(matches!(parse("show i"), Err(MatchError::Ambiguous { .. })));
    }

    #[test]
    fn a_later_word_tells_which_of_several_keywords_was_meant() {
        assert_eq!(parse("s ip route").unwrap().0, 1);
        assert_eq!(parse("s i b").unwrap().0, 3);
        assert_eq!(parse("s 7").unwrap().0, 5);
        let table = CommandTable::new(&[
            Command { syntax: "configure", help: &["c"], meaning: 1 },
            Command { syntax: "configure terminal", help: &["c", "t"], meaning: 2 },
            Command { syntax: "confirm", help: &["c"], meaning: 3 },
        ])
        .unwrap();
        assert_eq!(table.parse(&["conf", "t"]).unwrap().0, 2);
        let Err(MatchError::Ambiguous { word, candidates }) = table.parse(&["conf"]) else { panic!() };
        assert_eq!((word.as_str(), candidates), ("conf", vec!["configure".to_owned(), "confirm".to_owned()]));
        assert!(matches!(table.parse(&["conf", "x"]), Err(MatchError::Unknown { column: 5, .. })));
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
