//! Crash points: `--crash-at WHEN:EFFECT[:N]`, the boundaries at which a node can be told to die.
//!
//! What is here: the grammar, which points a role has, the count, and the dying. Deliberately
//! absent: the order in which an armed node takes its effects, which is the loop's business.

use std::fmt;

use twopc_proto::{Boundary, MessageKind, RecordKind, Role, When};

/// At which effect a node dies, as if killed: nothing flushed, said or cleaned up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPoint {
    /// On which side of the effect.
    pub when: When,
    /// Which effect.
    pub boundary: Boundary,
    /// The how-manieth such effect since the program started, from 1.
    pub nth: u64,
}

impl CrashPoint {
    /// Every point of this role, each for the first such effect.
    #[must_use]
    pub fn all(role: Role) -> Vec<Self> {
        let sides = |boundary: &Boundary| When::ALL.map(|when| Self { when, boundary: *boundary, nth: 1 });
        Boundary::of(role).iter().flat_map(sides).collect()
    }

    /// Reads `WHEN:EFFECT[:N]`, and checks that a node of this role ever comes to that point.
    ///
    /// # Errors
    /// A sentence that says what would be a point of this role.
    pub fn parse(text: &str, role: Role) -> Result<Self, String> {
        let form = || {
            format!(
                "{:?} is no crash point: write WHEN:EFFECT or WHEN:EFFECT:N, where WHEN is before or after, N counts from 1, \
                 and EFFECT is one of {}.",
                text,
                effects_of(role).join(", "),
            )
        };
        let mut words = text.split(':');
        let when = match words.next() {
            Some("before") => When::Before,
            Some("after") => When::After,
            Some(_) | None => return Err(form()),
        };
        let boundary = match words.next() {
            Some("apply") => Boundary::Apply,
            Some("log") => Boundary::Log(words.next().and_then(record_named).ok_or_else(form)?),
            Some("send") => Boundary::Send(words.next().and_then(MessageKind::parse).ok_or_else(form)?),
            Some(_) | None => return Err(form()),
        };
        let nth = match words.next() {
            None => 1,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().filter(|n| *n > 0).ok_or_else(form)?,
            Some(_) => return Err(form()),
        };
        if words.next().is_some() {
            return Err(form());
        }
        if !Boundary::of(role).contains(&boundary) {
            return Err(format!("A {role} never comes to {boundary}; its crash points are {}.", effects_of(role).join(", ")));
        }
        Ok(Self { when, boundary, nth })
    }
}

/// The record kind of this name.
fn record_named(word: &str) -> Option<RecordKind> {
    RecordKind::ALL.into_iter().find(|kind| kind.as_str() == word)
}

/// Every effect of this role, as a person writes it.
fn effects_of(role: Role) -> Vec<String> {
    Boundary::of(role).iter().map(ToString::to_string).collect()
}

impl fmt::Display for CrashPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.when, self.boundary)?;
        if self.nth > 1 { write!(f, ":{}", self.nth) } else { Ok(()) }
    }
}

/// A crash point with its count, kept by whichever thread has the effects that it is about.
#[derive(Clone, Debug)]
pub(crate) struct Fuse {
    point: CrashPoint,
    /// Such effects so far.
    seen: u64,
}

impl Fuse {
    pub(crate) fn new(point: CrashPoint) -> Self {
        Self { point, seen: 0 }
    }

    /// Counts an effect that is about to happen, and says on which side of it to die, if on either.
    pub(crate) fn on_effect(&mut self, boundary: Boundary) -> Option<When> {
        if self.point.boundary != boundary {
            return None;
        }
        self.seen = self.seen.saturating_add(1);
        (self.seen == self.point.nth).then_some(self.point.when)
    }
}

/// Ends this process here and now: no unwinding, no buffer written, no file closed in order.
#[cfg(unix)]
pub(crate) fn die() -> ! {
    use rustix::process::{Signal, getpid, kill_process};
    // A process may always signal itself, so this line is the last one; the abort below stands for
    // the compiler, which does not know that.
    let _ = kill_process(getpid(), Signal::KILL);
    std::process::abort()
}

/// Ends this process here and now. There is no SIGKILL here; an abort runs no handler either.
#[cfg(not(unix))]
pub(crate) fn die() -> ! {
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_of_each_role_reads_back_as_it_is_written() {
        for role in [Role::Participant, Role::Coordinator] {
            for effect in effects_of(role) {
                for text in [format!("before:{effect}"), format!("after:{effect}"), format!("after:{effect}:3")] {
                    let point = CrashPoint::parse(&text, role).unwrap();
                    assert_eq!(point.to_string(), text);
                }
                assert_eq!(CrashPoint::parse(&format!("before:{effect}:1"), role).unwrap().to_string(), format!("before:{effect}"));
            }
        }
        assert_eq!(
            CrashPoint::parse("after:send:GLOBAL_COMMIT:2", Role::Coordinator),
            Ok(CrashPoint { when: When::After, boundary: Boundary::Send(MessageKind::GlobalCommit), nth: 2 })
        );
    }

    #[test]
    fn each_role_has_the_points_that_its_machine_comes_to_and_no_others() {
        let participant = [
            "log:READY",
            "log:COMMIT",
            "log:ABORT",
            "log:APPLIED",
            "send:VOTE_COMMIT",
            "send:VOTE_ABORT",
            "send:ACK",
            "send:DECISION_REQUEST",
            "send:DECISION_REPLY",
            "apply",
        ];
        let coordinator = [
            "log:START",
            "log:COMMIT",
            "log:ABORT",
            "log:END",
            "send:VOTE_REQUEST",
            "send:GLOBAL_COMMIT",
            "send:GLOBAL_ABORT",
            "send:DECISION_REPLY",
        ];
        assert_eq!(effects_of(Role::Participant), participant);
        assert_eq!(effects_of(Role::Coordinator), coordinator);
        for effect in participant {
            assert_eq!(
                CrashPoint::parse(&format!("before:{effect}"), Role::Coordinator).is_ok(),
                coordinator.contains(&effect),
                "{effect}"
            );
        }
        for effect in coordinator {
            assert_eq!(
                CrashPoint::parse(&format!("before:{effect}"), Role::Participant).is_ok(),
                participant.contains(&effect),
                "{effect}"
            );
        }
    }

    #[test]
    fn all_points_of_a_role_are_both_sides_of_each_of_its_effects() {
        let participant: Vec<String> = CrashPoint::all(Role::Participant).iter().map(ToString::to_string).collect();
        assert_eq!(participant[..3], ["before:log:READY", "after:log:READY", "before:log:COMMIT"]);
        assert_eq!([participant.len(), CrashPoint::all(Role::Coordinator).len(), CrashPoint::all(Role::Guest).len()], [20, 16, 0]);
    }

    #[test]
    fn what_is_no_point_is_refused_with_the_form() {
        for text in [
            "",
            "before",
            "before:",
            "during:apply",
            "Before:apply",
            "before:log",
            "before:log:",
            "before:log:ready",
            "before:send:HELLO",
            "before:apply:0",
            "before:apply:+1",
            "before:apply:",
            "before:apply:1:2",
            "before:apply:x",
            "before:apply:99999999999999999999999",
            "before:log:READY:READY",
        ] {
            let sentence = CrashPoint::parse(text, Role::Participant).unwrap_err();
            assert!(sentence.contains("is no crash point") && sentence.contains("log:READY"), "{text:?}: {sentence}");
        }
    }

    #[test]
    fn a_fuse_burns_at_the_nth_such_effect_and_at_no_other() {
        let mut fuse = Fuse::new(CrashPoint::parse("after:log:READY:2", Role::Participant).unwrap());
        assert_eq!(fuse.on_effect(Boundary::Log(RecordKind::Ready)), None);
        assert_eq!(fuse.on_effect(Boundary::Log(RecordKind::Commit)), None);
        assert_eq!(fuse.on_effect(Boundary::Apply), None);
        assert_eq!(fuse.on_effect(Boundary::Log(RecordKind::Ready)), Some(When::After));
        assert_eq!(fuse.on_effect(Boundary::Log(RecordKind::Ready)), None);
    }
}
