//! Whether a step can be done in its scenario's room: there is somebody of that name, who has that button, and
//! comes to that point.
//!
//! What nobody can do would be played without an effect, or waited for in vain. Deliberately absent: the form of
//! a line ([`super::step`]), and whatever only the playing can tell.

use twopc_proto::{Role, UserName};
use twopc_runner::CrashPoint;

use super::step::{Condition, Press, Step, Whom};
use crate::member::{Member, Part};

/// Whether this room can play a step.
///
/// # Errors
/// A sentence that says who cannot do what.
pub(super) fn suits(step: &Step, room: &[Member]) -> Result<(), String> {
    match step {
        Step::Press(Whom::Everybody, press) => can_press("everybody", Part::Participant, press),
        Step::Press(Whom::One(who), press) => can_press(who, part_of(who, room)?, press),
        Step::Start(who, Some(point)) => can_die(who, point, room),
        Step::Start(who, None)
        | Step::Stop(who)
        | Step::Kill(who)
        | Step::Freeze(who)
        | Step::Thaw(who)
        | Step::Until(Condition::Is(Whom::One(who), _)) => part_of(who, room).map(drop),
        Step::Rules(rules) => rules.iter().try_for_each(|rule| can_talk(&rule.from, &rule.to, room)),
        Step::Handle(_, which) | Step::Until(Condition::Held(which)) => can_talk(&which.from, &which.to, room),
        Step::Until(Condition::Is(Whom::Everybody, _) | Condition::Done) | Step::Heal | Step::Release | Step::Wait(_) => Ok(()),
    }
}

/// Whether somebody of this room comes to a crash point.
///
/// # Errors
/// As [`suits`].
pub(super) fn can_die(who: &str, point: &str, room: &[Member]) -> Result<(), String> {
    let role = match part_of(who, room)? {
        Part::Relay => return Err(format!("{who} has no crash points; it can be killed")),
        Part::Participant => Role::Participant,
        Part::Coordinator => Role::Coordinator,
    };
    CrashPoint::parse(point, role).map(drop).map_err(|error| error.trim_end_matches('.').to_owned())
}

fn part_of(who: &str, room: &[Member]) -> Result<Part, String> {
    let names = || room.iter().map(|member| member.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = room.iter().find(|member| member.name == who).map(|member| member.part);
    found.ok_or_else(|| format!("nobody is called {who}; there are {}", names()))
}

fn can_press(who: &str, part: Part, press: &Press) -> Result<(), String> {
    let (button, owner) = match (press, part) {
        (Press::Say(_), Part::Relay) => return Err(format!("{who} says nothing; a participant or the coordinator does")),
        (Press::Say(_), Part::Participant | Part::Coordinator) => return Ok(()),
        (Press::Request, _) => ("Request", Part::Coordinator),
        (Press::Commit, _) => ("Commit", Part::Participant),
        (Press::Abort, _) => ("Abort", Part::Participant),
        (Press::Ask, _) => ("Ask", Part::Participant),
    };
    if part == owner { Ok(()) } else { Err(format!("{who} has no button {button}; a {owner} has")) }
}

/// Whether there is somebody who sends, and somebody who receives.
fn can_talk(from: &Option<UserName>, to: &Option<UserName>, room: &[Member]) -> Result<(), String> {
    from.iter().chain(to).try_for_each(|end| match part_of(end.as_str(), room)? {
        Part::Relay => Err(format!("{end} carries every message; name who sends it or who receives it")),
        Part::Participant | Part::Coordinator => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::members;

    fn said(line: &str) -> Option<String> {
        suits(&Step::read(line).unwrap(), &members(3)).err()
    }

    #[test]
    fn what_somebody_of_the_room_can_do_suits_it() {
        for line in [
            "chair says string: Hello",
            "chair presses Request",
            "everybody presses Commit",
            "alice presses Ask",
            "kill relay",
            "start chair to crash at after:log:COMMIT",
            "start alice to crash at after:log:READY",
            "cut alice from everybody",
            "deliver ACK from carol to chair",
            "until everybody is COMMIT",
        ] {
            assert_eq!(said(line), None, "{line}");
        }
    }

    #[test]
    fn what_nobody_can_do_is_said() {
        let nobody = "nobody is called dave; there are relay, alice, bob, carol, chair";
        for (line, sentence) in [
            ("kill dave", nobody),
            ("until dave is READY", nobody),
            ("hold ACK from dave", nobody),
            ("cut alice from dave", nobody),
            ("deliver ACK to dave", nobody),
            ("until ACK from dave is held", nobody),
            ("alice presses Request", "alice has no button Request; a coordinator has"),
            ("everybody presses Request", "everybody has no button Request; a coordinator has"),
            ("chair presses Commit", "chair has no button Commit; a participant has"),
            ("relay presses Ask", "relay has no button Ask; a participant has"),
            ("relay says hello", "relay says nothing; a participant or the coordinator does"),
            ("drop ACK to relay", "relay carries every message; name who sends it or who receives it"),
            ("start relay to crash at after:log:READY", "relay has no crash points; it can be killed"),
        ] {
            assert_eq!(said(line).as_deref(), Some(sentence), "{line}");
        }
        let never = said("start chair to crash at after:log:READY").unwrap();
        assert!(never.starts_with("A coordinator never comes to log:READY; its crash points are "), "{never}");
        assert!(!never.ends_with('.'), "the line's sentence has its own end");
    }
}
