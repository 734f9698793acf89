//! The five verbs every engine speaks.
//!
//! An engine is a value that is *told* things ([`Machine::handle`]), *told the time*
//! ([`Machine::handle_timeout`]), *asked what it wants done* ([`Machine::poll_output`]) and *when it
//! wants to be woken* ([`Machine::poll_timeout`]). The fifth verb, `query`, answers show commands; its
//! request and reply types differ so much between engines that it is an inherent method.
//!
//! Rule of use: one input, then drain all outputs, then the next input. The shell and the simulator
//! both obey it, so an engine may rely on its outputs being gone when the next input arrives.

use crate::time::Instant;

/// A sans-IO engine. See the module text for the rule of use.
pub trait Machine {
    /// What the world can tell the engine; may borrow received bytes.
    type Input<'a>;
    /// What the engine wants the world to do.
    type Output;

    /// Takes one input at time `now`. `now` never runs backwards between calls.
    fn handle(&mut self, now: Instant, input: Self::Input<'_>);

    /// Lets everything happen that is due at `now`. Calling it early or twice is harmless.
    fn handle_timeout(&mut self, now: Instant);

    /// The next thing to do, in order; `None` when there is nothing left.
    fn poll_output(&mut self) -> Option<Self::Output>;

    /// When [`Machine::handle_timeout`] is wanted next; `None` when nothing is pending.
    fn poll_timeout(&self) -> Option<Instant>;
}
