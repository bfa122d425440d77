//! What a machine's notices and a relay's refusals are in words: events for programs, sentences for
//! people.
//!
//! Deliberately absent: whether anybody is told. Notices of messages that were not obeyed go through
//! [`super::oddities`] first.

use std::time::Duration;

use twopc_proto::frame::{ErrorBody, ErrorCode};
use twopc_proto::machine::RequestRefusal;
use twopc_proto::text::Shown;
use twopc_proto::{CommittedString, Decision, Notice, RecordKind, State, TxnId, UserName};

use crate::event::Event;

/// The most characters of a string that stand in a sentence.
const QUOTED: usize = 60;

/// A string in quotes, clipped, safe to look at.
pub(crate) fn quoted(string: &CommittedString) -> String {
    format!("“{}”", Shown::new(string.as_str()).at_most(QUOTED))
}

/// `alice`, `alice and bob`, `alice, bob and carol`.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a UserName>) -> String {
    let names: Vec<&str> = names.into_iter().map(UserName::as_str).collect();
    match names.split_last() {
        None => "nobody".into(),
        Some((last, [])) => (*last).into(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// What a notice is for a program; `None` for what only a window shows, or what is counted first.
pub(crate) fn event(notice: &Notice) -> Option<Event> {
    Some(match notice {
        Notice::VoteRequested { txn, string, timeout, .. } => {
            Event::VoteRequest { txn: txn.clone(), string: string.clone(), timeout_ms: whole_millis(*timeout) }
        }
        Notice::State { txn, state } => Event::State { txn: txn.clone(), state: state.as_str() },
        Notice::Blocked { txn, asked } => Event::Blocked { txn: txn.clone(), asked: asked.clone() },
        Notice::Decided { txn, decision, string, .. } => Event::Decision { txn: txn.clone(), decision: *decision, string: string.clone() },
        Notice::Applied { txn, string } => Event::Applied { txn: txn.clone(), string: string.clone() },
        Notice::Done { txn } => Event::Done { txn: txn.clone() },
        Notice::Alarm { txn, from, said, held } => Event::Alarm { txn: txn.clone(), from: from.clone(), said: *said, held: held.as_str() },
        Notice::NoSpace { txn, record } => Event::Notice { message: no_space(txn, *record) },
        Notice::RequestRefused(refusal) => Event::RequestRefused { message: request_refused(*refusal) },
        Notice::PressIgnored { txn, state } => Event::Notice { message: press_ignored(txn, *state) },
        Notice::Asked { .. } | Notice::Ignored { .. } => return None,
    })
}

fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What Request waits for.
pub(crate) fn request_refused(refusal: RequestRefusal) -> String {
    match refusal {
        RequestRefusal::Offline => "There is no link to the relay; Request waits for it.".into(),
        RequestRefusal::VoteOpen => "A vote is open.".into(),
        RequestRefusal::TooFew { missing: 1 } => "Waiting for 1 more participant.".into(),
        RequestRefusal::TooFew { missing } => format!("Waiting for {missing} more participants."),
        RequestRefusal::TooMany => "More than 1,000 participants are in the room; a vote takes at most that many.".into(),
        RequestRefusal::Leaving => "This program is on its way out.".into(),
    }
}

/// Request without a string to vote on.
pub(crate) const NO_PROPOSAL: &str = "Send a line that begins with string: first.";

/// The disk takes a record no more.
pub(crate) fn no_space(txn: &TxnId, record: RecordKind) -> String {
    let (what, then) = match record {
        RecordKind::Ready => ("your vote on", "so nothing was promised; make some and press Commit again"),
        RecordKind::Abort | RecordKind::Commit => ("the decision on", "so nobody is told; make some, it is tried again every 5 seconds"),
        RecordKind::Applied => ("the string of", "so it is not acknowledged; make some, it is tried again every 5 seconds"),
        RecordKind::Start => ("the beginning of", "which is written with the decision; make some"),
        RecordKind::End | RecordKind::Decided => ("the end of", "so it is told once more at the next start"),
    };
    format!("The disk has no space for {what} {}, {then}.", txn.short())
}

fn press_ignored(txn: &TxnId, state: Option<State>) -> String {
    match state {
        Some(state) => format!("{txn} is in {state}, where that means nothing."),
        None => format!("There is no open vote {txn}."),
    }
}

/// A contradiction, for a window.
pub(crate) fn alarm(txn: &TxnId, from: &UserName, said: Decision, held: State) -> String {
    format!(
        "Alarm: {from} says {said} about {txn}, which stands at {held} here. Nothing was changed. Somebody broke the agreement, or lost \
         files: compare the logs."
    )
}

/// What stays in doubt when a participant leaves.
pub(crate) fn left_in_doubt(txn: &TxnId, string: &CommittedString) -> String {
    format!(
        "{} ({txn}) stays in doubt: you voted commit, and the decision has not arrived. It is asked for at the next start.",
        quoted(string)
    )
}

/// Why the relay let nobody in under this name, and what to do about it.
pub(crate) fn login_refused(error: &ErrorBody, user: &UserName) -> String {
    match error.code() {
        Some(ErrorCode::NameTaken) => format!(
            "The name {user} belongs to somebody else, or was used from another folder. Choose another name, or ask whoever keeps the \
             room to free it with twopc-server --forget {user}."
        ),
        Some(ErrorCode::NameInvalid) => format!("The relay does not take the name {user}; choose another one."),
        // There is more than one kind of place that a relay may have none left of.
        Some(ErrorCode::RoomFull) if !error.message.is_empty() => in_its_words(error),
        Some(ErrorCode::RoomFull) => "The room is full; try again when somebody has left.".into(),
        Some(ErrorCode::UpgradeRequired) => "This relay speaks another version of the protocol; use programs of one version.".into(),
        Some(
            ErrorCode::BadFraming
            | ErrorCode::LengthRequired
            | ErrorCode::TooLarge
            | ErrorCode::TooSlow
            | ErrorCode::BadRequest
            | ErrorCode::NotFound
            | ErrorCode::NotAllowed
            | ErrorCode::Forbidden
            | ErrorCode::BadText
            | ErrorCode::NotHere
            | ErrorCode::Replaced,
        )
        | None => format!("The relay refused the login: {}", in_its_words(error)),
    }
}

/// The relay's own sentence, or its code where it gave none; safe to look at.
pub(crate) fn in_its_words(error: &ErrorBody) -> String {
    let words = if error.message.is_empty() { &error.error } else { &error.message };
    Shown::new(words).at_most(300).to_string()
}

/// Who came, as the original says it.
pub(crate) fn connected(user: &UserName) -> String {
    format!("Client ({user}) connected")
}

/// Who went.
pub(crate) fn offline(user: &UserName) -> String {
    format!("Client ({user}) is offline")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    #[test]
    fn names_are_listed_as_people_do() {
        let names = [name("alice"), name("bob"), name("carol")];
        assert_eq!(listed(&names[..0]), "nobody");
        assert_eq!(listed(&names[..1]), "alice");
        assert_eq!(listed(&names[..2]), "alice and bob");
        assert_eq!(listed(&names), "alice, bob and carol");
    }

    #[test]
    fn what_a_peer_wrote_is_shown_safely_and_clipped() {
        let string = CommittedString::parse(&format!("\u{202e}{}", "x".repeat(100))).unwrap();
        let shown = quoted(&string);
        assert!(shown.starts_with("“<U+202E>xxx") && shown.ends_with("…”"), "{shown}");
        let error = ErrorBody { error: "odd".into(), message: "a\u{1b}[31mb".into(), to: None };
        assert_eq!(login_refused(&error, &name("alice")), "The relay refused the login: a<U+001B>[31mb");
    }

    #[test]
    fn every_notice_that_programs_are_told_of_has_its_event() {
        let txn = TxnId::parse("chair.1.2").unwrap();
        let string = CommittedString::parse("Hello").unwrap();
        assert_eq!(
            event(&Notice::Decided { txn: txn.clone(), decision: Decision::Commit, string: Some(string.clone()), reason: None, by: None }),
            Some(Event::Decision { txn: txn.clone(), decision: Decision::Commit, string: Some(string) })
        );
        assert_eq!(
            event(&Notice::RequestRefused(RequestRefusal::TooFew { missing: 1 })),
            Some(Event::RequestRefused { message: "Waiting for 1 more participant.".into() })
        );
        assert_eq!(event(&Notice::Asked { txn: txn.clone(), whom: Vec::new() }), None);
        let Some(Event::Notice { message }) = event(&Notice::NoSpace { txn, record: RecordKind::Ready }) else {
            panic!("a full disk is a notice");
        };
        assert_eq!(message, "The disk has no space for your vote on #2, so nothing was promised; make some and press Commit again.");
    }
}
