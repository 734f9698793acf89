//! The command grammar: one line of syntax per command yields parser, abbreviation, `?` help and
//! completion.
//!
//! ```text
//! show ip ospf neighbor [<IFNAME$interface|A.B.C.D$id>] [detail]
//! ```
//!
//! Words are keywords, which the operator may shorten while they stay unique. `[…]` may be left
//! out, `<a|b>` is a choice, `{a|b}` is one or more of them in any order, each at most once. Words in capitals
//! are placeholders: `A.B.C.D` (an address), `A.B.C.D/M` (a prefix), `(1-255)` (a number in a range),
//! `DURATION` (a span of time with its unit), `IFNAME`, `WORD`, and `LINE` (all that is left). `$name` names
//! a token for [`Args`]; a keyword without one is named by itself.
//!
//! Each command's syntax is compiled into the positions that may follow each other (Glushkov's
//! construction), so that matching never backtracks: all commands advance together, one word at a time, and the
//! best kind of match wins: whole keyword, then shortened keyword, then the most specific placeholder. A word that
//! shortens several keywords is a mistake only if the words behind it do not tell which was meant.

mod matcher;
pub mod page;
mod syntax;

pub use matcher::{Args, Candidate, CommandTable, MatchError};
pub use syntax::{SyntaxError, Token, TokenKind};

/// One command: its syntax, one help text per token in the order they stand, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Command<M> {
    /// See the module text.
    pub syntax: &'static str,
    /// One text per token.
    pub help: &'static [&'static str],
    /// What the command stands for, chosen by the table's owner.
    pub meaning: M,
}
