//! From a line of syntax to positions and what may follow them.

use ipnetwork::Ipv4Network;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What a token accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// This word, or a unique beginning of it.
    Keyword(String),
    /// An IPv4 address.
    Address,
    /// An IPv4 prefix with its length.
    Prefix,
    /// A number in this range.
    Number(u64, u64),
    /// A span of time with its unit, such as `150ms`.
    Duration,
    /// An interface name.
    InterfaceName,
    /// Any one word.
    Word,
    /// All words that are left.
    Line,
}

impl TokenKind {
    /// Does a placeholder accept `word`? Keywords answer for the whole word only.
    pub fn accepts(&self, word: &str) -> bool {
        match self {
            Self::Keyword(k) => k == word,
            Self::Address => word.parse::<Ipv4Addr>().is_ok(),
            Self::Prefix => word.contains('/') && word.parse::<Ipv4Network>().is_ok(),
            // A sign is no part of a number: `+5` means something else where it means anything.
            Self::Number(low, high) => {
                word.bytes().all(|b| b.is_ascii_digit())
                    && word.parse::<u64>().is_ok_and(|n| (*low..=*high).contains(&n))
            }
            Self::Duration => crate::config::parse_duration(word).is_ok(),
            Self::InterfaceName => word.parse::<crate::id::InterfaceName>().is_ok(),
            Self::Word | Self::Line => !word.is_empty(),
        }
    }

    /// How precise a placeholder is; the most precise one that accepts a word wins.
    pub(super) fn precision(&self) -> u8 {
        match self {
            Self::Keyword(_) => 9,
            Self::Address | Self::Prefix | Self::Number(..) | Self::Duration => 3,
            Self::InterfaceName => 2,
            Self::Word => 1,
            Self::Line => 0,
        }
    }

    /// How help names it.
    pub fn label(&self) -> String {
        match self {
            Self::Keyword(k) => k.clone(),
            Self::Address => "A.B.C.D".into(),
            Self::Prefix => "A.B.C.D/M".into(),
            Self::Number(low, high) => format!("({low}-{high})"),
            Self::Duration => "DURATION".into(),
            Self::InterfaceName => "IFNAME".into(),
            Self::Word => "WORD".into(),
            Self::Line => "LINE".into(),
        }
    }
}

/// One position of a compiled syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it accepts.
    pub kind: TokenKind,
    /// Its name in [`super::Args`].
    pub name: String,
    /// Stands in `{…}`, where nothing may be said twice.
    pub once: bool,
}

/// A compiled syntax: tokens, where it may begin and end, and what may follow what.
#[derive(Debug, Clone, Default)]
pub(super) struct Compiled {
    pub(super) tokens: Vec<Token>,
    pub(super) first: BTreeSet<usize>,
    pub(super) last: BTreeSet<usize>,
    pub(super) follow: Vec<BTreeSet<usize>>,
}

/// A fault in a table's own syntax line: a bug of the table, found by its test.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("syntax {syntax:?}: {what}")]
pub struct SyntaxError {
    /// The line.
    pub syntax: String,
    /// What is wrong with it.
    pub what: String,
}

/// What a part of the syntax contributes.
#[derive(Default)]
struct Part {
    first: BTreeSet<usize>,
    last: BTreeSet<usize>,
    nullable: bool,
}

struct Compiler<'a> {
    words: Vec<&'a str>,
    at: usize,
    /// Inside `{…}`?
    once: bool,
    out: Compiled,
}

/// Compiles one line of syntax.
pub(super) fn compile(syntax: &str) -> Result<Compiled, SyntaxError> {
    let mut compiler = Compiler { words: lex(syntax), at: 0, once: false, out: Compiled::default() };
    let part = compiler.sequence().and_then(|part| match compiler.words.get(compiler.at) {
        None => Ok(part),
        Some(w) => Err(format!("unexpected {w:?}")),
    });
    let part = part.map_err(|what| SyntaxError { syntax: syntax.to_owned(), what })?;
    let mut out = compiler.out;
    out.first = part.first;
    out.last = part.last;
    Ok(out)
}

/// Splits at blanks and around the brackets; `(1-255)` stays one word.
fn lex(syntax: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    for (i, c) in syntax.char_indices() {
        if c.is_whitespace() || "[]<>{}|".contains(c) {
            if let Some(s) = start.take() {
                words.push(&syntax[s..i]);
            }
            if !c.is_whitespace() {
                words.push(&syntax[i..i + c.len_utf8()]);
            }
        } else if start.is_none() {
            start = Some(i);
        }
    }
    if let Some(s) = start {
        words.push(&syntax[s..]);
    }
    words
}

impl Compiler<'_> {
    fn sequence(&mut self) -> Result<Part, String> {
        let mut whole = Part { nullable: true, ..Part::default() };
        while let Some(word) = self.words.get(self.at).copied() {
            let part = match word {
                "]" | ">" | "}" | "|" => break,
                "[" => {
                    let mut inner = self.choice("]")?;
                    inner.nullable = true;
                    inner
                }
                "<" => self.choice(">")?,
                "{" => self.any_order()?,
                _ => self.token(word)?,
            };
            for from in &whole.last {
                if let Some(set) = self.out.follow.get_mut(*from) {
                    set.extend(&part.first);
                }
            }
            if whole.nullable {
                whole.first.extend(&part.first);
            }
            if !part.nullable {
                whole.last.clear();
            }
            whole.last.extend(&part.last);
            whole.nullable &= part.nullable;
        }
        Ok(whole)
    }

    fn choice(&mut self, close: &str) -> Result<Part, String> {
        self.at += 1;
        let mut whole = Part::default();
        loop {
            let part = self.sequence()?;
            whole.first.extend(part.first);
            whole.last.extend(part.last);
            whole.nullable |= part.nullable;
            match self.words.get(self.at).copied() {
                Some("|") => self.at += 1,
                Some(w) if w == close => {
                    self.at += 1;
                    return Ok(whole);
                }
                other => return Err(format!("expected {close:?}, found {other:?}")),
            }
        }
    }

    /// The alternatives of `{…}` in any order: each may follow each.
    fn any_order(&mut self) -> Result<Part, String> {
        let outer = std::mem::replace(&mut self.once, true);
        let part = self.choice("}")?;
        self.once = outer;
        for from in &part.last {
            if let Some(set) = self.out.follow.get_mut(*from) {
                set.extend(&part.first);
            }
        }
        Ok(part)
    }

    fn token(&mut self, word: &str) -> Result<Part, String> {
        self.at += 1;
        let (text, name) = word.split_once('$').unwrap_or((word, word));
        let kind = token_kind(text)?;
        let index = self.out.tokens.len();
        self.out.tokens.push(Token { kind, name: name.to_owned(), once: self.once });
        self.out.follow.push(BTreeSet::new());
        let only = BTreeSet::from([index]);
        Ok(Part { first: only.clone(), last: only, nullable: false })
    }
}

fn token_kind(text: &str) -> Result<TokenKind, String> {
    Ok(match text {
        "A.B.C.D" => TokenKind::Address,
        "A.B.C.D/M" => TokenKind::Prefix,
        "DURATION" => TokenKind::Duration,
        "IFNAME" => TokenKind::InterfaceName,
        "WORD" => TokenKind::Word,
        "LINE" => TokenKind::Line,
        _ => match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
            Some(range) => {
                let bounds =
                    range.split_once('-').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                let (low, high) = bounds.ok_or_else(|| format!("bad range {text:?}"))?;
                TokenKind::Number(low, high)
            }
            // A keyword may have a capital (`Null0`), but not capitals alone.
            None if !text.bytes().any(|b| b.is_ascii_lowercase()) => {
                return Err(format!("unknown placeholder {text:?}"));
            }
            None => TokenKind::Keyword(text.to_owned()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_positions_and_followers() {
        let c = compile("show [<a|b (1-9)$n>] end").unwrap();
        let labels: Vec<String> = c.tokens.iter().map(|t| t.kind.label()).collect();
        assert_eq!(labels, ["show", "a", "b", "(1-9)", "end"]);
        assert_eq!(c.first, BTreeSet::from([0]));
        assert_eq!(c.last, BTreeSet::from([4]));
        assert_eq!(c.follow[0], BTreeSet::from([1, 2, 4]));
        assert_eq!(c.follow[2], BTreeSet::from([3]));
        assert_eq!(c.tokens[3].name, "n");
    }

    #[test]
    fn a_number_is_digits() {
        let number = TokenKind::Number(0, 9);
        assert!(number.accepts("5") && number.accepts("005"));
        assert!(["", "+5", "-5", "10", "5 "].iter().all(|w| !number.accepts(w)));
    }

    #[test]
    fn alternatives_in_braces_may_follow_each_other() {
        let c = compile("a [{b|c (1-9)$n}]").unwrap();
        assert_eq!(c.last, BTreeSet::from([0, 1, 3]));
        assert_eq!(c.follow[1], BTreeSet::from([1, 2]));
        assert_eq!(c.follow[3], BTreeSet::from([1, 2]));
        assert_eq!(c.tokens.iter().map(|t| t.once).collect::<Vec<_>>(), [false, true, true, true]);
    }

    #[test]
    fn broken_lines_are_refused() {
        for bad in ["show {x", "show 123", "show [x", "show x]", "show NOSUCH", "show (a-b)", "show <a|b"] {
            assert!(compile(bad).is_err(), "{bad}");
        }
    }
}
