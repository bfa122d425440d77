//! What was done in a run, in its order, and how everything stood before each of it.
//!
//! A run without windows has every press as a deed; in one with windows, the nodes tell of the presses and
//! the relay relays what was said. What others than the lab have asked of the relay is seen in what it does.
//! Deliberately absent: doing it.

use std::collections::BTreeSet;
use std::time::Duration;

use twopc_proto::Message;
use twopc_proto::bench::Command;
use twopc_proto::frame::Protocol;
use twopc_proto::text::split_time;
use twopc_proto::trace::What;

use super::asked::Asked;
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
        let (mut moment, mut asked) = (Moment::default(), Asked::default());
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
            if let Happening::Blind = &event.what {
                asked.on_blind();
            }
            let by_others = event.what.fate().and_then(|fate| asked.on_fate(fate, &moment));
            if let Some(deed) = done(event, headless).inspect(|deed| asked.on_deed(deed)).or(by_others) {
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

#[cfg(test)]
mod tests {
    use twopc_proto::bench::{Fate, Rule, Then};

    use super::*;

    fn hold() -> Vec<Rule> {
        vec![Rule { path: None, from: None, to: None, then: Then::Hold }]
    }

    fn frame(seq: u64) -> Happening {
        let body = r#"{"txn":"chair.1.1"}"#;
        let head = format!("Host: r\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
        let more = format!("From: alice\r\nRole: participant\r\nSeq: {seq}\r\nTo: chair");
        Happening::Frame { frame: format!("POST /2pc/VOTE_COMMIT HTTP/1.1\r\n{head}\r\n{more}\r\n\r\n{body}") }
    }

    fn deeds(happenings: Vec<Happening>) -> Vec<Deed> {
        let events: Vec<Event> = (1..).zip(happenings).map(|(at_us, what)| Event { at_us, what }).collect();
        Script::of(&events, true).acts.into_iter().map(|act| act.deed).collect()
    }

    fn fate(fate: Fate) -> Happening {
        Happening::Fate { fate }
    }

    fn did(deed: Deed) -> Happening {
        Happening::Did { deed }
    }

    fn command(command: Command) -> Deed {
        Deed::Bench { command }
    }

    #[test]
    fn what_somebody_else_asks_of_the_relay_is_done_again_and_the_labs_own_once() {
        let rules = |rules| fate(Fate::Rules { rules, held: vec![] });
        let held = |seq, ms| fate(Fate::Held { seq, ms });
        let by_others = deeds(vec![
            rules(vec![]),
            rules(hold()),
            frame(1),
            held(1, None),
            frame(2),
            held(2, None),
            fate(Fate::Duplicated { seq: 2 }),
            fate(Fate::Delivered { seq: 2 }),
            fate(Fate::Dropped { seq: 1, gone: false }),
            rules(vec![]),
        ]);
        let wanted = [
            Deed::Rules { rules: hold() },
            command(Command::Duplicate { seq: 2 }),
            command(Command::Deliver { seq: 2 }),
            command(Command::Drop { seq: 1 }),
            Deed::Rules { rules: vec![] },
        ];
        assert_eq!(by_others, wanted);

        let own = [did(Deed::Rules { rules: hold() }), did(command(Command::Deliver { seq: 1 })), did(command(Command::Release))];
        let by_the_lab = deeds(vec![
            own[0].clone(),
            rules(hold()),
            frame(1),
            held(1, None),
            frame(2),
            held(2, None),
            frame(3),
            held(3, None),
            own[1].clone(),
            fate(Fate::Delivered { seq: 1 }),
            own[2].clone(),
            fate(Fate::Delivered { seq: 2 }),
            fate(Fate::Delivered { seq: 3 }),
        ]);
        let wanted: Vec<Deed> =
            own.into_iter().filter_map(|did| if let Happening::Did { deed } = did { Some(deed) } else { None }).collect();
        assert_eq!(by_the_lab, wanted);

        // A delay that ends, a rule that loses what it never held, a receiver who is gone.
        let by_nobody = deeds(vec![
            frame(1),
            held(1, Some(500)),
            fate(Fate::Delivered { seq: 1 }),
            frame(2),
            fate(Fate::Dropped { seq: 2, gone: false }),
            frame(3),
            held(3, None),
            fate(Fate::Dropped { seq: 3, gone: true }),
        ]);
        assert_eq!(by_nobody, []);
    }
}
