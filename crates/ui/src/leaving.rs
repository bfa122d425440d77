//! How a window is left: what stays in doubt is said first, then goodbye, and neither takes long.
//!
//! Deliberately absent: a clock, and the node that is told to quit.

use std::time::{Duration, Instant};

/// How long leaving may take before the window closes without the relay's goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// How long it stands in the window what leaving leaves in doubt.
const WARNING: Duration = Duration::from_secs(5);

/// How far leaving has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Nobody wants to.
    #[default]
    No,
    /// What stays in doubt is being said; then it goes by itself.
    Warned { until: Instant },
    /// The node is saying goodbye.
    Goodbye { until: Instant },
    /// The window may close.
    Done,
}

/// Whether the node is to be told to quit now.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    Quit,
    Nothing,
}

impl Leaving {
    /// The person wants to leave. Whoever leaves something in doubt is told so once; whoever insists
    /// goes at once.
    pub(crate) fn on_quit(&mut self, is_in_doubt: bool, now: Instant) -> Tell {
        match self {
            Self::No if is_in_doubt => {
                *self = Self::Warned { until: now + WARNING };
                Tell::Nothing
            }
            Self::No | Self::Warned { .. } | Self::Goodbye { .. } | Self::Done => self.on_leave(now),
        }
    }

    /// Goodbye, whatever stays behind.
    pub(crate) fn on_leave(&mut self, now: Instant) -> Tell {
        match self {
            Self::No | Self::Warned { .. } => {
                *self = Self::Goodbye { until: now + GOODBYE };
                Tell::Quit
            }
            Self::Goodbye { .. } | Self::Done => Tell::Nothing,
        }
    }

    /// The person stays after all.
    pub(crate) fn on_stay(&mut self) {
        if matches!(self, Self::Warned { .. }) {
            *self = Self::No;
        }
    }

    /// Time has passed, or the node has ended: `has_quit` by being told to, or in some other way.
    pub(crate) fn go_on(&mut self, has_ended: bool, has_quit: bool, now: Instant) -> Tell {
        match *self {
            Self::Warned { until } if until <= now => return self.on_leave(now),
            Self::Goodbye { until } if until <= now || has_ended => *self = Self::Done,
            // A node that stopped for another reason leaves its sentence standing in the window.
            Self::No | Self::Warned { .. } if has_quit => *self = Self::Done,
            Self::No | Self::Warned { .. } | Self::Goodbye { .. } | Self::Done => {}
        }
        Tell::Nothing
    }

    /// When it goes on by itself.
    pub(crate) fn wakes_at(self) -> Option<Instant> {
        match self {
            Self::Warned { until } | Self::Goodbye { until } => Some(until),
            Self::No | Self::Done => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_nothing_in_doubt_goes_at_once() {
        let (mut leaving, now) = (Leaving::No, Instant::now());
        assert_eq!(leaving.on_quit(false, now), Tell::Quit);
        assert_eq!(leaving.on_quit(false, now), Tell::Nothing, "the node is told once");
        assert_eq!(leaving.go_on(true, true, now), Tell::Nothing);
        assert_eq!(leaving, Leaving::Done);
    }

    #[test]
    fn what_stays_in_doubt_is_said_and_then_it_goes() {
        let (mut leaving, now) = (Leaving::No, Instant::now());
        assert_eq!(leaving.on_quit(true, now), Tell::Nothing);
        assert_eq!(leaving.wakes_at(), Some(now + WARNING));
        assert_eq!(leaving.go_on(false, false, now), Tell::Nothing);
        assert_eq!(leaving.go_on(false, false, now + WARNING), Tell::Quit);
    }

    #[test]
    fn who_insists_goes_and_who_stays_is_warned_again() {
        let (mut leaving, now) = (Leaving::No, Instant::now());
        assert_eq!(leaving.on_quit(true, now), Tell::Nothing);
        leaving.on_stay();
        assert_eq!(leaving, Leaving::No);
        assert_eq!(leaving.on_quit(true, now), Tell::Nothing);
        assert_eq!(leaving.on_quit(true, now), Tell::Quit);
        leaving.on_stay();
        assert!(matches!(leaving, Leaving::Goodbye { .. }), "it is too late to stay");
    }

    #[test]
    fn a_node_that_does_not_end_holds_nobody_back() {
        let (mut leaving, now) = (Leaving::No, Instant::now());
        assert_eq!(leaving.on_leave(now), Tell::Quit);
        assert_eq!(leaving.go_on(false, false, now + GOODBYE / 2), Tell::Nothing);
        assert_eq!(leaving, Leaving::Goodbye { until: now + GOODBYE });
        assert_eq!(leaving.go_on(false, false, now + GOODBYE), Tell::Nothing);
        assert_eq!(leaving, Leaving::Done);
    }

    #[test]
    fn a_node_that_stopped_by_itself_leaves_the_window_open() {
        let (mut leaving, now) = (Leaving::No, Instant::now());
        assert_eq!(leaving.go_on(true, false, now), Tell::Nothing);
        assert_eq!(leaving, Leaving::No);
    }
}
