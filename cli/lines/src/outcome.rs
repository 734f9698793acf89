//! What becomes of a line.

use routing_common::grammar::MatchError;

/// A line that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// What the operator should know about it; most lines need none.
    pub notes: Vec<String>,
    /// The line is kept aside until the line named here has come, because the file has no place for it before.
    pub waits_for: Option<String>,
    /// `end` (or `exit` at the top): configuration is over.
    pub leaves: bool,
}

/// A line that was not taken. It changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is no command.
    #[error(transparent)]
    Command(#[from] MatchError),
    /// FRR has this line, Torc has nothing it could become.
    #[error("% {reason}")]
    NoCounterpart {
        /// Why, or what to do instead.
        reason: String,
        /// Nothing is lost without it.
        harmless: bool,
        /// It opens a block of lines, none of which has a counterpart.
        opens_block: bool,
    },
    /// It is a command, but not with these values or not here.
    #[error("% {0}")]
    Refused(String),
}
