//! What was done in a run, in its order, and how everything stood before each of it.
//!
//! A run without windows has every press as a deed; in one with windows, the nodes tell of the presses and
//! the relay relays what was said. Deliberately absent: doing it.

use std::collections::BTreeSet;
use std::time::Duration;

use twopc_proto::Message;
use twopc_proto::bench::Command;
use twopc_proto::frame::Protocol;
use twopc_proto::text::split_time;
use twopc_proto::trace::What;

use crate::member::RELAY;
use crate::run::moment::protocol_of;
use crate::run::{Deed, Event, Happening, Moment, Stage};

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub deed: Deed,
    /// The message that it was about, if it was about one: its number is another one in another run.
    pub about: Option<Protocol>,
    /// How everything stood before.
    pub before: Moment,
}

/// Who is told at the beginning to die where.
pub type Start = (String, Option<String>);

/// Everything that was done, and how everything stood at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Those who were there from the beginning.
    pub starts: Vec<Start>,
    /// What was done then.
    pub acts: Vec<Act>,
    /// How everything stood at the end.
    pub end: Moment,
    /// How long a vote might take, as the first one was asked for.
    pub vote_timeout: Option<Duration>,
}

impl Script {
    /// Of a run; `headless` if it had no windows.
    #[must_use]
    pub fn of(events: &[Event], headless: bool) -> Self {
        let mut script = Self::default();
        let mut moment = Moment::default();
        let (mut started, mut added) = (BTreeSet::new(), BTreeSet::new());
        for event in events {
            if matches!(&event.what, Happening::Did { deed: Deed::Close }) {
                break;
            }
            if let Happening::Process { program, stage: Stage::Started { crash_at, .. } } = &event.what
                && program != RELAY
                && !added.contains(program)
                && started.insert(program.clone())
            {
                script.starts.push((program.clone(), crash_at.clone()));
            }
            if let Some(deed) = done(event, headless) {
                if let Deed::Add { program } = &deed {
                    added.insert(program.clone());
                }
                // The first start of those who were there from the beginning is done at the beginning.
                let is_first = matches!(&deed, Deed::Start { program, .. } if program != RELAY && !started.contains(program) && !added.contains(program));
                if !is_first {
                    let about = about(&deed, &moment);
                    script.acts.push(Act { deed, about, before: moment.clone() });
                }
            }
            if let Happening::Frame { frame } = &event.what
                && script.vote_timeout.is_none()
            {
                script.vote_timeout = timeout_of(frame);
            }
            moment.take(event);
        }
        script.end = moment;
        script
    }
}

fn done(event: &Event, headless: bool) -> Option<Deed> {
    if let Happening::Did { deed } = &event.what {
        return Some(deed.clone());
    }
    if headless {
        return None;
    }
    event.what.frame().and_then(said).or_else(|| {
        let (user, trace) = event.what.told()?;
        let What::Press { button, txn } = &trace.what else { return None };
        let word = if button == "Ask status" { String::from("ask") } else { button.to_lowercase() };
        let line = txn.as_ref().map_or_else(|| word.clone(), |txn| format!("{word} {txn}"));
        Some(Deed::Press { program: user.to_string(), line })
    })
}

/// How long a vote may take, if this is a request for one.
fn timeout_of(frame: &str) -> Option<Duration> {
    match protocol_of(frame)?.message()?.ok()? {
        Message::VoteRequest { timeout, .. } => Some(timeout),
        Message::VoteCommit { .. }
        | Message::VoteAbort { .. }
        | Message::GlobalCommit { .. }
        | Message::GlobalAbort { .. }
        | Message::Ack { .. }
        | Message::DecisionRequest { .. }
        | Message::DecisionReply { .. } => None,
    }
}

/// A chat line as somebody typed it.
fn said(frame: &str) -> Option<Deed> {
    let (head, body) = frame.split_once("\r\n\r\n")?;
    if !(head.starts_with("POST /client.http ") || head.starts_with("POST /coordinator.http ")) {
        return None;
    }
    let from = head.lines().find_map(|line| line.strip_prefix("From: "))?;
    let text = split_time(body).1;
    let line = if text.to_lowercase().starts_with("string:") { text.to_owned() } else { format!("say {text}") };
    Some(Deed::Press { program: from.into(), line })
}

fn about(deed: &Deed, moment: &Moment) -> Option<Protocol> {
    let Deed::Bench { command: Command::Deliver { seq } | Command::Drop { seq } | Command::Duplicate { seq } } = deed else { return None };
    moment.held.get(seq).cloned()
}
