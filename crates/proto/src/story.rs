//! Inputs and effects as one line of text each, in the protocol's words.
//!
//! Golden traces are written in these lines, and a checker tells a counterexample in them, so that
//! a person who does not program can follow. Deliberately absent: [`Notice`]s in full (a line names
//! what matters of each), and reading lines back.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use crate::machine::{Effect, Ignored, Input, LinkState, Machine, Notice, Presence, RequestRefusal, Sync};
use crate::message::Message;
use crate::name::{Role, UserName};
use crate::record::{CoordinatorRecord, ParticipantRecord};
use crate::{coordinator, participant};

/// What a role's own types read like.
pub trait Tell: Machine {
    /// `press Commit on chair.1.1`.
    fn command(command: &Self::Command) -> String;
    /// `READY chair.1.1 “Hello” alice bob 20s`.
    fn record(record: &Self::Record) -> String;
    /// `Deadline chair.1.1`.
    fn timer(timer: &Self::Timer) -> String;
}

/// One line for an input.
#[must_use]
pub fn input<M: Tell>(input: &Input<M>) -> String {
    match input {
        Input::Command(command) => M::command(command),
        Input::Received { from, role, message } => format!("{from} ({role}) says {}", self::message(message)),
        Input::Durable(lsn) => format!("disk has up to {lsn}"),
        Input::Applied(lsn) => format!("text file has line of {lsn}"),
        Input::Refused(lsn) => format!("no space for {lsn}"),
        Input::TimerFired(timer) => format!("timer {}", M::timer(timer)),
        Input::Link(LinkState::Up(room)) => {
            let room: Vec<String> = room.iter().map(|(user, role)| person(user, *role)).collect();
            format!("link up, in the room: {}", room.join(" "))
        }
        Input::Link(LinkState::Down) => "link down".into(),
        Input::Peer(user, Presence::Joined(role)) => format!("{} joined", person(user, *role)),
        Input::Peer(user, Presence::Left) => format!("{user} left"),
        Input::Peer(user, Presence::NotHere) => format!("{user} is not here"),
    }
}

/// One line for an effect.
#[must_use]
pub fn effect<M: Tell>(effect: &Effect<M>) -> String {
    match effect {
        Effect::Persist { lsn, record, sync } => {
            let sync = match sync {
                Sync::Now => "sync",
                Sync::Later => "no need to sync",
            };
            format!("log {lsn}: {} ({sync})", M::record(record))
        }
        Effect::Apply { lsn, string } => format!("append line of {lsn}: “{}”", string.as_str()),
        Effect::Send { to, message } => format!("to {to}: {}", self::message(message)),
        Effect::SetTimer { timer, after } => format!("timer {} in {}", M::timer(timer), seconds(*after)),
        Effect::CancelTimer(timer) => format!("no timer {}", M::timer(timer)),
        Effect::Notify(notice) => format!("show {}", self::notice(notice)),
    }
}

/// One line for a message.
#[must_use]
pub fn message(message: &Message) -> String {
    let head = format!("{} {}", message.kind(), message.txn());
    match message {
        Message::VoteRequest { string, participants, timeout, .. } => {
            format!("{head} “{}” to {} within {}", string.as_str(), names(participants), seconds(*timeout))
        }
        Message::VoteCommit { .. } | Message::GlobalCommit { .. } | Message::Ack { .. } => head,
        Message::VoteAbort { reason, .. } => head + &because(reason.map(crate::Reason::as_str), None),
        Message::GlobalAbort { reason, by, .. } => head + &because(reason.map(crate::Reason::as_str), by.as_ref()),
        Message::DecisionRequest { participants, .. } => format!("{head} of {}", names(participants)),
        Message::DecisionReply { state, .. } => format!("{head} {}", state.as_str()),
    }
}

fn notice(notice: &Notice) -> String {
    match notice {
        Notice::VoteRequested { txn, string, timeout, .. } => {
            format!("vote wanted on {txn} “{}” within {}", string.as_str(), seconds(*timeout))
        }
        Notice::State { txn, state } => format!("{txn} {state}"),
        Notice::Asked { txn, whom } => format!("{txn} asked {}", names(whom)),
        Notice::Blocked { txn, asked } => format!("{txn} BLOCKED, asked {}", names(asked)),
        Notice::Decided { txn, decision, reason, by, .. } => {
            format!("{txn} decided {decision}{}", because(reason.map(crate::Reason::as_str), by.as_ref()))
        }
        Notice::Applied { txn, .. } => format!("{txn} stands in the text file"),
        Notice::Done { txn } => format!("{txn} acknowledged by all"),
        Notice::Alarm { txn, from, said, held } => format!("ALARM {txn} {from} says {said}, held here: {held}"),
        Notice::NoSpace { txn, record } => format!("{txn} no space for {record}"),
        Notice::RequestRefused(refusal) => format!("request refused: {}", self::refusal(*refusal)),
        Notice::PressIgnored { txn, state } => {
            format!("{txn} press ignored, it is {}", state.map_or("not open", crate::State::as_str))
        }
        Notice::Ignored { from, kind, txn, why } => format!("ignored {kind} {txn} of {from}: {}", ignored(*why)),
    }
}

fn refusal(refusal: RequestRefusal) -> String {
    match refusal {
        RequestRefusal::Offline => "no link".into(),
        RequestRefusal::VoteOpen => "a vote is open".into(),
        RequestRefusal::TooFew { missing } => format!("{missing} more needed"),
        RequestRefusal::TooMany => "too many participants".into(),
        RequestRefusal::Leaving => "leaving".into(),
    }
}

fn ignored(why: Ignored) -> &'static str {
    match why {
        Ignored::NotItsCoordinator => "not its coordinator",
        Ignored::NotAParticipant => "not a participant of it",
        Ignored::NotConcerned => "not concerned",
        Ignored::Unknown => "unknown",
        Ignored::Stale => "settled by now",
        Ignored::Differs => "differs from the first",
        Ignored::NotForThisRole => "not for this role",
    }
}

fn because(reason: Option<&str>, by: Option<&UserName>) -> String {
    match (reason, by) {
        (None, None) => String::new(),
        (Some(reason), None) => format!(" because {reason}"),
        (None, Some(by)) => format!(" by {by}"),
        (Some(reason), Some(by)) => format!(" because {reason} by {by}"),
    }
}

fn person(user: &UserName, role: Role) -> String {
    match role {
        Role::Participant => user.to_string(),
        Role::Coordinator | Role::Observer | Role::Guest => format!("{user} ({role})"),
    }
}

fn names<'a>(names: impl IntoIterator<Item = &'a UserName>) -> String {
    let names: Vec<&str> = names.into_iter().map(UserName::as_str).collect();
    names.join(" ")
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

impl Tell for participant::Participant {
    fn command(command: &participant::Command) -> String {
        match command {
            participant::Command::Commit(txn) => format!("press Commit on {txn}"),
            participant::Command::Abort(txn) => format!("press Abort on {txn}"),
            participant::Command::AskStatus(txn) => format!("press Ask status on {txn}"),
            participant::Command::Leave => "press Quit".into(),
        }
    }
    fn record(record: &ParticipantRecord) -> String {
        match record {
            ParticipantRecord::Ready { txn, string, participants, timeout } => {
                format!("READY {txn} “{}” of {} within {}", string.as_str(), names(participants), seconds(*timeout))
            }
            ParticipantRecord::Commit { txn, string } => format!("COMMIT {txn} “{}”", string.as_str()),
            ParticipantRecord::Abort { txn, reason } => format!("ABORT {txn}{}", because(reason.map(crate::Reason::as_str), None)),
            ParticipantRecord::Applied { txn } => format!("APPLIED {txn}"),
            ParticipantRecord::Decided(decided) => format!("DECIDED {decided} {}", decided.decision()),
        }
    }
    fn timer(timer: &participant::Timer) -> String {
        match timer {
            participant::Timer::Deadline(txn) => format!("Deadline {txn}"),
            participant::Timer::Grace(txn) => format!("Grace {txn}"),
            participant::Timer::AskAgain(txn) => format!("AskAgain {txn}"),
            participant::Timer::Answers(txn) => format!("Answers {txn}"),
            participant::Timer::Space => "Space".into(),
        }
    }
}

impl Tell for coordinator::Coordinator {
    fn command(command: &coordinator::Command) -> String {
        match command {
            coordinator::Command::Request { string, timeout, alongside } => {
                let alongside = if *alongside { ", alongside" } else { "" };
                format!("press Request on “{}” within {}{alongside}", string.as_str(), seconds(*timeout))
            }
            coordinator::Command::Leave => "press Quit".into(),
        }
    }
    fn record(record: &CoordinatorRecord) -> String {
        match record {
            CoordinatorRecord::Start { txn, string, participants, timeout } => {
                format!("START {txn} “{}” of {} within {}", string.as_str(), names(participants), seconds(*timeout))
            }
            CoordinatorRecord::Commit { txn } => format!("COMMIT {txn}"),
            CoordinatorRecord::Abort { txn, reason, by } => {
                format!("ABORT {txn}{}", because(reason.map(crate::Reason::as_str), by.as_ref()))
            }
            CoordinatorRecord::End { txn } => format!("END {txn}"),
            CoordinatorRecord::Decided(decided) => format!("DECIDED {decided} {}", decided.decision()),
        }
    }
    fn timer(timer: &coordinator::Timer) -> String {
        match timer {
            coordinator::Timer::Votes(txn) => format!("Votes {txn}"),
            coordinator::Timer::Repeat(txn) => format!("Repeat {txn}"),
            coordinator::Timer::Space => "Space".into(),
        }
    }
}
