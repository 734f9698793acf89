//! The life of one daemon as a pure table.

/// Where a daemon stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Not running and not wanted.
    Off,
    /// Wanted; those before it are not ready yet.
    Due,
    /// Launched (or found running); does not accept connections yet.
    Starting,
    /// Accepts connections on its control socket.
    Up,
    /// Died; waits before it is launched again.
    BackOff,
    /// Told to end; has not yet.
    Leaving,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// The configuration has work for it.
    Want,
    /// The configuration has none any more, or the router stops.
    Unwant,
    /// Those before it are ready.
    Turn,
    /// It accepts connections.
    Accepting,
    /// It has ended, or could not be launched.
    Exit,
    /// The phase's time is over.
    Deadline,
    /// It was found running though nobody here launched it.
    Found,
}

/// Is there work for a daemon?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Yes.
    Run,
    /// No.
    Rest,
}

/// What a transition demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Launch it, or adopt it if it runs.
    Launch,
    /// Tell it to end.
    Terminate,
    /// End it.
    Kill,
}

/// The table. What it does not name changes nothing.
pub fn transition(phase: Phase, occurrence: Occurrence, intent: Intent) -> (Phase, Option<Effect>) {
    use Occurrence as O;
    use Phase as P;
    match (phase, occurrence, intent) {
        (P::Off, O::Want, _) => (P::Due, None),
        (P::Off, O::Found, _) => (P::Leaving, Some(Effect::Terminate)),
        (P::Due, O::Turn, _) | (P::BackOff, O::Deadline, _) => (P::Starting, Some(Effect::Launch)),
        (P::Due | P::BackOff, O::Unwant, _) => (P::Off, None),
        (P::Starting, O::Accepting, _) => (P::Up, None),
        (P::Starting | P::Up, O::Exit, _) => (P::BackOff, None),
        (P::Starting | P::Up, O::Unwant, _) => (P::Leaving, Some(Effect::Terminate)),
        (P::Leaving, O::Exit, Intent::Run) => (P::Due, None),
        (P::Leaving, O::Exit, Intent::Rest) => (P::Off, None),
        (P::Leaving, O::Deadline, _) => (P::Leaving, Some(Effect::Kill)),
        _ => (phase, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Occurrence as O;
    use Phase as P;

    #[test]
    fn every_phase_and_occurrence() {
        let occurrences = [O::Want, O::Unwant, O::Turn, O::Accepting, O::Exit, O::Deadline, O::Found];
        let (launch, terminate, kill) = (Some(Effect::Launch), Some(Effect::Terminate), Some(Effect::Kill));
        let stay = |p| (p, None);
        let table = [
            (
                P::Off,
                [
                    (P::Due, None),
                    stay(P::Off),
                    stay(P::Off),
                    stay(P::Off),
                    stay(P::Off),
                    stay(P::Off),
                    (P::Leaving, terminate),
                ],
            ),
            (
                P::Due,
                [
                    stay(P::Due),
                    (P::Off, None),
                    (P::Starting, launch),
                    stay(P::Due),
                    stay(P::Due),
                    stay(P::Due),
                    stay(P::Due),
                ],
            ),
            (
                P::Starting,
                [
                    stay(P::Starting),
                    (P::Leaving, terminate),
                    stay(P::Starting),
                    (P::Up, None),
                    (P::BackOff, None),
                    stay(P::Starting),
                    stay(P::Starting),
                ],
            ),
            (
                P::Up,
                [
                    stay(P::Up),
                    (P::Leaving, terminate),
                    stay(P::Up),
                    stay(P::Up),
                    (P::BackOff, None),
                    stay(P::Up),
                    stay(P::Up),
                ],
            ),
            (
                P::BackOff,
                [
                    stay(P::BackOff),
                    (P::Off, None),
                    stay(P::BackOff),
                    stay(P::BackOff),
                    stay(P::BackOff),
                    (P::Starting, launch),
                    stay(P::BackOff),
                ],
            ),
            (
                P::Leaving,
                [
                    stay(P::Leaving),
                    stay(P::Leaving),
                    stay(P::Leaving),
                    stay(P::Leaving),
                    (P::Off, None),
                    (P::Leaving, kill),
                    stay(P::Leaving),
                ],
            ),
        ];
        for (phase, row) in table {
            for (occurrence, expected) in occurrences.into_iter().zip(row) {
                assert_eq!(transition(phase, occurrence, Intent::Rest), expected, "{phase:?} {occurrence:?}");
                let wanted =
                    if (phase, occurrence) == (P::Leaving, O::Exit) { (P::Due, None) } else { expected };
                assert_eq!(transition(phase, occurrence, Intent::Run), wanted, "{phase:?} {occurrence:?}");
            }
        }
    }
}
